"""CALLs and answers that come over one connection and go on over another: ids, and errors as they came."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.rpc import frames
from openocpp.rpc.endpoint import Endpoint, IncomingCall
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

    def post(self, unique_id: str = "") -> None:
        self.endpoint.post("Heartbeat", "{}", 30.0, self.outcomes.append, unique_id=unique_id)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with SimulatedRuntime() as sim:
        yield Bench(sim)


def test_a_call_has_the_id_that_was_wished_for(bench: Bench) -> None:
    bench.post("from-elsewhere")
    came = bench.peer.expect_call("Heartbeat")
    assert came.id == "from-elsewhere"
    came.answer({"a": 1})
    bench.sim.sleep(1)
    assert [outcome.kind for outcome in bench.outcomes] == [OutcomeKind.ANSWERED]


def test_an_id_that_was_used_already_is_replaced(bench: Bench) -> None:
    bench.post("twice")
    bench.post("twice")
    first = bench.peer.expect_call("Heartbeat")
    first.answer()
    second = bench.peer.expect_call("Heartbeat")
    second.answer()
    bench.sim.sleep(1)
    assert first.id == "twice"
    assert second.id.isdecimal()
    assert [outcome.kind for outcome in bench.outcomes] == [OutcomeKind.ANSWERED] * 2


def test_an_answer_whose_id_is_escaped_more_than_it_must_ends_its_call(bench: Bench) -> None:
    bench.post("a/b+c")
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
    bench.calls[0].refuse_as(f' [4, "elsewhere"{rest}')
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
def test_an_error_that_is_not_legal_is_mended(text: str, expected: list[Any]) -> None:
    assert json.loads(frames.readdressed(text, '"y"')) == [4, "y", *expected]


@pytest.mark.parametrize("text", ['[3, "x", {}]', '[2, "x", "Heartbeat", {}]', "[4", "{}"])
def test_only_an_error_can_be_readdressed(text: str) -> None:
    with pytest.raises(ValueError, match="not a CALLERROR"):
        frames.readdressed(text, '"y"')
