"""Cases of the Open Charge Alliance for charge points: boot, sessions, remote actions, keys, offline, triggers.

The numbers are those of its test case document; the other profiles are in ``test_charge_point_profiles.py``. The
station is that of ``charger.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openocpp.chargepoint.interface import DefaultChargePointEventsHandler
from openocpp.config import KEYS
from openocpp.testing.conversation import ABSENT
from openocpp.types import (
    AuthorizationStatus,
    ChargePointErrorCode,
    ChargePointStatus,
    DataTransferResult,
    DataTransferStatus,
    FeatureProfile,
    Reason,
    SampledValue,
    UnlockStatus,
)
from tests.chargepoint.conftest import NOW, CentralSide, Station, online
from tests.chargepoint.driving import ENERGY, IdTagRow, energy, go_offline, go_online, judged, know, started
from tests.oca.charger import Charger

if TYPE_CHECKING:
    from openocpp.testing.conversation import ReceivedCall, ScriptedPeer

BOOTED = {"status": "Accepted", "currentTime": NOW, "interval": 0}


@pytest.fixture
def charger(station: Station) -> Charger:
    return Charger(station)


def up(charger: Charger, central: CentralSide) -> ScriptedPeer:
    """Started, connected, accepted; heartbeats and security events are of no interest."""
    peer = online(charger.station, central)
    charger.station.sim.sleep(0.5)
    peer.answers.update({"Heartbeat": {"currentTime": NOW}, "SecurityEventNotification": {}})
    return peer


def told(peer: ScriptedPeer, status: str, connector_id: int = 1, **more: Any) -> dict[str, Any]:
    """The next message tells this status."""
    call = peer.expect_call("StatusNotification", {"connectorId": connector_id, "status": status, **more})
    call.answer()
    return call.payload


def authorized(peer: ScriptedPeer, id_tag: str, **info: str) -> None:
    peer.expect_call("Authorize", {"idTag": id_tag}).answer(judged(**info))


def has_started(peer: ScriptedPeer, id_tag: str = "TAG", transaction_id: int = 42, **more: Any) -> ReceivedCall:
    call = peer.expect_call("StartTransaction", {"idTag": id_tag, **more})
    call.answer(started(transaction_id))
    return call


def has_stopped(peer: ScriptedPeer, reason: str, id_tag: Any = ABSENT, transaction_id: int = 42) -> ReceivedCall:
    call = peer.expect_call("StopTransaction", {"transactionId": transaction_id, "reason": reason, "idTag": id_tag})
    call.answer()
    return call


def charges(charger: Charger, peer: ScriptedPeer, connector_id: int = 1, id_tag: str = "TAG", **info: str) -> None:
    """A session is under way."""
    charger.does(charger.plug_in, connector_id)
    told(peer, "Preparing", connector_id)
    charger.does(charger.present, connector_id, id_tag)
    authorized(peer, id_tag, **info)
    has_started(peer, id_tag)
    told(peer, "Charging", connector_id)


def status_of(peer: ScriptedPeer, action: str, **request: Any) -> str:
    return str(peer.call(action, request).result()["status"])


def rebooted(central: CentralSide) -> tuple[ScriptedPeer, dict[int, str]]:
    """It connects and boots anew: the statuses that it tells then, by connector."""
    peer = central.accept(Heartbeat={"currentTime": NOW}, SecurityEventNotification={})
    peer.expect_call("BootNotification").answer(BOOTED)
    statuses = {}
    for _ in range(3):
        call = peer.expect_call("StatusNotification")
        statuses[call.payload["connectorId"]] = call.payload["status"]
        call.answer()
    return peer, statuses


# -- cold boot ---------------------------------------------------------------------------------------------------------


def test_tc_001_cs(charger: Charger, central: CentralSide) -> None:
    station = charger.station
    station.cp.start()
    peer = central.accept()
    peer.expect_call("BootNotification").answer({"status": "Rejected", "currentTime": NOW, "interval": 30})
    peer.expect_nothing(29)
    peer.expect_call("BootNotification").answer({"status": "Accepted", "currentTime": NOW, "interval": 25})
    for connector_id in (0, 1, 2):
        told(peer, "Available", connector_id)
    for _ in range(3):
        peer.expect_nothing(24)
        peer.expect_call("Heartbeat").answer({"currentTime": NOW})


def test_tc_002_cs(charger: Charger, central: CentralSide) -> None:
    charger.station.cp.start()
    peer = central.boot(status="Pending", interval=60)
    charger.station.sim.sleep(1)
    answer = peer.call("GetConfiguration", {"key": ["HeartbeatInterval"]}).result()
    assert answer["configurationKey"][0]["key"] == "HeartbeatInterval"
    assert status_of(peer, "ChangeConfiguration", key="MeterValueSampleInterval", value="30") == "Accepted"
    charger.does(charger.plug_in, 1)
    charger.does(charger.present, 1, "TAG")
    peer.expect_nothing(50)
    peer.expect_call("BootNotification").answer(BOOTED)


# -- sessions ----------------------------------------------------------------------------------------------------------


def test_tc_003_cs(charger: Charger, central: CentralSide) -> None:
    charges(charger, up(charger, central))


def test_tc_004_1_cs(charger: Charger, central: CentralSide) -> None:
    peer = up(charger, central)
    charger.does(charger.present, 1, "TAG")
    authorized(peer, "TAG")
    told(peer, "Preparing")
    peer.expect_nothing(10)
    charger.does(charger.plug_in, 1)
    has_started(peer)
    told(peer, "Charging")


def test_tc_004_2_cs(charger: Charger, central: CentralSide) -> None:
    charger.station.keys.put("ConnectionTimeOut", "40")
    peer = up(charger, central)
    charger.does(charger.present, 1, "TAG")
    authorized(peer, "TAG")
    told(peer, "Preparing")
    peer.expect_nothing(39)
    told(peer, "Available")
    charger.does(charger.plug_in, 1)
    told(peer, "Preparing")
    peer.expect_nothing(10)


def ev_side(charger: Charger, central: CentralSide, stops: bool, unlocks: bool) -> ScriptedPeer:
    charger.station.keys.put("StopTransactionOnEVSideDisconnect", str(stops).lower())
    charger.station.keys.put("UnlockConnectorOnEVSideDisconnect", str(unlocks).lower())
    peer = up(charger, central)
    charges(charger, peer)
    charger.does(charger.unplug_vehicle, 1)
    return peer


def test_tc_005_1_cs(charger: Charger, central: CentralSide) -> None:
    peer = ev_side(charger, central, stops=True, unlocks=True)
    has_stopped(peer, "EVDisconnected")
    told(peer, "Finishing")
    charger.station.sim.sleep(1)
    assert charger.unlocked == [1]
    charger.does(charger.take_cable, 1)
    told(peer, "Available")


def test_tc_005_2_cs(charger: Charger, central: CentralSide) -> None:
    peer = ev_side(charger, central, stops=True, unlocks=False)
    has_stopped(peer, "EVDisconnected")
    told(peer, "Finishing")
    charger.station.sim.sleep(1)
    assert charger.unlocked == []
    assert status_of(peer, "UnlockConnector", connectorId=1) == "Unlocked"


def test_tc_005_3_cs(charger: Charger, central: CentralSide) -> None:
    peer = ev_side(charger, central, stops=False, unlocks=False)
    told(peer, "SuspendedEV", info="EV side disconnected")
    peer.expect_nothing(30)
    charger.does(charger.plug_vehicle, 1)
    assert "info" not in told(peer, "Charging")
    charger.does(charger.present, 1, "TAG")
    has_stopped(peer, "Local", "TAG")


def session_without_asking(charger: Charger, peer: ScriptedPeer, remote: bool) -> None:
    charger.does(charger.plug_in, 1)
    told(peer, "Preparing")
    if remote:
        assert status_of(peer, "RemoteStartTransaction", connectorId=1, idTag="TAG") == "Accepted"
    else:
        charger.does(charger.present, 1, "TAG")
    has_started(peer)
    told(peer, "Charging")


def cached(charger: Charger, central: CentralSide, remote: bool) -> None:
    """The first session brings the tag into the cache; the second one needs no Authorize."""
    charger.station.keys.put("LocalPreAuthorize", "true")
    peer = up(charger, central)
    charges(charger, peer)
    charger.does(charger.present, 1, "TAG")
    has_stopped(peer, "Local", "TAG")
    told(peer, "Finishing")
    charger.does(charger.take_cable, 1)
    told(peer, "Available")
    session_without_asking(charger, peer, remote)


def test_tc_007_1_cs(charger: Charger, central: CentralSide) -> None:
    cached(charger, central, remote=False)


def test_tc_007_2_cs(charger: Charger, central: CentralSide) -> None:
    cached(charger, central, remote=True)


@pytest.mark.parametrize("remote", [False, True])
def test_tc_007_cs(charger: Charger, central: CentralSide, remote: bool) -> None:
    cached(charger, central, remote)


def listed(charger: Charger, central: CentralSide, remote: bool) -> None:
    charger.station.keys.put("LocalPreAuthorize", "true")
    peer = up(charger, central)
    entry = {"idTag": "TAG", "idTagInfo": {"status": "Accepted"}}
    request = {"listVersion": 1, "updateType": "Full", "localAuthorizationList": [entry]}
    assert status_of(peer, "SendLocalList", **request) == "Accepted"
    session_without_asking(charger, peer, remote)


def test_tc_008_1_cs(charger: Charger, central: CentralSide) -> None:
    listed(charger, central, remote=False)


def test_tc_008_2_cs(charger: Charger, central: CentralSide) -> None:
    listed(charger, central, remote=True)


@pytest.mark.parametrize("remote", [False, True])
def test_tc_008_cs(charger: Charger, central: CentralSide, remote: bool) -> None:
    listed(charger, central, remote)


# -- remote actions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("authorizes", [True, False])
def test_tc_010_cs(charger: Charger, central: CentralSide, authorizes: bool) -> None:
    charger.station.keys.put("AuthorizeRemoteTxRequests", str(authorizes).lower())
    peer = up(charger, central)
    charger.does(charger.plug_in, 1)
    told(peer, "Preparing")
    assert status_of(peer, "RemoteStartTransaction", connectorId=1, idTag="TAG") == "Accepted"
    if authorizes:
        authorized(peer, "TAG")
    has_started(peer)
    told(peer, "Charging")


@pytest.mark.parametrize("authorizes", [True, False])
def test_tc_011_1_cs(charger: Charger, central: CentralSide, authorizes: bool) -> None:
    charger.station.keys.put("AuthorizeRemoteTxRequests", str(authorizes).lower())
    peer = up(charger, central)
    assert status_of(peer, "RemoteStartTransaction", connectorId=1, idTag="TAG") == "Accepted"
    if authorizes:
        authorized(peer, "TAG")
    told(peer, "Preparing")
    peer.expect_nothing(10)
    charger.does(charger.plug_in, 1)
    has_started(peer)
    told(peer, "Charging")


def test_tc_011_2_cs(charger: Charger, central: CentralSide) -> None:
    charger.station.keys.put("ConnectionTimeOut", "30")
    peer = up(charger, central)
    assert status_of(peer, "RemoteStartTransaction", connectorId=1, idTag="TAG") == "Accepted"
    authorized(peer, "TAG")
    told(peer, "Preparing")
    peer.expect_nothing(29)
    told(peer, "Available")


def test_tc_012_cs(charger: Charger, central: CentralSide) -> None:
    peer = up(charger, central)
    charges(charger, peer)
    assert status_of(peer, "RemoteStopTransaction", transactionId=42) == "Accepted"
    has_stopped(peer, "Remote")
    told(peer, "Finishing")


def reset_when_idle(charger: Charger, central: CentralSide, kind: str) -> None:
    """What was made unavailable is so after the reset."""
    peer = up(charger, central)
    assert status_of(peer, "ChangeAvailability", connectorId=1, type="Inoperative") == "Accepted"
    told(peer, "Unavailable")
    assert status_of(peer, "Reset", type=kind) == "Accepted"
    peer, statuses = rebooted(central)
    assert statuses == {0: "Available", 1: "Unavailable", 2: "Available"}
    assert status_of(peer, "ChangeAvailability", connectorId=1, type="Operative") == "Accepted"
    told(peer, "Available")


def test_tc_013_cs(charger: Charger, central: CentralSide) -> None:
    reset_when_idle(charger, central, "Hard")


def test_tc_014_cs(charger: Charger, central: CentralSide) -> None:
    reset_when_idle(charger, central, "Soft")


def reset_while_charging(charger: Charger, central: CentralSide, kind: str) -> None:
    peer = up(charger, central)
    charges(charger, peer)
    assert status_of(peer, "Reset", type=kind) == "Accepted"
    has_stopped(peer, f"{kind}Reset")
    told(peer, "Finishing")
    peer, statuses = rebooted(central)
    assert statuses[1] == "Finishing"
    charger.does(charger.take_cable, 1)
    told(peer, "Available")


def test_tc_015_cs(charger: Charger, central: CentralSide) -> None:
    reset_while_charging(charger, central, "Hard")


def test_tc_016_cs(charger: Charger, central: CentralSide) -> None:
    reset_while_charging(charger, central, "Soft")


# -- unlocking ---------------------------------------------------------------------------------------------------------


class FixedCables(DefaultChargePointEventsHandler):
    """There is nothing to unlock."""

    def get_tx_start_stop_meter_value(self, connector_id: int) -> int:
        return 0


def with_fixed_cables(station: Station, central: CentralSide) -> ScriptedPeer:
    station.handler = FixedCables()  # type: ignore[assignment]
    station.cp = station.create()
    return online(station, central)


def test_tc_017_1_cs(charger: Charger, central: CentralSide) -> None:
    assert status_of(up(charger, central), "UnlockConnector", connectorId=1) == "Unlocked"


def test_tc_017_2_cs(station: Station, central: CentralSide) -> None:
    peer = with_fixed_cables(station, central)
    assert status_of(peer, "UnlockConnector", connectorId=1) == "NotSupported"


def test_tc_018_1_cs(charger: Charger, central: CentralSide) -> None:
    peer = up(charger, central)
    charges(charger, peer)
    call = peer.call("UnlockConnector", {"connectorId": 1})
    has_stopped(peer, "UnlockCommand")
    assert call.result() == {"status": "Unlocked"}
    charger.does(charger.show, 1, ChargePointStatus.Finishing)
    told(peer, "Finishing")


def test_tc_018_2_cs(station: Station, central: CentralSide) -> None:
    peer = with_fixed_cables(station, central)
    user = station.sim.user(lambda: station.cp.start_transaction(1, "TAG"))
    has_started(peer)
    assert user.result() is AuthorizationStatus.Accepted
    assert status_of(peer, "UnlockConnector", connectorId=1) == "NotSupported"
    peer.expect_nothing(10)
    assert station.cp.transaction_id(1) == 42


def test_tc_030_cs(charger: Charger, central: CentralSide) -> None:
    charger.unlock = UnlockStatus.UnlockFailed
    assert status_of(up(charger, central), "UnlockConnector", connectorId=1) == "UnlockFailed"


def test_tc_031_cs(charger: Charger, central: CentralSide) -> None:
    assert status_of(up(charger, central), "UnlockConnector", connectorId=100) == "NotSupported"


# -- configuration -----------------------------------------------------------------------------------------------------


def test_tc_019_cs(charger: Charger, central: CentralSide) -> None:
    peer = up(charger, central)
    answer = peer.call("GetConfiguration", {}).result()
    found = {each["key"]: each for each in answer["configurationKey"]}
    supported = {FeatureProfile.Core, *charger.station.keys.supported_feature_profiles}
    required = {key.name for key in KEYS.values() if key.required and key.profile in supported}
    assert required <= found.keys()
    assert "unknownKey" not in answer
    one = peer.call("GetConfiguration", {"key": ["SupportedFeatureProfiles", "Unheard"]}).result()
    assert one["unknownKey"] == ["Unheard"]
    assert one["configurationKey"] == [found["SupportedFeatureProfiles"]]


def test_tc_021_cs(charger: Charger, central: CentralSide) -> None:
    peer = up(charger, central)
    assert status_of(peer, "ChangeConfiguration", key="MeterValueSampleInterval", value="10") == "Accepted"
    answer = peer.call("GetConfiguration", {"key": ["MeterValueSampleInterval"]}).result()
    assert answer["configurationKey"][0]["value"] == "10"


def test_tc_040_1_cs(charger: Charger, central: CentralSide) -> None:
    assert status_of(up(charger, central), "ChangeConfiguration", key="Unheard", value="1") == "NotSupported"


def test_tc_040_2_cs(charger: Charger, central: CentralSide) -> None:
    peer = up(charger, central)
    assert status_of(peer, "ChangeConfiguration", key="MeterValueSampleInterval", value="-1") == "Rejected"
    assert charger.station.keys.meter_value_sample_interval == 0


# -- what is refused ---------------------------------------------------------------------------------------------------


def refused(charger: Charger, central: CentralSide, remote: bool, status: str) -> None:
    peer = up(charger, central)
    charger.does(charger.plug_in, 1)
    told(peer, "Preparing")
    if remote:
        assert status_of(peer, "RemoteStartTransaction", connectorId=1, idTag="TAG") == "Accepted"
    else:
        charger.does(charger.present, 1, "TAG")
    authorized(peer, "TAG", status=status)
    peer.expect_nothing(30)


@pytest.mark.parametrize("status", ["Invalid", "Blocked", "Expired"])
def test_tc_023_4_cs(charger: Charger, central: CentralSide, status: str) -> None:
    refused(charger, central, remote=False, status=status)


@pytest.mark.parametrize("status", ["Invalid", "Blocked", "Expired"])
def test_tc_023_5_cs(charger: Charger, central: CentralSide, status: str) -> None:
    refused(charger, central, remote=True, status=status)


@pytest.mark.parametrize("remote", [False, True])
def test_tc_023_cs(charger: Charger, central: CentralSide, remote: bool) -> None:
    refused(charger, central, remote, "Invalid")


def test_tc_024_cs(charger: Charger, central: CentralSide) -> None:
    charger.lock_fails = True
    peer = up(charger, central)
    charger.does(charger.plug_in, 1)
    told(peer, "Preparing")
    charger.does(charger.present, 1, "TAG")
    authorized(peer, "TAG")
    told(peer, "Faulted", errorCode="ConnectorLockFailure")
    peer.expect_nothing(30)


def test_tc_026_cs(charger: Charger, central: CentralSide) -> None:
    peer = up(charger, central)
    charges(charger, peer)
    assert status_of(peer, "RemoteStartTransaction", connectorId=1, idTag="OTHER") == "Rejected"


def test_tc_027_cs(charger: Charger, central: CentralSide) -> None:
    assert status_of(up(charger, central), "RemoteStartTransaction", connectorId=0, idTag="TAG") == "Rejected"


def test_tc_028_cs(charger: Charger, central: CentralSide) -> None:
    peer = up(charger, central)
    charges(charger, peer)
    assert status_of(peer, "RemoteStopTransaction", transactionId=43) == "Rejected"
    peer.expect_nothing(10)


# -- power failures ----------------------------------------------------------------------------------------------------


def test_tc_032_1_cs(charger: Charger, central: CentralSide) -> None:
    """There is time to stop before the power is gone."""
    peer = up(charger, central)
    charges(charger, peer)
    charger.does(charger.finish, 1, Reason.PowerLoss)
    has_stopped(peer, "PowerLoss")
    told(peer, "Finishing")
    charger.does(charger.power_fails)
    _, statuses = rebooted(central)
    assert statuses == {0: "Available", 1: "Finishing", 2: "Available"}


def test_tc_032_2_cs(charger: Charger, central: CentralSide) -> None:
    """There is none: the transaction is stopped afterwards, even before the boot is accepted."""
    peer = up(charger, central)
    charges(charger, peer)
    charger.does(charger.power_fails)
    peer = central.accept(StatusNotification={}, SecurityEventNotification={})
    boot = peer.expect_call("BootNotification")
    assert charger.station.cp.stop_transaction(1, reason=Reason.PowerLoss) is True
    peer.expect_nothing(1)
    boot.answer(BOOTED)
    has_stopped(peer, "PowerLoss")


def test_tc_034_cs(charger: Charger, central: CentralSide) -> None:
    peer = up(charger, central)
    assert status_of(peer, "ChangeAvailability", connectorId=0, type="Inoperative") == "Accepted"
    for connector_id in (0, 1, 2):
        told(peer, "Unavailable", connector_id)
    charger.does(charger.power_fails)
    peer, statuses = rebooted(central)
    assert statuses == {0: "Unavailable", 1: "Unavailable", 2: "Unavailable"}
    assert status_of(peer, "ChangeAvailability", connectorId=0, type="Operative") == "Accepted"
    for connector_id in (0, 1, 2):
        told(peer, "Available", connector_id)


# -- offline -----------------------------------------------------------------------------------------------------------


def test_tc_036_cs(charger: Charger, central: CentralSide) -> None:
    station = charger.station
    station.keys.put("MeterValueSampleInterval", "20")
    station.keys.put("MeterValuesSampledData", ENERGY)
    charger.values = energy(station)
    peer = up(charger, central)
    charges(charger, peer)
    go_offline(station)
    station.sim.sleep(100)
    peer = go_online(station, central)
    stamps: list[str] = []
    while len(stamps) < 8:
        meter = peer.expect_call("MeterValues", {"transactionId": 42})
        stamps.append(meter.payload["meterValue"][0]["timestamp"])
        meter.answer()
    seconds = [int(stamp[14:16]) * 60 + int(stamp[17:19]) for stamp in stamps]
    assert seconds == [seconds[0] + 20 * number for number in range(8)]


def offline_start(charger: Charger, central: CentralSide, status: str) -> tuple[ScriptedPeer, ReceivedCall]:
    """An unknown tag starts while there is no connection; later the central system judges it."""
    station = charger.station
    up(charger, central)
    go_offline(station)
    charger.does(charger.plug_in, 1)
    station.sim.sleep(4.5)
    charger.does(charger.present, 1, "TAG")
    station.sim.sleep(300)
    assert station.cp.get_connector_status(1) is ChargePointStatus.Charging
    peer = go_online(station, central)
    told(peer, "Charging")
    call = peer.expect_call("StartTransaction", {"idTag": "TAG"})
    assert call.payload["timestamp"] <= "2024-01-01T00:00:08Z"
    call.answer(started(42, status))
    return peer, call


def test_tc_037_1_cs(charger: Charger, central: CentralSide) -> None:
    peer, _ = offline_start(charger, central, "Accepted")
    peer.expect_nothing(10)
    assert charger.station.cp.transaction_id(1) == 42


def test_tc_037_2_cs(charger: Charger, central: CentralSide) -> None:
    charger.station.keys.put("StopTransactionOnInvalidId", "false")
    peer, _ = offline_start(charger, central, "Invalid")
    told(peer, "SuspendedEVSE")
    peer.expect_nothing(10)
    assert charger.station.cp.transaction_id(1) == 42


def test_tc_037_3_cs(charger: Charger, central: CentralSide) -> None:
    peer, _ = offline_start(charger, central, "Invalid")
    has_stopped(peer, "DeAuthorized")
    assert charger.of("transaction_de_authorized") == [(1,)]


def test_tc_038_cs(charger: Charger, central: CentralSide) -> None:
    peer = up(charger, central)
    charges(charger, peer)
    go_offline(charger.station)
    charger.does(charger.present, 1, "TAG")
    charger.station.sim.sleep(100)
    peer = go_online(charger.station, central)
    told(peer, "Finishing")
    has_stopped(peer, "Local", "TAG")


def test_tc_039_cs(charger: Charger, central: CentralSide) -> None:
    station = charger.station
    up(charger, central)
    go_offline(station)
    charger.does(charger.plug_in, 1)
    charger.does(charger.present, 1, "TAG")
    station.sim.sleep(60)
    charger.does(charger.present, 1, "TAG")
    station.sim.sleep(300)
    peer = go_online(station, central)
    told(peer, "Finishing")
    start = has_started(peer)
    stop = has_stopped(peer, "Local", "TAG")
    assert start.payload["timestamp"] <= "2024-01-01T00:00:03Z"
    assert stop.payload["timestamp"] <= "2024-01-01T00:01:03Z"


def test_tc_041_cs(charger: Charger, central: CentralSide) -> None:
    station = charger.station
    peer = up(charger, central)
    station.cp.status_notification(1, ChargePointStatus.Faulted, ChargePointErrorCode.GroundFailure)
    told(peer, "Faulted", errorCode="GroundFailure")
    charger.plugged.add(1)
    charger.does(charger.present, 1, "TAG")
    authorized(peer, "TAG")
    assert status_of(peer, "RemoteStartTransaction", connectorId=1, idTag="TAG") == "Rejected"
    peer.expect_nothing(10)


# -- triggers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "sent"),
    [
        ("MeterValues", "MeterValues"),
        ("Heartbeat", "Heartbeat"),
        ("StatusNotification", "StatusNotification"),
        ("DiagnosticsStatusNotification", "DiagnosticsStatusNotification"),
        ("FirmwareStatusNotification", "FirmwareStatusNotification"),
    ],
)
def test_tc_054_cs(charger: Charger, central: CentralSide, message: str, sent: str) -> None:
    charger.values = lambda *_: [SampledValue(value="1")]
    peer = up(charger, central)
    peer.answers.pop("Heartbeat")
    request: dict[str, Any] = {"requestedMessage": message}
    if message in ("MeterValues", "StatusNotification"):
        request["connectorId"] = 1
    assert status_of(peer, "TriggerMessage", **request) == "Accepted"
    call = peer.expect_call(sent, {"connectorId": 1} if "connectorId" in request else None)
    call.answer({"currentTime": NOW} if sent == "Heartbeat" else {})
    peer.expect_nothing(10)


def test_tc_055_cs(charger: Charger, central: CentralSide) -> None:
    peer = up(charger, central)
    assert status_of(peer, "TriggerMessage", requestedMessage="MeterValues", connectorId=3) == "Rejected"
    peer.expect_nothing(10)


# -- the cache, and data transfer --------------------------------------------------------------------------------------


def cleared(charger: Charger, central: CentralSide, remote: bool) -> None:
    charger.station.keys.put("LocalPreAuthorize", "true")
    know(charger.station, cached=[IdTagRow("TAG", "Accepted")])
    peer = up(charger, central)
    assert status_of(peer, "ClearCache") == "Accepted"
    charger.does(charger.plug_in, 1)
    told(peer, "Preparing")
    if remote:
        assert status_of(peer, "RemoteStartTransaction", connectorId=1, idTag="TAG") == "Accepted"
    else:
        charger.does(charger.present, 1, "TAG")
    authorized(peer, "TAG")
    has_started(peer)


def test_tc_061_1_cs(charger: Charger, central: CentralSide) -> None:
    cleared(charger, central, remote=False)


def test_tc_061_2_cs(charger: Charger, central: CentralSide) -> None:
    cleared(charger, central, remote=True)


@pytest.mark.parametrize("remote", [False, True])
def test_tc_061_cs(charger: Charger, central: CentralSide, remote: bool) -> None:
    cleared(charger, central, remote)


@pytest.mark.parametrize("status", ["Rejected", "UnknownMessageId", "UnknownVendorId"])
def test_tc_062_cs(charger: Charger, central: CentralSide, status: str) -> None:
    charger.transfer = DataTransferResult(DataTransferStatus(status))
    peer = up(charger, central)
    request = {"vendorId": "test", "messageId": "message", "data": "data"}
    assert peer.call("DataTransfer", request).result() == {"status": status}
    assert charger.of("data_transfer_requested") == [("test", "message", "data")]


# -- who may stop ------------------------------------------------------------------------------------------------------


def test_tc_068_cs(charger: Charger, central: CentralSide) -> None:
    peer = up(charger, central)
    charges(charger, peer)
    charger.does(charger.present, 1, "OTHER")
    peer.expect_nothing(10)
    charger.does(charger.present, 1, "TAG")
    has_stopped(peer, "Local", "TAG")
    told(peer, "Finishing")


def test_tc_069_cs(charger: Charger, central: CentralSide) -> None:
    peer = up(charger, central)
    charges(charger, peer, parentIdTag="GROUP")
    charger.does(charger.present, 1, "STRANGER")
    authorized(peer, "STRANGER", parentIdTag="OTHERS")
    peer.expect_nothing(10)
    charger.does(charger.present, 1, "MATE")
    authorized(peer, "MATE", parentIdTag="GROUP")
    has_stopped(peer, "Local", "MATE")
    told(peer, "Finishing")


# -- meter values ------------------------------------------------------------------------------------------------------


def test_tc_070_cs(charger: Charger, central: CentralSide) -> None:
    station = charger.station
    peer = up(charger, central)
    charger.values = energy(station)
    measurands = f"{ENERGY},Voltage,Current.Import"
    for key, value in (("MeterValuesSampledData", measurands), ("MeterValueSampleInterval", "30")):
        assert status_of(peer, "ChangeConfiguration", key=key, value=value) == "Accepted"
    charges(charger, peer)
    for _ in range(3):
        peer.expect_nothing(29)
        meter = peer.expect_call("MeterValues", {"connectorId": 1, "transactionId": 42})
        samples = meter.payload["meterValue"][0]["sampledValue"]
        assert [sample["measurand"] for sample in samples] == measurands.split(",")
        assert {sample["context"] for sample in samples} == {"Sample.Periodic"}
        meter.answer()


def test_tc_071_cs(charger: Charger, central: CentralSide) -> None:
    station = charger.station
    peer = up(charger, central)
    charger.values = energy(station)
    station.sim.sleep(7)
    for key, value in (("MeterValuesAlignedData", ENERGY), ("ClockAlignedDataInterval", "30")):
        assert status_of(peer, "ChangeConfiguration", key=key, value=value) == "Accepted"
    charges(charger, peer, 2)
    for stamp in ("2024-01-01T00:00:30Z", "2024-01-01T00:01:00Z"):
        for connector_id in (0, 1, 2):
            transaction_id = 42 if connector_id == 2 else ABSENT
            meter = peer.expect_call("MeterValues", {"connectorId": connector_id, "transactionId": transaction_id})
            assert meter.payload["meterValue"][0]["timestamp"] == stamp
            assert meter.payload["meterValue"][0]["sampledValue"][0]["context"] == "Sample.Clock"
            meter.answer()
