"""A network in memory, for simulated time: the same connections as over sockets, and faults as verbs.

A client is admitted as the socket server does it, by the same rules and the same door; then each side holds one end of
a :class:`~openocpp.transport.memory_link.MemoryLink`. ``wss`` is admitted without TLS: what TLS would find is played
with ``fail`` and ``client_certificate``.
Threads: scheduler; the verbs and attributes of :class:`MemoryNetwork` any.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from openocpp.errors import ConnectError, ConnectFailure, TransportError
from openocpp.transport.admission import Asked, FailureTable, choose_subprotocol, judge_request
from openocpp.transport.base import Accepted, Handshake, Peer, Refused
from openocpp.transport.memory_link import LinkOwner, MemoryLink, MemoryTransport, Side, pair
from openocpp.transport.upgrade import basic_credentials

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.runtime import Runtime, Timer
    from openocpp.transport.base import Attempt, Door, Listener, ListenSettings, Target, Transport
    from openocpp.transport.url import Url

log = logging.getLogger("openocpp.transport")

FIRST_PORT = 49152  # where the ports that nobody chose begin
ALL_ADDRESSES = frozenset(["*", "0.0.0.0", "::"])
LOOPBACK = frozenset(["localhost", "127.0.0.1", "::1"])


class Fault(NamedTuple):
    """How an attempt to connect fails."""

    reason: ConnectFailure
    text: str
    status: int | None = None


class MemoryNetwork(LinkOwner):
    """The network of one simulated runtime.

    ``delay`` is how long everything takes each way (seconds). ``spies`` are called with direction (">" to the server),
    identity and text of each frame that is put on a wire. ``client_address`` is where the next clients seem to come
    from, ``client_certificate`` what they show to a ``wss`` listener (DER).
    """

    def __init__(self, runtime: Runtime) -> None:
        super().__init__()
        self.runtime = runtime
        self.links: list[MemoryLink] = []
        self.client_address = "127.0.0.1"
        self.client_certificate: bytes | None = None
        self.attempts = 0  # connections tried so far
        self._listeners: list[MemoryListener] = []
        self._next_port = FIRST_PORT
        self._fault: Fault | None = None
        self._held = False

    def __repr__(self) -> str:
        return f"<memory network: {len(self._listeners)} listeners, {len(self.links)} links>"

    # -- Network -------------------------------------------------------------------------------------------------------

    def connect(self, target: Target, done: Callable[[Transport | ConnectError], None]) -> Attempt:
        attempt = MemoryAttempt(self, target, done)
        self.runtime.scheduler.post(attempt.begin)
        return attempt

    def listen(self, settings: ListenSettings, door: Door) -> Listener:
        self.runtime.check_may_block("listen")
        port = settings.url.tcp_port or self.new_port()
        if any(other.overlaps(settings.url.address, port) for other in self._listeners):
            raise TransportError(f"listen on {settings.url}: address already in use")
        listener = MemoryListener(self, settings, door, port)
        self._listeners.append(listener)
        return listener

    def stop(self) -> None:
        """With the runtime: no listener and no link remains."""
        self._listeners.clear()
        for link in list(self.links):
            link.cut()

    # -- faults --------------------------------------------------------------------------------------------------------

    def cut(self, identity: str | None = None) -> None:
        """Both ends of the links of this charge point (None: all) lose the connection at once."""
        for link in self.links_of(identity):
            link.cut()

    def drop(self, identity: str | None = None) -> None:
        """The links of this charge point fall silent; with None all, and new connections time out."""
        if identity is None:
            self._held = True
        for link in self.links_of(identity):
            link.drop()

    def heal(self, identity: str | None = None) -> None:
        """End ``drop``."""
        if identity is None:
            self._held = False
        for link in self.links_of(identity):
            link.heal()

    def refuse(self, on: bool = True) -> None:
        """New connections are refused, as if nobody listened."""
        self.fail(Fault(ConnectFailure.REFUSED, "connection refused") if on else None)

    def unreachable(self, on: bool = True) -> None:
        """New connections fail, as if there were no way to the server."""
        self.fail(Fault(ConnectFailure.NETWORK, "network is unreachable") if on else None)

    def fail(self, fault: Fault | None) -> None:
        """New connections fail like this, until None is given."""
        self._fault = fault

    def links_of(self, identity: str | None = None) -> list[MemoryLink]:
        """The links that are up, of one charge point or of all."""
        return [link for link in self.links if identity is None or link.identity == identity]

    # -- for attempts and listeners ------------------------------------------------------------------------------------

    @property
    def fault(self) -> Fault | None:
        return self._fault

    @property
    def held(self) -> bool:
        """Is everything silent?"""
        return self._held

    def find(self, url: Url) -> MemoryListener | None:
        return next((it for it in self._listeners if it.overlaps(url.address, url.tcp_port)), None)

    def new_port(self) -> int:
        port = self._next_port
        self._next_port = port + 1 if port < 65535 else FIRST_PORT
        return port

    def closed(self, listener: MemoryListener) -> None:
        if listener in self._listeners:
            self._listeners.remove(listener)

    def ended(self, link: MemoryLink) -> None:
        self.links.remove(link)


class MemoryListener:
    """A listening address in memory."""

    def __init__(self, network: MemoryNetwork, settings: ListenSettings, door: Door, port: int) -> None:
        self.settings = settings
        self._network = network
        self._door = door
        self._port = port
        self._address = settings.url.address
        self._failures = FailureTable(settings.failures_per_minute)
        self._is_open = True
        self._links: list[MemoryLink] = []  # kept only when they are counted

    def __repr__(self) -> str:
        return f"<listener in memory, {self._address}:{self._port}{'' if self._is_open else ' closed'}>"

    @property
    def port(self) -> int:
        return self._port

    def close(self) -> None:
        self._is_open = False
        self._network.closed(self)

    def overlaps(self, address: str, port: int) -> bool:
        """Does a client that connects to this address come here?"""
        if port != self._port:
            return False
        mine = self._address.lower()
        return mine == address.lower() or bool({mine, address} & ALL_ADDRESSES) or {mine, address.lower()} <= LOOPBACK

    def receive(self, attempt: MemoryAttempt, handshake: Handshake) -> None:
        """A client has connected and asks to upgrade. Threads: scheduler."""
        address = handshake.peer.address
        limit = self.settings.max_connections_per_address
        if self._failures.refuses(address, self._network.runtime.clock.now()) or 0 < limit <= self._connected(address):
            attempt.hung_up()
            return
        self._network.runtime.strand().put(lambda: self._judge(attempt, handshake))

    def _connected(self, address: str) -> int:
        """How many connections from there are open."""
        self._links = [link for link in self._links if link in self._network.links]
        return sum(link.server.peer.address == address for link in self._links)

    def _judge(self, attempt: MemoryAttempt, handshake: Handshake) -> None:
        """Threads: a worker."""
        post = self._network.runtime.scheduler.post
        if not self._door.knock(handshake.peer.address):
            post(attempt.hung_up)
            return
        asked = judge_request(handshake, self.settings)
        verdict: Accepted | Refused
        if isinstance(asked, Refused):
            verdict = asked
        else:
            verdict = self._ask(handshake, asked)
        post(lambda: self._decided(attempt, handshake, verdict))

    def _ask(self, handshake: Handshake, asked: Asked) -> Accepted | Refused:
        try:
            return self._door.admit(handshake, asked.identity, asked.user, asked.password)
        except Exception:  # the peer gets an answer, whatever the application does
            log.exception("%s: cannot decide about %s", self, asked.identity)
            return Refused(500, reason="the decision failed")

    def _decided(self, attempt: MemoryAttempt, handshake: Handshake, verdict: Accepted | Refused) -> None:
        address = handshake.peer.address
        if isinstance(verdict, Refused):
            if verdict.status == HTTPStatus.UNAUTHORIZED:
                self._failures.note(address, self._network.runtime.clock.now())
            self._failed(address, f"HTTP {verdict.status}: {verdict.reason}")
            attempt.refused(verdict.status)
        elif not self._is_open or not attempt.waits:
            self._failed(address, "the connection ended during the handshake")
            attempt.hung_up()
        elif choose_subprotocol(handshake.subprotocols, self.settings) is None:
            self._failed(address, "no common sub-protocol")
            attempt.fail(ConnectFailure.PROTOCOL, "the server does not speak the sub-protocol")
        else:
            self._open(attempt, handshake, verdict)

    def _open(self, attempt: MemoryAttempt, handshake: Handshake, accepted: Accepted) -> None:
        network, target = self._network, attempt.target
        server_side = Side(handshake.peer, self.settings.ping_interval, self.settings.limits)
        client_side = Side(Peer(target.url.address, self._port), target.ping_interval, target.limits)
        link = MemoryLink(network.runtime, client_side, server_side, identity=accepted.identity, owner=network)
        network.links.append(link)
        if self.settings.max_connections_per_address:
            self._links.append(link)
        if network.held:
            link.drop()
        try:
            self._door.opened(accepted, handshake, link.server)
        except Exception:
            link.server.abort()  # nobody will look after it
            raise
        finally:
            attempt.opened(link.client)

    def _failed(self, address: str, reason: str) -> None:
        self._network.runtime.strand().put(lambda: self._door.failed(address, reason))


class MemoryAttempt:
    """A connection being made in memory. Threads: scheduler, ``cancel`` any."""

    def __init__(
        self, network: MemoryNetwork, target: Target, done: Callable[[Transport | ConnectError], None]
    ) -> None:
        self.target = target
        self._network = network
        self._scheduler = network.runtime.scheduler
        self._done: Callable[[Transport | ConnectError], None] | None = done
        self._timer: Timer | None = None
        self._answered = False  # an answer is on its way

    @property
    def waits(self) -> bool:
        """Is the result still wanted?"""
        return self._done is not None

    def cancel(self) -> None:
        self._scheduler.post(lambda: self._finish(self._error(ConnectFailure.CANCELLED, "cancelled")))

    def begin(self) -> None:
        self._network.attempts += 1
        self._timer = self._scheduler.call_later(self.target.connect_timeout, self._timed_out)
        self._after_delay(self._arrived)

    def _after_delay(self, function: Callable[[], None]) -> None:
        if self._network.delay:
            self._scheduler.call_later(self._network.delay, function)
        else:
            self._scheduler.post(function)

    def _arrived(self) -> None:
        network, url = self._network, self.target.url
        if not self.waits or network.held:  # nothing comes back: the time runs out
            return
        listener = network.find(url)
        if network.fault is not None:
            self.fail(*network.fault)
        elif listener is None:
            self.fail(ConnectFailure.REFUSED, "connection refused")
        elif url.secure and not listener.settings.url.secure:
            self.fail(ConnectFailure.TLS, "the server does not speak TLS")
        elif listener.settings.url.secure and not url.secure:
            self.fail(ConnectFailure.PROTOCOL, "the server expects TLS")
        else:
            listener.receive(self, self._handshake())

    def _handshake(self) -> Handshake:
        target, network = self.target, self._network
        certificate = network.client_certificate if target.url.secure else None
        return Handshake(
            target=target.url.path or "/",
            peer=Peer(network.client_address, network.new_port(), certificate),
            subprotocols=(target.subprotocol,) if target.subprotocol else (),
            authorization=basic_credentials(target.user, target.password) if target.user else None,
        )

    # -- answers -------------------------------------------------------------------------------------------------------

    def fail(self, reason: ConnectFailure, text: str, status: int | None = None) -> None:
        self._answer(self._error(reason, text, status))

    def refused(self, status: int) -> None:
        self.fail(ConnectFailure.HTTP_STATUS, f"the server answered with HTTP status {status}", status)

    def hung_up(self) -> None:
        self.fail(ConnectFailure.NETWORK, "the server closed the connection during the handshake")

    def opened(self, transport: MemoryTransport) -> None:
        self._answer(transport)

    def _answer(self, result: MemoryTransport | ConnectError) -> None:
        self._after_delay(lambda: self._answer_arrived(result))

    def _answer_arrived(self, result: MemoryTransport | ConnectError) -> None:
        if self._network.held and self._done is not None:
            return
        self._finish(result)

    def _timed_out(self) -> None:
        limit = self.target.connect_timeout
        self._finish(self._error(ConnectFailure.TIMEOUT, f"not connected within {limit:g} s"))

    def _finish(self, result: MemoryTransport | ConnectError) -> None:
        done, self._done = self._done, None
        if self._timer is not None:
            self._timer.cancel()
        if done is not None:
            done(result)
        elif isinstance(result, MemoryTransport):
            result.abort()  # too late: nobody wants it any more

    def _error(self, reason: ConnectFailure, text: str, status: int | None = None) -> ConnectError:
        url = self.target.url
        return ConnectError(reason, f"connect to {url.address}:{url.tcp_port}: {text}", status=status)


__all__ = ["Fault", "MemoryAttempt", "MemoryListener", "MemoryNetwork", "pair"]
