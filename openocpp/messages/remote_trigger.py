"""Messages of the RemoteTrigger profile (1.6 §3.3).

Threads: any.
"""

from openocpp.messages.base import Confirmation, Request, Role
from openocpp.types.base import NonNegative
from openocpp.types.enums import FeatureProfile, MessageTrigger, TriggerMessageStatus
from openocpp.types.record import dataclass

PROFILE = FeatureProfile.RemoteTrigger


@dataclass(frozen=True, kw_only=True)
class TriggerMessageConf(Confirmation):
    """NotImplemented: the message is unknown, or not implemented."""

    status: TriggerMessageStatus


@dataclass(frozen=True, kw_only=True)
class TriggerMessageReq(Request[TriggerMessageConf], sent_by=Role.CENTRAL_SYSTEM, profile=PROFILE, section="1.6 §5.17"):
    """Send a message that the charge point would otherwise send by itself.

    An unknown message is to be answered with NotImplemented (1.6 §7.44), so its name is kept as a plain text when it is
    read; only members of the enumeration are sent.
    """

    requested_message: MessageTrigger | str
    connector_id: NonNegative | None = None  # > 0 by 1.6 §6.51, but 1.6 §5.17 speaks of connector 0
