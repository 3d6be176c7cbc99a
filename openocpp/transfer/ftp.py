"""Files by FTP and FTPS (RFC 959, RFC 3659, RFC 4217).

Passive mode, binary, the data connection always to the host of the control connection. FTPS encrypts both, explicitly
(AUTH TLS) or, on the ports set aside for it, from the first byte; a server that refuses to encrypt gets no password.
Interrupted transfers go on with REST: downloads if SIZE and MDTM still say what they said, uploads if what the server
has is a beginning that this process sent.

Threads: the thread of the transfer.
"""

from __future__ import annotations

import contextlib
import ftplib
import ssl
from typing import TYPE_CHECKING

from openocpp.transfer.errors import TransferError, TransferFailure, ftp_failure
from openocpp.transfer.job import BLOCK, TLS_GOODBYE

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from openocpp.transfer.files import Partial, Source
    from openocpp.transfer.job import Job
    from openocpp.transfer.place import Place


class _Client(ftplib.FTP):
    """A control connection of the job, and the data connections that belong to it."""

    sock: socket.socket

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job
        self._place = job.place

    def open(self) -> str:
        """Connect, encrypt, log in and go to the folder. The name of the file in it."""
        place = self._place
        implicit = place.port in self._job.settings.implicit_ftps_ports
        sock = self._job.connect(place.host, place.port)
        self._take(self._job.encrypt(sock, place.host) if place.scheme == "ftps" and implicit else sock)
        self.welcome = self.getresp()
        if place.scheme == "ftps" and not implicit:
            self.voidcmd("AUTH TLS")
            self._take(self._job.encrypt(self.sock, place.host))
        self.login(place.user or "", place.password)
        if place.scheme == "ftps":
            self.voidcmd("PBSZ 0")
            self.voidcmd("PROT P")
        *folders, name = place.file_path
        for folder in folders:
            self.cwd(folder)
        self.voidcmd("TYPE I")
        return name

    def _take(self, sock: socket.socket) -> None:
        if self.file is not None:
            self.file.close()  # with what a stranger may have put behind the answer to AUTH
        self.sock = sock
        self.af = sock.family
        self.file = sock.makefile("r", encoding=self.encoding, errors="replace")

    @contextlib.contextmanager
    def data(self, command: str, offset: int) -> Iterator[tuple[socket.socket, int]]:
        """A data connection for a command, from ``offset`` of the file on: from 0 if the server knows no REST."""
        sock = self._job.connect(*self.makepasv())
        try:
            if offset:
                offset = self._rest(offset)
            reply = self.sendcmd(command)
            if reply.startswith("2"):  # some servers confirm first
                reply = self.getresp()
            if not reply.startswith("1"):
                raise ftplib.error_proto("no data connection")
            if isinstance(self.sock, ssl.SSLSocket):
                # Many servers want the session of the control connection, as a proof of being the same client.
                sock = self._job.encrypt(sock, self._place.host, self.sock.session)
            yield sock, offset
        finally:
            self._job.forget(sock)

    def makepasv(self) -> tuple[str, int]:
        try:
            host, port = super().makepasv()
        except ValueError:  # a port that is no number
            host, port = "", 0
        if not 0 < port < 1 << 16:
            raise ftplib.error_proto("no port for the data connection")
        return host, port

    def _rest(self, offset: int) -> int:
        try:
            self.sendcmd(f"REST {offset}")
        except ftplib.error_perm:
            return 0
        return offset

    def told_size(self, name: str) -> int | None:
        """The size of a file in bytes, None if the server does not tell."""
        return _number(self._ask(f"SIZE {name}"))

    def told_version(self, name: str, size: int | None) -> str:
        """What tells one content of a file from another, "" if the server does not."""
        modified = self._ask(f"MDTM {name}")
        return f"{size} {modified}" if modified and size is not None else ""

    def _ask(self, command: str) -> str:
        try:
            reply = self.sendcmd(command)
        except (ftplib.error_perm, ftplib.error_temp):  # not known here, or no such file: the transfer will tell
            return ""
        return reply[4:].strip() if reply.startswith("213") else ""


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


