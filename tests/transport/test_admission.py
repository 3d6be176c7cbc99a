from __future__ import annotations

from base64 import b64encode

import pytest

from openocpp.transport.admission import (
    FAILURE_WINDOW,
    MAX_ADDRESSES,
    Asked,
    FailureTable,
    choose_subprotocol,
    cut_target,
    judge_request,
    read_basic,
    read_identity,
)
from openocpp.transport.base import Handshake, ListenSettings, Peer, Refused
from openocpp.transport.url import Url

PEER = Peer("192.0.2.1", 1234)


def settings(path: str = "/openocpp/", **changes: object) -> ListenSettings:
    return ListenSettings(Url.parse(f"ws://127.0.0.1:8080{path}"), **changes)  # type: ignore[arg-type]


def basic(credentials: bytes) -> str:
    return "Basic " + b64encode(credentials).decode()


@pytest.mark.parametrize("listen_path", ["/openocpp", "/openocpp/"])
@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/openocpp/CP1", "CP1"),
        ("/openocpp/RDAM%20123", "RDAM 123"),
        ("/openocpp/K+L", "K+L"),
        ("/openocpp/K%2BL", "K+L"),
        ("/openocpp/D%2FE", "D/E"),
        ("/openocpp/%E2%82%AC", "\u20ac"),
        ("/openocpp/CP1?token=a/b", "CP1"),
        ("/open%6Fcpp/CP1", "CP1"),
        ("http://host:8080/openocpp/CP1", "CP1"),
        ("WSS://host/openocpp/CP1", "CP1"),
        ("/openocpp", 404),
        ("/openocpp/", 404),
        ("/openocpp/?CP1", 404),
        ("/openocpp//CP1", 404),
        ("//openocpp/CP1", 404),
        ("/openocpp/CP1/", 404),
        ("/openocpp/a/CP1", 404),
        ("/openocpp-x/CP1", 404),
        ("/openocppX/CP1", 404),
        ("/OpenOcpp/CP1", 404),
        ("/other/CP1", 404),
        ("/openocpp/../CP1", 404),
        ("/openocpp/..", 404),
        ("/openocpp/%2E%2e", 404),
        ("/openocpp/CP1#x", 404),
        ("/", 404),
        ("", 404),
        ("*", 404),
        ("openocpp/CP1", 404),
        ("http://host", 404),
        ("/openocpp/CP%", 400),
        ("/openocpp/CP%4", 400),
        ("/openocpp/CP%4x", 400),
        ("/openocpp/%FF", 400),
        ("/openocpp/CP%00", 400),
        ("/openocpp/CP%0A", 400),
        ("/openocpp/CP%C2%85", 400),
    ],
)
def test_path_and_identity(listen_path: str, target: str, expected: str | int) -> None:
    verdict = judge_request(Handshake(target, PEER), settings(listen_path))
    if isinstance(expected, int):
        assert isinstance(verdict, Refused)
        assert verdict.status == expected
        assert verdict.reason
    else:
        assert verdict == Asked(expected, "", b"")


@pytest.mark.parametrize("listen_path", ["", "/", "/?ignored"])
@pytest.mark.parametrize(("target", "segment"), [("/CP1", "CP1"), ("/", ""), ("/a/b", None), ("//a", None)])
def test_listening_at_the_root(listen_path: str, target: str, segment: str | None) -> None:
    assert cut_target(target, listen_path) == segment


