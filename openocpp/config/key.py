"""What a configuration key is: a descriptor with name, kind of value, default, access and meaning.

As an attribute of a configuration class it is a typed property: read from the user's ``get_configuration`` at each use,
with the default in place of what is missing or unusable.

Threads: any; keys are immutable once their class is made.
"""

from __future__ import annotations

import logging
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Protocol, Self, TypeVar, overload

from openocpp.types import ConfigurationStatus, FeatureProfile, fold, is_secret_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openocpp.config.values import Kind
    from openocpp.types import ConfigurationResult

T = TypeVar("T")

MAX_VALUE_LENGTH = 500  # 1.6 §5.3: value of ChangeConfiguration.req

log = logging.getLogger("openocpp.config")


class Access(StrEnum):
    """What the central system may do with a key (1.6 §9)."""

    R = "R"
    RW = "RW"
    W = "W"


class Owner(StrEnum):
    """Who acts on a key's value."""

    STACK = "stack"
    APPLICATION = "application"
    BOTH = "both"


class Configuration(Protocol):
    """What a key needs to be read and written: the two methods of ``IOcppConfig``."""

    def get_configuration(self, keys: Sequence[str]) -> ConfigurationResult: ...
    def set_configuration(self, key: str, value: str) -> ConfigurationStatus: ...


class Key(Generic[T]):
    """One configuration key.

    ``default``: the value where the key is missing. ``reboot``: a change works after a restart only. ``limited_by``:
    the key that holds how many items a list may have. ``aliases``: other spellings in use. ``required``: a charge point
    that has the profile must have the key.
    """

    def __init__(
        self,
        name: str,
        kind: Kind[T],
        default: str,
        section: str,
        meaning: str,
        *,
        access: Access = Access.RW,
        required: bool = False,
        owner: Owner = Owner.STACK,
        reboot: bool = False,
        limited_by: str = "",
        aliases: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.kind = kind
        self.default = default
        self.section = section
        self.meaning = meaning
        self.access = access
        self.required = required
        self.profile = FeatureProfile.Core
        self.owner = owner
        self.reboot = reboot
        self.limited_by = limited_by
        self.aliases = aliases
        self.attribute = ""
        self.spellings = frozenset(map(fold, (name, *aliases)))

    def __repr__(self) -> str:
        return f"<Key {self.name} {self.kind.name} {self.access}>"

    def __set_name__(self, owner: type, attribute: str) -> None:
        self.attribute = attribute

    @overload
    def __get__(self, config: None, owner: type) -> Self: ...
    @overload
    def __get__(self, config: Configuration, owner: type) -> T: ...
    def __get__(self, config: Configuration | None, owner: type) -> Self | T:
        return self if config is None else self.value(config)

    def __set__(self, config: Any, value: Any) -> NoReturn:
        raise AttributeError(f"{self.name} is changed with set_configuration")

    @property
    def readonly(self) -> bool:
        """Is a ChangeConfiguration refused whatever the value?"""
        return self.access is Access.R

    @property
    def write_only(self) -> bool:
        """Is the value never told to the central system?"""
        return self.access is Access.W

    @property
    def secret(self) -> bool:
        """Must the value never be shown?"""
        return self.write_only or is_secret_key(self.name)

    @property
    def accepted(self) -> str:
        """What a value may be, in words."""
        return f"{self.kind.accepted} ({self.kind.unit})" if self.kind.unit else self.kind.accepted

    def find(self, config: Configuration) -> str | None:
        """The text that a configuration has for this key, None if it does not know it."""
        names = (self.name, *self.aliases)
        for found in config.get_configuration(names).values:
            if found.value is not None and fold(found.key) in self.spellings:
                return found.value
        return None

    def value(self, config: Configuration) -> T:
        """The value in a configuration; the default where it is missing or cannot be read."""
        found = self.find(config)
        value: T = _read(self, self.default if found is None else found)
        return value

    def write(self, config: Configuration, value: str) -> bool:
        """Change the value; a refusal is logged. Was it accepted?"""
        status = config.set_configuration(self.name, value)
        if status in (ConfigurationStatus.Accepted, ConfigurationStatus.RebootRequired):
            return True
        log.warning("%s: the configuration refused the new value (%s)", self.name, status)
        return False

    def problem(self, value: str) -> str | None:
        """Why a text is no value of this key, None if it is one."""
        if len(value) > MAX_VALUE_LENGTH:
            return f"longer than {MAX_VALUE_LENGTH} characters"
        try:
            self.kind.read(value)
        except ValueError as reason:
            return f"{reason} (accepted: {self.accepted})"
        return None


class SettableKey(Key[T]):
    """A key that the stack itself changes: the property can be assigned. A refusal is logged."""

    def __set__(self, config: Configuration, value: T) -> None:  # type: ignore[override]
        self.write(config, str(value))


class KeyGroup:
    """The keys of one feature profile, as class attributes."""

    def __init_subclass__(cls, profile: FeatureProfile | None = None, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        if profile is not None:
            for key in cls.keys_of_group():
                key.profile = profile

    @classmethod
    def keys_of_group(cls) -> list[Key[Any]]:
        """The keys that this class itself declares, in order."""
        return [key for key in vars(cls).values() if isinstance(key, Key)]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """What to add to an error about an unknown name: the name that was probably meant, or nothing."""
    import difflib  # only for errors

    by_folded = {fold(candidate): candidate for candidate in known}
    close = difflib.get_close_matches(fold(name), by_folded, n=1)
    return f"; did you mean {by_folded[close[0]]}?" if close else ""


@lru_cache(maxsize=4096)
def _read(key: Key[T], value: str) -> T:
    """The value of a text. What cannot be read is warned of once, and the default taken: the stack must go on."""
    try:
        return key.kind.read(value)
    except ValueError as reason:
        if value == key.default:
            raise AssertionError(f"the default of {key.name} is no value of it") from reason
        log.warning("%s: %s; the default %r is taken", key.name, "unusable" if key.secret else reason, key.default)
        fallback: T = _read(key, key.default)
        return fallback
