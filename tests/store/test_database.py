from __future__ import annotations

import logging
import os
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from openocpp.errors import StateError, StoreError
from openocpp.store import files
from openocpp.store.database import CHARGE_POINT, COMMON, Database
from tests.conftest import scaled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openocpp.runtime import Runtime

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "a.db")


@pytest.fixture
def database(runtime: Runtime, path: str) -> Database:
    return Database.open(runtime, path, COMMON)


def put(key: str, value: str = "") -> Callable[[sqlite3.Connection], None]:
    def job(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO InternalConfig VALUES (?, ?)", (key, value))

    return job


def keys(database: Database) -> list[str]:
    return [row[0] for row in database.read("SELECT key FROM InternalConfig ORDER BY key")]


# -- reading and writing ---------------------------------------------------------------------------------------------


def test_rows_are_read_as_tuples(database: Database) -> None:
    database.write(put("a", "1"))
    database.write(put("b", "2"))
    assert database.read("SELECT * FROM InternalConfig ORDER BY key") == [("a", "1"), ("b", "2")]
    assert database.read_one("SELECT value FROM InternalConfig WHERE key = ?", ("b",)) == ("2",)
    assert database.read_one("SELECT value FROM InternalConfig ORDER BY key") == ("1",)
    assert database.read_one("SELECT value FROM InternalConfig WHERE key = ?", ("c",)) is None


def test_several_statements_of_one_job_happen_together_or_not_at_all(database: Database) -> None:
    def both(connection: sqlite3.Connection) -> None:
        put("a")(connection)
        put("a")(connection)

    with pytest.raises(StoreError, match="UNIQUE"):
        database.write(both)
    assert keys(database) == []


def test_each_job_is_a_commit_and_several_selects_see_the_same(database: Database) -> None:
    before = database.commits
    database.write(put("a"))
    database.write(put("b"))
    assert database.commits == before + 2

    def both(connection: sqlite3.Connection) -> tuple[int, int]:
        (first,) = connection.execute("SELECT count(*) FROM InternalConfig").fetchone()
        (second,) = connection.execute("SELECT count(*) FROM InternalConfig").fetchone()
        return first, second

    assert database.read_with(both) == (2, 2)


def test_reading_tells_what_is_wrong(database: Database) -> None:
    with pytest.raises(StoreError, match=r"a\.db: cannot read: no such column: absent"):
        database.read("SELECT absent FROM Logs")


def test_in_memory_each_database_is_alone_and_nothing_stays(runtime: Runtime) -> None:
    one, two = Database.open(runtime, "", COMMON), Database.open(runtime, "", COMMON)
    one.write(put("a"))
    assert (keys(one), keys(two)) == (["a"], [])
    assert (one.persistent, one.path) == (False, "")
    one.close()
    assert keys(Database.open(runtime, "", COMMON)) == []


def test_a_path_does_not_change_with_the_working_directory(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    database = Database.open(runtime, "a.db", COMMON)
    monkeypatch.chdir("/")
    database.reset()
    assert (database.path, database.persistent) == (str(tmp_path / "a.db"), True)
    assert (tmp_path / "a.db").exists()


# -- closing, opening, resetting -------------------------------------------------------------------------------------


def test_what_was_written_is_there_after_closing_and_opening(runtime: Runtime, path: str) -> None:
    for number in range(3):
        database = Database.open(runtime, path, COMMON)
        assert len(keys(database)) == number
        database.write(put(str(number)))
        database.close()


def test_a_closed_database_refuses_everything_but_closing(database: Database) -> None:
    database.close()
    database.close()
    assert database.closed
    for call in (lambda: keys(database), lambda: database.write(put("a")), database.reset, database.flush):
        with pytest.raises(StateError, match=r"a\.db: the database is closed"):
            call()


def test_a_reset_database_is_a_fresh_one(database: Database, path: str) -> None:
    database.write(put("a"))
    database.write_lazy(put("b"))
    before = os.stat(path).st_ino, len(keys(database))
    Path(path + "-journal").touch()
    database.reset()
    assert before[1] == 2
    assert keys(database) == []
    database.write(put("c"))
    assert keys(database) == ["c"]
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT key FROM InternalConfig").fetchall() == [("c",)]


def test_a_database_in_memory_can_be_reset_too(runtime: Runtime) -> None:
    database = Database.open(runtime, "", COMMON)
    database.write(put("a"))
    database.reset()
    assert keys(database) == []


def test_a_reset_that_fails_says_so_and_leaves_a_usable_database(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.write(put("a"))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", _no_room)
        with pytest.raises(StoreError, match=r"a\.db: cannot delete the database"):
            database.reset()
    assert keys(database) == ["a"]


def _no_room(*_: object, **__: object) -> None:
    raise PermissionError(13, "Permission denied")


def test_its_repr_tells_its_state(database: Database) -> None:
    assert repr(database).startswith("<Database <queue of ")


def test_a_sound_database_has_no_problems(database: Database) -> None:
    database.write(put("a"))
    assert database.integrity_problems() == []


# -- files that cannot be used ---------------------------------------------------------------------------------------


def test_a_corrupt_file_goes_aside_and_a_fresh_one_takes_its_place(
    runtime: Runtime, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    rubbish = b"rubbish " * 1000
    Path(path).write_bytes(rubbish)
    with caplog.at_level(logging.ERROR, "openocpp.store"):
        database = Database.open(runtime, path, COMMON)
    assert database.quarantined is not None
    assert database.quarantined.name.startswith("a.db.corrupt-2")
    assert database.quarantined.read_bytes() == rubbish
    assert f"it was renamed to {database.quarantined.name}, and an empty database made" in caplog.text
    database.write(put("a"))
    database.close()
    again = Database.open(runtime, path, COMMON)
    assert (again.quarantined, keys(again)) == (None, ["a"])


def test_corruption_found_later_is_told_and_put_right_at_the_next_start(runtime: Runtime, path: str) -> None:
    database = Database.open(runtime, path, COMMON)
    database.write(lambda connection: [put(str(number), "x" * 500)(connection) for number in range(100)])
    assert database._queue.try_disconnect()
    content = bytearray(Path(path).read_bytes())
    content[4096 * 3 :] = b"\xff" * (len(content) - 4096 * 3)
    Path(path).write_bytes(content)
    with pytest.raises(StoreError, match=r"its content is corrupt; it is put aside at the next start"):
        database.read("SELECT max(length(value)) FROM InternalConfig")
    database.close()
    assert Database.open(runtime, path, COMMON).quarantined is not None


def test_a_file_that_cannot_be_used_can_be_opened_once_it_can(runtime: Runtime, path: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE Songs (title)")
    with pytest.raises(StoreError, match="not a database of this role"):
        Database.open(runtime, path, COMMON)
    files.remove(path)
    Database.open(runtime, path, COMMON).write(put("a"))


def test_the_files_of_two_roles_are_not_mixed_up(runtime: Runtime, database: Database, path: str) -> None:
    database.close()
    with pytest.raises(StoreError, match="choose another file"):
        Database.open(runtime, path, CHARGE_POINT)


# -- what survives ---------------------------------------------------------------------------------------------------

CHILD = """
import os, sys
from openocpp.runtime import Runtime
from openocpp.store.database import CHARGE_POINT, Database
path, mode, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
database = Database.open(Runtime(), path, CHARGE_POINT)
database.read("PRAGMA synchronous = " + mode)
insert = "INSERT INTO Outbox (action, connector_id, payload, created, attempts) VALUES ('MeterValues', 1, ?, '', 0)"
for number in range(count):
    row = database.write(lambda connection: connection.execute(insert, ("x" * 800,)).lastrowid)
    os.write(1, b"acknowledged %d\\n" % row)
os._exit(0)
"""


def child(path: str, mode: str, count: int) -> list[str]:
    return [sys.executable, "-c", CHILD, path, mode, str(count)]


def rows_in(path: str) -> set[int]:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return {row[0] for row in connection.execute("SELECT id FROM Outbox")}


@pytest.mark.parametrize("kill_after", [1, 23, 64])
def test_what_was_acknowledged_survives_kill_9(path: str, kill_after: int) -> None:
    acknowledged = set()
    for _ in range(2):
        with subprocess.Popen(child(path, "FULL", 100_000), stdout=subprocess.PIPE, cwd=ROOT) as process:
            assert process.stdout is not None
            for _ in range(kill_after):
                acknowledged.add(int(process.stdout.readline().split()[1]))
            process.send_signal(signal.SIGKILL)
            acknowledged |= {int(line.split()[1]) for line in process.stdout if line.endswith(b"\n")}
        assert acknowledged <= rows_in(path)
    assert len(acknowledged) >= 2 * kill_after


# -- power loss, modelled: only what an fsync has covered is on the disk ---------------------------------------------


def strace_works() -> bool:
    try:
        return subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True).returncode == 0
    except OSError:
        return False


needs_strace = pytest.mark.skipif(not strace_works(), reason="strace is missing, or may not trace")


class Disk:
    """What the traced system calls leave on a disk that loses all that was not synchronised."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.durable = {path: bytearray(Path(path).read_bytes())}
        self.floating: dict[str, list[tuple[int, bytes]]] = {}
        self.names: dict[int, str] = {}
        self.syncs = 0

    def call(self, name: str, arguments: list[str], result: int) -> None:
        if name == "openat":
            self.names[result] = _bytes(arguments[1]).decode()
        elif name == "pwrite64":
            file = self.names[int(arguments[0])]
            self.floating.setdefault(file, []).append((int(arguments[3]), _bytes(arguments[1])))
        elif name in ("fsync", "fdatasync"):
            self.syncs += 1
            self._synchronise(self.names[int(arguments[0])])

    def _synchronise(self, file: str) -> None:
        content = self.durable.setdefault(file, bytearray())
        for offset, data in self.floating.pop(file, []):
            content.extend(bytes(max(offset + len(data) - len(content), 0)))
            content[offset : offset + len(data)] = data

    def after_power_loss(self, folder: Path) -> set[int]:
        """The rows that are found when the machine starts again."""
        copy = folder / "after.db"
        for suffix in ("", "-wal"):
            Path(f"{copy}{suffix}").write_bytes(self.durable.get(self.path + suffix, b""))
        rows = rows_in(str(copy))
        files.remove(str(copy))
        return rows


def _bytes(literal: str) -> bytes:
    return bytes.fromhex(literal.strip('"').replace("\\x", ""))


def system_calls(trace: str) -> Iterator[tuple[str, list[str], int]]:
    """Name, arguments and result of each finished call; the child makes them in one thread."""
    for line in trace.splitlines():
        found = re.match(r"\d+ +(\w+)\((.*)\) += (-?\d+)", line)
        if found:
            yield found[1], found[2].split(", "), int(found[3])


def crash_at_each_acknowledgement(path: str, tmp_path: Path, mode: str) -> list[tuple[bool, int]]:
    """For each acknowledged row: would it be there after a loss of power, and the syncs that it has cost."""
    subprocess.run(child(path, "FULL", 0), check=True, cwd=ROOT)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT count(*) FROM Outbox").fetchone()  # the last to close it empties the WAL file
    disk = Disk(path)
    trace = tmp_path / "trace"
    calls = "trace=openat,pwrite64,write,fsync,fdatasync"
    command = ["strace", "-f", "-xx", "-s", "100000", "-e", calls, "-o", str(trace), *child(path, mode, 20)]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL, timeout=scaled(120))
    outcome = []
    before = 0
    for name, arguments, result in system_calls(trace.read_text()):
        if name == "write" and arguments[0] == "1":
            row = int(_bytes(arguments[1]).split()[1])
            outcome.append((row in disk.after_power_loss(tmp_path), disk.syncs - before))
            before = disk.syncs
        else:
            disk.call(name, arguments, result)
    return outcome


@needs_strace
def test_what_was_acknowledged_survives_a_loss_of_power_at_the_price_of_one_sync(path: str, tmp_path: Path) -> None:
    outcome = crash_at_each_acknowledgement(path, tmp_path, "FULL")
    assert [survives for survives, _ in outcome] == [True] * 20
    assert [syncs for _, syncs in outcome[1:]] == [1] * 19  # the first one makes the WAL file


@needs_strace
def test_the_model_of_a_loss_of_power_tells_full_from_normal(path: str, tmp_path: Path) -> None:
    outcome = crash_at_each_acknowledgement(path, tmp_path, "NORMAL")
    assert True not in [survives for survives, _ in outcome]
