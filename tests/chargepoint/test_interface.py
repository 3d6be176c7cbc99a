"""What users derive from and what they get: missing methods are named early, ready answers are safe."""

from __future__ import annotations

import inspect
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

import openocpp
from openocpp.chargepoint.interface import DefaultChargePointEventsHandler, IChargePoint, IChargePointEventsHandler
from openocpp.config import ChargePointConfig
from openocpp.types import (
    AvailabilityStatus,
    AvailabilityType,
    ChargePointStatus,
    DataTransferResult,
    DataTransferStatus,
    Measurand,
    RegistrationStatus,
    ResetType,
    UnlockStatus,
)
from tests.chargepoint.conftest import CentralSide, Station

if TYPE_CHECKING:
    from openocpp.testing import SimulatedRuntime

NOW = datetime(2024, 1, 1, tzinfo=UTC)


class Minimal(DefaultChargePointEventsHandler):
    """All that has to be written."""

    def get_tx_start_stop_meter_value(self, connector_id: int) -> int:
        return 5


ANSWERS: dict[str, tuple[tuple[Any, ...], Any]] = {
    "connection_failed": ((RegistrationStatus.Rejected,), None),
    "connection_state_changed": ((True,), None),
    "boot_notification": ((RegistrationStatus.Accepted, NOW), None),
    "datetime_received": ((NOW,), None),
    "change_availability_requested": ((1, AvailabilityType.Operative), AvailabilityStatus.Accepted),
    "reservation_started": ((1,), None),
    "reservation_ended": ((1, True), None),
    "data_transfer_requested": (("v", "m", "d"), DataTransferResult(DataTransferStatus.UnknownVendorId, "")),
    "get_meter_value": ((1, Measurand.SoC, None), None),
    "remote_start_transaction_requested": ((1, "TAG"), False),
    "remote_stop_transaction_requested": ((1,), False),
    "transaction_de_authorized": ((1,), None),
    "get_local_limitations_schedule": ((1, 60), None),
    "reset_requested": ((ResetType.Hard,), False),
    "unlock_connector_requested": ((1,), UnlockStatus.NotSupported),
    "get_diagnostics": ((None, None), ""),
    "update_firmware_requested": ((), ""),
    "install_firmware": (("path",), None),
    "upload_file": (("path", "url"), False),
    "download_file": (("url", "path"), False),
    "firmware_install_needs_idle": ((), True),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_ready_answers_are_safe(name: str) -> None:
    arguments, answer = ANSWERS[name]
    assert getattr(Minimal(), name)(*arguments) == answer


def test_the_energy_register_is_all_that_has_to_be_written() -> None:
    with pytest.raises(TypeError, match="get_tx_start_stop_meter_value"):
        DefaultChargePointEventsHandler()  # type: ignore[abstract]
    assert Minimal().get_tx_start_stop_meter_value(1) == 5


def test_a_handler_written_from_scratch_is_told_what_is_missing() -> None:
    class Forgetful(IChargePointEventsHandler):
        """Nothing is written."""

    with pytest.raises(TypeError) as caught:
        Forgetful()  # type: ignore[abstract]
    for name in ANSWERS:
        assert name in str(caught.value)


@pytest.mark.parametrize("kind", [IChargePoint, IChargePointEventsHandler])
def test_every_member_says_what_it_is_for(kind: type) -> None:
    for name in kind.__abstractmethods__:  # type: ignore[attr-defined]
        member = inspect.getattr_static(kind, name)
        function = member.fget if isinstance(member, property) else member
        assert inspect.getdoc(function), f"{kind.__name__}.{name}"
        assert "return" in function.__annotations__, f"{kind.__name__}.{name}"


def test_the_public_names_are_these_classes() -> None:
    assert openocpp.IChargePoint is IChargePoint
    assert openocpp.IChargePointEventsHandler is IChargePointEventsHandler
    assert openocpp.DefaultChargePointEventsHandler is DefaultChargePointEventsHandler


def test_create_refers_to_what_it_is_given_and_sends_nothing(sim: SimulatedRuntime, central: CentralSide) -> None:
    station = Station(sim, "")
    cp = IChargePoint.create(ChargePointConfig(**station.settings), station.keys, station.handler, sim)
    assert isinstance(cp, IChargePoint)
    assert cp.runtime is sim
    central.server.expect_nobody(10.0)
    station.keys.put("NumberOfConnectors", "5")
    assert cp.get_connector_status(5) is ChargePointStatus.Available
    assert cp.get_connector_status(6) is ChargePointStatus.Unavailable


def test_without_a_runtime_it_has_one_of_its_own(sim: SimulatedRuntime) -> None:
    station = Station(sim, "")
    config = ChargePointConfig(**station.settings)
    first = IChargePoint.create(config, station.keys, station.handler)
    second = IChargePoint.create(replace(config, charge_point_identifier="CP2"), station.keys, station.handler)
    assert first.runtime is not second.runtime
    for cp in (first, second):
        assert cp.runtime.submit(lambda: 42).result(20.0) == 42  # for jobs of the application's own
        cp.runtime.stop()
