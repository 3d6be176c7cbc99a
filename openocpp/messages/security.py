"""Messages of the security extension (SEC chapter 5).

Threads: any.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from openocpp.messages.base import Confirmation, Request, Role
from openocpp.types.base import AtLeast, CiString50, CiString255, NonNegative, Text5500, Text10000
from openocpp.types.datatypes import CertificateHashDataType, FirmwareType, LogParametersType
from openocpp.types.enums import (
    CertificateSignedStatusEnumType,
    CertificateStatusEnumType,
    CertificateUseEnumType,
    DeleteCertificateStatusEnumType,
    FeatureProfile,
    FirmwareStatusEnumType,
    GenericStatusEnumType,
    GetInstalledCertificateStatusEnumType,
    LogEnumType,
    LogStatusEnumType,
    MessageTriggerEnumType,
    TriggerMessageStatusEnumType,
    UpdateFirmwareStatusEnumType,
    UploadLogStatusEnumType,
)
from openocpp.types.record import dataclass

PROFILE = FeatureProfile.Security


@dataclass(frozen=True, kw_only=True)
class CertificateSignedConf(Confirmation):
    """Rejected: the certificate is not good."""

    status: CertificateSignedStatusEnumType


@dataclass(frozen=True, kw_only=True)
class CertificateSignedReq(
    Request[CertificateSignedConf], sent_by=Role.CENTRAL_SYSTEM, profile=PROFILE, section="SEC §5.1"
):
    """A new certificate for the charge point, PEM, leaf first, then sub-CAs."""

    certificate_chain: Text10000


@dataclass(frozen=True, kw_only=True)
class DeleteCertificateConf(Confirmation):
    """NotFound: there is no such certificate."""

    status: DeleteCertificateStatusEnumType


@dataclass(frozen=True, kw_only=True)
class DeleteCertificateReq(
    Request[DeleteCertificateConf], sent_by=Role.CENTRAL_SYSTEM, profile=PROFILE, section="SEC §5.3"
):
    """Delete an installed CA certificate."""

    certificate_hash_data: CertificateHashDataType


@dataclass(frozen=True, kw_only=True)
class ExtendedTriggerMessageConf(Confirmation):
    """NotImplemented: the message is unknown, or not implemented."""

    status: TriggerMessageStatusEnumType


@dataclass(frozen=True, kw_only=True)
class ExtendedTriggerMessageReq(
    Request[ExtendedTriggerMessageConf], sent_by=Role.CENTRAL_SYSTEM, profile=PROFILE, section="SEC §5.5"
):
    """Send a message that the charge point would otherwise send by itself. An unknown one is kept as a plain text."""

    requested_message: MessageTriggerEnumType | str
    connector_id: Annotated[int, AtLeast(0, sent=1)] | None = None


@dataclass(frozen=True, kw_only=True)
class GetInstalledCertificateIdsConf(Confirmation):
    """NotFound: there is none."""

    status: GetInstalledCertificateStatusEnumType
    certificate_hash_data: Sequence[CertificateHashDataType] | None = None


@dataclass(frozen=True, kw_only=True)
class GetInstalledCertificateIdsReq(
    Request[GetInstalledCertificateIdsConf], sent_by=Role.CENTRAL_SYSTEM, profile=PROFILE, section="SEC §5.7"
):
    """Which CA certificates are installed?"""

    certificate_type: CertificateUseEnumType


@dataclass(frozen=True, kw_only=True)
class GetLogConf(Confirmation):
    """Name of the file that will be uploaded."""

    status: LogStatusEnumType
    filename: CiString255 | None = None  # one word here, two in GetDiagnostics.conf


@dataclass(frozen=True, kw_only=True)
class GetLogReq(Request[GetLogConf], sent_by=Role.CENTRAL_SYSTEM, profile=PROFILE, section="SEC §5.9"):
    """Upload a log. ``retries`` come after the first attempt; ``request_id`` comes back in LogStatusNotification."""

    log_type: LogEnumType
    request_id: int
    retries: NonNegative | None = None
    retry_interval: NonNegative | None = None  # seconds
    log: LogParametersType


@dataclass(frozen=True, kw_only=True)
class InstallCertificateConf(Confirmation):
    """Rejected: the certificate is not good. Failed: it could not be stored."""

    status: CertificateStatusEnumType


@dataclass(frozen=True, kw_only=True)
class InstallCertificateReq(
    Request[InstallCertificateConf], sent_by=Role.CENTRAL_SYSTEM, profile=PROFILE, section="SEC §5.11"
):
    """Install a CA certificate (PEM)."""

    certificate_type: CertificateUseEnumType
    certificate: Text5500


@dataclass(frozen=True, kw_only=True)
class LogStatusNotificationConf(Confirmation):
    """Received."""


@dataclass(frozen=True, kw_only=True)
class LogStatusNotificationReq(
    Request[LogStatusNotificationConf], sent_by=Role.CHARGE_POINT, profile=PROFILE, section="SEC §5.13"
):
    """Progress of a log upload."""

    status: UploadLogStatusEnumType
    request_id: int | None = None  # absent only when triggered while nothing is uploaded (SEC N01.FR.12)


@dataclass(frozen=True, kw_only=True)
class SecurityEventNotificationConf(Confirmation):
    """Received."""


@dataclass(frozen=True, kw_only=True)
class SecurityEventNotificationReq(
    Request[SecurityEventNotificationConf], sent_by=Role.CHARGE_POINT, profile=PROFILE, section="SEC §5.15"
):
    """A security event, by its name in the standard or one of the vendor's."""

    type: CiString50
    timestamp: datetime
    tech_info: CiString255 | None = None


@dataclass(frozen=True, kw_only=True)
class SignCertificateConf(Confirmation):
    """Accepted: a certificate will follow."""

    status: GenericStatusEnumType


@dataclass(frozen=True, kw_only=True)
class SignCertificateReq(Request[SignCertificateConf], sent_by=Role.CHARGE_POINT, profile=PROFILE, section="SEC §5.17"):
    """A certificate signing request (PEM)."""

    csr: Text5500


@dataclass(frozen=True, kw_only=True)
class SignedFirmwareStatusNotificationConf(Confirmation):
    """Received."""


@dataclass(frozen=True, kw_only=True)
class SignedFirmwareStatusNotificationReq(
    Request[SignedFirmwareStatusNotificationConf], sent_by=Role.CHARGE_POINT, profile=PROFILE, section="SEC §5.19"
):
    """Progress of a signed firmware update."""

    status: FirmwareStatusEnumType
    request_id: int | None = None  # absent only with Idle (SEC L01.FR.21)


@dataclass(frozen=True, kw_only=True)
class SignedUpdateFirmwareConf(Confirmation):
    """AcceptedCanceled: accepted, and a running update was cancelled for it."""

    status: UpdateFirmwareStatusEnumType


@dataclass(frozen=True, kw_only=True)
class SignedUpdateFirmwareReq(
    Request[SignedUpdateFirmwareConf], sent_by=Role.CENTRAL_SYSTEM, profile=PROFILE, section="SEC §5.21"
):
    """Download, verify and install a firmware. ``retries`` come after the first attempt."""

    retries: NonNegative | None = None
    retry_interval: NonNegative | None = None  # seconds
    request_id: int
    firmware: FirmwareType
