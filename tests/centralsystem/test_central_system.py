"""Tests of openocpp.centralsystem.central_system: start, stop, who may connect, and what is kept."""

from __future__ import annotations

import logging
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from openocpp import (
    CentralSystemConfig,
    ConfigError,
    ConnectError,
    ICentralSystem,
    ResetType,
    Runtime,
    StateError,
)
from openocpp.messages.schema import find_schemas
from openocpp.testing import SimulatedRuntime
from openocpp.testing.conversation import ScriptedPeer
from tests.centralsystem.bench import BOOT, URL, Bench, Events
from tests.centralsystem.pems import certificate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Changeable:
    """Settings of the user's own, without the additional ones, that can be changed at any time."""

    def __init__(self, **values: Any) -> None:
        plain = CentralSystemConfig(**{"listen_url": URL, **values})
        names = (
            "database_path", "json_schemas_path", "call_request_timeout", "tlsv12_cipher_list", "tlsv13_cipher_list",
            "log_max_entries_count", "listen_url", "web_socket_ping_interval", "boot_notification_retry_interval",
            "heartbeat_interval", "http_basic_authent", "tls_ecdh_curve", "tls_server_certificate",
            "tls_server_certificate_private_key", "tls_server_certificate_private_key_passphrase",
            "tls_server_certificate_ca", "tls_client_certificate_authent",
            "incoming_requests_from_cp_thread_pool_size", "iso15118_pnc_enabled",
        )  # fmt: skip
        for name in names:
            setattr(self, name, getattr(plain, name))


@pytest.fixture
def real() -> Iterator[Runtime]:
    with Runtime(name="test") as runtime:
        yield runtime


def keys(path: Path) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute("SELECT key, value FROM InternalConfig").fetchall())


# -- life ------------------------------------------------------------------------------------------------------------


def test_start_and_stop_in_turn(sim: SimulatedRuntime) -> None:
    bench = Bench(sim, start=False)
    for _ in range(3):
        assert bench.central_system.start()
        assert not bench.central_system.start(), "it is started already"
        bench.connect().call("Heartbeat").result()
        assert bench.central_system.stop()
        assert not bench.central_system.stop(), "it is stopped already"
        with pytest.raises(ConnectError):
            ScriptedPeer.connect(sim, URL, "CP1")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("listen_url", "no URL"),
        ("listen_url", "http://central:8080/"),
        ("listen_url", "wss://central:8080/"),
        ("incoming_requests_from_cp_thread_pool_size", 0),
        ("call_request_timeout", -1.0),
        ("json_schemas_path", "/nowhere"),
    ],
)
def test_a_start_with_an_unusable_setting_fails_and_leaves_it_stopped(
    sim: SimulatedRuntime, caplog: pytest.LogCaptureFixture, key: str, value: Any
) -> None:
    config: Any = Changeable()
    central_system = ICentralSystem.create(config, Events(), sim)
    good = getattr(config, key)
    setattr(config, key, value)
    assert not central_system.start()
    assert "cannot start" in caplog.text
    assert not central_system.stop()
    setattr(config, key, good)
    assert central_system.start()
    assert central_system.stop()


@pytest.mark.parametrize(
    ("key", "value"),
    [("listen_url", ""), ("listen_url", "ftp://x"), ("incoming_requests_from_cp_thread_pool_size", 0)],
)
def test_create_names_the_setting_that_is_unusable(key: str, value: Any) -> None:
    config: Any = Changeable()
    setattr(config, key, value)
    with pytest.raises(ConfigError, match=r"ListenUrl|IncomingRequestsFromCpThreadPoolSize"):
        ICentralSystem.create(config, Events())


