"""One connection from TCP's accept to the open websocket: knock, TLS, request, admission, answer (J §3).

The order: the door is asked about the address; TLS shakes hands; the request is read and judged; the door is asked
about the identity; the answer is written. All of it within one time. Whoever is refused gets a status, and a moment to
read it.
Threads: scheduler, but ``Door.knock``, ``admit`` and ``failed`` are called on workers.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING, Protocol

from openocpp.errors import TransportError
from openocpp.runtime import READ
from openocpp.transport.admission import bad_request, choose_subprotocol, judge_request, unauthorized
from openocpp.transport.base import Accepted, CloseCode, Handshake, Peer, Refused
from openocpp.transport.http_request import (
    END_OF_HEAD,
    MAX_HEAD,
    answer_refused,
    answer_upgrade,
    could_be_request,
    judge_upgrade,
    parse_request,
)
from openocpp.transport.websocket import WebSocketTransport

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.runtime import Runtime, Timer
    from openocpp.transport.admission import Asked
    from openocpp.transport.base import Door, ListenSettings
    from openocpp.transport.stream import Stream

log = logging.getLogger("openocpp.transport")

READ_SIZE = 2 * MAX_HEAD
NO_SUBPROTOCOL = "no common sub-protocol"


class House(Protocol):
    """What an arrival needs of the listener it came to."""

    runtime: Runtime
    settings: ListenSettings
    door: Door

    def left(self, arrival: Arrival) -> None:
        """The arrival is over: it opened, or its descriptor was given back."""

    def connected(self, address: str) -> Callable[[], None] | None:
        """A connection is about to open; what is returned is called when it has ended."""

    def note_refusal(self, address: str, refused: Refused) -> None:
        """An answer other than 101 was given."""


class _Phase(Enum):
    WAITING = auto()  # for an answer of the door: nothing is read
    SECURING = auto()
    READING = auto()
    LEAVING = auto()  # the answer is written: what still comes is thrown away
    OVER = auto()


WAITING, SECURING, READING, LEAVING, OVER = _Phase


class Arrival:
    """A connection that is not open yet."""

    __slots__ = (
        "_farewell", "_handshake", "_head", "_house", "_key", "_let_in", "_peer", "_phase", "_reason", "_stream",
        "_timer", "_watched", "address",
    )  # fmt: skip

    def __init__(self, house: House, stream: Stream, peer: Peer) -> None:
        self._house = house
        self._stream = stream
        self._peer = peer
        self.address = peer.address
        self._phase = WAITING
        self._let_in = False  # by knock: then either ``opened`` or ``failed`` follows
        self._reason: str | None = None  # why it failed
        self._head = b""
        self._handshake: Handshake | None = None
        self._key = ""
        self._watched = 0
        self._timer: Timer | None = None
        self._farewell: WebSocketTransport | None = None  # open, but only to be closed

    def __repr__(self) -> str:
        return f"<arrival from {self._peer.address}:{self._peer.port}: {self._phase.name.lower()}>"

    def begin(self) -> None:
        limit = self._house.settings.handshake_timeout
        if limit > 0:
            scheduler = self._house.runtime.scheduler
            self._timer = scheduler.call_later(limit, lambda: self._fail(f"no websocket within {limit:g} s"))
        self._house.runtime.workers.submit(self._knock)

    def drop(self) -> None:
        """End it, whatever it does; the door is told nothing any more."""
        self._let_in = False
        self._reason = None
        if self._farewell is not None:
            self._farewell.abort()
        else:
            self._end()

    # -- knock: worker, then scheduler ---------------------------------------------------------------------------------

    def _knock(self) -> None:
        try:
            welcome = self._house.door.knock(self.address)
        except Exception:
            log.exception("%r: the door failed to answer", self)
            welcome = False
        self._house.runtime.scheduler.post(partial(self._knocked, welcome))

    def _knocked(self, welcome: bool) -> None:
        self._let_in = welcome
        if self._phase is OVER:
            if self._reason is not None:  # it failed in the meantime, and was not dropped
                self._tell_failed(self._reason)
            return
        if not welcome:
            self._end()
            return
        self._phase = SECURING
        self._secure()

    # -- TLS, request --------------------------------------------------------------------------------------------------

    def _secure(self) -> None:
        try:
            wanted = self._stream.handshake()
        except (OSError, TransportError) as error:
            self._fail(f"TLS handshake failed: {error}")
            return
        if wanted:
            self._watch(wanted)
            return
        certificate = self._stream.peer_certificate()
        if certificate is not None:
            self._peer = Peer(self._peer.address, self._peer.port, certificate)
        self._phase = READING
        self._watch(READ)
        if self._stream.pending():
            self._read()

    def _ready(self, _: int) -> None:
        if self._phase is SECURING:
            self._secure()
        elif self._phase is READING or self._phase is LEAVING:
            self._read()

    def _read(self) -> None:
        """Read on, while the selector may not tell of what is there already."""
        while self._phase is READING or self._phase is LEAVING:
            try:
                data = self._stream.recv(READ_SIZE)
            except BlockingIOError:
                return
            except OSError as error:
                self._fail(error.strerror or str(error))
                return
            if not data:
                self._fail("the connection ended before the request was complete")
            elif self._phase is READING:
                self._add(data)
            if not self._stream.pending():
                return

    def _add(self, data: bytes) -> None:
        searched = max(len(self._head) - len(END_OF_HEAD) + 1, 0)
        self._head += data
        end = self._head.find(END_OF_HEAD, searched, MAX_HEAD)
        if end >= 0:
            self._judge(self._head[:end])
            self._head = self._head[end + len(END_OF_HEAD) :]  # frames of a client in a hurry
        elif not could_be_request(self._head):
            self._refuse(bad_request("no HTTP request"))
        elif len(self._head) >= MAX_HEAD:
            self._refuse(Refused(431, reason=f"a header above {MAX_HEAD} bytes"))

    def _judge(self, head: bytes) -> None:
        try:
            request = parse_request(head)
            authorization = request.single("authorization")
            offered = request.tokens("sec-websocket-protocol")
        except ValueError as error:
            self._refuse(bad_request(str(error)))
            return
        self._handshake = Handshake(request.target, self._peer, offered, authorization)
        asked = judge_request(self._handshake, self._house.settings)
        if isinstance(asked, Refused):
            self._refuse(asked)
            return
        key = judge_upgrade(request)
        if isinstance(key, Refused):
            self._refuse(key)
            return
        self._key = key
        self._phase = WAITING
        self._watch(0)
        self._house.runtime.workers.submit(partial(self._ask, self._handshake, asked))

    # -- admission: worker, then scheduler -----------------------------------------------------------------------------

    def _ask(self, handshake: Handshake, asked: Asked) -> None:
        verdict: Accepted | Refused
        try:
            verdict = self._house.door.admit(handshake, asked.identity, asked.user, asked.password)
        except Exception:
            log.exception("%r: the door failed to admit or refuse", self)
            verdict = Refused(500, reason="the door failed")
        self._house.runtime.scheduler.post(partial(self._decided, verdict))

    def _decided(self, verdict: Accepted | Refused) -> None:
        handshake = self._handshake
        if self._phase is OVER or handshake is None:
            return
        if isinstance(verdict, Refused):
            self._refuse(verdict)
            return
        subprotocol = choose_subprotocol(handshake.subprotocols, self._house.settings)
        if self._write(answer_upgrade(self._key, subprotocol or "")):
            self._open(verdict, handshake, subprotocol is not None)

    def _open(self, accepted: Accepted, handshake: Handshake, agreed: bool) -> None:
        """The stream goes over to a transport: to the door, or only to say good-bye properly (J §3.2)."""
        self._stop_timer()
        house, settings = self._house, self._house.settings
        transport = WebSocketTransport(
            house.runtime,
            self._stream,
            self._peer,
            client=False,
            ping_interval=settings.ping_interval,
            limits=settings.limits,
            early=self._head,
            ended=house.connected(self.address) if agreed else self._said_goodbye,
        )
        self._head = b""
        if not agreed:
            self._phase = LEAVING
            self._farewell = transport
            transport.close(CloseCode.PROTOCOL_ERROR, NO_SUBPROTOCOL)
            self._tell_failed(NO_SUBPROTOCOL)
            return
        self._phase = OVER
        house.left(self)
        log.debug("%r: open as %r", self, accepted.identity)
        try:
            house.door.opened(accepted, handshake, transport)
        except Exception:
            log.exception("%r: the door failed to take the connection", self)
            transport.abort()

    def _said_goodbye(self) -> None:
        self._phase = OVER
        self._house.left(self)

    # -- the end -------------------------------------------------------------------------------------------------------

    def _write(self, answer: bytes) -> bool:
        """Write the answer, which is short, the first thing that is written, and so taken as a whole."""
        try:
            if self._stream.send(answer) == len(answer):
                return True
            problem = "the answer was not taken"
        except BlockingIOError:
            problem = "the answer was not taken"
        except OSError as error:
            problem = error.strerror or str(error)
        self._fail(problem)
        return False

    def _refuse(self, refused: Refused) -> None:
        """Answer, then wait a moment: closed at once, the client might find a reset instead of the answer."""
        if refused.status == 401 and not any(name.lower() == "www-authenticate" for name, _ in refused.headers):
            refused = replace(refused, headers=(*refused.headers, *unauthorized("").headers))
        self._house.note_refusal(self.address, refused)
        if not self._write(answer_refused(refused)):
            return
        self._phase = LEAVING
        self._head = b""
        self._stream.finish()
        self._stop_timer()
        self._timer = self._house.runtime.scheduler.call_later(self._house.settings.limits.close_timeout, self._end)
        self._watch(READ)
        self._tell_failed(f"{refused.status}: {refused.reason}" if refused.reason else str(refused.status))

    def _fail(self, reason: str) -> None:
        self._reason = reason
        self._end()
        self._tell_failed(reason)

    def _tell_failed(self, reason: str) -> None:
        """Once, and only of a connection that was let in."""
        if self._let_in:
            self._let_in = False
            self._house.runtime.workers.submit(partial(self._failed, reason))

    def _failed(self, reason: str) -> None:
        try:
            self._house.door.failed(self.address, reason)
        except Exception:
            log.exception("%r: the door failed to take the news", self)

    def _end(self) -> None:
        if self._phase is OVER:
            return
        self._phase = OVER
        self._stop_timer()
        self._watch(0)
        self._stream.close()
        self._house.left(self)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _watch(self, wanted: int) -> None:
        if wanted == self._watched:
            return
        before, self._watched = self._watched, wanted
        scheduler = self._house.runtime.scheduler
        if not wanted:
            scheduler.unregister(self._stream.socket)
        elif not before:
            scheduler.register(self._stream.socket, wanted, self._ready)
        else:
            scheduler.modify(self._stream.socket, wanted)
