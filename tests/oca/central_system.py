"""A central system, the business behind it, and a station that is played: for the cases of the alliance.

What a case leaves to an operator is done by the test; what it leaves to the business behind a central system is done by
the small ``Backend`` below.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from openocpp import (
    AuthorizationStatus,
    CentralSystemConfig,
    DataTransferResult,
    DataTransferStatus,
    DefaultCentralSystemEventsHandler,
    DefaultChargePointRequestHandler,
    ICentralSystem,
    IdTagInfo,
    RegistrationStatus,
    StartTransactionResult,
)
from openocpp.testing.conversation import ABSENT, ScriptedPeer

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.testing import SimulatedRuntime

URL = "ws://central:8080/ocpp"
START = datetime(2024, 1, 1, tzinfo=UTC)
KEY = bytes.fromhex("0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF")


def stamp(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Backend:
    """What the business behind the central system knows."""

    tags: dict[str, IdTagInfo] = field(default_factory=dict)
    registration: RegistrationStatus = RegistrationStatus.Accepted
    statuses: dict[int, str] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)
    transactions: dict[int, dict[str, Any]] = field(default_factory=dict)
    firmware: list[str] = field(default_factory=list)
    diagnostics: list[str] = field(default_factory=list)
    log: list[tuple[str, int | None]] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    passwords: dict[str, bytes] = field(default_factory=dict)

    def verdict(self, id_tag: str) -> IdTagInfo:
        return self.tags.get(id_tag, IdTagInfo(status=AuthorizationStatus.Invalid))


class Requests(DefaultChargePointRequestHandler):
    """Brings the requests of a station to the backend."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def boot_notification(self, *fields: str) -> RegistrationStatus:
        return self.backend.registration

    def authorize(self, id_tag: str) -> IdTagInfo:
        return self.backend.verdict(id_tag)

    def data_transfer(self, vendor_id: str, message_id: str, data: str) -> DataTransferResult:
        known = {"Known": DataTransferStatus.Accepted}
        return DataTransferResult(known.get(vendor_id, DataTransferStatus.UnknownVendorId))

    def start_transaction(
        self, connector_id: int, id_tag: str, meter_start: int, reservation_id: int | None, timestamp: datetime
    ) -> StartTransactionResult:
        number = 100 + len(self.backend.transactions)
        self.backend.transactions[number] = {
            "connector": connector_id, "tag": id_tag, "reservation": reservation_id, "start": timestamp,
        }  # fmt: skip
        return StartTransactionResult(self.backend.verdict(id_tag), number)

    def stop_transaction(
        self, id_tag: str, meter_stop: int, timestamp: datetime, transaction_id: int, reason: Any, transaction_data: Any
    ) -> IdTagInfo | None:
        self.backend.transactions[transaction_id] |= {"reason": str(reason), "stop": timestamp}
        return self.backend.verdict(id_tag) if id_tag else None

    def status_notification(
        self, connector_id: int, error_code: Any, info: str, status: Any, timestamp: Any, *others: str
    ) -> None:
        self.backend.statuses[connector_id] = str(status)
        self.backend.errors[connector_id] = str(error_code)

    def meter_values(self, connector_id: int, transaction_id: int | None, meter_values: Any) -> None:
        self.backend.values.append((connector_id, transaction_id))

    def firmware_status_notification(self, status: Any) -> None:
        self.backend.firmware.append(str(status))

    def signed_firmware_update_status_notification(self, status: Any, request_id: int | None) -> None:
        self.backend.firmware.append(str(status))

    def diagnostic_status_notification(self, status: Any) -> None:
        self.backend.diagnostics.append(str(status))

    def log_status_notification(self, status: Any, request_id: int | None) -> None:
        self.backend.log.append((str(status), request_id))

    def security_event_notification(self, type: str, timestamp: datetime, message: str) -> None:
        self.backend.events.append(type)

    def sign_certificate(self, request: Any) -> bool:
        self.backend.requests.append(request.pem)
        return True


class Events(DefaultCentralSystemEventsHandler):
    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def check_credentials(self, identifier: str, password: bytes) -> bool:
        return self.backend.passwords.get(identifier) == password

    def charge_point_connected(self, charge_point: ICentralSystem.IChargePoint) -> None:
        charge_point.register_handler(Requests(self.backend))


