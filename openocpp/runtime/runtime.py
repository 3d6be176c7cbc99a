"""Runtime: scheduler + workers + connectors, shared by any number of roles.

It takes the place of the timer pool and the worker pool of the C++ library. Each role makes its own, or is given one,
so that a thousand charge points share one set of threads.
Threads: any.
"""

from __future__ import annotations

import logging
import random
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, Self, TypeVar, cast

from openocpp.errors import StateError
from openocpp.runtime.monitor import Monitor
from openocpp.runtime.primitives import SystemThreads, ThreadEnd
from openocpp.runtime.waiter import Waiter
from openocpp.runtime.workers import Lane, Strand, Workers

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.runtime.clock import Clock
    from openocpp.runtime.primitives import ThreadHandle, Threads
    from openocpp.runtime.scheduler import Scheduler

log = logging.getLogger("openocpp.runtime")

T = TypeVar("T")
P = ParamSpec("P")

STOP_LIMIT = 3.0  # seconds that ``stop`` may take
CONNECTOR_IDLE = 2.0  # seconds after which a connector thread with nothing to do ends


class TimerHandle(Protocol):
    """What ``call_later`` and ``call_every`` give back."""

    def cancel(self) -> None:
        """No further call begins. Any thread, idempotent."""


class Stoppable(Protocol):
    """An object that lives as long as its runtime."""

    def stop(self) -> None: ...


class RuntimeFuture(Future[T]):
    """A future whose ``result`` waits the runtime's way: never on the scheduler, and counted on a worker."""

    def __init__(self, waiter: Waiter[None], check: Callable[[str], None]) -> None:
        super().__init__()
        self._waiter = waiter
        self._check = check
        self.add_done_callback(lambda _: waiter.set(None))

    def _await(self, timeout: float | None) -> None:
        if not self.done():
            self._check("wait for a future")
            if not self._waiter.wait(timeout):
                raise FutureTimeout

    def result(self, timeout: float | None = None) -> T:
        self._await(timeout)
        return super().result(0)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        self._await(timeout)
        return super().exception(0)


