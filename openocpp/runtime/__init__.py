"""The only package that knows threads: scheduler, workers, monitors, and the runtime that holds them together."""

from openocpp.runtime.clock import Clock, SystemClock
from openocpp.runtime.monitor import Monitor, MonitorTimer, WallTimer
from openocpp.runtime.primitives import Gate, Mutex, SystemThreads, ThreadEnd, ThreadHandle, Threads
from openocpp.runtime.runtime import Runtime, RuntimeFuture, Stoppable, TimerHandle
from openocpp.runtime.scheduler import READ, WRITE, Scheduler, SelectorScheduler, Timer
from openocpp.runtime.waiter import Waiter
from openocpp.runtime.workers import Lane, Strand, Workers

__all__ = [
    "READ",
    "WRITE",
    "Clock",
    "Gate",
    "Lane",
    "Monitor",
    "MonitorTimer",
    "Mutex",
    "Runtime",
    "RuntimeFuture",
    "Scheduler",
    "SelectorScheduler",
    "Stoppable",
    "Strand",
    "SystemClock",
    "SystemThreads",
    "ThreadEnd",
    "ThreadHandle",
    "Threads",
    "Timer",
    "TimerHandle",
    "Waiter",
    "WallTimer",
    "Workers",
]
