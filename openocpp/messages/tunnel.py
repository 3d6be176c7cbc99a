"""Plug & Charge messages in their DataTransfer envelope (PNC chapter 2).

The request's name is the ``messageId``, its JSON object is the text ``data``. The outer status says whether the inner
message was understood; what became of it stands in the inner answer.

Threads: any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from openocpp.errors import ErrorCode, RemoteProtocolError
from openocpp.messages.base import PNC_ACTIONS, Confirmation, Request, Role
from openocpp.messages.codec import from_payload, to_payload
from openocpp.messages.core import DataTransferConf, DataTransferReq
from openocpp.messages.iso15118 import (
    Iso15118AuthorizeReq,
    Iso15118Get15118EVCertificateConf,
    Iso15118GetCertificateStatusConf,
)
from openocpp.rpc.json import dumps, loads
from openocpp.types.enums import DataTransferStatus

if TYPE_CHECKING:
    from openocpp.types.record import Record

C = TypeVar("C", bound=Confirmation)
Q = TypeVar("Q", bound=Request[Any])
R = TypeVar("R", bound="Record")

VENDOR_ID = "org.openchargealliance.iso15118pnc"

UNKNOWN_MESSAGE = DataTransferConf(status=DataTransferStatus.UnknownMessageId)
REJECTED = DataTransferConf(status=DataTransferStatus.Rejected)

# What may be left out only of a negative answer (PNC §6.4, §6.5, §8.13).
_NEEDED = {Iso15118Get15118EVCertificateConf: "exiResponse", Iso15118GetCertificateStatusConf: "ocspResult"}


def wrap(request: Request[Any], *, id_token_as_object: bool = False) -> DataTransferReq:
    """The envelope of a request. LocalProtocolError names the field that breaks the standard.

    ``id_token_as_object`` writes the id token of Authorize as PNC §7.3 can be read: as an object with one member.
    """
    payload = to_payload(request)
    if id_token_as_object and isinstance(request, Iso15118AuthorizeReq):
        payload["idToken"] = {"idToken": payload["idToken"]}
    return DataTransferReq(vendor_id=VENDOR_ID, message_id=type(request).action, data=dumps(payload))


def find_request(message_id: str | None, sender: Role) -> type[Request[Any]] | None:
    """The message that this role sends under this name. ``None``: answer with ``UNKNOWN_MESSAGE``."""
    info = PNC_ACTIONS.get(message_id or "")
    return info.request if info and info.may_be_sent_by(sender) else None


def unwrap(request_type: type[Q], data: str | None) -> Q:
    """The request in an envelope. RemoteProtocolError if it is none: answer with ``REJECTED``."""
    return _parse(request_type, data)


def wrap_answer(confirmation: Confirmation) -> DataTransferConf:
    """The envelope of an answer. LocalProtocolError names the field that breaks the standard."""
    return DataTransferConf(status=DataTransferStatus.Accepted, data=dumps(to_payload(confirmation)))


def unwrap_answer(request_type: type[Request[C]], answer: DataTransferConf) -> C | None:
    """The answer in an envelope; ``None`` if the peer did not understand the request (see ``answer.status``).

    RemoteProtocolError if it claims to have, and the text is no answer.
    """
    if answer.status is not DataTransferStatus.Accepted:
        return None
    confirmation: Any = _parse(request_type.confirmation, answer.data)
    needed = _NEEDED.get(type(confirmation))
    if needed and confirmation.status == "Accepted" and not to_payload(confirmation).get(needed):
        raise RemoteProtocolError(ErrorCode.OccurenceConstraintViolation, f"data.{needed}", "is missing")
    return confirmation  # type: ignore[no-any-return]


def _parse(cls: type[R], data: str | None) -> R:
    try:
        payload = loads(data or "{}")
    except ValueError as error:
        raise RemoteProtocolError(ErrorCode.FormationViolation, "data", f"is not JSON: {error}") from None
    try:
        return from_payload(cls, payload)
    except RemoteProtocolError as error:
        raise RemoteProtocolError(error.code, f"data.{error.field}".rstrip("."), error.problem) from None
