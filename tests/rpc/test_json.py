"""Reading and writing JSON: what the standard library would let through, depth, and the shape of what is written."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openocpp.rpc.json import MAX_DEPTH, dumps, loads, quoted


def test_values_are_read_as_they_are() -> None:
    assert loads('[2, "1", "A", {"a": 1.5, "b": -3, "c": null, "d": true, "e": "\\u00e9"}]') == [
        2, "1", "A", {"a": 1.5, "b": -3, "c": None, "d": True, "e": "é"},
    ]  # fmt: skip
    assert loads(" 1e3 ") == loads("1e3\n") == loads("\t1e3") == 1000.0


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}', "1e999", "[-1e999]", '{"a": 1e400}'])
def test_numbers_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"JSON|too large"):
        loads(text)


@pytest.mark.parametrize("text", ["", "{", "[1,]", "{'a': 1}", "01", "1" * 5000, '"\\x"', "[1] 2", '"\n"'])
def test_what_is_no_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        loads(text)


@pytest.mark.parametrize(("left", "right"), [("[", "]"), ('{"a":', "}")])
def test_nesting_ends_at_the_limit(left: str, right: str) -> None:
    assert loads(left * MAX_DEPTH + "1" + right * MAX_DEPTH) is not None
    with pytest.raises(ValueError, match=f"deeper than {MAX_DEPTH}"):
        loads(left * (MAX_DEPTH + 1) + "1" + right * (MAX_DEPTH + 1))
    with pytest.raises(ValueError, match=f"deeper than {MAX_DEPTH}"):
        loads(left * 1_000_000)  # no RecursionError


def test_brackets_inside_of_texts_and_side_by_side_are_no_depth() -> None:
    assert loads('["' + "[" * 1000 + '\\"[{"]') == ["[" * 1000 + '"[{']
    assert loads("[" + ",".join(["[]"] * 1000) + "]") == [[]] * 1000


def test_texts_are_written_compactly_and_without_escapes_that_nobody_needs() -> None:
    assert dumps({"a": [1, 2.5, None, True], "b": 'é"\\\n'}) == '{"a":[1,2.5,null,true],"b":"é\\"\\\\\\n"}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_not_written(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        dumps({"a": value})


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.text())
@example('"\\\ud800\x00é')
def test_a_text_is_quoted_as_it_is_written(text: str) -> None:
    assert quoted(text) == dumps(text)


@given(VALUES)
def test_what_is_written_can_be_read(value: object) -> None:
    assert loads(dumps(value)) == value
