"""The life of a few transactions in a process that is killed at one of its commits, and what comes after.

Run as a program it is a server: for each line on its input - a JSON object, see ``Order`` - it forks a process that
lives, and is perhaps killed. Each CALL that reaches the simulated central system in there, each reading of a meter, and
each start and stop that was confirmed to the application, is a JSON line on the output, written before anything else
happens; ``{"end": ...}`` tells how the process ended. With ``url`` the process uses real sockets and threads, and time
passes in earnest.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from openocpp.chargepoint.interface import DefaultChargePointEventsHandler, IChargePoint
from openocpp.config import ChargePointConfig, MemoryOcppConfig
from openocpp.runtime import Runtime
from openocpp.store.commit import Committer
from openocpp.testing import SimulatedRuntime
from openocpp.testing.conversation import ScriptedServer
from openocpp.types import AuthorizationStatus, Measurand, Phase, Reason, RegistrationStatus, SampledValue
from tests.chargepoint.conftest import KEYS, NOW, URL
from tests.chargepoint.driving import ENERGY, Books

if TYPE_CHECKING:
    from collections.abc import Callable

CONNECTORS = (1, 2)


class Order(NamedTuple):
    """What is to be lived. ``kill``: the number of the commit, 0 = none; ``after``: when it is done, not before.

    ``ids``: the transactions that the central system knows, by the content of their StartTransaction. ``read``: the
    readings before, each of which has a number of its own.
    """

    database: str
    kill: int = 0
    after: bool = False
    again: bool = False  # the life after: what runs is stopped, and everything delivered
    ids: dict[str, int] | None = None
    read: int = 0
    url: str = ""


def report(**what: Any) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


class Station(DefaultChargePointEventsHandler):
    """The application: it reports what was confirmed to it."""

    def __init__(self, runtime: Runtime, order: Order) -> None:
        self.runtime = runtime
        self.meter = order.read
        self.number = 0
        self.tags: dict[int, str] = {}
        simulated = not order.url
        keys = {
            **KEYS,
            "MeterValueSampleInterval": 10 if simulated else 1,
            "MeterValuesSampledData": ENERGY,
            "StopTxnSampledData": ENERGY,
        }
        config = ChargePointConfig(
            connexion_url=order.url or URL,
            charge_point_identifier="CP1",
            charge_point_vendor="Vendor",
            charge_point_model="Model",
            call_request_timeout=2.0,
            connection_timeout=2.0,
            retry_interval=1.0 if simulated else 0.1,
            retry_interval_max=1.0 if simulated else 0.1,
            database_path=order.database,
            log_max_entries_count=0,
        )
        self.cp = IChargePoint.create(config, MemoryOcppConfig(keys), self, runtime)

    def get_tx_start_stop_meter_value(self, connector_id: int) -> int:
        self.meter += 1
        report(read=self.meter)
        return self.meter

    def get_meter_value(self, connector_id: int, measurand: Measurand, phase: Phase | None) -> list[SampledValue]:
        return [SampledValue(value=str(self.get_tx_start_stop_meter_value(connector_id)))]

    def begin(self, connector_id: int) -> None:
        self.number += 1
        tag = f"{os.getpid()}-{self.number}"
        if self.cp.start_transaction(connector_id, tag) is AuthorizationStatus.Accepted:
            self.tags[connector_id] = tag
            report(begun=tag)

    def end(self, connector_id: int, reason: Reason = Reason.Local) -> None:
        if self.cp.stop_transaction(connector_id, reason=reason):
            report(ended=self.tags.pop(connector_id, ""))

    @property
    def is_ready(self) -> bool:
        return self.cp.is_connected and self.cp.registration_status is RegistrationStatus.Accepted

    @property
    def is_pending(self) -> bool:
        return self.cp.registration_status is RegistrationStatus.Pending

    @property
    def queue(self) -> int:
        session = self.cp._session  # type: ignore[attr-defined]
        return int(session.courier.table.count())


def kill_at(order: Order) -> Callable[[], int]:
    """Count the commits, and end it all at one of them. The result tells how many there were."""
    count = 0
    commit = Committer._commit

    def counted(self: Committer, connection: Any, jobs: Any) -> None:
        nonlocal count
        count += 1
        if count == order.kill and not order.after:
            os.kill(os.getpid(), signal.SIGKILL)
        commit(self, connection, jobs)
        if count == order.kill:
            os.kill(os.getpid(), signal.SIGKILL)

    Committer._commit = counted  # type: ignore[method-assign]
    return lambda: count


class ReportedBooks(Books):
    """The central system's books, kept on the other side of the pipe. Who comes again is kept waiting at first."""

    def __init__(self, clock: Callable[[], float], order: Order) -> None:
        super().__init__(clock)
        self.ids = dict(order.ids or {})
        self.next_id = len(self.ids) + 1
        self._pending = order.again
        self.answers["BootNotification"] = self._note("BootNotification", lambda _: self._boot())

    def _boot(self) -> dict[str, Any]:
        pending, self._pending = self._pending, False
        return {"status": "Pending" if pending else "Accepted", "currentTime": NOW, "interval": 3 if pending else 0}

    def _note(self, action: str, answer: Any) -> Any:
        noted = super()._note(action, answer)

        def reported(payload: dict[str, Any]) -> Any:
            report(action=action, payload=payload)
            return noted(payload)

        return reported


