"""Our roles, made anew for each test on one set of threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from openocpp import (
    Runtime,
)
from tests.bad_input.sides import Central, Link, Station

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    with Runtime(workers=4, connectors=2, name="test") as made:
        yield made


@pytest.fixture
def central(runtime: Runtime) -> Iterator[Central]:
    made = Central(runtime)
    yield made
    made.close()


@pytest.fixture
def our_station(runtime: Runtime) -> Iterator[Station]:
    made = Station(runtime)
    yield made
    made.close()


@pytest.fixture(params=["central system", "charge point"])
def link(request: pytest.FixtureRequest) -> Link:
    """One of our roles, and the peer that talks to it."""
    if request.param == "central system":
        central: Central = request.getfixturevalue("central")
        return Link(central.connected(), lambda: central.connected("CP2"))
    our_station: Station = request.getfixturevalue("our_station")
    return Link(our_station.registered(), our_station.reconnected)
