"""Charge points that come and go all day leave nothing behind, whatever their way of leaving."""

from __future__ import annotations

import gc
import logging
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from openocpp import (
    CentralSystemConfig,
    DefaultCentralSystemEventsHandler,
    DefaultChargePointRequestHandler,
    ICentralSystem,
    RegistrationStatus,
    Runtime,
)
from tests.centralsystem.bench import BOOT
from tests.centralsystem.raw import LIMIT, Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CYCLES = 60  # of each way; a spare thread, made meanwhile, brings a few objects along too


class Requests(DefaultChargePointRequestHandler):
    def boot_notification(self, *fields: str) -> RegistrationStatus:
        return RegistrationStatus.Accepted


class Application(DefaultCentralSystemEventsHandler):
    def is_charge_point_known(self, identifier: str) -> bool:
        return identifier != "STRANGER"

    def charge_point_connected(self, charge_point: ICentralSystem.IChargePoint) -> None:
        charge_point.register_handler(Requests())


def enter(port: int, identity: str = "CP1") -> Client:
    client = Client(port)
    client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.ask(f"/ocpp/{identity}", "ocpp1.6", {})
    assert client.status() == 101
    return client


def leave(client: Client) -> None:
    client.sock.close()


def vanish_at_once(central_system: ICentralSystem) -> None:
    leave(Client(central_system.port))


def be_refused(central_system: ICentralSystem) -> None:
    client = Client(central_system.port)
    client.ask("/ocpp/STRANGER", "ocpp1.6", {})
    assert client.status() == 404
    leave(client)


def boot_and_vanish(central_system: ICentralSystem) -> None:
    client = enter(central_system.port)
    assert client.call("BootNotification", BOOT)[0] == 3
    leave(client)


def talk_nonsense(central_system: ICentralSystem) -> None:
    client = enter(central_system.port)
    client.send("nonsense")
    assert client.call("Authorize", {"idTag": "x" * 30})[0] == 4
    leave(client)


def be_replaced(central_system: ICentralSystem) -> None:
    first, second = enter(central_system.port), enter(central_system.port)
    assert second.call("Heartbeat")[0] == 3
    leave(first)
    leave(second)


def leave_a_question_open(central_system: ICentralSystem) -> None:
    client = enter(central_system.port)
    client.call("Heartbeat")
    (charge_point,) = [one for one in central_system.charge_points if one.is_connected]
    asking = central_system.runtime.submit(charge_point.clear_cache)
    assert client.text()[2] == "ClearCache"
    leave(client)
    assert asking.result(LIMIT) is False


def be_sent_away(central_system: ICentralSystem) -> None:
    client = enter(central_system.port)
    client.call("Heartbeat")
    for charge_point in central_system.charge_points:
        charge_point.disconnect()
    assert client.close_code() in (1000, 1008)
    leave(client)


WAYS: list[Callable[[ICentralSystem], None]] = [
    vanish_at_once, be_refused, boot_and_vanish, talk_nonsense, be_replaced, leave_a_question_open, be_sent_away,
]  # fmt: skip


@pytest.fixture
def central_system() -> Iterator[ICentralSystem]:
    config = CentralSystemConfig(listen_url="ws://127.0.0.1:0/ocpp")
    with Runtime(workers=2) as runtime, ICentralSystem.create(config, Application(), runtime) as made:
        assert made.start()
        yield made


def things() -> int:
    """How many objects there are."""
    gc.collect()
    return len(gc.get_objects())


def settled() -> int:
    """The same, once what was on its way has arrived: the number changes no more."""
    pause = threading.Event()
    last, same = things(), 0
    for _ in range(int(LIMIT / 0.02)):
        pause.wait(0.02)
        now = things()
        last, same = now, same + 1 if now == last else 0
        if same == 5:
            return now
    raise AssertionError("it does not come to rest")


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_nothing_is_left_of_a_connection(central_system: ICentralSystem, way: Callable[[ICentralSystem], None]) -> None:
    logging.disable()  # the test tool keeps all lines
    try:
        for _ in range(10):
            way(central_system)
        before = settled()
        for _ in range(CYCLES):
            way(central_system)
        assert settled() - before < CYCLES
    finally:
        logging.disable(logging.NOTSET)
