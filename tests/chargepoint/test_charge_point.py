"""The facade: life, gates, and a whole session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openocpp.types import (
    AuthorizationStatus,
    ChargePointStatus,
    Reason,
    RegistrationStatus,
)
from tests.chargepoint.conftest import CentralSide, Station, online

if TYPE_CHECKING:
    from openocpp.testing import SimulatedRuntime


def test_a_whole_session(station: Station, central: CentralSide, sim: SimulatedRuntime) -> None:
    peer = online(station, central)
    cp = station.cp

    user = sim.user(lambda: cp.authorize(1, "TAG"))
    peer.expect_call("Authorize", {"idTag": "TAG"}).answer({"idTagInfo": {"status": "Accepted", "parentIdTag": "P"}})
    assert user.result() == (AuthorizationStatus.Accepted, "P")

    assert cp.status_notification(1, ChargePointStatus.Preparing)
    peer.expect_call("StatusNotification", {"connectorId": 1, "status": "Preparing"}).answer()

    start = sim.user(lambda: cp.start_transaction(1, "TAG"))
    peer.expect_call("StartTransaction", {"connectorId": 1, "idTag": "TAG", "meterStart": 100}).answer(
        {"idTagInfo": {"status": "Accepted"}, "transactionId": 42}
    )
    assert start.result() is AuthorizationStatus.Accepted
    assert cp.transaction_id(1) == 42

    stop = sim.user(lambda: cp.stop_transaction(1, "TAG", Reason.Local))
    peer.expect_call(
        "StopTransaction", {"transactionId": 42, "meterStop": 200, "idTag": "TAG", "reason": "Local"}
    ).answer()
    assert stop.result() is True
    assert cp.transaction_id(1) is None
    assert cp.stop()
    peer.expect_closed(1000)


def test_before_start_everything_is_refused(station: Station) -> None:
    cp = station.cp
    assert cp.registration_status is RegistrationStatus.Rejected
    assert cp.start_transaction(1, "TAG") is AuthorizationStatus.Invalid
