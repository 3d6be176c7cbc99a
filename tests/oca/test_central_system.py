"""The Open Charge Alliance's cases for central systems, by their numbers: each a conversation with a scripted station.

What a case leaves to an operator is done by the test; what it leaves to the business behind a central system is done by
the small ``Backend`` below. TC_086 and TC_087 are about TLS; of TC_074 and TC_083 the messages are here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from openocpp import (
    AuthorizationData,
    AuthorizationStatus,
    CentralSystemConfig,
    CertificateHashDataType,
    CertificateStatusEnumType,
    CertificateUseEnumType,
    ChargingProfile,
    ChargingProfileKindType,
    ChargingProfilePurposeType,
    ChargingProfileStatus,
    ChargingRateUnitType,
    ChargingSchedule,
    ChargingSchedulePeriod,
    ConnectError,
    DataTransferResult,
    DataTransferStatus,
    DefaultCentralSystemEventsHandler,
    DefaultChargePointRequestHandler,
    DeleteCertificateStatusEnumType,
    GetCompositeScheduleStatus,
    HashAlgorithmEnumType,
    ICentralSystem,
    IdTagInfo,
    LogEnumType,
    LogStatusEnumType,
    MessageTrigger,
    MessageTriggerEnumType,
    RegistrationStatus,
    ReservationStatus,
    ResetType,
    Runtime,
    StartTransactionResult,
    TriggerMessageStatus,
    TriggerMessageStatusEnumType,
    UnlockStatus,
    UpdateFirmwareStatusEnumType,
    UpdateStatus,
    UpdateType,
)
from openocpp.testing import SimulatedRuntime
from openocpp.testing.conversation import ABSENT, ScriptedPeer
from openocpp.types.pem import PemText
from tests.centralsystem.pems import CERTIFICATE, REQUEST
from tests.centralsystem.raw import Served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


@pytest.fixture
def sim() -> Iterator[SimulatedRuntime]:
    with SimulatedRuntime(start=START) as runtime:
        yield runtime


@pytest.fixture
def case(sim: SimulatedRuntime) -> Case:
    """A station that is connected, booted and available."""
    made = Case(sim).connect()
    made.boot()
    for connector in range(3):
        made.status(connector, "Available")
    return made


# -- cold boot ---------------------------------------------------------------------------------------------------------


def test_tc_001_csms(sim: SimulatedRuntime) -> None:
    """The answer has the time and the heartbeat interval; status and heartbeats are answered."""
    case = Case(sim, heartbeat_interval=300).connect()
    assert case.boot() == {"status": "Accepted", "currentTime": stamp(START), "interval": 300}
    for connector in range(3):
        case.status(connector, "Available")
    sim.sleep(300)
    assert case.peer.call("Heartbeat").result() == {"currentTime": stamp(START + timedelta(seconds=300))}


# -- charging sessions -------------------------------------------------------------------------------------------------


def test_tc_003_csms(case: Case) -> None:
    """Plug in first."""
    transaction = case.session()
    assert case.backend.transactions[transaction]["tag"] == "VALID"
    assert case.stop(transaction, idTag="VALID") == {"idTagInfo": {"status": "Accepted", "parentIdTag": "PARENT"}}
    case.status(1, "Finishing")
    case.status(1, "Available")


def test_tc_004_1_csms(case: Case) -> None:
    """Identification first."""
    case.authorize()
    case.status(1, "Preparing")
    case.start()
    case.status(1, "Charging")


def test_tc_004_2_csms(case: Case) -> None:
    """No cable comes in time."""
    case.authorize()
    case.status(1, "Preparing")
    case.sim.sleep(60)
    case.status(1, "Available")
    assert case.backend.transactions == {}


def test_tc_005_1_csms(case: Case) -> None:
    """The vehicle is unplugged."""
    transaction = case.session()
    case.status(1, "SuspendedEV")
    assert case.stop(transaction, reason="EVDisconnected") == {}
    assert case.backend.transactions[transaction]["reason"] == "EVDisconnected"
    case.status(1, "Finishing")
    case.status(1, "Available")


def test_tc_007_csms(case: Case) -> None:
    """A cached tag starts without being authorized again; the start's answer has its verdict all the same."""
    case.status(1, "Preparing")
    case.start()
    case.status(1, "Charging")


