"""Scripts of conversations: both sides, patterns, and what a failed script shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from openocpp.errors import ConnectError
from openocpp.testing import SimulatedRuntime
from openocpp.testing.conversation import ABSENT, ScriptedPeer, ScriptedServer, matches

if TYPE_CHECKING:
    from collections.abc import Iterator

URL = "ws://central:8080/ocpp"


def test_both_sides_of_a_conversation() -> None:
    with SimulatedRuntime() as sim:
        server = ScriptedServer(sim, URL)
        station = ScriptedPeer.connect(sim, URL, "CP 1")
        central = server.accept()
        boot = station.call("BootNotification", {"chargePointModel": "M", "chargePointVendor": "V"})
        received = central.expect_call("BootNotification", {"chargePointModel": "M", "iccid": ABSENT})
        assert not boot.answered
        received.answer({"status": "Accepted"})
        assert boot.result({"status": "Accepted"}) == {"status": "Accepted"}
        heartbeat = station.call("Heartbeat")
        central.expect_call("Heartbeat").refuse("InternalError", "tired", {"a": 1})
        assert heartbeat.error("InternalError") == ("InternalError", "tired", {"a": 1})
        assert server.handshakes[0].target == "/ocpp/CP%201"


def test_the_end_of_a_connection_has_a_code() -> None:
    with SimulatedRuntime() as sim:
        server = ScriptedServer(sim, URL)
        station = ScriptedPeer.connect(sim, URL, "CP1")
        server.accept().close(1001)
        assert station.expect_closed(1001).by_peer


def test_standing_answers_need_no_verb() -> None:
    with SimulatedRuntime() as sim:
        server = ScriptedServer(
            sim, URL, answers={"Heartbeat": {"currentTime": "now"}, "Echo": lambda payload: payload}
        )
        station = ScriptedPeer.connect(sim, URL, "CP1")
        assert station.call("Heartbeat").result() == {"currentTime": "now"}
        assert station.call("Echo", {"a": [1, 2]}).result() == {"a": [1, 2]}
        server.accept().expect_nothing(5)


def test_a_failed_script_shows_the_whole_conversation() -> None:
    with SimulatedRuntime() as sim:
        server = ScriptedServer(sim, URL)
        station = ScriptedPeer.connect(sim, URL, "CP1")
        central = server.accept()
        station.call("Heartbeat")
        station.call("Authorize", {"idTag": "A"})
        central.expect_call("Heartbeat")
        with pytest.raises(AssertionError, match=r"(?s)Authorize like .*'B'.*< \[2, \"s1\", \"Heartbeat\""):
            central.expect_call("Authorize", {"idTag": "B"})


def test_what_does_not_come_is_not_waited_for_for_ever() -> None:
    with SimulatedRuntime() as sim:
        server = ScriptedServer(sim, URL)
        station = ScriptedPeer.connect(sim, URL, "CP1")
        central = server.accept()
        with pytest.raises(AssertionError, match="waited 3 s for CALL Heartbeat"):
            central.expect_call("Heartbeat", timeout=3)
        assert sim.clock.now() == 3
        station.send("anything")
        with pytest.raises(AssertionError, match="expected nothing for 1 s"):
            central.expect_nothing(1)
        with pytest.raises(AssertionError, match="waited 2 s for the answer to Reset"):
            central.call("Reset").result(timeout=2)
        with pytest.raises(AssertionError, match="nobody connected within 4 s"):
            server.accept(4)


def test_a_server_can_refuse() -> None:
    with SimulatedRuntime() as sim:
        server = ScriptedServer(sim, URL, basic_authentication=True)
        server.verdict = lambda handshake, identity: 404 if identity == "stranger" else 0
        with pytest.raises(ConnectError) as caught:
            ScriptedPeer.connect(sim, URL, "stranger")
        assert caught.value.status == 404
        server.expect_nobody(1)
        ScriptedPeer.connect(sim, URL, "friend", password=b"\0secret")
        assert server.passwords[-1] == b"\0secret"


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": 1, "b": ABSENT}, {"a": 1, "b": 2}, False),
        ({"a": {"b": [1, {"c": 2}]}}, {"a": {"b": [1, {"c": 2, "d": 3}]}}, True),
        ([1], [1, 2], False),
        ({"a": lambda value: value > 3}, {"a": 4}, True),
        ({"a": lambda value: value > 3}, {"a": 3}, False),
        ({"a": 1}, [], False),
    ],
)
def test_patterns(pattern: object, value: object, expected: bool) -> None:
    assert matches(pattern, value) is expected


@pytest.fixture(name="sim")
def simulated() -> Iterator[SimulatedRuntime]:
    with SimulatedRuntime() as sim:
        yield sim


@pytest.fixture(name="sides")
def both_sides(sim: SimulatedRuntime) -> tuple[ScriptedPeer, ScriptedPeer]:
    """A charge point and its central system."""
    server = ScriptedServer(sim, URL)
    station = ScriptedPeer.connect(sim, URL, "CP1")
    return station, server.accept()


def test_an_answer_of_the_wrong_kind_fails_the_script(sides: tuple[ScriptedPeer, ScriptedPeer]) -> None:
    station, central = sides
    call = station.call("Heartbeat")
    central.expect_call("Heartbeat").refuse("GenericError")
    with pytest.raises(AssertionError, match="Heartbeat must be answered with a result, not"):
        call.result()
    with pytest.raises(AssertionError, match="Heartbeat must be refused with SecurityError, not"):
        call.error("SecurityError")
    call = station.call("Heartbeat")
    central.expect_call("Heartbeat").answer({"a": 1})
    with pytest.raises(AssertionError, match=r"Heartbeat must be answered with a result like \{'a': 2\}, not"):
        call.result({"a": 2})
    with pytest.raises(AssertionError, match="Heartbeat must be refused with an error, not"):
        call.error()


def test_frames_that_are_no_calls(sides: tuple[ScriptedPeer, ScriptedPeer]) -> None:
    station, central = sides
    for frame in ([3, "unknown", {}], [1], {"a": 1}, [2, "1", "A"]):
        station.send(frame)
        assert central.expect_frame() == frame
    station.send([5])
    with pytest.raises(AssertionError, match=r"expected a frame like \[6\], but there came \[5\]"):
        central.expect_frame([6])
    station.send("no JSON")
    with pytest.raises(AssertionError, match="expected a frame, but what came is no JSON: no JSON"):
        central.expect_frame()
    station.send([5])
    with pytest.raises(AssertionError, match=r"expected Heartbeat, but there came \[5\]"):
        central.expect_call("Heartbeat")


def test_nothing_is_expected_of_a_closed_connection(
    sim: SimulatedRuntime, sides: tuple[ScriptedPeer, ScriptedPeer]
) -> None:
    station, central = sides
    assert repr(station) == "<scripted CP1: open>"
    station.abort()
    with pytest.raises(AssertionError, match=r"expected the end of the connection with 1000, not"):
        central.expect_closed(1000)
    assert "1006" in repr(central)
    with pytest.raises(AssertionError, match="expected CALL Heartbeat, but the connection is closed"):
        central.expect_call("Heartbeat")
    with pytest.raises(AssertionError, match="expected nothing for 1 s"):
        central.expect_nothing(1)


def test_a_server_has_a_port_and_can_be_closed(sim: SimulatedRuntime) -> None:
    server = ScriptedServer(sim, URL)
    assert server.port == 8080
    ScriptedPeer.connect(sim, URL, "CP1")
    with pytest.raises(AssertionError, match="nobody was expected"):
        server.expect_nobody(1)
    server.close()
    with pytest.raises(ConnectError):
        ScriptedPeer.connect(sim, URL, "CP2")


def test_a_call_that_came_is_shown_with_its_payload(sides: tuple[ScriptedPeer, ScriptedPeer]) -> None:
    station, central = sides
    station.call("Authorize", {"idTag": "A"}, unique_id="mine")
    received = central.expect_call("Authorize")
    assert repr(received) == '<Authorize {"idTag": "A"}>'
    assert received.id == "mine"
    assert "Authorize" in central.script
