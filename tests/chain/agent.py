"""Runs commands inside the chain's namespace for the tests outside: one JSON object a line, in and out.

{"run": ARGV, "stdin": BASE64, "env": {}}       -> {"status", "out", "err"} (both in base64)
{"start": ARGV, "env": {}, "until": TEXT}       -> {"err": null, "id"} once it writes a line with TEXT to its
                                                   standard error; what it wrote, when it ends before
{"begin": ARGV, "stdin": BASE64, "env": {}}     -> {"id"} at once
{"signal": ID, "number": SIGNAL, "group": BOOL} -> {}; to it, or to everything that it has started and not let go
{"ended": ID}                                   -> {"ended"}
{"first": [ID, ...], "seconds": NUMBER}         -> {"ended": ID} when one of them ends, null when the time is over
{"wait": ID}                                    -> as for "run"; a service's output is not kept
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import queue
import select
import subprocess
import sys
import tempfile
import threading
from typing import IO, Any

PATIENCE = 60  # seconds

# They end with this process, as everything in its namespace does.
_started: list[subprocess.Popen[bytes]] = []
# Output of what was begun, in files, so that nobody has to read along.
_output: dict[int, tuple[IO[bytes], IO[bytes]]] = {}


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
            return {"err": None, "id": len(_started) - 1}
    process.wait()
    return {"err": said.decode(errors="replace")}


def begin(request: dict[str, Any]) -> dict[str, object]:
    # Closed by `wait`, or with everything else.
    out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115
    with tempfile.TemporaryFile() as stdin:
        stdin.write(base64.b64decode(request["stdin"]))
        stdin.seek(0)
        process = subprocess.Popen(
            request["begin"], env=request["env"], stdin=stdin, stdout=out, stderr=err, start_new_session=True
        )
    _started.append(process)
    _output[len(_started) - 1] = out, err
    return {"id": len(_started) - 1}


def send_signal(request: dict[str, Any]) -> dict[str, object]:
    process = _started[request["signal"]]
    if not request["group"]:
        process.send_signal(request["number"])
        return {}
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, request["number"])
    return {}


def ended(request: dict[str, Any]) -> dict[str, object]:
    return {"ended": _started[request["ended"]].poll() is not None}


def first(request: dict[str, Any]) -> dict[str, object]:
    poll = select.poll()
    names = {}
    try:
        for name in request["first"]:
            if _started[name].poll() is not None:
                return {"ended": name}
            names[os.pidfd_open(_started[name].pid)] = name
        for descriptor in names:
            poll.register(descriptor, select.POLLIN)
        ready = poll.poll(request["seconds"] * 1000)
        return {"ended": names[ready[0][0]] if ready else None}
    finally:
        for descriptor in names:
            os.close(descriptor)


def wait(request: dict[str, Any]) -> dict[str, object]:
    status = _started[request["wait"]].wait(PATIENCE)
    answer: dict[str, object] = {"status": status, "out": "", "err": ""}
    for name, file in zip(("out", "err"), _output.pop(request["wait"], ()), strict=False):
        with file:
            file.seek(0)
            answer[name] = base64.b64encode(file.read()).decode()
    return answer


ACTIONS = {
    "run": run,
    "start": start,
    "begin": begin,
    "signal": send_signal,
    "ended": ended,
    "first": first,
    "wait": wait,
}


def main() -> None:
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            [action] = ACTIONS.keys() & request.keys()
            answer = ACTIONS[action](request)
        except (OSError, subprocess.SubprocessError, queue.Empty) as error:
            answer = {"err": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
