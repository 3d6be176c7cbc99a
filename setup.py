"""Names the packages; everything else stands in setup.cfg.

The JSON schemas live in ``schemas/`` of a checkout and as ``openocpp/schemas/`` in an installed copy.
"""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["openocpp", "openocpp.*"]), "openocpp.schemas"],
    package_dir={"openocpp.schemas": "schemas"},
)
