"""What a message costs a central system: CPU time of its process, with accepting handlers and validation on.

    python benchmarks/central_system.py                    100 connections, all kinds of messages
    python benchmarks/central_system.py --connections 100 1000 5000 --kinds Heartbeat
    python benchmarks/central_system.py --idle 5000        memory per idle connection, time to connect and boot
    python benchmarks/central_system.py --profile          where the time goes, by function

The server runs in a process of its own, which answers questions about its CPU time (user and system, getrusage). The
load comes from this process, over raw sockets: each connection sends its next message as soon as the last one was
answered; frames are made beforehand. ``--pin`` gives the server a core of its own, and the load the others. Of several
rounds the best one counts.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import select
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from collections.abc import Sequence

MASK = bytes((0x37, 0xFA, 0x21, 0x3D))
IDS = 16  # frames of a kind that are made beforehand, with ids of their own
STAMP = "2024-05-01T12:00:00Z"

READING = [
    {"value": "1234567", "measurand": "Energy.Active.Import.Register", "unit": "Wh", "context": "Sample.Periodic"},
    {"value": "10980", "measurand": "Power.Active.Import", "unit": "W"},
    {"value": "15.8", "measurand": "Current.Import", "unit": "A", "phase": "L1"},
    {"value": "15.9", "measurand": "Current.Import", "unit": "A", "phase": "L2"},
    {"value": "15.7", "measurand": "Current.Import", "unit": "A", "phase": "L3"},
    {"value": "230.1", "measurand": "Voltage", "unit": "V", "phase": "L1-N"},
    {"value": "229.8", "measurand": "Voltage", "unit": "V", "phase": "L2-N"},
    {"value": "54", "measurand": "SoC", "unit": "Percent", "location": "EV"},
]
PAYLOADS: dict[str, dict[str, Any]] = {
    "Heartbeat": {},
    "MeterValues": {
        "connectorId": 1,
        "transactionId": 4711,
        "meterValue": [{"timestamp": STAMP, "sampledValue": READING}],
    },
    "StatusNotification": {"connectorId": 1, "errorCode": "NoError", "status": "Charging", "timestamp": STAMP},
    "Authorize": {"idTag": "AABBCCDD"},
    "StartTransaction": {"connectorId": 1, "idTag": "AABBCCDD", "meterStart": 1000, "timestamp": STAMP},
    "StopTransaction": {"transactionId": 4711, "idTag": "AABBCCDD", "meterStop": 2000, "timestamp": STAMP},
    "BootNotification": {"chargePointVendor": "Vendor", "chargePointModel": "Model"},
}
# A day of a station with some sessions, in proportion.
MIX = ["MeterValues"] * 9 + ["Heartbeat"] * 4 + ["StatusNotification"] * 4 + ["Authorize", "StartTransaction"]
MIX += ["StopTransaction"]
KINDS: dict[str, list[str]] = {"Heartbeat": ["Heartbeat"], "MeterValues": ["MeterValues"], "mix": MIX}


# -- cores -------------------------------------------------------------------------------------------------------------

SERVER_CORE = max(os.sched_getaffinity(0))


def take_core(core: int) -> None:
    """Run on this core only. To be called before there are other threads."""
    os.sched_setaffinity(0, {core})


def leave_core() -> None:
    """Leave the server's core to it, as far as there are others; so do processes that are started from now on."""
    others = os.sched_getaffinity(0) - {SERVER_CORE}
    if others:
        os.sched_setaffinity(0, others)


# -- the server's process ----------------------------------------------------------------------------------------------


def serve(profile: str, core: int | None) -> None:
    """Run a central system until standard input ends; answer each line with figures of this process."""
    if core is not None:
        take_core(core)
    from openocpp import (
        AuthorizationStatus,
        CentralSystemConfig,
        DefaultCentralSystemEventsHandler,
        DefaultChargePointRequestHandler,
        ICentralSystem,
        IdTagInfo,
        RegistrationStatus,
        StartTransactionResult,
    )

    accepted = IdTagInfo(status=AuthorizationStatus.Accepted)

    class Requests(DefaultChargePointRequestHandler):
        def boot_notification(self, *fields: str) -> RegistrationStatus:
            return RegistrationStatus.Accepted

        def authorize(self, id_tag: str) -> IdTagInfo:
            return accepted

        def start_transaction(self, *fields: Any) -> StartTransactionResult:
            return StartTransactionResult(accepted, 4711)

        def stop_transaction(self, *fields: Any) -> IdTagInfo | None:
            return accepted

    class Events(DefaultCentralSystemEventsHandler):
        def charge_point_connected(self, charge_point: ICentralSystem.IChargePoint) -> None:
            charge_point.register_handler(Requests())

    config = CentralSystemConfig(
        listen_url="ws://127.0.0.1:0/ocpp", web_socket_ping_interval=0.0, max_handshakes_per_address=5000
    )
    if profile:
        profile_threads(profile)
    with ICentralSystem.create(config, Events()) as central_system:
        if not central_system.start():
            sys.exit("the central system did not start")
        print(central_system.port, flush=True)
        for _ in sys.stdin:
            usage = resource.getrusage(resource.RUSAGE_SELF)
            figures = [usage.ru_utime + usage.ru_stime, resident(), len(central_system.charge_points)]
            print(json.dumps(figures), flush=True)


