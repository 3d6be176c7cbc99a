"""Tests of openocpp.centralsystem.request_handler: what reaches the application, and what goes back."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from openocpp import (
    ACTIONS,
    PNC_ACTIONS,
    AuthorizationStatus,
    AuthorizeCertificateStatusEnumType,
    CallError,
    CertificateActionEnumType,
    CertificateStatusResult,
    ChargePointErrorCode,
    ChargePointStatus,
    DataTransferResult,
    DataTransferStatus,
    DiagnosticsStatus,
    ErrorCode,
    EvCertificateResult,
    FirmwareStatus,
    FirmwareStatusEnumType,
    GetCertificateStatusEnumType,
    HashAlgorithmEnumType,
    IdTagInfo,
    IdTokenInfoType,
    Iso15118AuthorizeAnswer,
    Iso15118EVCertificateStatusEnumType,
    Location,
    Measurand,
    MeterValue,
    OCSPRequestDataType,
    ReadingContext,
    Reason,
    RegistrationStatus,
    Role,
    SampledValue,
    StartTransactionResult,
    UnitOfMeasure,
    UploadLogStatusEnumType,
)
from openocpp.centralsystem.request_handler import RequestHandling
from openocpp.testing.conversation import ABSENT
from tests.centralsystem.bench import BOOT, Bench
from tests.centralsystem.pems import CERTIFICATE, FORGED_REQUEST, REQUEST

if TYPE_CHECKING:
    from openocpp.testing import SimulatedRuntime

STAMP = "2024-05-01T12:00:00Z"
INSTANT = datetime(2024, 5, 1, 12, tzinfo=UTC)
OCSP = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "aa",
    "issuerKeyHash": "bb",
    "serialNumber": "01",
    "responderURL": "http://ocsp.example",
}
OCSP_DATA = OCSPRequestDataType(
    hash_algorithm=HashAlgorithmEnumType.SHA256,
    issuer_name_hash="aa",
    issuer_key_hash="bb",
    serial_number="01",
    responder_url="http://ocsp.example",
)
READINGS = [{"timestamp": STAMP, "sampledValue": [{"value": "5", "unit": "Celcius", "location": "Body"}]}]
METER_VALUES = (
    MeterValue(
        timestamp=INSTANT,
        sampled_value=[SampledValue(value="5", unit=UnitOfMeasure.Celsius, location=Location.Body)],
    ),
)

# Action, payload, callback, its parameters, the answer.
SERVED: list[tuple[str, dict[str, Any], str, tuple[Any, ...], dict[str, Any]]] = [
    ("Heartbeat", {}, "heartbeat", (), {"currentTime": "2024-01-01T00:00:00Z"}),
    ("Authorize", {"idTag": "A1"}, "authorize", ("A1",), {"idTagInfo": {"status": "Accepted"}}),
    (
        "BootNotification",
        BOOT,
        "boot_notification",
        ("Model", "", "Vendor", "", "", "", "", "", ""),
        {"status": "Accepted", "currentTime": "2024-01-01T00:00:00Z", "interval": 3600},
    ),
    (
        "BootNotification",
        BOOT | {
            "chargePointSerialNumber": "s", "chargeBoxSerialNumber": "b", "firmwareVersion": "f", "iccid": "c",
            "imsi": "i", "meterType": "t", "meterSerialNumber": "m",
        },
        "boot_notification",
        ("Model", "s", "Vendor", "f", "c", "i", "m", "t", "b"),
        {"status": "Accepted"},
    ),
    ("DataTransfer", {"vendorId": "V"}, "data_transfer", ("V", "", ""), {"status": "Accepted", "data": "pong"}),
    ("DataTransfer", {"vendorId": "V", "messageId": "M", "data": "D"}, "data_transfer", ("V", "M", "D"), {}),
    (
        "DiagnosticsStatusNotification",
        {"status": "Uploading"},
        "diagnostic_status_notification",
        (DiagnosticsStatus.Uploading,),
        {},
    ),
    (
        "FirmwareStatusNotification",
        {"status": "Installed"},
        "firmware_status_notification",
        (FirmwareStatus.Installed,),
        {},
    ),
    (
        "MeterValues",
        {"connectorId": 1, "transactionId": 7, "meterValue": READINGS},
        "meter_values",
        (1, 7, METER_VALUES),
        {},
    ),
    ("MeterValues", {"connectorId": 0, "meterValue": READINGS}, "meter_values", (0, None, METER_VALUES), {}),
    (
        "StartTransaction",
        {"connectorId": 1, "idTag": "A", "meterStart": 5, "timestamp": STAMP},
        "start_transaction",
        (1, "A", 5, None, INSTANT),
        {"transactionId": 4711, "idTagInfo": {"status": "Accepted"}},
    ),
    (
        "StartTransaction",
        {"connectorId": 1, "idTag": "A", "meterStart": 5, "timestamp": STAMP, "reservationId": 8},
        "start_transaction",
        (1, "A", 5, 8, INSTANT),
        {},
    ),
    (
        "StatusNotification",
        {"connectorId": 0, "errorCode": "NoError", "status": "Available"},
        "status_notification",
        (0, ChargePointErrorCode.NoError, "", ChargePointStatus.Available, datetime(2024, 1, 1, tzinfo=UTC), "", ""),
        {},
    ),
    (
        "StatusNotification",
        {
            "connectorId": 2, "errorCode": "OtherError", "status": "Faulted", "info": "i", "timestamp": STAMP,
            "vendorId": "v", "vendorErrorCode": "e",
        },
        "status_notification",
        (2, ChargePointErrorCode.OtherError, "i", ChargePointStatus.Faulted, INSTANT, "v", "e"),
        {},
    ),
    (
        "StopTransaction",
        {"transactionId": -1, "meterStop": 9, "timestamp": STAMP},
        "stop_transaction",
        ("", 9, INSTANT, -1, Reason.Local, ()),
        {"idTagInfo": {"status": "Accepted"}},
    ),
    (
        "StopTransaction",
        {
            "transactionId": 7, "meterStop": 9, "timestamp": STAMP, "idTag": "A", "reason": "PowerLoss",
            "transactionData": READINGS,
        },
        "stop_transaction",
        ("A", 9, INSTANT, 7, Reason.PowerLoss, METER_VALUES),
        {},
    ),
    (
        "LogStatusNotification",
        {"status": "Uploaded", "requestId": 3},
        "log_status_notification",
        (UploadLogStatusEnumType.Uploaded, 3),
        {},
    ),
    ("LogStatusNotification", {"status": "Idle"}, "log_status_notification", (UploadLogStatusEnumType.Idle, None), {}),
    (
        "SecurityEventNotification",
        {"type": "InvalidMessages", "timestamp": STAMP, "techInfo": "x"},
        "security_event_notification",
        ("InvalidMessages", INSTANT, "x"),
        {},
    ),
    (
        "SignedFirmwareStatusNotification",
        {"status": "SignatureVerified", "requestId": 4},
        "signed_firmware_update_status_notification",
        (FirmwareStatusEnumType.SignatureVerified, 4),
        {},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("action", "payload", "callback", "parameters", "answer"), SERVED)
def test_a_request_reaches_its_callback(
    bench: Bench, action: str, payload: dict[str, Any], callback: str, parameters: tuple[Any, ...], answer: Any
) -> None:
    bench.connect().call(action, payload).result(answer)
    assert bench.requests.of(callback) == [parameters]


def test_every_request_that_a_charge_point_may_send_is_handled() -> None:
    handling: Any = object.__new__(RequestHandling)
    for info in [*ACTIONS.values(), *PNC_ACTIONS.values()]:
        expected = info.may_be_sent_by(Role.CHARGE_POINT)
        assert (handling.lookup(info.request) is not None) is expected, info.action


@pytest.mark.parametrize("action", sorted({row[0] for row in SERVED} - {"Heartbeat"}))
def test_without_a_handler_requests_are_answered_with_internal_error(bench: Bench, action: str) -> None:
    bench.events.with_handler = False
    payload = next(row[1] for row in SERVED if row[0] == action)
    bench.connect().call(action, payload).error("InternalError")


def test_a_heartbeat_is_answered_without_a_handler(bench: Bench) -> None:
    bench.events.with_handler = False
    bench.connect().call("Heartbeat").result({"currentTime": "2024-01-01T00:00:00Z"})


@pytest.mark.parametrize(("action", "payload", "callback"), [row[:3] for row in SERVED])
def test_a_handler_that_fails_is_answered_for(
    bench: Bench, action: str, payload: dict[str, Any], callback: str, caplog: pytest.LogCaptureFixture
) -> None:
    peer = bench.connect()
    bench.requests.answers[callback] = RuntimeError("a bug of the application")
    peer.call(action, payload).error("InternalError")
    assert "a bug of the application" in caplog.text
    bench.requests.answers.clear()
    peer.call("Heartbeat").result()


def test_a_handler_may_refuse_with_an_error_of_its_own(bench: Bench) -> None:
    peer = bench.connect()
    bench.requests.answers["authorize"] = CallError(ErrorCode.NotSupported, "not today", {"a": 1})
    assert peer.call("Authorize", {"idTag": "A"}).error() == ("NotSupported", "not today", {"a": 1})


@pytest.mark.parametrize(
    ("callback", "action", "payload", "answer"),
    [
        ("authorize", "Authorize", {"idTag": "A"}, None),
        (
            "authorize",
            "Authorize",
            {"idTag": "A"},
            IdTagInfo(status=AuthorizationStatus.Accepted, parent_id_tag="x" * 21),
        ),
        ("boot_notification", "BootNotification", BOOT, "Maybe"),
        ("boot_notification", "BootNotification", BOOT, None),
        ("start_transaction", "StartTransaction", SERVED[10][1], None),
        ("data_transfer", "DataTransfer", {"vendorId": "V"}, DataTransferResult("Perhaps")),  # type: ignore[arg-type]
    ],
)
def test_an_answer_that_breaks_the_standard_is_not_sent(
    bench: Bench, callback: str, action: str, payload: dict[str, Any], answer: Any
) -> None:
    peer = bench.connect()
    bench.requests.answers[callback] = answer
    peer.call(action, payload).error("InternalError")
    assert bench.charge_point.registration_status is None


def test_actions_of_the_other_direction_are_not_supported(bench: Bench) -> None:
    peer = bench.connect()
    peer.call("Reset", {"type": "Soft"}).error("NotSupported")
    peer.call("Invented").error("NotImplemented")


# -- answers of several shapes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "interval"),
    [(RegistrationStatus.Accepted, 700), (RegistrationStatus.Pending, 25), (RegistrationStatus.Rejected, 25)],
)
def test_the_interval_depends_on_the_status(
    sim: SimulatedRuntime, status: RegistrationStatus, interval: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    bench = Bench(sim, heartbeat_interval=700, boot_notification_retry_interval=25)
    peer = bench.connect()
    bench.requests.answers["boot_notification"] = status
    answer = {"status": str(status), "interval": interval, "currentTime": "2024-01-01T00:00:00Z"}
    assert peer.call("BootNotification", BOOT).result() == answer
    assert bench.charge_point.registration_status is status
    assert f"CP1: booted, a Vendor Model, firmware None: {status}" in caplog.text


def test_the_verdict_on_an_id_tag_is_sent_as_it_is(bench: Bench) -> None:
    peer = bench.connect()
    info = IdTagInfo(status=AuthorizationStatus.Expired, expiry_date=INSTANT, parent_id_tag="P")
    expected = {"idTagInfo": {"status": "Expired", "expiryDate": STAMP, "parentIdTag": "P"}}
    bench.requests.answers.update(authorize=info, start_transaction=StartTransactionResult(info, -5))
    assert peer.call("Authorize", {"idTag": "A"}).result() == expected
    assert peer.call("StartTransaction", SERVED[10][1]).result() == expected | {"transactionId": -5}


def test_no_verdict_is_left_out(bench: Bench) -> None:
    peer = bench.connect()
    bench.requests.answers["stop_transaction"] = None
    assert peer.call("StopTransaction", SERVED[14][1]).result() == {}


def test_empty_data_is_not_sent(bench: Bench) -> None:
    peer = bench.connect()
    bench.requests.answers["data_transfer"] = DataTransferResult(DataTransferStatus.UnknownVendorId)
    assert peer.call("DataTransfer", {"vendorId": "V"}).result() == {"status": "UnknownVendorId"}


def test_celsius_is_understood_in_both_spellings_and_current_export_too(bench: Bench) -> None:
    peer = bench.connect()
    samples = [{"value": "1", "unit": unit} for unit in ("Celsius", "Celcius")]
    samples.append({"value": "2", "measurand": "Current.Export", "context": "Transaction.Begin"})
    payload = {"connectorId": 1, "meterValue": [{"timestamp": "2024-05-01T14:00:00.25+02:00", "sampledValue": samples}]}
    peer.call("MeterValues", payload).result()
    (value,) = bench.requests.of("meter_values")[0][2]
    assert value.timestamp == INSTANT.replace(microsecond=250_000)
    assert [sample.unit for sample in value.sampled_value[:2]] == [UnitOfMeasure.Celsius] * 2
    assert value.sampled_value[2].measurand is Measurand.CurrentExport
    assert value.sampled_value[2].context is ReadingContext.TransactionBegin


# -- certificate requests ----------------------------------------------------------------------------------------------


def test_a_certificate_request_reaches_the_application(bench: Bench) -> None:
    peer = bench.connect()
    assert peer.call("SignCertificate", {"csr": REQUEST}).result() == {"status": "Accepted"}
    bench.requests.answers["sign_certificate"] = False
    assert peer.call("SignCertificate", {"csr": REQUEST}).result() == {"status": "Rejected"}
    assert [request.pem for (request,) in bench.requests.of("sign_certificate")] == [REQUEST, REQUEST]


@pytest.mark.parametrize("text", ["no PEM", CERTIFICATE, FORGED_REQUEST])
def test_what_is_no_request_or_wrongly_signed_is_rejected_without_asking(bench: Bench, text: str) -> None:
    assert bench.connect().call("SignCertificate", {"csr": text}).result() == {"status": "Rejected"}
    assert bench.requests.calls == []


# -- Plug & Charge -----------------------------------------------------------------------------------------------------


VENDOR = "org.openchargealliance.iso15118pnc"


@pytest.fixture
def pnc(sim: SimulatedRuntime) -> Bench:
    return Bench(sim, iso15118_pnc_enabled=True)


def send(bench: Bench, message_id: str | None, data: Any) -> dict[str, Any]:
    """Send a Plug & Charge message; what came back, the inner answer parsed."""
    peer = bench.connect(f"CP{len(bench.events.charge_points)}")
    payload = {"vendorId": VENDOR, "data": data if isinstance(data, str) else json.dumps(data)}
    if message_id is not None:
        payload["messageId"] = message_id
    answer = peer.call("DataTransfer", payload).result()
    if "data" in answer:
        answer["data"] = json.loads(answer["data"])
    return answer


def test_authorize_with_and_without_certificate(pnc: Bench) -> None:
    answer = {"status": "Accepted", "data": {"idTokenInfo": {"status": "Accepted"}}}
    assert send(pnc, "Authorize", {"idToken": "EMAID"}) == answer
    assert pnc.requests.of("iso15118_authorize") == [(None, "EMAID", ())]
    hashes = {"idToken": {"idToken": "EMAID"}, "certificate": CERTIFICATE, "iso15118CertificateHashData": [OCSP]}
    assert send(pnc, "Authorize", hashes) == answer
    ((certificate, token, data),) = pnc.requests.of("iso15118_authorize")
    assert (certificate.pem, token, data) == (CERTIFICATE, "EMAID", (OCSP_DATA,))


def test_the_answer_to_authorize_has_both_verdicts(pnc: Bench) -> None:
    info = IdTokenInfoType(status=AuthorizationStatus.Blocked, cache_expiry_date_time=INSTANT)
    status = AuthorizeCertificateStatusEnumType.CertificateRevoked
    pnc.events.on_connected = lambda charge_point: pnc.requests.answers.update(
        iso15118_authorize=Iso15118AuthorizeAnswer(info, status)
    )
    assert send(pnc, "Authorize", {"idToken": "E"})["data"] == {
        "certificateStatus": "CertificateRevoked",
        "idTokenInfo": {"status": "Blocked", "cacheExpiryDateTime": STAMP},
    }


def test_a_contract_certificate_that_is_none_is_answered_without_asking(pnc: Bench) -> None:
    assert send(pnc, "Authorize", {"idToken": "E", "certificate": "no PEM"}) == {
        "status": "Accepted",
        "data": {"certificateStatus": "CertChainError", "idTokenInfo": {"status": "Invalid"}},
    }
    assert pnc.requests.calls == []


def test_get_ev_certificate(pnc: Bench) -> None:
    request = {"iso15118SchemaVersion": "urn:iso", "action": "Update", "exiRequest": "RVg="}
    assert send(pnc, "Get15118EVCertificate", request) == {
        "status": "Accepted",
        "data": {"status": "Accepted", "exiResponse": "RVhJ"},
    }
    expected = ("urn:iso", CertificateActionEnumType.Update, "RVg=")
    assert pnc.requests.of("iso15118_get_ev_certificate") == [expected]


def test_a_failed_ev_certificate_has_no_response(pnc: Bench) -> None:
    failed = EvCertificateResult(Iso15118EVCertificateStatusEnumType.Failed, "left over")
    pnc.events.on_connected = lambda charge_point: pnc.requests.answers.update(iso15118_get_ev_certificate=failed)
    request = {"iso15118SchemaVersion": "urn:iso", "action": "Install", "exiRequest": "RVg="}
    assert send(pnc, "Get15118EVCertificate", request)["data"] == {"status": "Failed", "exiResponse": ""}


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (("Accepted", "T0NTUA=="), {"status": "Accepted", "ocspResult": "T0NTUA=="}),
        (("Accepted", ""), {"status": "Accepted"}),
        (("Failed", "left over"), {"status": "Failed"}),
    ],
)
def test_get_certificate_status(pnc: Bench, result: tuple[str, str], expected: dict[str, str]) -> None:
    status, text = result
    answer = CertificateStatusResult(GetCertificateStatusEnumType(status), text)
    pnc.events.on_connected = lambda charge_point: pnc.requests.answers.update(iso15118_get_certificate_status=answer)
    assert send(pnc, "GetCertificateStatus", {"ocspRequestData": OCSP})["data"] == expected
    assert pnc.requests.of("iso15118_get_certificate_status") == [(OCSP_DATA,)]


@pytest.mark.parametrize(
    ("csr", "asked", "status"), [(REQUEST, 1, "Accepted"), (FORGED_REQUEST, 0, "Rejected"), ("", 0, "Rejected")]
)
def test_sign_certificate_of_plug_and_charge(pnc: Bench, csr: str, asked: int, status: str) -> None:
    """Members that the tables do not define are ignored: the standard's own example has one."""
    answer = send(pnc, "SignCertificate", {"csr": csr, "certificateType": "V2GCertificate"})
    assert answer == {"status": "Accepted", "data": {"status": status}}
    assert len(pnc.requests.of("iso15118_sign_certificate")) == asked
    assert pnc.requests.of("sign_certificate") == []


