from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openocpp.store.connectors import ConnectorRow, Connectors, forget_connectors
from openocpp.store.transactions import TransactionRow, Transactions

if TYPE_CHECKING:
    from openocpp.store.database import Database

NOW = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)

RESERVED = ConnectorRow(
    id=2,
    status="Reserved",
    error_code="GroundFailure",
    info="wet",
    vendor_id="V",
    vendor_error="E7",
    status_time=NOW,
    notified_status="Available",
    notified_error="NoError",
    real_status="Available",
    availability="Operative",
    scheduled_availability="Inoperative",
    reservation_id=0,
    reservation_id_tag="Tag",
    reservation_parent_id_tag="Parent",
    reservation_expiry=NOW,
)


def test_a_new_file_has_available_connectors_0_to_n(database: Database) -> None:
    rows = Connectors(database).load(2)
    assert rows == [ConnectorRow(0), ConnectorRow(1), ConnectorRow(2)]
    assert (rows[1].status, rows[1].availability, rows[1].reservation_id) == ("Available", "Operative", None)


def test_what_was_saved_is_loaded(database: Database) -> None:
    connectors = Connectors(database)
    connectors.load(2)
    before = database.commits
    connectors.save(RESERVED)
    assert database.commits == before + 1
    assert connectors.load(2) == [ConnectorRow(0), ConnectorRow(1), RESERVED]
    assert database.commits == before + 1


def test_a_status_is_saved_lazily(database: Database) -> None:
    connectors = Connectors(database)
    connectors.load(1)
    before = database.commits
    connectors.save_lazily(replace(ConnectorRow(1), status="Charging", status_time=NOW))
    assert connectors.rows()[1].status == "Charging"
    assert database.commits == before


def test_another_number_of_connectors_makes_all_anew(database: Database) -> None:
    connectors = Connectors(database)
    connectors.load(2)
    connectors.save(RESERVED)
    assert connectors.load(3) == [ConnectorRow(number) for number in range(4)]
    connectors.save(RESERVED)
    assert connectors.load(1) == [ConnectorRow(0), ConnectorRow(1)] == connectors.rows()


def test_a_missing_row_makes_all_anew(database: Database) -> None:
    connectors = Connectors(database)
    connectors.load(2)
    connectors.save(RESERVED)
    database.write(lambda connection: connection.execute("DELETE FROM Connectors WHERE id = 1").rowcount)
    assert connectors.load(2) == [ConnectorRow(number) for number in range(3)]


def test_all_can_be_forgotten_and_no_transaction_runs_then(database: Database) -> None:
    connectors, transactions = Connectors(database), Transactions(database)
    connectors.load(2)
    connectors.save(RESERVED)
    row = TransactionRow(key=1, connector_id=1, id_tag="Tag", meter_start=1000, start_time=NOW)
    transactions.save(row)
    before = database.commits
    forget_connectors(database)
    assert database.commits == before + 1
    assert (connectors.rows(), transactions.running()) == ([], [])
    assert transactions.rows() == [replace(row, running=False)]  # its messages may still be on their way
    assert connectors.load(2) == [ConnectorRow(0), ConnectorRow(1), ConnectorRow(2)]
