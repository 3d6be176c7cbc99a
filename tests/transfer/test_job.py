"""One transfer's deadline, cancellation and sockets."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.transfer import TransferError, TransferFailure
from openocpp.transfer.job import Job, Settings, _TlsSocket
from openocpp.transfer.place import parse
from tests.conftest import scaled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.transfer.servers import Identity, WebServer


def make_job(**settings: Any) -> Job:
    usual: dict[str, Any] = {
        "connect_timeout": scaled(10),
        "read_timeout": scaled(10),
        "deadline": None,
        "max_size": 100,
        "max_redirects": 5,
        "ca_file": "",
        "verify": True,
        "resume": True,
        "http_method": "PUT",
        "implicit_ftps_ports": frozenset(),
        "progress": None,
    }
    return Job(Settings(**{**usual, **settings}), parse("https://user:secret@host/file", ("https",)))


@contextlib.contextmanager
def connection(job: Job) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A socket of the job and its peer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        sock = job.connect("127.0.0.1", server.getsockname()[1])
        peer, _address = server.accept()
        try:
            yield sock, peer
        finally:
            peer.close()
            job.close()


def reason_of(call: Any, *arguments: Any) -> TransferFailure:
    with pytest.raises(TransferError) as caught:
        call(*arguments)
    return caught.value.reason


def test_patience_ends_at_the_deadline() -> None:
    assert make_job().patience(7.0) == 7.0
    assert make_job(deadline=1000.0).patience(7.0) == 7.0
    assert 0 < make_job(deadline=1000.0).patience(5000.0) <= 1000.0
    assert reason_of(make_job(deadline=1e-9).patience, 7.0) is TransferFailure.TIMEOUT


def test_a_cancelled_job_begins_nothing() -> None:
    job = make_job()
    job.cancel()
    assert reason_of(job.check) is TransferFailure.CANCELLED
    assert reason_of(job.connect, "127.0.0.1", 1) is TransferFailure.CANCELLED
    assert reason_of(job.moved, 1, 2) is TransferFailure.CANCELLED


def test_sizes_are_checked_as_told_and_as_counted() -> None:
    job = make_job()
    job.moved(100, 100)
    job.moved(100, None)
    assert reason_of(job.moved, 1, 101) is TransferFailure.SIZE
    assert reason_of(job.moved, 101, None) is TransferFailure.SIZE
    make_job(max_size=None).moved(1 << 60, None)


def test_cancel_wakes_a_reader() -> None:
    job = make_job()
    with connection(job) as (sock, _peer):
        reasons: list[TransferFailure] = []

        def read() -> None:
            try:
                while True:
                    sock.recv(1)
            except TransferError as error:
                reasons.append(error.reason)

        reader = threading.Thread(target=read)
        reader.start()
        job.cancel()
        reader.join(scaled(5))
        assert reasons == [TransferFailure.CANCELLED]


def test_cancel_wakes_a_handshake() -> None:
    job = make_job()
    with connection(job) as (sock, peer):
        reasons: list[TransferFailure] = []

        def shake_hands() -> None:
            with pytest.raises(TransferError) as caught, job.errors():
                job.encrypt(sock, "host")
            reasons.append(caught.value.reason)

        thread = threading.Thread(target=shake_hands)
        thread.start()
        assert peer.recv(1) == b"\x16"  # the handshake is under way
        job.cancel()
        thread.join(scaled(5))
        assert reasons == [TransferFailure.CANCELLED]


def test_cancel_while_a_socket_changes_hands_is_noticed() -> None:
    job = make_job()

    class Cancelling(ssl.SSLContext):
        def wrap_socket(self, *arguments: Any, **settings: Any) -> ssl.SSLSocket:
            sock = super().wrap_socket(*arguments, **settings)
            job.cancel()
            return sock

    job._tls = Cancelling(ssl.PROTOCOL_TLS_CLIENT)
    job._tls.sslsocket_class = _TlsSocket
    with connection(job) as (sock, peer):
        assert reason_of(job.encrypt, sock, "host") is TransferFailure.CANCELLED
        job.close()
        assert peer.recv(1) == b""  # not even the handshake was begun


def test_cancel_leaves_the_tls_on_for_who_reads(web_tls: WebServer, identity: Identity) -> None:
    job = make_job(ca_file=identity.certificate)
    sock = job.encrypt(job.connect("127.0.0.1", web_tls.port), "127.0.0.1")
    job.cancel()
    assert sock.version() is not None  # else a reader under way would take what is encrypted for the content
    job.close()


@pytest.mark.parametrize("operation", ["recv", "recv_into", "send", "sendall"])
def test_each_operation_looks_at_the_deadline(operation: str) -> None:
    job = make_job(deadline=1000.0)
    with connection(job) as (sock, peer):
        peer.sendall(b"x")
        job._ends = 0.0  # long ago
        argument: Any = {"recv": 1, "recv_into": bytearray(1)}.get(operation, b"x")
        assert reason_of(getattr(sock, operation), argument) is TransferFailure.TIMEOUT


def test_the_next_address_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    job = make_job()
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, but nobody listens
        addresses = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", address)
            for address in (closed.getsockname(), server.getsockname())
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_settings: addresses)
        assert job.connect("host", 80).getpeername() == server.getsockname()
        job.close()
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_settings: addresses[:1])
        with pytest.raises(ConnectionRefusedError):
            job.connect("host", 80)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_settings: [])
        with pytest.raises(OSError, match="no address"):
            job.connect("host", 80)


def verification_error() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError("verify failed")
    error.verify_message = "self-signed certificate"
    return error


@pytest.mark.parametrize(
    ("error", "reason", "text"),
    [
        (TransferError(TransferFailure.SIZE, "as it was"), TransferFailure.SIZE, "as it was"),
        (verification_error(), TransferFailure.TLS, "certificate refused: self-signed certificate"),
        (ssl.SSLEOFError(8, "EOF"), TransferFailure.NETWORK, "the server ended the connection"),
        (EOFError(), TransferFailure.NETWORK, "the server ended the connection"),
        (ssl.SSLError(1, "bad"), TransferFailure.TLS, "TLS failed"),
        (TimeoutError(), TransferFailure.TIMEOUT, "no answer in time"),
        (socket.gaierror(-2, "unknown"), TransferFailure.NETWORK, "host not found: unknown"),
        (ConnectionResetError(104, "reset"), TransferFailure.NETWORK, "reset"),
        (OSError("odd"), TransferFailure.NETWORK, "OSError"),
        ("ä".encode, TransferFailure.ADDRESS, "characters that cannot be sent"),
    ],
)
def test_errors_have_a_reason_and_name_the_place(error: Any, reason: TransferFailure, text: str) -> None:
    def fail() -> None:
        if callable(error):
            error("ascii")
        raise error

    with pytest.raises(TransferError, match=text) as caught, make_job().errors():
        fail()
    assert caught.value.reason is reason
    assert "secret" not in str(caught.value)


def test_a_bug_is_not_explained_away() -> None:
    with pytest.raises(KeyError), make_job().errors():
        raise KeyError("bug")


def test_the_wish_to_end_comes_before_its_symptom() -> None:
    job = make_job()

    def cut() -> None:
        job.cancel()
        raise ConnectionResetError(104, "reset")

    with pytest.raises(TransferError) as caught, job.errors():
        cut()
    assert caught.value.reason is TransferFailure.CANCELLED
