"""Settings, files and folders that are no use are named at the start: file, key, and what would be accepted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from openocpp import (
    CentralSystemConfig,
    ConfigError,
    ICentralSystem,
    IChargePoint,
    IniConfig,
    Runtime,
)
from tests.bad_input.sides import (
    Application,
    station,
)
from tests.centralsystem.bench import Events

if TYPE_CHECKING:
    from pathlib import Path

INI = """\
[ChargePoint]
ConnexionUrl=ws://127.0.0.1:8080/ocpp/
ChargePointIdentifier=CP1
CallRequestTimeout=2000
LogMaxEntriesCount=0

[Ocpp]
NumberOfConnectors=1
HeartbeatInterval=60

[CentralSystem]
ListenUrl=ws://127.0.0.1:8080/ocpp/
HttpBasicAuthent=false
"""

SETTINGS = {
    "no section": ("[ChargePoint]\n", "", "line 1", ""),
    "no end of a section": ("[Ocpp]", "[Ocpp", "line 7", ""),
    "no name of a section": ("[Ocpp]", "[]", "line 7", ""),
    "no parameter": ("CallRequestTimeout=2000", "CallRequestTimeout", "line 4", ""),
    "no name": ("CallRequestTimeout=2000", "=2000", "line 4", ""),
    "no UTF-8": ("CP1", "\udcff", "line 3", ""),
    "a number in words": ("=2000", "=soon", "CallRequestTimeout", "whole number"),
    "a unit": ("=2000", "=2s", "CallRequestTimeout", "whole number"),
    "a negative time": ("=2000", "=-2000", "CallRequestTimeout", "whole number"),
    "no time": ("=2000", "=0", "CallRequestTimeout", "above 0"),
    "a number without end": ("=2000", "=" + "9" * 5000, "CallRequestTimeout", "whole number"),
    "an unknown key": ("CallRequestTimeout", "CallRequestTimeOuts", "CallRequestTimeOuts", "did you mean"),
    "no URL": ("ConnexionUrl=ws://127.0.0.1:8080/ocpp/", "ConnexionUrl=here", "ConnexionUrl", "ws://"),
    "a scheme that is none": ("ConnexionUrl=ws:", "ConnexionUrl=http:", "ConnexionUrl", "ws://"),
    "no port": ("ConnexionUrl=ws://127.0.0.1:8080", "ConnexionUrl=ws://127.0.0.1:99999", "ConnexionUrl", "port"),
    "no identity": ("ChargePointIdentifier=CP1", "ChargePointIdentifier=", "ChargePointIdentifier", ""),
    "a key of the standard in words": ("=60", "=often", "HeartbeatInterval", "whole number"),
    "a key of the standard out of range": ("=60", "=-1", "HeartbeatInterval", "0"),
    "an unknown key of the standard": ("HeartbeatInterval", "HartbeatInterval", "HartbeatInterval", "did you mean"),
    "no connectors": ("NumberOfConnectors=1", "NumberOfConnectors=0", "NumberOfConnectors", "1"),
    "no boolean": ("HttpBasicAuthent=false", "HttpBasicAuthent=no", "HttpBasicAuthent", "true or false"),
    "no URL to listen": ("ListenUrl=ws:", "ListenUrl=ftp:", "ListenUrl", "ws"),
}


def create_both(path: Path, runtime: Runtime) -> None:
    config = IniConfig(path)
    IChargePoint.create(config.charge_point, config.ocpp, Application(), runtime)
    ICentralSystem.create(config.central_system, Events(), runtime)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_that_is_no_use_is_named_with_its_file(tmp_path: Path, runtime: Runtime, name: str) -> None:
    old, new, named, accepted = SETTINGS[name]
    assert INI.count(old) >= 1
    path = tmp_path / "station.ini"
    path.write_bytes(INI.replace(old, new, 1).encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError) as caught:
        create_both(path, runtime)
    text = str(caught.value)
    assert str(path) in text
    assert re.search(rf"\b{named}\b", text)
    assert accepted in text
    assert len(text) < 1000


def test_the_settings_are_good_otherwise(tmp_path: Path, runtime: Runtime) -> None:
    path = tmp_path / "station.ini"
    path.write_text(INI, encoding="utf-8")
    create_both(path, runtime)


@pytest.mark.parametrize("damage", ["missing", "no JSON", "no object"])
def test_a_folder_of_schemas_that_is_no_use_is_named(
    tmp_path: Path, runtime: Runtime, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    from openocpp.messages.schema import find_schemas

    for source in find_schemas().glob("*.json"):
        (tmp_path / source.name).write_bytes(source.read_bytes())
    path = tmp_path / "ResetResponse.json"
    if damage == "missing":
        path.unlink()
    else:
        path.write_text({"no JSON": "{", "no object": "[]"}[damage], encoding="utf-8")
    charge_point = station(runtime, 1, json_schemas_path=str(tmp_path))
    central = ICentralSystem.create(
        CentralSystemConfig(listen_url="ws://127.0.0.1:0/", json_schemas_path=str(tmp_path)), Events(), runtime
    )
    assert charge_point.start() is False
    assert central.start() is False
    assert len([record for record in caplog.records if "ResetResponse" in record.getMessage()]) == 2
