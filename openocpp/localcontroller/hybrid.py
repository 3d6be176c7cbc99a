"""Central system and local controller on one port: a connection that changes its role while it is announced.

Threads: workers, within the announcement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from openocpp.config import check_local_controller_config, setting
from openocpp.localcontroller.charge_point_proxy import ChargePointProxy
from openocpp.localcontroller.side import Context
from openocpp.messages.schema import SchemaSet
from openocpp.rpc.server import HandsOver

if TYPE_CHECKING:
    from openocpp.centralsystem.interface import ICentralSystem
    from openocpp.config import ILocalControllerConfig
    from openocpp.localcontroller.proxies import IChargePointProxy
    from openocpp.rpc.server import Server
    from openocpp.runtime import Runtime


def create_from(
    charge_point: ICentralSystem.IChargePoint, stack_config: ILocalControllerConfig
) -> IChargePointProxy | None:
    """See ``IChargePointProxy.create_from``."""
    if not isinstance(charge_point, HandsOver):
        return None
    check_local_controller_config(stack_config)
    connection = charge_point.hand_over()
    server = connection.server
    context = server.runtime.shared(_Contexts, _Contexts).of(server, stack_config)
    proxy = ChargePointProxy(context, connection, _announced_already)
    connection.use(proxy)
    return proxy


class _Contexts:
    """What the pairs of one server share, for all servers of a runtime."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._mutex = runtime.threads.mutex()
        self._contexts: WeakKeyDictionary[Server, Context] = WeakKeyDictionary()

    def of(self, server: Server, config: ILocalControllerConfig) -> Context:
        """The one for this server; another one when the settings are another object."""
        with self._mutex:
            found = self._contexts.get(server)
        if found is None or found.config is not config:
            found = Context(
                runtime=self._runtime,
                config=config,
                schemas=SchemaSet.load(config.json_schemas_path),
                validation=setting(config, "message_validation"),
                lane=self._runtime.lane(config.incoming_requests_from_cs_thread_pool_size),
                monitor=self._runtime.monitor("local controller"),
            )
            with self._mutex:
                self._contexts[server] = found
        return found

    def stop(self) -> None:
        """With the runtime."""
        self._contexts.clear()


def _announced_already(charge_point: IChargePointProxy) -> None:
    """As a central system's."""
