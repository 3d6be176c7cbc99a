"""Reservations of connectors (1.6 §3.11, §5.1, §5.13).

Threads: monitor.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from openocpp.chargepoint.transactions import Claim
from openocpp.types import AuthorizationStatus, same_ci

if TYPE_CHECKING:
    from openocpp.chargepoint.authorization import AuthorizationManager
    from openocpp.chargepoint.connectors import Connector
    from openocpp.chargepoint.context import ChargePointContext
    from openocpp.chargepoint.status import StatusManager

ACCEPTED = AuthorizationStatus.Accepted


class ReservationManager:
    """Knows for whom a connector is kept."""

    def __init__(self, ctx: ChargePointContext, status: StatusManager, authorization: AuthorizationManager) -> None:
        self.ctx = ctx
        self._status = status
        self._authorization = authorization

    def verdict(self, connector: Connector, id_tag: str) -> AuthorizationStatus:
        """May this tag use the connector: the reserved one, or one of the same group? May leave the monitor."""
        row = connector.row
        if row.reservation_id is None or same_ci(id_tag, row.reservation_id_tag or ""):
            return ACCEPTED
        if not row.reservation_parent_id_tag:
            return AuthorizationStatus.Invalid
        status, parent_id = self._authorization.authorize_tag(id_tag)
        same_group = status is ACCEPTED and same_ci(parent_id, row.reservation_parent_id_tag)
        return ACCEPTED if same_group else AuthorizationStatus.Invalid

    def claim(self, connector: Connector, id_tag: str) -> Claim | None:
        """The reservation that a start on this connector uses up."""
        row = connector.row
        if row.reservation_id is None:
            return None
        cleared = replace(
            row,
            reservation_id=None,
            reservation_id_tag=None,
            reservation_parent_id_tag=None,
            reservation_expiry=None,
        )
        return Claim(row.reservation_id, cleared)

    def claimed(self, claim: Claim) -> None:
        """The start is on the disk, and with it the cleared row."""
        connector = self.ctx.connectors.get(claim.cleared.id)
        if connector is not None:
            connector.row = claim.cleared
