"""One side of a pair of proxies: typed calls to it, and its requests, which are handled here or passed on to the other.

Threads: as said at each method.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from openocpp.errors import CallError, LocalProtocolError
from openocpp.localcontroller.forwarding import Passage
from openocpp.messages import ACTIONS, Confirmation, Role
from openocpp.messages.messenger import Messenger, checked_timeout
from openocpp.messages.wire import ValidationMode, Wire
from openocpp.types import NO_ANSWER
from openocpp.types.base import is_worth_a_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from openocpp.config import ILocalControllerConfig
    from openocpp.messages.base import ActionInfo, Request
    from openocpp.messages.schema import SchemaSet
    from openocpp.rpc.endpoint import Endpoint, IncomingCall
    from openocpp.runtime import Lane, Monitor, Runtime
    from openocpp.types import CallResult, NoAnswer
    from openocpp.types.record import Record

log = logging.getLogger("openocpp.localcontroller")

C = TypeVar("C", bound=Confirmation)


@dataclass(frozen=True)
class Context:
    """What the pairs of one local controller share. ``lane`` bounds the CALLs of central systems; ``monitor`` is the
    role's, in which it is decided whether a connection is begun.

    ``known`` are the messages that were passed on before: the first time takes long, since a checker is made then.
    """

    runtime: Runtime
    config: ILocalControllerConfig
    schemas: SchemaSet
    validation: Mapping[str, str]
    lane: Lane
    monitor: Monitor
    known: set[type[Record]] = field(default_factory=set)


class Side:
    """What both proxies are. ``sends``: whose requests come from it; ``title`` names it in texts to the other side."""

    def __init__(self, context: Context, identity: str, title: str, name: str, sends: Role) -> None:
        self.context = context
        self.runtime = context.runtime
        self.clock = context.runtime.clock
        self.title = title
        self.timeout: float = context.config.call_request_timeout
        self.wire = Wire(context.schemas, context.validation, name)
        self.endpoint: Endpoint | None = None  # the connection in use
        self._identity = identity
        self._sends = sends
        self._handlers: dict[type[Request[Any]], Callable[[Any], Any]] = {}
        self._causes: dict[str, int] = {}  # of warnings, and how often each was there
        self._messenger = Messenger(context.runtime, self.wire, self, name=name, timeout=lambda: self.timeout)

    @property
    def name(self) -> str:
        return self._messenger.name

    @property
    def other(self) -> Side:
        """Where its requests are passed on to."""
        raise NotImplementedError

    # -- for the application -------------------------------------------------------------------------------------------

    @property
    def identifier(self) -> str:
        return self._identity

    def set_timeout(self, timeout: float) -> None:
        self.timeout = checked_timeout(timeout)

    def call(self, request: Request[C]) -> CallResult[C]:
        info = _info_of(type(request))
        if info is None or info.sent_by is self._sends:
            raise LocalProtocolError("", f"{type(request).__name__} is not handled by {self.title}")
        return self._messenger.ask(request)

    def register_handler(self, request_type: type[Request[C]], handler: Callable[[Any], C | NoAnswer]) -> bool:
        info = _info_of(request_type)
        if info is None or not info.may_be_sent_by(self._sends):
            return False
        self._handlers[request_type] = handler
        return True

    def unregister_handler(self, request_type: type[Request[C]]) -> bool:
        return self._handlers.pop(request_type, None) is not None

    # -- its requests --------------------------------------------------------------------------------------------------

    def pass_directly(self, call: IncomingCall) -> bool:
        """Pass a short CALL on, if there is no handler for it. Threads: scheduler."""
        info = ACTIONS.get(call.action)
        if info is not None and (info.request in self._handlers or not self.reads_quickly(info, info.request)):
            return False
        self._pass_on(call, info)
        return True

    def reads_quickly(self, info: ActionInfo, message: type[Record]) -> bool:
        """Was a message like this one passed on before, or is it not judged at all?"""
        return message in self.context.known or self.wire.mode(info.action) is ValidationMode.off

    def serve(self, call: IncomingCall) -> None:
        """A CALL of this side: handled here, or passed on. Threads: a worker."""
        info = ACTIONS.get(call.action)
        if info is not None and info.request in self._handlers:
            try:
                self._messenger.serve(call)
                return
            except _NoHandler:
                log.debug("%s: the handler of %s was unregistered just now", self.name, call.action)
        self._pass_on(call, info)

    def _pass_on(self, call: IncomingCall, info: ActionInfo | None) -> None:
        """What is wrong already is refused here; what the standard does not know is not judged."""
        if info is not None:
            try:
                self.wire.check_request(info, call.payload)
            except CallError as error:
                self.warn(f"{info.action} {error.code}", f"refused {info.action}: {error}")
                call.refuse(error.code, error.description, error.details)
                return
            self.context.known.add(info.request)
        Passage(call, info, self.other).begin()

    def admit(self, action: str) -> None:
        """All are served (``Service``)."""

    def handler(self, request_type: type[Request[Any]]) -> Callable[[Any], Any]:
        """The registered handler (``Service``)."""
        handler = self._handlers.get(request_type)
        if handler is None:
            raise _NoHandler
        return partial(_handled, handler, request_type.confirmation)

    def warn(self, cause: str, text: str) -> None:
        """Log what is wrong with this side: of each cause the 1st, 2nd, 4th, 8th ... time."""
        count = self._causes[cause] = self._causes.get(cause, 0) + 1
        if is_worth_a_line(count):
            log.warning("%s: %s%s", self.name, text, f" ({count} times)" if count > 1 else "")

    # -- the other side's requests -------------------------------------------------------------------------------------

    def hold(self, passage: Passage) -> None:
        """There is no connection to send this over. Threads: scheduler."""
        passage.give_up()


class _NoHandler(Exception):
    """It was there a moment ago."""


def _handled(handler: Callable[[Any], Any], wanted: type[Confirmation], request: Request[Any]) -> Any:
    answer = handler(request)
    if answer is NO_ANSWER or isinstance(answer, wanted):
        return answer
    raise TypeError(f"the handler of {request.action} must return {wanted.__name__}, not {type(answer).__name__}")


def _info_of(request_type: type[Request[Any]]) -> ActionInfo | None:
    """The action of a request that travels as a CALL: those of Plug & Charge travel inside DataTransfer."""
    info = ACTIONS.get(request_type.action)
    return info if info is not None and info.request is request_type else None
