# What pyproject.toml cannot express: the package holds machine code, and its extension uses the stable ABI.
from setuptools import Distribution, setup


class BinaryDistribution(Distribution):
    def has_ext_modules(self):
        return True


setup(distclass=BinaryDistribution, options={"bdist_wheel": {"py_limited_api": "cp311"}})
