"""A session bound to a transport: both directions at once, order, back-pressure, what peers do wrong, the end."""

from __future__ import annotations

import json
import logging
import sys
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.errors import ErrorCode, StateError
from openocpp.rpc.endpoint import HARD_FACTOR, Endpoint, IncomingCall
from openocpp.rpc.session import OutcomeKind
from openocpp.testing import SimulatedRuntime
from openocpp.testing.conversation import ScriptedPeer
from openocpp.transport.base import CloseCode, Closed
from openocpp.transport.memory import pair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Desk:
    """An endpoint, who owns it, what it handles, and the peer at the other end."""

    def __init__(self, sim: SimulatedRuntime, *, held: bool = False, start: bool = True, **options: Any) -> None:
        self.sim = sim
        self.ends: list[Closed] = []
        self.problems: list[str] = []
        self.handled: list[str] = []
        self.handle: Callable[[IncomingCall], object] = lambda call: call.reply("{}")
        client, server = pair(sim)
        self.link = client.link
        self.peer = ScriptedPeer(sim, server, "the peer", {})
        self.endpoint = Endpoint(sim, client, self, self._serve, name="CP1", **options)
        if start:
            self.on_scheduler(lambda: self.endpoint.start(held=held))

    def _serve(self, call: IncomingCall) -> None:
        self.handled.append(call.action)
        self.handle(call)

    def on_scheduler(self, function: Callable[[], object]) -> None:
        done = self.sim.waiter()
        self.sim.scheduler.post(lambda: done.set(function()))
        assert done.wait(1.0)

    def endpoint_closed(self, endpoint: Endpoint, why: Closed) -> None:
        assert endpoint is self.endpoint
        self.ends.append(why)

    def invalid_message(self, endpoint: Endpoint, problem: str) -> None:
        self.problems.append(problem)

    def user(self, action: str, timeout: float = 2.0, patience: float | None = None) -> Any:
        return self.sim.user(lambda: self.endpoint.call(action, "{}", timeout, patience))


@pytest.fixture(name="sim")
def simulated() -> Iterator[SimulatedRuntime]:
    with SimulatedRuntime(seed=3) as sim:
        yield sim


# -- outgoing ----------------------------------------------------------------------------------------------------------


def test_a_call_and_its_answer(sim: SimulatedRuntime) -> None:
    desk = Desk(sim)
    user = desk.user("Heartbeat")
    received = desk.peer.expect_call("Heartbeat", {})
    assert received.id.isdecimal()
    assert not user.done
    received.answer({"a": 1})
    outcome = user.result()
    assert outcome.kind is OutcomeKind.ANSWERED
    assert json.loads(outcome.text) == [3, received.id, {"a": 1}]


def test_callers_take_turns_and_none_is_timed_out_by_the_others(sim: SimulatedRuntime) -> None:
    desk = Desk(sim)
    users = [desk.user(f"Call{number}", 2.0, 60.0) for number in range(8)]
    for _ in range(8):
        received = desk.peer.expect_frame()
        desk.peer.expect_nothing(1.5)  # no second one before the first was answered
        desk.peer.send([3, received[1], {}])
    assert [user.result().kind for user in users] == [OutcomeKind.ANSWERED] * 8


def test_the_time_of_the_next_call_is_watched_from_its_turn_on(sim: SimulatedRuntime) -> None:
    desk = Desk(sim)
    first = desk.user("First", 30.0)
    received = desk.peer.expect_call("First")
    second = desk.user("Second", 5.0, 100.0)
    sim.sleep(1.0)
    received.answer({})
    first.result()
    assert second.result().kind is OutcomeKind.TIMED_OUT
    assert sim.clock.now() == 6.0


def test_the_patience_for_a_turn_has_an_end(sim: SimulatedRuntime) -> None:
    desk = Desk(sim)
    desk.user("First", 10.0)
    desk.peer.expect_call("First")
    outcome = desk.user("Second", 2.0).result()
    assert sim.clock.now() == 2.0
    assert outcome.kind is OutcomeKind.TIMED_OUT
    assert not outcome.sent


