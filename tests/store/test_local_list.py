from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from openocpp.errors import StoreError
from openocpp.store.database import CHARGE_POINT, Database
from openocpp.store.id_tags import IdTagRow
from openocpp.store.local_list import LocalList

if TYPE_CHECKING:
    from pathlib import Path

    from openocpp.runtime import Runtime

EXPIRY = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def local_list(database: Database) -> LocalList:
    return LocalList(database)


def entries(*id_tags: str) -> list[IdTagRow]:
    return [IdTagRow(id_tag, "Accepted") for id_tag in id_tags]


def content(local_list: LocalList) -> tuple[int, list[str]]:
    return local_list.version(), [row.id_tag for row in local_list.rows()]


def test_a_new_charge_point_has_no_list(local_list: LocalList) -> None:
    assert (content(local_list), local_list.count(), local_list.get("a")) == ((0, []), 0, None)


def test_a_full_list_takes_the_place_of_the_old_one_in_one_commit(local_list: LocalList, database: Database) -> None:
    local_list.replace(1, entries("a", "b"))
    local_list.replace(7, [IdTagRow("C", "Blocked", "P", EXPIRY)])
    assert content(local_list) == (7, ["C"])
    assert local_list.get("c") == IdTagRow("C", "Blocked", "P", EXPIRY)
    assert database.commits == 2


def test_a_list_may_be_empty(local_list: LocalList) -> None:
    local_list.replace(1, entries("a"))
    local_list.replace(2, [])
    assert content(local_list) == (2, [])


def test_an_update_adds_overwrites_and_removes_in_one_commit(local_list: LocalList, database: Database) -> None:
    local_list.replace(1, entries("a", "b", "c"))
    assert local_list.update(2, [IdTagRow("B", "Expired"), IdTagRow("d", "Accepted")], ["A", "unknown"], 10)
    assert content(local_list) == (2, ["B", "c", "d"])
    assert local_list.get("b") == IdTagRow("B", "Expired")
    assert database.commits == 2


def test_an_update_that_makes_the_list_too_long_changes_nothing(local_list: LocalList) -> None:
    local_list.replace(1, entries("a", "b"))
    assert not local_list.update(2, entries("c", "d"), ["a"], 2)
    assert content(local_list) == (1, ["a", "b"])
    assert local_list.update(2, entries("c"), ["a"], 2)
    assert content(local_list) == (2, ["b", "c"])


def test_an_update_that_fails_half_way_changes_nothing(local_list: LocalList) -> None:
    local_list.replace(1, entries("a"))
    with pytest.raises(StoreError, match="UNIQUE"):
        local_list.replace(2, entries("b", "c", "B"))
    assert content(local_list) == (1, ["a"])


def test_list_and_version_survive_a_restart(runtime: Runtime, tmp_path: Path) -> None:
    path = str(tmp_path / "a.db")
    database = Database.open(runtime, path, CHARGE_POINT)
    LocalList(database).replace(3, entries("a"))
    database.close()
    assert content(LocalList(Database.open(runtime, path, CHARGE_POINT))) == (3, ["a"])
