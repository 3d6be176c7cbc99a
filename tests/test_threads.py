"""The rules about threads, seen from outside: who touches sockets, where user code runs, what may wait where.

Charge point and central system together; what one layer alone promises is tested beside it.
"""

from __future__ import annotations

import inspect
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from openocpp import (
    AuthorizationStatus,
    AvailabilityType,
    CentralSystemConfig,
    ChargePointConfig,
    ClearCacheConf,
    ClearCacheReq,
    ClearCacheStatus,
    ClientCredentials,
    DataTransferConf,
    DataTransferReq,
    DataTransferResult,
    DataTransferStatus,
    DefaultCentralSystemEventsHandler,
    DefaultChargePointEventsHandler,
    DefaultChargePointRequestHandler,
    DefaultLocalControllerEventsHandler,
    DefaultLocalControllerProxyEventsHandler,
    ICentralSystem,
    ICentralSystemEventsHandler,
    IChargePoint,
    IChargePointEventsHandler,
    IChargePointProxy,
    IChargePointRequestHandler,
    IdTagInfo,
    ILocalController,
    ILocalControllerEventsHandler,
    ILocalControllerProxyEventsHandler,
    LocalControllerConfig,
    MemoryOcppConfig,
    MessageTrigger,
    RegistrationStatus,
    ResetType,
    Runtime,
    SampledValue,
    StartTransactionResult,
    StateError,
    UnlockStatus,
)
from openocpp.testing import SimulatedRuntime
from openocpp.testing.conversation import ScriptedPeer, ScriptedServer
from openocpp.transport.stream import PlainStream
from tests.conftest import scaled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIMIT = scaled(15.0)
URL = "ws://central:8080/ocpp"
ACCEPTED = IdTagInfo(status=AuthorizationStatus.Accepted)
PONG = DataTransferResult(DataTransferStatus.Accepted, "pong")
KEYS: dict[str, str | int] = {
    "NumberOfConnectors": 1,
    "MinimumStatusDuration": 0,
    "MeterValueSampleInterval": 0,
    "ClockAlignedDataInterval": 0,
    "HeartbeatInterval": 3600,
    "SupportedFeatureProfiles": (
        "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger"
    ),
}


class Noting:
    """Calls ``note`` with the name of each callback of an interface, before it does its work."""

    def __init__(self, interface: type[Any], note: Callable[[str], None]) -> None:
        for name, _ in inspect.getmembers(interface, inspect.isfunction):
            if not name.startswith("_"):
                setattr(self, name, partial(self._noted, name, getattr(self, name), note))

    @staticmethod
    def _noted(name: str, work: Callable[..., Any], note: Callable[[str], None], *args: Any, **kwargs: Any) -> Any:
        note(name)
        return work(*args, **kwargs)


class StationApplication(Noting, DefaultChargePointEventsHandler):
    """An application that says yes, and does nothing."""

    def __init__(self, note: Callable[[str], None]) -> None:
        super().__init__(IChargePointEventsHandler, note)
        self.transfer: Callable[[], DataTransferResult] = lambda: PONG

    def get_tx_start_stop_meter_value(self, connector_id: int) -> int:
        return 0

    def get_meter_value(self, *_: object) -> list[SampledValue]:
        return [SampledValue(value="1")]

    def data_transfer_requested(self, vendor_id: str, message_id: str, data: str) -> DataTransferResult:
        return self.transfer()

    def remote_start_transaction_requested(self, connector_id: int, id_tag: str) -> bool:
        return True

    def remote_stop_transaction_requested(self, connector_id: int) -> bool:
        return True

    def reset_requested(self, type: ResetType) -> bool:
        return True

    def unlock_connector_requested(self, connector_id: int) -> UnlockStatus:
        return UnlockStatus.Unlocked


class Requests(Noting, DefaultChargePointRequestHandler):
    """A central system's application that says yes."""

    def __init__(self, note: Callable[[str], None]) -> None:
        super().__init__(IChargePointRequestHandler, note)
        self.transfer: Callable[[], DataTransferResult] = lambda: PONG

    def authorize(self, id_tag: str) -> IdTagInfo:
        return ACCEPTED

    def boot_notification(self, *_: str) -> RegistrationStatus:
        return RegistrationStatus.Accepted

    def start_transaction(self, *_: object) -> StartTransactionResult:
        return StartTransactionResult(ACCEPTED, 7)

    def data_transfer(self, vendor_id: str, message_id: str, data: str) -> DataTransferResult:
        return self.transfer()


