"""Statuses and availability of connectors (1.6 §4.9, §5.2; errata 3.22).

Threads: monitor.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from openocpp.chargepoint.connectors import Operation
from openocpp.chargepoint.marks import Signal, triggers
from openocpp.chargepoint.outbox import Kind
from openocpp.errors import CallError, ErrorCode
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
        registration.online.subscribe(self._online)

    # -- the application's side ----------------------------------------------------------------------------------------

    def set_status(
        self,
        connector_id: int,
        status: ChargePointStatus,
        error_code: ChargePointErrorCode,
        info: str,
        vendor_id: str,
        vendor_error: str,
    ) -> bool:
        connector = self.ctx.connectors.get(connector_id)
        if connector is None or (connector_id == 0 and status not in OF_CONNECTOR_ZERO):
            log.warning("%s: connector %d cannot be %s", self.ctx.name, connector_id, status)
            return False
        changes = {
            "real_status": status.value,
            "error_code": error_code.value,
            "info": self._cut("info", info, MAX_INFO),
            "vendor_id": vendor_id,
            "vendor_error": self._cut("vendor_error", vendor_error, MAX_INFO),
        }
        told = {name: value for name, value in changes.items() if getattr(connector.row, name) != value}
        if told:
            self.ctx.connectors.update(connector, **told)
            self.refresh(connector, news=set(told) != {"real_status"})
        return True

    def _cut(self, name: str, text: str, limit: int) -> str:
        if len(text) > limit:
            log.warning("%s: %s is cut to %d characters", self.ctx.name, name, limit)
        return text[:limit]

    def refresh(self, connector: Connector, *, news: bool = False) -> None:
        """Work out the status to show. ``news``: an error or a text has changed, which is told at once."""
        shown = shown_status(
            connector.real_status,
            operative=connector.is_operative and (connector.id == 0 or self.ctx.connectors.whole.is_operative),
            reserved=connector.is_reserved and connector.id > 0,
            in_transaction=connector.transaction is not None,
        )
        changed = shown is not connector.status
        if changed or news:
            self.ctx.connectors.update(connector, status=shown.value, status_time=self.ctx.clock.utcnow())
            self._changed(connector, at_once=news)
        if changed:
            self.status_changed.fire(connector)

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
        """After a boot all statuses are told (errata 3.22), after a reconnection those that changed meanwhile."""
        for connector in self.ctx.connectors:
            if after_boot or self.ctx.connectors.differs(connector):
                self.notify(connector)

    def notify(self, connector: Connector, kind: Kind = Kind.NOTIFICATION) -> None:
        """Tell the present status. Not queued: what is not answered is told after the next connection."""
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
        if not any(each.is_busy for each in concerned):
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
        return Reply(ChangeAvailabilityConf(status=status), partial(self._refresh_all, concerned))

    @staticmethod
    def _is_so(connector: Connector, wanted: AvailabilityType) -> bool:
        """Is it so already, with nothing else to come and nothing else shown?"""
        if connector.row.availability != wanted or connector.row.scheduled_availability is not None:
            return False
        return wanted is AvailabilityType.Inoperative or connector.real_status is not ChargePointStatus.Unavailable

    def _schedule_or_store(self, connector: Connector, wanted: AvailabilityType) -> bool:
        """True when a transaction has to end first."""
        if connector.is_busy and wanted is AvailabilityType.Inoperative:
            self.ctx.connectors.update_durably(connector, scheduled_availability=wanted.value)
            return True
        self.ctx.connectors.update_durably(connector, availability=wanted.value, scheduled_availability=None)
        if wanted is AvailabilityType.Operative and connector.real_status is ChargePointStatus.Unavailable:
            self.ctx.connectors.update(connector, real_status=ChargePointStatus.Available.value)
        return False

    def _refresh_all(self, connectors: list[Connector]) -> None:
        for connector in list(self.ctx.connectors) if 0 in [each.id for each in connectors] else connectors:
            self.refresh(connector)

    def apply_scheduled(self, connector: Connector) -> None:
        """The transaction has ended: what had to wait for that is done now."""
        if connector.operation is Operation.STARTING or connector.transaction is not None:
            return
        wanted = connector.row.scheduled_availability
        if wanted is not None:
            self.ctx.connectors.update_durably(connector, availability=wanted, scheduled_availability=None)
        self.refresh(connector)
