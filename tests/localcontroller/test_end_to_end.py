"""Charge point, local controller and central system of this package in a chain, in simulated time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openocpp import (
    AuthorizationStatus,
    AvailabilityStatus,
    AvailabilityType,
    CentralSystemConfig,
    ChargePointConfig,
    ChargePointErrorCode,
    ChargePointStatus,
    ChargingProfile,
    ChargingProfileKindType,
    ChargingProfilePurposeType,
    ChargingProfileStatus,
    ChargingRateUnitType,
    ChargingSchedule,
    ChargingSchedulePeriod,
    ClientCredentials,
    ConfigurationStatus,
    DataTransferResult,
    DataTransferStatus,
    DefaultCentralSystemEventsHandler,
    DefaultChargePointEventsHandler,
    DefaultChargePointRequestHandler,
    DefaultLocalControllerEventsHandler,
    ICentralSystem,
    IChargePoint,
    IChargePointProxy,
    IdTagInfo,
    ILocalController,
    LocalControllerConfig,
    Measurand,
    MemoryOcppConfig,
    MessageTrigger,
    Phase,
    RegistrationStatus,
    SampledValue,
    StartTransactionResult,
    TriggerMessageStatus,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from openocpp import DiagnosticsStatus, FirmwareStatus, MeterValue, Reason
    from openocpp.testing import SimulatedRuntime

BELOW = "ws://controller:8080/ocpp"
ABOVE = "ws://central:9000/ocpp"
ACCEPTED = IdTagInfo(status=AuthorizationStatus.Accepted)


class Station(DefaultChargePointEventsHandler):
    """The charge point's application."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen: list[tuple[Any, ...]] = []
        self.meter = 0

    def get_tx_start_stop_meter_value(self, connector_id: int) -> int:
        self.meter += 100
        return self.meter

    def get_meter_value(
        self, connector_id: int, measurand: Measurand, phase: Phase | None
    ) -> Sequence[SampledValue] | None:
        return [SampledValue(value="1.50")]

    def connection_state_changed(self, is_connected: bool) -> None:
        self.seen.append(("connected", is_connected))

    def remote_start_transaction_requested(self, connector_id: int, id_tag: str) -> bool:
        self.seen.append(("start", connector_id, id_tag))
        return True

    def remote_stop_transaction_requested(self, connector_id: int) -> bool:
        self.seen.append(("stop", connector_id))
        return True

    def data_transfer_requested(self, vendor_id: str, message_id: str, data: str) -> DataTransferResult:
        return DataTransferResult(DataTransferStatus.Accepted, f"{data} back")

    def get_diagnostics(self, start: datetime | None, stop: datetime | None) -> str:
        path = self.folder / "diagnostics.zip"
        path.write_bytes(b"everything")
        return str(path)

    def upload_file(self, path: str, url: str) -> bool:
        self.seen.append(("upload", url))
        return True

    def update_firmware_requested(self) -> str:
        return str(self.folder / "firmware.bin")

    def download_file(self, url: str, path: str) -> bool:
        self.seen.append(("download", url))
        return True

    def install_firmware(self, path: str) -> None:
        self.seen.append(("install",))


class Requests(DefaultChargePointRequestHandler):
    """The central system's side of a charge point: accepts and notes everything."""

    def __init__(self, seen: list[tuple[Any, ...]]) -> None:
        self.seen = seen

    def of(self, name: str) -> list[tuple[Any, ...]]:
        return [entry[1:] for entry in self.seen if entry[0] == name]

    def disconnected(self) -> None:
        self.seen.append(("gone",))

    def authorize(self, id_tag: str) -> IdTagInfo:
        self.seen.append(("authorize", id_tag))
        return ACCEPTED

    def boot_notification(self, *fields: str) -> RegistrationStatus:
        self.seen.append(("boot", fields[0]))
        return RegistrationStatus.Accepted

    def heartbeat(self) -> None:
        self.seen.append(("heartbeat",))

    def status_notification(
        self, connector_id: int, error_code: ChargePointErrorCode, info: str, status: ChargePointStatus, *others: Any
    ) -> None:
        self.seen.append(("status", connector_id, status))

    def meter_values(self, connector_id: int, transaction_id: int | None, meter_values: Sequence[MeterValue]) -> None:
        self.seen.append(("meter", transaction_id, meter_values[0].sampled_value[0].value))

    def start_transaction(
        self, connector_id: int, id_tag: str, meter_start: int, reservation_id: int | None, timestamp: datetime
    ) -> StartTransactionResult:
        self.seen.append(("begin", connector_id, id_tag, meter_start))
        return StartTransactionResult(ACCEPTED, 4711)

    def stop_transaction(
        self,
        id_tag: str,
        meter_stop: int,
        timestamp: datetime,
        transaction_id: int,
        reason: Reason,
        transaction_data: Sequence[MeterValue],
    ) -> IdTagInfo | None:
        self.seen.append(("end", transaction_id, meter_stop))
        return None

    def diagnostic_status_notification(self, status: DiagnosticsStatus) -> None:
        self.seen.append(("diagnostics", str(status)))

    def firmware_status_notification(self, status: FirmwareStatus) -> None:
        self.seen.append(("firmware", str(status)))


