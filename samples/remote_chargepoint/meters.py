"""What the sample charge point measures: meters that are told what flows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openocpp import Measurand, Phase, SampledValue, UnitOfMeasure

if TYPE_CHECKING:
    from collections.abc import Sequence

VOLTAGE = 230.0  # V
PHASES = (Phase.L1, Phase.L2, Phase.L3)

UNITS = {
    Measurand.CurrentImport: UnitOfMeasure.A,
    Measurand.CurrentOffered: UnitOfMeasure.A,
    Measurand.PowerActiveImport: UnitOfMeasure.W,
    Measurand.Voltage: UnitOfMeasure.V,
    Measurand.EnergyActiveImportRegister: UnitOfMeasure.Wh,
}


class Meter:
    """Three phases with the same current. It counts energy in Ws, so that half seconds are not lost."""

    def __init__(self) -> None:
        self.current = 0.0  # A of each phase
        self._energy = 0.0  # Ws

    @property
    def power(self) -> float:
        """W of each phase."""
        return VOLTAGE * self.current

    @property
    def energy(self) -> int:
        """Wh of all phases."""
        return int(self._energy / 3600)

    def count(self, seconds: float) -> None:
        """So long the current has flowed."""
        self._energy += len(PHASES) * self.power * seconds


class MainMeter:
    """The meter of the whole charge point: the sum of the others."""

    def __init__(self, meters: Sequence[Meter]) -> None:
        self._meters = meters

    @property
    def current(self) -> float:
        return sum(meter.current for meter in self._meters)

    @property
    def power(self) -> float:
        return sum(meter.power for meter in self._meters)

    @property
    def energy(self) -> int:
        return sum(meter.energy for meter in self._meters)


def readings(
    meter: Meter | MainMeter, measurand: Measurand, phase: Phase | None, offered: float
) -> list[SampledValue] | None:
    """The present values: of one phase, or of each. None: it is not measured here."""
    if measurand is Measurand.EnergyActiveImportRegister:
        return [_sample(measurand, meter.energy)]
    if measurand is Measurand.CurrentOffered:
        return [_sample(measurand, offered)]
    if measurand is Measurand.Voltage and isinstance(meter, MainMeter):
        return None
    values = {
        Measurand.CurrentImport: meter.current,
        Measurand.PowerActiveImport: meter.power,
        Measurand.Voltage: VOLTAGE,
    }
    if measurand not in values:
        return None
    wanted = PHASES if phase is None else (phase,)
    return [_sample(measurand, values[measurand], one) for one in wanted]


def _sample(measurand: Measurand, value: float, phase: Phase | None = None) -> SampledValue:
    return SampledValue(value=f"{value:.1f}".removesuffix(".0"), phase=phase, unit=UNITS[measurand])