def test_a_longer_listening_path() -> None:
    assert cut_target("/a/b%20c/CP1", "/a/b%20c") == "CP1"
    assert cut_target("/a/CP1", "/a/b%20c") is None


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        (None, ("", b"")),
        ("", ("", b"")),
        ("Bearer abc", ("", b"")),
        ("Basic " + "QUwxMDAwOgABAgMEBQYH////////////////", ("AL1000", bytes.fromhex("0001020304050607" + "FF" * 12))),
        ("bAsIc   " + basic(b"u:p")[6:] + "  ", ("u", b"p")),
        (basic(b"u:a:b\0"), ("u", b"a:b\0")),
        (basic(b"u:"), ("u", b"")),
        (basic(b":p"), ("", b"p")),
        (basic("\u20ac:p".encode()), ("\u20ac", b"p")),
        (basic(b"u:" + b"x" * 2000), ("u", b"x" * 2000)),
    ],
)
def test_basic(authorization: str | None, expected: tuple[str, bytes]) -> None:
    assert read_basic(authorization) == expected


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic",
        "Basic ????",
        "Basic c2VjcmV0",
        "Basic dTpzZWNyZXQ",
        "Basic c2Vj cmV0",
        "Basic \xe9",
        basic(b"\xff:secret"),
    ],
)
def test_unreadable_basic_is_refused_without_showing_it(authorization: str) -> None:
    verdict = judge_request(
        Handshake("/openocpp/CP1", PEER, authorization=authorization), settings(basic_authentication=True)
    )
    assert isinstance(verdict, Refused)
    assert verdict.status == 401
    assert verdict.headers == (("WWW-Authenticate", 'Basic realm="openocpp"'),)
    assert "c2Vj" not in repr(verdict)
    assert "secret" not in repr(verdict)


def test_basic_is_handed_on_only_when_configured() -> None:
    handshake = Handshake("/openocpp/CP1", PEER, authorization=basic(b"CP1:secret"))
    asked = judge_request(handshake, settings(basic_authentication=True))
    assert asked == Asked("CP1", "CP1", b"secret")
    assert judge_request(handshake, settings()) == Asked("CP1", "", b"")
    assert "secret" not in repr(asked)


def test_the_path_is_judged_before_the_password() -> None:
    verdict = judge_request(Handshake("/other/CP1", PEER, authorization="Basic ?"), settings(basic_authentication=True))
    assert isinstance(verdict, Refused)
    assert verdict.status == 404


@pytest.mark.parametrize(
    ("offered", "strict", "lenient"),
    [
        (("ocpp1.6",), "ocpp1.6", "ocpp1.6"),
        (("ocpp2.0.1", "ocpp1.6"), "ocpp1.6", "ocpp1.6"),
        (("ocpp2.0.1",), None, None),
        (("OCPP1.6",), None, None),
        ((), None, ""),
    ],
)
def test_subprotocol(offered: tuple[str, ...], strict: str | None, lenient: str | None) -> None:
    assert choose_subprotocol(offered, settings()) == strict
    assert choose_subprotocol(offered, settings(accept_without_subprotocol=True)) == lenient


def test_plain_segments_are_not_decoded() -> None:
    assert read_identity("a+b~c") == "a+b~c"
    assert read_identity("%41%2f") == "A/"


def test_too_many_failures_refuse_an_address_for_a_minute() -> None:
    table = FailureTable(3)
    assert [table.note("a", now) for now in (0.0, 10.0)] == [False, False]
    assert not table.refuses("a", 10.0)
    assert table.note("a", 20.0)
    assert table.refuses("a", 20.0)
    assert not table.refuses("b", 20.0)
    assert table.refuses("a", 20.0 + FAILURE_WINDOW - 1)
    assert not table.refuses("a", 20.0 + FAILURE_WINDOW)
    assert not table.note("a", 81.0)


def test_failures_far_apart_do_not_add_up() -> None:
    table = FailureTable(2)
    assert not table.note("a", 0.0)
    assert not table.note("a", FAILURE_WINDOW)
    assert not table.refuses("a", FAILURE_WINDOW)


def test_no_limit_refuses_nobody() -> None:
    table = FailureTable(0)
    assert not any(table.note("a", 0.0) for _ in range(100))
    assert not table.refuses("a", 0.0)


def test_the_table_of_failures_is_bounded() -> None:
    table = FailureTable(1)
    for number in range(MAX_ADDRESSES + 1):
        table.note(str(number), 0.0)
    assert not table.refuses("0", 0.0)
    assert table.refuses("1", 0.0)
    assert table.refuses(str(MAX_ADDRESSES), 0.0)
