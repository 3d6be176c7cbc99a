"""What the types of the standard are made of: enumerations, limits, case-insensitive texts, time stamps.

A limit is a marker inside ``Annotated``; the codec, the schemas and the random instances of tests read it from there,
so that it is written once. Time stamps follow 1.6 §3.13 and errata 3.10: written in UTC with whole seconds, read with
any fraction and offset.

Threads: any.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Annotated, Any, Self, TypeAlias, TypeVar

T = TypeVar("T")

INT_MIN = -(2**31)
INT_MAX = 2**31 - 1


class OcppEnum(StrEnum):
    """An enumeration of the standard: the value is the text on the wire, ``auto()`` is the member's own name."""

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[Any]) -> str:
        return name

    @classmethod
    def aliases(cls) -> Mapping[str, Self]:
        """Other spellings that are read, but never written."""
        return {}

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return cls.aliases().get(value) if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class MaxLen:
    """At most so many characters (code points)."""

    limit: int


@dataclass(frozen=True, slots=True)
class AtLeast:
    """The smallest number that is read. ``sent`` is the smallest one that is sent, where the standard asks for more
    than a receiver should insist on: a charge point answers connector 0 with its own refusal instead of a CALLERROR."""

    limit: int
    sent: int | None = None


@dataclass(frozen=True, slots=True)
class AtMost:
    """The largest number."""

    limit: int


@dataclass(frozen=True, slots=True)
class MinItems:
    """At least so many items."""

    limit: int


@dataclass(frozen=True, slots=True)
class MaxItems:
    """At most so many items."""

    limit: int


@dataclass(frozen=True, slots=True)
class OneDecimalMarker:
    """A multiple of 0.1."""


@dataclass(frozen=True, slots=True)
class Uri:
    """A well-formed URI of any scheme. ``declared`` is False where the standard types the field as a plain text."""

    declared: bool = True


@dataclass(frozen=True, slots=True)
class Wire:
    """The JSON name, where the camelCase rule does not give it."""

    name: str


@dataclass(frozen=True, slots=True)
class Boxed:
    """A text that some peers write as an object with this one member."""

    member: str


@dataclass(frozen=True, slots=True)
class SecretIf:
    """Hidden in a ``repr`` when the field of this name holds the name of a secret key."""

    field: str


CiString20: TypeAlias = Annotated[str, MaxLen(20)]
CiString25: TypeAlias = Annotated[str, MaxLen(25)]
CiString50: TypeAlias = Annotated[str, MaxLen(50)]
CiString255: TypeAlias = Annotated[str, MaxLen(255)]
CiString500: TypeAlias = Annotated[str, MaxLen(500)]
IdToken: TypeAlias = CiString20
Text40: TypeAlias = Annotated[str, MaxLen(40)]
Text128: TypeAlias = Annotated[str, MaxLen(128)]
Text512: TypeAlias = Annotated[str, MaxLen(512)]
Text800: TypeAlias = Annotated[str, MaxLen(800)]
Text5500: TypeAlias = Annotated[str, MaxLen(5500)]
Text5600: TypeAlias = Annotated[str, MaxLen(5600)]
Text10000: TypeAlias = Annotated[str, MaxLen(10000)]
AnyUri: TypeAlias = Annotated[str, Uri()]
Uri512: TypeAlias = Annotated[str, MaxLen(512), Uri(declared=False)]
NonNegative: TypeAlias = Annotated[int, AtLeast(0)]
Positive: TypeAlias = Annotated[int, AtLeast(1)]
OneDecimal: TypeAlias = Annotated[float, OneDecimalMarker()]
OneOrMore: TypeAlias = Annotated[Sequence[T], MinItems(1)]


def fold(text: str) -> str:
    """The form in which case-insensitive texts (id tags, key names) are compared and looked up (errata 3.73)."""
    return text.casefold()


def same_ci(a: str, b: str) -> bool:
    """Are two case-insensitive texts the same?"""
    return a.casefold() == b.casefold()


def is_secret_key(key: str) -> bool:
    """Must the value of this configuration key not be shown? AuthorizationKey, and vendor keys that are named so."""
    return fold(key).endswith(("key", "password", "passphrase", "secret"))


