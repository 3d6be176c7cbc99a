"""The cheapest central system there can be: it answers every CALL at once, and knows nothing.

    python benchmarks/raw_peer.py PORT      0: any free one; it is printed

It has a process of its own, so that what is measured beside it is the charge point alone.
"""

from __future__ import annotations

import base64
import hashlib
import selectors
import socket
import sys
from typing import Any

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
ANSWERS = {
    "BootNotification": '{"status":"Accepted","currentTime":"2024-01-01T00:00:00Z","interval":3600}',
    "Heartbeat": '{"currentTime":"2024-01-01T00:00:00Z"}',
    "Authorize": '{"idTagInfo":{"status":"Accepted"}}',
    "DataTransfer": '{"status":"Accepted"}',
}


class Connection:
    """One charge point."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.buffer = b""
        self.open = False
        self.transactions = 0

    def receive(self) -> bool:
        """False when it has ended."""
        data = self.sock.recv(262144)
        if not data:
            return False
        self.buffer += data
        if not self.open and b"\r\n\r\n" in self.buffer:
            head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
            self.upgrade(head)
        return not self.open or self.frames()

    def upgrade(self, head: bytes) -> None:
        key = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
        accept = base64.b64encode(hashlib.sha1(key.split(b":")[1].strip() + GUID).digest())
        self.sock.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Protocol: ocpp1.6\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        self.open = True

    def frames(self) -> bool:
        buffer, at, out = self.buffer, 0, b""
        while len(buffer) - at >= 6:
            size, head = buffer[at + 1] & 0x7F, 2
            if size == 126:
                size, head = int.from_bytes(buffer[at + 2 : at + 4], "big"), 4
            elif size == 127:
                size, head = int.from_bytes(buffer[at + 2 : at + 10], "big"), 10
            end = at + head + 4 + size
            if len(buffer) < end:
                break
            mask, data = buffer[at + head : at + head + 4], buffer[at + head + 4 : end]
            whole = (mask * (size // 4 + 1))[:size]
            payload = (int.from_bytes(data, "big") ^ int.from_bytes(whole, "big")).to_bytes(size, "big")
            opcode = buffer[at] & 15
            at = end
            if opcode == 8:
                self.sock.sendall(b"\x88" + bytes([len(payload)]) + payload)
                return False
            if opcode == 9:
                out += b"\x8a" + bytes([len(payload)]) + payload
            elif opcode == 1:
                out += self.answer(payload.decode())
        self.buffer = buffer[at:]
        if out:
            self.sock.sendall(out)
        return True

    def answer(self, text: str) -> bytes:
        parts = text.split('"', 4)
        action = parts[3]
        if action == "StartTransaction":
            self.transactions += 1
            answer = f'{{"idTagInfo":{{"status":"Accepted"}},"transactionId":{self.transactions}}}'
        else:
            answer = ANSWERS.get(action, "{}")
        data = f'[3,"{parts[1]}",{answer}]'.encode()
        assert len(data) < 126
        return b"\x81" + bytes([len(data)]) + data


def serve(port: int) -> None:
    listener = socket.create_server(("127.0.0.1", port), backlog=512)
    print(listener.getsockname()[1], flush=True)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ, None)
    while True:
        for key, _ in selector.select():
            connection: Any = key.data
            if connection is None:
                sock, _ = listener.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(sock, selectors.EVENT_READ, Connection(sock))
            elif not connection.receive():
                selector.unregister(connection.sock)
                connection.sock.close()


if __name__ == "__main__":
    serve(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
