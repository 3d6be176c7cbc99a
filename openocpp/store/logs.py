"""The table Logs, and a ``logging`` handler that fills it.

Threads: any; of ``Logs`` the scheduler only ``add``.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from openocpp.errors import StateError
from openocpp.store.columns import Columns
from openocpp.store.shapes import RingTable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from openocpp.store.database import Database

DEBUG, COMMUNICATION, INFO, WARNING, ERROR = range(5)  # the levels in the table
OWN_LOGGER = "openocpp.store"
BATCH = 200  # lines that share one job


@dataclass(frozen=True)
class LogRow:
    """A line of the log. ``level`` is 0 debug, 1 communication, 2 info, 3 warning, 4 error."""

    timestamp: datetime
    level: int
    file: str
    message: str
    id: int = 0  # given by the table


COLUMNS = Columns(LogRow, "Logs")


class Logs(RingTable[LogRow]):
    """The newest ``maximum`` lines; 0 keeps none."""

    def __init__(self, database: Database, maximum: int) -> None:
        super().__init__(database, COLUMNS, maximum)

    def rows(self) -> list[LogRow]:
        """All lines, the oldest first."""
        return self.newest(self.maximum)

    def add(self, rows: Sequence[LogRow]) -> None:
        """Add lines lazily. Any thread; it never waits."""
        self.add_later(lambda: rows)

    def add_later(self, take: Callable[[], Sequence[LogRow]]) -> None:
        """Add lines lazily; which ones, ``take`` says when they are written. Any thread; it never waits."""
        if self.maximum > 0:
            self._database.write_lazy(lambda connection: self.add_in(connection, take()))


class DatabaseLogHandler(logging.Handler):
    """Writes records lazily to the table: they never make the program wait, the last second may be lost with the power.

    Lines that come in quick succession share one job. What the store itself logs is left out: it would go round in
    circles.
    """

    def __init__(self, logs: Logs, level: int = logging.NOTSET) -> None:
        super().__init__(level)
        self._logs = logs
        self._batch: list[LogRow] | None = None  # queued already, and still open for more lines

    def emit(self, record: logging.LogRecord) -> None:
        """Called by ``logging``, under the handler's own lock."""
        if record.name == OWN_LOGGER:
            return
        try:
            self._add(self._row_of(record))
        except StateError:  # the database is closed: the other handlers still have it
            return
        except Exception:  # a record that cannot be formatted: `logging` has a way to tell of it
            self.handleError(record)

    def _row_of(self, record: logging.LogRecord) -> LogRow:
        text = self.format(record)
        if not text.isascii():
            text = text.encode("utf-8", "backslashreplace").decode("utf-8")  # lone surrogates are no text for SQLite
        timestamp = datetime.fromtimestamp(record.created, UTC)
        return LogRow(timestamp, level_of(record.levelno), f"{record.filename}:{record.lineno}", text)

    def _add(self, row: LogRow) -> None:
        if self._batch is not None and len(self._batch) < BATCH:
            self._batch.append(row)
            return
        batch = self._batch = [row]
        try:
            self._logs.add_later(partial(self._take, batch))
        except StateError:
            self._batch = None
            raise

    def _take(self, batch: list[LogRow]) -> list[LogRow]:
        """The lines of a batch, which is complete from now on."""
        self.acquire()
        try:
            if self._batch is batch:
                self._batch = None
        finally:
            self.release()
        return batch


def level_of(levelno: int) -> int:
    """The level in the table for a level of ``logging``: what lies between DEBUG and INFO is communication."""
    if levelno >= logging.ERROR:
        return ERROR
    if levelno >= logging.WARNING:
        return WARNING
    if levelno >= logging.INFO:
        return INFO
    return COMMUNICATION if levelno > logging.DEBUG else DEBUG
