"""Reservations of connectors (1.6 §3.11, §5.1, §5.13).

A reservation is stored with its connector. One of connector 0 keeps no certain connector, but sees to it that one stays
free for its id tag. It ends by its use, by its expiry, when it is cancelled, and when its connector is Faulted or
Unavailable; the connector then shows its real status again.
Threads: monitor.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from openocpp.chargepoint.transactions import Claim
from openocpp.errors import CallError, ErrorCode, StoreError
from openocpp.messages.dispatch import handles
from openocpp.messages.messenger import Reply
from openocpp.messages.reservation import (
    CancelReservationConf,
    CancelReservationReq,
    ReserveNowConf,
    ReserveNowReq,
)
from openocpp.types import (
    AuthorizationStatus,
    AuthorizeResult,
    CancelReservationStatus,
    ChargePointStatus,
    ReservationStatus,
    format_datetime,
    same_ci,
)

if TYPE_CHECKING:
    import sqlite3

    from openocpp.chargepoint.authorization import AuthorizationManager
    from openocpp.chargepoint.connectors import Connector
    from openocpp.chargepoint.context import ChargePointContext
    from openocpp.chargepoint.status import StatusManager
    from openocpp.runtime import WallTimer
    from openocpp.store.connectors import ConnectorRow

log = logging.getLogger("openocpp.chargepoint")

ACCEPTED = AuthorizationStatus.Accepted
INVALID = AuthorizationStatus.Invalid

ENDS_RESERVATIONS = {
    ChargePointStatus.Faulted: ReservationStatus.Faulted,
    ChargePointStatus.Unavailable: ReservationStatus.Unavailable,
}  # 1.6 §5.13: such a connector cannot be reserved, and loses its reservation


class Verdict(NamedTuple):
    """The answer to a ReserveNow, and for the log why it is none that the central system likes."""

    status: ReservationStatus
    why: str = ""


ACCEPTABLE = Verdict(ReservationStatus.Accepted)


class ReservationManager:
    """Knows for whom a connector is kept."""

    def __init__(self, ctx: ChargePointContext, status: StatusManager, authorization: AuthorizationManager) -> None:
        self.ctx = ctx
        self._status = status
        self._authorization = authorization
        self._timers: dict[int, WallTimer] = {}
        status.status_changed.subscribe(self._status_changed)

    def begin(self) -> None:
        """Take up what was stored: some may have expired meanwhile."""
        for connector in self.ctx.connectors:
            self._watch(connector)
        self._end_expired()

    # -- the central system's side -------------------------------------------------------------------------------------

    @handles(ReserveNowReq)
    def reserve_now(self, request: ReserveNowReq) -> ReserveNowConf | Reply:
        connector = self.ctx.connectors.get(request.connector_id)
        if connector is None:
            raise CallError(ErrorCode.PropertyConstraintViolation, f"connectorId: there is no {request.connector_id}")
        self._end_expired()
        old = self._find(request.reservation_id)
        status, why = self._verdict(connector, request, old)
        if status is not ReservationStatus.Accepted:
            log.warning(
                "%s: reservation %d of connector %d: %s, %s",
                self.ctx.name, request.reservation_id, connector.id, status, why,
            )  # fmt: skip
            return ReserveNowConf(status=status)
        self._store(connector, request, old)
        return Reply(ReserveNowConf(status=status), partial(self._stored, connector, old, request.reservation_id))

    def _verdict(self, connector: Connector, request: ReserveNowReq, old: Connector | None) -> Verdict:
        """``old`` has a reservation of the same id, which is replaced (1.6 §5.13)."""
        if connector.id == 0 and not self.ctx.keys.reserve_connector_zero_supported:
            return Verdict(ReservationStatus.Rejected, "ReserveConnectorZeroSupported is not set (1.6 §5.13, §9.3.1)")
        if request.expiry_date <= self.ctx.clock.utcnow():
            ended = format_datetime(request.expiry_date)
            return Verdict(ReservationStatus.Rejected, f"it ended {ended} (1.6 §5.13, §6.37)")
        for each in (self.ctx.connectors.whole, connector):
            if each.status in ENDS_RESERVATIONS:
                return Verdict(ENDS_RESERVATIONS[each.status], f"connector {each.id} is {each.status} (1.6 §5.13)")
        if connector.is_busy:
            return Verdict(ReservationStatus.Occupied, "there is a transaction (1.6 §5.13)")
        if connector is old:
            return ACCEPTABLE
        if connector.is_reserved:
            return Verdict(ReservationStatus.Occupied, f"reservation {connector.row.reservation_id} has it (1.6 §5.13)")
        if connector.id == 0:
            return self._any_connector(old)
        if connector.status is not ChargePointStatus.Available:
            return Verdict(ReservationStatus.Occupied, f"it is {connector.status} (1.6 §5.13)")
        if self._is_last_for_zero(connector, old):
            return Verdict(ReservationStatus.Occupied, "the reservation of connector 0 needs this one (1.6 §5.13)")
        return ACCEPTABLE

    def _any_connector(self, old: Connector | None) -> Verdict:
        """Can one of the connectors be kept free?"""
        if any(self._is_free(each, old) for each in self.ctx.connectors.physical):
            return ACCEPTABLE
        statuses = {each.status for each in self.ctx.connectors.physical}
        if statuses - ENDS_RESERVATIONS.keys():
            status = ReservationStatus.Occupied
        else:
            unavailable = ChargePointStatus.Unavailable in statuses
            status = ReservationStatus.Unavailable if unavailable else ReservationStatus.Faulted
        return Verdict(status, "no connector can be kept free (1.6 §5.13)")

    def _is_last_for_zero(self, connector: Connector, old: Connector | None) -> bool:
        """Does a reservation of connector 0, if it is not the one that is replaced, need this very connector?"""
        whole = self.ctx.connectors.whole
        return whole.is_reserved and whole is not old and not self._others_are_free(connector, old)

    def _store(self, connector: Connector, request: ReserveNowReq, old: Connector | None) -> None:
        """Both ends of a move in one commit."""
        rows = [
            replace(
                connector.row,
                reservation_id=request.reservation_id,
                reservation_id_tag=request.id_tag,
                reservation_parent_id_tag=request.parent_id_tag,
                reservation_expiry=request.expiry_date,
            )
        ]
        if old is not None and old is not connector:
            rows.append(_without_reservation(old.row))
        self._save(rows)
        self._watch(connector)

    def _stored(self, connector: Connector, old: Connector | None, reservation_id: int) -> None:
        """The answer is written: statuses and application follow. An update of the same connector is no news."""
        if old is connector or self.ctx.stopping:
            return
        if old is not None:
            self._ended(old, canceled=True)
        self._status.refresh(connector)
        if connector.row.reservation_id == reservation_id:  # it may have ended meanwhile
            self.ctx.events.tell(self.ctx.events.handler.reservation_started, connector.id)

    @handles(CancelReservationReq)
    def cancel(self, request: CancelReservationReq) -> CancelReservationConf | Reply:
        self._end_expired()
        connector = self._find(request.reservation_id)
        if connector is None:
            log.warning("%s: there is no reservation %d to cancel (1.6 §5.1)", self.ctx.name, request.reservation_id)
            return CancelReservationConf(status=CancelReservationStatus.Rejected)
        self._save([_without_reservation(connector.row)])
        return Reply(
            CancelReservationConf(status=CancelReservationStatus.Accepted),
            partial(self._ended, connector, canceled=True),
        )

    def _find(self, reservation_id: int) -> Connector | None:
        return next((each for each in self.ctx.connectors if each.row.reservation_id == reservation_id), None)

    # -- the end of a reservation --------------------------------------------------------------------------------------

    def _watch(self, connector: Connector) -> None:
        """Have an appointment at the expiry of the connector's reservation, if it has one."""
        timer = self._timers.pop(connector.id, None)
        if timer is not None:
            timer.cancel()
        if connector.row.reservation_expiry is not None:
            self._timers[connector.id] = self.ctx.monitor.call_at_wall(
                connector.row.reservation_expiry, self._end_expired
            )

    def _end_expired(self) -> None:
        """Also asked at every entrance: the wall clock may have been set just now."""
        now = self.ctx.clock.utcnow()
        for connector in self.ctx.connectors:
            expiry = connector.row.reservation_expiry
            if expiry is not None and expiry <= now:
                self._end(connector, canceled=False)

    def _status_changed(self, connector: Connector) -> None:
        """1.6 §5.13 (3): when the charge point is set to Faulted or Unavailable, all of its connectors are meant."""
        if connector.status in ENDS_RESERVATIONS:
            for each in list(self.ctx.connectors) if connector.id == 0 else [connector]:
                if each.is_reserved:
                    self._end(each, canceled=True)

    def _end(self, connector: Connector, *, canceled: bool) -> None:
        """Also when the disk refuses: nobody is kept away by what is over. The status that follows takes it along."""
        cleared = _without_reservation(connector.row)
        try:
            self._save([cleared])
        except StoreError as error:
            log.error("%s: connector %d: the end of a reservation is not kept: %s", self.ctx.name, connector.id, error)
            self._take(cleared)
        self._ended(connector, canceled=canceled)

    def _ended(self, connector: Connector, *, canceled: bool) -> None:
        if self.ctx.stopping:  # the answer was on its way; the status is shown after the next start
            return
        how = "has ended" if canceled else "has expired"
        log.info("%s: the reservation of connector %d %s", self.ctx.name, connector.id, how)
        self._status.refresh(connector)
        self.ctx.events.tell(self.ctx.events.handler.reservation_ended, connector.id, canceled)

    def _save(self, rows: list[ConnectorRow]) -> None:
        """Durably, and all of them or none."""

        def job(connection: sqlite3.Connection) -> None:
            for row in rows:
                self.ctx.connectors.update_in(connection, row)

        self.ctx.database.write(job)
        for row in rows:
            self._take(row)

    def _take(self, row: ConnectorRow) -> None:
        connector = self.ctx.connectors.get(row.id)
        assert connector is not None  # the row is one of theirs
        connector.row = row
        self._watch(connector)

    # -- who may charge ------------------------------------------------------------------------------------------------

    def authorize(self, connector: Connector, id_tag: str) -> AuthorizeResult:
        """The facade's question. Who starts needs to be authorized, and the one for whom the connector is kept."""
        result = self._authorization.authorize(connector, id_tag)
        self._end_expired()
        if result.status is not ACCEPTED or connector.transaction is not None or connector.id == 0:
            return result
        keeper = self._keeper(connector, id_tag)
        if keeper is None or _same_group(keeper, result.parent_id):
            return result
        return AuthorizeResult(INVALID, result.parent_id)

    def verdict(self, connector: Connector, id_tag: str) -> AuthorizationStatus:
        """May this tag use the connector: the reserved one, or one of the same group? May leave the monitor."""
        self._end_expired()
        keeper = self._keeper(connector, id_tag)
        if keeper is None:
            return ACCEPTED
        if not keeper.row.reservation_parent_id_tag:
            return INVALID
        status, parent_id = self._authorization.authorize_tag(id_tag)
        if status is not ACCEPTED:
            return INVALID
        self._end_expired()
        keeper = self._keeper(connector, id_tag)  # read anew: the monitor was left
        return ACCEPTED if keeper is None or _same_group(keeper, parent_id) else INVALID

    def _keeper(self, connector: Connector, id_tag: str) -> Connector | None:
        """Whose reservation - the connector's or that of connector 0 - keeps the connector for another id tag?"""
        if connector.is_reserved:
            return None if _is_for(connector, id_tag) else connector
        whole = self.ctx.connectors.whole
        if not whole.is_reserved or _is_for(whole, id_tag) or self._others_are_free(connector):
            return None
        return whole

    def _others_are_free(self, connector: Connector, leaving: Connector | None = None) -> bool:
        return any(self._is_free(each, leaving) for each in self.ctx.connectors.physical if each is not connector)

    @staticmethod
    def _is_free(connector: Connector, leaving: Connector | None = None) -> bool:
        """Could anybody come and charge? ``leaving``: the connector that is about to lose its reservation."""
        if connector.is_busy:
            return False
        if connector is leaving:  # it is Reserved only while nothing else is the matter with it
            return connector.status in (ChargePointStatus.Available, ChargePointStatus.Reserved)
        return connector.status is ChargePointStatus.Available and not connector.is_reserved

    # -- the use of a reservation --------------------------------------------------------------------------------------

    def claim(self, connector: Connector, id_tag: str) -> Claim | None:
        """The reservation that a start on this connector uses up: its own, else one of connector 0 (1.6 §5.13 (1))."""
        if connector.is_reserved:  # ``verdict`` has let the tag pass, and nobody reserves a connector that is starting
            return _claim_of(connector.row)
        whole = self.ctx.connectors.whole
        if whole.is_reserved and (_is_for(whole, id_tag) or _same_group(whole, self._authorization.parent_of(id_tag))):
            return _claim_of(whole.row)
        return None

    def claimed(self, claim: Claim) -> None:
        """The start is on the disk, and with it the cleared row."""
        self._take(claim.cleared)


def _claim_of(row: ConnectorRow) -> Claim:
    assert row.reservation_id is not None  # only asked for a connector that is reserved
    return Claim(row.reservation_id, _without_reservation(row))


def _without_reservation(row: ConnectorRow) -> ConnectorRow:
    return replace(
        row,
        reservation_id=None,
        reservation_id_tag=None,
        reservation_parent_id_tag=None,
        reservation_expiry=None,
    )


def _is_for(connector: Connector, id_tag: str) -> bool:
    return same_ci(id_tag, connector.row.reservation_id_tag or "")


def _same_group(connector: Connector, parent_id: str) -> bool:
    return bool(parent_id) and same_ci(parent_id, connector.row.reservation_parent_id_tag or "")
