"""Amperes, watts, and tenths."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openocpp.chargepoint.smart_charging.rates import Limit, Rates, lowest, phases_of, total
from openocpp.types import ChargingSchedulePeriod
from tests.chargepoint.smart_charging.build import A, W

if TYPE_CHECKING:
    from openocpp.types import ChargingRateUnitType

tenths = st.integers(0, 10_000_000).map(lambda number: number / 10)
units = st.sampled_from([A, W])
voltages = st.sampled_from([230, 230.0, 120.0, 115.5, 400, 229.97, 48])


@pytest.mark.parametrize(
    ("rate", "unit", "phases", "asked", "reported"),
    [
        (10_000, W, 3, A, 14.4),
        (5589, W, 3, A, 8.1),
        (3680, W, 1, A, 16),
        (3680, W, 2, A, 8),
        (8.1, A, 3, W, 5589),
        (8.1, A, 2, W, 3726),
        (0.1, A, 1, W, 23),
        (0, A, 3, W, 0),
        (8.1, A, 3, A, 8.1),
        (10_000.1, W, 2, W, 10_000.1),
    ],
)
def test_conversions(
    rate: float, unit: ChargingRateUnitType, phases: int, asked: ChargingRateUnitType, reported: float
) -> None:
    rates = Rates(asked, 230)
    limit = rates.convert(rate, unit, phases)
    assert limit.phases == phases
    assert rates.reported(limit.amount) == reported


@given(tenths, units, st.integers(1, 3), units, voltages)
@example(0.1, W, 3, A, 229.97)
def test_conversions_are_exact_and_never_raised(
    rate: float, unit: ChargingRateUnitType, phases: int, asked: ChargingRateUnitType, voltage: float
) -> None:
    exact = Fraction(str(rate))
    line = Fraction(str(voltage)) * phases
    current, power = (exact, exact * line) if unit is A else (exact / line, exact)
    wanted = current if asked is A else power
    rates = Rates(asked, voltage)
    amount = rates.convert(rate, unit, phases).amount
    assert Fraction(amount, rates.one) == wanted
    assert rates.value(amount) == pytest.approx(float(wanted), rel=1e-15)
    reported = Fraction(str(rates.reported(amount)))
    assert reported <= wanted < reported + Fraction(1, 10)
    assert (reported * 10).denominator == 1


@given(tenths, units, st.integers(1, 3), voltages)
def test_the_other_unit_is_the_requested_one_of_the_other(
    rate: float, unit: ChargingRateUnitType, phases: int, voltage: float
) -> None:
    current = Rates(A, voltage).convert(rate, unit, phases)
    power = Rates(W, voltage).convert(rate, unit, phases)
    assert (current.amount, current.other) == (power.other, power.amount)


def test_the_noise_of_binary_fractions_is_not_a_lower_limit() -> None:
    rates = Rates(A, 230)
    assert rates.reported(rates.convert(1.1 - 0.3, A, 1).amount) == 0.8  # 0.7999999999999999 in binary
    assert rates.reported(rates.convert(8.19, A, 1).amount) == 8.1


def test_three_phases_are_assumed() -> None:
    period = ChargingSchedulePeriod(start_period=0, limit=5589)
    assert phases_of(period) == 3
    rates = Rates(A, 230)
    assert rates.limit(W, period) == rates.convert(5589, W, 3)


@pytest.mark.parametrize("voltage", [0, -230, float("nan")])
def test_a_voltage_must_be_positive(voltage: float) -> None:
    with pytest.raises(ValueError, match="voltage"):
        Rates(A, voltage)


def test_the_lowest_of_those_that_are_there() -> None:
    assert lowest([]) is None
    assert lowest([None, None]) is None
    assert lowest([Limit(2, 9, 3), None, Limit(1, 10, 3)]) == Limit(1, 10, 3)
    assert lowest([Limit(2, 9, 3), Limit(2, 3, 1)]) == Limit(2, 3, 1)


def test_the_total_when_all_are_there() -> None:
    assert total([Limit(2, 9, 1), None]) is None
    assert total([Limit(2, 9, 2), Limit(3, 4, 1)]) == Limit(5, 13, 2)
