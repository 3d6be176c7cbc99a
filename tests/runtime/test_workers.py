"""Pools, lanes and strands: in simulated time where order matters, on real threads where threads do."""

from __future__ import annotations

import threading
from asyncio import CancelledError
from functools import partial
from typing import TYPE_CHECKING

import pytest

from openocpp.runtime import Runtime
from openocpp.testing import SimulatedRuntime
from tests.conftest import scaled

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.runtime import Gate

LIMIT = scaled(10.0)


def blocker(sim: SimulatedRuntime, gates: list[Gate]) -> Callable[[], object]:
    """A function that waits until its gate is opened."""
    gate = sim.threads.gate()
    gates.append(gate)
    return lambda: gate.wait(None) and None


def test_blocked_jobs_leave_the_other_threads_to_the_rest() -> None:
    with SimulatedRuntime(workers=3) as sim:
        gates: list[Gate] = []
        ended: list[int] = []
        for _ in range(2):
            sim.submit(blocker(sim, gates))

        def late(number: int) -> None:
            sim.sleep(0.025)
            ended.append(number)

        for number in range(5):
            sim.submit(partial(late, number))
        sim.sleep(1)
        assert ended == [0, 1, 2, 3, 4]
        for gate in gates:
            gate.open()
        sim.sleep(0.1)
        assert sim.submit(lambda: "free").result() == "free"


def test_a_worker_that_waits_for_an_answer_is_replaced_by_a_spare() -> None:
    with SimulatedRuntime(workers=1) as sim:
        waiter = sim.waiter()
        waiting = sim.submit(waiter.wait, 100)
        sim.sleep(1)
        assert sim.submit(lambda: "served").result(5) == "served"
        waiter.set(None)
        assert waiting.result(5) is True


def test_spares_have_a_limit_and_then_work_waits(caplog: pytest.LogCaptureFixture) -> None:
    with SimulatedRuntime(workers=1) as sim:
        waiters = [sim.waiter() for _ in range(12)]
        futures = [sim.submit(waiter.wait, 1000) for waiter in waiters]
        late = sim.submit(lambda: sim.clock.now())
        sim.sleep(10)
        assert not late.done()
        assert "wait inside calls" in caplog.text
        for waiter in waiters:
            waiter.set(None)
        assert late.result(5) >= 10
        assert all(future.result(5) for future in futures)


def test_spare_threads_end_when_there_is_nothing_to_do() -> None:
    with SimulatedRuntime(workers=2) as sim:
        waiters = [sim.waiter() for _ in range(6)]
        for waiter in waiters:
            sim.submit(waiter.wait, 1000)
        sim.sleep(1)
        assert "6 threads" in repr(sim.workers)
        for waiter in waiters:
            waiter.set(None)
        sim.sleep(60)
        sim.submit(lambda: None).result()
        assert "2 threads" in repr(sim.workers)


