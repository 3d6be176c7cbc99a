"""Fields that break the standard: the error code and the name of the field, to both roles."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest

from tests.bad_input.sides import (
    FORMATION,
    NOT_SUPPORTED,
    NOW,
    OCCURENCE,
    PROPERTY,
    TYPE,
    Central,
    Peer,
    Station,
)


class Bad(NamedTuple):
    """A payload, the code that it deserves, and the field that the description must name."""

    action: str
    payload: dict[str, Any] | str  # as text: what json.dumps would not write
    code: str
    field: str


BOOT = {"chargePointVendor": "V", "chargePointModel": "M"}
START = {"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": NOW}
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
SAMPLE = {"value": "1"}
METER = {"connectorId": 1, "meterValue": [{"timestamp": NOW, "sampledValue": [SAMPLE]}]}


def metering(**sample: Any) -> dict[str, Any]:
    return METER | {"meterValue": [{"timestamp": NOW, "sampledValue": [SAMPLE, SAMPLE | sample]}]}


def replaced(payload: dict[str, Any], name: str, json_text: str) -> str:
    """The payload with a member that stands there as this text."""
    return json.dumps(payload | {name: "@"}).replace('"@"', json_text)


def without(payload: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in payload.items() if key != name}


TO_CENTRAL_SYSTEM = {
    "a request of its own": Bad("Reset", {"type": "Soft"}, NOT_SUPPORTED, "Reset"),
    "a request of its own, broken": Bad("Reset", {}, NOT_SUPPORTED, "Reset"),
    "extra field": Bad("Heartbeat", {"extra": 1}, FORMATION, "extra"),
    "extra field, null": Bad("Heartbeat", {"extra": None}, FORMATION, "extra"),
    "extra field beside others": Bad("StartTransaction", START | {"extra": {}}, FORMATION, "extra"),
    "extra field, nested": Bad("MeterValues", metering(extra="x"), FORMATION, "meterValue[0].sampledValue[1].extra"),
    "field in another case": Bad("Authorize", {"idTag": "A", "IdTag": "A"}, FORMATION, "IdTag"),
    "field missing": Bad("Authorize", {}, OCCURENCE, "idTag"),
    "one field of many missing": Bad("StartTransaction", without(START, "meterStart"), OCCURENCE, "meterStart"),
    "field missing, nested": Bad(
        "MeterValues", METER | {"meterValue": [{"timestamp": NOW}]}, OCCURENCE, "meterValue[0].sampledValue"
    ),
    "empty array": Bad("MeterValues", METER | {"meterValue": []}, OCCURENCE, "meterValue"),
    "empty array, nested": Bad(
        "MeterValues", METER | {"meterValue": [{"timestamp": NOW, "sampledValue": []}]}, OCCURENCE, "sampledValue"
    ),
    "number for a text": Bad("Authorize", {"idTag": 5}, TYPE, "idTag"),
    "null for a text": Bad("Authorize", {"idTag": None}, TYPE, "idTag"),
    "object for a text": Bad("Authorize", {"idTag": {}}, TYPE, "idTag"),
    "array for a text": Bad("Authorize", {"idTag": ["A"]}, TYPE, "idTag"),
    "boolean for a text": Bad("Authorize", {"idTag": True}, TYPE, "idTag"),
    "text for an integer": Bad("StartTransaction", START | {"meterStart": "0"}, TYPE, "meterStart"),
    "boolean for an integer": Bad("StartTransaction", START | {"meterStart": False}, TYPE, "meterStart"),
    "a fraction for an integer": Bad("StartTransaction", START | {"meterStart": 1.5}, TYPE, "meterStart"),
    "null for an integer": Bad("StartTransaction", START | {"reservationId": None}, TYPE, "reservationId"),
    "number for a date": Bad("StartTransaction", START | {"timestamp": 1710072000}, TYPE, "timestamp"),
    "number for an enumeration": Bad("StatusNotification", STATUS | {"status": 1}, TYPE, "status"),
    "object for an array": Bad("MeterValues", METER | {"meterValue": {}}, TYPE, "meterValue"),
    "text for an object": Bad("MeterValues", METER | {"meterValue": ["x"]}, TYPE, "meterValue[0]"),
    "null for an object": Bad("MeterValues", METER | {"meterValue": [None]}, TYPE, "meterValue[0]"),
    "number for the text of a value": Bad("MeterValues", metering(value=230.1), TYPE, "sampledValue[1].value"),
    "2^31 in an integer": Bad("StartTransaction", START | {"meterStart": 2**31}, PROPERTY, "meterStart"),
    "2^40 in an integer": Bad("StartTransaction", START | {"meterStart": 2**40}, PROPERTY, "meterStart"),
    "-2^40 in an integer": Bad("StartTransaction", START | {"meterStart": -(2**40)}, PROPERTY, "meterStart"),
    "2^70 in an integer": Bad("StartTransaction", START | {"meterStart": 2**70}, PROPERTY, "meterStart"),
    "1e30 in an integer": Bad("StartTransaction", replaced(START, "meterStart", "1e30"), PROPERTY, "meterStart"),
    "2^40 as a fraction": Bad("StartTransaction", replaced(START, "meterStart", f"{2**40}.0"), PROPERTY, "meterStart"),
    "negative connector": Bad("StartTransaction", START | {"connectorId": -1}, PROPERTY, "connectorId"),
    "NaN in an integer": Bad("StartTransaction", replaced(START, "meterStart", "NaN"), FORMATION, "NaN"),
    "Infinity in an integer": Bad("StartTransaction", replaced(START, "meterStart", "Infinity"), FORMATION, "Infinity"),
    "out of the enumeration": Bad("StatusNotification", STATUS | {"status": "Broken"}, PROPERTY, "status"),
    "enumeration in another case": Bad("StatusNotification", STATUS | {"status": "available"}, PROPERTY, "status"),
    "empty text for an enumeration": Bad("StatusNotification", STATUS | {"errorCode": ""}, PROPERTY, "errorCode"),
    "out of the enumeration, nested": Bad("MeterValues", metering(unit="Furlong"), PROPERTY, "sampledValue[1].unit"),
    "21 characters": Bad("Authorize", {"idTag": "x" * 21}, PROPERTY, "idTag"),
    "21 characters of more bytes": Bad("Authorize", {"idTag": "é" * 21}, PROPERTY, "idTag"),
    "10000 characters": Bad("BootNotification", BOOT | {"iccid": "x" * 10_000}, PROPERTY, "iccid"),
    "a date in words": Bad("StartTransaction", START | {"timestamp": "yesterday"}, PROPERTY, "timestamp"),
    "an empty date": Bad("StartTransaction", START | {"timestamp": ""}, PROPERTY, "timestamp"),
    "a date without time": Bad("StartTransaction", START | {"timestamp": "2024-03-10"}, PROPERTY, "timestamp"),
    "no such day": Bad("StartTransaction", START | {"timestamp": "2024-02-30T00:00:00Z"}, PROPERTY, "timestamp"),
    "no such month": Bad("StartTransaction", START | {"timestamp": "2024-13-01T00:00:00Z"}, PROPERTY, "timestamp"),
    "no such hour": Bad("StartTransaction", START | {"timestamp": "2024-03-10T25:00:00Z"}, PROPERTY, "timestamp"),
    "no such zone": Bad("StartTransaction", START | {"timestamp": "2024-03-10T12:00:00+99:00"}, PROPERTY, "timestamp"),
    "a date of 10000 characters": Bad(
        "StartTransaction", START | {"timestamp": "2024-03-10T12:00:00." + "0" * 10_000 + "x"}, PROPERTY, "timestamp"
    ),
}

PROFILE = {
    "chargingProfileId": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}]},
}
RESERVE = {"connectorId": 1, "expiryDate": NOW, "idTag": "TAG", "reservationId": 1}


def profile(limit: str = "16", **schedule: Any) -> str:
    """SetChargingProfile; ``limit`` stands there as it is."""
    changed = PROFILE | {"chargingSchedule": PROFILE["chargingSchedule"] | schedule}  # type: ignore[operator]
    return json.dumps({"connectorId": 1, "csChargingProfiles": changed}).replace('"limit": 16', f'"limit": {limit}')


LIMIT_FIELD = "csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit"

TO_CHARGE_POINT = {
    "a request of its own": Bad("Authorize", {"idTag": "A"}, NOT_SUPPORTED, "Authorize"),
    "extra field": Bad("Reset", {"type": "Soft", "extra": 1}, FORMATION, "extra"),
    "extra field, nested": Bad("SetChargingProfile", profile(extra=1), FORMATION, "chargingSchedule.extra"),
    "field missing": Bad("Reset", {}, OCCURENCE, "type"),
    "one field of many missing": Bad("ReserveNow", without(RESERVE, "idTag"), OCCURENCE, "idTag"),
    "empty array": Bad("SetChargingProfile", profile(chargingSchedulePeriod=[]), OCCURENCE, "chargingSchedulePeriod"),
    "number for a text": Bad("ChangeConfiguration", {"key": "HeartbeatInterval", "value": 5}, TYPE, "value"),
    "text for an integer": Bad("UnlockConnector", {"connectorId": "1"}, TYPE, "connectorId"),
    "boolean for an integer": Bad("UnlockConnector", {"connectorId": True}, TYPE, "connectorId"),
    "text for an array": Bad("GetConfiguration", {"key": "HeartbeatInterval"}, TYPE, "key"),
    "number in an array of texts": Bad("GetConfiguration", {"key": [5]}, TYPE, "key[0]"),
    "text for a decimal": Bad("SetChargingProfile", profile('"16"'), TYPE, LIMIT_FIELD),
    "2^31 in an integer": Bad("RemoteStopTransaction", {"transactionId": 2**31}, PROPERTY, "transactionId"),
    "2^40 in an integer": Bad("RemoteStopTransaction", {"transactionId": 2**40}, PROPERTY, "transactionId"),
    "NaN in a decimal": Bad("SetChargingProfile", profile("NaN"), FORMATION, "NaN"),
    "1e400 in a decimal": Bad("SetChargingProfile", profile("1e400"), FORMATION, "number"),
    "two decimals": Bad("SetChargingProfile", profile("8.15"), PROPERTY, LIMIT_FIELD),
    "0.05": Bad("SetChargingProfile", profile("0.05"), PROPERTY, LIMIT_FIELD),
    "out of the enumeration": Bad("Reset", {"type": "Medium"}, PROPERTY, "type"),
    "51 characters": Bad("ChangeConfiguration", {"key": "x" * 51, "value": ""}, PROPERTY, "key"),
    "501 characters": Bad("ChangeConfiguration", {"key": "A", "value": "x" * 501}, PROPERTY, "value"),
    "a date in words": Bad("ReserveNow", RESERVE | {"expiryDate": "tomorrow"}, PROPERTY, "expiryDate"),
    "no such day": Bad("ReserveNow", RESERVE | {"expiryDate": "2023-02-29T00:00:00Z"}, PROPERTY, "expiryDate"),
    "no URI": Bad("GetDiagnostics", {"location": "not a place"}, PROPERTY, "location"),
    "no such connector": Bad("ChangeAvailability", {"connectorId": 9, "type": "Operative"}, PROPERTY, "connectorId"),
    "negative connector": Bad("ChangeAvailability", {"connectorId": -1, "type": "Operative"}, PROPERTY, "connectorId"),
}


def check(peer: Peer, bad: Bad) -> None:
    payload = bad.payload if isinstance(bad.payload, str) else json.dumps(bad.payload)
    peer.text(f'[2,"1","{bad.action}",{payload}]')
    kind, unique_id, code, description, details = peer.next_answer()
    assert (kind, unique_id, code) == (4, "1", bad.code), description
    assert bad.field in description
    assert len(description) <= 255
    assert details == {}
    assert peer.is_alive()


@pytest.mark.parametrize("name", TO_CENTRAL_SYSTEM)
def test_a_field_that_breaks_the_standard_to_the_central_system(central: Central, name: str) -> None:
    check(central.connected(), TO_CENTRAL_SYSTEM[name])
    assert [name for name, *_ in central.events.handlers[0].calls if name != "heartbeat"] == []


@pytest.mark.parametrize("name", TO_CHARGE_POINT)
def test_a_field_that_breaks_the_standard_to_the_charge_point(our_station: Station, name: str) -> None:
    check(our_station.registered(), TO_CHARGE_POINT[name])


GOOD = {
    "1.0 is an integer": ("StartTransaction", replaced(START, "meterStart", "1.0")),
    "1e2 is an integer": ("StartTransaction", replaced(START, "meterStart", "1e2")),
    "the largest integer": ("StartTransaction", json.dumps(START | {"meterStart": 2**31 - 1})),
    "20 characters of more bytes": ("Authorize", json.dumps({"idTag": "é" * 20}, ensure_ascii=False)),
    "20 characters beyond 16 bits": ("Authorize", json.dumps({"idTag": "😀" * 20})),
    "a date with an offset": ("StartTransaction", json.dumps(START | {"timestamp": "2024-03-10T14:00:00+02:00"})),
    "a date with a fraction": ("StartTransaction", json.dumps(START | {"timestamp": "2024-03-10T12:00:00.1234567Z"})),
    "a date without a zone": ("StartTransaction", json.dumps(START | {"timestamp": "2024-03-10T12:00:00"})),
    "a leap second": ("StartTransaction", json.dumps(START | {"timestamp": "2016-12-31T23:59:60Z"})),
    "the known misspelling of a unit": ("MeterValues", json.dumps(metering(unit="Celcius"))),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_is_odd_but_right_is_taken(central: Central, name: str) -> None:
    action, payload = GOOD[name]
    peer = central.connected()
    peer.text(f'[2,"1","{action}",{payload}]')
    assert peer.next_answer()[:2] == [3, "1"]
    assert len(central.events.handlers[0].calls) == 2  # with the heartbeat before it
