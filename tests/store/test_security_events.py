from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from openocpp.store import security_events
from openocpp.store.security_events import SecurityEventQueue, SecurityEventRow, SecurityLog, SecurityLogRow

if TYPE_CHECKING:
    import sqlite3

    from openocpp.store.database import Database

NOW = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)


def at(seconds: float, kind: str = "TamperDetectionActivated", *, critical: bool = True) -> SecurityLogRow:
    return SecurityLogRow(NOW + timedelta(seconds=seconds), kind, f"at {seconds}", critical)


@pytest.fixture
def log(database: Database) -> SecurityLog:
    return SecurityLog(database, 5)


def test_a_line_is_durable_and_comes_back_as_it_was_added(log: SecurityLog, database: Database) -> None:
    log.add(at(0, critical=False))
    [row] = log.rows()
    assert (row.timestamp, row.type, row.message, row.critical, row.id) == (
        NOW, "TamperDetectionActivated", "at 0", False, 1,
    )  # fmt: skip
    assert database.commits == 1


def test_the_newest_lines_are_kept(log: SecurityLog) -> None:
    for number in range(8):
        log.add(at(number))
    assert [row.message for row in log.rows()] == [f"at {number}" for number in range(3, 8)]


def test_without_room_nothing_is_stored(database: Database) -> None:
    nothing = SecurityLog(database, 0)
    nothing.add(at(0))
    assert list(nothing.rows()) == []


@pytest.mark.parametrize(
    ("start", "end", "found"), [(None, None, [0, 1, 2, 3]), (1, None, [1, 2, 3]), (None, 2, [0, 1, 2]), (1, 2, [1, 2])]
)
def test_bounds_are_optional_and_included(
    log: SecurityLog, start: int | None, end: int | None, found: list[int]
) -> None:
    for number in range(4):
        log.add(at(number))
    bounds = [None if bound is None else NOW + timedelta(seconds=bound) for bound in (start, end)]
    assert [row.message for row in log.rows(*bounds)] == [f"at {number}" for number in found]


def test_lines_are_read_page_by_page(log: SecurityLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security_events, "PAGE", 2)
    for number in range(5):
        log.add(at(number))
    assert [row.id for row in log.rows()] == [1, 2, 3, 4, 5]


def test_clearing_leaves_nothing(log: SecurityLog) -> None:
    log.add(at(0))
    log.clear()
    assert list(log.rows()) == []


def test_events_leave_in_order(database: Database) -> None:
    queue = SecurityEventQueue(database)
    ids = [queue.append(SecurityEventRow(timestamp=NOW, type=kind, tech_info="x")) for kind in ("A", "B")]
    assert queue.head() == SecurityEventRow(id=ids[0], timestamp=NOW, type="A", tech_info="x")
    assert queue.remove_and_next(ids[0]) == SecurityEventRow(id=ids[1], timestamp=NOW, type="B", tech_info="x")
    assert queue.count() == 1


def test_an_event_is_logged_and_queued_in_one_commit(log: SecurityLog, database: Database) -> None:
    queue = SecurityEventQueue(database)

    def both(connection: sqlite3.Connection) -> None:
        log.add_in(connection, [at(0)])
        queue.append_in(connection, SecurityEventRow(timestamp=NOW, type="MemoryExhaustion"))

    database.write(both)
    assert (len(list(log.rows())), queue.count(), database.commits) == (1, 1, 1)
