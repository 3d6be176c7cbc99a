"""The two programs of the README, run against each other as they stand there."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

from tests.conftest import scaled

README = Path(__file__).resolve().parent.parent / "README.rst"
LIMIT = scaled(30.0)


def programs() -> list[str]:
    """The code blocks of the README, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    text = README.read_text(encoding="utf-8").replace("127.0.0.1:8080", f"127.0.0.1:{port}")
    blocks = re.findall(r"\.\. code-block:: python\n\n((?:    .*\n|\n)+)", text)
    return [dedent(block) for block in blocks]


def begin(program: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_both_programs_do_what_the_readme_says() -> None:
    station_program, central_program = programs()
    central = begin(central_program)
    assert central.stdout is not None
    assert central.stdout.readline() == "Enter commands all, q ends it\n"
    station = begin(station_program)
    assert central.stdout.readline() == "booted: openocpp openocpp\n"
    assert station.stdout is not None
    printed = ""
    while "registration: Accepted" not in printed:
        line = station.stdout.readline()
        assert line, f"the charge point ended: {printed}"
        printed += line
    commands, _ = central.communicate("\nq\n", timeout=LIMIT)
    rest, _ = station.communicate("\n", timeout=LIMIT)
    assert central.returncode == station.returncode == 0, commands + printed + rest
    assert "CP1 Accepted" in commands
    assert "CP1 False" in commands  # the ready application refuses to be reset
