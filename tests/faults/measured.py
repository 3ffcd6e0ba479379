"""Runs a program with a file as standard input: FILE PROGRAM ARGUMENT… Tells status, seconds and peak memory.

A process of its own, and a small one: what Linux calls the peak of a program includes that of the process it was
started from.
"""

from __future__ import annotations

import json
import os
import sys
import time


def main() -> None:
    begin = time.monotonic()
    pid = os.fork()
    if not pid:
        os.dup2(os.open(sys.argv[1], os.O_RDONLY), 0)
        os.execv(sys.argv[2], sys.argv[2:])
    _, status, usage = os.wait4(pid, 0)
    # ru_maxrss is in KiB (getrusage(2)).
    found = {
        "status": os.waitstatus_to_exitcode(status),
        "seconds": time.monotonic() - begin,
        "processor": usage.ru_utime + usage.ru_stime,
        "memory": usage.ru_maxrss * 1024,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
