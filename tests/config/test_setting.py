"""Settings of the stack: kinds, what they accept from Python and from a file, and what their errors tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from openocpp.config.setting import (
    BOOLEAN,
    MILLISECONDS,
    PATH,
    SECONDS,
    TEXT,
    TIMEOUT,
    VALIDATION,
    VOLTS,
    SettingKind,
    about,
    check_settings,
    count,
    find_setting,
    settings_of,
    text,
    url,
    values_of,
)
from openocpp.errors import ConfigError

FOLDER = Path("/etc/openocpp")


@dataclass(frozen=True, kw_only=True)
class Config:
    name: str = field(metadata=about("Name", text(may_be_empty=False), "a name"))
    wait: float = field(default=2.0, metadata=about("Wait", MILLISECONDS, "a wait"))
    items: tuple[str, ...] = field(default_factory=tuple, metadata=about("Items", TEXT, "items", optional=True))
    password: str = field(default="", metadata=about("Password", text(pattern="[a-z]*"), "a secret", secret=True))


def test_the_fields_are_the_settings() -> None:
    settings = settings_of(Config)
    assert list(settings) == ["Name", "Wait", "Items", "Password"]
    assert [setting.attribute for setting in settings.values()] == ["name", "wait", "items", "password"]
    assert [setting.required for setting in settings.values()] == [True, False, False, False]
    assert [setting.default for setting in settings.values()][1:] == [2.0, (), ""]
    assert settings_of(Config) is settings


def test_any_object_with_the_attributes_will_do() -> None:
    own = SimpleNamespace(name="x", wait=1, password="y")
    assert [(setting.key, value) for setting, value in values_of(own, Config)] == [
        ("Name", "x"),
        ("Wait", 1),
        ("Items", ()),
        ("Password", "y"),
    ]
    with pytest.raises(ConfigError, match="Wait: SimpleNamespace has no attribute wait"):
        check_settings(SimpleNamespace(name="x", password=""), Config)


def test_an_error_names_source_key_value_and_what_is_accepted() -> None:
    with pytest.raises(ConfigError) as caught:
        check_settings(Config(name="x", wait=-1), Config, "station.ini")
    error = caught.value
    assert (error.key, error.source, error.accepted) == ("Wait", "station.ini", "seconds from 0")
    assert str(error) == "station.ini: Wait: -1: out of range (accepted: seconds from 0)"


def test_secrets_are_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        check_settings(Config(name="x", password="HUSH"), Config)
    assert "HUSH" not in str(caught.value)
    with pytest.raises(ConfigError) as caught:
        settings_of(Config)["Password"].read("HUSH", FOLDER, "station.ini")
    assert "HUSH" not in str(caught.value)


def test_passwords_in_urls_are_not_shown() -> None:
    setting = next(iter(settings_of(UrlConfig).values()))
    with pytest.raises(ConfigError) as caught:
        setting.check("http://user:hush@host", "")
    assert "hush" not in str(caught.value)
    assert "user:***@host" in str(caught.value)


@dataclass(frozen=True)
class UrlConfig:
    url: str = field(default="", metadata=about("Url", url("ws", "wss"), "a URL"))


def test_an_unknown_key_is_an_error_that_helps() -> None:
    assert find_setting(Config, "Wait", "[X]", "x.ini").attribute == "wait"
    with pytest.raises(ConfigError, match=r"x\.ini: Wiat: no such setting in \[X\]; did you mean Wait\?"):
        find_setting(Config, "Wiat", "[X]", "x.ini")


PORT = url("ws", "wss")
LISTEN = url("ws", "wss", listening=True)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (BOOLEAN, True),
        (TEXT, ""),
        (text(may_be_empty=False), "x"),
        (text(choices=("a", "b")), "a"),
        (text(choices=("a", "b")), ""),
        (text(pattern="[A-Z]{2}"), "FR"),
        (PATH, "a b"),
        (count(), 0),
        (count(1, 5), 5),
        (MILLISECONDS, 0),
        (MILLISECONDS, 0.25),
        (TIMEOUT, 0.001),
        (SECONDS, 30),
        (VOLTS, 230.5),
        (PORT, "ws://localhost"),
        (PORT, "wss://Central_System.example.com:8443/a/b?c=d"),
        (PORT, "wss://user:pa:ss/w@host/x"),
        (PORT, "ws://[::1]:80/"),
        (LISTEN, "ws://*:0/"),
        (LISTEN, "ws://0.0.0.0:8080/openocpp/"),
        (url("http", may_be_empty=True), ""),
        (VALIDATION, {"*": "strict", "StatusNotification": "log"}),
        (VALIDATION, {}),
    ],
)
def test_usable_values(kind: SettingKind, value: Any) -> None:
    assert kind.problem(value) is None


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (BOOLEAN, "true"),
        (BOOLEAN, 1),
        (TEXT, None),
        (TEXT, b"x"),
        (text(may_be_empty=False), ""),
        (text(choices=("a", "b")), "c"),
        (text(pattern="[A-Z]{2}"), "France"),
        (PATH, Path("x")),
        (count(), -1),
        (count(), True),
        (count(), 1.0),
        (count(), "1"),
        (count(1, 5), 6),
        (MILLISECONDS, -0.1),
        (MILLISECONDS, float("nan")),
        (MILLISECONDS, float("inf")),
        (MILLISECONDS, True),
        (TIMEOUT, 0),
        (VOLTS, 0),
        (VOLTS, "230"),
        (PORT, ""),
        (PORT, None),
        (PORT, "localhost"),
        (PORT, "http://localhost"),
        (PORT, "WS://localhost"),
        (PORT, "ws//localhost"),
        (PORT, "ws://"),
        (PORT, "ws://host:0/"),
        (PORT, "ws://host:65536/"),
        (PORT, "ws://host:port/"),
        (PORT, "ws://ho st/"),
        (PORT, "ws://*/"),
        (LISTEN, "ws://*:65536/"),
        (VALIDATION, "strict"),
        (VALIDATION, {"*": "sometimes"}),
        (VALIDATION, {"Status Notification": "log"}),
        (VALIDATION, {1: "log"}),
        (VALIDATION, None),
    ],
)
def test_unusable_values(kind: SettingKind, value: Any) -> None:
    assert kind.problem(value)


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        (BOOLEAN, "True", True),
        (TEXT, " x ", " x "),
        (PATH, "", ""),
        (PATH, "./x.db", "/etc/openocpp/x.db"),
        (PATH, "/var/x.db", "/var/x.db"),
        (count(), "12", 12),
        (MILLISECONDS, "1500", 1.5),
        (TIMEOUT, "2000", 2.0),
        (SECONDS, "0.5", 0.5),
        (VOLTS, "230", 230.0),
        (VALIDATION, "*:strict, StatusNotification:log", {"*": "strict", "StatusNotification": "log"}),
    ],
)
def test_what_stands_in_a_file(kind: SettingKind, written: str, value: Any) -> None:
    read = kind.read(written, FOLDER)
    assert read == value
    assert kind.problem(read) is None


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        (BOOLEAN, "1"),
        (BOOLEAN, ""),
        (count(), "-1"),
        (count(), "1.5"),
        (count(), ""),
        (count(), "9" * 50),
        (MILLISECONDS, "2s"),
        (MILLISECONDS, "0.5"),
        (SECONDS, "1e3"),
        (SECONDS, "-1"),
        (VALIDATION, "strict"),
        (VALIDATION, ""),
    ],
)
def test_what_cannot_be_read_from_a_file(kind: SettingKind, written: str) -> None:
    with pytest.raises(ValueError, match="not"):
        kind.read(written, FOLDER)


def test_the_error_of_a_file_tells_its_unit() -> None:
    with pytest.raises(ConfigError, match=r"x\.ini: Wait: '2s': not a whole number.*the file has ms"):
        settings_of(Config)["Wait"].read("2s", FOLDER, "x.ini")
