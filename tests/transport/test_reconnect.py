"""Tests of openocpp.transport.reconnect, in simulated time."""

from __future__ import annotations

import random
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from openocpp.errors import ConnectError, ConnectFailure, StateError
from openocpp.testing import SimulatedRuntime
from openocpp.transport.base import Accepted, CloseCode, Closed, Handshake, Limits, ListenSettings, Target, Transport
from openocpp.transport.reconnect import Client, RetryPolicy
from openocpp.transport.url import Url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openocpp.transport.base import Listener

ENDPOINT = "ws://central.example/ocpp"
NO_JITTER = RetryPolicy(first=5.0, maximum=60.0, jitter=0.0)


def target(identity: str = "CP1", **options: object) -> Target:
    return Target(Url.parse(ENDPOINT).with_identity(identity), **options)  # type: ignore[arg-type]


class Receiver:
    def __init__(self) -> None:
        self.texts: list[str] = []
        self.ends: list[Closed] = []

    def text_received(self, text: str) -> None:
        self.texts.append(text)

    def closed(self, why: Closed) -> None:
        self.ends.append(why)


class Central:
    """A server that lets everybody in."""

    def __init__(self, sim: SimulatedRuntime) -> None:
        self.sim = sim
        self.opens: list[tuple[float, str]] = []
        self.transports: list[Transport] = []
        self.receivers: list[Receiver] = []
        self.listener: Listener = sim.network.listen(ListenSettings(Url.parse(ENDPOINT), ping_interval=0.0), self)

    def knock(self, address: str) -> bool:
        return True

    def admit(self, handshake: Handshake, identity: str, user: str, password: bytes) -> Accepted:
        return Accepted(identity)

    def opened(self, accepted: Accepted, handshake: Handshake, transport: Transport) -> None:
        self.opens.append((self.sim.clock.now(), accepted.identity))
        self.transports.append(transport)
        self.receivers.append(Receiver())
        transport.start(self.receivers[-1])

    def failed(self, address: str, reason: str) -> None: ...

    def hang_up(self) -> None:
        self.sim.scheduler.post(partial(self.transports[-1].close, CloseCode.GOING_AWAY))


class Heard:
    """Writes down what the client tells, and when."""

    def __init__(self, sim: SimulatedRuntime) -> None:
        self.sim = sim
        self.events: list[tuple[float, str]] = []
        self.failures: list[tuple[ConnectError, bool]] = []
        self.transports: list[Transport] = []
        self.receivers: list[Receiver] = []
        self.reasons: list[Closed] = []
        self.on_connected: Callable[[Transport], None] | None = None

    def note(self, what: str) -> None:
        assert self.sim.scheduler.is_current
        self.events.append((self.sim.clock.now(), what))

    def connected(self, transport: Transport) -> None:
        self.note("connected")
        self.transports.append(transport)
        self.receivers.append(Receiver())
        if self.on_connected is not None:
            self.on_connected(transport)
        transport.start(self.receivers[-1])

    def failed(self, error: ConnectError, first: bool) -> None:
        self.note("failed first" if first else "failed")
        self.failures.append((error, first))

    def disconnected(self, why: Closed) -> None:
        assert self.receivers[-1].ends == [why] or not self.receivers[-1].ends
        self.note("disconnected")
        self.reasons.append(why)

    def times(self, what: str) -> list[float]:
        return [round(at, 3) for at, event in self.events if event.startswith(what)]

    @property
    def names(self) -> list[str]:
        return [event for _, event in self.events]


@pytest.fixture
def sim() -> Iterator[SimulatedRuntime]:
    runtime = SimulatedRuntime(seed=3)
    yield runtime
    runtime.stop()


@pytest.fixture
def central(sim: SimulatedRuntime) -> Central:
    return Central(sim)


@pytest.fixture
def heard(sim: SimulatedRuntime) -> Heard:
    return Heard(sim)


@pytest.fixture
def client(sim: SimulatedRuntime, heard: Heard) -> Client:
    return Client(sim, heard)


# -- the pauses --------------------------------------------------------------------------------------------------------


def test_pauses_double_up_to_the_maximum() -> None:
    assert [NO_JITTER.pause(n, 0.9) for n in range(1, 8)] == [5, 10, 20, 40, 60, 60, 60]
    assert RetryPolicy(5.0, 60.0, 0.0).pause(100_000, 0.0) == 60


