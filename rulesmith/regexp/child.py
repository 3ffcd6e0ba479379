"""A search in a child process, for the few that could outlast any signal: the child can be killed."""

from __future__ import annotations

import os
import select
from _signal import SIGKILL

from rulesmith.regexp.search import find

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

    from rulesmith.regexp.search import Spans

_NO_MATCH = b"-"


def find_in_child(compiled: re.Pattern[bytes], subject: bytes, longest: bool, seconds: float) -> Spans:
    """What `find` gives, up to capture 9; TimeoutError after so many seconds, or where the child cannot answer."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            spans = find(compiled, subject, longest)
            answer = _NO_MATCH if spans is None else b" ".join([b"%d,%d" % span for span in spans[:10]])
            os.write(writing, answer)
        finally:
            os._exit(0)  # nothing of the parent's may be flushed or cleaned up twice
    os.close(writing)
    try:
        ready, _, _ = select.select([reading], [], [], seconds)
        answer = os.read(reading, 4096) if ready else b""
    finally:
        os.kill(child, SIGKILL)
        os.waitpid(child, 0)
        os.close(reading)
    if not answer:
        raise TimeoutError
    if answer == _NO_MATCH:
        return None
    return [(int(start), int(end)) for start, end in [pair.split(b",") for pair in answer.split()]]
