"""URLs of endpoints, and the charge point's identity in their path (J §3.1.1).

Threads: any; URLs do not change.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass, field

DEFAULT_PORTS = {"ws": 80, "wss": 443, "http": 80, "https": 443, "ftp": 21, "ftps": 990, "sftp": 22}
MAX_PORT = 65535

# A password may hold anything, "/" and "@" included: it ends at the last "@" that lets the rest match.
_FORM = re.compile(
    r"(?P<protocol>[a-z]+)://"
    r"(?:(?P<user>[A-Za-z0-9_.\-]+)(?::(?P<password>.+))?@)?"
    r"(?P<host>[A-Za-z0-9_.\-]+|\[[0-9A-Za-z:.%_\-]+\]|\*)"
    r"(?::(?P<port>[^/]*))?"
    r"(?P<path>/.*)?",
    re.DOTALL,
)
_UNSENDABLE = re.compile(r"[^\x21-\x7e]")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


@dataclass(frozen=True, repr=False)
class Url:
    """``scheme://[user[:password]@]host[:port][/path]``. Made by ``parse``; ``Url()`` is the one that is not valid.

    ``address`` has no brackets, ``port`` is 0 when none was given, ``path`` is not decoded and keeps its query.
    """

    text: str = ""
    protocol: str = ""
    user: str = ""
    password: str = field(default="")
    address: str = ""
    port: int = 0
    path: str = ""
    any_port: bool = False  # port 0 was asked for: the system chooses a free one

    @classmethod
    def parse(cls, text: str, *, listening: bool = False) -> Url:
        """Read a URL. Raises ValueError that says what is wrong, without the password.

        An address to listen on may also have the host ``*`` (all addresses) and the port 0 (any free one).
        """
        match = _FORM.fullmatch(text)
        if match is None:
            raise _refusal(text, "not of the form scheme://[user[:password]@]host[:port][/path]")
        host = match["host"]
        address = host.strip("[]")
        if host.startswith("[") and not _is_ipv6(address):
            raise _refusal(text, f"{address!r} is not an IPv6 address")
        if host == "*" and not listening:
            raise _refusal(text, "'*' is no host to connect to")
        path = match["path"] or ""
        if _UNSENDABLE.search(path):
            raise _refusal(text, "blanks, control and non-ASCII characters of the path must be percent-encoded")
        port = _read_port(text, match["port"], 0 if listening else 1)
        return cls(
            text=text,
            protocol=match["protocol"],
            user=match["user"] or "",
            password=match["password"] or "",
            address=address,
            port=port,
            path=path,
            any_port=match["port"] is not None and port == 0,
        )

    @property
    def valid(self) -> bool:
        """Was it made from a URL?"""
        return bool(self.protocol and self.address)

    @property
    def secure(self) -> bool:
        """Is the scheme one over TLS?"""
        return self.protocol in ("wss", "https", "ftps")

    @property
    def tcp_port(self) -> int:
        """The port to use: the one given, else the scheme's; 0 when ``any_port`` is set or the scheme unknown."""
        if self.any_port:
            return 0
        return self.port or DEFAULT_PORTS.get(self.protocol, 0)

    @property
    def authority(self) -> str:
        """Host and port as a ``Host`` field has them: IPv6 in brackets, the port only when one was given."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}" if self.port else host

    def with_identity(self, identity: str) -> Url:
        """The URL of one charge point below this endpoint (J §3.1.1)."""
        return Url.parse(charge_point_url(self.text, identity))

    def __str__(self) -> str:
        return _masked(self.text)

    def __repr__(self) -> str:
        return f"Url({_masked(self.text)!r})"


def percent_encode(text: str) -> str:
    """Encode all but the unreserved characters of RFC 3986 §2.3, from their UTF-8 bytes, with upper-case digits."""
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in text.encode())


def charge_point_url(endpoint: str, identity: str) -> str:
    """Endpoint + "/" + percent-encoded identity (J §3.1.1), with one slash between. A query stays behind the path."""
    base, mark, query = endpoint.partition("?")
    slash = "" if base.endswith("/") else "/"
    return f"{base}{slash}{percent_encode(identity)}{mark}{query}"


def _is_ipv6(address: str) -> bool:
    number, _, zone = address.partition("%")
    if "%" in address and not zone:
        return False
    try:
        socket.inet_pton(socket.AF_INET6, number)
    except OSError:
        return False
    return True


def _read_port(text: str, digits: str | None, lowest: int) -> int:
    if digits is None:
        return 0
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10 and lowest <= int(digits) <= MAX_PORT):
        raise _refusal(text, f"the port must be a number from {lowest} to {MAX_PORT}")
    return int(digits)


def _masked(text: str) -> str:
    """The text with its password hidden, as far as such a text can be told, for unreadable ones too."""
    scheme, mark, rest = text.rpartition("://") if text.count("://") == 1 else ("", "", text)
    before, at, after = rest.rpartition("@")
    user, colon, _ = before.partition(":")
    return f"{scheme}{mark}{user}{':***' if colon else ''}{at}{after}"


def _refusal(text: str, problem: str) -> ValueError:
    return ValueError(f"URL {_masked(text)!r}: {problem}" if text else "URL: the text is empty")
