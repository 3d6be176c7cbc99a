"""The public names are a promise: one that is added is added here, one that goes is told in the change log."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

import openocpp

FROZEN = Path(__file__).parent / "public_names.txt"


def test_the_names_are_those_that_were_promised() -> None:
    promised = FROZEN.read_text(encoding="utf-8").split()
    assert sorted(openocpp.__all__) == promised


def test_each_name_can_be_imported() -> None:
    for name in openocpp.__all__:
        assert getattr(openocpp, name) is not None


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="Nonsense"):
        getattr(openocpp, "Nonsense")  # noqa: B009 - a type checker refuses it otherwise


def test_the_version_is_that_of_the_package() -> None:
    assert openocpp.__version__ == importlib.import_module("openocpp.version").VERSION
    assert set(dir(openocpp)) == set(openocpp.__all__)
