"""Who may come in: a request to upgrade is judged here, by pure functions and one small table (J §3.1, §3.2).

The same for real sockets and for connections in memory. What is left to the role: whether the identity is known, and
whether its password or certificate is right (``Door.admit``).
Threads: any for the functions; a ``FailureTable`` belongs to the scheduler.
"""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote_to_bytes

from openocpp.transport.base import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openocpp.transport.base import Handshake, ListenSettings

REALM = 'Basic realm="openocpp"'
ABSOLUTE_FORMS = ("http://", "https://", "ws://", "wss://")

FAILURE_WINDOW = 60.0  # seconds over which failed authentications are counted, and for which an address is refused
MAX_ADDRESSES = 4096


class Asked(NamedTuple):
    """Who wants to come in, as the request says. Nothing of it is verified."""

    identity: str
    user: str
    password: bytes

    def __repr__(self) -> str:
        return f"Asked(identity={self.identity!r}, user={self.user!r})"


def judge_request(handshake: Handshake, settings: ListenSettings) -> Asked | Refused:
    """Path, identity and the form of the Basic header: 404, 400, 401, or what is to be asked of ``Door.admit``.

    Without the header, or with one of another scheme, user and password are empty. They are so too when Basic
    authentication is not configured: then the header is not looked at.
    """
    segment = cut_target(handshake.target, settings.url.path)
    if segment is None:
        return not_found("the path is not that of a charge point")
    try:
        identity = read_identity(segment)
    except ValueError as error:
        return bad_request(f"the identity in the path is not usable: {error}")
    if not identity or identity in (".", ".."):
        return not_found("the path names no charge point")
    if not settings.basic_authentication:
        return Asked(identity, "", b"")
    try:
        user, password = read_basic(handshake.authorization)
    except ValueError as error:
        return unauthorized(str(error))
    return Asked(identity, user, password)


def choose_subprotocol(offered: Sequence[str], settings: ListenSettings) -> str | None:
    """The sub-protocol to answer with, wherever it stands in the list; "" when none is needed.

    None: there is nothing in common. The handshake is then completed without one, and the connection closed with 1002
    (J §3.2).
    """
    if settings.subprotocol in offered:
        return settings.subprotocol
    if not offered and settings.accept_without_subprotocol:
        return ""
    return None


def cut_target(target: str, listen_path: str) -> str | None:
    """The one segment, not decoded, that follows the listening path; None when the target is another one.

    Segments are compared decoded and whole; a final slash of the listening path does not matter; the query does not
    belong to the path.
    """
    for form in ABSOLUTE_FORMS:  # RFC 9112 §3.2.2: a server must understand them
        if target[: len(form)].lower() == form:
            target = "/" + target[len(form) :].partition("/")[2]
            break
    path = target.partition("?")[0]
    if not path.startswith("/") or "#" in path:
        return None
    base = _segments(listen_path)
    parts = path[1:].split("/")
    if len(parts) != len(base) + 1:
        return None
    for wanted, found in zip(base, parts, strict=False):
        if wanted != found and unquote_to_bytes(wanted) != unquote_to_bytes(found):
            return None
    return parts[-1]


def _segments(listen_path: str) -> list[str]:
    path = listen_path.partition("?")[0].strip("/")
    return path.split("/") if path else []


def read_identity(segment: str) -> str:
    """Decode one segment of a path: "+" is a plus, %2F a slash of the identity (J §3.1.1).

    Raises ValueError for broken escapes, bytes that are no UTF-8, and control characters.
    """
    if "%" in segment:
        for rest in segment.split("%")[1:]:
            if len(rest) < 2 or not set(rest[:2]) <= _HEX:
                raise ValueError("a broken percent-escape")
        try:
            segment = unquote_to_bytes(segment).decode()
        except UnicodeDecodeError:
            raise ValueError("not UTF-8") from None
    if any(character < " " or "\x7f" <= character < "\xa0" for character in segment):
        raise ValueError("a control character")
    return segment


_HEX = frozenset("0123456789abcdefABCDEF")


def read_basic(authorization: str | None) -> tuple[str, bytes]:
    """User and password of an Authorization field (RFC 7617). A missing field or another scheme: both empty.

    The password is whatever follows the first colon, any byte included. Raises ValueError, which does not show the
    field, when it cannot be read.
    """
    scheme, _, credentials = (authorization or "").strip().partition(" ")
    if scheme.lower() != "basic":
        return "", b""
    try:
        decoded = b64decode(credentials.strip().encode("ascii"), validate=True)
    except ValueError:  # binascii.Error and UnicodeEncodeError are such; their texts may show the field
        raise ValueError("the Authorization field is no Base64") from None
    user, colon, password = decoded.partition(b":")
    if not colon:
        raise ValueError("the Authorization field has no colon")
    try:
        return user.decode(), password
    except UnicodeDecodeError:
        raise ValueError("the user name is not UTF-8") from None


def bad_request(reason: str) -> Refused:
    """400: the request cannot be understood."""
    return Refused(400, reason=reason)


def unauthorized(reason: str) -> Refused:
    """401, with the challenge that belongs to it."""
    return Refused(401, (("WWW-Authenticate", REALM),), reason)


def not_found(reason: str) -> Refused:
    """404: another path, or a charge point that is not known (J §3.2)."""
    return Refused(404, reason=reason)


class FailureTable:
    """Which addresses failed to authenticate too often: ``limit`` times within a minute, then refused for a minute.

    A limit of 0 refuses nobody. The table is bounded: when it is full, those that failed longest ago are forgotten.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._failures: dict[str, _Failures] = {}

    def note(self, address: str, now: float) -> bool:
        """Count a failure; True when the address is refused from now on."""
        if not self._limit:
            return False
        entry = self._failures.pop(address, None)
        if entry is None or now - entry.since >= FAILURE_WINDOW:
            entry = _Failures(now)
        entry.count += 1
        if entry.count == self._limit:
            entry.since = now  # the minute of refusal begins here
        self._failures[address] = entry  # behind all others: order is that of the last failure
        if len(self._failures) > MAX_ADDRESSES:
            del self._failures[next(iter(self._failures))]
        return entry.count == self._limit

    def refuses(self, address: str, now: float) -> bool:
        """Is this address refused at the moment?"""
        entry = self._failures.get(address)
        if entry is None:
            return False
        if now - entry.since >= FAILURE_WINDOW:
            del self._failures[address]
            return False
        return entry.count >= self._limit


class _Failures:
    __slots__ = ("count", "since")

    def __init__(self, since: float) -> None:
        self.since = since
        self.count = 0
