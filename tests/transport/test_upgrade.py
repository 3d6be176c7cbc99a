"""Tests of openocpp.transport.upgrade: what servers and proxies may answer, over a pair of sockets."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from websocket._handshake import CookieJar

from openocpp.errors import ConnectError, ConnectFailure
from openocpp.runtime import SystemClock
from openocpp.transport.base import Target, TlsSettings
from openocpp.transport.upgrade import MAX_HEAD, Channel, basic_credentials, open_tunnel, status_of, upgrade
from openocpp.transport.url import Url
from tests.conftest import scaled
from tests.transport.servers import PROTOCOL, field, read_request, switching, text_frame, wait_for_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

URL = "ws://central.example:9000/ocpp/CP1"


class Peer:
    """The other end of a pair of sockets, played by a function on a thread. ``requests`` is what it was asked."""

    def __init__(self, sock: socket.socket, script: Callable[[Peer], None]) -> None:
        self.sock = sock
        self.requests: list[bytes] = []
        self.error: BaseException | None = None
        self._script = script
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self._script(self)
        except OSError:  # the client has gone
            return
        except BaseException as error:
            self.error = error
        finally:
            self.sock.close()

    def request(self) -> bytes:
        self.requests.append(read_request(self.sock))
        return self.requests[-1]

    def answer(self, *extra: str) -> None:
        self.sock.sendall(switching(self.request(), *extra))


@contextmanager
def talking_to(script: Callable[[Peer], None], limit: float = 30.0) -> Iterator[tuple[Channel, Peer]]:
    """A channel to a scripted peer."""
    near, far = socket.socketpair()
    far.settimeout(scaled(30))
    peer = Peer(far, script)
    clock = SystemClock()
    with near:
        yield Channel(near, clock, clock.now() + scaled(limit), "connect to central.example:9000"), peer
    peer.thread.join(scaled(30))
    assert not peer.thread.is_alive()
    if peer.error is not None:
        raise peer.error


def asked(url: str = URL, extra: tuple[str, ...] = (PROTOCOL,), **options: Any) -> tuple[bytes, bytes]:
    """The request that a successful upgrade sends, and what it read beyond the answer."""
    with talking_to(lambda peer: peer.answer(*extra)) as (channel, peer):
        early = upgrade(channel, Target(Url.parse(url), **options))
    return peer.requests[0], early


def refused(script: Callable[[Peer], None], limit: float = 30.0, **options: Any) -> ConnectError:
    """How an upgrade fails."""
    with talking_to(script, limit) as (channel, _), pytest.raises(ConnectError) as caught:
        upgrade(channel, Target(Url.parse(URL), **options))
    assert "central.example:9000" in str(caught.value)
    return caught.value


# -- the request -------------------------------------------------------------------------------------------------------


def test_the_request_says_what_is_needed_and_no_more() -> None:
    request, early = asked()
    assert request.startswith(b"GET /ocpp/CP1 HTTP/1.1\r\n")
    assert field(request, "Host") == "central.example:9000"
    assert field(request, "Upgrade") == "websocket"
    assert field(request, "Connection") == "Upgrade"
    assert field(request, "Sec-WebSocket-Version") == "13"
    assert field(request, "Sec-WebSocket-Protocol") == "ocpp1.6"
    for name in ("Origin", "Authorization", "Cookie", "Sec-WebSocket-Extensions", "User-Agent"):
        assert field(request, name) is None
    assert early == b""


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("ws://central.example", "/"),
        ("ws://central.example/a/RDAM%20123", "/a/RDAM%20123"),
        ("ws://central.example/a/K+L%2Fx", "/a/K+L%2Fx"),
        ("ws://central.example/a//b?x=1&y=%20", "/a//b?x=1&y=%20"),
        ("ws://central.example/a;v=1/CP1", "/a%3Bv=1/CP1"),
    ],
)
def test_the_request_target_is_the_path_as_it_stands(url: str, target: str) -> None:
    request, _ = asked(url)
    assert request.split(b" ")[1].decode() == target


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("ws://central.example/x", "central.example"),
        ("ws://central.example:443/x", "central.example:443"),
        ("ws://user:secret@central.example:9000/x", "central.example:9000"),
        ("ws://[::1]:9000/x", "[::1]:9000"),
    ],
)
def test_the_host_field(url: str, host: str) -> None:
    request, _ = asked(url)
    assert field(request, "Host") == host
    assert b"secret" not in request


def test_a_server_addressed_by_its_number_can_be_given_its_name() -> None:
    named = TlsSettings(server_name="central.example")
    assert field(asked("wss://192.0.2.1/x", tls=named)[0], "Host") == "central.example"
    assert field(asked("wss://192.0.2.1:8443/x", tls=named)[0], "Host") == "central.example:8443"
    assert field(asked("ws://192.0.2.1/x", tls=named)[0], "Host") == "192.0.2.1"


def test_basic_credentials_hold_any_byte() -> None:
    key = bytes.fromhex("0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF")
    request, _ = asked(user="AL1000", password=key)
    assert field(request, "Authorization") == "Basic QUwxMDAwOgABAgMEBQYH////////////////"
    assert basic_credentials("Zoë", b"") == "Basic Wm/Dqzo="
    assert len(field(asked(user="CP1", password=b"p" * 500)[0], "Authorization") or "") > 600  # on one line


def test_without_a_sub_protocol_none_is_offered() -> None:
    request, _ = asked(subprotocol="", extra=())
    assert field(request, "Sec-WebSocket-Protocol") is None


# -- good answers ------------------------------------------------------------------------------------------------------


def test_what_comes_right_behind_the_answer_is_kept() -> None:
    frames = text_frame("first") + text_frame("second")
    with talking_to(lambda peer: peer.sock.sendall(switching(peer.request(), PROTOCOL) + frames)) as (channel, _):
        early = upgrade(channel, Target(Url.parse(URL)))
        assert early == frames
        assert channel.take_rest() == b""


def test_an_answer_in_pieces_with_odd_but_legal_header_fields() -> None:
    def script(peer: Peer) -> None:
        answer = switching(peer.request(), "SEC-websocket-PROTOCOL:ocpp1.6", "X-Empty:", "X-Long: " + "x" * 8000)
        for at in range(0, len(answer), 1000):
            peer.sock.sendall(answer[at : at + 1000])

    with talking_to(script) as (channel, _):
        assert upgrade(channel, Target(Url.parse(URL))) == b""


def test_the_connection_stays_open_and_is_not_touched_any_more() -> None:
    def script(peer: Peer) -> None:
        peer.answer(PROTOCOL)
        peer.requests.append(peer.sock.recv(100))
        peer.sock.sendall(b"still here")

    with talking_to(script) as (channel, peer):
        upgrade(channel, Target(Url.parse(URL)))
        channel.send(b"bytes of a frame")
        assert channel._stream.recv(100) == b"still here"
    assert peer.requests[1] == b"bytes of a frame"


# -- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 400, 401, 404, 426, 503])
def test_a_refusal_gives_its_status(status: int) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.sock.sendall(f"HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\n\r\n".encode())
        wait_for_end(peer.sock)

    error = refused(script)
    assert (error.reason, error.status) == (ConnectFailure.HTTP_STATUS, status)
    assert str(status) in str(error)


@pytest.mark.parametrize("length", ["1099511627776", "100", "-5", "many"])
def test_the_body_of_a_refusal_is_not_waited_for(length: str) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.sock.sendall(f"HTTP/1.1 404 Not Found\r\nContent-Length: {length}\r\n\r\nsome of it".encode())
        wait_for_end(peer.sock)  # the rest never comes

    assert refused(script).status == 404


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.setblocking(False)

        def script(peer: Peer) -> None:
            peer.request()
            where = f"ws://127.0.0.1:{elsewhere.getsockname()[1]}/"
            peer.sock.sendall(f"HTTP/1.1 {status} Moved\r\nLocation: {where}\r\n\r\n".encode())
            wait_for_end(peer.sock)

        error = refused(script, user="CP1", password=b"secret")
        assert (error.reason, error.status) == (ConnectFailure.HTTP_STATUS, status)
        with pytest.raises(BlockingIOError):
            elsewhere.accept()


@pytest.mark.parametrize(
    "extra",
    [
        (),
        ("Sec-WebSocket-Protocol: ocpp2.0.1",),
        ("Sec-WebSocket-Protocol: ocpp1.6, ocpp2.0.1",),
        (PROTOCOL, "Sec-WebSocket-Extensions: permessage-deflate"),
    ],
)
def test_the_server_must_choose_what_was_offered(extra: tuple[str, ...]) -> None:
    assert refused(lambda peer: peer.answer(*extra)).reason is ConnectFailure.PROTOCOL


def test_a_sub_protocol_that_nobody_offered_is_refused() -> None:
    assert refused(lambda peer: peer.answer(PROTOCOL), subprotocol="").reason is ConnectFailure.PROTOCOL


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 abc Switching\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nno colon here\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nX: \xff\xfe\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Protocol: ocpp1.6\r\nSec-WebSocket-Accept: d3Jvbmc=\r\n\r\n",
        b"\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x16\r\n\r\n",  # TLS, where none was expected
    ],
)
def test_answers_that_open_no_websocket(answer: bytes) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.sock.sendall(answer)
        wait_for_end(peer.sock)

    error = refused(script, user="CP1", password=b"secret")
    assert error.reason is ConnectFailure.PROTOCOL
    assert error.status is None
    assert "secret" not in str(error)


@pytest.mark.parametrize("piece", [b"", b"HTTP/1.1 101 Switching Protocols\r\nUpgra"])
def test_a_server_that_hangs_up(piece: bytes) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.sock.sendall(piece)

    assert refused(script).reason is ConnectFailure.NETWORK


def test_a_server_that_is_gone_before_the_request() -> None:
    near, far = socket.socketpair()
    far.close()
    with near, pytest.raises(ConnectError) as caught:
        upgrade(Channel(near, SystemClock(), SystemClock().now() + 10, "x"), Target(Url.parse(URL)))
    assert caught.value.reason is ConnectFailure.NETWORK


def test_a_header_of_3_megabytes_is_not_read() -> None:
    sent = 0

    def script(peer: Peer) -> None:
        nonlocal sent
        peer.request()
        peer.sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nX: ")
        for _ in range(3000):
            sent += peer.sock.send(b"x" * 1000)

    error = refused(script)
    assert error.reason is ConnectFailure.PROTOCOL
    assert str(MAX_HEAD) in str(error)
    assert sent < 3_000_000  # the rest met a closed socket


def test_a_long_header_that_is_complete_is_refused_too() -> None:
    filler = [f"X-{n}: {'x' * 1000}" for n in range(17)]
    assert refused(lambda peer: peer.answer(PROTOCOL, *filler)).reason is ConnectFailure.PROTOCOL


def test_a_server_that_drips_is_given_up_at_the_deadline() -> None:
    """Each byte comes in time; the whole answer would take for ever."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nX: ")
        pause = threading.Event()
        while not pause.wait(0.01):
            peer.sock.sendall(b"x")

    assert refused(script, limit=0.25).reason is ConnectFailure.TIMEOUT