class Case:
    """A central system, its backend, and a station that plays the other side."""

    def __init__(self, sim: SimulatedRuntime, **settings: Any) -> None:
        self.sim = sim
        self.backend = Backend()
        accepted = IdTagInfo(status=AuthorizationStatus.Accepted, parent_id_tag="PARENT")
        self.backend.tags |= {"VALID": accepted, "FAMILY": accepted}
        config = CentralSystemConfig(**{"listen_url": URL, "heartbeat_interval": 86400, **settings})
        self.central_system = ICentralSystem.create(config, Events(self.backend), sim)
        assert self.central_system.start()
        self.peer: ScriptedPeer

    # -- the station ---------------------------------------------------------------------------------------------------

    def connect(self, **options: Any) -> Case:
        self.peer = ScriptedPeer.connect(self.sim, URL, "CP1", **options)
        self.sim.run_until(lambda: self.central_system.charge_points != ())
        return self

    def boot(self, status: str = "Accepted") -> dict[str, Any]:
        boot = {"chargePointVendor": "Vendor", "chargePointModel": "Model"}
        return self.peer.call("BootNotification", boot).result({"status": status})

    def status(self, connector: int, status: str, error: str = "NoError", **more: Any) -> None:
        payload = {"connectorId": connector, "errorCode": error, "status": status, **more}
        assert self.peer.call("StatusNotification", payload).result() == {}
        assert self.backend.statuses[connector] == status

    def authorize(self, tag: str = "VALID", status: str = "Accepted") -> None:
        self.peer.call("Authorize", {"idTag": tag}).result({"idTagInfo": {"status": status}})

    def start(self, tag: str = "VALID", connector: int = 1, status: str = "Accepted", **more: Any) -> int:
        payload = {"connectorId": connector, "idTag": tag, "meterStart": 0, "timestamp": stamp(START), **more}
        answer = self.peer.call("StartTransaction", payload).result({"idTagInfo": {"status": status}})
        return int(answer["transactionId"])

    def stop(self, transaction: int, **more: Any) -> dict[str, Any]:
        payload = {"transactionId": transaction, "meterStop": 10, "timestamp": stamp(START), **more}
        return self.peer.call("StopTransaction", payload).result()

    def session(self, tag: str = "VALID") -> int:
        """A transaction that is charging."""
        self.status(1, "Preparing")
        self.authorize(tag)
        transaction = self.start(tag)
        self.status(1, "Charging")
        return transaction

    # -- the operator --------------------------------------------------------------------------------------------------

    @property
    def charge_point(self) -> ICentralSystem.IChargePoint:
        return self.central_system.charge_points[-1]

    def command(
        self, operation: Callable[[], Any], action: str, pattern: dict[str, Any], answer: dict[str, Any]
    ) -> Any:
        """An operation of the central system, and the station's answer: its result."""
        user = self.sim.user(operation)
        self.peer.expect_call(action, pattern).answer(answer)
        return user.result()

    def configure(self, key: str, value: str, status: str = "Accepted") -> None:
        result = self.command(
            lambda: self.charge_point.change_configuration(key, value),
            "ChangeConfiguration", {"key": key, "value": value}, {"status": status},
        )  # fmt: skip
        assert result == status


def remote_start(case: Case, connector: int | None = 1, status: str = "Accepted", **more: Any) -> bool:
    pattern: dict[str, Any] = {"idTag": "VALID", "connectorId": ABSENT if connector is None else connector}
    result: bool = case.command(
        lambda: case.charge_point.remote_start_transaction(connector, "VALID", more.get("profile")),
        "RemoteStartTransaction", pattern | more.get("pattern", {}), {"status": status},
    )  # fmt: skip
    return result


@pytest.fixture
def case(sim: SimulatedRuntime) -> Case:
    """A station that is connected, booted and available."""
    made = Case(sim).connect()
    made.boot()
    for connector in range(3):
        made.status(connector, "Available")
    return made


@pytest.fixture
def guarded(sim: SimulatedRuntime) -> Case:
    """A central system that demands passwords, and a station that knows its own."""
    made = Case(sim, http_basic_authent=True)
    made.backend.passwords["CP1"] = KEY
    made.connect(password=KEY).boot()
    return made
