"""Tests of openocpp.centralsystem.operations: what each operation sends, and what it makes of each answer."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from openocpp import (
    AuthorizationData,
    AuthorizationStatus,
    AvailabilityStatus,
    AvailabilityType,
    CertificateHashDataChainType,
    CertificateHashDataType,
    CertificateStatusEnumType,
    CertificateUseEnumType,
    ChargingProfile,
    ChargingProfileKindType,
    ChargingProfilePurposeType,
    ChargingProfileStatus,
    ChargingRateUnitType,
    ChargingSchedule,
    ChargingSchedulePeriod,
    CompositeSchedule,
    ConfigurationResult,
    ConfigurationStatus,
    DataTransferResult,
    DataTransferStatus,
    DeleteCertificateStatusEnumType,
    GetCertificateIdUseEnumType,
    GetCompositeScheduleStatus,
    GetLogResult,
    HashAlgorithmEnumType,
    IdTagInfo,
    InstallCertificateStatusEnumType,
    InstallCertificateUseEnumType,
    KeyValue,
    LocalProtocolError,
    LogEnumType,
    LogStatusEnumType,
    MessageTrigger,
    MessageTriggerEnumType,
    ReservationStatus,
    ResetType,
    TriggerMessageStatus,
    TriggerMessageStatusEnumType,
    UnlockStatus,
    UpdateFirmwareStatusEnumType,
    UpdateStatus,
    UpdateType,
)
from openocpp.types.pem import PemText

if TYPE_CHECKING:
    from tests.centralsystem.bench import Bench

STAMP = "2024-05-01T12:00:00Z"
INSTANT = datetime(2024, 5, 1, 12, tzinfo=UTC)
LATER = datetime(2024, 5, 2, 12, tzinfo=UTC)
PEM = PemText("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n")
HASH = {"hashAlgorithm": "SHA256", "issuerNameHash": "aa", "issuerKeyHash": "bb", "serialNumber": "01"}
HASH_DATA = CertificateHashDataType(
    hash_algorithm=HashAlgorithmEnumType.SHA256, issuer_name_hash="aa", issuer_key_hash="bb", serial_number="01"
)
SCHEDULE = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.2}]}
SCHEDULE_DATA = ChargingSchedule(
    charging_rate_unit=ChargingRateUnitType.A,
    charging_schedule_period=[ChargingSchedulePeriod(start_period=0, limit=16.2)],
)
PROFILE = {
    "chargingProfileId": 3, "stackLevel": 0, "chargingProfilePurpose": "TxProfile", "chargingProfileKind": "Relative",
    "chargingSchedule": SCHEDULE,
}  # fmt: skip
PROFILE_DATA = ChargingProfile(
    charging_profile_id=3,
    stack_level=0,
    charging_profile_purpose=ChargingProfilePurposeType.TxProfile,
    charging_profile_kind=ChargingProfileKindType.Relative,
    charging_schedule=SCHEDULE_DATA,
)
VENDOR = "org.openchargealliance.iso15118pnc"


@dataclass
class Row:
    """An operation with its arguments, what it must send, and answers with the results that they must have."""

    operation: str
    arguments: tuple[Any, ...]
    action: str
    payload: dict[str, Any]
    answers: list[tuple[dict[str, Any], Any]]
    refused: Any
    named: dict[str, Any] = field(default_factory=dict)
    tunnelled: bool = False

    def __repr__(self) -> str:
        return f"{self.operation}{self.arguments!r:.40}"


def statuses(enum: Any) -> list[tuple[dict[str, Any], Any]]:
    """Each status is the result."""
    return [({"status": str(status)}, status) for status in enum]


def accepted_or(*others: str) -> list[tuple[dict[str, Any], Any]]:
    return [({"status": "Accepted"}, True), *(({"status": other}, False) for other in others)]


ROWS = [
    Row("cancel_reservation", (5,), "CancelReservation", {"reservationId": 5}, accepted_or("Rejected"), False),
    Row(
        "change_availability", (0, AvailabilityType.Inoperative), "ChangeAvailability",
        {"connectorId": 0, "type": "Inoperative"}, statuses(AvailabilityStatus), AvailabilityStatus.Rejected,
    ),
    Row(
        "change_configuration", ("Key", "value"), "ChangeConfiguration", {"key": "Key", "value": "value"},
        statuses(ConfigurationStatus), ConfigurationStatus.Rejected,
    ),
    Row("clear_cache", (), "ClearCache", {}, accepted_or("Rejected"), False),
    Row("clear_charging_profile", (), "ClearChargingProfile", {}, accepted_or("Unknown"), False),
    Row(
        "clear_charging_profile", (7, 0, ChargingProfilePurposeType.TxDefaultProfile, 2), "ClearChargingProfile",
        {"id": 7, "connectorId": 0, "chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 2},
        accepted_or("Unknown"), False,
    ),
    Row(
        "data_transfer", ("V",), "DataTransfer", {"vendorId": "V"},
        [
            ({"status": str(status), "data": "D"}, DataTransferResult(status, "D"))
            for status in DataTransferStatus
        ],
        None,
    ),
    Row(
        "data_transfer", ("V", "M", "D"), "DataTransfer", {"vendorId": "V", "messageId": "M", "data": "D"},
        [({"status": "Accepted"}, DataTransferResult(DataTransferStatus.Accepted, ""))], None,
    ),
    Row(
        "get_composite_schedule", (1, 400), "GetCompositeSchedule", {"connectorId": 1, "duration": 400},
        [({"status": "Rejected"}, CompositeSchedule(GetCompositeScheduleStatus.Rejected, None, None, None))], None,
    ),
    Row(
        "get_composite_schedule", (1, 400, ChargingRateUnitType.W), "GetCompositeSchedule",
        {"connectorId": 1, "duration": 400, "chargingRateUnit": "W"},
        [(
            {"status": "Accepted", "connectorId": 1, "scheduleStart": STAMP, "chargingSchedule": SCHEDULE},
            CompositeSchedule(GetCompositeScheduleStatus.Accepted, 1, INSTANT, SCHEDULE_DATA),
        )], None,
    ),
    Row(
        "get_configuration", (), "GetConfiguration", {},
        [
            ({}, ConfigurationResult([], [])),
            (
                {"configurationKey": [{"key": "A", "readonly": True, "value": "1"}], "unknownKey": ["B"]},
                ConfigurationResult([KeyValue(key="A", readonly=True, value="1")], ["B"]),
            ),
        ], None,
    ),
    Row(
        "get_configuration", (["A", "B"],), "GetConfiguration", {"key": ["A", "B"]},
        [({"unknownKey": ["A", "B"]}, ConfigurationResult([], ["A", "B"]))], None,
    ),
    Row(
        "get_diagnostics", ("ftp://h/d",), "GetDiagnostics", {"location": "ftp://h/d"},
        [({}, ""), ({"fileName": "f.zip"}, "f.zip")], None,
    ),
    Row(
        "get_diagnostics", ("ftp://h/d", 3, 60, INSTANT, LATER), "GetDiagnostics",
        {
            "location": "ftp://h/d", "retries": 3, "retryInterval": 60, "startTime": STAMP,
            "stopTime": "2024-05-02T12:00:00Z",
        },
        [({}, "")], None,
    ),
    Row(
        "get_local_list_version", (), "GetLocalListVersion", {},
        [({"listVersion": version}, version) for version in (-1, 0, 12)], None,
    ),
    Row(
        "remote_start_transaction", (None, "A"), "RemoteStartTransaction", {"idTag": "A"}, accepted_or("Rejected"),
        False,
    ),
    Row(
        "remote_start_transaction", (2, "A", PROFILE_DATA), "RemoteStartTransaction",
        {"connectorId": 2, "idTag": "A", "chargingProfile": PROFILE}, accepted_or("Rejected"), False,
    ),
    Row(
        "remote_stop_transaction", (9,), "RemoteStopTransaction", {"transactionId": 9}, accepted_or("Rejected"), False,
    ),
    Row(
        "reserve_now", (1, INSTANT, "A", "", 5), "ReserveNow",
        {"connectorId": 1, "expiryDate": STAMP, "idTag": "A", "reservationId": 5},
        statuses(ReservationStatus), ReservationStatus.Rejected,
    ),
    Row(
        "reserve_now", (0, INSTANT, "A", "P", 5), "ReserveNow",
        {"connectorId": 0, "expiryDate": STAMP, "idTag": "A", "parentIdTag": "P", "reservationId": 5},
        [({"status": "Occupied"}, ReservationStatus.Occupied)], ReservationStatus.Rejected,
    ),
    Row("reset", (ResetType.Hard,), "Reset", {"type": "Hard"}, accepted_or("Rejected"), False),
    Row(
        "send_local_list", (3, [], UpdateType.Full), "SendLocalList", {"listVersion": 3, "updateType": "Full"},
        statuses(UpdateStatus), UpdateStatus.Failed,
    ),
    Row(
        "send_local_list",
        (
            4,
            [
                AuthorizationData(id_tag="A", id_tag_info=IdTagInfo(status=AuthorizationStatus.Accepted)),
                AuthorizationData(id_tag="B"),
            ],
            UpdateType.Differential,
        ),
        "SendLocalList",
        {
            "listVersion": 4, "updateType": "Differential",
            "localAuthorizationList": [{"idTag": "A", "idTagInfo": {"status": "Accepted"}}, {"idTag": "B"}],
        },
        [({"status": "VersionMismatch"}, UpdateStatus.VersionMismatch)], UpdateStatus.Failed,
    ),
    Row(
        "set_charging_profile", (1, PROFILE_DATA), "SetChargingProfile",
        {"connectorId": 1, "csChargingProfiles": PROFILE}, statuses(ChargingProfileStatus),
        ChargingProfileStatus.Rejected,
    ),
    Row(
        "trigger_message", (MessageTrigger.MeterValues, 1), "TriggerMessage",
        {"requestedMessage": "MeterValues", "connectorId": 1}, statuses(TriggerMessageStatus),
        TriggerMessageStatus.Rejected,
    ),
    Row(
        "trigger_message", (MessageTrigger.Heartbeat,), "TriggerMessage", {"requestedMessage": "Heartbeat"},
        [], TriggerMessageStatus.Rejected,
    ),
    Row(
        "unlock_connector", (1,), "UnlockConnector", {"connectorId": 1}, statuses(UnlockStatus),
        UnlockStatus.UnlockFailed,
    ),
    Row(
        "update_firmware", ("ftp://h/f", None, INSTANT), "UpdateFirmware",
        {"location": "ftp://h/f", "retrieveDate": STAMP}, [({}, True)], False,
    ),
    Row(
        "update_firmware", ("ftp://h/f", 2, INSTANT, 30), "UpdateFirmware",
        {"location": "ftp://h/f", "retrieveDate": STAMP, "retries": 2, "retryInterval": 30}, [({}, True)], False,
    ),
    Row(
        "certificate_signed", (PEM,), "CertificateSigned", {"certificateChain": PEM.pem},
        accepted_or("Rejected"), False,
    ),
    Row(
        "delete_certificate", (HASH_DATA,), "DeleteCertificate", {"certificateHashData": HASH},
        statuses(DeleteCertificateStatusEnumType), DeleteCertificateStatusEnumType.Failed,
    ),
    Row(
        "extended_trigger_message", (MessageTriggerEnumType.SignChargePointCertificate,), "ExtendedTriggerMessage",
        {"requestedMessage": "SignChargePointCertificate"}, statuses(TriggerMessageStatusEnumType),
        TriggerMessageStatusEnumType.Rejected,
    ),
    Row(
        "extended_trigger_message", (MessageTriggerEnumType.StatusNotification, 2), "ExtendedTriggerMessage",
        {"requestedMessage": "StatusNotification", "connectorId": 2}, [], TriggerMessageStatusEnumType.Rejected,
    ),
    Row(
        "get_installed_certificate_ids", (CertificateUseEnumType.ManufacturerRootCertificate,),
        "GetInstalledCertificateIds", {"certificateType": "ManufacturerRootCertificate"},
        [
            ({"status": "NotFound"}, []),
            ({"status": "Accepted", "certificateHashData": [HASH]}, [HASH_DATA]),
        ], None,
    ),
    Row(
        "get_log", (LogEnumType.SecurityLog, 8, "ftp://h/l"), "GetLog",
        {"logType": "SecurityLog", "requestId": 8, "log": {"remoteLocation": "ftp://h/l"}},
        [
            ({"status": "Rejected"}, GetLogResult(LogStatusEnumType.Rejected, "")),
            ({"status": "AcceptedCanceled", "filename": "f"}, GetLogResult(LogStatusEnumType.AcceptedCanceled, "f")),
        ], None,
    ),
    Row(
        "get_log", (LogEnumType.DiagnosticsLog, 8, "ftp://h/l", 1, 2, INSTANT, LATER), "GetLog",
        {
            "logType": "DiagnosticsLog", "requestId": 8, "retries": 1, "retryInterval": 2,
            "log": {
                "remoteLocation": "ftp://h/l", "oldestTimestamp": STAMP, "latestTimestamp": "2024-05-02T12:00:00Z",
            },
        },
        [], None,
    ),
    Row(
        "install_certificate", (CertificateUseEnumType.CentralSystemRootCertificate, PEM), "InstallCertificate",
        {"certificateType": "CentralSystemRootCertificate", "certificate": PEM.pem},
        statuses(CertificateStatusEnumType), CertificateStatusEnumType.Rejected,
    ),
    Row(
        "signed_update_firmware", (6, "ftp://h/f", None, INSTANT, None, None, PEM, "c2ln"), "SignedUpdateFirmware",
        {
            "requestId": 6,
            "firmware": {
                "location": "ftp://h/f", "retrieveDateTime": STAMP, "signingCertificate": PEM.pem, "signature": "c2ln",
            },
        },
        statuses(UpdateFirmwareStatusEnumType), UpdateFirmwareStatusEnumType.Rejected,
    ),
    Row(
        "signed_update_firmware", (6, "ftp://h/f", 3, INSTANT, 9, LATER, PEM, "c2ln"), "SignedUpdateFirmware",
        {
            "requestId": 6, "retries": 3, "retryInterval": 9,
            "firmware": {
                "location": "ftp://h/f", "retrieveDateTime": STAMP, "installDateTime": "2024-05-02T12:00:00Z",
                "signingCertificate": PEM.pem, "signature": "c2ln",
            },
        },
        [], UpdateFirmwareStatusEnumType.Rejected,
    ),
    Row(
        "iso15118_certificate_signed", (PEM,), "CertificateSigned", {"certificateChain": PEM.pem},
        accepted_or("Rejected"), False, tunnelled=True,
    ),
    Row(
        "iso15118_delete_certificate", (HASH_DATA,), "DeleteCertificate", {"certificateHashData": HASH},
        statuses(DeleteCertificateStatusEnumType), DeleteCertificateStatusEnumType.Failed, tunnelled=True,
    ),
    Row(
        "iso15118_get_installed_certificate_ids", (), "GetInstalledCertificateIds", {},
        [({"status": "NotFound"}, [])], None, tunnelled=True,
    ),
    Row(
        "iso15118_get_installed_certificate_ids", ([GetCertificateIdUseEnumType.MORootCertificate],),
        "GetInstalledCertificateIds", {"certificateType": ["MORootCertificate"]},
        [(
            {
                "status": "Accepted",
                "certificateHashDataChain": [{"certificateType": "MORootCertificate", "certificateHashData": HASH}],
            },
            [
                CertificateHashDataChainType(
                    certificate_type=GetCertificateIdUseEnumType.MORootCertificate, certificate_hash_data=HASH_DATA
                )
            ],
        )], None, tunnelled=True,
    ),
    Row(
        "iso15118_install_certificate", (InstallCertificateUseEnumType.V2GRootCertificate, PEM), "InstallCertificate",
        {"certificateType": "V2GRootCertificate", "certificate": PEM.pem}, statuses(InstallCertificateStatusEnumType),
        InstallCertificateStatusEnumType.Rejected, tunnelled=True,
    ),
    Row(
        "iso15118_trigger_sign_certificate", (), "TriggerMessage", {},
        accepted_or("Rejected", "NotImplemented"), False, tunnelled=True,
    ),
]  # fmt: skip


class Caller:
    """Makes an operation on one thread and plays the charge point on another."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.peer = bench.connect()

    def start(self, row: Row) -> Any:
        operation = getattr(self.bench.charge_point, row.operation)
        return self.bench.sim.user(lambda: operation(*row.arguments))

    def expect(self, row: Row) -> Any:
        """The CALL, whose payload must be exactly that."""
        if not row.tunnelled:
            call = self.peer.expect_call(row.action)
            assert call.payload == row.payload
            return call
        call = self.peer.expect_call("DataTransfer", {"vendorId": VENDOR, "messageId": row.action})
        assert json.loads(call.payload["data"]) == row.payload
        return call

    def answer(self, row: Row, call: Any, payload: dict[str, Any]) -> None:
        call.answer({"status": "Accepted", "data": json.dumps(payload)} if row.tunnelled else payload)


