"""The central system role: accepts charge points, and brings their requests to the application."""

from openocpp.centralsystem.central_system import CentralSystem
from openocpp.centralsystem.interface import (
    DefaultCentralSystemEventsHandler,
    DefaultChargePointRequestHandler,
    ICentralSystem,
    ICentralSystemEventsHandler,
    IChargePointRequestHandler,
)

__all__ = [
    "CentralSystem",
    "DefaultCentralSystemEventsHandler",
    "DefaultChargePointRequestHandler",
    "ICentralSystem",
    "ICentralSystemEventsHandler",
    "IChargePointRequestHandler",
]
