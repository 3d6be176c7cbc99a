"""Tests of openocpp.serving.life: start, stop and what is in between, with a role that does nothing else."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.config import CentralSystemConfig, ICentralSystemConfig, check_central_system_config
from openocpp.errors import ConfigError, ConnectError, StateError
from openocpp.serving.events import DefaultServerEventsHandler
from openocpp.serving.gate import EventsGate
from openocpp.serving.life import ServingRole
from openocpp.testing import SimulatedRuntime
from openocpp.testing.conversation import ScriptedPeer
from openocpp.transport.base import CloseCode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openocpp.messages.schema import SchemaSet
    from openocpp.rpc.endpoint import IncomingCall
    from openocpp.rpc.server import Connection
    from openocpp.runtime import Runtime

URL = "ws://role:8080/ocpp"


class User:
    """Answers everything with nothing."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def announce(self) -> None:
        """Nobody to tell."""

    def serve(self, call: IncomingCall) -> None:
        call.reply("{}")

    def disconnected(self) -> None:
        """Nobody to tell."""


class Gate(EventsGate):
    def user_of(self, connection: Connection) -> User:
        return User(connection)


class PlainRole(ServingRole[ICentralSystemConfig]):
    """A role whose part of the start can be made to fail."""

    error: BaseException | None = None

    def __init__(self, config: ICentralSystemConfig, runtime: Runtime | None = None) -> None:
        super().__init__("plain role", config, runtime)

    @property
    def peers(self) -> list[str]:
        return [user.connection.identity for user in self._users if isinstance(user, User)]

    def _check(self, stack_config: ICentralSystemConfig) -> None:
        check_central_system_config(stack_config)

    def _workers(self) -> int:
        return 2

    def _make_role(self, schemas: SchemaSet) -> Gate:
        if self.error is not None:
            raise self.error
        return Gate(DefaultServerEventsHandler(), "")


@pytest.fixture
def sim() -> Iterator[SimulatedRuntime]:
    with SimulatedRuntime() as runtime:
        yield runtime


def config(**settings: Any) -> CentralSystemConfig:
    return CentralSystemConfig(**{"listen_url": URL, **settings})


def test_it_listens_from_start_to_stop(sim: SimulatedRuntime) -> None:
    role = PlainRole(config(), sim)
    assert "stopped" in repr(role)
    for _ in range(2):
        with pytest.raises(StateError, match="not started"):
            _ = role.port
        with pytest.raises(ConnectError):
            ScriptedPeer.connect(sim, URL, "CP1")
        assert role.start()
        assert not role.start()
        assert "started" in repr(role)
        assert role.port == 8080
        peer = ScriptedPeer.connect(sim, URL, "CP1")
        assert peer.call("Heartbeat").result() == {}
        assert role.peers == ["CP1"]
        assert role.stop()
        peer.expect_closed(CloseCode.GOING_AWAY)
        assert not role.stop()
        assert role.peers == []
    assert not sim.stopped, "a runtime that was given to it is not its to stop"


def test_an_error_of_settings_or_address_is_a_failed_start(
    sim: SimulatedRuntime, caplog: pytest.LogCaptureFixture
) -> None:
    role = PlainRole(config(), sim)
    role.error = ConfigError("ListenUrl", "somehow wrong")
    assert not role.start()
    assert "somehow wrong" in caplog.text
    assert not role.stop()
    role.error = None
    assert role.start()
    other = PlainRole(config(), sim)
    assert not other.start()
    role.stop()
    assert other.start()
    other.stop()


def test_a_bug_in_the_start_is_raised_and_leaves_it_stopped(sim: SimulatedRuntime) -> None:
    role = PlainRole(config(), sim)
    role.error = ZeroDivisionError("a bug")
    with pytest.raises(ZeroDivisionError):
        role.start()
    role.error = None
    assert role.start()
    role.stop()


def test_a_missing_schema_is_a_failed_start(
    sim: SimulatedRuntime, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert not PlainRole(config(json_schemas_path=str(tmp_path)), sim).start()
    assert str(tmp_path) in caplog.text


def test_its_own_threads_end_with_it_and_come_again(tmp_path: Path) -> None:
    before = threading.active_count()
    with PlainRole(config(listen_url="ws://127.0.0.1:0/ocpp", database_path=str(tmp_path / "a.db"))) as role:
        runtimes = []
        for _ in range(2):
            assert role.start()
            runtimes.append(role.runtime)
            assert threading.active_count() > before
            assert role.stop()
        assert role.start()
        assert role.runtime not in runtimes
        assert all(runtime.stopped for runtime in runtimes)
    assert role.runtime.stopped
    assert threading.active_count() == before


def test_data_can_be_forgotten_only_while_it_is_stopped(sim: SimulatedRuntime, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with PlainRole(config(database_path=str(path)), sim) as role:
        assert role.start()
        assert not role.reset_data()
        assert role.stop()
        assert role.reset_data()
        assert role.start()
        assert role.stop()
    assert path.exists()
    assert PlainRole(config(), sim).reset_data(), "there is nothing to forget"


def test_a_database_that_cannot_be_made_anew_is_told(sim: SimulatedRuntime, tmp_path: Path) -> None:
    role = PlainRole(config(database_path=str(tmp_path)), sim)
    assert not role.reset_data()
    assert role.start(), "it works without"
    role.stop()


def test_settings_are_checked_at_once(sim: SimulatedRuntime) -> None:
    with pytest.raises(ConfigError):
        PlainRole(config(call_request_timeout=-1.0), sim)


def test_there_are_no_certificates_to_read(sim: SimulatedRuntime) -> None:
    assert not PlainRole(config(), sim).reload_tls()


def test_it_is_not_started_or_stopped_on_the_scheduler(sim: SimulatedRuntime) -> None:
    role = PlainRole(config(), sim)
    errors: list[StateError] = []

    def attempt() -> None:
        try:
            role.start()
        except StateError as error:
            errors.append(error)

    sim.scheduler.post(attempt)
    sim.sleep(1)
    assert len(errors) == 1
    assert role.start()
    role.stop()
