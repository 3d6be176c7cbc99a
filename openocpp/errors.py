"""Every exception of the package, one tree on one page.

    OcppError
      StateError                     wrong moment or thread: a bug of the caller
      ConfigError  StoreError  CertificateError
      TransportError
        ConnectError                 no connection was made, and why
        ConnectionLost               there is none, or it ended while an answer was awaited
      RpcError
        CallTimeout                  no answer in time
        CallError                    the CALLERROR frame, in both directions (J §4.2.3)
        LocalProtocolError           our message breaks the standard; nothing was sent
        RemoteProtocolError          the peer's message breaks the standard

Texts say what was attempted, on what. Secrets never appear in them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class OcppError(Exception):
    """Base of all errors of this package."""


class StateError(OcppError):
    """The operation was called at the wrong moment or on the wrong thread: a bug of the caller."""


class ConfigError(OcppError):
    """A setting is missing or unusable.

    ``key`` names it, ``source`` the file or object it came from, ``accepted`` what would be accepted.
    """

    def __init__(self, key: str, problem: str, *, accepted: str = "", source: str = "") -> None:
        self.key = key
        self.problem = problem
        self.accepted = accepted
        self.source = source
        where = f"{source}: " if source else ""
        hint = f" (accepted: {accepted})" if accepted else ""
        super().__init__(f"{where}{key}: {problem}{hint}")


class StoreError(OcppError):
    """The database could not be opened, read or written."""


class CertificateError(OcppError):
    """A certificate, request or key could not be read, made or verified."""


class TransportError(OcppError):
    """Something went wrong with a connection or a listening address."""


class ConnectFailure(StrEnum):
    """Why no connection was made."""

    DNS = "dns"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    PROXY = "proxy"
    TLS = "tls"
    HTTP_STATUS = "http status"
    PROTOCOL = "protocol"
    CANCELLED = "cancelled"
    NETWORK = "network"


class ConnectError(TransportError):
    """No connection was made. ``reason`` says why; ``status`` is the HTTP status when the peer answered one."""

    def __init__(self, reason: ConnectFailure, text: str, *, status: int | None = None) -> None:
        self.reason = reason
        self.status = status
        super().__init__(text)


class ConnectionLost(TransportError):
    """There is no connection, or it ended before the answer came."""


class RpcError(OcppError):
    """A call was made and did not bring a usable answer."""


class CallTimeout(RpcError):
    """No answer within the time allowed for it."""


class ErrorCode(StrEnum):
    """The error codes of a CALLERROR (J §4.2.3). A peer may send others: ``CallError.code`` is a text."""

    NotImplemented = "NotImplemented"
    NotSupported = "NotSupported"
    InternalError = "InternalError"
    ProtocolError = "ProtocolError"
    SecurityError = "SecurityError"
    FormationViolation = "FormationViolation"
    PropertyConstraintViolation = "PropertyConstraintViolation"
    OccurenceConstraintViolation = "OccurenceConstraintViolation"  # one r: the standard's spelling (errata-J 5.1)
    TypeConstraintViolation = "TypeConstraintViolation"
    GenericError = "GenericError"


class CallError(RpcError):
    """The CALLERROR frame: raised in a handler it is sent to the peer, received it is raised by ``call``.

    ``description`` is at most 255 characters on the wire; ``details`` is a JSON object.
    """

    def __init__(self, code: str, description: str = "", details: Mapping[str, Any] | None = None) -> None:
        self.code = str(code)
        self.description = description
        self.details: Mapping[str, Any] = details or {}
        super().__init__(f"{self.code}: {description}" if description else self.code)


class LocalProtocolError(RpcError, ValueError):
    """Our own message breaks the standard: ``field`` names the culprit. Nothing was sent."""

    def __init__(self, field: str, problem: str) -> None:
        self.field = field
        self.problem = problem
        super().__init__(f"{field}: {problem}" if field else problem)


class RemoteProtocolError(RpcError):
    """The peer's message breaks the standard: ``field`` names the culprit, ``code`` is the answer it deserves."""

    def __init__(self, code: ErrorCode, field: str, problem: str) -> None:
        self.code = code
        self.field = field
        self.problem = problem
        super().__init__(f"{field}: {problem}" if field else problem)
