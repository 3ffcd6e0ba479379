"""Runs commands inside the chain's namespace for the tests outside: one JSON object a line, in and out.

{"run": ARGV, "stdin": BASE64, "env": {}}       -> {"status", "out", "err"} (both in base64)
{"start": ARGV, "env": {}, "until": TEXT}       -> {"err": null} once it writes a line with TEXT to its
                                                   standard error; what it wrote, when it ends before
"""

from __future__ import annotations

import base64
import json
import queue
import subprocess
import sys
import threading
from typing import Any

PATIENCE = 60  # seconds

# They end with this process, as everything in its namespace does.
_started: list[subprocess.Popen[bytes]] = []


def run(request: dict[str, Any]) -> dict[str, object]:
    done = subprocess.run(
        request["run"],
        input=base64.b64decode(request["stdin"]),
        capture_output=True,
        env=request["env"],
        timeout=PATIENCE,
        check=False,
    )
    return {
        "status": done.returncode,
        "out": base64.b64encode(done.stdout).decode(),
        "err": base64.b64encode(done.stderr).decode(),
    }


def start(request: dict[str, Any]) -> dict[str, object]:
    process = subprocess.Popen(request["start"], env=request["env"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def listen() -> None:
        # Goes on after the start, or the process would one day wait for a reader.
        for line in process.stderr or ():
            lines.put(line)
        lines.put(b"")

    threading.Thread(target=listen, daemon=True).start()
    said = b""
    while line := lines.get(timeout=PATIENCE):
        said += line
        if request["until"].encode() in line:
            _started.append(process)
            return {"err": None}
    process.wait()
    return {"err": said.decode(errors="replace")}


def main() -> None:
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = run(request) if "run" in request else start(request)
        except (OSError, subprocess.SubprocessError, queue.Empty) as error:
            answer = {"err": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