def test_a_late_answer_is_dropped_and_harms_nobody(sim: SimulatedRuntime) -> None:
    desk = Desk(sim)
    began = sim.clock.now()
    first = desk.user("First")
    late = desk.peer.expect_call("First")
    assert first.result().kind is OutcomeKind.TIMED_OUT
    assert sim.clock.now() == began + 2.0
    second = desk.user("Second")
    received = desk.peer.expect_call("Second")
    late.answer({"of": "the first"})
    desk.peer.send([3, "no such id", {}])
    sim.sleep(0.5)
    assert not second.done
    received.answer({"of": "the second"})
    assert json.loads(second.result().text)[2] == {"of": "the second"}
    assert desk.problems == []


def test_who_waits_is_told_at_once_when_the_connection_is_lost(sim: SimulatedRuntime) -> None:
    desk = Desk(sim)
    open_call, waiting = desk.user("A", 60.0), desk.user("A", 60.0)
    desk.peer.expect_call("A")
    began = sim.clock.now()
    desk.link.cut()
    outcomes = [open_call.result(), waiting.result()]
    assert sim.clock.now() == began
    assert {outcome.kind for outcome in outcomes} == {OutcomeKind.NOT_CONNECTED}
    assert {outcome.sent for outcome in outcomes} == {True, False}
    assert desk.endpoint.call("B", "{}", 2.0).kind is OutcomeKind.NOT_CONNECTED
    assert len(desk.ends) == 1


def test_the_scheduler_must_not_wait_and_nothing_is_sent(sim: SimulatedRuntime) -> None:
    desk = Desk(sim)
    caught: list[BaseException] = []

    def call() -> None:
        try:
            desk.endpoint.call("A", "{}", 2.0)
        except StateError as error:
            caught.append(error)

    desk.on_scheduler(call)
    assert len(caught) == 1
    desk.peer.expect_nothing(1.0)


def test_what_is_posted_ends_on_the_scheduler(sim: SimulatedRuntime) -> None:
    desk = Desk(sim)
    outcomes: list[tuple[OutcomeKind, bool]] = []
    desk.endpoint.post("A", "{}", 2.0, lambda outcome: outcomes.append((outcome.kind, sim.scheduler.is_current)))
    desk.peer.expect_call("A").answer()
    sim.run_until(lambda: bool(outcomes))
    desk.endpoint.post("B", "{}", 2.0, lambda outcome: outcomes.append((outcome.kind, sim.scheduler.is_current)))
    sim.run_until(lambda: len(outcomes) == 2)
    assert outcomes == [(OutcomeKind.ANSWERED, True), (OutcomeKind.TIMED_OUT, True)]


# -- incoming ----------------------------------------------------------------------------------------------------------


def test_calls_are_handled_in_order_one_at_a_time(sim: SimulatedRuntime) -> None:
    desk = Desk(sim)
    running: list[int] = []

    def handle(call: IncomingCall) -> None:
        running.append(1)
        assert len(running) == 1
        sim.sleep(0.3)
        running.pop()
        call.reply(f'{{"n":"{call.action}"}}')

    desk.handle = handle
    calls = [desk.peer.call(f"A{number}") for number in range(5)]
    assert [call.result()["n"] for call in calls] == [f"A{number}" for number in range(5)]
    assert sim.clock.now() == pytest.approx(1.5)


def test_a_call_is_handled_while_ours_is_open_and_a_handler_may_call(sim: SimulatedRuntime) -> None:
    desk = Desk(sim)
    ours = desk.user("Ours", 30.0)
    received = desk.peer.expect_call("Ours")
    assert desk.peer.call("Theirs").result() == {}
    received.answer()
    assert ours.result().kind is OutcomeKind.ANSWERED

    def ask_back(call: IncomingCall) -> None:
        outcome = desk.endpoint.call("Question", "{}", 2.0)
        call.reply(json.dumps({"answered": outcome.kind is OutcomeKind.ANSWERED}))

    desk.handle = ask_back
    asked = desk.peer.call("AskBack")
    desk.peer.expect_call("Question").answer()
    assert asked.result() == {"answered": True}


