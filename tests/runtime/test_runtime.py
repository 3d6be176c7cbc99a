"""What applications get of a runtime: submit, timers, one object of a kind, and its end."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as FutureTimeout
from functools import partial

import pytest

from openocpp.errors import StateError
from openocpp.runtime import Runtime
from openocpp.runtime import runtime as runtime_module
from openocpp.testing import SimulatedRuntime
from tests.conftest import open_descriptors, scaled

LIMIT = scaled(10.0)


def test_a_submitted_function_gives_its_result_or_its_error() -> None:
    with SimulatedRuntime() as sim:
        assert sim.submit(pow, 2, 10).result() == 1024
        future = sim.submit(lambda: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            future.result()
        assert isinstance(future.exception(), ZeroDivisionError)


def test_waiting_for_a_future_has_a_limit() -> None:
    with SimulatedRuntime() as sim:
        future = sim.submit(lambda: sim.sleep(10))
        with pytest.raises(FutureTimeout):
            future.result(1)
        assert sim.clock.now() == 1
        future.result()


def test_two_threads_may_wait_for_one_future() -> None:
    with SimulatedRuntime() as sim:
        future = sim.submit(lambda: (sim.sleep(5), 7)[1])
        users = [sim.user(future.result) for _ in range(3)]
        assert [user.result() for user in users] == [7, 7, 7]


def test_call_every_does_not_drift_and_leaves_out_what_it_missed() -> None:
    with SimulatedRuntime() as sim:
        times: list[float] = []
        handle = sim.call_every(0.25, lambda: times.append(sim.clock.now()))
        sim.sleep(0.8)
        assert times == [0.25, 0.5, 0.75]
        sim.sleep(0.25)
        assert times[-1] == 1.0
        handle.cancel()
        sim.sleep(5)
        assert len(times) == 4


def test_periods_of_several_timers_interleave() -> None:
    with SimulatedRuntime() as sim:
        counts = [0, 0, 0]

        def count(index: int) -> None:
            counts[index] += 1

        for index, period in enumerate((0.2, 0.3, 0.1)):
            sim.call_every(period, partial(count, index))
        seen = []
        for _ in range(6):
            sim.sleep(0.11)
            seen.append(tuple(counts))
        assert seen == [(0, 0, 1), (1, 0, 2), (1, 1, 3), (2, 1, 4), (2, 1, 5), (3, 2, 6)]


def test_a_period_must_be_positive() -> None:
    with SimulatedRuntime() as sim, pytest.raises(ValueError, match="positive"):
        sim.call_every(0, lambda: None)


@pytest.mark.parametrize(("workers", "connectors"), [(0, 1), (1, 0)])
def test_a_runtime_needs_threads(workers: int, connectors: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        Runtime(workers, connectors)


class Thing:
    """Something that lives as long as its runtime."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.stopped: list[str] = []

    def stop(self) -> None:
        self.stopped.append("stopped")


class OtherThing(Thing):
    pass


def test_there_is_one_shared_object_of_a_kind_and_it_ends_with_the_runtime() -> None:
    runtime = Runtime(name="sharing")
    thing = runtime.shared(Thing, Thing)
    assert runtime.shared(Thing, Thing) is thing
    assert runtime.shared(OtherThing, OtherThing) is not thing
    runtime.stop()
    assert thing.stopped == ["stopped"]
    with pytest.raises(StateError, match="is stopped"):
        runtime.shared(dict, lambda _: {})


def test_nothing_is_started_before_it_is_used_and_nothing_is_left_after_stop() -> None:
    threads = set(threading.enumerate())
    files = open_descriptors()
    runtime = Runtime(workers=3, name="tidy")
    assert set(threading.enumerate()) == threads
    waiter = runtime.waiter()
    runtime.connector(lambda: waiter.set(None))
    runtime.submit(lambda: None).result(LIMIT)
    runtime.scheduler.post(lambda: None)
    assert waiter.wait(LIMIT)
    assert set(threading.enumerate()) > threads
    runtime.stop()
    runtime.stop()
    assert runtime.stopped
    assert set(threading.enumerate()) == threads
    assert open_descriptors() == files


