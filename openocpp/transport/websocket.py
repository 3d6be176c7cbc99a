"""An open websocket over a non-blocking stream, the same class on both sides (RFC 6455 §5, §7; J §5).

It begins after the upgrade: who accepted or connected hands the stream over, with the bytes that came behind the
handshake. What it does on its own: answers pings, sends one when nothing came for the ping interval, hangs up when
nothing came for twice that; refuses what breaks the protocol or a limit; says good-bye in time, or not at all.
Threads: scheduler only; it may be made elsewhere.
"""

from __future__ import annotations

import logging
import socket
from collections import deque
from enum import Enum, auto
from typing import TYPE_CHECKING

from openocpp.runtime import READ, WRITE
from openocpp.transport.base import CloseCode, Closed, Limits
from openocpp.transport.codec import CloseFrame, PingFrame, WsprotoCodec

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.runtime import Runtime, Timer
    from openocpp.transport.base import Peer, Receiver
    from openocpp.transport.codec import Codec, Violation
    from openocpp.transport.stream import Stream

log = logging.getLogger("openocpp.transport")

READ_SIZE = 64 * 1024  # bytes taken from one connection before others get their turn


class _State(Enum):
    OPEN = auto()
    CLOSING = auto()  # our Close frame is on its way, the peer's is awaited
    ENDING = auto()  # both sides are done: when all is written, the connection ends
    REFUSING = auto()  # the peer broke a rule: what it still sends is thrown away until it has seen our Close frame
    CLOSED = auto()


OPEN, CLOSING, ENDING, REFUSING, CLOSED = _State


