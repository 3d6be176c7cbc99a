"""A runtime whose threads take turns and whose clock jumps: a day passes in a second, always the same way.

The threads are real ones, but exactly one of them runs; it hands the turn on when it waits, to one drawn by the seed.
When all of them wait, the clock jumps to the next deadline. The thread that made the runtime (the test's own) is one
of them: blocking calls simply work in it, and ``sleep`` lets simulated time pass. The scheduler is no thread here: its
steps run in between, on the stack of whichever thread has just begun to wait.
"""

from __future__ import annotations

import logging
import random
import threading
from _thread import allocate_lock
from collections import deque
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from openocpp.errors import StateError
from openocpp.runtime.primitives import ThreadEnd
from openocpp.runtime.runtime import STOP_LIMIT, Runtime
from openocpp.runtime.scheduler import Timer

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from openocpp.transport.memory import MemoryNetwork

log = logging.getLogger("openocpp.testing")

T = TypeVar("T")

STEPS_WITHOUT_TIME = 2_000_000  # turns at one instant: something spins


class SimulationStuck(AssertionError):
    """Everybody waits and no deadline will ever wake anyone, or the same instant goes on for ever."""


class SimulationEnded(ThreadEnd):
    """Unwinds the threads of a simulation that is over."""


class SimulatedClock:
    """Monotonic seconds from 0, and a wall clock that starts where the test says and jumps when it says so."""

    def __init__(self, start: datetime) -> None:
        self.time = 0.0
        self._start = start

    def now(self) -> float:
        return self.time

    def utcnow(self) -> datetime:
        return self._start + timedelta(seconds=self.time)

    def set_wall(self, instant: datetime) -> None:
        """Set the wall clock; the monotonic one does not notice."""
        self._start = instant - timedelta(seconds=self.time)


class _Task:
    """A thread of the simulation."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.turn = allocate_lock()
        self.turn.acquire()
        self.waits_for = "its first turn"
        self.round = 0  # which of its waits a deadline belongs to
        self.error: BaseException | None = None
        self.ended = False
        self.joiners: list[SimulatedGate] = []


class SimulatedGate:
    """A binary semaphore in simulated time."""

    __slots__ = ("_is_open", "_kernel", "_waiting")

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._is_open = False
        self._waiting: deque[_Task] = deque()

    def open(self) -> None:
        if self._waiting:
            self._kernel.make_ready(self._waiting.popleft())
        else:
            self._is_open = True

    def wait(self, timeout: float | None = None) -> bool:
        if self._is_open:
            self._is_open = False
            return True
        if timeout is not None and timeout <= 0:
            return False
        me = self._kernel.current
        self._waiting.append(me)
        self._kernel.block("a gate", timeout)
        if me in self._waiting:
            self._waiting.remove(me)
            return False
        return True


class SimulatedMutex:
    """Mutual exclusion in simulated time. It is only ever found taken when its holder waits inside."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._taken = False
        self._queue: deque[SimulatedGate] = deque()

    def acquire(self) -> bool:
        while self._taken:
            gate = SimulatedGate(self._kernel)
            self._queue.append(gate)
            gate.wait()
        self._taken = True
        return True

    def release(self) -> None:
        self._taken = False
        if self._queue:
            self._queue.popleft().open()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class SimulatedThread:
    """A started thread of the simulation."""

    def __init__(self, kernel: Kernel, task: _Task) -> None:
        self._kernel = kernel
        self._task = task

    @property
    def is_alive(self) -> bool:
        return not self._task.ended

    @property
    def is_current(self) -> bool:
        return self._task is self._kernel.current

    def join(self, timeout: float | None = None) -> bool:
        """Wait, in simulated time. An exception of the thread is not raised here: see ``SimulatedRuntime.run``."""
        if not self.is_current and not self._task.ended:
            gate = SimulatedGate(self._kernel)
            self._task.joiners.append(gate)
            gate.wait(timeout)
        return self._task.ended


