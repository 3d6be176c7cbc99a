"""Tests of openocpp.localcontroller.forwarding: what one side says reaches the other as it was said."""

from __future__ import annotations

import itertools
import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.messages import ACTIONS, PNC_ACTIONS, Role, tunnel
from openocpp.messages.schema import SchemaSet
from openocpp.messages.wire import Wire
from openocpp.testing.instances import random_instance
from openocpp.transport.base import CloseCode
from tests.localcontroller.driving import BOOT, TIMEOUT, Bench

if TYPE_CHECKING:
    from openocpp.testing import SimulatedRuntime
    from openocpp.testing.conversation import ScriptedPeer

WIRE = Wire(SchemaSet.load())
numbers = itertools.count()
FROM_CHARGE_POINT = sorted(name for name, info in ACTIONS.items() if info.may_be_sent_by(Role.CHARGE_POINT))
FROM_CENTRAL_SYSTEM = sorted(name for name, info in ACTIONS.items() if info.may_be_sent_by(Role.CENTRAL_SYSTEM))


def odd(payload: str) -> str:
    """The same JSON, as another program would write it."""
    return json.dumps(json.loads(payload), indent=1).replace("/", "\\/")


def converse(sender: ScriptedPeer, receiver: ScriptedPeer, action: str, request: str, answer: str) -> None:
    """Send a text and answer with a text: both must arrive as they are."""
    unique_id = f"id-{next(numbers)}"
    call, result = f'[2,"{unique_id}","{action}",{request}]', f'[3,"{unique_id}",{answer}]'
    sender.send(call)
    receiver.expect_frame()
    assert receiver.texts[-1] == call
    receiver.send(result)
    sender.expect_frame()
    assert sender.texts[-1] == result


def exercise(sender: ScriptedPeer, receiver: ScriptedPeer, action: str) -> None:
    info, rng = ACTIONS[action], random.Random(action)
    request = WIRE.write_request(random_instance(info.request, rng))
    answer = WIRE.write_confirmation(random_instance(info.confirmation, rng))
    converse(sender, receiver, action, odd(request), odd(answer))


def test_the_standard_has_so_many_actions() -> None:
    assert (len(FROM_CHARGE_POINT), len(FROM_CENTRAL_SYSTEM)) == (14, 26)


@pytest.mark.parametrize("action", FROM_CHARGE_POINT)
def test_what_a_charge_point_sends_passes_as_it_is(bench: Bench, action: str) -> None:
    charge_point, central_system = bench.both()
    exercise(charge_point, central_system, action)


@pytest.mark.parametrize("action", FROM_CENTRAL_SYSTEM)
def test_what_a_central_system_sends_passes_as_it_is(bench: Bench, action: str) -> None:
    charge_point, central_system = bench.both()
    exercise(central_system, charge_point, action)


@pytest.mark.parametrize(
    ("request_text", "answer"),
    [
        ('{"connectorId":1,"duration":60}', '{"status":"Accepted","scheduleStart":"2024-02-03T04:05:06.789+02:00"}'),
        (
            '{"connectorId":1, "duration":60,"chargingRateUnit":"A"}',
            '{"status":"Accepted","chargingSchedule":{"chargingRateUnit":"A","minChargingRate":6.0,'
            '"chargingSchedulePeriod":[{"startPeriod":0,"limit":1.60e1},{"startPeriod":1.0,"limit":16}]}}',
        ),
    ],
)
def test_numbers_and_dates_are_not_written_anew(bench: Bench, request_text: str, answer: str) -> None:
    charge_point, central_system = bench.both()
    converse(central_system, charge_point, "GetCompositeSchedule", request_text, answer)


def test_an_action_of_a_vendor_passes_unjudged(bench: Bench) -> None:
    charge_point, central_system = bench.both()
    converse(charge_point, central_system, "AcmeStatus", '{"x": [1, null]}', '{"y": {}}')
    converse(central_system, charge_point, "AcmeReset", "{}", "[1]")
    charge_point.send('[2,"7","a \\"b\\" \\/\\u00e9\\ud800",{}]')
    came = central_system.expect_call('a "b" /é\ud800')
    came.refuse("NotImplemented", "no", {"a": 1})
    assert charge_point.expect_frame() == [4, "7", "NotImplemented", "no", {"a": 1}]


