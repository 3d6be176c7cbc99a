"""The thread that owns sockets and timers: a selector, a heap of timers, a queue of entries.

Other threads hand work in with ``post``: a deque carries it, and one coalesced wake-up tells of it. No user code runs
here, and nothing here waits for anything but the selector.
Threads: ``post``, ``call_at``, ``call_later`` and ``Timer.cancel`` any; the rest the scheduler's own.
"""

from __future__ import annotations

import logging
import os
import selectors
import socket
import threading
from collections import deque
from heapq import heapify, heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Protocol

from openocpp.errors import StateError
from openocpp.types.base import is_worth_a_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.runtime.clock import Clock

log = logging.getLogger("openocpp.runtime")

READ = selectors.EVENT_READ
WRITE = selectors.EVENT_WRITE

LONG_ROUND = 0.05  # seconds; a round that takes longer delays every connection
LONGEST_SLEEP = 3600.0  # seconds; what a selector can be asked for is bounded (epoll: 24 days), timers are not
COMPACT_ABOVE = 64  # dead timers that are not worth a clean-up


class Timer:
    """A function to be called once at a given time, unless it is cancelled before."""

    __slots__ = ("_function", "when")

    def __init__(self, when: float, function: Callable[[], object]) -> None:
        self.when = when
        self._function: Callable[[], object] | None = function

    @property
    def active(self) -> bool:
        """Neither cancelled nor called yet."""
        return self._function is not None

    def cancel(self) -> None:
        """Any thread, idempotent. A call that is already under way is not stopped."""
        self._function = None

    def take(self) -> Callable[[], object] | None:
        """The function, if it is still to be called. It is not given twice."""
        function, self._function = self._function, None
        return function


class Scheduler(Protocol):
    """Where everything that belongs to sockets and time runs, one step after the other."""

    @property
    def is_current(self) -> bool:
        """Does the caller run on the scheduler?"""

    def post(self, function: Callable[[], object]) -> None:
        """Run it soon, in the order of the calls, never within this call."""

    def call_at(self, when: float, function: Callable[[], object]) -> Timer:
        """Run it when the clock's ``now`` has reached ``when``, however far that is. ValueError for nan."""

    def call_later(self, seconds: float, function: Callable[[], object]) -> Timer: ...

    def register(self, sock: socket.socket, events: int, callback: Callable[[int], None]) -> None:
        """Watch a socket: ``callback`` gets the events (READ, WRITE) that came."""

    def modify(self, sock: socket.socket, events: int) -> None: ...

    def unregister(self, sock: socket.socket) -> None: ...

    def run(self) -> None:
        """The thread's own function: returns after ``stop``."""

    def stop(self) -> None:
        """Make ``run`` return after the work that was handed in before."""


