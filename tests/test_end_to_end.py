"""Our charge point against our central system: a simulated day, and two hundred of them on one set of threads."""

from __future__ import annotations

import gc
import socket
import threading
from typing import TYPE_CHECKING, Any

from openocpp import (
    AuthorizationStatus,
    CentralSystemConfig,
    ChargePointConfig,
    DefaultCentralSystemEventsHandler,
    DefaultChargePointEventsHandler,
    DefaultChargePointRequestHandler,
    ICentralSystem,
    IChargePoint,
    IdTagInfo,
    Measurand,
    MemoryOcppConfig,
    Phase,
    RegistrationStatus,
    Runtime,
    SampledValue,
    StartTransactionResult,
)
from openocpp.testing import SimulatedRuntime
from tests.conftest import open_descriptors, scaled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from openocpp import MeterValue, Reason

DAY = 86_400
QUARTER = 900
ACCEPTED = IdTagInfo(status=AuthorizationStatus.Accepted)


class Meter(DefaultChargePointEventsHandler):
    """An application whose meter counts its own readings."""

    def __init__(self) -> None:
        self.readings = 0
        self.registered = threading.Event()

    def boot_notification(self, status: RegistrationStatus, time: datetime) -> None:
        if status is RegistrationStatus.Accepted:
            self.registered.set()

    def get_tx_start_stop_meter_value(self, connector_id: int) -> int:
        self.readings += 1
        return self.readings

    def get_meter_value(
        self, connector_id: int, measurand: Measurand, phase: Phase | None
    ) -> Sequence[SampledValue] | None:
        self.readings += 1
        return [SampledValue(value=str(self.readings))]


class Recorder(DefaultChargePointRequestHandler):
    """Accepts everything, and notes it."""

    def __init__(self, log: list[tuple[Any, ...]], identifier: str) -> None:
        self.log = log
        self.identifier = identifier

    def note(self, *what: Any) -> None:
        self.log.append((self.identifier, *what))

    def heartbeat(self) -> None:
        self.note("heartbeat")

    def authorize(self, id_tag: str) -> IdTagInfo:
        return ACCEPTED

    def boot_notification(self, *fields: str) -> RegistrationStatus:
        self.note("boot")
        return RegistrationStatus.Accepted

    def meter_values(self, connector_id: int, transaction_id: int | None, meter_values: Sequence[MeterValue]) -> None:
        self.note("meter", connector_id, transaction_id, meter_values[0].timestamp)

    def start_transaction(
        self, connector_id: int, id_tag: str, meter_start: int, reservation_id: int | None, timestamp: datetime
    ) -> StartTransactionResult:
        self.note("start", connector_id)
        return StartTransactionResult(ACCEPTED, 5)

    def stop_transaction(
        self,
        id_tag: str,
        meter_stop: int,
        timestamp: datetime,
        transaction_id: int,
        reason: Reason,
        transaction_data: Sequence[MeterValue],
    ) -> IdTagInfo | None:
        self.note("stop", transaction_id)
        return None


class Operator(DefaultCentralSystemEventsHandler):
    def __init__(self) -> None:
        self.log: list[tuple[Any, ...]] = []

    def charge_point_connected(self, charge_point: ICentralSystem.IChargePoint) -> None:
        charge_point.register_handler(Recorder(self.log, charge_point.identifier))


def a_day(seed: int) -> list[tuple[Any, ...]]:
    """Heartbeats and quarter-hourly meter values of a charging charge point, for a day."""
    with SimulatedRuntime(seed) as sim:
        operator = Operator()
        central = ICentralSystem.create(
            CentralSystemConfig(listen_url="ws://localhost:9000/ocpp", heartbeat_interval=300), operator, sim
        )
        assert central.start()
        keys = MemoryOcppConfig(
            {
                "NumberOfConnectors": 1,
                "MeterValueSampleInterval": QUARTER,
                "ClockAlignedDataInterval": QUARTER,
                "MinimumStatusDuration": 0,
            }
        )
        config = ChargePointConfig(connexion_url="ws://localhost:9000/ocpp", charge_point_identifier="CP1")
        charge_point = IChargePoint.create(config, keys, Meter(), sim)
        assert charge_point.start()
        sim.run_until(lambda: charge_point.registration_status is RegistrationStatus.Accepted)
        assert charge_point.start_transaction(1, "TAG") is AuthorizationStatus.Accepted
        sim.sleep(DAY + 1)
        assert charge_point.stop_transaction(1, "TAG")
        charge_point.stop()
        central.stop()
        return operator.log


def test_a_simulated_day_is_complete_and_always_the_same() -> None:
    log = a_day(3)
    kinds = [entry[1] for entry in log]
    assert kinds[0] == "boot"
    assert kinds.count("boot") == kinds.count("start") == kinds.count("stop") == 1
    sampled = [entry for entry in log if entry[1] == "meter" and entry[3] == 5]
    # connector 1: sampled and clock-aligned each quarter; connector 0: clock-aligned
    assert len(sampled) == 2 * DAY // QUARTER
    assert len([entry for entry in log if entry[1] == "meter" and entry[2] == 0]) == DAY // QUARTER
    # a heartbeat goes out after 300 s without anything else: two between the quarters' messages
    assert kinds.count("heartbeat") == 2 * DAY // QUARTER
    assert log == a_day(3)


def test_two_hundred_charge_points_share_one_runtime(tmp_path: Path) -> None:
    gc.collect()  # what earlier tests left open is not to go meanwhile
    threads, files = threading.active_count(), len(open_descriptors())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    operator = Operator()
    central = ICentralSystem.create(
        CentralSystemConfig(listen_url=f"ws://127.0.0.1:{port}/ocpp", log_max_entries_count=0), operator
    )
    assert central.start()
    with_central = threading.active_count()
    runtime = Runtime(name="park")  # at most 1 scheduler, 2 workers and 8 spares, 4 connectors, 1 writer
    stations: list[tuple[IChargePoint, Meter]] = []
    for number in range(200):
        meter = Meter()
        config = ChargePointConfig(
            connexion_url=f"ws://127.0.0.1:{port}/ocpp",
            charge_point_identifier=f"CP{number}",
            call_request_timeout=scaled(20),
            connection_timeout=scaled(20),
            database_path=str(tmp_path / f"{number}.db") if number < 20 else "",
            log_max_entries_count=0,
        )
        keys = MemoryOcppConfig({"NumberOfConnectors": 1, "MeterValueSampleInterval": 0, "MinimumStatusDuration": 0})
        stations.append((IChargePoint.create(config, keys, meter, runtime), meter))
    for charge_point, _ in stations:
        assert charge_point.start()
    for _, meter in stations:
        assert meter.registered.wait(scaled(30))
    # the central system makes its workers at first use: it has 16 and one scheduler, one may be its store's
    assert threading.active_count() - with_central <= 16 + 17
    park = [thread.name for thread in threading.enumerate() if thread.name.startswith("park")]
    assert len(park) <= 16
    for charge_point, _ in stations:
        assert charge_point.start_transaction(1, "TAG") is AuthorizationStatus.Accepted
        assert charge_point.transaction_id(1) == 5
    for charge_point, _ in stations:
        assert charge_point.stop_transaction(1, "TAG")
    for charge_point, _ in stations:
        assert charge_point.stop()
    assert central.stop()
    runtime.stop()
    for kind in ("boot", "start", "stop"):
        assert sorted({entry[0] for entry in operator.log if entry[1] == kind}) == sorted(
            f"CP{number}" for number in range(200)
        )
    assert threading.active_count() == threads
    assert len(open_descriptors()) == files
