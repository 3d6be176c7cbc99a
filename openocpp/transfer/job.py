"""One transfer under way: its deadline, its cancellation, its sockets.

Every socket of a transfer looks at its job before it waits, so that neither a silent nor a dripping server outlasts the
deadline. Another thread cancels by raising a flag and shutting the sockets down, which wakes whoever waits in them.

Threads: the thread of the transfer, except `Job.cancel`: any.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openocpp.transfer.errors import TransferError, TransferFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openocpp.transfer.place import Place

BLOCK = 64 * 1024  # bytes read, written and reported at once
TLS_GOODBYE = 5.0  # seconds for the peer's close_notify, which many never send


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a `FileTransfer` was told; see there."""

    connect_timeout: float
    read_timeout: float
    deadline: float | None
    max_size: int | None
    max_redirects: int
    ca_file: str
    verify: bool
    resume: bool
    http_method: str
    implicit_ftps_ports: frozenset[int]
    progress: Callable[[int, int | None], None] | None


class Job:
    """One transfer. ``target`` names what it replaces: only one at a time should."""

    def __init__(self, settings: Settings, place: Place, target: str = "") -> None:
        self.settings = settings
        self.place = place
        self.target = target
        self.cancelled = False
        self._ends = None if settings.deadline is None else time.monotonic() + settings.deadline
        self._sockets: list[socket.socket] = []
        self._tls: ssl.SSLContext | None = None

    def cancel(self) -> None:
        """End the transfer soon, from any thread."""
        # First the flag, then the sockets; `_adopt` does it the other way round, so that one of the two sees the other.
        self.cancelled = True
        for sock in tuple(self._sockets):
            with contextlib.suppress(OSError):  # not connected yet, or closed already
                # Not the shutdown of SSLSocket: that one takes the TLS away, and its reader would read on without.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def check(self) -> None:
        """`TransferError` if the transfer was cancelled or its time is over."""
        if self.cancelled:
            raise TransferError(TransferFailure.CANCELLED, f"the transfer with {self.place} was cancelled")
        if self._ends is not None and time.monotonic() >= self._ends:
            raise TransferError(TransferFailure.TIMEOUT, f"{self.place}: not done after {self.settings.deadline:g} s")

    def patience(self, limit: float) -> float:
        """Seconds that the next operation may take: at most ``limit``, never beyond the deadline."""
        self.check()
        return limit if self._ends is None else max(0.001, min(limit, self._ends - time.monotonic()))

    def moved(self, done: int, total: int | None) -> None:
        """Account for a block: ``done`` bytes of the file have arrived, of ``total`` if that is known."""
        self.check()
        self.check_size(max(done, total or 0))
        if self.settings.progress is not None:
            try:
                self.settings.progress(done, total)
            except Exception as error:  # the user's code: it must not look like trouble of the network
                raise TransferError(
                    TransferFailure.CANCELLED, f"{self.place}: the progress callback failed: {error!r}"
                ) from error

    def check_size(self, size: int) -> None:
        """`TransferError` if a file of this many bytes is too large."""
        limit = self.settings.max_size
        if limit is not None and size > limit:
            raise TransferError(TransferFailure.SIZE, f"{self.place}: larger than the limit of {limit} bytes")

    # --- sockets ----------------------------------------------------------------------------------------------------

    def connect(self, host: str, port: int) -> socket.socket:
        """A plain connection: the first of the host's addresses that takes one."""
        self.check()
        failure: OSError | None = None
        for family, kind, protocol, _name, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            sock = _PlainSocket(family, kind, protocol)
            try:
                self._adopt(sock)
                sock.settimeout(self.patience(self.settings.connect_timeout))
                sock.connect(address)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                return sock
            except OSError as error:
                self.forget(sock)
                self.check()
                failure = error
        raise failure or OSError(f"{host} has no address")

    def encrypt(self, sock: socket.socket, host: str, session: ssl.SSLSession | None = None) -> ssl.SSLSocket:
        """TLS over a connection, with the host's name and certificate checked. The plain socket is used up."""
        if self._tls is None:
            self._tls = _tls_context(self.settings)
        sock.settimeout(self.patience(self.settings.connect_timeout))
        encrypted = self._tls.wrap_socket(
            sock,
            server_hostname=host,
            session=session,
            do_handshake_on_connect=False,  # not before `cancel` can reach it
            suppress_ragged_eofs=False,  # an end without close_notify may be a cut
        )
        self._sockets.remove(sock)
        self._adopt(encrypted)
        encrypted.do_handshake()
        return encrypted

    def _adopt(self, sock: socket.socket) -> None:
        assert isinstance(sock, _Watched)  # ours, or made by our TLS context
        sock.job = self
        self._sockets.append(sock)
        self.check()

    def forget(self, sock: socket.socket) -> None:
        """Close a connection."""
        sock.close()
        if sock in self._sockets:
            self._sockets.remove(sock)

    def close(self) -> None:
        """Close all connections."""
        while self._sockets:
            self._sockets.pop().close()

    # --- errors -----------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Map what the network does to us: our own wish to end comes first, whatever its symptom was."""
        try:
            yield
        except TransferError:
            raise
        except (OSError, EOFError, UnicodeError) as error:
            self.check()
            raise TransferError(*self._explained(error)) from error

    def _explained(self, error: Exception) -> tuple[TransferFailure, str]:
        place = self.place
        match error:
            case ssl.SSLCertVerificationError():
                return TransferFailure.TLS, f"{place}: certificate refused: {error.verify_message}"
            case ssl.SSLEOFError() | EOFError():
                return TransferFailure.NETWORK, f"{place}: the server ended the connection"
            case ssl.SSLError():
                reason = getattr(error, "reason", "") or "no reason given"
                return TransferFailure.TLS, f"{place}: TLS failed: {reason}"
            case TimeoutError():
                return TransferFailure.TIMEOUT, f"{place}: no answer in time"
            case socket.gaierror():
                return TransferFailure.NETWORK, f"{place}: host not found: {error.strerror}"
            case OSError():
                return TransferFailure.NETWORK, f"{place}: {error.strerror or type(error).__name__}"
            case _:
                return TransferFailure.ADDRESS, f"{place}: characters that cannot be sent"


class _Watched(socket.socket):
    """A socket that looks at its job before it waits."""

    job: Job | None = None  # none while TLS is being put over it

    def _look(self) -> None:
        if self.job is not None:
            self.settimeout(self.job.patience(self.job.settings.read_timeout))

    def recv(self, *arguments: Any) -> bytes:
        self._look()
        return super().recv(*arguments)

    def recv_into(self, *arguments: Any) -> int:
        self._look()
        return super().recv_into(*arguments)

    def send(self, *arguments: Any) -> int:
        self._look()
        return super().send(*arguments)

    def sendall(self, *arguments: Any) -> None:
        self._look()
        super().sendall(*arguments)


class _PlainSocket(_Watched):
    """Before and without TLS."""


class _TlsSocket(_Watched, ssl.SSLSocket):
    """With TLS."""


def _tls_context(settings: Settings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ca_file or None)
    except OSError as error:
        raise TransferError(
            TransferFailure.TLS, f"the CA certificates {settings.ca_file!r} cannot be read: {error.strerror}"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _TlsSocket
    if not settings.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
