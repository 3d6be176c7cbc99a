"""Procedures that take their time: uploads, downloads, installations, each on a thread of its own.

A job walks through its procedure inside the monitor, as everything does, and leaves it in the application's callbacks
and in its pauses. There it learns that it was cancelled: the procedure ends at that line, without another word.
Threads: monitor; ``join`` any, outside of it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.chargepoint.context import ChargePointContext
    from openocpp.runtime import ThreadHandle, Waiter

log = logging.getLogger("openocpp.chargepoint")

T = TypeVar("T")
P = ParamSpec("P")


class JobCancelled(Exception):
    """Ends the procedure of a job that was cancelled. Not to be caught there."""


class Job:
    """One procedure under way. What it may call: ``ask``, ``pause``."""

    def __init__(self, ctx: ChargePointContext, name: str) -> None:
        self.ctx = ctx
        self.name = name
        self.handle: ThreadHandle | None = None
        self._cancelled: Waiter[None] = ctx.runtime.waiter()

    def __repr__(self) -> str:
        return f"<job {self.name}{', cancelled' if self.cancelled else ''}>"

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set

    def cancel(self) -> None:
        """Let it end at its next line that waits; one that waits in a pause ends at once. Idempotent."""
        self._cancelled.set(None)

    def check(self) -> None:
        """JobCancelled if it was."""
        if self.cancelled:
            raise JobCancelled

    def ask(self, fallback: T, callback: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The callback's answer, ``fallback`` when it raises. It may take any time."""
        answer = self.ctx.events.ask(fallback, callback, *args, **kwargs)
        self.check()
        return answer

    def pause(self, seconds: float) -> None:
        """Wait that long."""
        self.ctx.monitor.wait(self._cancelled, seconds)
        self.check()


class Jobs:
    """All jobs of a session, those too that were cancelled and have not noticed yet."""

    def __init__(self, ctx: ChargePointContext) -> None:
        self.ctx = ctx
        self._running: list[Job] = []

    def __repr__(self) -> str:
        return f"<{len(self._running)} jobs>"

    def start(self, name: str, procedure: Callable[[Job], Any]) -> Job:
        """Run ``procedure(job)`` on a thread of its own."""
        job = Job(self.ctx, name)
        self._running.append(job)
        job.handle = self.ctx.runtime.spawn(lambda: self._run(job, procedure), name)
        return job

    def _run(self, job: Job, procedure: Callable[[Job], Any]) -> None:
        with self.ctx.monitor:
            try:
                job.check()
                procedure(job)
            except JobCancelled:
                log.debug("%s: %s was cancelled", self.ctx.name, job.name)
            except Exception:  # a bug in one procedure must not pass in silence
                log.exception("%s: %s failed", self.ctx.name, job.name)
            finally:
                self._running.remove(job)

    def cancel(self) -> None:
        """The session ends: so do all jobs."""
        for job in self._running:
            job.cancel()

    def join(self, limit: float) -> None:
        """Wait until all cancelled jobs have ended, at most ``limit`` seconds. The monitor must not be held.

        One that is still in a callback then is left to itself: it will find that it was cancelled. The calling thread
        may be that of a job, since the application may stop the charge point from a callback.
        """
        deadline = self.ctx.clock.now() + limit
        for job in list(self._running):
            handle = job.handle
            if handle is None or handle.is_current:
                continue
            if not handle.join(max(deadline - self.ctx.clock.now(), 0.0)):
                log.warning("%s: %s is still in a callback of the application: abandoned", self.ctx.name, job.name)
