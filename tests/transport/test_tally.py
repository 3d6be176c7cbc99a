"""Tests of openocpp.transport.tally: what repeats itself is counted, within bounds, from any thread."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from openocpp.runtime import Runtime
from openocpp.testing import SimulatedRuntime
from openocpp.transport.tally import SAME_CAUSE, Tally
from tests.conftest import scaled

if TYPE_CHECKING:
    import pytest

LIMIT = scaled(10.0)
log = logging.getLogger("openocpp.test")


def test_what_repeats_itself_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    with SimulatedRuntime() as sim:
        tally = Tally(sim)
        for number in range(10):
            tally.note(log, logging.WARNING, "a", f"a {number}")
        tally.note(log, logging.ERROR, "b", "100 % b")
        sim.sleep(SAME_CAUSE)
        tally.note(log, logging.WARNING, "a", "a again")
        sim.sleep(SAME_CAUSE)
        tally.note(log, logging.WARNING, "a", "a at last")
        assert repr(tally) == "<tally of 2 causes>"
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "a 0"),
        ("ERROR", "100 % b"),
        ("WARNING", "a again (9 more like it in between)"),
        ("WARNING", "a at last"),
    ]


def test_it_is_bounded() -> None:
    with SimulatedRuntime() as sim:
        tally = Tally(sim)
        for number in range(3 * Tally.MAX_CAUSES):
            tally.note(log, logging.DEBUG, str(number), "x")
        assert repr(tally) == f"<tally of {Tally.MAX_CAUSES} causes>"


def test_each_is_counted_whoever_notes_it(caplog: pytest.LogCaptureFixture) -> None:
    with Runtime() as runtime:
        tally = Tally(runtime)

        def note() -> None:
            for number in range(500):
                tally.note(log, logging.WARNING, f"cause {number % 5}", "it happened")

        threads = [threading.Thread(target=note) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT)
        assert len(caplog.records) == 5
        assert sum(count for _, count in tally._causes.values()) == 4 * 500 - 5
