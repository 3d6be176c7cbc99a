"""Pictures of charging schedules over time. Needs matplotlib: ``pip install openocpp[plot]``.

matplotlib is imported when something is drawn, and without its global state, so that a server may draw too.

Threads: any; one picture belongs to one thread.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import nan
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence
    from datetime import tzinfo

    from matplotlib.axes import Axes

    from openocpp import ChargingRateUnitType, CompositeSchedule

WIDTH, HEIGHT, DOTS_PER_INCH = 9, 4.5, 100
_FEW = 12  # so many numbers of phases can be read in one picture


class Step(Protocol):
    """A limit for some time."""

    @property
    def start(self) -> datetime: ...
    @property
    def end(self) -> datetime: ...
    @property
    def limit(self) -> float: ...


class Curve(Protocol):
    """Limits that have one cause, in order of time, as ``chargepoint.smart_charging.explain`` gives them."""

    @property
    def name(self) -> str: ...
    @property
    def steps(self) -> Sequence[Step]: ...


class _Period(NamedTuple):
    start: datetime
    end: datetime
    limit: float
    phases: int | None


def plot_composite_schedule(
    composite: CompositeSchedule,
    causes: Iterable[Curve] = (),
    *,
    unit: ChargingRateUnitType | None = None,
    title: str = "",
    zone: tzinfo = UTC,
    axes: Axes | None = None,
    path: str | os.PathLike[str] = "",
) -> Axes:
    """Draw a composite schedule, and below it what it is made of: profiles, limits.

    ``unit`` is needed for the axis only when the schedule was rejected. ``zone`` is for the times that are shown. Into
    ``axes`` if given, else into a picture of its own, that is saved in ``path`` (its suffix is the format) if given.
    ImportError when matplotlib is missing.
    """
    if axes is None:
        axes = _new_axes()
    for curve in causes:
        axes.plot(*_corners(curve.steps), linewidth=1.4, alpha=0.8, label=curve.name)
    periods = _periods(composite)
    if periods:
        corners = _corners(periods)
        axes.fill_between(*corners, color="black", alpha=0.08, linewidth=0)
        axes.plot(*corners, color="black", linewidth=2.4, label="composite schedule")
        _write_phases(axes, periods)
    if composite.schedule is not None:
        unit = composite.schedule.charging_rate_unit
    _describe(axes, title or _title(composite), _axis(unit, periods), zone)
    if path:
        figure = axes.get_figure(root=True)
        assert figure is not None  # axes are part of one until it is cleared
        figure.savefig(path, dpi=DOTS_PER_INCH)
    return axes


def _new_axes() -> Axes:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("pictures need matplotlib: pip install openocpp[plot]") from error
    return Figure(figsize=(WIDTH, HEIGHT), layout="constrained").add_subplot()


def _periods(composite: CompositeSchedule) -> list[_Period]:
    """The periods with both ends; the last one ends with the schedule."""
    schedule, start = composite.schedule, composite.schedule_start
    if schedule is None or start is None:
        return []
    periods = schedule.charging_schedule_period
    last = periods[-1].start_period if schedule.duration is None else schedule.duration
    ends = [*(period.start_period for period in periods[1:]), last]
    return [
        _Period(
            start + timedelta(seconds=period.start_period),
            start + timedelta(seconds=end),
            period.limit,
            period.number_phases,
        )
        for period, end in zip(periods, ends, strict=True)
    ]


def _corners(steps: Sequence[Step]) -> tuple[Any, list[float]]:
    """The line that steps make, with a gap where there is no limit.

    Times are datetimes, which matplotlib takes although its types do not say so.
    """
    times: list[datetime] = []
    limits: list[float] = []
    for step in steps:
        if times and times[-1] != step.start:
            times.append(times[-1])
            limits.append(nan)
        times += [step.start, step.end]
        limits += [step.limit, step.limit]
    return times, limits


def _write_phases(axes: Axes, periods: list[_Period]) -> None:
    """How many phases, wherever it changes; nothing where it never does or where nobody could read it."""
    changes = [now for before, now in pairwise(periods) if before.phases != now.phases]
    if not 0 < len(changes) < _FEW:
        return
    for period in (periods[0], *changes):
        place: Any = (period.start, period.limit)
        axes.annotate(_phases(period.phases), place, (3, 3), textcoords="offset points", fontsize="small")


def _phases(number: int | None) -> str:
    return "1 phase" if number == 1 else f"{number or 3} phases"  # 3 are assumed (1.6 §7.14)


def _axis(unit: ChargingRateUnitType | None, periods: list[_Period]) -> str:
    """What the limits are."""
    told = {"A": "A per phase", "W": "W"}.get(unit or "", "")
    numbers = {_phases(period.phases) for period in periods}
    return f"{told}, {numbers.pop()}" if len(numbers) == 1 else told


def _describe(axes: Axes, title: str, limits: str, zone: tzinfo) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(tz=zone)  # type: ignore[no-untyped-call]  # this module of matplotlib has no types
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=zone))  # type: ignore[no-untyped-call]
    axes.set_ylabel(limits)
    axes.set_ylim(bottom=0)
    axes.margins(x=0)
    axes.grid(alpha=0.3)
    axes.set_title(title)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="best", fontsize="small")


def _title(composite: CompositeSchedule) -> str:
    if composite.schedule is None:
        return f"Composite schedule: {composite.status}"
    return "Charge point" if composite.connector_id == 0 else f"Connector {composite.connector_id}"
