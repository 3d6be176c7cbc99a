"""The composite schedule: which limits a connector, or the charge point, expects (1.6 §3.13.3, §5.7).

Where the standard is open:

- A slice of time without any limit cannot be written down in a schedule. At the beginning it moves scheduleStart, at
  the end it shortens the duration; in the middle the schedule cannot be reported (Rejected, 1.6 §5.7).
- The numberPhases that is reported is that of the limit which is the lowest.
- The expected consumption of the charge point counts idle connectors in full: a vehicle may come at any time.
- No schedule is longer than a year: decades of a daily profile would be work for nobody.

Threads: any.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from openocpp.chargepoint.smart_charging.occurrences import Span, schedule_pieces, to_instant, to_seconds
from openocpp.chargepoint.smart_charging.rates import Limit, Rates, lowest, total
from openocpp.chargepoint.smart_charging.stacking import charge_point_candidates, connector_candidates, prevailing
from openocpp.types import (
    ChargingSchedule,
    ChargingSchedulePeriod,
    CompositeSchedule,
    GetCompositeScheduleStatus,
    format_datetime,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from openocpp.chargepoint.smart_charging.model import Situation
    from openocpp.chargepoint.smart_charging.occurrences import Piece
    from openocpp.types import ChargingRateUnitType

REJECTED: Final = CompositeSchedule(GetCompositeScheduleStatus.Rejected, None, None, None)
LONGEST: Final = 366 * 24 * 3600  # seconds; what is asked beyond is left out, as if no limit were known there
NO_LIMITS: Final[Mapping[int, ChargingSchedule]] = MappingProxyType({})


class Step(NamedTuple):
    """A span with a limit."""

    start: int
    end: int
    limit: Limit


Timeline: TypeAlias = "Sequence[Step]"  # in order of time, without overlaps; what no step covers is not limited


def composite_schedule(
    situation: Situation,
    connector_id: int,
    now: datetime,
    duration: int,
    unit: ChargingRateUnitType,
    local_limits: Mapping[int, ChargingSchedule] = NO_LIMITS,
) -> CompositeSchedule:
    """The schedule from ``now`` on for ``duration`` seconds. Connector 0 is the whole charge point.

    ``local_limits`` are the charge point's own by connector. They count from ``now`` over all of the duration, whatever
    start and duration stand in them. The result is Rejected when there is no limit at all, or none for a while between
    limits; when the connector is not known; when the duration is not positive.
    """
    if unaskable(situation, connector_id, duration) is not None:
        return REJECTED
    limits = Limits.asked_for(situation, now, duration, unit, local_limits)
    return report(connector_id, limits.of(connector_id), limits.rates)


def why_rejected(
    situation: Situation,
    connector_id: int,
    now: datetime,
    duration: int,
    unit: ChargingRateUnitType,
    local_limits: Mapping[int, ChargingSchedule] = NO_LIMITS,
) -> str | None:
    """For the log: why ``composite_schedule`` answers the same question with Rejected; None when it does not."""
    problem = unaskable(situation, connector_id, duration)
    if problem is not None:
        return problem
    return untellable(Limits.asked_for(situation, now, duration, unit, local_limits).of(connector_id))


def unaskable(situation: Situation, connector_id: int, duration: int) -> str | None:
    """What is wrong with the question (1.6 §5.7)."""
    if duration <= 0:
        return f"the duration is {duration} s (1.6 §5.7)"
    if not 0 <= connector_id <= situation.connectors:
        return f"there is no connector {connector_id} (1.6 §5.7)"
    return None


def untellable(timeline: Timeline) -> str | None:
    """Why a timeline cannot be written down as a schedule: a period without limit is none (1.6 §7.14)."""
    if not timeline:
        return "nothing limits it (1.6 §5.7)"
    for step, following in pairwise(timeline):
        if step.end != following.start:
            begin, end = to_instant(step.end), to_instant(following.start)
            return f"nothing limits it from {format_datetime(begin)} to {format_datetime(end)} (1.6 §5.7)"
    return None


@dataclass(frozen=True)
class Limits:
    """The limits within a window of time, step by step."""

    situation: Situation
    window: Span
    rates: Rates
    local_limits: Mapping[int, ChargingSchedule]

    @classmethod
    def asked_for(
        cls,
        situation: Situation,
        now: datetime,
        duration: int,
        unit: ChargingRateUnitType,
        local_limits: Mapping[int, ChargingSchedule],
    ) -> Limits:
        """As of ``now``, for ``duration`` seconds, in ``unit``."""
        start = to_seconds(now)
        window = Span(start, start + min(duration, LONGEST))
        return cls(situation, window, Rates(unit, situation.operating_voltage), local_limits)

    def of(self, connector_id: int) -> Timeline:
        """The limits of a connector; 0 is the charge point."""
        return self.of_charge_point() if connector_id == 0 else self.of_connector(connector_id)

    def of_connector(self, connector_id: int) -> Timeline:
        """The profiles of the connector, its local limit and the charge point's maximum: the lowest (1.6 §3.13.3)."""
        return lowest_of([self.own(connector_id), self.local(connector_id), self.charge_point_max()])

    def of_charge_point(self) -> Timeline:
        """What all connectors may take together, within the local limit and the maximum (1.6 §3.13.3, §5.7)."""
        connectors = range(1, self.situation.connectors + 1)
        each = [lowest_of([self.own(number), self.local(number)]) for number in connectors]
        return lowest_of([combine(each, total), self.local(0), self.charge_point_max()])

    def own(self, connector_id: int) -> Timeline:
        """What TxProfile or else TxDefaultProfile say about a connector."""
        candidates = connector_candidates(self.situation, connector_id, self.window.start)
        return self.steps(prevailing(candidates, self.window))

    def charge_point_max(self) -> Timeline:
        """What ChargePointMaxProfile says."""
        return self.steps(prevailing(charge_point_candidates(self.situation, self.window.start), self.window))

    def local(self, connector_id: int) -> Timeline:
        """What the charge point's own schedule says: from now to the end of the window."""
        schedule = self.local_limits.get(connector_id)
        return [] if schedule is None else self.steps(schedule_pieces(schedule, self.window.start, self.window))

    def steps(self, pieces: Iterable[Piece]) -> Timeline:
        """Periods as limits in the requested unit."""
        read = self.rates.limit
        return [Step(start, end, read(schedule.charging_rate_unit, period)) for start, end, schedule, period in pieces]