class CentralApplication(Noting, DefaultCentralSystemEventsHandler):
    """Lets everybody in."""

    def __init__(self, note: Callable[[str], None]) -> None:
        super().__init__(ICentralSystemEventsHandler, note)
        self.requests = Requests(note)
        self.charge_points: list[ICentralSystem.IChargePoint] = []

    def check_credentials(self, identifier: str, password: bytes) -> bool:
        return True

    def charge_point_connected(self, charge_point: ICentralSystem.IChargePoint) -> None:
        self.charge_points.append(charge_point)
        charge_point.register_handler(self.requests)


class Pair:
    """A charge point and a central system on one runtime."""

    def __init__(
        self, runtime: Runtime, url: str = URL, note: Callable[[str], None] = lambda name: None, **settings: Any
    ) -> None:
        self.runtime = runtime
        self.central_application = CentralApplication(note)
        self.central_system = ICentralSystem.create(
            CentralSystemConfig(listen_url=url, http_basic_authent=True, log_max_entries_count=0),
            self.central_application,
            runtime,
        )
        assert self.central_system.start()
        self.application = StationApplication(note)
        url = url.replace(":0/", f":{self.central_system.port}/")
        config = ChargePointConfig(
            **{"connexion_url": url, "charge_point_identifier": "CP1", "log_max_entries_count": 0, **settings}
        )
        keys = MemoryOcppConfig({**KEYS, "AuthorizationKey": "00112233445566778899AABBCCDDEEFF"})
        self.charge_point = IChargePoint.create(config, keys, self.application, runtime)

    @property
    def proxy(self) -> ICentralSystem.IChargePoint:
        return self.central_application.charge_points[-1]

    def converse(self) -> None:
        """Make both sides call back for nearly everything."""
        cp, proxy = self.charge_point, self.proxy
        assert cp.authorize(1, "TAG").status is AuthorizationStatus.Accepted
        assert cp.start_transaction(1, "TAG") is AuthorizationStatus.Accepted
        assert proxy.trigger_message(MessageTrigger.MeterValues, 1) == "Accepted"
        assert proxy.trigger_message(MessageTrigger.Heartbeat) == "Accepted"
        assert proxy.get_composite_schedule(1, 60) is not None
        assert cp.get_setpoint(1) is not None
        assert proxy.remote_stop_transaction(7)
        assert cp.stop_transaction(1, "TAG")
        assert cp.data_transfer("V") == PONG
        assert proxy.data_transfer("V") == PONG
        assert proxy.remote_start_transaction(1, "TAG")
        assert proxy.unlock_connector(1) == "Unlocked"
        assert proxy.change_availability(1, AvailabilityType.Inoperative) == "Accepted"
        assert proxy.get_diagnostics("ftp://host/") == ""
        assert proxy.reset(ResetType.Soft)


def registered(pair: Pair) -> bool:
    return pair.charge_point.registration_status is RegistrationStatus.Accepted


@pytest.fixture
def sim() -> Iterator[SimulatedRuntime]:
    with SimulatedRuntime(seed=11) as made:
        yield made


# -- sockets -----------------------------------------------------------------------------------------------------------


def test_only_the_scheduler_touches_an_open_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    touched: set[tuple[str, str]] = set()
    for name in ("recv", "send", "close"):
        original = getattr(PlainStream, name)

        def noted(stream: PlainStream, *args: Any, name: str = name, original: Any = original) -> Any:
            touched.add((name, threading.current_thread().name))
            return original(stream, *args)

        monkeypatch.setattr(PlainStream, name, noted)
    waited = threading.Event()
    with Runtime(workers=4, name="test") as runtime:
        pair = Pair(runtime, "ws://127.0.0.1:0/ocpp", retry_interval=0.05, call_request_timeout=LIMIT)
        pair.application.transfer = lambda: (waited.set(), PONG)[1]
        assert pair.charge_point.start()
        wait_for(runtime, lambda: registered(pair))
        users = [threading.Thread(target=pair.charge_point.data_transfer, args=("V",)) for _ in range(4)]
        users += [threading.Thread(target=pair.proxy.data_transfer, args=("V",)) for _ in range(4)]
        for user in users:
            user.start()
        for user in users:
            user.join(LIMIT)
        pair.proxy.disconnect()
        wait_for(runtime, lambda: len(pair.central_application.charge_points) == 2)
        pair.charge_point.stop()
        pair.central_system.stop()
    assert waited.is_set()
    assert touched == {(name, "test-scheduler") for name in ("recv", "send", "close")}


