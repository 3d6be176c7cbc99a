"""A whole charging session over a real WebSocket, in less than a minute: the quick start pair, on a free port.

Both programs run as they are, in a folder that is thrown away; what they print is shown side by side.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO

SAMPLES = Path(__file__).resolve().parent.parent
LIMIT = 60.0  # seconds for the whole demonstration
SPEED = "8"  # the charge point's pauses are long enough for a person to follow: divide them
WANTED = ["BootNotification", "StatusNotification", "Authorize", "StartTransaction", "StopTransaction"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def settings(sample: str, folder: Path, port: int) -> Path:
    """A copy of the sample's INI file with a free port, its database beside it and the schemas of the package."""
    home = folder / sample
    home.mkdir()
    text = (SAMPLES / sample / f"{sample}.ini").read_text(encoding="utf-8")
    text = text.replace("127.0.0.1:8080", f"127.0.0.1:{port}").replace(
        "JsonSchemasPath=../../schemas/", "JsonSchemasPath="
    )
    (home / f"{sample}.ini").write_text(text, encoding="utf-8")
    return home


class Program:
    """A sample that runs, and what it has printed."""

    def __init__(self, title: str, sample: str, home: Path, *options: str) -> None:
        self.title = title
        self.printed: list[str] = []
        command = [sys.executable, str(SAMPLES / sample / "main.py"), "-w", str(home), *options]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        )
        assert self.process.stdout is not None
        self._reader = threading.Thread(target=self._show, args=(self.process.stdout,))
        self._reader.start()

    def _show(self, output: IO[str]) -> None:
        with output:
            for line in output:
                self.printed.append(line.rstrip())
                print(f"{self.title:<15}| {line.rstrip()}", flush=True)

    def wait_for(self, text: str, deadline: float) -> bool:
        """Has it printed this, or does it within the time?"""
        pause = threading.Event()
        for _ in range(int(deadline * 20)):
            if any(text in line for line in self.printed):
                return True
            if self.process.poll() is not None:
                return False
            pause.wait(0.05)
        return False

    def end(self) -> int:
        """Ask it to end, as Ctrl-C does too: its exit code. Whoever runs in the background cannot be interrupted."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self._reader.join()


def run(folder: Path) -> str:
    """Show the session: what failed, or nothing."""
    port = free_port()
    central = Program(
        "central system", "quick_start_centralsystem", settings("quick_start_centralsystem", folder, port)
    )
    try:
        if not central.wait_for("listening on", 15):
            return "the central system did not start"
        station = Program(
            "charge point",
            "quick_start_chargepoint",
            settings("quick_start_chargepoint", folder, port),
            "--cycles",
            "1",
            "--speed",
            SPEED,
        )
        try:
            code = station.process.wait(LIMIT - 15)
        except subprocess.TimeoutExpired:
            return "the charge point did not end in time"
        finally:
            station.end()
        if code != 0:
            return f"the charge point ended with {code}"
    finally:
        ended = central.end()
    if ended != 0:
        return f"the central system ended with {ended}"
    missing = [name for name in WANTED if not any(f"] {name}" in line for line in central.printed)]
    if missing:
        return f"the central system did not receive {', '.join(missing)}"
    database = folder / "quick_start_chargepoint" / "quick_start_chargepoint.db"
    return "" if database.stat().st_size > 0 else "the charge point stored nothing"


def main() -> int:
    folder = Path(tempfile.mkdtemp(prefix="openocpp-demo-"))
    try:
        problem = run(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if problem:
        print(f"the demonstration failed: {problem}", file=sys.stderr)
        return 1
    print("the demonstration is over: a charge point booted, was authorized, charged on two connectors and stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
