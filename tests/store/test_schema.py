from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from openocpp.errors import StoreError
from openocpp.store import schema
from openocpp.store.database import CHARGE_POINT, COMMON
from openocpp.store.schema import Migration, load_migrations, migrate, migrations_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STEPS = (
    Migration(1, "0001_first", "CREATE TABLE A (x INTEGER); INSERT INTO A VALUES (1)"),
    Migration(2, "0002_second", "ALTER TABLE A ADD COLUMN y INTEGER DEFAULT 2"),
    Migration(3, "0003_third", "CREATE TABLE B (z); INSERT INTO B SELECT x + y FROM A;"),
)


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        yield made


def version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def tables(connection: sqlite3.Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]


@pytest.mark.parametrize("before", [0, 1, 2, 3])
def test_every_older_version_becomes_the_newest(connection: sqlite3.Connection, before: int) -> None:
    migrate(connection, "x", "file", STEPS[:before])
    assert version(connection) == before
    migrate(connection, "x", "file", STEPS)
    assert version(connection) == 3
    assert connection.execute("SELECT x, y, z FROM A, B").fetchall() == [(1, 2, 3)]


def test_a_step_that_fails_leaves_the_version_before_it(connection: sqlite3.Connection) -> None:
    broken = (*STEPS[:1], Migration(2, "0002_broken", "CREATE TABLE C (x); INSERT INTO Nowhere VALUES (1)"))
    with pytest.raises(StoreError, match=r"file: the migration 0002_broken failed \(no such table"):
        migrate(connection, "x", "file", broken)
    assert (version(connection), tables(connection), connection.in_transaction) == (1, ["A"], False)
    migrate(connection, "x", "file", STEPS)
    assert version(connection) == 3


def test_a_disk_that_is_full_is_not_the_fault_of_a_step(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA max_page_count = 2")
    steps = (Migration(1, "0001_big", "CREATE TABLE A (x); CREATE TABLE B (x); CREATE TABLE C (x)"),)
    with pytest.raises(sqlite3.OperationalError, match="full"):
        migrate(connection, "x", "file", steps)
    assert (version(connection), connection.in_transaction) == (0, False)


def test_a_file_of_a_newer_package_is_refused_untouched(connection: sqlite3.Connection) -> None:
    migrate(connection, "x", "file", STEPS)
    before = list(connection.iterdump())
    with pytest.raises(StoreError, match="file: the database has version 3, this package knows up to 2: install"):
        migrate(connection, "x", "file", STEPS[:2])
    assert (version(connection), list(connection.iterdump())) == (3, before)


def test_a_file_of_another_role_is_refused(connection: sqlite3.Connection) -> None:
    migrate(connection, "x", "file", STEPS)
    with pytest.raises(StoreError, match="file: this is not a database of this role"):
        migrate(connection, "y", "file", STEPS)


def test_a_database_of_another_program_is_refused(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE Songs (title)")
    with pytest.raises(StoreError, match="not a database of this role"):
        migrate(connection, "x", "file", STEPS)
    assert tables(connection) == ["Songs"]


def test_steps_are_read_from_their_files_in_order(tmp_path: Path) -> None:
    (tmp_path / "0002_b.sql").write_text("SELECT 2")
    (tmp_path / "0001_a.sql").write_text("SELECT 1")
    (tmp_path / "notes.txt").write_text("no step")
    assert load_migrations(tmp_path) == (Migration(1, "0001_a", "SELECT 1"), Migration(2, "0002_b", "SELECT 2"))


@pytest.mark.parametrize("names", [[], ["0001_a", "0003_c"], ["0002_b"], ["0001_a", "0001_b"]])
def test_missing_steps_are_a_broken_installation(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / f"{name}.sql").write_text("SELECT 1")
    with pytest.raises(StoreError, match="install the package again"):
        load_migrations(tmp_path)


@pytest.mark.parametrize("name", [CHARGE_POINT, COMMON])
def test_the_sets_of_the_package_make_their_tables(connection: sqlite3.Connection, name: str) -> None:
    migrate(connection, name, "file")
    assert {"InternalConfig", "Logs"} <= set(tables(connection))
    assert version(connection) == len(migrations_of(name))


def test_the_common_tables_are_the_same_in_each_set() -> None:
    def statements(name: str) -> dict[str, str]:
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
            migrate(made, name, "file")
            return dict(made.execute("SELECT name, sql FROM sqlite_master"))

    common = statements(COMMON)
    assert {table: sql for table, sql in statements(CHARGE_POINT).items() if table in common} == common


def test_no_table_uses_autoincrement() -> None:
    """It would make every commit write two more pages."""
    for file in schema.FOLDER.rglob("*.sql"):
        statements = [line for line in file.read_text("utf-8").splitlines() if not line.startswith("--")]
        assert "AUTOINCREMENT" not in "\n".join(statements).upper()
