"""Answers that break the standard end the call that waits, and nothing else."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from openocpp import (
    AuthorizationStatus,
    CallOutcome,
    HeartbeatReq,
    ResetReq,
    ResetType,
)
from tests.transport.peers import LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bad_input.sides import (
        Central,
        Station,
    )

ANSWERS = {
    "result without payload": '[3,"@"]',
    "result of 4 elements": '[3,"@",{},{}]',
    "payload as text": '[3,"@","{}"]',
    "payload as array": '[3,"@",[]]',
    "payload null": '[3,"@",null]',
    "field missing": '[3,"@",{}]',
    "extra field": '[3,"@",{"idTagInfo":{"status":"Accepted"},"status":"Accepted","extra":1}]',
    "wrong type": '[3,"@",{"idTagInfo":5,"status":5}]',
    "out of the enumeration": '[3,"@",{"idTagInfo":{"status":"Yes"},"status":"Yes"}]',
    "bad date": '[3,"@",{"idTagInfo":{"status":"Accepted","expiryDate":"never"},"status":"Accepted","expiryDate":1}]',
    "NaN": '[3,"@",{"idTagInfo":NaN,"status":NaN}]',
    "cut off": '[3,"@",{"idTagInfo":',
}
ERRORS = {
    "error": ('[4,"@","GenericError","no",{"a":1}]', "GenericError"),
    "error alone": ('[4,"@"]', "GenericError"),
    "error without details": ('[4,"@","SecurityError","no"]', "SecurityError"),
    "error of an unknown code": ('[4,"@","Whatever","no",{}]', "Whatever"),
    "error of wrong types": ('[4,"@",5,{"a":[]},"x"]', "5"),
    "error with nulls": ('[4,"@",null,null,null]', "GenericError"),
}


def on_thread(function: Callable[[], Any]) -> Callable[[], Any]:
    """Begin it on a user's thread; the result is to be waited for."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()

    def result() -> Any:
        thread.join(LIMIT)
        assert results, "it did not end"
        return results[0]

    return result


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_breaks_the_standard_is_no_answer(central: Central, name: str) -> None:
    """Nothing is said of it to the peer, the call ends at once, and the connection goes on."""
    peer = central.connected()
    charge_point = central.events.charge_points[0]
    result = on_thread(lambda: charge_point.call(ResetReq(type=ResetType.Soft)))
    peer.text(ANSWERS[name].replace("@", peer.next_call("Reset")))
    assert result().outcome is CallOutcome.InvalidAnswer
    assert result().error_description
    assert peer.is_alive()
    result = on_thread(lambda: charge_point.reset(ResetType.Soft))
    peer.text(ANSWERS[name].replace("@", peer.next_call("Reset")))
    assert result() is False
    assert peer.is_alive()


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_ends_the_call_whatever_it_carries(central: Central, name: str) -> None:
    text, code = ERRORS[name]
    peer = central.connected()
    charge_point = central.events.charge_points[0]
    result = on_thread(lambda: charge_point.call(ResetReq(type=ResetType.Soft)))
    peer.text(text.replace("@", peer.next_call("Reset")))
    assert result().outcome is CallOutcome.Refused
    assert result().error_code == code
    assert peer.is_alive()


@pytest.mark.parametrize("text", [*ANSWERS.values(), *(text for text, _ in ERRORS.values())], ids=[*ANSWERS, *ERRORS])
def test_a_charge_point_is_not_authorized_by_nonsense(our_station: Station, text: str) -> None:
    peer = our_station.registered()
    result = on_thread(lambda: our_station.charge_point.authorize(1, "TAG"))
    peer.text(text.replace("@", peer.next_call("Authorize")))
    assert result().status is AuthorizationStatus.Invalid
    assert peer.is_alive()


def test_an_answer_to_another_call_is_dropped_and_the_wait_goes_on(central: Central) -> None:
    peer = central.connected()
    result = on_thread(lambda: central.events.charge_points[0].call(ResetReq(type=ResetType.Soft)))
    unique_id = peer.next_call("Reset")
    peer.text('[3,"another",{"status":"Rejected"}]')
    peer.text(json.dumps([3, unique_id, {"status": "Accepted"}]))
    peer.text(json.dumps([3, unique_id, {"status": "Rejected"}]))  # once more: nobody waits for it
    assert result().outcome is CallOutcome.Answered
    assert result().response.status == "Accepted"
    assert peer.is_alive()


def test_what_breaks_the_standard_is_not_sent(central: Central) -> None:
    peer = central.connected()
    charge_point = central.events.charge_points[0]
    with pytest.raises(ValueError, match="key"):
        charge_point.change_configuration("x" * 51, "")
    with pytest.raises(ValueError, match="Heartbeat"):
        charge_point.call(HeartbeatReq())
    assert peer.is_alive()
    assert peer.calls == []
