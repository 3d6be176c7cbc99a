"""A local controller in simulated time, with a charge point and a central system that the test speaks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openocpp.config import LocalControllerConfig
from openocpp.localcontroller.interface import (
    ClientCredentials,
    DefaultLocalControllerEventsHandler,
    ICentralSystemProxy,
    IChargePointProxy,
    ILocalController,
    ILocalControllerProxyEventsHandler,
)
from openocpp.testing.conversation import ScriptedPeer, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.testing import SimulatedRuntime

URL = "ws://controller:8080/ocpp"
CENTRAL = "ws://central:9000/steve"
TIMEOUT = 10.0  # seconds that a CALL may take
BOOT = {"chargePointModel": "Model", "chargePointVendor": "Vendor"}


class Listener(ILocalControllerProxyEventsHandler):
    """Notes what it is told; ``on_...`` may do something then."""

    def __init__(self, events: list[str]) -> None:
        self.events = events
        self.actions: dict[str, Callable[[], object]] = {}

    def note(self, event: str) -> None:
        self.events.append(event)
        self.actions.get(event, lambda: None)()

    def disconnected_from_charge_point(self) -> None:
        self.note("charge point gone")

    def connected_to_central_system(self) -> None:
        self.note("central system there")

    def failed_to_connect_to_central_system(self) -> None:
        self.note("central system failed")

    def disconnected_from_central_system(self) -> None:
        self.note("central system gone")


class Application(DefaultLocalControllerEventsHandler):
    """Connects each charge point to the central system, as ``settings`` of ``connect`` say."""

    def __init__(self) -> None:
        self.url = CENTRAL
        self.credentials: Callable[[IChargePointProxy], ClientCredentials] = lambda charge_point: ClientCredentials()
        self.settings: dict[str, float] = {}
        self.events: list[str] = []
        self.listener = Listener(self.events)
        self.proxies: list[IChargePointProxy] = []
        self.prepare: Callable[[IChargePointProxy], object] = lambda charge_point: None
        self.passwords: dict[str, bytes] = {}

    def check_credentials(self, identifier: str, password: bytes) -> bool:
        return self.passwords.get(identifier) == password

    def charge_point_connected(self, charge_point: IChargePointProxy) -> None:
        self.proxies.append(charge_point)
        charge_point.register_listener(self.listener)
        self.prepare(charge_point)
        if self.url:
            central = charge_point.central_system_proxy
            assert central.connect(self.url, self.credentials(charge_point), **self.settings)

    @property
    def charge_point(self) -> IChargePointProxy:
        return self.proxies[-1]

    @property
    def central_system(self) -> ICentralSystemProxy:
        return self.charge_point.central_system_proxy


class Bench:
    """The local controller and its neighbours. ``frames`` are those on the wires: leg, direction, text."""

    def __init__(self, sim: SimulatedRuntime, *, central: bool = True, **settings: Any) -> None:
        self.sim = sim
        self.app = Application()
        config = LocalControllerConfig(
            **{
                "listen_url": URL,
                "call_request_timeout": TIMEOUT,
                "web_socket_ping_interval": 0.0,
                "disconnect_from_cp_when_cs_disconnected": False,
                **settings,
            }
        )
        self.controller = ILocalController.create(config, self.app, sim)
        assert self.controller.start()
        self.server = ScriptedServer(sim, CENTRAL) if central else None

    def charge_point(self, identity: str = "CP1", **options: Any) -> ScriptedPeer:
        return ScriptedPeer.connect(self.sim, URL, identity, **options)

    def both(self, identity: str = "CP1") -> tuple[ScriptedPeer, ScriptedPeer]:
        """A charge point and what it talks to at the central system."""
        charge_point = self.charge_point(identity)
        assert self.server is not None
        central_system = self.server.accept()
        self.sim.run_until(lambda: self.app.central_system.is_connected)
        return charge_point, central_system

    def listen(self) -> ScriptedServer:
        """The central system begins to listen."""
        self.server = ScriptedServer(self.sim, CENTRAL)
        return self.server
