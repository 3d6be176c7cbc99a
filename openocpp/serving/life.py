"""The life of a role that accepts charge points: its settings, store, server and threads, from start to stop.

Threads: any but the scheduler. Whether it runs is decided inside its monitor, and nothing is waited for there; the
table of connections belongs to the server, and what belongs to one connection to its proxy.
"""

from __future__ import annotations

import logging
from abc import abstractmethod
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from openocpp.config import setting
from openocpp.errors import ConfigError, StateError, TransportError
from openocpp.messages.schema import SchemaSet
from openocpp.rpc.listening import server_settings
from openocpp.rpc.server import Server
from openocpp.runtime import Runtime
from openocpp.serving.interface import IServingRole
from openocpp.store.role import RoleStore
from openocpp.transport.sockets import network
from openocpp.version import VERSION

if TYPE_CHECKING:
    from openocpp.config import ICentralSystemConfig
    from openocpp.rpc.server import ConnectionUser, ServerRole
    from openocpp.runtime import Lane

STOP_LIMIT = 3.0  # seconds that ``stop`` may take in all
LEAST_STOP = 0.3  # seconds of it that are left for threads to end, whatever came before

_MISSING = object()

ConfigT = TypeVar("ConfigT", bound="ICentralSystemConfig")


class _State(Enum):
    STOPPED = auto()
    STARTING = auto()
    STARTED = auto()
    STOPPING = auto()


class ServingRole(IServingRole, Generic[ConfigT]):
    """The common part of a central system and a local controller. ``title`` says in logs which it is."""

    def __init__(self, title: str, stack_config: ConfigT, runtime: Runtime | None) -> None:
        self._title = title
        self._log = logging.getLogger(f"openocpp.{title.replace(' ', '')}")
        self._config = stack_config
        self._check(stack_config)
        self._shared = runtime
        self._runtime = runtime or self._make_runtime()
        self._monitor = self._runtime.monitor(title)
        self._state = _State.STOPPED
        self._server: Server | None = None
        self._store: RoleStore | None = None
        self._revive()

    def __repr__(self) -> str:
        return f"<{self._title} on {self._config.listen_url}, {self._state.name.lower()}>"

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._state is _State.STOPPED:
            self._release()

    # -- what a role adds ----------------------------------------------------------------------------------------------

    @abstractmethod
    def _check(self, stack_config: ConfigT) -> None:
        """ConfigError if a setting is not usable."""

    @abstractmethod
    def _workers(self) -> int:
        """How many workers a runtime of its own has."""

    @abstractmethod
    def _make_role(self, schemas: SchemaSet) -> ServerRole:
        """What the server asks, from this start to the next stop."""

    def _lane(self) -> Lane | None:
        """What bounds the CALLs of charge points that are handled at once. Its own runtime is bound enough."""
        bound = self._config.incoming_requests_from_cp_thread_pool_size
        return None if self._shared is None else self._shared.lane(bound)

    # -- the facade ----------------------------------------------------------------------------------------------------

    @property
    def config(self) -> ConfigT:
        return self._config

    @property
    def runtime(self) -> Runtime:
        return self._runtime

    @property
    def port(self) -> int:
        server = self._server
        if server is None:
            raise StateError(f"the {self._title} is not started")
        return server.listener.port

    @property
    def _users(self) -> list[ConnectionUser]:
        """Those of the connections that are open and announced."""
        server = self._server
        connections = () if server is None else server.connections
        return [connection.user for connection in connections if connection.user is not None]

    def start(self) -> bool:
        if not self._change(_State.STOPPED, _State.STARTING):
            self._log.error("%r: not started, since it is not stopped", self)
            return False
        try:
            self._start()
        except (ConfigError, TransportError) as error:
            self._log.error("%r: cannot start: %s", self, error)
            self._release()
            self._state = _State.STOPPED
            return False
        except BaseException:
            self._release()
            self._state = _State.STOPPED
            raise
        self._state = _State.STARTED
        self._log.info("%r", self)
        return True

    def _start(self) -> None:
        config = self._config
        self._check(config)
        schemas = SchemaSet.load(config.json_schemas_path)
        settings = server_settings(self._read)
        self._revive()
        role = self._make_role(schemas)
        self._server = Server(self._runtime, network(self._runtime), role, settings, self._lane())
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
        self._log.info("%r", self)
        return True

    def reset_data(self) -> bool:
        if not self._change(_State.STOPPED, _State.STARTING):
            self._log.error("%r: data can be reset only while it is stopped", self)
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
        self._log.error("%r: there are no certificates to read, ListenUrl is not one of TLS", self)
        return False

    # -- parts of it ---------------------------------------------------------------------------------------------------

    def _change(self, old: _State, new: _State) -> bool:
        with self._monitor:
            if self._state is not old:
                return False
            self._state = new
            return True

    def _make_runtime(self) -> Runtime:
        return Runtime(workers=self._workers(), name=self._title.replace(" ", "-"))

    def _read(self, name: str) -> Any:
        """A setting by its name in Python; additional ones may be missing in the application's object."""
        value = getattr(self._config, name, _MISSING)
        return setting(self._config, name) if value is _MISSING else value

    def _revive(self) -> None:
        """Have threads and store, again after a stop."""
        if self._shared is None and self._runtime.stopped:
            self._runtime = self._make_runtime()
        if self._store is None:
            config = self._config
            self._store = RoleStore(self._runtime, config.database_path, config.log_max_entries_count, VERSION)

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
