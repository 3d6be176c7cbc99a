"""Messages of the FirmwareManagement profile (1.6 §3.3).

Threads: any.
"""

from datetime import datetime

from openocpp.messages.base import Confirmation, Request, Role
from openocpp.types.base import AnyUri, CiString255, NonNegative
from openocpp.types.enums import DiagnosticsStatus, FeatureProfile, FirmwareStatus
from openocpp.types.record import dataclass

PROFILE = FeatureProfile.FirmwareManagement


@dataclass(frozen=True, kw_only=True)
class DiagnosticsStatusNotificationConf(Confirmation):
    """Received."""


@dataclass(frozen=True, kw_only=True)
class DiagnosticsStatusNotificationReq(
    Request[DiagnosticsStatusNotificationConf], sent_by=Role.CHARGE_POINT, profile=PROFILE, section="1.6 §4.4"
):
    """Progress of an upload of diagnostics."""

    status: DiagnosticsStatus


@dataclass(frozen=True, kw_only=True)
class FirmwareStatusNotificationConf(Confirmation):
    """Received."""


@dataclass(frozen=True, kw_only=True)
class FirmwareStatusNotificationReq(
    Request[FirmwareStatusNotificationConf], sent_by=Role.CHARGE_POINT, profile=PROFILE, section="1.6 §4.5"
):
    """Progress of a firmware update."""

    status: FirmwareStatus


@dataclass(frozen=True, kw_only=True)
class GetDiagnosticsConf(Confirmation):
    """Name of the file that will be uploaded; absent when there is none."""

    file_name: CiString255 | None = None


@dataclass(frozen=True, kw_only=True)
class GetDiagnosticsReq(Request[GetDiagnosticsConf], sent_by=Role.CENTRAL_SYSTEM, profile=PROFILE, section="1.6 §5.9"):
    """Upload diagnostics to a folder. ``retries`` come after the first attempt (errata 3.50)."""

    location: AnyUri
    retries: NonNegative | None = None
    retry_interval: NonNegative | None = None  # seconds
    start_time: datetime | None = None
    stop_time: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class UpdateFirmwareConf(Confirmation):
    """Received."""


@dataclass(frozen=True, kw_only=True)
class UpdateFirmwareReq(Request[UpdateFirmwareConf], sent_by=Role.CENTRAL_SYSTEM, profile=PROFILE, section="1.6 §5.19"):
    """Download a firmware, not before ``retrieve_date``, and install it. ``retries`` come after the first attempt."""

    location: AnyUri
    retries: NonNegative | None = None
    retrieve_date: datetime
    retry_interval: NonNegative | None = None  # seconds
