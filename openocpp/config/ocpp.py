"""The configuration keys of a charge point as the stack sees them, and a ready configuration in memory.

The application keeps the keys: it writes the two methods of ``IOcppConfig``, or takes ``MemoryOcppConfig`` (scripts,
tests, simulators) or ``IniConfig(path).ocpp`` (kept in a file). ``StoredOcppConfig`` is what the two ready ones share.

Threads: everything is called inside the monitor of the charge point whose keys these are, so it must return at once and
call no facade. Reading a ready configuration is safe on any thread.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from openocpp.config.key import Access, Key, did_you_mean
from openocpp.config.keys import KEYS, STANDARD_RULES, Rules, StandardKeys, check, find_key
from openocpp.config.values import TEXT, Kind
from openocpp.errors import ConfigError
from openocpp.types import ConfigurationResult, ConfigurationStatus, FeatureProfile, KeyValue, fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

log = logging.getLogger("openocpp.config")


class IOcppConfig(StandardKeys, ABC):
    """The configuration keys of the standard (1.6 §9). Users write the two methods; the typed properties derive.

    ``heartbeat_interval`` can be assigned; every other change goes through ``set_configuration``.
    """

    @abstractmethod
    def get_configuration(self, keys: Sequence[str]) -> ConfigurationResult:
        """The keys asked for, all keys if none is named, and the names that are unknown. Names have no case.

        Every value is returned, those of write-only keys too: the stack needs AuthorizationKey, and keeps such values
        out of its answers and logs.
        """

    @abstractmethod
    def set_configuration(self, key: str, value: str) -> ConfigurationStatus:
        """Keep a new value. Called for ChangeConfiguration once the stack's own checks have passed, and by the stack
        for HeartbeatInterval and a fall-back of SecurityProfile."""


def check_ocpp_config(config: IOcppConfig, rules: Rules = STANDARD_RULES, source: str = "") -> None:
    """ConfigError names the first key of the standard whose value in a configuration is unusable."""
    for told in config.get_configuration(()).values:
        key = find_key(told.key)
        if key is not None and told.value is not None:
            _check_at_rest(key, told.value, config, rules, source)


def _check_at_rest(key: Key[Any], value: str, config: IOcppConfig, rules: Rules, source: str) -> None:
    """A value at rest may be what it would be if it were missing, else what a ChangeConfiguration may bring."""
    problem = None if value == key.default else _problem(key, value, config, rules)
    if problem is not None:
        problem = problem.removesuffix(f" (accepted: {key.accepted})")
        shown = "" if key.secret else f"{value[:100]!r}: "
        raise ConfigError(key.name, shown + problem, accepted=key.accepted, source=source)


def _problem(key: Key[Any], value: str, config: IOcppConfig, rules: Rules) -> str | None:
    """Why a value is refused. Keys of the vendor's own know their kind only."""
    return key.problem(value) or check(key.name, value, config, rules)


def vendor_key(
    name: str,
    default: str = "",
    *,
    access: Access = Access.RW,
    kind: Kind[Any] = TEXT,
    reboot: bool = False,
    meaning: str = "",
) -> Key[Any]:
    """Declare a configuration key of the vendor's own, for the ready configurations.

    ``kind``: from ``openocpp.config.values``. ConfigError if the standard has a key of that name, if it is too long, or
    for a write-only key: the stack knows only those of the standard, and would tell its value.
    """
    if access is Access.W:
        raise ConfigError(name, "a vendor key cannot be write-only", accepted="R or RW")
    if find_key(name) is not None:
        raise ConfigError(name, "is a key of the standard and needs no declaration")
    if not 0 < len(name) <= 50:
        raise ConfigError(name, "a key name has 1 to 50 characters")
    return Key(name, kind, default, "", meaning, access=access, reboot=reboot)


