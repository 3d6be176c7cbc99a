from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openocpp.transport.admission import unauthorized
from openocpp.transport.base import Refused
from openocpp.transport.http_request import (
    HttpRequest,
    answer_refused,
    answer_upgrade,
    could_be_request,
    judge_upgrade,
    parse_request,
)

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # that of RFC 6455 §1.3
RIGHT = {
    "Host": "server.example.com",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Protocol": "ocpp1.6",
}


def head(fields: dict[str, str] | None = None, line: str = "GET /openocpp/CP1 HTTP/1.1") -> bytes:
    """A right request, with some fields replaced; None removes one, a list repeats it."""
    return "\r\n".join([line, *(f"{name}: {value}" for name, value in (fields or RIGHT).items())]).encode("latin-1")


def changed(name: str, value: str | None) -> dict[str, str]:
    fields = dict(RIGHT)
    fields.pop(name, None)
    if value is not None:
        fields[name] = value
    return fields


def test_a_right_request() -> None:
    request = parse_request(head())
    assert (request.method, request.target) == ("GET", "/openocpp/CP1")
    assert request.tokens("sec-websocket-protocol") == ("ocpp1.6",)
    assert request.single("authorization") is None
    assert judge_upgrade(request) == KEY


def test_fields_are_read_in_any_case_and_with_blanks() -> None:
    data = (
        b"GET / HTTP/1.1\r\nHOST:h\r\nuPgRaDe: \t WebSocket \t\r\nX-Empty:\r\nX-Latin: Fahrger\xe4t\r\nx-A: 1\r\nX-a: 2"
    )
    request = parse_request(data)
    assert request.fields == {
        "host": ["h"],
        "upgrade": ["WebSocket"],
        "x-empty": [""],
        "x-latin": ["Fahrger\xe4t"],
        "x-a": ["1", "2"],
    }


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "request line"),
        (b"GET", "request line"),
        (b"GET / ", "request line"),
        (b"GET  / HTTP/1.1", "request line"),
        (b"get / HTTP/1.1", "request line"),
        (b"GET /a b HTTP/1.1", "request line"),
        (b"GET /\xe9 HTTP/1.1", "request line"),
        (b"GET / HTTP/1.1\nHost: h", "request line"),
        (b"GET / HTTP/1.10", "request line"),
        (b"GET / HTTP/1.0\r\nHost: h", r"HTTP/1\.0"),
        (b"GET / HTTP/2.0\r\nHost: h", r"HTTP/2\.0"),
        (b"GET / HTTP/1.1\r\nHost : h", "no field"),
        (b"GET / HTTP/1.1\r\n folded: h", "no field"),
        (b"GET / HTTP/1.1\r\nHost: h\r\n folded", "no field"),
        (b"GET / HTTP/1.1\r\nHost", "no field"),
        (b"GET / HTTP/1.1\r\n: h", "no field"),
        (b"GET / HTTP/1.1\r\nHost: a\0b", "no field"),
        (b"GET / HTTP/1.1\r\nHost: a\nX: b", "no field"),
        (b"GET / HTTP/1.1\r\nX\xe9: b", "no field"),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked", "body"),
        (b"GET / HTTP/1.1\r\nContent-Length: 5", "body"),
        (b"GET / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 5", "body"),
    ],
)
def test_requests_that_cannot_be_read(data: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_request(data)


def test_no_field_is_shown_when_one_cannot_be_read() -> None:
    with pytest.raises(ValueError, match="no field") as raised:
        parse_request(b"GET / HTTP/1.1\r\nAuthorization : Basic c2VjcmV0")
    assert "c2VjcmV0" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("Upgrade", None, 426),
        ("Upgrade", "h2c", 426),
        ("Connection", None, 426),
        ("Connection", "close", 426),
        ("Sec-WebSocket-Version", None, 426),
        ("Sec-WebSocket-Version", "8", 426),
        ("Sec-WebSocket-Version", "13, 8", 426),
        ("Host", None, 400),
        ("Host", "xn--\xff", 400),
        ("Host", "a b", 400),
        ("Sec-WebSocket-Key", None, 400),
        ("Sec-WebSocket-Key", "", 400),
        ("Sec-WebSocket-Key", "abc", 400),
        ("Sec-WebSocket-Key", "\xe9" * 24, 400),
        ("Sec-WebSocket-Key", b64encode(b"x" * 15).decode(), 400),
        ("Sec-WebSocket-Key", b64encode(b"x" * 17).decode(), 400),
    ],
)
def test_requests_that_are_no_upgrade(name: str, value: str | None, status: int) -> None:
    verdict = judge_upgrade(parse_request(head(changed(name, value))))
    assert isinstance(verdict, Refused)
    assert verdict.status == status
    assert verdict.reason
    if status == 426:
        assert dict(verdict.headers) == {"Upgrade": "websocket", "Sec-WebSocket-Version": "13"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Connection", "keep-alive, Upgrade"),
        ("Connection", "keep-alive,UPGRADE , x"),
        ("Upgrade", "h2c, WebSocket"),
        ("Upgrade", "websocket/13"),
        ("Host", ""),
        ("Host", "[::1]:8080"),
    ],
)
def test_requests_that_are_an_upgrade(name: str, value: str) -> None:
    assert judge_upgrade(parse_request(head(changed(name, value)))) == KEY


