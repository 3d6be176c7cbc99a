"""Tests of openocpp.rpc.server: connections by identity, notifications in order, and the end of it all."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.errors import ConnectError, StateError, TransportError
from openocpp.rpc.server import APPLICATION, NEWEST, OLDEST, Connection, Server, ServerSettings
from openocpp.rpc.session import OutcomeKind
from openocpp.testing import SimulatedRuntime
from openocpp.testing.conversation import ScriptedPeer
from openocpp.transport.base import ListenSettings
from openocpp.transport.sockets import network
from openocpp.transport.url import Url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openocpp.rpc.endpoint import IncomingCall

URL = "ws://central:8080/ocpp"


class User:
    """Writes down what happens to its connection, and answers every CALL with an empty result."""

    def __init__(self, role: Role, connection: Connection) -> None:
        self.role = role
        self.connection = connection
        self.number = len(role.users)

    def note(self, event: str) -> None:
        self.role.events.append(f"{self.connection.identity}#{self.number} {event}")

    def announce(self) -> None:
        self.note("announce")
        self.role.on_announce(self)
        self.note("announced")

    def serve(self, call: IncomingCall) -> None:
        self.note(f"serve {call.action}")
        self.role.on_serve(self, call)
        self.note(f"served {call.action}")
        call.reply("{}")

    def disconnected(self) -> None:
        self.note("disconnected")
        self.role.on_disconnected(self)


class Role:
    """A server's role that lets everybody in."""

    def __init__(self, sim: SimulatedRuntime) -> None:
        self.sim = sim
        self.events: list[str] = []
        self.failed: list[str] = []
        self.users: list[User] = []
        self.on_announce: Callable[[User], object] = lambda user: None
        self.on_serve: Callable[[User, IncomingCall], object] = lambda user, call: None
        self.on_disconnected: Callable[[User], object] = lambda user: None

    def accept_connection(self, ip_address: str) -> bool:
        return True

    def client_failed_to_connect(self, ip_address: str) -> None:
        self.failed.append(ip_address)

    def is_charge_point_known(self, identifier: str) -> bool:
        return True

    def check_credentials(self, identifier: str, password: bytes) -> bool:
        return True

    def check_client_certificate(self, identifier: str, certificate: bytes) -> bool:
        return True

    def user_of(self, connection: Connection) -> User:
        user = User(self, connection)
        self.users.append(user)
        return user


class Bench:
    """A server in memory, and clients that connect to it."""

    def __init__(self, sim: SimulatedRuntime, duplicates: str = NEWEST, **settings: Any) -> None:
        self.sim = sim
        self.role = Role(sim)
        self.lane = sim.lane(2)
        listen = ListenSettings(url=Url.parse(URL, listening=True), **settings)
        self.server = Server(sim, network(sim), self.role, ServerSettings(listen, duplicates), self.lane)
        self.server.listen()

    def connect(self, identity: str = "CP1") -> ScriptedPeer:
        return ScriptedPeer.connect(self.sim, URL, identity)

    @property
    def events(self) -> list[str]:
        return self.role.events


@pytest.fixture
def sim() -> Iterator[SimulatedRuntime]:
    with SimulatedRuntime() as runtime:
        yield runtime


@pytest.fixture
def bench(sim: SimulatedRuntime) -> Bench:
    return Bench(sim)


def test_a_connection_is_announced_then_served_then_ends(bench: Bench) -> None:
    peer = bench.connect()
    assert peer.call("Heartbeat").result() == {}
    assert [connection.identity for connection in bench.server.connections] == ["CP1"]
    peer.close()
    bench.sim.sleep(1)
    assert bench.events == [
        "CP1#0 announce", "CP1#0 announced", "CP1#0 serve Heartbeat", "CP1#0 served Heartbeat", "CP1#0 disconnected",
    ]  # fmt: skip
    assert bench.server.connections == ()
    assert bench.role.failed == []


def test_no_call_is_served_before_the_announcement_returned(bench: Bench) -> None:
    bench.role.on_announce = lambda user: bench.sim.sleep(3)
    peer = bench.connect()
    calls = [peer.call("Heartbeat"), peer.call("BootNotification")]
    bench.sim.sleep(2.9)
    assert bench.events == ["CP1#0 announce"]
    assert [call.result() for call in calls] == [{}, {}]
    assert bench.events[1:4] == ["CP1#0 announced", "CP1#0 serve Heartbeat", "CP1#0 served Heartbeat"]


