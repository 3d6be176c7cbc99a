"""The Open Charge Alliance's cases for central systems, by their numbers: each a conversation with a scripted station.

The core profile. The other profiles and security have modules of their own.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from openocpp import (
    AuthorizationStatus,
    IdTagInfo,
    ResetType,
    UnlockStatus,
)
from openocpp.testing.conversation import ABSENT
from tests.oca.central_system import START, Case, remote_start, stamp

if TYPE_CHECKING:
    from openocpp.testing import SimulatedRuntime

# -- cold boot ---------------------------------------------------------------------------------------------------------


def test_tc_001_csms(sim: SimulatedRuntime) -> None:
    """The answer has the time and the heartbeat interval; status and heartbeats are answered."""
    case = Case(sim, heartbeat_interval=300).connect()
    assert case.boot() == {"status": "Accepted", "currentTime": stamp(START), "interval": 300}
    for connector in range(3):
        case.status(connector, "Available")
    sim.sleep(300)
    assert case.peer.call("Heartbeat").result() == {"currentTime": stamp(START + timedelta(seconds=300))}


# -- charging sessions -------------------------------------------------------------------------------------------------


def test_tc_003_csms(case: Case) -> None:
    """Plug in first."""
    transaction = case.session()
    assert case.backend.transactions[transaction]["tag"] == "VALID"
    assert case.stop(transaction, idTag="VALID") == {"idTagInfo": {"status": "Accepted", "parentIdTag": "PARENT"}}
    case.status(1, "Finishing")
    case.status(1, "Available")


def test_tc_004_1_csms(case: Case) -> None:
    """Identification first."""
    case.authorize()
    case.status(1, "Preparing")
    case.start()
    case.status(1, "Charging")


def test_tc_004_2_csms(case: Case) -> None:
    """No cable comes in time."""
    case.authorize()
    case.status(1, "Preparing")
    case.sim.sleep(60)
    case.status(1, "Available")
    assert case.backend.transactions == {}


def test_tc_005_1_csms(case: Case) -> None:
    """The vehicle is unplugged."""
    transaction = case.session()
    case.status(1, "SuspendedEV")
    assert case.stop(transaction, reason="EVDisconnected") == {}
    assert case.backend.transactions[transaction]["reason"] == "EVDisconnected"
    case.status(1, "Finishing")
    case.status(1, "Available")


def test_tc_007_csms(case: Case) -> None:
    """A cached tag starts without being authorized again; the start's answer has its verdict all the same."""
    case.status(1, "Preparing")
    case.start()
    case.status(1, "Charging")


# -- remote actions ----------------------------------------------------------------------------------------------------


def test_tc_010_csms(case: Case) -> None:
    case.status(1, "Preparing")
    assert remote_start(case)
    case.authorize()
    case.start()
    case.status(1, "Charging")


def test_tc_011_1_csms(case: Case) -> None:
    assert remote_start(case)
    case.authorize()
    case.status(1, "Preparing")
    case.start()
    case.status(1, "Charging")


def test_tc_011_2_csms(case: Case) -> None:
    assert remote_start(case)
    case.authorize()
    case.status(1, "Preparing")
    case.sim.sleep(60)
    case.status(1, "Available")
    assert case.backend.transactions == {}


def test_tc_012_csms(case: Case) -> None:
    transaction = case.session()
    assert case.command(
        lambda: case.charge_point.remote_stop_transaction(transaction),
        "RemoteStopTransaction", {"transactionId": transaction}, {"status": "Accepted"},
    )  # fmt: skip
    case.stop(transaction, reason="Remote")
    assert case.backend.transactions[transaction]["reason"] == "Remote"
    case.status(1, "Finishing")
    case.status(1, "Available")


def reset(case: Case, type: ResetType) -> None:
    assert case.command(lambda: case.charge_point.reset(type), "Reset", {"type": str(type)}, {"status": "Accepted"})
    case.peer.abort()
    case.sim.run_until(lambda: case.central_system.charge_points == ())
    case.connect()
    case.boot()
    case.status(1, "Available")


def test_tc_013_csms(case: Case) -> None:
    reset(case, ResetType.Hard)


def test_tc_014_csms(case: Case) -> None:
    reset(case, ResetType.Soft)


def unlock(case: Case, status: str) -> UnlockStatus:
    result: UnlockStatus = case.command(
        lambda: case.charge_point.unlock_connector(1), "UnlockConnector", {"connectorId": 1}, {"status": status}
    )
    return result


def test_tc_017_1_csms(case: Case) -> None:
    assert unlock(case, "Unlocked") is UnlockStatus.Unlocked


def test_tc_017_2_csms(case: Case) -> None:
    assert unlock(case, "NotSupported") is UnlockStatus.NotSupported


def test_tc_018_1_csms(case: Case) -> None:
    transaction = case.session()
    assert unlock(case, "Unlocked") is UnlockStatus.Unlocked
    case.stop(transaction, reason="UnlockCommand")
    assert case.backend.transactions[transaction]["reason"] == "UnlockCommand"
    case.status(1, "Finishing")
    case.status(1, "Available")


# -- configuration -----------------------------------------------------------------------------------------------------


