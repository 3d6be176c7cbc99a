"""What an application sees of a charge point and its central system through a local controller: a pair of proxies.

What the one side asks is passed on to the other as it came, and the answer back, unless a handler is registered.

Threads: every operation may be called from any thread but the scheduler, callbacks included.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from openocpp.messages.base import Confirmation

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.centralsystem.interface import ICentralSystem
    from openocpp.config import ILocalControllerConfig
    from openocpp.localcontroller.credentials import ClientCredentials
    from openocpp.localcontroller.handlers import ILocalControllerProxyEventsHandler
    from openocpp.messages.base import Request
    from openocpp.types import CallResult, NoAnswer

C = TypeVar("C", bound=Confirmation)


class IProxy(ABC):
    """What both proxies have: calls to that side, and handlers of its requests."""

    @property
    @abstractmethod
    def identifier(self) -> str:
        """The charge point's identity (J §3.1.1)."""

    @property
    @abstractmethod
    def is_connected(self) -> bool:
        """Is there a connection to that side?"""

    @abstractmethod
    def set_timeout(self, timeout: float) -> None:
        """How long the next CALLs to that side, passed on ones too, may take, in seconds > 0. First:
        CallRequestTimeout. It should be less than the neighbours' own."""

    @abstractmethod
    def call(self, request: Request[C]) -> CallResult[C]:
        """Send a request of the local controller's own, and tell what became of it.

        LocalProtocolError, and nothing is sent, when it breaks the standard or is not one that this side handles.
        """

    @abstractmethod
    def register_handler(self, request_type: type[Request[C]], handler: Callable[[Any], C | NoAnswer]) -> bool:
        """Handle requests of this type that come from this side, instead of passing them on.

        The handler gets the request and returns its confirmation, or ``NO_ANSWER`` to stay silent, or raises CallError,
        which is sent; any other exception is answered with InternalError. It may call both proxies. It replaces the
        one before. False: this side does not send such requests.
        """

    @abstractmethod
    def unregister_handler(self, request_type: type[Request[C]]) -> bool:
        """Pass such requests on again. False: there was no handler."""

    @abstractmethod
    def register_listener(self, listener: ILocalControllerProxyEventsHandler) -> None:
        """Who is told of connections and their ends, instead of who was before."""

    @abstractmethod
    def disconnect(self) -> None:
        """Close the connection to that side (1000), and make no other. It returns at once; the listener is told.

        With DisconnectFromCpWhenCsDisconnected, and for the charge point, both connections of the pair. Idempotent.
        """


class ICentralSystemProxy(IProxy):
    """The central system, as one charge point has it. ``register_handler``: what it asks, 1.6 chapter 5."""

    @abstractmethod
    def connect(
        self,
        url: str,
        credentials: ClientCredentials,
        connect_timeout: float = 5.0,
        retry_interval: float = 5.0,
        ping_interval: float = 5.0,
    ) -> bool:
        """Begin to connect to ``url``/identity (J §3.1.1), as the charge point; the listener is told how it goes.

        Times are seconds. An attempt may take ``connect_timeout``; ``retry_interval`` (and up to 20 % more) lies
        between attempts, after a loss too, 0 makes a single one; ``ping_interval`` of 0 sends no pings. False: the URL
        is not usable, it was connected before and not disconnected, or the charge point has left.
        """


class IChargePointProxy(IProxy):
    """A connected charge point. ``register_handler``: what it sends, 1.6 chapter 4."""

    _create_from: ClassVar[Callable[..., IChargePointProxy | None]]  # set by ``hybrid``, which imports this module

    @staticmethod
    def create_from(
        charge_point: ICentralSystem.IChargePoint, stack_config: ILocalControllerConfig
    ) -> IChargePointProxy | None:
        """Turn a central system's charge point into one whose requests are passed on: both roles on one port.

        To be called within ``charge_point_connected``, else StateError; the old object must not be used any more. None:
        it is not one of this package's. ConfigError names a setting that is not usable.
        """
        return IChargePointProxy._create_from(charge_point, stack_config)

    @property
    @abstractmethod
    def ip_address(self) -> str:
        """The peer's address, numeric."""

    @property
    @abstractmethod
    def central_system_proxy(self) -> ICentralSystemProxy:
        """The other side of the pair."""

    @abstractmethod
    def credentials(self, base: ClientCredentials | None = None) -> ClientCredentials:
        """``base`` with the user and the password that the charge point sent: to connect in its name.

        They are empty without HttpBasicAuthent.
        """

    @abstractmethod
    def register_listener(self, listener: ILocalControllerProxyEventsHandler) -> None:
        """Who is told of both connections of the pair and their ends, instead of who was before."""
