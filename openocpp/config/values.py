"""The kinds of values that configuration keys have: how a text is read, and what is accepted, in words for people.

Reading is strict: what is no number is refused, never taken for 0. Readers raise ValueError with a reason that does not
repeat the text, since it may be a password.

Threads: any; everything here is immutable.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from openocpp.types import INT_MAX, ChargingRateUnitType, Measurand, Phase

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class ConfiguredMeasurand(NamedTuple):
    """An item of a list of measurands: what to measure, and on which phase if not on all together."""

    measurand: Measurand
    phase: Phase | None = None

    def __str__(self) -> str:
        return str(self.measurand) if self.phase is None else f"{self.measurand}.{self.phase}"


class PhaseRotation(NamedTuple):
    """An item of ConnectorPhaseRotation. Connector 0 is the main meter; ``rotation`` is a word of the standard."""

    connector_id: int
    rotation: str


@dataclass(frozen=True)
class Kind(Generic[T]):
    """A kind of value. ``unit`` is empty for pure numbers and texts."""

    name: str
    accepted: str
    read: Callable[[str], T]
    unit: str = ""


def _read_boolean(text: str) -> bool:
    lowered = text.lower()
    if lowered not in ("true", "false"):
        raise ValueError("not a boolean")
    return lowered == "true"


BOOLEAN = Kind("boolean", "true or false", _read_boolean)

_DIGITS = re.compile(r"-?[0-9]+", re.ASCII)


def integer(minimum: int = 0, maximum: int = INT_MAX, unit: str = "") -> Kind[int]:
    """A whole number within bounds, written with decimal digits only."""

    def read(text: str) -> int:
        if _DIGITS.fullmatch(text) is None:
            raise ValueError("not a whole number")
        # Only as many digits as can matter: int() of thousands of them is slow, and refused by Python.
        number = int(text) if len(text) <= 20 else (INT_MAX + 1) * (-1 if text.startswith("-") else 1)
        if not minimum <= number <= maximum:
            raise ValueError("out of range")
        return number

    accepted = f"a whole number from {minimum}" if maximum == INT_MAX else f"a whole number from {minimum} to {maximum}"
    return Kind("integer", accepted, read, unit)


COUNT = integer()
SECONDS = integer(unit="s")


TEXT: Kind[str] = Kind("string", "a text of at most 500 characters", str)


def one_of(*allowed: str) -> Kind[str]:
    """One of these words, for keys of a vendor's own."""

    def read(value: str) -> str:
        if value not in allowed:
            raise ValueError("not one of them")
        return value

    return Kind("string", ", ".join(allowed), read)


def _read_hex_key(value: str) -> str:
    if re.fullmatch(r"(?:[0-9A-Fa-f]{2}){0,20}", value, re.ASCII) is None:
        raise ValueError("not an even number of at most 40 hexadecimal digits")
    return value


# How short a key may be is a setting of its own (SEC A00.FR.205): `keys.check` knows it. Empty: there is none yet.
HEX_KEY = Kind("string", "32 to 40 hexadecimal digits, an even number of them", _read_hex_key)


def items(value: str) -> list[str]:
    """The items of a comma separated list, blanks around them dropped. An empty text is an empty list."""
    return [item.strip(" ") for item in value.split(",")] if value.strip(" ") else []


def _read_all(value: str, read_one: Callable[[str], T], what: str) -> tuple[T, ...]:
    """Read each item; the error names the first that is wrong by its place and text: no list holds a secret."""
    found: list[T] = []
    for place, item in enumerate(items(value), start=1):
        try:
            found.append(read_one(item))
        except ValueError:
            raise ValueError(f"item {place}, {item!r}, is no {what}") from None
    return tuple(dict.fromkeys(found))  # an item said twice means the same as once


def words(*allowed: str) -> Kind[tuple[str, ...]]:
    """A list of some of these words."""

    def read_one(item: str) -> str:
        if item not in allowed:
            raise ValueError
        return item

    return Kind(
        "list", "a list of " + ", ".join(allowed), lambda value: _read_all(value, read_one, "word of that list")
    )


_RATE_UNITS = {"Current": ChargingRateUnitType.A, "Power": ChargingRateUnitType.W}  # errata 3.86


def _read_rate_unit(item: str) -> ChargingRateUnitType:
    try:
        return _RATE_UNITS[item]
    except KeyError:
        raise ValueError from None


RATE_UNITS = Kind(
    "list", "a list of Current, Power", lambda value: _read_all(value, _read_rate_unit, "unit of that list")
)


def _read_measurand(item: str) -> ConfiguredMeasurand:
    # The name as a whole first: names of measurands hold dots too.
    if item in _MEASURANDS:
        return ConfiguredMeasurand(_MEASURANDS[item])
    name, _, phase = item.rpartition(".")
    if name not in _MEASURANDS or phase not in _PHASES:
        raise ValueError
    return ConfiguredMeasurand(_MEASURANDS[name], _PHASES[phase])


_MEASURANDS = {str(measurand): measurand for measurand in Measurand}
_PHASES = {str(phase): phase for phase in Phase}

MEASURANDS = Kind(
    "list",
    "a list of measurands, each alone or with a phase (Voltage, Voltage.L1)",
    lambda value: _read_all(value, _read_measurand, "measurand"),
)

_ROTATION = re.compile(r"([0-9]{1,9})\.(NotApplicable|Unknown|RST|RTS|SRT|STR|TRS|TSR)", re.ASCII)


def _read_rotation(item: str) -> PhaseRotation:
    match = _ROTATION.fullmatch(item)
    if match is None:
        raise ValueError
    return PhaseRotation(int(match[1]), match[2])


PHASE_ROTATIONS = Kind(
    "list",
    "a list of <connector>.<rotation>; a rotation is NotApplicable, Unknown, RST, RTS, SRT, STR, TRS or TSR",
    lambda value: _read_all(value, _read_rotation, "phase rotation of a connector"),
)