class Operator(DefaultCentralSystemEventsHandler):
    def __init__(self) -> None:
        self.seen: list[tuple[Any, ...]] = []
        self.requests = Requests(self.seen)

    def charge_point_connected(self, charge_point: ICentralSystem.IChargePoint) -> None:
        self.seen.append(("connected", charge_point.identifier))
        charge_point.register_handler(self.requests)


class Site(DefaultLocalControllerEventsHandler):
    def charge_point_connected(self, charge_point: IChargePointProxy) -> None:
        assert charge_point.central_system_proxy.connect(ABOVE, ClientCredentials(), retry_interval=1.0)


class Chain:
    """The three roles on one runtime, booted."""

    def __init__(self, sim: SimulatedRuntime, folder: Path, *, goes: bool) -> None:
        self.sim = sim
        self.operator = Operator()
        self.station = Station(folder)
        self.central = ICentralSystem.create(
            CentralSystemConfig(listen_url=ABOVE, heartbeat_interval=600, web_socket_ping_interval=0.0),
            self.operator,
            sim,
        )
        self.controller = ILocalController.create(
            LocalControllerConfig(
                listen_url=BELOW, web_socket_ping_interval=0.0, disconnect_from_cp_when_cs_disconnected=goes
            ),
            Site(),
            sim,
        )
        keys = MemoryOcppConfig(
            {
                "NumberOfConnectors": 2,
                "MeterValueSampleInterval": 60,
                "ClockAlignedDataInterval": 0,
                "MinimumStatusDuration": 0,
                "AllowOfflineTxForUnknownId": "true",
                "AuthorizeRemoteTxRequests": "true",
                "LocalPreAuthorize": "false",
                "SupportedFeatureProfiles": "Core,FirmwareManagement,SmartCharging,RemoteTrigger",
                "WebSocketPingInterval": 0,
            }
        )
        config = ChargePointConfig(
            connexion_url=BELOW, charge_point_identifier="CP 1", call_request_timeout=20.0, retry_interval=1.0
        )
        self.charge_point = IChargePoint.create(config, keys, self.station, sim)
        assert self.central.start()
        assert self.controller.start()
        assert self.charge_point.start()
        sim.run_until(lambda: self.charge_point.registration_status is RegistrationStatus.Accepted)
        sim.sleep(1)

    @property
    def remote(self) -> ICentralSystem.IChargePoint:
        """The charge point, as the central system has it."""
        (charge_point,) = self.central.charge_points
        return charge_point

    def of(self, name: str) -> list[tuple[Any, ...]]:
        return self.operator.requests.of(name)


@pytest.fixture(params=[False, True], ids=["stays", "goes"])
def chain(sim: SimulatedRuntime, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Chain]:
    made = Chain(sim, tmp_path, goes=request.param)
    yield made
    made.charge_point.stop()
    made.controller.stop()
    made.central.stop()
    assert sim.network.links == []


def test_it_boots_once_and_tells_its_statuses(chain: Chain) -> None:
    assert chain.operator.seen[:2] == [("connected", "CP 1"), ("boot", "openocpp")]
    assert chain.of("status") == [(number, ChargePointStatus.Available) for number in (0, 1, 2)]
    chain.sim.sleep(1300)
    assert len(chain.of("heartbeat")) == 2
    assert len(chain.of("boot")) == 1


def test_a_transaction_with_meter_values(chain: Chain) -> None:
    charge_point = chain.charge_point
    assert charge_point.authorize(1, "TAG").status is AuthorizationStatus.Accepted
    assert charge_point.start_transaction(1, "TAG") is AuthorizationStatus.Accepted
    assert charge_point.transaction_id(1) == 4711
    chain.sim.sleep(185)
    assert charge_point.stop_transaction(1, "TAG")
    chain.sim.sleep(1)
    assert chain.of("authorize")[0] == ("TAG",)
    assert chain.of("begin") == [(1, "TAG", 100)]
    assert chain.of("meter") == [(4711, "1.50")] * 3
    assert chain.of("end") == [(4711, 200)]


