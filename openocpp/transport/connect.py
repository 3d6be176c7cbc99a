"""Outbound connections: DNS, TCP, proxy and upgrade on a connector thread, then hand-over to the scheduler.

One deadline counts from the moment a connector thread takes the attempt up. It holds as well where the thread cannot be
interrupted, in the resolver: then the attempt is over, and whatever the thread still brings is thrown away.
Threads: an attempt's state belongs to the scheduler, which alone shuts down and closes sockets, so that no number of a
closed one is ever used; the connector thread only makes them and waits on them.
"""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING, Any, NamedTuple

from openocpp.errors import ConnectError, ConnectFailure
from openocpp.transport.base import Peer
from openocpp.transport.stream import PlainStream
from openocpp.transport.upgrade import BlockingStream, Channel, open_tunnel, upgrade
from openocpp.transport.url import Url
from openocpp.transport.websocket import WebSocketTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from openocpp.runtime import Runtime, Timer
    from openocpp.transport.base import Attempt, Target, Transport

log = logging.getLogger("openocpp.transport")

WAKE_AGAIN = 0.02  # seconds

# When several addresses of a host fail differently, the most telling reason is reported.
TELLING = (ConnectFailure.REFUSED, ConnectFailure.TIMEOUT, ConnectFailure.NETWORK)


def connect(runtime: Runtime, target: Target, done: Callable[[Transport | ConnectError], None]) -> Attempt:
    """Begin to connect. ``done`` is called once, on the scheduler, with an open transport or with why there is none."""
    attempts = runtime.shared(Attempts, Attempts)
    attempt = SocketAttempt(runtime, target, done, attempts.ended)
    attempts.running.add(attempt)
    runtime.connector(attempt.run)
    return attempt


class Attempts:
    """The attempts of one runtime, so that its end is theirs."""

    def __init__(self, _: Runtime) -> None:
        self.running: set[SocketAttempt] = set()

    def ended(self, attempt: SocketAttempt) -> None:
        self.running.discard(attempt)

    def stop(self) -> None:
        for attempt in list(self.running):
            attempt.cancel()


class _Made(NamedTuple):
    """A websocket just opened by the connector thread."""

    sock: socket.socket
    peer: Peer
    early: bytes