def test_after_stop_a_submitted_function_is_cancelled() -> None:
    runtime = Runtime(name="gone")
    runtime.stop()
    with pytest.raises(CancelledError):
        runtime.submit(lambda: 1).result(LIMIT)
    with pytest.raises(StateError):
        runtime.scheduler.post(lambda: None)


def test_stop_is_legal_on_a_worker_and_ends_all_other_threads(caplog: pytest.LogCaptureFixture) -> None:
    runtime = Runtime(name="inside")
    connected, done = threading.Event(), threading.Event()
    runtime.connector(connected.set)
    assert connected.wait(LIMIT)
    left: list[str] = []

    def stop() -> None:
        runtime.stop()
        left.extend(thread.name for thread in threading.enumerate() if thread.name.startswith("inside"))
        done.set()

    runtime.workers.submit(stop)
    assert done.wait(LIMIT)
    assert runtime.stopped
    assert left == ["inside-worker-1"]
    assert caplog.text == ""


def test_all_pools_are_told_of_the_end_before_one_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A worker that does not end before a connector has ended."""
    monkeypatch.setattr(runtime_module, "CONNECTOR_IDLE", 3600.0)
    runtime = Runtime(workers=1, name="ending")
    begun, connected = threading.Event(), threading.Event()
    connectors: list[threading.Thread] = []

    def connect() -> None:
        connectors.append(threading.current_thread())
        connected.set()

    def work() -> None:
        begun.set()
        connectors[0].join(LIMIT)

    runtime.connector(connect)
    assert connected.wait(LIMIT)
    runtime.workers.submit(work)
    assert begun.wait(LIMIT)
    runtime.stop(LIMIT)
    assert not connectors[0].is_alive()
    assert caplog.text == ""


def test_a_thread_that_does_not_end_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    with SimulatedRuntime() as sim:
        sim.workers.submit(lambda: sim.threads.gate().wait(None))
        sim.sleep(1)
    assert "a thread still runs" in caplog.text


def test_a_running_function_is_counted_in_the_repr() -> None:
    with Runtime(name="shown") as runtime:
        assert "shown" in repr(runtime)


def test_what_the_layers_above_are_given() -> None:
    with SimulatedRuntime() as sim:
        assert sim.simulated
        seen: list[str] = []
        sim.connector(lambda: seen.append("connector"))
        assert sim.spawn(lambda: seen.append("thread"), "own").join(1)
        sim.strand().put(lambda: seen.append("strand"))
        sim.strand(sim.lane(1)).put(lambda: seen.append("strand in a lane"))
        sim.lane(1).submit(lambda: seen.append("lane"))
        with sim.monitor("m"):
            assert sim.waiter().wait(1) is False
        assert sorted(seen) == ["connector", "lane", "strand", "strand in a lane", "thread"]
    assert not Runtime().simulated


def test_a_timer_that_is_cancelled_while_it_is_on_its_way_is_not_called() -> None:
    with SimulatedRuntime(workers=1) as sim:
        seen: list[float] = []
        busy = sim.threads.gate()
        handle = sim.call_every(1, lambda: seen.append(sim.clock.now()))
        sim.workers.submit(lambda: busy.wait(None) and None)  # no spare takes its place: it says nothing of its wait
        sim.sleep(1.5)  # the call is queued behind it
        handle.cancel()
        busy.open()
        sim.sleep(5)
        assert seen == []


def test_a_future_that_was_cancelled_before_its_turn_is_not_run() -> None:
    with SimulatedRuntime(workers=1) as sim:
        seen: list[str] = []
        busy = sim.threads.gate()
        sim.workers.submit(lambda: busy.wait(None) and None)
        future = sim.submit(lambda: seen.append("ran"))
        assert future.cancel()
        busy.open()
        sim.sleep(1)
        with pytest.raises(CancelledError):
            future.result(1)
        assert seen == []


def test_a_with_statement_stops_it() -> None:
    with Runtime(name="within") as runtime:
        assert not runtime.stopped
        assert runtime.clock.now() >= 0
        assert runtime.call_later(3600, lambda: None) is not None
    assert runtime.stopped
