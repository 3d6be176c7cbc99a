"""Payloads in both directions, and forgiving a peer what it does wrong."""

from __future__ import annotations

import json
import logging
import random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, assert_type

import pytest

from openocpp.errors import CallError, ConfigError, ErrorCode, LocalProtocolError, RemoteProtocolError
from openocpp.messages import (
    ACTIONS,
    AuthorizeConf,
    AuthorizeReq,
    ChangeConfigurationReq,
    DataTransferReq,
    HeartbeatConf,
    HeartbeatReq,
    ResetConf,
    ResetReq,
    StatusNotificationReq,
    TriggerMessageReq,
)
from openocpp.messages.schema import SchemaSet
from openocpp.messages.wire import MAX_DESCRIPTION, ValidationMode, Wire, shorten
from openocpp.testing.instances import random_instance
from openocpp.types import AuthorizationStatus, IdTagInfo, ResetStatus, ResetType

if TYPE_CHECKING:
    from openocpp.messages.base import ActionInfo


@pytest.fixture(name="wire")
def strict_wire() -> Wire:
    return Wire(SchemaSet.load(), name="CP1")


def refused(wire: Wire, action: str, payload: object) -> tuple[str, str]:
    with pytest.raises(CallError) as caught:
        wire.read_request(action, payload)
    assert len(caught.value.description) <= MAX_DESCRIPTION
    verdict = caught.value.code, caught.value.description
    info = ACTIONS.get(action)
    if info is not None and wire.mode(action) is not ValidationMode.off:
        with pytest.raises(CallError) as judged:
            wire.check_request(info, payload)
        assert (judged.value.code, judged.value.description) == verdict
    return verdict


# --- both directions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("info", ACTIONS.values(), ids=lambda info: info.action)
def test_every_message_survives(wire: Wire, info: ActionInfo) -> None:
    rng = random.Random(info.action)
    request: Any = random_instance(info.request, rng)
    assert wire.read_request(info.action, json.loads(wire.write_request(request))) == request
    answer = random_instance(info.confirmation, rng)
    assert wire.read_confirmation(info.request, json.loads(wire.write_confirmation(answer))) == answer


def test_the_type_of_an_answer_is_known(wire: Wire) -> None:
    answer = wire.read_confirmation(ResetReq, {"status": "Accepted"})
    assert_type(answer, ResetConf)
    assert answer == ResetConf(status=ResetStatus.Accepted)


def test_payloads_are_compact_json(wire: Wire) -> None:
    assert wire.write_request(ResetReq(type=ResetType.Hard)) == '{"type":"Hard"}'
    assert wire.write_request(HeartbeatReq()) == "{}"
    assert wire.write_request(DataTransferReq(vendor_id="Ω", data='"')) == '{"vendorId":"Ω","data":"\\""}'
    conf = AuthorizeConf(id_tag_info=IdTagInfo(status=AuthorizationStatus.Blocked))
    assert wire.write_confirmation(conf) == '{"idTagInfo":{"status":"Blocked"}}'


def test_null_is_the_empty_payload(wire: Wire) -> None:
    assert wire.read_request("Heartbeat", None) == HeartbeatReq()
    assert refused(wire, "Authorize", None) == ("OccurenceConstraintViolation", "idTag: is missing")
    with pytest.raises(RemoteProtocolError, match="currentTime: is missing"):
        wire.read_confirmation(HeartbeatReq, None)


@pytest.mark.parametrize(
    ("action", "payload", "code", "text"),
    [
        ("Unheard", {}, "NotImplemented", "Unheard is not an action of OCPP 1.6"),
        ("heartbeat", {}, "NotImplemented", "heartbeat is not an action of OCPP 1.6"),
        ("Get15118EVCertificate", {}, "NotImplemented", "Get15118EVCertificate is not an action of OCPP 1.6"),
        ("Heartbeat", [], "FormationViolation", "payload is a list, not an object"),
        ("Heartbeat", "x", "FormationViolation", "payload is a text, not an object"),
        ("Heartbeat", {"a": 1}, "FormationViolation", "a: is not a field here"),
        ("Authorize", {}, "OccurenceConstraintViolation", "idTag: is missing"),
        ("Authorize", {"idTag": 7}, "TypeConstraintViolation", "idTag: is a number, not a text"),
        (
            "Authorize",
            {"idTag": "x" * 21},
            "PropertyConstraintViolation",
            "idTag: has 21 characters, at most 20 are allowed",
        ),
    ],
)
def test_what_is_refused(wire: Wire, action: str, payload: object, code: str, text: str) -> None:
    assert refused(wire, action, payload) == (code, text)


