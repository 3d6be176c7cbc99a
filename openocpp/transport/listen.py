"""A listening address: who may begin to come in, and how many at once (J §3).

What happens to one connection until it is open is ``arrival``. Limits are kept before anything is read: handshakes in
flight, connections per address, addresses that failed to authenticate too often, descriptors of the process.
Threads: scheduler; ``listen`` and ``Listener.close`` any other.
"""

from __future__ import annotations

import errno
import logging
import os
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from openocpp.errors import ConfigError
from openocpp.runtime import READ
from openocpp.transport.admission import FailureTable
from openocpp.transport.arrival import Arrival
from openocpp.transport.base import Peer
from openocpp.transport.binding import bind
from openocpp.transport.stream import PlainStream
from openocpp.transport.tally import Tally

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from openocpp.runtime import Runtime
    from openocpp.transport.base import Door, ListenSettings, Refused
    from openocpp.transport.stream import StreamMaker

log = logging.getLogger("openocpp.transport")

ACCEPTS = 16  # per round of the scheduler, so that a storm does not hold up those who are connected
TLS_ACCEPTS = 4
REST = 0.1  # seconds without accepting when the system has no room for another connection
CLOSE_LIMIT = 3.0  # seconds

_NO_DESCRIPTORS = (errno.EMFILE, errno.ENFILE)
_NO_MEMORY = (errno.ENOBUFS, errno.ENOMEM)


def listen(
    runtime: Runtime, settings: ListenSettings, door: Door, make_stream: StreamMaker | None = None
) -> SocketListener:
    """Listen on the address of ``settings.url``; see ``Network.listen``. ``make_stream`` puts TLS over a socket."""
    runtime.check_may_block("listen")
    if make_stream is None:
        if settings.url.secure:
            raise ConfigError("ListenUrl", "wss is not supported by this version", accepted="ws://")
        make_stream = PlainStream
    listener = SocketListener(runtime, settings, door, make_stream, bind(settings.url))
    runtime.scheduler.post(listener.open)
    return listener