@pytest.mark.parametrize("name", sorted(PNC_ACTIONS))
def test_plug_and_charge_passes_inside_its_data_transfer(bench: Bench, name: str) -> None:
    info = PNC_ACTIONS[name]
    charge_point, central_system = bench.both()
    sender, receiver = charge_point, central_system
    if info.sent_by is Role.CENTRAL_SYSTEM:
        sender, receiver = receiver, sender
    request = WIRE.write_request(tunnel.wrap(random_instance(info.request, random.Random(name))))
    confirmation = random_instance(info.confirmation, random.Random(name))
    converse(sender, receiver, "DataTransfer", request, WIRE.write_confirmation(tunnel.wrap_answer(confirmation)))


def test_a_null_payload_is_as_good_as_an_empty_one(bench: Bench) -> None:
    charge_point, central_system = bench.both()
    converse(charge_point, central_system, "FirmwareStatusNotification", '{"status":"Idle"}', "null")
    converse(central_system, charge_point, "ClearCache", "null", '{"status":"Accepted"}')


# -- ids ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unique_id", ["1", "6fa459ea-ee8a-3ca4-894e-db77e160355e", "a b:/{c}", "x" * 36])
def test_ids_are_the_same_on_both_legs(bench: Bench, unique_id: str) -> None:
    charge_point, central_system = bench.both()
    for sender, receiver, action in (
        (charge_point, central_system, "Heartbeat"),
        (central_system, charge_point, "ClearCache"),
    ):
        call = sender.call(action, {}, unique_id)
        came = receiver.expect_call(action)
        assert came.id == unique_id
        came.refuse("GenericError")
        call.error()


@pytest.mark.parametrize("id_text", ["17", '"' + "x" * 40 + '"', '"a\\"b"', '"\\u00e9"'])
def test_an_id_that_we_may_not_send_is_replaced_and_comes_back(bench: Bench, id_text: str) -> None:
    charge_point, central_system = bench.both()
    charge_point.send(f'[2,{id_text},"Heartbeat",{{}}]')
    came = central_system.expect_call("Heartbeat")
    assert came.id.isdecimal()
    assert came.id != "17"
    came.answer({"currentTime": "2024-01-01T00:00:00Z"})
    assert charge_point.expect_frame()[:2] == [3, json.loads(id_text)]


def test_an_id_that_comes_again_on_a_new_connection_is_replaced_on_the_old_one(bench: Bench) -> None:
    """A central system that counts from 1 on each connection."""
    bench.app.settings = {"retry_interval": 1.0}
    charge_point, central_system = bench.both()
    first = central_system.call("ClearCache", {}, "1")
    charge_point.expect_call("ClearCache").answer({"status": "Accepted"})
    first.result()
    central_system.abort()
    assert bench.server is not None
    central_system = bench.server.accept()
    second = central_system.call("ClearCache", {}, "1")
    came = charge_point.expect_call("ClearCache")
    assert came.id != "1"
    came.answer({"status": "Rejected"})
    assert second.result() == {"status": "Rejected"}


# -- errors ------------------------------------------------------------------------------------------------------------


def test_an_error_passes_with_code_description_and_details(bench: Bench) -> None:
    charge_point, central_system = bench.both()
    for sender, receiver, action in (
        (charge_point, central_system, "Heartbeat"),
        (central_system, charge_point, "ClearCache"),
    ):
        call = sender.call(action)
        came = receiver.expect_call(action)
        rest = ', "FormatViolation", "it is \\"so\\"", {"a": 1.0, "b": [null, 1e2]}]'
        receiver.send(f'[4,"{came.id}"{rest}')
        assert call.error() == ("FormatViolation", 'it is "so"', {"a": 1.0, "b": [None, 100.0]})
        assert sender.texts[-1].endswith(rest)


