"""Tests of openocpp.localcontroller.local_controller: its life, in simulated time and over sockets."""

from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.config import LocalControllerConfig
from openocpp.errors import ConfigError, ConnectError, StateError
from openocpp.localcontroller import ILocalController, LocalController
from openocpp.messages import HeartbeatReq
from openocpp.runtime import Runtime
from openocpp.testing.conversation import ScriptedPeer, ScriptedServer
from openocpp.transport.base import CloseCode
from openocpp.types import NO_ANSWER, NoAnswer
from tests.conftest import open_descriptors, scaled
from tests.localcontroller.driving import URL, Application, Bench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openocpp.testing import SimulatedRuntime

NOW = "2024-01-01T00:00:00Z"
LOOPBACK = "ws://127.0.0.1:0/ocpp"


def make(sim: SimulatedRuntime | None, **settings: Any) -> ILocalController:
    return ILocalController.create(LocalControllerConfig(**{"listen_url": URL, **settings}), Application(), sim)


# -- start and stop ----------------------------------------------------------------------------------------------------


def test_it_starts_and_stops_as_often_as_one_likes(bench: Bench) -> None:
    controller = bench.controller
    assert not controller.start()
    for _ in range(3):
        charge_point, central_system = bench.both()
        bench.sim.sleep(1)
        assert [proxy.identifier for proxy in controller.charge_points] == ["CP1"]
        assert controller.charge_points[0] is bench.app.charge_point
        assert controller.stop()
        charge_point.expect_closed(CloseCode.GOING_AWAY)
        central_system.expect_closed(CloseCode.NORMAL)
        assert not controller.stop()
        assert controller.charge_points == ()
        with pytest.raises(ConnectError):
            bench.charge_point()
        assert controller.start()
    assert bench.app.events == ["central system there", "central system gone", "charge point gone"] * 3


