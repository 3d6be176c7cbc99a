"""Tests of openocpp.store.role: the counters of central systems and local controllers, and their log."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from openocpp.errors import StoreError
from openocpp.store.database import Database
from openocpp.store.role import RoleStore
from openocpp.testing import SimulatedRuntime

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openocpp.runtime import Runtime

VERSION = "9.8.7"


@pytest.fixture(name="runtime")
def simulated_runtime() -> Iterator[SimulatedRuntime]:
    with SimulatedRuntime() as sim:
        yield sim


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "role.db")


def store(runtime: Runtime, path: str, entries: int = 10) -> RoleStore:
    return RoleStore(runtime, path, entries, VERSION)


def keys(path: str) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute("SELECT key, value FROM InternalConfig").fetchall())


def lines(path: str) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT message FROM Logs ORDER BY id")]


def test_the_up_time_is_written_every_15_seconds(runtime: SimulatedRuntime, path: str) -> None:
    kept = store(runtime, path)
    kept.begin_session()
    runtime.sleep(14)
    assert keys(path)["LastSessionUpTime"] == "0"
    runtime.sleep(3)
    assert keys(path) == {
        "StackVersion": VERSION,
        "LastSessionStartDate": "2024-01-01T00:00:00Z",
        "LastSessionUpTime": "15",
        "TotalUpTime": "15",
    }
    runtime.sleep(5)
    kept.close()
    assert keys(path)["LastSessionUpTime"] == "22"


def test_sessions_add_up(runtime: SimulatedRuntime, path: str) -> None:
    for seconds in (20, 30):
        kept = store(runtime, path)
        kept.begin_session()
        runtime.sleep(seconds)
        kept.close()
    assert keys(path)["LastSessionUpTime"] == "30"
    assert keys(path)["TotalUpTime"] == "50"
    assert keys(path)["LastSessionStartDate"] == "2024-01-01T00:00:20Z"


def test_two_sessions_of_one_opening_add_up(runtime: SimulatedRuntime, path: str) -> None:
    kept = store(runtime, path)
    for _ in range(2):
        kept.begin_session()
        runtime.sleep(10)
        kept.end_session()
    kept.close()
    assert keys(path)["TotalUpTime"] == "20"


def test_the_newest_lines_of_the_log_are_kept(runtime: SimulatedRuntime, path: str) -> None:
    kept = store(runtime, path, 10)
    logger = logging.getLogger("openocpp.anything")
    for number in range(25):
        logger.warning("line %d", number)
    kept.close()
    logger.warning("nobody listens any more")
    assert lines(path) == [f"line {number}" for number in range(15, 25)]


def test_without_entries_no_log_is_kept(runtime: SimulatedRuntime, path: str) -> None:
    kept = store(runtime, path, 0)
    logging.getLogger("openocpp.anything").warning("a line")
    kept.close()
    assert lines(path) == []


def test_without_a_path_nothing_is_kept(runtime: SimulatedRuntime) -> None:
    kept = store(runtime, "")
    kept.begin_session()
    runtime.sleep(20)
    assert not kept.available
    assert kept.reset()
    kept.close()


def test_a_database_that_cannot_be_opened_is_reported_and_done_without(
    runtime: SimulatedRuntime, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept = store(runtime, str(tmp_path / "absent" / "role.db"))
    kept.begin_session()
    runtime.sleep(20)
    assert not kept.available
    assert not kept.reset()
    kept.close()
    assert "nothing is kept" in caplog.text


def test_a_file_in_use_by_another_role_is_done_without(runtime: SimulatedRuntime, path: str) -> None:
    first, second = store(runtime, path), store(runtime, path)
    assert (first.available, second.available) == (True, False)
    second.close()
    first.close()


def test_reset_forgets_everything(runtime: SimulatedRuntime, path: str) -> None:
    kept = store(runtime, path)
    kept.begin_session()
    runtime.sleep(100)
    kept.end_session()
    assert kept.reset()
    kept.begin_session()
    runtime.sleep(3)
    kept.close()
    assert keys(path)["TotalUpTime"] == "3"


def test_reset_with_a_file_that_is_missing(runtime: SimulatedRuntime, path: str, tmp_path: Path) -> None:
    kept = store(runtime, path)
    for file in tmp_path.iterdir():
        file.unlink()
    assert kept.reset()
    kept.close()
    assert keys(path) == {"StackVersion": VERSION}


def test_closing_twice_is_fine(runtime: SimulatedRuntime, path: str) -> None:
    kept = store(runtime, path)
    kept.close()
    kept.close()
    assert not kept.available


def fail(*_: object) -> None:
    raise StoreError("disk full")


def test_a_disk_that_is_full_costs_counters_and_nothing_else(
    runtime: SimulatedRuntime, path: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kept = store(runtime, path)
    monkeypatch.setattr(Database, "write", fail)
    kept.begin_session()
    runtime.sleep(20)
    monkeypatch.setattr(Database, "reset", fail)
    assert kept.reset() is False
    monkeypatch.undo()
    close = Database.close

    def close_badly(database: Database) -> None:
        close(database)
        raise StoreError("disk full")

    monkeypatch.setattr(Database, "close", close_badly)
    kept.close()
    for text in ("the start is not kept", "cannot be made anew", "could not be closed in order"):
        assert f"{text}: disk full" in caplog.text
    assert keys(path)["LastSessionUpTime"] == "20"


def test_a_counter_that_comes_after_the_end_is_dropped(runtime: SimulatedRuntime, path: str) -> None:
    kept = store(runtime, path)
    kept.begin_session()
    database = kept._database
    assert database is not None
    database.close()
    kept._save()
    kept.close()
    kept._save()
    assert keys(path)["LastSessionUpTime"] == "0"


def test_what_was_stored_and_is_no_number_counts_as_nothing(runtime: SimulatedRuntime, path: str) -> None:
    store(runtime, path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO InternalConfig (key, value) VALUES ('TotalUpTime', 'long')")
        connection.commit()
    kept = store(runtime, path)
    kept.begin_session()
    runtime.sleep(5)
    kept.close()
    assert keys(path)["TotalUpTime"] == "5"


def test_a_database_that_can_be_opened_later_is_used_from_the_reset_on(
    runtime: SimulatedRuntime, tmp_path: Path
) -> None:
    kept = store(runtime, str(tmp_path / "later" / "role.db"))
    states = [kept.available]
    (tmp_path / "later").mkdir()
    assert kept.reset()
    states.append(kept.available)
    assert states == [False, True]
    assert "role.db" in repr(kept)
    kept.close()
