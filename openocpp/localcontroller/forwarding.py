"""A CALL on its way through the local controller: to the other side as it came, and its answer back as it came.

No thread waits meanwhile: a few of them serve hundreds of charge points. The CALLs of one side are passed on one at a
time, in order. Each gets an answer: that of the other side, or GenericError when there is none, InternalError when it
breaks the standard (J §4.2.3).
Threads: scheduler; what is long, or read for the first time, is read on workers.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from openocpp.errors import ErrorCode, RemoteProtocolError
from openocpp.rpc import frames
from openocpp.rpc.endpoint import DIRECT_LIMIT
from openocpp.rpc.session import ANSWERED, TIMED_OUT
from openocpp.types.base import printable

if TYPE_CHECKING:
    from openocpp.localcontroller.side import Side
    from openocpp.messages.base import ActionInfo
    from openocpp.rpc.endpoint import Endpoint, IncomingCall
    from openocpp.rpc.session import Outcome

log = logging.getLogger("openocpp.localcontroller")


class Passage:
    """One CALL that is passed on. ``info`` is None when its action is not one of the standard's."""

    __slots__ = ("_call", "_destination", "_info", "deadline")

    def __init__(self, call: IncomingCall, info: ActionInfo | None, destination: Side) -> None:
        self._call = call
        self._info = info
        self._destination = destination
        self.deadline = destination.clock.now() + destination.timeout  # until then it may wait to be sent

    def __repr__(self) -> str:
        return f"<{printable(self._call.action)} of {self._destination.identifier} to {self._destination.title}>"

    def begin(self) -> None:
        """Send it, or have it wait for a connection. The call is ended later."""
        self._call.defer()
        endpoint = self._destination.endpoint
        if endpoint is None:
            self._destination.runtime.scheduler.post(partial(self._destination.hold, self))
        else:
            self.send(endpoint)

    def send(self, endpoint: Endpoint) -> None:
        """Send it over this connection, with the id that it came with if that is free there."""
        destination = self._destination
        patience = max(self.deadline - destination.clock.now(), 0.0)
        endpoint.pass_on(self._call, destination.timeout, self._done, patience)

    def give_up(self) -> None:
        """There is no connection."""
        self._fail(f"{self._destination.title} is not reachable")

    def _fail(self, problem: str) -> None:
        self._warn(problem, problem)
        self._call.refuse(ErrorCode.GenericError, problem)

    def _warn(self, cause: str, problem: str) -> None:
        self._destination.warn(cause, f"passing on {printable(self._call.action)}: {problem}")

    def _done(self, outcome: Outcome) -> None:
        destination = self._destination
        if outcome.kind is ANSWERED:
            info = self._info
            quickly = info is None or destination.reads_quickly(info, info.confirmation)
            if quickly and len(outcome.text) <= DIRECT_LIMIT:
                self._answered(outcome.text)
            else:
                destination.runtime.workers.submit(partial(self._answered, outcome.text))
        elif outcome.kind is TIMED_OUT:
            told = "did not answer in time" if outcome.sent else "is busy, there was no turn in time"
            self._fail(f"{destination.title} {told}")
        elif outcome.sent or destination.clock.now() >= self.deadline:
            self.give_up()
        else:
            destination.hold(self)

    def _answered(self, text: str) -> None:
        try:
            self._pass_back(text)
        except Exception:  # whatever a peer may write: its CALL must not stay open, it would block all others
            log.exception(
                "%s: the answer to %s could not be passed on", self._destination.identifier, self._call.action
            )
            self._call.refuse(ErrorCode.InternalError, "the answer could not be passed on")

    def _pass_back(self, text: str) -> None:
        frame = frames.parse(text)
        if isinstance(frame, frames.ResultFrame):
            problem = self._problem_of(frame.payload)
            if not problem:
                self._call.pass_back(text)
                return
        elif isinstance(frame, frames.ErrorFrame):
            self._call.pass_refusal_back(text, frame)
            return
        else:
            problem = frame.problem if isinstance(frame, frames.BadFrame) else "a CALL"
        self._warn("not valid", f"the answer is not valid: {problem}")
        self._call.refuse(ErrorCode.InternalError, f"the answer of {self._destination.title} is not valid: {problem}")

    def _problem_of(self, payload: object) -> str:
        """What is wrong with the payload of an answer, as far as it is to be validated."""
        info, destination = self._info, self._destination
        if info is not None:
            try:
                destination.wire.check(info, info.confirmation, payload)
            except RemoteProtocolError as error:
                return str(error)
            destination.context.known.add(info.confirmation)
        return ""
