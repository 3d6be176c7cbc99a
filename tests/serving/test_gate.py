"""Tests of openocpp.serving.gate: whose certificate is good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from openocpp.serving.events import DefaultServerEventsHandler
from openocpp.serving.gate import EventsGate, certificate_from_der, organization_of
from openocpp.types.pem import PemObject, PemText


def certificate_of(*organizations: str) -> bytes:
    """A self-signed certificate with these O, as DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, name) for name in organizations]
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CP1"), *names])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.DER)


class Particular(DefaultServerEventsHandler):
    """Knows one certificate."""

    def __init__(self, answer: bool) -> None:
        self.answer = answer
        self.seen: list[tuple[str, PemObject]] = []

    def check_client_certificate(self, identifier: str, certificate: PemObject) -> bool:
        self.seen.append((identifier, certificate))
        return self.answer


def test_a_certificate_is_handed_on_as_pem() -> None:
    der = certificate_of("Operator")
    pem = certificate_from_der(der).pem
    assert x509.load_pem_x509_certificate(pem.encode()).public_bytes(serialization.Encoding.DER) == der
    assert all(len(line) <= 64 for line in pem.splitlines())


@pytest.mark.parametrize(
    ("organizations", "expected"), [(("Operator",), "Operator"), ((), None), (("Operator", "Other"), None)]
)
def test_the_operator_is_the_one_organization(organizations: tuple[str, ...], expected: str | None) -> None:
    assert organization_of(certificate_from_der(certificate_of(*organizations))) == expected


@pytest.mark.parametrize("text", ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_text_that_is_no_certificate_has_no_organization(text: str) -> None:
    assert organization_of(PemText(text)) is None


@pytest.mark.parametrize(
    ("cpo_name", "organization", "good"),
    [("", "Anybody", True), ("Operator", "Operator", True), ("Operator", "Other", False)],
)
def test_without_an_answer_of_the_application_the_operator_decides(
    cpo_name: str, organization: str, good: bool
) -> None:
    gate = EventsGate(DefaultServerEventsHandler(), cpo_name)
    assert gate.check_client_certificate("CP1", certificate_of(organization)) is good


@pytest.mark.parametrize("answer", [True, False])
def test_an_application_that_answers_decides_alone(answer: bool) -> None:
    events = Particular(answer)
    der = certificate_of("Other")
    assert EventsGate(events, "Operator").check_client_certificate("CP1", der) is answer
    assert events.seen == [("CP1", certificate_from_der(der))]


def test_the_other_questions_go_to_the_application() -> None:
    gate = EventsGate(DefaultServerEventsHandler(), "")
    assert gate.accept_connection("192.0.2.1")
    assert gate.is_charge_point_known("CP1")
    assert not gate.check_credentials("CP1", b"x")
    gate.client_failed_to_connect("192.0.2.1")