# -- remote actions ----------------------------------------------------------------------------------------------------


def remote_start(case: Case, connector: int | None = 1, status: str = "Accepted", **more: Any) -> bool:
    pattern: dict[str, Any] = {"idTag": "VALID", "connectorId": ABSENT if connector is None else connector}
    result: bool = case.command(
        lambda: case.charge_point.remote_start_transaction(connector, "VALID", more.get("profile")),
        "RemoteStartTransaction", pattern | more.get("pattern", {}), {"status": status},
    )  # fmt: skip
    return result


def test_tc_010_csms(case: Case) -> None:
    case.status(1, "Preparing")
    assert remote_start(case)
    case.authorize()
    case.start()
    case.status(1, "Charging")


def test_tc_011_1_csms(case: Case) -> None:
    assert remote_start(case)
    case.authorize()
    case.status(1, "Preparing")
    case.start()
    case.status(1, "Charging")


def test_tc_011_2_csms(case: Case) -> None:
    assert remote_start(case)
    case.authorize()
    case.status(1, "Preparing")
    case.sim.sleep(60)
    case.status(1, "Available")
    assert case.backend.transactions == {}


def test_tc_012_csms(case: Case) -> None:
    transaction = case.session()
    assert case.command(
        lambda: case.charge_point.remote_stop_transaction(transaction),
        "RemoteStopTransaction", {"transactionId": transaction}, {"status": "Accepted"},
    )  # fmt: skip
    case.stop(transaction, reason="Remote")
    assert case.backend.transactions[transaction]["reason"] == "Remote"
    case.status(1, "Finishing")
    case.status(1, "Available")


def reset(case: Case, type: ResetType) -> None:
    assert case.command(lambda: case.charge_point.reset(type), "Reset", {"type": str(type)}, {"status": "Accepted"})
    case.peer.abort()
    case.sim.run_until(lambda: case.central_system.charge_points == ())
    case.connect()
    case.boot()
    case.status(1, "Available")


def test_tc_013_csms(case: Case) -> None:
    reset(case, ResetType.Hard)


def test_tc_014_csms(case: Case) -> None:
    reset(case, ResetType.Soft)


def unlock(case: Case, status: str) -> UnlockStatus:
    result: UnlockStatus = case.command(
        lambda: case.charge_point.unlock_connector(1), "UnlockConnector", {"connectorId": 1}, {"status": status}
    )
    return result


def test_tc_017_1_csms(case: Case) -> None:
    assert unlock(case, "Unlocked") is UnlockStatus.Unlocked


def test_tc_017_2_csms(case: Case) -> None:
    assert unlock(case, "NotSupported") is UnlockStatus.NotSupported


def test_tc_018_1_csms(case: Case) -> None:
    transaction = case.session()
    assert unlock(case, "Unlocked") is UnlockStatus.Unlocked
    case.stop(transaction, reason="UnlockCommand")
    assert case.backend.transactions[transaction]["reason"] == "UnlockCommand"
    case.status(1, "Finishing")
    case.status(1, "Available")


# -- configuration -----------------------------------------------------------------------------------------------------


def test_tc_019_1_csms(case: Case) -> None:
    entry = {"key": "HeartbeatInterval", "readonly": False, "value": "300"}
    result = case.command(
        case.charge_point.get_configuration, "GetConfiguration", {"key": ABSENT}, {"configurationKey": [entry]}
    )
    assert [(value.key, value.value) for value in result.values] == [("HeartbeatInterval", "300")]


def test_tc_019_2_csms(case: Case) -> None:
    entry = {"key": "SupportedFeatureProfiles", "readonly": True, "value": "Core"}
    result = case.command(
        lambda: case.charge_point.get_configuration(["SupportedFeatureProfiles"]),
        "GetConfiguration", {"key": ["SupportedFeatureProfiles"]}, {"configurationKey": [entry]},
    )  # fmt: skip
    assert result.values[0].readonly
    assert result.unknown == []


