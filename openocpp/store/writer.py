"""Who writes when: one queue per file, one pen per queue, one thread per runtime for what nobody waits for.

Every access to a file is a job in its queue, and the jobs run in the order in which they came. Who finds the pen on
the table carries out what is queued and then its own job. Who finds it taken queues its job and waits; what has
gathered meanwhile is carried out by the writer thread, as one group with one commit. So a single caller pays no change
of threads, and many callers share the fsync. Lazy jobs are queued and committed with the next durable one, or after a
second.

On a simulated runtime everything runs in the calling thread, each job in a transaction of its own.
Threads: any; ``FileQueue.put`` also the scheduler.
"""

from __future__ import annotations

import logging
from collections import OrderedDict, deque
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar, cast

from openocpp.errors import StateError, StoreError
from openocpp.store.commit import Committer, Job, Kind
from openocpp.types.base import is_worth_a_line

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from openocpp.runtime import Runtime, ThreadHandle, Waiter
    from openocpp.store.commit import Function

log = logging.getLogger("openocpp.store")

T = TypeVar("T")

OPEN_FILES = 64  # files that a runtime keeps open at once
LAZY_DELAY = 1.0  # seconds that a lazy write may wait for company
LAZY_MANY = 500  # queued jobs above which lazy ones do not wait so long
LAZY_MOST = 10_000  # queued jobs above which new lazy ones are dropped: the disk does not keep up
CLOSE_LIMIT = 2.0  # seconds that ``close`` and ``stop`` wait for others

# The file whose jobs the current thread carries out (each thread has a context of its own).
_busy_with: ContextVar[str] = ContextVar("busy_with", default="")


def _nothing(_: sqlite3.Connection) -> None:
    """The job of who only wants the commit, or the file closed."""


