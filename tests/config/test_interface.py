"""The protocols say the same as the dataclasses: the same attributes, of the same types."""

from __future__ import annotations

import typing
from typing import Any

import pytest

from openocpp.config.interface import ICentralSystemConfig, IChargePointConfig, ICommonConfig, ILocalControllerConfig
from openocpp.config.setting import settings_of
from openocpp.config.stack import CentralSystemConfig, ChargePointConfig, CommonConfig, LocalControllerConfig


def declared(protocol: type) -> dict[str, Any]:
    """The properties of a protocol and those above it, with their types."""
    return {
        name: typing.get_type_hints(member.fget)["return"]
        for level in protocol.__mro__
        for name, member in vars(level).items()
        if isinstance(member, property)
    }


@pytest.mark.parametrize(
    ("protocol", "config_type"),
    [
        (ICommonConfig, CommonConfig),
        (IChargePointConfig, ChargePointConfig),
        (ICentralSystemConfig, CentralSystemConfig),
        (ILocalControllerConfig, LocalControllerConfig),
    ],
)
def test_a_protocol_has_what_every_object_must_have(protocol: type, config_type: type) -> None:
    needed = {setting.attribute for setting in settings_of(config_type).values() if not setting.optional}
    annotations = {"str": str, "float": float, "int": int, "bool": bool}
    types = {
        name: text
        for level in config_type.__mro__[::-1]
        for name, text in vars(level).get("__annotations__", {}).items()
    }
    assert declared(protocol) == {name: annotations[types[name]] for name in needed}


def test_the_dataclasses_meet_the_protocols() -> None:
    """mypy reads this; the values are what it lets through."""
    charge_point: IChargePointConfig = ChargePointConfig(connexion_url="ws://host", charge_point_identifier="CP")
    central_system: ICentralSystemConfig = CentralSystemConfig(listen_url="ws://*")
    local_controller: ILocalControllerConfig = LocalControllerConfig(listen_url="ws://*")
    also_central_system: ICentralSystemConfig = local_controller
    assert charge_point.charge_point_identifier == "CP"
    assert central_system.listen_url == also_central_system.listen_url
