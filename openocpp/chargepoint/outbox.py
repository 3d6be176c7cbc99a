"""The one sender: every message of a charge point passes here, and here alone is decided whether it may leave.

Nothing but BootNotification leaves before the central system has accepted the charge point, messages that it triggered
while Pending excepted (1.6 §4.2). What belongs to a transaction is never dropped: it waits on the disk.
Threads: monitor.
"""

from __future__ import annotations

from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from openocpp.messages.base import Confirmation
from openocpp.messages.messenger import NOT_CONNECTED
from openocpp.types import RegistrationStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.messages.base import Request
    from openocpp.messages.messenger import Messenger
    from openocpp.types import CallResult

C = TypeVar("C", bound=Confirmation)


class Registration(Enum):
    """Where the charge point stands with its central system."""

    NONE = auto()  # no BootNotification was answered yet
    REMEMBERED = auto()  # Accepted in the last session: works offline, but a BootNotification goes first
    ACCEPTED = auto()
    PENDING = auto()
    REJECTED = auto()

    @property
    def status(self) -> RegistrationStatus:
        """As an application sees it."""
        if self in (Registration.ACCEPTED, Registration.REMEMBERED):
            return RegistrationStatus.Accepted
        return RegistrationStatus.Pending if self is Registration.PENDING else RegistrationStatus.Rejected


class Kind(Enum):
    """Kinds of messages, by what becomes of them when they cannot leave."""

    BOOT = auto()
    TRIGGERED = auto()  # asked for by the central system
    TRANSACTION = auto()  # StartTransaction, StopTransaction, MeterValues: on the disk first, in order
    EVENT = auto()  # critical security events: on the disk first, in an order of their own
    NOTIFICATION = auto()  # the present state: what is not sent now is told anew after the next connection
    REQUEST = auto()  # an operation whose caller waits


class Verdict(Enum):
    SEND = auto()
    QUEUE = auto()
    DROP = auto()


_OPEN: dict[Kind, frozenset[Registration]] = {
    Kind.BOOT: frozenset(Registration),
    Kind.TRIGGERED: frozenset({Registration.ACCEPTED, Registration.PENDING}),
    Kind.TRANSACTION: frozenset({Registration.ACCEPTED}),
    Kind.EVENT: frozenset({Registration.ACCEPTED}),
    Kind.NOTIFICATION: frozenset({Registration.ACCEPTED}),
    Kind.REQUEST: frozenset({Registration.ACCEPTED}),
}
_DURABLE = frozenset({Kind.TRANSACTION, Kind.EVENT})


def decide(registration: Registration, connected: bool, kind: Kind) -> Verdict:
    """Send now, queue or drop: the whole truth about what may leave (1.6 §3.7.1, §4.2)."""
    if connected and registration in _OPEN[kind]:
        return Verdict.SEND
    return Verdict.QUEUE if kind in _DURABLE else Verdict.DROP


class Outbox:
    """Knows registration and connection, and sends what may leave. The registration manager writes ``registration``.

    ``stopping``: nothing leaves any more. ``closed``: nobody wants to know any more what became of what has left.
    """

    def __init__(self, messenger: Messenger) -> None:
        self._messenger = messenger
        self.registration = Registration.NONE
        self.stopping = False
        self.closed = False

    def __repr__(self) -> str:
        return f"<outbox {self.registration.name}, {'connected' if self.is_connected else 'not connected'}>"

    @property
    def is_connected(self) -> bool:
        return self._messenger.is_connected

    @property
    def is_accepted(self) -> bool:
        """May operations be used? Also offline, when the last session was accepted."""
        return self.registration in (Registration.ACCEPTED, Registration.REMEMBERED)

    def may_send(self, kind: Kind) -> bool:
        return not self.stopping and decide(self.registration, self.is_connected, kind) is Verdict.SEND

    def ask(self, kind: Kind, request: Request[C]) -> CallResult[C]:
        """Send and wait; not connected when it may not leave. The monitor is left meanwhile.

        Raises LocalProtocolError, whether it may leave or not.
        """
        payload = self._messenger.wire.write_request(request)
        if not self.may_send(kind):
            return NOT_CONNECTED
        return self._messenger.ask_text(type(request), payload)

    def post(self, kind: Kind, request: Request[C], then: Callable[[CallResult[C]], None] | None = None) -> bool:
        """Send without waiting; ``then`` gets the result inside the monitor.

        False: it may not leave, and is dropped.
        """
        if not self.may_send(kind):
            return False
        self._messenger.post(request, None if then is None else partial(self._deliver, then))
        return True

    def post_text(
        self, kind: Kind, request_type: type[Request[C]], payload: str, then: Callable[[CallResult[C]], None]
    ) -> bool:
        """As ``post``, with a payload that is text already."""
        if not self.may_send(kind):
            return False
        self._messenger.post_text(request_type, payload, partial(self._deliver, then))
        return True

    def _deliver(self, then: Callable[[CallResult[C]], None], result: CallResult[C]) -> None:
        if not self.closed:
            then(result)
