"""A key as a typed property of a configuration: read, default, what is unusable, assignment."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, assert_type

import pytest

from openocpp.config.key import Access, Key, KeyGroup, SettableKey, did_you_mean
from openocpp.config.values import BOOLEAN, HEX_KEY, TEXT, integer
from openocpp.types import ConfigurationResult, ConfigurationStatus, FeatureProfile, KeyValue

if TYPE_CHECKING:
    from collections.abc import Sequence


class Keys(KeyGroup, profile=FeatureProfile.Reservation):
    number = Key("Number", integer(), "7", "1.6 §9", "a number", access=Access.R)
    flag = Key("Flag", BOOLEAN, "false", "1.6 §9", "a flag", aliases=("OldFlag",))
    interval = SettableKey("Interval", integer(unit="s"), "60", "1.6 §9", "an interval")
    password = Key("Password", HEX_KEY, "", "SEC", "a secret", access=Access.W)


class Config(Keys):
    """A user's configuration, as strict about case as many are."""

    def __init__(self, values: dict[str, str | None], answer: str = "Accepted") -> None:
        self.values = values
        self.answer = ConfigurationStatus(answer)

    def get_configuration(self, keys: Sequence[str]) -> ConfigurationResult:
        known = [KeyValue(key=key, readonly=False, value=self.values[key]) for key in keys if key in self.values]
        return ConfigurationResult(known, [key for key in keys if key not in self.values])

    def set_configuration(self, key: str, value: str) -> ConfigurationStatus:
        if self.answer is ConfigurationStatus.Accepted:
            self.values[key] = value
        return self.answer


def test_a_key_is_a_typed_property() -> None:
    config = Config({"Number": "12", "Flag": "TRUE"})
    assert_type(config.number, int)
    assert_type(config.flag, bool)
    assert (config.number, config.flag, config.interval) == (12, True, 60)
    assert Keys.number.name == "Number"
    assert Keys.number.attribute == "number"


def test_a_changed_value_is_seen_at_the_next_use() -> None:
    config = Config({"Number": "12"})
    assert config.number == 12
    config.values["Number"] = "13"
    assert config.number == 13


def test_missing_and_hidden_values_are_the_default() -> None:
    assert Config({}).number == 7
    assert Config({"Number": None}).number == 7


def test_another_spelling_is_found() -> None:
    assert Config({"OldFlag": "true"}).flag is True
    assert Keys.flag.find(Config({"OldFlag": "true"})) == "true"
    assert Keys.flag.find(Config({})) is None


def test_an_unusable_value_is_the_default_and_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    config = Config({"Number": "a dozen"})
    with caplog.at_level(logging.WARNING, "openocpp.config"):
        assert [config.number, config.number] == [7, 7]
    assert [record.message for record in caplog.records] == ["Number: not a whole number; the default '7' is taken"]


def test_an_unusable_secret_is_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "openocpp.config"):
        assert Config({"Password": "hush hush"}).password == ""
    assert "Password" in caplog.text
    assert "hush" not in caplog.text


def test_a_default_that_is_no_value_is_a_mistake_of_ours() -> None:
    broken = Key("Broken", integer(), "none", "1.6 §9", "a number")
    with pytest.raises(AssertionError, match="Broken"):
        broken.value(Config({}))


def test_a_settable_key_is_written_through_the_configuration(caplog: pytest.LogCaptureFixture) -> None:
    config = Config({})
    config.interval = 15
    assert config.values == {"Interval": "15"}
    assert config.interval == 15
    config.answer = ConfigurationStatus.Rejected
    with caplog.at_level(logging.WARNING, "openocpp.config"):
        config.interval = 16
    assert config.interval == 15
    assert "Interval: the configuration refused the new value (Rejected)" in caplog.text


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [("Accepted", True), ("RebootRequired", True), ("Rejected", False), ("NotSupported", False)],
)
def test_a_write_tells_whether_it_was_accepted(answer: str, accepted: bool) -> None:
    assert Keys.interval.write(Config({}, answer), "1") is accepted


def test_other_keys_cannot_be_assigned() -> None:
    with pytest.raises(AttributeError, match="Number is changed with set_configuration"):
        setattr(Config({}), "number", 1)  # noqa: B010 - mypy refuses the assignment


def test_what_a_key_knows_about_itself() -> None:
    assert (Keys.number.readonly, Keys.flag.readonly, Keys.password.readonly) == (True, False, False)
    assert (Keys.number.write_only, Keys.password.write_only) == (False, True)
    assert (Keys.number.secret, Keys.password.secret) == (False, True)
    assert Keys.number.profile is FeatureProfile.Reservation
    assert Keys.interval.accepted == "a whole number from 0 (s)"
    assert Keys.keys_of_group() == [Keys.number, Keys.flag, Keys.interval, Keys.password]
    assert repr(Keys.number) == "<Key Number integer R>"


def test_a_problem_says_what_is_accepted() -> None:
    assert Keys.number.problem("1") is None
    assert Keys.number.problem("x") == "not a whole number (accepted: a whole number from 0)"
    assert Key("Long", TEXT, "", "", "").problem("x" * 501) == "longer than 500 characters"
    assert Key("Long", TEXT, "", "", "").problem("x" * 500) is None


def test_the_name_that_was_probably_meant() -> None:
    assert (
        did_you_mean("hartbeatinterval", ["ResetRetries", "HeartbeatInterval"]) == "; did you mean HeartbeatInterval?"
    )
    assert did_you_mean("zzz", ["ResetRetries", "HeartbeatInterval"]) == ""
