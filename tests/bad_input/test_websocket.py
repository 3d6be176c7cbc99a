"""What is no websocket (RFC 6455), or no message of a reasonable size, ends its connection and no other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.bad_input.sides import (
    SMALL,
    Central,
    Link,
    Station,
)
from tests.transport.frames import BINARY, CLOSE, CONTINUATION, KEY, PING, TEXT, frame


def masked_frame(client: bool, *parts: tuple[Any, ...]) -> bytes:
    """Frames as this side has to send them: a payload, and the named arguments of ``frame``."""
    return b"".join(frame(payload, **({"mask": client} | options)) for payload, options in parts)


WEBSOCKET: dict[str, tuple[list[tuple[Any, dict[str, Any]]], int]] = {
    "a reserved bit": ([("a", {"reserved": 4})], 1002),
    "an unknown opcode": ([("a", {"opcode": 3})], 1002),
    "an unknown control opcode": ([("a", {"opcode": 11})], 1002),
    "a long ping": ([("a" * 126, {"opcode": PING})], 1002),
    "a ping in parts": ([("a", {"opcode": PING, "final": False})], 1002),
    "a continuation of nothing": ([("a", {"opcode": CONTINUATION})], 1002),
    "a text within a text": ([("a", {"final": False}), ("b", {})], 1002),
    "a length written too long": ([("a", {"width": 64})], 1002),
    "a close of one byte": ([(b"\x03", {"opcode": CLOSE})], 1002),
    "binary": ([(b'[2,"1","Heartbeat",{}]', {"opcode": BINARY})], 1003),
    "bad UTF-8": ([(b'[2,"1","Heart\xffbeat",{}]', {})], 1007),
    "half a character": ([("é".encode()[:1], {})], 1007),
    "a surrogate in UTF-8": ([(b"\xed\xa0\x80", {})], 1007),
    "bad UTF-8 in the second part": ([("a", {"final": False}), (b"\xc3(", {"opcode": CONTINUATION})], 1007),
    "one byte too many": ([("x" * (SMALL + 1), {})], 1009),
    "a TiB announced": ([("a", {"length": 1 << 40})], 1009),
    "2^63 - 1 announced": ([("a", {"length": (1 << 63) - 1})], 1009),
    "parts without end": (
        [("a", {"final": False}), *[("b" * 1000, {"opcode": CONTINUATION, "final": False})] * (SMALL // 1000)],
        1009,
    ),
}


@pytest.mark.parametrize("name", WEBSOCKET)
def test_a_broken_websocket_ends_its_connection_only(link: Link, name: str) -> None:
    frames, code = WEBSOCKET[name]
    link.peer.send(masked_frame(link.peer.client, *frames))
    assert link.peer.next_close() == code
    link.peer.sock.close()
    assert link.other().is_alive()


@pytest.mark.parametrize("text", ["", '[2,"good","Heartbeat",{}]'])
def test_a_client_must_mask(central: Central, text: str) -> None:
    peer = central.connected()
    peer.send(frame(text, mask=False))
    assert peer.next_close() == 1002
    assert central.connected("CP2").is_alive()


def test_a_server_must_not_mask(our_station: Station) -> None:
    peer = our_station.registered()
    peer.send(frame(peer.good, mask=True))
    assert peer.next_close() == 1002
    peer.sock.close()
    assert our_station.reconnected().is_alive()


def test_a_long_message_in_parts_is_a_message(link: Link) -> None:
    text = json.dumps([2, "long", "DataTransfer", {"vendorId": "V", "data": "é" * 5000}], ensure_ascii=False).encode()
    parts = [(text[start : start + 7], {"opcode": CONTINUATION, "final": False}) for start in range(0, len(text), 7)]
    parts[0][1]["opcode"] = TEXT
    parts[-1][1]["final"] = True
    parts.insert(5, (b"ping", {"opcode": PING}))
    link.peer.send(masked_frame(link.peer.client, *parts))
    assert link.peer.next_frame() == (10, b"ping")
    assert link.peer.next_answer()[:2] == [3, "long"]


def test_a_message_of_the_largest_size_passes(link: Link) -> None:
    text = '[2,"big","DataTransfer",{"vendorId":"V","data":""}]'
    link.peer.text(text.replace('""', f'"{"x" * (SMALL - len(text))}"'))
    assert link.peer.next_answer()[:2] == [3, "big"]


def test_a_peer_that_vanishes_harms_nobody(link: Link) -> None:
    link.peer.send(frame(link.peer.good, mask=link.peer.client)[:-3])
    link.peer.sock.close()
    assert link.other().is_alive()


def test_frames_are_masked_by_hand() -> None:
    """The tool of this file does what it says."""
    assert frame("ab") == bytes([0x81, 0x82]) + KEY + bytes([ord("a") ^ KEY[0], ord("b") ^ KEY[1]])
