"""The application's answers about who may come in, as the server asks for them (SEC A00).

Threads: workers.
"""

from __future__ import annotations

from base64 import b64encode
from textwrap import wrap
from typing import TYPE_CHECKING

from openocpp.serving.events import DefaultServerEventsHandler
from openocpp.types.pem import PemObject, PemText

if TYPE_CHECKING:
    from openocpp.serving.events import IServerEventsHandler

_LINE = 64  # characters (RFC 7468 §2)


class EventsGate:
    """Asks an events handler (``Gatekeeper``). ``cpo_name`` is the O of good certificates; empty: any."""

    def __init__(self, events: IServerEventsHandler, cpo_name: str) -> None:
        self._events = events
        self._cpo_name = cpo_name
        self.accept_connection = events.accept_connection
        self.client_failed_to_connect = events.client_failed_to_connect
        self.is_charge_point_known = events.is_charge_point_known
        self.check_credentials = events.check_credentials

    def check_client_certificate(self, identifier: str, certificate: bytes) -> bool:
        found = certificate_from_der(certificate)
        usual = DefaultServerEventsHandler.check_client_certificate
        if self._cpo_name and type(self._events).check_client_certificate is usual:
            return organization_of(found) == self._cpo_name  # SEC A00.FR.404
        return self._events.check_client_certificate(identifier, found)


def certificate_from_der(der: bytes) -> PemObject:
    """The certificate that a peer showed in its TLS handshake."""
    lines = "\n".join(wrap(b64encode(der).decode("ascii"), _LINE))
    return PemText(f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n")


def organization_of(certificate: PemObject) -> str | None:
    """The subject's O; None if it has none, or several."""
    from cryptography import x509  # its import takes longer than that of all the rest
    from cryptography.x509.oid import NameOID

    try:
        subject = x509.load_pem_x509_certificates(certificate.pem.encode())[0].subject
        names = subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    except Exception:  # whatever a library makes of a text that a stranger wrote
        return None
    return str(names[0].value) if len(names) == 1 else None
