"""A thousand charge points at one central system: they boot at once, talk, vanish, and stop is stop under load.

Real sockets, served by one thread of the test; nothing may be left behind. Nothing here depends on how long it takes.
"""

from __future__ import annotations

import gc
import json
import resource
import selectors
import socket
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from openocpp import (
    CentralSystemConfig,
    DefaultCentralSystemEventsHandler,
    DefaultChargePointRequestHandler,
    ICentralSystem,
    RegistrationStatus,
)
from openocpp.centralsystem.charge_point_proxy import ChargePointProxy
from openocpp.rpc.endpoint import Endpoint
from tests.conftest import open_descriptors, scaled
from tests.transport.frames import frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openocpp import MeterValue

COUNT = 1000
LIMIT = scaled(60.0)
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


class Application(DefaultCentralSystemEventsHandler):
    """Counts what happens."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.failed = 0

    def note(self, event: str) -> None:
        with self.lock:
            self.counts[event] += 1

    def client_failed_to_connect(self, ip_address: str) -> None:
        self.note("failed")

    def charge_point_connected(self, charge_point: ICentralSystem.IChargePoint) -> None:
        self.note("connected")
        charge_point.register_handler(Requests(self))


class Requests(DefaultChargePointRequestHandler):
    def __init__(self, application: Application) -> None:
        self.application = application

    def disconnected(self) -> None:
        self.application.note("disconnected")

    def heartbeat(self) -> None:
        self.application.note("heartbeat")

    def boot_notification(self, *fields: str) -> RegistrationStatus:
        self.application.note("boot")
        return RegistrationStatus.Accepted

    def meter_values(self, connector_id: int, transaction_id: int | None, meter_values: Any) -> None:
        values: list[MeterValue] = list(meter_values)
        self.application.note("meter values" if len(values) == 2 else "lost")


class Crowd:
    """Charge points that send and count answers, all on the test's own thread."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.selector = selectors.DefaultSelector()
        self.socks: list[socket.socket] = []
        self.inputs: dict[socket.socket, bytes] = {}

    def connect(self, count: int) -> None:
        """All of them at once: nobody waits for the one before."""
        waiting = []
        for number in range(count):
            sock = socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT)
            lines = [f"GET /ocpp/CP{number:04} HTTP/1.1", "Host: localhost", "Upgrade: websocket"]
            lines += ["Connection: Upgrade", f"Sec-WebSocket-Key: {KEY}", "Sec-WebSocket-Version: 13"]
            lines += ["Sec-WebSocket-Protocol: ocpp1.6", "", ""]
            sock.sendall("\r\n".join(lines).encode())
            waiting.append(sock)
        for sock in waiting:
            answer = b""
            while not answer.endswith(b"\r\n\r\n"):
                part = sock.recv(4096)
                assert part, "the server hung up"
                answer += part
            assert b" 101 " in answer.split(b"\r\n")[0]
            sock.setblocking(False)
            self.socks.append(sock)
            self.inputs[sock] = b""
            self.selector.register(sock, selectors.EVENT_READ)

    def send(self, action: str, payload: dict[str, Any], unique_id: int) -> int:
        """Send the same to all who are there: how many."""
        data = frame(json.dumps([2, str(unique_id), action, payload]))
        for sock in self.socks:
            sock.send(data)
        return len(self.socks)

    def answers(self, count: int) -> None:
        """Read until so many results came. Errors fail."""
        clock_limit = threading.Event()
        timer = threading.Timer(LIMIT, clock_limit.set)
        timer.start()
        got = 0
        while got < count:
            assert not clock_limit.is_set(), f"only {got} of {count} answers came"
            for key, _ in self.selector.select(1.0):
                got += self._read(key.fileobj)
        timer.cancel()
        assert got == count

    def _read(self, sock: Any) -> int:
        data = self.inputs[sock] + sock.recv(65536)
        results = 0
        while len(data) >= 2 and len(data) >= 2 + data[1]:
            payload, data = data[2 : 2 + data[1]], data[2 + data[1] :]
            assert payload.startswith(b"[3"), payload
            results += 1
        self.inputs[sock] = data
        return results

    def drop(self, count: int | None = None) -> None:
        """Vanish without a word."""
        for sock in self.socks[: len(self.socks) if count is None else count]:
            self.selector.unregister(sock)
            del self.inputs[sock]
            sock.close()
        del self.socks[: len(self.socks) if count is None else count]

    def close(self) -> None:
        self.drop()
        self.selector.close()


@pytest.fixture
def descriptors() -> Iterator[None]:
    """Room for both ends of all connections; and none may be left over."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2 * COUNT + 200:
        pytest.skip("the system does not allow so many descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * COUNT + 200), hard))
    gc.collect()
    before = len(open_descriptors())
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(open_descriptors()) <= before


def wait_for(condition: Callable[[], bool], what: Callable[[], object]) -> None:
    """Wait for what happens on other threads."""
    pause = threading.Event()
    for _ in range(int(LIMIT / 0.01)):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError(what())


def kept() -> int:
    """How many objects of connections there are."""
    gc.collect()
    return sum(isinstance(thing, (ChargePointProxy, Endpoint)) for thing in gc.get_objects())


READINGS = {
    "connectorId": 1,
    "meterValue": [
        {"timestamp": "2024-05-01T12:00:00Z", "sampledValue": [{"value": str(value), "unit": "Wh"}]} for value in (1, 2)
    ],
}


@pytest.mark.usefixtures("descriptors")
def test_a_thousand_charge_points() -> None:
    threads, before = set(threading.enumerate()), kept()
    application = Application()
    config = CentralSystemConfig(
        listen_url="ws://127.0.0.1:0/ocpp", web_socket_ping_interval=0.0, max_handshakes_per_address=COUNT
    )
    with ICentralSystem.create(config, application) as central_system:
        assert central_system.start()
        crowd = Crowd(central_system.port)
        try:
            crowd.connect(COUNT)
            boot = {"chargePointVendor": "V", "chargePointModel": "M"}
            crowd.answers(crowd.send("BootNotification", boot, 1))  # the storm after a power cut
            assert len(central_system.charge_points) == COUNT
            for number in range(5):  # steady traffic
                sent = crowd.send("MeterValues", READINGS, 10 + number) + crowd.send("Heartbeat", {}, 20 + number)
                crowd.answers(sent)
            crowd.drop(COUNT // 2)
            wait_for(lambda: application.counts["disconnected"] == COUNT // 2, lambda: application.counts)
            assert len(central_system.charge_points) == COUNT - COUNT // 2
            crowd.answers(crowd.send("Heartbeat", {}, 30))
            crowd.drop()
            crowd.connect(COUNT)  # they come back
            crowd.answers(crowd.send("Heartbeat", {}, 31))
            wait_for(lambda: application.counts["disconnected"] == COUNT, lambda: application.counts)
            workers = len(set(threading.enumerate()) - threads)
            assert workers <= config.incoming_requests_from_cp_thread_pool_size + 8 + 8
            crowd.send("MeterValues", READINGS, 40)  # under load: nobody reads these answers any more
            assert central_system.stop()
        finally:
            crowd.close()
    assert application.counts["connected"] == 2 * COUNT
    assert application.counts["disconnected"] == 2 * COUNT
    assert application.counts["boot"] == COUNT
    assert application.counts["heartbeat"] == 5 * COUNT + COUNT - COUNT // 2 + COUNT
    assert application.counts["meter values"] >= 5 * COUNT
    assert application.counts["failed"] == application.counts["lost"] == 0
    assert set(threading.enumerate()) == threads
    del central_system, crowd
    assert kept() <= before
