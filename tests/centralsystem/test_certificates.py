"""Tests of openocpp.centralsystem.certificates: what is a certificate or a request, and whose."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from openocpp.centralsystem.certificates import (
    certificate_from_der,
    organization_of,
    read_certificate,
    read_request,
)
from openocpp.types.pem import PemText
from tests.centralsystem.pems import CERTIFICATE, FORGED_REQUEST, REQUEST, certificate

BROKEN = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def test_der_becomes_pem() -> None:
    made = certificate("CPO")
    assert certificate_from_der(made.public_bytes(Encoding.DER)).pem == made.public_bytes(Encoding.PEM).decode()


@pytest.mark.parametrize("text", [CERTIFICATE, CERTIFICATE + CERTIFICATE])
def test_a_certificate_and_a_chain_are_read(text: str) -> None:
    assert read_certificate(text) == PemText(text)


@pytest.mark.parametrize("text", ["", "nonsense", BROKEN, REQUEST, "\udcff"])
def test_anything_else_is_no_certificate(text: str) -> None:
    assert read_certificate(text) is None


def test_a_request_is_read_if_its_signature_is_good() -> None:
    assert read_request(REQUEST) == PemText(REQUEST)
    assert read_request(FORGED_REQUEST) is None


@pytest.mark.parametrize("text", ["", "nonsense", BROKEN, CERTIFICATE, "\udcff"])
def test_anything_else_is_no_request(text: str) -> None:
    assert read_request(text) is None


@pytest.mark.parametrize(
    ("text", "organization"),
    [
        (certificate_from_der(certificate("CPO").public_bytes(Encoding.DER)).pem, "CPO"),
        (certificate_from_der(certificate().public_bytes(Encoding.DER)).pem, None),
        (certificate_from_der(certificate("A", "B").public_bytes(Encoding.DER)).pem, None),
        (BROKEN, None),
    ],
)
def test_the_organization_of_a_certificate(text: str, organization: str | None) -> None:
    assert organization_of(PemText(text)) == organization
