"""Killed at any moment of a transaction's life, a charge point still accounts for every transaction.

``power_cut.py`` lives and dies; here is compared what reached the central system.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.runtime import Runtime
from openocpp.testing.conversation import ScriptedServer
from tests.chargepoint.accounts import QUEUED, problems, without_repeats
from tests.chargepoint.driving import Books, Received

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = Path(__file__).with_name("power_cut.py")
KILLED = -9
IN_HAND = 2  # readings that may not be on the disk yet: what a start or a stop takes before it is stored


class Life:
    """One process: what reached the central system, what was confirmed to the application, how it ended."""

    def __init__(self, reports: list[dict[str, Any]]) -> None:
        self.received = [Received(0.0, each["action"], each["payload"]) for each in reports if "action" in each]
        self.begun = [each["begun"] for each in reports if "begun" in each]
        self.ended = [each["ended"] for each in reports if each.get("ended")]
        self.read = [each["read"] for each in reports if "read" in each]
        self.commits = next((each["commits"] for each in reports if "commits" in each), 0)
        self.errors = [each["error"] for each in reports if "error" in each]
        self.end = reports[-1]["end"]

    @property
    def queued(self) -> list[Received]:
        return [entry for entry in self.received if entry.action in QUEUED]

    def begins_with_boots(self, number: int) -> bool:
        """Nothing but BootNotification leaves before the last of them is answered: that is Accepted, others Pending."""
        return all(entry.action == "BootNotification" for entry in self.received[:number])


class Lives:
    """The program that forks."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._read = 0

    def live(self, database: Path, **order: Any) -> Life:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"database": str(database), "read": self._read, **order}) + "\n")
        self._process.stdin.flush()
        reports: list[dict[str, Any]] = []
        while not reports or "end" not in reports[-1]:
            reports.append(json.loads(self._process.stdout.readline()))
        life = Life(reports)
        self._read = max([self._read, *life.read])
        return life

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@pytest.fixture(scope="module")
def lives() -> Iterator[Lives]:
    made = Lives()
    yield made
    made.close()


def known_ids(received: list[Received]) -> dict[str, int]:
    """The transactions that the central system knows: it counts them as they come, repeated ones once."""
    ids: dict[str, int] = {}
    for entry in received:
        if entry.action == "StartTransaction":
            ids.setdefault(json.dumps(entry.payload, sort_keys=True), len(ids) + 1)
    return ids


def told(received: list[Received]) -> list[int]:
    """The readings, each once, however often its message came."""
    numbers: list[int] = []
    for entry in without_repeats(received):
        numbers += [entry.payload[name] for name in ("meterStart", "meterStop") if name in entry.payload]
        for value in [*entry.payload.get("meterValue", ()), *entry.payload.get("transactionData", ())]:
            numbers += [int(sample["value"]) for sample in value["sampledValue"]]
    return sorted(numbers)


def nothing_lost(received: list[Received], *lives: Life) -> bool:
    """Every reading is told once. Of a life that was cut off may be missing what it had just in its hands."""
    numbers = told(received)
    lost = [[number for number in life.read if number not in numbers] for life in lives]
    last = [life.read[-IN_HAND:] if life.end == KILLED else [] for life in lives]
    return len(numbers) == len(set(numbers)) and all(set(a) <= set(b) for a, b in zip(lost, last, strict=True))


def check(first: Life, second: Life) -> None:
    assert first.errors + second.errors == []
    assert second.end == 0
    assert first.begins_with_boots(1)
    assert second.begins_with_boots(2)
    both = [*first.received, *second.received]
    assert nothing_lost(both, first, second)
    ids = known_ids(both)
    begun = [*first.begun, *second.begun]
    assert problems(both, ids, begun, begun) == []
    for life in (first, second):  # only the last one before the cut may be told again
        texts = [json.dumps(entry[1:], sort_keys=True) for entry in life.queued]
        assert len(texts) == len(set(texts))
    starts = [entry.payload["idTag"] for entry in both if entry.action == "StartTransaction"]
    stops = [entry.payload["transactionId"] for entry in both if entry.action == "StopTransaction"]
    assert set(stops) == set(ids.values())  # whatever was begun, confirmed or not, has its stop
    assert set(starts) >= set(begun)


def test_a_whole_life(lives: Lives, tmp_path: Path) -> None:
    life = lives.live(tmp_path / "cp.db")
    assert (life.end, life.errors) == (0, [])
    assert len(life.begun) == len(life.ended) == 4
    assert told(life.received) == life.read
    assert problems(life.received, known_ids(life.received), life.begun, life.ended) == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_each_commit(lives: Lives, tmp_path: Path, after: bool) -> None:
    commits = lives.live(tmp_path / "whole.db").commits
    assert commits > 20
    for number in range(1, commits + 1):
        database = tmp_path / f"{number}.db"
        first = lives.live(database, kill=number, after=after)
        assert first.end == KILLED, f"at commit {number}"
        second = lives.live(database, again=True, ids=known_ids(first.received))
        check(first, second)


def test_killed_twice(lives: Lives, tmp_path: Path) -> None:
    """The second time while the queue is delivered that the first one left."""
    first = lives.live(tmp_path / "cp.db", kill=32)
    assert first.queued
    kill = 1
    while True:
        copy = tmp_path / f"copy{kill}.db"
        for suffix in ("", "-wal"):
            source = Path(f"{tmp_path / 'cp.db'}{suffix}")
            if source.exists():
                Path(f"{copy}{suffix}").write_bytes(source.read_bytes())
        second = lives.live(copy, again=True, kill=kill, ids=known_ids(first.received))
        if second.end == 0:
            break
        third = lives.live(copy, again=True, ids=known_ids([*first.received, *second.received]))
        joined = Life([{"end": 0}])
        joined.received = [*second.received, *third.received]
        joined.begun = [*second.begun, *third.begun]
        both = [*first.received, *joined.received]
        assert nothing_lost(both, first, second, third)
        begun = [*first.begun, *joined.begun]
        assert problems(both, known_ids(both), begun, begun) == []
        assert third.end == 0
        kill += 1
    assert kill > 10


@pytest.mark.parametrize("kill", [9, 14, 17, 22])
def test_killed_in_earnest(lives: Lives, tmp_path: Path, kill: int) -> None:
    """Sockets, threads and a group commit that others may share."""
    with Runtime(name="central system") as runtime:
        books = Books(runtime.clock.now)
        server = ScriptedServer(runtime, "ws://127.0.0.1:0/ocpp", answers=books.answers)
        url = f"ws://127.0.0.1:{server.port}/ocpp"
        first = lives.live(tmp_path / "cp.db", kill=kill, url=url)
        assert first.end == KILLED
        between = len(books.received)
        second = lives.live(tmp_path / "cp.db", again=True, url=url)
        assert (second.end, first.errors, second.errors) == (0, [], [])
        server.close()
    assert books.received[between].action == "BootNotification"
    assert problems(books.received, books.ids, first.begun, first.begun) == []
    stops = {entry.payload["transactionId"] for entry in books.of("StopTransaction")}
    assert stops == set(books.ids.values())
