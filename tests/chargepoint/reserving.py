"""Reservations as the central system makes and cancels them, and what is seen of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from openocpp.types import ChargePointStatus, format_datetime
from tests.chargepoint.conftest import NOW, CentralSide, Station, online
from tests.chargepoint.driving import rows

if TYPE_CHECKING:
    from openocpp.testing.conversation import ScriptedPeer

WALL = datetime(2024, 1, 1, tzinfo=UTC)
HOUR = 3600.0
Status = ChargePointStatus


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
