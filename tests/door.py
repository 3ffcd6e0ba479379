"""Ways to run an fdm: as a command, or as rulesmith's door in a fork of a warm interpreter.

Thousands of runs would be minutes of starting interpreters and building parser tables. `warm` does that once per
worker process; `warm_door` then forks for each run, so that no run sees what another left behind. It also works
where root drops to a user who may not even read the interpreter.
"""

from __future__ import annotations

import ast
import atexit
import contextlib
import functools
import importlib
import io
import os
import pkgutil
import pwd
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

PATIENCE = 60.0  # seconds; fdm's own default is 900


@dataclass(frozen=True)
class Call:
    """One run: arguments, standard input, folder, whole environment, and the user where root has to drop to one."""

    args: Sequence[str | bytes]
    stdin: bytes
    cwd: str
    env: Mapping[str, str]
    user: pwd.struct_passwd | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of it; `status` is negative for a death by signal and None when it ran out of time."""

    status: int | None
    stdout: bytes
    stderr: bytes


Door = Callable[[Call], Outcome]


@functools.cache
def _states() -> str:
    """Where journals lie that a test does not look at: apart from the files that it compares."""
    folder = tempfile.TemporaryDirectory(prefix="states")
    atexit.register(_if_still(os.getpid(), folder.cleanup))
    Path(folder.name).chmod(0o777)
    return folder.name


def _if_still(pid: int, cleanup: Callable[[], None]) -> Callable[[], None]:
    """Forks of this process leave it to us."""
    return lambda: cleanup() if os.getpid() == pid else None


def _environment(call: Call) -> dict[str, str]:
    uid = call.user.pw_uid if call.user else os.geteuid()
    return {"XDG_STATE_HOME": f"{_states()}/{uid}", "RULESMITH_CONF": "", **call.env}


def plain_user() -> pwd.struct_passwd | None:
    """Whom to drop to: nobody when we are root, and no one (None) otherwise."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def command(argv: Sequence[str]) -> Door:
    """A program of the machine, by its command line."""

    def run(call: Call) -> Outcome:
        user = call.user
        try:
            done = subprocess.run(
                [*argv, *call.args], input=call.stdin, capture_output=True, timeout=PATIENCE, check=False,
                cwd=call.cwd, env=_environment(call), umask=0o022,
                user=user.pw_uid if user else None, group=user.pw_gid if user else None,
                extra_groups=[] if user else None,
            )  # fmt: skip
        except subprocess.TimeoutExpired as late:
            return Outcome(None, late.stdout or b"", late.stderr or b"")
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


def warm() -> None:
    """Load everything that rulesmith may load, and the parser's table, so that forks need not."""
    import rulesmith

    for found in pkgutil.walk_packages(rulesmith.__path__, "rulesmith."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
    for file in Path(rulesmith.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_bytes())):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            for name in names:
                with contextlib.suppress(ImportError):
                    importlib.import_module(name)
    from rulesmith.syntax.table import load_table

    load_table()


def warm_door(call: Call) -> Outcome:
    """`rulesmith.fdm.main` in a fork of this process."""
    read, write = os.pipe()
    return door_on(read, call, lambda: _feed(write, call.stdin))


def door_on(descriptor: int, call: Call, feed: Callable[[], None] = lambda: None) -> Outcome:
    """The same with `descriptor`, which is closed here, as standard input; `feed` is called while it runs."""
    environment = _environment(call)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            os.dup2(descriptor, 0)
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            os.closerange(3, 1024)
            _become(call, environment)
        os.close(descriptor)
        feed()
        status = _wait(child)
        return Outcome(status, _all_of(out), _all_of(err))


def _become(call: Call, environment: Mapping[str, str]) -> NoReturn:
    code: object = 1
    try:
        os.setsid()
        os.umask(0o022)
        if call.user:
            os.setgroups([])
            os.setgid(call.user.pw_gid)
            os.setuid(call.user.pw_uid)
        os.chdir(call.cwd)
        os.environ.clear()
        os.environ.update(environment)
        time.tzset()
        sys.argv = ["fdm", *(os.fsdecode(each) for each in call.args)]
        # As in a new process: text streams on the three descriptors, which the door mostly reads and writes itself.
        sys.stdin = io.TextIOWrapper(io.FileIO(0), errors="surrogateescape")
        sys.stdout = io.TextIOWrapper(io.FileIO(1, "w"), errors="surrogateescape")
        sys.stderr = io.TextIOWrapper(io.FileIO(2, "w"), errors="backslashreplace")
        from rulesmith.fdm import main

        code = main()
    except SystemExit as stop:
        code = stop.code
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


def _feed(write: int, stdin: bytes) -> None:
    """Output goes to files, so a door can never wait for us while we wait for it."""
    with contextlib.suppress(BrokenPipeError), io.FileIO(write, "w") as pipe:
        rest = memoryview(stdin)
        while rest:
            rest = rest[pipe.write(rest) :]


def _wait(child: int) -> int | None:
    watch = os.pidfd_open(child)
    try:
        in_time = bool(select.select([watch], [], [], PATIENCE)[0])
        if not in_time:
            os.killpg(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
    finally:
        os.close(watch)
    return os.waitstatus_to_exitcode(status) if in_time else None


def _all_of(file: io.BufferedRandom) -> bytes:
    file.seek(0)
    return file.read()