def profile_threads(path: str) -> None:
    """Profile every thread from its start, and add the profiles up at the end."""
    import atexit
    import cProfile
    import pstats
    import threading

    profiles: list[cProfile.Profile] = []
    plain_run = threading.Thread.run

    def run(thread: threading.Thread) -> None:
        profile = cProfile.Profile(time.thread_time)
        profiles.append(profile)
        profile.runcall(plain_run, thread)

    def report() -> None:
        stats = pstats.Stats(profiles[0])
        for profile in profiles[1:]:
            stats.add(profile)
        stats.dump_stats(path)

    setattr(threading.Thread, "run", run)  # noqa: B010 - a method of somebody else's class, for once
    atexit.register(report)


def resident() -> int:
    """Resident memory of this process in KiB."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * (os.sysconf("SC_PAGE_SIZE") // 1024)


class ServerProcess:
    """The server, as this process sees it."""

    def __init__(self, *, pin: bool, profile: str = "") -> None:
        self._begin([__file__, "--serve", profile], pin=pin)

    def _begin(self, arguments: Sequence[str], *, pin: bool) -> None:
        command = [sys.executable, *arguments, *(["--core", str(SERVER_CORE)] if pin else [])]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin: IO[str] = self._process.stdin
        self._stdout: IO[str] = self._process.stdout
        self.port = int(self._stdout.readline())

    def figures(self) -> tuple[float, int, int]:
        """CPU seconds, resident KiB, connected charge points."""
        self._stdin.write("?\n")
        self._stdin.flush()
        cpu, memory, connected = json.loads(self._stdout.readline())
        return cpu, memory, connected

    def stop(self) -> None:
        self._stdin.close()
        self._process.wait(30)


# -- the load ----------------------------------------------------------------------------------------------------------


def masked_frame(text: str) -> bytes:
    payload = text.encode()
    size = len(payload)
    head = bytes((0x81, 0x80 | size)) if size < 126 else bytes((0x81, 0x80 | 126)) + size.to_bytes(2, "big")
    return head + MASK + bytes(byte ^ MASK[index % 4] for index, byte in enumerate(payload))


def frames_of(actions: Sequence[str]) -> list[bytes]:
    """The frames that one connection sends in turn."""
    count = max(IDS, len(actions))
    texts = []
    for number in range(count):
        action = actions[number % len(actions)]
        payload = json.dumps(PAYLOADS[action], separators=(",", ":"))
        texts.append(f'[2,"{100000 + number}","{action}",{payload}]')
    return [masked_frame(text) for text in texts]


class Load:
    """Many charge points that do nothing but wait for answers."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._poll = select.epoll()
        self.socks: dict[int, socket.socket] = {}

    def connect(self, count: int) -> None:
        """Open more connections, up to so many in all. All of them are upgrading at once."""
        waiting = {}
        for number in range(len(self.socks), count):
            sock = socket.create_connection(("127.0.0.1", self._port))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.sendall(
                f"GET /ocpp/CP{number:05} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n".encode()
            )
            waiting[sock.fileno()] = sock
            if len(waiting) == 200:
                self._upgraded(waiting)
        self._upgraded(waiting)

    def _upgraded(self, waiting: dict[int, socket.socket]) -> None:
        for descriptor, sock in waiting.items():
            answer = b""
            while not answer.endswith(b"\r\n\r\n"):
                part = sock.recv(4096)
                if not part:
                    raise OSError(f"the server hung up: {answer!r}")
                answer += part
            if b" 101 " not in answer:
                raise OSError(f"no upgrade: {answer!r}")
            self.socks[descriptor] = sock
            self._poll.register(descriptor, select.EPOLLIN)
        waiting.clear()

    def run(self, frames: Sequence[bytes], messages: int) -> None:
        """Have so many messages answered, one at a time per connection."""
        count = len(frames)
        socks, poll = self.socks, self._poll
        turns = {descriptor: index for index, descriptor in enumerate(socks)}
        to_send = messages
        for descriptor, sock in list(socks.items())[:messages]:
            sock.send(frames[turns[descriptor] % count])
            to_send -= 1
        answered = 0
        while answered < messages:
            for descriptor, _ in poll.poll():
                sock = socks[descriptor]
                data = sock.recv(4096)
                if data[:1] != b"\x81" or b"[3," not in data[:16]:
                    raise OSError(f"not an answer: {data[:200]!r}")
                answered += 1
                if to_send > 0:
                    to_send -= 1
                    turn = turns[descriptor] = turns[descriptor] + 1
                    sock.send(frames[turn % count])

    def close(self) -> None:
        for sock in self.socks.values():
            sock.close()
        self._poll.close()