class SimulatedScheduler:
    """Timers and entries, run by the kernel between the turns of the threads."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    @property
    def is_current(self) -> bool:
        return self._kernel.in_scheduler

    def post(self, function: Callable[[], object]) -> None:
        self._kernel.entries.append(function)

    def call_at(self, when: float, function: Callable[[], object]) -> Timer:
        timer = Timer(when, function)
        self._kernel.push(when, timer)
        return timer

    def call_later(self, seconds: float, function: Callable[[], object]) -> Timer:
        return self.call_at(self._kernel.clock.time + seconds, function)

    def register(self, sock: socket.socket, events: int, callback: Callable[[int], None]) -> None:
        raise StateError("a simulated runtime has no sockets: use its memory network")

    def modify(self, sock: socket.socket, events: int) -> None:
        raise StateError("a simulated runtime has no sockets: use its memory network")

    def unregister(self, sock: socket.socket) -> None:
        raise StateError("a simulated runtime has no sockets: use its memory network")

    def run(self) -> None:
        """Nothing to run: the kernel takes these steps."""

    def stop(self) -> None:
        """Nothing to stop."""


class Kernel:
    """Whose turn it is, and what time it is."""

    simulated = True

    def __init__(self, seed: int, start: datetime) -> None:
        self.clock = SimulatedClock(start)
        self.random = random.Random(seed)
        self.entries: deque[Callable[[], object]] = deque()
        self.in_scheduler = False
        self.current = _Task("main")
        self.main = self.current
        self._ready: list[_Task] = []
        self._heap: list[tuple[float, int, Timer | tuple[_Task, int]]] = []
        self._order = count()
        self._steps = 0
        self._tasks: list[_Task] = []
        self._threads: list[threading.Thread] = []
        self._pool: list[tuple[_Task, deque[tuple[_Task, Callable[[], object]]]]] = []
        self._ended = False

    # -- made by this kernel -------------------------------------------------------------------------------------------

    def gate(self) -> SimulatedGate:
        return SimulatedGate(self)

    def mutex(self) -> SimulatedMutex:
        return SimulatedMutex(self)

    def scheduler(self, name: str) -> SimulatedScheduler:
        return SimulatedScheduler(self)

    def spawn(self, function: Callable[[], object], name: str) -> SimulatedThread:
        task = _Task(name)
        self._tasks = [other for other in self._tasks if not other.ended]
        self._tasks.append(task)
        thread = threading.Thread(target=self._body, args=(task, function), name=name, daemon=True)
        self._threads = [other for other in self._threads if other.is_alive()]
        self._threads.append(thread)
        thread.start()
        self.make_ready(task)
        return SimulatedThread(self, task)

    def _body(self, task: _Task, function: Callable[[], object]) -> None:
        task.turn.acquire()
        if not self._ended:
            try:
                function()
            except SimulationEnded:
                pass
            except BaseException as error:  # kept for whoever joins; a silent death would hide a bug
                task.error = error
                log.exception("%s ended with an error", task.name)
        task.ended = True
        for gate in task.joiners:
            gate.open()
        if not self._ended:
            self._hand_over(self._choose())

    # -- turns ---------------------------------------------------------------------------------------------------------

    def make_ready(self, task: _Task) -> None:
        task.round += 1  # its deadline, if any, is void now
        self._ready.append(task)

    def push(self, when: float, what: Timer | tuple[_Task, int]) -> None:
        heappush(self._heap, (when, next(self._order), what))

    def block(self, what: str, timeout: float | None) -> None:
        """The running thread waits until it is made ready, or until its deadline."""
        me = self.current
        if self.in_scheduler:
            raise StateError("the scheduler must not wait")
        if timeout is not None:
            self.push(self.clock.time + timeout, (me, me.round))
        me.waits_for = what
        chosen = self._choose()
        if chosen is not me:
            self._hand_over(chosen)
            me.turn.acquire()
        if self._ended:
            raise SimulationEnded
        if me.error is not None and me is self.main:
            error, me.error = me.error, None
            raise error

    def _hand_over(self, task: _Task) -> None:
        self.current = task
        task.turn.release()

    def _choose(self) -> _Task:
        """The next thread to run. The scheduler's steps are taken here until there is one."""
        while True:
            ready = len(self._ready)
            if ready or self.entries:
                self._steps += 1
                if self._steps > STEPS_WITHOUT_TIME:
                    return self._fail("the same instant goes on for ever")
                pick = self.random.randrange(ready + 1) if self.entries else self.random.randrange(ready)
                if pick == ready or not ready:
                    self._run_entries()
                    continue
                return self._ready.pop(pick)
            if not self._advance():
                return self._fail("everybody waits, and nothing will ever happen")

    def _run_entries(self) -> None:
        for _ in range(len(self.entries)):
            self._step(self.entries.popleft())

    def _step(self, function: Callable[[], object]) -> None:
        self.in_scheduler = True
        try:
            function()
        except Exception:  # as the real one: one broken callback must not end the others
            log.exception("%r failed", function)
        finally:
            self.in_scheduler = False

    def _advance(self) -> bool:
        """Jump to the next deadline that still means something."""
        while self._heap:
            when, _, what = heappop(self._heap)
            if isinstance(what, Timer):
                function = what.take()
                if function is None:
                    continue
                self._jump(when)
                self._step(function)
                return True
            task, its_round = what
            if task.round == its_round and not task.ended:
                self._jump(when)
                self.make_ready(task)
                return True
        return False

    def _jump(self, when: float) -> None:
        if when > self.clock.time:
            self.clock.time = when
            self._steps = 0

    def _fail(self, why: str) -> _Task:
        lines = [f"{task.name} waits for {task.waits_for}" for task in [self.main, *self._tasks] if not task.ended]
        self.main.error = SimulationStuck(f"{why} (at {self.clock.time:.3f} s): " + "; ".join(lines))
        self._steps = 0
        if self.main in self._ready:
            self._ready.remove(self.main)
        return self.main

    def end(self) -> None:
        """Unwind all other threads, one after the other."""
        self._ended = True
        for task in self._tasks:
            if not task.ended and task is not self.current:
                task.turn.release()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(5.0)


