from __future__ import annotations

import errno
import os
import resource
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.errors import ConfigError, StateError, TransportError
from openocpp.runtime import Runtime
from openocpp.transport.base import Accepted, ListenSettings, Refused
from openocpp.transport.listen import listen
from openocpp.transport.url import Url
from tests.conftest import open_descriptors
from tests.transport.doors import House, OpenDoor, request
from tests.transport.peers import LIMIT, RawPeer, on_scheduler

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


def test_the_port_is_known(build: Build) -> None:
    house = build()
    assert house.listener.port > 0
    assert str(house.listener.port) in repr(house.listener)


def test_a_busy_port_is_an_error(build: Build, runtime: Runtime) -> None:
    port = build().listener.port
    settings = ListenSettings(Url.parse(f"ws://127.0.0.1:{port}/"))
    with pytest.raises(TransportError, match=f"127.0.0.1:{port}"):
        listen(runtime, settings, OpenDoor(runtime))


def test_tls_needs_a_stream_of_its_own(runtime: Runtime) -> None:
    with pytest.raises(ConfigError, match="wss"):
        listen(runtime, ListenSettings(Url.parse("wss://127.0.0.1:1/")), OpenDoor(runtime))


def test_the_scheduler_may_neither_listen_nor_close(build: Build, runtime: Runtime) -> None:
    house = build()
    with pytest.raises(StateError):
        on_scheduler(runtime, lambda: listen(runtime, house.settings, house.door))
    with pytest.raises(StateError):
        on_scheduler(runtime, house.listener.close)


@pytest.mark.parametrize("host", ["*", "[::]", "0.0.0.0", "localhost"])
def test_ipv4_clients_are_known_by_their_ipv4_address(build: Build, host: str) -> None:
    house = build(url=f"ws://{host}:0/openocpp")
    assert house.status(request()) == 101
    assert house.door.knocks == ["127.0.0.1"]


def test_many_come_at_once(build: Build) -> None:
    house = build()
    clients = [house.ask(request(f"/openocpp/CP{number}")) for number in range(100)]
    assert [client.read_head()[0] for client in clients] == [101] * 100
    found = {house.door.next_open()[0].identity for _ in range(100)}
    assert found == {f"CP{number}" for number in range(100)}


# -- limits ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", ["max_handshakes", "max_handshakes_per_address"])
def test_handshakes_in_flight_are_limited(build: Build, limit: str) -> None:
    house = build(**{limit: 3})
    waiting = [house.connect() for _ in range(3)]
    assert house.connect().at_end()
    house.wait(lambda: len(house.door.knocks) == 3)
    waiting.pop().sock.close()
    assert house.door.next_failure()
    house.wait(lambda: len(house.listener._arrivals) == 2)
    assert house.status(request()) == 101
    for client in waiting:
        client.send(request())
        assert client.read_head()[0] == 101
    assert [house.status(request()) for _ in range(5)] == [101] * 5  # open connections do not count


def test_another_address_has_a_limit_of_its_own(build: Build) -> None:
    house = build(url="ws://0.0.0.0:0/openocpp", max_handshakes_per_address=1)
    house.connect()
    assert house.connect().at_end()
    with socket.create_connection(("127.0.0.1", house.listener.port), LIMIT, source_address=("127.0.0.2", 0)) as sock:
        client = RawPeer(sock)
        client.send(request())
        assert client.read_head()[0] == 101
        assert "127.0.0.2" in house.door.knocks


def test_connections_per_address_are_limited(build: Build) -> None:
    house = build(max_connections_per_address=2)
    clients = [house.ask(request()) for _ in range(2)]
    assert [client.read_head()[0] for client in clients] == [101, 101]
    assert house.connect().at_end()
    _, _, recorder = house.door.next_open()
    house.door.next_open()
    clients[0].close()
    clients[1].close()
    recorder.end()
    house.wait(lambda: not house.listener._connected)
    assert house.status(request()) == 101


def test_an_address_that_fails_to_authenticate_too_often_is_refused(
    build: Build, caplog: pytest.LogCaptureFixture
) -> None:
    house = build(failures_per_minute=3)
    house.door.on_admit = lambda _: Refused(404, reason="unknown")
    assert [house.status(request()) for _ in range(5)] == [404] * 5
    house.door.on_admit = lambda _: Refused(401, reason="wrong password")
    assert [house.status(request()) for _ in range(3)] == [401] * 3
    house.door.on_admit = Accepted
    assert [house.status(request()) for _ in range(3)] == [0] * 3
    assert len(house.door.knocks) == 8  # the last three were not asked about
    assert caplog.text.count("404 unknown") == 1
    assert caplog.text.count("refused for a minute") == 1
    assert caplog.text.count("too many failed authentications") == 1


def test_no_descriptor_is_left(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    house = build()
    clients = [socket.socket() for _ in range(3)]
    for client in clients:
        client.settimeout(LIMIT)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    fillers: list[int] = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (len(open_descriptors()) + 20, limits[1]))
        with pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
            fill(fillers)
        for client in clients:
            client.connect(("127.0.0.1", house.listener.port))
            assert client.recv(1) == b""
    finally:
        for filler in fillers:
            os.close(filler)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for client in clients:
            client.close()
    assert house.door.knocks == []
    assert house.status(request()) == 101
    assert "no descriptor is left" in caplog.text


