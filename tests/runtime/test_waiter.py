"""One-shot waiting."""

from __future__ import annotations

import threading

from openocpp.runtime import Runtime
from openocpp.testing import SimulatedRuntime
from tests.conftest import scaled


def test_only_the_first_value_counts() -> None:
    with SimulatedRuntime() as sim:
        waiter = sim.waiter()
        assert waiter.set(1) is True
        assert waiter.set(2) is False
        assert waiter.wait(0)
        assert waiter.value == 1


def test_a_value_set_before_the_wait_is_there_at_once() -> None:
    with SimulatedRuntime() as sim:
        waiter = sim.waiter()
        waiter.set("early")
        assert waiter.wait(None)
        assert waiter.value == "early"
        assert sim.clock.now() == 0


def test_without_a_value_the_wait_ends_at_its_limit() -> None:
    with SimulatedRuntime() as sim:
        waiter = sim.waiter()
        assert waiter.wait(3) is False
        assert not waiter.is_set
        assert sim.clock.now() == 3


def test_a_race_of_many_setters_has_one_winner() -> None:
    with Runtime(name="race") as runtime:
        for _ in range(50):
            waiter = runtime.waiter()
            won: list[int] = []
            barrier = threading.Barrier(4)

            def run(number: int, waiter=waiter, won=won, barrier=barrier) -> None:  # type: ignore[no-untyped-def]
                barrier.wait(scaled(10))
                if waiter.set(number):
                    won.append(number)

            threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
            for thread in threads:
                thread.start()
            assert waiter.wait(scaled(10))
            for thread in threads:
                thread.join(scaled(10))
            assert won == [waiter.value]


def test_a_worker_that_waits_is_counted_and_its_value_passes_to_all_who_wait() -> None:
    with Runtime(workers=2, name="counted") as runtime:
        waiter = runtime.waiter()
        futures = [runtime.submit(waiter.wait, scaled(10)) for _ in range(3)]  # the third one needs a spare
        assert runtime.submit(lambda: 7).result(scaled(10)) == 7
        waiter.set("value")
        assert [future.result(scaled(10)) for future in futures] == [True] * 3
        assert waiter.value == "value"
        assert "0 waiting" in repr(runtime.workers)
        assert runtime.submit(runtime.waiter().wait, 0.01).result(scaled(10)) is False
