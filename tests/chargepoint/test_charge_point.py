"""The facade: life from start to stop and again, gates, misuse, several in one process, and what is left behind."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.server import serve

from openocpp.chargepoint import charge_point
from openocpp.chargepoint.interface import DefaultChargePointEventsHandler, IChargePoint, IChargePointEventsHandler
from openocpp.config import ChargePointConfig, MemoryOcppConfig
from openocpp.errors import ConfigError, LocalProtocolError, StateError, StoreError
from openocpp.messages.schema import find_schemas
from openocpp.runtime import Runtime
from openocpp.store.connectors import Connectors as ConnectorTable
from openocpp.store.database import CHARGE_POINT, Database
from openocpp.types import (
    AuthorizationStatus,
    AuthorizeResult,
    ChargePointStatus,
    DataTransferResult,
    MeterValue,
    Reason,
    RegistrationStatus,
    SampledValue,
)
from tests.chargepoint.conftest import KEYS, NOW, CentralSide, RecordingHandler, Station, online
from tests.conftest import scaled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from websockets.sync.server import ServerConnection

    from openocpp.testing import SimulatedRuntime
    from openocpp.testing.conversation import ScriptedPeer

STARTED = {"transactionId": 7, "idTagInfo": {"status": "Accepted"}}
VALUES = [MeterValue(timestamp=datetime(2024, 1, 1, tzinfo=UTC), sampled_value=[SampledValue(value="1")])]
INVALID = AuthorizeResult(AuthorizationStatus.Invalid, "")


def test_a_whole_session(station: Station, central: CentralSide, sim: SimulatedRuntime) -> None:
    peer = online(station, central)
    cp = station.cp

    user = sim.user(lambda: cp.authorize(1, "TAG"))
    peer.expect_call("Authorize", {"idTag": "TAG"}).answer({"idTagInfo": {"status": "Accepted", "parentIdTag": "P"}})
    assert user.result() == (AuthorizationStatus.Accepted, "P")

    assert cp.status_notification(1, ChargePointStatus.Preparing)
    peer.expect_call("StatusNotification", {"connectorId": 1, "status": "Preparing"}).answer()

    start = sim.user(lambda: cp.start_transaction(1, "TAG"))
    peer.expect_call("StartTransaction", {"connectorId": 1, "idTag": "TAG", "meterStart": 100}).answer(
        {"idTagInfo": {"status": "Accepted"}, "transactionId": 42}
    )
    assert start.result() is AuthorizationStatus.Accepted
    assert cp.transaction_id(1) == 42

    stop = sim.user(lambda: cp.stop_transaction(1, "TAG", Reason.Local))
    peer.expect_call(
        "StopTransaction", {"transactionId": 42, "meterStop": 200, "idTag": "TAG", "reason": "Local"}
    ).answer()
    assert stop.result() is True
    assert cp.transaction_id(1) is None
    assert cp.stop()
    peer.expect_closed(1000)


# -- gates -------------------------------------------------------------------------------------------------------------

OPERATIONS: list[tuple[str, Callable[[IChargePoint], Any], Any]] = [
    ("registration_status", lambda cp: cp.registration_status, RegistrationStatus.Rejected),
    ("is_connected", lambda cp: cp.is_connected, False),
    ("last_connection_error", lambda cp: cp.last_connection_error, None),
    ("reconnect", lambda cp: cp.reconnect(), False),
    ("stop", lambda cp: cp.stop(), False),
    ("get_connector_status", lambda cp: cp.get_connector_status(1), ChargePointStatus.Available),
    ("get_connector_status", lambda cp: cp.get_connector_status(3), ChargePointStatus.Unavailable),
    ("transaction_id", lambda cp: cp.transaction_id(1), None),
    ("status_notification", lambda cp: cp.status_notification(1, ChargePointStatus.Charging), False),
    ("authorize", lambda cp: cp.authorize(1, "TAG"), INVALID),
    ("start_transaction", lambda cp: cp.start_transaction(1, "TAG"), AuthorizationStatus.Invalid),
    ("stop_transaction", lambda cp: cp.stop_transaction(1), False),
    ("data_transfer", lambda cp: cp.data_transfer("vendor"), None),
    ("send_meter_values", lambda cp: cp.send_meter_values(1, VALUES), False),
    ("get_setpoint", lambda cp: cp.get_setpoint(1), None),
    ("notify_firmware_update_status", lambda cp: cp.notify_firmware_update_status(True), False),
]


@pytest.mark.parametrize(("operation", "refused"), [(call, refused) for _, call, refused in OPERATIONS])
@pytest.mark.parametrize("when", ["before start", "after stop", "without persistence"])
def test_operations_of_a_charge_point_that_does_not_run(
    sim: SimulatedRuntime,
    central: CentralSide,
    tmp_path: Path,
    operation: Callable[[IChargePoint], Any],
    refused: Any,
    when: str,
) -> None:
    station = Station(sim, "" if when == "without persistence" else str(tmp_path / "cp.db"))
    if when == "after stop":
        online(station, central)
        station.cp.stop()
    assert operation(station.cp) == refused
    assert operation(station.cp) == refused
    central.server.expect_nobody(10.0)


def test_every_operation_is_in_that_list_or_in_a_test_of_its_own() -> None:
    public = {name for name in vars(IChargePoint) if not name.startswith("_")}
    elsewhere = {
        "create", "runtime", "start", "reset_data", "reset_connector_data", "register_data_transfer_handler",
        "log_security_event", "clear_security_events",
    }  # fmt: skip
    assert {name for name, _, _ in OPERATIONS} | elsewhere >= public


@pytest.mark.parametrize("connector_id", [-1, 3, 99])
def test_an_unknown_connector_is_refused(station: Station, central: CentralSide, connector_id: int) -> None:
    peer = online(station, central)
    cp = station.cp
    assert cp.authorize(connector_id, "TAG") == INVALID
    assert cp.start_transaction(connector_id, "TAG") is AuthorizationStatus.Invalid
    assert cp.stop_transaction(connector_id) is False
    assert cp.transaction_id(connector_id) is None
    assert cp.send_meter_values(connector_id, VALUES) is False
    assert cp.get_setpoint(connector_id) is None
    peer.expect_nothing(10.0)


@pytest.mark.parametrize("connected", [True, False])
def test_an_id_tag_that_is_none_is_an_error_and_nothing_is_sent(
    station: Station, central: CentralSide, sim: SimulatedRuntime, connected: bool
) -> None:
    peer = online(station, central)
    peer.answers["StartTransaction"] = STARTED
    assert station.cp.start_transaction(2, "TAG") is AuthorizationStatus.Accepted
    if not connected:
        sim.network.refuse()
        peer.abort()
        sim.sleep(5.0)
    too_long = "x" * 21
    with pytest.raises(LocalProtocolError, match="idTag"):
        station.cp.authorize(1, too_long)
    with pytest.raises(LocalProtocolError, match="idTag"):
        station.cp.start_transaction(1, too_long)
    with pytest.raises(LocalProtocolError, match="idTag"):
        station.cp.stop_transaction(2, too_long)
    with pytest.raises(ValueError, match="idTag"):
        station.cp.authorize(1, too_long)
    assert station.cp.transaction_id(1) is None
    assert station.cp.transaction_id(2) == 7  # it still runs
    sim.network.refuse(False)
    peer = peer if connected else central.accept()
    peer.expect_nothing(30.0)


def test_operations_are_refused_on_the_scheduler(station: Station, central: CentralSide, sim: SimulatedRuntime) -> None:
    peer = online(station, central)
    caught: list[str] = []

    def call_all() -> None:
        for name, operation, _ in OPERATIONS:
            if name not in ("registration_status", "is_connected", "last_connection_error"):
                try:
                    operation(station.cp)
                except StateError:
                    caught.append(name)

    sim.scheduler.post(call_all)
    peer.expect_nothing(10.0)
    assert len(caught) == len(OPERATIONS) - 3
    assert station.cp.registration_status is RegistrationStatus.Accepted


@pytest.mark.parametrize(
    ("setting", "value", "name"),
    [
        ("connexion_url", "http://host", "ConnexionUrl"),
        ("call_request_timeout", -1.0, "CallRequestTimeout"),
        ("charge_point_model", "", "ChargePointModel"),
    ],
)
def test_unusable_settings_are_named_when_it_is_made(station: Station, setting: str, value: object, name: str) -> None:
    station.settings[setting] = value
    with pytest.raises(ConfigError, match=name):
        station.create()


# -- life --------------------------------------------------------------------------------------------------------------


def test_a_second_start_and_a_second_stop_are_refused(station: Station, central: CentralSide) -> None:
    assert station.cp.stop() is False
    peer = online(station, central)
    assert station.cp.start() is False
    peer.expect_nothing(10.0)
    assert station.cp.stop() is True
    assert station.cp.stop() is False


def test_a_with_statement_stops_it(station: Station, central: CentralSide) -> None:
    with station.cp as cp:
        assert cp.start()
        peer = central.boot()
    peer.expect_closed(1000)
    assert station.cp.stop() is False


def test_it_can_be_started_again_and_again_and_keeps_what_it_knows(
    station: Station, central: CentralSide, sim: SimulatedRuntime, tmp_path: Path
) -> None:
    for number in range(4):
        peer = online(station, central)
        peer.answers.update({"StartTransaction": {**STARTED, "transactionId": number}, "StopTransaction": {}})
        assert station.cp.log_security_event("DoorOpened", str(number))
        if number % 2 == 0:
            assert station.cp.start_transaction(1, "TAG") is AuthorizationStatus.Accepted
        else:
            assert station.cp.transaction_id(1) == number - 1
            assert station.cp.stop_transaction(1)
        sim.sleep(1.0)
        assert station.cp.stop()
    with closing(sqlite3.connect(tmp_path / "cp.db")) as connection:
        assert connection.execute("SELECT message FROM SecurityLogs").fetchall() == [(str(n),) for n in range(4)]
        assert connection.execute("SELECT count(*) FROM Outbox").fetchone() == (0,)


def test_many_threads_start_and_stop_and_each_time_one_of_them_does(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    for _ in range(3):
        starters = [sim.user(station.cp.start) for _ in range(5)]
        assert sorted(user.result() for user in starters) == [False] * 4 + [True]
        central.boot()
        stoppers = [sim.user(station.cp.stop) for _ in range(5)]
        assert sorted(user.result() for user in stoppers) == [False] * 4 + [True]


def test_the_schemas_must_be_there(sim: SimulatedRuntime, central: CentralSide, tmp_path: Path) -> None:
    folder = tmp_path / "schemas"
    shutil.copytree(find_schemas(), folder)
    (folder / "Reset.json").write_text("{ no schema", encoding="utf-8")
    database = tmp_path / "cp.db"
    station = Station(sim, str(database), json_schemas_path=str(folder))
    for path in (tmp_path / "nowhere", folder):
        station.settings["json_schemas_path"] = str(path)
        station.cp = station.create()
        assert station.cp.start() is False
        central.server.expect_nobody(10.0)
        assert station.cp.registration_status is RegistrationStatus.Rejected
        assert station.cp.stop() is False
    assert not database.exists()
    (folder / "Reset.json").write_text((find_schemas() / "Reset.json").read_text(encoding="utf-8"), encoding="utf-8")
    assert station.cp.start() is True
    station.cp.stop()


def broken_disk(*_: Any, **__: Any) -> Any:
    raise StoreError("the disk is gone")


def bug(*_: Any, **__: Any) -> Any:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("place", "name", "failure", "raised"),
    [
        (ConnectorTable, "rows", broken_disk, None),
        (ConnectorTable, "rows", bug, ZeroDivisionError),
        (charge_point, "Session", bug, ZeroDivisionError),
        (charge_point, "Messenger", broken_disk, None),
    ],
)
def test_a_start_that_fails_leaves_nothing_behind(
    station: Station,
    central: CentralSide,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: Any,
    name: str,
    failure: Callable[..., Any],
    raised: type[Exception] | None,
) -> None:
    station.settings["log_max_entries_count"] = 10
    station.cp = station.create()
    handlers = list(logging.getLogger("openocpp").handlers)
    with monkeypatch.context() as patch:
        patch.setattr(place, name, failure)
        if raised is None:
            assert station.cp.start() is False
        else:
            with pytest.raises(raised):
                station.cp.start()
    assert station.cp.registration_status is RegistrationStatus.Rejected
    assert logging.getLogger("openocpp").handlers == handlers
    Database.open(station.sim, str(tmp_path / "cp.db"), CHARGE_POINT).close()  # nobody uses it
    online(station, central)


def test_it_does_not_start_on_a_runtime_that_has_ended(tmp_path: Path) -> None:
    runtime = Runtime()
    runtime.stop()
    cp = real(tmp_path, 9, runtime)
    with pytest.raises(StateError):
        cp.start()
    assert cp.log_security_event("DoorOpened") is False


def test_without_its_file_it_works_as_long_as_the_power_lasts(
    sim: SimulatedRuntime, central: CentralSide, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    station = Station(sim, str(tmp_path / "no such folder" / "cp.db"))
    peer = online(station, central)
    peer.answers["StartTransaction"] = STARTED
    assert station.cp.start_transaction(1, "TAG") is AuthorizationStatus.Accepted
    assert "nothing will survive a restart" in caplog.text
    station.cp.stop()


# -- reset -------------------------------------------------------------------------------------------------------------


def tables(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}


def charged(station: Station, central: CentralSide) -> None:
    """A session with something to forget."""
    peer = online(station, central)
    peer.answers.update({"StartTransaction": STARTED, "StatusNotification": {}})
    assert station.cp.start_transaction(1, "TAG") is AuthorizationStatus.Accepted
    assert station.cp.status_notification(1, ChargePointStatus.Charging)
    assert station.cp.log_security_event("DoorOpened")
    station.sim.sleep(20.0)
    assert station.cp.reset_data() is False
    assert station.cp.reset_connector_data() is False
    assert station.cp.transaction_id(1) == 7
    assert station.cp.stop()
    peer.answers.clear()


def test_everything_can_be_forgotten_while_stopped(station: Station, central: CentralSide, tmp_path: Path) -> None:
    charged(station, central)
    path = tmp_path / "cp.db"
    assert tables(path)["SecurityLogs"] == 1
    assert station.cp.reset_data() is True
    after = tables(path)
    assert not any(after[name] for name in ("SecurityLogs", "Connectors", "Transactions", "InternalConfig", "Outbox"))
    assert station.cp.get_connector_status(1) is ChargePointStatus.Available
    online(station, central)
    assert station.cp.transaction_id(1) is None


def test_the_connectors_alone_can_be_forgotten_while_stopped(
    station: Station, central: CentralSide, sim: SimulatedRuntime, tmp_path: Path
) -> None:
    charged(station, central)
    assert station.cp.get_connector_status(1) is ChargePointStatus.Charging
    assert station.cp.reset_connector_data() is True
    assert station.cp.get_connector_status(1) is ChargePointStatus.Available
    assert tables(tmp_path / "cp.db")["SecurityLogs"] == 1
    sim.network.refuse()
    station.cp.start()
    sim.run_until(lambda: station.cp.registration_status is RegistrationStatus.Accepted, 10.0)  # it remembers that
    assert station.cp.transaction_id(1) is None


def test_what_cannot_be_forgotten_is_refused(sim: SimulatedRuntime, tmp_path: Path) -> None:
    station = Station(sim, str(tmp_path / "no such folder" / "cp.db"))
    assert station.cp.reset_data() is False
    assert station.cp.reset_connector_data() is False


# -- stopping ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "refused"),
    [
        (lambda cp: cp.authorize(1, "TAG"), INVALID),
        (lambda cp: cp.data_transfer("vendor"), None),
        (lambda cp: cp.send_meter_values(1, VALUES), False),
        (lambda cp: cp.start_transaction(1, "TAG"), AuthorizationStatus.Accepted),  # it is on the disk
    ],
)
@pytest.mark.parametrize("silent", [False, True])
def test_who_waits_for_an_answer_is_let_go(
    station: Station,
    central: CentralSide,
    sim: SimulatedRuntime,
    operation: Callable[[IChargePoint], Any],
    refused: Any,
    silent: bool,
) -> None:
    station.settings["call_request_timeout"] = 60.0
    station.cp = station.create()
    peer = online(station, central)
    users = [
        sim.user(lambda: operation(station.cp)) for _ in range(1 if refused is AuthorizationStatus.Accepted else 3)
    ]
    peer.expect_frame()
    if silent:
        sim.network.drop()
    began = sim.clock.now()
    assert station.cp.stop()
    assert [user.result() for user in users] == [refused] * len(users)
    assert sim.clock.now() - began <= 3.0


def test_who_comes_back_after_the_database_was_closed_is_refused(
    station: Station, central: CentralSide, sim: SimulatedRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    online(station, central)
    assert isinstance(station.cp, charge_point.ChargePoint)
    session = station.cp._session
    assert session is not None
    database = session.ctx.database

    def slow(*_: object) -> None:
        with session.ctx.monitor.left():
            sim.run_until(lambda: database.closed)
        database.read("SELECT 1")

    def misuse(*_: object) -> None:
        raise StateError("a bug of ours")

    monkeypatch.setattr(session.data_transfer, "send", slow)
    user = sim.user(lambda: station.cp.data_transfer("vendor"))
    sim.sleep(0.5)
    monkeypatch.setattr(session.data_transfer, "send", misuse)
    with pytest.raises(StateError, match="a bug of ours"):  # while it runs, nothing is hushed up
        station.cp.data_transfer("vendor")
    assert station.cp.stop()
    assert user.result() is None


CALLBACKS: list[tuple[str, Callable[[Station, ScriptedPeer], object]]] = [
    ("connection_state_changed", lambda station, peer: peer.abort()),
    ("boot_notification", lambda station, peer: None),
    ("data_transfer_requested", lambda station, peer: peer.call("DataTransfer", {"vendorId": "v"})),
    (
        "change_availability_requested",
        lambda station, peer: peer.call("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"}),
    ),
    ("reset_requested", lambda station, peer: peer.call("Reset", {"type": "Hard"})),
    ("unlock_connector_requested", lambda station, peer: peer.call("UnlockConnector", {"connectorId": 1})),
    (
        "get_tx_start_stop_meter_value",
        lambda station, peer: station.sim.user(lambda: station.cp.start_transaction(1, "T")),
    ),
]


@pytest.mark.parametrize(("callback", "provoke"), CALLBACKS, ids=[name for name, _ in CALLBACKS])
@pytest.mark.parametrize("again", [False, True])
def test_a_callback_may_stop_the_charge_point(
    station: Station,
    central: CentralSide,
    sim: SimulatedRuntime,
    caplog: pytest.LogCaptureFixture,
    callback: str,
    provoke: Callable[[Station, ScriptedPeer], object],
    again: bool,
) -> None:
    done: list[bool] = []
    original = getattr(station.handler, callback)

    def stop(*args: Any) -> Any:
        if not done:
            done.append(station.cp.stop())
            if again:
                done.append(station.cp.start())
        return original(*args)

    if callback == "boot_notification":
        setattr(station.handler, callback, stop)
        station.cp.start()
        peer = central.accept()
        peer.expect_call("BootNotification").answer({"status": "Accepted", "currentTime": NOW, "interval": 300})
    else:
        peer = online(station, central)
        sim.sleep(0.5)
        setattr(station.handler, callback, stop)
    provoke(station, peer)
    sim.run_until(lambda: len(done) == (2 if again else 1), 30.0)
    assert all(done)
    if again:
        booted = {"status": "Accepted", "currentTime": NOW, "interval": 300}
        peer = central.accept(BootNotification=booted, StatusNotification={})
        peer.call("GetConfiguration", {"key": ["NumberOfConnectors"]}).result()
        assert station.cp.transaction_id(1) is None
    else:
        assert station.cp.registration_status is RegistrationStatus.Rejected
    sim.sleep(100.0)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_nothing_happens_any_more_after_a_stop(station: Station, central: CentralSide, sim: SimulatedRuntime) -> None:
    peer = online(station, central)
    for number in range(5):
        peer.call("DataTransfer", {"vendorId": str(number)})
    station.cp.stop()
    seen = list(station.handler.seen)
    sim.sleep(100_000.0)
    assert station.handler.seen == seen
    assert sim.network.attempts == 1


def test_an_answer_to_a_posted_message_that_comes_with_the_stop_has_no_effect(
    station: Station, central: CentralSide, sim: SimulatedRuntime, caplog: pytest.LogCaptureFixture
) -> None:
    peer = online(station, central)
    station.cp.status_notification(1, ChargePointStatus.Preparing)
    call = peer.expect_call("StatusNotification")
    call.answer()
    station.cp.stop()
    sim.sleep(10.0)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


# -- bugs of the application -------------------------------------------------------------------------------------------


def broken_handler() -> IChargePointEventsHandler:
    """Every callback raises."""

    def fail(self: object, *args: object) -> object:
        raise ZeroDivisionError("a bug of the application")

    names = IChargePointEventsHandler.__abstractmethods__
    made: IChargePointEventsHandler = type("Broken", (IChargePointEventsHandler,), dict.fromkeys(names, fail))()
    return made


def test_bugs_of_the_application_cost_it_nothing_but_answers(
    sim: SimulatedRuntime, central: CentralSide, caplog: pytest.LogCaptureFixture
) -> None:
    station = Station(sim, "", {"MeterValuesSampledData": "SoC"})
    station.cp = IChargePoint.create(ChargePointConfig(**station.settings), station.keys, broken_handler(), sim)
    sim.network.refuse()
    station.cp.start()
    sim.sleep(2.0)
    sim.network.refuse(False)
    peer = central.boot(interval=10)
    for action, payload in (
        ("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"}),
        ("DataTransfer", {"vendorId": "vendor"}),
        ("RemoteStartTransaction", {"idTag": "TAG"}),
        ("Reset", {"type": "Hard"}),
        ("UnlockConnector", {"connectorId": 1}),
    ):
        peer.call(action, payload).error("InternalError")
    peer.call("TriggerMessage", {"requestedMessage": "MeterValues"}).result({"status": "Accepted"})
    assert station.cp.start_transaction(1, "TAG") is AuthorizationStatus.Invalid
    peer.expect_call("Heartbeat").answer({"currentTime": NOW})
    peer.expect_call("Heartbeat")
    names = (
        "connection_failed",
        "connection_state_changed",
        "boot_notification",
        "datetime_received",
        "reset_requested",
    )
    for name in names:
        assert f"{name}(" in caplog.text or "fail(" in caplog.text
    assert station.cp.registration_status is RegistrationStatus.Accepted
    station.cp.stop()


# -- several in one process --------------------------------------------------------------------------------------------


def test_two_charge_points_share_a_runtime(sim: SimulatedRuntime, central: CentralSide, tmp_path: Path) -> None:
    stations = [Station(sim, str(tmp_path / f"{name}.db"), identity=name) for name in ("CP1", "CP2")]
    peers = [online(station, central) for station in stations]
    first, second = stations
    first.cp.status_notification(1, ChargePointStatus.Preparing)
    peers[0].expect_call("StatusNotification", {"status": "Preparing"}).answer()
    peers[1].expect_nothing(10.0)
    assert second.cp.get_connector_status(1) is ChargePointStatus.Available
    user = sim.user(lambda: second.cp.authorize(1, "TAG"))
    peers[1].expect_call("Authorize")  # it does not answer, and nobody else waits for that
    third = sim.user(lambda: first.cp.authorize(1, "TAG"))
    peers[0].expect_call("Authorize").answer({"idTagInfo": {"status": "Blocked"}})
    assert third.result().status is AuthorizationStatus.Blocked
    assert first.cp.stop()
    peers[0].expect_closed(1000)
    peers[1].call("GetConfiguration", {"key": ["NumberOfConnectors"]}).result()
    assert not user.done or user.result().status is AuthorizationStatus.Accepted
    assert not sim.stopped
    online(first, central)
    for station in stations:
        assert station.cp.stop()


def test_two_charge_points_with_one_database_do_not_harm_each_other(
    sim: SimulatedRuntime, central: CentralSide, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = str(tmp_path / "cp.db")
    first, second = Station(sim, path, identity="CP1"), Station(sim, path, identity="CP2")
    online(first, central)
    assert second.cp.log_security_event("DoorOpened") is False
    assert second.cp.reset_data() is False
    online(second, central)
    assert "CP2: " in caplog.text
    assert "nothing will survive a restart" in caplog.text
    assert second.cp.stop()
    assert first.cp.log_security_event("DoorOpened")
    assert first.cp.stop()


def test_lines_of_the_log_go_to_the_database_of_whom_they_are_about(
    sim: SimulatedRuntime, central: CentralSide, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "openocpp")
    stations = [
        Station(sim, str(tmp_path / f"{name}.db"), identity=name, log_max_entries_count=1000)
        for name in ("CP1", "CP10", "CP")
    ]
    for station in stations:
        online(station, central)
    for station in stations:
        assert station.cp.stop()
    for name in ("CP1", "CP10", "CP"):
        with closing(sqlite3.connect(tmp_path / f"{name}.db")) as connection:
            lines = [line for (line,) in connection.execute("SELECT message FROM Logs")]
        assert {line.split()[0].rstrip(":") for line in lines} == {name}
        assert any("BootNotification" in line for line in lines)
    assert not any("Database" in type(handler).__name__ for handler in logging.getLogger("openocpp").handlers)


# -- real threads, sockets and files -----------------------------------------------------------------------------------


class Server:
    """A central system of a few lines, made with the package ``websockets``: it accepts and answers everything."""

    def __init__(self) -> None:
        self.received: list[str] = []
        self._server = serve(self._serve, "127.0.0.1", 0, subprotocols=["ocpp1.6"])  # type: ignore[list-item]
        self.port: int = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        with connect(f"ws://127.0.0.1:{self.port}/", subprotocols=["ocpp1.6"]) as first:  # type: ignore[list-item]
            first.send('[2,"0","Heartbeat",{}]')  # when this is answered all that it needs is there
            first.recv()
        self.received.clear()

    def _serve(self, connection: ServerConnection) -> None:
        answers: dict[str, dict[str, Any]] = {
            "BootNotification": {"status": "Accepted", "currentTime": NOW, "interval": 300},
            "StartTransaction": STARTED,
            "Authorize": {"idTagInfo": {"status": "Accepted"}},
        }
        try:
            for text in connection:
                frame = json.loads(text)
                if frame[0] == 2:
                    self.received.append(frame[2])
                    if frame[2] != "DataTransfer":  # this one it leaves without answer
                        connection.send(json.dumps([3, frame[1], answers.get(frame[2], {})]))
        except ConnectionClosed:
            return

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join(scaled(10.0))


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def real(folder: Path, port: int, runtime: Runtime | None = None, **settings: Any) -> IChargePoint:
    config = ChargePointConfig(
        connexion_url=f"ws://127.0.0.1:{port}/ocpp",
        charge_point_identifier="REAL",
        database_path=str(folder / "real.db"),
        **settings,
    )
    return IChargePoint.create(config, MemoryOcppConfig(KEYS), RecordingHandler(), runtime)


def wait_until(condition: Callable[[], bool], what: str) -> None:
    step = threading.Event()
    for _ in range(int(scaled(1000))):
        if condition():
            return
        step.wait(0.02)
    raise AssertionError(f"it did not come true: {what}")


class Leftovers:
    """The threads and descriptors of this process that were not there before."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._threads = set(threading.enumerate())
        self._descriptors = self._count()

    @staticmethod
    def _links() -> list[str]:
        links = []
        for name in os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else []:
            try:
                links.append(os.readlink(f"/proc/self/fd/{name}"))
            except OSError:  # the one that lists the folder
                continue
        return links

    def _count(self) -> int:
        """Sockets, selectors and wake-ups: what a runtime and its connections are made of."""
        return sum(link.startswith(("socket:", "anon_inode:")) for link in self._links())

    @property
    def threads(self) -> list[str]:
        return [thread.name for thread in threading.enumerate() if "REAL" in thread.name]

    @property
    def files(self) -> list[str]:
        return [link for link in self._links() if link.startswith(self._folder)]

    def expect_none(self, connections: int = 0) -> None:
        assert self.threads == []
        assert self.files == []
        wait_until(lambda: self._count() <= self._descriptors + connections, "all descriptors were given back")


