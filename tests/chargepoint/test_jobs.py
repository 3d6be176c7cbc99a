"""Jobs: procedures inside the monitor that end where they learn that they were cancelled."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from openocpp.chargepoint.context import Events
from openocpp.chargepoint.interface import DefaultChargePointEventsHandler
from openocpp.chargepoint.jobs import Jobs
from openocpp.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from openocpp.chargepoint.jobs import Job
    from openocpp.runtime import Monitor
    from openocpp.testing import SimulatedRuntime


class Handler(DefaultChargePointEventsHandler):
    def get_tx_start_stop_meter_value(self, connector_id: int) -> int:
        return 0


def jobs_of(runtime: Runtime) -> Jobs:
    monitor = runtime.monitor("CP1")
    events = Events(Handler(), monitor, runtime.strand(), "CP1")
    ctx: Any = SimpleNamespace(name="CP1", runtime=runtime, monitor=monitor, events=events, clock=runtime.clock)
    return Jobs(ctx)


def start(jobs: Jobs, procedure: Callable[[Job], Any]) -> Job:
    monitor: Monitor = jobs.ctx.monitor
    with monitor:
        return jobs.start("work", procedure)


def cancel(jobs: Jobs) -> None:
    with jobs.ctx.monitor:
        jobs.cancel()


def test_a_procedure_runs_inside_the_monitor_and_leaves_it_in_callbacks(sim: SimulatedRuntime) -> None:
    jobs = jobs_of(sim)
    held: list[bool] = []

    def callback(value: int) -> int:
        held.append(jobs.ctx.monitor.held)
        return value + 1

    def procedure(job: Job) -> None:
        held.append(jobs.ctx.monitor.held)
        assert job.ask(0, callback, 41) == 42
        job.pause(5)
        held.append(jobs.ctx.monitor.held)

    start(jobs, procedure)
    sim.sleep(6)
    assert held == [True, False, True]
    assert repr(jobs) == "<0 jobs>"


def test_a_callback_that_raises_gives_the_fallback(sim: SimulatedRuntime) -> None:
    jobs = jobs_of(sim)
    answers: list[str] = []

    def callback() -> str:
        raise OSError("broken")

    start(jobs, lambda job: answers.append(job.ask("fallback", callback)))
    sim.sleep(1)
    assert answers == ["fallback"]


def test_a_cancelled_job_ends_where_it_comes_back(sim: SimulatedRuntime) -> None:
    jobs = jobs_of(sim)
    steps: list[str] = []
    gate = sim.threads.gate()

    def procedure(job: Job) -> None:
        steps.append("asks")
        job.ask(None, gate.wait)
        steps.append("goes on")

    job = start(jobs, procedure)
    sim.sleep(1)
    cancel(jobs)
    assert (job.cancelled, steps, repr(jobs)) == (True, ["asks"], "<1 jobs>")
    gate.open()
    sim.sleep(1)
    assert (steps, repr(jobs)) == (["asks"], "<0 jobs>")


def test_a_pause_ends_at_once(sim: SimulatedRuntime) -> None:
    jobs = jobs_of(sim)
    start(jobs, lambda job: job.pause(1000))
    sim.sleep(1)
    cancel(jobs)
    jobs.join(1)
    assert sim.clock.now() < 2
    assert repr(jobs) == "<0 jobs>"


def test_a_job_that_is_cancelled_before_it_began(sim: SimulatedRuntime) -> None:
    jobs = jobs_of(sim)
    steps: list[str] = []
    with jobs.ctx.monitor:
        jobs.start("work", lambda job: steps.append("began"))
        jobs.cancel()
    sim.sleep(1)
    assert steps == []


def test_a_bug_in_a_procedure_is_logged(sim: SimulatedRuntime, caplog: pytest.LogCaptureFixture) -> None:
    jobs = jobs_of(sim)

    def procedure(job: Job) -> None:
        raise ZeroDivisionError

    start(jobs, procedure)
    sim.sleep(1)
    assert "CP1: work failed" in caplog.text
    assert repr(jobs) == "<0 jobs>"


def test_joining_has_a_limit(sim: SimulatedRuntime, caplog: pytest.LogCaptureFixture) -> None:
    """For all of them together."""
    jobs = jobs_of(sim)
    for _ in range(3):
        start(jobs, lambda job: job.ask(None, sim.threads.gate().wait, 100))
    sim.sleep(1)
    cancel(jobs)
    jobs.join(2)
    assert sim.clock.now() == 3
    assert caplog.text.count("abandoned") == 3


def test_real_threads(scaled: Callable[[float], float]) -> None:
    """One ends its pause when it is cancelled; one is abandoned in a callback, in which it can wait for all others."""
    with Runtime(workers=1) as runtime:
        jobs = jobs_of(runtime)
        entered = runtime.waiter()
        gate = runtime.threads.gate()
        joined = runtime.waiter()

        def callback() -> None:
            entered.set(None)
            gate.wait()
            jobs.join(scaled(10))
            joined.set(None)

        pausing = start(jobs, lambda job: job.pause(scaled(1000)))
        busy = start(jobs, lambda job: job.ask(None, callback))
        assert pausing.handle is not None
        assert busy.handle is not None
        assert entered.wait(scaled(10))
        cancel(jobs)
        assert pausing.handle.join(scaled(10))
        jobs.join(0.01)
        assert busy.handle.is_alive
        gate.open()
        assert joined.wait(scaled(10))
        assert busy.handle.join(scaled(10))