def test_tc_021_csms(case: Case) -> None:
    case.configure("MeterValueSampleInterval", "60")


def test_tc_040_1_csms(case: Case) -> None:
    case.configure("Unheard", "1", "NotSupported")


def test_tc_040_2_csms(case: Case) -> None:
    case.configure("MeterValueSampleInterval", "-1", "Rejected")


# -- what goes wrong at the start --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "status",
    [
        pytest.param(AuthorizationStatus.Invalid, id="tc_023_1_csms"),
        pytest.param(AuthorizationStatus.Expired, id="tc_023_2_csms"),
        pytest.param(AuthorizationStatus.Blocked, id="tc_023_3_csms"),
    ],
)
def test_tc_023_csms(case: Case, status: AuthorizationStatus) -> None:
    case.backend.tags["OTHER"] = IdTagInfo(status=status)
    case.status(1, "Preparing")
    case.authorize("OTHER", str(status))


def test_tc_024_csms(case: Case) -> None:
    """The lock fails."""
    case.status(1, "Preparing")
    case.authorize()
    case.status(1, "Faulted", "ConnectorLockFailure")
    assert case.backend.errors[1] == "ConnectorLockFailure"


def test_tc_026_csms(case: Case) -> None:
    assert not remote_start(case, status="Rejected")


def test_tc_028_csms(case: Case) -> None:
    assert not case.command(
        lambda: case.charge_point.remote_stop_transaction(999_999),
        "RemoteStopTransaction", {"transactionId": 999_999}, {"status": "Rejected"},
    )  # fmt: skip


def test_tc_030_csms(case: Case) -> None:
    assert unlock(case, "UnlockFailed") is UnlockStatus.UnlockFailed


def test_tc_031_csms(case: Case) -> None:
    """The connector is not known to the station."""
    result = case.command(
        lambda: case.charge_point.unlock_connector(99), "UnlockConnector", {"connectorId": 99},
        {"status": "NotSupported"},
    )  # fmt: skip
    assert result is UnlockStatus.NotSupported


# -- power failure and offline behaviour -------------------------------------------------------------------------------


def lose_connection(case: Case) -> None:
    case.peer.abort()
    case.sim.run_until(lambda: case.central_system.charge_points == ())
    case.sim.sleep(600)
    case.connect()


def test_tc_032_1_csms(case: Case) -> None:
    transaction = case.session()
    lose_connection(case)
    case.boot()
    case.status(1, "Finishing")
    case.stop(transaction, reason="PowerLoss")
    assert case.backend.transactions[transaction]["reason"] == "PowerLoss"
    case.status(1, "Available")


def test_tc_037_1_csms(case: Case) -> None:
    """A transaction that began offline is told later, with its own time."""
    lose_connection(case)
    transaction = case.start(timestamp=stamp(START + timedelta(seconds=100)))
    assert case.backend.transactions[transaction]["start"] == START + timedelta(seconds=100)
    case.status(1, "Charging")


def test_tc_037_3_csms(case: Case) -> None:
    """Its tag turns out to be invalid: the answer says so, and still has a transaction id."""
    lose_connection(case)
    transaction = case.start("STRANGER", status="Invalid")
    case.stop(transaction, reason="DeAuthorized")
    assert case.backend.transactions[transaction]["reason"] == "DeAuthorized"
    case.status(1, "Finishing")


def test_tc_039_csms(case: Case) -> None:
    """All of it happened offline."""
    lose_connection(case)
    transaction = case.start()
    later = START + timedelta(seconds=300)
    answer = case.stop(transaction, idTag="VALID", reason="Local", timestamp=stamp(later))
    assert answer["idTagInfo"]["status"] == "Accepted"
    assert case.backend.transactions[transaction]["stop"] == later


# -- local authorization list ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [pytest.param(-1, id="tc_042_1_csms"), pytest.param(0, id="tc_042_2_csms")])
def test_tc_042_csms(case: Case, version: int) -> None:
    result = case.command(case.charge_point.get_local_list_version, "GetLocalListVersion", {}, {"listVersion": version})
    assert result == version