def test_after_a_stop_nothing_is_left(server: Server, tmp_path: Path) -> None:
    left = Leftovers(tmp_path)
    cp = real(tmp_path, server.port, call_request_timeout=scaled(60.0))
    left.expect_none()  # made, and not used yet
    assert cp.log_security_event("DoorOpened")
    assert cp.get_connector_status(1) is ChargePointStatus.Available
    left.expect_none()
    for _ in range(3):
        assert cp.start()
        wait_until(lambda: cp.registration_status is RegistrationStatus.Accepted, "registered")
        assert cp.authorize(1, "TAG").status is AuthorizationStatus.Accepted
        results: list[DataTransferResult | None] = []
        waiting = threading.Thread(target=lambda: results.append(cp.data_transfer("vendor")))  # noqa: B023
        sent = server.received.count("DataTransfer")
        waiting.start()
        wait_until(lambda: server.received.count("DataTransfer") > sent, "a call is open")  # noqa: B023
        assert left.threads
        assert left.files
        assert cp.stop()
        waiting.join(scaled(10.0))
        assert results == [None]
        left.expect_none()


def test_a_failed_start_and_an_unreachable_server_leave_nothing_either(tmp_path: Path) -> None:
    left = Leftovers(tmp_path)
    broken = real(tmp_path, 9, json_schemas_path=str(tmp_path / "nowhere"))
    assert broken.start() is False
    left.expect_none()
    cp = real(tmp_path, 9, retry_interval=0.01)
    assert cp.start()
    wait_until(lambda: cp.last_connection_error is not None, "it failed")
    assert cp.stop()
    left.expect_none()


