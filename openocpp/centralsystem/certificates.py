"""Certificates and requests that charge points send: are they any? Kept as PEM texts.

Threads: any.
"""

from __future__ import annotations

from openocpp.types.pem import PemObject, PemText

# What needs the package `cryptography` is imported where it is used: its import takes longer than that of all the rest.


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