def test_the_announcement_may_call_the_peer(bench: Bench) -> None:
    outcomes: list[OutcomeKind] = []
    bench.role.on_announce = lambda user: outcomes.append(
        user.connection.endpoint.call("GetConfiguration", "{}", 5.0).kind
    )
    peer = bench.connect()
    boot = peer.call("BootNotification")
    peer.expect_call("GetConfiguration").answer()
    boot.result()
    assert outcomes == [OutcomeKind.ANSWERED]


@pytest.mark.parametrize("error", [RuntimeError, SystemExit])
def test_an_announcement_that_fails_closes_the_connection(
    bench: Bench, caplog: pytest.LogCaptureFixture, error: type[BaseException]
) -> None:
    def fail(user: User) -> None:
        raise error("a bug of the application")

    bench.role.on_announce = fail
    peer = bench.connect()
    peer.expect_closed(1011)
    bench.sim.sleep(1)
    assert bench.events == ["CP1#0 announce", "CP1#0 disconnected"]
    assert "a bug of the application" in caplog.text


@pytest.mark.parametrize("error", [RuntimeError, SystemExit])
def test_who_cannot_be_told_of_an_end_is_told_of_the_next(
    bench: Bench, caplog: pytest.LogCaptureFixture, error: type[BaseException]
) -> None:
    def fail(user: User) -> None:
        raise error("a bug of the application")

    bench.role.on_disconnected = fail
    for _ in range(2):
        bench.connect().close()
        bench.sim.sleep(1)
    assert bench.events == [
        "CP1#0 announce", "CP1#0 announced", "CP1#0 disconnected",
        "CP1#1 announce", "CP1#1 announced", "CP1#1 disconnected",
    ]  # fmt: skip
    assert caplog.text.count("CP1: the end of the connection could not be told") == 2


def test_calls_of_one_connection_keep_their_order_whatever_the_handlers_do(bench: Bench) -> None:
    bench.role.on_serve = lambda user, call: bench.sim.sleep(bench.sim.random.random() * 0.2)
    peer = bench.connect()
    for number in range(30):
        peer.call(f"Action{number}")
    bench.sim.sleep(20)
    served = [event.split()[-1] for event in bench.events if " serve " in event]
    assert served == [f"Action{number}" for number in range(30)]


def test_a_connection_that_blocks_its_handler_holds_up_nobody_else(bench: Bench) -> None:
    free = bench.sim.waiter()
    bench.role.on_serve = lambda user, call: user.connection.identity == "CP1" and free.wait(None)
    blocked = bench.connect("CP1")
    waiting = [blocked.call("Heartbeat") for _ in range(5)]
    other = bench.connect("CP2")
    for _ in range(5):
        other.call("Heartbeat").result()
    assert not any(call.answered for call in waiting)
    free.set(None)
    assert [call.result() for call in waiting] == [{}] * 5


def test_the_end_does_not_wait_for_a_running_handler(bench: Bench) -> None:
    free = bench.sim.waiter()
    bench.role.on_serve = lambda user, call: free.wait(None)
    peer = bench.connect()
    peer.call("Heartbeat")
    peer.call("Authorize")
    bench.sim.sleep(1)
    peer.abort()
    bench.sim.sleep(1)
    assert bench.events[-2:] == ["CP1#0 serve Heartbeat", "CP1#0 disconnected"]
    free.set(None)
    bench.sim.sleep(1)
    assert bench.events[-1] == "CP1#0 served Heartbeat", "the second CALL must never start"


def test_a_call_whose_turn_comes_after_the_end_never_starts(bench: Bench) -> None:
    """It was handed to the lane already, which was full."""
    bench.role.on_serve = lambda user, call: bench.sim.sleep(2.5)
    for identity in ("CP1", "CP2"):
        bench.connect(identity).call("Heartbeat")
    third = bench.connect("CP3")
    third.call("Heartbeat")
    bench.sim.sleep(1)
    third.abort()
    bench.sim.sleep(2)
    assert [event for event in bench.events if event.startswith("CP3")] == [
        "CP3#2 announce", "CP3#2 announced", "CP3#2 disconnected",
    ]  # fmt: skip


def test_a_call_that_was_open_ends_with_the_connection(bench: Bench) -> None:
    peer = bench.connect()
    bench.sim.sleep(1)
    endpoint = bench.role.users[0].connection.endpoint
    user = bench.sim.user(lambda: endpoint.call("Reset", "{}", 30.0))
    peer.expect_call("Reset")
    began = bench.sim.clock.now()
    bench.role.users[0].connection.close()
    assert user.result().kind is OutcomeKind.NOT_CONNECTED
    assert endpoint.call("Reset", "{}", 30.0).kind is OutcomeKind.NOT_CONNECTED
    assert bench.sim.clock.now() == began