def test_a_callback_on_a_worker_stops_everything_but_its_own_thread(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    left = Leftovers(tmp_path)
    stopped = threading.Event()

    class Stopper(DefaultChargePointEventsHandler):
        def get_tx_start_stop_meter_value(self, connector_id: int) -> int:
            return 0

        def boot_notification(self, status: RegistrationStatus, time: datetime) -> None:
            assert cp.stop()
            stopped.set()

    config = ChargePointConfig(
        connexion_url=f"ws://127.0.0.1:{server.port}/ocpp", charge_point_identifier="REAL",
        database_path=str(tmp_path / "real.db"),
    )  # fmt: skip
    cp = IChargePoint.create(config, MemoryOcppConfig(KEYS), Stopper())
    assert cp.start()
    assert stopped.wait(scaled(10.0))
    wait_until(lambda: left.threads == [], "the worker has ended too")
    assert caplog.text == ""
    left.expect_none()


def test_a_runtime_that_was_given_goes_on(server: Server, tmp_path: Path) -> None:
    left = Leftovers(tmp_path)
    with Runtime(name="REAL-shared") as runtime:
        cp = real(tmp_path, server.port, runtime)
        assert cp.runtime is runtime
        assert cp.start()
        wait_until(lambda: cp.registration_status is RegistrationStatus.Accepted, "registered")
        assert cp.stop()
        assert left.files == []
        assert runtime.submit(lambda: 42).result(scaled(10.0)) == 42
        assert cp.start()
        wait_until(lambda: cp.is_connected, "connected")
        assert cp.stop()
    left.expect_none()


def test_a_callback_that_hangs_holds_nobody_up(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(charge_point, "STOP_LIMIT", 0.2)
    left = Leftovers(tmp_path)
    inside, release = threading.Event(), threading.Event()

    class Hanging(RecordingHandler):
        def boot_notification(self, status: RegistrationStatus, time: datetime) -> None:
            inside.set()
            release.wait()

    config = ChargePointConfig(
        connexion_url=f"ws://127.0.0.1:{server.port}/ocpp", charge_point_identifier="REAL",
        database_path=str(tmp_path / "real.db"),
    )  # fmt: skip
    cp = IChargePoint.create(config, MemoryOcppConfig(KEYS), Hanging())
    assert cp.start()
    assert inside.wait(scaled(10.0))
    assert cp.stop()
    assert "a thread still runs" in caplog.text
    wait_until(lambda: len(left.threads) == 1, "all others have ended")
    assert left.files == []
    release.set()
    wait_until(lambda: left.threads == [], "the worker has ended too")
    left.expect_none()
    assert cp.start()
    wait_until(lambda: cp.registration_status is RegistrationStatus.Accepted, "registered")
    assert cp.stop()
