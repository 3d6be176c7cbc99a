"""Dataclass <-> JSON object.

Every message passes here twice, so reader and writer of a class are generated as source text from its declaration and
compiled at first use. The generated code accepts the usual case with as few steps as possible; everything else goes to
``openocpp.messages.values``, which knows the rules in full and words the error.

What JSON schemas of the standard do not say is checked here too: integers of 32 bit, ranges (1.6 chapters 6 and 7), at
least one item where 1..* is written, dates, URIs. So the codec refuses whatever the schemas refuse, and more; a test
holds the two against each other.

Threads: any. Two threads may compile the same class at once; the results are equal and one of them is kept.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, TypeVar

from openocpp.errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from openocpp.messages import values
from openocpp.types.base import INT_MAX, INT_MIN, STAMP, OcppEnum
from openocpp.types.enums import FeatureProfile
from openocpp.types.record import Field, Record, enum_texts, fields_of

if TYPE_CHECKING:
    from collections.abc import Callable

R = TypeVar("R", bound=Record)


class Reading(Enum):
    """How strictly a received object is read.

    STRICT: by the standard. TUNNELLED: by the standard, but unknown members are ignored (Plug & Charge).
    RELAXED: whatever can be understood. Unknown members are dropped, limits and ranges are not looked at, numbers and
    texts stand for each other, capital letters of enumerations do not matter.
    """

    STRICT = auto()
    TUNNELLED = auto()
    RELAXED = auto()


def from_payload(cls: type[R], payload: Any, reading: Reading | None = None) -> R:
    """The message that a peer sent as this JSON object.

    Without ``reading`` Plug & Charge messages are read TUNNELLED and all others STRICT.
    RemoteProtocolError tells which field is wrong, and which code the peer deserves.
    """
    if type(payload) is not dict:
        raise RemoteProtocolError(ErrorCode.FormationViolation, "", f"is {values.json_type(payload)}, not an object")
    reader = _USUAL_READERS.get(cls) if reading is None else None
    return (reader or reader_of(cls, reading))(payload)  # type: ignore[no-any-return]


def to_payload(message: Record) -> dict[str, Any]:
    """The JSON object of a message. LocalProtocolError names the field that breaks the standard."""
    cls = type(message)
    return (_WRITERS.get(cls) or writer_of(cls))(message)


def default_reading(cls: type[Record]) -> Reading:
    """How messages of this class are read if nothing else is said."""
    tunnelled = getattr(cls, "profile", None) is FeatureProfile.Iso15118
    return Reading.TUNNELLED if tunnelled else Reading.STRICT


_READERS: dict[tuple[type[Record], Reading], Callable[[Any], Any]] = {}
_USUAL_READERS: dict[type[Record], Callable[[Any], Any]] = {}
_CHECKERS: dict[type[Record], Callable[[Any], object]] = {}
_WRITERS: dict[type[Record], Callable[[Any], dict[str, Any]]] = {}


def reader_of(cls: type[Record], reading: Reading | None = None) -> Callable[[Any], Any]:
    """The function that makes an instance from a JSON object."""
    usual = default_reading(cls)
    key = (cls, reading or usual)
    reader = _READERS.get(key)
    if reader is None:
        reader = _READERS.setdefault(key, _ReaderSource(*key).compile())
        if key[1] is usual:
            _USUAL_READERS[cls] = reader
    return reader


def checker_of(cls: type[Record]) -> Callable[[Any], object]:
    """The function that refuses what the STRICT reader refuses, and makes nothing: for those who only pass it on."""
    checker = _CHECKERS.get(cls)
    if checker is None:
        checker = _CHECKERS.setdefault(cls, _ReaderSource(cls, Reading.STRICT, keeps=False).compile())
    return checker


def writer_of(cls: type[Record]) -> Callable[[Any], dict[str, Any]]:
    """The function that makes a JSON object from an instance."""
    writer = _WRITERS.get(cls)
    if writer is None:
        writer = _WRITERS.setdefault(cls, _WriterSource(cls).compile())
    return writer


class _Source:
    """Source text that grows line by line, and the objects it refers to."""

    def __init__(self, cls: type[Record], name: str) -> None:
        self.cls = cls
        self.name = name
        self.functions: list[list[str]] = []
        self.lines: list[str] = []
        self.globals: dict[str, Any] = {
            "cls": cls,
            "values": values,
            "new": object.__new__,
            "assign": object.__setattr__,
            "datetime": datetime,
            "UTC": UTC,
            "STAMP": STAMP,
            "RemoteProtocolError": RemoteProtocolError,
            "LocalProtocolError": LocalProtocolError,
        }

    def add(self, depth: int, *lines: str) -> None:
        self.lines.extend("    " * depth + line for line in lines)

    def refer(self, prefix: str, thing: Any) -> str:
        """A name under which the text can use an object."""
        name = f"{prefix}{len(self.globals)}"
        self.globals[name] = thing
        return name

    def function(self, head: str) -> list[str]:
        """Begin a helper function; returns the lines to come back to with ``resume``."""
        outer, self.lines = self.lines, [head]
        return outer

    def resume(self, outer: list[str]) -> None:
        self.functions.append(self.lines)
        self.lines = outer

    def compile(self) -> Callable[[Any], Any]:
        self.build()
        text = "\n".join(line for lines in (*self.functions, self.lines) for line in lines)
        exec(compile(text, f"<{self.name} {self.cls.__name__}>", "exec"), self.globals)
        return self.globals[self.name]  # type: ignore[no-any-return]

    def build(self) -> None:
        raise NotImplementedError


def _range(field: Field, least: int | None) -> tuple[int, int]:
    return (INT_MIN if least is None else least), (INT_MAX if field.at_most is None else field.at_most)


class _ReaderSource(_Source):
    """The reader of one class. Each field is checked in the local variable ``v``, then kept in ``f0``, ``f1`` ...

    One that does not keep them is a checker: it makes nothing of what it has read, and its result means nothing.
    """

    def __init__(self, cls: type[Record], reading: Reading, *, keeps: bool = True) -> None:
        super().__init__(cls, "read" if keeps else "check")
        self.reading = reading
        self.relaxed = reading is Reading.RELAXED
        self.keeps = keeps

    def build(self) -> None:
        fields = fields_of(self.cls)
        optional = any(not field.required for field in fields)
        self.add(0, f"def {self.name}(p):")
        self.add(1, "if type(p) is not dict:", "    raise values.wrong_type(p, 'an object', '')")
        if optional or self.relaxed:
            self.add(1, "get = p.get")
        if self.reading is Reading.STRICT:
            self.add(1, f"n = {sum(field.required for field in fields)}")
        for index, field in enumerate(fields):
            self._field(field, f"f{index}")
        if self.reading is Reading.STRICT:
            known = self.refer("known", frozenset(field.wire for field in fields))
            self.add(1, "if n != len(p):", f"    raise values.leftover(p, {known})")
        if self.keeps:
            self._make(fields)

    def _make(self, fields: tuple[Field, ...]) -> None:
        self.add(1, "o = new(cls)")
        if fields:
            members = ", ".join(f"{field.name!r}: f{index}" for index, field in enumerate(fields))
            self.add(1, f"assign(o, '__dict__', {{{members}}})")
        self.add(1, "return o")

    def _field(self, field: Field, kept: str) -> None:
        """Fetch one field, and check it if it is there."""
        depth = 1
        if field.required and not self.relaxed:
            self.add(1, "try:", f"    v = p[{field.wire!r}]")
            self.add(1, "except KeyError:", f"    raise values.missing({field.wire!r}) from None")
        elif field.required:
            self.add(1, f"v = get({field.wire!r})", "if v is None:", f"    raise values.missing({field.wire!r})")
        else:
            depth = 2
            self.add(1, f"v = get({field.wire!r})")
            if field.default is not None:
                self.add(1, "if v is None:", f"    v = {field.default!r}", "else:")
            else:
                self.add(1, "if v is not None:")
            if self.reading is Reading.STRICT:
                self.add(2, "n += 1")
        if field.many:
            self._many(field, depth)
        else:
            self._value(field, depth, field.wire)
        if self.keeps:
            self.add(1, f"{kept} = v")

    def _function_of(self, kind: type[Record]) -> str:
        """The name of what reads, or checks, an object inside of this one."""
        return self.refer(self.name, reader_of(kind, self.reading) if self.keeps else checker_of(kind))

    def _many(self, field: Field, depth: int) -> None:
        where = repr(field.wire)
        self.add(depth, "if type(v) is not list:", f"    raise values.wrong_type(v, 'a list', {where})")
        if not self.relaxed:
            least, most = field.min_items, field.max_items
            conditions = [f"len(v) < {least}"] * bool(least) + [f"len(v) > {most}"] * (most is not None)
            if conditions:
                self.add(depth, f"if {' or '.join(conditions)}:")
                self.add(depth + 1, f"raise values.wrong_count(len(v), {least}, {most}, {where})")
        if issubclass(field.kind, Record):
            item = self._function_of(field.kind)
        else:
            item = f"item{len(self.functions)}"
            outer = self.function(f"def {item}(v):")
            self._value(field, 1, "")
            self.add(1, "return v")
            self.resume(outer)
        if self.keeps:
            none_if_empty = "" if field.required else " or None"
            self.add(depth, "try:", f"    v = tuple([{item}(i) for i in v]){none_if_empty}")
        else:
            self.add(depth, "try:", f"    for i in v: {item}(i)")
        self.add(depth, "except RemoteProtocolError:", f"    raise values.at_item({item}, v, {where}) from None")

    def _value(self, field: Field, depth: int, where: str) -> None:
        """Check and convert the one value in ``v``."""
        at = repr(where)
        if issubclass(field.kind, Record):
            read = self._function_of(field.kind)
            self.add(depth, "try:", f"    v = {read}(v)")
            self.add(depth, "except RemoteProtocolError as e:", f"    raise values.inside(e, {at}) from None")
        elif issubclass(field.kind, OcppEnum):
            texts = self.refer("texts", enum_texts(field.kind))
            if self.relaxed:
                self.add(depth, f"v = values.convert_choice(v, {texts}, {field.open}, {at})")
            else:
                self.add(depth, "try:", f"    v = {texts}[v]", "except (KeyError, TypeError):")
                self.add(depth + 1, f"v = values.read_choice(v, {texts}, {field.open}, {at})")
        elif self.relaxed:
            if field.boxed:
                self.add(depth, f"v = values.read_boxed(v, {field.boxed!r})")
            converters = {str: "text", int: "integer", float: "decimal", bool: "boolean", datetime: "datetime"}
            self.add(depth, f"v = values.convert_{converters[field.kind]}(v, {at})")
        else:
            self._scalar(field, depth, at)

    def _scalar(self, field: Field, depth: int, at: str) -> None:
        """One line that accepts the usual value, one for the rest."""
        if field.kind is str:
            if field.boxed:
                self.add(depth, f"v = values.read_boxed(v, {field.boxed!r})")
            too_long = "" if field.max_len is None else f" or len(v) > {field.max_len}"
            unusual = "" if field.uri else f"type(v) is not str{too_long} or not v.isascii()"
            rest = f"values.read_text(v, {field.max_len}, {field.uri is not None}, {at})"
        elif field.kind is int:
            least, most = _range(field, field.at_least)
            unusual = f"type(v) is not int or not {least} <= v <= {most}"
            rest = f"values.read_integer(v, {least}, {most}, {at})"
        elif field.kind is float:
            unusual = "type(v) is not float or not -1e9 < v < 1e9 or round(v * 10) / 10 != v"
            rest = f"values.read_decimal(v, {at})"
        elif field.kind is bool:
            self.add(depth, "if v is not True and v is not False:")
            self.add(depth + 1, f"raise values.wrong_type(v, 'a boolean', {at})")
            return
        else:
            unusual = ""
            rest = f"values.read_datetime(v, {at})"
        if unusual:
            self.add(depth, f"if {unusual}:", f"    v = {rest}")
        else:
            self.add(depth, f"v = {rest}")


class _WriterSource(_Source):
    """The writer of one class, from the attributes ``d`` of the instance ``o`` to the JSON object ``p``."""

    def __init__(self, cls: type[Record]) -> None:
        super().__init__(cls, "write")

    def build(self) -> None:
        self.add(0, "def write(o):")
        self.add(1, "if type(o) is not cls:", "    o = values.write_record(o, cls)")
        self.add(1, "d = o.__dict__", "p = {}")
        for field in fields_of(self.cls):
            self.add(1, f"v = d[{field.name!r}]")
            depth = 1
            if not field.required and field.default is None:
                self.add(1, "if v is not None:")
                depth = 2
            if field.many:
                self._many(field, depth)
            else:
                self._value(field, depth, f"p[{field.wire!r}] =", field.wire)
        self.add(1, "return p")

    def _many(self, field: Field, depth: int) -> None:
        where = repr(field.wire)
        if field.required:
            self.add(depth, "if v is None:", f"    raise values.absent({where})")
        least, most = field.min_items, field.max_items
        conditions = [f"len(v) < {least}"] * bool(least) + [f"len(v) > {most}"] * (most is not None)
        if conditions:
            self.add(depth, f"if {' or '.join(conditions)}:")
            self.add(depth + 1, f"raise values.miscounted(len(v), {least}, {most}, {where})")
        if issubclass(field.kind, Record):
            item = self.refer("write", writer_of(field.kind))
        else:
            item = f"item{len(self.functions)}"
            outer = self.function(f"def {item}(v):")
            self._value(field, 1, "return", "")
            self.resume(outer)
        self.add(depth, "try:", f"    p[{where}] = [{item}(i) for i in v]")
        self.add(depth, "except LocalProtocolError:", f"    raise values.within_item({item}, v, {where}) from None")

    def _value(self, field: Field, depth: int, target: str, where: str) -> None:
        """Check the value in ``v`` and put its JSON form to the target."""
        at = repr(where)
        if issubclass(field.kind, Record):
            write = self.refer("write", writer_of(field.kind))
            self.add(depth, "try:", f"    {target} {write}(v)")
            self.add(depth, "except LocalProtocolError as e:", f"    raise values.within(e, {at}) from None")
        elif issubclass(field.kind, OcppEnum):
            enum = self.refer("enum", field.kind)
            self.add(depth, f"if type(v) is not {enum}:", f"    v = values.write_choice(v, {enum}, {at})")
            self.add(depth, f"{target} v._value_")
        elif field.kind is datetime:
            self.add(depth, "if type(v) is datetime and v.tzinfo is UTC:")
            self.add(depth + 1, f"{target} STAMP % (v.year, v.month, v.day, v.hour, v.minute, v.second)")
            self.add(depth, "else:", f"    {target} values.write_datetime(v, {at})")
        else:
            self._scalar(field, depth, at)
            self.add(depth, f"{target} v")

    def _scalar(self, field: Field, depth: int, at: str) -> None:
        if field.kind is str:
            too_long = "" if field.max_len is None else f" or len(v) > {field.max_len}"
            unusual = "" if field.uri else f"type(v) is not str{too_long} or not v.isascii()"
            rest = f"values.write_text(v, {field.max_len}, {field.uri is not None}, {at})"
        elif field.kind is int:
            least, most = _range(field, field.sent_at_least)
            unusual = f"type(v) is not int or not {least} <= v <= {most}"
            rest = f"values.write_integer(v, {least}, {most}, {at})"
        elif field.kind is float:
            unusual = "type(v) is not float or not -1e9 < v < 1e9 or round(v * 10) / 10 != v"
            rest = f"values.write_decimal(v, {at})"
        else:
            self.add(depth, "if v is not True and v is not False:")
            self.add(depth + 1, f"raise values.unfit(v, 'a boolean', {at})")
            return
        if unusual:
            self.add(depth, f"if {unusual}:", f"    v = {rest}")
        else:
            self.add(depth, f"v = {rest}")
