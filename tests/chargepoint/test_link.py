"""The connection of a charge point: where to, as whom, how often it is tried, and who hears of it."""

from __future__ import annotations

import logging
from itertools import pairwise
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.chargepoint.interface import IChargePoint
from openocpp.config import ChargePointConfig, IChargePointConfig
from openocpp.errors import ConnectFailure
from openocpp.testing.conversation import ScriptedServer
from openocpp.transport.upgrade import basic_credentials
from openocpp.types import AuthorizationStatus, RegistrationStatus
from tests.chargepoint.conftest import NOW, URL, CentralSide, Station, online

if TYPE_CHECKING:
    from pathlib import Path

    from openocpp.testing import SimulatedRuntime
    from openocpp.testing.conversation import ScriptedPeer

ACCEPTED, REJECTED = RegistrationStatus.Accepted, RegistrationStatus.Rejected
KEY = bytes(range(16))
SECURE_URL = "wss://localhost:8443/ocpp"
BOOTED = {"status": "Accepted", "currentTime": NOW, "interval": 3600}


def changeable(station: Station) -> SimpleNamespace:
    """The station with settings of its application's own, which can change."""
    values = vars(ChargePointConfig(**station.settings))
    settings = SimpleNamespace(**values)
    station.cp = IChargePoint.create(settings, station.keys, station.handler, station.sim)
    return settings


def connected(station: Station) -> bool:
    return station.cp.is_connected


# -- where to, and as whom ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", [URL, f"{URL}/"])
@pytest.mark.parametrize(
    ("identity", "segment"),
    [
        ("CP1", "CP1"),
        ("CP 1", "CP%201"),
        ("a/b", "a%2Fb"),
        ("Säule", "S%C3%A4ule"),
        ("a~b-c_d.e", "a~b-c_d.e"),
        ("50%+1", "50%25%2B1"),
    ],
)
def test_the_identity_is_the_last_segment(
    sim: SimulatedRuntime, central: CentralSide, url: str, identity: str, segment: str
) -> None:
    station = Station(sim, "", identity=identity, connexion_url=url)
    station.cp.start()
    central.accept()
    assert [handshake.target for handshake in central.server.handshakes] == [f"/ocpp/{segment}"]
    assert [handshake.subprotocols for handshake in central.server.handshakes] == [("ocpp1.6",)]
    station.cp.stop()


@pytest.mark.parametrize(
    ("profile", "key", "url", "sent"),
    [
        (0, "", URL, False),
        (0, KEY.hex(), URL, True),
        (0, KEY.hex(), SECURE_URL, True),
        (1, "", URL, False),
        (1, KEY.hex(), URL, True),
        (2, KEY.hex(), SECURE_URL, True),
        (3, KEY.hex(), SECURE_URL, False),
    ],
)
def test_who_shows_a_password(sim: SimulatedRuntime, profile: int, key: str, url: str, sent: bool) -> None:
    server = ScriptedServer(sim, url)
    station = Station(sim, "", {"SecurityProfile": profile, "AuthorizationKey": key}, connexion_url=url)
    station.cp.start()
    server.accept()
    expected = basic_credentials("CP1", KEY) if sent else None  # the decoded bytes, not their hexadecimal digits
    assert [handshake.authorization for handshake in server.handshakes] == [expected]
    station.cp.stop()


@pytest.mark.parametrize("profile", [2, 3])
def test_security_profiles_with_tls_never_connect_without_it(
    sim: SimulatedRuntime, central: CentralSide, caplog: pytest.LogCaptureFixture, profile: int
) -> None:
    station = Station(sim, "", {"SecurityProfile": profile, "AuthorizationKey": KEY.hex()})
    assert station.cp.start() is False
    assert f"security profile {profile} needs TLS" in caplog.text
    assert KEY.hex() not in caplog.text
    central.server.expect_nobody(30.0)
    assert station.cp.is_connected is False


