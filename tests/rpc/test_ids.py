"""Tests of openocpp.rpc.ids: what a CALL is called, and how its answer is known again."""

from __future__ import annotations

import pytest

from openocpp.rpc.ids import REMEMBERED, MessageIds, is_same


def test_own_ids_are_numbers_in_a_row() -> None:
    ids = MessageIds(7)
    assert [ids.take() for _ in range(3)] == ["7", "8", "9"]


@pytest.mark.parametrize("wanted", ["abc", "6fa459ea-ee8a-3ca4-894e-db77e160355e", "a/b c:d{1}", "x" * 36, "5", "007"])
def test_a_wanted_id_is_given_once(wanted: str) -> None:
    ids = MessageIds(7)
    assert ids.take() == "7"
    assert ids.take(wanted) == wanted
    assert ids.take(wanted) == "8"
    assert ids.take() == "9"


@pytest.mark.parametrize("wanted", ["x" * 37, 'a"b', "a\\b", "é", "\u0007", "\x7f"])
def test_what_is_no_legal_or_no_plain_text_is_not_given(wanted: str) -> None:
    assert MessageIds(7).take(wanted) == "7"


def test_an_own_id_is_not_lent_and_a_lent_one_is_not_used() -> None:
    ids = MessageIds(7)
    assert ids.take() == "7"
    assert ids.take("7") == "8"
    assert ids.take("9") == "9"
    assert ids.take("11") == "11"
    assert [ids.take() for _ in range(2)] == ["10", "12"]


def test_the_memory_is_bounded_and_the_last_ones_stay_in_it() -> None:
    ids = MessageIds(7)
    for number in range(REMEMBERED + 1):
        assert ids.take(f"id{number}") == f"id{number}"
    assert ids.take("id1") == "7"
    assert ids.take(f"id{REMEMBERED}") == "8"
    assert ids.take("id0") == "id0", "forgotten: its sender uses it once anyway"


@pytest.mark.parametrize(
    ("quoted", "own", "same"),
    [
        ("12", "12", True),
        ("12", "13", False),
        ("a\\/b", "a/b", True),
        ("a\\u002Bb", "a+b", True),
        ("a\\/c", "a/b", False),
        ("a\\q", "a/q", False),
    ],
)
def test_an_answer_is_known_by_its_id_however_it_is_escaped(quoted: str, own: str, same: bool) -> None:
    assert is_same(quoted, own) is same
