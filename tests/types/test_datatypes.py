"""The data types that messages share."""

from __future__ import annotations

import pytest

from openocpp.types import KeyValue, OCSPRequestDataType, datatypes
from openocpp.types.record import Record, fields_of, wire_name
from tests.messages.tables_check import assert_as_declared
from tests.messages.wire_tables import FIELDS, MESSAGES

OWN = {
    value
    for value in vars(datatypes).values()
    if isinstance(value, type) and issubclass(value, Record) and value.__module__ == datatypes.__name__
}


@pytest.mark.parametrize("name", sorted(name for name in FIELDS if name.startswith("type.")))
def test_types_of_plug_and_charge_are_declared_as_in_the_tables(name: str) -> None:
    assert_as_declared(name, getattr(datatypes, name.removeprefix("type.")))


def test_every_type_is_used_in_a_message() -> None:
    used: set[type] = set()

    def walk(cls: type[Record]) -> None:
        for field in fields_of(cls):
            if issubclass(field.kind, Record):
                used.add(field.kind)
                walk(field.kind)

    for _, cls in MESSAGES.values():
        walk(cls)
    assert used == OWN


def test_the_one_name_that_the_rule_does_not_give() -> None:
    exceptions = {
        (cls.__name__, field.name): field.wire
        for cls in OWN
        for field in fields_of(cls)
        if field.wire != wire_name(field.name)
    }
    assert exceptions == {(OCSPRequestDataType.__name__, "responder_url"): "responderURL"}


def test_the_value_of_a_secret_key_is_not_shown() -> None:
    assert "s3cret" not in repr(KeyValue(key="authorizationkey", readonly=False, value="s3cret"))
    assert "300" in repr(KeyValue(key="HeartbeatInterval", readonly=False, value="300"))
