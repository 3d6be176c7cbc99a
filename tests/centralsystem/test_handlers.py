"""Tests of openocpp.centralsystem.handlers: the ready bases refuse what can be refused."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime
from typing import Any

import pytest

from openocpp import (
    AuthorizationStatus,
    CertificateActionEnumType,
    ChargePointErrorCode,
    ChargePointStatus,
    DataTransferResult,
    DataTransferStatus,
    DefaultCentralSystemEventsHandler,
    DefaultChargePointRequestHandler,
    DiagnosticsStatus,
    FirmwareStatus,
    FirmwareStatusEnumType,
    HashAlgorithmEnumType,
    ICentralSystem,
    ICentralSystemEventsHandler,
    IChargePointRequestHandler,
    IdTagInfo,
    IdTokenInfoType,
    Iso15118AuthorizeAnswer,
    OCSPRequestDataType,
    Reason,
    RegistrationStatus,
    StartTransactionResult,
    UploadLogStatusEnumType,
)
from openocpp.types.pem import PemText

NOW = datetime(2024, 5, 1, tzinfo=UTC)
INVALID = IdTagInfo(status=AuthorizationStatus.Invalid)
OCSP = OCSPRequestDataType(
    hash_algorithm=HashAlgorithmEnumType.SHA256,
    issuer_name_hash="a",
    issuer_key_hash="b",
    serial_number="1",
    responder_url="http://x",
)
PEM = PemText("text")

DEFAULTS: list[tuple[str, tuple[Any, ...], Any]] = [
    ("disconnected", (), None),
    ("heartbeat", (), None),
    ("authorize", ("A",), INVALID),
    ("boot_notification", ("",) * 9, RegistrationStatus.Rejected),
    ("data_transfer", ("V", "", ""), DataTransferResult(DataTransferStatus.UnknownVendorId, "")),
    ("diagnostic_status_notification", (DiagnosticsStatus.Idle,), None),
    ("firmware_status_notification", (FirmwareStatus.Idle,), None),
    ("meter_values", (1, None, ()), None),
    ("start_transaction", (1, "A", 0, None, NOW), StartTransactionResult(INVALID, 0)),
    (
        "status_notification",
        (1, ChargePointErrorCode.NoError, "", ChargePointStatus.Available, NOW, "", ""),
        None,
    ),
    ("stop_transaction", ("A", 0, NOW, 1, Reason.Local, ()), None),
    ("log_status_notification", (UploadLogStatusEnumType.Idle, None), None),
    ("security_event_notification", ("type", NOW, ""), None),
    ("sign_certificate", (PEM,), False),
    ("signed_firmware_update_status_notification", (FirmwareStatusEnumType.Idle, None), None),
    (
        "iso15118_authorize",
        (None, "E", ()),
        Iso15118AuthorizeAnswer(IdTokenInfoType(status=AuthorizationStatus.Invalid), None),
    ),
    ("iso15118_get_ev_certificate", ("u", CertificateActionEnumType.Install, ""), ("Failed", "")),
    ("iso15118_get_certificate_status", (OCSP,), ("Failed", "")),
    ("iso15118_sign_certificate", (PEM,), False),
]


@pytest.mark.parametrize(("callback", "parameters", "answer"), DEFAULTS)
def test_defaults_of_the_request_handler(callback: str, parameters: tuple[Any, ...], answer: Any) -> None:
    assert getattr(DefaultChargePointRequestHandler(), callback)(*parameters) == answer


def test_every_callback_has_a_default() -> None:
    assert {row[0] for row in DEFAULTS} == IChargePointRequestHandler.__abstractmethods__
    assert DefaultChargePointRequestHandler.__abstractmethods__ == frozenset()
    for name in IChargePointRequestHandler.__abstractmethods__:
        ours, theirs = getattr(DefaultChargePointRequestHandler, name), getattr(IChargePointRequestHandler, name)
        assert inspect.signature(ours) == inspect.signature(theirs)


class Application(DefaultCentralSystemEventsHandler):
    def charge_point_connected(self, charge_point: ICentralSystem.IChargePoint) -> None:
        """Nothing to do."""


def test_defaults_of_the_events_handler() -> None:
    application = Application()
    assert application.accept_connection("10.0.0.1") is True
    assert application.is_charge_point_known("CP1") is True
    assert application.check_credentials("CP1", b"x") is False
    assert application.check_client_certificate("CP1", PEM) is True
    application.client_failed_to_connect("10.0.0.1")


def test_only_what_happens_to_a_charge_point_is_left_to_the_application() -> None:
    assert DefaultCentralSystemEventsHandler.__abstractmethods__ == {"charge_point_connected"}
    assert len(ICentralSystemEventsHandler.__abstractmethods__) == 6


@pytest.mark.parametrize("interface", [ICentralSystemEventsHandler, IChargePointRequestHandler])
def test_a_handler_that_lacks_a_callback_cannot_be_made(interface: Any) -> None:
    with pytest.raises(TypeError, match="abstract"):
        interface()
