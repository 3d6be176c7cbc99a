"""The durable queues: order, retries, restarts, and what is never lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openocpp.chargepoint import delivery
from openocpp.testing.conversation import ABSENT, ScriptedServer
from openocpp.types import AuthorizationStatus, Reason
from openocpp.types.security_events import SecurityEvents
from tests.chargepoint.conftest import NOW, URL, CentralSide, Station, online
from tests.chargepoint.driving import (
    ENERGY,
    Books,
    begin,
    connector_of,
    database_of,
    end,
    energy,
    go_offline,
    go_online,
    queued,
    quiet,
    rows,
    started,
    starting,
    stopping,
)

if TYPE_CHECKING:
    from openocpp.testing import SimulatedRuntime

Accepted = AuthorizationStatus.Accepted


def sampled(station: Station, interval: int = 10) -> None:
    """The station takes samples, also for StopTransaction."""
    station.keys.put("MeterValueSampleInterval", str(interval))
    station.keys.put("MeterValuesSampledData", ENERGY)
    station.keys.put("StopTxnSampledData", ENERGY)
    station.handler.values = energy(station)


def values_of(payload: dict[str, Any]) -> list[str]:
    """The readings of a MeterValues or StopTransaction."""
    data = payload.get("meterValue") or payload["transactionData"]
    return [sample["value"] for value in data for sample in value["sampledValue"]]


# -- order and ids -----------------------------------------------------------------------------------------------------


def test_what_happened_offline_is_told_in_order_and_as_it_was(station: Station, central: CentralSide) -> None:
    sampled(station)
    online(station, central)
    go_offline(station)
    station.sim.sleep(59.5)
    assert station.cp.start_transaction(1, "TAG") is Accepted
    station.sim.sleep(25)
    assert station.cp.stop_transaction(1, "TAG") is True
    station.sim.sleep(3600)
    peer = go_online(station, central)
    start = peer.expect_call("StartTransaction", {"timestamp": "2024-01-01T00:01:00Z", "meterStart": 100})
    start.answer(started(77))
    for second in (70, 80):
        meter = peer.expect_call("MeterValues", {"transactionId": 77, "connectorId": 1})
        assert values_of(meter.payload) == [f"1{second:06d}"]
        meter.answer()
    stop = peer.expect_call("StopTransaction", {"timestamp": "2024-01-01T00:01:25Z", "transactionId": 77})
    assert values_of(stop.payload) == ["1000060", "1000070", "1000080", "1000085"]
    stop.answer()
    peer.expect_nothing(50)
    assert queued(station) == []


def test_a_transaction_that_began_offline_may_end_online(station: Station, central: CentralSide) -> None:
    sampled(station)
    online(station, central)
    go_offline(station)
    station.cp.start_transaction(1, "TAG")
    station.sim.sleep(15)
    peer = go_online(station, central)
    peer.expect_call("StartTransaction").answer(started(5))
    peer.expect_call("MeterValues", {"transactionId": 5}).answer()
    station.sim.sleep(0.5)
    assert station.cp.transaction_id(1) == 5
    user = stopping(station)
    peer.expect_call("StopTransaction", {"transactionId": 5}).answer()
    assert user.result() is True


def test_each_message_carries_the_id_of_its_own_transaction(station: Station, central: CentralSide) -> None:
    """Two connectors, and two transactions one after the other on one of them; the central system's ids are odd."""
    sampled(station, 100)
    online(station, central)
    go_offline(station)
    for connector_id, tag in ((1, "A"), (2, "B")):
        station.cp.start_transaction(connector_id, tag)
    station.sim.sleep(150)
    station.cp.stop_transaction(1)
    station.cp.start_transaction(1, "C")
    station.sim.sleep(150)
    station.cp.stop_transaction(2)
    station.cp.stop_transaction(1)
    peer = go_online(station, central)
    ids = {"A": 0, "B": -7, "C": 3}
    connectors = {"A": 1, "B": 2, "C": 1}
    told: dict[int, list[str]] = {number: [] for number in ids.values()}
    stops: dict[int, list[str]] = {}
    for _ in range(10):
        _, unique_id, action, payload = peer.expect_frame()
        if action == "StartTransaction":
            peer.send([3, unique_id, started(ids[payload["idTag"]])])
            continue
        number = payload["transactionId"]
        if action == "MeterValues":
            told[number] += values_of(payload)
        else:
            stops[number] = values_of(payload)
        peer.send([3, unique_id, {}])
    station.sim.run_until(lambda: not queued(station), 10)
    assert [len(told[ids[tag]]) for tag in "ABC"] == [1, 2, 1]
    for tag, number in ids.items():
        assert {value[0] for value in told[number] + stops[number]} == {str(connectors[tag])}
        assert stops[number][1:-1] == told[number]
    assert stops[ids["A"]][-1] < stops[ids["C"]][0] or stops[ids["A"]][-1] == stops[ids["C"]][0]
    peer.expect_nothing(30)


