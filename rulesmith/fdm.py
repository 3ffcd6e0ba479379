"""The door that takes fdm's place: `fdm [options] fetch|poll|cache`, once per message.

Nothing here may load what a message does not need: a compiled program (delivery/program_file.py) stands for
the configuration, and lark, click and the compiler are loaded only when there is none.
"""

from __future__ import annotations

import _signal
import os
import sys

from rulesmith.log import Log
from rulesmith.options import FDM_EXIT_STATUS, USAGE, Options, UsageError, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rulesmith.program import Program

    User = tuple[bytes, int, int, bytes]

SUCCESS, ERROR, EX_TEMPFAIL = 0, 1, 75
# Seconds of silence after which a message that will be refused anyway is no longer waited for.
_DRAIN_SECONDS = 900
# The signals that fdm takes for a wish to stop.
_STOPS = {int(_signal.SIGINT): "SIGINT", int(_signal.SIGTERM): "SIGTERM"}


def main(arguments: list[str] | None = None) -> int:
    """Run; the exit status, 0, 1, 69 or 75 (README, "Exit status")."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        options = parse(words)
    except UsageError as error:
        text = str(error)
        if text:
            Log().warn("fdm: " + text)
        Log().warn(USAGE)
        if error.options.check or error.options.command in ("poll", "cache"):
            return ERROR
        return _refuse(FDM_EXIT_STATUS in words)
    ident = os.path.basename(sys.argv[0]) or "fdm"
    log = Log(options.verbose, options.quiet, ident if options.syslog else None)
    for number in _STOPS:
        _signal.signal(number, _stop)
    try:
        return _run(options, log)
    except _Stopped as stop:
        log.warn(f"parent: caught {stop}. stopping")
        return EX_TEMPFAIL if options.command == "fetch" and not options.fdm_status else ERROR
    except Exception:
        # A fault of ours: the message stays with the caller, and the log says where to look.
        import traceback  # never loaded in a healthy run

        for line in traceback.format_exc().splitlines():
            log.warn(line)
        return ERROR if options.check or options.command != "fetch" else _refuse(options.fdm_status)


class _Stopped(BaseException):
    """A signal asks us to end. Whoever is at work undoes what is half done, and kills the commands it waits for."""


def _stop(number: int, _: object) -> None:
    raise _Stopped(_STOPS[number])


def _refuse(fdm_status: bool) -> int:
    """Nothing can be done: read what was handed to us, and ask for it again later."""
    from rulesmith.sources import stdin  # most runs have already read it

    if not stdin.holds_message():
        return ERROR
    stdin.drain(_DRAIN_SECONDS)
    return ERROR if fdm_status else EX_TEMPFAIL


def _run(options: Options, log: Log) -> int:
    import pwd  # cheap; here so that usage errors need nothing

    fetching = options.command == "fetch"
    try:
        entry = pwd.getpwuid(os.getuid())
    except KeyError:
        log.warn(f"unknown user: {os.getuid()}")
        return _refuse(options.fdm_status) if fetching else ERROR
    home = os.environ.get("HOME", entry.pw_dir) if options.home_from_environment else entry.pw_dir
    me = (os.fsencode(entry.pw_name), entry.pw_uid, entry.pw_gid, os.fsencode(home))
    path = options.config or _default_config(home)
    from rulesmith.load import load_program  # the compiler's door

    program, _ = load_program(path, options, log, me)
    if program is None:
        return _refuse(options.fdm_status) if fetching else ERROR
    if options.check:
        return SUCCESS
    if not program[2]:
        log.warn("no accounts specified")
        return _refuse(options.fdm_status) if fetching else ERROR
    if options.command == "cache":
        from rulesmith import cache_command  # rare, and loads sqlite3

        try:
            return cache_command.run(options.arguments, [path for path, _ in program[1]], log)
        except cache_command.CacheUsage:
            log.warn(USAGE)
            return ERROR
    if fetching and not program[4]:
        log.warn("no rules specified")
        return _refuse(options.fdm_status)
    folder = os.environ.get("TMPDIR")
    if folder and not os.path.isdir(folder):
        # Nothing of ours lies there, but commands of the rules may count on it.
        log.warn(f"{folder}: {_why_no_folder(folder)}")
    return _with_lock(program, options, log, me)


def _why_no_folder(folder: str) -> str:
    try:
        os.stat(folder)
    except OSError as error:
        return os.strerror(error.errno or 0)
    return "Not a directory"


def _default_config(home: str) -> str:
    """HOME/.fdm.conf if it can be read, else /etc/fdm.conf (fdm(1), FILES)."""
    path = home + "/.fdm.conf"
    return path if os.access(path, os.R_OK) else "/etc/fdm.conf"


def _with_lock(program: Program, options: Options, log: Log, me: User) -> int:
    settings = program[0]
    lock = None
    if not (options.multiple or settings["allow-multiple"]):
        from rulesmith.delivery import locks  # runs with -m or `set allow-multiple` need none
        from rulesmith.effects import Failure

        path = settings["lock-file"]
        if path is None:
            path = locks.default_path(me)
        if path:
            try:
                lock = locks.take(path, settings["lock-wait"], settings["lock-timeout"])
            except Failure as failure:
                log.warn(failure.text)
                return _refuse(options.fdm_status) if options.command == "fetch" else ERROR
    try:
        return _accounts(program, options, log, me)
    finally:
        if lock is not None:
            lock.release()


def _accounts(program: Program, options: Options, log: Log, me: User) -> int:
    from rulesmith.mda import Session, select

    chosen = select(program[2], options)
    if not chosen:
        log.warn("no accounts found")
        return _refuse(options.fdm_status) if options.command == "fetch" else ERROR
    session = Session(program, options, log, me)
    if options.command == "poll":
        return max(session.poll(account) for account in chosen)
    if sum(account[3] == "stdin" for account in chosen) > 1:
        log.warn("several accounts read standard input, which holds one message: select one with -a")
        return _refuse(options.fdm_status)
    if me[1] == 0 and program[0]["default-user"] is None and options.user is None:
        log.warn("root must say who delivers: add `set default-user` to the configuration, or use -u")
        return _refuse(options.fdm_status)
    # fdm starts its accounts in reverse order of definition; the worst of their statuses is the run's.
    statuses = [(account[3] == "stdin", session.fetch(account)) for account in reversed(chosen)]
    if not options.fdm_status and any(is_ours for is_ours, _ in statuses):
        # The caller asks what became of its message; folders keep theirs, whatever happens.
        statuses = [each for each in statuses if each[0]]
    status = max(status for _, status in statuses)
    return min(status, ERROR) if options.fdm_status else status


if __name__ == "__main__":
    sys.exit(main())
