"""The schema files: found, read and parsed at start, compiled at first use.

``python -m openocpp.messages.schema FOLDER`` writes them from the dataclasses (``make schemas``).

The codec already refuses whatever our own schemas refuse, so a file that says what the dataclass says needs no second
check. A file from another folder (``JsonSchemasPath``) that differs is compiled and has its say before the codec; the
known slips of such files are tolerated, so that a foreign folder gives the same answers.

Threads: any. Two threads may compile the same file at once; the results are equal and one of them is kept.
"""

from __future__ import annotations

import copy
import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openocpp.errors import ConfigError, ErrorCode, LocalProtocolError, RemoteProtocolError
from openocpp.messages import ACTIONS, PNC_ACTIONS
from openocpp.messages.codec import Reading, checker_of, reader_of, writer_of
from openocpp.messages.derive import DRAFT, derive, schema_names
from openocpp.messages.values import join, json_type
from openocpp.types.base import printable
from openocpp.types.enums import UnitOfMeasure
from openocpp.types.record import enum_texts, fields_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from openocpp.types.record import Record

    Check = Callable[[Any], None]

_log = logging.getLogger("openocpp.messages")

KEY = "JsonSchemasPath"

CODE_OF_RULE = {
    "type": ErrorCode.TypeConstraintViolation,
    "required": ErrorCode.OccurenceConstraintViolation,
    "minItems": ErrorCode.OccurenceConstraintViolation,
    "maxItems": ErrorCode.OccurenceConstraintViolation,
    "additionalProperties": ErrorCode.FormationViolation,
}
"""J §4.2.3. Every other rule (enum, maxLength, multipleOf, minimum ...) is a PropertyConstraintViolation."""


def find_schemas(configured: str = "") -> Path:
    """The folder with the schemas: the configured one, else the installed copy, else that of the checkout."""
    if configured:
        return Path(configured)
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "schemas", package.parent / "schemas"):
        if folder.is_dir():
            return folder
    raise ConfigError(KEY, "the schemas were not installed with the package", accepted="a folder with 78 JSON files")


