"""The data types that messages share: 1.6 §7, SEC chapter 6, PNC chapter 7.

Fields that the standard leaves out have the value ``None``; what a missing field means is said at the field. How to
declare one is described in ``openocpp.types.record``.

Threads: any.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from openocpp.types.base import (
    AtLeast,
    AtMost,
    CiString50,
    IdToken,
    MaxItems,
    MaxLen,
    NonNegative,
    OneDecimal,
    OneOrMore,
    SecretIf,
    Text40,
    Text128,
    Text800,
    Text5500,
    Uri512,
    Wire,
)
from openocpp.types.enums import (
    AuthorizationStatus,
    ChargingProfileKindType,
    ChargingProfilePurposeType,
    ChargingRateUnitType,
    GetCertificateIdUseEnumType,
    HashAlgorithmEnumType,
    Location,
    Measurand,
    Phase,
    ReadingContext,
    RecurrencyKindType,
    UnitOfMeasure,
    ValueFormat,
)
from openocpp.types.record import Record, dataclass


@dataclass(frozen=True, kw_only=True)
class IdTagInfo(Record):
    """What the central system knows about an id tag (1.6 §7.27)."""

    status: AuthorizationStatus
    expiry_date: datetime | None = None  # absent: no end
    parent_id_tag: IdToken | None = None


@dataclass(frozen=True, kw_only=True)
class AuthorizationData(Record):
    """An entry of the local authorization list (1.6 §7.1). Without information: delete it (differential update)."""

    id_tag: IdToken
    id_tag_info: IdTagInfo | None = None


@dataclass(frozen=True, kw_only=True)
class KeyValue(Record):
    """A configuration key (1.6 §7.29)."""

    key: CiString50
    readonly: bool
    value: Annotated[str, MaxLen(500), SecretIf("key")] | None = None  # absent: not set, or write-only


@dataclass(frozen=True, kw_only=True)
class SampledValue(Record):
    """One reading (1.6 §7.43). The value is a text, a number or signed data."""

    value: str
    context: ReadingContext | None = None  # absent: Sample.Periodic
    format: ValueFormat | None = None  # absent: Raw
    measurand: Measurand | None = None  # absent: Energy.Active.Import.Register
    phase: Phase | None = None  # absent: an overall value
    location: Location | None = None  # absent: Outlet
    unit: UnitOfMeasure | None = None  # absent: Wh for energy


@dataclass(frozen=True, kw_only=True)
class MeterValue(Record):
    """Readings of one moment (1.6 §7.33)."""

    timestamp: datetime
    sampled_value: OneOrMore[SampledValue]


@dataclass(frozen=True, kw_only=True)
class ChargingSchedulePeriod(Record):
    """A limit from ``start_period`` seconds after the start of the schedule on (1.6 §7.14). The first starts at 0."""

    start_period: int
    limit: OneDecimal
    number_phases: Annotated[int, AtLeast(1), AtMost(3)] | None = None  # absent: 3


@dataclass(frozen=True, kw_only=True)
class ChargingSchedule(Record):
    """Limits over time (1.6 §7.13). ``duration`` is in seconds; absent: to the end of the transaction or for ever."""

    duration: NonNegative | None = None
    start_schedule: datetime | None = None  # absent in GetCompositeSchedule.conf (errata 3.57)
    charging_rate_unit: ChargingRateUnitType
    charging_schedule_period: OneOrMore[ChargingSchedulePeriod]
    min_charging_rate: OneDecimal | None = None


@dataclass(frozen=True, kw_only=True)
class ChargingProfile(Record):
    """A charging schedule, and what it is for (1.6 §7.8)."""

    charging_profile_id: int
    transaction_id: int | None = None  # only with TxProfile
    stack_level: NonNegative
    charging_profile_purpose: ChargingProfilePurposeType
    charging_profile_kind: ChargingProfileKindType
    recurrency_kind: RecurrencyKindType | None = None  # only with Recurring
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    charging_schedule: ChargingSchedule


@dataclass(frozen=True, kw_only=True)
class CertificateHashDataType(Record):
    """Identifies a certificate: hexadecimal hashes of its issuer's name and key, hexadecimal serial number (SEC 6)."""

    hash_algorithm: HashAlgorithmEnumType
    issuer_name_hash: Text128
    issuer_key_hash: Text128
    serial_number: Text40


@dataclass(frozen=True, kw_only=True)
class FirmwareType(Record):
    """A signed firmware (SEC 6). Certificate (PEM) and signature (base64) are required by SEC, though not by its
    schema: always send them; an update without them is refused as one with an invalid certificate or signature."""

    location: Uri512
    retrieve_date_time: datetime
    install_date_time: datetime | None = None
    signing_certificate: Text5500 | None = None
    signature: Text800 | None = None


@dataclass(frozen=True, kw_only=True)
class LogParametersType(Record):
    """Where to upload which part of a log (SEC 6)."""

    remote_location: Uri512
    oldest_timestamp: datetime | None = None
    latest_timestamp: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class CertificateHashDataChainType(Record):
    """An installed certificate with up to four sub-CA certificates, in order from the leaf (PNC 7)."""

    certificate_type: GetCertificateIdUseEnumType
    certificate_hash_data: CertificateHashDataType
    child_certificate_hash_data: Annotated[Sequence[CertificateHashDataType], MaxItems(4)] | None = None


@dataclass(frozen=True, kw_only=True)
class IdTokenInfoType(Record):
    """What the central system knows about a contract (PNC 7)."""

    status: AuthorizationStatus
    cache_expiry_date_time: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class OCSPRequestDataType(Record):
    """What is needed to ask an OCSP responder about a certificate (PNC 7)."""

    hash_algorithm: HashAlgorithmEnumType
    issuer_name_hash: Text128
    issuer_key_hash: Text128
    serial_number: Text40
    responder_url: Annotated[str, MaxLen(512), Wire("responderURL")]
