"""TriggerMessage and ExtendedTriggerMessage (1.6 §5.17; SEC §5.5). What is sent stands at the managers' methods.

Threads: monitor.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from openocpp.chargepoint.marks import triggers_of
from openocpp.chargepoint.outbox import Registration
from openocpp.messages.dispatch import handles
from openocpp.messages.messenger import Reply
from openocpp.messages.remote_trigger import TriggerMessageConf, TriggerMessageReq
from openocpp.messages.security import ExtendedTriggerMessageConf, ExtendedTriggerMessageReq
from openocpp.types import (
    MessageTrigger,
    MessageTriggerEnumType,
    TriggerMessageStatus,
    TriggerMessageStatusEnumType,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from openocpp.chargepoint.context import ChargePointContext
    from openocpp.chargepoint.outbox import Outbox

OF_A_CONNECTOR = frozenset({"StatusNotification", "MeterValues"})  # the connector id of the others means nothing


class TriggerManager:
    """Confirms a trigger, then lets the message be sent: in this order, whatever the time it takes."""

    def __init__(self, ctx: ChargePointContext, outbox: Outbox, managers: Iterable[object]) -> None:
        self.ctx = ctx
        self._outbox = outbox
        self._senders = triggers_of(managers)

    @handles(TriggerMessageReq)
    def trigger(self, request: TriggerMessageReq) -> TriggerMessageConf | Reply:
        found = self._find(MessageTrigger, request.requested_message, request.connector_id)
        if callable(found):
            return Reply(TriggerMessageConf(status=TriggerMessageStatus.Accepted), found)
        return TriggerMessageConf(status=TriggerMessageStatus(found))

    @handles(ExtendedTriggerMessageReq)
    def extended_trigger(self, request: ExtendedTriggerMessageReq) -> ExtendedTriggerMessageConf | Reply:
        found = self._find(MessageTriggerEnumType, request.requested_message, request.connector_id)
        if callable(found):
            return Reply(ExtendedTriggerMessageConf(status=TriggerMessageStatusEnumType.Accepted), found)
        return ExtendedTriggerMessageConf(status=TriggerMessageStatusEnumType(found))

    def _find(self, kind: type, message: str, connector_id: int | None) -> Callable[[], None] | str:
        """What sends the message, or the status that says why nothing is sent."""
        sender = self._senders.get((kind, str(message)))
        if sender is None:
            return "NotImplemented"
        if str(message) == "BootNotification" and self._outbox.registration is Registration.ACCEPTED:
            return "Rejected"  # errata 3.35
        if (
            str(message) in OF_A_CONNECTOR
            and connector_id is not None
            and self.ctx.connectors.get(connector_id) is None
        ):
            return "Rejected"
        return partial(sender, connector_id)
