"""The limits that hold right now."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from openocpp.chargepoint.smart_charging import InstalledProfile, Situation, setpoints
from openocpp.types import SmartChargingSetpoint
from tests.chargepoint.smart_charging import reference
from tests.chargepoint.smart_charging.build import (
    DAY,
    NOW,
    A,
    Absolute,
    ChargePointMaxProfile,
    Daily,
    Recurring,
    TxProfile,
    W,
    Weekly,
    at,
    profile,
    situation,
)
from tests.chargepoint.smart_charging.random_sets import random_question

PERIODS = "0:5/1,50:13/2,200:25/3"
THIRTEEN = SmartChargingSetpoint(13, 2, 10)


def connector(inside: Situation, connector_id: int = 1) -> SmartChargingSetpoint | None:
    return setpoints(inside, connector_id, NOW, A).connector


def test_without_profiles_there_is_no_limit() -> None:
    assert setpoints(situation(), 1, NOW, A) == (None, None)


def test_the_period_that_has_begun_last() -> None:
    absolute = profile(PERIODS, kind=Absolute, start=at(-100), min_rate=10)
    assert connector(situation(InstalledProfile(1, absolute))) == THIRTEEN


@pytest.mark.parametrize(("started", "expected"), [(-DAY * 3 - 100, THIRTEEN), (-DAY * 3 + 100, None)])
def test_daily(started: int, expected: SmartChargingSetpoint | None) -> None:
    daily = profile(PERIODS, kind=Recurring, recurrency=Daily, start=at(started), duration=300, min_rate=10)
    assert connector(situation(InstalledProfile(1, daily))) == expected


@pytest.mark.parametrize("weeks", [0, 1, 52])
@pytest.mark.parametrize("days", range(-3, 4))
def test_weekly(days: int, weeks: int) -> None:
    start = at(-100) + timedelta(days=days) - timedelta(weeks=weeks)
    weekly = profile(PERIODS, kind=Recurring, recurrency=Weekly, start=start, duration=300, min_rate=10)
    expected = THIRTEEN if days == 0 else None
    assert connector(situation(InstalledProfile(1, weekly))) == expected


def test_a_connector_before_connector_0_while_it_is_valid() -> None:
    everywhere = InstalledProfile(0, profile("0:10/1", id=1, level=5))
    here = profile("0:13/2", id=2, level=5)
    not_yet = profile("0:13/2", id=2, level=5, valid_from=at(1))
    no_longer = profile("0:13/2", id=2, level=5, valid_to=at(0))
    from_now = profile("0:13/2", id=2, level=5, valid_from=at(0), valid_to=at(1))
    ten, thirteen = SmartChargingSetpoint(10, 1, None), SmartChargingSetpoint(13, 2, None)
    assert connector(situation(everywhere, InstalledProfile(1, here))) == thirteen
    assert connector(situation(everywhere, InstalledProfile(1, from_now))) == thirteen
    assert connector(situation(everywhere, InstalledProfile(1, not_yet))) == ten
    assert connector(situation(everywhere, InstalledProfile(1, no_longer))) == ten
    assert connector(situation(everywhere, InstalledProfile(1, here), connectors=2), 2) == ten


def test_the_maximum_of_the_charge_point_is_above_none() -> None:
    maximum = InstalledProfile(0, profile("0:8/3", id=1, purpose=ChargePointMaxProfile, min_rate=2))
    default = InstalledProfile(1, profile("0:13/2", id=2, min_rate=10))
    eight = SmartChargingSetpoint(8, 3, 2)
    assert setpoints(situation(maximum, default), 1, NOW, A) == (eight, eight)
    assert setpoints(situation(maximum), 1, NOW, A) == (eight, eight)
    higher = InstalledProfile(0, profile("0:20/3", id=1, purpose=ChargePointMaxProfile))
    assert setpoints(situation(higher, default), 1, NOW, A) == (SmartChargingSetpoint(20, 3, None), THIRTEEN)


def test_currents_are_compared_whatever_the_phases() -> None:
    maximum = InstalledProfile(0, profile("0:14/1", id=1, purpose=ChargePointMaxProfile))
    default = InstalledProfile(1, profile("0:13/3", id=2))
    assert connector(situation(maximum, default)) == SmartChargingSetpoint(13, 3, None)
    in_watts = setpoints(situation(maximum, default), 1, NOW, W)
    assert in_watts.connector == SmartChargingSetpoint(14 * 230, 1, None)


def test_relative_is_since_the_start_of_the_transaction() -> None:
    default = InstalledProfile(1, profile(PERIODS))
    assert connector(situation(default)) == SmartChargingSetpoint(5, 1, None)
    assert connector(situation(default, connector_1=(1, at(-200)))) == SmartChargingSetpoint(25, 3, None)
    assert connector(situation(default, connector_1=(1, at(-199)))) == SmartChargingSetpoint(13, 2, None)


def test_a_tx_profile_overrules_the_default_for_its_transaction() -> None:
    default = InstalledProfile(1, profile("0:13/2", level=9))
    of_transaction = InstalledProfile(1, profile("0:20/1", id=2, purpose=TxProfile), 5)
    waiting = InstalledProfile(1, profile("0:3/1", id=3, purpose=TxProfile, level=2))
    both = (default, of_transaction, waiting)
    assert connector(situation(*both, connector_1=(5, at(-1)))) == SmartChargingSetpoint(20, 1, None)
    assert connector(situation(*both, connector_1=(6, at(-1)))) == SmartChargingSetpoint(13, 2, None)
    assert connector(situation(*both)) == SmartChargingSetpoint(13, 2, None)


def test_after_the_tx_profile_has_ended_the_default_holds() -> None:
    default = InstalledProfile(1, profile("0:13/2"))
    of_transaction = InstalledProfile(1, profile("0:20/1", id=2, purpose=TxProfile, duration=100), 5)
    assert connector(situation(default, of_transaction, connector_1=(5, at(-99)))) == SmartChargingSetpoint(20, 1, None)
    assert connector(situation(default, of_transaction, connector_1=(5, at(-100)))) == SmartChargingSetpoint(
        13, 2, None
    )


def test_values_and_least_rates_are_converted_and_not_rounded() -> None:
    inside = situation(InstalledProfile(1, profile("0:10000", unit=W, min_rate=690)))
    found = connector(inside)
    assert found is not None
    assert found.value == pytest.approx(14.492753623188406)
    assert (found.number_phases, found.min_charging_rate) == (3, 1)
    amperes = situation(InstalledProfile(1, profile("0:16/1", min_rate=6)), voltage=120)
    assert setpoints(amperes, 1, NOW, W).connector == SmartChargingSetpoint(1920, 1, 720)


def test_connector_0_is_what_a_connector_without_own_profiles_gets() -> None:
    inside = situation(
        InstalledProfile(0, profile("0:13/2", id=1)),
        InstalledProfile(1, profile("0:6/2", id=2, level=3)),
        InstalledProfile(0, profile("0:40/3", id=3, purpose=ChargePointMaxProfile)),
    )
    assert setpoints(inside, 0, NOW, A) == (SmartChargingSetpoint(40, 3, None), SmartChargingSetpoint(13, 2, None))


def test_random_sets_at_one_moment() -> None:
    """What holds now is what the reference finds in this very second, but for local limits."""
    limited = 0
    for seed in range(1000):
        question = random_question(random.Random(seed), 90)
        inside, now, unit = question.situation, question.now, question.unit
        for connector_id in range(1, inside.connectors + 1):
            found = setpoints(inside, connector_id, now, unit).connector
            second = now.replace(microsecond=0)
            expected = reference.limit_at(second, second, inside, connector_id, unit, {})
            assert (found is None) is (expected is None), seed
            if found is not None and expected is not None:
                limited += 1
                assert found.value == pytest.approx(float(expected.amperes if unit is A else expected.watts)), seed
                assert found.number_phases == expected.phases, seed
    assert limited > 500
