"""Tests of openocpp.centralsystem.certificates: what is a certificate or a request."""

from __future__ import annotations

import pytest

from openocpp.centralsystem.certificates import read_certificate, read_request
from openocpp.types.pem import PemText
from tests.centralsystem.pems import CERTIFICATE, FORGED_REQUEST, REQUEST

BROKEN = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


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
