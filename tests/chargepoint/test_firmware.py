"""Firmware updates: from the request to the application's last word, over transactions, restarts, second thoughts."""

from __future__ import annotations

import logging
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.types import AuthorizationStatus, ChargePointStatus, format_datetime
from tests.chargepoint.conftest import NOW, CentralSide, Station, online
from tests.chargepoint.driving import begin, end, go_offline, go_online, rows, starting

if TYPE_CHECKING:
    from pathlib import Path

    from openocpp.testing import SimulatedRuntime
    from openocpp.testing.conversation import ScriptedPeer, SentCall

WALL = datetime(2024, 1, 1, tzinfo=UTC)
LOCATION = "ftp://user:secret@host/image.bin"
HOUR = 3600
Status = ChargePointStatus
QUIET: dict[str, Any] = {
    "Heartbeat": {"currentTime": NOW},
    "StatusNotification": {},
    "SecurityEventNotification": {},
}


def up(station: Station, central: CentralSide) -> ScriptedPeer:
    """Started, connected, accepted; statuses, events and heartbeats are of no interest."""
    peer = online(station, central)
    peer.answers.update(QUIET)
    return peer


def up_again(station: Station, central: CentralSide) -> ScriptedPeer:
    """As ``up``, after a restart."""
    peer = central.accept(**QUIET)
    peer.expect_call("BootNotification").answer({"status": "Accepted", "currentTime": NOW, "interval": 0})
    return peer


def ask(peer: ScriptedPeer, seconds: float = 0, **fields: Any) -> SentCall:
    """An update, not before so many seconds after the beginning of the test."""
    date = format_datetime(WALL + timedelta(seconds=seconds))
    return peer.call("UpdateFirmware", {"location": LOCATION, "retrieveDate": date, **fields})


def told(peer: ScriptedPeer, *statuses: str, timeout: float = 60) -> None:
    for status in statuses:
        peer.expect_call("FirmwareStatusNotification", {"status": status}, timeout).answer()


def asked_for(peer: ScriptedPeer, status: str) -> None:
    """The status that a trigger brings."""
    trigger = peer.call("TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"})
    trigger.result({"status": "Accepted"})
    told(peer, status)


def installed(station: Station, peer: ScriptedPeer, success: bool = True) -> None:
    """The application says how the installation ended."""
    user = station.sim.user(lambda: station.cp.notify_firmware_update_status(success))
    told(peer, "Installed" if success else "InstallationFailed")
    assert user.result() is True


def steps(station: Station) -> list[str]:
    """The callbacks of updates, in order."""
    wanted = {"update_firmware_requested", "download_file", "install_firmware"}
    return [name for name in station.handler.names() if name in wanted]


def statuses(station: Station) -> list[Status]:
    return [station.cp.get_connector_status(number) for number in range(3)]


def events(station: Station) -> list[str]:
    """The security events that were logged."""
    return [row[0] for row in rows(station, "SELECT type FROM SecurityLogs ORDER BY id")]


FREE = [Status.Available, Status.Available, Status.Available]
OUT = [Status.Available, Status.Unavailable, Status.Unavailable]


# -- the usual way -----------------------------------------------------------------------------------------------------


def test_an_update_at_once(station: Station, central: CentralSide) -> None:
    """The answer, then each stage; nothing can be charged until the application has said how it ended."""
    peer = up(station, central)
    assert ask(peer).result() == {}
    told(peer, "Downloading", "Downloaded", "Installing")
    peer.expect_nothing(HOUR)
    assert station.handler.of("download_file") == [(LOCATION, "/tmp/image")]
    assert station.handler.of("install_firmware") == [("/tmp/image",)]
    assert statuses(station) == OUT
    assert station.cp.start_transaction(1, "TAG") is AuthorizationStatus.Invalid
    installed(station, peer)
    assert statuses(station) == FREE
    assert events(station) == ["FirmwareUpdated"]
    peer.expect_nothing(HOUR)


