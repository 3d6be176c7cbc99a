"""Certificates and requests for tests, made once when they are needed."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())


def name(*organizations: str) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, text) for text in organizations]
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CP1"), *attributes])


def certificate(*organizations: str) -> x509.Certificate:
    subject = name(*organizations)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(KEY.public_key())
    builder = builder.serial_number(1).not_valid_before(datetime(2024, 1, 1, tzinfo=UTC))
    return builder.not_valid_after(datetime(2034, 1, 1, tzinfo=UTC)).sign(KEY, hashes.SHA256())


def pem_of(thing: x509.Certificate | x509.CertificateSigningRequest) -> str:
    return thing.public_bytes(serialization.Encoding.PEM).decode()


def _forged(request: x509.CertificateSigningRequest) -> str:
    """The request with another signature of the right length."""
    der = bytearray(request.public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    return pem_of(x509.load_der_x509_csr(bytes(der)))


_request = x509.CertificateSigningRequestBuilder().subject_name(name("CPO")).sign(KEY, hashes.SHA256())

CERTIFICATE = pem_of(certificate("CPO"))
REQUEST = pem_of(_request)
FORGED_REQUEST = _forged(_request)
