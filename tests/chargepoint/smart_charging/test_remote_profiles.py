"""Charging profiles that come with a remote start, and wait for its transaction (1.6 §5.16.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from openocpp.messages.codec import to_payload
from tests.chargepoint.conftest import CentralSide, Station
from tests.chargepoint.driving import begin, end, started
from tests.chargepoint.smart_charging.build import (
    TxDefaultProfile,
    TxProfile,
    profile,
)
from tests.chargepoint.smart_charging.driving import (
    clear,
    installed,
    limit,
    payload,
    put,
    remote_start,
    up,
)

if TYPE_CHECKING:
    from pathlib import Path

    from openocpp.testing import SimulatedRuntime
    from openocpp.types import ChargingProfile

HOUR = 3600


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


@pytest.mark.parametrize(
    ("criteria", "gone"),
    [
        ({}, True),
        ({"id": 2}, True),
        ({"chargingProfilePurpose": "TxProfile", "stackLevel": 0, "connectorId": 1}, True),
        ({"id": 3}, False),
        ({"connectorId": 2}, False),
        ({"chargingProfilePurpose": "TxDefaultProfile"}, False),
    ],
)
def test_a_profile_that_waits_is_cleared_too(
    station: Station, central: CentralSide, criteria: dict[str, object], gone: bool
) -> None:
    """The central system knows it as accepted: to say Unknown, and to apply it later, would deceive."""
    peer = up(station, central)
    assert remote_start(peer, profile("0:8", id=2, purpose=TxProfile), 1) == "Accepted"
    assert clear(peer, **criteria) == ("Accepted" if gone else "Unknown")
    begin(station, peer)
    assert limit(station) == (None if gone else 8)
