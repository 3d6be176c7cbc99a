"""A session bound to a transport and the scheduler: calls go out, the peer's CALLs come in, in order, one at a time.

Answers are completed on the scheduler and never wait behind handlers, so a handler may call the same peer.
Threads: ``call``, ``post``, ``close`` any (``call`` not the scheduler); the rest scheduler, handlers on workers.
"""

from __future__ import annotations

import logging
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from openocpp.errors import ErrorCode
from openocpp.rpc import frames
from openocpp.rpc.json import dumps
from openocpp.rpc.masking import masked
from openocpp.rpc.session import NOT_CONNECTED, OPEN, TIMED_OUT, Outcome, OutgoingCall, PassedOnCall, Session
from openocpp.runtime import ThreadEnd
from openocpp.transport.base import CloseCode, Closed
from openocpp.types.base import is_worth_a_line, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from openocpp.runtime import Lane, Runtime, Timer
    from openocpp.transport.base import Transport

log = logging.getLogger("openocpp.rpc")

LAST_RESORT = 5.0  # seconds beyond all deadlines, should the scheduler have died
DIRECT_LIMIT = 4096  # characters of what is read on the scheduler, which must not be kept for long
HARD_FACTOR = 4  # times the limit of queued CALLs that a peer may send before the connection is closed


class IncomingCall:
    """A peer's request on its way through a handler: exactly one of its answers ends it.

    A handler that does so later, from another thread, says ``defer()`` first. Threads: any.
    """

    __slots__ = ("_ended", "_endpoint", "action", "deferred", "id_text", "key", "payload", "text")

    def __init__(self, endpoint: Endpoint, text: str, key: str) -> None:
        self._endpoint = endpoint
        self.text = text
        self.key = key  # the id as it stands in the text, between its quotes
        self.id_text = ""
        self.action = ""
        self.payload: dict[str, Any] = {}
        self.deferred = False
        self._ended = False

    def __repr__(self) -> str:
        return f"<{self.action} {self.id_text} from {self._endpoint.name}>"

    @property
    def endpoint(self) -> Endpoint:
        return self._endpoint

    def defer(self) -> None:
        """The handler returns now, and ends this call later."""
        self.deferred = True

    def reply(self, payload: str, then: Callable[[], None] | None = None) -> None:
        """Answer with a JSON object; ``then`` runs on a worker once the answer was written."""
        self._end(frames.result_text(self.id_text, payload), then)

    def refuse(self, code: str, description: str = "", details: Mapping[str, Any] | None = None) -> None:
        """Answer with a CALLERROR."""
        self._end(frames.error_text(self.id_text, code, description, dumps(dict(details or {}))), None)

    def pass_back(self, text: str) -> None:
        """Answer as another peer did: with the text of its CALLRESULT, but for the id."""
        self._end(frames.readdressed(text, self.id_text), None)

    def pass_refusal_back(self, text: str, frame: frames.ErrorFrame) -> None:
        """Refuse as another peer did: with its text, which was parsed as ``frame``, as far as we may send that."""
        if frames.is_legal_error(text):
            self._end(frames.readdressed(text, self.id_text), None)
        else:
            self.refuse(frame.code, frame.description, frame.details)

    def keep_silent(self) -> None:
        """Give no answer: the peer's own timeout runs."""
        self._end(None, None)

    def _end(self, text: str | None, then: Callable[[], None] | None) -> None:
        if self._ended:
            log.error("%s: %s was answered twice", self._endpoint.name, self.action)
            return
        self._ended = True
        self._endpoint.ended(text, then)

    def run(self) -> None:
        """Parse, then let the handler work: always with an outcome. Threads: a worker."""
        endpoint = self._endpoint
        if endpoint.closed_why is not None:  # its turn came too late
            return
        if not self.action and not self._read():
            return
        try:
            endpoint.handler(self)
        except ThreadEnd:
            raise
        except BaseException:  # a bug in a handler is answered, logged, and costs nobody else anything
            self._failed()
            return
        if not self._ended and not self.deferred:
            log.error("%s: the handler of %s gave no outcome", endpoint.name, printable(self.action))
            self.refuse(ErrorCode.InternalError, f"{printable(self.action)} was not processed")

    def run_directly(self, handler: Callable[[IncomingCall], bool]) -> bool:
        """As ``run``, with this handler. False: it did not take the CALL. Threads: scheduler."""
        if not self._read():
            return True
        try:
            return handler(self)
        except Exception:  # as above
            self._failed()
            return True

    def _read(self) -> bool:
        frame = frames.parse(self.text)
        if not isinstance(frame, frames.CallFrame):
            self._run_bad(frame)
            return False
        self.id_text, self.action, self.payload, remark = frame
        if remark:
            self._endpoint.note_remark(self.action, remark)
        return True

    def _failed(self) -> None:
        log.exception("%s: the handler of %s failed", self._endpoint.name, printable(self.action))
        if not self._ended:
            self.refuse(ErrorCode.InternalError, f"{printable(self.action)} could not be processed")

    def _run_bad(self, frame: frames.Frame) -> None:
        problem = frame.problem if isinstance(frame, frames.BadFrame) else "an answer that looks like a CALL"
        self._endpoint.note_bad(problem, self.text)
        if isinstance(frame, frames.BadFrame) and frame.id_text is not None:
            self.id_text = frame.id_text
            self.refuse(frame.code, problem)
        else:
            self.keep_silent()


