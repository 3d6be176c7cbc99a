"""The table ChargingProfiles: what the smart charging manager keeps in memory as well (1.6 §3.13).

Threads: any but the scheduler.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openocpp.store.columns import Columns

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from openocpp.store.database import Database


@dataclass(frozen=True)
class ChargingProfileRow:
    """An installed profile. ``id`` is its chargingProfileId, ``profile`` the ChargingProfile as a JSON object.

    ``transaction_key`` is the local key of the transaction that a TxProfile belongs to.
    """

    id: int
    connector_id: int
    profile: str
    transaction_key: int | None = None


COLUMNS = Columns(ChargingProfileRow, "ChargingProfiles")


class ChargingProfiles:
    """A row for each installed profile; there is one of each id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rows(self) -> list[ChargingProfileRow]:
        """All of them, by id."""
        return COLUMNS.rows(self._database.read(f"{COLUMNS.select} ORDER BY id"))

    def replace(self, removed: Iterable[int], added: Iterable[ChargingProfileRow]) -> None:
        """Remove profiles by id and store others, durably and together. One of the same id is overwritten."""
        ids, rows = list(removed), list(added)

        def job(connection: sqlite3.Connection) -> None:
            self.remove_in(connection, ids)
            for row in rows:
                self.save_in(connection, row)

        self._database.write(job)

    @staticmethod
    def save_in(connection: sqlite3.Connection, row: ChargingProfileRow) -> None:
        connection.execute(COLUMNS.save, COLUMNS.values(row))

    @staticmethod
    def remove_in(connection: sqlite3.Connection, ids: Iterable[int]) -> None:
        connection.executemany("DELETE FROM ChargingProfiles WHERE id = ?", [(number,) for number in ids])
