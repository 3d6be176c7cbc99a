"""Servers of a few lines for tests of the client's side: each connection is one function call on a thread."""

from __future__ import annotations

import contextlib
import socket
import threading
from base64 import b64encode
from hashlib import sha1
from typing import TYPE_CHECKING

from tests.conftest import scaled

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
PROTOCOL = "Sec-WebSocket-Protocol: ocpp1.6"


class RawServer:
    """Listens on a port of the loopback and lets ``handler`` treat each connection. It ends with the ``with`` block."""

    def __init__(self, handler: Callable[[socket.socket], None]) -> None:
        self._handler = handler
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> RawServer:
        self._accepting.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._accepting.join(scaled(10))
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(scaled(10))
            assert not thread.is_alive()
        for connection in self.connections:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:  # closed: the test is over
                return
            connection.settimeout(scaled(30))
            self.connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self._handler(connection)
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def read_request(connection: socket.socket) -> bytes:
    """Everything up to the blank line."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(1)  # no byte too many: a tunnel may follow
        if not piece:
            raise ConnectionError("closed")
        data += piece
    return data


def wait_for_end(connection: socket.socket) -> None:
    """Read until the client closes."""
    while connection.recv(4096):
        continue


def field(request: bytes, name: str) -> str | None:
    """The value of a field of the request, None when it has none."""
    for line in request.decode("latin-1").split("\r\n")[1:]:
        key, _, value = line.partition(":")
        if key.lower() == name.lower():
            return value.strip()
    return None


def accept_key(request: bytes) -> str:
    key = field(request, "Sec-WebSocket-Key")
    assert key is not None
    return b64encode(sha1(key.encode() + MAGIC).digest()).decode()


def switching(request: bytes, *extra: str) -> bytes:
    """The answer that opens the websocket, with more header lines."""
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept_key(request)}",
        *extra,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def text_frame(text: str) -> bytes:
    """A short unmasked text frame."""
    data = text.encode()
    assert len(data) < 126
    return bytes([0x81, len(data)]) + data
