"""The server side of OCPP-J, for whoever accepts charge points: central system and local controller.

It listens, asks the role who may come in, keeps the table of connections by identity, and tells the role about each in
order: ``announce``, then the peer's CALLs one by one, ``disconnected`` at the end. A role is a :class:`ServerRole`, and
makes a :class:`ConnectionUser` for each connection.

Threads: the table belongs to the scheduler; the role is asked and told on workers. The notifications about one identity
come in order, also when connections of it follow each other; none of them waits for a CALL that is being handled.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from openocpp.errors import StateError
from openocpp.rpc.endpoint import Endpoint
from openocpp.rpc.gatekeeper import Admission, Gatekeeper
from openocpp.runtime import ThreadEnd
from openocpp.transport.base import CloseCode
from openocpp.transport.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from openocpp.rpc.endpoint import IncomingCall
    from openocpp.runtime import Lane, Runtime, Strand
    from openocpp.transport.base import (
        Accepted,
        Closed,
        Handshake,
        Listener,
        ListenSettings,
        Network,
        Peer,
        Refused,
        Transport,
    )

log = logging.getLogger("openocpp.rpc")

NEWEST, OLDEST, APPLICATION = "newest", "oldest", "application"  # which connection of an identity stays
CLOSE_LIMIT = 1.5  # seconds that peers have to answer the Close frame when the server closes
INTERNAL_ERROR = 1011  # RFC 6455 §7.4.1


class ConnectionUser(Protocol):
    """The role's own object for one connection. Exceptions are logged. Threads: workers."""

    def announce(self) -> None:
        """Tell the application. No CALL is handled before this returns; raising closes the connection."""

    def serve(self, call: IncomingCall) -> None:
        """Handle a CALL: one at a time, in the order in which they came."""

    def disconnected(self) -> None:
        """It is over, and nothing of it begins any more; a CALL may still run. Once, after ``announce``."""


class ServerRole(Gatekeeper, Protocol):
    """What a role adds to the server: who may come in, and what becomes of a connection."""

    def user_of(self, connection: Connection) -> ConnectionUser:
        """Make the role's object for a new connection. Threads: a worker."""


@dataclass(frozen=True)
class ServerSettings:
    """``duplicates`` says which connection stays when an identity comes a second time: newest, oldest or application
    (both). ``max_queued`` bounds the CALLs that wait, per connection."""

    listen: ListenSettings
    duplicates: str = NEWEST
    max_queued: int = 32


@dataclass
class ServerCounters:
    """What happened since the start. Threads: any may read."""

    connected: int = 0  # connections opened
    failed: int = 0  # let in by ``accept_connection``, but never opened
    replaced: int = 0  # ended by a newer connection of the same identity
    duplicates: int = 0  # refused, since the identity was connected
    invalid_messages: int = 0
    most: int = 0  # open at once


