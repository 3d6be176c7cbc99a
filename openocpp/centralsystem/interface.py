"""The public face of the central system role.

Threads: every operation may be called from any thread but the scheduler, callbacks included.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from openocpp.centralsystem.charge_point import IChargePoint as _IChargePoint
from openocpp.centralsystem.handlers import (
    DefaultCentralSystemEventsHandler,
    DefaultChargePointRequestHandler,
    ICentralSystemEventsHandler,
    IChargePointRequestHandler,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from openocpp.config import ICentralSystemConfig
    from openocpp.runtime import Runtime


class ICentralSystem(ABC):
    """A central system (1.6 §2.1): connections to charge points, and nothing of their business.

    ``with`` stops it at the end, and closes its database.
    """

    IChargePoint: TypeAlias = _IChargePoint

    _implementation: ClassVar[Callable[..., ICentralSystem]]  # set by ``central_system``, which imports this module

    @staticmethod
    def create(
        stack_config: ICentralSystemConfig,
        events_handler: ICentralSystemEventsHandler,
        runtime: Runtime | None = None,
    ) -> ICentralSystem:
        """Make a central system and open its database; it listens after ``start``. The objects are not copied.

        Without ``runtime`` it makes its own, with IncomingRequestsFromCpThreadPoolSize workers; on a shared one it
        handles at most so many CALLs at once. ConfigError names the setting that is not usable.
        """
        return ICentralSystem._implementation(stack_config, events_handler, runtime)

    def __enter__(self) -> Self:
        return self

    @abstractmethod
    def __exit__(self, *_: object) -> None:
        """Stop, and close the database."""

    @property
    @abstractmethod
    def config(self) -> ICentralSystemConfig:
        """The settings it was made with."""

    @property
    @abstractmethod
    def runtime(self) -> Runtime:
        """The threads in use; an application may run its own jobs there. Its own one is another after each ``stop``."""

    @property
    @abstractmethod
    def charge_points(self) -> tuple[_IChargePoint, ...]:
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
        """Close all connections (1001) and end all threads within 3 s. False: not started. Legal from a callback."""

    @abstractmethod
    def reset_data(self) -> bool:
        """Forget everything: a fresh database. True also without one. False: not stopped, or it cannot be made."""

    @abstractmethod
    def reload_tls(self) -> bool:
        """Read the certificate files anew, for new connections. False: not usable, the old ones stay."""


__all__ = [
    "DefaultCentralSystemEventsHandler",
    "DefaultChargePointRequestHandler",
    "ICentralSystem",
    "ICentralSystemEventsHandler",
    "IChargePointRequestHandler",
]
