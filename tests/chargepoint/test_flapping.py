"""An hour of charging over a bad link; ``make flapping`` makes it a day, with more seeds."""

from __future__ import annotations

import pytest

from tests.chargepoint.flapping import flap


@pytest.mark.parametrize("seed", [101, 102])
def test_every_transaction_and_every_reading_is_told_once(seed: int) -> None:
    result = flap(seed, 1.0)
    assert result.problems == []
    assert result.cuts > 200
    assert result.transactions > 3
    assert result.repeats > 0  # answers were lost, too


def test_a_seed_is_lived_through_in_the_same_way_each_time() -> None:
    """Whoever finds a problem with a seed finds it again."""
    first, again, other = (flap(seed, 0.25) for seed in (103, 103, 104))
    assert first == again
    assert first.digest != other.digest
