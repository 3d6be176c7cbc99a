"""Meter values: sampled, clock-aligned, triggered, and those that StopTransaction carries (1.6 §3.16, §4.7).

The application measures; here is decided when, for whom, and in which message. Clock-aligned times are multiples of the
interval since midnight UTC.
Threads: monitor; the application is asked outside of it.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from openocpp.chargepoint.marks import on_key_change, triggers
from openocpp.chargepoint.outbox import Kind
from openocpp.errors import LocalProtocolError, RemoteProtocolError
from openocpp.messages.codec import from_payload, to_payload
from openocpp.messages.core import MeterValuesReq
from openocpp.rpc.json import dumps, loads
from openocpp.store.outbox import OutboxRow
from openocpp.store.tx_meter_values import TxMeterValues
from openocpp.types import MessageTrigger, MessageTriggerEnumType, MeterValue, ReadingContext

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openocpp.chargepoint.connectors import Connector
    from openocpp.chargepoint.context import ChargePointContext
    from openocpp.chargepoint.delivery import TransactionCourier
    from openocpp.chargepoint.outbox import Outbox
    from openocpp.config import ConfiguredMeasurand
    from openocpp.runtime import MonitorTimer, WallTimer
    from openocpp.store.transactions import TransactionRow
    from openocpp.types import SampledValue

log = logging.getLogger("openocpp.chargepoint")

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
        self._alignment: WallTimer | None = None

    def begin(self) -> None:
        """Resume what ran before a restart, and take up the clock."""
        for connector in self.ctx.connectors.physical:
            if connector.transaction is not None:
                self._sample_later(connector)
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
            samples += [replace(value, context=context, measurand=measurand) for value in values or ()]
        if not samples:
            return None
        value = MeterValue(timestamp=now, sampled_value=samples)
        try:
            to_payload(value)
        except LocalProtocolError as error:
            log.error("%s: connector %d: a meter value is not usable: %s", self.ctx.name, connector_id, error)
            return None
        return value

    # -- sampled -------------------------------------------------------------------------------------------------------

    def transaction_started(self, connector: Connector, transaction: TransactionRow) -> None:
        self._sample_later(connector)

    def transaction_stopped(self, connector: Connector, transaction: TransactionRow) -> None:
        timer = self._samplers.pop(connector.id, None)
        if timer is not None:
            timer.cancel()

    @on_key_change("MeterValueSampleInterval")
    def sample_interval_changed(self) -> None:
        for connector in self.ctx.connectors.physical:
            if connector.transaction is not None:
                self._sample_later(connector)

    def _sample_later(self, connector: Connector) -> None:
        timer = self._samplers.pop(connector.id, None)
        if timer is not None:
            timer.cancel()
        interval = self.ctx.keys.meter_value_sample_interval
        if interval > 0:
            self._samplers[connector.id] = self.ctx.monitor.call_later(
                float(interval), partial(self._sample, connector)
            )

    def _sample(self, connector: Connector) -> None:
        transaction = connector.transaction
        if transaction is None or self.ctx.stopping:
            return
        self._sample_later(connector)
        keys, context = self.ctx.keys, ReadingContext.SamplePeriodic
        value = self._read(connector.id, keys.meter_values_sampled_data, context)
        if self._still_runs(connector, transaction):
            self._queue(connector.id, value, transaction)
        if keys.stop_txn_sampled_data:
            self._collect(connector, transaction, self._read(connector.id, keys.stop_txn_sampled_data, context))

    def _still_runs(self, connector: Connector, transaction: TransactionRow) -> bool:
        """Read anew after a wait: is it the same transaction?"""
        running = connector.transaction
        return not self.ctx.stopping and running is not None and running.key == transaction.key

    # -- clock-aligned -------------------------------------------------------------------------------------------------

    @on_key_change("ClockAlignedDataInterval")
    def align(self) -> None:
        if self._alignment is not None:
            self._alignment.cancel()
            self._alignment = None
        interval = self.ctx.keys.clock_aligned_data_interval
        if interval > 0:
            due = next_aligned(self.ctx.clock.utcnow(), interval)
            self._alignment = self.ctx.monitor.call_at_wall(due, self._aligned)

    def _aligned(self) -> None:
        self.align()
        if not self._outbox.is_accepted:
            return
        keys, context = self.ctx.keys, ReadingContext.SampleClock
        for connector in self.ctx.connectors:
            transaction = connector.transaction
            value = self._read(connector.id, keys.meter_values_aligned_data, context)
            if self.ctx.stopping:
                return
            running = transaction if transaction and self._still_runs(connector, transaction) else None
            self._queue(connector.id, value, running)
            if running is not None and keys.stop_txn_aligned_data:
                self._collect(connector, running, self._read(connector.id, keys.stop_txn_aligned_data, context))

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
        self._courier.append(lambda _: row)
        self._courier.kick()

    # -- for StopTransaction -------------------------------------------------------------------------------------------

    def _collect(self, connector: Connector, transaction: TransactionRow, value: MeterValue | None) -> None:
        if value is not None and self._still_runs(connector, transaction):
            self._collected.add(transaction.key, dumps(to_payload(value)))

    def _stop_data(self) -> Sequence[ConfiguredMeasurand]:
        """Both lists of StopTxn data together, each measurand once."""
        return list(dict.fromkeys([*self.ctx.keys.stop_txn_sampled_data, *self.ctx.keys.stop_txn_aligned_data]))

    def transaction_began(self, transaction: TransactionRow) -> None:
        """errata 3.14: the readings of the beginning, when StopTransaction is to carry any."""
        measurands = self._stop_data()
        connector = self.ctx.connectors.by_transaction_key(transaction.key)
        if measurands and connector is not None:
            value = self._read(transaction.connector_id, measurands, ReadingContext.TransactionBegin)
            self._collect(connector, transaction, value)

    def transaction_ends(self, transaction: TransactionRow) -> MeterValue | None:
        measurands = self._stop_data()
        if not measurands:
            return None
        return self._read(transaction.connector_id, measurands, ReadingContext.TransactionEnd)

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
                value = self._read(connector.id, self.ctx.keys.meter_values_sampled_data, ReadingContext.Trigger)
                if value is not None and not self.ctx.stopping:
                    self._outbox.post(Kind.TRIGGERED, self._request(connector, [value]))

    def send(self, connector_id: int, values: Sequence[MeterValue]) -> bool:
        """The application's own values: sent once, or not at all."""
        connector = self.ctx.connectors.get(connector_id)
        if connector is None or not values:
            return False
        return self._outbox.ask(Kind.REQUEST, self._request(connector, values)).ok

    @staticmethod
    def _request(connector: Connector, values: Sequence[MeterValue]) -> MeterValuesReq:
        transaction = connector.transaction
        return MeterValuesReq(
            connector_id=connector.id,
            transaction_id=None if transaction is None else transaction.cs_id,
            meter_value=values,
        )
