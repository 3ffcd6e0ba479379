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
    should not be there, or for the log all of it. In `field` and `want` the placeholders stand as they are recorded; in
    `got` only {DIR} does, for the folder of the run.
    """

    field: str
    want: Any
    got: Any


def load() -> list[Case]:
    with open(HERE / "fdm-cases.jsonl", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def expectation(case: Case) -> dict[str, Any]:
    """What fdm 2.2 with PCRE2 did."""
    expected: dict[str, Any] = case["expect"] | case.get("expect22", {}) | case.get("expect22pcre", {})
    return expected


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
    with tempfile.TemporaryDirectory(prefix="case.") as folder:
        stage = Stage(folder)
        stage.furnish(case)
        stage.shell(case.get("setup"))
        args = [*flags, *stage.fill(case["args"])]
        outcome = door(Call(args, stage.octets(case, "message"), folder, stage.env, stage.user))
        stage.shell(case.get("post"))
        return stage.compare(expectation(case) | {"exit": expected_exit(case, plain)}, outcome)


def people() -> dict[str, str]:
    """What {USER}, {UID} and {GID} stand for: nobody when we are root, else whoever we are."""
    person = plain_user() or pwd.getpwuid(os.geteuid())
    return {"{USER}": person.pw_name, "{UID}": str(person.pw_uid), "{GID}": str(person.pw_gid)}


def fill(value: Any, names: dict[str, str]) -> Any:
    """A value with the placeholders in its texts, and in the keys of its dicts, replaced."""
    if isinstance(value, str):
        for name, instead in names.items():
            value = value.replace(name, instead)
        return value
    if isinstance(value, list):
        return [fill(each, names) for each in value]
    if isinstance(value, dict):
        return {fill(key, names): fill(each, names) for key, each in value.items()}
    return value


def mask(octets: bytes) -> str:
    text = octets.decode("utf-8", "surrogateescape")
    for pattern, instead in MASKS:
        text = re.sub(pattern, instead, text)
    return text


def _conf_text(case: Case) -> str:
    return base64.b64decode(case["conf_b64"]).decode("latin-1") if "conf_b64" in case else case["conf"]


class Stage:
    """The folder of one run, with its environment and the user whom everything belongs to."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.user = plain_user()
        self.names = {"{DIR}": folder, **people()}
        self.env: dict[str, str] = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": folder + "/home",
            "TMPDIR": folder + "/tmp",
            "TZ": "UTC",
            "LC_ALL": "C",
        }

    def fill(self, value: Any) -> Any:
        return fill(value, self.names)

    def octets(self, case: Case, key: str) -> bytes:
        if key + "_b64" in case:
            return base64.b64decode(case[key + "_b64"])
        text: str = self.fill(case.get(key, ""))
        return text.encode("utf-8", "surrogateescape")

    def furnish(self, case: Case) -> None:
        top = Path(self.folder)
        folders = [top, top / "home", top / "tmp"]
        for each in folders:
            each.mkdir(exist_ok=True)
            each.chmod(0o755)
        conf = top / "conf"
        conf.write_bytes(self.octets(case, "conf"))
        conf.chmod(0o600)
        if self.user:
            for each in (*folders, conf):
                os.chown(each, self.user.pw_uid, self.user.pw_gid)
        for name, value in (case.get("env") or {}).items():
            self.env.pop(name, None)
            if value is not None:
                self.env[name] = self.fill(value)

    def shell(self, script: str | None) -> None:
        if script:
            user = self.user
            who: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
            quiet = subprocess.DEVNULL
            subprocess.run(
                ["/bin/sh", "-c", self.fill(script)],
                stdin=quiet, stdout=quiet, stderr=quiet, cwd=self.folder, env=self.env, umask=0o022, check=False, **who,
            )  # fmt: skip

    def compare(self, wanted: dict[str, Any], outcome: Outcome) -> list[Difference]:
        found = []

        def differs(field: str, want: Any, got: Any) -> None:
            found.append(Difference(field, want, fill(got, {self.folder: "{DIR}"})))

        if outcome.status != wanted["exit"]:
            differs("exit", wanted["exit"], outcome.status)
        stdout = mask(outcome.stdout)
        if wanted.get("stdout") is not None and stdout != self.fill(wanted["stdout"]):
            differs("stdout", wanted["stdout"], stdout)
        log = mask(outcome.stderr + b"\n" + outcome.stdout)
        for text in wanted.get("log_contains", []):
            if self.fill(text) not in log:
                differs("log+:" + text, text, log)
        for text in wanted.get("log_lacks", []):
            if self.fill(text) in log:
                differs("log-:" + text, None, log)
        for name, want in wanted.get("files", {}).items():
            octets = [Path(path).read_bytes() for path in self._matching(name) if os.path.isfile(path)]
            texts: list[str] = sorted(_described(each, want) for each in octets)
            got = texts if isinstance(want, list) or len(texts) > 1 else (texts[0] if texts else None)
            if got != self.fill(sorted(want) if isinstance(want, list) else want):
                differs("file:" + name, want, got)
        for name in wanted.get("absent", []):
            there = self._matching(name)
            if there:
                differs("absent:" + name, [], there)
        return found

    def _matching(self, name: str) -> list[str]:
        """The paths that a name with `*` or `?`, or a plain one, stands for."""
        name = self.fill(name)
        if "*" in name or "?" in name:
            return sorted(glob.glob(os.path.join(glob.escape(self.folder), name)))
        path = os.path.join(self.folder, name)
        return [path] if os.path.lexists(path) else []


def _described(octets: bytes, want: Any) -> str:
    if isinstance(want, str) and want.startswith("sha256:"):
        return "sha256:" + hashlib.sha256(octets).hexdigest()
    return mask(octets)