@pytest.mark.parametrize(
    ("update", "status"),
    [
        pytest.param(UpdateType.Full, UpdateStatus.NotSupported, id="tc_043_1_csms"),
        pytest.param(UpdateType.Full, UpdateStatus.Failed, id="tc_043_3_csms"),
        pytest.param(UpdateType.Full, UpdateStatus.Accepted, id="tc_043_4_csms"),
        pytest.param(UpdateType.Differential, UpdateStatus.Accepted, id="tc_043_5_csms"),
    ],
)
def test_tc_043_csms(case: Case, update: UpdateType, status: UpdateStatus) -> None:
    entries = [AuthorizationData(id_tag="VALID", id_tag_info=IdTagInfo(status=AuthorizationStatus.Accepted))]
    pattern = {
        "listVersion": 2, "updateType": str(update),
        "localAuthorizationList": [{"idTag": "VALID", "idTagInfo": {"status": "Accepted"}}],
    }  # fmt: skip
    result = case.command(
        lambda: case.charge_point.send_local_list(2, entries, update), "SendLocalList", pattern,
        {"status": str(status)},
    )  # fmt: skip
    assert result is status


# -- firmware and diagnostics ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statuses",
    [
        pytest.param(["Downloading", "Downloaded", "Installing", "Installed"], id="tc_044_1_csms"),
        pytest.param(["Downloading", "DownloadFailed"], id="tc_044_2_csms"),
        pytest.param(["Downloading", "Downloaded", "Installing", "InstallationFailed"], id="tc_044_3_csms"),
    ],
)
def test_tc_044_csms(case: Case, statuses: list[str]) -> None:
    assert case.command(
        lambda: case.charge_point.update_firmware("ftp://files/fw.bin", 3, START, 30),
        "UpdateFirmware",
        {"location": "ftp://files/fw.bin", "retries": 3, "retrieveDate": stamp(START), "retryInterval": 30}, {},
    )  # fmt: skip
    for status in statuses:
        assert case.peer.call("FirmwareStatusNotification", {"status": status}).result() == {}
    assert case.backend.firmware == statuses


@pytest.mark.parametrize(
    "statuses",
    [
        pytest.param(["Uploading", "Uploaded"], id="tc_045_1_csms"),
        pytest.param(["Uploading", "UploadFailed"], id="tc_045_2_csms"),
    ],
)
def test_tc_045_csms(case: Case, statuses: list[str]) -> None:
    name = case.command(
        lambda: case.charge_point.get_diagnostics("ftp://files/in/"),
        "GetDiagnostics", {"location": "ftp://files/in/"}, {"fileName": "diagnostics.zip"},
    )  # fmt: skip
    assert name == "diagnostics.zip"
    for status in statuses:
        assert case.peer.call("DiagnosticsStatusNotification", {"status": status}).result() == {}
    assert case.backend.diagnostics == statuses


# -- reservation -------------------------------------------------------------------------------------------------------


def reserve(case: Case, connector: int = 1, status: str = "Accepted", parent: str = "") -> ReservationStatus:
    expiry = case.sim.clock.utcnow() + timedelta(minutes=10)
    pattern = {
        "connectorId": connector, "idTag": "VALID", "expiryDate": stamp(expiry), "reservationId": 7,
        "parentIdTag": parent or ABSENT,
    }  # fmt: skip
    result: ReservationStatus = case.command(
        lambda: case.charge_point.reserve_now(connector, expiry, "VALID", parent, 7), "ReserveNow", pattern,
        {"status": status},
    )  # fmt: skip
    return result


def test_tc_046_csms(case: Case) -> None:
    assert reserve(case) is ReservationStatus.Accepted
    case.status(1, "Reserved")
    case.authorize()
    case.status(1, "Preparing")
    transaction = case.start(reservationId=7)
    assert case.backend.transactions[transaction]["reservation"] == 7
    case.status(1, "Charging")


