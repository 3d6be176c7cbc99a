"""Configuration keys as the central system reads and changes them, and what a change does without a restart."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.config import IniConfig, IOcppConfig, MemoryOcppConfig, vendor_key
from openocpp.config.key import Access
from openocpp.testing.conversation import ABSENT
from openocpp.types import (
    AuthorizationStatus,
    ConfigurationResult,
    ConfigurationStatus,
    KeyValue,
    Measurand,
    SampledValue,
)
from tests.chargepoint.conftest import KEYS, Station, online

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from openocpp.testing import SimulatedRuntime
    from openocpp.testing.conversation import ScriptedPeer
    from tests.chargepoint.conftest import CentralSide

SECRET = "00112233445566778899AABBCCDDEEFF"
ENERGY = "Energy.Active.Import.Register"


class Plain(IOcppConfig):
    """An application's own configuration: compares names exactly, checks nothing, and notes what it is told."""

    def __init__(self, values: Mapping[str, str], readonly: Sequence[str] = (), reboot: Sequence[str] = ()) -> None:
        self.values = dict(values)
        self.readonly = readonly
        self.reboot = reboot
        self.changes: list[tuple[str, str]] = []

    def get_configuration(self, keys: Sequence[str]) -> ConfigurationResult:
        known = [KeyValue(key=key, readonly=key in self.readonly, value=value) for key, value in self.values.items()]
        if not keys:
            return ConfigurationResult(known, [])
        return ConfigurationResult(
            [value for value in known if value.key in keys], [key for key in keys if key not in self.values]
        )

    def set_configuration(self, key: str, value: str) -> ConfigurationStatus:
        self.changes.append((key, value))
        self.values[key] = value
        return ConfigurationStatus.RebootRequired if key in self.reboot else ConfigurationStatus.Accepted


def plain(sim: SimulatedRuntime, values: Mapping[str, str] | None = None, **options: Any) -> Station:
    """A station with such a configuration."""
    station = Station(sim, "")
    merged = {key: str(value) for key, value in KEYS.items()} | dict(values or {})
    station.keys = Plain(merged, **options)  # type: ignore[assignment]
    station.cp = station.create()
    return station


def get(peer: ScriptedPeer, *keys: str) -> tuple[dict[str, Any], list[str]]:
    """Values by key, None for those without, and the unknown keys."""
    payload = peer.call("GetConfiguration", {"key": list(keys)} if keys else {}).result()
    return {entry["key"]: entry.get("value") for entry in payload.get("configurationKey", [])}, payload.get(
        "unknownKey", []
    )


def change(peer: ScriptedPeer, key: str, value: str, status: str = "Accepted") -> None:
    peer.call("ChangeConfiguration", {"key": key, "value": value}).result({"status": status})


# -- GetConfiguration --------------------------------------------------------------------------------------------------