@pytest.mark.parametrize("rest", [',"GenericError"', f',"GenericError","{"x" * 300}",{{}}'])
def test_an_error_that_we_may_not_send_passes_mended(bench: Bench, rest: str) -> None:
    charge_point, central_system = bench.both()
    call = charge_point.call("Heartbeat")
    central_system.send(f'[4,"{central_system.expect_call("Heartbeat").id}"{rest}]')
    _, description, details = call.error("GenericError")
    assert description == ("x" * 255 if "x" in rest else "")
    assert details == {}


def test_no_answer_in_time_is_a_generic_error_for_the_requester(bench: Bench) -> None:
    charge_point, central_system = bench.both()
    for sender, receiver, action in (
        (charge_point, central_system, "Heartbeat"),
        (central_system, charge_point, "ClearCache"),
    ):
        began = bench.sim.clock.now()
        call = sender.call(action)
        late = receiver.expect_call(action)
        _, description, details = call.error("GenericError")
        assert "in time" in description
        assert details == {}
        assert bench.sim.clock.now() - began == pytest.approx(TIMEOUT)
        late.answer({"status": "Accepted"})
        sender.expect_nothing(1)


def test_each_side_may_have_its_own_time(bench: Bench) -> None:
    charge_point, central_system = bench.both()
    bench.app.charge_point.set_timeout(3.0)
    bench.app.central_system.set_timeout(1.0)
    for sender, action, seconds in ((charge_point, "Heartbeat", 1.0), (central_system, "ClearCache", 3.0)):
        began = bench.sim.clock.now()
        sender.call(action).error("GenericError")
        assert bench.sim.clock.now() - began == pytest.approx(seconds)


@pytest.mark.parametrize(
    "answer",
    ['[3,"ID"]', '[3,"ID",{"currentTime":"soon"}]', '[3,"ID",{}]', '[3,"ID",[]]', '[3,"ID",{"a":}]', '[4,"ID"', "[3,"],
)
def test_an_answer_that_breaks_the_standard_is_an_internal_error(bench: Bench, answer: str) -> None:
    charge_point, central_system = bench.both()
    call = charge_point.call("Heartbeat", {}, "h1")
    central_system.expect_call("Heartbeat")
    central_system.send(answer.replace("ID", "h1"))
    if answer == "[3,":  # nobody can tell what it answers
        call.error("GenericError")
    else:
        assert "central system" in call.error("InternalError")[1]
    following = charge_point.call("Heartbeat")
    central_system.expect_call("Heartbeat").answer({"currentTime": "2024-01-01T00:00:00Z"})
    following.result()


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("BootNotification", {"chargePointModel": "M"}, "OccurenceConstraintViolation"),
        ("BootNotification", {**BOOT, "chargePointModel": "M" * 21}, "PropertyConstraintViolation"),
        ("BootNotification", {**BOOT, "chargePointModel": 1}, "TypeConstraintViolation"),
        ("Heartbeat", {"more": 1}, "FormationViolation"),
        ("Reset", {"type": "Medium"}, "PropertyConstraintViolation"),
    ],
)
def test_a_request_that_breaks_the_standard_is_refused_here(
    bench: Bench, action: str, payload: dict[str, Any], code: str
) -> None:
    charge_point, central_system = bench.both()
    _, description, _ = charge_point.call(action, payload).error(code)
    assert description
    central_system.expect_nothing(1)