@pytest.mark.parametrize("offered", ["ocpp2.0.1", ""])
def test_a_server_without_the_subprotocol_is_no_central_system(sim: SimulatedRuntime, offered: str) -> None:
    server = ScriptedServer(sim, URL, subprotocol=offered or "mqtt")
    station = Station(sim, "")
    station.cp.start()
    sim.run_until(lambda: station.handler.of("connection_failed") == [(REJECTED,)], 10.0)
    error = station.cp.last_connection_error
    assert error is not None
    assert error.reason is ConnectFailure.PROTOCOL
    assert server.peers == []
    assert not connected(station)
    station.cp.stop()


# -- failures ----------------------------------------------------------------------------------------------------------


def test_a_failure_is_told_once_per_period_without_connection(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    sim.network.refuse()
    station.cp.start()
    sim.sleep(100.0)
    station.cp.reconnect()  # the application tries something else
    sim.sleep(100.0)
    assert station.handler.of("connection_failed") == [(REJECTED,)]
    assert station.handler.of("connection_state_changed") == []
    sim.network.refuse(False)
    peer = central.boot()
    sim.sleep(10.0)
    sim.network.refuse()
    peer.abort()
    sim.sleep(100.0)
    assert station.handler.of("connection_failed") == [(REJECTED,), (ACCEPTED,)]
    assert station.handler.of("connection_state_changed") == [(True,), (False,)]


def test_why_a_connection_failed_can_be_asked(station: Station, central: CentralSide, sim: SimulatedRuntime) -> None:
    def why() -> tuple[ConnectFailure, int | None] | None:
        error = station.cp.last_connection_error
        return None if error is None else (error.reason, error.status)

    assert why() is None
    sim.network.refuse()
    station.cp.start()
    sim.sleep(1.0)
    assert why() == (ConnectFailure.REFUSED, None)
    central.server.verdict = lambda handshake, identity: 404
    sim.network.refuse(False)
    sim.run_until(lambda: bool(central.server.handshakes), 60.0)
    sim.sleep(0.5)
    assert why() == (ConnectFailure.HTTP_STATUS, 404)
    central.server.verdict = lambda handshake, identity: 0
    central.boot()
    assert why() is None
    sim.network.refuse()
    sim.network.cut()
    sim.sleep(5.0)
    station.cp.stop()
    assert why() == (ConnectFailure.REFUSED, None)  # also afterwards


def test_pauses_grow_up_to_a_limit_and_no_two_stations_keep_the_same_time(
    sim: SimulatedRuntime, central: CentralSide
) -> None:
    station = Station(sim, "", retry_interval=1.0, retry_interval_max=20.0)
    station.cp.start()
    times: list[float] = []
    for _ in range(10):
        central.accept().close()
        times.append(sim.clock.now())
    pauses = [after - before for before, after in pairwise(times)]
    for pause, shortest in zip(pauses, (1, 2, 4, 8, 16, 20, 20, 20, 20), strict=True):
        assert shortest <= pause <= 1.2 * shortest + 0.1
    assert len({round(pause / shortest, 3) for pause, shortest in zip(pauses[-4:], (20,) * 4, strict=True)}) > 1
    peer = central.accept()
    sim.sleep(60.0)  # this one lasted
    peer.abort()
    lost = sim.clock.now()
    central.accept()
    assert sim.clock.now() - lost < 1.5
    station.cp.stop()


def test_without_a_retry_interval_there_is_one_attempt(sim: SimulatedRuntime, central: CentralSide) -> None:
    station = Station(sim, "", retry_interval=0.0)
    sim.network.refuse()
    station.cp.start()
    sim.sleep(1000.0)
    assert sim.network.attempts == 1
    sim.network.refuse(False)
    assert station.cp.reconnect()
    central.accept(BootNotification=BOOTED, StatusNotification={}).abort()
    sim.sleep(1000.0)
    assert sim.network.attempts == 2
    station.cp.stop()


def test_a_connection_timeout_below_a_second_is_kept(sim: SimulatedRuntime) -> None:
    station = Station(sim, "", connection_timeout=0.25)
    sim.network.drop()
    station.cp.start()
    sim.run_until(lambda: bool(station.handler.of("connection_failed")), 5.0, step=0.01)
    assert sim.clock.now() == pytest.approx(0.25, abs=0.05)
    error = station.cp.last_connection_error
    assert error is not None
    assert error.reason is ConnectFailure.TIMEOUT
    station.cp.stop()


@pytest.mark.parametrize(("status", "logged"), [(401, True), (403, True), (404, False), (500, False)])
def test_a_refused_password_is_a_security_event_once_per_period(
    sim: SimulatedRuntime, central: CentralSide, caplog: pytest.LogCaptureFixture, status: int, logged: bool
) -> None:
    caplog.set_level(logging.INFO)
    station = Station(sim, "")
    sim.network.refuse()
    station.cp.start()
    sim.sleep(10.0)
    central.server.verdict = lambda handshake, identity: status
    sim.network.refuse(False)
    sim.sleep(200.0)
    assert len(central.server.handshakes) > 1
    lines = [record for record in caplog.records if "FailedToAuthenticateAtCentralSystem" in record.getMessage()]
    assert len(lines) == (1 if logged else 0)
    station.cp.stop()


# -- silence -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("interval", [10, 25])
def test_a_silent_central_system_is_given_up_after_two_ping_intervals(
    sim: SimulatedRuntime, central: CentralSide, interval: int
) -> None:
    station = Station(sim, "", {"WebSocketPingInterval": interval})
    online(station, central)
    sim.sleep(500.0)
    assert connected(station)
    sim.network.drop()
    began = sim.clock.now()
    sim.run_until(lambda: not connected(station), 1000.0)
    assert sim.clock.now() - began == pytest.approx(2.0 * interval, abs=0.2)
    station.cp.stop()


def test_without_pings_silence_is_not_noticed(station: Station, central: CentralSide, sim: SimulatedRuntime) -> None:
    online(station, central)
    sim.network.drop()
    sim.sleep(3000.0)
    assert connected(station)


# -- reconnecting ------------------------------------------------------------------------------------------------------


def test_several_wishes_to_reconnect_within_a_second_are_one(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    peer = online(station, central)
    sim.sleep(1.0)
    began = sim.clock.now()
    for _ in range(5):
        assert station.cp.reconnect() is True
        sim.sleep(0.15)
    peer.expect_closed(1000)
    assert sim.clock.now() == pytest.approx(began + 1.0, abs=0.1)
    central.accept()
    sim.sleep(100.0)
    assert sim.network.attempts == 2
    station.cp.reconnect()
    central.accept()
    assert sim.network.attempts == 3


@pytest.mark.parametrize("linked", [True, False])
def test_a_reconnection_uses_new_settings_whether_linked_or_not(
    sim: SimulatedRuntime, central: CentralSide, linked: bool
) -> None:
    other = ScriptedServer(sim, "ws://other:9000/csms")
    station = Station(sim, "")
    settings = changeable(station)
    if not linked:
        sim.network.refuse()
    station.cp.start()
    if linked:
        central.boot()
    sim.sleep(40.0)  # a long pause before the next attempt, if there is no link
    settings.connexion_url = "ws://other:9000/csms"
    station.keys.set_configuration("AuthorizationKey", KEY.hex())
    sim.network.refuse(False)
    assert station.cp.reconnect()
    other.accept(1.5)
    assert [handshake.authorization for handshake in other.handshakes] == [basic_credentials("CP1", KEY)]
    attempts = sim.network.attempts
    sim.sleep(200.0)
    assert sim.network.attempts == attempts  # the old address is forgotten
    station.cp.stop()


def test_settings_that_do_not_fit_together_leave_the_connection_alone(
    sim: SimulatedRuntime, central: CentralSide, caplog: pytest.LogCaptureFixture
) -> None:
    station = Station(sim, "")
    settings = changeable(station)
    peer = online(station, central)
    settings.connexion_url = "http://nowhere"
    station.cp.reconnect()
    peer.expect_nothing(30.0)
    assert "cannot connect" in caplog.text
    station.cp.stop()


def test_reconnecting_needs_a_started_charge_point(station: Station) -> None:
    assert station.cp.reconnect() is False
    station.cp.start()
    assert station.cp.reconnect() is True
    station.cp.stop()
    assert station.cp.reconnect() is False


# -- another central system --------------------------------------------------------------------------------------------


def test_at_another_address_the_charge_point_registers_anew(
    sim: SimulatedRuntime, central: CentralSide, tmp_path: Path
) -> None:
    other = ScriptedServer(sim, "ws://other:9000/csms")
    station = Station(sim, str(tmp_path / "cp.db"))
    settings = changeable(station)
    online(station, central)
    settings.connexion_url = "ws://other:9000/csms"
    station.cp.reconnect()
    peer = other.accept(5.0)
    boot = peer.expect_call("BootNotification")
    assert station.cp.registration_status is REJECTED
    assert station.cp.start_transaction(1, "TAG") is AuthorizationStatus.Invalid
    peer.expect_nothing(1.0)
    boot.answer(BOOTED)
    for number in range(3):
        peer.expect_call("StatusNotification", {"connectorId": number}).answer()
    assert station.cp.registration_status is ACCEPTED
    station.cp.stop()


def test_what_was_accepted_elsewhere_does_not_count_after_a_restart(
    sim: SimulatedRuntime, central: CentralSide, tmp_path: Path
) -> None:
    station = Station(sim, str(tmp_path / "cp.db"))
    online(station, central)
    station.cp.stop()
    station.settings["connexion_url"] = "ws://other:9000/csms"
    station.cp = station.create()
    station.cp.start()
    sim.sleep(100.0)  # nobody listens there
    assert station.handler.of("connection_failed") == [(REJECTED,)]
    assert station.cp.registration_status is REJECTED
    assert station.cp.start_transaction(1, "TAG") is AuthorizationStatus.Invalid
    station.cp.stop()


# -- order, and the scheduler ------------------------------------------------------------------------------------------


def test_what_becomes_of_connections_is_told_in_order(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    station.cp.start()
    for _ in range(6):
        peer = central.accept()
        sim.sleep(3.0)
        peer.abort()
    sim.run_until(lambda: len(station.handler.of("connection_state_changed")) >= 12, 60.0)
    assert station.handler.of("connection_state_changed")[:12] == [(True,), (False,)] * 6


def test_what_was_queued_leaves_after_a_reconnection(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    peer = online(station, central)
    sim.sleep(1.0)
    sim.network.refuse()
    peer.abort()
    sim.sleep(5.0)
    assert station.cp.start_transaction(1, "TAG") is AuthorizationStatus.Accepted
    sim.network.refuse(False)
    peer = central.accept()
    peer.expect_call("StartTransaction", {"idTag": "TAG"})


def test_settings_are_never_read_on_the_scheduler(sim: SimulatedRuntime, central: CentralSide) -> None:
    read: set[str] = set()

    class Watched:
        """An application's settings object: it must not hold up all connections of the process."""

        def __init__(self, config: IChargePointConfig) -> None:
            self._config = config

        def __getattr__(self, name: str) -> Any:
            assert not sim.scheduler.is_current, f"{name} is read on the scheduler"
            read.add(name)
            return getattr(self._config, name)

    station = Station(sim, "")
    config = Watched(ChargePointConfig(**station.settings))
    station.cp = IChargePoint.create(config, station.keys, station.handler, sim)
    peer = online(station, central)
    sim.sleep(1.0)
    peer.abort()
    central.accept().call("GetConfiguration").result()
    assert "max_queued_calls" in read
    station.cp.stop()


def test_stopping_says_good_bye_and_takes_no_longer_than_it_may(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    peer: ScriptedPeer = online(station, central)
    station.cp.stop()
    peer.expect_closed(1000)
    sim.sleep(100.0)
    assert sim.network.attempts == 1

    station.cp.start()
    central.accept()
    sim.run_until(lambda: len(station.handler.of("connection_state_changed")) == 2, 5.0)
    sim.network.drop()
    began = sim.clock.now()
    assert station.cp.stop()
    assert sim.clock.now() - began <= 3.0
    assert station.handler.of("connection_state_changed") == [(True,), (True,)]  # whoever stops it need not be told
