"""Every enumeration has the texts of the standard, and members that are named after them."""

from __future__ import annotations

import pytest

from openocpp.types import enums
from openocpp.types.base import OcppEnum
from openocpp.types.record import enum_texts
from tests.messages.wire_tables import ENUMS

OWN = {"FeatureProfile"}  # not of the standard's tables


@pytest.mark.parametrize("name", sorted(ENUMS))
def test_texts_and_names(name: str) -> None:
    enum: type[OcppEnum] = getattr(enums, name)
    assert set(enum_texts(enum)) == set(ENUMS[name])
    for member in enum:
        assert member.name == member.value.replace(".", "").replace("-", "")
        assert enum(member.value) is member


def test_there_are_no_others() -> None:
    declared = {name for name, value in vars(enums).items() if isinstance(value, type) and issubclass(value, OcppEnum)}
    assert declared - {"OcppEnum"} == set(ENUMS) | OWN


@pytest.mark.parametrize(
    ("enum", "order"),
    [
        (
            enums.ChargePointStatus,
            "Available Preparing Charging SuspendedEVSE SuspendedEV Finishing Reserved Unavailable Faulted",
        ),
        (enums.AuthorizationStatus, "Accepted Blocked Expired Invalid ConcurrentTx"),
        (enums.CertificateUseEnumType, "CentralSystemRootCertificate ManufacturerRootCertificate"),
    ],
)
def test_the_order_that_databases_of_the_c_library_hold(enum: type[OcppEnum], order: str) -> None:
    assert [member.value for member in enum] == order.split()


def test_the_two_names_of_the_authorization_status() -> None:
    assert enums.AuthorizationStatusEnumType is enums.AuthorizationStatus


def test_the_profiles_are_named_as_in_the_configuration_key() -> None:
    standard = "Core FirmwareManagement LocalAuthListManagement Reservation SmartCharging RemoteTrigger"
    assert [profile.value for profile in enums.FeatureProfile][:6] == standard.split()
