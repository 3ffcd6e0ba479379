"""Ends at every step: before its k-th system call a function in another process gets a signal."""

from __future__ import annotations

import mmap
import os
import signal
import time
from collections.abc import Callable
from typing import Any

from tests import system

STEPS = (
    "open",
    "write",
    "pwrite",
    "fsync",
    "close",
    "link",
    "unlink",
    "rename",
    "mkdir",
    "ftruncate",
    "pread",
    "fchmod",
    "fchown",
)
# What a whole run does besides.
MORE = ("read", "pread", "posix_spawn", "waitpid", "listdir", "stat")


def die_at(step: int, function: Callable[[], object], before: Callable[[], None] = lambda: None) -> bool:
    """Run `function` in another process that kills itself instead of its call number `step` (from 0).

    `before` runs just before death. False when the function made fewer calls and came to its end.
    """

    def run() -> None:
        function()

    status, _ = end_at(step, signal.SIGKILL, run, before, wide=False)
    if status == 0:
        return False
    assert status == -signal.SIGKILL, status
    return True


def end_at(
    step: int,
    number: int,
    function: Callable[[], int | None],
    before: Callable[[], None] = lambda: None,
    wide: bool = True,
) -> tuple[int, float | None]:
    """The same with any signal: exit status (what `function` returns; minus a signal), and the seconds from the
    signal to the end; None where there were fewer calls than that. Returns when every command that it has started
    has ended too, because those outlive a process that is killed.
    """
    told = mmap.mmap(-1, 64)
    all_ended, held = os.pipe()
    pid = os.fork()
    if not pid:
        os.set_inheritable(held, True)
        left = step
        ours = os.getpid()

        def ending(call: Callable[..., Any]) -> Callable[..., Any]:
            def instead(*args: Any, **named: Any) -> Any:
                nonlocal left
                left -= 1
                # Commands that it starts are processes of their own.
                if left == -1 and os.getpid() == ours:
                    before()
                    told[:] = b"%-64r" % time.monotonic()
                    os.kill(ours, number)
                return call(*args, **named)

            return instead

        for name in (*STEPS, *MORE) if wide else STEPS:
            system.install(name, ending(getattr(os, name)))
        status: int | None = 1
        try:
            status = function()
        finally:
            os._exit(status or 0)
    os.close(held)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    end = time.monotonic()
    with open(all_ended, "rb") as everyone:
        everyone.read()
    when = bytes(told).strip(b"\0 ")
    return status, end - float(when) if when else None
