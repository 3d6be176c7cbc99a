"""A charge point made by others, and ours, through our local controller to a central system made by others."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import websockets
from ocpp.exceptions import GenericError
from ocpp.routing import on
from ocpp.v16 import ChargePoint as ForeignChargePoint
from ocpp.v16 import call, call_result

from openocpp import (
    AuthorizationStatus,
    ChargePointConfig,
    ClientCredentials,
    DefaultChargePointEventsHandler,
    DefaultLocalControllerEventsHandler,
    DefaultLocalControllerProxyEventsHandler,
    IChargePoint,
    IChargePointProxy,
    ILocalController,
    LocalControllerConfig,
    MemoryOcppConfig,
    MeterValue,
    RegistrationStatus,
    ResetType,
    SampledValue,
    UnlockStatus,
)
from tests.conftest import scaled
from tests.foreign.peers import LIMIT, ForeignCentralSystem, now

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future
    from datetime import datetime


class Spied:
    """A connection of the foreign package, whose frames are written down as they pass."""

    def __init__(self, connection: Any, frames: list[str]) -> None:
        self._connection = connection
        self._frames = frames
        self.request = connection.request

    async def recv(self) -> str:
        text: str = await self._connection.recv()
        self._frames.append(text)
        return text

    async def send(self, text: str) -> None:
        self._frames.append(text)
        await self._connection.send(text)

    async def close(self) -> None:
        await self._connection.close()


class SpiedCentralSystem(ForeignCentralSystem):
    def __init__(self) -> None:
        self.frames: list[str] = []
        super().__init__()

    async def _connected(self, connection: Any) -> None:
        await super()._connected(Spied(connection, self.frames))


ANSWERS: dict[str, dict[str, Any]] = {
    "ChangeAvailability": {"status": "Scheduled"},
    "ChangeConfiguration": {"status": "RebootRequired"},
    "ClearCache": {"status": "Accepted"},
    "DataTransfer": {"status": "Accepted", "data": "pong é"},
    "GetConfiguration": {
        "configuration_key": [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}],
        "unknown_key": ["nonsense"],
    },
    "RemoteStartTransaction": {"status": "Accepted"},
    "RemoteStopTransaction": {"status": "Rejected"},
    "Reset": {"status": "Accepted"},
    "UnlockConnector": {"status": "UnlockFailed"},
}


class Station(ForeignChargePoint):  # type: ignore[misc]  # its package gives no types
    """A charge point made by others: answers as ``ANSWERS`` say, and notes what it was asked."""

    seen: list[str]


def answering(action: str) -> Any:
    def handler(self: Station, **fields: Any) -> Any:
        self.seen.append(action)
        return getattr(call_result, action)(**ANSWERS[action])

    handler.__name__ = f"on_{action}"  # by which the package finds it
    return on(action)(handler)


for _action in ANSWERS:
    setattr(Station, f"on_{_action}", answering(_action))


class ForeignStation:
    """Connects on a thread of its own. ``ask`` sends a request and waits for the answer."""

    def __init__(self, url: str, identity: str) -> None:
        self.frames: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._side: Station = self._on_loop(self._connect(url, identity))
        self.seen = self._side.seen = []

    async def _connect(self, url: str, identity: str) -> Station:
        connection = await websockets.connect(f"{url}/{identity}", subprotocols=[websockets.Subprotocol("ocpp1.6")])
        side = Station(identity, Spied(connection, self.frames), response_timeout=LIMIT)
        self._reading = asyncio.create_task(self._read(side))
        return side

    async def _read(self, side: Station) -> None:
        try:
            await side.start()
        except websockets.ConnectionClosed:
            return

    def _on_loop(self, coroutine: Any) -> Any:
        future: Future[Any] = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        return future.result(LIMIT)

    def ask(self, request: Any) -> Any:
        return self._on_loop(self._side.call(request, suppress=False))

    def stop(self) -> None:
        async def close() -> None:
            await self._side._connection.close()
            await self._reading

        self._on_loop(close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(LIMIT)
        self._loop.close()


class News:
    """What happened, and waiting for it."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self._changed = threading.Condition()

    def note(self, event: str) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def wait_for(self, event: str, times: int = 1) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.events.count(event) >= times, LIMIT), self.events


class Listener(DefaultLocalControllerProxyEventsHandler):
    def __init__(self, news: News) -> None:
        self.disconnected_from_charge_point = lambda: news.note("below gone")  # type: ignore[method-assign]
        self.connected_to_central_system = lambda: news.note("above there")  # type: ignore[method-assign]
        self.disconnected_from_central_system = lambda: news.note("above gone")  # type: ignore[method-assign]


class Application(DefaultLocalControllerEventsHandler):
    def __init__(self, url: str, news: News) -> None:
        self.url = url
        self.news = news

    def charge_point_connected(self, charge_point: IChargePointProxy) -> None:
        charge_point.register_listener(Listener(self.news))
        assert charge_point.central_system_proxy.connect(self.url, ClientCredentials(), retry_interval=0.1)


