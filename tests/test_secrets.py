"""Passwords and keys get into no log, whatever happens to them: all that both roles write down at DEBUG is searched."""

from __future__ import annotations

import json
import logging
import socket
import sqlite3
from base64 import b64encode
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from openocpp import (
    CentralSystemConfig,
    ChangeConfigurationReq,
    ChargePointConfig,
    DataTransferResult,
    DataTransferStatus,
    DefaultChargePointEventsHandler,
    ICentralSystem,
    IChargePoint,
    MemoryOcppConfig,
    RegistrationStatus,
    Runtime,
)
from openocpp.testing import SimulatedRuntime
from openocpp.testing.conversation import ScriptedPeer
from tests.bad_input.sides import request
from tests.centralsystem.bench import Events
from tests.conftest import scaled
from tests.transport.peers import RawPeer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

URL = "ws://central:8080/ocpp"
OLD = bytes.fromhex("5ec2e7010101010101010101010101010101aaaa")
NEW = bytes.fromhex("5ec2e7020202020202020202020202020202bbbb")
SHORT = "5ec2e70303"  # too short to be taken
FREE_TEXT = "5ec2e7 no hexadecimal"


def forms(identity: str = "CP1") -> list[str]:
    """How the secrets might be written."""
    found = [SHORT, FREE_TEXT, "hunter2"]
    for key in (OLD, NEW):
        found += [key.hex(), key.hex().upper(), repr(key)[2:-1], b64encode(key).decode()]
        found.append(b64encode(f"{identity}:".encode() + key).decode())
    return found