@pytest.mark.parametrize(
    ("message_id", "data", "status"),
    [
        ("Invented", {}, "UnknownMessageId"),
        (None, {}, "UnknownMessageId"),
        ("InstallCertificate", {}, "UnknownMessageId"),  # of the other direction
        ("Authorize", "{", "Rejected"),
        ("Authorize", [], "Rejected"),
        ("Authorize", {}, "Rejected"),
        ("Authorize", {"idToken": 5}, "Rejected"),
        ("Authorize", {"idToken": "x" * 21}, "Rejected"),
        ("Get15118EVCertificate", {"iso15118SchemaVersion": "u", "action": "Eat", "exiRequest": ""}, "Rejected"),
    ],
)
def test_what_is_not_understood_is_told_by_the_outer_status(
    pnc: Bench, message_id: str | None, data: Any, status: str
) -> None:
    assert send(pnc, message_id, data) == {"status": status}
    assert pnc.requests.calls == []


def test_a_failing_plug_and_charge_handler_is_an_internal_error(pnc: Bench) -> None:
    peer = pnc.connect()
    envelope = {"vendorId": VENDOR, "messageId": "Authorize", "data": '{"idToken":"E"}'}
    for answer in (RuntimeError("a bug"), Iso15118AuthorizeAnswer(None, None)):  # type: ignore[arg-type]
        pnc.requests.answers["iso15118_authorize"] = answer
        peer.call("DataTransfer", envelope).error("InternalError")


