"""What the calculations are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from openocpp.chargepoint.smart_charging import UNIT_OF_WORD, Capabilities, InstalledProfile
from tests.chargepoint.smart_charging.build import A, TxProfile, W, profile

if TYPE_CHECKING:
    from openocpp.types import ChargingRateUnitType


@pytest.mark.parametrize(("words", "usual"), [("Current", A), ("Power", W), ("Current,Power", W), ("Power,Current", W)])
def test_the_usual_unit_is_power_where_it_is_allowed(words: str, usual: ChargingRateUnitType) -> None:
    units = frozenset(UNIT_OF_WORD[word] for word in words.split(","))
    assert Capabilities(max_stack_level=1, max_periods=1, max_installed=1, units=units).usual_unit is usual


def test_what_no_two_profiles_share() -> None:
    installed = InstalledProfile(2, profile(id=7, level=3, purpose=TxProfile), 99)
    assert installed.id == 7
    assert installed.place == (TxProfile, 3, 2)
