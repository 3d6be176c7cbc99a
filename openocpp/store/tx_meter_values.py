"""The table TxMeterValues: what StopTransaction will carry as its transactionData (1.6 §3.16), by local key.

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
class TxMeterValueRow:
    """A MeterValue as a JSON object."""

    id: int
    transaction_key: int
    meter_value: str


COLUMNS = Columns(TxMeterValueRow, "TxMeterValues")


class TxMeterValues:
    """The meter values of each transaction, in the order in which they were taken. They end with its row."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, transaction_key: int, meter_value: str) -> None:
        """Store a MeterValue durably. StoreError when there is no such transaction."""
        self._database.write(lambda connection: self.add_in(connection, transaction_key, meter_value))

    def rows(self, transaction_key: int) -> list[TxMeterValueRow]:
        """Those of one transaction, the oldest first."""
        found = self._database.read(f"{COLUMNS.select} WHERE transaction_key = ? ORDER BY id", (transaction_key,))
        return COLUMNS.rows(found)

    def count(self, transaction_key: int) -> int:
        sql = "SELECT count(*) FROM TxMeterValues WHERE transaction_key = ?"
        return int(self._database.read(sql, (transaction_key,))[0][0])

    def remove(self, ids: Iterable[int]) -> None:
        """Remove some of them durably, to make room."""
        chosen = [(number,) for number in ids]
        self._database.write(
            lambda connection: connection.executemany("DELETE FROM TxMeterValues WHERE id = ?", chosen).rowcount
        )

    def prune(self) -> None:
        """Remove, lazily, those of transactions that do not run any more: they were forgotten, not stopped."""
        self._database.write_lazy(
            lambda connection: connection.execute(
                "DELETE FROM TxMeterValues WHERE transaction_key NOT IN (SELECT key FROM Transactions WHERE running)"
            )
        )

    @staticmethod
    def add_in(connection: sqlite3.Connection, transaction_key: int, meter_value: str) -> None:
        connection.execute(COLUMNS.insert, (0, transaction_key, meter_value))

    @staticmethod
    def remove_in(connection: sqlite3.Connection, transaction_key: int) -> None:
        """Remove all of one transaction: its StopTransaction is queued with them."""
        connection.execute("DELETE FROM TxMeterValues WHERE transaction_key = ?", (transaction_key,))
