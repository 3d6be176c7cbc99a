"""Tests of openocpp.localcontroller.hybrid: central system and local controller on one port."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.centralsystem import (
    DefaultCentralSystemEventsHandler,
    DefaultChargePointRequestHandler,
    ICentralSystem,
)
from openocpp.config import LocalControllerConfig
from openocpp.errors import ConfigError, StateError
from openocpp.localcontroller import ClientCredentials, IChargePointProxy
from openocpp.messages import ClearCacheReq
from openocpp.testing.conversation import ScriptedPeer, ScriptedServer
from openocpp.transport.base import CloseCode
from openocpp.types import RegistrationStatus
from tests.localcontroller.driving import BOOT, CENTRAL, URL, Listener

if TYPE_CHECKING:
    from openocpp.testing import SimulatedRuntime

NOW = "2024-01-01T00:00:00Z"


class Requests(DefaultChargePointRequestHandler):
    """What a charge point of the central system says."""

    def __init__(self, events: list[str], identifier: str) -> None:
        self.events = events
        self.identifier = identifier

    def boot_notification(self, *fields: str) -> RegistrationStatus:
        self.events.append(f"{self.identifier} booted")
        return RegistrationStatus.Accepted

    def disconnected(self) -> None:
        self.events.append(f"{self.identifier} gone")


class Hybrid(DefaultCentralSystemEventsHandler):
    """Passes on what charge points say whose identity ends with lc."""

    def __init__(self, config: LocalControllerConfig) -> None:
        self.config = config
        self.events: list[str] = []
        self.old: list[ICentralSystem.IChargePoint] = []
        self.proxies: list[IChargePointProxy] = []

    def charge_point_connected(self, charge_point: ICentralSystem.IChargePoint) -> None:
        self.old.append(charge_point)
        charge_point.register_handler(Requests(self.events, charge_point.identifier))
        if not charge_point.identifier.endswith("lc"):
            return
        proxy = IChargePointProxy.create_from(charge_point, self.config)
        assert proxy is not None
        self.proxies.append(proxy)
        proxy.register_listener(Listener(self.events))
        assert proxy.central_system_proxy.connect(CENTRAL, ClientCredentials(), retry_interval=1.0)


class HybridBench:
    def __init__(self, sim: SimulatedRuntime, **settings: Any) -> None:
        self.sim = sim
        self.config = LocalControllerConfig(
            **{
                "listen_url": URL,
                "disconnect_from_cp_when_cs_disconnected": False,
                "heartbeat_interval": 300,
                "web_socket_ping_interval": 0.0,
                **settings,
            }
        )
        self.app = Hybrid(self.config)
        self.system = ICentralSystem.create(self.config, self.app, sim)
        assert self.system.start()
        self.server = ScriptedServer(sim, CENTRAL)

    def charge_point(self, identity: str) -> ScriptedPeer:
        return ScriptedPeer.connect(self.sim, URL, identity)


@pytest.fixture
def hybrid(sim: SimulatedRuntime) -> HybridBench:
    return HybridBench(sim)


def test_only_those_with_the_suffix_are_passed_on(hybrid: HybridBench) -> None:
    local = hybrid.charge_point("CP1")
    local.call("BootNotification", BOOT).result({"status": "Accepted", "interval": 300})
    passed_on = hybrid.charge_point("CP1lc")
    central_system = hybrid.server.accept()
    call = passed_on.call("BootNotification", BOOT, "boot-1")
    came = central_system.expect_call("BootNotification", BOOT)
    assert came.id == "boot-1"
    came.answer({"status": "Pending", "interval": 7, "currentTime": NOW})
    call.result({"status": "Pending", "interval": 7})
    back = central_system.call("ClearCache")
    passed_on.expect_call("ClearCache").answer({"status": "Accepted"})
    back.result()
    hybrid.server.expect_nobody(10)
    assert hybrid.app.events == ["CP1 booted", "central system there"]
    assert [charge_point.identifier for charge_point in hybrid.system.charge_points] == ["CP1"]


def test_the_old_object_cannot_be_used_any_more(hybrid: HybridBench) -> None:
    hybrid.charge_point("CPlc")
    hybrid.server.accept()
    (old,) = hybrid.app.old
    for use in (
        lambda: old.identifier,
        lambda: old.is_connected,
        lambda: old.call(ClearCacheReq()),
        lambda: old.clear_cache(),
        lambda: old.disconnect(),
        lambda: old.register_handler(DefaultChargePointRequestHandler()),
        lambda: IChargePointProxy.create_from(old, hybrid.config),
    ):
        with pytest.raises(StateError):
            use()
    assert hybrid.app.proxies[0].is_connected


def test_it_gets_no_more_callbacks_and_may_be_dropped(hybrid: HybridBench) -> None:
    charge_point = hybrid.charge_point("CPlc")
    central_system = hybrid.server.accept()
    hybrid.app.old.clear()
    hybrid.sim.sleep(60)
    call = charge_point.call("Heartbeat")
    central_system.expect_call("Heartbeat").answer({"currentTime": NOW})
    call.result()
    charge_point.close()
    central_system.expect_closed(CloseCode.NORMAL)
    hybrid.sim.sleep(1)
    assert hybrid.app.events == ["central system there", "central system gone", "charge point gone"]


def test_what_comes_first_is_not_lost(hybrid: HybridBench) -> None:
    hybrid.sim.network.delay = 0.3
    charge_point = hybrid.charge_point("CPlc")
    call = charge_point.call("BootNotification", BOOT)
    hybrid.server.accept().expect_call("BootNotification", BOOT).answer(
        {"status": "Accepted", "interval": 7, "currentTime": NOW}
    )
    call.result()


def test_only_charge_points_of_this_package_can_be_turned(hybrid: HybridBench) -> None:
    foreign: Any = object()
    assert IChargePointProxy.create_from(foreign, hybrid.config) is None


def test_it_must_be_done_while_the_charge_point_is_announced(hybrid: HybridBench) -> None:
    peer = hybrid.charge_point("CP1")
    peer.call("BootNotification", BOOT).result()
    with pytest.raises(StateError):
        IChargePointProxy.create_from(hybrid.app.old[0], hybrid.config)
    peer.call("Heartbeat").result()


def test_a_charge_point_that_has_left_by_then_is_no_trouble(hybrid: HybridBench) -> None:
    usual = hybrid.app.charge_point_connected

    def connected(charge_point: ICentralSystem.IChargePoint) -> None:
        hybrid.sim.sleep(5)
        usual(charge_point)

    hybrid.app.charge_point_connected = connected  # type: ignore[method-assign]
    hybrid.system.stop()
    hybrid.system.start()
    hybrid.charge_point("CPlc").abort()
    hybrid.sim.sleep(60)
    assert hybrid.app.events[-1] == "charge point gone"
    assert hybrid.app.events.count("central system there") == hybrid.app.events.count("central system gone")
    assert hybrid.sim.network.links == []
    assert hybrid.system.stop()


def test_settings_that_are_not_usable_leave_the_charge_point_as_it_was(hybrid: HybridBench) -> None:
    errors: list[ConfigError] = []

    def connected(charge_point: ICentralSystem.IChargePoint) -> None:
        charge_point.register_handler(Requests(hybrid.app.events, charge_point.identifier))
        broken = LocalControllerConfig(listen_url=URL, incoming_requests_from_cs_thread_pool_size=0)
        try:
            IChargePointProxy.create_from(charge_point, broken)
        except ConfigError as error:
            errors.append(error)

    hybrid.app.charge_point_connected = connected  # type: ignore[method-assign]
    hybrid.system.stop()
    hybrid.system.start()
    hybrid.charge_point("CP1").call("BootNotification", BOOT).result()
    assert [error.key for error in errors] == ["IncomingRequestsFromCsThreadPoolSize"]


def test_each_frame_is_logged_once(hybrid: HybridBench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "openocpp.rpc")
    charge_point = hybrid.charge_point("CPlc")
    central_system = hybrid.server.accept()
    call = charge_point.call("Heartbeat", {}, "once")
    central_system.expect_call("Heartbeat").answer({"currentTime": NOW})
    call.result()
    frames = [record.getMessage() for record in caplog.records if "once" in record.getMessage()]
    assert [frame.split("[")[0] for frame in frames] == [
        "CPlc < ", "CPlc (central system) > ", "CPlc (central system) < ", "CPlc > ",
    ]  # fmt: skip


def test_the_end_of_the_central_system_closes_both_sides(hybrid: HybridBench) -> None:
    charge_point = hybrid.charge_point("CPlc")
    central_system = hybrid.server.accept()
    hybrid.sim.sleep(1)
    assert hybrid.system.stop()
    charge_point.expect_closed(CloseCode.GOING_AWAY)
    central_system.expect_closed(CloseCode.NORMAL)
    assert hybrid.app.events == ["central system there", "central system gone", "charge point gone"]
    assert hybrid.sim.network.links == []


def test_the_central_system_above_leaves_and_the_charge_point_has_to_go(sim: SimulatedRuntime) -> None:
    hybrid = HybridBench(sim, disconnect_from_cp_when_cs_disconnected=True)
    charge_point = hybrid.charge_point("CPlc")
    hybrid.server.accept().abort()
    charge_point.expect_closed(CloseCode.GOING_AWAY)
    sim.sleep(1)
    assert hybrid.app.events == ["central system there", "central system gone", "charge point gone"]


def test_a_second_connection_of_an_identity_takes_the_place_of_the_first(hybrid: HybridBench) -> None:
    first = hybrid.charge_point("CPlc")
    above = hybrid.server.accept()
    hybrid.charge_point("CPlc")
    hybrid.server.accept()
    first.expect_closed(CloseCode.POLICY)
    above.expect_closed(CloseCode.NORMAL)
    assert [proxy.is_connected for proxy in hybrid.app.proxies] == [False, True]


def test_two_hybrids_on_one_runtime_have_their_own_settings(sim: SimulatedRuntime) -> None:
    first = HybridBench(sim, call_request_timeout=3.0)
    second_config = LocalControllerConfig(listen_url="ws://other:8081/ocpp", call_request_timeout=5.0)
    app = Hybrid(second_config)
    second = ICentralSystem.create(second_config, app, sim)
    assert second.start()
    for url, seconds in ((URL, 3.0), ("ws://other:8081/ocpp", 5.0)):
        peer = ScriptedPeer.connect(sim, url, "CPlc")
        first.server.accept()
        began = sim.clock.now()
        peer.call("Heartbeat").error("GenericError")
        assert sim.clock.now() - began == pytest.approx(seconds)
    second.stop()
