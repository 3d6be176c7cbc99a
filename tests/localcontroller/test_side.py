"""Tests of openocpp.localcontroller.side: handlers instead of passing on, and calls of the controller's own."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.errors import CallError, ErrorCode, LocalProtocolError, StateError
from openocpp.messages import (
    ACTIONS,
    PNC_ACTIONS,
    ClearCacheConf,
    ClearCacheReq,
    DataTransferConf,
    DataTransferReq,
    HeartbeatConf,
    HeartbeatReq,
    ResetReq,
    Role,
)
from openocpp.messages.schema import SchemaSet
from openocpp.messages.wire import Wire
from openocpp.testing.instances import random_instance
from openocpp.types import (
    NO_ANSWER,
    CallOutcome,
    ClearCacheStatus,
    DataTransferStatus,
    NoAnswer,
    ResetType,
)
from tests.localcontroller.driving import TIMEOUT, Bench

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.localcontroller.interface import ICentralSystemProxy, IChargePointProxy
    from openocpp.messages.base import Request
    from openocpp.testing.conversation import ScriptedPeer

WIRE = Wire(SchemaSet.load())
NOW = "2024-01-01T00:00:00Z"
ALL = sorted(ACTIONS)


# -- handlers ----------------------------------------------------------------------------------------------------------


class Sides:
    """The same test for both directions: who asks, who is asked, and the proxy of the asking side."""

    def __init__(self, bench: Bench, role: Role) -> None:
        charge_point, central_system = bench.both()
        self.proxy: IChargePointProxy | ICentralSystemProxy
        if role is Role.CHARGE_POINT:
            self.asking, self.asked, self.proxy = charge_point, central_system, bench.app.charge_point
        else:
            self.asking, self.asked, self.proxy = central_system, charge_point, bench.app.central_system


@pytest.fixture(params=[Role.CHARGE_POINT, Role.CENTRAL_SYSTEM])
def sides(bench: Bench, request: pytest.FixtureRequest) -> Sides:
    return Sides(bench, request.param)


def data(text: str) -> dict[str, str]:
    return {"vendorId": "V", "data": text}


def test_a_handler_answers_instead_of_the_other_side(sides: Sides) -> None:
    seen: list[DataTransferReq] = []

    def handle(request: DataTransferReq) -> DataTransferConf:
        seen.append(request)
        return DataTransferConf(status=DataTransferStatus.Accepted, data="here")

    assert sides.proxy.register_handler(DataTransferReq, handle)
    call = sides.asking.call("DataTransfer", data("x"))
    assert call.result() == {"status": "Accepted", "data": "here"}
    assert [request.data for request in seen] == ["x"]
    sides.asked.expect_nothing(1)


def test_handlers_run_on_workers_also_for_what_was_passed_on_before(sides: Sides, bench: Bench) -> None:
    seen: list[bool] = []

    def handle(request: DataTransferReq) -> DataTransferConf:
        seen.append(bench.sim.scheduler.is_current)
        bench.sim.sleep(1)
        return DataTransferConf(status=DataTransferStatus.Accepted)

    for _ in range(3):
        call = sides.asking.call("DataTransfer", data("x"))
        sides.asked.expect_call("DataTransfer").answer({"status": "Rejected"})
        call.result()
    sides.proxy.register_handler(DataTransferReq, handle)
    for _ in range(3):
        sides.asking.call("DataTransfer", data("x")).result({"status": "Accepted"})
    assert seen == [False] * 3


def test_a_new_handler_replaces_the_old_one_and_without_one_it_is_passed_on(sides: Sides) -> None:
    def answer(text: str) -> Callable[[DataTransferReq], DataTransferConf]:
        return lambda request: DataTransferConf(status=DataTransferStatus.Accepted, data=text)

    assert sides.proxy.register_handler(DataTransferReq, answer("first"))
    assert sides.proxy.register_handler(DataTransferReq, answer("second"))
    assert sides.asking.call("DataTransfer", data("x")).result()["data"] == "second"
    assert sides.proxy.unregister_handler(DataTransferReq)
    assert not sides.proxy.unregister_handler(DataTransferReq)
    call = sides.asking.call("DataTransfer", data("x"))
    sides.asked.expect_call("DataTransfer", data("x")).answer({"status": "Rejected"})
    assert call.result() == {"status": "Rejected"}


def test_a_handler_that_is_unregistered_at_the_last_moment_is_no_refusal(bench: Bench) -> None:
    """The CALL is on its way to the handler that is gone when it arrives."""
    charge_point, central_system = bench.both()
    proxy: Any = bench.app.charge_point
    proxy.register_handler(HeartbeatReq, lambda request: NO_ANSWER)
    handlers = dict(proxy._handlers)

    class Vanishing(dict[Any, Any]):
        def get(self, *key: Any) -> Any:
            return None

    proxy._handlers = Vanishing(handlers)
    call = charge_point.call("Heartbeat")
    central_system.expect_call("Heartbeat").answer({"currentTime": NOW})
    call.result()


def test_a_handler_refuses_with_an_error_of_its_own(sides: Sides) -> None:
    def handle(request: DataTransferReq) -> DataTransferConf:
        raise CallError(ErrorCode.SecurityError, "not you", {"why": "so"})

    sides.proxy.register_handler(DataTransferReq, handle)
    assert sides.asking.call("DataTransfer", data("x")).error() == ("SecurityError", "not you", {"why": "so"})


def test_any_other_exception_of_a_handler_is_an_internal_error(sides: Sides, caplog: pytest.LogCaptureFixture) -> None:
    def handle(request: DataTransferReq) -> DataTransferConf:
        raise RuntimeError("a bug of the application")

    sides.proxy.register_handler(DataTransferReq, handle)
    sides.asking.call("DataTransfer", data("x")).error("InternalError")
    assert "a bug of the application" in caplog.text


@pytest.mark.parametrize("answer", [None, ClearCacheConf(status=ClearCacheStatus.Accepted), "Accepted"])
def test_an_answer_that_is_none_is_an_internal_error(sides: Sides, answer: Any) -> None:
    sides.proxy.register_handler(DataTransferReq, lambda request: answer)
    sides.asking.call("DataTransfer", data("x")).error("InternalError")


def test_a_handler_may_stay_silent_and_the_next_call_is_served(sides: Sides, bench: Bench) -> None:
    def handle(request: DataTransferReq) -> DataTransferConf | NoAnswer:
        return NO_ANSWER if request.data == "quiet" else DataTransferConf(status=DataTransferStatus.Accepted)

    sides.proxy.register_handler(DataTransferReq, handle)
    quiet = sides.asking.call("DataTransfer", data("quiet"))
    assert sides.asking.call("DataTransfer", data("loud")).result() == {"status": "Accepted"}
    bench.sim.sleep(10 * TIMEOUT)
    assert not quiet.answered


def test_a_handler_may_look_change_and_ask_the_other_side_itself(sides: Sides, bench: Bench) -> None:
    other = bench.app.central_system if sides.proxy is bench.app.charge_point else bench.app.charge_point

    def handle(request: DataTransferReq) -> DataTransferConf:
        result = other.call(DataTransferReq(vendor_id="changed", data=request.data))
        assert result.response is not None
        return DataTransferConf(status=DataTransferStatus.Accepted, data=f"<{result.response.data}>")

    sides.proxy.register_handler(DataTransferReq, handle)
    call = sides.asking.call("DataTransfer", data("x"))
    sides.asked.expect_call("DataTransfer", {"vendorId": "changed", "data": "x"}).answer(
        {"status": "Rejected", "data": "y"}
    )
    assert call.result() == {"status": "Accepted", "data": "<y>"}


def test_a_handler_may_ask_the_side_that_asks(sides: Sides) -> None:
    def handle(request: DataTransferReq) -> DataTransferConf:
        result = sides.proxy.call(DataTransferReq(vendor_id="back"))
        assert result.response is not None
        return DataTransferConf(status=result.response.status)

    sides.proxy.register_handler(DataTransferReq, handle)
    call = sides.asking.call("DataTransfer", data("x"))
    sides.asking.expect_call("DataTransfer", {"vendorId": "back"}).answer({"status": "UnknownVendorId"})
    assert call.result() == {"status": "UnknownVendorId"}


def test_many_handlers_that_wait_leave_threads_for_the_others(bench: Bench) -> None:
    """More of them than workers, each waiting for its central system."""
    bench.app.prepare = lambda charge_point: charge_point.register_handler(
        HeartbeatReq, lambda request: charge_point.central_system_proxy.call(request).response or NO_ANSWER
    )
    pairs = [bench.both(f"CP{number}") for number in range(12)]
    calls = [charge_point.call("Heartbeat") for charge_point, _ in pairs]
    for _, central_system in pairs:
        central_system.expect_call("Heartbeat", timeout=TIMEOUT / 2).answer({"currentTime": NOW})
    for call in calls:
        assert call.result() == {"currentTime": NOW}


def test_what_a_handler_gets_is_validated(sides: Sides) -> None:
    sides.proxy.register_handler(DataTransferReq, lambda request: NO_ANSWER)
    sides.asking.call("DataTransfer", {"data": "no vendor"}).error("OccurenceConstraintViolation")


@pytest.mark.parametrize("action", ALL)
def test_handlers_are_for_requests_that_this_side_sends(bench: Bench, action: str) -> None:
    bench.both()
    info = ACTIONS[action]
    for proxy, role in (
        (bench.app.charge_point, Role.CHARGE_POINT),
        (bench.app.central_system, Role.CENTRAL_SYSTEM),
    ):
        assert proxy.register_handler(info.request, lambda request: NO_ANSWER) is info.may_be_sent_by(role)


@pytest.mark.parametrize("name", sorted(PNC_ACTIONS))
def test_plug_and_charge_has_no_handlers_since_it_travels_in_data_transfer(bench: Bench, name: str) -> None:
    bench.both()
    request_type = PNC_ACTIONS[name].request
    for proxy in (bench.app.charge_point, bench.app.central_system):
        assert not proxy.register_handler(request_type, lambda request: NO_ANSWER)
        with pytest.raises(LocalProtocolError):
            proxy.call(random_instance(request_type, random.Random(1)))


# -- calls -------------------------------------------------------------------------------------------------------------


def ask(
    bench: Bench, peer: ScriptedPeer, proxy: IChargePointProxy | ICentralSystemProxy, request: Request[Any]
) -> None:
    """One call of the controller's own, and its answer."""
    info = ACTIONS[request.action]
    confirmation = random_instance(info.confirmation, random.Random(request.action))
    asking = bench.sim.user(lambda: proxy.call(request))
    came = peer.expect_call(request.action)
    assert WIRE.read_request(request.action, came.payload) == request
    peer.send(f'[3,"{came.id}",{WIRE.write_confirmation(confirmation)}]')
    result = asking.result()
    assert result.ok
    assert result.response == confirmation


