"""INI files: what is read, what is refused, what a write keeps, what a crash leaves."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openocpp.config.ini import IniFile, IniValue
from openocpp.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE = """# how we connect
[ChargePoint]
ConnexionUrl=ws://127.0.0.1:8080/openocpp/

# secret
Passphrase= a = b ; "c" # d

[Ocpp]
HeartbeatInterval=15
Empty=
"""


@pytest.fixture(name="path")
def ini_path(tmp_path: Path) -> Path:
    path = tmp_path / "station.ini"
    path.write_bytes(SAMPLE.encode())
    return path


def loaded(path: Path, *, sync: bool = True) -> IniFile:
    ini = IniFile()
    ini.load(path, sync=sync)
    return ini


def test_a_file_is_read_as_it_stands(path: Path) -> None:
    ini = loaded(path)
    assert ini.path == path
    assert ini.sections() == ["ChargePoint", "Ocpp"]
    assert ini.names("ChargePoint") == ["ConnexionUrl", "Passphrase"]
    assert ini.get("ChargePoint", "Passphrase") == ' a = b ; "c" # d'
    assert ini.get("Ocpp", "Empty") == ""
    assert ini.get("Ocpp", "Empty", "other") == ""
    assert ini.get("Ocpp", "Missing", "other") == "other"
    assert ini.get("Missing", "Empty", "other") == "other"
    assert ini.get("ocpp", "HeartbeatInterval") == ""
    assert ini.names("Missing") == []


def test_sections_continue_and_the_last_value_counts(path: Path) -> None:
    path.write_text("[a]\nx=1\n[b]\nx=2\n[a]\ny=3\nx=4\n")
    ini = loaded(path)
    assert ini.sections() == ["a", "b"]
    assert (ini.get("a", "x"), ini.get("a", "y"), ini.get("b", "x")) == ("4", "3", "2")
    ini.set("a", "x", "5")
    assert path.read_text() == "[a]\nx=1\n[b]\nx=2\n[a]\ny=3\nx=5\n"
    assert loaded(path).get("a", "x") == "5"


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("x=1\n[a]\n", 1, "parameter 'x' before any section"),
        ("# c\n\nx=1\n", 3, "parameter 'x' before any section"),
        ("[a]\nx=1\n[b\n", 3, "closing bracket"),
        ("[a] # no comments here\n", 1, "closing bracket"),
        ("[]\nx=1\n", 1, "without a name"),
        ("[a]\n=1\n", 2, "without a name"),
        ("[a]\nx\n", 2, "neither a section"),
        ("[a]\n [b]\n", 2, "neither a section"),
        ("[a]\n  \nx=1\n", 2, "only blanks"),
        ("[a]\n; x\n", 2, "neither a section"),
        ("[a]\r\nx=1\r\ny\r\n", 3, "neither a section"),
    ],
)
def test_a_bad_line_is_named(path: Path, text: str, line: int, problem: str) -> None:
    ini = loaded(path)
    bad = path.with_name("bad.ini")
    bad.write_bytes(text.encode())
    with pytest.raises(ConfigError, match=f"line {line}.*{problem}") as caught:
        ini.load(bad)
    assert caught.value.source == str(bad)
    assert ini.get("Ocpp", "HeartbeatInterval") == "15"
    assert ini.path == path


def test_the_error_of_a_bad_line_does_not_repeat_it(path: Path) -> None:
    path.write_text("[a]\nmy secret, written on the wrong line\n")
    with pytest.raises(ConfigError) as caught:
        loaded(path)
    assert "secret" not in str(caught.value)


def test_text_that_is_no_utf8_is_named(path: Path) -> None:
    path.write_bytes(b"[a]\nx=1\ny=caf\xe9\n")
    with pytest.raises(ConfigError, match="line 3: not UTF-8"):
        loaded(path)


def test_a_missing_file_leaves_the_data_alone(path: Path) -> None:
    ini = loaded(path)
    with pytest.raises(ConfigError, match=r"nothing\.ini.*cannot be read"):
        ini.load(path.with_name("nothing.ini"))
    assert ini.get("Ocpp", "HeartbeatInterval") == "15"


def test_cr_lf_and_byte_order_mark_are_read_and_kept(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf[a]\r\nx=1\r\n# c\r\n")
    ini = loaded(path)
    assert ini.get("a", "x") == "1"
    ini.set("a", "x", "2")
    ini.set("a", "y", "é")
    assert path.read_bytes() == b"\xef\xbb\xbf[a]\r\nx=2\r\ny=\xc3\xa9\r\n# c\r\n"


def test_odd_line_separators_of_unicode_end_no_line(path: Path) -> None:
    path.write_bytes("[a]\nx=1\u2028y=2\x0b\x85z\n".encode())
    assert loaded(path).get("a", "x") == "1\u2028y=2\x0b\x85z"


def test_an_empty_file_has_nothing(path: Path) -> None:
    path.write_bytes(b"")
    ini = loaded(path)
    assert ini.sections() == []
    ini.set("a", "x", 1)
    assert path.read_text() == "[a]\nx=1\n"


def test_a_write_keeps_order_comments_and_blank_lines(path: Path) -> None:
    ini = loaded(path)
    ini.set("Ocpp", "HeartbeatInterval", 30)
    ini.set("ChargePoint", "New", "x")
    ini.set("Other", "Flag", True)
    assert (
        path.read_text() == SAMPLE.replace("=15", "=30").replace('" # d\n', '" # d\nNew=x\n') + "\n[Other]\nFlag=true\n"
    )


def test_a_section_without_parameters_gets_its_first_below_its_name(path: Path) -> None:
    path.write_text("[a]\n\n[b]\nx=1\n")
    loaded(path).set("a", "y", 2)
    assert path.read_text() == "[a]\ny=2\n\n[b]\nx=1\n"


def test_a_last_line_without_end_is_read(path: Path) -> None:
    path.write_text("[a]\nx=1")
    ini = loaded(path)
    ini.set("a", "y", 2)
    assert path.read_text() == "[a]\nx=1\ny=2\n"


def test_values_survive_store_clear_and_load(path: Path) -> None:
    ini = IniFile()
    ini.set("one", "integer", -24)
    ini.set("one", "flag", True)
    ini.set("two", "decimal", 567.89)
    target = path.with_name("new.ini")
    ini.store(target)
    ini.clear()
    assert ini.sections() == []
    ini.load(target)
    assert ini.get("one", "integer").to_int() == -24
    assert ini.get("one", "flag").to_bool() is True
    assert ini.get("two", "decimal").to_float() == 567.89


def test_with_sync_a_change_is_in_the_file_at_once_and_without_it_is_not(path: Path) -> None:
    synced, unsynced = loaded(path), loaded(path, sync=False)
    synced.set("Ocpp", "HeartbeatInterval", 1)
    assert loaded(path).get("Ocpp", "HeartbeatInterval") == "1"
    unsynced.set("Ocpp", "HeartbeatInterval", 2)
    assert unsynced.get("Ocpp", "HeartbeatInterval") == "2"
    assert loaded(path).get("Ocpp", "HeartbeatInterval") == "1"
    with pytest.raises(ConfigError, match="needs a path"):
        unsynced.store()
    synced.store()
    assert loaded(path).get("Ocpp", "HeartbeatInterval") == "1"


@pytest.mark.parametrize(
    ("text", "predicates"),
    [
        ("12345", {"int", "uint", "float"}),
        ("-12345", {"int", "float"}),
        ("12345.6789", {"float"}),
        ("-12345.6789", {"float"}),
        ("true", {"bool"}),
        ("false", {"bool"}),
        ("", {"empty"}),
        ("56a7.dmakfza", set()),
        ("True", set()),
        ("1.2.3", set()),
        ("-", set()),
        (".", set()),
        ("+1", set()),
        ("٣", set()),
    ],
)
def test_what_a_value_can_be_taken_for(text: str, predicates: set[str]) -> None:
    value = IniValue(text)
    assert {name for name in ("int", "uint", "float", "bool", "empty") if getattr(value, f"is_{name}")} == predicates


@pytest.mark.parametrize(
    ("text", "integer", "decimal", "flag"),
    [
        ("12345", 12345, 12345.0, False),
        ("-24 V", -24, -24.0, False),
        ("56a7.d", 56, 56.0, False),
        ("567.89 A", 567, 567.89, False),
        ("true", 0, 0.0, True),
        ("TRUE", 0, 0.0, False),
        ("", 0, 0.0, False),
    ],
)
def test_conversions_take_the_leading_number(text: str, integer: int, decimal: float, flag: bool) -> None:
    value = IniValue(text)
    assert (value.to_int(), value.to_float(), value.to_bool()) == (integer, decimal, flag)


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (False, "false"), (1234567.0, "1.23457e+06"), (0.5, "0.5"), (7, "7"), ("x", "x")],
)
def test_how_values_are_written(value: str | bool | float, text: str) -> None:
    ini = IniFile()
    ini.set("a", "x", value)
    assert ini.get("a", "x") == text


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        ("", "x", "1"),
        ("a", "", "1"),
        ("a", "x=y", "1"),
        ("a", "#x", "1"),
        ("a", "[x", "1"),
        ("a", "x", "1\n2"),
        ("a\r", "x", ""),
    ],
)
def test_what_could_not_be_read_back_is_not_written(path: Path, section: str, name: str, value: str) -> None:
    ini = loaded(path)
    with pytest.raises(ValueError, match=r"name|line end"):
        ini.set(section, name, value)
    assert path.read_text() == SAMPLE


def test_a_crash_before_the_rename_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_arguments: Any) -> None:
        raise KeyboardInterrupt

    ini = loaded(path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            ini.set("Ocpp", "HeartbeatInterval", 99)
    assert path.read_text() == SAMPLE
    assert ini.get("Ocpp", "HeartbeatInterval") == "15"
    assert os.listdir(path.parent) == [path.name]
    ini.set("Ocpp", "HeartbeatInterval", 99)
    assert loaded(path).get("Ocpp", "HeartbeatInterval") == "99"


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_file_and_value(path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def full(*_arguments: Any) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    ini = loaded(path)
    if call == "write":
        monkeypatch.setattr(os, "fdopen", full)
    else:
        monkeypatch.setattr(os, call, full)
    with pytest.raises(ConfigError, match=r"station\.ini.*cannot be written: No space left"):
        ini.set("Ocpp", "HeartbeatInterval", 99)
    monkeypatch.undo()
    assert path.read_text() == SAMPLE
    assert ini.get("Ocpp", "HeartbeatInterval") == "15"
    assert os.listdir(path.parent) == [path.name]


def test_the_file_is_synced_before_and_the_folder_after_the_rename(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    sync, replace = os.fsync, os.replace

    def traced_sync(handle: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        sync(handle)

    def traced_replace(source: str, target: Path) -> None:
        done.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", traced_sync)
    monkeypatch.setattr(os, "replace", traced_replace)
    loaded(path).set("Ocpp", "HeartbeatInterval", 1)
    assert done == ["file", "rename", "folder"]


def test_a_link_stays_a_link_and_access_bits_are_kept(path: Path) -> None:
    path.chmod(0o640)
    link = path.with_name("link.ini")
    link.symlink_to(path)
    loaded(link).set("Ocpp", "HeartbeatInterval", 1)
    assert link.is_symlink()
    assert loaded(path).get("Ocpp", "HeartbeatInterval") == "1"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_access_bits_can_be_narrowed(path: Path) -> None:
    path.chmod(0o644)
    ini = IniFile(mode=0o600)
    ini.load(path)
    ini.set("Ocpp", "AuthorizationKey", "00")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    new = path.with_name("new.ini")
    ini.store(new)
    assert stat.S_IMODE(new.stat().st_mode) == 0o600


def test_the_repr_shows_no_values(path: Path) -> None:
    ini = loaded(path)
    assert "ChargePoint" in repr(ini)
    assert "15" not in repr(ini)


NAMES = st.text(st.characters(exclude_characters="=\r\n", exclude_categories=["Cs"]), min_size=1).filter(
    lambda name: name[0] not in "#[\ufeff"
)
SECTIONS = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), min_size=1)
TEXTS = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))


@given(st.dictionaries(SECTIONS, st.dictionaries(NAMES, TEXTS, min_size=1)))
def test_whatever_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, dict[str, str]]
) -> None:
    ini = IniFile()
    for section, parameters in content.items():
        for name, value in parameters.items():
            ini.set(section, name, value)
    path = tmp_path_factory.getbasetemp() / "any.ini"
    ini.store(path)
    again = IniFile()
    again.load(path)
    read = {
        section: {name: str(again.get(section, name)) for name in again.names(section)} for section in again.sections()
    }
    assert read == content