@pytest.mark.parametrize("mode", ["log", "off"])
def test_validation_can_be_relaxed_and_then_all_passes(
    sim: SimulatedRuntime, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(sim, message_validation={"*": mode})
    charge_point, central_system = bench.both()
    converse(charge_point, central_system, "Heartbeat", '{"more": 1}', '{"currentTime":"2024-01-01T00:00:00Z","x":1}')
    converse(central_system, charge_point, "ClearCache", '{"more": 1}', '{"status":"Accepted","x":1}')
    warnings = [line.partition(" breaks the standard")[0] for line in caplog.messages]
    requests = ["CP1: HeartbeatReq", "CP1 (central system): ClearCacheReq"]
    answers = ["CP1 (central system): HeartbeatConf", "CP1: ClearCacheConf"]
    expected = [requests[0], answers[0], requests[1], answers[1]] if mode == "log" else []
    assert [line for line in warnings if "Req" in line or "Conf" in line] == expected


def test_without_validation_passes_also_what_nobody_here_understands(sim: SimulatedRuntime) -> None:
    bench = Bench(sim, message_validation={"*": "strict", "MeterValues": "off"})
    charge_point, central_system = bench.both()
    converse(charge_point, central_system, "MeterValues", '{"nonsense": true}', '["nonsense"]')
    charge_point.call("Heartbeat", {"nonsense": True}).error("FormationViolation")


@pytest.mark.parametrize("length", [10, 5000, 100_000])
def test_long_messages_pass_as_short_ones_do(bench: Bench, length: int) -> None:
    charge_point, central_system = bench.both()
    request = json.dumps({"vendorId": "V", "data": "é" * length})
    answer = json.dumps({"status": "Accepted", "data": "x" * length})
    for _ in range(3):  # the first ones are read on workers
        converse(charge_point, central_system, "DataTransfer", request, answer)
        converse(central_system, charge_point, "DataTransfer", request, answer)


def test_a_request_for_the_other_direction_passes_too(bench: Bench) -> None:
    """Whether it handles it, the receiver says itself."""
    charge_point, central_system = bench.both()
    converse(charge_point, central_system, "ClearCache", "{}", '{"status":"Accepted"}')
    converse(central_system, charge_point, "Heartbeat", "{}", '{"currentTime":"2024-01-01T00:00:00Z"}')


# -- order and waiting -------------------------------------------------------------------------------------------------


def test_calls_pass_one_at_a_time_and_in_order_in_each_direction(bench: Bench) -> None:
    charge_point, central_system = bench.both()
    calls = [charge_point.call("DataTransfer", {"vendorId": str(number)}) for number in range(20)]
    back = [central_system.call("DataTransfer", {"vendorId": str(number)}) for number in range(20)]
    for number in range(20):
        for receiver in (central_system, charge_point):
            came = receiver.expect_call("DataTransfer", {"vendorId": str(number)})
            receiver.expect_nothing(0.1)
            came.answer({"status": "Accepted", "data": str(number)})
    for number in range(20):
        assert calls[number].result()["data"] == back[number].result()["data"] == str(number)


def test_what_comes_before_the_connection_is_up_waits_for_it(bench: Bench) -> None:
    bench.sim.network.delay = 0.5  # the boot notification is there long before the second connection
    charge_point = bench.charge_point()
    boot = charge_point.call("BootNotification", BOOT)
    status = charge_point.call("Heartbeat")
    assert bench.server is not None
    central_system = bench.server.accept()
    central_system.expect_call("BootNotification", BOOT).answer(
        {"status": "Accepted", "currentTime": "2024-01-01T00:00:00Z", "interval": 300}
    )
    central_system.expect_call("Heartbeat").answer({"currentTime": "2024-01-01T00:00:00Z"})
    assert boot.result()["interval"] == 300
    status.result()


def test_the_first_boot_notification_outlives_failed_attempts(sim: SimulatedRuntime) -> None:
    bench = Bench(sim, central=False)
    bench.app.settings = {"retry_interval": 2.0}
    charge_point = bench.charge_point()
    boot = charge_point.call("BootNotification", BOOT)
    sim.sleep(TIMEOUT / 2)
    assert not boot.answered
    central_system = bench.listen().accept()
    central_system.expect_call("BootNotification", BOOT).answer(
        {"status": "Accepted", "currentTime": "2024-01-01T00:00:00Z", "interval": 300}
    )
    boot.result()


def test_what_waits_for_a_connection_in_vain_gets_an_error(sim: SimulatedRuntime) -> None:
    bench = Bench(sim, central=False)
    charge_point = bench.charge_point()
    began = sim.clock.now()
    calls = [charge_point.call("BootNotification", BOOT), charge_point.call("Heartbeat")]
    for number, call in enumerate(calls, 1):
        _, description, _ = call.error("GenericError")
        assert "not reachable" in description
        assert sim.clock.now() - began == pytest.approx(number * TIMEOUT)


def test_it_waits_also_where_nobody_has_connected_yet(bench: Bench) -> None:
    bench.app.url = ""
    charge_point = bench.charge_point()
    call = charge_point.call("Heartbeat")
    bench.sim.sleep(5)
    assert bench.app.central_system.connect("ws://central:9000/steve", bench.app.credentials(bench.app.charge_point))
    assert bench.server is not None
    bench.server.accept().expect_call("Heartbeat").answer({"currentTime": "2024-01-01T00:00:00Z"})
    call.result()


def test_what_has_waited_for_a_connection_waits_less_for_its_turn(bench: Bench) -> None:
    """The requester's patience is one, whatever it is spent on."""
    bench.app.url = ""
    bench.charge_point().call("Heartbeat")
    bench.sim.sleep(TIMEOUT - 1)
    patience: list[float] = []

    class Busy:
        def pass_on(self, came: object, timeout: float, done: object, limit: float) -> None:
            assert timeout == TIMEOUT
            patience.append(limit)

    proxy: Any = bench.app.central_system
    proxy._held.send(Busy())
    assert patience == [pytest.approx(1.0)]


def test_a_connection_that_ends_before_the_answer_is_an_error_for_the_requester(bench: Bench) -> None:
    charge_point, central_system = bench.both()
    call = charge_point.call("Heartbeat")
    central_system.expect_call("Heartbeat")
    central_system.abort()
    assert "not reachable" in call.error("GenericError", timeout=1.0)[1]


def test_a_request_to_a_connection_that_is_being_closed_is_an_error_for_the_requester(bench: Bench) -> None:
    """As it is when the charge point asks more than can be queued."""
    _, central_system = bench.both()
    bench.sim.network.delay = 0.5  # the peer's Close frame takes its time
    proxy: Any = bench.app.charge_point
    proxy.endpoint.close(CloseCode.TRY_AGAIN_LATER)
    assert "not reachable" in central_system.call("ClearCache").error("GenericError", timeout=1.1)[1]


def test_an_answer_that_nobody_here_can_bear_is_an_internal_error(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug: it must cost this CALL only."""
    charge_point, central_system = bench.both()
    proxy: Any = bench.app.central_system
    with monkeypatch.context() as patch:
        patch.setattr(type(proxy.wire), "check", lambda _, info, cls, payload: cls is info.request or 1 / 0)
        call = charge_point.call("Heartbeat")
        central_system.expect_call("Heartbeat").answer({"currentTime": "2024-01-01T00:00:00Z"})
        call.error("InternalError")
    assert "ZeroDivisionError" in caplog.text
    call = charge_point.call("Heartbeat")
    central_system.expect_call("Heartbeat").answer({"currentTime": "2024-01-01T00:00:00Z"})
    call.result()


def test_a_charge_point_that_leaves_during_a_call_is_no_trouble(bench: Bench) -> None:
    charge_point, central_system = bench.both()
    central_system.call("ClearCache")
    charge_point.expect_call("ClearCache")
    charge_point.abort()
    central_system.expect_closed(1000)


def test_no_thread_waits_while_calls_are_on_their_way(bench: Bench) -> None:
    """Thirty CALLs in each direction, on four workers, none of them answered yet."""
    pairs = [bench.both(f"CP{number}") for number in range(30)]
    calls = []
    for charge_point, central_system in pairs:
        calls += [charge_point.call("Heartbeat"), central_system.call("ClearCache")]
    came = []
    for charge_point, central_system in pairs:
        came += [central_system.expect_call("Heartbeat", timeout=1.0), charge_point.expect_call("ClearCache")]
    for call in came:
        call.answer({"status": "Accepted"} if call.action == "ClearCache" else {"currentTime": "2024-01-01T00:00:00Z"})
    for sent in calls:
        sent.result()
