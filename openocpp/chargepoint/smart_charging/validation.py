"""Which charging profiles a charge point refuses (1.6 §3.13, §5.11, §5.16, §7.8 to §7.14, §9.4).

Each check returns why a profile is refused, with the section that says so, or None. The standard names no answer to a
profile that breaks its rules; it is Rejected. What is wrong with a single field (numberPhases of 4, a limit of 8.15)
has been answered with a CALLERROR before, and so has a connector that does not exist (errata 3.39).

Not a reason to refuse: validFrom and validTo in a TxProfile (errata 3.65, 3.66), periods beyond the duration or the
recurrence (errata 3.44), more phases than there are (errata 3.34), a Relative profile with startSchedule (1.6 §7.9), an
Absolute one without (1.6 §7.13), a Recurring one without duration.

Threads: any.
"""

from __future__ import annotations

from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING

from openocpp.types import ChargingProfileKindType, ChargingProfilePurposeType

if TYPE_CHECKING:
    from openocpp.chargepoint.smart_charging.model import Capabilities, RunningTransaction
    from openocpp.types import ChargingProfile, ChargingSchedule

Kind = ChargingProfileKindType
Purpose = ChargingProfilePurposeType


def check_profile(
    profile: ChargingProfile,
    connector_id: int,
    capabilities: Capabilities,
    transaction: RunningTransaction | None,
) -> str | None:
    """A profile of a SetChargingProfile.req. ``transaction`` is the one running on this connector.

    Whether there is room for it is for ``ProfileSet.install`` to say.
    """
    return (
        check_purpose(profile, connector_id, transaction)
        or check_capabilities(profile, capabilities)
        or check_kind(profile)
        or check_schedule(profile.charging_schedule)
    )


def check_remote_start_profile(profile: ChargingProfile, capabilities: Capabilities) -> str | None:
    """A profile of a RemoteStartTransaction.req: for the transaction that this will start (1.6 §5.16.2)."""
    if profile.charging_profile_purpose is not Purpose.TxProfile:
        return "chargingProfilePurpose must be TxProfile in a remote start (1.6 §5.16.2)"
    if profile.transaction_id is not None:
        return "transactionId must be absent in a remote start (1.6 §5.16.2, errata 3.41)"
    return check_capabilities(profile, capabilities) or check_kind(profile) or check_schedule(profile.charging_schedule)


def check_purpose(profile: ChargingProfile, connector_id: int, transaction: RunningTransaction | None) -> str | None:
    """Each purpose has its place (1.6 §3.13.1, §5.16.4)."""
    purpose = profile.charging_profile_purpose
    if purpose is Purpose.ChargePointMaxProfile and connector_id != 0:
        return "ChargePointMaxProfile is for connector 0 only (1.6 §3.13.1)"
    if purpose is not Purpose.TxProfile:
        if profile.transaction_id is not None:
            return f"transactionId is only for TxProfile, not for {purpose} (1.6 §7.8)"
        return None
    if connector_id == 0:
        return "TxProfile is not for connector 0 (1.6 §3.13.1)"
    if transaction is None:
        return f"TxProfile, but there is no transaction on connector {connector_id} (1.6 §3.13.1)"
    if profile.transaction_id not in (None, transaction.transaction_id):
        return f"transactionId {profile.transaction_id} is not that of connector {connector_id} (1.6 §7.8)"
    return None


def check_capabilities(profile: ChargingProfile, capabilities: Capabilities) -> str | None:
    """What the charge point has announced (1.6 §3.13.5)."""
    schedule = profile.charging_schedule
    if profile.stack_level > capabilities.max_stack_level:
        return f"stackLevel is above ChargeProfileMaxStackLevel {capabilities.max_stack_level} (1.6 §9.4.1)"
    if schedule.charging_rate_unit not in capabilities.units:
        return f"{schedule.charging_rate_unit} is not in ChargingScheduleAllowedChargingRateUnit (1.6 §9.4.2)"
    if len(schedule.charging_schedule_period) > capabilities.max_periods:
        return f"more periods than ChargingScheduleMaxPeriods {capabilities.max_periods} (1.6 §9.4.3)"
    return None


def check_kind(profile: ChargingProfile) -> str | None:
    """A recurring schedule says from when and how often (1.6 §7.8, §7.13)."""
    if profile.charging_profile_kind is not Kind.Recurring:
        if profile.recurrency_kind is not None:
            return f"recurrencyKind is only for Recurring, not for {profile.charging_profile_kind} (errata 3.56)"
        return None
    if profile.recurrency_kind is None:
        return "recurrencyKind is missing (1.6 §7.8)"
    if profile.charging_schedule.start_schedule is None:
        return "startSchedule is missing: nothing to recur from (1.6 §7.13, errata 3.78)"
    return None


def check_schedule(schedule: ChargingSchedule) -> str | None:
    """Periods follow each other from the start on (1.6 §7.13, §7.14)."""
    periods = schedule.charging_schedule_period
    if not periods:
        return "there is no chargingSchedulePeriod (1.6 §7.13)"
    if periods[0].start_period != 0:
        return "the first startPeriod is not 0 (1.6 §7.13, errata 3.45)"
    if any(period.start_period >= following.start_period for period, following in pairwise(periods)):
        return "startPeriod does not increase (1.6 §7.14)"
    if any(period.limit < 0 for period in periods):
        return "a limit is below 0 (1.6 §7.14)"
    return None


def check_local_limits(schedule: ChargingSchedule) -> str | None:
    """A schedule of the charge point's own limits. It has not been read from a message, so fields are checked too."""
    if any(period.number_phases not in (None, 1, 2, 3) for period in schedule.charging_schedule_period):
        return "numberPhases is not 1, 2 or 3 (1.6 §7.14)"
    if not all(isfinite(period.limit) for period in schedule.charging_schedule_period):
        return "a limit is not a number (1.6 §7.14)"
    return check_schedule(schedule)
