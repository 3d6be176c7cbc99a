"""Simulated time: turns, deadlines, and the same order for the same seed."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from openocpp.errors import StateError
from openocpp.testing import SimulatedRuntime, SimulationStuck, simulation
from openocpp.transport.sockets import network

if TYPE_CHECKING:
    from openocpp.runtime import Runtime


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


def test_an_instant_that_goes_on_for_ever_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "STEPS_WITHOUT_TIME", 100)
    with SimulatedRuntime() as sim:

        def spin() -> None:
            sim.scheduler.post(spin)

        sim.scheduler.post(spin)
        with pytest.raises(SimulationStuck, match="the same instant goes on for ever"):
            sim.sleep(1)


def test_a_condition_that_does_not_come_true_fails_the_test() -> None:
    with SimulatedRuntime() as sim:
        sim.run_until(lambda: sim.clock.now() >= 10)
        with pytest.raises(AssertionError, match="did not come true within 5 simulated seconds"):
            sim.run_until(lambda: False, 5)
        assert sim.clock.now() == pytest.approx(15, abs=0.1)


def test_a_sleep_of_nothing_is_a_turn_for_everybody_else() -> None:
    with SimulatedRuntime() as sim:
        seen: list[str] = []
        sim.spawn(lambda: seen.append("other"), "other")
        while not seen:
            sim.sleep(0)
        assert sim.clock.now() == 0


def test_there_are_no_sockets() -> None:
    with SimulatedRuntime() as sim, socket.socket() as sock:
        with pytest.raises(StateError, match="memory network"):
            sim.scheduler.register(sock, 1, print)
        with pytest.raises(StateError, match="memory network"):
            sim.scheduler.modify(sock, 1)
        with pytest.raises(StateError, match="memory network"):
            sim.scheduler.unregister(sock)


class Thing:
    """Something that lives as long as its runtime."""

    def __init__(self, runtime: Runtime) -> None:
        self.stopped = False

    def stop(self) -> None:
        self.stopped = True


def test_the_network_of_a_role_is_the_one_of_the_test() -> None:
    with SimulatedRuntime() as sim:
        assert network(sim) is sim.network
        thing = sim.shared(Thing, Thing)
        assert sim.shared(Thing, Thing) is thing
    assert thing.stopped


def test_mutual_exclusion_takes_turns_too() -> None:
    with SimulatedRuntime() as sim:
        mutex = sim.threads.mutex()
        seen: list[tuple[str, float]] = []

        def user(name: str) -> None:
            with mutex as taken:
                assert taken
                sim.sleep(1)
                seen.append((name, sim.clock.now()))

        for name in "abc":
            sim.spawn(partial(user, name), name)
        sim.sleep(10)
        assert sorted(name for name, _ in seen) == ["a", "b", "c"]
        assert [time for _, time in seen] == [1.0, 2.0, 3.0]


def test_a_gate_lets_one_pass_and_may_be_opened_before() -> None:
    with SimulatedRuntime() as sim:
        gate = sim.threads.gate()
        gate.open()
        assert gate.wait(None) is True
        assert gate.wait(0) is False
        assert gate.wait(1) is False
        assert sim.clock.now() == 1


def test_threads_can_be_joined(caplog: pytest.LogCaptureFixture) -> None:
    with SimulatedRuntime() as sim:
        thread = sim.spawn(lambda: sim.sleep(5), "sleeper")
        assert thread.is_alive
        assert not thread.is_current
        assert thread.join(1) is False
        assert thread.join(None) is True
        assert [thread.is_alive] == [False]
        current: list[bool] = []
        failing = sim.spawn(lambda: (current.append(failing.is_current), 1 // 0)[1], "failing")
        assert failing.join(1)
        assert current == [True]
        assert "failing ended with an error" in caplog.text


def test_a_failing_step_of_the_scheduler_costs_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    with SimulatedRuntime() as sim:
        sim.scheduler.post(lambda: 1 // 0)
        sim.sleep(1)
        assert "ZeroDivisionError" in caplog.text
        assert sim.submit(lambda: 7).result() == 7


def test_a_user_that_does_not_end_in_time_fails_the_test() -> None:
    with SimulatedRuntime() as sim:
        user = sim.user(lambda: sim.sleep(100))
        with pytest.raises(AssertionError, match="has not ended in time"):
            user.result(1)
        user.result()


def test_it_can_be_stopped_twice() -> None:
    sim = SimulatedRuntime()
    sim.submit(lambda: 1).result()
    sim.stop()
    sim.stop()
    assert sim.stopped
