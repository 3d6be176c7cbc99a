"""One open CALL, ids, deadlines and the end of a connection, without I/O."""

from __future__ import annotations

import json

from openocpp.rpc.session import Outcome, OutcomeKind, OutgoingCall, PassedOnCall, Session, State


class Caller:
    """Makes calls and notes how they end."""

    def __init__(self) -> None:
        self.ended: list[tuple[str, OutcomeKind, bool]] = []

    def call(self, action: str, timeout: float = 2.0, patience: float | None = None) -> OutgoingCall:
        def done(outcome: Outcome) -> None:
            self.ended.append((action, outcome.kind, outcome.sent))

        return OutgoingCall(action, "{}", timeout, done, patience)


def id_of(text: str | None) -> str:
    assert text is not None
    frame = json.loads(text)
    assert frame[0] == 2
    assert frame[3] == {}
    return str(frame[1])


def test_one_call_is_open_at_a_time_and_the_next_follows_the_answer() -> None:
    session, caller = Session(41), Caller()
    first = session.submit(caller.call("A"), 0.0)
    assert first == '[2, "41", "A", {}]'
    assert session.submit(caller.call("B"), 0.5) is None
    assert session.submit(caller.call("C"), 0.5) is None
    call, following = session.answered("41", '[3,"41",{}]', 1.0)
    assert call is not None
    assert call.action == "A"
    assert following == '[2, "42", "B", {}]'
    call, following = session.answered("42", '[4,"42","GenericError","",{}]', 1.1)
    assert following == '[2, "43", "C", {}]'
    assert session.answered("43", '[3,"43",{}]', 1.2)[1] is None
    assert caller.ended == [(action, OutcomeKind.ANSWERED, True) for action in "ABC"]
    assert session.deadline is None


def test_an_id_is_never_used_twice_whatever_becomes_of_the_calls() -> None:
    session, caller = Session(7), Caller()
    seen = set()
    for step in range(4):
        now = 10.0 * step
        seen.add(id_of(session.submit(caller.call("A"), now)))
        session.expire(now + 2.0)
    seen.add(id_of(session.submit(caller.call("A"), 100.0)))
    assert len(seen) == 5
    assert all(len(unique_id) <= 36 for unique_id in seen)


def test_answers_to_no_open_call_change_nothing() -> None:
    session, caller = Session(0), Caller()
    assert session.answered("0", '[3,"0",{}]', 0.0) == (None, None)
    session.submit(caller.call("A"), 0.0)
    assert session.answered("1", '[3,"1",{}]', 0.0) == (None, None)
    assert caller.ended == []
    session.answered("0", '[3,"0",{}]', 0.0)
    assert session.answered("0", '[3,"0",{}]', 0.0) == (None, None)
    assert len(caller.ended) == 1


def test_the_time_for_an_answer_begins_when_the_call_is_sent() -> None:
    session, caller = Session(0), Caller()
    session.submit(caller.call("A", timeout=5.0), 0.0)
    session.submit(caller.call("B", timeout=2.0, patience=60.0), 0.0)
    assert session.deadline == 5.0
    assert session.expire(4.9) is None
    assert caller.ended == []
    assert id_of(session.expire(5.0)) == "1"
    assert caller.ended == [("A", OutcomeKind.TIMED_OUT, True)]
    assert session.deadline == 7.0
    assert session.answered("0", '[3,"0",{}]', 5.5) == (None, None)  # too late
    session.answered("1", '[3,"1",{}]', 6.0)
    assert caller.ended[1] == ("B", OutcomeKind.ANSWERED, True)


def test_who_waits_too_long_for_a_turn_was_never_sent() -> None:
    session, caller = Session(0), Caller()
    session.submit(caller.call("A", timeout=10.0), 0.0)
    session.submit(caller.call("B", timeout=3.0), 1.0)  # its patience is as long as its timeout
    session.submit(caller.call("C", timeout=3.0, patience=1.0), 1.0)
    assert session.deadline == 2.0
    assert session.expire(2.0) is None
    assert caller.ended == [("C", OutcomeKind.TIMED_OUT, False)]
    assert session.deadline == 4.0
    _, following = session.answered("0", '[3,"0",{}]', 4.5)  # nobody looked at the clock meanwhile
    assert following is None
    assert caller.ended[1:] == [("A", OutcomeKind.ANSWERED, True), ("B", OutcomeKind.TIMED_OUT, False)]


def test_a_call_that_is_passed_on_has_the_next_turn() -> None:
    """Its sender waits already. The others are not left behind: there is one such call at a time."""
    session, caller = Session(0), Caller()
    for action in "ABC":
        session.submit(caller.call(action), 0.0)
    texts = []
    for number in range(2):
        text = f'[2,"x{number}","P",{{}}]'
        passed = PassedOnCall("P", text, 2.0, lambda outcome: caller.ended.append(("P", outcome.kind, outcome.sent)))
        passed.wanted_id = f"x{number}"
        assert session.submit(passed, 0.0) is None
        for _ in range(2):
            assert session._open is not None
            open_id = session._open.unique_id
            texts.append(session.answered(open_id, f'[3,"{open_id}",{{}}]', 1.0)[1])
    assert texts == ['[2,"x0","P",{}]', '[2, "1", "B", {}]', '[2,"x1","P",{}]', '[2, "2", "C", {}]']


def test_closing_lets_the_open_call_be_answered_and_sends_nothing_new() -> None:
    session, caller = Session(0), Caller()
    session.submit(caller.call("A"), 0.0)
    session.submit(caller.call("B"), 0.0)
    session.begin_closing()
    session.begin_closing()
    assert session.state is State.CLOSING
    assert caller.ended == [("B", OutcomeKind.NOT_CONNECTED, False)]
    assert session.submit(caller.call("C"), 0.0) is None
    assert caller.ended[1] == ("C", OutcomeKind.NOT_CONNECTED, False)
    assert session.answered("0", '[3,"0",{}]', 1.0)[1] is None
    assert caller.ended[2] == ("A", OutcomeKind.ANSWERED, True)


def test_the_end_ends_every_call() -> None:
    session, caller = Session(0), Caller()
    session.submit(caller.call("A"), 0.0)
    session.submit(caller.call("B"), 0.0)
    session.close()
    session.close()
    assert session.state is State.CLOSED
    assert caller.ended == [("A", OutcomeKind.NOT_CONNECTED, True), ("B", OutcomeKind.NOT_CONNECTED, False)]
    assert session.submit(caller.call("C"), 0.0) is None
    assert session.answered("0", '[3,"0",{}]', 1.0) == (None, None)
    assert session.expire(100.0) is None
    assert len(caller.ended) == 3


def test_reprs_tell_the_state() -> None:
    session, caller = Session(0), Caller()
    call = caller.call("A")
    assert repr(call) == "<call A not sent>"
    session.submit(call, 0.0)
    session.submit(caller.call("B"), 0.0)
    assert repr(session) == "<session OPEN: <call A 0>, 1 waiting>"
    assert repr(Outcome(OutcomeKind.TIMED_OUT, sent=False)) == "Outcome(TIMED_OUT, sent=False)"
