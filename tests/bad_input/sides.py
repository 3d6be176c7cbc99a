"""Our two roles on real sockets, and the peers that talk to them, byte by byte."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any, NamedTuple

from openocpp import (
    CentralSystemConfig,
    ChargePointConfig,
    DefaultChargePointEventsHandler,
    ICentralSystem,
    IChargePoint,
    MemoryOcppConfig,
    Runtime,
)
from tests.centralsystem.bench import Events
from tests.conftest import scaled
from tests.transport.frames import CLOSE, TEXT
from tests.transport.peers import LIMIT, RawPeer
from tests.transport.servers import PROTOCOL, read_request, switching

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = "2024-03-10T12:00:00Z"
SMALL = 20_000  # bytes of a message
PASSWORD = bytes.fromhex("0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF")

NOT_IMPLEMENTED = "NotImplemented"
NOT_SUPPORTED = "NotSupported"
FORMATION = "FormationViolation"
OCCURENCE = "OccurenceConstraintViolation"
TYPE = "TypeConstraintViolation"
PROPERTY = "PropertyConstraintViolation"


class Peer(RawPeer):
    """One side of an open websocket. ``good`` is a CALL that the other side answers."""

    def __init__(self, sock: socket.socket, *, client: bool, good: str) -> None:
        super().__init__(sock, client=client)
        self.good = good
        self.calls: list[str] = []  # the actions that the other side asked for

    def next_frame(self) -> tuple[int, bytes]:
        """The next frame that is no CALL; CALLs on the way are answered."""
        while True:
            opcode, payload = self.read_frame()
            if opcode != TEXT:
                return opcode, payload
            message = json.loads(payload)
            if message[0] != 2:
                return opcode, payload
            self.answer(message)

    def answer(self, call: list[Any]) -> None:
        _, unique_id, action, _ = call
        self.calls.append(action)
        boot = {"status": "Accepted", "currentTime": NOW, "interval": 3600}
        self.text(json.dumps([3, unique_id, boot if action == "BootNotification" else {}]))

    def next_answer(self) -> list[Any]:
        """The next CALLRESULT or CALLERROR."""
        opcode, payload = self.next_frame()
        assert opcode == TEXT, (opcode, payload)
        message: list[Any] = json.loads(payload)
        return message

    def next_call(self, action: str) -> str:
        """The id of the next CALL of this action; others are answered."""
        while True:
            call = json.loads(self.read_text())
            assert call[0] == 2
            if call[2] == action:
                return str(call[1])
            self.answer(call)

    def next_close(self) -> int | None:
        """The code of the Close frame, which must come."""
        opcode, payload = self.next_frame()
        assert opcode == CLOSE
        return int.from_bytes(payload[:2], "big") if payload else None

    def is_alive(self) -> bool:
        """Is the good CALL answered next?"""
        self.text(self.good)
        kind, unique_id, _ = self.next_answer()
        return (kind, unique_id) == (3, "good")


class Central:
    """Our central system on a free port."""

    def __init__(self, runtime: Runtime, **settings: Any) -> None:
        self.events = Events()
        self.events.right = lambda identifier, password: password == PASSWORD
        config = CentralSystemConfig(
            **{
                "listen_url": "ws://127.0.0.1:0/ocpp",
                "authentication_failures_per_minute": 0,
                "max_message_size": SMALL,
                "web_socket_ping_interval": 0,
                "call_request_timeout": LIMIT,
                **settings,
            }
        )
        self.central_system = ICentralSystem.create(config, self.events, runtime)
        assert self.central_system.start()
        self.peers: list[RawPeer] = []

    def raw(self) -> RawPeer:
        """A TCP connection to it."""
        peer = RawPeer(socket.create_connection(("127.0.0.1", self.central_system.port)))
        self.peers.append(peer)
        return peer

    def connected(self, identity: str = "CP1") -> Peer:
        """A charge point that is connected, and announced."""
        raw = self.raw()
        raw.send(request(f"/ocpp/{identity}"))
        assert raw.read_head()[0] == 101
        peer = Peer(raw.sock, client=True, good='[2,"good","Heartbeat",{}]')
        assert peer.is_alive()
        return peer

    def close(self) -> None:
        for peer in self.peers:
            peer.sock.close()
        self.central_system.stop()


def request(target: str, **fields: str | None) -> bytes:
    """A request to upgrade; a field of None is left out."""
    usual: dict[str, str | None] = {
        "Host": "localhost",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "ocpp1.6",
    }
    usual |= {name.replace("_", "-"): value for name, value in fields.items()}
    lines = [f"{name}: {value}" for name, value in usual.items() if value is not None]
    return "\r\n".join([f"GET {target} HTTP/1.1", *lines, "", ""]).encode("latin-1")


class Application(DefaultChargePointEventsHandler):
    def get_tx_start_stop_meter_value(self, connector_id: int) -> int:
        return 0


class Station:
    """Our charge point, and the port of the central system that the test plays for it."""

    def __init__(self, runtime: Runtime, **settings: Any) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.listening.settimeout(LIMIT)
        self.port = self.listening.getsockname()[1]
        self.peers: list[Peer] = []
        self.charge_point = station(runtime, self.port, **settings)
        assert self.charge_point.start()

    def accept(self) -> Peer:
        """The charge point connects."""
        sock, _ = self.listening.accept()
        sock.settimeout(LIMIT)
        sock.sendall(switching(read_request(sock), PROTOCOL))
        peer = Peer(sock, client=False, good='[2,"good","GetLocalListVersion",{}]')
        self.peers.append(peer)
        return peer

    def registered(self) -> Peer:
        """The charge point is connected for the first time, and registered."""
        peer = self.accept()
        while len(peer.calls) < 3:  # BootNotification, and a status of each connector
            peer.answer(json.loads(peer.read_text()))
        assert peer.is_alive()
        return peer

    def reconnected(self) -> Peer:
        """It is connected again, which needs no registration."""
        peer = self.accept()
        assert peer.is_alive()
        return peer

    def close(self) -> None:
        for peer in self.peers:
            peer.sock.close()
        self.listening.close()
        self.charge_point.stop()


def station(runtime: Runtime, port: int, **settings: Any) -> IChargePoint:
    keys = {
        "NumberOfConnectors": 1,
        "MinimumStatusDuration": 0,
        "MeterValueSampleInterval": 0,
        "SupportedFeatureProfiles": (
            "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger"
        ),
        **settings.pop("keys", {}),
    }
    config = ChargePointConfig(
        **{
            "connexion_url": f"ws://127.0.0.1:{port}/ocpp",
            "charge_point_identifier": "CP1",
            "connection_timeout": scaled(5),
            "call_request_timeout": LIMIT,
            "retry_interval": 0.05,
            "retry_interval_max": 0.05,
            "max_message_size": SMALL,
            "log_max_entries_count": 0,
            **settings,
        }
    )
    return IChargePoint.create(config, MemoryOcppConfig(keys), Application(), runtime)


class Link(NamedTuple):
    """An open connection to one of our roles, and how to make another one to the same."""

    peer: Peer
    other: Callable[[], Peer]
