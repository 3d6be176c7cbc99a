"""The ids of the CALLs that one side sends on one connection: each is used once (J §4.1.4).

Its own ones are numbers from a random start. Whoever passes on a CALL of another connection may wish for the id that it
came with, and gets it unless it was used here before.
Threads: the owner's (the scheduler).
"""

from __future__ import annotations

import re

from openocpp.rpc.json import loads

REMEMBERED = 256  # ids of others that were used last; their senders use each once, as we do
PLAIN = re.compile(r"[ !#-\[\]-~]{1,36}")  # stands in JSON as it is, and is not too long


class MessageIds:
    """Gives out ids, from ``first`` on."""

    __slots__ = ("_first", "_lent", "_next")

    def __init__(self, first: int) -> None:
        self._first = first
        self._next = first
        self._lent: dict[str, None] | None = None  # in the order of their use; most connections need none

    def __repr__(self) -> str:
        return f"<ids from {self._first}, next {self._next}>"

    def take(self, wanted: str = "") -> str:
        """The id for the next CALL: the wanted one if it is legal and was not used yet, else a number."""
        if wanted and self._is_free(wanted):
            self._remember(wanted)
            return wanted
        while True:
            own = str(self._next)
            self._next += 1
            if self._lent is None or own not in self._lent:
                return own

    def _is_free(self, wanted: str) -> bool:
        if PLAIN.fullmatch(wanted) is None or (self._lent is not None and wanted in self._lent):
            return False
        if self._next == self._first or not wanted.isdecimal():
            return True
        number = int(wanted)
        return not (self._first <= number < self._next and str(number) == wanted)

    def _remember(self, wanted: str) -> None:
        if self._lent is None:
            self._lent = {}
        self._lent[wanted] = None
        if len(self._lent) > REMEMBERED:
            del self._lent[next(iter(self._lent))]


def is_same(quoted: str, own: str) -> bool:
    """Is an id that came, as it stood between its quotes, this one? Some peers escape what needs no escape."""
    if quoted == own:
        return True
    if "\\" not in quoted:
        return False
    try:
        return bool(loads(f'"{quoted}"') == own)
    except ValueError:
        return False
