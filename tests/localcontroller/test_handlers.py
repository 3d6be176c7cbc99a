"""Tests of openocpp.localcontroller.handlers: the ready bases."""

from __future__ import annotations

from typing import Any

import pytest

from openocpp.localcontroller.handlers import (
    DefaultLocalControllerEventsHandler,
    DefaultLocalControllerProxyEventsHandler,
    ILocalControllerEventsHandler,
    ILocalControllerProxyEventsHandler,
)
from tests.localcontroller.driving import Application


@pytest.mark.parametrize(
    ("cls", "missing"),
    [
        (ILocalControllerEventsHandler, "accept_connection"),
        (DefaultLocalControllerEventsHandler, "charge_point_connected"),
        (ILocalControllerProxyEventsHandler, "connected_to_central_system"),
    ],
)
def test_what_only_the_application_can_know_must_be_written(cls: Any, missing: str) -> None:
    with pytest.raises(TypeError, match=missing):
        cls()


def test_the_ready_bases_let_in_and_do_nothing() -> None:
    events = Application()
    assert events.accept_connection("192.0.2.1")
    assert events.is_charge_point_known("CP1")
    assert not DefaultLocalControllerEventsHandler.check_credentials(events, "CP1", b"")
    listener = DefaultLocalControllerProxyEventsHandler()
    listener.connected_to_central_system()
    listener.failed_to_connect_to_central_system()
    listener.disconnected_from_central_system()
    listener.disconnected_from_charge_point()
