"""The local authorization list: versions, limits, full and differential updates, and what a failure leaves."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.types import AuthorizationStatus
from tests.chargepoint.conftest import CentralSide, Station, online
from tests.chargepoint.driving import go_offline, rows

if TYPE_CHECKING:
    from openocpp.testing import SimulatedRuntime
    from openocpp.testing.conversation import ScriptedPeer

ROOT = Path(__file__).resolve().parents[2]
PAST = "2023-12-31T00:00:00Z"
FUTURE = "2030-01-01T00:00:00Z"


def entry(id_tag: str, status: str | None = "Accepted", **info: str) -> dict[str, Any]:
    """An entry of an update; without status it is to be deleted."""
    return {"idTag": id_tag} if status is None else {"idTag": id_tag, "idTagInfo": {"status": status, **info}}


def send(peer: ScriptedPeer, update_type: str, version: int, *entries: dict[str, Any]) -> str:
    """The answer to an update."""
    request = {"listVersion": version, "updateType": update_type, "localAuthorizationList": list(entries)}
    status: str = peer.call("SendLocalList", request).result()["status"]
    return status


def version(peer: ScriptedPeer) -> int:
    number: int = peer.call("GetLocalListVersion").result()["listVersion"]
    return number


def content(station: Station) -> dict[str, tuple[str, str | None]]:
    """The statuses and groups that are stored."""
    return {tag: (status, parent) for tag, status, parent in rows(station, SELECT)}


SELECT = "SELECT id_tag, status, parent_id_tag FROM AuthentLocalList"


def small(sim: SimulatedRuntime, tmp_path: Path, **keys: str | int) -> Station:
    """A charge point with room for four id tags, three at a time."""
    limits: dict[str, str | int] = {"SendLocalListMaxLength": 3, "LocalAuthListMaxLength": 4}
    return Station(sim, str(tmp_path / "small.db"), {**limits, **keys})


def test_the_version_follows_the_updates(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    assert version(peer) == 0
    assert send(peer, "Full", 1, entry("A")) == "Accepted"
    assert version(peer) == 1
    assert send(peer, "Full", 2, entry("B")) == "Accepted"
    assert version(peer) == 2
    assert send(peer, "Differential", 3, entry("C")) == "Accepted"
    assert version(peer) == 3
    assert send(peer, "Differential", 4, entry("C", None)) == "Accepted"
    assert version(peer) == 4


def test_a_full_update_is_refused_as_a_whole(sim: SimulatedRuntime, tmp_path: Path, central: CentralSide) -> None:
    """Too many at once, an entry without information; too many in all stands with the other limit below."""
    station = small(sim, tmp_path)
    peer = online(station, central)
    assert send(peer, "Full", 5, entry("A"), entry("B")) == "Accepted"
    before = content(station)
    assert send(peer, "Full", 6, *(entry(f"T{number}") for number in range(4))) == "Failed"
    assert send(peer, "Full", 7, entry("C"), entry("D", None)) == "Failed"
    assert (version(peer), content(station)) == (5, before)
    station.cp.stop()


def test_a_full_update_is_refused_when_the_list_has_no_room(
    sim: SimulatedRuntime, tmp_path: Path, central: CentralSide
) -> None:
    station = small(sim, tmp_path, LocalAuthListMaxLength=2)
    peer = online(station, central)
    assert send(peer, "Full", 1, entry("A"), entry("B")) == "Accepted"
    assert send(peer, "Full", 2, entry("C"), entry("D"), entry("E")) == "Failed"
    assert (version(peer), set(content(station))) == (1, {"A", "B"})
    station.cp.stop()


def test_a_full_update_replaces_everything(station: Station, central: CentralSide) -> None:
    """A lower version is no obstacle to it."""
    peer = online(station, central)
    assert send(peer, "Full", 9, entry("A"), entry("B")) == "Accepted"
    assert send(peer, "Full", 3, entry("b", "Blocked", parentIdTag="P")) == "Accepted"
    assert (version(peer), content(station)) == (3, {"b": ("Blocked", "P")})


def test_a_differential_update_changes_what_it_names(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    assert send(peer, "Full", 1, entry("KEPT"), entry("GONE"), entry("MADE-BAD", parentIdTag="P")) == "Accepted"
    status = send(
        peer,
        "Differential",
        2,
        entry("NEW", parentIdTag="Q"),
        entry("made-bad", "Blocked"),
        entry("gone", None),
        entry("NEVER-THERE", None),
        entry("OLD", expiryDate=PAST),
    )
    assert status == "Accepted"
    assert content(station) == {
        "KEPT": ("Accepted", None),
        "NEW": ("Accepted", "Q"),
        "made-bad": ("Blocked", None),
        "OLD": ("Accepted", None),
    }
    go_offline(station)
    assert station.cp.authorize(1, "new") == (AuthorizationStatus.Accepted, "Q")
    assert station.cp.authorize(1, "OLD").status is AuthorizationStatus.Expired


def test_a_differential_update_needs_a_newer_version(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    assert send(peer, "Full", 5, entry("A")) == "Accepted"
    for number in (5, 4):
        assert send(peer, "Differential", number, entry("B")) == "VersionMismatch"
    assert (version(peer), set(content(station))) == (5, {"A"})


@pytest.mark.parametrize("update_type", ["Full", "Differential"])
def test_what_no_update_may_be(station: Station, central: CentralSide, update_type: str) -> None:
    """The versions 0 and below mean something else, an id tag stands there once."""
    peer = online(station, central)
    assert send(peer, "Full", 1, entry("A")) == "Accepted"
    assert send(peer, update_type, 0, entry("B")) == "Failed"
    assert send(peer, update_type, -1, entry("B")) == "Failed"
    assert send(peer, update_type, 2, entry("B"), entry("C"), entry("b")) == "Failed"
    assert (version(peer), set(content(station))) == (1, {"A"})


def test_the_log_says_why_an_update_is_refused(
    sim: SimulatedRuntime, tmp_path: Path, central: CentralSide, caplog: pytest.LogCaptureFixture
) -> None:
    """With the rule of the standard; no id tag is named."""
    station = small(sim, tmp_path)
    peer = online(station, central)
    assert send(peer, "Full", 3, entry("A"), entry("B"), entry("C")) == "Accepted"
    send(peer, "Full", 0, entry("A"))
    send(peer, "Full", 4, entry("D"), entry("d"))
    send(peer, "Full", 4, entry("D"), entry("E", None))
    send(peer, "Full", 4, *(entry(f"T{number}") for number in range(4)))
    send(peer, "Differential", 3, entry("D"))
    send(peer, "Differential", 4, entry("D"), entry("E"))
    lines = [record.getMessage() for record in caplog.records if "local list" in record.getMessage()]
    assert [line.removeprefix("CP1: local list, ") for line in lines] == [
        "Full update to version 0: Failed (listVersion is not above 0, errata 3.52)",
        "Full update to version 4: Failed (an id tag stands there twice, 1.6 §6.41)",
        "Full update to version 4: Failed (an entry has no idTagInfo, 1.6 §7.1)",
        "Full update to version 4: Failed (more than SendLocalListMaxLength 3 entries, 1.6 §9.2.3)",
        "Differential update to version 3: VersionMismatch (the list has version 3, 1.6 §7.47)",
        "Differential update to version 4: Failed (the list would be longer than LocalAuthListMaxLength 4, 1.6 §9.2.2)",
    ]
    station.cp.stop()


def test_a_differential_update_without_entries(station: Station, central: CentralSide) -> None:
    """1.6 §6.41: nothing changes but the version."""
    peer = online(station, central)
    assert send(peer, "Full", 1, entry("A")) == "Accepted"
    request = {"listVersion": 2, "updateType": "Differential"}
    assert peer.call("SendLocalList", request).result() == {"status": "Accepted"}
    assert (version(peer), set(content(station))) == (2, {"A"})


def test_a_long_list(sim: SimulatedRuntime, tmp_path: Path, central: CentralSide) -> None:
    """5,000 id tags at once, then each of them changed or deleted."""
    limits = {"SendLocalListMaxLength": 5000, "LocalAuthListMaxLength": 5000}
    station = Station(sim, str(tmp_path / "long.db"), limits)
    peer = online(station, central)
    tags = [f"TAG{number:04}" for number in range(5000)]
    info = {"parentIdTag": "GROUP", "expiryDate": FUTURE}
    assert send(peer, "Full", 1, *(entry(tag, **info) for tag in tags)) == "Accepted"
    assert len(content(station)) == 5000
    changed = [entry(tag.lower(), "Blocked" if number % 2 else None) for number, tag in enumerate(tags)]
    assert send(peer, "Differential", 2, *changed) == "Accepted"
    assert content(station) == {tag.lower(): ("Blocked", None) for tag in tags[1::2]}
    station.cp.stop()


def test_a_differential_update_is_refused_when_the_list_has_no_room(
    sim: SimulatedRuntime, tmp_path: Path, central: CentralSide
) -> None:
    """What it deletes makes room for what it brings, in whatever order."""
    station = small(sim, tmp_path)
    peer = online(station, central)
    assert send(peer, "Full", 1, entry("A"), entry("B"), entry("C")) == "Accepted"
    assert send(peer, "Differential", 2, entry("A", None), entry("D"), entry("E")) == "Accepted"
    before = content(station)
    assert send(peer, "Differential", 3, entry("B", "Blocked"), entry("F")) == "Failed"
    assert send(peer, "Differential", 3, *(entry(f"T{number}") for number in range(4))) == "Failed"
    assert (version(peer), content(station)) == (2, before)
    station.cp.stop()


def test_a_list_that_is_switched_off(station: Station, central: CentralSide) -> None:
    """Switched on again it is as it was."""
    peer = online(station, central)
    assert send(peer, "Full", 3, entry("A")) == "Accepted"
    station.keys.put("LocalAuthListEnabled", "false")
    assert version(peer) == -1
    assert send(peer, "Full", 4) == "NotSupported"
    station.keys.put("LocalAuthListEnabled", "true")
    assert version(peer) == 3


def test_a_charge_point_without_the_profile(sim: SimulatedRuntime, tmp_path: Path, central: CentralSide) -> None:
    station = small(sim, tmp_path, SupportedFeatureProfiles="Core")
    peer = online(station, central)
    peer.call("GetLocalListVersion").error("NotSupported")
    peer.call("SendLocalList", {"listVersion": 1, "updateType": "Full"}).error("NotSupported")
    station.cp.stop()


@pytest.mark.parametrize("update_type", ["Full", "Differential"])
def test_a_database_that_fails_in_the_middle(station: Station, central: CentralSide, update_type: str) -> None:
    """The third entry is refused by the database, the first two have not happened."""
    peer = online(station, central)
    assert send(peer, "Full", 1, entry("A"), entry("B")) == "Accepted"
    station.cp.stop()
    with sqlite3.connect(station.settings["database_path"]) as connection:
        connection.execute(
            "CREATE TRIGGER disk BEFORE INSERT ON AuthentLocalList WHEN NEW.id_tag = 'BAD' "
            "BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END"
        )
    connection.close()
    peer = online(station, central)
    assert send(peer, update_type, 2, entry("A", "Blocked"), entry("NEW"), entry("BAD"), entry("LAST")) == "Failed"
    assert (version(peer), content(station)) == (1, {"A": ("Accepted", None), "B": ("Accepted", None)})
    assert send(peer, update_type, 2, entry("NEW")) == "Accepted"
    assert version(peer) == 2


def test_a_list_without_entries_has_no_version(station: Station, central: CentralSide) -> None:
    """A differential update starts again with any version."""
    peer = online(station, central)
    assert send(peer, "Full", 7, entry("A")) == "Accepted"
    assert peer.call("SendLocalList", {"listVersion": 8, "updateType": "Full"}).result() == {"status": "Accepted"}
    assert (version(peer), content(station)) == (0, {})
    assert send(peer, "Differential", 1, entry("B")) == "Accepted"
    assert version(peer) == 1


def test_the_list_survives_a_restart(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    assert send(peer, "Full", 4, entry("A", parentIdTag="P", expiryDate=FUTURE)) == "Accepted"
    station.restart()
    peer = central.boot()
    assert version(peer) == 4
    go_offline(station)
    assert station.cp.authorize(1, "a") == (AuthorizationStatus.Accepted, "P")


@pytest.mark.parametrize("update_type", ["Full", "Differential"])
def test_the_old_list_survives_a_death_in_the_middle(station: Station, central: CentralSide, update_type: str) -> None:
    command = [sys.executable, "-m", "tests.chargepoint.killed_update", station.settings["database_path"], update_type]
    killed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, "stored\n"), killed.stderr

    peer = online(station, central)
    assert version(peer) == 1
    assert content(station) == {f"OLD{number:03}": ("Accepted", None) for number in range(60)}
    assert send(peer, update_type, 2, entry("NEW")) == "Accepted"
    assert version(peer) == 2