@pytest.mark.parametrize("name", ["Host", "Sec-WebSocket-Key", "Sec-WebSocket-Version"])
def test_fields_that_must_not_be_repeated(name: str) -> None:
    verdict = judge_upgrade(parse_request(head() + f"\r\n{name}: {RIGHT[name]}".encode()))
    assert isinstance(verdict, Refused)
    assert verdict.status == 400


@pytest.mark.parametrize("method", ["POST", "HEAD", "CONNECT"])
def test_other_methods(method: str) -> None:
    verdict = judge_upgrade(parse_request(head(line=f"{method} /openocpp/CP1 HTTP/1.1")))
    assert verdict == Refused(405, (("Allow", "GET"),), f"method {method}")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], ()),
        ([""], ()),
        (["ocpp2.0.1, ocpp1.6"], ("ocpp2.0.1", "ocpp1.6")),
        (["ocpp2.0.1,,\tocpp1.6 ,"], ("ocpp2.0.1", "ocpp1.6")),
        (["ocpp2.0.1", "ocpp1.6"], ("ocpp2.0.1", "ocpp1.6")),
    ],
)
def test_lists_of_tokens(values: list[str], expected: tuple[str, ...]) -> None:
    assert HttpRequest("GET", "/", {"x": values} if values else {}).tokens("x") == expected


@pytest.mark.parametrize("value", ["ocpp 1.6", "ocpp1.6\xe9", '"ocpp1.6"', "a;b", "a b,c"])
def test_lists_that_are_none(value: str) -> None:
    with pytest.raises(ValueError, match="no list of tokens"):
        HttpRequest("GET", "/", {"x": [value]}).tokens("x")


@pytest.mark.parametrize(
    ("data", "expected"), [(b"GET", True), (b"\x16\x03\x01", False), (b" ", False), (b"get", False)]
)
def test_first_bytes(data: bytes, expected: bool) -> None:
    assert could_be_request(data) is expected


def test_the_answer_to_an_upgrade() -> None:
    assert answer_upgrade(KEY, "ocpp1.6") == (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
    )
    assert b"Protocol:" not in answer_upgrade(KEY, "")


def test_the_answer_to_a_refusal() -> None:
    assert answer_refused(unauthorized("wrong password")) == (
        b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="openocpp"\r\n'
        b"Content-Length: 0\r\nConnection: close\r\n\r\n"
    )
    assert b"Connection: Upgrade, close\r\n" in answer_refused(Refused(426, (("Upgrade", "websocket"),)))
    assert answer_refused(Refused(499)).startswith(b"HTTP/1.1 499 \r\n")


@pytest.mark.parametrize("line", [b"X:" + b" " * 8000 + b"\0", b"X: " + b", " * 4000 + b"(", b"a" * 8000 + b"\0"])
def test_long_lines_take_no_longer_than_others(line: bytes) -> None:
    """With an expression that goes back and forth these would not end within hours."""
    try:
        request = parse_request(b"GET / HTTP/1.1\r\n" + line)
    except ValueError:
        return
    with pytest.raises(ValueError, match="no list of tokens"):
        request.tokens("x")


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for begin in (b"", b"GET / HTTP/1.1\r\n"):
        try:
            request = parse_request(begin + data)
        except ValueError:
            continue
        assert isinstance(judge_upgrade(request), str | Refused)
