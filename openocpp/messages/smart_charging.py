"""Messages of the SmartCharging profile (1.6 §3.3).

Threads: any.
"""

from datetime import datetime

from openocpp.messages.base import Confirmation, Request, Role
from openocpp.types.base import NonNegative
from openocpp.types.datatypes import ChargingProfile, ChargingSchedule
from openocpp.types.enums import (
    ChargingProfilePurposeType,
    ChargingProfileStatus,
    ChargingRateUnitType,
    ClearChargingProfileStatus,
    FeatureProfile,
    GetCompositeScheduleStatus,
)
from openocpp.types.record import dataclass

PROFILE = FeatureProfile.SmartCharging


@dataclass(frozen=True, kw_only=True)
class ClearChargingProfileConf(Confirmation):
    """Unknown: no profile matched."""

    status: ClearChargingProfileStatus


@dataclass(frozen=True, kw_only=True)
class ClearChargingProfileReq(
    Request[ClearChargingProfileConf], sent_by=Role.CENTRAL_SYSTEM, profile=PROFILE, section="1.6 §5.5"
):
    """Remove the profile with this id, or else all that match every given field (errata 3.25, 3.26)."""

    id: int | None = None
    connector_id: NonNegative | None = None
    charging_profile_purpose: ChargingProfilePurposeType | None = None
    stack_level: NonNegative | None = None


@dataclass(frozen=True, kw_only=True)
class GetCompositeScheduleConf(Confirmation):
    """The expected limits; the periods count from ``schedule_start``. All but the status is absent when rejected."""

    status: GetCompositeScheduleStatus
    connector_id: NonNegative | None = None
    schedule_start: datetime | None = None
    charging_schedule: ChargingSchedule | None = None


@dataclass(frozen=True, kw_only=True)
class GetCompositeScheduleReq(
    Request[GetCompositeScheduleConf], sent_by=Role.CENTRAL_SYSTEM, profile=PROFILE, section="1.6 §5.7"
):
    """Which limits does a connector, or the whole charge point (0), expect for so many seconds?"""

    connector_id: NonNegative
    duration: NonNegative
    charging_rate_unit: ChargingRateUnitType | None = None


@dataclass(frozen=True, kw_only=True)
class SetChargingProfileConf(Confirmation):
    """NotSupported: there is no smart charging here."""

    status: ChargingProfileStatus


@dataclass(frozen=True, kw_only=True)
class SetChargingProfileReq(
    Request[SetChargingProfileConf], sent_by=Role.CENTRAL_SYSTEM, profile=PROFILE, section="1.6 §5.16"
):
    """Install a charging profile on a connector, or on the charge point (0)."""

    connector_id: NonNegative
    cs_charging_profiles: ChargingProfile  # one profile: the plural is the standard's
