from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from openocpp.errors import StoreError
from openocpp.store.transactions import TransactionRow, Transactions
from openocpp.store.tx_meter_values import TxMeterValueRow, TxMeterValues

if TYPE_CHECKING:
    from openocpp.store.database import Database

NOW = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def values(database: Database) -> TxMeterValues:
    for key in (1, 2):
        row = TransactionRow(key=key, connector_id=key, id_tag="Tag", meter_start=0, start_time=NOW)
        Transactions(database).save(row)
    return TxMeterValues(database)


def texts(values: TxMeterValues, key: int) -> list[str]:
    return [row.meter_value for row in values.rows(key)]


def test_each_transaction_has_its_own_in_order(values: TxMeterValues) -> None:
    for key, text in [(1, "a"), (2, "b"), (1, "c"), (2, "d"), (1, "e")]:
        values.add(key, text)
    assert (texts(values, 1), texts(values, 2)) == (["a", "c", "e"], ["b", "d"])
    assert (values.count(1), values.count(2), values.count(3)) == (3, 2, 0)
    assert values.rows(2)[0] == TxMeterValueRow(2, 2, "b")


def test_a_value_is_durable_when_it_is_added(values: TxMeterValues, database: Database) -> None:
    before = database.commits
    values.add(1, "a")
    assert database.commits == before + 1


def test_a_value_of_no_transaction_is_refused(values: TxMeterValues) -> None:
    with pytest.raises(StoreError, match="FOREIGN KEY"):
        values.add(99, "a")


def test_those_of_one_transaction_are_removed_together(values: TxMeterValues, database: Database) -> None:
    for key in (1, 2, 1):
        values.add(key, "x")
    database.write(lambda connection: TxMeterValues.remove_in(connection, 1))
    assert (values.count(1), values.count(2)) == (0, 1)


def test_some_are_removed_to_make_room(values: TxMeterValues) -> None:
    for text in "abcde":
        values.add(1, text)
    values.remove(row.id for row in values.rows(1)[1:-1:2])
    assert texts(values, 1) == ["a", "c", "e"]


def test_they_end_with_their_transaction(values: TxMeterValues, database: Database) -> None:
    values.add(1, "x")
    database.write(lambda connection: connection.execute("DELETE FROM Transactions WHERE key = 1").rowcount)
    assert values.count(1) == 0


def test_those_of_forgotten_transactions_go(values: TxMeterValues, database: Database) -> None:
    values.add(1, "a")
    values.add(2, "b")
    database.write(lambda connection: connection.execute("UPDATE Transactions SET running = 0 WHERE key = 1").rowcount)
    values.prune()
    assert (texts(values, 1), texts(values, 2)) == ([], ["b"])
