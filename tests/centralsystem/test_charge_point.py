"""Tests of openocpp.centralsystem.charge_point: the names and parameters of the proxy as they are promised."""

from __future__ import annotations

import pytest

from openocpp import ICentralSystem
from tests.centralsystem.test_interface import parameters

OPERATIONS = {
    "cancel_reservation": "(reservation_id)",
    "change_availability": "(connector_id, availability)",
    "change_configuration": "(key, value)",
    "clear_cache": "()",
    "clear_charging_profile": "(profile_id=None, connector_id=None, purpose=None, stack_level=None)",
    "data_transfer": "(vendor_id, message_id='', data='')",
    "get_composite_schedule": "(connector_id, duration, unit=None)",
    "get_configuration": "(keys=())",
    "get_diagnostics": "(uri, retries=None, retry_interval=None, start=None, stop=None)",
    "get_local_list_version": "()",
    "remote_start_transaction": "(connector_id, id_tag, profile=None)",
    "remote_stop_transaction": "(transaction_id)",
    "reserve_now": "(connector_id, expiry_date, id_tag, parent_id_tag, reservation_id)",
    "reset": "(type)",
    "send_local_list": "(version, authorization_list, update_type)",
    "set_charging_profile": "(connector_id, profile)",
    "trigger_message": "(message, connector_id=None)",
    "unlock_connector": "(connector_id)",
    "update_firmware": "(uri, retries, retrieve_date, retry_interval=None)",
    "certificate_signed": "(certificate_chain)",
    "delete_certificate": "(certificate)",
    "extended_trigger_message": "(message, connector_id=None)",
    "get_installed_certificate_ids": "(type)",
    "get_log": "(type, request_id, uri, retries=None, retry_interval=None, start=None, stop=None)",
    "install_certificate": "(type, certificate)",
    "signed_update_firmware": (
        "(request_id, uri, retries, retrieve_date, retry_interval, install_date, signing_certificate, signature)"
    ),
    "iso15118_certificate_signed": "(certificate_chain)",
    "iso15118_delete_certificate": "(certificate)",
    "iso15118_get_installed_certificate_ids": "(types=())",
    "iso15118_install_certificate": "(type, certificate)",
    "iso15118_trigger_sign_certificate": "()",
}
MANAGEMENT = {
    "set_timeout": "(timeout)",
    "set_validation": "(mode, action='*')",
    "disconnect": "()",
    "register_handler": "(handler)",
    "call": "(request, timeout=None, *, force=False)",
}
PROPERTIES = {
    "central_system", "ip_address", "identifier", "is_connected", "client_certificate", "connected_since",
    "last_message_at", "registration_status",
}  # fmt: skip


@pytest.mark.parametrize(("name", "expected"), [*OPERATIONS.items(), *MANAGEMENT.items()])
def test_parameters(name: str, expected: str) -> None:
    assert parameters(getattr(ICentralSystem.IChargePoint, name)) == expected


def test_there_is_nothing_else() -> None:
    assert ICentralSystem.IChargePoint.__abstractmethods__ == {*OPERATIONS, *MANAGEMENT, *PROPERTIES}
    for name in PROPERTIES:
        assert isinstance(getattr(ICentralSystem.IChargePoint, name), property)
