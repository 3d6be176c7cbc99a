"""Security events and their log (SEC A04, §8).

Critical events are delivered by a queue on the disk; all are kept in the log, the newest ones. It works on the database
alone, so that an event can be logged before the charge point is started.
Threads: monitor.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from openocpp.errors import LocalProtocolError
from openocpp.store.security_events import SecurityEventQueue, SecurityEventRow, SecurityLog, SecurityLogRow
from openocpp.types.security_events import SECURITY_EVENTS, SecurityEventRule, SecurityEvents

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from openocpp.runtime import Clock
    from openocpp.store.database import Database

log = logging.getLogger("openocpp.security")

MAX_TYPE = 50  # characters (SEC §5.15)
MAX_TECH_INFO = 255


class SecurityEventManager:
    """Writes security events down. ``kick`` is called when one waits to be delivered."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        name: str,
        setting: Callable[[str], Any],
        queue: SecurityEventQueue | None = None,
        kick: Callable[[], None] | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._name = name
        self._setting = setting
        self._log = SecurityLog(database, int(setting("security_log_max_entries_count")))
        self._queue = queue or SecurityEventQueue(database)
        self._kick = kick

    def log(self, type: str, message: str = "", critical: bool = False) -> bool:
        """Log an event, and queue it if it is critical, in one commit."""
        if not 0 < len(type) <= MAX_TYPE:
            raise LocalProtocolError("type", f"a security event has a name of 1 to {MAX_TYPE} characters")
        rule = SECURITY_EVENTS.get(type, SecurityEventRule(critical, critical))
        now = self._clock.utcnow()
        log.info("%s: security event %s %s", self._name, type, message)
        if len(message) > MAX_TECH_INFO:
            log.warning("%s: the text of %s is cut to %d characters", self._name, type, MAX_TECH_INFO)
        notified = rule.notified and bool(self._setting("security_event_notification_enabled"))
        event = SecurityEventRow(timestamp=now, type=type, tech_info=message[:MAX_TECH_INFO])

        def job(connection: sqlite3.Connection) -> None:
            self._log.add_in(connection, [SecurityLogRow(now, type, message, rule.critical)])
            if notified:
                self._queue.append_in(connection, event)

        self._database.write(job)
        if notified and self._kick is not None:
            self._kick()
        return True

    def clear(self) -> bool:
        """Empty the log; its only line then says so."""
        if self._log.maximum <= 0:
            return False
        self._log.clear()
        return self.log(SecurityEvents.SECURITY_LOG_WAS_CLEARED)
