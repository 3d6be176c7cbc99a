"""Tests of openocpp.rpc.gatekeeper: the order of the questions, and what each answer leads to."""

from __future__ import annotations

from typing import Any

import pytest

from openocpp.rpc.gatekeeper import Admission
from openocpp.runtime import Runtime
from openocpp.transport.base import Accepted, Handshake, Peer, Refused
from openocpp.transport.tally import Tally


class Keeper:
    """Answers as it is told, and notes what it was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def _answer(self, question: str) -> bool:
        self.asked.append(question)
        answer = self.answers.get(question, True)
        if isinstance(answer, BaseException):
            raise answer
        return bool(answer)

    def accept_connection(self, ip_address: str) -> bool:
        return self._answer("accept")

    def client_failed_to_connect(self, ip_address: str) -> None:
        self._answer("failed")

    def is_charge_point_known(self, identifier: str) -> bool:
        return self._answer("known")

    def check_credentials(self, identifier: str, password: bytes) -> bool:
        return self._answer("credentials")

    def check_client_certificate(self, identifier: str, certificate: bytes) -> bool:
        return self._answer("certificate")


def admission(keeper: Keeper, *, basic: bool = False) -> Admission:
    return Admission(keeper, Tally(Runtime()), basic_authentication=basic)


def admit(keeper: Keeper, *, basic: bool = True, user: str = "CP1", certificate: bytes | None = None) -> Any:
    handshake = Handshake("/CP1", Peer("10.0.0.1", certificate=certificate))
    return admission(keeper, basic=basic).admit(handshake, "CP1", user, b"secret")


def test_all_is_well() -> None:
    keeper = Keeper()
    assert admit(keeper, certificate=b"der") == Accepted("CP1", "CP1", b"secret")
    assert keeper.asked == ["known", "credentials", "certificate"]


@pytest.mark.parametrize(
    ("question", "status", "asked"),
    [
        ("known", 404, ["known"]),
        ("credentials", 401, ["known", "credentials"]),
        ("certificate", 403, ["known", "credentials", "certificate"]),
    ],
)
@pytest.mark.parametrize("answer", [False, RuntimeError("a bug"), SystemExit("another bug")])
def test_a_refusal_ends_the_questions(question: str, status: int, asked: list[str], answer: Any) -> None:
    keeper = Keeper(**{question: answer})
    verdict = admit(keeper, certificate=b"der")
    assert isinstance(verdict, Refused)
    assert verdict.status == status
    assert keeper.asked == asked


def test_another_user_is_not_asked_about() -> None:
    keeper = Keeper()
    verdict = admit(keeper, user="CP2")
    assert verdict.status == 401
    assert verdict.headers[0][0] == "WWW-Authenticate"
    assert keeper.asked == ["known"]


def test_without_basic_authentication_the_password_is_not_asked_about() -> None:
    keeper = Keeper(credentials=False)
    assert isinstance(admit(keeper, basic=False, user=""), Accepted)
    assert keeper.asked == ["known"]


@pytest.mark.parametrize(("answer", "expected"), [(True, True), (False, False), (RuntimeError("a bug"), False)])
def test_knocking(answer: Any, expected: bool) -> None:
    assert admission(Keeper(accept=answer)).knock("10.0.0.1") is expected


def test_a_failure_is_told_even_to_those_who_do_not_listen(caplog: pytest.LogCaptureFixture) -> None:
    admission(Keeper(failed=RuntimeError("a bug"))).failed("10.0.0.1", "HTTP 404")
    assert "client_failed_to_connect failed" in caplog.text


@pytest.mark.parametrize(
    ("question", "text"),
    [("known", "not known"), ("credentials", "wrong or no credentials"), ("certificate", "not its certificate")],
)
def test_who_is_refused_again_and_again_is_logged_once(
    caplog: pytest.LogCaptureFixture, question: str, text: str
) -> None:
    caplog.set_level("INFO")
    asked = admission(Keeper(**{question: False}), basic=True)
    for address in ("10.0.0.1", "10.0.0.2"):
        for _ in range(5):
            handshake = Handshake("/CP1", Peer(address, certificate=b"der"))
            assert isinstance(asked.admit(handshake, "CP1", "CP1", b"secret"), Refused)
            asked.failed(address, "refused")
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 4, "each once for each address"
    assert text in lines[0]
    assert lines[1] == "a connection from 10.0.0.1 came to nothing: refused"
    assert "secret" not in caplog.text
