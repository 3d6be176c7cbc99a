"""What a role that accepts charge points asks and tells the application before a charge point is connected.

Threads: all callbacks come on workers, and may block. An exception counts as a refusal.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openocpp.types.pem import PemObject


class IServerEventsHandler(ABC):
    """Who may connect."""

    @abstractmethod
    def accept_connection(self, ip_address: str) -> bool:
        """A TCP connection came. False closes it at once."""

    @abstractmethod
    def client_failed_to_connect(self, ip_address: str) -> None:
        """A connection that was accepted ended before ``charge_point_connected``."""

    @abstractmethod
    def is_charge_point_known(self, identifier: str) -> bool:
        """False answers HTTP 404 (J §3.2), before any authentication."""

    @abstractmethod
    def check_credentials(self, identifier: str, password: bytes) -> bool:
        """With HttpBasicAuthent: is the password right? The user name equals the identifier already."""

    @abstractmethod
    def check_client_certificate(self, identifier: str, certificate: PemObject) -> bool:
        """With TlsClientCertificateAuthent: is this the charge point's certificate (SEC A00.FR.404, FR.405)?

        Its chain and its dates are good already.
        """


class DefaultServerEventsHandler(IServerEventsHandler):
    """Accepts every address and identity, but no password."""

    def accept_connection(self, ip_address: str) -> bool:
        return True

    def client_failed_to_connect(self, ip_address: str) -> None:
        """Nothing to do."""

    def is_charge_point_known(self, identifier: str) -> bool:
        return True

    def check_credentials(self, identifier: str, password: bytes) -> bool:
        return False

    def check_client_certificate(self, identifier: str, certificate: PemObject) -> bool:
        """Where this is not overridden, O is compared with CpoName, if one is configured."""
        return True
