"""Deaths at every step: the k-th system call of a function in another process is replaced by SIGKILL."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

STEPS = (
    "open",
    "write",
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


def die_at(step: int, function: Callable[[], object], before: Callable[[], None] = lambda: None) -> bool:
    """Run `function` in another process that kills itself instead of its call number `step` (from 0).

    `before` runs just before death. False when the function made fewer calls and came to its end.
    """
    pid = os.fork()
    if not pid:
        left = step

        def dying(call: Callable[..., Any]) -> Callable[..., Any]:
            def instead(*args: Any, **named: Any) -> Any:
                nonlocal left
                if not left:
                    before()
                    os.kill(os.getpid(), signal.SIGKILL)
                left -= 1
                return call(*args, **named)

            return instead

        for name in STEPS:
            setattr(os, name, dying(getattr(os, name)))
        try:
            function()
        finally:
            os._exit(0)
    status = os.waitpid(pid, 0)[1]
    if status == 0:
        return False
    assert os.WIFSIGNALED(status), status
    assert os.WTERMSIG(status) == signal.SIGKILL
    return True
