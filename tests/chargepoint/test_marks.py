"""Subscriptions that stand at methods, and signals."""

from __future__ import annotations

import pytest

from openocpp.chargepoint.marks import Signal, on_key_change, triggers, triggers_of, watchers_of
from openocpp.errors import StateError
from openocpp.types import MessageTrigger, MessageTriggerEnumType


class Sender:
    def __init__(self) -> None:
        self.seen: list[object] = []

    @triggers(MessageTrigger.Heartbeat, MessageTriggerEnumType.Heartbeat)
    def heartbeat(self, connector_id: int | None) -> None:
        self.seen.append(("heartbeat", connector_id))

    @on_key_change("HeartbeatInterval", "MinimumStatusDuration")
    def changed(self) -> None:
        self.seen.append("changed")

    def unmarked(self) -> None:
        self.seen.append("unmarked")


class Derived(Sender):
    """Inherits the marks."""


class Other:
    def __init__(self) -> None:
        self.changes = 0

    @triggers(MessageTriggerEnumType.FirmwareStatusNotification)
    def signed(self, connector_id: int | None) -> None:
        self.changes += 1

    @triggers(MessageTrigger.FirmwareStatusNotification)
    def plain(self, connector_id: int | None) -> None:
        self.changes += 100

    @on_key_change("heartbeatINTERVAL")
    def changed(self) -> None:
        self.changes += 1


@pytest.mark.parametrize("kind", [Sender, Derived])
def test_triggers_are_found_by_enumeration_and_name(kind: type[Sender]) -> None:
    sender, other = kind(), Other()
    found = triggers_of([sender, other])
    assert set(found) == {
        (MessageTrigger, "Heartbeat"),
        (MessageTriggerEnumType, "Heartbeat"),
        (MessageTrigger, "FirmwareStatusNotification"),
        (MessageTriggerEnumType, "FirmwareStatusNotification"),
    }
    found[MessageTrigger, "Heartbeat"](3)
    found[MessageTriggerEnumType, "Heartbeat"](None)
    found[MessageTriggerEnumType, "FirmwareStatusNotification"](None)
    assert sender.seen == [("heartbeat", 3), ("heartbeat", None)]
    assert other.changes == 1


def test_two_senders_of_a_message_are_a_bug() -> None:
    with pytest.raises(StateError, match="Heartbeat"):
        triggers_of([Sender(), Derived()])


def test_watchers_of_a_key_in_any_case() -> None:
    sender, other = Sender(), Other()
    found = watchers_of([sender, other])
    assert set(found) == {"heartbeatinterval", "minimumstatusduration"}
    for watcher in found["heartbeatinterval"]:
        watcher()
    assert (sender.seen, other.changes) == (["changed"], 1)


def test_a_signal_reaches_its_subscribers_in_order() -> None:
    signal: Signal[[int, str]] = Signal()
    signal.fire(0, "nobody listens")
    seen: list[tuple[str, int, str]] = []
    signal.subscribe(lambda number, text: seen.append(("first", number, text)))
    signal.subscribe(lambda number, text: seen.append(("second", number, text)))
    signal.fire(1, "news")
    assert seen == [("first", 1, "news"), ("second", 1, "news")]
