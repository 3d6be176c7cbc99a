"""May this id tag charge: list, cache, central system, and what is learned from its answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from openocpp.chargepoint.authorization import MAX_PARENTS
from openocpp.errors import LocalProtocolError
from openocpp.testing.conversation import ABSENT
from openocpp.types import AuthorizationStatus, RegistrationStatus
from tests.chargepoint.conftest import CentralSide, Station, online
from tests.chargepoint.driving import (
    IdTagRow,
    begin,
    cached,
    end,
    go_offline,
    go_online,
    judged,
    know,
    queued,
    quiet,
    started,
    starting,
    stopping,
)

if TYPE_CHECKING:
    from pathlib import Path

    from openocpp.testing import SimulatedRuntime
    from openocpp.testing.conversation import ScriptedPeer
    from openocpp.types import AuthorizeResult

Accepted = AuthorizationStatus.Accepted
Blocked = AuthorizationStatus.Blocked
Expired = AuthorizationStatus.Expired
Invalid = AuthorizationStatus.Invalid

WALL = datetime(2024, 1, 1, tzinfo=UTC)
PAST = WALL - timedelta(days=1)
FUTURE = WALL + timedelta(days=1)


def asked(
    station: Station, peer: ScriptedPeer, id_tag: str, status: str = "Accepted", connector_id: int = 1, **info: str
) -> AuthorizeResult:
    """Authorized by the central system, which must be asked."""
    user = station.sim.user(lambda: station.cp.authorize(connector_id, id_tag))
    peer.expect_call("Authorize", {"idTag": id_tag}).answer(judged(status, **info))
    return user.result()


def not_asked(station: Station, peer: ScriptedPeer, id_tag: str, connector_id: int = 1) -> AuthorizeResult:
    """Authorized without a word."""
    user = station.sim.user(lambda: station.cp.authorize(connector_id, id_tag))
    peer.expect_nothing(0.5)
    return user.result()


def keys_of(station: Station, **values: str) -> None:
    for name, value in values.items():
        station.keys.put(name, value)


# -- online ------------------------------------------------------------------------------------------------------------


def test_online_the_central_system_decides_whatever_the_list_says(station: Station, central: CentralSide) -> None:
    know(station, listed=[IdTagRow("TAG", "Invalid")])
    peer = online(station, central)
    user = station.sim.user(lambda: station.cp.authorize(1, "TAG"))
    peer.expect_call("Authorize", {"idTag": "TAG"}).answer(judged("Accepted", parentIdTag="P"))
    assert user.result() == (Accepted, "P")
    peer.expect_call("StatusNotification", {"connectorId": 0, "errorCode": "LocalListConflict"})


def test_online_the_central_system_decides_whatever_the_cache_says(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    assert asked(station, peer, "TAG") == (Accepted, "")
    assert asked(station, peer, "TAG", "Invalid") == (Invalid, "")


def test_pre_authorization_takes_the_word_of_the_list_as_final(station: Station, central: CentralSide) -> None:
    keys_of(station, LocalPreAuthorize="true")
    know(
        station,
        listed=[IdTagRow("BAD", "Invalid"), IdTagRow("OLD", "Accepted", None, PAST), IdTagRow("TAG", "Accepted", "P")],
    )
    peer = online(station, central)
    assert not_asked(station, peer, "BAD") == (Invalid, "")
    assert not_asked(station, peer, "OLD") == (Expired, "")
    assert not_asked(station, peer, "TAG") == (Accepted, "P")


def test_pre_authorization_asks_about_what_the_cache_does_not_accept(station: Station, central: CentralSide) -> None:
    keys_of(station, LocalPreAuthorize="true")
    know(station, cached=[IdTagRow("TAG", "Invalid")])
    peer = online(station, central)
    assert asked(station, peer, "TAG") == (Accepted, "")
    assert not_asked(station, peer, "TAG") == (Accepted, "")  # the central system would refuse it now


def test_the_list_goes_before_the_cache(station: Station, central: CentralSide) -> None:
    keys_of(station, LocalPreAuthorize="true")
    know(station, listed=[IdTagRow("TAG", "Invalid")], cached=[IdTagRow("TAG", "Accepted")])
    peer = online(station, central)
    assert not_asked(station, peer, "TAG") == (Invalid, "")


def test_a_disabled_cache_is_neither_read_nor_written(station: Station, central: CentralSide) -> None:
    keys_of(station, LocalPreAuthorize="true", AuthorizationCacheEnabled="false")
    know(station, cached=[IdTagRow("OLD", "Accepted")])
    peer = online(station, central)
    assert asked(station, peer, "OLD", "Blocked") == (Blocked, "")
    assert asked(station, peer, "NEW") == (Accepted, "")
    assert asked(station, peer, "NEW") == (Accepted, "")
    assert list(cached(station)) == ["OLD"]
    assert cached(station)["OLD"].status == "Accepted"


@pytest.mark.parametrize("how", ["silence", "CALLERROR", "nonsense", "cut"])
def test_without_an_answer_the_offline_rules_decide(station: Station, central: CentralSide, how: str) -> None:
    know(station, listed=[IdTagRow("TAG", "Blocked", "P")])
    keys_of(station, AllowOfflineTxForUnknownId="false")
    peer = online(station, central)
    for id_tag, result in (("TAG", (Blocked, "P")), ("NEW", (Invalid, ""))):
        user = station.sim.user(lambda id_tag=id_tag: station.cp.authorize(1, id_tag))  # type: ignore[misc]
        call = peer.expect_call("Authorize")
        if how == "CALLERROR":
            call.refuse("InternalError")
        elif how == "nonsense":
            call.answer({"idTagInfo": {"status": "Perhaps"}})
        elif how == "cut":
            station.sim.network.cut()
            peer = central.accept()
        assert user.result() == result


def test_an_id_tag_that_is_too_long_is_an_error_and_nothing_is_sent(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    with pytest.raises(LocalProtocolError):
        station.cp.authorize(1, "T" * 21)
    go_offline(station)
    with pytest.raises(LocalProtocolError):  # offline too, where unknown id tags are welcome
        station.cp.authorize(1, "T" * 21)
    assert peer.script.count("Authorize") == 0


def test_before_it_is_accepted_nothing_is_authorized(station: Station, central: CentralSide) -> None:
    assert station.cp.start()
    peer = central.boot(status="Pending")
    station.sim.run_until(lambda: station.cp.registration_status is RegistrationStatus.Pending, 10)
    assert not_asked(station, peer, "TAG") == (Invalid, "")
    assert not_asked(station, peer, "TAG", connector_id=9) == (Invalid, "")


# -- offline -----------------------------------------------------------------------------------------------------------


def offline_results(station: Station, central: CentralSide, *id_tags: str) -> list[AuthorizeResult]:
    online(station, central)
    go_offline(station)
    return [station.cp.authorize(1, id_tag) for id_tag in id_tags]


def test_offline_nothing_is_accepted_unless_a_key_says_so(station: Station, central: CentralSide) -> None:
    keys_of(station, LocalAuthorizeOffline="false", AllowOfflineTxForUnknownId="false")
    know(station, listed=[IdTagRow("LIST", "Accepted")], cached=[IdTagRow("CACHE", "Accepted")])
    assert offline_results(station, central, "LIST", "CACHE", "NEW") == [(Invalid, "")] * 3


def test_offline_list_and_cache_are_asked(station: Station, central: CentralSide) -> None:
    keys_of(station, AllowOfflineTxForUnknownId="false")
    know(station, listed=[IdTagRow("LIST", "Accepted", "P")], cached=[IdTagRow("CACHE", "Blocked", "Q")])
    found = offline_results(station, central, "LIST", "CACHE", "NEW")
    assert found == [(Accepted, "P"), (Blocked, "Q"), (Invalid, "")]


def test_offline_neither_list_nor_cache_are_asked_when_disabled(station: Station, central: CentralSide) -> None:
    keys_of(
        station,
        AllowOfflineTxForUnknownId="false",
        LocalAuthListEnabled="false",
        AuthorizationCacheEnabled="false",
    )
    know(station, listed=[IdTagRow("LIST", "Accepted", "P")], cached=[IdTagRow("CACHE", "Accepted")])
    assert offline_results(station, central, "LIST", "CACHE") == [(Invalid, "")] * 2


@pytest.mark.parametrize("authorize_offline", ["true", "false"])
def test_offline_what_is_known_and_not_valid_is_refused_where_unknown_is_welcome(
    station: Station, central: CentralSide, authorize_offline: str
) -> None:
    keys_of(station, LocalAuthorizeOffline=authorize_offline)
    know(
        station,
        listed=[IdTagRow("OLDLIST", "Accepted", None, PAST), IdTagRow("BAD", "Blocked")],
        cached=[IdTagRow("OLDCACHE", "Accepted", None, PAST)],
    )
    found = offline_results(station, central, "NEW", "OLDLIST", "OLDCACHE", "BAD")
    assert [status for status, _ in found] == [Accepted, Expired, Expired, Blocked]


def test_an_entry_expires_to_the_second(station: Station, central: CentralSide) -> None:
    expiry = WALL + timedelta(seconds=100)
    know(
        station,
        listed=[IdTagRow("LIST", "Accepted", None, expiry)],
        cached=[IdTagRow("CACHE", "Accepted", "P", expiry)],
    )
    online(station, central)
    go_offline(station)
    station.sim.set_wall(expiry - timedelta(seconds=1))
    assert [station.cp.authorize(1, tag)[0] for tag in ("LIST", "CACHE")] == [Accepted, Accepted]
    station.sim.set_wall(expiry + timedelta(seconds=1))
    assert [station.cp.authorize(1, tag) for tag in ("LIST", "CACHE")] == [(Expired, ""), (Expired, "P")]
    assert cached(station)["CACHE"].id_tag == "CACHE"  # kept, as expired (1.6 §3.5.1)


def test_as_accepted_in_the_last_session_it_works_offline(station: Station, central: CentralSide) -> None:
    know(station, listed=[IdTagRow("LIST", "Accepted")])
    online(station, central)
    station.sim.network.refuse()
    station.restart()
    station.sim.run_until(lambda: station.cp.registration_status is RegistrationStatus.Accepted, 60)
    assert station.cp.authorize(1, "LIST") == (Accepted, "")


# -- no case -----------------------------------------------------------------------------------------------------------


def test_id_tags_have_no_case(station: Station, central: CentralSide) -> None:
    keys_of(station, LocalPreAuthorize="true")
    know(station, listed=[IdTagRow("List", "Accepted")], cached=[IdTagRow("Cache", "Accepted", "Group")])
    peer = online(station, central)
    assert not_asked(station, peer, "lIST") == (Accepted, "")
    assert not_asked(station, peer, "cACHE") == (Accepted, "Group")
    user = starting(station, id_tag="Start")
    peer.expect_call("StartTransaction", {"idTag": "Start"}).answer(started(1, parentIdTag="GROUP"))
    assert user.result() is Accepted
    assert not_asked(station, peer, "sTART") == (Accepted, "GROUP")
    assert not_asked(station, peer, "CACHE") == (Accepted, "Group")  # of the same group, however it is spelled


def test_who_started_has_no_case_either(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    begin(station, peer, id_tag="Start")
    assert not_asked(station, peer, "sTART") == (Accepted, "")


def test_an_id_tag_is_sent_as_it_was_presented(station: Station, central: CentralSide) -> None:
    know(station, cached=[IdTagRow("TAG", "Invalid")])
    peer = online(station, central)
    assert asked(station, peer, "tag") == (Accepted, "")
    assert list(cached(station)) == ["tag"]  # one entry


# -- who may stop a transaction (1.6 §3.10, §4.1) ----------------------------------------------------------------------


def test_the_tag_that_started_and_its_group_may_stop(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    user = starting(station)
    peer.expect_call("StartTransaction").answer(started(1, parentIdTag="P"))
    assert user.result() is Accepted
    assert not_asked(station, peer, "TAG") == (Accepted, "P")
    assert asked(station, peer, "MATE", parentIdTag="P") == (Accepted, "P")
    assert asked(station, peer, "OTHER", parentIdTag="Q") == (Invalid, "Q")
    assert asked(station, peer, "ALONE") == (Invalid, "")
    assert asked(station, peer, "BAD", "Blocked", parentIdTag="P")[0] is Blocked
    assert asked(station, peer, "OTHER", parentIdTag="Q", connector_id=2) == (Accepted, "Q")  # nothing runs there


def test_without_a_group_nobody_else_may_stop(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    begin(station, peer)
    assert not_asked(station, peer, "OTHER") == (Invalid, "")


def test_the_group_is_known_from_the_authorization_when_the_start_is_queued(
    station: Station, central: CentralSide
) -> None:
    keys_of(station, AuthorizationCacheEnabled="false")
    peer = online(station, central)
    assert asked(station, peer, "TAG", parentIdTag="P") == (Accepted, "P")
    go_offline(station)
    assert station.cp.start_transaction(1, "TAG") is Accepted
    assert station.cp.authorize(1, "TAG") == (Accepted, "P")


def test_the_group_survives_an_answer_without_it_and_a_restart(station: Station, central: CentralSide) -> None:
    know(station, listed=[IdTagRow("TAG", "Accepted", "P"), IdTagRow("MATE", "Accepted", "P")])
    peer = online(station, central)
    begin(station, peer)  # the answer names no group
    station.sim.network.refuse()
    station.restart()
    station.sim.run_until(lambda: station.cp.registration_status is RegistrationStatus.Accepted, 60)
    assert station.cp.authorize(1, "MATE") == (Accepted, "P")


def test_only_so_many_groups_are_remembered_without_a_cache(station: Station, central: CentralSide) -> None:
    keys_of(station, AuthorizationCacheEnabled="false")
    peer = online(station, central)
    for number in range(MAX_PARENTS + 1):
        asked(station, peer, f"TAG{number}", parentIdTag="P")
    authorization = station.cp._session.authorization  # type: ignore[attr-defined]
    assert (authorization.parent_of("TAG0"), authorization.parent_of("tag1")) == ("", "P")


# -- the cache ---------------------------------------------------------------------------------------------------------


def test_what_the_central_system_says_is_remembered_whole(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    asked(station, peer, "PLAIN")
    asked(station, peer, "FULL", "Blocked", parentIdTag="P", expiryDate="2024-06-01T10:00:00Z")
    expiry = datetime(2024, 6, 1, 10, tzinfo=UTC)
    assert cached(station) == {"PLAIN": IdTagRow("PLAIN", "Accepted"), "FULL": IdTagRow("FULL", "Blocked", "P", expiry)}
    asked(station, peer, "FULL", "Accepted")
    assert cached(station)["FULL"] == IdTagRow("FULL", "Accepted")


def test_a_full_cache_loses_what_is_not_valid_first_then_the_oldest(
    sim: SimulatedRuntime, central: CentralSide, tmp_path: Path
) -> None:
    station = Station(sim, str(tmp_path / "cp.db"), authent_cache_max_entries_count=5)
    peer = online(station, central)
    for id_tag in ("A", "B", "C", "D"):
        asked(station, peer, id_tag)
    asked(station, peer, "BAD", "Invalid")
    asked(station, peer, "E")
    assert list(cached(station)) == ["A", "B", "C", "D", "E"]
    asked(station, peer, "A")  # the youngest now
    asked(station, peer, "F")
    assert list(cached(station)) == ["C", "D", "E", "A", "F"]
    station.cp.stop()


def test_a_lowered_maximum_is_applied_at_the_start(sim: SimulatedRuntime, central: CentralSide, tmp_path: Path) -> None:
    station = Station(sim, str(tmp_path / "cp.db"))
    know(station, cached=[IdTagRow(f"T{number}", "Accepted") for number in range(10)])
    station = Station(sim, str(tmp_path / "cp.db"), authent_cache_max_entries_count=3)
    online(station, central)
    assert list(cached(station)) == ["T7", "T8", "T9"]
    station.cp.stop()


def test_concurrent_says_nothing_against_the_tag(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    assert asked(station, peer, "TAG", "ConcurrentTx")[0] is AuthorizationStatus.ConcurrentTx
    assert cached(station)["TAG"].status == "Accepted"


def test_cache_and_list_survive_a_restart(station: Station, central: CentralSide) -> None:
    know(station, listed=[IdTagRow("LIST", "Accepted", "P")])
    peer = online(station, central)
    asked(station, peer, "CACHE", parentIdTag="Q")
    station.sim.network.refuse()
    station.restart()
    station.sim.run_until(lambda: station.cp.registration_status is RegistrationStatus.Accepted, 60)
    assert [station.cp.authorize(1, tag) for tag in ("LIST", "CACHE")] == [(Accepted, "P"), (Accepted, "Q")]


def test_clear_cache(station: Station, central: CentralSide) -> None:
    know(station, cached=[IdTagRow("TAG", "Accepted")])
    peer = online(station, central)
    for _ in range(2):
        assert peer.call("ClearCache").result() == {"status": "Accepted"}
        assert cached(station) == {}
    asked(station, peer, "TAG")
    keys_of(station, AuthorizationCacheEnabled="false")
    assert peer.call("ClearCache").result() == {"status": "Rejected"}
    assert list(cached(station)) == ["TAG"]


@pytest.mark.parametrize("expiry", [None, PAST])
def test_tags_of_the_list_never_enter_the_cache(
    station: Station, central: CentralSide, expiry: datetime | None
) -> None:
    know(station, listed=[IdTagRow("TAG", "Accepted", None, expiry)])
    peer = online(station, central)
    peer.answers["StatusNotification"] = {}
    asked(station, peer, "tag", "Accepted")
    asked(station, peer, "tag", "Blocked")
    assert cached(station) == {}


# -- what the answers about transactions tell (1.6 §3.5.1) -------------------------------------------------------------


def test_the_answer_to_a_start_is_remembered(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    for id_tag, status in (("A", "Blocked"), ("B", "ConcurrentTx"), ("C", "Accepted")):
        user = starting(station, id_tag=id_tag)
        peer.expect_call("StartTransaction").answer(started(1, status, parentIdTag="P"))
        user.result()
        if status == "Accepted":
            stopping(station)
        peer.expect_call("StopTransaction").answer()
        station.sim.sleep(1)
    assert cached(station) == {"A": IdTagRow("A", "Blocked", "P"), "C": IdTagRow("C", "Accepted", "P")}


def test_the_answer_to_a_queued_start_is_remembered(station: Station, central: CentralSide) -> None:
    online(station, central)
    go_offline(station)
    station.cp.start_transaction(1, "TAG")
    peer = go_online(station, central)
    peer.expect_call("StartTransaction").answer(started(1, "Accepted", parentIdTag="P"))
    station.sim.run_until(lambda: "TAG" in cached(station), 10)
    assert cached(station)["TAG"].parent_id_tag == "P"


def test_the_answer_to_a_stop_is_remembered_for_the_tag_that_stopped(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    for id_tag in ("STOPPER", ""):
        begin(station, peer)
        user = stopping(station, id_tag=id_tag)
        call = peer.expect_call("StopTransaction", {"idTag": id_tag or ABSENT})
        call.answer({"idTagInfo": {"status": "Expired"}})
        assert user.result() is True
        quiet(station)
    assert cached(station)["STOPPER"].status == "Expired"
    assert set(cached(station)) == {"STOPPER", "TAG"}  # nothing for an id tag ""


# -- contradictions between list and central system (1.6 §3.5.2) -------------------------------------------------------


def test_a_contradiction_about_a_start_is_notified(station: Station, central: CentralSide) -> None:
    know(station, listed=[IdTagRow("TAG", "Accepted")])
    peer = online(station, central)
    user = starting(station)
    peer.expect_call("StartTransaction").answer(started(1, "Blocked"))
    calls = [peer.expect_frame() for _ in range(2)]
    assert user.result() is Blocked
    found = {frame[2]: frame[3] for frame in calls}
    assert found["StatusNotification"]["connectorId"] == 0
    assert found["StatusNotification"]["errorCode"] == "LocalListConflict"
    assert found["StatusNotification"]["status"] == "Available"
    assert found["StopTransaction"]["reason"] == "DeAuthorized"


@pytest.mark.parametrize("status", ["Accepted", "ConcurrentTx"])
def test_no_contradiction_is_not_notified(station: Station, central: CentralSide, status: str) -> None:
    know(station, listed=[IdTagRow("TAG", "Accepted")])
    peer = online(station, central)
    asked(station, peer, "TAG", status)
    peer.expect_nothing(5)


def test_a_blocked_entry_and_a_blocked_answer_do_not_contradict(station: Station, central: CentralSide) -> None:
    know(station, listed=[IdTagRow("TAG", "Blocked")])
    peer = online(station, central)
    asked(station, peer, "TAG", "Invalid")
    peer.expect_nothing(5)


def test_authorizing_changes_nothing_else(station: Station, central: CentralSide) -> None:
    peer = online(station, central)
    asked(station, peer, "TAG")
    asked(station, peer, "TAG", connector_id=0)
    assert queued(station) == []
    assert station.cp.transaction_id(1) is None
    begin(station, peer)
    end(station, peer)
    peer.expect_nothing(5)
