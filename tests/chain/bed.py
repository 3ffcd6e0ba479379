"""The test bed: a namespace of its own in which the real Dovecot, fetchmail and a door named /usr/bin/fdm live.

As root, or as a plain user where the kernel lets one have namespaces. Nothing of the machine's /etc, /usr or running
services is changed; the network is the machine's loopback.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.parts import PROJECT, Missing, mail_programs, spam_programs

# The program under test. To try the bed itself on the real fdm: RULESMITH_CHAIN_DOOR=/path/to/fdm
DOOR = os.environ.get("RULESMITH_CHAIN_DOOR") or str(Path(sysconfig.get_path("scripts"), "fdm"))
VMAIL = 5000  # uid and gid of the virtual users, as in the image
_ACCOUNTS = ("vmail:x:{0}:{0}::/home/vmail:/bin/sh\n", "vmail:x:{0}:\n")


@dataclass(frozen=True)
class Done:
    """What came of a command."""

    status: int
    out: bytes
    err: bytes


class Bed:
    """A running namespace. Raises Missing when there cannot be one."""

    def __init__(self, small: Mapping[str, str] | None = None, spam: bool = False) -> None:
        """`small` are little file systems below /small, by name, with their sizes; `spam` adds rspamd and redis."""
        self.parts = [part for part in (mail_programs(), spam_programs() if spam else None) if part]
        self._small = dict(small or {})
        self._spam = spam
        # Not below pytest's folder: a unix socket's path may have 107 octets only.
        self.folder = Path(tempfile.mkdtemp(prefix="chain-"))
        self.home = self.folder / "config" / "users" / "user@example.com"
        self.folder.chmod(0o755)
        self._lay_out()
        failures = []
        for users in (False, True):
            self._process, failure = self._start(users)
            if not failure:
                # In a namespace of users vmail is but another name for us.
                self._vmail_is_another = not users
                for name in ("vmail", "provider", "run", "config"):
                    self.own(self.folder / name)
                return
            failures.append(failure)
        shutil.rmtree(self.folder)
        raise Missing("no mount namespace to be had here: " + "; ".join(failures))

    def _lay_out(self) -> None:
        """Everything a mount is made of, readable for vmail whatever our umask is."""
        before = os.umask(0o022)
        try:
            self._make_files()
        finally:
            os.umask(before)

    def _make_files(self) -> None:
        for name in ("root", "usr/bin", "usr/libexec", "etc/dovecot", "vmail", "provider", "run/dovecot", "config"):
            (self.folder / name).mkdir(parents=True)
        self.home.mkdir(parents=True)
        script = self.folder / "usr/bin/fdm"
        # Who is there to kill it learns its process from its environment, or from a file.
        script.write_text(f'#!/bin/sh\necho $$ >/run/door\nDOOR=$$ exec {DOOR} "$@"\n')
        script.chmod(0o755)
        if not self._spam:
            # The spam filter is not what is tested here; its place in the pipe is.
            scanner = self.folder / "usr/bin/rspamc"
            scanner.write_text('#!/bin/sh\n[ "$*" = --mime ] && exec cat\n')
            scanner.chmod(0o755)
        (self.folder / "usr/libexec/dovecot").symlink_to("../lib/dovecot")
        (self.folder / "etc/dovecot/dovecot.conf").symlink_to("/config/dovecot.conf")
        for name, account in zip(("passwd", "group"), _ACCOUNTS, strict=True):
            (self.folder / "etc" / name).write_text(Path("/etc", name).read_text() + account.format(VMAIL))
        for name in ("hosts", "resolv.conf", "nsswitch.conf"):
            # In a container these are mounts, which a layer below does not show.
            if Path("/etc", name).exists():
                shutil.copyfile(Path("/etc", name), self.folder / "etc" / name)

    def own(self, top: Path) -> None:
        """Give a folder and what is in it to vmail; to be called after files were put there from outside."""
        if self._vmail_is_another:
            for folder, _, files in os.walk(top):
                for path in (folder, *(os.path.join(folder, file) for file in files)):
                    # Servers have files that come and go.
                    with contextlib.suppress(FileNotFoundError):
                        # For nothing it would look as if the file had changed.
                        if os.lstat(path).st_uid != VMAIL:
                            os.chown(path, VMAIL, VMAIL, follow_symlinks=False)

    def _start(self, users: bool) -> tuple[subprocess.Popen[bytes], str]:
        spec = self.folder / "spec.json"
        keep = [PROJECT, Path(DOOR).parent, Path(sys.prefix), Path(sys.base_prefix)]
        spec.write_text(
            json.dumps(
                {
                    "bed": str(self.folder),
                    "parts": [str(part) for part in self.parts],
                    "small": self._small,
                    "keep": [str(path) for path in keep],
                    "uid": VMAIL,
                    "users": users,
                }
            )
        )
        with (self.folder / "errors").open("wb") as errors:
            process = subprocess.Popen(
                [
                    *("unshare", "--mount", "--pid", "--fork", "--kill-child"),
                    *(("--user", "--map-root-user") if users else ()),
                    *("--", sys.executable, "-I", str(Path(__file__).with_name("inside.py")), str(spec)),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        assert process.stdin
        assert process.stdout
        if process.stdout.readline():
            return process, ""
        process.wait()
        process.stdin.close()
        process.stdout.close()
        said = (self.folder / "errors").read_text().strip().splitlines()
        return process, said[-1] if said else "unshare failed"

    def close(self) -> None:
        """End every process of the namespace, and with the last one the namespace."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(60)
        shutil.rmtree(self.folder)

    @property
    def process_id(self) -> int:
        """A process of the machine whose root, /proc/ID/root, is the bed's."""
        return self._process.pid

    def run(self, *argv: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> Done:
        """Run a command inside, as vmail, to its end."""
        answer = self._ask(run=argv, stdin=base64.b64encode(stdin).decode(), env=self._env(env))
        assert "out" in answer, answer
        return Done(answer["status"], base64.b64decode(answer["out"]), base64.b64decode(answer["err"]))

    def start(self, argv: Sequence[str], until: str) -> int:
        """Start a service inside, to run as long as the bed; it is ready when it says `until` on standard error.

        What comes back is its name for `signal` and `wait`.
        """
        answer = self._ask(start=argv, env=self._env(None), until=until)
        assert answer["err"] is None, answer["err"]
        started: int = answer["id"]
        return started

    def begin(self, *argv: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> int:
        """Start a command inside, as vmail, and let it run; its name for `signal` and `wait`."""
        answer = self._ask(begin=argv, stdin=base64.b64encode(stdin).decode(), env=self._env(env))
        assert "id" in answer, answer
        began: int = answer["id"]
        return began

    def signal(self, name: int, number: int, group: bool = False) -> None:
        """Send a signal to something begun or started, or to its whole group; no error when it has ended."""
        assert self._ask(signal=name, number=number, group=group) == {}

    def has_ended(self, name: int) -> bool:
        """Whether something begun or started has come to its end."""
        return bool(self._ask(ended=name)["ended"])

    def first_ended(self, names: Sequence[int], seconds: float) -> int | None:
        """Wait until one of these comes to its end, and for so many seconds at most; None: none has."""
        ended: int | None = self._ask(first=names, seconds=seconds)["ended"]
        return ended

    def wait(self, name: int) -> Done:
        """Wait for something begun or started; a service's output is not kept."""
        answer = self._ask(wait=name)
        assert "out" in answer, answer
        return Done(answer["status"], base64.b64decode(answer["out"]), base64.b64decode(answer["err"]))

    def _env(self, more: Mapping[str, str] | None) -> dict[str, str]:
        home = "/" + str(self.home.relative_to(self.folder))
        return {"PATH": "/usr/bin:/usr/sbin", "HOME": home, "LC_ALL": "C", "TZ": "UTC", "USER": "vmail", **(more or {})}

    def _ask(self, **request: object) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the agent died: " + (self.folder / "errors").read_text()
        answer: dict[str, Any] = json.loads(line)
        return answer
