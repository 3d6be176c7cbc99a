"""Simulated time: turns, deadlines, and the same order for the same seed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from openocpp.errors import StateError
from openocpp.testing import SimulatedRuntime, SimulationStuck


def test_a_sleep_takes_no_real_time_and_the_exact_simulated_time() -> None:
    with SimulatedRuntime() as sim:
        began = sim.clock.utcnow()
        sim.sleep(86_400)
        assert sim.clock.now() == 86_400
        assert sim.clock.utcnow() - began == timedelta(days=1)


def test_threads_wait_for_each_other() -> None:
    with SimulatedRuntime() as sim:
        waiter = sim.waiter()
        user = sim.user(lambda: waiter.wait(10))
        sim.sleep(5)
        assert not user.done
        waiter.set("now")
        assert user.result() is True
        assert sim.clock.now() == 5


def test_a_wait_ends_at_its_deadline() -> None:
    with SimulatedRuntime() as sim:
        assert sim.waiter().wait(2.5) is False
        assert sim.clock.now() == 2.5


def test_timers_run_in_the_order_of_their_deadlines() -> None:
    with SimulatedRuntime() as sim:
        seen: list[tuple[str, float]] = []
        sim.call_later(3, lambda: seen.append(("c", sim.clock.now())))
        sim.call_later(1, lambda: seen.append(("a", sim.clock.now())))
        cancelled = sim.call_later(2, lambda: seen.append(("b", sim.clock.now())))
        cancelled.cancel()
        sim.sleep(4)
        assert seen == [("a", 1.0), ("c", 3.0)]


def _order(seed: int) -> list[int]:
    with SimulatedRuntime(seed) as sim:
        seen: list[int] = []
        for number in range(20):
            sim.spawn(partial(seen.append, number), f"user {number}")
        sim.sleep(1)
        return seen


def test_the_seed_decides_the_order() -> None:
    assert _order(1) == _order(1)
    assert _order(1) != _order(2)
    assert sorted(_order(3)) == list(range(20))


def test_waiting_for_nothing_is_reported_with_who_waits() -> None:
    with SimulatedRuntime() as sim:
        sim.spawn(lambda: sim.waiter().wait(None) and None, "the forgotten one")
        with pytest.raises(SimulationStuck, match="the forgotten one waits"):
            sim.waiter().wait(None)


def test_the_scheduler_may_not_wait() -> None:
    with SimulatedRuntime() as sim:
        errors: list[Exception] = []

        def step() -> None:
            try:
                sim.waiter().wait(1)
            except StateError as error:
                errors.append(error)

        sim.scheduler.post(step)
        sim.sleep(1)
        assert len(errors) == 1


def test_appointments_follow_the_wall_clock() -> None:
    with SimulatedRuntime(start=datetime(2024, 5, 1, 12, 0, tzinfo=UTC)) as sim:
        monitor = sim.monitor("m")
        seen: list[datetime] = []
        with monitor:
            monitor.call_at_wall(datetime(2024, 5, 1, 13, 0, tzinfo=UTC), lambda: seen.append(sim.clock.utcnow()))
        sim.sleep(600)
        sim.set_wall(datetime(2024, 5, 1, 12, 59, 30, tzinfo=UTC))
        sim.sleep(29)
        assert seen == []
        sim.sleep(61)
        assert len(seen) == 1
        assert sim.clock.now() < 700


def test_an_error_of_a_user_thread_reaches_the_test() -> None:
    with SimulatedRuntime() as sim:
        user = sim.user(lambda: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            user.result()


def test_nothing_is_left_running() -> None:
    import threading

    before = threading.active_count()
    with SimulatedRuntime() as sim:
        for number in range(10):
            sim.spawn(lambda: sim.waiter().wait(None) and None, f"waits {number}")
        sim.submit(lambda: 1).result()
        sim.sleep(1)
    assert threading.active_count() == before
