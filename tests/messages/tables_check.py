"""What each test module of a profile asks: does the module declare its messages as the standard's tables do?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openocpp.messages.base import Confirmation, Request
from openocpp.types.record import Field, Record, fields_of
from tests.messages.wire_tables import ACTION_ROWS, FIELDS, FROM_ZERO, MESSAGES, OPEN, SENT_EMPTY, Row

if TYPE_CHECKING:
    from types import ModuleType

    from openocpp.types.enums import FeatureProfile


def assert_module_holds(module: ModuleType, profile: FeatureProfile) -> None:
    """The module declares all messages of the profile, no others, and each as its table says."""
    wanted = {row["action"] for row in ACTION_ROWS if row["profile"] == profile}
    names = [name for name in MESSAGES if name.rsplit(".", 1)[0] in wanted]
    declared = {
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, (Request, Confirmation))
        and value.__module__ == module.__name__
    }
    assert declared == {MESSAGES[name][1] for name in names}
    for name in names:
        info, cls = MESSAGES[name]
        assert_as_declared(name, cls)
        assert info.profile is profile
        assert cls.__doc__


def assert_as_declared(name: str, cls: type[Record]) -> None:
    """The class has the fields of the table, with its types and limits."""
    rows = FIELDS[name]
    seen: dict[str, Row] = {}
    _walk(name, cls, "", seen, {row.path: row for row in rows})
    assert sorted(seen) == sorted(row.path for row in rows)


def _walk(name: str, cls: type[Record], prefix: str, seen: dict[str, Row], rows: dict[str, Row]) -> None:
    for field in fields_of(cls):
        path = prefix + field.wire
        assert path in rows, f"{name}: {path} is not in the table"
        seen[path] = rows[path]
        _compare(field, rows[path])
        if issubclass(field.kind, Record):
            _walk(name, field.kind, path + ("[]." if field.many else "."), seen, rows)


def _compare(field: Field, row: Row) -> None:
    where = str(row)
    key = (row.message, row.path)
    assert field.required is (row.required and key not in SENT_EMPTY), where
    assert field.many is row.many, where
    assert field.max_len == row.max, where
    assert (field.min_items, field.max_items) == (row.min_items, row.max_items), where
    assert field.sent_at_least == row.least, where
    assert field.at_least == (0 if key in FROM_ZERO else row.least), where
    assert field.at_most == row.most, where
    assert field.one_decimal is (row.form == "one-decimal"), where
    assert (field.uri is not None) is (row.form in ("uri", "uri-text")), where
    assert field.open is (key in OPEN), where
    kind = field.kind.__name__
    if row.enum:
        assert kind == row.enum or (kind, row.enum) == ("AuthorizationStatus", "AuthorizationStatusEnumType"), where
    elif row.json_type == "object":
        assert issubclass(field.kind, Record), where
    elif row.form == "date-time":
        assert kind == "datetime", where
    else:
        assert kind == {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}[row.json_type], where
