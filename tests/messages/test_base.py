"""The registry of actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, assert_type

import pytest

from openocpp.messages import (
    ACTIONS,
    PNC_ACTIONS,
    Confirmation,
    HeartbeatConf,
    HeartbeatReq,
    Request,
    ReserveNowConf,
    ReserveNowReq,
    Role,
)
from openocpp.types.record import dataclass
from tests.messages.wire_tables import ACTION_ROWS

if TYPE_CHECKING:
    from datetime import datetime

    from openocpp.messages.base import ActionInfo

C = TypeVar("C", bound=Confirmation)


def info_of(row: dict[str, str]) -> ActionInfo:
    name = row["action"]
    return PNC_ACTIONS[name.removeprefix("pnc.")] if name.startswith("pnc.") else ACTIONS[name]


def test_there_are_39_actions_and_nine_tunnelled_messages() -> None:
    assert (len(ACTIONS), len(PNC_ACTIONS)) == (39, 9)
    assert len(ACTION_ROWS) == 48


@pytest.mark.parametrize("row", ACTION_ROWS, ids=lambda row: row["action"])
def test_who_sends_an_action_and_what_answers_it(row: dict[str, str]) -> None:
    info = info_of(row)
    assert (info.sent_by.value, info.profile.value) == (row["sent_by"], row["profile"])
    prefix = "Iso15118" if row["action"].startswith("pnc.") else ""
    assert info.request.__name__ == f"{prefix}{info.action}Req"
    assert info.confirmation.__name__ == f"{prefix}{info.action}Conf"
    assert info.request.action == info.action
    assert info.request.confirmation is info.confirmation
    assert info.confirmation.request is info.request
    assert info.request.profile is info.confirmation.profile is info.profile
    assert info.section.startswith(("1.6 §", "SEC §", "PNC §"))


def test_how_many_each_side_handles() -> None:
    by_charge_point = [info for info in ACTIONS.values() if info.may_be_sent_by(Role.CENTRAL_SYSTEM)]
    by_central_system = [info for info in ACTIONS.values() if info.may_be_sent_by(Role.CHARGE_POINT)]
    assert (len(by_charge_point), len(by_central_system)) == (26, 14)


def test_an_action_cannot_be_declared_twice() -> None:
    with pytest.raises(TypeError, match="Heartbeat is declared twice"):
        type("HeartbeatReq", (Request,), {"__orig_bases__": (Request[HeartbeatConf],)}, sent_by=Role.BOTH)
    assert ACTIONS["Heartbeat"].request is HeartbeatReq


def test_a_request_names_its_confirmation() -> None:
    with pytest.raises(TypeError, match=r"derive it from Request\[\.\.\.\]"):

        class PingReq(Request, sent_by=Role.BOTH):  # type: ignore[type-arg]
            """Without a confirmation."""

    assert "Ping" not in ACTIONS


def test_an_application_can_derive_from_a_request_without_declaring_an_action() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Mine(HeartbeatReq):
        """Of a user."""

        mark: int

    assert (Mine(mark=1).action, Mine.confirmation) == ("Heartbeat", HeartbeatConf)
    assert ACTIONS["Heartbeat"].request is HeartbeatReq


def call(request: Request[C]) -> C:
    """What a typed call looks like to a type checker."""
    found: Any = request.confirmation
    return found  # type: ignore[no-any-return]


def test_a_call_has_the_type_of_its_confirmation(moment: datetime) -> None:
    answer = call(ReserveNowReq(connector_id=1, expiry_date=moment, id_tag="x", reservation_id=1))
    assert_type(answer, ReserveNowConf)
    found: Any = answer
    assert found is ReserveNowConf


@pytest.fixture(name="moment")
def some_moment() -> datetime:
    from datetime import UTC, datetime

    return datetime(2024, 1, 1, tzinfo=UTC)
