"""The time model: runs of a schedule, and their periods within a window."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import islice, pairwise
from typing import TYPE_CHECKING

import pytest

from openocpp.chargepoint.smart_charging.occurrences import (
    FOREVER,
    Span,
    occurrences,
    pieces,
    schedule_pieces,
    to_instant,
    to_seconds,
    validity,
)
from tests.chargepoint.smart_charging.build import (
    DAY,
    NOW,
    Absolute,
    Daily,
    Recurring,
    Relative,
    Weekly,
    at,
    profile,
    schedule,
)

if TYPE_CHECKING:
    from openocpp.types import ChargingProfile, ChargingProfileKindType, RecurrencyKindType

T = to_seconds(NOW)
HOUR = Span(T, T + 3600)


def shown(profile: ChargingProfile, window: Span = HOUR, relative_start: int = T) -> list[tuple[int, int, float]]:
    """Start and end since NOW, limit."""
    return [
        (piece.start - T, piece.end - T, piece.period.limit)
        for piece in pieces(profile, relative_start, window)
        if piece.schedule is profile.charging_schedule
    ]


def test_instants_are_whole_seconds_of_utc() -> None:
    assert to_seconds(datetime(1970, 1, 1, 0, 1, 0, 999_999, tzinfo=UTC)) == 60
    assert to_seconds(datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC)) == -1
    assert to_seconds(datetime(2024, 3, 13, 11, tzinfo=timezone(timedelta(hours=2)))) == T
    assert to_instant(T) == NOW
    assert to_instant(T).tzinfo is UTC


def test_what_two_spans_have_in_common() -> None:
    assert Span(1, 5).within(Span(3, 9)) == Span(3, 5)
    assert Span(1, 3).within(Span(3, 9)) == Span(3, 3)


def test_validity_without_bounds() -> None:
    assert validity(profile()) == (-FOREVER, FOREVER)
    assert validity(profile(valid_from=at(1), valid_to=at(2))) == (T + 1, T + 2)


@pytest.mark.parametrize(
    ("kind", "start", "expected"),
    [
        (Absolute, at(10), T + 10),
        (Absolute, None, T - 5),  # 1.6 §7.13: relative then
        (Relative, None, T - 5),
        (Relative, at(10), T - 5),  # 1.6 §7.9: the charge point knows the start point
    ],
)
def test_where_a_single_run_starts(kind: ChargingProfileKindType, start: datetime | None, expected: int) -> None:
    one = profile(kind=kind, start=start)
    assert list(occurrences(one, T - 5, HOUR)) == [(expected, expected + FOREVER)]
    lasting = profile(kind=kind, start=start, duration=7)
    assert list(occurrences(lasting, T - 5, HOUR)) == [(expected, expected + 7)]


@pytest.mark.parametrize(("recurrency", "interval"), [(Daily, DAY), (Weekly, 7 * DAY)])
def test_runs_of_a_recurring_schedule(recurrency: RecurrencyKindType, interval: int) -> None:
    recurring = profile(kind=Recurring, recurrency=recurrency, start=at(-10), duration=100)
    endless = Span(T + 5 * interval, FOREVER)
    runs = list(islice(occurrences(recurring, 0, endless), 3))
    assert runs[0] == (T - 10 + 5 * interval, T + 90 + 5 * interval)  # begun before the window
    assert {later.start - run.start for run, later in pairwise(runs)} == {interval}
    assert list(occurrences(recurring, 0, Span(T - 100, T - 10))) == []  # none before startSchedule
    assert len(list(occurrences(recurring, 0, Span(T - 100, T - 9)))) == 1


def test_a_run_has_ended_when_the_next_begins() -> None:
    for duration in (None, DAY, DAY + 1, 10 * DAY):
        recurring = profile(kind=Recurring, recurrency=Daily, start=at(0), duration=duration)
        assert list(occurrences(recurring, 0, HOUR)) == [(T, T + DAY)]


def test_periods_count_from_the_start_of_the_run() -> None:
    begun = profile("0:1,100:2,200:3", kind=Absolute, start=at(-150))
    assert shown(begun) == [(0, 50, 2), (50, 3600, 3)]


@pytest.mark.parametrize(
    ("second", "limit"), [(-1, None), (0, 1), (99, 1), (100, 2), (199, 2), (200, 3), (299, 3), (300, None)]
)
def test_edges_belong_to_what_begins(second: int, limit: float | None) -> None:
    one = profile("0:1,100:2,200:3", kind=Absolute, start=at(0), duration=300)
    found = shown(one, Span(T + second, T + second + 1))
    assert [piece[2] for piece in found] == ([] if limit is None else [limit])


def test_periods_after_the_duration_are_not_executed() -> None:
    assert shown(profile("0:1,100:2,200:3", duration=150)) == [(0, 100, 1), (100, 150, 2)]


def test_periods_after_the_recurrence_are_not_executed() -> None:
    long = profile(f"0:1,{DAY - 50}:2,{DAY + 50}:3", kind=Recurring, recurrency=Daily, start=at(-DAY + 100))
    assert shown(long, Span(T, T + 200)) == [(0, 50, 1), (50, 100, 2), (100, 200, 1)]


def test_validity_hides_without_moving() -> None:
    hidden = profile("0:1,100:2", kind=Absolute, start=at(0), valid_from=at(50), valid_to=at(150))
    assert shown(hidden) == [(50, 100, 1), (100, 150, 2)]
    assert shown(profile(valid_from=at(3600))) == []
    assert shown(profile(valid_to=at(0))) == []


def test_a_schedule_seen_from_before_its_first_period() -> None:
    found = list(schedule_pieces(schedule("10:1,20:2"), T, Span(T, T + 30)))
    assert [(piece.start - T, piece.end - T) for piece in found] == [(10, 20), (20, 30)]
