"""Charging profiles as the central system sets and clears them, and what is seen of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openocpp.messages.codec import to_payload
from tests.chargepoint.conftest import NOW as BOOT_TIME
from tests.chargepoint.conftest import CentralSide, Station, online
from tests.chargepoint.driving import rows
from tests.chargepoint.smart_charging.build import A

if TYPE_CHECKING:
    from openocpp.testing.conversation import ScriptedPeer
    from openocpp.types import ChargingProfile, ChargingRateUnitType


def up(station: Station, central: CentralSide) -> ScriptedPeer:
    """Started, connected, accepted; heartbeats are of no interest."""
    return online(station, central, Heartbeat={"currentTime": BOOT_TIME})


def payload(connector_id: int, given: ChargingProfile, **changes: Any) -> dict[str, Any]:
    """A SetChargingProfile. ``changes`` of the profile are written as they are, legal or not."""
    return {"connectorId": connector_id, "csChargingProfiles": {**to_payload(given), **changes}}


def put(peer: ScriptedPeer, connector_id: int, given: ChargingProfile, **changes: Any) -> str:
    """The answer to a SetChargingProfile."""
    status: str = peer.call("SetChargingProfile", payload(connector_id, given, **changes)).result()["status"]
    return status


def clear(peer: ScriptedPeer, **criteria: Any) -> str:
    status: str = peer.call("ClearChargingProfile", criteria).result()["status"]
    return status


def composite(peer: ScriptedPeer, connector_id: int, duration: int, unit: str | None = None) -> dict[str, Any]:
    request = {"connectorId": connector_id, "duration": duration, **({"chargingRateUnit": unit} if unit else {})}
    return peer.call("GetCompositeSchedule", request).result()


def periods(answer: dict[str, Any]) -> str:
    """``"0:16/1, 1000:10/2; 3600"``: starts, limits, phases and the duration."""
    found = answer["chargingSchedule"]
    told = ", ".join(f"{p['startPeriod']}:{p['limit']:g}/{p['numberPhases']}" for p in found["chargingSchedulePeriod"])
    return f"{told}; {found['duration']}"


def installed(station: Station) -> dict[int, tuple[int, int | None]]:
    """What stands on the disk: connectors and transactions by profile. It must be what is in memory."""
    found = rows(station, "SELECT id, connector_id, transaction_key FROM ChargingProfiles")
    memory = station.cp._session.smart_charging._profiles  # type: ignore[attr-defined]
    on_disk = {number: (connector, key) for number, connector, key in found}
    assert on_disk == {one.id: (one.connector_id, one.transaction_key) for one in memory}
    return on_disk


def limit(station: Station, connector_id: int = 1, unit: ChargingRateUnitType = A) -> float | None:
    """What the connector may take now."""
    found = station.cp.get_setpoint(connector_id, unit)
    assert found is not None
    return None if found.connector is None else found.connector.value


def remote_start(peer: ScriptedPeer, given: ChargingProfile | None, connector_id: int | None = 1) -> str:
    request: dict[str, Any] = {"idTag": "TAG"}
    if connector_id is not None:
        request["connectorId"] = connector_id
    if given is not None:
        request["chargingProfile"] = to_payload(given)
    status: str = peer.call("RemoteStartTransaction", request).result()["status"]
    return status
