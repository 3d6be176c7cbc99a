"""Diagnostics, uploaded where the central system says (1.6 §4.4, §5.9).

Threads: monitor; the application is asked outside of it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from openocpp.chargepoint.marks import triggers
from openocpp.chargepoint.progress import Progress
from openocpp.chargepoint.uploads import Upload
from openocpp.messages.dispatch import handles
from openocpp.messages.firmware import (
    DiagnosticsStatusNotificationReq,
    GetDiagnosticsConf,
    GetDiagnosticsReq,
)
from openocpp.messages.messenger import Reply
from openocpp.types import DiagnosticsStatus, MessageTrigger, UploadLogStatusEnumType

if TYPE_CHECKING:
    from openocpp.chargepoint.context import ChargePointContext
    from openocpp.chargepoint.outbox import Outbox
    from openocpp.chargepoint.registration import RegistrationManager
    from openocpp.chargepoint.uploads import Uploads

TOLD = {
    UploadLogStatusEnumType.Uploading: DiagnosticsStatus.Uploading,
    UploadLogStatusEnumType.Uploaded: DiagnosticsStatus.Uploaded,
}  # all others are failures, which this message does not tell apart


class DiagnosticsManager:
    """Asks the application for a file, and has it uploaded."""

    def __init__(
        self, ctx: ChargePointContext, outbox: Outbox, registration: RegistrationManager, uploads: Uploads
    ) -> None:
        self.ctx = ctx
        self._uploads = uploads
        self._progress: Progress[DiagnosticsStatus] = Progress(
            outbox,
            registration,
            lambda status: DiagnosticsStatusNotificationReq(status=status),
            DiagnosticsStatus.Idle,
            DiagnosticsStatus.Uploaded,
        )

    @handles(GetDiagnosticsReq)
    def get_diagnostics(self, request: GetDiagnosticsReq) -> GetDiagnosticsConf | Reply:
        """A running upload gives way: the central system has changed its mind."""
        self._uploads.cancel()
        handler = self.ctx.events.handler.get_diagnostics
        path = self.ctx.events.require(handler, request.start_time, request.stop_time)
        if not path:
            return GetDiagnosticsConf()
        upload = Upload.to_folder(path, request.location, request.retries, request.retry_interval)
        return Reply(GetDiagnosticsConf(file_name=upload.name), partial(self._start, upload))

    def _start(self, upload: Upload) -> None:
        if not self.ctx.stopping:
            self._uploads.start(upload, self._tell)

    def _tell(self, status: UploadLogStatusEnumType) -> None:
        self._progress.tell(TOLD.get(status, DiagnosticsStatus.UploadFailed))

    @triggers(MessageTrigger.DiagnosticsStatusNotification)
    def trigger_status(self, connector_id: int | None) -> None:
        self._progress.trigger()