def test_tc_047_csms(case: Case) -> None:
    assert reserve(case) is ReservationStatus.Accepted
    case.status(1, "Reserved")
    case.sim.sleep(600)
    case.status(1, "Available")


@pytest.mark.parametrize(
    "status",
    [
        pytest.param("Faulted", id="tc_048_1_csms"),
        pytest.param("Occupied", id="tc_048_2_csms"),
        pytest.param("Unavailable", id="tc_048_3_csms"),
        pytest.param("Rejected", id="tc_048_4_csms"),
    ],
)
def test_tc_048_csms(case: Case, status: str) -> None:
    assert reserve(case, status=status) == status


def test_tc_049_csms(case: Case) -> None:
    """The station as a whole is reserved."""
    assert reserve(case, connector=0) is ReservationStatus.Accepted
    case.authorize()
    transaction = case.start(connector=2, reservationId=7)
    assert case.backend.transactions[transaction] | {"start": 0} == {
        "connector": 2, "tag": "VALID", "reservation": 7, "start": 0,
    }  # fmt: skip


def cancel(case: Case, status: str) -> bool:
    result: bool = case.command(
        lambda: case.charge_point.cancel_reservation(7), "CancelReservation", {"reservationId": 7},
        {"status": status},
    )  # fmt: skip
    return result


def test_tc_051_csms(case: Case) -> None:
    assert reserve(case) is ReservationStatus.Accepted
    case.status(1, "Reserved")
    assert cancel(case, "Accepted")
    case.status(1, "Available")


def test_tc_052_csms(case: Case) -> None:
    assert not cancel(case, "Rejected")


def test_tc_053_csms(case: Case) -> None:
    """Another tag of the same parent uses the reservation."""
    assert reserve(case, parent="PARENT") is ReservationStatus.Accepted
    case.status(1, "Reserved")
    case.peer.call("Authorize", {"idTag": "FAMILY"}).result({"idTagInfo": {"parentIdTag": "PARENT"}})
    transaction = case.start("FAMILY", reservationId=7)
    assert case.backend.transactions[transaction]["tag"] == "FAMILY"


# -- remote trigger ----------------------------------------------------------------------------------------------------


TRIGGERED: list[tuple[MessageTrigger, dict[str, Any]]] = [
    (MessageTrigger.BootNotification, {"chargePointVendor": "V", "chargePointModel": "M"}),
    (MessageTrigger.DiagnosticsStatusNotification, {"status": "Idle"}),
    (MessageTrigger.FirmwareStatusNotification, {"status": "Idle"}),
    (MessageTrigger.Heartbeat, {}),
    (
        MessageTrigger.MeterValues,
        {"connectorId": 1, "meterValue": [{"timestamp": stamp(START), "sampledValue": [{"value": "1"}]}]},
    ),
    (MessageTrigger.StatusNotification, {"connectorId": 1, "errorCode": "NoError", "status": "Available"}),
]


def test_tc_054_csms(case: Case) -> None:
    for message, payload in TRIGGERED:
        result = case.command(
            partial(case.charge_point.trigger_message, message),
            "TriggerMessage", {"requestedMessage": str(message), "connectorId": ABSENT}, {"status": "Accepted"},
        )  # fmt: skip
        assert result is TriggerMessageStatus.Accepted
        case.peer.call(str(message), payload).result()


def test_tc_055_csms(case: Case) -> None:
    result = case.command(
        lambda: case.charge_point.trigger_message(MessageTrigger.MeterValues, 99),
        "TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 99}, {"status": "Rejected"},
    )  # fmt: skip
    assert result is TriggerMessageStatus.Rejected


# -- smart charging ----------------------------------------------------------------------------------------------------


def profile(purpose: ChargingProfilePurposeType, transaction: int | None = None) -> ChargingProfile:
    return ChargingProfile(
        charging_profile_id=1,
        transaction_id=transaction,
        stack_level=0,
        charging_profile_purpose=purpose,
        charging_profile_kind=ChargingProfileKindType.Absolute,
        charging_schedule=ChargingSchedule(
            duration=86400,
            start_schedule=START,
            charging_rate_unit=ChargingRateUnitType.A,
            charging_schedule_period=[ChargingSchedulePeriod(start_period=0, limit=6.3, number_phases=3)],
        ),
    )


