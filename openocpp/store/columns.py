"""Rows as dataclasses, columns as SQLite knows them: a table has a column for each field, of the same name.

Instants are stored as texts: they compare as they sort, keep microseconds, and can be read by who looks into the file.
Threads: any.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

R = TypeVar("R")


@overload
def to_text(instant: datetime) -> str: ...
@overload
def to_text(instant: datetime | None) -> str | None: ...
def to_text(instant: datetime | None) -> str | None:
    """``YYYY-MM-DDTHH:MM:SS.ffffffZ``. ValueError if the instant has no time zone."""
    if instant is None:
        return None
    if instant.tzinfo is None:
        raise ValueError("an instant without time zone")
    if instant.tzinfo is not UTC:
        instant = instant.astimezone(UTC)
    return instant.isoformat("T", "microseconds")[:26] + "Z"


def to_instant(text: str | None) -> datetime | None:
    """The aware UTC instant that was stored."""
    return None if text is None else datetime.fromisoformat(text)


class Columns(Generic[R]):
    """How the rows of one table are written and read. The fields of ``row_type`` are ints, texts, bools, instants.

    ``key`` is the primary key. Where it is ``id`` and a row has the id 0, ``insert`` takes the next free one.
    """

    def __init__(self, row_type: type[R], table: str, key: str = "id") -> None:
        found = [(field.name, str(field.type)) for field in fields(row_type)]  # type: ignore[arg-type]  # a dataclass
        self._names = [name for name, _ in found]
        self.table = table
        self.names = ", ".join(self._names)
        self.marks = ", ".join("nullif(?, 0)" if name == "id" else "?" for name in self._names)
        self.select = f"SELECT {self.names} FROM {table}"
        self.insert = f"INSERT INTO {table} ({self.names}) VALUES ({self.marks})"
        # Not INSERT OR REPLACE: that deletes the old row, and with it the rows of other tables that refer to it.
        changes = ", ".join(f"{name} = excluded.{name}" for name in self._names if name != key)
        self.save = f"INSERT INTO {table} ({self.names}) VALUES ({', '.join('?' * len(found))})"
        self.save += f" ON CONFLICT ({key}) DO UPDATE SET {changes}"
        self._row_type = row_type
        self._get: Callable[[R], tuple[Any, ...]] = attrgetter(*self._names)
        self._instants = [index for index, (_, kind) in enumerate(found) if kind.startswith("datetime")]
        self._bools = [index for index, (_, kind) in enumerate(found) if kind == "bool"]

    def values(self, row: R) -> list[Any]:
        """The parameters of ``insert`` and ``save``."""
        values = list(self._get(row))
        for index in self._instants:
            values[index] = to_text(values[index])
        return values

    def row(self, columns: Sequence[Any]) -> R:
        """The row for a line of ``select``."""
        values = list(columns)
        for index in self._instants:
            values[index] = to_instant(values[index])
        for index in self._bools:
            values[index] = bool(values[index])
        return self._row_type(**dict(zip(self._names, values, strict=True)))

    def rows(self, found: Iterable[Sequence[Any]]) -> list[R]:
        return [self.row(columns) for columns in found]

    def first(self, found: Iterable[Sequence[Any]]) -> R | None:
        """The row of the first line, if there is one."""
        for columns in found:
            return self.row(columns)
        return None
