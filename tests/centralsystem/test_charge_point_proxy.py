"""Tests of openocpp.centralsystem.charge_point_proxy: management, what becomes of calls, and the hand-over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from openocpp import (
    CallOutcome,
    ClearCacheReq,
    ConfigurationStatus,
    GetConfigurationConf,
    GetConfigurationReq,
    GetLocalListVersionConf,
    GetLocalListVersionReq,
    HeartbeatReq,
    Iso15118TriggerMessageReq,
    LocalProtocolError,
    MessageTrigger,
    RegistrationStatus,
    RemoteStartTransactionReq,
    ResetReq,
    ResetStatus,
    ResetType,
    StateError,
    TriggerMessageStatus,
)
from openocpp.centralsystem.charge_point_proxy import ChargePointProxy
from openocpp.rpc.server import HandsOver
from openocpp.testing.conversation import ScriptedPeer
from tests.centralsystem.bench import BOOT, URL, Bench, Requests

if TYPE_CHECKING:
    from openocpp.testing import SimulatedRuntime


# -- management --------------------------------------------------------------------------------------------------------


def test_what_is_known_of_a_connection(bench: Bench) -> None:
    bench.sim.sleep(10)
    bench.sim.network.client_address = "10.1.2.3"
    peer = bench.connect("RDAM 123")
    charge_point = bench.charge_point
    assert charge_point.central_system is bench.central_system
    assert charge_point.identifier == "RDAM 123"
    assert charge_point.ip_address == "10.1.2.3"
    assert charge_point.is_connected
    assert charge_point.client_certificate is None
    assert charge_point.connected_since == datetime(2024, 1, 1, 0, 0, 10, tzinfo=UTC)
    assert charge_point.last_message_at is None
    bench.sim.sleep(5)
    peer.call("Heartbeat").result()
    bench.sim.sleep(7)
    assert charge_point.last_message_at == datetime(2024, 1, 1, 0, 0, 15, tzinfo=UTC)
    assert repr(charge_point) == "<charge point RDAM 123 at 10.1.2.3>"


def test_disconnect_closes_politely_and_tells_the_handler_once(bench: Bench) -> None:
    peer = bench.connect()
    charge_point = bench.charge_point
    charge_point.disconnect()
    assert not charge_point.is_connected
    assert peer.expect_closed(1000).by_peer
    charge_point.disconnect()
    bench.sim.sleep(5)
    assert bench.requests.calls == [("disconnected",)]


def test_a_charge_point_can_be_refused_when_it_is_announced(bench: Bench) -> None:
    bench.events.on_connected = lambda charge_point: charge_point.disconnect()
    peer = bench.connect()
    peer.call("Heartbeat")
    peer.expect_closed(1000)
    bench.sim.sleep(1)
    assert bench.requests.calls == [("disconnected",)]


@pytest.mark.parametrize("how", ["close", "abort", "cut", "silence", "stop", "disconnect"])
def test_every_end_is_told_exactly_once(sim: SimulatedRuntime, how: str) -> None:
    bench = Bench(sim, web_socket_ping_interval=10.0)
    peer = bench.connect()
    peer.call("Heartbeat").result()
    {
        "close": peer.close,
        "abort": peer.abort,
        "cut": lambda: sim.network.cut("CP1"),
        "silence": lambda: sim.network.drop("CP1"),
        "stop": bench.central_system.stop,
        "disconnect": bench.charge_point.disconnect,
    }[how]()
    sim.sleep(60)
    assert bench.requests.calls == [("heartbeat",), ("disconnected",)]
    assert not bench.charge_point.is_connected
    assert bench.events.failed == []


def test_another_handler_takes_the_place_of_the_first(bench: Bench) -> None:
    peer = bench.connect()
    second = Requests()
    bench.charge_point.register_handler(second)
    peer.call("Heartbeat").result()
    peer.close()
    bench.sim.sleep(1)
    assert bench.requests.calls == []
    assert second.calls == [("heartbeat",), ("disconnected",)]


def test_a_proxy_that_nobody_keeps_keeps_its_connection(bench: Bench) -> None:
    import gc

    peer = bench.connect()
    bench.events.charge_points.clear()
    gc.collect()
    peer.call("Heartbeat").result()


def test_the_timeout_can_be_changed(sim: SimulatedRuntime) -> None:
    bench = Bench(sim, call_request_timeout=2.0)
    peer = bench.connect()
    for timeout in (None, 7.0):
        if timeout is not None:
            bench.charge_point.set_timeout(timeout)
        began = sim.clock.now()
        assert bench.charge_point.reset(ResetType.Soft) is False
        assert sim.clock.now() - began == pytest.approx(timeout or 2.0)
        peer.expect_call("Reset")
    began = sim.clock.now()
    assert bench.charge_point.call(ResetReq(type=ResetType.Soft), timeout=1.0).outcome is CallOutcome.TimedOut
    assert sim.clock.now() - began == pytest.approx(1.0)


@pytest.mark.parametrize("timeout", [0, -1.0, float("nan"), float("inf"), 1e300])
def test_a_timeout_is_more_than_nothing_and_has_an_end(bench: Bench, timeout: float) -> None:
    peer = bench.connect()
    with pytest.raises(LocalProtocolError, match="timeout"):
        bench.charge_point.set_timeout(timeout)
    with pytest.raises(LocalProtocolError, match="timeout"):
        bench.charge_point.call(ResetReq(type=ResetType.Soft), timeout=timeout)
    peer.expect_nothing(5)


def test_validation_can_be_relaxed_for_one_charge_point(bench: Bench) -> None:
    first, second = bench.connect("CP1"), bench.connect("CP2")
    bench.events.charge_points[0].set_validation("off")
    bench.events.charge_points[0].set_validation("strict", "BootNotification")
    wrong = {"idTag": "A", "vendorField": True}
    first.call("Authorize", wrong).result()
    first.call("BootNotification", BOOT | {"vendorField": True}).error("FormationViolation")
    second.call("Authorize", wrong).error("FormationViolation")


@pytest.mark.parametrize(("mode", "action"), [("lenient", "*"), ("log", "Invented")])
def test_validation_has_three_modes_and_known_actions(bench: Bench, mode: str, action: str) -> None:
    bench.connect()
    with pytest.raises(LocalProtocolError):
        bench.charge_point.set_validation(mode, action)


def test_validation_comes_from_the_configuration(sim: SimulatedRuntime, caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(sim, message_validation={"*": "strict", "Authorize": "log"})
    peer = bench.connect()
    peer.call("Authorize", {"idTag": "A", "vendorField": True}).result()
    assert "vendorField" in caplog.text
    peer.call("Heartbeat", {"vendorField": True}).error("FormationViolation")


# -- what becomes of a call --------------------------------------------------------------------------------------------


def ask(bench: Bench, request: Any = None, **options: Any) -> Any:
    """Start a call on a thread of its own."""
    charge_point = bench.charge_point
    return bench.sim.user(lambda: charge_point.call(request or GetLocalListVersionReq(), **options))


def test_an_answer(bench: Bench) -> None:
    peer = bench.connect()
    user = ask(bench)
    peer.expect_call("GetLocalListVersion").answer({"listVersion": 5})
    result = user.result()
    assert (result.outcome, result.ok) == (CallOutcome.Answered, True)
    assert result.response == GetLocalListVersionConf(list_version=5)


def test_an_error(bench: Bench) -> None:
    peer = bench.connect()
    user = ask(bench)
    peer.expect_call("GetLocalListVersion").refuse("NotSupported", 'with "quotes"', {"a": 1})
    result = user.result()
    assert (result.outcome, result.ok, result.response) == (CallOutcome.Refused, False, None)
    assert (result.error_code, result.error_description) == ("NotSupported", 'with "quotes"')
    assert result.error_details == {"a": 1}


def test_no_answer(bench: Bench) -> None:
    bench.connect()
    assert ask(bench).result().outcome is CallOutcome.TimedOut


@pytest.mark.parametrize("payload", [{}, {"listVersion": "5"}, {"listVersion": 5, "more": 1}, {"listVersion": 2**33}])
def test_an_answer_that_breaks_the_standard(bench: Bench, payload: dict[str, Any]) -> None:
    peer = bench.connect()
    user = ask(bench)
    peer.expect_call("GetLocalListVersion").answer(payload)
    result = user.result()
    assert result.outcome is CallOutcome.InvalidAnswer
    assert result.error_description


def test_the_end_of_the_connection_ends_a_call_at_once(bench: Bench) -> None:
    peer = bench.connect()
    user = ask(bench, timeout=1000.0)
    peer.expect_call("GetLocalListVersion")
    began = bench.sim.clock.now()
    peer.abort()
    assert user.result().outcome is CallOutcome.NotConnected
    assert bench.sim.clock.now() - began < 1
    assert ask(bench).result().outcome is CallOutcome.NotConnected


def test_disconnect_and_stop_end_a_call_at_once(bench: Bench) -> None:
    for end in (lambda: bench.charge_point.disconnect(), bench.central_system.stop):
        peer = bench.connect()
        user = ask(bench, timeout=1000.0)
        peer.expect_call("GetLocalListVersion")
        began = bench.sim.clock.now()
        end()
        assert user.result().outcome is CallOutcome.NotConnected
        assert bench.sim.clock.now() - began < 1


def test_a_late_answer_and_one_with_another_id_are_ignored(bench: Bench) -> None:
    peer = bench.connect()
    user = ask(bench)
    late = peer.expect_call("GetLocalListVersion")
    assert user.result().outcome is CallOutcome.TimedOut
    user = ask(bench)
    call = peer.expect_call("GetLocalListVersion")
    late.answer({"listVersion": 1})
    peer.send([3, "another", {"listVersion": 2}])
    call.answer({"listVersion": 3})
    assert user.result().response.list_version == 3


def test_one_call_at_a_time_and_the_wait_for_the_turn_is_bounded(bench: Bench) -> None:
    peer = bench.connect()
    users = [ask(bench, timeout=1.0) for _ in range(8)]
    for _ in range(3):
        call = peer.expect_call("GetLocalListVersion")
        peer.expect_nothing(0.4)
        call.answer({"listVersion": 1})
    bench.sim.sleep(1.0)
    assert all(user.done for user in users), "nobody waits longer for his turn than for an answer"
    outcomes = [user.result().outcome for user in users]
    assert outcomes.count(CallOutcome.Answered) == 3
    assert outcomes.count(CallOutcome.TimedOut) == 5
    peer.expect_nothing(5)


def test_calls_to_different_charge_points_do_not_wait_for_each_other(bench: Bench) -> None:
    first, second = bench.connect("CP1"), bench.connect("CP2")
    one, two = bench.events.charge_points
    users = [bench.sim.user(one.clear_cache), bench.sim.user(two.clear_cache)]
    call = first.expect_call("ClearCache")
    second.expect_call("ClearCache").answer({"status": "Accepted"})
    assert users[1].result() is True
    assert not users[0].done
    call.answer({"status": "Rejected"})
    assert users[0].result() is False


@pytest.mark.parametrize("workers", [1, 4])
def test_a_callback_may_call_the_same_charge_point(workers: int) -> None:
    from openocpp.testing import SimulatedRuntime

    with SimulatedRuntime(workers=workers) as sim:
        bench = Bench(sim, incoming_requests_from_cp_thread_pool_size=1)
        peer = bench.connect()
        charge_point, results = bench.charge_point, []
        bench.requests.on["boot_notification"] = lambda *_: results.append(charge_point.change_configuration("K", "V"))
        boot = peer.call("BootNotification", BOOT)
        peer.expect_call("ChangeConfiguration", {"key": "K"}).answer({"status": "RebootRequired"})
        boot.result({"status": "Accepted"})
        assert results == [ConfigurationStatus.RebootRequired]


def test_the_announcement_may_call_the_charge_point(bench: Bench) -> None:
    results: list[Any] = []
    bench.events.on_connected = lambda charge_point: results.append(charge_point.get_local_list_version())
    peer = ScriptedPeer.connect(bench.sim, URL, "CP1")
    peer.expect_call("GetLocalListVersion").answer({"listVersion": 3})
    bench.sim.sleep(1)
    assert results == [3]


def test_requests_of_charge_points_cannot_be_sent(bench: Bench) -> None:
    peer = bench.connect()
    with pytest.raises(LocalProtocolError, match="Heartbeat"):
        bench.charge_point.call(HeartbeatReq())
    peer.expect_nothing(3)


def test_plug_and_charge_requests_are_wrapped(bench: Bench) -> None:
    peer = bench.connect()
    user = ask(bench, Iso15118TriggerMessageReq())
    peer.expect_call("DataTransfer", {"messageId": "TriggerMessage", "data": "{}"}).answer(
        {"status": "Accepted", "data": '{"status":"NotImplemented"}'}
    )
    assert user.result().response.status == "NotImplemented"
    user = ask(bench, Iso15118TriggerMessageReq())
    peer.expect_call("DataTransfer").answer({"status": "UnknownVendorId"})
    assert (user.result().outcome, user.result().error_code) == (CallOutcome.Refused, "UnknownVendorId")
    user = ask(bench, Iso15118TriggerMessageReq())
    peer.expect_call("DataTransfer").refuse("InternalError", "x")
    assert (user.result().outcome, user.result().error_code) == (CallOutcome.Refused, "InternalError")
    user = ask(bench, Iso15118TriggerMessageReq())
    peer.expect_call("DataTransfer").answer({"status": "Accepted", "data": "nonsense"})
    assert user.result().outcome is CallOutcome.InvalidAnswer


def test_the_scheduler_cannot_call(bench: Bench) -> None:
    peer = bench.connect()
    errors: list[Exception] = []

    def step() -> None:
        try:
            bench.charge_point.clear_cache()
        except StateError as error:
            errors.append(error)

    bench.sim.scheduler.post(step)
    peer.expect_nothing(1)
    assert len(errors) == 1


def test_the_type_of_an_answer_is_that_of_its_request(bench: Bench) -> None:
    from typing import assert_type

    from openocpp import CallResult

    bench.connect()
    result = bench.charge_point.call(GetConfigurationReq(), timeout=0.1)
    assert_type(result, CallResult[GetConfigurationConf])
    assert not result.ok


# -- registration ------------------------------------------------------------------------------------------------------


def boot(bench: Bench, peer: ScriptedPeer, status: RegistrationStatus) -> None:
    bench.requests.answers["boot_notification"] = status
    peer.call("BootNotification", BOOT).result({"status": str(status)})


def test_before_acceptance_other_requests_are_refused_if_that_is_required(sim: SimulatedRuntime) -> None:
    bench = Bench(sim, require_boot_notification=True)
    peer = bench.connect()
    for status in (None, RegistrationStatus.Rejected, RegistrationStatus.Pending):
        if status is not None:
            boot(bench, peer, status)
        peer.call("Heartbeat").error("SecurityError")
        peer.call("Authorize", {"idTag": "A"}).error("SecurityError")
    boot(bench, peer, RegistrationStatus.Accepted)
    peer.call("Heartbeat").result()
    assert len(bench.requests.of("heartbeat")) == 1


def test_without_that_setting_everything_is_served(bench: Bench) -> None:
    peer = bench.connect()
    boot(bench, peer, RegistrationStatus.Rejected)
    peer.call("Heartbeat").result()


def test_acceptance_outlasts_the_connection(sim: SimulatedRuntime) -> None:
    bench = Bench(sim, require_boot_notification=True)
    peer = bench.connect()
    boot(bench, peer, RegistrationStatus.Accepted)
    peer.close()
    bench.connect().call("Heartbeat").result()
    bench.connect("CP2").call("Heartbeat").error("SecurityError")
    bench.central_system.stop()
    bench.central_system.start()
    bench.connect().call("Heartbeat").result()


def test_the_application_can_say_what_it_remembers(sim: SimulatedRuntime) -> None:
    bench = Bench(sim, require_boot_notification=True)

    def remember(charge_point: Any) -> None:
        assert charge_point.registration_status is None
        charge_point.registration_status = RegistrationStatus.Accepted

    bench.events.on_connected = remember
    bench.connect().call("Heartbeat").result()
    assert bench.charge_point.registration_status is RegistrationStatus.Accepted


def test_while_pending_triggered_messages_are_served(sim: SimulatedRuntime) -> None:
    bench = Bench(sim, require_boot_notification=True)
    peer = bench.connect()
    boot(bench, peer, RegistrationStatus.Pending)
    user = sim.user(lambda: bench.charge_point.trigger_message(MessageTrigger.StatusNotification))
    trigger = peer.expect_call("TriggerMessage")
    trigger.answer({"status": "Accepted"})
    status = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
    peer.call("StatusNotification", status).result()
    assert user.result() is TriggerMessageStatus.Accepted
    peer.call("StatusNotification", status | {"connectorId": 2}).result()
    peer.call("Heartbeat").error("SecurityError")
    boot(bench, peer, RegistrationStatus.Pending)
    peer.call("StatusNotification", status).error("SecurityError")


def test_nothing_is_sent_after_a_rejection(bench: Bench) -> None:
    peer = bench.connect()
    boot(bench, peer, RegistrationStatus.Rejected)
    assert bench.charge_point.clear_cache() is False
    result = bench.charge_point.call(ClearCacheReq())
    assert (result.outcome, result.error_code) == (CallOutcome.Refused, "SecurityError")
    peer.expect_nothing(3)
    user = ask(bench, ResetReq(type=ResetType.Soft), force=True)
    peer.expect_call("Reset").answer({"status": "Accepted"})
    assert user.result().response.status is ResetStatus.Accepted


def test_no_transaction_is_started_or_stopped_while_pending(bench: Bench) -> None:
    peer = bench.connect()
    boot(bench, peer, RegistrationStatus.Pending)
    assert bench.charge_point.remote_start_transaction(1, "A") is False
    assert bench.charge_point.remote_stop_transaction(1) is False
    peer.expect_nothing(3)
    user = bench.sim.user(lambda: bench.charge_point.clear_cache())
    peer.expect_call("ClearCache").answer({"status": "Accepted"})
    assert user.result() is True
    user = ask(bench, RemoteStartTransactionReq(id_tag="A"), force=True)
    peer.expect_call("RemoteStartTransaction").answer({"status": "Accepted"})
    assert user.result().ok
    boot(bench, peer, RegistrationStatus.Accepted)
    user = bench.sim.user(lambda: bench.charge_point.remote_stop_transaction(1))
    peer.expect_call("RemoteStopTransaction").answer({"status": "Accepted"})
    assert user.result() is True


def test_triggering_the_boot_of_an_accepted_charge_point_is_warned_about(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    peer = bench.connect()
    boot(bench, peer, RegistrationStatus.Accepted)
    user = bench.sim.user(lambda: bench.charge_point.trigger_message(MessageTrigger.BootNotification))
    peer.expect_call("TriggerMessage").answer({"status": "Accepted"})
    assert user.result() is TriggerMessageStatus.Accepted
    assert "accepted charge point" in caplog.text


# -- order and fairness ------------------------------------------------------------------------------------------------


def test_a_hundred_requests_are_handled_in_their_order(sim: SimulatedRuntime) -> None:
    bench = Bench(sim, max_queued_calls=200)
    peer = bench.connect()
    bench.requests.on["authorize"] = lambda id_tag: sim.sleep(sim.random.random() * 0.05)
    calls = [peer.call("Authorize", {"idTag": f"T{number}"}) for number in range(100)]
    for call in calls:
        call.result()
    assert [tag for (tag,) in bench.requests.of("authorize")] == [f"T{number}" for number in range(100)]


def test_a_blocked_handler_holds_up_its_own_charge_point_only() -> None:
    from openocpp.testing import SimulatedRuntime

    with SimulatedRuntime(workers=2) as sim:
        bench = Bench(sim, incoming_requests_from_cp_thread_pool_size=2)
        blocked, other = bench.connect("CP1"), bench.connect("CP2")
        free = sim.waiter()
        bench.events.handlers[0].on["heartbeat"] = lambda: free.wait(100)
        waiting = [blocked.call("Heartbeat") for _ in range(10)]
        for _ in range(20):
            other.call("Heartbeat").result(timeout=1)
        assert not any(call.answered for call in waiting)
        free.set(None)
        assert all(call.result() for call in waiting)


# -- the hand-over -----------------------------------------------------------------------------------------------------


def test_a_connection_can_be_handed_over_while_it_is_announced(bench: Bench) -> None:
    served: list[str] = []

    class Other:
        def announce(self) -> None:
            raise AssertionError("it was announced already")

        def serve(self, call: Any) -> None:
            served.append(call.action)
            call.reply("{}")

        def disconnected(self) -> None:
            served.append("disconnected")

    def hand_over(charge_point: Any) -> None:
        assert isinstance(charge_point, HandsOver)
        charge_point.hand_over().use(Other())

    bench.events.on_connected = hand_over
    peer = bench.connect()
    charge_point = bench.charge_point
    assert peer.call("Heartbeat").result() == {}
    peer.close()
    bench.sim.sleep(1)
    assert served == ["Heartbeat", "disconnected"]
    assert bench.requests.calls == []
    assert repr(charge_point) == "<charge point, handed over>"


def test_after_the_hand_over_the_proxy_is_of_no_use(bench: Bench) -> None:
    def hand_over(charge_point: Any) -> None:
        charge_point.hand_over()

    bench.events.on_connected = hand_over
    bench.connect()
    charge_point: Any = bench.charge_point
    for use in (
        lambda: charge_point.identifier,
        lambda: charge_point.ip_address,
        lambda: charge_point.is_connected,
        lambda: charge_point.last_message_at,
        lambda: charge_point.clear_cache(),
        lambda: charge_point.disconnect(),
        lambda: charge_point.register_handler(Requests()),
        lambda: charge_point.set_timeout(1.0),
        lambda: charge_point.set_validation("off"),
        lambda: charge_point.registration_status,
        lambda: charge_point.hand_over(),
    ):
        with pytest.raises(StateError, match="handed over"):
            use()  # type: ignore[no-untyped-call]
    assert bench.central_system.charge_points == ()


def test_later_it_cannot_be_handed_over(bench: Bench) -> None:
    bench.connect()
    charge_point = bench.charge_point
    assert isinstance(charge_point, ChargePointProxy)
    with pytest.raises(StateError):
        charge_point.hand_over()
    assert charge_point.is_connected
    assert charge_point.connected_since <= datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=1)
