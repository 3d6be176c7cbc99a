"""The demonstration says what failed, and ends with a code that is not 0."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from samples.demo import main as demo
from tests.conftest import scaled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

settings = demo.settings


def damaged(sample: str, old: str, new: str) -> Callable[[str, Path, int], Path]:
    """``settings`` with a slip in the INI file of one of the two."""

    def damage(name: str, folder: Path, port: int) -> Path:
        home = settings(name, folder, port)
        if name == sample:
            path = home / f"{sample}.ini"
            text = path.read_text(encoding="utf-8")
            assert old in text
            path.write_text(text.replace(old, new), encoding="utf-8")
        return home

    return damage


CENTRAL, STATION = "quick_start_centralsystem", "quick_start_chargepoint"


@pytest.mark.parametrize(
    ("sample", "old", "new", "problem", "printed"),
    [
        (CENTRAL, "CallRequestTimeout=2000", "CallRequestTimeout=soon", "the central system did not start", "soon"),
        (CENTRAL, "[CentralSystem]", "[Central", "the central system did not start", "line"),
        (STATION, "RetryInterval=1000", "RetryIntervals=1000", "the charge point ended with 1", "RetryIntervals"),
        (STATION, "/openocpp/", "/elsewhere/", "the charge point did not end in time", "no connection"),
    ],
)
def test_what_failed_is_said(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    sample: str,
    old: str,
    new: str,
    problem: str,
    printed: str,
) -> None:
    monkeypatch.setattr(demo, "settings", damaged(sample, old, new))
    if "in time" in problem:
        monkeypatch.setattr(demo, "LIMIT", 15 + scaled(4))
    assert demo.main() == 1
    shown = capsys.readouterr()
    assert shown.err == f"the demonstration failed: {problem}\n"
    assert printed in shown.out


def test_a_message_that_did_not_arrive_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "WANTED", ["BootNotification", "Nothing"])
    monkeypatch.setattr(demo, "SPEED", "80")
    assert demo.main() == 1
    assert capsys.readouterr().err == "the demonstration failed: the central system did not receive Nothing\n"


def test_the_port_is_free() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", demo.free_port()))


def test_the_settings_are_copies(tmp_path: Path) -> None:
    home = settings(STATION, tmp_path, 12345)
    text = (home / f"{STATION}.ini").read_text(encoding="utf-8")
    assert "127.0.0.1:12345" in text
    assert "\nJsonSchemasPath=\n" in text
    assert list(home.iterdir()) == [home / f"{STATION}.ini"]
