"""The public face of the local controller role.

Threads: every operation may be called from any thread but the scheduler, callbacks included.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from openocpp.localcontroller.credentials import ClientCredentials
from openocpp.localcontroller.handlers import (
    DefaultLocalControllerEventsHandler,
    DefaultLocalControllerProxyEventsHandler,
    ILocalControllerEventsHandler,
    ILocalControllerProxyEventsHandler,
)
from openocpp.localcontroller.proxies import ICentralSystemProxy, IChargePointProxy

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from openocpp.config import ILocalControllerConfig
    from openocpp.runtime import Runtime


class ILocalController(ABC):
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

    def __enter__(self) -> Self:
        return self

    @abstractmethod
    def __exit__(self, *_: object) -> None:
        """Stop, and close the database."""

    @property
    @abstractmethod
    def config(self) -> ILocalControllerConfig:
        """The settings it was made with."""

    @property
    @abstractmethod
    def runtime(self) -> Runtime:
        """The threads in use; an application may run its own jobs there. Its own one is another after each ``stop``."""

    @property
    @abstractmethod
    def charge_points(self) -> tuple[IChargePointProxy, ...]:
        """Those that are connected now."""

    @property
    @abstractmethod
    def port(self) -> int:
        """The port in use, also when ListenUrl leaves the choice to the system (port 0). StateError when stopped."""

    @abstractmethod
    def start(self) -> bool:
        """Listen. False, with the reason in the log and nothing left running: started already; an unusable setting,
        a missing schema, an address that is in use, or certificates that cannot be loaded."""

    @abstractmethod
    def stop(self) -> bool:
        """Close all connections, to both sides, and end all threads within 3 s. False: not started. Legal from a
        callback."""

    @abstractmethod
    def reset_data(self) -> bool:
        """Forget everything: a fresh database. True also without one. False: not stopped, or it cannot be made."""

    @abstractmethod
    def reload_tls(self) -> bool:
        """Read the certificate files anew, for new connections. False: not usable, the old ones stay."""


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
