"""The table AuthentLocalList and its version: the local authorization list (1.6 §3.5.2, §5.15).

Threads: any but the scheduler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openocpp.store.id_tags import IdTagColumns, IdTagRow
from openocpp.store.internal import InternalConfig, InternalKey

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from openocpp.store.database import Database

COLUMNS = IdTagColumns("AuthentLocalList")


class _TooManyError(Exception):
    """Undoes an update."""


class LocalList:
    """The list as the central system has sent it. An update happens wholly or not at all."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def version(self) -> int:
        """The version that was sent last; 0 before the first one."""
        text = InternalConfig(self._database).get(InternalKey.LocalListVersion)
        return 0 if text is None else int(text)

    def get(self, id_tag: str) -> IdTagRow | None:
        """The entry, as it was stored: whether it has expired is the caller's question."""
        return self._database.read_with(lambda connection: COLUMNS.get_in(connection, id_tag))

    def count(self) -> int:
        return self._database.read_with(_count_in)

    def rows(self) -> list[IdTagRow]:
        """All entries."""
        return COLUMNS.rows(self._database.read(f"{COLUMNS.select} ORDER BY folded"))

    def replace(self, version: int, rows: Iterable[IdTagRow]) -> None:
        """Store a full list durably. Id tags must differ."""
        entries = list(rows)

        def job(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM AuthentLocalList")
            connection.executemany(COLUMNS.insert, [COLUMNS.values(row) for row in entries])
            InternalConfig.set_in(connection, InternalKey.LocalListVersion, str(version))

        self._database.write(job)

    def update(self, version: int, changed: Iterable[IdTagRow], removed: Iterable[str], maximum: int) -> bool:
        """Store a differential update durably. False, and nothing changed, when more than ``maximum`` would result."""
        to_change, to_remove = list(changed), list(removed)

        def job(connection: sqlite3.Connection) -> None:
            for id_tag in to_remove:
                COLUMNS.remove_in(connection, id_tag)
            for row in to_change:
                COLUMNS.put_in(connection, row)
            if _count_in(connection) > maximum:
                raise _TooManyError
            InternalConfig.set_in(connection, InternalKey.LocalListVersion, str(version))

        try:
            self._database.write(job)
        except _TooManyError:
            return False
        return True


def _count_in(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM AuthentLocalList").fetchone()[0])
