"""What may leave when: the whole truth table, and the one sender that obeys it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openocpp.chargepoint.outbox import Kind, Outbox, Registration, Verdict, decide
from openocpp.errors import LocalProtocolError
from openocpp.messages import AuthorizeReq, HeartbeatReq
from openocpp.messages.messenger import Messenger
from openocpp.messages.schema import SchemaSet
from openocpp.messages.wire import Wire
from openocpp.rpc.endpoint import Endpoint
from openocpp.testing.conversation import ScriptedPeer
from openocpp.transport.memory import pair
from openocpp.types import CallOutcome, CallResult, RegistrationStatus

if TYPE_CHECKING:
    from openocpp.testing import SimulatedRuntime
    from openocpp.transport.base import Closed

SEND, QUEUE, DROP = Verdict.SEND, Verdict.QUEUE, Verdict.DROP
NOW = "2024-01-01T00:00:00Z"

CONNECTED: dict[Registration, dict[Kind, Verdict]] = {
    # 1.6 §4.2: before the first answer nothing but BootNotification leaves, what waits from the last session included
    Registration.NONE: {
        Kind.BOOT: SEND, Kind.TRIGGERED: DROP, Kind.TRANSACTION: QUEUE, Kind.EVENT: QUEUE,
        Kind.NOTIFICATION: DROP, Kind.REQUEST: DROP,
    },
    Registration.REMEMBERED: {
        Kind.BOOT: SEND, Kind.TRIGGERED: DROP, Kind.TRANSACTION: QUEUE, Kind.EVENT: QUEUE,
        Kind.NOTIFICATION: DROP, Kind.REQUEST: DROP,
    },
    Registration.ACCEPTED: {
        Kind.BOOT: SEND, Kind.TRIGGERED: SEND, Kind.TRANSACTION: SEND, Kind.EVENT: SEND,
        Kind.NOTIFICATION: SEND, Kind.REQUEST: SEND,
    },
    Registration.PENDING: {
        Kind.BOOT: SEND, Kind.TRIGGERED: SEND, Kind.TRANSACTION: QUEUE, Kind.EVENT: QUEUE,
        Kind.NOTIFICATION: DROP, Kind.REQUEST: DROP,
    },
    Registration.REJECTED: {
        Kind.BOOT: SEND, Kind.TRIGGERED: DROP, Kind.TRANSACTION: QUEUE, Kind.EVENT: QUEUE,
        Kind.NOTIFICATION: DROP, Kind.REQUEST: DROP,
    },
}  # fmt: skip

OFFLINE: dict[Kind, Verdict] = {
    Kind.BOOT: DROP, Kind.TRIGGERED: DROP, Kind.TRANSACTION: QUEUE, Kind.EVENT: QUEUE,
    Kind.NOTIFICATION: DROP, Kind.REQUEST: DROP,
}  # fmt: skip


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("registration", Registration)
def test_the_truth_table(registration: Registration, kind: Kind) -> None:
    assert decide(registration, True, kind) is CONNECTED[registration][kind]
    assert decide(registration, False, kind) is OFFLINE[kind]


@pytest.mark.parametrize(
    ("registration", "status"),
    [
        (Registration.NONE, RegistrationStatus.Rejected),
        (Registration.REMEMBERED, RegistrationStatus.Accepted),
        (Registration.ACCEPTED, RegistrationStatus.Accepted),
        (Registration.PENDING, RegistrationStatus.Pending),
        (Registration.REJECTED, RegistrationStatus.Rejected),
    ],
)
def test_what_an_application_sees(registration: Registration, status: RegistrationStatus) -> None:
    assert registration.status is status


class Desk:
    """An outbox on a connection in memory."""

    def __init__(self, sim: SimulatedRuntime) -> None:
        client, server = pair(sim)
        self.sim = sim
        self.link = client.link
        self.peer = ScriptedPeer(sim, server, "the peer", {})
        self.monitor = sim.monitor("CP1")
        wire = Wire(SchemaSet.load())
        self.messenger = Messenger(sim, wire, self, name="CP1", timeout=lambda: 2.0, monitor=self.monitor)
        endpoint = Endpoint(sim, client, self, self.messenger.serve, name="CP1")
        self.messenger.attach(endpoint)
        sim.scheduler.post(endpoint.start)
        self.outbox = Outbox(self.messenger)
        self.told: list[CallOutcome] = []

    def then(self, result: CallResult[Any]) -> None:
        assert self.monitor.held
        self.told.append(result.outcome)

    def endpoint_closed(self, endpoint: Endpoint, why: Closed) -> None:
        self.messenger.detach(endpoint)

    def invalid_message(self, endpoint: Endpoint, problem: str) -> None: ...

    def admit(self, action: str) -> None: ...

    def handler(self, request_type: Any) -> None: ...


@pytest.fixture
def desk(sim: SimulatedRuntime) -> Desk:
    return Desk(sim)


def test_what_may_not_leave_does_not(desk: Desk) -> None:
    outbox = desk.outbox
    assert outbox.is_connected
    assert not outbox.is_accepted
    assert outbox.ask(Kind.REQUEST, HeartbeatReq()).outcome is CallOutcome.NotConnected
    assert not outbox.post(Kind.NOTIFICATION, HeartbeatReq(), desk.then)
    assert not outbox.post_text(Kind.TRANSACTION, HeartbeatReq, "{}", desk.then)
    desk.peer.expect_nothing(10.0)
    assert desk.told == []


def test_what_may_leave_does(desk: Desk) -> None:
    outbox = desk.outbox
    outbox.registration = Registration.ACCEPTED
    assert outbox.is_accepted
    user = desk.sim.user(lambda: outbox.ask(Kind.REQUEST, HeartbeatReq()))
    desk.peer.expect_call("Heartbeat").answer({"currentTime": NOW})
    assert user.result().ok
    assert outbox.post(Kind.NOTIFICATION, HeartbeatReq(), desk.then)
    desk.peer.expect_call("Heartbeat").answer({"currentTime": NOW})
    assert outbox.post(Kind.NOTIFICATION, HeartbeatReq())
    desk.peer.expect_call("Heartbeat").answer({"currentTime": NOW})
    assert outbox.post_text(Kind.TRANSACTION, HeartbeatReq, "{}", desk.then)
    desk.peer.expect_call("Heartbeat").answer({})
    desk.sim.run_until(lambda: len(desk.told) == 2)
    assert desk.told == [CallOutcome.Answered, CallOutcome.InvalidAnswer]


@pytest.mark.parametrize("registration", Registration)
def test_what_breaks_the_standard_is_said_whether_it_may_leave_or_not(desk: Desk, registration: Registration) -> None:
    desk.outbox.registration = registration
    with pytest.raises(LocalProtocolError, match="idTag"):
        desk.outbox.ask(Kind.REQUEST, AuthorizeReq(id_tag="x" * 21))
    desk.peer.expect_nothing(1.0)


def test_accepted_in_the_last_session_counts_for_operations_but_sends_nothing(desk: Desk) -> None:
    desk.outbox.registration = Registration.REMEMBERED
    assert desk.outbox.is_accepted
    assert not any(desk.outbox.may_send(kind) for kind in Kind if kind is not Kind.BOOT)


def test_while_stopping_nothing_leaves_any_more(desk: Desk) -> None:
    desk.outbox.registration = Registration.ACCEPTED
    desk.outbox.post(Kind.NOTIFICATION, HeartbeatReq(), desk.then)
    desk.outbox.stopping = True
    assert not any(desk.outbox.may_send(kind) for kind in Kind)
    desk.peer.expect_call("Heartbeat").answer({"currentTime": NOW})
    desk.sim.run_until(lambda: desk.told == [CallOutcome.Answered])  # what has left is still heard of


def test_once_closed_nobody_hears_of_what_has_left(desk: Desk) -> None:
    desk.outbox.registration = Registration.ACCEPTED
    desk.outbox.post(Kind.NOTIFICATION, HeartbeatReq(), desk.then)
    desk.peer.expect_call("Heartbeat")
    desk.outbox.closed = True
    desk.link.cut()
    desk.sim.sleep(5.0)
    assert desk.told == []


def test_the_repr_tells_registration_and_connection(desk: Desk) -> None:
    assert repr(desk.outbox) == "<outbox NONE, connected>"
    desk.link.cut()
    desk.sim.run_until(lambda: not desk.outbox.is_connected)
    assert repr(desk.outbox) == "<outbox NONE, not connected>"
