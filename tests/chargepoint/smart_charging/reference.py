"""The composite schedule worked out second by second: slow, obvious, and written without a look at the real one.

For each second it is asked of every profile whether it says something about this second, and what. Amounts are
fractions. Nothing is shared with the package but the types of the standard.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from openocpp.types import (
    ChargingProfileKindType,
    ChargingProfilePurposeType,
    ChargingRateUnitType,
    RecurrencyKindType,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from openocpp.chargepoint.smart_charging import InstalledProfile, Situation
    from openocpp.types import ChargingProfile, ChargingSchedule, ChargingSchedulePeriod

Purpose = ChargingProfilePurposeType


class Known(NamedTuple):
    amperes: Fraction
    watts: Fraction
    phases: int


class Answer(NamedTuple):
    start: datetime
    duration: int
    periods: list[tuple[int, float, int]]  # start, limit, phases


def answer(
    situation: Situation,
    connector_id: int,
    now: datetime,
    duration: int,
    unit: ChargingRateUnitType,
    local_limits: Mapping[int, ChargingSchedule],
) -> Answer | None:
    """None: rejected."""
    first = now.replace(microsecond=0)
    told: list[tuple[float, int] | None] = []
    for second in range(duration):
        moment = first + timedelta(seconds=second)
        limit = limit_at(moment, first, situation, connector_id, unit, local_limits)
        told.append(None if limit is None else (cut(limit.amperes if unit == "A" else limit.watts), limit.phases))
    limited = [second for second, limit in enumerate(told) if limit is not None]
    if not limited:
        return None
    begin, end = limited[0], limited[-1] + 1
    if len(limited) != end - begin:
        return None
    periods = []
    for second in range(begin, end):
        limit_here = told[second]
        assert limit_here is not None
        if second == begin or limit_here != told[second - 1]:
            periods.append((second - begin, *limit_here))
    return Answer(first.astimezone(UTC) + timedelta(seconds=begin), end - begin, periods)


def cut(amount: Fraction) -> float:
    whole_tenths = amount * 10
    return (whole_tenths.numerator // whole_tenths.denominator) / 10


def limit_at(
    moment: datetime,
    now: datetime,
    situation: Situation,
    connector_id: int,
    unit: ChargingRateUnitType,
    local_limits: Mapping[int, ChargingSchedule],
) -> Known | None:
    voltage = Fraction(str(situation.operating_voltage))

    def local(number: int) -> Known | None:
        if number not in local_limits:
            return None
        schedule = local_limits[number]
        return known(schedule, period_at(schedule, moment - now), voltage)

    maximum = prevailing(moment, now, of_purpose(situation, Purpose.ChargePointMaxProfile), voltage)
    if connector_id:
        return smallest([of_connector(moment, now, situation, connector_id), local(connector_id), maximum], unit)
    each = [
        smallest([of_connector(moment, now, situation, number), local(number)], unit)
        for number in range(1, situation.connectors + 1)
    ]
    return smallest([together(each), local(0), maximum], unit)


def together(each: list[Known | None]) -> Known | None:
    everyone = [limit for limit in each if limit is not None]
    if len(everyone) != len(each):
        return None
    return Known(
        sum((limit.amperes for limit in everyone), Fraction(0)),
        sum((limit.watts for limit in everyone), Fraction(0)),
        max(limit.phases for limit in everyone),
    )


def smallest(limits: Iterable[Known | None], unit: ChargingRateUnitType) -> Known | None:
    present = [limit for limit in limits if limit is not None]
    if not present:
        return None
    if unit == "A":
        return min(present, key=lambda limit: (limit.amperes, limit.watts, limit.phases))
    return min(present, key=lambda limit: (limit.watts, limit.amperes, limit.phases))


def of_connector(moment: datetime, now: datetime, situation: Situation, connector_id: int) -> Known | None:
    voltage = Fraction(str(situation.operating_voltage))
    transaction = situation.transactions.get(connector_id)
    start = now
    if transaction is not None:
        start = min(transaction.started.replace(microsecond=0), now)  # what runs has begun
        ours = [
            installed
            for installed in of_purpose(situation, Purpose.TxProfile)
            if installed.transaction_key == transaction.key
        ]
        limit = prevailing(moment, start, ours, voltage)
        if limit is not None:
            return limit
    defaults = of_purpose(situation, Purpose.TxDefaultProfile)
    for_us = [installed for installed in defaults if installed.connector_id in (0, connector_id)]
    return prevailing(moment, start, for_us, voltage)


def of_purpose(situation: Situation, purpose: Purpose) -> list[InstalledProfile]:
    return [installed for installed in situation.profiles if installed.profile.charging_profile_purpose is purpose]


def prevailing(
    moment: datetime, relative_start: datetime, profiles: list[InstalledProfile], voltage: Fraction
) -> Known | None:
    best: tuple[int, int] | None = None
    found: Known | None = None
    for installed in profiles:
        period = period_of(installed.profile, moment, relative_start)
        rank = (installed.profile.stack_level, installed.connector_id)
        if period is not None and (best is None or rank > best):
            best = rank
            found = known(installed.profile.charging_schedule, period, voltage)
    return found


def period_of(profile: ChargingProfile, moment: datetime, relative_start: datetime) -> ChargingSchedulePeriod | None:
    if profile.valid_from is not None and moment < profile.valid_from.replace(microsecond=0):
        return None
    if profile.valid_to is not None and moment >= profile.valid_to.replace(microsecond=0):
        return None
    schedule = profile.charging_schedule
    start = schedule.start_schedule
    if profile.charging_profile_kind is ChargingProfileKindType.Relative or start is None:
        start = relative_start
    elapsed = moment - start.replace(microsecond=0)
    if elapsed < timedelta(0):
        return None
    if profile.charging_profile_kind is ChargingProfileKindType.Recurring:
        elapsed %= timedelta(days=7) if profile.recurrency_kind is RecurrencyKindType.Weekly else timedelta(days=1)
    if schedule.duration is not None and elapsed >= timedelta(seconds=schedule.duration):
        return None
    return period_at(schedule, elapsed)


def period_at(schedule: ChargingSchedule, elapsed: timedelta) -> ChargingSchedulePeriod:
    current = schedule.charging_schedule_period[0]
    for period in schedule.charging_schedule_period:
        if timedelta(seconds=period.start_period) <= elapsed:
            current = period
    return current


_KNOWN: dict[tuple[float, int, str, Fraction], Known] = {}


def known(schedule: ChargingSchedule, period: ChargingSchedulePeriod, voltage: Fraction) -> Known:
    phases = 3 if period.number_phases is None else period.number_phases
    key = (period.limit, phases, schedule.charging_rate_unit, voltage)
    if key not in _KNOWN:
        limit = Fraction(str(period.limit))
        amperes, watts = (limit, limit * voltage * phases)
        if schedule.charging_rate_unit is ChargingRateUnitType.W:
            amperes, watts = (limit / (voltage * phases), limit)
        _KNOWN[key] = Known(amperes, watts, phases)
    return _KNOWN[key]
