"""Meter values: sampled, clock-aligned, triggered, and those that StopTransaction carries (1.6 §3.16, §4.7).

The application measures; here is decided when, for whom, and in which message. Clock-aligned times are multiples of the
interval since midnight UTC.
Threads: monitor; the application is asked outside of it.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from openocpp.chargepoint.marks import on_key_change, triggers
from openocpp.chargepoint.outbox import Kind
from openocpp.errors import LocalProtocolError, RemoteProtocolError, StoreError
from openocpp.messages.codec import from_payload, to_payload
from openocpp.messages.core import MeterValuesReq
from openocpp.rpc.json import dumps, loads
from openocpp.store.outbox import OutboxRow
from openocpp.store.tx_meter_values import TxMeterValues
from openocpp.types import MessageTrigger, MessageTriggerEnumType, MeterValue, ReadingContext

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openocpp.chargepoint.connectors import Connector
    from openocpp.chargepoint.context import ChargePointContext
    from openocpp.chargepoint.delivery import TransactionCourier
    from openocpp.chargepoint.outbox import Outbox
    from openocpp.config import ConfiguredMeasurand
    from openocpp.runtime import MonitorTimer
    from openocpp.store.transactions import TransactionRow
    from openocpp.types import SampledValue

log = logging.getLogger("openocpp.chargepoint")

CLOCK_CHECK = 60.0  # seconds after which the wall clock is looked at again
NOT_KNOWN = -1  # the transactionId of a queued message; the real one is filled in when it is sent


def next_aligned(now: datetime, interval: int) -> datetime:
    """The next multiple of ``interval`` seconds since midnight UTC, strictly after ``now``; midnight is always one."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    passed = (now - midnight) // timedelta(seconds=interval)
    due = midnight + timedelta(seconds=interval) * (passed + 1)
    return min(due, midnight + timedelta(days=1))


def thinned(values: list[MeterValue], most: int) -> list[MeterValue]:
    """At most so many of them: the first and the last stay, the others are left out evenly (errata 3.89)."""
    if most <= 0 or len(values) <= most:
        return values
    if most == 1:
        return values[-1:]
    step = (len(values) - 1) / (most - 1)
    return [values[round(index * step)] for index in range(most)]