def wait_for(runtime: Runtime, condition: Callable[[], bool]) -> None:
    """Wait until something happens on another thread."""
    deadline = runtime.clock.now() + LIMIT
    while not condition():
        assert runtime.clock.now() < deadline, "it did not happen"
        runtime.waiter().wait(0.005)


# -- user code ---------------------------------------------------------------------------------------------------------


def test_no_callback_runs_on_the_scheduler_or_inside_a_monitor(sim: SimulatedRuntime) -> None:
    seen: dict[str, set[tuple[bool, bool]]] = {}

    def note(name: str) -> None:
        held = pair is not None and pair.charge_point._monitor.held  # type: ignore[attr-defined]
        seen.setdefault(name, set()).add((sim.scheduler.is_current, held))

    pair: Pair | None = None
    pair = Pair(sim, note=note)
    assert pair.charge_point.start()
    sim.run_until(lambda: registered(pair))
    pair.converse()
    pair.proxy.disconnect()
    sim.sleep(10)
    sim.network.refuse()
    sim.network.cut()
    sim.sleep(10)
    pair.charge_point.stop()
    pair.central_system.stop()
    assert {state for states in seen.values() for state in states} == {(False, False)}
    assert set(seen) >= {
        "accept_connection", "is_charge_point_known", "check_credentials", "charge_point_connected", "disconnected",
        "heartbeat", "authorize", "boot_notification", "data_transfer", "meter_values", "start_transaction",
        "stop_transaction", "status_notification", "connection_failed", "connection_state_changed",
        "datetime_received", "change_availability_requested", "get_tx_start_stop_meter_value", "get_meter_value",
        "data_transfer_requested", "remote_start_transaction_requested", "remote_stop_transaction_requested",
        "get_local_limitations_schedule", "reset_requested", "unlock_connector_requested", "get_diagnostics",
    }  # fmt: skip


class BetweenListener(Noting, DefaultLocalControllerProxyEventsHandler):
    """Is told of both connections of a pair."""


class BetweenApplication(Noting, DefaultLocalControllerEventsHandler):
    """A local controller's application that answers some requests itself."""

    def __init__(self, note: Callable[[str], None]) -> None:
        super().__init__(ILocalControllerEventsHandler, note)
        self.note = note
        self.charge_points: list[IChargePointProxy] = []

    def charge_point_connected(self, charge_point: IChargePointProxy) -> None:
        self.charge_points.append(charge_point)
        charge_point.register_listener(BetweenListener(ILocalControllerProxyEventsHandler, self.note))
        charge_point.register_handler(DataTransferReq, self.data_transfer)
        central_system = charge_point.central_system_proxy
        central_system.register_handler(ClearCacheReq, self.clear_cache)
        central_system.connect(URL, ClientCredentials(), retry_interval=1.0)

    def data_transfer(self, request: DataTransferReq) -> DataTransferConf:
        self.note("handler of the charge point's request")
        return DataTransferConf(status=DataTransferStatus.Accepted)

    def clear_cache(self, request: ClearCacheReq) -> ClearCacheConf:
        self.note("handler of the central system's request")
        return ClearCacheConf(status=ClearCacheStatus.Accepted)


