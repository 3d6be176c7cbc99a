"""What the tests of listening share: a door that writes down what it is asked, and raw clients."""

from __future__ import annotations

import queue
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from openocpp.transport.base import Accepted, Limits, ListenSettings
from openocpp.transport.listen import SocketListener, listen
from openocpp.transport.url import Url
from tests.transport.peers import LIMIT, RawPeer, Recorder, on_scheduler

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.runtime import Runtime
    from openocpp.transport.base import Handshake, Refused, Transport

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
FIELDS = {
    "Host": "localhost",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Protocol": "ocpp1.6",
}


def request(target: str = "/openocpp/CP1", line: str = "", **changes: str | None) -> bytes:
    """A request to upgrade. ``changes`` are fields with "_" for "-"; None leaves one out."""
    fields = dict(FIELDS) | {name.replace("_", "-"): value for name, value in changes.items()}
    lines = [
        line or f"GET {target} HTTP/1.1",
        *(f"{name}: {value}" for name, value in fields.items() if value is not None),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


class OpenDoor:
    """Lets everybody in, unless a test gives it another mind, and starts every connection."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.knocks: list[str] = []
        self.asked: list[tuple[Handshake, str, str, bytes]] = []
        self.open: queue.Queue[tuple[Accepted, Transport, Recorder]] = queue.Queue()
        self.failures: queue.Queue[tuple[str, str]] = queue.Queue()
        self.on_knock: Callable[[str], bool] = lambda _: True
        self.on_admit: Callable[[str], Accepted | Refused] = Accepted
        self.on_failed: Callable[[str], None] = lambda _: None
        self.on_opened: Callable[[Transport], None] = lambda _: None

    def knock(self, address: str) -> bool:
        assert not self._runtime.scheduler.is_current
        self.knocks.append(address)
        return self.on_knock(address)

    def admit(self, handshake: Handshake, identity: str, user: str, password: bytes) -> Accepted | Refused:
        assert not self._runtime.scheduler.is_current
        self.asked.append((handshake, identity, user, password))
        return self.on_admit(identity)

    def opened(self, accepted: Accepted, handshake: Handshake, transport: Transport) -> None:
        assert self._runtime.scheduler.is_current
        self.on_opened(transport)
        recorder = Recorder(self._runtime)
        transport.start(recorder)
        self.open.put((accepted, transport, recorder))

    def failed(self, address: str, reason: str) -> None:
        assert not self._runtime.scheduler.is_current
        self.on_failed(reason)
        self.failures.put((address, reason))

    def next_open(self) -> tuple[Accepted, Transport, Recorder]:
        return self.open.get(timeout=LIMIT)

    def next_failure(self) -> str:
        """The reason of the next failure, which must be the only one."""
        _, reason = self.failures.get(timeout=LIMIT)
        assert self.failures.empty()
        return reason

    def nothing_more(self) -> bool:
        """Nothing was opened or failed that was not asked for, once the workers have done what they were given."""
        on_scheduler(self._runtime, lambda: None)
        done = threading.Event()
        self._runtime.workers.submit(done.set)
        assert done.wait(LIMIT)
        return self.open.empty() and self.failures.empty()


class House:
    """A listener on a loopback port, its door, and its clients."""

    def __init__(
        self, runtime: Runtime, url: str = "ws://127.0.0.1:0/openocpp/", make_stream: Any = None, **settings: Any
    ) -> None:
        settings.setdefault("limits", Limits(close_timeout=0.3))
        self.runtime = runtime
        self.door = OpenDoor(runtime)
        self.settings = ListenSettings(Url.parse(url, listening=True), **settings)
        self.listener: SocketListener = listen(runtime, self.settings, self.door, make_stream)
        self._clients: list[RawPeer] = []

    def connect(self) -> RawPeer:
        """A client that has sent nothing yet."""
        client = RawPeer(socket.create_connection(("127.0.0.1", self.listener.port), LIMIT))
        self._clients.append(client)
        return client

    def ask(self, data: bytes) -> RawPeer:
        client = self.connect()
        with suppress(ConnectionError):  # closed at once, as some tests want it
            client.send(data)
        return client

    def status(self, data: bytes) -> int:
        """The status that a request is answered with; 0 when the connection ends without one."""
        client = self.ask(data)
        try:
            return client.read_head()[0]
        except (EOFError, ConnectionError):
            return 0
        finally:
            client.sock.close()

    def wait(self, condition: Callable[[], bool]) -> None:
        """Let the scheduler go on until the condition holds there."""
        deadline = self.runtime.clock.now() + LIMIT
        while not on_scheduler(self.runtime, condition):
            assert self.runtime.clock.now() < deadline

    def idle(self) -> None:
        """Wait until no connection is on its way in."""
        self.wait(lambda: not self.listener._arrivals and not self.listener._arriving)

    def close(self) -> None:
        self.listener.close()
        while not self.door.open.empty():
            on_scheduler(self.runtime, self.door.open.get()[1].abort)
        for client in self._clients:
            client.sock.close()
