"""CALL, CALLRESULT and CALLERROR as texts: what is understood, what is forgiven, what is refused with which code."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openocpp.errors import ErrorCode
from openocpp.rpc import frames
from openocpp.rpc.frames import BadFrame, CallFrame, ErrorFrame, ResultFrame, parse, peek


def test_the_texts_that_are_written() -> None:
    assert frames.call_text("0", "Heartbeat", '{"id":4}') == '[2, "0", "Heartbeat", {"id":4}]'
    assert frames.result_text('"1"', '{"name":"bob"}') == '[3, "1", {"name":"bob"}]'
    assert (
        frames.error_text('"0"', "NotImplemented", "This is an error!")
        == '[4, "0", "NotImplemented", "This is an error!", {}]'
    )


def test_a_description_is_json_and_not_too_long() -> None:
    text = frames.error_text('"0"', "InternalError", 'a "quote" \\' + "x" * 300, '{"a":1}')
    assert json.loads(text) == [4, "0", "InternalError", 'a "quote" \\' + "x" * 244, {"a": 1}]


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ('[2,"1","Heartbeat",{}]', CallFrame('"1"', "Heartbeat", {})),
        (' [ 2 , "1" , "Heartbeat" , { "a" : [1] } ] ', CallFrame('"1"', "Heartbeat", {"a": [1]})),
        ('[2,"1","Heartbeat",null]', CallFrame('"1"', "Heartbeat", {})),
        ('[2,"","Heartbeat",{}]', CallFrame('""', "Heartbeat", {})),
        ('[2,"a\\"\\u00e9","Heartbeat",{}]', CallFrame('"a\\"é"', "Heartbeat", {})),
        ('[3,"1",{"a":1}]', ResultFrame('"1"', {"a": 1})),
        ('[3,"1",null]', ResultFrame('"1"', {})),
        ('[4,"1","GenericError","text",{"a":1}]', ErrorFrame('"1"', "GenericError", "text", {"a": 1})),
        ('[4,"1","Whatever",null,null]', ErrorFrame('"1"', "Whatever", "", {})),
        ('[4,"1"]', ErrorFrame('"1"', "GenericError", "", {})),
        ('[4,"1",5,{"a":1},"no object"]', ErrorFrame('"1"', "5", '{"a":1}', {})),
        ('[4,"1","FormatViolation","",{}]', ErrorFrame('"1"', ErrorCode.FormationViolation, "", {})),
        (
            '[4,"1","OccurrenceConstraintViolation","",{}]',
            ErrorFrame('"1"', ErrorCode.OccurenceConstraintViolation, "", {}),
        ),
    ],
)
def test_well_formed_frames_and_those_that_are_forgiven(text: str, frame: object) -> None:
    assert parse(text) == frame


@pytest.mark.parametrize(
    ("text", "id_text", "remark"),
    [
        ('[2,17,"Heartbeat",{}]', "17", "the id is a number, not a text"),
        ('[2,1.5,"Heartbeat",{}]', "1.5", "the id is a number, not a text"),
        ('[2,"' + "x" * 37 + '","Heartbeat",{}]', '"' + "x" * 37 + '"', "the id has 37 characters, 36 are allowed"),
        ('[2,"' + "x" * 255 + '","Heartbeat",{}]', '"' + "x" * 255 + '"', "the id has 255 characters, 36 are allowed"),
    ],
)
def test_ids_that_are_answered_as_they_came(text: str, id_text: str, remark: str) -> None:
    assert parse(text) == CallFrame(id_text, "Heartbeat", {}, remark)


@pytest.mark.parametrize(
    ("text", "id_text"),
    [
        ('[2,"1","Heartbeat"]', '"1"'),
        ('[2,"1"]', '"1"'),
        ("[2,17]", "17"),
        ('[2,"1","Heartbeat",{},{}]', '"1"'),
        ('[2,"1",5,{}]', '"1"'),
        ('[2,"1",null,{}]', '"1"'),
        ('[2,"1","Heartbeat",[]]', '"1"'),
        ('[2,"1","Heartbeat","{}"]', '"1"'),
        ('[2,"1","Heartbeat",false]', '"1"'),
        ('[2,"1","Heartbeat",{]', '"1"'),  # no JSON, but somebody waits for an answer to 1
        ('[2, "1" ,"Heartbeat",{"a":NaN}]', '"1"'),
        ('[2,"1","Heartbeat",{"a":1e999}]', '"1"'),
        ('[2,"a\\u0031","Heartbeat",' + "[" * 100, '"a1"'),
    ],
)
def test_calls_that_are_refused_with_their_id(text: str, id_text: str) -> None:
    frame = parse(text)
    assert isinstance(frame, BadFrame)
    assert (frame.id_text, frame.code) == (id_text, ErrorCode.FormationViolation)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "{}",
        "5",
        "null",
        '"[2]"',
        "[]",
        "[2]",
        '{"2":"1"}',
        '[5,"1",{}]',
        '[0,"1",{}]',
        '[-2,"1","Heartbeat",{}]',
        '["2","1","Heartbeat",{}]',
        '[2.0,"1","Heartbeat",{}]',
        '[true,"1","Heartbeat",{}]',
        '[null,"1","Heartbeat",{}]',
        '[[2],"1","Heartbeat",{}]',
        '[99999999999999999999,"1"]',
        "[" + "9" * 5000 + ',"1"]',
        '[2,null,"Heartbeat",{}]',
        '[2,true,"Heartbeat",{}]',
        '[2,["1"],"Heartbeat",{}]',
        '[2,{"id":"1"},"Heartbeat",{}]',
        '[2,1e999,"Heartbeat",{}]',
        '[2,"' + "x" * 256 + '","Heartbeat",{}]',
        '[2,"' + "x" * 256 + '","Heartbeat",{',
        '[2,"\\x","Heartbeat",{}]',
        '[2,"1',
        '[3,"1"]',
        '[3,"1",{},{}]',
        "[3]",
        '[3,["1"],{}]',
        "[4]",
        '[4,{"a":1},"GenericError","",{}]',
        '[3,"1",{',
        '[4,"1","GenericError",',
    ],
)
def test_what_nobody_can_be_answered_to(text: str) -> None:
    frame = parse(text)
    assert isinstance(frame, BadFrame)
    assert frame.id_text is None
    assert frame.problem


@pytest.mark.parametrize("text", ['[2,"a\\"b","A",{}]', '[3,"a\\"b",{}]', '[4,"a\\"b","E","",{}]'])
def test_an_id_is_told_as_json(text: str) -> None:
    assert getattr(parse(text), "id_text", None) == '"a\\"b"'


def test_a_problem_says_little_of_a_long_text() -> None:
    frame = parse('["' + "x" * 1000 + '"]')
    assert isinstance(frame, BadFrame)
    assert len(frame.problem) < 250


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ('[2,"1","A",{}]', (2, "1")),
        ('\n[ 3 , "a\\"b" , {} ]', (3, 'a\\"b')),
        ("[4,17]", (4, "17")),
        ('[2,"","A",{}]', (2, "")),
        ('[2,"a\\\\","b"]', (2, "a\\\\")),
        ('[2, "\\n\\"\\u00e9-", "A", {}]', (2, '\\n\\"\\u00e9-')),
        ("[]", None),
        ("{}", None),
        ('["2","1"]', None),
        ('[2.0,"1"]', None),
        ("[" + "9" * 5000 + ',"1"]', None),
    ],
)
def test_peeking(text: str, head: tuple[int, str] | None) -> None:
    assert peek(text) == head


@given(st.text())
@example('[2,"\\ud800","Heartbeat",{}]')
def test_nothing_that_comes_raises(text: str) -> None:
    parse(text)
    peek(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([2, 3, 4]), st.lists(JSON, max_size=5), st.integers(0, 30))
def test_no_array_raises_and_what_is_to_be_answered_can_be(kind: int, rest: list[object], cut: int) -> None:
    text = json.dumps([kind, *rest])
    for damaged in (text, text[: len(text) - cut]):
        frame = parse(damaged)
        id_text = frame.id_text
        if id_text is not None:
            assert json.loads(frames.error_text(id_text, "InternalError"))[0] == 4
        if kind != 2:
            assert not isinstance(frame, CallFrame)


def test_half_a_surrogate_pair_can_be_answered() -> None:
    frame = parse('[2,"\\ud800x","Heartbeat",{}]')
    assert isinstance(frame, CallFrame)
    text = frames.sendable(frames.result_text(frame.id_text, "{}"))
    assert text.encode("utf-8") == b'[3, "\\ud800x", {}]'
    assert frames.sendable('[3, "é😀", {}]') == '[3, "é😀", {}]'


@pytest.mark.parametrize(
    "text", ['[3,"new",{}]', '[3, "new",{}]', '[3,"new" , { }]', '[2, "new", "A", {}]\n', '[4,"new","Odd","",{}]']
)
def test_a_message_that_has_the_id_is_as_it_came(text: str) -> None:
    assert frames.readdressed(text, '"new"') == text


@pytest.mark.parametrize(("id_text", "text"), [("1", '[3,"17",{}]'), ("1", "[3,17,{}]"), ('"new"', '[3,"\\"new",{}]')])
def test_an_id_is_not_taken_for_a_longer_one(id_text: str, text: str) -> None:
    assert frames.readdressed(text, id_text) == f"[3, {id_text},{{}}]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[2, "1", "A", {"a": 1.0, "b" : "]"} ]', '[2, "new", "A", {"a": 1.0, "b" : "]"} ]'),
        ('[3,"a,\\"b",{"x":[1e2]}]', '[3, "new",{"x":[1e2]}]'),
        ('[2,17,"A",null]', '[2, "new","A",null]'),
        (' [ 4 , "1" , "Odd", "\\u00e9", {} ]\n', '[4, "new" , "Odd", "\\u00e9", {} ]\n'),
    ],
)
def test_a_message_with_another_id_is_otherwise_as_it_came(text: str, expected: str) -> None:
    assert frames.readdressed(text, '"new"') == expected


def test_only_a_message_can_be_given_another_id() -> None:
    with pytest.raises(ValueError, match="no message"):
        frames.readdressed("{}", '"new"')


@pytest.mark.parametrize(
    ("text", "legal"),
    [
        ('[4,"1","GenericError","",{}]', True),
        ('[4,"1","VendorError","text",{"a":[1]}]', True),
        ('[4,"1"]', False),
        ('[4,"1","","text",{}]', False),
        ('[4,"1","GenericError",null,{}]', False),
        ('[4,"1","GenericError","",null]', False),
        ('[4,"1","GenericError","",{},0]', False),
        (f'[4,"1","GenericError","{"x" * 256}",{{}}]', False),
    ],
)
def test_which_errors_we_may_send_as_they_came(text: str, legal: bool) -> None:
    assert frames.is_legal_error(text) is legal
