"""Reservations: whom one keeps away, who uses it up, and what one of connector 0 guards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openocpp.testing.conversation import ABSENT
from openocpp.types import AuthorizationStatus
from tests.chargepoint.conftest import CentralSide, Station
from tests.chargepoint.driving import (
    IdTagRow,
    begin,
    end,
    go_offline,
    go_online,
    judged,
    know,
    started,
    starting,
)
from tests.chargepoint.reserving import HOUR, Status, calls_back, cancel, reserve, reserved, show, stored, told, up

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


def test_a_reservation_that_moves_leaves_a_free_connector(station: Station, central: CentralSide) -> None:
    """That one is kept for connector 0 then, unless somebody stands there already."""
    peer = up(station, central)
    reserved(station, peer, 0, 9, "ZERO")
    reserved(station, peer, 1, 7)
    assert reserve(station, peer, 2, 7) == "Accepted"
    told(peer, 1, "Available")
    told(peer, 2, "Reserved")
    assert stored(station) == {0: (9, "ZERO", None), 2: (7, "TAG", None)}
    show(station, peer, 2, Status.Preparing)
    assert reserve(station, peer, 1, 7) == "Occupied"
    assert stored(station) == {0: (9, "ZERO", None), 2: (7, "TAG", None)}


def test_two_reservations_do_not_change_places(station: Station, central: CentralSide) -> None:
    """Each of them waits for the other one to leave."""
    peer = up(station, central)
    reserved(station, peer, 1, 7)
    reserved(station, peer, 2, 8)
    assert reserve(station, peer, 2, 7) == "Occupied"
    assert reserve(station, peer, 1, 8) == "Occupied"
    assert stored(station) == {1: (7, "TAG", None), 2: (8, "TAG", None)}


def test_a_move_to_connector_zero_needs_a_free_connector(station: Station, central: CentralSide) -> None:
    """The reserved one is none when a vehicle stands there."""
    peer = up(station, central)
    begin(station, peer, 1, "OTHER")
    reserved(station, peer, 2, 7)
    show(station, peer, 2, Status.Preparing)
    assert reserve(station, peer, 0, 7) == "Occupied"
    assert stored(station) == {2: (7, "TAG", None)}


def test_connector_zero_is_replaced_when_its_vehicle_has_come(station: Station, central: CentralSide) -> None:
    """It stands on the connector that was kept for it: no other needs to be free."""
    peer = up(station, central)
    reserved(station, peer, 0, 7)
    begin(station, peer, 1, "OTHER", 41)
    show(station, peer, 2, Status.Preparing)
    assert reserve(station, peer, 0, 7, "TAG", 2 * HOUR) == "Accepted"
    assert begin(station, peer, 2, "TAG", 42).payload["reservationId"] == 7


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
