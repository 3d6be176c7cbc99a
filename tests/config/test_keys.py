"""The keys of the standard: all of them, in the standard's spelling, and what ChangeConfiguration must refuse."""

from __future__ import annotations

import re

import pytest

from openocpp.config.key import Access
from openocpp.config.keys import KEYS, Rules, StandardKeys, check, find_key
from openocpp.config.ocpp import MemoryOcppConfig
from openocpp.types import FeatureProfile, Measurand

READ_ONLY = """
ConnectorPhaseRotationMaxLength GetConfigurationMaxKeys MeterValuesAlignedDataMaxLength
MeterValuesSampledDataMaxLength NumberOfConnectors StopTransactionMaxMeterValues StopTxnAlignedDataMaxLength
StopTxnSampledDataMaxLength SupportedFeatureProfiles SupportedFeatureProfilesMaxLength LocalAuthListMaxLength
SendLocalListMaxLength ReserveConnectorZeroSupported ChargeProfileMaxStackLevel
ChargingScheduleAllowedChargingRateUnit ChargingScheduleMaxPeriods ConnectorSwitch3to1PhaseSupported
MaxChargingProfilesInstalled AdditionalRootCertificateCheck CertificateSignedMaxChainSize CertificateStoreMaxLength
SupportedFileTransferProtocols
""".split()

READ_WRITE = """
AllowOfflineTxForUnknownId AuthorizationCacheEnabled AuthorizeRemoteTxRequests BlinkRepeat ClockAlignedDataInterval
ConnectionTimeOut ConnectorPhaseRotation HeartbeatInterval LightIntensity LocalAuthorizeOffline LocalPreAuthorize
MaxEnergyOnInvalidId MessageTimeout MeterValuesAlignedData MeterValuesSampledData MeterValueSampleInterval
MinimumStatusDuration ResetRetries StopTransactionOnEVSideDisconnect StopTransactionOnInvalidId StopTxnAlignedData
StopTxnSampledData TransactionMessageAttempts TransactionMessageRetryInterval UnlockConnectorOnEVSideDisconnect
WebSocketPingInterval LocalAuthListEnabled CpoName SecurityProfile CentralContractValidationAllowed
CertSigningWaitMinimum CertSigningRepeatTimes ContractValidationOffline ISO15118PnCEnabled
""".split()

# The keys that a charge point must have for its profile (1.6 §9, errata 3.79, PNC §9).
REQUIRED = """
AuthorizeRemoteTxRequests ClockAlignedDataInterval ConnectionTimeOut ConnectorPhaseRotation GetConfigurationMaxKeys
HeartbeatInterval LocalAuthorizeOffline LocalPreAuthorize MeterValuesAlignedData MeterValuesSampledData
MeterValueSampleInterval NumberOfConnectors ResetRetries StopTransactionOnInvalidId StopTxnAlignedData
StopTxnSampledData SupportedFeatureProfiles TransactionMessageAttempts TransactionMessageRetryInterval
UnlockConnectorOnEVSideDisconnect LocalAuthListEnabled LocalAuthListMaxLength SendLocalListMaxLength
ChargeProfileMaxStackLevel ChargingScheduleAllowedChargingRateUnit ChargingScheduleMaxPeriods
MaxChargingProfilesInstalled ContractValidationOffline ISO15118PnCEnabled
""".split()

KEY_20_BYTES = "0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF"


def test_all_keys_are_there_with_their_access() -> None:
    access = {name: Access.R for name in READ_ONLY} | {name: Access.RW for name in READ_WRITE}
    assert {name: key.access for name, key in KEYS.items()} == access | {"AuthorizationKey": Access.W}


def test_the_required_keys_are_marked() -> None:
    assert {name for name, key in KEYS.items() if key.required} == set(REQUIRED)


def test_only_the_ping_interval_needs_a_reboot() -> None:
    assert [name for name, key in KEYS.items() if key.reboot] == ["WebSocketPingInterval"]


def test_profiles_follow_the_chapters() -> None:
    assert KEYS["BlinkRepeat"].profile is FeatureProfile.Core
    assert KEYS["LocalAuthListEnabled"].profile is FeatureProfile.LocalAuthListManagement
    assert KEYS["AuthorizationKey"].profile is FeatureProfile.Security
    assert KEYS["ISO15118PnCEnabled"].profile is FeatureProfile.Iso15118


@pytest.mark.parametrize("name", sorted(KEYS))
def test_attribute_default_and_reference_of_each_key(name: str) -> None:
    key = KEYS[name]
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    assert key.attribute == {"ISO15118PnCEnabled": "iso15118_pnc_enabled"}.get(name, snake)
    assert getattr(MemoryOcppConfig(), key.attribute) == key.kind.read(key.default)
    assert re.match(r"1\.6 §9|errata 3|SEC §7|PNC §9", key.section)
    assert key.meaning
    assert not key.limited_by or key.limited_by in KEYS


def test_absent_optional_booleans_are_functions_that_are_not_there() -> None:
    optional = [key for key in KEYS.values() if not key.required and key.kind.name == "boolean"]
    assert len(optional) == 7
    assert {key.default for key in optional} == {"false"}


