"""Registration at the central system, and heartbeats (1.6 §4.2, §4.6; J §5.3, §5.4).

Threads: monitor.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from openocpp.chargepoint.marks import Signal, on_key_change, triggers
from openocpp.chargepoint.outbox import Kind, Registration
from openocpp.errors import StoreError
from openocpp.messages.core import BootNotificationReq, HeartbeatReq
from openocpp.store.internal import InternalConfig, InternalKey
from openocpp.types import MessageTrigger, MessageTriggerEnumType, RegistrationStatus

if TYPE_CHECKING:
    from openocpp.chargepoint.context import ChargePointContext
    from openocpp.chargepoint.outbox import Outbox
    from openocpp.messages.core import BootNotificationConf, HeartbeatConf
    from openocpp.runtime import MonitorTimer
    from openocpp.types import CallResult

log = logging.getLogger("openocpp.chargepoint")

OWN_BOOT_DELAY = 60.0  # seconds between BootNotifications when the central system leaves it to us (interval 0)
DAY = 86_400.0  # seconds after which the clock is compared at the latest (J §5.3)

BOOT_FIELDS = {  # setting: field of the message, longest text
    "charge_point_vendor": ("charge_point_vendor", 20),
    "charge_point_model": ("charge_point_model", 20),
    "charge_point_serial_number": ("charge_point_serial_number", 25),
    "charge_box_serial_number": ("charge_box_serial_number", 25),
    "firmware_version": ("firmware_version", 50),
    "iccid": ("iccid", 20),
    "imsi": ("imsi", 20),
    "meter_type": ("meter_type", 25),
    "meter_serial_number": ("meter_serial_number", 25),
}


class RegistrationManager:
    """Sends BootNotification until it is accepted, then heartbeats when nothing else was sent.

    ``online`` fires whenever messages may flow again: True right after an accepted BootNotification. ``remembered`` is
    the last status that the central system answered, also in an earlier session.
    """

    def __init__(self, ctx: ChargePointContext, outbox: Outbox) -> None:
        self.ctx = ctx
        self._outbox = outbox
        self._internal = InternalConfig(ctx.database)
        stored = self._internal.get(InternalKey.LastRegistrationStatus)
        self.remembered = RegistrationStatus(stored) if stored else RegistrationStatus.Rejected
        self._accepted_as: BootNotificationReq | None = None
        self._cut: set[str] = set()  # the settings that a warning was logged about
        self.online: Signal[[bool]] = Signal()
        self._boot_timer: MonitorTimer | None = None
        self._boot_in_flight = False
        self._connection = 0  # counts them: an answer from an earlier one comes too late
        self._no_boot_before = 0.0
        self._heartbeat_timer: MonitorTimer | None = None
        self._heartbeat_in_flight = False
        self._last_heartbeat = 0.0

    def __repr__(self) -> str:
        return f"<registration {self._outbox.registration.name}>"

    # -- the connection ------------------------------------------------------------------------------------------------

    def connected(self) -> None:
        """J §5.4: after a mere reconnection no BootNotification is sent, unless something in it has changed."""
        if self._outbox.registration is Registration.ACCEPTED and self.boot_request() != self._accepted_as:
            self._outbox.registration = Registration.REMEMBERED
        if self._outbox.registration is Registration.ACCEPTED:
            self._go_online(after_boot=False)
        else:
            self._boot_after(max(self._no_boot_before - self.ctx.clock.now(), 0.0))

    def disconnected(self) -> None:
        self._connection += 1
        self._boot_in_flight = self._heartbeat_in_flight = False
        for timer in (self._boot_timer, self._heartbeat_timer):
            if timer is not None:
                timer.cancel()

    def connection_failed(self) -> None:
        """The first failure of a period without connection: what was accepted in the last session counts."""
        status = self.remembered
        if status is RegistrationStatus.Accepted and self._outbox.registration is Registration.NONE:
            log.info("%s: no connection; working offline as accepted in the last session", self.ctx.name)
            self._outbox.registration = Registration.REMEMBERED
        self.ctx.events.tell(self.ctx.events.handler.connection_failed, status)

    def forget(self) -> None:
        """Another central system: register anew (1.6 §4.2)."""
        self._outbox.registration = Registration.NONE
        self._no_boot_before = 0.0
        self._remember(RegistrationStatus.Rejected)

    def _remember(self, status: RegistrationStatus) -> None:
        self.remembered = status
        try:
            self._internal.set(InternalKey.LastRegistrationStatus, status)
        except StoreError as error:  # the registration counts all the same, if not after a restart
            log.error("%s: the registration status is not kept: %s", self.ctx.name, error)

    # -- BootNotification ----------------------------------------------------------------------------------------------

    def _boot_after(self, seconds: float) -> None:
        if self._boot_timer is not None:
            self._boot_timer.cancel()
        if seconds <= 0:
            self._boot()
        else:
            self._boot_timer = self.ctx.monitor.call_later(seconds, self._boot)

    def _boot(self) -> None:
        if self._boot_in_flight or self.ctx.stopping:
            return
        request = self.boot_request()
        answered = partial(self._booted, self._connection, request)
        self._boot_in_flight = self._outbox.post(Kind.BOOT, request, answered)

    def boot_request(self) -> BootNotificationReq:
        """Empty fields are left out; what is too long is cut, with a warning."""
        fields: dict[str, Any] = {}
        for setting, (field, limit) in BOOT_FIELDS.items():
            text = str(self.ctx.setting(setting) or "")
            if len(text) > limit and setting not in self._cut:
                self._cut.add(setting)
                log.warning("%s: %s is cut to %d characters for BootNotification", self.ctx.name, setting, limit)
            if text:
                fields[field] = text[:limit]
        fields.setdefault("charge_point_vendor", "")
        fields.setdefault("charge_point_model", "")
        return BootNotificationReq(**fields)

    def _booted(self, connection: int, request: BootNotificationReq, result: CallResult[BootNotificationConf]) -> None:
        if self.ctx.stopping or connection != self._connection:
            return
        self._boot_in_flight = False
        conf = result.response
        if conf is None and not self._outbox.is_connected:  # the next connection begins with it
            return
        if conf is None:
            delay = float(self.ctx.setting("retry_interval")) or OWN_BOOT_DELAY
            log.warning("%s: BootNotification: %s; again in %.1f s", self.ctx.name, result.outcome.value, delay)
            self._boot_after(delay)
            return
        log.info("%s: registration %s, interval %d s", self.ctx.name, conf.status, conf.interval)
        self._remember(conf.status)
        if conf.status is RegistrationStatus.Accepted:
            self._accepted_as = request
            self._accept(conf)
        else:
            self._put_off(conf)
        self.ctx.events.tell(self.ctx.events.handler.boot_notification, conf.status, conf.current_time)

    def _accept(self, conf: BootNotificationConf) -> None:
        self._outbox.registration = Registration.ACCEPTED
        self._no_boot_before = 0.0
        if conf.interval > 0:
            self._keep_interval(conf.interval)
        self._last_heartbeat = self.ctx.clock.now()
        self._go_online(after_boot=True)

    def _keep_interval(self, seconds: int) -> None:
        try:
            self.ctx.keys.heartbeat_interval = seconds
        except Exception:  # the application's bug must not cost the registration
            log.exception("%s: the heartbeat interval %d s could not be kept", self.ctx.name, seconds)

    def _put_off(self, conf: BootNotificationConf) -> None:
        """1.6 §4.2: the next one not before the interval is over; 0 leaves the time to us."""
        pending = conf.status is RegistrationStatus.Pending
        self._outbox.registration = Registration.PENDING if pending else Registration.REJECTED
        delay = float(conf.interval) if conf.interval > 0 else OWN_BOOT_DELAY
        self._no_boot_before = self.ctx.clock.now() + delay
        self._boot_after(delay)

    def _go_online(self, *, after_boot: bool) -> None:
        self.online.fire(after_boot)
        self._arm_heartbeat()

    @triggers(MessageTrigger.BootNotification, MessageTriggerEnumType.BootNotification)
    def trigger_boot(self, connector_id: int | None) -> None:
        """Only while it is not accepted (errata 3.35, 3.40): see ``TriggerManager``."""
        self._boot_after(0.0)

    # -- Heartbeat -----------------------------------------------------------------------------------------------------

    @on_key_change("HeartbeatInterval")
    def heartbeat_interval_changed(self) -> None:
        if self._outbox.may_send(Kind.NOTIFICATION):
            self._arm_heartbeat()

    def _arm_heartbeat(self) -> None:
        if self._heartbeat_timer is not None:
            self._heartbeat_timer.cancel()
            self._heartbeat_timer = None
        due = self._next_heartbeat()
        if due is not None:
            delay = max(due - self.ctx.clock.now(), 0.001)
            self._heartbeat_timer = self.ctx.monitor.call_later(delay, self._heartbeat_due)

    def _next_heartbeat(self) -> float | None:
        """Due when nothing was sent for the interval, and once a day at least; an interval of 0 means none."""
        interval = self.ctx.keys.heartbeat_interval
        return min(self._last_sent() + interval, self._last_heartbeat + DAY) if interval > 0 else None

    def _last_sent(self) -> float:
        endpoint = self.ctx.messenger.endpoint
        last: float = self.ctx.clock.now() if endpoint is None else endpoint.last_sent
        return last

    def _heartbeat_due(self) -> None:
        if not self._outbox.may_send(Kind.NOTIFICATION):  # the next connection begins anew
            return
        due = self._next_heartbeat()
        if due is None or due > self.ctx.clock.now() + 0.001:  # something was sent meanwhile
            self._arm_heartbeat()
            return
        if not self._heartbeat_in_flight:  # a slow central system gets no queue of them
            self._send_heartbeat(Kind.NOTIFICATION)
        delay = min(float(self.ctx.keys.heartbeat_interval), DAY)
        self._heartbeat_timer = self.ctx.monitor.call_later(delay, self._heartbeat_due)

    def _send_heartbeat(self, kind: Kind) -> None:
        self._last_heartbeat = self.ctx.clock.now()
        answered = partial(self._heartbeat_answered, self._connection)
        self._heartbeat_in_flight = self._outbox.post(kind, HeartbeatReq(), answered)

    def _heartbeat_answered(self, connection: int, result: CallResult[HeartbeatConf]) -> None:
        if connection == self._connection:
            self._heartbeat_in_flight = False
        if result.response is not None:
            self.ctx.events.tell(self.ctx.events.handler.datetime_received, result.response.current_time)

    @triggers(MessageTrigger.Heartbeat, MessageTriggerEnumType.Heartbeat)
    def trigger_heartbeat(self, connector_id: int | None) -> None:
        self._send_heartbeat(Kind.TRIGGERED)
