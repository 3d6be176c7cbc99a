"""A central system on a real socket, and clients that speak to it byte by byte."""

from __future__ import annotations

import json
import socket
import struct
from typing import TYPE_CHECKING, Any

from openocpp import CentralSystemConfig, ICentralSystem
from tests.centralsystem.bench import Events
from tests.conftest import scaled
from tests.transport.frames import CLOSE, TEXT, frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp import Runtime

LIMIT = scaled(15.0)
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


class Served:
    """A central system on a free port."""

    def __init__(self, runtime: Runtime, **settings: Any) -> None:
        self.events = Events()
        self.runtime = runtime
        path = settings.pop("path", "/openocpp/")
        config = CentralSystemConfig(
            **{"listen_url": f"ws://127.0.0.1:0{path}", "authentication_failures_per_minute": 0, **settings}
        )
        self.central_system = ICentralSystem.create(config, self.events, runtime)
        assert self.central_system.start()
        self.clients: list[Client] = []

    def close(self) -> None:
        for client in self.clients:  # first, or their Close frames would be waited for
            client.sock.close()
        self.central_system.stop()

    def raw(self) -> Client:
        """A connected client that has said nothing yet."""
        self.clients.append(Client(self.central_system.port))
        return self.clients[-1]

    def client(self, target: str = "/openocpp/CP1", *, protocols: str | None = "ocpp1.6", **fields: str) -> Client:
        """A connected client that has asked to upgrade."""
        client = self.raw()
        client.ask(target, protocols, fields)
        return client

    def connected(self, target: str = "/openocpp/CP1") -> Client:
        """A client that is connected and announced."""
        client = self.client(target)
        assert client.status() == 101
        client.call("Heartbeat")
        return client

    def wait_for(self, condition: Callable[[], object]) -> None:
        """Wait until something happens on another thread."""
        deadline = self.runtime.clock.now() + LIMIT
        while not condition():
            assert self.runtime.clock.now() < deadline, "it did not happen"
            self.runtime.waiter().wait(0.005)


class Client:
    """A charge point, byte by byte."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=LIMIT)
        self.input = b""
        self.head = b""

    def ask(self, target: str, protocols: str | None, fields: dict[str, str]) -> None:
        lines = [f"GET {target} HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade"]
        lines += [f"Sec-WebSocket-Key: {KEY}", "Sec-WebSocket-Version: 13"]
        if protocols is not None:
            lines.append(f"Sec-WebSocket-Protocol: {protocols}")
        lines += [f"{name}: {value}" for name, value in fields.items()]
        self.sock.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def _more(self) -> bool:
        try:
            data = self.sock.recv(65536)
        except ConnectionError:
            return False
        self.input += data
        return bool(data)

    def status(self) -> int:
        """The HTTP status; 0 when the connection was closed without one."""
        while b"\r\n\r\n" not in self.input:
            if not self._more():
                return 0
        self.head, _, self.input = self.input.partition(b"\r\n\r\n")
        return int(self.head.split()[1])

    def frame(self) -> tuple[int, bytes]:
        """The next frame: opcode and payload."""
        self._need(2)
        size, start = self.input[1] & 0x7F, 2
        if size == 126:
            self._need(4)
            size, start = struct.unpack("!H", self.input[2:4])[0], 4
        self._need(start + size)
        opcode, payload = self.input[0] & 0x0F, self.input[start : start + size]
        self.input = self.input[start + size :]
        return opcode, payload

    def _need(self, size: int) -> None:
        while len(self.input) < size:
            if not self._more():
                raise EOFError("the server hung up")

    def text(self) -> Any:
        opcode, payload = self.frame()
        assert opcode == TEXT, (opcode, payload)
        return json.loads(payload)

    def close_code(self) -> int:
        opcode, payload = self.frame()
        assert opcode == CLOSE, (opcode, payload)
        return int(struct.unpack("!H", payload[:2])[0])

    def send(self, text: str) -> None:
        self.sock.sendall(frame(text))

    def call(self, action: str, payload: Any = None) -> Any:
        """Send a CALL: the frame that comes back."""
        self.send(json.dumps([2, "1", action, payload or {}]))
        return self.text()

    def hung_up(self) -> bool:
        while self._more():
            self.input = b""
        return True
