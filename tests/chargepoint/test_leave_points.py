"""What may happen while a procedure is out of the monitor: one defined outcome each.

A procedure leaves the monitor where it asks the application or waits for an answer. There everything else may come in.
``TABLE`` says what becomes of both. Whatever the cell, at the end every transaction was started once and stopped once,
and there was never more than one on the connector.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openocpp.testing.conversation import ScriptedServer
from openocpp.types import (
    AuthorizationStatus,
    AvailabilityStatus,
    AvailabilityType,
    ChargePointStatus,
    RegistrationStatus,
    UnlockStatus,
)
from tests.chargepoint.accounts import problems
from tests.chargepoint.conftest import URL, RecordingHandler, Station
from tests.chargepoint.driving import ENERGY, Books, energy, queued, rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from openocpp.runtime import Waiter
    from openocpp.testing import SimulatedRuntime
    from openocpp.testing.conversation import ScriptedPeer
    from openocpp.types import Measurand, Phase

# The results of the procedure and of what came in ("*": it had to wait), and whether a transaction runs after both.
# fmt: off
TABLE = """
while in              | there comes  | result   | of what came | then
start: meter value    | start        | Accepted | Invalid      | runs
start: meter value    | stop         | Accepted | False        | runs
start: meter value    | remote start | Accepted | Rejected     | runs
start: meter value    | remote stop  | Accepted | Rejected     | runs
start: meter value    | role stop    | Invalid  | True         | idle
start: meter value    | cut          | Accepted | -            | runs
start: meter value    | faulted      | Invalid  | True         | idle
start: meter value    | inoperative  | Accepted | Scheduled    | runs
start: first readings | start        | Accepted | Invalid      | runs
start: first readings | stop         | Accepted | False        | runs
start: first readings | remote start | Accepted | Rejected     | runs
start: first readings | remote stop  | Accepted | Rejected     | runs
start: first readings | role stop    | Invalid  | True         | idle
start: first readings | cut          | Accepted | -            | runs
start: first readings | faulted      | Invalid  | True         | idle
start: first readings | inoperative  | Accepted | Scheduled    | runs
start: answer         | start        | Accepted | Invalid      | runs
start: answer         | stop         | Accepted | True*        | idle
start: answer         | remote start | Accepted | Rejected     | runs
start: answer         | remote stop  | Accepted | Accepted*    | runs
start: answer         | role stop    | Accepted | True         | runs
start: answer         | cut          | Accepted | -            | runs
start: answer         | faulted      | Accepted | True         | runs
start: answer         | inoperative  | Accepted | Scheduled    | runs
stop: meter value     | start        | True     | Invalid      | idle
stop: meter value     | stop         | True     | False        | idle
stop: meter value     | remote start | True     | Rejected     | idle
stop: meter value     | remote stop  | True     | Rejected     | idle
stop: meter value     | role stop    | False    | True         | runs
stop: meter value     | cut          | True     | -            | idle
stop: meter value     | faulted      | True     | True         | idle
stop: meter value     | inoperative  | True     | Scheduled    | idle
stop: last readings   | start        | True     | Invalid      | idle
stop: last readings   | stop         | True     | False        | idle
stop: last readings   | remote start | True     | Rejected     | idle
stop: last readings   | remote stop  | True     | Rejected     | idle
stop: last readings   | role stop    | False    | True         | runs
stop: last readings   | cut          | True     | -            | idle
stop: last readings   | faulted      | True     | True         | idle
stop: last readings   | inoperative  | True     | Scheduled    | idle
stop: answer          | start        | True     | Accepted*    | runs
stop: answer          | stop         | True     | False        | idle
stop: answer          | remote start | True     | Accepted     | idle
stop: answer          | remote stop  | True     | Rejected     | idle
stop: answer          | role stop    | True     | True         | idle
stop: answer          | cut          | True     | -            | idle
stop: answer          | faulted      | True     | True         | idle
stop: answer          | inoperative  | True     | Accepted     | idle
authorize: answer     | start        | Accepted | Accepted*    | runs
authorize: answer     | stop         | Accepted | False        | idle
authorize: answer     | remote start | Accepted | Accepted     | idle
authorize: answer     | remote stop  | Accepted | Rejected     | idle
authorize: answer     | role stop    | Invalid  | True         | idle
authorize: answer     | cut          | Accepted | -            | idle
authorize: answer     | faulted      | Accepted | True         | idle
authorize: answer     | inoperative  | Accepted | Accepted     | idle
remote start          | start        | Accepted | Accepted     | runs
remote start          | stop         | Accepted | False        | idle
remote start          | remote start | Accepted | Accepted*    | idle
remote start          | remote stop  | Accepted | Rejected*    | idle
remote start          | role stop    | none     | True         | idle
remote start          | cut          | none     | -            | idle
remote start          | faulted      | Accepted | True         | idle
remote start          | inoperative  | Accepted | Accepted*    | idle
remote stop           | start        | Accepted | Invalid      | runs
remote stop           | stop         | Accepted | True         | idle
remote stop           | remote start | Accepted | Rejected*    | runs
remote stop           | remote stop  | Accepted | Accepted*    | runs
remote stop           | role stop    | none     | True         | runs
remote stop           | cut          | none     | -            | runs
remote stop           | faulted      | Accepted | True         | runs
remote stop           | inoperative  | Accepted | Scheduled*   | runs
unlock                | start        | Unlocked | Accepted     | runs
unlock                | stop         | Unlocked | False        | idle
unlock                | remote start | Unlocked | Accepted*    | idle
unlock                | remote stop  | Unlocked | Rejected*    | idle
unlock                | role stop    | none     | True         | idle
unlock                | cut          | none     | -            | idle
unlock                | faulted      | Unlocked | True         | idle
unlock                | inoperative  | Unlocked | Accepted*    | idle
sample                | start        | True     | Invalid      | runs
sample                | stop         | False    | True         | idle
sample                | remote start | True     | Rejected     | runs
sample                | remote stop  | True     | Accepted     | runs
sample                | role stop    | False    | True         | runs
sample                | cut          | True     | -            | runs
sample                | faulted      | True     | True         | runs
sample                | inoperative  | True     | Scheduled    | runs
availability          | start        | Scheduled | Accepted     | runs
availability          | stop         | Accepted | False        | idle
availability          | remote start | Accepted | Rejected*    | idle
availability          | remote stop  | Accepted | Rejected*    | idle
availability          | role stop    | none     | True         | idle
availability          | cut          | none     | -            | idle
availability          | faulted      | Accepted | True         | idle
availability          | inoperative  | Accepted | Accepted*    | idle
"""
# fmt: on


class Holding(RecordingHandler):
    """An application that can be held inside one of its callbacks."""

    def __init__(self, sim: SimulatedRuntime) -> None:
        super().__init__()
        self._sim = sim
        self._hold = ""
        self._waiter: Waiter[None] | None = None
        self.reached = False
        self.fails = False

    def hold(self, callback: str) -> None:
        self._hold, self._waiter, self.reached = callback, self._sim.waiter(), False

    def release(self) -> None:
        if self._waiter is not None:
            self._waiter.set(None)

    def _pass(self, callback: str) -> None:
        if callback == self._hold and self._waiter is not None:
            self._hold, self.reached = "", True
            self._waiter.wait()

    def get_tx_start_stop_meter_value(self, connector_id: int) -> int:
        self._pass("meter")
        if self.fails:
            raise OSError("the meter is gone")
        return super().get_tx_start_stop_meter_value(connector_id)

    def get_meter_value(self, connector_id: int, measurand: Measurand, phase: Phase | None) -> Any:
        self._pass("reading")
        return super().get_meter_value(connector_id, measurand, phase)

    def remote_start_transaction_requested(self, connector_id: int, id_tag: str) -> bool:
        self._pass("remote start")
        return super().remote_start_transaction_requested(connector_id, id_tag)

    def remote_stop_transaction_requested(self, connector_id: int) -> bool:
        self._pass("remote stop")
        return super().remote_stop_transaction_requested(connector_id)

    def change_availability_requested(self, connector_id: int, availability: AvailabilityType) -> AvailabilityStatus:
        self._pass("availability")
        return super().change_availability_requested(connector_id, availability)

    def unlock_connector_requested(self, connector_id: int) -> UnlockStatus:
        self._pass("unlock")
        return super().unlock_connector_requested(connector_id)


class Scene:
    """A station, a central system with its books, and the two that meet."""

    def __init__(self, sim: SimulatedRuntime, folder: Path) -> None:
        self.sim = sim
        self.books = Books(sim.clock.now)
        self.server = ScriptedServer(sim, URL, answers=self.books.answers)
        self.station = Station(
            sim,
            str(folder / "cp.db"),
            {"StopTxnSampledData": ENERGY, "MeterValuesSampledData": ENERGY, "MeterValueSampleInterval": 50},
            retry_interval_max=1.0,
        )
        self.handler = Holding(sim)
        self.handler.values = energy(self.station)
        self.station.handler = self.handler
        self.station.cp = self.station.create()
        self.tags = 0
        self.begun: list[str] = []
        self.withheld = ""
        self.station.cp.start()
        self.settle()

    @property
    def peer(self) -> ScriptedPeer:
        return self.server.peers[-1]

    def settle(self) -> None:
        accepted = RegistrationStatus.Accepted
        self.sim.run_until(
            lambda: self.station.cp.is_connected and self.station.cp.registration_status is accepted, 100
        )
        self.sim.sleep(1)

    def tag(self) -> str:
        self.tags += 1
        return f"TAG{self.tags}"

    # -- what can be done ----------------------------------------------------------------------------------------------

    def start(self) -> Any:
        tag = self.tag()
        status = self.station.cp.start_transaction(1, tag)
        if status is AuthorizationStatus.Accepted:
            self.begun.append(tag)
        return status

    def stop(self) -> Any:
        return self.station.cp.stop_transaction(1)

    def authorize(self) -> Any:
        return self.station.cp.authorize(1, self.tag()).status

    def sampled(self) -> Any:
        """A sample is taken by itself: it was, when it has got a message."""
        before = len(self.books.of("MeterValues")) + queued(self.station).count("MeterValues")
        self.sim.sleep(50.5)
        return len(self.books.of("MeterValues")) > before

    def called(self, action: str, **payload: Any) -> Any:
        """The status of an answer; "none" if there is none, for the connection was lost."""
        call = self.peer.call(action, payload)
        self.sim.run_until(lambda: call.answered or self.peer.closed_why is not None, 100)
        return call.frame[2].get("status") if call.frame else "none"

    def remote_start(self) -> Any:
        return self.called("RemoteStartTransaction", connectorId=1, idTag=self.tag())

    def remote_stop(self) -> Any:
        """Of the newest transaction, or of the one whose start is about to be answered."""
        newest = self.books.next_id - (self.withheld != "StartTransaction")
        return self.called("RemoteStopTransaction", transactionId=newest)

    def unlock(self) -> Any:
        return self.called("UnlockConnector", connectorId=1)

    def unavailable(self) -> Any:
        return self.called("ChangeAvailability", connectorId=1, type="Inoperative")

    def faulted(self) -> Any:
        return self.station.cp.status_notification(1, ChargePointStatus.Faulted)

    def role_stop(self) -> Any:
        return self.station.cp.stop()

    def cut(self) -> Any:
        self.sim.network.cut()
        return "-"

    # -- being held ----------------------------------------------------------------------------------------------------

    def withhold(self, action: str) -> None:
        self.withheld = action
        self.answer = self.books.answers.pop(action)

    def release(self) -> None:
        """Let go whoever is held, in the application or for an answer."""
        self.handler.release()
        if self.withheld:
            self.books.answers[self.withheld] = self.answer
            peer, action = self.peer, self.withheld
            if peer.closed_why is None:
                call = peer.expect_call(action)
                call.answer(self.answer(call.payload) if callable(self.answer) else self.answer)
            self.withheld = ""

    def hold(self, callback: str, action: str) -> None:
        if callback:
            self.handler.hold(callback)
        else:
            self.withhold(action)

    def is_held(self) -> bool:
        asked = f'"{self.withheld}"'
        return self.handler.reached or (bool(self.withheld) and asked in self.peer.texts[-1])

    # -- the end -------------------------------------------------------------------------------------------------------

    def runs(self) -> bool:
        """Does a transaction run on connector 1?"""
        return bool(rows(self.station, "SELECT key FROM Transactions WHERE running"))

    def check_accounts(self) -> None:
        """Everything is set right and ended; then the books must be complete."""
        self.settle()
        self.station.cp.status_notification(1, ChargePointStatus.Available)
        self.called("ChangeAvailability", connectorId=1, type="Operative")
        if self.runs():
            assert self.stop() is True
        assert not self.runs()
        self.sim.run_until(lambda: not queued(self.station), 100)
        assert problems(self.books.received, self.books.ids, self.begun, self.begun) == []
        assert len(self.books.ids) == len(self.begun)
        assert self.start() is AuthorizationStatus.Accepted  # nothing is left that would be in the way


POINTS: dict[str, tuple[bool, str, str, Callable[[Scene], Any]]] = {
    "start: meter value": (False, "meter", "", Scene.start),
    "start: first readings": (False, "reading", "", Scene.start),
    "start: answer": (False, "", "StartTransaction", Scene.start),
    "stop: meter value": (True, "meter", "", Scene.stop),
    "stop: last readings": (True, "reading", "", Scene.stop),
    "stop: answer": (True, "", "StopTransaction", Scene.stop),
    "authorize: answer": (False, "", "Authorize", Scene.authorize),
    "remote start": (False, "remote start", "", Scene.remote_start),
    "remote stop": (True, "remote stop", "", Scene.remote_stop),
    "unlock": (True, "unlock", "", Scene.unlock),
    "sample": (True, "reading", "", Scene.sampled),
    "availability": (False, "availability", "", Scene.unavailable),
}
INTRUDERS: dict[str, Callable[[Scene], Any]] = {
    "start": Scene.start,
    "stop": Scene.stop,
    "remote start": Scene.remote_start,
    "remote stop": Scene.remote_stop,
    "role stop": Scene.role_stop,
    "cut": Scene.cut,
    "faulted": Scene.faulted,
    "inoperative": Scene.unavailable,
}


LINES = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()[1:]]


def test_the_table_is_complete() -> None:
    assert [line[:2] for line in LINES] == [[point, intruder] for point in POINTS for intruder in INTRUDERS]


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line[0]}, then {line[1]}")
def test_there_is_one_outcome(sim: SimulatedRuntime, tmp_path: Path, line: list[str]) -> None:
    point, intruder = line[:2]
    scene = Scene(sim, tmp_path)
    runs_before, callback, withheld, procedure = POINTS[point]
    if runs_before:
        scene.start()
        sim.sleep(1)
    scene.hold(callback, withheld)
    first = sim.user(lambda: procedure(scene), "procedure")
    sim.run_until(scene.is_held, 60)
    second = sim.user(lambda: INTRUDERS[intruder](scene), "intruder")
    sim.sleep(0.5)
    waits = "" if second.done else "*"
    scene.release()
    results = [str(first.result()), f"{second.result()}{waits}"]
    sim.sleep(0.2)
    if intruder == "role stop":
        scene.station.cp = scene.station.create()
        scene.station.cp.start()
    assert [*results, "runs" if scene.runs() else "idle"] == line[2:]
    scene.check_accounts()
    scene.station.cp.stop()


def test_what_waited_for_a_start_that_fails_is_done_then(sim: SimulatedRuntime, tmp_path: Path) -> None:
    """An unavailability is put off to the end of a transaction that then does not begin."""
    scene = Scene(sim, tmp_path)
    scene.handler.hold("meter")
    first = sim.user(scene.start)
    sim.run_until(scene.is_held, 60)
    assert scene.unavailable() == "Scheduled"
    scene.handler.fails = True
    scene.release()
    assert first.result() is AuthorizationStatus.Invalid
    assert scene.station.cp.get_connector_status(1) is ChargePointStatus.Unavailable
    scene.handler.fails = False
    scene.check_accounts()
    scene.station.cp.stop()


@pytest.mark.parametrize("callback", ["meter", "reading"])
def test_a_connector_is_not_unlocked_under_a_start(sim: SimulatedRuntime, tmp_path: Path, callback: str) -> None:
    scene = Scene(sim, tmp_path)
    scene.handler.hold(callback)
    first = sim.user(scene.start)
    sim.run_until(scene.is_held, 60)
    assert scene.unlock() == "UnlockFailed"
    scene.release()
    assert first.result() is AuthorizationStatus.Accepted
    assert scene.unlock() == "Unlocked"
    scene.check_accounts()
    scene.station.cp.stop()


def test_a_stop_and_an_unlock_are_one_stop(sim: SimulatedRuntime, tmp_path: Path) -> None:
    scene = Scene(sim, tmp_path)
    scene.start()
    scene.handler.hold("meter")
    first = sim.user(scene.stop)
    sim.run_until(scene.is_held, 60)
    assert scene.unlock() == "Unlocked"
    scene.release()
    assert first.result() is True
    scene.check_accounts()
    scene.station.cp.stop()


def test_a_start_that_is_answered_before_its_caller_waits(sim: SimulatedRuntime, tmp_path: Path) -> None:
    """Something else has the queue delivered while the caller is on its way to wait for the answer."""
    scene = Scene(sim, tmp_path)
    session = scene.station.cp._session  # type: ignore[attr-defined]

    def dawdle(connector: object, transaction: object) -> None:
        session.courier.kick()
        with session.ctx.monitor.left():
            sim.sleep(1)

    session.transactions.started.subscribe(dawdle)
    began = sim.clock.now()
    assert scene.start() is AuthorizationStatus.Accepted
    assert sim.clock.now() == began + 1
    session.transactions.stopped.subscribe(dawdle)
    assert scene.stop() is True
    assert sim.clock.now() == began + 2
    scene.check_accounts()
    scene.station.cp.stop()
