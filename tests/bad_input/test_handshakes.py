"""The way into our central system, and our charge point's way into another: paths, passwords, answers that are none."""

from __future__ import annotations

import threading
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest

from openocpp import (
    ChargePointConfig,
    ConnectFailure,
    IChargePoint,
    MemoryOcppConfig,
    RegistrationStatus,
    Runtime,
)
from tests.bad_input.sides import (
    PASSWORD,
    Application,
    Central,
    Peer,
    request,
)
from tests.conftest import scaled
from tests.transport.peers import LIMIT
from tests.transport.servers import PROTOCOL, RawServer, read_request, switching

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator


def basic(user: str, password: bytes) -> str:
    return "Basic " + b64encode(user.encode() + b":" + password).decode()


HANDSHAKES = {
    "the right one": (request("/ocpp/CP1"), 101),
    "another path": (request("/other/CP1"), 404),
    "the path in another case": (request("/OCPP/CP1"), 404),
    "a longer name of the path": (request("/ocpp-x/CP1"), 404),
    "no path": (request("/"), 404),
    "no identity": (request("/ocpp"), 404),
    "an empty identity": (request("/ocpp/"), 404),
    "two segments": (request("/ocpp/a/CP1"), 404),
    "an empty segment": (request("/ocpp//CP1"), 404),
    "something behind the identity": (request("/ocpp/CP1/"), 404),
    "dots": (request("/ocpp/../ocpp/CP1"), 404),
    "a broken escape": (request("/ocpp/CP%4"), 400),
    "an escape that is no UTF-8": (request("/ocpp/CP%ff"), 400),
    "not to upgrade": (request("/ocpp/CP1", Upgrade=None, Connection="close"), 426),
    "to another protocol": (request("/ocpp/CP1", Upgrade="h2c"), 426),
    "another version": (request("/ocpp/CP1", Sec_WebSocket_Version="8"), 426),
    "no key": (request("/ocpp/CP1", Sec_WebSocket_Key=None), 400),
    "a key that is none": (request("/ocpp/CP1", Sec_WebSocket_Key="!"), 400),
    "no host": (request("/ocpp/CP1", Host=None), 400),
    "bytes in the sub-protocol": (request("/ocpp/CP1", Sec_WebSocket_Protocol="ocpp\xff"), 400),
    "HTTP/1.0": (request("/ocpp/CP1").replace(b"HTTP/1.1", b"HTTP/1.0"), 400),
    "POST": (request("/ocpp/CP1").replace(b"GET", b"POST"), 405),
    "no request": (b"hello\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "a header without end": (request("/ocpp/CP1", X="x" * 9000), 431),
    "a target without end": (b"GET /" + b"a" * 9000, 431),
}


@pytest.mark.parametrize("name", HANDSHAKES)
def test_who_asks_wrongly_is_told_so_and_others_are_served(central: Central, name: str) -> None:
    data, status = HANDSHAKES[name]
    peer = central.raw()
    peer.send(data)
    assert peer.read_head()[0] == status
    if status != 101:
        assert peer.at_end()
        assert central.events.charge_points == []
    assert central.connected("CP2").is_alive()


@pytest.mark.parametrize("offered", [None, "ocpp2.0.1", "ocpp1.5, OCPP1.6", "ocpp1.6J"])
def test_without_the_sub_protocol_the_connection_is_closed_at_once(central: Central, offered: str | None) -> None:
    peer = central.raw()
    peer.send(request("/ocpp/CP1", Sec_WebSocket_Protocol=offered))
    status, fields = peer.read_head()
    assert status == 101
    assert "sec-websocket-protocol" not in fields
    assert peer.read_close() == 1002
    assert central.connected("CP2").is_alive()
    assert [charge_point.identifier for charge_point in central.events.charge_points] == ["CP2"]


PASSWORDS = {
    "the right one": (basic("CP1", PASSWORD), 101),
    "a wrong one": (basic("CP1", PASSWORD[:-1]), 401),
    "a longer one": (basic("CP1", PASSWORD + b"\0"), 401),
    "an empty one": (basic("CP1", b""), 401),
    "of another": (basic("CP2", PASSWORD), 401),
    "of nobody": (basic("", PASSWORD), 401),
    "no user": ("Basic " + b64encode(PASSWORD).decode(), 401),
    "no base64": ("Basic ????", 401),
    "base64 of nothing": ("Basic ", 401),
    "another scheme": ("Bearer " + b64encode(b"CP1:" + PASSWORD).decode(), 401),
    "none": (None, 401),
}


@pytest.fixture(scope="module")
def guarded(runtime: Runtime) -> Iterator[Central]:
    made = Central(runtime, http_basic_authent=True)
    yield made
    made.close()


@pytest.mark.parametrize("name", PASSWORDS)
def test_passwords(guarded: Central, name: str) -> None:
    authorization, status = PASSWORDS[name]
    peer = guarded.raw()
    peer.send(request("/ocpp/CP1", Authorization=authorization))
    answered, fields = peer.read_head()
    assert answered == status
    if status == 401:
        assert fields["www-authenticate"].startswith("basic realm=")
        assert peer.at_end()


def answering(answer: bytes) -> Callable[[bytes], bytes]:
    return lambda asked: answer


def http(status: str, *fields: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "Content-Length: 0", "", ""]).encode()