class UnderLoad:
    """A server under load, and the best that was seen of it."""

    def __init__(self, server: ServerProcess, connections: int) -> None:
        self.server = server
        self.load = Load(server.port)
        self.load.connect(connections)
        self.load.run(frames_of(["BootNotification"]), connections)

    def begin(self, frames: Sequence[bytes]) -> None:
        """Other messages from now on. The first ones do not count."""
        self.frames = frames
        self.cost, self.rate = float("inf"), 0.0
        self.load.run(frames, max(len(self.load.socks), 2000))

    def round(self, messages: int) -> None:
        """``cost``: microseconds of CPU per message; ``rate``: messages per second."""
        cpu, began = self.server.figures()[0], time.perf_counter()
        self.load.run(self.frames, messages)
        wall = time.perf_counter() - began
        self.cost = min(self.cost, (self.server.figures()[0] - cpu) / messages * 1e6)
        self.rate = max(self.rate, messages / wall)

    def end(self) -> None:
        self.load.close()
        self.server.stop()


# -- the measurements --------------------------------------------------------------------------------------------------


def measure_messages(options: argparse.Namespace) -> None:
    print(f"{'connections':>11}  {'messages':<12} {'us CPU':>8} {'per s':>9}")
    for connections in options.connections:
        server = UnderLoad(ServerProcess(pin=options.pin, profile=options.profile), connections)
        for kind in options.kinds:
            server.begin(frames_of(KINDS.get(kind, [kind])))
            for _ in range(options.rounds):
                server.round(options.messages)
            print(f"{connections:>11}  {kind:<12} {server.cost:8.1f} {server.rate:9.0f}", flush=True)
        server.end()


def measure_idle(options: argparse.Namespace) -> None:
    server = ServerProcess(pin=options.pin)
    load = Load(server.port)
    load.connect(100)
    load.run(frames_of(["BootNotification"]), 100)
    _, before, _ = server.figures()
    began, cpu = time.perf_counter(), server.figures()[0]
    load.connect(options.idle)
    connected = time.perf_counter()
    load.run(frames_of(["BootNotification"]), options.idle)
    booted = time.perf_counter()
    cpu_after, memory, count = server.figures()
    more = count - 100
    print(f"{count} connections: {(memory - before) / more:.1f} KiB each, {before} KiB before them")
    print(
        f"connected in {connected - began:.2f} s, booted in {booted - began:.2f} s, "
        f"{(cpu_after - cpu) / more * 1e6:.0f} us CPU each"
    )
    load.close()
    server.stop()


def report(path: str, lines: int = 45) -> None:
    import pstats

    pstats.Stats(path).sort_stats("tottime").print_stats(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, nargs="+", default=[100])
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), help="Heartbeat, MeterValues, mix, or any action")
    parser.add_argument("--messages", type=int, default=20_000, help="per round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pin", action="store_true", help="give the server a core of its own")
    parser.add_argument("--idle", type=int, default=0, help="measure so many idle connections instead")
    parser.add_argument("--profile", nargs="?", const="/tmp/central_system.prof", default="", help="file for a profile")
    parser.add_argument("--serve", nargs="?", const="", default=None, help=argparse.SUPPRESS)
    parser.add_argument("--core", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if options.serve is not None:
        serve(options.serve, options.core)
        return
    if options.pin:
        leave_core()
    if options.idle:
        measure_idle(options)
    else:
        measure_messages(options)
        if options.profile:
            report(options.profile)


if __name__ == "__main__":
    main()