def live_simulated(order: Order) -> None:
    """Online, offline and online again; or, the time after, until nothing is left to be told."""
    with SimulatedRuntime(seed=order.kill) as sim:
        books = ReportedBooks(sim.clock.now, order)
        ScriptedServer(sim, URL, answers=books.answers)
        if order.again:
            sim.set_wall(sim.clock.utcnow().replace(hour=12))
        station = Station(sim, order)
        station.cp.start()
        if order.again:
            finish(station, sim.run_until)
        else:
            spend(station, sim)
        station.cp.stop()


def spend(station: Station, sim: SimulatedRuntime) -> None:
    sim.run_until(lambda: station.is_ready, 100)
    station.begin(1)
    sim.sleep(12)
    station.end(1)
    sim.network.refuse()
    sim.network.cut()
    sim.run_until(lambda: not station.is_ready, 10)
    for connector_id in CONNECTORS:
        station.begin(connector_id)
    sim.sleep(12)
    station.end(1)
    station.begin(1)
    sim.network.refuse(False)
    sim.run_until(lambda: station.is_ready and not station.queue, 100)
    for connector_id in CONNECTORS:
        station.end(connector_id, Reason.Remote)
    sim.run_until(lambda: not station.queue, 100)


def finish(station: Station, run_until: Callable[[Callable[[], bool], float], None]) -> None:
    """After the power cut: what ran is stopped, before the boot and while it is pending; then all is delivered."""
    for connector_id in CONNECTORS:
        station.end(connector_id, Reason.PowerLoss)
        run_until(lambda: station.is_pending or station.is_ready, 100)
    run_until(lambda: station.is_ready and not station.queue, 100)


def live_really(order: Order) -> None:
    """Sockets and threads: transactions as fast as they go."""
    with Runtime(name="station") as runtime:
        gate = runtime.threads.gate()

        def run_until(condition: Callable[[], bool], limit: float) -> None:
            deadline = runtime.clock.now() + limit
            while not condition() and runtime.clock.now() < deadline:
                gate.wait(0.02)

        station = Station(runtime, order)
        station.cp.start()
        run_until(lambda: station.is_ready, 20)
        if order.again:
            finish(station, run_until)
        else:
            for _ in range(5):
                for connector_id in CONNECTORS:
                    station.begin(connector_id)
                for connector_id in CONNECTORS:
                    station.end(connector_id)
        station.cp.stop()


def live(order: Order) -> None:
    count = kill_at(order)
    (live_really if order.url else live_simulated)(order)
    report(commits=count())


def main() -> None:
    for line in sys.stdin:
        order = Order(**json.loads(line))
        child = os.fork()
        if child == 0:
            try:
                live(order)
                os._exit(0)
            except BaseException as error:  # told to the test
                report(error=repr(error))
                os._exit(1)
        _, status = os.waitpid(child, 0)
        report(end=os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
