"""One connected charge point: the application's proxy for it, and what serves its requests.

Threads: any but the scheduler; what the server calls comes on workers.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from openocpp.centralsystem.operations import Operations
from openocpp.centralsystem.registration import Registration
from openocpp.centralsystem.request_handler import RequestHandling
from openocpp.errors import (
    CallError,
    ConfigError,
    ErrorCode,
    LocalProtocolError,
    RemoteProtocolError,
    StateError,
)
from openocpp.messages import Confirmation, Role, tunnel
from openocpp.messages.messenger import Messenger, checked_timeout
from openocpp.messages.wire import Wire
from openocpp.rpc.server import HandsOver
from openocpp.serving.gate import certificate_from_der
from openocpp.types import CallOutcome, CallResult
from openocpp.types.enums import FeatureProfile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from openocpp.centralsystem.handlers import ICentralSystemEventsHandler, IChargePointRequestHandler
    from openocpp.centralsystem.interface import ICentralSystem
    from openocpp.centralsystem.registration import Registrations
    from openocpp.config import ICentralSystemConfig
    from openocpp.messages.base import Request
    from openocpp.messages.schema import SchemaSet
    from openocpp.rpc.endpoint import IncomingCall
    from openocpp.rpc.server import Connection
    from openocpp.runtime import Runtime
    from openocpp.types import RegistrationStatus
    from openocpp.types.pem import PemObject

log = logging.getLogger("openocpp.centralsystem")

C = TypeVar("C", bound=Confirmation)


@dataclass(frozen=True)
class Context:
    """What the proxies of one central system share. One for each start."""

    central_system: ICentralSystem
    runtime: Runtime
    config: ICentralSystemConfig
    events: ICentralSystemEventsHandler
    schemas: SchemaSet
    validation: Mapping[str, str]
    registrations: Registrations
    boot_required: bool


class ChargePointProxy(Operations, HandsOver):
    """A charge point on one connection. It stays usable, and fails at once, when that is over."""

    __slots__ = ("_announcing", "_connection", "_context", "_handling", "_left", "_messenger", "_timeout")

    def __init__(self, context: Context, connection: Connection) -> None:
        self._context = context
        self._connection: Connection | None = connection
        self._timeout: float = context.config.call_request_timeout
        self._announcing = False
        self._left = False
        identity, runtime = connection.identity, context.runtime
        registration = Registration(context.registrations, identity, required=context.boot_required)
        self._handling = RequestHandling(identity, context.config, runtime.clock, registration)
        wire = Wire(context.schemas, context.validation, identity)
        self._messenger = Messenger(runtime, wire, self, name=identity, timeout=self._seconds, patience=1.0)
        self._messenger.attach(connection.endpoint)

    def __repr__(self) -> str:
        if self._connection is None:
            return "<charge point, handed over>"
        return f"<charge point {self.identifier} at {self.ip_address}{'' if self.is_connected else ', not connected'}>"

    def _seconds(self) -> float:
        return self._timeout

    @property
    def _own(self) -> Connection:
        """The connection; StateError when it was handed over."""
        self._check_own()
        assert self._connection is not None  # just checked
        return self._connection

    def _check_own(self) -> None:
        if self._connection is None:
            raise StateError("this charge point was handed over to a local controller: use its new proxy")

    @property
    def _requests(self) -> RequestHandling:
        self._check_own()
        return self._handling

    # -- management ----------------------------------------------------------------------------------------------------

    @property
    def central_system(self) -> ICentralSystem:
        return self._context.central_system

    @property
    def ip_address(self) -> str:
        return self._own.peer.address

    @property
    def identifier(self) -> str:
        return self._own.identity

    @property
    def is_connected(self) -> bool:
        return self._own.is_open and not self._left

    @property
    def client_certificate(self) -> PemObject | None:
        der = self._own.peer.certificate
        return None if der is None else certificate_from_der(der)

    @property
    def connected_since(self) -> datetime:
        return self._own.opened_at

    @property
    def last_message_at(self) -> datetime | None:
        received = self._own.endpoint.last_received
        clock = self._context.runtime.clock
        return clock.utcnow() - timedelta(seconds=clock.now() - received) if received else None

    @property
    def registration_status(self) -> RegistrationStatus | None:
        return self._requests.registration.status

    @registration_status.setter
    def registration_status(self, status: RegistrationStatus | None) -> None:
        self._requests.registration.status = status

    def set_timeout(self, timeout: float) -> None:
        self._check_own()
        self._timeout = checked_timeout(timeout)

    def set_validation(self, mode: str, action: str = "*") -> None:
        self._check_own()
        try:
            self._messenger.wire.set_mode(mode, action)
        except ConfigError as error:
            raise LocalProtocolError("validation", error.problem) from error

    def disconnect(self) -> None:
        connection = self._own
        self._left = True
        self._messenger.detach(connection.endpoint)
        connection.close()

    def register_handler(self, handler: IChargePointRequestHandler) -> None:
        self._requests.application = handler

    # -- outgoing ------------------------------------------------------------------------------------------------------

    def call(self, request: Request[C], timeout: float | None = None, *, force: bool = False) -> CallResult[C]:
        name = self._own.identity
        if request.sent_by is Role.CHARGE_POINT:
            raise LocalProtocolError("", f"{request.action} is sent by charge points")
        if timeout is not None:
            checked_timeout(timeout)
        registration = self._handling.registration
        objection = "" if force else registration.objection(request)
        if objection:
            log.warning("%s: %s is not sent: %s", name, request.action, objection)
            return CallResult(CallOutcome.Refused, error_code=ErrorCode.SecurityError, error_description=objection)
        if not registration.sending(request):
            log.warning("%s: an accepted charge point is asked for its BootNotification", name)
        if request.profile is FeatureProfile.Iso15118:
            return self._call_tunnelled(request, timeout)
        return self._messenger.ask(request, timeout)

    def _call_tunnelled(self, request: Request[C], timeout: float | None) -> CallResult[C]:
        """A Plug & Charge request in its envelope (PNC §2.2)."""
        result = self._messenger.ask(tunnel.wrap(request), timeout)
        envelope = result.response
        if envelope is None:
            return CallResult(
                result.outcome,
                error_code=result.error_code,
                error_description=result.error_description,
                error_details=result.error_details,
            )
        try:
            answer = tunnel.unwrap_answer(type(request), envelope)
        except RemoteProtocolError as error:
            log.warning("%s: the answer to Plug & Charge %s is not valid: %s", self.identifier, request.action, error)
            return CallResult(CallOutcome.InvalidAnswer, error_description=str(error))
        if answer is None:
            return CallResult(
                CallOutcome.Refused,
                error_code=str(envelope.status),
                error_description=f"Plug & Charge {request.action} was not understood",
            )
        return CallResult(CallOutcome.Answered, answer)

    # -- incoming ------------------------------------------------------------------------------------------------------

    def admit(self, action: str) -> CallError | None:
        """errata-J 3.8: before acceptance other requests are a matter of security."""
        if self._handling.registration.admits(action):
            return None
        return CallError(ErrorCode.SecurityError, f"{action} is not served before an accepted BootNotification")

    def handler(self, request_type: type[Request[Any]]) -> Callable[[Any], Any] | None:
        return self._handling.lookup(request_type)

    # -- for the server ------------------------------------------------------------------------------------------------

    def announce(self) -> None:
        self._announcing = True
        try:
            self._context.events.charge_point_connected(self)
        finally:
            self._announcing = False

    def serve(self, call: IncomingCall) -> None:
        self._messenger.serve(call)

    def disconnected(self) -> None:
        application = self._handling.application
        if application is not None:
            application.disconnected()

    def hand_over(self) -> Connection:
        """Give the connection to a local controller. StateError except within ``charge_point_connected``."""
        connection = self._own
        if not self._announcing:
            raise StateError("a charge point can only be handed over within charge_point_connected")
        self._connection = None
        self._handling.application = None  # no callback of it comes any more
        self._messenger.detach(connection.endpoint)
        return connection

    @property
    def handed_over(self) -> bool:
        return self._connection is None
