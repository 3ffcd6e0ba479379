"""Replays one recorded case and names every field in which a door behaves differently.

The format is that of `fdm-cases.jsonl`: `conf`, `message`, `args`, `setup`, `post`, `env`, and what fdm 2.2 built
with PCRE2 did: `expect`, overridden by `expect22` and `expect22pcre`.
"""

from __future__ import annotations

import base64
import glob
import hashlib
import json
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.door import Call, Door, Outcome, plain_user

Case = dict[str, Any]
HERE = Path(__file__).parent

CTIME = r"[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}"
RFC822 = r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}"
OTHER_ACCOUNTS = re.compile(r"(?m)^account\s+\S+\s+(disabled\s+)?(maildirs?|mbox(es)?|imaps?|pop3s?|nntps?)\b")
# What changes from run to run, and what stands for it in the recorded expectations.
MASKS = [
    (r"\d+\.\d{3}(?= seconds)", "N.NNN"),
    (r"\(average \d+\.\d{3}\)", "(average N.NNN)"),
    (r"(?m)^(From \S* )" + CTIME + "$", r"\1{CTIME}"),
    (
        r'Received: by \S+ \(\S+ [^,()]+, account "([^"\n]*)"\)',
        r'Received: by {HOST} (fdm {VERSION}, account "\1")',
    ),
    (r"(\n\twith \S+ \(unencrypted\)\n\t)" + RFC822, r"\1{RFC822}"),
    (r"\b\d{9,}\.\d+_\d+\.[A-Za-z0-9.-]+", "{MAILDIRNAME}"),
    (r"\bpid (is )?\d+", r"pid \1N"),
    (r"\bchild \d+", "child N"),
]


@dataclass(frozen=True)
class Difference:
    """`field` is exit, stdout, file:NAME, absent:NAME, log+:TEXT (missing) or log-:TEXT (unwanted).

    `got` is the status, the text, the text or texts of the files (None: there is none), the paths that
    should not be there, or for the log all of it. In texts {DIR} stands for the folder of the run.
    """

    field: str
    want: Any
    got: Any


def load() -> list[Case]:
    with open(HERE / "fdm-cases.jsonl", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def expectation(case: Case) -> dict[str, Any]:
    """What fdm 2.2 with PCRE2 did."""
    return case["expect"] | case.get("expect22", {}) | case.get("expect22pcre", {})


def expected_exit(case: Case, plain: bool) -> int:
    """The recorded status, or by the table of the manual where that follows from the case alone.

    Whatever fdm calls a failure is "try again later" for a message on stdin; what is not `fetch` and what fetches
    from elsewhere keeps fdm's status. That fdm's 0 means "nobody took it" cannot be seen here: see deviations.jsonl.
    """
    status: int = expectation(case)["exit"]
    return 75 if plain and status == 1 and reads_stdin(case) else status


def reads_stdin(case: Case) -> bool:
    """Whether the run is about a message on stdin: neither `-n` nor a command or account that leaves mail alone."""
    args = case["args"]
    if "-n" in args or {"poll", "cache"} & set(args):
        return False
    return not OTHER_ACCOUNTS.search(_conf_text(case))


def replay(case: Case, door: Door, flags: tuple[str, ...] = (), plain: bool = False) -> list[Difference]:
    """Run the case in a folder of its own; `flags` go before its arguments, `plain` means our exit statuses."""
    user = plain_user()
    person = user or pwd.getpwuid(os.geteuid())
    folder = tempfile.mkdtemp(prefix="case.")
    try:
        names = {
            "{DIR}": folder,
            "{USER}": person.pw_name,
            "{UID}": str(person.pw_uid),
            "{GID}": str(person.pw_gid),
        }
        _furnish(case, folder, names, user)
        env = _environment(case, folder, names)
        _shell(case.get("setup"), names, folder, env, user)
        args = [*flags, *(_fill(each, names) for each in case["args"])]
        outcome = door(Call(args, _message(case, names), folder, env, user))
        _shell(case.get("post"), names, folder, env, user)
        wanted = _fill(expectation(case) | {"exit": expected_exit(case, plain)}, names)
        return _compare(wanted, outcome, folder, names)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def mask(octets: bytes) -> str:
    text = octets.decode("utf-8", "surrogateescape")
    for pattern, instead in MASKS:
        text = re.sub(pattern, instead, text)
    return text


def _conf_text(case: Case) -> str:
    return base64.b64decode(case["conf_b64"]).decode("latin-1") if "conf_b64" in case else case["conf"]


def _fill(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, str):
        for name, instead in names.items():
            value = value.replace(name, instead)
        return value
    if isinstance(value, list):
        return [_fill(each, names) for each in value]
    if isinstance(value, dict):
        return {_fill(key, names): _fill(each, names) for key, each in value.items()}
    return value


def _octets(case: Case, key: str, names: dict[str, str]) -> bytes:
    if key + "_b64" in case:
        return base64.b64decode(case[key + "_b64"])
    text: str = _fill(case.get(key, ""), names)
    return text.encode("utf-8", "surrogateescape")


def _message(case: Case, names: dict[str, str]) -> bytes:
    return _octets(case, "message", names)


def _furnish(case: Case, folder: str, names: dict[str, str], user: pwd.struct_passwd | None) -> None:
    conf = os.path.join(folder, "conf")
    for each in (folder, os.path.join(folder, "home"), os.path.join(folder, "tmp")):
        os.makedirs(each, exist_ok=True)
        os.chmod(each, 0o755)
    Path(conf).write_bytes(_octets(case, "conf", names))
    os.chmod(conf, 0o600)
    if user:
        for each in (folder, conf, os.path.join(folder, "home"), os.path.join(folder, "tmp")):
            os.chown(each, user.pw_uid, user.pw_gid)


def _environment(case: Case, folder: str, names: dict[str, str]) -> dict[str, str]:
    env = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "HOME": folder + "/home",
        "TMPDIR": folder + "/tmp",
        "TZ": "UTC",
        "LC_ALL": "C",
    }
    for name, value in (case.get("env") or {}).items():
        if value is None:
            env.pop(name, None)
        else:
            env[name] = _fill(value, names)
    return env


