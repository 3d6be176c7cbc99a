from __future__ import annotations

import socket
import struct
import threading
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.errors import TransportError
from openocpp.runtime import READ, WRITE, Runtime
from openocpp.transport.base import Accepted, Closed, Limits, Peer, Refused
from openocpp.transport.stream import PlainStream
from tests.transport.doors import House, request
from tests.transport.frames import frame
from tests.transport.peers import LIMIT, on_scheduler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Build = Callable[..., House]


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    with Runtime(name="test", workers=4) as runtime:
        yield runtime


@pytest.fixture
def build(runtime: Runtime) -> Iterator[Build]:
    houses: list[House] = []

    def build(**settings: Any) -> House:
        houses.append(House(runtime, **settings))
        return houses[-1]

    yield build
    for house in houses:
        house.close()


def basic(credentials: bytes) -> str:
    return "Basic " + b64encode(credentials).decode()


# -- coming in ---------------------------------------------------------------------------------------------------------


def test_a_charge_point_comes_in(build: Build) -> None:
    house = build()
    client = house.ask(request("/openocpp/RDAM%20123"))
    status, fields = client.read_head()
    assert status == 101
    assert fields == {
        "upgrade": "websocket",
        "connection": "upgrade",
        "sec-websocket-accept": "s3pplmbitxaq9kygzzhzrbk+xoo=",
        "sec-websocket-protocol": "ocpp1.6",
    }
    accepted, transport, recorder = house.door.next_open()
    assert accepted.identity == "RDAM 123"
    assert transport.peer == Peer("127.0.0.1", client.sock.getsockname()[1])
    client.text("hello")
    assert recorder.next_text() == "hello"
    on_scheduler(house.runtime, lambda: transport.send("welcome"))
    assert client.read_text() == "welcome"
    client.close(1001)
    assert client.read_close() == 1001
    assert recorder.end() == Closed(1001, by_peer=True)
    assert house.door.knocks == ["127.0.0.1"]
    (handshake, identity, user, password) = house.door.asked[0]
    assert (handshake.target, handshake.subprotocols) == ("/openocpp/RDAM%20123", ("ocpp1.6",))
    assert (identity, user, password) == ("RDAM 123", "", b"")
    assert house.door.nothing_more()


def test_a_foreign_client_comes_in(build: Build) -> None:
    from websockets.sync.client import connect

    house = build(basic_authentication=True)
    url = f"ws://CP1:secret@127.0.0.1:{house.listener.port}/openocpp/CP1"
    with connect(url, subprotocols=["ocpp2.0.1", "ocpp1.6"], open_timeout=LIMIT) as client:  # type: ignore[list-item]
        assert client.subprotocol == "ocpp1.6"
        _, transport, recorder = house.door.next_open()
        client.send(["frag", "ment", "s"])
        assert recorder.next_text() == "fragments"
        on_scheduler(house.runtime, lambda: transport.send("x" * 100_000))
        assert len(client.recv(timeout=LIMIT)) == 100_000
        assert client.ping().wait(LIMIT)
    assert recorder.end() == Closed(1000, by_peer=True)
    assert house.door.asked[0][2:] == ("CP1", b"secret")


def test_frames_behind_the_request_are_kept(build: Build) -> None:
    house = build()
    client = house.ask(request() + frame("1") + frame("2")[:4])
    _, _, recorder = house.door.next_open()
    client.send(frame("2")[4:])
    assert [recorder.next_text(), recorder.next_text()] == ["1", "2"]


def test_a_request_may_come_byte_by_byte(build: Build) -> None:
    house = build()
    client = house.connect()
    client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in request():
        client.send(bytes([byte]))
    assert client.read_head()[0] == 101


def test_the_door_decides_who_it_is(build: Build) -> None:
    house = build()
    house.door.on_admit = lambda identity: Accepted(f"{identity} by another name", "user", b"password")
    house.ask(request())
    accepted, _, _ = house.door.next_open()
    assert accepted == Accepted("CP1 by another name", "user", b"password")
    assert "password" not in repr(accepted)


@pytest.mark.parametrize("protocols", ["ocpp1.6", "ocpp2.0.1, ocpp1.6", "ocpp1.6,ocpp2.0.1"])
def test_the_subprotocol_is_found_anywhere_in_the_list(build: Build, protocols: str) -> None:
    status, fields = build().ask(request(Sec_WebSocket_Protocol=protocols)).read_head()
    assert (status, fields["sec-websocket-protocol"]) == (101, "ocpp1.6")


