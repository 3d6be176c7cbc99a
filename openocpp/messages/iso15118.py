"""Messages of ISO 15118 Plug & Charge, which travel as text inside DataTransfer (PNC chapters 2 and 6).

Their name on the wire (the ``messageId``) is ``action``, without the prefix of the class. Members that a peer adds are
ignored, as the examples of PNC show some that its tables do not define.

Threads: any.
"""

from collections.abc import Sequence
from typing import Annotated

from openocpp.messages.base import Confirmation, Request, Role
from openocpp.types.base import Boxed, CiString50, MaxItems, MaxLen, Text5500, Text5600, Text10000, Wire
from openocpp.types.datatypes import (
    CertificateHashDataChainType,
    CertificateHashDataType,
    IdTokenInfoType,
    OCSPRequestDataType,
)
from openocpp.types.enums import (
    AuthorizeCertificateStatusEnumType,
    CertificateActionEnumType,
    CertificateSignedStatusEnumType,
    DeleteCertificateStatusEnumType,
    FeatureProfile,
    GenericStatusEnumType,
    GetCertificateIdUseEnumType,
    GetCertificateStatusEnumType,
    GetInstalledCertificateStatusEnumType,
    InstallCertificateStatusEnumType,
    InstallCertificateUseEnumType,
    Iso15118EVCertificateStatusEnumType,
    TriggerMessageStatusEnumType,
)
from openocpp.types.record import dataclass

PROFILE = FeatureProfile.Iso15118


@dataclass(frozen=True, kw_only=True)
class Iso15118AuthorizeConf(Confirmation):
    """The central system's verdict on a contract and on its certificates."""

    certificate_status: AuthorizeCertificateStatusEnumType | None = None
    id_token_info: IdTokenInfoType


@dataclass(frozen=True, kw_only=True)
class Iso15118AuthorizeReq(
    Request[Iso15118AuthorizeConf], sent_by=Role.CHARGE_POINT, profile=PROFILE, section="PNC §6.1"
):
    """May this contract charge? The certificate (PEM) is sent when the charge point cannot validate it itself."""

    certificate: Text5500 | None = None
    id_token: Annotated[str, MaxLen(20), Boxed("idToken")]  # PNC §7.3 can be read as an object: both are accepted
    iso15118_certificate_hash_data: Annotated[Sequence[OCSPRequestDataType], MaxItems(4)] | None = None


@dataclass(frozen=True, kw_only=True)
class Iso15118CertificateSignedConf(Confirmation):
    """Rejected: the certificate is not good."""

    status: CertificateSignedStatusEnumType


@dataclass(frozen=True, kw_only=True)
class Iso15118CertificateSignedReq(
    Request[Iso15118CertificateSignedConf], sent_by=Role.CENTRAL_SYSTEM, profile=PROFILE, section="PNC §6.2"
):
    """A new V2G certificate for the charge point, PEM, leaf first, then sub-CAs."""

    certificate_chain: Text10000


@dataclass(frozen=True, kw_only=True)
class Iso15118DeleteCertificateConf(Confirmation):
    """NotFound: there is no such certificate."""

    status: DeleteCertificateStatusEnumType


@dataclass(frozen=True, kw_only=True)
class Iso15118DeleteCertificateReq(
    Request[Iso15118DeleteCertificateConf], sent_by=Role.CENTRAL_SYSTEM, profile=PROFILE, section="PNC §6.3"
):
    """Delete an installed certificate."""

    certificate_hash_data: CertificateHashDataType


@dataclass(frozen=True, kw_only=True)
class Iso15118Get15118EVCertificateConf(Confirmation):
    """The raw EXI response in base64. It is always sent, empty when the request failed (PNC §6.4, §8.13)."""

    status: Iso15118EVCertificateStatusEnumType
    exi_response: Text5600 = ""


@dataclass(frozen=True, kw_only=True)
class Iso15118Get15118EVCertificateReq(
    Request[Iso15118Get15118EVCertificateConf], sent_by=Role.CHARGE_POINT, profile=PROFILE, section="PNC §6.4"
):
    """Install or update the contract certificate of a vehicle: its raw EXI request in base64."""

    iso15118_schema_version: CiString50
    certificate_action: Annotated[CertificateActionEnumType, Wire("action")]  # "action" names the message here
    exi_request: Text5600


@dataclass(frozen=True, kw_only=True)
class Iso15118GetCertificateStatusConf(Confirmation):
    """The DER OCSP response in base64; absent only when there is none."""

    status: GetCertificateStatusEnumType
    ocsp_result: Text5500 | None = None


@dataclass(frozen=True, kw_only=True)
class Iso15118GetCertificateStatusReq(
    Request[Iso15118GetCertificateStatusConf], sent_by=Role.CHARGE_POINT, profile=PROFILE, section="PNC §6.5"
):
    """Ask the OCSP responder about a certificate."""

    ocsp_request_data: OCSPRequestDataType


@dataclass(frozen=True, kw_only=True)
class Iso15118GetInstalledCertificateIdsConf(Confirmation):
    """NotFound: there is none."""

    status: GetInstalledCertificateStatusEnumType
    certificate_hash_data_chain: Sequence[CertificateHashDataChainType] | None = None


@dataclass(frozen=True, kw_only=True)
class Iso15118GetInstalledCertificateIdsReq(
    Request[Iso15118GetInstalledCertificateIdsConf], sent_by=Role.CENTRAL_SYSTEM, profile=PROFILE, section="PNC §6.6"
):
    """Which certificates of these kinds are installed? Without kinds: all."""

    certificate_type: Sequence[GetCertificateIdUseEnumType] | None = None


@dataclass(frozen=True, kw_only=True)
class Iso15118InstallCertificateConf(Confirmation):
    """Rejected: the certificate is not good. Failed: it could not be stored."""

    status: InstallCertificateStatusEnumType


@dataclass(frozen=True, kw_only=True)
class Iso15118InstallCertificateReq(
    Request[Iso15118InstallCertificateConf], sent_by=Role.CENTRAL_SYSTEM, profile=PROFILE, section="PNC §6.7"
):
    """Install a root certificate (PEM)."""

    certificate_type: InstallCertificateUseEnumType
    certificate: Text5500


@dataclass(frozen=True, kw_only=True)
class Iso15118SignCertificateConf(Confirmation):
    """Accepted: a certificate will follow."""

    status: GenericStatusEnumType


@dataclass(frozen=True, kw_only=True)
class Iso15118SignCertificateReq(
    Request[Iso15118SignCertificateConf], sent_by=Role.CHARGE_POINT, profile=PROFILE, section="PNC §6.8"
):
    """A certificate signing request (PEM) for the V2G certificate."""

    csr: Text5500


@dataclass(frozen=True, kw_only=True)
class Iso15118TriggerMessageConf(Confirmation):
    """NotImplemented: the charge point does not make requests for V2G certificates."""

    status: TriggerMessageStatusEnumType


@dataclass(frozen=True, kw_only=True)
class Iso15118TriggerMessageReq(
    Request[Iso15118TriggerMessageConf], sent_by=Role.CENTRAL_SYSTEM, profile=PROFILE, section="PNC §6.9"
):
    """Send a signing request for the V2G certificate."""
