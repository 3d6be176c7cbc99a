"""What the calculations of smart charging are given.

Threads: any.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from openocpp.types import ChargingRateUnitType

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from openocpp.types import ChargingProfile, ChargingProfilePurposeType


@dataclass(frozen=True, slots=True)
class InstalledProfile:
    """A profile on a connector; 0 is the whole charge point, or every connector in the case of a TxDefaultProfile.

    A TxProfile is bound to its transaction by the local ``transaction_key``, since the central system's id may not be
    known yet.
    """

    connector_id: int
    profile: ChargingProfile
    transaction_key: int | None = None

    @property
    def id(self) -> int:
        return self.profile.charging_profile_id

    @property
    def purpose(self) -> ChargingProfilePurposeType:
        return self.profile.charging_profile_purpose

    @property
    def stack_level(self) -> int:
        return self.profile.stack_level

    @property
    def place(self) -> tuple[ChargingProfilePurposeType, int, int]:
        """What no two profiles share (1.6 §3.13.2, §5.16.3).

        The standard says purpose and stack level. The connector must be added: a TxDefaultProfile of one connector
        replaces that of connector 0 for this connector only (1.6 §3.13.1), so both stay installed.
        """
        return self.purpose, self.stack_level, self.connector_id


@dataclass(frozen=True, slots=True)
class RunningTransaction:
    """A transaction in progress. ``transaction_id`` is the central system's, None while it is not known."""

    key: int
    started: datetime
    transaction_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that limits depend on, beside the time.

    ``transactions`` are the running ones by connector. ``connectors`` is how many there are. ``operating_voltage`` is
    the set voltage of one phase in volts, not a measured one (1.6 §7.12); more than 0.
    """

    profiles: Collection[InstalledProfile]
    connectors: int
    transactions: Mapping[int, RunningTransaction] = field(default_factory=dict)
    operating_voltage: float = 230


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What the charge point says that it can do, by its configuration keys (1.6 §3.13.5, §9.4)."""

    max_stack_level: int
    max_periods: int
    max_installed: int
    units: Collection[ChargingRateUnitType]

    @property
    def usual_unit(self) -> ChargingRateUnitType:
        """The unit of a composite schedule when the central system leaves it open."""
        return ChargingRateUnitType.W if ChargingRateUnitType.W in self.units else ChargingRateUnitType.A
