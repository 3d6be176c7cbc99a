"""Log lines that repeat themselves: what a stranger can cause again and again must not fill the log.

Threads: any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

    from openocpp.runtime import Runtime

SAME_CAUSE = 60.0  # seconds in which what repeats itself is counted, not logged


class Tally:
    """Logs a cause once, then counts it: one more line when a minute has passed, with the number of those between."""

    MAX_CAUSES = 256

    def __init__(self, runtime: Runtime) -> None:
        self._clock = runtime.clock
        self._mutex = runtime.threads.mutex()
        self._causes: dict[str, tuple[float, int]] = {}  # when it was logged last, how often it came since

    def __repr__(self) -> str:
        return f"<tally of {len(self._causes)} causes>"

    def note(self, log: logging.Logger, level: int, cause: str, text: str) -> None:
        """It happened (again). ``text`` may differ each time; what is the same ``cause``, the caller says."""
        now = self._clock.now()
        with self._mutex:
            since, count = self._causes.pop(cause, (0.0, -1))
            if repeated := count >= 0 and now - since < SAME_CAUSE:
                self._causes[cause] = since, count + 1
            else:
                self._causes[cause] = now, 0
            if len(self._causes) > self.MAX_CAUSES:
                del self._causes[next(iter(self._causes))]
        if not repeated:
            log.log(level, "%s%s", text, f" ({count} more like it in between)" if count > 0 else "")
