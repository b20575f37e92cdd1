"""Who does the work: this process, a pool of processes, or any other executor.

Anything with the ``submit`` of ``concurrent.futures`` will do. A worker that dies takes the futures of its pool with
it: the pool is made anew and what was lost is handed out again, so a dying worker loses no seed.
"""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor
from contextlib import redirect_stderr
from multiprocessing import resource_tracker
from typing import Any, Protocol, TypeVar

R = TypeVar("R")


class Workers(Protocol):
    """Where jobs go."""

    width: int
    """How many jobs are worked on at a time."""

    def submit(self, job: Callable[..., R], /, *given: Any) -> "Future[R]":
        """Hand out a job."""

    def lost(self, error: BaseException) -> bool:
        """Whether an error of a future says that its worker died, and not that the job failed."""

    def renew(self) -> None:
        """Be ready again after workers were lost."""

    def close(self) -> None:
        """Stop at once; what is worked on is given up."""


class Here:
    """This process, one job after the other."""

    width = 1

    def submit(self, job: Callable[..., R], /, *given: Any) -> "Future[R]":
        """Do it now."""
        future: Future[R] = Future()
        try:
            future.set_result(job(*given))
        except Exception as error:
            future.set_exception(error)
        return future

    def lost(self, error: BaseException) -> bool:
        """Nobody dies here without the hunt."""
        return False

    def renew(self) -> None:
        """Always ready."""

    def close(self) -> None:
        """Nothing is running."""


class Given:
    """An executor of the caller's, which stays the caller's."""

    def __init__(self, executor: Executor, width: int) -> None:
        self.executor = executor
        self.width = width

    def submit(self, job: Callable[..., R], /, *given: Any) -> "Future[R]":
        """Hand out a job."""
        return self.executor.submit(job, *given)

    def lost(self, error: BaseException) -> bool:
        """What executors say when a worker is gone."""
        return isinstance(error, BrokenExecutor | CancelledError)

    def renew(self) -> None:
        """It is not ours to make anew: if it is broken for good, the next job says so."""

    def close(self) -> None:
        """It is not ours to close."""


class Pool:
    """Processes of this machine."""

    def __init__(self, jobs: int) -> None:
        self.width = jobs
        self._pool = self._make()

    def _make(self) -> ProcessPoolExecutor:
        # Spawned, not forked: a screen, its threads and its signal handlers are no business of a worker. The helper
        # that multiprocessing starts first is given stderr, which under a screen is none: it gets the real one.
        with redirect_stderr(sys.__stderr__):
            resource_tracker.ensure_running()
        return ProcessPoolExecutor(self.width, multiprocessing.get_context("spawn"), initializer=_begin)

    def submit(self, job: Callable[..., R], /, *given: Any) -> "Future[R]":
        """Hand out a job."""
        try:
            return self._pool.submit(job, *given)
        except BrokenExecutor:
            self.renew()
            return self._pool.submit(job, *given)

    def lost(self, error: BaseException) -> bool:
        """The pool breaks when one of its processes dies."""
        return isinstance(error, BrokenExecutor | CancelledError)

    def renew(self) -> None:
        """New processes."""
        self.close()
        self._pool = self._make()

    @property
    def processes(self) -> tuple[int, ...]:
        """Their numbers."""
        return tuple(self._pool._processes or ())

    def close(self) -> None:
        """Kill them: whatever they work on can be done again."""
        running = list((self._pool._processes or {}).values())
        manager: Any = self._pool._executor_manager_thread
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in running:
            process.kill()
        for process in running:
            process.join(5)
        if manager is not None:  # Python 3.11 may trip over it as it exits, if it is about to end just then
            manager.join(5)


def _begin() -> None:
    """A worker: ctrl+c is for the hunt, which ends its workers itself; if the hunt is killed, they follow it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def processors() -> int:
    """How many processes this machine works at a time."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


__all__ = ["Given", "Here", "Pool", "Workers", "processors"]
