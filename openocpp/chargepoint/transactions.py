"""Transactions: started and stopped on the disk first, then told to the central system (1.6 §3.7, §4.8, §4.10).

Each has a local key. Queued messages, stored meter values and charging profiles know it by that key; the central
system's id, which may be any integer (errata 3.54), is filled in when a message is sent.
Threads: monitor.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from operator import index
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from openocpp.chargepoint.connectors import Operation
from openocpp.chargepoint.marks import Signal
from openocpp.chargepoint.meter_values import thinned
from openocpp.errors import StoreError
from openocpp.messages.codec import to_payload
from openocpp.messages.core import StartTransactionReq, StopTransactionReq
from openocpp.rpc.json import dumps, loads
from openocpp.store.outbox import OutboxRow
from openocpp.store.transactions import TransactionRow
from openocpp.store.transactions import Transactions as TransactionTable
from openocpp.store.tx_meter_values import TxMeterValues
from openocpp.types import AuthorizationStatus, ChargePointStatus, Reason

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from openocpp.chargepoint.authorization import AuthorizationManager
    from openocpp.chargepoint.connectors import Connector
    from openocpp.chargepoint.context import ChargePointContext
    from openocpp.chargepoint.delivery import Expected, Job, TransactionCourier
    from openocpp.chargepoint.outbox import Outbox
    from openocpp.chargepoint.status import StatusManager
    from openocpp.messages.core import StartTransactionConf, StopTransactionConf
    from openocpp.runtime import Waiter
    from openocpp.store.connectors import ConnectorRow
    from openocpp.types import CallResult, MeterValue

log = logging.getLogger("openocpp.chargepoint")

NOT_KNOWN = -1  # the transactionId while the central system's is not known (errata 3.18)
ID_PATIENCE = 1.0  # seconds that an answer may take from the connection to its transaction
NO_START = frozenset({ChargePointStatus.Unavailable, ChargePointStatus.Faulted})
ROOM = 0.9  # share of what a connection carries that a payload may have
STOP_RETRY = 10.0  # seconds until a stop is tried again that the disk refused


class Claim(NamedTuple):
    """A reservation that a transaction uses up: its id, and the connector's row without it."""

    reservation_id: int
    cleared: ConnectorRow


class ReservationRules(Protocol):
    """What transactions ask of reservations (1.6 §5.13)."""

    def verdict(self, connector: Connector, id_tag: str) -> AuthorizationStatus:
        """May this tag use the connector now? May leave the monitor."""

    def claim(self, connector: Connector, id_tag: str) -> Claim | None:
        """The reservation that this start uses up. Nothing is changed yet."""

    def claimed(self, claim: Claim) -> None:
        """The start is on the disk, and with it the cleared row."""


class MeterReadings(Protocol):
    """What transactions ask of meter values."""

    def transaction_begins(self, connector_id: int) -> MeterValue | None:
        """The readings of the beginning, for StopTransaction. May leave the monitor."""

    def transaction_ends(self, connector_id: int) -> MeterValue | None:
        """The readings of the end, for StopTransaction. May leave the monitor."""

    def transaction_data(self, transaction: TransactionRow, last: MeterValue | None) -> list[MeterValue]:
        """All that was collected for StopTransaction, in order."""


