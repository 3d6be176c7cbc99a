"""Two shapes that several tables have: a durable queue, and a ring of the newest rows.

Threads: any but the scheduler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from openocpp.store.columns import Columns
    from openocpp.store.database import Database

R = TypeVar("R")


class QueueTable(Generic[R]):
    """Rows that leave in the order in which they came, one by one. It may be long: it is never read as a whole.

    The rows have an ``id`` as their first field; they are given one as they are appended.
    """

    def __init__(self, database: Database, columns: Columns[R]) -> None:
        self._database = database
        self._columns = columns
        self._head = f"{columns.select} ORDER BY id LIMIT 1"
        self._last_id = 0

    def append(self, row: R) -> int:
        """Add a row durably: its id."""
        return self._database.write(lambda connection: self.append_in(connection, row))

    def head(self) -> R | None:
        """The row that came first; None when the queue is empty."""
        return self._database.read_with(self.head_in)

    def remove(self, row_id: int) -> None:
        """Remove a row durably."""
        self._database.write(lambda connection: self.remove_in(connection, row_id))

    def remove_and_next(self, row_id: int) -> R | None:
        """Remove a row durably, and get the one that is first now."""

        def job(connection: sqlite3.Connection) -> R | None:
            self.remove_in(connection, row_id)
            return self.head_in(connection)

        return self._database.write(job)

    def count(self) -> int:
        return self._count()

    def _count(self, where: str = "TRUE") -> int:
        return int(self._database.read(f"SELECT count(*) FROM {self._columns.table} WHERE {where}")[0][0])

    def append_in(self, connection: sqlite3.Connection, row: R) -> int:
        """As ``append``, inside a job. Ids rise and are not used twice in one process: one that is just being sent is
        not mistaken for another."""
        newest = connection.execute(f"SELECT coalesce(max(id), 0) FROM {self._columns.table}").fetchone()[0]
        self._last_id = max(self._last_id, newest) + 1
        connection.execute(self._columns.insert, [self._last_id, *self._columns.values(row)[1:]])
        return self._last_id

    def head_in(self, connection: sqlite3.Connection) -> R | None:
        return self._columns.first(connection.execute(self._head).fetchall())

    def remove_in(self, connection: sqlite3.Connection, row_id: int) -> None:
        connection.execute(f"DELETE FROM {self._columns.table} WHERE id = ?", (row_id,))


class RingTable(Generic[R]):
    """The newest ``maximum`` rows; 0 keeps none. The rows have an ``id``, given as they are added."""

    def __init__(self, database: Database, columns: Columns[R], maximum: int) -> None:
        self.maximum = maximum
        self._database = database
        self._columns = columns

    def trim(self) -> None:
        """Apply durably a maximum that was lowered since the last run."""
        self._database.write(self._trim_in)

    def clear(self) -> None:
        """Delete all rows durably."""
        self._database.write(lambda connection: connection.execute(f"DELETE FROM {self._columns.table}").rowcount)

    def newest(self, count: int) -> list[R]:
        """At most so many of the newest rows, the oldest of them first."""
        found = self._database.read(f"{self._columns.select} ORDER BY id DESC LIMIT ?", (count,))
        return self._columns.rows(reversed(found))

    def add_in(self, connection: sqlite3.Connection, rows: Sequence[R]) -> None:
        if self.maximum > 0:
            values: list[Any] = [self._columns.values(row) for row in rows]
            connection.executemany(self._columns.insert, values)
            self._trim_in(connection)

    def _trim_in(self, connection: sqlite3.Connection) -> None:
        """Only the oldest are ever deleted, so the ids have no gaps and their difference counts the rows."""
        table = self._columns.table
        connection.execute(f"DELETE FROM {table} WHERE id <= (SELECT max(id) FROM {table}) - ?", (self.maximum,))
