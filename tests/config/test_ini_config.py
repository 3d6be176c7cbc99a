"""Everything in one INI file: roles, keys, what is written back, and the errors that name file and key."""

from __future__ import annotations

import errno
import logging
import os
import re
import stat
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.config.ini_config import IniConfig
from openocpp.config.ocpp import vendor_key
from openocpp.config.values import one_of
from openocpp.errors import ConfigError
from openocpp.types import ConfigurationStatus, Measurand

if TYPE_CHECKING:
    from pathlib import Path

KEY = "00112233445566778899aabbccddeeff"

# A file as it is written for the C++ library.
STATION = """\
# Station 12
[ChargePoint]
DatabasePath=./station.db
JsonSchemasPath=../schemas/
ConnexionUrl=wss://127.0.0.1:8080/openocpp/
Tlsv12CipherList=ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384
Tlsv13CipherList=TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384
TlsServerCertificateCa=/etc/ca.crt
TlsClientCertificate=certificates/cp.crt
TlsClientCertificatePrivateKey=certificates/cp.key
TlsClientCertificatePrivateKeyPassphrase=a = phrase # with signs
TlsSkipServerNameCheck=false
ChargePointIdentifier=ChargePointTest
ConnectionTimeout=2500
RetryInterval=1000
CallRequestTimeout=2000
ChargePointModel=Open OCPP CP
FirmwareVersion=0.1
Iccid=
OperatingVoltage=230
MessageValidation=*:strict,StatusNotification:log

[Ocpp]
# how many
NumberOfConnectors=2
HeartbeatInterval=15
WebSocketPingInterval=10
AuthorizationCacheEnabled=true
AuthorizationKey=
SecurityProfile=0
MeterValuesSampledData=Current.Import,Energy.Active.Import.Register
Iso15118PnCEnabled=false

[Simulator]
Speed=fast
"""

SERVER = """\
[CentralSystem]
DatabasePath=
ListenUrl=ws://127.0.0.1:8080/openocpp/
WebSocketPingInterval=30
HttpBasicAuthent=true
Iso15118PnCEnabled=true
HandshakeTimeout=5000
[LocalController]
ListenUrl=ws://127.0.0.1:8081/openocpp/
ConnexionUrl=ws://127.0.0.1:8080/openocpp/
IncomingRequestsFromCsThreadPoolSize=10
DisconnectFromCpWhenCsDisconnected=false
"""


@pytest.fixture(name="path")
def station_path(tmp_path: Path) -> Path:
    path = tmp_path / "station.ini"
    path.write_text(STATION)
    return path


def test_the_section_of_a_charge_point(path: Path) -> None:
    config = IniConfig(path).charge_point
    folder = path.parent
    assert config.database_path == str(folder / "station.db")
    assert config.json_schemas_path == str(folder / "../schemas")
    assert config.tls_server_certificate_ca == "/etc/ca.crt"
    assert config.tls_client_certificate == str(folder / "certificates/cp.crt")
    assert config.tls_client_certificate_private_key_passphrase == "a = phrase # with signs"
    assert config.connection_timeout == 2.5
    assert config.retry_interval == 1.0
    assert config.operating_voltage == 230.0
    assert config.tls_skip_server_name_check is False
    assert config.iccid == ""
    assert config.message_validation == {"*": "strict", "StatusNotification": "log"}
    assert config.retry_interval_max == 60.0
    assert type(config.charge_point_model) is str


def test_the_sections_of_servers(tmp_path: Path) -> None:
    path = tmp_path / "server.ini"
    path.write_text(SERVER)
    config = IniConfig(path)
    assert config.central_system.database_path == ""
    assert config.central_system.http_basic_authent is True
    assert config.central_system.iso15118_pnc_enabled is True
    assert config.central_system.handshake_timeout == 5.0
    assert config.central_system.heartbeat_interval == 3600
    assert config.local_controller.connexion_url == "ws://127.0.0.1:8080/openocpp/"
    assert config.local_controller.incoming_requests_from_cs_thread_pool_size == 10
    assert config.local_controller.disconnect_from_cp_when_cs_disconnected is False
    assert config.local_controller.heartbeat_interval == 0


