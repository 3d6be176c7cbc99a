"""One role's database: reads, durable writes, lazy writes.

Reads see everything that this process has written before, lazy writes included: all of it goes through one
connection, in order (``writer.py``). A role that cannot open its file gets a StoreError and may run without
persistence: the path "" is a private database in memory.
Threads: any but the scheduler, which may only call ``write_lazy``.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from openocpp.runtime import Runtime

log = logging.getLogger("openocpp.store")

T = TypeVar("T")

CHARGE_POINT = "chargepoint"  # the sets of migrations
COMMON = "common"  # of the roles that store no more than counters and logs

# What needs sqlite3 is imported by who opens a database: its import takes longer than that of a whole layer.


class Database:
    """An open database: made by ``open``, used until ``close``.

    A job is a function of the connection that executes statements and returns a plain value, no cursor. It begins and
    ends no transaction, uses no database but by the connection it was given, and may be run a second time when the
    transaction that it shared was rolled back. What it raises comes out of ``write``, and nothing it did has happened.
    """

    def __init__(self, runtime: Runtime, path: str, migrations: str) -> None:
        from openocpp.store.writer import Writer

        runtime.check_may_block(f"open {path}")
        self.path = os.path.abspath(path) if path else ""
        self.quarantined: Path | None = None  # where a corrupt file went that was found in its place
        self._runtime = runtime
        self._migrations = migrations
        self._queue = runtime.shared(Writer, Writer).queue(self.path, self._connect)
        try:
            self._queue.adopt(self._open_file())
        except BaseException:
            self._queue.close()
            raise

    @classmethod
    def open(cls, runtime: Runtime, path: str, migrations: str) -> Database:
        """Open the file, made if there is none and brought to the current version, or a database in memory for "".

        ``migrations`` is CHARGE_POINT or COMMON. A corrupt file is renamed and a fresh one made: ``quarantined`` is its
        new name then. StoreError says why a file cannot be used; StateError when it is in use in this runtime.
        """
        return cls(runtime, path, migrations)

    def __repr__(self) -> str:
        return f"<Database {self._queue!r}>"

    @property
    def persistent(self) -> bool:
        """Does anything survive the process?"""
        return bool(self.path)

    @property
    def closed(self) -> bool:
        return self._queue.closed

    @property
    def commits(self) -> int:
        """Transactions committed since it was opened: one fsync each, unless nothing was changed."""
        return self._queue.commits

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a SELECT."""
        return self._queue.read(lambda connection: connection.execute(sql, parameters).fetchall())

    def read_one(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row of a SELECT, if there is one."""
        return self._queue.read(lambda connection: _first(connection.execute(sql, parameters)))

    def read_with(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run a job that only reads: several SELECTs that see the same state."""
        return self._queue.read(job)

    def write(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run a job: all of it is on the disk when this returns its result, or nothing of it when it raises."""
        return self._queue.write(job)

    def write_lazy(self, job: Callable[[sqlite3.Connection], object]) -> None:
        """Run a job soon: on the disk with the next durable write, or after a second. Any thread, never waits.

        Nobody learns of its failure but the log. A job that was not on the disk yet is lost with the power.
        """
        self._queue.put(job)

    def flush(self) -> None:
        """Wait until all that was written lazily is on the disk."""
        self._queue.flush()

    def close(self) -> None:
        """Bring everything to the disk and close the file. Idempotent; all other methods raise StateError after."""
        self._queue.close()

    def reset(self) -> None:
        """Forget everything: delete the file and make a fresh one. StateError when closed."""
        self._queue.alone(self._make_anew)

    def integrity_problems(self) -> list[str]:
        """What a thorough check finds wrong: seconds on a large file."""
        from openocpp.store.files import integrity_problems

        return self._queue.read(integrity_problems)

    # -- the file ------------------------------------------------------------------------------------------------------

    def _open_file(self) -> sqlite3.Connection:
        from openocpp.store import files

        try:
            return files.prepare(self.path, self._migrations)
        except files.CorruptFileError as error:
            self.quarantined = files.put_aside(self.path, self._runtime.clock.utcnow())
            log.error("%s; it was renamed to %s, and an empty database made", error, self.quarantined.name)
            return files.prepare(self.path, self._migrations)

    def _connect(self) -> sqlite3.Connection:
        """Open it again, after it was closed to save open files."""
        from openocpp.store import files

        return files.connect(self.path) if self.path else files.prepare("", self._migrations)

    def _make_anew(self) -> None:
        from openocpp.store import files

        if self.path:
            files.remove(self.path)
        self._queue.adopt(files.prepare(self.path, self._migrations))


def _first(cursor: sqlite3.Cursor) -> tuple[Any, ...] | None:
    row: tuple[Any, ...] | None = cursor.fetchone()
    cursor.close()  # an unfinished SELECT would keep its lock
    return row
