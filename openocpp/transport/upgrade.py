"""The client's way from a connected socket to an open websocket: the tunnel of a proxy, then the HTTP upgrade.

websocket-client speaks the upgrade, over a stand-in for the socket. What it leaves open is decided here: one deadline
over everything, a bound on what the server may answer, no redirect, no cookie kept or sent, nothing lost that was read
beyond the header. The environment's proxies are never looked at: the proxy comes from the configuration alone.
Threads: a connector. ``basic_credentials`` any.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote_to_bytes

from openocpp.errors import ConnectError, ConnectFailure

if TYPE_CHECKING:
    from openocpp.runtime import Clock
    from openocpp.transport.base import Target
    from openocpp.transport.url import Url

MAX_HEAD = 16 * 1024  # bytes of status line and header
CHUNK = 4096

_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/\d\.\d (\d{3})(?: |\r?\n)")
_SET_COOKIE = re.compile(rb"(?im)^set-cookie[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*")

# The name stands for the server in websocket-client, which is given a socket and a Host: no cookie can belong to it.
_PLACEHOLDER = "ws://server.invalid"


def basic_credentials(user: str, password: bytes) -> str:
    """The value of an Authorization field (RFC 7617). The password may hold any byte (J §6.2, SEC A00.FR.205)."""
    return "Basic " + b64encode(user.encode() + b":" + password).decode("ascii")


class BlockingStream(Protocol):
    """What carries the bytes on this thread: a socket, or what TLS made of one."""

    def recv(self, size: int, /) -> bytes: ...

    def sendall(self, data: bytes, /) -> None: ...

    def settimeout(self, seconds: float, /) -> None: ...


class Channel:
    """A connected stream until the websocket is open: every wait ends at one deadline.

    ``where`` begins all error texts, ``lost`` is the reason when the connection ends before its time.
    """

    def __init__(
        self,
        stream: BlockingStream,
        clock: Clock,
        deadline: float,
        where: str,
        lost: ConnectFailure = ConnectFailure.NETWORK,
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._deadline = deadline
        self._where = where
        self._lost = lost
        self._received = b""

    def error(self, reason: ConnectFailure, text: str, status: int | None = None) -> ConnectError:
        return ConnectError(reason, f"{self._where}: {text}", status=status)

    def send(self, data: bytes) -> None:
        self._arm("sending the request")
        try:
            self._stream.sendall(data)
        except TimeoutError as error:
            raise self._too_late("sending the request") from error
        except OSError as error:
            raise self._broken(error) from error

    def read_head(self) -> bytes:
        """Status line and header of an answer, the blank line included. What follows it stays for ``take_rest``."""
        while True:
            match = _END_OF_HEAD.search(self._received)
            if match is not None and match.end() <= MAX_HEAD:
                head, self._received = self._received[: match.end()], self._received[match.end() :]
                return head
            if len(self._received) >= MAX_HEAD:
                raise self.error(ConnectFailure.PROTOCOL, f"the header of the answer is longer than {MAX_HEAD} bytes")
            self._received += self._receive()

    def take_rest(self) -> bytes:
        """What came together with the last header, and belongs to whoever reads on."""
        rest, self._received = self._received, b""
        return rest

    def _receive(self) -> bytes:
        self._arm("waiting for the answer")
        try:
            data = self._stream.recv(CHUNK)
        except TimeoutError as error:
            raise self._too_late("waiting for the answer") from error
        except OSError as error:
            raise self._broken(error) from error
        if not data:
            raise self.error(self._lost, "the connection was closed during the handshake")
        return data

    def _arm(self, doing: str) -> None:
        left = self._deadline - self._clock.now()
        if left <= 0:
            raise self._too_late(doing)
        self._stream.settimeout(left)

    def _broken(self, error: OSError) -> ConnectError:
        return self.error(self._lost, f"connection lost during the handshake ({error.strerror or 'broken'})")

    def _too_late(self, doing: str) -> ConnectError:
        return self.error(ConnectFailure.TIMEOUT, f"no time left while {doing}")


def open_tunnel(channel: Channel, proxy: Url, url: Url) -> None:
    """Have the proxy at the other end connect to the URL's host, by its name (RFC 9110 §9.3.6).

    Raises ConnectError; PROXY if it refuses.
    """
    host = f"[{url.address}]" if ":" in url.address else url.address
    lines = [f"CONNECT {host}:{url.tcp_port} HTTP/1.1", f"Host: {host}:{url.tcp_port}"]
    if proxy.user:
        lines.append(f"Proxy-Authorization: {basic_credentials(proxy.user, unquote_to_bytes(proxy.password))}")
    channel.send("\r\n".join([*lines, "", ""]).encode())
    status = status_of(channel.read_head())
    if not 200 <= status < 300:
        problem = f"answered with HTTP status {status}" if status else "does not answer in HTTP"
        raise channel.error(ConnectFailure.PROXY, problem, status or None)
    if channel.take_rest():
        raise channel.error(ConnectFailure.PROXY, "sent data that nobody asked for")


def upgrade(channel: Channel, target: Target) -> bytes:
    """Ask the server for a websocket. Returns what it sent right behind its answer; raises ConnectError."""
    import websocket  # here, since it brings the ssl module along: a server need not pay for it

    stand_in = _StandIn(channel)
    client = websocket.WebSocket(skip_utf8_validation=True, enable_multithread=False)
    try:
        client.connect(  # type: ignore[no-untyped-call]
            _PLACEHOLDER + (target.url.path or "/").replace(";", "%3B"),  # it would lose what follows a semicolon
            socket=stand_in,
            host=_host(target),
            subprotocols=[target.subprotocol] if target.subprotocol else None,
            header=_fields(target),
            suppress_origin=True,
            redirect_limit=0,
        )
    except ConnectError:
        raise
    except Exception as error:  # its own errors, and what odd answers provoke in the libraries below
        raise _explain(channel, stand_in, error) from error
    finally:
        client.sock = None  # it must not touch the connection any more, not even at its end
    headers = client.getheaders() or {}
    if "sec-websocket-extensions" in headers or ("sec-websocket-protocol" in headers and not target.subprotocol):
        raise channel.error(ConnectFailure.PROTOCOL, "the server chose what was not offered to it")
    return channel.take_rest()


def status_of(head: bytes) -> int:
    """The HTTP status of an answer; 0 when it is none."""
    match = _STATUS_LINE.match(head)
    return int(match[1]) if match else 0


def _host(target: Target) -> str:
    """The Host field: a server that is addressed by its number can be given its name."""
    url = target.url
    if not (url.secure and target.tls is not None and target.tls.server_name):
        return url.authority
    return f"{target.tls.server_name}:{url.port}" if url.port else target.tls.server_name


def _fields(target: Target) -> list[str]:
    return [f"Authorization: {basic_credentials(target.user, target.password)}"] if target.user else []


def _explain(channel: Channel, stand_in: _StandIn, error: Exception) -> ConnectError:
    status = status_of(stand_in.head)
    if status not in (0, 101):
        redirect = " (redirects are not followed)" if 300 <= status < 400 else ""
        text = f"the server answered with HTTP status {status}{redirect}"
        return channel.error(ConnectFailure.HTTP_STATUS, text, status)
    if status == 0:
        return channel.error(ConnectFailure.PROTOCOL, "the server does not answer in HTTP")
    name = type(error).__name__  # not its text, which may quote the header
    return channel.error(ConnectFailure.PROTOCOL, f"the server's answer opens no websocket for this protocol ({name})")


class _StandIn:
    """The socket, as websocket-client sees it. Closing is not its business."""

    _closed = False  # asked for by websocket-client before it closes; without it the attempt fails silently

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.head = b""
        self._shown = b""
        self._offset = 0

    def send(self, data: bytes) -> int:
        self._channel.send(data)
        return len(data)

    def recv(self, size: int) -> bytes:
        if not self.head:
            self.head = self._channel.read_head()
            self._shown = _SET_COOKIE.sub(b"", self.head)  # it would be sent to others: the jar is one per process
        if self._offset >= len(self._shown):
            # The body of a refusal: of no use, and as long as the server likes.
            raise EOFError("only the header is read")
        data = self._shown[self._offset : self._offset + size]
        self._offset += len(data)
        return data

    def gettimeout(self) -> None:
        """Waiting is the channel's business, by its deadline."""

    def settimeout(self, seconds: float | None) -> None:
        """As ``gettimeout``."""

    def shutdown(self, how: int = 0) -> None:
        """The owner of the socket closes it."""

    def close(self) -> None:
        """As ``shutdown``."""
