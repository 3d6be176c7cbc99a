"""Tests of openocpp.transport.memory_link: order, delay, close handshake, limits, silence."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from openocpp.testing import SimulatedRuntime
from openocpp.transport.base import CloseCode, Closed, Limits, Peer
from openocpp.transport.memory_link import WINDOW, MemoryLink, MemoryTransport, Side, pair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Recorder:
    """A receiver that writes down what it is told."""

    def __init__(self, sim: SimulatedRuntime) -> None:
        self.sim = sim
        self.texts: list[str] = []
        self.at: list[float] = []
        self.ends: list[Closed] = []
        self.on_text: Callable[[str], None] | None = None

    def text_received(self, text: str) -> None:
        assert self.sim.scheduler.is_current
        assert not self.ends
        self.texts.append(text)
        self.at.append(self.sim.clock.now())
        if self.on_text is not None:
            self.on_text(text)

    def closed(self, why: Closed) -> None:
        assert self.sim.scheduler.is_current
        self.ends.append(why)
        self.at.append(self.sim.clock.now())


@pytest.fixture
def sim() -> Iterator[SimulatedRuntime]:
    runtime = SimulatedRuntime(seed=1)
    yield runtime
    runtime.stop()


class Ends:
    """A started pair and its two recorders."""

    def __init__(self, sim: SimulatedRuntime, **options: float | Limits) -> None:
        self.sim = sim
        self.client, self.server = pair(sim, **options)  # type: ignore[arg-type]
        self.at_client, self.at_server = Recorder(sim), Recorder(sim)
        self.do(lambda: self.client.start(self.at_client))
        self.do(lambda: self.server.start(self.at_server))

    @property
    def link(self) -> MemoryLink:
        return self.client.link

    def do(self, *steps: Callable[[], None]) -> None:
        """Take steps on the scheduler, one after the other, and let what follows from them at this instant happen."""
        for step in steps:
            self.sim.scheduler.post(step)
        self.settle()

    def at_once(self, *steps: Callable[[], None]) -> None:
        """As ``do``, but all of them in one step of the scheduler."""
        self.do(lambda: [step() for step in steps].clear())

    def send(self, *texts: str) -> None:
        """The client sends these in one step of the scheduler."""
        self.at_once(*(partial(self.client.send, text) for text in texts))

    def settle(self) -> None:
        for _ in range(5):
            self.sim.yield_turn()


def test_messages_arrive_in_order_and_written_is_called_first(sim: SimulatedRuntime) -> None:
    ends = Ends(sim)
    log: list[str] = []
    ends.at_server.on_text = log.append

    def send_three() -> None:
        for text in ("one", "two", "three"):
            ends.client.send(text, partial(log.append, f"{text} written"))
        assert log == []  # never inline

    ends.do(send_three)
    assert ends.at_server.texts == ["one", "two", "three"]
    assert sorted(log) == sorted(["one", "one written", "two", "two written", "three", "three written"])
    assert all(log.index(f"{text} written") < log.index(text) for text in ("one", "two", "three"))


def test_both_directions_and_answers_from_within_the_receiver(sim: SimulatedRuntime) -> None:
    ends = Ends(sim)
    ends.at_server.on_text = lambda text: ends.server.send(f"re: {text}")
    ends.do(lambda: ends.client.send("a"), lambda: ends.client.send("b"))
    assert ends.at_client.texts == ["re: a", "re: b"]


def test_messages_wait_for_the_start_of_the_receiver(sim: SimulatedRuntime) -> None:
    client, server = pair(sim)
    late = Recorder(sim)
    sim.scheduler.post(lambda: client.send("early"))
    sim.sleep(10)

    def start() -> None:
        server.start(late)
        late.texts.append("started")  # nothing is delivered within start

    sim.scheduler.post(start)
    sim.sleep(1)
    assert late.texts == ["started", "early"]


def test_a_close_before_the_start_is_told_after_it(sim: SimulatedRuntime) -> None:
    client, server = pair(sim)
    late = Recorder(sim)
    sim.scheduler.post(client.abort)
    sim.sleep(1)
    sim.scheduler.post(lambda: client.start(late))
    sim.sleep(1)
    assert [why.code for why in late.ends] == [CloseCode.ABNORMAL]
    other = Recorder(sim)
    sim.scheduler.post(lambda: server.start(other))
    sim.sleep(1)
    assert [(why.code, why.by_peer) for why in other.ends] == [(CloseCode.ABNORMAL, True)]


def test_delay_is_per_direction_and_a_shorter_one_does_not_overtake(sim: SimulatedRuntime) -> None:
    ends = Ends(sim)
    ends.link.delay = 2.0
    ends.at_server.on_text = lambda text: ends.server.send(text)
    ends.do(lambda: ends.client.send("slow"))
    sim.sleep(1.0)
    ends.link.delay = 0.5
    ends.do(lambda: ends.client.send("quick"))
    sim.sleep(5)
    assert ends.at_server.texts == ["slow", "quick"]
    assert ends.at_server.at == [2.0, 2.0]
    assert ends.at_client.at == [2.5, 2.5]


def test_close_handshake(sim: SimulatedRuntime) -> None:
    ends = Ends(sim)
    ends.do(
        lambda: ends.client.send("last words"),
        lambda: ends.client.close(CloseCode.GOING_AWAY, "stopping"),
        lambda: ends.client.close(CloseCode.POLICY, "the second one does not count"),
        lambda: ends.client.send("too late"),
    )
    assert ends.at_server.texts == ["last words"]
    assert ends.at_server.ends == [Closed(CloseCode.GOING_AWAY, "stopping", by_peer=True)]
    assert [(why.code, why.by_peer) for why in ends.at_client.ends] == [(CloseCode.GOING_AWAY, False)]


def test_what_arrives_after_a_close_is_not_delivered(sim: SimulatedRuntime) -> None:
    ends = Ends(sim)
    ends.link.delay = 1.0
    ends.do(lambda: ends.server.send("on its way"), lambda: ends.client.close())
    sim.sleep(5)
    assert ends.at_client.texts == []
    assert ends.at_client.at == [2.0]


def test_both_ends_close_at_once(sim: SimulatedRuntime) -> None:
    ends = Ends(sim)
    ends.at_once(ends.client.close, partial(ends.server.close, CloseCode.GOING_AWAY))
    assert len(ends.at_client.ends) == len(ends.at_server.ends) == 1


def test_close_is_bounded_when_the_peer_does_not_answer(sim: SimulatedRuntime) -> None:
    ends = Ends(sim, limits=Limits(close_timeout=2.0))
    ends.link.drop()
    ends.do(lambda: ends.client.close())
    sim.sleep(10)
    assert len(ends.at_client.ends) == 1
    assert ends.at_client.at == [2.0]
    assert ends.at_server.ends == []  # nobody told it: half open


def test_abort_delivers_what_was_written_and_drops_what_was_not(sim: SimulatedRuntime) -> None:
    ends = Ends(sim)
    ends.do(lambda: ends.client.send("written"))
    ends.at_once(partial(ends.client.send, "queued"), ends.client.abort, ends.client.abort)
    assert ends.at_server.texts == ["written"]
    assert [(why.code, why.by_peer) for why in ends.at_server.ends] == [(CloseCode.ABNORMAL, True)]
    assert [(why.code, why.by_peer) for why in ends.at_client.ends] == [(CloseCode.ABNORMAL, False)]


def test_cut_ends_both_and_loses_what_is_under_way(sim: SimulatedRuntime) -> None:
    ends = Ends(sim)
    ends.link.delay = 1.0
    ends.do(lambda: ends.client.send("lost"))
    ends.link.cut()
    sim.sleep(5)
    assert ends.at_server.texts == []
    assert [why.code for why in ends.at_client.ends] == [CloseCode.ABNORMAL]
    assert [why.code for why in ends.at_server.ends] == [CloseCode.ABNORMAL]
    assert ends.at_client.at == [0.0]


def test_drop_is_silence_until_the_pings_notice(sim: SimulatedRuntime) -> None:
    ends = Ends(sim, ping_interval=5.0)
    sim.sleep(100)
    ends.link.drop()
    ends.do(lambda: ends.client.send("into the dark"))
    sim.sleep(9.9)
    assert ends.at_client.ends == ends.at_server.ends == []
    sim.sleep(0.2)
    assert [why.code for why in ends.at_client.ends] == [CloseCode.ABNORMAL]
    assert [why.code for why in ends.at_server.ends] == [CloseCode.ABNORMAL]
    assert ends.at_server.texts == []


def test_what_was_held_back_arrives_late_when_the_link_heals_in_time(sim: SimulatedRuntime) -> None:
    ends = Ends(sim, ping_interval=5.0)
    ends.link.drop()
    ends.do(lambda: ends.client.send("a"), lambda: ends.client.send("b"))
    sim.sleep(9)
    ends.link.heal()
    sim.sleep(100)
    assert ends.at_server.texts == ["a", "b"]
    assert ends.at_server.at == [9.0, 9.0]
    assert ends.at_client.ends == ends.at_server.ends == []


def test_who_sends_no_pings_notices_only_when_the_link_heals(sim: SimulatedRuntime) -> None:
    side = Side(Peer("127.0.0.1"), ping_interval=5.0)
    link = MemoryLink(sim, side, Side(Peer("127.0.0.1")))
    at_client, at_server = Recorder(sim), Recorder(sim)
    sim.scheduler.post(lambda: link.client.start(at_client))
    sim.scheduler.post(lambda: link.server.start(at_server))
    link.drop()
    sim.sleep(3600)
    assert len(at_client.ends) == 1
    assert at_server.ends == []
    link.heal()
    sim.sleep(1)
    assert [(why.code, why.by_peer) for why in at_server.ends] == [(CloseCode.ABNORMAL, True)]


def test_a_peer_that_does_not_read_answers_no_pings(sim: SimulatedRuntime) -> None:
    ends = Ends(sim, ping_interval=5.0)
    ends.do(ends.server.pause)
    sim.sleep(9)
    ends.do(ends.server.resume)
    sim.sleep(60)
    assert ends.at_client.ends == []
    ends.do(ends.server.pause)
    sim.sleep(11)
    assert [why.code for why in ends.at_client.ends] == [CloseCode.ABNORMAL]
    assert ends.at_server.ends == []


def test_what_comes_from_a_peer_that_does_not_read_shows_that_it_lives(sim: SimulatedRuntime) -> None:
    ends = Ends(sim, ping_interval=5.0)
    ends.do(ends.server.pause)
    for _ in range(10):
        sim.sleep(8)
        ends.do(lambda: ends.server.send("still here"))
    assert ends.at_client.ends == []
    sim.sleep(11)
    assert len(ends.at_client.ends) == 1


def test_who_does_not_read_cannot_tell_silence(sim: SimulatedRuntime) -> None:
    ends = Ends(sim, ping_interval=5.0)
    ends.do(ends.client.pause, ends.server.pause)
    ends.link.drop()
    sim.sleep(60)
    assert ends.at_client.ends == ends.at_server.ends == []
    ends.do(ends.client.resume)
    sim.sleep(9)
    assert ends.at_client.ends == []
    sim.sleep(2)
    assert len(ends.at_client.ends) == 1


def test_pause_holds_messages_back_and_resume_delivers_them(sim: SimulatedRuntime) -> None:
    ends = Ends(sim)

    def pause_at_second(text: str) -> None:
        if text == "2":
            ends.server.pause()

    ends.at_server.on_text = pause_at_second
    ends.do(*(partial(ends.client.send, str(n)) for n in range(1, 5)))
    assert ends.at_server.texts == ["1", "2"]
    ends.do(ends.server.resume)
    assert ends.at_server.texts == ["1", "2", "3", "4"]


def test_a_paused_end_still_hears_the_answer_to_its_close(sim: SimulatedRuntime) -> None:
    ends = Ends(sim)
    ends.do(ends.client.pause, lambda: ends.server.send("unread"), lambda: ends.client.close())
    assert ends.at_client.texts == []
    assert [why.code for why in ends.at_client.ends] == [CloseCode.NORMAL]
    assert ends.at_client.at == [0.0]


def test_written_waits_while_the_peer_does_not_read(sim: SimulatedRuntime) -> None:
    ends = Ends(sim)
    written: list[int] = []
    text = "x" * (WINDOW // 4)
    ends.do(ends.server.pause)
    for n in range(8):
        ends.do(partial(ends.client.send, text, partial(written.append, n)))
    assert written == [0, 1, 2, 3]
    ends.do(ends.server.resume)
    assert written == list(range(8))
    assert len(ends.at_server.texts) == 8


def test_too_much_unsent_output_ends_the_connection(sim: SimulatedRuntime) -> None:
    ends = Ends(sim, limits=Limits(max_output=1000))
    ends.send(*["x" * 600] * 100)  # the kernel takes them
    assert len(ends.at_server.texts) == 100
    ends.do(ends.server.pause)
    ends.send("x" * WINDOW, "x" * 600)
    assert not ends.at_client.ends
    ends.send("x" * 600)
    ends.do(ends.server.resume)
    assert [(why.code, why.by_peer) for why in ends.at_client.ends] == [(CloseCode.TRY_AGAIN_LATER, False)]
    assert [(why.code, why.by_peer) for why in ends.at_server.ends] == [(CloseCode.TRY_AGAIN_LATER, True)]
    assert len(ends.at_server.texts) == 102


def test_a_message_beyond_the_limit_closes_with_1009(sim: SimulatedRuntime) -> None:
    ends = Ends(sim, limits=Limits(max_message=100))
    ends.do(lambda: ends.client.send("x" * 100), lambda: ends.client.send("€" * 34))  # 102 bytes
    assert ends.at_server.texts == ["x" * 100]
    assert [(why.code, why.by_peer) for why in ends.at_server.ends] == [(CloseCode.TOO_BIG, False)]
    assert [(why.code, why.by_peer) for why in ends.at_client.ends] == [(CloseCode.TOO_BIG, True)]


def test_an_error_of_a_receiver_costs_nothing_but_that_message(
    sim: SimulatedRuntime, caplog: pytest.LogCaptureFixture
) -> None:
    ends = Ends(sim)

    def stumble(text: str) -> None:
        if text == "bad":
            raise ZeroDivisionError

    ends.at_server.on_text = stumble
    ends.send("good", "bad", "fine")
    sim.sleep(1)
    assert ends.at_server.texts == ["good", "bad", "fine"]
    assert "ZeroDivisionError" in caplog.text


def test_an_error_of_a_written_callback_costs_nothing_else(
    sim: SimulatedRuntime, caplog: pytest.LogCaptureFixture
) -> None:
    ends = Ends(sim)

    def stumble() -> None:
        raise ZeroDivisionError

    ends.at_once(partial(ends.client.send, "a", stumble), partial(ends.client.send, "b"))
    assert ends.at_server.texts == ["a", "b"]
    assert "ZeroDivisionError" in caplog.text


def test_repr_tells_the_state(sim: SimulatedRuntime) -> None:
    ends = Ends(sim)
    assert "OPEN" in repr(ends.link)
    ends.do(ends.client.abort)
    assert isinstance(ends.client, MemoryTransport)
    assert "CLOSED" in repr(ends.client)


def test_a_day_of_flapping_links(sim: SimulatedRuntime) -> None:
    received = 0

    def count(_: str) -> None:
        nonlocal received
        received += 1

    for _ in range(20):
        ends = Ends(sim, ping_interval=5.0)
        ends.at_server.on_text = count
        for _ in range(20):
            ends.send(*['[2,"17","Heartbeat",{}]'] * 100)
            sim.sleep(200)
        ends.link.cut()
        sim.sleep(1)
    assert received == 40_000
    assert sim.clock.now() > 80_000
