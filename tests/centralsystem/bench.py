"""A central system on a simulated runtime, an application that writes everything down, and scripted charge points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openocpp import (
    AuthorizationStatus,
    CentralSystemConfig,
    CertificateStatusResult,
    DataTransferResult,
    DataTransferStatus,
    DefaultCentralSystemEventsHandler,
    EvCertificateResult,
    GetCertificateStatusEnumType,
    ICentralSystem,
    IChargePointRequestHandler,
    IdTagInfo,
    IdTokenInfoType,
    Iso15118AuthorizeAnswer,
    Iso15118EVCertificateStatusEnumType,
    RegistrationStatus,
    StartTransactionResult,
)
from openocpp.testing.conversation import ScriptedPeer

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.testing import SimulatedRuntime
    from openocpp.types.pem import PemObject

    ChargePoint = ICentralSystem.IChargePoint

URL = "ws://central:8080/ocpp"
BOOT = {"chargePointVendor": "Vendor", "chargePointModel": "Model"}
ACCEPTED = IdTagInfo(status=AuthorizationStatus.Accepted)


class Requests(IChargePointRequestHandler):
    """Accepts everything, and notes it. ``answers`` holds other answers by callback, ``on`` what else is to be done."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.calls: list[tuple[Any, ...]] = []
        self.answers: dict[str, Any] = {}
        self.on: dict[str, Callable[..., object]] = {}

    def note(self, callback: str, usual: Any, *parameters: Any) -> Any:
        self.calls.append((callback, *parameters))
        if callback in self.on:
            self.on[callback](*parameters)
        answer = self.answers.get(callback, usual)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def of(self, callback: str) -> list[tuple[Any, ...]]:
        """The parameters of each call of one callback."""
        return [call[1:] for call in self.calls if call[0] == callback]

    def disconnected(self) -> None:
        self.note("disconnected", None)

    def heartbeat(self) -> None:
        self.note("heartbeat", None)

    def authorize(self, id_tag: str) -> IdTagInfo:
        return self.note("authorize", ACCEPTED, id_tag)  # type: ignore[no-any-return]

    def boot_notification(self, *fields: str) -> RegistrationStatus:
        return self.note("boot_notification", RegistrationStatus.Accepted, *fields)  # type: ignore[no-any-return]

    def data_transfer(self, vendor_id: str, message_id: str, data: str) -> DataTransferResult:
        usual = DataTransferResult(DataTransferStatus.Accepted, "pong")
        return self.note("data_transfer", usual, vendor_id, message_id, data)  # type: ignore[no-any-return]

    def diagnostic_status_notification(self, status: Any) -> None:
        self.note("diagnostic_status_notification", None, status)

    def firmware_status_notification(self, status: Any) -> None:
        self.note("firmware_status_notification", None, status)

    def meter_values(self, *parameters: Any) -> None:
        self.note("meter_values", None, *parameters)

    def start_transaction(self, *parameters: Any) -> StartTransactionResult:
        return self.note("start_transaction", StartTransactionResult(ACCEPTED, 4711), *parameters)  # type: ignore[no-any-return]

    def status_notification(self, *parameters: Any) -> None:
        self.note("status_notification", None, *parameters)

    def stop_transaction(self, *parameters: Any) -> IdTagInfo | None:
        return self.note("stop_transaction", ACCEPTED, *parameters)  # type: ignore[no-any-return]

    def log_status_notification(self, status: Any, request_id: int | None) -> None:
        self.note("log_status_notification", None, status, request_id)

    def security_event_notification(self, *parameters: Any) -> None:
        self.note("security_event_notification", None, *parameters)

    def sign_certificate(self, request: PemObject) -> bool:
        return self.note("sign_certificate", True, request)  # type: ignore[no-any-return]

    def signed_firmware_update_status_notification(self, status: Any, request_id: int | None) -> None:
        self.note("signed_firmware_update_status_notification", None, status, request_id)

    def iso15118_authorize(self, *parameters: Any) -> Iso15118AuthorizeAnswer:
        usual = Iso15118AuthorizeAnswer(IdTokenInfoType(status=AuthorizationStatus.Accepted), None)
        return self.note("iso15118_authorize", usual, *parameters)  # type: ignore[no-any-return]

    def iso15118_get_ev_certificate(self, *parameters: Any) -> EvCertificateResult:
        usual = EvCertificateResult(Iso15118EVCertificateStatusEnumType.Accepted, "RVhJ")
        return self.note("iso15118_get_ev_certificate", usual, *parameters)  # type: ignore[no-any-return]

    def iso15118_get_certificate_status(self, *parameters: Any) -> CertificateStatusResult:
        usual = CertificateStatusResult(GetCertificateStatusEnumType.Accepted, "T0NTUA==")
        return self.note("iso15118_get_certificate_status", usual, *parameters)  # type: ignore[no-any-return]

    def iso15118_sign_certificate(self, request: PemObject) -> bool:
        return self.note("iso15118_sign_certificate", True, request)  # type: ignore[no-any-return]


class Events(DefaultCentralSystemEventsHandler):
    """Registers a ``Requests`` for whoever connects, and notes it."""

    def __init__(self) -> None:
        self.charge_points: list[ChargePoint] = []
        self.handlers: list[Requests] = []
        self.addresses: list[str] = []
        self.failed: list[str] = []
        self.passwords: list[tuple[str, bytes]] = []
        self.accept = True
        self.known: Callable[[str], bool] = lambda identifier: True
        self.right: Callable[[str, bytes], bool] = lambda identifier, password: True
        self.on_connected: Callable[[ChargePoint], object] = lambda charge_point: None
        self.with_handler = True

    def accept_connection(self, ip_address: str) -> bool:
        self.addresses.append(ip_address)
        return self.accept

    def client_failed_to_connect(self, ip_address: str) -> None:
        self.failed.append(ip_address)

    def is_charge_point_known(self, identifier: str) -> bool:
        return self.known(identifier)

    def check_credentials(self, identifier: str, password: bytes) -> bool:
        self.passwords.append((identifier, password))
        return self.right(identifier, password)

    def charge_point_connected(self, charge_point: ChargePoint) -> None:
        self.charge_points.append(charge_point)
        self.handlers.append(Requests(charge_point.identifier))
        if self.with_handler:
            charge_point.register_handler(self.handlers[-1])
        self.on_connected(charge_point)


class Bench:
    """A started central system in memory."""

    def __init__(self, sim: SimulatedRuntime, *, start: bool = True, **settings: Any) -> None:
        self.sim = sim
        self.events = Events()
        self.config = CentralSystemConfig(**{"listen_url": URL, **settings})
        self.central_system = ICentralSystem.create(self.config, self.events, sim)
        if start:
            assert self.central_system.start()

    def connect(self, identity: str = "CP1", **options: Any) -> ScriptedPeer:
        """A charge point that is connected, and announced."""
        count = len(self.events.charge_points)
        peer = ScriptedPeer.connect(self.sim, URL, identity, **options)
        for _ in range(100):  # turns, in which no time passes
            if len(self.events.charge_points) > count:
                break
            self.sim.yield_turn()
        self.sim.run_until(lambda: len(self.events.charge_points) > count)
        return peer

    @property
    def charge_point(self) -> ChargePoint:
        """The one that connected last."""
        return self.events.charge_points[-1]

    @property
    def requests(self) -> Requests:
        """The handler of the one that connected last."""
        return self.events.handlers[-1]
