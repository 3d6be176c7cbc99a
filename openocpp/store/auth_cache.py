"""The table AuthentCache: id tags that the central system has told about (1.6 §3.5.1).

Threads: any but the scheduler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openocpp.store.columns import to_text
from openocpp.store.id_tags import IdTagColumns, IdTagRow

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from openocpp.store.database import Database

COLUMNS = IdTagColumns("AuthentCache")


class AuthorizationCache:
    """At most ``maximum`` entries. When it is full, those not valid any more go first, then the oldest ones."""

    def __init__(self, database: Database, maximum: int) -> None:
        self.maximum = maximum
        self._database = database

    def get(self, id_tag: str) -> IdTagRow | None:
        """The entry, as it was stored: whether it has expired is the caller's question."""
        return self._database.read_with(lambda connection: COLUMNS.get_in(connection, id_tag))

    def put(self, row: IdTagRow, now: datetime) -> None:
        """Store an entry lazily, as the youngest one. Any thread."""
        self._database.write_lazy(lambda connection: self.put_in(connection, row, now))

    def clear(self) -> None:
        """Remove all entries durably."""
        self._database.write(lambda connection: connection.execute("DELETE FROM AuthentCache").rowcount)

    def trim(self, now: datetime) -> None:
        """Apply durably a maximum that was lowered since the last run."""
        self._database.write(lambda connection: self._make_room_in(connection, self.maximum, now))

    def rows(self) -> list[IdTagRow]:
        """All entries, the oldest first."""
        return COLUMNS.rows(self._database.read(f"{COLUMNS.select} ORDER BY id"))

    def put_in(self, connection: sqlite3.Connection, row: IdTagRow, now: datetime) -> None:
        if self.maximum <= 0:
            return
        COLUMNS.remove_in(connection, row.id_tag)
        self._make_room_in(connection, self.maximum - 1, now)
        connection.execute(COLUMNS.insert, COLUMNS.values(row))

    @staticmethod
    def _make_room_in(connection: sqlite3.Connection, most: int, now: datetime) -> None:
        connection.execute(
            "DELETE FROM AuthentCache WHERE id IN (SELECT id FROM AuthentCache"
            " ORDER BY status = 'Accepted' AND (expiry IS NULL OR expiry > ?), id"
            " LIMIT max(0, (SELECT count(*) FROM AuthentCache) - ?))",
            (to_text(now), most),
        )
