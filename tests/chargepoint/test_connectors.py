"""The connectors and what survives of them: defaults, reload, another number, transactions that belong to none."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from openocpp.chargepoint.connectors import Connectors, Operation
from openocpp.store.connectors import ConnectorRow
from openocpp.store.database import CHARGE_POINT, Database
from openocpp.store.transactions import TransactionRow, Transactions
from openocpp.types import ChargePointErrorCode, ChargePointStatus

if TYPE_CHECKING:
    from pathlib import Path

    from openocpp.testing import SimulatedRuntime

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


class Disk:
    """A database file that connectors are read from again and again."""

    def __init__(self, sim: SimulatedRuntime, path: Path) -> None:
        self._sim = sim
        self._path = str(path)
        self.database = Database.open(sim, self._path, CHARGE_POINT)

    def load(self, count: int = 2) -> Connectors:
        return Connectors(self.database, count, "CP1")

    def reload(self, count: int = 2) -> Connectors:
        """As another process would."""
        self.database.close()
        self.database = Database.open(self._sim, self._path, CHARGE_POINT)
        return self.load(count)

    def save(self, row: TransactionRow) -> None:
        Transactions(self.database).save(row)


@pytest.fixture
def disk(sim: SimulatedRuntime, tmp_path: Path) -> Disk:
    return Disk(sim, tmp_path / "cp.db")


def transaction(key: int, connector_id: int, cs_id: int | None = None, *, running: bool = True) -> TransactionRow:
    return TransactionRow(
        key=key, connector_id=connector_id, id_tag="TAG", meter_start=0, start_time=NOON, cs_id=cs_id, running=running
    )


def test_a_new_database(disk: Disk) -> None:
    connectors = disk.load()
    assert [connector.id for connector in connectors] == [0, 1, 2]
    assert len(connectors) == 3
    assert connectors.whole.id == 0
    assert [connector.id for connector in connectors.physical] == [1, 2]
    for connector in connectors:
        assert connector.status is ChargePointStatus.Available
        assert connector.real_status is ChargePointStatus.Available
        assert connector.error_code is ChargePointErrorCode.NoError
        assert connector.is_operative
        assert not connector.is_reserved
        assert not connector.is_busy
        assert connector.transaction is None
        assert connectors.differs(connector)  # nobody was told anything yet
    assert connectors.get(3) is None
    assert connectors.get(-1) is None
    assert connectors.get(2) is connectors.physical[1]


FILLED = ConnectorRow(
    id=1,
    status="Faulted",
    error_code="GroundFailure",
    info="something",
    vendor_id="vendor",
    vendor_error="E1",
    status_time=NOON,
    notified_status="Charging",
    notified_error="NoError",
    real_status="Charging",
    availability="Inoperative",
    scheduled_availability="Operative",
    reservation_id=5,
    reservation_id_tag="RESERVED",
    reservation_parent_id_tag="GROUP",
    reservation_expiry=NOON,
)


@pytest.mark.parametrize("durably", [True, False])
def test_all_fields_survive(disk: Disk, durably: bool) -> None:
    defaults = ConnectorRow(id=1)
    changes = {field.name: getattr(FILLED, field.name) for field in fields(ConnectorRow) if field.name != "id"}
    assert all(value != getattr(defaults, name) for name, value in changes.items())  # none of them is a default
    connectors = disk.load()
    update = connectors.update_durably if durably else connectors.update
    update(connectors.physical[0], **changes)
    loaded = disk.reload()
    assert loaded.physical[0].row == FILLED
    assert loaded.physical[1].row == ConnectorRow(id=2)
    assert not loaded.physical[0].is_operative
    assert loaded.physical[0].is_reserved


def test_a_row_can_be_stored_within_a_larger_job(disk: Disk) -> None:
    connectors = disk.load()
    row = replace(connectors.whole.row, info="new")
    disk.database.write(lambda connection: connectors.update_in(connection, row))
    assert connectors.whole.row.info == ""  # the caller assigns it once the job is done
    assert disk.reload().whole.row.info == "new"


def test_another_number_of_connectors_forgets_their_states(disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    connectors = disk.load(2)
    connectors.update_durably(connectors.physical[0], status="Charging")
    for count in (3, 1):
        loaded = disk.reload(count)
        assert [connector.row for connector in loaded] == [ConnectorRow(id=number) for number in range(count + 1)]
        loaded.update_durably(loaded.physical[0], status="Charging")
    assert "CP1: there are 3 connectors now, not 2: their states are forgotten" in caplog.text
    caplog.clear()
    assert disk.reload(1).physical[0].status is ChargePointStatus.Charging
    assert caplog.text == ""


def test_running_transactions_are_found_again(disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    disk.load()
    rows = [transaction(1, 1, running=False), transaction(2, 2, 42), transaction(3, 7, 43), transaction(4, 2, 44)]
    for row in rows:
        disk.save(row)
    connectors = disk.reload()
    first, second = connectors.physical
    assert (first.transaction, second.transaction) == (None, rows[1])
    assert second.is_busy
    assert connectors.by_transaction_id(42) is second
    assert connectors.by_transaction_key(2) is second
    for nowhere in (0, 1, 43, 44):
        assert connectors.by_transaction_id(nowhere) is None
    assert connectors.by_transaction_key(3) is None
    assert "CP1: transaction 3 ran on connector 7, which is no more" in caplog.text
    assert "CP1: transaction 4 ran on connector 2" in caplog.text  # only one can


def test_a_transaction_whose_id_is_not_known_is_found_by_its_key_only(disk: Disk) -> None:
    disk.save(transaction(1, 1))
    connectors = disk.load()
    assert connectors.by_transaction_id(0) is None
    assert connectors.by_transaction_id(-1) is None
    assert connectors.by_transaction_key(1) is connectors.physical[0]


def test_a_connector_is_busy_while_something_is_in_progress(disk: Disk) -> None:
    connector = disk.load().physical[0]
    for operation, busy in ((Operation.STARTING, True), (Operation.STOPPING, True), (Operation.NONE, False)):
        connector.operation = operation
        assert connector.is_busy is busy


def test_what_the_central_system_does_not_know(disk: Disk) -> None:
    connectors = disk.load()
    connector = connectors.whole
    status, error = ChargePointStatus.Available, ChargePointErrorCode.NoError
    connectors.note_notified(connector, status, error)
    assert not connectors.differs(connector)
    connectors.update(connector, error_code="WeakSignal")
    assert connectors.differs(connector)
    connectors.note_notified(connector, status, ChargePointErrorCode.WeakSignal)
    assert not connectors.differs(connector)
    connectors.update(connector, status="Faulted")
    assert connectors.differs(connector)
    loaded = disk.reload()
    assert loaded.differs(loaded.whole)
    connectors = loaded
    connectors.update(connectors.whole, status="Available")
    assert not connectors.differs(connectors.whole)


def test_the_repr_tells_status_and_transaction(disk: Disk) -> None:
    disk.save(transaction(9, 1))
    assert repr(disk.load().physical[0]) == "<connector 1 Available, transaction 9>"