def test_remote_commands(chain: Chain) -> None:
    remote, charge_point = chain.remote, chain.charge_point
    assert remote.remote_start_transaction(1, "TAG")
    chain.sim.sleep(1)
    assert ("start", 1, "TAG") in chain.station.seen
    assert charge_point.start_transaction(1, "TAG") is AuthorizationStatus.Accepted
    assert remote.remote_stop_transaction(4711)
    chain.sim.sleep(1)
    assert ("stop", 1) in chain.station.seen
    assert not remote.remote_stop_transaction(1)
    assert charge_point.stop_transaction(1, "TAG")
    answer = remote.get_configuration(["MeterValueSampleInterval", "nonsense"])
    assert answer is not None
    assert [entry.value for entry in answer.values] == ["60"]
    assert answer.unknown == ["nonsense"]
    assert remote.change_configuration("MeterValueSampleInterval", "30") is ConfigurationStatus.Accepted
    assert remote.change_availability(2, AvailabilityType.Inoperative) is AvailabilityStatus.Accepted
    assert remote.trigger_message(MessageTrigger.Heartbeat) is TriggerMessageStatus.Accepted
    assert remote.data_transfer("vendor", "m", "there and") == (DataTransferStatus.Accepted, "there and back")
    chain.sim.sleep(1)
    assert (2, ChargePointStatus.Unavailable) in chain.of("status")
    assert len(chain.of("heartbeat")) == 1


def test_limits_with_one_decimal_arrive_unchanged(chain: Chain) -> None:
    frames: list[tuple[str, str]] = []
    chain.sim.network.spies.append(lambda direction, identity, text: frames.append((direction, text)))
    profile = ChargingProfile(
        charging_profile_id=1,
        stack_level=0,
        charging_profile_purpose=ChargingProfilePurposeType.TxDefaultProfile,
        charging_profile_kind=ChargingProfileKindType.Relative,
        charging_schedule=ChargingSchedule(
            charging_rate_unit=ChargingRateUnitType.A,
            min_charging_rate=6.1,
            charging_schedule_period=[
                ChargingSchedulePeriod(start_period=0, limit=8.1), ChargingSchedulePeriod(start_period=60, limit=16.3),
            ],
        ),
    )  # fmt: skip
    assert chain.remote.set_charging_profile(1, profile) is ChargingProfileStatus.Accepted
    payloads = {text.partition('"SetChargingProfile"')[2] for _, text in frames if "SetChargingProfile" in text}
    assert len(payloads) == 1, "the same text on both legs"
    assert all(f":{number}" in payloads.copy().pop() for number in ("6.1", "8.1", "16.3"))
    schedule = chain.remote.get_composite_schedule(1, 120, ChargingRateUnitType.A)
    assert schedule is not None
    assert schedule.schedule is not None
    assert [period.limit for period in schedule.schedule.charging_schedule_period] == [8.1, 16.3]


def test_diagnostics_and_firmware(chain: Chain) -> None:
    now = chain.sim.clock.utcnow()
    assert chain.remote.get_diagnostics("ftp://there/") == "diagnostics.zip"
    chain.sim.sleep(60)
    assert chain.of("diagnostics") == [("Uploading",), ("Uploaded",)]
    assert chain.remote.update_firmware("ftp://there/firmware.bin", None, now)
    chain.sim.sleep(60)
    assert chain.of("firmware")[:3] == [("Downloading",), ("Downloaded",), ("Installing",)]
    assert [entry[0] for entry in chain.station.seen if entry[0] != "connected"] == ["upload", "download", "install"]


@pytest.mark.parametrize("leg", [0, 1], ids=["below", "above"])
def test_a_leg_is_cut_in_the_middle_of_a_transaction(chain: Chain, leg: int) -> None:
    """A charge point that does not notice gives up after a few errors; one that is sent away keeps its messages."""
    charge_point = chain.charge_point
    unnoticed = leg == 1 and not chain.controller.config.disconnect_from_cp_when_cs_disconnected
    minutes = 1 if unnoticed else 10
    assert charge_point.start_transaction(1, "TAG") is AuthorizationStatus.Accepted
    chain.sim.sleep(61)
    chain.sim.network.refuse()
    chain.sim.network.links_of("CP 1")[leg].cut()
    chain.sim.sleep(60 * minutes)
    stopping = chain.sim.user(lambda: charge_point.stop_transaction(1, "TAG"))
    chain.sim.sleep(30)
    assert len(chain.of("end")) == 0
    chain.sim.network.refuse(False)
    assert stopping.result()
    chain.sim.run_until(lambda: bool(chain.of("end")), limit=600)
    chain.sim.sleep(60)
    assert chain.of("begin") == [(1, "TAG", 100)]
    assert chain.of("end") == [(4711, 200)]
    assert {transaction for transaction, _ in chain.of("meter")} == {4711}
    assert len(chain.of("meter")) == 1 + minutes, "each minute's, those of the outage too"
    assert (("connected", False) in chain.station.seen) is not unnoticed
    assert len(chain.of("boot")) == 1


def test_a_day_through_the_chain(chain: Chain) -> None:
    assert chain.charge_point.start_transaction(1, "TAG") is AuthorizationStatus.Accepted
    chain.sim.sleep(86_401)
    assert chain.charge_point.stop_transaction(1, "TAG")
    chain.sim.sleep(1)
    assert len(chain.of("meter")) == 1440
    assert chain.of("end") == [(4711, 200)]
    assert chain.of("gone") == []
