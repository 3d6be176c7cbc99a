"""Handlers are found by their mark, one for each request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_type

import pytest

from openocpp.errors import StateError
from openocpp.messages import (
    ClearCacheConf,
    ClearCacheReq,
    HeartbeatReq,
    Iso15118TriggerMessageConf,
    Iso15118TriggerMessageReq,
    ResetConf,
    ResetReq,
    TriggerMessageConf,
    TriggerMessageReq,
)
from openocpp.messages.dispatch import Dispatcher, handlers_of, handles
from openocpp.messages.messenger import Reply
from openocpp.types import (
    NO_ANSWER,
    ClearCacheStatus,
    NoAnswer,
    ResetStatus,
    ResetType,
    TriggerMessageStatus,
    TriggerMessageStatusEnumType,
)

ACCEPTED = ResetConf(status=ResetStatus.Accepted)


class Restarts:
    """Handles one request, and has other methods and properties."""

    def __init__(self, answer: ResetConf = ACCEPTED) -> None:
        self.answer = answer
        self.handled: list[ResetReq] = []

    @handles(ResetReq)
    def reset(self, request: ResetReq) -> ResetConf:
        """Restart."""
        self.handled.append(request)
        return self.answer

    def other(self) -> None:
        """Not a handler."""

    @property
    def costly(self) -> str:
        """A property that must not be looked at while handlers are gathered."""
        raise AssertionError("nobody asked")


class Triggers:
    """Handles two requests of the same action name."""

    @handles(TriggerMessageReq)
    def trigger(self, request: TriggerMessageReq) -> TriggerMessageConf:
        return TriggerMessageConf(status=TriggerMessageStatus.NotImplemented)

    @handles(Iso15118TriggerMessageReq)
    def trigger_pnc(self, request: Iso15118TriggerMessageReq) -> Iso15118TriggerMessageConf:
        return Iso15118TriggerMessageConf(status=TriggerMessageStatusEnumType.Accepted)


if TYPE_CHECKING:  # The type check fails when one of these is no error any more.

    class Wrong:
        """Handlers of another request, and with another confirmation, than they say."""

        @handles(ClearCacheReq)  # type: ignore[arg-type]
        def other_request(self, request: ResetReq) -> ClearCacheConf:
            raise NotImplementedError

        @handles(ClearCacheReq)  # type: ignore[arg-type]
        def other_confirmation(self, request: ClearCacheReq) -> ResetConf:
            raise NotImplementedError


class Later:
    """Answers, and has something to do once the answer has been written; or stays silent."""

    @handles(ResetReq)
    def reset(self, request: ResetReq) -> Reply:
        return Reply(ACCEPTED, lambda: None)

    @handles(ClearCacheReq)
    def clear(self, request: ClearCacheReq) -> ClearCacheConf | NoAnswer:
        return NO_ANSWER


def test_handlers_may_answer_with_more_or_with_nothing() -> None:
    dispatcher = Dispatcher(Later())
    reset, clear = dispatcher.lookup(ResetReq), dispatcher.lookup(ClearCacheReq)
    assert reset is not None
    assert clear is not None
    assert reset(ResetReq(type=ResetType.Hard)).confirmation is ACCEPTED
    assert clear(ClearCacheReq()) is NO_ANSWER


def test_a_handler_is_found_and_bound() -> None:
    restarts = Restarts()
    dispatcher = Dispatcher(restarts, Triggers())
    handler = dispatcher.lookup(ResetReq)
    assert handler is not None
    assert handler == dispatcher.lookup("Reset")
    assert handler(ResetReq(type=ResetType.Hard)) is restarts.answer
    assert restarts.handled == [ResetReq(type=ResetType.Hard)]


def test_a_marked_method_is_still_a_method() -> None:
    answer = Restarts().reset(ResetReq(type=ResetType.Soft))
    assert_type(answer, ResetConf)
    assert Restarts.reset.__doc__ == "Restart."


def test_what_nobody_handles() -> None:
    dispatcher = Dispatcher(Restarts())
    assert dispatcher.lookup(HeartbeatReq) is None
    assert dispatcher.lookup("Heartbeat") is None
    assert dispatcher.lookup("Unheard") is None
    assert Dispatcher().requests == frozenset()


def test_tunnelled_messages_are_found_by_their_class() -> None:
    triggers = Triggers()
    dispatcher = Dispatcher(triggers)
    assert dispatcher.lookup("TriggerMessage") == triggers.trigger
    assert dispatcher.lookup(Iso15118TriggerMessageReq) == triggers.trigger_pnc
    assert dispatcher.requests == {TriggerMessageReq, Iso15118TriggerMessageReq}


def test_a_double_claim_is_an_error_that_names_both() -> None:
    class Rival:
        """Claims the same."""

        @handles(ResetReq)
        def mine(self, request: ResetReq) -> ResetConf:
            return ACCEPTED

    with pytest.raises(StateError, match=r"ResetReq is claimed by .*Rival\.mine and by .*Restarts\.reset"):
        Dispatcher(Restarts(), Rival())
    dispatcher = Dispatcher(Restarts())
    with pytest.raises(StateError):
        dispatcher.add(Restarts())


def test_an_overridden_handler_keeps_its_mark() -> None:
    class Special(Restarts):
        """Answers otherwise."""

        def reset(self, request: ResetReq) -> ResetConf:
            return ResetConf(status=ResetStatus.Rejected)

    handler = Dispatcher(Special()).lookup(ResetReq)
    assert handler is not None
    assert handler(ResetReq(type=ResetType.Hard)).status is ResetStatus.Rejected


def test_one_method_may_handle_several_requests() -> None:
    class Both:
        """The marks add up."""

        @handles(ClearCacheReq)
        def clear(self, request: ClearCacheReq) -> ClearCacheConf:
            return ClearCacheConf(status=ClearCacheStatus.Accepted)

    anything: Any = Both.clear
    handles(ResetReq)(anything)
    assert {request for request, _ in handlers_of(Both())} == {ClearCacheReq, ResetReq}


def test_a_repr_lists_what_is_handled() -> None:
    assert repr(Dispatcher(Restarts(), Triggers())) == (
        "Dispatcher(Iso15118TriggerMessageReq, ResetReq, TriggerMessageReq)"
    )