def test_a_new_message_waits_until_the_queue_is_empty(station: Station, central: CentralSide) -> None:
    online(station, central)
    go_offline(station)
    station.cp.start_transaction(1, "A")
    peer = go_online(station, central)
    first = peer.expect_call("StartTransaction", {"idTag": "A"})
    user = starting(station, 2, "B")
    other = station.sim.user(lambda: station.cp.data_transfer("V"))  # not of a transaction: it need not wait
    station.sim.sleep(0.5)
    first.answer(started(1))
    calls = {}
    for _ in range(2):
        frame = peer.expect_frame()
        calls[frame[2]] = frame
        answer = started(2) if frame[2] == "StartTransaction" else {"status": "Accepted"}
        peer.send([3, frame[1], answer])
    assert calls["StartTransaction"][3]["idTag"] == "B"
    assert user.result() is Accepted
    assert other.result() is not None
    assert station.cp.transaction_id(2) == 2


def test_many_that_are_in_a_hurry_are_served_one_by_one(sim: SimulatedRuntime, station: Station) -> None:
    """Starts and stops of both connectors from two threads while the queue is drained: one consumer, each once."""
    books = Books(sim.clock.now)
    ScriptedServer(sim, URL, answers=books.answers)
    station.cp.start()
    sim.run_until(lambda: bool(books.of("BootNotification")), 10)
    sim.network.delay = 0.05
    go_offline(station)

    def drive(connector_id: int, rounds: int) -> None:
        for number in range(rounds):
            assert station.cp.start_transaction(connector_id, f"{connector_id}-{number}") is Accepted
            assert station.cp.stop_transaction(connector_id) is True

    drive(1, 10)
    sim.network.refuse(False)
    station.cp.reconnect()
    users = [sim.user(lambda number=number: drive(number, 20)) for number in (1, 2)]  # type: ignore[misc]
    for user in users:
        user.result()
    quiet(station)
    assert len(books.of("StartTransaction")) == len(books.of("StopTransaction")) == 50
    for connector_id in (1, 2):
        of_connector = [entry for entry in books.transactional if connector_of(books, entry) == connector_id]
        assert [entry.action for entry in of_connector] == ["StartTransaction", "StopTransaction"] * (
            30 if connector_id == 1 else 20
        )
        times = [entry.time for entry in of_connector]
        assert times == sorted(times)


# -- failures to process (1.6 §3.7.1, errata-J 3.2) --------------------------------------------------------------------


def answer_badly(call: Any, how: str) -> None:
    if how == "CALLERROR":
        call.refuse("InternalError", "cannot")
    else:
        call.answer({"transactionId": "many", "nonsense": True})


@pytest.mark.parametrize("how", ["CALLERROR", "invalid answer"])
def test_a_start_that_is_not_processed_is_queued_and_sent_again(
    station: Station, central: CentralSide, how: str
) -> None:
    peer = online(station, central)
    user = starting(station)
    first = peer.expect_call("StartTransaction")
    answer_badly(first, how)
    assert user.result() is Accepted
    peer.expect_nothing(59)
    again = peer.expect_call("StartTransaction")
    assert again.payload == first.payload
    assert again.id != first.id
    again.answer(started(3))
    station.sim.sleep(0.5)
    assert station.cp.transaction_id(1) == 3


@pytest.mark.parametrize("how", ["CALLERROR", "invalid answer"])
def test_meter_values_and_stops_that_are_not_processed_are_sent_again(
    station: Station, central: CentralSide, how: str
) -> None:
    sampled(station, 30)
    peer = online(station, central)
    begin(station, peer)
    meter = peer.expect_call("MeterValues")
    answer_badly(meter, how)
    assert station.cp.stop_transaction(1) is True  # it is queued behind
    peer.expect_nothing(59)
    again = peer.expect_call("MeterValues")
    assert again.payload == meter.payload
    again.answer()
    stop = peer.expect_call("StopTransaction")
    answer_badly(stop, how)
    peer.expect_nothing(59)
    assert peer.expect_call("StopTransaction").payload == stop.payload


