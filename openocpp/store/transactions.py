"""The table Transactions: each has a local key, under which queued messages, meter values and profiles know it.

The central system's id is one of its columns, known when StartTransaction was answered; any integer is legal
(errata 3.54).
Threads: any but the scheduler.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openocpp.store.columns import Columns

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from datetime import datetime

    from openocpp.store.database import Database


@dataclass(frozen=True, kw_only=True)
class TransactionRow:
    """A transaction, running or over. Meter values are in Wh, as in the messages."""

    key: int
    connector_id: int
    id_tag: str
    parent_id_tag: str | None = None
    meter_start: int
    start_time: datetime
    reservation_id: int | None = None
    cs_id: int | None = None
    running: bool = True
    start_answered: bool = False
    start_dropped: bool = False  # given up: what follows is sent with the id -1 (errata 3.18)
    deauthorized: bool = False  # the central system does not accept its id tag
    meter_stop: int | None = None
    stop_time: datetime | None = None
    stop_reason: str | None = None


COLUMNS = Columns(TransactionRow, "Transactions", key="key")


class Transactions:
    """A row for each transaction of which something is still to be done, and for the newest one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: int) -> TransactionRow | None:
        return self._database.read_with(lambda connection: self.get_in(connection, key))

    def running(self) -> list[TransactionRow]:
        """Those that run, the oldest first."""
        return COLUMNS.rows(self._database.read(f"{COLUMNS.select} WHERE running ORDER BY key"))

    def rows(self) -> list[TransactionRow]:
        """All that are kept, the oldest first."""
        return COLUMNS.rows(self._database.read(f"{COLUMNS.select} ORDER BY key"))

    def save(self, row: TransactionRow) -> None:
        """Store it durably."""
        self._database.write(lambda connection: self.save_in(connection, row))

    def prune(self) -> None:
        """Forget, lazily, those that are over and of which no message is queued any more."""
        self._database.write_lazy(self.prune_in)

    @staticmethod
    def forget_in(connection: sqlite3.Connection, keys: Iterable[int]) -> None:
        """Forget those of them that are over, the newest row excepted: it tells the next key.

        As ``prune_in``, without looking through the queue: none of their messages is there any more.
        """
        connection.executemany(
            "DELETE FROM Transactions WHERE key = ? AND NOT running AND key < (SELECT max(key) FROM Transactions)",
            [(key,) for key in keys],
        )

    @staticmethod
    def next_key_in(connection: sqlite3.Connection) -> int:
        """The key for a new transaction, larger than all before. Its row must be stored in the same job."""
        return int(connection.execute("SELECT coalesce(max(key), 0) + 1 FROM Transactions").fetchone()[0])

    @staticmethod
    def get_in(connection: sqlite3.Connection, key: int) -> TransactionRow | None:
        return COLUMNS.first(connection.execute(f"{COLUMNS.select} WHERE key = ?", (key,)).fetchall())

    @staticmethod
    def save_in(connection: sqlite3.Connection, row: TransactionRow) -> None:
        connection.execute(COLUMNS.save, COLUMNS.values(row))

    @staticmethod
    def prune_in(connection: sqlite3.Connection) -> None:
        """The newest row stays: it tells the next key."""
        connection.execute(
            "DELETE FROM Transactions WHERE NOT running AND key < (SELECT max(key) FROM Transactions)"
            " AND key NOT IN (SELECT transaction_key FROM Outbox WHERE transaction_key IS NOT NULL)"
        )