def test_a_server_that_says_nothing() -> None:
    assert refused(lambda peer: wait_for_end(peer.sock), limit=0.1).reason is ConnectFailure.TIMEOUT


def test_a_deadline_that_has_passed() -> None:
    assert refused(lambda peer: wait_for_end(peer.sock), limit=-1.0).reason is ConnectFailure.TIMEOUT


# -- cookies -----------------------------------------------------------------------------------------------------------


def test_cookies_are_neither_kept_nor_sent() -> None:
    assert CookieJar.jar == {}
    asked(extra=(PROTOCOL, "Set-Cookie: a=1; Domain=central.example", "set-cookie : b=2; domain=.central.example"))
    assert CookieJar.jar == {}
    CookieJar.set("spy=1; Domain=central.example")  # of another user of websocket-client in this process
    try:
        assert field(asked()[0], "Cookie") is None
        assert CookieJar.jar.keys() == {".central.example"}
    finally:
        CookieJar.jar.clear()


# -- proxies -----------------------------------------------------------------------------------------------------------


def tunnel(script: Callable[[Peer], None], proxy: str, url: str = URL) -> bytes:
    with talking_to(script) as (channel, peer):
        open_tunnel(channel, Url.parse(proxy), Url.parse(url))
    return peer.requests[0]


