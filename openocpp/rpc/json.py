"""JSON as OCPP-J wants it: what the standard library would let through is refused here.

NaN and Infinity are errors, a number that only infinity could hold (1e999) and nesting deeper than 64 too; the text is
written compactly. How large a number may be is a matter of the field it stands in, and is checked there.
Threads: any.
"""

from __future__ import annotations

import json
from math import isinf
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DEPTH = 64


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if isinf(value):
        raise ValueError("a number is too large")
    return value


_decoder = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)
_encoder = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False)

dumps = _encoder.encode
quoted: Callable[[str], str] = json.encoder.encode_basestring
"""A text as JSON: what ``dumps`` makes of it."""


def loads(text: str) -> Any:
    """Read one JSON value. Raises ValueError saying what is wrong, never RecursionError."""
    if len(text) > MAX_DEPTH and text.count("[") + text.count("{") > MAX_DEPTH:
        _check_depth(text)
    try:
        value, end = _decoder.raw_decode(text)
    except json.JSONDecodeError:
        return _decoder.decode(text)  # it skips white space, and words what is wrong
    return value if end == len(text) else _decoder.decode(text)


def _check_depth(text: str) -> None:
    """Count brackets outside of texts before anything recurses. Only texts with many brackets come here."""
    depth = 0
    inside = False
    escaped = False
    for char in text:
        if inside:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                inside = False
        elif char == '"':
            inside = True
        elif char in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
        elif char in "]}":
            depth -= 1
