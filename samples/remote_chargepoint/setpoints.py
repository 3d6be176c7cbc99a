"""What the sample charge point may draw: its own limits, those of the charging profiles, and their sharing out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openocpp import ChargePointStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openocpp import IChargePoint

CHARGING = (ChargePointStatus.Charging, ChargePointStatus.SuspendedEV, ChargePointStatus.SuspendedEVSE)


def limits(charge_point: IChargePoint, connectors: range, whole: float, each: float) -> dict[int, float]:
    """A by connector, 0 is the charge point: what is allowed now when it may draw ``whole``, a connector ``each``."""
    wanted: dict[int, float] = {}
    for connector_id in connectors:
        found = charge_point.get_setpoint(connector_id)
        if found is not None and found.charge_point is not None:
            whole = min(whole, found.charge_point.value)
        if charge_point.get_connector_status(connector_id) in CHARGING:
            profile = None if found is None else found.connector
            wanted[connector_id] = each if profile is None else min(each, profile.value)
    given = share(wanted, whole)
    return {0: whole, **{connector_id: given.get(connector_id, 0.0) for connector_id in connectors}}


def share(wanted: Mapping[int, float], limit: float) -> dict[int, float]:
    """Nobody gets more than wanted, all together no more than the limit: who wants little first, the rest equally."""
    given: dict[int, float] = {}
    left = limit
    for number, (connector_id, amps) in enumerate(sorted(wanted.items(), key=lambda item: item[1])):
        given[connector_id] = min(amps, left / (len(wanted) - number))
        left -= given[connector_id]
    return given
