"""The settings of the roles: names, defaults, what is refused before a role is made."""

from __future__ import annotations

import dataclasses
import re
from types import SimpleNamespace
from typing import Any, cast

import pytest

from openocpp.config.setting import settings_of
from openocpp.config.stack import (
    CentralSystemConfig,
    ChargePointConfig,
    LocalControllerConfig,
    check_central_system_config,
    check_charge_point_config,
    check_local_controller_config,
    setting,
)
from openocpp.errors import ConfigError

CHARGE_POINT = ChargePointConfig(connexion_url="ws://127.0.0.1:8080/openocpp/", charge_point_identifier="CP")
CENTRAL_SYSTEM = CentralSystemConfig(listen_url="ws://127.0.0.1:8080/openocpp/")
LOCAL_CONTROLLER = LocalControllerConfig(listen_url="ws://127.0.0.1:8080/openocpp/")
TLS = {
    "listen_url": "wss://*:443/",
    "tls_server_certificate": "cs.crt",
    "tls_server_certificate_private_key": "cs.key",
    "tls_server_certificate_ca": "ca.crt",
    "tls_client_certificate_authent": True,
}


@pytest.mark.parametrize("role", [ChargePointConfig, CentralSystemConfig, LocalControllerConfig])
def test_the_attribute_is_the_key_in_snake_case(role: type) -> None:
    for known in settings_of(role).values():
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", known.key).lower()
        assert known.attribute == snake.replace("iso15118_pn_cenabled", "iso15118_pnc_enabled")
        assert known.meaning


@pytest.mark.parametrize("role", [ChargePointConfig, CentralSystemConfig, LocalControllerConfig])
def test_every_default_is_usable(role: type) -> None:
    for known in settings_of(role).values():
        if not known.required:
            known.check(known.default, "")


def test_defaults_that_are_documented() -> None:
    assert CHARGE_POINT.call_request_timeout == 2.0
    assert CHARGE_POINT.retry_interval == 1.0
    assert CHARGE_POINT.retry_interval_max == 60.0
    assert CHARGE_POINT.message_validation == {"*": "strict"}
    assert CHARGE_POINT.authorization_key_min_bytes == 16
    assert CENTRAL_SYSTEM.heartbeat_interval == 3600
    assert CENTRAL_SYSTEM.incoming_requests_from_cp_thread_pool_size == 16
    assert CENTRAL_SYSTEM.duplicate_connection == "newest"
    assert (LOCAL_CONTROLLER.heartbeat_interval, LOCAL_CONTROLLER.boot_notification_retry_interval) == (0, 0)
    assert LOCAL_CONTROLLER.disconnect_from_cp_when_cs_disconnected is True


def test_the_defaults_pass_the_checks() -> None:
    check_charge_point_config(CHARGE_POINT)
    check_central_system_config(CENTRAL_SYSTEM)
    check_local_controller_config(LOCAL_CONTROLLER)


def test_a_config_is_frozen_and_keyword_only() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(CHARGE_POINT, "retry_interval", 2.0)  # noqa: B010 - mypy refuses the assignment
    anything: Any = ChargePointConfig
    with pytest.raises(TypeError):
        anything("ws://host", "CP")
    with pytest.raises(TypeError, match="charge_point_identifier"):
        anything(connexion_url="ws://host")


def test_a_repr_shows_no_secret() -> None:
    config = dataclasses.replace(
        CHARGE_POINT, tls_client_certificate_private_key_passphrase="hush", proxy_url="http://me:hush@proxy:3128"
    )
    server = dataclasses.replace(LOCAL_CONTROLLER, tls_server_certificate_private_key_passphrase="hush")
    assert "hush" not in repr(config) + repr(server)


@pytest.mark.parametrize(
    ("attribute", "value", "error"),
    [
        ("connexion_url", "http://host/", "ConnexionUrl: 'http://host/': not a URL of this form"),
        ("connexion_url", "wss://me:hush@host:0/", "ConnexionUrl: 'wss://me:***@host:0/': no such port"),
        ("charge_point_identifier", "", "ChargePointIdentifier: '': empty"),
        ("charge_point_vendor", "", "ChargePointVendor: '': empty"),
        ("call_request_timeout", 0, "CallRequestTimeout: 0: nothing would be in time (accepted: seconds above 0)"),
        ("connection_timeout", -1, "ConnectionTimeout: -1: out of range"),
        ("retry_interval", "1", "RetryInterval: '1': not a number of seconds"),
        ("client_certificate_request_hash_type", "md5", "(accepted: sha256, sha384, sha512)"),
        ("client_certificate_request_key_type", "dsa", "(accepted: ec, rsa)"),
        ("client_certificate_request_rsa_key_length", 1024, "(accepted: a whole number from 2048 to 16384)"),
        ("client_certificate_request_ec_curve", "P-256", "(accepted: prime256v1, "),
        ("client_certificate_request_subject_country", "France", "a country code of two letters"),
        ("tls_client_certificate", "cp.crt", "TlsClientCertificatePrivateKey: missing beside TlsClientCertificate"),
        ("tls_client_certificate_private_key", "cp.key", "TlsClientCertificate: missing beside"),
        ("message_validation", {"*": "never"}, "MessageValidation: {'*': 'never'}: 'never' is no mode"),
        ("certificate_signed_trust", "any", "(accepted: installed, self_contained)"),
        ("authorization_key_min_bytes", 21, "AuthorizationKeyMinBytes: 21: out of range"),
        ("proxy_url", "socks://me:hush@host", "ProxyUrl: not a URL of this form (accepted: http://"),
    ],
)
def test_what_a_charge_point_refuses(attribute: str, value: Any, error: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(error)) as caught:
        check_charge_point_config(dataclasses.replace(CHARGE_POINT, **{attribute: value}), "here")
    assert caught.value.source == "here"
    assert "hush" not in str(caught.value)


