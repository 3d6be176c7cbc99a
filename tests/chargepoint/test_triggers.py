"""Messages that the central system asks for: the confirmation first, then the message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openocpp.testing.conversation import ABSENT
from openocpp.types import ChargePointStatus, RegistrationStatus, SampledValue
from tests.chargepoint.conftest import NOW, CentralSide, Station, online
from tests.chargepoint.driving import ENERGY, begin, energy

if TYPE_CHECKING:
    from openocpp.testing.conversation import ScriptedPeer, SentCall
    from openocpp.types import Measurand, Phase

BOTH = pytest.mark.parametrize("action", ["TriggerMessage", "ExtendedTriggerMessage"])


def trigger(peer: ScriptedPeer, action: str, message: str, connector_id: int | None = None) -> SentCall:
    request: dict[str, Any] = {"requestedMessage": message}
    if connector_id is not None:
        request["connectorId"] = connector_id
    return peer.call(action, request)


def status_of(call: SentCall) -> str:
    return str(call.result()["status"])


def frames_of(peer: ScriptedPeer, count: int) -> list[str]:
    """What came last: "CALL" or "RESULT"."""
    received = [line.split(" < ")[1] for line in peer.lines if " < " in line]
    return [{"2": "CALL", "3": "RESULT"}[text[1]] for text in received[-count:]]


@BOTH
@pytest.mark.parametrize("connector_id", [None, 0, 1, 99])
def test_heartbeat_whatever_the_connector(
    station: Station, central: CentralSide, action: str, connector_id: int | None
) -> None:
    peer = online(station, central)
    call = trigger(peer, action, "Heartbeat", connector_id)
    peer.expect_call("Heartbeat").answer({"currentTime": NOW})
    assert status_of(call) == "Accepted"
    assert frames_of(peer, 2) == ["RESULT", "CALL"]
    peer.expect_nothing(30)
    assert len(station.handler.of("datetime_received")) == 1


@BOTH
@pytest.mark.parametrize(("connector_id", "told"), [(None, [0, 1, 2]), (0, [0]), (2, [2])])
def test_status_of_one_connector_or_of_all(
    station: Station, central: CentralSide, action: str, connector_id: int | None, told: list[int]
) -> None:
    peer = online(station, central)
    station.cp.status_notification(2, ChargePointStatus.Preparing, info="i", vendor_id="v", vendor_error="e")
    peer.expect_call("StatusNotification", {"connectorId": 2}).answer()
    call = trigger(peer, action, "StatusNotification", connector_id)
    for each in told:
        notification = peer.expect_call("StatusNotification", {"connectorId": each})
        if each == 2:
            assert {"status": "Preparing", "info": "i", "vendorId": "v", "vendorErrorCode": "e"}.items() <= (
                notification.payload.items()
            )
        notification.answer()
    assert status_of(call) == "Accepted"
    assert frames_of(peer, 1 + len(told)) == ["RESULT"] + ["CALL"] * len(told)
    peer.expect_nothing(30)


@BOTH
@pytest.mark.parametrize("message", ["StatusNotification", "MeterValues"])
def test_an_unknown_connector_is_rejected_where_it_matters(
    station: Station, central: CentralSide, action: str, message: str
) -> None:
    peer = online(station, central)
    assert status_of(trigger(peer, action, message, 3)) == "Rejected"
    peer.expect_nothing(30)


@BOTH
def test_meter_values_are_confirmed_before_they_are_read(station: Station, central: CentralSide, action: str) -> None:
    """However long the reading takes."""
    station.keys.put("MeterValuesSampledData", ENERGY)

    def slow(connector_id: int, measurand: Measurand, phase: Phase | None) -> list[SampledValue]:
        station.sim.sleep(7)
        return [SampledValue(value="1")]

    station.handler.values = slow
    peer = online(station, central)
    call = trigger(peer, action, "MeterValues", 1)
    peer.expect_nothing(6)
    assert call.answered
    peer.expect_call("MeterValues", {"connectorId": 1}).answer()


@BOTH
def test_meter_values_that_nobody_can_read(station: Station, central: CentralSide, action: str) -> None:
    peer = online(station, central)
    assert status_of(trigger(peer, action, "MeterValues")) == "Accepted"
    peer.expect_nothing(30)


def test_a_transaction_whose_id_comes_during_the_reading_is_named(station: Station, central: CentralSide) -> None:
    station.keys.put("MeterValuesSampledData", ENERGY)
    station.keys.put("TransactionMessageRetryInterval", "5")
    station.handler.values = energy(station)
    peer = online(station, central)
    user = station.sim.user(lambda: station.cp.start_transaction(1, "TAG"))
    peer.expect_call("StartTransaction").refuse("InternalError")
    user.result()
    assert status_of(trigger(peer, "TriggerMessage", "MeterValues", 1)) == "Accepted"
    peer.expect_call("MeterValues", {"connectorId": 1, "transactionId": ABSENT}).answer()  # not known: not told

    def slow(connector_id: int, measurand: Measurand, phase: Phase | None) -> list[SampledValue]:
        station.sim.sleep(10)
        return [SampledValue(value="1")]

    station.handler.values = slow
    trigger(peer, "TriggerMessage", "MeterValues", 1)
    peer.expect_call("StartTransaction").answer({"transactionId": 6, "idTagInfo": {"status": "Accepted"}})
    peer.expect_call("MeterValues", {"transactionId": 6}).answer()


@BOTH
@pytest.mark.parametrize("message", ["Nonsense", "", "heartbeat"])
def test_an_unknown_message_is_not_implemented(
    station: Station, central: CentralSide, action: str, message: str
) -> None:
    peer = online(station, central)
    assert status_of(trigger(peer, action, message)) == "NotImplemented"
    peer.expect_nothing(30)


def test_messages_of_the_other_enumeration_are_not_implemented(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    assert status_of(trigger(peer, "TriggerMessage", "LogStatusNotification")) == "NotImplemented"
    assert status_of(trigger(peer, "ExtendedTriggerMessage", "DiagnosticsStatusNotification")) == "NotImplemented"


@BOTH
def test_a_boot_notification_is_not_repeated_once_accepted(station: Station, central: CentralSide, action: str) -> None:
    peer = online(station, central)
    assert status_of(trigger(peer, action, "BootNotification")) == "Rejected"
    peer.expect_nothing(30)
    assert station.keys.heartbeat_interval == 3600


@BOTH
def test_while_pending_a_triggered_boot_is_the_whole_procedure(
    station: Station, central: CentralSide, action: str
) -> None:
    station.cp.start()
    peer = central.boot(status="Pending", interval=500)
    station.sim.run_until(lambda: station.cp.registration_status is RegistrationStatus.Pending, 10)
    for interval in (600, 700):
        call = trigger(peer, action, "BootNotification")
        boot = peer.expect_call("BootNotification")
        assert status_of(call) == "Accepted"
        assert frames_of(peer, 2) == ["RESULT", "CALL"]
        boot.answer({"status": "Pending", "currentTime": NOW, "interval": interval})
        peer.expect_nothing(1)
    assert station.keys.heartbeat_interval == 3600  # the interval of a retry is none of heartbeats
    peer.expect_nothing(690)
    boot = peer.expect_call("BootNotification")  # the retry is armed
    boot.answer({"status": "Accepted", "currentTime": NOW, "interval": 50})
    for connector_id in (0, 1, 2):
        peer.expect_call("StatusNotification", {"connectorId": connector_id}).answer()
    assert len(station.handler.of("boot_notification")) == 4
    assert station.keys.heartbeat_interval == 50


@BOTH
def test_other_messages_may_be_asked_for_while_pending(station: Station, central: CentralSide, action: str) -> None:
    station.keys.put("MeterValuesSampledData", ENERGY)
    station.handler.values = energy(station)
    station.cp.start()
    peer = central.boot(status="Pending", interval=500)
    station.sim.run_until(lambda: station.cp.registration_status is RegistrationStatus.Pending, 10)
    for message in ("Heartbeat", "StatusNotification", "MeterValues"):
        assert status_of(trigger(peer, action, message, 1)) == "Accepted"
        peer.expect_call(message).answer({"currentTime": NOW} if message == "Heartbeat" else {})


def test_each_trigger_is_served_in_its_order(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    begin(station, peer)
    calls = [trigger(peer, "TriggerMessage", "StatusNotification", number) for number in (2, 0, 1, 2)]
    for number in (2, 0, 1, 2):
        peer.expect_call("StatusNotification", {"connectorId": number}).answer()
    assert [status_of(call) for call in calls] == ["Accepted"] * 4


def test_without_the_profile_a_trigger_is_not_supported(station: Station, central: CentralSide) -> None:
    station.keys.put("SupportedFeatureProfiles", "Core")
    peer = online(station, central)
    trigger(peer, "TriggerMessage", "Heartbeat").error("NotSupported")
    peer.expect_nothing(5)
