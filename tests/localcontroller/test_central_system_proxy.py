"""Tests of openocpp.localcontroller.central_system_proxy: the connection upwards, and what is told of it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.errors import LocalProtocolError
from openocpp.localcontroller.interface import ClientCredentials
from openocpp.messages import HeartbeatReq
from openocpp.testing.conversation import ScriptedServer
from openocpp.transport.base import CloseCode
from openocpp.types import CallOutcome
from tests.localcontroller.driving import BOOT, CENTRAL, TIMEOUT, Bench

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.testing import SimulatedRuntime

NOW = "2024-01-01T00:00:00Z"
PLAIN = ClientCredentials()


@pytest.fixture
def idle(bench: Bench) -> Bench:
    """A charge point is connected, its central system is not."""
    bench.app.url = ""
    bench.charge_point()
    bench.sim.run_until(lambda: bool(bench.app.proxies))
    return bench


# -- connect -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("identity", "url", "path"),
    [
        ("CP1", "ws://central:9000/steve", "/steve/CP1"),
        ("CP1", "ws://central:9000/steve/", "/steve/CP1"),
        ("CP1", "ws://central:9000", "/CP1"),
        ("CP1", "ws://central:9000/", "/CP1"),
        ("RDAM 123", "ws://central:9000/a/b", "/a/b/RDAM%20123"),
        ("Zürich/1", "ws://central:9000", "/Z%C3%BCrich%2F1"),
    ],
)
def test_it_connects_under_the_charge_points_identity(
    sim: SimulatedRuntime, identity: str, url: str, path: str
) -> None:
    bench = Bench(sim, central=False)
    server = ScriptedServer(sim, url.rstrip("/") + "/")
    bench.app.url = url
    bench.charge_point(identity)
    server.accept()
    assert [handshake.target for handshake in server.handshakes] == [path]
    assert server.handshakes[0].subprotocols == ("ocpp1.6",)
    assert server.handshakes[0].authorization is None
    assert bench.app.central_system.identifier == bench.app.charge_point.identifier == identity


@pytest.mark.parametrize(
    "url", ["", "central", "http://central/steve", "ws://", "ws://central:99999/", "ws://central/a b", "ftp://c/"]
)
def test_a_url_that_is_not_usable_is_refused_at_once(idle: Bench, url: str, caplog: pytest.LogCaptureFixture) -> None:
    assert not idle.app.central_system.connect(url, PLAIN)
    assert "cannot connect" in caplog.text
    assert idle.app.central_system.connect(CENTRAL, PLAIN), "nothing of it remains"


def test_a_password_in_a_bad_url_is_not_logged(idle: Bench, caplog: pytest.LogCaptureFixture) -> None:
    assert not idle.app.central_system.connect("ftp://user:secret@central/", PLAIN)
    assert not idle.app.central_system.connect("ws://user:secret@central/a b", PLAIN)
    assert "central" in caplog.text
    assert "secret" not in caplog.text


def test_it_connects_only_once_at_a_time(idle: Bench) -> None:
    central = idle.app.central_system
    assert "CP1" in repr(central)
    assert central.connect(CENTRAL, PLAIN)
    assert not central.connect(CENTRAL, PLAIN)
    assert idle.server is not None
    first = idle.server.accept()
    assert not central.connect(CENTRAL, PLAIN)
    central.disconnect()
    first.expect_closed(CloseCode.NORMAL)
    assert central.connect(CENTRAL, PLAIN)
    idle.server.accept()
    idle.server.expect_nobody(30)


def test_it_can_move_to_another_central_system(idle: Bench) -> None:
    other = ScriptedServer(idle.sim, "ws://other:9000/x")
    central = idle.app.central_system
    assert idle.server is not None
    central.connect(CENTRAL, PLAIN)
    first = idle.server.accept()
    idle.sim.sleep(1)
    central.disconnect()
    assert central.connect("ws://other:9000/x", PLAIN), "without waiting for the end of the first connection"
    first.expect_closed(CloseCode.NORMAL)
    second = other.accept()
    idle.sim.sleep(1)
    assert central.is_connected
    assert idle.app.events == ["central system there", "central system gone", "central system there"]
    assert second.closed_why is None
    idle.server.expect_nobody(30)


@pytest.mark.parametrize(("first", "second"), [(0.0, 5.0), (5.0, 0.0), (0.0, 0.0)])
def test_the_end_of_the_first_connection_is_not_taken_for_that_of_the_second(
    idle: Bench, first: float, second: float
) -> None:
    other = ScriptedServer(idle.sim, "ws://other:9000/x")
    central = idle.app.central_system
    assert idle.server is not None
    central.connect(CENTRAL, PLAIN, retry_interval=first)
    idle.server.accept()
    idle.sim.sleep(1)
    central.disconnect()
    assert central.connect("ws://other:9000/x", PLAIN, retry_interval=second)
    other.accept()
    idle.sim.sleep(1)
    assert not central.connect(CENTRAL, PLAIN)
    controller: Any = idle.controller
    assert central in controller._server._leaving, "the end of the local controller waits for it"
    idle.controller.stop()
    assert idle.sim.network.links == []


@pytest.mark.parametrize(
    "values", [{"connect_timeout": 0.0}, {"retry_interval": -1.0}, {"ping_interval": -1.0}, {"connect_timeout": -1.0}]
)
def test_times_below_their_range_are_a_bug(idle: Bench, values: dict[str, float]) -> None:
    with pytest.raises(LocalProtocolError):
        idle.app.central_system.connect(CENTRAL, PLAIN, **values)
    assert idle.app.central_system.connect(CENTRAL, PLAIN)


def test_a_charge_point_that_has_left_is_connected_no_more(bench: Bench) -> None:
    charge_point, _ = bench.both()
    charge_point.abort()
    bench.sim.sleep(1)
    assert not bench.app.central_system.connect(CENTRAL, PLAIN)
    assert bench.server is not None
    bench.server.expect_nobody(30)


def test_without_a_retry_interval_there_is_a_single_attempt(sim: SimulatedRuntime) -> None:
    bench = Bench(sim, central=False)
    bench.app.settings = {"retry_interval": 0.0}
    bench.charge_point()
    sim.sleep(60)
    assert sim.network.attempts == 2
    assert bench.app.events == ["central system failed"]
    server = bench.listen()
    assert bench.app.central_system.connect(CENTRAL, PLAIN, retry_interval=0.0), "it has given up"
    peer = server.accept()
    peer.abort()
    server.expect_nobody(60)
    assert bench.app.events[1:] == ["central system there", "central system gone"]
    assert bench.app.central_system.connect(CENTRAL, PLAIN)
    server.accept()


def test_the_retry_interval_stays_the_same_but_for_a_random_part(sim: SimulatedRuntime) -> None:
    bench = Bench(sim, central=False)
    bench.app.settings = {"retry_interval": 4.0}
    bench.charge_point()
    sim.sleep(4.0 * 1.2 * 20 + 1)
    attempts = sim.network.attempts - 1
    assert 21 <= attempts <= 25
    assert bench.app.events == ["central system failed"], "once, however many attempts fail"


def test_an_attempt_ends_after_the_connect_timeout(sim: SimulatedRuntime) -> None:
    bench = Bench(sim, central=False)
    bench.app.url = ""
    bench.charge_point()
    sim.run_until(lambda: bool(bench.app.proxies))
    sim.network.drop()
    began = sim.clock.now()
    bench.app.central_system.connect(CENTRAL, PLAIN, connect_timeout=3.0)
    sim.run_until(lambda: bool(bench.app.events))
    assert bench.app.events == ["central system failed"]
    assert sim.clock.now() - began == pytest.approx(3.0, abs=0.1)


def test_a_silent_central_system_is_noticed_by_pings(bench: Bench) -> None:
    bench.app.settings = {"ping_interval": 10.0, "retry_interval": 1.0}
    bench.both()
    bench.sim.network.links_of("CP1")[1].drop()
    bench.sim.sleep(25)
    assert bench.app.events[:2] == ["central system there", "central system gone"]
    assert bench.app.central_system.is_connected, "by a new connection"


def test_user_and_password_are_those_of_the_credentials(idle: Bench) -> None:
    password = bytes([0, 58, 255])
    assert idle.app.central_system.connect(CENTRAL, ClientCredentials(user="CP1", password=password))
    assert idle.server is not None
    idle.server.accept()
    assert idle.server.handshakes[-1].authorization == "Basic Q1AxOgA6/w=="


# -- what is told, and in which order ----------------------------------------------------------------------------------


def test_the_central_system_leaves_and_the_charge_point_stays(bench: Bench) -> None:
    bench.app.settings = {"retry_interval": 2.0}
    charge_point, central_system = bench.both()
    for number in range(3):
        central_system.abort()
        assert bench.server is not None
        central_system = bench.server.accept()
        bench.sim.sleep(1)
        assert bench.app.events == ["central system there"] + ["central system gone", "central system there"] * (
            number + 1
        )
    call = charge_point.call("Heartbeat")
    central_system.expect_call("Heartbeat").answer({"currentTime": NOW})
    call.result()


def test_while_the_central_system_is_away_requests_wait_then_fail(bench: Bench) -> None:
    bench.app.settings = {"retry_interval": TIMEOUT * 1.5}
    charge_point, central_system = bench.both()
    central_system.abort()
    bench.sim.sleep(1)
    began = bench.sim.clock.now()
    assert "not reachable" in charge_point.call("Heartbeat").error("GenericError")[1]
    assert bench.sim.clock.now() - began == pytest.approx(TIMEOUT)
    call = charge_point.call("Heartbeat")
    assert bench.server is not None
    bench.server.accept().expect_call("Heartbeat").answer({"currentTime": NOW})
    call.result()


def test_failures_are_told_once_in_each_period_without_connection(sim: SimulatedRuntime) -> None:
    bench = Bench(sim, central=False)
    bench.app.settings = {"retry_interval": 1.0}
    bench.charge_point()
    sim.sleep(10)
    server = bench.listen()
    peer = server.accept()
    sim.sleep(1)
    sim.network.refuse()
    peer.abort()
    sim.sleep(10)
    sim.network.refuse(False)
    server.accept()
    sim.sleep(1)
    assert bench.app.events == [
        "central system failed", "central system there", "central system gone", "central system failed",
        "central system there",
    ]  # fmt: skip


def test_the_central_system_leaves_and_the_charge_point_has_to_go(sim: SimulatedRuntime) -> None:
    bench = Bench(sim, disconnect_from_cp_when_cs_disconnected=True)
    charge_point, central_system = bench.both()
    central_system.abort()
    charge_point.expect_closed(CloseCode.GOING_AWAY)
    sim.sleep(1)
    assert bench.app.events == ["central system there", "central system gone", "charge point gone"]
    assert bench.server is not None
    bench.server.expect_nobody(30)


def test_the_central_system_is_absent_and_the_charge_point_has_to_go(sim: SimulatedRuntime) -> None:
    bench = Bench(sim, central=False, disconnect_from_cp_when_cs_disconnected=True)
    charge_point = bench.charge_point()
    charge_point.expect_closed(CloseCode.GOING_AWAY, timeout=1.0)
    sim.sleep(30)
    assert bench.app.events == ["central system failed", "charge point gone"]
    assert sim.network.attempts == 2


@pytest.mark.parametrize("bug", [lambda: 1 / 0, lambda: sys.exit("a bug too")], ids=["error", "exit"])
def test_a_listener_that_fails_does_not_keep_the_charge_point(
    sim: SimulatedRuntime, caplog: pytest.LogCaptureFixture, bug: Callable[[], object]
) -> None:
    bench = Bench(sim, disconnect_from_cp_when_cs_disconnected=True)
    bench.app.listener.actions = {"central system there": bug, "central system gone": bug}
    charge_point, central_system = bench.both()
    central_system.close()
    charge_point.expect_closed(CloseCode.GOING_AWAY)
    sim.sleep(1)
    assert bench.app.events == ["central system there", "central system gone", "charge point gone"]
    assert "the listener failed" in caplog.text


@pytest.mark.parametrize("flag", [False, True])
def test_disconnecting_from_the_central_system(sim: SimulatedRuntime, flag: bool) -> None:
    bench = Bench(sim, disconnect_from_cp_when_cs_disconnected=flag)
    charge_point, central_system = bench.both()
    bench.app.central_system.disconnect()
    bench.app.central_system.disconnect()
    central_system.expect_closed(CloseCode.NORMAL)
    sim.sleep(30)
    assert bench.app.events == ["central system there", "central system gone"] + ["charge point gone"] * flag
    assert (charge_point.closed_why is not None) is flag
    assert not bench.app.central_system.is_connected


@pytest.mark.parametrize("flag", [False, True])
@pytest.mark.parametrize("event", ["central system there", "central system gone", "charge point gone"])
@pytest.mark.parametrize("verb", ["charge_point", "central_system"])
def test_each_side_may_be_disconnected_in_each_callback(
    sim: SimulatedRuntime, flag: bool, event: str, verb: str
) -> None:
    bench = Bench(sim, disconnect_from_cp_when_cs_disconnected=flag)
    bench.app.listener.actions[event] = lambda: getattr(bench.app, verb).disconnect()
    charge_point = bench.charge_point()
    assert bench.server is not None
    central_system = bench.server.accept()
    sim.sleep(1)
    central_system.abort()
    sim.sleep(1)
    charge_point.abort()
    sim.sleep(60)
    ends = {name: bench.app.events.count(name) for name in ("central system gone", "charge point gone")}
    assert ends["charge point gone"] == 1
    assert ends["central system gone"] == bench.app.events.count("central system there")
    assert bench.app.events[-1] == "charge point gone"
    assert sim.network.links == []


def test_a_handler_may_disconnect_both_sides(bench: Bench) -> None:
    charge_point, central_system = bench.both()

    def handle(request: Any) -> Any:
        bench.app.charge_point.disconnect()
        bench.app.central_system.disconnect()
        raise RuntimeError("and then it fails")

    bench.app.charge_point.register_handler(HeartbeatReq, handle)
    charge_point.call("Heartbeat")
    charge_point.expect_closed(CloseCode.NORMAL)
    central_system.expect_closed(CloseCode.NORMAL)
    bench.sim.sleep(1)
    assert bench.app.events == ["central system there", "central system gone", "charge point gone"]


def test_a_blocked_listener_holds_up_nobody_else(bench: Bench) -> None:
    free = bench.sim.waiter()
    bench.app.listener.actions["central system there"] = lambda: free.wait(None)
    charge_point, central_system = bench.both("CP1")
    bench.app.listener.actions = {}
    for peer, other in ((charge_point, central_system), bench.both("CP2")):
        call = peer.call("Heartbeat")
        other.expect_call("Heartbeat", timeout=1.0).answer({"currentTime": NOW})
        call.result()
    free.set(None)


def test_what_waits_for_its_turn_when_the_connection_is_closed_goes_over_the_next_one(bench: Bench) -> None:
    """As it is when the central system asks more than can be queued."""
    bench.app.settings = {"retry_interval": 1.0}
    charge_point, central_system = bench.both()
    own = bench.sim.user(lambda: bench.app.central_system.call(HeartbeatReq()))
    central_system.expect_call("Heartbeat")
    waiting = charge_point.call("BootNotification", BOOT)
    bench.sim.sleep(1)
    bench.sim.network.delay = 0.5  # the peer's Close frame takes its time
    proxy: Any = bench.app.central_system
    proxy.endpoint.close(CloseCode.TRY_AGAIN_LATER)
    assert own.result().outcome is CallOutcome.NotConnected
    central_system.expect_closed(CloseCode.TRY_AGAIN_LATER)
    assert bench.server is not None
    again = bench.server.accept()
    again.expect_call("BootNotification", BOOT).answer({"status": "Pending", "currentTime": NOW, "interval": 1})
    waiting.result()


def test_what_a_central_system_sends_out_of_turn_is_counted_and_ignored(bench: Bench) -> None:
    charge_point, central_system = bench.both()
    central_system.send("nonsense")
    central_system.send("[9]")
    central_system.send('[3,"unknown",{}]')
    call = charge_point.call("Heartbeat")
    central_system.expect_call("Heartbeat").answer({"currentTime": NOW})
    call.result()
    controller: Any = bench.controller
    assert controller._server.counters.invalid_messages == 2