@pytest.mark.parametrize("protocols", [None, "", "ocpp2.0.1", "ocpp1.5, ocpp2.0"])
def test_without_a_common_subprotocol_the_handshake_is_completed_and_then_closed(
    build: Build, protocols: str | None
) -> None:
    house = build()
    client = house.ask(request(Sec_WebSocket_Protocol=protocols))
    status, fields = client.read_head()
    assert status == 101
    assert "sec-websocket-protocol" not in fields
    assert client.read_close() == 1002
    client.close(1002)
    assert client.at_end()
    assert house.door.next_failure() == "no common sub-protocol"
    house.idle()
    assert house.door.nothing_more()


def test_a_client_without_subprotocol_may_be_tolerated(build: Build) -> None:
    house = build(accept_without_subprotocol=True)
    status, fields = house.ask(request(Sec_WebSocket_Protocol=None)).read_head()
    assert status == 101
    assert "sec-websocket-protocol" not in fields
    house.door.next_open()
    client = house.ask(request(Sec_WebSocket_Protocol="ocpp2.0.1"))
    assert client.read_head()[0] == 101
    assert client.read_close() == 1002


# -- refusals ----------------------------------------------------------------------------------------------------------

REFUSED = {
    "another path": (request("/other/CP1"), 404),
    "no identity": (request("/openocpp/"), 404),
    "too deep": (request("/openocpp/a/CP1"), 404),
    "a longer name of the path": (request("/openocpp-x/CP1"), 404),
    "broken escape": (request("/openocpp/CP%4"), 400),
    "plain GET": (b"GET /openocpp/CP1 HTTP/1.1\r\nHost: h\r\n\r\n", 426),
    "plain GET of another path": (b"GET /favicon.ico HTTP/1.1\r\nHost: h\r\n\r\n", 404),
    "POST": (request(line="POST /openocpp/CP1 HTTP/1.1"), 405),
    "a body": (request(Content_Length="5") + b"hello", 400),
    "HTTP/1.0": (request(line="GET /openocpp/CP1 HTTP/1.0"), 400),
    "version of hybi 08": (request(Sec_WebSocket_Version="8"), 426),
    "no key": (request(Sec_WebSocket_Key=None), 400),
    "key of 8 bytes": (request(Sec_WebSocket_Key="AAAAAAAAAAA="), 400),
    "no host": (request(Host=None), 400),
    "host that is no ASCII": (request(Host="xn--\xff"), 400),
    "sub-protocol that is no ASCII": (request(Sec_WebSocket_Protocol="ocpp\xe9"), 400),
    "two keys": (request()[:-2] + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", 400),
    "two credentials": (request(Authorization="Basic eDp5")[:-2] + b"Authorization: Basic eDp5\r\n\r\n", 400),
    "no field": (request()[:-2] + b"nonsense\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "70 kB of header": (request(X="x" * 70_000), 431),
    "just above 8 KiB": (request(X="x" * (8 * 1024 - len(request(X="")) + 1)), 431),
    "8 KiB without an end": (b"GET /" + b"a" * 8 * 1024, 431),
    "an offer to compress that wsproto trips over": (
        request(Sec_WebSocket_Extensions="permessage-deflate; client_max_window_bits=abc"),
        101,
    ),
    "just 8 KiB": (request(X="x" * (8 * 1024 - len(request(X="")))), 101),
    "query": (request("/openocpp/CP1?a=b"), 101),
}


@pytest.mark.parametrize("name", REFUSED)
def test_requests_and_their_status(build: Build, name: str) -> None:
    data, expected = REFUSED[name]
    house = build()
    client = house.ask(data)
    status, fields = client.read_head()
    assert status == expected
    if status == 101:
        assert "sec-websocket-extensions" not in fields
        house.door.next_open()
    else:
        assert fields["content-length"] == "0"
        assert fields["connection"].endswith("close")
        if status == 426:
            assert fields["sec-websocket-version"] == "13"
        assert client.at_end()
        assert house.door.next_failure().startswith(str(status))
    client.sock.close()
    house.idle()
    assert house.door.nothing_more()


def test_a_refused_client_that_does_not_close_is_left(build: Build) -> None:
    house = build(limits=Limits(close_timeout=0.05))
    client = house.ask(request("/other"))
    assert client.read_head()[0] == 404
    client.send(b"and on and on")
    house.idle()


@pytest.mark.parametrize(
    ("authorization", "status", "asked"),
    [
        (basic(b"CP1:secret"), 101, ("CP1", b"secret")),
        ("Basic QUwxMDAwOgABAgMEBQYH////////////////", 101, ("AL1000", bytes.fromhex("0001020304050607" + "ff" * 12))),
        (basic(b"CP1:" + b"x" * 3000), 101, ("CP1", b"x" * 3000)),
        (None, 101, ("", b"")),
        ("Bearer x", 101, ("", b"")),
        ("Basic ???", 401, None),
        (basic(b"no colon"), 401, None),
    ],
)
def test_basic_authentication(
    build: Build, authorization: str | None, status: int, asked: tuple[str, bytes] | None
) -> None:
    house = build(basic_authentication=True)
    client = house.ask(request(Authorization=authorization))
    found, fields = client.read_head()
    assert found == status
    assert [entry[2:] for entry in house.door.asked] == ([asked] if asked else [])
    if status == 401:
        assert fields["www-authenticate"] == 'basic realm="openocpp"'
    else:
        house.door.next_open()


def test_the_header_is_not_looked_at_without_basic_authentication(build: Build) -> None:
    house = build()
    assert house.ask(request(Authorization="Basic ???")).read_head()[0] == 101
    assert house.door.asked[0][2:] == ("", b"")


@pytest.mark.parametrize(
    ("refused", "fields"),
    [
        (Refused(404, reason="unknown"), {}),
        (Refused(401, reason="wrong password"), {"www-authenticate": 'basic realm="openocpp"'}),
        (Refused(401, (("WWW-Authenticate", "Other"),)), {"www-authenticate": "other"}),
        (Refused(503, (("Retry-After", "120"),)), {"retry-after": "120"}),
    ],
)
def test_the_door_refuses(build: Build, refused: Refused, fields: dict[str, str]) -> None:
    house = build()
    house.door.on_admit = lambda _: refused
    status, found = house.ask(request()).read_head()
    assert status == refused.status
    assert fields.items() <= found.items()
    assert house.door.next_failure() == (
        f"{refused.status}: {refused.reason}" if refused.reason else str(refused.status)
    )


def test_who_may_not_knock_is_closed_at_once(build: Build) -> None:
    house = build()
    house.door.on_knock = lambda _: False
    assert house.connect().at_end()
    house.idle()
    assert house.door.nothing_more()
    assert house.door.asked == []


def raise_error(*_: object) -> Any:
    raise RuntimeError("a bug of the door")


def test_a_door_that_fails_lets_nobody_in(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    house = build()
    house.door.on_admit = raise_error
    assert house.status(request()) == 500
    assert house.door.next_failure().startswith("500")
    house.door.on_knock = raise_error
    assert house.connect().at_end()
    assert caplog.text.count("a bug of the door") >= 2


def test_a_door_that_cannot_take_a_connection_loses_it(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    house = build()
    house.door.on_opened = raise_error
    client = house.ask(request())
    assert client.read_head()[0] == 101
    assert client.at_end()
    assert "a bug of the door" in caplog.text
    assert house.door.nothing_more()


def test_a_door_that_cannot_take_the_news_is_logged(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    house = build()
    house.door.on_failed = raise_error
    assert house.status(request("/other")) == 404
    house.wait(lambda: "a bug of the door" in caplog.text)


# -- ends in between ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", request()[:-1]])
def test_the_client_leaves_before_its_request_is_complete(build: Build, data: bytes) -> None:
    house = build()
    house.ask(data).sock.close()
    assert house.door.next_failure() == "the connection ended before the request was complete"
    house.idle()


def test_the_client_resets_before_its_request_is_complete(build: Build) -> None:
    house = build()
    client = house.ask(request()[:-1])
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.sock.close()
    assert "reset" in house.door.next_failure()


def test_the_client_leaves_while_the_door_thinks(build: Build) -> None:
    house = build()
    asked, decide = threading.Event(), threading.Event()

    def admit(identity: str) -> Accepted:
        asked.set()
        assert decide.wait(LIMIT)
        return Accepted(identity)

    house.door.on_admit = admit
    client = house.ask(request())
    assert asked.wait(LIMIT)
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.sock.close()
    decide.set()
    assert house.door.next_failure()
    house.idle()
    assert house.door.nothing_more()


@pytest.mark.parametrize("data", [b"", request()[:-1]])
def test_the_time_for_the_handshake_is_over(build: Build, data: bytes) -> None:
    house = build(handshake_timeout=0.1)
    client = house.ask(data)
    assert client.at_end()
    assert house.door.next_failure() == "no websocket within 0.1 s"
    house.idle()


def test_a_client_that_drips_has_no_more_time(build: Build) -> None:
    house = build(handshake_timeout=0.1)
    client = house.connect()
    with pytest.raises(ConnectionError):
        drip(client.sock)
    assert house.door.next_failure() == "no websocket within 0.1 s"


def drip(sock: socket.socket) -> None:
    while True:
        sock.sendall(b"G")
        threading.Event().wait(0.01)


def test_the_time_for_the_handshake_is_over_while_the_door_thinks(build: Build) -> None:
    house = build(handshake_timeout=0.1)
    decide = threading.Event()

    def admit(identity: str) -> Accepted:
        assert decide.wait(LIMIT)
        return Accepted(identity)

    house.door.on_admit = admit
    assert house.ask(request()).at_end()
    assert house.door.next_failure() == "no websocket within 0.1 s"
    decide.set()
    assert house.door.nothing_more()


@pytest.mark.parametrize("welcome", [True, False])
def test_the_time_for_the_handshake_is_over_before_the_knock_is_answered(build: Build, welcome: bool) -> None:
    house = build(handshake_timeout=0.1)
    answer = threading.Event()

    def knock(_: str) -> bool:
        assert answer.wait(LIMIT)
        return welcome

    house.door.on_knock = knock
    assert house.connect().at_end()
    assert house.door.nothing_more()
    answer.set()
    if welcome:
        assert house.door.next_failure() == "no websocket within 0.1 s"
    assert house.door.nothing_more()


def test_no_limit_for_the_handshake(build: Build) -> None:
    house = build(handshake_timeout=0.0)
    client = house.connect()
    arrivals = house.listener._arrivals
    house.wait(lambda: any(arrival._watched for arrival in arrivals))
    assert on_scheduler(house.runtime, lambda: [arrival._timer for arrival in arrivals]) == [None]
    client.send(request())
    assert client.read_head()[0] == 101


# -- a stream that shakes hands first ----------------------------------------------------------------------------------


class Greeting(PlainStream):
    """Expects a greeting before anything else, and may refuse it: a stand-in for TLS.

    What comes with the greeting is not told by a selector any more, as with TLS.
    """

    __slots__ = ("buffer", "greeted")

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.greeted = False
        self.buffer = b""

    def handshake(self) -> int:
        if self.greeted:
            return 0
        try:
            data = self.socket.recv(65536)
        except BlockingIOError:
            return READ
        if not data.startswith(b"hello"):
            raise TransportError("no greeting")
        self.buffer = data[5:]
        self.greeted = True
        return 0

    def peer_certificate(self) -> bytes | None:
        return b"certificate"

    def pending(self) -> bool:
        return bool(self.buffer)

    def recv(self, size: int) -> bytes:
        if self.buffer:
            data, self.buffer = self.buffer[:10], self.buffer[10:]
            return data
        return super().recv(size)


def test_the_stream_shakes_hands_first(build: Build) -> None:
    house = build(make_stream=Greeting)
    client = house.connect()
    client.send(b"hello" + request() + frame("1") + frame("22222222") + frame("3"))
    assert client.read_head()[0] == 101
    _, transport, recorder = house.door.next_open()
    assert transport.peer.certificate == b"certificate"
    assert [recorder.next_text() for _ in range(3)] == ["1", "22222222", "3"]


def test_the_handshake_of_the_stream_takes_its_time(build: Build) -> None:
    house = build(make_stream=Greeting)
    client = house.connect()
    house.wait(lambda: any(arrival._watched == READ for arrival in house.listener._arrivals))
    client.send(b"hello")
    client.send(request())
    assert client.read_head()[0] == 101


def test_the_handshake_of_the_stream_fails(build: Build) -> None:
    house = build(make_stream=Greeting)
    client = house.connect()
    client.send(b"no such thing")
    assert client.at_end()
    assert house.door.next_failure() == "TLS handshake failed: no greeting"


class Fickle(PlainStream):
    """Wants to write, then to read, then to write before it is secure, and gives nothing at the first read."""

    __slots__ = ("steps",)

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.steps = [WRITE, READ, WRITE]

    def handshake(self) -> int:
        return self.steps.pop(0) if self.steps else 0

    def pending(self) -> bool:
        return True


def test_the_handshake_of_the_stream_goes_both_ways(build: Build) -> None:
    house = build(make_stream=Fickle)
    assert house.status(request()) == 101
    house.door.next_open()


class Full(PlainStream):
    """Cannot take what is written."""

    __slots__ = ()

    def send(self, data: bytes | bytearray) -> int:
        if data.startswith(b"HTTP/1.1 101"):
            raise BlockingIOError
        return len(data) - 1


@pytest.mark.parametrize("target", ["/openocpp/CP1", "/other"])
def test_an_answer_that_is_not_taken_ends_it(build: Build, target: str) -> None:
    house = build(make_stream=Full)
    assert house.status(request(target)) == 0
    assert house.door.next_failure() == "the answer was not taken"
    house.idle()


def test_an_arrival_tells_its_state(build: Build) -> None:
    house = build()
    house.connect()
    house.wait(lambda: bool(house.listener._arrivals))
    assert "arrival from 127.0.0.1:" in repr(next(iter(house.listener._arrivals)))
