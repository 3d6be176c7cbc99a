"""The connection to the central system that belongs to one charge point.

Threads: the connection belongs to the scheduler, and what is told about it comes on workers, in order with what is told
about the charge point's connection; the rest any but the scheduler.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from openocpp.errors import LocalProtocolError
from openocpp.localcontroller.proxies import ICentralSystemProxy
from openocpp.localcontroller.side import Side
from openocpp.messages import Role
from openocpp.messages.messenger import checked_timeout
from openocpp.rpc.endpoint import Endpoint
from openocpp.runtime import ThreadEnd
from openocpp.transport.base import CloseCode, Target
from openocpp.transport.reconnect import Client, RetryPolicy
from openocpp.transport.url import Url, charge_point_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.errors import ConnectError
    from openocpp.localcontroller.credentials import ClientCredentials
    from openocpp.localcontroller.forwarding import Passage
    from openocpp.localcontroller.handlers import ILocalControllerProxyEventsHandler
    from openocpp.localcontroller.side import Context
    from openocpp.rpc.server import Connection
    from openocpp.runtime import Timer
    from openocpp.transport.base import Closed, Transport

log = logging.getLogger("openocpp.localcontroller")

SCHEMES = ("ws", "wss")


class _Plan:
    """What ``connect`` was told. ``over``: no other attempt follows."""

    __slots__ = ("over", "retry", "target")

    def __init__(self, target: Target, retry: RetryPolicy) -> None:
        self.target = target
        self.retry = retry
        self.over = False


class CentralSystemProxy(Side, ICentralSystemProxy):
    """The central system's side of a pair. ``connection`` is that of the charge point, whose end is its end."""

    def __init__(self, context: Context, connection: Connection, other: Side) -> None:
        identity = connection.identity
        super().__init__(context, identity, "the central system", f"{identity} (central system)", Role.CENTRAL_SYSTEM)
        self._other = other
        self._connection = connection
        self._client = Client(context.runtime, self)
        self._plan: _Plan | None = None  # inside the monitor; None: to be connected no more
        self._running: _Plan | None = None  # what the client was started with
        self._over = False  # the charge point has left
        self._transport: Transport | None = None  # also while it closes
        self._held: Passage | None = None  # a CALL that waits for the connection
        self._timer: Timer | None = None
        self._listener: ILocalControllerProxyEventsHandler | None = None
        self._told = False  # that it is connected, and not yet that it is not

    def __repr__(self) -> str:
        return f"<central system of {self._identity}: {self._client!r}>"

    @property
    def other(self) -> Side:
        return self._other

    # -- for the application -------------------------------------------------------------------------------------------

    @property
    def is_connected(self) -> bool:
        endpoint = self.endpoint
        return endpoint is not None and endpoint.is_open

    def register_listener(self, listener: ILocalControllerProxyEventsHandler) -> None:
        self._listener = listener

    def connect(
        self,
        url: str,
        credentials: ClientCredentials,
        connect_timeout: float = 5.0,
        retry_interval: float = 5.0,
        ping_interval: float = 5.0,
    ) -> bool:
        checked_timeout(connect_timeout, "connect_timeout")
        if not (retry_interval >= 0 and ping_interval >= 0):
            raise LocalProtocolError("retry_interval and ping_interval", "must not be less than 0 seconds")
        parsed = self._parse(url)
        if parsed is None:
            return False
        target = Target(
            parsed,
            user=credentials.user,
            password=credentials.password,
            connect_timeout=connect_timeout,
            ping_interval=ping_interval,
            limits=self._connection.server.settings.listen.limits,
            tls=credentials.tls_settings() if parsed.secure else None,
        )
        plan = _Plan(target, RetryPolicy(retry_interval, retry_interval))
        with self.context.monitor:
            if self._over or (self._plan is not None and not self._plan.over):
                return False
            self._plan = plan
            self.runtime.scheduler.post(partial(self._start, plan))
        return True

    def _parse(self, url: str) -> Url | None:
        try:
            if Url.parse(url).protocol in SCHEMES:
                return Url.parse(charge_point_url(url, self._identity))
            log.error("%s: cannot connect: %s is no URL of a websocket", self.name, Url.parse(url))
        except ValueError as error:
            log.error("%s: cannot connect: %s", self.name, error)
        return None

    def disconnect(self) -> None:
        with self.context.monitor:
            self._plan = None
            self.runtime.scheduler.post(self._leave)

    # -- the connection: scheduler -------------------------------------------------------------------------------------

    def _start(self, plan: _Plan) -> None:
        if not self._over:
            self._running = plan
            self._connection.server.await_end(self, self._abort)
            self._client.start(plan.target, plan.retry)

    def _leave(self) -> None:
        """Close the connection, or give up to make one."""
        endpoint = self.endpoint
        if endpoint is not None:
            endpoint.leave(CloseCode.NORMAL)
        self._client.stop(self._look_for_the_end)

    def charge_point_left(self) -> None:
        """The charge point's connection is over, and so is this one, for good."""
        self._over = True
        self._leave()
        self._give_up_held()

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connected(self, transport: Transport) -> None:
        settings = self._connection.server.settings
        self._transport = transport
        self.endpoint = endpoint = Endpoint(
            self.runtime, transport, self, self.serve, name=self.name, lane=self.context.lane,
            max_queued=settings.max_queued,
        )  # fmt: skip
        endpoint.direct = self.pass_directly
        self._messenger.attach(endpoint)
        endpoint.start()
        log.info("%s: connected to %s", self.name, transport.peer.address)
        self._notify(self._tell_connected)
        held = self._take_held()
        if held is not None:
            held.send(endpoint)

    def failed(self, error: ConnectError, first: bool) -> None:
        log.log(logging.WARNING if first else logging.DEBUG, "%s: no connection: %s", self.name, error)
        if first:
            self._notify(self._tell_failed)
        self._look_for_the_end()

    def disconnected(self, why: Closed) -> None:
        self._transport = None
        self._look_for_the_end()

    def _look_for_the_end(self) -> None:
        """Something is over. When no other attempt follows, ``connect`` may be called again, and nobody need wait."""
        if self._client.is_idle:
            if self._running is not None:
                self._running.over = True
            self._connection.server.has_ended(self)

    def endpoint_closed(self, endpoint: Endpoint, why: Closed) -> None:
        self._messenger.detach(endpoint)
        self.endpoint = None
        log.info("%s: disconnected (%d %s)", self.name, why.code, why.reason)
        self._notify(self._tell_disconnected)

    def _notify(self, tell: Callable[[], None]) -> None:
        if not self._over:  # else whoever ended it tells
            self._connection.notify(tell)

    def invalid_message(self, endpoint: Endpoint, problem: str) -> None:
        self._connection.invalid_message(endpoint, problem)

    # -- CALLs that wait for it: scheduler -----------------------------------------------------------------------------

    def hold(self, passage: Passage) -> None:
        """Let it wait for the connection: at most one, since the next one comes when it has been answered."""
        if self.endpoint is not None and self.endpoint.takes_calls:
            passage.send(self.endpoint)
        elif self._over:
            passage.give_up()
        else:
            self._held = passage
            self._timer = self.runtime.scheduler.call_at(passage.deadline, self._give_up_held)

    def _take_held(self) -> Passage | None:
        held, self._held = self._held, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return held

    def _give_up_held(self) -> None:
        held = self._take_held()
        if held is not None:
            held.give_up()

    # -- what is told: workers, one at a time --------------------------------------------------------------------------

    def finish(self) -> None:
        """The charge point has left: tell the end of both connections."""
        if not self._over:  # it left before this pair was made
            self.runtime.scheduler.post(self.charge_point_left)
        self._tell_disconnected()

    def _tell_connected(self) -> None:
        if not self._over:
            self._told = True
            self._tell(lambda listener: listener.connected_to_central_system())

    def _tell_failed(self) -> None:
        if not self._over:
            self._tell(lambda listener: listener.failed_to_connect_to_central_system())
            self._disconnect_charge_point()

    def _tell_disconnected(self) -> None:
        if self._told:
            self._told = False
            self._tell(lambda listener: listener.disconnected_from_central_system())
            self._disconnect_charge_point()

    def _tell(self, what: Callable[[ILocalControllerProxyEventsHandler], None]) -> None:
        if self._listener is not None:
            try:
                what(self._listener)
            except ThreadEnd:
                raise
            except BaseException:  # the application's bug: what follows must follow all the same
                log.exception("%s: the listener failed", self.name)

    def _disconnect_charge_point(self) -> None:
        """So that the charge point knows that it is offline, and behaves accordingly."""
        if self.context.config.disconnect_from_cp_when_cs_disconnected and not self._over:
            self._connection.close(CloseCode.GOING_AWAY, "the central system is not connected")
