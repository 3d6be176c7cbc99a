"""Secrets do not get into a log, wherever in a frame they stand and however they are written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openocpp.rpc.masking import HIDDEN, hidden, masked


def changing(**fields: Any) -> str:
    return json.dumps([2, "1", "ChangeConfiguration", fields])


def transfer(data: Any) -> str:
    return json.dumps([2, "1", "DataTransfer", {"vendorId": "V", "data": data}])


@pytest.mark.parametrize(
    "text",
    [
        changing(key="AuthorizationKey", value="SECRET"),
        changing(value="SECRET", key="authorizationkey"),
        changing(key="AUTHORIZATIONKEY", value='{SECRET}"SECRET'),
        changing(key="VendorPassphrase", value="SECRET"),
        changing(key="AuthorizationKey", value=["SECRET"]),
        changing(key="AuthorizationKey", value={"a": "SECRET"}),
        '[2,"1","ChangeConfiguration",{"key" : "AuthorizationKey" , "value" : "SECRET"}]',
        '[2,"1","ChangeConfiguration",{"k\\u0065y":"\\u0041uthorizationKey","v\\u0061lue":"SECRET"}]',
        '[2,"1","ChangeConfiguration",{"KEY":"AuthorizationKey","Value":"SECRET"}]',
        '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"SECRET","value":""}]',
        '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"SECRET","key":"HeartbeatInterval"}]',
        '[3,"1",{"configurationKey":[{"key":"AuthorizationKey","readonly":false,"value":"SECRET"}]}]',
        '[3,"1",{"configurationKey":[{"value":"SECRET","readonly":false,"key":"AuthorizationKey"},{"key":"A"}]}]',
        '[3,"1",{"configurationKey":[{"value":"a{b}c","key":"A"},{"value":"SECRET","key":"AuthorizationKey"}]}]',
        transfer(json.dumps({"key": "AuthorizationKey", "value": "SECRET"})),
        transfer(json.dumps([{"value": "SECRET", "key": "AuthorizationKey"}])),
        transfer(json.dumps({"data": json.dumps({"value": "SECRET", "key": "AuthorizationKey"})})),
        transfer('{"\\u006bey":"\\u0041uthorizationKey","value":"SECRET"}'),
        transfer({"AuthorizationKey": "SECRET"}),
        transfer(json.dumps({"user": "me", "password": "SECRET"})),
        transfer("AuthorizationKey=SECRET"),
        transfer("password: SECRET"),
        transfer('{"AuthorizationKey":"SECRET"'),
        transfer('{"\\u0041uthorizationKey":"SECRET"'),
        transfer("-----BEGIN PRIVATE KEY-----\nSECRET"),
        '[4,"1","GenericError","AuthorizationKey: SECRET is too short",{}]',
        '[4,"1","GenericError","",{"key":"AuthorizationKey","value":"SECRET"}]',
        '[2,"1","GetDiagnostics",{"location":"ftp://me:SECRET@host/x"}]',
        '[2,"1","GetDiagnostics",{"location":"ftp:\\/\\/me:SECRET\\u0040host/x"}]',
        '[2,"1","GetDiagnostics",{"location":"ftp://me:SECRET/SECRET@host/x"}]',
        '[2,"1","UpdateFirmware",{"location":"https://host/x?v=1&sig=SECRET","retrieveDate":"2024-01-01T00:00:00Z"}]',
        # broken ones
        '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"SECRET"',
        '[2,"1","ChangeConfiguration",{"value":"SECRET","key":"AuthorizationKey"}',
        '[2,"1","ChangeConfiguration",{"value":"SECRET","key":"\\u0041uthorizationKey"}',
        '[2,"1","AuthorizationKey SECRET',
        '{"key":"AuthorizationKey","value":"SECRET"',
        "AuthorizationKey SECRET",
        "[" * 100_000 + '"AuthorizationKey","SECRET"',
    ],
)
def test_what_is_not_logged(text: str) -> None:
    shown = masked(text)
    assert "SECRET" not in shown
    assert shown != text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "garbage",
        '[2,"1","Heartbeat",{}]',
        '[2,"1","Authorize",{"idTag":"MONKEY"}]',
        '[2,"1","ChangeConfiguration",{"key":"HeartbeatInterval","value":"10"}]',
        '[2,"1","GetConfiguration",{"key":["AuthorizationKey","HeartbeatInterval"]}]',
        '[3,"1",{"configurationKey":[{"key":"AuthorizationKey","readonly":false},{"key":"A","value":"1"}]}]',
        '[3,"1",{"configurationKey":[{"key":"AuthorizationKey","readonly":false,"value":""}]}]',
        '[3,"1",{"unknownKey":["AuthorizationKey"]}]',
        '[2, "1" ,"DataTransfer",{"vendorId":"V","data":"{\\"key\\": \\"Colour\\",\\"value\\":\\"red\\"}"}]',
        '[2,"1","DataTransfer",{"vendorId":"me@host.org","data":"press a key \\u00e9 é"}]',
        '[2,"1","GetDiagnostics",{"location":"ftp://me@host/x"}]',
        '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"***"}]',
    ],
)
def test_what_holds_no_secret_is_logged_as_it_came(text: str) -> None:
    assert masked(text) == text


def test_a_masked_text_keeps_all_else() -> None:
    text = '[2, "7", "ChangeConfiguration", {"value": "x", "key": "AuthorizationKey", "more": [1, null, "é"]}]'
    assert masked(text) == text.replace('"x"', f'"{HIDDEN}"')
    assert masked('[2,"7","ChangeConfiguration",{"key":"AuthorizationKey"') == f'[2,"7",{HIDDEN}'
    assert masked('[2,"1","GetDiagnostics",{"location":"ftp://me:pw@host/x"}]').endswith('"ftp://me:***@host/x"}]')


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("AuthorizationKey", "AuthorizationKey"),
        ("AuthorizationKey: 12", HIDDEN),
        ("ftp://me:pw@host/x", "ftp://me:***@host/x"),
        ('{"key":"AuthorizationKey","value":"x"}', '{"key": "AuthorizationKey", "value": "***"}'),
        ('{"key":"Colour","value":"x"}', '{"key":"Colour","value":"x"}'),
        ("plain", "plain"),
    ],
)
def test_texts_outside_of_frames(text: str, shown: str) -> None:
    assert hidden(text) == shown


def test_a_masked_text_can_be_written_to_any_log() -> None:
    shown = masked('[2,"\\ud800","ChangeConfiguration",{"key":"AuthorizationKey","value":"x"}]')
    assert shown.encode("utf-8").startswith(b'[2, "\\ud800", ')


@given(st.text())
@example("[1,")
@example('"key"')
def test_nothing_that_comes_raises(text: str) -> None:
    masked(text)


def _escaped(text: str, which: list[bool]) -> str:
    """A JSON text of it in which some characters are written as escapes."""
    body = json.dumps(text, ensure_ascii=False)[1:-1]
    if "\\" in body:
        return f'"{body}"'
    return (
        '"'
        + "".join(f"\\u{ord(char):04x}" if escape else char for char, escape in zip(body, which, strict=False))
        + '"'
    )


@given(
    st.sampled_from(["AuthorizationKey", "authorizationkey", "AUTHORIZATIONKEY", "VendorSecret"]),
    st.permutations(["key", "value", "readonly", "other"]),
    st.lists(st.booleans(), min_size=40, max_size=40),
    st.integers(0, 3),
    st.integers(0, 400),
)
def test_no_way_of_writing_gives_it_away(key: str, order: list[str], escapes: list[bool], depth: int, cut: int) -> None:
    """In any order of the members, with escapes, nested as text up to three times, cut off anywhere."""
    values = {"key": _escaped(key, escapes), "value": '"SECRET"', "readonly": "false", "other": '"{[\\"x"'}
    body = "{" + ", ".join(f"{_escaped(name, escapes)}: {values[name]}" for name in order) + "}"
    for _ in range(depth):
        body = f'{{"vendorId": "V", "data": {json.dumps(body)}}}'
    text = f'[2, "1", "DataTransfer", {body}]'
    assert json.loads(text)[0] == 2
    assert "SECRET" not in masked(text)
    broken = text[: max(len(text) - cut, 0)]
    if "SECRET" in broken:
        assert "SECRET" not in masked(broken)
