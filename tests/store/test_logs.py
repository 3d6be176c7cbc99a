from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from openocpp.store.database import COMMON, Database
from openocpp.store.logs import BATCH, DatabaseLogHandler, LogRow, Logs, level_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openocpp.runtime import Runtime

NOW = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def logs(database: Database) -> Logs:
    return Logs(database, 10)


@pytest.fixture
def logger(logs: Logs) -> Iterator[logging.Logger]:
    made = logging.Logger("openocpp.test")  # not one of the process: nothing to tidy up
    made.addHandler(DatabaseLogHandler(logs))
    yield made
    made.handlers[0].close()


def messages(logs: Logs) -> list[str]:
    return [row.message for row in logs.rows()]


def test_the_newest_lines_are_kept_in_order(logs: Logs) -> None:
    for number in range(20):
        logs.add([LogRow(NOW + timedelta(seconds=number), 2, "a.py:1", f"line {number}")])
    rows = logs.rows()
    assert [row.id for row in rows] == list(range(11, 21))
    assert rows[0] == LogRow(NOW + timedelta(seconds=10), 2, "a.py:1", "line 10", id=11)


def test_a_maximum_of_0_stores_nothing(database: Database) -> None:
    nothing = Logs(database, 0)
    nothing.add([LogRow(NOW, 2, "a.py:1", "line")])
    assert database.read("SELECT count(*) FROM Logs") == [(0,)]


def test_a_line_is_written_lazily(logs: Logs, database: Database) -> None:
    logs.add([LogRow(NOW, 2, "a.py:1", "line")])
    assert database.commits == 0
    assert messages(logs) == ["line"]


@pytest.mark.parametrize(
    ("levelno", "level"), [(1, 0), (10, 0), (11, 1), (15, 1), (20, 2), (25, 2), (30, 3), (40, 4), (50, 4)]
)
def test_levels_are_those_of_the_table(levelno: int, level: int) -> None:
    assert level_of(levelno) == level


def test_a_record_becomes_a_line(logger: logging.Logger, logs: Logs) -> None:
    before = datetime.now(UTC)
    logger.info("%s is %d", "this", 1)
    [row] = logs.rows()
    assert (row.level, row.message) == (2, "this is 1")
    assert row.file.startswith("test_logs.py:")
    assert before - timedelta(seconds=1) < row.timestamp <= datetime.now(UTC)


def test_an_exception_is_told_with_its_traceback(logger: logging.Logger, logs: Logs) -> None:
    try:
        raise ValueError("no good")
    except ValueError:
        logger.exception("it failed")
    [row] = logs.rows()
    assert row.message.startswith("it failed\nTraceback")
    assert row.message.endswith("ValueError: no good")


def test_lines_in_quick_succession_share_a_job_and_keep_their_order(logger: logging.Logger, database: Database) -> None:
    logs = Logs(database, 1000)
    for number in range(BATCH + 5):
        logger.info("%d", number)
    assert len(database._queue._jobs) == 2
    logger.handlers[0]._logs.maximum = 1000  # type: ignore[attr-defined]
    assert messages(logs) == [str(number) for number in range(BATCH + 5)]
    logger.info("after")
    assert messages(logs)[-1] == "after"


def test_a_text_that_is_none_in_unicode_is_stored_readably(logger: logging.Logger, logs: Logs) -> None:
    logger.warning("über \ud800 ok")
    assert messages(logs) == ["über \\ud800 ok"]


def test_a_record_that_cannot_be_formatted_costs_no_other(
    logger: logging.Logger, logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    logger.info("%d", "no number")
    logger.info("good")
    assert messages(logs) == ["good"]


def test_the_stores_own_lines_do_not_go_round_in_circles(logs: Logs) -> None:
    handler = DatabaseLogHandler(logs)
    own = logging.Logger("openocpp.store")
    own.addHandler(handler)
    own.error("the disk is full")
    handler.close()
    assert messages(logs) == []


def test_a_closed_database_is_no_trouble_for_who_logs(logger: logging.Logger, database: Database) -> None:
    database.close()
    logger.info("one")
    logger.info("two")


def test_lines_survive_a_restart(runtime: Runtime, tmp_path: Path) -> None:
    path = str(tmp_path / "a.db")
    database = Database.open(runtime, path, COMMON)
    logger = logging.Logger("openocpp.test")
    logger.addHandler(DatabaseLogHandler(Logs(database, 10)))
    logger.info("last words")
    database.close()
    assert messages(Logs(Database.open(runtime, path, COMMON), 10)) == ["last words"]
