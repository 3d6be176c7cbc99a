"""What it costs to pass a message on, beside what it costs to handle it.

    python benchmarks/local_controller.py                    100 connections, all kinds of messages
    python benchmarks/local_controller.py --pin              the servers have a core of their own
    python benchmarks/local_controller.py --profile          where the time goes, by function

The load is that of ``central_system.py``, in turn on a central system and on a local controller before the cheapest
central system there can be (``raw_peer.py``). Each has a process of its own, whose CPU time (user and system) counts.
A message is a CALL and its answer: two frames for the central system, four for the local controller. The best round of
each counts.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.central_system import (  # noqa: E402
    KINDS,
    PAYLOADS,
    ServerProcess,
    UnderLoad,
    leave_core,
    masked_frame,
    profile_threads,
    report,
    resident,
    take_core,
)
from openocpp.rpc.ids import REMEMBERED  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

IDS = 2 * REMEMBERED

# -- the local controller's process ------------------------------------------------------------------------------------


def serve(url: str, profile: str, core: int | None) -> None:
    """Run a local controller until standard input ends; answer each line with figures of this process."""
    if core is not None:
        take_core(core)
    from openocpp import (
        ClientCredentials,
        DefaultLocalControllerEventsHandler,
        IChargePointProxy,
        ILocalController,
        LocalControllerConfig,
    )

    class Events(DefaultLocalControllerEventsHandler):
        def charge_point_connected(self, charge_point: IChargePointProxy) -> None:
            charge_point.central_system_proxy.connect(url, ClientCredentials(), connect_timeout=30.0)

    config = LocalControllerConfig(
        listen_url="ws://127.0.0.1:0/ocpp",
        web_socket_ping_interval=0.0,
        call_request_timeout=30.0,
        max_handshakes_per_address=5000,
    )
    if profile:
        profile_threads(profile)
    with ILocalController.create(config, Events()) as controller:
        if not controller.start():
            sys.exit("the local controller did not start")
        print(controller.port, flush=True)
        for _ in sys.stdin:
            usage = resource.getrusage(resource.RUSAGE_SELF)
            connected = sum(pair.central_system_proxy.is_connected for pair in controller.charge_points)
            print(json.dumps([usage.ru_utime + usage.ru_stime, resident(), connected]), flush=True)


class ControllerProcess(ServerProcess):
    """The local controller, as this process sees it."""

    def __init__(self, url: str, *, pin: bool, profile: str) -> None:
        self._begin([__file__, "--serve", url, "--profile", profile], pin=pin)


# -- the measurement ---------------------------------------------------------------------------------------------------


def frames_with_ids(actions: Sequence[str]) -> list[bytes]:
    """The frames that one connection sends in turn. As with real charge points, no id comes again soon."""
    return [
        masked_frame(f'[2,"{100000 + number}","{action}",{json.dumps(PAYLOADS[action], separators=(",", ":"))}]')
        for number in range(IDS)
        for action in (actions[number % len(actions)],)
    ]


def run(options: argparse.Namespace) -> None:
    if options.pin:
        leave_core()
    peer = subprocess.Popen(
        [sys.executable, str(ROOT / "benchmarks/raw_peer.py"), "0"], stdout=subprocess.PIPE, text=True
    )
    assert peer.stdout is not None
    url = f"ws://127.0.0.1:{int(peer.stdout.readline())}/ocpp"
    controller = ControllerProcess(url, pin=options.pin, profile=options.profile)
    handling = UnderLoad(ServerProcess(pin=options.pin), options.connections)
    passing = UnderLoad(controller, options.connections)
    _, memory, pairs = controller.figures()
    print(f"{pairs} pairs of connections, {memory / 1024:.0f} MiB")
    print(f"{'messages':<12} {'handled: us':>11} {'passed on: us':>14} {'ratio':>6} {'per s':>8}")
    for kind in options.kinds:
        frames = frames_with_ids(KINDS.get(kind, [kind]))
        for side in (handling, passing):
            side.begin(frames)
        for _ in range(options.rounds):
            for side in (handling, passing):
                side.round(options.messages)
        ratio = passing.cost / handling.cost
        print(f"{kind:<12} {handling.cost:11.1f} {passing.cost:14.1f} {ratio:6.2f} {passing.rate:8.0f}", flush=True)
    handling.end()
    passing.end()
    peer.kill()
    if options.profile:
        report(options.profile)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), help="Heartbeat, MeterValues, mix, or any action")
    parser.add_argument("--messages", type=int, default=10_000, help="per round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pin", action="store_true", help="give the servers a core of their own")
    parser.add_argument(
        "--profile", nargs="?", const="/tmp/local_controller.prof", default="", help="file of a profile"
    )
    parser.add_argument("--serve", default="", help=argparse.SUPPRESS)
    parser.add_argument("--core", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if options.serve:
        serve(options.serve, options.profile, options.core)
    else:
        run(options)


if __name__ == "__main__":
    main()