class SelectorScheduler:
    """The scheduler over a real selector. It polls with whatever the platform has.

    It holds descriptors only while ``run`` runs: a runtime that nobody used has nothing to give back.
    """

    _selector: selectors.BaseSelector
    _wakeup: _WakeUp

    def __init__(self, clock: Clock, name: str) -> None:
        self._clock = clock
        self._name = name
        self._ident = 0
        self._entries: deque[Callable[[], object]] = deque()
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = count()
        self._woken = True  # nobody is to be woken before ``run``, which looks at the entries first
        self._stopping = False
        self._long_rounds = 0

    def __repr__(self) -> str:
        return f"<scheduler {self._name}: {len(self._heap)} timers, {len(self._entries)} entries>"

    @property
    def is_current(self) -> bool:
        return threading.get_ident() == self._ident

    def post(self, function: Callable[[], object]) -> None:
        self._entries.append(function)
        if not self._woken and threading.get_ident() != self._ident:
            self._woken = True
            self._wakeup.set()

    def call_at(self, when: float, function: Callable[[], object]) -> Timer:
        if when != when:
            raise ValueError("nan is no time: it would upset the order of all timers")
        timer = Timer(when, function)
        if self.is_current:
            self._push(timer)
        else:
            self.post(lambda: self._push(timer))
        return timer

    def call_later(self, seconds: float, function: Callable[[], object]) -> Timer:
        return self.call_at(self._clock.now() + seconds, function)

    def _push(self, timer: Timer) -> None:
        heappush(self._heap, (timer.when, next(self._order), timer))

    def register(self, sock: socket.socket, events: int, callback: Callable[[int], None]) -> None:
        self._selector.register(sock, events, callback)

    def modify(self, sock: socket.socket, events: int) -> None:
        callback = self._selector.get_key(sock).data
        self._selector.modify(sock, events, callback)

    def unregister(self, sock: socket.socket) -> None:
        try:
            self._selector.unregister(sock)
        except (KeyError, ValueError):  # not watched, or closed already: nothing to undo
            return

    def run(self) -> None:
        self._ident = threading.get_ident()
        self._selector = selectors.DefaultSelector()
        self._wakeup = _WakeUp()
        self._selector.register(self._wakeup.fileno, READ, None)
        self._woken = False
        try:
            while not (self._stopping and not self._entries):
                self._round(self._selector.select(self._timeout()))
        finally:
            self._ident = 0
            self._woken = True  # from now on the descriptor may be another file's: nobody is to write to it
            self._selector.close()
            self._wakeup.close()

    def stop(self) -> None:
        def end() -> None:
            self._stopping = True

        if self._stopping:
            raise StateError("the scheduler is stopped already")
        self.post(end)

    def _timeout(self) -> float | None:
        if self._entries:
            return 0.0
        while self._heap and not self._heap[0][2].active:
            heappop(self._heap)
        if not self._heap:
            return None
        return min(max(self._heap[0][0] - self._clock.now(), 0.0), LONGEST_SLEEP)

    def _round(self, events: list[tuple[selectors.SelectorKey, int]]) -> None:
        began = self._clock.now()
        for key, mask in events:
            callback = key.data
            if callback is None:
                self._wakeup.clear()
                continue
            try:
                callback(mask)
            except Exception:
                self._note_failure(callback)
        # Not before the wake-up was cleared, or one that came in between would be lost; and not after the entries were
        # looked at, or nobody would tell of the next one.
        self._woken = False
        entries = self._entries
        for _ in range(len(entries)):
            function = entries.popleft()
            try:
                function()
            except Exception:
                self._note_failure(function)
        self._run_due(self._clock.now())
        spent = self._clock.now() - began
        if spent > LONG_ROUND:
            self._note_long_round(spent)

    def _run_due(self, now: float) -> None:
        heap = self._heap
        while heap and heap[0][0] <= now:
            function = heappop(heap)[2].take()
            if function is None:
                continue
            try:
                function()
            except Exception:
                self._note_failure(function)
        if len(heap) > COMPACT_ABOVE and next(self._order) % 4096 == 0:
            self._compact()

    def _compact(self) -> None:
        """Cancelled timers stay in the heap until their time; a heap full of them is not worth keeping."""
        alive = [entry for entry in self._heap if entry[2].active]
        if len(alive) * 2 < len(self._heap):
            heapify(alive)
            self._heap = alive

    def _note_failure(self, function: Callable[..., object]) -> None:
        """Inside ``except``: one broken connection or timer must not end all the others.

        Each loop catches by itself: a function around every call would cost more than many of them take.
        """
        log.exception("%s: %r failed", self._name, function)

    def _note_long_round(self, spent: float) -> None:
        self._long_rounds += 1
        if is_worth_a_line(self._long_rounds):
            log.info("%s: a round took %.0f ms (%d such rounds so far)", self._name, spent * 1000, self._long_rounds)


class _WakeUp:
    """Makes a selector return from any thread: eventfd where there is one, else a pair of sockets."""

    def __init__(self) -> None:
        self._pair: tuple[socket.socket, socket.socket] | None = None
        if hasattr(os, "eventfd"):
            self.fileno = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        else:
            self._pair = socket.socketpair()
            for end in self._pair:
                end.setblocking(False)
            self.fileno = self._pair[0].fileno()

    def set(self) -> None:
        try:
            if self._pair is None:
                os.eventfd_write(self.fileno, 1)
            else:
                self._pair[1].send(b"\0")
        except (BlockingIOError, OSError):  # full: it is set already; closed: nobody is left to wake
            return

    def clear(self) -> None:
        try:
            if self._pair is None:
                os.eventfd_read(self.fileno)
            else:
                self._pair[0].recv(4096)
        except BlockingIOError:  # another round has cleared it
            return

    def close(self) -> None:
        if self._pair is None:
            os.close(self.fileno)
        else:
            for end in self._pair:
                end.close()
