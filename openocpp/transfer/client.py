"""The ready file transfer: what a charge point's ``upload_file`` and ``download_file`` can be made of.

Threads: any; a transfer runs in the thread that asked for it, several may run at once.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from openocpp.errors import ConfigError
from openocpp.transfer import ftp, http
from openocpp.transfer.errors import TransferError, TransferFailure
from openocpp.transfer.files import Partial, Source
from openocpp.transfer.job import Job, Settings
from openocpp.transfer.place import DEFAULT_PORTS, Place, parse
from openocpp.types import UploadLogStatusEnumType

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

log = logging.getLogger("openocpp.transfer")

_DROPPED = 16  # interrupted uploads that are remembered
_METHODS = ("PUT", "POST", "FORM")


class FileTransfer:
    """Upload and download of files by HTTP, HTTPS, FTP and FTPS.

    Settings, all by keyword:

    - ``connect_timeout``: seconds for each address of a host and for each TLS handshake.
    - ``read_timeout``: seconds of silence after which a connection is given up.
    - ``deadline``: seconds for one whole transfer; None = as long as it takes.
    - ``max_size``: bytes that a file may have; None = any number.
    - ``schemes``: the schemes of URLs that are accepted.
    - ``ca_file``: certificates (PEM) of the authorities to trust; "" = those of the system.
    - ``verify``: False accepts any certificate of a server. Only for tests.
    - ``resume``: False begins each transfer at the first byte.
    - ``http_method``: of uploads by HTTP. "PUT"; "POST": the same with the other method; "FORM": as a web form with
      the one field ``file``.
    - ``max_redirects``: redirections followed in one transfer by HTTP.
    - ``implicit_ftps_ports``: ports on which ``ftps`` begins with TLS; on all others, with 21 as the default, it asks
      for TLS first.
    - ``progress``: called after each block with the bytes done and the bytes in all (None = not known), in the thread
      of the transfer. An exception in it ends the transfer.

    Unusable settings raise `ConfigError`.
    """

    def __init__(
        self,
        *,
        connect_timeout: float = 30.0,
        read_timeout: float = 60.0,
        deadline: float | None = 3600.0,
        max_size: int | None = 1 << 30,
        schemes: Collection[str] = ("http", "https", "ftp", "ftps"),
        ca_file: str = "",
        verify: bool = True,
        resume: bool = True,
        http_method: str = "PUT",
        max_redirects: int = 5,
        implicit_ftps_ports: Collection[int] = (990,),
        progress: Callable[[int, int | None], None] | None = None,
    ) -> None:
        _require("connect_timeout", connect_timeout > 0, "more than 0 s")
        _require("read_timeout", read_timeout > 0, "more than 0 s")
        _require("deadline", deadline is None or deadline > 0, "more than 0 s, or None")
        _require("max_size", max_size is None or max_size >= 0, "bytes, or None")
        _require("max_redirects", max_redirects >= 0, "0 or more")
        _require("http_method", http_method in _METHODS, ", ".join(_METHODS))
        _require("schemes", set(schemes) <= set(DEFAULT_PORTS), ", ".join(DEFAULT_PORTS))
        if not verify:
            log.warning("file transfer: certificates of servers are not verified")
        self._schemes = tuple(schemes)
        self._settings = Settings(
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            deadline=deadline,
            max_size=max_size,
            max_redirects=max_redirects,
            ca_file=ca_file,
            verify=verify,
            resume=resume,
            http_method=http_method,
            implicit_ftps_ports=frozenset(implicit_ftps_ports),
            progress=progress,
        )
        self._jobs: list[Job] = []
        # Uploads that were cut: where to -> which file, and how many bytes of it were sent at most.
        self._dropped: dict[str, tuple[tuple[int, ...], int]] = {}

    def __repr__(self) -> str:
        return f"<FileTransfer by {', '.join(self._schemes)}: {len(self._jobs)} running>"

    def upload(self, path: str, url: str) -> UploadLogStatusEnumType:
        """Send a file, for ``upload_file``: Uploaded, or the kind of failure. Trouble is logged, not raised."""
        try:
            size = self.send(path, url)
        except TransferError as error:
            log.warning("upload of %s failed: %s", path, error)
            return error.upload_status
        log.info("uploaded %s, %d bytes", path, size)
        return UploadLogStatusEnumType.Uploaded

    def download(self, url: str, path: str) -> bool:
        """Fetch a file, for ``download_file``: True when it is there as a whole. Trouble is logged, not raised."""
        try:
            size = self.fetch(url, path)
        except TransferError as error:
            log.warning("download of %s failed: %s", path, error)
            return False
        log.info("downloaded %s, %d bytes", path, size)
        return True

    def cancel(self) -> None:
        """End all transfers that run now, from any thread. They fail within moments; later ones are not affected.

        Only the look-up of a host name cannot be interrupted.
        """
        for job in tuple(self._jobs):
            job.cancel()

    def send(self, path: str, url: str) -> int:
        """As `upload`, but raises `TransferError`. The size of the file in bytes.

        An older upload to the same place is cancelled; a POST replaces nothing, so it cancels nothing.
        """
        place = parse(url, self._schemes)
        source = Source(path)
        overwrites = place.scheme in ("ftp", "ftps") or self._settings.http_method == "PUT"
        job = self._enter(place, f"upload {place.fingerprint}" if overwrites else "")
        try:
            job.check_size(source.size)
            if place.scheme in ("http", "https"):
                http.upload(job, source)
            else:
                self._send_by_ftp(job, source)
        finally:
            self._leave(job)
            source.close()
        return source.size

    def fetch(self, url: str, path: str) -> int:
        """As `download`, but raises `TransferError`. The size of the file in bytes.

        Until it is complete it is ``<path>.part``; what an interrupted transfer leaves there is used by the next one.
        An older download to the same path is cancelled.
        """
        place = parse(url, self._schemes)
        job = self._enter(place, os.path.abspath(path))
        try:
            partial = Partial(path, place.fingerprint, resume=self._settings.resume)
            try:
                (http if place.scheme in ("http", "https") else ftp).download(job, partial)
                partial.finish(job.check)
            except TransferError as error:
                if error.reason in (TransferFailure.SIZE, TransferFailure.FILE):  # of no use, or in the way
                    partial.discard()
                raise
            finally:
                partial.keep()
        finally:
            self._leave(job)
        return partial.offset

    def _send_by_ftp(self, job: Job, source: Source) -> None:
        key = job.place.fingerprint
        identity, sent = self._dropped.pop(key, ((), 0))
        source.sent = sent if identity == source.identity and self._settings.resume else 0
        try:
            ftp.upload(job, source)
        except TransferError:
            self._dropped[key] = (source.identity, source.sent)
            for oldest in tuple(self._dropped)[:-_DROPPED]:
                self._dropped.pop(oldest, None)
            raise

    def _enter(self, place: Place, target: str = "") -> Job:
        """Of two transfers with one target the newer goes on: who asked for the older one has given it up."""
        job = Job(self._settings, place, target)
        self._jobs.append(job)
        for other in tuple(self._jobs):
            if other is job:  # of two that come at once, the last in the list goes on
                break
            if target and other.target == target:
                other.cancel()
        return job

    def _leave(self, job: Job) -> None:
        self._jobs.remove(job)
        job.close()


def _require(key: str, good: bool, accepted: str) -> None:
    if not good:
        raise ConfigError(key, "unusable", accepted=accepted, source="FileTransfer")
