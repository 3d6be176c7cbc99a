"""Random instances of any message or data type, made from its annotations.

They are always legal: within every limit, with a time zone, and equal after a round trip over the wire. The same seed
gives the same instance.

Threads: any; a ``random.Random`` belongs to one.
"""

from __future__ import annotations

import random
import string
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from openocpp.types.base import INT_MAX, INT_MIN, OcppEnum
from openocpp.types.record import Field, Record, fields_of

if TYPE_CHECKING:
    from collections.abc import Callable

R = TypeVar("R", bound=Record)

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_SECONDS = 40 * 365 * 86400
_LETTERS = string.ascii_letters + string.digits + " -_*+.,;:/\\\"'#{}[]<>" + "äßçñΩ中文\u00a0\u2028\U0001f50c"
_USUAL_LENGTH = 40
_USUAL_ITEMS = 3
_URI_START = "ftp://user:password@[2001:db8::1]:2121/"


def random_instance(
    cls: type[R], rng: random.Random | None = None, *, minimal: bool = False, maximal: bool = False
) -> R:
    """An instance of the class.

    ``minimal`` gives required fields only and the shortest lists, ``maximal`` every field with the longest texts and
    lists that are allowed (texts without limit: 1,000 characters, lists: 4 items).
    """
    if minimal and maximal:
        raise ValueError("minimal or maximal, not both")
    return _Maker(rng or random.Random(), minimal=minimal, maximal=maximal).record(cls)


class _Maker:
    def __init__(self, rng: random.Random, *, minimal: bool, maximal: bool) -> None:
        self.rng = rng
        self.minimal = minimal
        self.maximal = maximal
        self._makers: dict[type, Callable[[Field], Any]] = {
            str: self._text,
            int: self._integer,
            float: self._decimal,
            bool: lambda field: self.rng.random() < 0.5,
            datetime: self._instant,
        }

    def record(self, cls: type[R]) -> R:
        present = [field for field in fields_of(cls) if self._is_present(field)]
        return cls(**{field.name: self._field(field) for field in present})

    def _is_present(self, field: Field) -> bool:
        if field.required or self.maximal:
            return True
        return not self.minimal and self.rng.random() < 0.5

    def _field(self, field: Field) -> Any:
        if not field.many:
            return self._value(field)
        least = max(field.min_items, 0 if field.required else 1)
        most = field.max_items or 4
        if self.minimal or self.maximal:
            count = least if self.minimal else most
        else:
            count = self.rng.randint(least, min(most, max(least, _USUAL_ITEMS)))
        return tuple(self._value(field) for _ in range(count))

    def _value(self, field: Field) -> Any:
        if issubclass(field.kind, Record):
            return self.record(field.kind)
        if issubclass(field.kind, OcppEnum):
            return self.rng.choice(list(field.kind))
        return self._makers[field.kind](field)

    def _text(self, field: Field) -> str:
        limit = field.max_len or 1000
        if field.uri:
            start, limit = _URI_START, field.max_len or 200
        else:
            start = ""
        if self.maximal:
            length = limit
        elif self.minimal:
            length = max(1, len(start))
        else:
            length = self.rng.randint(len(start), max(len(start), min(limit, _USUAL_LENGTH)))
        letters = string.ascii_letters if field.uri else _LETTERS
        return start + "".join(self.rng.choices(letters, k=length - len(start)))

    def _integer(self, field: Field) -> int:
        least = INT_MIN if field.sent_at_least is None else field.sent_at_least
        most = INT_MAX if field.at_most is None else field.at_most
        if self.maximal:
            return most
        # Small numbers are the usual ones, so they are drawn half of the time.
        return self.rng.randint(*((max(least, 0), min(most, 10)) if self.rng.random() < 0.5 else (least, most)))

    def _decimal(self, field: Field) -> float:
        return self.rng.randint(0, 100_000) / 10

    def _instant(self, field: Field) -> datetime:
        return _EPOCH + timedelta(seconds=self.rng.randrange(_SECONDS))
