"""Settings of the roles, and the configuration keys of the standard.

``stack``: what each role reads. ``ocpp``: the keys of the standard and who keeps them. ``ini_config``: both in a file.
"""

from openocpp.config.ini import IniFile, IniValue
from openocpp.config.ini_config import IniConfig, IniOcppConfig
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
