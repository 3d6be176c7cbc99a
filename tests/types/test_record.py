"""What a record is, and what its annotations declare."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import pytest

from openocpp.messages import ChangeConfigurationReq, GetConfigurationReq, GetDiagnosticsReq, HeartbeatReq
from openocpp.types import IdTagInfo, MeterValue, SampledValue
from openocpp.types.base import (
    AtLeast,
    AtMost,
    Boxed,
    MaxItems,
    MaxLen,
    MinItems,
    OneDecimalMarker,
    OneOrMore,
    SecretIf,
    Uri,
    Wire,
)
from openocpp.types.enums import AuthorizationStatus, MessageTrigger
from openocpp.types.record import Field, Record, dataclass, enum_texts, fields_of, wire_name


@dataclass(frozen=True, kw_only=True)
class Inner(Record):
    """A record in a record."""

    name: str


@dataclass(frozen=True, kw_only=True)
class Everything(Record):
    """One field of each kind."""

    text_field: Annotated[str, MaxLen(20), Boxed("box"), SecretIf("other")]
    whole: Annotated[int, AtLeast(0, sent=1), AtMost(3)] | None = None
    part: Annotated[float, OneDecimalMarker()] | None = None
    yes: bool | None = None
    moment: datetime | None = None
    choice: AuthorizationStatus | None = None
    open_choice: MessageTrigger | str
    inner: Inner | None = None
    many: Annotated[Sequence[Inner], MinItems(2), MaxItems(4)]
    texts: Sequence[Annotated[str, MaxLen(5)]] | None = None
    at_least_one: OneOrMore[int]
    link: Annotated[str, Uri(), Wire("theURL")] = "x:y"


def field(name: str) -> Field:
    return next(each for each in fields_of(Everything) if each.name == name)


def test_fields_in_order() -> None:
    assert [each.name for each in fields_of(Everything)] == list(Everything.__annotations__)
    assert fields_of(Everything) is fields_of(Everything)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("text_field", {"kind": str, "required": True, "max_len": 20, "boxed": "box", "secret_if": "other"}),
        ("whole", {"kind": int, "required": False, "at_least": 0, "sent_at_least": 1, "at_most": 3}),
        ("part", {"kind": float, "one_decimal": True}),
        ("yes", {"kind": bool}),
        ("moment", {"kind": datetime}),
        ("choice", {"kind": AuthorizationStatus, "open": False}),
        ("open_choice", {"kind": MessageTrigger, "open": True, "required": True}),
        ("inner", {"kind": Inner, "many": False}),
        ("many", {"kind": Inner, "many": True, "min_items": 2, "max_items": 4, "required": True}),
        ("texts", {"kind": str, "many": True, "max_len": 5, "min_items": 0, "max_items": None}),
        ("at_least_one", {"kind": int, "many": True, "min_items": 1, "wire": "atLeastOne"}),
        ("link", {"kind": str, "uri": Uri(), "wire": "theURL", "required": False, "default": "x:y"}),
    ],
)
def test_what_a_field_declares(name: str, expected: dict[str, Any]) -> None:
    declared = field(name)
    assert {key: getattr(declared, key) for key in expected} == expected


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("status", "status"),
        ("parent_id_tag", "parentIdTag"),
        ("iso15118_certificate_hash_data", "iso15118CertificateHashData"),
        ("cs_charging_profiles", "csChargingProfiles"),
    ],
)
def test_wire_names(name: str, wire: str) -> None:
    assert wire_name(name) == wire


@pytest.mark.parametrize("annotation", [dict, int | str, Sequence[dict[str, int]], object])
def test_what_no_field_can_be(annotation: Any) -> None:
    cls = type("Odd", (Record,), {"__annotations__": {"odd": annotation}, "__module__": __name__})
    odd: type[Record] = dataclass(frozen=True, kw_only=True)(cls)
    with pytest.raises(TypeError, match="no field of a message can be"):
        fields_of(odd)


def test_a_record_is_a_frozen_dataclass() -> None:
    record = IdTagInfo(status=AuthorizationStatus.Accepted)
    assert dataclasses.is_dataclass(IdTagInfo)
    assert [each.name for each in dataclasses.fields(record)] == ["status", "expiry_date", "parent_id_tag"]
    assert dataclasses.replace(record, parent_id_tag="x").parent_id_tag == "x"
    assert dataclasses.asdict(record)["status"] == "Accepted"
    anything: Any = record
    with pytest.raises(dataclasses.FrozenInstanceError):
        anything.status = AuthorizationStatus.Blocked
    with pytest.raises(dataclasses.FrozenInstanceError):
        del anything.status


def test_parameters_are_those_declared() -> None:
    make: Any = IdTagInfo
    with pytest.raises(TypeError, match=r"IdTagInfo\.__init__\(\) missing 1 required keyword-only argument: 'status'"):
        make()
    with pytest.raises(TypeError, match=r"IdTagInfo\.__init__\(\) got an unexpected keyword argument 'other'"):
        make(status=1, other=2)
    with pytest.raises(TypeError, match=r"IdTagInfo\.__init__\(\) takes 1 positional argument but 2 were given"):
        make("Accepted")


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda record: pickle.loads(pickle.dumps(record))])
def test_records_can_be_copied(copied: Any) -> None:
    record = MeterValue(timestamp=datetime(2024, 1, 1, tzinfo=UTC), sampled_value=[SampledValue(value="1")])
    again = copied(record)
    assert again == record
    assert hash(again) == hash(record)


def test_equality() -> None:
    assert SampledValue(value="1") == SampledValue(value="1")
    assert SampledValue(value="1") != SampledValue(value="2")
    assert Inner(name="1") != SampledValue(value="1")
    assert HeartbeatReq() != object()
    assert len({SampledValue(value="1"), SampledValue(value="1"), Inner(name="1")}) == 2


def test_any_sequence_is_kept_as_a_tuple() -> None:
    assert GetConfigurationReq(key=["a", "b"]).key == ("a", "b")
    assert GetConfigurationReq(key=("a",)) == GetConfigurationReq(key=["a"])
    assert GetConfigurationReq(key=[]).key is None
    assert MeterValue(timestamp=datetime(2024, 1, 1, tzinfo=UTC), sampled_value=[]).sampled_value == ()


@pytest.mark.parametrize("value", ["abc", b"abc", 1, {"a"}, iter(["a"])])
def test_what_is_no_sequence(value: Any) -> None:
    with pytest.raises(TypeError, match=r"GetConfigurationReq\.key: a sequence is needed"):
        GetConfigurationReq(key=value)


def test_a_repr_leaves_out_what_is_absent_or_secret() -> None:
    assert repr(IdTagInfo(status=AuthorizationStatus.Invalid)) == "IdTagInfo(status=AuthorizationStatus.Invalid)"
    assert repr(HeartbeatReq()) == "HeartbeatReq()"
    secret = ChangeConfigurationReq(key="AuthorizationKey", value="s3cret")
    assert repr(secret) == "ChangeConfigurationReq(key='AuthorizationKey', value=***)"
    plain = ChangeConfigurationReq(key="HeartbeatInterval", value="30")
    assert repr(plain) == "ChangeConfigurationReq(key='HeartbeatInterval', value='30')"
    upload = GetDiagnosticsReq(location="ftp://me:s3cret@host/")
    assert repr(upload) == "GetDiagnosticsReq(location='ftp://me:***@host/')"


def test_a_repr_cuts_long_texts() -> None:
    shown = repr(Inner(name="x" * 5000))
    assert shown.endswith("... (5000 characters))")
    assert len(shown) < 150


def test_only_frozen_keyword_records_can_be_declared() -> None:
    declare: Any = dataclass
    with pytest.raises(TypeError, match="frozen"):
        declare(frozen=False, kw_only=True)


def test_all_texts_of_an_enumeration() -> None:
    assert enum_texts(MessageTrigger)["Heartbeat"] is MessageTrigger.Heartbeat
