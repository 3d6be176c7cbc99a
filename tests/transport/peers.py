"""What the tests with real sockets share: pairs of TCP sockets, a raw peer, a receiver that can be waited for."""

from __future__ import annotations

import queue
import socket
import struct
from typing import TYPE_CHECKING, TypeVar

from tests.conftest import scaled
from tests.transport.frames import CLOSE, frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.runtime import Runtime
    from openocpp.transport.base import Closed

T = TypeVar("T")

LIMIT = scaled(10.0)  # seconds after which a test that waits in vain fails


def tcp_pair(buffers: int | None = None) -> tuple[socket.socket, socket.socket]:
    """Two connected TCP sockets. Small ``buffers`` (bytes) let a sender feel soon that nobody reads."""
    with socket.socket() as listening:
        if buffers:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffers)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffers)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        ours = socket.socket()
        if buffers:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffers)
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffers)
        ours.connect(listening.getsockname())
        theirs, _ = listening.accept()
    return ours, theirs


def on_scheduler(runtime: Runtime, function: Callable[[], T]) -> T:
    """Run it on the scheduler, and wait for what it returns."""
    results: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue()

    def run() -> None:
        try:
            results.put((function(), None))
        except BaseException as error:
            results.put((None, error))

    runtime.scheduler.post(run)
    result, error = results.get(timeout=LIMIT)
    if error is not None:
        raise error
    return result  # type: ignore[return-value]


class Recorder:
    """A receiver whose texts and end can be waited for."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.texts: queue.Queue[str] = queue.Queue()
        self.ends: queue.Queue[Closed] = queue.Queue()
        self.busy = False  # set by a test while it calls into the transport
        self.on_text: Callable[[str], None] | None = None

    def text_received(self, text: str) -> None:
        assert self._runtime.scheduler.is_current
        assert not self.busy, "delivered within a call"
        self.texts.put(text)
        if self.on_text is not None:
            self.on_text(text)

    def closed(self, why: Closed) -> None:
        assert self._runtime.scheduler.is_current
        assert not self.busy, "told within a call"
        self.ends.put(why)

    def next_text(self) -> str:
        return self.texts.get(timeout=LIMIT)

    def end(self) -> Closed:
        """Wait for the end. Nothing may come after it."""
        why = self.ends.get(timeout=LIMIT)
        on_scheduler(self._runtime, lambda: None)
        assert self.ends.empty(), "told twice"
        return why


class RawPeer:
    """The other end of a TCP connection, byte by byte."""

    def __init__(self, sock: socket.socket, *, client: bool = True) -> None:
        sock.settimeout(LIMIT)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else a second message waits for the first's ACK
        self.sock = sock
        self.client = client  # what it sends is masked
        self.input = b""

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def text(self, text: str) -> None:
        self.send(frame(text, mask=self.client))

    def control(self, opcode: int, payload: bytes = b"") -> None:
        self.send(frame(payload, opcode, mask=self.client))

    def close(self, code: int = 1000) -> None:
        self.control(CLOSE, struct.pack("!H", code))

    def _need(self, size: int) -> bytes:
        while len(self.input) < size:
            data = self.sock.recv(65536)
            if not data:
                raise EOFError
            self.input += data
        data, self.input = self.input[:size], self.input[size:]
        return data

    def read_frame(self) -> tuple[int, bytes]:
        """Opcode and payload of the next frame, which must be final and masked as the protocol wants it."""
        first, second = self._need(2)
        assert first & 0xF0 == 0x80
        assert bool(second & 0x80) is not self.client
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", self._need(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self._need(8))
        key = self._need(4) if second & 0x80 else b"\0\0\0\0"
        return first & 0x0F, bytes(byte ^ key[index % 4] for index, byte in enumerate(self._need(size)))

    def read_text(self) -> str:
        opcode, payload = self.read_frame()
        assert opcode == 1
        return payload.decode()

    def read_close(self) -> int | None:
        """The code of a Close frame, which must come next; None: it has none."""
        opcode, payload = self.read_frame()
        assert opcode == CLOSE
        return struct.unpack("!H", payload[:2])[0] if payload else None

    def read_head(self) -> tuple[int, dict[str, str]]:
        """Status and header fields of an HTTP answer."""
        while b"\r\n\r\n" not in self.input:
            data = self.sock.recv(65536)
            if not data:
                raise EOFError(self.input)
            self.input += data
        head, _, self.input = self.input.partition(b"\r\n\r\n")
        status_line, *lines = head.decode("ascii").split("\r\n")
        assert status_line.startswith("HTTP/1.1 ")
        return int(status_line.split()[1]), dict(line.lower().split(": ", 1) for line in lines)

    def at_end(self) -> bool:
        """Wait for the end of the connection, by whatever means; False when bytes come first."""
        try:
            return not self.input and not self.sock.recv(1)
        except ConnectionResetError:
            return True
