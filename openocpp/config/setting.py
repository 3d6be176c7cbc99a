"""What a setting of the stack is: its name in INI files, its kind, what it means, and how all of them are checked.

The settings of a role are the fields of a dataclass (``stack.py``); each field carries an ``about(...)``. From that
derive the INI reader, the checks and the tables of the documentation.

Threads: any; settings are immutable.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from openocpp.config.key import did_you_mean
from openocpp.errors import ConfigError
from openocpp.types import INT_MAX, hide_password

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_ABOUT = "openocpp.setting"
REQUIRED: Any = object()  # the default of a setting without one
_SHOWN_CHARACTERS = 100  # of an unusable value in an error text


@dataclass(frozen=True)
class SettingKind:
    """A kind of setting.

    ``read`` makes the value of an INI text (second argument: the folder of the file) or raises ValueError; ``problem``
    says why a value is unusable. Neither repeats the text or value. ``accepted`` is in the unit of the attribute.
    """

    name: str
    accepted: str
    read: Callable[[str, Path], Any]
    problem: Callable[[Any], str | None]
    ini_unit: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Setting:
    """One setting. ``optional``: an object of the user's own may lack it. ``secret``: the value is never shown."""

    key: str
    kind: SettingKind
    meaning: str
    attribute: str = ""
    default: Any = REQUIRED
    optional: bool = False
    secret: bool = False

    @property
    def required(self) -> bool:
        return self.default is REQUIRED

    def read(self, text: str, folder: Path, source: str) -> Any:
        """The value of a text in an INI file. ConfigError names file, key and what is accepted."""
        try:
            value = self.kind.read(text, folder)
        except ValueError as error:
            accepted = (
                f"{self.kind.accepted}; the file has {self.kind.ini_unit}" if self.kind.ini_unit else self.kind.accepted
            )
            raise ConfigError(self.key, self._shown(text) + str(error), accepted=accepted, source=source) from None
        self.check(value, source)
        return value

    def check(self, value: Any, source: str) -> None:
        """ConfigError if the value is unusable."""
        problem = self.kind.problem(value)
        if problem is not None:
            raise ConfigError(self.key, self._shown(value) + problem, accepted=self.kind.accepted, source=source)

    def _shown(self, value: Any) -> str:
        if self.secret:
            return ""
        shown = repr(hide_password(value) if isinstance(value, str) else value)
        return f"{shown}: " if len(shown) <= _SHOWN_CHARACTERS else f"{shown[:_SHOWN_CHARACTERS]}...: "


def about(key: str, kind: SettingKind, meaning: str, *, optional: bool = False, secret: bool = False) -> dict[str, Any]:
    """The ``metadata`` of a dataclass field that is a setting."""
    return {_ABOUT: Setting(key, kind, meaning, optional=optional, secret=secret)}


_SETTINGS: dict[type[Any], Mapping[str, Setting]] = {}


def settings_of(config_type: type[Any]) -> Mapping[str, Setting]:
    """The settings of a configuration dataclass, by INI key, in order."""
    if config_type not in _SETTINGS:
        _SETTINGS[config_type] = _gather(config_type)
    return _SETTINGS[config_type]


def _gather(config_type: type[Any]) -> Mapping[str, Setting]:
    found: dict[str, Setting] = {}
    for field in dataclasses.fields(config_type):
        default = REQUIRED if field.default is dataclasses.MISSING else field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        setting = dataclasses.replace(field.metadata[_ABOUT], attribute=field.name, default=default)
        found[setting.key] = setting
    return MappingProxyType(found)


def values_of(config: object, config_type: type[Any]) -> Iterator[tuple[Setting, Any]]:
    """Each setting with its value in an object of any type. ConfigError if one that is needed is missing."""
    for setting in settings_of(config_type).values():
        if hasattr(config, setting.attribute):
            yield setting, getattr(config, setting.attribute)
        elif setting.optional:
            yield setting, setting.default
        else:
            raise ConfigError(setting.key, f"{type(config).__name__} has no attribute {setting.attribute}")


def check_settings(config: object, config_type: type[Any], source: str = "") -> None:
    """ConfigError names the first setting whose value is unusable."""
    for setting, value in values_of(config, config_type):
        setting.check(value, source)


def find_setting(config_type: type[Any], key: str, where: str, source: str) -> Setting:
    """The setting with this INI key. ConfigError says which name was probably meant."""
    settings = settings_of(config_type)
    if key not in settings:
        raise ConfigError(key, f"no such setting in {where}" + did_you_mean(key, settings), source=source)
    return settings[key]


# --- Kinds ---


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _digits(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,12}", text, re.ASCII) is None:
        raise ValueError("not a whole number from 0")
    return int(text)


def _boolean(text: str, _folder: Path) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("not a boolean")
    return text.lower() == "true"


BOOLEAN = SettingKind(
    "boolean", "true or false", _boolean, lambda value: None if isinstance(value, bool) else "not a boolean"
)