def test_a_maximum_not_above_the_first_pause_keeps_it_constant() -> None:
    for maximum in (5.0, 1.0, 0.0):
        assert [RetryPolicy(5.0, maximum, 0.0).pause(n, 0.0) for n in (1, 2, 9)] == [5, 5, 5]


def test_jitter_only_adds_up_to_a_fifth() -> None:
    policy = RetryPolicy(10.0, 60.0)
    chance = random.Random(1)
    pauses = [policy.pause(1, chance.random()) for _ in range(1000)]
    assert 10.0 <= min(pauses) < 10.1
    assert 11.9 < max(pauses) <= 12.0
    assert policy.pause(9, 1.0) == pytest.approx(72.0)


# -- attempts ----------------------------------------------------------------------------------------------------------


def test_connects_at_once_and_talks(sim: SimulatedRuntime, central: Central, client: Client, heard: Heard) -> None:
    client.start(target(), NO_JITTER)
    sim.sleep(1)
    assert heard.events == [(0.0, "connected")]
    assert client.is_connected
    assert "CONNECTED" in repr(client)
    sim.scheduler.post(lambda: heard.transports[0].send("hello"))
    sim.scheduler.post(lambda: central.transports[0].send("welcome"))
    sim.sleep(1)
    assert central.receivers[0].texts == ["hello"]
    assert heard.receivers[0].texts == ["welcome"]
    assert heard.transports[0].peer.address == "central.example"


def test_attempts_are_spaced_by_growing_pauses(sim: SimulatedRuntime, client: Client, heard: Heard) -> None:
    client.start(target(), NO_JITTER)
    sim.sleep(300)
    assert heard.times("failed") == [0, 5, 15, 35, 75, 135, 195, 255]
    assert [first for _, first in heard.failures] == [True] + [False] * 7
    assert all(error.reason is ConnectFailure.REFUSED for error, _ in heard.failures)


def test_the_runtimes_random_numbers_decide_on_the_jitter(sim: SimulatedRuntime, heard: Heard) -> None:
    clients = [Client(sim, Heard(sim)) for _ in range(20)]
    for client in clients:
        client.start(target(), RetryPolicy(10.0, 10.0))
    sim.sleep(200)
    gaps = {
        round(later - earlier, 6)
        for client in clients
        for earlier, later in pairwise(client._listener.times("failed"))  # type: ignore[attr-defined]
    }
    assert min(gaps) >= 10.0
    assert max(gaps) <= 12.001
    assert len(gaps) > 100


def test_a_client_gets_in_when_the_server_is_back(sim: SimulatedRuntime, client: Client, heard: Heard) -> None:
    client.start(target(), NO_JITTER)
    sim.sleep(10)
    Central(sim)
    sim.sleep(60)
    assert heard.names == ["failed first", "failed", "connected"]
    assert heard.times("connected") == [15]


def test_a_first_pause_of_zero_means_one_attempt(sim: SimulatedRuntime, client: Client, heard: Heard) -> None:
    idle: list[bool] = []
    told, heard.note = heard.note, lambda what: (idle.append(client.is_idle), told(what))[1]  # type: ignore[method-assign]
    client.start(target(), RetryPolicy(0.0, 60.0))
    sim.sleep(3600)
    assert heard.names == ["failed first"]
    assert client.wait_stopped(0.1)
    central = Central(sim)
    client.start(target(), RetryPolicy(0.0, 60.0))
    sim.sleep(1)
    central.hang_up()
    sim.sleep(3600)
    assert heard.names == ["failed first", "connected", "disconnected"]
    assert idle == [True, False, True]
    assert not client.is_connected


# -- the end of a connection -------------------------------------------------------------------------------------------


def test_a_lost_connection_is_made_again(sim: SimulatedRuntime, central: Central, client: Client, heard: Heard) -> None:
    client.start(target(), NO_JITTER)
    sim.sleep(100)
    central.hang_up()
    sim.sleep(100)
    assert heard.events == [(0.0, "connected"), (100.0, "disconnected"), (105.0, "connected")]
    assert heard.reasons == [Closed(CloseCode.GOING_AWAY, "", by_peer=True)]
    assert heard.receivers[0].ends == heard.reasons


