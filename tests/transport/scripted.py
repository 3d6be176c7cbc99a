"""A transport without sockets, threads and waiting: the test gives the bytes, takes the steps and moves the time."""

from __future__ import annotations

import socket
from collections import deque
from typing import TYPE_CHECKING, Any

from openocpp.runtime import READ, Timer
from openocpp.transport.base import Closed, Peer
from openocpp.transport.websocket import WebSocketTransport

if TYPE_CHECKING:
    from collections.abc import Callable


class ManualScheduler:
    """A scheduler without a thread: the test takes the steps and moves the time."""

    def __init__(self) -> None:
        self.time = 100.0
        self.entries: deque[Callable[[], None]] = deque()
        self.timers: list[Timer] = []
        self.armed = 0
        self.watched: dict[Any, tuple[int, Callable[[int], None]]] = {}

    def now(self) -> float:
        return self.time

    def post(self, function: Callable[[], None]) -> None:
        self.entries.append(function)

    def call_at(self, when: float, function: Callable[[], None]) -> Timer:
        self.armed += 1
        timer = Timer(when, function)
        self.timers.append(timer)
        return timer

    def call_later(self, seconds: float, function: Callable[[], None]) -> Timer:
        return self.call_at(self.time + seconds, function)

    def register(self, sock: Any, events: int, callback: Callable[[int], None]) -> None:
        assert sock not in self.watched
        assert events
        self.watched[sock] = events, callback

    def modify(self, sock: Any, events: int) -> None:
        assert events
        self.watched[sock] = events, self.watched[sock][1]

    def unregister(self, sock: Any) -> None:
        del self.watched[sock]

    def settle(self) -> None:
        while self.entries:
            self.entries.popleft()()

    def advance(self, seconds: float) -> None:
        """Move the time, timer by timer."""
        until = self.time + seconds
        self.settle()
        while due := [timer for timer in self.timers if timer.active and timer.when <= until]:
            timer = min(due, key=lambda it: it.when)
            self.time = timer.when
            function = timer.take()
            assert function is not None
            function()
            self.settle()
        self.time = until

    def event(self, stream: ScriptedStream, events: int) -> None:
        wanted, callback = self.watched[stream.socket]
        assert wanted & events
        callback(events)
        self.settle()


class ManualRuntime:
    def __init__(self) -> None:
        self.scheduler = ManualScheduler()
        self.clock = self.scheduler


class ScriptedStream:
    """A stream that gives what the test put in, and takes as many bytes as the test allows.

    Like TLS, it may hold bytes that no selector tells of.
    """

    class Socket:
        family = socket.AF_UNIX

    def __init__(self) -> None:
        self.socket: Any = self.Socket()
        self.input: deque[bytes] = deque()
        self.output = b""
        self.room = 1 << 30
        self.hidden = False
        self.events: list[str] = []

    def recv(self, size: int) -> bytes:
        if not self.input:
            raise BlockingIOError
        return self.input.popleft()

    def send(self, data: bytes | bytearray) -> int:
        count = min(len(data), self.room)
        if not count:
            raise BlockingIOError
        self.room -= count
        self.output += data[:count]
        return count

    def pending(self) -> bool:
        return self.hidden and bool(self.input)

    def finish(self) -> None:
        self.events.append("finish")

    def close(self) -> None:
        self.events.append("close")

    def handshake(self) -> int:
        return 0

    def peer_certificate(self) -> bytes | None:
        return None


class ManualReceiver:
    def __init__(self) -> None:
        self.texts: list[str] = []
        self.ends: list[Closed] = []

    def text_received(self, text: str) -> None:
        self.texts.append(text)

    def closed(self, why: Closed) -> None:
        self.ends.append(why)


class Scripted:
    def __init__(self, ping_interval: float = 0.0, **options: Any) -> None:
        self.runtime = ManualRuntime()
        self.scheduler = self.runtime.scheduler
        self.stream = ScriptedStream()
        self.receiver = ManualReceiver()
        runtime: Any = self.runtime
        self.transport = WebSocketTransport(
            runtime, self.stream, Peer("peer"), client=False, ping_interval=ping_interval, **options
        )
        self.transport.start(self.receiver)
        self.scheduler.settle()

    def hear(self, data: bytes) -> None:
        self.stream.input.append(data)
        self.scheduler.event(self.stream, READ)

    def pings(self) -> int:
        return self.stream.output.count(b"\x89\x00")
