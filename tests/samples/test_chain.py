"""The samples in a chain: charge point, local controller or hybrid, central system, each as a user runs it."""

from __future__ import annotations

import shutil
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from samples.demo.main import Program
from tests.conftest import scaled

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLES = Path(__file__).resolve().parent.parent.parent / "samples"
LIMIT = scaled(15.0)


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses: all different, since they are taken at the same time."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def settings(folder: Path, sample: str, **replaced: str) -> Path:
    """A folder with the sample's INI file, in which the keys have other values."""
    lines = (SAMPLES / sample / f"{sample}.ini").read_text(encoding="utf-8").splitlines()
    replaced["JsonSchemasPath"] = ""
    for key, value in replaced.items():
        (index,) = [index for index, line in enumerate(lines) if line.startswith(f"{key}=")]
        lines[index] = f"{key}={value}"
    folder.mkdir()
    (folder / f"{sample}.ini").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


class Chain:
    """Programs that run, and all end in the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs: list[Program] = []
        self.below, self.above = (f"ws://127.0.0.1:{port}/openocpp/" for port in free_ports(2))

    def start(self, sample: str, *options: str, title: str = "", **replaced: str) -> Program:
        home = settings(self.folder / (title or sample), sample, **replaced)
        program = Program(title or sample.removeprefix("quick_start_"), sample, home, *options)
        self.programs.append(program)
        return program

    def expect(self, program: Program, *texts: str) -> None:
        for text in texts:
            assert program.wait_for(text, LIMIT), f"{program.title} did not print {text!r}"

    def end(self) -> list[int]:
        codes = [program.end() for program in reversed(self.programs)]
        self.programs.clear()
        return codes


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    made = Chain(tmp_path / "chain")
    made.folder.mkdir()
    yield made
    made.end()
    shutil.rmtree(made.folder)


def test_a_session_passes_through_the_local_controller(chain: Chain) -> None:
    central = chain.start("quick_start_centralsystem", ListenUrl=chain.above)
    controller = chain.start(
        "quick_start_localcontroller", "--speed", "4", ListenUrl=chain.below, ConnexionUrl=chain.above
    )
    chain.expect(central, "listening on")
    chain.expect(controller, "listening on")
    station = chain.start("quick_start_chargepoint", "--speed", "40", "-t", "TAG7", ConnexionUrl=chain.below)
    name = "[ChargePointTest]"
    chain.expect(
        central,
        f"{name} BootNotification: Open OCPP", f"{name} StatusNotification", f"{name} Authorize: TAG7",
        f"{name} StartTransaction: connector 1", f"{name} StopTransaction: transaction 1",
        f"{name} StartTransaction: connector 2", f"{name} StopTransaction: transaction 2",
        f"{name} HeartbeatInterval = 10: Accepted", f"{name} trigger Heartbeat: Accepted", f"{name} Heartbeat",
    )  # fmt: skip
    chain.expect(
        controller,
        f"{name} connected to the central system", f"{name}   NumberOfConnectors = 2 (read-only)",
        f"{name} HeartbeatInterval = 10: Accepted", f"{name} trigger MeterValues", f"{name} Heartbeat",
    )  # fmt: skip
    boots = [line for line in central.printed if "BootNotification" in line]
    assert len(boots) == 1, "the first one was not lost"
    assert central.end() == 0
    chain.expect(
        controller, f"{name} disconnected from the central system", f"{name} disconnected from the charge point"
    )
    chain.expect(station, "disconnected from the central system")
    assert chain.end() == [0, 0, 0]


def test_the_hybrid_passes_on_only_some_charge_points(chain: Chain) -> None:
    central = chain.start("quick_start_centralsystem", ListenUrl=chain.above)
    hybrid = chain.start("quick_start_cs_lc_hybrid", "--speed", "8", ListenUrl=chain.below, ConnexionUrl=chain.above)
    chain.expect(central, "listening on")
    chain.expect(hybrid, "listening on")
    for identity in ("ChargePointTest", "ChargePointTestlc"):
        chain.start(
            "quick_start_chargepoint", "--speed", "40", title=identity, ChargePointIdentifier=identity,
            ConnexionUrl=chain.below,
        )  # fmt: skip
    chain.expect(
        hybrid,
        "[ChargePointTest] connected, served here", "[ChargePointTest] BootNotification",
        "[ChargePointTest] StopTransaction", "[ChargePointTestlc] connected, passed on",
        "[ChargePointTestlc] connected to the central system", "ChargePointTest, served here: ",
        "ChargePointTestlc, passed on: ",
    )  # fmt: skip
    chain.expect(central, "[ChargePointTestlc] StopTransaction")
    assert not any("[ChargePointTest]" in line for line in central.printed)
    assert not any("[ChargePointTestlc] BootNotification" in line for line in hybrid.printed)
    assert not any(line.endswith("no answer") for line in hybrid.printed)
    assert chain.end() == [0, 0, 0, 0]
