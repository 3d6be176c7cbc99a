"""Tests of openocpp.transport.memory: admission as over sockets, and faults as verbs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from openocpp.errors import ConnectError, ConnectFailure, StateError, TransportError
from openocpp.testing import SimulatedRuntime
from openocpp.transport.base import Accepted, Closed, Handshake, ListenSettings, Refused, Target, Transport
from openocpp.transport.memory import Fault, MemoryNetwork
from openocpp.transport.url import Url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openocpp.transport.base import Attempt


class Receiver:
    def __init__(self) -> None:
        self.texts: list[str] = []
        self.ends: list[Closed] = []

    def text_received(self, text: str) -> None:
        self.texts.append(text)

    def closed(self, why: Closed) -> None:
        self.ends.append(why)


class Door:
    """A door that lets in whom it is told to, and writes down what it sees."""

    def __init__(self, sim: SimulatedRuntime) -> None:
        self.sim = sim
        self.knocks: list[str] = []
        self.asked: list[tuple[str, str, bytes]] = []
        self.handshakes: list[Handshake] = []
        self.opens: list[str] = []
        self.failures: list[tuple[str, str]] = []
        self.receivers: dict[str, Receiver] = {}
        self.transports: dict[str, Transport] = {}
        self.lets_knock = True
        self.verdict: Callable[[str], Accepted | Refused] = Accepted

    def knock(self, address: str) -> bool:
        assert not self.sim.scheduler.is_current
        self.knocks.append(address)
        return self.lets_knock

    def admit(self, handshake: Handshake, identity: str, user: str, password: bytes) -> Accepted | Refused:
        assert not self.sim.scheduler.is_current
        self.handshakes.append(handshake)
        self.asked.append((identity, user, password))
        return self.verdict(identity)

    def opened(self, accepted: Accepted, handshake: Handshake, transport: Transport) -> None:
        assert self.sim.scheduler.is_current
        self.opens.append(accepted.identity)
        self.transports[accepted.identity] = transport
        self.receivers[accepted.identity] = Receiver()
        transport.start(self.receivers[accepted.identity])

    def failed(self, address: str, reason: str) -> None:
        assert not self.sim.scheduler.is_current
        self.failures.append((address, reason))


class Try:
    """An attempt to connect: exactly one result, and what came over the transport."""

    def __init__(self, sim: SimulatedRuntime, url: str, **options: object) -> None:
        self.sim = sim
        self.results: list[Transport | ConnectError] = []
        self.receiver = Receiver()
        self.at = -1.0
        target = Target(Url.parse(url), **options)  # type: ignore[arg-type]
        self.attempt: Attempt = sim.network.connect(target, self._done)

    def _done(self, result: Transport | ConnectError) -> None:
        assert self.sim.scheduler.is_current
        self.results.append(result)
        self.at = self.sim.clock.now()
        if not isinstance(result, ConnectError):
            result.start(self.receiver)

    @property
    def error(self) -> ConnectError:
        assert len(self.results) == 1
        assert isinstance(self.results[0], ConnectError)
        return self.results[0]

    @property
    def connected(self) -> bool:
        return len(self.results) == 1 and not isinstance(self.results[0], ConnectError)

    @property
    def transport(self) -> Transport:
        assert len(self.results) == 1
        assert not isinstance(self.results[0], ConnectError)
        return self.results[0]


URL = "ws://central.example:9000/ocpp"


@pytest.fixture
def sim() -> Iterator[SimulatedRuntime]:
    runtime = SimulatedRuntime(seed=1)
    yield runtime
    runtime.stop()


@pytest.fixture
def door(sim: SimulatedRuntime) -> Door:
    door = Door(sim)
    sim.network.listen(ListenSettings(Url.parse(URL, listening=True)), door)
    return door


def settled(sim: SimulatedRuntime, attempt: Try) -> Try:
    sim.sleep(0.001)
    return attempt


def test_it_is_the_network_of_a_simulated_runtime(sim: SimulatedRuntime) -> None:
    assert isinstance(sim.network, MemoryNetwork)
    assert sim.network is sim.network


def test_a_client_is_admitted_and_both_sides_talk(sim: SimulatedRuntime, door: Door) -> None:
    client = settled(sim, Try(sim, f"{URL}/RDAM%20123"))
    assert door.knocks == ["127.0.0.1"]
    assert door.asked == [("RDAM 123", "", b"")]
    assert door.opens == ["RDAM 123"]
    sim.scheduler.post(lambda: client.transport.send("hello"))
    sim.scheduler.post(lambda: door.transports["RDAM 123"].send("welcome"))
    sim.sleep(1)
    assert door.receivers["RDAM 123"].texts == ["hello"]
    assert client.receiver.texts == ["welcome"]
    assert [link.identity for link in sim.network.links] == ["RDAM 123"]
    sim.scheduler.post(client.transport.close)
    sim.sleep(1)
    assert sim.network.links == []
    assert door.failures == []


def test_basic_credentials_reach_the_door(sim: SimulatedRuntime) -> None:
    door = Door(sim)
    sim.network.listen(ListenSettings(Url.parse(URL), basic_authentication=True), door)
    key = bytes.fromhex("0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF")
    settled(sim, Try(sim, f"{URL}/AL1000", user="AL1000", password=key))
    assert door.asked == [("AL1000", "AL1000", key)]
    assert door.handshakes[0].authorization == "Basic QUwxMDAwOgABAgMEBQYH////////////////"


@pytest.mark.parametrize("path", ["/other/CP1", "/ocpp", "/ocpp/", "/ocpp/a/b", ""])
def test_another_path_is_answered_with_404(sim: SimulatedRuntime, door: Door, path: str) -> None:
    client = settled(sim, Try(sim, f"ws://central.example:9000{path}"))
    assert (client.error.reason, client.error.status) == (ConnectFailure.HTTP_STATUS, 404)
    assert door.asked == []
    assert [address for address, _ in door.failures] == ["127.0.0.1"]


def test_the_door_refuses_with_a_status(sim: SimulatedRuntime, door: Door) -> None:
    door.verdict = lambda _: Refused(401, reason="wrong password")
    client = settled(sim, Try(sim, f"{URL}/CP1", user="CP1", password=b"guess"))
    assert (client.error.reason, client.error.status) == (ConnectFailure.HTTP_STATUS, 401)
    assert "central.example:9000" in str(client.error)
    assert "guess" not in str(client.error)
    assert door.failures == [("127.0.0.1", "HTTP 401: wrong password")]
    assert sim.network.links == []


def test_an_address_that_fails_too_often_is_refused_for_a_minute(sim: SimulatedRuntime, door: Door) -> None:
    door.verdict = lambda _: Refused(401)
    for _ in range(10):
        assert settled(sim, Try(sim, f"{URL}/CP1")).error.status == 401
    assert settled(sim, Try(sim, f"{URL}/CP1")).error.reason is ConnectFailure.NETWORK
    sim.network.client_address = "192.0.2.7"
    assert settled(sim, Try(sim, f"{URL}/CP1")).error.status == 401
    sim.network.client_address = "127.0.0.1"
    sim.sleep(61)
    assert settled(sim, Try(sim, f"{URL}/CP1")).error.status == 401


def test_connections_per_address_can_be_limited(sim: SimulatedRuntime) -> None:
    sim.network.listen(ListenSettings(Url.parse(URL), max_connections_per_address=2), Door(sim))
    assert [settled(sim, Try(sim, f"{URL}/CP{n}")).connected for n in range(4)] == [True, True, False, False]
    sim.network.client_address = "192.0.2.7"
    assert settled(sim, Try(sim, f"{URL}/CP5")).connected
    sim.network.client_address = "127.0.0.1"
    sim.network.cut("CP0")
    sim.sleep(1)
    assert settled(sim, Try(sim, f"{URL}/CP6")).connected


def test_a_door_that_does_not_open_hangs_up(sim: SimulatedRuntime, door: Door) -> None:
    door.lets_knock = False
    assert settled(sim, Try(sim, f"{URL}/CP1")).error.reason is ConnectFailure.NETWORK
    assert door.asked == []
    assert door.failures == []


def test_a_door_that_stumbles_answers_500(sim: SimulatedRuntime, door: Door, caplog: pytest.LogCaptureFixture) -> None:
    door.verdict = lambda _: 1 / 0  # type: ignore[assignment,return-value]
    assert settled(sim, Try(sim, f"{URL}/CP1")).error.status == 500
    assert "ZeroDivisionError" in caplog.text


def test_a_door_that_stumbles_after_it_let_somebody_in_drops_the_connection(
    sim: SimulatedRuntime, door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    door.opened = lambda *_: 1 / 0  # type: ignore[assignment,method-assign]
    client = settled(sim, Try(sim, f"{URL}/CP1"))
    assert [why.code for why in client.receiver.ends] == [1006]
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(
    ("offered", "lenient", "admitted"), [("ocpp2.0", False, False), ("", False, False), ("", True, True)]
)
def test_the_sub_protocol_must_be_common(sim: SimulatedRuntime, offered: str, lenient: bool, admitted: bool) -> None:
    door = Door(sim)
    sim.network.listen(ListenSettings(Url.parse(URL), accept_without_subprotocol=lenient), door)
    client = settled(sim, Try(sim, f"{URL}/CP1", subprotocol=offered))
    assert isinstance(client.results[0], ConnectError) is not admitted
    assert len(door.opens) == admitted
    assert len(door.failures) == (not admitted)


def test_nobody_listens(sim: SimulatedRuntime, door: Door) -> None:
    assert settled(sim, Try(sim, "ws://central.example:9001/ocpp/CP1")).error.reason is ConnectFailure.REFUSED
    error = settled(sim, Try(sim, "ws://elsewhere.example:9000/ocpp/CP1")).error
    assert error.reason is ConnectFailure.REFUSED
    assert "elsewhere.example:9000" in str(error)


def test_listening_addresses(sim: SimulatedRuntime, door: Door) -> None:
    network = sim.network
    with pytest.raises(TransportError):
        network.listen(ListenSettings(Url.parse("ws://*:9000/", listening=True)), door)
    first = network.listen(ListenSettings(Url.parse("ws://localhost:0/", listening=True)), Door(sim))
    second = network.listen(ListenSettings(Url.parse("ws://*:0/", listening=True)), Door(sim))
    assert 0 < first.port != second.port > 0
    assert settled(sim, Try(sim, f"ws://127.0.0.1:{first.port}/CP1")).connected
    assert settled(sim, Try(sim, f"ws://any.example:{second.port}/CP1")).connected
    first.close()
    first.close()
    assert settled(sim, Try(sim, f"ws://127.0.0.1:{first.port}/CP1")).error.reason is ConnectFailure.REFUSED


def test_listening_blocks_and_is_refused_on_the_scheduler(sim: SimulatedRuntime, door: Door) -> None:
    refused: list[bool] = []

    def listen() -> None:
        with pytest.raises(StateError):
            sim.network.listen(ListenSettings(Url.parse(URL)), door)
        refused.append(True)

    sim.scheduler.post(listen)
    sim.sleep(1)
    assert refused == [True]


def test_a_closed_listener_leaves_its_connections(sim: SimulatedRuntime) -> None:
    listener = sim.network.listen(ListenSettings(Url.parse(URL)), Door(sim))
    client = settled(sim, Try(sim, f"{URL}/CP1"))
    listener.close()
    sim.sleep(1)
    assert client.receiver.ends == []
    sim.network.listen(ListenSettings(Url.parse(URL)), Door(sim))


def test_a_listener_closed_during_a_handshake_drops_it(sim: SimulatedRuntime) -> None:
    door = Door(sim)
    listener = sim.network.listen(ListenSettings(Url.parse(URL)), door)

    def decide(identity: str) -> Accepted:
        listener.close()
        return Accepted(identity)

    door.verdict = decide
    assert settled(sim, Try(sim, f"{URL}/CP1")).error.reason is ConnectFailure.NETWORK
    assert door.opens == []
    assert len(door.failures) == 1


def test_tls_on_one_side_only_fails(sim: SimulatedRuntime, door: Door) -> None:
    assert settled(sim, Try(sim, "wss://central.example:9000/ocpp/CP1")).error.reason is ConnectFailure.TLS
    secure = Door(sim)
    sim.network.listen(ListenSettings(Url.parse("wss://central.example:9443/ocpp")), secure)
    assert settled(sim, Try(sim, "ws://central.example:9443/ocpp/CP1")).error.reason is ConnectFailure.PROTOCOL
    sim.network.client_certificate = b"DER"
    assert settled(sim, Try(sim, "wss://central.example:9443/ocpp/CP1")).connected
    assert secure.handshakes[0].peer.certificate == b"DER"


def test_delay_counts_each_way(sim: SimulatedRuntime, door: Door) -> None:
    sim.network.delay = 0.5
    client = Try(sim, f"{URL}/CP1")
    sim.sleep(3)
    assert client.at == 1.0
    sim.network.delay = 3.0
    late = Try(sim, f"{URL}/CP2", connect_timeout=5.0)
    sim.sleep(60)
    assert late.error.reason is ConnectFailure.TIMEOUT
    assert late.at == 8.0
    assert door.opens == ["CP1", "CP2"]
    assert [link.identity for link in sim.network.links] == ["CP1"]  # the late one was given up


def test_cut_of_one_and_of_all(sim: SimulatedRuntime, door: Door) -> None:
    clients = {name: settled(sim, Try(sim, f"{URL}/{name}")) for name in ("A", "B", "C")}
    sim.network.cut("B")
    sim.sleep(1)
    assert [name for name, client in clients.items() if client.receiver.ends] == ["B"]
    assert door.receivers["B"].ends[0].code == 1006
    sim.network.cut()
    sim.sleep(1)
    assert all(len(client.receiver.ends) == 1 for client in clients.values())
    assert sim.network.links == []


def test_drop_and_heal_of_one(sim: SimulatedRuntime, door: Door) -> None:
    clients = {name: settled(sim, Try(sim, f"{URL}/{name}", ping_interval=5.0)) for name in ("A", "B")}
    sim.network.drop("A")
    sim.scheduler.post(lambda: clients["A"].transport.send("held back"))
    sim.sleep(5)
    sim.network.heal("A")
    sim.sleep(1)
    assert door.receivers["A"].texts == ["held back"]
    sim.network.drop("A")
    sim.sleep(11)
    assert [name for name, client in clients.items() if client.receiver.ends] == ["A"]
    assert settled(sim, Try(sim, f"{URL}/A")).connected


def test_when_everything_is_silent_attempts_time_out(sim: SimulatedRuntime, door: Door) -> None:
    sim.network.drop()
    client = Try(sim, f"{URL}/CP1", connect_timeout=2.5)
    sim.sleep(10)
    assert client.error.reason is ConnectFailure.TIMEOUT
    assert client.at == 2.5
    sim.network.heal()
    assert settled(sim, Try(sim, f"{URL}/CP1")).connected


def test_silence_in_the_middle_of_a_handshake_leaves_a_half_open_server(sim: SimulatedRuntime, door: Door) -> None:
    def decide(identity: str) -> Accepted:
        sim.network.drop()
        return Accepted(identity)

    door.verdict = decide
    client = Try(sim, f"{URL}/CP1", connect_timeout=2.0)
    sim.sleep(3)
    assert client.error.reason is ConnectFailure.TIMEOUT
    assert door.opens == ["CP1"]
    assert door.receivers["CP1"].ends == []
    sim.sleep(10)
    assert [why.code for why in door.receivers["CP1"].ends] == [1006]


def test_refused_unreachable_and_other_failures(sim: SimulatedRuntime, door: Door) -> None:
    network = sim.network
    network.refuse()
    assert settled(sim, Try(sim, f"{URL}/CP1")).error.reason is ConnectFailure.REFUSED
    network.unreachable()
    assert settled(sim, Try(sim, f"{URL}/CP1")).error.reason is ConnectFailure.NETWORK
    network.fail(Fault(ConnectFailure.TLS, "certificate has expired"))
    assert "certificate has expired" in str(settled(sim, Try(sim, f"{URL}/CP1")).error)
    network.fail(Fault(ConnectFailure.HTTP_STATUS, "not now", 503))
    assert settled(sim, Try(sim, f"{URL}/CP1")).error.status == 503
    network.refuse(False)
    assert settled(sim, Try(sim, f"{URL}/CP1")).connected
    assert network.attempts == 5


def test_cancel(sim: SimulatedRuntime, door: Door) -> None:
    sim.network.delay = 1.0
    client = Try(sim, f"{URL}/CP1")
    client.attempt.cancel()
    client.attempt.cancel()
    sim.sleep(10)
    assert client.error.reason is ConnectFailure.CANCELLED
    assert client.at == 0.0
    late = Try(sim, f"{URL}/CP2")
    sim.sleep(1.5)  # admitted, the answer is on its way
    late.attempt.cancel()
    sim.sleep(10)
    assert late.error.reason is ConnectFailure.CANCELLED
    assert [why.code for why in door.receivers["CP2"].ends] == [1006]


def test_cancel_while_the_door_decides(sim: SimulatedRuntime, door: Door) -> None:
    def decide(identity: str) -> Accepted:
        client.attempt.cancel()
        sim.sleep(1)
        return Accepted(identity)

    door.verdict = decide
    client = Try(sim, f"{URL}/CP1")
    sim.sleep(5)
    assert client.error.reason is ConnectFailure.CANCELLED
    assert door.opens == []
    assert len(door.failures) == 1


def test_spies_see_each_frame_once(sim: SimulatedRuntime, door: Door) -> None:
    seen: list[tuple[str, str, str]] = []
    sim.network.spies.append(lambda *frame: seen.append(frame))
    client = settled(sim, Try(sim, f"{URL}/CP1"))
    sim.scheduler.post(lambda: client.transport.send("up"))
    sim.sleep(1)
    sim.scheduler.post(lambda: door.transports["CP1"].send("down"))
    sim.sleep(1)
    sim.scheduler.post(client.transport.close)
    sim.sleep(1)
    assert seen == [(">", "CP1", "up"), ("<", "CP1", "down")]


def test_the_end_of_the_runtime_ends_the_network(door: Door) -> None:
    sim = SimulatedRuntime(seed=2)
    door.sim = sim
    sim.network.listen(ListenSettings(Url.parse(URL)), door)
    client = settled(sim, Try(sim, f"{URL}/CP1"))
    sim.network.stop()
    sim.sleep(1)
    assert len(client.receiver.ends) == 1
    assert settled(sim, Try(sim, f"{URL}/CP1")).error.reason is ConnectFailure.REFUSED
    sim.stop()