class SimulatedRuntime(Runtime):
    """A :class:`Runtime` in simulated time, with an in-memory network. ``with SimulatedRuntime(seed) as sim: ...``

    ``seed`` decides the order of everything that could happen in any order; ``start`` is the first wall-clock instant.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        workers: int = 4,
        start: datetime = datetime(2024, 1, 1, tzinfo=UTC),
        name: str = "simulated",
    ) -> None:
        self.kernel = Kernel(seed, start)
        super().__init__(workers, 4, name, threads=self.kernel)
        self.random = random.Random(seed)

    def shared(self, kind: type[T], make: Callable[[Runtime], T]) -> T:
        """As in a runtime; where that has a network of sockets, this one has a network in memory."""
        from openocpp.transport.memory import MemoryNetwork
        from openocpp.transport.sockets import SocketNetwork

        if kind is SocketNetwork:
            return cast("T", super().shared(MemoryNetwork, MemoryNetwork))
        return super().shared(kind, make)

    @property
    def network(self) -> MemoryNetwork:
        """The memory network of this runtime: cuts, delays and spies are its verbs."""
        from openocpp.transport.memory import MemoryNetwork

        return super().shared(MemoryNetwork, MemoryNetwork)

    def sleep(self, seconds: float) -> None:
        """Let simulated time pass for the calling thread."""
        if seconds <= 0:
            self.yield_turn()
        else:
            self.threads.gate().wait(seconds)

    def yield_turn(self) -> None:
        """Let everybody else who can run have a turn first; no time passes."""
        gate = self.threads.gate()
        self.scheduler.post(gate.open)
        gate.wait()

    def run_until(self, condition: Callable[[], bool], limit: float = 3600.0, step: float = 0.05) -> None:
        """Let time pass until ``condition`` holds. AssertionError after ``limit`` simulated seconds."""
        deadline = self.clock.now() + limit
        while not condition():
            if self.clock.now() >= deadline:
                raise AssertionError(f"{condition} did not come true within {limit} simulated seconds")
            self.sleep(step)

    def set_wall(self, instant: datetime) -> None:
        """Set the wall clock, as an operator or a time server would."""
        self.kernel.clock.set_wall(instant)

    def user(self, function: Callable[[], T], name: str = "user") -> UserThread[T]:
        """Start a thread of the test's own."""
        return UserThread(self, function, name)

    def stop(self, limit: float = STOP_LIMIT) -> None:
        super().stop(limit)
        if not self.kernel._ended:
            self.kernel.end()


class UserThread(Generic[T]):
    """A thread that plays a user: ``result()`` gives what it returned, or raises what it raised."""

    def __init__(self, runtime: SimulatedRuntime, function: Callable[[], T], name: str) -> None:
        self._function = function
        self._result: T | None = None
        self._error: BaseException | None = None
        self._handle = runtime.spawn(self._run, name)

    def _run(self) -> None:
        try:
            self._result = self._function()
        except Exception as error:  # handed to the thread that asks
            self._error = error

    @property
    def done(self) -> bool:
        return not self._handle.is_alive

    def result(self, timeout: float | None = 3600.0) -> T:
        """Wait for the end, in simulated time."""
        if not self._handle.join(timeout):
            raise AssertionError("the thread has not ended in time")
        if self._error is not None:
            raise self._error
        return cast("T", self._result)
