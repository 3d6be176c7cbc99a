"""All settings in one INI file: the sections of the roles, and the configuration keys of the standard, which it keeps.

==================  ==========================================================================================
section             holds
==================  ==========================================================================================
[ChargePoint]       settings of a charge point (``stack.ChargePointConfig``)
[CentralSystem]     settings of a central system (``stack.CentralSystemConfig``)
[LocalController]   settings of a local controller (``stack.LocalControllerConfig``)
[Ocpp]              configuration keys of the standard and those declared as vendor keys (``IniOcppConfig``)
any other           nothing to us: the application's own
==================  ==========================================================================================

A missing setting has its default; an unknown name or an unusable value is an error that names file, key and what is
accepted. Paths are relative to the file's folder. What the central system changes is written back at once and
atomically, with order and comments kept, and the file becomes readable by its owner only, since it may hold the
AuthorizationKey (SEC A01.FR.10).

Threads: as ``ini``: any may read, one at a time changes (inside the charge point's monitor).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from openocpp.config.ini import IniFile
from openocpp.config.key import Access, Key
from openocpp.config.keys import Rules
from openocpp.config.ocpp import StoredOcppConfig, vendor_key
from openocpp.config.setting import find_setting, settings_of
from openocpp.config.stack import (
    CentralSystemConfig,
    ChargePointConfig,
    CommonConfig,
    LocalControllerConfig,
    check_central_system_config,
    check_charge_point_config,
    check_local_controller_config,
    setting,
)
from openocpp.config.values import Kind
from openocpp.errors import ConfigError
from openocpp.types import fold

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Iterable, Mapping

    from openocpp.types import Measurand

R = TypeVar("R", bound=CommonConfig)

CHARGE_POINT = "ChargePoint"
CENTRAL_SYSTEM = "CentralSystem"
LOCAL_CONTROLLER = "LocalController"
OCPP = "Ocpp"


class IniConfig:
    """The settings in an INI file. Each role's part is read and checked at first use; the file is read once.

    ``vendor_keys``: configuration keys of the application's own in [Ocpp], made with ``vendor_key``. ``measurands``:
    those that this station can measure, others are refused; None = all of the standard.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        vendor_keys: Iterable[Key[Any]] = (),
        measurands: Collection[Measurand] | None = None,
    ) -> None:
        self._ini = IniFile(mode=0o600)
        self._ini.load(path)
        self._source = str(path)
        self._folder = Path(path).resolve().parent
        self._vendor_keys = tuple(vendor_keys)
        self._measurands = measurands
        self._charge_point: ChargePointConfig | None = None
        self._central_system: CentralSystemConfig | None = None
        self._local_controller: LocalControllerConfig | None = None
        self._ocpp: IniOcppConfig | None = None

    def __repr__(self) -> str:
        return f"IniConfig({self._source!r}, sections={self._ini.sections()})"

    @property
    def ini(self) -> IniFile:
        """The file, for sections of the application's own."""
        return self._ini

    @property
    def charge_point(self) -> ChargePointConfig:
        """The section [ChargePoint]. ConnexionUrl and ChargePointIdentifier change with the keys of these names."""
        if self._charge_point is None:
            config = self._read(CHARGE_POINT, ChargePointConfig)
            check_charge_point_config(config, self._source)
            self._charge_point = config
        return self._charge_point

    @property
    def central_system(self) -> CentralSystemConfig:
        """The section [CentralSystem]."""
        if self._central_system is None:
            config = self._read(CENTRAL_SYSTEM, CentralSystemConfig)
            check_central_system_config(config, self._source)
            self._central_system = config
        return self._central_system

    @property
    def local_controller(self) -> LocalControllerConfig:
        """The section [LocalController]."""
        if self._local_controller is None:
            config = self._read(LOCAL_CONTROLLER, LocalControllerConfig)
            check_local_controller_config(config, self._source)
            self._local_controller = config
        return self._local_controller

    @property
    def ocpp(self) -> IniOcppConfig:
        """The configuration keys in [Ocpp], kept in the file."""
        if self._ocpp is None:
            charge_point = self.charge_point if CHARGE_POINT in self._ini.sections() else None
            rules = Rules(setting(charge_point, "authorization_key_min_bytes"), self._measurands)
            self._ocpp = IniOcppConfig(self._ini, self._source, charge_point, self._vendor_keys, rules)
        return self._ocpp

    def _read(self, section: str, config_type: type[R]) -> R:
        if section not in self._ini.sections():
            raise ConfigError(f"[{section}]", "no such section", source=self._source)
        found: dict[str, Any] = {}
        for name in self._ini.names(section):
            known = find_setting(config_type, name, f"[{section}]", self._source)
            found[known.attribute] = known.read(str(self._ini.get(section, name)), self._folder, self._source)
        for known in settings_of(config_type).values():
            if known.required and known.attribute not in found:
                missing = f"missing in [{section}]"
                raise ConfigError(known.key, missing, accepted=known.kind.accepted, source=self._source)
        return config_type(**found)


