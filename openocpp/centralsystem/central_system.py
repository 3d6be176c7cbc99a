"""The central system: settings, store, server and the application's handlers put together.

Threads: any but the scheduler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openocpp.centralsystem.charge_point_proxy import ChargePointProxy, Context
from openocpp.centralsystem.interface import ICentralSystem
from openocpp.centralsystem.registration import Registrations
from openocpp.config import ICentralSystemConfig, check_central_system_config
from openocpp.serving.gate import EventsGate
from openocpp.serving.life import ServingRole

if TYPE_CHECKING:
    from openocpp.centralsystem.interface import ICentralSystemEventsHandler
    from openocpp.messages.schema import SchemaSet
    from openocpp.rpc.server import Connection
    from openocpp.runtime import Runtime


class CentralSystem(ServingRole[ICentralSystemConfig], ICentralSystem):
    """The implementation behind ``ICentralSystem.create``."""

    def __init__(
        self,
        stack_config: ICentralSystemConfig,
        events_handler: ICentralSystemEventsHandler,
        runtime: Runtime | None = None,
    ) -> None:
        self._events = events_handler
        self._registrations = Registrations()  # outlast stop and start
        super().__init__("central system", stack_config, runtime)

    @property
    def charge_points(self) -> tuple[ChargePointProxy, ...]:
        return tuple(user for user in self._users if isinstance(user, ChargePointProxy) and not user.handed_over)

    # -- for the life of it --------------------------------------------------------------------------------------------

    def _check(self, stack_config: ICentralSystemConfig) -> None:
        check_central_system_config(stack_config)

    def _workers(self) -> int:
        return self._config.incoming_requests_from_cp_thread_pool_size

    def _make_role(self, schemas: SchemaSet) -> _Role:
        context = Context(
            central_system=self,
            runtime=self._runtime,
            config=self._config,
            events=self._events,
            schemas=schemas,
            validation=self._read("message_validation"),
            registrations=self._registrations,
            boot_required=self._read("require_boot_notification"),
        )
        return _Role(context, self._read("cpo_name"))


class _Role(EventsGate):
    """What the server asks of a central system (``ServerRole``)."""

    def __init__(self, context: Context, cpo_name: str) -> None:
        super().__init__(context.events, cpo_name)
        self._context = context

    def user_of(self, connection: Connection) -> ChargePointProxy:
        return ChargePointProxy(self._context, connection)


ICentralSystem._implementation = CentralSystem
