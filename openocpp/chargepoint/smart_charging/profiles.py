"""The set of installed charging profiles: who replaces whom, what is cleared, what has had its time.

Nothing is stored here. Whatever changes the set returns what was removed and added, for the owner to persist
(errata 3.37).

Threads: none of its own; the owner's monitor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from openocpp.chargepoint.smart_charging.occurrences import to_seconds, validity
from openocpp.chargepoint.smart_charging.stacking import precedence
from openocpp.types import ChargingProfileKindType, ChargingProfilePurposeType

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from datetime import datetime

    from openocpp.chargepoint.smart_charging.model import InstalledProfile
    from openocpp.types import ChargingProfile

Purpose = ChargingProfilePurposeType

_PURPOSES = tuple(Purpose)


class Change(NamedTuple):
    """What left the set, and what came. A replaced profile is in the first, its successor in the second."""

    removed: tuple[InstalledProfile, ...] = ()
    added: tuple[InstalledProfile, ...] = ()


class Criteria(NamedTuple):
    """Which profiles are to be cleared: that with this id, or else all that match whatever is given (errata 3.26)."""

    profile_id: int | None = None
    connector_id: int | None = None
    purpose: Purpose | None = None
    stack_level: int | None = None

    def match(self, installed: InstalledProfile) -> bool:
        if self.profile_id is not None:
            return installed.id == self.profile_id
        return (
            self.connector_id in (None, installed.connector_id)
            and self.purpose in (None, installed.purpose)
            and self.stack_level in (None, installed.stack_level)
        )


class ProfileSet:
    """Installed profiles: one of each chargingProfileId, and one of each purpose, stack level and connector.

    Iterating goes by purpose, and within each by precedence.
    """

    def __init__(self, installed: Iterable[InstalledProfile] = ()) -> None:
        """With profiles that were installed before. Of two that exclude each other the later one stays."""
        self._profiles: dict[int, InstalledProfile] = {}
        for profile in installed:
            self._replace(self._replaced_by(profile), (profile,))

    def __len__(self) -> int:
        return len(self._profiles)

    def __iter__(self) -> Iterator[InstalledProfile]:
        return iter(sorted(self._profiles.values(), key=_order))

    def __repr__(self) -> str:
        shown = ", ".join(f"{p.id}: {p.purpose} {p.stack_level} on {p.connector_id}" for p in self)
        return f"ProfileSet({shown})"

    def get(self, profile_id: int) -> InstalledProfile | None:
        """The profile with this chargingProfileId."""
        return self._profiles.get(profile_id)

    def install(self, profile: InstalledProfile, max_installed: int) -> Change | None:
        """Add a profile. It replaces that of the same id, and that of the same place (1.6 §3.13.2, §5.16.3, §5.16.4).

        None when there would be more than MaxChargingProfilesInstalled then (1.6 §9.4.5); the set is unchanged.
        """
        replaced = self._replaced_by(profile)
        if len(self._profiles) - len(replaced) >= max_installed:
            return None
        return self._replace(replaced, (profile,))

    def clear(
        self,
        profile_id: int | None = None,
        connector_id: int | None = None,
        purpose: Purpose | None = None,
        stack_level: int | None = None,
    ) -> Change:
        """Remove the profile with this id, or else all that match every given criterion (1.6 §5.5, errata 3.25, 3.26).

        Connector 0 means the profiles of connector 0. Without any criterion all are removed.
        """
        return self._remove_if(Criteria(profile_id, connector_id, purpose, stack_level).match)

    def remove_transaction(self, transaction_key: int) -> Change:
        """Remove the TxProfiles of a transaction that has ended (1.6 §3.13.1, §7.10)."""
        return self._remove_if(lambda one: one.purpose is Purpose.TxProfile and one.transaction_key == transaction_key)

    def remove_expired(self, now: datetime, running: Collection[int]) -> Change:
        """Remove what can never apply again. ``running`` are the local keys of the running transactions."""
        second = to_seconds(now)

        def is_over(installed: InstalledProfile) -> bool:
            bound = installed.purpose is Purpose.TxProfile and installed.transaction_key is not None
            return (bound and installed.transaction_key not in running) or end_of(installed.profile) <= second

        return self._remove_if(is_over)

    def _replaced_by(self, new: InstalledProfile) -> list[InstalledProfile]:
        return [old for old in self._profiles.values() if old.id == new.id or old.place == new.place]

    def _remove_if(self, condition: Callable[[InstalledProfile], bool]) -> Change:
        return self._replace([installed for installed in self if condition(installed)], ())

    def _replace(self, removed: Iterable[InstalledProfile], added: Iterable[InstalledProfile]) -> Change:
        change = Change(tuple(removed), tuple(added))
        for installed in change.removed:
            del self._profiles[installed.id]
        for installed in change.added:
            self._profiles[installed.id] = installed
        return change


def end_of(profile: ChargingProfile) -> int:
    """The second from which on a profile can not apply, as far as it says so itself."""
    end = validity(profile).end
    schedule = profile.charging_schedule
    absolute = profile.charging_profile_kind is ChargingProfileKindType.Absolute
    if absolute and schedule.start_schedule is not None and schedule.duration is not None:
        end = min(end, to_seconds(schedule.start_schedule) + schedule.duration)
    return end


def _order(installed: InstalledProfile) -> tuple[int, tuple[int, int]]:
    return _PURPOSES.index(installed.purpose), precedence(installed)