@contextlib.contextmanager
def _session(job: Job) -> Iterator[tuple[_Client, str]]:
    if not job.place.file_path:
        raise TransferError(TransferFailure.ADDRESS, f"{job.place} names no file")
    with job.errors(), _ftp_errors(job.place), contextlib.closing(_Client(job)) as client:
        name = client.open()
        yield client, name
        with contextlib.suppress(OSError, EOFError, ftplib.Error, TransferError):
            client.putcmd("QUIT")  # courtesy: the file is there already


@contextlib.contextmanager
def _ftp_errors(place: Place) -> Iterator[None]:
    try:
        yield
    except (ftplib.error_perm, ftplib.error_temp) as error:
        # No cause: servers are free to repeat what they were sent.
        reply = str(error)
        raise TransferError(ftp_failure(reply), f"{place}: FTP {_shown(reply, place)}") from None
    except ftplib.Error:
        raise TransferError(TransferFailure.PROTOCOL, f"{place}: not an answer of FTP") from None


def _shown(reply: str, place: Place) -> str:
    for secret in (place.password, place.user):
        if secret:
            reply = reply.replace(secret, "***")
    return "".join(character if character.isprintable() else " " for character in reply[:200])


# --- download -------------------------------------------------------------------------------------------------------


def download(job: Job, partial: Partial) -> None:
    """Bring the file of the job's place, or the rest of it, into ``partial``. `TransferError` if that fails."""
    with _session(job) as (client, name):
        total = client.told_size(name)
        job.check_size(total or 0)
        version = client.told_version(name, total)
        resumable = partial.version == version and 0 < partial.offset <= (total or 0)
        with client.data(f"RETR {name}", partial.offset if resumable else 0) as (sock, offset):
            partial.begin(resumed=offset > 0, version=version)
            job.moved(partial.offset, total)
            clean = _receive(job, sock, partial, total)
        client.voidresp()
        complete = clean if total is None else partial.offset == total
        if not complete:
            raise TransferError(TransferFailure.NETWORK, f"{job.place}: the connection ended before the file did")


def _receive(job: Job, sock: socket.socket, partial: Partial, total: int | None) -> bool:
    """Read up to the end of the data connection. False if TLS said no goodbye: only the size proves the end then."""
    while True:
        try:
            block = sock.recv(BLOCK)
        except ssl.SSLEOFError:
            return False
        if not block:
            return True
        partial.write(block)
        job.moved(partial.offset, total)


# --- upload ---------------------------------------------------------------------------------------------------------


def upload(job: Job, source: Source) -> None:
    """Send the file to the job's place. `TransferError` if that fails.

    ``source.sent`` bytes of exactly this file were sent there by an earlier attempt: what has arrived of them is not
    sent again.
    """
    with _session(job) as (client, name):
        arrived = (client.told_size(name) or 0) if source.sent else 0
        with client.data(f"STOR {name}", arrived if arrived <= source.sent else 0) as (sock, offset):
            job.moved(offset, source.size)
            try:
                _send(job, sock, source, offset)
            except (ConnectionError, ssl.SSLEOFError):
                job.check()
                client.voidresp()  # the server may tell why it stopped listening
                raise
        client.voidresp()
        stored = client.told_size(name)
        if stored is not None and stored != source.size:
            raise TransferError(TransferFailure.SERVER, f"{job.place}: the server has {stored} of {source.size} bytes")


def _send(job: Job, sock: socket.socket, source: Source, offset: int) -> None:
    source.sent = offset
    for block in source.blocks(offset):
        source.sent += len(block)  # before it is sent: a part of it may arrive
        sock.sendall(block)
        job.moved(source.sent, source.size)
    if isinstance(sock, ssl.SSLSocket):
        # The goodbye of TLS tells the server that the file is complete. Its own goodbye does not matter.
        sock.settimeout(job.patience(TLS_GOODBYE))
        with contextlib.suppress(OSError):
            sock.unwrap()
