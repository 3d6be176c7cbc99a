"""Pictures: what is drawn, and that files come out."""

from __future__ import annotations

import builtins
import struct
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from matplotlib.dates import date2num
from matplotlib.figure import Figure

from openocpp import (
    ChargingRateUnitType,
    ChargingSchedule,
    ChargingSchedulePeriod,
    CompositeSchedule,
    GetCompositeScheduleStatus,
)
from openocpp.chargepoint.smart_charging import Curve, CurveStep
from openocpp.plot import DOTS_PER_INCH, HEIGHT, WIDTH, plot_composite_schedule

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROOT = Path(__file__).resolve().parent.parent
START = datetime(2024, 3, 13, 9, tzinfo=UTC)
REJECTED = CompositeSchedule(GetCompositeScheduleStatus.Rejected, None, None, None)


def composite(*periods: tuple[int, float, int | None], unit: str = "A", connector_id: int = 1) -> CompositeSchedule:
    schedule = ChargingSchedule(
        duration=3600,
        charging_rate_unit=ChargingRateUnitType(unit),
        charging_schedule_period=[
            ChargingSchedulePeriod(start_period=start, limit=limit, number_phases=phases)
            for start, limit, phases in periods
        ],
    )
    return CompositeSchedule(GetCompositeScheduleStatus.Accepted, connector_id, START, schedule)


def curve(name: str, *steps: tuple[int, int, float]) -> Curve:
    return Curve(
        name,
        tuple(
            CurveStep(START + timedelta(seconds=start), START + timedelta(seconds=end), limit, 3)
            for start, end, limit in steps
        ),
    )


def lines(axes: Axes) -> dict[str, list[tuple[int, float]]]:
    """The corners of each line: seconds since START, limit."""
    zero: Any = date2num(START)  # type: ignore[no-untyped-call]
    found = {}
    for line in axes.lines:
        numbers: Any = date2num(line.get_xdata(orig=True))  # type: ignore[no-untyped-call]
        seconds = [round((number - zero) * 86400) for number in numbers]
        limits: Any = line.get_ydata(orig=True)
        found[str(line.get_label())] = list(zip(seconds, limits, strict=True))
    return found


def notes(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_a_picture_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "day.png"
    causes = [curve("TxDefaultProfile 1", (0, 3600, 20)), curve("local limit", (0, 1800, 16), (1800, 3600, 32))]
    axes = plot_composite_schedule(composite((0, 16, 3), (1800, 20, 3)), causes, path=path)
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", content[16:24])
    assert (width, height) == (WIDTH * DOTS_PER_INCH, HEIGHT * DOTS_PER_INCH)
    assert content.endswith(b"IEND\xaeB`\x82")
    assert lines(axes) == {
        "TxDefaultProfile 1": [(0, 20), (3600, 20)],
        "local limit": [(0, 16), (1800, 16), (1800, 32), (3600, 32)],
        "composite schedule": [(0, 16), (1800, 16), (1800, 20), (3600, 20)],
    }
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == list(lines(axes))


def test_the_suffix_is_the_format(tmp_path: Path) -> None:
    path = tmp_path / "day.svg"
    plot_composite_schedule(composite((0, 16, 3)), path=path)
    assert "<svg" in path.read_text(encoding="utf-8")


def test_where_there_is_no_limit_there_is_no_line() -> None:
    axes = plot_composite_schedule(composite((0, 16, 3)), [curve("x", (0, 60, 20), (90, 100, 30))])
    found = lines(axes)["x"]
    assert [corner for corner in found if not isnan(corner[1])] == [(0, 20), (60, 20), (90, 30), (100, 30)]
    assert [isnan(limit) for _, limit in found] == [False, False, True, False, False]


def test_what_the_axis_says() -> None:
    told = {
        unit: plot_composite_schedule(composite((0, 16, phases), (60, 10, phases), unit=unit)).get_ylabel()
        for unit, phases in (("A", 1), ("W", None))
    }
    assert told == {"A": "A per phase, 1 phase", "W": "W, 3 phases"}
    assert plot_composite_schedule(composite((0, 16, 3))).get_ylim()[0] == 0


def test_phases_are_written_where_they_change() -> None:
    axes = plot_composite_schedule(composite((0, 16, 1), (60, 10, 1), (90, 10, 3)))
    assert notes(axes) == ["1 phase", "3 phases"]
    assert axes.get_ylabel() == "A per phase"
    many = [(60 * number, 10.0, 1 + number % 3) for number in range(40)]
    assert notes(plot_composite_schedule(composite(*many))) == []


def test_titles() -> None:
    assert plot_composite_schedule(composite((0, 16, 1), connector_id=2)).get_title() == "Connector 2"
    assert plot_composite_schedule(composite((0, 16, 1), connector_id=0)).get_title() == "Charge point"
    assert plot_composite_schedule(composite((0, 16, 1)), title="Tonight").get_title() == "Tonight"


def test_a_rejected_schedule_shows_its_causes() -> None:
    axes = plot_composite_schedule(REJECTED, [curve("x", (0, 60, 20))], unit=ChargingRateUnitType.W)
    assert list(lines(axes)) == ["x"]
    assert axes.get_title() == "Composite schedule: Rejected"
    assert axes.get_ylabel() == "W"
    nothing = plot_composite_schedule(REJECTED)
    assert (lines(nothing), nothing.get_legend(), nothing.get_ylabel()) == ({}, None, "")


def test_into_axes_that_are_there() -> None:
    upper, lower = Figure().subplots(2)
    assert plot_composite_schedule(composite((0, 16, 1)), axes=upper) is upper
    assert plot_composite_schedule(composite((0, 10, 1)), axes=lower) is lower
    assert lines(upper)["composite schedule"] == [(0, 16), (3600, 16)]
    assert lines(lower)["composite schedule"] == [(0, 10), (3600, 10)]


def test_a_schedule_without_duration_ends_where_its_last_period_begins() -> None:
    schedule = ChargingSchedule(
        charging_rate_unit=ChargingRateUnitType.A,
        charging_schedule_period=[
            ChargingSchedulePeriod(start_period=0, limit=6),
            ChargingSchedulePeriod(start_period=60, limit=8),
        ],
    )
    open_ended = CompositeSchedule(GetCompositeScheduleStatus.Accepted, 1, START, schedule)
    assert lines(plot_composite_schedule(open_ended))["composite schedule"] == [(0, 6), (60, 6), (60, 8), (60, 8)]


@pytest.mark.parametrize(("zone", "first"), [("UTC", "09:00"), ("Asia/Tokyo", "18:00")])
def test_times_are_shown_in_the_zone(zone: str, first: str) -> None:
    axes = plot_composite_schedule(composite((0, 16, 3)), zone=ZoneInfo(zone))
    locator, formatter = axes.xaxis.get_major_locator(), axes.xaxis.get_major_formatter()
    shown = formatter.format_ticks(list(locator()))
    assert first in shown


def test_without_matplotlib_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ModuleNotFoundError(name)
        return real(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install openocpp\[plot\]"):
        plot_composite_schedule(REJECTED)


def test_the_import_alone_does_not_need_matplotlib() -> None:
    script = "import sys, openocpp.plot; sys.exit('matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)
