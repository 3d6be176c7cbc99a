"""The alliance's cases for central systems: lists, firmware, reservations, triggers, smart charging."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from openocpp import (
    AuthorizationData,
    AuthorizationStatus,
    ChargingProfile,
    ChargingProfileKindType,
    ChargingProfilePurposeType,
    ChargingProfileStatus,
    ChargingRateUnitType,
    ChargingSchedule,
    ChargingSchedulePeriod,
    GetCompositeScheduleStatus,
    IdTagInfo,
    MessageTrigger,
    ReservationStatus,
    TriggerMessageStatus,
    UpdateStatus,
    UpdateType,
)
from openocpp.testing.conversation import ABSENT
from tests.oca.central_system import START, Case, remote_start, stamp

# -- local authorization list ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [pytest.param(-1, id="tc_042_1_csms"), pytest.param(0, id="tc_042_2_csms")])
def test_tc_042_csms(case: Case, version: int) -> None:
    result = case.command(case.charge_point.get_local_list_version, "GetLocalListVersion", {}, {"listVersion": version})
    assert result == version


@pytest.mark.parametrize(
    ("update", "status"),
    [
        pytest.param(UpdateType.Full, UpdateStatus.NotSupported, id="tc_043_1_csms"),
        pytest.param(UpdateType.Full, UpdateStatus.Failed, id="tc_043_3_csms"),
        pytest.param(UpdateType.Full, UpdateStatus.Accepted, id="tc_043_4_csms"),
        pytest.param(UpdateType.Differential, UpdateStatus.Accepted, id="tc_043_5_csms"),
    ],
)
def test_tc_043_csms(case: Case, update: UpdateType, status: UpdateStatus) -> None:
    entries = [AuthorizationData(id_tag="VALID", id_tag_info=IdTagInfo(status=AuthorizationStatus.Accepted))]
    pattern = {
        "listVersion": 2, "updateType": str(update),
        "localAuthorizationList": [{"idTag": "VALID", "idTagInfo": {"status": "Accepted"}}],
    }  # fmt: skip
    result = case.command(
        lambda: case.charge_point.send_local_list(2, entries, update), "SendLocalList", pattern,
        {"status": str(status)},
    )  # fmt: skip
    assert result is status


# -- firmware and diagnostics ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statuses",
    [
        pytest.param(["Downloading", "Downloaded", "Installing", "Installed"], id="tc_044_1_csms"),
        pytest.param(["Downloading", "DownloadFailed"], id="tc_044_2_csms"),
        pytest.param(["Downloading", "Downloaded", "Installing", "InstallationFailed"], id="tc_044_3_csms"),
    ],
)
def test_tc_044_csms(case: Case, statuses: list[str]) -> None:
    assert case.command(
        lambda: case.charge_point.update_firmware("ftp://files/fw.bin", 3, START, 30),
        "UpdateFirmware",
        {"location": "ftp://files/fw.bin", "retries": 3, "retrieveDate": stamp(START), "retryInterval": 30}, {},
    )  # fmt: skip
    for status in statuses:
        assert case.peer.call("FirmwareStatusNotification", {"status": status}).result() == {}
    assert case.backend.firmware == statuses


@pytest.mark.parametrize(
    "statuses",
    [
        pytest.param(["Uploading", "Uploaded"], id="tc_045_1_csms"),
        pytest.param(["Uploading", "UploadFailed"], id="tc_045_2_csms"),
    ],
)
def test_tc_045_csms(case: Case, statuses: list[str]) -> None:
    name = case.command(
        lambda: case.charge_point.get_diagnostics("ftp://files/in/"),
        "GetDiagnostics", {"location": "ftp://files/in/"}, {"fileName": "diagnostics.zip"},
    )  # fmt: skip
    assert name == "diagnostics.zip"
    for status in statuses:
        assert case.peer.call("DiagnosticsStatusNotification", {"status": status}).result() == {}
    assert case.backend.diagnostics == statuses


# -- reservation -------------------------------------------------------------------------------------------------------


def reserve(case: Case, connector: int = 1, status: str = "Accepted", parent: str = "") -> ReservationStatus:
    expiry = case.sim.clock.utcnow() + timedelta(minutes=10)
    pattern = {
        "connectorId": connector, "idTag": "VALID", "expiryDate": stamp(expiry), "reservationId": 7,
        "parentIdTag": parent or ABSENT,
    }  # fmt: skip
    result: ReservationStatus = case.command(
        lambda: case.charge_point.reserve_now(connector, expiry, "VALID", parent, 7), "ReserveNow", pattern,
        {"status": status},
    )  # fmt: skip
    return result


def test_tc_046_csms(case: Case) -> None:
    assert reserve(case) is ReservationStatus.Accepted
    case.status(1, "Reserved")
    case.authorize()
    case.status(1, "Preparing")
    transaction = case.start(reservationId=7)
    assert case.backend.transactions[transaction]["reservation"] == 7
    case.status(1, "Charging")


def test_tc_047_csms(case: Case) -> None:
    assert reserve(case) is ReservationStatus.Accepted
    case.status(1, "Reserved")
    case.sim.sleep(600)
    case.status(1, "Available")


@pytest.mark.parametrize(
    "status",
    [
        pytest.param("Faulted", id="tc_048_1_csms"),
        pytest.param("Occupied", id="tc_048_2_csms"),
        pytest.param("Unavailable", id="tc_048_3_csms"),
        pytest.param("Rejected", id="tc_048_4_csms"),
    ],
)
def test_tc_048_csms(case: Case, status: str) -> None:
    assert reserve(case, status=status) == status


def test_tc_049_csms(case: Case) -> None:
    """The station as a whole is reserved."""
    assert reserve(case, connector=0) is ReservationStatus.Accepted
    case.authorize()
    transaction = case.start(connector=2, reservationId=7)
    assert case.backend.transactions[transaction] | {"start": 0} == {
        "connector": 2, "tag": "VALID", "reservation": 7, "start": 0,
    }  # fmt: skip


def cancel(case: Case, status: str) -> bool:
    result: bool = case.command(
        lambda: case.charge_point.cancel_reservation(7), "CancelReservation", {"reservationId": 7},
        {"status": status},
    )  # fmt: skip
    return result


def test_tc_051_csms(case: Case) -> None:
    assert reserve(case) is ReservationStatus.Accepted
    case.status(1, "Reserved")
    assert cancel(case, "Accepted")
    case.status(1, "Available")


def test_tc_052_csms(case: Case) -> None:
    assert not cancel(case, "Rejected")


def test_tc_053_csms(case: Case) -> None:
    """Another tag of the same parent uses the reservation."""
    assert reserve(case, parent="PARENT") is ReservationStatus.Accepted
    case.status(1, "Reserved")
    case.peer.call("Authorize", {"idTag": "FAMILY"}).result({"idTagInfo": {"parentIdTag": "PARENT"}})
    transaction = case.start("FAMILY", reservationId=7)
    assert case.backend.transactions[transaction]["tag"] == "FAMILY"


# -- remote trigger ----------------------------------------------------------------------------------------------------


TRIGGERED: list[tuple[MessageTrigger, dict[str, Any]]] = [
    (MessageTrigger.BootNotification, {"chargePointVendor": "V", "chargePointModel": "M"}),
    (MessageTrigger.DiagnosticsStatusNotification, {"status": "Idle"}),
    (MessageTrigger.FirmwareStatusNotification, {"status": "Idle"}),
    (MessageTrigger.Heartbeat, {}),
    (
        MessageTrigger.MeterValues,
        {"connectorId": 1, "meterValue": [{"timestamp": stamp(START), "sampledValue": [{"value": "1"}]}]},
    ),
    (MessageTrigger.StatusNotification, {"connectorId": 1, "errorCode": "NoError", "status": "Available"}),
]


def test_tc_054_csms(case: Case) -> None:
    for message, payload in TRIGGERED:
        result = case.command(
            partial(case.charge_point.trigger_message, message),
            "TriggerMessage", {"requestedMessage": str(message), "connectorId": ABSENT}, {"status": "Accepted"},
        )  # fmt: skip
        assert result is TriggerMessageStatus.Accepted
        case.peer.call(str(message), payload).result()


def test_tc_055_csms(case: Case) -> None:
    result = case.command(
        lambda: case.charge_point.trigger_message(MessageTrigger.MeterValues, 99),
        "TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 99}, {"status": "Rejected"},
    )  # fmt: skip
    assert result is TriggerMessageStatus.Rejected


# -- smart charging ----------------------------------------------------------------------------------------------------


def profile(purpose: ChargingProfilePurposeType, transaction: int | None = None) -> ChargingProfile:
    return ChargingProfile(
        charging_profile_id=1,
        transaction_id=transaction,
        stack_level=0,
        charging_profile_purpose=purpose,
        charging_profile_kind=ChargingProfileKindType.Absolute,
        charging_schedule=ChargingSchedule(
            duration=86400,
            start_schedule=START,
            charging_rate_unit=ChargingRateUnitType.A,
            charging_schedule_period=[ChargingSchedulePeriod(start_period=0, limit=6.3, number_phases=3)],
        ),
    )


def pattern(purpose: str, transaction: int | None = None) -> dict[str, Any]:
    return {
        "chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": purpose, "chargingProfileKind": "Absolute",
        "transactionId": ABSENT if transaction is None else transaction,
        "chargingSchedule": {
            "duration": 86400, "startSchedule": stamp(START), "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.3, "numberPhases": 3}],
        },
    }  # fmt: skip


def test_tc_056_csms(case: Case) -> None:
    result = case.command(
        lambda: case.charge_point.set_charging_profile(1, profile(ChargingProfilePurposeType.TxDefaultProfile)),
        "SetChargingProfile", {"connectorId": 1, "csChargingProfiles": pattern("TxDefaultProfile")},
        {"status": "Accepted"},
    )  # fmt: skip
    assert result is ChargingProfileStatus.Accepted


def test_tc_057_csms(case: Case) -> None:
    transaction = case.session()
    chosen = profile(ChargingProfilePurposeType.TxProfile, transaction)
    result = case.command(
        lambda: case.charge_point.set_charging_profile(1, chosen),
        "SetChargingProfile", {"connectorId": 1, "csChargingProfiles": pattern("TxProfile", transaction)},
        {"status": "Accepted"},
    )  # fmt: skip
    assert result is ChargingProfileStatus.Accepted


def test_tc_059_csms(case: Case) -> None:
    chosen = profile(ChargingProfilePurposeType.TxProfile)
    assert remote_start(case, profile=chosen, pattern={"chargingProfile": pattern("TxProfile")})
    case.authorize()
    case.start()
    case.status(1, "Charging")


def test_tc_066_csms(case: Case) -> None:
    schedule = {"duration": 300, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 8.1}]}
    answer = {
        "status": "Accepted", "connectorId": 1, "scheduleStart": stamp(START), "chargingSchedule": schedule,
    }  # fmt: skip
    result = case.command(
        lambda: case.charge_point.get_composite_schedule(1, 300, ChargingRateUnitType.A),
        "GetCompositeSchedule", {"connectorId": 1, "duration": 300, "chargingRateUnit": "A"}, answer,
    )  # fmt: skip
    assert result.status is GetCompositeScheduleStatus.Accepted
    assert result.schedule_start == START
    assert result.schedule.charging_schedule_period[0].limit == 8.1


def test_tc_067_csms(case: Case) -> None:
    clear = case.charge_point.clear_charging_profile
    assert case.command(lambda: clear(1), "ClearChargingProfile", {"id": 1}, {"status": "Accepted"})
    by_purpose = {"id": ABSENT, "chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 0, "connectorId": 1}
    assert case.command(
        lambda: clear(None, 1, ChargingProfilePurposeType.TxDefaultProfile, 0),
        "ClearChargingProfile", by_purpose, {"status": "Accepted"},
    )  # fmt: skip
    assert not case.command(lambda: clear(2), "ClearChargingProfile", {"id": 2}, {"status": "Unknown"})
