"""The way to the application's callbacks: outside the monitor, in order, and through its bugs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from openocpp.chargepoint.context import Events, read_setting
from openocpp.config import ChargePointConfig
from openocpp.errors import CallError, ErrorCode
from tests.chargepoint.conftest import RecordingHandler

if TYPE_CHECKING:
    from openocpp.runtime import Monitor
    from openocpp.testing import SimulatedRuntime


@pytest.fixture
def monitor(sim: SimulatedRuntime) -> Monitor:
    return sim.monitor("CP1")


@pytest.fixture
def events(sim: SimulatedRuntime, monitor: Monitor) -> Events:
    return Events(RecordingHandler(), monitor, sim.strand(), "CP1")


def fail(*_: object) -> int:
    raise ValueError("a bug of the application")


def test_who_is_asked_is_not_inside_the_monitor(events: Events, monitor: Monitor) -> None:
    seen: list[bool] = []

    def callback(number: int, *, factor: int) -> int:
        seen.append(monitor.held)
        with monitor:  # a facade operation could be called
            return number * factor

    with monitor:
        assert events.ask(0, callback, 6, factor=7) == 42
        assert monitor.held
        assert events.require(callback, 6, factor=7) == 42
        assert monitor.held
    assert seen == [False, False]


def test_a_bug_of_the_application_is_logged_and_answered(
    events: Events, monitor: Monitor, caplog: pytest.LogCaptureFixture
) -> None:
    with monitor:
        assert events.ask(-1, fail, "argument") == -1
        with pytest.raises(CallError) as caught:
            events.require(fail, "argument")
        assert monitor.held
    assert caught.value.code == ErrorCode.InternalError
    assert "bug" not in caught.value.description  # the peer need not know
    assert caplog.text.count("CP1: fail('argument',) failed") == 2
    assert caplog.text.count("ValueError: a bug of the application") == 2


def test_the_application_may_refuse_with_a_code_of_its_own(events: Events, monitor: Monitor) -> None:
    def refuse() -> None:
        raise CallError(ErrorCode.SecurityError, "not for you")

    with monitor, pytest.raises(CallError) as caught:
        events.require(refuse)
    assert caught.value.code == ErrorCode.SecurityError


def test_passwords_in_addresses_are_not_logged(
    events: Events, monitor: Monitor, caplog: pytest.LogCaptureFixture
) -> None:
    with monitor:
        events.ask(0, fail, "ftp://user:SECRET@host/file")
    assert "host/file" in caplog.text
    assert "SECRET" not in caplog.text


def test_an_exception_may_repeat_an_address(events: Events, monitor: Monitor, caplog: pytest.LogCaptureFixture) -> None:
    def transfer(url: str) -> int:
        raise OSError(f"cannot reach {url}")

    with monitor:
        assert events.ask(0, transfer, "https://user:SECRET@host/file?sig=SECRET") == 0
    assert "OSError: cannot reach https://user:***@host/file?sig=***" in caplog.text
    assert "SECRET" not in caplog.text


def test_notifications_come_in_order_and_nobody_waits(
    sim: SimulatedRuntime, events: Events, monitor: Monitor, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[int] = []
    me = threading.get_ident()

    def note(number: int) -> None:
        assert threading.get_ident() != me
        assert not monitor.held
        sim.sleep(1.0 if number == 0 else 0.0)
        seen.append(number)
        if number == 1:
            raise ValueError("a bug of the application")

    with monitor:
        for number in range(5):
            events.tell(note, number)
        assert seen == []
    sim.run_until(lambda: len(seen) == 5)
    assert seen == [0, 1, 2, 3, 4]
    assert "CP1: note(1,) failed" in caplog.text


def test_once_closed_answers_count_as_refused_and_nobody_is_notified(
    sim: SimulatedRuntime, events: Events, monitor: Monitor
) -> None:
    seen: list[int] = []

    def stop_meanwhile() -> int:
        events.close()
        return 42

    with monitor:
        events.tell(lambda: seen.append(1))
        assert events.ask(-1, stop_meanwhile) == -1
        with pytest.raises(CallError) as caught:
            events.require(stop_meanwhile)
        assert monitor.held
        events.tell(lambda: seen.append(2))
    assert caught.value.code == ErrorCode.InternalError
    sim.sleep(1.0)
    assert seen == []


class Settings:
    """An application's own object: without the additional settings, and with a value that changes."""

    retry_interval = 3.0


def test_settings_are_read_anew_and_additional_ones_have_defaults() -> None:
    settings = Settings()
    assert read_setting(settings, "retry_interval") == 3.0
    settings.retry_interval = 4.0
    assert read_setting(settings, "retry_interval") == 4.0
    assert read_setting(settings, "max_queued_calls") == 32
    ready = ChargePointConfig(connexion_url="ws://a", charge_point_identifier="b", max_queued_calls=5)
    assert read_setting(ready, "max_queued_calls") == 5