def test_attempts_and_their_intervals(station: Station, central: CentralSide, caplog: pytest.LogCaptureFixture) -> None:
    """Three transmissions at 0, 60 and 180 s; then the message is discarded, and the next one goes out."""
    peer = online(station, central)
    user = starting(station)
    times = []
    for attempt in range(3):
        call = peer.expect_call("StartTransaction", timeout=200)
        times.append(round(station.sim.clock.now()))
        if attempt == 0:
            station.sim.user(lambda: station.cp.start_transaction(2, "NEXT"))
        call.refuse("GenericError")
    assert [moment - times[0] for moment in times] == [0, 60, 180]
    assert user.result() is Accepted
    peer.expect_call("StartTransaction", {"idTag": "NEXT"}).answer(started(2))
    assert "StartTransaction given up after 3 attempts" in caplog.text
    peer.expect_nothing(500)


def test_an_interval_of_0_and_a_single_attempt(station: Station, central: CentralSide) -> None:
    station.keys.put("TransactionMessageRetryInterval", "0")
    peer = online(station, central)
    user = starting(station)
    for _ in range(3):
        peer.expect_call("StartTransaction").refuse("InternalError")
    user.result()
    peer.expect_nothing(60)
    station.keys.put("TransactionMessageAttempts", "1")
    station.cp.stop_transaction(1)
    peer.expect_call("StopTransaction", {"transactionId": -1}).refuse("InternalError")
    peer.expect_nothing(60)
    assert queued(station) == []


def test_what_follows_a_dropped_start_is_sent_with_minus_one(station: Station, central: CentralSide) -> None:
    """Also when the connector has had an id before, and after a restart (errata 3.18)."""
    sampled(station, 100)
    station.keys.put("TransactionMessageAttempts", "1")
    peer = online(station, central)
    begin(station, peer, transaction_id=5)
    end(station, peer)
    user = starting(station)
    peer.expect_call("StartTransaction").refuse("InternalError")
    assert user.result() is Accepted
    peer.expect_call("MeterValues", {"transactionId": -1}, timeout=101).answer()
    assert station.cp.transaction_id(1) is None
    station.sim.sleep(1)
    station.restart()
    peer = central.boot()
    user2 = stopping(station)
    peer.expect_call("StopTransaction", {"transactionId": -1}).answer()
    assert user2.result() is True


def test_a_retry_waits_for_its_time_also_over_a_reconnection_and_remembers_over_a_restart(
    station: Station, central: CentralSide
) -> None:
    peer = online(station, central)
    user = starting(station)
    peer.expect_call("StartTransaction").refuse("InternalError")
    assert user.result() is Accepted
    go_offline(station)
    peer = go_online(station, central)
    peer.expect_nothing(55)
    peer.expect_call("StartTransaction").refuse("InternalError")  # after 60 s
    station.sim.sleep(1)
    station.restart()
    peer = central.boot()
    peer.expect_call("StartTransaction").refuse("InternalError")  # the third and last attempt
    peer.expect_nothing(500)
    assert queued(station) == []


# -- no failures to process --------------------------------------------------------------------------------------------


def test_a_lost_link_is_no_attempt(station: Station, central: CentralSide) -> None:
    station.keys.put("TransactionMessageAttempts", "2")
    peer = online(station, central)
    user = starting(station)
    ids = set()
    for _ in range(10):
        call = peer.expect_call("StartTransaction")
        ids.add(call.id)
        station.sim.network.cut()
        peer = central.server.accept(100)
    assert user.result() is Accepted
    peer.expect_call("StartTransaction").answer(started(8))
    station.sim.sleep(0.5)
    assert len(ids) == 10
    assert station.cp.transaction_id(1) == 8


def test_an_answer_that_comes_too_late_is_not_needed(station: Station, central: CentralSide) -> None:
    """The central system has processed the start; its answer comes after the time-out: the start is repeated."""
    peer = online(station, central)
    user = starting(station)
    call = peer.expect_call("StartTransaction")
    station.sim.sleep(3)
    assert user.result() is Accepted
    call.answer(started(1))
    again = peer.expect_call("StartTransaction", timeout=100)
    assert again.payload == call.payload
    again.answer(started(1))
    peer.expect_nothing(200)
    assert station.cp.transaction_id(1) == 1


def test_silence_of_the_whole_central_system_loses_nothing(
    station: Station, central: CentralSide, caplog: pytest.LogCaptureFixture
) -> None:
    peer = online(station, central)
    user = starting(station)
    for _ in range(10):  # more often than there are attempts
        peer.expect_call("StartTransaction", timeout=100)
    assert user.result() is Accepted
    peer.expect_call("StartTransaction", timeout=100).answer(started(4))
    station.sim.sleep(0.5)
    assert station.cp.transaction_id(1) == 4
    assert "nothing else comes" in caplog.text


