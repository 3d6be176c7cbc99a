from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from openocpp.store.database import CHARGE_POINT, Database
from openocpp.store.outbox import Outbox, OutboxRow
from openocpp.store.transactions import TransactionRow, Transactions
from openocpp.store.tx_meter_values import TxMeterValues

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from openocpp.runtime import Runtime

NOW = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def transactions(database: Database) -> Transactions:
    return Transactions(database)


def start(database: Database, connector_id: int = 1) -> TransactionRow:
    """Begin a transaction as a role does: its row and its message in one job."""

    def job(connection: sqlite3.Connection) -> TransactionRow:
        row = TransactionRow(
            key=Transactions.next_key_in(connection),
            connector_id=connector_id,
            id_tag="Tag",
            meter_start=1000,
            start_time=NOW,
        )
        Transactions.save_in(connection, row)
        return row

    return database.write(job)


def end(database: Database, row: TransactionRow) -> None:
    Transactions(database).save(replace(row, running=False, meter_stop=2000, stop_time=NOW, stop_reason="Local"))


def test_a_transaction_comes_back_as_it_was_saved(database: Database, transactions: Transactions) -> None:
    row = replace(start(database), parent_id_tag="P", reservation_id=-4, cs_id=0, start_answered=True)
    transactions.save(row)
    assert transactions.get(row.key) == row
    assert transactions.get(99) is None


@pytest.mark.parametrize("cs_id", [0, -1, -(2**31), 2**31 - 1])
def test_any_integer_is_an_id_of_the_central_system(database: Database, transactions: Transactions, cs_id: int) -> None:
    row = replace(start(database), cs_id=cs_id)
    transactions.save(row)
    assert transactions.rows() == [row]


def test_keys_rise(database: Database, transactions: Transactions) -> None:
    assert [start(database).key for _ in range(3)] == [1, 2, 3]


def test_those_that_run_are_told_apart(database: Database, transactions: Transactions) -> None:
    rows = [start(database, connector) for connector in (1, 2, 3)]
    end(database, rows[1])
    assert transactions.running() == [rows[0], rows[2]]
    assert [row.running for row in transactions.rows()] == [True, False, True]


def test_what_is_over_and_delivered_is_forgotten(database: Database, transactions: Transactions) -> None:
    running, queued, over, newest = [start(database) for _ in range(4)]
    for row in (queued, over, newest):
        end(database, row)
    Outbox(database).append(
        OutboxRow(action="StopTransaction", connector_id=1, transaction_key=queued.key, payload="{}", created=NOW)
    )
    transactions.prune()
    assert [row.key for row in transactions.rows()] == [running.key, queued.key, newest.key]


def test_no_key_is_used_twice_even_after_a_restart(runtime: Runtime, tmp_path: Path) -> None:
    path = str(tmp_path / "a.db")
    keys = []
    for _ in range(3):
        database = Database.open(runtime, path, CHARGE_POINT)
        for _ in range(2):
            row = start(database)
            keys.append(row.key)
            end(database, row)
            Transactions(database).prune()
        database.close()
    assert keys == [1, 2, 3, 4, 5, 6]


def test_saving_a_transaction_keeps_its_meter_values(database: Database, transactions: Transactions) -> None:
    row = start(database)
    values = TxMeterValues(database)
    values.add(row.key, "{}")
    transactions.save(replace(row, cs_id=5))
    assert values.count(row.key) == 1


def test_start_message_and_row_are_one_commit(database: Database) -> None:
    outbox = Outbox(database)

    def job(connection: sqlite3.Connection) -> None:
        key = Transactions.next_key_in(connection)
        row = TransactionRow(key=key, connector_id=1, id_tag="Tag", meter_start=0, start_time=NOW)
        Transactions.save_in(connection, row)
        message = OutboxRow(action="StartTransaction", connector_id=1, transaction_key=key, payload="{}", created=NOW)
        outbox.append_in(connection, message)

    database.write(job)
    assert database.commits == 1
    assert (len(Transactions(database).running()), outbox.count()) == (1, 1)


def test_what_is_over_can_be_forgotten_one_by_one(database: Database, transactions: Transactions) -> None:
    rows = [start(database) for _ in range(3)]
    end(database, rows[0])
    end(database, rows[2])
    database.write(lambda connection: Transactions.forget_in(connection, [row.key for row in rows]))
    assert [row.key for row in transactions.rows()] == [rows[1].key, rows[2].key]  # one runs, one tells the next key
