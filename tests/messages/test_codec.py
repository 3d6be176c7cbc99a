"""Reading and writing every message, field by field, as the standard's tables say."""

from __future__ import annotations

import copy
import json
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openocpp.errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from openocpp.messages import (
    AuthorizeReq,
    BootNotificationConf,
    ChangeConfigurationReq,
    ExtendedTriggerMessageReq,
    GetCompositeScheduleConf,
    GetConfigurationReq,
    GetDiagnosticsReq,
    GetLogReq,
    HeartbeatConf,
    HeartbeatReq,
    Iso15118AuthorizeReq,
    Iso15118Get15118EVCertificateConf,
    Iso15118GetInstalledCertificateIdsConf,
    MeterValuesReq,
    RemoteStartTransactionReq,
    SetChargingProfileReq,
    StartTransactionReq,
    StatusNotificationReq,
    StopTransactionReq,
    TriggerMessageReq,
    UnlockConnectorReq,
)
from openocpp.messages.codec import Reading, default_reading, from_payload, to_payload
from openocpp.testing.instances import random_instance
from openocpp.types import (
    ChargingRateUnitType,
    ChargingSchedule,
    ChargingSchedulePeriod,
    GetCompositeScheduleStatus,
    LogEnumType,
    LogParametersType,
    Measurand,
    MessageTrigger,
    MeterValue,
    Reason,
    SampledValue,
    UnitOfMeasure,
)
from openocpp.types.record import Record, dataclass, fields_of
from tests.messages.wire_tables import (
    CALLS,
    ENUMS,
    FIELDS,
    FROM_ZERO,
    MESSAGES,
    OPEN,
    SENT_EMPTY,
    Row,
    concrete,
    objects,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Formation = ErrorCode.FormationViolation
Occurence = ErrorCode.OccurenceConstraintViolation
Property = ErrorCode.PropertyConstraintViolation
Type = ErrorCode.TypeConstraintViolation

WRONG_TYPES: dict[str, list[Any]] = {
    "string": [1, 1.5, True, {}, []],
    "integer": ["1", 1.5, True, False, {}, []],
    "number": ["1.0", True, {}, []],
    "boolean": ["true", 0, 1, {}, []],
    "object": ["x", 1, True, []],
}


@pytest.fixture(name="rng")
def seeded() -> random.Random:
    return random.Random(16)


def maximal(cls: type[Record], rng: random.Random) -> dict[str, Any]:
    return to_payload(random_instance(cls, rng, maximal=True))


def refused(cls: type[Record], payload: Any, code: ErrorCode, field: str) -> str:
    """The message is refused for this field; returns the error text."""
    with pytest.raises(RemoteProtocolError) as caught:
        from_payload(cls, payload)
    assert (caught.value.code, caught.value.field) == (code, field), caught.value
    return str(caught.value)


def changed(payload: dict[str, Any], row: Row, change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """A copy in which the first object with the field is changed."""
    payload = copy.deepcopy(payload)
    change(objects(payload, row.path)[0])
    return payload


def replaced(payload: dict[str, Any], row: Row, value: Any) -> dict[str, Any]:
    """A copy in which the field, or the first item of it, has another value."""

    def change(parent: dict[str, Any]) -> None:
        if row.many and not isinstance(value, Whole):
            parent[row.name][0] = value
        else:
            parent[row.name] = value.value if isinstance(value, Whole) else value

    return changed(payload, row, change)


class Whole:
    """A value for the whole field, not for an item of it."""

    def __init__(self, value: Any) -> None:
        self.value = value


def at(row: Row) -> str:
    """The path of the field, or of its first item, as errors show it."""
    return concrete(row.path) + ("[0]" if row.many else "")


def messages(wanted: Callable[[str, Row], bool] | None = None) -> pytest.MarkDecorator:
    """Run a test for every message, or for those with a field that is wanted: it gets just these fields."""
    cases = []
    for name, (_, cls) in MESSAGES.items():
        rows = [row for row in FIELDS[name] if wanted is None or wanted(name, row)]
        if rows or wanted is None:
            cases.append(pytest.param(name, cls, rows, id=name))
    return pytest.mark.parametrize(("name", "cls", "rows"), cases)


# --- every message --------------------------------------------------------------------------------------------------


@messages()
def test_minimal_and_maximal_messages_survive_a_round_trip(
    name: str, cls: type[Record], rows: list[Row], rng: random.Random
) -> None:
    for minimal in (True, False):
        message = random_instance(cls, rng, minimal=minimal, maximal=not minimal)
        payload = json.loads(json.dumps(to_payload(message)))
        assert from_payload(cls, payload) == message
        assert from_payload(cls, payload, Reading.RELAXED) == message
        optional = {row.path for row in rows if not row.required}
        present = {row.path for row in rows if any(row.name in parent for parent in objects(payload, row.path))}
        assert present == {row.path for row in rows if not minimal or not _below(row.path, optional)}


def _below(path: str, paths: set[str]) -> bool:
    """Is this one of the paths, or inside of one?"""
    return any(path == each or path.startswith((each + ".", each + "[].")) for each in paths)


@messages(lambda name, row: row.required and (name, row.path) not in SENT_EMPTY)
def test_a_missing_required_field_is_an_occurence_violation(
    name: str, cls: type[Record], rows: list[Row], rng: random.Random
) -> None:
    payload = maximal(cls, rng)
    for row in rows:
        bad = changed(payload, row, lambda parent, row=row: parent.pop(row.name))  # type: ignore[misc]
        assert refused(cls, bad, Occurence, concrete(row.path)).endswith("is missing")


@messages()
def test_an_unknown_field_is_a_formation_violation(
    name: str, cls: type[Record], rows: list[Row], rng: random.Random
) -> None:
    payload = maximal(cls, rng)
    levels = {row.parent: row for row in rows}
    if not rows:
        levels[""] = Row(name, "nothing", "text", False, None, "", "", None, None, 0, None)
    for parent, row in levels.items():
        bad = changed(payload, row, lambda each: each.update(unheardOf="secret"))
        if name in CALLS:
            text = refused(cls, bad, Formation, concrete(f"{parent}.unheardOf" if parent else "unheardOf"))
            assert "secret" not in text
        else:
            assert to_payload(from_payload(cls, bad)) == payload  # PNC: ignored


@messages(lambda _, __: True)
def test_a_wrong_type_is_a_type_violation(name: str, cls: type[Record], rows: list[Row], rng: random.Random) -> None:
    payload = maximal(cls, rng)
    for row in rows:
        values = WRONG_TYPES[row.json_type] + ([None] if row.required or row.many else [])
        for value in values:
            if value is None and (name, row.path) in SENT_EMPTY:
                continue
            refused(cls, replaced(payload, row, value), Type, at(row))
        if row.many:
            for value in ("x", {}, 1):
                refused(cls, replaced(payload, row, Whole(value)), Type, concrete(row.path))


@messages(lambda _, row: not row.required)
def test_null_in_place_of_an_optional_field(name: str, cls: type[Record], rows: list[Row], rng: random.Random) -> None:
    payload = maximal(cls, rng)
    for row in rows:
        bad = replaced(payload, row, Whole(None))
        if name in CALLS:
            refused(cls, bad, Type, concrete(row.path))
        else:  # as if it were absent
            absent = changed(payload, row, lambda parent, row=row: parent.pop(row.name))  # type: ignore[misc]
            assert from_payload(cls, bad) == from_payload(cls, absent)


@messages(lambda _, row: row.max is not None)
def test_texts_are_counted_in_characters(name: str, cls: type[Record], rows: list[Row], rng: random.Random) -> None:
    payload = maximal(cls, rng)
    for row in rows:
        assert row.max is not None
        letter = "x" if row.form == "uri-text" else "\U0001f50c"  # four bytes in UTF-8, two units in UTF-16
        start = "ftp://h/" if row.form == "uri-text" else ""
        longest = start + letter * (row.max - len(start))
        good = replaced(payload, row, longest)
        assert to_payload(from_payload(cls, good)) == good
        text = refused(cls, replaced(payload, row, longest + letter), Property, at(row))
        assert letter * 3 not in text


@messages(lambda _, row: bool(row.enum))
def test_every_value_of_an_enumeration_and_no_other(
    name: str, cls: type[Record], rows: list[Row], rng: random.Random
) -> None:
    payload = maximal(cls, rng)
    for row in rows:
        for value in ENUMS[row.enum]:
            good = replaced(payload, row, value)
            again = to_payload(from_payload(cls, good))
            assert again == (replaced(payload, row, "Celsius") if value == "Celcius" else good)
        for value in ("", "unheardOf", ENUMS[row.enum][0].swapcase()):
            bad = replaced(payload, row, value)
            if (name, row.path) in OPEN:
                assert from_payload(cls, bad).requested_message == value  # type: ignore[attr-defined]
            else:
                refused(cls, bad, Property, at(row))


@messages(lambda _, row: row.json_type == "integer")
def test_integers(name: str, cls: type[Record], rows: list[Row], rng: random.Random) -> None:
    payload = maximal(cls, rng)
    for row in rows:
        least = 0 if (name, row.path) in FROM_ZERO else -(2**31) if row.least is None else row.least
        most = 2**31 - 1 if row.most is None else row.most
        for limit in (least, most):
            good = replaced(payload, row, limit)
            assert from_payload(cls, good) == from_payload(cls, replaced(payload, row, float(limit)))
        beyond: list[int | float] = [least - 1, most + 1, 2**31, -(2**31) - 1, 2**40, 1e300, float(2**31)]
        for value in beyond:
            refused(cls, replaced(payload, row, value), Property, at(row))


@messages(lambda _, row: row.form == "one-decimal")
def test_numbers_have_one_decimal(name: str, cls: type[Record], rows: list[Row], rng: random.Random) -> None:
    payload = maximal(cls, rng)
    for row in rows:
        for value in (0.1, 0.3, 0.9, 1.3, 8.1, 16.7, 21.4, 32.4, 100.1, 6, 0, -0.3, 1e12 + 0.5, 10**15):
            good = replaced(payload, row, value)
            assert to_payload(from_payload(cls, good)) == good
        for value in (8.15, 0.05, 0.30000000000000004, float("nan"), float("inf"), -float("inf"), 10**400):
            refused(cls, replaced(payload, row, value), Property, at(row))


@messages(lambda _, row: row.form == "date-time")
def test_dates(name: str, cls: type[Record], rows: list[Row], rng: random.Random) -> None:
    payload = maximal(cls, rng)
    for row in rows:
        for value in ("2024-01-02T03:04:05.123Z", "2024-01-02T05:04:05+02:00", "2024-01-02T03:04:05"):
            again = to_payload(from_payload(cls, replaced(payload, row, value)))
            assert again == replaced(payload, row, "2024-01-02T03:04:05Z")
        for value in ("2024-01-02", "hello", "", "2024-13-02T03:04:05Z"):
            refused(cls, replaced(payload, row, value), Property, at(row))


@messages(lambda _, row: row.form in ("uri", "uri-text"))
def test_uris(name: str, cls: type[Record], rows: list[Row], rng: random.Random) -> None:
    payload = maximal(cls, rng)
    for row in rows:
        for value in (
            "ftp://u:p@Host.Example:21/a b".replace(" ", "%20"),
            "HTTPS://[2001:db8::1]/x?y=1#z",
            "file:///x",
        ):
            good = replaced(payload, row, value)
            assert to_payload(from_payload(cls, good)) == good
        for value in ("/local/path", "ftp://u:secret@host/with blank", ""):
            assert "secret" not in refused(cls, replaced(payload, row, value), Property, at(row))


@messages(lambda _, row: row.many)
def test_numbers_of_items(name: str, cls: type[Record], rows: list[Row], rng: random.Random) -> None:
    payload = maximal(cls, rng)
    for row in rows:
        empty = replaced(payload, row, Whole([]))
        if row.min_items:
            refused(cls, empty, Occurence, concrete(row.path))
        else:
            assert row.name not in objects(to_payload(from_payload(cls, empty)), row.path)[0]
        if row.max_items:
            item = objects(payload, row.path)[0][row.name][0]
            full = replaced(payload, row, Whole([item] * row.max_items))
            assert to_payload(from_payload(cls, full)) == full
            refused(cls, replaced(payload, row, Whole([item] * (row.max_items + 1))), Occurence, concrete(row.path))


def _unsendable(row: Row) -> Iterator[Any]:
    if row.required:
        yield Whole(None)
    if row.max is not None:
        yield "x" * (row.max + 1)
    if row.min_items:
        yield Whole(())
    if row.enum:
        yield from ("unheardOf", "", "Celcius.", 1)
    elif row.form == "date-time":
        yield from (datetime(2024, 1, 1), "2024-01-01T00:00:00Z")
    elif row.form in ("uri", "uri-text"):
        yield from ("/local/path", 1)
    elif row.json_type == "string":
        yield from (1, b"x", "\ud800")
    elif row.json_type == "integer":
        yield from (2**31 if row.most is None else row.most + 1, -(2**31) - 1 if row.least is None else row.least - 1)
        yield from (1.0, True, "1")
    elif row.json_type == "number":
        yield from (8.15, float("nan"), float("inf"), True, "1.0")
    elif row.json_type == "boolean":
        yield from (0, "true")
    else:
        yield from ("x", HeartbeatReq())


@messages(lambda _, row: any(True for _ in _unsendable(row)))
def test_what_breaks_the_standard_is_not_written(
    name: str, cls: type[Record], rows: list[Row], rng: random.Random
) -> None:
    """Each bad value is put into a good message from behind, so that only the writer can notice."""
    for row in rows:
        for value in _unsendable(row):
            message = random_instance(cls, rng, maximal=True)
            _put(message, row, value)
            with pytest.raises(LocalProtocolError) as caught:
                to_payload(message)
            assert isinstance(caught.value, ValueError)
            assert caught.value.field == (concrete(row.path) if isinstance(value, Whole) else at(row)), (row, value)


def _put(message: Any, row: Row, value: Any) -> None:
    """Set a field of a message, or of the first item of it, past its immutability."""
    steps = row.path.split(".")
    for step in steps[:-1]:
        by_wire = {field.wire: field.name for field in fields_of(type(message))}
        message = getattr(message, by_wire[step.removesuffix("[]")])
        message = message[0] if step.endswith("[]") else message
    name = {field.wire: field.name for field in fields_of(type(message))}[steps[-1]]
    if row.many and not isinstance(value, Whole):
        value = Whole((value, *message.__dict__[name][1:]))
    message.__dict__[name] = value.value if isinstance(value, Whole) else value


@given(seed=st.integers(0, 2**32))
def test_a_message_is_the_same_after_a_round_trip(seed: int) -> None:
    rng = random.Random(seed)
    _, cls = rng.choice(list(MESSAGES.values()))
    message = random_instance(cls, rng)
    payload = json.loads(json.dumps(to_payload(message)))
    again = from_payload(cls, payload)
    assert again == message
    assert hash(again) == hash(message)
    assert to_payload(again) == payload


# --- what is special ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", [None, [], "x", 1, True])
def test_a_payload_that_is_no_object_is_a_formation_violation(payload: Any) -> None:
    assert "not an object" in refused(HeartbeatReq, payload, Formation, "")


def test_every_one_decimal_value_up_to_a_thousand_passes_unchanged() -> None:
    for tenths in range(10_001):
        value = json.loads(f"{tenths // 10}.{tenths % 10}")
        period = from_payload(ChargingSchedulePeriod, {"startPeriod": 0, "limit": value})
        assert json.dumps(to_payload(period)["limit"]) == json.dumps(value)


@pytest.mark.parametrize(
    ("given_", "sent"),
    [(0.1 + 0.2, 0.3), (3 * 8.1, 24.3), (16, 16), (5.0000001, 5.0), (-0.1 * 3, -0.3)],
)
def test_the_noise_of_binary_arithmetic_is_rounded_away(given_: float, sent: float) -> None:
    period = ChargingSchedulePeriod(start_period=0, limit=given_)
    assert to_payload(period) == {"startPeriod": 0, "limit": sent}


def test_both_spellings_of_celsius_are_read_and_the_right_one_is_sent() -> None:
    for cls, list_name in ((MeterValuesReq, "meterValue"), (StopTransactionReq, "transactionData")):
        payload = maximal(cls, random.Random(1))
        for spelling in ("Celsius", "Celcius"):
            payload[list_name][0]["sampledValue"][0]["unit"] = spelling
            again = to_payload(from_payload(cls, payload))
            assert again[list_name][0]["sampledValue"][0]["unit"] == "Celsius"
    assert SampledValue(value="20", unit=UnitOfMeasure("Celcius")).unit is UnitOfMeasure.Celsius


def test_current_export_survives() -> None:
    sample = SampledValue(value="1", measurand=Measurand.CurrentExport)
    assert to_payload(sample) == {"value": "1", "measurand": "Current.Export"}
    assert from_payload(SampledValue, to_payload(sample)) == sample


def test_an_absent_reason_stays_absent() -> None:
    payload = {"meterStop": 1, "timestamp": "2024-01-02T03:04:05Z", "transactionId": -1}
    message = from_payload(StopTransactionReq, payload)
    assert message.reason is None
    assert message.transaction_id == -1
    assert from_payload(StopTransactionReq, payload | {"reason": "Local"}).reason is Reason.Local


def test_an_unknown_message_to_trigger_is_kept_as_text_and_never_sent() -> None:
    known = from_payload(TriggerMessageReq, {"requestedMessage": "Heartbeat"})
    assert known.requested_message is MessageTrigger.Heartbeat
    unknown = from_payload(TriggerMessageReq, {"requestedMessage": "FirmwareUpdate"})
    assert unknown.requested_message == "FirmwareUpdate"
    assert not isinstance(unknown.requested_message, MessageTrigger)
    with pytest.raises(LocalProtocolError, match="requestedMessage"):
        to_payload(unknown)
    refused(TriggerMessageReq, {"requestedMessage": "x" * 256}, Property, "requestedMessage")
    refused(TriggerMessageReq, {"requestedMessage": 1}, Type, "requestedMessage")


def test_connector_zero() -> None:
    start = {"connectorId": 0, "idTag": "x", "meterStart": 0, "timestamp": "2024-01-02T03:04:05Z"}
    refused(StartTransactionReq, start, Property, "connectorId")
    tolerant: list[tuple[type[Any], dict[str, Any]]] = [
        (RemoteStartTransactionReq, {"connectorId": 0, "idTag": "x"}),
        (UnlockConnectorReq, {"connectorId": 0}),
        (ExtendedTriggerMessageReq, {"connectorId": 0, "requestedMessage": "MeterValues"}),
    ]
    for cls, payload in tolerant:
        message = from_payload(cls, payload)
        assert message.connector_id == 0
        with pytest.raises(LocalProtocolError, match="connectorId: is 0, at least 1 is allowed"):
            to_payload(message)


def test_times_are_sent_in_utc_with_whole_seconds() -> None:
    moment = datetime(2024, 1, 2, 5, 4, 5, 999_999, timezone(timedelta(hours=2)))
    assert to_payload(HeartbeatConf(current_time=moment)) == {"currentTime": "2024-01-02T03:04:05Z"}
    assert to_payload(HeartbeatConf(current_time=moment.astimezone(UTC))) == {"currentTime": "2024-01-02T03:04:05Z"}
    early = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    with pytest.raises(LocalProtocolError, match="currentTime"):
        to_payload(HeartbeatConf(current_time=early))


def test_an_error_names_the_way_to_the_field() -> None:
    payload = maximal(SetChargingProfileReq, random.Random(1))
    payload["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"][1]["limit"] = 8.15
    path = "csChargingProfiles.chargingSchedule.chargingSchedulePeriod[1].limit"
    assert refused(SetChargingProfileReq, payload, Property, path) == f"{path}: is 8.15, not a multiple of 0.1"


def test_an_error_while_writing_names_the_way_to_the_field() -> None:
    periods = [ChargingSchedulePeriod(start_period=0, limit=1.0), ChargingSchedulePeriod(start_period=9, limit=1.05)]
    schedule = ChargingSchedule(charging_rate_unit=ChargingRateUnitType.A, charging_schedule_period=periods)
    conf = GetCompositeScheduleConf(status=GetCompositeScheduleStatus.Accepted, charging_schedule=schedule)
    with pytest.raises(LocalProtocolError) as caught:
        to_payload(conf)
    assert str(caught.value) == "chargingSchedule.chargingSchedulePeriod[1].limit: is 1.05, not a multiple of 0.1"


@pytest.mark.parametrize("value", ["s3cret" * 100, ["s3cret"], {"s3cret": 1}, "s3cret\ud800"])
def test_no_error_shows_the_value_of_a_configuration_key(value: Any) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        from_payload(ChangeConfigurationReq, {"key": "AuthorizationKey", "value": value})
    assert "s3cret" not in str(caught.value)
    with pytest.raises(LocalProtocolError) as sent:
        to_payload(ChangeConfigurationReq(key="AuthorizationKey", value=value))
    assert "s3cret" not in str(sent.value)


def test_half_of_a_surrogate_pair_is_no_text() -> None:
    refused(AuthorizeReq, {"idTag": "\ud83d"}, Property, "idTag")


def test_enumerations_can_be_given_as_text() -> None:
    message: Any = TriggerMessageReq(requested_message="Heartbeat")
    assert to_payload(message) == {"requestedMessage": "Heartbeat"}


def test_a_text_may_be_a_member_of_an_enumeration() -> None:
    payload = to_payload(AuthorizeReq(id_tag=Reason.Local))
    assert type(payload["idTag"]) is str


def test_remote_location_of_a_log_is_limited_and_a_uri() -> None:
    log = LogParametersType(remote_location="ftp://h/" + "x" * 505)
    with pytest.raises(LocalProtocolError, match=r"log\.remoteLocation: has 513 characters"):
        to_payload(GetLogReq(log_type=LogEnumType.SecurityLog, request_id=1, log=log))


def test_empty_lists_are_left_out() -> None:
    assert to_payload(GetConfigurationReq(key=[])) == {}
    assert GetConfigurationReq(key=[]) == GetConfigurationReq() == from_payload(GetConfigurationReq, {"key": []})


def test_a_required_list_cannot_be_empty() -> None:
    meter_value = MeterValue(timestamp=datetime(2024, 1, 1, tzinfo=UTC), sampled_value=[])
    with pytest.raises(LocalProtocolError, match=r"meterValue\[0\]\.sampledValue: has 0 items, at least 1"):
        to_payload(MeterValuesReq(connector_id=0, meter_value=[meter_value]))


def test_classes_derived_from_a_message_are_written_as_that_message() -> None:
    class Special(SampledValue):
        """Of a user."""

    values = [Special(value="1")]
    meter_value = MeterValue(timestamp=datetime(2024, 1, 1, tzinfo=UTC), sampled_value=values)
    assert to_payload(meter_value)["sampledValue"] == [{"value": "1"}]


def test_threads_may_meet_a_class_for_the_first_time_together() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Fresh(Record):
        """Known to nobody yet."""

        connector_id: int
        id_tag: str | None = None

    payload = {"connectorId": 1, "idTag": "x"}
    start = threading.Barrier(8)

    def meet() -> tuple[Record, dict[str, Any]]:
        start.wait()
        return from_payload(Fresh, payload), to_payload(Fresh(connector_id=1, id_tag="x"))

    with ThreadPoolExecutor(8) as pool:
        results = [job.result() for job in [pool.submit(meet) for _ in range(8)]]
    assert results == [(Fresh(connector_id=1, id_tag="x"), payload)] * 8


# --- Plug & Charge --------------------------------------------------------------------------------------------------


def test_an_id_token_may_stand_in_an_object() -> None:
    plain = from_payload(Iso15118AuthorizeReq, {"idToken": "DE8AA1A2B3C4D59"})
    assert from_payload(Iso15118AuthorizeReq, {"idToken": {"idToken": "DE8AA1A2B3C4D59"}}) == plain
    assert to_payload(plain) == {"idToken": "DE8AA1A2B3C4D59"}
    refused(Iso15118AuthorizeReq, {"idToken": {"idToken": "x" * 21}}, Property, "idToken")
    refused(Iso15118AuthorizeReq, {"idToken": {"other": "x"}}, Type, "idToken")


def test_the_exi_response_may_be_missing_and_is_always_sent() -> None:
    answer = from_payload(Iso15118Get15118EVCertificateConf, {"status": "Failed"})
    assert answer.exi_response == ""
    assert to_payload(answer) == {"status": "Failed", "exiResponse": ""}


def test_sub_ca_certificates_may_be_missing() -> None:
    payload = maximal(Iso15118GetInstalledCertificateIdsConf, random.Random(1))
    for chain in payload["certificateHashDataChain"]:
        del chain["childCertificateHashData"]
    answer = from_payload(Iso15118GetInstalledCertificateIdsConf, payload)
    assert to_payload(answer) == payload


def test_plug_and_charge_is_read_as_tunnelled() -> None:
    assert default_reading(Iso15118AuthorizeReq) is Reading.TUNNELLED
    assert default_reading(Iso15118GetInstalledCertificateIdsConf) is Reading.TUNNELLED
    assert default_reading(BootNotificationConf) is Reading.STRICT
    assert default_reading(SampledValue) is Reading.STRICT


# --- relaxed --------------------------------------------------------------------------------------------------------


def relaxed(cls: type[Any], payload: dict[str, Any]) -> Any:
    return from_payload(cls, payload, Reading.RELAXED)


def test_relaxed_reading_understands_what_stations_send() -> None:
    payload = {
        "connectorId": "1",
        "transactionId": 1700000000000,
        "vendorData": {"x": 1},
        "meterValue": [
            {
                "timestamp": " 2024-01-02T03:04:05Z",
                "sampledValue": [{"value": 12.5, "unit": "KWH", "context": "sample.periodic", "format": None}],
            }
        ],
    }
    message = relaxed(MeterValuesReq, payload)
    assert (message.connector_id, message.transaction_id) == (1, 1700000000000)
    sample = message.meter_value[0].sampled_value[0]
    assert (sample.value, sample.unit, sample.context, sample.format) == ("12.5", "kWh", "Sample.Periodic", None)


def test_relaxed_reading_looks_at_no_limit() -> None:
    assert relaxed(AuthorizeReq, {"idTag": "x" * 30}).id_tag == "x" * 30
    assert relaxed(GetDiagnosticsReq, {"location": "no uri", "retries": -1}).retries == -1
    assert relaxed(MeterValuesReq, {"connectorId": 1, "meterValue": []}).meter_value == ()
    profile = maximal(SetChargingProfileReq, random.Random(1))
    period = profile["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"][0]
    period.update(limit="16.25", numberPhases=4)
    read = relaxed(SetChargingProfileReq, profile).cs_charging_profiles.charging_schedule.charging_schedule_period[0]
    assert (read.limit, read.number_phases) == (16.25, 4)


@pytest.mark.parametrize(
    ("payload", "code", "field"),
    [
        ({}, Occurence, "connectorId"),
        ({"connectorId": None, "errorCode": "NoError", "status": "Available"}, Occurence, "connectorId"),
        ({"connectorId": "one", "errorCode": "NoError", "status": "Available"}, Type, "connectorId"),
        ({"connectorId": 2**63, "errorCode": "NoError", "status": "Available"}, Property, "connectorId"),
        ({"connectorId": 1, "errorCode": "NoError", "status": "Broken"}, Property, "status"),
        ({"connectorId": 1, "errorCode": "NoError", "status": "Faulted", "timestamp": "now"}, Property, "timestamp"),
        ({"connectorId": 1, "errorCode": "NoError", "status": "Faulted", "info": []}, Type, "info"),
    ],
)
def test_relaxed_reading_refuses_what_has_no_meaning(payload: dict[str, Any], code: ErrorCode, field: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        relaxed(StatusNotificationReq, payload)
    assert (caught.value.code, caught.value.field) == (code, field)
