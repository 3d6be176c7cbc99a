"""The ready file transfer as a whole: settings, time, cancellation, secrets, trouble with the disk."""

from __future__ import annotations

import contextlib
import json
import logging
import resource
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.errors import ConfigError, OcppError
from openocpp.transfer import FileTransfer, TransferError, TransferFailure
from openocpp.types import UploadLogStatusEnumType as Status
from tests.conftest import scaled
from tests.transfer.servers import CONTENT, PASSWORD, USER, USERINFO, FtpSite, WebServer, web_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def in_thread(work: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """A user's thread, and where its result will be."""
    results: list[object] = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    return thread, results


# --- settings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {"connect_timeout": 0},
        {"read_timeout": -1},
        {"deadline": 0},
        {"max_size": -1},
        {"max_redirects": -1},
        {"http_method": "DELETE"},
        {"schemes": ("http", "sftp")},
    ],
)
def test_unusable_settings_are_named(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(settings))):
        FileTransfer(**settings)


def test_repr_tells_the_state() -> None:
    assert repr(FileTransfer(schemes=("https", "ftps"))) == "<FileTransfer by https, ftps: 0 running>"


@pytest.mark.parametrize(
    ("url", "result"),
    [
        ("sftp://127.0.0.1/log", Status.NotSupportedOperation),
        ("file:///etc/passwd", Status.NotSupportedOperation),
        ("http://127.0.0.1/log", Status.NotSupportedOperation),  # not among the schemes below
        ("127.0.0.1/log", Status.BadMessage),
        ("", Status.BadMessage),
        ("https://", Status.BadMessage),
    ],
)
def test_addresses_that_nothing_is_sent_to(url: str, result: Status, log_file: Path, tmp_path: Path) -> None:
    transfer = FileTransfer(schemes=("https", "ftp"))
    assert transfer.upload(str(log_file), url) is result
    assert not transfer.download(url, str(tmp_path / "fw.bin"))


def test_errors_are_errors_of_the_package() -> None:
    assert issubclass(TransferError, OcppError)


