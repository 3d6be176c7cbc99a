"""A runtime and a charge point's database in memory, for the tests of the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from openocpp.runtime import Runtime
from openocpp.store.database import CHARGE_POINT, Database

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with Runtime(name="test") as made:
        yield made


@pytest.fixture
def database(runtime: Runtime) -> Database:
    return Database.open(runtime, "", CHARGE_POINT)
