"""Our charge point and a central system made by others, over real sockets: every core action in both directions."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from openocpp import (
    AuthorizationStatus,
    ChargePointConfig,
    ChargePointStatus,
    DataTransferResult,
    DataTransferStatus,
    DefaultChargePointEventsHandler,
    IChargePoint,
    Measurand,
    MemoryOcppConfig,
    MeterValue,
    Phase,
    Reason,
    RegistrationStatus,
    ResetType,
    SampledValue,
    UnlockStatus,
)
from tests.conftest import scaled
from tests.foreign.peers import ForeignCentralSystem, call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path


class Application(DefaultChargePointEventsHandler):
    """Notes what it is asked, and tells when something happens."""

    def __init__(self) -> None:
        self.seen: list[tuple[Any, ...]] = []
        self.news = threading.Condition()
        self.meter = 0

    def note(self, *what: Any) -> None:
        with self.news:
            self.seen.append(what)
            self.news.notify_all()

    def wait_for(self, condition: Callable[[], bool]) -> None:
        with self.news:
            assert self.news.wait_for(condition, scaled(20)), f"it did not happen; seen: {self.seen}"

    def connection_state_changed(self, is_connected: bool) -> None:
        self.note("connection", is_connected)

    def boot_notification(self, status: RegistrationStatus, time: datetime) -> None:
        self.note("boot", status)

    def datetime_received(self, time: datetime) -> None:
        self.note("heartbeat", time)

    def get_tx_start_stop_meter_value(self, connector_id: int) -> int:
        self.meter += 100
        return self.meter

    def get_meter_value(
        self, connector_id: int, measurand: Measurand, phase: Phase | None
    ) -> Sequence[SampledValue] | None:
        return [SampledValue(value="1.5")]

    def remote_start_transaction_requested(self, connector_id: int, id_tag: str) -> bool:
        self.note("remote start", connector_id, id_tag)
        return True

    def remote_stop_transaction_requested(self, connector_id: int) -> bool:
        self.note("remote stop", connector_id)
        return True

    def data_transfer_requested(self, vendor_id: str, message_id: str, data: str) -> DataTransferResult:
        self.note("data", vendor_id, message_id, data)
        return DataTransferResult(DataTransferStatus.Accepted, "there")

    def reset_requested(self, type: ResetType) -> bool:
        self.note("reset", type)
        return True

    def unlock_connector_requested(self, connector_id: int) -> UnlockStatus:
        self.note("unlock", connector_id)
        return UnlockStatus.Unlocked


@pytest.fixture
def central() -> Iterator[ForeignCentralSystem]:
    foreign = ForeignCentralSystem()
    yield foreign
    foreign.stop()


@pytest.fixture
def application() -> Application:
    return Application()


@pytest.fixture
def charge_point(central: ForeignCentralSystem, application: Application, tmp_path: Path) -> Iterator[IChargePoint]:
    config = ChargePointConfig(
        connexion_url=f"ws://127.0.0.1:{central.port}/ocpp",
        charge_point_identifier="CP 1",
        database_path=str(tmp_path / "cp.db"),
        call_request_timeout=scaled(10),
        retry_interval=0.1,
        retry_interval_max=0.2,
    )
    keys = MemoryOcppConfig(
        {
            "NumberOfConnectors": 2,
            "MinimumStatusDuration": 0,
            "LocalPreAuthorize": "false",
            "LocalAuthorizeOffline": "true",
            "AllowOfflineTxForUnknownId": "true",
            "AuthorizationCacheEnabled": "true",
            "SupportedFeatureProfiles": "Core,RemoteTrigger",
        }
    )
    made = IChargePoint.create(config, keys, application)
    assert made.start()
    application.wait_for(lambda: ("boot", RegistrationStatus.Accepted) in application.seen)
    yield made
    made.stop()


def test_what_a_charge_point_sends(charge_point: IChargePoint, central: ForeignCentralSystem) -> None:
    assert charge_point.authorize(1, "TAG").status is AuthorizationStatus.Accepted
    assert charge_point.status_notification(1, ChargePointStatus.Preparing)
    assert charge_point.start_transaction(1, "TAG") is AuthorizationStatus.Accepted
    assert charge_point.transaction_id(1) == 7001
    value = MeterValue(timestamp=charge_point.runtime.clock.utcnow(), sampled_value=[SampledValue(value="12")])
    assert charge_point.send_meter_values(1, [value])
    assert charge_point.data_transfer("vendor", "ping", "x") == (DataTransferStatus.Accepted, "pong")
    assert charge_point.stop_transaction(1, "TAG", Reason.Local)

    assert central.of("BootNotification")[0]["charge_point_vendor"]
    assert [fields["connector_id"] for fields in central.of("StatusNotification")][:3] == [0, 1, 2]
    assert central.of("StartTransaction")[0]["meter_start"] == 100
    assert central.of("MeterValues")[0]["transaction_id"] == 7001
    assert central.of("StopTransaction")[0]["transaction_id"] == 7001
    assert central.of("StopTransaction")[0]["meter_stop"] == 200
    assert {"Authorize", "DataTransfer"} <= set(central.actions())


def test_what_a_charge_point_is_asked(
    charge_point: IChargePoint, central: ForeignCentralSystem, application: Application
) -> None:
    configuration = central.ask(call.GetConfiguration(key=["HeartbeatInterval", "nonsense"]))
    assert configuration.configuration_key[0]["value"] == "300"
    assert configuration.unknown_key == ["nonsense"]
    assert central.ask(call.ChangeConfiguration(key="heartbeatinterval", value="600")).status == "Accepted"
    assert central.ask(call.ChangeConfiguration(key="HeartbeatInterval", value="-1")).status == "Rejected"
    assert central.ask(call.ChangeAvailability(connector_id=2, type="Inoperative")).status == "Accepted"
    assert central.ask(call.ClearCache()).status == "Accepted"
    assert central.ask(call.DataTransfer(vendor_id="v", message_id="m", data="d")).data == "there"
    assert central.ask(call.UnlockConnector(connector_id=1)).status == "Unlocked"
    assert central.ask(call.RemoteStartTransaction(id_tag="TAG", connector_id=1)).status == "Accepted"
    assert ("remote start", 1, "TAG") in application.seen
    assert charge_point.start_transaction(1, "TAG") is AuthorizationStatus.Accepted
    assert central.ask(call.RemoteStopTransaction(transaction_id=7001)).status == "Accepted"
    assert central.ask(call.RemoteStopTransaction(transaction_id=1)).status == "Rejected"
    assert charge_point.stop_transaction(1, "", Reason.Remote)
    assert central.ask(call.TriggerMessage(requested_message="Heartbeat")).status == "Accepted"
    application.wait_for(lambda: any(entry[0] == "heartbeat" for entry in application.seen))
    assert central.ask(call.Reset(type="Soft")).status == "Accepted"
    assert ("reset", ResetType.Soft) in application.seen


def test_an_offline_transaction_arrives_whole(
    charge_point: IChargePoint, central: ForeignCentralSystem, application: Application
) -> None:
    central.drop()
    application.wait_for(lambda: ("connection", False) in application.seen)
    began = charge_point.runtime.clock.utcnow().replace(microsecond=0)
    assert charge_point.start_transaction(1, "TAG") is AuthorizationStatus.Accepted
    assert charge_point.stop_transaction(1, "TAG")
    ended = charge_point.runtime.clock.utcnow()
    assert charge_point.transaction_id(1) is None
    central.come_back()
    application.wait_for(lambda: [entry for entry in application.seen if entry[0] == "connection"][-1][1])
    central.wait_for("StopTransaction")
    (start,), (stop,) = central.of("StartTransaction"), central.of("StopTransaction")
    assert began.strftime("%Y-%m-%dT%H:%M:%SZ") <= start["timestamp"] <= ended.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert stop["transaction_id"] == 7001
    assert central.actions().count("BootNotification") == 1
