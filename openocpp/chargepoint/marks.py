"""Subscriptions that stand at the method: triggered messages, changed keys; and signals from one manager to others.

Threads: marks are read once, at the start; signals fire in the monitor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from openocpp.errors import StateError
from openocpp.types import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from openocpp.types import OcppEnum

F = TypeVar("F", bound="Callable[..., Any]")
P = ParamSpec("P")

_TRIGGERS = "_triggered_messages"
_KEYS = "_watched_keys"


class Signal(Generic[P]):
    """News from a manager to those that were built after it. Subscribers are called in the order of subscription."""

    def __init__(self) -> None:
        self._subscribers: list[Callable[P, None]] = []

    def subscribe(self, subscriber: Callable[P, None]) -> None:
        self._subscribers.append(subscriber)

    def fire(self, *args: P.args, **kwargs: P.kwargs) -> None:
        for subscriber in self._subscribers:
            subscriber(*args, **kwargs)


def triggers(*messages: OcppEnum) -> Callable[[F], F]:
    """Mark a method that sends these messages when the central system asks for them (1.6 §5.17).

    It gets the connector id or None, and is called once the confirmation was written.
    """

    def mark(method: F) -> F:
        setattr(method, _TRIGGERS, messages)
        return method

    return mark


def on_key_change(*keys: str) -> Callable[[F], F]:
    """Mark a method that is called, without arguments, when one of these configuration keys has a new value."""

    def mark(method: F) -> F:
        setattr(method, _KEYS, keys)
        return method

    return mark


def _marked(owners: Iterable[object], attribute: str) -> Iterator[tuple[Any, Callable[..., None]]]:
    for owner in owners:
        for name in dir(type(owner)):
            for mark in getattr(getattr(type(owner), name), attribute, ()):
                yield mark, getattr(owner, name)


def triggers_of(owners: Iterable[object]) -> dict[tuple[type, str], Callable[[int | None], None]]:
    """Who sends which triggered message. The two enumerations share names, so the type belongs to the key."""
    found: dict[tuple[type, str], Callable[[int | None], None]] = {}
    for message, method in _marked(owners, _TRIGGERS):
        key = (type(message), str(message))
        if key in found:
            raise StateError(f"{message} is triggered by two methods")
        found[key] = method
    return found


def watchers_of(owners: Iterable[object]) -> dict[str, list[Callable[[], None]]]:
    """Who watches which key, by its folded name."""
    found: dict[str, list[Callable[[], None]]] = {}
    for key, method in _marked(owners, _KEYS):
        found.setdefault(fold(key), []).append(method)
    return found
