"""Tests of openocpp.localcontroller.charge_point_proxy: the charge point's side of a pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openocpp.localcontroller.interface import (
    ClientCredentials,
    DefaultLocalControllerEventsHandler,
    IChargePointProxy,
)
from openocpp.messages import ClearCacheReq
from openocpp.testing.conversation import ScriptedServer
from openocpp.transport.base import CloseCode
from openocpp.types import CallOutcome
from tests.localcontroller.driving import CENTRAL, Bench, Listener

if TYPE_CHECKING:
    from openocpp.testing import SimulatedRuntime


def test_what_it_says_of_itself(bench: Bench) -> None:
    bench.sim.network.client_address = "192.0.2.7"
    charge_point, _ = bench.both("RDAM 123")
    proxy = bench.app.charge_point
    assert (proxy.identifier, proxy.ip_address, proxy.is_connected) == ("RDAM 123", "192.0.2.7", True)
    assert "RDAM 123" in repr(proxy)
    assert "not connected" not in repr(proxy)
    charge_point.abort()
    bench.sim.sleep(1)
    assert not proxy.is_connected
    assert "not connected" in repr(proxy)


def test_the_charge_point_leaves(bench: Bench) -> None:
    charge_point, central_system = bench.both()
    charge_point.close()
    central_system.expect_closed(CloseCode.NORMAL)
    bench.sim.sleep(30)
    assert bench.app.events == ["central system there", "central system gone", "charge point gone"]
    assert bench.server is not None
    bench.server.expect_nobody(30)


def test_the_upper_connection_is_closed_before_the_listener_hears_of_it(bench: Bench) -> None:
    seen: list[bool] = []
    bench.app.listener.actions["charge point gone"] = lambda: seen.append(bench.app.central_system.is_connected)
    charge_point, _ = bench.both()
    charge_point.abort()
    bench.sim.sleep(1)
    assert seen == [False]


def test_the_charge_point_leaves_while_its_central_system_is_away(sim: SimulatedRuntime) -> None:
    bench = Bench(sim, central=False)
    charge_point = bench.charge_point()
    sim.sleep(1)
    waiting = charge_point.call("Heartbeat")
    sim.sleep(1)
    charge_point.abort()
    sim.sleep(1)
    attempts = sim.network.attempts
    sim.sleep(60)
    assert bench.app.events == ["central system failed", "charge point gone"]
    assert sim.network.attempts == attempts
    assert not waiting.answered


def test_it_leaves_while_the_upper_connection_is_being_made(sim: SimulatedRuntime) -> None:
    bench = Bench(sim)
    charge_point = bench.charge_point()
    sim.run_until(lambda: bool(bench.app.proxies), step=0.001)
    sim.network.delay = 2.0
    charge_point.abort()
    sim.sleep(60)
    assert bench.app.events.count("charge point gone") == 1
    assert sim.network.links == []


def test_disconnecting_it_closes_both_connections(bench: Bench) -> None:
    charge_point, central_system = bench.both()
    proxy = bench.app.charge_point
    proxy.disconnect()
    assert not proxy.is_connected
    assert proxy.call(ClearCacheReq()).outcome is CallOutcome.NotConnected
    proxy.disconnect()
    charge_point.expect_closed(CloseCode.NORMAL)
    central_system.expect_closed(CloseCode.NORMAL)
    bench.sim.sleep(1)
    assert bench.app.events == ["central system there", "central system gone", "charge point gone"]


def test_it_can_be_refused_when_it_comes(bench: Bench) -> None:
    bench.app.url = ""
    bench.app.prepare = lambda charge_point: charge_point.disconnect()
    charge_point = bench.charge_point()
    charge_point.expect_closed(CloseCode.NORMAL)
    bench.sim.sleep(1)
    assert bench.app.events == ["charge point gone"]


def test_each_side_can_have_a_listener_of_its_own(bench: Bench) -> None:
    below: list[str] = []
    above: list[str] = []

    def prepare(charge_point: IChargePointProxy) -> None:
        charge_point.register_listener(Listener(below))
        charge_point.central_system_proxy.register_listener(Listener(above))

    bench.app.prepare = prepare
    charge_point, _ = bench.both()
    charge_point.close()
    bench.sim.sleep(1)
    assert below == ["charge point gone"]
    assert above == ["central system there", "central system gone"]
    assert bench.app.events == []


def test_nobody_needs_to_listen(sim: SimulatedRuntime) -> None:
    bench = Bench(sim, disconnect_from_cp_when_cs_disconnected=True)
    bench.app.prepare = lambda charge_point: charge_point.register_listener(Listener([]))
    charge_point, central_system = bench.both()
    proxy: Any = bench.app.charge_point
    proxy.register_listener(None)
    central_system.abort()
    charge_point.expect_closed()


def test_a_charge_point_that_comes_again_has_a_new_pair(bench: Bench) -> None:
    """Its old connection is half dead; both pairs have the same identity."""
    charge_point, central_system = bench.both()
    again, central_again = bench.both()
    charge_point.expect_closed(CloseCode.POLICY)
    central_system.expect_closed(CloseCode.NORMAL)
    bench.sim.sleep(1)
    assert bench.app.events == [
        "central system there",
        "central system gone",
        "charge point gone",
        "central system there",
    ]
    call = again.call("Heartbeat")
    central_again.expect_call("Heartbeat").answer({"currentTime": "2024-01-01T00:00:00Z"})
    call.result()
    assert [proxy.is_connected for proxy in bench.app.proxies] == [False, True]


# -- credentials -------------------------------------------------------------------------------------------------------


def test_passwords_are_checked_here_and_can_be_used_again_above(sim: SimulatedRuntime) -> None:
    bench = Bench(sim, central=False, http_basic_authent=True)
    server = ScriptedServer(sim, CENTRAL, basic_authentication=True)
    bench.app.passwords = {"CP1": b"first \x00\xff", "CP2": b"second"}
    base = ClientCredentials(server_certificate_ca="ca.pem")
    bench.app.credentials = lambda charge_point: charge_point.credentials(base)
    with pytest.raises(Exception, match="401"):
        bench.charge_point("CP1", password=b"second")
    for identity, password in bench.app.passwords.items():
        bench.charge_point(identity, password=password)
        server.accept()
    assert server.passwords == list(bench.app.passwords.values())
    credentials = bench.app.charge_point.credentials(base)
    assert (credentials.user, credentials.password) == ("CP2", b"second")
    assert credentials.server_certificate_ca == "ca.pem"


def test_each_charge_point_can_have_other_credentials_above(sim: SimulatedRuntime) -> None:
    bench = Bench(sim, central=False)
    server = ScriptedServer(sim, CENTRAL, basic_authentication=True)
    bench.app.credentials = lambda charge_point: ClientCredentials(
        user=charge_point.identifier, password=f"for {charge_point.identifier}".encode()
    )
    for identity in ("CP1", "CP2"):
        bench.charge_point(identity)
        server.accept()
    assert server.passwords == [b"for CP1", b"for CP2"]
    assert bench.app.charge_point.credentials() == ClientCredentials(), "it has sent none"


def test_a_refused_password_above_is_a_failure(sim: SimulatedRuntime) -> None:
    bench = Bench(sim, central=False, disconnect_from_cp_when_cs_disconnected=True)
    server = ScriptedServer(sim, CENTRAL, basic_authentication=True)
    server.verdict = lambda handshake, identity: 401
    charge_point = bench.charge_point()
    charge_point.expect_closed()
    sim.sleep(1)
    assert bench.app.events == ["central system failed", "charge point gone"]


# -- the ready bases ---------------------------------------------------------------------------------------------------


def test_a_connection_whose_announcement_fails_is_closed_with_both_sides(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(charge_point: IChargePointProxy) -> None:
        assert charge_point.central_system_proxy.connect(CENTRAL, ClientCredentials())
        bench.sim.sleep(1)
        raise RuntimeError("a bug of the application")

    bench.app.prepare = fail
    charge_point = bench.charge_point()
    charge_point.expect_closed(1011)
    assert bench.server is not None
    bench.server.accept().expect_closed(CloseCode.NORMAL)
    assert "a bug of the application" in caplog.text
    bench.sim.sleep(1)
    assert bench.app.events == ["central system there", "central system gone", "charge point gone"]


def test_the_ready_base_wants_to_know_where_to_connect_to() -> None:
    abstract: Any = DefaultLocalControllerEventsHandler
    with pytest.raises(TypeError, match="charge_point_connected"):
        abstract()