def test_a_role_reads_its_section_once(path: Path) -> None:
    config = IniConfig(path)
    assert config.charge_point is config.charge_point
    assert config.ocpp is config.ocpp
    assert config.ini.get("Simulator", "Speed") == "fast"


def test_the_keys_of_the_standard(path: Path) -> None:
    ocpp = IniConfig(path).ocpp
    assert ocpp.number_of_connectors == 2
    assert ocpp.heartbeat_interval == 15
    assert ocpp.authorization_cache_enabled is True
    assert ocpp.iso15118_pnc_enabled is False
    assert ocpp.reset_retries == 0
    values, unknown = ocpp.get_configuration(
        [
            "ISO15118PnCEnabled",
            "LightIntensity",
            "connexionurl",
            "ChargePointIdentifier",
            "FirmwareVersion",
            "ResetRetries",
        ]
    )
    assert [(value.key, value.readonly, value.value) for value in values] == [
        ("ISO15118PnCEnabled", False, "false"),
        ("ConnexionUrl", False, "wss://127.0.0.1:8080/openocpp/"),
        ("ChargePointIdentifier", False, "ChargePointTest"),
        ("FirmwareVersion", True, "0.1"),
        ("ResetRetries", False, "0"),
    ]
    assert unknown == ["LightIntensity"]
    everything = [value.key for value in ocpp.get_configuration([]).values]
    assert everything == sorted(everything, key=str.lower)
    assert {"ConnexionUrl", "AuthorizationKey"} <= set(everything)


@pytest.mark.parametrize(
    ("key", "value", "status", "line"),
    [
        ("HeartbeatInterval", "30", "Accepted", "HeartbeatInterval=15 -> HeartbeatInterval=30"),
        ("heartbeatinterval", "30", "Accepted", "HeartbeatInterval=15 -> HeartbeatInterval=30"),
        ("ISO15118PnCEnabled", "true", "Accepted", "Iso15118PnCEnabled=false -> Iso15118PnCEnabled=true"),
        ("WebSocketPingInterval", "0", "RebootRequired", "WebSocketPingInterval=10 -> WebSocketPingInterval=0"),
        ("MeterValuesSampledData", "", "Accepted", "Current.Import,Energy.Active.Import.Register -> "),
        ("AuthorizationKey", KEY, "Accepted", f"AuthorizationKey= -> AuthorizationKey={KEY}"),
        ("ConnexionUrl", "ws://host/", "RebootRequired", "wss://127.0.0.1:8080/openocpp/ -> ws://host/"),
        ("ChargePointIdentifier", "X", "RebootRequired", "ChargePointTest -> X"),
        ("ResetRetries", "2", "Accepted", "Iso15118PnCEnabled=false\n -> Iso15118PnCEnabled=false\nResetRetries=2\n"),
        ("HeartbeatInterval", "15", "Accepted", ""),
        ("FirmwareVersion", "2", "Rejected", ""),
        ("NumberOfConnectors", "3", "Rejected", ""),
        ("ConnexionUrl", "http://host/", "Rejected", ""),
        ("ChargePointIdentifier", "", "Rejected", ""),
        ("WebSocketPingInterval", "-1", "Rejected", ""),
        ("CpoName", "A\nB", "NotSupported", ""),
        ("LightIntensity", "1", "NotSupported", ""),
    ],
)
def test_a_change_is_written_back_and_nothing_else(path: Path, key: str, value: str, status: str, line: str) -> None:
    ocpp = IniConfig(path).ocpp
    assert ocpp.set_configuration(key, value) is ConfigurationStatus(status)
    if line:
        old, new = line.split(" -> ")
        assert path.read_text() == STATION.replace(old, new)
        assert [told.value for told in IniConfig(path).ocpp.get_configuration([key]).values] == [value]
    else:
        assert path.read_text() == STATION