class TransactionManager:
    """Starts and stops transactions.

    ``started`` and ``stopped`` fire with connector and transaction.
    """

    def __init__(
        self,
        ctx: ChargePointContext,
        outbox: Outbox,
        courier: TransactionCourier,
        status: StatusManager,
        authorization: AuthorizationManager,
        reservations: ReservationRules,
        readings: MeterReadings,
    ) -> None:
        self.ctx = ctx
        self._outbox = outbox
        self._courier = courier
        self._status = status
        self._authorization = authorization
        self._reservations = reservations
        self._readings = readings
        self.table = TransactionTable(ctx.database)
        self.started: Signal[[Connector, TransactionRow]] = Signal()
        self.stopped: Signal[[Connector, TransactionRow]] = Signal()
        self._ids_awaited: list[Waiter[None]] = []
        self._over: int | None = None  # the transaction that was forgotten last, if it was not the newest one
        courier.on_answer = self._answered
        courier.on_drop = self._dropped

    def begin(self) -> None:
        """Take up what a restart has left: what is over, what was forgotten, what the central system does not want."""
        self.table.prune()
        TxMeterValues(self.ctx.database).prune()
        for row in self.table.running():
            connector = self.ctx.connectors.by_transaction_key(row.key)
            if connector is None:
                self._end_orphan(row)
            elif row.deauthorized:
                self._act_on_refusal(connector, row, told=False)

    def _end_orphan(self, row: TransactionRow) -> None:
        """The charge point has fewer connectors than before: nobody else will ever stop this transaction."""
        log.error("%s: transaction %d ends: there is no connector %d", self.ctx.name, row.key, row.connector_id)
        try:
            self._end(row, "", row.meter_start, Reason.Other, None)
        except StoreError as error:
            log.error("%s: that cannot be stored: %s", self.ctx.name, error)

    # -- start ---------------------------------------------------------------------------------------------------------

    def start(self, connector_id: int, id_tag: str) -> AuthorizationStatus:
        connector = self.ctx.connectors.get(connector_id)
        if connector is None or not self.is_startable(connector) or not self._outbox.is_accepted:
            return AuthorizationStatus.Invalid
        connector.operation = Operation.STARTING
        try:
            begun = self._try_to_begin(connector, id_tag)
        finally:
            connector.operation = Operation.NONE
            if connector.transaction is None and not self.ctx.stopping:
                self._apply_scheduled(connector)  # what came meanwhile waited for the end of a transaction
        if isinstance(begun, AuthorizationStatus):
            return begun
        return self._finish_start(connector, begun)

    def _try_to_begin(self, connector: Connector, id_tag: str) -> AuthorizationStatus | Expected:
        """Why there is no transaction, or the queued message."""
        verdict = self._reservations.verdict(connector, id_tag)
        if verdict is not AuthorizationStatus.Accepted:
            return verdict
        meter = self._meter(connector)
        first = self._readings.transaction_begins(connector.id)
        # read anew: the monitor was left
        if meter is None or self.ctx.stopping or not self._is_usable(connector):
            return AuthorizationStatus.Invalid
        try:
            return self._begin(connector, id_tag, meter, first)
        except StoreError as error:
            log.error("%s: connector %d: a start cannot be stored: %s", self.ctx.name, connector.id, error)
            return AuthorizationStatus.Invalid

    def is_startable(self, connector: Connector) -> bool:
        """Nothing runs there, and nothing is wrong with it. Connector 0 is none."""
        return connector.id > 0 and not connector.is_busy and self._is_usable(connector)

    def _is_usable(self, connector: Connector) -> bool:
        """A fault of the charge point is one of each connector; its availability shows in their statuses.

        Of a connector that has just become inoperative the status changes only after that was answered.
        """
        whole = self.ctx.connectors.whole
        if whole.status is ChargePointStatus.Faulted or not connector.is_operative:
            return False
        return connector.status not in NO_START

    def _meter(self, connector: Connector) -> int | None:
        """The energy register; None when the application has no whole number for it."""
        value: Any = self.ctx.events.ask(None, self.ctx.events.handler.get_tx_start_stop_meter_value, connector.id)
        try:
            return None if value is None else index(value)
        except TypeError:
            log.error("%s: connector %d: the meter value %r is no integer", self.ctx.name, connector.id, value)
            return None

    def _apply_scheduled(self, connector: Connector) -> None:
        """The availability that had to wait, if any. The transaction is over whatever becomes of it."""
        try:
            self._status.apply_scheduled(connector)
        except StoreError as error:
            log.error("%s: connector %d: its availability is not kept: %s", self.ctx.name, connector.id, error)

    def _begin(self, connector: Connector, id_tag: str, meter: int, first: MeterValue | None) -> Expected:
        """Transaction, message, first readings and used reservation in one commit: the queued message."""
        now = self.ctx.clock.utcnow().replace(microsecond=0)
        claim = self._reservations.claim(connector, id_tag)
        reservation_id = None if claim is None else claim.reservation_id
        request = StartTransactionReq(
            connector_id=connector.id, id_tag=id_tag, meter_start=meter, timestamp=now, reservation_id=reservation_id
        )
        payload = self.ctx.messenger.wire.write_request(request)
        row = TransactionRow(
            key=0,
            connector_id=connector.id,
            id_tag=id_tag,
            parent_id_tag=self._authorization.parent_of(id_tag) or None,
            meter_start=meter,
            start_time=now,
            reservation_id=reservation_id,
        )
        reading = None if first is None else dumps(to_payload(first))
        keys: list[int] = []

        def build(connection: sqlite3.Connection) -> OutboxRow:
            keys[:] = [self.table.next_key_in(connection)]
            self.table.save_in(connection, replace(row, key=keys[0]))
            if reading is not None:
                TxMeterValues.add_in(connection, keys[0], reading)
            if claim is not None:
                self.ctx.connectors.update_in(connection, claim.cleared)
            return OutboxRow(
                action=StartTransactionReq.action,
                connector_id=connector.id,
                transaction_key=keys[0],
                payload=payload,
                created=now,
            )

        expected = self._courier.expect(self._courier.append(build))
        connector.transaction = replace(row, key=keys[0])
        if claim is not None:
            self._reservations.claimed(claim)
        return expected

    def _finish_start(self, connector: Connector, expected: Expected) -> AuthorizationStatus:
        transaction = connector.transaction
        assert transaction is not None  # set just before, and the monitor was not left since
        self._status.refresh(connector)
        self.started.fire(connector, transaction)
        result = self._courier.now_or_later(expected)
        if result is None or result.response is None:
            return AuthorizationStatus.Accepted
        conf: StartTransactionConf = result.response
        return conf.id_tag_info.status

    # -- stop ----------------------------------------------------------------------------------------------------------

    def stop(self, connector_id: int, id_tag: str, reason: Reason, *, wait: bool = True) -> bool:
        """``wait``: for the answer, if it can come at once."""
        connector = self.ctx.connectors.get(connector_id)
        if connector is None or connector.transaction is None or connector.operation is not Operation.NONE:
            return False
        connector.operation = Operation.STOPPING
        try:
            row_id = self._try_to_end(connector, id_tag, reason)
        finally:
            connector.operation = Operation.NONE
        if row_id is None:
            return False
        expected = self._courier.expect(row_id) if wait else None
        transaction, connector.transaction = connector.transaction, None
        assert transaction is not None  # only what is STOPPING takes it away
        self.stopped.fire(connector, transaction)
        self._apply_scheduled(connector)
        if expected is None:
            self._courier.kick()
        else:
            self._courier.now_or_later(expected)
        return True

    def _try_to_end(self, connector: Connector, id_tag: str, reason: Reason) -> int | None:
        """The id of the queued message; None: the transaction goes on."""
        meter = self._meter(connector)
        last = self._readings.transaction_ends(connector.id)
        transaction = connector.transaction  # read anew: its id may have come meanwhile
        if self.ctx.stopping or transaction is None:  # it is stopped after the next start
            return None
        if meter is None:
            log.error("%s: no meter value for the stop: that of the start is told", self.ctx.name)
            meter = transaction.meter_start
        try:
            return self._end(transaction, id_tag, meter, reason, last)
        except StoreError as error:
            log.error("%s: connector %d: a stop cannot be stored: %s", self.ctx.name, connector.id, error)
            return None

    def _end(
        self, transaction: TransactionRow, id_tag: str, meter: int, reason: Reason, last: MeterValue | None
    ) -> int:
        """End of the transaction and message in one commit: the id of the queued message."""
        now = self.ctx.clock.utcnow().replace(microsecond=0)
        request = StopTransactionReq(
            id_tag=id_tag or None, meter_stop=meter, timestamp=now, transaction_id=NOT_KNOWN, reason=reason
        )
        payload = self._with_data(request, self._readings.transaction_data(transaction, last))
        over = replace(transaction, running=False, meter_stop=meter, stop_time=now, stop_reason=reason.value)

        def build(connection: sqlite3.Connection) -> OutboxRow:
            self.table.save_in(connection, over)
            TxMeterValues.remove_in(connection, over.key)
            return OutboxRow(
                action=StopTransactionReq.action,
                connector_id=over.connector_id,
                transaction_key=over.key,
                payload=payload,
                created=now,
            )

        return self._courier.append(build)

    def _with_data(self, request: StopTransactionReq, data: list[MeterValue]) -> str:
        """The payload. What no connection carries would block the queue for ever: then readings are left out."""
        room = ROOM * min(int(self.ctx.setting("max_message_size")), int(self.ctx.setting("max_output_buffer")))
        while True:
            payload = self.ctx.messenger.wire.write_request(replace(request, transaction_data=data or None))
            if len(payload) <= room or len(data) <= 2:
                return payload
            fewer = max(min(int(len(data) * room / len(payload)), len(data) - 1), 2)
            log.warning("%s: StopTransaction carries %d of %d meter values", self.ctx.name, fewer, len(data))
            data = thinned(data, fewer)

    def transaction_id(self, connector_id: int) -> int | None:
        connector = self.ctx.connectors.get(connector_id)
        return None if connector is None or connector.transaction is None else connector.transaction.cs_id

    def await_ids(self, connectors: Iterable[Connector]) -> None:
        """Let an id that is on its way arrive: an answer and the CALL right behind it are handled side by side.

        The monitor is left meanwhile, for at most a second.
        """
        running = [each.transaction for each in connectors if each.transaction is not None]
        if any(not each.start_answered and not each.start_dropped for each in running) and self._outbox.is_connected:
            waiter = self.ctx.runtime.waiter()
            self._ids_awaited.append(waiter)
            self.ctx.monitor.wait(waiter, ID_PATIENCE)

    def _ids_came(self) -> None:
        waiters, self._ids_awaited = self._ids_awaited, []
        for waiter in waiters:
            waiter.set(None)

    # -- answers -------------------------------------------------------------------------------------------------------

    def _answered(self, row: OutboxRow, result: CallResult[Any]) -> Job | None:
        if row.action == StartTransactionReq.action:
            return self._start_answered(row, result.response)
        if row.action == StopTransactionReq.action:
            return self._stop_answered(row, result.response)
        return None

    def _start_answered(self, row: OutboxRow, conf: StartTransactionConf | None) -> Job | None:
        found = self._of(row)
        if found is None or conf is None:
            return None
        info = conf.id_tag_info
        self._authorization.learn(found.id_tag, info, of_start=True)
        refused = info.status is not AuthorizationStatus.Accepted
        transaction = replace(
            found,
            cs_id=conf.transaction_id,
            start_answered=True,
            parent_id_tag=info.parent_id_tag or found.parent_id_tag,
            deauthorized=refused,
        )
        connector = self.ctx.connectors.by_transaction_key(found.key)
        if connector is not None:
            connector.transaction = transaction
            self._ids_came()
            if refused:
                log.warning("%s: connector %d: the started id tag is %s", self.ctx.name, connector.id, info.status)
                self._act_on_refusal(connector, transaction, told=self._courier.is_expected(row.id))
        return partial(self._save, transaction)

    def _save(self, transaction: TransactionRow, connection: sqlite3.Connection) -> None:
        """With what may have been written of the transaction meanwhile: only what the answer brought is changed."""
        stored = self.table.get_in(connection, transaction.key)
        if stored is not None:
            self.table.save_in(
                connection,
                replace(
                    stored,
                    cs_id=transaction.cs_id,
                    start_answered=transaction.start_answered,
                    start_dropped=transaction.start_dropped,
                    parent_id_tag=transaction.parent_id_tag,
                    deauthorized=transaction.deauthorized,
                ),
            )

    def _act_on_refusal(self, connector: Connector, transaction: TransactionRow, *, told: bool) -> None:
        """1.6 §3.5.4, errata 3.17. ``told``: the caller of ``start_transaction`` gets the status as its result."""
        if self.ctx.stopping:  # it is done after the next start
            return
        stop = self.ctx.keys.stop_transaction_on_invalid_id
        if stop:
            self.ctx.monitor.call_soon(partial(self._stop_refused, transaction.key))
        if not (stop and told):
            self.ctx.events.tell(self.ctx.events.handler.transaction_de_authorized, connector.id)

    def _stop_refused(self, key: int) -> None:
        """That transaction and no other one: the connector may have a new one already."""
        connector = self.ctx.connectors.by_transaction_key(key)
        if connector is None or self.ctx.stopping:
            return
        if not self.stop(connector.id, "", Reason.DeAuthorized, wait=False) and not self.ctx.stopping:
            self.ctx.monitor.call_later(STOP_RETRY, partial(self._stop_refused, key))

    def _stop_answered(self, row: OutboxRow, conf: StopTransactionConf | None) -> Job | None:
        if conf is not None and conf.id_tag_info is not None:
            id_tag = loads(row.payload).get("idTag")
            if id_tag:  # without one, the information belongs to nobody
                self._authorization.learn(id_tag, conf.id_tag_info)
        return self._forgotten(row)

    def _forgotten(self, row: OutboxRow) -> Job | None:
        """Its last message leaves the queue. The newest transaction stays: then it goes with the next one."""
        keys = [key for key in (self._over, row.transaction_key) if key is not None]
        self._over = row.transaction_key
        return partial(self.table.forget_in, keys=keys)

    def _dropped(self, row: OutboxRow) -> Job | None:
        """A message that was given up: without its start, what follows is sent with -1 (errata 3.18)."""
        if row.action == StopTransactionReq.action:
            return self._forgotten(row)
        found = self._of(row)
        if found is None or row.action != StartTransactionReq.action:
            return None
        transaction = replace(found, start_dropped=True)
        connector = self.ctx.connectors.by_transaction_key(found.key)
        if connector is not None:
            connector.transaction = transaction
        return partial(self._save, transaction)

    def _of(self, row: OutboxRow) -> TransactionRow | None:
        return None if row.transaction_key is None else self.table.get(row.transaction_key)
