"""The charge point: a facade over managers, one for each chapter of the standard."""

from openocpp.chargepoint.interface import (
    DefaultChargePointEventsHandler,
    IChargePoint,
    IChargePointEventsHandler,
)

__all__ = ["DefaultChargePointEventsHandler", "IChargePoint", "IChargePointEventsHandler"]