class SocketAttempt:
    """A connection being made."""

    def __init__(
        self,
        runtime: Runtime,
        target: Target,
        done: Callable[[Transport | ConnectError], None],
        ended: Callable[[SocketAttempt], None],
    ) -> None:
        self._runtime = runtime
        self._scheduler = runtime.scheduler
        self._ended = ended
        self._target = target
        self._done: Callable[[Transport | ConnectError], None] | None = done
        self._where = f"connect to {target.url.address}:{target.url.tcp_port}"
        self._sock: socket.socket | None = None  # what the connector thread waits on
        self._waits = False  # the connector thread is at it
        self._over = False
        self._timer: Timer | None = None

    def __repr__(self) -> str:
        return f"<{self._where}{': over' if self._over else ''}>"

    def cancel(self) -> None:
        self._scheduler.post(lambda: self._finish(self._error(ConnectFailure.CANCELLED, "cancelled")))

    def _error(self, reason: ConnectFailure, text: str) -> ConnectError:
        return ConnectError(reason, f"{self._where}: {text}")

    # -- scheduler -----------------------------------------------------------------------------------------------------

    def _finish(self, result: ConnectError | _Made) -> None:
        done, self._done = self._done, None
        if done is None:
            if isinstance(result, _Made):
                result.sock.close()
            return
        self._over = True
        self._ended(self)
        if self._timer is not None:
            self._timer.cancel()
        if isinstance(result, ConnectError):
            self._wake_connector()
            done(result)
            return
        done(
            WebSocketTransport(
                self._runtime,
                PlainStream(result.sock),
                result.peer,
                client=True,
                ping_interval=self._target.ping_interval,
                limits=self._target.limits,
                early=result.early,
            )
        )

    def _wake_connector(self) -> None:
        """End the wait of the connector thread, whatever it is: closing would not."""
        sock = self._sock
        if sock is None or not self._waits:
            return  # it looks at ``_over`` before it waits
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:  # it is just about to call connect, which nothing would wake
            self._scheduler.call_later(WAKE_AGAIN, self._wake_connector)

    def _expire(self) -> None:
        limit = self._target.connect_timeout
        self._finish(self._error(ConnectFailure.TIMEOUT, f"no websocket within {limit:g} s"))

    # -- connector thread ----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Make the connection and hand it over."""
        if self._over:
            return
        self._waits = True
        deadline = self._runtime.clock.now() + self._target.connect_timeout
        self._timer = self._scheduler.call_at(deadline, self._expire)
        result: ConnectError | _Made
        try:
            result = self._make(deadline)
        except ConnectError as error:
            result = error
        except OSError as error:
            result = self._error(ConnectFailure.NETWORK, error.strerror or "connection lost")
        except Exception as error:  # an attempt must come to an end, whatever happens in it
            log.exception("%s failed", self._where)
            result = self._error(ConnectFailure.NETWORK, f"failed with {type(error).__name__}")
        if isinstance(result, ConnectError):
            self._let_go()
        self._waits = False
        self._scheduler.post(lambda: self._finish(result))

    def _let_go(self) -> None:
        """The scheduler closes the socket."""
        sock, self._sock = self._sock, None
        if sock is not None:
            self._scheduler.post(sock.close)

    def _make(self, deadline: float) -> _Made:
        target = self._target
        proxy = self._read_proxy(target.proxy_url)
        sock = self._connect_tcp(proxy or target.url, deadline)
        peer = Peer(*sock.getpeername()[:2])
        clock = self._runtime.clock
        if proxy is not None:
            where = f"{self._where}: proxy {proxy.address}:{proxy.tcp_port}"
            open_tunnel(Channel(sock, clock, deadline, where, ConnectFailure.PROXY), proxy, target.url)
            peer = Peer(target.url.address, target.url.tcp_port)
        early = upgrade(Channel(self._secure(sock), clock, deadline, self._where), target)
        return _Made(sock, peer, early)

    def _read_proxy(self, text: str) -> Url | None:
        if not text:
            return None
        try:
            proxy = Url.parse(text)
        except ValueError as error:
            raise self._error(ConnectFailure.PROXY, f"the proxy's {error}") from None
        if proxy.protocol != "http":
            raise self._error(ConnectFailure.PROXY, f"a proxy is asked over http, not {proxy.protocol}")
        return proxy

    def _connect_tcp(self, url: Url, deadline: float) -> socket.socket:
        """Try every address of the host, each with its share of the time that is left."""
        proxy = "" if url is self._target.url else f"proxy {url.address}:{url.tcp_port}: "
        addresses = self._resolve(url, proxy)
        failures: list[tuple[int, str]] = []
        for index, (family, kind, proto, _, address) in enumerate(addresses):
            left = deadline - self._runtime.clock.now()
            try:
                sock = self._watched(socket.socket(family, kind, proto))
                sock.settimeout(max(left / (len(addresses) - index), 0.001))
                sock.connect(address)
                return sock
            except OSError as error:
                self._let_go()
                failures.append((TELLING.index(reason_of(error)), error.strerror or "no answer"))
        telling, text = min(failures)
        raise self._error(ConnectFailure.PROXY if proxy else TELLING[telling], f"{proxy}{text}")

    def _resolve(self, url: Url, proxy: str) -> Sequence[tuple[int, int, int, str, Any]]:
        reason = ConnectFailure.PROXY if proxy else ConnectFailure.DNS
        try:
            host = url.address.encode()  # always ASCII; for a text Python would load its tables of Unicode
            return socket.getaddrinfo(host, url.tcp_port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise self._error(reason, f"{proxy}{error.strerror or 'unknown host'}") from error

    def _watched(self, sock: socket.socket) -> socket.socket:
        """Show the socket to the scheduler. Whoever comes second, the thread or the end of the attempt, notices."""
        self._sock = sock
        if self._over:
            raise self._error(ConnectFailure.CANCELLED, "cancelled")
        return sock

    def _secure(self, sock: socket.socket) -> BlockingStream:
        """The stream that the upgrade runs over. This version has no TLS."""
        if self._target.url.secure:
            raise self._error(ConnectFailure.TLS, "wss is not supported by this version")
        return sock


def reason_of(error: OSError) -> ConnectFailure:
    """Why TCP did not connect."""
    if isinstance(error, ConnectionRefusedError):
        return ConnectFailure.REFUSED
    return ConnectFailure.TIMEOUT if isinstance(error, TimeoutError) else ConnectFailure.NETWORK