def test_a_value_that_no_file_can_hold_is_refused(path: Path) -> None:
    path.write_text(STATION.replace("[Ocpp]\n", "[Ocpp]\nCpoName=ACME\n"))
    ocpp = IniConfig(path).ocpp
    assert ocpp.set_configuration("CpoName", "A\nHeartbeatInterval=1") is ConfigurationStatus.Rejected
    assert ocpp.cpo_name == "ACME"


def test_what_the_stack_sets_is_kept(path: Path) -> None:
    IniConfig(path).ocpp.heartbeat_interval = 120
    assert IniConfig(path).ocpp.heartbeat_interval == 120


def test_nothing_is_written_when_nothing_changes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ocpp = IniConfig(path).ocpp

    def refuse(*_arguments: Any) -> None:
        raise AssertionError("a write")

    monkeypatch.setattr(os, "replace", refuse)
    assert ocpp.set_configuration("HeartbeatInterval", "15") is ConfigurationStatus.Accepted


def test_a_new_url_reaches_the_charge_points_settings(path: Path) -> None:
    config = IniConfig(path)
    charge_point = config.charge_point
    config.ocpp.set_configuration("ConnexionUrl", "ws://other:81/")
    config.ocpp.set_configuration("ChargePointIdentifier", "Other")
    assert (charge_point.connexion_url, charge_point.charge_point_identifier) == ("ws://other:81/", "Other")
    assert IniConfig(path).charge_point == charge_point


