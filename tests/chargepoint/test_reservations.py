"""Reservations: who gets one, and how it ends."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.testing.conversation import ABSENT
from openocpp.types import AuthorizationStatus
from tests.chargepoint.conftest import NOW, CentralSide, Station
from tests.chargepoint.driving import begin, started, starting
from tests.chargepoint.reserving import (
    HOUR,
    WALL,
    Status,
    calls_back,
    cancel,
    reserve,
    reserved,
    show,
    stored,
    told,
    up,
)

if TYPE_CHECKING:
    from pathlib import Path

    from openocpp.testing import SimulatedRuntime

Accepted = AuthorizationStatus.Accepted
Invalid = AuthorizationStatus.Invalid


@pytest.fixture
def station(sim: SimulatedRuntime, tmp_path: Path) -> Any:
    made = Station(sim, str(tmp_path / "cp.db"), {"ReserveConnectorZeroSupported": "true"})
    yield made
    made.cp.stop()


# -- ReserveNow --------------------------------------------------------------------------------------------------------


def test_a_free_connector_is_reserved(station: Station, central: CentralSide) -> None:
    """The answer first, then the status."""
    peer = up(station, central)
    reserved(station, peer, parentIdTag="GROUP")
    assert station.cp.get_connector_status(1) is Status.Reserved
    assert stored(station) == {1: (7, "TAG", "GROUP")}
    assert calls_back(station) == [("reservation_started", 1)]
    peer.expect_nothing(60)


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (Status.Preparing, "Occupied"),
        (Status.Charging, "Occupied"),
        (Status.SuspendedEV, "Occupied"),
        (Status.SuspendedEVSE, "Occupied"),
        (Status.Finishing, "Occupied"),
        (Status.Faulted, "Faulted"),
        (Status.Unavailable, "Unavailable"),
    ],
)
def test_a_connector_that_is_not_available(station: Station, central: CentralSide, status: Status, answer: str) -> None:
    peer = up(station, central)
    show(station, peer, 1, status)
    assert reserve(station, peer) == answer
    assert stored(station) == {}
    assert calls_back(station) == []


def test_a_connector_with_a_transaction_is_occupied(station: Station, central: CentralSide) -> None:
    """Whatever status the application shows, and while it is being started too."""
    peer = up(station, central)
    starter = starting(station)
    call = peer.expect_call("StartTransaction")
    assert reserve(station, peer) == "Occupied"
    call.answer(started())
    starter.result()
    assert reserve(station, peer) == "Occupied"


@pytest.mark.parametrize(("status", "answer"), [(Status.Faulted, "Faulted"), (Status.Unavailable, "Unavailable")])
def test_a_charge_point_that_is_not_available(
    station: Station, central: CentralSide, status: Status, answer: str
) -> None:
    """1.6 §5.13 speaks of charge point or connector."""
    peer = up(station, central)
    show(station, peer, 0, status)
    assert reserve(station, peer, connector_id=1) == answer
    assert reserve(station, peer, connector_id=0) == answer


def test_a_reserved_connector_is_occupied(station: Station, central: CentralSide) -> None:
    """For another reservation, of whatever id tag."""
    peer = up(station, central)
    reserved(station, peer)
    assert reserve(station, peer, reservation_id=8) == "Occupied"
    assert reserve(station, peer, reservation_id=8, id_tag="OTHER") == "Occupied"
    assert stored(station) == {1: (7, "TAG", None)}


def test_the_same_reservation_again_replaces_it(station: Station, central: CentralSide) -> None:
    """Tag, group and expiry are new, and kept over a restart. The application hears nothing of it."""
    peer = up(station, central)
    reserved(station, peer, parentIdTag="GROUP")
    assert reserve(station, peer, id_tag="NEW", seconds=2 * HOUR) == "Accepted"
    peer.expect_nothing(HOUR + 60)
    assert stored(station) == {1: (7, "NEW", None)}
    station.restart()
    peer = central.boot(Heartbeat={"currentTime": NOW})
    assert stored(station) == {1: (7, "NEW", None)}
    assert station.cp.get_connector_status(1) is Status.Reserved
    assert station.cp.start_transaction(1, "TAG") is Invalid
    assert calls_back(station) == [("reservation_started", 1)]


def test_it_is_replaced_also_when_a_vehicle_has_come(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    reserved(station, peer)
    show(station, peer, 1, Status.Preparing)
    assert reserve(station, peer, id_tag="NEW") == "Accepted"
    assert stored(station) == {1: (7, "NEW", None)}


def test_the_same_reservation_may_move(station: Station, central: CentralSide) -> None:
    """Its old connector is free again."""
    peer = up(station, central)
    reserved(station, peer, connector_id=1)
    assert reserve(station, peer, connector_id=2) == "Accepted"
    told(peer, 1, "Available")
    told(peer, 2, "Reserved")
    assert stored(station) == {2: (7, "TAG", None)}
    assert calls_back(station) == [
        ("reservation_started", 1),
        ("reservation_ended", 1, True),
        ("reservation_started", 2),
    ]
    station.sim.sleep(HOUR)
    told(peer, 2, "Available")


def test_a_move_that_is_refused_moves_nothing(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    reserved(station, peer, connector_id=1)
    show(station, peer, 2, Status.Preparing)
    assert reserve(station, peer, connector_id=2) == "Occupied"
    assert stored(station) == {1: (7, "TAG", None)}
    assert station.cp.get_connector_status(1) is Status.Reserved


def test_a_reservation_that_has_expired_before_it_began(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    assert reserve(station, peer, seconds=-1) == "Rejected"
    assert reserve(station, peer, seconds=0) == "Rejected"
    assert stored(station) == {}


def test_the_log_says_why_it_is_refused(
    station: Station, central: CentralSide, caplog: pytest.LogCaptureFixture
) -> None:
    """And which rule of the standard says so."""
    peer = up(station, central)
    reserved(station, peer, 2, 8)
    show(station, peer, 1, Status.Preparing)
    assert reserve(station, peer, seconds=-60) == "Rejected"
    assert reserve(station, peer) == "Occupied"
    assert reserve(station, peer, 2, 9) == "Occupied"
    assert reserve(station, peer, 0, 9) == "Occupied"
    show(station, peer, 1, Status.Faulted)
    assert reserve(station, peer) == "Faulted"
    station.keys.put("ReserveConnectorZeroSupported", "false")
    assert reserve(station, peer, 0, 9) == "Rejected"
    lines = [record.getMessage() for record in caplog.records if ": reservation " in record.getMessage()]
    assert [line.removeprefix("CP1: reservation ") for line in lines] == [
        "7 of connector 1: Rejected, it ended 2023-12-31T23:59:00Z (1.6 §5.13, §6.37)",
        "7 of connector 1: Occupied, it is Preparing (1.6 §5.13)",
        "9 of connector 2: Occupied, reservation 8 has it (1.6 §5.13)",
        "9 of connector 0: Occupied, no connector can be kept free (1.6 §5.13)",
        "7 of connector 1: Faulted, connector 1 is Faulted (1.6 §5.13)",
        "9 of connector 0: Rejected, ReserveConnectorZeroSupported is not set (1.6 §5.13, §9.3.1)",
    ]


def test_an_unknown_connector(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    request = {"connectorId": 3, "reservationId": 1, "idTag": "T", "expiryDate": "2030-01-01T00:00:00Z"}
    peer.call("ReserveNow", request).error("PropertyConstraintViolation")


def test_a_charge_point_without_reservations(sim: SimulatedRuntime, tmp_path: Path, central: CentralSide) -> None:
    station = Station(sim, str(tmp_path / "core.db"), {"SupportedFeatureProfiles": "Core,SmartCharging"})
    peer = up(station, central)
    request = {"connectorId": 1, "reservationId": 1, "idTag": "T", "expiryDate": "2030-01-01T00:00:00Z"}
    peer.call("ReserveNow", request).error("NotSupported")
    peer.call("CancelReservation", {"reservationId": 1}).error("NotSupported")
    station.cp.stop()


# -- its end -----------------------------------------------------------------------------------------------------------


def test_it_expires_at_its_instant(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    reserved(station, peer, seconds=1000)
    station.sim.sleep(998)
    assert station.cp.get_connector_status(1) is Status.Reserved
    peer.expect_call("StatusNotification", {"connectorId": 1, "status": "Available"}).answer()
    assert (station.sim.clock.utcnow() - WALL).total_seconds() == pytest.approx(1000, abs=2)
    assert stored(station) == {}
    assert calls_back(station)[-1] == ("reservation_ended", 1, False)


def test_the_clock_jumps_over_the_expiry(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    reserved(station, peer, seconds=10 * HOUR)
    station.sim.set_wall(WALL + timedelta(hours=11))
    peer.expect_call("StatusNotification", {"connectorId": 1, "status": "Available"}, timeout=61).answer()
    assert calls_back(station)[-1] == ("reservation_ended", 1, False)


def test_the_clock_jumps_and_somebody_comes_at_once(station: Station, central: CentralSide) -> None:
    """What has expired keeps nobody away, though nobody has looked at the clock yet."""
    peer = up(station, central)
    reserved(station, peer, seconds=10 * HOUR)
    station.sim.set_wall(WALL + timedelta(hours=11))
    user = starting(station, 1, "OTHER")
    told(peer, 1, "Available")
    peer.expect_call("StartTransaction", {"idTag": "OTHER", "reservationId": ABSENT}).answer(started())
    assert user.result() is Accepted


def test_it_expires_while_the_meter_is_read(station: Station, central: CentralSide) -> None:
    """The start was let pass in time; what it uses up is what is there when it is stored."""
    peer = up(station, central)
    reserved(station, peer, seconds=10)
    station.handler.during_meter = lambda: station.sim.sleep(20)
    user = starting(station)
    told(peer, 1, "Available")
    peer.expect_call("StartTransaction", {"idTag": "TAG", "reservationId": ABSENT}).answer(started())
    assert user.result() is Accepted
    assert calls_back(station)[-1] == ("reservation_ended", 1, False)


def test_the_clock_is_set_back(station: Station, central: CentralSide) -> None:
    """The reservation is one of the wall clock."""
    peer = up(station, central)
    reserved(station, peer, seconds=HOUR)
    station.sim.sleep(1800)
    station.sim.set_wall(WALL)
    station.sim.sleep(HOUR - 60)
    assert station.cp.get_connector_status(1) is Status.Reserved
    peer.expect_call("StatusNotification", {"connectorId": 1, "status": "Available"}, timeout=70).answer()


def test_it_is_cancelled(station: Station, central: CentralSide) -> None:
    """Once."""
    peer = up(station, central)
    assert cancel(peer) == "Rejected"
    reserved(station, peer)
    assert cancel(peer, 8) == "Rejected"
    assert cancel(peer) == "Accepted"
    told(peer, 1, "Available")
    assert cancel(peer) == "Rejected"
    assert stored(station) == {}
    assert calls_back(station) == [("reservation_started", 1), ("reservation_ended", 1, True)]


def test_its_end_shows_the_real_status(station: Station, central: CentralSide) -> None:
    """The vehicle that is plugged in is still there."""
    peer = up(station, central)
    reserved(station, peer)
    show(station, peer, 1, Status.Preparing)
    assert cancel(peer) == "Accepted"
    peer.expect_nothing(10)
    assert station.cp.get_connector_status(1) is Status.Preparing


@pytest.mark.parametrize("status", [Status.Faulted, Status.Unavailable])
def test_it_ends_when_its_connector_fails(station: Station, central: CentralSide, status: Status) -> None:
    """1.6 §5.13 (3)"""
    peer = up(station, central)
    reserved(station, peer)
    show(station, peer, 1, status)
    assert stored(station) == {}
    assert calls_back(station)[-1] == ("reservation_ended", 1, True)
    show(station, peer, 1, Status.Available)
    assert cancel(peer) == "Rejected"


def test_all_end_when_the_charge_point_fails(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    reserved(station, peer, 1, 7)
    assert reserve(station, peer, 0, 8) == "Accepted"
    show(station, peer, 0, Status.Faulted)
    told(peer, 1, "Available")
    assert stored(station) == {}
    assert ("reservation_ended", 0, True) in calls_back(station)


def test_it_ends_when_its_connector_is_made_unavailable(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    reserved(station, peer)
    peer.call("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"}).result({"status": "Accepted"})
    told(peer, 1, "Unavailable")
    assert stored(station) == {}


def test_restart_with_a_running_and_an_expired_one(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    reserved(station, peer, 1, 7, seconds=HOUR)
    reserved(station, peer, 2, 8, seconds=2 * HOUR)
    station.cp.stop()
    station.sim.sleep(1.5 * HOUR)
    station.cp = station.create()
    assert station.cp.start()
    peer = central.accept()
    peer.expect_call("BootNotification").answer(
        {"status": "Accepted", "currentTime": "2024-01-01T00:00:00Z", "interval": 3600}
    )
    told(peer, 0, "Available")
    told(peer, 1, "Available")
    told(peer, 2, "Reserved")
    assert calls_back(station)[-1] == ("reservation_ended", 1, False)
    assert stored(station) == {2: (8, "TAG", None)}
    station.sim.sleep(0.5 * HOUR)
    told(peer, 2, "Available")


@pytest.mark.parametrize("fault", [False, True])
def test_it_ends_though_the_disk_refuses(
    station: Station, central: CentralSide, fault: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """What is over keeps nobody away, on no connector; and it is gone from the disk when that can be written again."""
    peer = up(station, central)
    reserved(station, peer, seconds=60)
    station.sim.sleep(5)
    connection = sqlite3.connect(station.settings["database_path"])
    with connection:
        connection.execute(
            "CREATE TRIGGER disk BEFORE INSERT ON Connectors WHEN NEW.id = 1 BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    if fault:
        show(station, peer, 1, Status.Faulted)
        show(station, peer, 1, Status.Available)
    else:
        station.sim.sleep(56)
        told(peer, 1, "Available")
    assert "connector 1: the end of a reservation is not kept" in caplog.text
    assert begin(station, peer, 1, "OTHER", 41).payload.get("reservationId") is None
    assert begin(station, peer, 2, "THIRD", 42).payload.get("reservationId") is None
    assert calls_back(station)[-1] == ("reservation_ended", 1, fault)
    with connection:
        connection.execute("DROP TRIGGER disk")
    connection.close()
    show(station, peer, 1, Status.Charging)
    station.sim.sleep(5)
    assert stored(station) == {}
