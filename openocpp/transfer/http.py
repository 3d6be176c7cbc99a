"""Files by HTTP and HTTPS (RFC 9110).

A download that was cut goes on with Range and If-Range, so that the server itself answers with the whole file when it
has changed; Content-Range is checked. An upload sends the whole file each time: HTTP has no agreed way to append.
Credentials are sent as Basic authorization with the first request.

Threads: the thread of the transfer.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import secrets
import ssl
from typing import TYPE_CHECKING

from openocpp.transfer.errors import TransferError, TransferFailure, http_failure
from openocpp.transfer.job import BLOCK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from openocpp.transfer.files import Partial, Source
    from openocpp.transfer.job import Job
    from openocpp.transfer.place import Place

_REDIRECTS = (301, 302, 303, 307, 308)
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


class _Connection(http.client.HTTPConnection):
    """One request on a connection of the job."""

    def __init__(self, job: Job, place: Place) -> None:
        super().__init__(place.host, place.port)
        self.default_port = 443 if place.scheme == "https" else 80
        self._job = job
        self._place = place

    def connect(self) -> None:
        sock = self._job.connect(self._place.host, self._place.port)
        self.sock = self._job.encrypt(sock, self._place.host) if self._place.scheme == "https" else sock

    def begin(self, method: str, headers: Mapping[str, str]) -> None:
        """Send the request line and the headers."""
        self.putrequest(method, self._place.target)  # adds Host, and Accept-Encoding: identity
        if self._place.basic_authorization:
            self.putheader("Authorization", self._place.basic_authorization)
        for name, value in {"User-Agent": "openocpp", "Connection": "close", **headers}.items():
            self.putheader(name, value)
        self.endheaders()


@contextlib.contextmanager
def _http_errors(place: Place) -> Iterator[None]:
    try:
        yield
    except ConnectionError:  # RemoteDisconnected is an HTTPException too, but the network's fault
        raise
    except http.client.IncompleteRead:
        raise _ended_early(place) from None
    except http.client.HTTPException as error:
        # No cause: its text may repeat what the server echoed.
        name = type(error).__name__
        raise TransferError(TransferFailure.PROTOCOL, f"{place}: not an answer of HTTP ({name})") from None


def _ended_early(place: Place) -> TransferError:
    return TransferError(TransferFailure.NETWORK, f"{place}: the connection ended before the file did")


def _refusal(place: Place, status: int) -> TransferError:
    known = http.client.responses.get(status, "")  # not the server's own words: they may repeat anything
    return TransferError(http_failure(status), f"{place}: HTTP status {status} {known}".rstrip())


# --- download -------------------------------------------------------------------------------------------------------


def download(job: Job, partial: Partial) -> None:
    """Bring the file of the job's place, or the rest of it, into ``partial``. `TransferError` if that fails."""
    if partial.offset and _try_download(job, partial, resume=True):
        return
    _try_download(job, partial, resume=False)


def _try_download(job: Job, partial: Partial, *, resume: bool) -> bool:
    """One download. False when the server cannot go on where we ended; then the whole file must be asked for."""
    place = job.place
    wanted = {"Range": f"bytes={partial.offset}-", "If-Range": partial.version} if resume else {}
    for _hop in range(job.settings.max_redirects + 1):
        with job.errors(), _http_errors(place), contextlib.closing(_Connection(job, place)) as connection:
            connection.begin("GET", wanted)
            with connection.getresponse() as response:
                if response.status in _REDIRECTS:
                    place = place.redirected(response.headers.get("Location", ""))
                    continue
                if resume and (response.status == 416 or not _continues(response, partial)):
                    return False
                _receive(job, place, response, partial, resumed=resume and response.status == 206)
        return True
    raise TransferError(TransferFailure.SERVER, f"{job.place}: more than {job.settings.max_redirects} redirections")


