from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import pytest

from openocpp.store.columns import Columns, to_instant, to_text


@dataclass(frozen=True, kw_only=True)
class ThingRow:
    id: int = 0
    name: str
    since: datetime
    until: datetime | None = None
    good: bool = True


THINGS = Columns(ThingRow, "Things")
SINCE = datetime(2024, 2, 29, 23, 59, 59, 123456, tzinfo=UTC)


def things() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("CREATE TABLE Things (id INTEGER PRIMARY KEY, name TEXT, since TEXT, until TEXT, good INTEGER)")
    connection.execute("CREATE TABLE Parts (thing INTEGER REFERENCES Things (id) ON DELETE CASCADE)")
    return connection


@pytest.mark.parametrize(
    "instant", [SINCE, datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)]
)
def test_an_instant_comes_back_to_the_microsecond(instant: datetime) -> None:
    assert to_instant(to_text(instant)) == instant


def test_instants_are_stored_in_utc_and_sort_as_texts() -> None:
    east = datetime(2024, 1, 1, 1, 0, tzinfo=timezone(timedelta(hours=2)))
    assert to_text(east) == "2023-12-31T23:00:00.000000Z"
    instants = [SINCE + timedelta(microseconds=step) for step in (-1_000_000, -1, 0, 1, 999_999)]
    assert sorted(instants) == [to_instant(text) for text in sorted(to_text(instant) for instant in instants)]


def test_no_instant_is_null() -> None:
    assert to_text(None) is None
    assert to_instant(None) is None


def test_an_instant_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        to_text(datetime(2024, 1, 1))


def test_a_row_comes_back_with_the_types_of_its_fields() -> None:
    row = ThingRow(id=7, name="a", since=SINCE, good=False)
    with closing(things()) as connection:
        connection.execute(THINGS.insert, THINGS.values(row))
        [found] = THINGS.rows(connection.execute(THINGS.select))
    assert found == row
    assert found.good is False


def test_insert_chooses_an_id_where_the_row_has_none() -> None:
    with closing(things()) as connection:
        for name in ("a", "b"):
            connection.execute(THINGS.insert, THINGS.values(ThingRow(name=name, since=SINCE)))
        assert [row.id for row in THINGS.rows(connection.execute(THINGS.select))] == [1, 2]


def test_save_overwrites_and_keeps_what_refers_to_the_row() -> None:
    with closing(things()) as connection:
        connection.execute(THINGS.save, THINGS.values(ThingRow(id=1, name="a", since=SINCE)))
        connection.execute("INSERT INTO Parts VALUES (1)")
        connection.execute(THINGS.save, THINGS.values(ThingRow(id=1, name="b", since=SINCE, until=SINCE)))
        assert THINGS.first(connection.execute(THINGS.select)) == ThingRow(id=1, name="b", since=SINCE, until=SINCE)
        assert connection.execute("SELECT count(*) FROM Parts").fetchone() == (1,)


def test_the_first_of_nothing_is_none() -> None:
    with closing(things()) as connection:
        assert THINGS.first(connection.execute(THINGS.select)) is None
