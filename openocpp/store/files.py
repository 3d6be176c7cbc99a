"""SQLite files: opening, checking, putting aside, deleting, and what their errors mean.

A file is in WAL mode with ``synchronous=FULL``: one fsync per commit, and what was committed survives a loss of power.
Threads: any; who may use a connection at a time is the writer's affair.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from openocpp.errors import StoreError
from openocpp.store.schema import migrate

if TYPE_CHECKING:
    from datetime import datetime

BUSY_TIMEOUT = 5.0  # seconds to wait for another process that uses the file
SIDE_FILES = ("-wal", "-shm", "-journal")  # what SQLite keeps beside a database
PAGE_CACHE = 512  # KiB per connection: a process may have dozens of them open
MEMORY_PAGE = 512  # bytes; most tables are empty, and a process may have hundreds of databases in memory

CORRUPT = "its content is corrupt; it is put aside at the next start"
MEANINGS = {
    sqlite3.SQLITE_BUSY: "another process uses it: end that, or choose another file",
    sqlite3.SQLITE_LOCKED: "another connection uses it",
    sqlite3.SQLITE_READONLY: "it cannot be written: give this process the right to write the file and its directory",
    sqlite3.SQLITE_IOERR: "the disk reports an error: check the disk",
    sqlite3.SQLITE_CORRUPT: CORRUPT,
    sqlite3.SQLITE_NOTADB: CORRUPT,
    sqlite3.SQLITE_FULL: "the disk is full: free some space, or choose a file on another disk",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: its directory must exist and be writable",
}
SAME_AS = {
    errno.EACCES: sqlite3.SQLITE_READONLY,
    errno.EPERM: sqlite3.SQLITE_READONLY,
    errno.EROFS: sqlite3.SQLITE_READONLY,
    errno.ENOENT: sqlite3.SQLITE_CANTOPEN,
    errno.ENOTDIR: sqlite3.SQLITE_CANTOPEN,
    errno.EISDIR: sqlite3.SQLITE_CANTOPEN,
    errno.ENOSPC: sqlite3.SQLITE_FULL,
    errno.EDQUOT: sqlite3.SQLITE_FULL,
}


class CorruptFileError(StoreError):
    """The file is no readable database: it is to be put aside."""


def store_error(where: str, attempt: str, error: Exception) -> StoreError:
    """What an error of SQLite or of the file system means for whoever reads the log."""
    if isinstance(error, OSError):
        code, detail = SAME_AS.get(error.errno or 0, sqlite3.SQLITE_IOERR), str(error.strerror)
    else:
        code, detail = primary_code(error), str(error)
    reason = f"{MEANINGS[code]} ({detail})" if code in MEANINGS else detail
    return StoreError(f"{where}: cannot {attempt}: {reason}")


def primary_code(error: BaseException) -> int:
    """The result code of SQLite; SQLITE_ERROR for errors of the module itself, which have none."""
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code & 0xFF


def connect(path: str) -> sqlite3.Connection:
    """Open an existing file, or a private database in memory for the path "".

    Transactions are begun and ended by the caller only. Raises StoreError.
    """
    target = f"file:{quote(os.path.abspath(path))}?mode=rw" if path else ":memory:"
    try:
        connection = sqlite3.connect(
            target, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False, uri=bool(path)
        )
    except sqlite3.Error as error:
        raise store_error(path, "open the database", error) from error
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        if path:
            connection.execute(f"PRAGMA cache_size = -{PAGE_CACHE}")
            connection.execute("PRAGMA synchronous = FULL")
        else:
            connection.execute(f"PRAGMA page_size = {MEMORY_PAGE}")
    except sqlite3.Error as error:
        connection.close()
        raise _opening_error(path, error) from error
    return connection


def prepare(path: str, migrations: str) -> sqlite3.Connection:
    """Open a file, made if there is none, verify it and bring it to the current version.

    Raises CorruptFileError when it is no readable database; StoreError when it cannot be used as it is, and then it is
    left as it was.
    """
    if path:
        _create(path)
    connection = connect(path)
    try:
        _verify(connection, path)
        migrate(connection, migrations, path or "in memory")
        if path:
            _make_durable(connection)
    except sqlite3.Error as error:
        connection.close()
        raise _opening_error(path, error) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _create(path: str) -> None:
    """Make the file, if there is none, for its owner alone: it may hold private keys. Those beside it inherit the mode.

    One that exists is not touched: closing any descriptor of it would end the locks that this process has on it.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise store_error(path, "open the database", error) from error


def _verify(connection: sqlite3.Connection, path: str) -> None:
    problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if problem != "ok":
        raise CorruptFileError(f"{path}: the database is corrupt ({problem})")


def _make_durable(connection: sqlite3.Connection) -> None:
    """WAL mode stays with the file. That it can be written shows only when it is: BEGIN IMMEDIATE forgives."""
    connection.execute("PRAGMA journal_mode = WAL")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.execute("ROLLBACK")


def _opening_error(path: str, error: sqlite3.Error) -> StoreError:
    if primary_code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return CorruptFileError(f"{path}: the database is corrupt ({error})")
    return store_error(path, "open the database", error)


def put_aside(path: str, now: datetime) -> Path:
    """Rename a corrupt file, and those beside it, to ``<name>.corrupt-<UTC time>``: its new name."""
    aside = Path(f"{path}.corrupt-{now:%Y%m%dT%H%M%SZ}")
    number = 1
    while aside.exists():
        number += 1
        aside = Path(f"{path}.corrupt-{now:%Y%m%dT%H%M%SZ}-{number}")
    try:
        Path(path).rename(aside)
        for suffix in SIDE_FILES:
            beside = Path(path + suffix)
            if beside.exists():
                beside.rename(f"{aside}{suffix}")
    except OSError as error:
        raise store_error(path, "put the corrupt database aside", error) from error
    return aside


def remove(path: str) -> None:
    """Delete a file and those beside it, as far as they exist."""
    try:
        for suffix in (*SIDE_FILES, ""):
            Path(path + suffix).unlink(missing_ok=True)
    except OSError as error:
        raise store_error(path, "delete the database", error) from error


def integrity_problems(connection: sqlite3.Connection) -> list[str]:
    """The problems that a thorough check finds; takes seconds on a large file."""
    found = [row[0] for row in connection.execute("PRAGMA integrity_check")]
    return [] if found == ["ok"] else found
