"""Single values, where the codec of a whole message does not get to."""

from __future__ import annotations

from decimal import Decimal
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from openocpp.messages import values
from openocpp.types import AuthorizationStatus, SampledValue

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"),
        (True, "a boolean"),
        (1, "a number"),
        (1.5, "a number"),
        ("x", "a text"),
        ([], "a list"),
        ({}, "an object"),
        (b"x", "bytes"),
    ],
)
def test_json_types_in_words(value: object, words: str) -> None:
    assert values.json_type(value) == words


@pytest.mark.parametrize(
    ("outer", "inner", "path"),
    [("a", "b", "a.b"), ("a", "[0].b", "a[0].b"), ("a[1]", "", "a[1]"), ("", "b", "b"), ("", "", "")],
)
def test_paths(outer: str, inner: str, path: str) -> None:
    assert values.join(outer, inner) == path


def test_what_is_shown_is_short() -> None:
    assert values.shown("x") == "'x'"
    assert len(values.shown("x" * 100)) == 40


@pytest.mark.parametrize(
    ("convert", "value", "result"),
    [
        (values.convert_text, 1.5, "1.5"),
        (values.convert_text, 7, "7"),
        (values.convert_text, True, "true"),
        (values.convert_text, False, "false"),
        (values.convert_integer, " 12 ", 12),
        (values.convert_integer, "-3", -3),
        (values.convert_integer, 4.0, 4),
        (values.convert_decimal, "16.25", 16.25),
        (values.convert_decimal, 3, 3.0),
        (values.convert_boolean, " TRUE ", True),
        (values.convert_boolean, "false", False),
        (values.convert_boolean, 1, True),
        (values.convert_boolean, 0, False),
        (values.convert_boolean, True, True),
    ],
)
def test_what_can_be_understood(convert: Callable[[Any, str], Any], value: Any, result: Any) -> None:
    found = convert(value, "field")
    assert (found, type(found)) == (result, type(result))


@pytest.mark.parametrize(
    ("convert", "value", "code"),
    [
        (values.convert_text, [], ErrorCode.TypeConstraintViolation),
        (values.convert_text, "\ud800", ErrorCode.PropertyConstraintViolation),
        (values.convert_integer, "1.5", ErrorCode.TypeConstraintViolation),
        (values.convert_integer, "", ErrorCode.TypeConstraintViolation),
        (values.convert_integer, 1.5, ErrorCode.TypeConstraintViolation),
        (values.convert_integer, "9999999999999999999", ErrorCode.PropertyConstraintViolation),
        (values.convert_decimal, "much", ErrorCode.TypeConstraintViolation),
        (values.convert_decimal, "nan", ErrorCode.PropertyConstraintViolation),
        (values.convert_decimal, "1e999", ErrorCode.PropertyConstraintViolation),
        (values.convert_boolean, 2, ErrorCode.TypeConstraintViolation),
        (values.convert_boolean, "yes", ErrorCode.TypeConstraintViolation),
        (values.convert_datetime, "2024-01-01", ErrorCode.PropertyConstraintViolation),
        (values.convert_datetime, 1704067200, ErrorCode.TypeConstraintViolation),
    ],
)
def test_what_cannot(convert: Callable[[Any, str], Any], value: Any, code: ErrorCode) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        convert(value, "field")
    assert (caught.value.code, caught.value.field) == (code, "field")


def test_decimals_are_written_too() -> None:
    written = values.write_decimal(Decimal("16.5"), "limit")
    assert (written, type(written)) == (16.5, float)
    with pytest.raises(LocalProtocolError, match=r"limit: is 16\.25"):
        values.write_decimal(Decimal("16.25"), "limit")


@pytest.mark.parametrize("value", [float("nan"), Decimal("Infinity"), 10**400])
def test_no_number_without_end_is_written(value: Any) -> None:
    with pytest.raises(LocalProtocolError, match="limit: is no finite number"):
        values.write_decimal(value, "limit")


class Number(IntEnum):
    """Numbers of an application."""

    One = 1


def test_an_integer_may_be_a_member_of_an_enumeration() -> None:
    written = values.write_integer(Number.One, 0, 9, "connectorId")
    assert (written, type(written)) == (1, int)


def test_what_is_not_the_wanted_class_is_not_written() -> None:
    with pytest.raises(LocalProtocolError, match=r"^is str, not SampledValue$"):
        values.write_record("x", SampledValue)
    with pytest.raises(LocalProtocolError, match=r"^status: is missing$"):
        values.write_choice(None, AuthorizationStatus, "status")
