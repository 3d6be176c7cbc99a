"""What an application sees of the charge point role, and what it tells the role.

Threads: every operation may be called from any thread but the scheduler, callbacks included; callbacks come on workers
and may call operations. They are never called while the role holds its monitor.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from openocpp.types import (
    AuthorizationStatus,
    AvailabilityStatus,
    ChargePointErrorCode,
    ChargingRateUnitType,
    DataTransferResult,
    DataTransferStatus,
    Reason,
    UnlockStatus,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from openocpp.config import IChargePointConfig, IOcppConfig
    from openocpp.errors import ConnectError
    from openocpp.runtime import Runtime
    from openocpp.types import (
        AuthorizeResult,
        AvailabilityType,
        ChargePointStatus,
        ChargingSchedule,
        Measurand,
        MeterValue,
        Phase,
        RegistrationStatus,
        ResetType,
        SampledValue,
        Setpoints,
        UploadLogStatusEnumType,
    )


class IChargePoint(ABC):
    """A charge point (1.6 §2.1). Absent texts may be given as "" or as None.

    Trouble on the network is a result, never an exception: an operation that is refused - wrong registration status,
    stopped, unknown connector - gives the value that its docstring calls refused. Values that break the standard raise
    LocalProtocolError, and nothing is sent.
    """

    _implementation: ClassVar[Callable[..., IChargePoint]]  # set by ``charge_point``, which imports this module

    @staticmethod
    def create(
        stack_config: IChargePointConfig,
        ocpp_config: IOcppConfig,
        events_handler: IChargePointEventsHandler,
        runtime: Runtime | None = None,
    ) -> IChargePoint:
        """Make a charge point; nothing is sent before ``start``. The three objects are referenced, not copied.

        Without ``runtime`` it makes its own, with two workers. ConfigError names a setting that is not usable.
        """
        return IChargePoint._implementation(stack_config, ocpp_config, events_handler, runtime)

    def __enter__(self) -> IChargePoint:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # -- life ----------------------------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def runtime(self) -> Runtime:
        """The threads in use; an application may run its own jobs there."""

    @property
    @abstractmethod
    def registration_status(self) -> RegistrationStatus:
        """What the central system answered to BootNotification. Rejected before ``start``.

        Accepted also while it cannot be reached, if it was Accepted in the last session.
        """

    @property
    @abstractmethod
    def is_connected(self) -> bool:
        """Is there a connection to the central system?"""

    @property
    @abstractmethod
    def last_connection_error(self) -> ConnectError | None:
        """Why the last attempt to connect failed. None when it did not."""

    @abstractmethod
    def start(self) -> bool:
        """Connect, and go on connecting. False: started already, or the schemas cannot be read (see the log)."""

    @abstractmethod
    def stop(self) -> bool:
        """Close the connection and end all threads within 3 s. False: not started. Legal from a callback."""

    @abstractmethod
    def reconnect(self) -> bool:
        """Connect anew with the current settings, a second from now. Refused (False) unless started."""

    @abstractmethod
    def reset_data(self) -> bool:
        """Forget everything: a fresh database. Refused (False) unless stopped, or when that is impossible."""

    @abstractmethod
    def reset_connector_data(self) -> bool:
        """Forget the connectors' states and running transactions only. Refused (False) unless stopped."""

    # -- connectors ----------------------------------------------------------------------------------------------------

    @abstractmethod
    def get_connector_status(self, connector_id: int) -> ChargePointStatus:
        """The status as the central system sees it. Unavailable for an unknown connector."""

    @abstractmethod
    def status_notification(
        self,
        connector_id: int,
        status: ChargePointStatus,
        error_code: ChargePointErrorCode = ChargePointErrorCode.NoError,
        info: str | None = "",
        vendor_id: str | None = "",
        vendor_error: str | None = "",
    ) -> bool:
        """Tell the state of a connector (1.6 §4.9); it is sent as MinimumStatusDuration and the registration allow.

        Connector 0 can be Available, Unavailable or Faulted. ``info`` and ``vendor_error`` are cut to 50 characters.
        Refused: False.
        """

    # -- transactions --------------------------------------------------------------------------------------------------

    @abstractmethod
    def authorize(self, connector_id: int, id_tag: str) -> AuthorizeResult:
        """May this id tag start or stop on this connector (1.6 §4.1, §3.5)? Asks list, cache and central system.

        Nothing else changes. Refused: (Invalid, "").
        """

    @abstractmethod
    def start_transaction(self, connector_id: int, id_tag: str) -> AuthorizationStatus:
        """Start a transaction (1.6 §4.8): on the disk before it returns, then sent, or queued while offline.

        The id tag is not authorized here: call ``authorize`` before. Accepted also when it was queued; what the central
        system says later comes with ``transaction_de_authorized``. Refused: Invalid.
        """

    @abstractmethod
    def stop_transaction(self, connector_id: int, id_tag: str | None = "", reason: Reason = Reason.Local) -> bool:
        """Stop the connector's transaction (1.6 §4.10): on the disk before it returns, then sent, or queued.

        Possible in every registration status. Refused (False): no transaction, or it is being stopped already.
        """

    @abstractmethod
    def transaction_id(self, connector_id: int) -> int | None:
        """The central system's id of the running transaction; None: no transaction, or not known yet."""

    @abstractmethod
    def send_meter_values(self, connector_id: int, values: Sequence[MeterValue]) -> bool:
        """Send meter values of the application's own choice, once (1.6 §4.7). True when they were answered."""

    @abstractmethod
    def get_setpoint(self, connector_id: int, unit: ChargingRateUnitType = ChargingRateUnitType.A) -> Setpoints | None:
        """The limits that apply now by the charging profiles (1.6 §3.13), in A per phase or W in all.

        That of the charge point is for all connectors together: to share it out is the application's. That of the
        connector is never above it. Works offline and before registration. Refused (None): unknown connector, stopped.
        """

    @abstractmethod
    def notify_firmware_update_status(self, success: bool) -> bool:
        """Say how ``install_firmware`` ended, from inside of it or later, after a restart too (1.6 §4.5).

        The connectors are in service again. True when the central system has answered; when it has not, it is told with
        the next connection. Refused (False): not registered, stopped; then nothing has changed.
        """

    # -- vendor messages and security events ---------------------------------------------------------------------------

    @abstractmethod
    def data_transfer(
        self, vendor_id: str, message_id: str | None = "", data: str | None = ""
    ) -> DataTransferResult | None:
        """Send a DataTransfer (1.6 §4.3). None: refused, or no answer."""

    @abstractmethod
    def register_data_transfer_handler(
        self, vendor_id: str, handler: Callable[[str, str, str], DataTransferResult]
    ) -> bool:
        """Let ``handler(vendor_id, message_id, data)`` answer the DataTransfers of a vendor. False if taken."""

    @abstractmethod
    def log_security_event(self, type: str, message: str | None = "", critical: bool = False) -> bool:
        """Log a security event and, if it is critical, tell the central system (SEC A04). Also before ``start``.

        ``critical`` counts for types that the standard does not name. Delivery is guaranteed by a queue on the disk.
        """

    @abstractmethod
    def clear_security_events(self) -> bool:
        """Empty the security log; that is logged as SecurityLogWasCleared. False when there is no log."""


