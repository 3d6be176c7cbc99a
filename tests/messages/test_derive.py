"""The schemas say what the standard's tables say, and the files are those of the dataclasses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import openocpp
from openocpp.messages import ACTIONS, PNC_ACTIONS
from openocpp.messages.derive import DRAFT, derive, schema_names
from tests.messages.wire_tables import CALLS, ENUMS, FIELDS, MESSAGES, SENT_EMPTY, Row

FOLDER = Path(openocpp.__file__).parent.parent / "schemas"


def file_of(name: str) -> Path:
    action, side = name.rsplit(".", 1)
    suffix = "Response" if side == "conf" else ""
    return FOLDER / ("pnc" if action.startswith("pnc.") else "") / f"{action.removeprefix('pnc.')}{suffix}.json"


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_each_file_is_what_its_dataclass_says(name: str) -> None:
    info, cls = MESSAGES[name]
    written = json.loads(file_of(name).read_text(encoding="utf-8"))
    assert written == derive(info, cls), "run `make schemas`"


def test_there_are_78_files_and_those_of_plug_and_charge() -> None:
    names = {f"{name}.json" for info in ACTIONS.values() for name in schema_names(info)}
    assert {path.name for path in FOLDER.glob("*.json")} == names
    assert len(names) == 78
    names = {f"{name}.json" for info in PNC_ACTIONS.values() for name in schema_names(info)}
    assert {path.name for path in (FOLDER / "pnc").iterdir()} == names


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_each_schema_says_what_the_tables_say(name: str) -> None:
    info, cls = MESSAGES[name]
    schema = derive(info, cls)
    assert schema["$schema"] == DRAFT
    assert schema["$id"].endswith(f":{info.action}{'Request' if name.endswith('.req') else 'Response'}")
    seen: dict[str, Any] = {}
    closed = name in CALLS
    _collect(schema, "", seen, closed)
    rows = {row.path: row for row in FIELDS[name]}
    assert sorted(seen) == sorted(rows)
    for path, (node, required) in seen.items():
        row = rows[path]
        assert required is (row.required and (name, path) not in SENT_EMPTY), row
        _compare(node, row)


def _collect(node: dict[str, Any], prefix: str, seen: dict[str, Any], closed: bool) -> None:
    assert node["type"] == "object"
    assert node.get("additionalProperties", True) is not closed
    assert set(node.get("required", ())) <= set(node["properties"])
    for field, value in node["properties"].items():
        seen[prefix + field] = (value, field in node.get("required", ()))
        inner = value.get("items", value)
        if inner.get("type") == "object":
            _collect(inner, prefix + field + ("[]." if "items" in value else "."), seen, closed)


def _compare(node: dict[str, Any], row: Row) -> None:
    if row.many:
        assert node["type"] == "array", row
        assert node.get("maxItems") == row.max_items, row
        node = node["items"]
    if "anyOf" in node:  # the id token of PNC, plain or in an object
        node, boxed = node["anyOf"]
        assert boxed == {"type": "object", "properties": {row.name: node}, "required": [row.name]}
    assert node["type"] == row.json_type, row
    assert node.get("maxLength") == row.max, row
    assert set(node.get("enum", ())) == set(ENUMS[row.enum] if row.enum else ()), row
    assert node.get("format", "") == (row.form if row.form in ("date-time", "uri") else ""), row
    assert node.get("multipleOf") == (0.1 if row.form == "one-decimal" else None), row
    beyond = set(node) - {"type", "maxLength", "enum", "format", "multipleOf"}
    assert not beyond or node["type"] == "object", row


def test_identifiers_are_those_of_the_standard() -> None:
    ids = {info.action: derive(info, info.request)["$id"] for info in ACTIONS.values()}
    assert ids["Authorize"] == "urn:OCPP:1.6:2019:12:AuthorizeRequest"
    assert ids["GetLog"] == "urn:OCPP:1.6:security:2:2020:3:GetLogRequest"
    assert len(set(ids.values())) == 39