SERVERS: dict[str, tuple[Callable[[bytes], bytes], ConnectFailure, int | None]] = {
    "unauthorized": (answering(http("401 Unauthorized")), ConnectFailure.HTTP_STATUS, 401),
    "not found": (answering(http("404 Not Found")), ConnectFailure.HTTP_STATUS, 404),
    "unavailable": (answering(http("503 Service Unavailable")), ConnectFailure.HTTP_STATUS, 503),
    "a redirect": (answering(http("302 Found", "Location: ws://127.0.0.1:1/")), ConnectFailure.HTTP_STATUS, 302),
    "no upgrade": (answering(http("200 OK")), ConnectFailure.HTTP_STATUS, 200),
    "no HTTP": (answering(b"220 mail.example.org ESMTP\r\n\r\n"), ConnectFailure.PROTOCOL, None),
    "a header without end": (answering(b"HTTP/1.1 101 X\r\nX: " + b"x" * 20_000), ConnectFailure.PROTOCOL, None),
    "nothing": (answering(b""), ConnectFailure.NETWORK, None),
    "half a header": (answering(b"HTTP/1.1 101 Swit"), ConnectFailure.NETWORK, None),
    "no sub-protocol": (switching, ConnectFailure.PROTOCOL, None),
    "another sub-protocol": (
        lambda asked: switching(asked, "Sec-WebSocket-Protocol: ocpp2.0.1"),
        ConnectFailure.PROTOCOL,
        None,
    ),
    "compression that nobody offered": (
        lambda asked: switching(asked, PROTOCOL, "Sec-WebSocket-Extensions: permessage-deflate"),
        ConnectFailure.PROTOCOL,
        None,
    ),
    "a wrong key": (
        lambda asked: switching(asked, PROTOCOL).replace(b"Accept: ", b"Accept: x"),
        ConnectFailure.PROTOCOL,
        None,
    ),
}


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_that_answers_wrongly_is_tried_again(runtime: Runtime, name: str) -> None:
    """The attempt fails with a reason; the next one, against a server that has learnt it, succeeds."""
    answer, reason, status = SERVERS[name]
    booted = threading.Event()
    attempts: list[bytes] = []

    def serve(sock: socket.socket) -> None:
        asked = read_request(sock)
        attempts.append(asked)
        if len(attempts) == 1:
            sock.sendall(answer(asked))
            return
        sock.sendall(switching(asked, PROTOCOL))
        peer = Peer(sock, client=False, good="")
        peer.next_call("BootNotification")
        booted.set()
        peer.next_close()

    failed: list[Any] = []

    class Watching(Application):
        def connection_failed(self, status: RegistrationStatus) -> None:
            failed.append(charge_point.last_connection_error)

    with RawServer(serve) as server:
        config = ChargePointConfig(
            connexion_url=f"ws://127.0.0.1:{server.port}/ocpp",
            charge_point_identifier="CP1",
            connection_timeout=scaled(10),
            retry_interval=0.2,
            log_max_entries_count=0,
        )
        charge_point = IChargePoint.create(config, MemoryOcppConfig({"NumberOfConnectors": 1}), Watching(), runtime)
        assert charge_point.start()
        assert booted.wait(LIMIT)
        assert charge_point.is_connected
        charge_point.stop()
    assert len(failed) == 1
    if failed[0] is not None:  # None: connected again before the callback looked
        assert (failed[0].reason, failed[0].status) == (reason, status)