class IChargePointEventsHandler(ABC):
    """What the role asks and tells the application. ``DefaultChargePointEventsHandler`` has safe answers."""

    @abstractmethod
    def connection_failed(self, status: RegistrationStatus) -> None:
        """No connection could be made: once per period of disconnection. ``status``: as of the last session."""

    @abstractmethod
    def connection_state_changed(self, is_connected: bool) -> None:
        """The connection was made, or lost."""

    @abstractmethod
    def boot_notification(self, status: RegistrationStatus, time: datetime) -> None:
        """The central system answered BootNotification; ``time`` is its clock."""

    @abstractmethod
    def datetime_received(self, time: datetime) -> None:
        """A Heartbeat was answered with the central system's clock. Setting the clock is the application's task."""

    @abstractmethod
    def change_availability_requested(self, connector_id: int, availability: AvailabilityType) -> AvailabilityStatus:
        """Can the connector (0: all) be made so? Accepted: the role changes the status. Not asked during transactions,
        which end first, nor when nothing changes."""

    @abstractmethod
    def get_tx_start_stop_meter_value(self, connector_id: int) -> int:
        """The energy register of the connector, in Wh, at the start or the stop of a transaction."""

    @abstractmethod
    def reservation_started(self, connector_id: int) -> None:
        """The connector (0: any one) was reserved (1.6 §5.13)."""

    @abstractmethod
    def reservation_ended(self, connector_id: int, canceled: bool) -> None:
        """The reservation has expired, or was given up (``canceled``): by the central system, or for a fault.

        Not told when a transaction has used it.
        """

    @abstractmethod
    def get_meter_value(
        self, connector_id: int, measurand: Measurand, phase: Phase | None
    ) -> Sequence[SampledValue] | None:
        """The present values of a measurand; None: cannot be measured. The role sets context and measurand."""

    @abstractmethod
    def remote_start_transaction_requested(self, connector_id: int, id_tag: str) -> bool:
        """The central system wants a transaction (1.6 §5.11); 0: on a connector of your choice.

        True: accepted; the application then authorizes (AuthorizeRemoteTxRequests) and starts.
        """

    @abstractmethod
    def remote_stop_transaction_requested(self, connector_id: int) -> bool:
        """The central system wants the connector's transaction to stop. True: the application stops it."""

    @abstractmethod
    def transaction_de_authorized(self, connector_id: int) -> None:
        """The central system does not accept the id tag of a transaction that had been started.

        The role stops it if StopTransactionOnInvalidId says so; else the application is to stop the energy.
        """

    @abstractmethod
    def get_local_limitations_schedule(self, connector_id: int, duration: int) -> ChargingSchedule | None:
        """What the installation allows the connector (0: the charge point) for so many seconds from now on.

        It limits the composite schedule (1.6 §5.7); start and duration in it count for nothing. None: no such limits.
        """

    @abstractmethod
    def data_transfer_requested(self, vendor_id: str, message_id: str, data: str) -> DataTransferResult:
        """A DataTransfer of a vendor that no handler is registered for."""

    @abstractmethod
    def reset_requested(self, type: ResetType) -> bool:
        """True: accepted; the application then ends its transactions (SoftReset, HardReset) and resets."""

    @abstractmethod
    def get_diagnostics(self, start: datetime | None, stop: datetime | None) -> str:
        """The path of a file with diagnostics of that time, to be uploaded (1.6 §5.9). "": there are none."""

    @abstractmethod
    def upload_file(self, path: str, url: str) -> bool | UploadLogStatusEnumType:
        """Send the file to the URL; it may take its time, on a thread of its own. False, or why not: it failed.

        ``openocpp.transfer`` has this ready. While it runs a newer request may begin a second upload, even to the same
        place; that this one is not wanted any more is found when it returns.
        """

    @abstractmethod
    def update_firmware_requested(self) -> str:
        """A firmware may be downloaded now (1.6 §5.19): the path to save it to. "": not wanted."""

    @abstractmethod
    def download_file(self, url: str, path: str) -> bool:
        """Fetch the URL into the file; otherwise as ``upload_file``."""

    @abstractmethod
    def firmware_install_needs_idle(self) -> bool:
        """True: nobody can charge during the installation. The role waits for the end of all transactions, and makes
        free connectors Unavailable until ``notify_firmware_update_status``."""

    @abstractmethod
    def install_firmware(self, path: str) -> None:
        """Install the downloaded firmware, perhaps by restarting. Say how it ended with
        ``notify_firmware_update_status``; an exception says that it failed."""

    @abstractmethod
    def unlock_connector_requested(self, connector_id: int) -> UnlockStatus:
        """Unlock the connector. A running transaction was stopped just before (UnlockCommand)."""


