"""The requests of a charge point on their way to the application, and its answers on their way back.

Threads: workers, one request of a charge point at a time.
"""

from __future__ import annotations

import logging
from types import MethodType
from typing import TYPE_CHECKING, Any

from openocpp.centralsystem.certificates import read_certificate, read_request
from openocpp.errors import CallError, ErrorCode, LocalProtocolError, RemoteProtocolError
from openocpp.messages import (
    AuthorizeConf,
    AuthorizeReq,
    BootNotificationConf,
    BootNotificationReq,
    DataTransferConf,
    DataTransferReq,
    DiagnosticsStatusNotificationConf,
    DiagnosticsStatusNotificationReq,
    FirmwareStatusNotificationConf,
    FirmwareStatusNotificationReq,
    HeartbeatConf,
    HeartbeatReq,
    Iso15118AuthorizeConf,
    Iso15118AuthorizeReq,
    Iso15118Get15118EVCertificateConf,
    Iso15118Get15118EVCertificateReq,
    Iso15118GetCertificateStatusConf,
    Iso15118GetCertificateStatusReq,
    Iso15118SignCertificateConf,
    Iso15118SignCertificateReq,
    LogStatusNotificationConf,
    LogStatusNotificationReq,
    MeterValuesConf,
    MeterValuesReq,
    Role,
    SecurityEventNotificationConf,
    SecurityEventNotificationReq,
    SignCertificateConf,
    SignCertificateReq,
    SignedFirmwareStatusNotificationConf,
    SignedFirmwareStatusNotificationReq,
    StartTransactionConf,
    StartTransactionReq,
    StatusNotificationConf,
    StatusNotificationReq,
    StopTransactionConf,
    StopTransactionReq,
    tunnel,
)
from openocpp.messages.dispatch import Dispatcher, handles
from openocpp.types import (
    AuthorizationStatus,
    AuthorizeCertificateStatusEnumType,
    GenericStatusEnumType,
    GetCertificateStatusEnumType,
    IdTokenInfoType,
    Iso15118EVCertificateStatusEnumType,
    Reason,
    RegistrationStatus,
    same_ci,
)
from openocpp.types.base import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.centralsystem.handlers import IChargePointRequestHandler
    from openocpp.centralsystem.registration import Registration
    from openocpp.config import ICentralSystemConfig
    from openocpp.messages.base import Request
    from openocpp.runtime import Clock

log = logging.getLogger("openocpp.centralsystem")

# Without fields they are all the same.
_DIAGNOSTICS_STATUS = DiagnosticsStatusNotificationConf()
_FIRMWARE_STATUS = FirmwareStatusNotificationConf()
_LOG_STATUS = LogStatusNotificationConf()
_METER_VALUES = MeterValuesConf()
_SECURITY_EVENT = SecurityEventNotificationConf()
_SIGNED_FIRMWARE_STATUS = SignedFirmwareStatusNotificationConf()
_STATUS = StatusNotificationConf()