class SchemaSet:
    """The 78 schemas of one folder. ``load`` it; all with the same folder share one.

    It hands out readers, checkers and writers of messages: the codec, and what the file says beyond it.
    """

    def __init__(self, folder: Path, schemas: Mapping[str, Any]) -> None:
        self.folder = folder
        self._schemas = schemas
        self._readers: dict[type[Record], Callable[[Any], Any]] = {}
        self._checkers: dict[type[Record], Callable[[Any], object]] = {}
        self._writers: dict[type[Record], Callable[[Any], dict[str, Any]]] = {}

    def __repr__(self) -> str:
        return f"SchemaSet({str(self.folder)!r})"

    @classmethod
    def load(cls, configured: str = "") -> SchemaSet:
        """Read and parse all files. ConfigError names the one that is missing or broken."""
        folder = find_schemas(configured)
        key = (folder, _fingerprint(folder))
        found = _LOADED.get(key)
        if found is None:
            schemas = {name: _parsed(folder / f"{name}.json") for name in _NAMES.values()}
            if len(_LOADED) >= _MAX_LOADED:
                _LOADED.clear()
            found = _LOADED.setdefault(key, cls(folder, schemas))
        return found

    def reader(self, cls: type[Record]) -> Callable[[Any], Any]:
        """The function that makes a message from an object of a peer. It raises RemoteProtocolError."""
        return self._readers.get(cls) or self._readers.setdefault(
            cls, self._behind_file(cls, reader_of(cls, Reading.STRICT))
        )

    def checker(self, cls: type[Record]) -> Callable[[Any], object]:
        """The function that judges an object of a peer as ``reader`` does, and makes nothing of it."""
        return self._checkers.get(cls) or self._checkers.setdefault(cls, self._behind_file(cls, checker_of(cls)))

    def writer(self, cls: type[Record]) -> Callable[[Any], dict[str, Any]]:
        """The function that makes an object from a message. It raises LocalProtocolError."""
        return self._writers.get(cls) or self._writers.setdefault(cls, self._make_writer(cls))

    def check(self, cls: type[Record]) -> Check | None:
        """What the file of a message says beyond the codec; ``None`` if it says the same."""
        name = _NAMES[cls]
        schema = self._schemas[name]
        if schema == derive(ACTIONS[name.removesuffix("Response")], cls):
            return None
        tolerant = tolerate(schema, cls)
        content = json.dumps(tolerant, sort_keys=True)
        check = _COMPILED.get(content)
        if check is None:
            try:
                check = _COMPILED.setdefault(content, compile_schema(tolerant))
            except ConfigError as error:
                # It was read at start, so the stack runs. The codec still knows the standard.
                _log.error("%s/%s.json is left out: %s", self.folder, name, error.problem)
        return check

    def _behind_file(self, cls: type[Record], codec: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """What the file says, if that is more, then the codec."""
        check = self.check(cls)
        if check is None:
            return codec

        def judge(payload: Any) -> Any:
            check(payload)
            return codec(payload)

        return judge

    def _make_writer(self, cls: type[Record]) -> Callable[[Any], dict[str, Any]]:
        check = self.check(cls)
        writer = writer_of(cls)
        if check is None:
            return writer

        def write(message: Any) -> dict[str, Any]:
            payload = writer(message)
            try:
                check(payload)
            except RemoteProtocolError as error:
                raise LocalProtocolError(error.field, error.problem) from None
            return payload

        return write


_NAMES = {cls: name for info in ACTIONS.values() for name, cls in schema_names(info).items()}
_MAX_LOADED = 8
_LOADED: dict[tuple[Path, Any], SchemaSet] = {}
_COMPILED: dict[str, Check] = {}


def _fingerprint(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Changes when a file does: a folder is read once for all charge points of a process, but again when it differs."""
    stats = []
    for name in _NAMES.values():
        try:
            stat = (folder / f"{name}.json").stat()
        except OSError as error:
            raise ConfigError(KEY, f"{name}.json cannot be read: {error.strerror}", source=str(folder)) from error
        stats.append((name, stat.st_mtime_ns, stat.st_size))
    return tuple(stats)


def _parsed(path: Path) -> dict[str, Any]:
    try:
        schema = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigError(KEY, f"{path.name} cannot be read: {error.strerror}", source=str(path.parent)) from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(KEY, f"{path.name} is not JSON: {error}", source=str(path.parent)) from error
    if not isinstance(schema, dict):
        raise ConfigError(KEY, f"{path.name} is {json_type(schema)}, not a schema", source=str(path.parent))
    return schema


def tolerate(schema: dict[str, Any], cls: type[Record]) -> dict[str, Any]:
    """A copy of a foreign schema without the known slips.

    Limits given as text become numbers, both spellings of Celsius are allowed, an identifier is left out (one of the
    standard's files carries that of another), and draft-04 becomes draft-06, for which 1.0 is an integer. Where an
    unknown name has an answer of its own (TriggerMessage), the enumeration is left to the role.
    """
    schema = copy.deepcopy(schema)
    schema.pop("id", None)
    schema.pop("$id", None)
    schema["$schema"] = DRAFT
    _tolerate_node(schema)
    properties = schema.get("properties")
    if isinstance(properties, dict):
        for field in fields_of(cls):
            if field.open and field.wire in properties:
                properties[field.wire] = {"type": "string"}
    return schema


_CELSIUS = {text for text, unit in enum_texts(UnitOfMeasure).items() if unit is UnitOfMeasure.Celsius}


def _tolerate_node(node: Any) -> None:
    if isinstance(node, list):
        for item in node:
            _tolerate_node(item)
    if not isinstance(node, dict):
        return
    for name, value in node.items():
        if name in ("maxLength", "minLength", "maxItems", "minItems") and isinstance(value, str) and value.isdecimal():
            node[name] = int(value)
        elif name == "enum" and isinstance(value, list) and any(text in _CELSIUS for text in value):
            value.extend(_CELSIUS.difference(value))
        else:
            _tolerate_node(value)


def compile_schema(schema: dict[str, Any]) -> Check:
    """A function that raises RemoteProtocolError for what breaks the schema. ConfigError if it is no usable schema.

    Formats are not looked at: dates and URIs are checked by the codec, by one rule for all.
    """
    import fastjsonschema  # here, since most processes never need it

    def refuse(uri: str) -> Any:
        raise ConfigError(KEY, f"refers to {uri}: nothing is fetched")

    handlers = {scheme: refuse for scheme in ("", "http", "https", "ftp", "file", "urn")}
    try:
        validate = fastjsonschema.compile(schema, handlers=handlers, use_default=False, use_formats=False)
    except Exception as error:  # of many kinds: what cannot be made into a function is no schema
        raise ConfigError(KEY, f"is not a usable schema: {error}"[:200]) from error

    def check(payload: Any) -> None:
        try:
            validate(payload)
        except fastjsonschema.JsonSchemaValueException as error:
            raise _violation(error) from None
        except (ValueError, ArithmeticError):  # NaN and Infinity, which a JSON text of ours cannot hold
            raise RemoteProtocolError(ErrorCode.PropertyConstraintViolation, "", "holds no finite number") from None

    return check


def _violation(error: Any) -> RemoteProtocolError:
    """Our words for a finding of fastjsonschema, whose own texts repeat values that may be secret."""
    path = error.name.removeprefix("data").removeprefix(".")
    rule, wanted = error.rule, error.rule_definition
    if rule == "type" and not path:
        return RemoteProtocolError(ErrorCode.FormationViolation, "", f"is {json_type(error.value)}, not an object")
    code = CODE_OF_RULE.get(rule, ErrorCode.PropertyConstraintViolation)
    match rule:
        case "required":
            absent = next(name for name in wanted if name not in error.value)
            return RemoteProtocolError(code, join(path, absent), "is missing")
        case "additionalProperties":
            known = error.definition.get("properties", {})
            unknown = next((name for name in error.value if name not in known), "")
            return RemoteProtocolError(code, join(path, printable(unknown)), "is not a field here")
        case "type":
            return RemoteProtocolError(code, path, f"is {json_type(error.value)}, not {wanted}")
        case "enum":
            return RemoteProtocolError(code, path, "is not one of the values of the standard")
        case "maxLength":
            return RemoteProtocolError(code, path, f"has {len(error.value)} characters, at most {wanted} are allowed")
    return RemoteProtocolError(code, path, f"breaks the rule {rule}: {wanted}"[:200])


def write_schemas(folder: Path) -> list[Path]:
    """Write the 78 files, and those of Plug & Charge to the folder ``pnc`` below. Returns their paths."""
    written = []
    for registry, target in ((ACTIONS, folder), (PNC_ACTIONS, folder / "pnc")):
        target.mkdir(parents=True, exist_ok=True)
        for info in registry.values():
            for name, cls in schema_names(info).items():
                path = target / f"{name}.json"
                path.write_text(json.dumps(derive(info, cls), indent=4) + "\n", encoding="utf-8")
                written.append(path)
    return written


def main(arguments: list[str]) -> int:
    """``python -m openocpp.messages.schema FOLDER``"""
    if len(arguments) != 1:
        print("usage: python -m openocpp.messages.schema FOLDER", file=sys.stderr)
        return 2
    print(f"{len(write_schemas(Path(arguments[0])))} schemas written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