def test_no_callback_of_a_local_controller_runs_on_the_scheduler(sim: SimulatedRuntime) -> None:
    seen: dict[str, set[bool]] = {}

    def note(name: str) -> None:
        seen.setdefault(name, set()).add(sim.scheduler.is_current)

    application = BetweenApplication(note)
    between = "ws://between:8080/ocpp"
    controller = ILocalController.create(
        LocalControllerConfig(listen_url=between, log_max_entries_count=0), application, sim
    )
    assert controller.start()
    server = ScriptedServer(sim, URL)
    below = ScriptedPeer.connect(sim, between, "CP1")
    above = server.accept()
    assert below.call("DataTransfer", {"vendorId": "V"}).result() == {"status": "Accepted"}
    assert above.call("ClearCache").result() == {"status": "Accepted"}
    heartbeat = below.call("Heartbeat")  # passed on
    above.expect_call("Heartbeat").answer({"currentTime": "2024-01-01T00:00:00Z"})
    heartbeat.result()
    above.abort()
    server.verdict = lambda handshake, identity: 503
    ScriptedPeer.connect(sim, between, "CP2")
    sim.sleep(5)
    below.abort()
    sim.sleep(5)
    controller.stop()
    server.close()
    assert {state for states in seen.values() for state in states} == {False}
    assert set(seen) >= {
        "accept_connection", "is_charge_point_known", "charge_point_connected", "connected_to_central_system",
        "disconnected_from_central_system", "failed_to_connect_to_central_system", "disconnected_from_charge_point",
        "handler of the charge point's request", "handler of the central system's request",
    }  # fmt: skip


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("first", ["charge point", "central system"])
def test_a_handler_may_call_its_caller_even_when_all_have_one_worker(workers: int, first: str) -> None:
    """Answers pass by the handlers, and a worker that waits is replaced."""
    with SimulatedRuntime(seed=2, workers=workers) as sim:
        pair = Pair(sim)
        assert pair.charge_point.start()
        sim.run_until(lambda: registered(pair))
        answers: list[DataTransferResult | None] = []

        def back(call: Callable[[], DataTransferResult | None]) -> DataTransferResult:
            answers.append(call())
            return PONG

        began = sim.clock.now()
        if first == "charge point":
            pair.central_application.requests.transfer = lambda: back(lambda: pair.proxy.data_transfer("V"))
            assert pair.charge_point.data_transfer("V") == PONG
        else:
            pair.application.transfer = lambda: back(lambda: pair.charge_point.data_transfer("V"))
            assert pair.proxy.data_transfer("V") == PONG
        assert answers == [PONG]
        assert sim.clock.now() == began
        pair.charge_point.stop()
        pair.central_system.stop()


def test_a_blocked_handler_holds_up_no_other_connection_and_no_answer(sim: SimulatedRuntime) -> None:
    pair = Pair(sim)
    assert pair.charge_point.start()
    sim.run_until(lambda: registered(pair))
    free = sim.waiter()
    pair.central_application.requests.transfer = lambda: (free.wait(100), PONG)[1]
    blocked = sim.user(lambda: pair.charge_point.data_transfer("V"))
    sim.sleep(1)
    other = IChargePoint.create(
        ChargePointConfig(connexion_url=URL, charge_point_identifier="CP2", log_max_entries_count=0),
        MemoryOcppConfig({**KEYS, "AuthorizationKey": "00112233445566778899AABBCCDDEEFF"}),
        StationApplication(lambda name: None),
        sim,
    )
    assert other.start()
    sim.run_until(lambda: other.registration_status is RegistrationStatus.Accepted, 10)
    assert other.authorize(1, "TAG").status is AuthorizationStatus.Accepted
    (first,) = (proxy for proxy in pair.central_system.charge_points if proxy.identifier == "CP1")
    assert first.data_transfer("V") == PONG  # its answer passes by the handler that is blocked
    free.set(None)
    blocked.result()
    for role in (other, pair.charge_point, pair.central_system):
        role.stop()


# -- settings ----------------------------------------------------------------------------------------------------------