def test_the_pause_is_short_again_after_a_connection_that_lasted(
    sim: SimulatedRuntime, client: Client, heard: Heard
) -> None:
    client.start(target(), NO_JITTER)
    sim.sleep(40)  # attempts at 0, 5, 15, 35; the next one at 75
    central = Central(sim)
    sim.sleep(35 + 11)  # 75 + 11: longer than twice the first pause
    central.hang_up()
    sim.sleep(10)
    assert heard.times("connected") == [75, 91]


def test_connections_that_do_not_last_let_the_pauses_grow(
    sim: SimulatedRuntime, central: Central, client: Client, heard: Heard
) -> None:
    heard.on_connected = lambda _: central.hang_up()
    client.start(target(), NO_JITTER)
    sim.sleep(80)
    assert heard.times("connected") == [0, 5, 15, 35, 75]


def test_the_first_failure_after_each_connection_is_marked(
    sim: SimulatedRuntime, central: Central, client: Client, heard: Heard
) -> None:
    client.start(target(), NO_JITTER)
    sim.sleep(20)
    for _ in range(2):
        sim.network.refuse()
        sim.network.cut()
        sim.sleep(20)  # two failures
        sim.network.refuse(False)
        sim.sleep(30)
    cycle = ["disconnected", "failed first", "failed", "connected"]
    assert heard.names == ["connected", *cycle, *cycle]


def test_a_listener_that_stumbles_does_not_end_the_service(
    sim: SimulatedRuntime, central: Central, client: Client, heard: Heard, caplog: pytest.LogCaptureFixture
) -> None:
    def stumble(_: Transport) -> None:
        heard.on_connected = None
        raise ZeroDivisionError

    heard.on_connected = stumble
    client.start(target(), NO_JITTER)
    sim.sleep(20)
    assert heard.names == ["connected", "disconnected", "connected"]
    assert len(central.receivers[0].ends) == 1
    assert "ZeroDivisionError" in caplog.text


# -- stop --------------------------------------------------------------------------------------------------------------


def test_stop_closes_with_1000_and_writes_what_is_queued(
    sim: SimulatedRuntime, central: Central, client: Client, heard: Heard
) -> None:
    client.start(target(), NO_JITTER)
    sim.sleep(1)
    done: list[float] = []
    sim.scheduler.post(lambda: heard.transports[0].send("last words"))
    client.stop(lambda: done.append(sim.clock.now()))
    client.stop(lambda: done.append(sim.clock.now()))
    assert client.wait_stopped()
    sim.sleep(3600)
    assert done == [1.0, 1.0]
    assert central.receivers[0].texts == ["last words"]
    assert central.receivers[0].ends == [Closed(CloseCode.NORMAL, "", by_peer=True)]
    assert heard.names == ["connected", "disconnected"]
    assert sim.network.links == []


def test_stop_is_bounded_when_the_peer_is_silent(
    sim: SimulatedRuntime, central: Central, client: Client, heard: Heard
) -> None:
    client.start(target(limits=Limits(close_timeout=30.0)), NO_JITTER)
    sim.sleep(1)
    sim.network.drop()
    client.stop()
    assert not client.wait_stopped(1.0)
    assert client.wait_stopped()
    assert sim.clock.now() == 3.5
    sim.sleep(60)
    assert heard.names == ["connected", "disconnected"]
    assert len(heard.receivers[0].ends) == 1


def test_stop_during_an_attempt(sim: SimulatedRuntime, central: Central, client: Client, heard: Heard) -> None:
    sim.network.delay = 1.0
    client.start(target(), NO_JITTER)
    sim.sleep(1.5)  # admitted; the answer is on its way
    client.stop()
    assert client.wait_stopped(0.1)
    sim.sleep(60)
    assert heard.names == []
    assert [len(receiver.ends) for receiver in central.receivers] == [1]


def test_stop_during_a_pause(sim: SimulatedRuntime, client: Client, heard: Heard) -> None:
    client.start(target(), NO_JITTER)
    sim.sleep(1)
    client.stop()
    sim.sleep(3600)
    assert heard.names == ["failed first"]
    assert sim.network.attempts == 1


def test_stop_before_start_and_twice(sim: SimulatedRuntime, client: Client, heard: Heard) -> None:
    done: list[str] = []
    client.stop(lambda: done.append("first"))
    client.stop(lambda: done.append("second"))
    assert client.wait_stopped(0.1)
    sim.sleep(1)
    assert done == ["first", "second"]
    assert heard.events == []