def test_names_have_no_case() -> None:
    assert find_key("heartbeatINTERVAL") is StandardKeys.heartbeat_interval
    assert find_key("Iso15118PnCEnabled") is StandardKeys.iso15118_pnc_enabled
    assert find_key("iso15118pncenabled") is StandardKeys.iso15118_pnc_enabled
    assert find_key("Heartbeat") is None


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("AuthorizationCacheEnabled", ["true", "FALSE"], ["", "1", "yes", "enabled"]),
        ("HeartbeatInterval", ["0", "86400"], ["-1", "", "15s", "1.5", "99999999999"]),
        ("webSocketPingInterval", ["0", "30"], ["-1"]),
        ("CertSigningWaitMinimum", ["0", "60"], ["-1"]),
        ("CertSigningRepeatTimes", ["0", "3"], ["-3"]),
        ("TransactionMessageAttempts", ["1", "10"], ["0", "-1"]),
        ("LightIntensity", ["0", "100"], ["101", "-1"]),
        ("NumberOfConnectors", ["1"], ["0"]),
        ("ConnectorPhaseRotation", ["", "1.RST", "0.Unknown, 1.STR"], ["RST", "1.ABC", "1.RST,"]),
        (
            "MeterValuesSampledData",
            ["", "SoC", "Voltage.L1,Voltage.L2, SoC", "SoC,SoC"],
            ["Foo", "SoC,Foo", "SoC,", "SoC;Voltage"],
        ),
        ("StopTxnAlignedData", ["Current.Export"], ["Current"]),
        ("SupportedFeatureProfiles", ["Core", "Core,Reservation"], ["core", "Everything"]),
        ("ChargingScheduleAllowedChargingRateUnit", ["Current", "Power,Current"], ["W"]),
        ("SupportedFileTransferProtocols", ["HTTPS", "FTP,SFTP"], ["GOPHER"]),
        ("CertificateSignedMaxChainSize", ["5600", "10000"], ["10001", "0"]),
        ("SecurityProfile", ["0", "3"], ["4", "-1", "2abc", ""]),
        ("CpoName", ["", "Open OCPP"], ["x" * 501]),
        ("AuthorizationKey", ["00" * 16, KEY_20_BYTES], ["", "abcdef", "00" * 15, "0" * 33, "00" * 21, "zz" * 16]),
        ("MessageTimeout", ["30"], ["-1", "soon"]),
        ("Acme.Anything", ["", "goes"], []),
    ],
)
def test_what_change_configuration_must_refuse(name: str, good: list[str], bad: list[str]) -> None:
    assert {value: check(name, value) for value in good} == dict.fromkeys(good)
    assert [value for value in bad if check(name, value) is None] == []


def test_reasons_say_what_would_be_accepted_and_no_secret() -> None:
    assert check("SecurityProfile", "4") == "out of range (accepted: a whole number from 0 to 3)"
    reasons = [check("AuthorizationKey", "5ec2e7"), check("AuthorizationKey", "5ecret")]
    assert reasons[0] == "shorter than 16 bytes"
    assert not any("5ec" in str(reason) for reason in reasons)


def test_a_list_may_have_so_many_items_as_its_limit_says() -> None:
    config = MemoryOcppConfig({"MeterValuesSampledDataMaxLength": "2", "ConnectorPhaseRotationMaxLength": "1"})
    assert check("MeterValuesSampledData", "SoC,Voltage", config) is None
    assert check("MeterValuesSampledData", "SoC,Voltage,RPM", config) == "3 items, MeterValuesSampledDataMaxLength is 2"
    assert check("MeterValuesAlignedData", "SoC,Voltage,RPM", config) is None
    assert check("ConnectorPhaseRotation", "0.RST,1.RST", config) == "2 items, ConnectorPhaseRotationMaxLength is 1"


@pytest.mark.parametrize("name", ["MeterValuesSampled", "MeterValuesAligned", "StopTxnSampled", "StopTxnAligned"])
def test_each_list_of_measurands_has_its_own_limit(name: str) -> None:
    config = MemoryOcppConfig({f"{name}DataMaxLength": "1"})
    assert check(f"{name}Data", "SoC", config) is None
    assert check(f"{name}Data", "SoC,Voltage", config) == f"2 items, {name}DataMaxLength is 1"


def test_phase_rotations_are_of_connectors_that_exist() -> None:
    config = MemoryOcppConfig({"NumberOfConnectors": "2"})
    assert check("ConnectorPhaseRotation", "0.RST,1.RST,2.RTS", config) is None
    assert check("ConnectorPhaseRotation", "0.RST,3.RST", config) == "there is no connector 3"


def test_a_station_can_name_the_measurands_that_it_has() -> None:
    rules = Rules(measurands={Measurand.Voltage})
    assert check("MeterValuesSampledData", "Voltage,Voltage.L1", rules=rules) is None
    assert check("MeterValuesSampledData", "Voltage,SoC", rules=rules) == "SoC is not measured here"


def test_shorter_authorization_keys_can_be_allowed() -> None:
    rules = Rules(authorization_key_min_bytes=8)
    assert check("AuthorizationKey", "00" * 8, rules=rules) is None
    assert check("AuthorizationKey", "00" * 7, rules=rules) == "shorter than 8 bytes"