OPERATIONS: dict[str, Callable[[IChargePoint], object]] = {
    "get_connector_status": lambda cp: cp.get_connector_status(1),
    "transaction_id": lambda cp: cp.transaction_id(1),
    "authorize": lambda cp: cp.authorize(1, "TAG"),
    "stop": lambda cp: cp.stop(),
    "reconnect": lambda cp: cp.reconnect(),
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("where", ["setting", "key"])
def test_a_setting_that_calls_the_facade_is_told_so(sim: SimulatedRuntime, name: str, where: str) -> None:
    """It is read inside the monitor, so it would wait for itself."""
    errors: list[str] = []
    made: list[IChargePoint] = []

    def misuse() -> None:
        if made:
            try:
                OPERATIONS[name](made[0])
            except StateError as error:
                errors.append(str(error))

    class Settings:
        def __getattr__(self, attribute: str) -> Any:
            if where == "setting" and attribute == "connexion_url":
                misuse()
            return getattr(base, attribute)

    class Keys(MemoryOcppConfig):
        def get_configuration(self, keys: Any) -> Any:
            if where == "key":
                misuse()
            return super().get_configuration(keys)

    ICentralSystem.create(CentralSystemConfig(listen_url=URL), CentralApplication(lambda name: None), sim).start()
    base = ChargePointConfig(connexion_url=URL, charge_point_identifier="CP1", log_max_entries_count=0)
    cp = IChargePoint.create(Settings(), Keys(KEYS), StationApplication(lambda name: None), sim)
    made.append(cp)
    assert cp.start()
    sim.run_until(lambda: cp.registration_status is RegistrationStatus.Accepted, 60)
    assert errors
    assert all("must return at once" in text for text in errors)
    made.clear()
    assert cp.stop()


# -- waiting -----------------------------------------------------------------------------------------------------------


def test_what_only_the_clock_or_the_link_started_holds_no_worker() -> None:
    """Boot, statuses, heartbeats and meter values of many stations whose central system is slow to answer."""
    with SimulatedRuntime(seed=5, workers=1) as sim:
        server = ScriptedServer(sim, URL)
        stations = []
        for number in range(30):
            config = ChargePointConfig(
                connexion_url=URL,
                charge_point_identifier=f"CP{number}",
                call_request_timeout=100,
                log_max_entries_count=0,
            )
            keys = {**KEYS, "ClockAlignedDataInterval": 60, "HeartbeatInterval": 60}
            stations.append(
                IChargePoint.create(config, MemoryOcppConfig(keys), StationApplication(lambda name: None), sim)
            )
            assert stations[-1].start()
        peers = [server.accept(10) for _ in stations]
        for action, answer in (
            ("BootNotification", {"status": "Accepted", "currentTime": "2024-01-01T00:00:00Z", "interval": 60}),
            ("StatusNotification", {}),
        ):
            calls = [peer.expect_call(action, timeout=100) for peer in peers]
            # all of them wait for an answer now, and the one worker is free
            assert sim.submit(lambda: 7).result(0.001) == 7
            assert "1 threads, 0 waiting" in repr(sim.workers)
            for call in calls:
                call.answer(answer)
        for peer in peers:
            peer.expect_call("StatusNotification", timeout=100).answer()
        for peer in peers:
            peer.expect_call("MeterValues", timeout=100)
        assert sim.submit(lambda: 7).result(0.001) == 7
        assert "1 threads, 0 waiting" in repr(sim.workers)
        for station in stations:
            station.stop()


@pytest.mark.parametrize("end", ["cut", "stop", "disconnect"])
def test_every_wait_ends_with_the_connection(sim: SimulatedRuntime, end: str) -> None:
    """On both sides, for who waits for an answer and for who waits for a turn."""
    pair = Pair(sim, call_request_timeout=1000.0)
    assert pair.charge_point.start()
    sim.run_until(lambda: registered(pair))
    sim.sleep(10)
    pair.proxy.set_timeout(1000.0)
    sim.network.drop()  # from now on nothing arrives
    users: list[Any] = []
    for _ in range(3):
        users.append(sim.user(lambda: pair.charge_point.data_transfer("V")))
        users.append(sim.user(lambda: pair.proxy.get_configuration()))
    sim.sleep(1)
    assert not any(user.done for user in users)
    began = sim.clock.now()
    sim.network.refuse()
    if end == "cut":
        sim.network.cut()
    elif end == "stop":
        assert pair.charge_point.stop()
        assert pair.central_system.stop()
    else:
        pair.proxy.disconnect()
        pair.charge_point.reconnect()
    assert [user.result() for user in users] == [None] * 6
    assert sim.clock.now() - began <= 6.0
    pair.charge_point.stop()
    pair.central_system.stop()


def test_stop_is_bounded_by_no_handler(sim: SimulatedRuntime) -> None:
    """Both sides have a handler that does not return, and both stop from within another callback."""
    pair = Pair(sim)
    assert pair.charge_point.start()
    sim.run_until(lambda: registered(pair))
    forever = sim.waiter()
    pair.application.transfer = lambda: (forever.wait(1000), PONG)[1]
    pair.central_application.requests.transfer = pair.application.transfer
    blocked = [
        sim.user(lambda: pair.charge_point.data_transfer("V")),
        sim.user(lambda: pair.proxy.data_transfer("V")),
    ]
    sim.sleep(1)
    began = sim.clock.now()
    stops = [sim.submit(pair.charge_point.stop), sim.submit(pair.central_system.stop)]
    assert [stop.result(60) for stop in stops] == [True, True]
    assert sim.clock.now() - began <= 2 * 3.0
    assert [user.result() for user in blocked] == [None, None]
    assert pair.charge_point.stop() is False
    forever.set(None)
