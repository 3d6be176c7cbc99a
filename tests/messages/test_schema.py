"""Schema files: found, read at start, compiled at first use, foreign ones too."""

from __future__ import annotations

import copy
import importlib.util
import json
import logging
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import openocpp
from openocpp.errors import ConfigError, ErrorCode, LocalProtocolError, RemoteProtocolError
from openocpp.messages import (
    ACTIONS,
    AuthorizeReq,
    ChangeConfigurationReq,
    GetCompositeScheduleConf,
    GetLogReq,
    HeartbeatReq,
    MeterValuesReq,
    SetChargingProfileReq,
    SignedUpdateFirmwareReq,
    StopTransactionReq,
    TriggerMessageReq,
)
from openocpp.messages import (
    schema as module,
)
from openocpp.messages.codec import Reading, checker_of, reader_of, to_payload
from openocpp.messages.derive import derive, schema_names
from openocpp.messages.schema import SchemaSet, compile_schema, find_schemas, main, tolerate, write_schemas
from openocpp.testing.instances import random_instance
from openocpp.types import LogEnumType, LogParametersType
from tests.messages.wire_tables import CALLS

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.types.record import Record

OWN = Path(openocpp.__file__).parent.parent / "schemas"


def foreign_folder() -> Path:
    """The schemas that come with another OCPP package: the standard's own, most of them in draft-04."""
    spec = importlib.util.find_spec("ocpp")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "v16" / "schemas"


@pytest.fixture(name="folder")
def copied_folder(tmp_path: Path) -> Path:
    """A copy of our own schemas, to be spoilt."""
    folder = tmp_path / "schemas"
    shutil.copytree(OWN, folder)
    return folder


def edit(folder: Path, name: str, change: Any) -> None:
    path = folder / f"{name}.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    change(schema)
    path.write_text(json.dumps(schema), encoding="utf-8")


# --- finding and loading --------------------------------------------------------------------------------------------


def test_the_configured_folder_comes_first(tmp_path: Path) -> None:
    assert find_schemas(str(tmp_path)) == tmp_path
    assert find_schemas() == OWN


def test_an_installed_copy_comes_before_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "openocpp"
    package.mkdir()
    monkeypatch.setattr(module, "__file__", str(package / "messages" / "schema.py"))
    with pytest.raises(ConfigError, match="JsonSchemasPath: the schemas were not installed"):
        find_schemas()
    (tmp_path / "schemas").mkdir()
    assert find_schemas() == tmp_path / "schemas"
    (package / "schemas").mkdir()
    assert find_schemas() == package / "schemas"


def test_all_with_one_folder_share_what_was_read(folder: Path) -> None:
    first = SchemaSet.load(str(folder))
    assert SchemaSet.load(str(folder)) is first
    assert SchemaSet.load() is SchemaSet.load()
    edit(folder, "Heartbeat", lambda schema: schema.update(title="another"))
    assert SchemaSet.load(str(folder)) is not first


@pytest.mark.parametrize("name", ["Authorize", "UpdateFirmwareResponse"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / f"{name}.json").unlink()
    with pytest.raises(ConfigError, match=f"JsonSchemasPath: {name}.json cannot be read") as caught:
        SchemaSet.load(str(folder))
    assert caught.value.source == str(folder)


@pytest.mark.parametrize("text", ["", "{", '{"type": "object"', "[" * 100_000, "\ufffd\u0000", "[]", "3", "null"])
def test_a_broken_file_is_named(folder: Path, text: str) -> None:
    (folder / "Reset.json").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"Reset\.json is "):
        SchemaSet.load(str(folder))


def test_a_file_that_cannot_be_read_is_named(folder: Path) -> None:
    (folder / "Reset.json").unlink()
    (folder / "Reset.json").mkdir()
    with pytest.raises(ConfigError, match=r"Reset\.json cannot be read"):
        SchemaSet.load(str(folder))


def test_a_folder_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match=r"Authorize\.json cannot be read"):
        SchemaSet.load("/nowhere/at/all")


def test_the_command_writes_the_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 0
    assert "96 schemas written" in capsys.readouterr().out
    for path in OWN.rglob("*.json"):
        assert (tmp_path / path.relative_to(OWN)).read_text(encoding="utf-8") == path.read_text(encoding="utf-8")
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err


