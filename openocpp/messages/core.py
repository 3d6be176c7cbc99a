"""Messages of the Core profile (1.6 §3.3).

Threads: any.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from openocpp.messages.base import Confirmation, Request, Role
from openocpp.types.base import (
    AtLeast,
    CiString20,
    CiString25,
    CiString50,
    CiString255,
    IdToken,
    MaxLen,
    NonNegative,
    OneOrMore,
    Positive,
    SecretIf,
)
from openocpp.types.datatypes import ChargingProfile, IdTagInfo, KeyValue, MeterValue
from openocpp.types.enums import (
    AvailabilityStatus,
    AvailabilityType,
    ChargePointErrorCode,
    ChargePointStatus,
    ClearCacheStatus,
    ConfigurationStatus,
    DataTransferStatus,
    Reason,
    RegistrationStatus,
    RemoteStartStopStatus,
    ResetStatus,
    ResetType,
    UnlockStatus,
)
from openocpp.types.record import dataclass


@dataclass(frozen=True, kw_only=True)
class AuthorizeConf(Confirmation):
    """The central system's verdict on an id tag."""

    id_tag_info: IdTagInfo


@dataclass(frozen=True, kw_only=True)
class AuthorizeReq(Request[AuthorizeConf], sent_by=Role.CHARGE_POINT, section="1.6 §4.1"):
    """May this id tag start or stop charging?"""

    id_tag: IdToken


@dataclass(frozen=True, kw_only=True)
class BootNotificationConf(Confirmation):
    """``interval`` is the heartbeat interval in seconds when accepted, else the least time until the next attempt
    (0: the charge point chooses)."""

    status: RegistrationStatus
    current_time: datetime
    interval: int


@dataclass(frozen=True, kw_only=True)
class BootNotificationReq(Request[BootNotificationConf], sent_by=Role.CHARGE_POINT, section="1.6 §4.2"):
    """The charge point introduces itself."""

    charge_point_vendor: CiString20
    charge_point_model: CiString20
    charge_point_serial_number: CiString25 | None = None
    charge_box_serial_number: CiString25 | None = None  # deprecated by the standard
    firmware_version: CiString50 | None = None
    iccid: CiString20 | None = None
    imsi: CiString20 | None = None
    meter_type: CiString25 | None = None
    meter_serial_number: CiString25 | None = None


@dataclass(frozen=True, kw_only=True)
class ChangeAvailabilityConf(Confirmation):
    """Scheduled: as soon as the running transaction has ended."""

    status: AvailabilityStatus


@dataclass(frozen=True, kw_only=True)
class ChangeAvailabilityReq(Request[ChangeAvailabilityConf], sent_by=Role.CENTRAL_SYSTEM, section="1.6 §5.2"):
    """Make a connector, or the whole charge point (0), available or not."""

    connector_id: NonNegative
    type: AvailabilityType


@dataclass(frozen=True, kw_only=True)
class ChangeConfigurationConf(Confirmation):
    """RebootRequired: set, and used after the next start."""

    status: ConfigurationStatus


@dataclass(frozen=True, kw_only=True)
class ChangeConfigurationReq(Request[ChangeConfigurationConf], sent_by=Role.CENTRAL_SYSTEM, section="1.6 §5.3"):
    """Set a configuration key."""

    key: CiString50
    value: Annotated[str, MaxLen(500), SecretIf("key")]


@dataclass(frozen=True, kw_only=True)
class ClearCacheConf(Confirmation):
    """Was the authorization cache cleared?"""

    status: ClearCacheStatus


@dataclass(frozen=True, kw_only=True)
class ClearCacheReq(Request[ClearCacheConf], sent_by=Role.CENTRAL_SYSTEM, section="1.6 §5.4"):
    """Forget the authorization cache."""


@dataclass(frozen=True, kw_only=True)
class DataTransferConf(Confirmation):
    """``data`` is absent with UnknownVendorId (1.6 §4.3)."""

    status: DataTransferStatus
    data: str | None = None


@dataclass(frozen=True, kw_only=True)
class DataTransferReq(Request[DataTransferConf], sent_by=Role.BOTH, section="1.6 §4.3, §5.6"):
    """Anything that two vendors agreed upon. ``data`` is a text of any length."""

    vendor_id: CiString255
    message_id: CiString50 | None = None
    data: str | None = None


@dataclass(frozen=True, kw_only=True)
class GetConfigurationConf(Confirmation):
    """The keys that are known, and the names that are not."""

    configuration_key: Sequence[KeyValue] | None = None
    unknown_key: Sequence[CiString50] | None = None


@dataclass(frozen=True, kw_only=True)
class GetConfigurationReq(Request[GetConfigurationConf], sent_by=Role.CENTRAL_SYSTEM, section="1.6 §5.8"):
    """Ask for configuration keys; without a name for all."""

    key: Sequence[CiString50] | None = None


