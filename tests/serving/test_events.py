"""Tests of openocpp.serving.events: the ready base lets everybody in, but no password."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from openocpp.serving.events import DefaultServerEventsHandler, IServerEventsHandler
from openocpp.types.pem import PemText


def test_the_ready_base_accepts_all_but_passwords() -> None:
    events = DefaultServerEventsHandler()
    assert events.accept_connection("192.0.2.1")
    assert events.is_charge_point_known("CP1")
    assert not events.check_credentials("CP1", b"")
    assert events.check_client_certificate("CP1", PemText(""))
    events.client_failed_to_connect("192.0.2.1")


def test_every_question_must_be_answered() -> None:
    abstract: Any = IServerEventsHandler
    with pytest.raises(TypeError, match="abstract"):
        abstract()
    assert {name for name, _ in inspect.getmembers(IServerEventsHandler, inspect.isfunction)} == {
        "accept_connection", "client_failed_to_connect", "is_charge_point_known", "check_credentials",
        "check_client_certificate",
    }  # fmt: skip
