"""Tests of openocpp.centralsystem.interface: names, parameters and defaults as they are promised."""

from __future__ import annotations

import inspect

import pytest

import openocpp
from openocpp import CentralSystemConfig, ICentralSystem
from openocpp.centralsystem import CentralSystem
from tests.centralsystem.bench import Events


def parameters(function: object) -> str:
    """Parameters with their defaults, without types."""
    assert callable(function)
    signature = inspect.signature(function)
    plain = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for name, parameter in signature.parameters.items()
        if name != "self"
    ]
    return str(signature.replace(parameters=plain, return_annotation=inspect.Signature.empty))


def test_create_gives_a_central_system() -> None:
    with ICentralSystem.create(CentralSystemConfig(listen_url="ws://127.0.0.1:0/"), Events()) as central_system:
        assert isinstance(central_system, CentralSystem)
    assert parameters(ICentralSystem.create) == "(stack_config, events_handler, runtime=None)"


@pytest.mark.parametrize("name", ["start", "stop", "reset_data", "reload_tls"])
def test_operations_of_the_facade(name: str) -> None:
    assert parameters(getattr(ICentralSystem, name)) == "()"


@pytest.mark.parametrize("name", ["config", "runtime", "charge_points", "port"])
def test_properties_of_the_facade(name: str) -> None:
    assert isinstance(getattr(ICentralSystem, name), property)


@pytest.mark.parametrize(
    "name",
    [
        "ICentralSystem", "ICentralSystemEventsHandler", "IChargePointRequestHandler",
        "DefaultCentralSystemEventsHandler", "DefaultChargePointRequestHandler",
    ],
)  # fmt: skip
def test_public_names(name: str) -> None:
    assert name in openocpp.__all__
    assert inspect.isclass(getattr(openocpp, name))


def test_the_proxy_is_nested() -> None:
    assert inspect.isabstract(ICentralSystem.IChargePoint)
    assert issubclass(CentralSystem, ICentralSystem)
