"""The few things that can block, and the threads that do: all else in the runtime is built from these.

There are two makers of them: :class:`SystemThreads` here, and the simulated one of :mod:`openocpp.testing`, whose
threads take turns. Nothing outside this package creates a lock, a thread or a queue of its own.
Threads: any.
"""

from __future__ import annotations

import threading
from _thread import allocate_lock
from typing import TYPE_CHECKING, Any, Protocol

from openocpp.runtime.clock import SystemClock
from openocpp.runtime.scheduler import SelectorScheduler

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.runtime.clock import Clock
    from openocpp.runtime.scheduler import Scheduler

STACK_SIZE = 512 * 1024  # bytes; the default of 8 MB is reserved per thread for nothing


_starting = allocate_lock()  # the stack size is the whole process's: two threads that start must not mix theirs up


class ThreadEnd(BaseException):
    """Unwinds a thread whose runtime is over. Who catches everything, lest a callback ends a thread, lets it pass."""


class Gate(Protocol):
    """A binary semaphore, closed at first: one thread waits, any thread opens."""

    def open(self) -> None:
        """Let one wait pass. Opening an open gate changes nothing."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is open and close it again: True; False after ``timeout`` seconds."""


class Mutex(Protocol):
    """Plain mutual exclusion."""

    def acquire(self) -> bool: ...

    def release(self) -> None: ...

    def __enter__(self) -> bool: ...

    def __exit__(self, kind: Any, error: Any, trace: Any, /) -> None: ...


class ThreadHandle(Protocol):
    """A started thread."""

    @property
    def is_alive(self) -> bool: ...

    @property
    def is_current(self) -> bool:
        """Is the caller running on it?"""

    def join(self, timeout: float | None = None) -> bool:
        """Wait for its end: True when it has ended."""


class Threads(Protocol):
    """Makes everything that can block."""

    @property
    def clock(self) -> Clock: ...

    @property
    def simulated(self) -> bool: ...

    def gate(self) -> Gate: ...

    def mutex(self) -> Mutex: ...

    def spawn(self, function: Callable[[], object], name: str) -> ThreadHandle: ...

    def scheduler(self, name: str) -> Scheduler: ...


class SystemGate:
    """A gate made of one lock: locked means closed."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._lock.acquire()

    def open(self) -> None:
        try:
            self._lock.release()
        except RuntimeError:  # already open: two threads opened it, one wait may pass
            return

    def wait(self, timeout: float | None = None) -> bool:
        return self._lock.acquire(True, -1 if timeout is None else min(max(timeout, 0.0), threading.TIMEOUT_MAX))


class SystemThread:
    """A thread of the operating system; it never keeps the process alive."""

    __slots__ = ("_thread",)

    def __init__(self, function: Callable[[], object], name: str) -> None:
        self._thread = threading.Thread(target=function, name=name, daemon=True)
        with _starting:
            before = threading.stack_size(STACK_SIZE)
            try:
                self._thread.start()
            finally:
                threading.stack_size(before)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def is_current(self) -> bool:
        return self._thread is threading.current_thread()

    def join(self, timeout: float | None = None) -> bool:
        if not self.is_current:
            self._thread.join(timeout)
        return not self._thread.is_alive()


class SystemThreads:
    """Real threads, real locks, the machine's clock."""

    simulated = False

    def __init__(self) -> None:
        self.clock: Clock = SystemClock()

    def gate(self) -> Gate:
        return SystemGate()

    def mutex(self) -> Mutex:
        return allocate_lock()

    def spawn(self, function: Callable[[], object], name: str) -> ThreadHandle:
        return SystemThread(function, name)

    def scheduler(self, name: str) -> Scheduler:
        return SelectorScheduler(self.clock, name)
