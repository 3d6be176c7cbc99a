"""The tree of errors: what each carries, and what its text says."""

from __future__ import annotations

import pytest

from openocpp import errors
from openocpp.errors import (
    CallError,
    ConfigError,
    ConnectError,
    ConnectFailure,
    ErrorCode,
    LocalProtocolError,
    OcppError,
    RemoteProtocolError,
    RpcError,
    TransportError,
)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ConfigError("ListenUrl", "empty"), "ListenUrl: empty"),
        (ConfigError("ListenUrl", "empty", source="a.ini"), "a.ini: ListenUrl: empty"),
        (ConfigError("ListenUrl", "empty", accepted="a URL"), "ListenUrl: empty (accepted: a URL)"),
        (
            ConfigError("ListenUrl", "empty", accepted="a URL", source="a.ini"),
            "a.ini: ListenUrl: empty (accepted: a URL)",
        ),
        (CallError("GenericError"), "GenericError"),
        (CallError(ErrorCode.SecurityError, "no"), "SecurityError: no"),
        (LocalProtocolError("idTag", "too long"), "idTag: too long"),
        (LocalProtocolError("", "no object"), "no object"),
        (RemoteProtocolError(ErrorCode.TypeConstraintViolation, "idTag", "too long"), "idTag: too long"),
        (RemoteProtocolError(ErrorCode.FormationViolation, "", "no object"), "no object"),
        (ConnectError(ConnectFailure.DNS, "host: no such name"), "host: no such name"),
    ],
)
def test_texts_say_where_and_what(error: OcppError, text: str) -> None:
    assert str(error) == text


def test_what_they_carry() -> None:
    config = ConfigError("ListenUrl", "empty", accepted="a URL", source="a.ini")
    assert (config.key, config.problem, config.accepted, config.source) == ("ListenUrl", "empty", "a URL", "a.ini")
    refused = CallError(ErrorCode.GenericError, "no", {"a": 1})
    assert (refused.code, refused.description, refused.details) == ("GenericError", "no", {"a": 1})
    assert CallError("Whatever").details == {}
    connect = ConnectError(ConnectFailure.HTTP_STATUS, "refused", status=401)
    assert (connect.reason, connect.status) == (ConnectFailure.HTTP_STATUS, 401)
    assert ConnectError(ConnectFailure.REFUSED, "refused").status is None
    local = LocalProtocolError("idTag", "too long")
    assert (local.field, local.problem) == ("idTag", "too long")
    remote = RemoteProtocolError(ErrorCode.TypeConstraintViolation, "idTag", "is a number")
    assert (remote.code, remote.field, remote.problem) == (ErrorCode.TypeConstraintViolation, "idTag", "is a number")


def test_one_tree() -> None:
    """Whoever catches the root catches all, and misuse of a value is a ValueError too."""
    found = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    assert len(found) == 13
    assert all(issubclass(error, OcppError) for error in found)
    assert [error for error in found if issubclass(error, ValueError)] == [LocalProtocolError]
    assert issubclass(ConnectError, TransportError)
    assert not issubclass(TransportError, RpcError)


def test_the_codes_are_those_of_the_standard() -> None:
    """J §4.2.3, with its spelling (errata-J 5.1)."""
    assert [code.value for code in ErrorCode] == [
        "NotImplemented", "NotSupported", "InternalError", "ProtocolError", "SecurityError", "FormationViolation",
        "PropertyConstraintViolation", "OccurenceConstraintViolation", "TypeConstraintViolation", "GenericError",
    ]  # fmt: skip
    assert all(code.name == code.value for code in ErrorCode)
