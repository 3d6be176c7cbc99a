"""The connection that a client keeps: made, watched, and made again after a growing pause.

A charge point must not overload a central system that refuses it (errata-J 3.3): the pause doubles after each failure,
up to a maximum, and a random part keeps the charge points of a whole site apart.
Threads: scheduler, where the listener is called; the public methods any.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Protocol

from openocpp.errors import ConnectError
from openocpp.transport.base import CloseCode, Closed
from openocpp.transport.sockets import network

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.runtime import Runtime, Timer
    from openocpp.transport.base import Attempt, Peer, Receiver, Target, Transport

log = logging.getLogger("openocpp.transport")

STOP_LIMIT = 2.5  # seconds for ``stop`` and ``restart``; the close handshake itself is given up after 2 by default
LASTED = 2.0  # a connection that lasted this many times the first pause makes the pause short again


@dataclass(frozen=True)
class RetryPolicy:
    """Pauses between attempts (seconds): ``first``, doubled after each failure up to ``maximum``, plus jitter.

    ``first`` of 0 means a single attempt: neither a failure nor the loss of a connection is followed by another one. A
    ``maximum`` not above ``first`` keeps the pause constant. A random share of
    the pause, up to ``jitter``, is added.
    """

    first: float
    maximum: float
    jitter: float = 0.2

    def pause(self, failures: int, random: float) -> float:
        """The pause after that many failures in a row (from 1 on); ``random`` from 0 to 1 decides on the jitter."""
        doubled = self.first * 2.0 ** min(failures - 1, 64)
        return min(doubled, max(self.first, self.maximum)) * (1.0 + self.jitter * random)


class ClientListener(Protocol):
    """What a client tells. Threads: scheduler; must not block."""

    def connected(self, transport: Transport) -> None:
        """A connection is open. It is to be started before this returns, and need not be closed."""

    def failed(self, error: ConnectError, first: bool) -> None:
        """An attempt failed; ``first``: since the start, or since the last connection."""

    def disconnected(self, why: Closed) -> None:
        """The connection ended, whoever ended it. Its receiver was told before."""


class _State(Enum):
    IDLE = auto()
    CONNECTING = auto()
    CONNECTED = auto()
    PAUSING = auto()  # until the next attempt
    CLOSING = auto()  # the close handshake of stop or restart is under way


class Client:
    """Keeps one connection to one target."""

    def __init__(self, runtime: Runtime, listener: ClientListener) -> None:
        self._runtime = runtime
        self._scheduler = runtime.scheduler
        self._listener = listener
        self._state = _State.IDLE
        self._target: Target | None = None  # None: not to be connected
        self._retry = RetryPolicy(0.0, 0.0)
        self._failures = 0  # in a row, connections that did not last included
        self._told = False  # of the first failure
        self._attempt: Attempt | None = None
        self._timer: Timer | None = None
        self._watched: _Watched | None = None
        self._since = 0.0
        self._on_left: list[Callable[[], None]] = []

    def __repr__(self) -> str:
        where = f" to {self._target.url}" if self._target else ""
        return f"<client {self._state.name}{where}, {self._failures} failures>"

    @property
    def is_connected(self) -> bool:
        return self._state is _State.CONNECTED

    @property
    def is_idle(self) -> bool:
        """Is there neither a connection nor another attempt to come, until it is started anew?"""
        return self._state is _State.IDLE

    def start(self, target: Target, retry: RetryPolicy) -> None:
        """Connect at once and keep the connection. If it was started before: stop, then start anew."""
        self._scheduler.post(lambda: self._restart(target, retry))

    def restart(self, target: Target) -> None:
        """Close the connection (1000) or give up the attempt or the pause, then connect to this target at once."""
        self._scheduler.post(lambda: self._restart(target, self._retry))

    def stop(self, done: Callable[[], None] | None = None) -> None:
        """Close the connection (1000, at most 2.5 s) or give up the attempt or the pause, and make no other.

        It does not wait; ``done`` is called on the scheduler when nothing of that is left. Idempotent.
        """
        self._scheduler.post(lambda: self._stop(done))

    def wait_stopped(self, timeout: float | None = STOP_LIMIT + 0.5) -> bool:
        """Wait until what was stopped before is gone: True; False after ``timeout`` seconds.

        Any thread but the scheduler. It does not ask to stop.
        """
        waiter = self._runtime.waiter()

        def tell() -> None:
            waiter.set(None)

        self._scheduler.post(lambda: self._when_left(tell))
        return waiter.wait(timeout)

    # -- verbs ---------------------------------------------------------------------------------------------------------

    def _restart(self, target: Target, retry: RetryPolicy) -> None:
        self._target, self._retry = target, retry
        self._failures = 0
        self._told = False
        self._leave()

    def _stop(self, done: Callable[[], None] | None) -> None:
        self._target = None
        if done is not None:
            self._on_left.append(done)
        self._leave()

    def _leave(self) -> None:
        """Leave whatever it is doing; then connect, or be idle, as ``_target`` says."""
        if self._state is _State.CLOSING:
            return
        if self._state is _State.CONNECTED and self._watched is not None:
            self._state = _State.CLOSING
            self._timer = self._scheduler.call_later(STOP_LIMIT, self._close_timed_out)
            self._watched.close()
            return
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.cancel()
        self._go_on()

    def _go_on(self) -> None:
        """What was there before is gone."""
        self._cancel_timer()
        self._state = _State.IDLE
        callbacks, self._on_left = self._on_left, []
        for callback in callbacks:
            self._scheduler.post(callback)
        if self._target is not None:
            self._connect(self._target)

    def _when_left(self, callback: Callable[[], None]) -> None:
        if self._state is _State.IDLE:
            callback()
        else:
            self._on_left.append(callback)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -- attempts ------------------------------------------------------------------------------------------------------

    def _connect(self, target: Target) -> None:
        self._state = _State.CONNECTING
        turn = _Turn(self)
        turn.attempt = self._attempt = network(self._runtime).connect(target, turn.done)

    def attempt_done(self, attempt: Attempt | None, result: Transport | ConnectError) -> None:
        """An attempt has its result. Threads: scheduler."""
        if self._state is not _State.CONNECTING or attempt is not self._attempt:
            if not isinstance(result, ConnectError):
                result.abort()  # given up meanwhile
            return
        self._attempt = None
        if isinstance(result, ConnectError):
            first, self._told = not self._told, True
            self._pause()
            self._listener.failed(result, first)
            return
        self._state = _State.CONNECTED
        self._told = False
        self._since = self._runtime.clock.now()
        self._watched = watched = _Watched(result, self)
        try:
            self._listener.connected(watched)
        except Exception:
            watched.abort()
            self.connection_ended(watched, Closed(CloseCode.ABNORMAL, "nobody took the connection"))
            raise

    def _pause(self) -> None:
        """After a failure or a loss: the next attempt comes later, or not at all."""
        if self._retry.first <= 0:
            self._target = None
            self._go_on()
            return
        self._failures += 1
        pause = self._retry.pause(self._failures, self._runtime.random.random())
        self._state = _State.PAUSING
        self._timer = self._scheduler.call_later(pause, self._try_again)
        log.debug("%r: next attempt in %.1f s", self, pause)

    def _try_again(self) -> None:
        self._timer = None
        if self._target is not None:
            self._connect(self._target)

    # -- the connection ------------------------------------------------------------------------------------------------

    def connection_ended(self, watched: _Watched, why: Closed) -> None:
        """The connection's receiver was told that it is closed. Threads: scheduler."""
        if watched is not self._watched:
            return
        self._watched = None
        if self._state is _State.CLOSING:
            self._go_on()
        else:
            if self._runtime.clock.now() - self._since >= LASTED * self._retry.first:
                self._failures = 0
            self._pause()
        self._listener.disconnected(why)

    def _close_timed_out(self) -> None:
        watched = self._watched
        if self._state is _State.CLOSING and watched is not None:
            watched.abort()
            self.connection_ended(watched, Closed(CloseCode.ABNORMAL, "the peer did not answer to the close"))


class _Turn:
    """Ties a result to its attempt: results of attempts that were given up come late."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.attempt: Attempt | None = None

    def done(self, result: Transport | ConnectError) -> None:
        self._client.attempt_done(self.attempt, result)


class _Watched:
    """The transport as the listener gets it: its end is told to the client too."""

    def __init__(self, transport: Transport, client: Client) -> None:
        self._transport = transport
        self._client = client
        self.send = transport.send
        self.pause = transport.pause
        self.resume = transport.resume
        self.close = transport.close
        self.abort = transport.abort

    def __repr__(self) -> str:
        return repr(self._transport)

    @property
    def peer(self) -> Peer:
        return self._transport.peer

    def start(self, receiver: Receiver) -> None:
        self._transport.start(_Tap(receiver, self, self._client))


class _Tap:
    """A receiver that passes everything on."""

    def __init__(self, receiver: Receiver, watched: _Watched, client: Client) -> None:
        self._receiver = receiver
        self._watched = watched
        self._client = client
        self.text_received = receiver.text_received

    def closed(self, why: Closed) -> None:
        try:
            self._receiver.closed(why)
        finally:
            self._client.connection_ended(self._watched, why)
