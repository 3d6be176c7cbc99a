"""The command line that all samples share."""

from __future__ import annotations

import logging
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from samples.options import begin, fail, parser, run, say

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path("here")


def test_without_options_a_sample_runs_for_ever_on_its_own_settings() -> None:
    options = parser("A sample.", HERE).parse_args([])
    assert (options.folder, options.reset, options.cycles, options.speed, options.verbose) == (
        HERE, False, 0, 1.0, False,
    )  # fmt: skip


def test_all_options() -> None:
    options = parser("A sample.", HERE).parse_args(["-w", "there", "-r", "--cycles", "3", "--speed", "2.5", "-v"])
    assert (options.folder, options.reset, options.cycles, options.speed, options.verbose) == (
        Path("there"), True, 3, 2.5, True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--nonsense"], "--nonsense"),
        (["--cycles", "many"], "'many' is no whole number"),
        (["--cycles", "1.5"], "'1.5' is no whole number"),
        (["--cycles", "-1"], "--cycles"),
        (["--speed", "0"], "'0' is no number above 0"),
        (["--speed", "-1"], "--speed"),
        (["--speed", "inf"], "'inf' is no number above 0"),
        (["--speed", "nan"], "'nan' is no number above 0"),
        (["--speed", "fast"], "'fast' is no number above 0"),
        (["-w"], "-w"),
    ],
)
def test_an_unusable_option_is_named_and_ends_with_1(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parser("A sample.", HERE).parse_args(arguments)
    assert ended.value.code == 1
    shown = capsys.readouterr().err
    assert "usage" in shown
    assert named in shown


@pytest.fixture
def process() -> Iterator[None]:
    """What a sample changes of its process is put back."""
    import sys

    handler, interval = signal.getsignal(signal.SIGTERM), sys.getswitchinterval()
    yield
    signal.signal(signal.SIGTERM, handler)
    sys.setswitchinterval(interval)


def test_a_sample_tells_its_parameters_at_the_start(process: None, capsys: pytest.CaptureFixture[str]) -> None:
    begin("Charge point", parser("A sample.", HERE).parse_args(["--cycles", "3"]))
    title, *lines = capsys.readouterr().out.splitlines()
    assert title == "Charge point"
    assert "  cycles = 3" in lines
    assert all(line.startswith("  ") for line in lines)
    assert logging.getLogger().handlers


def test_a_polite_kill_ends_like_an_interrupt(process: None, capsys: pytest.CaptureFixture[str]) -> None:
    begin("Charge point", parser("A sample.", HERE).parse_args([]))

    def main() -> int:
        signal.raise_signal(signal.SIGTERM)
        return 5

    with pytest.raises(SystemExit) as ended:
        run(main)
    assert ended.value.code == 0
    assert "stopped" in capsys.readouterr().out


def test_the_exit_code_is_that_of_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(lambda: fail("no such file"))
    assert ended.value.code == 1
    assert capsys.readouterr().err == "error: no such file\n"
    say("a line")
    assert capsys.readouterr().out == "a line\n"
