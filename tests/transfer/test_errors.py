"""How failures of the protocols become reasons, and reasons the status of a log upload."""

from __future__ import annotations

import pytest

from openocpp.transfer import TransferError, TransferFailure
from openocpp.transfer.errors import ftp_failure, http_failure
from openocpp.types import UploadLogStatusEnumType as Status


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (TransferFailure.ADDRESS, Status.BadMessage),
        (TransferFailure.PROTOCOL, Status.BadMessage),
        (TransferFailure.UNSUPPORTED, Status.NotSupportedOperation),
        (TransferFailure.DENIED, Status.PermissionDenied),
        (TransferFailure.NOT_FOUND, Status.UploadFailure),
        (TransferFailure.SERVER, Status.UploadFailure),
        (TransferFailure.TLS, Status.UploadFailure),
        (TransferFailure.NETWORK, Status.UploadFailure),
        (TransferFailure.TIMEOUT, Status.UploadFailure),
        (TransferFailure.SIZE, Status.UploadFailure),
        (TransferFailure.FILE, Status.UploadFailure),
        (TransferFailure.CANCELLED, Status.UploadFailure),
    ],
)
def test_each_reason_has_a_status(reason: TransferFailure, status: Status) -> None:
    assert TransferError(reason, "text").upload_status is status


def test_an_error_tells_reason_and_text() -> None:
    error = TransferError(TransferFailure.SIZE, "ftp://host/file: too large")
    assert (error.reason, str(error)) == (TransferFailure.SIZE, "ftp://host/file: too large")


@pytest.mark.parametrize(
    ("status", "reason"),
    [(401, TransferFailure.DENIED), (413, TransferFailure.SIZE), (451, TransferFailure.SERVER)],
)
def test_reasons_of_http(status: int, reason: TransferFailure) -> None:
    assert http_failure(status) is reason


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("530 Login incorrect.", TransferFailure.DENIED),
        ("550 Permission denied.", TransferFailure.DENIED),
        ("550 fw.bin: No such file or directory", TransferFailure.NOT_FOUND),
        ("500 AUTH not understood", TransferFailure.UNSUPPORTED),
        ("452 Disk full", TransferFailure.SERVER),
        ("", TransferFailure.SERVER),
    ],
)
def test_reasons_of_ftp(reply: str, reason: TransferFailure) -> None:
    assert ftp_failure(reply) is reason