def test_what_comes_after_we_left_is_not_looked_at(bench: Bench) -> None:
    peer = bench.connect()
    peer.call("Heartbeat").result()
    bench.sim.network.delay = 0.5
    bench.role.users[0].connection.close()
    peer.call("Heartbeat")
    peer.expect_closed(1000)
    bench.sim.sleep(1)
    assert bench.events[-1] == "CP1#0 disconnected"
    assert sum(" serve " in event for event in bench.events) == 1


# -- duplicates ------------------------------------------------------------------------------------------------------


def test_the_newest_connection_replaces_the_old_one(bench: Bench) -> None:
    bench.role.on_disconnected = lambda user: bench.sim.sleep(2)
    old = bench.connect()
    old.call("Heartbeat").result()
    new = bench.connect()
    assert old.expect_closed(1008).reason == "replaced by a newer connection"
    assert new.call("Heartbeat").result() == {}
    assert bench.events[4:7] == ["CP1#0 disconnected", "CP1#1 announce", "CP1#1 announced"]
    assert [connection.endpoint.name for connection in bench.server.connections] == ["CP1"]
    assert bench.server.counters.replaced == 1
    assert bench.role.failed == []


def test_one_notification_of_an_identity_ends_before_the_next_begins(bench: Bench) -> None:
    told: list[str] = []

    def slowly(what: str, user: User) -> None:
        told.append(f"{what} {user.number} begins")
        bench.sim.sleep(1)
        told.append(f"{what} {user.number} ends")

    bench.role.on_announce = partial(slowly, "announcement")
    bench.role.on_disconnected = partial(slowly, "end")
    for _ in range(2):
        bench.connect()
    bench.sim.sleep(10)
    assert told == [
        "announcement 0 begins", "announcement 0 ends", "end 0 begins", "end 0 ends",
        "announcement 1 begins", "announcement 1 ends",
    ]  # fmt: skip


def test_a_dead_connection_does_not_lock_out_the_new_one(bench: Bench) -> None:
    old = bench.connect()
    old.call("Heartbeat").result()
    bench.sim.network.drop("CP1")
    assert bench.connect().call("Heartbeat").result() == {}
    assert "CP1#0 disconnected" in bench.events
    bench.sim.sleep(10)
    assert bench.events.count("CP1#0 disconnected") == 1


def test_the_oldest_connection_can_stay(sim: SimulatedRuntime) -> None:
    bench = Bench(sim, OLDEST)
    old = bench.connect()
    old.call("Heartbeat").result()
    bench.connect().expect_closed(1008)
    sim.sleep(1)
    assert old.call("Heartbeat").result() == {}
    assert len(bench.role.users) == 1
    assert bench.role.failed == ["127.0.0.1"]
    old.close()
    assert bench.connect().call("Heartbeat").result() == {}


def test_the_application_can_decide_about_duplicates(sim: SimulatedRuntime) -> None:
    bench = Bench(sim, APPLICATION)
    first, second = bench.connect(), bench.connect()
    first.call("Heartbeat").result()
    second.call("Heartbeat").result()
    assert len(bench.server.connections) == 2
    first.close()
    sim.sleep(1)
    assert second.call("Heartbeat").result() == {}
    assert bench.events.count("CP1#0 disconnected") == 1


def test_quick_reconnections_are_told_in_order(bench: Bench) -> None:
    bench.role.on_announce = lambda user: bench.sim.sleep(0.3)
    bench.role.on_disconnected = lambda user: bench.sim.sleep(0.2)
    for _ in range(6):
        bench.connect()
        bench.sim.sleep(0.35)
    bench.sim.sleep(10)
    told = [event.split()[1] for event in bench.events]
    whole = ["announce", "announced", "disconnected"]
    assert told == whole * (len(bench.role.users) - 1) + ["announce", "announced"]
    assert len(bench.role.users) + len(bench.role.failed) == 6, "those that were replaced before their turn"


# -- the end of a connection that was never announced ----------------------------------------------------------------


def test_a_connection_that_ends_before_its_turn_is_not_announced(bench: Bench) -> None:
    bench.role.on_disconnected = lambda user: bench.sim.sleep(5)
    bench.connect().call("Heartbeat").result()
    bench.connect().abort()  # waits behind the end of the first
    bench.sim.sleep(10)
    assert len(bench.role.users) == 1
    assert bench.role.failed == ["127.0.0.1"]


# -- stop ------------------------------------------------------------------------------------------------------------


def test_close_ends_all_connections_with_1001(bench: Bench) -> None:
    peers = [bench.connect(f"CP{number}") for number in range(20)]
    bench.sim.sleep(1)
    bench.server.close()
    assert {peer.expect_closed().code for peer in peers} == {1001}
    assert sum(event.endswith("disconnected") for event in bench.events) == 20
    assert bench.role.failed == []
    assert bench.server.connections == ()
    with pytest.raises(ConnectError):
        bench.connect()