def test_the_vendor_is_compared_as_case_insensitive_text(pnc: Bench) -> None:
    envelope = {"vendorId": VENDOR.upper(), "messageId": "Authorize", "data": '{"idToken":"E"}'}
    pnc.connect().call("DataTransfer", envelope).result({"status": "Accepted"})
    assert pnc.requests.of("data_transfer") == []


def test_other_vendors_go_to_the_application(pnc: Bench) -> None:
    pnc.connect().call("DataTransfer", {"vendorId": "V"}).result({"data": "pong"})
    assert pnc.requests.of("data_transfer") == [("V", "", "")]


def test_plug_and_charge_that_is_switched_off_goes_to_the_application(bench: Bench) -> None:
    envelope = {"vendorId": VENDOR, "messageId": "Authorize", "data": '{"idToken":"E"}'}
    bench.connect().call("DataTransfer", envelope).result({"status": "Accepted", "data": "pong"})
    assert bench.requests.of("data_transfer") == [(VENDOR, "Authorize", '{"idToken":"E"}')]
    assert bench.requests.of("iso15118_authorize") == []


def test_an_answer_without_data_has_none(bench: Bench) -> None:
    peer = bench.connect()
    bench.requests.answers["data_transfer"] = DataTransferResult(DataTransferStatus.Accepted, "")
    peer.call("DataTransfer", {"vendorId": "V"}).result({"status": "Accepted", "data": ABSENT})
