"""Causes and result side by side."""

from __future__ import annotations

import random

import pytest

from openocpp.chargepoint.smart_charging import Curve, InstalledProfile, composite_schedule, explain
from tests.chargepoint.smart_charging.build import (
    NOW,
    A,
    ChargePointMaxProfile,
    TxProfile,
    W,
    at,
    profile,
    schedule,
    situation,
    told,
)
from tests.chargepoint.smart_charging.random_sets import random_question


def shown(curve: Curve) -> tuple[str, list[tuple[int, int, float, int]]]:
    return curve.name, [
        (int((step.start - NOW).total_seconds()), int((step.end - NOW).total_seconds()), step.limit, step.number_phases)
        for step in curve.steps
    ]


def test_the_causes_of_a_connectors_limit() -> None:
    inside = situation(
        InstalledProfile(0, profile("0:20/3", id=1, purpose=ChargePointMaxProfile)),
        InstalledProfile(1, profile("0:16/1,30:32/1", id=2, level=5, duration=50)),
        InstalledProfile(0, profile("0:6/1", id=3, level=1)),
        InstalledProfile(1, profile("0:10000", id=4, purpose=TxProfile, unit=W, valid_to=at(10)), 8),
        InstalledProfile(1, profile(id=5, purpose=TxProfile, level=1), 9),  # of another transaction
        connector_1=(8, at(-10)),
    )
    found = explain(inside, 1, NOW, 60, A, {1: schedule("0:18/3,55:5/3"), 0: schedule("0:1")})
    assert [shown(cause) for cause in found.causes] == [
        ("TxProfile 4, stack level 0", [(0, 10, pytest.approx(14.4927536), 3)]),
        ("TxDefaultProfile 2, stack level 5", [(0, 20, 16, 1), (20, 40, 32, 1)]),
        ("TxDefaultProfile 3, stack level 1", [(0, 60, 6, 1)]),
        ("ChargePointMaxProfile 1, stack level 0", [(0, 60, 20, 3)]),
        ("local limit", [(0, 55, 18, 3), (55, 60, 5, 3)]),
    ]
    assert shown(found.result) == (
        "composite schedule",
        [(0, 10, pytest.approx(14.4927536), 3), (10, 20, 16, 1), (20, 40, 18, 3), (40, 55, 6, 1), (55, 60, 5, 3)],
    )
    assert told(found.composite) == "0:14.4/3, 10:16/1, 20:18/3, 40:6/1, 55:5/3; 60"
    assert (found.connector_id, found.unit, found.start, found.end) == (1, A, NOW, at(60))


def test_the_causes_of_the_charge_points_limit() -> None:
    inside = situation(
        InstalledProfile(0, profile("0:20/3", id=1, purpose=ChargePointMaxProfile)),
        InstalledProfile(1, profile("0:8/3", id=2)),
        connectors=2,
    )
    found = explain(inside, 0, NOW, 60, A, {2: schedule("0:16/1,30:3/1")})
    assert [shown(cause) for cause in found.causes] == [
        ("connector 1", [(0, 60, 8, 3)]),
        ("connector 2", [(0, 30, 16, 1), (30, 60, 3, 1)]),
        ("ChargePointMaxProfile 1, stack level 0", [(0, 60, 20, 3)]),
    ]
    assert told(found.composite) == "0:20/3, 30:11/3; 60"


def test_a_hole_is_explained_although_it_cannot_be_reported() -> None:
    inside = situation(
        InstalledProfile(1, profile("0:8/3", id=1, level=1, duration=10)),
        InstalledProfile(1, profile("0:9/3", id=2, valid_from=at(20))),
    )
    found = explain(inside, 1, NOW, 60, A)
    assert shown(found.result)[1] == [(0, 10, 8, 3), (20, 60, 9, 3)]
    assert told(found.composite) == ""


@pytest.mark.parametrize("seed", range(200))
def test_it_explains_what_composite_schedule_says(seed: int) -> None:
    q = random_question(random.Random(seed), 90)
    found = explain(q.situation, q.connector_id, q.now, q.duration, q.unit, q.local_limits)
    assert found.composite == composite_schedule(q.situation, q.connector_id, q.now, q.duration, q.unit, q.local_limits)


@pytest.mark.parametrize(("connector_id", "duration"), [(2, 60), (-1, 60), (1, 0)])
def test_what_cannot_be_asked(connector_id: int, duration: int) -> None:
    with pytest.raises(ValueError, match="no composite schedule"):
        explain(situation(), connector_id, NOW, duration, A)
