"""How long a thread of a central system waits for the answer of a charge point that answers at once.

    python benchmarks/central_system_calls.py                        8 threads, 100 charge points
    python benchmarks/central_system_calls.py --threads 1 8 32       other numbers of threads
    python benchmarks/central_system_calls.py --beside 0 200 2000    MeterValues per second that come meanwhile

Each thread sends ClearCache, waits for the answer, and sends the next one: to a charge point drawn at random, or all
threads to the same one, where they take turns. Wall clock, as the callers see it; of several rounds the one with the
best 99th percentile counts. The charge points are sockets of this process, the central system has one of its own.
"""

from __future__ import annotations

import argparse
import json
import random
import select
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.central_system import Load, frames_of, masked_frame  # noqa: E402

TICK = 0.005  # seconds between the portions of what comes beside the calls


# -- the central system's process --------------------------------------------------------------------------------------


def serve(interval: float) -> None:
    """Run a central system until standard input ends; each line asks for a round, and is answered with its figures."""
    from openocpp import (
        CentralSystemConfig,
        DefaultCentralSystemEventsHandler,
        DefaultChargePointRequestHandler,
        ICentralSystem,
        RegistrationStatus,
    )

    class Requests(DefaultChargePointRequestHandler):
        def boot_notification(self, *fields: str) -> RegistrationStatus:
            return RegistrationStatus.Accepted

    class Events(DefaultCentralSystemEventsHandler):
        def charge_point_connected(self, charge_point: ICentralSystem.IChargePoint) -> None:
            charge_point.register_handler(Requests())

    if interval:
        sys.setswitchinterval(interval)
    config = CentralSystemConfig(
        listen_url="ws://127.0.0.1:0/ocpp", web_socket_ping_interval=0.0, max_handshakes_per_address=5000,
        call_request_timeout=30.0,
    )  # fmt: skip
    with ICentralSystem.create(config, Events()) as central_system:
        if not central_system.start():
            sys.exit("the central system did not start")
        print(central_system.port, flush=True)
        for line in sys.stdin:
            threads, calls, same = json.loads(line)
            charge_points = central_system.charge_points
            print(json.dumps(call(charge_points[:1] if same else charge_points, threads, calls)), flush=True)


def call(charge_points: Any, threads: int, calls: int) -> list[float]:
    """So many calls by so many threads: calls per second, then the 50th and 99th percentile and the longest, in ms."""
    times: list[list[float]] = [[] for _ in range(threads)]
    ready = threading.Barrier(threads + 1)

    def work(mine: list[float]) -> None:
        chosen = [random.choice(charge_points) for _ in range(calls // threads)]
        ready.wait()
        for charge_point in chosen:
            began = time.perf_counter()
            if not charge_point.clear_cache():
                raise RuntimeError("a call was not accepted")
            mine.append(time.perf_counter() - began)

    callers = [threading.Thread(target=work, args=(mine,)) for mine in times]
    for caller in callers:
        caller.start()
    ready.wait()
    began = time.perf_counter()
    for caller in callers:
        caller.join()
    took = time.perf_counter() - began
    all_times = sorted(one for mine in times for one in mine)
    if len(all_times) < calls // threads * threads:
        raise RuntimeError("a caller failed")
    count = len(all_times)
    return [count / took, *(1000 * all_times[int(share * (count - 1))] for share in (0.5, 0.99, 1.0))]


# -- the charge points -------------------------------------------------------------------------------------------------


class Answering(Load):
    """Charge points that answer every CALL at once, and send a message of their own from time to time."""

    def answer_until(self, output: Any, per_second: float) -> str:
        """Answer CALLs until the other process has something to say: what."""
        poll, socks = self._poll, self.socks
        own = output.fileno()
        poll.register(own, select.EPOLLIN)
        frames = frames_of(["MeterValues"])
        senders = list(socks.values())
        sent, began = 0, time.perf_counter()
        while True:
            for descriptor, _ in poll.poll(TICK if per_second else -1):
                if descriptor == own:
                    poll.unregister(own)
                    return str(output.readline())
                self._answer(socks[descriptor])
            while per_second and sent < (time.perf_counter() - began) * per_second:
                senders[sent % len(senders)].send(frames[sent % len(frames)])
                sent += 1

    def _answer(self, sock: Any) -> None:
        data = sock.recv(65536)
        out = b""
        while data:  # short frames, which loopback does not tear
            size = data[1]
            if size >= 126:
                raise OSError(f"not a short frame: {data[:80]!r}")
            text, data = data[2 : 2 + size].decode(), data[2 + size :]
            if text.startswith("[2"):
                out += masked_frame(f'[3,{text.split(",")[1]},{{"status":"Accepted"}}]')
        if out:
            sock.send(out)


def measure(options: argparse.Namespace) -> None:
    command = [sys.executable, __file__, "--serve", str(options.switch_interval)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    assert process.stdin is not None
    assert process.stdout is not None
    load = Answering(int(process.stdout.readline()))
    load.connect(options.connections)
    load.run(frames_of(["BootNotification"]), options.connections)
    print(f"{'threads':>7}  {'beside: per s':>13}  {'to':<5} {'calls/s':>8} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8}")
    for threads in options.threads:
        for beside in options.beside:
            for same in (False, True):
                rounds = []
                for _ in range(options.rounds):
                    process.stdin.write(json.dumps([threads, options.calls, same]) + "\n")
                    rounds.append(json.loads(load.answer_until(process.stdout, beside)))
                rate, median, p99, longest = min(rounds, key=lambda figures: figures[2])
                whom = "one" if same else "many"
                print(
                    f"{threads:>7}  {beside:>13g}  {whom:<5} {rate:8.0f} {median:8.2f} {p99:8.2f} {longest:8.2f}",
                    flush=True,
                )
    load.close()
    process.stdin.close()
    process.wait(30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, nargs="+", default=[8])
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--beside", type=float, nargs="+", default=[0, 200], help="MeterValues per second, of all")
    parser.add_argument("--calls", type=int, default=10_000, help="per round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--switch-interval", type=float, default=0.0005, help="of the central system's process; 0: as Python has it"
    )
    parser.add_argument("--serve", type=float, default=None, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        serve(options.serve)
    else:
        measure(options)


if __name__ == "__main__":
    main()