@pytest.fixture
def caller(bench: Bench) -> Caller:
    return Caller(bench)


def test_every_operation_is_tested(bench: Bench) -> None:
    bench.connect()
    management = {
        "call", "disconnect", "hand_over", "register_handler", "set_timeout", "set_validation", "admit", "announce",
        "disconnected", "handler", "serve",
    }  # fmt: skip
    kind = type(bench.charge_point)
    operations = {name for name in dir(kind) if not name.startswith("_") and callable(getattr(kind, name))}
    assert operations - management == {row.operation for row in ROWS}


@pytest.mark.parametrize("row", ROWS, ids=repr)
def test_what_is_sent_and_what_comes_of_it(caller: Caller, row: Row) -> None:
    for payload, result in row.answers:
        user = caller.start(row)
        caller.answer(row, caller.expect(row), payload)
        outcome = user.result()
        assert outcome == result
        assert type(outcome) is type(result)


@pytest.mark.parametrize("row", ROWS, ids=repr)
def test_an_error_no_answer_and_a_wrong_answer_are_refusals(caller: Caller, row: Row) -> None:
    user = caller.start(row)
    caller.expect(row).refuse("NotSupported")
    assert user.result() == row.refused
    user = caller.start(row)
    caller.expect(row)
    assert user.result() == row.refused, "after the timeout"
    if row.answers and row.answers[0][0]:
        user = caller.start(row)
        caller.answer(row, caller.expect(row), {"status": "Maybe", "listVersion": "x", "fileName": 5})
        assert user.result() == row.refused
    caller.peer.abort()
    caller.bench.sim.sleep(1)
    assert caller.start(row).result() == row.refused, "without a connection"


