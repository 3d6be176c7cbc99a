"""What the local controller role asks and tells the application, and ready bases.

Threads: all callbacks come on workers, those about one charge point in order. They may block, and may call operations
of both proxies. An exception is logged; in ``charge_point_connected`` it closes the connection.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from openocpp.serving.events import DefaultServerEventsHandler, IServerEventsHandler

if TYPE_CHECKING:
    from openocpp.localcontroller.proxies import IChargePointProxy


class ILocalControllerEventsHandler(IServerEventsHandler):
    """Who may connect, and who has. One for each local controller."""

    @abstractmethod
    def charge_point_connected(self, charge_point: IChargePointProxy) -> None:
        """A charge point is connected. Register a listener and handlers, and connect its central system proxy here: no
        request of the charge point is handled before this returns. ``charge_point.disconnect()`` refuses it."""


class DefaultLocalControllerEventsHandler(DefaultServerEventsHandler, ILocalControllerEventsHandler):
    """Accepts every address and identity, but no password. Where to connect to, only the application knows."""


class ILocalControllerProxyEventsHandler(ABC):
    """Is told what becomes of the two connections of one charge point."""

    @abstractmethod
    def disconnected_from_charge_point(self) -> None:
        """The charge point's connection is over; that to the central system was closed before. The last callback."""

    @abstractmethod
    def connected_to_central_system(self) -> None:
        """A connection was made: the first, or another one after a loss."""

    @abstractmethod
    def failed_to_connect_to_central_system(self) -> None:
        """No connection was made. Once until a connection is made, however many attempts fail."""

    @abstractmethod
    def disconnected_from_central_system(self) -> None:
        """A connection that was made is over, whoever ended it."""


class DefaultLocalControllerProxyEventsHandler(ILocalControllerProxyEventsHandler):
    """Does nothing."""

    def disconnected_from_charge_point(self) -> None:
        """Nothing to do."""

    def connected_to_central_system(self) -> None:
        """Nothing to do."""

    def failed_to_connect_to_central_system(self) -> None:
        """Nothing to do."""

    def disconnected_from_central_system(self) -> None:
        """Nothing to do."""
