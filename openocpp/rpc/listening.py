"""From the settings of a role that listens to what its server needs.

Threads: any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openocpp.errors import ConfigError
from openocpp.rpc.server import ServerSettings
from openocpp.transport.base import Limits, ListenSettings, TlsSettings
from openocpp.transport.url import Url

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMES = ("ws", "wss")


def server_settings(read: Callable[[str], Any]) -> ServerSettings:
    """The settings as ``read`` gives them by their names in Python. ConfigError if ListenUrl is none."""
    text = read("listen_url")
    try:
        url = Url.parse(text, listening=True)
    except ValueError as error:
        raise ConfigError("ListenUrl", str(error), accepted="ws://host[:port][/path] or wss://...") from None
    if url.protocol not in SCHEMES:
        raise ConfigError("ListenUrl", f"{url}: not the scheme of a websocket", accepted="ws or wss")
    return ServerSettings(
        listen=ListenSettings(
            url=url,
            ping_interval=read("web_socket_ping_interval"),
            basic_authentication=read("http_basic_authent"),
            handshake_timeout=read("handshake_timeout"),
            max_handshakes=read("max_handshakes"),
            max_handshakes_per_address=read("max_handshakes_per_address"),
            max_connections_per_address=read("max_connections_per_address"),
            failures_per_minute=read("authentication_failures_per_minute"),
            accept_without_subprotocol=read("accept_without_subprotocol"),
            limits=Limits(max_message=read("max_message_size"), max_output=read("max_output_buffer")),
            tls=tls_settings(read) if url.secure else None,
        ),
        duplicates=read("duplicate_connection"),
        max_queued=read("max_queued_calls"),
    )


def tls_settings(read: Callable[[str], Any]) -> TlsSettings:
    """What concerns TLS. A list of groups takes the place of the one curve."""
    return TlsSettings(
        tls12_ciphers=read("tlsv12_cipher_list"),
        tls13_ciphers=read("tlsv13_cipher_list"),
        groups=read("tls_groups") or read("tls_ecdh_curve"),
        ca=read("tls_server_certificate_ca"),
        certificate=read("tls_server_certificate"),
        private_key=read("tls_server_certificate_private_key"),
        passphrase=read("tls_server_certificate_private_key_passphrase"),
        require_client_certificate=read("tls_client_certificate_authent"),
    )
