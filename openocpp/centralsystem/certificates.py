"""Certificates and requests as they come: are they any, and whose are they? Kept as PEM texts.

Threads: any.
"""

from __future__ import annotations

from base64 import b64encode
from textwrap import wrap

from openocpp.types.pem import PemObject, PemText

# What needs the package `cryptography` is imported where it is used: its import takes longer than that of all the rest.

_LINE = 64  # characters (RFC 7468 §2)


def certificate_from_der(der: bytes) -> PemObject:
    """The certificate that a peer showed in its TLS handshake."""
    lines = "\n".join(wrap(b64encode(der).decode("ascii"), _LINE))
    return PemText(f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n")


def read_certificate(text: str) -> PemObject | None:
    """A certificate, or a chain of them; None if the text is neither."""
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificates(text.encode())
    except Exception:  # whatever a library makes of a text that a stranger wrote
        return None
    return PemText(text) if found else None


def read_request(text: str) -> PemObject | None:
    """A certificate request whose own signature is good (RFC 2986 §4.2, SEC A02.FR.12); None if it is none."""
    from cryptography import x509

    try:
        good = x509.load_pem_x509_csr(text.encode()).is_signature_valid
    except Exception:  # as above
        return None
    return PemText(text) if good else None


def organization_of(certificate: PemObject) -> str | None:
    """The subject's O; None if it has none, or several."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    try:
        subject = x509.load_pem_x509_certificates(certificate.pem.encode())[0].subject
        names = subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    except Exception:  # as above
        return None
    return str(names[0].value) if len(names) == 1 else None
