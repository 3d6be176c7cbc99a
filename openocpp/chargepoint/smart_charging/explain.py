"""Why a limit is what it is: each profile on its own beside the composite schedule, for pictures and for tables.

Threads: any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from openocpp.chargepoint.smart_charging.composite import NO_LIMITS, Limits, lowest_of, report, unaskable
from openocpp.chargepoint.smart_charging.occurrences import pieces, to_instant
from openocpp.chargepoint.smart_charging.stacking import charge_point_candidates, connector_candidates

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from openocpp.chargepoint.smart_charging.composite import Timeline
    from openocpp.chargepoint.smart_charging.model import Situation
    from openocpp.types import ChargingRateUnitType, ChargingSchedule, CompositeSchedule


class CurveStep(NamedTuple):
    """A limit in the unit of the explanation, not rounded."""

    start: datetime
    end: datetime
    limit: float
    number_phases: int


class Curve(NamedTuple):
    """The limits that one cause sets, in order of time; where there is no step it sets none."""

    name: str
    steps: tuple[CurveStep, ...]


class Explanation(NamedTuple):
    """The causes in order of precedence, what follows from them, and how it is reported."""

    connector_id: int
    unit: ChargingRateUnitType
    start: datetime
    end: datetime
    causes: tuple[Curve, ...]
    result: Curve
    composite: CompositeSchedule


def explain(
    situation: Situation,
    connector_id: int,
    now: datetime,
    duration: int,
    unit: ChargingRateUnitType,
    local_limits: Mapping[int, ChargingSchedule] = NO_LIMITS,
) -> Explanation:
    """What ``composite_schedule`` says to the same question, and why.

    The causes are the profiles of the connector (for connector 0: what each connector may take), the
    ChargePointMaxProfiles and the local limit. ValueError when there is no such connector, or no duration.
    """
    problem = unaskable(situation, connector_id, duration)
    if problem is not None:
        raise ValueError(f"no composite schedule: {problem}")
    limits = Limits.asked_for(situation, now, duration, unit, local_limits)
    candidates = charge_point_candidates(situation, limits.window.start)
    causes = []
    if connector_id == 0:
        for number in range(1, situation.connectors + 1):
            each = lowest_of([limits.own(number), limits.local(number)])
            causes.append(_curve(f"connector {number}", each, limits))
        timeline = limits.of_charge_point()
    else:
        candidates = connector_candidates(situation, connector_id, limits.window.start) + candidates
        timeline = limits.of_connector(connector_id)
    for installed, relative_start in candidates:
        name = f"{installed.purpose} {installed.id}, stack level {installed.stack_level}"
        alone = limits.steps(pieces(installed.profile, relative_start, limits.window))
        causes.append(_curve(name, alone, limits))
    if connector_id in local_limits:
        causes.append(_curve("local limit", limits.local(connector_id), limits))
    return Explanation(
        connector_id,
        unit,
        to_instant(limits.window.start),
        to_instant(limits.window.end),
        tuple(causes),
        _curve("composite schedule", timeline, limits),
        report(connector_id, timeline, limits.rates),
    )


def _curve(name: str, timeline: Timeline, limits: Limits) -> Curve:
    value = limits.rates.value
    return Curve(
        name,
        tuple(
            CurveStep(to_instant(start), to_instant(end), value(limit.amount), limit.phases)
            for start, end, limit in timeline
        ),
    )