def test_answers_do_not_wait_behind_handlers(sim: SimulatedRuntime) -> None:
    desk = Desk(sim)
    desk.handle = lambda call: (sim.sleep(30.0), call.reply("{}"))
    slow = desk.peer.call("Slow")
    ours = desk.user("Ours")
    desk.peer.expect_call("Ours").answer()
    assert ours.result().kind is OutcomeKind.ANSWERED
    assert not slow.answered


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (lambda call: call.refuse("SecurityError", "no", {"a": 1}), "SecurityError"),
        (lambda call: 1 / 0, "InternalError"),
        (lambda call: sys.exit("a handler that ends the program"), "InternalError"),
        (lambda call: None, "InternalError"),
    ],
)
def test_every_call_has_an_outcome(sim: SimulatedRuntime, outcome: Callable[[IncomingCall], object], code: str) -> None:
    desk = Desk(sim)
    desk.handle = outcome
    assert desk.peer.call("A").error()[0] == code
    desk.handle = lambda call: call.reply("{}")
    assert desk.peer.call("B").result() == {}


def test_an_outcome_counts_once(sim: SimulatedRuntime, caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(sim)

    def twice(call: IncomingCall) -> None:
        call.reply('{"n":1}')
        call.reply('{"n":2}')
        raise ValueError("too late for an InternalError")

    desk.handle = twice
    assert desk.peer.call("A").result() == {"n": 1}
    desk.peer.expect_nothing(1.0)
    assert "A was answered twice" in caplog.text
    desk.handle = lambda call: call.reply("{}")
    assert desk.peer.call("B").result() == {}


def test_silence_is_an_outcome_too(sim: SimulatedRuntime) -> None:
    desk = Desk(sim)
    desk.handle = lambda call: call.keep_silent() if call.action == "A" else call.reply("{}")
    silent = desk.peer.call("A")
    assert desk.peer.call("B").result() == {}
    assert not silent.answered


def test_an_outcome_may_come_later_from_another_thread(sim: SimulatedRuntime) -> None:
    desk = Desk(sim)
    later: list[IncomingCall] = []

    def defer(call: IncomingCall) -> None:
        call.defer()
        later.append(call)

    desk.handle = defer
    first, second = desk.peer.call("A"), desk.peer.call("B")
    sim.sleep(5.0)
    assert desk.handled == ["A"]  # the second waits for its turn
    later[0].reply('{"n":1}')
    assert first.result() == {"n": 1}
    sim.run_until(lambda: len(later) == 2)
    later[1].refuse("GenericError")
    second.error("GenericError")


def test_what_follows_an_answer_is_sent_behind_it(sim: SimulatedRuntime) -> None:
    desk = Desk(sim)
    desk.link.delay = 0.2

    def handle(call: IncomingCall) -> None:
        call.reply("{}", lambda: desk.endpoint.post("Afterwards", "{}", 2.0, lambda _: None))

    desk.handle = handle
    call = desk.peer.call("A")
    desk.peer.expect_call("Afterwards")
    assert call.answered


@pytest.mark.parametrize("how", ["while handling", "before it is written"])
def test_what_follows_an_answer_follows_also_when_the_answer_is_lost(sim: SimulatedRuntime, how: str) -> None:
    desk = Desk(sim)
    followed: list[str] = []

    def handle(call: IncomingCall) -> None:
        if how == "while handling":
            desk.link.cut()
            sim.run_until(lambda: bool(desk.ends))
        call.reply("{}", lambda: followed.append(call.action))

    desk.handle = handle
    if how == "before it is written":
        desk.link.drop()  # nobody reads, and the window is full
        desk.endpoint.post("Long", json.dumps({"text": "x" * 300_000}), 2.0, lambda _: None)
        sim.sleep(0.1)
        desk.endpoint.post("Longer", json.dumps({"text": "x" * 300_000}), 2.0, lambda _: None)
        desk.on_scheduler(lambda: desk.endpoint.text_received('[2,"1","A",{}]'))
        desk.on_scheduler(lambda: desk.endpoint.text_received('[2,"2","B",{}]'))
        sim.sleep(1.0)
        assert desk.handled == ["A", "B"]
        assert followed == []
        desk.link.cut()
    else:
        desk.peer.call("A")
    sim.run_until(lambda: bool(followed))
    sim.sleep(1.0)
    assert followed == desk.handled


def test_after_the_end_no_call_is_handled_any_more(sim: SimulatedRuntime) -> None:
    desk = Desk(sim)
    desk.handle = lambda call: (sim.sleep(1.0), call.reply("{}"))
    for number in range(3):
        desk.peer.call(f"A{number}")
    sim.sleep(0.5)
    desk.link.cut()
    sim.sleep(10.0)
    assert desk.handled == ["A0"]


def test_a_held_endpoint_handles_what_came_meanwhile_after_its_release(sim: SimulatedRuntime) -> None:
    desk = Desk(sim, held=True)
    call = desk.peer.call("Theirs")
    ours = desk.user("Ours")
    desk.peer.expect_call("Ours").answer()
    assert ours.result().kind is OutcomeKind.ANSWERED
    assert not call.answered
    desk.on_scheduler(desk.endpoint.release)
    assert call.result() == {}


def test_reading_stops_while_too_many_calls_are_queued_and_nothing_is_lost(sim: SimulatedRuntime) -> None:
    desk = Desk(sim, max_queued=4)
    release = sim.threads.gate()
    most: list[int] = []

    def handle(call: IncomingCall) -> None:
        most.append(len(desk.endpoint._incoming))
        if call.action == "A0":
            release.wait(None)
        call.reply("{}")

    desk.handle = handle
    calls = [desk.peer.call(f"A{number}") for number in range(50)]
    sim.sleep(1.0)
    release.open()
    for call in calls:
        call.result()
    assert desk.handled == [f"A{number}" for number in range(50)]
    assert max(most) <= 5


def test_a_flood_that_was_read_already_closes_the_connection(sim: SimulatedRuntime) -> None:
    desk = Desk(sim, max_queued=4)
    desk.handle = lambda call: (sim.sleep(1.0), call.reply("{}"))

    def flood() -> None:
        for number in range(4 * HARD_FACTOR + 1):
            desk.endpoint.text_received(f'[2,"{number}","A",{{}}]')

    desk.on_scheduler(flood)
    desk.peer.expect_closed(CloseCode.TRY_AGAIN_LATER)


# -- what peers do wrong -----------------------------------------------------------------------------------------------

LONG = "x" * 256


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("hello", None),
        ('{"a":1}', None),
        ("[]", None),
        ("[2]", None),
        ('[5,"1",{}]', None),
        ('[-1,"1","A",{}]', None),
        ('["2","1","A",{}]', None),
        ('[2,"1","A"]', [4, "1", "FormationViolation"]),
        ('[2,"1"]', [4, "1", "FormationViolation"]),
        ('[2,"1","A",{},{}]', [4, "1", "FormationViolation"]),
        ('[2,"1",7,{}]', [4, "1", "FormationViolation"]),
        ('[2,"1","A","{}"]', [4, "1", "FormationViolation"]),
        ('[2,"1","A",{"a":NaN}]', [4, "1", "FormationViolation"]),
        ('[2,17,"A",{}]', [3, 17]),
        ('[2,"1","A",null]', [3, "1"]),
        (f'[2,"{LONG[:40]}","A",{{}}]', [3, LONG[:40]]),
        (f'[2,"{LONG[:255]}","A",{{}}]', [3, LONG[:255]]),
        (f'[2,"{LONG}","A",{{}}]', None),
        ('[2,"\\ud800","A",{}]', [3, "\ud800"]),
        ('[2,1e999,"A",{}]', None),
        ('[3,"1"]', None),
        ('[3,"1",{}]', None),
        ("[3,1,2,3,4]", None),
        ('[4,"1","A","",{}]', None),
        ("[4]", None),
        ('[4,"1",{},[],5]', None),
    ],
)
def test_a_frame_is_answered_if_it_can_be_and_the_connection_goes_on(
    sim: SimulatedRuntime, text: str, answer: list[Any] | None
) -> None:
    desk = Desk(sim)
    desk.peer.send(text)
    if answer is None:
        desk.peer.expect_nothing(1.0)
        assert desk.handled == []
    else:
        assert desk.peer.expect_frame()[: len(answer)] == answer
    if answer is None and text[:2] not in ("[3", "[4"):
        assert len(desk.problems) == 1
    assert desk.peer.call("Afterwards", unique_id="next").result() == {}


