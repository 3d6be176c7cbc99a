"""A central system on real loopback sockets: the upgrade byte by byte, passwords, broken messages, links that die."""

from __future__ import annotations

import json
import os
import struct
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest

from openocpp import CentralSystemConfig, ICentralSystem, Runtime
from tests.centralsystem.bench import Events
from tests.centralsystem.raw import LIMIT, Served
from tests.conftest import open_descriptors
from tests.transport.frames import BINARY, CLOSE, CONTINUATION, TEXT, frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    with Runtime(workers=4, name="test") as made:
        yield made


@pytest.fixture
def serve(runtime: Runtime) -> Iterator[Callable[..., Served]]:
    """Makes central systems with these settings."""
    made: list[Served] = []

    def make(**settings: Any) -> Served:
        made.append(Served(runtime, **settings))
        return made[-1]

    yield make
    for served in made:
        served.close()


@pytest.fixture
def served(serve: Callable[..., Served]) -> Served:
    return serve()


# -- path and identity -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/openocpp/", "/openocpp"])
@pytest.mark.parametrize(
    ("target", "identity"),
    [
        ("/openocpp/CP1", "CP1"),
        ("/openocpp/RDAM%20123", "RDAM 123"),
        ("/openocpp/CP1?token=x", "CP1"),
        ("/openocpp/K+L", "K+L"),
        ("/openocpp/D%2FE", "D/E"),
        ("/openocpp/%C3%A9t%C3%A9", "été"),
        ("/openocpp", None),
        ("/openocpp/", None),
        ("/openocpp-x/CP1", None),
        ("/openocpp/a/CP1", None),
        ("/openocpp//CP1", None),
        ("/openocpp/CP1/", None),
        ("/other/CP1", None),
        ("/", None),
    ],
)
def test_the_path_must_be_the_listening_one_and_one_segment(
    serve: Callable[..., Served], path: str, target: str, identity: str | None
) -> None:
    served = serve(path=path)
    client = served.client(target)
    if identity is None:
        assert client.status() == 404
        served.wait_for(lambda: served.events.failed == ["127.0.0.1"])
        assert served.events.charge_points == []
    else:
        assert client.status() == 101
        served.wait_for(lambda: served.events.charge_points)
        assert served.events.charge_points[0].identifier == identity


