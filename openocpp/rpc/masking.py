"""Frames as they may stand in a log: without secrets, however a peer writes them (SEC A01.FR.12).

A secret is the value beside the name of a secret configuration key, a member that is itself named so, and the password
or signature in a URI; also in JSON that travels as text inside of JSON, and with letters written as escapes.
Threads: any; pure functions.
"""

from __future__ import annotations

import json
import re
from typing import Any

from openocpp.types import fold, hide_password, is_secret_key

HIDDEN = "***"

# What every text that holds a secret has in it: JSON can write each letter as an escape.
_SUSPICIOUS = re.compile(r"key|pass|secret|\\u|@|\?", re.IGNORECASE)
_WORDS = "authorizationkey|private ?key|password|passphrase|secret"
_SECRET_NAME = re.compile(_WORDS, re.IGNORECASE)
# The word, and something behind it.
_SECRET_SAID = re.compile(rf"""(?:{_WORDS})["'\\]*[\s:=,-]+["'\\]*\w""", re.IGNORECASE)
_BEGINNING = re.compile(r'\s*\[\s*[0-9]{1,9}\s*,\s*"[\w-]{0,36}"\s*,')


def masked(text: str) -> str:
    """The text with ``***`` in place of what is secret. Of a broken one that may hold a secret, only the beginning."""
    if not _SUSPICIOUS.search(text):
        return text
    mask = _Mask()
    shown = mask.json(text)
    if shown is None:
        beginning = _BEGINNING.match(text)
        return (beginning[0] if beginning else "") + HIDDEN
    return shown if mask.changed else text


def hidden(text: str) -> str:
    """A text of a peer's, as it may stand in a log: secrets in it are hidden, however they are wrapped."""
    return _Mask().text(text)


class _Mask:
    """One text on its way through the decoder."""

    def __init__(self) -> None:
        self.changed = False

    def json(self, text: str) -> str | None:
        """The JSON text without secrets; None: it cannot be read."""
        try:
            value = json.JSONDecoder(object_pairs_hook=self._object).decode(text)
        except (ValueError, RecursionError):
            return None
        shown = json.dumps(self._value(value), ensure_ascii=False)
        return shown.encode("utf-8", "backslashreplace").decode("utf-8")  # halves of surrogate pairs cannot be written

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """All pairs, since a name may come twice."""
        named = [value for name, value in pairs if fold(name) in ("key", "name")]
        secret = any(isinstance(value, str) and is_secret_key(value) for value in named)
        return {name: self._member(name, value, secret) for name, value in pairs}

    def _member(self, name: str, value: Any, beside_secret: bool) -> Any:
        if (beside_secret and fold(name).endswith("value")) or _SECRET_NAME.search(name):
            return self._hide(value)
        return self._value(value)

    def _value(self, value: Any) -> Any:
        """What is no object: the decoder has handed those over before."""
        if isinstance(value, list):
            return [self._value(item) for item in value]
        return self.text(value) if isinstance(value, str) else value

    def text(self, text: str) -> str:
        """A text that may be JSON itself, or speak of a secret."""
        if not _SUSPICIOUS.search(text):
            return text
        could_be_json = text.lstrip()[:1] in ("{", "[")
        if could_be_json:
            inner = _Mask()
            shown = inner.json(text)
            if shown is not None:
                self.changed |= inner.changed
                return shown if inner.changed else text
        if _SECRET_SAID.search(text) or (could_be_json and "\\u" in text):
            return str(self._hide(text))
        without = hide_password(text)
        self.changed |= without != text
        return without

    def _hide(self, value: Any) -> Any:
        if value in (None, "", HIDDEN):
            return value
        self.changed = True
        return HIDDEN
