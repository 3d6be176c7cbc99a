"""A central system of ours and a charge point made by others: every action in both directions, over a real socket."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint as ForeignChargePoint
from ocpp.v16 import call, call_result

from openocpp import (
    AuthorizationData,
    AuthorizationStatus,
    AvailabilityStatus,
    AvailabilityType,
    CertificateHashDataType,
    CertificateUseEnumType,
    ChargingProfile,
    ChargingProfileKindType,
    ChargingProfilePurposeType,
    ChargingRateUnitType,
    ChargingSchedule,
    ChargingSchedulePeriod,
    HashAlgorithmEnumType,
    IdTagInfo,
    LogEnumType,
    MessageTrigger,
    MessageTriggerEnumType,
    Reason,
    ResetType,
    Runtime,
    UpdateType,
)
from openocpp.types.pem import PemText
from tests.centralsystem.pems import CERTIFICATE, REQUEST
from tests.centralsystem.raw import Served
from tests.conftest import scaled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openocpp import ICentralSystem

LIMIT = scaled(20.0)
STAMP = "2024-05-01T12:00:00Z"
INSTANT = datetime(2024, 5, 1, 12, tzinfo=UTC)
HASH = {"hash_algorithm": "SHA256", "issuer_name_hash": "aa", "issuer_key_hash": "bb", "serial_number": "01"}
HASH_DATA = CertificateHashDataType(
    hash_algorithm=HashAlgorithmEnumType.SHA256, issuer_name_hash="aa", issuer_key_hash="bb", serial_number="01"
)
SCHEDULE = ChargingSchedule(
    charging_rate_unit=ChargingRateUnitType.A,
    charging_schedule_period=[ChargingSchedulePeriod(start_period=0, limit=16.4)],
)
PROFILE = ChargingProfile(
    charging_profile_id=1,
    stack_level=0,
    charging_profile_purpose=ChargingProfilePurposeType.TxProfile,
    charging_profile_kind=ChargingProfileKindType.Relative,
    charging_schedule=SCHEDULE,
)
PEM = PemText(CERTIFICATE)

# Action, the foreign side's answer, our operation, its result.
COMMANDS: list[tuple[str, Any, Callable[[ICentralSystem.IChargePoint], Any], Any]] = [
    ("CancelReservation", call_result.CancelReservation("Accepted"), lambda cp: cp.cancel_reservation(4), True),
    (
        "ChangeAvailability",
        call_result.ChangeAvailability("Scheduled"),
        lambda cp: cp.change_availability(1, AvailabilityType.Inoperative),
        AvailabilityStatus.Scheduled,
    ),
    (
        "ChangeConfiguration",
        call_result.ChangeConfiguration("RebootRequired"),
        lambda cp: cp.change_configuration("Key", "Value"),
        "RebootRequired",
    ),
    ("ClearCache", call_result.ClearCache("Accepted"), lambda cp: cp.clear_cache(), True),
    (
        "ClearChargingProfile",
        call_result.ClearChargingProfile("Unknown"),
        lambda cp: cp.clear_charging_profile(3),
        False,
    ),
    (
        "DataTransfer",
        call_result.DataTransfer("Accepted", "pong"),
        lambda cp: cp.data_transfer("V", "M", "ping"),
        ("Accepted", "pong"),
    ),
    (
        "GetCompositeSchedule",
        call_result.GetCompositeSchedule(
            "Accepted",
            1,
            STAMP,
            {"charging_rate_unit": "A", "charging_schedule_period": [{"start_period": 0, "limit": 16.4}]},
        ),
        lambda cp: cp.get_composite_schedule(1, 100),
        ("Accepted", 1, INSTANT, SCHEDULE),
    ),
    (
        "GetConfiguration",
        call_result.GetConfiguration([{"key": "A", "readonly": False, "value": "1"}], ["B"]),
        lambda cp: [cp.get_configuration(["A", "B"]).unknown],  # type: ignore[union-attr]
        [["B"]],
    ),
    ("GetDiagnostics", call_result.GetDiagnostics("d.zip"), lambda cp: cp.get_diagnostics("ftp://h/d"), "d.zip"),
    ("GetLocalListVersion", call_result.GetLocalListVersion(7), lambda cp: cp.get_local_list_version(), 7),
    (
        "RemoteStartTransaction",
        call_result.RemoteStartTransaction("Accepted"),
        lambda cp: cp.remote_start_transaction(1, "TAG", PROFILE),
        True,
    ),
    (
        "RemoteStopTransaction",
        call_result.RemoteStopTransaction("Rejected"),
        lambda cp: cp.remote_stop_transaction(5),
        False,
    ),
    (
        "ReserveNow",
        call_result.ReserveNow("Occupied"),
        lambda cp: cp.reserve_now(1, INSTANT, "TAG", "PARENT", 4),
        "Occupied",
    ),
    ("Reset", call_result.Reset("Accepted"), lambda cp: cp.reset(ResetType.Soft), True),
    (
        "SendLocalList",
        call_result.SendLocalList("VersionMismatch"),
        lambda cp: cp.send_local_list(
            2,
            [AuthorizationData(id_tag="TAG", id_tag_info=IdTagInfo(status=AuthorizationStatus.Blocked))],
            UpdateType.Differential,
        ),
        "VersionMismatch",
    ),
    (
        "SetChargingProfile",
        call_result.SetChargingProfile("NotSupported"),
        lambda cp: cp.set_charging_profile(1, PROFILE),
        "NotSupported",
    ),
    (
        "TriggerMessage",
        call_result.TriggerMessage("NotImplemented"),
        lambda cp: cp.trigger_message(MessageTrigger.Heartbeat),
        "NotImplemented",
    ),
    ("UnlockConnector", call_result.UnlockConnector("Unlocked"), lambda cp: cp.unlock_connector(1), "Unlocked"),
    ("UpdateFirmware", call_result.UpdateFirmware(), lambda cp: cp.update_firmware("ftp://h/f", 1, INSTANT, 2), True),
    ("CertificateSigned", call_result.CertificateSigned("Accepted"), lambda cp: cp.certificate_signed(PEM), True),
    (
        "DeleteCertificate",
        call_result.DeleteCertificate("NotFound"),
        lambda cp: cp.delete_certificate(HASH_DATA),
        "NotFound",
    ),
    (
        "ExtendedTriggerMessage",
        call_result.ExtendedTriggerMessage("Accepted"),
        lambda cp: cp.extended_trigger_message(MessageTriggerEnumType.LogStatusNotification),
        "Accepted",
    ),
    (
        "GetInstalledCertificateIds",
        call_result.GetInstalledCertificateIds("Accepted", [HASH]),
        lambda cp: cp.get_installed_certificate_ids(CertificateUseEnumType.ManufacturerRootCertificate),
        [HASH_DATA],
    ),
    (
        "GetLog",
        call_result.GetLog("Accepted", "l.csv"),
        lambda cp: cp.get_log(LogEnumType.SecurityLog, 8, "ftp://h/l"),
        ("Accepted", "l.csv"),
    ),
    (
        "InstallCertificate",
        call_result.InstallCertificate("Accepted"),
        lambda cp: cp.install_certificate(CertificateUseEnumType.CentralSystemRootCertificate, PEM),
        "Accepted",
    ),
    (
        "SignedUpdateFirmware",
        call_result.SignedUpdateFirmware("Accepted"),
        lambda cp: cp.signed_update_firmware(9, "ftp://h/f", 1, INSTANT, 2, None, PEM, "c2ln"),
        "Accepted",
    ),
]

# The foreign side's request, what its answer must have, our callback.
REQUESTS: list[tuple[Any, dict[str, Any], str]] = [
    (call.BootNotification("Model", "Vendor"), {"status": "Accepted", "interval": 3600}, "boot_notification"),
    (call.Heartbeat(), {}, "heartbeat"),
    (call.Authorize("TAG"), {"id_tag_info": {"status": "Accepted"}}, "authorize"),
    (
        call.StartTransaction(1, "TAG", 5, STAMP, 4),
        {"transaction_id": 4711, "id_tag_info": {"status": "Accepted"}},
        "start_transaction",
    ),
    (call.StatusNotification(1, "NoError", "Charging", STAMP, "i", "v", "e"), {}, "status_notification"),
    (
        call.MeterValues(
            1,
            [{"timestamp": STAMP, "sampled_value": [{"value": "5", "measurand": "Voltage", "phase": "L1-N"}]}],
            4711,
        ),
        {},
        "meter_values",
    ),
    (
        call.StopTransaction(9, STAMP, 4711, "Remote", "TAG"),
        {"id_tag_info": {"status": "Accepted"}},
        "stop_transaction",
    ),
    (call.DataTransfer("V", "M", "ping"), {"status": "Accepted", "data": "pong"}, "data_transfer"),
    (call.DiagnosticsStatusNotification("Uploaded"), {}, "diagnostic_status_notification"),
    (call.FirmwareStatusNotification("Installed"), {}, "firmware_status_notification"),
    (call.LogStatusNotification("Uploaded", 8), {}, "log_status_notification"),
    (call.SecurityEventNotification("InvalidMessages", STAMP, "x"), {}, "security_event_notification"),
    (call.SignCertificate(REQUEST), {"status": "Accepted"}, "sign_certificate"),
    (call.SignedFirmwareStatusNotification("Installed", 9), {}, "signed_firmware_update_status_notification"),
]


def answering(action: str, answer: Any) -> Any:
    def handler(self: Station, **fields: Any) -> Any:
        self.seen.append((action, fields))
        return answer

    handler.__name__ = f"on_{action}"  # by which the package finds it
    return on(action)(handler)


class Station(ForeignChargePoint):  # type: ignore[misc]  # its package gives no types
    """Answers every command as ``COMMANDS`` says, and notes what it was asked."""

    def __init__(self, connection: Any) -> None:
        self.seen: list[tuple[str, dict[str, Any]]] = []
        super().__init__("FOREIGN", connection, response_timeout=LIMIT)


for _action, _answer, _, _ in COMMANDS:
    setattr(Station, f"on_{_action}", answering(_action, _answer))


class ForeignStation:
    """A station of the foreign package, connected, in a thread of its own."""

    def __init__(self, port: int) -> None:
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._connection: Any = None
        self.station: Station
        self._thread = threading.Thread(target=self._run, args=(port,), daemon=True)
        self._thread.start()
        assert self._ready.wait(LIMIT)

    def _run(self, port: int) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._live(port))

    async def _live(self, port: int) -> None:
        url = f"ws://127.0.0.1:{port}/openocpp/FOREIGN"
        async with websockets.connect(url, subprotocols=[websockets.Subprotocol("ocpp1.6")]) as self._connection:
            self.station = Station(self._connection)
            self._ready.set()
            try:
                await self.station.start()
            except websockets.ConnectionClosed:
                return

    def ask(self, request: Any) -> Any:
        """Send a request: the answer, parsed."""
        return asyncio.run_coroutine_threadsafe(self.station.call(request, suppress=False), self._loop).result(LIMIT)

    @property
    def subprotocol(self) -> str:
        return str(self._connection.subprotocol)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._connection.close(), self._loop)  # ends ``_live``
        self._thread.join(LIMIT)
        self._loop.close()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with Runtime(workers=4, name="foreign") as runtime:
        made = Served(runtime)
        yield made
        made.close()


@pytest.fixture(scope="module")
def foreign(served: Served) -> Iterator[ForeignStation]:
    station = ForeignStation(served.central_system.port)
    served.wait_for(lambda: served.central_system.charge_points)
    yield station
    station.stop()


def test_the_sub_protocol_is_agreed_upon(foreign: ForeignStation) -> None:
    assert foreign.subprotocol == "ocpp1.6"


@pytest.mark.parametrize(("request_", "expected", "callback"), REQUESTS, ids=[row[2] for row in REQUESTS])
def test_a_request_of_the_charge_point(
    served: Served, foreign: ForeignStation, request_: Any, expected: dict[str, Any], callback: str
) -> None:
    handler = served.events.handlers[0]
    before = len(handler.of(callback))
    answer = foreign.ask(request_)
    for name, value in expected.items():
        assert getattr(answer, name) == value
    assert len(handler.of(callback)) == before + 1


@pytest.mark.parametrize(
    ("action", "operation", "result"),
    [(action, operation, result) for action, _, operation, result in COMMANDS],
    ids=[row[0] for row in COMMANDS],
)
def test_a_command_of_the_central_system(
    served: Served, foreign: ForeignStation, action: str, operation: Callable[[Any], Any], result: Any
) -> None:
    charge_point = served.events.charge_points[0]
    charge_point.set_timeout(LIMIT)
    assert operation(charge_point) == result
    assert foreign.station.seen[-1][0] == action


def test_what_is_told_is_what_arrives(served: Served, foreign: ForeignStation) -> None:
    foreign.ask(call.StopTransaction(99, STAMP, 12, "PowerLoss"))
    assert served.events.handlers[0].of("stop_transaction")[-1] == ("", 99, INSTANT, 12, Reason.PowerLoss, ())
    served.events.charge_points[0].set_charging_profile(2, PROFILE)
    (period,) = foreign.station.seen[-1][1]["cs_charging_profiles"]["charging_schedule"]["charging_schedule_period"]
    assert str(period["limit"]) == "16.4", "to the digit"


def test_all_actions_are_covered() -> None:
    from openocpp import ACTIONS, Role

    commands = {action for action, *_ in COMMANDS}
    requests = {type(row[0]).__name__ for row in REQUESTS}
    assert commands == {action for action, info in ACTIONS.items() if info.may_be_sent_by(Role.CENTRAL_SYSTEM)}
    assert requests == {action for action, info in ACTIONS.items() if info.may_be_sent_by(Role.CHARGE_POINT)}