def test_a_malformed_answer_still_ends_the_call_it_belongs_to(sim: SimulatedRuntime) -> None:
    desk = Desk(sim)
    user = desk.user("A", 60.0)
    received = desk.peer.expect_call("A")
    desk.peer.send([4, received.id, {"no": "text"}, 5])
    assert user.result().kind is OutcomeKind.ANSWERED


def test_an_id_that_is_still_being_handled_is_refused_and_free_afterwards(sim: SimulatedRuntime) -> None:
    desk = Desk(sim)
    desk.handle = lambda call: (sim.sleep(1.0), call.reply("{}"))
    first = desk.peer.call("A", unique_id="same")
    desk.peer.send([2, "same", "B", {}])
    sim.run_until(lambda: first.answered)
    frame = first.frame
    assert frame is not None
    assert frame[:3] == [4, "same", ErrorCode.ProtocolError]
    assert desk.peer.expect_frame() == [3, "same", {}]
    assert desk.handled == ["A"]
    assert desk.peer.call("C", unique_id="same").result() == {}


def test_a_broken_call_with_the_id_of_another_one_is_counted_and_not_answered(sim: SimulatedRuntime) -> None:
    """Its answer would be taken for that of the other."""
    desk = Desk(sim)
    desk.handle = lambda call: (sim.sleep(1.0), call.reply("{}"))
    first = desk.peer.call("A", unique_id="same")
    desk.peer.send('[2,"same"]')
    assert first.result() == {}
    assert len(desk.problems) == desk.endpoint.bad_messages == 1
    desk.peer.expect_nothing(1.0)


