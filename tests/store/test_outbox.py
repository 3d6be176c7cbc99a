from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from openocpp.store.outbox import Outbox, OutboxRow

if TYPE_CHECKING:
    from openocpp.store.database import Database

NOW = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def outbox(database: Database) -> Outbox:
    return Outbox(database)


def message(action: str, transaction_key: int | None = None, payload: str = "{}") -> OutboxRow:
    return OutboxRow(action=action, connector_id=1, transaction_key=transaction_key, payload=payload, created=NOW)


def drain(outbox: Outbox) -> list[str]:
    """The payloads, as they would be sent."""
    sent = []
    row = outbox.head()
    while row is not None:
        sent.append(row.payload)
        row = outbox.remove_and_next(row.id)
    return sent


def trim(database: Database, maximum: int, in_flight: int = 0) -> int:
    return database.write(lambda connection: Outbox.trim_in(connection, maximum, in_flight))


def test_a_message_comes_back_as_it_was_appended(outbox: Outbox) -> None:
    number = outbox.append(message("StartTransaction", 7, '{"idTag":"ä"}'))
    assert outbox.head() == OutboxRow(
        id=number, action="StartTransaction", connector_id=1, transaction_key=7, payload='{"idTag":"ä"}', created=NOW
    )


def test_attempts_are_remembered_lazily(outbox: Outbox, database: Database) -> None:
    number = outbox.append(message("StopTransaction", 1))
    outbox.set_attempts(number, 2)
    head = outbox.head()
    assert head is not None
    assert (head.attempts, database.commits) == (2, 1)


def test_too_many_meter_values_lose_the_oldest_but_no_transaction_does(outbox: Outbox, database: Database) -> None:
    for number in range(5):
        outbox.append(message("MeterValues", None, f"idle {number}"))
        outbox.append(message("MeterValues", 1, f"of transaction {number}"))
        outbox.append(message("StartTransaction", None, f"start {number}"))
    assert outbox.count_droppable() == 5
    assert trim(database, 2) == 3
    assert outbox.count_droppable() == 2
    assert trim(database, 2) == 0
    sent = drain(outbox)
    assert [text for text in sent if text.startswith("idle")] == ["idle 3", "idle 4"]
    assert len(sent) == 12


def test_what_is_just_being_sent_is_not_dropped(outbox: Outbox, database: Database) -> None:
    ids = [outbox.append(message("MeterValues", None, f"idle {number}")) for number in range(4)]
    assert trim(database, 1, in_flight=ids[0]) == 3
    assert drain(outbox) == ["idle 0"]
    assert trim(database, 0, in_flight=ids[0]) == 0


def test_appending_and_trimming_are_one_commit(outbox: Outbox, database: Database) -> None:
    for number in range(3):
        database.write(
            lambda connection, number=number: (  # type: ignore[misc]
                outbox.append_in(connection, message("MeterValues", None, str(number))),
                Outbox.trim_in(connection, 2),
            )
        )
    assert (drain(outbox), database.commits) == (["1", "2"], 5)


def test_the_droppable_ones_are_found_by_their_index(database: Database) -> None:
    plan = database.read(
        "EXPLAIN QUERY PLAN SELECT count(*) FROM Outbox WHERE action = 'MeterValues' AND transaction_key IS NULL"
    )
    assert "OutboxDroppable" in str(plan)