def test_texts_of_errors_are_short_enough_to_be_sent(wire: Wire) -> None:
    assert refused(wire, "x" * 5000, {})[0] == "NotImplemented"
    refused(wire, "Heartbeat", {"y" * 5000: 1})
    assert refused(wire, "Heartbeat", {"a\nb": 1})[1] == "a\\nb: is not a field here"
    assert refused(wire, "Heart\nbeat", {})[1] == "Heart\\nbeat is not an action of OCPP 1.6"
    assert shorten("x" * MAX_DESCRIPTION) == "x" * MAX_DESCRIPTION
    assert len(shorten("x" * (MAX_DESCRIPTION + 1))) == MAX_DESCRIPTION


def test_a_long_finding_is_cut() -> None:
    def complain(_: object) -> None:
        raise RemoteProtocolError(ErrorCode.PropertyConstraintViolation, "idTag", "breaks a rule of " + "x" * 500)

    schemas: Any = SimpleNamespace(reader=lambda _: complain, checker=lambda _: complain)
    code, text = refused(Wire(schemas), "Authorize", {"idTag": "A"})
    assert code == "PropertyConstraintViolation"
    assert len(text) == MAX_DESCRIPTION


def test_no_error_shows_a_secret(wire: Wire) -> None:
    payload = {"key": "AuthorizationKey", "value": "s3cret" * 100}
    assert "s3cret" not in refused(wire, "ChangeConfiguration", payload)[1]
    with pytest.raises(LocalProtocolError) as caught:
        wire.write_request(ChangeConfigurationReq(**payload))
    assert "s3cret" not in str(caught.value)


def test_what_breaks_the_standard_is_not_written(wire: Wire) -> None:
    with pytest.raises(LocalProtocolError, match="idTag: has 21 characters"):
        wire.write_request(AuthorizeReq(id_tag="x" * 21))
    bad: Any = None
    with pytest.raises(LocalProtocolError, match="currentTime: is missing"):
        wire.write_confirmation(HeartbeatConf(current_time=bad))
    with pytest.raises(LocalProtocolError, match="requestedMessage: is not a member of MessageTrigger"):
        wire.write_request(TriggerMessageReq(requested_message="Other"))


# --- validation modes -----------------------------------------------------------------------------------------------

TOO_LONG = {"idTag": "x" * 30, "vendor": 1}


def test_strict_is_the_default(wire: Wire) -> None:
    assert wire.mode("Authorize") is ValidationMode.strict
    refused(wire, "Authorize", TOO_LONG)


def test_log_delivers_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    wire = Wire(SchemaSet.load(), {"*": "log"}, "CP1")
    with caplog.at_level(logging.WARNING, logger="openocpp.messages"):
        assert wire.read_request("Authorize", TOO_LONG) == AuthorizeReq(id_tag="x" * 30)
    assert caplog.messages == [
        "CP1: AuthorizeReq breaks the standard, but is delivered: idTag: has 30 characters, at most 20 are allowed"
    ]


def test_off_delivers_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    wire = Wire(SchemaSet.load(), {"*": "off"}, "CP1")
    with caplog.at_level(logging.DEBUG, logger="openocpp.messages"):
        assert wire.read_request("Authorize", TOO_LONG) == AuthorizeReq(id_tag="x" * 30)
    assert caplog.messages == []


