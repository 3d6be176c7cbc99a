"""Numbered migrations: ``migrations/<set>/NNNN_<what>.sql``, and ``PRAGMA user_version`` says how many a file has seen.

A released migration is never changed: a later one changes what it made.
Threads: any.
"""

from __future__ import annotations

import sqlite3
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from openocpp.errors import StoreError

FOLDER = Path(__file__).with_name("migrations")


@dataclass(frozen=True)
class Migration:
    """One step: from version ``number - 1`` to ``number``."""

    number: int
    name: str
    sql: str


@cache
def migrations_of(name: str) -> tuple[Migration, ...]:
    """The steps of one set, in order. Raises StoreError when the installed package is not whole."""
    return load_migrations(FOLDER / name)


def load_migrations(folder: Path) -> tuple[Migration, ...]:
    """Read the steps in a folder; their numbers must be 1, 2, 3 and so on."""
    found = tuple(
        Migration(int(file.name[:4]), file.stem, file.read_text("utf-8")) for file in sorted(folder.glob("[0-9]*.sql"))
    )
    if not found or [step.number for step in found] != list(range(1, len(found) + 1)):
        raise StoreError(f"{folder}: migrations are missing, or not numbered without gaps: install the package again")
    return found


def owner_mark(name: str) -> int:
    """The ``application_id`` of files of this set, so that a role does not open another role's file."""
    return zlib.crc32(f"openocpp {name}".encode()) & 0x7FFFFFFF


def migrate(connection: sqlite3.Connection, name: str, where: str, steps: tuple[Migration, ...] | None = None) -> None:
    """Bring the database to the version of the last step. Each step happens wholly or not at all.

    Raises StoreError, the file untouched, when a newer version of the package or another role has written it.
    """
    steps = migrations_of(name) if steps is None else steps
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    mark = connection.execute("PRAGMA application_id").fetchone()[0]
    if mark not in (0, owner_mark(name)) or (mark == 0 and _has_tables(connection)):
        raise StoreError(f"{where}: this is not a database of this role: choose another file")
    if version > len(steps):
        raise StoreError(
            f"{where}: the database has version {version}, this package knows up to {len(steps)}:"
            " install the newer version of the package, or choose another file"
        )
    for step in steps[version:]:
        _apply(connection, step, owner_mark(name), where)


def _has_tables(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None


def _apply(connection: sqlite3.Connection, step: Migration, mark: int, where: str) -> None:
    try:
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{step.sql}\n;PRAGMA application_id = {mark};PRAGMA user_version = {step.number};COMMIT;"
        )
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT):
            raise  # disk full and the like: not the step's fault
        raise StoreError(f"{where}: the migration {step.name} failed ({error})") from error
