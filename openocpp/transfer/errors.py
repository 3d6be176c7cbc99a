"""What can go wrong with a transfer, and how the log upload's status names it.

Threads: any.
"""

from __future__ import annotations

from enum import StrEnum

from openocpp.errors import OcppError
from openocpp.types import UploadLogStatusEnumType


class TransferFailure(StrEnum):
    """Why a transfer did not end well."""

    ADDRESS = "address"  # the URL cannot be understood
    UNSUPPORTED = "unsupported"  # scheme or operation that we or the server do not know
    DENIED = "denied"  # the server wants other credentials, or forbids it
    NOT_FOUND = "not found"
    PROTOCOL = "protocol"  # the two sides do not understand each other
    SERVER = "server"  # the server could not or would not do it
    TLS = "tls"  # no trusted, encrypted connection
    NETWORK = "network"  # no connection, or it ended in the middle
    TIMEOUT = "timeout"  # silence for too long, or the deadline of the whole transfer has passed
    SIZE = "size"  # larger than allowed
    FILE = "file"  # our own file could not be read or written
    CANCELLED = "cancelled"


# SEC §4 (N01.FR.10): four ways for an upload to fail; what is not here is an UploadFailure.
_UPLOAD_STATUS = {
    TransferFailure.ADDRESS: UploadLogStatusEnumType.BadMessage,
    TransferFailure.PROTOCOL: UploadLogStatusEnumType.BadMessage,
    TransferFailure.UNSUPPORTED: UploadLogStatusEnumType.NotSupportedOperation,
    TransferFailure.DENIED: UploadLogStatusEnumType.PermissionDenied,
}


class TransferError(OcppError):
    """A file was not transferred: ``reason`` says why, the text what was attempted. It never contains credentials."""

    def __init__(self, reason: TransferFailure, text: str) -> None:
        self.reason = reason
        super().__init__(text)

    @property
    def upload_status(self) -> UploadLogStatusEnumType:
        """The status that tells the central system about it (SEC N01.FR.10)."""
        return _UPLOAD_STATUS.get(self.reason, UploadLogStatusEnumType.UploadFailure)


# RFC 9110 §15: what is not here is the server's trouble.
_HTTP_FAILURES = {
    400: TransferFailure.PROTOCOL,
    401: TransferFailure.DENIED,
    403: TransferFailure.DENIED,
    404: TransferFailure.NOT_FOUND,
    405: TransferFailure.UNSUPPORTED,
    407: TransferFailure.DENIED,
    410: TransferFailure.NOT_FOUND,
    411: TransferFailure.PROTOCOL,
    413: TransferFailure.SIZE,
    414: TransferFailure.PROTOCOL,
    415: TransferFailure.PROTOCOL,
    422: TransferFailure.PROTOCOL,
    431: TransferFailure.PROTOCOL,
    501: TransferFailure.UNSUPPORTED,
    505: TransferFailure.PROTOCOL,
}

# RFC 959 §4.2, RFC 4217: 550 is for missing files and for missing rights alike, see `ftp_failure`.
_FTP_FAILURES = {
    "500": TransferFailure.UNSUPPORTED,
    "501": TransferFailure.PROTOCOL,
    "502": TransferFailure.UNSUPPORTED,
    "503": TransferFailure.PROTOCOL,
    "504": TransferFailure.UNSUPPORTED,
    "522": TransferFailure.DENIED,
    "530": TransferFailure.DENIED,
    "532": TransferFailure.DENIED,
    "534": TransferFailure.DENIED,
    "552": TransferFailure.SIZE,
    "553": TransferFailure.DENIED,
}
_MISSING = ("no such", "not found", "not exist", "cannot find", "can't find")


def http_failure(status: int) -> TransferFailure:
    """The reason for an HTTP status that means failure."""
    return _HTTP_FAILURES.get(status, TransferFailure.SERVER)


def ftp_failure(reply: str) -> TransferFailure:
    """The reason for an FTP reply that means failure."""
    if reply[:3] == "550":
        missing = any(words in reply.lower() for words in _MISSING)
        return TransferFailure.NOT_FOUND if missing else TransferFailure.DENIED
    return _FTP_FAILURES.get(reply[:3], TransferFailure.SERVER)
