"""Tests of openocpp.rpc.listening: every setting of a listening role reaches its server."""

from __future__ import annotations

from typing import Any

import pytest

from openocpp.config import CentralSystemConfig
from openocpp.errors import ConfigError
from openocpp.rpc.listening import server_settings


def read(**changes: Any) -> Any:
    settings: dict[str, Any] = {"listen_url": "wss://host:9000/ocpp"} | changes
    certificates: dict[str, Any] = {"tls_server_certificate": "c.pem", "tls_server_certificate_private_key": "k.pem"}
    config = CentralSystemConfig(**(certificates | settings))
    return server_settings(lambda name: getattr(config, name))


@pytest.mark.parametrize(
    ("setting", "value", "place"),
    [
        ("web_socket_ping_interval", 7.0, "listen.ping_interval"),
        ("http_basic_authent", True, "listen.basic_authentication"),
        ("handshake_timeout", 3.0, "listen.handshake_timeout"),
        ("max_handshakes", 5, "listen.max_handshakes"),
        ("max_handshakes_per_address", 4, "listen.max_handshakes_per_address"),
        ("max_connections_per_address", 9, "listen.max_connections_per_address"),
        ("authentication_failures_per_minute", 2, "listen.failures_per_minute"),
        ("accept_without_subprotocol", True, "listen.accept_without_subprotocol"),
        ("max_message_size", 5000, "listen.limits.max_message"),
        ("max_output_buffer", 6000, "listen.limits.max_output"),
        ("duplicate_connection", "oldest", "duplicates"),
        ("max_queued_calls", 8, "max_queued"),
        ("tlsv12_cipher_list", "A", "listen.tls.tls12_ciphers"),
        ("tlsv13_cipher_list", "B", "listen.tls.tls13_ciphers"),
        ("tls_ecdh_curve", "prime256v1", "listen.tls.groups"),
        ("tls_groups", "X25519", "listen.tls.groups"),
        ("tls_server_certificate_ca", "ca.pem", "listen.tls.ca"),
        ("tls_server_certificate", "x.pem", "listen.tls.certificate"),
        ("tls_server_certificate_private_key", "y.pem", "listen.tls.private_key"),
        ("tls_server_certificate_private_key_passphrase", "z", "listen.tls.passphrase"),
    ],
)
def test_each_setting_has_its_place(setting: str, value: Any, place: str) -> None:
    found: Any = read(**{setting: value})
    for part in place.split("."):
        found = getattr(found, part)
    assert found == value


def test_client_certificates_are_asked_for() -> None:
    settings = read(tls_client_certificate_authent=True, tls_server_certificate_ca="ca.pem")
    assert settings.listen.tls.require_client_certificate


def test_the_url_is_read_and_decides_about_tls() -> None:
    assert (read().listen.url.address, read().listen.url.tcp_port) == ("host", 9000)
    assert read(listen_url="ws://*:0/").listen.tls is None


@pytest.mark.parametrize("url", ["", "host", "http://host/", "ws://host:99999/"])
def test_what_is_no_address_to_listen_on(url: str) -> None:
    values: dict[str, Any] = {"listen_url": url}
    with pytest.raises(ConfigError, match="ListenUrl"):
        server_settings(lambda name: values.get(name, 0))
