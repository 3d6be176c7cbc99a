"""Statuses of connectors as the central system comes to know them, and their availability."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.chargepoint.status import shown_status
from openocpp.errors import LocalProtocolError
from openocpp.testing.conversation import ABSENT
from openocpp.types import (
    AuthorizationStatus,
    AvailabilityStatus,
    AvailabilityType,
    RegistrationStatus,
)
from openocpp.types import ChargePointErrorCode as Error
from openocpp.types import ChargePointStatus as Status
from tests.chargepoint.conftest import Station, online

if TYPE_CHECKING:
    from pathlib import Path

    from openocpp.testing import SimulatedRuntime
    from openocpp.testing.conversation import ScriptedPeer
    from tests.chargepoint.conftest import CentralSide

AVAILABLE, PREPARING, CHARGING, FAULTED = Status.Available, Status.Preparing, Status.Charging, Status.Faulted
STARTED = {"transactionId": 7, "idTagInfo": {"status": "Accepted"}}


def told(peer: ScriptedPeer, connector_id: int, status: str, **more: Any) -> dict[str, Any]:
    """The central system is told this, and answers."""
    call = peer.expect_call("StatusNotification", {"connectorId": connector_id, "status": status, **more})
    call.answer()
    return call.payload


def make(peer: ScriptedPeer, connector_id: int, kind: str, verdict: str) -> None:
    request = {"connectorId": connector_id, "type": kind}
    peer.call("ChangeAvailability", request).result({"status": verdict})


def statuses(station: Station) -> list[str]:
    return [station.cp.get_connector_status(number).value for number in range(3)]


def charge(station: Station, peer: ScriptedPeer, connector_id: int = 1) -> None:
    """A transaction is started."""
    user = station.sim.user(lambda: station.cp.start_transaction(connector_id, "TAG"))
    peer.expect_call("StartTransaction").answer(STARTED)
    assert user.result() is AuthorizationStatus.Accepted


def end_charge(station: Station, peer: ScriptedPeer, connector_id: int = 1) -> None:
    peer.answers["StopTransaction"] = {}
    assert station.cp.stop_transaction(connector_id)


# -- what is shown -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("real", "operative", "reserved", "in_transaction", "shown"),
    [
        (AVAILABLE, True, False, False, AVAILABLE),
        (AVAILABLE, True, True, False, Status.Reserved),
        (PREPARING, True, True, False, PREPARING),
        (AVAILABLE, False, False, False, Status.Unavailable),
        (AVAILABLE, False, True, False, Status.Unavailable),
        (PREPARING, False, False, False, Status.Unavailable),
        (FAULTED, True, False, False, FAULTED),
        (FAULTED, False, True, False, FAULTED),
        (FAULTED, True, False, True, FAULTED),
        (CHARGING, False, False, True, CHARGING),
        (CHARGING, True, True, True, CHARGING),
        (Status.Unavailable, True, False, False, Status.Unavailable),
    ],
)
def test_what_is_shown_of_a_connector(
    real: Status, operative: bool, reserved: bool, in_transaction: bool, shown: Status
) -> None:
    assert shown_status(real, operative=operative, reserved=reserved, in_transaction=in_transaction) is shown


# -- told by the application -------------------------------------------------------------------------------------------


def test_a_change_is_told_with_its_time_and_texts(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    peer = online(station, central)
    sim.sleep(100.0)
    assert station.cp.status_notification(1, FAULTED, Error.GroundFailure, "wet", "vendor", "E 42")
    payload = told(peer, 1, "Faulted")
    assert payload == {
        "connectorId": 1,
        "status": "Faulted",
        "errorCode": "GroundFailure",
        "info": "wet",
        "vendorId": "vendor",
        "vendorErrorCode": "E 42",
        "timestamp": "2024-01-01T00:01:40Z",
    }
    assert station.cp.status_notification(1, AVAILABLE, info=None, vendor_id=None, vendor_error=None)
    told(peer, 1, "Available", errorCode="NoError", info=ABSENT, vendorId=ABSENT, vendorErrorCode=ABSENT)
    peer.expect_nothing(100.0)
    assert station.cp.get_connector_status(1) is AVAILABLE


def test_texts_for_people_are_cut_and_a_vendor_id_is_refused(
    station: Station, central: CentralSide, caplog: pytest.LogCaptureFixture
) -> None:
    peer = online(station, central)
    assert station.cp.status_notification(1, PREPARING, info="i" * 51, vendor_id="v" * 255, vendor_error="e" * 60)
    told(peer, 1, "Preparing", info="i" * 50, vendorId="v" * 255, vendorErrorCode="e" * 50)
    assert "info is cut to 50 characters" in caplog.text
    with pytest.raises(LocalProtocolError, match="vendorId"):
        station.cp.status_notification(1, CHARGING, vendor_id="v" * 256)
    peer.expect_nothing(10.0)
    assert station.cp.get_connector_status(1) is PREPARING


def test_values_outside_the_enumerations_are_refused_and_nothing_is_kept(
    station: Station, central: CentralSide
) -> None:
    peer = online(station, central)
    with pytest.raises(LocalProtocolError, match="status"):
        station.cp.status_notification(1, "Broken")  # type: ignore[arg-type]
    with pytest.raises(LocalProtocolError, match="errorCode"):
        station.cp.status_notification(1, FAULTED, "Everything")  # type: ignore[arg-type]
    peer.expect_nothing(10.0)
    assert statuses(station) == ["Available"] * 3
    assert station.cp.status_notification(1, "Charging")  # type: ignore[arg-type]
    told(peer, 1, "Charging")


@pytest.mark.parametrize("connector_id", [-1, 3, 1000])
def test_an_unknown_connector_is_refused(station: Station, central: CentralSide, connector_id: int) -> None:
    online(station, central)
    assert station.cp.status_notification(connector_id, PREPARING) is False
    assert station.cp.get_connector_status(connector_id) is Status.Unavailable


@pytest.mark.parametrize("status", Status)
def test_what_connector_0_can_be(station: Station, central: CentralSide, status: Status) -> None:
    peer = online(station, central)
    peer.answers["StatusNotification"] = {}
    possible = status in (AVAILABLE, Status.Unavailable, FAULTED)
    assert station.cp.status_notification(0, status) is possible
    peer.expect_nothing(5.0)
    assert station.cp.get_connector_status(0) is (status if possible else AVAILABLE)


def test_the_same_again_is_not_told_but_what_is_new_about_it_is(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    station.cp.status_notification(1, AVAILABLE)
    peer.expect_nothing(5.0)
    station.cp.status_notification(1, AVAILABLE, Error.WeakSignal)
    told(peer, 1, "Available", errorCode="WeakSignal")
    station.cp.status_notification(1, AVAILABLE, Error.WeakSignal, info="very weak")
    told(peer, 1, "Available", errorCode="WeakSignal", info="very weak")
    station.cp.status_notification(1, AVAILABLE, Error.WeakSignal, info="very weak")
    peer.expect_nothing(5.0)
    station.cp.status_notification(1, AVAILABLE)
    told(peer, 1, "Available", errorCode="NoError", info=ABSENT)


# -- MinimumStatusDuration ---------------------------------------------------------------------------------------------


@pytest.fixture
def slow(sim: SimulatedRuntime) -> Station:
    return Station(sim, "", {"MinimumStatusDuration": 2})


def test_a_status_that_does_not_last_is_never_told(slow: Station, central: CentralSide, sim: SimulatedRuntime) -> None:
    peer = online(slow, central)
    slow.cp.status_notification(1, PREPARING)
    assert slow.cp.get_connector_status(1) is PREPARING
    sim.sleep(1.0)
    slow.cp.status_notification(1, AVAILABLE)
    peer.expect_nothing(100.0)


def test_a_status_that_lasts_is_told_after_that_time_with_the_time_of_its_change(
    slow: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    peer = online(slow, central)
    sim.sleep(10.0)
    slow.cp.status_notification(1, PREPARING)
    peer.expect_nothing(1.9)
    told(peer, 1, "Preparing", timestamp="2024-01-01T00:00:10Z")
    assert sim.clock.now() == pytest.approx(12.0, abs=0.1)
    peer.expect_nothing(100.0)


def test_of_several_statuses_only_the_last_is_told(slow: Station, central: CentralSide, sim: SimulatedRuntime) -> None:
    peer = online(slow, central)
    for status in (PREPARING, CHARGING, Status.SuspendedEV):
        slow.cp.status_notification(1, status)
        sim.sleep(1.5)
    told(peer, 1, "SuspendedEV")
    peer.expect_nothing(100.0)


def test_an_error_does_not_wait_for_the_minimum_duration(slow: Station, central: CentralSide) -> None:
    peer = online(slow, central)
    slow.cp.status_notification(1, PREPARING)
    slow.cp.status_notification(1, FAULTED, Error.OverCurrentFailure)
    payload = peer.expect_call("StatusNotification", {"status": "Faulted"}, timeout=0.1)
    payload.answer()
    slow.cp.status_notification(1, FAULTED, Error.OverCurrentFailure, vendor_error="E1")
    peer.expect_call("StatusNotification", {"vendorErrorCode": "E1"}, timeout=0.1).answer()
    slow.cp.status_notification(1, FAULTED, Error.OverCurrentFailure, info="text", vendor_error="E1")
    peer.expect_call("StatusNotification", {"info": "text"}, timeout=0.1).answer()
    peer.expect_nothing(100.0)


def test_a_status_with_another_text_still_waits(slow: Station, central: CentralSide, sim: SimulatedRuntime) -> None:
    peer = online(slow, central)
    slow.cp.status_notification(1, PREPARING, info="cable plugged in")
    peer.expect_nothing(1.5)
    slow.cp.status_notification(1, AVAILABLE)
    peer.expect_nothing(100.0)


def test_a_connection_made_meanwhile_tells_once(slow: Station, central: CentralSide, sim: SimulatedRuntime) -> None:
    peer = online(slow, central)
    sim.sleep(1.0)
    slow.cp.status_notification(1, PREPARING)
    peer.abort()
    peer = central.accept()
    told(peer, 1, "Preparing")
    peer.expect_nothing(100.0)


def test_the_minimum_duration_can_be_changed(slow: Station, central: CentralSide) -> None:
    peer = online(slow, central)
    peer.call("ChangeConfiguration", {"key": "MinimumStatusDuration", "value": "30"}).result({"status": "Accepted"})
    slow.cp.status_notification(1, PREPARING)
    peer.expect_nothing(29.5)
    told(peer, 1, "Preparing")
    peer.call("ChangeConfiguration", {"key": "MinimumStatusDuration", "value": "0"}).result({"status": "Accepted"})
    slow.cp.status_notification(1, CHARGING)
    peer.expect_call("StatusNotification", {"status": "Charging"}, timeout=0.1).answer()


# -- connections -------------------------------------------------------------------------------------------------------


def test_what_changed_while_offline_is_told_once_and_what_returned_is_not(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    peer = online(station, central)
    sim.sleep(1.0)
    sim.network.refuse()
    peer.abort()
    sim.sleep(5.0)
    for status in (PREPARING, CHARGING):
        station.cp.status_notification(1, status)
        station.cp.status_notification(2, status)
    station.cp.status_notification(2, AVAILABLE)
    station.cp.status_notification(0, AVAILABLE, Error.WeakSignal)
    sim.network.refuse(False)
    peer = central.accept()
    told(peer, 0, "Available", errorCode="WeakSignal")
    told(peer, 1, "Charging")
    peer.expect_nothing(100.0)


def test_many_connectors_are_told_on_a_reconnection_without_losing_time(
    sim: SimulatedRuntime, central: CentralSide
) -> None:
    """None of them waits for a timeout: the answers are read while they are sent."""
    station = Station(sim, "", {"NumberOfConnectors": 20}, call_request_timeout=30.0)
    station.cp.start()
    peer = central.accept(StatusNotification={})
    peer.expect_call("BootNotification").answer(
        {"status": "Accepted", "currentTime": "2024-01-01T00:00:00Z", "interval": 0}
    )
    sim.sleep(1.0)
    sim.network.refuse()
    peer.abort()
    sim.sleep(5.0)
    for number in range(1, 21):
        station.cp.status_notification(number, PREPARING)
    central.server.answers.clear()
    sim.network.refuse(False)
    peer = central.accept()
    began = sim.clock.now()
    for number in range(1, 21):
        told(peer, number, "Preparing")
    assert sim.clock.now() - began < 1.0
    station.cp.stop()


def test_what_was_not_answered_is_told_with_the_next_connection(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    peer = online(station, central)
    station.cp.status_notification(1, PREPARING)
    peer.expect_call("StatusNotification", {"status": "Preparing"})  # no answer
    sim.sleep(10.0)
    station.cp.status_notification(2, CHARGING)
    peer.expect_call("StatusNotification", {"status": "Charging"}).refuse("InternalError")
    sim.sleep(1.0)
    peer.abort()
    peer = central.accept()
    told(peer, 1, "Preparing")
    told(peer, 2, "Charging")
    peer.expect_nothing(100.0)


def test_what_is_left_of_the_first_statuses_follows_with_the_next_connection(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    online(station, central)
    sim.sleep(1.0)
    station.restart()
    peer = central.accept()
    peer.expect_call("BootNotification").answer(
        {"status": "Accepted", "currentTime": "2024-01-01T00:00:00Z", "interval": 600}
    )
    told(peer, 0, "Available")
    sim.sleep(0.1)
    peer.abort()
    peer = central.accept()
    told(peer, 1, "Available")
    told(peer, 2, "Available")
    peer.expect_nothing(100.0)


def test_statuses_and_errors_survive_a_restart(station: Station, central: CentralSide, sim: SimulatedRuntime) -> None:
    peer = online(station, central)
    station.cp.status_notification(1, FAULTED, Error.GroundFailure, "wet")
    told(peer, 1, "Faulted")
    sim.sleep(1.0)
    station.restart()
    assert station.cp.get_connector_status(1) is FAULTED
    peer = central.accept()
    peer.expect_call("BootNotification").answer(
        {"status": "Accepted", "currentTime": "2024-01-01T00:00:00Z", "interval": 600}
    )
    told(peer, 0, "Available")
    told(peer, 1, "Faulted", errorCode="GroundFailure", info="wet")
    told(peer, 2, "Available")


def test_triggered_statuses(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    station.cp.status_notification(2, PREPARING)
    told(peer, 2, "Preparing")
    trigger = {"requestedMessage": "StatusNotification"}
    peer.call("TriggerMessage", trigger).result({"status": "Accepted"})
    for number, status in enumerate(("Available", "Available", "Preparing")):
        told(peer, number, status)
    peer.call("ExtendedTriggerMessage", {**trigger, "connectorId": 2}).result({"status": "Accepted"})
    told(peer, 2, "Preparing")
    peer.call("TriggerMessage", {**trigger, "connectorId": 3}).result({"status": "Rejected"})
    peer.expect_nothing(10.0)


# -- ChangeAvailability ------------------------------------------------------------------------------------------------


def test_a_connector_becomes_unavailable_and_available_again(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    make(peer, 1, "Inoperative", "Accepted")
    told(peer, 1, "Unavailable")
    assert statuses(station) == ["Available", "Unavailable", "Available"]
    assert station.cp.start_transaction(1, "TAG") is AuthorizationStatus.Invalid
    make(peer, 1, "Operative", "Accepted")
    told(peer, 1, "Available")
    peer.expect_nothing(10.0)
    asked = station.handler.of("change_availability_requested")
    assert asked == [(1, AvailabilityType.Inoperative), (1, AvailabilityType.Operative)]


def test_connector_0_means_all_of_them(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    make(peer, 0, "Inoperative", "Accepted")
    for number in range(3):
        told(peer, number, "Unavailable")
    make(peer, 2, "Operative", "Accepted")  # one of them is to be used all the same
    told(peer, 2, "Available")
    assert statuses(station) == ["Unavailable", "Unavailable", "Available"]
    make(peer, 0, "Operative", "Accepted")
    told(peer, 0, "Available")
    told(peer, 1, "Available")
    peer.expect_nothing(10.0)
    assert [entry[0] for entry in station.handler.of("change_availability_requested")] == [0, 2, 0]


@pytest.mark.parametrize("kind", ["Operative", "Inoperative"])
def test_what_is_so_already_is_accepted_without_asking(station: Station, central: CentralSide, kind: str) -> None:
    peer = online(station, central)
    peer.answers["StatusNotification"] = {}
    if kind == "Inoperative":
        make(peer, 0, kind, "Accepted")
    asked = len(station.handler.of("change_availability_requested"))
    for number in range(3):
        make(peer, number, kind, "Accepted")
    assert len(station.handler.of("change_availability_requested")) == asked


@pytest.mark.parametrize("connector_id", [3, 99, 2**31 - 1])
def test_an_unknown_connector_is_an_error(station: Station, central: CentralSide, connector_id: int) -> None:
    peer = online(station, central)
    call = peer.call("ChangeAvailability", {"connectorId": connector_id, "type": "Inoperative"})
    assert "connectorId" in call.error("PropertyConstraintViolation")[1]
    assert station.handler.of("change_availability_requested") == []


def test_the_application_may_refuse(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    station.handler.availability = AvailabilityStatus.Rejected
    make(peer, 1, "Inoperative", "Rejected")
    make(peer, 0, "Inoperative", "Rejected")
    peer.expect_nothing(10.0)
    assert statuses(station) == ["Available"] * 3


def test_the_application_may_put_it_off_until_the_connector_is_free(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    peer = online(station, central)
    station.cp.status_notification(1, PREPARING)
    told(peer, 1, "Preparing")
    station.handler.availability = AvailabilityStatus.Scheduled
    make(peer, 1, "Inoperative", "Scheduled")
    peer.expect_nothing(10.0)
    station.cp.status_notification(1, Status.Finishing)
    told(peer, 1, "Finishing")
    station.cp.status_notification(1, AVAILABLE)
    peer.expect_call("StatusNotification", {"status": "Available"}).answer()
    told(peer, 1, "Unavailable")
    peer.expect_nothing(10.0)


def test_during_a_transaction_it_is_put_off_until_its_end(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    peer = online(station, central)
    station.cp.status_notification(1, CHARGING)
    told(peer, 1, "Charging")
    charge(station, peer)
    make(peer, 1, "Inoperative", "Scheduled")
    assert station.handler.of("change_availability_requested") == []
    peer.expect_nothing(10.0)
    assert station.cp.get_connector_status(1) is CHARGING
    end_charge(station, peer)
    told(peer, 1, "Unavailable")
    station.cp.status_notification(1, Status.Finishing)
    station.cp.status_notification(1, AVAILABLE)
    peer.expect_nothing(10.0)


def test_it_can_be_taken_back_during_the_transaction(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    charge(station, peer)
    make(peer, 1, "Inoperative", "Scheduled")
    make(peer, 1, "Operative", "Accepted")
    end_charge(station, peer)
    peer.expect_nothing(10.0)
    assert station.cp.get_connector_status(1) is AVAILABLE


def test_the_whole_charge_point_during_a_transaction(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    charge(station, peer)
    make(peer, 0, "Inoperative", "Scheduled")
    told(peer, 2, "Unavailable")  # nothing happens there
    assert statuses(station) == ["Available", "Available", "Unavailable"]
    peer.expect_nothing(10.0)
    end_charge(station, peer)
    assert {told(peer, *entry)["connectorId"] for entry in ((1, "Unavailable"), (0, "Unavailable"))} == {0, 1}
    peer.expect_nothing(10.0)


def test_what_was_put_off_survives_a_restart(station: Station, central: CentralSide, sim: SimulatedRuntime) -> None:
    peer = online(station, central)
    charge(station, peer)
    make(peer, 0, "Inoperative", "Scheduled")
    told(peer, 2, "Unavailable")
    sim.sleep(1.0)
    station.restart()
    peer = central.boot()
    assert statuses(station) == ["Available", "Available", "Unavailable"]
    end_charge(station, peer)
    told(peer, 1, "Unavailable")
    told(peer, 0, "Unavailable")
    assert statuses(station) == ["Unavailable"] * 3


@pytest.mark.parametrize(("real", "shown"), [("Available", "Unavailable"), ("Finishing", "Finishing")])
def test_a_transaction_that_ended_with_the_power_leaves_nothing_put_off(
    station: Station, central: CentralSide, tmp_path: Path, real: str, shown: str
) -> None:
    online(station, central)
    station.cp.stop()
    with closing(sqlite3.connect(tmp_path / "cp.db")) as connection:
        connection.execute(
            "UPDATE Connectors SET scheduled_availability = 'Inoperative', status = ?1, real_status = ?1 WHERE id = 1",
            (real,),
        )
        connection.commit()
    online(station, central)
    assert station.cp.get_connector_status(1).value == shown
    station.cp.status_notification(1, AVAILABLE)  # it is free now at the latest
    assert station.cp.get_connector_status(1) is Status.Unavailable


def test_unavailable_survives_a_restart_and_is_told_after_the_boot(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    peer = online(station, central)
    make(peer, 0, "Inoperative", "Accepted")
    for number in range(3):
        told(peer, number, "Unavailable")
    station.restart()
    peer = central.accept()
    peer.expect_call("BootNotification").answer(
        {"status": "Accepted", "currentTime": "2024-01-01T00:00:00Z", "interval": 600}
    )
    for number in range(3):
        told(peer, number, "Unavailable")
    make(peer, 0, "Operative", "Accepted")
    for number in range(3):
        told(peer, number, "Available")


def test_operative_brings_back_what_the_connector_really_is(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    make(peer, 1, "Inoperative", "Accepted")
    told(peer, 1, "Unavailable")
    station.cp.status_notification(1, PREPARING)
    peer.expect_nothing(5.0)
    assert station.cp.get_connector_status(1) is Status.Unavailable
    make(peer, 1, "Operative", "Accepted")
    told(peer, 1, "Preparing")


def test_a_fault_is_shown_even_if_the_connector_is_inoperative(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    make(peer, 1, "Inoperative", "Accepted")
    told(peer, 1, "Unavailable")
    station.cp.status_notification(1, FAULTED, Error.GroundFailure)
    told(peer, 1, "Faulted")
    make(peer, 1, "Operative", "Accepted")
    station.cp.status_notification(1, AVAILABLE)
    told(peer, 1, "Available")


def test_operative_makes_available_what_the_application_had_taken_out_of_use(
    station: Station, central: CentralSide
) -> None:
    peer = online(station, central)
    station.cp.status_notification(1, Status.Unavailable)
    told(peer, 1, "Unavailable")
    make(peer, 1, "Operative", "Accepted")
    told(peer, 1, "Available")
    assert station.handler.of("change_availability_requested") == [(1, AvailabilityType.Operative)]


def test_the_answer_goes_before_the_new_status(station: Station, central: CentralSide, sim: SimulatedRuntime) -> None:
    peer = online(station, central)
    sim.network.delay = 0.2
    call = peer.call("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
    peer.expect_call("StatusNotification", {"status": "Unavailable"})
    assert call.answered


def test_a_transaction_that_begins_while_the_application_is_asked_goes_on(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    peer = online(station, central)
    peer.answers.update({"StartTransaction": STARTED, "StatusNotification": {}})

    def start(connector_id: int, availability: AvailabilityType) -> AvailabilityStatus:
        assert station.cp.start_transaction(connector_id, "TAG") is AuthorizationStatus.Accepted
        return AvailabilityStatus.Accepted

    station.handler.change_availability_requested = start  # type: ignore[method-assign]
    make(peer, 1, "Inoperative", "Scheduled")
    assert station.cp.transaction_id(1) == 7
    end_charge(station, peer)
    assert station.cp.get_connector_status(1) is Status.Unavailable


def test_a_bug_of_the_application_is_an_internal_error_and_changes_nothing(
    station: Station, central: CentralSide
) -> None:
    peer = online(station, central)

    def fail(connector_id: int, availability: AvailabilityType) -> AvailabilityStatus:
        raise ZeroDivisionError

    station.handler.change_availability_requested = fail  # type: ignore[method-assign]
    peer.call("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"}).error("InternalError")
    peer.expect_nothing(5.0)
    assert station.cp.registration_status is RegistrationStatus.Accepted
    assert statuses(station) == ["Available"] * 3


def test_availability_can_be_changed_while_pending(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    station.cp.start()
    peer = central.boot(status="Pending", interval=60)
    sim.sleep(1.0)
    make(peer, 1, "Inoperative", "Accepted")
    peer.expect_nothing(50.0)
    assert station.cp.get_connector_status(1) is Status.Unavailable