def test_a_broken_schema_makes_start_fail(
    sim: SimulatedRuntime, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for file in find_schemas().glob("*.json"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "Heartbeat.json").write_text("{")
    bench = Bench(sim, start=False, json_schemas_path=str(tmp_path))
    assert not bench.central_system.start()
    assert "Heartbeat.json" in caplog.text
    (tmp_path / "Heartbeat.json").write_bytes((find_schemas() / "Heartbeat.json").read_bytes())
    assert bench.central_system.start()


def test_an_address_that_is_in_use_makes_start_fail(sim: SimulatedRuntime, bench: Bench) -> None:
    second = ICentralSystem.create(CentralSystemConfig(listen_url=URL), Events(), sim)
    assert not second.start()
    bench.central_system.stop()
    assert second.start()


def test_a_failed_start_leaves_nothing_running(tmp_path: Path) -> None:
    """With threads of its own."""
    before = set(threading.enumerate())
    config: Any = Changeable(database_path=str(tmp_path / "cs.db"))
    with ICentralSystem.create(config, Events()) as central_system:
        config.listen_url = "nonsense"
        assert not central_system.start()
        assert set(threading.enumerate()) == before
        config.listen_url = "ws://127.0.0.1:0/ocpp"
        assert central_system.start()
        assert central_system.port > 0
    assert set(threading.enumerate()) == before


def test_its_own_runtime_has_the_configured_workers_and_ends_with_it() -> None:
    config = CentralSystemConfig(listen_url="ws://127.0.0.1:0/", incoming_requests_from_cp_thread_pool_size=3)
    before = set(threading.enumerate())
    central_system = ICentralSystem.create(config, Events())
    assert central_system.runtime.workers.size == 3
    for _ in range(2):
        assert central_system.start()
        runtime = central_system.runtime
        assert central_system.stop()
        assert runtime.stopped
        assert set(threading.enumerate()) == before


def test_a_shared_runtime_is_not_stopped(real: Runtime) -> None:
    config = CentralSystemConfig(listen_url="ws://127.0.0.1:0/")
    central_system = ICentralSystem.create(config, Events(), real)
    assert central_system.start()
    assert central_system.runtime is real
    assert central_system.stop()
    assert real.submit(lambda: 1).result(5) == 1


def test_on_a_shared_runtime_it_handles_only_so_many_calls_at_once() -> None:
    with SimulatedRuntime(workers=8) as sim:
        bench = Bench(sim, incoming_requests_from_cp_thread_pool_size=2)
        running: list[int] = []
        most: list[int] = []

        def block(*_: object) -> None:
            running.append(1)
            most.append(len(running))
            sim.sleep(0.5)
            running.pop()

        peers = [bench.connect(f"CP{number}") for number in range(6)]
        for handler in bench.events.handlers:
            handler.on["heartbeat"] = block
        for call in [peer.call("Heartbeat") for peer in peers]:
            call.result()
        assert max(most) == 2


def test_with_stops_it_at_the_end(sim: SimulatedRuntime) -> None:
    with Bench(sim).central_system as central_system:
        peer = ScriptedPeer.connect(sim, URL, "CP1")
    peer.expect_closed(1001)
    assert not central_system.stop()


def test_stop_from_a_callback(sim: SimulatedRuntime, bench: Bench) -> None:
    results: list[bool] = []
    peer, other = bench.connect("CP1"), bench.connect("CP2")
    bench.events.handlers[0].on["heartbeat"] = lambda: results.append(bench.central_system.stop())
    peer.call("Heartbeat")
    other.expect_closed(1001)
    sim.run_until(lambda: bool(results))
    assert results == [True]
    assert [len(handler.of("disconnected")) for handler in bench.events.handlers] == [1, 1]
    assert bench.central_system.start()
    bench.connect("CP3").call("Heartbeat").result()


def test_stop_from_a_callback_on_a_runtime_of_its_own(real: Runtime) -> None:
    events = Events()
    central_system = ICentralSystem.create(CentralSystemConfig(listen_url="ws://127.0.0.1:0/ocpp"), events)
    assert central_system.start()
    stopped = real.waiter()
    events.on_connected = lambda charge_point: stopped.set(central_system.stop())
    peer = ScriptedPeer.connect(real, f"ws://127.0.0.1:{central_system.port}/ocpp", "CP1")
    peer.expect_closed(1001)
    assert stopped.wait(10)
    assert stopped.value is True
    assert [len(handler.of("disconnected")) for handler in events.handlers] == [1]
    assert central_system.start()
    assert central_system.stop()


def test_proxies_that_are_kept_fail_at_once_after_stop(bench: Bench) -> None:
    bench.connect().call("BootNotification", BOOT).result()
    charge_point = bench.charge_point
    bench.central_system.stop()
    began = bench.sim.clock.now()
    assert not charge_point.is_connected
    assert charge_point.reset(ResetType.Soft) is False
    charge_point.disconnect()
    assert bench.sim.clock.now() == began
    assert "not connected" in repr(charge_point)


def test_start_and_stop_are_not_for_the_scheduler(bench: Bench) -> None:
    errors: list[Exception] = []

    def step() -> None:
        for operation in (bench.central_system.start, bench.central_system.stop, bench.central_system.reset_data):
            try:
                operation()
            except StateError as error:
                errors.append(error)

    bench.sim.scheduler.post(step)
    bench.sim.sleep(1)
    assert len(errors) == 3


def test_those_who_are_connected(bench: Bench) -> None:
    assert connected(bench) == []
    peers = [bench.connect(identity) for identity in ("CP1", "CP2", "CP3")]
    assert connected(bench) == ["CP1", "CP2", "CP3"]
    assert bench.central_system.charge_points == tuple(bench.events.charge_points)
    peers[1].close()
    bench.sim.sleep(1)
    assert connected(bench) == ["CP1", "CP3"]
    bench.central_system.stop()
    assert connected(bench) == []


def connected(bench: Bench) -> list[str]:
    return [charge_point.identifier for charge_point in bench.central_system.charge_points]


def test_properties(bench: Bench) -> None:
    assert bench.central_system.config is bench.config
    assert bench.central_system.runtime is bench.sim
    assert bench.central_system.port == 8080
    assert not bench.central_system.reload_tls(), "there are no certificates without TLS"
    assert "started" in repr(bench.central_system)
    bench.central_system.stop()
    with pytest.raises(StateError):
        bench.central_system.port  # noqa: B018


# -- who may connect -------------------------------------------------------------------------------------------------


def test_a_connection_that_is_not_accepted_is_closed_and_nothing_else_is_asked(bench: Bench) -> None:
    bench.events.accept = False
    with pytest.raises(ConnectError):
        ScriptedPeer.connect(bench.sim, URL, "CP1")
    bench.sim.sleep(1)
    assert bench.events.addresses == ["127.0.0.1"]
    assert bench.events.failed == []
    assert bench.events.charge_points == []


def refused(bench: Bench, identity: str = "CP1", **options: Any) -> int | None:
    """The HTTP status that a charge point is refused with."""
    with pytest.raises(ConnectError) as caught:
        ScriptedPeer.connect(bench.sim, URL, identity, **options)
    bench.sim.sleep(1)
    assert bench.events.charge_points == []
    return caught.value.status


def test_an_unknown_charge_point_is_not_found(bench: Bench) -> None:
    bench.events.known = lambda identifier: identifier == "CP2"
    assert refused(bench) == 404
    assert bench.events.failed == ["127.0.0.1"]
    bench.connect("CP2").call("Heartbeat").result()


def test_whether_it_is_known_is_asked_before_its_password(sim: SimulatedRuntime) -> None:
    bench = Bench(sim, http_basic_authent=True)
    bench.events.known = lambda identifier: False
    assert refused(bench, password=b"secret") == 404
    assert bench.events.passwords == []


def test_a_wrong_password_is_refused_and_logged_without_it(
    sim: SimulatedRuntime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    bench = Bench(sim, http_basic_authent=True)
    bench.events.right = lambda identifier, password: password == b"rosebud"
    assert refused(bench, password=b"xanadu") == 401
    assert bench.events.failed == ["127.0.0.1"]
    assert any(record.name == "openocpp.security" for record in caplog.records)
    bench.connect(password=b"rosebud").call("Heartbeat").result()
    assert "xanadu" not in caplog.text
    assert "rosebud" not in caplog.text


def test_another_user_than_the_identity_is_refused_without_asking(sim: SimulatedRuntime) -> None:
    bench = Bench(sim, http_basic_authent=True)
    assert refused(bench, user="CP2", password=b"x") == 401
    assert bench.events.passwords == []


def test_no_password_is_refused(sim: SimulatedRuntime) -> None:
    bench = Bench(sim, http_basic_authent=True)
    assert refused(bench) == 401
    assert bench.events.passwords == []


def test_without_basic_authentication_passwords_are_not_looked_at(bench: Bench) -> None:
    bench.connect(password=b"anything").call("Heartbeat").result()
    assert bench.events.passwords == []


@pytest.mark.parametrize("callback", ["accept_connection", "is_charge_point_known", "check_credentials"])
def test_a_question_that_fails_is_a_refusal(
    sim: SimulatedRuntime, callback: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(sim, start=False, http_basic_authent=True)

    def fail(*_: object) -> bool:
        raise RuntimeError("a bug of the application")

    monkeypatch.setattr(bench.events, callback, fail)
    bench.central_system.start()
    refused(bench, password=b"x")
    assert "a bug of the application" in caplog.text


def test_an_announcement_that_fails_closes_the_connection(bench: Bench) -> None:
    def fail(charge_point: object) -> None:
        raise RuntimeError("a bug of the application")

    bench.events.on_connected = fail
    bench.connect().expect_closed(1011)
    bench.events.on_connected = lambda charge_point: None
    bench.connect("CP2").call("Heartbeat").result()


def test_failures_are_not_reported_for_those_who_were_connected(bench: Bench) -> None:
    bench.connect().close()
    bench.connect("CP2").abort()
    bench.connect("CP3")
    bench.central_system.stop()
    assert bench.events.failed == []


# -- certificates of clients -------------------------------------------------------------------------------------------


class Role:
    """The server's view of a central system that listens with TLS, as far as certificates are concerned."""

    def __init__(self, events: Events, cpo_name: str) -> None:
        from openocpp.centralsystem.central_system import _Role

        context: Any = type("Context", (), {"events": events})
        self.role = _Role(context, cpo_name)

    def check(self, *organizations: str) -> bool:
        from cryptography.hazmat.primitives.serialization import Encoding

        return self.role.check_client_certificate("CP1", certificate(*organizations).public_bytes(Encoding.DER))


def test_the_operator_in_a_certificate_must_be_the_configured_one() -> None:
    role = Role(Events(), "CPO")
    assert role.check("CPO")
    assert not role.check("Another")
    assert not role.check()
    assert not role.check("CPO", "Another")
    assert Role(Events(), "").check("Another"), "no operator is configured"


def test_the_application_can_check_certificates_itself() -> None:
    seen: list[tuple[str, str]] = []

    class Strict(Events):
        def check_client_certificate(self, identifier: str, certificate: Any) -> bool:
            seen.append((identifier, certificate.pem))
            return identifier == "CP2"

    assert not Role(Strict(), "CPO").check("CPO")
    assert seen[0][0] == "CP1"
    assert seen[0][1].startswith("-----BEGIN CERTIFICATE-----\n")


# -- duplicates --------------------------------------------------------------------------------------------------------


def test_the_newest_connection_wins_by_default(bench: Bench) -> None:
    old = bench.connect()
    first = bench.requests
    new = bench.connect()
    old.expect_closed(1008)
    new.call("Heartbeat").result()
    assert first.calls == [("disconnected",)]
    assert bench.requests.of("heartbeat") == [()]


@pytest.mark.parametrize("duplicates", ["oldest", "application"])
def test_other_rules_for_duplicates(sim: SimulatedRuntime, duplicates: str) -> None:
    bench = Bench(sim, duplicate_connection=duplicates)
    old = bench.connect()
    ScriptedPeer.connect(sim, URL, "CP1")
    sim.sleep(1)
    old.call("Heartbeat").result()
    assert len(bench.events.charge_points) == (1 if duplicates == "oldest" else 2)


# -- what is kept ------------------------------------------------------------------------------------------------------


def test_the_counters_of_sessions(sim: SimulatedRuntime, tmp_path: Path) -> None:
    path = tmp_path / "cs.db"
    bench = Bench(sim, database_path=str(path))
    sim.sleep(16)
    assert keys(path)["LastSessionUpTime"] == "15"
    sim.sleep(4)
    bench.central_system.stop()
    assert keys(path)["TotalUpTime"] == "20"
    assert bench.central_system.start()
    sim.sleep(30)
    bench.central_system.stop()
    assert keys(path)["LastSessionStartDate"] == "2024-01-01T00:00:20Z"
    assert keys(path)["LastSessionUpTime"] == "30"
    assert keys(path)["TotalUpTime"] == "50"


def test_reset_data(sim: SimulatedRuntime, tmp_path: Path) -> None:
    path = tmp_path / "cs.db"
    bench = Bench(sim, start=False, database_path=str(path))
    assert bench.central_system.reset_data(), "before the first start"
    assert bench.central_system.start()
    sim.sleep(50)
    assert not bench.central_system.reset_data(), "while it is started"
    bench.central_system.stop()
    assert keys(path)["TotalUpTime"] == "50"
    assert bench.central_system.reset_data()
    assert "TotalUpTime" not in keys(path)
    path.unlink()
    assert bench.central_system.reset_data(), "a missing file is made"
    assert "StackVersion" in keys(path)


def test_reset_data_without_a_database(sim: SimulatedRuntime) -> None:
    assert Bench(sim, start=False).central_system.reset_data()


def test_reset_data_of_a_database_that_cannot_be_made(sim: SimulatedRuntime, tmp_path: Path) -> None:
    bench = Bench(sim, database_path=str(tmp_path / "absent" / "cs.db"))
    bench.connect().call("Heartbeat").result()  # it works without
    bench.central_system.stop()
    assert not bench.central_system.reset_data()


def test_the_log_is_kept_and_limited(sim: SimulatedRuntime, tmp_path: Path) -> None:
    path = tmp_path / "cs.db"
    logger = logging.getLogger("openocpp")
    before = logger.level
    logger.setLevel(logging.INFO)
    try:
        bench = Bench(sim, database_path=str(path), log_max_entries_count=5)
        for number in range(10):
            bench.connect(f"CP{number}")
        bench.central_system.stop()
        logger.info("this one comes too late")
    finally:
        logger.setLevel(before)
    with closing(sqlite3.connect(path)) as connection:
        messages = [row[0] for row in connection.execute("SELECT message FROM Logs ORDER BY id")]
    assert len(messages) == 5
    assert all("disconnected" in message or "stop" in message for message in messages)


def test_the_settings_are_read_when_they_are_used(sim: SimulatedRuntime) -> None:
    config: Any = Changeable(heartbeat_interval=100)
    central_system = ICentralSystem.create(config, Events(), sim)
    central_system.start()
    peer = ScriptedPeer.connect(sim, URL, "CP1")
    assert peer.call("BootNotification", BOOT).result()["interval"] == 100
    config.heartbeat_interval = 200
    assert peer.call("BootNotification", BOOT).result()["interval"] == 200


def test_the_additional_settings_of_a_frozen_configuration_are_used(sim: SimulatedRuntime) -> None:
    config = replace(CentralSystemConfig(listen_url=URL), message_validation={"*": "off"})
    central_system = ICentralSystem.create(config, Events(), sim)
    central_system.start()
    ScriptedPeer.connect(sim, URL, "CP1").call("Heartbeat", {"unknown": 1}).result()
