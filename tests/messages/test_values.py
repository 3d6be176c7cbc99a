"""Single values, where the codec of a whole message does not get to."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from openocpp.messages import values
from openocpp.types import AuthorizationStatus, OcppEnum, SampledValue

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


class Strange:
    """It says that it is a number."""

    def __float__(self) -> float:
        raise TypeError


def test_what_only_looks_like_a_number_is_not_written() -> None:
    with pytest.raises(LocalProtocolError, match="limit: is Strange, not a number"):
        values.write_decimal(Strange(), "limit")


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


SAMPLE = SampledValue(value="1")
TEXTS: dict[str, OcppEnum] = {"Accepted": AuthorizationStatus.Accepted, "Blocked": AuthorizationStatus.Blocked}
Formation = ErrorCode.FormationViolation
Occurence = ErrorCode.OccurenceConstraintViolation
Property = ErrorCode.PropertyConstraintViolation
Type = ErrorCode.TypeConstraintViolation


@pytest.mark.parametrize(
    ("read", "value", "result"),
    [
        (lambda value: values.read_text(value, 3, False, "f"), "éé😀", "éé😀"),
        (lambda value: values.read_text(value, None, False, "f"), "x" * 1000, "x" * 1000),
        (lambda value: values.read_text(value, None, True, "f"), "ftp://host/x", "ftp://host/x"),
        (lambda value: values.read_boxed(value, "idToken"), {"idToken": "A"}, "A"),
        (lambda value: values.read_boxed(value, "idToken"), "A", "A"),
        (lambda value: values.read_boxed(value, "idToken"), {"other": "A"}, {"other": "A"}),
        (lambda value: values.read_integer(value, 0, 9, "f"), 9, 9),
        (lambda value: values.read_integer(value, 0, 9, "f"), 1.0, 1),
        (lambda value: values.read_decimal(value, "f"), 16.3, 16.3),
        (lambda value: values.read_decimal(value, "f"), 16, 16.0),
        (lambda value: values.read_choice(value, TEXTS, False, "f"), "Accepted", AuthorizationStatus.Accepted),
        (lambda value: values.read_choice(value, TEXTS, True, "f"), "Own", "Own"),
        (lambda value: values.convert_choice(value, TEXTS, False, "f"), " ACCEPTED ", AuthorizationStatus.Accepted),
        (lambda value: values.convert_choice(value, TEXTS, False, "f"), "Blocked", AuthorizationStatus.Blocked),
        (lambda value: values.convert_text(value, "f"), "é", "é"),
    ],
)
def test_what_is_read(read: Callable[[Any], Any], value: Any, result: Any) -> None:
    assert read(value) == result


@pytest.mark.parametrize(
    ("read", "value", "code", "problem"),
    [
        (lambda value: values.read_text(value, 3, False, "f"), 5, Type, "is a number, not a text"),
        (lambda value: values.read_text(value, 3, False, "f"), "éééé", Property, "has 4 characters, at most 3"),
        (lambda value: values.read_text(value, 3, False, "f"), "\ud800", Property, "is not valid Unicode"),
        (lambda value: values.read_text(value, 99, True, "f"), "no place", Property, "is not a URI"),
        (lambda value: values.read_integer(value, 0, 9, "f"), True, Type, "is a boolean, not an integer"),
        (lambda value: values.read_integer(value, 0, 9, "f"), "1", Type, "is a text, not an integer"),
        (lambda value: values.read_integer(value, 0, 9, "f"), 1.5, Type, "is 1.5, not an integer"),
        (lambda value: values.read_integer(value, 0, 9, "f"), 10, Property, "is 10, at most 9"),
        (lambda value: values.read_integer(value, 0, 9, "f"), -1, Property, "is -1, at least 0"),
        (lambda value: values.read_integer(value, 0, 9, "f"), 2**31, Property, "is beyond 32 bit"),
        (lambda value: values.read_decimal(value, "f"), 8.15, Property, "is 8.15, not a multiple of 0.1"),
        (lambda value: values.read_decimal(value, "f"), None, Type, "is null, not a number"),
        (lambda value: values.read_decimal(value, "f"), 10**400, Property, "is no finite number"),
        (lambda value: values.read_datetime(value, "f"), None, Type, "is null, not a date-time"),
        (lambda value: values.read_datetime(value, "f"), "soon", Property, "is not a date-time: 'soon'"),
        (lambda value: values.read_choice(value, TEXTS, False, "f"), 1, Type, "is a number, not a text"),
        (lambda value: values.read_choice(value, TEXTS, False, "f"), "accepted", Property, "is not one of the values"),
        (lambda value: values.read_choice(value, TEXTS, True, "f"), "x" * 256, Property, "has 256 characters"),
        (
            lambda value: values.convert_choice(value, TEXTS, False, "f"),
            "nothing",
            Property,
            "is not one of the values",
        ),
    ],
)
def test_what_is_refused(read: Callable[[Any], Any], value: Any, code: ErrorCode, problem: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        read(value)
    assert (caught.value.code, caught.value.field) == (code, "f")
    assert problem in caught.value.problem


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (values.missing("a.b"), Occurence, "a.b: is missing"),
        (values.leftover({"a": 1, "b": 2}, frozenset("a")), Formation, "b: is not a field here"),
        (values.leftover({"a": 1, "b": None}, frozenset("ab")), Type, "b: is null: leave it out instead"),
        (values.wrong_count(0, 1, None, "a"), Occurence, "a: has 0 items, at least 1 are needed"),
        (values.wrong_count(5, 1, 4, "a"), Occurence, "a: has 5 items, at most 4 are needed"),
        (values.inside(values.missing("b"), "a[1]"), Occurence, "a[1].b: is missing"),
    ],
)
def test_what_is_wrong_with_an_object(error: RemoteProtocolError, code: ErrorCode, text: str) -> None:
    assert (error.code, str(error)) == (code, text)


def test_the_first_bad_item_is_named() -> None:
    error = values.at_item(lambda item: values.read_integer(item, 0, 9, ""), [1, 2, "x", "y"], "list")
    assert str(error) == "list[2]: is a text, not an integer"
    with pytest.raises(AssertionError):
        values.at_item(str, [1], "list")
    written = values.within_item(lambda item: values.write_integer(item, 0, 9, ""), [1, 99], "list")
    assert str(written) == "list[1]: is 99, at most 9 is allowed"
    with pytest.raises(AssertionError):
        values.within_item(str, [1], "list")


@pytest.mark.parametrize(
    ("write", "value", "result"),
    [
        (lambda value: values.write_text(value, 3, False, "f"), "ééé", "ééé"),
        (lambda value: values.write_text(value, None, True, "f"), "ftp://host/x", "ftp://host/x"),
        (lambda value: values.write_decimal(value, "f"), 0.1 + 0.2, 0.3),
        (lambda value: values.write_datetime(value, "f"), datetime(2024, 1, 2, 3, tzinfo=UTC), "2024-01-02T03:00:00Z"),
        (lambda value: values.write_choice(value, AuthorizationStatus, "f"), "Blocked", AuthorizationStatus.Blocked),
        (lambda value: values.write_record(value, SampledValue), SAMPLE, SAMPLE),
    ],
)
def test_what_is_written(write: Callable[[Any], Any], value: Any, result: Any) -> None:
    assert write(value) == result


@pytest.mark.parametrize(
    ("write", "value", "problem"),
    [
        (lambda value: values.write_text(value, 3, False, "f"), None, "is missing"),
        (lambda value: values.write_text(value, 3, False, "f"), 5, "is int, not a text"),
        (lambda value: values.write_text(value, 3, False, "f"), "abcd", "has 4 characters, at most 3 are allowed"),
        (lambda value: values.write_text(value, 3, False, "f"), "\ud800", "is not valid Unicode"),
        (lambda value: values.write_text(value, 99, True, "f"), "no place", "is not a URI"),
        (lambda value: values.write_integer(value, 0, 9, "f"), True, "is bool, not an integer"),
        (lambda value: values.write_integer(value, 0, 9, "f"), 2**40, "is beyond 32 bit"),
        (lambda value: values.write_decimal(value, "f"), "16", "is str, not a number"),
        (lambda value: values.write_datetime(value, "f"), "2024-01-01T00:00:00Z", "is str, not a datetime"),
        (lambda value: values.write_datetime(value, "f"), datetime(2024, 1, 1), "needs a time zone"),
        (lambda value: values.write_choice(value, AuthorizationStatus, "f"), "Yes", "is not a member of Authorization"),
    ],
)
def test_what_is_not_written(write: Callable[[Any], Any], value: Any, problem: str) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        write(value)
    assert caught.value.field == "f"
    assert problem in caught.value.problem


def test_errors_of_what_is_to_be_written() -> None:
    assert str(values.absent("f")) == "f: is missing"
    assert str(values.miscounted(0, 1, None, "f")) == "f: has 0 items, at least 1 are needed"
    assert str(values.within(values.absent("b"), "a")) == "a.b: is missing"
