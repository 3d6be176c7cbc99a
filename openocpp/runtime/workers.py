"""Threads for user callbacks and for whatever must block, and the queues that keep a connection's order.

A pool has a fixed size; while some of its threads wait inside a facade it may have up to ``spares`` more, so that
waiting threads never starve the others.
Threads: any.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING

from openocpp.runtime.primitives import ThreadEnd
from openocpp.runtime.waiter import membership
from openocpp.types.base import is_worth_a_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.runtime.primitives import Gate, ThreadHandle, Threads

log = logging.getLogger("openocpp.runtime")

SPARE_IDLE = 10.0  # seconds after which a spare thread with nothing to do ends
BATCH = 8  # functions of one strand in a row, before others get their turn


class Workers:
    """A bounded pool of threads that run functions in the order they were handed in."""

    def __init__(self, threads: Threads, size: int, name: str, *, spares: int = 8, idle: float | None = None) -> None:
        self._threads = threads
        self.size = size
        self.name = name
        self._spares = spares
        self._idle_limit = idle  # None: the first ``size`` threads stay until stop
        self._mutex = threads.mutex()
        self._tasks: deque[Callable[[], object]] = deque()
        self._idle: list[Gate] = []
        self._waking = False
        self._handles: list[ThreadHandle] = []
        self._count = 0
        self._blocked = 0
        self._made = 0
        self._stopped = False
        self._starved = 0

    def __repr__(self) -> str:
        return f"<workers {self.name}: {self._count} threads, {self._blocked} waiting, {len(self._tasks)} queued>"

    def submit(self, function: Callable[[], object]) -> None:
        """Run it on one of the threads. Dropped after ``stop``."""
        self._tasks.append(function)
        if not self._waking:
            self._wake_one()

    def _wake_one(self) -> None:
        with self._mutex:
            if self._stopped:
                self._tasks.clear()
                return
            if self._waking or not self._tasks:
                return
            if self._idle:
                self._waking = True
                self._idle.pop().open()
            elif self._count - self._blocked < self.size and self._count < self.size + self._spares:
                self._waking = True
                self._start_one()
            elif self._blocked >= self._count:
                self._note_starved()

    def _start_one(self) -> None:
        self._count += 1
        self._made += 1
        self._handles = [handle for handle in self._handles if handle.is_alive]
        self._handles.append(self._threads.spawn(self._work, f"{self.name}-{self._made}"))

    def _note_starved(self) -> None:
        self._starved += 1
        if is_worth_a_line(self._starved):
            log.warning(
                "%s: all %d threads wait inside calls, %d functions are queued until one returns",
                self.name, self._count, len(self._tasks),
            )  # fmt: skip

    def blocked(self) -> None:
        """The calling worker begins to wait: another one may be needed for what is queued."""
        with self._mutex:
            self._blocked += 1
        if self._tasks and not self._waking:
            self._wake_one()

    def unblocked(self) -> None:
        with self._mutex:
            self._blocked -= 1

    def _work(self) -> None:
        membership.pool = self
        gate = self._threads.gate()
        self._waking = False
        while True:
            while self._tasks:
                try:
                    function = self._tasks.popleft()
                except IndexError:  # another worker was quicker
                    break
                if self._tasks and not self._waking:
                    self._wake_one()
                try:
                    function()
                except ThreadEnd:
                    raise
                except BaseException:  # a bug in one procedure, and be it sys.exit(), must not cost the thread
                    log.exception("%s: %r failed", self.name, function)
                del function
            if not self._rest(gate):
                return

    def _rest(self, gate: Gate) -> bool:
        """Wait for work: False when this thread is to end."""
        with self._mutex:
            if self._tasks:
                return True
            if self._stopped:
                self._count -= 1
                return False
            self._idle.append(gate)
            spare = self._count > self.size
        woken = gate.wait(SPARE_IDLE if spare else self._idle_limit)
        with self._mutex:
            if woken:
                self._waking = False
                return True
            if gate not in self._idle:  # opened just after the time was over: there is work
                gate.wait(None)
                self._waking = False
                return True
            self._idle.remove(gate)
            if self._idle_limit is None and self._count <= self.size:
                return True  # enough other spares have ended meanwhile: this one stays
            self._count -= 1
            return False

    def close(self) -> None:
        """Drop what is queued, take nothing more, and let the threads end. Idempotent."""
        with self._mutex:
            self._stopped = True
            self._tasks.clear()
            idle, self._idle = self._idle, []
            for gate in idle:
                gate.open()

    def stop(self, deadline: float) -> bool:
        """Close, and wait for the threads: True when all had ended by ``deadline``, the calling one excepted."""
        self.close()
        with self._mutex:
            handles = [handle for handle in self._handles if not handle.is_current]
        clock = self._threads.clock
        ended = [handle.join(max(deadline - clock.now(), 0.0)) for handle in handles]
        return all(ended)


class Lane:
    """At most ``limit`` of its functions run on the workers at once: one role's share of a shared pool.

    As in a pool of that size, those that wait inside a facade do not count, up to ``spares`` of them: what they wait
    for may depend on one that is queued.
    """

    def __init__(self, threads: Threads, workers: Workers, limit: int, *, spares: int = 8) -> None:
        self._workers = workers
        self._limit = limit
        self._spares = spares
        self._mutex = threads.mutex()
        self._active = 0
        self._blocked = 0
        self._waiting: deque[Callable[[], object]] = deque()

    def __repr__(self) -> str:
        return f"<lane of {self._limit}: {self._active} run, {self._blocked} of them wait, {len(self._waiting)} queued>"

    def submit(self, function: Callable[[], object]) -> None:
        with self._mutex:
            self._waiting.append(function)
            following = self._take()
        self._start(following)

    def blocked(self) -> None:
        """The function that runs begins to wait: another one may run meanwhile."""
        with self._mutex:
            self._blocked += 1
            following = self._take()
        self._start(following)

    def unblocked(self) -> None:
        with self._mutex:
            self._blocked -= 1

    def _take(self) -> Callable[[], object] | None:
        """The next one, if it may run. Called inside the mutex."""
        busy = self._active - self._blocked
        if not self._waiting or busy >= self._limit or self._active >= self._limit + self._spares:
            return None
        self._active += 1
        return self._waiting.popleft()

    def _start(self, function: Callable[[], object] | None) -> None:
        if function is not None:
            self._workers.submit(lambda: self._run(function))

    def _run(self, function: Callable[[], object]) -> None:
        membership.lane = self
        try:
            function()
        finally:
            membership.lane = None
            with self._mutex:
                self._active -= 1
                following = self._take()
            self._start(following)


class Strand:
    """Functions that run in order, one at a time, on the workers: the queue of one connection."""

    __slots__ = ("_closed", "_mutex", "_queue", "_running", "_submit")

    def __init__(self, threads: Threads, submit: Callable[[Callable[[], object]], None]) -> None:
        self._submit = submit
        self._mutex = threads.mutex()
        self._queue: deque[Callable[[], object]] = deque()
        self._running = False
        self._closed = False

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, function: Callable[[], object]) -> bool:
        """Run it after all that was put before. False: the strand is closed, it will not run."""
        with self._mutex:
            if self._closed:
                return False
            self._queue.append(function)
            if self._running:
                return True
            self._running = True
        self._submit(self._run)
        return True

    def close(self, last: Callable[[], object] | None = None) -> None:
        """Drop what is queued and accept nothing more; ``last`` still runs, without waiting for a running one."""
        with self._mutex:
            if self._closed:
                return
            self._closed = True
            self._queue.clear()
        if last is not None:
            self._submit(last)

    def _run(self) -> None:
        for _ in range(BATCH):
            with self._mutex:
                if not self._queue:
                    self._running = False
                    return
                function = self._queue.popleft()
            try:
                function()
            except ThreadEnd:
                raise
            except BaseException:  # the next one in the queue is not to blame
                log.exception("%r failed", function)
            del function
        self._submit(self._run)
