"""The seam between a websocket and what carries its bytes: a plain socket, or TLS over one.

Threads: one at a time; the scheduler's once the connection is open.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    StreamMaker = Callable[[socket.socket], "Stream"]


class Stream(Protocol):
    """Bytes over a non-blocking socket. Everything but ``close`` raises OSError when the connection is broken."""

    @property
    def socket(self) -> socket.socket:
        """What a selector watches."""

    def handshake(self) -> int:
        """Go on with the handshake: 0 when it is complete, else the event (READ or WRITE) to wait for.

        Raises OSError or TransportError when it failed.
        """

    def recv(self, size: int) -> bytes:
        """At most ``size`` bytes, none at the end of the stream. Raises BlockingIOError when there are none yet."""

    def send(self, data: bytes | bytearray) -> int:
        """How many bytes were taken. Raises BlockingIOError when none: then the same bytes are offered again later."""

    def pending(self) -> bool:
        """May ``recv`` give something that the selector does not tell of? Once true after a handshake."""

    def peer_certificate(self) -> bytes | None:
        """DER of the peer's certificate, if it showed one."""

    def finish(self) -> None:
        """Nothing more will be sent; what the peer still sends can be received. Never raises."""

    def close(self) -> None:
        """Give the descriptor back. Never raises, idempotent."""


class PlainStream:
    """A TCP connection without TLS."""

    __slots__ = ("socket",)

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.socket = sock

    def __repr__(self) -> str:
        return f"<plain stream {self.socket.fileno()}>"

    def handshake(self) -> int:
        return 0

    def recv(self, size: int) -> bytes:
        return self.socket.recv(size)

    def send(self, data: bytes | bytearray) -> int:
        return self.socket.send(data)

    def pending(self) -> bool:
        return False

    def peer_certificate(self) -> bytes | None:
        return None

    def finish(self) -> None:
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:  # the peer was quicker
            return

    def close(self) -> None:
        try:
            self.socket.close()
        except OSError:  # a reset that was not seen before; the descriptor is gone all the same
            return
