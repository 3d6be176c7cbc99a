"""The field tables of the standard, written down a second time, to hold the dataclasses and the schemas against.

``wire_actions.csv``   who sends each action, and the profile it belongs to
``wire_fields.csv``    every field of every message: JSON type, required, longest text, enumeration, form, range, items
``wire_enums.csv``     the texts of every enumeration

``pnc.X`` are the Plug & Charge messages, ``type.X`` their data types. A range ``1..`` is what the standard allows;
``FROM_ZERO`` names the fields in which a receiver lets 0 pass, because the role has a better answer than a CALLERROR.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openocpp.messages import ACTIONS, PNC_ACTIONS, ActionInfo

if TYPE_CHECKING:
    from openocpp.types.record import Record

HERE = Path(__file__).parent

FROM_ZERO = {
    ("RemoteStartTransaction.req", "connectorId"),
    ("UnlockConnector.req", "connectorId"),
    ("ExtendedTriggerMessage.req", "connectorId"),
}

OPEN = {("TriggerMessage.req", "requestedMessage"), ("ExtendedTriggerMessage.req", "requestedMessage")}
"""Enumerations whose unknown texts are kept when read: they are answered with NotImplemented."""

SENT_EMPTY = {("pnc.Get15118EVCertificate.conf", "exiResponse")}
"""Required by its table, but peers leave it out of a negative answer (PNC §8.13): read as empty, always sent."""


@dataclass(frozen=True)
class Row:
    """One field. ``path`` is the way to it: ``a.b`` in an object, ``a[].b`` in each object of a list."""

    message: str
    path: str
    type: str
    required: bool
    max: int | None
    enum: str
    form: str
    least: int | None
    most: int | None
    min_items: int
    max_items: int | None

    @property
    def name(self) -> str:
        return self.path.rsplit(".", 1)[-1]

    @property
    def parent(self) -> str:
        return self.path.rsplit(".", 1)[0] if "." in self.path else ""

    @property
    def many(self) -> bool:
        return self.type.endswith("[]")

    @property
    def json_type(self) -> str:
        """The type of the value, or of each item of a list."""
        named = self.type.removesuffix("[]")
        return {"text": "string", "integer": "integer", "number": "number", "boolean": "boolean"}.get(named, "object")

    def __str__(self) -> str:
        return f"{self.message}:{self.path}"


def _ends(text: str) -> tuple[int | None, int | None]:
    low, _, high = text.partition("..")
    return (int(low) if low else None), (int(high) if high else None)


def _rows() -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    with (HERE / "wire_fields.csv").open(encoding="utf-8", newline="") as file:
        for cells in csv.DictReader(file):
            rows = found.setdefault(cells["message"], [])
            if not cells["path"]:
                continue
            least, most = _ends(cells["range"])
            min_items, max_items = _ends(cells["items"])
            rows.append(
                Row(
                    message=cells["message"],
                    path=cells["path"],
                    type=cells["type"],
                    required=cells["required"] == "1",
                    max=int(cells["max"]) if cells["max"] else None,
                    enum=cells["enum"],
                    form=cells["form"],
                    least=least,
                    most=most,
                    min_items=min_items or 0,
                    max_items=max_items,
                )
            )
    return {message: _spread(message, rows, found) for message, rows in found.items()}


def _spread(message: str, rows: list[Row], tables: dict[str, list[Row]]) -> list[Row]:
    """Put the fields of a named data type where it is used."""
    spread: list[Row] = []
    for row in rows:
        spread.append(row)
        named = f"type.{row.type.removesuffix('[]')}"
        if named in tables:
            prefix = row.path + ("[]." if row.many else ".")
            inner = _spread(message, tables[named], tables)
            spread += [replace(field, message=message, path=prefix + field.path) for field in inner]
    return spread


def _enums() -> dict[str, list[str]]:
    with (HERE / "wire_enums.csv").open(encoding="utf-8", newline="") as file:
        return {cells["enum"]: cells["values"].split(" ") for cells in csv.DictReader(file)}


def _actions() -> list[dict[str, str]]:
    with (HERE / "wire_actions.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


FIELDS = _rows()
ENUMS = _enums()
ACTION_ROWS = _actions()

# Every message as (its name in the tables, its class), 96 in all.
MESSAGES: dict[str, tuple[ActionInfo, type[Record]]] = {}
for prefix, registry in (("", ACTIONS), ("pnc.", PNC_ACTIONS)):
    for info in registry.values():
        MESSAGES[f"{prefix}{info.action}.req"] = (info, info.request)
        MESSAGES[f"{prefix}{info.action}.conf"] = (info, info.confirmation)

CALLS = {name: message for name, message in MESSAGES.items() if not name.startswith("pnc.")}


def objects(payload: Any, path: str) -> list[dict[str, Any]]:
    """The objects of a payload in which the field at this path stands."""
    found = [payload]
    for step in path.split(".")[:-1]:
        inner = [each[step.removesuffix("[]")] for each in found if step.removesuffix("[]") in each]
        found = [item for value in inner for item in (value if step.endswith("[]") else [value])]
    return found


def concrete(path: str) -> str:
    """The path with the first item of each list: what an error text shows."""
    return path.replace("[]", "[0]")
