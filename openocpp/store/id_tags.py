"""What cache and local list know of an id tag. They find it in whatever case it is presented (errata 3.73, 3.74).

Threads: any.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openocpp.store.columns import Columns
from openocpp.types.base import fold

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime


@dataclass(frozen=True)
class IdTagRow:
    """An id tag as it was received, and its IdTagInfo. ``status`` is the standard's text (1.6 §7.2)."""

    id_tag: str
    status: str
    parent_id_tag: str | None = None
    expiry: datetime | None = None


class IdTagColumns(Columns[IdTagRow]):
    """The columns of a table that has ``folded`` beside them: the form in which an id tag is looked up."""

    def __init__(self, table: str) -> None:
        super().__init__(IdTagRow, table)
        self.insert = f"INSERT INTO {table} (folded, {self.names}) VALUES (?, {self.marks})"
        self._find = f"{self.select} WHERE folded = ?"
        self._delete = f"DELETE FROM {table} WHERE folded = ?"

    def values(self, row: IdTagRow) -> list[Any]:
        return [fold(row.id_tag), *super().values(row)]

    def get_in(self, connection: sqlite3.Connection, id_tag: str) -> IdTagRow | None:
        return self.first(connection.execute(self._find, (fold(id_tag),)).fetchall())

    def remove_in(self, connection: sqlite3.Connection, id_tag: str) -> None:
        connection.execute(self._delete, (fold(id_tag),))

    def put_in(self, connection: sqlite3.Connection, row: IdTagRow) -> None:
        """Insert a row in the place of an older one of the same id tag."""
        self.remove_in(connection, row.id_tag)
        connection.execute(self.insert, self.values(row))
