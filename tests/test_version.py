"""The version of the package."""

from __future__ import annotations

import re

from openocpp.version import VERSION


def test_it_is_major_minor_fix() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION)
