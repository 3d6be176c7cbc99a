"""The seam between sockets and messages: text messages in, text messages out.

Everything above works with these protocols, whether the messages travel over TCP, TLS or through memory.
Threads: objects of this layer belong to the scheduler; each method says when another thread may call it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.errors import ConnectError
    from openocpp.transport.url import Url

SUBPROTOCOL = "ocpp1.6"


class CloseCode:
    """The close codes of RFC 6455 §7.4.1 that are used here."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    ABNORMAL = 1006  # never on the wire: the connection ended without a Close frame
    BAD_DATA = 1007
    POLICY = 1008
    TOO_BIG = 1009
    TRY_AGAIN_LATER = 1013


@dataclass(frozen=True)
class Closed:
    """How an open connection ended. ``code`` is 1006 when there was no Close frame."""

    code: int
    reason: str = ""
    by_peer: bool = False


@dataclass(frozen=True)
class Limits:
    """Bounds of one connection (bytes, seconds)."""

    max_message: int = 1 << 20
    max_output: int = 1 << 20
    close_timeout: float = 2.0


@dataclass(frozen=True)
class Peer:
    """Who is at the other end. ``certificate`` is its DER certificate, when TLS brought one."""

    address: str
    port: int = 0
    certificate: bytes | None = None


class Receiver(Protocol):
    """What a connection tells the layer above. Threads: scheduler. Must not block."""

    def text_received(self, text: str) -> None: ...

    def closed(self, why: Closed) -> None:
        """Called exactly once, after which nothing is received any more."""


class Transport(Protocol):
    """An open websocket. Threads: scheduler only."""

    @property
    def peer(self) -> Peer: ...

    def start(self, receiver: Receiver) -> None:
        """Begin to deliver. Messages that came before are delivered first, from a later scheduler step."""

    def send(self, text: str, written: Callable[[], None] | None = None) -> None:
        """Queue one text message. ``written`` is called once the kernel has taken its last byte.

        After a close it is dropped silently. More than ``Limits.max_output`` queued bytes end the connection.
        """

    def pause(self) -> None:
        """Stop reading: back-pressure. Pings are not answered meanwhile."""

    def resume(self) -> None: ...

    def close(self, code: int = CloseCode.NORMAL, reason: str = "") -> None:
        """Write what is queued and a Close frame, wait for the peer's at most ``Limits.close_timeout``. Idempotent."""

    def abort(self) -> None:
        """Drop the connection at once, without a Close frame. Idempotent."""


@dataclass(frozen=True)
class TlsSettings:
    """Plain values for a TLS context. Empty texts mean: the library's default, or not used."""

    tls12_ciphers: str = ""
    tls13_ciphers: str = ""
    groups: str = ""
    ca: str = ""
    certificate: str = ""
    private_key: str = field(default="", repr=False)
    passphrase: str = field(default="", repr=False)
    pem_texts: bool = False
    allow_self_signed: bool = False
    allow_expired: bool = False
    accept_untrusted: bool = False
    skip_server_name_check: bool = False
    server_name: str = ""
    require_client_certificate: bool = False


@dataclass(frozen=True)
class Target:
    """Where a client connects to, and how. Times are seconds; a ping interval of 0 sends no pings."""

    url: Url
    user: str = ""
    password: bytes = field(default=b"", repr=False)
    connect_timeout: float = 5.0
    ping_interval: float = 5.0
    proxy_url: str = field(default="", repr=False)
    limits: Limits = Limits()
    tls: TlsSettings | None = None
    subprotocol: str = SUBPROTOCOL


class Attempt(Protocol):
    """A connection being made. ``cancel`` may be called by any thread; ``done`` then gets a cancelled ConnectError."""

    def cancel(self) -> None: ...


@dataclass(frozen=True)
class Handshake:
    """A request to upgrade, as it came: nothing in it is trusted yet."""

    target: str  # raw request target: neither decoded nor cut
    peer: Peer
    subprotocols: tuple[str, ...] = ()
    authorization: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Accepted:
    """The upgrade is granted to this charge point."""

    identity: str
    user: str = ""
    password: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Refused:
    """The upgrade is refused with this HTTP status."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    reason: str = ""


class Door(Protocol):
    """What a listening role decides and learns about those who connect (the hooks of ``listen.py``)."""

    def knock(self, address: str) -> bool:
        """A TCP connection arrived. False closes it at once. Threads: a worker."""

    def admit(self, handshake: Handshake, identity: str, user: str, password: bytes) -> Accepted | Refused:
        """The request is well formed and for this path; user and password are empty without Basic authentication.

        Threads: a worker; may block, at the price of this handshake's time.
        """

    def opened(self, accepted: Accepted, handshake: Handshake, transport: Transport) -> None:
        """The connection is open and not started yet. Threads: scheduler; must not block."""

    def failed(self, address: str, reason: str) -> None:
        """A connection that was let in by ``knock`` ended before it was open. Threads: a worker."""


@dataclass(frozen=True)
class ListenSettings:
    """A listening address and its bounds. Times are seconds, 0 = off; counts of 0 mean no limit."""

    url: Url
    ping_interval: float = 5.0
    basic_authentication: bool = False
    handshake_timeout: float = 10.0
    max_handshakes: int = 1024
    max_handshakes_per_address: int = 256
    max_connections_per_address: int = 0
    failures_per_minute: int = 10
    accept_without_subprotocol: bool = False
    limits: Limits = Limits()
    tls: TlsSettings | None = None
    subprotocol: str = SUBPROTOCOL


class Listener(Protocol):
    """An open listening address."""

    @property
    def port(self) -> int:
        """The port in use, also when 0 was asked for."""

    def close(self) -> None:
        """Stop to listen and drop the handshakes in flight; open connections stay. Any thread but the scheduler."""


class Network(Protocol):
    """Makes connections: real sockets, or memory. One per runtime."""

    def connect(self, target: Target, done: Callable[[Transport | ConnectError], None]) -> Attempt:
        """Start to connect. ``done`` is called exactly once, on the scheduler. Any thread."""

    def listen(self, settings: ListenSettings, door: Door) -> Listener:
        """Listen. Blocking; any thread but the scheduler. Raises TransportError, ConfigError."""
