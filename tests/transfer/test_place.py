"""URLs taken apart."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openocpp.transfer import TransferError, TransferFailure
from openocpp.transfer.place import Place, parse

ALL = ("http", "https", "ftp", "ftps")


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("http://host", ("http", "host", 80, "", "", None, "")),
        ("HTTPS://Host.Example/a/b?c=d#e", ("https", "host.example", 443, "/a/b", "c=d", None, "")),
        ("ftp://host:12345/", ("ftp", "host", 12345, "/", "", None, "")),
        ("ftps://user@host/x", ("ftps", "host", 21, "/x", "", "user", "")),
        ("ftp://a%40b:c%2Fd%3A@127.0.0.1/x", ("ftp", "127.0.0.1", 21, "/x", "", "a@b", "c/d:")),
        ("http://[::1]:8080/x", ("http", "::1", 8080, "/x", "", None, "")),
        ("http://host/a b/%20/ä?q=ö", ("http", "host", 80, "/a%20b/%20/%C3%A4", "q=%C3%B6", None, "")),
        (" http://host/x\n", ("http", "host", 80, "/x", "", None, "")),
        ("http://:@host/x", ("http", "host", 80, "/x", "", "", "")),
    ],
)
def test_parts_of_a_url(url: str, parts: tuple[object, ...]) -> None:
    place = parse(url, ALL)
    assert tuple(vars(place).values()) == parts


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", TransferFailure.ADDRESS),
        ("host/path", TransferFailure.ADDRESS),
        ("ftp//host", TransferFailure.ADDRESS),
        ("user:secret@host", TransferFailure.ADDRESS),
        ("http://", TransferFailure.ADDRESS),
        ("http:///path", TransferFailure.ADDRESS),
        ("http://a secret/path", TransferFailure.ADDRESS),
        ("http://host:port/", TransferFailure.ADDRESS),
        ("http://host:99999/", TransferFailure.ADDRESS),
        ("http://[::1/", TransferFailure.ADDRESS),
        ("http://host/a\r\nb", TransferFailure.ADDRESS),
        ("ftp://host/a%0d%0aDELE%20b", TransferFailure.ADDRESS),
        ("ftp://user%0a:secret@host/a", TransferFailure.ADDRESS),
        ("sftp://host/a", TransferFailure.UNSUPPORTED),
        ("file:///etc/passwd", TransferFailure.UNSUPPORTED),
    ],
)
def test_what_is_no_place(url: str, reason: TransferFailure) -> None:
    with pytest.raises(TransferError) as caught:
        parse(url, ALL)
    assert caught.value.reason is reason
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_encoded_line_end_in_a_path_is_fine_in_http() -> None:
    assert parse("http://host/a%0Ab", ALL).target == "/a%0Ab"


def test_only_accepted_schemes() -> None:
    with pytest.raises(TransferError, match="only by https") as caught:
        parse("http://host/", ("https",))
    assert caught.value.reason is TransferFailure.UNSUPPORTED


@given(st.text(min_size=4), st.text(min_size=4))
def test_no_credentials_in_any_text(user: str, password: str) -> None:
    place = Place(scheme="http", host="h", port=1, path="/p", user=user, password=password)
    assert repr(place) == "Place(scheme='http', host='h', port=1, path='/p')"
    assert str(place) == "http://h:1/p"


def test_the_query_and_the_rest_of_a_broken_password_are_not_shown() -> None:
    assert str(parse("https://host/a?sig=secret", ALL)) == "https://host/a"
    assert str(parse("https://user:12/secret@host/a", ALL)) == "https://user:12/..."


def test_what_protocols_need() -> None:
    place = parse("http://j%C3%B6:p%3Aw@[::1]:8080?x=1", ALL)
    assert (place.authority, place.target) == ("[::1]:8080", "/?x=1")
    assert base64.b64decode(place.basic_authorization.removeprefix("Basic ")).decode() == "jö:p:w"
    assert parse("http://host", ALL).basic_authorization == ""
    assert parse("ftp://h//a%2Fb/c%20d//e", ALL).file_path == ["a/b", "c d", "e"]
    assert parse("ftp://h/%2Fetc/x", ALL).file_path == ["/etc", "x"]


def test_the_fingerprint_means_the_file() -> None:
    prints = [
        parse(url, ALL).fingerprint
        for url in (
            "http://u:one@h/a?x",
            "http://u:two@h:80/a?x",
            "http://h/a?x",
            "http://u:one@h/a?y",
            "http://u:one@h/b?x",
            "http://u:one@g/a?x",
            "https://u:one@h/a?x",
        )
    ]
    assert prints[0] == prints[1]
    assert len(set(prints)) == len(prints) - 1


@pytest.mark.parametrize(
    ("url", "location", "target", "credentials"),
    [
        ("http://u:p@h/a/b?c", "d", "http://h/a/d", True),
        ("http://u:p@h/a", "//h/b", "http://h/b", True),
        ("http://u:p@h/a", "https://h/a", "https://h/a", True),
        ("http://u:p@h:8080/a", "https://h/a", "https://h/a", False),
        ("http://u:p@h/a", "http://h:81/a", "http://h:81/a", False),
        ("https://u:p@h/a", "https://x.h/a", "https://x.h/a", False),
        ("https://u:p@h/a", "https://v:q@h/a", "https://h/a", False),
    ],
)
def test_redirections(url: str, location: str, target: str, credentials: bool) -> None:
    place = parse(url, ALL).redirected(location)
    assert str(place) == target
    assert (place.user == "u" and place.password == "p") is credentials


@pytest.mark.parametrize(
    ("url", "location", "reason"),
    [
        ("https://u:p@h/a", "http://h/a", TransferFailure.TLS),
        ("http://u:p@h/a", "ftp://h/a", TransferFailure.PROTOCOL),
        ("http://u:p@h/a", "file:///etc/passwd", TransferFailure.PROTOCOL),
        ("http://u:p@h/a", "http://[", TransferFailure.PROTOCOL),
        ("https://u:p@h/a", "javascript:x", TransferFailure.PROTOCOL),
    ],
)
def test_redirections_that_are_not_followed(url: str, location: str, reason: TransferFailure) -> None:
    with pytest.raises(TransferError) as caught:
        parse(url, ALL).redirected(location)
    assert caught.value.reason is reason
