"""The network of real sockets, and how a role finds its runtime's network.

What it takes to connect or to listen is imported when it is done for the first time.
Threads: any but the scheduler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.errors import ConnectError
    from openocpp.runtime import Runtime
    from openocpp.transport.base import Attempt, Door, Listener, ListenSettings, Network, Target, Transport
    from openocpp.transport.listen import SocketListener


def network(runtime: Runtime) -> Network:
    """The network of this runtime: that of memory, if a simulated runtime brought one under the same key."""
    return runtime.shared(SocketNetwork, SocketNetwork)


class SocketNetwork:
    """Connections over TCP. See ``Network``."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._listeners: WeakSet[SocketListener] = WeakSet()

    def connect(self, target: Target, done: Callable[[Transport | ConnectError], None]) -> Attempt:
        from openocpp.transport.connect import connect

        return connect(self._runtime, target, done)

    def listen(self, settings: ListenSettings, door: Door) -> Listener:
        from openocpp.transport.listen import listen

        listener = listen(self._runtime, settings, door)
        self._listeners.add(listener)
        return listener

    def stop(self) -> None:
        """Close what still listens. Connections belong to those who opened them."""
        for listener in list(self._listeners):
            listener.close_by_scheduler()
