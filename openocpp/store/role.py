"""What a central system or a local controller keeps: when and how long it ran, and its log.

A database that cannot be used is logged as an error, and the role runs without.
Threads: any but the scheduler, one at a time.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from openocpp.errors import StateError, StoreError
from openocpp.store.database import COMMON, Database
from openocpp.store.internal import InternalConfig, InternalKey
from openocpp.store.logs import DatabaseLogHandler, Logs
from openocpp.types.base import format_datetime

if TYPE_CHECKING:
    from openocpp.runtime import Runtime, TimerHandle

log = logging.getLogger("openocpp.store")

SAVE_INTERVAL = 15.0  # seconds between two writes of the up time
LOGGED = "openocpp"  # the logger whose lines are kept


class RoleStore:
    """Open from the moment it is made until ``close``. An empty path keeps nothing.

    ``log_entries`` is how many lines of the log are kept; ``version`` is that of the stack.
    """

    def __init__(self, runtime: Runtime, path: str, log_entries: int, version: str) -> None:
        self._runtime = runtime
        self._path = path
        self._log_entries = log_entries
        self._version = version
        self._database: Database | None = None
        self._internal: InternalConfig | None = None
        self._handler: DatabaseLogHandler | None = None
        self._timer: TimerHandle | None = None
        self._began = 0.0
        self._total = 0  # seconds of all sessions before this one
        if path:
            self._open()

    def __repr__(self) -> str:
        return f"<store of a role: {self._database!r}>"

    @property
    def available(self) -> bool:
        """Is anything kept?"""
        return self._database is not None

    def _open(self) -> None:
        try:
            self._database = database = Database.open(self._runtime, self._path, COMMON)
            self._internal = InternalConfig(database)
            self._internal.set(InternalKey.StackVersion, self._version)
            if self._log_entries > 0:
                self._keep_log(Logs(database, self._log_entries))
        except (StoreError, StateError) as error:  # StateError: another role of this runtime uses the file
            log.error("nothing is kept: %s", error)
            self.close()

    def _keep_log(self, logs: Logs) -> None:
        logs.trim()
        self._handler = DatabaseLogHandler(logs)
        logging.getLogger(LOGGED).addHandler(self._handler)

    def begin_session(self) -> None:
        """The role starts: from now on its up time is written every 15 seconds."""
        internal = self._internal
        if internal is None:
            return
        self._began = self._runtime.clock.now()
        try:
            self._total = _seconds(internal.get(InternalKey.TotalUpTime))
            internal.set(InternalKey.LastSessionStartDate, format_datetime(self._runtime.clock.utcnow()))
        except StoreError as error:
            log.error("the start is not kept: %s", error)
        self._save()
        self._timer = self._runtime.call_every(SAVE_INTERVAL, self._save)

    def end_session(self) -> None:
        """The role stops. Idempotent."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            self._save()

    def _save(self) -> None:
        internal = self._internal
        if internal is None:
            return
        session = int(self._runtime.clock.now() - self._began)
        values = {InternalKey.LastSessionUpTime: session, InternalKey.TotalUpTime: self._total + session}
        try:
            internal.set_lazily({key: str(value) for key, value in values.items()})
        except StateError:  # closed while a timer was on its way
            return

    def reset(self) -> bool:
        """Forget everything. False: the file could not be made anew."""
        if not self._path:
            return True
        if self._database is None:
            self._open()
            if self._database is None:
                return False
        try:
            self._database.reset()
            assert self._internal is not None  # they are opened and closed together
            self._internal.set(InternalKey.StackVersion, self._version)
        except StoreError as error:
            log.error("the database cannot be made anew: %s", error)
            return False
        return True

    def close(self) -> None:
        """Write what is to be written, and close the file. Idempotent."""
        self.end_session()
        if self._handler is not None:
            logging.getLogger(LOGGED).removeHandler(self._handler)
            self._handler = None
        database, self._database, self._internal = self._database, None, None
        if database is not None:
            try:
                database.close()
            except StoreError as error:
                log.error("the database could not be closed in order: %s", error)


def _seconds(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() else 0
