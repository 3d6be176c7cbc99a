"""Cases of the Open Charge Alliance for charge points: lists, firmware, diagnostics, reservations, smart charging.

The numbers are those of its test case document. What a driver and a station would do stands in the test.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.messages.codec import to_payload
from openocpp.types import AuthorizationStatus, ChargePointStatus, Reason, format_datetime
from tests.chargepoint.conftest import NOW, CentralSide, Station, online
from tests.chargepoint.driving import begin, end, judged, started, starting, stopping
from tests.chargepoint.smart_charging.build import (
    Absolute,
    ChargePointMaxProfile,
    Relative,
    TxDefaultProfile,
    TxProfile,
    profile,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from openocpp.testing import SimulatedRuntime
    from openocpp.testing.conversation import ScriptedPeer
    from openocpp.types import ChargingProfile

WALL = datetime(2024, 1, 1, tzinfo=UTC)
Status = ChargePointStatus
Accepted = AuthorizationStatus.Accepted
Invalid = AuthorizationStatus.Invalid


def up(station: Station, central: CentralSide) -> ScriptedPeer:
    """Started, connected, accepted; heartbeats are of no interest."""
    return online(station, central, Heartbeat={"currentTime": NOW})


@pytest.fixture
def made(sim: SimulatedRuntime, tmp_path: Path) -> Any:
    """Makes a station with other keys."""
    stations: list[Station] = []

    def make(**keys: str | int) -> Station:
        stations.append(Station(sim, str(tmp_path / "made.db"), keys))
        return stations[-1]

    yield make
    for station in stations:
        station.cp.stop()


def show(station: Station, peer: ScriptedPeer, connector_id: int, status: Status) -> None:
    """The station shows a status, and the central system is told."""
    assert station.cp.status_notification(connector_id, status)
    told(peer, connector_id, status.value)


def told(peer: ScriptedPeer, connector_id: int, status: str) -> None:
    peer.expect_call("StatusNotification", {"connectorId": connector_id, "status": status}).answer()


def send_list(peer: ScriptedPeer, update_type: str, version: int, *tags: str) -> str:
    entries = [{"idTag": tag, "idTagInfo": {"status": "Accepted"}} for tag in tags]
    request = {"updateType": update_type, "listVersion": version, "localAuthorizationList": entries}
    status: str = peer.call("SendLocalList", request).result()["status"]
    return status


def list_version(peer: ScriptedPeer) -> int:
    version: int = peer.call("GetLocalListVersion").result()["listVersion"]
    return version


# -- local authorization list ------------------------------------------------------------------------------------------


def test_008_1_regular_start_with_an_id_of_the_list(station: Station, central: CentralSide) -> None:
    station.keys.put("LocalPreAuthorize", "true")
    peer = up(station, central)
    assert send_list(peer, "Full", 1, "TAG") == "Accepted"
    assert station.cp.authorize(1, "TAG").status is Accepted
    show(station, peer, 1, Status.Preparing)
    begin(station, peer)  # no Authorize.req came before
    show(station, peer, 1, Status.Charging)


def test_008_2_remote_start_with_an_id_of_the_list(station: Station, central: CentralSide) -> None:
    station.keys.put("LocalPreAuthorize", "true")
    peer = up(station, central)
    assert send_list(peer, "Full", 1, "TAG") == "Accepted"
    peer.call("RemoteStartTransaction", {"idTag": "TAG", "connectorId": 1}).result({"status": "Accepted"})
    assert station.keys.authorize_remote_tx_requests
    assert station.cp.authorize(1, "TAG").status is Accepted
    begin(station, peer)


def test_042_1_list_version_where_there_are_no_lists(made: Callable[..., Station], central: CentralSide) -> None:
    station = made(LocalAuthListEnabled="false")
    peer = up(station, central)
    assert list_version(peer) == -1
    station.keys.put("SupportedFeatureProfiles", "Core")
    peer.call("GetLocalListVersion").error("NotSupported")


def test_042_2_list_version_of_an_empty_list(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    peer.call("SendLocalList", {"updateType": "Full", "listVersion": 1}).result({"status": "Accepted"})
    assert list_version(peer) == 0


def test_043_send_local_list(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    assert send_list(peer, "Full", 1, "A", "B") == "Accepted"
    assert list_version(peer) == 1
    assert send_list(peer, "Differential", 2, "C") == "Accepted"
    assert list_version(peer) == 2


def test_043_1_not_supported(made: Callable[..., Station], central: CentralSide) -> None:
    peer = up(made(LocalAuthListEnabled="false"), central)
    assert send_list(peer, "Full", 1, "A") == "NotSupported"


def test_043_2_version_mismatch(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    assert send_list(peer, "Full", 2, "A") == "Accepted"
    assert send_list(peer, "Differential", 5, "B") == "Accepted"
    assert send_list(peer, "Differential", 4, "C") == "VersionMismatch"
    assert list_version(peer) == 5


def test_043_3_failed(made: Callable[..., Station], central: CentralSide) -> None:
    peer = up(made(SendLocalListMaxLength=2), central)
    assert send_list(peer, "Full", 1, "A", "B", "C") == "Failed"
    assert list_version(peer) == 0


# -- firmware and diagnostics ------------------------------------------------------------------------------------------


def update_firmware(peer: ScriptedPeer, **fields: Any) -> None:
    request = {"location": "ftp://host/image.bin", "retrieveDate": NOW, **fields}
    assert peer.call("UpdateFirmware", request).result() == {}


def firmware(peer: ScriptedPeer, *statuses: str) -> None:
    for status in statuses:
        peer.expect_call("FirmwareStatusNotification", {"status": status}).answer()


def test_044_1_download_and_install(station: Station, central: CentralSide) -> None:
    """The station restarts into its new firmware, which says that all is well."""
    peer = up(station, central)
    update_firmware(peer)
    firmware(peer, "Downloading", "Downloaded")
    told(peer, 1, "Unavailable")
    told(peer, 2, "Unavailable")
    firmware(peer, "Installing")
    station.sim.sleep(1)
    station.restart()
    peer = central.boot()
    user = station.sim.user(lambda: station.cp.notify_firmware_update_status(True))
    peer.expect_call("SecurityEventNotification", {"type": "FirmwareUpdated"}).answer()
    firmware(peer, "Installed")
    assert user.result() is True


def test_044_2_download_failed(station: Station, central: CentralSide) -> None:
    station.handler.download = lambda url, path: False
    peer = up(station, central)
    update_firmware(peer, retries=1, retryInterval=5)
    firmware(peer, "Downloading", "DownloadFailed")


def test_044_3_installation_failed(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    peer.answers["StatusNotification"] = {}
    update_firmware(peer)
    firmware(peer, "Downloading", "Downloaded", "Installing")
    user = station.sim.user(lambda: station.cp.notify_firmware_update_status(False))
    firmware(peer, "InstallationFailed")
    assert user.result() is True


@pytest.mark.parametrize("succeeds", [True, False], ids=["045_1_uploaded", "045_2_upload_failed"])
def test_045_get_diagnostics(station: Station, central: CentralSide, succeeds: bool) -> None:
    station.handler.diagnostics = lambda start, stop: "/var/log/station.zip"
    station.handler.upload = lambda path, url: succeeds
    peer = up(station, central)
    call = peer.call("GetDiagnostics", {"location": "ftp://host/in/", "retries": 1, "retryInterval": 5})
    assert call.result() == {"fileName": "station.zip"}
    for status in ("Uploading", "Uploaded" if succeeds else "UploadFailed"):
        peer.expect_call("DiagnosticsStatusNotification", {"status": status}).answer()


# -- reservation -------------------------------------------------------------------------------------------------------


def reserve(
    station: Station, peer: ScriptedPeer, connector_id: int = 1, id_tag: str = "TAG", seconds: float = 300, **more: str
) -> str:
    expiry = format_datetime(station.sim.clock.utcnow() + timedelta(seconds=seconds))
    request = {"connectorId": connector_id, "idTag": id_tag, "reservationId": 1, "expiryDate": expiry, **more}
    status: str = peer.call("ReserveNow", request).result()["status"]
    return status


def reserved(station: Station, peer: ScriptedPeer, **more: Any) -> None:
    assert reserve(station, peer, **more) == "Accepted"
    told(peer, 1, "Reserved")


def charges(station: Station, peer: ScriptedPeer, id_tag: str, connector_id: int = 1) -> None:
    """The vehicle is plugged in, and the transaction uses the reservation."""
    show(station, peer, connector_id, Status.Preparing)
    user = starting(station, connector_id, id_tag)
    peer.expect_call("StartTransaction", {"idTag": id_tag, "reservationId": 1}).answer(started())
    assert user.result() is Accepted
    show(station, peer, connector_id, Status.Charging)


def asked(station: Station, peer: ScriptedPeer, id_tag: str, connector_id: int = 1, **info: str) -> AuthorizationStatus:
    """The driver presents an id tag."""
    user = station.sim.user(lambda: station.cp.authorize(connector_id, id_tag))
    peer.expect_call("Authorize", {"idTag": id_tag}).answer(judged(**info))
    return user.result().status


def test_046_1_reserved_connector_and_a_local_start(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    reserved(station, peer)
    assert asked(station, peer, "OTHER") is Invalid
    assert station.cp.start_transaction(1, "OTHER") is Invalid
    assert asked(station, peer, "TAG") is Accepted
    charges(station, peer, "TAG")


def test_046_2_reserved_connector_and_a_remote_start(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    reserved(station, peer)
    peer.call("RemoteStartTransaction", {"idTag": "OTHER", "connectorId": 1}).result({"status": "Rejected"})
    peer.call("RemoteStartTransaction", {"idTag": "TAG", "connectorId": 1}).result({"status": "Accepted"})
    charges(station, peer, "TAG")


def test_047_reservation_expires(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    reserved(station, peer)
    peer.expect_nothing(299)
    told(peer, 1, "Available")


@pytest.mark.parametrize(
    ("status", "answer"),
    [(Status.Faulted, "Faulted"), (Status.Charging, "Occupied"), (Status.Unavailable, "Unavailable")],
    ids=["048_1_faulted", "048_2_occupied", "048_3_unavailable"],
)
def test_048_reservation_of_a_connector(station: Station, central: CentralSide, status: Status, answer: str) -> None:
    peer = up(station, central)
    show(station, peer, 1, status)
    assert reserve(station, peer) == answer


def test_048_4_rejected(made: Callable[..., Station], central: CentralSide) -> None:
    """Without reservations there is no such action; a reservation of the past is Rejected."""
    station = made()
    peer = up(station, central)
    assert reserve(station, peer, seconds=-1) == "Rejected"
    station.keys.put("SupportedFeatureProfiles", "Core")
    request = {"connectorId": 1, "idTag": "TAG", "reservationId": 1, "expiryDate": "2030-01-01T00:00:00Z"}
    peer.call("ReserveNow", request).error("NotSupported")


def test_049_reservation_of_the_charge_point(made: Callable[..., Station], central: CentralSide) -> None:
    station = made(ReserveConnectorZeroSupported="true")
    peer = up(station, central)
    assert reserve(station, peer, 0) == "Accepted"
    assert asked(station, peer, "TAG", 2) is Accepted
    charges(station, peer, "TAG", 2)


@pytest.mark.parametrize(
    ("status", "answer"),
    [(Status.Faulted, "Faulted"), (Status.Charging, "Occupied"), (Status.Unavailable, "Unavailable")],
    ids=["050_1_faulted", "050_2_occupied", "050_3_unavailable"],
)
def test_050_reservation_of_the_charge_point(
    made: Callable[..., Station], central: CentralSide, status: Status, answer: str
) -> None:
    station = made(ReserveConnectorZeroSupported="true")
    peer = up(station, central)
    for connector_id in (1, 2):
        show(station, peer, connector_id, status)
    assert reserve(station, peer, 0) == answer


def test_050_4_rejected(made: Callable[..., Station], central: CentralSide) -> None:
    station = made(ReserveConnectorZeroSupported="false")
    assert reserve(station, up(station, central), 0) == "Rejected"


def test_051_cancel_reservation(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    reserved(station, peer)
    peer.call("CancelReservation", {"reservationId": 1}).result({"status": "Accepted"})
    told(peer, 1, "Available")


def test_052_cancel_reservation_rejected(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    reserved(station, peer)
    peer.call("CancelReservation", {"reservationId": 2}).result({"status": "Rejected"})
    assert station.cp.get_connector_status(1) is Status.Reserved


def test_053_1_reserved_for_a_group_local(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    reserved(station, peer, parentIdTag="GROUP")
    station.keys.put("LocalPreAuthorize", "true")
    assert asked(station, peer, "FRIEND", parentIdTag="GROUP") is Accepted
    charges(station, peer, "FRIEND")


def test_053_2_reserved_for_a_group_remote(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    reserved(station, peer, parentIdTag="GROUP")
    station.keys.put("LocalPreAuthorize", "true")
    call = peer.call("RemoteStartTransaction", {"idTag": "FRIEND", "connectorId": 1})
    peer.expect_call("Authorize", {"idTag": "FRIEND"}).answer(judged(parentIdTag="GROUP"))
    call.result({"status": "Accepted"})
    charges(station, peer, "FRIEND")


# -- smart charging ----------------------------------------------------------------------------------------------------


def put(peer: ScriptedPeer, connector_id: int, given: ChargingProfile) -> str:
    request = {"connectorId": connector_id, "csChargingProfiles": to_payload(given)}
    status: str = peer.call("SetChargingProfile", request).result()["status"]
    return status


def composite(peer: ScriptedPeer, duration: int, connector_id: int = 1) -> str:
    """The periods in A: ``"0:16, 100:8; 400"``."""
    request = {"connectorId": connector_id, "duration": duration, "chargingRateUnit": "A"}
    schedule = peer.call("GetCompositeSchedule", request).result({"status": "Accepted"})["chargingSchedule"]
    periods = [f"{each['startPeriod']}:{each['limit']:g}" for each in schedule["chargingSchedulePeriod"]]
    return f"{', '.join(periods)}; {schedule['duration']}"


def test_056_tx_default_profile(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    given = profile("0:6, 60:10, 120:8", kind=Absolute, start=WALL, duration=300)
    assert put(peer, 1, given) == "Accepted"
    assert composite(peer, 300) == "0:6, 60:10, 120:8; 300"
    begin(station, peer)
    assert composite(peer, 300) == "0:6, 60:10, 120:8; 300"


def test_057_tx_profile(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    begin(station, peer, transaction_id=42)
    assert put(peer, 1, profile("0:6, 60:10", purpose=TxProfile, transaction_id=42, duration=300)) == "Accepted"
    assert composite(peer, 300) == "0:6, 60:10; 300"
    end(station, peer)
    peer.call("GetCompositeSchedule", {"connectorId": 1, "duration": 300}).result({"status": "Rejected"})


def test_058_1_no_ongoing_transaction(station: Station, central: CentralSide) -> None:
    assert put(up(station, central), 1, profile(purpose=TxProfile, transaction_id=42)) == "Rejected"


def test_058_2_wrong_transaction_id(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    begin(station, peer, transaction_id=42)
    assert put(peer, 1, profile(purpose=TxProfile, transaction_id=43)) == "Rejected"


def remote_start(peer: ScriptedPeer, given: ChargingProfile) -> str:
    request = {"idTag": "TAG", "connectorId": 1, "chargingProfile": to_payload(given)}
    status: str = peer.call("RemoteStartTransaction", request).result()["status"]
    return status


def test_059_remote_start_with_a_profile(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    assert remote_start(peer, profile("0:6, 60:10", purpose=TxProfile)) == "Accepted"
    assert asked(station, peer, "TAG") is Accepted
    begin(station, peer)
    assert composite(peer, 300) == "0:6, 60:10; 300"


def test_060_remote_start_with_a_profile_of_another_purpose(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    assert remote_start(peer, profile(purpose=TxDefaultProfile)) == "Rejected"
    assert station.handler.of("remote_start_transaction_requested") == []


def test_066_composite_schedule(station: Station, central: CentralSide) -> None:
    """400 s: the maximum of the charge point cuts the default, which goes on where the TxProfile ends."""
    peer = up(station, central)
    begin(station, peer)
    assert put(peer, 0, profile("0:10", id=1, purpose=ChargePointMaxProfile, kind=Absolute, start=WALL)) == "Accepted"
    assert put(peer, 1, profile("0:6, 50:8, 100:16, 300:12", id=2, kind=Absolute, start=WALL)) == "Accepted"
    assert put(peer, 1, profile("0:5, 30:9", id=3, purpose=TxProfile, kind=Relative, duration=80)) == "Accepted"
    assert composite(peer, 400) == "0:5, 30:9, 80:8, 100:10; 400"


@pytest.mark.parametrize(
    ("criteria", "left"),
    [
        ({"id": 2}, {1, 3}),
        ({"chargingProfilePurpose": "ChargePointMaxProfile"}, {2, 3}),
        ({"stackLevel": 1, "chargingProfilePurpose": "TxDefaultProfile"}, {1, 2}),
        ({"connectorId": 1}, {1}),
        ({}, set()),
    ],
)
def test_067_clear_charging_profile(
    station: Station, central: CentralSide, criteria: dict[str, Any], left: set[int]
) -> None:
    """Clearing it once more finds nothing."""
    peer = up(station, central)
    assert put(peer, 0, profile(id=1, purpose=ChargePointMaxProfile)) == "Accepted"
    assert put(peer, 1, profile(id=2, level=0)) == "Accepted"
    assert put(peer, 1, profile(id=3, level=1)) == "Accepted"
    peer.call("ClearChargingProfile", criteria).result({"status": "Accepted"})
    peer.call("ClearChargingProfile", criteria).result({"status": "Unknown"})
    for number in (1, 2, 3):
        found = "Accepted" if number in left else "Unknown"
        peer.call("ClearChargingProfile", {"id": number}).result({"status": found})


def test_072_stacking(station: Station, central: CentralSide) -> None:
    """350 s: the highest level counts while it says something."""
    peer = up(station, central)
    begin(station, peer)
    later = WALL + timedelta(seconds=60)
    assert put(peer, 1, profile("0:6", id=1, level=0)) == "Accepted"
    assert put(peer, 1, profile("0:7", id=2, level=1, kind=Absolute, start=later, duration=200)) == "Accepted"
    assert put(peer, 1, profile("0:8, 40:9", id=3, level=2, valid_from=later, duration=150)) == "Accepted"
    assert composite(peer, 350) == "0:6, 60:9, 150:7, 260:6; 350"


def test_082_tx_default_profile_during_a_transaction(station: Station, central: CentralSide) -> None:
    peer = up(station, central)
    begin(station, peer)
    assert put(peer, 1, profile("0:6, 60:10", kind=Absolute, start=WALL, duration=300)) == "Accepted"
    assert composite(peer, 300) == "0:6, 60:10; 300"
    setpoints = station.cp.get_setpoint(1)
    assert setpoints is not None
    assert setpoints.connector is not None
    assert setpoints.connector.value == 6
    user = stopping(station, 1, "TAG", Reason.Local)
    peer.expect_call("StopTransaction").answer()
    assert user.result() is True
