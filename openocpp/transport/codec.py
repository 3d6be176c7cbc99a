"""Websocket frames <-> bytes (RFC 6455 §5), for both sides of a connection.

wsproto knows the rules. Nearly all frames are whole, short texts, though: these are read and written here without it,
in a fifth of the time. Whatever is not such a frame goes through wsproto, one complete frame after the other. What is
too big is refused as soon as a header tells so; compression is never negotiated.
Threads: that of the connection.
"""

from __future__ import annotations

import logging
import os
import struct
from collections import deque
from io import StringIO
from typing import TYPE_CHECKING, NamedTuple, Protocol

from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import CloseConnection, Ping, Pong, TextMessage
from wsproto.frame_protocol import CloseReason

from openocpp.transport.base import CloseCode

if TYPE_CHECKING:
    from wsproto.events import Event

log = logging.getLogger("openocpp.transport")

SHORT = 16 * 1024  # bytes; above it wsproto's way to mask is quicker
KEYS = 64  # keys of masks that are drawn at once
NO_STATUS = 1005  # the code of a Close frame that has none

_TEXT = 0x81  # a whole text: final, no reserved bit set
_FINAL = 0x80
_RESERVED = 0x70
_OPCODE = 0x0F
_BINARY = 0x2
_CONTROL = 0x8
_OPCODES = frozenset((0x0, 0x1, _BINARY, 0x8, 0x9, 0xA))
_MASKED = 0x80
_MAX_CONTROL = 125  # bytes: what one byte can tell, and the most of a control frame
_LENGTH_16 = 126
_LENGTH_64 = 127
_HEAD = 2
_HEAD_16 = struct.Struct("!BBH")
_HEAD_64 = struct.Struct("!BBQ")


class PingFrame(NamedTuple):
    """The peer wants these bytes back."""

    payload: bytes


class CloseFrame(NamedTuple):
    """The peer closes. ``code`` is 1005 when it gave none."""

    code: int
    reason: str


class Violation(NamedTuple):
    """The peer broke the protocol, or a limit: close with this code. Nothing can be read after it."""

    code: int
    reason: str


Item = str | PingFrame | CloseFrame | Violation


class Codec(Protocol):
    """What a connection needs to know of frames."""

    def receive(self, data: bytes) -> None:
        """Take bytes of the peer."""

    def take(self) -> Item | None:
        """The next whole message or event in them; None: more bytes are needed. Pongs are left out."""

    def text(self, text: str) -> bytes: ...

    def ping(self) -> bytes: ...

    def pong(self, payload: bytes) -> bytes: ...

    def close(self, code: int, reason: str = "") -> bytes:
        """A Close frame, the last one; without a status when ``code`` is 1005."""


