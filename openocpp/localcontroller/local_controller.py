"""The local controller: settings, store, server and the application's handlers put together.

Threads: any but the scheduler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openocpp.config import ILocalControllerConfig, check_local_controller_config
from openocpp.localcontroller.charge_point_proxy import ChargePointProxy
from openocpp.localcontroller.hybrid import create_from
from openocpp.localcontroller.interface import IChargePointProxy, ILocalController
from openocpp.localcontroller.side import Context
from openocpp.serving.gate import EventsGate
from openocpp.serving.life import ServingRole

if TYPE_CHECKING:
    from openocpp.localcontroller.interface import ILocalControllerEventsHandler
    from openocpp.messages.schema import SchemaSet
    from openocpp.rpc.server import Connection
    from openocpp.runtime import Lane, Runtime


class LocalController(ServingRole[ILocalControllerConfig], ILocalController):
    """The implementation behind ``ILocalController.create``."""

    def __init__(
        self,
        stack_config: ILocalControllerConfig,
        events_handler: ILocalControllerEventsHandler,
        runtime: Runtime | None = None,
    ) -> None:
        self._events = events_handler
        super().__init__("local controller", stack_config, runtime)

    @property
    def charge_points(self) -> tuple[ChargePointProxy, ...]:
        return tuple(user for user in self._users if isinstance(user, ChargePointProxy))

    # -- for the life of it --------------------------------------------------------------------------------------------

    def _check(self, stack_config: ILocalControllerConfig) -> None:
        check_local_controller_config(stack_config)

    def _workers(self) -> int:
        config = self._config
        return config.incoming_requests_from_cp_thread_pool_size + config.incoming_requests_from_cs_thread_pool_size

    def _lane(self) -> Lane:
        """Also on its own runtime: handlers of the one direction leave workers to the other."""
        return self._runtime.lane(self._config.incoming_requests_from_cp_thread_pool_size)

    def _make_role(self, schemas: SchemaSet) -> _Role:
        context = Context(
            runtime=self._runtime,
            config=self._config,
            schemas=schemas,
            validation=self._read("message_validation"),
            lane=self._runtime.lane(self._config.incoming_requests_from_cs_thread_pool_size),
            monitor=self._monitor,
        )
        return _Role(context, self._events, self._read("cpo_name"))


class _Role(EventsGate):
    """What the server asks of a local controller (``ServerRole``)."""

    def __init__(self, context: Context, events: ILocalControllerEventsHandler, cpo_name: str) -> None:
        super().__init__(events, cpo_name)
        self._context = context
        self._tell = events.charge_point_connected

    def user_of(self, connection: Connection) -> ChargePointProxy:
        return ChargePointProxy(self._context, connection, self._tell)


ILocalController._implementation = LocalController
IChargePointProxy._create_from = create_from
