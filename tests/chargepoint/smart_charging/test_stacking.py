"""Precedence of profiles, and how lower ones fill what higher ones leave open."""

from __future__ import annotations

from openocpp.chargepoint.smart_charging import InstalledProfile
from openocpp.chargepoint.smart_charging.occurrences import Piece, Span, to_seconds
from openocpp.chargepoint.smart_charging.stacking import (
    Candidate,
    charge_point_candidates,
    connector_candidates,
    holes,
    precedence,
    prevailing,
)
from tests.chargepoint.smart_charging.build import (
    NOW,
    Absolute,
    ChargePointMaxProfile,
    TxProfile,
    at,
    profile,
    schedule,
    situation,
)

T = to_seconds(NOW)


def default(id: int, level: int, connector: int) -> InstalledProfile:
    return InstalledProfile(connector, profile(id=id, level=level))


def test_the_highest_level_first_then_the_connector_before_connector_0() -> None:
    installed = [default(1, 3, 0), default(2, 5, 0), default(3, 2, 0), default(4, 3, 1), default(5, 5, 1)]
    ordered = sorted(installed, key=precedence)
    assert [(one.connector_id, one.stack_level) for one in ordered] == [(1, 5), (0, 5), (1, 3), (0, 3), (0, 2)]


def test_the_profiles_of_a_connector() -> None:
    of_transaction = InstalledProfile(1, profile(id=1, purpose=TxProfile, level=0), 7)
    higher = InstalledProfile(1, profile(id=2, purpose=TxProfile, level=1), 7)
    inside = situation(
        default(3, 9, 0),
        of_transaction,
        InstalledProfile(1, profile(id=4, purpose=TxProfile), 8),
        InstalledProfile(1, profile(id=5, purpose=TxProfile, level=2)),
        InstalledProfile(0, profile(id=6, purpose=ChargePointMaxProfile)),
        default(7, 1, 1),
        default(8, 9, 2),
        higher,
        connectors=2,
        connector_1=(7, at(-30)),
    )
    candidates = connector_candidates(inside, 1, T)
    assert [(one.installed.id, one.relative_start) for one in candidates] == [(i, T - 30) for i in (2, 1, 3, 7)]
    without = connector_candidates(inside, 2, T)
    assert [(one.installed.id, one.relative_start) for one in without] == [(8, T), (3, T)]


def test_what_runs_has_begun() -> None:
    """Whatever a clock says that was set back."""
    inside = situation(default(1, 0, 0), connector_1=(7, at(30)))
    assert [one.relative_start for one in connector_candidates(inside, 1, T)] == [T]


def test_the_profiles_of_the_charge_point_start_now() -> None:
    inside = situation(
        InstalledProfile(0, profile(id=1, purpose=ChargePointMaxProfile)),
        default(2, 0, 0),
        InstalledProfile(0, profile(id=3, purpose=ChargePointMaxProfile, level=2)),
        connector_1=(7, at(-30)),
    )
    assert [(one.installed.id, one.relative_start) for one in charge_point_candidates(inside, T)] == [(3, T), (1, T)]


def test_each_level_fills_what_those_above_leave_open() -> None:
    candidates = [
        Candidate(InstalledProfile(1, profile("0:1", kind=Absolute, start=at(20), duration=10)), T),
        Candidate(InstalledProfile(1, profile("0:2", kind=Absolute, start=at(15), duration=30)), T),
        Candidate(InstalledProfile(1, profile("0:3", duration=50)), T),
    ]
    found = [(piece.start - T, piece.end - T, piece.period.limit) for piece in prevailing(candidates, Span(T, T + 60))]
    assert found == [(0, 15, 3), (15, 20, 2), (20, 30, 1), (30, 45, 2), (45, 50, 3)]
    assert prevailing([], Span(T, T + 60)) == []


def test_what_is_left_between_pieces() -> None:
    one = schedule("0:1")

    def piece(start: int, end: int) -> Piece:
        return Piece(start, end, one, one.charging_schedule_period[0])

    assert holes(Span(0, 9), []) == [(0, 9)]
    assert holes(Span(0, 9), [piece(0, 9)]) == []
    assert holes(Span(0, 9), [piece(0, 3), piece(3, 5), piece(7, 8)]) == [(5, 7), (8, 9)]
    assert holes(Span(0, 9), [piece(2, 9)]) == [(0, 2)]