def _setting_as_key(name: str, access: Access, meaning: str) -> Key[Any]:
    """A setting of the charge point that the central system can see as a configuration key."""
    kind = settings_of(ChargePointConfig)[name].kind

    def read(text: str) -> str:
        problem = kind.problem(text)
        if problem is not None:
            raise ValueError(problem)
        return text

    return vendor_key(name, access=access, kind=Kind("string", kind.accepted, read), reboot=True, meaning=meaning)


# Changed in [ChargePoint], where the charge point reads them at its next connection.
SHARED_KEYS: tuple[Key[Any], ...] = (
    _setting_as_key("ConnexionUrl", Access.RW, "endpoint of the central system"),
    _setting_as_key("ChargePointIdentifier", Access.RW, "identity of the charge point"),
    _setting_as_key("FirmwareVersion", Access.R, "version of the firmware"),
)


class IniOcppConfig(StoredOcppConfig):
    """The configuration keys in the section [Ocpp] of an INI file, read at once and written back when they change.

    With a section [ChargePoint] the keys ConnexionUrl, ChargePointIdentifier (both take effect with the next start, or
    when the connection is made anew) and FirmwareVersion (read-only) are there too, kept in that section.
    """

    def __init__(
        self,
        ini: IniFile,
        source: str,
        charge_point: ChargePointConfig | None,
        vendor_keys: Iterable[Key[Any]],
        rules: Rules,
    ) -> None:
        self._ini = ini
        self._charge_point = charge_point
        self._shared = {key.name: key for key in SHARED_KEYS} if charge_point is not None else {}
        super().__init__((*vendor_keys, *self._shared.values()), rules)
        self._refuse_misplaced(source)
        self._load(source)

    def _refuse_misplaced(self, source: str) -> None:
        """Shared keys in [Ocpp], and names that are there twice: which value counts could only be guessed."""
        seen: set[str] = set()
        for name in self._ini.names(OCPP):
            declared = self._declared(name, source)
            if declared.name in self._shared:
                raise ConfigError(name, f"stands in [{OCPP}]", accepted=f"in [{CHARGE_POINT}] only", source=source)
            if declared.name in seen:
                raise ConfigError(name, f"stands twice in [{OCPP}] (names have no case)", source=source)
            seen.add(declared.name)

    def _stored(self) -> Mapping[str, str]:
        found: dict[str, str] = {name: str(self._ini.get(OCPP, name)) for name in self._ini.names(OCPP)}
        for name in self._shared:
            found[name] = str(self._ini.get(CHARGE_POINT, name))
        return found

    def _store(self, key: Key[Any], value: str) -> None:
        try:
            if key.name in self._shared:
                self._store_shared(key.name, value)
            else:
                spelling = next((name for name in self._ini.names(OCPP) if fold(name) in key.spellings), key.name)
                self._ini.set(OCPP, spelling, value)
        except ValueError as error:  # a line end in the value
            raise ConfigError(key.name, "cannot be written to an INI file", source=str(self._ini.path)) from error

    def _store_shared(self, name: str, value: str) -> None:
        self._ini.set(CHARGE_POINT, name, value)
        # Frozen for everybody else: the file is the owner of these values, and the charge point reads them at each use.
        object.__setattr__(self._charge_point, settings_of(ChargePointConfig)[name].attribute, value)
