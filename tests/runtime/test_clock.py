"""The clocks of the machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from openocpp.runtime import SystemClock


def test_now_never_goes_back() -> None:
    clock = SystemClock()
    times = [clock.now() for _ in range(1000)]
    assert times == sorted(times)


def test_utcnow_is_aware_and_in_utc() -> None:
    before = datetime.now(UTC)
    now = SystemClock().utcnow()
    assert now.utcoffset() == timedelta(0)
    assert before <= now <= datetime.now(UTC)
