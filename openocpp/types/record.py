"""Base of the dataclasses of the standard, and what their annotations declare.

A record is a frozen, keyword-only dataclass. What it declares is all there is: type = annotation, required = no
default, a marker in ``Annotated`` = limit, JSON name = camelCase of the attribute. ``fields_of`` reads that once per
class for the codec, the schemas, the random instances and the ``repr``.

Lists: a field is annotated ``Sequence[X]``, any sequence may be given, and the record keeps a tuple, so that it stays
immutable and hashable. An empty optional list means the same as an absent one in every message of the standard: it
becomes ``None``.

Threads: any.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Union

from openocpp.types.base import (
    AtLeast,
    AtMost,
    Boxed,
    MaxItems,
    MaxLen,
    MinItems,
    OcppEnum,
    OneDecimalMarker,
    SecretIf,
    Uri,
    Wire,
    hide_password,
    is_secret_key,
)

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # what a type checker sees
else:

    def dataclass(*, frozen, kw_only):
        """``dataclasses.dataclass`` without the methods that it compiles for each class: ``Record`` has them.

        That saves most of the time that importing some hundred and twenty classes takes.
        """
        if not (frozen and kw_only):
            raise TypeError("a record is frozen and has keyword parameters only")
        return _declare


_bare_dataclass = dataclasses.dataclass(kw_only=True, init=False, repr=False, eq=False)
_assign = object.__setattr__


def _declare(cls: type) -> type:
    def init_at_first_use(self: Any, **values: Any) -> None:
        compiled = _compiled_init(cls)
        type.__setattr__(cls, "__init__", compiled)
        compiled(self, **values)

    type.__setattr__(cls, "__init__", init_at_first_use)
    return _bare_dataclass(cls)


_SHOWN_CHARACTERS = 80


class Record:
    """Base of all messages and data types. A ``repr`` leaves absent fields and secrets out."""

    _sequences: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        declared = inspect.get_annotations(cls)
        cls._sequences |= {name for name, annotation in declared.items() if _is_sequence(annotation)}

    if not TYPE_CHECKING:

        def __setattr__(self, name, value):
            raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")

        def __delattr__(self, name):
            raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.values()))

    def __repr__(self) -> str:
        shown = []
        for field in fields_of(type(self)):
            value = getattr(self, field.name)
            if value is not None:
                shown.append(f"{field.name}={_show(self, field, value)}")
        return f"{type(self).__name__}({', '.join(shown)})"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What one annotation declares."""

    name: str
    wire: str
    kind: type  # str, int, float, bool, datetime, an OcppEnum or a Record
    required: bool
    default: Any = None
    many: bool = False
    max_len: int | None = None
    at_least: int | None = None
    at_most: int | None = None
    sent_at_least: int | None = None
    min_items: int = 0
    max_items: int | None = None
    one_decimal: bool = False
    uri: Uri | None = None
    open: bool = False  # an enumeration that keeps an unknown text when read
    boxed: str = ""
    secret_if: str = ""


_FIELDS: dict[type[Record], tuple[Field, ...]] = {}


def fields_of(cls: type[Record]) -> tuple[Field, ...]:
    """The declared fields of a record, in order."""
    fields = _FIELDS.get(cls)
    if fields is None:
        hints = typing.get_type_hints(cls, include_extras=True)
        declared: Any = cls  # every record is a dataclass
        fields = tuple(_field(field, hints[field.name]) for field in dataclasses.fields(declared))
        _FIELDS[cls] = fields
    return fields


