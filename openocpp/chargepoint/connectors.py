"""The connectors 0 to N of a charge point: their states, stored and not. 0 is the charge point itself.

Threads: monitor.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from enum import Enum, auto
from typing import TYPE_CHECKING

from openocpp.store.connectors import Connectors as ConnectorTable
from openocpp.store.transactions import Transactions as TransactionTable
from openocpp.types import AvailabilityType, ChargePointErrorCode, ChargePointStatus

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from openocpp.runtime import MonitorTimer
    from openocpp.store.connectors import ConnectorRow
    from openocpp.store.database import Database
    from openocpp.store.transactions import TransactionRow

log = logging.getLogger("openocpp.chargepoint")


class Operation(Enum):
    """What is in progress on a connector while the monitor is left: only one thing at a time."""

    NONE = auto()
    STARTING = auto()
    STOPPING = auto()


class Connector:
    """One connector. ``row`` is what is stored; the rest lives as long as the process."""

    def __init__(self, row: ConnectorRow) -> None:
        self.row = row
        self.transaction: TransactionRow | None = None
        self.operation = Operation.NONE
        self.status_timer: MonitorTimer | None = None

    def __repr__(self) -> str:
        return f"<connector {self.id} {self.status}, transaction {self.transaction and self.transaction.key}>"

    @property
    def id(self) -> int:
        return self.row.id

    @property
    def status(self) -> ChargePointStatus:
        """The status as the central system is to see it."""
        return ChargePointStatus(self.row.status)

    @property
    def real_status(self) -> ChargePointStatus:
        """The status as the application told it."""
        return ChargePointStatus(self.row.real_status)

    @property
    def error_code(self) -> ChargePointErrorCode:
        return ChargePointErrorCode(self.row.error_code)

    @property
    def is_operative(self) -> bool:
        return self.row.availability == AvailabilityType.Operative

    @property
    def is_reserved(self) -> bool:
        return self.row.reservation_id is not None

    @property
    def is_busy(self) -> bool:
        """A transaction runs, or one is being started."""
        return self.transaction is not None or self.operation is not Operation.NONE


class Connectors:
    """All connectors of a charge point, with what the database knows of them.

    When their number has changed all states are forgotten; transactions go on where their connector still is.
    """

    def __init__(self, database: Database, count: int, name: str) -> None:
        self._table = ConnectorTable(database)
        self._transactions = TransactionTable(database)
        stored = self._table.rows()
        if stored and [row.id for row in stored] != list(range(count + 1)):
            log.warning(
                "%s: there are %d connectors now, not %d: their states are forgotten", name, count, len(stored) - 1
            )
        self._all = [Connector(row) for row in self._table.load(count)]
        for row in self._transactions.running():
            connector = self.get(row.connector_id)
            if connector is None or connector.transaction is not None:
                log.error("%s: transaction %d ran on connector %d, which is no more", name, row.key, row.connector_id)
            else:
                connector.transaction = row

    def __iter__(self) -> Iterator[Connector]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    @property
    def physical(self) -> list[Connector]:
        """The connectors 1 to N."""
        return self._all[1:]

    @property
    def whole(self) -> Connector:
        """Connector 0: the charge point itself."""
        return self._all[0]

    def get(self, connector_id: int) -> Connector | None:
        """The connector, None if there is none of that number."""
        return self._all[connector_id] if 0 <= connector_id < len(self._all) else None

    def by_transaction_id(self, transaction_id: int) -> Connector | None:
        """The connector whose running transaction has this id of the central system."""
        for connector in self.physical:
            if connector.transaction is not None and connector.transaction.cs_id == transaction_id:
                return connector
        return None

    def by_transaction_key(self, key: int) -> Connector | None:
        """The connector whose running transaction has this local key."""
        for connector in self.physical:
            if connector.transaction is not None and connector.transaction.key == key:
                return connector
        return None

    def update(self, connector: Connector, **changes: object) -> None:
        """Change stored fields; on the disk with the next commit."""
        connector.row = replace(connector.row, **changes)  # type: ignore[arg-type]
        self._table.save_lazily(connector.row)

    def update_durably(self, connector: Connector, **changes: object) -> None:
        """Change stored fields; on the disk when this returns."""
        connector.row = replace(connector.row, **changes)  # type: ignore[arg-type]
        self._table.save(connector.row)

    def update_in(self, connection: sqlite3.Connection, row: ConnectorRow) -> None:
        """Store a row within a larger job; the caller assigns it to the connector once the job is done."""
        self._table.save_in(connection, row)

    def note_notified(self, connector: Connector, status: ChargePointStatus, error: ChargePointErrorCode) -> None:
        """The central system knows this status now."""
        self.update(connector, notified_status=status.value, notified_error=error.value)

    def forget_notified(self, connector: Connector) -> None:
        """The central system was told nothing yet, as far as it knows."""
        self.update(connector, notified_status=None, notified_error=None)

    def differs(self, connector: Connector) -> bool:
        """Is there something that the central system does not know?"""
        row = connector.row
        return row.status != row.notified_status or row.error_code != (row.notified_error or "NoError")
