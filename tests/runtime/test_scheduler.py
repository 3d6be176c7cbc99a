"""The thread that owns sockets and timers, over a real selector."""

from __future__ import annotations

import logging
import math
import os
import selectors
import socket
import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest

from openocpp.errors import StateError
from openocpp.runtime import READ, WRITE, Runtime, SelectorScheduler, SystemClock
from openocpp.runtime.scheduler import _WakeUp
from tests.conftest import scaled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIMIT = scaled(10.0)


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with Runtime(name="test") as made:
        yield made


def done(runtime: Runtime, function: Callable[[], object]) -> object:
    """Run it on the scheduler, and wait."""
    waiter = runtime.waiter()
    runtime.scheduler.post(lambda: waiter.set(function()))
    assert waiter.wait(LIMIT)
    return waiter.value


def test_entries_run_in_order_on_one_thread(runtime: Runtime) -> None:
    seen: list[tuple[int, int]] = []

    def note(number: int) -> None:
        seen.append((number, threading.get_ident()))

    for number in range(1000):
        runtime.scheduler.post(partial(note, number))
    done(runtime, lambda: None)
    assert [number for number, _ in seen] == list(range(1000))
    assert len({thread for _, thread in seen}) == 1
    assert threading.get_ident() not in {thread for _, thread in seen}


def test_an_entry_posted_on_the_scheduler_does_not_run_inline(runtime: Runtime) -> None:
    seen: list[str] = []

    def outer() -> None:
        runtime.scheduler.post(lambda: seen.append("inner"))
        seen.append("outer")

    done(runtime, outer)
    done(runtime, lambda: None)
    assert seen == ["outer", "inner"]


def test_timers_run_in_the_order_of_their_deadlines_from_any_thread(runtime: Runtime) -> None:
    seen: list[int] = []
    waiter = runtime.waiter()
    now = runtime.clock.now()
    for number in (3, 1, 2):
        runtime.scheduler.call_at(now + number * 0.01, partial(seen.append, number))
    runtime.scheduler.call_at(now + 0.04, lambda: waiter.set(None))
    assert waiter.wait(LIMIT)
    assert seen == [1, 2, 3]


@pytest.mark.parametrize("far", [2.0**31, 1e300, math.inf])
def test_a_timer_may_lie_as_far_in_the_future_as_it_likes(runtime: Runtime, far: float) -> None:
    """A peer may ask for a heartbeat every 68 years."""
    timer = runtime.scheduler.call_later(far, lambda: None)
    done(runtime, lambda: None)  # the next sleep is as long as that timer allows
    waiter = runtime.waiter()
    runtime.scheduler.call_later(0.01, lambda: waiter.set(None))
    assert waiter.wait(LIMIT)
    assert timer.active


def test_what_is_no_time_is_refused(runtime: Runtime) -> None:
    with pytest.raises(ValueError, match="nan"):
        runtime.scheduler.call_later(math.nan, lambda: None)


def test_a_cancelled_timer_is_not_called(runtime: Runtime) -> None:
    seen: list[str] = []
    waiter = runtime.waiter()
    timer = runtime.scheduler.call_later(0.01, lambda: seen.append("no"))
    states = [timer.active]
    timer.cancel()
    states.append(timer.active)
    assert states == [True, False]
    runtime.scheduler.call_later(0.03, lambda: waiter.set(None))
    assert waiter.wait(LIMIT)
    assert seen == []


def test_dead_timers_do_not_stay(runtime: Runtime) -> None:
    """Neither those that come next, nor those behind one that lives."""
    scheduler = runtime.scheduler
    assert isinstance(scheduler, SelectorScheduler)
    seen: list[str] = []

    def fill(before: float) -> None:
        scheduler.call_later(before, lambda: seen.append("alive"))
        for _ in range(5_000):
            scheduler.call_later(3600, lambda: None).cancel()

    done(runtime, partial(fill, 7200))
    done(runtime, lambda: None)
    assert "1 timers" in repr(scheduler)
    done(runtime, partial(fill, 1800))
    assert len(scheduler._heap) > 5_000
    done(runtime, lambda: [scheduler._run_due(runtime.clock.now()) for _ in range(4096)])  # looked at now and then
    assert "2 timers" in repr(scheduler)
    done(runtime, lambda: scheduler._run_due(runtime.clock.now() + 7200))
    assert seen == ["alive", "alive"]


