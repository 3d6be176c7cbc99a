"""Mutual exclusion, and waiting that leaves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from openocpp.errors import StateError
from openocpp.runtime import Runtime
from openocpp.testing import SimulatedRuntime


def test_it_is_held_by_the_thread_that_entered() -> None:
    with SimulatedRuntime() as sim:
        monitor = sim.monitor("m")
        states = [monitor.held]
        with monitor:
            states.append(monitor.held)
            assert "held" in repr(monitor)
        states.append(monitor.held)
        assert states == [False, True, False]
        assert "free" in repr(monitor)


def test_entering_twice_is_a_bug_of_the_caller() -> None:
    with SimulatedRuntime() as sim:
        monitor = sim.monitor("m")
        with monitor, pytest.raises(StateError, match="must return at once"), monitor:
            pass


def test_leaving_without_being_inside_is_a_bug_of_the_caller() -> None:
    with SimulatedRuntime() as sim, pytest.raises(StateError, match="not inside"), sim.monitor("m").left():
        pass


def test_others_get_in_while_one_waits() -> None:
    with SimulatedRuntime() as sim:
        monitor = sim.monitor("m")
        waiter = sim.waiter()
        seen: list[str] = []

        def other() -> None:
            with monitor:
                seen.append("other")
                waiter.set(None)

        with monitor:
            sim.user(other)
            assert monitor.wait(waiter, 10)
            assert monitor.held
            seen.append("first")
            assert monitor.wait(waiter, 10)
        assert seen == ["other", "first"]


def test_a_wait_inside_keeps_the_others_out() -> None:
    with SimulatedRuntime() as sim:
        monitor = sim.monitor("m")
        entered: list[float] = []

        def other() -> None:
            with monitor:
                entered.append(sim.clock.now())

        with monitor:
            sim.user(other)
            sim.sleep(5)
            assert entered == []
        sim.sleep(1)
        assert entered == [5.0]


def test_a_timer_cancelled_inside_is_surely_not_called() -> None:
    with SimulatedRuntime() as sim:
        monitor = sim.monitor("m")
        seen: list[str] = []
        with monitor:
            timer = monitor.call_later(1, lambda: seen.append("called"))
            sim.sleep(2)  # it is due, and waits at the entrance
            assert timer.active
            timer.cancel()
        sim.sleep(1)
        assert seen == []


def test_timers_run_inside() -> None:
    with SimulatedRuntime() as sim:
        monitor = sim.monitor("m")
        seen: list[bool] = []
        with monitor:
            monitor.call_later(1, lambda: seen.append(monitor.held))
            monitor.call_soon(lambda: seen.append(monitor.held))
        sim.sleep(2)
        assert seen == [True, True]


def test_all_timers_can_be_cancelled() -> None:
    with SimulatedRuntime() as sim:
        monitor = sim.monitor("m")
        seen: list[int] = []
        with monitor:
            kept = [monitor.call_later(number, lambda: seen.append(1)) for number in range(1, 5)]
            monitor.cancel_timers()
        sim.sleep(10)
        assert seen == []
        assert not any(timer.active for timer in kept)


def test_the_scheduler_may_not_enter() -> None:
    with Runtime(name="m") as runtime:
        monitor = runtime.monitor("m")
        waiter = runtime.waiter()

        def enter() -> None:
            try:
                with monitor:
                    waiter.set("entered")
            except StateError as error:
                waiter.set(str(error))

        runtime.scheduler.post(enter)
        assert waiter.wait(10)
        assert "on the scheduler thread" in waiter.value


def test_a_cancelled_timer_is_forgotten_before_it_was_started() -> None:
    with SimulatedRuntime() as sim:
        monitor = sim.monitor("m")
        seen: list[str] = []
        with monitor:
            soon = monitor.call_soon(lambda: seen.append("called"))
            soon.cancel()
        sim.sleep(1)
        assert seen == []
        assert not soon.active


NOON = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
ONE = timedelta(hours=1)


@pytest.mark.parametrize(
    ("jump_to", "called_after"),
    [
        (None, 3600.0),
        (NOON + ONE, 60.0),  # forward, to the instant: found within the minute
        (NOON + ONE + ONE, 60.0),
        (NOON - ONE, 7200.0),
        (NOON + timedelta(minutes=59, seconds=45), 60.0),  # 15 s more on the calendar; looked at within the minute
    ],
)
def test_an_appointment_follows_the_wall_clock_however_it_jumps(jump_to: datetime | None, called_after: float) -> None:
    with SimulatedRuntime(start=NOON) as sim:
        monitor = sim.monitor("m")
        seen: list[tuple[float, bool]] = []
        with monitor:
            timer = monitor.call_at_wall(NOON + ONE, lambda: seen.append((sim.clock.now(), monitor.held)))
        if jump_to is not None:
            sim.set_wall(jump_to)
        assert timer.active
        sim.sleep(3 * 3600)
        ((called, inside),) = seen
        assert called == pytest.approx(called_after)
        assert inside
        assert not timer.active


def test_an_appointment_in_the_past_is_now() -> None:
    with SimulatedRuntime(start=NOON) as sim:
        monitor = sim.monitor("m")
        seen: list[float] = []
        with monitor:
            monitor.call_at_wall(NOON - ONE, lambda: seen.append(sim.clock.now()))
        sim.sleep(1)
        assert seen == [0.0]


def test_an_appointment_can_be_cancelled_also_when_it_is_due() -> None:
    with SimulatedRuntime(start=NOON) as sim:
        monitor = sim.monitor("m")
        seen: list[str] = []
        with monitor:
            early = monitor.call_at_wall(NOON + ONE, lambda: seen.append("early"))
            early.cancel()
            due = monitor.call_at_wall(NOON + timedelta(seconds=1), lambda: seen.append("due"))
            sim.sleep(2)  # it is due, and waits at the entrance
            due.cancel()
        sim.sleep(7200)
        assert seen == []
        assert not early.active
        assert not due.active