class DefaultChargePointEventsHandler(IChargePointEventsHandler):
    """Safe answers for everything but the energy register, which only the application knows."""

    def connection_failed(self, status: RegistrationStatus) -> None:
        """Nothing to do."""

    def connection_state_changed(self, is_connected: bool) -> None:
        """Nothing to do."""

    def boot_notification(self, status: RegistrationStatus, time: datetime) -> None:
        """Nothing to do."""

    def datetime_received(self, time: datetime) -> None:
        """Nothing to do."""

    def change_availability_requested(self, connector_id: int, availability: AvailabilityType) -> AvailabilityStatus:
        return AvailabilityStatus.Accepted

    def reservation_started(self, connector_id: int) -> None:
        """Nothing to do."""

    def reservation_ended(self, connector_id: int, canceled: bool) -> None:
        """Nothing to do."""

    def get_meter_value(
        self, connector_id: int, measurand: Measurand, phase: Phase | None
    ) -> Sequence[SampledValue] | None:
        return None

    def remote_start_transaction_requested(self, connector_id: int, id_tag: str) -> bool:
        return False

    def remote_stop_transaction_requested(self, connector_id: int) -> bool:
        return False

    def transaction_de_authorized(self, connector_id: int) -> None:
        """Nothing to do: StopTransactionOnInvalidId is obeyed by the role."""

    def get_local_limitations_schedule(self, connector_id: int, duration: int) -> ChargingSchedule | None:
        return None

    def data_transfer_requested(self, vendor_id: str, message_id: str, data: str) -> DataTransferResult:
        return DataTransferResult(DataTransferStatus.UnknownVendorId)

    def reset_requested(self, type: ResetType) -> bool:
        return False

    def get_diagnostics(self, start: datetime | None, stop: datetime | None) -> str:
        return ""

    def upload_file(self, path: str, url: str) -> bool | UploadLogStatusEnumType:
        return False

    def update_firmware_requested(self) -> str:
        return ""

    def download_file(self, url: str, path: str) -> bool:
        return False

    def firmware_install_needs_idle(self) -> bool:
        return True

    def install_firmware(self, path: str) -> None:
        """Nothing to do: there is no firmware without ``update_firmware_requested``."""

    def unlock_connector_requested(self, connector_id: int) -> UnlockStatus:
        return UnlockStatus.NotSupported
