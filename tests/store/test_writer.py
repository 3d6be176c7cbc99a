"""Real threads and real files: who writes in which thread, how many commits it costs, and that nothing is lost."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any, cast

import pytest

from openocpp.errors import StateError, StoreError
from openocpp.runtime import Runtime
from openocpp.store import files, writer
from openocpp.store.database import COMMON, Database
from openocpp.store.writer import Writer
from openocpp.testing import SimulatedRuntime
from tests.conftest import open_descriptors, scaled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from openocpp.store.writer import FileQueue


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "a.db")


@pytest.fixture
def database(runtime: Runtime, path: str) -> Database:
    return Database.open(runtime, path, COMMON)


def queue_of(database: Database) -> FileQueue:
    return database._queue


def writer_of(runtime: Runtime) -> Writer:
    return runtime.shared(Writer, Writer)


def put(key: object) -> Callable[[sqlite3.Connection], None]:
    def job(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO InternalConfig VALUES (?, '')", (str(key),))

    return job


def keys(database: Database) -> set[str]:
    return {row[0] for row in database.read("SELECT key FROM InternalConfig")}


def committed(path: str) -> set[str]:
    """What another process would see."""
    with closing(sqlite3.connect(path)) as connection:
        return {row[0] for row in connection.execute("SELECT key FROM InternalConfig")}


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + scaled(20.0)
    while not condition():
        assert time.monotonic() < deadline, "did not come true"
        time.sleep(0.001)


class Held:
    """Holds the pen of a database, in a thread of its own, until ``release``."""

    def __init__(self, database: Database) -> None:
        self._inside = threading.Event()
        self._leave = threading.Event()
        self._thread = threading.Thread(target=lambda: database.read_with(self._job))
        self._thread.start()
        assert self._inside.wait(scaled(20.0))

    def _job(self, _: sqlite3.Connection) -> None:
        self._inside.set()
        assert self._leave.wait(scaled(20.0))

    def release(self) -> None:
        self._leave.set()
        self._thread.join()


class Callers:
    """Threads that each make one call; ``errors`` are what they raised, in the order of the calls."""

    def __init__(self, database: Database, jobs: list[Callable[[sqlite3.Connection], Any]]) -> None:
        self.errors: list[BaseException | None] = [None] * len(jobs)
        self._threads = []
        for number, job in enumerate(jobs):
            thread = threading.Thread(target=self._call, args=(database, number, job))
            thread.start()
            self._threads.append(thread)
            until(lambda expected=number + 1: queue_of(database)._waiting == expected)  # type: ignore[misc]

    def _call(self, database: Database, number: int, job: Callable[[sqlite3.Connection], Any]) -> None:
        try:
            database.write(job)
        except BaseException as error:
            self.errors[number] = error

    def join(self) -> None:
        for thread in self._threads:
            thread.join(scaled(20.0))
            assert not thread.is_alive()


# -- one caller ------------------------------------------------------------------------------------------------------


def test_a_single_caller_pays_no_change_of_threads(database: Database) -> None:
    assert database.write(lambda _: threading.get_ident()) == threading.get_ident()
    assert database.read_with(lambda _: threading.get_ident()) == threading.get_ident()


def test_each_write_of_a_single_caller_is_one_commit_and_durable(database: Database, path: str) -> None:
    for number in range(5):
        database.write(put(number))
        assert len(committed(path)) == number + 1
    assert database.commits == 5


def test_the_result_and_the_error_of_a_job_are_the_callers(database: Database) -> None:
    assert database.write(lambda connection: connection.execute("SELECT 42").fetchone()[0]) == 42
    with pytest.raises(ZeroDivisionError):
        database.write(lambda _: 1 / 0)
    with pytest.raises(StoreError, match=r"a\.db: cannot write: no such table: Nowhere"):
        database.write(lambda connection: connection.execute("DELETE FROM Nowhere").rowcount)


# -- many callers ----------------------------------------------------------------------------------------------------


def test_what_gathers_while_the_file_is_busy_shares_one_commit(database: Database, path: str) -> None:
    held = Held(database)
    callers = Callers(database, [put(number) for number in range(15)])
    held.release()
    callers.join()
    assert database.commits == 1
    assert callers.errors == [None] * 15
    assert len(committed(path)) == 15


def test_a_bad_job_among_good_ones_fails_alone(database: Database, path: str) -> None:
    def bad(connection: sqlite3.Connection) -> None:
        put("half")(connection)
        raise ValueError("no")

    held = Held(database)
    callers = Callers(database, [put(1), bad, put(2), put(1), put(3)])
    held.release()
    callers.join()
    assert database.commits == 1
    assert committed(path) == {"1", "2", "3"}
    assert [type(error) for error in callers.errors] == [type(None), ValueError, type(None), StoreError, type(None)]


def test_a_full_disk_fails_only_what_does_not_fit(database: Database, path: str) -> None:
    database.read_with(lambda connection: connection.execute("PRAGMA max_page_count = 10").fetchall())
    huge = "INSERT INTO InternalConfig VALUES ('huge', zeroblob(100000))"
    held = Held(database)
    callers = Callers(database, [put(1), lambda connection: connection.execute(huge).rowcount, put(2)])
    held.release()
    callers.join()
    assert committed(path) == {"1", "2"}
    assert "the disk is full" in str(callers.errors[1])
    assert (callers.errors[0], callers.errors[2]) == (None, None)


def test_sixteen_threads_commit_and_nothing_is_lost(database: Database, path: str) -> None:
    def work(thread: int) -> None:
        for number in range(25):
            database.write(put(f"{thread} {number}"))
            assert database.read_one("SELECT 1 FROM InternalConfig WHERE key = ?", (f"{thread} {number}",)) == (1,)

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert committed(path) == {f"{thread} {number}" for thread in range(16) for number in range(25)}
    assert database.commits <= 400


def test_databases_do_not_wait_for_each_other(runtime: Runtime, database: Database, tmp_path: Path) -> None:
    other = Database.open(runtime, str(tmp_path / "b.db"), COMMON)
    held = Held(database)
    other.write(put(1))
    assert keys(other) == {"1"}
    held.release()


# -- lazy writes -----------------------------------------------------------------------------------------------------


@pytest.fixture
def no_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "LAZY_DELAY", 3600.0)


@pytest.mark.usefixtures("no_timer")
def test_lazy_writes_are_seen_at_once_and_committed_with_the_next_durable_one(database: Database, path: str) -> None:
    for number in range(5):
        database.write_lazy(put(number))
    assert len(keys(database)) == 5
    assert (len(committed(path)), database.commits) == (0, 0)
    database.write(put("durable"))
    assert (len(committed(path)), database.commits) == (6, 1)


def test_lazy_writes_are_committed_after_a_while(
    database: Database, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "LAZY_DELAY", 0.01)
    for round_number in range(3):
        database.write_lazy(put(round_number))
        until(lambda expected=round_number + 1: len(committed(path)) == expected)  # type: ignore[misc]
    assert database.commits == 3


def test_lazy_writes_that_a_read_has_carried_out_are_committed_after_a_while(
    database: Database, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "LAZY_DELAY", 0.05)
    database.write_lazy(put(1))
    assert keys(database) == {"1"}
    until(lambda: committed(path) == {"1"})


@pytest.mark.usefixtures("no_timer")
def test_many_lazy_writes_do_not_wait_for_the_timer(
    database: Database, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "LAZY_MANY", 5)
    for number in range(5):
        database.write_lazy(put(number))
    until(lambda: len(committed(path)) == 5)


@pytest.mark.usefixtures("no_timer")
def test_lazy_writes_are_dropped_when_the_disk_does_not_keep_up(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(writer, "LAZY_MOST", 3)
    held = Held(database)
    for number in range(6):
        database.write_lazy(put(number))
    held.release()
    assert keys(database) == {"0", "1", "2"}
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == [
        "the disk does not keep up, 1 lazy writes were dropped",
        "the disk does not keep up, 2 lazy writes were dropped",
    ]


@pytest.mark.usefixtures("no_timer")
def test_a_lazy_write_that_fails_is_logged_and_harms_no_other(
    database: Database, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    database.write_lazy(put(1))
    database.write_lazy(put(1))
    database.write(put(2))
    assert committed(path) == {"1", "2"}
    assert "a lazy write failed (1 so far)" in caplog.text


@pytest.mark.usefixtures("no_timer")
def test_flush_waits_for_the_lazy_writes(database: Database, path: str) -> None:
    database.write_lazy(put(1))
    database.flush()
    assert committed(path) == {"1"}


@pytest.mark.usefixtures("no_timer")
def test_stop_commits_lazy_writes_closes_the_files_and_ends_the_thread(tmp_path: Path) -> None:
    runtime = Runtime(name="stopping")
    databases = [Database.open(runtime, str(tmp_path / f"{number}.db"), COMMON) for number in range(3)]
    for database in databases:
        database.write_lazy(put("last"))
    writer_of(runtime).wake()
    thread = writer_of(runtime)._thread
    runtime.stop()
    assert thread is not None
    assert not thread.is_alive
    for database in databases:
        assert committed(database.path) == {"last"}
        assert not os.path.exists(database.path + "-wal")
        with pytest.raises(StateError, match="closed"):
            database.write(put(1))
        with pytest.raises(StateError, match="closed"):
            database.write_lazy(put(1))
    with pytest.raises(StateError, match="stopped"):
        Database.open(runtime, str(tmp_path / "new.db"), COMMON)


# -- who may not wait ------------------------------------------------------------------------------------------------


def test_the_scheduler_may_only_write_lazily(runtime: Runtime, database: Database) -> None:
    outcome: list[object] = []
    done = threading.Event()

    def step() -> None:
        for call in (lambda: database.write(put(1)), lambda: database.read("SELECT 1"), database.close):
            try:
                outcome.append(call())
            except StateError as error:
                outcome.append(type(error))
        database.write_lazy(put("lazy"))
        done.set()

    runtime.scheduler.post(step)
    assert done.wait(scaled(20.0))
    assert outcome == [StateError] * 3
    assert keys(database) == {"lazy"}


def test_a_job_may_not_wait_for_the_store(runtime: Runtime, database: Database) -> None:
    other = Database.open(runtime, "", COMMON)
    for call in (lambda: database.read("SELECT 1"), lambda: database.write(put(1)), lambda: other.write(put(1))):
        with pytest.raises(StateError, match="used inside a job"):
            database.write(lambda _, call=call: call())  # type: ignore[misc]
    database.write(lambda _: database.write_lazy(put("later")))
    assert keys(database) == {"later"}


def test_an_interrupted_caller_leaves_the_file_usable(database: Database, path: str) -> None:
    def interrupted(connection: sqlite3.Connection) -> None:
        put("half")(connection)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        database.write(interrupted)
    database.write(put("whole"))
    assert committed(path) == {"whole"}


def test_a_job_that_would_end_the_writer_thread_does_not(database: Database, path: str) -> None:
    def leave(_: sqlite3.Connection) -> None:
        raise SystemExit

    held = Held(database)
    callers = Callers(database, [put(1), leave])
    held.release()
    callers.join()
    assert [type(error) for error in callers.errors] == [StoreError, StoreError]
    held = Held(database)
    callers = Callers(database, [put(2)])
    held.release()
    callers.join()
    assert committed(path) == {"2"}


def test_the_thread_ends_when_a_file_is_just_being_closed(tmp_path: Path) -> None:
    runtime = Runtime(name="stopping")
    database = Database.open(runtime, str(tmp_path / "a.db"), COMMON)
    held = Held(database)
    closing_one = threading.Thread(target=database.close)
    closing_one.start()
    until(lambda: database.closed)
    stopping_one = threading.Thread(target=runtime.stop)
    stopping_one.start()
    until(lambda: runtime.stopped)
    held.release()
    closing_one.join()
    stopping_one.join()
    thread = writer_of(runtime)._thread
    assert thread is not None
    assert not thread.is_alive


def test_a_disk_that_hangs_is_not_waited_for_without_end(
    database: Database, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    database.write_lazy(put("lazy"))
    held = Held(database)
    queue_of(database).close(limit=0.01)
    assert "not closed within 0.0 s: does the disk hang?" in caplog.text
    held.release()
    database.close()
    assert committed(path) == {"lazy"}
    assert not os.path.exists(path + "-wal")


# -- open files ------------------------------------------------------------------------------------------------------


def open_databases(folder: Path) -> int:
    """How many of the databases in the folder are open."""
    files = {(stat.st_dev, stat.st_ino) for stat in (path.stat() for path in folder.glob("*.db"))}
    opened = [os.fstat(descriptor) for descriptor in open_descriptors()]
    return sum((stat.st_dev, stat.st_ino) in files for stat in opened)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(writer, "OPEN_FILES", 4)
    return 4


def test_many_databases_need_few_open_files(runtime: Runtime, tmp_path: Path, few: int) -> None:
    databases = [Database.open(runtime, str(tmp_path / f"{number}.db"), COMMON) for number in range(20)]
    for round_number in range(3):
        for number, database in enumerate(databases):
            database.write(put(f"{number} {round_number}"))
            assert writer_of(runtime).open_files <= few
    assert open_databases(tmp_path) <= few
    for number, database in enumerate(databases):
        assert keys(database) == {f"{number} {round_number}" for round_number in range(3)}


@pytest.mark.usefixtures("no_timer")
def test_a_file_closed_for_room_takes_its_lazy_writes_along(runtime: Runtime, tmp_path: Path, few: int) -> None:
    databases = [Database.open(runtime, str(tmp_path / f"{number}.db"), COMMON) for number in range(few)]
    for database in databases:
        database.write_lazy(put("lazy"))
    databases[0].read("SELECT 1")  # used last: the second one is the first to go
    Database.open(runtime, str(tmp_path / "one too many.db"), COMMON)
    assert not queue_of(databases[1])._committer.is_open
    assert committed(databases[1].path) == {"lazy"}
    assert [queue_of(database)._committer.is_open for database in databases] == [True, False, True, True]


def test_a_file_in_use_is_not_closed_for_room(runtime: Runtime, tmp_path: Path, few: int) -> None:
    databases = [Database.open(runtime, str(tmp_path / f"{number}.db"), COMMON) for number in range(few)]
    held = [Held(database) for database in databases]
    other = Database.open(runtime, str(tmp_path / "other.db"), COMMON)
    other.write(put(1))
    assert writer_of(runtime).open_files == few + 1
    for one in held:
        one.release()
    Database.open(runtime, str(tmp_path / "another.db"), COMMON)
    assert writer_of(runtime).open_files == few


def test_databases_in_memory_are_never_closed_for_room(runtime: Runtime, tmp_path: Path, few: int) -> None:
    private = [Database.open(runtime, "", COMMON) for _ in range(few * 2)]
    for database in private:
        database.write(put("mine"))
    for number in range(few + 1):
        Database.open(runtime, str(tmp_path / f"{number}.db"), COMMON)
    assert [keys(database) for database in private] == [{"mine"}] * (few * 2)


@pytest.mark.usefixtures("few")
def test_a_file_that_does_not_open_again_fails_the_job_only(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    databases = [Database.open(runtime, str(tmp_path / f"{number}.db"), COMMON) for number in range(6)]

    def refuse(path: str) -> sqlite3.Connection:
        raise StoreError(f"{path}: no")

    with monkeypatch.context() as patch:
        patch.setattr(files, "connect", refuse)
        with pytest.raises(StoreError, match=r"0\.db: no"):
            databases[0].write(put(1))
    databases[0].write(put(2))
    assert keys(databases[0]) == {"2"}


def test_one_file_has_one_database(runtime: Runtime, database: Database, path: str) -> None:
    with pytest.raises(StateError, match="open already: each role needs a file of its own"):
        Database.open(runtime, path, COMMON)
    database.close()
    Database.open(runtime, path, COMMON).write(put(1))


# -- simulated -------------------------------------------------------------------------------------------------------


def test_on_a_simulated_runtime_everything_happens_at_once(path: str) -> None:
    with SimulatedRuntime() as sim:
        database = Database.open(sim, path, COMMON)
        database.write_lazy(put("lazy"))
        assert committed(path) == {"lazy"}
        database.write(put("durable"))
        assert database.commits == 2
        users = [sim.user(lambda number=number: database.write(put(number))) for number in range(4)]  # type: ignore[misc]
        for user in users:
            user.result()
        assert database.commits == 6
        assert writer_of(sim)._thread is None
        database.write(lambda _: database.write_lazy(put("later")))
        assert "later" in keys(database)
        assert sim.clock.now() == 0.0


def test_a_failing_lazy_write_is_logged_when_simulated(caplog: pytest.LogCaptureFixture) -> None:
    with SimulatedRuntime() as sim, caplog.at_level(logging.WARNING, "openocpp.store"):
        database = Database.open(sim, "", COMMON)
        database.write_lazy(put(1))
        database.write_lazy(put(1))
        assert "a lazy write failed" in caplog.text


def test_the_writer_and_its_queues_tell_their_state(runtime: Runtime, database: Database) -> None:
    database.write(put(1))
    assert repr(writer_of(runtime)) == "<store writer of test: 1 files, 1 open>"
    assert repr(queue_of(database)).endswith("a.db: 0 queued, 1 commits>")
    database.close()
    assert repr(queue_of(database)).endswith("a.db: closed>")
    assert cast("Any", writer_of(runtime))._paths == set()
