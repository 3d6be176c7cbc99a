from __future__ import annotations

from typing import TYPE_CHECKING

from openocpp.store.charging_profiles import ChargingProfileRow, ChargingProfiles

if TYPE_CHECKING:
    from openocpp.store.database import Database


def test_profiles_are_replaced_together_and_durably(database: Database) -> None:
    profiles = ChargingProfiles(database)
    first = [ChargingProfileRow(0, 1, "{}"), ChargingProfileRow(-3, 0, "{}"), ChargingProfileRow(5, 2, "{}", 9)]
    profiles.replace([], first)
    assert profiles.rows() == [first[1], first[0], first[2]]
    profiles.replace([0, 77], [ChargingProfileRow(5, 1, '{"x":1}')])
    assert profiles.rows() == [first[1], ChargingProfileRow(5, 1, '{"x":1}')]
    assert database.commits == 2


def test_profiles_join_other_writes_in_one_job(database: Database) -> None:
    profiles = ChargingProfiles(database)
    database.write(lambda connection: ChargingProfiles.save_in(connection, ChargingProfileRow(1, 1, "{}")))
    database.write(lambda connection: ChargingProfiles.remove_in(connection, [1, 2]))
    assert profiles.rows() == []
