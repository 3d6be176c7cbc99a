"""Tests of openocpp.centralsystem.registration: what each answer to BootNotification allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openocpp import (
    ClearCacheReq,
    ExtendedTriggerMessageReq,
    Iso15118TriggerMessageReq,
    MessageTrigger,
    MessageTriggerEnumType,
    RegistrationStatus,
    RemoteStartTransactionReq,
    RemoteStopTransactionReq,
    TriggerMessageReq,
)
from openocpp.centralsystem import registration
from openocpp.centralsystem.registration import Registration, Registrations

if TYPE_CHECKING:
    from openocpp import Request

ACCEPTED, PENDING, REJECTED = RegistrationStatus.Accepted, RegistrationStatus.Pending, RegistrationStatus.Rejected


def make(status: RegistrationStatus | None, *, required: bool = True) -> Registration:
    made = Registration(Registrations(), "CP1", required=required)
    made.status = status
    return made


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("status", [None, ACCEPTED, PENDING, REJECTED])
def test_what_is_served(status: RegistrationStatus | None, required: bool) -> None:
    gate = make(status, required=required)
    assert gate.admits("BootNotification")
    assert gate.admits("Heartbeat") is (not required or status is ACCEPTED)


@pytest.mark.parametrize(
    ("request_", "actions"),
    [
        (TriggerMessageReq(requested_message=MessageTrigger.Heartbeat), {"Heartbeat"}),
        (
            TriggerMessageReq(requested_message=MessageTrigger.FirmwareStatusNotification),
            {"FirmwareStatusNotification", "SignedFirmwareStatusNotification"},
        ),
        (
            ExtendedTriggerMessageReq(requested_message=MessageTriggerEnumType.SignChargePointCertificate),
            {"SignCertificate"},
        ),
        (
            ExtendedTriggerMessageReq(requested_message=MessageTriggerEnumType.LogStatusNotification),
            {"LogStatusNotification"},
        ),
        (Iso15118TriggerMessageReq(), {"DataTransfer"}),
        (ClearCacheReq(), set()),
    ],
)
def test_what_was_triggered_is_served_while_pending(request_: Request[Any], actions: set[str]) -> None:
    candidates = {
        "Heartbeat", "FirmwareStatusNotification", "SignedFirmwareStatusNotification", "SignCertificate",
        "LogStatusNotification", "DataTransfer", "MeterValues", "Authorize",
    }  # fmt: skip
    gate = make(PENDING)
    gate.sending(request_)
    assert {action for action in candidates if gate.admits(action)} == actions
    gate.status = PENDING
    assert not any(map(gate.admits, candidates)), "each boot begins anew"
    rejected = make(REJECTED)
    rejected.sending(request_)
    assert not any(map(rejected.admits, candidates))


@pytest.mark.parametrize(
    ("status", "objects_to"),
    [(None, set()), (ACCEPTED, set()), (PENDING, {"start", "stop"}), (REJECTED, {"start", "stop", "clear"})],
)
def test_what_should_not_be_sent(status: RegistrationStatus | None, objects_to: set[str]) -> None:
    gate = make(status, required=False)
    requests: dict[str, Request[Any]] = {
        "start": RemoteStartTransactionReq(id_tag="A"),
        "stop": RemoteStopTransactionReq(transaction_id=1),
        "clear": ClearCacheReq(),
    }
    assert {name for name, request in requests.items() if gate.objection(request)} == objects_to


def test_asking_an_accepted_charge_point_to_boot_is_not_advisable() -> None:
    trigger = TriggerMessageReq(requested_message=MessageTrigger.BootNotification)
    assert not make(ACCEPTED).sending(trigger)
    assert make(PENDING).sending(trigger)
    assert make(ACCEPTED).sending(ClearCacheReq())


def test_answers_are_remembered_by_identity_and_can_be_forgotten() -> None:
    answers = Registrations()
    first = Registration(answers, "CP1", required=True)
    first.status = ACCEPTED
    assert Registration(answers, "CP1", required=True).status is ACCEPTED
    assert Registration(answers, "CP2", required=True).status is None
    first.status = None
    assert answers.get("CP1") is None
    assert "CP1: None" in repr(first)


def test_not_more_than_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registration, "MAX_REMEMBERED", 3)
    answers = Registrations()
    for number in range(4):
        answers.set(f"CP{number}", ACCEPTED)
    answers.set("CP1", PENDING)
    answers.set("CP4", ACCEPTED)
    assert [answers.get(f"CP{number}") for number in range(5)] == [None, PENDING, None, ACCEPTED, ACCEPTED]
    assert repr(answers) == "<registrations of 3 charge points>"