def pattern(purpose: str, transaction: int | None = None) -> dict[str, Any]:
    return {
        "chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": purpose, "chargingProfileKind": "Absolute",
        "transactionId": ABSENT if transaction is None else transaction,
        "chargingSchedule": {
            "duration": 86400, "startSchedule": stamp(START), "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.3, "numberPhases": 3}],
        },
    }  # fmt: skip


def test_tc_056_csms(case: Case) -> None:
    result = case.command(
        lambda: case.charge_point.set_charging_profile(1, profile(ChargingProfilePurposeType.TxDefaultProfile)),
        "SetChargingProfile", {"connectorId": 1, "csChargingProfiles": pattern("TxDefaultProfile")},
        {"status": "Accepted"},
    )  # fmt: skip
    assert result is ChargingProfileStatus.Accepted


def test_tc_057_csms(case: Case) -> None:
    transaction = case.session()
    chosen = profile(ChargingProfilePurposeType.TxProfile, transaction)
    result = case.command(
        lambda: case.charge_point.set_charging_profile(1, chosen),
        "SetChargingProfile", {"connectorId": 1, "csChargingProfiles": pattern("TxProfile", transaction)},
        {"status": "Accepted"},
    )  # fmt: skip
    assert result is ChargingProfileStatus.Accepted


def test_tc_059_csms(case: Case) -> None:
    chosen = profile(ChargingProfilePurposeType.TxProfile)
    assert remote_start(case, profile=chosen, pattern={"chargingProfile": pattern("TxProfile")})
    case.authorize()
    case.start()
    case.status(1, "Charging")


def test_tc_066_csms(case: Case) -> None:
    schedule = {"duration": 300, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 8.1}]}
    answer = {
        "status": "Accepted", "connectorId": 1, "scheduleStart": stamp(START), "chargingSchedule": schedule,
    }  # fmt: skip
    result = case.command(
        lambda: case.charge_point.get_composite_schedule(1, 300, ChargingRateUnitType.A),
        "GetCompositeSchedule", {"connectorId": 1, "duration": 300, "chargingRateUnit": "A"}, answer,
    )  # fmt: skip
    assert result.status is GetCompositeScheduleStatus.Accepted
    assert result.schedule_start == START
    assert result.schedule.charging_schedule_period[0].limit == 8.1


def test_tc_067_csms(case: Case) -> None:
    clear = case.charge_point.clear_charging_profile
    assert case.command(lambda: clear(1), "ClearChargingProfile", {"id": 1}, {"status": "Accepted"})
    by_purpose = {"id": ABSENT, "chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 0, "connectorId": 1}
    assert case.command(
        lambda: clear(None, 1, ChargingProfilePurposeType.TxDefaultProfile, 0),
        "ClearChargingProfile", by_purpose, {"status": "Accepted"},
    )  # fmt: skip
    assert not case.command(lambda: clear(2), "ClearChargingProfile", {"id": 2}, {"status": "Unknown"})


# -- cache and data transfer -------------------------------------------------------------------------------------------


def test_tc_061_csms(case: Case) -> None:
    assert case.command(case.charge_point.clear_cache, "ClearCache", {}, {"status": "Accepted"})
    case.authorize()


def test_tc_064_csms(case: Case) -> None:
    """An unknown vendor is told so; a known one is served."""
    unknown = {"vendorId": "Unknown", "messageId": "M", "data": "D"}
    assert case.peer.call("DataTransfer", unknown).result() == {"status": "UnknownVendorId"}
    assert case.peer.call("DataTransfer", {"vendorId": "Known"}).result() == {"status": "Accepted"}


# -- security ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def guarded(sim: SimulatedRuntime) -> Case:
    """A central system that demands passwords, and a station that knows its own."""
    made = Case(sim, http_basic_authent=True)
    made.backend.passwords["CP1"] = KEY
    made.connect(password=KEY).boot()
    return made


def test_tc_073_csms(guarded: Case) -> None:
    """The password is changed, and the new one counts from the next connection on."""
    case, new = guarded, bytes.fromhex("AA" * 20)
    case.configure("AuthorizationKey", new.hex())
    case.backend.passwords["CP1"] = new
    case.peer.close()
    with pytest.raises(ConnectError) as caught:
        ScriptedPeer.connect(case.sim, URL, "CP1", password=KEY)
    assert caught.value.status == 401
    case.connect(password=new).boot()


def test_tc_074_csms(case: Case) -> None:
    """The messages of a new certificate. That the station then connects with it is a matter of TLS."""
    result = case.command(
        lambda: case.charge_point.extended_trigger_message(MessageTriggerEnumType.SignChargePointCertificate),
        "ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"}, {"status": "Accepted"},
    )  # fmt: skip
    assert result is TriggerMessageStatusEnumType.Accepted
    assert case.peer.call("SignCertificate", {"csr": REQUEST}).result() == {"status": "Accepted"}
    assert case.backend.requests == [REQUEST]
    assert case.command(
        lambda: case.charge_point.certificate_signed(PemText(CERTIFICATE)),
        "CertificateSigned", {"certificateChain": CERTIFICATE}, {"status": "Accepted"},
    )  # fmt: skip


