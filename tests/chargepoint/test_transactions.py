"""Transactions: started and stopped on the disk first, then told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openocpp.errors import LocalProtocolError, StoreError
from openocpp.store.connectors import Connectors as ConnectorTable
from openocpp.testing.conversation import ABSENT
from openocpp.types import (
    AuthorizationStatus,
    ChargePointErrorCode,
    ChargePointStatus,
    Reason,
    RegistrationStatus,
    SampledValue,
)
from tests.chargepoint.conftest import NOW, CentralSide, RecordingHandler, Station, online
from tests.chargepoint.driving import (
    ENERGY,
    begin,
    end,
    energy,
    go_offline,
    go_online,
    queued,
    quiet,
    rows,
    started,
    starting,
    stopping,
)

if TYPE_CHECKING:
    from pathlib import Path

    from openocpp.testing import SimulatedRuntime

Accepted = AuthorizationStatus.Accepted
Invalid = AuthorizationStatus.Invalid


def no_meter(_: RecordingHandler, connector_id: int) -> int:
    raise OSError("the meter is gone")


# -- online ------------------------------------------------------------------------------------------------------------


def test_start_and_stop_carry_all_fields(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    station.sim.sleep(59.5)
    user = starting(station, 2, "Tag")
    start = peer.expect_call("StartTransaction")
    assert start.payload == {
        "connectorId": 2,
        "idTag": "Tag",
        "meterStart": 100,
        "timestamp": "2024-01-01T00:00:59Z",
    }
    start.answer(started(7))
    assert user.result() is Accepted
    assert [station.cp.transaction_id(connector_id) for connector_id in (0, 1, 2, 3)] == [None, None, 7, None]
    station.sim.sleep(60)
    stopper = stopping(station, 2, "Other", Reason.EVDisconnected)
    stop = peer.expect_call("StopTransaction")
    assert stop.payload == {
        "idTag": "Other",
        "meterStop": 200,
        "timestamp": "2024-01-01T00:01:59Z",
        "transactionId": 7,
        "reason": "EVDisconnected",
    }
    stop.answer()
    assert stopper.result() is True
    assert station.cp.transaction_id(2) is None
    quiet(station)
    assert rows(station, "SELECT count(*) FROM TxMeterValues") == [(0,)]


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_told(station: Station, central: CentralSide, reason: Reason) -> None:
    peer = online(station, central)
    begin(station, peer)
    user = stopping(station, reason=reason)
    peer.expect_call("StopTransaction", {"reason": reason.value, "idTag": ABSENT}).answer()
    assert user.result() is True


@pytest.mark.parametrize("transaction_id", [0, -5, -1, 2**31 - 1])
def test_any_integer_is_a_transaction_id(station: Station, central: CentralSide, transaction_id: int) -> None:
    station.keys.put("MeterValueSampleInterval", "10")
    station.handler.values = energy(station)
    peer = online(station, central)
    begin(station, peer, transaction_id=transaction_id)
    assert station.cp.transaction_id(1) == transaction_id
    assert station.cp.start_transaction(1, "TAG") is Invalid  # it runs
    peer.expect_call("MeterValues", {"transactionId": transaction_id}).answer()
    quiet(station)
    station.restart()
    peer = central.boot()
    assert station.cp.transaction_id(1) == transaction_id
    user = stopping(station)
    peer.expect_call("StopTransaction", {"transactionId": transaction_id}).answer()
    assert user.result() is True


def test_two_connectors_have_a_transaction_each(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    begin(station, peer, 1, "A", 11)
    begin(station, peer, 2, "B", 22)
    assert end(station, peer, 1).payload["transactionId"] == 11
    assert end(station, peer, 2).payload["transactionId"] == 22


# -- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("connector_id", [-1, 0, 3])
def test_no_start_where_there_is_no_connector(station: Station, central: CentralSide, connector_id: int) -> None:
    online(station, central)
    assert station.cp.start_transaction(connector_id, "TAG") is Invalid
    assert station.cp.stop_transaction(connector_id) is False
    assert queued(station) == []


def test_no_second_start_on_a_connector(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    begin(station, peer)
    assert station.cp.start_transaction(1, "OTHER") is Invalid
    assert end(station, peer).payload["transactionId"] == 42
    assert station.cp.stop_transaction(1) is False
    peer.expect_nothing(5)


@pytest.mark.parametrize("connector_id", [0, 1])
def test_no_start_while_the_connector_or_the_charge_point_is_faulted(
    station: Station, central: CentralSide, connector_id: int
) -> None:
    peer = online(station, central)
    station.cp.status_notification(connector_id, ChargePointStatus.Faulted, ChargePointErrorCode.GroundFailure)
    peer.expect_call("StatusNotification", {"status": "Faulted"}).answer()
    assert station.cp.start_transaction(1, "TAG") is Invalid
    station.cp.status_notification(connector_id, ChargePointStatus.Available)
    peer.expect_call("StatusNotification", {"status": "Available"}).answer()
    begin(station, peer)


@pytest.mark.parametrize("connector_id", [0, 1])
def test_no_start_while_it_is_inoperative(station: Station, central: CentralSide, connector_id: int) -> None:
    peer = online(station, central)
    peer.answers["StatusNotification"] = {}
    for wanted, outcome in (("Inoperative", Invalid), ("Operative", Accepted)):
        request = {"connectorId": connector_id, "type": wanted}
        assert peer.call("ChangeAvailability", request).result() == {"status": "Accepted"}
        station.sim.sleep(1)
        user = starting(station)
        if outcome is Accepted:
            peer.expect_call("StartTransaction").answer(started())
        assert user.result() is outcome


def test_the_application_may_say_that_a_connector_is_unavailable(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    station.cp.status_notification(1, ChargePointStatus.Unavailable)
    peer.expect_call("StatusNotification", {"status": "Unavailable"}).answer()
    assert station.cp.start_transaction(1, "TAG") is Invalid


def test_nothing_starts_before_the_charge_point_is_accepted(station: Station, central: CentralSide) -> None:
    assert station.cp.start()
    peer = central.boot(status="Pending", interval=60)
    station.sim.run_until(lambda: station.cp.registration_status is RegistrationStatus.Pending, 10)
    assert station.cp.start_transaction(1, "TAG") is Invalid
    assert queued(station) == []
    peer.expect_nothing(50)


def test_an_id_tag_that_is_too_long_is_an_error_and_changes_nothing(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    with pytest.raises(LocalProtocolError):
        station.cp.start_transaction(1, "T" * 21)
    begin(station, peer)
    with pytest.raises(LocalProtocolError):
        station.cp.stop_transaction(1, "T" * 21)
    assert station.cp.transaction_id(1) == 42
    end(station, peer)


def test_without_a_meter_value_nothing_starts(
    station: Station, central: CentralSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = online(station, central)
    monkeypatch.setattr(RecordingHandler, "get_tx_start_stop_meter_value", no_meter)
    assert station.cp.start_transaction(1, "TAG") is Invalid
    monkeypatch.undo()
    begin(station, peer)


def test_without_a_meter_value_a_transaction_stops_all_the_same(
    station: Station, central: CentralSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = online(station, central)
    begin(station, peer)
    monkeypatch.setattr(RecordingHandler, "get_tx_start_stop_meter_value", no_meter)
    assert end(station, peer).payload["meterStop"] == 100  # that of the start


@pytest.mark.parametrize("value", [12.5, "12", None])
def test_a_meter_value_that_is_no_integer_is_none(
    station: Station, central: CentralSide, monkeypatch: pytest.MonkeyPatch, value: object
) -> None:
    peer = online(station, central)
    begin(station, peer)
    monkeypatch.setattr(RecordingHandler, "get_tx_start_stop_meter_value", lambda self, connector_id: value)
    assert station.cp.start_transaction(2, "TAG") is Invalid
    assert end(station, peer).payload["meterStop"] == 100


# -- an id tag that the central system does not accept (1.6 §3.5.4, errata 3.17) ---------------------------------------


@pytest.mark.parametrize("status", ["Blocked", "Expired", "Invalid", "ConcurrentTx"])
def test_a_refused_tag_stops_the_transaction(station: Station, central: CentralSide, status: str) -> None:
    peer = online(station, central)
    user = starting(station)
    peer.expect_call("StartTransaction").answer(started(9, status))
    stop = peer.expect_call("StopTransaction", {"transactionId": 9, "reason": "DeAuthorized", "idTag": ABSENT})
    stop.answer()
    assert user.result() is AuthorizationStatus(status)
    quiet(station)
    assert stop.payload["meterStop"] == 200  # measured, not that of the start
    assert station.cp.transaction_id(1) is None
    assert station.handler.of("transaction_de_authorized") == []  # the caller knows
    peer.expect_nothing(5)


@pytest.mark.parametrize("status", ["Blocked", "ConcurrentTx"])
def test_a_refused_tag_keeps_its_transaction_if_the_key_says_so(
    station: Station, central: CentralSide, status: str
) -> None:
    station.keys.put("StopTransactionOnInvalidId", "false")
    peer = online(station, central)
    user = starting(station)
    peer.expect_call("StartTransaction").answer(started(9, status))
    assert user.result() is AuthorizationStatus(status)
    peer.expect_nothing(5)
    assert station.cp.transaction_id(1) == 9
    assert station.handler.of("transaction_de_authorized") == [(1,)]  # the energy is to be stopped
    assert end(station, peer).payload["transactionId"] == 9


@pytest.mark.parametrize("stops", [True, False])
def test_a_queued_start_that_is_refused(station: Station, central: CentralSide, stops: bool) -> None:
    station.keys.put("StopTransactionOnInvalidId", str(stops).lower())
    online(station, central)
    go_offline(station)
    assert station.cp.start_transaction(1, "TAG") is Accepted
    peer = go_online(station, central)
    peer.expect_call("StartTransaction").answer(started(9, "Blocked"))
    if stops:
        peer.expect_call("StopTransaction", {"transactionId": 9, "reason": "DeAuthorized"}).answer()
    peer.expect_nothing(5)
    assert station.handler.of("transaction_de_authorized") == [(1,)]
    assert station.cp.transaction_id(1) == (None if stops else 9)


def test_a_refusal_after_the_stop_is_no_news(station: Station, central: CentralSide) -> None:
    online(station, central)
    go_offline(station)
    station.cp.start_transaction(1, "TAG")
    assert station.cp.stop_transaction(1) is True
    peer = go_online(station, central)
    peer.expect_call("StartTransaction").answer(started(9, "Blocked"))
    peer.expect_call("StopTransaction", {"transactionId": 9, "reason": "Local"}).answer()
    peer.expect_nothing(5)
    assert station.handler.of("transaction_de_authorized") == []


def test_a_refusal_stops_its_own_transaction_and_not_the_next_one(station: Station, central: CentralSide) -> None:
    """The answer to the first start comes while the second transaction runs on the connector."""
    online(station, central)
    go_offline(station)
    station.cp.start_transaction(1, "FIRST")
    station.cp.stop_transaction(1)
    station.cp.start_transaction(1, "SECOND")
    peer = go_online(station, central)
    peer.expect_call("StartTransaction", {"idTag": "FIRST"}).answer(started(1, "Blocked"))
    peer.expect_call("StopTransaction", {"transactionId": 1}).answer()
    peer.expect_call("StartTransaction", {"idTag": "SECOND"}).answer(started(2))
    peer.expect_nothing(5)
    assert station.cp.transaction_id(1) == 2
    assert station.handler.of("transaction_de_authorized") == []


def test_a_stop_that_is_under_way_when_the_refusal_comes_is_enough(station: Station, central: CentralSide) -> None:
    """The connector's next transaction is not the one that was refused."""
    peer = online(station, central)
    user = starting(station, id_tag="BAD")
    call = peer.expect_call("StartTransaction", {"idTag": "BAD"})
    station.handler.during_meter = lambda: station.sim.sleep(1)
    stopper = stopping(station)
    station.sim.sleep(0.5)
    call.answer(started(1, "Blocked"))
    peer.expect_call("StopTransaction", {"transactionId": 1, "reason": "Local"}).answer()
    assert (user.result(), stopper.result()) == (AuthorizationStatus.Blocked, True)
    station.handler.during_meter = None
    begin(station, peer, transaction_id=2)
    peer.expect_nothing(60)
    assert station.cp.transaction_id(1) == 2


