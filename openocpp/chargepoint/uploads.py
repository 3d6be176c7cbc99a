"""Uploads of files, one at a time: diagnostics and logs share the place (1.6 §5.9; SEC N01).

Threads: monitor; the transfer runs on the thread of its job, in the application's ``upload_file``.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from openocpp.types import UploadLogStatusEnumType

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.chargepoint.context import ChargePointContext
    from openocpp.chargepoint.jobs import Job, Jobs

RETRIES = 0  # repetitions after the first attempt, where the central system leaves it to us
RETRY_INTERVAL = 1.0  # seconds between attempts, likewise
MAX_NAME = 255  # characters of a file name (1.6 §6.26)

_QUERY = re.compile(r"([^?#]*)(.*)", re.DOTALL)

Status = UploadLogStatusEnumType


class Upload(NamedTuple):
    """What to upload, and where to. ``retries`` come after the first attempt (errata 3.50)."""

    path: str
    url: str
    retries: int
    retry_interval: float

    @classmethod
    def to_folder(cls, path: str, location: str, retries: int | None, retry_interval: int | None) -> Upload:
        """``location`` is a folder: the file gets its own name there, before a query if there is one."""
        folder, query = _QUERY.fullmatch(location).groups()  # type: ignore[union-attr]  # matches any text
        return cls(
            path,
            f"{folder.removesuffix('/')}/{quote(os.path.basename(path))}{query}",
            RETRIES if retries is None else retries,
            RETRY_INTERVAL if retry_interval is None else float(retry_interval),
        )

    @property
    def name(self) -> str:
        """The name of the file, as the central system is told."""
        return os.path.basename(self.path)[:MAX_NAME]


class Uploads:
    """Where one file at a time is uploaded."""

    def __init__(self, ctx: ChargePointContext, jobs: Jobs) -> None:
        self.ctx = ctx
        self._jobs = jobs
        self._job: Job | None = None

    def cancel(self) -> bool:
        """End a running upload: it says nothing more. False: there is none."""
        job, self._job = self._job, None
        if job is not None:
            job.cancel()
        return job is not None

    def start(self, upload: Upload, tell: Callable[[Status], None]) -> None:
        """Upload in the place of a running one; ``tell`` hears Uploading, then how it ended."""
        self.cancel()
        self._job = self._jobs.start("upload", lambda job: self._run(job, upload, tell))

    def _run(self, job: Job, upload: Upload, tell: Callable[[Status], None]) -> None:
        tell(Status.Uploading)
        status = self._attempt(job, upload)
        for _ in range(upload.retries):
            if status is Status.Uploaded:
                break
            job.pause(upload.retry_interval)
            status = self._attempt(job, upload)
        self._job = None
        tell(status)

    def _attempt(self, job: Job, upload: Upload) -> Status:
        handler = self.ctx.events.handler.upload_file
        result = job.ask(False, handler, upload.path, upload.url)
        if isinstance(result, Status):
            return result
        return Status.Uploaded if result else Status.UploadFailure
