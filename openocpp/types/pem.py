"""Certificates and certificate requests, as far as messages are concerned: PEM texts.

The classes of ``openocpp.x509`` are such objects; whoever needs no more than the text uses :class:`PemText`.
Threads: any; the objects do not change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class PemObject(Protocol):
    """A certificate, a chain of them (leaf first), or a certificate request."""

    @property
    def pem(self) -> str:
        """All of it as PEM text."""


@dataclass(frozen=True)
class PemText:
    """A certificate, chain or request that is only its text."""

    pem: str
