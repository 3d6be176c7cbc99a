"""What the central system is told of work that takes its time (1.6 §4.4, §4.5; SEC L01, N01).

A status is not queued. The newest one is told when messages may flow again, and when the central system asks.
Threads: monitor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from openocpp.chargepoint.outbox import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.chargepoint.outbox import Outbox
    from openocpp.chargepoint.registration import RegistrationManager
    from openocpp.messages.base import Request
    from openocpp.types import CallResult

S = TypeVar("S")


class Progress(Generic[S]):
    """The status of one kind of work. ``message`` makes the notification of a status.

    ``idle`` is what is told on demand when nothing has happened yet, or when the last work has come to its good end,
    ``done`` (SEC L01.FR.28, L01.FR.29).
    """

    def __init__(
        self, outbox: Outbox, registration: RegistrationManager, message: Callable[[S], Request[Any]], idle: S, done: S
    ) -> None:
        self._outbox = outbox
        self._message = message
        self._idle = idle
        self._done = done
        self._told = True
        self.status = idle
        registration.online.subscribe(self._online)

    def __repr__(self) -> str:
        return f"<progress {self.status}{'' if self._told else ', not told'}>"

    def tell(self, status: S) -> None:
        """The work has got this far."""
        self.status = status
        self._told = False
        self._post(Kind.NOTIFICATION, status)

    def ask(self, status: S) -> bool:
        """As ``tell``, and wait: was it answered? Leaves the monitor."""
        self.status = status
        self._told = False
        result = self._outbox.ask(Kind.REQUEST, self._message(status))
        self._note(status, result)
        return result.ok

    def trigger(self) -> None:
        """The central system asks."""
        self._post(Kind.TRIGGERED, self._idle if self.status is self._done else self.status)

    def _online(self, after_boot: bool) -> None:
        if not self._told:
            self._post(Kind.NOTIFICATION, self.status)

    def _post(self, kind: Kind, status: S) -> None:
        self._outbox.post(kind, self._message(status), lambda result: self._note(status, result))

    def _note(self, status: S, result: CallResult[Any]) -> None:
        if result.ok and self.status is status:
            self._told = True
