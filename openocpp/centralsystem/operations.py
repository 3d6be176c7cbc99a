"""The simple operations of a charge point's proxy: each builds a request, sends it with ``call``, reads the answer.

Threads: any but the scheduler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from openocpp.centralsystem.charge_point import IChargePoint
from openocpp.errors import LocalProtocolError
from openocpp.messages import (
    CancelReservationReq,
    CertificateSignedReq,
    ChangeAvailabilityReq,
    ChangeConfigurationReq,
    ClearCacheReq,
    ClearChargingProfileReq,
    Confirmation,
    DataTransferReq,
    DeleteCertificateReq,
    ExtendedTriggerMessageReq,
    GetCompositeScheduleReq,
    GetConfigurationReq,
    GetDiagnosticsReq,
    GetInstalledCertificateIdsReq,
    GetLocalListVersionReq,
    GetLogReq,
    InstallCertificateReq,
    Iso15118CertificateSignedReq,
    Iso15118DeleteCertificateReq,
    Iso15118GetInstalledCertificateIdsReq,
    Iso15118InstallCertificateReq,
    Iso15118TriggerMessageReq,
    RemoteStartTransactionReq,
    RemoteStopTransactionReq,
    ReserveNowReq,
    ResetReq,
    SendLocalListReq,
    SetChargingProfileReq,
    SignedUpdateFirmwareReq,
    TriggerMessageReq,
    UnlockConnectorReq,
    UpdateFirmwareReq,
)
from openocpp.types import (
    AvailabilityStatus,
    CertificateStatusEnumType,
    ChargingProfilePurposeType,
    ChargingProfileStatus,
    CompositeSchedule,
    ConfigurationResult,
    ConfigurationStatus,
    DataTransferResult,
    DeleteCertificateStatusEnumType,
    FirmwareType,
    GetLogResult,
    InstallCertificateStatusEnumType,
    LogParametersType,
    ReservationStatus,
    TriggerMessageStatus,
    TriggerMessageStatusEnumType,
    UnlockStatus,
    UpdateFirmwareStatusEnumType,
    UpdateStatus,
    UpdateType,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from openocpp.messages.base import Request
    from openocpp.types import (
        AuthorizationData,
        AvailabilityType,
        CertificateHashDataChainType,
        CertificateHashDataType,
        CertificateUseEnumType,
        ChargingProfile,
        ChargingRateUnitType,
        GetCertificateIdUseEnumType,
        InstallCertificateUseEnumType,
        LogEnumType,
        MessageTrigger,
        MessageTriggerEnumType,
        ResetType,
    )
    from openocpp.types.pem import PemObject

SPECIAL_VERSIONS = (0, -1)  # of a local list: in GetLocalListVersion.conf they mean something else

C = TypeVar("C", bound=Confirmation)
T = TypeVar("T")


class HasStatus(Protocol):
    """A confirmation with a status."""

    @property
    def status(self) -> str: ...


def is_accepted(confirmation: HasStatus) -> bool:
    return confirmation.status == "Accepted"


class Operations(IChargePoint):
    """All operations but ``call``. What they do is said at the interface."""

    def _ask(self, request: Request[C], read: Callable[[C], T], refused: T) -> T:
        """What ``read`` makes of the answer; ``refused`` when there is none."""
        response = self.call(request).response
        return refused if response is None else read(response)

    # -- core profile --------------------------------------------------------------------------------------------------

    def change_availability(self, connector_id: int, availability: AvailabilityType) -> AvailabilityStatus:
        request = ChangeAvailabilityReq(connector_id=connector_id, type=availability)
        return self._ask(request, lambda answer: answer.status, AvailabilityStatus.Rejected)

    def change_configuration(self, key: str, value: str) -> ConfigurationStatus:
        request = ChangeConfigurationReq(key=key, value=value)
        return self._ask(request, lambda answer: answer.status, ConfigurationStatus.Rejected)

    def clear_cache(self) -> bool:
        return self._ask(ClearCacheReq(), is_accepted, False)

    def data_transfer(self, vendor_id: str, message_id: str = "", data: str = "") -> DataTransferResult | None:
        request = DataTransferReq(vendor_id=vendor_id, message_id=message_id or None, data=data or None)
        return self._ask(request, lambda answer: DataTransferResult(answer.status, answer.data or ""), None)

    def get_configuration(self, keys: Sequence[str] = ()) -> ConfigurationResult | None:
        return self._ask(
            GetConfigurationReq(key=keys),
            lambda answer: ConfigurationResult(list(answer.configuration_key or ()), list(answer.unknown_key or ())),
            None,
        )

    def remote_start_transaction(
        self, connector_id: int | None, id_tag: str, profile: ChargingProfile | None = None
    ) -> bool:
        request = RemoteStartTransactionReq(connector_id=connector_id, id_tag=id_tag, charging_profile=profile)
        if profile is not None and (
            profile.charging_profile_purpose != ChargingProfilePurposeType.TxProfile
            or profile.transaction_id is not None
        ):  # 1.6 §5.11
            raise LocalProtocolError("chargingProfile", "must be a TxProfile, and without transaction id")
        return self._ask(request, is_accepted, False)

    def remote_stop_transaction(self, transaction_id: int) -> bool:
        return self._ask(RemoteStopTransactionReq(transaction_id=transaction_id), is_accepted, False)

    def reset(self, type: ResetType) -> bool:
        return self._ask(ResetReq(type=type), is_accepted, False)

    def unlock_connector(self, connector_id: int) -> UnlockStatus:
        request = UnlockConnectorReq(connector_id=connector_id)
        return self._ask(request, lambda answer: answer.status, UnlockStatus.UnlockFailed)

    # -- firmware management -------------------------------------------------------------------------------------------

    def get_diagnostics(
        self,
        uri: str,
        retries: int | None = None,
        retry_interval: int | None = None,
        start: datetime | None = None,
        stop: datetime | None = None,
    ) -> str | None:
        request = GetDiagnosticsReq(
            location=uri, retries=retries, retry_interval=retry_interval, start_time=start, stop_time=stop
        )
        return self._ask(request, lambda answer: answer.file_name or "", None)

    def update_firmware(
        self, uri: str, retries: int | None, retrieve_date: datetime, retry_interval: int | None = None
    ) -> bool:
        request = UpdateFirmwareReq(
            location=uri, retries=retries, retrieve_date=retrieve_date, retry_interval=retry_interval
        )
        return self._ask(request, lambda answer: True, False)

    # -- local authorization list --------------------------------------------------------------------------------------

    def get_local_list_version(self) -> int | None:
        return self._ask(GetLocalListVersionReq(), lambda answer: answer.list_version, None)

    def send_local_list(
        self, version: int, authorization_list: Sequence[AuthorizationData], update_type: UpdateType
    ) -> UpdateStatus:
        request = SendLocalListReq(
            list_version=version, local_authorization_list=authorization_list, update_type=update_type
        )
        if version in SPECIAL_VERSIONS:  # errata 3.52
            raise LocalProtocolError("listVersion", f"is {version}, which tells of an empty list or of none")
        if update_type == UpdateType.Full and any(entry.id_tag_info is None for entry in authorization_list):  # §7.2
            raise LocalProtocolError("localAuthorizationList", "has an entry without idTagInfo, and is full")
        return self._ask(request, lambda answer: answer.status, UpdateStatus.Failed)

    # -- reservation ---------------------------------------------------------------------------------------------------

    def reserve_now(
        self, connector_id: int, expiry_date: datetime, id_tag: str, parent_id_tag: str, reservation_id: int
    ) -> ReservationStatus:
        request = ReserveNowReq(
            connector_id=connector_id,
            expiry_date=expiry_date,
            id_tag=id_tag,
            parent_id_tag=parent_id_tag or None,
            reservation_id=reservation_id,
        )
        return self._ask(request, lambda answer: answer.status, ReservationStatus.Rejected)

    def cancel_reservation(self, reservation_id: int) -> bool:
        return self._ask(CancelReservationReq(reservation_id=reservation_id), is_accepted, False)

    # -- smart charging ------------------------------------------------------------------------------------------------

    def set_charging_profile(self, connector_id: int, profile: ChargingProfile) -> ChargingProfileStatus:
        request = SetChargingProfileReq(connector_id=connector_id, cs_charging_profiles=profile)
        return self._ask(request, lambda answer: answer.status, ChargingProfileStatus.Rejected)

    def clear_charging_profile(
        self,
        profile_id: int | None = None,
        connector_id: int | None = None,
        purpose: ChargingProfilePurposeType | None = None,
        stack_level: int | None = None,
    ) -> bool:
        request = ClearChargingProfileReq(
            id=profile_id, connector_id=connector_id, charging_profile_purpose=purpose, stack_level=stack_level
        )
        return self._ask(request, is_accepted, False)

    def get_composite_schedule(
        self, connector_id: int, duration: int, unit: ChargingRateUnitType | None = None
    ) -> CompositeSchedule | None:
        return self._ask(
            GetCompositeScheduleReq(connector_id=connector_id, duration=duration, charging_rate_unit=unit),
            lambda answer: CompositeSchedule(
                answer.status, answer.connector_id, answer.schedule_start, answer.charging_schedule
            ),
            None,
        )

    # -- remote trigger ------------------------------------------------------------------------------------------------

    def trigger_message(self, message: MessageTrigger, connector_id: int | None = None) -> TriggerMessageStatus:
        request = TriggerMessageReq(requested_message=message, connector_id=connector_id)
        return self._ask(request, lambda answer: answer.status, TriggerMessageStatus.Rejected)

    # -- security ------------------------------------------------------------------------------------------------------

    def certificate_signed(self, certificate_chain: PemObject) -> bool:
        return self._ask(CertificateSignedReq(certificate_chain=certificate_chain.pem), is_accepted, False)

    def delete_certificate(self, certificate: CertificateHashDataType) -> DeleteCertificateStatusEnumType:
        request = DeleteCertificateReq(certificate_hash_data=certificate)
        return self._ask(request, lambda answer: answer.status, DeleteCertificateStatusEnumType.Failed)

    def extended_trigger_message(
        self, message: MessageTriggerEnumType, connector_id: int | None = None
    ) -> TriggerMessageStatusEnumType:
        request = ExtendedTriggerMessageReq(requested_message=message, connector_id=connector_id)
        return self._ask(request, lambda answer: answer.status, TriggerMessageStatusEnumType.Rejected)

    def get_installed_certificate_ids(self, type: CertificateUseEnumType) -> list[CertificateHashDataType] | None:
        request = GetInstalledCertificateIdsReq(certificate_type=type)
        return self._ask(request, lambda answer: list(answer.certificate_hash_data or ()), None)

    def get_log(
        self,
        type: LogEnumType,
        request_id: int,
        uri: str,
        retries: int | None = None,
        retry_interval: int | None = None,
        start: datetime | None = None,
        stop: datetime | None = None,
    ) -> GetLogResult | None:
        request = GetLogReq(
            log_type=type,
            request_id=request_id,
            retries=retries,
            retry_interval=retry_interval,
            log=LogParametersType(remote_location=uri, oldest_timestamp=start, latest_timestamp=stop),
        )
        return self._ask(request, lambda answer: GetLogResult(answer.status, answer.filename or ""), None)

    def install_certificate(self, type: CertificateUseEnumType, certificate: PemObject) -> CertificateStatusEnumType:
        request = InstallCertificateReq(certificate_type=type, certificate=certificate.pem)
        return self._ask(request, lambda answer: answer.status, CertificateStatusEnumType.Rejected)

    def signed_update_firmware(
        self,
        request_id: int,
        uri: str,
        retries: int | None,
        retrieve_date: datetime,
        retry_interval: int | None,
        install_date: datetime | None,
        signing_certificate: PemObject,
        signature: str,
    ) -> UpdateFirmwareStatusEnumType:
        request = SignedUpdateFirmwareReq(
            retries=retries,
            retry_interval=retry_interval,
            request_id=request_id,
            firmware=FirmwareType(
                location=uri,
                retrieve_date_time=retrieve_date,
                install_date_time=install_date,
                signing_certificate=signing_certificate.pem,
                signature=signature,
            ),
        )
        return self._ask(request, lambda answer: answer.status, UpdateFirmwareStatusEnumType.Rejected)

    # -- Plug & Charge -------------------------------------------------------------------------------------------------

    def iso15118_certificate_signed(self, certificate_chain: PemObject) -> bool:
        return self._ask(Iso15118CertificateSignedReq(certificate_chain=certificate_chain.pem), is_accepted, False)

    def iso15118_delete_certificate(self, certificate: CertificateHashDataType) -> DeleteCertificateStatusEnumType:
        request = Iso15118DeleteCertificateReq(certificate_hash_data=certificate)
        return self._ask(request, lambda answer: answer.status, DeleteCertificateStatusEnumType.Failed)

    def iso15118_get_installed_certificate_ids(
        self, types: Sequence[GetCertificateIdUseEnumType] = ()
    ) -> list[CertificateHashDataChainType] | None:
        request = Iso15118GetInstalledCertificateIdsReq(certificate_type=types)
        return self._ask(request, lambda answer: list(answer.certificate_hash_data_chain or ()), None)

    def iso15118_install_certificate(
        self, type: InstallCertificateUseEnumType, certificate: PemObject
    ) -> InstallCertificateStatusEnumType:
        request = Iso15118InstallCertificateReq(certificate_type=type, certificate=certificate.pem)
        return self._ask(request, lambda answer: answer.status, InstallCertificateStatusEnumType.Rejected)

    def iso15118_trigger_sign_certificate(self) -> bool:
        return self._ask(Iso15118TriggerMessageReq(), is_accepted, False)
