"""Tests of openocpp.localcontroller.interface: the names, parameters and defaults that users rely on."""

from __future__ import annotations

import inspect

import pytest

import openocpp
from openocpp.localcontroller import interface
from openocpp.localcontroller.local_controller import LocalController
from openocpp.testing import SimulatedRuntime
from tests.localcontroller.driving import URL, Application


@pytest.mark.parametrize("name", interface.__all__)
def test_all_of_it_is_public(name: str) -> None:
    assert getattr(openocpp, name) is getattr(interface, name)
    assert name in openocpp.__all__


def test_the_facade_has_these_members() -> None:
    members = {name for name in dir(interface.ILocalController) if not name.startswith("_")}
    assert members == {
        "create", "config", "runtime", "charge_points", "port", "start", "stop", "reset_data", "reload_tls",
    }  # fmt: skip


def test_it_makes_the_one_implementation() -> None:
    parameters = inspect.signature(interface.ILocalController.create).parameters
    assert list(parameters) == ["stack_config", "events_handler", "runtime"]
    assert parameters["runtime"].default is None
    with SimulatedRuntime() as sim:
        config = openocpp.LocalControllerConfig(listen_url=URL)
        assert isinstance(openocpp.ILocalController.create(config, Application(), sim), LocalController)


def test_with_stops_it() -> None:
    with SimulatedRuntime() as sim:
        config = openocpp.LocalControllerConfig(listen_url=URL)
        with interface.ILocalController.create(config, Application(), sim) as controller:
            assert controller.start()
        assert not controller.stop()