def test_what_is_passed_on_is_judged_by_its_mode(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    info = ACTIONS["Authorize"]
    right = {"idTagInfo": {"status": "Accepted"}}
    wire.check_request(ACTIONS["Heartbeat"], None)
    wire.check(info, info.confirmation, right)
    with pytest.raises(RemoteProtocolError, match="status: is not one of"):
        wire.check(info, info.confirmation, {"idTagInfo": {"status": "accepted"}})
    wire.set_mode("log")
    with caplog.at_level(logging.WARNING, logger="openocpp.messages"):
        wire.check_request(info, TOO_LONG)
    assert caplog.messages == [
        "CP1: AuthorizeReq breaks the standard, but is delivered: idTag: has 30 characters, at most 20 are allowed"
    ]
    wire.set_mode("off")
    for payload in (TOO_LONG, "x", None):
        wire.check_request(info, payload)
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("mode", ["log", "off"])
def test_what_has_no_meaning_is_refused_in_every_mode(mode: str) -> None:
    wire = Wire(SchemaSet.load(), {"*": mode})
    assert refused(wire, "Authorize", {"tag": "x"})[0] == "OccurenceConstraintViolation"
    assert refused(wire, "Authorize", [])[0] == "FormationViolation"
    status = {"connectorId": 1, "errorCode": "NoError", "status": "Broken"}
    assert refused(wire, "StatusNotification", status)[0] == "PropertyConstraintViolation"


@pytest.mark.parametrize("mode", ["log", "off"])
def test_what_is_right_is_read_the_same_in_every_mode(mode: str) -> None:
    wire = Wire(SchemaSet.load(), {"*": mode})
    message = random_instance(StatusNotificationReq, random.Random(1), maximal=True)
    assert wire.read_request("StatusNotification", json.loads(wire.write_request(message))) == message


def test_answers_are_forgiven_too(caplog: pytest.LogCaptureFixture) -> None:
    wire = Wire(SchemaSet.load(), {"Authorize": "log"}, "CS")
    payload = {"idTagInfo": {"status": "accepted"}}
    assert wire.read_confirmation(AuthorizeReq, payload).id_tag_info.status is AuthorizationStatus.Accepted
    assert caplog.messages[0].startswith("CS: AuthorizeConf breaks the standard")
    with pytest.raises(RemoteProtocolError):
        wire.read_confirmation(ResetReq, {"status": "accepted"})


def test_modes_per_action() -> None:
    wire = Wire(SchemaSet.load(), {"*": "off", "Authorize": "strict"})
    assert wire.read_request("Heartbeat", {"x": 1}) == HeartbeatReq()
    refused(wire, "Authorize", TOO_LONG)
    wire.set_mode("off", "Authorize")
    assert wire.read_request("Authorize", TOO_LONG) == AuthorizeReq(id_tag="x" * 30)
    wire.set_mode("strict")
    refused(wire, "Heartbeat", {"x": 1})


def test_setting_all_back_to_strict() -> None:
    wire = Wire(SchemaSet.load(), {"*": "off"})
    wire.set_mode("strict", "*")
    assert repr(wire) == repr(Wire(SchemaSet.load()))
    refused(wire, "Heartbeat", {"x": 1})


def test_one_wire_does_not_change_another() -> None:
    schemas = SchemaSet.load()
    Wire(schemas).set_mode("off")
    refused(Wire(schemas), "Heartbeat", {"x": 1})


@pytest.mark.parametrize(("modes", "text"), [({"*": "lax"}, "'lax' is not a mode"), ({"Ping": "log"}, "'Ping'")])
def test_unknown_modes_and_actions_are_errors_of_the_configuration(modes: dict[str, str], text: str) -> None:
    with pytest.raises(ConfigError, match=f"MessageValidation: {text}"):
        Wire(SchemaSet.load(), modes)


def test_repeated_findings_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    wire = Wire(SchemaSet.load(), {"*": "log"}, "CP1")
    for _ in range(101):
        wire.read_request("Authorize", TOO_LONG)
    counts = [text.split(":")[1].rsplit("delivered", 1)[1] for text in caplog.messages]
    assert counts == ["", " (10 times)", " (100 times)"]


def test_the_place_in_a_list_does_not_make_another_finding(caplog: pytest.LogCaptureFixture) -> None:
    wire = Wire(SchemaSet.load(), {"*": "log"}, "CP1")
    for place in range(3):
        keys = ["x"] * place + ["y" * 51]
        wire.read_request("GetConfiguration", {"key": keys})
    assert len(caplog.messages) == 1


def test_a_peer_cannot_fill_log_and_memory_with_names_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    wire = Wire(SchemaSet.load(), {"*": "log"}, "CP1")
    for number in range(99):
        wire.read_request("Heartbeat", {f"field{number}": 1})
    first, second = caplog.messages
    assert first.endswith("is delivered: field0: is not a field here")
    assert second.endswith("is delivered (10 times): field9: is not a field here")


def test_what_we_send_is_strict_in_every_mode() -> None:
    wire = Wire(SchemaSet.load(), {"*": "off"})
    with pytest.raises(LocalProtocolError):
        wire.write_request(AuthorizeReq(id_tag="x" * 21))


def test_codes_are_those_of_the_standard() -> None:
    assert {code.value for code in ErrorCode} == {
        "NotImplemented",
        "NotSupported",
        "InternalError",
        "ProtocolError",
        "SecurityError",
        "FormationViolation",
        "PropertyConstraintViolation",
        "OccurenceConstraintViolation",
        "TypeConstraintViolation",
        "GenericError",
    }
