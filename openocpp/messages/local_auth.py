"""Messages of the LocalAuthListManagement profile (1.6 §3.3).

Threads: any.
"""

from collections.abc import Sequence

from openocpp.messages.base import Confirmation, Request, Role
from openocpp.types.datatypes import AuthorizationData
from openocpp.types.enums import FeatureProfile, UpdateStatus, UpdateType
from openocpp.types.record import dataclass

PROFILE = FeatureProfile.LocalAuthListManagement


@dataclass(frozen=True, kw_only=True)
class GetLocalListVersionConf(Confirmation):
    """0: the list is empty, -1: there are no lists here."""

    list_version: int


@dataclass(frozen=True, kw_only=True)
class GetLocalListVersionReq(
    Request[GetLocalListVersionConf], sent_by=Role.CENTRAL_SYSTEM, profile=PROFILE, section="1.6 §5.10"
):
    """Which version of the local authorization list is there?"""


@dataclass(frozen=True, kw_only=True)
class SendLocalListConf(Confirmation):
    """VersionMismatch: the version of a differential update is not newer than the list's."""

    status: UpdateStatus


@dataclass(frozen=True, kw_only=True)
class SendLocalListReq(Request[SendLocalListConf], sent_by=Role.CENTRAL_SYSTEM, profile=PROFILE, section="1.6 §5.15"):
    """Replace or change the local authorization list. The version is never 0 or -1 (errata 3.52)."""

    list_version: int
    local_authorization_list: Sequence[AuthorizationData] | None = None  # a full list has information in each entry
    update_type: UpdateType