@pytest.mark.parametrize("action", ALL)
def test_the_controller_asks_each_side_what_that_side_handles(bench: Bench, action: str) -> None:
    charge_point, central_system = bench.both()
    info = ACTIONS[action]
    request = random_instance(info.request, random.Random(action))
    for peer, proxy, sender in (
        (charge_point, bench.app.charge_point, Role.CENTRAL_SYSTEM),
        (central_system, bench.app.central_system, Role.CHARGE_POINT),
    ):
        if info.may_be_sent_by(sender):
            ask(bench, peer, proxy, request)
        else:
            with pytest.raises(LocalProtocolError, match=action):
                proxy.call(request)
            peer.expect_nothing(0.1)


def test_a_call_tells_what_became_of_it(bench: Bench) -> None:
    charge_point, _ = bench.both()
    proxy = bench.app.charge_point
    asking = bench.sim.user(lambda: proxy.call(ClearCacheReq()))
    charge_point.expect_call("ClearCache").refuse("NotSupported", "no cache", {"a": 1})
    result = asking.result()
    assert (result.outcome, result.error_code, result.error_description) == (
        CallOutcome.Refused, "NotSupported", "no cache",
    )  # fmt: skip
    assert result.error_details == {"a": 1}
    asking = bench.sim.user(lambda: proxy.call(ClearCacheReq()))
    charge_point.expect_call("ClearCache").answer({"status": "Perhaps"})
    assert asking.result().outcome is CallOutcome.InvalidAnswer
    assert proxy.call(ClearCacheReq()).outcome is CallOutcome.TimedOut
    charge_point.abort()
    bench.sim.sleep(1)
    assert proxy.call(ClearCacheReq()).outcome is CallOutcome.NotConnected
    assert bench.app.central_system.call(HeartbeatReq()).outcome is CallOutcome.NotConnected