@pytest.mark.parametrize("id_text", ["17", f'"{"x" * 40}"'])
def test_what_is_odd_but_handled_is_counted_and_not_logged_each_time(
    sim: SimulatedRuntime, caplog: pytest.LogCaptureFixture, id_text: str
) -> None:
    desk = Desk(sim)
    for _ in range(10):
        desk.peer.send(f'[2,{id_text},"A",{{}}]')
        assert desk.peer.expect_frame()[0] == 3
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 4
    assert lines[0].endswith("(1 such CALLs so far)")
    assert lines[-1].endswith("(8 such CALLs so far)")


def test_half_a_surrogate_pair_can_be_logged(sim: SimulatedRuntime, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "openocpp.rpc")
    desk = Desk(sim)
    desk.handle = lambda call: (sim.sleep(1.0), call.reply("{}"))
    desk.peer.send('[2,"i\\ud800","A",{}]')
    desk.peer.send('[2,"i\\ud800","A\\ud800",{}]')
    assert desk.peer.expect_frame()[:2] == [4, "i\ud800"]
    assert desk.peer.expect_frame() == [3, "i\ud800", {}]
    assert any("is still handled" in record.getMessage() for record in caplog.records)
    assert all(record.getMessage().encode() for record in caplog.records)


def test_garbage_is_counted_and_not_logged_each_time(sim: SimulatedRuntime, caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(sim)
    for _ in range(10):
        desk.peer.send("garbage")
    sim.sleep(1.0)
    assert desk.endpoint.bad_messages == 10
    assert len(desk.problems) == 10
    lines = [record for record in caplog.records if "ignored an invalid message" in record.getMessage()]
    assert len(lines) == 4  # the 1st, 2nd, 4th, 8th


def test_frames_are_logged_without_secrets(sim: SimulatedRuntime, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "openocpp.rpc")
    desk = Desk(sim)
    desk.peer.call("ChangeConfiguration", {"key": "AuthorizationKey", "value": "SECRET"}).result()
    texts = [record.getMessage() for record in caplog.records]
    assert 'CP1 < [2, "s1", "ChangeConfiguration", {"key": "AuthorizationKey", "value": "***"}]' in texts
    assert 'CP1 > [3, "s1", {}]' in texts
    assert "SECRET" not in "".join(line for line in texts if line.startswith("CP1"))


# -- the end -----------------------------------------------------------------------------------------------------------


def test_closing_writes_what_is_queued_and_sends_nothing_new(sim: SimulatedRuntime) -> None:
    desk = Desk(sim)
    desk.endpoint.post("A", "{}", 2.0, lambda _: None)
    desk.endpoint.close()
    assert desk.endpoint.call("B", "{}", 2.0).kind is OutcomeKind.NOT_CONNECTED
    desk.peer.expect_call("A")
    desk.peer.expect_closed(CloseCode.NORMAL)
    sim.run_until(lambda: bool(desk.ends))
    assert [end.code for end in desk.ends] == [CloseCode.NORMAL]
    assert not desk.endpoint.is_open


def test_leaving_ends_everything_at_once_and_tells_when_the_transport_has_closed(sim: SimulatedRuntime) -> None:
    desk = Desk(sim)
    desk.link.delay = 0.5
    left: list[float] = []
    user = desk.user("A", 60.0)
    desk.peer.expect_call("A")
    began = sim.clock.now()
    desk.on_scheduler(lambda: desk.endpoint.leave(1008, "go away", lambda: left.append(sim.clock.now())))
    assert user.result().kind is OutcomeKind.NOT_CONNECTED
    assert sim.clock.now() == began
    assert desk.ends == [Closed(1008, "go away")]
    desk.peer.send([2, "1", "TooLate", {}])
    desk.peer.expect_closed(1008)
    sim.run_until(lambda: bool(left))
    assert left[0] == pytest.approx(began + 1.0)
    assert desk.handled == []
    desk.on_scheduler(lambda: desk.endpoint.leave(1000, then=lambda: left.append(0.0)))
    assert left[1:] == [0.0]  # there was nothing left to wait for
    assert len(desk.ends) == 1


def test_an_aborted_connection_has_no_close_frame(sim: SimulatedRuntime) -> None:
    desk = Desk(sim)
    desk.endpoint.abort()
    desk.peer.expect_closed(CloseCode.ABNORMAL)
    sim.run_until(lambda: bool(desk.ends))
    assert [end.code for end in desk.ends] == [CloseCode.ABNORMAL]


def test_it_knows_when_something_was_sent_and_received_last(sim: SimulatedRuntime) -> None:
    sim.sleep(10.0)
    desk = Desk(sim)
    assert (desk.endpoint.last_sent, desk.endpoint.last_received) == (10.0, 0.0)
    sim.sleep(5.0)
    desk.peer.send([3, "no such id", {}])
    sim.sleep(5.0)
    assert (desk.endpoint.last_sent, desk.endpoint.last_received) == (10.0, 15.0)
    desk.peer.call("A").result()
    assert (desk.endpoint.last_sent, desk.endpoint.last_received) == (20.0, 20.0)


def test_reprs_tell_the_state(sim: SimulatedRuntime) -> None:
    desk = Desk(sim)
    assert repr(desk.endpoint).startswith("<endpoint CP1 open: <session OPEN")
    seen: list[str] = []
    desk.handle = lambda call: (seen.append(repr(call)), call.reply("{}"))
    desk.peer.call("A", unique_id="7").result()
    assert seen == ['<A "7" from CP1>']
    desk.link.cut()
    sim.run_until(lambda: bool(desk.ends))
    assert "closed" in repr(desk.endpoint)