def test_close_is_bounded_when_peers_are_silent(bench: Bench) -> None:
    bench.connect()
    bench.sim.sleep(1)
    bench.sim.network.drop()
    began = bench.sim.clock.now()
    bench.server.close(1.5)
    assert bench.sim.clock.now() - began == pytest.approx(1.5)
    assert bench.events[-1] == "CP1#0 disconnected"


def test_close_is_bounded_when_a_notification_blocks(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    free = bench.sim.waiter()
    bench.role.on_announce = lambda user: free.wait(None)
    bench.connect()
    bench.sim.sleep(1)
    began = bench.sim.clock.now()
    bench.server.close(1.0)
    assert bench.sim.clock.now() - began <= 1.5
    assert bench.events == ["CP1#0 announce", "CP1#0 disconnected"]
    free.set(None)
    bench.sim.sleep(1)
    assert bench.events.count("CP1#0 disconnected") == 1


@pytest.mark.parametrize("where", ["on_announce", "on_serve", "on_disconnected"])
def test_close_is_legal_from_every_callback(bench: Bench, where: str) -> None:
    other = bench.connect("CP2")
    bench.sim.sleep(1)
    ends: list[float] = []

    def close(user: User, *_: object) -> None:
        if user.connection.identity == "CP1":
            began = bench.sim.clock.now()
            bench.server.close()
            ends.append(bench.sim.clock.now() - began)

    setattr(bench.role, where, close)
    peer = bench.connect("CP1")
    peer.call("Heartbeat")
    bench.sim.sleep(1)
    if where == "on_disconnected":
        peer.close()
    other.expect_closed(1001)
    bench.sim.run_until(lambda: bool(ends))
    assert ends == [0.0]
    bench.sim.sleep(1)
    assert bench.events.count("CP1#1 disconnected") == 1
    assert bench.events.count("CP2#0 disconnected") == 1


def test_close_is_not_for_the_scheduler(bench: Bench) -> None:
    errors: list[Exception] = []

    def step() -> None:
        try:
            bench.server.close()
        except StateError as error:
            errors.append(error)

    bench.sim.scheduler.post(step)
    bench.sim.sleep(1)
    assert len(errors) == 1


# -- the rest --------------------------------------------------------------------------------------------------------


def test_a_busy_address_is_reported(bench: Bench) -> None:
    with pytest.raises(TransportError, match="in use"):
        bench.server.listen()


def test_the_listener_is_there_after_listen(sim: SimulatedRuntime, bench: Bench) -> None:
    assert bench.server.listener.port == 8080
    idle = Server(sim, network(sim), bench.role, bench.server.settings)
    with pytest.raises(StateError):
        idle.listener  # noqa: B018


def test_counters(bench: Bench) -> None:
    peers = [bench.connect(f"CP{number}") for number in range(3)]
    bench.sim.sleep(1)
    peers[0].send("nonsense")
    peers[0].send("[9]")
    peers[1].close()
    bench.connect("CP9")
    bench.sim.sleep(1)
    counters = bench.server.counters
    assert (counters.connected, counters.most, counters.invalid_messages) == (4, 3, 2)


def test_nothing_is_kept_of_those_who_left(bench: Bench) -> None:
    for number in range(50):
        peer = bench.connect(f"CP{number}")
        peer.call("Heartbeat").result()
        peer.close()
    bench.sim.sleep(1)
    server: Any = bench.server
    assert (server._places, server._open, server._leaving, server._untold) == ({}, {}, {}, set())
    assert server._pending == 0


def test_another_user_can_take_a_connection_over(bench: Bench) -> None:
    taken: list[str] = []

    class Other:
        def announce(self) -> None:
            raise AssertionError("it was announced already")

        def serve(self, call: IncomingCall) -> None:
            taken.append(call.action)
            call.reply('{"by":"other"}')

        def disconnected(self) -> None:
            taken.append("disconnected")

    bench.role.on_announce = lambda user: user.connection.use(Other())
    peer = bench.connect()
    assert peer.call("Heartbeat").result() == {"by": "other"}
    peer.close()
    bench.sim.sleep(1)
    assert taken == ["Heartbeat", "disconnected"]
    assert "CP1#0 disconnected" not in bench.events


def test_reprs_tell_the_state(bench: Bench) -> None:
    bench.connect()
    bench.sim.sleep(1)
    assert "1 connections" in repr(bench.server)
    assert "CP1 from 127.0.0.1" in repr(bench.server.connections[0])
