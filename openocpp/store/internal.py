"""The table InternalConfig: what a role remembers of itself, as texts by key.

Threads: any but the scheduler.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from openocpp.store.database import Database


class InternalKey(StrEnum):
    """The keys in use. The first four are every role's, the others the charge point's."""

    StackVersion = "StackVersion"
    LastSessionStartDate = "LastSessionStartDate"
    LastSessionUpTime = "LastSessionUpTime"  # s
    TotalUpTime = "TotalUpTime"  # s
    LastSessionDisconnectedTime = "LastSessionDisconnectedTime"  # s
    TotalDisconnectedTime = "TotalDisconnectedTime"  # s
    LastConnectionUrl = "LastConnectionUrl"
    LastRegistrationStatus = "LastRegistrationStatus"
    LocalListVersion = "LocalListVersion"
    FirmwareUpdate = "FirmwareUpdate"  # JSON
    SignedFirmwareUpdateId = "SignedFirmwareUpdateId"


class InternalConfig:
    """A text for each key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str) -> str | None:
        """The value; None when it was never set."""
        return self._database.read_with(lambda connection: self.get_in(connection, key))

    def set(self, key: str, value: str) -> None:
        """Set a value durably."""
        self._database.write(lambda connection: self.set_in(connection, key, value))

    def set_lazily(self, values: Mapping[str, str]) -> None:
        """Set several values together, not at once durable: counters. Any thread."""
        rows = list(values.items())
        self._database.write_lazy(lambda connection: [self.set_in(connection, key, value) for key, value in rows])

    @staticmethod
    def get_in(connection: sqlite3.Connection, key: str) -> str | None:
        row = connection.execute("SELECT value FROM InternalConfig WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    @staticmethod
    def set_in(connection: sqlite3.Connection, key: str, value: str) -> None:
        connection.execute("INSERT OR REPLACE INTO InternalConfig (key, value) VALUES (?, ?)", (key, value))
