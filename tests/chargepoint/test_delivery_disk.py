"""The durable queues on a disk that refuses for a while, or tells nonsense."""

from __future__ import annotations

import pytest

from openocpp.errors import StoreError
from openocpp.store.local_list import LocalList
from openocpp.store.outbox import Outbox as OutboxTable
from openocpp.store.transactions import Transactions as TransactionTable
from openocpp.types import AuthorizationStatus
from tests.chargepoint.conftest import CentralSide, Station, online
from tests.chargepoint.driving import begin, database_of, quiet, started, starting


def test_a_message_that_cannot_be_removed_is_not_sent_again_in_this_run(
    station: Station, central: CentralSide, caplog: pytest.LogCaptureFixture
) -> None:
    peer = online(station, central)
    database = station.cp._session.ctx.database  # type: ignore[attr-defined]
    trigger = "CREATE TRIGGER stuck BEFORE DELETE ON Outbox BEGIN SELECT RAISE(FAIL, 'disk I/O error'); END"
    database.write(lambda connection: connection.execute(trigger).fetchone())
    assert begin(station, peer).payload["idTag"] == "TAG"
    assert station.cp.transaction_id(1) == 42
    assert station.cp.stop_transaction(1) is True  # queued behind it
    peer.expect_nothing(100)
    assert "cannot be removed" in caplog.text
    database.write(lambda connection: connection.execute("DROP TRIGGER stuck").fetchone())
    peer.expect_call("StopTransaction", {"transactionId": 42}).answer()
    quiet(station)


@pytest.mark.parametrize("method", ["head", "get"])
def test_a_queue_that_cannot_be_read_is_asked_again(
    station: Station, central: CentralSide, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    def refuse(*_: object) -> None:
        raise StoreError("disk I/O error")

    peer = online(station, central)
    begin(station, peer)
    monkeypatch.setattr(*{"head": (OutboxTable, "head"), "get": (TransactionTable, "get")}[method], refuse)
    assert station.cp.stop_transaction(1) is True
    peer.expect_nothing(9)
    monkeypatch.undo()
    peer.expect_call("StopTransaction", {"transactionId": 42}).answer()


def test_an_answer_that_cannot_be_looked_at_yet_has_its_effect_once(
    station: Station, central: CentralSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StoreError("disk I/O error")

    peer = online(station, central)
    user = starting(station)
    call = peer.expect_call("StartTransaction")
    monkeypatch.setattr(LocalList, "get", refuse)
    call.answer(started(5, "Invalid"))
    peer.expect_nothing(9)
    assert user.result() is AuthorizationStatus.Invalid
    monkeypatch.undo()
    peer.expect_call("StopTransaction", {"transactionId": 5, "reason": "DeAuthorized"}).answer()
    peer.expect_nothing(30)


def test_an_answer_that_cannot_be_stored_yet_has_its_effect_once(station: Station, central: CentralSide) -> None:
    station.keys.put("StopTransactionOnInvalidId", "false")
    peer = online(station, central)
    database = station.cp._session.ctx.database  # type: ignore[attr-defined]
    trigger = "CREATE TRIGGER stuck BEFORE DELETE ON Outbox BEGIN SELECT RAISE(FAIL, 'disk I/O error'); END"
    database.write(lambda connection: connection.execute(trigger).fetchone())
    user = starting(station)
    peer.expect_call("StartTransaction").answer(started(5, "Invalid"))
    assert user.result() is AuthorizationStatus.Invalid
    peer.expect_nothing(35)
    database.write(lambda connection: connection.execute("DROP TRIGGER stuck").fetchone())
    quiet(station)
    assert station.handler.of("transaction_de_authorized") == [(1,)]


def test_a_row_that_makes_no_sense_blocks_nobody(
    station: Station, central: CentralSide, caplog: pytest.LogCaptureFixture
) -> None:
    with database_of(station) as database:
        sql = "INSERT INTO Outbox VALUES (1, 'Unheard', 1, NULL, '{}', '2024-01-01T00:00:00.000000Z', 0)"
        database.write(lambda connection: connection.execute(sql).rowcount)
    peer = online(station, central)
    begin(station, peer)
    assert "cannot be sent and is dropped" in caplog.text
