"""How long a charge point was up, and without connection: of a session, and of all together."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from openocpp.store.internal import InternalKey
from openocpp.version import VERSION

if TYPE_CHECKING:
    from pathlib import Path

    from openocpp.testing import SimulatedRuntime
    from tests.chargepoint.conftest import CentralSide, Station

COUNTERS = (
    InternalKey.LastSessionUpTime,
    InternalKey.LastSessionDisconnectedTime,
    InternalKey.TotalUpTime,
    InternalKey.TotalDisconnectedTime,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cp.db"


def stored(path: Path) -> dict[str, str]:
    """What another process reads in the file."""
    with closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute("SELECT key, value FROM InternalConfig"))


def counters(path: Path) -> list[int]:
    values = stored(path)
    return [int(values[key]) for key in COUNTERS]


def test_a_minute_with_twenty_seconds_without_connection(
    station: Station, central: CentralSide, sim: SimulatedRuntime, path: Path
) -> None:
    station.cp.start()
    peer = central.boot()
    sim.sleep(40.0)
    sim.network.refuse()
    peer.abort()
    sim.sleep(20.0)
    station.cp.stop()
    assert counters(path) == [60, 20, 60, 20]

    sim.sleep(1000.0)  # nothing counts while it is stopped
    sim.network.refuse(False)
    station.cp.start()
    assert counters(path) == [0, 0, 60, 20]
    central.boot()
    sim.sleep(30.0)
    station.cp.stop()
    assert counters(path) == [30, 0, 90, 20]


def test_a_session_without_any_connection(station: Station, sim: SimulatedRuntime, path: Path) -> None:
    station.cp.start()
    sim.sleep(100.0)
    station.cp.stop()
    assert counters(path) == [100, 100, 100, 100]


def test_connections_come_and_go(station: Station, central: CentralSide, sim: SimulatedRuntime, path: Path) -> None:
    station.cp.start()
    for _ in range(3):
        peer = central.accept()
        sim.sleep(10.0)
        sim.network.refuse()
        peer.abort()
        sim.sleep(10.0)
        sim.network.refuse(False)
        sim.run_until(lambda: station.cp.is_connected, 60.0)
    station.cp.stop()
    up, down = counters(path)[:2]
    assert up == int(sim.clock.now())
    assert up - 31 <= down <= up - 30


def test_the_counters_are_never_older_than_a_quarter_of_a_minute(
    station: Station, sim: SimulatedRuntime, path: Path
) -> None:
    station.cp.start()
    for _ in range(8):
        sim.sleep(7.0)
        assert sim.clock.now() - counters(path)[0] < 16.0


def test_begin_and_version_of_the_session_are_kept(station: Station, sim: SimulatedRuntime, path: Path) -> None:
    sim.sleep(3600.0)
    station.cp.start()
    values = stored(path)
    assert values[InternalKey.LastSessionStartDate] == "2024-01-01T01:00:00Z"
    assert values[InternalKey.StackVersion] == VERSION


def test_a_counter_that_is_no_number_begins_anew(station: Station, sim: SimulatedRuntime, path: Path) -> None:
    station.cp.start()
    station.cp.stop()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE InternalConfig SET value = 'much' WHERE key = 'TotalUpTime'")
        connection.commit()
    assert station.cp.start()
    sim.sleep(5.0)
    station.cp.stop()
    assert counters(path)[2] == 5
