"""What all tests share: the time limits' factor and the settings of hypothesis.

Limits of waits on real sockets are generous and scaled by ``OPENOCPP_TEST_FACTOR`` (default 1), for slow or busy
machines. They end a test that would hang; no test passes or fails by how long something took.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TEST_FACTOR = float(os.environ.get("OPENOCPP_TEST_FACTOR", "1"))

# No deadlines: examples are slow on a busy machine. The same examples in each run of CI; `make flapping` draws others.
settings.register_profile("openocpp", deadline=None, derandomize="CI" in os.environ, print_blob=True)
settings.load_profile("openocpp")


def scaled(seconds: float) -> float:
    """A limit for waits on real sockets and threads, in seconds, as this machine needs it."""
    return seconds * TEST_FACTOR


def open_descriptors() -> set[int]:
    """The descriptors of this process that are open; none where the system does not tell."""
    found = set()
    for name in os.listdir("/dev/fd") if os.path.isdir("/dev/fd") else ():
        try:
            os.fstat(int(name))
        except OSError:  # that of the listing itself
            continue
        found.add(int(name))
    return found


@pytest.fixture(name="scaled")
def scaled_fixture() -> Callable[[float], float]:
    """``scaled`` for tests that do not import it."""
    return scaled


@pytest.fixture
def memory_path(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where the system has one: for simulated weeks, whose thousands of syncs prove nothing."""
    home = Path("/dev/shm")
    if not os.access(home, os.W_OK | os.X_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=home, prefix="openocpp-") as folder:
        yield Path(folder)