class WsprotoCodec:
    """Frames of one connection after its handshake. ``max_message`` is in bytes of UTF-8."""

    __slots__ = (
        "_connection", "_input", "_mask_in", "_mask_out", "_max_message",
        "_needed", "_over", "_parts", "_short", "_size",
    )  # fmt: skip

    def __init__(self, *, client: bool, max_message: int) -> None:
        self._mask_out = _MASKED if client else 0
        self._mask_in = self._mask_out ^ _MASKED
        self._max_message = max_message
        self._short = min(SHORT, max_message)
        self._input: bytes | bytearray = b""
        self._needed = _HEAD  # with fewer bytes of input its first frame is not complete
        self._parts: StringIO | None = None  # of a fragmented message, as far as it came
        self._size = 0  # bytes of these parts
        self._over = False  # after a Close frame or a violation
        self._connection: Connection | None = None  # made when needed

    def receive(self, data: bytes) -> None:
        if self._over:
            return
        if not self._input:
            self._input = data
            return
        if not isinstance(self._input, bytearray):
            self._input = bytearray(self._input)
        self._input += data

    def take(self) -> Item | None:
        while (there := len(data := self._input)) >= self._needed:
            length = data[1] & 0x7F
            masked = data[1] & _MASKED
            size, start = length, _HEAD
            if length > _MAX_CONTROL:
                start = _HEAD_16.size if length == _LENGTH_16 else _HEAD_64.size
                if there < start:
                    self._needed = start
                    return None
                size = int.from_bytes(data[_HEAD:start], "big")
            if masked:
                start += 4
            if data[0] == _TEXT and masked == self._mask_in and size <= self._short and self._parts is None:
                if length == size or (length == _LENGTH_16 and size > _MAX_CONTROL):
                    end = start + size
                    if there < end:
                        self._needed = end
                        return None
                    return self._short_text(data, start, end)
            item = self._other_frame(data, start, size)
            if item is not None:
                return item
        return None

    def _consume(self, end: int) -> None:
        self._needed = _HEAD
        rest = self._input
        if len(rest) == end:
            self._input = b""
            return
        if not isinstance(rest, bytearray):
            self._input = rest = bytearray(rest)
        del rest[:end]  # cheap: nothing is moved

    def _short_text(self, data: bytes | bytearray, start: int, end: int) -> str | Violation:
        payload = data[start:end]
        if self._mask_in:
            payload = _mask(payload, data[start - 4 : start])
        self._consume(end)
        try:
            return payload.decode()
        except UnicodeDecodeError as error:
            return self._violation(CloseCode.BAD_DATA, error.reason)

    def _other_frame(self, data: bytes | bytearray, start: int, size: int) -> Item | None:
        """Fragments, control frames, long texts, and what is no frame at all. None: go on when ``_needed`` is there."""
        end = start + size
        opcode = data[0] & _OPCODE
        if not self._is_regular(data, size):
            if len(data) >= start:
                return self._irregular(bytes(data[:start]))
            self._needed = start
            return None
        if opcode == _BINARY:
            return self._violation(CloseCode.UNSUPPORTED_DATA, "binary message")
        is_data = not opcode & _CONTROL
        if is_data and self._size + size > self._max_message:
            return self._violation(CloseCode.TOO_BIG, f"message above {self._max_message} bytes")
        if len(data) < end:
            self._needed = end
            return None
        if is_data:
            self._size += size
        frame = bytes(data[:end])
        self._consume(end)
        return self._through_wsproto(frame)

    def _is_regular(self, data: bytes | bytearray, size: int) -> bool:
        """Does the header obey RFC 6455 §5.2, whatever stands before and behind this frame?"""
        first, second = data[0], data[1]
        opcode = first & _OPCODE
        length = second & 0x7F
        if first & _RESERVED or opcode not in _OPCODES or second & _MASKED != self._mask_in:
            return False
        if opcode & _CONTROL:
            return length <= _MAX_CONTROL and first & _FINAL != 0
        return size > (0xFFFF if length > _LENGTH_16 else _MAX_CONTROL if length == _LENGTH_16 else -1)

    def _irregular(self, header: bytes) -> Violation:
        item = self._through_wsproto(header)
        if isinstance(item, Violation):
            return item
        return self._violation(CloseCode.PROTOCOL_ERROR, "irregular frame")

    def _through_wsproto(self, frame: bytes) -> Item | None:
        connection = self._wsproto()
        item: Item | None = None
        try:
            connection.receive_data(frame)
            for event in connection.events():  # at most one, since it is at most one frame
                item = self._item_of(event, connection)
        except Exception as error:  # it is not written for hostile peers in all places
            log.exception("a frame of %d bytes was not understood", len(frame))
            return self._violation(CloseCode.PROTOCOL_ERROR, type(error).__name__)
        return item

    def _item_of(self, event: Event, connection: Connection) -> Item | None:
        if isinstance(event, TextMessage):
            return self._part(event.data, event.message_finished)
        if isinstance(event, Ping):
            return PingFrame(bytes(event.payload))
        if isinstance(event, CloseConnection):
            reason = event.reason or ""
            if connection.state in (ConnectionState.OPEN, ConnectionState.LOCAL_CLOSING):  # not closed: it gave up
                return self._violation(int(event.code), reason)
            self._end()
            return CloseFrame(int(event.code), reason)
        return None

    def _part(self, text: str, finished: bool) -> str | None:
        parts, self._parts = self._parts, None
        if finished:
            self._size = 0
            if parts is None:
                return text
            parts.write(text)
            return parts.getvalue()
        self._parts = parts or StringIO(newline="")
        self._parts.write(text)
        return None

    def _violation(self, code: int, reason: str) -> Violation:
        self._end()
        return Violation(code, reason)

    def _end(self) -> None:
        self._over = True
        self._input = b""
        self._needed = _HEAD
        self._parts = None

    def _wsproto(self) -> Connection:
        if self._connection is None:
            kind = ConnectionType.CLIENT if self._mask_out else ConnectionType.SERVER
            self._connection = Connection(kind)
        return self._connection

    def text(self, text: str) -> bytes:
        payload = text.encode()
        size = len(payload)
        if size <= _MAX_CONTROL:
            head = bytes((_TEXT, self._mask_out | size))
        elif size <= 0xFFFF:
            head = _HEAD_16.pack(_TEXT, self._mask_out | _LENGTH_16, size)
        else:
            head = _HEAD_64.pack(_TEXT, self._mask_out | _LENGTH_64, size)
        if not self._mask_out:
            return head + payload
        if size > SHORT:
            return bytes(self._wsproto().send(TextMessage(text)))
        key = _mask_key()
        return head + key + _mask(payload, key)

    def ping(self) -> bytes:
        return bytes(self._wsproto().send(Ping()))

    def pong(self, payload: bytes) -> bytes:
        return bytes(self._wsproto().send(Pong(payload)))

    def close(self, code: int, reason: str = "") -> bytes:
        if code == NO_STATUS:  # wsproto tells it by identity
            return bytes(self._wsproto().send(CloseConnection(CloseReason.NO_STATUS_RCVD)))
        return bytes(self._wsproto().send(CloseConnection(code, reason)))


_keys: deque[bytes] = deque()
os.register_at_fork(after_in_child=_keys.clear)  # whose masks must not be those of its parent


def _mask_key() -> bytes:
    """Four bytes that nobody can foretell (RFC 6455 §5.3). One question to the kernel gives many keys. Threads: any."""
    try:
        return _keys.pop()
    except IndexError:
        supply = os.urandom(4 * KEYS)
        _keys.extend([supply[at : at + 4] for at in range(4, 4 * KEYS, 4)])
        return supply[:4]


def _mask(payload: bytes | bytearray, key: bytes | bytearray) -> bytes:
    """Mask or unmask (RFC 6455 §5.3): one exclusive or of two long integers."""
    size = len(payload)
    repeated = (key * ((size + 3) // 4))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(repeated, "little")).to_bytes(size, "little")
