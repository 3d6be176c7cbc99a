"""The charge point under test, its application and the central system's side, for the cases of the alliance."""

from tests.chargepoint.conftest import central, sim, station

__all__ = ["central", "sim", "station"]
