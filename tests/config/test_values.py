"""Kinds of values of configuration keys: what is read, what is refused, and that refusals say why."""

from __future__ import annotations

import pytest

from openocpp.config.values import (
    BOOLEAN,
    HEX_KEY,
    MEASURANDS,
    PHASE_ROTATIONS,
    RATE_UNITS,
    TEXT,
    ConfiguredMeasurand,
    Kind,
    PhaseRotation,
    integer,
    items,
    one_of,
    words,
)
from openocpp.types import INT_MAX, ChargingRateUnitType, Measurand, Phase


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (BOOLEAN, "true", True),
        (BOOLEAN, "FALSE", False),
        (integer(), "0", 0),
        (integer(), "007", 7),
        (integer(), str(INT_MAX), INT_MAX),
        (integer(-5), "-5", -5),
        (integer(0, 100), "100", 100),
        (TEXT, " as it is ", " as it is "),
        (one_of("a", "b"), "b", "b"),
        (HEX_KEY, "00aAfF", "00aAfF"),
        (HEX_KEY, "", ""),
        (words("A", "B"), "B, A", ("B", "A")),
        (words("A", "B"), "", ()),
        (words("A", "B"), "  ", ()),
        (words("A", "B"), "A,A", ("A",)),
        (RATE_UNITS, "Current,Power", (ChargingRateUnitType.A, ChargingRateUnitType.W)),
        (PHASE_ROTATIONS, "0.RST, 1.NotApplicable", (PhaseRotation(0, "RST"), PhaseRotation(1, "NotApplicable"))),
    ],
)
def test_values_are_read(kind: Kind[object], text: str, value: object) -> None:
    read = kind.read(text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *((BOOLEAN, text) for text in ("", "1", "yes", " true", "tru\u0435")),
        *(
            (integer(), text)
            for text in ("", "-1", "1.0", " 1", "1 ", "+1", "0x1", "1e3", "²", "٣", str(INT_MAX + 1), "9" * 500)
        ),
        (integer(1), "0"),
        (integer(0, 100), "101"),
        (integer(-5), "-6"),
        (one_of("a", "b"), "A"),
        *((HEX_KEY, text) for text in ("abc", "0g", "00 00", "00" * 21, "\u0660\u0660")),
        *((words("A"), text) for text in ("a", "A,", ",A", "A,,A", "A;A")),
        (RATE_UNITS, "A"),
        *((PHASE_ROTATIONS, text) for text in ("RST", "1.XYZ", "1RST", "-1.RST", "1.RST.", "١.RST", "1. RST")),
    ],
)
def test_anything_else_is_refused(kind: Kind[object], text: str) -> None:
    with pytest.raises(ValueError, match=r"not|out of range|item 1|item 2"):
        kind.read(text)


def test_every_measurand_is_read_with_every_phase_and_without() -> None:
    for measurand in Measurand:
        assert MEASURANDS.read(measurand) == (ConfiguredMeasurand(measurand),)
        for phase in Phase:
            item = ConfiguredMeasurand(measurand, phase)
            assert MEASURANDS.read(str(item)) == (item,)


def test_a_list_of_measurands_keeps_its_order_and_drops_blanks_and_repetitions() -> None:
    assert MEASURANDS.read("Voltage.L1-N, SoC ,Voltage.L1-N") == (
        ConfiguredMeasurand(Measurand.Voltage, Phase.L1N),
        ConfiguredMeasurand(Measurand.SoC),
    )


@pytest.mark.parametrize(
    "text", ["Voltage.L4", "voltage", "Voltage.", ".L1", "L1", "Voltage.L1.L2", "Energy", "SoC,Foo"]
)
def test_what_is_no_measurand_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is no measurand") as caught:
        MEASURANDS.read(text)
    assert repr(items(text)[-1]) in str(caught.value)


def test_a_key_is_not_repeated_in_its_refusal() -> None:
    with pytest.raises(ValueError, match="hexadecimal") as caught:
        HEX_KEY.read("topsecret")
    assert "topsecret" not in str(caught.value)
