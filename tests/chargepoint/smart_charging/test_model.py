"""What the calculations are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from openocpp.chargepoint.smart_charging import Capabilities, InstalledProfile
from tests.chargepoint.smart_charging.build import A, TxProfile, W, profile

if TYPE_CHECKING:
    from openocpp.types import ChargingRateUnitType


@pytest.mark.parametrize(("units", "usual"), [([A], A), ([W], W), ([A, W], W), ([W, A], W)])
def test_the_usual_unit_is_power_where_it_is_allowed(
    units: list[ChargingRateUnitType], usual: ChargingRateUnitType
) -> None:
    assert Capabilities(max_stack_level=1, max_periods=1, max_installed=1, units=units).usual_unit is usual


def test_what_no_two_profiles_share() -> None:
    installed = InstalledProfile(2, profile(id=7, level=3, purpose=TxProfile), 99)
    assert installed.id == 7
    assert installed.place == (TxProfile, 3, 2)
