"""Tests of openocpp.transport.connect, over real loopback sockets."""

from __future__ import annotations

import contextlib
import gc
import queue
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

from openocpp.errors import ConnectError, ConnectFailure
from openocpp.runtime import Runtime
from openocpp.transport.base import CloseCode, Closed, Target, Transport
from openocpp.transport.connect import Attempts, connect
from openocpp.transport.upgrade import Channel, upgrade
from openocpp.transport.url import Url
from tests.conftest import open_descriptors, scaled
from tests.transport.servers import (
    PROTOCOL,
    RawServer,
    field,
    read_request,
    switching,
    text_frame,
    wait_for_end,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from websockets.sync.server import ServerConnection

NEVER = 3600.0  # seconds; a test that waits so long has failed


class Try:
    """An attempt, and what came of it. It starts the transport with itself as the receiver."""

    def __init__(self, runtime: Runtime, port: int, path: str = "/ocpp/CP1", host: str = "127.0.0.1", **options: Any):
        self._results: queue.Queue[Transport | ConnectError] = queue.Queue()
        self.texts: queue.Queue[str] = queue.Queue()
        self.ends: queue.Queue[Closed] = queue.Queue()
        self.runtime = runtime
        options = {"ping_interval": 0.0, "connect_timeout": scaled(30)} | options
        secure = options.pop("secure", False)
        url = Url.parse(f"{'wss' if secure else 'ws'}://{host}:{port}{path}")
        self.attempt = connect(runtime, Target(url, **options), self._done)

    def _done(self, result: Transport | ConnectError) -> None:
        assert self.runtime.scheduler.is_current
        if not isinstance(result, ConnectError):
            result.start(self)
        self._results.put(result)

    def text_received(self, text: str) -> None:
        self.texts.put(text)

    def closed(self, why: Closed) -> None:
        self.ends.put(why)

    def result(self) -> Transport | ConnectError:
        return self._results.get(timeout=scaled(30))

    @property
    def transport(self) -> Transport:
        result = self.result()
        assert not isinstance(result, ConnectError), result
        return result

    @property
    def error(self) -> ConnectError:
        result = self.result()
        assert isinstance(result, ConnectError)
        return result

    def do(self, step: Callable[[], None]) -> None:
        self.runtime.scheduler.post(step)

    def assert_done_once(self) -> None:
        settle(self.runtime)
        assert self._results.empty()


def settle(runtime: Runtime) -> None:
    """Wait until the scheduler has done what it was given before."""
    for _ in range(3):
        waiter = runtime.waiter()
        runtime.scheduler.post(lambda waiter=waiter: waiter.set(None) and None)  # type: ignore[misc]
        assert waiter.wait(scaled(30))


NAME = "runtime-of-test-connect"


def descriptors() -> int:
    return len(open_descriptors())


@pytest.fixture
def runtime(caplog: pytest.LogCaptureFixture) -> Iterator[Runtime]:
    """A runtime that must leave neither threads nor descriptors, and must have nothing to complain about."""
    before = descriptors()
    made = Runtime(connectors=4, name=NAME)
    yield made
    made.stop()
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith(NAME)] == []
    for _ in range(20):  # those of other tests' threads come and go, those of foreign servers go with the garbage
        if descriptors() <= before:
            break
        gc.collect()
        threading.Event().wait(0.02)
    assert descriptors() <= before
    assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


def accepting(connection: socket.socket) -> None:
    connection.sendall(switching(read_request(connection), PROTOCOL))
    wait_for_end(connection)


