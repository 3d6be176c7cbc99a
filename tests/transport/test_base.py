from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from openocpp.transport.base import (
    SUBPROTOCOL,
    Accepted,
    CloseCode,
    Closed,
    Handshake,
    Limits,
    ListenSettings,
    Peer,
    Refused,
    Target,
    TlsSettings,
)
from openocpp.transport.url import Url

URL = Url.parse("ws://user:secret@localhost/openocpp")


@pytest.mark.parametrize(
    "value",
    [
        Target(URL, user="user", password=b"secret", proxy_url="http://user:secret@proxy:8080"),
        ListenSettings(URL, tls=TlsSettings(private_key="secret.key", passphrase="secret")),
        TlsSettings(private_key="secret.key", passphrase="secret"),
        Handshake("/openocpp/CP1", Peer("::1"), authorization="Basic secret"),
        Accepted("CP1", "user", b"secret"),
    ],
)
def test_secrets_are_not_shown(value: object) -> None:
    assert "secret" not in repr(value)
    assert "secret" not in str(value)


@pytest.mark.parametrize("value", [Closed(1000), Limits(), Peer("::1"), Refused(404), Target(URL), ListenSettings(URL)])
def test_values_do_not_change(value: Any) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, dataclasses.fields(value)[0].name, None)


def test_what_is_the_default() -> None:
    settings = ListenSettings(URL)
    assert settings.limits == Limits(max_message=1024 * 1024, max_output=1024 * 1024, close_timeout=2.0)
    assert (settings.handshake_timeout, settings.max_handshakes, settings.max_handshakes_per_address) == (10, 1024, 256)
    assert (settings.max_connections_per_address, settings.failures_per_minute) == (0, 10)
    assert settings.subprotocol == Target(URL).subprotocol == SUBPROTOCOL == "ocpp1.6"
    assert (CloseCode.NORMAL, CloseCode.ABNORMAL, CloseCode.TRY_AGAIN_LATER) == (1000, 1006, 1013)
