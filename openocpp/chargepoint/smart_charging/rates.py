"""Amperes and watts, exactly (1.6 §3.13.3, §7.12, §7.14).

W is the power of all phases together, A the current of each; the set voltage and the period's numberPhases, 3 if it is
absent, lie between them. A limit must not be exceeded by its conversion, two limits that are the same must be equal
whatever units they were written in, and currents are added up: so amounts are whole numbers of a unit that is small
enough for every conversion to be exact. Only what is reported is cut to a tenth, and never raised.

Threads: any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from openocpp.types import ChargingRateUnitType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openocpp.types import ChargingSchedulePeriod

ASSUMED_PHASES: Final = 3  # 1.6 §7.12, §7.14
_MILLION: Final = 1_000_000  # limits are read to six decimals, which takes away the noise of binary fractions
_SIX_BY: Final = {1: 6, 2: 3, 3: 2}


class Limit(NamedTuple):
    """A limit in the unit that was asked for, in the other unit, and the phases that it holds for.

    Limits compare in this order: the lowest in the requested unit is the lower one, and among equal ones the lowest in
    the other unit. Comparing currents as powers would let a single phase carry more than its limit.
    """

    amount: int
    other: int
    phases: int


class Rates:
    """Reads limits in either unit for a result in ``unit``. ``operating_voltage`` is in volts.

    With a voltage of n/d, amperes are counted in 1/(6·10⁶·n) and watts in 1/(10⁶·d). Then, for p phases,
    A = W / (p·n/d) and W = A · p·n/d are whole numbers, because 6 is divisible by p.
    """

    def __init__(self, unit: ChargingRateUnitType, operating_voltage: float) -> None:
        if not operating_voltage > 0:
            raise ValueError(f"the operating voltage must be positive, not {operating_voltage}")
        from decimal import Decimal  # here: a charge point without charging profiles need not pay for it

        self._numerator, self._denominator = Decimal(str(operating_voltage)).as_integer_ratio()
        self._amperes = unit is ChargingRateUnitType.A
        self.unit = unit
        self.one = _MILLION * (6 * self._numerator if self._amperes else self._denominator)
        """The amount that is 1 A or 1 W."""

    def limit(self, unit: ChargingRateUnitType, period: ChargingSchedulePeriod) -> Limit:
        """The limit of a period in a schedule of this unit."""
        return self.convert(period.limit, unit, phases_of(period))

    def convert(self, rate: float, unit: ChargingRateUnitType, phases: int) -> Limit:
        """A rate in this unit on 1 to 3 phases."""
        millionths = round(rate * _MILLION)
        if unit is ChargingRateUnitType.A:
            current = millionths * 6 * self._numerator
            power = millionths * phases * self._numerator
        else:
            current = millionths * _SIX_BY[phases] * self._denominator
            power = millionths * self._denominator
        return Limit(current, power, phases) if self._amperes else Limit(power, current, phases)

    def value(self, amount: int) -> float:
        """The amount in the requested unit."""
        return amount / self.one

    def reported(self, amount: int) -> float:
        """The amount in the requested unit with one decimal, cut."""
        return amount * 10 // self.one / 10


def phases_of(period: ChargingSchedulePeriod) -> int:
    """How many phases a period is for."""
    return ASSUMED_PHASES if period.number_phases is None else period.number_phases


def lowest(limits: Iterable[Limit | None]) -> Limit | None:
    """The lowest of those that are there (1.6 §3.13.3)."""
    return min((limit for limit in limits if limit is not None), default=None)


def total(limits: Iterable[Limit | None]) -> Limit | None:
    """What all may take together; None when one of them is not limited.

    The sum of currents is that of the phase which all share, so it stands for the highest number of phases.
    """
    amount = other = phases = 0
    for limit in limits:
        if limit is None:
            return None
        amount += limit.amount
        other += limit.other
        phases = max(phases, limit.phases)
    return Limit(amount, other, phases)
