"""Diagnostics: the answer, the upload with its repetitions, what is told of it, and what ends it early."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.types import UploadLogStatusEnumType
from tests.chargepoint.conftest import NOW, CentralSide, Station, online
from tests.chargepoint.driving import go_offline, go_online

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openocpp.runtime import Gate
    from openocpp.testing.conversation import ScriptedPeer, SentCall

LOCATION = "ftp://user:secret@host/folder"
SENT_TO = "ftp://user:secret@host/folder/log.zip"
UploadStatus = UploadLogStatusEnumType


def up(station: Station, central: CentralSide) -> ScriptedPeer:
    """Started, connected, accepted, with diagnostics at hand; heartbeats are of no interest."""
    station.handler.diagnostics = lambda start, stop: "/tmp/log.zip"
    return online(station, central, Heartbeat={"currentTime": NOW})


def ask(peer: ScriptedPeer, **fields: Any) -> SentCall:
    return peer.call("GetDiagnostics", {"location": LOCATION, **fields})


def told(peer: ScriptedPeer, *statuses: str) -> None:
    for status in statuses:
        peer.expect_call("DiagnosticsStatusNotification", {"status": status}).answer()


def asked_for(peer: ScriptedPeer, status: str) -> None:
    """The status that a trigger brings."""
    trigger = peer.call("TriggerMessage", {"requestedMessage": "DiagnosticsStatusNotification"})
    trigger.result({"status": "Accepted"})
    told(peer, status)


class Slow:
    """Uploads that wait until they are let go, one by one."""

    def __init__(self, station: Station, result: bool | UploadStatus = True) -> None:
        self.gates: list[Gate] = []
        self._station = station
        self._result = result

    def __call__(self, path: str, url: str) -> bool | UploadStatus:
        gate = self._station.sim.threads.gate()
        self.gates.append(gate)
        gate.wait()
        return self._result


def test_a_file_is_uploaded(station: Station, central: CentralSide) -> None:
    """Its name first, then where the upload is."""
    peer = up(station, central)
    call = ask(peer, startTime="2023-12-01T00:00:00Z", stopTime="2023-12-02T00:00:00Z")
    told(peer, "Uploading", "Uploaded")
    assert call.result() == {"fileName": "log.zip"}
    asked = station.handler.of("get_diagnostics")
    assert asked == [(datetime(2023, 12, 1, tzinfo=UTC), datetime(2023, 12, 2, tzinfo=UTC))]
    assert station.handler.of("upload_file") == [("/tmp/log.zip", SENT_TO)]
    peer.expect_nothing(60)


def test_the_answer_is_written_before_the_upload_begins(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    call = ask(peer)
    peer.expect_call("DiagnosticsStatusNotification", {"status": "Uploading"})
    assert call.answered


def test_no_file(station: Station, central: CentralSide) -> None:
    """The field is left out, and nothing is told."""
    peer = up(station, central)
    station.handler.diagnostics = lambda start, stop: ""
    assert ask(peer).result() == {}
    assert station.handler.of("get_diagnostics") == [(None, None)]
    peer.expect_nothing(60)
    asked_for(peer, "Idle")


def test_an_address_that_is_none(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    for location in ("no uri", "", "host/folder"):
        ask(peer, location=location).error("PropertyConstraintViolation")
    assert station.handler.of("get_diagnostics") == []


def test_the_application_fails(station: Station, central: CentralSide) -> None:
    peer = up(station, central)

    def fail(start: datetime | None, stop: datetime | None) -> str:
        raise OSError("no disk")

    station.handler.diagnostics = fail
    ask(peer).error("InternalError")
    peer.expect_nothing(10)


def test_repetitions(station: Station, central: CentralSide) -> None:
    """Errata 3.50: two retries are three attempts."""
    peer = up(station, central)
    times: list[float] = []

    def upload(path: str, url: str) -> bool:
        times.append(round(station.sim.clock.now()))
        return False

    station.handler.upload = upload
    ask(peer, retries=2, retryInterval=20)
    told(peer, "Uploading", "UploadFailed")
    assert [time - times[0] for time in times] == [0, 20, 40]
    peer.expect_nothing(120)


def test_a_repetition_that_helps(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    outcomes: Iterator[bool | UploadStatus] = iter([UploadStatus.PermissionDenied, False, UploadStatus.Uploaded])
    station.handler.upload = lambda path, url: next(outcomes)
    ask(peer, retries=5, retryInterval=1)
    told(peer, "Uploading", "Uploaded")
    assert len(station.handler.of("upload_file")) == 3
    peer.expect_nothing(60)


@pytest.mark.parametrize("fields", [{}, {"retries": 0}, {"retryInterval": 1}])
def test_one_attempt_where_nothing_is_said_of_more(
    station: Station, central: CentralSide, fields: dict[str, int]
) -> None:
    peer = up(station, central)
    station.handler.upload = lambda path, url: UploadStatus.BadMessage
    ask(peer, **fields)
    told(peer, "Uploading", "UploadFailed")
    assert len(station.handler.of("upload_file")) == 1


def test_an_upload_that_raises(station: Station, central: CentralSide, caplog: pytest.LogCaptureFixture) -> None:
    """It has failed; the password of the address is in no log."""
    peer = up(station, central)

    def fail(path: str, url: str) -> bool:
        raise RuntimeError("broken")

    station.handler.upload = fail
    ask(peer)
    told(peer, "Uploading", "UploadFailed")
    assert "upload_file" in caplog.text
    assert "secret" not in caplog.text


def test_a_running_upload_gives_way(station: Station, central: CentralSide) -> None:
    """And says nothing more, whenever it returns."""
    peer = up(station, central)
    station.handler.upload = slow = Slow(station)
    ask(peer).result()
    told(peer, "Uploading")
    ask(peer, location="http://other/").result({"fileName": "log.zip"})
    told(peer, "Uploading")
    slow.gates[0].open()
    peer.expect_nothing(60)
    slow.gates[1].open()
    told(peer, "Uploaded")
    assert station.handler.of("upload_file")[1] == ("/tmp/log.zip", "http://other/log.zip")


def test_a_running_upload_gives_way_to_nothing(station: Station, central: CentralSide) -> None:
    """Asked again, the application has no file any more."""
    peer = up(station, central)
    station.handler.upload = lambda path, url: False
    ask(peer, retries=9, retryInterval=30).result()
    told(peer, "Uploading")
    station.handler.diagnostics = lambda start, stop: ""
    assert ask(peer).result() == {}
    peer.expect_nothing(600)
    assert len(station.handler.of("upload_file")) == 1


def test_the_status_on_demand(station: Station, central: CentralSide) -> None:
    """Idle while nothing has happened and after the good end, else the newest one."""
    peer = up(station, central)
    asked_for(peer, "Idle")
    station.handler.upload = slow = Slow(station)
    ask(peer).result()
    told(peer, "Uploading")
    asked_for(peer, "Uploading")
    slow.gates[0].open()
    told(peer, "Uploaded")
    asked_for(peer, "Idle")
    station.handler.upload = lambda path, url: False
    ask(peer).result()
    told(peer, "Uploading", "UploadFailed")
    asked_for(peer, "UploadFailed")


def test_an_upload_that_ends_while_nobody_listens(station: Station, central: CentralSide) -> None:
    """The newest status is told with the next connection, once."""
    peer = up(station, central)
    station.handler.upload = slow = Slow(station)
    ask(peer).result()
    told(peer, "Uploading")
    go_offline(station)
    slow.gates[0].open()
    station.sim.sleep(1)
    peer = go_online(station, central)
    told(peer, "Uploaded")
    go_offline(station)
    go_online(station, central).expect_nothing(60)


def test_the_stop_does_not_wait_for_an_upload(
    station: Station, central: CentralSide, caplog: pytest.LogCaptureFixture
) -> None:
    """One that does not return is left alone, and does no harm when it does."""
    peer = up(station, central)
    station.handler.upload = slow = Slow(station)
    ask(peer).result()
    told(peer, "Uploading")
    before = station.sim.clock.now()
    assert station.cp.stop()
    assert station.sim.clock.now() - before <= 3
    assert "upload is still in a callback of the application: abandoned" in caplog.text
    assert station.cp.start()
    peer = central.boot()
    slow.gates[0].open()
    peer.expect_nothing(60)
    asked_for(peer, "Idle")


def test_the_stop_ends_the_pause_between_attempts(
    station: Station, central: CentralSide, caplog: pytest.LogCaptureFixture
) -> None:
    peer = up(station, central)
    station.handler.upload = lambda path, url: False
    ask(peer, retries=3, retryInterval=3600).result()
    told(peer, "Uploading")
    assert station.cp.stop()
    assert "abandoned" not in caplog.text
    station.sim.sleep(4 * 3600)
    assert len(station.handler.of("upload_file")) == 1


def test_the_application_stops_the_charge_point_from_an_upload(
    station: Station, central: CentralSide, caplog: pytest.LogCaptureFixture
) -> None:
    """The thread of the job does not wait for itself."""
    peer = up(station, central)
    stopped: list[bool] = []

    def upload(path: str, url: str) -> bool:
        stopped.append(station.cp.stop())
        return True

    station.handler.upload = upload
    ask(peer)
    peer.expect_call("DiagnosticsStatusNotification", {"status": "Uploading"})
    peer.expect_closed(1000)
    station.sim.run_until(lambda: bool(stopped), 10)
    assert stopped == [True]
    assert "abandoned" not in caplog.text


def test_the_charge_point_stops_while_the_application_looks_for_a_file(station: Station, central: CentralSide) -> None:
    peer = up(station, central)

    def diagnostics(start: datetime | None, stop: datetime | None) -> str:
        station.cp.stop()
        return "/tmp/log.zip"

    station.handler.diagnostics = diagnostics
    ask(peer)
    peer.expect_closed(1000)
    station.sim.sleep(10)
    assert station.handler.of("upload_file") == []