class WebSocketTransport:
    """See ``Transport``. Reading begins with ``start``; sending and closing are possible before.

    ``early`` are bytes of the peer that came with the handshake. ``ended`` is called on the scheduler once the
    descriptor was given back, also when nobody ever started the connection.
    """

    __slots__ = (
        "_clock", "_codec", "_ended", "_heard", "_limits", "_marks", "_out", "_paused", "_peer", "_ping_interval",
        "_receiver", "_scheduler", "_state", "_stream", "_taken", "_timer", "_watched", "_why",
    )  # fmt: skip

    def __init__(
        self,
        runtime: Runtime,
        stream: Stream,
        peer: Peer,
        *,
        client: bool,
        ping_interval: float = 0.0,
        limits: Limits | None = None,
        early: bytes = b"",
        ended: Callable[[], None] | None = None,
    ) -> None:
        self._scheduler = runtime.scheduler
        self._clock = runtime.clock
        self._stream = stream
        self._peer = peer
        self._ping_interval = ping_interval
        self._limits = limits or Limits()
        self._ended = ended
        self._codec: Codec = WsprotoCodec(client=client, max_message=self._limits.max_message)
        if early:
            self._codec.receive(early)
        self._receiver: Receiver | None = None
        self._state = OPEN
        self._why: Closed | None = None
        self._paused = True  # until start
        self._watched = 0  # events the selector tells of
        self._out: bytearray | None = None  # what the kernel did not take yet
        self._taken = 0  # bytes it took since ``_out`` was empty
        self._marks: deque[tuple[int, Callable[[], None]]] | None = None  # to be called when so many were taken
        self._heard = 0.0  # when bytes came last
        self._timer: Timer | None = None  # for silence while open, then for the end
        _send_at_once(stream.socket)

    def __repr__(self) -> str:
        queued = f", {len(self._out)} bytes queued" if self._out else ""
        paused = ", paused" if self._paused and self._state is OPEN else ""
        return f"<websocket with {self._peer.address}:{self._peer.port}: {self._state.name.lower()}{paused}{queued}>"

    @property
    def peer(self) -> Peer:
        return self._peer

    # -- verbs ---------------------------------------------------------------------------------------------------------

    def start(self, receiver: Receiver) -> None:
        self._receiver = receiver
        if self._state is CLOSED:  # before anybody listened
            self._scheduler.post(self._tell_closed)
            return
        if self._state is not OPEN:
            return
        self._heard = self._clock.now()
        if self._ping_interval > 0:
            self._timer = self._scheduler.call_at(self._heard + self._ping_interval, self._check_silence)
        self.resume()

    def send(self, text: str, written: Callable[[], None] | None = None) -> None:
        """Queue one text message; ``written`` is called from a later step of the scheduler, not at all if it is lost.

        When more than ``max_output`` bytes would wait behind others, the message is dropped and the connection closed
        with 1013. Raises UnicodeEncodeError for texts that UTF-8 cannot express.
        """
        if self._state is not OPEN:
            return
        self._send(self._codec.text(text), written)

    def pause(self) -> None:
        """Stop reading: nothing is delivered until ``resume``, what was already read included."""
        if self._state is OPEN:
            self._paused = True
            self._watch()

    def resume(self) -> None:
        if self._state is OPEN and self._paused and self._receiver is not None:
            self._heard = self._clock.now()
            self._go_on_reading()

    def close(self, code: int = CloseCode.NORMAL, reason: str = "") -> None:
        """See ``Transport``. What the peer still sends is not delivered any more."""
        if self._state is not OPEN:
            return
        self._why = Closed(code, reason)
        self._say_goodbye(CLOSING, code, reason)
        if self._state is CLOSING:
            self._go_on_reading()  # the answer may be there already

    def abort(self) -> None:
        self._end(Closed(CloseCode.ABNORMAL, "aborted"))

    # -- reading -------------------------------------------------------------------------------------------------------

    def _ready(self, events: int) -> None:
        if events & WRITE and self._out is not None:
            self._flush()
        if events & READ and self._watched & READ:
            self._read()

    def _read(self) -> None:
        try:
            data = self._stream.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(Closed(CloseCode.ABNORMAL, error.strerror or str(error), by_peer=True))
            return
        if not data:
            self._end(Closed(CloseCode.ABNORMAL, "the connection ended without a Close frame", by_peer=True))
            return
        self._heard = self._clock.now()
        if self._state is not REFUSING:
            self._codec.receive(data)
            self._deliver()
        if self._stream.pending():
            self._scheduler.post(self._read_more)

    def _read_more(self) -> None:
        """Deliver what waits in the codec, and read what the selector does not tell of."""
        if self._state is OPEN or self._state is CLOSING:
            self._deliver()
        if self._watched & READ and self._stream.pending():
            self._read()

    def _go_on_reading(self) -> None:
        self._paused = False
        self._watch()
        self._scheduler.post(self._read_more)

    def _deliver(self) -> None:
        take = self._codec.take
        while not self._paused and (item := take()) is not None:
            if isinstance(item, str):
                if self._state is OPEN and self._receiver is not None:
                    try:
                        self._receiver.text_received(item)
                    except Exception:  # a bug above costs this message, not those behind it
                        log.exception("%r: a message was not handled", self)
            elif isinstance(item, PingFrame):
                if self._state is OPEN:
                    self._send(self._codec.pong(item.payload))
            elif isinstance(item, CloseFrame):
                self._peer_closes(item)
            else:
                self._refuse(item)

    def _peer_closes(self, frame: CloseFrame) -> None:
        if self._state is OPEN:
            self._why = Closed(frame.code, frame.reason, by_peer=True)
            self._say_goodbye(ENDING, frame.code)
        elif self._state is CLOSING:
            self._state = ENDING
        if self._state is ENDING and self._out is None:
            self._end()

    def _refuse(self, what: Violation) -> None:
        log.info("%r: closed with %d: %s", self, what.code, what.reason)
        if self._state is not OPEN:  # we are on the way out, and the answer will not come any more
            self._end()
            return
        self._why = Closed(what.code, what.reason)
        self._say_goodbye(REFUSING, what.code, what.reason)

    # -- writing -------------------------------------------------------------------------------------------------------

    def _send(self, data: bytes, written: Callable[[], None] | None = None) -> None:
        if self._out and len(self._out) + len(data) > self._limits.max_output:
            log.info("%r: the peer does not read, or too slowly", self)
            self.close(CloseCode.TRY_AGAIN_LATER, "output buffer full")
        else:
            self._write(data, written)

    def _write(self, data: bytes, written: Callable[[], None] | None = None) -> None:
        out = self._out
        if out is None:
            try:
                count = self._stream.send(data)
            except BlockingIOError:
                count = 0
            except OSError as error:
                self._end(Closed(CloseCode.ABNORMAL, error.strerror or str(error), by_peer=True))
                return
            if count == len(data):
                if written is not None:
                    self._scheduler.post(written)
                return
            self._out = out = bytearray(data[count:])
            self._watch()
        else:
            out += data
        if written is not None:
            if self._marks is None:
                self._marks = deque()
            self._marks.append((self._taken + len(out), written))

    def _flush(self) -> None:
        out = self._out
        if out is None:
            return
        try:
            count = self._stream.send(out)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(Closed(CloseCode.ABNORMAL, error.strerror or str(error), by_peer=True))
            return
        del out[:count]
        self._taken += count
        while self._marks and self._marks[0][0] <= self._taken:
            self._scheduler.post(self._marks.popleft()[1])
        if out:
            return
        self._out = self._marks = None
        self._taken = 0
        self._watch()
        if self._state is ENDING:
            self._end()
        elif self._state is REFUSING:
            self._stream.finish()

    def _watch(self) -> None:
        """Let the selector tell of what is of interest. Asked for nothing, it must not know the socket at all."""
        wanted = (0 if self._paused else READ) | (0 if self._out is None else WRITE)
        if wanted == self._watched:
            return
        before, self._watched = self._watched, wanted
        if not wanted:
            self._scheduler.unregister(self._stream.socket)
        elif not before:
            self._scheduler.register(self._stream.socket, wanted, self._ready)
        else:
            self._scheduler.modify(self._stream.socket, wanted)

    # -- silence, and the end ------------------------------------------------------------------------------------------

    def _check_silence(self) -> None:
        """One timer for ping and hang-up. It is not moved when bytes come, but looks at their time when it is due."""
        now = self._clock.now()
        if self._paused:  # nothing is read, so silence says nothing
            self._heard = now
        limit = self._heard + 2 * self._ping_interval
        due = self._heard + self._ping_interval
        if now >= limit:
            self._end(Closed(CloseCode.ABNORMAL, f"nothing received for {now - self._heard:.1f} s"))
            return
        if now >= due:
            due = limit
            self._write(self._codec.ping())
        if self._state is OPEN:
            self._timer = self._scheduler.call_at(due, self._check_silence)

    def _say_goodbye(self, state: _State, code: int, reason: str = "") -> None:
        """Queue the Close frame behind what is queued, and see to it that there is an end."""
        self._state = state
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._scheduler.call_later(self._limits.close_timeout, self._end)
        self._write(self._codec.close(code, reason))
        if self._state is REFUSING and self._out is None:
            self._stream.finish()

    def _end(self, why: Closed | None = None) -> None:
        """Give everything back, and tell it, from a later step. ``why`` counts only if no reason was there before."""
        if self._state is CLOSED:
            return
        self._state = CLOSED
        self._why = self._why or why
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._watched:
            self._watched = 0
            self._scheduler.unregister(self._stream.socket)
        self._stream.close()
        self._out = self._marks = None
        self._paused = True
        log.debug("%r: %r", self, self._why)
        self._scheduler.post(self._tell_closed)

    def _tell_closed(self) -> None:
        ended, self._ended = self._ended, None
        if ended is not None:
            ended()
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.closed(self._why or Closed(CloseCode.ABNORMAL))


def _send_at_once(sock: socket.socket) -> None:
    """OCPP is a conversation of short messages: none of them may wait for another one (Nagle's algorithm)."""
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:  # the peer is gone already: reading will tell
            return
