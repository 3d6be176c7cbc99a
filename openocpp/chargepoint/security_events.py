"""Security events and their log (SEC A04, §8).

Critical events are delivered by a queue on the disk; all are kept in the log, the newest ones. It works on the database
alone, so that an event can be logged before the charge point is started.
Threads: monitor.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openocpp.errors import LocalProtocolError, StoreError
from openocpp.store.security_events import SecurityEventQueue, SecurityEventRow, SecurityLog, SecurityLogRow
from openocpp.types.security_events import SECURITY_EVENTS, SecurityEventRule, SecurityEvents

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from datetime import datetime

    from openocpp.runtime import Clock
    from openocpp.store.database import Database

log = logging.getLogger("openocpp.security")

MAX_TYPE = 50  # characters (SEC §5.15)
MAX_TECH_INFO = 255


@dataclass(frozen=True)
class SecurityEvent:
    """What happened. ``critical`` counts for types that the standard does not name.

    LocalProtocolError when the type is no name.
    """

    timestamp: datetime
    type: str
    message: str = ""
    critical: bool = False

    def __post_init__(self) -> None:
        if not 0 < len(self.type) <= MAX_TYPE:
            raise LocalProtocolError("type", f"a security event has a name of 1 to {MAX_TYPE} characters")

    @property
    def rule(self) -> SecurityEventRule:
        """What becomes of it."""
        return SECURITY_EVENTS.get(self.type, SecurityEventRule(self.critical, self.critical))


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
        """Something happened now. False: it could not be written down."""
        return self.store(SecurityEvent(self._clock.utcnow(), type, message, critical))

    def store(self, event: SecurityEvent) -> bool:
        """Log an event, and queue it if the central system is to know, in one commit."""
        rule = event.rule
        log.info("%s: security event %s %s", self._name, event.type, event.message)
        notified = rule.notified and bool(self._setting("security_event_notification_enabled"))
        if notified and len(event.message) > MAX_TECH_INFO:
            log.warning("%s: the text of %s is cut to %d characters", self._name, event.type, MAX_TECH_INFO)
        line = SecurityLogRow(event.timestamp, event.type, event.message, rule.critical)
        queued = SecurityEventRow(timestamp=event.timestamp, type=event.type, tech_info=event.message[:MAX_TECH_INFO])

        def job(connection: sqlite3.Connection) -> None:
            self._log.add_in(connection, [line])
            if notified:
                self._queue.append_in(connection, queued)

        try:
            self._database.write(job)
        except StoreError as error:
            log.error("%s: the security event %s is lost: %s", self._name, event.type, error)
            return False
        if notified and self._kick is not None:
            self._kick()
        return True

    def clear(self) -> bool:
        """Empty the log; its only line then says so. False: there is none."""
        if self._log.maximum <= 0:
            return False
        try:
            self._log.clear()
        except StoreError as error:
            log.error("%s: the security log cannot be cleared: %s", self._name, error)
            return False
        return self.log(SecurityEvents.SECURITY_LOG_WAS_CLEARED)