HASH = {"hashAlgorithm": "SHA256", "issuerNameHash": "aa", "issuerKeyHash": "bb", "serialNumber": "01"}
HASH_DATA = CertificateHashDataType(
    hash_algorithm=HashAlgorithmEnumType.SHA256, issuer_name_hash="aa", issuer_key_hash="bb", serial_number="01"
)


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(CertificateUseEnumType.ManufacturerRootCertificate, id="tc_075_1_csms"),
        pytest.param(CertificateUseEnumType.CentralSystemRootCertificate, id="tc_075_2_csms"),
    ],
)
def test_tc_075_csms(case: Case, use: CertificateUseEnumType) -> None:
    result = case.command(
        lambda: case.charge_point.install_certificate(use, PemText(CERTIFICATE)),
        "InstallCertificate", {"certificateType": str(use), "certificate": CERTIFICATE}, {"status": "Accepted"},
    )  # fmt: skip
    assert result is CertificateStatusEnumType.Accepted
    found = case.command(
        lambda: case.charge_point.get_installed_certificate_ids(use),
        "GetInstalledCertificateIds", {"certificateType": str(use)},
        {"status": "Accepted", "certificateHashData": [HASH]},
    )  # fmt: skip
    assert found == [HASH_DATA]


def test_tc_076_csms(case: Case) -> None:
    use = CertificateUseEnumType.CentralSystemRootCertificate
    (found,) = case.command(
        lambda: case.charge_point.get_installed_certificate_ids(use),
        "GetInstalledCertificateIds", {"certificateType": str(use)},
        {"status": "Accepted", "certificateHashData": [HASH]},
    )  # fmt: skip
    for status in (DeleteCertificateStatusEnumType.Accepted, DeleteCertificateStatusEnumType.NotFound):
        result = case.command(
            lambda: case.charge_point.delete_certificate(found),
            "DeleteCertificate", {"certificateHashData": HASH}, {"status": str(status)},
        )  # fmt: skip
        assert result is status


def security_event(case: Case, type: str) -> None:
    event = {"type": type, "timestamp": stamp(START)}
    assert case.peer.call("SecurityEventNotification", event).result() == {}
    assert case.backend.events[-1] == type


def test_tc_077_csms(case: Case) -> None:
    assert not case.command(
        lambda: case.charge_point.certificate_signed(PemText(CERTIFICATE)),
        "CertificateSigned", {"certificateChain": CERTIFICATE}, {"status": "Rejected"},
    )  # fmt: skip
    security_event(case, "InvalidChargePointCertificate")


