"""Draw the pictures of the documentation anew: ``python docs/make_pictures.py``. Their PNG files are kept beside it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from openocpp import (
    ChargingProfile,
    ChargingProfileKindType,
    ChargingProfilePurposeType,
    ChargingRateUnitType,
    ChargingSchedule,
    ChargingSchedulePeriod,
    RecurrencyKindType,
)
from openocpp.chargepoint.smart_charging import InstalledProfile, RunningTransaction, Situation, explain
from openocpp.plot import plot_composite_schedule

FOLDER = Path(__file__).resolve().parent
NOON = datetime(2024, 3, 13, 12, tzinfo=UTC)
HOUR = 3600
A = ChargingRateUnitType.A
W = ChargingRateUnitType.W


def schedule(
    unit: ChargingRateUnitType, *periods: tuple[float, float], start: datetime | None = None, hours: float | None = None
) -> ChargingSchedule:
    """Periods are hours since the start of the schedule, and limits."""
    return ChargingSchedule(
        duration=None if hours is None else int(hours * HOUR),
        start_schedule=start,
        charging_rate_unit=unit,
        charging_schedule_period=[
            ChargingSchedulePeriod(start_period=int(hour * HOUR), limit=limit, number_phases=3)
            for hour, limit in periods
        ],
    )


EVERY_DAY = ChargingProfile(
    charging_profile_id=1,
    stack_level=0,
    charging_profile_purpose=ChargingProfilePurposeType.TxDefaultProfile,
    charging_profile_kind=ChargingProfileKindType.Recurring,
    recurrency_kind=RecurrencyKindType.Daily,
    charging_schedule=schedule(A, (0, 20), (7, 10), (21, 20), start=datetime(2024, 1, 1, tzinfo=UTC)),
)
SUNNY_AFTERNOON = ChargingProfile(
    charging_profile_id=2,
    stack_level=3,
    charging_profile_purpose=ChargingProfilePurposeType.TxDefaultProfile,
    charging_profile_kind=ChargingProfileKindType.Absolute,
    charging_schedule=schedule(A, (0, 26), (3, 16), start=NOON + timedelta(hours=1), hours=5),
)
THIS_VEHICLE = ChargingProfile(
    charging_profile_id=3,
    transaction_id=12,
    stack_level=0,
    charging_profile_purpose=ChargingProfilePurposeType.TxProfile,
    charging_profile_kind=ChargingProfileKindType.Relative,
    valid_from=NOON + timedelta(hours=8),
    charging_schedule=schedule(A, (0, 6), (12, 13), (15, 28), hours=22),
)
GRID = ChargingProfile(
    charging_profile_id=9,
    stack_level=0,
    charging_profile_purpose=ChargingProfilePurposeType.ChargePointMaxProfile,
    charging_profile_kind=ChargingProfileKindType.Absolute,
    charging_schedule=schedule(W, (0, 15_000), (4, 11_000), (9, 17_000), start=NOON),
)


def draw_a_day(path: Path) -> None:
    """What a connector may take from noon to noon, and why."""
    situation = Situation(
        profiles=[
            InstalledProfile(0, EVERY_DAY),
            InstalledProfile(1, SUNNY_AFTERNOON),
            InstalledProfile(1, THIS_VEHICLE, transaction_key=1),
            InstalledProfile(0, GRID),
        ],
        connectors=1,
        transactions={1: RunningTransaction(key=1, started=NOON, transaction_id=12)},
        operating_voltage=230,
    )
    found = explain(situation, 1, NOON, 24 * HOUR, A)
    plot_composite_schedule(found.composite, found.causes, title="Connector 1, from noon to noon", path=path)


def main() -> int:
    """Draw all; the result is the exit code."""
    draw_a_day(FOLDER / "smart_charging.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
