"""The public face of the central system role.

Threads: every operation may be called from any thread but the scheduler, callbacks included.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from openocpp.centralsystem.charge_point import IChargePoint as _IChargePoint
from openocpp.centralsystem.handlers import (
    DefaultCentralSystemEventsHandler,
    DefaultChargePointRequestHandler,
    ICentralSystemEventsHandler,
    IChargePointRequestHandler,
)
from openocpp.serving.interface import IServingRole

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.config import ICentralSystemConfig
    from openocpp.runtime import Runtime


class ICentralSystem(IServingRole):
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

    @property
    @abstractmethod
    def config(self) -> ICentralSystemConfig:
        """The settings it was made with."""

    @property
    @abstractmethod
    def charge_points(self) -> tuple[_IChargePoint, ...]:
        """Those that are connected now."""


__all__ = [
    "DefaultCentralSystemEventsHandler",
    "DefaultChargePointRequestHandler",
    "ICentralSystem",
    "ICentralSystemEventsHandler",
    "IChargePointRequestHandler",
]
