"""What is under test in the cases of the alliance, a charge point or a central system, and the other side."""

from tests.chargepoint.conftest import central, sim, station
from tests.oca.central_system import case, guarded

__all__ = ["case", "central", "guarded", "sim", "station"]
