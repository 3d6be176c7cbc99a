"""The charging profiles of a charge point: set, cleared, kept, and used (1.6 §3.13, §5.5, §5.7, §5.16).

What is right and what applies when is calculated by the modules beside this one. Here are the messages, the
transactions, the disk and the clock.
Threads: monitor.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from openocpp.chargepoint.smart_charging.composite import composite_schedule, why_rejected
from openocpp.chargepoint.smart_charging.model import (
    Capabilities,
    InstalledProfile,
    RunningTransaction,
    Situation,
)
from openocpp.chargepoint.smart_charging.profiles import Criteria, ProfileSet
from openocpp.chargepoint.smart_charging.setpoint import setpoints
from openocpp.chargepoint.smart_charging.validation import (
    check_local_limits,
    check_profile,
    check_remote_start_profile,
)
from openocpp.errors import CallError, ErrorCode, RemoteProtocolError, StoreError
from openocpp.messages.codec import from_payload, to_payload
from openocpp.messages.dispatch import handles
from openocpp.messages.smart_charging import (
    ClearChargingProfileConf,
    ClearChargingProfileReq,
    GetCompositeScheduleConf,
    GetCompositeScheduleReq,
    SetChargingProfileConf,
    SetChargingProfileReq,
)
from openocpp.rpc.json import dumps, loads
from openocpp.store.charging_profiles import ChargingProfileRow, ChargingProfiles
from openocpp.types import (
    ChargingProfile,
    ChargingProfilePurposeType,
    ChargingProfileStatus,
    ClearChargingProfileStatus,
    GetCompositeScheduleStatus,
    same_ci,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openocpp.chargepoint.connectors import Connector
    from openocpp.chargepoint.context import ChargePointContext
    from openocpp.chargepoint.smart_charging.profiles import Change
    from openocpp.chargepoint.transactions import TransactionManager
    from openocpp.runtime import MonitorTimer
    from openocpp.store.transactions import TransactionRow
    from openocpp.types import ChargingRateUnitType, ChargingSchedule, Setpoints

log = logging.getLogger("openocpp.chargepoint")

CLEAN_UP_EVERY = 60.0  # seconds


class Expected(NamedTuple):
    """A profile that came with a remote start, for the transaction of this id tag."""

    id_tag: str
    profile: ChargingProfile
    timer: MonitorTimer | None

    def installed(self, connector_id: int, transaction_key: int | None = None) -> InstalledProfile:
        return InstalledProfile(connector_id, self.profile, transaction_key)


class SmartChargingManager:
    """Keeps the charging profiles, and answers what they allow."""

    def __init__(self, ctx: ChargePointContext, transactions: TransactionManager) -> None:
        self.ctx = ctx
        self._table = ChargingProfiles(ctx.database)
        self._profiles = ProfileSet(self._stored())
        self._expected: dict[int, Expected] = {}  # by the connector of the remote start; 0: any
        self._clock_offsets: dict[int, float] = {}  # by the key of a transaction that began in this session
        self._transactions = transactions
        transactions.started.subscribe(self._started)
        transactions.stopped.subscribe(self._stopped)

    def __repr__(self) -> str:
        return f"<smart charging: {self._profiles!r}>"

    def begin(self) -> None:
        self._clean_up()

    # -- messages ------------------------------------------------------------------------------------------------------

    @handles(SetChargingProfileReq)
    def set_profile(self, request: SetChargingProfileReq) -> SetChargingProfileConf:
        """errata 3.39: an unknown connector is a CALLERROR. What else breaks the standard is Rejected, and logged."""
        connector = self.ctx.connectors.get(request.connector_id)
        if connector is None:
            text = f"connectorId: there is no {request.connector_id} (errata 3.39)"
            raise CallError(ErrorCode.PropertyConstraintViolation, text)
        problem = self._install(connector, request.cs_charging_profiles)
        if problem is not None:
            profile_id = request.cs_charging_profiles.charging_profile_id
            log.warning("%s: charging profile %d refused: %s", self.ctx.name, profile_id, problem)
            return SetChargingProfileConf(status=ChargingProfileStatus.Rejected)
        return SetChargingProfileConf(status=ChargingProfileStatus.Accepted)

    def _install(self, connector: Connector, profile: ChargingProfile) -> str | None:
        """Why it is not installed; None when it is."""
        if profile.transaction_id is not None:
            self._transactions.await_ids([connector])  # it often follows the answer to StartTransaction at once
        running = self._running(connector)
        problem = check_profile(profile, connector.id, self._capabilities(), running)
        if problem is not None:
            return problem
        of_transaction = profile.charging_profile_purpose is ChargingProfilePurposeType.TxProfile
        key = running.key if of_transaction and running is not None else None
        change = self._profiles.install(InstalledProfile(connector.id, profile, key), self._room())
        if change is None:
            return self._no_room()
        self._keep(change)
        return None

    def _room(self, but: int | None = None) -> int:
        """How many profiles may be installed beside those that are expected (on other connectors than ``but``)."""
        expected = sum(1 for number in self._expected if number != but)
        return self.ctx.keys.max_charging_profiles_installed - expected

    def _no_room(self) -> str:
        most = self.ctx.keys.max_charging_profiles_installed
        return f"there would be more than MaxChargingProfilesInstalled {most} (1.6 §9.4.5)"

    @handles(ClearChargingProfileReq)
    def clear_profiles(self, request: ClearChargingProfileReq) -> ClearChargingProfileConf:
        """Those too that came with a remote start and wait for its transaction (errata 3.25)."""
        criteria = Criteria(request.id, request.connector_id, request.charging_profile_purpose, request.stack_level)
        change = self._profiles.clear(*criteria)
        self._keep(change)
        waiting = [number for number, one in self._expected.items() if criteria.match(one.installed(number))]
        for number in waiting:
            self.forget_remote(number)
        if not change.removed and not waiting:
            return ClearChargingProfileConf(status=ClearChargingProfileStatus.Unknown)
        return ClearChargingProfileConf(status=ClearChargingProfileStatus.Accepted)

    @handles(GetCompositeScheduleReq)
    def get_composite_schedule(self, request: GetCompositeScheduleReq) -> GetCompositeScheduleConf:
        received = self.ctx.clock.utcnow()
        number, duration = request.connector_id, request.duration
        known = self.ctx.connectors.get(number) is not None and duration > 0
        local = self._local_limits(number, duration) if known else {}
        unit = request.charging_rate_unit or self._capabilities().usual_unit
        question = (self._situation(), number, received, duration, unit, local)
        result = composite_schedule(*question)
        if result.status is GetCompositeScheduleStatus.Rejected:
            why = why_rejected(*question)
            log.info("%s: no composite schedule of connector %d: %s", self.ctx.name, number, why)
        return GetCompositeScheduleConf(
            status=result.status,
            connector_id=result.connector_id,
            schedule_start=result.schedule_start,
            charging_schedule=result.schedule,
        )

    def _local_limits(self, connector_id: int, duration: int) -> Mapping[int, ChargingSchedule]:
        """The application's own limits; those of the whole need those of each connector. The monitor is left."""
        found: dict[int, ChargingSchedule] = {}
        for number in range(len(self.ctx.connectors)) if connector_id == 0 else (connector_id,):
            schedule = self.ctx.events.ask(
                None, self.ctx.events.handler.get_local_limitations_schedule, number, duration
            )
            if schedule is None:
                continue
            problem = check_local_limits(schedule)
            if problem is None:
                found[number] = schedule
            else:
                log.error("%s: connector %d: the local limits are not usable: %s", self.ctx.name, number, problem)
        return found

    def setpoint(self, connector_id: int, unit: ChargingRateUnitType) -> Setpoints | None:
        """The limits of this moment; None for a connector that does not exist."""
        if self.ctx.connectors.get(connector_id) is None:
            return None
        return setpoints(self._situation(), connector_id, self.ctx.clock.utcnow(), unit)

    def _situation(self) -> Situation:
        running = {each.id: self._running(each) for each in self.ctx.connectors.physical}
        return Situation(
            profiles=list(self._profiles),
            connectors=len(self.ctx.connectors.physical),
            transactions={number: transaction for number, transaction in running.items() if transaction is not None},
            operating_voltage=float(self.ctx.setting("operating_voltage")),
        )

    def _running(self, connector: Connector) -> RunningTransaction | None:
        """A clock that was set since the transaction began has not moved its relative schedules (1.6 §7.9).

        Of one that began before a restart nothing is known but the wall clock.
        """
        transaction = connector.transaction
        if transaction is None:
            return None
        then = self._clock_offsets.get(transaction.key)
        shift = timedelta(0) if then is None else timedelta(seconds=round(self._clock_offset() - then))
        return RunningTransaction(transaction.key, transaction.start_time + shift, transaction.cs_id)

    def _clock_offset(self) -> float:
        """Seconds between the clock on the wall and the one that nobody sets."""
        return float(self.ctx.clock.utcnow().timestamp() - self.ctx.clock.now())

    def _capabilities(self) -> Capabilities:
        keys = self.ctx.keys
        return Capabilities(
            max_stack_level=keys.charge_profile_max_stack_level,
            max_periods=keys.charging_schedule_max_periods,
            max_installed=keys.max_charging_profiles_installed,
            units=keys.charging_schedule_allowed_charging_rate_unit,
        )

    # -- remote start: ``RemoteProfiles`` ------------------------------------------------------------------------------

    def expect_remote(self, connector_id: int, id_tag: str, profile: ChargingProfile | None) -> str | None:
        """Keep the profile until the transaction starts, at most for ConnectionTimeOut (1.6 §5.16.2)."""
        self.forget_remote(connector_id)
        if profile is None:
            return None
        problem = check_remote_start_profile(profile, self._capabilities())
        if problem is not None:
            return problem
        trial = ProfileSet(self._profiles)  # what it replaces stays until the transaction starts
        if trial.install(InstalledProfile(connector_id, profile), self._room(but=connector_id)) is None:
            return self._no_room()
        limit = self.ctx.keys.connection_time_out
        timer = None
        if limit > 0:
            timer = self.ctx.monitor.call_later(float(limit), partial(self.forget_remote, connector_id))
        self._expected[connector_id] = Expected(id_tag, profile, timer)
        return None

    def forget_remote(self, connector_id: int) -> None:
        """The transaction will not start."""
        expected = self._expected.pop(connector_id, None)
        if expected is not None and expected.timer is not None:
            expected.timer.cancel()

    def _started(self, connector: Connector, transaction: TransactionRow) -> None:
        self._clock_offsets[transaction.key] = self._clock_offset()
        for number in (connector.id, 0):
            expected = self._expected.get(number)
            if expected is not None and same_ci(expected.id_tag, transaction.id_tag):
                self.forget_remote(number)
                change = self._profiles.install(expected.installed(connector.id, transaction.key), self._room())
                if change is None:
                    log.error("%s: the profile of a remote start is lost: %s", self.ctx.name, self._no_room())
                else:
                    self._keep_if_possible(change)
                break
        self.forget_remote(connector.id)  # of another id tag: its transaction cannot start there any more

    def _stopped(self, connector: Connector, transaction: TransactionRow) -> None:
        self._clock_offsets.pop(transaction.key, None)
        self._keep_if_possible(self._profiles.remove_transaction(transaction.key))

    # -- the disk ------------------------------------------------------------------------------------------------------

    def _clean_up(self) -> None:
        """Remove what can never apply again."""
        self.ctx.monitor.call_later(CLEAN_UP_EVERY, self._clean_up)
        running = [each.transaction.key for each in self.ctx.connectors.physical if each.transaction is not None]
        self._keep_if_possible(self._profiles.remove_expired(self.ctx.clock.utcnow(), running))

    def _keep(self, change: Change) -> None:
        """Bring a change to the disk. A StoreError undoes it."""
        if not change.removed and not change.added:
            return
        try:
            self._table.replace([gone.id for gone in change.removed], [_row(new) for new in change.added])
        except StoreError:
            before = [each for each in self._profiles if each not in change.added]
            self._profiles = ProfileSet([*before, *change.removed])
            raise

    def _keep_if_possible(self, change: Change) -> None:
        """Where nobody could do anything about it: the disk is right again after the next start's clean-up."""
        try:
            self._keep(change)
        except StoreError as error:
            log.error("%s: the charging profiles could not be stored: %s", self.ctx.name, error)

    def _stored(self) -> list[InstalledProfile]:
        """errata 3.37: profiles survive a restart. What cannot be read is left out, and overwritten some day."""
        found = []
        for row in self._table.rows():
            try:
                profile = from_payload(ChargingProfile, loads(row.profile))
            except (ValueError, RemoteProtocolError) as error:
                log.error("%s: stored charging profile %d cannot be read: %s", self.ctx.name, row.id, error)
                continue
            if profile.charging_profile_id != row.id or row.connector_id >= len(self.ctx.connectors):
                log.error("%s: stored charging profile %d does not fit and is left out", self.ctx.name, row.id)
                continue
            found.append(InstalledProfile(row.connector_id, profile, row.transaction_key))
        return found


def _row(installed: InstalledProfile) -> ChargingProfileRow:
    profile = dumps(to_payload(installed.profile))
    return ChargingProfileRow(installed.id, installed.connector_id, profile, installed.transaction_key)