def test_a_failing_job_does_not_cost_the_thread(caplog: pytest.LogCaptureFixture) -> None:
    with SimulatedRuntime(workers=1) as sim:
        sim.workers.submit(lambda: 1 // 0)
        assert sim.submit(lambda: 1).result(1) == 1
        assert "ZeroDivisionError" in caplog.text


ENDS = [SystemExit("enough"), CancelledError("not wanted any more"), KeyboardInterrupt("by hand")]


@pytest.mark.parametrize("error", ENDS, ids=repr)
def test_no_exception_ends_a_worker(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    """A callback that calls ``sys.exit`` or cancels itself is a bug like others."""

    def fail() -> None:
        raise error

    with Runtime(workers=1, name="stubborn") as runtime:
        strand = runtime.strand()
        for _ in range(3):
            runtime.workers.submit(fail)
            strand.put(fail)
        with pytest.raises(type(error), match=str(error)):
            runtime.submit(fail).result(LIMIT)
        behind = runtime.waiter()
        strand.put(lambda: behind.set(None))
        assert behind.wait(LIMIT)
        assert runtime.submit(lambda: "served").result(LIMIT) == "served"
    assert caplog.text.count(str(error)) == 6


@pytest.mark.parametrize("seed", range(5))
def test_a_strand_keeps_the_order_and_runs_one_at_a_time(seed: int) -> None:
    with SimulatedRuntime(seed, workers=4) as sim:
        strand = sim.strand()
        seen: list[int] = []
        inside: list[int] = []

        def step(number: int) -> None:
            assert not inside
            inside.append(number)
            sim.sleep(sim.random.random())
            inside.remove(number)
            seen.append(number)

        for number in range(30):
            assert strand.put(partial(step, number))
        assert len(strand) > 20
        sim.sleep(100)
        assert seen == list(range(30))


def test_a_closed_strand_drops_what_is_queued_but_not_its_last_word() -> None:
    with SimulatedRuntime(workers=4) as sim:
        strand = sim.strand()
        seen: list[str] = []
        strand.put(lambda: (sim.sleep(5), seen.append("running"))[1])
        strand.put(lambda: seen.append("queued"))
        sim.sleep(1)
        strand.close(lambda: seen.append("last"))
        strand.close(lambda: seen.append("again"))
        assert strand.put(lambda: seen.append("late")) is False
        sim.sleep(10)
        assert seen == ["last", "running"]


def test_a_failing_step_of_a_strand_does_not_stop_it() -> None:
    with SimulatedRuntime(workers=1) as sim:
        strand = sim.strand()
        seen: list[int] = []
        strand.put(lambda: 1 // 0)
        strand.put(lambda: seen.append(1))
        sim.sleep(1)
        assert seen == [1]


def test_a_lane_bounds_how_many_run_at_once() -> None:
    with SimulatedRuntime(workers=8) as sim:
        lane = sim.lane(3)
        running: list[int] = []
        most: list[int] = []
        ended: list[int] = []

        def job(number: int) -> None:
            running.append(number)
            most.append(len(running))
            sim.sleep(1)
            running.remove(number)
            ended.append(number)
            if number == 4:
                raise ValueError("a bug")

        for number in range(10):
            lane.submit(partial(job, number))
        sim.sleep(20)
        assert max(most) == 3
        assert sorted(ended) == list(range(10))


def test_who_waits_in_a_lane_makes_room_for_the_one_it_waits_for() -> None:
    with SimulatedRuntime(workers=2) as sim:
        lane = sim.lane(1)
        answer, answered = sim.waiter(), sim.waiter()
        lane.submit(lambda: answered.set(answer.wait(100)))
        lane.submit(lambda: answer.set(None))
        assert answered.wait(1)
        assert answered.value is True
        assert repr(lane) == "<lane of 1: 0 run, 0 of them wait, 0 queued>"


def test_a_lane_has_spares_for_so_many_and_then_its_functions_queue() -> None:
    with SimulatedRuntime(workers=30) as sim:
        lane = sim.lane(2)
        waiters = [sim.waiter() for _ in range(12)]
        running: list[int] = []

        def job(number: int) -> None:
            running.append(number)
            waiters[number].wait(1000)

        for number in range(12):
            lane.submit(partial(job, number))
        sim.sleep(10)
        assert running == list(range(10))
        for waiter in waiters:
            waiter.set(None)
        sim.sleep(1)
        assert running == list(range(12))


def test_who_comes_back_to_a_lane_does_not_widen_it_for_long() -> None:
    with SimulatedRuntime(workers=8) as sim:
        lane = sim.lane(1)
        waiter = sim.waiter()
        running: list[str] = []
        most: list[int] = []

        def busy(name: str) -> None:
            running.append(name)
            most.append(len(running))
            sim.sleep(1)
            running.remove(name)

        def back() -> None:
            waiter.wait(1000)
            busy("back")

        lane.submit(back)
        for number in range(5):
            lane.submit(partial(busy, str(number)))
        sim.sleep(0.5)
        assert running == ["0"], "in the place of the one that waits"
        waiter.set(None)
        sim.sleep(10)
        assert running == []
        assert most == [1, 2, 1, 1, 1, 1], "both, until one of them has ended"


def test_many_jobs_from_many_threads_all_run() -> None:
    with Runtime(workers=4, name="busy") as runtime:
        counted = [0] * 8
        results: list[int] = []

        def user(index: int) -> None:
            for _ in range(500):
                results.append(runtime.submit(lambda: 1).result(LIMIT))
                counted[index] += 1

        threads = [threading.Thread(target=user, args=(index,)) for index in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT)
        assert counted == [500] * 8
        assert sum(results) == 4000


def test_stop_drops_what_is_queued_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    runtime = Runtime(workers=1, name="stopping")
    gate = threading.Event()
    started = threading.Event()
    ran: list[int] = []
    runtime.workers.submit(lambda: (started.set(), gate.wait(LIMIT))[0])
    assert started.wait(LIMIT)
    for number in range(10):
        runtime.workers.submit(partial(ran.append, number))
    stopper = threading.Thread(target=runtime.stop)
    stopper.start()
    gate.set()
    stopper.join(LIMIT)
    assert len(ran) <= 10
    runtime.workers.submit(lambda: ran.append(99))
    assert 99 not in ran
    assert set(threading.enumerate()) == before