def test_the_command_can_be_run(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-m", "openocpp.messages.schema", str(tmp_path / "new")]
    run = subprocess.run(command, cwd=OWN.parent, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert len(list((tmp_path / "new").glob("*.json"))) == 78


# --- our own --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(CALLS))
def test_what_the_codec_knows_is_not_checked_twice(name: str) -> None:
    _, cls = CALLS[name]
    assert SchemaSet.load().check(cls) is None


def test_nothing_is_compiled_for_our_own_schemas() -> None:
    script = (
        "import sys\n"
        "from openocpp.messages import HeartbeatReq\n"
        "from openocpp.messages.schema import SchemaSet\n"
        "print(SchemaSet.load().reader(HeartbeatReq)({}), 'fastjsonschema' in sys.modules)\n"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=OWN.parent, capture_output=True, text=True, check=True)
    assert run.stdout == "HeartbeatReq() False\n"


MUTANTS: list[Any] = [None, True, 0, -1, 1.0, 1.5, 8.15, 2**31, "", "x", "x" * 600, "Accepted", [], {}, [{}], ["x"]]


def _spots(node: Any) -> list[tuple[Any, Any]]:
    """Every place in a payload: (container, key)."""
    keys: list[Any] = list(node) if isinstance(node, dict) else list(range(len(node))) if isinstance(node, list) else []
    return [(node, key) for key in keys] + [spot for key in keys for spot in _spots(node[key])]


COMPILED = {cls: compile_schema(tolerate(derive(info, cls), cls)) for info, cls in CALLS.values()}


@given(seed=st.integers(0, 2**32))
def test_the_codec_refuses_whatever_our_schemas_refuse(seed: int) -> None:
    """So a file that says what the dataclass says needs no second look: the codec has the same verdict."""
    rng = random.Random(seed)
    for _ in range(20):
        _, cls = rng.choice(list(CALLS.values()))
        payload = to_payload(random_instance(cls, rng))
        _spoil(payload, rng)
        finding, verdict = _finding(COMPILED[cls], payload), _finding(reader_of(cls, Reading.STRICT), payload)
        assert finding is None or finding == verdict
        assert _finding(checker_of(cls), payload) == verdict


def _finding(judge: Callable[[Any], Any], payload: Any) -> tuple[str, str] | None:
    try:
        judge(payload)
    except RemoteProtocolError as error:
        return error.code, error.field
    return None


def _spoil(payload: dict[str, Any], rng: random.Random) -> None:
    spots = _spots(payload)
    container, key = rng.choice(spots) if spots else (payload, None)
    if key is None or (isinstance(container, dict) and rng.random() < 0.3):
        container["unheardOf"] = 1
    elif isinstance(container, dict) and rng.random() < 0.3:
        del container[key]
    else:
        container[key] = copy.deepcopy(rng.choice(MUTANTS))


@given(seed=st.integers(0, 2**32))
def test_what_the_codec_writes_passes_our_schemas(seed: int) -> None:
    rng = random.Random(seed)
    _, cls = rng.choice(list(CALLS.values()))
    COMPILED[cls](json.loads(json.dumps(to_payload(random_instance(cls, rng)))))


def test_our_schemas_take_every_one_decimal_number() -> None:
    periods = [{"startPeriod": 0, "limit": tenths / 10} for tenths in range(10_001)]
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": periods}
    payload = {"status": "Accepted", "chargingSchedule": schedule}
    COMPILED[GetCompositeScheduleConf](payload)
    periods[7]["limit"] = 8.15
    assert _finding(COMPILED[GetCompositeScheduleConf], payload) == (
        ErrorCode.PropertyConstraintViolation,
        "chargingSchedule.chargingSchedulePeriod[7].limit",
    )


# --- foreign ones ---------------------------------------------------------------------------------------------------


# That folder makes certificate and signature of a firmware mandatory, as the text of SEC 6 does.
STRICTER_ABROAD = (SignedUpdateFirmwareReq,)


@pytest.fixture(name="foreign", scope="module")
def foreign_schemas() -> SchemaSet:
    return SchemaSet.load(str(foreign_folder()))


@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_foreign_folder_gives_the_same_answers(foreign: SchemaSet, name: str) -> None:
    _info, cls = CALLS[name]
    check = foreign.check(cls)
    assert check is not None
    rng = random.Random(name)
    for minimal in (False,) if cls in STRICTER_ABROAD else (True, False):
        message = random_instance(cls, rng, minimal=minimal, maximal=not minimal)
        payload = json.loads(json.dumps(foreign.writer(cls)(message)))
        assert foreign.reader(cls)(payload) == message
        foreign.checker(cls)(payload)
        payload["unheardOf"] = 1
        for judge in (check, foreign.reader(cls), foreign.checker(cls)):
            assert _finding(judge, payload) == (ErrorCode.FormationViolation, "unheardOf")


@given(seed=st.integers(0, 2**32))
def test_a_foreign_folder_refuses_what_we_refuse_with_the_same_code(seed: int) -> None:
    rng = random.Random(seed)
    foreign = SchemaSet.load(str(foreign_folder()))
    _, cls = rng.choice(list(CALLS.values()))
    payload = to_payload(random_instance(cls, rng))
    _spoil(payload, rng)
    own_verdict = _verdict(SchemaSet.load(), cls, payload)
    foreign_verdict = _verdict(foreign, cls, payload)
    assert foreign_verdict == own_verdict or cls in STRICTER_ABROAD


def _verdict(schemas: SchemaSet, cls: type[Record], payload: Any) -> Any:
    try:
        return schemas.reader(cls)(copy.deepcopy(payload))
    except RemoteProtocolError as error:
        return error.code


def test_limits_given_as_text_are_understood(folder: Path) -> None:
    def spoil(schema: dict[str, Any]) -> None:
        schema["$schema"] = "http://json-schema.org/draft-04/schema#"
        schema["properties"]["log"]["properties"]["remoteLocation"]["maxLength"] = "512"

    edit(folder, "GetLog", spoil)
    check = SchemaSet.load(str(folder)).check(GetLogReq)
    assert check is not None
    log = LogParametersType(remote_location="ftp://h/" + "x" * 504)
    payload = to_payload(GetLogReq(log_type=LogEnumType.SecurityLog, request_id=1, log=log))
    check(payload)
    payload["log"]["remoteLocation"] += "x"
    with pytest.raises(RemoteProtocolError, match=r"log\.remoteLocation: has 513 characters, at most 512"):
        check(payload)


@pytest.mark.parametrize("listed", [["Celcius"], ["Celsius"], ["Celsius", "Celcius"]])
def test_both_spellings_of_celsius_pass(folder: Path, listed: list[str]) -> None:
    def spoil(schema: dict[str, Any]) -> None:
        sampled = schema["properties"]["transactionData"]["items"]["properties"]["sampledValue"]
        units = sampled["items"]["properties"]["unit"]
        units["enum"] = [unit for unit in units["enum"] if unit not in ("Celsius", "Celcius")] + listed

    edit(folder, "StopTransaction", spoil)
    check = SchemaSet.load(str(folder)).check(StopTransactionReq)
    payload = to_payload(random_instance(StopTransactionReq, random.Random(1), maximal=True))
    for unit in ("Celsius", "Celcius"):
        payload["transactionData"][0]["sampledValue"][0]["unit"] = unit
        if check is not None:  # None where the file is as ours, but for the order
            check(payload)
        assert SchemaSet.load(str(folder)).reader(StopTransactionReq)(payload)


def test_one_point_zero_is_an_integer_in_draft_04_too(foreign: SchemaSet) -> None:
    assert foreign.reader(TriggerMessageReq)({"requestedMessage": "Heartbeat", "connectorId": 1.0}).connector_id == 1


def test_an_unknown_message_to_trigger_is_left_to_the_role(foreign: SchemaSet) -> None:
    assert foreign.reader(TriggerMessageReq)({"requestedMessage": "Other"}).requested_message == "Other"
    with pytest.raises(LocalProtocolError):
        foreign.writer(TriggerMessageReq)(TriggerMessageReq(requested_message="Other"))


def test_a_foreign_file_may_be_stricter(folder: Path) -> None:
    edit(folder, "Authorize", lambda schema: schema["properties"]["idTag"].update(maxLength=8, pattern="^[0-9A-F]*$"))
    schemas = SchemaSet.load(str(folder))
    with pytest.raises(RemoteProtocolError, match="idTag: has 9 characters, at most 8 are allowed"):
        schemas.reader(AuthorizeReq)({"idTag": "123456789"})
    with pytest.raises(RemoteProtocolError, match="idTag: has 9 characters, at most 8 are allowed"):
        schemas.checker(AuthorizeReq)({"idTag": "123456789"})
    for judge in (schemas.reader(AuthorizeReq), schemas.checker(AuthorizeReq)):
        with pytest.raises(RemoteProtocolError, match="at most 8 are"):  # the file first: the codec would say 20
            judge({"idTag": "x" * 21})
    with pytest.raises(LocalProtocolError, match="idTag: breaks the rule pattern"):
        schemas.writer(AuthorizeReq)(AuthorizeReq(id_tag="xyz"))
    assert schemas.reader(AuthorizeReq)({"idTag": "12345678"}) == AuthorizeReq(id_tag="12345678")


UNUSABLE: list[dict[str, Any]] = [
    {"type": "nothing"},
    {"type": 3},
    {"$ref": "http://nowhere.example/x"},
    {"pattern": "("},
    {"maxLength": "many"},
    {"properties": 3},
]


@pytest.mark.parametrize("spoilt", UNUSABLE, ids=str)
def test_an_unusable_file_is_left_out_and_logged(
    folder: Path, spoilt: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    edit(folder, "Heartbeat", lambda schema: schema["properties"].update(x=spoilt))
    with caplog.at_level(logging.ERROR, logger="openocpp.messages"):
        assert SchemaSet.load(str(folder)).reader(HeartbeatReq)({}) == HeartbeatReq()
    assert "Heartbeat.json is left out" in caplog.text


def test_nothing_is_fetched() -> None:
    schema = {"type": "object", "properties": {"x": {"$ref": "file:///etc/hostname"}}}
    with pytest.raises(ConfigError):
        compile_schema(schema)


@pytest.mark.parametrize("value", ["s3cret" * 100, ["s3cret"], {"s3cret": 1}])
def test_no_finding_shows_a_secret(foreign: SchemaSet, value: Any) -> None:
    check = foreign.check(ChangeConfigurationReq)
    assert check is not None
    with pytest.raises(RemoteProtocolError) as caught:
        check({"key": "AuthorizationKey", "value": value})
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("rule", "schema", "payload", "code", "field"),
    [
        ("type", {"type": "object"}, [], ErrorCode.FormationViolation, ""),
        ("required", {"required": ["a"]}, {}, ErrorCode.OccurenceConstraintViolation, "a"),
        ("additional", {"additionalProperties": False}, {"b": 1}, ErrorCode.FormationViolation, "b"),
        ("type", {"properties": {"a": {"type": "string"}}}, {"a": 1}, ErrorCode.TypeConstraintViolation, "a"),
        ("enum", {"properties": {"a": {"enum": ["x"]}}}, {"a": "y"}, ErrorCode.PropertyConstraintViolation, "a"),
        ("min", {"properties": {"a": {"minimum": 1}}}, {"a": 0}, ErrorCode.PropertyConstraintViolation, "a"),
        ("tenth", {"properties": {"a": {"multipleOf": 0.1}}}, {"a": 8.15}, ErrorCode.PropertyConstraintViolation, "a"),
        ("few", {"properties": {"a": {"minItems": 1}}}, {"a": []}, ErrorCode.OccurenceConstraintViolation, "a"),
        ("many", {"properties": {"a": {"maxItems": 0}}}, {"a": [1]}, ErrorCode.OccurenceConstraintViolation, "a"),
        (
            "inside",
            {"properties": {"a": {"items": {"required": ["b"]}}}},
            {"a": [{"b": 1}, {}]},
            ErrorCode.OccurenceConstraintViolation,
            "a[1].b",
        ),
    ],
)
def test_rules_and_codes(rule: str, schema: dict[str, Any], payload: Any, code: ErrorCode, field: str) -> None:
    check = compile_schema({"$schema": "http://json-schema.org/draft-06/schema#", "type": "object", **schema})
    with pytest.raises(RemoteProtocolError) as caught:
        check(payload)
    assert (caught.value.code, caught.value.field) == (code, field), rule


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400])
def test_numbers_without_end_do_not_escape(value: float) -> None:
    payload = to_payload(random_instance(SetChargingProfileReq, random.Random(1), minimal=True))
    payload["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"] = value
    with pytest.raises(RemoteProtocolError) as caught:
        COMPILED[SetChargingProfileReq](payload)
    assert caught.value.code is ErrorCode.PropertyConstraintViolation


def test_equal_files_are_compiled_once(folder: Path, tmp_path: Path) -> None:
    def spoil(schema: dict[str, Any]) -> None:
        schema["description"] = "spoilt"

    edit(folder, "MeterValues", spoil)
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    first, second = SchemaSet.load(str(folder)), SchemaSet.load(str(other))
    assert first is not second
    assert repr(first) == f"SchemaSet({str(folder)!r})"
    assert first.check(MeterValuesReq) is second.check(MeterValuesReq)


def test_a_tolerated_schema_is_a_copy() -> None:
    schema = derive(ACTIONS["TriggerMessage"], TriggerMessageReq)
    before = copy.deepcopy(schema)
    tolerant = tolerate(schema, TriggerMessageReq)
    assert schema == before
    assert "enum" not in tolerant["properties"]["requestedMessage"]


def test_only_a_few_folders_are_remembered(tmp_path: Path) -> None:
    for number in range(module._MAX_LOADED + 1):
        write_schemas(tmp_path / str(number))
        SchemaSet.load(str(tmp_path / str(number)))
    assert len(module._LOADED) <= module._MAX_LOADED


def test_names_of_the_files() -> None:
    assert list(schema_names(ACTIONS["Reset"])) == ["Reset", "ResetResponse"]
