"""The state of one OCPP-J connection, without I/O: one open CALL, ids, deadlines (J §4.1, errata-J 3.4).

Verbs go in; texts to send, ended calls and the next deadline come out.
Threads: the owner's (the scheduler).
"""

from __future__ import annotations

from collections import deque
from enum import Enum, auto
from typing import TYPE_CHECKING

from openocpp.rpc.frames import call_text, readdressed
from openocpp.rpc.ids import MessageIds, is_same

if TYPE_CHECKING:
    from collections.abc import Callable


class OutcomeKind(Enum):
    """How a CALL ended, as far as the connection can tell."""

    ANSWERED = auto()  # with a CALLRESULT or a CALLERROR: ``text`` holds it
    TIMED_OUT = auto()
    NOT_CONNECTED = auto()  # never sent, or the connection ended before the answer


ANSWERED, TIMED_OUT, NOT_CONNECTED = OutcomeKind


class Outcome:
    """How a CALL ended. ``sent`` tells whether the peer may have received it."""

    __slots__ = ("kind", "sent", "text")

    def __init__(self, kind: OutcomeKind, text: str = "", *, sent: bool = True) -> None:
        self.kind = kind
        self.text = text
        self.sent = sent

    def __repr__(self) -> str:
        return f"Outcome({self.kind.name}, sent={self.sent})"


class OutgoingCall:
    """A CALL on its way. ``done`` is called once, with its outcome.

    ``payload`` is a JSON text. ``timeout`` counts from the moment of sending; before, a call waits for its turn at most
    ``patience`` seconds (None: as long as ``timeout``). ``wanted_id`` is the id that it gets if that is free.
    """

    goes_first = False
    __slots__ = ("action", "deadline", "done", "patience", "payload", "timeout", "unique_id", "wanted_id")

    def __init__(
        self,
        action: str,
        payload: str,
        timeout: float,
        done: Callable[[Outcome], object],
        patience: float | None = None,
        wanted_id: str = "",
    ) -> None:
        self.action = action
        self.payload = payload
        self.timeout = timeout
        self.patience = timeout if patience is None else patience
        self.done = done
        self.wanted_id = wanted_id
        self.unique_id = ""
        self.deadline = 0.0

    def __repr__(self) -> str:
        return f"<call {self.action} {self.unique_id or 'not sent'}>"

    def text(self) -> str:
        """Its frame, now that it has its id."""
        return call_text(self.unique_id, self.action, self.payload)


class PassedOnCall(OutgoingCall):
    """One that came over another connection. ``payload`` is the whole text that came, ``wanted_id`` the id it had.

    Its sender waits already, so its turn is the next one. There is but one such call at a time: others get theirs, too.
    """

    goes_first = True
    __slots__ = ()

    def text(self) -> str:
        if self.unique_id == self.wanted_id:
            return self.payload
        return readdressed(self.payload, f'"{self.unique_id}"')


class State(Enum):
    """Open: all is possible. Closing: what is open may still be answered. Closed: nothing any more."""

    OPEN = auto()
    CLOSING = auto()
    CLOSED = auto()


OPEN, CLOSING, CLOSED = State


class Session:
    """One OCPP-J connection."""

    __slots__ = ("_ids", "_open", "_waiting", "state")

    def __init__(self, first_id: int) -> None:
        self._ids = MessageIds(first_id)
        self._open: OutgoingCall | None = None
        self._waiting: deque[OutgoingCall] = deque()
        self.state = OPEN

    def __repr__(self) -> str:
        return f"<session {self.state.name}: {self._open!r}, {len(self._waiting)} waiting>"

    def submit(self, call: OutgoingCall, now: float) -> str | None:
        """Take a call in: the text to send when it is its turn, else None. Refused at once unless Open."""
        if self.state is not OPEN:
            call.done(Outcome(NOT_CONNECTED, sent=False))
            return None
        if self._open is None:
            return self._send(call, now)
        call.deadline = now + call.patience
        if call.goes_first:
            self._waiting.appendleft(call)
        else:
            self._waiting.append(call)
        return None

    def _send(self, call: OutgoingCall, now: float) -> str:
        call.unique_id = self._ids.take(call.wanted_id)
        call.deadline = now + call.timeout
        self._open = call
        return call.text()

    def answered(self, unique_id: str, text: str, now: float) -> tuple[OutgoingCall | None, str | None]:
        """An answer came: the call it ends (None: to no open call, or too late), and the next text to send."""
        call = self._open
        if call is None or not is_same(unique_id, call.unique_id):
            return None, None
        self._open = None
        call.done(Outcome(ANSWERED, text))
        return call, self._next(now)

    def _next(self, now: float) -> str | None:
        while self._waiting and self.state is OPEN:
            call = self._waiting.popleft()
            if call.deadline <= now:
                call.done(Outcome(TIMED_OUT, sent=False))
                continue
            return self._send(call, now)
        return None

    def expire(self, now: float) -> str | None:
        """End what is over its deadline. The next text to send, if that made room."""
        for call in [call for call in self._waiting if call.deadline <= now]:
            self._waiting.remove(call)
            call.done(Outcome(TIMED_OUT, sent=False))
        if self._open is None or self._open.deadline > now:
            return None
        call, self._open = self._open, None
        call.done(Outcome(TIMED_OUT))
        return self._next(now)

    @property
    def deadline(self) -> float | None:
        """When ``expire`` is to be called, if nothing comes before."""
        if self._open is None:
            return None
        if not self._waiting:
            return self._open.deadline
        return min(self._open.deadline, min(call.deadline for call in self._waiting))

    def begin_closing(self) -> None:
        """Nothing new is sent; the open call may still be answered."""
        if self.state is OPEN:
            self.state = CLOSING
            self._fail_waiting()

    def close(self) -> None:
        """The connection is gone: every call ends now."""
        self.state = CLOSED
        call, self._open = self._open, None
        if call is not None:
            call.done(Outcome(NOT_CONNECTED))
        self._fail_waiting()

    def _fail_waiting(self) -> None:
        waiting, self._waiting = self._waiting, deque()
        for call in waiting:
            call.done(Outcome(NOT_CONNECTED, sent=False))