def _shell(
    script: str | None, names: dict[str, str], folder: str, env: dict[str, str], user: pwd.struct_passwd | None
) -> None:
    if script:
        who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        quiet = subprocess.DEVNULL
        subprocess.run(
            ["/bin/sh", "-c", _fill(script, names)],
            stdin=quiet, stdout=quiet, stderr=quiet, cwd=folder, env=env, umask=0o022, check=False, **who,
        )  # fmt: skip


def _compare(wanted: dict[str, Any], outcome: Outcome, folder: str, names: dict[str, str]) -> list[Difference]:
    found = []

    def differs(field: str, want: Any, got: Any) -> None:
        back = {folder: "{DIR}"}
        found.append(Difference(_fill(field, back), _fill(want, back), _fill(got, back)))

    if outcome.status != wanted["exit"]:
        differs("exit", wanted["exit"], outcome.status)
    stdout = mask(outcome.stdout)
    if wanted.get("stdout") is not None and stdout != wanted["stdout"]:
        differs("stdout", wanted["stdout"], stdout)
    log = mask(outcome.stderr + b"\n" + outcome.stdout)
    for text in wanted.get("log_contains", []):
        if text not in log:
            differs("log+:" + text, text, log)
    for text in wanted.get("log_lacks", []):
        if text in log:
            differs("log-:" + text, None, log)
    for name, want in wanted.get("files", {}).items():
        octets = [Path(path).read_bytes() for path in _matching(folder, name) if os.path.isfile(path)]
        texts: list[str] = sorted(_described(each, want) for each in octets)
        got = texts if isinstance(want, list) or len(texts) > 1 else (texts[0] if texts else None)
        if got != (sorted(want) if isinstance(want, list) else want):
            differs("file:" + name, want, got)
    for name in wanted.get("absent", []):
        there = _matching(folder, name)
        if there:
            differs("absent:" + name, [], there)
    return found


def _described(octets: bytes, want: Any) -> str:
    if isinstance(want, str) and want.startswith("sha256:"):
        return "sha256:" + hashlib.sha256(octets).hexdigest()
    return mask(octets)


def _matching(folder: str, name: str) -> list[str]:
    """The paths that a name with `*` or `?`, or a plain one, stands for."""
    if "*" in name or "?" in name:
        return sorted(glob.glob(os.path.join(glob.escape(folder), name)))
    path = os.path.join(folder, name)
    return [path] if os.path.lexists(path) else []
