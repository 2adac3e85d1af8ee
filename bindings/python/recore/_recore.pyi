"""The extension module: the functions of _raw without its Python."""

from ._raw import *

def __getattr__(name: str) -> int: ...  # the constants
