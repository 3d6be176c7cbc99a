"""Messages of the Reservation profile (1.6 §3.3).

Threads: any.
"""

from datetime import datetime

from openocpp.messages.base import Confirmation, Request, Role
from openocpp.types.base import IdToken, NonNegative
from openocpp.types.enums import CancelReservationStatus, FeatureProfile, ReservationStatus
from openocpp.types.record import dataclass

PROFILE = FeatureProfile.Reservation


@dataclass(frozen=True, kw_only=True)
class CancelReservationConf(Confirmation):
    """Rejected: there is no such reservation."""

    status: CancelReservationStatus


@dataclass(frozen=True, kw_only=True)
class CancelReservationReq(
    Request[CancelReservationConf], sent_by=Role.CENTRAL_SYSTEM, profile=PROFILE, section="1.6 §5.1"
):
    """Give up a reservation."""

    reservation_id: int


@dataclass(frozen=True, kw_only=True)
class ReserveNowConf(Confirmation):
    """Was the connector reserved, and why not?"""

    status: ReservationStatus


@dataclass(frozen=True, kw_only=True)
class ReserveNowReq(Request[ReserveNowConf], sent_by=Role.CENTRAL_SYSTEM, profile=PROFILE, section="1.6 §5.13"):
    """Reserve a connector for an id tag until a given time."""

    connector_id: NonNegative  # 0: any connector, if ReserveConnectorZeroSupported
    expiry_date: datetime
    id_tag: IdToken
    parent_id_tag: IdToken | None = None
    reservation_id: int
