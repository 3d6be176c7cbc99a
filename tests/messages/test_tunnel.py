"""Plug & Charge messages in their DataTransfer envelope."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any, assert_type

import pytest

from openocpp.errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from openocpp.messages import (
    PNC_ACTIONS,
    DataTransferConf,
    DataTransferReq,
    Iso15118AuthorizeReq,
    Iso15118Get15118EVCertificateConf,
    Iso15118Get15118EVCertificateReq,
    Iso15118GetCertificateStatusReq,
    Iso15118SignCertificateConf,
    Iso15118SignCertificateReq,
    Iso15118TriggerMessageReq,
    Role,
)
from openocpp.messages.tunnel import (
    REJECTED,
    UNKNOWN_MESSAGE,
    VENDOR_ID,
    find_request,
    unwrap,
    unwrap_answer,
    wrap,
    wrap_answer,
)
from openocpp.testing.instances import random_instance
from openocpp.types import DataTransferStatus, GenericStatusEnumType, Iso15118EVCertificateStatusEnumType

if TYPE_CHECKING:
    from openocpp.messages.base import ActionInfo


def accepted(data: str | None) -> DataTransferConf:
    return DataTransferConf(status=DataTransferStatus.Accepted, data=data)


@pytest.mark.parametrize("info", PNC_ACTIONS.values(), ids=lambda info: info.action)
def test_every_message_survives(info: ActionInfo) -> None:
    rng = random.Random(info.action)
    for maximal in (True, False):
        request: Any = random_instance(info.request, rng, maximal=maximal)
        envelope = wrap(request)
        assert (envelope.vendor_id, envelope.message_id) == (VENDOR_ID, info.action)
        assert unwrap(info.request, envelope.data) == request
        answer = random_instance(info.confirmation, rng, maximal=True)
        assert unwrap_answer(info.request, wrap_answer(answer)) == answer


def test_what_an_envelope_looks_like() -> None:
    assert wrap(Iso15118SignCertificateReq(csr="PEM")) == DataTransferReq(
        vendor_id="org.openchargealliance.iso15118pnc", message_id="SignCertificate", data='{"csr":"PEM"}'
    )
    assert wrap(Iso15118TriggerMessageReq()).data == "{}"


def test_an_id_token_can_be_sent_as_an_object() -> None:
    request = Iso15118AuthorizeReq(id_token="DE8AA1A2B3C4D59")
    assert json.loads(wrap(request).data or "") == {"idToken": "DE8AA1A2B3C4D59"}
    boxed = wrap(request, id_token_as_object=True).data
    assert json.loads(boxed or "") == {"idToken": {"idToken": "DE8AA1A2B3C4D59"}}
    assert unwrap(Iso15118AuthorizeReq, boxed) == request


@pytest.mark.parametrize(
    ("name", "sender", "found"),
    [
        ("Authorize", Role.CHARGE_POINT, Iso15118AuthorizeReq),
        ("Authorize", Role.CENTRAL_SYSTEM, None),
        ("TriggerMessage", Role.CENTRAL_SYSTEM, Iso15118TriggerMessageReq),
        ("TriggerMessage", Role.CHARGE_POINT, None),
        ("Heartbeat", Role.CHARGE_POINT, None),
        ("authorize", Role.CHARGE_POINT, None),
        ("", Role.CHARGE_POINT, None),
        (None, Role.CHARGE_POINT, None),
    ],
)
def test_which_message_a_name_means(name: str | None, sender: Role, found: Any) -> None:
    assert find_request(name, sender) is found


def test_members_that_a_peer_adds_are_ignored() -> None:
    data = '{"csr":"PEM","certificateType":"V2G","more":{"x":[1]}}'
    request = unwrap(Iso15118SignCertificateReq, data)
    assert_type(request, Iso15118SignCertificateReq)
    assert request == Iso15118SignCertificateReq(csr="PEM")


def test_a_message_without_fields_needs_no_data() -> None:
    for data in (None, "", "{}", '{"requestedMessage":"SignV2GCertificate"}'):
        assert unwrap(Iso15118TriggerMessageReq, data) == Iso15118TriggerMessageReq()


@pytest.mark.parametrize(
    ("data", "code", "text"),
    [
        ("{", ErrorCode.FormationViolation, "data: is not JSON"),
        ("NaN", ErrorCode.FormationViolation, "data: is not JSON"),
        ("[" * 100, ErrorCode.FormationViolation, "data: is not JSON"),
        ("[]", ErrorCode.FormationViolation, "data: is a list, not an object"),
        (None, ErrorCode.OccurenceConstraintViolation, "data.csr: is missing"),
        ('{"csr":1}', ErrorCode.TypeConstraintViolation, "data.csr: is a number, not a text"),
        (json.dumps({"csr": "x" * 5501}), ErrorCode.PropertyConstraintViolation, "data.csr: has 5501 characters"),
    ],
)
def test_what_is_rejected(data: str | None, code: ErrorCode, text: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        unwrap(Iso15118SignCertificateReq, data)
    assert caught.value.code is code
    assert str(caught.value).startswith(text)


def test_negative_envelopes_hold_no_data() -> None:
    assert UNKNOWN_MESSAGE == DataTransferConf(status=DataTransferStatus.UnknownMessageId)
    assert REJECTED == DataTransferConf(status=DataTransferStatus.Rejected)
    for status in DataTransferStatus:
        if status is not DataTransferStatus.Accepted:
            answer = DataTransferConf(status=status, data='{"status":"Accepted"}')
            assert unwrap_answer(Iso15118SignCertificateReq, answer) is None


def test_an_answer_has_its_type() -> None:
    answer = unwrap_answer(Iso15118SignCertificateReq, accepted('{"status":"Rejected","x":1}'))
    assert_type(answer, Iso15118SignCertificateConf | None)
    assert answer == Iso15118SignCertificateConf(status=GenericStatusEnumType.Rejected)


@pytest.mark.parametrize("data", [None, "", "{}", "x", '{"status":"Perhaps"}'])
def test_an_answer_that_is_none(data: str | None) -> None:
    with pytest.raises(RemoteProtocolError, match=r"^data"):
        unwrap_answer(Iso15118SignCertificateReq, accepted(data))


def test_what_may_be_missing_of_a_negative_answer_only() -> None:
    failed = unwrap_answer(Iso15118Get15118EVCertificateReq, accepted('{"status":"Failed"}'))
    assert failed == Iso15118Get15118EVCertificateConf(status=Iso15118EVCertificateStatusEnumType.Failed)
    status = unwrap_answer(Iso15118GetCertificateStatusReq, accepted('{"status":"Failed"}'))
    assert status is not None
    assert status.ocsp_result is None
    with pytest.raises(RemoteProtocolError, match=r"data\.exiResponse: is missing"):
        unwrap_answer(Iso15118Get15118EVCertificateReq, accepted('{"status":"Accepted"}'))
    with pytest.raises(RemoteProtocolError, match=r"data\.ocspResult: is missing"):
        unwrap_answer(Iso15118GetCertificateStatusReq, accepted('{"status":"Accepted"}'))


def test_what_breaks_the_note_is_not_wrapped() -> None:
    with pytest.raises(LocalProtocolError, match="csr: has 5501 characters"):
        wrap(Iso15118SignCertificateReq(csr="x" * 5501))