def test_proxies_are_safe_after_the_end(bench: Bench) -> None:
    bench.both()
    bench.controller.stop()
    charge_point, central_system = bench.app.charge_point, bench.app.central_system
    assert not charge_point.is_connected
    assert not central_system.is_connected
    assert not central_system.call(HeartbeatReq()).ok
    assert not central_system.connect("ws://central:9000/steve", charge_point.credentials())
    charge_point.disconnect()
    central_system.disconnect()
    assert charge_point.register_handler(HeartbeatReq, lambda request: NO_ANSWER)


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"listen_url": "http://controller/"}, "ListenUrl"),
        ({"incoming_requests_from_cs_thread_pool_size": 0}, "IncomingRequestsFromCsThreadPoolSize"),
        ({"incoming_requests_from_cp_thread_pool_size": 0}, "IncomingRequestsFromCpThreadPoolSize"),
        ({"disconnect_from_cp_when_cs_disconnected": "yes"}, "DisconnectFromCpWhenCsDisconnected"),
        ({"listen_url": "wss://controller/"}, "TlsServerCertificate"),
    ],
)
def test_settings_that_are_not_usable_are_named(sim: SimulatedRuntime, settings: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make(sim, **settings)
    assert caught.value.key == key


def test_a_failed_start_leaves_it_stopped_and_startable(
    sim: SimulatedRuntime, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = make(sim), make(sim)
    assert first.start()
    assert not second.start()
    assert "address" in caplog.text
    assert not second.stop()
    assert first.stop()
    assert second.start()
    assert second.stop()
    without_schemas = make(sim, json_schemas_path=str(tmp_path))
    assert not without_schemas.start()


def test_the_port_is_known_while_it_listens(sim: SimulatedRuntime) -> None:
    controller = make(sim, listen_url="ws://controller:0/ocpp")
    with pytest.raises(StateError):
        _ = controller.port
    assert controller.start()
    assert controller.port > 0
    assert controller.config.listen_url == "ws://controller:0/ocpp"
    assert controller.runtime is sim
    assert not controller.reload_tls()
    controller.stop()


def test_data_is_kept_and_can_be_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "controller.db"

    def kept(key: str) -> str | None:
        with sqlite3.connect(path) as connection:
            row = connection.execute("SELECT value FROM InternalConfig WHERE key = ?", (key,)).fetchone()
        connection.close()
        return None if row is None else str(row[0])

    with make(None, listen_url=LOOPBACK, database_path=str(path)) as controller:
        assert controller.start()
        assert not controller.reset_data()
        assert controller.stop()
        assert kept("LastSessionStartDate")
        assert controller.reset_data()
        assert kept("LastSessionStartDate") is None
        assert kept("StackVersion")
        assert controller.start(), "also after a reset"
    assert kept("LastSessionStartDate")


def test_without_a_database_there_is_nothing_to_forget(sim: SimulatedRuntime) -> None:
    assert make(sim).reset_data()


@pytest.mark.parametrize("event", ["central system there", "central system gone", "charge point gone"])
def test_it_can_be_stopped_in_each_callback(sim: SimulatedRuntime, event: str) -> None:
    bench = Bench(sim)
    stopped: list[bool] = []
    bench.app.listener.actions[event] = lambda: stopped.append(bench.controller.stop())
    charge_point = bench.charge_point()
    assert bench.server is not None
    bench.server.accept()
    sim.sleep(1)
    if event == "central system gone":
        bench.app.central_system.disconnect()
    elif event == "charge point gone":
        charge_point.abort()
    sim.sleep(10)
    assert stopped == [True]
    assert bench.app.events == ["central system there", "central system gone", "charge point gone"]
    assert sim.network.links == []


def test_it_can_be_stopped_in_a_handler(bench: Bench) -> None:
    charge_point, central_system = bench.both()

    def handle(request: HeartbeatReq) -> Any:
        assert bench.controller.stop()
        return NO_ANSWER

    bench.app.charge_point.register_handler(HeartbeatReq, handle)
    charge_point.call("Heartbeat")
    charge_point.expect_closed(CloseCode.GOING_AWAY)
    central_system.expect_closed(CloseCode.NORMAL)
    bench.sim.sleep(1)
    assert bench.app.events == ["central system there", "central system gone", "charge point gone"]


def test_the_end_is_bounded_when_nobody_answers(sim: SimulatedRuntime) -> None:
    """Neither charge points nor central systems answer the Close frame, and the listener of one does not return."""
    bench = Bench(sim)
    for number in range(3):
        bench.both(f"CP{number}")
    sim.sleep(1)
    never = sim.waiter()
    bench.app.listener.actions["central system gone"] = lambda: never.wait(None)
    sim.network.drop()
    began = sim.clock.now()
    assert bench.controller.stop()
    assert sim.clock.now() - began <= 3.0
    sim.network.heal()
    sim.sleep(10)
    assert sim.network.links == []
    assert bench.app.events.count("central system gone") == 3


def test_calls_of_central_systems_are_bounded_by_their_own_lane(sim: SimulatedRuntime) -> None:
    """Handlers of the one direction that do not return leave the other one alone."""
    bench = Bench(sim, incoming_requests_from_cp_thread_pool_size=2, incoming_requests_from_cs_thread_pool_size=1)
    gates = [sim.threads.gate() for _ in range(4)]
    blocked = iter(gates)

    def block(request: HeartbeatReq) -> NoAnswer:
        next(blocked).wait(None)
        return NO_ANSWER

    bench.app.prepare = lambda charge_point: charge_point.register_handler(HeartbeatReq, block)
    pairs = [bench.both(f"CP{number}") for number in range(4)]
    for charge_point, _ in pairs:
        charge_point.call("Heartbeat")
    sim.sleep(1)
    for charge_point, central_system in pairs:
        call = central_system.call("ClearCache")
        charge_point.expect_call("ClearCache", timeout=1.0).answer({"status": "Accepted"})
        call.result()
    for gate in gates:
        gate.open()


# -- over sockets ------------------------------------------------------------------------------------------------------


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    """That of the neighbours."""
    with Runtime(workers=2, name="neighbours") as made:
        yield made


def own_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("local-controller")]


def test_fifty_charge_points_share_a_few_threads(runtime: Runtime) -> None:
    """Each has a CALL open in both directions at the same time; what is made for it is gone afterwards."""
    server = ScriptedServer(runtime, "ws://127.0.0.1:0/cs")
    app = Application()
    app.url = f"ws://127.0.0.1:{server.port}/cs"
    there = threading.Semaphore(0)
    app.listener.actions["central system there"] = there.release
    files = len(open_descriptors())
    config = LocalControllerConfig(listen_url=LOOPBACK, call_request_timeout=scaled(20.0), log_max_entries_count=0)
    with ILocalController.create(config, app) as controller:
        assert controller.start()
        url = f"ws://127.0.0.1:{controller.port}/ocpp"
        below = [ScriptedPeer.connect(runtime, url, f"CP{number:02}", timeout=scaled(10)) for number in range(50)]
        above = [server.accept(scaled(20)) for _ in below]
        above.sort(key=lambda peer: peer.name)
        up = [peer.call("Heartbeat") for peer in below]
        down = [peer.call("ClearCache") for peer in above]
        came = [peer.expect_call("Heartbeat", timeout=scaled(20)) for peer in above]
        came += [peer.expect_call("ClearCache", timeout=scaled(20)) for peer in below]
        assert isinstance(controller, LocalController)
        assert len(own_threads()) <= 1 + 8 + 4, own_threads()  # scheduler, workers, connectors
        assert len(controller.charge_points) == 50
        for call in came:
            call.answer({"currentTime": NOW} if call.action == "Heartbeat" else {"status": "Accepted"})
        for sent in up + down:
            sent.result(timeout=scaled(20))
        assert all(there.acquire(timeout=scaled(20)) for _ in range(50))
    for peer in below:
        peer.expect_closed(CloseCode.GOING_AWAY, timeout=scaled(10))
    for peer in above:
        peer.expect_closed(CloseCode.NORMAL, timeout=scaled(10))
    assert app.events.count("central system gone") == app.events.count("charge point gone") == 50
    server.close()
    assert own_threads() == []
    assert len(open_descriptors()) <= files + 2, "those of the neighbours' scheduler"


def test_a_cut_on_either_side_is_noticed(runtime: Runtime) -> None:
    server = ScriptedServer(runtime, "ws://127.0.0.1:0/cs")
    app = Application()
    app.url = f"ws://127.0.0.1:{server.port}/cs"
    app.settings = {"retry_interval": 0.05}
    config = LocalControllerConfig(listen_url=LOOPBACK, disconnect_from_cp_when_cs_disconnected=False)
    with ILocalController.create(config, app) as controller:
        assert controller.start()
        url = f"ws://127.0.0.1:{controller.port}/ocpp"
        below = ScriptedPeer.connect(runtime, url, "CP1", timeout=scaled(10))
        server.accept(scaled(10)).abort()
        again = server.accept(scaled(10))
        call = below.call("Heartbeat")
        again.expect_call("Heartbeat", timeout=scaled(10)).answer({"currentTime": NOW})
        call.result(timeout=scaled(10))
        below.abort()
        again.expect_closed(CloseCode.NORMAL, timeout=scaled(10))
    server.close()
