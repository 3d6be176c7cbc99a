"""How long a charge point has been up, and without connection, in this session and in all.

Threads: monitor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openocpp.store.internal import InternalConfig, InternalKey
from openocpp.types import format_datetime
from openocpp.version import VERSION

if TYPE_CHECKING:
    from openocpp.chargepoint.context import ChargePointContext
    from openocpp.runtime import MonitorTimer

SAVE_EVERY = 15.0  # seconds


class Uptime:
    """Counts whole seconds and stores them every 15 s, lazily, and at the end."""

    def __init__(self, ctx: ChargePointContext) -> None:
        self.ctx = ctx
        self._internal = InternalConfig(ctx.database)
        self._began = ctx.clock.now()
        self._down_since: float | None = self._began
        self._down = 0.0
        self._total_before = self._stored(InternalKey.TotalUpTime)
        self._total_down_before = self._stored(InternalKey.TotalDisconnectedTime)
        self._timer: MonitorTimer | None = None

    def begin(self) -> None:
        self._internal.set_lazily(
            {
                InternalKey.StackVersion: VERSION,
                InternalKey.LastSessionStartDate: format_datetime(self.ctx.clock.utcnow()),
            }
        )
        self._save()

    def connected(self) -> None:
        if self._down_since is not None:
            self._down += self.ctx.clock.now() - self._down_since
            self._down_since = None

    def disconnected(self) -> None:
        if self._down_since is None:
            self._down_since = self.ctx.clock.now()

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._write()

    def _stored(self, key: InternalKey) -> int:
        text = self._internal.get(key)
        return int(text) if text is not None and text.isdecimal() else 0

    def _save(self) -> None:
        self._write()
        self._timer = self.ctx.monitor.call_later(SAVE_EVERY, self._save)

    def _write(self) -> None:
        now = self.ctx.clock.now()
        up = int(now - self._began)
        down = int(self._down + (now - self._down_since if self._down_since is not None else 0.0))
        self._internal.set_lazily(
            {
                InternalKey.LastSessionUpTime: str(up),
                InternalKey.TotalUpTime: str(self._total_before + up),
                InternalKey.LastSessionDisconnectedTime: str(down),
                InternalKey.TotalDisconnectedTime: str(self._total_down_before + down),
            }
        )
