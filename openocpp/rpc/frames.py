"""CALL, CALLRESULT and CALLERROR as JSON texts (J §4.2). Payloads are plain objects here.

Threads: any; pure functions.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple, TypeAlias

from openocpp.errors import ErrorCode
from openocpp.rpc.json import dumps, loads, quoted

CALL = 2
CALLRESULT = 3
CALLERROR = 4

MAX_OWN_ID = 36  # characters (J §4.1.4)
MAX_PEER_ID = 255
MAX_DESCRIPTION = 255  # characters (J §4.2.3)

CODE_SPELLINGS = {
    "FormatViolation": ErrorCode.FormationViolation,
    "OccurrenceConstraintViolation": ErrorCode.OccurenceConstraintViolation,
}  # what the standard's names would be without its slips: peers send both

_HEAD = re.compile(r'\s*\[\s*([0-9]{1,9})\s*,\s*(?:"([^"\\]*(?:\\.[^"\\]*)*)"|([^,\]\s]+))')


class CallFrame(NamedTuple):
    """A peer's request. ``id_text`` is the id as JSON, to be answered as it came."""

    id_text: str
    action: str
    payload: Any
    remark: str = ""


class ResultFrame(NamedTuple):
    """The answer to a request."""

    id_text: str
    payload: Any


class ErrorFrame(NamedTuple):
    """The refusal of a request."""

    id_text: str
    code: str
    description: str
    details: dict[str, Any]


class BadFrame(NamedTuple):
    """A text that is none of the three. ``id_text`` is there when it deserves a CALLERROR with ``code``."""

    problem: str
    id_text: str | None = None
    code: ErrorCode = ErrorCode.ProtocolError


Frame: TypeAlias = CallFrame | ResultFrame | ErrorFrame | BadFrame


def peek(text: str) -> tuple[int, str] | None:
    """Type number and id of a message that is not parsed yet, or None when it does not begin like one. Cheap."""
    match = _HEAD.match(text)
    if match is None:
        return None
    kind, text_id, bare_id = match.groups()
    return int(kind), bare_id if text_id is None else text_id


def parse(text: str) -> Frame:
    """Read one text. Never raises: what is wrong is in the BadFrame."""
    try:
        message = loads(text)
    except ValueError as error:
        return BadFrame(f"not JSON: {error}"[:200], _id_of_broken(text), ErrorCode.FormationViolation)
    if not isinstance(message, list) or not message:
        return BadFrame("not a JSON array with elements")
    kind = message[0]
    if type(kind) is not int:
        return BadFrame("the message type is no whole number")
    if kind == CALL:
        return _call(message)
    if kind == CALLRESULT:
        return _result(message)
    if kind == CALLERROR:
        return _error(message)
    return BadFrame(f"unknown message type {kind!s:.20}")


def _id_of_broken(text: str) -> str | None:
    """The id of a CALL whose text is broken further on: its sender need not wait for an answer in vain."""
    head = _HEAD.match(text)
    if head is None or int(head[1]) != CALL or head[2] is None:
        return None
    try:
        unique_id = loads(f'"{head[2]}"')
    except ValueError:
        return None
    return dumps(unique_id) if len(unique_id) <= MAX_PEER_ID else None


def _call(message: list[Any]) -> Frame:
    if len(message) == 4:  # nearly all are like this
        _, unique_id, action, payload = message
        if type(unique_id) is str and len(unique_id) <= MAX_OWN_ID and type(action) is str and type(payload) is dict:
            return CallFrame(quoted(unique_id), action, payload)
    return _unusual_call(message)


def _unusual_call(message: list[Any]) -> Frame:
    """What can be forgiven, and what is wrong with the rest."""
    if len(message) < 2:
        return BadFrame("a CALL without id")
    unique_id = message[1]
    if isinstance(unique_id, (dict, list, bool)) or unique_id is None:
        return BadFrame("a CALL whose id is no text")
    id_text = dumps(unique_id)
    if len(str(unique_id)) > MAX_PEER_ID:
        return BadFrame(f"a CALL with an id of more than {MAX_PEER_ID} characters")
    if len(message) != 4:
        return BadFrame(f"a CALL has 4 elements, this one has {len(message)}", id_text, ErrorCode.FormationViolation)
    _, _, action, payload = message
    if not isinstance(action, str):
        return BadFrame("the action is no text", id_text, ErrorCode.FormationViolation)
    if payload is None:
        payload = {}
    if not isinstance(payload, dict):
        return BadFrame("the payload is no object", id_text, ErrorCode.FormationViolation)
    remark = ""
    if not isinstance(unique_id, str):
        remark = "the id is a number, not a text"
    elif len(unique_id) > MAX_OWN_ID:
        remark = f"the id has {len(unique_id)} characters, {MAX_OWN_ID} are allowed"
    return CallFrame(id_text, action, payload, remark)


def _result(message: list[Any]) -> Frame:
    if len(message) == 3 and type(message[1]) is str and message[2] is not None:
        return ResultFrame(quoted(message[1]), message[2])
    if len(message) < 2 or isinstance(message[1], (dict, list)):
        return BadFrame("a CALLRESULT without id")
    if len(message) != 3:
        return BadFrame(f"a CALLRESULT has 3 elements, this one has {len(message)}")
    payload = {} if message[2] is None else message[2]
    return ResultFrame(dumps(message[1]), payload)


def _error(message: list[Any]) -> Frame:
    """Lenient: whatever it carries, it ends the call it answers."""
    if len(message) < 2 or isinstance(message[1], (dict, list)):
        return BadFrame("a CALLERROR without id")
    code = _text(message, 2) or ErrorCode.GenericError
    details = message[4] if len(message) > 4 and isinstance(message[4], dict) else {}
    return ErrorFrame(dumps(message[1]), CODE_SPELLINGS.get(code, code), _text(message, 3), details)


def _text(message: list[Any], index: int) -> str:
    if len(message) <= index or message[index] is None:
        return ""
    value = message[index]
    return value if isinstance(value, str) else dumps(value)


def call_text(unique_id: str, action: str, payload: str) -> str:
    """The text of a CALL. ``payload`` is a JSON object as text."""
    return f'[2, "{unique_id}", "{action}", {payload}]'


def result_text(id_text: str, payload: str) -> str:
    """The text of a CALLRESULT to the CALL with that id."""
    return f"[3, {id_text}, {payload}]"


def error_text(id_text: str, code: str, description: str = "", details: str = "{}") -> str:
    """The text of a CALLERROR. The description is cut to what the standard allows."""
    return f"[4, {id_text}, {dumps(str(code))}, {dumps(description[:MAX_DESCRIPTION])}, {details}]"


def sendable(text: str) -> str:
    """The text as UTF-8 can carry it: halves of surrogate pairs, which JSON can express and a peer may have sent in an
    id, are written as the escapes that they came as."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def readdressed(text: str, id_text: str) -> str:
    """A message that is well formed with this id, and otherwise as it stands: for those who pass it on."""
    if id_text[0] == '"' and (text.startswith(id_text, 3) or text.startswith(id_text, 4)):
        return text  # it has the id already, where most write it
    head = _HEAD.match(text)
    if head is None:
        raise ValueError("no message begins like this")
    return f"[{head[1]}, {id_text}{text[head.end() :]}"


def is_legal_error(text: str) -> bool:
    """Is this CALLERROR one that we may send ourselves (J §4.2.3)?"""
    match loads(text):
        case [_, _, str(code), str(description), dict()]:
            return bool(code) and len(description) <= MAX_DESCRIPTION
        case _:
            return False
