from __future__ import annotations

import pytest

from openocpp.transport.url import Url, charge_point_url, percent_encode


def parts(url: Url) -> tuple[str, str, str, str, int, str]:
    return url.protocol, url.user, url.password, url.address, url.port, url.path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ftp://pif.com", ("ftp", "", "", "pif.com", 0, "")),
        ("ftp://pif.com:12345/", ("ftp", "", "", "pif.com", 12345, "/")),
        ("ftp://user:pass@pif.com:12345/a/b", ("ftp", "user", "pass", "pif.com", 12345, "/a/b")),
        ("ftp://user@pif.com", ("ftp", "user", "", "pif.com", 0, "")),
        ("ws://127.0.0.1:80", ("ws", "", "", "127.0.0.1", 80, "")),
        ("ws://h/p?q=1#f", ("ws", "", "", "h", 0, "/p?q=1#f")),
        ("ws://u:a:b@c/d@h:1/p", ("ws", "u", "a:b@c/d", "h", 1, "/p")),
        ("ws://u:p w\xe9@h", ("ws", "u", "p w\xe9", "h", 0, "")),
        ("wss://Central_System.Example:65535/", ("wss", "", "", "Central_System.Example", 65535, "/")),
        ("ws://[::1]:8080/x", ("ws", "", "", "::1", 8080, "/x")),
        ("ws://[fe80::1%eth0]/", ("ws", "", "", "fe80::1%eth0", 0, "/")),
        ("ws://[::ffff:10.0.0.1]", ("ws", "", "", "::ffff:10.0.0.1", 0, "")),
    ],
)
def test_valid(text: str, expected: tuple[str, str, str, str, int, str]) -> None:
    url = Url.parse(text)
    assert parts(url) == expected
    assert url.valid
    assert url.text == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("ftp//pif.com", "not of the form"),
        ("pif.com", "not of the form"),
        ("WS://pif.com", "not of the form"),
        ("ws://", "not of the form"),
        ("ws:///path", "not of the form"),
        ("ws://a b/", "not of the form"),
        ("ws://user:@/", "port"),
        ("ws://@h", "not of the form"),
        ("ws://h:abcd", "port"),
        ("ws://h:", "port"),
        ("ws://h:0", "from 1 to 65535"),
        ("ws://h:65536", "port"),
        ("ws://h:99999999999999999999", "port"),
        ("ws://h:-1", "port"),
        ("ws://h:\u0661", "port"),
        ("ws://[1:2]:80", "'1:2' is not an IPv6 address"),
        ("ws://[::1%]", "IPv6"),
        ("ws://*:80/", "no host to connect to"),
        ("ws://h/RDAM 123", "percent-encoded"),
        ("ws://h/a\r\nX-Evil: 1", "percent-encoded"),
        ("ws://h/\xe9", "percent-encoded"),
    ],
)
def test_invalid(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Url.parse(text)


def test_no_url_at_all() -> None:
    url = Url()
    assert not url.valid
    assert parts(url) == ("", "", "", "", 0, "")


def test_listening_on_any_address_and_any_port() -> None:
    url = Url.parse("ws://*:0/openocpp", listening=True)
    assert (url.address, url.any_port, url.tcp_port) == ("*", True, 0)
    assert not Url.parse("ws://h/", listening=True).any_port


@pytest.mark.parametrize(
    ("text", "port", "secure"),
    [("ws://h", 80, False), ("wss://h", 443, True), ("wss://h:8443", 8443, True), ("gopher://h", 0, False)],
)
def test_port_and_security_follow_from_the_scheme(text: str, port: int, secure: bool) -> None:
    url = Url.parse(text)
    assert (url.tcp_port, url.secure) == (port, secure)


@pytest.mark.parametrize(
    ("text", "authority"),
    [("ws://h/x", "h"), ("ws://h:81/x", "h:81"), ("ws://[::1]/x", "[::1]"), ("ws://[::1]:81", "[::1]:81")],
)
def test_authority(text: str, authority: str) -> None:
    assert Url.parse(text).authority == authority


@pytest.mark.parametrize(
    "text", ["ws://user:secret@host/p", "ws://user:secret@", "user:secret@host", "ws://u:secret@h:0"]
)
def test_the_password_is_never_shown(text: str) -> None:
    try:
        url = Url.parse(text)
    except ValueError as error:
        shown = str(error)
    else:
        shown = f"{url} {url!r}"
        assert "user" in shown
    assert "secret" not in shown


def test_percent_encoding() -> None:
    assert (
        percent_encode("paf [ pouf /  + BIM_bam) = boum ] 10.11.12.13!")
        == "paf%20%5B%20pouf%20%2F%20%20%2B%20BIM_bam%29%20%3D%20boum%20%5D%2010.11.12.13%21"
    )
    assert percent_encode("a-b._~\xc3\u20ac\0") == "a-b._~%C3%83%E2%82%AC%00"


@pytest.mark.parametrize(
    ("endpoint", "identity", "expected"),
    [
        ("wss://cs.example.com/ocppj", "RDAM 123", "wss://cs.example.com/ocppj/RDAM%20123"),
        ("wss://cs.example.com/ocppj/", "RDAM 123", "wss://cs.example.com/ocppj/RDAM%20123"),
        ("ws://h", "K+L", "ws://h/K%2BL"),
        ("ws://h", "D/E", "ws://h/D%2FE"),
        ("ws://h/p?token=1", "A", "ws://h/p/A?token=1"),
    ],
)
def test_charge_point_url(endpoint: str, identity: str, expected: str) -> None:
    assert charge_point_url(endpoint, identity) == expected
    assert Url.parse(endpoint).with_identity(identity) == Url.parse(expected)
