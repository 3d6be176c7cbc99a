"""INI files as the samples use them: a small reader and writer of our own.

========================  =================================================================================
line                      meaning
========================  =================================================================================
empty                     ignored
``#`` first               comment
``[name]``                section; the same name again continues it
``name=value``            parameter, split at the first ``=``; the value may be empty or hold anything
anything else             an error that names file and line
========================  =================================================================================

Nothing is trimmed, unquoted, interpolated or continued, so that passwords and URLs stand in the file as they are.
Names are case-sensitive. The file is UTF-8, with or without a byte order mark, with LF or CR LF; writing keeps all of
it, and the order and the comments too.

A write is atomic: a new file beside the old one, synced, then renamed over it, so that a crash at any moment leaves
the one or the other. If it fails (disk full), the old file and the old values stay.

Threads: any may read at any time, since a change makes a new state and then puts it in place at once. Changes and
writes are made by one thread at a time: inside the monitor of the role whose settings the file holds, or before it
starts.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from openocpp.errors import ConfigError

BOM = "\ufeff"

_INT = re.compile(r"-?[0-9]+")
_FLOAT = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")


class IniValue(str):
    """The text of a parameter, with what it can be taken for."""

    __slots__ = ()

    @property
    def is_empty(self) -> bool:
        return not self

    @property
    def is_bool(self) -> bool:
        return self in ("true", "false")

    @property
    def is_int(self) -> bool:
        return _INT.fullmatch(self) is not None

    @property
    def is_uint(self) -> bool:
        return self.is_int and not self.startswith("-")

    @property
    def is_float(self) -> bool:
        return _FLOAT.fullmatch(self) is not None

    def to_bool(self) -> bool:
        """True for exactly ``true``."""
        return self == "true"

    def to_int(self) -> int:
        """The number that the text begins with, 0 if there is none."""
        found = _INT.match(self)
        return int(found.group()) if found else 0

    def to_float(self) -> float:
        """The number that the text begins with, 0 if there is none."""
        found = _FLOAT.match(self)
        return float(found.group()) if found else 0.0


@dataclass(frozen=True, slots=True)
class _Line:
    """One line: its text without line end, and its parameter if it holds one."""

    text: str
    section: str
    name: str | None = None


@dataclass(frozen=True)
class _State:
    """Everything that is known, replaced as a whole by each change."""

    lines: tuple[_Line, ...] = ()
    values: dict[str, dict[str, IniValue]] = field(default_factory=dict)
    newline: str = "\n"
    bom: bool = False

    def text(self) -> str:
        body = "".join(line.text + self.newline for line in self.lines)
        return BOM + body if self.bom else body


class IniFile:
    """The sections and parameters of one file, or of none yet.

    ``mode``: the access bits of files that it writes, as in ``os.chmod``; None keeps those of the file replaced.
    """

    def __init__(self, *, mode: int | None = None) -> None:
        self._state = _State()
        self._path: Path | None = None
        self._sync = False
        self._mode = mode

    def __repr__(self) -> str:
        return f"IniFile({str(self._path or '')!r}, sections={self.sections()}, sync={self._sync})"

    @property
    def path(self) -> Path | None:
        """The file that was loaded last, or None."""
        return self._path

    def load(self, path: str | os.PathLike[str], *, sync: bool = True) -> None:
        """Read a file. With ``sync`` each later change rewrites it, else changes stay in memory.

        ConfigError names file and line when it cannot be read; what was loaded before stays.
        """
        source = os.fspath(path)
        try:
            data = Path(source).read_bytes()
        except OSError as error:
            raise ConfigError("INI file", f"cannot be read: {error.strerror}", source=source) from error
        self._state = _parse(data, source)
        self._path = Path(source)
        self._sync = sync

    def store(self, path: str | os.PathLike[str] | None = None) -> None:
        """Write everything to a file; without ``path`` to the one that was loaded with ``sync``.

        ConfigError when it cannot be written; then the old file is still there.
        """
        if path is not None:
            _write(Path(path), self._state.text(), self._mode)
        elif self._path is None or not self._sync:
            raise ConfigError("INI file", "store() needs a path: no file was loaded with sync")
        else:
            _write(self._path, self._state.text(), self._mode)

    def clear(self) -> None:
        """Forget all sections and parameters. The file, if there is one, is left alone and no longer synced."""
        self._state = _State()
        self._path = None
        self._sync = False

    def sections(self) -> list[str]:
        """The names of the sections, in the order of the file."""
        return list(self._state.values)

    def names(self, section: str) -> list[str]:
        """The names of a section's parameters, in the order of the file."""
        return list(self._state.values.get(section, ()))

    def get(self, section: str, name: str, default: str = "") -> IniValue:
        """The value of a parameter."""
        value = self._state.values.get(section, {}).get(name)
        return IniValue(default) if value is None else value

    def set(self, section: str, name: str, value: str | bool | int | float) -> None:
        """Change or add a parameter, and write the file if it is synced. Floats are written with 6 significant digits.

        ValueError if the three would be read back as something else; ConfigError if the file could not be written, then
        the old value stays.
        """
        text = _text(value)
        _check_readable(section, name, text)
        state = _changed(self._state, section, name, text)
        if self._sync and self._path is not None:
            _write(self._path, state.text(), self._mode)
        self._state = state


