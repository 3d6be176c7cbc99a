"""Tests of openocpp.serving.interface: code that starts and stops a role need not know which one it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openocpp import (
    CentralSystemConfig,
    DefaultCentralSystemEventsHandler,
    DefaultLocalControllerEventsHandler,
    ICentralSystem,
    ILocalController,
    LocalControllerConfig,
)
from openocpp.errors import StateError
from openocpp.serving.interface import IServingRole
from openocpp.testing import SimulatedRuntime

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.runtime import Runtime

URL = "ws://role:8080/ocpp"


class OfCentralSystem(DefaultCentralSystemEventsHandler):
    def charge_point_connected(self, charge_point: Any) -> None:
        raise AssertionError("nobody connects")


class OfLocalController(DefaultLocalControllerEventsHandler):
    def charge_point_connected(self, charge_point: Any) -> None:
        raise AssertionError("nobody connects")


def central_system(runtime: Runtime) -> IServingRole:
    return ICentralSystem.create(CentralSystemConfig(listen_url=URL), OfCentralSystem(), runtime)


def local_controller(runtime: Runtime) -> IServingRole:
    return ILocalController.create(LocalControllerConfig(listen_url=URL), OfLocalController(), runtime)


@pytest.mark.parametrize("make", [central_system, local_controller])
def test_both_roles_live_the_same_life(make: Callable[[Runtime], IServingRole]) -> None:
    with SimulatedRuntime() as sim:
        with make(sim) as role:
            assert role.runtime is sim
            assert not role.stop()
            assert role.start()
            assert role.port == 8080
            assert not role.start()
            assert not role.reset_data()
            assert not role.reload_tls()
            assert role.stop()
            assert role.reset_data()
            assert role.start()
        with pytest.raises(StateError):
            assert role.port


def test_it_is_no_role_of_its_own() -> None:
    with pytest.raises(TypeError, match="abstract"):
        IServingRole()  # type: ignore[abstract]
