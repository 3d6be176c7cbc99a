"""What every transport does alike: two ends joined in memory, and two ends of a TCP connection."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.runtime import Runtime
from openocpp.testing import SimulatedRuntime
from openocpp.transport.base import CloseCode, Closed, Limits, Peer, Transport
from openocpp.transport.memory import pair
from openocpp.transport.stream import PlainStream
from openocpp.transport.websocket import WebSocketTransport
from tests.transport.peers import LIMIT, on_scheduler, tcp_pair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Heard:
    """A receiver that writes down what it is told."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.ends: list[Closed] = []
        self.on_text: Callable[[str], None] | None = None

    def text_received(self, text: str) -> None:
        assert not self.ends
        self.texts.append(text)
        if self.on_text is not None:
            self.on_text(text)

    def closed(self, why: Closed) -> None:
        self.ends.append(why)

    @property
    def end(self) -> tuple[int, bool]:
        assert len(self.ends) == 1
        return self.ends[0].code, self.ends[0].by_peer


class Ends:
    """Two ends of a connection, and the time in which they live."""

    runtime: Runtime
    client: Transport
    server: Transport

    def __init__(self) -> None:
        self.at_client = Heard()
        self.at_server = Heard()

    def do(self, *steps: Callable[[], None]) -> None:
        """Take all of these in one step of the scheduler."""
        raise NotImplementedError

    def wait(self, condition: Callable[[], object]) -> None:
        raise NotImplementedError

    def wait_for_ends(self) -> None:
        self.wait(lambda: self.at_client.ends and self.at_server.ends)

    def start(self) -> Ends:
        self.do(partial(self.client.start, self.at_client), partial(self.server.start, self.at_server))
        return self


class InMemory(Ends):
    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.runtime = self.sim = SimulatedRuntime(seed=5)
        options.pop("buffers", None)
        self.client, self.server = pair(self.sim, **options)

    def do(self, *steps: Callable[[], None]) -> None:
        self.sim.scheduler.post(lambda: [step() for step in steps].clear())
        self.sim.yield_turn()

    def wait(self, condition: Callable[[], object]) -> None:
        self.sim.run_until(lambda: bool(condition()), limit=60.0)