@pytest.mark.parametrize("row", [row for row in ROWS if row.tunnelled], ids=repr)
@pytest.mark.parametrize(
    "envelope",
    [
        {"status": "UnknownVendorId"},
        {"status": "UnknownMessageId"},
        {"status": "Rejected", "data": '{"status":"Accepted"}'},
        {"status": "Accepted"},
        {"status": "Accepted", "data": "no JSON"},
        {"status": "Accepted", "data": "[]"},
    ],
    ids=str,
)
def test_an_envelope_without_a_usable_answer_is_a_refusal(caller: Caller, row: Row, envelope: dict[str, Any]) -> None:
    user = caller.start(row)
    caller.expect(row).answer(envelope)
    assert user.result() == row.refused


LONG = "x" * 501
WRONG: list[tuple[str, tuple[Any, ...]]] = [
    ("cancel_reservation", (2**31,)),
    ("change_availability", (-1, AvailabilityType.Operative)),
    ("change_availability", (1, "Sleeping")),
    ("change_configuration", ("k" * 51, "v")),
    ("change_configuration", ("k", LONG)),
    ("clear_charging_profile", (None, -1)),
    ("data_transfer", ("v" * 256,)),
    ("get_composite_schedule", (1, -5)),
    ("get_configuration", (["k" * 51],)),
    ("get_diagnostics", ("not a URI",)),
    ("get_diagnostics", ("ftp://h/d", -1)),
    ("get_diagnostics", ("ftp://h/d", None, None, datetime(2024, 1, 1))),
    ("remote_start_transaction", (0, "A")),
    ("remote_start_transaction", (1, "A" * 21)),
    ("reserve_now", (1, datetime(2024, 1, 1), "A", "", 1)),
    ("reserve_now", (1, INSTANT, "A", "P" * 21, 1)),
    ("reset", ("Gentle",)),
    ("remote_start_transaction", (1, "A", replace(PROFILE_DATA, transaction_id=7))),
    (
        "remote_start_transaction",
        (1, "A", replace(PROFILE_DATA, charging_profile_purpose=ChargingProfilePurposeType.TxDefaultProfile)),
    ),
    ("send_local_list", (1, [AuthorizationData(id_tag="A" * 21)], UpdateType.Differential)),
    ("send_local_list", (1, [AuthorizationData(id_tag="A")], UpdateType.Full)),
    ("send_local_list", (0, [], UpdateType.Full)),
    ("send_local_list", (-1, [], UpdateType.Differential)),
    ("trigger_message", ("Invented",)),
    ("unlock_connector", (0,)),
    ("update_firmware", ("ftp://h/f", -1, INSTANT)),
    ("certificate_signed", (PemText("x" * 10001),)),
    ("install_certificate", (CertificateUseEnumType.CentralSystemRootCertificate, PemText("x" * 5501))),
    ("get_log", (LogEnumType.SecurityLog, 1, "ftp://h/" + "x" * 512)),
    ("signed_update_firmware", (1, "ftp://h/f", None, INSTANT, None, None, PEM, "s" * 801)),
    ("iso15118_install_certificate", (InstallCertificateUseEnumType.V2GRootCertificate, PemText("x" * 5501))),
]


