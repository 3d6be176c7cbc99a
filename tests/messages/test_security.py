"""The messages of the Security profile are those of the standard."""

from __future__ import annotations

from openocpp.messages import security
from openocpp.types.enums import FeatureProfile
from tests.messages.tables_check import assert_module_holds


def test_messages_are_declared_as_in_the_tables() -> None:
    assert_module_holds(security, FeatureProfile.Security)
