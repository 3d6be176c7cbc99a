"""One role's mutual exclusion, and waiting that leaves it.

Every procedure of a role runs inside its monitor, whoever came in: a user's thread through the facade, a worker with a
CALL, a worker with a timer. Whoever waits, or calls the user's code, leaves it meanwhile and enters it again after;
then state is to be read anew.
Threads: any but the scheduler.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakSet

from openocpp.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from openocpp.runtime.runtime import Runtime
    from openocpp.runtime.scheduler import Timer
    from openocpp.runtime.waiter import Waiter

log = logging.getLogger("openocpp.runtime")

T = TypeVar("T")

WALL_CHECK = 60.0  # seconds after which an appointment is compared with the wall clock again


class MonitorTimer:
    """A function to be called inside the monitor. Cancelled inside the monitor, it is surely not called any more."""

    __slots__ = ("__weakref__", "_function", "_monitor", "_timer")

    def __init__(self, monitor: Monitor, function: Callable[[], object]) -> None:
        self._monitor = monitor
        self._function: Callable[[], object] | None = function
        self._timer: Timer | None = None

    @property
    def active(self) -> bool:
        return self._function is not None

    def cancel(self) -> None:
        self._function = None
        if self._timer is not None:
            self._timer.cancel()

    def start(self, seconds: float) -> None:
        """Called by the monitor only."""
        runtime = self._monitor.runtime
        self._timer = runtime.scheduler.call_later(max(seconds, 0.0), lambda: runtime.workers.submit(self._enter))

    def _enter(self) -> None:
        with self._monitor:
            function, self._function = self._function, None
            if function is not None:
                function()


class Monitor:
    """Mutual exclusion with waiting, in the textbook meaning. Not re-entrant: entering twice is a bug of the caller."""

    def __init__(self, runtime: Runtime, name: str) -> None:
        self.runtime = runtime
        self.name = name
        self._mutex = runtime.threads.mutex()
        self._owner = 0
        self._timers: WeakSet[MonitorTimer] = WeakSet()

    def __repr__(self) -> str:
        return f"<monitor {self.name}: {'held' if self._owner else 'free'}>"

    @property
    def held(self) -> bool:
        """Is the calling thread inside?"""
        return self._owner == threading.get_ident()

    def __enter__(self) -> Monitor:
        self.runtime.check_may_block(f"enter {self.name}")
        me = threading.get_ident()
        if self._owner == me:
            raise StateError(f"{self.name}: called from a place that must return at once (a settings object?)")
        self._mutex.acquire()
        self._owner = me
        return self

    def __exit__(self, *_: object) -> None:
        self._owner = 0
        self._mutex.release()

    def left(self) -> _Outside:
        """``with monitor.left():`` others may enter during the block; the calling thread is inside again after it."""
        return _Outside(self)

    def wait(self, waiter: Waiter[T], timeout: float | None = None) -> bool:
        """Leave, wait, enter again. True when the waiter was set."""
        if waiter.is_set:
            return True
        with self.left():
            return waiter.wait(timeout)

    def call_later(self, seconds: float, function: Callable[[], object]) -> MonitorTimer:
        """Call ``function`` on a worker, inside this monitor, after that many monotonic seconds."""
        timer = MonitorTimer(self, function)
        self._timers.add(timer)
        timer.start(seconds)
        return timer

    def call_soon(self, function: Callable[[], object]) -> MonitorTimer:
        """Call ``function`` on a worker, inside this monitor, as soon as it is free."""
        timer = MonitorTimer(self, function)
        self._timers.add(timer)
        self.runtime.workers.submit(timer._enter)
        return timer

    def call_at_wall(self, instant: datetime, function: Callable[[], object]) -> WallTimer:
        """Call ``function`` as ``call_later`` does when the wall clock has reached ``instant``, however it jumps."""
        return WallTimer(self, instant, function)

    def cancel_timers(self) -> None:
        """Cancel all that was not called yet: the role ends."""
        for timer in list(self._timers):
            timer.cancel()


class WallTimer:
    """An appointment on the calendar. It looks at the wall clock once a minute, since somebody may set it."""

    __slots__ = ("_function", "_monitor", "_timer", "instant")

    def __init__(self, monitor: Monitor, instant: datetime, function: Callable[[], object]) -> None:
        self.instant = instant
        self._monitor = monitor
        self._function: Callable[[], object] | None = function
        self._timer = self._arm()

    @property
    def active(self) -> bool:
        return self._function is not None

    def cancel(self) -> None:
        self._function = None
        self._timer.cancel()

    def _remaining(self) -> float:
        return (self.instant - self._monitor.runtime.clock.utcnow()) / timedelta(seconds=1)

    def _arm(self) -> MonitorTimer:
        return self._monitor.call_later(min(max(self._remaining(), 0.0), WALL_CHECK), self._look)

    def _look(self) -> None:
        if self._remaining() > 0:
            self._timer = self._arm()
            return
        function, self._function = self._function, None
        if function is not None:
            function()


class _Outside:
    """Leaving a monitor for the length of a block."""

    __slots__ = ("_monitor",)

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor

    def __enter__(self) -> None:
        if not self._monitor.held:
            raise StateError(f"{self._monitor.name}: left by a thread that is not inside")
        self._monitor.__exit__()

    def __exit__(self, *_: object) -> None:
        self._monitor.__enter__()