def test_stop_from_within_the_listener(sim: SimulatedRuntime, central: Central, client: Client, heard: Heard) -> None:
    heard.on_connected = lambda _: client.stop()
    client.start(target(), NO_JITTER)
    sim.sleep(60)
    assert heard.names == ["connected", "disconnected"]
    assert sim.network.attempts == 1


def test_waiting_on_the_scheduler_is_refused(sim: SimulatedRuntime, client: Client) -> None:
    client.start(target(), NO_JITTER)
    sim.sleep(1)
    refused: list[bool] = []

    def wait() -> None:
        with pytest.raises(StateError):
            client.wait_stopped()
        refused.append(True)

    sim.scheduler.post(wait)
    sim.sleep(1)
    assert refused == [True]


def test_start_after_stop(sim: SimulatedRuntime, central: Central, client: Client, heard: Heard) -> None:
    for _ in range(3):
        client.start(target(), NO_JITTER)
        sim.sleep(20)
        client.stop()
        assert client.wait_stopped()
    assert heard.names == ["connected", "disconnected"] * 3


def test_start_while_still_stopping(sim: SimulatedRuntime, central: Central, client: Client, heard: Heard) -> None:
    client.start(target("A"), NO_JITTER)
    sim.sleep(1)
    sim.network.delay = 0.25
    done: list[float] = []
    client.stop(lambda: done.append(sim.clock.now()))
    client.start(target("B"), NO_JITTER)
    sim.sleep(10)
    assert done == [1.5]
    assert heard.names == ["connected", "disconnected", "connected"]
    assert central.opens == [(0.0, "A"), (1.75, "B")]


# -- restart -----------------------------------------------------------------------------------------------------------


def test_restart_closes_first_then_connects_to_the_new_target(
    sim: SimulatedRuntime, central: Central, client: Client, heard: Heard
) -> None:
    client.start(target("A"), NO_JITTER)
    sim.sleep(1)
    client.restart(target("B"))
    sim.sleep(1)
    assert heard.events == [(0.0, "connected"), (1.0, "disconnected"), (1.0, "connected")]
    assert central.receivers[0].ends == [Closed(CloseCode.NORMAL, "", by_peer=True)]
    assert [identity for _, identity in central.opens] == ["A", "B"]


def test_restart_during_a_pause_or_an_attempt_takes_effect_at_once(
    sim: SimulatedRuntime, central: Central, client: Client, heard: Heard
) -> None:
    client.start(Target(Url.parse("ws://wrong.example/ocpp/A")), NO_JITTER)
    sim.sleep(50)  # attempts at 0, 5, 15, 35; the next one at 75
    sim.network.drop()
    client.restart(target("B"))
    sim.sleep(1)  # in the middle of an attempt that nobody answers
    sim.network.heal()
    client.restart(target("C"))
    sim.sleep(1)
    assert heard.events[-1] == (51.0, "connected")
    assert [identity for _, identity in central.opens] == ["C"]


def test_restart_begins_a_new_period_of_failures(sim: SimulatedRuntime, client: Client, heard: Heard) -> None:
    client.start(target(), NO_JITTER)
    sim.sleep(20)
    client.restart(target())
    sim.sleep(6)
    assert heard.names == ["failed first", "failed", "failed", "failed first", "failed"]
    assert heard.times("failed") == [0, 5, 15, 20, 25]


def test_two_restarts_in_a_row_end_with_the_last_target(
    sim: SimulatedRuntime, central: Central, client: Client, heard: Heard
) -> None:
    client.start(target("A"), NO_JITTER)
    sim.sleep(1)
    client.restart(target("B"))
    client.restart(target("C"))
    sim.sleep(10)
    assert [identity for _, identity in central.opens] == ["A", "C"]
    assert [link.identity for link in sim.network.links] == ["C"]


def test_a_day_of_outages(sim: SimulatedRuntime, central: Central, client: Client, heard: Heard) -> None:
    client.start(target(ping_interval=30.0), RetryPolicy(5.0, 60.0))
    for hour in range(24):
        sim.sleep(3000)
        assert client.is_connected
        if hour % 2:
            sim.network.drop("CP1")
            sim.sleep(300)
        else:
            sim.network.cut()
            sim.network.unreachable()
            sim.sleep(300)
            sim.network.unreachable(False)
        sim.sleep(300)
    assert heard.names.count("connected") == 25
    assert heard.names.count("disconnected") == 24
    assert heard.names.count("failed first") == 12