def test_a_message_that_is_passed_over_while_others_are_answered_does_not_block(
    station: Station, central: CentralSide
) -> None:
    station.keys.put("HeartbeatInterval", "1")
    peer = online(station, central)
    peer.answers["Heartbeat"] = {"currentTime": NOW}
    station.keys.put("TransactionMessageRetryInterval", "1")

    def chat() -> None:
        while station.cp.is_connected:
            peer.call("GetConfiguration", {"key": ["HeartbeatInterval"]})
            station.sim.sleep(0.4)

    user = starting(station)
    station.sim.user(chat)
    for _ in range(3):
        peer.expect_call("StartTransaction")
    assert user.result() is Accepted
    station.sim.run_until(lambda: not queued(station), 60)
    stop = stopping(station)
    peer.expect_call("StopTransaction", {"transactionId": -1}).answer()
    assert stop.result() is True


# -- restarts ----------------------------------------------------------------------------------------------------------


def test_a_full_queue_survives_a_restart_in_its_order(station: Station, central: CentralSide) -> None:
    sampled(station)
    peer = online(station, central)
    begin(station, peer, 1, "A", 1)
    go_offline(station)
    station.cp.start_transaction(2, "B")
    station.sim.sleep(25)
    station.cp.stop_transaction(1)
    before = queued(station)
    assert before == ["StartTransaction", *["MeterValues"] * 4, "StopTransaction"]
    station.restart()
    station.sim.sleep(15)  # samples of the running one go on, before anything is accepted
    assert queued(station) == [*before, "MeterValues"]
    peer = go_online(station, central)
    boot = peer.expect_call("BootNotification")
    peer.expect_nothing(1.5)  # nothing else before its answer
    peer.answers.update({"StatusNotification": {}, "MeterValues": {}})
    boot.answer({"status": "Accepted", "currentTime": NOW, "interval": 0})
    peer.expect_call("StartTransaction", {"idTag": "B"}).answer(started(2))
    peer.expect_call("StopTransaction", {"transactionId": 1}).answer()
    station.sim.sleep(1)
    assert station.cp.transaction_id(2) == 2
    user = stopping(station, 2, reason=Reason.PowerLoss)
    peer.expect_call("StopTransaction", {"transactionId": 2, "reason": "PowerLoss"}).answer()
    assert user.result() is True


def test_what_was_answered_while_the_role_stops_is_not_sent_again(station: Station, central: CentralSide) -> None:
    """The answer is there, but not looked at yet, when ``stop`` begins."""
    peer = online(station, central)
    for _ in range(10):
        user = starting(station)
        peer.expect_call("StartTransaction").answer(started(1))
        station.cp.stop()
        user.result()
        with database_of(station) as database:
            left = database.read("SELECT count(*) FROM Outbox")[0][0]
            known = database.read("SELECT count(*) FROM Transactions WHERE running AND cs_id IS NULL")[0][0]
            assert left == known  # forgotten together, or kept together
            database.write(lambda connection: connection.execute("DELETE FROM Outbox").rowcount)
        station.cp.reset_connector_data()
        station.cp = station.create()
        station.cp.start()
        peer = central.boot()
        station.sim.sleep(0.5)


