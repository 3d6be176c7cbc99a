"""The facade: wiring, gates and waiting. What an operation does stands in its manager.

Threads: any but the scheduler; everything runs inside the monitor.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, TypeVar, cast

from openocpp.chargepoint.connectors import Connectors
from openocpp.chargepoint.context import ChargePointContext, Events, read_setting
from openocpp.chargepoint.interface import IChargePoint
from openocpp.chargepoint.security_events import SecurityEvent, SecurityEventManager
from openocpp.chargepoint.session import Session
from openocpp.chargepoint.status import StatusTexts
from openocpp.config import check_charge_point_config, setting
from openocpp.errors import ConfigError, StateError, StoreError
from openocpp.messages.messenger import Messenger
from openocpp.messages.schema import SchemaSet
from openocpp.messages.wire import Wire
from openocpp.runtime import Runtime
from openocpp.store.connectors import Connectors as ConnectorTable
from openocpp.store.connectors import forget_connectors
from openocpp.store.database import CHARGE_POINT, Database
from openocpp.store.logs import DatabaseLogHandler, Logs
from openocpp.types import (
    AuthorizationStatus,
    AuthorizeResult,
    ChargePointErrorCode,
    ChargePointStatus,
    ChargingRateUnitType,
    Reason,
    RegistrationStatus,
    fold,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from openocpp.chargepoint.data_transfer import VendorHandler
    from openocpp.chargepoint.interface import IChargePointEventsHandler
    from openocpp.config import IChargePointConfig, IOcppConfig
    from openocpp.errors import ConnectError
    from openocpp.store.connectors import ConnectorRow
    from openocpp.types import DataTransferResult, MeterValue, Setpoints

log = logging.getLogger("openocpp.chargepoint")

T = TypeVar("T")

OWN_WORKERS = 2
STOP_LIMIT = 3.0  # seconds that ``stop`` may take
JOBS_LIMIT = 1.0  # seconds of them that it waits for uploads, downloads, installations
MAX_EARLY_EVENTS = 100  # security events that are kept in memory until the start
INCOMING_AT_ONCE = 2  # CALLs handled at once; of one connection it is one at a time anyway
INVALID = AuthorizeResult(AuthorizationStatus.Invalid, "")


class ChargePoint(IChargePoint):
    """The charge point role."""

    def __init__(
        self,
        stack_config: IChargePointConfig,
        ocpp_config: IOcppConfig,
        events_handler: IChargePointEventsHandler,
        runtime: Runtime | None,
    ) -> None:
        check_charge_point_config(stack_config)
        self._config = stack_config
        self._keys = ocpp_config
        self._handler = events_handler
        self._name = stack_config.charge_point_identifier
        self._given_runtime = runtime
        self._runtime = runtime or self._own_runtime()
        self._monitor = self._runtime.monitor(self._name)
        self._vendor_handlers: dict[str, VendorHandler] = {}
        self._session: Session | None = None
        self._database: Database | None = None
        self._log_handler: logging.Handler | None = None
        self._early_events: list[SecurityEvent] = []
        self._busy = False  # start or stop is under way
        self._last_error: ConnectError | None = None

    def _own_runtime(self) -> Runtime:
        """Without threads until they are needed."""
        return Runtime(workers=OWN_WORKERS, connectors=1, name=self._name)

    def __repr__(self) -> str:
        return f"<charge point {self._name}: {self._session or 'stopped'}>"

    # -- life ----------------------------------------------------------------------------------------------------------

    @property
    def runtime(self) -> Runtime:
        return self._runtime

    def start(self) -> bool:
        with self._monitor:
            if self._session is not None or self._busy:
                return False
            self._busy = True
        started = False
        try:
            started = self._begin()
        finally:
            if not started:
                self._shut_down()
        return started

    def _begin(self) -> bool:
        """False, or an exception, when what was begun is to be undone."""
        with self._monitor:
            if self._given_runtime is None and self._runtime.stopped:
                self._monitor.runtime = self._runtime = self._own_runtime()
            if self._runtime.stopped:
                raise StateError(f"{self._name}: start on runtime {self._runtime.name}, which is stopped")
            try:
                check_charge_point_config(self._config)
                self._session = session = self._build(SchemaSet.load(self._config.json_schemas_path))
                if session.begin():
                    self._busy = False
                    return True
            except (ConfigError, StoreError) as error:
                log.error("%s: not started: %s", self._name, error)
            return False

    def _build(self, schemas: SchemaSet) -> Session:
        runtime = self._runtime
        database = self._database = self._open()
        wire = Wire(schemas, setting(self._config, "message_validation"), self._name)
        service = _Service(self)
        messenger = Messenger(
            runtime, wire, service, name=self._name, timeout=self._call_timeout, monitor=self._monitor
        )
        strand = runtime.strand()
        ctx = ChargePointContext(
            name=self._name,
            runtime=runtime,
            monitor=self._monitor,
            messenger=messenger,
            database=database,
            connectors=Connectors(database, self._keys.number_of_connectors, self._name),
            events=Events(self._handler, self._monitor, runtime.strand(), self._name),
            config=self._config,
            keys=self._keys,
        )
        session = Session(ctx, strand, runtime.lane(INCOMING_AT_ONCE), self._vendor_handlers)
        service.session = session
        if database.quarantined is not None:
            session.security.log(
                "DatabaseCorrupted", f"a fresh one was made, the old one is {database.quarantined.name}"
            )
        events, self._early_events = self._early_events, []
        for event in events:
            session.security.store(event)
        self._begin_logging(database)
        return session

    def _call_timeout(self) -> float:
        """errata 3.82: MessageTimeout, where the charge point has that key, else the setting of the stack."""
        return float(self._keys.message_timeout or self._config.call_request_timeout)

    def _open(self) -> Database:
        """Without its file a charge point works on, as long as the power lasts."""
        path = self._config.database_path
        try:
            return Database.open(self._runtime, str(path), CHARGE_POINT)
        except (StoreError, StateError) as error:  # StateError: another role of this runtime uses the file
            log.error("%s: %s; nothing will survive a restart", self._name, error)
            return Database.open(self._runtime, "", CHARGE_POINT)

    def _begin_logging(self, database: Database) -> None:
        """Lines begin with the name of whom they are about: several charge points may share the process."""
        most = self._config.log_max_entries_count
        if database.persistent and most > 0:
            logs = Logs(database, most)
            logs.trim()
            self._log_handler = handler = DatabaseLogHandler(logs)
            mine = tuple(f"{self._name}{mark}" for mark in (": ", " > ", " < "))
            handler.addFilter(lambda record: record.getMessage().startswith(mine))
            logging.getLogger("openocpp").addHandler(handler)

    def stop(self) -> bool:
        with self._monitor:
            if self._session is None or self._busy:
                return False
            self._busy = True
            self._session.end()  # at once: nobody gets in any more
        self._shut_down()
        return True

    def _shut_down(self) -> None:
        """Close the connection, then the store, then the threads. The monitor is not held: others may finish.

        ``_busy`` is set, so that nobody starts or stops meanwhile.
        """
        deadline = self._runtime.clock.now() + STOP_LIMIT
        with self._monitor:
            session = self._session
            if session is not None and not session.ctx.stopping:  # the start failed
                session.end()
        if session is not None:
            self._last_error = session.link.last_error
            session.link.close()
            session.jobs.join(JOBS_LIMIT)
        if self._log_handler is not None:
            logging.getLogger("openocpp").removeHandler(self._log_handler)
            self._log_handler = None
        with self._monitor:
            if session is not None:
                session.close()
            database, self._database = self._database, None
            self._session = None
            self._close(database)
        if self._given_runtime is None:
            self._runtime.stop(max(deadline - self._runtime.clock.now(), 0.1))
        with self._monitor:
            self._busy = False

    def _close(self, database: Database | None) -> None:
        if database is not None:
            try:
                database.close()
            except StoreError as error:
                log.error("%s: the database could not be closed in order: %s", self._name, error)

    def reconnect(self) -> bool:
        with self._monitor:
            if self._session is None or self._session.ctx.stopping:
                return False
            self._session.link.reconnect()
            return True

    @property
    def registration_status(self) -> RegistrationStatus:
        session = self._session
        return RegistrationStatus.Rejected if session is None else session.outbox.registration.status

    @property
    def is_connected(self) -> bool:
        session = self._session
        return session is not None and session.outbox.is_connected

    @property
    def last_connection_error(self) -> ConnectError | None:
        session = self._session
        return self._last_error if session is None else session.link.last_error

    # -- while stopped -------------------------------------------------------------------------------------------------

    def _offline(self, work: Callable[[Database], T], failed: T) -> T:
        """Work on the database while nothing runs: it is opened for that and closed again, and no thread is left."""
        if self._given_runtime is not None:
            return self._with_database(self._given_runtime, work, failed)
        with self._own_runtime() as runtime:
            return self._with_database(runtime, work, failed)

    def _with_database(self, runtime: Runtime, work: Callable[[Database], T], failed: T) -> T:
        try:
            database = Database.open(runtime, str(self._config.database_path), CHARGE_POINT)
            try:
                return work(database)
            finally:
                database.close()
        except (StoreError, StateError) as error:  # StateError: another role of this runtime uses the file
            log.error("%s: %s", self._name, error)
            return failed

    def reset_data(self) -> bool:
        with self._monitor:
            if self._session is not None or self._busy:
                return False

            def reset(database: Database) -> bool:
                database.reset()
                return True

            return self._offline(reset, False)

    def reset_connector_data(self) -> bool:
        with self._monitor:
            if self._session is not None or self._busy:
                return False

            def reset(database: Database) -> bool:
                forget_connectors(database)
                return True

            return self._offline(reset, False)

    # -- connectors ----------------------------------------------------------------------------------------------------

    def get_connector_status(self, connector_id: int) -> ChargePointStatus:
        with self._monitor:
            if self._session is None:
                nothing: list[ConnectorRow] = []
                stored = self._offline(lambda database: ConnectorTable(database).rows(), nothing)
                statuses = {row.id: ChargePointStatus(row.status) for row in stored}
                default = ChargePointStatus.Available
                known = 0 <= connector_id <= self._keys.number_of_connectors
                return statuses.get(connector_id, default) if known else ChargePointStatus.Unavailable
            connector = self._session.ctx.connectors.get(connector_id)
            return ChargePointStatus.Unavailable if connector is None else connector.status

    def status_notification(
        self,
        connector_id: int,
        status: ChargePointStatus,
        error_code: ChargePointErrorCode = ChargePointErrorCode.NoError,
        info: str | None = "",
        vendor_id: str | None = "",
        vendor_error: str | None = "",
    ) -> bool:
        texts = StatusTexts(info or "", vendor_id or "", vendor_error or "")
        return self._started(lambda session: session.status.set_status(connector_id, status, error_code, texts), False)

    # -- transactions --------------------------------------------------------------------------------------------------

    def authorize(self, connector_id: int, id_tag: str) -> AuthorizeResult:
        return self._accepted(lambda session: self._authorize(session, connector_id, id_tag), INVALID)

    @staticmethod
    def _authorize(session: Session, connector_id: int, id_tag: str) -> AuthorizeResult:
        connector = session.ctx.connectors.get(connector_id)
        return INVALID if connector is None else session.reservations.authorize(connector, id_tag)

    def start_transaction(self, connector_id: int, id_tag: str) -> AuthorizationStatus:
        return self._accepted(
            lambda session: session.transactions.start(connector_id, id_tag), AuthorizationStatus.Invalid
        )

    def stop_transaction(self, connector_id: int, id_tag: str | None = "", reason: Reason = Reason.Local) -> bool:
        return self._started(lambda session: session.transactions.stop(connector_id, id_tag or "", reason), False)

    def transaction_id(self, connector_id: int) -> int | None:
        return self._started(lambda session: session.transactions.transaction_id(connector_id), None)

    def send_meter_values(self, connector_id: int, values: Sequence[MeterValue]) -> bool:
        return self._accepted(lambda session: session.meter_values.send(connector_id, values), False)

    def get_setpoint(self, connector_id: int, unit: ChargingRateUnitType = ChargingRateUnitType.A) -> Setpoints | None:
        return self._started(lambda session: session.smart_charging.setpoint(connector_id, unit), None)

    def notify_firmware_update_status(self, success: bool) -> bool:
        return self._accepted(lambda session: session.firmware.notify(success), False)

    # -- vendor messages and security events ---------------------------------------------------------------------------

    def data_transfer(
        self, vendor_id: str, message_id: str | None = "", data: str | None = ""
    ) -> DataTransferResult | None:
        return self._accepted(lambda session: session.data_transfer.send(vendor_id, message_id or "", data or ""), None)

    def register_data_transfer_handler(self, vendor_id: str, handler: VendorHandler) -> bool:
        with self._monitor:
            if fold(vendor_id) in self._vendor_handlers:
                return False
            self._vendor_handlers[fold(vendor_id)] = handler
            return True

    def log_security_event(self, type: str, message: str | None = "", critical: bool = False) -> bool:
        event = SecurityEvent(self._runtime.clock.utcnow(), type, message or "", critical)
        with self._monitor:
            if self._session is not None:
                return self._session.security.store(event)
            if self._config.database_path:
                return self._offline(lambda database: self._security_of(database).store(event), False)
            if len(self._early_events) >= MAX_EARLY_EVENTS:
                return False
            self._early_events.append(event)  # there is no disk to keep it until the start
            return True

    def clear_security_events(self) -> bool:
        with self._monitor:
            if self._session is not None:
                return self._session.security.clear()
            return self._offline(lambda database: self._security_of(database).clear(), False)

    def _security_of(self, database: Database) -> SecurityEventManager:
        clock = self._runtime.clock
        return SecurityEventManager(database, clock, self._name, lambda key: read_setting(self._config, key))

    # -- gates ---------------------------------------------------------------------------------------------------------

    def _started(self, operation: Callable[[Session], T], refused: T) -> T:
        with self._monitor:
            session = self._session
            if session is None or session.ctx.stopping:
                return refused
            try:
                return operation(session)
            except StateError:
                if session.ctx.database.closed:  # stopped while it waited
                    return refused
                raise

    def _accepted(self, operation: Callable[[Session], T], refused: T) -> T:
        return self._started(lambda session: operation(session) if session.outbox.is_accepted else refused, refused)


class _Service:
    """What the messenger asks: handed on to the session, which is built after it."""

    def __init__(self, owner: ChargePoint) -> None:
        self._owner = owner
        self.session: Session | None = None

    def admit(self, action: str) -> Any:
        return cast("Session", self.session).admit(action)

    def handler(self, request_type: Any) -> Any:
        return cast("Session", self.session).handler(request_type)


IChargePoint._implementation = ChargePoint
