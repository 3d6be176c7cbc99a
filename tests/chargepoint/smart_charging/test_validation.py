"""Every rule that a profile can break, and what is no reason to refuse one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from openocpp.chargepoint.smart_charging import (
    Capabilities,
    RunningTransaction,
    check_local_limits,
    check_profile,
    check_remote_start_profile,
)
from tests.chargepoint.smart_charging.build import (
    DAY,
    NOW,
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
    at,
    profile,
    schedule,
)

if TYPE_CHECKING:
    from openocpp.types import ChargingProfile, ChargingProfilePurposeType, ChargingRateUnitType

CAPABLE = Capabilities(max_stack_level=3, max_periods=4, max_installed=5, units=frozenset({A, W}))
RUNNING = RunningTransaction(77, at(-100), 12)
UNKNOWN_ID = RunningTransaction(77, at(-100))

GOOD = [
    profile(),
    profile("0:0/1,1:8.1/2,2:5,3:7"),
    profile(level=3),
    profile(unit=W),
    profile(kind=Absolute),
    profile(kind=Absolute, start=NOW, duration=0),
    profile(kind=Relative, start=NOW),
    profile(kind=Recurring, recurrency=Daily, start=NOW),
    profile(kind=Recurring, recurrency=Weekly, start=NOW, duration=8 * DAY),
    profile("0:1,90000:2", kind=Recurring, recurrency=Daily, start=NOW),
    profile("0:1,100:2", duration=50),
    profile(valid_from=at(5), valid_to=at(2)),
    profile(min_rate=100),
    profile(id=-4),
]


@pytest.mark.parametrize("good", GOOD)
def test_no_reason_to_refuse(good: ChargingProfile) -> None:
    assert check_profile(good, 0, CAPABLE, None) is None
    assert check_profile(good, 2, CAPABLE, RUNNING) is None
    of_transaction = replace(good, charging_profile_purpose=TxProfile)
    assert check_profile(of_transaction, 2, CAPABLE, RUNNING) is None
    assert check_remote_start_profile(of_transaction, CAPABLE) is None


BAD = [
    (profile(level=4), "stackLevel is above ChargeProfileMaxStackLevel 3 (1.6 §9.4.1)"),
    (profile("0:1,1:1,2:1,3:1,4:1"), "more periods than ChargingScheduleMaxPeriods 4 (1.6 §9.4.3)"),
    (profile(recurrency=Daily), "recurrencyKind is only for Recurring, not for Relative (errata 3.56)"),
    (profile(kind=Absolute, recurrency=Daily), "recurrencyKind is only for Recurring, not for Absolute (errata 3.56)"),
    (profile(kind=Recurring, start=NOW), "recurrencyKind is missing (1.6 §7.8)"),
    (
        profile(kind=Recurring, recurrency=Daily, duration=DAY),
        "startSchedule is missing: nothing to recur from (1.6 §7.13, errata 3.78)",
    ),
    (profile("1:5"), "the first startPeriod is not 0 (1.6 §7.13, errata 3.45)"),
    (profile("-1:5,0:4"), "the first startPeriod is not 0 (1.6 §7.13, errata 3.45)"),
    (profile("0:5,10:6,10:7"), "startPeriod does not increase (1.6 §7.14)"),
    (profile("0:5,10:6,9:7"), "startPeriod does not increase (1.6 §7.14)"),
    (profile("0:5,10:-0.1"), "a limit is below 0 (1.6 §7.14)"),
]


@pytest.mark.parametrize(("bad", "reason"), BAD)
def test_reasons_that_hold_for_every_purpose(bad: ChargingProfile, reason: str) -> None:
    assert check_profile(bad, 1, CAPABLE, None) == reason
    of_charge_point = replace(bad, charging_profile_purpose=ChargePointMaxProfile)
    assert check_profile(of_charge_point, 0, CAPABLE, None) == reason
    of_transaction = replace(bad, charging_profile_purpose=TxProfile)
    assert check_profile(of_transaction, 1, CAPABLE, RUNNING) == reason
    assert check_remote_start_profile(of_transaction, CAPABLE) == reason


def test_a_schedule_without_periods() -> None:
    # The codec lets none pass, but a profile can be read from elsewhere.
    bare = replace(schedule("0:1"), charging_schedule_period=())
    empty = replace(profile(), charging_schedule=bare)
    assert check_profile(empty, 1, CAPABLE, None) == "there is no chargingSchedulePeriod (1.6 §7.13)"


@pytest.mark.parametrize(("units", "unit"), [({A}, W), ({W}, A)])
def test_only_announced_units(units: set[ChargingRateUnitType], unit: ChargingRateUnitType) -> None:
    narrow = replace(CAPABLE, units=units)
    other = profile(unit=unit)
    reason = f"{unit} is not in ChargingScheduleAllowedChargingRateUnit (1.6 §9.4.2)"
    assert check_profile(other, 1, narrow, None) == reason
    assert check_remote_start_profile(replace(other, charging_profile_purpose=TxProfile), narrow) == reason


def test_the_maximum_is_for_the_charge_point() -> None:
    maximum = profile(purpose=ChargePointMaxProfile)
    assert check_profile(maximum, 0, CAPABLE, None) is None
    assert check_profile(maximum, 1, CAPABLE, None) == "ChargePointMaxProfile is for connector 0 only (1.6 §3.13.1)"


@pytest.mark.parametrize("purpose", [ChargePointMaxProfile, TxDefaultProfile])
def test_only_a_tx_profile_has_a_transaction(purpose: ChargingProfilePurposeType) -> None:
    with_id = profile(purpose=purpose, transaction_id=12)
    reason = f"transactionId is only for TxProfile, not for {purpose} (1.6 §7.8)"
    assert check_profile(with_id, 0, CAPABLE, RUNNING) == reason


def test_a_tx_profile_is_for_the_transaction_on_its_connector() -> None:
    without_id = profile(purpose=TxProfile)
    right, wrong = replace(without_id, transaction_id=12), replace(without_id, transaction_id=13)
    assert check_profile(without_id, 1, CAPABLE, RUNNING) is None
    assert check_profile(right, 1, CAPABLE, RUNNING) is None
    assert check_profile(wrong, 1, CAPABLE, RUNNING) == "transactionId 13 is not that of connector 1 (1.6 §7.8)"
    assert check_profile(without_id, 0, CAPABLE, RUNNING) == "TxProfile is not for connector 0 (1.6 §3.13.1)"
    nothing_runs = "TxProfile, but there is no transaction on connector 1 (1.6 §3.13.1)"
    assert check_profile(without_id, 1, CAPABLE, None) == nothing_runs
    assert check_profile(right, 1, CAPABLE, None) == nothing_runs


def test_a_transaction_whose_id_is_not_known_yet() -> None:
    without_id = profile(purpose=TxProfile)
    assert check_profile(without_id, 1, CAPABLE, UNKNOWN_ID) is None
    assert check_profile(replace(without_id, transaction_id=12), 1, CAPABLE, UNKNOWN_ID) is not None


@pytest.mark.parametrize("purpose", [ChargePointMaxProfile, TxDefaultProfile])
def test_a_remote_start_needs_a_tx_profile(purpose: ChargingProfilePurposeType) -> None:
    other = profile(purpose=purpose)
    reason = "chargingProfilePurpose must be TxProfile in a remote start (1.6 §5.16.2)"
    assert check_remote_start_profile(other, CAPABLE) == reason


def test_a_remote_start_knows_no_transaction_yet() -> None:
    early = profile(purpose=TxProfile, transaction_id=0)
    reason = "transactionId must be absent in a remote start (1.6 §5.16.2, errata 3.41)"
    assert check_remote_start_profile(early, CAPABLE) == reason


def test_local_limits() -> None:
    assert check_local_limits(schedule("0:16/1,10:0/3,20:5")) is None
    assert check_local_limits(schedule("0:16/4")) == "numberPhases is not 1, 2 or 3 (1.6 §7.14)"
    assert check_local_limits(schedule("0:16/0")) == "numberPhases is not 1, 2 or 3 (1.6 §7.14)"
    assert check_local_limits(schedule("0:nan")) == "a limit is not a number (1.6 §7.14)"
    assert check_local_limits(schedule("0:inf")) == "a limit is not a number (1.6 §7.14)"
    assert check_local_limits(schedule("0:-1")) == "a limit is below 0 (1.6 §7.14)"
    assert check_local_limits(schedule("5:1")) == "the first startPeriod is not 0 (1.6 §7.13, errata 3.45)"
