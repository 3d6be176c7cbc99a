"""Texts that are no OCPP-J frames, to both roles: each has its answer, or none, and the connection goes on.

That a text was ignored is shown by the next one's answer: the CALLs of a connection are answered in order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.bad_input.sides import (
    FORMATION,
    NOT_IMPLEMENTED,
    OCCURENCE,
    Central,
    Link,
)
from tests.transport.peers import LIMIT

if TYPE_CHECKING:
    from openocpp import (
        Runtime,
    )

NOTHING: list[Any] = []
UNKNOWN = "Invented"

FRAMES: dict[str, tuple[str, list[Any]]] = {
    "no JSON": ("hello", NOTHING),
    "empty": ("", NOTHING),
    "an object": ('{"a":1}', NOTHING),
    "a number": ("5", NOTHING),
    "null": ("null", NOTHING),
    "no elements": ("[]", NOTHING),
    "cut off before the id": ("[2,", NOTHING),
    "cut off in the id": ('[2,"1', NOTHING),
    "cut off after the id": ('[2,"1","Heartbeat",{', [4, "1", FORMATION]),
    "single quotes": ("[2,'1','Heartbeat',{}]", NOTHING),
    "trailing comma": ('[2,"1","Heartbeat",{},]', [4, "1", FORMATION]),
    "something behind it": ('[2,"1","Heartbeat",{}] x', [4, "1", FORMATION]),
    "two messages": ('[2,"1","Heartbeat",{}][2,"2","Heartbeat",{}]', [4, "1", FORMATION]),
    "type alone": ("[2]", NOTHING),
    "unknown type": ('[5,"1",{}]', NOTHING),
    "type 0": ('[0,"1","Heartbeat",{}]', NOTHING),
    "negative type": ('[-2,"1","Heartbeat",{}]', NOTHING),
    "type as text": ('["2","1","Heartbeat",{}]', NOTHING),
    "type with a fraction": ('[2.0,"1","Heartbeat",{}]', NOTHING),
    "type true": ('[true,"1","Heartbeat",{}]', NOTHING),
    "type null": ('[null,"1","Heartbeat",{}]', NOTHING),
    "type as array": ('[[2],"1","Heartbeat",{}]', NOTHING),
    "type beyond 64 bits": ('[99999999999999999999,"1","Heartbeat",{}]', NOTHING),
    "type of 5000 digits": ("[" + "9" * 5000 + ',"1","Heartbeat",{}]', NOTHING),
    "2 elements": ('[2,"1"]', [4, "1", FORMATION]),
    "3 elements": ('[2,"1","Heartbeat"]', [4, "1", FORMATION]),
    "5 elements": ('[2,"1","Heartbeat",{},{}]', [4, "1", FORMATION]),
    "action as number": ('[2,"1",7,{}]', [4, "1", FORMATION]),
    "action null": ('[2,"1",null,{}]', [4, "1", FORMATION]),
    "action as object": ('[2,"1",{},{}]', [4, "1", FORMATION]),
    "empty action": ('[2,"1","",{}]', [4, "1", NOT_IMPLEMENTED]),
    "unknown action": (f'[2,"1","{UNKNOWN}",{{}}]', [4, "1", NOT_IMPLEMENTED]),
    "action in lower case": ('[2,"1","heartbeat",{}]', [4, "1", NOT_IMPLEMENTED]),
    "action with blanks": ('[2,"1"," Heartbeat",{}]', [4, "1", NOT_IMPLEMENTED]),
    "action of 10000 characters": (f'[2,"1","{"A" * 10_000}",{{}}]', [4, "1", NOT_IMPLEMENTED]),
    "payload as text": ('[2,"1","DataTransfer","{}"]', [4, "1", FORMATION]),
    "payload as array": ('[2,"1","DataTransfer",[]]', [4, "1", FORMATION]),
    "payload as number": ('[2,"1","DataTransfer",0]', [4, "1", FORMATION]),
    "payload false": ('[2,"1","DataTransfer",false]', [4, "1", FORMATION]),
    "payload null, fields missing": ('[2,"1","DataTransfer",null]', [4, "1", OCCURENCE]),
    "id null": ('[2,null,"DataTransfer",{}]', NOTHING),
    "id true": ('[2,true,"DataTransfer",{}]', NOTHING),
    "id as array": ('[2,["1"],"DataTransfer",{}]', NOTHING),
    "id as object": ('[2,{"id":"1"},"DataTransfer",{}]', NOTHING),
    "id beyond any number": ('[2,1e999,"DataTransfer",{}]', NOTHING),
    "id as number": ('[2,17,"DataTransfer",{"vendorId":"V"}]', [3, 17]),
    "empty id": ('[2,"","DataTransfer",{"vendorId":"V"}]', [3, ""]),
    "id of 36 characters": (f'[2,"{"x" * 36}","DataTransfer",{{"vendorId":"V"}}]', [3, "x" * 36]),
    "id of 37 characters": (f'[2,"{"x" * 37}","DataTransfer",{{"vendorId":"V"}}]', [3, "x" * 37]),
    "id of 255 characters": (f'[2,"{"é" * 255}","DataTransfer",{{"vendorId":"V"}}]', [3, "é" * 255]),
    "id of 256 characters": (f'[2,"{"x" * 256}","DataTransfer",{{"vendorId":"V"}}]', NOTHING),
    "id with escapes": ('[2,"\\u0041\\"\\\\\\n","DataTransfer",{"vendorId":"V"}]', [3, 'A"\\\n']),
    "id with half a surrogate pair": ('[2,"\\ud800","DataTransfer",{"vendorId":"V"}]', [3, "\ud800"]),
    "NaN": ('[2,"1","DataTransfer",{"vendorId":NaN}]', [4, "1", FORMATION]),
    "Infinity": ('[2,"1","DataTransfer",{"vendorId":-Infinity}]', [4, "1", FORMATION]),
    "a number like infinity": ('[2,"1","DataTransfer",{"vendorId":1e400}]', [4, "1", FORMATION]),
    "a number of 5000 digits": (f'[2,"1","DataTransfer",{{"vendorId":{"9" * 5000}}}]', [4, "1", FORMATION]),
    "nested too deep": ('[2,"1","DataTransfer",' + "[" * 5000 + "]" * 5000 + "]", [4, "1", FORMATION]),
    "a control character in a text": ('[2,"1","DataTransfer",{"vendorId":"a\nb"}]', [4, "1", FORMATION]),
    "an unknown escape": ('[2,"1","DataTransfer",{"vendorId":"\\x"}]', [4, "1", FORMATION]),
    "byte order mark": ('\ufeff[2,"1","DataTransfer",{"vendorId":"V"}]', NOTHING),
    "CALLRESULT alone": ("[3]", NOTHING),
    "CALLRESULT without payload": ('[3,"1"]', NOTHING),
    "CALLRESULT to nobody": ('[3,"1",{}]', NOTHING),
    "CALLRESULT with 4 elements": ('[3,"1",{},{}]', NOTHING),
    "CALLRESULT cut off": ('[3,"1",{', NOTHING),
    "CALLRESULT with an odd id": ('[3,["1"],{}]', NOTHING),
    "CALLERROR alone": ("[4]", NOTHING),
    "CALLERROR to nobody": ('[4,"1","GenericError","",{}]', NOTHING),
    "CALLERROR without id": ('[4,"","ProtocolError","",{}]', NOTHING),
    "CALLERROR of wrong types": ('[4,"1",{},[],5]', NOTHING),
    "CALLERROR cut off": ('[4,"1","GenericError",', NOTHING),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_that_is_none_is_answered_if_it_can_be_and_the_connection_goes_on(link: Link, name: str) -> None:
    text, expected = FRAMES[name]
    link.peer.text(text)
    if expected:
        answer = link.peer.next_answer()
        assert answer[: len(expected)] == expected
        if answer[0] == 4:
            assert len(answer) == 5
            assert answer[3], "a CALLERROR says what was wrong"
            assert len(answer[3]) <= 255
            assert answer[4] == {}
    assert link.peer.is_alive()


def test_a_peer_that_sends_nothing_else_is_still_served(link: Link) -> None:
    for number, (text, _) in enumerate(FRAMES.values()):
        link.peer.text(text.replace('"1"', f'"{number}"'))
    for number, (_, expected) in enumerate(FRAMES.values()):
        if expected:
            wanted = [str(number) if value == "1" else value for value in expected]
            assert link.peer.next_answer()[: len(wanted)] == wanted
    assert link.peer.is_alive()


def test_an_id_that_is_still_handled_is_refused_the_second_time(central: Central, runtime: Runtime) -> None:
    peer = central.connected()
    free = runtime.waiter()
    central.events.handlers[0].on["authorize"] = lambda id_tag: free.wait(LIMIT)
    peer.text('[2,"same","Authorize",{"idTag":"A"}]')
    peer.text('[2,"same","Authorize",{"idTag":"B"}]')
    assert peer.next_answer()[:3] == [4, "same", "ProtocolError"]
    free.set(None)
    assert peer.next_answer()[:2] == [3, "same"]
    assert central.events.handlers[0].of("authorize") == [("A",)]
    assert peer.is_alive()
