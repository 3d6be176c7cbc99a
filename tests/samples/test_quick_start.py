"""The quick start pair as a user runs it: the demonstration, the options, a foreign peer, an interrupt."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from openocpp import Runtime
from openocpp.testing.conversation import ScriptedPeer
from tests.conftest import scaled
from tests.foreign.peers import ForeignCentralSystem

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLES = Path(__file__).resolve().parent.parent.parent / "samples"
QUICK_START = [
    "quick_start_chargepoint",
    "quick_start_centralsystem",
    "quick_start_localcontroller",
    "quick_start_cs_lc_hybrid",
]
LIMIT = scaled(60.0)
# Interrupts are ignored where the tests run in the background: a program that is started there would ignore them too.
INTERRUPTIBLE = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
)


def run(sample: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SAMPLES / sample / "main.py"), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)


def test_the_demonstration_shows_a_whole_session() -> None:
    ended = run("demo")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    for action in ("BootNotification", "Authorize", "StartTransaction", "StopTransaction", "Heartbeat"):
        assert f"] {action}" in ended.stdout
    assert ended.stdout.count("] StopTransaction: ") == 2


@pytest.mark.parametrize("sample", QUICK_START)
def test_help_and_unknown_options(sample: str) -> None:
    shown = run(sample, "-h")
    assert shown.returncode == 0
    assert "--cycles" in shown.stdout
    refused = run(sample, "--nonsense")
    assert refused.returncode == 1
    assert "usage" in refused.stderr
    assert "--nonsense" in refused.stderr


@pytest.mark.parametrize("sample", QUICK_START)
def test_a_bad_ini_file_is_named_with_the_key(sample: str, tmp_path: Path) -> None:
    ini = tmp_path / f"{sample}.ini"
    text = (SAMPLES / sample / f"{sample}.ini").read_text(encoding="utf-8")
    ini.write_text(text.replace("CallRequestTimeout=2000", "CallRequestTimeout=soon"), encoding="utf-8")
    refused = run(sample, "-w", str(tmp_path))
    assert refused.returncode == 1
    assert str(ini) in refused.stderr
    assert "CallRequestTimeout" in refused.stderr
    missing = run(sample, "-w", str(tmp_path / "nowhere"))
    assert missing.returncode == 1
    assert "nowhere" in missing.stderr


@pytest.fixture
def central() -> Iterator[ForeignCentralSystem]:
    foreign = ForeignCentralSystem()
    yield foreign
    foreign.stop()


def test_the_charge_point_charges_at_a_foreign_central_system(central: ForeignCentralSystem, tmp_path: Path) -> None:
    sample = "quick_start_chargepoint"
    text = (SAMPLES / sample / f"{sample}.ini").read_text(encoding="utf-8")
    text = text.replace("127.0.0.1:8080", f"127.0.0.1:{central.port}").replace("../../schemas/", "")
    (tmp_path / f"{sample}.ini").write_text(text, encoding="utf-8")
    ended = run(sample, "-w", str(tmp_path), "--cycles", "1", "--speed", "40", "-r", "-d")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert [fields["connector_id"] for fields in central.of("StartTransaction")] == [1, 2]
    assert [fields["transaction_id"] for fields in central.of("StopTransaction")] == [7001, 7001]
    assert "interval" not in ended.stderr
    assert "HeartbeatInterval=300" in (tmp_path / f"{sample}.ini").read_text(encoding="utf-8")


@contextmanager
def central_system(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], int, list[str]]]:
    """The sample on a free port, once it listens: the process, its port, what it has printed."""
    sample = "quick_start_centralsystem"
    text = (SAMPLES / sample / f"{sample}.ini").read_text(encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    text = text.replace("127.0.0.1:8080", f"127.0.0.1:{port}").replace("../../schemas/", "")
    (folder / f"{sample}.ini").write_text(text, encoding="utf-8")
    command = [sys.executable, "-c", INTERRUPTIBLE, sys.executable]
    command += ["-u", str(SAMPLES / sample / "main.py"), "-w", str(folder), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            lines = []
            for line in process.stdout:
                lines.append(line)
                if line.startswith("listening"):
                    break
            yield process, port, lines
        finally:
            process.kill()


def test_the_central_system_ends_after_its_rounds(tmp_path: Path) -> None:
    answers: dict[str, Any] = {
        "GetConfiguration": {"configurationKey": [{"key": "A", "readonly": False, "value": "1"}]},
        "ChangeConfiguration": {"status": "Accepted"},
        "TriggerMessage": {"status": "Rejected"},
    }
    with central_system(tmp_path, "--cycles", "2", "--speed", "40") as (process, port, lines):
        with Runtime(name="station") as runtime:
            url = f"ws://127.0.0.1:{port}/openocpp/"
            peer = ScriptedPeer.connect(runtime, url, "CP1", answers=answers, timeout=scaled(10))
            peer.expect_closed(1001, timeout=LIMIT)
        rest, _ = process.communicate(timeout=LIMIT)
        assert process.returncode == 0, "".join(lines) + rest
    assert rest.count("----- CP1 -----") == 2
    assert "2 rounds done" in rest


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_central_system_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with central_system(tmp_path) as (process, _, lines):
        process.send_signal(number)
        rest, _ = process.communicate(timeout=LIMIT)
        assert process.returncode == 0, "".join(lines) + rest
    assert "stopped" in rest
    assert "Traceback" not in rest
