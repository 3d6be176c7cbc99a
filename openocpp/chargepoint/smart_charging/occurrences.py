"""When a charging profile applies, and with which of its periods (1.6 §5.16.4, §7.8, §7.9, §7.13, §7.37).

Instants are whole seconds since 1970 in UTC: a startPeriod has no fraction, and a recurrence is 24 hours or 7 days from
the startSchedule (errata 3.78), whatever clocks on the wall do in between. Spans are half-open: validTo is the moment
at which a profile stops to be valid (1.6 §7.8), the end of one period is the start of the next (1.6 §7.14).

Threads: any.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from openocpp.types import ChargingProfileKindType, RecurrencyKindType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openocpp.types import ChargingProfile, ChargingSchedule, ChargingSchedulePeriod

FOREVER: Final = 2**62
_DAY: Final = 24 * 3600
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_start_period = attrgetter("start_period")


class Span(NamedTuple):
    """The seconds from ``start`` to before ``end``; empty unless the start is lower."""

    start: int
    end: int

    def within(self, other: Span) -> Span:
        """What both have in common."""
        return Span(max(self.start, other.start), min(self.end, other.end))


class Piece(NamedTuple):
    """A span in which one period of one schedule applies."""

    start: int
    end: int
    schedule: ChargingSchedule
    period: ChargingSchedulePeriod


def to_seconds(instant: datetime) -> int:
    """Seconds since 1970, the fraction cut off."""
    return (instant - _EPOCH) // _SECOND


def to_instant(seconds: int) -> datetime:
    """The aware UTC instant."""
    return _EPOCH + timedelta(seconds=seconds)


def validity(profile: ChargingProfile) -> Span:
    """From validFrom to validTo; one that is absent does not bound (1.6 §7.8)."""
    return Span(
        -FOREVER if profile.valid_from is None else to_seconds(profile.valid_from),
        FOREVER if profile.valid_to is None else to_seconds(profile.valid_to),
    )


def occurrences(profile: ChargingProfile, relative_start: int, window: Span) -> Iterator[Span]:
    """Every run of the schedule, from its first to its last second, that may touch the window.

    ``relative_start`` is the situation-specific start point of a Relative profile (1.6 §7.9). A schedule without
    startSchedule is relative too (1.6 §7.13); one that is given in a Relative profile has no meaning.
    """
    schedule = profile.charging_schedule
    start = relative_start
    if profile.charging_profile_kind is not ChargingProfileKindType.Relative and schedule.start_schedule is not None:
        start = to_seconds(schedule.start_schedule)
    duration = FOREVER if schedule.duration is None else schedule.duration

    if profile.charging_profile_kind is not ChargingProfileKindType.Recurring:
        yield Span(start, start + duration)
        return

    interval = 7 * _DAY if profile.recurrency_kind is RecurrencyKindType.Weekly else _DAY
    # What is longer than the recurrence is not executed (errata 3.43, 3.44): each run has ended when the next begins.
    duration = min(duration, interval)
    # The first run that can still be seen is the one begun last before the window. None comes before startSchedule.
    start += max(0, (window.start - start) // interval) * interval
    while start < window.end:
        yield Span(start, start + duration)
        start += interval


def pieces(profile: ChargingProfile, relative_start: int, window: Span) -> list[Piece]:
    """What a profile says within the window when nothing else is installed, in order of time."""
    visible = validity(profile).within(window)
    if visible.start >= visible.end:
        return []
    found: list[Piece] = []
    for occurrence in occurrences(profile, relative_start, visible):
        seen = occurrence.within(visible)
        if seen.start < seen.end:
            found += schedule_pieces(profile.charging_schedule, occurrence.start, seen)
    return found


def schedule_pieces(schedule: ChargingSchedule, start: int, seen: Span) -> Iterator[Piece]:
    """The periods of one run of a schedule that starts at ``start``, where they are seen.

    Periods count from the start of the run even if it is not seen. The last one goes on to the end (1.6 §5.16.4).
    """
    periods = schedule.charging_schedule_period
    first = bisect_right(periods, seen.start - start, key=_start_period) - 1
    for index in range(max(first, 0), len(periods)):
        begin = start + periods[index].start_period
        if begin >= seen.end:
            break
        end = start + periods[index + 1].start_period if index + 1 < len(periods) else seen.end
        yield Piece(max(begin, seen.start), min(end, seen.end), schedule, periods[index])
