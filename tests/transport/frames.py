"""Raw frames (RFC 6455 §5.2) as a peer would write them, wrong ones too."""

from __future__ import annotations

import struct

TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 1, 2, 8, 9, 10, 0
KEY = b"\x12\x34\x56\x78"


def frame(
    payload: bytes | str,
    opcode: int = TEXT,
    *,
    final: bool = True,
    mask: bool = True,
    reserved: int = 0,
    length: int | None = None,
    width: int | None = None,
) -> bytes:
    """One frame. ``length`` and ``width`` (of the length: 7, 16, 64 bits) may lie."""
    data = payload.encode() if isinstance(payload, str) else payload
    size = len(data) if length is None else length
    width = width or (7 if size <= 125 else 16 if size <= 0xFFFF else 64)
    head = bytes([final << 7 | reserved << 4 | opcode])
    bit = mask << 7
    if width == 7:
        head += bytes([bit | size])
    elif width == 16:
        head += struct.pack("!BH", bit | 126, size)
    else:
        head += struct.pack("!BQ", bit | 127, size)
    if not mask:
        return head + data
    return head + KEY + bytes(byte ^ KEY[index % 4] for index, byte in enumerate(data))


def close_frame(code: int = 1000, reason: str = "", *, mask: bool = True) -> bytes:
    return frame(struct.pack("!H", code) + reason.encode(), CLOSE, mask=mask)
