"""Which charging profile prevails at each moment (1.6 §3.13.1, §3.13.2).

"Valid" is read as "says something about this moment": where the schedule of a profile has not begun or has ended, the
next lower one applies. The standard words this for recurring profiles (errata 3.43); a limit is better than none. In
the same way the default profile applies where no TxProfile does.

Threads: any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from openocpp.chargepoint.smart_charging.occurrences import Piece, Span, pieces, to_seconds
from openocpp.types import ChargingProfilePurposeType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openocpp.chargepoint.smart_charging.model import InstalledProfile, Situation

Purpose = ChargingProfilePurposeType


class Candidate(NamedTuple):
    """A profile that may prevail, and when its schedule starts if it is a relative one."""

    installed: InstalledProfile
    relative_start: int


def precedence(installed: InstalledProfile) -> tuple[int, int]:
    """Sorts the profiles of one purpose: the highest stack level first, then a connector before connector 0."""
    return -installed.stack_level, -installed.connector_id


def connector_candidates(situation: Situation, connector_id: int, now: int) -> list[Candidate]:
    """The profiles for one connector in order of precedence: TxProfiles of its transaction, then TxDefaultProfiles.

    Relative schedules start with the transaction. Without one they would start now. No later with one: what runs has
    begun, whatever the wall clock says since somebody has set it.
    """
    transaction = situation.transactions.get(connector_id)
    start = now if transaction is None else min(to_seconds(transaction.started), now)
    of_transaction: list[InstalledProfile] = []
    by_default: list[InstalledProfile] = []
    for installed in situation.profiles:
        if installed.purpose is Purpose.TxProfile:
            if transaction is not None and installed.transaction_key == transaction.key:
                of_transaction.append(installed)
        elif installed.purpose is Purpose.TxDefaultProfile and installed.connector_id in (connector_id, 0):
            by_default.append(installed)
    ordered = sorted(of_transaction, key=precedence) + sorted(by_default, key=precedence)
    return [Candidate(installed, start) for installed in ordered]


def charge_point_candidates(situation: Situation, now: int) -> list[Candidate]:
    """The ChargePointMaxProfiles in order of precedence. No transaction starts them: Relative means from now on."""
    found = (installed for installed in situation.profiles if installed.purpose is Purpose.ChargePointMaxProfile)
    return [Candidate(installed, now) for installed in sorted(found, key=precedence)]


def prevailing(candidates: Iterable[Candidate], window: Span) -> list[Piece]:
    """What applies within the window, in order of time: each profile fills what those before it leave open."""
    found: list[Piece] = []
    gaps = [window]
    for installed, relative_start in candidates:
        left: list[Span] = []
        for gap in gaps:
            filling = pieces(installed.profile, relative_start, gap)
            found += filling
            left += holes(gap, filling)
        gaps = left
        if not gaps:
            break
    return sorted(found)


def holes(span: Span, filling: Iterable[Piece]) -> list[Span]:
    """What is left of a span between pieces that are in order."""
    found: list[Span] = []
    start = span.start
    for piece in filling:
        if piece.start > start:
            found.append(Span(start, piece.start))
        start = piece.end
    if start < span.end:
        found.append(Span(start, span.end))
    return found
