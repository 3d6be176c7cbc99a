"""Who handles which request: ``@handles`` at the method, one table per role.

    class ReservationManager:
        @handles(ReserveNowReq)
        def reserve_now(self, request: ReserveNowReq) -> ReserveNowConf: ...

    Dispatcher(reservations, status, ...).lookup("ReserveNow")

A handler whose request or confirmation is another than the decorator says fails the type check.

Threads: any; a table is complete before the first request comes.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from openocpp.errors import StateError
from openocpp.messages.base import ACTIONS, Confirmation, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openocpp.messages.messenger import Reply
    from openocpp.types.results import NoAnswer

C = TypeVar("C", bound=Confirmation)
S = TypeVar("S")
Q = TypeVar("Q", bound=Request[Any])
Q_co = TypeVar("Q_co", bound=Request[Any], covariant=True)

_MARK = "_handled_requests"


class _Mark(Generic[Q_co]):
    def __init__(self, request_type: type[Q_co]) -> None:
        self._request_type = request_type

    @overload
    def __call__(self: _Mark[Request[C]], method: Callable[[S, Q_co], C]) -> Callable[[S, Q_co], C]: ...
    @overload
    def __call__(self: _Mark[Request[C]], method: Callable[[S, Q_co], C | Reply]) -> Callable[[S, Q_co], C | Reply]: ...
    @overload
    def __call__(
        self: _Mark[Request[C]], method: Callable[[S, Q_co], C | Reply | NoAnswer]
    ) -> Callable[[S, Q_co], C | Reply | NoAnswer]: ...

    def __call__(self, method: Any) -> Any:
        setattr(method, _MARK, (*getattr(method, _MARK, ()), self._request_type))
        return method


def handles(request_type: type[Q]) -> _Mark[Q]:
    """Mark a method as the handler of a request."""
    return _Mark(request_type)


def handlers_of(owner: object) -> Iterator[tuple[type[Request[Any]], Callable[[Any], Any]]]:
    """The marked methods of an object, bound to it, with what they handle. Overriding a method keeps its mark."""
    for name in dir(type(owner)):
        for cls in type(owner).__mro__:
            member = inspect.getattr_static(cls, name, None)
            requests = getattr(member, _MARK, ())
            if requests:
                for request_type in requests:
                    yield request_type, getattr(owner, name)
                break


class Dispatcher:
    """One handler for each request. StateError when two claim the same."""

    def __init__(self, *owners: object) -> None:
        self._handlers: dict[type[Request[Any]], Callable[[Any], Any]] = {}
        for owner in owners:
            self.add(owner)

    def __repr__(self) -> str:
        return f"Dispatcher({', '.join(sorted(cls.__name__ for cls in self._handlers))})"

    def add(self, owner: object) -> None:
        """Take up all marked methods of an object."""
        for request_type, handler in handlers_of(owner):
            other = self._handlers.get(request_type)
            if other is not None:
                raise StateError(f"{request_type.__name__} is claimed by {_named(handler)} and by {_named(other)}")
            self._handlers[request_type] = handler

    def lookup(self, request: str | type[Request[Any]]) -> Callable[[Any], Any] | None:
        """The handler of a request, given by its class or by its action (Plug & Charge: by its class)."""
        if isinstance(request, str):
            info = ACTIONS.get(request)
            return self._handlers.get(info.request) if info else None
        return self._handlers.get(request)

    @property
    def requests(self) -> frozenset[type[Request[Any]]]:
        """What is handled."""
        return frozenset(self._handlers)


def _named(handler: Callable[[Any], Any]) -> str:
    return getattr(handler, "__qualname__", repr(handler))