@pytest.mark.parametrize(("operation", "arguments"), WRONG, ids=repr)
def test_values_that_break_the_standard_are_not_sent(
    caller: Caller, operation: str, arguments: tuple[Any, ...]
) -> None:
    with pytest.raises(LocalProtocolError):
        getattr(caller.bench.charge_point, operation)(*arguments)
    with pytest.raises(ValueError):  # noqa: PT011 - what callers may catch as well
        getattr(caller.bench.charge_point, operation)(*arguments)
    caller.peer.expect_nothing(5)


def test_every_limit_with_one_decimal_goes_out_unchanged(caller: Caller) -> None:
    for tenths in range(0, 401, 7):
        schedule = ChargingSchedule(
            charging_rate_unit=ChargingRateUnitType.A,
            charging_schedule_period=[ChargingSchedulePeriod(start_period=0, limit=tenths / 10)],
        )
        profile = ChargingProfile(
            charging_profile_id=1,
            stack_level=0,
            charging_profile_purpose=ChargingProfilePurposeType.TxDefaultProfile,
            charging_profile_kind=ChargingProfileKindType.Relative,
            charging_schedule=schedule,
        )
        user = caller.bench.sim.user(lambda profile=profile: caller.bench.charge_point.set_charging_profile(1, profile))  # type: ignore[misc]
        call = caller.peer.expect_call("SetChargingProfile")
        call.answer({"status": "Accepted"})
        assert user.result() is ChargingProfileStatus.Accepted
        (period,) = call.payload["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"]
        assert period["limit"] == tenths / 10
