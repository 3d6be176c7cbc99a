"""What it costs to queue a transaction message durably, alone and from many threads.

    python benchmarks/store_commit.py [folder of the database]

CPU time is that of the process, user and system, the best of five rounds; wall time depends on the disk, whose bare
fsync is shown beside it. ``fsyncs`` counts the commits, each of which makes one.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from openocpp.runtime import Runtime
from openocpp.store.database import CHARGE_POINT, Database
from openocpp.store.outbox import Outbox, OutboxRow
from openocpp.store.transactions import TransactionRow, Transactions

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

ROUNDS = 5
MESSAGES = 1000
NOW = datetime(2024, 1, 1, tzinfo=UTC)
PAYLOAD = '{"connectorId":1,"meterValue":[' + '{"timestamp":"2024-01-01T00:00:00Z"},' * 20 + "{}]}"  # about 800 bytes
MESSAGE = OutboxRow(action="StopTransaction", connector_id=1, transaction_key=1, payload=PAYLOAD, created=NOW)


def measure(database: Database, work: Callable[[], None], count: int) -> str:
    """The best round: CPU and wall time of each of ``count`` operations, and the fsyncs that it made."""
    rounds = []
    for _ in range(ROUNDS):
        commits, cpu, wall = database.commits, time.process_time(), time.perf_counter()
        work()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        rounds.append((cpu / count * 1e6, wall / count * 1e6, (database.commits - commits) / count))
    cpu, wall, syncs = min(rounds)
    return f"{cpu:7.1f} us CPU  {wall:7.1f} us wall  {syncs:5.2f} fsyncs  {1e6 / wall:8.0f}/s"


def bare_fsync(folder: str) -> float:
    """Microseconds for appending 4 KiB and synchronising them."""
    descriptor = os.open(os.path.join(folder, "bare"), os.O_CREAT | os.O_WRONLY)
    began = time.perf_counter()
    for _ in range(200):
        os.write(descriptor, bytes(4096))
        os.fsync(descriptor)
    spent = time.perf_counter() - began
    os.close(descriptor)
    return spent / 200 * 1e6


def times(count: int, function: Callable[[], object]) -> Callable[[], None]:
    def work() -> None:
        for _ in range(count):
            function()

    return work


def in_threads(runtime: Runtime, threads: int, work: Callable[[], None]) -> Callable[[], None]:
    def all_at_once() -> None:
        handles = [runtime.spawn(work, f"caller-{number}") for number in range(threads)]
        for handle in handles:
            handle.join()

    return all_at_once


def run(folder: str) -> None:
    with Runtime(name="benchmark") as runtime:
        database = Database.open(runtime, os.path.join(folder, "benchmark.db"), CHARGE_POINT)
        outbox = Outbox(database)

        def start(connection: sqlite3.Connection) -> None:
            key = Transactions.next_key_in(connection)
            row = TransactionRow(key=key, connector_id=1, id_tag="TAG", meter_start=0, start_time=NOW)
            Transactions.save_in(connection, row)
            outbox.append_in(connection, MESSAGE)

        def drain() -> None:
            row = outbox.head()
            for _ in range(MESSAGES):
                row = outbox.remove_and_next(row.id) if row else None

        def report(what: str, work: Callable[[], None], count: int = MESSAGES) -> None:
            print(f"{what:26}", measure(database, work, count))

        print(f"{'bare write and fsync':26} {bare_fsync(folder):23.1f} us wall")
        report("queue a message", times(MESSAGES, lambda: outbox.append(MESSAGE)))
        report("queue it, save transaction", times(MESSAGES, lambda: database.write(start)))
        report("remove it, read the next", drain)
        report("read the head", times(MESSAGES, outbox.head))
        report("write lazily", times(MESSAGES, lambda: outbox.set_attempts(1, 1)))
        for threads in (4, 16, 64):
            work = in_threads(runtime, threads, times(50, lambda: outbox.append(MESSAGE)))
            report(f"queue, {threads} threads", work, 50 * threads)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run(sys.argv[1])
    else:
        with tempfile.TemporaryDirectory() as temporary:
            run(temporary)
