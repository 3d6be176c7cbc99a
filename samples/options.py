"""The command line that all samples share: where the INI file is, what to forget, how long to run."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable


class Parser(argparse.ArgumentParser):
    """An unusable option ends the program with code 1."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(1, f"{self.prog}: {message}\n")


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0")
    return int(text)


def _factor(text: str) -> float:
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0.0 < factor < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return factor


def parser(description: str, folder: Path) -> Parser:
    """The options of every sample; each adds its own."""
    made = Parser(description=description)
    made.add_argument("-w", dest="folder", type=Path, default=folder, help="folder of the INI file (default: its own)")
    made.add_argument("-r", dest="reset", action="store_true", help="forget all stored data before starting")
    made.add_argument("--cycles", type=_count, default=0, metavar="N", help="end after N cycles (default: never)")
    made.add_argument("--speed", type=_factor, default=1.0, metavar="X", help="divide all pauses by X (default: 1)")
    made.add_argument("-v", dest="verbose", action="store_true", help="show every message that is sent or received")
    return made


def begin(title: str, options: argparse.Namespace) -> None:
    """Print what runs, and let Ctrl-C and a polite kill end it in the same way."""
    say(title)
    for name, value in sorted(vars(options).items()):
        say(f"  {name} = {value}")
    level = logging.DEBUG if options.verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")

    def interrupted(number: int, frame: object) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupted)
    sys.setswitchinterval(0.0005)  # a program that serves sockets from threads answers sooner so


def run(main: Callable[[], int]) -> NoReturn:
    """Run the program to its end. An interrupt is a clean end too: on the way out ``with`` has stopped the stack."""
    try:
        code = main()
    except KeyboardInterrupt:
        say("stopped")
        code = 0
    sys.exit(code)


def say(text: str) -> None:
    """Print a line at once, also into a pipe, and whole, whichever thread prints."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def fail(text: str) -> int:
    """Say what went wrong: the exit code."""
    print(f"error: {text}", file=sys.stderr, flush=True)
    return 1