class RequestHandling:
    """Handles the requests of one charge point. ``application`` is the handler that was registered for it."""

    __slots__ = ("_clock", "_config", "_name", "application", "registration")

    def __init__(self, name: str, config: ICentralSystemConfig, clock: Clock, registration: Registration) -> None:
        self._name = name
        self._config = config
        self._clock = clock
        self.registration = registration
        self.application: IChargePointRequestHandler | None = None

    def __repr__(self) -> str:
        return f"<requests of {self._name}, handled by {self.application!r}>"

    def lookup(self, request_type: type[Request[Any]]) -> Callable[[Any], Any] | None:
        """What handles this request."""
        method = _HANDLERS.get(request_type)
        return None if method is None else MethodType(method, self)

    def _ask(self) -> IChargePointRequestHandler:
        """The application's handler; without one nothing but Heartbeat can be answered."""
        if self.application is None:
            raise CallError(ErrorCode.InternalError, "nobody handles the requests of this charge point")
        return self.application

    # -- core profile --------------------------------------------------------------------------------------------------

    @handles(HeartbeatReq)
    def heartbeat(self, request: HeartbeatReq) -> HeartbeatConf:
        if self.application is not None:
            self.application.heartbeat()
        return HeartbeatConf(current_time=self._clock.utcnow())

    @handles(BootNotificationReq)
    def boot_notification(self, request: BootNotificationReq) -> BootNotificationConf:
        status = RegistrationStatus(
            self._ask().boot_notification(
                request.charge_point_model,
                request.charge_point_serial_number or "",
                request.charge_point_vendor,
                request.firmware_version or "",
                request.iccid or "",
                request.imsi or "",
                request.meter_serial_number or "",
                request.meter_type or "",
                request.charge_box_serial_number or "",
            )
        )
        self.registration.status = status
        vendor, model = printable(request.charge_point_vendor), printable(request.charge_point_model)
        log.info("%s: booted, a %s %s, firmware %r: %s", self._name, vendor, model, request.firmware_version, status)
        accepted = status is RegistrationStatus.Accepted
        interval = self._config.heartbeat_interval if accepted else self._config.boot_notification_retry_interval
        return BootNotificationConf(status=status, current_time=self._clock.utcnow(), interval=interval)

    @handles(AuthorizeReq)
    def authorize(self, request: AuthorizeReq) -> AuthorizeConf:
        return AuthorizeConf(id_tag_info=self._ask().authorize(request.id_tag))

    @handles(StartTransactionReq)
    def start_transaction(self, request: StartTransactionReq) -> StartTransactionConf:
        id_tag_info, transaction_id = self._ask().start_transaction(
            request.connector_id, request.id_tag, request.meter_start, request.reservation_id, request.timestamp
        )
        return StartTransactionConf(id_tag_info=id_tag_info, transaction_id=transaction_id)

    @handles(StopTransactionReq)
    def stop_transaction(self, request: StopTransactionReq) -> StopTransactionConf:
        id_tag_info = self._ask().stop_transaction(
            request.id_tag or "",
            request.meter_stop,
            request.timestamp,
            request.transaction_id,
            request.reason or Reason.Local,  # 1.6 §6.49
            request.transaction_data or (),
        )
        return StopTransactionConf(id_tag_info=id_tag_info)

    @handles(MeterValuesReq)
    def meter_values(self, request: MeterValuesReq) -> MeterValuesConf:
        self._ask().meter_values(request.connector_id, request.transaction_id, request.meter_value)
        return _METER_VALUES

    @handles(StatusNotificationReq)
    def status_notification(self, request: StatusNotificationReq) -> StatusNotificationConf:
        self._ask().status_notification(
            request.connector_id,
            request.error_code,
            request.info or "",
            request.status,
            request.timestamp or self._clock.utcnow(),  # 1.6 §6.47: the time of receipt
            request.vendor_id or "",
            request.vendor_error_code or "",
        )
        return _STATUS

    @handles(DataTransferReq)
    def data_transfer(self, request: DataTransferReq) -> DataTransferConf:
        if self._config.iso15118_pnc_enabled and same_ci(request.vendor_id, tunnel.VENDOR_ID):
            return self._tunnelled(request)
        status, data = self._ask().data_transfer(request.vendor_id, request.message_id or "", request.data or "")
        return DataTransferConf(status=status, data=data or None)

    # -- firmware management and security ------------------------------------------------------------------------------

    @handles(DiagnosticsStatusNotificationReq)
    def diagnostics_status(self, request: DiagnosticsStatusNotificationReq) -> DiagnosticsStatusNotificationConf:
        self._ask().diagnostic_status_notification(request.status)
        return _DIAGNOSTICS_STATUS

    @handles(FirmwareStatusNotificationReq)
    def firmware_status(self, request: FirmwareStatusNotificationReq) -> FirmwareStatusNotificationConf:
        self._ask().firmware_status_notification(request.status)
        return _FIRMWARE_STATUS

    @handles(LogStatusNotificationReq)
    def log_status(self, request: LogStatusNotificationReq) -> LogStatusNotificationConf:
        self._ask().log_status_notification(request.status, request.request_id)
        return _LOG_STATUS

    @handles(SecurityEventNotificationReq)
    def security_event(self, request: SecurityEventNotificationReq) -> SecurityEventNotificationConf:
        self._ask().security_event_notification(request.type, request.timestamp, request.tech_info or "")
        return _SECURITY_EVENT

    @handles(SignCertificateReq)
    def sign_certificate(self, request: SignCertificateReq) -> SignCertificateConf:
        handler = self._ask()
        return SignCertificateConf(status=self._sign(request.csr, handler.sign_certificate))

    @handles(SignedFirmwareStatusNotificationReq)
    def signed_firmware_status(
        self, request: SignedFirmwareStatusNotificationReq
    ) -> SignedFirmwareStatusNotificationConf:
        self._ask().signed_firmware_update_status_notification(request.status, request.request_id)
        return _SIGNED_FIRMWARE_STATUS

    def _sign(self, csr: str, ask: Callable[[Any], bool]) -> GenericStatusEnumType:
        certificate_request = read_request(csr)
        if certificate_request is None:
            log.warning("%s: sent a certificate request that is none, or whose signature is wrong", self._name)
            return GenericStatusEnumType.Rejected
        return GenericStatusEnumType.Accepted if ask(certificate_request) else GenericStatusEnumType.Rejected

    # -- Plug & Charge -------------------------------------------------------------------------------------------------

    def _tunnelled(self, envelope: DataTransferReq) -> DataTransferConf:
        """A message of Plug & Charge (PNC §2.2): the outer status says whether it was understood."""
        request_type = tunnel.find_request(envelope.message_id, Role.CHARGE_POINT)
        handler = None if request_type is None else self.lookup(request_type)
        if request_type is None or handler is None:
            log.warning("%s: unknown Plug & Charge message %.50r", self._name, envelope.message_id)
            return tunnel.UNKNOWN_MESSAGE
        try:
            request = tunnel.unwrap(request_type, envelope.data)
        except RemoteProtocolError as error:
            log.warning("%s: Plug & Charge %s breaks the standard: %s", self._name, envelope.message_id, error)
            return tunnel.REJECTED
        try:
            return tunnel.wrap_answer(handler(request))
        except LocalProtocolError as error:
            log.exception("%s: the answer to Plug & Charge %s breaks the standard", self._name, envelope.message_id)
            raise CallError(ErrorCode.InternalError, f"the answer could not be written: {error}") from error

    @handles(Iso15118AuthorizeReq)
    def iso15118_authorize(self, request: Iso15118AuthorizeReq) -> Iso15118AuthorizeConf:
        handler = self._ask()
        certificate = None if request.certificate is None else read_certificate(request.certificate)
        if certificate is None and request.certificate is not None:
            log.warning("%s: sent a contract certificate that is none", self._name)
            return Iso15118AuthorizeConf(
                certificate_status=AuthorizeCertificateStatusEnumType.CertChainError,
                id_token_info=IdTokenInfoType(status=AuthorizationStatus.Invalid),
            )
        id_token_info, certificate_status = handler.iso15118_authorize(
            certificate, request.id_token, request.iso15118_certificate_hash_data or ()
        )
        return Iso15118AuthorizeConf(certificate_status=certificate_status, id_token_info=id_token_info)

    @handles(Iso15118Get15118EVCertificateReq)
    def iso15118_get_ev_certificate(
        self, request: Iso15118Get15118EVCertificateReq
    ) -> Iso15118Get15118EVCertificateConf:
        status, response = self._ask().iso15118_get_ev_certificate(
            request.iso15118_schema_version, request.certificate_action, request.exi_request
        )
        accepted = status is Iso15118EVCertificateStatusEnumType.Accepted
        return Iso15118Get15118EVCertificateConf(status=status, exi_response=response if accepted else "")

    @handles(Iso15118GetCertificateStatusReq)
    def iso15118_get_certificate_status(
        self, request: Iso15118GetCertificateStatusReq
    ) -> Iso15118GetCertificateStatusConf:
        status, result = self._ask().iso15118_get_certificate_status(request.ocsp_request_data)
        accepted = status is GetCertificateStatusEnumType.Accepted
        return Iso15118GetCertificateStatusConf(status=status, ocsp_result=(result or None) if accepted else None)

    @handles(Iso15118SignCertificateReq)
    def iso15118_sign_certificate(self, request: Iso15118SignCertificateReq) -> Iso15118SignCertificateConf:
        handler = self._ask()
        return Iso15118SignCertificateConf(status=self._sign(request.csr, handler.iso15118_sign_certificate))


# One table for all charge points: a connection needs none of its own.
_DISPATCHER = Dispatcher(object.__new__(RequestHandling))
_HANDLERS: dict[type[Request[Any]], Callable[..., Any]] = {
    request_type: _DISPATCHER.lookup(request_type).__func__  # type: ignore[union-attr]
    for request_type in _DISPATCHER.requests
}
