"""Typed calls and typed requests over one peer's connections: every outcome of a call, every answer to a request."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.errors import (
    CallError,
    CallTimeout,
    ConnectionLost,
    ErrorCode,
    LocalProtocolError,
    RemoteProtocolError,
    StateError,
)
from openocpp.messages import (
    AuthorizeReq,
    ClearCacheConf,
    ClearCacheReq,
    HeartbeatReq,
    ResetConf,
    ResetReq,
)
from openocpp.messages.dispatch import Dispatcher, handles
from openocpp.messages.messenger import PATIENCE, Messenger, Reply
from openocpp.messages.schema import SchemaSet
from openocpp.messages.wire import Wire
from openocpp.rpc.endpoint import Endpoint
from openocpp.testing import SimulatedRuntime
from openocpp.testing.conversation import ScriptedPeer
from openocpp.transport.memory import pair
from openocpp.types import NO_ANSWER, CallOutcome, CallResult, ClearCacheStatus, NoAnswer, ResetStatus, ResetType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openocpp.messages.base import Request
    from openocpp.runtime import Monitor
    from openocpp.transport.base import Closed

NOW = "2024-01-01T00:00:00Z"
SCHEMAS = SchemaSet.load()


class Role:
    """Owns a messenger and serves two requests. What it does can be set."""

    def __init__(self, sim: SimulatedRuntime, *, monitor: bool = True) -> None:
        self.sim = sim
        self.timeout = 2.0
        self.verdict: CallError | NoAnswer | None = None
        self.asked: list[str] = []
        self.reset_with: Callable[[ResetReq], ResetConf | Reply | NoAnswer] = lambda _: ResetConf(
            status=ResetStatus.Accepted
        )
        self.monitor: Monitor | None = sim.monitor("role") if monitor else None
        self.messenger = Messenger(
            sim, Wire(SCHEMAS), self, name="CP1", timeout=lambda: self.timeout, monitor=self.monitor
        )
        self._dispatcher = Dispatcher(self)
        self.peer, self.endpoint = self.connect()

    def connect(self) -> tuple[ScriptedPeer, Endpoint]:
        client, server = pair(self.sim)
        self.link = client.link
        peer = ScriptedPeer(self.sim, server, "the peer", {})
        endpoint = Endpoint(self.sim, client, self, self.messenger.serve, name="CP1")
        self.messenger.attach(endpoint)
        self.sim.scheduler.post(endpoint.start)
        return peer, endpoint

    def endpoint_closed(self, endpoint: Endpoint, why: Closed) -> None:
        self.messenger.detach(endpoint)

    def invalid_message(self, endpoint: Endpoint, problem: str) -> None:
        """Not of interest here."""

    def admit(self, action: str) -> CallError | NoAnswer | None:
        assert self.monitor is None or self.monitor.held
        self.asked.append(action)
        return self.verdict

    def handler(self, request_type: type[Request[Any]]) -> Callable[[Any], Any] | None:
        return self._dispatcher.lookup(request_type)

    @handles(ResetReq)
    def reset(self, request: ResetReq) -> ResetConf | Reply | NoAnswer:
        assert self.monitor is None or self.monitor.held
        return self.reset_with(request)

    @handles(ClearCacheReq)
    def clear_cache(self, request: ClearCacheReq) -> ClearCacheConf:
        return ClearCacheConf(status=ClearCacheStatus.Accepted)

    def ask(self, request: Request[Any], timeout: float | None = None) -> Any:
        return self.sim.user(lambda: self.messenger.ask(request, timeout))


@pytest.fixture(name="sim")
def simulated() -> Iterator[SimulatedRuntime]:
    with SimulatedRuntime(seed=5) as sim:
        yield sim


@pytest.fixture(name="role", params=[True, False], ids=["monitor", "no monitor"])
def one_role(sim: SimulatedRuntime, request: pytest.FixtureRequest) -> Role:
    return Role(sim, monitor=request.param)


# -- outgoing ----------------------------------------------------------------------------------------------------------


def test_an_answer_is_a_typed_confirmation(role: Role) -> None:
    user = role.ask(HeartbeatReq())
    assert role.messenger.timeout == 2.0
    role.sim.run_until(lambda: role.messenger.is_connected)
    role.peer.expect_call("Heartbeat", {}).answer({"currentTime": "2024-01-01T02:00:00.5+02:00"})
    result = user.result()
    assert result.ok
    assert result.outcome is CallOutcome.Answered
    assert result.response.current_time.isoformat() == "2024-01-01T00:00:00.500000+00:00"


@pytest.mark.parametrize(
    ("answer", "outcome", "error"),
    [
        (lambda call: call.refuse("SecurityError", "no", {"a": 1}), CallOutcome.Refused, CallError),
        (lambda call: call.answer({"currentTime": "yesterday"}), CallOutcome.InvalidAnswer, RemoteProtocolError),
        (lambda call: call.answer({}), CallOutcome.InvalidAnswer, RemoteProtocolError),
        (lambda call: call._peer.send([3, call.id, []]), CallOutcome.InvalidAnswer, RemoteProtocolError),
        (lambda call: call._peer.send([3, call.id]), CallOutcome.InvalidAnswer, RemoteProtocolError),
        (lambda call: call._peer.abort(), CallOutcome.NotConnected, ConnectionLost),
        (lambda call: None, CallOutcome.TimedOut, CallTimeout),
    ],
)
def test_every_outcome_has_its_result_and_its_error(
    role: Role, answer: Callable[[Any], None], outcome: CallOutcome, error: type[Exception]
) -> None:
    user = role.ask(HeartbeatReq())
    answer(role.peer.expect_call("Heartbeat"))
    result = user.result()
    assert (result.outcome, result.response, result.ok) == (outcome, None, False)
    if role.messenger.endpoint is None:
        role.peer, _ = role.connect()
    caller = role.sim.user(lambda: role.messenger.call(HeartbeatReq()))
    answer(role.peer.expect_call("Heartbeat"))
    with pytest.raises(error) as caught:
        caller.result()
    if isinstance(caught.value, CallError):
        assert (result.error_code, result.error_description, result.error_details) == ("SecurityError", "no", {"a": 1})
        assert (caught.value.code, caught.value.description, caught.value.details) == ("SecurityError", "no", {"a": 1})


def test_without_a_connection_nothing_is_waited_for(role: Role) -> None:
    role.messenger.detach(role.endpoint)
    assert not role.messenger.is_connected
    assert role.messenger.ask(HeartbeatReq()).outcome is CallOutcome.NotConnected
    with pytest.raises(ConnectionLost, match="Heartbeat"):
        role.messenger.call(HeartbeatReq())
    assert role.sim.clock.now() == 0.0


def test_a_messenger_outlives_its_connections(role: Role) -> None:
    first = role.endpoint
    role.link.cut()
    role.sim.run_until(lambda: not role.messenger.is_connected)
    peer, endpoint = role.connect()
    role.messenger.detach(first)  # an old one does not take the new one away
    assert role.messenger.endpoint is endpoint
    user = role.ask(HeartbeatReq())
    peer.expect_call("Heartbeat").answer({"currentTime": NOW})
    assert user.result().ok


@pytest.mark.parametrize("connected", [True, False])
def test_what_breaks_the_standard_is_not_sent(role: Role, connected: bool) -> None:
    if not connected:
        role.messenger.detach(role.endpoint)
    request = AuthorizeReq(id_tag="x" * 21)
    told: list[CallResult[Any]] = []
    for send in (role.messenger.ask, role.messenger.call, lambda req: role.messenger.post(req, told.append)):
        with pytest.raises(LocalProtocolError, match="idTag"):
            send(request)
    role.peer.expect_nothing(5.0)
    assert told == []


def test_the_timeout_is_asked_at_each_call_or_given(role: Role) -> None:
    for timeout, given, expected in ((2.0, None, 2.0), (5.0, None, 5.0), (5.0, 0.5, 0.5)):
        role.timeout = timeout
        began = role.sim.clock.now()
        user = role.ask(HeartbeatReq(), given)
        role.peer.expect_call("Heartbeat")
        assert user.result().outcome is CallOutcome.TimedOut
        assert role.sim.clock.now() - began == expected


def test_callers_wait_for_each_other_longer_than_for_an_answer(role: Role) -> None:
    users = [role.ask(HeartbeatReq()) for _ in range(8)]
    for _ in range(8):
        received = role.peer.expect_call("Heartbeat")
        role.sim.sleep(1.9)
        received.answer({"currentTime": NOW})
    assert all(user.result().ok for user in users)
    assert PATIENCE > 8


def test_the_monitor_is_left_while_an_answer_is_awaited(sim: SimulatedRuntime) -> None:
    role = Role(sim)
    monitor = role.monitor
    assert monitor is not None

    def inside() -> CallResult[Any]:
        with monitor:
            result = role.messenger.ask(HeartbeatReq())
            assert monitor.held
            return result

    user = sim.user(inside)
    received = role.peer.expect_call("Heartbeat")
    with monitor:
        assert not user.done
    received.answer({"currentTime": NOW})
    assert user.result().ok


def test_the_scheduler_must_not_wait(role: Role) -> None:
    caught: list[Exception] = []

    def call() -> None:
        try:
            role.messenger.ask(HeartbeatReq())
        except StateError as error:
            caught.append(error)

    role.sim.scheduler.post(call)
    role.peer.expect_nothing(1.0)
    assert len(caught) == 1


def test_what_is_posted_is_told_inside_the_monitor(role: Role) -> None:
    told: list[tuple[CallOutcome, bool]] = []

    def then(result: CallResult[Any]) -> None:
        told.append((result.outcome, role.monitor is None or role.monitor.held))

    role.messenger.post(HeartbeatReq(), then)
    role.peer.expect_call("Heartbeat").answer({"currentTime": NOW})
    role.sim.run_until(lambda: len(told) == 1)
    role.messenger.post(HeartbeatReq(), then)
    role.messenger.post(HeartbeatReq())  # nobody wants to know
    role.link.cut()
    role.sim.run_until(lambda: len(told) == 2)
    role.messenger.post(HeartbeatReq(), then)
    role.messenger.post(HeartbeatReq())
    role.sim.run_until(lambda: len(told) == 3)
    assert told == [
        (CallOutcome.Answered, True),
        (CallOutcome.NotConnected, True),
        (CallOutcome.NotConnected, True),
    ]


# -- incoming ----------------------------------------------------------------------------------------------------------


def test_a_request_reaches_its_handler(role: Role) -> None:
    seen: list[ResetReq] = []

    def reset(request: ResetReq) -> ResetConf:
        seen.append(request)
        return ResetConf(status=ResetStatus.Rejected)

    role.reset_with = reset
    assert role.peer.call("Reset", {"type": "Hard"}).result() == {"status": "Rejected"}
    assert seen == [ResetReq(type=ResetType.Hard)]


@pytest.mark.parametrize(
    ("action", "payload", "code", "text"),
    [
        ("Restart", {}, "NotImplemented", "Restart"),
        ("reset", {"type": "Hard"}, "NotImplemented", "reset"),
        ("UnlockConnector", {"connectorId": 1}, "NotSupported", "UnlockConnector"),
        ("UnlockConnector", {"rubbish": 1}, "NotSupported", "UnlockConnector"),  # nobody looks at it
        ("Heartbeat", {}, "NotSupported", "Heartbeat"),
        ("Reset", {}, "OccurenceConstraintViolation", "type"),
        ("Reset", {"type": "Hard", "extra": 1}, "FormationViolation", "extra"),
        ("Reset", {"type": 1}, "TypeConstraintViolation", "type"),
        ("Reset", {"type": "Cold"}, "PropertyConstraintViolation", "type"),
    ],
)
def test_refusals_name_the_culprit(role: Role, action: str, payload: dict[str, Any], code: str, text: str) -> None:
    assert text in role.peer.call(action, payload).error(code)[1]


def test_whoever_wants_to_know_is_told_of_payloads_that_break_the_standard(role: Role) -> None:
    told: list[str] = []
    role.messenger.on_invalid = told.append
    role.peer.call("Reset", {"type": 1}).error()
    role.peer.call("Restart", {}).error()  # of another version, perhaps
    role.peer.call("UnlockConnector", {"rubbish": 1}).error()
    user = role.ask(HeartbeatReq())
    role.peer.expect_call("Heartbeat").answer({})
    user.result()
    assert told == ["Reset: type: is a number, not a text", "answer to Heartbeat: currentTime: is missing"]


def test_who_admits_decides_before_the_payload_is_looked_at(role: Role) -> None:
    role.verdict = CallError("SecurityError", "not yet")
    assert role.peer.call("Reset", {"rubbish": 1}).error("SecurityError")[1] == "not yet"
    assert role.peer.call("Nonsense").error("SecurityError")[1] == "not yet"
    role.verdict = NO_ANSWER
    silent = role.peer.call("Reset", {"type": "Hard"})
    role.peer.expect_nothing(10.0)
    assert not silent.answered
    role.verdict = None
    role.peer.call("Reset", {"type": "Hard"}).result()
    assert role.asked == ["Reset", "Nonsense", "Reset", "Reset"]


def test_a_handler_can_refuse_fail_and_be_silent(role: Role) -> None:
    def refuse(request: ResetReq) -> ResetConf:
        raise CallError(ErrorCode.GenericError, "not today", {"a": 1})

    def fail(request: ResetReq) -> ResetConf:
        raise ValueError("a bug")

    role.reset_with = refuse
    assert role.peer.call("Reset", {"type": "Hard"}).error("GenericError")[1:] == ("not today", {"a": 1})
    role.reset_with = fail
    assert "a bug" not in role.peer.call("Reset", {"type": "Hard"}).error("InternalError")[1]
    role.reset_with = lambda _: NO_ANSWER
    silent = role.peer.call("Reset", {"type": "Hard"})
    assert role.peer.call("ClearCache").result() == {"status": "Accepted"}
    assert not silent.answered
    assert role.monitor is None or not role.monitor.held


def test_an_answer_that_breaks_the_standard_is_an_internal_error(role: Role, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    role.reset_with = lambda _: ResetConf(status="Maybe")  # type: ignore[arg-type]
    assert "status" in role.peer.call("Reset", {"type": "Hard"}).error("InternalError")[1]
    assert "the answer to Reset breaks the standard" in caplog.text


def test_what_follows_an_answer_runs_inside_the_monitor_and_behind_it(role: Role) -> None:
    role.link.delay = 0.1
    order: list[str] = []

    def then() -> None:
        assert role.monitor is None or role.monitor.held
        order.append("then")
        role.messenger.post(HeartbeatReq())

    def reset(_: ResetReq) -> Reply:
        order.append("answer")
        return Reply(ResetConf(status=ResetStatus.Accepted), then)

    role.reset_with = reset
    call = role.peer.call("Reset", {"type": "Soft"})
    role.peer.expect_call("Heartbeat")
    assert call.answered
    assert order == ["answer", "then"]


def test_the_repr_tells_the_connection(role: Role) -> None:
    assert repr(role.messenger).startswith("<messenger CP1: <endpoint CP1 open")