def test_a_call_before_there_is_a_connection_fails_at_once(bench: Bench) -> None:
    bench.app.url = ""
    bench.charge_point()
    bench.sim.sleep(1)
    began = bench.sim.clock.now()
    assert bench.app.central_system.call(HeartbeatReq()).outcome is CallOutcome.NotConnected
    assert bench.sim.clock.now() == began


def test_own_calls_and_passed_on_ones_take_turns_on_a_connection(bench: Bench) -> None:
    charge_point, central_system = bench.both()
    own = bench.sim.user(lambda: bench.app.charge_point.call(ResetReq(type=ResetType.Soft)))
    first = charge_point.expect_call("Reset")
    passed = central_system.call("ClearCache")
    charge_point.expect_nothing(1)
    first.answer({"status": "Accepted"})
    charge_point.expect_call("ClearCache").answer({"status": "Accepted"})
    passed.result()
    assert own.result().ok


def test_own_calls_that_wait_do_not_keep_back_what_is_passed_on(bench: Bench) -> None:
    """Who sent it waits already, and would give up."""
    charge_point, central_system = bench.both()
    own = [bench.sim.user(lambda: bench.app.charge_point.call(ResetReq(type=ResetType.Soft))) for _ in range(3)]
    first = charge_point.expect_call("Reset")
    passed = [central_system.call("ClearCache") for _ in range(2)]
    bench.sim.sleep(0.9 * TIMEOUT)
    first.answer({"status": "Accepted"})
    for action in ("ClearCache", "Reset", "ClearCache", "Reset"):
        charge_point.expect_call(action).answer({"status": "Accepted"})
    for call in passed:
        call.result()
    assert all(user.result().ok for user in own)


