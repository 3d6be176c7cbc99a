"""The charge point: a facade over managers, one for each chapter of the standard."""

import openocpp.chargepoint.charge_point  # noqa: F401 - the implementation behind IChargePoint.create
from openocpp.chargepoint.interface import (
    DefaultChargePointEventsHandler,
    IChargePoint,
    IChargePointEventsHandler,
)

__all__ = ["DefaultChargePointEventsHandler", "IChargePoint", "IChargePointEventsHandler"]