class Watch(logging.Handler):
    """Keeps everything that is logged, tracebacks included."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.formatter = logging.Formatter("%(name)s %(message)s")

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{self.format(record)} {record.args!r}")

    def check(self) -> None:
        """That a secret is found if it is there is shown by ``test_the_watch_sees_secrets``."""
        found = [line for line in self.lines for secret in forms() if secret in line]
        assert found == []


@pytest.fixture
def watch() -> Iterator[Watch]:
    handler = Watch()
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(before)


class Application(DefaultChargePointEventsHandler):
    def get_tx_start_stop_meter_value(self, connector_id: int) -> int:
        return 0

    def data_transfer_requested(self, vendor_id: str, message_id: str, data: str) -> DataTransferResult:
        if message_id == "fail":
            raise ValueError("a bug")
        return DataTransferResult(DataTransferStatus.Accepted, data)


def station(runtime: Runtime, url: str, key: bytes, **settings: Any) -> IChargePoint:
    keys: dict[str, str | int] = {"NumberOfConnectors": 1, "SecurityProfile": 1, "AuthorizationKey": key.hex()}
    config = ChargePointConfig(
        connexion_url=url, charge_point_identifier="CP1", log_max_entries_count=settings.pop("entries", 0), **settings
    )
    return IChargePoint.create(config, MemoryOcppConfig(keys), Application(), runtime)


def test_the_watch_sees_secrets(watch: Watch) -> None:
    log = logging.getLogger("openocpp.anything")
    log.debug("the key is %s", NEW.hex())
    with pytest.raises(AssertionError):
        watch.check()


def test_both_roles_change_ask_and_refuse_keys(watch: Watch, tmp_path: Path) -> None:
    path = tmp_path / "cp.db"
    with SimulatedRuntime(seed=4) as sim:
        events = Events()
        events.right = lambda identifier, password: password in (OLD, NEW)
        central = ICentralSystem.create(CentralSystemConfig(listen_url=URL, http_basic_authent=True), events, sim)
        assert central.start()
        cp = station(sim, URL, OLD, database_path=str(path), entries=1000)
        assert cp.start()
        sim.run_until(lambda: cp.registration_status is RegistrationStatus.Accepted)
        proxy = events.charge_points[-1]
        assert proxy.change_configuration("AuthorizationKey", SHORT) == "Rejected"
        assert proxy.change_configuration("authorizationkey", FREE_TEXT) == "Rejected"
        assert proxy.change_configuration("AuthorizationKey", NEW.hex()) == "Accepted"
        sim.run_until(lambda: len(events.charge_points) == 2)  # it connects anew with its new password
        assert events.passwords[-1] == ("CP1", NEW)
        proxy = events.charge_points[-1]
        for keys in ((), ("AuthorizationKey",), ("AUTHORIZATIONKEY", "HeartbeatInterval")):
            answer = proxy.get_configuration(keys)
            assert answer is not None
            assert NEW.hex() not in repr(answer)
        nested = json.dumps({"value": NEW.hex(), "key": "AuthorizationKey"})
        for message in ("", "fail"):
            proxy.data_transfer("V", message, nested)
            cp.data_transfer("V", message, json.dumps({"data": nested}))
        proxy.get_diagnostics("ftp://me:hunter2@host/")
        assert NEW.hex() not in repr(ChangeConfigurationReq(key="AuthorizationKey", value=NEW.hex()))
        assert NEW.hex() not in repr(cp) + repr(central) + repr(proxy) + repr(events.charge_points)
        cp.stop()
        central.stop()
    assert any("ChangeConfiguration" in line for line in watch.lines)
    watch.check()
    with closing(sqlite3.connect(path)) as connection:
        stored = "\n".join(str(row) for row in connection.execute("SELECT * FROM Logs"))
        stored += "\n".join(str(row) for row in connection.execute("SELECT * FROM SecurityLogs"))
    assert stored
    assert not any(secret in stored for secret in forms())


@pytest.mark.parametrize(
    "text",
    [
        '{"key":"AuthorizationKey","value":"%s"}',
        '{"value":"%s","key":"AuthorizationKey"}',
        '{"k\\u0065y":"\\u0041uthorizationKey","value":"%s"}',
        '{"value":"%s","key":"AuthorizationKey","extra":1}',
        '{"value":["%s"],"key":"AuthorizationKey"}',
        '{"value":"%s","key":"AuthorizationKey"',
        '["AuthorizationKey","%s"',
    ],
)
def test_frames_of_peers_who_write_them_in_their_own_way(watch: Watch, text: str) -> None:
    """To a charge point as ChangeConfiguration, to a central system as the answer to GetConfiguration."""
    with SimulatedRuntime(seed=4) as sim:
        events = Events()
        central = ICentralSystem.create(CentralSystemConfig(listen_url=URL), events, sim)
        assert central.start()
        cp = station(sim, URL, OLD)
        assert cp.start()
        sim.run_until(lambda: cp.registration_status is RegistrationStatus.Accepted)
        secret = NEW.hex()
        peer = ScriptedPeer.connect(sim, URL, "FOREIGN")
        sim.run_until(lambda: len(events.charge_points) == 2)
        peer.send(f'[2,"1","ChangeConfiguration",{text % secret}]')
        asking = sim.user(events.charge_points[-1].get_configuration)
        call = peer.expect_call("GetConfiguration")
        peer.send(f'[3,"{call.id}",{{"configurationKey":[{text % secret}]}}]')
        peer.send([3, call.id, {}])
        asking.result()
        cp.stop()
        central.stop()
    watch.check()


def test_passwords_on_the_wire_are_not_logged(watch: Watch) -> None:
    """Right and wrong ones, over real sockets, on both sides."""
    with Runtime(workers=4, name="secrets") as runtime:
        events = Events()
        events.right = lambda identifier, password: password == OLD
        central = ICentralSystem.create(
            CentralSystemConfig(listen_url="ws://127.0.0.1:0/ocpp", http_basic_authent=True), events, runtime
        )
        assert central.start()
        for key in (OLD, NEW):
            cp = station(runtime, f"ws://127.0.0.1:{central.port}/ocpp", key, retry_interval=0.05)
            assert cp.start()
            deadline = runtime.clock.now() + scaled(15)
            while not (cp.registration_status == "Accepted" if key is OLD else cp.last_connection_error):
                assert runtime.clock.now() < deadline
                runtime.waiter().wait(0.01)
            if key is NEW:
                error = cp.last_connection_error
                assert error is not None
                assert error.status == 401
                watch.lines.append(f"{error!r} {error}")
            cp.stop()
        for header in (f"Basic {b64encode(b'CP1:' + NEW).decode()}", f"Bearer {NEW.hex()}", f"Basic {NEW.hex()}"):
            with socket.create_connection(("127.0.0.1", central.port)) as sock:
                peer = RawPeer(sock)
                peer.send(request("/ocpp/CP1", Authorization=header))
                assert peer.read_head()[0] == 401
        with socket.create_connection(("127.0.0.1", central.port)) as sock:
            peer = RawPeer(sock)
            peer.send(
                request("/ocpp/CP1", Authorization=f"Basic {b64encode(b'CP1:' + NEW).decode()}")[:-2] + b"x\r\n\r\n"
            )
            assert peer.read_head()[0] == 400
        central.stop()
    assert any("wrong or no credentials" in line for line in watch.lines)
    watch.check()