@contextlib.contextmanager
def deaf_address() -> Iterator[int]:
    """The port of a socket whose backlog is full: connections to it are never answered."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


# -- success -----------------------------------------------------------------------------------------------------------


def test_a_conversation_with_a_foreign_server(runtime: Runtime) -> None:
    paths: list[str] = []

    def echo(connection: ServerConnection) -> None:
        assert connection.request is not None
        paths.append(connection.request.path)
        assert connection.subprotocol == "ocpp1.6"
        with contextlib.suppress(ConnectionClosed):
            for message in connection:
                connection.send(f"re: {message!s}")

    with serve(echo, "127.0.0.1", 0, subprotocols=["ocpp1.6"]) as server:  # type: ignore[list-item]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        client = Try(runtime, server.socket.getsockname()[1], "/ocpp/RDAM%20123")
        transport = client.transport
        assert transport.peer.address == "127.0.0.1"
        for text in ("hello", "x" * 100_000):
            client.do(lambda text=text: transport.send(text))  # type: ignore[misc]
            assert client.texts.get(timeout=scaled(30)) == f"re: {text}"
        client.do(lambda: transport.close(CloseCode.GOING_AWAY, "bye"))
        assert client.ends.get(timeout=scaled(30)).code == CloseCode.GOING_AWAY
        server.shutdown()
        thread.join()
    assert paths == ["/ocpp/RDAM%20123"]
    client.assert_done_once()


def test_credentials_are_sent(runtime: Runtime) -> None:
    requests: queue.Queue[bytes] = queue.Queue()

    def handler(connection: socket.socket) -> None:
        request = read_request(connection)
        requests.put(request)
        connection.sendall(switching(request, PROTOCOL))
        wait_for_end(connection)

    with RawServer(handler) as server:
        client = Try(runtime, server.port, user="AL1000", password=bytes.fromhex("0001020304050607" + "FF" * 12))
        client.do(client.transport.abort)
        request = requests.get(timeout=scaled(30))
        assert field(request, "Authorization") == "Basic QUwxMDAwOgABAgMEBQYH////////////////"
        assert field(request, "Host") == f"127.0.0.1:{server.port}"
        client.ends.get(timeout=scaled(30))


def test_a_message_right_behind_the_answer_is_delivered(runtime: Runtime) -> None:
    def handler(connection: socket.socket) -> None:
        connection.sendall(switching(read_request(connection), PROTOCOL) + text_frame("early"))
        wait_for_end(connection)

    with RawServer(handler) as server:
        client = Try(runtime, server.port)
        assert client.texts.get(timeout=scaled(30)) == "early"
        client.do(client.transport.abort)
        client.ends.get(timeout=scaled(30))


def test_many_at_once(runtime: Runtime) -> None:
    with RawServer(accepting) as server:
        clients = [Try(runtime, server.port, f"/CP{n}") for n in range(60)]
        for client in clients:
            client.do(client.transport.abort)
        for client in clients:
            client.ends.get(timeout=scaled(30))


def test_a_host_name_is_resolved_and_all_its_addresses_are_tried(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RawServer(accepting) as server, deaf_address() as deaf:
        tcp = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        addresses = [("127.0.0.1", port) for port in (closed_port(), deaf, server.port)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(*tcp, address) for address in addresses])
        client = Try(runtime, server.port, host="central.example", connect_timeout=scaled(1.0))
        assert client.transport.peer.port == server.port
        client.do(client.attempt.cancel)  # too late: without effect
        settle(runtime)
        assert client.ends.empty()


# -- failure -----------------------------------------------------------------------------------------------------------


def test_refused(runtime: Runtime) -> None:
    port = closed_port()
    client = Try(runtime, port, user="CP1", password=b"secret")
    error = client.error
    assert error.reason is ConnectFailure.REFUSED
    assert f"127.0.0.1:{port}" in str(error)
    assert "secret" not in str(error)
    client.assert_done_once()


def test_the_most_telling_failure_is_reported(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    tcp = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
    no_family = (-1, socket.SOCK_STREAM, 6, "")
    found = [(*tcp, ("255.255.255.255", 1)), (*tcp, ("127.0.0.1", closed_port())), (*no_family, ("::1", 1))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert Try(runtime, 9000, host="central.example").error.reason is ConnectFailure.REFUSED
    del found[1]
    assert Try(runtime, 9000, host="central.example").error.reason is ConnectFailure.NETWORK


def test_no_answer_from_tcp(runtime: Runtime) -> None:
    with deaf_address() as port:
        assert Try(runtime, port, connect_timeout=0.1).error.reason is ConnectFailure.TIMEOUT


def test_a_server_that_drips_is_given_up_at_the_deadline(runtime: Runtime) -> None:
    def drip(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nX: ")
        pause = threading.Event()
        while not pause.wait(0.01):
            connection.sendall(b"x")

    with RawServer(drip) as server:
        assert Try(runtime, server.port, connect_timeout=0.25).error.reason is ConnectFailure.TIMEOUT


@pytest.mark.parametrize("status", [401, 404])
def test_a_refusal_gives_its_status(runtime: Runtime, status: int) -> None:
    def handler(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode())
        wait_for_end(connection)

    with RawServer(handler) as server:
        error = Try(runtime, server.port).error
    assert (error.reason, error.status) == (ConnectFailure.HTTP_STATUS, status)


def test_an_unknown_host(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    error = Try(runtime, 9000, host="nowhere.example").error
    assert error.reason is ConnectFailure.DNS
    assert "nowhere.example:9000" in str(error)


def test_a_host_that_is_no_name(runtime: Runtime) -> None:
    assert Try(runtime, 9000, host="a..b").error.reason is ConnectFailure.DNS


def test_wss_is_not_there_yet(runtime: Runtime) -> None:
    with RawServer(wait_for_end) as server:
        assert Try(runtime, server.port, secure=True).error.reason is ConnectFailure.TLS


def test_a_bug_ends_the_attempt_and_is_logged(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def stumble(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(socket, "getaddrinfo", stumble)
    assert Try(runtime, 9000).error.reason is ConnectFailure.NETWORK
    assert "ZeroDivisionError" in caplog.text
    caplog.clear()


# -- cancel ------------------------------------------------------------------------------------------------------------


def test_cancel_during_the_upgrade(runtime: Runtime) -> None:
    asked = threading.Event()
    ended = threading.Event()

    def handler(connection: socket.socket) -> None:
        read_request(connection)
        asked.set()
        wait_for_end(connection)
        ended.set()

    with RawServer(handler) as server:
        client = Try(runtime, server.port, connect_timeout=NEVER)
        assert asked.wait(scaled(30))
        client.attempt.cancel()
        client.attempt.cancel()
        assert client.error.reason is ConnectFailure.CANCELLED
        assert ended.wait(scaled(30))
    client.assert_done_once()


def test_cancel_during_tcp(runtime: Runtime) -> None:
    with deaf_address() as port:
        clients = [Try(runtime, port, connect_timeout=NEVER) for _ in range(4)]  # all connector threads
        while not all(client.attempt._sock for client in clients):  # type: ignore[attr-defined]
            settle(runtime)
        for client in clients:
            client.attempt.cancel()
        assert [client.error.reason for client in clients] == [ConnectFailure.CANCELLED] * 4
        assert Try(runtime, closed_port()).error.reason is ConnectFailure.REFUSED  # a thread has come free


class StuckResolver:
    """A resolver that answers only when it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, port: int) -> None:
        self.asked = threading.Event()
        self.let_go = threading.Event()
        self._port = port
        monkeypatch.setattr(socket, "getaddrinfo", self)

    def __call__(self, *_: object, **__: object) -> list[Any]:
        self.asked.set()
        assert self.let_go.wait(scaled(30))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", self._port))]


