"""The table Connectors: the state of connectors 0 to N that survives a restart.

Threads: any but the scheduler.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openocpp.store.columns import Columns

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from openocpp.store.database import Database


@dataclass(frozen=True)
class ConnectorRow:
    """One connector; 0 is the charge point itself. Statuses and codes are the standard's texts.

    ``real_status`` is what the hardware said, whatever an availability or a reservation makes of it in ``status``.
    A connector without reservation has the ``reservation_id`` None.
    """

    id: int
    status: str = "Available"
    error_code: str = "NoError"
    info: str = ""
    vendor_id: str = ""
    vendor_error: str = ""
    status_time: datetime | None = None
    notified_status: str | None = None  # None: the central system was told nothing yet
    notified_error: str | None = None
    real_status: str = "Available"
    availability: str = "Operative"
    scheduled_availability: str | None = None  # to be applied at the end of the transaction
    reservation_id: int | None = None
    reservation_id_tag: str | None = None
    reservation_parent_id_tag: str | None = None
    reservation_expiry: datetime | None = None


COLUMNS = Columns(ConnectorRow, "Connectors")


class Connectors:
    """A row for each connector."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self, count: int) -> list[ConnectorRow]:
        """The rows 0 to ``count``. When the file has another number of connectors, all are made anew, durably."""
        found = self.rows()
        if [row.id for row in found] == list(range(count + 1)):
            return found
        fresh = [ConnectorRow(number) for number in range(count + 1)]

        def replace(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM Connectors")
            for row in fresh:
                self.save_in(connection, row)

        self._database.write(replace)
        return fresh

    def rows(self) -> list[ConnectorRow]:
        """The stored rows, by connector id."""
        return COLUMNS.rows(self._database.read(f"{COLUMNS.select} ORDER BY id"))

    def save(self, row: ConnectorRow) -> None:
        """Store it durably: availability and reservations."""
        self._database.write(lambda connection: self.save_in(connection, row))

    def save_lazily(self, row: ConnectorRow) -> None:
        """Store it with the next commit: statuses. Any thread."""
        self._database.write_lazy(lambda connection: self.save_in(connection, row))

    @staticmethod
    def save_in(connection: sqlite3.Connection, row: ConnectorRow) -> None:
        connection.execute(COLUMNS.save, COLUMNS.values(row))


def forget_connectors(database: Database) -> None:
    """Forget, durably, the states of all connectors and which transactions run: as if nobody had ever charged."""

    def job(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM Connectors")
        connection.execute("UPDATE Transactions SET running = 0 WHERE running")

    database.write(job)
