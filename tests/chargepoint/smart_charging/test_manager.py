"""Charging profiles on their way: messages, transactions, the disk, the clock."""

from __future__ import annotations

import logging
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.messages.codec import to_payload
from openocpp.testing.conversation import ABSENT
from openocpp.types import (
    AuthorizationStatus,
    ChargePointStatus,
    ChargingProfile,
    Setpoints,
    SmartChargingSetpoint,
    format_datetime,
)
from tests.chargepoint.conftest import NOW as BOOT_TIME
from tests.chargepoint.conftest import CentralSide, Station
from tests.chargepoint.driving import begin, end, go_offline, go_online, started, starting
from tests.chargepoint.smart_charging.build import (
    Absolute,
    ChargePointMaxProfile,
    Daily,
    Recurring,
    Relative,
    TxDefaultProfile,
    TxProfile,
    W,
    Weekly,
    profile,
    schedule,
)
from tests.chargepoint.smart_charging.driving import (
    clear,
    composite,
    installed,
    limit,
    payload,
    periods,
    put,
    up,
)

if TYPE_CHECKING:
    from pathlib import Path

    from openocpp.testing import SimulatedRuntime

WALL = datetime(2024, 1, 1, tzinfo=UTC)  # a Monday
HOUR = 3600
DAY = 24 * HOUR


# -- SetChargingProfile ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", [ChargePointMaxProfile, TxDefaultProfile, TxProfile])
def test_as_many_as_there_is_room_for(
    sim: SimulatedRuntime, tmp_path: Path, central: CentralSide, purpose: Any, caplog: pytest.LogCaptureFixture
) -> None:
    station = Station(sim, str(tmp_path / "five.db"), {"MaxChargingProfilesInstalled": 5})
    peer = up(station, central)
    begin(station, peer)
    connector_id = 0 if purpose is ChargePointMaxProfile else 1
    for number in range(1, 6):
        assert put(peer, connector_id, profile(id=number, purpose=purpose, level=number)) == "Accepted"
    assert put(peer, connector_id, profile(id=6, purpose=purpose, level=6)) == "Rejected"
    assert "MaxChargingProfilesInstalled 5 (1.6 §9.4.5)" in caplog.text
    assert set(installed(station)) == {1, 2, 3, 4, 5}
    assert put(peer, connector_id, profile(id=6, purpose=purpose, level=5)) == "Accepted"
    assert set(installed(station)) == {1, 2, 3, 4, 6}
    station.cp.stop()


@pytest.mark.parametrize(
    ("connector_id", "given", "rule"),
    [
        (1, profile(purpose=ChargePointMaxProfile), "1.6 §3.13.1"),
        (0, profile(purpose=TxProfile), "1.6 §3.13.1"),
        (1, profile(purpose=TxProfile), "1.6 §3.13.1"),
        (1, profile(transaction_id=5), "1.6 §7.8"),
        (1, profile(level=11), "1.6 §9.4.1"),
        (1, profile(",".join(f"{number}:16" for number in range(25))), "1.6 §9.4.3"),
        (1, profile(unit=W), "1.6 §9.4.2"),
        (1, profile(kind=Recurring, start=WALL), "1.6 §7.8"),
        (1, profile(kind=Recurring, recurrency=Daily), "1.6 §7.13, errata 3.78"),
        (1, profile(recurrency=Daily), "errata 3.56"),
        (1, profile("1:16"), "1.6 §7.13, errata 3.45"),
        (1, profile("0:16, 100:10, 100:8"), "1.6 §7.14"),
        (1, profile("0:-1"), "1.6 §7.14"),
    ],
)
def test_a_profile_that_breaks_a_rule(
    sim: SimulatedRuntime,
    tmp_path: Path,
    central: CentralSide,
    caplog: pytest.LogCaptureFixture,
    connector_id: int,
    given: ChargingProfile,
    rule: str,
) -> None:
    """It is Rejected, the log names the rule, and nothing is installed."""
    station = Station(sim, str(tmp_path / "a.db"), {"ChargingScheduleAllowedChargingRateUnit": "Current"})
    peer = up(station, central)
    assert put(peer, connector_id, given) == "Rejected"
    assert [record.getMessage() for record in caplog.records if f"({rule})" in record.getMessage()]
    assert installed(station) == {}
    station.cp.stop()


