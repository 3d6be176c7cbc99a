"""Tests of openocpp.types.pem: a text is enough, and so is every object that has one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from openocpp.types.pem import PemText

if TYPE_CHECKING:
    from openocpp.types.pem import PemObject


def test_a_text_is_a_pem_object() -> None:
    thing: PemObject = PemText("text")
    assert thing.pem == "text"
    assert thing == PemText("text")
    with pytest.raises(AttributeError):
        thing.pem = "other"  # type: ignore[misc]


def test_so_is_what_computes_its_text() -> None:
    @dataclass
    class Certificate:
        der: bytes

        @property
        def pem(self) -> str:
            return self.der.hex()

    thing: PemObject = Certificate(b"\x01")
    assert thing.pem == "01"
