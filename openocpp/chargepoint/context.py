"""What nearly every manager of a charge point needs, and the one way to the application's callbacks.

Threads: monitor.
"""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from openocpp.config.stack import setting
from openocpp.errors import CallError, ErrorCode
from openocpp.rpc.masking import hidden
from openocpp.types import hide_password

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from openocpp.chargepoint.connectors import Connectors
    from openocpp.chargepoint.interface import IChargePointEventsHandler
    from openocpp.config import IChargePointConfig, IOcppConfig
    from openocpp.messages.messenger import Messenger
    from openocpp.runtime import Monitor, Runtime, Strand
    from openocpp.store.database import Database

log = logging.getLogger("openocpp.chargepoint")

T = TypeVar("T")
P = ParamSpec("P")

_ABSENT = object()


def read_setting(config: object, name: str) -> Any:
    """A stack setting; the default of an additional one that the application's object does not have."""
    found = getattr(config, name, _ABSENT)
    return setting(config, name) if found is _ABSENT else found


class Events:
    """The application's callbacks. ``ask`` and ``require`` leave the monitor while they run: read state anew after.

    ``tell`` hands a notification to a worker: notifications arrive in order, and nobody waits for them.
    """

    def __init__(self, handler: IChargePointEventsHandler, monitor: Monitor, notifications: Strand, name: str) -> None:
        self.handler = handler
        self._monitor = monitor
        self._notifications = notifications
        self._name = name
        self._closed = False

    def close(self) -> None:
        """The role stops: nobody is notified any more, and what is still answered counts as refused."""
        self._closed = True
        self._notifications.close()

    def ask(self, fallback: T, callback: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The callback's answer; ``fallback`` when it raises, or when the role was stopped meanwhile."""
        answer = fallback
        with self._monitor.left():
            try:
                answer = callback(*args, **kwargs)
            except Exception:  # the application's bug is logged and answered as a refusal
                self._note_failure(callback, args)
        return fallback if self._closed else answer

    def require(self, callback: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The callback's answer; a CallError InternalError when it raises, for the peer that asked.

        The same when the role was stopped meanwhile: the procedure ends there.
        """
        with self._monitor.left():
            try:
                answer = callback(*args, **kwargs)
            except CallError:
                raise
            except Exception as error:
                self._note_failure(callback, args)
                raise CallError(ErrorCode.InternalError, "the charge point could not process the request") from error
        if self._closed:
            raise CallError(ErrorCode.InternalError, "the charge point is being stopped")
        return answer

    def tell(self, callback: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Notify, in order, without waiting."""

        def run() -> None:
            try:
                callback(*args, **kwargs)
            except Exception:  # as above
                self._note_failure(callback, args)

        self._notifications.put(run)

    def _note_failure(self, callback: object, args: Iterable[object]) -> None:
        """Addresses of transfers and messages of the vendor may hold passwords, and exceptions repeat addresses."""
        name = getattr(callback, "__name__", "a callback")
        shown = tuple(hidden(argument) if isinstance(argument, str) else argument for argument in args)
        trace = traceback.format_exc()
        without = hide_password(trace)
        if without == trace:
            log.exception("%s: %s%r failed", self._name, name, shown)
        else:
            log.error("%s: %s%r failed\n%s", self._name, name, shown, without)


class ChargePointContext:
    """What a charge point is made of, for its managers. One for each start."""

    def __init__(
        self,
        *,
        name: str,
        runtime: Runtime,
        monitor: Monitor,
        messenger: Messenger,
        database: Database,
        connectors: Connectors,
        events: Events,
        config: IChargePointConfig,
        keys: IOcppConfig,
    ) -> None:
        self.name = name
        self.runtime = runtime
        self.monitor = monitor
        self.messenger = messenger
        self.database = database
        self.connectors = connectors
        self.events = events
        self.config = config
        self.keys = keys
        self.stopping = False  # set by ``stop``: a procedure that comes back from a wait ends there

    @property
    def clock(self) -> Any:
        return self.runtime.clock

    def setting(self, name: str) -> Any:
        """A stack setting as it is now; its default if the application's object has no such attribute."""
        return read_setting(self.config, name)

    def __repr__(self) -> str:
        return f"<charge point {self.name}>"
