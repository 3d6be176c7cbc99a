"""Many threads and handlers that call charge points: everybody gets his own answer, and nobody waits in vain."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from openocpp import CallOutcome, CallResult, DataTransferConf, DataTransferReq, DataTransferStatus
from openocpp.testing import SimulatedRuntime
from tests.centralsystem.bench import BOOT, Bench

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openocpp.testing.conversation import ReceivedCall, ScriptedPeer

THREADS = 8
CALLS = 12  # of each thread


@pytest.fixture
def one_worker() -> Iterator[SimulatedRuntime]:
    with SimulatedRuntime(workers=1) as sim:
        yield sim


def answer(peer: ScriptedPeer, call: ReceivedCall) -> None:
    call.answer({"status": "Accepted", "data": call.payload["data"]})


def answer_twice(peer: ScriptedPeer, call: ReceivedCall) -> None:
    answer(peer, call)
    answer(peer, call)


def answer_another_first(peer: ScriptedPeer, call: ReceivedCall) -> None:
    peer.send([3, f"{call.id}0", {"status": "Accepted", "data": "the answer to another call"}])
    answer(peer, call)


def refuse(peer: ScriptedPeer, call: ReceivedCall) -> None:
    call.refuse("NotSupported", call.payload["data"], {"data": call.payload["data"]})


def answer_nonsense(peer: ScriptedPeer, call: ReceivedCall) -> None:
    call.answer({"status": "Perhaps"})


WAYS = [answer, answer_twice, answer_another_first, refuse, answer_nonsense]
EXPECTED = [CallOutcome.Answered] * 3 + [CallOutcome.Refused, CallOutcome.InvalidAnswer]


def be_a_charge_point(peer: ScriptedPeer, calls: int) -> None:
    """What it does is said by the number in the data."""
    for _ in range(calls):
        call = peer.expect_call("DataTransfer")
        peer.expect_nothing(0.01)  # there is one open call at a time
        WAYS[int(call.payload["data"].partition("/")[2]) % len(WAYS)](peer, call)


@pytest.mark.parametrize("charge_points", [1, THREADS])
def test_every_thread_gets_the_answer_to_its_own_call(one_worker: SimulatedRuntime, charge_points: int) -> None:
    sim = one_worker
    bench = Bench(sim)
    peers = [bench.connect(f"CP{number}") for number in range(charge_points)]
    results: dict[str, CallResult[Any]] = {}

    def call(thread: int) -> None:
        charge_point = bench.events.charge_points[thread % charge_points]
        for number in range(CALLS):
            data = f"{thread}/{number}"
            results[data] = charge_point.call(DataTransferReq(vendor_id="V", data=data))

    users = [sim.user(partial(be_a_charge_point, peer, THREADS * CALLS // charge_points)) for peer in peers]
    users += [sim.user(partial(call, thread)) for thread in range(THREADS)]
    for user in users:
        user.result()
    assert len(results) == THREADS * CALLS
    for data, result in results.items():
        assert result.outcome is EXPECTED[int(data.partition("/")[2]) % len(WAYS)]
        if result.outcome is CallOutcome.Answered:
            assert result.response == DataTransferConf(status=DataTransferStatus.Accepted, data=data)
        elif result.outcome is CallOutcome.Refused:
            assert (result.error_description, result.error_details) == (data, {"data": data})


def test_a_handler_may_call_all_charge_points(one_worker: SimulatedRuntime) -> None:
    bench = Bench(one_worker, incoming_requests_from_cp_thread_pool_size=1)
    peers = [bench.connect(f"CP{number}") for number in range(4)]
    results: list[bool] = []

    def call_all(*_: object) -> None:
        results.extend(charge_point.clear_cache() for charge_point in bench.events.charge_points)

    bench.events.handlers[0].on["boot_notification"] = call_all
    boot = peers[0].call("BootNotification", BOOT)
    for peer in peers:
        peer.expect_call("ClearCache").answer({"status": "Accepted"})
    boot.result({"status": "Accepted"})
    assert results == [True] * 4


def test_a_charge_point_that_must_be_served_first_is_served(one_worker: SimulatedRuntime) -> None:
    """It does one thing after the other: what it is asked has to wait until its own request is answered."""
    bench = Bench(one_worker, incoming_requests_from_cp_thread_pool_size=1)
    first, second = bench.connect("CP1"), bench.connect("CP2")
    one, two = bench.events.charge_points
    results: list[bool] = []
    bench.events.handlers[0].on["heartbeat"] = lambda: results.append(two.clear_cache())
    bench.events.handlers[1].on["heartbeat"] = lambda: results.append(one.clear_cache())
    outer = first.call("Heartbeat")
    asked = second.expect_call("ClearCache")
    inner = second.call("Heartbeat")
    first.expect_call("ClearCache").answer({"status": "Rejected"})
    inner.result()
    asked.answer({"status": "Accepted"})
    outer.result()
    assert results == [False, True]
