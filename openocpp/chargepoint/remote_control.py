"""What the central system may ask the charge point to do: remote start and stop, unlock, reset (1.6 §5.11-5.18).

The application does it; here is checked whether it can be asked at all.
Threads: monitor.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from openocpp.chargepoint.connectors import Operation
from openocpp.chargepoint.interface import DefaultChargePointEventsHandler
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
    FeatureProfile,
    Reason,
    RemoteStartStopStatus,
    ResetStatus,
    UnlockStatus,
)
from openocpp.types.security_events import SecurityEvents

if TYPE_CHECKING:
    from openocpp.chargepoint.connectors import Connector
    from openocpp.chargepoint.context import ChargePointContext
    from openocpp.chargepoint.outbox import Outbox
    from openocpp.chargepoint.security_events import SecurityEventManager
    from openocpp.chargepoint.transactions import ReservationRules, TransactionManager
    from openocpp.types import ChargingProfile

log = logging.getLogger("openocpp.chargepoint")

ACCEPTED = RemoteStartStopStatus.Accepted
REJECTED = RemoteStartStopStatus.Rejected
NO_LOCKS = DefaultChargePointEventsHandler.unlock_connector_requested


class RemoteProfiles(Protocol):
    """What a remote start asks of smart charging (1.6 §5.16.2)."""

    def expect_remote(self, connector_id: int, id_tag: str, profile: ChargingProfile | None) -> str | None:
        """Keep the profile, in the place of an earlier one, for the transaction that this id tag is to start there.

        Connector 0: on whichever it chooses. The result is why the profile cannot be kept, None when it is.
        """

    def forget_remote(self, connector_id: int) -> None:
        """There will be no such transaction."""


class RemoteControl:
    """Checks the central system's wishes and passes them on."""

    def __init__(
        self,
        ctx: ChargePointContext,
        outbox: Outbox,
        transactions: TransactionManager,
        reservations: ReservationRules,
        security: SecurityEventManager,
        profiles: RemoteProfiles,
    ) -> None:
        self.ctx = ctx
        self._outbox = outbox
        self._transactions = transactions
        self._reservations = reservations
        self._security = security
        self._profiles = profiles

    @handles(RemoteStartTransactionReq)
    def remote_start(self, request: RemoteStartTransactionReq) -> RemoteStartTransactionConf:
        problem = self._problem(request)
        if problem is None:
            return RemoteStartTransactionConf(status=ACCEPTED)
        log.warning("%s: remote start refused: %s", self.ctx.name, problem)
        return RemoteStartTransactionConf(status=REJECTED)

    def _problem(self, request: RemoteStartTransactionReq) -> str | None:
        """Why there will be no transaction; None: the application is about to start it."""
        if not self._outbox.is_accepted:  # a start would be refused as well
            return "the charge point is not registered (1.6 §4.2)"
        if request.connector_id is None:
            if all(self._obstacle(each, request.id_tag) is not None for each in self.ctx.connectors.physical):
                return "no connector is free for this id tag (1.6 §5.11, §5.13)"
        else:
            connector = self.ctx.connectors.get(request.connector_id)
            obstacle = "there is none" if connector is None else self._obstacle(connector, request.id_tag)
            if obstacle is not None:
                return f"connector {request.connector_id}: {obstacle}"
        return self._ask_with_profile(request.connector_id or 0, request.id_tag, request.charging_profile)

    def _obstacle(self, connector: Connector, id_tag: str) -> str | None:
        """What keeps this id tag away. May leave the monitor, to find out for whom a connector is reserved."""
        if self._transactions.is_startable(connector):
            if self._reservations.verdict(connector, id_tag) is not AuthorizationStatus.Accepted:
                return "it is reserved for another id tag (1.6 §5.13)"
        if not self._transactions.is_startable(connector):  # read anew
            return "it is in use, or it cannot be used (1.6 §5.11)"
        return None

    def _ask_with_profile(self, connector_id: int, id_tag: str, profile: ChargingProfile | None) -> str | None:
        """The profile is kept first: the application may start the transaction before its answer is here.

        1.6 §5.11: a charge point without smart charging does not look at the profile.
        """
        if FeatureProfile.SmartCharging not in self.ctx.keys.supported_feature_profiles:
            profile = None
        problem = self._profiles.expect_remote(connector_id, id_tag, profile)
        if problem is not None:
            return problem
        accepted = False
        try:
            handler = self.ctx.events.handler.remote_start_transaction_requested
            accepted = self.ctx.events.require(handler, connector_id, id_tag)
        finally:
            if not accepted:
                self._profiles.forget_remote(connector_id)
        return None if accepted else "the application does not want it"

    @handles(RemoteStopTransactionReq)
    def remote_stop(self, request: RemoteStopTransactionReq) -> RemoteStopTransactionConf:
        connector = self.ctx.connectors.by_transaction_id(request.transaction_id)
        if connector is None:
            self._transactions.await_ids(self.ctx.connectors.physical)
            connector = self.ctx.connectors.by_transaction_id(request.transaction_id)
        pending = self._outbox.registration is Registration.PENDING
        if connector is None or connector.operation is not Operation.NONE or pending:
            return RemoteStopTransactionConf(status=REJECTED)
        handler = self.ctx.events.handler.remote_stop_transaction_requested
        accepted = self.ctx.events.require(handler, connector.id)
        return RemoteStopTransactionConf(status=ACCEPTED if accepted else REJECTED)

    @handles(UnlockConnectorReq)
    def unlock(self, request: UnlockConnectorReq) -> UnlockConnectorConf:
        """1.6 §5.18: a running transaction is finished first; errata 3.85: an unknown connector is not supported.

        The answer does not wait for that of the central system, which may wait for this one. A handler that cannot
        unlock anything costs nobody a transaction.
        """
        connector = self.ctx.connectors.get(request.connector_id)
        unlocks = type(self.ctx.events.handler).unlock_connector_requested
        if connector is None or connector.id == 0 or unlocks is NO_LOCKS:
            return UnlockConnectorConf(status=UnlockStatus.NotSupported)
        if connector.operation is Operation.STARTING:
            return UnlockConnectorConf(status=UnlockStatus.UnlockFailed)
        if connector.transaction is not None:
            self._transactions.stop(connector.id, "", Reason.UnlockCommand, wait=False)
        handler = self.ctx.events.handler.unlock_connector_requested
        return UnlockConnectorConf(status=self.ctx.events.require(handler, connector.id))

    @handles(ResetReq)
    def reset(self, request: ResetReq) -> ResetConf:
        """1.6 §5.14: the application ends its transactions and resets; that it was told is a security event."""
        if not self.ctx.events.require(self.ctx.events.handler.reset_requested, request.type):
            return ResetConf(status=ResetStatus.Rejected)
        if not self.ctx.stopping:  # the handler may have stopped the role
            self._security.log(SecurityEvents.RESET_OR_REBOOT, f"{request.type} reset requested by the central system")
        return ResetConf(status=ResetStatus.Accepted)