def test_a_refusal_that_was_not_acted_upon_is_after_a_restart(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    begun = starting(station)
    call = peer.expect_call("StartTransaction")
    station.handler.during_meter = lambda: station.sim.sleep(5)  # the stop is under way when the role stops
    call.answer(started(9, "Invalid"))
    assert begun.result() is Invalid
    station.sim.sleep(1)
    station.cp.stop()
    station.sim.sleep(10)
    station.handler.during_meter = None
    station.cp = station.create()
    station.cp.start()
    peer = central.boot()
    peer.expect_call("StopTransaction", {"transactionId": 9, "reason": "DeAuthorized"}).answer()


def test_after_a_restart_the_application_is_told_again_that_energy_must_stop(
    station: Station, central: CentralSide
) -> None:
    station.keys.put("StopTransactionOnInvalidId", "false")
    peer = online(station, central)
    user = starting(station)
    peer.expect_call("StartTransaction").answer(started(9, "Blocked"))
    user.result()
    station.restart()
    central.boot()
    station.sim.sleep(1)
    assert station.handler.of("transaction_de_authorized") == [(1,), (1,)]


# -- offline, and restarts ---------------------------------------------------------------------------------------------


def test_an_offline_start_is_accepted_and_queued(station: Station, central: CentralSide) -> None:
    online(station, central)
    go_offline(station)
    began = station.sim.clock.now()
    assert station.cp.start_transaction(1, "TAG") is Accepted
    assert station.sim.clock.now() == began  # nobody waited for anything
    assert station.cp.transaction_id(1) is None
    assert queued(station) == ["StartTransaction"]
    assert station.cp.stop_transaction(1) is True
    assert queued(station) == ["StartTransaction", "StopTransaction"]


def test_a_transaction_runs_on_after_a_restart(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    begin(station, peer)
    station.restart()
    assert station.cp.transaction_id(1) == 42
    assert station.cp.start_transaction(1, "TAG") is Invalid
    peer = central.boot()
    assert end(station, peer).payload["transactionId"] == 42


@pytest.mark.parametrize("status", ["Pending", "Rejected", None])
def test_a_stop_is_taken_in_every_registration_status(
    station: Station, central: CentralSide, status: str | None
) -> None:
    """After a power failure the application stops what ran, whatever the central system says meanwhile."""
    peer = online(station, central)
    begin(station, peer)
    station.restart()
    peer = central.accept(StatusNotification={})
    boot = peer.expect_call("BootNotification")
    if status is not None:
        boot.answer({"status": status, "currentTime": NOW, "interval": 30})
    station.sim.sleep(1)
    assert station.cp.stop_transaction(1, reason=Reason.PowerLoss) is True
    if status is not None:
        peer.expect_nothing(20)  # nothing but boots before acceptance
        boot = peer.expect_call("BootNotification")
    boot.answer({"status": "Accepted", "currentTime": NOW, "interval": 0})
    peer.expect_call("StopTransaction", {"transactionId": 42, "reason": "PowerLoss"}).answer()


def test_with_fewer_connectors_an_orphaned_transaction_is_ended(
    sim: SimulatedRuntime, station: Station, central: CentralSide
) -> None:
    peer = online(station, central)
    begin(station, peer, 2, transaction_id=22)
    station.cp.stop()
    station.keys.put("NumberOfConnectors", "1")
    station.cp = station.create()
    station.cp.start()
    peer = central.accept(StatusNotification={})
    peer.expect_call("BootNotification").answer({"status": "Accepted", "currentTime": NOW, "interval": 0})
    stop = peer.expect_call("StopTransaction", {"transactionId": 22, "reason": "Other"})
    assert stop.payload["meterStop"] == 100
    stop.answer()
    quiet(station)
    station.restart()
    peer = central.accept(StatusNotification={})
    peer.expect_call("BootNotification").answer({"status": "Accepted", "currentTime": NOW, "interval": 0})
    peer.expect_nothing(5)


def test_with_more_connectors_a_transaction_runs_on(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    begin(station, peer, 2, transaction_id=22)
    station.cp.stop()
    station.keys.put("NumberOfConnectors", "5")
    station.cp = station.create()
    station.cp.start()
    assert station.cp.transaction_id(2) == 22


def test_what_is_over_is_forgotten_but_for_the_newest(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    for number in range(5):
        begin(station, peer, 1 + number % 2, transaction_id=number)
        if number % 2:
            end(station, peer, 1)
            end(station, peer, 2)
    end(station, peer, 1)
    quiet(station)
    assert rows(station, "SELECT key FROM Transactions") == [(5,)]
    begin(station, peer)
    assert rows(station, "SELECT key FROM Transactions WHERE running") == [(6,)]


def test_what_was_over_before_a_restart_is_forgotten_too(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    for _ in range(3):
        begin(station, peer)
        end(station, peer)
        quiet(station)
        station.restart()
        peer = central.boot()
    assert rows(station, "SELECT key FROM Transactions") == [(3,)]


def test_forgotten_transactions_leave_no_meter_values(station: Station, central: CentralSide) -> None:
    station.keys.put("StopTxnSampledData", ENERGY)
    station.handler.values = energy(station)
    peer = online(station, central)
    begin(station, peer)
    station.cp.stop()
    assert station.cp.reset_connector_data()
    station.cp = station.create()
    station.cp.start()
    central.boot()
    assert rows(station, "SELECT count(*) FROM TxMeterValues") == [(0,)]
    assert station.cp.stop_transaction(1) is False


# -- a disk that refuses -----------------------------------------------------------------------------------------------


def fill_disk(station: Station) -> None:
    """From now on nothing more can be stored."""
    database = station.cp._session.ctx.database  # type: ignore[attr-defined]
    database.write(
        lambda connection: connection.execute(
            "CREATE TRIGGER no_room BEFORE INSERT ON Outbox BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END"
        ).fetchone()
    )


def free_disk(station: Station) -> None:
    database = station.cp._session.ctx.database  # type: ignore[attr-defined]
    database.write(lambda connection: connection.execute("DROP TRIGGER no_room").fetchone())


def test_what_cannot_be_stored_has_not_happened(
    station: Station, central: CentralSide, caplog: pytest.LogCaptureFixture
) -> None:
    peer = online(station, central)
    fill_disk(station)
    assert station.cp.start_transaction(1, "TAG") is Invalid
    assert "cannot be stored" in caplog.text
    free_disk(station)
    begin(station, peer)
    fill_disk(station)
    assert station.cp.stop_transaction(1) is False
    assert station.cp.transaction_id(1) == 42  # it goes on
    free_disk(station)
    end(station, peer)
    peer.expect_nothing(5)


def test_a_stop_is_told_though_the_availability_cannot_be_stored(
    station: Station, central: CentralSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StoreError("the disk is full")

    peer = online(station, central)
    begin(station, peer)
    peer.call("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"}).result()
    monkeypatch.setattr(ConnectorTable, "save", refuse)
    end(station, peer)
    assert station.cp.transaction_id(1) is None


def test_a_de_authorized_transaction_is_stopped_when_the_disk_has_room_again(
    station: Station, central: CentralSide
) -> None:
    peer = online(station, central)
    user = starting(station)
    call = peer.expect_call("StartTransaction")
    fill_disk(station)
    call.answer(started(9, "Invalid"))
    assert user.result() is Invalid
    peer.expect_nothing(9)
    free_disk(station)
    peer.expect_call("StopTransaction", {"reason": "DeAuthorized"}).answer()


# -- what StopTransaction carries --------------------------------------------------------------------------------------


def test_a_stop_that_no_connection_could_carry_is_thinned(
    sim: SimulatedRuntime, central: CentralSide, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    station = Station(sim, str(tmp_path / "cp.db"), max_output_buffer=20_000)
    station.keys.put("StopTxnSampledData", ENERGY)
    station.keys.put("MeterValuesSampledData", "")
    station.keys.put("MeterValueSampleInterval", "10")
    station.handler.values = energy(station)
    peer = online(station, central)
    begin(station, peer)
    sim.sleep(3500)
    data = end(station, peer).payload["transactionData"]
    contexts = [value["sampledValue"][0]["context"] for value in data]
    assert 50 < len(data) < 350
    assert (contexts[0], contexts[-1]) == ("Transaction.Begin", "Transaction.End")
    times = [value["timestamp"] for value in data]
    assert times == sorted(times)
    assert "meter values" in caplog.text
    station.cp.stop()


def test_a_scheduled_unavailability_waits_for_the_stop(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    begin(station, peer)
    request = {"connectorId": 1, "type": "Inoperative"}
    assert peer.call("ChangeAvailability", request).result() == {"status": "Scheduled"}
    user = stopping(station)
    frames: list[Any] = [peer.expect_frame(), peer.expect_frame()]
    for frame in frames:
        peer.send([3, frame[1], {}])
    assert {frame[2] for frame in frames} == {"StopTransaction", "StatusNotification"}
    assert user.result() is True
    assert station.cp.get_connector_status(1) is ChargePointStatus.Unavailable
    assert station.cp.start_transaction(1, "TAG") is Invalid


def test_readings_that_the_handler_gives_wrongly_do_not_stop_a_start(
    station: Station, central: CentralSide, caplog: pytest.LogCaptureFixture
) -> None:
    station.keys.put("StopTxnSampledData", f"{ENERGY},Voltage,SoC")
    good = [SampledValue(value="5")]
    answers: dict[str, Any] = {ENERGY: good, "Voltage": [{"value": "230"}], "SoC": [SampledValue(value=5)]}  # type: ignore[arg-type]
    station.handler.values = lambda _, measurand, phase: answers[measurand.value]
    peer = online(station, central)
    begin(station, peer)
    assert caplog.text.count("is not usable") == 2
    data = end(station, peer).payload["transactionData"]
    assert [[sample["measurand"] for sample in value["sampledValue"]] for value in data] == [[ENERGY], [ENERGY]]
