"""Charging profiles on their way: messages, transactions, remote starts, the disk, the clock."""

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
    ChargingRateUnitType,
    Setpoints,
    SmartChargingSetpoint,
    format_datetime,
)
from tests.chargepoint.conftest import NOW as BOOT_TIME
from tests.chargepoint.conftest import CentralSide, Station, online
from tests.chargepoint.driving import begin, end, go_offline, go_online, rows, started, starting
from tests.chargepoint.smart_charging.build import (
    A,
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

if TYPE_CHECKING:
    from pathlib import Path

    from openocpp.testing import SimulatedRuntime
    from openocpp.testing.conversation import ScriptedPeer

WALL = datetime(2024, 1, 1, tzinfo=UTC)  # a Monday
HOUR = 3600
DAY = 24 * HOUR


def up(station: Station, central: CentralSide) -> ScriptedPeer:
    """Started, connected, accepted; heartbeats are of no interest."""
    return online(station, central, Heartbeat={"currentTime": BOOT_TIME})


def payload(connector_id: int, given: ChargingProfile, **changes: Any) -> dict[str, Any]:
    """A SetChargingProfile. ``changes`` of the profile are written as they are, legal or not."""
    return {"connectorId": connector_id, "csChargingProfiles": {**to_payload(given), **changes}}


def put(peer: ScriptedPeer, connector_id: int, given: ChargingProfile, **changes: Any) -> str:
    """The answer to a SetChargingProfile."""
    status: str = peer.call("SetChargingProfile", payload(connector_id, given, **changes)).result()["status"]
    return status


def clear(peer: ScriptedPeer, **criteria: Any) -> str:
    status: str = peer.call("ClearChargingProfile", criteria).result()["status"]
    return status


def composite(peer: ScriptedPeer, connector_id: int, duration: int, unit: str | None = None) -> dict[str, Any]:
    request = {"connectorId": connector_id, "duration": duration, **({"chargingRateUnit": unit} if unit else {})}
    return peer.call("GetCompositeSchedule", request).result()


def periods(answer: dict[str, Any]) -> str:
    """``"0:16/1, 1000:10/2; 3600"``: starts, limits, phases and the duration."""
    found = answer["chargingSchedule"]
    told = ", ".join(f"{p['startPeriod']}:{p['limit']:g}/{p['numberPhases']}" for p in found["chargingSchedulePeriod"])
    return f"{told}; {found['duration']}"


def installed(station: Station) -> dict[int, tuple[int, int | None]]:
    """What stands on the disk: connectors and transactions by profile. It must be what is in memory."""
    found = rows(station, "SELECT id, connector_id, transaction_key FROM ChargingProfiles")
    memory = station.cp._session.smart_charging._profiles  # type: ignore[attr-defined]
    on_disk = {number: (connector, key) for number, connector, key in found}
    assert on_disk == {one.id: (one.connector_id, one.transaction_key) for one in memory}
    return on_disk


def limit(station: Station, connector_id: int = 1, unit: ChargingRateUnitType = A) -> float | None:
    """What the connector may take now."""
    found = station.cp.get_setpoint(connector_id, unit)
    assert found is not None
    return None if found.connector is None else found.connector.value


def remote_start(peer: ScriptedPeer, given: ChargingProfile | None, connector_id: int | None = 1) -> str:
    request: dict[str, Any] = {"idTag": "TAG"}
    if connector_id is not None:
        request["connectorId"] = connector_id
    if given is not None:
        request["chargingProfile"] = to_payload(given)
    status: str = peer.call("RemoteStartTransaction", request).result()["status"]
    return status


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


# -- remote start ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("connector_id", [1, None])
def test_a_profile_that_comes_with_a_remote_start(
    station: Station, central: CentralSide, connector_id: int | None
) -> None:
    """1.6 §5.16.2: it waits for the transaction of its id tag, on whichever connector that begins."""
    peer = up(station, central)
    assert put(peer, 0, profile("0:20", id=1)) == "Accepted"
    assert remote_start(peer, profile("0:8, 600:6", id=2, purpose=TxProfile), connector_id) == "Accepted"
    assert limit(station, 1) == 20
    assert set(installed(station)) == {1}
    begin(station, peer, 1, "tag")
    assert limit(station, 1) == 8
    assert set(installed(station)) == {1, 2}
    station.sim.sleep(600)
    assert limit(station, 1) == 6
    assert put(peer, 1, profile("0:7", id=3, purpose=TxProfile, transaction_id=42)) == "Accepted"
    assert set(installed(station)) == {1, 3}  # of the same stack level
    end(station, peer)
    assert set(installed(station)) == {1}


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        (profile(purpose=TxDefaultProfile), "1.6 §5.16.2"),
        (profile(purpose=TxProfile, transaction_id=1), "1.6 §5.16.2, errata 3.41"),
        (profile(purpose=TxProfile, level=99), "1.6 §9.4.1"),
        (profile("5:1", purpose=TxProfile), "1.6 §7.13, errata 3.45"),
    ],
)
def test_a_remote_start_with_an_unusable_profile(
    station: Station, central: CentralSide, given: ChargingProfile, rule: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The application is not even asked."""
    peer = up(station, central)
    assert remote_start(peer, given) == "Rejected"
    assert f"({rule})" in caplog.text
    assert station.handler.of("remote_start_transaction_requested") == []


def test_a_remote_start_without_room_for_its_profile(
    sim: SimulatedRuntime, tmp_path: Path, central: CentralSide
) -> None:
    """Room is kept for what is expected, too."""
    station = Station(sim, str(tmp_path / "two.db"), {"MaxChargingProfilesInstalled": 2})
    peer = up(station, central)
    assert put(peer, 0, profile("0:20", id=1)) == "Accepted"
    assert remote_start(peer, profile("0:8", id=2, purpose=TxProfile), 1) == "Accepted"
    assert remote_start(peer, profile("0:9", id=3, purpose=TxProfile), 2) == "Rejected"
    assert put(peer, 0, profile("0:20", id=4, level=2)) == "Rejected"
    assert remote_start(peer, profile("0:7", id=5, purpose=TxProfile), 1) == "Accepted"
    begin(station, peer)
    assert (set(installed(station)), limit(station)) == ({1, 5}, 7)
    station.cp.stop()


def test_the_room_is_gone_when_the_transaction_starts(
    station: Station, central: CentralSide, caplog: pytest.LogCaptureFixture
) -> None:
    """The application has lowered the limit: the transaction runs without its profile."""
    peer = up(station, central)
    assert put(peer, 0, profile("0:20", id=1)) == "Accepted"
    assert remote_start(peer, profile("0:8", id=2, purpose=TxProfile)) == "Accepted"
    station.keys.put("MaxChargingProfilesInstalled", "1")
    begin(station, peer)
    assert "the profile of a remote start is lost" in caplog.text
    assert limit(station) == 20


def test_a_remote_start_that_the_application_refuses(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    station.handler.accept_remote = False
    assert remote_start(peer, profile("0:8", purpose=TxProfile)) == "Rejected"
    begin(station, peer)
    assert installed(station) == {}


def test_a_remote_start_whose_application_fails(station: Station, central: CentralSide) -> None:
    peer = up(station, central)

    def fail(*_: object) -> None:
        raise RuntimeError("broken")

    station.handler.during_remote_start = fail
    request = {"idTag": "TAG", "connectorId": 1, "chargingProfile": to_payload(profile("0:8", purpose=TxProfile))}
    peer.call("RemoteStartTransaction", request).error("InternalError")
    begin(station, peer)
    assert installed(station) == {}


def test_the_application_starts_before_it_has_answered(station: Station, central: CentralSide) -> None:
    """The profile is there already."""
    peer = up(station, central)
    peer.answers["StartTransaction"] = started()

    def start(connector_id: int, id_tag: str) -> None:
        station.cp.start_transaction(connector_id, id_tag)

    station.handler.during_remote_start = start
    assert remote_start(peer, profile("0:8", purpose=TxProfile)) == "Accepted"
    assert limit(station) == 8


def test_a_remote_start_that_nobody_follows(station: Station, central: CentralSide) -> None:
    """After ConnectionTimeOut the transaction is another one."""
    station.keys.put("ConnectionTimeOut", "30")
    peer = up(station, central)
    assert remote_start(peer, profile("0:8", purpose=TxProfile)) == "Accepted"
    station.sim.sleep(31)
    begin(station, peer)
    assert installed(station) == {}


def test_a_profile_waits_without_end_where_there_is_no_time_out(station: Station, central: CentralSide) -> None:
    station.keys.put("ConnectionTimeOut", "0")
    peer = up(station, central)
    assert remote_start(peer, profile("0:8", purpose=TxProfile)) == "Accepted"
    station.sim.sleep(HOUR)
    begin(station, peer)
    assert limit(station) == 8


def test_the_next_remote_start_counts(station: Station, central: CentralSide) -> None:
    """Also one without a profile."""
    peer = up(station, central)
    assert remote_start(peer, profile("0:8", purpose=TxProfile)) == "Accepted"
    assert remote_start(peer, None) == "Accepted"
    begin(station, peer)
    assert installed(station) == {}


def test_somebody_else_starts_first(station: Station, central: CentralSide) -> None:
    """The profile is not theirs; on the same connector it waits in vain from then on, on any it goes on waiting."""
    peer = up(station, central)
    assert remote_start(peer, profile("0:8", id=1, purpose=TxProfile), 1) == "Accepted"
    assert remote_start(peer, profile("0:9", id=2, purpose=TxProfile), None) == "Accepted"
    begin(station, peer, 1, "OTHER", 41)
    assert installed(station) == {}
    begin(station, peer, 2, "TAG", 42)
    assert (set(installed(station)), limit(station, 2)) == ({2}, 9)
    end(station, peer, 1)
    begin(station, peer, 1, "TAG", 43)
    assert set(installed(station)) == {2}


def test_an_expected_profile_does_not_survive_a_restart(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    assert put(peer, 1, profile("0:20", id=1)) == "Accepted"
    assert remote_start(peer, profile("0:8", id=1, purpose=TxProfile)) == "Accepted"
    assert limit(station) == 20  # though it has the same id
    station.restart()
    peer = central.boot()
    begin(station, peer)
    assert limit(station) == 20


def test_without_smart_charging_a_remote_start_does_not_look_at_the_profile(
    sim: SimulatedRuntime, tmp_path: Path, central: CentralSide
) -> None:
    """1.6 §5.11"""
    station = Station(sim, str(tmp_path / "core.db"), {"SupportedFeatureProfiles": "Core"})
    peer = up(station, central)
    assert remote_start(peer, profile(purpose=TxDefaultProfile)) == "Accepted"
    begin(station, peer)
    assert installed(station) == {}
    peer.call("SetChargingProfile", payload(1, profile())).error("NotSupported")
    station.cp.stop()


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
