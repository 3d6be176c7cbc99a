"""What the central system may ask for: remote start and stop, unlock, reset."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.chargepoint.interface import DefaultChargePointEventsHandler
from openocpp.store.connectors import Connectors
from openocpp.testing.conversation import ABSENT
from openocpp.types import (
    AuthorizationStatus,
    ChargePointStatus,
    Reason,
    RegistrationStatus,
    ResetType,
    UnlockStatus,
)
from tests.chargepoint.conftest import NOW, CentralSide, RecordingHandler, Station, online
from tests.chargepoint.driving import (
    begin,
    database_of,
    end,
    go_offline,
    go_online,
    judged,
    queued,
    rows,
    started,
    starting,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.testing import SimulatedRuntime
    from openocpp.testing.conversation import ScriptedPeer, SentCall


def remote_start(peer: ScriptedPeer, connector_id: int | None = 1, id_tag: str = "TAG") -> SentCall:
    request: dict[str, Any] = {"idTag": id_tag}
    if connector_id is not None:
        request["connectorId"] = connector_id
    return peer.call("RemoteStartTransaction", request)


def status_of(call: SentCall) -> str:
    return str(call.result()["status"])


def tell(station: Station, peer: ScriptedPeer, connector_id: int, status: ChargePointStatus) -> None:
    station.cp.status_notification(connector_id, status)
    peer.expect_call("StatusNotification", {"connectorId": connector_id, "status": status.value}).answer()


# -- remote start (1.6 §5.11) ------------------------------------------------------------------------------------------


def test_a_remote_start_reaches_the_application(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    assert status_of(remote_start(peer, 2, "Tag")) == "Accepted"
    assert status_of(remote_start(peer, None, "Tag")) == "Accepted"
    assert station.handler.of("remote_start_transaction_requested") == [(2, "Tag"), (0, "Tag")]
    peer.expect_nothing(5)  # the application starts, not the role


@pytest.mark.parametrize("status", ["Preparing", "Finishing", "SuspendedEV"])
def test_an_occupied_connector_without_transaction_may_be_started(
    station: Station, central: CentralSide, status: str
) -> None:
    peer = online(station, central)
    tell(station, peer, 1, ChargePointStatus(status))
    assert status_of(remote_start(peer)) == "Accepted"


@pytest.mark.parametrize("connector_id", [0, 3])
def test_no_remote_start_of_a_connector_that_there_is_not(
    station: Station, central: CentralSide, connector_id: int
) -> None:
    peer = online(station, central)
    assert status_of(remote_start(peer, connector_id)) == "Rejected"
    assert station.handler.of("remote_start_transaction_requested") == []


def test_no_remote_start_of_a_busy_connector(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    begin(station, peer, 1)
    assert status_of(remote_start(peer, 1)) == "Rejected"
    assert status_of(remote_start(peer, None)) == "Accepted"  # the other one is free
    begin(station, peer, 2, transaction_id=43)
    assert status_of(remote_start(peer, None)) == "Rejected"
    assert station.handler.of("remote_start_transaction_requested") == [(0, "TAG")]


@pytest.mark.parametrize("status", [ChargePointStatus.Unavailable, ChargePointStatus.Faulted])
@pytest.mark.parametrize("connector_id", [0, 1])
def test_no_remote_start_of_a_connector_that_is_out_of_order(
    station: Station, central: CentralSide, status: ChargePointStatus, connector_id: int
) -> None:
    peer = online(station, central)
    peer.answers["StatusNotification"] = {}
    if connector_id == 0 and status is ChargePointStatus.Unavailable:
        peer.call("ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}).result()
        station.sim.sleep(1)
    else:
        station.cp.status_notification(connector_id, status)
    assert status_of(remote_start(peer, 1)) == "Rejected"
    assert status_of(remote_start(peer, None)) == ("Rejected" if connector_id == 0 else "Accepted")


def reserve(station: Station, connector_id: int, id_tag: str, parent: str | None = None) -> None:
    """Before the start: the connector is reserved."""
    with database_of(station) as database:
        table = Connectors(database)
        table.load(2)
        row = table.rows()[connector_id]
        expiry = station.sim.clock.utcnow() + timedelta(days=1)
        reserved = replace(
            row,
            status="Reserved",
            reservation_id=9,
            reservation_id_tag=id_tag,
            reservation_parent_id_tag=parent,
            reservation_expiry=expiry,
        )
        table.save(reserved)


def test_a_reserved_connector_is_for_its_tag_and_group(station: Station, central: CentralSide) -> None:
    reserve(station, 1, "MINE", "GROUP")
    peer = online(station, central)
    assert status_of(remote_start(peer, 1, "mine")) == "Accepted"
    for info, outcome in (({"parentIdTag": "group"}, "Accepted"), ({"parentIdTag": "Q"}, "Rejected"), ({}, "Rejected")):
        call = remote_start(peer, 1, "MATE")
        peer.expect_call("Authorize", {"idTag": "MATE"}).answer(judged(**info))
        assert status_of(call) == outcome
    assert len(station.handler.of("remote_start_transaction_requested")) == 2


def test_the_log_says_why_a_remote_start_is_refused(
    station: Station, central: CentralSide, caplog: pytest.LogCaptureFixture
) -> None:
    reserve(station, 1, "MINE")
    peer = online(station, central)
    begin(station, peer, 2, "OTHER")
    for connector_id in (3, 2, 1, None):
        assert status_of(remote_start(peer, connector_id)) == "Rejected"
    station.handler.accept_remote = False
    assert status_of(remote_start(peer, 1, "MINE")) == "Rejected"
    lines = [record.getMessage() for record in caplog.records if "remote start refused" in record.getMessage()]
    assert [line.removeprefix("CP1: remote start refused: ") for line in lines] == [
        "connector 3: there is none",
        "connector 2: it is in use, or it cannot be used (1.6 §5.11)",
        "connector 1: it is reserved for another id tag (1.6 §5.13)",
        "no connector is free for this id tag (1.6 §5.11, §5.13)",
        "the application does not want it",
    ]


def test_a_connector_that_is_taken_while_the_group_is_asked_for(station: Station, central: CentralSide) -> None:
    reserve(station, 1, "MINE", "GROUP")
    peer = online(station, central)
    peer.answers["StatusNotification"] = {}
    call = remote_start(peer, 1, "MATE")
    asked = peer.expect_call("Authorize", {"idTag": "MATE"})
    user = starting(station, 1, "MINE")
    station.sim.sleep(0.5)
    asked.answer(judged(parentIdTag="GROUP"))
    peer.expect_call("StartTransaction", {"idTag": "MINE", "reservationId": 9}).answer(started())
    assert user.result() is AuthorizationStatus.Accepted
    assert status_of(call) == "Rejected"
    assert station.handler.of("remote_start_transaction_requested") == []


def test_what_the_application_refuses_is_rejected(station: Station, central: CentralSide) -> None:
    station.handler.accept_remote = False
    peer = online(station, central)
    assert status_of(remote_start(peer)) == "Rejected"


def test_while_pending_nothing_is_started_or_stopped(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    begin(station, peer, 1)
    station.restart()
    peer = central.boot(status="Pending", interval=300)
    station.sim.run_until(lambda: station.cp.registration_status is RegistrationStatus.Pending, 10)
    assert status_of(remote_start(peer, 2)) == "Rejected"
    assert status_of(peer.call("RemoteStopTransaction", {"transactionId": 42})) == "Rejected"
    assert station.handler.of("remote_start_transaction_requested") == []
    assert station.handler.of("remote_stop_transaction_requested") == []


def test_before_the_boot_is_answered_nothing_is_started(station: Station, central: CentralSide) -> None:
    station.cp.start()
    peer = central.accept(StatusNotification={})
    boot = peer.expect_call("BootNotification")
    assert status_of(remote_start(peer)) == "Rejected"
    boot.answer({"status": "Accepted", "currentTime": NOW, "interval": 0})
    station.sim.sleep(1)
    assert status_of(remote_start(peer)) == "Accepted"


def start_at_once(station: Station, outcomes: list[AuthorizationStatus]) -> type[RecordingHandler]:
    """A handler that starts the transaction before it answers."""

    class Eager(RecordingHandler):
        def remote_start_transaction_requested(self, connector_id: int, id_tag: str) -> bool:
            outcomes.append(station.cp.start_transaction(connector_id, id_tag))
            return True

    return Eager


def test_the_application_may_start_before_it_answers(station: Station, central: CentralSide) -> None:
    outcomes: list[AuthorizationStatus] = []
    station.handler = start_at_once(station, outcomes)()
    station.cp = station.create()
    peer = online(station, central)
    call = remote_start(peer)
    peer.expect_call("StartTransaction").answer(started(5))  # while the answer is still owed
    assert status_of(call) == "Accepted"
    assert outcomes == [AuthorizationStatus.Accepted]
    assert station.cp.transaction_id(1) == 5


def test_an_application_that_fails_is_an_internal_error(
    station: Station, central: CentralSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: RecordingHandler, *arguments: object) -> bool:
        raise ValueError("a bug")

    peer = online(station, central)
    begin(station, peer, 2)
    for name, action, request in (
        ("remote_start_transaction_requested", "RemoteStartTransaction", {"connectorId": 1, "idTag": "T"}),
        ("remote_stop_transaction_requested", "RemoteStopTransaction", {"transactionId": 42}),
        ("unlock_connector_requested", "UnlockConnector", {"connectorId": 1}),
        ("reset_requested", "Reset", {"type": "Soft"}),
    ):
        monkeypatch.setattr(RecordingHandler, name, broken)
        peer.call(action, request).error("InternalError")
    peer.expect_nothing(5)
    end(station, peer, 2)


# -- remote stop (1.6 §5.12) -------------------------------------------------------------------------------------------


def test_remote_stop(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    begin(station, peer, 2, transaction_id=-3)
    stop = {"transactionId": -3}
    assert status_of(peer.call("RemoteStopTransaction", stop)) == "Accepted"
    assert station.handler.of("remote_stop_transaction_requested") == [(2,)]
    assert status_of(peer.call("RemoteStopTransaction", {"transactionId": 4})) == "Rejected"
    station.handler.accept_remote = False
    assert status_of(peer.call("RemoteStopTransaction", stop)) == "Rejected"
    assert station.cp.transaction_id(2) == -3
    end(station, peer, 2)
    assert status_of(peer.call("RemoteStopTransaction", stop)) == "Rejected"
    assert len(station.handler.of("remote_stop_transaction_requested")) == 2


def test_a_transaction_without_a_known_id_is_not_stopped_by_a_guess(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    user = starting(station)
    peer.expect_call("StartTransaction").refuse("InternalError")
    assert user.result() is AuthorizationStatus.Accepted
    for guess in (0, -1):
        assert status_of(peer.call("RemoteStopTransaction", {"transactionId": guess})) == "Rejected"


# -- unlock (1.6 §5.18, errata 3.85) -----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", list(UnlockStatus))
def test_the_application_unlocks(station: Station, central: CentralSide, status: UnlockStatus) -> None:
    station.handler.unlock = status
    peer = online(station, central)
    assert status_of(peer.call("UnlockConnector", {"connectorId": 2})) == status.value
    assert station.handler.of("unlock_connector_requested") == [(2,)]


@pytest.mark.parametrize("connector_id", [0, 3])
def test_there_is_nothing_to_unlock(station: Station, central: CentralSide, connector_id: int) -> None:
    peer = online(station, central)
    assert status_of(peer.call("UnlockConnector", {"connectorId": connector_id})) == "NotSupported"
    assert station.handler.of("unlock_connector_requested") == []


def test_a_transaction_is_finished_before_its_connector_is_unlocked(station: Station, central: CentralSide) -> None:
    """Neither side waits for the other: the stop is not answered before the unlocking is."""
    seen: list[int | None] = []

    class Locks(RecordingHandler):
        def unlock_connector_requested(self, connector_id: int) -> UnlockStatus:
            seen.append(station.cp.transaction_id(connector_id))
            return UnlockStatus.Unlocked

    station.handler = Locks()
    station.cp = station.create()
    peer = online(station, central)
    begin(station, peer, 2, transaction_id=22)
    call = peer.call("UnlockConnector", {"connectorId": 2})
    stop = peer.expect_call("StopTransaction", {"transactionId": 22, "reason": "UnlockCommand", "idTag": ABSENT})
    assert status_of(call) == "Unlocked"
    assert seen == [None]
    stop.answer()
    peer.expect_nothing(100)


def test_offline_a_stop_for_an_unlock_is_queued(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    begin(station, peer, transaction_id=22)
    station.handler.during_meter = lambda: go_offline(station)
    peer.call("UnlockConnector", {"connectorId": 1})
    station.sim.sleep(5)
    station.handler.during_meter = None
    assert queued(station) == ["StopTransaction"]
    peer = go_online(station, central)
    peer.expect_call("StopTransaction", {"transactionId": 22, "reason": "UnlockCommand"}).answer()


def test_where_there_are_no_locks_the_session_goes_on(station: Station, central: CentralSide) -> None:
    class Fixed(DefaultChargePointEventsHandler):
        def get_tx_start_stop_meter_value(self, connector_id: int) -> int:
            return 7

    station.handler = Fixed()  # type: ignore[assignment]
    station.cp = station.create()
    peer = online(station, central)
    begin(station, peer)
    assert status_of(peer.call("UnlockConnector", {"connectorId": 1})) == "NotSupported"
    peer.expect_nothing(5)
    assert station.cp.transaction_id(1) == 42


# -- reset (1.6 §5.14) -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(ResetType))
@pytest.mark.parametrize("accepted", [True, False])
def test_reset(station: Station, central: CentralSide, kind: ResetType, accepted: bool) -> None:
    station.handler.accept_reset = accepted
    peer = online(station, central)
    peer.answers["SecurityEventNotification"] = {}
    assert status_of(peer.call("Reset", {"type": kind.value})) == ("Accepted" if accepted else "Rejected")
    assert station.handler.of("reset_requested") == [(kind,)]
    events = rows(station, "SELECT type FROM SecurityLogs WHERE type = 'ResetOrReboot'")
    assert len(events) == (1 if accepted else 0)
    station.sim.sleep(1)
    assert peer.script.count('"ResetOrReboot"') == (1 if accepted else 0)


def resetting(station: Station, reason: Reason, done: list[bool]) -> Callable[[], None]:
    def reset() -> None:
        done.append(station.cp.stop_transaction(1, reason=reason))
        done.append(station.cp.stop())
        station.cp = station.create()
        done.append(station.cp.start())

    return reset


def test_the_application_ends_its_transactions_and_restarts(
    sim: SimulatedRuntime, station: Station, central: CentralSide
) -> None:
    done: list[bool] = []

    class Resetting(RecordingHandler):
        def reset_requested(self, type: ResetType) -> bool:
            sim.user(resetting(station, Reason.HardReset, done))
            return True

    station.handler = Resetting()
    station.cp = station.create()
    peer = online(station, central)
    peer.answers["SecurityEventNotification"] = {}
    begin(station, peer)
    call = peer.call("Reset", {"type": "Hard"})
    peer.expect_call("StopTransaction", {"transactionId": 42, "reason": "HardReset"}).answer()
    assert status_of(call) == "Accepted"
    peer = central.accept(StatusNotification={}, SecurityEventNotification={})
    peer.expect_call("BootNotification").answer({"status": "Accepted", "currentTime": NOW, "interval": 0})
    sim.sleep(1)
    assert done == [True, True, True]


def test_the_application_may_stop_the_role_from_within(
    station: Station, central: CentralSide, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[bool] = []

    class Hasty(RecordingHandler):
        def reset_requested(self, type: ResetType) -> bool:
            done.append(station.cp.stop())
            return True

    station.handler = Hasty()
    station.cp = station.create()
    peer = online(station, central)
    peer.call("Reset", {"type": "Hard"})
    peer.expect_closed(1000)
    station.sim.sleep(1)
    assert done == [True]
    assert "failed" not in caplog.text


def test_a_stop_that_overtakes_the_answer_to_the_start_finds_its_transaction(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    """Answer and CALL are handled side by side: whichever comes first, the id is known."""
    peer = online(station, central)
    start = sim.user(lambda: station.cp.start_transaction(1, "TAG"))
    begun = peer.expect_call("StartTransaction")
    stop = peer.call("RemoteStopTransaction", {"transactionId": 100})
    sim.sleep(0.5)
    begun.answer({"idTagInfo": {"status": "Accepted"}, "transactionId": 100})
    assert stop.result() == {"status": "Accepted"}
    assert start.result() is AuthorizationStatus.Accepted


def test_a_stop_of_an_unknown_transaction_does_not_wait_long(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    peer = online(station, central)
    sim.user(lambda: station.cp.start_transaction(1, "TAG"))
    peer.expect_call("StartTransaction")
    asked = sim.clock.now()
    assert peer.call("RemoteStopTransaction", {"transactionId": 100}).result() == {"status": "Rejected"}
    assert sim.clock.now() - asked == 1.0


def test_nobody_waits_for_the_id_of_a_start_that_was_given_up(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    station.keys.put("TransactionMessageAttempts", "1")
    peer = online(station, central)
    sim.user(lambda: station.cp.start_transaction(1, "TAG"))
    peer.expect_call("StartTransaction").refuse("InternalError")
    sim.sleep(1)
    asked = sim.clock.now()
    assert peer.call("RemoteStopTransaction", {"transactionId": 100}).result() == {"status": "Rejected"}
    assert sim.clock.now() == asked