def test_what_is_no_profile_at_all(station: Station, central: CentralSide) -> None:
    """Errata 3.39: an unknown connector is one of the message's faults."""
    peer = up(station, central)
    peer.call("SetChargingProfile", payload(3, profile())).error("PropertyConstraintViolation")
    four = to_payload(profile("0:16/3"))["chargingSchedule"]
    four["chargingSchedulePeriod"][0]["numberPhases"] = 4
    peer.call("SetChargingProfile", payload(1, profile(), chargingSchedule=four)).error("PropertyConstraintViolation")
    assert installed(station) == {}


def test_a_profile_takes_the_place_of_its_like(station: Station, central: CentralSide) -> None:
    """The same id, wherever it was; the same purpose, level and connector, whatever its id."""
    peer = up(station, central)
    assert put(peer, 1, profile("0:10", id=1, level=1)) == "Accepted"
    assert put(peer, 2, profile("0:11", id=1, level=2)) == "Accepted"
    assert installed(station) == {1: (2, None)}
    assert put(peer, 0, profile("0:12", id=1, purpose=ChargePointMaxProfile)) == "Accepted"
    assert installed(station) == {1: (0, None)}
    assert put(peer, 0, profile("0:13", id=2, purpose=ChargePointMaxProfile)) == "Accepted"
    assert installed(station) == {2: (0, None)}
    assert limit(station, 2) == 13


def test_a_profile_that_is_refused_replaces_nothing(
    sim: SimulatedRuntime, tmp_path: Path, central: CentralSide
) -> None:
    station = Station(sim, str(tmp_path / "two.db"), {"MaxChargingProfilesInstalled": 2})
    peer = up(station, central)
    assert put(peer, 1, profile("0:10", id=1, level=1)) == "Accepted"
    assert put(peer, 1, profile("0:11", id=2, level=2)) == "Accepted"
    station.keys.put("MaxChargingProfilesInstalled", "1")
    assert put(peer, 1, profile("0:12", id=2, level=3)) == "Rejected"
    assert limit(station) == 11
    assert set(installed(station)) == {1, 2}
    station.cp.stop()


def test_a_profile_that_cannot_be_stored(station: Station, central: CentralSide) -> None:
    """What was there before stays, in memory as well."""
    peer = up(station, central)
    assert put(peer, 1, profile("0:10", id=1, level=1)) == "Accepted"
    station.cp.stop()
    with sqlite3.connect(station.settings["database_path"]) as connection:
        connection.execute(
            "CREATE TRIGGER disk BEFORE INSERT ON ChargingProfiles WHEN NEW.id = 2 "
            "BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END"
        )
    connection.close()
    peer = up(station, central)
    peer.call("SetChargingProfile", payload(1, profile("0:11", id=2, level=1))).error("InternalError")
    assert limit(station) == 10
    assert installed(station) == {1: (1, None)}