def test_the_answer_comes_first(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    call = ask(peer)
    peer.expect_call("FirmwareStatusNotification", {"status": "Downloading"})
    assert call.answered


def test_an_update_at_a_later_date(station: Station, central: CentralSide) -> None:
    """No thread waits, and the connectors are in service."""
    peer = up(station, central)
    assert ask(peer, 10 * HOUR).result() == {}
    station.sim.sleep(10 * HOUR - 2)
    assert steps(station) == []
    assert statuses(station) == FREE
    told(peer, "Downloading", "Downloaded", "Installing")
    assert station.sim.clock.utcnow() - WALL < timedelta(hours=10, minutes=1)


def test_a_date_of_the_wall_clock(station: Station, central: CentralSide) -> None:
    """Somebody sets it: forwards, it is time; back, it is not."""
    peer = up(station, central)
    ask(peer, 10 * HOUR).result()
    station.sim.sleep(9 * HOUR)
    station.sim.set_wall(WALL)
    station.sim.sleep(9 * HOUR)
    assert steps(station) == []
    station.sim.set_wall(WALL + timedelta(hours=10))
    told(peer, "Downloading", timeout=61)


def test_a_failure_then_a_success(station: Station, central: CentralSide) -> None:
    """Errata 3.50"""
    peer = up(station, central)
    outcomes = iter([False, False, True])
    times: list[float] = []

    def download(url: str, path: str) -> bool:
        times.append(round(station.sim.clock.now()))
        return next(outcomes)

    station.handler.download = download
    ask(peer, retries=2, retryInterval=20)
    told(peer, "Downloading", "Downloaded", "Installing")
    assert [time - times[0] for time in times] == [0, 20, 40]


def test_nothing_but_failures(station: Station, central: CentralSide) -> None:
    """Two retries are three attempts; the connectors were never out of service."""
    peer = up(station, central)
    station.handler.download = lambda url, path: False
    ask(peer, retries=2, retryInterval=10)
    told(peer, "Downloading", "DownloadFailed")
    assert len(station.handler.of("download_file")) == 3
    assert statuses(station) == FREE
    peer.expect_nothing(HOUR)
    assert steps(station)[-1] == "download_file"


def test_a_download_that_raises(station: Station, central: CentralSide, caplog: pytest.LogCaptureFixture) -> None:
    """The password of the address is in no log."""
    peer = up(station, central)

    def fail(url: str, path: str) -> bool:
        raise OSError("no disk")

    station.handler.download = fail
    with caplog.at_level(logging.INFO):
        ask(peer)
        told(peer, "Downloading", "DownloadFailed")
    assert "firmware <update from ftp://user:***@host/image.bin, not before 2024-01-01T00:00:00Z>" in caplog.text
    assert "download_file" in caplog.text
    assert "secret" not in caplog.text


def test_the_application_wants_no_update(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    station.handler.firmware_path = lambda: ""
    ask(peer)
    told(peer, "DownloadFailed")
    assert steps(station) == ["update_firmware_requested"]


def test_an_address_that_is_none(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    ask(peer, location="image.bin").error("PropertyConstraintViolation")
    peer.expect_nothing(60)
    assert steps(station) == []


def test_only_signed_updates(sim: SimulatedRuntime, tmp_path: Path, central: CentralSide) -> None:
    """SEC L01.FR.20, as a setting: many central systems know the plain message only."""
    station = Station(sim, str(tmp_path / "signed.db"), signed_firmware_only=True)
    peer = up(station, central)
    ask(peer).error("NotSupported")
    station.cp.stop()


# -- the installation --------------------------------------------------------------------------------------------------


def test_it_waits_for_transactions(station: Station, central: CentralSide) -> None:
    """errata 3.49: what is free is Unavailable meanwhile, and what becomes free too."""
    peer = up(station, central)
    begin(station, peer, 1, "A", 41)
    begin(station, peer, 2, "B", 42)
    station.cp.status_notification(1, Status.Charging)
    station.cp.status_notification(2, Status.Charging)
    ask(peer)
    told(peer, "Downloading", "Downloaded")
    assert statuses(station) == [Status.Available, Status.Charging, Status.Charging]
    peer.expect_nothing(HOUR)
    end(station, peer, 1)
    assert statuses(station) == [Status.Available, Status.Unavailable, Status.Charging]
    assert station.cp.start_transaction(1, "C") is AuthorizationStatus.Invalid
    station.cp.status_notification(1, Status.Available)
    assert station.cp.get_connector_status(1) is Status.Unavailable
    peer.expect_nothing(HOUR)
    assert "install_firmware" not in steps(station)
    end(station, peer, 2)
    told(peer, "Installing")
    installed(station, peer)
    assert statuses(station) == [Status.Available, Status.Available, Status.Charging]


def test_a_start_that_is_under_way_comes_too_late(station: Station, central: CentralSide) -> None:
    """Its meter is being read when the connectors go out of service: the installation does not wait for it."""
    peer = up(station, central)
    station.handler.during_meter = lambda: station.sim.sleep(10)
    user = starting(station)
    station.sim.sleep(1)
    ask(peer)
    told(peer, "Downloading", "Downloaded", "Installing")
    assert user.result() is AuthorizationStatus.Invalid


def test_it_can_be_installed_while_somebody_charges(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    station.handler.needs_idle = False
    begin(station, peer)
    ask(peer)
    told(peer, "Downloading", "Downloaded", "Installing")
    assert station.cp.get_connector_status(2) is Status.Available
    installed(station, peer)


def test_the_availability_that_the_central_system_set_is_kept(station: Station, central: CentralSide) -> None:
    """An update takes connectors out of service in its own way."""
    peer = up(station, central)
    peer.call("ChangeAvailability", {"connectorId": 2, "type": "Inoperative"}).result({"status": "Accepted"})
    ask(peer)
    told(peer, "Downloading", "Downloaded", "Installing")
    installed(station, peer)
    assert statuses(station) == [Status.Available, Status.Available, Status.Unavailable]


def test_reservations_end(station: Station, central: CentralSide) -> None:
    """1.6 §5.13 (3): their connectors are Unavailable."""
    peer = up(station, central)
    request = {"connectorId": 1, "reservationId": 1, "idTag": "T", "expiryDate": "2030-01-01T00:00:00Z"}
    peer.call("ReserveNow", request).result({"status": "Accepted"})
    ask(peer)
    told(peer, "Downloading", "Downloaded", "Installing")
    assert station.handler.of("reservation_ended") == [(1, True)]
    installed(station, peer)
    assert statuses(station) == FREE


def test_it_fails(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    ask(peer)
    told(peer, "Downloading", "Downloaded", "Installing")
    installed(station, peer, success=False)
    assert statuses(station) == FREE
    assert events(station) == []


def test_an_installation_that_raises(station: Station, central: CentralSide) -> None:
    peer = up(station, central)

    def fail(path: str) -> None:
        raise RuntimeError("bad image")

    station.handler.install = fail
    ask(peer)
    told(peer, "Downloading", "Downloaded", "Installing", "InstallationFailed")
    assert statuses(station) == FREE
    peer.expect_nothing(60)


def test_the_word_comes_from_inside_of_the_installation(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    answers: list[bool] = []
    station.handler.install = lambda path: answers.append(station.cp.notify_firmware_update_status(True))
    ask(peer)
    told(peer, "Downloading", "Downloaded", "Installing", "Installed")
    station.sim.run_until(lambda: bool(answers), 10)
    assert answers == [True]
    assert statuses(station) == FREE
    peer.expect_nothing(60)


def test_the_word_while_nobody_listens(station: Station, central: CentralSide) -> None:
    """It is told with the next connection; said again, it is no second update."""
    peer = up(station, central)
    ask(peer)
    told(peer, "Downloading", "Downloaded", "Installing")
    go_offline(station)
    assert station.cp.notify_firmware_update_status(True) is False
    assert statuses(station) == FREE
    peer = go_online(station, central, **QUIET)
    told(peer, "Installed")
    assert station.sim.user(lambda: station.cp.notify_firmware_update_status(True)) is not None
    told(peer, "Installed")
    assert events(station) == ["FirmwareUpdated"]


def test_the_word_is_refused_before_registration(station: Station) -> None:
    assert station.cp.notify_firmware_update_status(True) is False
    assert station.cp.start()
    assert station.cp.notify_firmware_update_status(True) is False
    assert events(station) == []


# -- second thoughts ---------------------------------------------------------------------------------------------------


def test_a_new_request_takes_the_place_of_one_that_waits(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    ask(peer, HOUR).result()
    ask(peer, 2 * HOUR, location="http://other/image").result()
    peer.expect_nothing(1.5 * HOUR)
    told(peer, "Downloading", "Downloaded", "Installing", timeout=HOUR)
    assert station.handler.of("download_file") == [("http://other/image", "/tmp/image")]
    peer.expect_nothing(HOUR)


def test_a_new_request_ends_a_download_in_silence(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    gate = station.sim.threads.gate()

    def download(url: str, path: str) -> bool:
        return gate.wait() if url == LOCATION else True

    station.handler.download = download
    ask(peer).result()
    told(peer, "Downloading")
    ask(peer, location="http://other/image").result()
    told(peer, "Downloading", "Downloaded", "Installing")
    gate.open()
    peer.expect_nothing(HOUR)
    assert steps(station).count("install_firmware") == 1


def test_a_new_request_puts_connectors_into_service(station: Station, central: CentralSide) -> None:
    """The installation of the old firmware waited for a transaction."""
    peer = up(station, central)
    begin(station, peer)
    ask(peer)
    told(peer, "Downloading", "Downloaded")
    assert station.cp.get_connector_status(2) is Status.Unavailable
    ask(peer, 5 * HOUR).result()
    assert station.cp.get_connector_status(2) is Status.Available
    end(station, peer)
    peer.expect_nothing(4 * HOUR)
    assert "install_firmware" not in steps(station)


def test_a_new_request_during_the_installation(station: Station, central: CentralSide) -> None:
    """Nobody can call the application back from there; afterwards the next one is welcome."""
    peer = up(station, central)
    gate = station.sim.threads.gate()

    def install(path: str) -> None:
        gate.wait()

    station.handler.install = install
    ask(peer).result()
    told(peer, "Downloading", "Downloaded", "Installing")
    station.sim.run_until(lambda: "install_firmware" in steps(station), 10)
    ask(peer).error("InternalError")
    gate.open()
    station.sim.sleep(1)
    ask(peer).result()
    told(peer, "Downloading", "Downloaded", "Installing")


# -- restarts ----------------------------------------------------------------------------------------------------------


def test_a_restart_before_the_date(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    ask(peer, 5 * HOUR, retries=1, retryInterval=7).result()
    station.restart()
    peer = up_again(station, central)
    station.handler.download = lambda url, path: False
    told(peer, "Downloading", timeout=6 * HOUR)
    assert (station.sim.clock.utcnow() - WALL) / timedelta(hours=5) == pytest.approx(1, abs=0.01)
    told(peer, "DownloadFailed")
    assert station.handler.of("download_file") == 2 * [(LOCATION, "/tmp/image")]
    station.restart()
    up_again(station, central).expect_nothing(6 * HOUR)


def test_a_restart_after_the_date(station: Station, central: CentralSide) -> None:
    """It could not be fetched in time: it is fetched as soon as there is a network, which the registration shows."""
    peer = up(station, central)
    ask(peer, HOUR).result()
    station.cp.stop()
    station.sim.sleep(2 * HOUR)
    assert station.cp.start()
    peer = central.accept(**QUIET)
    boot = peer.expect_call("BootNotification")
    station.sim.sleep(1)
    assert steps(station) == []
    boot.answer({"status": "Accepted", "currentTime": NOW, "interval": 0})
    told(peer, "Downloading", "Downloaded", "Installing")
    station.sim.sleep(1)
    assert steps(station) == ["update_firmware_requested", "download_file", "install_firmware"]


def test_a_restart_after_which_nobody_answers(station: Station, central: CentralSide) -> None:
    """After some minutes the firmware is fetched all the same, once; what happens is told when somebody listens."""
    peer = up(station, central)
    ask(peer, HOUR).result()
    station.sim.network.refuse()
    station.cp.stop()
    station.sim.sleep(2 * HOUR)
    assert station.cp.start()
    station.sim.sleep(240)
    assert steps(station) == []
    station.sim.sleep(120)
    assert steps(station) == ["update_firmware_requested", "download_file", "install_firmware"]
    station.sim.network.refuse(False)
    told(up_again(station, central), "Installing")
    assert steps(station).count("download_file") == 1


def test_a_restart_during_the_download(station: Station, central: CentralSide) -> None:
    """It begins again."""
    peer = up(station, central)
    gate = station.sim.threads.gate()
    station.handler.download = lambda url, path: gate.wait()
    ask(peer).result()
    told(peer, "Downloading")
    station.cp.stop()
    gate.open()
    station.sim.sleep(1)
    assert "install_firmware" not in steps(station)

    def download(url: str, path: str) -> bool:
        station.sim.sleep(30)
        return True

    station.handler.download = download
    assert station.cp.start()
    peer = up_again(station, central)
    told(peer, "Downloading", "Downloaded", "Installing")


def test_a_restart_while_it_waits_for_transactions(station: Station, central: CentralSide) -> None:
    """The image is there: it is not fetched again."""
    peer = up(station, central)
    begin(station, peer)
    ask(peer)
    told(peer, "Downloading", "Downloaded")
    station.restart()
    peer = up_again(station, central)
    peer.expect_nothing(HOUR)
    assert station.cp.get_connector_status(2) is Status.Unavailable
    end(station, peer)
    told(peer, "Installing")
    station.sim.sleep(1)
    assert steps(station) == ["update_firmware_requested", "download_file", "install_firmware"]


def test_the_installation_restarts_the_charge_point(station: Station, central: CentralSide) -> None:
    """The new firmware says how it went. Until then the connectors are in service: it may have forgotten."""
    peer = up(station, central)

    def install(path: str) -> None:
        station.cp.stop()

    station.handler.install = install
    ask(peer)
    told(peer, "Downloading", "Downloaded", "Installing")
    peer.expect_closed(1000)
    station.sim.sleep(1)
    station.cp = station.create()
    assert station.cp.start()
    peer = up_again(station, central)
    peer.expect_nothing(60)
    assert statuses(station) == FREE
    asked_for(peer, "Installing")
    installed(station, peer)
    assert events(station) == ["FirmwareUpdated"]
    assert steps(station).count("install_firmware") == 1


def test_a_stored_update_that_cannot_be_read(
    station: Station, central: CentralSide, caplog: pytest.LogCaptureFixture
) -> None:
    peer = up(station, central)
    ask(peer, HOUR).result()
    station.cp.stop()
    for text in ("{", "[]", '{"status": "Idle", "update": {"location": 1}}', '{"status": "Nonsense", "update": null}'):
        with sqlite3.connect(station.settings["database_path"]) as connection:
            connection.execute("UPDATE InternalConfig SET value = ? WHERE key = 'FirmwareUpdate'", (text,))
        connection.close()
        caplog.clear()
        assert station.cp.start()
        assert "a stored firmware update cannot be read" in caplog.text
        up_again(station, central).expect_nothing(2 * HOUR)
        station.cp.stop()
    assert steps(station) == []


def test_an_update_on_a_full_disk(station: Station, central: CentralSide, caplog: pytest.LogCaptureFixture) -> None:
    """It goes on, as long as the power lasts."""
    peer = up(station, central)
    station.cp.stop()
    with sqlite3.connect(station.settings["database_path"]) as connection:
        connection.execute(
            "CREATE TRIGGER disk BEFORE INSERT ON InternalConfig WHEN NEW.key = 'FirmwareUpdate' "
            "BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END"
        )
    connection.close()
    assert station.cp.start()
    peer = up_again(station, central)
    ask(peer).result()
    told(peer, "Downloading", "Downloaded", "Installing")
    assert "a restart will forget how far the firmware update is" in caplog.text
    installed(station, peer)


# -- on demand ---------------------------------------------------------------------------------------------------------


def test_the_status_on_demand(station: Station, central: CentralSide) -> None:
    """Idle while nothing has happened and after the good end, else the newest one, after restarts too."""
    peer = up(station, central)
    asked_for(peer, "Idle")
    ask(peer, 100).result()
    asked_for(peer, "Idle")
    told(peer, "Downloading", "Downloaded", "Installing", timeout=101)
    asked_for(peer, "Installing")
    installed(station, peer, success=False)
    asked_for(peer, "InstallationFailed")
    station.restart()
    peer = up_again(station, central)
    asked_for(peer, "InstallationFailed")
    ask(peer).result()
    told(peer, "Downloading", "Downloaded", "Installing")
    installed(station, peer)
    asked_for(peer, "Idle")


def test_the_status_on_demand_while_pending(station: Station, central: CentralSide) -> None:
    """1.6 §4.2: what the central system asks for is sent."""
    assert station.cp.start()
    peer = central.boot(status="Pending", interval=HOUR)
    asked_for(peer, "Idle")