def test_a_failing_callback_is_logged_and_costs_nobody_else(runtime: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    runtime.scheduler.post(lambda: 1 // 0)
    assert done(runtime, lambda: 5) == 5
    assert "ZeroDivisionError" in caplog.text


def test_a_failing_timer_is_logged_and_costs_nobody_else(runtime: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    waiter = runtime.waiter()
    now = runtime.clock.now()
    runtime.scheduler.call_at(now, lambda: 1 // 0)
    runtime.scheduler.call_at(now, lambda: waiter.set(None))
    assert waiter.wait(LIMIT)
    assert "ZeroDivisionError" in caplog.text


def test_a_failing_socket_is_logged_and_costs_nobody_else(runtime: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        failed = runtime.waiter()

        def fail(_: int) -> None:
            runtime.scheduler.unregister(ours)
            failed.set(None)
            raise ValueError("broken")

        done(runtime, lambda: runtime.scheduler.register(ours, READ, fail))
        theirs.send(b"x")
        assert failed.wait(LIMIT)
        assert done(runtime, lambda: 5) == 5
    assert "ValueError: broken" in caplog.text


def test_a_socket_is_watched_until_it_is_not(runtime: Runtime) -> None:
    near, far = socket.socketpair()
    near.setblocking(False)
    came: list[bytes] = []
    waiter = runtime.waiter()

    def readable(events: int) -> None:
        assert events & READ
        came.append(near.recv(10))
        runtime.scheduler.unregister(near)
        waiter.set(None)

    done(runtime, lambda: runtime.scheduler.register(near, READ, readable))
    far.sendall(b"one")
    assert waiter.wait(LIMIT)
    far.sendall(b"two")
    done(runtime, lambda: None)
    assert came == [b"one"]
    writable = runtime.waiter()

    def note(events: int) -> None:
        writable.set(events)

    def watch() -> None:
        runtime.scheduler.register(near, READ, note)
        runtime.scheduler.modify(near, WRITE)

    done(runtime, watch)
    assert writable.wait(LIMIT)
    assert writable.value == WRITE
    done(runtime, lambda: runtime.scheduler.unregister(near))
    done(runtime, lambda: runtime.scheduler.unregister(near))
    near.close()
    far.close()


def test_nothing_waits_on_the_scheduler(runtime: Runtime) -> None:
    def wait() -> object:
        with pytest.raises(StateError, match="on the scheduler thread"):
            runtime.waiter().wait(1)
        with pytest.raises(StateError):
            runtime.stop()
        return "ok"

    assert done(runtime, wait) == "ok"


def test_it_works_without_eventfd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "eventfd", raising=False)
    with Runtime(name="portable") as runtime:
        assert done(runtime, lambda: 1) == 1
        assert done(runtime, lambda: 2) == 2


def test_a_long_round_is_remarked(caplog: pytest.LogCaptureFixture) -> None:
    class Slow(SystemClock):
        def __init__(self) -> None:
            self.time = 0.0

        def now(self) -> float:
            self.time += 0.1
            return self.time

    caplog.set_level(logging.INFO, "openocpp.runtime")
    scheduler = SelectorScheduler(Slow(), "slow")
    scheduler.post(lambda: None)
    scheduler.stop()
    scheduler.run()
    assert "slow: a round took" in caplog.text
    with pytest.raises(StateError):
        scheduler.stop()


def test_an_entry_that_comes_while_the_wake_up_is_cleared_does_not_silence_the_next_one(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It finds the scheduler awake; that must not be remembered when there is nothing left to wake it."""
    done(runtime, lambda: None)
    scheduler = runtime.scheduler
    assert isinstance(scheduler, SelectorScheduler)
    wakeup = scheduler._wakeup
    clear = wakeup.clear

    def clear_late() -> None:
        other = threading.Thread(target=scheduler.post, args=(lambda: None,))
        other.start()
        other.join(LIMIT)
        clear()

    monkeypatch.setattr(wakeup, "clear", clear_late)
    done(runtime, lambda: None)
    monkeypatch.undo()
    for _ in range(3):
        done(runtime, lambda: None)


@pytest.mark.parametrize("eventfd", [True, False])
def test_many_entries_need_one_wake_up(monkeypatch: pytest.MonkeyPatch, eventfd: bool) -> None:
    if not eventfd:
        monkeypatch.delattr(os, "eventfd", raising=False)
    with Runtime(name="coalesced") as runtime:
        done(runtime, lambda: None)
        scheduler = runtime.scheduler
        assert isinstance(scheduler, SelectorScheduler)
        wakeup = scheduler._wakeup
        count = [0]
        wake = wakeup.set

        def counted() -> None:
            count[0] += 1
            wake()

        monkeypatch.setattr(wakeup, "set", counted)
        busy, begun = threading.Event(), threading.Event()
        scheduler.post(lambda: (begun.set(), busy.wait(LIMIT))[0])
        assert begun.wait(LIMIT)
        for _ in range(10_000):
            scheduler.post(lambda: None)
        assert count[0] <= 2  # the one that began it, and one for all the rest
        busy.set()
        done(runtime, lambda: None)


@pytest.mark.parametrize("eventfd", [True, False])
def test_a_wake_up_may_come_too_often_or_too_late(monkeypatch: pytest.MonkeyPatch, eventfd: bool) -> None:
    if not eventfd:
        monkeypatch.delattr(os, "eventfd", raising=False)
    wakeup = _WakeUp()
    for _ in range(100_000 if not eventfd else 3):  # a pair of sockets is full at some time
        wakeup.set()
    with selectors.DefaultSelector() as selector:
        selector.register(wakeup.fileno, selectors.EVENT_READ)
        assert selector.select(0)
        for _ in range(1000):
            wakeup.clear()
        assert not selector.select(0)
        wakeup.clear()  # nothing to clear
        wakeup.set()
        assert selector.select(0)
    wakeup.close()
