from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from openocpp.store.auth_cache import AuthorizationCache
from openocpp.store.id_tags import IdTagRow

if TYPE_CHECKING:
    from openocpp.store.database import Database

NOW = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
SOON, BEFORE = NOW + timedelta(seconds=1), NOW - timedelta(seconds=1)


@pytest.fixture
def cache(database: Database) -> AuthorizationCache:
    return AuthorizationCache(database, 5)


def put(cache: AuthorizationCache, *id_tags: str, status: str = "Accepted", expiry: datetime | None = None) -> None:
    for id_tag in id_tags:
        cache.put(IdTagRow(id_tag, status, None, expiry), NOW)


def tags(cache: AuthorizationCache) -> list[str]:
    return [row.id_tag for row in cache.rows()]


def test_an_entry_is_found_as_it_was_stored(cache: AuthorizationCache, database: Database) -> None:
    row = IdTagRow("Tag", "Blocked", "Parent", SOON)
    cache.put(row, NOW)
    assert (cache.get("tAG"), cache.get("other")) == (row, None)
    assert database.commits == 0


def test_an_expired_entry_is_still_known(cache: AuthorizationCache) -> None:
    put(cache, "tag", expiry=BEFORE)
    assert cache.get("tag") == IdTagRow("tag", "Accepted", None, BEFORE)


def test_of_valid_entries_the_oldest_goes(cache: AuthorizationCache) -> None:
    put(cache, *"abcdef")
    assert tags(cache) == list("bcdef")


def test_writing_an_entry_again_makes_it_young(cache: AuthorizationCache) -> None:
    put(cache, *"abcde")
    put(cache, "A")
    assert tags(cache) == list("bcdeA")
    put(cache, "f")
    assert tags(cache) == list("cdeAf")


def test_those_not_valid_go_first(cache: AuthorizationCache) -> None:
    put(cache, "a", "b", expiry=SOON)
    put(cache, "blocked", status="Blocked")
    put(cache, "expired", expiry=BEFORE)
    put(cache, "c", "d")
    assert tags(cache) == ["a", "b", "expired", "c", "d"]
    put(cache, "e")
    assert tags(cache) == ["a", "b", "c", "d", "e"]
    put(cache, "f")
    assert tags(cache) == ["b", "c", "d", "e", "f"]


def test_one_not_valid_is_stored_too(cache: AuthorizationCache) -> None:
    put(cache, *"abcde")
    put(cache, "blocked", status="Blocked")
    assert tags(cache) == ["b", "c", "d", "e", "blocked"]


def test_a_maximum_that_was_lowered_applies(cache: AuthorizationCache, database: Database) -> None:
    put(cache, *"abcde")
    smaller = AuthorizationCache(database, 2)
    smaller.trim(NOW)
    assert tags(cache) == ["d", "e"]
    put(smaller, "f")
    assert tags(cache) == ["e", "f"]


def test_a_cache_without_room_stores_nothing(database: Database) -> None:
    nothing = AuthorizationCache(database, 0)
    put(nothing, "a")
    assert tags(nothing) == []


def test_clearing_is_durable(cache: AuthorizationCache, database: Database) -> None:
    put(cache, *"abc")
    cache.clear()
    assert (tags(cache), database.commits) == ([], 1)