def test_a_written_file_is_its_owners_alone(path: Path) -> None:
    path.chmod(0o644)
    IniConfig(path).ocpp.set_configuration("AuthorizationKey", KEY)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_full_disk_refuses_the_change(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    config = IniConfig(path)
    monkeypatch.setattr(os, "fsync", full)
    with caplog.at_level(logging.ERROR, "openocpp.config"):
        assert config.ocpp.set_configuration("AuthorizationKey", KEY) is ConfigurationStatus.Rejected
        assert config.ocpp.set_configuration("ConnexionUrl", "ws://other/") is ConfigurationStatus.Rejected
    assert "AuthorizationKey is not changed" in caplog.text
    assert "No space left" in caplog.text
    assert KEY not in caplog.text
    assert config.ocpp.authorization_key == ""
    assert config.charge_point.connexion_url == "wss://127.0.0.1:8080/openocpp/"
    assert path.read_text() == STATION


def test_measurands_that_the_station_has(path: Path) -> None:
    ocpp = IniConfig(path, measurands=[Measurand.CurrentImport, Measurand.EnergyActiveImportRegister]).ocpp
    assert ocpp.set_configuration("MeterValuesSampledData", "SoC") is ConfigurationStatus.Rejected
    assert ocpp.set_configuration("MeterValuesSampledData", "Current.Import.L1") is ConfigurationStatus.Accepted


def test_the_shortest_authorization_key_is_a_setting(path: Path) -> None:
    path.write_text(STATION.replace("[Ocpp]", "AuthorizationKeyMinBytes=8\n[Ocpp]"))
    assert IniConfig(path).ocpp.set_configuration("AuthorizationKey", "00" * 8) is ConfigurationStatus.Accepted


def test_keys_of_the_vendor_are_declared(path: Path) -> None:
    path.write_text(STATION.replace("[Ocpp]\n", "[Ocpp]\nAcme.Mode=fast\n"))
    with pytest.raises(ConfigError, match=r"station\.ini: Acme\.Mode: no such configuration key"):
        _ = IniConfig(path).ocpp
    ocpp = IniConfig(path, vendor_keys=[vendor_key("Acme.Mode", "eco", kind=one_of("eco", "fast"))]).ocpp
    assert ocpp.set_configuration("ACME.MODE", "eco") is ConfigurationStatus.Accepted
    assert ocpp.set_configuration("ACME.MODE", "slow") is ConfigurationStatus.Rejected
    assert "\nAcme.Mode=eco\n" in path.read_text()


def test_keys_alone_without_a_charge_points_section(tmp_path: Path) -> None:
    path = tmp_path / "keys.ini"
    path.write_text("[Ocpp]\nNumberOfConnectors=3\n")
    config = IniConfig(path)
    assert config.ocpp.number_of_connectors == 3
    assert config.ocpp.get_configuration(["ConnexionUrl"]).unknown == ["ConnexionUrl"]
    with pytest.raises(ConfigError, match=r"keys\.ini: \[ChargePoint\]: no such section"):
        _ = config.charge_point
    empty = tmp_path / "empty.ini"
    empty.write_text("")
    assert IniConfig(empty).ocpp.set_configuration("ResetRetries", "1") is ConfigurationStatus.Accepted
    assert empty.read_text() == "[Ocpp]\nResetRetries=1\n"


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (
            "RetryInterval=",
            "RetryIntervall=",
            "RetryIntervall: no such setting in [ChargePoint]; did you mean RetryInterval?",
        ),
        (
            "RetryInterval=",
            " RetryInterval=",
            " RetryInterval: no such setting in [ChargePoint]; did you mean RetryInterval?",
        ),
        ("RetryInterval=1000", "RetryInterval=1s", "RetryInterval: '1s': not a whole number from 0"),
        ("ConnexionUrl=wss:", "ConnexionUrl=http:", "ConnexionUrl: 'http://127.0.0.1:8080/openocpp/': not a URL"),
        ("ChargePointIdentifier=ChargePointTest\n", "", "ChargePointIdentifier: missing in [ChargePoint]"),
        ("TlsSkipServerNameCheck=false", "TlsSkipServerNameCheck=no", "(accepted: true or false)"),
        ("MessageValidation=*:strict", "MessageValidation=*:strikt", "'strikt' is no mode"),
        ("TlsClientCertificatePrivateKey=certificates/cp.key\n", "", "TlsClientCertificatePrivateKey: missing beside"),
        ("HeartbeatInterval=15", "HartbeatInterval=15", "no such configuration key; did you mean HeartbeatInterval?"),
        ("HeartbeatInterval=15", "HeartbeatInterval=-15", "HeartbeatInterval: '-15': out of range"),
        (
            "HeartbeatInterval=15",
            "HeartbeatInterval=1\nheartbeatINTERVAL=2",
            "heartbeatINTERVAL: stands twice in [Ocpp]",
        ),
        (
            "HeartbeatInterval=15",
            "ConnexionUrl=ws://host/",
            "ConnexionUrl: stands in [Ocpp] (accepted: in [ChargePoint] only)",
        ),
        ("Current.Import,", "Current.Imports,", "'Current.Imports', is no measurand"),
        ("AuthorizationKey=", "AuthorizationKey=5ec2e7", "AuthorizationKey: shorter than 16 bytes"),
        ("SecurityProfile=0", "SecurityProfile=7", "(accepted: a whole number from 0 to 3)"),
    ],
)
def test_errors_name_file_key_and_what_is_accepted(path: Path, old: str, new: str, error: str) -> None:
    path.write_text(STATION.replace(old, new, 1))
    with pytest.raises(ConfigError, match=re.escape(error)) as caught:
        _ = IniConfig(path).ocpp
    assert caught.value.source == str(path)
    assert "5ec2e7" not in str(caught.value)


def test_a_file_that_is_no_ini_file_is_an_error_at_once(path: Path) -> None:
    path.write_text("ConnexionUrl=ws://host/\n")
    with pytest.raises(ConfigError, match="line 1: parameter 'ConnexionUrl' before any section"):
        IniConfig(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        IniConfig(path.with_name("nothing.ini"))


def test_reprs_show_no_secrets(path: Path) -> None:
    path.write_text(STATION.replace("AuthorizationKey=", f"AuthorizationKey={KEY}"))
    config = IniConfig(path)
    shown = f"{config!r} {config.ocpp!r} {config.charge_point!r} {config.ini!r}"
    assert KEY not in shown
    assert "a = phrase" not in shown
