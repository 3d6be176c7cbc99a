"""What the central system may ask the charge point to do: remote start and stop, unlock, reset (1.6 §5.11-5.18).

The application does it; here is checked whether it can be asked at all.
Threads: monitor.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from openocpp.chargepoint.connectors import Operation
from openocpp.chargepoint.outbox import Registration
from openocpp.messages.core import (
    RemoteStartTransactionConf,
    RemoteStartTransactionReq,
    RemoteStopTransactionConf,
    RemoteStopTransactionReq,
    ResetConf,
    ResetReq,
    UnlockConnectorConf,
    UnlockConnectorReq,
)
from openocpp.messages.dispatch import handles
from openocpp.types import (
    AuthorizationStatus,
    ChargingProfile,
    Reason,
    RemoteStartStopStatus,
    ResetStatus,
    UnlockStatus,
)
from openocpp.types.security_events import SecurityEvents

if TYPE_CHECKING:
    from openocpp.chargepoint.context import ChargePointContext
    from openocpp.chargepoint.outbox import Outbox
    from openocpp.chargepoint.security_events import SecurityEventManager
    from openocpp.chargepoint.transactions import ReservationRules, TransactionManager

log = logging.getLogger("openocpp.chargepoint")

ACCEPTED = RemoteStartStopStatus.Accepted
REJECTED = RemoteStartStopStatus.Rejected


class RemoteProfiles(Protocol):
    """What a remote start asks of smart charging (1.6 §5.16.2)."""

    def refuse_remote(self, profile: ChargingProfile) -> str | None:
        """Why this profile cannot come with a remote start; None when it can."""

    def expect_remote(self, connector_id: int, profile: ChargingProfile) -> bool:
        """Keep it for the transaction that is to start (0: on whichever connector). False: no room."""


class RemoteControl:
    """Checks the central system's wishes and passes them on."""

    def __init__(
        self,
        ctx: ChargePointContext,
        outbox: Outbox,
        transactions: TransactionManager,
        reservations: ReservationRules,
        security: SecurityEventManager,
        profiles: RemoteProfiles | None = None,
    ) -> None:
        self.ctx = ctx
        self._outbox = outbox
        self._transactions = transactions
        self._reservations = reservations
        self._security = security
        self._profiles = profiles

    @handles(RemoteStartTransactionReq)
    def remote_start(self, request: RemoteStartTransactionReq) -> RemoteStartTransactionConf:
        return RemoteStartTransactionConf(status=ACCEPTED if self._may_start(request) else REJECTED)

    def _may_start(self, request: RemoteStartTransactionReq) -> bool:
        if self._outbox.registration is Registration.PENDING:  # 1.6 §4.2
            return False
        connector_id = request.connector_id
        if connector_id is not None:
            connector = self.ctx.connectors.get(connector_id)
            if connector is None or not self._transactions.is_startable(connector):
                return False
            if self._reservations.verdict(connector, request.id_tag) is not AuthorizationStatus.Accepted:
                return False
        elif not any(self._transactions.is_startable(connector) for connector in self.ctx.connectors.physical):
            return False
        profile = request.charging_profile if self._profiles is not None else None
        if self._profiles is not None and profile is not None:
            problem = self._profiles.refuse_remote(profile)
            if problem is not None:
                log.warning("%s: remote start refused: %s", self.ctx.name, problem)
                return False
        handler = self.ctx.events.handler.remote_start_transaction_requested
        if not self.ctx.events.require(handler, connector_id or 0, request.id_tag):
            return False
        if self._profiles is not None and profile is not None:
            return self._profiles.expect_remote(connector_id or 0, profile)
        return True

    @handles(RemoteStopTransactionReq)
    def remote_stop(self, request: RemoteStopTransactionReq) -> RemoteStopTransactionConf:
        connector = self.ctx.connectors.by_transaction_id(request.transaction_id)
        pending = self._outbox.registration is Registration.PENDING
        if connector is None or connector.operation is not Operation.NONE or pending:
            return RemoteStopTransactionConf(status=REJECTED)
        handler = self.ctx.events.handler.remote_stop_transaction_requested
        accepted = self.ctx.events.require(handler, connector.id)
        return RemoteStopTransactionConf(status=ACCEPTED if accepted else REJECTED)

    @handles(UnlockConnectorReq)
    def unlock(self, request: UnlockConnectorReq) -> UnlockConnectorConf:
        """1.6 §5.18: a running transaction is finished first; errata 3.85: an unknown connector is not supported."""
        connector = self.ctx.connectors.get(request.connector_id)
        if connector is None or connector.id == 0:
            return UnlockConnectorConf(status=UnlockStatus.NotSupported)
        if connector.transaction is not None:
            self._transactions.stop(connector.id, "", Reason.UnlockCommand)
        handler = self.ctx.events.handler.unlock_connector_requested
        return UnlockConnectorConf(status=self.ctx.events.require(handler, connector.id))

    @handles(ResetReq)
    def reset(self, request: ResetReq) -> ResetConf:
        """1.6 §5.14: the application ends its transactions and resets; that it was told is a security event."""
        if not self.ctx.events.require(self.ctx.events.handler.reset_requested, request.type):
            return ResetConf(status=ResetStatus.Rejected)
        self._security.log(SecurityEvents.RESET_OR_REBOOT, f"{request.type} reset requested by the central system")
        return ResetConf(status=ResetStatus.Accepted)
