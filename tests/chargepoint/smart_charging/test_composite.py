"""The composite schedule: against vectors written by hand, and against a reference that asks second by second."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from openocpp.chargepoint.smart_charging import InstalledProfile, check_local_limits, check_profile, composite_schedule
from openocpp.messages.codec import to_payload
from openocpp.messages.smart_charging import GetCompositeScheduleConf, GetCompositeScheduleReq
from openocpp.types import GetCompositeScheduleStatus
from tests.chargepoint.smart_charging import reference
from tests.chargepoint.smart_charging.build import (
    DAY,
    NOW,
    A,
    Absolute,
    ChargePointMaxProfile,
    Daily,
    Recurring,
    TxDefaultProfile,
    TxProfile,
    W,
    Weekly,
    at,
    profile,
    schedule,
    situation,
    told,
)
from tests.chargepoint.smart_charging.random_sets import CAPABLE, random_question
from tests.chargepoint.smart_charging.vectors import Vector, read_all

if TYPE_CHECKING:
    from openocpp.chargepoint.smart_charging import Situation
    from openocpp.types import CompositeSchedule

VECTORS = read_all()


def ask(vector: Vector, request: GetCompositeScheduleReq, now_in: Situation) -> dict[str, object]:
    """The confirmation as it would be sent."""
    assert request.charging_rate_unit is not None
    result = composite_schedule(
        now_in,
        request.connector_id,
        vector.now,
        request.duration,
        request.charging_rate_unit,
        vector.local_limits,
    )
    confirmation = GetCompositeScheduleConf(
        status=result.status,
        connector_id=result.connector_id,
        schedule_start=result.schedule_start,
        charging_schedule=result.schedule,
    )
    return to_payload(confirmation)


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_vectors(vector: Vector) -> None:
    for request, response in vector.requests:
        assert ask(vector, request, vector.situation) == response


@pytest.mark.parametrize("vector", [vector for vector in VECTORS if vector.name.startswith("ref_")], ids=str)
@pytest.mark.parametrize("places", [(0, 0), (1, 0), (0, 1)])
def test_defaults_of_different_levels_may_be_on_either_connector(vector: Vector, places: tuple[int, int]) -> None:
    moved = [
        replace(installed, connector_id=places[number]) if installed.purpose is TxDefaultProfile else installed
        for number, installed in enumerate(vector.situation.profiles)
    ]
    for request, response in vector.requests:
        assert ask(vector, request, replace(vector.situation, profiles=moved)) == response


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_the_order_of_installation_does_not_matter(vector: Vector) -> None:
    turned = replace(vector.situation, profiles=list(vector.situation.profiles)[::-1])
    for request, response in vector.requests:
        assert ask(vector, request, turned) == response


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_the_reference_agrees_with_the_vectors(vector: Vector) -> None:
    for request, response in vector.requests:
        if request.connector_id > vector.situation.connectors or not 0 < request.duration <= 7200:
            continue  # not a question for the reference, or too slow a one
        assert request.charging_rate_unit is not None
        expected = reference.answer(
            vector.situation,
            request.connector_id,
            vector.now,
            request.duration,
            request.charging_rate_unit,
            vector.local_limits,
        )
        assert (expected is None) == (response["status"] == "Rejected")
        if expected is not None:
            periods = response["chargingSchedule"]["chargingSchedulePeriod"]
            assert expected.periods == [(p["startPeriod"], p["limit"], p["numberPhases"]) for p in periods]


# --- Random profile sets ----------------------------------------------------------------------------------------------


def same(result: CompositeSchedule, expected: reference.Answer | None) -> bool:
    if expected is None:
        return result.status is GetCompositeScheduleStatus.Rejected
    if result.schedule is None or result.schedule_start != expected.start:
        return False
    periods = [(p.start_period, p.limit, p.number_phases) for p in result.schedule.charging_schedule_period]
    return result.schedule.duration == expected.duration and periods == expected.periods


def compare(seed: int, longest: int) -> bool:
    """Is it rejected? Both ways have said the same."""
    question = random_question(random.Random(seed), longest)
    for installed in question.situation.profiles:
        transaction = question.situation.transactions.get(installed.connector_id)
        assert check_profile(installed.profile, installed.connector_id, CAPABLE, transaction) is None, seed
    assert all(check_local_limits(limits) is None for limits in question.local_limits.values())
    arguments = (
        question.situation,
        question.connector_id,
        question.now,
        question.duration,
        question.unit,
        question.local_limits,
    )
    result = composite_schedule(*arguments)
    expected = reference.answer(*arguments)
    assert same(result, expected), f"seed {seed}: {question}\n{result}\n{expected}"
    return expected is None


@pytest.mark.parametrize("block", range(5))
def test_random_sets_over_minutes(block: int) -> None:
    rejected = sum(compare(seed, longest=90) for seed in range(block * 500, block * 500 + 500))
    assert 20 < rejected < 400  # both kinds of answers are compared


def test_random_sets_over_a_day() -> None:
    assert not all(compare(seed, longest=DAY) for seed in range(10_000, 10_004))


# --- Time -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("started_days_ago", range(15))
def test_weekly_on_each_weekday(started_days_ago: int) -> None:
    weekly = profile(
        "0:10/3,1800:6/3",
        kind=Recurring,
        recurrency=Weekly,
        start=NOW - timedelta(days=started_days_ago) + timedelta(hours=1),
        duration=3600,
    )
    result = composite_schedule(situation(InstalledProfile(1, weekly)), 1, NOW, 7 * DAY, A)
    assert result.schedule_start is not None
    day = -started_days_ago % 7 if started_days_ago else 0
    assert result.schedule_start == NOW + timedelta(days=day, hours=1)
    assert result.schedule_start.weekday() == (NOW - timedelta(days=started_days_ago)).weekday()
    assert told(result) == "0:10/3, 1800:6/3; 3600"


@pytest.mark.parametrize("hour", range(24))
def test_daily_at_each_hour_and_over_midnight(hour: int) -> None:
    daily = profile(
        "0:10/3,5400:6/3",
        kind=Recurring,
        recurrency=Daily,
        start=datetime(2023, 12, 1, hour, tzinfo=UTC),
        duration=2 * 3600,
    )
    inside = situation(InstalledProfile(1, daily))
    start = datetime(2024, 3, 13, hour, tzinfo=UTC)
    assert told(composite_schedule(inside, 1, start + timedelta(hours=1), 7200, A)) == "0:10/3, 1800:6/3; 3600"
    assert told(composite_schedule(inside, 1, start - timedelta(seconds=1), 1, A)) == ""
    assert told(composite_schedule(inside, 1, start, 1, A)) == "0:10/3; 1"
    assert told(composite_schedule(inside, 1, start + timedelta(seconds=7199), 9, A)) == "0:6/3; 1"
    assert told(composite_schedule(inside, 1, start + timedelta(seconds=7200), 9, A)) == ""


@pytest.mark.parametrize("midnight", ["2024-03-31", "2024-10-27"])
def test_a_day_on_which_the_clocks_change_has_one_daily_run(midnight: str) -> None:
    paris = ZoneInfo("Europe/Paris")
    daily = profile(
        "0:10/3",
        kind=Recurring,
        recurrency=Daily,
        start=datetime(2024, 1, 1, 2, 30, tzinfo=paris),  # 01:30 UTC: the hour that is left out, or comes twice
        duration=3600,
    )
    inside = situation(
        InstalledProfile(1, daily), InstalledProfile(1, profile("0:6/3", id=2, purpose=TxDefaultProfile))
    )
    inside = replace(inside, profiles=[*inside.profiles][:1])
    day = datetime.fromisoformat(midnight).replace(tzinfo=paris)
    result = composite_schedule(inside, 1, day, DAY, A)
    assert result.schedule_start == datetime.fromisoformat(f"{midnight}T01:30:00Z")
    assert told(result) == "0:10/3; 3600"


def test_instants_are_cut_to_whole_seconds() -> None:
    late = timedelta(microseconds=999_999)
    absolute = profile(
        "0:10/3,10:6/3", kind=Absolute, start=at(5) + late, valid_from=at(7) + late, valid_to=at(20) + late
    )
    result = composite_schedule(situation(InstalledProfile(1, absolute)), 1, NOW + late, 60, A)
    assert result.schedule_start == at(7)
    assert told(result) == "0:10/3, 8:6/3; 13"


def test_a_long_window_tells_every_run() -> None:
    daily = profile("0:10/3,3600:6/3", kind=Recurring, recurrency=Daily, start=NOW)
    result = composite_schedule(situation(InstalledProfile(1, daily)), 1, NOW, 365 * DAY, A)
    assert result.schedule is not None
    assert len(result.schedule.charging_schedule_period) == 730


def test_no_schedule_is_longer_than_a_year() -> None:
    inside = situation(InstalledProfile(1, profile("0:10/3")))
    assert told(composite_schedule(inside, 1, NOW, 366 * DAY, A)) == f"0:10/3; {366 * DAY}"
    assert told(composite_schedule(inside, 1, NOW, 2**31 - 1, A)) == f"0:10/3; {366 * DAY}"


# --- What the vectors cannot say --------------------------------------------------------------------------------------


def test_only_profiles_of_the_running_transaction_count() -> None:
    default = InstalledProfile(1, profile("0:16/3"))
    waiting = InstalledProfile(1, profile("0:6/3", id=2, purpose=TxProfile))
    gone = InstalledProfile(1, profile("0:7/3", id=3, purpose=TxProfile, level=1), 41)
    ours = InstalledProfile(1, profile("0:8/3", id=4, purpose=TxProfile, level=2), 42)
    all_of_them = (default, waiting, gone, ours)
    assert told(composite_schedule(situation(*all_of_them), 1, NOW, 60, A)) == "0:16/3; 60"
    running = situation(*all_of_them, connector_1=(42, at(-10)))
    assert told(composite_schedule(running, 1, NOW, 60, A)) == "0:8/3; 60"
    other = situation(*all_of_them, connector_1=(43, at(-10)))
    assert told(composite_schedule(other, 1, NOW, 60, A)) == "0:16/3; 60"


def test_a_local_schedule_covers_the_window_whatever_it_says_itself() -> None:
    local = {1: schedule("0:10/1,20:12/1", start=at(-3600), duration=5)}
    assert told(composite_schedule(situation(), 1, NOW, 60, A, local)) == "0:10/1, 20:12/1; 60"
    absolute = profile("0:16/3", kind=Absolute, start=at(10), duration=5)
    assert told(composite_schedule(situation(InstalledProfile(1, absolute)), 1, NOW, 60, A, local)) == (
        "0:10/1, 20:12/1; 60"
    )


def test_a_local_schedule_in_the_other_unit() -> None:
    inside = situation(InstalledProfile(1, profile("0:16/1,10:5/3")))
    local = {1: schedule("0:3000/1", unit=W)}
    assert told(composite_schedule(inside, 1, NOW, 20, A, local)) == "0:13/1, 10:5/3; 20"
    assert told(composite_schedule(inside, 1, NOW, 20, W, local)) == "0:3000/1; 20"


def test_among_equal_values_the_lowest_in_the_other_unit_gives_the_phases() -> None:
    inside = situation(
        InstalledProfile(1, profile("0:16/3")),
        InstalledProfile(0, profile("0:16/1", id=2, purpose=ChargePointMaxProfile)),
    )
    assert told(composite_schedule(inside, 1, NOW, 20, A)) == "0:16/1; 20"
    inside = situation(
        InstalledProfile(1, profile("0:16/1")),
        InstalledProfile(0, profile("0:8/2", id=2, purpose=ChargePointMaxProfile)),
    )
    assert told(composite_schedule(inside, 1, NOW, 20, W)) == "0:3680/2; 20"


@pytest.mark.parametrize(("connector_id", "duration"), [(3, 60), (-1, 60), (1, 0), (1, -5)])
def test_what_cannot_be_asked_is_rejected(connector_id: int, duration: int) -> None:
    inside = situation(InstalledProfile(0, profile()), connectors=2)
    assert told(composite_schedule(inside, 2, NOW, 60, A)) == "0:16/3; 60"
    assert told(composite_schedule(inside, connector_id, NOW, duration, A)) == ""


def test_a_charge_point_without_connectors_expects_nothing_from_them() -> None:
    inside = situation(InstalledProfile(0, profile("0:9/3", purpose=ChargePointMaxProfile)), connectors=0)
    assert told(composite_schedule(inside, 0, NOW, 60, A)) == "0:9/3; 60"


def test_a_schedule_of_no_length_says_nothing() -> None:
    inside = situation(
        InstalledProfile(1, profile("0:9/3", duration=0, level=3)),
        InstalledProfile(1, profile("0:8/3", id=2, level=2, valid_from=at(5), valid_to=at(5))),
        InstalledProfile(1, profile("0:7/3", id=3)),
    )
    assert told(composite_schedule(inside, 1, NOW, 60, A)) == "0:7/3; 60"