def test_an_answer_that_waits_for_its_turn_counts_when_the_role_stops(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    user = starting(station)
    call = peer.expect_call("StartTransaction")
    session = station.cp._session  # type: ignore[attr-defined]
    with session.ctx.monitor:
        call.answer(started(7))
        station.sim.sleep(0.1)
        session.end()
    assert user.result() is Accepted
    station.sim.sleep(0.1)
    station.cp.stop()
    with database_of(station) as database:
        assert database.read("SELECT count(*) FROM Outbox") == [(0,)]
        assert database.read("SELECT cs_id FROM Transactions WHERE running") == [(7,)]


# -- long times offline ------------------------------------------------------------------------------------------------


def test_idle_connectors_do_not_fill_the_disk(
    station: Station, central: CentralSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "MAX_IDLE_METER_VALUES", 30)
    station.keys.put("ClockAlignedDataInterval", "900")
    station.keys.put("MeterValuesAlignedData", ENERGY)
    station.handler.values = energy(station)
    online(station, central)
    go_offline(station)
    station.cp.start_transaction(1, "TAG")
    station.sim.sleep(86_400)
    station.cp.stop_transaction(1)
    station.sim.sleep(86_400)
    actions = queued(station)
    assert actions.count("StartTransaction") == actions.count("StopTransaction") == 1
    of_transaction = rows(station, "SELECT count(*) FROM Outbox WHERE action = 'MeterValues' AND transaction_key = 1")
    idle = rows(station, "SELECT created FROM Outbox WHERE action = 'MeterValues' AND transaction_key IS NULL")
    assert of_transaction == [(96,)]
    assert len(idle) == 30
    assert min(created for (created,) in idle) >= "2024-01-02T21"  # the oldest went


def test_the_message_that_is_being_sent_is_not_dropped(
    station: Station, central: CentralSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "MAX_IDLE_METER_VALUES", 3)
    station.keys.put("ClockAlignedDataInterval", "1")
    station.keys.put("MeterValuesAlignedData", ENERGY)
    station.settings["call_request_timeout"] = 30.0
    station.cp = station.create()
    station.handler.values = energy(station)
    peer = online(station, central)
    first = peer.expect_call("MeterValues")
    moment = rows(station, "SELECT min(created) FROM Outbox")
    station.sim.sleep(10)
    assert len(queued(station)) == 3
    assert rows(station, "SELECT min(created) FROM Outbox") == moment
    first.answer()
    station.sim.run_until(lambda: rows(station, "SELECT min(created) FROM Outbox") != moment, 1)


# -- security events ---------------------------------------------------------------------------------------------------


def test_security_events_and_transactions_do_not_block_each_other(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    user = starting(station)
    peer.expect_call("StartTransaction").refuse("InternalError")
    assert user.result() is Accepted
    station.cp.log_security_event(SecurityEvents.SETTING_SYSTEM_TIME, "by hand")
    event = peer.expect_call("SecurityEventNotification", {"type": "SettingSystemTime", "techInfo": "by hand"})
    event.refuse("InternalError")
    station.sim.sleep(1)
    retried = [peer.expect_call("StartTransaction"), peer.expect_call("SecurityEventNotification")]
    retried[0].answer(started(1))
    retried[1].answer()


def test_security_events_are_never_given_up(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    station.cp.log_security_event("Vendor", "1", critical=True)
    station.cp.log_security_event("Vendor", "2", critical=True)
    for _ in range(10):
        peer.expect_call("SecurityEventNotification", {"techInfo": "1"}, timeout=61).refuse("InternalError")
    station.sim.sleep(1)
    station.restart()
    peer = central.boot()
    peer.expect_call("SecurityEventNotification", {"techInfo": "1"}).answer()
    peer.expect_call("SecurityEventNotification", {"techInfo": "2"}).answer()
    peer.expect_nothing(100)


@pytest.mark.parametrize("code", ["NotImplemented", "NotSupported"])
def test_a_central_system_without_the_whitepaper_gets_each_event_once(
    station: Station, central: CentralSide, code: str
) -> None:
    peer = online(station, central)
    for number in range(2):
        station.cp.log_security_event("Vendor", str(number), critical=True)
        peer.expect_call("SecurityEventNotification", {"techInfo": str(number)}).refuse(code)
    peer.expect_nothing(100)


def test_offline_events_are_told_before_nothing_and_after_acceptance(station: Station, central: CentralSide) -> None:
    station.cp.log_security_event("Vendor", "", critical=True)  # before the start
    station.cp.start()
    peer = central.accept(StatusNotification={})
    boot = peer.expect_call("BootNotification")
    peer.expect_nothing(1.5)
    boot.answer({"status": "Accepted", "currentTime": NOW, "interval": 0})
    peer.expect_call("SecurityEventNotification", {"techInfo": ABSENT, "type": "Vendor"}).answer()


# -- closing connections -----------------------------------------------------------------------------------------------


def test_a_link_that_is_being_closed_is_not_asked_again_and_again(
    station: Station, central: CentralSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls are refused at once while the endpoint closes: the courier waits for the next connection."""
    online(station, central)
    station.sim.sleep(0.5)
    session = station.cp._session  # type: ignore[attr-defined]
    posted: list[object] = []
    post = session.outbox.post_text

    def counted(*arguments: object) -> bool:
        posted.append(arguments)
        return bool(post(*arguments))

    monkeypatch.setattr(session.outbox, "post_text", counted)
    station.sim.network.drop()  # the close handshake takes its time
    session.ctx.messenger.endpoint.close()
    station.sim.yield_turn()
    assert station.cp.start_transaction(1, "TAG") is Accepted
    for _ in range(100):
        station.sim.yield_turn()
    assert len(posted) == 1
    station.sim.network.heal()
    peer = central.accept()
    peer.expect_call("StartTransaction").answer(started())