class FileQueue:
    """The jobs of one file. Whoever holds the pen is the only one to touch the connection."""

    def __init__(self, writer: Writer, path: str, connect: Callable[[], sqlite3.Connection]) -> None:
        self.path = path  # "": in memory, and never closed to save open files, since its content would be gone
        self.name = path or "database in memory"
        self._writer = writer
        self._runtime = writer.runtime
        self._guard = writer.guard
        self._connect = connect
        self._committer = Committer(self._reconnect, self.name)
        self._jobs: deque[Job] = deque()
        self._waiting = 0  # those of the queued jobs that must not wait for the timer
        self._pen_taken = False  # by somebody, or on its way to the writer thread
        self._ended: Waiter[None] | None = None  # there is one as soon as it is being closed
        self._dropped = 0

    def __repr__(self) -> str:
        state = "closed" if self.closed else f"{len(self._jobs)} queued, {self.commits} commits"
        return f"<queue of {self.name}: {state}>"

    @property
    def closed(self) -> bool:
        return self._ended is not None

    @property
    def commits(self) -> int:
        """Transactions committed so far: one fsync each, unless nothing was changed."""
        return self._committer.commits

    def read(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function that changes nothing: it sees all that was written before."""
        return cast("T", self._call(Kind.READ, function))

    def write(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function whose changes are on the disk when this returns."""
        return cast("T", self._call(Kind.DURABLE, function))

    def flush(self) -> None:
        """Bring all that was written before to the disk."""
        self._call(Kind.DURABLE, _nothing)

    def alone(self, function: Callable[[], T]) -> T:
        """Run a function while the file is closed, all before it committed."""
        return cast("T", self._call(Kind.ALONE, lambda _: function()))

    def _call(self, kind: Kind, function: Function) -> Any:
        self._check_may_wait()
        job = Job(kind, function)
        with self._guard:
            self._check_open()
            jobs = self._enter(job)
        return self._finish(job, jobs)

    def put(self, function: Function) -> None:
        """Queue a lazy job and return at once. Should it fail, the log says so."""
        if self._runtime.simulated:
            self._put_inline(function)
            return
        with self._guard:
            self._check_open()
            dropped = len(self._jobs) >= LAZY_MOST
            if not dropped:
                self._jobs.append(Job(Kind.LAZY, function))
            many = len(self._jobs) >= LAZY_MANY and not self._pen_taken
            if many:
                self.flush_soon()
            must_arm = not many and self._writer.note_lazy(self)
        if many:
            self._writer.wake()
        if must_arm:
            self._writer.arm_timer()
        if dropped:
            self._note_dropped()

    def close(self, limit: float = CLOSE_LIMIT) -> None:
        """Commit what is queued and close the file; further jobs are refused with StateError. Idempotent.

        A disk that hangs is waited for at most ``limit`` seconds.
        """
        self._check_may_wait()
        jobs = None
        with self._guard:
            if self._ended is None:
                self._ended = self._runtime.waiter()
                jobs = self._enter(Job(Kind.ALONE, self._end))
        if jobs is not None:
            self._run(jobs)
        if not self._ended.wait(limit):
            log.warning("%s: not closed within %.1f s: does the disk hang?", self.name, limit)

    def _end(self, _: sqlite3.Connection) -> None:
        self._writer.forget(self)
        if self._ended is not None:  # always: ``close`` has made it
            self._ended.set(None)

    def adopt(self, connection: sqlite3.Connection) -> None:
        """Use a connection that was just opened. Only before the first job, or inside ``alone``."""
        self._writer.make_room()
        self._committer.adopt(connection)
        with self._guard:
            self._writer.note_use(self, is_open=True)

    # -- the pen -------------------------------------------------------------------------------------------------------

    def _check_open(self) -> None:
        if self.closed:
            raise StateError(f"{self.name}: the database is closed")

    def _check_may_wait(self) -> None:
        self._runtime.check_may_block(f"use {self.name}")
        if other := _busy_with.get():
            raise StateError(f"{self.name}: used inside a job of {other}, which could wait for ever")

    def _enter(self, job: Job) -> list[Job] | None:
        """Inside the guard. The jobs to carry out, if the caller gets the pen; None when ``job`` waits in the queue."""
        self._jobs.append(job)
        if not self._pen_taken:
            self._pen_taken = True
            return self._take()
        job.waiter = self._runtime.waiter()
        self._waiting += 1
        return None

    def _take(self) -> list[Job]:
        """Inside the guard, with the pen: all that is queued."""
        jobs = list(self._jobs)
        self._jobs.clear()
        self._waiting = 0
        return jobs

    def _finish(self, job: Job, jobs: list[Job] | None) -> Any:
        if jobs is not None:
            self._run(jobs)
        elif job.waiter is not None:
            job.waiter.wait()
        if job.error is not None:
            raise job.error
        return job.result

    def _run(self, jobs: list[Job]) -> None:
        """With the pen: carry the jobs out, let those who wait for them go, put the pen down."""
        before = _busy_with.set(self.name)
        try:
            self._committer.run(jobs)
        except BaseException:
            self._committer.abandon(jobs)
            raise
        finally:
            _busy_with.reset(before)
            for job in jobs:
                if job.waiter is not None:
                    job.waiter.set(None)
            self._put_down()

    def _put_down(self) -> None:
        """Hand the pen to the writer thread when somebody waits, else lay it on the table."""
        with self._guard:
            self._writer.note_use(self, is_open=self._committer.is_open)
            handed_over = self._waiting > 0
            if handed_over:
                self._writer.enqueue(self)
            else:
                self._pen_taken = False
        if handed_over:
            self._writer.wake()

    def run_waiting(self) -> None:
        """The writer thread has got the pen."""
        with self._guard:
            jobs = self._take()
        try:
            self._run(jobs)
        except BaseException:  # a job tried to end its thread: its caller knows, and other files need this one
            log.exception("%s: a job was interrupted", self.name)

    def flush_soon(self) -> None:
        """Inside the guard: have the writer thread commit everything. Call the writer's ``wake`` after."""
        if self.closed:  # which commits everything, too
            return
        self._jobs.append(Job(Kind.DURABLE, _nothing))
        self._waiting += 1
        if not self._pen_taken:
            self._pen_taken = True
            self._writer.enqueue(self)

    # -- open files ----------------------------------------------------------------------------------------------------

    def _reconnect(self) -> sqlite3.Connection:
        self._writer.make_room()
        return self._connect()

    def try_disconnect(self) -> bool:
        """Close the file until the next job, unless somebody uses it right now."""
        with self._guard:
            if self._pen_taken:
                return False
            jobs = self._enter(Job(Kind.ALONE, _nothing))
        if jobs is not None:  # always: the pen was on the table
            self._run(jobs)
        return True

    # -- rarely --------------------------------------------------------------------------------------------------------

    def _put_inline(self, function: Function) -> None:
        job = Job(Kind.DURABLE, function)
        with self._guard:
            self._check_open()
            if self._pen_taken:  # inside another job: it comes with the next one
                self._jobs.append(Job(Kind.LAZY, function))
                return
            jobs = self._enter(job)
        try:
            self._finish(job, jobs)
        except StoreError as error:
            log.warning("a lazy write failed: %s", error)

    def _note_dropped(self) -> None:
        self._dropped += 1
        if is_worth_a_line(self._dropped):
            log.warning("%s: the disk does not keep up, %d lazy writes were dropped", self.name, self._dropped)


class Writer:
    """The queues of all files of one runtime, and the thread behind them, started at first use."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.guard = runtime.threads.mutex()  # of all queues; held for a few instructions only
        self._gate = runtime.threads.gate()
        self._queues: set[FileQueue] = set()
        self._paths: set[str] = set()
        self._open: OrderedDict[FileQueue, None] = OrderedDict()  # the one unused for the longest time comes first
        self._ready: deque[FileQueue] = deque()  # their pens are on the way to the thread
        self._lazy: set[FileQueue] = set()  # to be flushed when the timer is due
        self._timer_set = False
        self._thread: ThreadHandle | None = None
        self._stopping = False

    def __repr__(self) -> str:
        return f"<store writer of {self.runtime.name}: {len(self._queues)} files, {self.open_files} open>"

    @property
    def open_files(self) -> int:
        """Files that are open now, those in memory not counted."""
        return len(self._open)

    def queue(self, path: str, connect: Callable[[], sqlite3.Connection]) -> FileQueue:
        """A queue for this file, or for a private database in memory when ``path`` is "".

        ``connect`` opens it again after it was closed to save open files. StateError when the file has a queue already.
        """
        with self.guard:
            if self._stopping:
                raise StateError(f"runtime {self.runtime.name} is stopped")
            if path in self._paths:
                raise StateError(f"{path}: the database is open already: each role needs a file of its own")
            queue = FileQueue(self, path, connect)
            self._queues.add(queue)
            if path:
                self._paths.add(path)
        return queue

    def stop(self) -> None:
        """Commit all that is queued, close all files, end the thread. Called by the runtime."""
        with self.guard:
            self._stopping = True
            queues = list(self._queues)
        deadline = self.runtime.clock.now() + CLOSE_LIMIT
        for queue in queues:
            queue.close(max(deadline - self.runtime.clock.now(), 0.0))
        self._gate.open()
        if self._thread is not None:
            self._thread.join(max(deadline - self.runtime.clock.now(), 0.0))

    def forget(self, queue: FileQueue) -> None:
        """The queue is closed."""
        with self.guard:
            self._queues.discard(queue)
            self._paths.discard(queue.path)
            self._lazy.discard(queue)

    # -- the thread ----------------------------------------------------------------------------------------------------

    def enqueue(self, queue: FileQueue) -> None:
        """Inside the guard: the pen of this queue goes to the thread. Call ``wake`` after."""
        self._ready.append(queue)

    def wake(self) -> None:
        """Let the thread see what is ready."""
        if self._thread is None:
            with self.guard:
                if self._thread is None:
                    self._thread = self.runtime.spawn(self._work, "store")
        self._gate.open()

    def _work(self) -> None:
        while True:
            with self.guard:
                queue = self._ready.popleft() if self._ready else None
                if queue is None and self._stopping and not self._queues:
                    return
            if queue is None:
                self._gate.wait()
            else:
                queue.run_waiting()

    # -- lazy writes ---------------------------------------------------------------------------------------------------

    def note_lazy(self, queue: FileQueue) -> bool:
        """Inside the guard: this queue has lazy writes. True when ``arm_timer`` is to be called after."""
        self._lazy.add(queue)
        must_arm, self._timer_set = not self._timer_set, True
        return must_arm

    def arm_timer(self) -> None:
        try:
            self.runtime.scheduler.call_later(LAZY_DELAY, self._flush_due)
        except StateError:  # the runtime stops: its queues are flushed as they are closed
            return

    def _flush_due(self) -> None:
        with self.guard:
            self._timer_set = False
            for queue in self._lazy:
                queue.flush_soon()
            self._lazy.clear()
        self.wake()

    # -- open files ----------------------------------------------------------------------------------------------------

    def note_use(self, queue: FileQueue, *, is_open: bool) -> None:
        """Inside the guard: the queue was just used."""
        if not queue.path:
            return
        if is_open:
            self._open[queue] = None
            self._open.move_to_end(queue)
        else:
            self._open.pop(queue, None)

    def make_room(self) -> None:
        """Close files until one more may be opened, the ones unused for the longest time first.

        When all are in use right now, there is one too many for a moment.
        """
        with self.guard:
            excess = len(self._open) - OPEN_FILES + 1
            candidates = list(self._open) if excess > 0 else []
        for queue in candidates:
            if excess > 0 and queue.try_disconnect():
                excess -= 1
