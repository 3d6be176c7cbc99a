"""The typed top of rpc: ``call(request)`` gives its confirmation, and the peer's requests reach their handlers.

A messenger belongs to one peer and outlives its connections; each connection is an endpoint that it is given.
Threads: ``ask``, ``call`` any but the scheduler, ``post`` any; handlers run on workers, inside the monitor if there is
one.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias, TypeVar

from openocpp.errors import (
    CallError,
    CallTimeout,
    ConnectionLost,
    ErrorCode,
    LocalProtocolError,
    RemoteProtocolError,
)
from openocpp.messages.base import ACTIONS, Confirmation, Request
from openocpp.rpc import frames
from openocpp.rpc.json import dumps
from openocpp.rpc.masking import masked
from openocpp.rpc.session import OutcomeKind
from openocpp.types import INT_MAX, NO_ANSWER, CallOutcome, CallResult, NoAnswer
from openocpp.types.base import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.messages.wire import Wire
    from openocpp.rpc.endpoint import Endpoint, IncomingCall
    from openocpp.rpc.session import Outcome
    from openocpp.runtime import Monitor, Runtime

log = logging.getLogger("openocpp.messages")

C = TypeVar("C", bound=Confirmation)


class Reply(NamedTuple):
    """A confirmation, and what must happen once it has been written: it runs on a worker, inside the monitor."""

    confirmation: Confirmation
    then: Callable[[], None]


Answer: TypeAlias = Confirmation | Reply | NoAnswer
Handler: TypeAlias = "Callable[[Any], Answer]"


class Service(Protocol):
    """Who serves the peer's requests."""

    def admit(self, action: str) -> CallError | NoAnswer | None:
        """May this action be served now? None: yes. Threads: a worker, inside the monitor."""

    def handler(self, request_type: type[Request[Any]]) -> Handler | None:
        """The one handler of this request."""


PATIENCE = 20.0  # times the timeout that a request may wait for its turn: the time for its answer begins after that

NOT_CONNECTED: CallResult[Any] = CallResult(CallOutcome.NotConnected)
TIMED_OUT: CallResult[Any] = CallResult(CallOutcome.TimedOut)


def checked_timeout(seconds: float, name: str = "timeout") -> float:
    """The seconds, if they can be waited for: more than 0. LocalProtocolError otherwise."""
    if not 0 < seconds <= INT_MAX:
        raise LocalProtocolError(name, f"must be more than 0 seconds, and not more than {INT_MAX}")
    return seconds


