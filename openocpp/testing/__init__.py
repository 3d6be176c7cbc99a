"""For tests of programs that use this package: simulated time, a network in memory, conversations, random messages."""

from openocpp.testing.conversation import ABSENT, ReceivedCall, ScriptedPeer, ScriptedServer, SentCall
from openocpp.testing.simulation import SimulatedRuntime, SimulationStuck, UserThread

__all__ = [
    "ABSENT",
    "ReceivedCall",
    "ScriptedPeer",
    "ScriptedServer",
    "SentCall",
    "SimulatedRuntime",
    "SimulationStuck",
    "UserThread",
]
