"""Two ends of a connection that never leaves memory: what a websocket over TCP does, without either.

Messages arrive in order, each direction after its delay; close handshake, limits and back-pressure are those of the
socket transport. Silence is modelled as TCP shows it: nothing is lost while the link is black-holed, it only does not
arrive, and comes late when the link heals before somebody gives up. Ping frames are not simulated: their one effect,
that silence ends a connection after twice the ping interval, is a timer that runs only while a link can be silent.
Threads: scheduler only, ``pair`` and the verbs of :class:`MemoryLink` any.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

from openocpp.transport.base import CloseCode, Closed, Limits, Peer

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.runtime import Runtime, Timer
    from openocpp.transport.base import Receiver

WINDOW = 256 * 1024  # bytes that the kernels of both ends hold before a sender must wait

TO_SERVER = ">"
TO_CLIENT = "<"


class _CloseFrame(NamedTuple):
    code: int
    reason: str


class _End:
    """The TCP connection was closed behind the last frame."""


_END = _End()


class _State(Enum):
    OPEN = auto()
    CLOSING = auto()  # our Close frame is sent, the peer's is awaited
    CLOSED = auto()


@dataclass(frozen=True)
class Side:
    """What one end of a link is told: whom it sees at the other end, how often it would ping, its bounds."""

    peer: Peer
    ping_interval: float = 0.0
    limits: Limits = field(default_factory=Limits)


class LinkOwner:
    """What the links of one network share."""

    def __init__(self) -> None:
        self.delay = 0.0
        self.spies: list[Callable[[str, str, str], None]] = []

    def ended(self, link: MemoryLink) -> None:
        """Both ends of a link are closed."""


class MemoryTransport:
    """One end of a link."""

    def __init__(self, link: MemoryLink, side: Side, direction: str) -> None:
        self.link = link
        self._peer = side.peer
        self._limits = side.limits
        self._direction = direction
        self._state = _State.OPEN
        self._receiver: Receiver | None = None
        self._why: Closed | None = None
        self._paused = False
        self._ping_interval = side.ping_interval
        self._silence: Timer | None = None
        self._closing: Timer | None = None
        self._asked = Closed(CloseCode.NORMAL)
        self._output: deque[tuple[str | _CloseFrame, int, Callable[[], None] | None]] = deque()
        self._queued = 0  # bytes in _output
        self._taking = False
        self._wire: deque[tuple[float, str | _CloseFrame | _End, int]] = deque()  # sent by this end, not arrived yet
        self._in_flight = 0  # bytes in _wire
        self._arrival: Timer | None = None
        self.other = self  # the other end: set by the link

    def __repr__(self) -> str:
        return f"<{self.link.name} {self._direction} {self._state.name}: {self._queued} B queued>"

    # -- Transport -----------------------------------------------------------------------------------------------------

    @property
    def peer(self) -> Peer:
        return self._peer

    def start(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._paused = False
        if self._why is not None:
            self._report(receiver, self._why)
        self.link.post(self.other._arrive)

    def send(self, text: str, written: Callable[[], None] | None = None) -> None:
        if self._state is not _State.OPEN:
            return
        size = len(text) if text.isascii() else len(text.encode())
        waiting = self._queued - max(WINDOW - self._in_flight, 0)  # what the kernel will not take
        if waiting > 0 and waiting + size > self._limits.max_output:
            self.close(CloseCode.TRY_AGAIN_LATER, "output buffer full")
            return
        self._put(text, size, written)

    def pause(self) -> None:
        self._paused = True
        self.link.watch_silence()

    def resume(self) -> None:
        self._paused = False
        self.link.watch_silence()
        self.link.post(self.other._arrive)

    def close(self, code: int = CloseCode.NORMAL, reason: str = "") -> None:
        if self._state is not _State.OPEN:
            return
        self._state = _State.CLOSING
        self._asked = Closed(code, reason)
        self._put(_CloseFrame(code, reason), 0, None)
        self._closing = self.link.call_later(self._limits.close_timeout, self._close_timed_out)
        self.link.post(self.other._arrive)  # the answer is read even while paused

    def abort(self) -> None:
        if self._state is not _State.CLOSED:
            self._finish(Closed(CloseCode.ABNORMAL, "aborted"))

    # -- this end as the sender ----------------------------------------------------------------------------------------

    def _put(self, item: str | _CloseFrame, size: int, written: Callable[[], None] | None) -> None:
        self._output.append((item, size, written))
        self._queued += size
        self._want_take()

    def _want_take(self) -> None:
        if not self._taking:
            self._taking = True
            self.link.post(self._take)

    def _take(self) -> None:
        """What the kernel does: take output while there is room, and carry it."""
        self._taking = False
        try:
            while self._output and self._in_flight < WINDOW:
                item, size, written = self._output.popleft()
                self._queued -= size
                self.link.seen(self._direction, item)
                self._carry(item, size)
                if written is not None:
                    written()
        except Exception:
            self._want_take()  # one broken callback must not hold up the rest
            raise
        if self._arrival is None:
            self._arrive()

    def _carry(self, item: str | _CloseFrame | _End, size: int) -> None:
        due = self.link.now() + self.link.delay
        if self._wire:
            due = max(due, self._wire[-1][0])  # a shorter delay does not overtake what is under way
        self._wire.append((due, item, size))
        self._in_flight += size
        if self.link.delay and self._arrival is None:
            self._arrival = self.link.call_at(due, self._arrive)

    def _arrive(self) -> None:
        """Give the other end everything that is due and that it is willing to read."""
        if self._arrival is not None:
            self._arrival.cancel()
            self._arrival = None
        wire, other, now = self._wire, self.other, self.link.now()
        try:
            while wire and wire[0][0] <= now and other._reads and not self.link.held:
                _, item, size = wire.popleft()
                self._in_flight -= size
                other._deliver(item, size)
        finally:
            if wire and not self.link.held and other._reads and self._arrival is None:
                self._arrival = self.link.call_at(wire[0][0], self._arrive)
        if self._output and self._in_flight < WINDOW:
            self._want_take()

    # -- this end as the receiver --------------------------------------------------------------------------------------

    @property
    def _reads(self) -> bool:
        if self._state is _State.OPEN:
            return self._receiver is not None and not self._paused
        return True  # closing: the answer is awaited; closed: the rest is thrown away

    def _deliver(self, item: str | _CloseFrame | _End, size: int) -> None:
        if self._state is _State.CLOSED:
            return
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
            self._watch_silence()  # it begins anew
        if isinstance(item, str):
            if self._state is _State.CLOSING:
                return  # nobody waits for it any more
            if size > self._limits.max_message:
                self._refuse_long()
            elif self._receiver is not None:
                self._receiver.text_received(item)
        elif isinstance(item, _CloseFrame):
            if self._state is _State.CLOSING:
                self._finish(self._asked, flush=True)
            else:
                self._put(item, 0, None)  # the answer, behind all that was queued
                self._finish(Closed(item.code, item.reason, by_peer=True), flush=True)
        else:
            self._finish(Closed(CloseCode.ABNORMAL, "connection closed by the peer", by_peer=True))

    def _refuse_long(self) -> None:
        reason = f"message longer than {self._limits.max_message} bytes"
        self._put(_CloseFrame(CloseCode.TOO_BIG, reason), 0, None)
        self._finish(Closed(CloseCode.TOO_BIG, reason), flush=True)

    def _close_timed_out(self) -> None:
        if self._state is _State.CLOSING:
            self._finish(self._asked)

    # -- the end -------------------------------------------------------------------------------------------------------

    def _finish(self, why: Closed, *, flush: bool = False) -> None:
        """This end is closed; ``flush``: what is queued is still written."""
        if self._state is _State.CLOSING:
            why = self._asked  # however it came about in the end
        self._state = _State.CLOSED
        self._why = why
        for timer in (self._silence, self._closing):
            if timer is not None:
                timer.cancel()
        self._silence = self._closing = None
        if not flush:  # else the Close frame at the end of the queue tells the other end
            self._output.clear()
            self._queued = 0
            self._carry(_END, 0)
            self.link.post(self._arrive)
        if self._receiver is not None:
            self._report(self._receiver, why)
        self.link.ended()

    def _report(self, receiver: Receiver, why: Closed) -> None:
        self.link.post(lambda: receiver.closed(why))

    def _lose(self, reason: str) -> None:
        """The connection is gone for this end, and whatever was under way."""
        self._wire.clear()
        self._in_flight = 0
        if self._state is not _State.CLOSED:
            self._finish(Closed(CloseCode.ABNORMAL, reason, by_peer=True))

    def _watch_silence(self) -> None:
        """Pings of this end are not answered while the link is black-holed, or while the other end does not read.

        An end that does not read itself cannot tell.
        """
        silent = (self.link.held or self.other._paused) and not self._paused
        if self._silence is not None and not silent:
            self._silence.cancel()
            self._silence = None
        elif self._silence is None and silent and self._ping_interval > 0 and self._state is not _State.CLOSED:
            self._silence = self.link.call_later(2 * self._ping_interval, self._unanswered)

    def _unanswered(self) -> None:
        if self._state is not _State.CLOSED:
            self._finish(Closed(CloseCode.ABNORMAL, "no answer to pings"))


class MemoryLink:
    """A connection in memory, and the faults that can befall it. ``pair`` makes one without a network."""

    def __init__(
        self, runtime: Runtime, client: Side, server: Side, *, identity: str = "", owner: LinkOwner | None = None
    ) -> None:
        scheduler = runtime.scheduler
        self.post = scheduler.post
        self.call_at = scheduler.call_at
        self.call_later = scheduler.call_later
        self.now = runtime.clock.now
        self.identity = identity
        self.name = f"link {identity}" if identity else "link"
        self.held = False
        self._owner = owner or LinkOwner()
        self._delay: float | None = None
        self.client = MemoryTransport(self, client, TO_SERVER)
        self.server = MemoryTransport(self, server, TO_CLIENT)
        self.client.other, self.server.other = self.server, self.client

    def __repr__(self) -> str:
        return f"<{self.name}: {self.client!r} {self.server!r}>"

    @property
    def delay(self) -> float:
        """Seconds that a frame takes, each way: the network's, unless this link was given its own."""
        return self._owner.delay if self._delay is None else self._delay

    @delay.setter
    def delay(self, seconds: float | None) -> None:
        self._delay = seconds

    def cut(self) -> None:
        """Both ends lose the connection at once, with all that is under way."""
        self.post(self._cut)

    def drop(self) -> None:
        """Nothing arrives any more, and nobody is told: a black hole. Who sends pings gives up after two intervals."""
        self.post(lambda: self._hold(True))

    def heal(self) -> None:
        """End ``drop``: what was sent meanwhile arrives late, also the news that an end has given up."""
        self.post(lambda: self._hold(False))

    def _cut(self) -> None:
        self._hold(False)
        for end in (self.client, self.server):
            end._lose("connection lost")

    def _hold(self, held: bool) -> None:
        self.held = held
        self.watch_silence()
        for end in (self.client, self.server):
            self.post(end._arrive)

    # -- for the two ends ----------------------------------------------------------------------------------------------

    def watch_silence(self) -> None:
        """Something has changed about who hears whom."""
        self.client._watch_silence()
        self.server._watch_silence()

    def seen(self, direction: str, item: str | _CloseFrame) -> None:
        """A frame is on the wire."""
        spies = self._owner.spies
        if spies and isinstance(item, str):
            for spy in spies:
                spy(direction, self.identity, item)

    def ended(self) -> None:
        if self.client._state is _State.CLOSED and self.server._state is _State.CLOSED:
            self._owner.ended(self)


def pair(
    runtime: Runtime, *, ping_interval: float = 0.0, limits: Limits | None = None, identity: str = ""
) -> tuple[MemoryTransport, MemoryTransport]:
    """Two open transports joined in memory: the client's end and the server's, not started yet."""
    side = Side(Peer("127.0.0.1"), ping_interval, limits or Limits())
    link = MemoryLink(runtime, side, side, identity=identity)
    return link.client, link.server
