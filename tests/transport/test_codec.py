from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections import deque
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import CloseConnection, Ping, TextMessage

from openocpp.transport.codec import KEYS, NO_STATUS, SHORT, CloseFrame, Item, PingFrame, Violation, WsprotoCodec
from tests.transport.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, close_frame, frame

if TYPE_CHECKING:
    from collections.abc import Iterable

LIMIT = 100_000
ROOT = Path(__file__).resolve().parent.parent.parent


def server(limit: int = LIMIT) -> WsprotoCodec:
    return WsprotoCodec(client=False, max_message=limit)


def drain(codec: WsprotoCodec) -> list[Item]:
    items = []
    while (item := codec.take()) is not None:
        items.append(item)
    return items


def read(codec: WsprotoCodec, *chunks: bytes) -> list[Item]:
    items = []
    for chunk in chunks:
        codec.receive(chunk)
        items += drain(codec)
    return items


def in_bytes(data: bytes) -> Iterable[bytes]:
    return (data[index : index + 1] for index in range(len(data)))


def summary(items: list[Item]) -> list[object]:
    """Without the texts of violations, which are for human eyes."""
    return [item.code if isinstance(item, Violation) else item for item in items]


SIZES = [0, 1, 2, 3, 4, 5, 31, 125, 126, 127, 935, SHORT, SHORT + 1, 0xFFFF, 0x10000, LIMIT]


def test_a_short_frame_may_follow_a_longer_one_that_came_in_parts() -> None:
    data = frame("x" * 50)
    assert read(server(), data[:20], data[20:], frame("y"), frame("")) == ["x" * 50, "y", ""]