def test_who_has_no_turn_in_time_is_told_so(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    charge_point, central_system = bench.both()
    bench.app.charge_point.set_timeout(10 * TIMEOUT)
    own = bench.sim.user(lambda: bench.app.charge_point.call(ResetReq(type=ResetType.Soft)))
    first = charge_point.expect_call("Reset")
    bench.app.charge_point.set_timeout(TIMEOUT)
    began = bench.sim.clock.now()
    assert central_system.call("ClearCache").error("GenericError")[1] == (
        "the charge point is busy, there was no turn in time"
    )
    assert bench.sim.clock.now() - began == pytest.approx(TIMEOUT)
    first.answer({"status": "Accepted"})
    assert own.result().ok
    assert "CP1: passing on ClearCache: the charge point is busy, there was no turn in time" in caplog.messages


def test_what_goes_wrong_again_and_again_is_counted(sides: Sides, caplog: pytest.LogCaptureFixture) -> None:
    action = "DataTransfer"
    for _ in range(10):
        sides.asking.call(action, {"vendorId": "V", "data": 7}).error("TypeConstraintViolation")
    sides.asking.call(action, {}).error("OccurenceConstraintViolation")
    lines = [line.partition(": refused ")[2] for line in caplog.messages if "refused" in line]
    wrong = "DataTransfer: TypeConstraintViolation: data: is a number, not a text"
    assert lines == [
        wrong, f"{wrong} (2 times)", f"{wrong} (4 times)", f"{wrong} (8 times)",
        "DataTransfer: OccurenceConstraintViolation: vendorId: is missing",
    ]  # fmt: skip


def test_a_call_has_the_time_that_was_set(bench: Bench) -> None:
    bench.both()
    for proxy, request in ((bench.app.charge_point, ClearCacheReq()), (bench.app.central_system, HeartbeatReq())):
        proxy.set_timeout(1.5)
        began = bench.sim.clock.now()
        assert proxy.call(request).outcome is CallOutcome.TimedOut
        assert bench.sim.clock.now() - began == pytest.approx(1.5)
        for timeout in (0, -1.0, math.nan, math.inf):
            with pytest.raises(LocalProtocolError, match="timeout"):
                proxy.set_timeout(timeout)


def test_a_call_on_the_scheduler_is_a_bug(bench: Bench) -> None:
    bench.both()
    seen: list[str] = []

    def call() -> None:
        try:
            bench.app.charge_point.call(ClearCacheReq())
        except StateError as error:
            seen.append(str(error))

    bench.sim.scheduler.post(call)
    bench.sim.sleep(1)
    assert len(seen) == 1


def test_a_wrong_value_is_refused_before_it_is_sent(bench: Bench) -> None:
    charge_point, _ = bench.both()
    with pytest.raises(LocalProtocolError):
        bench.app.charge_point.call(DataTransferReq(vendor_id="V" * 256))
    charge_point.expect_nothing(1)


def test_handlers_and_calls_have_types(bench: Bench) -> None:
    """What this says is checked by mypy; here it runs."""
    charge_point, _ = bench.both()

    def heartbeat(request: HeartbeatReq) -> HeartbeatConf:
        return HeartbeatConf(current_time=bench.sim.clock.utcnow())

    def cleared(request: ClearCacheReq) -> ClearCacheConf:
        return ClearCacheConf(status=ClearCacheStatus.Accepted)

    assert bench.app.charge_point.register_handler(HeartbeatReq, heartbeat)
    assert bench.app.central_system.register_handler(ClearCacheReq, cleared)
    assert not bench.app.charge_point.register_handler(ClearCacheReq, cleared)
    bench.app.charge_point.register_handler(HeartbeatReq, cleared)  # type: ignore[arg-type]
    bench.app.charge_point.register_handler(HeartbeatReq, heartbeat)
    assert "currentTime" in charge_point.call("Heartbeat").result()
    asking = bench.sim.user(lambda: bench.app.charge_point.call(ClearCacheReq()).response)
    charge_point.expect_call("ClearCache").answer({"status": "Accepted"})
    response: ClearCacheConf | None = asking.result()
    assert response is not None
    assert response.status is ClearCacheStatus.Accepted
