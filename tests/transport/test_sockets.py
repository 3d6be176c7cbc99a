from __future__ import annotations

import queue
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from openocpp.errors import ConnectError, TransportError
from openocpp.runtime import Runtime
from openocpp.testing import SimulatedRuntime
from openocpp.transport.base import Closed, ListenSettings, Target
from openocpp.transport.memory import MemoryNetwork
from openocpp.transport.sockets import SocketNetwork, network
from openocpp.transport.url import Url
from tests.transport.doors import OpenDoor
from tests.transport.peers import LIMIT, Recorder, on_scheduler

if TYPE_CHECKING:
    from openocpp.transport.base import Transport


def test_a_runtime_has_one_network() -> None:
    with Runtime() as runtime:
        assert isinstance(network(runtime), SocketNetwork)
        assert network(runtime) is network(runtime)


def test_a_simulated_runtime_brings_its_own() -> None:
    sim = SimulatedRuntime()
    assert isinstance(network(sim), MemoryNetwork)
    sim.stop()


def test_both_sides_meet() -> None:
    with Runtime() as runtime:
        net = network(runtime)
        door = OpenDoor(runtime)
        listener = net.listen(ListenSettings(Url.parse("ws://127.0.0.1:0/openocpp", listening=True)), door)
        made: queue.Queue[Transport | ConnectError] = queue.Queue()
        url = Url.parse(f"ws://127.0.0.1:{listener.port}/openocpp").with_identity("RDAM 123")
        net.connect(Target(url), made.put)
        client = made.get(timeout=LIMIT)
        assert not isinstance(client, ConnectError)
        at_client = Recorder(runtime)
        on_scheduler(runtime, lambda: client.start(at_client))
        accepted, server, at_server = door.next_open()
        assert accepted.identity == "RDAM 123"
        on_scheduler(runtime, lambda: client.send("hello"))
        on_scheduler(runtime, lambda: server.send("welcome"))
        assert (at_server.next_text(), at_client.next_text()) == ("hello", "welcome")
        on_scheduler(runtime, lambda: client.close(1001))
        assert (at_client.end(), at_server.end()) == (Closed(1001), Closed(1001, by_peer=True))
        listener.close()


def test_stopping_the_runtime_closes_what_listens() -> None:
    runtime = Runtime()
    listener = network(runtime).listen(
        ListenSettings(Url.parse("ws://127.0.0.1:0/", listening=True)), OpenDoor(runtime)
    )
    runtime.stop()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", listener.port))
    listener.close()


def test_errors_come_through() -> None:
    with Runtime() as runtime:
        door = OpenDoor(runtime)
        settings = ListenSettings(Url.parse("ws://198.51.100.1:8080/"))
        with pytest.raises(TransportError, match=r"198\.51\.100\.1:8080"):
            network(runtime).listen(settings, door)


def test_nothing_heavy_is_imported_before_a_connection_is_made() -> None:
    script = "import openocpp.transport.sockets, sys; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert not {"wsproto", "h11", "websocket", "ssl", "OpenSSL"} & set(run.stdout.split())
