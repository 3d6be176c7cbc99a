"""The durable queues: messages that wait on the disk until the central system has answered them (1.6 §3.7.1).

One consumer each, one message in flight. A message leaves the queue only after its answer; a lost connection is no
failure to process it. The queue is read from the database one by one, however long it is.
Threads: monitor.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from openocpp.chargepoint.outbox import Kind
from openocpp.errors import ErrorCode, StoreError
from openocpp.messages.base import ACTIONS
from openocpp.messages.security import SecurityEventNotificationReq
from openocpp.store.outbox import Outbox as OutboxTable
from openocpp.store.outbox import OutboxRow
from openocpp.store.security_events import SecurityEventQueue, SecurityEventRow
from openocpp.store.transactions import Transactions as TransactionTable
from openocpp.types import CallOutcome, CallResult

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from openocpp.chargepoint.context import ChargePointContext
    from openocpp.chargepoint.outbox import Outbox
    from openocpp.messages.base import Request
    from openocpp.rpc.endpoint import Endpoint
    from openocpp.runtime import MonitorTimer, Waiter
    from openocpp.store.shapes import QueueTable

log = logging.getLogger("openocpp.chargepoint")

UNKNOWN_ID = '"transactionId":-1'  # as the messages of a transaction are stored; -1 is also what a lost start leaves
MAX_IDLE_METER_VALUES = 1000  # meter values without transaction that are kept while offline
EVENT_RETRY = 60.0  # seconds until a security event is sent again that was not processed
STORE_RETRY = 10.0  # seconds until the disk is asked again


class Message(Protocol):
    @property
    def id(self) -> int: ...


class Expected(NamedTuple):
    """A message whose outcome somebody waits for."""

    row_id: int
    waiter: Waiter[CallResult[Any] | None]


R = TypeVar("R", bound=Message)
T = TypeVar("T")
Job: TypeAlias = "Callable[[sqlite3.Connection], None]"


class Courier(ABC, Generic[R]):
    """Delivers one queue, in order."""

    kind: Kind

    def __init__(self, ctx: ChargePointContext, outbox: Outbox, table: QueueTable[R]) -> None:
        self.ctx = ctx
        self.outbox = outbox
        self._table = table
        self._in_flight: R | None = None
        self._sent_on: Endpoint | None = None  # the connection that the message in flight was given to
        self._retry: MonitorTimer | None = None
        self._waiters: dict[int, Waiter[CallResult[Any] | None]] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._in_flight!r} in flight>"

    @property
    def in_flight_id(self) -> int:
        """The message that is being sent; 0 when none is."""
        return 0 if self._in_flight is None else self._in_flight.id

    @property
    def is_waiting(self) -> bool:
        """Does a message wait for its next attempt?"""
        return self._retry is not None and self._retry.active

    # -- sending -------------------------------------------------------------------------------------------------------

    @property
    def _is_free(self) -> bool:
        """May a message leave now?"""
        busy = self._in_flight is not None or self.is_waiting or self.ctx.stopping
        return not busy and self.outbox.may_send(self.kind)

    def kick(self) -> None:
        """Send the next message, if there is one and it may leave."""
        if self._is_free:
            self._send(self._table.head)

    def _send(self, head: Callable[[], R | None]) -> None:
        """Send the head of the queue. While the disk refuses to tell it, nothing is sent."""
        try:
            row = head()
            while row is not None and self._is_free and not self._post(row):
                row = self._remove(row, None)
        except StoreError as error:
            log.error("%s: the queue cannot be read: %s", self.ctx.name, error)
            self._hold(STORE_RETRY, self.kick)

    def _post(self, row: R) -> bool:
        """False: it cannot be understood any more, and must not block the others."""
        try:
            request_type, payload = self.message(row)
        except (KeyError, ValueError) as error:
            log.error("%s: a queued message cannot be sent and is dropped: %r: %s", self.ctx.name, error, row)
            return False
        self._in_flight = row
        self._sent_on = self.ctx.messenger.endpoint
        if not self.outbox.post_text(self.kind, request_type, payload, partial(self._answered, row)):
            self._in_flight = None
        return True

    def _answered(self, row: R, result: CallResult[Any]) -> None:
        """Also while the role stops: what was answered is not sent again after the next start."""
        if self._in_flight is not row or self.ctx.database.closed:
            return
        self._in_flight = None
        if result.outcome is CallOutcome.NotConnected:
            self._release(row.id, None)
            if self.ctx.messenger.endpoint is not self._sent_on:  # else the next connection begins with a kick
                self.kick()
            return
        delay = None if result.ok else self.failed(row, result)
        if delay is None:
            outcome = partial(self.succeeded, row, result) if result.ok else partial(self.dropped, row)
            self._conclude(row, outcome, result if result.ok else None)
        else:
            self._hold(delay, self.kick)

    def _hold(self, seconds: float, step: Callable[[], None]) -> None:
        """Nothing is sent before ``step``, so many seconds from now."""
        if not self.ctx.stopping:
            self._retry = self.ctx.monitor.call_later(seconds, step)
        self.let_go()

    def _conclude(self, row: R, outcome: Callable[[], Job | None], result: CallResult[Any] | None) -> None:
        """Remove a message, and send the next one. While the disk refuses that, none is sent: this one would be."""
        try:
            also = outcome()
            outcome = partial(_same, also)  # it happens once
            following = self._remove(row, also)
        except StoreError as error:
            log.error("%s: a message that was answered cannot be removed: %s", self.ctx.name, error)
            self._release(row.id, result)
            self._hold(STORE_RETRY, partial(self._conclude, row, outcome, None))
            return
        self._release(row.id, result)
        self._send(partial(_same, following))

    def _remove(self, row: R, also: Job | None) -> R | None:
        """Durably, together with ``also``'s writes: after a power cut at most the last message is repeated.

        The result is the message that is the next one then.
        """

        def job(connection: sqlite3.Connection) -> R | None:
            if also is not None:
                also(connection)
            self._table.remove_in(connection, row.id)
            return self._table.head_in(connection)

        return self.ctx.database.write(job)

    # -- who waits for an answer ---------------------------------------------------------------------------------------

    def expect(self, row_id: int) -> Expected:
        """Wait from now on for the first outcome of a message: None when it has no answer yet.

        To be called before the monitor is left after ``append``: from then on the message may be answered.
        """
        expected = Expected(row_id, self.ctx.runtime.waiter())
        self._waiters[row_id] = expected.waiter
        return expected

    def give_up(self, row_id: int) -> None:
        """Nobody waits for this message any more."""
        self._waiters.pop(row_id, None)

    def _release(self, row_id: int, result: CallResult[Any] | None) -> None:
        waiter = self._waiters.pop(row_id, None)
        if waiter is not None:
            waiter.set(result)

    def disconnected(self) -> None:
        self.let_go()

    def let_go(self) -> None:
        """Nothing can be answered soon: who waits for an answer is not kept."""
        waiters, self._waiters = self._waiters, {}
        for waiter in waiters.values():
            waiter.set(None)

    @abstractmethod
    def message(self, row: R) -> tuple[type[Request[Any]], str]:
        """The message to send for a row, its payload as text."""

    @abstractmethod
    def succeeded(self, row: R, result: CallResult[Any]) -> Job | None:
        """It was answered. The writes that belong to its removal from the queue, if any."""

    def dropped(self, row: R) -> Job | None:
        """It is given up. As above."""
        return None

    @abstractmethod
    def failed(self, row: R, result: CallResult[Any]) -> float | None:
        """It was not processed: the seconds until the next attempt, or None to drop it."""


def _same(value: T) -> T:
    return value


class TransactionCourier(Courier[OutboxRow]):
    """Start, meter values and stop of transactions, in order, at most TransactionMessageAttempts times each."""

    kind = Kind.TRANSACTION

    def __init__(self, ctx: ChargePointContext, outbox: Outbox) -> None:
        self.table = OutboxTable(ctx.database)
        super().__init__(ctx, outbox, self.table)
        self._transactions = TransactionTable(ctx.database)
        self._droppable = self.table.count_droppable()
        self.on_answer: Callable[[OutboxRow, CallResult[Any]], Job | None] = lambda row, result: None
        self.on_drop: Callable[[OutboxRow], Job | None] = lambda row: None

    def append(self, build: Callable[[sqlite3.Connection], OutboxRow]) -> int:
        """Queue the message that ``build`` makes, together with what it writes: on the disk when this returns its id.

        Call ``kick`` afterwards.
        """
        row_id, droppable = self.ctx.database.write(lambda connection: self._append_in(connection, build(connection)))
        if droppable:
            self._droppable = min(self._droppable + 1, MAX_IDLE_METER_VALUES)
        return row_id

    def _append_in(self, connection: sqlite3.Connection, row: OutboxRow) -> tuple[int, bool]:
        """While offline the meter values of idle connectors must not fill the disk; nothing else is ever dropped."""
        row_id = self.table.append_in(connection, row)
        droppable = row.action == "MeterValues" and row.transaction_key is None
        if droppable and self._droppable >= MAX_IDLE_METER_VALUES:
            self.table.trim_in(connection, MAX_IDLE_METER_VALUES, self.in_flight_id)
        return row_id, droppable

    def now_or_later(self, expected: Expected) -> CallResult[Any] | None:
        """Send, and wait for the answer if it can come at once: None when the message stays queued.

        The monitor is left meanwhile.
        """
        waiter = expected.waiter
        self.kick()
        if not self.is_waiting and not self.ctx.stopping and self.outbox.may_send(self.kind):
            self.ctx.monitor.wait(waiter, self.ctx.messenger.timeout)
        self.give_up(expected.row_id)
        return waiter.value if waiter.is_set else None  # it may have been set just after the time was over

    def is_expected(self, row_id: int) -> bool:
        """Does a caller wait for the answer to this message?"""
        return row_id in self._waiters

    def message(self, row: OutboxRow) -> tuple[type[Request[Any]], str]:
        payload = row.payload
        if row.transaction_key is not None and row.action != "StartTransaction":
            transaction = self._transactions.get(row.transaction_key)
            if transaction is not None and transaction.cs_id is not None:
                payload = payload.replace(UNKNOWN_ID, f'"transactionId":{transaction.cs_id}', 1)
        return ACTIONS[row.action].request, payload

    def succeeded(self, row: OutboxRow, result: CallResult[Any]) -> Job | None:
        if row.action == "MeterValues" and row.transaction_key is None:
            self._droppable = max(self._droppable - 1, 0)
        return self.on_answer(row, result)

    def dropped(self, row: OutboxRow) -> Job | None:
        return self.on_drop(row)

    def failed(self, row: OutboxRow, result: CallResult[Any]) -> float | None:
        attempts, interval = row.attempts + 1, float(self.ctx.keys.transaction_message_retry_interval)
        if result.outcome is CallOutcome.TimedOut and not self._is_alive():
            log.warning("%s: no answer to %s, and nothing else comes; it is sent again", self.ctx.name, row.action)
            return interval * max(row.attempts, 1)
        most = max(self.ctx.keys.transaction_message_attempts, 1)
        why = result.error_code or result.outcome.value
        if attempts >= most:
            log.warning("%s: %s given up after %d attempts: %s", self.ctx.name, row.action, attempts, why)
            return None
        self.table.set_attempts(row.id, attempts)
        delay = interval * attempts
        log.warning(
            "%s: %s was not processed (%s), attempt %d of %d follows in %.0f s",
            self.ctx.name, row.action, why, attempts + 1, most, delay,
        )  # fmt: skip
        return delay

    def _is_alive(self) -> bool:
        """Did the central system send anything while it left a message without answer?

        Silence is no failure to process (errata-J 3.2) but that of a connection or of the whole central system: then
        nothing is given up. Only a message that is passed over while others are served must not block for ever.
        """
        endpoint = self.ctx.messenger.endpoint
        return endpoint is not None and endpoint.last_received > self.ctx.clock.now() - self.ctx.messenger.timeout


class EventCourier(Courier[SecurityEventRow]):
    """Critical security events: delivery is guaranteed, whatever becomes of the transactions (SEC A04.FR.02)."""

    kind = Kind.EVENT

    def __init__(self, ctx: ChargePointContext, outbox: Outbox) -> None:
        self.table = SecurityEventQueue(ctx.database)
        super().__init__(ctx, outbox, self.table)

    def message(self, row: SecurityEventRow) -> tuple[type[Request[Any]], str]:
        request = SecurityEventNotificationReq(type=row.type, timestamp=row.timestamp, tech_info=row.tech_info or None)
        return SecurityEventNotificationReq, self.ctx.messenger.wire.write_request(request)

    def succeeded(self, row: SecurityEventRow, result: CallResult[Any]) -> Job | None:
        return None

    def failed(self, row: SecurityEventRow, result: CallResult[Any]) -> float | None:
        if result.error_code in (ErrorCode.NotImplemented, ErrorCode.NotSupported):
            log.warning("%s: the central system does not take security events: %s dropped", self.ctx.name, row.type)
            return None
        return EVENT_RETRY