class Messenger:
    """Typed calls to one peer, and typed requests from it.

    ``timeout`` is asked at each call for the seconds to wait for an answer. A request waits for its turn at most
    ``patience`` times as long.
    """

    def __init__(
        self,
        runtime: Runtime,
        wire: Wire,
        service: Service,
        *,
        name: str,
        timeout: Callable[[], float],
        monitor: Monitor | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._runtime = runtime
        self.wire = wire
        self._service = service
        self.name = name
        self._timeout = timeout
        self._monitor = monitor
        self._patience = patience
        self._endpoint: Endpoint | None = None
        self.on_invalid: Callable[[str], object] | None = None  # told of payloads that break the standard, anywhere

    def __repr__(self) -> str:
        return f"<messenger {self.name}: {self._endpoint!r}>"

    # -- the connection ------------------------------------------------------------------------------------------------

    @property
    def endpoint(self) -> Endpoint | None:
        """The connection in use, if there is one."""
        return self._endpoint

    def attach(self, endpoint: Endpoint) -> None:
        """Use this connection from now on. The endpoint's handler is to be ``serve``."""
        self._endpoint = endpoint

    def detach(self, endpoint: Endpoint) -> None:
        """This connection is gone, or is not to be used any more."""
        if self._endpoint is endpoint:
            self._endpoint = None

    @property
    def is_connected(self) -> bool:
        endpoint = self._endpoint
        return endpoint is not None and endpoint.is_open

    @property
    def timeout(self) -> float:
        """Seconds that an answer may take, as the settings are now."""
        return self._timeout()

    # -- outgoing ------------------------------------------------------------------------------------------------------

    def call(self, request: Request[C], timeout: float | None = None) -> C:
        """Send a request and wait for its confirmation.

        Raises LocalProtocolError (nothing was sent), ConnectionLost, CallTimeout, CallError, RemoteProtocolError.
        """
        result = self.ask(request, timeout)
        if result.response is not None:
            return result.response
        if result.outcome is CallOutcome.Refused:
            raise CallError(result.error_code, result.error_description, result.error_details)
        if result.outcome is CallOutcome.TimedOut:
            raise CallTimeout(f"{self.name}: no answer to {request.action}")
        if result.outcome is CallOutcome.InvalidAnswer:
            raise RemoteProtocolError(ErrorCode.FormationViolation, request.action, result.error_description)
        raise ConnectionLost(f"{self.name}: not connected, {request.action} was not answered")

    def ask(self, request: Request[C], timeout: float | None = None) -> CallResult[C]:
        """Send a request and wait; what became of it is in the result. Raises LocalProtocolError, StateError only.

        The monitor is left meanwhile: read state anew afterwards.
        """
        self._runtime.check_may_block(f"call {request.action}")
        return self.ask_text(type(request), self.wire.write_request(request), timeout)

    def ask_text(self, request_type: type[Request[C]], payload: str, timeout: float | None = None) -> CallResult[C]:
        """As ``ask``, with a payload that is text already."""
        endpoint = self._endpoint
        if endpoint is None:
            return NOT_CONNECTED
        seconds = self._timeout() if timeout is None else timeout
        if self._monitor is not None and self._monitor.held:
            with self._monitor.left():
                outcome = endpoint.call(request_type.action, payload, seconds, seconds * self._patience)
        else:
            outcome = endpoint.call(request_type.action, payload, seconds, seconds * self._patience)
        return self._read(request_type, outcome)

    def post(
        self, request: Request[C], then: Callable[[CallResult[C]], None] | None = None, timeout: float | None = None
    ) -> None:
        """Send a request without waiting; ``then`` gets the result on a worker, inside the monitor.

        Raises LocalProtocolError; then nothing was sent and ``then`` is not called.
        """
        self.post_text(type(request), self.wire.write_request(request), then, timeout)

    def post_text(
        self,
        request_type: type[Request[C]],
        payload: str,
        then: Callable[[CallResult[C]], None] | None = None,
        timeout: float | None = None,
    ) -> None:
        """As ``post``, with a payload that is text already."""
        endpoint = self._endpoint
        if endpoint is None:
            if then is not None:
                self._runtime.workers.submit(partial(self._enter, partial(then, NOT_CONNECTED)))
            return
        seconds = self._timeout() if timeout is None else timeout

        def done(outcome: Outcome) -> None:
            self._runtime.workers.submit(partial(self._deliver, request_type, outcome, then))

        endpoint.post(request_type.action, payload, seconds, done, seconds * self._patience)

    def _deliver(
        self, request_type: type[Request[C]], outcome: Outcome, then: Callable[[CallResult[C]], None] | None
    ) -> None:
        result = self._read(request_type, outcome)
        if then is not None:
            self._enter(partial(then, result))

    def _enter(self, function: Callable[[], None]) -> None:
        if self._monitor is None:
            function()
        else:
            with self._monitor:
                function()

    def _read(self, request_type: type[Request[C]], outcome: Outcome) -> CallResult[C]:
        """Parse and validate an answer: on the thread that waits for it."""
        if outcome.kind is OutcomeKind.NOT_CONNECTED:
            return NOT_CONNECTED
        if outcome.kind is OutcomeKind.TIMED_OUT:
            log.warning("%s: no answer to %s", self.name, request_type.action)
            return TIMED_OUT
        frame = frames.parse(outcome.text)
        if isinstance(frame, frames.ErrorFrame):
            told = masked(dumps(frame.description))
            log.warning("%s: %s refused: %s %.255s", self.name, request_type.action, printable(frame.code), told)
            return CallResult(
                CallOutcome.Refused,
                error_code=frame.code,
                error_description=frame.description,
                error_details=frame.details,
            )
        if not isinstance(frame, frames.ResultFrame):
            problem = frame.problem if isinstance(frame, frames.BadFrame) else "a CALL"
            return self._invalid(request_type, problem)
        try:
            return CallResult(CallOutcome.Answered, self.wire.read_confirmation(request_type, frame.payload))
        except RemoteProtocolError as error:
            return self._invalid(request_type, str(error))

    def _invalid(self, request_type: type[Request[C]], problem: str) -> CallResult[C]:
        log.warning("%s: the answer to %s is not valid: %s", self.name, request_type.action, problem)
        self._tell_invalid(f"answer to {request_type.action}: {problem}")
        return CallResult(CallOutcome.InvalidAnswer, error_description=problem)

    # -- incoming ------------------------------------------------------------------------------------------------------

    def serve(self, call: IncomingCall) -> None:
        """Bring a request to its handler, and its answer back: always with an outcome. Threads: a worker."""
        try:
            answer = self._answer(call)
        except CallError as error:
            log.info("%s: refused %s: %s", self.name, printable(call.action), error)
            call.refuse(error.code, error.description, error.details)
            return
        if answer is NO_ANSWER:
            call.keep_silent()
            return
        confirmation, then = answer if isinstance(answer, Reply) else (answer, None)
        try:
            payload = self.wire.write_confirmation(confirmation)
        except LocalProtocolError as error:
            log.exception("%s: the answer to %s breaks the standard", self.name, call.action)
            call.refuse(ErrorCode.InternalError, f"the answer could not be written: {error}")
            return
        call.reply(payload, None if then is None else partial(self._enter, then))

    def _answer(self, call: IncomingCall) -> Answer:
        if self._monitor is None:
            return self._dispatch(call, self._service.admit(call.action))
        with self._monitor:
            return self._dispatch(call, self._service.admit(call.action))

    def _dispatch(self, call: IncomingCall, verdict: CallError | NoAnswer | None) -> Answer:
        if verdict is NO_ANSWER:
            return NO_ANSWER
        if verdict is not None:
            raise verdict
        info = ACTIONS.get(call.action)
        handler = None if info is None else self._service.handler(info.request)
        if info is not None and handler is None:
            raise CallError(ErrorCode.NotSupported, f"{call.action} is not supported here")
        try:
            request = self.wire.read_request(call.action, call.payload)  # refuses unknown actions too
        except CallError as error:
            if info is not None:
                self._tell_invalid(f"{info.action}: {error.description}")
            raise
        assert handler is not None  # unknown actions are the only ones without
        return handler(request)

    def _tell_invalid(self, problem: str) -> None:
        if self.on_invalid is not None:
            self.on_invalid(problem)