# -- ClearChargingProfile ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("criteria", "gone"),
    [
        ({"id": 3}, {3}),
        ({"id": 3, "connectorId": 2, "stackLevel": 9}, {3}),
        ({"connectorId": 1}, {3, 4}),
        ({"connectorId": 0}, {1, 2}),
        ({"chargingProfilePurpose": "ChargePointMaxProfile"}, {1}),
        ({"stackLevel": 1}, {1, 2, 3}),
        ({"connectorId": 1, "chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 2}, {4}),
        ({}, {1, 2, 3, 4, 5}),
        ({"id": 9}, set()),
        ({"connectorId": 9}, set()),
        ({"connectorId": 2, "chargingProfilePurpose": "ChargePointMaxProfile"}, set()),
    ],
)
def test_clearing(station: Station, central: CentralSide, criteria: dict[str, Any], gone: set[int]) -> None:
    peer = up(station, central)
    assert put(peer, 0, profile(id=1, purpose=ChargePointMaxProfile, level=1)) == "Accepted"
    for number, connector_id, level in ((2, 0, 1), (3, 1, 1), (4, 1, 2), (5, 2, 3)):
        assert put(peer, connector_id, profile(id=number, level=level)) == "Accepted"
    assert clear(peer, **criteria) == ("Accepted" if gone else "Unknown")
    assert set(installed(station)) == {1, 2, 3, 4, 5} - gone


# -- TxProfiles --------------------------------------------------------------------------------------------------------


def test_a_tx_profile_needs_its_transaction(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    begin(station, peer, 1, transaction_id=42)
    assert put(peer, 1, profile(purpose=TxProfile, id=1, level=1)) == "Accepted"
    assert put(peer, 1, profile(purpose=TxProfile, id=2, level=2, transaction_id=42)) == "Accepted"
    assert put(peer, 1, profile(purpose=TxProfile, id=3, level=3, transaction_id=43)) == "Rejected"
    assert put(peer, 0, profile(purpose=TxProfile, id=3, level=3)) == "Rejected"
    assert put(peer, 2, profile(purpose=TxProfile, id=3, level=3)) == "Rejected"
    assert set(installed(station)) == {1, 2}


def test_a_tx_profile_goes_with_its_transaction(station: Station, central: CentralSide) -> None:
    """The default profile remains; another connector's transaction keeps its own."""
    peer = up(station, central)
    begin(station, peer, 1, transaction_id=41)
    begin(station, peer, 2, "OTHER", transaction_id=42)
    assert put(peer, 0, profile("0:20", id=1)) == "Accepted"
    assert put(peer, 1, profile("0:8", id=2, purpose=TxProfile)) == "Accepted"
    assert put(peer, 2, profile("0:9", id=3, purpose=TxProfile)) == "Accepted"
    assert (limit(station, 1), limit(station, 2)) == (8, 9)
    end(station, peer, 1)
    assert (limit(station, 1), limit(station, 2)) == (20, 9)
    assert set(installed(station)) == {1, 3}


def test_a_tx_profile_over_a_restart(station: Station, central: CentralSide) -> None:
    """The transaction goes on, and so does its profile."""
    peer = up(station, central)
    begin(station, peer)
    assert put(peer, 1, profile("0:8", id=2, purpose=TxProfile, transaction_id=42)) == "Accepted"
    station.restart()
    peer = central.boot(Heartbeat={"currentTime": BOOT_TIME})
    assert limit(station) == 8
    end(station, peer)
    assert installed(station) == {}


def test_a_tx_profile_of_a_transaction_that_began_offline(station: Station, central: CentralSide) -> None:
    """Without an id it can be set as soon as there is a connection, and it stays when the id comes."""
    peer = up(station, central)
    go_offline(station)
    assert station.cp.start_transaction(1, "TAG") is AuthorizationStatus.Accepted
    peer = go_online(station, central, Heartbeat={"currentTime": BOOT_TIME})
    call = peer.expect_call("StartTransaction")
    assert put(peer, 1, profile("0:8", id=2, purpose=TxProfile)) == "Accepted"
    assert put(peer, 1, profile("0:7", id=3, purpose=TxProfile, level=1, transaction_id=42)) == "Rejected"
    call.answer(started())
    assert put(peer, 1, profile("0:9", id=4, purpose=TxProfile, level=1, transaction_id=42)) == "Accepted"
    assert set(installed(station)) == {2, 4}
    assert limit(station) == 9


def test_a_profile_that_overtakes_the_answer_to_the_start(station: Station, central: CentralSide) -> None:
    """Answers and requests are taken in by different threads: it is waited for the id, for a moment."""
    peer = up(station, central)
    user = starting(station)
    start = peer.expect_call("StartTransaction")
    given = peer.call("SetChargingProfile", payload(1, profile("0:8", purpose=TxProfile, transaction_id=42)))
    station.sim.sleep(0.5)
    start.answer(started(42))
    given.result({"status": "Accepted"})
    assert user.result() is AuthorizationStatus.Accepted
    assert limit(station) == 8


# -- GetCompositeSchedule ----------------------------------------------------------------------------------------------


def test_the_schedule_of_a_connector(station: Station, central: CentralSide) -> None:
    """In the unit that is asked for, else in W; no startSchedule (errata 3.57)."""
    peer = up(station, central)
    assert put(peer, 1, profile("0:16/1, 1000:10/2", id=1, level=1)) == "Accepted"
    answer = composite(peer, 1, 3600, "A")
    assert periods(answer) == "0:16/1, 1000:10/2; 3600"
    assert answer["connectorId"] == 1
    assert answer["scheduleStart"] == format_datetime(station.sim.clock.utcnow())
    assert "startSchedule" not in answer["chargingSchedule"]
    assert periods(composite(peer, 1, 3600)) == "0:3680/1, 1000:4600/2; 3600"
    station.keys.put("ChargingScheduleAllowedChargingRateUnit", "Current")
    assert periods(composite(peer, 1, 3600)) == "0:16/1, 1000:10/2; 3600"


def test_the_schedule_of_the_charge_point(station: Station, central: CentralSide) -> None:
    """The sum of the connectors, below the maximum."""
    peer = up(station, central)
    begin(station, peer)
    station.sim.sleep(100)
    assert put(peer, 0, profile("0:10/3", id=1)) == "Accepted"
    assert put(peer, 1, profile("0:16/3, 200:6/3", id=2, purpose=TxProfile)) == "Accepted"
    assert periods(composite(peer, 0, 3600, "A")) == "0:26/3, 100:16/3; 3600"
    assert put(peer, 0, profile("0:20/3", id=3, purpose=ChargePointMaxProfile)) == "Accepted"
    assert periods(composite(peer, 0, 3600, "A")) == "0:20/3, 100:16/3; 3600"


def test_the_local_limits_count_too(station: Station, central: CentralSide) -> None:
    """In whatever unit; the whole asks for all."""
    peer = up(station, central)
    assert put(peer, 0, profile("0:16/3", id=1)) == "Accepted"
    local = {0: schedule("0:20000/3", unit=W), 1: schedule("0:6900/3, 600:20700/3", unit=W)}
    station.handler.local_limits = lambda connector_id, duration: local.get(connector_id)
    assert periods(composite(peer, 1, 3600, "A")) == "0:10/3, 600:16/3; 3600"
    assert station.handler.of("get_local_limitations_schedule") == [(1, 3600)]
    assert periods(composite(peer, 0, 1200, "W")) == "0:17940/3, 600:20000/3; 1200"
    assert station.handler.of("get_local_limitations_schedule")[1:] == [(0, 1200), (1, 1200), (2, 1200)]


def test_local_limits_that_are_not_usable(
    station: Station, central: CentralSide, caplog: pytest.LogCaptureFixture
) -> None:
    peer = up(station, central)
    assert put(peer, 1, profile("0:16/3", id=1)) == "Accepted"
    station.handler.local_limits = lambda connector_id, duration: schedule("5:1")
    assert periods(composite(peer, 1, 600, "A")) == "0:16/3; 600"
    assert "connector 1: the local limits are not usable: the first startPeriod is not 0" in caplog.text

    def fail(connector_id: int, duration: int) -> None:
        raise RuntimeError("broken")

    station.handler.local_limits = fail
    assert periods(composite(peer, 1, 600, "A")) == "0:16/3; 600"


@pytest.mark.parametrize(("connector_id", "duration"), [(1, 600), (3, 600), (2, 0)])
def test_no_schedule_to_tell(station: Station, central: CentralSide, connector_id: int, duration: int) -> None:
    """Without any limit, for an unknown connector, for no time."""
    peer = up(station, central)
    assert put(peer, 2, profile(id=1)) == "Accepted"
    assert composite(peer, connector_id, duration) == {"status": "Rejected"}


def test_the_log_says_why_there_is_none(
    station: Station, central: CentralSide, caplog: pytest.LogCaptureFixture
) -> None:
    """A hole in the middle is told with its edges."""
    peer = up(station, central)
    now = station.sim.clock.utcnow().replace(microsecond=0)
    assert put(peer, 1, profile("0:16", id=1, kind=Absolute, start=now, duration=120)) == "Accepted"
    later = now + timedelta(seconds=180)
    assert put(peer, 1, profile("0:8", id=2, level=1, kind=Absolute, start=later)) == "Accepted"
    with caplog.at_level(logging.INFO, "openocpp.chargepoint"):
        for connector_id, duration in ((1, 600), (2, 600), (3, 600), (1, 0)):
            assert composite(peer, connector_id, duration) == {"status": "Rejected"}
    lines = [record.getMessage() for record in caplog.records if "composite" in record.getMessage()]
    assert [line.removeprefix("CP1: no composite schedule of ") for line in lines] == [
        f"connector 1: nothing limits it from {format_datetime(now + timedelta(seconds=120))} "
        f"to {format_datetime(later)} (1.6 §5.7)",
        "connector 2: nothing limits it (1.6 §5.7)",
        "connector 3: there is no connector 3 (1.6 §5.7)",
        "connector 1: the duration is 0 s (1.6 §5.7)",
    ]


# -- setpoints ---------------------------------------------------------------------------------------------------------


def test_setpoints(station: Station, central: CentralSide) -> None:
    """That of the charge point, and that of a connector, which is never above."""
    peer = up(station, central)
    assert station.cp.get_setpoint(1) == Setpoints(None, None)
    assert put(peer, 1, profile("0:13/2", id=1, min_rate=6)) == "Accepted"
    own = SmartChargingSetpoint(13.0, 2, 6.0)
    assert station.cp.get_setpoint(1) == Setpoints(None, own)
    assert station.cp.get_setpoint(1, W) == Setpoints(None, SmartChargingSetpoint(5980.0, 2, 2760.0))
    assert put(peer, 0, profile("0:8/3", id=2, purpose=ChargePointMaxProfile)) == "Accepted"
    whole = SmartChargingSetpoint(8.0, 3, None)
    assert station.cp.get_setpoint(1) == Setpoints(whole, whole)
    assert station.cp.get_setpoint(2) == Setpoints(whole, whole)
    assert station.cp.get_setpoint(3) is None
    assert station.cp.get_setpoint(-1) is None


def test_setpoints_while_there_is_nobody(station: Station, central: CentralSide) -> None:
    """Offline, before registration; not while it is stopped."""
    assert station.cp.get_setpoint(1) is None
    peer = up(station, central)
    assert put(peer, 1, profile("0:13", id=1)) == "Accepted"
    go_offline(station)
    assert limit(station) == 13
    station.restart()
    assert limit(station) == 13
    station.cp.stop()
    assert station.cp.get_setpoint(1) is None


def test_a_daily_profile_through_a_day(station: Station, central: CentralSide) -> None:
    """From 22 h to 6 h."""
    peer = up(station, central)
    night = profile(
        "0:32",
        id=1,
        level=1,
        kind=Recurring,
        recurrency=Daily,
        duration=8 * HOUR,
        start=WALL - timedelta(days=30, hours=2),
    )
    assert put(peer, 1, profile("0:6", id=2, level=0)) == "Accepted"
    assert put(peer, 1, night) == "Accepted"
    limits = []
    for _ in range(24):
        limits.append(limit(station))
        station.sim.sleep(HOUR)
    assert limits == [32.0] * 6 + [6.0] * 16 + [32.0] * 2


def test_relative_to_the_transaction(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    assert put(peer, 1, profile("0:5, 50:13, 200:25", id=1, kind=Relative)) == "Accepted"
    assert limit(station) == 5
    begin(station, peer)
    station.sim.sleep(100)
    assert limit(station) == 13
    station.sim.sleep(100)
    assert limit(station) == 25
    end(station, peer)
    assert limit(station) == 5


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_set_moves_no_relative_schedule(station: Station, central: CentralSide, hours: int) -> None:
    """It counts the seconds since the transaction began; without a limit for an hour nothing would be safe."""
    peer = up(station, central)
    begin(station, peer)
    assert put(peer, 1, profile("0:8, 600:6, 1200:10", purpose=TxProfile)) == "Accepted"
    station.sim.sleep(700)
    assert limit(station) == 6
    station.sim.set_wall(station.sim.clock.utcnow() + timedelta(hours=hours))
    assert limit(station) == 6
    assert periods(composite(peer, 1, 1200, "A")).startswith("0:6/3, ")
    station.sim.sleep(600)
    assert limit(station) == 10


def test_after_a_restart_only_the_wall_clock_tells(station: Station, central: CentralSide) -> None:
    """A transaction of the future begins now: its first limit holds until the clock has come so far."""
    peer = up(station, central)
    begin(station, peer)
    assert put(peer, 1, profile("0:8, 600:6", purpose=TxProfile)) == "Accepted"
    station.sim.sleep(700)
    station.restart()
    central.boot()
    assert limit(station) == 6
    station.sim.set_wall(WALL - timedelta(hours=1))
    assert limit(station) == 8


# -- time and disk -----------------------------------------------------------------------------------------------------


def test_what_has_had_its_time_is_removed(station: Station, central: CentralSide) -> None:
    """Within a minute, also when somebody sets the clock; a recurring one has always a next time."""
    peer = up(station, central)
    soon = WALL + timedelta(seconds=90)
    assert put(peer, 1, profile(id=1, level=1, valid_to=soon)) == "Accepted"
    assert put(peer, 1, profile(id=2, level=2, kind=Absolute, start=WALL, duration=90)) == "Accepted"
    assert put(peer, 1, profile(id=3, level=3, kind=Absolute, start=WALL)) == "Accepted"
    assert put(peer, 1, profile(id=4, level=4, kind=Recurring, recurrency=Weekly, start=WALL, duration=9)) == "Accepted"
    assert put(peer, 1, profile(id=5, level=5, valid_to=WALL + timedelta(days=2))) == "Accepted"
    station.sim.sleep(80)
    assert set(installed(station)) == {1, 2, 3, 4, 5}
    station.sim.sleep(70)
    assert set(installed(station)) == {3, 4, 5}
    station.sim.set_wall(WALL + timedelta(days=3))
    station.sim.sleep(61)
    assert set(installed(station)) == {3, 4}


def test_profiles_survive_a_restart(station: Station, central: CentralSide) -> None:
    """In the same order, but for what has expired or has lost its transaction."""
    peer = up(station, central)
    begin(station, peer)
    for number, (connector_id, level) in enumerate([(0, 2), (1, 5), (0, 3), (1, 3), (0, 5)], 1):
        assert put(peer, connector_id, profile(f"0:{number}", id=number, level=level)) == "Accepted"
    assert put(peer, 1, profile("0:6", id=6, purpose=TxProfile, level=1)) == "Accepted"
    assert put(peer, 2, profile("0:7", id=7, level=1, valid_to=WALL + timedelta(hours=1))) == "Accepted"
    order = [one.id for one in station.cp._session.smart_charging._profiles]  # type: ignore[attr-defined]
    assert [number for number in order if number < 6] == [2, 5, 4, 3, 1]
    station.restart()
    central.boot()
    again = [one.id for one in station.cp._session.smart_charging._profiles]  # type: ignore[attr-defined]
    assert again == order
    station.cp.stop()
    assert station.cp.reset_connector_data()
    station.sim.sleep(HOUR)
    station.cp = station.create()
    assert station.cp.start()
    assert set(installed(station)) == {1, 2, 3, 4, 5}


def test_stored_rows_that_cannot_be_used(
    station: Station, central: CentralSide, caplog: pytest.LogCaptureFixture
) -> None:
    """They are left out, with a line in the log, and cost the others nothing."""
    peer = up(station, central)
    for number in (1, 2, 3, 4):
        assert put(peer, 1, profile(f"0:{number}", id=number, level=number)) == "Accepted"
    station.cp.stop()
    with sqlite3.connect(station.settings["database_path"]) as connection:
        connection.execute("UPDATE ChargingProfiles SET profile = '{' WHERE id = 4")
        connection.execute("UPDATE ChargingProfiles SET profile = replace(profile, ':3,', ':5,') WHERE id = 3")
        connection.execute("UPDATE ChargingProfiles SET connector_id = 9 WHERE id = 2")
    connection.close()
    with caplog.at_level(logging.ERROR):
        assert station.cp.start()
    assert limit(station) == 1
    lines = [record.getMessage() for record in caplog.records if "stored charging profile" in record.getMessage()]
    assert len(lines) == 3


def test_an_end_that_cannot_be_stored_ends_nothing_else(
    station: Station, central: CentralSide, caplog: pytest.LogCaptureFixture
) -> None:
    """The transaction is over all the same, and its profile no longer applies."""
    peer = up(station, central)
    station.cp.stop()
    with sqlite3.connect(station.settings["database_path"]) as connection:
        connection.execute(
            "CREATE TRIGGER disk BEFORE DELETE ON ChargingProfiles BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END"
        )
    connection.close()
    peer = up(station, central)
    begin(station, peer)
    assert put(peer, 1, profile("0:8", id=1, purpose=TxProfile)) == "Accepted"
    end(station, peer)
    assert "could not be stored" in caplog.text
    assert station.cp.get_connector_status(1) is ChargePointStatus.Available
    begin(station, peer, transaction_id=43)
    assert peer.call("GetCompositeSchedule", {"connectorId": 1, "duration": 9}).result({"chargingSchedule": ABSENT})
