from __future__ import annotations

import logging
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.errors import StoreError
from openocpp.store.commit import Committer, Job, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Bench:
    """A committer on a file, its transaction statements, and a second connection that sees what is committed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.statements: list[str] = []
        self.connections: list[sqlite3.Connection] = []
        self.refusal: StoreError | None = None
        setup = self.open()
        setup.execute("PRAGMA journal_mode = WAL")
        setup.execute("CREATE TABLE A (x INTEGER PRIMARY KEY, filling TEXT)")
        setup.execute("CREATE TABLE B (a INTEGER REFERENCES A (x) DEFERRABLE INITIALLY DEFERRED)")
        self.other = setup
        self.committer = Committer(self.connect, "the file")

    def open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=0.0, isolation_level=None)
        connection.execute("PRAGMA foreign_keys = ON")
        self.connections.append(connection)
        return connection

    def connect(self) -> sqlite3.Connection:
        if self.refusal is not None:
            raise self.refusal
        connection = self.open()
        connection.set_trace_callback(self._note)
        return connection

    def _note(self, statement: str) -> None:
        word = statement.split()[0]
        if word in ("BEGIN", "COMMIT"):
            self.statements.append(word)

    def run(self, *jobs: Job) -> None:
        self.committer.run(list(jobs))

    def committed(self) -> list[int]:
        return [row[0] for row in self.other.execute("SELECT x FROM A ORDER BY x")]

    def close(self) -> None:
        self.committer.disconnect()
        for connection in self.connections:
            connection.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "a.db")
    yield made
    made.close()


def insert(x: int, filling: str = "") -> Callable[[sqlite3.Connection], int]:
    def job(connection: sqlite3.Connection) -> int:
        connection.execute("INSERT INTO A VALUES (?, ?)", (x, filling))
        return x

    return job


def durable(function: Callable[[sqlite3.Connection], Any]) -> Job:
    return Job(Kind.DURABLE, function)


def lazy(function: Callable[[sqlite3.Connection], Any]) -> Job:
    return Job(Kind.LAZY, function)


def read_all() -> Job:
    return Job(Kind.READ, lambda connection: [row[0] for row in connection.execute("SELECT x FROM A ORDER BY x")])


def error_of(job: Job) -> str:
    assert isinstance(job.error, StoreError)
    return str(job.error)


def test_a_group_has_one_commit(bench: Bench) -> None:
    jobs = [durable(insert(x)) for x in range(1, 6)]
    bench.run(*jobs)
    assert bench.statements == ["BEGIN", "COMMIT"]
    assert bench.committed() == [1, 2, 3, 4, 5]
    assert [job.result for job in jobs] == [1, 2, 3, 4, 5]
    assert bench.committer.commits == 1


def test_a_bad_job_fails_alone(bench: Bench) -> None:
    def half(connection: sqlite3.Connection) -> None:
        insert(50)(connection)
        raise ValueError("changed my mind")

    good, clash, broken, late = durable(insert(1)), durable(insert(1)), durable(half), durable(insert(2))
    bench.run(good, clash, broken, late)
    assert bench.statements == ["BEGIN", "COMMIT"]
    assert bench.committed() == [1, 2]
    assert (good.error, late.error) == (None, None)
    assert isinstance(broken.error, ValueError)
    assert error_of(clash) == "the file: cannot write: UNIQUE constraint failed: A.x"
    assert isinstance(clash.error, StoreError)
    assert isinstance(clash.error.__cause__, sqlite3.IntegrityError)


def test_lazy_jobs_wait_for_the_next_durable_one(bench: Bench) -> None:
    bench.run(lazy(insert(1)))
    bench.run(lazy(insert(2)))
    assert bench.committed() == []
    bench.run(durable(insert(3)))
    assert bench.statements == ["BEGIN", "COMMIT"]
    assert bench.committed() == [1, 2, 3]


def test_reads_see_lazy_jobs_before_they_are_committed(bench: Bench) -> None:
    read = read_all()
    bench.run(lazy(insert(1)), read)
    assert read.result == [1]
    assert bench.committed() == []


def test_a_read_needs_no_transaction(bench: Bench) -> None:
    bench.run(read_all())
    assert bench.statements == []


def test_a_read_that_fails_says_so(bench: Bench) -> None:
    bad = Job(Kind.READ, lambda connection: connection.execute("SELECT * FROM Nowhere"))
    bench.run(bad)
    assert error_of(bad) == "the file: cannot read: no such table: Nowhere"


def test_a_full_disk_fails_only_what_does_not_fit(bench: Bench) -> None:
    def limit(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA max_page_count = 12")

    bench.run(Job(Kind.READ, limit))
    early, small, huge, late, read = (
        lazy(insert(1)), durable(insert(2)), durable(insert(3, "x" * 100_000)), durable(insert(4)), read_all()
    )  # fmt: skip
    bench.run(early)
    bench.run(small, huge, late, read)
    assert bench.committed() == [1, 2, 4]
    assert read.result == [1, 2, 4]
    assert error_of(huge).startswith("the file: cannot write: the disk is full: free some space")
    assert [job.error for job in (early, small, late)] == [None, None, None]


def test_a_commit_that_fails_is_repeated_job_by_job(bench: Bench) -> None:
    def refers_to_nothing(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO B VALUES (99)")

    good, bad, read, late = durable(insert(1)), durable(refers_to_nothing), read_all(), durable(insert(2))
    bench.run(good, bad, read, late)
    assert bench.committed() == [1, 2]
    assert "FOREIGN KEY" in error_of(bad)
    assert (good.error, late.error) == (None, None)
    assert read.result == [1, 2]
    bench.run(durable(insert(3)))
    assert bench.committed() == [1, 2, 3]


def test_without_a_transaction_nothing_has_happened(bench: Bench) -> None:
    bench.other.execute("BEGIN IMMEDIATE")
    one, two = durable(insert(1)), durable(insert(2))
    bench.run(one, two)
    assert "another process uses it" in error_of(one)
    assert one.error is not two.error
    bench.other.execute("ROLLBACK")
    bench.run(durable(insert(3)))
    assert bench.committed() == [3]


def test_a_file_that_does_not_open_fails_each_job(bench: Bench) -> None:
    bench.refusal = StoreError("no such file")
    one, two = durable(insert(1)), read_all()
    bench.run(one, two)
    assert [error_of(one), error_of(two)] == ["no such file", "no such file"]
    assert one.error is not two.error
    bench.refusal = None
    bench.run(durable(insert(3)))
    assert bench.committed() == [3]


def test_alone_runs_on_a_closed_file_after_all_before_was_committed(bench: Bench) -> None:
    seen: list[tuple[list[int], bool]] = []
    alone = Job(Kind.ALONE, lambda _: seen.append((bench.committed(), bench.committer.is_open)))
    bench.run(lazy(insert(1)), alone, durable(insert(2)))
    assert seen == [([1], False)]
    assert bench.committed() == [1, 2]


def test_disconnecting_commits_and_the_next_job_opens_again(bench: Bench) -> None:
    bench.run(lazy(insert(1)))
    bench.committer.disconnect()
    bench.committer.disconnect()
    assert (bench.committed(), bench.committer.is_open) == ([1], False)
    read = read_all()
    bench.run(read)
    assert read.result == [1]


def test_an_interruption_leaves_nothing_half_done(bench: Bench) -> None:
    def interrupted(connection: sqlite3.Connection) -> None:
        insert(2)(connection)
        raise KeyboardInterrupt

    jobs = [durable(insert(1)), durable(interrupted)]
    with pytest.raises(KeyboardInterrupt):
        bench.committer.run(jobs)
    bench.committer.abandon(jobs)
    assert [error_of(job) for job in jobs] == ["the file: interrupted; it is not certain that it was written"] * 2
    bench.run(durable(insert(3)))
    assert bench.committed() == [3]


def test_failures_of_lazy_jobs_are_logged_but_not_each_of_them(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.run(durable(insert(1)))
    with caplog.at_level(logging.WARNING, "openocpp.store"):
        bench.run(*[lazy(insert(1)) for _ in range(9)])
    told = [record.getMessage().split(":")[0] for record in caplog.records]
    assert told == [f"a lazy write failed ({number} so far)" for number in (1, 2, 4, 8)]
