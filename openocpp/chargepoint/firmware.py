"""Firmware updates: downloaded when they may be, installed when nobody charges (1.6 §4.5, §5.19).

The update is on the disk until it has ended, and goes on after a restart. While it waits - for its date, for the end of
transactions, for the application's word - no thread waits with it.
Threads: monitor; downloading and installing run on the thread of a job, in the application's callbacks.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from openocpp.chargepoint.marks import triggers
from openocpp.chargepoint.progress import Progress
from openocpp.chargepoint.uploads import RETRIES, RETRY_INTERVAL
from openocpp.errors import CallError, ErrorCode, StoreError
from openocpp.messages.dispatch import handles
from openocpp.messages.firmware import FirmwareStatusNotificationReq, UpdateFirmwareConf, UpdateFirmwareReq
from openocpp.messages.messenger import Reply
from openocpp.rpc.json import dumps, loads
from openocpp.store.internal import InternalConfig, InternalKey
from openocpp.types import FirmwareStatus, MessageTrigger, format_datetime, hide_password, parse_datetime
from openocpp.types.security_events import SecurityEvents

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from openocpp.chargepoint.connectors import Connector
    from openocpp.chargepoint.context import ChargePointContext
    from openocpp.chargepoint.jobs import Job, Jobs
    from openocpp.chargepoint.outbox import Outbox
    from openocpp.chargepoint.registration import RegistrationManager
    from openocpp.chargepoint.security_events import SecurityEventManager
    from openocpp.chargepoint.status import StatusManager
    from openocpp.chargepoint.transactions import TransactionManager
    from openocpp.runtime import WallTimer
    from openocpp.store.transactions import TransactionRow

log = logging.getLogger("openocpp.chargepoint")

FAILED = object()
RESUME_PATIENCE = 300.0  # seconds that a download waits for the registration after a restart


@dataclass(frozen=True, kw_only=True)
class Update:
    """An update that has not ended. ``path`` is where the image is, once it was downloaded."""

    location: str
    retrieve_date: datetime
    retries: int  # after the first attempt (errata 3.50)
    retry_interval: float  # seconds
    path: str = ""

    def __repr__(self) -> str:
        return f"<update from {hide_password(self.location)}, not before {format_datetime(self.retrieve_date)}>"

    @classmethod
    def asked_for(cls, request: UpdateFirmwareReq) -> Update:
        return cls(
            location=request.location,
            retrieve_date=request.retrieve_date,
            retries=RETRIES if request.retries is None else request.retries,
            retry_interval=RETRY_INTERVAL if request.retry_interval is None else float(request.retry_interval),
        )

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "retrieve_date": format_datetime(self.retrieve_date)}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Update:
        """TypeError, ValueError or KeyError if it was not written by ``to_json``."""
        return cls(**{**stored, "retrieve_date": parse_datetime(stored["retrieve_date"])})


class FirmwareManager:
    """Leads one update at a time through its stages. A new one takes the place of one that is not being installed."""

    def __init__(
        self,
        ctx: ChargePointContext,
        outbox: Outbox,
        registration: RegistrationManager,
        security: SecurityEventManager,
        status: StatusManager,
        transactions: TransactionManager,
        jobs: Jobs,
    ) -> None:
        self.ctx = ctx
        self._security = security
        self._status = status
        self._jobs = jobs
        self._internal = InternalConfig(ctx.database)
        self._progress: Progress[FirmwareStatus] = Progress(
            outbox,
            registration,
            lambda status: FirmwareStatusNotificationReq(status=status),
            FirmwareStatus.Idle,
            FirmwareStatus.Installed,
        )
        self._update: Update | None = None
        self._timer: WallTimer | None = None
        self._job: Job | None = None
        self._waits_for_idle = False
        self._installing = False  # the application is inside ``install_firmware``
        self._resuming = False  # a download of before the restart waits for the network
        registration.online.subscribe(self._online)
        transactions.stopped.subscribe(self._transaction_stopped)

    def __repr__(self) -> str:
        return f"<firmware: {self._progress!r}, {self._update!r}>"

    def begin(self) -> None:
        """Go on with what a restart has interrupted. After an installation it is for the application to say its end.

        A download waits for the registration, since the network is seldom there first; but not for ever, since the new
        firmware may be what brings the charge point back.
        """
        self._load()
        if self._update is None or self._progress.status is FirmwareStatus.Installing:
            return
        if self._update.path:
            self._run(self._prepare)
            return
        self._resuming = True
        self.ctx.monitor.call_later(RESUME_PATIENCE, self._resume)

    def _online(self, after_boot: bool) -> None:
        self._resume()

    def _resume(self) -> None:
        if self._resuming:
            self._schedule()

    # -- the central system's side -------------------------------------------------------------------------------------

    @handles(UpdateFirmwareReq)
    def update_firmware(self, request: UpdateFirmwareReq) -> UpdateFirmwareConf | Reply:
        if self.ctx.setting("signed_firmware_only"):  # SEC L01.FR.20
            raise CallError(ErrorCode.NotSupported, "only signed firmware updates are taken")
        if self._installing:
            raise CallError(ErrorCode.InternalError, "another firmware is being installed just now")
        self._give_up()
        self._save(Update.asked_for(request))
        log.info("%s: firmware %r", self.ctx.name, self._update)
        return Reply(UpdateFirmwareConf(), self._schedule)

    @triggers(MessageTrigger.FirmwareStatusNotification)
    def trigger_status(self, connector_id: int | None) -> None:
        self._progress.trigger()

    def _give_up(self) -> None:
        """The running update ends without a word."""
        if self._timer is not None:
            self._timer.cancel()
        if self._job is not None:
            self._job.cancel()
        self._timer = self._job = None
        self._waits_for_idle = self._resuming = False
        self._status.set_out_of_service(False)

    # -- the stages ----------------------------------------------------------------------------------------------------

    def _schedule(self) -> None:
        self._resuming = False
        if self._update is not None and self._timer is None and not self.ctx.stopping:
            self._timer = self.ctx.monitor.call_at_wall(self._update.retrieve_date, lambda: self._run(self._download))

    def _run(self, stage: Callable[[Job], None]) -> None:
        self._job = self._jobs.start("firmware", stage)

    def _download(self, job: Job) -> None:
        update = self._update
        assert update is not None  # who takes it away cancels the job
        path = job.ask("", self.ctx.events.handler.update_firmware_requested)
        if not path:
            log.warning("%s: the application does not want a firmware update", self.ctx.name)
            self._end(FirmwareStatus.DownloadFailed)
            return
        self._tell(FirmwareStatus.Downloading)
        if not self._downloaded(job, update, path):
            self._end(FirmwareStatus.DownloadFailed)
            return
        self._save(replace(update, path=path))
        self._tell(FirmwareStatus.Downloaded)
        self._prepare(job)

    def _downloaded(self, job: Job, update: Update, path: str) -> bool:
        for attempt in range(update.retries + 1):
            if attempt:
                job.pause(update.retry_interval)
            if job.ask(False, self.ctx.events.handler.download_file, update.location, path):
                return True
        return False

    def _prepare(self, job: Job) -> None:
        """errata 3.49; SEC L01.FR.06, L01.FR.07: what is not in use is Unavailable until the firmware is installed."""
        if job.ask(True, self.ctx.events.handler.firmware_install_needs_idle):
            self._status.set_out_of_service(True)
            if any(connector.transaction is not None for connector in self.ctx.connectors.physical):
                log.info("%s: the firmware is installed when all transactions have ended", self.ctx.name)
                self._waits_for_idle = True
                return
        self._install(job)

    def _transaction_stopped(self, connector: Connector, transaction: TransactionRow) -> None:
        if self._waits_for_idle and all(each.transaction is None for each in self.ctx.connectors.physical):
            self._waits_for_idle = False
            self._run(self._install)

    def _install(self, job: Job) -> None:
        update = self._update
        assert update is not None  # as above
        self._save(update, FirmwareStatus.Installing)
        self._progress.ask(FirmwareStatus.Installing)  # the installation may end the connection at once
        job.check()
        self._installing = True
        try:
            outcome = job.ask(FAILED, self.ctx.events.handler.install_firmware, update.path)
        finally:
            self._installing = False
        if outcome is FAILED:  # by an exception; all else the application will say itself
            self._end(FirmwareStatus.InstallationFailed)

    def notify(self, success: bool) -> bool:
        """The application's word, perhaps after a restart. False: the central system was not reached."""
        status = FirmwareStatus.Installed if success else FirmwareStatus.InstallationFailed
        is_news = self._update is not None or self._progress.status is not status
        self._give_up()
        self._save(None, status)
        if success and is_news:
            self._security.log(SecurityEvents.FIRMWARE_UPDATED)
        return self._progress.ask(status)

    def _end(self, status: FirmwareStatus) -> None:
        self._give_up()
        self._save(None, status)
        self._progress.tell(status)

    # -- the disk ------------------------------------------------------------------------------------------------------

    def _tell(self, status: FirmwareStatus) -> None:
        self._save(self._update, status)
        self._progress.tell(status)

    def _save(self, update: Update | None, status: FirmwareStatus | None = None) -> None:
        """With the status that was told last, or is told now."""
        self._update = update
        stored = {"status": status or self._progress.status, "update": update and update.to_json()}
        try:
            self._internal.set(InternalKey.FirmwareUpdate, dumps(stored))
        except StoreError as error:
            log.error("%s: a restart will forget how far the firmware update is: %s", self.ctx.name, error)

    def _load(self) -> None:
        text = self._internal.get(InternalKey.FirmwareUpdate)
        if text is None:
            return
        try:
            stored = loads(text)
            self._update = stored["update"] and Update.from_json(stored["update"])
            self._progress.status = FirmwareStatus(stored["status"])
        except (ValueError, TypeError, KeyError) as error:
            log.error("%s: a stored firmware update cannot be read: %s", self.ctx.name, error)
