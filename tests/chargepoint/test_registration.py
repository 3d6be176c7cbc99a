"""BootNotification until it is accepted, what may happen meanwhile, and heartbeats when nothing else was sent."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.chargepoint.charge_point import ChargePoint
from openocpp.config import ChargePointConfig, MemoryOcppConfig
from openocpp.errors import StoreError
from openocpp.store.internal import InternalConfig
from openocpp.testing import SimulatedRuntime
from openocpp.testing.conversation import ABSENT
from openocpp.types import (
    AuthorizationStatus,
    AuthorizeResult,
    CallOutcome,
    CallResult,
    ChargePointStatus,
    ConfigurationStatus,
    Measurand,
    MeterValue,
    RegistrationStatus,
    SampledValue,
)
from tests.chargepoint.conftest import KEYS, NOW, CentralSide, Station, online

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from openocpp.testing.conversation import ReceivedCall, ScriptedPeer

ACCEPTED, PENDING, REJECTED = RegistrationStatus.Accepted, RegistrationStatus.Pending, RegistrationStatus.Rejected
EPOCH = datetime(2024, 1, 1, tzinfo=UTC)


def booted(status: str = "Accepted", interval: int = 3600) -> dict[str, Any]:
    """A BootNotification.conf."""
    return {"status": status, "currentTime": NOW, "interval": interval}


def persisted(path: Path) -> str | None:
    with closing(sqlite3.connect(path)) as connection:
        row = connection.execute("SELECT value FROM InternalConfig WHERE key = 'LastRegistrationStatus'").fetchone()
    return None if row is None else str(row[0])


def take_statuses(peer: ScriptedPeer, count: int = 3) -> None:
    for number in range(count):
        peer.expect_call("StatusNotification", {"connectorId": number}).answer()


# -- accepted ----------------------------------------------------------------------------------------------------------


def test_accepted_with_an_interval(
    station: Station, central: CentralSide, sim: SimulatedRuntime, tmp_path: Path
) -> None:
    station.cp.start()
    peer = central.accept()
    boot = peer.expect_call("BootNotification")
    assert station.cp.registration_status is REJECTED
    boot.answer(booted(interval=300))
    first = peer.expect_call("StatusNotification", {"connectorId": 0, "status": "Available", "errorCode": "NoError"})
    assert station.cp.registration_status is ACCEPTED  # before the statuses are answered
    first.answer()
    for number in (1, 2):
        peer.expect_call("StatusNotification", {"connectorId": number, "status": "Available"}).answer()
    sim.sleep(1.0)
    assert station.keys.heartbeat_interval == 300
    assert station.handler.of("boot_notification") == [(ACCEPTED, EPOCH)]
    assert persisted(tmp_path / "cp.db") == "Accepted"


def test_operations_are_possible_before_the_first_statuses_are_answered(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    station.cp.start()
    peer = central.accept()
    peer.expect_call("BootNotification").answer(booted())
    held = peer.expect_call("StatusNotification")
    user = sim.user(lambda: station.cp.authorize(1, "TAG"))
    sim.sleep(0.5)
    held.answer()
    peer.expect_call("StatusNotification").answer()
    peer.expect_call("StatusNotification").answer()
    peer.expect_call("Authorize").answer({"idTagInfo": {"status": "Blocked"}})
    assert user.result().status is AuthorizationStatus.Blocked


def test_interval_0_keeps_the_configured_heartbeat_interval(station: Station, central: CentralSide) -> None:
    station.keys.set_configuration("HeartbeatInterval", "17")
    station.cp.start()
    peer = central.accept()
    peer.expect_call("BootNotification").answer(booted(interval=0))
    take_statuses(peer)
    assert station.keys.heartbeat_interval == 17
    peer.expect_nothing(16.5)
    peer.expect_call("Heartbeat")


@pytest.mark.parametrize("how", ["refuses", "raises"])
def test_an_application_that_does_not_keep_the_interval_is_registered_all_the_same(
    sim: SimulatedRuntime, central: CentralSide, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    class Stubborn(MemoryOcppConfig):
        def set_configuration(self, key: str, value: str) -> ConfigurationStatus:
            if how == "raises":
                raise OSError("read-only file system")
            return ConfigurationStatus.Rejected

    station = Station(sim, "")
    station.keys = Stubborn({**KEYS, "HeartbeatInterval": 33})
    station.cp = station.create()
    online(station, central)
    assert station.keys.heartbeat_interval == 33
    assert caplog.text
    station.cp.stop()


# -- not accepted ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [PENDING, REJECTED])
@pytest.mark.parametrize(("interval", "wait"), [(90, 90.0), (0, 60.0)])
def test_the_next_boot_waits_for_exactly_the_interval(
    station: Station,
    central: CentralSide,
    sim: SimulatedRuntime,
    tmp_path: Path,
    status: RegistrationStatus,
    interval: int,
    wait: float,
) -> None:
    station.cp.start()
    peer = central.accept()
    for _ in range(3):
        peer.expect_call("BootNotification").answer(booted(status, interval))
        answered = sim.clock.now()
        peer.expect_nothing(wait - 0.2)
        assert station.cp.registration_status is status
        assert persisted(tmp_path / "cp.db") == status
        peer.wait_for(lambda: "BootNotification" in peer.texts[-1] and bool(peer._incoming), "the next boot")
        assert sim.clock.now() - answered == pytest.approx(wait, abs=0.11)
    assert station.keys.heartbeat_interval == KEYS["HeartbeatInterval"]  # that interval was not for heartbeats
    peer.expect_call("BootNotification").answer(booted(interval=500))
    take_statuses(peer)
    assert station.cp.registration_status is ACCEPTED
    assert station.keys.heartbeat_interval == 500
    assert [entry[0] for entry in station.handler.of("boot_notification")] == [status] * 3 + [ACCEPTED]


@pytest.mark.parametrize(
    "answer",
    [
        lambda call: None,
        lambda call: call.refuse("InternalError"),
        lambda call: call.answer({"status": "Sometimes"}),
        lambda call: call.answer(),
    ],
)
def test_without_a_usable_answer_it_is_sent_again_after_the_retry_interval(
    sim: SimulatedRuntime, central: CentralSide, tmp_path: Path, answer: Callable[[ReceivedCall], None]
) -> None:
    station = Station(sim, str(tmp_path / "cp.db"), retry_interval=7.0, call_request_timeout=2.0)
    station.cp.start()
    peer = central.accept()
    for _ in range(3):
        answer(peer.expect_call("BootNotification"))
        peer.expect_nothing(6.9)
        assert station.cp.registration_status is REJECTED
    peer.expect_call("BootNotification", timeout=2.2).answer(booted())
    take_statuses(peer)
    assert station.handler.of("boot_notification") == [(ACCEPTED, EPOCH)]
    station.cp.stop()


def test_without_a_retry_interval_a_boot_without_answer_does_not_flood(
    sim: SimulatedRuntime, central: CentralSide
) -> None:
    station = Station(sim, "", retry_interval=0.0)
    station.cp.start()
    peer = central.accept()
    peer.expect_call("BootNotification").refuse("InternalError")
    peer.expect_nothing(59.0)
    peer.expect_call("BootNotification", timeout=2.0)
    station.cp.stop()


def test_fields_of_boot_notification(
    sim: SimulatedRuntime, central: CentralSide, caplog: pytest.LogCaptureFixture
) -> None:
    station = Station(
        sim,
        "",
        charge_point_vendor="V" * 25,
        charge_point_model="M" * 20,
        charge_point_serial_number="S" * 26,
        firmware_version="F" * 51,
        meter_type="T" * 25,
        meter_serial_number="é" * 30,
    )
    station.cp.start()
    boot = central.accept().expect_call("BootNotification")
    assert boot.payload == {
        "chargePointVendor": "V" * 20,
        "chargePointModel": "M" * 20,
        "chargePointSerialNumber": "S" * 25,
        "firmwareVersion": "F" * 50,
        "meterType": "T" * 25,
        "meterSerialNumber": "é" * 25,
    }
    for setting in ("charge_point_vendor", "charge_point_serial_number", "firmware_version", "meter_serial_number"):
        assert f"{setting} is cut" in caplog.text
    assert "charge_point_model is cut" not in caplog.text
    station.cp.stop()


def test_all_fields_of_boot_notification(sim: SimulatedRuntime, central: CentralSide) -> None:
    station = Station(
        sim, "", charge_box_serial_number="box", iccid="iccid", imsi="imsi", meter_type="type", firmware_version="1"
    )
    station.cp.start()
    central.accept().expect_call(
        "BootNotification",
        {
            "chargePointVendor": "Vendor", "chargePointModel": "Model", "chargeBoxSerialNumber": "box",
            "iccid": "iccid", "imsi": "imsi", "meterType": "type", "firmwareVersion": "1",
            "chargePointSerialNumber": ABSENT, "meterSerialNumber": ABSENT,
        },
    )  # fmt: skip
    station.cp.stop()


def values() -> list[MeterValue]:
    return [MeterValue(timestamp=EPOCH, sampled_value=[SampledValue(value="1", measurand=Measurand.SoC)])]


@pytest.mark.parametrize("status", [PENDING, REJECTED])
def test_what_an_application_may_not_do_before_acceptance(
    station: Station, central: CentralSide, sim: SimulatedRuntime, status: RegistrationStatus
) -> None:
    station.cp.start()
    peer = central.boot(status=status, interval=600)
    sim.run_until(lambda: bool(station.handler.of("boot_notification")), 5.0)
    cp = station.cp
    assert cp.authorize(1, "TAG") == AuthorizeResult(AuthorizationStatus.Invalid, "")
    assert cp.start_transaction(1, "TAG") is AuthorizationStatus.Invalid
    assert cp.data_transfer("vendor") is None
    assert cp.send_meter_values(1, values()) is False
    assert cp.notify_firmware_update_status(True) is False
    assert cp.status_notification(1, ChargePointStatus.Preparing) is True  # told after acceptance
    assert cp.log_security_event("TamperDetectionActivated") is True  # waits on the disk
    peer.expect_nothing(590.0)
    peer.expect_call("BootNotification").answer(booted())
    told = [peer.expect_call("StatusNotification").payload]
    peer.answers.update({"StatusNotification": {}, "SecurityEventNotification": {}})
    sim.sleep(10.0)
    assert told[0]["connectorId"] == 0
    assert any('"TamperDetectionActivated"' in text for text in peer.texts)
    assert any('"Preparing"' in text for text in peer.texts)


def test_what_a_central_system_may_do_while_pending(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    station.cp.start()
    peer = central.boot(status=PENDING, interval=600)
    sim.run_until(lambda: station.cp.registration_status is PENDING, 5.0)
    result = peer.call("GetConfiguration", {"key": ["NumberOfConnectors"]}).result()
    assert result["configurationKey"][0]["value"] == "2"
    peer.call("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "77"}).result({"status": "Accepted"})
    peer.call("RemoteStartTransaction", {"idTag": "TAG", "connectorId": 1}).result({"status": "Rejected"})
    peer.call("RemoteStopTransaction", {"transactionId": 1}).result({"status": "Rejected"})
    for message, action in (("StatusNotification", "StatusNotification"), ("Heartbeat", "Heartbeat")):
        peer.call("TriggerMessage", {"requestedMessage": message, "connectorId": 1}).result({"status": "Accepted"})
        peer.expect_call(action).refuse("InternalError")
    peer.expect_nothing(500.0)


def test_nothing_is_answered_while_rejected(station: Station, central: CentralSide, sim: SimulatedRuntime) -> None:
    station.cp.start()
    peer = central.boot(status=REJECTED, interval=100)
    sim.run_until(lambda: bool(station.handler.of("boot_notification")), 5.0)
    silent = [
        peer.call("GetConfiguration"),
        peer.call("TriggerMessage", {"requestedMessage": "BootNotification"}),
        peer.call("TriggerMessage", {"requestedMessage": "Heartbeat"}),
        peer.call("Nonsense"),
        peer.call("Reset", {"rubbish": 1}),
        peer.call("Reset", {"type": "Hard"}),
    ]
    peer.expect_nothing(90.0)
    peer.expect_call("BootNotification", timeout=11.0).answer(booted())
    take_statuses(peer)
    assert not any(call.answered for call in silent)
    assert station.handler.of("reset_requested") == []
    peer.call("GetConfiguration").result()


# -- reconnections -----------------------------------------------------------------------------------------------------


def test_after_a_mere_reconnection_no_boot_is_sent(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    peer = online(station, central)
    sim.sleep(1.0)
    peer.abort()
    peer = central.accept()
    peer.expect_nothing(100.0)
    assert station.cp.registration_status is ACCEPTED
    assert station.handler.of("connection_state_changed") == [(True,), (False,), (True,)]


def test_after_a_reconnection_with_new_data_a_boot_is_sent_first_of_all(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    settings = SimpleNamespace(**vars(ChargePointConfig(**station.settings)))
    station.cp = ChargePoint(settings, station.keys, station.handler, sim)
    peer = online(station, central)
    sim.sleep(1.0)
    settings.firmware_version = "2.0"
    peer.expect_nothing(10.0)
    station.cp.status_notification(1, ChargePointStatus.Preparing)
    peer.abort()
    peer = central.accept()
    boot = peer.expect_call("BootNotification", {"firmwareVersion": "2.0"})
    assert station.cp.start_transaction(1, "TAG") is AuthorizationStatus.Accepted  # queued
    peer.expect_nothing(1.0)
    boot.answer(booted())
    take_statuses(peer)
    peer.expect_call("StartTransaction").answer({"transactionId": 1, "idTagInfo": {"status": "Accepted"}})
    sim.sleep(1.0)
    peer.abort()
    central.accept().expect_nothing(10.0)


@pytest.mark.parametrize("status", [PENDING, REJECTED])
def test_a_reconnection_does_not_shorten_the_wait_for_the_next_boot(
    station: Station, central: CentralSide, sim: SimulatedRuntime, status: RegistrationStatus
) -> None:
    station.cp.start()
    peer = central.boot(status=status, interval=100)
    answered = sim.clock.now()
    sim.sleep(30.0)
    peer.abort()
    peer = central.accept()
    assert station.cp.registration_status is status
    peer.expect_nothing(65.0)
    peer.expect_call("BootNotification", timeout=10.0)
    assert sim.clock.now() == pytest.approx(answered + 100.0, abs=0.2)


def test_a_wait_that_is_over_before_the_reconnection_is_not_begun_anew(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    station.cp.start()
    peer = central.boot(status=REJECTED, interval=50)
    sim.sleep(10.0)
    sim.network.refuse()
    peer.abort()
    sim.sleep(200.0)
    sim.network.refuse(False)
    central.server.accept(100.0).expect_call("BootNotification", timeout=1.0)


def test_a_boot_that_was_under_way_is_sent_anew_and_its_late_outcome_has_no_effect(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    station.cp.start()
    for _ in range(20):
        peer = central.accept()
        peer.expect_call("BootNotification")
        station.cp.reconnect()
        peer.expect_closed(timeout=5.0)
    peer = central.accept()
    peer.expect_call("BootNotification").answer(booted())
    take_statuses(peer)
    peer.expect_nothing(60.0)  # exactly one boot per connection
    assert len(station.handler.of("boot_notification")) == 1


@pytest.mark.parametrize("seed", range(12))
def test_an_acceptance_that_comes_together_with_the_end_of_the_connection(seed: int, tmp_path: Path) -> None:
    """Whichever is looked at first: in the end the central system has been told of all connectors after its boot."""
    with SimulatedRuntime(seed=seed) as sim:
        station, central = Station(sim, str(tmp_path / "cp.db")), CentralSide(sim)
        online(station, central)
        sim.sleep(1.0)
        sim.network.delay = 0.1
        station.restart()
        peer = central.accept()
        peer.expect_call("BootNotification").answer(booted())
        sim.yield_turn()  # the answer is on the wire
        peer.abort()
        peer = central.accept(StatusNotification={}, BootNotification=booted())
        sim.sleep(10.0)
        assert station.cp.registration_status is ACCEPTED
        told = {text.split('"connectorId":')[1][0] for text in peer.texts if "StatusNotification" in text}
        assert told == {"0", "1", "2"}
        station.cp.stop()


@pytest.mark.parametrize("outcome", [CallOutcome.NotConnected, CallOutcome.TimedOut])
def test_an_outcome_of_an_earlier_connection_does_not_disturb_the_boot_of_this_one(
    station: Station, central: CentralSide, sim: SimulatedRuntime, outcome: CallOutcome
) -> None:
    station.cp.start()
    central.accept().expect_call("BootNotification")
    assert isinstance(station.cp, ChargePoint)
    registration = station.cp._session.registration if station.cp._session else None
    assert registration is not None
    sim.sleep(0.5)
    station.cp.reconnect()
    peer = central.accept()
    boot = peer.expect_call("BootNotification")
    with registration.ctx.monitor:
        registration._booted(0, registration.boot_request(), CallResult(outcome))
    peer.expect_nothing(1.5)
    boot.answer(booted())
    take_statuses(peer)


# -- offline -----------------------------------------------------------------------------------------------------------


def test_accepted_in_the_last_session_the_charge_point_works_offline_and_boots_first_of_all(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    online(station, central)
    sim.network.refuse()
    station.restart()
    assert station.cp.registration_status is REJECTED  # not known yet
    sim.run_until(lambda: station.handler.of("connection_failed") == [(ACCEPTED,)], 10.0)
    assert station.cp.registration_status is ACCEPTED
    assert station.cp.authorize(1, "TAG").status is AuthorizationStatus.Accepted  # AllowOfflineTxForUnknownId
    assert station.cp.start_transaction(1, "TAG") is AuthorizationStatus.Accepted
    assert station.cp.log_security_event("TamperDetectionActivated")
    assert station.cp.data_transfer("vendor") is None
    sim.sleep(100.0)
    assert station.handler.of("connection_failed") == [(ACCEPTED,)]  # told once
    sim.network.refuse(False)
    peer = central.accept()
    boot = peer.expect_call("BootNotification")
    peer.expect_nothing(1.5)  # neither statuses nor what is queued
    boot.answer(booted())
    peer.answers.update(
        {
            "StatusNotification": {},
            "SecurityEventNotification": {},
            "StartTransaction": {"transactionId": 5, "idTagInfo": {"status": "Accepted"}},
        }
    )
    sim.sleep(5.0)
    assert station.cp.transaction_id(1) == 5
    assert any('"SecurityEventNotification"' in text for text in peer.texts)


def test_what_was_remembered_gives_way_to_what_is_answered(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    online(station, central)
    sim.network.refuse()
    station.restart()
    sim.run_until(lambda: station.cp.registration_status is ACCEPTED, 10.0)
    sim.network.refuse(False)
    peer = central.accept()
    peer.expect_call("BootNotification").answer(booted("Rejected", 100))
    sim.run_until(lambda: station.cp.registration_status is REJECTED, 5.0)
    assert station.cp.start_transaction(1, "TAG") is AuthorizationStatus.Invalid


@pytest.mark.parametrize("status", [PENDING, REJECTED])
def test_not_accepted_in_the_last_session_nothing_works_offline(
    station: Station, central: CentralSide, sim: SimulatedRuntime, status: RegistrationStatus
) -> None:
    station.cp.start()
    central.boot(status=status)
    sim.run_until(lambda: bool(station.handler.of("boot_notification")), 5.0)
    sim.network.refuse()
    station.restart()
    sim.run_until(lambda: station.handler.of("connection_failed") == [(status,)], 10.0)
    assert station.cp.registration_status is REJECTED
    assert station.cp.start_transaction(1, "TAG") is AuthorizationStatus.Invalid


def test_a_charge_point_that_was_never_registered_says_so(station: Station, sim: SimulatedRuntime) -> None:
    station.cp.start()
    sim.run_until(lambda: station.handler.of("connection_failed") == [(REJECTED,)], 10.0)
    assert station.cp.registration_status is REJECTED


def test_a_lost_connection_leaves_an_accepted_charge_point_working(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    peer = online(station, central)
    sim.network.refuse()
    peer.abort()
    sim.run_until(lambda: station.handler.of("connection_failed") == [(ACCEPTED,)], 10.0)
    assert station.cp.registration_status is ACCEPTED
    assert station.cp.start_transaction(1, "TAG") is AuthorizationStatus.Accepted


def test_a_disk_that_fails_does_not_cost_the_registration(
    station: Station, central: CentralSide, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    station.cp.start()
    peer = central.accept()

    def full(*_: object) -> None:
        raise StoreError("disk full")

    monkeypatch.setattr(InternalConfig, "set", full)
    peer.expect_call("BootNotification").answer(booted())
    take_statuses(peer)
    assert station.cp.registration_status is ACCEPTED
    assert "disk full" in caplog.text


# -- triggered ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["TriggerMessage", "ExtendedTriggerMessage"])
def test_a_triggered_boot_is_refused_once_accepted(station: Station, central: CentralSide, action: str) -> None:
    peer = online(station, central)
    peer.call(action, {"requestedMessage": "BootNotification"}).result({"status": "Rejected"})
    peer.expect_nothing(100.0)


@pytest.mark.parametrize("action", ["TriggerMessage", "ExtendedTriggerMessage"])
def test_a_triggered_boot_while_pending_is_a_boot_like_any_other(
    station: Station, central: CentralSide, sim: SimulatedRuntime, action: str
) -> None:
    station.cp.start()
    peer = central.boot(status=PENDING, interval=1000)
    sim.sleep(1.0)
    peer.call(action, {"requestedMessage": "BootNotification"}).result({"status": "Accepted"})
    peer.expect_call("BootNotification", timeout=0.5).answer(booted("Pending", 200))
    peer.expect_nothing(199.0)  # the new interval counts, and the first one is forgotten
    peer.expect_call("BootNotification", timeout=2.0).answer(booted("Pending", 5000))
    peer.expect_nothing(4000.0)
    peer.call(action, {"requestedMessage": "BootNotification"}).result({"status": "Accepted"})
    peer.expect_call("BootNotification", timeout=0.5).answer(booted("Accepted", 400))
    take_statuses(peer)
    assert station.keys.heartbeat_interval == 400
    assert [entry[0] for entry in station.handler.of("boot_notification")] == [PENDING] * 3 + [ACCEPTED]
    peer.expect_nothing(399.0)
    peer.expect_call("Heartbeat", timeout=2.0)


# -- heartbeats --------------------------------------------------------------------------------------------------------


def heartbeat(peer: ScriptedPeer, time: str = NOW) -> None:
    peer.expect_call("Heartbeat", {}).answer({"currentTime": time})


def test_heartbeats_follow_silence(station: Station, central: CentralSide, sim: SimulatedRuntime) -> None:
    peer = online(station, central, interval=20)
    sim.sleep(0.5)
    began = sim.clock.now()
    for number in range(1, 6):
        heartbeat(peer)
        assert sim.clock.now() == pytest.approx(began - 0.5 + 20.0 * number, abs=0.6)


def test_whatever_is_sent_puts_the_heartbeat_off(station: Station, central: CentralSide, sim: SimulatedRuntime) -> None:
    peer = online(station, central, interval=20)
    sim.sleep(15.0)
    peer.call("GetConfiguration", {"key": ["HeartbeatInterval"]}).result()  # an answer
    answered = sim.clock.now()
    peer.expect_nothing(19.0)
    sim.sleep(0.0)
    heartbeat(peer)
    assert sim.clock.now() == pytest.approx(answered + 20.0, abs=0.1)
    sim.sleep(15.0)
    station.cp.status_notification(1, ChargePointStatus.Preparing)  # a request
    peer.expect_call("StatusNotification").answer()
    sent = sim.clock.now()
    heartbeat(peer)
    assert sim.clock.now() == pytest.approx(sent + 20.0, abs=0.1)


def test_the_clock_of_the_central_system_is_passed_on_exactly(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    peer = online(station, central, interval=20)
    heartbeat(peer, "2024-02-29T23:59:59.25+02:00")
    sim.run_until(lambda: bool(station.handler.of("datetime_received")), 5.0)
    assert station.handler.of("datetime_received") == [(datetime(2024, 2, 29, 21, 59, 59, 250_000, UTC),)]


def test_a_changed_interval_works_at_once_and_0_ends_heartbeats(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    peer = online(station, central, interval=3600)

    def change(seconds: int) -> None:
        request = {"key": "HeartbeatInterval", "value": str(seconds)}
        peer.call("ChangeConfiguration", request).result({"status": "Accepted"})

    change(30)
    peer.expect_nothing(29.0)
    heartbeat(peer)
    change(10)
    peer.expect_nothing(9.0)
    heartbeat(peer)
    change(0)
    peer.expect_nothing(50_000.0)
    change(10)
    peer.expect_nothing(9.0)
    heartbeat(peer)


def test_interval_0_from_the_beginning(sim: SimulatedRuntime, central: CentralSide) -> None:
    station = Station(sim, "", {"HeartbeatInterval": 0})
    peer = online(station, central, interval=0)
    peer.expect_nothing(100_000.0)
    station.cp.stop()


def test_the_clocks_are_compared_once_a_day_however_much_is_sent(central: CentralSide, sim: SimulatedRuntime) -> None:
    station = Station(sim, "")  # the disk is not of interest for days
    peer = online(station, central, interval=3600, Heartbeat={"currentTime": NOW})
    for _ in range(50):
        sim.sleep(1800.0)
        peer.call("ClearCache").result()
    assert len(station.handler.of("datetime_received")) == 1
    station.cp.stop()


def test_an_interval_of_more_than_a_day_is_no_reason_to_let_the_clocks_run_apart(
    central: CentralSide, sim: SimulatedRuntime
) -> None:
    station = Station(sim, "")  # the disk is not of interest for days
    online(station, central, interval=1_000_000, Heartbeat={"currentTime": NOW})
    sim.sleep(3 * 86_400.0 + 100.0)
    assert len(station.handler.of("datetime_received")) == 3
    station.cp.stop()


def test_no_heartbeats_without_connection_and_a_full_interval_after_it(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    peer = online(station, central, interval=20)
    sim.sleep(19.0)
    peer.abort()
    peer = central.accept()
    connected = sim.clock.now()
    heartbeat(peer)
    assert sim.clock.now() == pytest.approx(connected + 20.0, abs=0.5)


def test_heartbeats_do_not_queue_up_behind_a_central_system_that_does_not_answer(
    sim: SimulatedRuntime, central: CentralSide
) -> None:
    station = Station(sim, "", call_request_timeout=50.0)
    peer = online(station, central, interval=5)
    calls = [peer.expect_call("Heartbeat")]
    sim.sleep(48.0)
    calls[0].answer({"currentTime": NOW})
    peer.expect_nothing(1.5)  # none waited for its turn
    heartbeat(peer)
    station.cp.stop()


def test_a_triggered_heartbeat(station: Station, central: CentralSide, sim: SimulatedRuntime) -> None:
    peer = online(station, central, interval=3600)
    peer.call("TriggerMessage", {"requestedMessage": "Heartbeat", "connectorId": 99}).result({"status": "Accepted"})
    heartbeat(peer)
    sim.run_until(lambda: bool(station.handler.of("datetime_received")), 5.0)
