"""JSON schemas from the dataclasses.

They say the same as the schemas that come with the standard, with the known slips corrected: ``maxLength`` of GetLog's
remote location is a number, and both spellings of Celsius are among the units (errata-J 2.1). All declare draft-06. The
standard's own set mixes draft-04 and draft-06, but only the latter takes 1.0 for an integer, and a peer whose language
has no integers sends just that.

Threads: any.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from openocpp.messages.base import ActionInfo, Confirmation
from openocpp.types.base import OcppEnum
from openocpp.types.enums import FeatureProfile
from openocpp.types.record import Field, Record, enum_texts, fields_of

DRAFT = "http://json-schema.org/draft-06/schema#"

_NAMESPACES = {
    FeatureProfile.Security: "urn:OCPP:1.6:security:2:2020:3",
    FeatureProfile.Iso15118: "urn:openocpp:1.6:iso15118pnc",
}
_CORE_NAMESPACE = "urn:OCPP:1.6:2019:12"

_SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean", datetime: "string"}


def schema_names(info: ActionInfo) -> dict[str, type[Record]]:
    """The two files of an action, without ``.json``, and the classes they describe."""
    return {info.action: info.request, f"{info.action}Response": info.confirmation}


def derive(info: ActionInfo, cls: type[Record]) -> dict[str, Any]:
    """The schema of the request or confirmation of an action."""
    title = info.action + ("Response" if issubclass(cls, Confirmation) else "Request")
    namespace = _NAMESPACES.get(info.profile, _CORE_NAMESPACE)
    closed = info.profile is not FeatureProfile.Iso15118
    return {"$schema": DRAFT, "$id": f"{namespace}:{title}", "title": title, **_object(cls, closed)}


def _object(cls: type[Record], closed: bool) -> dict[str, Any]:
    fields = fields_of(cls)
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {field.wire: _field(field, closed) for field in fields},
    }
    if closed:
        schema["additionalProperties"] = False
    required = [field.wire for field in fields if field.required]
    if required:
        schema["required"] = required
    return schema


def _field(field: Field, closed: bool) -> dict[str, Any]:
    value = _value(field, closed)
    if not field.many:
        return value
    schema: dict[str, Any] = {"type": "array", "items": value}
    if field.max_items is not None:
        schema["maxItems"] = field.max_items
    return schema


def _value(field: Field, closed: bool) -> dict[str, Any]:
    if issubclass(field.kind, Record):
        return _object(field.kind, closed)
    if issubclass(field.kind, OcppEnum):
        return {"type": "string", "enum": list(enum_texts(field.kind))}
    schema: dict[str, Any] = {"type": _SCALARS[field.kind]}
    if field.max_len is not None:
        schema["maxLength"] = field.max_len
    if field.one_decimal:
        schema["multipleOf"] = 0.1
    if field.kind is datetime:
        schema["format"] = "date-time"
    elif field.uri is not None and field.uri.declared:
        schema["format"] = "uri"
    if field.boxed:
        boxed = {"type": "object", "properties": {field.boxed: schema}, "required": [field.boxed]}
        return {"anyOf": [schema, boxed]}
    return schema
