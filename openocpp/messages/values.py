"""Reading and writing single values: the careful way, with an error that says what is wrong.

The codec checks the usual case in generated code and comes here with everything else. ``read_*`` judge what a peer sent
(RemoteProtocolError with the code it deserves, J §4.2.3), ``convert_*`` take what can be understood from a peer whose
rules were relaxed, ``write_*`` judge what we are about to send (LocalProtocolError).

Error texts name fields and limits. They show numbers, dates and unknown names of enumerations, but no other texts,
because those may be secrets.

Threads: any.
"""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from openocpp.errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from openocpp.types.base import INT_MAX, INT_MIN, OcppEnum, fold, format_datetime, is_uri, parse_datetime, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from openocpp.types.record import Record

_SHOWN = 40
_NOISE = 1e-6  # what sums and products of one-decimal numbers may be off
_WHOLE_TEXT = re.compile(r"\s*[+-]?[0-9]{1,19}\s*", re.ASCII)

Formation = ErrorCode.FormationViolation
Occurence = ErrorCode.OccurenceConstraintViolation
Property = ErrorCode.PropertyConstraintViolation
Type = ErrorCode.TypeConstraintViolation


def shown(value: object) -> str:
    """A short ``repr`` for an error text."""
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def json_type(value: object) -> str:
    """The JSON type of a value, in words."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list() | tuple():
            return "a list"
        case dict():
            return "an object"
    return type(value).__name__


def join(outer: str, inner: str) -> str:
    """The path of ``inner`` seen from outside of ``outer``."""
    if not inner or inner.startswith("["):
        return outer + inner
    return f"{outer}.{inner}" if outer else inner


# --- What is wrong with a received object ---------------------------------------------------------------------------


def wrong_type(value: object, wanted: str, where: str) -> RemoteProtocolError:
    """Not of the wanted JSON type."""
    return RemoteProtocolError(Type, where, f"is {json_type(value)}, not {wanted}")


def missing(where: str) -> RemoteProtocolError:
    """A required field is not there."""
    return RemoteProtocolError(Occurence, where, "is missing")


def leftover(payload: dict[str, Any], known: frozenset[str]) -> RemoteProtocolError:
    """There is more in the object than was read: an unknown field, or null in place of an optional one."""
    for name in payload:
        if name not in known:
            return RemoteProtocolError(Formation, printable(name), "is not a field here")
    name = next(name for name, value in payload.items() if value is None)
    return RemoteProtocolError(Type, name, "is null: leave it out instead")


def wrong_count(count: int, least: int, most: int | None, where: str) -> RemoteProtocolError:
    """Too few or too many items."""
    limit = f"at least {least}" if count < least else f"at most {most}"
    return RemoteProtocolError(Occurence, where, f"has {count} items, {limit} are needed")


def inside(error: RemoteProtocolError, where: str) -> RemoteProtocolError:
    """The same error, seen from the object around it."""
    return RemoteProtocolError(error.code, join(where, error.field), error.problem)


def at_item(read: Callable[[Any], Any], items: Sequence[Any], where: str) -> RemoteProtocolError:
    """The error of the first bad item. The items are read again, so that good lists need no counting."""
    for index, item in enumerate(items):
        try:
            read(item)
        except RemoteProtocolError as error:
            return inside(error, f"{where}[{index}]")
    raise AssertionError("reading is repeatable")


# --- Reading, by the standard ---------------------------------------------------------------------------------------


def read_text(value: Any, limit: int | None, uri: bool, where: str) -> str:
    """A text of at most ``limit`` characters."""
    if not isinstance(value, str):
        raise wrong_type(value, "a text", where)
    if limit is not None and len(value) > limit:
        raise RemoteProtocolError(Property, where, f"has {len(value)} characters, at most {limit} are allowed")
    _require_unicode(value, where)
    if uri and not is_uri(value):
        raise RemoteProtocolError(Property, where, "is not a URI")
    return value


def read_boxed(value: Any, member: str) -> Any:
    """A text that may stand in an object with this one member (PNC §7.3)."""
    if isinstance(value, dict) and member in value:
        return value[member]
    return value


def read_integer(value: Any, least: int, most: int, where: str) -> int:
    """A number without fraction: 1.0 is one, true is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise wrong_type(value, "an integer", where)
    if isinstance(value, float):
        if not value.is_integer():
            raise RemoteProtocolError(Type, where, f"is {shown(value)}, not an integer")
    number = int(value)
    if not least <= number <= most:
        raise _out_of_range(number, least, most, where)
    return number


def read_decimal(value: Any, where: str) -> float:
    """A number with at most one decimal."""
    number = _finite(value, where)
    if not _has_one_decimal(number):
        raise RemoteProtocolError(Property, where, f"is {shown(number)}, not a multiple of 0.1")
    return number


def read_datetime(value: Any, where: str) -> datetime:
    """A date with a time."""
    try:
        return parse_datetime(value)
    except (ValueError, TypeError):
        if not isinstance(value, str):
            raise wrong_type(value, "a date-time", where) from None
        raise RemoteProtocolError(Property, where, f"is not a date-time: {shown(value)}") from None


def read_choice(value: Any, texts: Mapping[str, OcppEnum], keep_unknown: bool, where: str) -> OcppEnum | str:
    """A member of an enumeration. An unknown name is an error, or kept where the standard has an answer for it."""
    if not isinstance(value, str):
        raise wrong_type(value, "a text", where)
    found = texts.get(value)
    if found is not None:
        return found
    if keep_unknown:
        return read_text(value, 255, False, where)
    raise RemoteProtocolError(Property, where, f"is not one of the values of the standard: {shown(value)}")


def _require_unicode(value: str, where: str) -> None:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:  # half of a surrogate pair
            raise RemoteProtocolError(Property, where, "is not valid Unicode") from None