@dataclass(frozen=True, kw_only=True)
class HeartbeatConf(Confirmation):
    """The central system's clock."""

    current_time: datetime


@dataclass(frozen=True, kw_only=True)
class HeartbeatReq(Request[HeartbeatConf], sent_by=Role.CHARGE_POINT, section="1.6 §4.6"):
    """I am still here."""


@dataclass(frozen=True, kw_only=True)
class MeterValuesConf(Confirmation):
    """Received."""


@dataclass(frozen=True, kw_only=True)
class MeterValuesReq(Request[MeterValuesConf], sent_by=Role.CHARGE_POINT, section="1.6 §4.7"):
    """Readings of a connector, or of the main meter (0)."""

    connector_id: NonNegative
    transaction_id: int | None = None
    meter_value: OneOrMore[MeterValue]


@dataclass(frozen=True, kw_only=True)
class RemoteStartTransactionConf(Confirmation):
    """Accepted: the charge point will try."""

    status: RemoteStartStopStatus


@dataclass(frozen=True, kw_only=True)
class RemoteStartTransactionReq(Request[RemoteStartTransactionConf], sent_by=Role.CENTRAL_SYSTEM, section="1.6 §5.11"):
    """Start a transaction for an id tag. The profile is a TxProfile without transaction id (errata 3.41)."""

    connector_id: Annotated[int, AtLeast(0, sent=1)] | None = None  # absent: the charge point chooses
    id_tag: IdToken
    charging_profile: ChargingProfile | None = None


@dataclass(frozen=True, kw_only=True)
class RemoteStopTransactionConf(Confirmation):
    """Accepted: the charge point will try."""

    status: RemoteStartStopStatus


@dataclass(frozen=True, kw_only=True)
class RemoteStopTransactionReq(Request[RemoteStopTransactionConf], sent_by=Role.CENTRAL_SYSTEM, section="1.6 §5.12"):
    """Stop a transaction."""

    transaction_id: int


@dataclass(frozen=True, kw_only=True)
class ResetConf(Confirmation):
    """Accepted: it will follow."""

    status: ResetStatus


@dataclass(frozen=True, kw_only=True)
class ResetReq(Request[ResetConf], sent_by=Role.CENTRAL_SYSTEM, section="1.6 §5.14"):
    """Restart the charge point."""

    type: ResetType


@dataclass(frozen=True, kw_only=True)
class StartTransactionConf(Confirmation):
    """The transaction's id, unique and preferably positive (errata 3.54), and the verdict on the id tag."""

    id_tag_info: IdTagInfo
    transaction_id: int


@dataclass(frozen=True, kw_only=True)
class StartTransactionReq(Request[StartTransactionConf], sent_by=Role.CHARGE_POINT, section="1.6 §4.8"):
    """A transaction was started. ``meter_start`` is in Wh."""

    connector_id: Positive
    id_tag: IdToken
    meter_start: int
    reservation_id: int | None = None  # the reservation that ends with it
    timestamp: datetime


@dataclass(frozen=True, kw_only=True)
class StatusNotificationConf(Confirmation):
    """Received."""


@dataclass(frozen=True, kw_only=True)
class StatusNotificationReq(Request[StatusNotificationConf], sent_by=Role.CHARGE_POINT, section="1.6 §4.9"):
    """Status of a connector, or of the main controller (0)."""

    connector_id: NonNegative
    error_code: ChargePointErrorCode
    info: CiString50 | None = None
    status: ChargePointStatus
    timestamp: datetime | None = None  # absent: the time of receipt
    vendor_id: CiString255 | None = None
    vendor_error_code: CiString50 | None = None


@dataclass(frozen=True, kw_only=True)
class StopTransactionConf(Confirmation):
    """The verdict on the id tag that stopped it, if there was one."""

    id_tag_info: IdTagInfo | None = None


@dataclass(frozen=True, kw_only=True)
class StopTransactionReq(Request[StopTransactionConf], sent_by=Role.CHARGE_POINT, section="1.6 §4.10"):
    """A transaction has ended. ``meter_stop`` is in Wh."""

    id_tag: IdToken | None = None
    meter_stop: int
    timestamp: datetime
    transaction_id: int  # -1 when it never became known (errata 3.18)
    reason: Reason | None = None  # absent: Local
    transaction_data: Sequence[MeterValue] | None = None


@dataclass(frozen=True, kw_only=True)
class UnlockConnectorConf(Confirmation):
    """NotSupported: there is no lock, or no such connector."""

    status: UnlockStatus


@dataclass(frozen=True, kw_only=True)
class UnlockConnectorReq(Request[UnlockConnectorConf], sent_by=Role.CENTRAL_SYSTEM, section="1.6 §5.18"):
    """Unlock a connector; a transaction on it ends."""

    connector_id: Annotated[int, AtLeast(0, sent=1)]