@dataclass
class Chain:
    central: SpiedCentralSystem
    controller: ILocalController
    news: News

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.controller.port}/ocpp"


@pytest.fixture(params=[False, True], ids=["stays", "goes"])
def chain(request: pytest.FixtureRequest) -> Iterator[Chain]:
    """A local controller before a foreign central system. The charge point stays or goes when the latter goes."""
    central, news = SpiedCentralSystem(), News()
    config = LocalControllerConfig(
        listen_url="ws://127.0.0.1:0/ocpp",
        call_request_timeout=scaled(10),
        disconnect_from_cp_when_cs_disconnected=request.param,
    )
    with ILocalController.create(config, Application(f"ws://127.0.0.1:{central.port}/cs", news)) as controller:
        assert controller.start()
        yield Chain(central, controller, news)
    central.stop()


def stays(chain: Chain) -> bool:
    return not chain.controller.config.disconnect_from_cp_when_cs_disconnected


# -- a foreign charge point --------------------------------------------------------------------------------------------

FROM_CHARGE_POINT = [
    call.BootNotification(charge_point_model="Model é", charge_point_vendor="Vendor"),
    call.Heartbeat(),
    call.StatusNotification(connector_id=1, error_code="NoError", status="Preparing", timestamp=now()),
    call.Authorize(id_tag="TAG"),
    call.StartTransaction(connector_id=1, id_tag="TAG", meter_start=0, timestamp="2024-01-01T00:00:00.123+02:00"),
    call.MeterValues(
        connector_id=1,
        transaction_id=7001,
        meter_value=[{"timestamp": now(), "sampled_value": [{"value": "1.50", "measurand": "Current.Import"}]}],
    ),
    call.StopTransaction(transaction_id=7001, meter_stop=10, timestamp=now(), reason="Local"),
    call.DataTransfer(vendor_id="vendor", message_id="m", data="d"),
]
FROM_CENTRAL_SYSTEM = [
    call.ChangeAvailability(connector_id=1, type="Inoperative"),
    call.ChangeConfiguration(key="HeartbeatInterval", value="600"),
    call.ClearCache(),
    call.DataTransfer(vendor_id="vendor", data="ping"),
    call.GetConfiguration(key=["HeartbeatInterval", "nonsense"]),
    call.RemoteStartTransaction(id_tag="TAG", connector_id=1),
    call.RemoteStopTransaction(transaction_id=7001),
    call.Reset(type="Soft"),
    call.UnlockConnector(connector_id=1),
]


def talk(chain: Chain, station: ForeignStation) -> None:
    """Every core action in both directions."""
    for request in FROM_CHARGE_POINT:
        assert type(station.ask(request)).__name__ == type(request).__name__
    for request in FROM_CENTRAL_SYSTEM:
        assert type(chain.central.ask(request)).__name__ == type(request).__name__


def test_all_core_actions_pass_with_the_same_ids_and_payloads(chain: Chain) -> None:
    station = ForeignStation(chain.url, "CP1")
    talk(chain, station)
    assert sorted(station.seen) == sorted(type(request).__name__ for request in FROM_CENTRAL_SYSTEM)
    assert chain.central.actions() == [type(request).__name__ for request in FROM_CHARGE_POINT]
    station.stop()
    calls = [json.loads(text) for text in station.frames if text.startswith("[2,")]
    assert len(calls) == len(FROM_CHARGE_POINT) + len(FROM_CENTRAL_SYSTEM)
    assert len({frame[1] for frame in calls}) == len(calls)
    assert station.frames == chain.central.frames, "letter by letter"


def test_an_error_comes_back_as_it_was(chain: Chain) -> None:
    """The foreign central system knows no such action, and says so itself."""
    station = ForeignStation(chain.url, "CP1")
    chain.news.wait_for("above there")

    async def send() -> None:
        await station._side._connection.send('[2,"v1","AcmeStatus",{"a":1}]')

    station._on_loop(send())
    station.ask(call.Heartbeat())
    below, above = (
        next(json.loads(text) for text in frames if text.startswith("[4"))
        for frames in (station.frames, chain.central.frames)
    )
    assert below == above
    assert below[1:3] == ["v1", "NotSupported"]
    assert below[4], "with its details"
    station.stop()


def test_the_charge_points_leg_is_cut(chain: Chain) -> None:
    station = ForeignStation(chain.url, "CP1")
    station.ask(FROM_CHARGE_POINT[0])
    station.stop()
    chain.news.wait_for("below gone")
    assert chain.news.events == ["above there", "above gone", "below gone"]
    again = ForeignStation(chain.url, "CP1")
    talk(chain, again)
    again.stop()


def test_the_central_systems_leg_is_cut(chain: Chain) -> None:
    station = ForeignStation(chain.url, "CP1")
    station.ask(FROM_CHARGE_POINT[0])
    chain.central.drop()
    chain.news.wait_for("above gone")
    if stays(chain):
        chain.controller.charge_points[0].central_system_proxy.set_timeout(0.3)
        with pytest.raises(GenericError, match="not reachable"):
            station.ask(call.Heartbeat())
        chain.controller.charge_points[0].central_system_proxy.set_timeout(scaled(10))
        chain.central.come_back()
        chain.news.wait_for("above there", 2)
    else:
        chain.news.wait_for("below gone")
        station.stop()
        chain.central.come_back()
        station = ForeignStation(chain.url, "CP1")
    talk(chain, station)
    station.stop()