def test_a_child_process_has_masks_of_its_own() -> None:
    script = (
        "import os\n"
        "from openocpp.transport.codec import _mask_key\n"
        "_mask_key()\n"
        "reader, writer = os.pipe()\n"
        "if os.fork() == 0:\n"
        "    os.write(writer, _mask_key())\n"
        "    os._exit(0)\n"
        "os.wait()\n"
        "print(os.read(reader, 4) != _mask_key())\n"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout == "True\n"


def test_no_mask_is_used_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 6455 §5.3: each from the kernel's own random numbers."""
    drawn = bytearray()

    def draw(size: int) -> bytes:
        first = len(drawn) // 4
        drawn.extend(b"".join(struct.pack("!I", number) for number in range(first, first + size // 4)))
        return bytes(drawn[4 * first :])

    monkeypatch.setattr("openocpp.transport.codec.os.urandom", draw)
    monkeypatch.setattr("openocpp.transport.codec._keys", deque())
    client = WsprotoCodec(client=True, max_message=LIMIT)
    masks = [client.text("x")[2:6] for _ in range(3 * KEYS)]
    assert len(drawn) == 4 * len(masks)
    assert sorted(masks) == [bytes(drawn[at : at + 4]) for at in range(0, len(drawn), 4)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("to_server", [True, False])
def test_texts_of_all_sizes_arrive(size: int, to_server: bool) -> None:
    text = os.urandom(size).hex()[:size]
    sender = WsprotoCodec(client=to_server, max_message=LIMIT)
    receiver = WsprotoCodec(client=not to_server, max_message=LIMIT)
    assert read(receiver, sender.text(text)) == [text]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("to_server", [True, False])
def test_wsproto_reads_what_is_written(size: int, to_server: bool) -> None:
    text = "\u00e4" * (size // 2) + "x" * (size % 2)
    sender = WsprotoCodec(client=to_server, max_message=LIMIT)
    reader = Connection(ConnectionType.SERVER if to_server else ConnectionType.CLIENT)
    reader.receive_data(sender.text(text))
    assert "".join(event.data for event in reader.events() if isinstance(event, TextMessage)) == text


@pytest.mark.parametrize("text", ["", "x", "a" * 300, "\u20ac" * 3000])
def test_frames_arrive_byte_by_byte_or_all_at_once(text: str) -> None:
    data = frame(text) + frame("p", PING) + frame(text)
    expected = [text, PingFrame(b"p"), text]
    assert read(server(), data) == expected
    assert read(server(), *in_bytes(data)) == expected


def test_what_was_not_taken_stays() -> None:
    codec = server()
    codec.receive(frame("a") + frame("b"))
    assert codec.take() == "a"
    codec.receive(frame("c") + frame("d")[:-1])
    assert drain(codec) == ["b", "c"]
    codec.receive(frame("d")[-1:])
    assert drain(codec) == ["d"]


def test_many_messages_in_one_piece() -> None:
    texts = [str(number) for number in range(5000)]
    assert read(server(), b"".join(map(frame, texts))) == texts


def test_fragments_are_put_together_with_control_frames_between() -> None:
    euro = "\u20ac".encode()
    data = (
        frame(b"a" + euro[:1], final=False)
        + frame("still here", PING)
        + frame(euro[1:2], CONTINUATION, final=False)
        + frame("", CONTINUATION, final=False)
        + frame("", PONG)
        + frame(euro[2:] + b"b", CONTINUATION)
        + frame("next")
    )
    expected = [PingFrame(b"still here"), "a\u20acb", "next"]
    assert read(server(), data) == expected
    assert read(server(), *in_bytes(data)) == expected


def test_line_ends_in_fragments_stay_as_they_are() -> None:
    assert read(server(), frame("a\r\nb\r", final=False) + frame("\nc", CONTINUATION)) == ["a\r\nb\r\nc"]


@pytest.mark.parametrize("mask", [True, False])
def test_a_client_reads_unmasked_frames_only(mask: bool) -> None:
    client = WsprotoCodec(client=True, max_message=LIMIT)
    expected: list[object] = [1002] if mask else ["a"]
    assert summary(read(client, frame("a", mask=mask))) == expected


HOSTILE = {
    "unmasked": (frame("a", mask=False), 1002),
    "unmasked ping": (frame("a", PING, mask=False), 1002),
    "reserved bit 1, as for compression": (frame("a", reserved=4), 1002),
    "reserved bit 3": (frame("a", reserved=1), 1002),
    "unknown data opcode": (frame("a", 3), 1002),
    "unknown control opcode": (frame("a", 11), 1002),
    "continuation of nothing": (frame("a", CONTINUATION), 1002),
    "text within a text": (frame("a", final=False) + frame("b"), 1002),
    "fragmented ping": (frame("a", PING, final=False), 1002),
    "long ping": (frame("a" * 126, PING), 1002),
    "long ping, only announced": (frame("", PING, length=1 << 40), 1002),
    "length in 16 bits that fits in 7": (frame("a", width=16), 1002),
    "length in 64 bits that fits in 16": (frame("a" * 200, width=64), 1002),
    "bad UTF-8": (frame(b"\xff\xfe"), 1007),
    "UTF-8 cut off": (frame("\u20ac".encode()[:2]), 1007),
    "surrogate": (frame(b"\xed\xa0\x80"), 1007),
    "bad UTF-8, long": (frame(b"a" * (SHORT + 1) + b"\xff"), 1007),
    "bad UTF-8 in a fragment": (frame("a", final=False) + frame(b"\xff", CONTINUATION, final=False), 1007),
    "binary": (frame(b"a", BINARY), 1003),
    "binary, only announced": (frame(b"", BINARY, length=1 << 40), 1003),
    "too big": (frame("a" * (LIMIT + 1)), 1009),
    "1 TiB announced": (frame("", length=1 << 40), 1009),
    "more than 63 bits announced": (frame("", length=1 << 63), 1009),
    "endless fragments": (frame("a" * 999, final=False) + frame("b" * 999, CONTINUATION, final=False) * 101, 1009),
    "fragment that would be too much": (frame("a" * LIMIT, final=False) + frame("", CONTINUATION, length=1), 1009),
    "close with one byte": (frame(b"\x03", CLOSE), 1002),
    "close with a code that is never sent": (frame(struct.pack("!H", 1006), CLOSE), 1002),
    "close with a code that is none": (frame(struct.pack("!H", 999), CLOSE), 1002),
    "close with bad UTF-8": (frame(struct.pack("!H", 1000) + b"\xff", CLOSE), 1007),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_violations(name: str) -> None:
    data, code = HOSTILE[name]
    for chunks in ([data], in_bytes(data)):
        codec = server()
        items = read(codec, *chunks)
        assert summary(items) == [code]
        assert isinstance(items[0], Violation)
        assert items[0].reason
        assert read(codec, frame("not any more")) == []
        assert codec.close(code)[:4] == bytes([0x88, 2]) + struct.pack("!H", code)


def test_what_is_announced_is_not_waited_for() -> None:
    codec = server()
    assert read(codec, frame("", length=LIMIT)) == []
    assert summary(read(server(), frame("", length=LIMIT + 1)[:14])) == [1009]


def test_limits_are_in_bytes() -> None:
    assert read(server(6), frame("\u20ac\u20ac")) == ["\u20ac\u20ac"]
    assert summary(read(server(5), frame("\u20ac\u20ac"))) == [1009]
    assert summary(read(server(5), frame("\u20ac", final=False) + frame("\u20ac", CONTINUATION))) == [1009]


def test_fragments_count_anew_for_each_message() -> None:
    message = frame("a" * 60, final=False) + frame("b" * 40, CONTINUATION)
    assert read(server(100), message * 3) == ["a" * 60 + "b" * 40] * 3


def test_the_peer_closes() -> None:
    codec = server()
    assert read(codec, close_frame(1001, "bye") + frame("late")) == [CloseFrame(1001, "bye")]
    assert read(server(), frame("", CLOSE)) == [CloseFrame(NO_STATUS, "")]
    assert codec.close(1001) == b"\x88\x02\x03\xe9"


def test_the_answer_to_our_close() -> None:
    codec = server()
    assert codec.close(1000, "x" * 200) == b"\x88\x7d\x03\xe8" + b"x" * 123
    assert read(codec, frame("crossing") + frame("p", PING) + close_frame()) == [
        "crossing",
        PingFrame(b"p"),
        CloseFrame(1000, ""),
    ]


def test_a_close_without_status() -> None:
    assert server().close(NO_STATUS) == b"\x88\x00"


def test_control_frames_are_written() -> None:
    client = WsprotoCodec(client=True, max_message=LIMIT)
    assert read(server(), client.ping() + client.pong(b"x") + client.text("t")) == [PingFrame(b""), "t"]
    assert server().pong(b"abc") == b"\x8a\x03abc"


def test_a_text_that_is_no_unicode_is_refused_before_anything_is_written() -> None:
    with pytest.raises(UnicodeEncodeError):
        server().text("\ud800")


def test_whatever_wsproto_trips_over_is_a_violation(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def receive_data(_: Connection, data: bytes | None) -> None:
        if data:
            raise ValueError("a bug")

    monkeypatch.setattr(Connection, "receive_data", receive_data)
    assert read(server(), frame("p", PING)) == [Violation(1002, "ValueError")]
    assert "a bug" in caplog.text


# -- against wsproto alone ---------------------------------------------------------------------------------------------


def by_wsproto(data: bytes) -> list[object]:
    connection = Connection(ConnectionType.SERVER)
    connection.receive_data(data)
    found: list[object] = []
    text = ""
    for event in connection.events():
        if isinstance(event, TextMessage):
            text += event.data
            if event.message_finished:
                found.append(text)
                text = ""
        elif isinstance(event, Ping):
            found.append(PingFrame(bytes(event.payload)))
        elif isinstance(event, CloseConnection):
            genuine = connection.state is ConnectionState.REMOTE_CLOSING
            found.append(CloseFrame(int(event.code), event.reason or "") if genuine else int(event.code))
    return found


payloads = st.one_of(st.binary(max_size=8), st.text(max_size=200).map(str.encode), st.just(b"x" * 70_000))
frames = st.builds(
    frame,
    payloads,
    st.sampled_from([1, 1, 1, 1, 0, 0, 8, 9, 10, 3]),
    final=st.booleans() | st.just(True),
    mask=st.sampled_from([True] * 9 + [False]),
    reserved=st.sampled_from([0] * 9 + [1]),
)


@given(st.lists(frames, max_size=8), st.lists(st.integers(0, 400), max_size=8))
def test_the_same_as_wsproto_however_the_bytes_are_cut(parts: list[bytes], cuts: list[int]) -> None:
    data = b"".join(parts)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    chunks = [data[begin:end] for begin, end in pairwise(edges) if end > begin]
    assert summary(read(server(1 << 20), *chunks)) == by_wsproto(data)


@given(st.binary(max_size=300))
def test_any_bytes_give_items_and_no_exception(data: bytes) -> None:
    items = read(server(), data)
    assert all(isinstance(item, str | PingFrame) for item in items[:-1])
