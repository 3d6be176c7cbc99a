"""What the central system role asks and tells the application, and ready bases with safe answers.

Threads: all callbacks come on workers. They may block, and may call operations of any charge point. An exception counts
as a refusal: a connection is closed, a request is answered with InternalError. CallError is answered as it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from openocpp.serving.events import DefaultServerEventsHandler, IServerEventsHandler
from openocpp.types import (
    AuthorizationStatus,
    CertificateStatusResult,
    DataTransferResult,
    DataTransferStatus,
    EvCertificateResult,
    GetCertificateStatusEnumType,
    IdTagInfo,
    IdTokenInfoType,
    Iso15118AuthorizeAnswer,
    Iso15118EVCertificateStatusEnumType,
    RegistrationStatus,
    StartTransactionResult,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from openocpp.centralsystem.charge_point import IChargePoint
    from openocpp.types import (
        CertificateActionEnumType,
        ChargePointErrorCode,
        ChargePointStatus,
        DiagnosticsStatus,
        FirmwareStatus,
        FirmwareStatusEnumType,
        MeterValue,
        OCSPRequestDataType,
        Reason,
        UploadLogStatusEnumType,
    )
    from openocpp.types.pem import PemObject


class ICentralSystemEventsHandler(IServerEventsHandler):
    """Who may connect, and who has. One for each central system."""

    @abstractmethod
    def charge_point_connected(self, charge_point: IChargePoint) -> None:
        """A charge point is connected. Register a request handler here; no request of it is handled before this
        returns. ``charge_point.disconnect()`` refuses it."""


class DefaultCentralSystemEventsHandler(DefaultServerEventsHandler, ICentralSystemEventsHandler):
    """Accepts every address and identity, but no password. What is connected, only the application knows."""


class IChargePointRequestHandler(ABC):
    """Handles the requests of one charge point, one at a time, in the order in which they came."""

    @abstractmethod
    def disconnected(self) -> None:
        """The connection is over, and no request of it begins any more; one may still run. Called once."""

    @abstractmethod
    def heartbeat(self) -> None:
        """1.6 §4.6. It is answered with the current time."""

    @abstractmethod
    def authorize(self, id_tag: str) -> IdTagInfo:
        """1.6 §4.1"""

    @abstractmethod
    def boot_notification(
        self,
        model: str,
        serial_number: str,
        vendor: str,
        firmware_version: str,
        iccid: str,
        imsi: str,
        meter_serial_number: str,
        meter_type: str,
        charge_box_serial_number: str,
    ) -> RegistrationStatus:
        """1.6 §4.2; texts that are absent are "". The answer also has the current time, and HeartbeatInterval when
        accepted, else BootNotificationRetryInterval."""

    @abstractmethod
    def data_transfer(self, vendor_id: str, message_id: str, data: str) -> DataTransferResult:
        """1.6 §4.3. Plug & Charge messages come here only while Iso15118PnCEnabled is false."""

    @abstractmethod
    def diagnostic_status_notification(self, status: DiagnosticsStatus) -> None:
        """1.6 §4.4"""

    @abstractmethod
    def firmware_status_notification(self, status: FirmwareStatus) -> None:
        """1.6 §4.5"""

    @abstractmethod
    def meter_values(self, connector_id: int, transaction_id: int | None, meter_values: Sequence[MeterValue]) -> None:
        """1.6 §4.7"""

    @abstractmethod
    def start_transaction(
        self, connector_id: int, id_tag: str, meter_start: int, reservation_id: int | None, timestamp: datetime
    ) -> StartTransactionResult:
        """1.6 §4.8; ``meter_start`` in Wh. It may come twice, with the same contents, when an answer was lost."""

    @abstractmethod
    def status_notification(
        self,
        connector_id: int,
        error_code: ChargePointErrorCode,
        info: str,
        status: ChargePointStatus,
        timestamp: datetime,
        vendor_id: str,
        vendor_error: str,
    ) -> None:
        """1.6 §4.9. Without a time stamp of its own it has that of its receipt."""

    @abstractmethod
    def stop_transaction(
        self,
        id_tag: str,
        meter_stop: int,
        timestamp: datetime,
        transaction_id: int,
        reason: Reason,
        transaction_data: Sequence[MeterValue],
    ) -> IdTagInfo | None:
        """1.6 §4.10; ``meter_stop`` in Wh. Without a reason it is Local. Transaction -1 never got an id: accept it as
        any other (errata 3.18). None leaves the verdict on the id tag out."""

    @abstractmethod
    def log_status_notification(self, status: UploadLogStatusEnumType, request_id: int | None) -> None:
        """SEC §5.13"""

    @abstractmethod
    def security_event_notification(self, type: str, timestamp: datetime, message: str) -> None:
        """SEC §5.15"""

    @abstractmethod
    def sign_certificate(self, request: PemObject) -> bool:
        """SEC §5.17; the request's own signature is good. True: accepted; send ``certificate_signed`` later."""

    @abstractmethod
    def signed_firmware_update_status_notification(
        self, status: FirmwareStatusEnumType, request_id: int | None
    ) -> None:
        """SEC §5.19"""

    @abstractmethod
    def iso15118_authorize(
        self, certificate: PemObject | None, id_token: str, cert_hash_data: Sequence[OCSPRequestDataType]
    ) -> Iso15118AuthorizeAnswer:
        """PNC §6.1"""

    @abstractmethod
    def iso15118_get_ev_certificate(
        self, schema_version: str, action: CertificateActionEnumType, exi_request: str
    ) -> EvCertificateResult:
        """PNC §6.4; request and response are base64. The response counts only when accepted."""

    @abstractmethod
    def iso15118_get_certificate_status(self, ocsp_request: OCSPRequestDataType) -> CertificateStatusResult:
        """PNC §6.5; the result is base64 of the DER OCSP response, and counts only when accepted."""

    @abstractmethod
    def iso15118_sign_certificate(self, request: PemObject) -> bool:
        """PNC §6.8; as ``sign_certificate``, answered later with ``iso15118_certificate_signed``."""


