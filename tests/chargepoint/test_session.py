"""What a running charge point answers to whatever its central system sends, and that it goes on after it."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.chargepoint.charge_point import ChargePoint
from openocpp.messages import ACTIONS, Role
from openocpp.messages.codec import from_payload, to_payload
from openocpp.testing.instances import random_instance
from openocpp.types import AuthorizationStatus, ChargePointStatus, FeatureProfile, RegistrationStatus
from tests.chargepoint.conftest import NOW, CentralSide, Station, online

if TYPE_CHECKING:
    from openocpp.chargepoint.session import Session
    from openocpp.messages.base import ActionInfo
    from openocpp.testing import SimulatedRuntime
    from openocpp.testing.conversation import ScriptedPeer, SentCall

RECEIVED = [info for info in ACTIONS.values() if info.may_be_sent_by(Role.CENTRAL_SYSTEM)]
SENT = [info for info in ACTIONS.values() if not info.may_be_sent_by(Role.CENTRAL_SYSTEM)]
UNUSABLE = {"FormationViolation", "OccurenceConstraintViolation"}  # what such a payload is told by a handler
OPTIONAL = ("FirmwareManagement", "LocalAuthListManagement", "Reservation", "SmartCharging", "RemoteTrigger")


def session_of(station: Station) -> Session:
    assert isinstance(station.cp, ChargePoint)
    assert station.cp._session is not None
    return station.cp._session


def alive(peer: ScriptedPeer) -> None:
    peer.call("GetConfiguration", {"key": ["NumberOfConnectors"]}).result()


# -- which actions -----------------------------------------------------------------------------------------------------


def test_every_action_that_is_handled_is_one_that_a_charge_point_receives(
    station: Station, central: CentralSide
) -> None:
    online(station, central)
    assert {request.action for request in session_of(station).handled} <= {info.action for info in RECEIVED}


@pytest.mark.parametrize("info", ACTIONS.values(), ids=lambda info: info.action)
def test_every_action_has_one_handler_or_is_not_supported(
    station: Station, central: CentralSide, info: ActionInfo
) -> None:
    """Two handlers of one request are an error at the start already."""
    peer = online(station, central)
    handled = info.request in session_of(station).handled
    code = peer.call(info.action, {"no such field": 1}).error()[0]
    assert code in (UNUSABLE if handled else {"NotSupported"})
    if info in SENT:
        assert not handled
    alive(peer)


@pytest.mark.parametrize("info", RECEIVED, ids=lambda info: info.action)
def test_every_legal_request_has_a_legal_answer(
    station: Station, central: CentralSide, sim: SimulatedRuntime, info: ActionInfo
) -> None:
    peer = online(station, central)
    if info.request not in session_of(station).handled:
        pytest.skip("not supported, see above")
    for action in ("StatusNotification", "DiagnosticsStatusNotification", "FirmwareStatusNotification", "Heartbeat"):
        peer.answers[action] = {"currentTime": NOW} if action == "Heartbeat" else {}
    peer.answers["MeterValues"] = {}
    rng = random.Random(info.action)
    refused: Counter[str] = Counter()
    for number in range(30):
        request = random_instance(info.request, rng, minimal=number % 3 == 0, maximal=number % 3 == 1)
        call = peer.call(info.action, to_payload(request))
        sim.run_until(lambda call=call: call.answered, 60.0)  # type: ignore[misc]
        assert call.frame is not None
        if call.frame[0] == 3:
            from_payload(info.confirmation, call.frame[2])
        else:
            refused[call.frame[2]] += 1
    assert set(refused) <= {"PropertyConstraintViolation"}  # connectors and rules that the schema does not know
    alive(peer)


@pytest.mark.parametrize("profile", OPTIONAL)
def test_actions_of_profiles_that_are_not_supported(sim: SimulatedRuntime, central: CentralSide, profile: str) -> None:
    supported = ",".join(["Core", *(name for name in OPTIONAL if name != profile)])
    station = Station(sim, "", {"SupportedFeatureProfiles": supported})
    peer = online(station, central)
    for info in RECEIVED:
        call = peer.call(info.action, {"no such field": 1})
        code = call.error()[0]
        if info.profile.value == profile:
            assert code == "NotSupported"
        elif info.request in session_of(station).handled:
            assert code in UNUSABLE
    station.cp.stop()


def test_the_profiles_of_the_standard_have_actions() -> None:
    assert {info.profile.value for info in RECEIVED} >= set(OPTIONAL)
    assert FeatureProfile.Core in {info.profile for info in RECEIVED}


# -- what is wrong with them -------------------------------------------------------------------------------------------


AVAILABILITY = {"connectorId": 1, "type": "Operative"}
DIAGNOSTICS = {"location": "ftp://a/b"}
PROPERTY, TYPE = "PropertyConstraintViolation", "TypeConstraintViolation"


@pytest.mark.parametrize(
    ("action", "payload", "code", "field"),
    [
        ("Restart", {}, "NotImplemented", "Restart"),
        ("", {}, "NotImplemented", ""),
        ("ChangeAvailability", {"type": "Operative"}, "OccurenceConstraintViolation", "connectorId"),
        ("ChangeAvailability", {**AVAILABILITY, "x": 1}, "FormationViolation", "x"),
        ("ChangeAvailability", {**AVAILABILITY, "connectorId": "1"}, TYPE, "connectorId"),
        ("ChangeAvailability", {**AVAILABILITY, "type": "On"}, PROPERTY, "type"),
        ("ChangeAvailability", {**AVAILABILITY, "connectorId": -1}, PROPERTY, "connectorId"),
        ("ChangeAvailability", {**AVAILABILITY, "connectorId": 2**40}, PROPERTY, "connectorId"),
        ("ChangeAvailability", {**AVAILABILITY, "connectorId": 2**80}, PROPERTY, "connectorId"),
        ("ChangeAvailability", {**AVAILABILITY, "connectorId": 1.5}, TYPE, "connectorId"),
        ("RemoteStartTransaction", {"idTag": "x" * 21}, PROPERTY, "idTag"),
        ("RemoteStopTransaction", {"transactionId": None}, TYPE, "transactionId"),
        ("GetDiagnostics", {**DIAGNOSTICS, "startTime": "yesterday"}, PROPERTY, "startTime"),
        ("GetDiagnostics", {**DIAGNOSTICS, "startTime": 5}, TYPE, "startTime"),
    ],
)
def test_what_breaks_the_standard_is_refused_with_its_code(
    station: Station, central: CentralSide, action: str, payload: dict[str, Any], code: str, field: str
) -> None:
    peer = online(station, central)
    assert field in peer.call(action, payload).error(code)[1]
    alive(peer)


def test_a_whole_number_may_be_written_as_a_decimal(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    peer.send('[2,"1","ChangeAvailability",{"connectorId":1.0,"type":"Operative"}]')
    assert peer.expect_frame() == [3, "1", {"status": "Accepted"}]


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024-03-01T10:00:00Z", datetime(2024, 3, 1, 10, tzinfo=UTC)),
        ("2024-03-01T12:00:00+02:00", datetime(2024, 3, 1, 10, tzinfo=UTC)),
        ("2024-03-01T04:30:00-05:30", datetime(2024, 3, 1, 10, tzinfo=timezone(timedelta(hours=0)))),
        ("2024-03-01T10:00:00.123Z", datetime(2024, 3, 1, 10, 0, 0, 123_000, UTC)),
        ("2024-03-01T10:00:00", datetime(2024, 3, 1, 10, tzinfo=UTC)),
    ],
)
def test_instants_in_all_their_spellings(station: Station, central: CentralSide, text: str, instant: datetime) -> None:
    peer = online(station, central)
    peer.call("GetDiagnostics", {"location": "ftp://a/b", "startTime": text}).result()
    assert station.handler.of("get_diagnostics") == [(instant, None)]


# -- both directions at once -------------------------------------------------------------------------------------------


def test_a_request_is_answered_while_ours_is_open(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    peer = online(station, central)
    user = sim.user(lambda: station.cp.authorize(1, "TAG"))
    ours = peer.expect_call("Authorize")
    peer.call("ChangeAvailability", {"connectorId": 2, "type": "Operative"}).result({"status": "Accepted"})
    ours.answer({"idTagInfo": {"status": "Blocked"}})
    assert user.result().status is AuthorizationStatus.Blocked


def test_many_threads_and_one_open_call(station: Station, central: CentralSide, sim: SimulatedRuntime) -> None:
    peer = online(station, central)
    users = [sim.user(lambda number=number: station.cp.data_transfer("v", data=str(number))) for number in range(8)]  # type: ignore[misc]
    seen = []
    for _ in users:
        call = peer.expect_call("DataTransfer")
        peer.expect_nothing(1.0)
        call.answer({"status": "Accepted", "data": call.payload["data"]})
        seen.append(call.payload["data"])
    assert sorted(seen) == [str(number) for number in range(8)]
    for number, user in enumerate(users):
        result = user.result()
        assert result is not None
        assert result.data == str(number)


def test_the_peer_may_send_many_requests_at_once(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    calls: list[SentCall] = [peer.call("GetConfiguration", {"key": [f"key {number}"]}) for number in range(100)]
    assert [call.result()["unknownKey"] for call in calls] == [[f"key {number}"] for number in range(100)]


def test_an_answer_that_comes_too_late_changes_nothing(
    station: Station, central: CentralSide, sim: SimulatedRuntime
) -> None:
    peer = online(station, central)
    user = sim.user(lambda: station.cp.data_transfer("vendor"))
    late = peer.expect_call("DataTransfer")
    assert user.result() is None
    late.answer({"status": "Accepted"})
    peer.send([3, "no such id", {}])
    peer.send([4, "no such id", "GenericError", "", {}])
    alive(peer)
    assert station.cp.registration_status is RegistrationStatus.Accepted


def test_a_callback_may_use_the_facade(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    peer.answers.update({"StatusNotification": {}, "StopTransaction": {}})
    peer.answers["StartTransaction"] = {"transactionId": 7, "idTagInfo": {"status": "Accepted"}}
    peer.answers["Authorize"] = {"idTagInfo": {"status": "Accepted"}}

    def start(connector_id: int, id_tag: str) -> bool:
        assert station.cp.authorize(connector_id, id_tag).status is AuthorizationStatus.Accepted
        assert station.cp.start_transaction(connector_id, id_tag) is AuthorizationStatus.Accepted
        assert station.cp.status_notification(connector_id, ChargePointStatus.Charging)
        return True

    station.handler.remote_start_transaction_requested = start  # type: ignore[method-assign]
    peer.call("RemoteStartTransaction", {"connectorId": 1, "idTag": "TAG"}).result({"status": "Accepted"})
    assert station.cp.transaction_id(1) == 7


def test_the_repr_tells_registration_and_connection(station: Station, central: CentralSide) -> None:
    assert repr(station.cp) == "<charge point CP1: stopped>"
    online(station, central)
    assert repr(station.cp) == "<charge point CP1: <session of CP1: <outbox ACCEPTED, connected>>>"
