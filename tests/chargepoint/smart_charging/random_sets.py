"""Random questions about composite schedules: valid profiles whose edges lie close to the window and to each other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from openocpp.chargepoint.smart_charging import Capabilities, InstalledProfile, RunningTransaction, Situation
from openocpp.types import ChargingProfile, ChargingSchedule, ChargingSchedulePeriod
from tests.chargepoint.smart_charging.build import (
    DAY,
    A,
    Absolute,
    ChargePointMaxProfile,
    Daily,
    Recurring,
    Relative,
    TxDefaultProfile,
    TxProfile,
    W,
    Weekly,
)

if TYPE_CHECKING:
    import random

    from openocpp.types import ChargingProfilePurposeType, ChargingRateUnitType

CAPABLE = Capabilities(max_stack_level=3, max_periods=6, max_installed=20, units=(A, W))
ZERO_TO_DAYS = timedelta(days=1).total_seconds()


@dataclass(frozen=True)
class Question:
    situation: Situation
    connector_id: int
    now: datetime
    duration: int
    unit: ChargingRateUnitType
    local_limits: dict[int, ChargingSchedule]


def random_question(random: random.Random, longest: int) -> Question:
    """A window of up to ``longest`` seconds."""
    duration = random.randint(1, longest)
    now = datetime(2024, random.randint(1, 12), random.randint(1, 28), random.choice([0, 9, 23]), tzinfo=UTC)
    now += timedelta(seconds=random.randint(-3, 3), microseconds=random.choice([0, 0, 1, 999_999]))
    maker = _Maker(random, now, duration)
    connectors = random.randint(1, 3)
    transactions = {
        connector: RunningTransaction(connector * 10, maker.instant_near())
        for connector in range(1, connectors + 1)
        if random.random() < 0.5
    }
    profiles = {}
    for id in range(random.randint(0, 7)):
        installed = maker.installed(id, connectors, transactions)
        profiles[installed.place] = installed
    return Question(
        Situation(
            profiles=list(profiles.values()),
            connectors=connectors,
            transactions=transactions,
            operating_voltage=random.choice([230, 230, 120.0, 115.5]),
        ),
        random.randint(0, connectors),
        now,
        duration,
        random.choice([A, W]),
        {connector: maker.schedule(start=False) for connector in range(connectors + 1) if random.random() < 0.15},
    )


class _Maker:
    def __init__(self, random: random.Random, now: datetime, window: int) -> None:
        self.random = random
        self.now = now
        self.window = window

    def instant_near(self) -> datetime:
        """Around or in the window."""
        offset = self.random.randint(-self.window, self.window + 2)
        return self.now + timedelta(seconds=offset, microseconds=self.random.choice([0, 0, 500_000]))

    def maybe(self, chance: float, instant: datetime) -> datetime | None:
        return instant if self.random.random() < chance else None

    def installed(self, id: int, connectors: int, transactions: dict[int, RunningTransaction]) -> InstalledProfile:
        purpose = self.random.choice([ChargePointMaxProfile, TxDefaultProfile, TxDefaultProfile, TxProfile])
        if purpose is TxProfile and not transactions:
            purpose = TxDefaultProfile
        if purpose is TxProfile:
            connector = self.random.choice(list(transactions))
            return InstalledProfile(connector, self.profile(id, purpose), transactions[connector].key)
        connector = 0 if purpose is ChargePointMaxProfile else self.random.randint(0, connectors)
        return InstalledProfile(connector, self.profile(id, purpose))

    def profile(self, id: int, purpose: ChargingProfilePurposeType) -> ChargingProfile:
        kind = self.random.choice([Absolute, Recurring, Relative])
        return ChargingProfile(
            charging_profile_id=id,
            stack_level=self.random.randint(0, 3),
            charging_profile_purpose=purpose,
            charging_profile_kind=kind,
            recurrency_kind=self.random.choice([Daily, Weekly]) if kind is Recurring else None,
            valid_from=self.maybe(0.2, self.instant_near()),
            valid_to=self.maybe(0.2, self.instant_near()),
            charging_schedule=self.schedule(
                start=kind is Recurring or self.random.random() < 0.7, days=kind is Recurring
            ),
        )

    def schedule(self, start: bool, days: bool = False) -> ChargingSchedule:
        reach = 2 * self.window
        starts = sorted({0, *(self.random.randint(1, reach) for _ in range(self.random.randint(0, 5)))})
        begin = self.instant_near()
        duration = self.random.randint(0, reach)
        if days:
            begin -= timedelta(days=self.random.choice([0, 1, 6, 7, 8, 14, 700]))
            duration = self.random.choice([duration, DAY, DAY + duration, 7 * DAY])
            starts = sorted({*starts, DAY - self.random.randint(0, self.window) if self.random.random() < 0.2 else 0})
        return ChargingSchedule(
            duration=duration if self.random.random() < 0.6 else None,
            start_schedule=begin if start else None,
            charging_rate_unit=(unit := self.random.choice([A, A, W])),
            charging_schedule_period=[self.period(second, unit) for second in starts[:6]],
        )

    def period(self, start: int, unit: ChargingRateUnitType) -> ChargingSchedulePeriod:
        limits = [0.0, 6.0, 8.0, 16.0, self.random.randint(0, 320) / 10]
        if unit is W:
            limits = [0.0, 3680.0, 5589.0, 10000.0, self.random.randint(0, 220_000) / 10]
        return ChargingSchedulePeriod(
            start_period=start,
            limit=self.random.choice(limits),
            number_phases=self.random.choice([None, 1, 2, 3]),
        )
