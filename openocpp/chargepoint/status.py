"""Statuses and availability of connectors (1.6 §4.9, §5.2; errata 3.22).

Threads: monitor.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from openocpp.chargepoint.connectors import Operation
from openocpp.chargepoint.marks import Signal, triggers
from openocpp.chargepoint.outbox import Kind
from openocpp.errors import CallError, ErrorCode, LocalProtocolError
from openocpp.messages.core import ChangeAvailabilityConf, ChangeAvailabilityReq, StatusNotificationReq
from openocpp.messages.dispatch import handles
from openocpp.messages.messenger import Reply
from openocpp.types import (
    AvailabilityStatus,
    AvailabilityType,
    ChargePointErrorCode,
    ChargePointStatus,
    MessageTrigger,
    MessageTriggerEnumType,
    OcppEnum,
)

if TYPE_CHECKING:
    from openocpp.chargepoint.connectors import Connector
    from openocpp.chargepoint.context import ChargePointContext
    from openocpp.chargepoint.outbox import Outbox
    from openocpp.chargepoint.registration import RegistrationManager
    from openocpp.messages.core import StatusNotificationConf
    from openocpp.types import CallResult

log = logging.getLogger("openocpp.chargepoint")

OF_CONNECTOR_ZERO = frozenset({ChargePointStatus.Available, ChargePointStatus.Unavailable, ChargePointStatus.Faulted})
MAX_INFO = 50  # characters of info and vendorErrorCode (1.6 §6.47)
MAX_VENDOR_ID = 255

E = TypeVar("E", bound=OcppEnum)


class StatusTexts(NamedTuple):
    """What a status notification says beside status and error code."""

    info: str = ""
    vendor_id: str = ""
    vendor_error: str = ""


def member(kind: type[E], name: str, value: str) -> E:
    """The member of an enumeration. LocalProtocolError when it has no such one."""
    try:
        return kind(value)
    except ValueError:
        raise LocalProtocolError(name, f"{value!r} is no {kind.__name__}") from None


def shown_status(
    real: ChargePointStatus, *, operative: bool, reserved: bool, in_transaction: bool
) -> ChargePointStatus:
    """What the central system is to see of a connector: a fault before all, then availability, then a reservation."""
    if real is ChargePointStatus.Faulted or in_transaction:
        return real
    if not operative:
        return ChargePointStatus.Unavailable
    if reserved and real is ChargePointStatus.Available:
        return ChargePointStatus.Reserved
    return real


class StatusManager:
    """Keeps what the application tells of its connectors, and tells the central system what it does not know yet.

    ``status_changed`` fires with the connector whenever the status that is shown changes.
    """

    def __init__(self, ctx: ChargePointContext, outbox: Outbox, registration: RegistrationManager) -> None:
        self.ctx = ctx
        self._outbox = outbox
        self.status_changed: Signal[[Connector]] = Signal()
        self._out_of_service = False
        registration.online.subscribe(self._online)

    # -- the application's side ----------------------------------------------------------------------------------------

    def set_status(
        self,
        connector_id: int,
        status: ChargePointStatus,
        error_code: ChargePointErrorCode,
        texts: StatusTexts,
    ) -> bool:
        status = member(ChargePointStatus, "status", status)
        error_code = member(ChargePointErrorCode, "errorCode", error_code)
        if len(texts.vendor_id) > MAX_VENDOR_ID:
            raise LocalProtocolError("vendorId", f"at most {MAX_VENDOR_ID} characters are allowed")
        connector = self.ctx.connectors.get(connector_id)
        if connector is None or (connector_id == 0 and status not in OF_CONNECTOR_ZERO):
            log.warning("%s: connector %d cannot be %s", self.ctx.name, connector_id, status)
            return False
        changes = {
            "real_status": status.value,
            "error_code": error_code.value,
            "info": self._cut("info", texts.info, MAX_INFO),
            "vendor_id": texts.vendor_id,
            "vendor_error": self._cut("vendor_error", texts.vendor_error, MAX_INFO),
        }
        told = {name: value for name, value in changes.items() if getattr(connector.row, name) != value}
        if told:
            self.ctx.connectors.update(connector, **told)
            # The minimum duration is one of statuses: an error is told at once, and so is a text on its own.
            news = "real_status" not in told or bool(told.keys() & {"error_code", "vendor_error"})
            self.refresh(connector, news=news)
        self._apply_when_free(connector)
        return True

    def _cut(self, name: str, text: str, limit: int) -> str:
        if len(text) > limit:
            log.warning("%s: %s is cut to %d characters", self.ctx.name, name, limit)
        return text[:limit]

    def refresh(self, connector: Connector, *, news: bool = False) -> None:
        """Work out the status to show. ``news``: an error or a text has changed, which is told at once."""
        shown = shown_status(
            connector.real_status,
            operative=connector.is_operative and (connector.id == 0 or not self._out_of_service),
            reserved=connector.is_reserved and connector.id > 0,
            in_transaction=connector.transaction is not None,
        )
        changed = shown is not connector.status
        if changed or news:
            self.ctx.connectors.update(connector, status=shown.value, status_time=self.ctx.clock.utcnow())
            self._changed(connector, at_once=news)
        if changed:
            self.status_changed.fire(connector)

    def set_out_of_service(self, out_of_service: bool) -> None:
        """Show all connectors that have no transaction as Unavailable, for as long as the process needs them so.

        Nothing is stored, and their availability is left alone (errata 3.49; SEC L01.FR.07).
        """
        if self._out_of_service is not out_of_service:
            self._out_of_service = out_of_service
            for connector in self.ctx.connectors.physical:
                self.refresh(connector)

    def _changed(self, connector: Connector, *, at_once: bool) -> None:
        """MinimumStatusDuration: a status that lasts less is never told; a return to the told one neither."""
        if connector.status_timer is not None:
            connector.status_timer.cancel()
            connector.status_timer = None
        if not self._outbox.may_send(Kind.NOTIFICATION):
            return
        duration = self.ctx.keys.minimum_status_duration
        if at_once or duration <= 0:
            self.notify(connector)
        elif self.ctx.connectors.differs(connector):
            connector.status_timer = self.ctx.monitor.call_later(float(duration), partial(self.notify, connector))

    # -- telling the central system ------------------------------------------------------------------------------------

    def _online(self, after_boot: bool) -> None:
        """After a boot all statuses are told (errata 3.22), after a reconnection those that changed meanwhile.

        Should the connection end before all were told, the others follow with the next one.
        """
        for connector in self.ctx.connectors:
            if after_boot:
                self.ctx.connectors.forget_notified(connector)
            if self.ctx.connectors.differs(connector):
                self.notify(connector)

    def notify(self, connector: Connector, kind: Kind = Kind.NOTIFICATION) -> None:
        """Tell the present status. Not queued: what is not answered is told after the next connection."""
        if connector.status_timer is not None:
            connector.status_timer.cancel()
            connector.status_timer = None
        row = connector.row
        status, error = connector.status, connector.error_code
        request = StatusNotificationReq(
            connector_id=connector.id,
            error_code=error,
            status=status,
            timestamp=row.status_time or self.ctx.clock.utcnow(),
            info=row.info or None,
            vendor_id=row.vendor_id or None,
            vendor_error_code=row.vendor_error or None,
        )

        def told(result: CallResult[StatusNotificationConf]) -> None:
            if result.ok:
                self.ctx.connectors.note_notified(connector, status, error)

        self._outbox.post(kind, request, told)

    @triggers(MessageTrigger.StatusNotification, MessageTriggerEnumType.StatusNotification)
    def trigger_status(self, connector_id: int | None) -> None:
        for connector in self.ctx.connectors:
            if connector_id is None or connector.id == connector_id:
                self.notify(connector, Kind.TRIGGERED)

    # -- availability --------------------------------------------------------------------------------------------------

    @handles(ChangeAvailabilityReq)
    def change_availability(self, request: ChangeAvailabilityReq) -> ChangeAvailabilityConf | Reply:
        """1.6 §5.2: at once, or at the end of the transaction; it survives a restart."""
        connector = self.ctx.connectors.get(request.connector_id)
        if connector is None:
            raise CallError(ErrorCode.PropertyConstraintViolation, f"connectorId: there is no {request.connector_id}")
        concerned = list(self.ctx.connectors) if connector.id == 0 else [connector]
        if all(self._is_so(each, request.type) for each in concerned):
            return ChangeAvailabilityConf(status=AvailabilityStatus.Accepted)
        if not self._is_busy(connector):
            handler = self.ctx.events.handler.change_availability_requested
            verdict = self.ctx.events.require(handler, connector.id, request.type)
            if verdict is AvailabilityStatus.Rejected:
                return ChangeAvailabilityConf(status=verdict)
            if verdict is AvailabilityStatus.Scheduled:
                for each in concerned:
                    self.ctx.connectors.update_durably(each, scheduled_availability=request.type.value)
                return ChangeAvailabilityConf(status=verdict)
        scheduled = False
        for each in concerned:
            scheduled = self._schedule_or_store(each, request.type) or scheduled
        status = AvailabilityStatus.Scheduled if scheduled else AvailabilityStatus.Accepted
        return Reply(ChangeAvailabilityConf(status=status), lambda: self._refresh_all(concerned))

    def _is_busy(self, connector: Connector) -> bool:
        """Must a transaction end first? That of any connector, if it is about the charge point."""
        return any(each.is_busy for each in (self.ctx.connectors if connector.id == 0 else (connector,)))

    @staticmethod
    def _is_so(connector: Connector, wanted: AvailabilityType) -> bool:
        """Is it so already, with nothing else to come and nothing else shown?"""
        if connector.row.availability != wanted or connector.row.scheduled_availability is not None:
            return False
        return wanted is AvailabilityType.Inoperative or connector.real_status is not ChargePointStatus.Unavailable

    def _schedule_or_store(self, connector: Connector, wanted: AvailabilityType) -> bool:
        """True when a transaction has to end first."""
        if self._is_busy(connector) and wanted is AvailabilityType.Inoperative:
            self.ctx.connectors.update_durably(connector, scheduled_availability=wanted.value)
            return True
        self.ctx.connectors.update_durably(connector, availability=wanted.value, scheduled_availability=None)
        if wanted is AvailabilityType.Operative and connector.real_status is ChargePointStatus.Unavailable:
            self.ctx.connectors.update(connector, real_status=ChargePointStatus.Available.value)
        return False

    def _refresh_all(self, connectors: list[Connector]) -> None:
        for connector in connectors:
            self.refresh(connector)

    def apply_scheduled(self, connector: Connector) -> None:
        """The transaction has ended: what had to wait for that is done now."""
        if connector.operation is Operation.STARTING or connector.transaction is not None:
            return
        self._apply(connector)
        self.refresh(connector)
        whole = self.ctx.connectors.whole
        if whole.row.scheduled_availability is not None and not self._is_busy(whole):
            self._apply(whole)
            self.refresh(whole)

    def _apply(self, connector: Connector) -> None:
        wanted = connector.row.scheduled_availability
        if wanted is not None:
            self.ctx.connectors.update_durably(connector, availability=wanted, scheduled_availability=None)

    def _apply_when_free(self, connector: Connector) -> None:
        """What the application itself has put off is done when it says that the connector is free."""
        waits = connector.row.scheduled_availability is not None and not self._is_busy(connector)
        if waits and connector.real_status is ChargePointStatus.Available:
            self._apply(connector)
            self.refresh(connector)

    def begin(self) -> None:
        """A transaction may have ended just before the power was lost, and with the process what it showed."""
        for connector in self.ctx.connectors:
            self._apply_when_free(connector)
            self.refresh(connector)
