"""Settings of the roles, and the configuration keys of the standard.

``stack``: what each role reads. ``ocpp``: the keys of the standard and who keeps them. ``ini_config``: both in a file.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from openocpp.config.interface import ICentralSystemConfig, IChargePointConfig, ICommonConfig, ILocalControllerConfig
from openocpp.config.key import Access, Key, Owner
from openocpp.config.keys import KEYS, Rules, StandardKeys, check, find_key
from openocpp.config.ocpp import IOcppConfig, MemoryOcppConfig, StoredOcppConfig, check_ocpp_config, vendor_key
from openocpp.config.stack import (
    CentralSystemConfig,
    ChargePointConfig,
    LocalControllerConfig,
    check_central_system_config,
    check_charge_point_config,
    check_local_controller_config,
    setting,
)
from openocpp.config.values import ConfiguredMeasurand, PhaseRotation

if TYPE_CHECKING:
    from openocpp.config.ini import IniFile, IniValue
    from openocpp.config.ini_config import IniConfig, IniOcppConfig

__all__ = [
    "KEYS",
    "Access",
    "CentralSystemConfig",
    "ChargePointConfig",
    "ConfiguredMeasurand",
    "ICentralSystemConfig",
    "IChargePointConfig",
    "ICommonConfig",
    "ILocalControllerConfig",
    "IOcppConfig",
    "IniConfig",
    "IniFile",
    "IniOcppConfig",
    "IniValue",
    "Key",
    "LocalControllerConfig",
    "MemoryOcppConfig",
    "Owner",
    "PhaseRotation",
    "Rules",
    "StandardKeys",
    "StoredOcppConfig",
    "check",
    "check_central_system_config",
    "check_charge_point_config",
    "check_local_controller_config",
    "check_ocpp_config",
    "find_key",
    "setting",
    "vendor_key",
]

# Files are read where somebody asks for them: a charge point with settings of its own needs none of it.
_IN_FILES = {
    "IniConfig": "ini_config",
    "IniFile": "ini",
    "IniOcppConfig": "ini_config",
    "IniValue": "ini",
}


def __getattr__(name: str) -> Any:
    if name not in _IN_FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"openocpp.config.{_IN_FILES[name]}"), name)
