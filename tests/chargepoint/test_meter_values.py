"""Meter values: when they are taken, for whom, and in which message they go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openocpp.chargepoint.meter_values import next_aligned
from openocpp.errors import LocalProtocolError
from openocpp.testing.conversation import ABSENT
from openocpp.types import (
    Location,
    Measurand,
    MeterValue,
    Phase,
    ReadingContext,
    RegistrationStatus,
    SampledValue,
    UnitOfMeasure,
    ValueFormat,
)
from tests.chargepoint.conftest import NOW, CentralSide, Station, online
from tests.chargepoint.driving import (
    ENERGY,
    begin,
    configure,
    contexts,
    end,
    go_offline,
    queued,
    quiet,
    rows,
)

if TYPE_CHECKING:
    from openocpp.testing import SimulatedRuntime
    from openocpp.testing.conversation import ScriptedPeer

WALL = datetime(2024, 1, 1, tzinfo=UTC)


def change(peer: ScriptedPeer, key: str, value: str, status: str = "Accepted") -> None:
    assert peer.call("ChangeConfiguration", {"key": key, "value": value}).result() == {"status": status}


# -- clock-aligned -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["Rejected", "Pending", "Accepted"])
def test_the_clock_is_obeyed_once_the_charge_point_is_accepted(
    station: Station, central: CentralSide, status: str
) -> None:
    configure(station, ClockAlignedDataInterval=10, MeterValuesAlignedData=ENERGY)
    assert station.cp.start()
    peer = central.boot(status=status, interval=3600)
    if status != "Accepted":
        peer.expect_nothing(30)
        assert station.handler.of("get_meter_value") == []
        assert queued(station) == []
        return
    for connector_id in (0, 1, 2):
        peer.expect_call("MeterValues", {"connectorId": connector_id, "transactionId": ABSENT}).answer()
    assert len(station.handler.of("get_meter_value")) == 3
    peer.expect_nothing(9)


def test_what_the_application_reads_is_sent_but_context_and_measurand_are_ours(
    station: Station, central: CentralSide
) -> None:
    configure(station, ClockAlignedDataInterval=10, MeterValuesAlignedData=f"Current.Import.L2,{ENERGY}")
    readings = {
        Measurand.CurrentImport: [
            SampledValue(
                value="16.5",
                context=ReadingContext.Other,
                measurand=Measurand.Voltage,
                phase=Phase.L2,
                location=Location.Inlet,
                format=ValueFormat.Raw,
                unit=UnitOfMeasure.A,
            )
        ],
        Measurand.EnergyActiveImportRegister: [
            SampledValue(value="1"),
            SampledValue(value="2", location=Location.Body),
        ],
    }
    station.handler.values = lambda connector_id, measurand, phase: readings[measurand] if connector_id == 1 else None
    peer = online(station, central)
    meter = peer.expect_call("MeterValues")
    assert meter.payload == {
        "connectorId": 1,
        "meterValue": [
            {
                "timestamp": "2024-01-01T00:00:10Z",
                "sampledValue": [
                    {
                        "value": "16.5",
                        "context": "Sample.Clock",
                        "format": "Raw",
                        "measurand": "Current.Import",
                        "phase": "L2",
                        "location": "Inlet",
                        "unit": "A",
                    },
                    {"value": "1", "context": "Sample.Clock", "measurand": ENERGY},
                    {"value": "2", "context": "Sample.Clock", "measurand": ENERGY, "location": "Body"},
                ],
            }
        ],
    }
    meter.answer()
    peer.expect_nothing(9)  # connectors 0 and 2 can measure nothing: no empty message
    asked = station.handler.of("get_meter_value")
    assert (1, Measurand.CurrentImport, Phase.L2) in asked
    assert (1, Measurand.EnergyActiveImportRegister, None) in asked


def test_while_disconnected_the_values_are_queued(station: Station, central: CentralSide) -> None:
    configure(station, ClockAlignedDataInterval=10, MeterValuesAlignedData=ENERGY)
    online(station, central)
    go_offline(station)
    station.sim.sleep(10)
    assert rows(station, "SELECT action, connector_id, transaction_key FROM Outbox ORDER BY id") == [
        ("MeterValues", connector_id, None) for connector_id in (0, 1, 2)
    ]


def test_the_interval_can_be_changed_and_set_to_0(station: Station, central: CentralSide) -> None:
    configure(station, ClockAlignedDataInterval=10, MeterValuesAlignedData=ENERGY, NumberOfConnectors=1)
    assert station.cp.start()
    peer = central.accept(StatusNotification={}, MeterValues={})
    peer.expect_call("BootNotification").answer({"status": "Accepted", "currentTime": NOW, "interval": 0})
    station.sim.sleep(25)
    assert len(station.handler.of("get_meter_value")) == 4
    change(peer, "ClockAlignedDataInterval", "0")
    station.sim.sleep(1000)
    assert len(station.handler.of("get_meter_value")) == 4
    change(peer, "ClockAlignedDataInterval", "100")
    station.sim.sleep(100)
    assert len(station.handler.of("get_meter_value")) == 6


@pytest.mark.parametrize(
    ("now", "interval", "due"),
    [
        ("10:00:01", 100, "10:01:40"),
        ("23:59:59", 100, "24:00:00"),
        ("10:07:13", 900, "10:15:00"),
        ("10:15:00", 900, "10:30:00"),
        ("10:14:59", 900, "10:15:00"),
        ("11:59:00", 1200, "12:00:00"),
        ("13:37:00", 3600, "14:00:00"),
        ("13:37:00", 7200, "14:00:00"),
        ("22:00:01", 7200, "24:00:00"),
        ("00:00:00", 86400, "24:00:00"),
        ("17:00:00", 86400, "24:00:00"),
        ("17:00:00", 100_000, "24:00:00"),
        ("23:30:00", 7000, "24:00:00"),  # no multiple of it is near; midnight begins anew
    ],
)
def test_readings_are_aligned_to_midnight(now: str, interval: int, due: str) -> None:
    def instant(text: str) -> datetime:
        hours, minutes, seconds = map(int, text.split(":"))
        return WALL + timedelta(hours=hours, minutes=minutes, seconds=seconds)

    assert next_aligned(instant(now), interval) == instant(due)


@given(st.integers(0, 10 * 86_400 * 1000), st.integers(1, 200_000))
def test_every_multiple_since_midnight_and_midnight_itself_are_due(milliseconds: int, interval: int) -> None:
    now = WALL + timedelta(milliseconds=milliseconds)
    due = next_aligned(now, interval)
    seconds = (due - WALL).total_seconds() % 86_400
    assert now < due <= now + timedelta(seconds=interval)
    assert seconds % interval == 0


def test_the_readings_follow_the_wall_clock_when_it_is_set(station: Station, central: CentralSide) -> None:
    configure(station, ClockAlignedDataInterval=900, MeterValuesAlignedData=ENERGY, NumberOfConnectors=1)
    assert station.cp.start()
    peer = central.accept(StatusNotification={})
    peer.expect_call("BootNotification").answer({"status": "Accepted", "currentTime": NOW, "interval": 0})

    def next_stamps() -> list[str]:
        found = []
        for _ in range(2):
            call = peer.expect_call("MeterValues", timeout=1000)
            found.append(call.payload["meterValue"][0]["timestamp"])
            call.answer()
        return found

    assert next_stamps() == ["2024-01-01T00:15:00Z"] * 2
    station.sim.sleep(600)
    station.sim.set_wall(WALL.replace(hour=10, minute=7))  # forward by hours: what was due is taken, once
    late = next_stamps()
    assert "2024-01-01T10:07:00Z" <= late[0] <= "2024-01-01T10:08:00Z"
    assert next_stamps() == ["2024-01-01T10:15:00Z"] * 2
    station.sim.sleep(60)
    station.sim.set_wall(WALL.replace(hour=2, minute=1))  # back by hours: not silent until 10:30
    assert next_stamps() == ["2024-01-01T02:15:00Z"] * 2


def test_a_day_of_readings_does_not_drift(station: Station, central: CentralSide) -> None:
    configure(station, ClockAlignedDataInterval=900, MeterValuesAlignedData=ENERGY, NumberOfConnectors=1)
    stamps: list[str] = []

    def take(payload: dict[str, Any]) -> dict[str, Any]:
        stamps.extend(value["timestamp"] for value in payload["meterValue"] if payload["connectorId"] == 1)
        return {}

    assert station.cp.start()
    peer = central.accept(StatusNotification={}, MeterValues=take, Heartbeat={"currentTime": NOW})
    peer.expect_call("BootNotification").answer({"status": "Accepted", "currentTime": NOW, "interval": 0})
    station.sim.sleep(86_400.5)
    assert stamps == [(WALL + timedelta(minutes=15 * number)).strftime("%Y-%m-%dT%H:%M:%SZ") for number in range(1, 97)]


# -- sampled -----------------------------------------------------------------------------------------------------------


def test_only_the_connector_of_the_transaction_is_sampled(station: Station, central: CentralSide) -> None:
    configure(station, MeterValueSampleInterval=30, MeterValuesSampledData=ENERGY)
    peer = online(station, central)
    station.sim.sleep(7)
    begin(station, peer, 2, transaction_id=22)
    for second in (37, 67, 97):
        meter = peer.expect_call("MeterValues", {"connectorId": 2, "transactionId": 22})
        stamp = (WALL + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert meter.payload["meterValue"][0]["timestamp"] == stamp
        assert contexts(meter.payload["meterValue"]) == ["Sample.Periodic"]
        meter.answer()
    end(station, peer, 2)
    peer.expect_nothing(100)
    assert {entry[0] for entry in station.handler.of("get_meter_value")} == {2}


def test_samples_while_disconnected_are_queued_for_their_transaction(station: Station, central: CentralSide) -> None:
    configure(station, MeterValueSampleInterval=30, MeterValuesSampledData=ENERGY)
    peer = online(station, central)
    begin(station, peer, 2)
    go_offline(station)
    station.sim.sleep(30)
    assert rows(station, "SELECT action, connector_id, transaction_key FROM Outbox") == [("MeterValues", 2, 1)]


def test_each_item_of_the_list_is_read_with_its_phase(station: Station, central: CentralSide) -> None:
    configure(
        station,
        MeterValueSampleInterval=30,
        MeterValuesSampledData="Current.Import.L1,Current.Import.L2,Current.Import",
    )
    peer = online(station, central)
    begin(station, peer)
    samples = peer.expect_call("MeterValues").payload["meterValue"][0]["sampledValue"]
    assert [(sample["measurand"], sample.get("phase")) for sample in samples] == [
        ("Current.Import", "L1"),
        ("Current.Import", "L2"),
        ("Current.Import", None),
    ]
    assert [phase for _, _, phase in station.handler.of("get_meter_value")] == [Phase.L1, Phase.L2, None]


def test_the_interval_changes_during_a_transaction(station: Station, central: CentralSide) -> None:
    configure(station, MeterValueSampleInterval=300, MeterValuesSampledData=ENERGY)
    peer = online(station, central)
    begin(station, peer)
    station.sim.sleep(100)
    change(peer, "MeterValueSampleInterval", "20")
    peer.expect_nothing(19)
    for _ in range(3):
        peer.expect_call("MeterValues").answer()
        peer.expect_nothing(19)
    change(peer, "MeterValueSampleInterval", "0")
    peer.expect_nothing(1000)
    change(peer, "MeterValueSampleInterval", "50")
    peer.expect_call("MeterValues", timeout=51).answer()


def test_samples_go_on_after_a_restart(station: Station, central: CentralSide) -> None:
    configure(station, MeterValueSampleInterval=30, MeterValuesSampledData=ENERGY)
    peer = online(station, central)
    begin(station, peer)
    station.restart()
    peer = central.boot()
    peer.expect_call("MeterValues", {"transactionId": 42}, timeout=31).answer()


def test_an_hour_of_samples_keeps_its_pace_whatever_the_reading_takes(station: Station, central: CentralSide) -> None:
    configure(station, MeterValueSampleInterval=10, MeterValuesSampledData=ENERGY)

    def slow(connector_id: int, measurand: Measurand, phase: Phase | None) -> list[SampledValue]:
        station.sim.sleep(station.sim.random.uniform(0, 9))
        return [SampledValue(value="1")]

    station.handler.values = slow
    peer = online(station, central)
    begin(station, peer)
    peer.answers["MeterValues"] = {}
    station.sim.sleep(3009)
    assert len(station.handler.of("get_meter_value")) == 300


@pytest.mark.parametrize(("busy", "seconds"), [(12, [12, 20, 30]), (25, [25, 35, 45])])
def test_a_sample_that_comes_late_does_not_delay_the_others_nor_is_it_made_up_for(
    station: Station, central: CentralSide, busy: int, seconds: list[int]
) -> None:
    configure(station, MeterValueSampleInterval=10, MeterValuesSampledData=ENERGY)
    peer = online(station, central)
    peer.answers["MeterValues"] = {}
    begin(station, peer)
    with station.cp._session.ctx.monitor:  # type: ignore[attr-defined]
        station.sim.sleep(busy)
    station.sim.sleep(seconds[-1] - busy + 1)
    stamps = [text.split('"timestamp":"')[1][:20] for text in peer.texts if '"MeterValues"' in text]
    assert stamps == [(WALL + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ") for second in seconds]


def test_the_pace_of_a_transaction_ends_with_it(station: Station, central: CentralSide) -> None:
    configure(station, MeterValueSampleInterval=10, MeterValuesSampledData=ENERGY)
    peer = online(station, central)
    begin(station, peer)
    station.sim.sleep(7)
    end(station, peer)
    begin(station, peer, transaction_id=43)
    for _ in range(3):
        peer.expect_nothing(9.9)
        peer.expect_call("MeterValues", {"transactionId": 43}).answer()


def test_a_reading_that_takes_longer_than_its_interval_is_not_overtaken(station: Station, central: CentralSide) -> None:
    configure(station, MeterValueSampleInterval=10, MeterValuesSampledData=ENERGY)
    delays = iter([25.0, 1.0, 1.0])

    def slow(connector_id: int, measurand: Measurand, phase: Phase | None) -> list[SampledValue]:
        station.sim.sleep(next(delays, 0.0))
        return [SampledValue(value="1")]

    station.handler.values = slow
    peer = online(station, central)
    begin(station, peer)
    stamps = []
    for _ in range(3):
        call = peer.expect_call("MeterValues")
        stamps.append(call.payload["meterValue"][0]["timestamp"])
        call.answer()
    assert stamps == ["2024-01-01T00:00:10Z", "2024-01-01T00:00:40Z", "2024-01-01T00:00:50Z"]


def test_a_reading_that_ends_after_its_transaction_is_not_told(station: Station, central: CentralSide) -> None:
    configure(station, MeterValueSampleInterval=10, MeterValuesSampledData=ENERGY)

    def slow(connector_id: int, measurand: Measurand, phase: Phase | None) -> list[SampledValue]:
        station.sim.sleep(5)
        return [SampledValue(value="1")]

    station.handler.values = slow
    peer = online(station, central)
    begin(station, peer)
    station.sim.sleep(12)
    end(station, peer)
    begin(station, peer, transaction_id=43)
    peer.expect_nothing(9)


# -- which measurands --------------------------------------------------------------------------------------------------


def test_what_cannot_be_measured_is_left_out(station: Station, central: CentralSide) -> None:
    configure(station, MeterValueSampleInterval=10, MeterValuesSampledData=f"{ENERGY},Voltage,SoC,Temperature")
    answers: dict[Measurand, Any] = {
        Measurand.Voltage: [SampledValue(value="230")],
        Measurand.SoC: [],
        Measurand.Temperature: [SampledValue(value="1"), SampledValue(value=None)],  # type: ignore[arg-type]
    }

    def read(connector_id: int, measurand: Measurand, phase: Phase | None) -> Any:
        if measurand is Measurand.EnergyActiveImportRegister:
            raise OSError("the meter does not answer")
        return answers[measurand]

    station.handler.values = read
    peer = online(station, central)
    begin(station, peer)
    meter = peer.expect_call("MeterValues")
    assert [sample["value"] for sample in meter.payload["meterValue"][0]["sampledValue"]] == ["230"]
    meter.answer()
    answers[Measurand.Voltage] = None
    peer.expect_nothing(30)  # nothing at all: no message


def test_lists_of_measurands_are_checked_and_unchanged_if_wrong(station: Station, central: CentralSide) -> None:
    configure(station, MeterValuesSampledDataMaxLength=2, MeterValuesSampledData=ENERGY, MeterValueSampleInterval=10)
    peer = online(station, central)
    for wrong in ("Energy.Active", f"{ENERGY},Voltage,SoC", "Current.Import.L9"):
        change(peer, "MeterValuesSampledData", wrong, "Rejected")
        assert station.keys.get_configuration(["MeterValuesSampledData"]).values[0].value == ENERGY
    change(peer, "MeterValuesSampledData", " Voltage , SoC ")
    begin(station, peer)
    meter = peer.expect_call("MeterValues")
    assert [sample["measurand"] for sample in meter.payload["meterValue"][0]["sampledValue"]] == ["Voltage", "SoC"]
    meter.answer()
    change(peer, "MeterValuesSampledData", "")
    peer.expect_nothing(30)


def test_export_signed_data_and_degrees_are_spelled_right_everywhere(station: Station, central: CentralSide) -> None:
    configure(
        station,
        MeterValueSampleInterval=10,
        MeterValuesSampledData="Current.Export,Temperature",
        StopTxnSampledData="Temperature",
    )
    answers = {
        Measurand.CurrentExport: [SampledValue(value="AB" * 500, format=ValueFormat.SignedData)],
        Measurand.Temperature: [SampledValue(value="21.5", unit=UnitOfMeasure.Celsius)],
    }
    station.handler.values = lambda _, measurand, phase: answers[measurand]
    peer = online(station, central)
    begin(station, peer)
    meter = peer.expect_call("MeterValues")
    exported, degrees = meter.payload["meterValue"][0]["sampledValue"]
    assert (exported["measurand"], exported["format"], len(exported["value"])) == ("Current.Export", "SignedData", 1000)
    assert degrees["unit"] == "Celsius"
    meter.answer()
    data = end(station, peer).payload["transactionData"]
    assert {sample["unit"] for value in data for sample in value["sampledValue"]} == {"Celsius"}


# -- transaction ids (1.6 §4.7, errata 3.16) ---------------------------------------------------------------------------


def test_aligned_values_carry_the_id_of_the_transaction_that_runs(station: Station, central: CentralSide) -> None:
    configure(station, ClockAlignedDataInterval=100, MeterValuesAlignedData=ENERGY)
    peer = online(station, central)
    begin(station, peer, 2, transaction_id=7)
    for connector_id, transaction_id in ((0, ABSENT), (1, ABSENT), (2, 7)):
        peer.expect_call(
            "MeterValues", {"connectorId": connector_id, "transactionId": transaction_id}, timeout=101
        ).answer()


def test_a_transaction_that_ends_during_an_aligned_reading_is_not_named(station: Station, central: CentralSide) -> None:
    configure(station, ClockAlignedDataInterval=100, MeterValuesAlignedData=ENERGY, NumberOfConnectors=1)

    def slow(connector_id: int, measurand: Measurand, phase: Phase | None) -> list[SampledValue] | None:
        if connector_id == 0:
            return None
        station.sim.sleep(5)
        return [SampledValue(value="1")]

    station.handler.values = slow
    assert station.cp.start()
    peer = central.accept(StatusNotification={})
    peer.expect_call("BootNotification").answer({"status": "Accepted", "currentTime": NOW, "interval": 0})
    station.sim.run_until(lambda: station.cp.registration_status is RegistrationStatus.Accepted, 10)
    begin(station, peer)
    station.sim.sleep(102)
    end(station, peer)
    peer.expect_call("MeterValues", {"connectorId": 1, "transactionId": ABSENT}).answer()


# -- triggered ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["TriggerMessage", "ExtendedTriggerMessage"])
@pytest.mark.parametrize("connector_id", [None, 0, 2])
def test_triggered_values(station: Station, central: CentralSide, action: str, connector_id: int | None) -> None:
    configure(station, MeterValuesSampledData=f"{ENERGY},Voltage")
    peer = online(station, central)
    begin(station, peer, 2, transaction_id=7)
    request: dict[str, Any] = {"requestedMessage": "MeterValues"}
    if connector_id is not None:
        request["connectorId"] = connector_id
    assert peer.call(action, request).result() == {"status": "Accepted"}
    for each in (0, 1, 2) if connector_id is None else (connector_id,):
        transaction_id = 7 if each == 2 else ABSENT
        meter = peer.expect_call("MeterValues", {"connectorId": each, "transactionId": transaction_id})
        assert [sample["context"] for sample in meter.payload["meterValue"][0]["sampledValue"]] == ["Trigger"] * 2
        meter.answer()
    peer.expect_nothing(30)
    assert queued(station) == []


# -- of the application's own ------------------------------------------------------------------------------------------


def test_the_application_sends_what_it_likes_once(station: Station, central: CentralSide) -> None:
    values = [
        MeterValue(
            timestamp=WALL + timedelta(minutes=number),
            sampled_value=[
                SampledValue(value="1", context=ReadingContext.InterruptionBegin, measurand=Measurand.Voltage),
                SampledValue(value="2"),
            ],
        )
        for number in range(2)
    ]
    peer = online(station, central)
    user = station.sim.user(lambda: station.cp.send_meter_values(1, values))
    meter = peer.expect_call("MeterValues", {"connectorId": 1, "transactionId": ABSENT})
    assert meter.payload["meterValue"] == [
        {
            "timestamp": f"2024-01-01T00:0{number}:00Z",
            "sampledValue": [
                {"value": "1", "context": "Interruption.Begin", "measurand": "Voltage"},
                {"value": "2"},
            ],
        }
        for number in range(2)
    ]
    meter.answer()
    assert user.result() is True
    begin(station, peer)
    user = station.sim.user(lambda: station.cp.send_meter_values(1, values))
    peer.expect_call("MeterValues", {"transactionId": 42}).refuse("InternalError")
    assert user.result() is False
    assert station.cp.send_meter_values(9, values) is False
    assert station.cp.send_meter_values(1, []) is False
    with pytest.raises(LocalProtocolError):
        station.cp.send_meter_values(1, [MeterValue(timestamp=WALL, sampled_value=[])])
    peer.expect_nothing(200)
    go_offline(station)
    assert station.cp.send_meter_values(1, values) is False
    assert queued(station) == []


# -- a full disk -------------------------------------------------------------------------------------------------------


def test_a_value_that_cannot_be_stored_is_lost_but_the_next_one_is_not(
    station: Station, central: CentralSide, caplog: pytest.LogCaptureFixture
) -> None:
    configure(station, MeterValueSampleInterval=10, MeterValuesSampledData=ENERGY, StopTxnSampledData=ENERGY)
    peer = online(station, central)
    begin(station, peer)
    database = station.cp._session.ctx.database  # type: ignore[attr-defined]
    for table in ("Outbox", "TxMeterValues"):
        sql = f"CREATE TRIGGER full{table} BEFORE INSERT ON {table} BEGIN SELECT RAISE(FAIL, 'disk is full'); END"
        database.write(lambda connection, sql=sql: connection.execute(sql).fetchone())
    peer.expect_nothing(15)
    assert caplog.text.count("a meter value is lost") == 2
    for table in ("Outbox", "TxMeterValues"):
        database.write(lambda connection, table=table: connection.execute(f"DROP TRIGGER full{table}").fetchone())
    peer.expect_call("MeterValues").answer()
    quiet(station)
    assert contexts(end(station, peer).payload["transactionData"]) == [
        "Transaction.Begin",
        "Sample.Periodic",
        "Transaction.End",
    ]


def test_stopping_the_role_ends_all_readings(sim: SimulatedRuntime, station: Station, central: CentralSide) -> None:
    configure(station, MeterValueSampleInterval=10, ClockAlignedDataInterval=10, MeterValuesSampledData=ENERGY)
    peer = online(station, central)
    peer.answers["MeterValues"] = {}
    begin(station, peer)
    sim.sleep(15)
    station.cp.stop()
    before = len(station.handler.seen)
    sim.sleep(1000)
    assert len(station.handler.seen) == before
