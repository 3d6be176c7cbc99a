from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.errors import ConfigError, TransportError
from openocpp.transport import binding
from openocpp.transport.binding import bind
from openocpp.transport.url import Url

if TYPE_CHECKING:
    from collections.abc import Iterator

HAS_IPV6 = socket.has_dualstack_ipv6()
try:
    with socket.create_server(("::1", 0), family=socket.AF_INET6):
        pass
except OSError:
    HAS_IPV6 = False


@pytest.fixture
def bound() -> Iterator[list[socket.socket]]:
    sockets: list[socket.socket] = []
    yield sockets
    for sock in sockets:
        sock.close()


def reachable(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port)).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    ("host", "by_ipv4", "by_ipv6"),
    [
        ("127.0.0.1", True, False),
        ("0.0.0.0", True, False),
        pytest.param("[::1]", False, True, marks=pytest.mark.skipif(not HAS_IPV6, reason="no IPv6")),
        pytest.param("[::]", True, True, marks=pytest.mark.skipif(not HAS_IPV6, reason="no IPv6")),
        ("*", True, HAS_IPV6),
    ],
)
def test_addresses(bound: list[socket.socket], host: str, by_ipv4: bool, by_ipv6: bool) -> None:
    bound += bind(Url.parse(f"ws://{host}:0/", listening=True))
    port = bound[0].getsockname()[1]
    assert (reachable("127.0.0.1", port), reachable("::1", port)) == (by_ipv4, by_ipv6)


def test_only_the_address_that_was_given(bound: list[socket.socket]) -> None:
    bound += bind(Url.parse("ws://127.0.0.1:0/", listening=True))
    assert not reachable("127.0.0.2", bound[0].getsockname()[1])


def test_a_name_means_all_its_addresses(bound: list[socket.socket]) -> None:
    bound += bind(Url.parse("ws://localhost:0/", listening=True))
    ports = {sock.getsockname()[1] for sock in bound}
    assert len(ports) == 1
    assert reachable("127.0.0.1", ports.pop())


def answer(*addresses: tuple[socket.AddressFamily, str]) -> Any:
    return lambda *_, **__: [(family, socket.SOCK_STREAM, 6, "", (host, 0)) for family, host in addresses]


def test_addresses_that_this_machine_has_not_are_left_out(
    bound: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", answer((socket.AF_INET, "198.51.100.1"), (socket.AF_INET, "127.0.0.1")))
    bound += bind(Url.parse("ws://name:0/", listening=True))
    assert [sock.getsockname()[0] for sock in bound] == ["127.0.0.1"]


def test_a_name_without_any_address_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        socket, "getaddrinfo", answer((socket.AF_INET, "198.51.100.1"), (socket.AF_INET, "198.51.100.2"))
    )
    with pytest.raises(TransportError, match="cannot listen on name:8080"):
        bind(Url.parse("ws://name:8080/"))


def test_a_free_port_must_be_free_on_all_addresses(bound: list[socket.socket], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", answer((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "127.0.0.2")))
    real = binding._bind_one
    calls: list[int] = []

    def bind_one(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
        calls.append(port)
        if len(calls) == 2:  # somebody else has this port on the second address
            blocker = real(family, host, port)
            try:
                return real(family, host, port)
            finally:
                blocker.close()
        return real(family, host, port)

    monkeypatch.setattr(binding, "_bind_one", bind_one)
    bound += bind(Url.parse("ws://name:0/", listening=True))
    assert len(calls) == 4
    assert len({sock.getsockname()[1] for sock in bound}) == 1


def test_a_busy_port_is_named(bound: list[socket.socket]) -> None:
    bound += bind(Url.parse("ws://127.0.0.1:0/", listening=True))
    port = bound[0].getsockname()[1]
    with pytest.raises(TransportError, match=f"cannot listen on 127.0.0.1:{port}: Address already in use"):
        bind(Url.parse(f"ws://127.0.0.1:{port}/"))


@pytest.mark.parametrize("host", ["198.51.100.1", "no-such-host.invalid", "a..b"])
def test_an_address_that_is_not_to_be_had_is_named(host: str) -> None:
    with pytest.raises(TransportError, match=f"cannot listen on {host}:8080: .+"):
        bind(Url.parse(f"ws://{host}:8080/"))


@pytest.mark.parametrize("url", [Url.parse("http://127.0.0.1:8080/"), Url()])
def test_urls_that_are_none_to_listen_on(url: Url) -> None:
    with pytest.raises(ConfigError, match="ListenUrl"):
        bind(url)


def test_the_port_can_be_used_again_at_once(bound: list[socket.socket]) -> None:
    first = bind(Url.parse("ws://127.0.0.1:0/", listening=True))[0]
    port = first.getsockname()[1]
    client = socket.create_connection(("127.0.0.1", port))
    accepted, _ = socket.socket.accept(first)
    accepted.close()  # first: this side keeps the port in TIME_WAIT
    client.close()
    first.close()
    bound += bind(Url.parse(f"ws://127.0.0.1:{port}/"))
