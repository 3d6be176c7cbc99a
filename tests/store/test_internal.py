from __future__ import annotations

from typing import TYPE_CHECKING

from openocpp.store.internal import InternalConfig, InternalKey

if TYPE_CHECKING:
    from openocpp.store.database import Database


def test_a_key_that_was_never_set_has_no_value(database: Database) -> None:
    assert InternalConfig(database).get(InternalKey.StackVersion) is None


def test_a_value_is_set_durably_and_overwritten(database: Database) -> None:
    config = InternalConfig(database)
    config.set(InternalKey.LastRegistrationStatus, "Pending")
    config.set(InternalKey.LastRegistrationStatus, "Accepted")
    assert config.get(InternalKey.LastRegistrationStatus) == "Accepted"
    assert database.read("SELECT count(*) FROM InternalConfig") == [(1,)]
    assert database.commits == 2


def test_counters_are_set_together_and_lazily(database: Database) -> None:
    config = InternalConfig(database)
    config.set_lazily({InternalKey.TotalUpTime: "15", InternalKey.LastSessionUpTime: "5"})
    assert (config.get(InternalKey.TotalUpTime), config.get("LastSessionUpTime")) == ("15", "5")
    assert database.commits == 0


def test_values_join_other_writes_in_one_job(database: Database) -> None:
    database.write(lambda connection: [InternalConfig.set_in(connection, key, "x") for key in ("a", "b")])
    assert database.read_with(lambda connection: InternalConfig.get_in(connection, "b")) == "x"
    assert database.commits == 1