# A password with a bare "/" in it is none by the rules, but typed: up to an "@", unless a port stands there.
_PASSWORD = re.compile(r"""(//[^/?#@:]*):(?:[^/?#]*|(?![0-9]*[/?#])[^\s"'<>]{0,200})@""")
# The credentials of signed links to a storage: ?sig=..., ?X-Amz-Signature=..., ?token=...
_SIGNATURE = re.compile(
    r"""([?&;][\w.~-]{0,40}(?:sig|signature|token|secret|password|credential|key)=)[^\s"'<>&;#]+""", re.IGNORECASE
)


def hide_password(uri: str) -> str:
    """The URI with ``***`` in place of its password, and of the signature in its query, for logs and texts."""
    return _SIGNATURE.sub(r"\1***", _PASSWORD.sub(r"\1:***@", uri))


def is_worth_a_line(count: int) -> bool:
    """Of what happens again and again, the 1st, 2nd, 4th, 8th ... time is logged."""
    return count & (count - 1) == 0


def printable(name: str) -> str:
    """A name that a peer invented, fit for a line of a log: at most 40 characters, and no line breaks."""
    return (name if name.isprintable() else repr(name)[1:-1])[:40]


_URI = re.compile(
    r"""[A-Za-z][A-Za-z0-9+.\-]*:                           # scheme
    (?:(?!//)
      |//(?:[^/?#\[\]]*@)?                                  # user
         (?:\[[0-9A-Fa-f:.]+\]|[^/?#@\[\]:]*)(?::[0-9]*)?   # host: IPv6 literal or name, port
         (?=[/?#]|\Z))
    (?:[^\x00-\x20\x7f<>"{}|\\^`%]|%[0-9A-Fa-f]{2})*        # path, query, fragment
    """,
    re.VERBOSE,
)
_FORBIDDEN_IN_URI = re.compile(r"""[\x00-\x20\x7f<>"{}|\\^`]|%(?![0-9A-Fa-f]{2})""")


def is_uri(text: str) -> bool:
    """Is the text a well-formed absolute URI (RFC 3986)? Letters beyond ASCII are let pass, as peers send them."""
    match = _URI.fullmatch(text)
    return match is not None and not text.endswith(":") and _FORBIDDEN_IN_URI.search(text) is None


_DATETIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]+))?)?"
    r" ?(?:[Zz]|([+-])([0-9]{2}):?([0-9]{2})?)?",
    re.ASCII,
)


STAMP = "%04d-%02d-%02dT%02d:%02d:%02dZ"  # quicker than isoformat and strftime


def format_datetime(instant: datetime) -> str:
    """``YYYY-MM-DDTHH:MM:SSZ``. A fraction of a second is dropped; ValueError if the instant has no time zone."""
    if instant.tzinfo is not UTC:
        if instant.tzinfo is None:
            raise ValueError("a date-time without time zone")
        instant = instant.astimezone(UTC)
    i = instant
    return STAMP % (i.year, i.month, i.day, i.hour, i.minute, i.second)


def parse_datetime(text: str) -> datetime:
    """The aware UTC instant that a peer wrote. No zone is UTC; ValueError if the text is not a date with a time."""
    if len(text) == 20 and text[19] == "Z" and text[10] == "T" and text[4] == text[7] == "-" and text[16] == ":":
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass  # a leap second, or no date at all: the long way knows
    match = _DATETIME.fullmatch(text)
    if match is None:
        raise ValueError("not a date-time")
    year, month, day, hour, minute, second, fraction, sign, zone_hours, zone_minutes = match.groups()
    zone = timedelta(hours=int(zone_hours or 0), minutes=int(zone_minutes or 0))
    # A leap second and the midnight that ends a day are legal ISO 8601, but not for datetime: added afterwards.
    extra = timedelta(0)
    if second == "60":
        second, extra = "59", timedelta(seconds=1)
    if hour == "24" and minute == "00" and int(second or 0) == 0:
        hour, extra = "00", timedelta(days=1)
    microsecond = int(((fraction or "") + "000000")[:6])
    offset = timezone(-zone if sign == "-" else zone)
    date = (int(year), int(month), int(day))
    instant = datetime(*date, int(hour), int(minute), int(second or 0), microsecond, offset)
    try:
        return instant.astimezone(UTC) + extra
    except OverflowError as error:
        raise ValueError("a date-time outside of the years 1 to 9999") from error