def _continues(response: http.client.HTTPResponse, partial: Partial) -> bool:
    """Is this the rest that we asked for? Answers with the whole file, or with an error, are fine too."""
    if response.status != 206:
        return True
    tag = response.headers.get("ETag")
    if tag is not None and partial.version.startswith('"') and tag != partial.version:
        return False
    found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    if found is None:
        return False
    first, last, total = found.groups()
    return int(first) == partial.offset and total in ("*", str(int(last) + 1))


def _receive(job: Job, place: Place, response: http.client.HTTPResponse, partial: Partial, *, resumed: bool) -> None:
    if response.status != 200 and not resumed:
        raise _refusal(place, response.status)
    length = response.length  # None: chunked, or up to the end of the connection
    total = None if length is None else length + (partial.offset if resumed else 0)
    job.check_size(total or 0)
    partial.begin(resumed=resumed, version=_version(response))
    job.moved(partial.offset, total)
    while total is None or partial.offset < total:
        block = response.read1(BLOCK)
        if not block:
            break
        partial.write(block)
        job.moved(partial.offset, total)
    if total is not None and partial.offset < total:
        job.check()  # our own end of the connection looks the same
        raise _ended_early(place)


def _version(response: http.client.HTTPResponse) -> str:
    """What If-Range may say about this content later (RFC 9110 §13.1.5): a strong ETag, or a date strong enough."""
    tag = response.headers.get("ETag", "")
    if tag.startswith('"'):
        return tag
    modified = response.headers.get("Last-Modified", "")
    # A file written in the second in which it was served may be written once more in that second (§8.8.2.2).
    return modified if modified and response.headers.get("Date", modified) != modified else ""


# --- upload ---------------------------------------------------------------------------------------------------------


def upload(job: Job, source: Source) -> None:
    """Send the file to the job's place. `TransferError` if that fails."""
    place = job.place
    method = job.settings.http_method
    for _hop in range(job.settings.max_redirects + 1):
        with job.errors(), _http_errors(place):
            status, location = _send(job, place, source)
        if 200 <= status < 300:
            return
        # 303 after PUT, and 301 to 303 after POST, name a page to look at, and do not say whether the file was taken.
        if status not in ((301, 302, 307, 308) if method == "PUT" else (307, 308)):
            raise _refusal(place, status)
        place = place.redirected(location)
    raise TransferError(TransferFailure.SERVER, f"{job.place}: more than {job.settings.max_redirects} redirections")


def _send(job: Job, place: Place, source: Source) -> tuple[int, str]:
    """One request with the file as its body; the answer's status and where it points to."""
    head, tail, kind = b"", b"", "application/octet-stream"
    if job.settings.http_method == "FORM":
        head, tail, kind = _form(os.path.basename(source.path))
    with contextlib.closing(_Connection(job, place)) as connection:
        length = len(head) + source.size + len(tail)
        method = "PUT" if job.settings.http_method == "PUT" else "POST"
        connection.begin(method, {"Content-Type": kind, "Content-Length": str(length)})
        complete = _send_body(job, connection, source, head, tail)
        with connection.getresponse() as response:
            if not complete and response.status < 300:
                raise _ended_early(place)
            return response.status, response.headers.get("Location", "")


def _send_body(job: Job, connection: _Connection, source: Source, head: bytes, tail: bytes) -> bool:
    """Send the body. False when the server stopped listening: its answer will say why."""
    done = 0
    try:
        connection.send(head)
        job.moved(done, source.size)
        for block in source.blocks():
            connection.send(block)
            done += len(block)
            job.moved(done, source.size)
        connection.send(tail)
    except (ConnectionError, ssl.SSLEOFError):
        job.check()
        return False
    return True


def _form(name: str) -> tuple[bytes, bytes, str]:
    """What stands around the file in a form with the one field ``file`` (RFC 7578), and the type of the whole."""
    boundary = secrets.token_hex(16)
    shown = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    head = (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="file"; filename="{shown}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return head.encode(), f"\r\n--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
