"""The security log, and the queue of critical security events that the central system must hear of (SEC A04, N01).

The queue is apart from the outbox: neither holds up the other.
Threads: any but the scheduler.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openocpp.store.columns import Columns, to_text
from openocpp.store.shapes import QueueTable, RingTable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from openocpp.store.database import Database

PAGE = 200  # rows read at once


@dataclass(frozen=True)
class SecurityLogRow:
    """A line of the security log."""

    timestamp: datetime
    type: str
    message: str = ""
    critical: bool = False
    id: int = 0  # given by the table


@dataclass(frozen=True, kw_only=True)
class SecurityEventRow:
    """An event to be notified."""

    id: int = 0  # given by the queue
    timestamp: datetime
    type: str
    tech_info: str = ""


LOG = Columns(SecurityLogRow, "SecurityLogs")
QUEUE = Columns(SecurityEventRow, "SecurityEventQueue")


class SecurityLog(RingTable[SecurityLogRow]):
    """The newest ``maximum`` lines; 0 keeps none."""

    def __init__(self, database: Database, maximum: int) -> None:
        super().__init__(database, LOG, maximum)

    def add(self, row: SecurityLogRow) -> None:
        """Add a line durably."""
        self._database.write(lambda connection: self.add_in(connection, [row]))

    def rows(self, start: datetime | None = None, end: datetime | None = None) -> Iterator[SecurityLogRow]:
        """The lines from ``start`` to ``end``, both included, the oldest first. They are read page by page."""
        last = 0
        while page := self._page(last, to_text(start) or "", to_text(end) or "9999-12-31T23:59:59.999999Z"):
            yield from page
            last = page[-1].id

    def _page(self, after: int, start: str, end: str) -> list[SecurityLogRow]:
        sql = f"{LOG.select} WHERE id > ? AND timestamp BETWEEN ? AND ? ORDER BY id LIMIT ?"
        return LOG.rows(self._database.read(sql, (after, start, end, PAGE)))


class SecurityEventQueue(QueueTable[SecurityEventRow]):
    """Events leave in order, and only when they were answered."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, QUEUE)