def test_a_client_certificate_with_its_key_is_accepted() -> None:
    check_charge_point_config(
        dataclasses.replace(CHARGE_POINT, tls_client_certificate="cp.crt", tls_client_certificate_private_key="cp.key")
    )


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"listen_url": ""}, "ListenUrl: '': empty"),
        ({"heartbeat_interval": -1}, "HeartbeatInterval: -1: out of range"),
        ({"boot_notification_retry_interval": 1.5}, "BootNotificationRetryInterval: 1.5: not a whole number"),
        ({"incoming_requests_from_cp_thread_pool_size": 0}, "IncomingRequestsFromCpThreadPoolSize: 0"),
        (
            {"duplicate_connection": "both"},
            "DuplicateConnection: 'both': unknown (accepted: newest, oldest, application)",
        ),
        ({"tls_client_certificate_authent": True}, "TlsClientCertificateAuthent: needs TLS"),
        ({**TLS, "tls_server_certificate": ""}, "TlsServerCertificate: a ListenUrl of wss:// needs one"),
        ({**TLS, "tls_server_certificate_private_key": ""}, "TlsServerCertificatePrivateKey: missing"),
        ({**TLS, "tls_server_certificate_ca": ""}, "TlsServerCertificateCa: TlsClientCertificateAuthent needs one"),
        ({"max_handshakes": 0}, "MaxHandshakes: 0"),
        ({"handshake_timeout": 0.0}, "HandshakeTimeout: 0.0"),
    ],
)
def test_what_a_server_refuses(changes: dict[str, Any], error: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(error)):
        check_central_system_config(dataclasses.replace(CENTRAL_SYSTEM, **changes))
    with pytest.raises(ConfigError, match=re.escape(error)):
        check_local_controller_config(dataclasses.replace(LOCAL_CONTROLLER, **changes))


def test_tls_settings_that_belong_together_are_accepted() -> None:
    check_central_system_config(dataclasses.replace(CENTRAL_SYSTEM, **cast("Any", TLS)))
    without_clients = {**TLS, "tls_client_certificate_authent": False, "tls_server_certificate_ca": ""}
    check_central_system_config(dataclasses.replace(CENTRAL_SYSTEM, **cast("Any", without_clients)))


def test_what_only_a_local_controller_refuses() -> None:
    with pytest.raises(ConfigError, match="IncomingRequestsFromCsThreadPoolSize: 0"):
        check_local_controller_config(
            dataclasses.replace(LOCAL_CONTROLLER, incoming_requests_from_cs_thread_pool_size=0)
        )


def test_an_object_of_the_users_own_may_lack_the_additional_settings() -> None:
    needed = {
        known.attribute: getattr(CHARGE_POINT, known.attribute)
        for known in settings_of(ChargePointConfig).values()
        if not known.optional
    }
    own: Any = SimpleNamespace(**needed)
    check_charge_point_config(own)
    assert setting(own, "retry_interval_max") == 60.0
    assert setting(own, "max_queued_calls") == 32
    assert setting(own, "duplicate_connection") == "newest"
    own.retry_interval_max = 10.0
    assert setting(own, "retry_interval_max") == 10.0
    own.retry_interval_max = -10.0
    with pytest.raises(ConfigError, match="RetryIntervalMax"):
        check_charge_point_config(own)
    del own.charge_point_model
    with pytest.raises(ConfigError, match="ChargePointModel: SimpleNamespace has no attribute charge_point_model"):
        check_charge_point_config(own)


@pytest.mark.parametrize("attribute", ["retry_interval", "retry_intervall_max"])
def test_only_additional_settings_are_read_with_a_default(attribute: str) -> None:
    with pytest.raises(AttributeError, match=attribute):
        setting(CHARGE_POINT, attribute)
