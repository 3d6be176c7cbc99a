"""CPU time of composite schedules and setpoints: ``python benchmarks/composite_schedule.py``. To reach: 5 ms for a day.

20 profiles of 24 periods each, in both units; best of 5 runs, user and system time of the process.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from openocpp import (
    ChargingProfile,
    ChargingProfileKindType,
    ChargingProfilePurposeType,
    ChargingRateUnitType,
    ChargingSchedule,
    ChargingSchedulePeriod,
    RecurrencyKindType,
)
from openocpp.chargepoint.smart_charging import (
    InstalledProfile,
    RunningTransaction,
    Situation,
    composite_schedule,
    setpoints,
)

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2024, 3, 13, 9, tzinfo=UTC)
DAY = 24 * 3600
PROFILES, PERIODS, CONNECTORS = 20, 24, 2
RUNS = 5
LIMIT = 5e-3  # seconds for a day
A, W = ChargingRateUnitType.A, ChargingRateUnitType.W
Purpose = ChargingProfilePurposeType


def installed(number: int) -> InstalledProfile:
    """Recurring profiles that leave gaps, so that every level is looked at."""
    purpose = (Purpose.TxDefaultProfile, Purpose.TxProfile, Purpose.ChargePointMaxProfile)[number % 3]
    unit = (A, W)[number % 2]
    profile = ChargingProfile(
        charging_profile_id=number,
        stack_level=number,
        charging_profile_purpose=purpose,
        charging_profile_kind=ChargingProfileKindType.Recurring,
        recurrency_kind=RecurrencyKindType.Daily,
        charging_schedule=ChargingSchedule(
            duration=DAY - 1800 if number > 2 else DAY,
            start_schedule=NOW - timedelta(days=7, minutes=17 * number),
            charging_rate_unit=unit,
            charging_schedule_period=[
                ChargingSchedulePeriod(
                    start_period=index * DAY // PERIODS,
                    limit=6.0 + (index * 7 + number) % 26 if unit is A else 1400.0 + 377 * ((index + number) % 26),
                    number_phases=1 + (index + number) % 3,
                )
                for index in range(PERIODS)
            ],
        ),
    )
    if purpose is Purpose.TxProfile:
        return InstalledProfile(1, profile, transaction_key=1)
    return InstalledProfile(0, profile)


SITUATION = Situation(
    profiles=[installed(number) for number in range(PROFILES)],
    connectors=CONNECTORS,
    transactions={1: RunningTransaction(1, NOW - timedelta(hours=1), 12)},
    operating_voltage=230,
)


def measure(name: str, function: Callable[[], object], repeat: int) -> float:
    """Seconds of CPU for one call."""
    best = float("inf")
    for _ in range(RUNS):
        begin = time.process_time()
        for _ in range(repeat):
            function()
        best = min(best, (time.process_time() - begin) / repeat)
    print(f"{name:<44}{best * 1e3:9.3f} ms")
    return best


def composite(connector_id: int, duration: int, unit: ChargingRateUnitType) -> Callable[[], object]:
    """The question as a function."""
    return lambda: composite_schedule(SITUATION, connector_id, NOW, duration, unit)


def main() -> int:
    """Measure all; the result is the exit code."""
    measure("setpoints of a connector", lambda: setpoints(SITUATION, 1, NOW, A), 100)
    measure("connector 1, 1 hour, A", composite(1, 3600, A), 100)
    day = max(
        measure("connector 1, 24 hours, A", composite(1, DAY, A), 50),
        measure("connector 1, 24 hours, W", composite(1, DAY, W), 50),
        measure("connector 0, 24 hours, A", composite(0, DAY, A), 50),
    )
    measure("connector 0, a year, W", composite(0, 365 * DAY, W), 1)
    return 0 if day < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
