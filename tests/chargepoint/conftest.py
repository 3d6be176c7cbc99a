"""A charge point in simulated time, and a central system that the test speaks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openocpp.chargepoint.interface import DefaultChargePointEventsHandler, IChargePoint
from openocpp.config import ChargePointConfig, MemoryOcppConfig
from openocpp.testing import SimulatedRuntime
from openocpp.testing.conversation import ScriptedPeer, ScriptedServer
from openocpp.types import (
    AvailabilityStatus,
    AvailabilityType,
    ChargePointStatus,
    ChargingSchedule,
    DataTransferResult,
    DataTransferStatus,
    Measurand,
    Phase,
    RegistrationStatus,
    ResetType,
    SampledValue,
    UnlockStatus,
    UploadLogStatusEnumType,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

URL = "ws://localhost:8080/ocpp"
NOW = "2024-01-01T00:00:00Z"

KEYS: dict[str, str | int] = {
    "AllowOfflineTxForUnknownId": "true",
    "AuthorizationCacheEnabled": "true",
    "ClockAlignedDataInterval": 0,
    "HeartbeatInterval": 3600,
    "LocalAuthListEnabled": "true",
    "LocalAuthorizeOffline": "true",
    "LocalPreAuthorize": "false",
    "MeterValueSampleInterval": 0,
    "MinimumStatusDuration": 0,
    "NumberOfConnectors": 2,
    "StopTransactionOnInvalidId": "true",
    "SupportedFeatureProfiles": (
        "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger"
    ),
    "TransactionMessageAttempts": 3,
    "TransactionMessageRetryInterval": 60,
    "WebSocketPingInterval": 0,
    "AuthorizationKey": "",
    "SecurityProfile": 0,
}


class RecordingHandler(DefaultChargePointEventsHandler):
    """Notes every callback in ``seen``; what it answers can be set."""

    def __init__(self) -> None:
        self.seen: list[tuple[Any, ...]] = []
        self.meter = 0
        self.meter_step = 100
        self.availability = AvailabilityStatus.Accepted
        self.accept_remote = True
        self.accept_reset = True
        self.unlock = UnlockStatus.Unlocked
        self.transfer = DataTransferResult(DataTransferStatus.UnknownVendorId)
        self.values: Callable[[int, Measurand, Phase | None], Sequence[SampledValue] | None] = lambda *_: None
        self.during_meter: Callable[[], None] | None = None
        self.during_remote_start: Callable[[int, str], None] = lambda *_: None
        self.local_limits: Callable[[int, int], ChargingSchedule | None] = lambda *_: None
        self.diagnostics: Callable[[datetime | None, datetime | None], str] = lambda *_: ""
        self.upload: Callable[[str, str], bool | UploadLogStatusEnumType] = lambda *_: True
        self.firmware_path: Callable[[], str] = lambda: "/tmp/image"
        self.download: Callable[[str, str], bool] = lambda *_: True
        self.needs_idle = True
        self.install: Callable[[str], None] = lambda _: None

    def names(self) -> list[str]:
        return [entry[0] for entry in self.seen]

    def of(self, name: str) -> list[tuple[Any, ...]]:
        return [entry[1:] for entry in self.seen if entry[0] == name]

    def connection_failed(self, status: RegistrationStatus) -> None:
        self.seen.append(("connection_failed", status))

    def connection_state_changed(self, is_connected: bool) -> None:
        self.seen.append(("connection_state_changed", is_connected))

    def boot_notification(self, status: RegistrationStatus, time: datetime) -> None:
        self.seen.append(("boot_notification", status, time))

    def datetime_received(self, time: datetime) -> None:
        self.seen.append(("datetime_received", time))

    def change_availability_requested(self, connector_id: int, availability: AvailabilityType) -> AvailabilityStatus:
        self.seen.append(("change_availability_requested", connector_id, availability))
        return self.availability

    def get_tx_start_stop_meter_value(self, connector_id: int) -> int:
        if self.during_meter is not None:
            self.during_meter()
        self.meter += self.meter_step
        return self.meter

    def get_meter_value(
        self, connector_id: int, measurand: Measurand, phase: Phase | None
    ) -> Sequence[SampledValue] | None:
        self.seen.append(("get_meter_value", connector_id, measurand, phase))
        return self.values(connector_id, measurand, phase)

    def remote_start_transaction_requested(self, connector_id: int, id_tag: str) -> bool:
        self.seen.append(("remote_start_transaction_requested", connector_id, id_tag))
        self.during_remote_start(connector_id, id_tag)
        return self.accept_remote

    def remote_stop_transaction_requested(self, connector_id: int) -> bool:
        self.seen.append(("remote_stop_transaction_requested", connector_id))
        return self.accept_remote

    def transaction_de_authorized(self, connector_id: int) -> None:
        self.seen.append(("transaction_de_authorized", connector_id))

    def data_transfer_requested(self, vendor_id: str, message_id: str, data: str) -> DataTransferResult:
        self.seen.append(("data_transfer_requested", vendor_id, message_id, data))
        return self.transfer

    def reset_requested(self, type: ResetType) -> bool:
        self.seen.append(("reset_requested", type))
        return self.accept_reset

    def unlock_connector_requested(self, connector_id: int) -> UnlockStatus:
        self.seen.append(("unlock_connector_requested", connector_id))
        return self.unlock

    def reservation_started(self, connector_id: int) -> None:
        self.seen.append(("reservation_started", connector_id))

    def reservation_ended(self, connector_id: int, canceled: bool) -> None:
        self.seen.append(("reservation_ended", connector_id, canceled))

    def get_local_limitations_schedule(self, connector_id: int, duration: int) -> ChargingSchedule | None:
        self.seen.append(("get_local_limitations_schedule", connector_id, duration))
        return self.local_limits(connector_id, duration)

    def get_diagnostics(self, start: datetime | None, stop: datetime | None) -> str:
        self.seen.append(("get_diagnostics", start, stop))
        return self.diagnostics(start, stop)

    def upload_file(self, path: str, url: str) -> bool | UploadLogStatusEnumType:
        self.seen.append(("upload_file", path, url))
        return self.upload(path, url)

    def update_firmware_requested(self) -> str:
        self.seen.append(("update_firmware_requested",))
        return self.firmware_path()

    def download_file(self, url: str, path: str) -> bool:
        self.seen.append(("download_file", url, path))
        return self.download(url, path)

    def firmware_install_needs_idle(self) -> bool:
        return self.needs_idle

    def install_firmware(self, path: str) -> None:
        self.seen.append(("install_firmware", path))
        self.install(path)


class Station:
    """A charge point, its settings and its application, in simulated time."""

    def __init__(
        self,
        sim: SimulatedRuntime,
        database: str,
        keys: Mapping[str, str | int] | None = None,
        identity: str = "CP1",
        **settings: Any,
    ) -> None:
        self.sim = sim
        values: dict[str, Any] = {
            "connexion_url": URL,
            "charge_point_identifier": identity,
            "charge_point_vendor": "Vendor",
            "charge_point_model": "Model",
            "call_request_timeout": 2.0,
            "connection_timeout": 2.0,
            "retry_interval": 1.0,
            "database_path": database,
            "log_max_entries_count": 0,
        }
        self.settings = {**values, **settings}
        self.keys = MemoryOcppConfig({**KEYS, **(keys or {})})
        self.handler = RecordingHandler()
        self.cp = self.create()

    def create(self) -> IChargePoint:
        config = ChargePointConfig(**self.settings)
        return IChargePoint.create(config, self.keys, self.handler, self.sim)

    def restart(self) -> None:
        """The process ends in order and begins again: what was not stored is gone."""
        self.cp.stop()
        self.cp = self.create()
        self.cp.start()


class CentralSide:
    """The central system as the test plays it."""

    def __init__(self, sim: SimulatedRuntime) -> None:
        self.sim = sim
        self.server = ScriptedServer(sim, URL)
        self.next_transaction = 1

    def accept(self, **answers: Any) -> ScriptedPeer:
        """The charge point connects; ``answers`` are standing answers by action."""
        peer = self.server.accept(60)
        peer.answers.update(answers)
        return peer

    def boot(self, interval: int = 3600, status: str = "Accepted", **answers: Any) -> ScriptedPeer:
        """The charge point connects and is registered; its statuses are taken."""
        peer = self.accept(**answers)
        peer.expect_call("BootNotification").answer({"status": status, "currentTime": NOW, "interval": interval})
        if status == "Accepted":
            for _ in range(3):
                peer.expect_call("StatusNotification").answer()
        return peer


@pytest.fixture
def sim() -> Iterator[SimulatedRuntime]:
    with SimulatedRuntime(seed=7) as runtime:
        yield runtime


@pytest.fixture
def station(sim: SimulatedRuntime, tmp_path: Path) -> Iterator[Station]:
    made = Station(sim, str(tmp_path / "cp.db"))
    yield made
    made.cp.stop()


@pytest.fixture
def central(sim: SimulatedRuntime) -> CentralSide:
    return CentralSide(sim)


def online(station: Station, central: CentralSide, **answers: Any) -> ScriptedPeer:
    """Started, connected, accepted."""
    assert station.cp.start()
    peer = central.boot(**answers)
    station.sim.run_until(lambda: station.cp.registration_status is RegistrationStatus.Accepted, 10)
    return peer


__all__ = ["CentralSide", "ChargePointStatus", "RecordingHandler", "Station", "online"]
