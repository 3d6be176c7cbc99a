"""For tests of programs that use this package: simulated time, a network in memory, random messages, recorders."""

from openocpp.testing.simulation import SimulatedRuntime, SimulationStuck, UserThread

__all__ = ["SimulatedRuntime", "SimulationStuck", "UserThread"]