class DefaultChargePointRequestHandler(IChargePointRequestHandler):
    """Refuses everything that can be refused."""

    def disconnected(self) -> None:
        """Nothing to do."""

    def heartbeat(self) -> None:
        """Nothing to do."""

    def authorize(self, id_tag: str) -> IdTagInfo:
        return IdTagInfo(status=AuthorizationStatus.Invalid)

    def boot_notification(
        self,
        model: str,
        serial_number: str,
        vendor: str,
        firmware_version: str,
        iccid: str,
        imsi: str,
        meter_serial_number: str,
        meter_type: str,
        charge_box_serial_number: str,
    ) -> RegistrationStatus:
        return RegistrationStatus.Rejected

    def data_transfer(self, vendor_id: str, message_id: str, data: str) -> DataTransferResult:
        return DataTransferResult(DataTransferStatus.UnknownVendorId)

    def diagnostic_status_notification(self, status: DiagnosticsStatus) -> None:
        """Nothing to do."""

    def firmware_status_notification(self, status: FirmwareStatus) -> None:
        """Nothing to do."""

    def meter_values(self, connector_id: int, transaction_id: int | None, meter_values: Sequence[MeterValue]) -> None:
        """Nothing to do."""

    def start_transaction(
        self, connector_id: int, id_tag: str, meter_start: int, reservation_id: int | None, timestamp: datetime
    ) -> StartTransactionResult:
        return StartTransactionResult(IdTagInfo(status=AuthorizationStatus.Invalid), 0)

    def status_notification(
        self,
        connector_id: int,
        error_code: ChargePointErrorCode,
        info: str,
        status: ChargePointStatus,
        timestamp: datetime,
        vendor_id: str,
        vendor_error: str,
    ) -> None:
        """Nothing to do."""

    def stop_transaction(
        self,
        id_tag: str,
        meter_stop: int,
        timestamp: datetime,
        transaction_id: int,
        reason: Reason,
        transaction_data: Sequence[MeterValue],
    ) -> IdTagInfo | None:
        return None

    def log_status_notification(self, status: UploadLogStatusEnumType, request_id: int | None) -> None:
        """Nothing to do."""

    def security_event_notification(self, type: str, timestamp: datetime, message: str) -> None:
        """Nothing to do."""

    def sign_certificate(self, request: PemObject) -> bool:
        return False

    def signed_firmware_update_status_notification(
        self, status: FirmwareStatusEnumType, request_id: int | None
    ) -> None:
        """Nothing to do."""

    def iso15118_authorize(
        self, certificate: PemObject | None, id_token: str, cert_hash_data: Sequence[OCSPRequestDataType]
    ) -> Iso15118AuthorizeAnswer:
        return Iso15118AuthorizeAnswer(IdTokenInfoType(status=AuthorizationStatus.Invalid), None)

    def iso15118_get_ev_certificate(
        self, schema_version: str, action: CertificateActionEnumType, exi_request: str
    ) -> EvCertificateResult:
        return EvCertificateResult(Iso15118EVCertificateStatusEnumType.Failed, "")

    def iso15118_get_certificate_status(self, ocsp_request: OCSPRequestDataType) -> CertificateStatusResult:
        return CertificateStatusResult(GetCertificateStatusEnumType.Failed, "")

    def iso15118_sign_certificate(self, request: PemObject) -> bool:
        return False