def fill(fillers: list[int]) -> None:
    while True:
        fillers.append(os.dup(0))


class Stubborn:
    """A listening socket that cannot accept."""

    def __init__(self, sock: socket.socket, *errors: int) -> None:
        self._sock = sock
        self._errors = list(errors)

    def accept(self) -> Any:
        if self._errors:
            number = self._errors.pop(0)
            raise OSError(number, os.strerror(number))
        return self._sock.accept()


@pytest.mark.parametrize(
    ("errors", "lost"),
    [
        ((errno.ECONNABORTED, errno.EPROTO), False),
        ((errno.ENOBUFS,), False),
        ((errno.EMFILE, errno.EMFILE), False),
        ((errno.EMFILE,), True),
    ],
)
def test_errors_of_accept(
    build: Build, runtime: Runtime, monkeypatch: pytest.MonkeyPatch, errors: tuple[int, ...], lost: bool
) -> None:
    house = build()
    stubborn: Any = Stubborn(house.listener._sockets[0], *errors)
    accept = house.listener._accept

    def replaced() -> None:
        monkeypatch.setattr(house.listener, "_accept", lambda _, events: accept(stubborn, events))
        runtime.scheduler.unregister(house.listener._sockets[0])
        house.listener.open()

    on_scheduler(runtime, replaced)
    assert house.status(request()) == (0 if lost else 101)
    assert house.status(request()) == 101


def test_without_its_reserve_it_rests_until_there_is_one(
    build: Build, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = build()
    refusals = [1, 2]
    real = os.open

    def refuse(*args: Any) -> int:
        if refusals:
            refusals.pop()
            raise OSError(errno.EMFILE, "no")
        return real(*args)

    def exhausted() -> None:
        monkeypatch.setattr(os, "open", refuse)
        sock: Any = Stubborn(house.listener._sockets[0], errno.EMFILE, errno.ECONNABORTED)
        house.listener._accept(sock, 0)
        assert house.listener._reserve is None

    on_scheduler(runtime, exhausted)
    assert house.status(request()) == 101
    assert house.listener._reserve is not None


def test_a_stream_that_cannot_be_made_costs_one_connection(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    def make(_: socket.socket) -> Any:
        raise TransportError("no such certificate")

    house = build(make_stream=make)
    assert house.connect().at_end()
    assert "no such certificate" in caplog.text
    assert house.door.knocks == []


# -- close -------------------------------------------------------------------------------------------------------------


def test_close_leaves_open_connections_and_drops_handshakes(build: Build) -> None:
    house = build()
    open_client = house.ask(request())
    assert open_client.read_head()[0] == 101
    _, _, recorder = house.door.next_open()
    half = house.ask(request()[:-2])
    mismatched = house.ask(request(Sec_WebSocket_Protocol=None))
    assert mismatched.read_head()[0] == 101
    assert house.door.next_failure() == "no common sub-protocol"
    refused = house.ask(request("/other"))
    assert refused.read_head()[0] == 404
    assert house.door.next_failure().startswith("404")
    house.listener.close()
    house.listener.close()
    assert half.at_end()
    assert refused.at_end()
    assert mismatched.read_close() == 1002
    assert mismatched.at_end()
    house.idle()
    with pytest.raises(OSError, match="refused"):
        house.connect()
    open_client.text("still here")
    assert recorder.next_text() == "still here"
    assert house.door.nothing_more()
    assert "closed" in repr(house.listener)


@pytest.mark.parametrize("where", ["on_knock", "on_admit"])
def test_close_while_the_door_thinks(build: Build, where: str) -> None:
    house = build()
    asked, answer = threading.Event(), threading.Event()

    def think(identity: str) -> Any:
        asked.set()
        assert answer.wait(LIMIT)
        return True if where == "on_knock" else Accepted(identity)

    setattr(house.door, where, think)
    client = house.ask(request())
    assert asked.wait(LIMIT)
    house.listener.close()
    assert client.at_end()
    answer.set()
    assert house.door.nothing_more()


def test_close_while_it_rests(build: Build, runtime: Runtime) -> None:
    house = build()
    on_scheduler(runtime, lambda: house.listener._rest("a test"))
    house.listener.close()
    on_scheduler(runtime, house.listener._go_on)
    assert house.listener._closed


def test_close_before_it_has_begun(runtime: Runtime) -> None:
    door = OpenDoor(runtime)
    hold = threading.Event()
    runtime.scheduler.post(lambda: suppress_wait(hold))
    listener = listen(runtime, ListenSettings(Url.parse("ws://127.0.0.1:0/", listening=True)), door)
    hold.set()
    listener.close()
    listener.open()
    assert not listener._sockets[0].fileno() >= 0


def suppress_wait(event: threading.Event) -> None:
    with suppress(Exception):
        event.wait(LIMIT)


def test_close_after_the_runtime_has_stopped() -> None:
    with Runtime(name="short") as runtime:
        house = House(runtime)
    house.listener.close()
    assert house.listener._sockets[0].fileno() == -1


def test_the_same_port_again_at_once(build: Build, runtime: Runtime) -> None:
    house = build()
    port = house.listener.port
    client = house.ask(request())
    assert client.read_head()[0] == 101
    house.listener.close()
    again = build(url=f"ws://127.0.0.1:{port}/openocpp")
    assert again.status(request()) == 101