class StoredOcppConfig(IOcppConfig):
    """What the ready configurations share: which keys there are, what is refused, how they are told.

    A key is there if it has a value, or if a feature profile in SupportedFeatureProfiles requires it: then it has its
    default. Vendor keys are always there. Names have no case and are told in the standard's spelling.
    """

    def __init__(self, vendor_keys: Iterable[Key[Any]] = (), rules: Rules = STANDARD_RULES) -> None:
        self._rules = rules
        self._vendor_keys = {fold(key.name): key for key in vendor_keys}
        self._known: Mapping[Key[Any], KeyValue] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self._known)} keys>"

    @abstractmethod
    def _stored(self) -> Mapping[str, str]:
        """The values that are stored, by name."""

    @abstractmethod
    def _store(self, key: Key[Any], value: str) -> None:
        """Store a value that has been checked; ConfigError if it cannot be kept."""

    def get_configuration(self, keys: Sequence[str]) -> ConfigurationResult:
        known = self._known
        if not keys:
            return ConfigurationResult(list(known.values()), [])
        values: list[KeyValue] = []
        unknown: list[str] = []
        for name in keys:
            key = self._find(name)
            if key is None or key not in known:
                unknown.append(name)
            else:
                values.append(known[key])
        return ConfigurationResult(values, unknown)

    def set_configuration(self, key: str, value: str) -> ConfigurationStatus:
        """NotSupported for a key that is not there, Rejected for a read-only one or an unusable value."""
        declared = self._find(key)
        if declared is None or declared not in self._known:
            return ConfigurationStatus.NotSupported
        if declared.readonly:
            return ConfigurationStatus.Rejected
        problem = _problem(declared, value, self, self._rules)
        if problem is not None:
            log.info("%s is not changed: %s", declared.name, problem)
            return ConfigurationStatus.Rejected
        if value != self._known[declared].value:  # else nothing is written: storage wears
            try:
                self._store(declared, value)
            except ConfigError as error:
                log.error("%s is not changed: %s", declared.name, error)
                return ConfigurationStatus.Rejected
            self._refresh()
        return ConfigurationStatus.RebootRequired if declared.reboot else ConfigurationStatus.Accepted

    def put(self, key: str, value: str) -> None:
        """Change a key of any access from within the application. ConfigError names the key and what is accepted."""
        declared = self._declared(key, "")
        _check_at_rest(declared, value, self, self._rules, "")
        self._store(declared, value)
        self._refresh()

    def _find(self, name: str) -> Key[Any] | None:
        return find_key(name) or self._vendor_keys.get(fold(name))

    def _declared(self, name: str, source: str) -> Key[Any]:
        key = self._find(name)
        if key is None:
            names = [*KEYS, *(key.name for key in self._vendor_keys.values())]
            raise ConfigError(name, "no such configuration key" + did_you_mean(name, names), source=source)
        return key

    def _load(self, source: str = "") -> None:
        """Take what is stored, checked. ConfigError names source, key and what is accepted."""
        stored = {self._declared(name, source): value for name, value in self._stored().items()}
        profiles = StandardKeys.supported_feature_profiles
        if profiles in stored:
            _check_at_rest(profiles, stored[profiles], self, self._rules, source)
        self._refresh()
        for key, value in stored.items():
            _check_at_rest(key, value, self, self._rules, source)

    def _refresh(self) -> None:
        """Take what is stored as the new state, in one step for readers on other threads."""
        found = {self._declared(name, ""): value for name, value in self._stored().items()}
        profiles_key = StandardKeys.supported_feature_profiles
        profiles = {FeatureProfile.Core, *profiles_key.kind.read(found.get(profiles_key, profiles_key.default))}
        for key in KEYS.values():
            if key.required and key.profile in profiles:
                found.setdefault(key, key.default)
        for key in self._vendor_keys.values():
            found.setdefault(key, key.default)
        self._known = {
            key: KeyValue(key=key.name, readonly=key.readonly, value=found[key])
            for key in sorted(found, key=lambda key: fold(key.name))
        }


class MemoryOcppConfig(StoredOcppConfig):
    """A configuration in memory, for scripts, tests and simulators.

    ``values``: by the names of the standard, in any case; everything else has its default. ``rules``: what more is
    asked of values. ConfigError names the key that is unknown or has an unusable value.
    """

    def __init__(
        self,
        values: Mapping[str, str | int] | None = None,
        *,
        vendor_keys: Iterable[Key[Any]] = (),
        rules: Rules = STANDARD_RULES,
    ) -> None:
        super().__init__(vendor_keys, rules)
        self._values = {name: _text(value) for name, value in (values or {}).items()}
        self._load()

    def _stored(self) -> Mapping[str, str]:
        return self._values

    def _store(self, key: Key[Any], value: str) -> None:
        self._values = {name: old for name, old in self._values.items() if fold(name) not in key.spellings}
        self._values[key.name] = value


def _text(value: str | int) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
