"""The local controller role: stands between charge points and their central system, and passes on what they say."""

from openocpp.localcontroller.interface import (
    ClientCredentials,
    DefaultLocalControllerEventsHandler,
    DefaultLocalControllerProxyEventsHandler,
    ICentralSystemProxy,
    IChargePointProxy,
    ILocalController,
    ILocalControllerEventsHandler,
    ILocalControllerProxyEventsHandler,
)
from openocpp.localcontroller.local_controller import LocalController

__all__ = [
    "ClientCredentials",
    "DefaultLocalControllerEventsHandler",
    "DefaultLocalControllerProxyEventsHandler",
    "ICentralSystemProxy",
    "IChargePointProxy",
    "ILocalController",
    "ILocalControllerEventsHandler",
    "ILocalControllerProxyEventsHandler",
    "LocalController",
]
