"""Gates, threads and their makers."""

from __future__ import annotations

import threading

from openocpp.runtime.primitives import STACK_SIZE, SystemThreads, ThreadHandle
from tests.conftest import scaled

LIMIT = scaled(10.0)


def test_a_gate_lets_one_wait_pass_for_each_opening() -> None:
    gate = SystemThreads().gate()
    gate.open()
    gate.open()
    assert gate.wait(0) is True
    assert gate.wait(0) is False
    assert gate.wait(-1) is False
    gate.open()
    assert gate.wait(1e300) is True


def test_a_thread_runs_and_can_be_joined() -> None:
    seen: list[str] = []
    handle = SystemThreads().spawn(lambda: seen.append(threading.current_thread().name), "worker bee")
    assert handle.join(LIMIT)
    assert not handle.is_alive
    assert seen == ["worker bee"]


def test_a_thread_does_not_wait_for_itself() -> None:
    made: list[bool] = []
    go = threading.Event()
    handles: list[ThreadHandle] = []

    def run() -> None:
        go.wait(LIMIT)
        made.append(handles[0].join(LIMIT))

    handles.append(SystemThreads().spawn(run, "myself"))
    go.set()
    assert handles[0].join(LIMIT)
    assert made == [False]


def test_the_stack_size_of_others_is_left_alone() -> None:
    before = threading.stack_size()
    SystemThreads().spawn(lambda: None, "small").join(LIMIT)
    assert threading.stack_size() == before
    assert before != STACK_SIZE


def test_the_stack_size_is_left_alone_when_many_start_at_once() -> None:
    before = threading.stack_size()
    barrier = threading.Barrier(8)

    def start() -> None:
        barrier.wait(LIMIT)
        for _ in range(20):
            SystemThreads().spawn(lambda: None, "small").join(LIMIT)

    users = [threading.Thread(target=start) for _ in range(8)]
    for user in users:
        user.start()
    for user in users:
        user.join(LIMIT)
    assert threading.stack_size() == before


def test_the_makers_of_a_machine() -> None:
    threads = SystemThreads()
    assert not threads.simulated
    assert threads.clock.now() <= threads.clock.now()
    with threads.mutex() as taken:
        assert taken
    assert "first" in repr(threads.scheduler("first"))
