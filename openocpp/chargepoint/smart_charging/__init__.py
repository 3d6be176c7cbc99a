"""Smart charging (1.6 §3.13, §5.5, §5.7, §5.16) as calculations: no I/O, no clock, no state but the set of profiles.

``profiles`` keeps what is installed, ``validation`` judges what comes, ``composite`` and ``setpoint`` say what follows
from it, ``explain`` why. Below them stand the time model (``occurrences``), the precedence of profiles (``stacking``)
and the arithmetic of amperes and watts (``rates``).

Threads: any; a ``ProfileSet`` belongs to one owner.
"""

from openocpp.chargepoint.smart_charging.composite import composite_schedule
from openocpp.chargepoint.smart_charging.explain import Curve, CurveStep, Explanation, explain
from openocpp.chargepoint.smart_charging.model import (
    Capabilities,
    InstalledProfile,
    RunningTransaction,
    Situation,
)
from openocpp.chargepoint.smart_charging.profiles import Change, ProfileSet
from openocpp.chargepoint.smart_charging.setpoint import setpoints
from openocpp.chargepoint.smart_charging.validation import (
    check_local_limits,
    check_profile,
    check_remote_start_profile,
)

__all__ = [
    "Capabilities",
    "Change",
    "Curve",
    "CurveStep",
    "Explanation",
    "InstalledProfile",
    "ProfileSet",
    "RunningTransaction",
    "Situation",
    "check_local_limits",
    "check_profile",
    "check_remote_start_profile",
    "composite_schedule",
    "explain",
    "setpoints",
]
