"""Files by HTTP and HTTPS, against real servers with good and bad habits."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.transfer import FileTransfer, TransferError, TransferFailure
from openocpp.types import UploadLogStatusEnumType as Status
from tests.transfer.servers import CONTENT, PASSWORD, USER, USERINFO, Identity, WebServer, make_identity, web_server

if TYPE_CHECKING:
    from pathlib import Path


def fetch(site: WebServer, path: Path, url_path: str = "/fw.bin", userinfo: str = "", **settings: Any) -> int:
    return FileTransfer(**settings).fetch(site.url(url_path, userinfo), str(path))


def failure(site: WebServer, path: Path, url_path: str = "/fw.bin", **settings: Any) -> TransferFailure:
    with pytest.raises(TransferError) as caught:
        fetch(site, path, url_path, **settings)
    return caught.value.reason


# --- download -------------------------------------------------------------------------------------------------------


def test_a_download_puts_the_file_in_place_and_leaves_nothing_else(web: WebServer, tmp_path: Path) -> None:
    target = tmp_path / "fw.bin"
    target.write_bytes(b"the last version")
    assert fetch(web, target) == len(CONTENT)
    assert target.read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["fw.bin"]


@pytest.mark.parametrize("manner", ["chunked", "until the end"])
@pytest.mark.parametrize("tls", [False, True])
def test_a_size_that_is_not_told(manner: str, tls: bool, identity: Identity, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    with web_server(identity if tls else None) as site:
        site.chunked, site.say_length = manner == "chunked", False
        settings: dict[str, Any] = {"ca_file": identity.certificate, "progress": lambda *done: seen.append(done)}
        if tls and manner == "until the end":
            # http.server never says goodbye in TLS: an end like that may be a cut.
            assert failure(site, tmp_path / "fw.bin", **settings) is TransferFailure.NETWORK
            assert list(tmp_path.iterdir()) == []
            return
        assert fetch(site, tmp_path / "fw.bin", **settings) == len(CONTENT)
    assert (tmp_path / "fw.bin").read_bytes() == CONTENT
    assert seen[0] == (0, None)
    assert seen[-1] == (len(CONTENT), None)


def test_an_empty_file(web: WebServer, tmp_path: Path) -> None:
    web.content = b""
    assert fetch(web, tmp_path / "fw.bin") == 0
    assert (tmp_path / "fw.bin").read_bytes() == b""


def test_progress_grows_up_to_the_total(web: WebServer, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    fetch(web, tmp_path / "fw.bin", progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert seen == sorted(seen)


@pytest.mark.parametrize("version", [{"ETag": '"v1"'}, {"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}])
def test_a_cut_download_goes_on_where_it_ended(version: dict[str, str], web: WebServer, tmp_path: Path) -> None:
    web.headers = version
    web.cut_at = 200_000
    target = tmp_path / "fw.bin"
    assert failure(web, target) is TransferFailure.NETWORK
    assert not target.exists()
    assert (tmp_path / "fw.bin.part").read_bytes() == CONTENT[:200_000]
    seen: list[tuple[int, int | None]] = []
    # Another object: as after a restart of the program.
    assert fetch(web, target, progress=lambda done, total: seen.append((done, total))) == len(CONTENT)
    assert web.requests[1].headers["Range"] == "bytes=200000-"
    assert web.requests[1].headers["If-Range"] == next(iter(version.values()))
    assert seen[0] == (200_000, len(CONTENT))
    assert target.read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["fw.bin"]


def cut_once(web: WebServer, target: Path) -> None:
    web.cut_at = 200_000
    assert failure(web, target) is TransferFailure.NETWORK


@pytest.mark.parametrize("headers", [{}, {"ETag": 'W/"v1"'}])
def test_without_a_strong_version_a_cut_download_begins_anew(
    headers: dict[str, str], web: WebServer, tmp_path: Path
) -> None:
    web.headers = headers
    cut_once(web, tmp_path / "fw.bin")
    assert list(tmp_path.iterdir()) == []
    fetch(web, tmp_path / "fw.bin")
    assert "Range" not in web.requests[1].headers


def test_a_file_that_changed_meanwhile_is_not_mixed(web: WebServer, tmp_path: Path) -> None:
    web.headers = {"ETag": '"v1"'}
    cut_once(web, tmp_path / "fw.bin")
    web.headers, web.content = {"ETag": '"v2"'}, CONTENT[::-1]
    fetch(web, tmp_path / "fw.bin")
    assert (tmp_path / "fw.bin").read_bytes() == CONTENT[::-1]
    assert web.requests[1].headers["If-Range"] == '"v1"'


def test_a_file_that_became_shorter_than_our_part_is_asked_for_as_a_whole(web: WebServer, tmp_path: Path) -> None:
    web.headers = {"ETag": '"v1"'}
    cut_once(web, tmp_path / "fw.bin")
    web.content = b"short"  # with the same ETag, so that the range cannot be met
    assert fetch(web, tmp_path / "fw.bin") == 5
    assert [("Range" in request.headers) for request in web.requests] == [False, True, False]


@pytest.mark.parametrize("fault", ["wrong_range", "silent_range", "blind_range"])
def test_a_rest_that_may_be_of_something_else_is_not_appended(fault: str, web: WebServer, tmp_path: Path) -> None:
    web.headers = {"ETag": '"v1"'}
    cut_once(web, tmp_path / "fw.bin")
    setattr(web, fault, True)
    if fault == "blind_range":
        web.headers = {"ETag": '"v2"'}
    web.content = CONTENT[::-1]
    fetch(web, tmp_path / "fw.bin")
    assert (tmp_path / "fw.bin").read_bytes() == CONTENT[::-1]
    assert len(web.requests) == 3


def test_a_server_without_ranges_sends_the_whole_again(web: WebServer, tmp_path: Path) -> None:
    web.headers, web.ranges = {"ETag": '"v1"'}, False
    cut_once(web, tmp_path / "fw.bin")
    fetch(web, tmp_path / "fw.bin")
    assert (tmp_path / "fw.bin").read_bytes() == CONTENT


def test_resumption_can_be_switched_off(web: WebServer, tmp_path: Path) -> None:
    web.headers = {"ETag": '"v1"'}
    cut_once(web, tmp_path / "fw.bin")
    fetch(web, tmp_path / "fw.bin", resume=False)
    assert "Range" not in web.requests[1].headers
    assert (tmp_path / "fw.bin").read_bytes() == CONTENT


def test_the_part_of_another_file_is_not_used(web: WebServer, tmp_path: Path) -> None:
    web.headers = {"ETag": '"v1"'}
    cut_once(web, tmp_path / "fw.bin")
    fetch(web, tmp_path / "fw.bin", "/other.bin")
    assert "Range" not in web.requests[1].headers


def test_a_failure_before_the_content_leaves_the_part_for_later(web: WebServer, tmp_path: Path) -> None:
    web.headers = {"ETag": '"v1"'}
    cut_once(web, tmp_path / "fw.bin")
    web.status = 503
    assert failure(web, tmp_path / "fw.bin") is TransferFailure.SERVER
    web.status = 0
    fetch(web, tmp_path / "fw.bin")
    assert web.requests[2].headers["Range"] == "bytes=200000-"


@pytest.mark.parametrize("chunked", [False, True])
def test_a_cut_in_the_middle_is_no_success(chunked: bool, web: WebServer, tmp_path: Path) -> None:
    web.chunked, web.cut_at = chunked, 100_000
    assert failure(web, tmp_path / "fw.bin") is TransferFailure.NETWORK
    assert not (tmp_path / "fw.bin").exists()


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (204, TransferFailure.SERVER),
        (206, TransferFailure.SERVER),
        (400, TransferFailure.PROTOCOL),
        (401, TransferFailure.DENIED),
        (403, TransferFailure.DENIED),
        (404, TransferFailure.NOT_FOUND),
        (405, TransferFailure.UNSUPPORTED),
        (416, TransferFailure.SERVER),
        (500, TransferFailure.SERVER),
    ],
)
def test_a_status_that_means_failure(status: int, reason: TransferFailure, web: WebServer, tmp_path: Path) -> None:
    web.status = status
    assert failure(web, tmp_path / "fw.bin") is reason
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("raw", [b"220 ftp ready\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 " + b"x" * 70_000])
def test_what_is_no_answer_of_http(raw: bytes, web: WebServer, tmp_path: Path) -> None:
    web.raw = raw
    assert failure(web, tmp_path / "fw.bin") is TransferFailure.PROTOCOL


def test_a_file_larger_than_the_limit(web: WebServer, tmp_path: Path) -> None:
    assert failure(web, tmp_path / "fw.bin", max_size=len(CONTENT) - 1) is TransferFailure.SIZE
    assert fetch(web, tmp_path / "fw.bin", max_size=len(CONTENT)) == len(CONTENT)


def test_the_limit_holds_when_the_size_was_not_told(web: WebServer, tmp_path: Path) -> None:
    web.chunked = True
    web.headers = {"ETag": '"v1"'}
    assert failure(web, tmp_path / "fw.bin", max_size=100_000) is TransferFailure.SIZE
    assert list(tmp_path.iterdir()) == []


# --- credentials and redirections -----------------------------------------------------------------------------------


def basic() -> str:
    return "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def test_credentials_of_the_url_are_decoded_and_used(web: WebServer, tmp_path: Path) -> None:
    web.authorization = basic()
    assert fetch(web, tmp_path / "fw.bin", userinfo=USERINFO) == len(CONTENT)
    assert failure(web, tmp_path / "fw.bin", userinfo="eve:guess") is TransferFailure.DENIED
    assert failure(web, tmp_path / "fw.bin") is TransferFailure.DENIED


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_download_follows_redirections(status: int, web: WebServer, tmp_path: Path) -> None:
    web.redirects = {"/old": (status, "/new?sig=a%20b"), "/new?sig=a%20b": (status, web.url("/fw.bin"))}
    web.authorization = basic()  # the same server gets the credentials again
    assert fetch(web, tmp_path / "fw.bin", "/old", USERINFO) == len(CONTENT)
    assert [request.path for request in web.requests] == ["/old", "/new?sig=a%20b", "/fw.bin"]


def test_another_server_does_not_get_the_credentials(web: WebServer, tmp_path: Path) -> None:
    with web_server() as other:
        web.redirects = {"/old": (302, other.url())}
        fetch(web, tmp_path / "fw.bin", "/old", USERINFO)
        assert "Authorization" in web.requests[0].headers
        assert "Authorization" not in other.requests[0].headers


def test_redirections_are_bounded(web: WebServer, tmp_path: Path) -> None:
    web.redirects = {"/loop": (302, "/loop")}
    assert failure(web, tmp_path / "fw.bin", "/loop", max_redirects=3) is TransferFailure.SERVER
    assert len(web.requests) == 4


def test_no_redirection_out_of_tls(web_tls: WebServer, web: WebServer, identity: Identity, tmp_path: Path) -> None:
    web_tls.redirects = {"/fw.bin": (302, web.url())}
    assert failure(web_tls, tmp_path / "fw.bin", ca_file=identity.certificate) is TransferFailure.TLS
    assert web.requests == []


# --- TLS ------------------------------------------------------------------------------------------------------------


def test_https_with_its_own_authority(web_tls: WebServer, identity: Identity, tmp_path: Path) -> None:
    web_tls.headers, web_tls.cut_at = {"ETag": '"v1"'}, 200_000
    assert failure(web_tls, tmp_path / "fw.bin", ca_file=identity.certificate) is TransferFailure.NETWORK
    assert fetch(web_tls, tmp_path / "fw.bin", ca_file=identity.certificate) == len(CONTENT)
    assert (tmp_path / "fw.bin").read_bytes() == CONTENT


def test_a_certificate_of_no_known_authority_is_refused(web_tls: WebServer, log_file: Path, tmp_path: Path) -> None:
    assert failure(web_tls, tmp_path / "fw.bin") is TransferFailure.TLS
    assert FileTransfer().upload(str(log_file), web_tls.url(userinfo=USERINFO)) is Status.UploadFailure
    assert web_tls.requests == []  # no request, no password


def test_a_certificate_of_another_host_is_refused(tmp_path: Path) -> None:
    elsewhere = make_identity(tmp_path, "elsewhere", "127.0.0.2")
    with web_server(elsewhere) as site:
        assert failure(site, tmp_path / "fw.bin", ca_file=elsewhere.certificate) is TransferFailure.TLS


def test_verification_can_be_switched_off(web_tls: WebServer, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert fetch(web_tls, tmp_path / "fw.bin", verify=False) == len(CONTENT)
    assert "not verified" in caplog.text


def test_authorities_that_cannot_be_read(web_tls: WebServer, tmp_path: Path) -> None:
    (tmp_path / "broken.pem").write_text("nothing")
    assert failure(web_tls, tmp_path / "fw.bin", ca_file=str(tmp_path / "absent.pem")) is TransferFailure.TLS
    assert failure(web_tls, tmp_path / "fw.bin", ca_file=str(tmp_path / "broken.pem")) is TransferFailure.TLS


def test_a_server_that_speaks_no_tls(web: WebServer, tmp_path: Path) -> None:
    with pytest.raises(TransferError) as caught:
        FileTransfer().fetch(web.url().replace("http:", "https:"), str(tmp_path / "fw.bin"))
    assert caught.value.reason is TransferFailure.TLS


# --- upload ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_an_upload_is_the_body_of_the_request(
    method: str, tls: bool, identity: Identity, log_file: Path, tmp_path: Path
) -> None:
    with web_server(identity if tls else None) as site:
        site.authorization = basic()
        transfer = FileTransfer(http_method=method, ca_file=identity.certificate)
        assert transfer.upload(str(log_file), site.url("/logs/a%20b.csv", USERINFO)) is Status.Uploaded
        (request,) = site.requests
    assert (request.method, request.path, request.body) == (method, "/logs/a%20b.csv", CONTENT)
    assert request.headers["Content-Type"] == "application/octet-stream"


def test_an_upload_as_a_form(web: WebServer, log_file: Path) -> None:
    assert FileTransfer(http_method="FORM").upload(str(log_file), web.url()) is Status.Uploaded
    (request,) = web.requests
    boundary = request.headers["Content-Type"].removeprefix("multipart/form-data; boundary=").encode()
    head, _, rest = request.body.partition(b"\r\n\r\n")
    assert request.method == "POST"
    assert head.startswith(b"--" + boundary + b"\r\n")
    assert b'name="file"; filename="security log.csv"' in head
    assert rest == CONTENT + b"\r\n--" + boundary + b"--\r\n"


def test_an_empty_upload(web: WebServer, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert FileTransfer().upload(str(tmp_path / "empty"), web.url()) is Status.Uploaded
    assert web.requests[0].headers["Content-Length"] == "0"


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (200, Status.Uploaded),
        (400, Status.BadMessage),
        (401, Status.PermissionDenied),
        (403, Status.PermissionDenied),
        (404, Status.UploadFailure),
        (405, Status.NotSupportedOperation),
        (500, Status.UploadFailure),
        (501, Status.NotSupportedOperation),
    ],
)
def test_the_status_of_an_upload(status: int, result: Status, web: WebServer, log_file: Path) -> None:
    web.status = status
    assert FileTransfer().upload(str(log_file), web.url()) is result


@pytest.mark.parametrize("tls", [False, True])
def test_a_refusal_before_the_body_was_read_is_understood(tls: bool, identity: Identity, tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes(8_000_000))  # more than the sockets take
    with web_server(identity if tls else None) as site:
        site.cut_body_at, site.status = 1000, 403
        result = FileTransfer(ca_file=identity.certificate).upload(str(large), site.url())
    assert result is Status.PermissionDenied


def test_a_taken_upload_whose_body_was_not_read_is_no_success(web: WebServer, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(8_000_000))
    web.cut_body_at, web.status = 1000, 200
    assert FileTransfer().upload(str(tmp_path / "large"), web.url()) is Status.UploadFailure


@pytest.mark.parametrize(
    ("method", "status", "result"),
    [
        ("PUT", 301, Status.Uploaded),
        ("PUT", 307, Status.Uploaded),
        ("PUT", 303, Status.UploadFailure),
        ("POST", 308, Status.Uploaded),
        ("POST", 302, Status.UploadFailure),
    ],
)
def test_an_upload_follows_what_keeps_its_method(
    method: str, status: int, result: Status, web: WebServer, log_file: Path
) -> None:
    web.redirects = {"/old": (status, "/new")}
    assert FileTransfer(http_method=method).upload(str(log_file), web.url("/old")) is result
    if result is Status.Uploaded:
        assert (web.requests[1].method, web.requests[1].path, web.requests[1].body) == (method, "/new", CONTENT)


def test_redirections_of_an_upload_are_bounded(web: WebServer, log_file: Path) -> None:
    web.redirects = {"/loop": (307, "/loop")}
    assert FileTransfer(max_redirects=1).upload(str(log_file), web.url("/loop")) is Status.UploadFailure
    assert len(web.requests) == 2


def test_an_upload_larger_than_the_limit_is_not_begun(web: WebServer, log_file: Path) -> None:
    assert FileTransfer(max_size=1000).upload(str(log_file), web.url()) is Status.UploadFailure
    assert web.requests == []
