"""Vendor messages in both directions: who answers, what is left out, what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openocpp.errors import LocalProtocolError
from openocpp.testing.conversation import ABSENT
from openocpp.types import DataTransferResult, DataTransferStatus
from tests.chargepoint.conftest import CentralSide, Station, online

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.testing import SimulatedRuntime
    from openocpp.testing.conversation import ReceivedCall

ACCEPTED = DataTransferStatus.Accepted

# -- to the central system ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "payload"),
    [
        (("vendor",), {"vendorId": "vendor"}),
        (("vendor", "message"), {"vendorId": "vendor", "messageId": "message"}),
        (("vendor", "", "data"), {"vendorId": "vendor", "data": "data"}),
        (("vendor", None, None), {"vendorId": "vendor"}),
        (("v" * 255, "m" * 50, "d" * 5000), {"vendorId": "v" * 255, "messageId": "m" * 50, "data": "d" * 5000}),
    ],
)
def test_absent_texts_are_left_out(
    station: Station, central: CentralSide, sim: SimulatedRuntime, arguments: tuple[Any, ...], payload: dict[str, str]
) -> None:
    peer = online(station, central)
    user = sim.user(lambda: station.cp.data_transfer(*arguments))
    call = peer.expect_call("DataTransfer")
    assert call.payload == payload
    call.answer({"status": "Accepted"})
    assert user.result() == DataTransferResult(ACCEPTED, "")


@pytest.mark.parametrize("status", DataTransferStatus)
def test_status_and_data_of_the_answer(
    station: Station, central: CentralSide, sim: SimulatedRuntime, status: DataTransferStatus
) -> None:
    peer = online(station, central)
    user = sim.user(lambda: station.cp.data_transfer("vendor"))
    peer.expect_call("DataTransfer").answer({"status": status.value, "data": "something"})
    assert user.result() == DataTransferResult(status, "something")


@pytest.mark.parametrize(
    "answer",
    [
        lambda call: call.refuse("NotSupported"),
        lambda call: call.answer({"status": "Perhaps"}),
        lambda call: call._peer.abort(),
        lambda call: None,
    ],
)
def test_without_a_usable_answer_there_is_no_result(
    station: Station, central: CentralSide, sim: SimulatedRuntime, answer: Callable[[ReceivedCall], None]
) -> None:
    peer = online(station, central)
    user = sim.user(lambda: station.cp.data_transfer("vendor"))
    answer(peer.expect_call("DataTransfer"))
    assert user.result() is None


def test_nothing_is_queued_while_offline(station: Station, central: CentralSide, sim: SimulatedRuntime) -> None:
    peer = online(station, central)
    sim.sleep(1.0)
    sim.network.refuse()
    peer.abort()
    sim.sleep(5.0)
    assert station.cp.data_transfer("vendor") is None
    sim.network.refuse(False)
    central.accept().expect_nothing(100.0)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [(("v" * 256,), "vendorId"), (("vendor", "m" * 51), "messageId")],
)
@pytest.mark.parametrize("connected", [True, False])
def test_what_is_too_long_is_refused_and_not_sent(
    station: Station,
    central: CentralSide,
    sim: SimulatedRuntime,
    arguments: tuple[str, ...],
    field: str,
    connected: bool,
) -> None:
    peer = online(station, central)
    if not connected:
        sim.network.refuse()
        peer.abort()
        sim.sleep(5.0)
    with pytest.raises(LocalProtocolError, match=field):
        station.cp.data_transfer(*arguments)
    if connected:
        peer.expect_nothing(5.0)


# -- from the central system -------------------------------------------------------------------------------------------


def test_the_application_answers(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    station.handler.transfer = DataTransferResult(ACCEPTED, "Hop!")
    request = {"vendorId": "vendor", "messageId": "message", "data": "data"}
    assert peer.call("DataTransfer", request).result() == {"status": "Accepted", "data": "Hop!"}
    assert station.handler.of("data_transfer_requested") == [("vendor", "message", "data")]


def test_what_was_absent_is_empty(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    peer.call("DataTransfer", {"vendorId": "vendor"}).result()
    assert station.handler.of("data_transfer_requested") == [("vendor", "", "")]


@pytest.mark.parametrize("status", DataTransferStatus)
@pytest.mark.parametrize("data", ["", "something"])
def test_data_is_left_out_where_it_does_not_belong(
    station: Station, central: CentralSide, status: DataTransferStatus, data: str
) -> None:
    peer = online(station, central)
    station.handler.transfer = DataTransferResult(status, data)
    expected = data if data and status is not DataTransferStatus.UnknownVendorId else ABSENT
    peer.call("DataTransfer", {"vendorId": "vendor"}).result({"status": status.value, "data": expected})


def test_a_registered_handler_answers_for_its_vendor_in_any_case(station: Station, central: CentralSide) -> None:
    seen: list[tuple[str, str, str]] = []

    def answer(vendor_id: str, message_id: str, data: str) -> DataTransferResult:
        seen.append((vendor_id, message_id, data))
        return DataTransferResult(ACCEPTED, data[::-1])

    assert station.cp.register_data_transfer_handler("Org.Vendor", answer) is True
    assert station.cp.register_data_transfer_handler("org.vendor", answer) is False
    peer = online(station, central)
    assert peer.call("DataTransfer", {"vendorId": "ORG.vendor", "data": "abc"}).result()["data"] == "cba"
    assert peer.call("DataTransfer", {"vendorId": "other"}).result() == {"status": "UnknownVendorId"}
    assert seen == [("ORG.vendor", "", "abc")]
    assert station.handler.of("data_transfer_requested") == [("other", "", "")]
    assert station.cp.register_data_transfer_handler("late", answer) is True
    peer.call("DataTransfer", {"vendorId": "late", "data": "x"}).result({"data": "x"})


def test_registered_handlers_survive_a_stop(station: Station, central: CentralSide) -> None:
    station.cp.register_data_transfer_handler("vendor", lambda *_: DataTransferResult(ACCEPTED, "mine"))
    online(station, central)
    station.cp.stop()
    peer = online(station, central)
    peer.call("DataTransfer", {"vendorId": "vendor"}).result({"data": "mine"})


@pytest.mark.parametrize("result", [None, ("Accepted",), ("Perhaps", "")])
def test_an_answer_that_is_none_is_an_internal_error(station: Station, central: CentralSide, result: Any) -> None:
    peer = online(station, central)
    station.handler.transfer = result
    peer.call("DataTransfer", {"vendorId": "vendor"}).error("InternalError")


def test_a_handler_may_call_the_charge_point(station: Station, central: CentralSide, sim: SimulatedRuntime) -> None:
    def forward(vendor_id: str, message_id: str, data: str) -> DataTransferResult:
        back = station.cp.data_transfer(vendor_id, "back", data)
        assert back is not None
        return back

    station.cp.register_data_transfer_handler("vendor", forward)
    peer = online(station, central)
    asked = peer.call("DataTransfer", {"vendorId": "vendor", "data": "ping"})
    peer.expect_call("DataTransfer", {"messageId": "back", "data": "ping"}).answer(
        {"status": "Accepted", "data": "pong"}
    )
    assert asked.result() == {"status": "Accepted", "data": "pong"}
