"""The public face of the local controller role.

Threads: every operation may be called from any thread but the scheduler, callbacks included.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from openocpp.localcontroller.credentials import ClientCredentials
from openocpp.localcontroller.handlers import (
    DefaultLocalControllerEventsHandler,
    DefaultLocalControllerProxyEventsHandler,
    ILocalControllerEventsHandler,
    ILocalControllerProxyEventsHandler,
)
from openocpp.localcontroller.proxies import ICentralSystemProxy, IChargePointProxy
from openocpp.serving.interface import IServingRole

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.config import ILocalControllerConfig
    from openocpp.runtime import Runtime


class ILocalController(IServingRole):
    """A local controller (1.6 §3.13.4): it passes on what charge points and their central system say to each other.

    ``with`` stops it at the end, and closes its database.
    """

    _implementation: ClassVar[Callable[..., ILocalController]]  # set by ``local_controller``, which imports this module

    @staticmethod
    def create(
        stack_config: ILocalControllerConfig,
        events_handler: ILocalControllerEventsHandler,
        runtime: Runtime | None = None,
    ) -> ILocalController:
        """Make a local controller and open its database; it listens after ``start``. The objects are not copied.

        At most IncomingRequestsFromCpThreadPoolSize CALLs of charge points and IncomingRequestsFromCsThreadPoolSize of
        their central systems are handled at once; without ``runtime`` it makes its own, with so many workers.
        ConfigError names the setting that is not usable.
        """
        return ILocalController._implementation(stack_config, events_handler, runtime)

    @property
    @abstractmethod
    def config(self) -> ILocalControllerConfig:
        """The settings it was made with."""

    @property
    @abstractmethod
    def charge_points(self) -> tuple[IChargePointProxy, ...]:
        """Those that are connected now."""


__all__ = [
    "ClientCredentials",
    "DefaultLocalControllerEventsHandler",
    "DefaultLocalControllerProxyEventsHandler",
    "ICentralSystemProxy",
    "IChargePointProxy",
    "ILocalController",
    "ILocalControllerEventsHandler",
    "ILocalControllerProxyEventsHandler",
]
