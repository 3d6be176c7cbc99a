"""What operations and handlers return when one value is not enough.

Threads: any.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeAlias, TypeVar

from openocpp.types.base import OcppEnum

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from openocpp.types.datatypes import ChargingSchedule, IdTagInfo, IdTokenInfoType, KeyValue
    from openocpp.types.enums import (
        AuthorizationStatus,
        AuthorizeCertificateStatusEnumType,
        DataTransferStatus,
        GetCertificateStatusEnumType,
        GetCompositeScheduleStatus,
        Iso15118EVCertificateStatusEnumType,
        LogStatusEnumType,
    )

C = TypeVar("C")


class AuthorizeResult(NamedTuple):
    """Answer to an authorization. ``parent_id`` is empty when the tag has none."""

    status: AuthorizationStatus
    parent_id: str


class DataTransferResult(NamedTuple):
    """Answer to a DataTransfer. Empty data is not sent."""

    status: DataTransferStatus
    data: str = ""


class SmartChargingSetpoint(NamedTuple):
    """A limit in the unit that was asked for."""

    value: float
    number_phases: int
    min_charging_rate: float | None


class Setpoints(NamedTuple):
    """Limits that apply now. ``None``: there is no limit."""

    charge_point: SmartChargingSetpoint | None
    connector: SmartChargingSetpoint | None


class ConfigurationResult(NamedTuple):
    """Known keys with their values, and the names that are not known."""

    values: list[KeyValue]
    unknown: list[str]


class CompositeSchedule(NamedTuple):
    """Answer to GetCompositeSchedule. The periods count from ``schedule_start``."""

    status: GetCompositeScheduleStatus
    connector_id: int | None
    schedule_start: datetime | None
    schedule: ChargingSchedule | None


class GetLogResult(NamedTuple):
    """Answer to GetLog. ``filename`` is empty when the charge point named none."""

    status: LogStatusEnumType
    filename: str


class StartTransactionResult(NamedTuple):
    """The central system's answer to the start of a transaction."""

    id_tag_info: IdTagInfo
    transaction_id: int


class Iso15118AuthorizeResult(NamedTuple):
    """Answer to the authorization of a contract. Without certificate status when none was sent, or nobody asked."""

    status: AuthorizationStatus
    certificate_status: AuthorizeCertificateStatusEnumType | None


class Iso15118AuthorizeAnswer(NamedTuple):
    """The central system's answer to the authorization of a contract."""

    id_token_info: IdTokenInfoType
    certificate_status: AuthorizeCertificateStatusEnumType | None


class EvCertificateResult(NamedTuple):
    """The central system's answer to a vehicle's certificate request. ``exi_response`` is base64, "" when it failed."""

    status: Iso15118EVCertificateStatusEnumType
    exi_response: str


class CertificateStatusResult(NamedTuple):
    """The central system's answer to an OCSP question. ``ocsp_result`` is base64, empty when it failed."""

    status: GetCertificateStatusEnumType
    ocsp_result: str


class EvCertificateCheck(OcppEnum):
    """What the application found out about a contract certificate.

    UnknownRoot: it may be good, but its root is not installed here; the central system may be asked.
    """

    Valid = auto()
    UnknownRoot = auto()
    Invalid = auto()


class CallOutcome(StrEnum):
    """How a call ended."""

    Answered = "answered"
    Refused = "refused"  # a CALLERROR came
    TimedOut = "timed out"
    NotConnected = "not connected"
    InvalidAnswer = "invalid answer"


_NO_DETAILS: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True)
class CallResult(Generic[C]):
    """What became of a call: an answer, or why there is none.

    ``response`` is there when the outcome is Answered. The error texts are those of the CALLERROR when it is Refused,
    and say what was wrong when it is InvalidAnswer.
    """

    outcome: CallOutcome
    response: C | None = None
    error_code: str = ""
    error_description: str = ""
    error_details: Mapping[str, object] = field(default_factory=lambda: _NO_DETAILS)

    @property
    def ok(self) -> bool:
        """Was the call answered?"""
        return self.outcome is CallOutcome.Answered


class _NoAnswer(Enum):
    NO_ANSWER = "no answer"

    def __repr__(self) -> str:
        return "NO_ANSWER"


NoAnswer: TypeAlias = _NoAnswer
NO_ANSWER: Final = _NoAnswer.NO_ANSWER
"""Returned by a handler of the local controller that wants to stay silent: the requester's own timeout runs."""
