"""Tests of openocpp.localcontroller.credentials: what a client shows, and never in a text."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import pytest

from openocpp.localcontroller.credentials import ClientCredentials
from openocpp.transport.base import TlsSettings

FULL = ClientCredentials(
    user="CP1",
    password=b"secret 1",
    tls12_cipher_list="TWELVE",
    tls13_cipher_list="THIRTEEN",
    encoded_pem_certificates=True,
    server_certificate_ca="CA",
    client_certificate="CERTIFICATE",
    client_certificate_private_key="secret 2",
    client_certificate_private_key_passphrase="secret 3",
    allow_selfsigned_certificates=True,
    allow_expired_certificates=True,
    accept_untrusted_certificates=True,
    skip_server_name_check=True,
    server_name="central",
)


def test_by_default_nothing_is_shown_and_nothing_forgiven() -> None:
    assert ClientCredentials().tls_settings() == TlsSettings()
    assert not any(getattr(ClientCredentials(), field.name) for field in fields(ClientCredentials))


def test_secrets_are_in_no_text() -> None:
    for text in (repr(FULL), str(FULL), repr(FULL.tls_settings())):
        assert "secret" not in text
        assert "CERTIFICATE" in text


def test_all_that_concerns_tls_reaches_the_transport() -> None:
    assert FULL.tls_settings() == TlsSettings(
        tls12_ciphers="TWELVE",
        tls13_ciphers="THIRTEEN",
        ca="CA",
        certificate="CERTIFICATE",
        private_key="secret 2",
        passphrase="secret 3",
        pem_texts=True,
        allow_self_signed=True,
        allow_expired=True,
        accept_untrusted=True,
        skip_server_name_check=True,
        server_name="central",
    )


def test_they_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        FULL.user = "CP2"  # type: ignore[misc]