class Connection:
    """A connected charge point. ``accepted`` holds the credentials that were checked."""

    __slots__ = ("_server", "accepted", "announced", "endpoint", "on_end", "opened_at", "peer", "place", "user")

    def __init__(
        self, server: Server, transport: Transport, accepted: Accepted, peer: Peer, opened_at: datetime, place: _Place
    ) -> None:
        self._server = server
        self.accepted = accepted
        self.peer = peer
        self.opened_at = opened_at
        self.place = place
        self.user: ConnectionUser | None = None
        self.on_end: Callable[[], None] | None = None  # called at once when it ends, on the scheduler; must not block
        self.announced = False
        self.endpoint = Endpoint(
            server.runtime, transport, self, _unserved, name=accepted.identity, lane=server.lane,
            max_queued=server.settings.max_queued,
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"<connection of {self.identity} from {self.peer.address}>"

    @property
    def server(self) -> Server:
        return self._server

    @property
    def identity(self) -> str:
        return self.accepted.identity

    @property
    def is_open(self) -> bool:
        return self.endpoint.closed_why is None

    def use(self, user: ConnectionUser) -> None:
        """Give the connection to this user. Only within ``announce``, before the first CALL is handled."""
        self.user = user
        self.endpoint.handler = user.serve

    def close(self, code: int = CloseCode.NORMAL, reason: str = "") -> None:
        """End it now; the user gets ``disconnected``. Any thread, idempotent."""
        self._server.runtime.scheduler.post(partial(self._server.leave, self, code, reason))

    def notify(self, function: Callable[[], None]) -> None:
        """Run it on a worker, in order with ``announce`` and ``disconnected``, before the latter. Scheduler only."""
        self._server.notify(self.place, function)

    def endpoint_closed(self, endpoint: Endpoint, why: Closed) -> None:
        self._server.ended(self, why)

    def invalid_message(self, endpoint: Endpoint, problem: str) -> None:
        self._server.counters.invalid_messages += 1


class HandsOver(ABC):
    """A proxy that can give its connection to another role: the hybrid of central system and local controller."""

    @abstractmethod
    def hand_over(self) -> Connection:
        """The connection, which this object uses no more. StateError except within ``announce``."""


class _Place:
    """What belongs to one identity: its connections, and the notifications on their way."""

    __slots__ = ("connections", "identity", "pending", "strand")

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.connections: list[Connection] = []
        self.pending = 0
        self.strand: Strand | None = None


_notifying: ContextVar[_Place | None] = ContextVar("openocpp.rpc.server", default=None)


class Server:
    """A listening address and its connections: ``listen`` once, ``close`` once."""

    def __init__(
        self, runtime: Runtime, network: Network, role: ServerRole, settings: ServerSettings, lane: Lane | None = None
    ) -> None:
        self.runtime = runtime
        self.settings = settings
        self.lane = lane
        self.counters = ServerCounters()
        self._network = network
        self._role = role
        basic = settings.listen.basic_authentication
        self._admission = Admission(role, Tally(runtime), basic_authentication=basic)
        self._listener: Listener | None = None
        self._open: dict[Connection, None] = {}
        self._places: dict[str, _Place] = {}
        self._pending = 0  # notifications that have not returned
        self._untold: set[Connection] = set()  # over, and the user does not know yet
        self._closing = False
        self._leaving: dict[object, Callable[[], None]] = {}  # what has not ended yet, and how it is cut off
        self._check_closed: Callable[[], None] = _nothing

    def __repr__(self) -> str:
        return f"<server on {self.settings.listen.url}: {len(self._open)} connections>"

    def listen(self) -> None:
        """Begin to accept. Blocking. Raises TransportError or ConfigError."""
        self._listener = self._network.listen(self.settings.listen, self)

    @property
    def listener(self) -> Listener:
        """StateError before ``listen``."""
        if self._listener is None:
            raise StateError("the server does not listen")
        return self._listener

    @property
    def connections(self) -> tuple[Connection, ...]:
        """Those that are connected and announced. Any thread."""
        return tuple(connection for connection in self._open.copy() if connection.announced)

    # -- the door ------------------------------------------------------------------------------------------------------

    def knock(self, address: str) -> bool:
        return not self._closing and self._admission.knock(address)

    def admit(self, handshake: Handshake, identity: str, user: str, password: bytes) -> Accepted | Refused:
        return self._admission.admit(handshake, identity, user, password)

    def failed(self, address: str, reason: str) -> None:
        if not self._closing:
            self.counters.failed += 1
            self._admission.failed(address, reason)

    def opened(self, accepted: Accepted, handshake: Handshake, transport: Transport) -> None:
        if self._closing:
            transport.abort()
            return
        place = self._places.get(accepted.identity)
        if place is None:
            place = self._places[accepted.identity] = _Place(accepted.identity)
        now = self.runtime.clock.utcnow()
        connection = Connection(self, transport, accepted, handshake.peer, now, place)
        connection.endpoint.start(held=True)
        if place.connections and self.settings.duplicates == OLDEST:
            log.warning("%s: connected already, refused another from %s", connection.identity, connection.peer.address)
            self.counters.duplicates += 1
            self.leave(connection, CloseCode.POLICY, "connected already")
            self.notify(place, partial(self.failed, connection.peer.address, "connected already"))
        else:
            self._take_in(connection)

    def _take_in(self, connection: Connection) -> None:
        place = connection.place
        if place.connections and self.settings.duplicates == NEWEST:
            for old in list(place.connections):
                log.warning("%s: replaced by a new connection from %s", old.identity, connection.peer.address)
                self.counters.replaced += 1
                self.leave(old, CloseCode.POLICY, "replaced by a newer connection")
        place.connections.append(connection)
        self._open[connection] = None
        self.counters.connected += 1
        self.counters.most = max(self.counters.most, len(self._open))
        self.notify(place, partial(self._announce, connection))

    def leave(self, connection: Connection, code: int, reason: str) -> None:
        """End a connection from our side. Threads: scheduler; others use ``Connection.close``."""
        self.await_end(connection, connection.endpoint.transport.abort)
        connection.endpoint.leave(code, reason, partial(self.has_ended, connection))

    def ended(self, connection: Connection, why: Closed) -> None:
        """A connection is over. Threads: scheduler; called by it alone."""
        if connection not in self._open:  # a refused duplicate
            return
        log.info("%s: disconnected (%d %s)", connection.identity, why.code, why.reason)
        del self._open[connection]
        connection.place.connections.remove(connection)
        if connection.on_end is not None:
            connection.on_end()
        self._untold.add(connection)
        self.notify(connection.place, partial(self._tell_end, connection))

    # -- notifications -------------------------------------------------------------------------------------------------

    def notify(self, place: _Place, function: Callable[[], None]) -> None:
        """Run it on a worker, behind what was queued for this identity before. Threads: scheduler."""
        if place.strand is None:
            place.strand = self.runtime.strand()
        place.pending += 1
        self._pending += 1
        place.strand.put(partial(self._run_notification, place, function))

    def _run_notification(self, place: _Place, function: Callable[[], None]) -> None:
        token = _notifying.set(place)
        try:
            function()
        finally:
            _notifying.reset(token)
            self.runtime.scheduler.post(partial(self._notified, place))

    def _notified(self, place: _Place) -> None:
        place.pending -= 1
        self._pending -= 1
        if place.pending == 0:
            place.strand = None  # idle connections need none
            if not place.connections:
                del self._places[place.identity]
        self._check_closed()

    def _announce(self, connection: Connection) -> None:
        if not connection.is_open:
            self.failed(connection.peer.address, "the connection ended before it was announced")
            return
        log.info("%s: connected from %s", connection.identity, connection.peer.address)
        try:
            user = self._role.user_of(connection)
            connection.use(user)
            connection.announced = True
            user.announce()
        except ThreadEnd:
            raise
        except BaseException:  # the application's bug costs this connection, no other
            log.exception("%s: could not be announced, the connection is closed", connection.identity)
            connection.close(INTERNAL_ERROR, "internal error")
            return
        self.runtime.scheduler.post(connection.endpoint.release)

    def _tell_end(self, connection: Connection) -> None:
        """Exactly once, whoever comes first."""
        try:
            self._untold.remove(connection)
        except KeyError:
            return
        if connection.announced and connection.user is not None:
            try:
                connection.user.disconnected()
            except ThreadEnd:
                raise
            except BaseException:  # the application's bug: there is nothing left that it could harm
                log.exception("%s: the end of the connection could not be told", connection.identity)

    # -- the end -------------------------------------------------------------------------------------------------------

    def close(self, limit: float = CLOSE_LIMIT) -> None:
        """Listen no more, close all connections with 1001, and have all users told. Any thread but the scheduler.

        Bounded: peers that do not answer within ``limit`` seconds are cut off, and notifications that are held up so
        long, by one that blocks, get half as long again.
        """
        self.runtime.check_may_block("close the server")
        self._closing = True
        if self._listener is not None:
            self._listener.close()
        own = _notifying.get()  # of the notification that calls this, and whose end cannot be waited for
        post = self.runtime.scheduler.post
        closed = self.runtime.waiter()
        post(partial(self._leave_all, own, closed.set))
        if not closed.wait(limit):
            cut_off = self.runtime.waiter()
            post(partial(self._cut_off, cut_off.set))
            cut_off.wait(limit)
        untold = list(self._untold.copy())
        for connection in untold:
            if connection.place is own:
                self._tell_end(connection)
        if self._untold:
            log.warning("%d connections could not be told their end within %g s", len(self._untold), limit)
            self.runtime.spawn(lambda: self._tell_all(untold), "last-notifications").join(limit / 2)

    def _tell_all(self, connections: list[Connection]) -> None:
        for connection in connections:
            self._tell_end(connection)

    def _leave_all(self, own: _Place | None, done: Callable[[None], object]) -> None:
        def check() -> None:
            if not self._leaving and self._pending == (own.pending if own is not None else 0):
                done(None)

        for connection in list(self._open):
            self.leave(connection, CloseCode.GOING_AWAY, "the server stops")
        self._check_closed = check
        check()

    def await_end(self, thing: object, abort: Callable[[], None]) -> None:
        """``close`` waits for it, or aborts it: what a user keeps beside its connection. Threads: scheduler."""
        self._leaving[thing] = abort

    def has_ended(self, thing: object) -> None:
        """``close`` need not wait for this any more. Threads: scheduler."""
        self._leaving.pop(thing, None)
        self._check_closed()

    def _cut_off(self, done: Callable[[None], object]) -> None:
        for abort in list(self._leaving.values()):
            abort()
        self._check_closed = _nothing
        done(None)


def _unserved(call: IncomingCall) -> None:
    raise StateError(f"{call!r} came before its connection was announced")


def _nothing() -> None:
    """Nobody waits for the end."""
