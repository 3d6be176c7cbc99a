"""The page ``docs/configuration.rst``, written from the declarations: every setting, every configuration key.

Threads: any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openocpp.config.keys import GROUPS
from openocpp.config.setting import settings_of
from openocpp.config.stack import CentralSystemConfig, ChargePointConfig, CommonConfig, LocalControllerConfig

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from openocpp.config.key import Key
    from openocpp.config.setting import Setting

INTRODUCTION = """\
.. Written by `make docs` from the declarations in openocpp/config: change those.

Configuration
=============

Two kinds of settings: those of the **stack**, which the application gives when it creates a role, and the
**configuration keys** of the standard, which the central system can read and change.

The stack's settings are attributes of any object: the ready frozen dataclasses ``ChargePointConfig``,
``CentralSystemConfig`` and ``LocalControllerConfig``, the sections of an INI file (``IniConfig``), or an object of
your own that meets ``IChargePointConfig`` and its kin. They are read at each use, so that a changed value works at
its next use. The attribute is the key in snake_case (``ConnexionUrl``: ``connexion_url``). Durations are seconds in
Python, and what the column *INI* says in a file. An object of your own may lack the settings marked with \\*: then
they have their defaults.

The configuration keys are the application's to keep: write the two methods of ``IOcppConfig``, or take
``IniConfig(path).ocpp`` (kept in the file, changes written back at once) or ``MemoryOcppConfig(values)``. Each key
is also a typed property of the configuration (``config.heartbeat_interval``).

INI files
---------

::

    # a comment, at the start of a line only
    [ChargePoint]
    DatabasePath=./station.db
    ConnexionUrl=wss://central.example.com/ocpp/
    ChargePointIdentifier=CP-0001

    [Ocpp]
    NumberOfConnectors=2
    HeartbeatInterval=300

Nothing is trimmed, quoted or interpolated: what stands after the first ``=`` is the value. Paths are relative to
the file's folder. An unknown name or an unusable value is an error that names file, key and what is accepted; a
missing name has its default. The file is written anew when the central system changes a key: atomically, with order
and comments kept, readable by its owner only.

A key of your own in ``[Ocpp]`` must be declared, so that a misspelt key of the standard is still an error:
``IniConfig(path, vendor_keys=[vendor_key("Acme.Mode", "eco", kind=one_of("eco", "fast"))])``. With a section
``[ChargePoint]`` the central system also sees its ConnexionUrl, ChargePointIdentifier (both can be changed,
answered RebootRequired) and FirmwareVersion (read-only).
"""

KEYS_INTRODUCTION = """\
Configuration keys
------------------

Names have no case. A key that is not there has the default below as far as the stack is concerned. The ready
configurations have every key that they were given, and those marked *required* if SupportedFeatureProfiles names
their profile; to leave out an optional key is to say that the charge point does not have the function. *Access*: R
= read-only, RW = can be changed, W = can be changed, but its value is never told. *Acts*: who acts on the value,
the stack or the application.
"""


def configuration_page() -> str:
    """The whole page, in reStructuredText."""
    common = settings_of(CommonConfig)
    central_system = settings_of(CentralSystemConfig)
    parts = [
        INTRODUCTION,
        _settings("All roles", common.values()),
        _settings("Charge point: [ChargePoint]", _without(settings_of(ChargePointConfig), common)),
        _settings("Central system: [CentralSystem]", _without(central_system, common)),
        _settings("Local controller: [LocalController]", _without(settings_of(LocalControllerConfig), central_system)),
        "In addition all settings of a central system.\n",
        KEYS_INTRODUCTION,
    ]
    parts += [_keys(f"{keys[0].profile}", keys) for keys in (group.keys_of_group() for group in GROUPS)]
    return "\n".join(parts)


def _without(settings: Mapping[str, Setting], base: Mapping[str, Setting]) -> list[Setting]:
    """The settings that a role adds to those of another, or has with another default."""
    return [setting for key, setting in settings.items() if key not in base or setting.default != base[key].default]


def _settings(title: str, settings: Iterable[Setting]) -> str:
    rows = [
        (
            f"{setting.key} \\*" if setting.optional else setting.key,
            _literal(setting.kind.accepted),
            setting.kind.ini_unit,
            _default(setting),
            _literal(setting.meaning),
        )
        for setting in settings
    ]
    return _table(title, ("Key", "Accepted", "INI", "Default", "Meaning"), (20, 25, 5, 10, 40), rows)


def _default(setting: Setting) -> str:
    if setting.required:
        return "needed"
    value = setting.default
    if setting.kind.name == "validation":
        return "``*:strict``"
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value == "" else f"{value:g}" if isinstance(value, float) else str(value)


def _keys(title: str, keys: Sequence[Key[Any]]) -> str:
    rows = [
        (
            key.name,
            _literal(key.accepted),
            f"{key.access}{', reboot' if key.reboot else ''}{', required' if key.required else ''}",
            key.default.replace(",", ", "),
            "both" if key.owner == "both" else key.owner.value,
            _literal(f"{key.meaning} ({key.section})"),
        )
        for key in keys
    ]
    return _table(
        title, ("Key", "Accepted", "Access", "Default", "Acts", "Meaning"), (20, 22, 10, 14, 8, 26), rows, mark="~"
    )


def _literal(text: str) -> str:
    """A text in which ``*`` and ``_`` are just that."""
    return text.replace("*", "\\*").replace("_", "\\_").replace("|", "\\|")


def _table(
    title: str, head: Sequence[str], widths: Sequence[int], rows: Iterable[Sequence[str]], mark: str = "-"
) -> str:
    lines = [
        title,
        mark * len(title),
        "",
        ".. list-table::",
        "   :header-rows: 1",
        f"   :widths: {' '.join(map(str, widths))}",
        "",
    ]
    for row in (head, *rows):
        lines += [f"   {'*' if place == 0 else ' '} - {cell}".rstrip() for place, cell in enumerate(row)]
    return "\n".join(lines) + "\n"
