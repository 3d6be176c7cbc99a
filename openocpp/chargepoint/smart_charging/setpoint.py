"""The limits that hold right now (1.6 §3.13), for the application to control its connectors with.

Threads: any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openocpp.chargepoint.smart_charging.occurrences import Piece, Span, to_seconds
from openocpp.chargepoint.smart_charging.rates import Limit, Rates, phases_of
from openocpp.chargepoint.smart_charging.stacking import charge_point_candidates, connector_candidates, prevailing
from openocpp.types import Setpoints, SmartChargingSetpoint

if TYPE_CHECKING:
    from datetime import datetime

    from openocpp.chargepoint.smart_charging.model import Situation
    from openocpp.types import ChargingRateUnitType


def setpoints(situation: Situation, connector_id: int, now: datetime, unit: ChargingRateUnitType) -> Setpoints:
    """The limit of the charge point, and that of a connector, which is never above it.

    The limit of the charge point is for all connectors together (1.6 §3.13.3): to share it out is the application's.
    Values are not rounded. Limits hold for the phases that are in use, even if they are fewer than those of the profile
    (errata 3.34). For connector 0 the second limit is what a connector without profiles of its own would get.
    """
    rates = Rates(unit, situation.operating_voltage)
    second = to_seconds(now)
    moment = Span(second, second + 1)
    charge_point = prevailing(charge_point_candidates(situation, second), moment)
    connector = prevailing(connector_candidates(situation, connector_id, second), moment)
    lower = min(connector + charge_point, key=lambda piece: _limit(piece, rates), default=None)
    return Setpoints(
        _setpoint(charge_point[0], rates) if charge_point else None,
        None if lower is None else _setpoint(lower, rates),
    )


def _limit(piece: Piece, rates: Rates) -> Limit:
    return rates.limit(piece.schedule.charging_rate_unit, piece.period)


def _setpoint(piece: Piece, rates: Rates) -> SmartChargingSetpoint:
    phases = phases_of(piece.period)
    least = piece.schedule.min_charging_rate
    if least is not None:
        least = rates.value(rates.convert(least, piece.schedule.charging_rate_unit, phases).amount)
    return SmartChargingSetpoint(rates.value(_limit(piece, rates).amount), phases, least)
