from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openocpp.store.id_tags import IdTagColumns, IdTagRow

if TYPE_CHECKING:
    from openocpp.store.database import Database

COLUMNS = IdTagColumns("AuthentCache")
EXPIRY = datetime(2030, 1, 1, tzinfo=UTC)


def test_an_id_tag_is_found_in_any_case_and_comes_back_as_it_was_received(database: Database) -> None:
    row = IdTagRow("Straße-ÄB", "Accepted", "Parent", EXPIRY)
    database.write(lambda connection: COLUMNS.put_in(connection, row))
    for presented in ("Straße-ÄB", "STRASSE-äb", "strasse-Äb"):
        assert database.read_with(lambda connection, tag=presented: COLUMNS.get_in(connection, tag)) == row  # type: ignore[misc]
    assert database.read_with(lambda connection: COLUMNS.get_in(connection, "Strase")) is None


def test_a_new_entry_takes_the_place_of_the_old_one(database: Database) -> None:
    for row in (IdTagRow("tag", "Accepted", "Parent", EXPIRY), IdTagRow("TAG", "Blocked")):
        database.write(lambda connection, row=row: COLUMNS.put_in(connection, row))  # type: ignore[misc]
    assert COLUMNS.rows(database.read(COLUMNS.select)) == [IdTagRow("TAG", "Blocked")]


def test_an_entry_is_removed_in_any_case(database: Database) -> None:
    database.write(lambda connection: COLUMNS.put_in(connection, IdTagRow("Tag", "Accepted")))
    database.write(lambda connection: COLUMNS.remove_in(connection, "tAG"))
    assert database.read(COLUMNS.select) == []
