"""What is told of work: at once, on demand, and once more when it was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openocpp.chargepoint.marks import Signal
from openocpp.chargepoint.outbox import Kind
from openocpp.chargepoint.progress import Progress
from openocpp.messages.firmware import FirmwareStatusNotificationReq
from openocpp.types import CallOutcome, CallResult, FirmwareStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.messages.base import Request

Status = FirmwareStatus
ANSWERED: CallResult[Any] = CallResult(CallOutcome.Answered)
LOST: CallResult[Any] = CallResult(CallOutcome.NotConnected)


class Outbox:
    """Notes what is sent; the test says what becomes of it."""

    def __init__(self) -> None:
        self.sent: list[tuple[Kind, str]] = []
        self.outcome = ANSWERED

    def post(self, kind: Kind, request: Request[Any], then: Callable[[CallResult[Any]], None]) -> bool:
        self.sent.append((kind, request.status))  # type: ignore[attr-defined]
        then(self.outcome)
        return True

    def ask(self, kind: Kind, request: Request[Any]) -> CallResult[Any]:
        self.sent.append((kind, request.status))  # type: ignore[attr-defined]
        return self.outcome


class Registration:
    def __init__(self) -> None:
        self.online: Signal[[bool]] = Signal()


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def registration() -> Registration:
    return Registration()


@pytest.fixture
def progress(outbox: Any, registration: Any) -> Progress[FirmwareStatus]:
    return Progress(
        outbox,
        registration,
        lambda status: FirmwareStatusNotificationReq(status=status),
        Status.Idle,
        Status.Installed,
    )


def test_it_is_told_at_once(progress: Progress[FirmwareStatus], outbox: Outbox, registration: Registration) -> None:
    progress.tell(Status.Downloading)
    registration.online.fire(True)
    assert outbox.sent == [(Kind.NOTIFICATION, "Downloading")]
    assert progress.status is Status.Downloading


def test_what_was_lost_is_told_with_the_next_connection(
    progress: Progress[FirmwareStatus], outbox: Outbox, registration: Registration
) -> None:
    """The newest status only."""
    outbox.outcome = LOST
    progress.tell(Status.Downloading)
    progress.tell(Status.Downloaded)
    assert "not told" in repr(progress)
    outbox.outcome = ANSWERED
    outbox.sent.clear()
    registration.online.fire(False)
    registration.online.fire(False)
    assert outbox.sent == [(Kind.NOTIFICATION, "Downloaded")]


def test_an_old_answer_says_nothing_of_a_new_status(
    progress: Progress[FirmwareStatus], outbox: Outbox, registration: Registration
) -> None:
    answers: list[Callable[[CallResult[Any]], None]] = []

    def post(kind: Kind, request: Request[Any], then: Callable[[CallResult[Any]], None]) -> bool:
        answers.append(then)
        return True

    outbox.post = post  # type: ignore[method-assign]
    progress.tell(Status.Downloading)
    progress.tell(Status.Downloaded)
    answers[0](ANSWERED)
    answers[1](LOST)
    registration.online.fire(False)
    assert len(answers) == 3


def test_waiting_for_the_answer(progress: Progress[FirmwareStatus], outbox: Outbox, registration: Registration) -> None:
    assert progress.ask(Status.Installing) is True
    outbox.outcome = LOST
    assert progress.ask(Status.Installed) is False
    registration.online.fire(False)
    assert [status for _, status in outbox.sent] == ["Installing", "Installed", "Installed"]


def test_on_demand(progress: Progress[FirmwareStatus], outbox: Outbox) -> None:
    """Idle while nothing has happened, and after the good end."""
    progress.trigger()
    for status in (Status.Downloading, Status.DownloadFailed, Status.Installed):
        progress.tell(status)
        progress.trigger()
    triggered = [status for kind, status in outbox.sent if kind is Kind.TRIGGERED]
    assert triggered == ["Idle", "Downloading", "DownloadFailed", "Idle"]
