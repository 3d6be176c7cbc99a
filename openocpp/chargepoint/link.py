"""The connection of a charge point to its central system: where to, as whom, and what happens when it comes and goes.

Threads: monitor; what the transport tells comes on the scheduler and is handed on at once.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from openocpp.config import check_charge_point_config
from openocpp.errors import ConfigError, StoreError
from openocpp.rpc.endpoint import Endpoint
from openocpp.store.internal import InternalConfig, InternalKey
from openocpp.transport.base import Limits, Target
from openocpp.transport.reconnect import Client, RetryPolicy
from openocpp.transport.url import Url, charge_point_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.chargepoint.context import ChargePointContext
    from openocpp.errors import ConnectError
    from openocpp.runtime import Lane, MonitorTimer, Strand
    from openocpp.transport.base import Closed, Transport

log = logging.getLogger("openocpp.chargepoint")

RECONNECT_DELAY = 1.0  # seconds: so that several keys that belong together can be changed before


class LinkListener(Protocol):
    """Who is told, inside the monitor, of what becomes of the connection."""

    def link_connected(self) -> None: ...

    def link_failed(self, error: ConnectError, first: bool) -> None: ...

    def link_disconnected(self, why: Closed) -> None: ...

    def url_changed(self) -> None:
        """Another central system than in the last session."""

    def link_invalid_message(self, problem: str) -> None: ...


class Link:
    """Keeps the connection. Events reach the listener in order, on workers."""

    def __init__(self, ctx: ChargePointContext, listener: LinkListener, strand: Strand, lane: Lane) -> None:
        self.ctx = ctx
        self._listener = listener
        self._strand = strand
        self._lane = lane
        self._internal = InternalConfig(ctx.database)
        self._last_url = self._internal.get(InternalKey.LastConnectionUrl)
        self._client = Client(ctx.runtime, self)
        self._max_queued = 0
        self._failure_told = False  # in this period without connection
        self._reconnect: MonitorTimer | None = None
        self.last_error: ConnectError | None = None
        ctx.messenger.on_invalid = self._invalid_payload

    def __repr__(self) -> str:
        return f"<link {self._client!r}>"

    # -- from the role -------------------------------------------------------------------------------------------------

    def connect(self) -> bool:
        """Start to connect with the settings as they are now. False: they are not usable, and the log says why."""
        try:
            target, retry = self._target()
            self._max_queued = int(self.ctx.setting("max_queued_calls"))
        except (ConfigError, ValueError) as error:
            log.error("%s: cannot connect: %s", self.ctx.name, error)
            return False
        if target.url.text != self._last_url:
            self._listener.url_changed()
            self._remember(target.url.text)  # behind that: the power may be lost in between
        self._client.start(target, retry)
        return True

    def _remember(self, url: str) -> None:
        self._last_url = url
        try:
            self._internal.set(InternalKey.LastConnectionUrl, url)
        except StoreError as error:  # after a restart it looks like another central system: no harm
            log.error("%s: the address is not kept: %s", self.ctx.name, error)

    def reconnect(self) -> None:
        """Connect anew in a second. Several wishes within that time are one."""
        if self._reconnect is None or not self._reconnect.active:
            self._reconnect = self.ctx.monitor.call_later(RECONNECT_DELAY, self._reconnect_now)

    def _reconnect_now(self) -> None:
        if not self.ctx.stopping:
            self.connect()

    def close(self) -> None:
        """Close the connection and make no other; bounded. The monitor must not be held."""
        self._strand.close()
        self._client.stop()
        if not self.ctx.runtime.stopped:  # else it took the connection with it
            self._client.wait_stopped()

    def _target(self) -> tuple[Target, RetryPolicy]:
        """What the settings say, read anew each time. ConfigError when they do not fit together."""
        ctx = self.ctx
        check_charge_point_config(ctx.config)
        identity = ctx.setting("charge_point_identifier")
        url = charge_point_url(ctx.setting("connexion_url"), identity)
        profile = ctx.keys.security_profile
        if profile >= 2 and not Url.parse(url).secure:  # SEC A00.FR.311, A00.FR.415
            raise ConfigError("ConnexionUrl", f"security profile {profile} needs TLS", accepted="wss://...")
        key = ctx.keys.authorization_key
        with_password = bool(key) and profile <= 2
        first = float(ctx.setting("retry_interval"))
        target = Target(
            url=Url.parse(url),
            user=identity if with_password else "",
            password=bytes.fromhex(key) if with_password else b"",
            connect_timeout=float(ctx.setting("connection_timeout")),
            ping_interval=float(ctx.keys.web_socket_ping_interval),
            proxy_url=ctx.setting("proxy_url"),
            limits=Limits(
                max_message=int(ctx.setting("max_message_size")), max_output=int(ctx.setting("max_output_buffer"))
            ),
        )
        return target, RetryPolicy(first, max(float(ctx.setting("retry_interval_max")), first))

    # -- from the client: scheduler ------------------------------------------------------------------------------------

    def connected(self, transport: Transport) -> None:
        messenger = self.ctx.messenger
        endpoint = Endpoint(
            self.ctx.runtime,
            transport,
            self,
            messenger.serve,
            name=self.ctx.name,
            lane=self._lane,
            max_queued=self._max_queued,
        )
        messenger.attach(endpoint)
        endpoint.start()
        self.last_error = None
        self._failure_told = False
        log.info("%s: connected to %s", self.ctx.name, transport.peer.address)
        self._hand_on(self._listener.link_connected)

    def failed(self, error: ConnectError, first: bool) -> None:
        """``first`` counts from the last connection, however often the client was started anew since."""
        self.last_error = error
        first, self._failure_told = not self._failure_told, True
        log.log(logging.WARNING if first else logging.DEBUG, "%s: no connection: %s", self.ctx.name, error)
        self._hand_on(lambda: self._listener.link_failed(error, first))

    def disconnected(self, why: Closed) -> None:
        log.info("%s: disconnected (%d %s)", self.ctx.name, why.code, why.reason)
        self._hand_on(lambda: self._listener.link_disconnected(why))

    def _hand_on(self, function: Callable[[], None]) -> None:
        def enter() -> None:
            with self.ctx.monitor:
                if not self.ctx.stopping:
                    function()

        self._strand.put(enter)

    # -- from the endpoint: scheduler ----------------------------------------------------------------------------------

    def endpoint_closed(self, endpoint: Endpoint, why: Closed) -> None:
        self.ctx.messenger.detach(endpoint)

    def invalid_message(self, endpoint: Endpoint, problem: str) -> None:
        self._invalid_payload(problem)

    def _invalid_payload(self, problem: str) -> None:
        """Threads: any."""
        self._hand_on(lambda: self._listener.link_invalid_message(problem))
