"""What a charge point costs: queueing, draining, starting, calling, and a hundred of them in one process.

    python benchmarks/charge_point.py [queue | drain | start | call | fleet]...

Each is measured in processes of their own against a peer in another one; CPU time is user + system of the charge
point's process, the best of the rounds. Wall time depends on the disk and on who else uses the machine.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parent.parent))

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp import IChargePoint

ROUNDS = 5


class Peer:
    """A central system in a process of its own."""

    def __init__(self, port: int = 0) -> None:
        import subprocess  # where no memory is measured

        self._process = subprocess.Popen(
            [sys.executable, str(HERE.with_name("raw_peer.py")), str(port)], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ocpp"

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def make(url: str, folder: str, runtime: Any = None, identity: str = "CP1") -> IChargePoint:
    """A charge point as an application makes it."""
    from openocpp import ChargePointConfig, DefaultChargePointEventsHandler, IChargePoint, MemoryOcppConfig

    class Handler(DefaultChargePointEventsHandler):
        def get_tx_start_stop_meter_value(self, connector_id: int) -> int:
            return 1000

    config = ChargePointConfig(
        connexion_url=url,
        charge_point_identifier=identity,
        charge_point_vendor="Vendor",
        charge_point_model="Model",
        retry_interval=0.2,
        retry_interval_max=0.2,
        database_path=os.path.join(folder, f"{identity}.db") if folder else "",
    )
    keys = MemoryOcppConfig(
        {"NumberOfConnectors": 2, "MeterValueSampleInterval": 0, "AuthorizationCacheEnabled": "true"}
    )
    return IChargePoint.create(config, keys, Handler(), runtime)


def accepted(cp: IChargePoint) -> bool:
    return cp.registration_status.value == "Accepted"


def wait(condition: Callable[[], bool], step: float = 0.002) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("it takes too long")
        time.sleep(step)


def rss() -> float:
    """Resident memory in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def figures(**values: float) -> None:
    print(" ".join(f"{name}={value:.3f}" for name, value in values.items()), flush=True)


def store_of(cp: IChargePoint) -> Any:
    return cp._session.ctx.database  # type: ignore[attr-defined]


def queue_up(cp: IChargePoint, transactions: int) -> None:
    for number in range(transactions):
        connector_id = 1 + number % 2
        cp.start_transaction(connector_id, f"TAG{number % 50}")
        cp.stop_transaction(connector_id)


def offline(peer: Peer, folder: str) -> IChargePoint:
    """Registered in an earlier session, and now without its central system."""
    cp = make(peer.url, folder)
    cp.start()
    wait(lambda: accepted(cp))
    cp.stop()
    peer.end()
    cp = make(peer.url, folder)
    cp.start()
    wait(lambda: accepted(cp))
    return cp


# -- the measurements, each in its own process -------------------------------------------------------------------------


def measure_queue(folder: str) -> None:
    cp = offline(Peer(), folder)
    rounds = []
    for _ in range(ROUNDS):
        commits, cpu, wall = store_of(cp).commits, time.process_time(), time.perf_counter()
        queue_up(cp, 250)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        rounds.append((cpu / 500 * 1e6, wall / 500 * 1e6, (store_of(cp).commits - commits) / 500))
    cp.stop()
    cpu, wall, syncs = min(rounds)
    figures(cpu_us=cpu, wall_us=wall, fsyncs=syncs)


def measure_drain(folder: str) -> None:
    peer = Peer()
    cp = offline(peer, folder)
    queue_up(cp, 1000)
    before = rss()
    courier = cp._session.courier  # type: ignore[attr-defined]
    peer = Peer(peer.port)
    wait(lambda: cp.is_connected)
    cpu, wall = time.process_time(), time.perf_counter()
    most = before
    while courier.in_flight_id or courier.table.head() is not None:
        most = max(most, rss())
        time.sleep(0.02)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    cp.stop()
    peer.end()
    figures(per_second=2000 / wall, cpu_us=cpu / 2000 * 1e6, growth_mb=most - before)


def measure_start(folder: str, url: str) -> None:
    cp = make(url, folder)
    imported = time.process_time()
    cp.start()
    wait(lambda: accepted(cp))
    figures(cpu_ms=time.process_time() * 1e3, start_ms=(time.process_time() - imported) * 1e3, rss_mb=rss())
    cp.stop()


def measure_call(folder: str) -> None:
    peer = Peer()
    cp = make(peer.url, folder)
    cp.start()
    wait(lambda: accepted(cp))
    time.sleep(0.3)
    rounds = []
    for _ in range(ROUNDS):
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in range(1000):
            if cp.data_transfer("Vendor", "message", "data") is None:
                raise SystemExit("no answer")
        rounds.append((time.process_time() - cpu, time.perf_counter() - wall))
    cp.stop()
    peer.end()
    cpu, wall = min(rounds)
    figures(cpu_us=cpu * 1e3, wall_us=wall * 1e3)


def measure_fleet(folder: str, url: str) -> None:
    from openocpp import Runtime

    with Runtime(workers=4, connectors=4, name="fleet") as runtime:
        cpu, wall = time.process_time(), time.perf_counter()
        fleet = [make(url, folder, runtime, f"CP{number}") for number in range(100)]
        for cp in fleet:
            cp.start()
        wait(lambda: all(map(accepted, fleet)))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        figures(wall_s=wall, cpu_s=cpu, rss_mb=rss(), threads=threading.active_count())
        for cp in fleet:
            cp.stop()


# -- the table ---------------------------------------------------------------------------------------------------------

TARGETS = {
    "queue": "queueing a transaction message offline: <= 600 us CPU, 1 fsync",
    "drain": "draining 1,000 transactions: >= 1,500 messages/s, constant memory",
    "start": "start to booted: <= 200 ms CPU, <= 30 MB",
    "call": "a blocking round trip: <= 150 us CPU",
    "fleet": "100 charge points on one runtime: booted <= 1.5 s, <= 60 MB, <= 16 threads",
}


def run_one(name: str, url: str) -> dict[str, float]:
    import subprocess
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(HERE), "--measure", name, folder, url]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {key: float(value) for key, value in (pair.split("=") for pair in output.split())}


def main(names: list[str]) -> None:
    for name in names or list(TARGETS):
        peer = Peer()
        runs = [run_one(name, peer.url) for _ in range(3)]
        peer.end()
        best = {key: (max if key == "per_second" else min)(run[key] for run in runs) for key in runs[0]}
        print(TARGETS[name])
        print("    " + "  ".join(f"{key} {value:.1f}" for key, value in best.items()), flush=True)


def measure(name: str, folder: str, url: str) -> None:
    if name in ("start", "fleet"):
        globals()[f"measure_{name}"](folder, url)
    else:
        globals()[f"measure_{name}"](folder)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(*sys.argv[2:5])
    else:
        main(sys.argv[1:])
