"""Charge points that come and go all day leave nothing behind, whatever their way of leaving."""

from __future__ import annotations

import gc
import logging
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

CYCLES = 20  # of each way


class Requests(DefaultChargePointRequestHandler):
    def boot_notification(self, *fields: str) -> RegistrationStatus:
        return RegistrationStatus.Accepted


class Application(DefaultCentralSystemEventsHandler):
    def __init__(self) -> None:
        self.calling: list[threading.Thread] = []

    def is_charge_point_known(self, identifier: str) -> bool:
        return identifier != "STRANGER"

    def charge_point_connected(self, charge_point: ICentralSystem.IChargePoint) -> None:
        charge_point.register_handler(Requests())


def enter(port: int, identity: str = "CP1") -> Client:
    client = Client(port)
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
    asking = threading.Thread(target=charge_point.clear_cache)
    asking.start()
    assert client.text()[2] == "ClearCache"
    leave(client)
    asking.join(LIMIT)


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


def things(central_system: ICentralSystem) -> int:
    """How many objects there are, once all is quiet."""
    pause = threading.Event()
    while central_system.charge_points:
        pause.wait(0.01)
    for _ in range(3):  # what is on its way through the scheduler and the workers
        central_system.runtime.submit(lambda: None).result(LIMIT)
        pause.wait(0.02)
    gc.collect()
    return len(gc.get_objects())


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_nothing_is_left_of_a_connection(central_system: ICentralSystem, way: Callable[[ICentralSystem], None]) -> None:
    logging.disable()  # the test tool keeps all lines
    try:
        for _ in range(5):
            way(central_system)
        before = things(central_system)
        for _ in range(CYCLES):
            way(central_system)
        assert things(central_system) - before < CYCLES
    finally:
        logging.disable(logging.NOTSET)
