"""The meter values that StopTransaction carries: which, in what order, how many."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from openocpp.chargepoint.meter_values import thinned
from openocpp.types import (
    MeterValue,
    SampledValue,
)
from tests.chargepoint.conftest import CentralSide, Station, online
from tests.chargepoint.driving import (
    ENERGY,
    begin,
    configure,
    contexts,
    database_of,
    end,
    rows,
)

if TYPE_CHECKING:
    import pytest


WALL = datetime(2024, 1, 1, tzinfo=UTC)


def test_the_data_of_a_stop_are_in_order_and_gone_afterwards(station: Station, central: CentralSide) -> None:
    """The lists for StopTransaction alone are set; nothing is sent before (1.6 §3.16)."""
    configure(
        station,
        ClockAlignedDataInterval=60,
        MeterValueSampleInterval=25,
        MeterValuesAlignedData="",
        MeterValuesSampledData="",
        StopTxnAlignedData=ENERGY,
        StopTxnSampledData=f"{ENERGY},Voltage",
    )
    peer = online(station, central)
    station.sim.sleep(59)
    begin(station, peer)
    peer.expect_nothing(63)
    data = end(station, peer).payload["transactionData"]
    assert contexts(data) == [
        "Transaction.Begin",
        "Sample.Clock",
        "Sample.Periodic",
        "Sample.Periodic",
        "Sample.Clock",
        "Transaction.End",
    ]
    assert [len(value["sampledValue"]) for value in data] == [2, 1, 2, 2, 1, 2]
    assert rows(station, "SELECT count(*) FROM TxMeterValues") == [(0,)]


def test_without_lists_a_stop_carries_no_data(station: Station, central: CentralSide) -> None:
    configure(station, MeterValueSampleInterval=10, ClockAlignedDataInterval=10)
    peer = online(station, central)
    peer.answers["MeterValues"] = {}
    begin(station, peer)
    station.sim.sleep(35)
    assert "transactionData" not in end(station, peer).payload


def test_data_survive_a_restart_and_do_not_mix(station: Station, central: CentralSide) -> None:
    configure(station, MeterValueSampleInterval=10, MeterValuesSampledData="", StopTxnSampledData=ENERGY)
    peer = online(station, central)
    for connector_id in (1, 2):
        begin(station, peer, connector_id, transaction_id=connector_id)
    station.sim.sleep(15)
    station.restart()
    peer = central.boot()
    station.sim.sleep(15)
    for connector_id in (1, 2):
        data = end(station, peer, connector_id).payload["transactionData"]
        assert {sample["value"][0] for value in data for sample in value["sampledValue"]} == {str(connector_id)}
        assert contexts(data) == ["Transaction.Begin", "Sample.Periodic", "Sample.Periodic", "Transaction.End"]


def test_first_and_last_are_never_dropped(station: Station, central: CentralSide) -> None:
    configure(
        station,
        MeterValueSampleInterval=10,
        MeterValuesSampledData="",
        StopTxnSampledData=ENERGY,
        StopTransactionMaxMeterValues=5,
    )
    peer = online(station, central)
    begin(station, peer)
    station.sim.sleep(1005)
    data = end(station, peer).payload["transactionData"]
    assert len(data) == 5
    assert contexts(data) == ["Transaction.Begin", *["Sample.Periodic"] * 3, "Transaction.End"]


def test_a_stored_value_that_cannot_be_read_costs_itself_only(
    station: Station, central: CentralSide, caplog: pytest.LogCaptureFixture
) -> None:
    configure(station, StopTxnSampledData=ENERGY)
    peer = online(station, central)
    begin(station, peer)
    station.cp.stop()
    with database_of(station) as database:
        sql = "INSERT INTO TxMeterValues (transaction_key, meter_value) VALUES (1, ?)"
        broken = [("{",), ('{"timestamp": "yesterday"}',)]
        database.write(lambda connection: connection.executemany(sql, broken).rowcount)
    station.cp = station.create()
    station.cp.start()
    peer = central.boot()
    assert contexts(end(station, peer).payload["transactionData"]) == ["Transaction.Begin", "Transaction.End"]
    assert caplog.text.count("cannot be read and is left out") == 2


@given(st.integers(0, 50), st.integers(0, 60))
def test_thinning_keeps_the_ends_and_the_order(count: int, most: int) -> None:
    values = [MeterValue(timestamp=WALL, sampled_value=[SampledValue(value=str(number))]) for number in range(count)]
    kept = [int(value.sampled_value[0].value) for value in thinned(values, most)]
    assert kept == sorted(set(kept))
    assert len(kept) == (count if most == 0 else min(count, most))
    if kept:
        assert kept[-1] == count - 1
        assert kept[0] == 0 or most == 1