def _text(value: str | bool | int | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _check_readable(section: str, name: str, text: str) -> None:
    if not section or not name:
        raise ValueError("a section and a parameter need a name")
    if any(end in part for part in (section, name, text) for end in "\r\n"):
        raise ValueError(f"[{section}] {name}: a line end cannot be written")
    if "=" in name or name[0] in "#[" or name[0] == BOM:
        raise ValueError(f"[{section}] {name}: this name cannot be read back")


def _parse(data: bytes, source: str) -> _State:
    """Read the lines of a file; ConfigError names the first that is wrong."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"line {line}", "not UTF-8", source=source) from error
    bom = text.startswith(BOM)
    rows = text.removeprefix(BOM).split("\n")
    newline = "\r\n" if rows[0].endswith("\r") else "\n"
    if rows[-1] == "":
        rows.pop()  # what follows the last line end is no line
    lines: list[_Line] = []
    values: dict[str, dict[str, IniValue]] = {}
    section = ""
    for number, row in enumerate(rows, start=1):
        row = row.removesuffix("\r")
        where = f"line {number}"
        if not row or row.startswith("#"):
            lines.append(_Line(row, section))
        elif row.startswith("["):
            section = _section(row, where, source)
            values.setdefault(section, {})
            lines.append(_Line(row, section))
        else:
            name, value = _parameter(row, section, where, source)
            values[section][name] = IniValue(value)
            lines.append(_Line(row, section, name))
    return _State(tuple(lines), values, newline, bom)


def _section(row: str, where: str, source: str) -> str:
    if not row.endswith("]"):
        raise ConfigError(where, "a section without its closing bracket", accepted="[name]", source=source)
    if len(row) == 2:
        raise ConfigError(where, "a section without a name", accepted="[name]", source=source)
    return row[1:-1]


def _parameter(row: str, section: str, where: str, source: str) -> tuple[str, str]:
    """Split a row. The texts of errors do not repeat it: it may hold a password."""
    name, mark, value = row.partition("=")
    if not mark:
        kind = "only blanks" if row.isspace() else "neither a section, a parameter nor a comment"
        raise ConfigError(where, kind, accepted="[section], name=value, # comment or an empty line", source=source)
    if not name:
        raise ConfigError(where, "a parameter without a name", accepted="name=value", source=source)
    if not section:
        raise ConfigError(where, f"parameter {name!r} before any section", accepted="[section] first", source=source)
    return name, value


def _changed(state: _State, section: str, name: str, text: str) -> _State:
    """The state with one parameter changed: on its line, or on a new one at the end of its section."""
    lines = list(state.lines)
    new = _Line(f"{name}={text}", section, name)
    places = [index for index, line in enumerate(lines) if line.section == section and line.name == name]
    if places:
        lines[places[-1]] = new  # the last one is the one that counts
    elif section in state.values:
        # After the section's last line that says something: blank lines and comments below may belong to what follows.
        inside = (i for i, line in enumerate(lines) if line.section == section and (line.name or line.text[:1] == "["))
        lines.insert(max(inside) + 1, new)
    else:
        if lines and lines[-1].text:
            lines.append(_Line("", lines[-1].section))
        lines += [_Line(f"[{section}]", section), new]
    values = dict(state.values)
    values[section] = {**values.get(section, {}), name: IniValue(text)}
    return _State(tuple(lines), values, state.newline, state.bom)


def _write(path: Path, text: str, mode: int | None) -> None:
    """Put a new file in the place of the old one, atomically and durably. A link stays one: its target is replaced."""
    target = Path(os.path.realpath(path))
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".new", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                _take_over_access(file.fileno(), target, mode)
                file.write(text.encode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        _sync_folder(target.parent)
    except OSError as error:
        raise ConfigError("INI file", f"cannot be written: {error.strerror or error}", source=str(path)) from error


def _take_over_access(handle: int, target: Path, mode: int | None) -> None:
    """Give the new file the owner and the access bits of the old one (a new one is its owner's alone)."""
    try:
        old = target.stat()
    except FileNotFoundError:
        if mode is not None:
            os.fchmod(handle, mode)
        return
    with contextlib.suppress(PermissionError):  # only root may give files away
        os.fchown(handle, old.st_uid, old.st_gid)
    os.fchmod(handle, old.st_mode & 0o777 if mode is None else mode)


def _sync_folder(folder: Path) -> None:
    """Make the renaming itself durable, where folders can be synced. The new file is in place already."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
