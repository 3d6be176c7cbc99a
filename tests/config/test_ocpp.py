"""Configurations of keys: what is there, what is told, what is refused, and the one in memory."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, assert_type

import pytest

from openocpp.config.key import Access
from openocpp.config.keys import KEYS, Rules
from openocpp.config.ocpp import IOcppConfig, MemoryOcppConfig, check_ocpp_config, vendor_key
from openocpp.config.values import BOOLEAN, ConfiguredMeasurand, one_of
from openocpp.errors import ConfigError
from openocpp.types import ConfigurationResult, ConfigurationStatus, KeyValue, Measurand

if TYPE_CHECKING:
    from collections.abc import Sequence

Accepted = ConfigurationStatus.Accepted
Rejected = ConfigurationStatus.Rejected
RebootRequired = ConfigurationStatus.RebootRequired
NotSupported = ConfigurationStatus.NotSupported

KEY = "00112233445566778899aabbccddeeff"


class OwnConfig(IOcppConfig):
    """What a user writes: two methods over whatever store there is."""

    def __init__(self, **values: str) -> None:
        self.values = values

    def get_configuration(self, keys: Sequence[str]) -> ConfigurationResult:
        known = [KeyValue(key=k, readonly=False, value=self.values[k]) for k in keys or self.values if k in self.values]
        return ConfigurationResult(known, [key for key in keys if key not in self.values])

    def set_configuration(self, key: str, value: str) -> ConfigurationStatus:
        self.values[key] = value
        return Accepted


def test_two_methods_give_all_properties() -> None:
    config = OwnConfig(NumberOfConnectors="2", MeterValuesSampledData="SoC", CpoName="ACME")
    assert_type(config.number_of_connectors, int)
    assert_type(config.cpo_name, str)
    assert_type(config.local_pre_authorize, bool)
    assert_type(config.meter_values_sampled_data, tuple[ConfiguredMeasurand, ...])
    assert config.number_of_connectors == 2
    assert config.meter_values_sampled_data == (ConfiguredMeasurand(Measurand.SoC),)
    assert config.cpo_name == "ACME"
    assert config.web_socket_ping_interval == 60
    config.heartbeat_interval = 30
    assert config.values["HeartbeatInterval"] == "30"


def test_the_two_methods_must_be_written() -> None:
    class Half(IOcppConfig):
        def get_configuration(self, keys: Sequence[str]) -> ConfigurationResult:
            return ConfigurationResult([], list(keys))

    half: Any = Half
    with pytest.raises(TypeError, match="set_configuration"):
        half()


def test_every_key_of_the_standard_is_a_property() -> None:
    config = OwnConfig()
    assert [key.name for key in KEYS.values() if not hasattr(config, key.attribute)] == []


def test_all_keys_are_told_sorted_by_name_and_with_secrets() -> None:
    config = MemoryOcppConfig({"AuthorizationKey": KEY, "AuthorizationCacheEnabled": "true"})
    values, unknown = config.get_configuration([])
    names = [value.key for value in values]
    assert names == sorted(names, key=str.lower)
    assert unknown == []
    told = {value.key: (value.readonly, value.value) for value in values}
    assert told["AuthorizationKey"] == (False, KEY)
    assert told["AuthorizationCacheEnabled"] == (False, "true")
    assert told["NumberOfConnectors"] == (True, "1")


def test_some_keys_are_told_in_the_order_of_the_request_and_the_standards_spelling() -> None:
    config = MemoryOcppConfig({"ISO15118PnCEnabled": "true"})
    values, unknown = config.get_configuration(
        ["numberofconnectors", "Nothing", "Iso15118PnCEnabled", "HEARTBEATINTERVAL", "AuthorizationCacheEnabled"]
    )
    assert [value.key for value in values] == ["NumberOfConnectors", "ISO15118PnCEnabled", "HeartbeatInterval"]
    assert unknown == ["Nothing", "AuthorizationCacheEnabled"]


def test_required_keys_of_the_supported_profiles_are_always_there() -> None:
    def there(config: IOcppConfig) -> set[str]:
        return {value.key for value in config.get_configuration(()).values}

    core = there(MemoryOcppConfig({"SupportedFeatureProfiles": "Core"}))
    assert {"HeartbeatInterval", "NumberOfConnectors"} <= core
    assert not {"LocalAuthListEnabled", "ChargeProfileMaxStackLevel", "BlinkRepeat", "AuthorizationKey"} & core
    charging = there(MemoryOcppConfig({"SupportedFeatureProfiles": "Core,SmartCharging"}))
    assert charging - core == {
        "ChargeProfileMaxStackLevel",
        "ChargingScheduleAllowedChargingRateUnit",
        "ChargingScheduleMaxPeriods",
        "MaxChargingProfilesInstalled",
    }
    assert not any("PnC" in name or "Contract" in name for name in there(MemoryOcppConfig()))


@pytest.mark.parametrize(
    ("key", "value", "status"),
    [
        ("HeartbeatInterval", "30", Accepted),
        ("heartbeatinterval", "0", Accepted),
        ("WebSocketPingInterval", "30", RebootRequired),
        ("NumberOfConnectors", "3", Rejected),
        ("AuthorizationCacheEnabled", "true", NotSupported),
        ("NoSuchKey", "1", NotSupported),
        ("HeartbeatInterval", "-1", Rejected),
        ("HeartbeatInterval", "soon", Rejected),
        ("WebSocketPingInterval", "-1", Rejected),
        ("LocalPreAuthorize", "TRUE", Accepted),
        ("LocalPreAuthorize", "1", Rejected),
        ("MeterValuesSampledData", "", Accepted),
        ("MeterValuesSampledData", "SoC, Voltage.L1", Accepted),
        ("MeterValuesSampledData", "SoC,Voltage,RPM", Rejected),
        ("MeterValuesSampledData", "Foo", Rejected),
        ("MeterValuesSampledData", "Temperature", Rejected),
        ("SecurityProfile", "2", Accepted),
        ("SecurityProfile", "9", Rejected),
        ("AuthorizationKey", KEY, Accepted),
        ("AuthorizationKey", "", Rejected),
    ],
)
def test_what_a_change_leads_to(key: str, value: str, status: ConfigurationStatus) -> None:
    config = MemoryOcppConfig(
        {
            "WebSocketPingInterval": 10,
            "SecurityProfile": 0,
            "AuthorizationKey": "",
            "MeterValuesSampledDataMaxLength": 2,
        },
        rules=Rules(measurands=[Measurand.SoC, Measurand.Voltage, Measurand.RPM, Measurand.EnergyActiveImportRegister]),
    )
    before = config.get_configuration([])
    assert config.set_configuration(key, value) is status
    if status in (Accepted, RebootRequired):
        assert [told.value for told in config.get_configuration([key]).values] == [value]
    else:
        assert config.get_configuration([]) == before


def test_a_refused_secret_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    config = MemoryOcppConfig({"AuthorizationKey": KEY})
    with caplog.at_level(logging.DEBUG):
        assert config.set_configuration("AuthorizationKey", "5ec2e7") is Rejected
    assert "AuthorizationKey is not changed: shorter than 16 bytes" in caplog.text
    assert "5ec2e7" not in caplog.text
    assert KEY not in repr(config) + repr(config.get_configuration([]))


def test_the_security_profile_can_be_lowered_by_the_stack() -> None:
    config = MemoryOcppConfig({"SecurityProfile": "2"})
    assert config.set_configuration("SecurityProfile", "1") is Accepted
    assert config.security_profile == 1


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"HartbeatInterval": "1"}, r"^HartbeatInterval: no such configuration key; did you mean HeartbeatInterval\?$"),
        (
            {"HeartbeatInterval": "x"},
            r"^HeartbeatInterval: 'x': not a whole number \(accepted: a whole number from 0 \(s\)\)$",
        ),
        ({"SupportedFeatureProfiles": "All"}, "SupportedFeatureProfiles: .*'All', is no word of that list"),
        ({"NumberOfConnectors": 0}, "NumberOfConnectors: '0': out of range"),
        (
            {"MeterValuesSampledData": "SoC,RPM", "MeterValuesSampledDataMaxLength": 1},
            "2 items, MeterValuesSampledDataMaxLength is 1",
        ),
    ],
)
def test_unusable_values_are_refused_from_the_start(values: dict[str, str | int], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        MemoryOcppConfig(values)


def test_a_short_authorization_key_is_refused_without_being_shown() -> None:
    with pytest.raises(ConfigError, match="32 to 40 hexadecimal digits") as caught:
        MemoryOcppConfig({"AuthorizationKey": "abcdef"})
    assert "abcdef" not in str(caught.value)
    allowed = MemoryOcppConfig({"AuthorizationKey": "abcdef"}, rules=Rules(authorization_key_min_bytes=3))
    assert allowed.authorization_key == "abcdef"


def test_values_may_be_given_as_what_they_are() -> None:
    config = MemoryOcppConfig({"HeartbeatInterval": 15, "LocalPreAuthorize": True})
    assert (config.heartbeat_interval, config.local_pre_authorize) == (15, True)
    assert [value.value for value in config.get_configuration(["LocalPreAuthorize"]).values] == ["true"]


def test_the_application_may_put_any_key() -> None:
    config = MemoryOcppConfig()
    config.put("numberOfConnectors", "4")
    config.put("AuthorizationCacheEnabled", "true")
    assert config.number_of_connectors == 4
    assert config.authorization_cache_enabled is True
    with pytest.raises(ConfigError, match="NumberOfConnectors"):
        config.put("NumberOfConnectors", "none")
    with pytest.raises(ConfigError, match="Nothing"):
        config.put("Nothing", "1")


def test_keys_of_the_vendor() -> None:
    config = MemoryOcppConfig(
        {"acme.mode": "fast"},
        vendor_keys=[
            vendor_key("Acme.Mode", "eco", kind=one_of("eco", "fast"), reboot=True),
            vendor_key("Acme.Serial", "12", access=Access.R),
            vendor_key("Acme.Light", "true", kind=BOOLEAN),
        ],
    )
    values, _ = config.get_configuration(["ACME.MODE", "Acme.Serial", "Acme.Light"])
    assert [(value.key, value.readonly, value.value) for value in values] == [
        ("Acme.Mode", False, "fast"),
        ("Acme.Serial", True, "12"),
        ("Acme.Light", False, "true"),
    ]
    assert config.set_configuration("acme.mode", "eco") is RebootRequired
    assert config.set_configuration("acme.mode", "slow") is Rejected
    assert config.set_configuration("Acme.Serial", "13") is Rejected
    assert config.set_configuration("Acme.Light", "x" * 501) is Rejected
    with pytest.raises(ConfigError, match=r"did you mean Acme\.Mode"):
        config.put("Acme.Mod", "eco")


@pytest.mark.parametrize("name", ["HeartbeatInterval", "iso15118pncenabled", "", "x" * 51])
def test_a_vendor_key_needs_a_name_of_its_own(name: str) -> None:
    with pytest.raises(ConfigError):
        vendor_key(name)


def test_a_vendor_key_cannot_be_write_only() -> None:
    with pytest.raises(ConfigError, match=r"Acme\.Secret: .*\(accepted: R or RW\)"):
        vendor_key("Acme.Secret", access=Access.W)


def test_a_users_configuration_can_be_checked() -> None:
    check_ocpp_config(OwnConfig(HeartbeatInterval="30", Vendor="x", AuthorizationKey="", CpoName=""))
    with pytest.raises(ConfigError, match="station: HeartbeatInterval: 'x': not a whole number"):
        check_ocpp_config(OwnConfig(HeartbeatInterval="x"), source="station")
    with pytest.raises(ConfigError, match="AuthorizationKey: shorter"):
        check_ocpp_config(OwnConfig(AuthorizationKey="abcdef"))