def wire_name(name: str) -> str:
    """The JSON name of an attribute: ``parent_id_tag`` -> ``parentIdTag``."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def enum_texts(enum: type[OcppEnum]) -> dict[str, OcppEnum]:
    """Every text that is read as a member, the other spellings included."""
    return {member.value: member for member in enum} | dict(enum.aliases())


def _field(field: dataclasses.Field[Any], annotation: Any) -> Field:
    required = field.default is dataclasses.MISSING
    found: dict[str, Any] = {}
    kind = _kind(annotation, found)
    return Field(
        name=field.name,
        wire=found.pop("wire", None) or wire_name(field.name),
        kind=kind,
        required=required,
        default=None if required else field.default,
        **found,
    )


def _kind(annotation: Any, found: dict[str, Any]) -> type:
    """The innermost type of an annotation; what stands around it goes to ``found``."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        inner, *markers = typing.get_args(annotation)
        for marker in markers:
            _note(marker, found)
        return _kind(inner, found)
    if origin in (Union, types.UnionType):
        options = [option for option in typing.get_args(annotation) if option is not type(None)]
        enums = [option for option in options if isinstance(option, type) and issubclass(option, Enum)]
        if len(options) == 2 and len(enums) == 1 and str in options:
            found["open"] = True
            return enums[0]
        if len(options) != 1:
            raise TypeError(f"no field of a message can be {annotation}")
        return _kind(options[0], found)
    if origin is Sequence:
        found["many"] = True
        return _kind(typing.get_args(annotation)[0], found)
    if annotation in (str, int, float, bool, datetime) or issubclass(annotation, (OcppEnum, Record)):
        return annotation  # type: ignore[no-any-return]
    raise TypeError(f"no field of a message can be {annotation}")


def _note(marker: object, found: dict[str, Any]) -> None:
    match marker:
        case MaxLen(limit):
            found["max_len"] = limit
        case AtLeast(limit, sent):
            found["at_least"] = limit
            found["sent_at_least"] = limit if sent is None else sent
        case AtMost(limit):
            found["at_most"] = limit
        case MinItems(limit):
            found["min_items"] = limit
        case MaxItems(limit):
            found["max_items"] = limit
        case OneDecimalMarker():
            found["one_decimal"] = True
        case Uri():
            found["uri"] = marker
        case Wire(name):
            found["wire"] = name
        case Boxed(member):
            found["boxed"] = member
        case SecretIf(field):
            found["secret_if"] = field


def _compiled_init(cls: type) -> Callable[..., None]:
    """``__init__`` of a record, with its fields as parameters. Compiled at the first instance."""
    names: dict[str, Any] = {"assign": _assign, "as_tuple": _as_tuple}
    parameters, lines = [], []
    for field in dataclasses.fields(cls):
        if field.default is dataclasses.MISSING:
            parameters.append(field.name)
        else:
            names[f"default_{field.name}"] = field.default
            parameters.append(f"{field.name}=default_{field.name}")
        if field.name in cls._sequences:  # type: ignore[attr-defined]
            optional = field.default is not dataclasses.MISSING
            lines.append(f"    if {field.name} is not None:")
            lines.append(f"        {field.name} = as_tuple({field.name}, '{cls.__name__}.{field.name}', {optional})")
    star = ", *, " if parameters else ""
    members = ", ".join(f"{field.name!r}: {field.name}" for field in dataclasses.fields(cls))
    head = f"def __init__(self{star}{', '.join(parameters)}):"
    exec("\n".join([head, *lines, f"    assign(self, '__dict__', {{{members}}})"]), names)
    init: Callable[..., None] = names["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return init


def _as_tuple(items: Any, name: str, none_if_empty: bool) -> tuple[Any, ...] | None:
    if isinstance(items, (str, bytes)) or not isinstance(items, Sequence):
        raise TypeError(f"{name}: a sequence is needed, not {type(items).__name__}")
    return tuple(items) or (None if none_if_empty else ())


def _is_sequence(annotation: Any) -> bool:
    """Is a list declared? Looked at while the class is made, so without resolving anything."""
    if isinstance(annotation, str):
        return "Sequence[" in annotation or "OneOrMore[" in annotation
    origin = typing.get_origin(annotation)
    if origin is Annotated or origin is Union or origin is types.UnionType:
        return any(_is_sequence(inner) for inner in typing.get_args(annotation) if not isinstance(inner, MaxLen))
    return origin is Sequence


def _show(record: Record, field: Field, value: Any) -> str:
    if field.secret_if and is_secret_key(str(getattr(record, field.secret_if))):
        return "***"
    if field.uri and isinstance(value, str):
        value = hide_password(value)
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, str) and len(value) > _SHOWN_CHARACTERS:
        return f"{value[:_SHOWN_CHARACTERS]!r}... ({len(value)} characters)"
    return repr(value)