def test_a_plain_request_is_asked_to_upgrade(served: Served) -> None:
    client = served.raw()
    client.sock.sendall(b"GET /openocpp/CP1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert client.status() == 426
    assert client.hung_up()
    served.wait_for(lambda: served.events.failed == ["127.0.0.1"])


def test_what_is_not_http_is_dropped_and_reported(served: Served) -> None:
    client = served.raw()
    client.sock.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc" + os.urandom(200) + b"\r\n\r\n")
    assert client.status() in (0, 400)
    served.wait_for(lambda: served.events.failed == ["127.0.0.1"])


def test_a_handshake_that_never_ends_is_given_up_and_reported(serve: Callable[..., Served]) -> None:
    served = serve(handshake_timeout=0.2)
    client = served.raw()
    client.sock.sendall(b"GET /openocpp/CP1 HTTP/1.1\r\n")
    assert client.hung_up()
    served.wait_for(lambda: served.events.failed == ["127.0.0.1"])


def test_those_who_are_in_the_middle_of_it_at_stop_are_not_reported(serve: Callable[..., Served]) -> None:
    served = serve()
    client = served.raw()
    client.sock.sendall(b"GET /openocpp/CP1 HTTP/1.1\r\n")
    served.wait_for(lambda: served.events.addresses)
    assert served.central_system.stop()
    assert client.hung_up()
    assert served.events.failed == []


# -- sub-protocol ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocols", ["ocpp1.6", "ocpp2.0.1, ocpp1.6", "ocpp1.6,ocpp1.5"])
def test_the_sub_protocol_is_chosen_wherever_it_stands(served: Served, protocols: str) -> None:
    client = served.client(protocols=protocols)
    assert client.status() == 101
    assert b"\r\nsec-websocket-protocol: ocpp1.6" in client.head.lower()
    assert client.call("Heartbeat")[0] == 3


@pytest.mark.parametrize("protocols", ["ocpp2.0.1", None])
def test_without_a_common_sub_protocol_the_connection_is_closed_at_once(served: Served, protocols: str | None) -> None:
    client = served.client(protocols=protocols)
    assert client.status() == 101
    assert b"sec-websocket-protocol" not in client.head.lower()
    assert client.close_code() == 1002
    served.wait_for(lambda: served.events.failed == ["127.0.0.1"])
    assert served.events.charge_points == []


def test_no_sub_protocol_can_be_allowed(serve: Callable[..., Served]) -> None:
    served = serve(accept_without_subprotocol=True)
    client = served.client(protocols=None)
    assert client.status() == 101
    assert client.call("Heartbeat")[0] == 3


# -- basic authentication ----------------------------------------------------------------------------------------------


def basic(user: str, password: bytes) -> str:
    return "Basic " + b64encode(user.encode() + b":" + password).decode()


@pytest.fixture
def guarded(serve: Callable[..., Served]) -> Served:
    return serve(http_basic_authent=True)


KEY_BYTES = bytes.fromhex("0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF")


@pytest.mark.parametrize(
    ("authorization", "status", "asked"),
    [
        ("Basic QUwxMDAwOgABAgMEBQYH////////////////", 101, KEY_BYTES),
        (basic("AL1000", KEY_BYTES[:-1]), 401, KEY_BYTES[:-1]),
        (basic("AL1000", b"a\x00b:\xff"), 401, b"a\x00b:\xff"),
        (basic("AL1000", b""), 401, b""),
        (basic("AL1000", b"x" * 400), 401, b"x" * 400),
        (basic("AL1001", KEY_BYTES), 401, None),
        ("Bearer QUwxMDAwOgABAgMEBQYH", 401, None),
        ("Basic ?????", 401, None),
        ("Basic QUwxMDAw", 401, None),
        (None, 401, None),
    ],
    ids=[
        "good",
        "wrong",
        "NUL, colon, high byte",
        "empty",
        "long",
        "other user",
        "bearer",
        "no base64",
        "no colon",
        "none",
    ],
)
def test_passwords(guarded: Served, authorization: str | None, status: int, asked: bytes | None) -> None:
    guarded.events.passwords.clear()
    guarded.events.right = lambda identifier, password: password == KEY_BYTES
    fields = {} if authorization is None else {"Authorization": authorization}
    client = guarded.client("/openocpp/AL1000", **fields)
    assert client.status() == status
    assert guarded.events.passwords == ([] if asked is None else [("AL1000", asked)])
    if status == 401:
        assert b"\r\nwww-authenticate: basic realm=" in client.head.lower()
        assert client.hung_up()


def test_a_password_that_is_not_wanted_is_not_looked_at(served: Served) -> None:
    client = served.client(Authorization="Basic ?????")
    assert client.status() == 101
    assert served.events.passwords == []


def test_an_unknown_charge_point_is_told_nothing_about_passwords(guarded: Served) -> None:
    guarded.events.known = lambda identifier: identifier != "stranger"
    client = guarded.client("/openocpp/stranger", Authorization=basic("stranger", b"x"))
    assert client.status() == 404
    assert b"www-authenticate" not in client.head.lower()


# -- messages that nobody should send ----------------------------------------------------------------------------------


def test_the_server_goes_on_after_everything_that_can_be_sent(served: Served) -> None:
    client = served.connected()
    answer = client.call("StartTransaction", {"connectorId": 2**33, "idTag": "A", "meterStart": 0, "timestamp": "x"})
    assert answer[:3] == [4, "1", "PropertyConstraintViolation"]
    client.send('[2,"1","Heartbeat",' + "[" * 5000 + "]" * 5000 + "]")
    assert client.text()[0] == 4
    for text in ("", "{", "[]", "[2]", "[9,1,2]", '[3,"none",{}]', '[4,"none","E","",{}]', '"text"', "null"):
        client.send(text)
    client.send('[2,"1","Heartbeat",null]')
    assert client.text()[:2] == [3, "1"]
    assert client.call("Invented")[2] == "NotImplemented"
    assert client.call("Reset", {"type": "Soft"})[2] == "NotSupported"
    assert client.call("Heartbeat")[0] == 3


def test_a_message_in_several_frames_is_put_together(served: Served) -> None:
    client = served.connected()
    text = json.dumps([2, "7", "DataTransfer", {"vendorId": "V", "data": "é" * 3000}], ensure_ascii=False).encode()
    parts = [text[index : index + 999] for index in range(0, len(text), 999)]
    client.sock.sendall(frame(parts[0], TEXT, final=False))
    for part in parts[1:-1]:
        client.sock.sendall(frame(part, CONTINUATION, final=False))
    client.sock.sendall(frame(parts[-1], CONTINUATION))
    assert client.text() == [3, "7", {"status": "Accepted", "data": "pong"}]
    assert served.events.handlers[0].of("data_transfer") == [("V", "", "é" * 3000)]


def test_a_long_message_passes_and_a_longer_one_ends_its_connection(served: Served) -> None:
    client = served.connected()
    assert client.call("DataTransfer", {"vendorId": "V", "data": "x" * 1_000_000})[0] == 3
    try:
        client.send(json.dumps([2, "8", "DataTransfer", {"vendorId": "V", "data": "x" * 1_100_000}]))
    except ConnectionError:
        pass  # the server closed before it had read all of it
    assert client.close_code() == 1009
    other = served.connected("/openocpp/CP2")
    assert other.call("Heartbeat")[0] == 3


def test_a_binary_frame_ends_its_connection_only(served: Served) -> None:
    client, other = served.connected("/openocpp/CP1"), served.connected("/openocpp/CP2")
    client.sock.sendall(frame(b'[2,"1","Heartbeat",{}]', BINARY))
    assert client.close_code() == 1003
    assert other.call("Heartbeat")[0] == 3


def test_invalid_utf_8_ends_its_connection_only(served: Served) -> None:
    client, other = served.connected("/openocpp/CP1"), served.connected("/openocpp/CP2")
    client.sock.sendall(frame(b'[2,"1","Heart\xffbeat",{}]'))
    assert client.close_code() == 1007
    assert other.call("Heartbeat")[0] == 3


def test_who_sends_without_end_and_without_reading_is_held_back(runtime: Runtime, serve: Callable[..., Served]) -> None:
    """Reading stops long before memory is full, and goes on when the handler does."""
    served = serve(max_queued_calls=8)
    client = served.connected()
    free = runtime.waiter()
    served.events.handlers[0].on["authorize"] = lambda id_tag: free.wait(LIMIT)
    client.sock.settimeout(0.2)
    sent = 0
    text = json.dumps([2, "0", "Authorize", {"idTag": "A"}])
    try:
        for number in range(2_000_000):
            client.sock.sendall(frame(text.replace('"0"', f'"{number}"', 1)))
            sent += 1
    except TimeoutError:
        pass
    except ConnectionError:
        pass  # closed with 1013: more than what may be held back had been read already
    free.set(None)
    assert sent < 1_000_000
    other = served.connected("/openocpp/CP2")
    assert other.call("Heartbeat")[0] == 3


# -- ends --------------------------------------------------------------------------------------------------------------


def test_a_link_that_falls_silent_is_given_up(serve: Callable[..., Served]) -> None:
    served = serve(web_socket_ping_interval=0.2)
    client = served.connected()
    handler = served.events.handlers[0]
    opcode, _ = client.frame()
    assert opcode == 9
    served.wait_for(lambda: handler.of("disconnected"))  # no pong was sent
    assert not served.events.charge_points[0].is_connected


def test_the_server_s_disconnect_is_a_normal_close(served: Served) -> None:
    client = served.connected()
    served.events.charge_points[0].disconnect()
    assert client.close_code() == 1000
    client.sock.sendall(frame(struct.pack("!H", 1000), CLOSE))
    assert client.hung_up()
    served.wait_for(lambda: served.events.handlers[0].of("disconnected"))


def test_stop_closes_with_1001_and_gives_everything_back(serve: Callable[..., Served]) -> None:
    serve().close()  # what a runtime takes at its first use it keeps
    before = len(open_descriptors())
    served = serve()
    clients = [served.connected(f"/openocpp/CP{number}") for number in range(20)]
    assert served.central_system.stop()
    assert {client.close_code() for client in clients} == {1001}
    assert all(len(handler.of("disconnected")) == 1 for handler in served.events.handlers)
    served.close()
    assert len(open_descriptors()) <= before


def test_a_port_that_is_in_use_makes_start_fail_until_it_is_free(runtime: Runtime, served: Served) -> None:
    url = f"ws://127.0.0.1:{served.central_system.port}/"
    second = ICentralSystem.create(CentralSystemConfig(listen_url=url), Events(), runtime)
    assert not second.start()
    served.central_system.stop()
    assert second.start()
    assert second.stop()


def test_a_name_that_cannot_be_resolved_makes_start_fail(runtime: Runtime) -> None:
    config = CentralSystemConfig(listen_url="ws://no-such-host.invalid:0/")
    assert not ICentralSystem.create(config, Events(), runtime).start()