class SocketListener:
    """See ``Listener``."""

    def __init__(
        self,
        runtime: Runtime,
        settings: ListenSettings,
        door: Door,
        make_stream: StreamMaker,
        sockets: list[socket.socket],
    ) -> None:
        self.runtime = runtime
        self.settings = settings
        self.door = door
        self.port: int = sockets[0].getsockname()[1]
        self._make_stream = make_stream
        self._sockets = sockets
        self._accepts = TLS_ACCEPTS if settings.url.secure else ACCEPTS
        self._arrivals: set[Arrival] = set()
        self._arriving: Counter[str] = Counter()  # by address
        self._connected: Counter[str] = Counter()
        self._failures = FailureTable(settings.failures_per_minute)
        self._reserve: int | None = os.open(os.devnull, os.O_RDONLY)  # to be given up for an accept when all are used
        self._tally = Tally(runtime)
        self._closed = False

    def __repr__(self) -> str:
        state = "closed" if self._closed else f"{len(self._arrivals)} arriving"
        return f"<listener at {self.settings.url}, port {self.port}: {state}>"

    def open(self) -> None:
        """Begin to accept."""
        if not self._closed:
            for sock in self._sockets:
                self.runtime.scheduler.register(sock, READ, partial(self._accept, sock))

    def close(self) -> None:
        self.runtime.check_may_block("close a listener")
        if self.runtime.stopped:  # no scheduler is left that could be asked
            self._close()
        else:
            self.close_by_scheduler()

    def close_by_scheduler(self) -> None:
        """``close`` for a runtime that is about to stop."""
        done = self.runtime.waiter()

        def close() -> None:
            self._close()
            done.set(None)

        if not self._closed:
            self.runtime.scheduler.post(close)
            done.wait(CLOSE_LIMIT)

    def _close(self) -> None:
        if self._closed:
            return
        self._closed = True
        for sock in self._sockets:
            self.runtime.scheduler.unregister(sock)
            sock.close()
        if self._reserve is not None:
            os.close(self._reserve)
            self._reserve = None
        for arrival in list(self._arrivals):
            arrival.drop()

    # -- accepting -----------------------------------------------------------------------------------------------------

    def _accept(self, sock: socket.socket, _: int) -> None:
        for _ in range(self._accepts):
            try:
                accepted, address = sock.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _NO_DESCRIPTORS:
                    self._shed(sock)
                    return
                if error.errno in _NO_MEMORY:
                    self._rest(error.strerror or str(error))
                    return
                continue  # it ended before it was accepted
            self._arrive(accepted, Peer(_plain(address[0]), address[1]))

    def _arrive(self, sock: socket.socket, peer: Peer) -> None:
        refusal = self._refusal(peer.address)
        if refusal is not None:
            sock.close()
            self._note(refusal, f"{self!r}: closed a connection from {peer.address}: {refusal}")
            return
        try:
            stream = self._make_stream(sock)
        except Exception:
            log.exception("%r: no stream for a connection from %s", self, peer.address)
            sock.close()
            return
        arrival = Arrival(self, stream, peer)
        self._arrivals.add(arrival)
        self._arriving[peer.address] += 1
        arrival.begin()

    def _refusal(self, address: str) -> str | None:
        """Why nobody from there may come in at the moment."""
        settings = self.settings
        if self._failures.refuses(address, self.runtime.clock.now()):
            return "too many failed authentications"
        if 0 < settings.max_handshakes <= len(self._arrivals):
            return "too many handshakes"
        if 0 < settings.max_handshakes_per_address <= self._arriving[address]:
            return "too many handshakes from one address"
        if 0 < settings.max_connections_per_address <= self._arriving[address] + self._connected[address]:
            return "too many connections from one address"
        return None

    def _shed(self, sock: socket.socket) -> None:
        """No descriptor is left: with the reserved one the connection is taken and closed, so that it does not wait."""
        if self._reserve is None:
            self._rest("no descriptor is left")
            return
        os.close(self._reserve)
        self._reserve = None
        try:
            accepted, address = sock.accept()
        except OSError:  # somebody else was quicker
            pass
        else:
            accepted.close()
            self._note("descriptors", f"{self!r}: closed a connection from {address[0]}: no descriptor is left")
        self._take_reserve()

    def _take_reserve(self) -> None:
        try:
            self._reserve = os.open(os.devnull, os.O_RDONLY)
        except OSError:
            self._rest("no descriptor is left")

    def _rest(self, reason: str) -> None:
        """Accept nothing for a moment: the selector would tell of the same connection again and again."""
        self._note("rest", f"{self!r}: accepts nothing for {REST} s: {reason}")
        for sock in self._sockets:
            self.runtime.scheduler.unregister(sock)
        self.runtime.scheduler.call_later(REST, self._go_on)

    def _go_on(self) -> None:
        if self._closed:
            return
        if self._reserve is None:
            self._take_reserve()
            if self._reserve is None:
                return
        self.open()

    # -- what arrivals tell --------------------------------------------------------------------------------------------

    def left(self, arrival: Arrival) -> None:
        self._arrivals.discard(arrival)
        _leave(self._arriving, arrival.address)

    def connected(self, address: str) -> Callable[[], None] | None:
        if not self.settings.max_connections_per_address:
            return None
        self._connected[address] += 1
        return partial(_leave, self._connected, address)

    def note_refusal(self, address: str, refused: Refused) -> None:
        cause = f"{refused.status} {refused.reason}"
        self._note(cause, f"{self!r}: refused {address} with {cause}")
        if refused.status == 401 and self._failures.note(address, self.runtime.clock.now()):
            self._note("refused", f"{self!r}: {address} failed to authenticate too often: refused for a minute")

    def _note(self, cause: str, text: str) -> None:
        self._tally.note(log, logging.WARNING, cause, text)


def _leave(crowd: Counter[str], address: str) -> None:
    crowd[address] -= 1
    if crowd[address] <= 0:
        del crowd[address]


def _plain(address: str) -> str:
    """IPv4 as IPv4, also when it came to a socket of both families."""
    return address.removeprefix("::ffff:") if "." in address else address
