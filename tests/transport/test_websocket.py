from __future__ import annotations

import socket
import struct
import tracemalloc
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.runtime import READ, WRITE, Runtime
from openocpp.transport.base import Closed, Limits, Peer
from openocpp.transport.stream import PlainStream
from openocpp.transport.websocket import WebSocketTransport
from tests.transport.frames import BINARY, CONTINUATION, PING, PONG, close_frame, frame
from tests.transport.peers import LIMIT, RawPeer, Recorder, on_scheduler, tcp_pair
from tests.transport.scripted import ManualReceiver, Scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Make = Callable[..., "Connection"]

QUICK = Limits(close_timeout=0.05)


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    with Runtime(name="test") as runtime:
        yield runtime


class Connection:
    """A transport, its receiver, and the raw peer at the other end."""

    def __init__(self, runtime: Runtime, *, client: bool = False, buffers: int | None = None, **options: Any) -> None:
        self.runtime = runtime
        ours, theirs = tcp_pair(buffers)
        self.peer = RawPeer(theirs, client=not client)
        self.receiver = Recorder(runtime)
        self.transport = WebSocketTransport(runtime, PlainStream(ours), Peer("127.0.0.1"), client=client, **options)

    def start(self) -> Connection:
        return self.do(lambda: self.transport.start(self.receiver))

    def do(self, *steps: Callable[[], object]) -> Connection:
        """Take these steps on the scheduler; nothing may be told to the receiver within them."""

        def run() -> None:
            self.receiver.busy = True
            try:
                for step in steps:
                    step()
            finally:
                self.receiver.busy = False

        on_scheduler(self.runtime, run)
        return self

    def send(self, *texts: str) -> None:
        self.do(*(partial(self.transport.send, text) for text in texts))

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Let the scheduler go on until the condition holds."""
        deadline = self.runtime.clock.now() + LIMIT
        while not on_scheduler(self.runtime, condition):
            assert self.runtime.clock.now() < deadline


@pytest.fixture
def make(runtime: Runtime) -> Iterator[Callable[..., Connection]]:
    made: list[Connection] = []

    def make(**options: Any) -> Connection:
        made.append(Connection(runtime, **options))
        return made[-1]

    yield make
    for connection in made:
        connection.do(connection.transport.abort)
        connection.peer.sock.close()


@pytest.mark.parametrize("client", [True, False])
def test_texts_travel_both_ways(make: Make, client: bool) -> None:
    connection = make(client=client).start()
    for text in ("", "a", "\u20ac" * 50, "x" * 1000, "y" * 300_000):
        connection.peer.text(text)
        assert connection.receiver.next_text() == text
        connection.send(text)
        assert connection.peer.read_text() == text


def test_two_transports_understand_each_other(runtime: Runtime) -> None:
    ours, theirs = tcp_pair()
    left = WebSocketTransport(runtime, PlainStream(ours), Peer("a"), client=True)
    right = WebSocketTransport(runtime, PlainStream(theirs), Peer("b"), client=False)
    at_left, at_right = Recorder(runtime), Recorder(runtime)
    on_scheduler(runtime, lambda: left.start(at_left))
    on_scheduler(runtime, lambda: right.start(at_right))
    on_scheduler(runtime, lambda: left.send("hello"))
    on_scheduler(runtime, lambda: right.send("hi"))
    assert (at_left.next_text(), at_right.next_text()) == ("hi", "hello")
    on_scheduler(runtime, lambda: left.close(1001, "bye"))
    assert at_left.end() == Closed(1001, "bye")
    assert at_right.end() == Closed(1001, "bye", by_peer=True)


def test_what_came_before_the_start_is_delivered_first(make: Make) -> None:
    connection = make(early=frame("1") + frame("2")[:3])
    connection.peer.send(frame("2")[3:] + frame("3"))
    connection.start()
    assert [connection.receiver.next_text() for _ in range(3)] == ["1", "2", "3"]


def test_one_may_send_before_the_start(make: Make) -> None:
    connection = make()
    connection.send("first")
    assert connection.peer.read_text() == "first"


def test_fragments_with_a_ping_between(make: Make) -> None:
    connection = make().start()
    connection.peer.send(frame("a", final=False) + frame("p", PING) + frame("b", CONTINUATION))
    assert connection.receiver.next_text() == "ab"
    assert connection.peer.read_frame() == (PONG, b"p")


def test_messages_are_sent_without_delay(make: Make) -> None:
    sock = make().transport._stream.socket
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


# -- written, and back-pressure of the peer ----------------------------------------------------------------------------


def test_written_is_told_later_and_in_order(make: Make) -> None:
    connection = make(buffers=4096).start()
    told: list[str] = []
    big = "x" * 200_000
    send = connection.transport.send
    connection.do(
        lambda: send("a", lambda: told.append("a")),
        lambda: send(big, lambda: told.append("big")),
        lambda: send("b"),
        lambda: send("c", lambda: told.append("c")),
        lambda: told.append("sent"),
    )
    connection.wait_for(lambda: len(told) >= 2)
    assert told == ["sent", "a"]
    assert [connection.peer.read_text() for _ in range(4)] == ["a", big, "b", "c"]
    connection.wait_for(lambda: len(told) == 4)
    assert told == ["sent", "a", "big", "c"]
    assert connection.transport._watched == READ


def test_written_is_not_told_when_the_message_was_lost(make: Make) -> None:
    connection = make(buffers=4096).start()
    told: list[str] = []
    connection.do(lambda: connection.transport.send("x" * 500_000, lambda: told.append("big")))
    connection.do(connection.transport.abort, lambda: connection.transport.send("y", lambda: told.append("late")))
    connection.receiver.end()
    assert told == []


def test_a_peer_that_does_not_read_is_left(make: Make) -> None:
    connection = make(buffers=4096, limits=Limits(max_output=100_000, close_timeout=0.05)).start()
    connection.send("x" * 90_000, *["y" * 9_000] * 4)
    assert connection.receiver.end() == Closed(1013, "output buffer full")


def test_a_single_message_may_be_larger_than_the_buffer(make: Make) -> None:
    connection = make(buffers=4096, limits=Limits(max_output=1000)).start()
    connection.send("x" * 300_000)
    assert len(connection.peer.read_text()) == 300_000


def test_a_flood_of_pings_that_reads_no_pongs_is_left(make: Make) -> None:
    connection = make(buffers=4096, limits=Limits(max_output=10_000, close_timeout=0.05)).start()
    pings = frame("p" * 125, PING) * 500
    connection.peer.sock.settimeout(LIMIT)
    with pytest.raises((ConnectionError, TimeoutError)):
        flood(connection.peer, pings)
    assert connection.receiver.end().code == 1013


def flood(peer: RawPeer, data: bytes) -> None:
    while True:
        peer.send(data)


# -- pause -------------------------------------------------------------------------------------------------------------


def test_nothing_is_delivered_while_paused(make: Make) -> None:
    connection = make()
    received: list[str] = []

    def on_text(text: str) -> None:
        received.append(text)
        if text == "2":
            connection.transport.pause()

    connection.receiver.on_text = on_text
    connection.peer.send(frame("1") + frame("2") + frame("3") + frame("p", PING))
    connection.start()
    connection.wait_for(lambda: len(received) >= 2)
    connection.peer.text("4")
    connection.do(connection.transport.pause)  # again: nothing changes
    connection.wait_for(lambda: connection.transport._watched == 0)
    assert received == ["1", "2"]
    connection.send("still writing")
    assert connection.peer.read_text() == "still writing"
    connection.do(connection.transport.resume)
    assert [connection.receiver.next_text() for _ in range(4)] == ["1", "2", "3", "4"]
    assert connection.peer.read_frame() == (PONG, b"p")


def test_a_paused_connection_lets_the_peer_feel_it(make: Make) -> None:
    connection = make(buffers=4096).start()
    connection.do(connection.transport.pause)
    connection.peer.sock.setblocking(False)
    with pytest.raises(BlockingIOError):
        flood(connection.peer, frame("x" * 1000))


def test_a_paused_connection_closes_nevertheless(make: Make) -> None:
    connection = make().start()
    connection.do(connection.transport.pause)
    connection.peer.text("not read")
    connection.do(connection.transport.close)
    assert connection.peer.read_close() == 1000
    connection.peer.close()
    assert connection.receiver.end() == Closed(1000)
    assert connection.receiver.texts.empty()


# -- the end -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("client", [True, False])
def test_closing(make: Make, client: bool) -> None:
    connection = make(client=client).start()
    connection.do(
        lambda: connection.transport.send("last words"),
        lambda: connection.transport.close(1001, "going"),
        lambda: connection.transport.close(1000, "again"),
        lambda: connection.transport.send("too late"),
    )
    connection.peer.text("not delivered any more")
    assert connection.peer.read_text() == "last words"
    assert connection.peer.read_close() == 1001
    connection.peer.close(1001)
    assert connection.peer.at_end()
    assert connection.receiver.end() == Closed(1001, "going")
    assert connection.receiver.texts.empty()
    assert "closed" in repr(connection.transport)


def test_closing_writes_what_is_queued_first(make: Make) -> None:
    connection = make(buffers=4096).start()
    big = "x" * 300_000
    connection.do(lambda: connection.transport.send(big), connection.transport.close)
    assert connection.peer.read_text() == big
    assert connection.peer.read_close() == 1000
    connection.peer.close()
    assert connection.receiver.end() == Closed(1000)


def test_a_peer_that_does_not_answer_the_close_is_not_waited_for(make: Make) -> None:
    connection = make(limits=QUICK).start()
    connection.do(connection.transport.close)
    assert connection.receiver.end() == Closed(1000)
    assert connection.peer.read_close() == 1000
    assert connection.peer.at_end()


def test_a_peer_that_does_not_read_cannot_hold_up_the_close(make: Make) -> None:
    connection = make(buffers=4096, limits=QUICK).start()
    connection.do(lambda: connection.transport.send("x" * 500_000), connection.transport.close)
    assert connection.receiver.end() == Closed(1000)


@pytest.mark.parametrize("client", [True, False])
def test_the_peer_closes(make: Make, client: bool) -> None:
    connection = make(client=client).start()
    connection.peer.send(
        frame("last", mask=connection.peer.client) + close_frame(1001, "bye", mask=connection.peer.client)
    )
    assert connection.peer.read_close() == 1001
    assert connection.peer.at_end()
    assert connection.receiver.end() == Closed(1001, "bye", by_peer=True)
    assert connection.receiver.next_text() == "last"


def test_the_peer_closes_without_a_status(make: Make) -> None:
    connection = make().start()
    connection.peer.control(8)
    assert connection.peer.read_close() is None
    assert connection.receiver.end() == Closed(1005, by_peer=True)


def test_the_peer_closes_while_much_is_queued(make: Make) -> None:
    connection = make(buffers=4096).start()
    connection.send("x" * 300_000)
    connection.peer.close()
    assert len(connection.peer.read_text()) == 300_000
    assert connection.peer.read_close() == 1000
    assert connection.receiver.end() == Closed(1000, by_peer=True)


def test_both_close_at_once(make: Make) -> None:
    connection = make()
    connection.peer.close(1001)
    connection.start().do(lambda: connection.transport.close(1000))
    assert connection.peer.read_close() in (1000, 1001)
    assert connection.receiver.end().code in (1000, 1001)
    assert connection.peer.at_end()


def test_the_connection_ends_without_a_close_frame(make: Make) -> None:
    connection = make().start()
    connection.peer.sock.close()
    why = connection.receiver.end()
    assert (why.code, why.by_peer) == (1006, True)


def test_the_connection_is_reset(make: Make) -> None:
    connection = make().start()
    connection.peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.peer.sock.close()
    why = connection.receiver.end()
    assert (why.code, why.by_peer) == (1006, True)
    assert "reset" in why.reason


def test_sending_finds_the_connection_broken(make: Make) -> None:
    connection = make().start()
    connection.do(connection.transport.pause)  # so that reading does not tell
    connection.peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.peer.sock.close()
    connection.send(*["x" * 1000] * 20)
    assert connection.receiver.end().code == 1006


def test_writing_later_finds_the_connection_broken(make: Make) -> None:
    connection = make(buffers=4096).start()
    connection.do(connection.transport.pause, lambda: connection.transport.send("x" * 300_000))
    connection.peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.peer.sock.close()
    assert connection.receiver.end().code == 1006


def test_aborting(make: Make) -> None:
    connection = make().start()
    connection.do(
        lambda: connection.transport.send("out at once"),
        connection.transport.abort,
        connection.transport.abort,
        connection.transport.close,
        connection.transport.pause,
        connection.transport.resume,
    )
    assert connection.receiver.end() == Closed(1006, "aborted")
    assert connection.peer.read_text() == "out at once"
    assert connection.peer.at_end()


def test_aborting_does_not_wait_for_a_close_that_is_under_way(make: Make) -> None:
    connection = make().start()
    connection.do(lambda: connection.transport.close(1001), connection.transport.abort)
    assert connection.receiver.end() == Closed(1001)


@pytest.mark.parametrize("verb", ["close", "abort"])
def test_the_end_may_come_from_within_a_delivery(make: Make, verb: str) -> None:
    connection = make(limits=QUICK)
    connection.receiver.on_text = lambda _: getattr(connection.transport, verb)()
    connection.peer.send(frame("1") + frame("2") + frame("p", PING) + close_frame())
    connection.start()
    assert connection.receiver.end() == (Closed(1000) if verb == "close" else Closed(1006, "aborted"))
    assert connection.receiver.next_text() == "1"
    assert connection.receiver.texts.empty()


@pytest.mark.parametrize("verb", ["close", "abort"])
def test_the_end_may_come_before_the_start(make: Make, verb: str) -> None:
    ended: list[str] = []
    connection = make(limits=QUICK, ended=lambda: ended.append("ended"))
    connection.do(getattr(connection.transport, verb))
    connection.start()
    assert connection.receiver.end().code == (1000 if verb == "close" else 1006)
    assert ended == ["ended"]


def test_whoever_starts_after_the_end_is_told(make: Make) -> None:
    ended: list[str] = []
    connection = make(ended=lambda: ended.append("ended"))
    connection.do(connection.transport.abort)
    connection.wait_for(lambda: bool(ended))
    connection.start()
    assert connection.receiver.end() == Closed(1006, "aborted")
    assert ended == ["ended"]


def test_nobody_needs_to_start_a_connection_that_is_refused(make: Make) -> None:
    connection = make()
    connection.do(lambda: connection.transport.close(1002, "no common sub-protocol"))
    assert connection.peer.read_close() == 1002
    connection.peer.close(1002)
    assert connection.peer.at_end()


def test_a_bug_above_costs_one_message(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    connection = make()

    def on_text(text: str) -> None:
        if text == "1":
            raise RuntimeError("a bug")

    connection.receiver.on_text = on_text
    connection.peer.send(frame("1") + frame("2"))
    connection.start()
    assert [connection.receiver.next_text() for _ in range(2)] == ["1", "2"]
    connection.peer.text("3")
    assert connection.receiver.next_text() == "3"
    assert "a bug" in caplog.text


# -- hostile peers -----------------------------------------------------------------------------------------------------

SMALL = 10_000
HOSTILE = {
    "unmasked": (frame("a", mask=False), 1002),
    "reserved bit": (frame("a", reserved=4), 1002),
    "bad opcode": (frame("a", 3), 1002),
    "long ping": (frame("a" * 126, PING), 1002),
    "stray continuation": (frame("a", CONTINUATION), 1002),
    "binary": (frame(b"a", BINARY), 1003),
    "bad UTF-8": (frame(b"\xff"), 1007),
    "1 TiB announced": (frame("a", length=1 << 40), 1009),
    "too big": (frame("a" * (SMALL + 1)), 1009),
    "endless fragments": (frame("a", final=False) + frame("b" * 1000, CONTINUATION, final=False) * 20, 1009),
    "endless fragments of nothing, then a wrong one": (
        frame("", final=False) + frame("", CONTINUATION, final=False) * 1000 + frame("", BINARY),
        1003,
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_peers_are_told_why_and_left(make: Make, name: str) -> None:
    data, code = HOSTILE[name]
    bystander = make().start()
    connection = make(limits=Limits(max_message=SMALL)).start()
    connection.peer.send(frame("good") + data + frame("ignored") + b"\xff" * 1000)
    assert connection.receiver.next_text() == "good"
    assert connection.peer.read_close() == code
    assert connection.peer.at_end()  # of its side; ours is still open
    connection.peer.sock.close()
    why = connection.receiver.end()
    assert (why.code, why.by_peer) == (code, False)
    assert why.reason
    bystander.peer.text("alive")
    assert bystander.receiver.next_text() == "alive"


def test_a_hostile_peer_cannot_stay_by_never_closing(make: Make) -> None:
    connection = make(limits=QUICK).start()
    connection.peer.send(frame("a", mask=False))
    assert connection.receiver.end().code == 1002


def test_a_hostile_peer_cannot_stay_by_not_reading(make: Make) -> None:
    connection = make(buffers=4096, limits=QUICK).start()
    connection.send("x" * 300_000)
    connection.peer.send(frame("a", mask=False))
    assert connection.receiver.end().code == 1002


def test_a_hostile_peer_learns_why_behind_what_was_queued(make: Make) -> None:
    connection = make(buffers=4096).start()
    connection.send("x" * 300_000)
    connection.peer.send(frame("a", mask=False))
    connection.wait_for(lambda: "refusing" in repr(connection.transport))
    assert len(connection.peer.read_text()) == 300_000
    assert connection.peer.read_close() == 1002
    assert connection.peer.at_end()


def test_a_violation_while_we_close_ends_it(make: Make) -> None:
    connection = make().start()
    connection.do(connection.transport.close)
    connection.peer.send(frame("a", mask=False))
    assert connection.receiver.end() == Closed(1000)


# -- time, with a clock that the test moves ----------------------------------------------------------------------------


def test_a_ping_after_the_interval_and_the_end_after_twice_that() -> None:
    it = Scripted(5.0)
    it.scheduler.advance(4.9)
    assert it.pings() == 0
    it.scheduler.advance(0.2)
    assert it.pings() == 1
    it.scheduler.advance(4.8)
    assert it.receiver.ends == []
    it.scheduler.advance(0.2)
    assert it.receiver.ends == [Closed(1006, "nothing received for 10.0 s")]
    assert it.stream.events == ["close"]
    assert it.pings() == 1


@pytest.mark.parametrize("data", [frame("", PONG), frame("text"), frame("", PING), b"\x81"])
def test_whatever_comes_is_a_sign_of_life(data: bytes) -> None:
    it = Scripted(5.0)
    it.scheduler.advance(9.0)
    it.hear(data)
    it.scheduler.advance(4.9)
    assert it.pings() == 1
    it.scheduler.advance(0.2)
    assert it.pings() == 2
    it.scheduler.advance(4.8)
    assert it.receiver.ends == []
    it.scheduler.advance(0.2)
    assert len(it.receiver.ends) == 1


def test_a_lively_connection_needs_no_pings_and_few_timers() -> None:
    it = Scripted(5.0)
    for _ in range(1000):
        it.scheduler.advance(0.1)
        it.hear(frame("x"))
    assert it.pings() == 0
    assert len(it.receiver.texts) == 1000
    assert it.scheduler.armed <= 25


def test_sending_is_no_sign_of_life() -> None:
    it = Scripted(5.0)
    for _ in range(100):
        it.scheduler.advance(0.11)
        it.transport.send("x")
    assert it.receiver.ends != []


def test_an_interval_of_zero_means_no_pings_and_no_hang_up() -> None:
    it = Scripted(0.0)
    it.scheduler.advance(1e6)
    assert it.pings() == 0
    assert it.receiver.ends == []
    assert it.scheduler.armed == 0


def test_silence_while_paused_is_our_own() -> None:
    it = Scripted(5.0)
    it.transport.pause()
    it.scheduler.advance(60.0)
    assert (it.pings(), it.receiver.ends) == (0, [])
    it.transport.resume()
    it.scheduler.advance(5.1)
    assert it.pings() == 1
    it.scheduler.advance(5.1)
    assert len(it.receiver.ends) == 1


def test_the_close_is_waited_for_its_time_and_no_longer() -> None:
    it = Scripted(5.0, limits=Limits(close_timeout=2.0))
    it.transport.close()
    it.scheduler.advance(1.9)
    assert it.receiver.ends == []
    it.scheduler.advance(0.2)
    assert it.receiver.ends == [Closed(1000)]
    assert [timer for timer in it.scheduler.timers if timer.active] == []


def test_a_refused_peer_is_waited_for_as_long() -> None:
    it = Scripted(limits=Limits(close_timeout=2.0))
    it.hear(frame("a", mask=False))
    assert it.stream.events == ["finish"]
    it.scheduler.advance(1.0)
    it.hear(b"whatever")
    it.scheduler.advance(0.9)
    assert it.receiver.ends == []
    it.scheduler.advance(0.2)
    assert it.receiver.ends[0].code == 1002
    assert it.stream.events == ["finish", "close"]


def test_one_event_is_one_read_so_that_others_get_their_turn() -> None:
    it = Scripted()
    it.stream.input.extend(frame(str(number)) for number in range(2))
    it.scheduler.event(it.stream, READ)
    assert it.receiver.texts == ["0"]
    it.scheduler.event(it.stream, READ)
    assert it.receiver.texts == ["0", "1"]


def test_bytes_that_no_selector_tells_of_are_read_in_steps() -> None:
    it = Scripted()
    it.stream.hidden = True
    it.stream.input.extend(frame(str(number)) for number in range(5))
    callback = it.scheduler.watched[it.stream.socket][1]
    callback(READ)
    assert it.receiver.texts == ["0"]
    assert len(it.scheduler.entries) == 1
    it.scheduler.settle()
    assert it.receiver.texts == ["0", "1", "2", "3", "4"]


def test_bytes_that_no_selector_tells_of_are_read_after_start_and_resume() -> None:
    it = Scripted()
    it.transport.pause()
    it.stream.hidden = True
    it.stream.input.append(frame("a"))
    it.transport.resume()
    assert it.receiver.texts == []
    it.scheduler.settle()
    assert it.receiver.texts == ["a"]


def test_writing_is_watched_only_while_something_waits() -> None:
    it = Scripted()
    it.stream.room = 3
    it.transport.send("abc")
    assert it.scheduler.watched[it.stream.socket][0] == READ | WRITE
    it.scheduler.event(it.stream, WRITE)  # for nothing
    it.stream.room = 1
    it.scheduler.event(it.stream, WRITE)
    it.stream.room = 100
    it.scheduler.event(it.stream, READ | WRITE)
    assert it.scheduler.watched[it.stream.socket][0] == READ
    assert it.stream.output == b"\x81\x03abc"


@pytest.mark.parametrize(("room", "closed"), [(204, False), (203, True)])
def test_the_limit_of_output_counts_whole_frames(room: int, closed: bool) -> None:
    it = Scripted(limits=Limits(max_output=room))
    it.stream.room = 0
    it.transport.send("x" * 98)
    told: list[str] = []
    it.transport.send("\u20ac" * 34, lambda: told.append("written"))  # 102 bytes of UTF-8
    assert repr(it.transport).count("open") == (not closed)
    it.stream.room = 1000
    it.scheduler.event(it.stream, WRITE)
    it.scheduler.settle()
    behind = close_frame(1013, "output buffer full", mask=False) if closed else frame("\u20ac" * 34, mask=False)
    assert it.stream.output == frame("x" * 98, mask=False) + behind
    assert told == ([] if closed else ["written"])


@pytest.mark.parametrize(("room", "closed"), [(227, False), (226, True)])
def test_the_limit_of_output_counts_pongs_too(room: int, closed: bool) -> None:
    it = Scripted(limits=Limits(max_output=room))
    it.stream.room = 0
    it.transport.send("x" * 98)
    it.stream.input.append(frame("p" * 125, PING))
    it.scheduler.event(it.stream, READ)
    it.stream.room = 1000
    it.scheduler.event(it.stream, WRITE)
    behind = close_frame(1013, "output buffer full", mask=False) if closed else frame("p" * 125, PONG, mask=False)
    assert it.stream.output == frame("x" * 98, mask=False) + behind


def test_a_ping_behind_our_close_frame_is_not_answered() -> None:
    it = Scripted()
    it.transport.close(1000, "bye")
    it.stream.input.append(frame("p", PING))
    it.scheduler.event(it.stream, READ)
    assert it.stream.output == close_frame(1000, "bye", mask=False)


def test_events_that_come_after_the_end_do_nothing() -> None:
    it = Scripted()
    callback = it.scheduler.watched[it.stream.socket][1]
    it.transport.abort()
    callback(READ | WRITE)
    it.scheduler.settle()
    assert len(it.receiver.ends) == 1


# -- memory ------------------------------------------------------------------------------------------------------------


def test_an_idle_connection_is_small() -> None:
    def make() -> Scripted:
        it = Scripted(30.0)
        it.hear(frame("hello") + frame("p", PING))
        it.stream.output = b""
        it.receiver = ManualReceiver()
        return it

    kept = [make()]  # what is made once only
    tracemalloc.start()
    try:
        kept += [make() for _ in range(100)]
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size / (len(kept) - 1) < 8_000