class Runtime:
    """Threads shared by any number of roles; they start at first use.

    ``workers`` run user callbacks and timers, ``connectors`` is the most connections made at once. ``with Runtime() as
    runtime:`` stops it at the end.
    """

    def __init__(
        self, workers: int = 2, connectors: int = 4, name: str = "openocpp", *, threads: Threads | None = None
    ) -> None:
        if workers < 1 or connectors < 1:
            raise ValueError("a runtime needs at least one worker and one connector")
        self.name = name
        self.threads: Threads = threads or SystemThreads()
        self.random = random.Random()
        self._mutex = self.threads.mutex()
        self._scheduler: Scheduler = self.threads.scheduler(name)
        self._scheduler_thread: ThreadHandle | None = None
        self.workers = Workers(self.threads, workers, f"{name}-worker")
        self._connectors = Workers(self.threads, connectors, f"{name}-connector", spares=0, idle=CONNECTOR_IDLE)
        self._shared: dict[Any, Any] = {}
        self._stopped = False

    def __repr__(self) -> str:
        return f"<Runtime {self.name}{' stopped' if self._stopped else ''}: {self.workers!r}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def clock(self) -> Clock:
        return self.threads.clock

    @property
    def simulated(self) -> bool:
        """Do the threads take turns in simulated time?"""
        return self.threads.simulated

    @property
    def stopped(self) -> bool:
        return self._stopped

    # -- for applications ----------------------------------------------------------------------------------------------

    def submit(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run ``function(*args)`` on a worker. After ``stop`` the future is cancelled."""
        future: RuntimeFuture[T] = RuntimeFuture(self.waiter(), self.check_may_block)
        if self._stopped:
            future.cancel()
            return future

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(function(*args, **kwargs))
            except ThreadEnd:
                raise
            except BaseException as error:  # belongs to whoever asks for the result
                future.set_exception(error)

        self.workers.submit(run)
        return future

    def call_later(self, seconds: float, function: Callable[[], object]) -> TimerHandle:
        """Call ``function`` on a worker after that many monotonic seconds."""
        return self.scheduler.call_later(seconds, lambda: self.workers.submit(function))

    def call_every(self, seconds: float, function: Callable[[], object]) -> TimerHandle:
        """Call ``function`` on a worker every ``seconds`` (> 0), without drift; missed calls are not made up for."""
        if seconds <= 0:
            raise ValueError("the period must be positive")
        return _Periodic(self, seconds, function)

    def stop(self, limit: float = STOP_LIMIT) -> None:
        """End all threads within ``limit`` seconds. Idempotent; legal on a worker, which then is not waited for.

        A role never stops a runtime that was given to it.
        """
        self.check_may_block("stop the runtime")
        with self._mutex:
            if self._stopped:
                return
            self._stopped = True
            shared = list(self._shared.values())
        deadline = self.clock.now() + limit
        for thing in reversed(shared):
            thing.stop()
        pools = (self.workers, self._connectors)
        for pool in pools:
            pool.close()  # all of them first: one that keeps us waiting leaves no time to tell the others
        in_time = all([pool.stop(deadline) for pool in pools])
        if self._scheduler_thread is not None:
            self._scheduler.stop()
            in_time = self._scheduler_thread.join(max(deadline - self.clock.now(), 0.1)) and in_time
        if not in_time:
            log.warning("%s: stopped, but after %.0f s a thread still runs (in a handler?)", self.name, limit)

    # -- for the layers above ------------------------------------------------------------------------------------------

    @property
    def scheduler(self) -> Scheduler:
        """The scheduler, its thread started."""
        if self._scheduler_thread is None:
            with self._mutex:
                if self._stopped:
                    raise StateError(f"runtime {self.name} is stopped")
                if self._scheduler_thread is None:
                    self._scheduler_thread = self.threads.spawn(self._scheduler.run, f"{self.name}-scheduler")
        return self._scheduler

    def connector(self, job: Callable[[], object]) -> None:
        """Run a job that may block on DNS, TCP, a proxy or TLS, on a connector thread."""
        self._connectors.submit(job)

    def spawn(self, function: Callable[[], object], name: str) -> ThreadHandle:
        """Start a thread of its own."""
        return self.threads.spawn(function, f"{self.name}-{name}")

    def waiter(self) -> Waiter[Any]:
        return Waiter(self.threads.gate(), self.check_may_block)

    def monitor(self, name: str) -> Monitor:
        return Monitor(self, name)

    def lane(self, limit: int) -> Lane:
        """A share of the workers: at most ``limit`` of its functions run at once."""
        return Lane(self.threads, self.workers, limit)

    def strand(self, lane: Lane | None = None) -> Strand:
        """A queue whose functions run in order, one at a time, on the workers (within ``lane``)."""
        return Strand(self.threads, (lane or self.workers).submit)

    def shared(self, kind: type[T], make: Callable[[Runtime], T]) -> T:
        """The one object of this kind that belongs to this runtime; it is stopped with it, in reverse order."""
        with self._mutex:
            found = self._shared.get(kind)
            if found is None:
                if self._stopped:
                    raise StateError(f"runtime {self.name} is stopped")
                found = self._shared[kind] = make(self)
        return cast("T", found)

    def check_may_block(self, what: str) -> None:
        """Raise StateError on the scheduler, which must never wait."""
        if self._scheduler.is_current:
            raise StateError(f"{self.name}: cannot {what} on the scheduler thread")


class _Periodic:
    """A timer that arms itself anew: next deadline = previous one + period, those already missed left out."""

    __slots__ = ("_cancelled", "_deadline", "_function", "_period", "_runtime", "_timer")

    def __init__(self, runtime: Runtime, period: float, function: Callable[[], object]) -> None:
        self._runtime = runtime
        self._period = period
        self._function = function
        self._cancelled = False
        self._deadline = runtime.clock.now() + period
        self._timer = runtime.scheduler.call_at(self._deadline, self._due)

    def cancel(self) -> None:
        self._cancelled = True
        self._timer.cancel()

    def _due(self) -> None:
        missed = (self._runtime.clock.now() - self._deadline) // self._period
        self._deadline += self._period * (1 + max(missed, 0.0))
        if not self._cancelled:
            self._timer = self._runtime.scheduler.call_at(self._deadline, self._due)
            self._runtime.workers.submit(self._call)

    def _call(self) -> None:
        if not self._cancelled:
            self._function()


__all__ = ["CancelledError", "Runtime", "RuntimeFuture", "Stoppable", "TimerHandle"]
