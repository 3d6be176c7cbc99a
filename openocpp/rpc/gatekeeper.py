"""Who may come in (J §3.2, §6.2; SEC A00): the order of the questions, which the role or its application answers.

What the request itself says was judged before, by ``transport.admission``. An exception of the application refuses.
Threads: workers.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol, TypeVar

from openocpp.runtime import ThreadEnd
from openocpp.transport.admission import not_found, unauthorized
from openocpp.transport.base import Accepted, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.transport.base import Handshake
    from openocpp.transport.tally import Tally

log = logging.getLogger("openocpp.rpc")
security_log = logging.getLogger("openocpp.security")

T = TypeVar("T")

FORBIDDEN = 403


class Gatekeeper(Protocol):
    """The answers. All may block, at the price of that one handshake's time."""

    def accept_connection(self, ip_address: str) -> bool:
        """May this address connect at all? Asked before TLS and HTTP."""

    def client_failed_to_connect(self, ip_address: str) -> None:
        """A connection that was let in ended before it was announced."""

    def is_charge_point_known(self, identifier: str) -> bool:
        """False: HTTP 404, before anything is said about authentication."""

    def check_credentials(self, identifier: str, password: bytes) -> bool:
        """Is the password right? Asked only when the user equals the identity. False: HTTP 401."""

    def check_client_certificate(self, identifier: str, certificate: bytes) -> bool:
        """Does this certificate (DER, its chain is verified) belong to the charge point? False: HTTP 403."""


class Admission:
    """Asks a gatekeeper in the right order."""

    def __init__(self, gatekeeper: Gatekeeper, tally: Tally, *, basic_authentication: bool) -> None:
        self._gatekeeper = gatekeeper
        self._tally = tally  # who is refused comes again, every few seconds
        self._basic = basic_authentication

    def knock(self, address: str) -> bool:
        """Let this address in as far as the handshake?"""
        return self._ask(False, "accept_connection", lambda: self._gatekeeper.accept_connection(address))

    def admit(self, handshake: Handshake, identity: str, user: str, password: bytes) -> Accepted | Refused:
        """Let this charge point in?"""
        ask, keeper = self._ask, self._gatekeeper
        address, certificate = handshake.peer.address, handshake.peer.certificate
        if not ask(False, "is_charge_point_known", lambda: keeper.is_charge_point_known(identity)):
            self._note(log, identity, address, "not known")
            return not_found("the charge point is not known")
        if self._basic:
            # SEC A00.FR.204, FR.303: the user is the identity
            if user != identity or not ask(
                False, "check_credentials", lambda: keeper.check_credentials(identity, password)
            ):
                self._note(security_log, identity, address, "wrong or no credentials")  # SEC A00.FR.323
                return unauthorized("wrong or no credentials")
        if certificate is not None and not ask(
            False, "check_client_certificate", lambda: keeper.check_client_certificate(identity, certificate)
        ):
            self._note(security_log, identity, address, "not its certificate")  # SEC A00.FR.408
            return Refused(FORBIDDEN, reason="not the charge point's certificate")
        return Accepted(identity, user, password)

    def failed(self, address: str, reason: str) -> None:
        """Tell of a connection that was let in and came to nothing."""
        text = f"a connection from {address} came to nothing: {reason}"
        self._tally.note(log, logging.INFO, text, text)
        self._ask(None, "client_failed_to_connect", lambda: self._gatekeeper.client_failed_to_connect(address))

    def _note(self, where: logging.Logger, identity: str, address: str, why: str) -> None:
        text = f"refused {identity} from {address}: {why}"
        self._tally.note(where, logging.WARNING, text, text)

    def _ask(self, refusal: T, name: str, question: Callable[[], T]) -> T:
        try:
            return question()
        except ThreadEnd:
            raise
        except BaseException:  # the application's bug is a refusal, and costs nobody else anything
            log.exception("%s failed", name)
            return refusal
