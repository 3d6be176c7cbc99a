"""Files by FTP and FTPS, against pyftpdlib."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.transfer import FileTransfer, TransferError, TransferFailure
from openocpp.transfer.job import Job
from openocpp.types import UploadLogStatusEnumType as Status
from tests.conftest import scaled
from tests.transfer.servers import CONTENT, PASSWORD, USER, USERINFO, FtpSite, Identity, ftp_server, make_identity

if TYPE_CHECKING:
    import ssl
    from pathlib import Path


def fetch(site: FtpSite, path: Path, url_path: str = "/fw.bin", userinfo: str = USERINFO, **settings: Any) -> int:
    return FileTransfer(**settings).fetch(site.url(url_path, userinfo), str(path))


def failure(
    site: FtpSite, path: Path, url_path: str = "/fw.bin", userinfo: str = USERINFO, **settings: Any
) -> TransferFailure:
    with pytest.raises(TransferError) as caught:
        fetch(site, path, url_path, userinfo, **settings)
    assert PASSWORD not in str(caught.value)
    return caught.value.reason


# --- download -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("userinfo", ["", USERINFO])
def test_a_download(userinfo: str, ftp: FtpSite, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    transfer = FileTransfer(progress=lambda done, total: seen.append((done, total)))
    assert transfer.fetch(ftp.url(userinfo=userinfo), str(tmp_path / "fw.bin")) == len(CONTENT)
    assert (tmp_path / "fw.bin").read_bytes() == CONTENT
    assert (seen[0], seen[-1]) == ((0, len(CONTENT)), (len(CONTENT), len(CONTENT)))
    assert {path.name for path in tmp_path.iterdir()} == {"remote", "fw.bin"}


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_ipv6(remote: Path, tmp_path: Path) -> None:
    with ftp_server(remote, address="::1") as site:
        assert fetch(site, tmp_path / "fw.bin") == len(CONTENT)
        assert "EPSV" in site.commands
        for reply in ("229 Here (|||many|).", "229 Here.", "229 Here (|||0|)."):
            site.refused = {"EPSV": reply}
            assert failure(site, tmp_path / "fw.bin") is TransferFailure.PROTOCOL


def test_folders_and_encoded_names(ftp: FtpSite, remote: Path, tmp_path: Path) -> None:
    (remote / "firm ware" / "größe").mkdir(parents=True)
    (remote / "firm ware" / "größe" / "50%#1.bin").write_bytes(b"found")
    assert fetch(ftp, tmp_path / "fw.bin", "/firm%20ware/gr%C3%B6%C3%9Fe/50%25%231.bin") == 5


def test_a_cut_download_goes_on_where_it_ended(ftp: FtpSite, tmp_path: Path) -> None:
    ftp.cut_at = 200_000
    assert failure(ftp, tmp_path / "fw.bin") is TransferFailure.NETWORK
    part = (tmp_path / "fw.bin.part").stat().st_size
    assert 0 < part < len(CONTENT)
    assert fetch(ftp, tmp_path / "fw.bin") == len(CONTENT)
    assert f"REST {part}" in ftp.commands
    assert (tmp_path / "fw.bin").read_bytes() == CONTENT
    assert {path.name for path in tmp_path.iterdir()} == {"remote", "fw.bin"}


def test_a_file_that_changed_meanwhile_is_not_mixed(ftp: FtpSite, remote: Path, tmp_path: Path) -> None:
    ftp.cut_at = 200_000
    assert failure(ftp, tmp_path / "fw.bin") is TransferFailure.NETWORK
    (remote / "fw.bin").write_bytes(CONTENT[::-1] + b"!")
    fetch(ftp, tmp_path / "fw.bin")
    assert (tmp_path / "fw.bin").read_bytes() == CONTENT[::-1] + b"!"


@pytest.mark.parametrize(
    "refused", [{"MDTM": "500 What?"}, {"SIZE": "550 Not in this mode."}, {"REST": "502 Not implemented."}]
)
def test_a_server_that_cannot_resume_sends_the_whole_again(
    refused: dict[str, str], ftp: FtpSite, tmp_path: Path
) -> None:
    if "REST" not in refused:
        ftp.refused = refused
    ftp.cut_at = 200_000
    assert failure(ftp, tmp_path / "fw.bin") is TransferFailure.NETWORK
    ftp.refused = refused
    assert fetch(ftp, tmp_path / "fw.bin") == len(CONTENT)
    assert (tmp_path / "fw.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("path", "reason"), [("/absent.bin", TransferFailure.NOT_FOUND), ("/absent/fw.bin", TransferFailure.NOT_FOUND)]
)
def test_what_is_not_there(path: str, reason: TransferFailure, ftp: FtpSite, tmp_path: Path) -> None:
    assert failure(ftp, tmp_path / "fw.bin", path) is reason
    assert {path.name for path in tmp_path.iterdir()} == {"remote"}


def test_a_url_that_names_no_file(ftp: FtpSite, tmp_path: Path) -> None:
    assert failure(ftp, tmp_path / "fw.bin", "/") is TransferFailure.ADDRESS
    assert ftp.commands == []


def test_bad_credentials(ftp: FtpSite, tmp_path: Path) -> None:
    assert failure(ftp, tmp_path / "fw.bin", userinfo="eve:guess") is TransferFailure.DENIED


def test_a_server_that_repeats_the_password(ftp: FtpSite, tmp_path: Path) -> None:
    ftp.refused = {"PASS": f"530 {USER} must not use {PASSWORD} here."}
    with pytest.raises(TransferError) as caught:
        fetch(ftp, tmp_path / "fw.bin")
    assert "530 *** must not use *** here." in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("refused", "reason"),
    [
        ({"RETR": "421 Too many connections."}, TransferFailure.SERVER),
        ({"RETR": "200 Done."}, TransferFailure.TIMEOUT),  # no data connection, and silence
        ({"RETR": "350 And now?"}, TransferFailure.PROTOCOL),
        ({"PASV": "227 Anywhere."}, TransferFailure.PROTOCOL),
        ({"PASV": "227 Here (127,0,0,1,999,999)."}, TransferFailure.PROTOCOL),
        ({"PASV": "227 Here (127,0,0,1,0,0)."}, TransferFailure.PROTOCOL),
        ({"TYPE": "999 What?"}, TransferFailure.PROTOCOL),
    ],
)
def test_replies_that_mean_failure(
    refused: dict[str, str], reason: TransferFailure, ftp: FtpSite, tmp_path: Path
) -> None:
    ftp.refused = refused
    assert failure(ftp, tmp_path / "fw.bin", read_timeout=0.3) is reason


@pytest.mark.parametrize(
    ("reply", "reason"),
    [("226 Done.", TransferFailure.NETWORK), ("426 Aborted.", TransferFailure.SERVER)],
)
def test_an_end_in_the_middle_is_no_success_whatever_the_reply(
    reply: str, reason: TransferFailure, ftp: FtpSite, tmp_path: Path
) -> None:
    ftp.cut_at, ftp.cut_reply = 100_000, reply
    assert failure(ftp, tmp_path / "fw.bin") is reason
    assert not (tmp_path / "fw.bin").exists()


def test_replies_in_another_encoding_are_understood(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse() -> None:
            connection, _address = server.accept()
            with connection:
                connection.sendall("421 Zu viele Verbindungen, später bitte.\r\n".encode("latin-1"))

        thread = threading.Thread(target=refuse)
        thread.start()
        with pytest.raises(TransferError, match="421 Zu viele") as caught:
            FileTransfer().fetch(f"ftp://127.0.0.1:{server.getsockname()[1]}/x", str(tmp_path / "fw.bin"))
        thread.join(scaled(10))
    assert caught.value.reason is TransferFailure.SERVER


def test_a_server_that_confirms_first(ftp: FtpSite, tmp_path: Path) -> None:
    ftp.prefixes = {"RETR": "200 I will."}
    assert fetch(ftp, tmp_path / "fw.bin") == len(CONTENT)


def test_a_file_larger_than_the_limit(ftp: FtpSite, tmp_path: Path) -> None:
    assert failure(ftp, tmp_path / "fw.bin", max_size=len(CONTENT) - 1) is TransferFailure.SIZE
    assert not any(command.startswith("RETR") for command in ftp.commands)
    ftp.refused = {"SIZE": "550 Not in this mode."}
    assert failure(ftp, tmp_path / "fw.bin", max_size=len(CONTENT) - 1) is TransferFailure.SIZE
    assert {path.name for path in tmp_path.iterdir()} == {"remote"}


# --- upload ---------------------------------------------------------------------------------------------------------


def test_an_upload(ftp: FtpSite, remote: Path, log_file: Path) -> None:
    (remote / "logs").mkdir()
    assert FileTransfer().upload(str(log_file), ftp.url("/logs/a%20b.csv")) is Status.Uploaded
    assert (remote / "logs" / "a b.csv").read_bytes() == CONTENT


def test_a_cut_upload_goes_on_where_it_ended(ftp: FtpSite, remote: Path, log_file: Path) -> None:
    transfer = FileTransfer()
    ftp.cut_at = 200_000
    assert transfer.upload(str(log_file), ftp.url("/log.csv")) is Status.UploadFailure
    arrived = (remote / "log.csv").stat().st_size
    assert 0 < arrived < len(CONTENT)
    ftp.refused = {"USER": "421 Not now."}  # an attempt that comes to nothing does not lose the thread
    assert transfer.upload(str(log_file), ftp.url("/log.csv")) is Status.UploadFailure
    ftp.refused = {}
    assert transfer.upload(str(log_file), ftp.url("/log.csv")) is Status.Uploaded
    assert f"REST {arrived}" in ftp.commands
    assert (remote / "log.csv").read_bytes() == CONTENT


def test_a_cut_upload_begins_anew_when_the_server_knows_no_rest(ftp: FtpSite, remote: Path, log_file: Path) -> None:
    transfer = FileTransfer()
    ftp.cut_at = 200_000
    assert transfer.upload(str(log_file), ftp.url("/log.csv")) is Status.UploadFailure
    ftp.refused = {"REST": "502 Not implemented."}
    assert transfer.upload(str(log_file), ftp.url("/log.csv")) is Status.Uploaded
    assert (remote / "log.csv").read_bytes() == CONTENT


@pytest.mark.parametrize("change", ["our file", "theirs", "setting"])
def test_an_upload_is_not_continued_with_something_else(
    change: str, ftp: FtpSite, remote: Path, log_file: Path
) -> None:
    transfer = FileTransfer(resume=change != "setting")
    ftp.cut_at = 200_000
    assert transfer.upload(str(log_file), ftp.url("/log.csv")) is Status.UploadFailure
    content = CONTENT
    if change == "our file":
        content = CONTENT[::-1] + b"!"
        log_file.write_bytes(content)
    elif change == "theirs":  # longer than what we ever sent
        (remote / "log.csv").write_bytes(bytes(len(CONTENT) + 1))
    assert transfer.upload(str(log_file), ftp.url("/log.csv")) is Status.Uploaded
    assert (remote / "log.csv").read_bytes() == content
    assert not any(command.startswith("REST") for command in ftp.commands)


def test_a_file_of_the_same_name_is_replaced(ftp: FtpSite, remote: Path, log_file: Path) -> None:
    (remote / "log.csv").write_bytes(b"of another day")
    assert FileTransfer().upload(str(log_file), ftp.url("/log.csv")) is Status.Uploaded
    assert (remote / "log.csv").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("refused", "result"),
    [
        ({"PASS": "530 No."}, Status.PermissionDenied),
        ({"STOR": "550 Not enough privileges."}, Status.PermissionDenied),
        ({"STOR": "550 No such directory."}, Status.UploadFailure),
        ({"STOR": "553 Name not allowed."}, Status.PermissionDenied),
        ({"STOR": "552 Over quota."}, Status.UploadFailure),
        ({"STOR": "502 Not implemented."}, Status.NotSupportedOperation),
        ({"STOR": "501 What?"}, Status.BadMessage),
        ({"SIZE": "213 17"}, Status.UploadFailure),  # what arrived is not what was sent
        ({"SIZE": "213 many"}, Status.Uploaded),
        ({"SIZE": "500 What?"}, Status.Uploaded),
    ],
)
def test_the_status_of_an_upload(refused: dict[str, str], result: Status, ftp: FtpSite, log_file: Path) -> None:
    ftp.refused = refused
    assert FileTransfer().upload(str(log_file), ftp.url("/log.csv")) is result


@pytest.mark.parametrize(
    ("reply", "result"), [("552 Over quota.", TransferFailure.SIZE), ("226 Enough.", TransferFailure.NETWORK)]
)
def test_a_server_that_stops_listening_may_say_why(
    reply: str, result: TransferFailure, ftp: FtpSite, tmp_path: Path
) -> None:
    (tmp_path / "large").write_bytes(bytes(8_000_000))  # more than the sockets take
    ftp.cut_at, ftp.cut_reply = 100_000, reply
    with pytest.raises(TransferError) as caught:
        FileTransfer().send(str(tmp_path / "large"), ftp.url("/log.csv"))
    assert caught.value.reason is result


def test_an_anonymous_upload_is_not_allowed_there(ftp: FtpSite, log_file: Path) -> None:
    assert FileTransfer().upload(str(log_file), ftp.url("/log.csv", userinfo="")) is Status.PermissionDenied


# --- FTPS -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("implicit", [False, True])
def test_ftps_encrypts_control_and_data(
    implicit: bool, remote: Path, identity: Identity, log_file: Path, tmp_path: Path
) -> None:
    with ftp_server(remote, identity, implicit=implicit) as site:
        ports = (site.port,) if implicit else ()
        transfer = FileTransfer(ca_file=identity.certificate, implicit_ftps_ports=ports)
        assert transfer.upload(str(log_file), site.url("/log.csv")) is Status.Uploaded
        assert transfer.download(site.url(), str(tmp_path / "fw.bin"))
        assert ("AUTH TLS" in site.commands) is not implicit
        assert "PROT P" in site.commands
    assert (remote / "log.csv").read_bytes() == CONTENT
    assert (tmp_path / "fw.bin").read_bytes() == CONTENT


def test_the_data_connection_continues_the_session(
    ftps: FtpSite, identity: Identity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reused: list[bool | None] = []
    encrypt = Job.encrypt

    def watched(job: Job, *arguments: Any) -> ssl.SSLSocket:
        sock = encrypt(job, *arguments)
        reused.append(sock.session_reused)
        return sock

    monkeypatch.setattr(Job, "encrypt", watched)
    fetch(ftps, tmp_path / "fw.bin", ca_file=identity.certificate)
    assert reused == [False, True]


def test_cut_transfers_by_ftps_go_on_where_they_ended(
    ftps: FtpSite, identity: Identity, remote: Path, log_file: Path, tmp_path: Path
) -> None:
    transfer = FileTransfer(ca_file=identity.certificate)
    ftps.cut_at = 200_000
    assert not transfer.download(ftps.url(), str(tmp_path / "fw.bin"))
    assert transfer.download(ftps.url(), str(tmp_path / "fw.bin"))
    assert (tmp_path / "fw.bin").read_bytes() == CONTENT
    ftps.cut_at = 200_000
    assert transfer.upload(str(log_file), ftps.url("/log.csv")) is Status.UploadFailure
    assert transfer.upload(str(log_file), ftps.url("/log.csv")) is Status.Uploaded
    assert (remote / "log.csv").read_bytes() == CONTENT
    assert sum(command.startswith("REST") for command in ftps.commands) == 2


def test_without_the_goodbye_of_tls_only_the_size_proves_the_end(
    ftps: FtpSite, identity: Identity, tmp_path: Path
) -> None:
    ftps.ragged = True
    assert fetch(ftps, tmp_path / "fw.bin", ca_file=identity.certificate) == len(CONTENT)
    ftps.refused = {"SIZE": "550 Not in this mode."}
    assert failure(ftps, tmp_path / "fw.bin", ca_file=identity.certificate) is TransferFailure.NETWORK
    ftps.ragged = False
    assert fetch(ftps, tmp_path / "fw.bin", ca_file=identity.certificate) == len(CONTENT)


def test_a_certificate_of_no_known_authority_is_refused(ftps: FtpSite, log_file: Path, tmp_path: Path) -> None:
    assert failure(ftps, tmp_path / "fw.bin") is TransferFailure.TLS
    assert FileTransfer().upload(str(log_file), ftps.url("/log.csv")) is Status.UploadFailure
    assert [command.split()[0] for command in ftps.commands] == ["AUTH", "AUTH"]  # no user, no password


def test_a_certificate_of_another_host_is_refused(remote: Path, tmp_path: Path) -> None:
    elsewhere = make_identity(tmp_path, "elsewhere", "127.0.0.2")
    with ftp_server(remote, elsewhere) as site:
        assert failure(site, tmp_path / "fw.bin", ca_file=elsewhere.certificate) is TransferFailure.TLS


def test_verification_can_be_switched_off(ftps: FtpSite, tmp_path: Path) -> None:
    assert fetch(ftps, tmp_path / "fw.bin", verify=False) == len(CONTENT)


@pytest.mark.parametrize(
    ("refused", "seen"), [({"AUTH": "502 Not implemented."}, "AUTH TLS"), ({"PROT": "534 Never."}, "PROT P")]
)
def test_a_server_that_does_not_encrypt_gets_nothing(
    refused: dict[str, str], seen: str, ftps: FtpSite, identity: Identity, log_file: Path
) -> None:
    ftps.refused = refused
    transfer = FileTransfer(ca_file=identity.certificate)
    assert transfer.upload(str(log_file), ftps.url("/log.csv")) is not Status.Uploaded
    assert ftps.commands[-1] == seen
    assert ftps.arrived == []
