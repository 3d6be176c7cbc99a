"""The place of a file on a server: a URL taken apart, with its credentials kept out of sight.

Threads: any.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field, replace
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

from openocpp.transfer.errors import TransferError, TransferFailure

# ftps means explicit TLS on the ordinary port unless the URL says the port of implicit TLS.
DEFAULT_PORTS = {"http": 80, "https": 443, "ftp": 21, "ftps": 21}
_KEPT = "/%:@!$&'()*+,;=-._~"  # characters of a path that stay as they are: what is encoded already, too


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a file is. ``str()`` and ``repr()`` hide the credentials, and the query: signed URLs have secrets in it."""

    scheme: str
    host: str
    port: int
    path: str  # percent-encoded
    query: str = field(default="", repr=False)
    user: str | None = field(default=None, repr=False)  # None: the URL has no credentials
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self._shown_path}"

    @property
    def _shown_path(self) -> str:
        # A password with a bare "/" in it ends the authority too early; its rest must not be shown either.
        return "/..." if "@" in self.path else self.path

    @property
    def authority(self) -> str:
        """``host[:port]``, as the Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def target(self) -> str:
        """Path and query, as an HTTP request line has them."""
        path = self.path or "/"
        return f"{path}?{self.query}" if self.query else path

    @property
    def file_path(self) -> list[str]:
        """The decoded segments of the path, for FTP: folders, then the file (RFC 1738 §3.2.2)."""
        return [unquote(segment) for segment in self.path.split("/") if segment]

    @property
    def basic_authorization(self) -> str:
        """The value of the Authorization header (RFC 7617), "" without credentials."""
        if self.user is None:
            return ""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode("ascii")

    @property
    def fingerprint(self) -> str:
        """Tells whether two URLs mean the same file, and nothing else about them. The password does not count."""
        return hashlib.sha256(f"{self.user}@{self.scheme}://{self.authority}{self.target}".encode()).hexdigest()

    def redirected(self, location: str) -> Place:
        """The place that an HTTP answer points to: not from https to http; credentials stay with their host."""
        try:
            target = parse(urljoin(f"{self.scheme}://{self.authority}{self.target}", location), ("http", "https"))
        except (TransferError, ValueError):
            raise TransferError(
                TransferFailure.PROTOCOL, f"{self} redirects to something that is no http or https URL"
            ) from None
        if self.scheme == "https" and target.scheme != "https":
            raise TransferError(TransferFailure.TLS, f"{self} redirects to {target}, which is not encrypted")
        if target.user is None and self._same_origin(target):
            return replace(target, user=self.user, password=self.password)
        return target

    def _same_origin(self, other: Place) -> bool:
        if self.host != other.host:
            return False
        upgraded = (self.scheme, self.port, other.scheme, other.port) == ("http", 80, "https", 443)
        return upgraded or (self.scheme, self.port) == (other.scheme, other.port)


def parse(url: str, schemes: tuple[str, ...]) -> Place:
    """Take a URL apart. `TransferError` if it is none, or if its scheme is not among ``schemes``."""
    url = url.strip()
    if _has_control(url):
        raise TransferError(TransferFailure.ADDRESS, "the URL contains control characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        # No cause: its text repeats the part of the URL that holds the password.
        raise TransferError(TransferFailure.ADDRESS, "the address is not a URL") from None
    if not parts.scheme or "://" not in url:
        raise TransferError(TransferFailure.ADDRESS, "the address is not a URL: it has no scheme")
    if parts.scheme not in schemes:
        raise TransferError(
            TransferFailure.UNSUPPORTED, f"no transfer by {parts.scheme!r}, only by {', '.join(schemes)}"
        )
    if not parts.hostname or " " in parts.hostname:
        raise TransferError(TransferFailure.ADDRESS, "the URL has no host")
    if parts.scheme.startswith("ftp") and _has_control(unquote(parts.path)):
        # They would end the line of the FTP command that carries the name.
        raise TransferError(TransferFailure.ADDRESS, "the path contains encoded control characters")
    user, password = _credentials(parts)
    return Place(
        scheme=parts.scheme,
        host=parts.hostname,
        port=port or DEFAULT_PORTS[parts.scheme],
        path=quote(parts.path, safe=_KEPT),
        query=quote(parts.query, safe=_KEPT + "?"),
        user=user,
        password=password,
    )


def _credentials(parts: SplitResult) -> tuple[str | None, str]:
    """User and password, decoded."""
    if parts.username is None:
        return None, ""
    user, password = unquote(parts.username), unquote(parts.password or "")
    if _has_control(user + password):
        raise TransferError(TransferFailure.ADDRESS, "the credentials contain control characters")
    return user, password


def _has_control(text: str) -> bool:
    return any(ord(character) < 32 or ord(character) == 127 for character in text)