def test_tc_019_1_csms(case: Case) -> None:
    entry = {"key": "HeartbeatInterval", "readonly": False, "value": "300"}
    result = case.command(
        case.charge_point.get_configuration, "GetConfiguration", {"key": ABSENT}, {"configurationKey": [entry]}
    )
    assert [(value.key, value.value) for value in result.values] == [("HeartbeatInterval", "300")]


def test_tc_019_2_csms(case: Case) -> None:
    entry = {"key": "SupportedFeatureProfiles", "readonly": True, "value": "Core"}
    result = case.command(
        lambda: case.charge_point.get_configuration(["SupportedFeatureProfiles"]),
        "GetConfiguration", {"key": ["SupportedFeatureProfiles"]}, {"configurationKey": [entry]},
    )  # fmt: skip
    assert result.values[0].readonly
    assert result.unknown == []


def test_tc_021_csms(case: Case) -> None:
    case.configure("MeterValueSampleInterval", "60")


def test_tc_040_1_csms(case: Case) -> None:
    case.configure("Unheard", "1", "NotSupported")


def test_tc_040_2_csms(case: Case) -> None:
    case.configure("MeterValueSampleInterval", "-1", "Rejected")


# -- what goes wrong at the start --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "status",
    [
        pytest.param(AuthorizationStatus.Invalid, id="tc_023_1_csms"),
        pytest.param(AuthorizationStatus.Expired, id="tc_023_2_csms"),
        pytest.param(AuthorizationStatus.Blocked, id="tc_023_3_csms"),
    ],
)
def test_tc_023_csms(case: Case, status: AuthorizationStatus) -> None:
    case.backend.tags["OTHER"] = IdTagInfo(status=status)
    case.status(1, "Preparing")
    case.authorize("OTHER", str(status))


def test_tc_024_csms(case: Case) -> None:
    """The lock fails."""
    case.status(1, "Preparing")
    case.authorize()
    case.status(1, "Faulted", "ConnectorLockFailure")
    assert case.backend.errors[1] == "ConnectorLockFailure"


def test_tc_026_csms(case: Case) -> None:
    assert not remote_start(case, status="Rejected")


def test_tc_028_csms(case: Case) -> None:
    assert not case.command(
        lambda: case.charge_point.remote_stop_transaction(999_999),
        "RemoteStopTransaction", {"transactionId": 999_999}, {"status": "Rejected"},
    )  # fmt: skip


def test_tc_030_csms(case: Case) -> None:
    assert unlock(case, "UnlockFailed") is UnlockStatus.UnlockFailed


def test_tc_031_csms(case: Case) -> None:
    """The connector is not known to the station."""
    result = case.command(
        lambda: case.charge_point.unlock_connector(99), "UnlockConnector", {"connectorId": 99},
        {"status": "NotSupported"},
    )  # fmt: skip
    assert result is UnlockStatus.NotSupported


# -- power failure and offline behaviour -------------------------------------------------------------------------------


def lose_connection(case: Case) -> None:
    case.peer.abort()
    case.sim.run_until(lambda: case.central_system.charge_points == ())
    case.sim.sleep(600)
    case.connect()


def test_tc_032_1_csms(case: Case) -> None:
    transaction = case.session()
    lose_connection(case)
    case.boot()
    case.status(1, "Finishing")
    case.stop(transaction, reason="PowerLoss")
    assert case.backend.transactions[transaction]["reason"] == "PowerLoss"
    case.status(1, "Available")


def test_tc_037_1_csms(case: Case) -> None:
    """A transaction that began offline is told later, with its own time."""
    lose_connection(case)
    transaction = case.start(timestamp=stamp(START + timedelta(seconds=100)))
    assert case.backend.transactions[transaction]["start"] == START + timedelta(seconds=100)
    case.status(1, "Charging")


def test_tc_037_3_csms(case: Case) -> None:
    """Its tag turns out to be invalid: the answer says so, and still has a transaction id."""
    lose_connection(case)
    transaction = case.start("STRANGER", status="Invalid")
    case.stop(transaction, reason="DeAuthorized")
    assert case.backend.transactions[transaction]["reason"] == "DeAuthorized"
    case.status(1, "Finishing")


def test_tc_039_csms(case: Case) -> None:
    """All of it happened offline."""
    lose_connection(case)
    transaction = case.start()
    later = START + timedelta(seconds=300)
    answer = case.stop(transaction, idTag="VALID", reason="Local", timestamp=stamp(later))
    assert answer["idTagInfo"]["status"] == "Accepted"
    assert case.backend.transactions[transaction]["stop"] == later


# -- cache and data transfer -------------------------------------------------------------------------------------------


def test_tc_061_csms(case: Case) -> None:
    assert case.command(case.charge_point.clear_cache, "ClearCache", {}, {"status": "Accepted"})
    case.authorize()


def test_tc_064_csms(case: Case) -> None:
    """An unknown vendor is told so; a known one is served."""
    unknown = {"vendorId": "Unknown", "messageId": "M", "data": "D"}
    assert case.peer.call("DataTransfer", unknown).result() == {"status": "UnknownVendorId"}
    assert case.peer.call("DataTransfer", {"vendorId": "Known"}).result() == {"status": "Accepted"}