def granting(peer: Peer) -> None:
    peer.request()
    peer.sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")


def test_the_tunnel_names_the_host() -> None:
    request = tunnel(granting, "http://proxy.example:3128")
    assert request.startswith(b"CONNECT central.example:9000 HTTP/1.1\r\n")
    assert field(request, "Host") == "central.example:9000"
    assert field(request, "Proxy-Authorization") is None
    assert tunnel(granting, "http://p", "wss://[::1]/x").startswith(b"CONNECT [::1]:443 HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("proxy", "credentials"),
    [
        ("http://user:pass@proxy.example", "Basic dXNlcjpwYXNz"),
        ("http://user:p%40ss@proxy.example", "Basic dXNlcjpwQHNz"),
        ("http://user:p@ss@proxy.example", "Basic dXNlcjpwQHNz"),
        ("http://user@proxy.example", "Basic dXNlcjo="),
    ],
)
def test_credentials_for_the_proxy(proxy: str, credentials: str) -> None:
    assert field(tunnel(granting, proxy), "Proxy-Authorization") == credentials


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n", 407),
        (b"HTTP/1.0 502 Bad Gateway\r\nContent-Length: 100000\r\n\r\n", 502),
        (b"HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\n\r\n", 302),
        (b"HELLO\r\n\r\n", None),
        (b"HTTP/1.1 200 OK\r\n\r\nand a page", None),
    ],
)
def test_a_proxy_that_opens_no_tunnel(answer: bytes, status: int | None) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.sock.sendall(answer)
        wait_for_end(peer.sock)

    with pytest.raises(ConnectError) as caught:
        tunnel(script, "http://user:secret@proxy.example:3128")
    assert (caught.value.reason, caught.value.status) == (ConnectFailure.PROXY, status)
    assert "secret" not in str(caught.value)


def test_status_of() -> None:
    assert status_of(b"HTTP/1.1 200 OK\r\n\r\n") == 200
    assert status_of(b"HTTP/1.0 404\r\n\r\n") == 404
    assert status_of(b"HTTP/1.1 20 OK\r\n\r\n") == status_of(b"") == status_of(b"ICY 200 OK\r\n") == 0
