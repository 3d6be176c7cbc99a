"""Reservations: who gets one, whom it keeps away, and how it ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.testing.conversation import ABSENT
from openocpp.types import AuthorizationStatus, ChargePointStatus, format_datetime
from tests.chargepoint.conftest import NOW, CentralSide, Station, online
from tests.chargepoint.driving import (
    IdTagRow,
    begin,
    end,
    go_offline,
    go_online,
    judged,
    know,
    rows,
    started,
    starting,
)

if TYPE_CHECKING:
    from pathlib import Path

    from openocpp.testing import SimulatedRuntime
    from openocpp.testing.conversation import ScriptedPeer

WALL = datetime(2024, 1, 1, tzinfo=UTC)
HOUR = 3600.0
Status = ChargePointStatus
Accepted = AuthorizationStatus.Accepted
Invalid = AuthorizationStatus.Invalid


@pytest.fixture
def station(sim: SimulatedRuntime, tmp_path: Path) -> Any:
    made = Station(sim, str(tmp_path / "cp.db"), {"ReserveConnectorZeroSupported": "true"})
    yield made
    made.cp.stop()


def up(station: Station, central: CentralSide) -> ScriptedPeer:
    """Started, connected, accepted; heartbeats are of no interest."""
    return online(station, central, Heartbeat={"currentTime": NOW})


def reserve(
    station: Station,
    peer: ScriptedPeer,
    connector_id: int = 1,
    reservation_id: int = 7,
    id_tag: str = "TAG",
    seconds: float = HOUR,
    **fields: str,
) -> str:
    """The answer to a ReserveNow; ``seconds`` from now until it expires."""
    request = {
        "connectorId": connector_id,
        "reservationId": reservation_id,
        "idTag": id_tag,
        "expiryDate": format_datetime(station.sim.clock.utcnow() + timedelta(seconds=seconds)),
        **fields,
    }
    status: str = peer.call("ReserveNow", request).result()["status"]
    return status


def reserved(
    station: Station,
    peer: ScriptedPeer,
    connector_id: int = 1,
    reservation_id: int = 7,
    id_tag: str = "TAG",
    seconds: float = HOUR,
    **fields: str,
) -> None:
    """A new reservation, and what the central system is told of it."""
    assert reserve(station, peer, connector_id, reservation_id, id_tag, seconds, **fields) == "Accepted"
    if connector_id:
        peer.expect_call("StatusNotification", {"connectorId": connector_id, "status": "Reserved"}).answer()


def cancel(peer: ScriptedPeer, reservation_id: int = 7) -> str:
    status: str = peer.call("CancelReservation", {"reservationId": reservation_id}).result()["status"]
    return status


def told(peer: ScriptedPeer, connector_id: int, status: str) -> None:
    peer.expect_call("StatusNotification", {"connectorId": connector_id, "status": status}).answer()


def show(station: Station, peer: ScriptedPeer, connector_id: int, status: Status) -> None:
    """The application tells a status that goes on to the central system."""
    assert station.cp.status_notification(connector_id, status)
    told(peer, connector_id, status)


def stored(station: Station) -> dict[int, tuple[int, str, str | None]]:
    """Reservations by connector: id, id tag, group."""
    found = rows(station, "SELECT id, reservation_id, reservation_id_tag, reservation_parent_id_tag FROM Connectors")
    return {connector: (number, tag, parent) for connector, number, tag, parent in found if number is not None}


def calls_back(station: Station) -> list[tuple[Any, ...]]:
    """What the application was told of reservations."""
    station.sim.sleep(0.1)
    return [entry for entry in station.handler.seen if entry[0].startswith("reservation_")]


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


# -- its use -----------------------------------------------------------------------------------------------------------


def test_it_is_used_by_its_tag(station: Station, central: CentralSide) -> None:
    """In any case of letters; the application is not told of an end."""
    peer = up(station, central)
    reserved(station, peer)
    user = starting(station, 1, "tag")
    told(peer, 1, "Available")
    peer.expect_call("StartTransaction", {"idTag": "tag", "reservationId": 7}).answer(started())
    assert user.result() is Accepted
    assert stored(station) == {}
    assert calls_back(station) == [("reservation_started", 1)]
    end(station, peer)
    station.sim.sleep(2 * HOUR)
    assert calls_back(station) == [("reservation_started", 1)]


def test_it_keeps_others_away(station: Station, central: CentralSide) -> None:
    """Local and remote starts, and the question before."""
    peer = up(station, central)
    reserved(station, peer)
    assert station.cp.start_transaction(1, "OTHER") is Invalid
    user = station.sim.user(lambda: station.cp.authorize(1, "OTHER"))
    peer.expect_call("Authorize").answer(judged())
    assert user.result().status is Invalid
    peer.call("RemoteStartTransaction", {"connectorId": 1, "idTag": "OTHER"}).result({"status": "Rejected"})
    peer.call("RemoteStartTransaction", {"connectorId": 1, "idTag": "TAG"}).result({"status": "Accepted"})
    assert stored(station) == {1: (7, "TAG", None)}
    assert begin(station, peer, 2, "OTHER").payload.get("reservationId") is None


def test_a_remote_start_anywhere_needs_a_connector_for_its_tag(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    reserved(station, peer, 1, 7)
    reserved(station, peer, 2, 8)
    peer.call("RemoteStartTransaction", {"idTag": "OTHER"}).result({"status": "Rejected"})
    peer.call("RemoteStartTransaction", {"idTag": "TAG"}).result({"status": "Accepted"})


def test_it_is_used_by_the_group(station: Station, central: CentralSide) -> None:
    """The central system knows the group."""
    peer = up(station, central)
    reserved(station, peer, parentIdTag="GROUP")
    user = starting(station, 1, "FRIEND")
    peer.expect_call("Authorize", {"idTag": "FRIEND"}).answer(judged(parentIdTag="group"))
    told(peer, 1, "Available")
    peer.expect_call("StartTransaction", {"idTag": "FRIEND", "reservationId": 7}).answer(started())
    assert user.result() is Accepted


@pytest.mark.parametrize(("status", "parent"), [("Blocked", "GROUP"), ("Accepted", "OTHERS"), ("Accepted", None)])
def test_who_is_not_of_the_group_or_not_accepted(
    station: Station, central: CentralSide, status: str, parent: str | None
) -> None:
    peer = up(station, central)
    reserved(station, peer, parentIdTag="GROUP")
    user = starting(station, 1, "FRIEND")
    info = {} if parent is None else {"parentIdTag": parent}
    peer.expect_call("Authorize", {"idTag": "FRIEND"}).answer(judged(status, **info))
    assert user.result() is Invalid
    assert stored(station) == {1: (7, "TAG", "GROUP")}


def test_a_group_that_the_list_knows_is_not_asked_for(station: Station, central: CentralSide) -> None:
    """1.6 §5.13: the list may be asked first."""
    know(station, listed=[IdTagRow("FRIEND", "Accepted", "GROUP")])
    station.keys.put("LocalPreAuthorize", "true")
    peer = up(station, central)
    reserved(station, peer, parentIdTag="GROUP")
    begin_call = starting(station, 1, "FRIEND")
    told(peer, 1, "Available")
    peer.expect_call("StartTransaction", {"idTag": "FRIEND", "reservationId": 7}).answer(started())
    assert begin_call.result() is Accepted


def test_it_is_cancelled_while_the_group_is_asked_for(station: Station, central: CentralSide) -> None:
    """The charge point looks again when the answer is there: now nobody is kept away."""
    peer = up(station, central)
    reserved(station, peer, parentIdTag="GROUP")
    user = starting(station, 1, "STRANGER")
    call = peer.expect_call("Authorize", {"idTag": "STRANGER"})
    assert cancel(peer) == "Accepted"
    call.answer(judged())
    told(peer, 1, "Available")
    peer.expect_call("StartTransaction", {"idTag": "STRANGER", "reservationId": ABSENT}).answer(started())
    assert user.result() is Accepted


def test_it_is_used_offline(station: Station, central: CentralSide) -> None:
    """The central system is told later which reservation it was."""
    peer = up(station, central)
    reserved(station, peer)
    go_offline(station)
    assert station.cp.start_transaction(1, "OTHER") is Invalid
    assert station.cp.start_transaction(1, "TAG") is Accepted
    assert stored(station) == {}
    peer = go_online(station, central, StatusNotification={})
    peer.expect_call("StartTransaction", {"reservationId": 7}).answer(started())


def test_the_question_before_the_start_knows_the_group(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    reserved(station, peer, parentIdTag="GROUP")
    user = station.sim.user(lambda: station.cp.authorize(1, "FRIEND"))
    peer.expect_call("Authorize").answer(judged(parentIdTag="GROUP"))
    assert user.result() == (Accepted, "GROUP")
    user = station.sim.user(lambda: station.cp.authorize(1, "TAG"))
    peer.expect_call("Authorize").answer(judged("Expired"))
    assert user.result().status is AuthorizationStatus.Expired


# -- connector 0 -------------------------------------------------------------------------------------------------------


def test_connector_zero_is_not_shown_as_reserved(station: Station, central: CentralSide) -> None:
    """1.6 §4.9"""
    peer = up(station, central)
    reserved(station, peer, connector_id=0)
    peer.expect_nothing(60)
    assert station.cp.get_connector_status(0) is Status.Available
    assert stored(station) == {0: (7, "TAG", None)}
    assert calls_back(station) == [("reservation_started", 0)]


def test_connector_zero_must_be_supported(sim: SimulatedRuntime, tmp_path: Path, central: CentralSide) -> None:
    station = Station(sim, str(tmp_path / "no.db"), {"ReserveConnectorZeroSupported": "false"})
    peer = up(station, central)
    assert reserve(station, peer, connector_id=0) == "Rejected"
    station.cp.stop()


@pytest.mark.parametrize(
    ("first", "second", "answer"),
    [
        (Status.Charging, Status.Preparing, "Occupied"),
        (Status.Charging, Status.Faulted, "Occupied"),
        (Status.Finishing, Status.Unavailable, "Occupied"),
        (Status.Faulted, Status.Faulted, "Faulted"),
        (Status.Unavailable, Status.Unavailable, "Unavailable"),
        (Status.Unavailable, Status.Faulted, "Unavailable"),
        (Status.Faulted, Status.Available, "Accepted"),
        (Status.Charging, Status.Available, "Accepted"),
    ],
)
def test_connector_zero_needs_a_free_connector(
    station: Station, central: CentralSide, first: Status, second: Status, answer: str
) -> None:
    peer = up(station, central)
    for connector_id, status in ((1, first), (2, second)):
        if status is not Status.Available:
            show(station, peer, connector_id, status)
    assert reserve(station, peer, connector_id=0) == answer


def test_connector_zero_when_the_others_are_reserved(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    reserved(station, peer, 1, 7)
    reserved(station, peer, 2, 8)
    assert reserve(station, peer, 0, 9) == "Occupied"
    assert reserve(station, peer, 0, 8) == "Accepted"  # that one moves, and its connector is the free one
    told(peer, 2, "Available")
    assert stored(station) == {0: (8, "TAG", None), 1: (7, "TAG", None)}


def test_one_reservation_of_connector_zero_at_a_time(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    reserved(station, peer, 0, 7)
    assert reserve(station, peer, 0, 8) == "Occupied"
    assert reserve(station, peer, 0, 7, "NEW") == "Accepted"
    assert stored(station) == {0: (7, "NEW", None)}


def test_the_last_free_connector_is_kept(station: Station, central: CentralSide) -> None:
    """Whoever comes first gets another one; then only the reserved tag, which any connector serves."""
    peer = up(station, central)
    reserved(station, peer, connector_id=0)
    assert begin(station, peer, 1, "OTHER", 41).payload.get("reservationId") is None
    assert station.cp.start_transaction(2, "THIRD") is Invalid
    peer.call("RemoteStartTransaction", {"connectorId": 2, "idTag": "THIRD"}).result({"status": "Rejected"})
    user = station.sim.user(lambda: station.cp.authorize(2, "THIRD"))
    peer.expect_call("Authorize").answer(judged())
    assert user.result().status is Invalid
    assert begin(station, peer, 2, "TAG", 42).payload["reservationId"] == 7
    assert stored(station) == {}
    assert calls_back(station) == [("reservation_started", 0)]


def test_who_charges_already_may_stop(station: Station, central: CentralSide) -> None:
    """What is kept for another is the next start."""
    peer = up(station, central)
    reserved(station, peer, connector_id=0)
    begin(station, peer, 1, "OTHER")
    show(station, peer, 2, Status.Faulted)
    assert station.cp.authorize(1, "OTHER").status is Accepted
    end(station, peer, 1, "OTHER")


@pytest.mark.parametrize("status", [Status.Faulted, Status.Unavailable, Status.Preparing])
def test_a_connector_that_nobody_can_use_is_not_free(station: Station, central: CentralSide, status: Status) -> None:
    peer = up(station, central)
    reserved(station, peer, connector_id=0)
    show(station, peer, 2, status)
    assert station.cp.start_transaction(1, "OTHER") is Invalid
    assert begin(station, peer, 1, "TAG").payload["reservationId"] == 7


def test_two_come_at_once_for_the_last_two(station: Station, central: CentralSide) -> None:
    """While one is being started it is free for nobody else."""
    peer = up(station, central)
    reserved(station, peer, connector_id=0)
    first = starting(station, 1, "A")
    second = starting(station, 2, "B")
    call = peer.expect_call("StartTransaction")
    call.answer(started())
    assert {first.result(), second.result()} == {Accepted, Invalid}


def test_the_group_may_use_the_last_free_connector(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    reserved(station, peer, connector_id=0, parentIdTag="GROUP")
    begin(station, peer, 1, "OTHER", 41)
    user = starting(station, 2, "FRIEND")
    peer.expect_call("Authorize").answer(judged(parentIdTag="GROUP"))
    peer.expect_call("StartTransaction", {"reservationId": 7}).answer(started())
    assert user.result() is Accepted
    assert stored(station) == {}


def test_the_last_free_connector_is_not_reserved_for_another(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    reserved(station, peer, 0, 7)
    reserved(station, peer, 1, 8, "OTHER")
    assert reserve(station, peer, 2, 9, "THIRD") == "Occupied"
    assert reserve(station, peer, 2, 7) == "Accepted"  # the one of connector 0 itself may have it


def test_a_reservation_of_its_own_goes_before_that_of_connector_zero(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    reserved(station, peer, 0, 7)
    reserved(station, peer, 1, 8)
    user = starting(station, 1, "TAG")
    told(peer, 1, "Available")
    peer.expect_call("StartTransaction", {"reservationId": 8}).answer(started())
    assert user.result() is Accepted
    assert stored(station) == {0: (7, "TAG", None)}


def test_connector_zero_expires_and_is_cancelled(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    reserved(station, peer, 0, 7, seconds=60)
    station.sim.sleep(61)
    assert reserve(station, peer, 0, 8) == "Accepted"
    assert cancel(peer, 8) == "Accepted"
    assert calls_back(station) == [
        ("reservation_started", 0),
        ("reservation_ended", 0, False),
        ("reservation_started", 0),
        ("reservation_ended", 0, True),
    ]
    peer.expect_nothing(10)
