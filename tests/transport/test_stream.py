from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from openocpp.transport.stream import PlainStream

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def ends() -> Iterator[tuple[PlainStream, socket.socket]]:
    ours, theirs = socket.socketpair()
    stream = PlainStream(ours)
    with ours, theirs:
        yield stream, theirs


def fill(stream: PlainStream) -> None:
    while stream.send(b"x" * 100_000):
        continue


def test_bytes_both_ways(ends: tuple[PlainStream, socket.socket]) -> None:
    stream, peer = ends
    assert stream.handshake() == 0
    assert stream.peer_certificate() is None
    assert stream.send(b"abc") == 3
    assert peer.recv(10) == b"abc"
    peer.sendall(b"def")
    assert stream.recv(2) == b"de"
    assert not stream.pending()  # the selector tells of the rest
    assert stream.recv(2) == b"f"


def test_nothing_blocks(ends: tuple[PlainStream, socket.socket]) -> None:
    stream, _ = ends
    with pytest.raises(BlockingIOError):
        stream.recv(1)
    with pytest.raises(BlockingIOError):
        fill(stream)


def test_after_finish_the_peer_can_still_send(ends: tuple[PlainStream, socket.socket]) -> None:
    stream, peer = ends
    stream.finish()
    assert peer.recv(1) == b""
    peer.sendall(b"late")
    assert stream.recv(10) == b"late"
    peer.close()
    assert stream.recv(10) == b""


def test_finish_and_close_never_raise(ends: tuple[PlainStream, socket.socket]) -> None:
    stream, _ = ends
    stream.close()
    stream.close()
    stream.finish()
    assert stream.socket.fileno() == -1