def lowest_of(timelines: Iterable[Timeline]) -> Timeline:
    """The lowest limit at each moment."""
    present = [timeline for timeline in timelines if timeline]
    return present[0] if len(present) == 1 else combine(present, lowest)


def combine(timelines: Sequence[Timeline], rule: Callable[[Sequence[Limit | None]], Limit | None]) -> Timeline:
    """Cut time wherever one of the timelines changes, and let the rule decide in each slice."""
    cuts = sorted({cut for timeline in timelines for step in timeline for cut in (step.start, step.end)})
    slices = [Span(start, end) for start, end in pairwise(cuts)]
    columns = [sample(timeline, slices) for timeline in timelines]
    result = []
    for (start, end), *limits in zip(slices, *columns, strict=True):
        limit = rule(limits)
        if limit is not None:
            result.append(Step(start, end, limit))
    return result


def sample(timeline: Timeline, slices: Iterable[Span]) -> Iterator[Limit | None]:
    """The limit in each slice. No slice crosses an edge of the timeline."""
    steps = iter(timeline)
    step = next(steps, None)
    for start, _ in slices:
        while step is not None and step.end <= start:
            step = next(steps, None)
        yield step.limit if step is not None and step.start <= start else None


def report(connector_id: int, timeline: Timeline, rates: Rates) -> CompositeSchedule:
    """The timeline as the standard wants it told, or that it cannot be told.

    Neighbours are joined when limit and phases are equal: 3680 W is 16 A on one phase and 8 A on two. No startSchedule:
    errata 3.57. The number of periods is not bounded: ChargingScheduleMaxPeriods is about what is received.
    """
    if untellable(timeline) is not None:
        return REJECTED
    start = timeline[0].start
    periods: list[ChargingSchedulePeriod] = []
    told: tuple[float, int] | None = None
    for step in timeline:
        limit = (rates.reported(step.limit.amount), step.limit.phases)
        if limit != told:
            told = limit
            periods.append(
                ChargingSchedulePeriod(start_period=step.start - start, limit=limit[0], number_phases=limit[1])
            )
    schedule = ChargingSchedule(
        duration=timeline[-1].end - start, charging_rate_unit=rates.unit, charging_schedule_period=periods
    )
    return CompositeSchedule(GetCompositeScheduleStatus.Accepted, connector_id, to_instant(start), schedule)