class OverTcp(Ends):
    def __init__(self, *, buffers: int | None = None, **options: Any) -> None:
        super().__init__()
        self.runtime = Runtime()
        ours, theirs = tcp_pair(buffers)
        peer = Peer("127.0.0.1")
        self.client = WebSocketTransport(self.runtime, PlainStream(ours), peer, client=True, **options)
        self.server = WebSocketTransport(self.runtime, PlainStream(theirs), peer, client=False, **options)

    def do(self, *steps: Callable[[], None]) -> None:
        on_scheduler(self.runtime, lambda: [step() for step in steps].clear())

    def wait(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + LIMIT
        pause = threading.Event()
        while not condition():
            assert time.monotonic() < deadline, "it did not come true"
            pause.wait(0.002)


@pytest.fixture(params=[InMemory, OverTcp], ids=["memory", "plain"])
def make(request: pytest.FixtureRequest) -> Iterator[Callable[..., Ends]]:
    made: list[Ends] = []

    def build(**options: Any) -> Ends:
        made.append(request.param(**options))
        return made[-1]

    yield build
    for ends in made:
        ends.do(ends.client.abort, ends.server.abort)
        ends.runtime.stop()


def test_texts_travel_both_ways_in_order(make: Callable[..., Ends]) -> None:
    ends = make().start()
    texts = ["plain", "", "Größe 3 m²  €", "x" * 100_000, '[3,"17",{}]']
    ends.at_server.on_text = lambda text: ends.server.send(text)
    ends.do(*(partial(ends.client.send, text) for text in texts))
    ends.wait(lambda: len(ends.at_client.texts) == len(texts))
    assert ends.at_server.texts == ends.at_client.texts == texts


def test_written_is_told_in_order_and_never_within_send(make: Callable[..., Ends]) -> None:
    ends = make().start()
    written: list[int] = []

    def send_all() -> None:
        for n in range(5):
            ends.client.send(str(n), partial(written.append, n))
        assert written == []

    ends.do(send_all)
    ends.wait(lambda: len(written) == 5)
    assert written == [0, 1, 2, 3, 4]


def test_what_came_before_the_start_is_delivered_after_it(make: Callable[..., Ends]) -> None:
    ends = make()
    ends.do(lambda: ends.client.send("early"))

    def start() -> None:
        ends.server.start(ends.at_server)
        assert ends.at_server.texts == []

    ends.do(start)
    ends.wait(lambda: ends.at_server.texts)
    assert ends.at_server.texts == ["early"]


def test_the_close_handshake(make: Callable[..., Ends]) -> None:
    ends = make().start()
    ends.do(
        partial(ends.client.send, "last words"),
        partial(ends.client.close, CloseCode.GOING_AWAY, "stopping"),
        partial(ends.client.close, CloseCode.POLICY),
        partial(ends.client.send, "too late"),
    )
    ends.wait_for_ends()
    assert ends.at_server.texts == ["last words"]
    assert ends.at_server.ends == [Closed(CloseCode.GOING_AWAY, "stopping", by_peer=True)]
    assert ends.at_client.end == (CloseCode.GOING_AWAY, False)


def test_nothing_is_delivered_after_ones_own_close(make: Callable[..., Ends]) -> None:
    ends = make().start()
    ends.do(partial(ends.server.send, "on its way"), ends.client.close)
    ends.wait_for_ends()
    assert ends.at_client.texts == []


def test_both_close_at_once(make: Callable[..., Ends]) -> None:
    ends = make().start()
    ends.do(ends.client.close, partial(ends.server.close, CloseCode.GOING_AWAY))
    ends.wait_for_ends()
    assert ends.at_client.end == (CloseCode.NORMAL, False)
    assert ends.at_server.end == (CloseCode.GOING_AWAY, False)


def test_a_close_that_is_not_answered_ends_after_its_time(make: Callable[..., Ends]) -> None:
    ends = make(limits=Limits(close_timeout=0.05)).start()
    ends.do(ends.server.pause)
    ends.do(partial(ends.client.close, CloseCode.POLICY))
    ends.wait(lambda: ends.at_client.ends)
    assert ends.at_client.end == (CloseCode.POLICY, False)
    assert ends.at_server.ends == []


def test_a_paused_end_that_closes_hears_the_answer(make: Callable[..., Ends]) -> None:
    ends = make(limits=Limits(close_timeout=60.0)).start()
    ends.do(ends.client.pause)
    ends.do(partial(ends.server.send, "unread"))
    ends.do(ends.client.close)
    ends.wait_for_ends()
    assert ends.at_client.texts == []


def test_abort(make: Callable[..., Ends]) -> None:
    ends = make().start()
    ends.do(ends.client.abort, ends.client.abort, partial(ends.client.send, "too late"))
    ends.wait_for_ends()
    assert ends.at_client.end == (CloseCode.ABNORMAL, False)
    assert ends.at_server.end == (CloseCode.ABNORMAL, True)
    assert ends.at_server.texts == []


def test_an_end_before_the_start_is_told_after_it(make: Callable[..., Ends]) -> None:
    ends = make()
    ends.do(ends.client.abort)
    ends.start()
    ends.wait_for_ends()
    assert ends.at_client.end == (CloseCode.ABNORMAL, False)
    assert ends.at_server.end == (CloseCode.ABNORMAL, True)


def test_the_end_may_come_from_within_a_delivery(make: Callable[..., Ends]) -> None:
    ends = make().start()
    ends.at_server.on_text = lambda _: ends.server.abort()
    ends.do(partial(ends.client.send, "one"), partial(ends.client.send, "two"))
    ends.wait_for_ends()
    assert ends.at_server.texts == ["one"]


def test_a_message_beyond_the_limit(make: Callable[..., Ends]) -> None:
    ends = make(limits=Limits(max_message=100)).start()
    ends.do(partial(ends.client.send, "x" * 100), partial(ends.client.send, "€" * 34))  # 102 bytes
    ends.wait_for_ends()
    assert ends.at_server.texts == ["x" * 100]
    assert ends.at_server.end == (CloseCode.TOO_BIG, False)
    assert ends.at_client.end == (CloseCode.TOO_BIG, True)


def test_more_output_than_is_allowed_to_wait(make: Callable[..., Ends]) -> None:
    ends = make(limits=Limits(max_output=10_000, close_timeout=60.0), buffers=4096).start()
    ends.do(ends.server.pause)
    ends.do(*[partial(ends.client.send, "x" * 4000)] * 1000)
    ends.do(ends.server.resume)
    ends.wait_for_ends()
    assert ends.at_client.end == (CloseCode.TRY_AGAIN_LATER, False)
    assert ends.at_server.end == (CloseCode.TRY_AGAIN_LATER, True)
    assert 0 < len(ends.at_server.texts) < 1000


def test_pause_and_resume(make: Callable[..., Ends]) -> None:
    ends = make().start()

    def pause_at_two(text: str) -> None:
        if text == "2":
            ends.server.pause()

    ends.at_server.on_text = pause_at_two
    ends.do(*(partial(ends.client.send, str(n)) for n in range(1, 5)))
    ends.wait(lambda: len(ends.at_server.texts) == 2)
    ends.do(lambda: None)
    assert ends.at_server.texts == ["1", "2"]
    ends.do(ends.server.resume)
    ends.wait(lambda: len(ends.at_server.texts) == 4)


def test_a_peer_that_stops_reading_answers_no_pings(make: Callable[..., Ends]) -> None:
    ends = make(ping_interval=0.05).start()
    ends.do(ends.server.pause)
    ends.wait(lambda: ends.at_client.ends)
    assert ends.at_client.end == (CloseCode.ABNORMAL, False)
    assert ends.at_server.ends == []


def test_an_error_of_the_receiver_costs_that_message(
    make: Callable[..., Ends], caplog: pytest.LogCaptureFixture
) -> None:
    ends = make().start()

    def stumble(text: str) -> None:
        if text == "bad":
            raise ZeroDivisionError

    ends.at_server.on_text = stumble
    ends.do(*(partial(ends.client.send, text) for text in ("good", "bad", "fine")))
    ends.wait(lambda: len(ends.at_server.texts) == 3)
    assert "ZeroDivisionError" in caplog.text


def test_a_text_that_utf8_cannot_express(make: Callable[..., Ends]) -> None:
    ends = make().start()

    def send() -> None:
        with pytest.raises(UnicodeEncodeError):
            ends.client.send("\ud800")
        ends.client.send("fine")

    ends.do(send)
    ends.wait(lambda: ends.at_server.texts)
    assert ends.at_server.texts == ["fine"]


def test_repr_tells_the_state(make: Callable[..., Ends]) -> None:
    ends = make().start()
    assert "open" in repr(ends.client).lower()
    ends.do(ends.client.abort)
    ends.wait_for_ends()
    assert "closed" in repr(ends.client).lower()