def test_cancel_while_the_resolver_is_stuck(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(accepting) as server:
        resolver = StuckResolver(monkeypatch, server.port)
        client = Try(runtime, server.port)
        assert resolver.asked.wait(scaled(30))
        client.attempt.cancel()
        assert client.error.reason is ConnectFailure.CANCELLED  # while it is still stuck
        resolver.let_go.set()
        monkeypatch.undo()
        Try(runtime, closed_port()).result()
        assert server.connections == []
    client.assert_done_once()


def test_the_deadline_holds_while_the_resolver_is_stuck(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = StuckResolver(monkeypatch, closed_port())
    client = Try(runtime, 9000, connect_timeout=0.05)
    assert client.error.reason is ConnectFailure.TIMEOUT
    resolver.let_go.set()
    client.assert_done_once()


def test_cancel_before_a_thread_takes_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with Runtime(connectors=1) as single:
        resolver = StuckResolver(monkeypatch, closed_port())
        first, second = Try(single, 9000), Try(single, 9001)
        assert resolver.asked.wait(scaled(30))
        second.attempt.cancel()
        assert second.error.reason is ConnectFailure.CANCELLED
        resolver.let_go.set()
        assert first.error.reason is ConnectFailure.REFUSED


def test_a_connection_that_comes_too_late_is_closed(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelled between the success on the connector thread and the hand-over."""
    ended = threading.Event()

    def handler(connection: socket.socket) -> None:
        accepting(connection)
        ended.set()

    made = threading.Event()

    def upgrade_and_cancel(channel: Channel, target: Target) -> bytes:
        early = upgrade(channel, target)
        assert made.wait(scaled(30))
        client.attempt.cancel()
        return early

    monkeypatch.setattr("openocpp.transport.connect.upgrade", upgrade_and_cancel)
    with RawServer(handler) as server:
        client = Try(runtime, server.port)
        made.set()
        assert client.error.reason is ConnectFailure.CANCELLED
        assert ended.wait(scaled(30))
    client.assert_done_once()


def test_the_end_of_the_runtime_ends_its_attempts() -> None:
    with RawServer(wait_for_end) as server, deaf_address() as deaf:
        short = Runtime()
        clients = [Try(short, port, connect_timeout=NEVER) for port in (server.port, deaf)]
        running = short.shared(Attempts, Attempts).running
        assert running == {client.attempt for client in clients}
        while not all(client.attempt._sock for client in clients):  # type: ignore[attr-defined]
            settle(short)
        short.stop()
        assert [client.error.reason for client in clients] == [ConnectFailure.CANCELLED] * 2
        assert running == set()


# -- proxies -----------------------------------------------------------------------------------------------------------


def tunnelling(
    requests: queue.Queue[bytes], answer: bytes = b"HTTP/1.1 200 OK\r\n\r\n"
) -> Callable[[socket.socket], None]:
    """A proxy: it opens a tunnel to the port that it is asked for, whatever the host."""

    def handler(connection: socket.socket) -> None:
        request = read_request(connection)
        requests.put(request)
        connection.sendall(answer)
        if b" 200 " not in answer:
            wait_for_end(connection)
            return
        port = int(request.split(b" ")[1].rpartition(b":")[2])
        with socket.create_connection(("127.0.0.1", port)) as onward:
            onward.settimeout(scaled(30))
            pump = threading.Thread(target=copy, args=(onward, connection), daemon=True)
            pump.start()
            copy(connection, onward)
            pump.join(scaled(30))

    return handler


def copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(4096):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def test_through_a_proxy(runtime: Runtime) -> None:
    requests: queue.Queue[bytes] = queue.Queue()
    with RawServer(accepting) as server, RawServer(tunnelling(requests)) as proxy:
        client = Try(
            runtime, server.port, host="central.example", proxy_url=f"http://user:p%40ss@127.0.0.1:{proxy.port}"
        )
        transport = client.transport  # the name was never resolved here: only the proxy knows it
        assert transport.peer.address == "central.example"
        request = requests.get(timeout=scaled(30))
        assert request.startswith(f"CONNECT central.example:{server.port} HTTP/1.1\r\n".encode())
        assert field(request, "Proxy-Authorization") == "Basic dXNlcjpwQHNz"
        client.do(transport.abort)
        client.ends.get(timeout=scaled(30))


def test_a_proxy_that_refuses(runtime: Runtime) -> None:
    requests: queue.Queue[bytes] = queue.Queue()
    answer = b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"
    with RawServer(tunnelling(requests, answer)) as proxy:
        url = f"http://user:secret@127.0.0.1:{proxy.port}"
        error = Try(runtime, 9000, host="central.example", proxy_url=url).error
    assert (error.reason, error.status) == (ConnectFailure.PROXY, 407)
    assert f"127.0.0.1:{proxy.port}" in str(error)
    assert "central.example:9000" in str(error)
    assert "secret" not in str(error)


def test_a_proxy_that_hangs_up_is_not_there_or_has_no_name(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(lambda connection: connection.shutdown(socket.SHUT_RDWR)) as proxy:
        urls = [f"http://127.0.0.1:{port}" for port in (proxy.port, closed_port())]
        for url in [*urls, "http://a..b:1"]:
            error = Try(runtime, 9000, host="central.example", proxy_url=url).error
            assert error.reason is ConnectFailure.PROXY
            assert "central.example:9000" in str(error)


@pytest.mark.parametrize(
    "url", ["socks5://127.0.0.1:1080", "https://127.0.0.1:1", "127.0.0.1:3128", "http://u:secret@"]
)
def test_a_proxy_url_that_is_no_use(runtime: Runtime, url: str) -> None:
    error = Try(runtime, 9000, proxy_url=url).error
    assert error.reason is ConnectFailure.PROXY
    assert "secret" not in str(error)


def test_the_proxies_of_the_environment_are_not_used(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "ws_proxy"):
        for spelling in (name, name.upper()):
            monkeypatch.setenv(spelling, f"http://127.0.0.1:{closed_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with RawServer(accepting) as server:
        client = Try(runtime, server.port)
        client.do(client.transport.abort)
        client.ends.get(timeout=scaled(30))
