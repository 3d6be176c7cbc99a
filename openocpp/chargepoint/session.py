"""One session of a charge point, from start to stop: all managers, wired, and what the connection tells them.

Threads: monitor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openocpp.chargepoint.authorization import AuthorizationManager
from openocpp.chargepoint.configuration import ConfigurationManager
from openocpp.chargepoint.data_transfer import DataTransferManager
from openocpp.chargepoint.delivery import EventCourier, TransactionCourier
from openocpp.chargepoint.diagnostics import DiagnosticsManager
from openocpp.chargepoint.firmware import FirmwareManager
from openocpp.chargepoint.jobs import Jobs
from openocpp.chargepoint.link import Link
from openocpp.chargepoint.local_list import LocalListManager
from openocpp.chargepoint.meter_values import MeterValuesManager
from openocpp.chargepoint.outbox import Outbox, Registration
from openocpp.chargepoint.registration import RegistrationManager
from openocpp.chargepoint.remote_control import RemoteControl
from openocpp.chargepoint.reservations import ReservationManager
from openocpp.chargepoint.security_events import SecurityEventManager
from openocpp.chargepoint.smart_charging.manager import SmartChargingManager
from openocpp.chargepoint.status import StatusManager
from openocpp.chargepoint.transactions import TransactionManager
from openocpp.chargepoint.triggers import TriggerManager
from openocpp.chargepoint.uploads import Uploads
from openocpp.chargepoint.uptime import Uptime
from openocpp.errors import CallError, ErrorCode
from openocpp.messages.base import ACTIONS
from openocpp.messages.dispatch import Dispatcher
from openocpp.types import NO_ANSWER, FeatureProfile, NoAnswer
from openocpp.types.security_events import SecurityEvents

if TYPE_CHECKING:
    from openocpp.chargepoint.context import ChargePointContext
    from openocpp.chargepoint.data_transfer import VendorHandler
    from openocpp.errors import ConnectError
    from openocpp.messages.base import Request
    from openocpp.messages.messenger import Handler
    from openocpp.runtime import Lane, Strand
    from openocpp.transport.base import Closed

OPTIONAL_PROFILES = frozenset(
    {
        FeatureProfile.FirmwareManagement,
        FeatureProfile.LocalAuthListManagement,
        FeatureProfile.Reservation,
        FeatureProfile.SmartCharging,
        FeatureProfile.RemoteTrigger,
    }
)  # those that a charge point may do without (1.6 §3.3)


class Session:
    """Everything that exists between start and stop. Each manager sees only those built before it."""

    def __init__(
        self, ctx: ChargePointContext, strand: Strand, lane: Lane, vendor_handlers: dict[str, VendorHandler]
    ) -> None:
        self.ctx = ctx
        self.outbox = Outbox(ctx.messenger)
        self.uptime = Uptime(ctx)
        self.link = Link(ctx, self, strand, lane)
        self.events_courier = EventCourier(ctx, self.outbox)
        self.courier = TransactionCourier(ctx, self.outbox)
        self.security = SecurityEventManager(
            ctx.database, ctx.clock, ctx.name, ctx.setting, self.events_courier.table, self.events_courier.kick
        )
        self.registration = RegistrationManager(ctx, self.outbox)
        self.status = StatusManager(ctx, self.outbox, self.registration)
        self.authorization = AuthorizationManager(ctx, self.outbox)
        self.local_list = LocalListManager(ctx, self.authorization.local_list)
        self.reservations = ReservationManager(ctx, self.status, self.authorization)
        self.meter_values = MeterValuesManager(ctx, self.outbox, self.courier)
        self.transactions = TransactionManager(
            ctx, self.outbox, self.courier, self.status, self.authorization, self.reservations, self.meter_values
        )
        self.transactions.started.subscribe(self.meter_values.transaction_started)
        self.transactions.stopped.subscribe(self.meter_values.transaction_stopped)
        self.smart_charging = SmartChargingManager(ctx, self.transactions)
        self.remote_control = RemoteControl(
            ctx, self.outbox, self.transactions, self.reservations, self.security, self.smart_charging
        )
        self.data_transfer = DataTransferManager(ctx, self.outbox, vendor_handlers)
        self.jobs = Jobs(ctx)
        self.uploads = Uploads(ctx, self.jobs)
        self.diagnostics = DiagnosticsManager(ctx, self.outbox, self.registration, self.uploads)
        self.firmware = FirmwareManager(
            ctx, self.outbox, self.registration, self.security, self.status, self.transactions, self.jobs
        )
        managers: list[object] = [
            self.registration, self.status, self.authorization, self.local_list, self.reservations, self.meter_values,
            self.transactions, self.smart_charging, self.remote_control, self.data_transfer, self.diagnostics,
            self.firmware,
        ]  # fmt: skip
        self.triggers = TriggerManager(ctx, self.outbox, managers)
        self.configuration = ConfigurationManager(ctx, self.security, managers, self.link.reconnect)
        self._dispatcher = Dispatcher(*managers, self.triggers, self.configuration)
        self._invalid_told = self._refusal_told = False  # on this connection; in this period without one
        self.registration.online.subscribe(self._online)

    def __repr__(self) -> str:
        return f"<session of {self.ctx.name}: {self.outbox!r}>"

    def begin(self) -> bool:
        """Start counting, measuring and connecting. False: the settings do not allow to connect."""
        self.uptime.begin()
        self.status.begin()
        self.reservations.begin()
        self.transactions.begin()
        self.smart_charging.begin()
        self.meter_values.begin()
        self.firmware.begin()
        return self.link.connect()

    def end(self) -> None:
        """Let everybody go who waits, and begin nothing more; the connection is closed by the caller."""
        self.ctx.stopping = True
        self.outbox.stopping = True
        self.ctx.events.close()
        self.ctx.monitor.cancel_timers()
        self.jobs.cancel()
        self.courier.disconnected()
        self.events_courier.disconnected()
        self.uptime.end()

    def close(self) -> None:
        """The connection is gone and the database will be: what still comes is ignored."""
        self.outbox.closed = True
        self.ctx.monitor.cancel_timers()  # those that somebody set who was on the way when the session ended

    # -- the connection ------------------------------------------------------------------------------------------------

    def link_connected(self) -> None:
        self._invalid_told = self._refusal_told = False
        self.uptime.connected()
        self.ctx.events.tell(self.ctx.events.handler.connection_state_changed, True)
        self.registration.connected()

    def link_failed(self, error: ConnectError, first: bool) -> None:
        if first:
            self.registration.connection_failed()
        if error.status in (401, 403) and not self._refusal_told:
            self._refusal_told = True
            self.security.log(SecurityEvents.FAILED_TO_AUTHENTICATE_AT_CENTRAL_SYSTEM, f"HTTP {error.status}")

    def link_disconnected(self, why: Closed) -> None:
        self.uptime.disconnected()
        self.registration.disconnected()
        self.courier.disconnected()
        self.events_courier.disconnected()
        self.ctx.events.tell(self.ctx.events.handler.connection_state_changed, False)

    def url_changed(self) -> None:
        self.registration.forget()

    def link_invalid_message(self, problem: str) -> None:
        """Once per connection: a peer that sends garbage must not fill the log."""
        if not self._invalid_told:
            self._invalid_told = True
            self.security.log(SecurityEvents.INVALID_MESSAGES, problem)

    def _online(self, after_boot: bool) -> None:
        self.courier.kick()
        self.events_courier.kick()

    # -- serving the central system ------------------------------------------------------------------------------------

    def admit(self, action: str) -> CallError | NoAnswer | None:
        """1.6 §4.2: nothing is answered while Rejected; actions of profiles that are not supported are refused."""
        if self.ctx.stopping or self.outbox.registration is Registration.REJECTED:
            return NO_ANSWER
        info = ACTIONS.get(action)
        if info is None or info.profile not in OPTIONAL_PROFILES:
            return None
        if info.profile in self.ctx.keys.supported_feature_profiles:
            return None
        return CallError(ErrorCode.NotSupported, f"{action}: the feature profile {info.profile} is not supported")

    def handler(self, request_type: type[Request[Any]]) -> Handler | None:
        return self._dispatcher.lookup(request_type)

    @property
    def handled(self) -> frozenset[type[Request[Any]]]:
        """The requests that are served."""
        return self._dispatcher.requests