def test_nobody_listens(tmp_path: Path, log_file: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    transfer = FileTransfer()
    for scheme in ("http", "https", "ftp", "ftps"):
        assert not transfer.download(f"{scheme}://127.0.0.1:{port}/fw.bin", str(tmp_path / "fw.bin"))
        assert transfer.upload(str(log_file), f"{scheme}://127.0.0.1:{port}/log") is Status.UploadFailure


def test_a_host_that_does_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_arguments: Any, **_settings: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(TransferError, match="host not found") as caught:
        FileTransfer().fetch("https://nowhere.invalid/fw.bin", str(tmp_path / "fw.bin"))
    assert caught.value.reason is TransferFailure.NETWORK


# --- secrets --------------------------------------------------------------------------------------------------------


def shown(error: BaseException | None) -> str:
    """All that a traceback would print of an error and its causes."""
    text = ""
    while error is not None:
        text += f"{error} {error!r} "
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return text


def test_credentials_are_never_shown(
    web: WebServer, ftp: FtpSite, log_file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    transfer = FileTransfer()
    web.authorization = "Basic bm90IHRoaXM="
    web.redirects = {"/away": (302, f"http://{USERINFO}@127.0.0.1:{web.port}/x?token=t0k3n")}
    ftp.refused = {"PASS": f"530 Not {PASSWORD}."}
    urls = [web.url("/fw.bin?token=t0k3n", USERINFO), web.url("/away", USERINFO), ftp.url()]
    urls += [f"{scheme}://{USERINFO}@[::1/x" for scheme in ("http", "ftp")]
    urls += [f"http://{USER}:{PASSWORD}@127.0.0.1/x", f"gopher://{USERINFO}@127.0.0.1/x", f"{USERINFO}@127.0.0.1"]
    told = ""
    for url in urls:
        assert transfer.upload(str(log_file), url) is not Status.Uploaded
        assert not transfer.download(url, str(tmp_path / "fw.bin"))
        with pytest.raises(TransferError) as caught:
            transfer.fetch(url, str(tmp_path / "fw.bin"))
        told += shown(caught.value)
    web.redirects, web.authorization, web.cut_at, web.headers = {}, None, 200_000, {"ETag": '"v1"'}
    assert not transfer.download(urls[0], str(tmp_path / "fw.bin"))
    told += (tmp_path / "fw.bin.part.json").read_text() + repr(transfer) + caplog.text
    assert told.count("127.0.0.1") > len(urls)  # something was told
    for secret in (PASSWORD, "p%40ss", "p@ss", "t0k3n", USER, "station%207"):
        assert secret not in told


# --- time and cancellation ------------------------------------------------------------------------------------------


def test_a_silent_server_is_given_up(web: WebServer, tmp_path: Path) -> None:
    web.stall_at, web.headers = 100_000, {"ETag": '"v1"'}
    with pytest.raises(TransferError, match="no answer in time") as caught:
        FileTransfer(read_timeout=0.1).fetch(web.url(), str(tmp_path / "fw.bin"))
    assert caught.value.reason is TransferFailure.TIMEOUT
    assert (tmp_path / "fw.bin.part").read_bytes() == CONTENT[:100_000]


def test_the_deadline_ends_a_transfer_with_a_server_that_drips(web: WebServer, tmp_path: Path) -> None:
    web.drip = 0.02  # 4 s for the head, never silent as long as the read timeout
    with pytest.raises(TransferError, match=r"not done after 0\.2 s") as caught:
        FileTransfer(deadline=0.2).fetch(web.url(), str(tmp_path / "fw.bin"))
    assert caught.value.reason is TransferFailure.TIMEOUT


def test_a_server_that_never_answers(tmp_path: Path, log_file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        transfer = FileTransfer(read_timeout=0.1, connect_timeout=0.1)
        for scheme in ("http", "https", "ftp", "ftps"):
            with pytest.raises(TransferError) as caught:
                transfer.send(str(log_file), f"{scheme}://127.0.0.1:{port}/log")
            assert caught.value.reason is TransferFailure.TIMEOUT


@pytest.mark.parametrize("scheme", ["http", "https", "ftp", "ftps"])
def test_cancel_ends_a_transfer_that_waits_for_an_answer(scheme: str, log_file: Path) -> None:
    transfer = FileTransfer()
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"{scheme}://127.0.0.1:{mute.getsockname()[1]}/log"
        thread, results = in_thread(lambda: transfer.upload(str(log_file), url))
        connection, _address = mute.accept()
        with connection:
            transfer.cancel()
            thread.join(scaled(10))
    assert results == [Status.UploadFailure]
    assert repr(transfer).endswith("0 running>")


@pytest.mark.parametrize("tls", [False, True])
def test_cancel_ends_a_download_in_the_middle(tls: bool, identity: Any, tmp_path: Path) -> None:
    begun = threading.Event()
    target = tmp_path / "fw.bin"

    def progress(done: int, _total: int | None) -> None:
        if done >= 100_000:
            begun.set()

    with web_server(identity if tls else None) as site:
        site.stall_at, site.headers = 100_000, {"ETag": '"v1"'}
        transfer = FileTransfer(progress=progress, ca_file=identity.certificate)
        thread, results = in_thread(lambda: transfer.download(site.url(), str(target)))
        assert begun.wait(scaled(10))
        transfer.cancel()
        thread.join(scaled(10))
        assert results == [False]
        assert not target.exists()
        assert (tmp_path / "fw.bin.part").read_bytes() == CONTENT[:100_000]
        site.stall_at = None
        assert transfer.download(site.url(), str(target))  # later ones are not affected
    assert target.read_bytes() == CONTENT


def test_cancel_from_the_progress_callback(web: WebServer, log_file: Path) -> None:
    transfer = FileTransfer(progress=lambda done, _total: transfer.cancel() if done else None)
    with pytest.raises(TransferError) as caught:
        transfer.send(str(log_file), web.url())
    assert caught.value.reason is TransferFailure.CANCELLED


def test_cancel_at_the_last_byte_still_counts(web: WebServer, tmp_path: Path) -> None:
    transfer = FileTransfer(progress=lambda done, total: transfer.cancel() if done == total else None)
    with pytest.raises(TransferError) as caught:
        transfer.fetch(web.url(), str(tmp_path / "fw.bin"))
    assert caught.value.reason is TransferFailure.CANCELLED
    assert not (tmp_path / "fw.bin").exists()


def test_cancel_without_a_transfer_changes_nothing(web: WebServer, log_file: Path) -> None:
    transfer = FileTransfer()
    transfer.cancel()
    assert transfer.upload(str(log_file), web.url()) is Status.Uploaded


def test_a_progress_callback_that_fails_ends_the_transfer(web: WebServer, log_file: Path, tmp_path: Path) -> None:
    def progress(_done: int, _total: int | None) -> None:
        raise BrokenPipeError("of the display")

    transfer = FileTransfer(progress=progress)
    assert transfer.upload(str(log_file), web.url()) is Status.UploadFailure
    with pytest.raises(TransferError, match="progress callback failed"):
        transfer.fetch(web.url(), str(tmp_path / "fw.bin"))


def test_the_newer_of_two_downloads_to_one_file(web: WebServer, tmp_path: Path) -> None:
    """As when the central system asks for another firmware while the first one is on its way."""
    begun = threading.Event()
    transfer = FileTransfer(progress=lambda done, _total: begun.set() if done else None)
    web.stall_at, web.headers = 100_000, {"ETag": '"v1"'}
    thread, results = in_thread(lambda: transfer.download(web.url(), str(tmp_path / "fw.bin")))
    assert begun.wait(scaled(10))
    web.stall_at = None
    assert transfer.download(web.url("/other.bin"), str(tmp_path / "fw.bin"))
    thread.join(scaled(10))
    assert results == [False]
    assert (tmp_path / "fw.bin").read_bytes() == CONTENT
    assert repr(transfer).endswith("0 running>")


@pytest.mark.parametrize(("method", "ended"), [("PUT", True), ("POST", False), ("FORM", False)])
def test_the_newer_of_two_uploads_to_one_place(method: str, ended: bool, log_file: Path) -> None:
    """It takes the place of the older one, unless both may have come to stay."""
    transfer = FileTransfer(http_method=method)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}/log"
        first, first_results = in_thread(lambda: transfer.upload(str(log_file), url))
        one, _address = mute.accept()
        second, second_results = in_thread(lambda: transfer.upload(str(log_file), url))
        other, _address = mute.accept()
        third, third_results = in_thread(lambda: transfer.upload(str(log_file), f"{url}/elsewhere"))
        last, _address = mute.accept()
        if ended:
            first.join(scaled(10))
        assert first_results == ([Status.UploadFailure] if ended else [])
        assert (second_results, third_results) == ([], [])
        with one, other, last:
            transfer.cancel()
            for thread in (first, second, third):
                thread.join(scaled(10))


def test_only_some_interrupted_uploads_are_remembered(ftp: FtpSite, log_file: Path) -> None:
    transfer = FileTransfer()
    for number in range(17):
        ftp.cut_at = 100_000
        ftp.arrived.clear()
        assert transfer.upload(str(log_file), ftp.url(f"/{number}")) is Status.UploadFailure
    ftp.cut_at = None
    for number in (16, 0):  # the last is continued, the first is forgotten
        ftp.commands.clear()
        assert transfer.upload(str(log_file), ftp.url(f"/{number}")) is Status.Uploaded
        assert any(command.startswith("REST") for command in ftp.commands) is (number == 16)


# --- the disk -------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    """No file can grow beyond 300,000 bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_ends_a_download_and_is_freed(web: WebServer, ftp: FtpSite, remote: Path, tmp_path: Path) -> None:
    web.headers = {"ETag": '"v1"'}
    for url in (web.url(), ftp.url()):
        with full_disk(), pytest.raises(TransferError, match=r"cannot write .*fw\.bin\.part") as caught:
            FileTransfer().fetch(url, str(tmp_path / "fw.bin"))
        assert caught.value.reason is TransferFailure.FILE
        assert list(tmp_path.iterdir()) == [remote]


def test_a_target_that_cannot_be_written(web: WebServer, tmp_path: Path) -> None:
    for target in (tmp_path / "absent" / "fw.bin", tmp_path):
        with pytest.raises(TransferError) as caught:
            FileTransfer().fetch(web.url(), str(target))
        assert caught.value.reason is TransferFailure.FILE
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_read(web: WebServer, tmp_path: Path) -> None:
    for path in (tmp_path / "absent", tmp_path):
        assert FileTransfer().upload(str(path), web.url()) is Status.UploadFailure
    assert web.requests == []


def test_a_broken_note_is_not_believed(web: WebServer, tmp_path: Path) -> None:
    web.headers, web.cut_at = {"ETag": '"v1"'}, 200_000
    transfer = FileTransfer()
    assert not transfer.download(web.url(), str(tmp_path / "fw.bin"))
    note = tmp_path / "fw.bin.part.json"
    note.write_text(json.dumps({**json.loads(note.read_text()), "size": len(CONTENT)}))
    assert transfer.download(web.url(), str(tmp_path / "fw.bin"))
    assert "Range" not in web.requests[1].headers
    assert (tmp_path / "fw.bin").read_bytes() == CONTENT
