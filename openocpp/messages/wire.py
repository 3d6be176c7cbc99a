"""The four operations between JSON payloads and messages, with validation in both directions.

What a peer sends is judged by the codec and, where a foreign folder of schemas is configured, by its files first. A
peer that breaks rules can be forgiven per action: ``log`` says what was wrong and delivers what can be understood,
``off`` delivers without a word; what cannot be understood is refused in every mode. What we send is always strict.

Threads: any.
"""

from __future__ import annotations

import logging
import re
from enum import auto
from typing import TYPE_CHECKING, Any, TypeVar

from openocpp.errors import CallError, ConfigError, ErrorCode, RemoteProtocolError
from openocpp.messages.base import ACTIONS, ActionInfo, Confirmation, Request
from openocpp.messages.codec import Reading, reader_of
from openocpp.messages.values import json_type
from openocpp.rpc.json import dumps
from openocpp.types.base import OcppEnum, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openocpp.messages.schema import SchemaSet
    from openocpp.types.record import Record

C = TypeVar("C", bound=Confirmation)

_log = logging.getLogger("openocpp.messages")

MAX_DESCRIPTION = 255  # characters of an errorDescription (J §4.2.3)
_INDEX = re.compile(r"\[\d+\]")


class ValidationMode(OcppEnum):
    """What becomes of a received message that breaks the standard."""

    strict = auto()
    log = auto()
    off = auto()


_STRICT: dict[str, ValidationMode] = {"*": ValidationMode.strict}


class Wire:
    """Reads and writes the payloads of one connection.

    ``modes`` maps actions to validation modes, ``*`` is for all others; ConfigError if a mode or an action is unknown.
    ``name`` stands in the log lines.
    """

    __slots__ = ("_causes", "_modes", "_schemas", "name")

    def __init__(self, schemas: SchemaSet, modes: Mapping[str, str] | None = None, name: str = "") -> None:
        self._schemas = schemas
        self.name = name
        self._modes = _STRICT
        self._causes: dict[tuple[str, str, str], int] | None = None
        for action, mode in (modes or {}).items():
            self.set_mode(mode, action)

    def __repr__(self) -> str:
        return f"Wire({self.name!r}, {', '.join(f'{action}: {mode}' for action, mode in self._modes.items())})"

    def set_mode(self, mode: str, action: str = "*") -> None:
        """Set the validation of one action, or of all that have none of their own."""
        if action != "*" and action not in ACTIONS:
            raise ConfigError("MessageValidation", f"{action!r} is not an action of the standard")
        try:
            modes = self._modes | {action: ValidationMode(mode)}
        except ValueError:
            accepted = ", ".join(ValidationMode)
            raise ConfigError("MessageValidation", f"{mode!r} is not a mode", accepted=accepted) from None
        self._modes = _STRICT if modes == _STRICT else modes

    def mode(self, action: str) -> ValidationMode:
        """How what the peer sends is validated."""
        return self._modes.get(action) or self._modes["*"]

    def read_request(self, action: str, payload: object) -> Request[Any]:
        """The peer's request. CallError with the code and a text that names the field; ``null`` is the empty object."""
        info = ACTIONS.get(action)
        if info is None:
            raise CallError(ErrorCode.NotImplemented, f"{printable(action)} is not an action of OCPP 1.6")
        try:
            return self._read(info, info.request, payload)  # type: ignore[no-any-return]
        except RemoteProtocolError as error:
            raise _refusal(error) from error

    def read_confirmation(self, request_type: type[Request[C]], payload: object) -> C:
        """The peer's answer to a request of ours. RemoteProtocolError names the field."""
        info = ACTIONS[request_type.action]
        return self._read(info, info.confirmation, payload)  # type: ignore[no-any-return]

    def check_request(self, info: ActionInfo, payload: object) -> None:
        """Judge a request that somebody else is to read: as ``read_request``, but in mode ``off`` all is well."""
        try:
            self.check(info, info.request, payload)
        except RemoteProtocolError as error:
            raise _refusal(error) from error

    def check(self, info: ActionInfo, cls: type[Record], payload: object) -> None:
        """Judge a message of this action. RemoteProtocolError names the field."""
        if self._modes is _STRICT and type(payload) is dict:  # the usual case; null and the like are for ``_read``
            self._schemas.checker(cls)(payload)
        elif self.mode(info.action) is not ValidationMode.off:
            self._read(info, cls, payload)

    def write_request(self, request: Request[Any]) -> str:
        """The payload of our request as JSON text. LocalProtocolError names the field."""
        return dumps(self._schemas.writer(type(request))(request))

    def write_confirmation(self, confirmation: Confirmation) -> str:
        """The payload of our answer as JSON text. LocalProtocolError names the field."""
        return dumps(self._schemas.writer(type(confirmation))(confirmation))

    def _read(self, info: ActionInfo, cls: type[Record], payload: object) -> Any:
        if payload is None:
            payload = {}
        if type(payload) is not dict:
            raise RemoteProtocolError(ErrorCode.FormationViolation, "", f"is {json_type(payload)}, not an object")
        if self._modes is _STRICT:
            return self._schemas.reader(cls)(payload)
        mode = self.mode(info.action)
        if mode is ValidationMode.off:
            return reader_of(cls, Reading.RELAXED)(payload)
        try:
            return self._schemas.reader(cls)(payload)
        except RemoteProtocolError as error:
            if mode is ValidationMode.strict:
                raise
            return self._forgive(cls, payload, error)

    def _forgive(self, cls: type[Record], payload: object, error: RemoteProtocolError) -> Any:
        """Understand what can be understood, and log what was wrong: the first time, then at each power of ten."""
        try:
            message = reader_of(cls, Reading.RELAXED)(payload)
        except RemoteProtocolError:
            raise error from None
        if self._causes is None:
            self._causes = {}
        field = _INDEX.sub("[]", error.field)
        if error.code is ErrorCode.FormationViolation:
            field = field.rpartition(".")[0]  # whatever else the peer calls its own fields: there is no end of names
        cause = (cls.__name__, error.code, field)
        count = self._causes[cause] = self._causes.get(cause, 0) + 1
        if str(count).strip("0") == "1":
            times = f" ({count} times)" if count > 1 else ""
            _log.warning("%s: %s breaks the standard, but is delivered%s: %s", self.name, cls.__name__, times, error)
        return message


def _refusal(error: RemoteProtocolError) -> CallError:
    return CallError(error.code, shorten(str(error) if error.field else f"payload {error}"))


def shorten(text: str) -> str:
    """The text, cut to what an errorDescription may hold."""
    return text if len(text) <= MAX_DESCRIPTION else text[: MAX_DESCRIPTION - 3] + "..."
