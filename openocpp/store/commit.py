"""How jobs become transactions: all that run together share one commit, and each fails alone.

Lazy jobs are carried out at once but committed with the next durable one; reads see them meanwhile, since they use the
same connection. No thread and no queue here: see ``writer.py``.
Threads: whoever holds the file's pen.
"""

from __future__ import annotations

import logging
import sqlite3
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from openocpp.errors import StoreError
from openocpp.store.files import store_error
from openocpp.types.base import is_worth_a_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from openocpp.runtime import Waiter

    Function = Callable[[sqlite3.Connection], Any]

log = logging.getLogger("openocpp.store")


class Kind(Enum):
    """What a job needs."""

    READ = auto()  # changes nothing
    LAZY = auto()  # may be committed later, with others
    DURABLE = auto()  # is committed when the group has run
    ALONE = auto()  # runs when all before is committed and the file is closed; its argument is of no use


class Job:
    """A function to be called with the connection, and what came of it.

    It may be called again when its transaction was rolled back because of another one: it does nothing but SQL.
    """

    __slots__ = ("error", "function", "kind", "result", "waiter")

    def __init__(self, kind: Kind, function: Function) -> None:
        self.kind = kind
        self.function = function
        self.result: Any = None
        self.error: Exception | None = None
        self.waiter: Waiter[None] | None = None


class Committer:
    """The connection to one file, opened when needed, and the transaction that is open on it."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], where: str) -> None:
        self._connect = connect
        self._where = where
        self._connection: sqlite3.Connection | None = None
        self._uncommitted: list[Job] = []  # the writes of the open transaction, in order
        self._failures = 0
        self.commits = 0  # transactions committed so far; each costs one fsync

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    def adopt(self, connection: sqlite3.Connection) -> None:
        """Use this connection, which was opened elsewhere."""
        self._connection = connection

    def run(self, jobs: list[Job]) -> None:
        """Run the jobs in order. Afterwards each has its result or its error, and the durable ones are on the disk."""
        start = 0
        for index, job in enumerate(jobs):
            if job.kind is Kind.ALONE:
                self._run_group(jobs[start:index])
                self.disconnect()
                self._call(job, None)
                start = index + 1
        self._run_group(jobs[start:] if start else jobs)

    def disconnect(self) -> None:
        """Commit what is open and close the file. It is opened again when a job needs it."""
        connection = self._connection
        if connection is None:
            return
        if connection.in_transaction:
            self._commit(connection, [])
        self._connection = None
        try:
            connection.close()
        except sqlite3.Error as error:  # all that is committed stays in the WAL file beside it
            log.warning("%s", store_error(self._where, "close the database", error))

    def abandon(self, jobs: Iterable[Job]) -> None:
        """The thread was interrupted inside ``run``: what is not committed has not happened."""
        if self._connection is not None and self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._uncommitted = []
        for job in jobs:
            job.error = StoreError(f"{self._where}: interrupted; it is not certain that it was written")

    def _run_group(self, jobs: list[Job]) -> None:
        if not jobs:
            return
        try:
            connection = self._connection = self._connection or self._connect()
            lost_at = self._carry_out(connection, jobs)
        except (StoreError, sqlite3.Error) as error:  # not opened, or no transaction begun
            for job in jobs:
                job.error = self._error_of(job, error)
            self._note_failures(jobs)
            return
        if lost_at is not None:
            self._note_failures(jobs[:lost_at])
            self._redo(connection, [*self._uncommitted, *jobs[lost_at:]], jobs)
            return
        self._note_failures(jobs)
        if any(job.kind is Kind.DURABLE for job in jobs):
            self._commit(connection, jobs)

    def _carry_out(self, connection: sqlite3.Connection, jobs: list[Job]) -> int | None:
        """Run the jobs inside a transaction. The result: at which of them SQLite rolled all of it back, if so."""
        for index, job in enumerate(jobs):
            if job.kind is Kind.READ:
                self._call(job, connection)
                continue
            if not connection.in_transaction:
                connection.execute("BEGIN IMMEDIATE")
            connection.execute("SAVEPOINT job")
            self._call(job, connection)
            if not connection.in_transaction:
                return index
            if job.error is None:
                self._uncommitted.append(job)
            else:
                connection.execute("ROLLBACK TO job")
            connection.execute("RELEASE job")
        return None

    def _commit(self, connection: sqlite3.Connection, jobs: list[Job]) -> None:
        try:
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            log.debug("%s: the commit failed (%s)", self._where, error)
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._redo(connection, self._uncommitted, jobs)
        else:
            self.commits += 1
            self._uncommitted = []

    def _redo(self, connection: sqlite3.Connection, writes: list[Job], jobs: list[Job]) -> None:
        """The common transaction was rolled back, because of one write or for lack of room: now each has its own.

        Then the reads among ``jobs`` are repeated: they must not tell of what was never committed.
        """
        self._uncommitted = []
        for job in writes:
            if job.kind is not Kind.READ:
                self._run_by_itself(connection, job)
        for job in jobs:
            if job.kind is Kind.READ:
                self._call(job, connection)
        self._note_failures(writes)

    def _run_by_itself(self, connection: sqlite3.Connection, job: Job) -> None:
        try:
            connection.execute("BEGIN IMMEDIATE")
            self._call(job, connection)
            if job.error is None:
                connection.execute("COMMIT")
                self.commits += 1
        except sqlite3.Error as error:
            job.error = self._error_of(job, error)
        if connection.in_transaction:
            connection.execute("ROLLBACK")

    def _call(self, job: Job, connection: sqlite3.Connection | None) -> None:
        job.error = None
        try:
            job.result = job.function(connection)  # type: ignore[arg-type]  # None only where it is not used
        except Exception as error:  # belongs to whoever wants the result
            job.error = self._error_of(job, error)

    def _error_of(self, job: Job, error: Exception) -> Exception:
        """The error in the words of this package, one for each job: they are raised in different threads."""
        if isinstance(error, sqlite3.Error):
            told: Exception = store_error(self._where, "read" if job.kind is Kind.READ else "write", error)
        elif isinstance(error, StoreError):
            told = StoreError(str(error))
        else:
            return error
        told.__cause__ = error
        return told

    def _note_failures(self, jobs: list[Job]) -> None:
        """Nobody waits for a lazy job: its error goes to the log, the 1st, 2nd, 4th, 8th ... time."""
        for job in jobs:
            if job.kind is Kind.LAZY and job.error is not None:
                self._failures += 1
                if is_worth_a_line(self._failures):
                    log.warning("a lazy write failed (%d so far): %s", self._failures, job.error)