def test_tc_078_csms(case: Case) -> None:
    use = CertificateUseEnumType.CentralSystemRootCertificate
    result = case.command(
        lambda: case.charge_point.install_certificate(use, PemText(CERTIFICATE)),
        "InstallCertificate", {"certificateType": str(use)}, {"status": "Rejected"},
    )  # fmt: skip
    assert result is CertificateStatusEnumType.Rejected
    security_event(case, "InvalidCentralSystemCertificate")


def test_tc_079_csms(case: Case) -> None:
    result = case.command(
        lambda: case.charge_point.get_log(LogEnumType.SecurityLog, 55, "ftp://files/in/"),
        "GetLog", {"logType": "SecurityLog", "requestId": 55, "log": {"remoteLocation": "ftp://files/in/"}},
        {"status": "Accepted", "filename": "security.csv"},
    )  # fmt: skip
    assert (result.status, result.filename) == (LogStatusEnumType.Accepted, "security.csv")
    for status in ("Uploading", "Uploaded"):
        case.peer.call("LogStatusNotification", {"status": status, "requestId": 55}).result()
    assert case.backend.log == [("Uploading", 55), ("Uploaded", 55)]


@pytest.mark.parametrize(
    "statuses",
    [
        pytest.param(
            ["Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting", "Installed"],
            id="tc_080_csms",
        ),
        pytest.param(["Downloading", "Downloaded", "InvalidSignature"], id="tc_081_csms"),
    ],
)
def test_tc_080_081_csms(case: Case, statuses: list[str]) -> None:
    firmware = {
        "location": "ftp://files/fw.bin", "retrieveDateTime": stamp(START), "signingCertificate": CERTIFICATE,
        "signature": "c2lnbmF0dXJl",
    }  # fmt: skip
    result = case.command(
        lambda: case.charge_point.signed_update_firmware(
            77, "ftp://files/fw.bin", None, START, None, None, PemText(CERTIFICATE), "c2lnbmF0dXJl"
        ),
        "SignedUpdateFirmware", {"requestId": 77, "firmware": firmware}, {"status": "Accepted"},
    )  # fmt: skip
    assert result is UpdateFirmwareStatusEnumType.Accepted
    for status in statuses:
        case.peer.call("SignedFirmwareStatusNotification", {"status": status, "requestId": 77}).result()
    assert case.backend.firmware == statuses
    if statuses[-1] == "InvalidSignature":
        security_event(case, "InvalidFirmwareSignature")


def test_tc_083_csms(sim: SimulatedRuntime) -> None:
    """From no security to passwords: the messages, and the connection as the new profile wants it."""
    case = Case(sim).connect()
    case.boot()
    case.configure("AuthorizationKey", KEY.hex())
    case.configure("SecurityProfile", "1", "RebootRequired")
    assert case.command(
        lambda: case.charge_point.reset(ResetType.Hard), "Reset", {"type": "Hard"}, {"status": "Accepted"}
    )
    case.peer.abort()
    case.central_system.stop()
    upgraded = Case(sim, http_basic_authent=True)
    upgraded.backend.passwords["CP1"] = KEY
    with pytest.raises(ConnectError):
        ScriptedPeer.connect(sim, URL, "CP1")
    upgraded.connect(password=KEY).boot()


def test_tc_085_csms(guarded: Case) -> None:
    """The right pair of identity and password is accepted, no other."""
    sim = guarded.sim
    guarded.peer.close()
    guarded.connect(password=KEY).boot()
    wrong: list[dict[str, Any]] = [{"password": b"wrong"}, {"user": "CP2", "password": KEY}, {}]
    for options in wrong:
        with pytest.raises(ConnectError) as caught:
            ScriptedPeer.connect(sim, URL, "CP1", **options)
        assert caught.value.status == 401


def test_tc_088_csms() -> None:
    """Of several sub-protocols the known one is chosen, also when it is not the first."""
    with Runtime() as runtime:
        served = Served(runtime)
        try:
            client = served.client(protocols="ocpp0.1, ocpp1.6")
            assert client.status() == 101
            assert b"\r\nsec-websocket-protocol: ocpp1.6" in client.head.lower()
            assert client.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})[0] == 3
        finally:
            served.close()
