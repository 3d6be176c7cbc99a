"""What BootNotification was answered, and what that allows (1.6 §4.2, errata-J 3.8).

Threads: any; one thing at a time happens to one charge point.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openocpp.messages import (
    ExtendedTriggerMessageReq,
    Iso15118TriggerMessageReq,
    RemoteStartTransactionReq,
    RemoteStopTransactionReq,
    TriggerMessageReq,
)
from openocpp.types import RegistrationStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openocpp.messages.base import Request

MAX_REMEMBERED = 100_000  # charge points; beyond it, those are forgotten that booted longest ago

# What a trigger asks for, where the action has another name.
TRIGGERED_ACTIONS = {
    "SignChargePointCertificate": ("SignCertificate",),
    "FirmwareStatusNotification": ("FirmwareStatusNotification", "SignedFirmwareStatusNotification"),
}


class Registrations:
    """The last answer to each charge point, across its connections: it does not boot again after each (J §5.4)."""

    def __init__(self) -> None:
        self._answers: dict[str, RegistrationStatus] = {}

    def __repr__(self) -> str:
        return f"<registrations of {len(self._answers)} charge points>"

    def get(self, identity: str) -> RegistrationStatus | None:
        """The last answer; None: not known."""
        return self._answers.get(identity)

    def set(self, identity: str, status: RegistrationStatus | None) -> None:
        """Remember an answer, or forget it."""
        self._answers.pop(identity, None)
        if status is not None:
            self._answers[identity] = status
            if len(self._answers) > MAX_REMEMBERED:
                self._answers.pop(next(iter(self._answers)), None)


class Registration:
    """That of one connected charge point. ``required``: before acceptance nothing else is handled."""

    __slots__ = ("_all", "_identity", "_triggered", "required")

    def __init__(self, registrations: Registrations, identity: str, *, required: bool) -> None:
        self._all = registrations
        self._identity = identity
        self._triggered: frozenset[str] = frozenset()
        self.required = required

    def __repr__(self) -> str:
        return f"<registration of {self._identity}: {self.status}>"

    @property
    def status(self) -> RegistrationStatus | None:
        """The last answer to BootNotification; None: not known."""
        return self._all.get(self._identity)

    @status.setter
    def status(self, status: RegistrationStatus | None) -> None:
        self._all.set(self._identity, status)
        self._triggered = frozenset()

    def admits(self, action: str) -> bool:
        """May this request of the charge point be handled? While Pending: what was triggered (1.6 §4.2)."""
        if not self.required or action == "BootNotification":
            return True
        status = self.status
        return status is RegistrationStatus.Accepted or (
            status is RegistrationStatus.Pending and action in self._triggered
        )

    def objection(self, request: Request[Any]) -> str:
        """Why this request should not be sent now; "" if it may be (1.6 §4.2)."""
        status = self.status
        if status is RegistrationStatus.Rejected:
            return "the last BootNotification was answered with Rejected"
        if status is RegistrationStatus.Pending and isinstance(
            request, RemoteStartTransactionReq | RemoteStopTransactionReq
        ):
            return "the last BootNotification was answered with Pending"
        return ""

    def sending(self, request: Request[Any]) -> bool:
        """This request is sent: what it triggers is handled from now on. False: better not (errata 3.40)."""
        actions = triggered_by(request)
        self._triggered |= frozenset(actions)
        return not ("BootNotification" in actions and self.status is RegistrationStatus.Accepted)


def triggered_by(request: Request[Any]) -> Iterable[str]:
    """The actions that a trigger asks for; none for other requests."""
    if isinstance(request, TriggerMessageReq | ExtendedTriggerMessageReq):
        message = str(request.requested_message)
        return TRIGGERED_ACTIONS.get(message, (message,))
    return ("DataTransfer",) if isinstance(request, Iso15118TriggerMessageReq) else ()
