"""The table Outbox: the messages of transactions, and the meter values, that are still to be delivered, in order.

A message is appended before its caller is told that it is accepted, and removed after it was answered. Its payload has
no ``transactionId`` where the central system's id was not known yet: it is filled in when the message is sent.
Threads: any but the scheduler.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openocpp.store.columns import Columns
from openocpp.store.shapes import QueueTable

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from openocpp.store.database import Database


@dataclass(frozen=True, kw_only=True)
class OutboxRow:
    """A message to be delivered. ``transaction_key`` is the local key of the transaction that it belongs to, if any."""

    id: int = 0  # given by ``append``
    action: str
    connector_id: int
    transaction_key: int | None = None
    payload: str  # a JSON object
    created: datetime
    attempts: int = 0  # transmissions that the central system failed to process


COLUMNS = Columns(OutboxRow, "Outbox")

_DROPPABLE = "action = 'MeterValues' AND transaction_key IS NULL"  # as in the index of that name


class Outbox(QueueTable[OutboxRow]):
    """A durable queue."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, COLUMNS)

    def count_droppable(self) -> int:
        """Meter values that belong to no transaction: those that ``trim_in`` may drop."""
        return self._count(_DROPPABLE)

    def set_attempts(self, message_id: int, attempts: int) -> None:
        """Remember lazily how often the central system failed to process it. Any thread."""
        self._database.write_lazy(
            lambda connection: connection.execute("UPDATE Outbox SET attempts = ? WHERE id = ?", (attempts, message_id))
        )

    @staticmethod
    def trim_in(connection: sqlite3.Connection, maximum: int, in_flight: int = 0) -> int:
        """Drop the oldest meter values without transaction beyond ``maximum``, the message ``in_flight`` excepted.

        The result is how many were dropped. Nothing else is ever dropped.
        """
        return connection.execute(
            f"DELETE FROM Outbox WHERE id IN (SELECT id FROM Outbox WHERE {_DROPPABLE} AND id <> ? ORDER BY id"
            f" LIMIT max(0, (SELECT count(*) FROM Outbox WHERE {_DROPPABLE}) - ?))",
            (in_flight, maximum),
        ).rowcount
