"""What an application sees of a charge point that is connected to its central system.

Threads: every operation may be called from any thread but the scheduler, callbacks included.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, TypeVar

from openocpp.messages.base import Confirmation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from openocpp.centralsystem.handlers import IChargePointRequestHandler
    from openocpp.centralsystem.interface import ICentralSystem
    from openocpp.messages.base import Request
    from openocpp.types import (
        AuthorizationData,
        AvailabilityStatus,
        AvailabilityType,
        CallResult,
        CertificateHashDataChainType,
        CertificateHashDataType,
        CertificateStatusEnumType,
        CertificateUseEnumType,
        ChargingProfile,
        ChargingProfilePurposeType,
        ChargingProfileStatus,
        ChargingRateUnitType,
        CompositeSchedule,
        ConfigurationResult,
        ConfigurationStatus,
        DataTransferResult,
        DeleteCertificateStatusEnumType,
        GetCertificateIdUseEnumType,
        GetLogResult,
        InstallCertificateStatusEnumType,
        InstallCertificateUseEnumType,
        LogEnumType,
        MessageTrigger,
        MessageTriggerEnumType,
        RegistrationStatus,
        ReservationStatus,
        ResetType,
        TriggerMessageStatus,
        TriggerMessageStatusEnumType,
        UnlockStatus,
        UpdateFirmwareStatusEnumType,
        UpdateStatus,
        UpdateType,
    )
    from openocpp.types.pem import PemObject

C = TypeVar("C", bound=Confirmation)


class IChargePoint(ABC):
    """A connected charge point, as the central system sees it: known to users as ``ICentralSystem.IChargePoint``.

    Each operation sends one CALL and waits for its answer. At most one is under way per charge point; others wait for
    their turn as long as the timeout, then fail. What the standard calls a refusal and what the network causes give the
    same value, which the docstrings call refused; ``call`` tells them apart. A value that breaks the standard raises
    LocalProtocolError (also a ValueError), and nothing is sent. The empty text and None leave an optional field out.

    After the answer Rejected to BootNotification nothing is sent, after Pending no remote start and stop (1.6 §4.2):
    the operation is refused. ``call(..., force=True)`` sends all the same.
    """

    # -- management ----------------------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def central_system(self) -> ICentralSystem:
        """The central system that it is connected to."""

    @property
    @abstractmethod
    def ip_address(self) -> str:
        """The peer's address, numeric."""

    @property
    @abstractmethod
    def identifier(self) -> str:
        """The charge point's identity (J §3.1.1)."""

    @property
    @abstractmethod
    def is_connected(self) -> bool:
        """Is this connection still there?"""

    @property
    @abstractmethod
    def client_certificate(self) -> PemObject | None:
        """The certificate that it showed in the TLS handshake."""

    @property
    @abstractmethod
    def connected_since(self) -> datetime:
        """When the connection was made."""

    @property
    @abstractmethod
    def last_message_at(self) -> datetime | None:
        """When its last message came. None: none came yet."""

    @property
    @abstractmethod
    def registration_status(self) -> RegistrationStatus | None:
        """What its last BootNotification was answered, on this connection or an earlier one. None: not known.

        It can be set, best in ``charge_point_connected``: what the application remembers from an earlier run, since a
        charge point does not boot again after a mere loss of connection (J §5.4).
        """

    @registration_status.setter
    @abstractmethod
    def registration_status(self, status: RegistrationStatus | None) -> None: ...

    @abstractmethod
    def set_timeout(self, timeout: float) -> None:
        """How long the next operations wait for an answer, in seconds > 0. First: CallRequestTimeout."""

    @abstractmethod
    def set_validation(self, mode: str, action: str = "*") -> None:
        """How strictly its messages are read: strict, log or off, for one action or for all that have no own mode."""

    @abstractmethod
    def disconnect(self) -> None:
        """Close the connection (1000). Operations under way fail; the request handler gets ``disconnected``."""

    @abstractmethod
    def register_handler(self, handler: IChargePointRequestHandler) -> None:
        """Who handles its requests, instead of who did before. Best called in ``charge_point_connected``."""

    @abstractmethod
    def call(self, request: Request[C], timeout: float | None = None, *, force: bool = False) -> CallResult[C]:
        """Send any request of a central system, and tell what became of it. Plug & Charge requests are wrapped.

        A DataTransfer that did not accept a Plug & Charge request is told as Refused, with its status as the code.
        ``timeout`` in seconds; ``force`` sends in spite of the registration status.
        """

    # -- core profile --------------------------------------------------------------------------------------------------

    @abstractmethod
    def change_availability(self, connector_id: int, availability: AvailabilityType) -> AvailabilityStatus:
        """Make a connector, or all (0), operative or inoperative (1.6 §5.2). Refused: Rejected."""

    @abstractmethod
    def change_configuration(self, key: str, value: str) -> ConfigurationStatus:
        """Set a configuration key (1.6 §5.3). Refused: Rejected."""

    @abstractmethod
    def clear_cache(self) -> bool:
        """Clear the authorization cache (1.6 §5.4). Refused: False."""

    @abstractmethod
    def data_transfer(self, vendor_id: str, message_id: str = "", data: str = "") -> DataTransferResult | None:
        """Send something of a vendor's own (1.6 §5.6). Refused: None."""

    @abstractmethod
    def get_configuration(self, keys: Sequence[str] = ()) -> ConfigurationResult | None:
        """Ask for configuration keys, without names for all (1.6 §5.8). Refused: None."""

    @abstractmethod
    def remote_start_transaction(
        self, connector_id: int | None, id_tag: str, profile: ChargingProfile | None = None
    ) -> bool:
        """Ask for a transaction; connector None: the charge point chooses (1.6 §5.11). Refused: False.

        The profile is a TxProfile without transaction id.
        """

    @abstractmethod
    def remote_stop_transaction(self, transaction_id: int) -> bool:
        """Ask to stop a transaction (1.6 §5.12). Refused: False."""

    @abstractmethod
    def reset(self, type: ResetType) -> bool:
        """Ask for a restart (1.6 §5.14). Refused: False."""

    @abstractmethod
    def unlock_connector(self, connector_id: int) -> UnlockStatus:
        """Unlock a connector > 0; its transaction ends (1.6 §5.18). Refused: UnlockFailed."""

    # -- firmware management -------------------------------------------------------------------------------------------

    @abstractmethod
    def get_diagnostics(
        self,
        uri: str,
        retries: int | None = None,
        retry_interval: int | None = None,
        start: datetime | None = None,
        stop: datetime | None = None,
    ) -> str | None:
        """Have diagnostics of a period uploaded to a folder: the file's name, "" if there are none (1.6 §5.9).

        ``retries`` come after the first attempt, ``retry_interval`` is in seconds. Refused: None.
        """

    @abstractmethod
    def update_firmware(
        self, uri: str, retries: int | None, retrieve_date: datetime, retry_interval: int | None = None
    ) -> bool:
        """Have a firmware downloaded, not before ``retrieve_date``, and installed (1.6 §5.19). True: answered."""

    # -- local authorization list --------------------------------------------------------------------------------------

    @abstractmethod
    def get_local_list_version(self) -> int | None:
        """The list's version; 0: empty, -1: not supported (1.6 §5.10). Refused: None."""

    @abstractmethod
    def send_local_list(
        self, version: int, authorization_list: Sequence[AuthorizationData], update_type: UpdateType
    ) -> UpdateStatus:
        """Replace or change the list; Full with no entries clears it (1.6 §5.15). Refused: Failed.

        The version is neither 0 nor -1; each entry of a full list has information.
        """

    # -- reservation ---------------------------------------------------------------------------------------------------

    @abstractmethod
    def reserve_now(
        self, connector_id: int, expiry_date: datetime, id_tag: str, parent_id_tag: str, reservation_id: int
    ) -> ReservationStatus:
        """Reserve a connector, or any (0), until a date (1.6 §5.13). Refused: Rejected."""

    @abstractmethod
    def cancel_reservation(self, reservation_id: int) -> bool:
        """Give up a reservation (1.6 §5.1). Refused: False."""

    # -- smart charging ------------------------------------------------------------------------------------------------

    @abstractmethod
    def set_charging_profile(self, connector_id: int, profile: ChargingProfile) -> ChargingProfileStatus:
        """Install a profile on a connector, or on the charge point (0) (1.6 §5.16). Refused: Rejected."""

    @abstractmethod
    def clear_charging_profile(
        self,
        profile_id: int | None = None,
        connector_id: int | None = None,
        purpose: ChargingProfilePurposeType | None = None,
        stack_level: int | None = None,
    ) -> bool:
        """Remove a profile by id, or all that match (1.6 §5.5). Refused: False, as when there was none."""

    @abstractmethod
    def get_composite_schedule(
        self, connector_id: int, duration: int, unit: ChargingRateUnitType | None = None
    ) -> CompositeSchedule | None:
        """Which limits are expected for so many seconds (1.6 §5.7)? Refused: None."""

    # -- remote trigger ------------------------------------------------------------------------------------------------

    @abstractmethod
    def trigger_message(self, message: MessageTrigger, connector_id: int | None = None) -> TriggerMessageStatus:
        """Ask for a message that it would otherwise send by itself (1.6 §5.17). Refused: Rejected."""

    # -- security ------------------------------------------------------------------------------------------------------

    @abstractmethod
    def certificate_signed(self, certificate_chain: PemObject) -> bool:
        """Give it its new certificate, leaf first, sub-CAs behind (SEC §5.1). Refused: False."""

    @abstractmethod
    def delete_certificate(self, certificate: CertificateHashDataType) -> DeleteCertificateStatusEnumType:
        """Delete an installed CA certificate (SEC §5.3). Refused: Failed."""

    @abstractmethod
    def extended_trigger_message(
        self, message: MessageTriggerEnumType, connector_id: int | None = None
    ) -> TriggerMessageStatusEnumType:
        """As ``trigger_message``, for messages of the security extension too (SEC §5.5). Refused: Rejected."""

    @abstractmethod
    def get_installed_certificate_ids(self, type: CertificateUseEnumType) -> list[CertificateHashDataType] | None:
        """Which CA certificates are installed (SEC §5.7)? Refused: None."""

    @abstractmethod
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
        """Have a log of a period uploaded; ``retry_interval`` in seconds (SEC §5.9). Refused: None."""

    @abstractmethod
    def install_certificate(self, type: CertificateUseEnumType, certificate: PemObject) -> CertificateStatusEnumType:
        """Install a CA certificate (SEC §5.11). Refused: Rejected."""

    @abstractmethod
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
        """Have a signed firmware downloaded, verified and installed (SEC §5.21). ``signature`` is base64.

        Refused: Rejected.
        """

    # -- Plug & Charge -------------------------------------------------------------------------------------------------

    @abstractmethod
    def iso15118_certificate_signed(self, certificate_chain: PemObject) -> bool:
        """Give it its new V2G certificate, leaf first, sub-CAs behind (PNC §6.2). Refused: False."""

    @abstractmethod
    def iso15118_delete_certificate(self, certificate: CertificateHashDataType) -> DeleteCertificateStatusEnumType:
        """Delete an installed certificate (PNC §6.3). Refused: Failed."""

    @abstractmethod
    def iso15118_get_installed_certificate_ids(
        self, types: Sequence[GetCertificateIdUseEnumType] = ()
    ) -> list[CertificateHashDataChainType] | None:
        """Which certificates of these kinds are installed; without kinds: all (PNC §6.6)? Refused: None."""

    @abstractmethod
    def iso15118_install_certificate(
        self, type: InstallCertificateUseEnumType, certificate: PemObject
    ) -> InstallCertificateStatusEnumType:
        """Install a root certificate (PNC §6.7). Refused: Rejected."""

    @abstractmethod
    def iso15118_trigger_sign_certificate(self) -> bool:
        """Ask for a signing request for its V2G certificate (PNC §6.9). Refused: False."""
