"""Enumerations, case-insensitive texts, URIs and time stamps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openocpp.types import (
    Measurand,
    Reason,
    UnitOfMeasure,
    fold,
    format_datetime,
    hide_password,
    is_secret_key,
    is_uri,
    parse_datetime,
    same_ci,
)
from openocpp.types.base import is_worth_a_line, printable

NOON = datetime(2024, 3, 10, 12, tzinfo=UTC)


def test_a_member_is_its_text() -> None:
    assert Reason.DeAuthorized == "DeAuthorized"
    assert f"{Measurand.CurrentExport}" == "Current.Export"
    assert Measurand("Energy.Active.Import.Register") is Measurand.EnergyActiveImportRegister


def test_an_alias_is_read_and_an_unknown_text_is_an_error() -> None:
    assert UnitOfMeasure("Celcius") is UnitOfMeasure.Celsius
    assert "Celcius" not in [unit.value for unit in UnitOfMeasure]
    for text in ("celcius", "", "Kelvin"):
        with pytest.raises(ValueError, match=text or "UnitOfMeasure"):
            UnitOfMeasure(text)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [("AbC1", "aBc1", True), ("abc", "abc ", False), ("", "", True), ("ÄÖ", "äö", True), ("a", "b", False)],
)
def test_case_does_not_matter(a: str, b: str, same: bool) -> None:
    assert same_ci(a, b) is same
    assert (fold(a) == fold(b)) is same


@pytest.mark.parametrize(
    "key", ["AuthorizationKey", "authorizationKEY", "VendorPassword", "WifiPassphrase", "x.Secret"]
)
def test_secret_keys(key: str) -> None:
    assert is_secret_key(key)


@pytest.mark.parametrize("key", ["HeartbeatInterval", "GetConfigurationMaxKeys", "KeyInterval", ""])
def test_keys_that_are_shown(key: str) -> None:
    assert not is_secret_key(key)


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("ftp://me:s3cret@host/path", "ftp://me:***@host/path"),
        ("ftp://me:s3@cret@host/path?a@b", "ftp://me:***@host/path?a@b"),
        ("https://host:8080/path@x", "https://host:8080/path@x"),
        ("https://me@host/", "https://me@host/"),
        ("ftp://me:s3/cr?e#t@host/path", "ftp://me:***@host/path"),
        ("ftp://me:s3/cret@host and b@c", "ftp://me:***@host and b@c"),
        ("https://host:80?x@y", "https://host:80?x@y"),
        ("https://host/log?v=1&sig=s3cret%3D&x=2", "https://host/log?v=1&sig=***&x=2"),
        ("https://host/?X-Amz-Signature=s3cret#top", "https://host/?X-Amz-Signature=***#top"),
        ("https://host/?design=new&keyboard=de", "https://host/?design=new&keyboard=de"),
    ],
)
def test_a_password_in_a_uri_is_hidden(uri: str, shown: str) -> None:
    assert hide_password(uri) == shown


@pytest.mark.parametrize(
    "text",
    [
        "ftp://user:pw@host:21/path",
        "FTP://User@HOST/%20x",
        "http://[2001:db8::1]:80/a?x=1&y=%41#top",
        "sftp://h",
        "file:///tmp/x",
        "mailto:x@y.example",
        "urn:a:b",
        "https://b\u00fccher.example/",
        "https://h:/",
    ],
)
def test_uris(text: str) -> None:
    assert is_uri(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/local/path",
        "host/path",
        "http:",
        "1http://h",
        "http://h/a b",
        "http://h/%zz",
        "http://h/%2",
        "http://h:port/",
        "http://[::1/",
        "http://h]/",
        "http://h/\n",
        "http://h/<x>",
        'http://h/"',
        "C:\\x",
        "http://h\\x",
    ],
)
def test_texts_that_are_no_uris(text: str) -> None:
    assert not is_uri(text)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024-03-10T12:00:00Z", NOON),
        ("2024-03-10T12:00:00", NOON),
        ("2024-03-10t12:00:00z", NOON),
        ("2024-03-10 12:00:00Z", NOON),
        ("2024-03-10 12:00:00 Z", NOON),
        ("2024-03-10T12:00Z", NOON),
        ("2024-03-10T14:00:00+02:00", NOON),
        ("2024-03-10T14:00:00+0200", NOON),
        ("2024-03-10T14:00:00+02", NOON),
        ("2024-03-10T06:30:00-05:30", NOON),
        ("2024-03-10T12:00:00.1Z", NOON + timedelta(milliseconds=100)),
        ("2024-03-10T12:00:00.123Z", NOON + timedelta(milliseconds=123)),
        ("2024-03-10T12:00:00,123Z", NOON + timedelta(milliseconds=123)),
        ("2024-03-10T12:00:00.1234567890Z", NOON + timedelta(microseconds=123456)),
        ("2024-03-10T14:00:00.5+02:00", NOON + timedelta(milliseconds=500)),
        ("2024-03-11T00:00:00Z", NOON + timedelta(hours=12)),
        ("2024-03-10T24:00:00Z", NOON + timedelta(hours=12)),
        ("2024-03-10T11:59:60Z", NOON),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_time_stamp_is_read(text: str, instant: datetime) -> None:
    read = parse_datetime(text)
    assert read == instant
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "2024-03-10",
        "2024-03-10T",
        "2024-13-10T12:00:00Z",
        "2024-02-30T12:00:00Z",
        "2024-03-10T25:00:00Z",
        "2024-03-10T24:00:01Z",
        "2024-03-10T12:60:00Z",
        "2024-03-10T12:00:61Z",
        "2024-03-10T12:00:00+25:00",
        "2024-03-10T12:00:00.Z",
        "2024-03-10X12:00:00Z",
        "20240310T120000Z",
        "2024-W10-7T12:00:00Z",
        "2024-03-10T12:00:00Z\n",
        " 2024-03-10T12:00:00Z",
        "\uff12024-03-10T12:00:00Z",
        "9999-12-31T23:59:59-01:00",
        "0001-01-01T00:00:00+01:00",
    ],
)
def test_what_is_no_time_stamp(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_datetime(text)


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)))
def test_a_time_stamp_survives_a_round_trip(instant: datetime) -> None:
    text = format_datetime(instant)
    assert len(text) == 20
    assert parse_datetime(text) == instant.replace(microsecond=0)
    zone = timezone(timedelta(hours=5, minutes=45))
    assert format_datetime(instant.astimezone(zone)) == text
    assert parse_datetime(instant.astimezone(zone).isoformat()) == instant


def test_a_naive_time_is_an_error() -> None:
    with pytest.raises(ValueError, match="without time zone"):
        format_datetime(datetime(2024, 3, 10))


def test_a_name_that_a_peer_invented_fits_into_a_line() -> None:
    assert printable("Heartbeat") == "Heartbeat"
    assert printable("A\nB\x1b[2J") == "A\\nB\\x1b[2J"
    assert printable("é" * 100) == "é" * 40


def test_what_happens_again_and_again_is_logged_more_and_more_rarely() -> None:
    assert [count for count in range(1, 100) if is_worth_a_line(count)] == [1, 2, 4, 8, 16, 32, 64]
