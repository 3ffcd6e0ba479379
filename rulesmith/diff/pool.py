"""All cores at work on the batches: few are under way at any time, and the results come in the order of the mail."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

from rulesmith.diff.batch import Comparison, Findings, batches

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from rulesmith.explain.mails import Mail

# Seconds that one process works alone before it is worth the while to start others.
_ALONE = 0.5
# Batches under way for each process: one at work, one waiting.
_AHEAD = 2


def cores() -> int:
    """How many we may use."""
    return len(os.sched_getaffinity(0))


def compare_all(
    comparison: Comparison, mails: Iterable[Mail], jobs: int | None
) -> Generator[tuple[list[Mail], Findings], None, None]:
    """Each batch with its findings, in order. Without `jobs`: on all cores, if the work takes more than a moment."""
    waiting = batches(mails)
    if jobs is None:
        until = time.monotonic() + _ALONE
        for batch in waiting:
            yield batch, comparison.of(batch)
            if time.monotonic() > until:
                break
    jobs = cores() if jobs is None else jobs
    if jobs == 1:
        yield from ((batch, comparison.of(batch)) for batch in waiting)
        return
    first = next(waiting, None)
    if first is not None:
        yield from _in_processes(comparison, first, waiting, jobs)


def _in_processes(
    comparison: Comparison, first: list[Mail], rest: Iterator[list[Mail]], jobs: int
) -> Generator[tuple[list[Mail], Findings], None, None]:
    # Fresh interpreters: nothing of ours, a connection to a server for one, is open in them.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, context, initializer=_start, initargs=(comparison,))
    under_way: deque[tuple[list[Mail], Future[Findings]]] = deque()
    try:
        under_way.append((first, _submit(pool, first)))
        while under_way:
            while len(under_way) < _AHEAD * jobs and (batch := next(rest, None)) is not None:
                under_way.append((batch, _submit(pool, batch)))
            done, result = under_way.popleft()
            yield done, result.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _submit(pool: ProcessPoolExecutor, batch: list[Mail]) -> Future[Findings]:
    """Hand a batch on, which may start a process."""
    # Ctrl-C goes to all processes of a terminal, and it is for us alone to end the others: they inherit the mask.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return pool.submit(_work, batch)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_started: list[Comparison] = []


def _start(comparison: Comparison) -> None:
    """The first thing in a fresh process."""
    _started.append(comparison)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Where the parent is killed nobody else would end us."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _work(batch: list[Mail]) -> Findings:
    return _started[0].of(batch)