# -- our charge point --------------------------------------------------------------------------------------------------


class Meter(DefaultChargePointEventsHandler):
    def __init__(self) -> None:
        self.news = News()
        self.meter = 0

    def connection_state_changed(self, is_connected: bool) -> None:
        self.news.note("online" if is_connected else "offline")

    def boot_notification(self, status: RegistrationStatus, time: datetime) -> None:
        self.news.note(f"boot {status}")

    def get_tx_start_stop_meter_value(self, connector_id: int) -> int:
        self.meter += 100
        return self.meter

    def remote_start_transaction_requested(self, connector_id: int, id_tag: str) -> bool:
        return True

    def remote_stop_transaction_requested(self, connector_id: int) -> bool:
        return True

    def reset_requested(self, type: ResetType) -> bool:
        return True

    def unlock_connector_requested(self, connector_id: int) -> UnlockStatus:
        return UnlockStatus.Unlocked


@pytest.fixture
def meter() -> Meter:
    return Meter()


@pytest.fixture
def charge_point(chain: Chain, meter: Meter) -> Iterator[IChargePoint]:
    config = ChargePointConfig(
        connexion_url=chain.url,
        charge_point_identifier="CP 1",
        call_request_timeout=scaled(20),
        retry_interval=0.1,
        retry_interval_max=0.2,
    )
    keys = MemoryOcppConfig(
        {
            "NumberOfConnectors": 1,
            "MinimumStatusDuration": 0,
            "AuthorizationCacheEnabled": "true",
            "AllowOfflineTxForUnknownId": "true",
            "LocalPreAuthorize": "false",
            "LocalAuthorizeOffline": "true",
            "TransactionMessageRetryInterval": 1,
        }
    )
    made = IChargePoint.create(config, keys, meter)
    assert made.start()
    meter.news.wait_for("boot Accepted")
    yield made
    made.stop()


def sample(charge_point: IChargePoint) -> Sequence[MeterValue]:
    return [MeterValue(timestamp=charge_point.runtime.clock.utcnow(), sampled_value=[SampledValue(value="12")])]


def test_our_charge_point_charges_through_the_chain(chain: Chain, charge_point: IChargePoint) -> None:
    central = chain.central
    assert charge_point.authorize(1, "TAG").status is AuthorizationStatus.Accepted
    assert charge_point.start_transaction(1, "TAG") is AuthorizationStatus.Accepted
    assert charge_point.transaction_id(1) == 7001
    assert charge_point.send_meter_values(1, sample(charge_point))
    answer = charge_point.data_transfer("vendor", "ping")
    assert answer is not None
    assert answer.data == "pong"
    assert central.ask(call.GetConfiguration(key=["NumberOfConnectors"])).configuration_key[0]["value"] == "1"
    assert central.ask(call.ChangeConfiguration(key="HeartbeatInterval", value="600")).status == "Accepted"
    assert central.ask(call.ClearCache()).status == "Accepted"
    assert central.ask(call.RemoteStopTransaction(transaction_id=7001)).status == "Accepted"
    assert charge_point.stop_transaction(1, "TAG")
    assert central.ask(call.UnlockConnector(connector_id=1)).status == "Unlocked"
    assert central.ask(call.RemoteStartTransaction(id_tag="TAG", connector_id=1)).status == "Accepted"
    assert central.ask(call.ChangeAvailability(connector_id=1, type="Inoperative")).status == "Accepted"
    assert central.ask(call.Reset(type="Soft")).status == "Accepted"
    central.wait_for("StopTransaction")
    assert central.actions().count("BootNotification") == 1
    assert {"Authorize", "StartTransaction", "MeterValues", "DataTransfer", "StopTransaction"} <= set(central.actions())


@pytest.mark.parametrize("leg", ["below", "above"])
def test_a_transaction_survives_the_cut_of_a_leg(
    chain: Chain, charge_point: IChargePoint, meter: Meter, leg: str
) -> None:
    central = chain.central
    assert charge_point.start_transaction(1, "TAG") is AuthorizationStatus.Accepted
    central.wait_for("StartTransaction")
    central.drop()
    chain.news.wait_for("above gone")
    if leg == "below":
        for proxy in chain.controller.charge_points:
            proxy.disconnect()
    if leg == "below" or not stays(chain):
        meter.news.wait_for("offline")
    stopping = charge_point.runtime.submit(charge_point.stop_transaction, 1, "TAG")
    central.come_back()
    assert stopping.result(LIMIT)
    central.wait_for("StopTransaction")
    (stop,) = central.of("StopTransaction")
    assert (stop["transaction_id"], stop["meter_stop"]) == (7001, 200)
    assert ("offline" in meter.news.events) is (leg == "below" or not stays(chain))
