"""CALLs and answers that come over one connection and go on over another: ids, and errors as they came."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.rpc import frames
from openocpp.rpc.endpoint import DIRECT_LIMIT, Endpoint, IncomingCall
from openocpp.rpc.session import Outcome, OutcomeKind
from openocpp.testing import SimulatedRuntime
from openocpp.testing.conversation import ScriptedPeer
from openocpp.transport.memory import pair

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openocpp.transport.base import Closed


class Owner:
    def endpoint_closed(self, endpoint: Endpoint, why: Closed) -> None:
        """Nobody needs to know."""

    def invalid_message(self, endpoint: Endpoint, problem: str) -> None:
        """Nobody needs to know."""


class Bench:
    """An endpoint whose CALLs are noted and left open, and its peer."""

    def __init__(self, sim: SimulatedRuntime) -> None:
        self.sim = sim
        self.calls: list[IncomingCall] = []
        self.outcomes: list[Outcome] = []
        ours, theirs = pair(sim)
        self.endpoint = Endpoint(sim, ours, Owner(), self.serve, name="CP1")
        self.peer = ScriptedPeer(sim, theirs, "peer", {})
        sim.scheduler.post(self.endpoint.start)

    def serve(self, call: IncomingCall) -> None:
        call.defer()
        self.calls.append(call)

    def pass_on(self, id_text: str, rest: str = ',"Heartbeat",{}]') -> None:
        """A CALL that came over another connection."""
        call = IncomingCall(self.endpoint, f"[2,{id_text}{rest}", id_text.strip('"'))
        call.id_text, call.action = id_text, "Heartbeat"
        self.endpoint.pass_on(call, 30.0, self.outcomes.append)


def pass_back(call: IncomingCall, text: str) -> None:
    frame = frames.parse(text)
    if isinstance(frame, frames.ErrorFrame):
        call.pass_refusal_back(text, frame)
    else:
        assert isinstance(frame, frames.ResultFrame)
        call.pass_back(text)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with SimulatedRuntime() as sim:
        yield Bench(sim)


def test_a_call_goes_on_as_it_came_with_its_id(bench: Bench) -> None:
    rest = ' ,  "Heartbeat",  {"a": 1.0, "b": [1e2, "\\u00e9\\/"]} ]'
    bench.pass_on('"from-elsewhere"', rest)
    came = bench.peer.expect_call("Heartbeat")
    assert bench.peer.texts == [f'[2,"from-elsewhere"{rest}']
    came.answer({"a": 1})
    bench.sim.sleep(1)
    assert [outcome.kind for outcome in bench.outcomes] == [OutcomeKind.ANSWERED]


@pytest.mark.parametrize("id_text", ["17", '"' + "x" * 37 + '"', '"a\\"b"', '"é"'])
def test_an_id_that_we_may_not_send_is_replaced(bench: Bench, id_text: str) -> None:
    bench.pass_on(id_text)
    came = bench.peer.expect_call("Heartbeat")
    assert came.id.isdecimal()
    assert came.id != "17"


def test_an_id_that_was_used_already_is_replaced(bench: Bench) -> None:
    bench.pass_on('"twice"')
    bench.pass_on('"twice"')
    first = bench.peer.expect_call("Heartbeat")
    first.answer()
    second = bench.peer.expect_call("Heartbeat")
    second.answer()
    bench.sim.sleep(1)
    assert first.id == "twice"
    assert second.id.isdecimal()
    assert [outcome.kind for outcome in bench.outcomes] == [OutcomeKind.ANSWERED] * 2


def test_no_call_is_taken_while_the_connection_is_being_closed(bench: Bench) -> None:
    bench.sim.sleep(1)
    before = bench.endpoint.takes_calls
    bench.endpoint.close()
    bench.pass_on('"late"')
    bench.sim.run_until(lambda: bool(bench.outcomes))
    assert (before, bench.endpoint.takes_calls) == (True, False)
    assert (bench.outcomes[0].kind, bench.outcomes[0].sent) == (OutcomeKind.NOT_CONNECTED, False)


def test_an_answer_whose_id_is_escaped_more_than_it_must_ends_its_call(bench: Bench) -> None:
    bench.pass_on('"a/b+c"')
    bench.peer.expect_call("Heartbeat")
    bench.peer.send('[3,"a\\/b\\u002bc",{}]')
    bench.sim.sleep(1)
    assert [outcome.kind for outcome in bench.outcomes] == [OutcomeKind.ANSWERED]


@pytest.mark.parametrize(
    "rest",
    [
        ', "FormatViolation", "as it came", {"a": 1.0, "b": 1e2}]',
        ',"VendorError","",{}]',
        ' ,  "GenericError" , "\\u00e9\\/" , { } ] ',
    ],
)
def test_a_legal_error_goes_on_as_it_came(bench: Bench, rest: str) -> None:
    request = bench.peer.call("Heartbeat", unique_id="id 1")
    bench.sim.sleep(1)
    pass_back(bench.calls[0], f' [4, "elsewhere"{rest}')
    request.error()
    assert bench.peer.texts == [f'[4, "id 1"{rest}']


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[4, "x"]', ["GenericError", "", {}]),
        ('[4, "x", "Odd"]', ["Odd", "", {}]),
        ('[4, "x", "", "text", {}]', ["GenericError", "text", {}]),
        ('[4, "x", "Odd", null, null]', ["Odd", "", {}]),
        (json.dumps([4, "x", "Odd", "y" * 300, {"z": 1}]), ["Odd", "y" * 255, {"z": 1}]),
        ('[4, "x", "Odd", "text", {}, "more"]', ["Odd", "text", {}]),
    ],
)
def test_an_error_that_is_not_legal_is_mended(bench: Bench, text: str, expected: list[Any]) -> None:
    request = bench.peer.call("Heartbeat", unique_id="y")
    bench.sim.sleep(1)
    pass_back(bench.calls[0], text)
    assert list(request.error()) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (' [ 3 ,"x" , {"a": 1.0, "b": "\\u00e9"} ] ', '[3, "y" , {"a": 1.0, "b": "\\u00e9"} ] '),
        ('[3,"x",{}]', '[3, "y",{}]'),
        ('[3,"x",null]', '[3, "y",null]'),
        ('[3,5,{"a":null}]', '[3, "y",{"a":null}]'),
    ],
)
def test_a_result_goes_on_as_it_came(bench: Bench, text: str, expected: str) -> None:
    request = bench.peer.call("Heartbeat", unique_id="y")
    bench.sim.sleep(1)
    pass_back(bench.calls[0], text)
    request.result()
    assert bench.peer.texts == [expected]


# -- what the scheduler does itself ------------------------------------------------------------------------------------


def test_a_short_call_is_taken_on_the_scheduler(bench: Bench) -> None:
    seen: list[str] = []

    def take(call: IncomingCall) -> bool:
        assert bench.sim.scheduler.is_current
        seen.append(call.action)
        call.reply('{"taken":true}')
        return True

    bench.endpoint.direct = take
    answers = [bench.peer.call("Heartbeat"), bench.peer.call("ClearCache")]
    assert [call.result() for call in answers] == [{"taken": True}] * 2
    assert seen == ["Heartbeat", "ClearCache"]
    assert bench.calls == []


def test_what_is_not_taken_and_what_is_long_goes_to_the_handler(bench: Bench) -> None:
    asked: list[str] = []
    bench.endpoint.direct = lambda call: bool(asked.append(call.action))
    bench.peer.call("Heartbeat")
    bench.sim.sleep(1)
    bench.calls[0].reply("{}")
    bench.peer.call("MeterValues", {"long": "x" * DIRECT_LIMIT})
    bench.sim.sleep(1)
    assert asked == ["Heartbeat"]
    assert [call.action for call in bench.calls] == ["Heartbeat", "MeterValues"]


def test_a_direct_handler_that_fails_is_an_internal_error(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.endpoint.direct = lambda call: bool(1 / 0)
    for _ in range(2):
        bench.peer.call("Heartbeat").error("InternalError")
    assert "ZeroDivisionError" in caplog.text
    bench.peer.send('[2,"7"]')
    assert bench.peer.expect_frame()[:3] == [4, "7", "FormationViolation"]


def test_many_calls_that_are_refused_at_once_are_refused_in_order(bench: Bench) -> None:
    def refuse(call: IncomingCall) -> bool:
        call.refuse("NotSupported", call.action)
        return True

    bench.endpoint.direct = refuse
    calls = [bench.peer.call(f"Action{number}") for number in range(100)]
    assert [call.error()[1] for call in calls] == [f"Action{number}" for number in range(100)]
