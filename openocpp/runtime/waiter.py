"""One-shot waiting: one thread waits for a value that another thread sets once.

Threads: ``set`` any; ``wait`` any but the scheduler.
"""

from __future__ import annotations

import threading
from _thread import allocate_lock
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.runtime.primitives import Gate

T = TypeVar("T")


class Pool(Protocol):
    """What a pool of threads, or a lane through it, wants to know of its members that wait."""

    def blocked(self) -> None: ...

    def unblocked(self) -> None: ...


class Membership(threading.local):
    """The pool that the current thread works for, and the lane through it, if any."""

    pool: Pool | None = None
    lane: Pool | None = None


membership = Membership()


class Waiter(Generic[T]):
    """A value that comes later, from another thread, once."""

    __slots__ = ("_check", "_claim", "_gate", "_value", "is_set")

    def __init__(self, gate: Gate, check: Callable[[str], None]) -> None:
        self._gate = gate
        self._claim = allocate_lock()
        self._check = check
        self._value: T | None = None
        self.is_set = False

    def set(self, value: T) -> bool:
        """Give the value and let the waiting thread go. Only the first one counts: False for the others."""
        if not self._claim.acquire(False):
            return False
        self._value = value
        self.is_set = True
        self._gate.open()
        return True

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the value: True when it is there, False after ``timeout`` seconds.

        Raises StateError on the scheduler, which would wait for itself.
        """
        if self.is_set:
            return True
        self._check("wait")
        pool, lane = membership.pool, membership.lane
        if pool is None:
            self._gate.wait(timeout)
            return self._passed()
        pool.blocked()
        if lane is not None:
            lane.blocked()
        try:
            self._gate.wait(timeout)
        finally:
            if lane is not None:
                lane.unblocked()
            pool.unblocked()
        return self._passed()

    def _passed(self) -> bool:
        if self.is_set:
            self._gate.open()  # whoever else waits for the same value passes as well
        return self.is_set

    @property
    def value(self) -> T:
        """The value. Ask only when ``is_set``."""
        return cast("T", self._value)
