"""The central system: its life, and the wiring of settings, store, server and the application's handlers.

Threads: any but the scheduler. Whether it runs is decided inside its monitor, and nothing is waited for there; the
table of connections belongs to the server, and what belongs to one connection to its proxy.
"""

from __future__ import annotations

import logging
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from openocpp.centralsystem.certificates import certificate_from_der, organization_of
from openocpp.centralsystem.charge_point_proxy import ChargePointProxy, Context
from openocpp.centralsystem.handlers import DefaultCentralSystemEventsHandler
from openocpp.centralsystem.interface import ICentralSystem
from openocpp.centralsystem.registration import Registrations
from openocpp.config import check_central_system_config, setting
from openocpp.errors import ConfigError, StateError, TransportError
from openocpp.messages.schema import SchemaSet
from openocpp.rpc.listening import server_settings
from openocpp.rpc.server import Server
from openocpp.runtime import Runtime
from openocpp.store.role import RoleStore
from openocpp.transport.sockets import network
from openocpp.version import VERSION

if TYPE_CHECKING:
    from openocpp.centralsystem.handlers import ICentralSystemEventsHandler
    from openocpp.config import ICentralSystemConfig
    from openocpp.rpc.server import Connection
    from openocpp.runtime import Lane

log = logging.getLogger("openocpp.centralsystem")

STOP_LIMIT = 3.0  # seconds that ``stop`` may take in all
LEAST_STOP = 0.3  # seconds of it that are left for threads to end, whatever came before

_MISSING = object()


class _State(Enum):
    STOPPED = auto()
    STARTING = auto()
    STARTED = auto()
    STOPPING = auto()


class CentralSystem(ICentralSystem):
    """The implementation behind ``ICentralSystem.create``."""

    def __init__(
        self,
        stack_config: ICentralSystemConfig,
        events_handler: ICentralSystemEventsHandler,
        runtime: Runtime | None = None,
    ) -> None:
        check_central_system_config(stack_config)
        self._config = stack_config
        self._events = events_handler
        self._shared = runtime
        self._runtime = runtime or self._make_runtime()
        self._monitor = self._runtime.monitor("central system")
        self._state = _State.STOPPED
        self._registrations = Registrations()
        self._server: Server | None = None
        self._store: RoleStore | None = None
        self._revive()

    def __repr__(self) -> str:
        return f"<central system on {self._config.listen_url}, {self._state.name.lower()}>"

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._state is _State.STOPPED:
            self._release()

    @property
    def config(self) -> ICentralSystemConfig:
        return self._config

    @property
    def runtime(self) -> Runtime:
        return self._runtime

    @property
    def charge_points(self) -> tuple[ChargePointProxy, ...]:
        server = self._server
        if server is None:
            return ()
        users = (connection.user for connection in server.connections)
        return tuple(user for user in users if isinstance(user, ChargePointProxy) and not user.handed_over)

    @property
    def port(self) -> int:
        server = self._server
        if server is None:
            raise StateError("the central system is not started")
        return server.listener.port

    # -- life ----------------------------------------------------------------------------------------------------------

    def start(self) -> bool:
        if not self._change(_State.STOPPED, _State.STARTING):
            log.error("%r: not started, since it is not stopped", self)
            return False
        try:
            self._start()
        except (ConfigError, TransportError) as error:
            log.error("%r: cannot start: %s", self, error)
            self._release()
            self._state = _State.STOPPED
            return False
        except BaseException:
            self._release()
            self._state = _State.STOPPED
            raise
        self._state = _State.STARTED
        log.info("%r", self)
        return True

    def _start(self) -> None:
        config = self._config
        check_central_system_config(config)
        schemas = SchemaSet.load(config.json_schemas_path)
        settings = server_settings(self._read)
        self._revive()
        context = Context(
            central_system=self,
            runtime=self._runtime,
            config=config,
            events=self._events,
            schemas=schemas,
            validation=self._read("message_validation"),
            registrations=self._registrations,
            boot_required=self._read("require_boot_notification"),
        )
        lane: Lane | None = None
        if self._shared is not None:
            lane = self._shared.lane(config.incoming_requests_from_cp_thread_pool_size)
        role = _Role(context, self._read("cpo_name"))
        self._server = Server(self._runtime, network(self._runtime), role, settings, lane)
        self._server.listen()
        if self._store is not None:
            self._store.begin_session()

    def stop(self) -> bool:
        if not self._change(_State.STARTED, _State.STOPPING):
            return False
        deadline = self._runtime.clock.now() + STOP_LIMIT
        server = self._server
        if server is not None:
            server.close()
        self._release(deadline)
        self._state = _State.STOPPED
        log.info("%r", self)
        return True

    def reset_data(self) -> bool:
        if not self._change(_State.STOPPED, _State.STARTING):
            log.error("%r: data can be reset only while it is stopped", self)
            return False
        was_open = self._store is not None
        try:
            self._revive()
            return self._store is None or self._store.reset()
        finally:
            if not was_open:
                self._release()
            self._state = _State.STOPPED

    def reload_tls(self) -> bool:
        log.error("%r: there are no certificates to read, ListenUrl is not one of TLS", self)
        return False

    # -- parts of it ---------------------------------------------------------------------------------------------------

    def _change(self, old: _State, new: _State) -> bool:
        with self._monitor:
            if self._state is not old:
                return False
            self._state = new
            return True

    def _make_runtime(self) -> Runtime:
        return Runtime(workers=self._config.incoming_requests_from_cp_thread_pool_size, name="central-system")

    def _read(self, name: str) -> Any:
        """A setting by its name in Python; additional ones may be missing in the application's object."""
        value = getattr(self._config, name, _MISSING)
        return setting(self._config, name) if value is _MISSING else value

    def _revive(self) -> None:
        """Have threads and store, again after a stop."""
        if self._shared is None and self._runtime.stopped:
            self._runtime = self._make_runtime()
        if self._store is None:
            self._store = RoleStore(
                self._runtime,
                self._config.database_path,
                self._config.log_max_entries_count,
                VERSION,
            )

    def _release(self, deadline: float | None = None) -> None:
        """Give back what ``_revive`` and ``_start`` took."""
        self._server = None
        store, self._store = self._store, None
        if store is not None:
            store.close()
        if self._shared is None:
            if deadline is None:
                self._runtime.stop()
            else:
                self._runtime.stop(max(deadline - self._runtime.clock.now(), LEAST_STOP))


class _Role:
    """What the server asks of a central system (``ServerRole``)."""

    def __init__(self, context: Context, cpo_name: str) -> None:
        self._context = context
        self._events = events = context.events
        self._cpo_name = cpo_name
        self.accept_connection = events.accept_connection
        self.client_failed_to_connect = events.client_failed_to_connect
        self.is_charge_point_known = events.is_charge_point_known
        self.check_credentials = events.check_credentials

    def check_client_certificate(self, identifier: str, certificate: bytes) -> bool:
        found = certificate_from_der(certificate)
        usual = DefaultCentralSystemEventsHandler.check_client_certificate
        if self._cpo_name and type(self._events).check_client_certificate is usual:
            return organization_of(found) == self._cpo_name  # SEC A00.FR.404
        return self._events.check_client_certificate(identifier, found)

    def user_of(self, connection: Connection) -> ChargePointProxy:
        return ChargePointProxy(self._context, connection)


ICentralSystem._implementation = CentralSystem
