"""The set of installed profiles."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.chargepoint.smart_charging import Change, InstalledProfile, ProfileSet
from openocpp.types import ChargingProfilePurposeType
from tests.chargepoint.smart_charging.build import (
    DAY,
    NOW,
    Absolute,
    ChargePointMaxProfile,
    Daily,
    Recurring,
    TxDefaultProfile,
    TxProfile,
    at,
    profile,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

PURPOSES = list(ChargingProfilePurposeType)
ROOM = 100


def one(
    id: int,
    connector: int = 1,
    level: int = 0,
    purpose: ChargingProfilePurposeType = TxDefaultProfile,
    key: int | None = None,
) -> InstalledProfile:
    return InstalledProfile(connector, profile(id=id, level=level, purpose=purpose), key)


def ids(profiles: Iterable[InstalledProfile]) -> list[int]:
    return [installed.id for installed in profiles]


@pytest.mark.parametrize("purpose", PURPOSES)
def test_the_sixth_of_five(purpose: ChargingProfilePurposeType) -> None:
    profiles = ProfileSet()
    for level in range(1, 6):
        new = one(level, level=level, purpose=purpose)
        assert profiles.install(new, 5) == Change((), (new,))
    assert profiles.install(one(6, level=6, purpose=purpose), 5) is None
    assert [installed.stack_level for installed in profiles] == [5, 4, 3, 2, 1]
    assert len(profiles) == 5


def test_they_come_by_purpose_and_precedence() -> None:
    places = [(0, 3), (0, 5), (0, 2), (1, 3), (1, 5)]
    installed = [one(id, connector, level) for id, (connector, level) in enumerate(places)]
    installed += [one(10, purpose=TxProfile, level=9), one(11, 0, purpose=ChargePointMaxProfile)]
    random.Random(1).shuffle(installed)
    found = [(each.purpose, each.connector_id, each.stack_level) for each in ProfileSet(installed)]
    assert found == [
        (ChargePointMaxProfile, 0, 0),
        *((TxDefaultProfile, *place) for place in [(1, 5), (0, 5), (1, 3), (0, 3), (0, 2)]),
        (TxProfile, 1, 9),
    ]


@pytest.mark.parametrize(
    "again",
    [
        one(1, connector=2),
        one(1, level=3),
        one(1, 0, purpose=ChargePointMaxProfile),
        one(1, purpose=TxProfile, key=4),
        one(1),
    ],
)
def test_the_same_id_replaces_wherever_it_is(again: InstalledProfile) -> None:
    old, other = one(1), one(2, level=7)
    profiles = ProfileSet([old, other])
    assert profiles.install(again, 2) == Change((old,), (again,))
    assert profiles.get(1) is again
    assert sorted(ids(profiles)) == [1, 2]


def test_the_same_place_replaces_whatever_its_id() -> None:
    old = one(1, connector=1, level=4)
    profiles = ProfileSet([old, one(2, connector=0, level=4), one(3, connector=1, level=4, purpose=TxProfile)])
    new = one(9, connector=1, level=4)
    assert profiles.install(new, 3) == Change((old,), (new,))
    assert sorted(ids(profiles)) == [2, 3, 9]


def test_two_can_be_replaced_at_once() -> None:
    same_id, same_place = one(1, level=1), one(2, level=2)
    profiles = ProfileSet([same_id, same_place])
    new = one(1, level=2)
    change = profiles.install(new, 1)
    assert change is not None
    assert sorted(ids(change.removed)) == [1, 2]
    assert list(profiles) == [new]


def test_without_room_the_old_one_stays() -> None:
    profiles = ProfileSet([one(1), one(2, level=1), one(3, level=2)])
    assert profiles.install(one(1, level=3), 2) is None  # MaxChargingProfilesInstalled was lowered
    assert ids(profiles) == [3, 2, 1]
    assert profiles.get(1) == one(1)
    assert profiles.get(4) is None


def test_what_was_installed_before_excludes_as_well() -> None:
    assert ids(ProfileSet([one(1), one(2), one(1, level=3)])) == [1, 2]
    assert len(ProfileSet([one(1), one(2)])) == 1


CLEARED = [
    ({}, {1, 2, 3, 4, 5, 6}),
    ({"profile_id": 2}, {2}),
    ({"profile_id": 2, "connector_id": 9, "purpose": TxProfile, "stack_level": 9}, {2}),  # the others are ignored
    ({"profile_id": 9}, set()),
    ({"profile_id": 9, "connector_id": 1}, set()),
    ({"connector_id": 0}, {3, 4}),
    ({"connector_id": 1}, {1, 2, 5}),
    ({"connector_id": 3}, set()),
    ({"purpose": TxDefaultProfile}, {1, 2, 3, 6}),
    ({"purpose": ChargePointMaxProfile}, {4}),
    ({"stack_level": 0}, {1, 3, 4, 6}),
    ({"stack_level": 7}, set()),
    ({"connector_id": 1, "purpose": TxDefaultProfile}, {1, 2}),
    ({"connector_id": 1, "stack_level": 5}, {2, 5}),
    ({"purpose": TxProfile, "stack_level": 5}, {5}),
    ({"connector_id": 1, "purpose": TxDefaultProfile, "stack_level": 5}, {2}),
    ({"connector_id": 0, "purpose": TxProfile, "stack_level": 5}, set()),
]


@pytest.mark.parametrize(("criteria", "removed"), CLEARED)
def test_clear_what_matches_all_criteria(criteria: dict[str, Any], removed: set[int]) -> None:
    profiles = ProfileSet(
        [
            one(1, connector=1, level=0),
            one(2, connector=1, level=5),
            one(3, connector=0, level=0),
            one(4, connector=0, level=0, purpose=ChargePointMaxProfile),
            one(5, connector=1, level=5, purpose=TxProfile, key=7),
            one(6, connector=2, level=0),
        ]
    )
    change = profiles.clear(**criteria)
    assert set(ids(change.removed)) == removed
    assert change.added == ()
    assert set(ids(profiles)) == {1, 2, 3, 4, 5, 6} - removed


# --- Transactions -----------------------------------------------------------------------------------------------------


def test_a_transaction_that_ends() -> None:
    ended, other = one(1, 1, 0, TxProfile, 7), one(2, 2, 0, TxProfile, 8)
    profiles = ProfileSet([ended, other, one(4)])
    assert profiles.remove_transaction(7) == Change((ended,), ())
    assert set(ids(profiles)) == {2, 4}


# --- Expiry -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("second", [-1, 0, 1])
def test_expired_from_the_second_on_in_which_it_ends(second: int) -> None:
    profiles = ProfileSet(
        [
            InstalledProfile(1, profile(id=1, level=1, valid_to=at(0))),
            InstalledProfile(1, profile(id=2, level=2, kind=Absolute, start=at(-60), duration=60)),
            InstalledProfile(1, profile(id=3, level=3, kind=Recurring, recurrency=Daily, start=at(-60), duration=60)),
            InstalledProfile(1, profile(id=4, level=4, start=at(-60), duration=60)),  # Relative
            InstalledProfile(1, profile(id=5, level=5, kind=Absolute, duration=60)),
            InstalledProfile(1, profile(id=6, level=6, kind=Absolute, start=at(-DAY))),
            InstalledProfile(1, profile(id=7, level=7, kind=Absolute, start=at(-5), duration=60, valid_to=at(0))),
            InstalledProfile(1, profile(id=8, level=8, purpose=TxProfile, valid_to=at(0)), 5),
        ]
    )
    change = profiles.remove_expired(at(second), running={5})
    assert set(ids(change.removed)) == (set() if second < 0 else {1, 2, 7, 8})
    assert set(ids(profiles)) == set(range(1, 9)) - set(ids(change.removed))


def test_profiles_of_transactions_that_do_not_run() -> None:
    profiles = ProfileSet([one(1, 1, 0, TxProfile, 7), one(2, 2, 0, TxProfile, 8), one(3)])
    assert ids(profiles.remove_expired(NOW, running={8}).removed) == [1]
    assert set(ids(profiles)) == {2, 3}


def test_its_state_can_be_seen() -> None:
    assert repr(ProfileSet([one(4, 0, 2)])) == "ProfileSet(4: TxDefaultProfile 2 on 0)"


# --- All together -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(50))
def test_changes_tell_the_truth(seed: int) -> None:
    """Whoever keeps a copy by what is returned has the same set; ids and places are never double."""
    draw = random.Random(seed)
    profiles = ProfileSet()
    copy: dict[int, InstalledProfile] = {}
    for _ in range(60):
        connector, key = draw.randint(0, 2), draw.randint(1, 3)
        new = one(draw.randint(1, 9), connector, draw.randint(0, 3), draw.choice(PURPOSES), draw.choice([None, key]))
        change: Change | None
        match draw.randint(0, 5):
            case 0 | 1 | 2:
                change = profiles.install(new, 6)
            case 3:
                change = profiles.remove_expired(NOW, running={key})
            case 4:
                change = profiles.remove_transaction(key)
            case _:
                change = profiles.clear(None, connector, draw.choice([None, TxProfile]), 0)
        if change is not None:
            for removed in change.removed:
                assert copy.pop(removed.id) == removed
            for added in change.added:
                assert added.id not in copy
                copy[added.id] = added
        assert {installed.id: installed for installed in profiles} == copy
        assert len({installed.place for installed in profiles}) == len(profiles) <= 6
