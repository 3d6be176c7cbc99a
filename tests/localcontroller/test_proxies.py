"""Tests of openocpp.localcontroller.proxies: the names, parameters and defaults that users rely on."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from openocpp.localcontroller.proxies import ICentralSystemProxy, IChargePointProxy

BOTH = {
    "identifier", "is_connected", "set_timeout", "call", "register_handler", "unregister_handler", "register_listener",
    "disconnect",
}  # fmt: skip


@pytest.mark.parametrize(
    ("cls", "own"),
    [
        (ICentralSystemProxy, {"connect"}),
        (IChargePointProxy, {"create_from", "ip_address", "central_system_proxy", "credentials"}),
    ],
)
def test_they_have_these_members(cls: type[Any], own: set[str]) -> None:
    assert {name for name in dir(cls) if not name.startswith("_")} == BOTH | own
    with pytest.raises(TypeError, match="abstract"):
        cls()


def test_times_of_connect_are_seconds() -> None:
    parameters = inspect.signature(ICentralSystemProxy.connect).parameters
    assert list(parameters)[1:] == ["url", "credentials", "connect_timeout", "retry_interval", "ping_interval"]
    assert [parameter.default for parameter in parameters.values()][3:] == [5.0, 5.0, 5.0]


def test_a_pair_is_made_from_a_charge_point_and_settings() -> None:
    assert list(inspect.signature(IChargePointProxy.create_from).parameters) == ["charge_point", "stack_config"]
