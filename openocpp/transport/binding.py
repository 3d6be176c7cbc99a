"""Sockets that listen on the address of a URL: a number, a name, or all addresses.

Threads: any but the scheduler; names are resolved here.
"""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

from openocpp.errors import ConfigError, TransportError

if TYPE_CHECKING:
    from openocpp.transport.url import Url

BACKLOG = 4096  # connections that the kernel holds for us while a storm is let in; it may hold fewer
PORT_TRIES = 8  # any free port of one address may be taken on the next one of the same name

# Addresses that a name has, but this machine does not: the others will do.
_ABSENT = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)

Address = tuple[socket.AddressFamily, str]


def bind(url: Url) -> list[socket.socket]:
    """Listen on every address that the URL names: ``0.0.0.0`` all of IPv4, ``[::]`` and ``*`` both families.

    Raises ConfigError for a URL that is none to listen on, TransportError when the address is not to be had.
    """
    if url.protocol not in ("ws", "wss"):
        raise ConfigError("ListenUrl", f"cannot listen on {str(url)!r}", accepted="ws:// or wss://")
    addresses = _resolve(url)
    tries = 1 if url.tcp_port else PORT_TRIES
    while True:
        tries -= 1
        try:
            return _bind_all(addresses, url.tcp_port)
        except OSError as error:
            if not tries or error.errno != errno.EADDRINUSE:
                raise _failure(url, error) from error


def _resolve(url: Url) -> list[Address]:
    host = url.address
    if host == "*":
        return [(socket.AF_INET6, "::")] if socket.has_dualstack_ipv6() else [(socket.AF_INET, "0.0.0.0")]
    try:
        found = socket.getaddrinfo(host, url.tcp_port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise _failure(url, error) from error
    return list(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found))


def _bind_all(addresses: list[Address], port: int) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    absent: OSError | None = None
    for family, host in addresses:
        try:
            sock = _bind_one(family, host, port)
        except OSError as error:
            if error.errno in _ABSENT and len(addresses) > 1:
                absent = error
                continue
            for made in sockets:
                made.close()
            raise
        sockets.append(sock)
        port = sock.getsockname()[1]
    if not sockets and absent is not None:
        raise absent
    return sockets


def _bind_one(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            only = 0 if host == "::" and socket.has_dualstack_ipv6() else 1
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
        sock.bind((host, port))
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock


def _failure(url: Url, error: OSError | UnicodeError) -> TransportError:
    problem = error.strerror if isinstance(error, OSError) and error.strerror else "not a host name"
    host = f"[{url.address}]" if ":" in url.address else url.address
    return TransportError(f"cannot listen on {host}:{url.tcp_port}: {problem}")
