from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import stat
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from openocpp.errors import StoreError
from openocpp.store import files
from openocpp.store.database import COMMON

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "a b?#%.db")


def value(path: str, pragma: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"PRAGMA {pragma}").fetchone()[0]


def make(path: str) -> None:
    files.prepare(path, COMMON).close()


def test_a_file_is_made_as_it_must_be(path: str) -> None:
    with closing(files.prepare(path, COMMON)) as connection:
        settings = [
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert settings == ["wal", 2, 1]
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_a_connection_to_an_existing_file_has_the_same_settings(path: str) -> None:
    make(path)
    with closing(files.connect(path)) as connection:
        settings = [
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert settings == ["wal", 2, 1]


def test_a_connection_makes_no_file(path: str) -> None:
    with pytest.raises(StoreError, match="cannot open the database: it cannot be opened: its directory must exist"):
        files.connect(path)
    assert not os.path.exists(path)


def test_in_memory_there_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with closing(files.prepare("", COMMON)) as connection:
        assert connection.execute("SELECT count(*) FROM Logs").fetchone() == (0,)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / "nowhere" / "a.db")
    with pytest.raises(StoreError, match=r"nowhere/a\.db: cannot open the database: .*its directory must exist"):
        files.prepare(path, COMMON)


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=f"{tmp_path}: cannot open the database"):
        files.prepare(str(tmp_path), COMMON)


@pytest.fixture
def foreign_ground() -> Iterator[Path]:
    """A directory that may not be changed, one in it that may be, a read-only file in each, no right to override."""
    folder = Path(tempfile.mkdtemp())
    is_root = os.geteuid() == 0
    (folder / "open to all").mkdir()
    (folder / "open to all").chmod(0o777)
    for file in (folder / "a.db", folder / "open to all" / "a.db"):
        make(str(file))
        file.chmod(0o444)
    folder.chmod(0o755)
    if is_root:
        os.seteuid(NOBODY)
    else:
        folder.chmod(0o555)
    try:
        yield folder
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(0o755)
        shutil.rmtree(folder)


def test_a_file_that_must_not_be_written_is_refused_at_once(foreign_ground: Path) -> None:
    with pytest.raises(StoreError, match=r"a\.db: cannot open the database"):
        files.prepare(str(foreign_ground / "a.db"), COMMON)


def test_a_file_that_must_not_be_made_is_refused(foreign_ground: Path) -> None:
    with pytest.raises(StoreError, match=r"b\.db: cannot open the database: it cannot be written: give this process"):
        files.prepare(str(foreign_ground / "b.db"), COMMON)


def test_a_read_only_file_in_a_directory_open_to_all_is_refused(foreign_ground: Path) -> None:
    """There SQLite would read it, and fail only at the first write."""
    with pytest.raises(StoreError, match=r"a\.db: cannot open the database: it cannot be written: give this process"):
        files.prepare(str(foreign_ground / "open to all" / "a.db"), COMMON)


def test_a_file_in_use_by_another_process_is_refused(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make(path)
    monkeypatch.setattr(files, "BUSY_TIMEOUT", 0.0)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="another process uses it"):
            files.prepare(path, COMMON)


def test_a_full_disk_is_named(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "open", no_room)
    with pytest.raises(StoreError, match=r"the disk is full: free some space.*No space left"):
        files.prepare(path, COMMON)


def test_what_is_no_database_is_corrupt(path: str) -> None:
    content = b"no database at all, but long enough to be one" * 100
    Path(path).write_bytes(content)
    with pytest.raises(files.CorruptFileError, match="the database is corrupt"):
        files.prepare(path, COMMON)
    assert Path(path).read_bytes() == content


def test_a_page_that_was_overwritten_is_found(path: str) -> None:
    with closing(files.prepare(path, COMMON)) as connection:
        rows = [(str(number), "x" * 500) for number in range(200)]
        connection.executemany("INSERT INTO InternalConfig VALUES (?, ?)", rows)
    content = bytearray(Path(path).read_bytes())
    for page in range(6, 10):
        content[page * 4096 : page * 4096 + 300] = os.urandom(300)
    Path(path).write_bytes(content)
    with pytest.raises(files.CorruptFileError, match="the database is corrupt"):
        files.prepare(path, COMMON)


def test_an_empty_file_is_an_empty_database(path: str) -> None:
    Path(path).touch()
    make(path)
    assert value(path, "user_version") != 0


def test_a_file_of_a_newer_package_stays_as_it_is(path: str) -> None:
    make(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = Path(path).read_bytes()
    with pytest.raises(StoreError, match=r"the database has version 99, this package knows up to \d"):
        files.prepare(path, COMMON)
    assert Path(path).read_bytes() == before


def test_a_corrupt_file_goes_aside_with_those_beside_it(path: str) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(path + suffix).write_text(f"old{suffix}")
    aside = files.put_aside(path, NOW)
    assert aside == Path(f"{path}.corrupt-20240506T070809Z")
    assert [Path(f"{aside}{suffix}").read_text() for suffix in ("", "-wal", "-shm")] == ["old", "old-wal", "old-shm"]
    assert not Path(path).exists()


def test_two_corrupt_files_in_one_second_are_both_kept(path: str) -> None:
    names = []
    for content in ("one", "two", "three"):
        Path(path).write_text(content)
        names.append(files.put_aside(path, NOW))
    assert [name.read_text() for name in names] == ["one", "two", "three"]
    assert [name.name.rpartition("Z")[2] for name in names] == ["", "-2", "-3"]


def test_what_cannot_go_aside_is_told(path: str) -> None:
    with pytest.raises(StoreError, match="cannot put the corrupt database aside"):
        files.put_aside(path, NOW)


def test_a_file_is_deleted_with_those_beside_it(path: str) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        Path(path + suffix).touch()
    files.remove(path)
    files.remove(path)
    assert list(Path(path).parent.iterdir()) == []


def test_what_cannot_be_deleted_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot delete the database"):
        files.remove(str(tmp_path))


def test_a_sound_database_has_no_integrity_problems(path: str) -> None:
    with closing(files.prepare(path, COMMON)) as connection:
        assert files.integrity_problems(connection) == []


def test_a_broken_index_is_an_integrity_problem() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE A (x)")
        connection.execute("CREATE INDEX AX ON A (x)")
        connection.execute("INSERT INTO A VALUES (1)")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = 'CREATE INDEX AX ON A (x) WHERE x > 5' WHERE name = 'AX'")
        connection.execute("PRAGMA writable_schema = RESET")
        assert files.integrity_problems(connection) != []


def test_errors_of_the_module_itself_have_a_text_too() -> None:
    told = files.store_error("file", "write", sqlite3.ProgrammingError("Cannot operate on a closed database."))
    assert str(told) == "file: cannot write: Cannot operate on a closed database."
