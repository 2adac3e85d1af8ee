"""Keeps a second LibTorch out of this process: two of them crash each other.

The library refuses a plugin over LibTorch when another LibTorch is loaded. This handles the other order: PyTorch imported
after a plugin was loaded with isolation="in_process".
"""

from __future__ import annotations

import importlib.machinery
import os
import sys
from typing import Any, Optional


def _mapped() -> Optional[str]:
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        for line in maps:
            path = line.rstrip("\n").partition("/")[2]
            if os.path.basename(path).startswith("libc10.so"):
                return "/" + path
    return None


class _Guard:
    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> Optional[importlib.machinery.ModuleSpec]:
        if name != "torch":
            return None
        here = _mapped()
        if here is None:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            theirs = os.path.join(folder, "lib", "libc10.so")
            if os.path.exists(theirs) and os.path.realpath(theirs) != os.path.realpath(here):
                raise ImportError(
                    f"torch: needs {theirs}, but this process has {here} mapped, which a Recore plugin brought; two LibTorch "
                    'in one process crash each other. Import torch first, or leave the plugin\'s isolation at "auto"',
                    name=name)
        return None


def guard() -> None:
    if _Guard not in sys.meta_path:
        sys.meta_path.insert(0, _Guard)
