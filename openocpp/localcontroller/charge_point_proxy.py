"""A charge point that is connected to the local controller, and the pair of proxies around its connection.

Threads: what the server calls comes on workers; the rest any but the scheduler.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from openocpp.localcontroller.central_system_proxy import CentralSystemProxy
from openocpp.localcontroller.credentials import ClientCredentials
from openocpp.localcontroller.proxies import IChargePointProxy
from openocpp.localcontroller.side import Side
from openocpp.messages import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.localcontroller.handlers import ILocalControllerProxyEventsHandler
    from openocpp.localcontroller.side import Context
    from openocpp.rpc.server import Connection

log = logging.getLogger("openocpp.localcontroller")


class ChargePointProxy(Side, IChargePointProxy):
    """The charge point's side of a pair. ``tell`` is called with it when it is announced."""

    def __init__(self, context: Context, connection: Connection, tell: Callable[[IChargePointProxy], None]) -> None:
        super().__init__(context, connection.identity, "the charge point", connection.identity, Role.CHARGE_POINT)
        self._connection = connection
        self._tell = tell
        self._left = False
        self._listener: ILocalControllerProxyEventsHandler | None = None
        self._central_system = CentralSystemProxy(context, connection, self)
        connection.on_end = self._central_system.charge_point_left
        self.endpoint = connection.endpoint
        connection.endpoint.direct = self.pass_directly
        self._messenger.attach(connection.endpoint)

    def __repr__(self) -> str:
        state = "" if self.is_connected else ", not connected"
        return f"<charge point {self._identity} at {self.ip_address}{state}>"

    # -- for the application -------------------------------------------------------------------------------------------

    @property
    def ip_address(self) -> str:
        return self._connection.peer.address

    @property
    def is_connected(self) -> bool:
        return self._connection.is_open and not self._left

    @property
    def central_system_proxy(self) -> CentralSystemProxy:
        return self._central_system

    @property
    def other(self) -> Side:
        return self._central_system

    def credentials(self, base: ClientCredentials | None = None) -> ClientCredentials:
        accepted = self._connection.accepted
        return replace(base or ClientCredentials(), user=accepted.user, password=accepted.password)

    def register_listener(self, listener: ILocalControllerProxyEventsHandler) -> None:
        self._listener = listener
        self._central_system.register_listener(listener)

    def disconnect(self) -> None:
        self._left = True
        self._messenger.detach(self._connection.endpoint)
        self._connection.close()

    # -- for the server ------------------------------------------------------------------------------------------------

    def announce(self) -> None:
        self._tell(self)

    def disconnected(self) -> None:
        self._central_system.finish()
        if self._listener is not None:
            self._listener.disconnected_from_charge_point()