Spy: TypeAlias = "Callable[[str, str], None]"
"""Sees a frame before it is parsed, or just before it is sent: ``spy("<" or ">", text)``."""


class EndpointOwner(Protocol):
    """Who an endpoint works for."""

    def endpoint_closed(self, endpoint: Endpoint, why: Closed) -> None:
        """The connection ended. Threads: scheduler; must not block."""

    def invalid_message(self, endpoint: Endpoint, problem: str) -> None:
        """The peer sent something that is no OCPP-J message. Threads: scheduler or a worker; must not block."""


class Endpoint:
    """One OCPP-J peer on one connection.

    ``direct`` is asked first about short CALLs, on the scheduler: it must neither wait nor run code of the application.
    """

    __slots__ = (
        "_afterwards", "_busy", "_clock", "_ids", "_incoming", "_lane", "_left", "_max_queued", "_owner", "_paused",
        "_runtime", "_scheduler", "_session", "_timer", "_transport", "bad_messages", "closed_why", "direct", "handler",
        "last_received", "last_sent", "name", "remarks", "spies",
    )  # fmt: skip

    def __init__(
        self,
        runtime: Runtime,
        transport: Transport,
        owner: EndpointOwner,
        handler: Callable[[IncomingCall], None],
        *,
        name: str,
        lane: Lane | None = None,
        max_queued: int = 32,
    ) -> None:
        self._runtime = runtime
        self._clock = runtime.clock
        self._scheduler = runtime.scheduler
        self._transport = transport
        self._owner = owner
        self.handler = handler
        self.direct: Callable[[IncomingCall], bool] | None = None
        self.name = name
        self._lane = lane or runtime.workers
        self._max_queued = max_queued
        self._session = Session(runtime.random.randrange(1 << 31))
        self._incoming: deque[IncomingCall] = deque()
        self._afterwards: deque[Callable[[], None]] | None = None  # what waits for its answer to be written, in order
        self._ids: set[str] = set()
        self._busy = False
        self._paused = False
        self._left: Callable[[], None] | None = None
        self._timer: Timer | None = None
        self.last_sent = self._clock.now()
        self.last_received = 0.0
        self.bad_messages = 0
        self.remarks = 0
        self.closed_why: Closed | None = None
        self.spies: tuple[Spy, ...] = ()  # see every frame, on the scheduler: they must not block

    def __repr__(self) -> str:
        state = "open" if self.closed_why is None else "closed"
        return f"<endpoint {self.name} {state}: {self._session!r}, {len(self._incoming)} CALLs queued>"

    def start(self, *, held: bool = False) -> None:
        """Begin to receive. ``held``: the peer's CALLs wait until ``release``, answers do not. Threads: scheduler."""
        self._busy = held
        self._transport.start(self)

    def release(self) -> None:
        """End ``held``: the CALLs that waited are handled now. Threads: scheduler."""
        if self.closed_why is None:
            self._run_next()

    # -- outgoing ------------------------------------------------------------------------------------------------------

    @property
    def transport(self) -> Transport:
        return self._transport

    @property
    def is_open(self) -> bool:
        return self.closed_why is None

    @property
    def takes_calls(self) -> bool:
        """Is a CALL sent, or put behind others? Not any more while the connection is being closed."""
        return self._session.state is OPEN

    def call(self, action: str, payload: str, timeout: float, patience: float | None = None) -> Outcome:
        """As ``post``, and wait for the outcome. Raises StateError on the scheduler, before anything is sent."""
        self._runtime.check_may_block(f"call {action}")
        if self.closed_why is not None:
            return Outcome(NOT_CONNECTED, sent=False)
        waiter = self._runtime.waiter()
        self.post(action, payload, timeout, waiter.set, patience)
        if waiter.wait(timeout + (timeout if patience is None else patience) + LAST_RESORT):
            outcome: Outcome = waiter.value
            return outcome
        log.error("%s: %s was given up by nobody; the scheduler does not run", self.name, action)
        return Outcome(TIMED_OUT)

    def post(
        self,
        action: str,
        payload: str,
        timeout: float,
        done: Callable[[Outcome], object],
        patience: float | None = None,
    ) -> None:
        """Send a CALL; ``done`` is called on the scheduler with its outcome, and must not block. Any thread.

        It waits for its turn at most ``patience`` seconds (None: as long as ``timeout``).
        """
        call = OutgoingCall(action, payload, timeout, done, patience)
        self._scheduler.post(partial(self._submit, call))

    def pass_on(
        self, came: IncomingCall, timeout: float, done: Callable[[Outcome], object], patience: float | None = None
    ) -> None:
        """As ``post``, for a CALL that came over another connection: as it stands, with its id if that is free here."""
        wanted_id = came.id_text[1:-1] if came.id_text[:1] == '"' else ""  # a number is not legal
        call = PassedOnCall(came.action, came.text, timeout, done, patience, wanted_id)
        self._scheduler.post(partial(self._submit, call))

    def _submit(self, call: OutgoingCall) -> None:
        self._send(self._session.submit(call, self._clock.now()))
        self._arm()

    def _send(self, text: str | None, written: Callable[[], None] | None = None) -> None:
        if text is None:
            return
        text = frames.sendable(text)
        self.last_sent = self._clock.now()
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s > %s", self.name, masked(text))
        for spy in self.spies:
            spy(">", text)
        self._transport.send(text, written)

    def _arm(self) -> None:
        """One timer at a time, left alone while it is early enough: most calls are answered before it fires."""
        deadline = self._session.deadline
        if deadline is None or (self._timer is not None and self._timer.active and self._timer.when <= deadline):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._scheduler.call_at(deadline, self._expire)

    def _expire(self) -> None:
        self._timer = None
        self._send(self._session.expire(self._clock.now()))
        self._arm()

    # -- incoming ------------------------------------------------------------------------------------------------------

    def text_received(self, text: str) -> None:
        if self.closed_why is not None:  # left: the transport still waits for the peer's Close frame
            return
        self.last_received = now = self._clock.now()
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s < %s", self.name, masked(text))
        for spy in self.spies:
            spy("<", text)
        head = frames.peek(text)
        if head is None:
            self._queue(text, "")  # parsed on a worker, which finds out what is wrong
            return
        kind, unique_id = head
        if kind == frames.CALL:
            if unique_id in self._ids:
                self._refuse_duplicate(text)
            else:
                self._queue(text, unique_id)
        elif kind in (frames.CALLRESULT, frames.CALLERROR):
            call, following = self._session.answered(unique_id, text, now)
            if call is None:
                log.debug("%s: dropped an answer to no open call (id %.40s)", self.name, unique_id)
            if following is not None:
                self._send(following)
                self._arm()
        else:
            self.note_bad(f"unknown message type {kind}", text)

    def _refuse_duplicate(self, text: str) -> None:
        """J §4.2.3: a CALL with this id is being handled already."""
        frame = frames.parse(text)
        if isinstance(frame, frames.CallFrame):
            self.note_remark(frame.action, "a CALL with this id is still handled")
            self._send(
                frames.error_text(frame.id_text, ErrorCode.ProtocolError, "a CALL with this id is still handled")
            )
        elif isinstance(frame, frames.BadFrame):  # to be answered, it would be taken for the other one
            self.note_bad(frame.problem, text)

    def _queue(self, text: str, unique_id: str) -> None:
        call = IncomingCall(self, text, unique_id)
        if unique_id:
            self._ids.add(unique_id)
        self._incoming.append(call)
        if not self._busy:
            self._busy = True
            self._run_first()
            return
        queued = len(self._incoming)
        if queued > self._max_queued * HARD_FACTOR:
            log.warning("%s: %d CALLs queued, closing the connection", self.name, queued)
            self.close(CloseCode.TRY_AGAIN_LATER, "too many requests")
        elif queued > self._max_queued and not self._paused:
            self._paused = True
            self._transport.pause()

    def ended(self, text: str | None, then: Callable[[], None] | None) -> None:
        """The current incoming call has its outcome. Any thread; called by it alone."""
        self._scheduler.post(partial(self._finish, text, then))

    def _finish(self, text: str | None, then: Callable[[], None] | None) -> None:
        if self.closed_why is not None:
            if then is not None:  # what must happen after the answer happens also when the answer is lost
                self._runtime.workers.submit(then)
            return
        if then is not None:
            if self._afterwards is None:
                self._afterwards = deque()
            self._afterwards.append(then)
        self._send(text, None if then is None else self._answer_written)
        incoming = self._incoming
        self._ids.discard(incoming.popleft().key)
        if self._paused and len(incoming) <= self._max_queued // 2:
            self._paused = False
            self._transport.resume()
        self._run_next()

    def _answer_written(self) -> None:
        if self._afterwards:
            self._runtime.workers.submit(self._afterwards.popleft())

    def _run_next(self) -> None:
        if self._incoming:
            self._run_first()
        else:
            self._busy = False

    def _run_first(self) -> None:
        call = self._incoming[0]
        if self.direct is None or len(call.text) > DIRECT_LIMIT or not call.run_directly(self.direct):
            self._lane.submit(call.run)

    def note_remark(self, action: str, remark: str) -> None:
        """Log what is wrong with a CALL that is handled all the same, or refused. Any thread."""
        self.remarks += 1
        if is_worth_a_line(self.remarks):
            log.warning("%s: %s: %s (%d such CALLs so far)", self.name, printable(action), remark, self.remarks)

    def note_bad(self, problem: str, text: str) -> None:
        """Count and log what is no message; the connection goes on. Any thread."""
        self.bad_messages += 1
        if is_worth_a_line(self.bad_messages):
            log.warning(
                "%s: ignored an invalid message (%d so far): %s: %.80s",
                self.name, self.bad_messages, problem, masked(text),
            )  # fmt: skip
        self._owner.invalid_message(self, problem)

    # -- the end -------------------------------------------------------------------------------------------------------

    def close(self, code: int = CloseCode.NORMAL, reason: str = "") -> None:
        """Close politely: what is queued is written, then a Close frame. Any thread."""
        self._scheduler.post(partial(self._close, code, reason))

    def _close(self, code: int, reason: str) -> None:
        self._session.begin_closing()
        self._transport.close(code, reason)

    def abort(self) -> None:
        """Drop the connection at once. Any thread."""
        self._scheduler.post(self._transport.abort)

    def leave(self, code: int, reason: str = "", then: Callable[[], None] | None = None) -> None:
        """End it now: all calls end, what still comes is not looked at, no CALL is handled any more but a running one.

        The Close frame and the peer's answer are left to the transport; ``then`` is called when it has closed.
        Threads: scheduler.
        """
        if self.closed_why is None:
            self._left = then or _nothing
            self._transport.close(code, reason)
            self._end(Closed(code, reason))
        elif self._left is None and then is not None:
            then()  # there is nothing left to wait for
        elif then is not None:
            self._left = then

    def closed(self, why: Closed) -> None:
        left, self._left = self._left, None
        if self.closed_why is None:
            self._end(why)
        if left is not None:
            left()

    def _end(self, why: Closed) -> None:
        self.closed_why = why
        self._session.close()
        if self._timer is not None:
            self._timer.cancel()
        while self._afterwards:  # these answers were not written, and will not be
            self._answer_written()
        self._incoming.clear()  # one may be running: its answer is lost; the others never start
        self._ids.clear()
        self._owner.endpoint_closed(self, why)


def _nothing() -> None:
    """Left, and nobody asks when the transport has closed."""
