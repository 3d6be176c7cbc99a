from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from openocpp.store.columns import Columns
from openocpp.store.shapes import QueueTable, RingTable

if TYPE_CHECKING:
    from openocpp.store.database import Database


@dataclass(frozen=True)
class ItemRow:
    id: int
    name: str


ITEMS = Columns(ItemRow, "Items")


@pytest.fixture
def queue(database: Database) -> QueueTable[ItemRow]:
    database.write(lambda connection: connection.execute("CREATE TABLE Items (id INTEGER PRIMARY KEY, name)").rowcount)
    return QueueTable(database, ITEMS)


@pytest.fixture
def ring(queue: QueueTable[ItemRow], database: Database) -> RingTable[ItemRow]:
    return RingTable(database, ITEMS, 3)


def add(database: Database, ring: RingTable[ItemRow], *names: str) -> None:
    database.write(lambda connection: ring.add_in(connection, [ItemRow(0, name) for name in names]))


def names(ring: RingTable[ItemRow]) -> list[str]:
    return [row.name for row in ring.newest(100)]


def test_a_queue_is_left_in_the_order_it_was_entered(queue: QueueTable[ItemRow]) -> None:
    assert queue.head() is None
    ids = [queue.append(ItemRow(0, name)) for name in "abc"]
    assert (ids, queue.count(), queue.head()) == ([1, 2, 3], 3, ItemRow(1, "a"))
    assert queue.head() == ItemRow(1, "a")
    assert queue.remove_and_next(1) == ItemRow(2, "b")
    queue.remove(2)
    assert queue.remove_and_next(3) is None
    assert queue.count() == 0


def test_an_id_is_not_used_twice(queue: QueueTable[ItemRow]) -> None:
    """Who is just sending number 1 must not remove another message by its number."""
    first = queue.append(ItemRow(0, "a"))
    queue.remove(first)
    assert queue.append(ItemRow(0, "b")) == first + 1


def test_after_a_restart_a_queue_goes_on_behind_its_last(queue: QueueTable[ItemRow], database: Database) -> None:
    for name in "abc":
        queue.append(ItemRow(0, name))
    queue.remove(1)
    assert QueueTable(database, ITEMS).append(ItemRow(0, "d")) == 4


def test_each_change_of_a_queue_is_one_commit(queue: QueueTable[ItemRow], database: Database) -> None:
    before = database.commits
    queue.remove_and_next(queue.append(ItemRow(0, "a")))
    assert database.commits - before == 2


def test_a_ring_keeps_the_newest(ring: RingTable[ItemRow], database: Database) -> None:
    for name in "abcde":
        add(database, ring, name)
    assert names(ring) == ["c", "d", "e"]
    assert [row.id for row in ring.newest(2)] == [4, 5]


def test_a_ring_keeps_the_newest_of_many_at_once(ring: RingTable[ItemRow], database: Database) -> None:
    add(database, ring, *"abcdefgh")
    assert names(ring) == ["f", "g", "h"]


def test_a_maximum_that_was_lowered_applies_at_once_and_one_that_was_raised_too(
    ring: RingTable[ItemRow], database: Database
) -> None:
    add(database, ring, *"abc")
    RingTable(database, ITEMS, 1).trim()
    assert names(ring) == ["c"]
    add(database, RingTable(database, ITEMS, 10), *"defgh")
    assert names(ring) == list("cdefgh")


def test_a_ring_without_room_keeps_nothing(ring: RingTable[ItemRow], database: Database) -> None:
    add(database, ring, "a")
    nothing = RingTable(database, ITEMS, 0)
    add(database, nothing, "b")
    nothing.trim()
    assert names(nothing) == []


def test_a_cleared_ring_fills_again(ring: RingTable[ItemRow], database: Database) -> None:
    add(database, ring, *"abcdef")
    ring.clear()
    assert names(ring) == []
    add(database, ring, *"ghij")
    assert names(ring) == ["h", "i", "j"]