def text(
    *, may_be_empty: bool = True, choices: tuple[str, ...] = (), pattern: str = "", accepted: str = ""
) -> SettingKind:
    """A text: any, one of ``choices``, or one that fits ``pattern``; empty ones unless forbidden."""

    def problem(value: Any) -> str | None:
        if not isinstance(value, str):
            return "not a text"
        if not value:
            return None if may_be_empty else "empty"
        if choices and value not in choices:
            return "unknown"
        if pattern and re.fullmatch(pattern, value) is None:
            return "not of this form"
        return None

    described = accepted or ", ".join(choices) or ("any text" if may_be_empty else "a text that is not empty")
    return SettingKind("text", described, lambda value, _folder: value, problem)


TEXT = text()


def _path(value: str, folder: Path) -> str:
    return str(folder / value) if value else ""


PATH = SettingKind("path", "a path or nothing, as a text", _path, TEXT.problem)


def count(minimum: int = 0, maximum: int = INT_MAX, unit: str = "", accepted: str = "") -> SettingKind:
    """A whole number within bounds."""

    def problem(value: Any) -> str | None:
        if not isinstance(value, int) or isinstance(value, bool):
            return "not a whole number"
        return None if minimum <= value <= maximum else "out of range"

    return SettingKind(
        "integer",
        accepted or f"a whole number from {minimum}",
        lambda value, _folder: _digits(value),
        problem,
        unit,
        unit,
    )


def _duration_problem(value: Any) -> str | None:
    if not _is_number(value):
        return "not a number of seconds"
    return None if 0 <= value <= INT_MAX else "out of range"


def _timeout_problem(value: Any) -> str | None:
    return _duration_problem(value) or (None if value > 0 else "nothing would be in time")


def _milliseconds(value: str, _folder: Path) -> float:
    return _digits(value) / 1000


MILLISECONDS = SettingKind("duration", "seconds from 0", _milliseconds, _duration_problem, "ms", "s")
TIMEOUT = SettingKind("duration", "seconds above 0", _milliseconds, _timeout_problem, "ms", "s")


def _decimal(value: str, _folder: Path) -> float:
    if re.fullmatch(r"[0-9]{1,12}(?:\.[0-9]{1,12})?", value, re.ASCII) is None:
        raise ValueError("not a number from 0")
    return float(value)


SECONDS = SettingKind("duration", "seconds from 0", _decimal, _duration_problem, "s", "s")

VOLTS = SettingKind(
    "decimal",
    "a number above 0",
    _decimal,
    lambda value: None if _is_number(value) and 0 < value < INT_MAX else "not a voltage",
    "V",
    "V",
)

_URL = re.compile(
    r"(?P<scheme>[a-z]+)://(?:[^@]*@)?(?P<host>[A-Za-z0-9_.\-]+|\[[0-9A-Za-z:.%_\-]+\]|\*)(?::(?P<port>[0-9]{1,5}))?(?:/\S*)?",
    re.ASCII,
)


def url(*schemes: str, listening: bool = False, may_be_empty: bool = False) -> SettingKind:
    """A URL with one of these schemes. One to listen on may have the host ``*`` and the port 0."""

    def problem(value: Any) -> str | None:
        if not isinstance(value, str):
            return "not a text"
        if not value:
            return None if may_be_empty else "empty"
        match = _URL.fullmatch(value)
        if match is None or match["scheme"] not in schemes:
            return "not a URL of this form"
        if match["host"] == "*" and not listening:
            return "'*' is no host to connect to"
        lowest = 0 if listening else 1
        return None if match["port"] is None or lowest <= int(match["port"]) <= 65535 else "no such port"

    accepted = " or ".join(f"{scheme}://host[:port][/path]" for scheme in schemes)
    return SettingKind("URL", accepted, lambda value, _folder: value, problem)


VALIDATION_MODES = ("strict", "log", "off")
VALIDATE_ALL = MappingProxyType({"*": "strict"})


def _validation(value: str, _folder: Path) -> Mapping[str, str]:
    modes: dict[str, str] = {}
    for item in value.split(","):
        action, mark, mode = item.strip().partition(":")
        if not mark:
            raise ValueError("not action:mode")
        modes[action.strip()] = mode.strip()
    return MappingProxyType(modes)


def _validation_problem(value: Any) -> str | None:
    try:
        modes = dict(value)
    except (TypeError, ValueError):
        return "not a mapping of actions to modes"
    for action, mode in modes.items():
        if not isinstance(action, str) or re.fullmatch(r"\*|[A-Za-z0-9]{1,50}", action) is None:
            return f"{action!r} is no action"
        if mode not in VALIDATION_MODES:
            return f"{mode!r} is no mode"
    return None


VALIDATION = SettingKind(
    "validation",
    "action:mode, separated by commas; an action of the standard or *; a mode strict, log or off",
    _validation,
    _validation_problem,
)
