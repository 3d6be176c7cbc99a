"""What a client shows, and what it accepts, when it connects to a central system (SEC §3).

Threads: any; the objects do not change.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from openocpp.transport.base import TlsSettings


@dataclass(frozen=True, kw_only=True)
class ClientCredentials:
    """User and password, ciphers, certificates and tolerances of one connection.

    Without a user there is no Basic authentication. All but user and password matter with ``wss`` only. Certificates
    and key are paths, or PEM texts when ``encoded_pem_certificates`` is set; empty texts are not used. The tolerances
    are for tests: each forgives one kind of error in the server's certificate. ``server_name`` takes the place of the
    URL's host in SNI and in the check of the certificate.
    """

    user: str = ""
    password: bytes = field(default=b"", repr=False)
    tls12_cipher_list: str = ""
    tls13_cipher_list: str = ""
    encoded_pem_certificates: bool = False
    server_certificate_ca: str = ""
    client_certificate: str = ""
    client_certificate_private_key: str = field(default="", repr=False)
    client_certificate_private_key_passphrase: str = field(default="", repr=False)
    allow_selfsigned_certificates: bool = False
    allow_expired_certificates: bool = False
    accept_untrusted_certificates: bool = False
    skip_server_name_check: bool = False
    server_name: str = ""

    def tls_settings(self) -> TlsSettings:
        """The part that concerns TLS, as the transport wants it."""
        return TlsSettings(
            tls12_ciphers=self.tls12_cipher_list,
            tls13_ciphers=self.tls13_cipher_list,
            ca=self.server_certificate_ca,
            certificate=self.client_certificate,
            private_key=self.client_certificate_private_key,
            passphrase=self.client_certificate_private_key_passphrase,
            pem_texts=self.encoded_pem_certificates,
            allow_self_signed=self.allow_selfsigned_certificates,
            allow_expired=self.allow_expired_certificates,
            accept_untrusted=self.accept_untrusted_certificates,
            skip_server_name_check=self.skip_server_name_check,
            server_name=self.server_name,
        )
