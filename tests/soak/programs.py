"""deliver breaks in every way a program can."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from random import Random

from tests.soak.fault import Kind
from tests.soak.stage import Stage

Work = Callable[[Stage, Random], AbstractContextManager[None]]


def _deliver(fault: str) -> Work:
    @contextlib.contextmanager
    def work(stage: Stage, rng: Random) -> Iterator[None]:
        stage.break_deliver(fault)
        yield
        stage.mend_deliver()

    return work


@contextlib.contextmanager
def _deliver_is_missing(stage: Stage, rng: Random) -> Iterator[None]:
    (stage.config / "deliver").unlink()
    yield
    stage.mend_deliver()


_FAULTS = {
    "exits 67": "cat >/dev/null; exit 67",
    "exits 75": "cat >/dev/null; exit 75",
    "exits 77": "cat >/dev/null; exit 77",
    "exits 127": "cat >/dev/null; exit 127",
    "does not read": "exit 75",
    "closes its input": "exec <&-; exit 1",
    "is killed at once": "kill -9 $$",
    "is ended in the middle": "head -c 50 >/dev/null; kill -15 $$",
    "hangs": "exec tail -f /dev/null",
    "fails every other time": "[ $(($$ % 2)) = 0 ] || exit 75",
    "fails for the first delivery": 'case "$*" in *-m*) ;; *) cat >/dev/null; exit 75;; esac',
    "fails for the second delivery": 'case "$*" in *Received*) cat >/dev/null; exit 75;; esac',
}
KINDS = (
    Kind("deliver is missing", "deliver", _deliver_is_missing),
    *(
        Kind(f"deliver {name}", "deliver", _deliver(fault), 2.0 if name == "hangs" else 5.0)
        for name, fault in _FAULTS.items()
    ),
)
