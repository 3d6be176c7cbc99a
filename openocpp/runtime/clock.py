"""Time as an object, so that tests can hold it in their hands.

Delays and deadlines are monotonic seconds; appointments on the calendar are aware UTC instants.
Threads: any.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where every module of the package gets the time from."""

    def now(self) -> float:
        """Monotonic seconds: never jump, say nothing about the calendar."""

    def utcnow(self) -> datetime:
        """The wall clock, aware and in UTC: may jump when somebody sets it."""


class SystemClock:
    """The clocks of the machine."""

    now = staticmethod(time.monotonic)  # asked several times a message: without a function of ours around it

    def utcnow(self) -> datetime:
        return datetime.now(UTC)
