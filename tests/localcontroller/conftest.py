"""The simulated runtime and the bench that most tests of the local controller begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from openocpp.testing import SimulatedRuntime
from tests.localcontroller.driving import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def sim() -> Iterator[SimulatedRuntime]:
    with SimulatedRuntime() as runtime:
        yield runtime


@pytest.fixture
def bench(sim: SimulatedRuntime) -> Bench:
    return Bench(sim)
