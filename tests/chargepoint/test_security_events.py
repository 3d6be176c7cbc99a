"""Security events: which are told, which are only logged, and that none of those to be told is lost."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.chargepoint.security_events import SecurityEvent
from openocpp.errors import LocalProtocolError, StoreError
from openocpp.store.database import Database
from openocpp.testing.conversation import ABSENT
from openocpp.types.security_events import SECURITY_EVENTS, SecurityEvents
from tests.chargepoint.conftest import CentralSide, Station, online

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from openocpp.testing import SimulatedRuntime
    from openocpp.testing.conversation import ScriptedPeer

TAMPER = SecurityEvents.TAMPER_DETECTION_ACTIVATED
SECRET = "00112233445566778899AABBCCDDEEFF"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cp.db"


def logged(path: Path) -> list[tuple[str, str, bool]]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT type, message, critical FROM SecurityLogs ORDER BY id").fetchall()
    return [(kind, message, bool(critical)) for kind, message, critical in rows]


def told(peer: ScriptedPeer, kind: str, **more: Any) -> None:
    peer.expect_call("SecurityEventNotification", {"type": kind, **more}).answer()


# -- which of them -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SECURITY_EVENTS)
@pytest.mark.parametrize("critical", [True, False])
def test_the_standard_decides_about_its_own_events(
    station: Station, central: CentralSide, path: Path, kind: str, critical: bool
) -> None:
    peer = online(station, central)
    rule = SECURITY_EVENTS[kind]
    assert station.cp.log_security_event(kind, "what happened", critical)
    if rule.notified:
        told(peer, kind, techInfo="what happened")
    peer.expect_nothing(5.0)
    assert logged(path) == [(kind, "what happened", rule.critical)]


@pytest.mark.parametrize("critical", [True, False])
def test_a_vendor_decides_about_others(station: Station, central: CentralSide, path: Path, critical: bool) -> None:
    peer = online(station, central)
    assert station.cp.log_security_event("DoorOpened", critical=critical)
    if critical:
        told(peer, "DoorOpened", techInfo=ABSENT)
    peer.expect_nothing(5.0)
    assert logged(path) == [("DoorOpened", "", critical)]


def test_notifications_can_be_switched_off(sim: SimulatedRuntime, central: CentralSide, path: Path) -> None:
    station = Station(sim, str(path), security_event_notification_enabled=False)
    peer = online(station, central)
    assert station.cp.log_security_event(TAMPER)
    peer.expect_nothing(100.0)
    assert logged(path) == [(TAMPER, "", True)]
    station.cp.stop()


# -- texts -------------------------------------------------------------------------------------------------------------


def test_a_notification_has_type_time_and_text(station: Station, central: CentralSide, sim: SimulatedRuntime) -> None:
    peer = online(station, central)
    sim.sleep(30.0)
    station.cp.log_security_event(TAMPER, "the lid")
    call = peer.expect_call("SecurityEventNotification")
    assert call.payload == {"type": TAMPER, "timestamp": "2024-01-01T00:00:30Z", "techInfo": "the lid"}
    call.answer()


def test_a_long_text_is_cut_for_the_message_and_whole_in_the_log(
    station: Station, central: CentralSide, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    peer = online(station, central)
    text = "x" * 300
    assert station.cp.log_security_event(TAMPER, text)
    told(peer, TAMPER, techInfo="x" * 255)
    assert logged(path) == [(TAMPER, text, True)]
    assert "is cut to 255 characters" in caplog.text


@pytest.mark.parametrize("kind", ["", "x" * 51])
@pytest.mark.parametrize("running", [True, False])
def test_a_type_that_is_no_name_is_refused_and_nothing_is_kept(
    station: Station, central: CentralSide, path: Path, kind: str, running: bool
) -> None:
    if running:
        online(station, central)
    with pytest.raises(LocalProtocolError, match="type"):
        station.cp.log_security_event(kind, critical=True)
    assert station.cp.log_security_event("x" * 50, critical=True)
    assert [line[0] for line in logged(path)] == ["x" * 50]


def test_none_is_no_text(station: Station, path: Path) -> None:
    assert station.cp.log_security_event("DoorOpened", None)
    assert logged(path) == [("DoorOpened", "", False)]


# -- before the start, offline, after a restart ------------------------------------------------------------------------


@pytest.mark.parametrize("persistent", [True, False])
def test_what_happened_before_the_start_is_told_after_acceptance(
    sim: SimulatedRuntime, central: CentralSide, path: Path, persistent: bool
) -> None:
    station = Station(sim, str(path) if persistent else "")
    sim.sleep(10.0)
    assert station.cp.log_security_event(SecurityEvents.STARTUP_OF_THE_DEVICE, "cold")
    assert station.cp.log_security_event(TAMPER)
    sim.sleep(10.0)
    station.cp.start()
    peer = central.accept()
    boot = peer.expect_call("BootNotification")
    peer.expect_nothing(1.5)
    boot.answer({"status": "Accepted", "currentTime": "2024-01-01T00:00:00Z", "interval": 600})
    for _ in range(3):
        peer.expect_call("StatusNotification").answer()
    told(peer, SecurityEvents.STARTUP_OF_THE_DEVICE, timestamp="2024-01-01T00:00:10Z", techInfo="cold")
    told(peer, TAMPER, timestamp="2024-01-01T00:00:10Z")
    peer.expect_nothing(100.0)
    station.cp.stop()
    station.cp.start()
    central.boot().expect_nothing(100.0)  # each of them once
    station.cp.stop()


def test_without_a_disk_there_is_a_bound_for_what_waits(sim: SimulatedRuntime, central: CentralSide) -> None:
    station = Station(sim, "")
    results = [station.cp.log_security_event(TAMPER, str(number)) for number in range(150)]
    assert results == [True] * 100 + [False] * 50
    peer = online(station, central)
    for number in range(100):
        told(peer, TAMPER, techInfo=str(number))
    station.cp.stop()


def test_events_survive_lost_connections_and_restarts_in_their_order(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    peer = online(station, central)
    sim.sleep(1.0)
    sim.network.refuse()
    peer.abort()
    sim.sleep(5.0)
    for number in range(3):
        assert station.cp.log_security_event(TAMPER, str(number))
    station.restart()
    sim.network.refuse(False)
    peer = central.boot()
    peer.expect_call("SecurityEventNotification", {"techInfo": "0"})  # not answered
    peer.abort()
    peer = central.accept()
    for number in range(3):
        told(peer, TAMPER, techInfo=str(number))
    peer.expect_nothing(100.0)


def test_an_event_that_was_not_processed_is_sent_again(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    peer = online(station, central)
    station.cp.log_security_event(TAMPER)
    for _ in range(5):
        peer.expect_call("SecurityEventNotification", timeout=100.0).refuse("InternalError")
    sim.sleep(50.0)
    told(peer, TAMPER)
    peer.expect_nothing(200.0)


# -- the log -----------------------------------------------------------------------------------------------------------


def test_clearing_the_log_is_an_event_itself(station: Station, central: CentralSide, path: Path) -> None:
    station.cp.log_security_event("DoorOpened")
    assert station.cp.clear_security_events() is True
    cleared = (SecurityEvents.SECURITY_LOG_WAS_CLEARED, "", True)
    assert logged(path) == [cleared]
    peer = online(station, central)
    told(peer, SecurityEvents.SECURITY_LOG_WAS_CLEARED)
    station.cp.log_security_event("DoorOpened")
    assert station.cp.clear_security_events() is True
    told(peer, SecurityEvents.SECURITY_LOG_WAS_CLEARED)
    assert logged(path) == [cleared]


def test_without_a_log_events_are_told_all_the_same(sim: SimulatedRuntime, central: CentralSide, path: Path) -> None:
    station = Station(sim, str(path), security_log_max_entries_count=0)
    assert station.cp.clear_security_events() is False
    peer = online(station, central)
    assert station.cp.log_security_event(TAMPER) is True
    told(peer, TAMPER)
    assert station.cp.clear_security_events() is False
    peer.expect_nothing(10.0)
    assert logged(path) == []
    station.cp.stop()


def test_the_log_keeps_the_newest_lines(sim: SimulatedRuntime, path: Path) -> None:
    station = Station(sim, str(path), security_log_max_entries_count=3)
    for number in range(5):
        station.cp.log_security_event("DoorOpened", str(number))
    assert [line[1] for line in logged(path)] == ["2", "3", "4"]


@pytest.mark.parametrize("running", [True, False])
def test_a_disk_that_fails_is_a_refusal_and_no_exception(
    station: Station, central: CentralSide, monkeypatch: pytest.MonkeyPatch, running: bool
) -> None:
    if running:
        online(station, central)

    def full(*_: object) -> None:
        raise StoreError("disk full")

    monkeypatch.setattr(Database, "write", full)
    assert station.cp.log_security_event(TAMPER) is False
    assert station.cp.clear_security_events() is False


def test_a_database_that_cannot_be_opened_is_a_refusal(sim: SimulatedRuntime, tmp_path: Path) -> None:
    station = Station(sim, str(tmp_path / "no such folder" / "cp.db"))
    assert station.cp.log_security_event(TAMPER) is False
    assert station.cp.clear_security_events() is False


# -- events of the role itself -----------------------------------------------------------------------------------------


def test_garbage_is_logged_once_per_connection(
    station: Station, central: CentralSide, sim: SimulatedRuntime, path: Path
) -> None:
    peer = online(station, central)
    for text in ("garbage", '[9,"1",{}]', "[2]"):
        peer.send(text)
    sim.sleep(1.0)
    assert [line[0] for line in logged(path)] == [SecurityEvents.INVALID_MESSAGES]
    peer.abort()
    central.accept().send("garbage")
    sim.sleep(1.0)
    assert [line[0] for line in logged(path)] == [SecurityEvents.INVALID_MESSAGES] * 2


def send_garbage(station: Station, peer: ScriptedPeer) -> None:
    peer.send("garbage")


def ask_badly(station: Station, peer: ScriptedPeer) -> None:
    peer.call("Reset", {"type": 5}).error("TypeConstraintViolation")


def answer_badly(station: Station, peer: ScriptedPeer) -> None:
    asking = station.sim.user(lambda: station.cp.authorize(1, "TAG"))
    peer.expect_call("Authorize").answer({})
    asking.result()


@pytest.mark.parametrize(
    ("do", "message"),
    [
        (send_garbage, "not JSON: Expecting value: line 1 column 1 (char 0)"),
        (ask_badly, "Reset: type: is a number, not a text"),
        (answer_badly, "answer to Authorize: idTagInfo: is missing"),
    ],
)
def test_messages_that_break_the_standard_are_logged(
    station: Station,
    central: CentralSide,
    sim: SimulatedRuntime,
    path: Path,
    do: Callable[[Station, ScriptedPeer], None],
    message: str,
) -> None:
    do(station, online(station, central))
    sim.sleep(1.0)
    assert logged(path) == [(SecurityEvents.INVALID_MESSAGES, message, False)]


def test_changes_of_security_parameters_are_logged_without_their_values(
    station: Station, central: CentralSide, sim: SimulatedRuntime, path: Path
) -> None:
    peer = online(station, central)
    for key, value in (("AuthorizationKey", SECRET), ("SecurityProfile", "1"), ("HeartbeatInterval", "77")):
        peer.call("ChangeConfiguration", {"key": key, "value": value}).result({"status": "Accepted"})
    peer.call("ChangeConfiguration", {"key": "SecurityProfile", "value": "0"}).result({"status": "Rejected"})
    sim.sleep(1.0)
    name = SecurityEvents.RECONFIGURATION_OF_SECURITY_PARAMETERS
    assert logged(path) == [(name, "AuthorizationKey", False), (name, "SecurityProfile: 1", False)]


def test_a_database_that_was_corrupt_is_an_event(station: Station, path: Path) -> None:
    path.write_bytes(b"no database at all, but long enough to look at" * 100)
    assert station.cp.start()
    assert [line[0] for line in logged(path)] == ["DatabaseCorrupted"]


def test_what_an_event_is_decided_by() -> None:
    from datetime import UTC, datetime

    now = datetime(2024, 1, 1, tzinfo=UTC)
    assert SecurityEvent(now, TAMPER).rule == (True, True)
    assert SecurityEvent(now, "DoorOpened").rule == (False, False)
    assert SecurityEvent(now, "DoorOpened", critical=True).rule == (True, True)