class MeterValuesManager:
    """Takes meter values when they are due, and sends or keeps them."""

    def __init__(self, ctx: ChargePointContext, outbox: Outbox, courier: TransactionCourier) -> None:
        self.ctx = ctx
        self._outbox = outbox
        self._courier = courier
        self._collected = TxMeterValues(ctx.database)
        self._samplers: dict[int, MonitorTimer] = {}
        self._reading: set[tuple[int, ReadingContext]] = set()  # periodic readings that are being taken
        self._due = datetime.max.replace(tzinfo=UTC)
        self._alignment: MonitorTimer | None = None

    def begin(self) -> None:
        """Resume what ran before a restart, and take up the clock."""
        for connector in self.ctx.connectors.physical:
            if connector.transaction is not None:
                self._sample_after(connector, self.ctx.clock.now())
        self.align()

    # -- reading -------------------------------------------------------------------------------------------------------

    def _read(
        self, connector_id: int, measurands: Sequence[ConfiguredMeasurand], context: ReadingContext
    ) -> MeterValue | None:
        """Ask the application for each measurand: None when none can be measured. The monitor is left meanwhile."""
        now = self.ctx.clock.utcnow()
        samples: list[SampledValue] = []
        for measurand, phase in measurands:
            values = self.ctx.events.ask(None, self.ctx.events.handler.get_meter_value, connector_id, measurand, phase)
            try:
                told = [replace(value, context=context, measurand=measurand) for value in values or ()]
                for value in told:
                    to_payload(value)
            except (LocalProtocolError, TypeError) as error:
                log.error("%s: connector %d: %s is not usable: %s", self.ctx.name, connector_id, measurand, error)
            else:
                samples += told
        return MeterValue(timestamp=now, sampled_value=samples) if samples else None

    # -- sampled -------------------------------------------------------------------------------------------------------

    def transaction_started(self, connector: Connector, transaction: TransactionRow) -> None:
        self._sample_after(connector, self.ctx.clock.now())

    def transaction_stopped(self, connector: Connector, transaction: TransactionRow) -> None:
        timer = self._samplers.pop(connector.id, None)
        if timer is not None:
            timer.cancel()

    @on_key_change("MeterValueSampleInterval")
    def sample_interval_changed(self) -> None:
        for connector in self.ctx.connectors.physical:
            if connector.transaction is not None:
                self._sample_after(connector, self.ctx.clock.now())

    def _sample_after(self, connector: Connector, last: float) -> None:
        """The next reading is due an interval after the last one was."""
        timer = self._samplers.pop(connector.id, None)
        if timer is not None:
            timer.cancel()
        interval = float(self.ctx.keys.meter_value_sample_interval)
        if interval > 0:
            now = self.ctx.clock.now()
            due = last + interval
            if due <= now:
                due = now + interval
            self._samplers[connector.id] = self.ctx.monitor.call_later(due - now, partial(self._sample, connector, due))

    def _sample(self, connector: Connector, due: float) -> None:
        transaction = connector.transaction
        if transaction is None or self.ctx.stopping:
            return
        self._sample_after(connector, due)
        keys, context = self.ctx.keys, ReadingContext.SamplePeriodic
        with self._once(connector.id, context) as free:
            if not free:
                return
            value = self._read(connector.id, keys.meter_values_sampled_data, context)
            if self._still_runs(connector, transaction):
                self._queue(connector.id, value, transaction)
                self._collect(connector, transaction, keys.stop_txn_sampled_data, context)

    @contextmanager
    def _once(self, connector_id: int, context: ReadingContext) -> Iterator[bool]:
        """False while the last such reading is still being taken: a slow meter must not get them in the wrong order."""
        reading = (connector_id, context)
        if reading in self._reading:
            log.warning("%s: connector %d: a reading takes longer than its interval", self.ctx.name, connector_id)
            yield False
            return
        self._reading.add(reading)
        try:
            yield True
        finally:
            self._reading.discard(reading)

    def _still_runs(self, connector: Connector, transaction: TransactionRow) -> bool:
        """Read anew after a wait: is it the same transaction?"""
        running = connector.transaction
        return not self.ctx.stopping and running is not None and running.key == transaction.key

    # -- clock-aligned -------------------------------------------------------------------------------------------------

    @on_key_change("ClockAlignedDataInterval")
    def align(self) -> None:
        """Make the appointment for the next readings."""
        if self._alignment is not None:
            self._alignment.cancel()
            self._alignment = None
        interval = self.ctx.keys.clock_aligned_data_interval
        if interval > 0:
            now = self.ctx.clock.utcnow()
            self._due = next_aligned(now, interval)
            remaining = (self._due - now) / timedelta(seconds=1)
            self._alignment = self.ctx.monitor.call_later(min(remaining, CLOCK_CHECK), self._look)

    def _look(self) -> None:
        """Once a minute, since somebody may set the clock, in either direction."""
        is_due = self.ctx.clock.utcnow() >= self._due
        self.align()
        if is_due:
            self._aligned()

    def _aligned(self) -> None:
        if not self._outbox.is_accepted:
            return
        for connector in self.ctx.connectors:
            with self._once(connector.id, ReadingContext.SampleClock) as free:
                if free and not self.ctx.stopping:
                    self._read_aligned(connector)

    def _read_aligned(self, connector: Connector) -> None:
        keys, context = self.ctx.keys, ReadingContext.SampleClock
        transaction = connector.transaction
        value = self._read(connector.id, keys.meter_values_aligned_data, context)
        if self.ctx.stopping:
            return
        if transaction is None or not self._still_runs(connector, transaction):
            self._queue(connector.id, value, None)
            return
        self._queue(connector.id, value, transaction)
        self._collect(connector, transaction, keys.stop_txn_aligned_data, context)

    def _queue(self, connector_id: int, value: MeterValue | None, transaction: TransactionRow | None) -> None:
        """On the disk first, then sent in its turn."""
        if value is None:
            return
        request = MeterValuesReq(
            connector_id=connector_id,
            transaction_id=None if transaction is None else NOT_KNOWN,
            meter_value=[value],
        )
        row = OutboxRow(
            action=MeterValuesReq.action,
            connector_id=connector_id,
            transaction_key=None if transaction is None else transaction.key,
            payload=self.ctx.messenger.wire.write_request(request),
            created=value.timestamp,
        )
        try:
            self._courier.append(lambda _: row)
        except StoreError as error:
            log.error("%s: connector %d: a meter value is lost: %s", self.ctx.name, connector_id, error)
        else:
            self._courier.kick()

    # -- for StopTransaction -------------------------------------------------------------------------------------------

    def _collect(
        self,
        connector: Connector,
        transaction: TransactionRow,
        measurands: Sequence[ConfiguredMeasurand],
        context: ReadingContext,
    ) -> None:
        if not measurands:
            return
        value = self._read(connector.id, measurands, context)
        if value is not None and self._still_runs(connector, transaction):
            try:
                self._collected.add(transaction.key, dumps(to_payload(value)))
            except StoreError as error:
                log.error("%s: connector %d: a meter value is lost: %s", self.ctx.name, connector.id, error)

    def _read_for_stop(self, connector_id: int, context: ReadingContext) -> MeterValue | None:
        """Both lists of StopTxn data together, each measurand once; None when StopTransaction carries no data."""
        keys = self.ctx.keys
        measurands = list(dict.fromkeys([*keys.stop_txn_sampled_data, *keys.stop_txn_aligned_data]))
        return self._read(connector_id, measurands, context) if measurands else None

    def transaction_begins(self, connector_id: int) -> MeterValue | None:
        """errata 3.14: the readings of the beginning, when StopTransaction is to carry any."""
        return self._read_for_stop(connector_id, ReadingContext.TransactionBegin)

    def transaction_ends(self, connector_id: int) -> MeterValue | None:
        return self._read_for_stop(connector_id, ReadingContext.TransactionEnd)

    def transaction_data(self, transaction: TransactionRow, last: MeterValue | None) -> list[MeterValue]:
        values: list[MeterValue] = []
        for row in self._collected.rows(transaction.key):
            try:
                values.append(from_payload(MeterValue, loads(row.meter_value)))
            except (ValueError, RemoteProtocolError) as error:
                log.error("%s: a stored meter value cannot be read and is left out: %s", self.ctx.name, error)
        if last is not None:
            values.append(last)
        return thinned(values, self.ctx.keys.stop_transaction_max_meter_values or 0)

    # -- on demand -----------------------------------------------------------------------------------------------------

    @triggers(MessageTrigger.MeterValues, MessageTriggerEnumType.MeterValues)
    def trigger_meter_values(self, connector_id: int | None) -> None:
        for connector in self.ctx.connectors:
            if connector_id is None or connector.id == connector_id:
                transaction = connector.transaction
                value = self._read(connector.id, self.ctx.keys.meter_values_sampled_data, ReadingContext.Trigger)
                if self.ctx.stopping:
                    return
                if transaction is not None and self._still_runs(connector, transaction):
                    transaction = connector.transaction  # its id may have come meanwhile
                if value is not None:
                    self._outbox.post(Kind.TRIGGERED, self._request(connector.id, transaction, [value]))

    def send(self, connector_id: int, values: Sequence[MeterValue]) -> bool:
        """The application's own values: sent once, or not at all."""
        connector = self.ctx.connectors.get(connector_id)
        if connector is None or not values:
            return False
        return self._outbox.ask(Kind.REQUEST, self._request(connector.id, connector.transaction, values)).ok

    @staticmethod
    def _request(connector_id: int, transaction: TransactionRow | None, values: Sequence[MeterValue]) -> MeterValuesReq:
        """With the id of the transaction that ran when the values were taken, if it is known (errata 3.16)."""
        return MeterValuesReq(
            connector_id=connector_id,
            transaction_id=None if transaction is None else transaction.cs_id,
            meter_value=values,
        )
