"""Short ways to write profiles and situations down, and to read results.

Periods are written ``"0:16/1, 1000:10/2"``: start in seconds, limit, number of phases (left out: not given).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from openocpp.chargepoint.smart_charging import InstalledProfile, RunningTransaction, Situation
from openocpp.types import (
    ChargingProfile,
    ChargingProfileKindType,
    ChargingProfilePurposeType,
    ChargingRateUnitType,
    ChargingSchedule,
    ChargingSchedulePeriod,
    CompositeSchedule,
    GetCompositeScheduleStatus,
    RecurrencyKindType,
)

A = ChargingRateUnitType.A
W = ChargingRateUnitType.W
Absolute = ChargingProfileKindType.Absolute
Recurring = ChargingProfileKindType.Recurring
Relative = ChargingProfileKindType.Relative
Daily = RecurrencyKindType.Daily
Weekly = RecurrencyKindType.Weekly
ChargePointMaxProfile = ChargingProfilePurposeType.ChargePointMaxProfile
TxDefaultProfile = ChargingProfilePurposeType.TxDefaultProfile
TxProfile = ChargingProfilePurposeType.TxProfile

NOW = datetime(2024, 3, 13, 9, 0, tzinfo=UTC)  # a Wednesday
DAY = 24 * 3600


def at(seconds: float) -> datetime:
    """So many seconds after ``NOW``."""
    return NOW + timedelta(seconds=seconds)


def schedule(
    periods: str,
    *,
    unit: ChargingRateUnitType = A,
    duration: int | None = None,
    start: datetime | None = None,
    min_rate: float | None = None,
) -> ChargingSchedule:
    return ChargingSchedule(
        duration=duration,
        start_schedule=start,
        charging_rate_unit=unit,
        charging_schedule_period=[_period(text) for text in periods.split(",")],
        min_charging_rate=min_rate,
    )


def _period(text: str) -> ChargingSchedulePeriod:
    start, rest = text.split(":")
    limit, _, phases = rest.partition("/")
    return ChargingSchedulePeriod(
        start_period=int(start), limit=float(limit), number_phases=int(phases) if phases else None
    )


def profile(
    periods: str = "0:16/3",
    *,
    id: int = 1,
    purpose: ChargingProfilePurposeType = TxDefaultProfile,
    level: int = 0,
    kind: ChargingProfileKindType = Relative,
    recurrency: RecurrencyKindType | None = None,
    transaction_id: int | None = None,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
    unit: ChargingRateUnitType = A,
    duration: int | None = None,
    start: datetime | None = None,
    min_rate: float | None = None,
) -> ChargingProfile:
    return ChargingProfile(
        charging_profile_id=id,
        transaction_id=transaction_id,
        stack_level=level,
        charging_profile_purpose=purpose,
        charging_profile_kind=kind,
        recurrency_kind=recurrency,
        valid_from=valid_from,
        valid_to=valid_to,
        charging_schedule=schedule(periods, unit=unit, duration=duration, start=start, min_rate=min_rate),
    )


def situation(
    *profiles: InstalledProfile,
    connectors: int = 1,
    voltage: float = 230,
    **transactions: tuple[int, datetime],
) -> Situation:
    """``connector_1=(5, at(-100))`` is a transaction of the local key 5 on connector 1, begun 100 s ago."""
    running = {
        int(name.removeprefix("connector_")): RunningTransaction(key, started)
        for name, (key, started) in transactions.items()
    }
    return Situation(profiles=profiles, connectors=connectors, transactions=running, operating_voltage=voltage)


def told(result: CompositeSchedule) -> str:
    """The periods of a schedule as they are written here, then its duration; ``""`` when it is Rejected."""
    if result.status is GetCompositeScheduleStatus.Rejected:
        assert result[1:] == (None, None, None)
        return ""
    assert result.schedule is not None
    assert result.schedule.start_schedule is None
    periods = ", ".join(
        f"{period.start_period}:{period.limit:g}/{period.number_phases}"
        for period in result.schedule.charging_schedule_period
    )
    return f"{periods}; {result.schedule.duration}"
