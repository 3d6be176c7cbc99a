"""The server's part of the HTTP upgrade: read a request strictly, judge it, write the answer (RFC 9112, RFC 6455 §4.2).

Bytes in, bytes out; a head is read only when it is complete. What the path and the credentials are worth is decided in
``admission``.
Threads: any.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from hashlib import sha1
from http import HTTPStatus
from typing import NamedTuple

from openocpp.transport.admission import bad_request
from openocpp.transport.base import Refused

MAX_HEAD = 8 * 1024  # bytes of request line and header
END_OF_HEAD = b"\r\n\r\n"
KEY_BYTES = 16

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 §1.3
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_REQUEST_LINE = re.compile(r"([A-Z]+) ([\x21-\x7e]+) HTTP/(\d)\.(\d)")
_FIELD = re.compile(rf"({_TOKEN.pattern}):([\t\x20-\x7e\x80-\xff]*)")  # nothing to try twice: linear
_HOST = re.compile(r"[\x21-\x7e]*")


class HttpRequest(NamedTuple):
    """A request without a body. Names of fields are in lower case; a field may have come more than once."""

    method: str
    target: str
    fields: dict[str, list[str]]

    def single(self, name: str) -> str | None:
        """The value of a field that must not be repeated; None when it is missing. Raises ValueError."""
        values = self.fields.get(name)
        if values is None:
            return None
        if len(values) > 1:
            raise ValueError(f"more than one field {name}")
        return values[0]

    def tokens(self, name: str) -> tuple[str, ...]:
        """The elements of a list of tokens, over all fields of this name. Raises ValueError."""
        found: list[str] = []
        for token in _elements(self, name):
            if not token:
                continue
            if not _TOKEN.fullmatch(token):
                raise ValueError(f"the field {name} is no list of tokens")
            found.append(token)
        return tuple(found)


def could_be_request(data: bytes) -> bool:
    """Can these first bytes be those of an HTTP request? A TLS client, for one, begins otherwise."""
    return b"A" <= data[:1] <= b"Z"


def parse_request(head: bytes) -> HttpRequest:
    """Read request line and fields, up to and without the empty line. Raises ValueError that shows no field."""
    first, *lines = head.decode("latin-1").split("\r\n")
    match = _REQUEST_LINE.fullmatch(first)
    if match is None:
        raise ValueError("no HTTP request line")
    method, target, major, minor = match.groups()
    if major != "1" or minor == "0":
        raise ValueError(f"HTTP/{major}.{minor} instead of HTTP/1.1")
    fields: dict[str, list[str]] = {}
    for line in lines:
        field = _FIELD.fullmatch(line)
        if field is None:
            raise ValueError("a header line that is no field")
        fields.setdefault(field[1].lower(), []).append(field[2].strip(" \t"))
    if "transfer-encoding" in fields or any(value != "0" for value in fields.get("content-length", ())):
        raise ValueError("a request with a body")
    return HttpRequest(method, target, fields)


def judge_upgrade(request: HttpRequest) -> str | Refused:
    """The key of a right request to upgrade; else 405, 426 or 400."""
    try:
        if request.method != "GET":
            return Refused(405, (("Allow", "GET"),), f"method {request.method}")
        if not (_names(request, "upgrade", "websocket") and _names(request, "connection", "upgrade")):
            return _upgrade_required("no request to upgrade to a websocket")
        if request.single("sec-websocket-version") != "13":
            return _upgrade_required("another version of the websocket protocol")
        host = request.single("host")
        key = request.single("sec-websocket-key") or ""
        if host is None or not _HOST.fullmatch(host):
            raise ValueError("no usable Host")
        if len(b64decode(key.encode("ascii"), validate=True)) != KEY_BYTES:
            raise ValueError("the key has another length")
    except ValueError as error:
        return bad_request(str(error))
    return key


def _names(request: HttpRequest, field: str, token: str) -> bool:
    return any(value.partition("/")[0].lower() == token for value in _elements(request, field))


def _elements(request: HttpRequest, field: str) -> list[str]:
    return [part.strip(" \t") for value in request.fields.get(field, ()) for part in value.split(",")]


def _upgrade_required(reason: str) -> Refused:
    return Refused(426, (("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")), reason)


def answer_upgrade(key: str, subprotocol: str) -> bytes:
    """101. An empty sub-protocol leaves the field out."""
    accept = b64encode(sha1(key.encode("ascii") + _GUID, usedforsecurity=False).digest()).decode("ascii")
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
    lines.append(f"Sec-WebSocket-Accept: {accept}")
    if subprotocol:
        lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def answer_refused(refused: Refused) -> bytes:
    """The answer after which the connection is closed. The reason is ours, and not told."""
    try:
        phrase = HTTPStatus(refused.status).phrase
    except ValueError:  # a status of the application's own
        phrase = ""
    upgrade = any(name.lower() == "upgrade" for name, _ in refused.headers)
    lines = [f"HTTP/1.1 {refused.status} {phrase}", *(f"{name}: {value}" for name, value in refused.headers)]
    lines += ["Content-Length: 0", f"Connection: {'Upgrade, close' if upgrade else 'close'}"]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")