def test_no_key_means_all_keys(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    payload = peer.call("GetConfiguration").result()
    entries = {entry["key"]: entry for entry in payload["configurationKey"]}
    assert set(KEYS) <= set(entries)
    assert "unknownKey" not in payload
    assert entries["NumberOfConnectors"] == {"key": "NumberOfConnectors", "readonly": True, "value": "2"}
    assert entries["MinimumStatusDuration"] == {"key": "MinimumStatusDuration", "readonly": False, "value": "0"}
    assert entries["AuthorizationKey"] == {"key": "AuthorizationKey", "readonly": False}
    null = peer.call("GetConfiguration", {"key": []}).result()
    assert null == payload


def test_known_and_unknown_keys_in_any_case(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    asked = ["heartbeatINTERVAL", "Nonsense", "NumberOfConnectors", "xyz", "BLINKREPEAT"]
    payload = peer.call("GetConfiguration", {"key": asked}).result()
    assert payload["configurationKey"] == [
        {"key": "HeartbeatInterval", "readonly": False, "value": "3600"},
        {"key": "NumberOfConnectors", "readonly": True, "value": "2"},
    ]
    assert payload["unknownKey"] == ["Nonsense", "xyz", "BLINKREPEAT"]  # as they were asked for
    assert peer.call("GetConfiguration", {"key": ["Nonsense"]}).result() == {"unknownKey": ["Nonsense"]}


def test_an_application_need_not_know_how_central_systems_write_names(
    sim: SimulatedRuntime, central: CentralSide
) -> None:
    station = plain(sim, {"VendorMode": "1", "Iso15118PnCEnabled": "false"})
    peer = online(station, central)
    assert get(peer, "vendormode", "ISO15118PnCEnabled", "heartbeatinterval") == (
        {"VendorMode": "1", "Iso15118PnCEnabled": "false", "HeartbeatInterval": "3600"},
        [],
    )
    change(peer, "VENDORMODE", "2")
    change(peer, "ISO15118PNCENABLED", "true")
    assert station.keys.changes[-2:] == [("VendorMode", "2"), ("Iso15118PnCEnabled", "true")]  # type: ignore[attr-defined]
    station.cp.stop()


def test_secrets_are_listed_without_value(sim: SimulatedRuntime, central: CentralSide) -> None:
    station = plain(sim, {"AuthorizationKey": SECRET, "BackendPassword": SECRET})
    peer = online(station, central)
    for keys in ((), ("AuthorizationKey", "BackendPassword")):
        values, _ = get(peer, *keys)
        assert values["AuthorizationKey"] is None
        assert values["BackendPassword"] is None
    assert SECRET not in "".join(peer.texts)
    station.cp.stop()


def test_the_number_of_keys_that_can_be_asked_for_is_limited(sim: SimulatedRuntime, central: CentralSide) -> None:
    station = Station(sim, "", {"GetConfigurationMaxKeys": 3})
    peer = online(station, central)
    names = ["HeartbeatInterval", "NumberOfConnectors", "Nonsense", "SecurityProfile"]
    assert "3" in peer.call("GetConfiguration", {"key": names}).error("PropertyConstraintViolation")[1]
    assert get(peer, *names[:3])[1] == ["Nonsense"]
    assert len(get(peer)[0]) > 20  # all of them is no question for many
    station.cp.stop()


def test_a_value_that_is_too_long_is_cut(
    sim: SimulatedRuntime, central: CentralSide, caplog: pytest.LogCaptureFixture
) -> None:
    station = plain(sim, {"VendorText": "x" * 600, "Empty": ""})
    peer = online(station, central)
    assert get(peer, "VendorText", "Empty")[0] == {"VendorText": "x" * 500, "Empty": ""}
    assert "the value of VendorText is cut to 500 characters" in caplog.text
    station.cp.stop()


# -- ChangeConfiguration -----------------------------------------------------------------------------------------------


def test_accepted_and_read_back(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    change(peer, "minimumstatusduration", "12")
    assert get(peer, "MinimumStatusDuration") == ({"MinimumStatusDuration": "12"}, [])
    assert station.keys.minimum_status_duration == 12


def test_read_only_unknown_and_reboot(sim: SimulatedRuntime, central: CentralSide) -> None:
    station = Station(sim, "")
    station.keys = MemoryOcppConfig(
        KEYS, vendor_keys=[vendor_key("VendorLimit", "5", access=Access.R), vendor_key("VendorMode", "a", reboot=True)]
    )
    station.cp = station.create()
    peer = online(station, central)
    change(peer, "NumberOfConnectors", "3", "Rejected")
    change(peer, "vendorlimit", "6", "Rejected")
    change(peer, "Nonsense", "1", "NotSupported")
    change(peer, "BlinkRepeat", "1", "NotSupported")  # of the standard, but this station has none
    change(peer, "WebSocketPingInterval", "20", "RebootRequired")
    change(peer, "VendorMode", "b", "RebootRequired")
    assert station.keys.number_of_connectors == 2
    station.cp.stop()


BAD_VALUES = {
    "AllowOfflineTxForUnknownId": ("", "1", "yes", "truee"),
    "AuthorizationCacheEnabled": ("on",),
    "ClockAlignedDataInterval": ("-1", "1.5", "abc", "", "99999999999999"),
    "ConnectionTimeOut": ("-30",),
    "ConnectorPhaseRotation": ("1.XYZ", "RST", "3.RST"),
    "HeartbeatInterval": ("-1", "ten", " 5", "+5", "1e3"),
    "LightIntensity": ("101", "-1"),
    "MeterValuesSampledData": ("Nonsense", f"{ENERGY},", "energy.active.import.register"),
    "MeterValueSampleInterval": ("-1",),
    "MinimumStatusDuration": ("-1",),
    "StopTxnAlignedData": ("SoC;Voltage",),
    "TransactionMessageAttempts": ("-1", "x"),
    "TransactionMessageRetryInterval": ("-1",),
    "WebSocketPingInterval": ("-1",),
    "CertSigningWaitMinimum": ("-1",),
    "CertSigningRepeatTimes": ("-1",),
    "SecurityProfile": ("4", "-1", "x", ""),
    "AuthorizationKey": ("", "00", "0" * 30, "0" * 33, "0" * 42, "xyz" * 11, "0" * 39),
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in BAD_VALUES.items() for value in values])
def test_unusable_values_are_rejected_whatever_the_application_checks(
    sim: SimulatedRuntime, central: CentralSide, key: str, value: str
) -> None:
    station = plain(sim, {key: "0" if key == "SecurityProfile" else ""})
    peer = online(station, central)
    change(peer, key, value, "Rejected")
    assert (key, value) not in station.keys.changes  # type: ignore[attr-defined]
    station.cp.stop()


def test_booleans_have_no_case_and_lists_have_a_length(sim: SimulatedRuntime, central: CentralSide) -> None:
    station = plain(sim, {"MeterValuesSampledData": "", "MeterValuesSampledDataMaxLength": "2"})
    peer = online(station, central)
    change(peer, "LocalPreAuthorize", "TRUE")
    assert station.keys.local_pre_authorize is True
    change(peer, "MeterValuesSampledData", f"{ENERGY}, Voltage.L1")
    change(peer, "MeterValuesSampledData", f"{ENERGY},Voltage,SoC", "Rejected")
    change(peer, "MeterValuesSampledData", "")
    station.cp.stop()


@pytest.mark.parametrize("status", [ConfigurationStatus.Rejected, ConfigurationStatus.RebootRequired])
def test_who_watches_a_key_hears_of_accepted_changes_only(
    sim: SimulatedRuntime, central: CentralSide, status: ConfigurationStatus
) -> None:
    station = plain(sim)
    peer = online(station, central)
    verdicts = [status, ConfigurationStatus.Accepted]

    def decide(key: str, value: str) -> ConfigurationStatus:
        station.keys.values[key] = value  # type: ignore[attr-defined]
        return verdicts.pop(0)

    station.keys.set_configuration = decide  # type: ignore[method-assign]
    change(peer, "HeartbeatInterval", "10", status.value)
    peer.expect_nothing(1000.0)  # the heartbeats go on as they were armed
    change(peer, "HeartbeatInterval", "10")
    peer.expect_call("Heartbeat", timeout=11.0)
    station.cp.stop()


def test_a_bug_of_the_application_is_an_internal_error(sim: SimulatedRuntime, central: CentralSide) -> None:
    station = plain(sim)
    peer = online(station, central)

    def fail(key: str, value: str) -> ConfigurationStatus:
        raise OSError("read-only file system")

    station.keys.set_configuration = fail  # type: ignore[method-assign]
    peer.call("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "10"}).error("InternalError")
    assert get(peer, "HeartbeatInterval")[0] == {"HeartbeatInterval": "3600"}
    station.cp.stop()


def test_limits_of_the_message(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    for request in ({"key": "k" * 51, "value": "1"}, {"key": "HeartbeatInterval", "value": "1" * 501}):
        peer.call("ChangeConfiguration", request).error("PropertyConstraintViolation")


# -- AuthorizationKey and SecurityProfile ------------------------------------------------------------------------------


def test_a_new_authorization_key_is_used_a_second_later_and_never_shown(
    station: Station, central: CentralSide, sim: SimulatedRuntime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    peer = online(station, central)
    sim.sleep(1.0)
    change(peer, "AuthorizationKey", SECRET)
    changed = sim.clock.now()
    peer.expect_nothing(0.9)
    peer.expect_closed(1000)
    assert sim.clock.now() == pytest.approx(changed + 1.0, abs=0.1)
    peer = central.accept()
    authorization = central.server.handshakes[-1].authorization
    assert authorization is not None
    assert get(peer, "AuthorizationKey")[0] == {"AuthorizationKey": None}
    said = "".join(record.getMessage() for record in caplog.records if record.name.startswith("openocpp"))
    assert SECRET.lower() not in said.lower()


def test_keys_that_are_changed_together_need_one_reconnection(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    peer = online(station, central)
    change(peer, "AuthorizationKey", SECRET)
    sim.sleep(0.5)
    change(peer, "AuthorizationKey", SECRET[::-1])
    change(peer, "SecurityProfile", "1")
    peer.expect_closed(1000)
    peer = central.accept()
    peer.expect_nothing(100.0)
    assert len(central.server.handshakes) == 2


def test_the_shortest_authorization_key_is_a_setting(sim: SimulatedRuntime, central: CentralSide) -> None:
    station = plain(sim)
    station.settings["authorization_key_min_bytes"] = 8
    station.cp = station.create()
    peer = online(station, central)
    change(peer, "AuthorizationKey", "00" * 7, "Rejected")
    change(peer, "AuthorizationKey", "00" * 8)
    station.cp.stop()


@pytest.mark.parametrize(
    ("key", "profile", "status"),
    [
        ("", "1", "Rejected"),
        ("00" * 15, "1", "Rejected"),
        (SECRET, "1", "Accepted"),
        (SECRET, "0", "Rejected"),
    ],
)
def test_what_security_profile_1_needs(
    sim: SimulatedRuntime, central: CentralSide, key: str, profile: str, status: str
) -> None:
    station = plain(sim, {"AuthorizationKey": key})
    peer = online(station, central)
    change(peer, "SecurityProfile", profile, status)
    if status == "Accepted":
        peer.expect_closed(1000)
        peer = central.accept()
        change(peer, "SecurityProfile", "1", "Rejected")  # it can only be raised
        change(peer, "SecurityProfile", "0", "Rejected")
    else:
        peer.expect_nothing(10.0)
    station.cp.stop()


# -- seen without a restart --------------------------------------------------------------------------------------------


def test_keys_of_authorization_work_at_once(station: Station, central: CentralSide, sim: SimulatedRuntime) -> None:
    peer = online(station, central)
    accepted = {"idTagInfo": {"status": "Accepted"}}
    peer.answers["Authorize"] = accepted
    assert station.cp.authorize(1, "TAG").status is AuthorizationStatus.Accepted
    asked = len(peer.texts)
    change(peer, "LocalPreAuthorize", "true")
    assert station.cp.authorize(1, "TAG").status is AuthorizationStatus.Accepted
    assert len(peer.texts) == asked + 1  # the answer to ChangeConfiguration: nobody was asked
    change(peer, "AuthorizationCacheEnabled", "false")
    peer.call("ClearCache").result({"status": "Rejected"})
    change(peer, "AuthorizationCacheEnabled", "true")
    for key in ("LocalAuthorizeOffline", "AllowOfflineTxForUnknownId"):
        change(peer, key, "false")
    sim.network.refuse()
    peer.abort()
    sim.sleep(5.0)
    assert station.cp.authorize(1, "TAG").status is AuthorizationStatus.Invalid
    assert station.cp.authorize(1, "OTHER").status is AuthorizationStatus.Invalid
    station.keys.set_configuration("LocalAuthorizeOffline", "true")
    assert station.cp.authorize(1, "TAG").status is AuthorizationStatus.Accepted
    station.keys.set_configuration("AllowOfflineTxForUnknownId", "true")
    assert station.cp.authorize(1, "OTHER").status is AuthorizationStatus.Accepted


def test_the_local_list_can_be_switched_off(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    entry = {"idTag": "LISTED", "idTagInfo": {"status": "Blocked"}}
    update = {"listVersion": 1, "localAuthorizationList": [entry], "updateType": "Full"}
    peer.call("SendLocalList", update).result({"status": "Accepted"})
    change(peer, "LocalPreAuthorize", "true")
    peer.answers["Authorize"] = {"idTagInfo": {"status": "Accepted"}}
    assert station.cp.authorize(1, "LISTED").status is AuthorizationStatus.Blocked
    change(peer, "LocalAuthListEnabled", "false")
    assert station.cp.authorize(1, "LISTED").status is AuthorizationStatus.Accepted


def test_keys_of_meter_values_work_at_once(sim: SimulatedRuntime, central: CentralSide) -> None:
    station = plain(
        sim,
        dict.fromkeys(
            ("MeterValuesSampledData", "MeterValuesAlignedData", "StopTxnSampledData", "StopTxnAlignedData"), ""
        ),
    )
    station.handler.values = lambda connector, measurand, phase: [SampledValue(value="1", measurand=measurand)]
    peer = online(station, central)
    peer.answers["StartTransaction"] = {"transactionId": 7, "idTagInfo": {"status": "Accepted"}}
    assert station.cp.start_transaction(1, "TAG") is AuthorizationStatus.Accepted
    peer.expect_nothing(1000.0)
    change(peer, "MeterValuesSampledData", "SoC")
    change(peer, "MeterValueSampleInterval", "10")
    sample = {"sampledValue": [{"measurand": "SoC", "context": "Sample.Periodic"}]}
    peer.expect_call("MeterValues", {"connectorId": 1, "meterValue": [sample]}, timeout=11.0).answer()
    change(peer, "MeterValuesSampledData", "Voltage")
    sample = {"sampledValue": [{"measurand": "Voltage"}]}
    peer.expect_call("MeterValues", {"meterValue": [sample]}, timeout=11.0).answer()
    change(peer, "MeterValueSampleInterval", "0")
    peer.expect_nothing(1000.0)
    change(peer, "MeterValuesAlignedData", "SoC")
    change(peer, "ClockAlignedDataInterval", "900")
    sample = {"sampledValue": [{"measurand": "SoC", "context": "Sample.Clock"}]}
    for number in range(3):
        peer.expect_call("MeterValues", {"connectorId": number, "meterValue": [sample]}, timeout=901.0).answer()
    change(peer, "ClockAlignedDataInterval", "0")
    peer.expect_nothing(3000.0)
    change(peer, "StopTxnSampledData", "Voltage")
    user = sim.user(lambda: station.cp.stop_transaction(1))
    stop = peer.expect_call("StopTransaction")
    measured = {sample["measurand"] for value in stop.payload["transactionData"] for sample in value["sampledValue"]}
    assert measured == {Measurand.Voltage.value}
    stop.answer()
    assert user.result()
    station.cp.stop()


def test_keys_of_transactions_work_at_once(station: Station, central: CentralSide, sim: SimulatedRuntime) -> None:
    peer = online(station, central)
    change(peer, "TransactionMessageAttempts", "2")
    change(peer, "TransactionMessageRetryInterval", "7")
    change(peer, "StopTransactionOnInvalidId", "false")
    user = sim.user(lambda: station.cp.start_transaction(1, "TAG"))
    peer.expect_call("StartTransaction").refuse("InternalError")
    assert user.result() is AuthorizationStatus.Accepted
    peer.expect_nothing(6.5)
    peer.expect_call("StartTransaction", timeout=1.0).answer({"transactionId": 7, "idTagInfo": {"status": "Invalid"}})
    peer.expect_nothing(100.0)  # it is not stopped
    assert station.handler.of("transaction_de_authorized") == [(1,)]
    assert station.cp.transaction_id(1) == 7


def test_the_ping_interval_works_with_the_next_connection(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    peer = online(station, central)
    sim.sleep(1.0)
    change(peer, "WebSocketPingInterval", "10", "RebootRequired")
    station.cp.reconnect()
    central.accept()
    sim.sleep(1.0)
    began = sim.clock.now()
    sim.network.drop()
    sim.run_until(lambda: not station.cp.is_connected, 60.0)
    assert sim.clock.now() - began == pytest.approx(20.0, abs=1.0)


def test_the_message_timeout_of_the_station_wins_over_the_setting(sim: SimulatedRuntime, central: CentralSide) -> None:
    station = plain(sim, {"MessageTimeout": "9"})
    peer = online(station, central)
    began = sim.clock.now()
    user = sim.user(lambda: station.cp.data_transfer("vendor"))
    peer.expect_call("DataTransfer")
    assert user.result() is None
    assert sim.clock.now() - began == pytest.approx(9.0, abs=0.1)
    change(peer, "MessageTimeout", "1")
    began = sim.clock.now()
    user = sim.user(lambda: station.cp.data_transfer("vendor"))
    peer.expect_call("DataTransfer")
    assert user.result() is None
    assert sim.clock.now() - began == pytest.approx(1.0, abs=0.1)
    station.cp.stop()


def test_settings_objects_that_call_the_facade_are_told_at_once(
    sim: SimulatedRuntime, central: CentralSide, caplog: pytest.LogCaptureFixture
) -> None:
    station = plain(sim)
    peer = online(station, central)

    def ask_back(key: str, value: str) -> ConfigurationStatus:
        station.cp.get_connector_status(1)
        return ConfigurationStatus.Accepted

    station.keys.set_configuration = ask_back  # type: ignore[method-assign]
    peer.call("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "10"}).error("InternalError")
    assert "called from a place that must return at once" in caplog.text
    assert station.cp.get_connector_status(1).value == "Available"
    station.cp.stop()


# -- kept in a file ----------------------------------------------------------------------------------------------------

INI = """# the station
[ChargePoint]
ConnexionUrl=ws://localhost:8080/ocpp
ChargePointIdentifier=CP1

[Ocpp]
# seconds
HeartbeatInterval=3600
NumberOfConnectors=2
MinimumStatusDuration=0
"""


def test_changes_are_written_back_to_the_file_and_nothing_else(
    sim: SimulatedRuntime, central: CentralSide, tmp_path: Path
) -> None:
    path = tmp_path / "station.ini"
    path.write_text(INI, encoding="utf-8")
    station = Station(sim, "")
    station.keys = IniConfig(path).ocpp  # type: ignore[assignment]
    station.cp = station.create()
    peer = online(station, central, interval=3600)
    change(peer, "minimumstatusduration", "5")
    assert path.read_text(encoding="utf-8") == INI.replace("MinimumStatusDuration=0", "MinimumStatusDuration=5")
    assert IniConfig(path).ocpp.minimum_status_duration == 5
    assert peer.call("GetConfiguration", {"key": ["MinimumStatusDuration"]}).result(
        {"configurationKey": [{"value": "5"}], "unknownKey": ABSENT}
    )
    station.cp.stop()