def _out_of_range(value: int, least: int, most: int, where: str) -> RemoteProtocolError:
    if not INT_MIN <= value <= INT_MAX:
        return RemoteProtocolError(Property, where, "is beyond 32 bit")
    limit = f"at least {least}" if value < least else f"at most {most}"
    return RemoteProtocolError(Property, where, f"is {value}, {limit} is allowed")


def _finite(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise wrong_type(value, "a number", where)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise RemoteProtocolError(Property, where, "is no finite number")
    return number


def _has_one_decimal(number: float) -> bool:
    return round(number, 1) == number


# --- Reading what can be understood ---------------------------------------------------------------------------------


def convert_text(value: Any, where: str) -> str:
    """A text of any length; a number or boolean is taken as its JSON text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if not isinstance(value, str):
        raise wrong_type(value, "a text", where)
    _require_unicode(value, where)
    return value


def convert_integer(value: Any, where: str) -> int:
    """Any whole number of at most 64 bit, also as a text."""
    if isinstance(value, str) and _WHOLE_TEXT.fullmatch(value):
        value = int(value)
    return read_integer(value, -(2**63), 2**63 - 1, where)


def convert_decimal(value: Any, where: str) -> float:
    """Any finite number, also as a text."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise wrong_type(value, "a number", where) from None
    return _finite(value, where)


def convert_boolean(value: Any, where: str) -> bool:
    """A boolean, also as a text or as 0 and 1."""
    if isinstance(value, str):
        value = {"true": True, "false": False}.get(fold(value.strip()), value)
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    raise wrong_type(value, "a boolean", where)


def convert_datetime(value: Any, where: str) -> datetime:
    """A date with a time, with blanks around it."""
    return read_datetime(value.strip() if isinstance(value, str) else value, where)


def convert_choice(value: Any, texts: Mapping[str, OcppEnum], keep_unknown: bool, where: str) -> OcppEnum | str:
    """A member in any spelling of capital letters. An unknown name has no meaning, so it is refused all the same."""
    if isinstance(value, str) and value not in texts:
        wanted = fold(value.strip())
        value = next((text for text in texts if fold(text) == wanted), value)
    return read_choice(value, texts, keep_unknown, where)


# --- Writing --------------------------------------------------------------------------------------------------------


def unfit(value: object, wanted: str, where: str) -> LocalProtocolError:
    """Not of the wanted type, or not there."""
    return LocalProtocolError(where, "is missing" if value is None else f"is {type(value).__name__}, not {wanted}")


def write_text(value: Any, limit: int | None, uri: bool, where: str) -> str:
    """A text to send."""
    if not isinstance(value, str):
        raise unfit(value, "a text", where)
    if limit is not None and len(value) > limit:
        raise LocalProtocolError(where, f"has {len(value)} characters, at most {limit} are allowed")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise LocalProtocolError(where, "is not valid Unicode") from None
    if uri and not is_uri(value):
        raise LocalProtocolError(where, "is not a URI")
    return str.__str__(value)


def write_integer(value: Any, least: int, most: int, where: str) -> int:
    """An integer to send."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise unfit(value, "an integer", where)
    if not least <= value <= most:
        error = _out_of_range(value, least, most, where)
        raise LocalProtocolError(where, error.problem)
    return int(value)


def write_decimal(value: Any, where: str) -> float:
    """A number to send with one decimal. What binary arithmetic adds to it is rounded away, more is an error."""
    if isinstance(value, bool) or not hasattr(value, "__float__"):  # Decimal, too, and what else is a number
        raise unfit(value, "a number", where)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    except (TypeError, ValueError):
        raise unfit(value, "a number", where) from None
    if not math.isfinite(number):
        raise LocalProtocolError(where, "is no finite number")
    rounded = round(number, 1)
    if abs(rounded - number) > _NOISE:
        raise LocalProtocolError(where, f"is {shown(number)}, not a multiple of 0.1")
    return rounded


def write_datetime(value: Any, where: str) -> str:
    """An instant to send. A naive one is an error."""
    if not isinstance(value, datetime):
        raise unfit(value, "a datetime", where)
    try:
        return format_datetime(value)
    except (ValueError, OverflowError):
        raise LocalProtocolError(where, "needs a time zone, and a year from 1 to 9999 in UTC") from None


def write_choice(value: Any, enum: type[OcppEnum], where: str) -> OcppEnum:
    """A member of an enumeration to send, also given as its text."""
    if value is None:
        raise unfit(value, "", where)
    try:
        return enum(value)
    except ValueError:
        raise LocalProtocolError(where, f"is not a member of {enum.__name__}: {shown(value)}") from None


def write_record(value: Any, cls: type[Record]) -> Any:
    """A record to send: of this class, or derived from it."""
    if not isinstance(value, cls):
        raise unfit(value, cls.__name__, "")
    return value


def absent(where: str) -> LocalProtocolError:
    """A required field is None."""
    return LocalProtocolError(where, "is missing")


def miscounted(count: int, least: int, most: int | None, where: str) -> LocalProtocolError:
    """Too few or too many items to send."""
    return LocalProtocolError(where, wrong_count(count, least, most, where).problem)


def within(error: LocalProtocolError, where: str) -> LocalProtocolError:
    """The same error, seen from the object around it."""
    return LocalProtocolError(join(where, error.field), error.problem)


def within_item(write: Callable[[Any], Any], items: Sequence[Any], where: str) -> LocalProtocolError:
    """The error of the first item that cannot be sent."""
    for index, item in enumerate(items):
        try:
            write(item)
        except LocalProtocolError as error:
            return within(error, f"{where}[{index}]")
    raise AssertionError("writing is repeatable")
