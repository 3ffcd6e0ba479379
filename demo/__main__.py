"""Runs the rules of fdm.conf over the messages, shows what became of each, and checks that it is what the rules say.

The configuration is used as it stands but for the path of `deliver`, which becomes the stand-in beside this file.
"""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent.resolve()
OUT = HERE / "out"
BIN = Path(sys.executable).parent
# Where each message has to lie, by the rules as a person reads them. In message 4 the line stands in the body, and
# in 7 the alias is only in Cc, so neither is for the alias.
EXPECTED = {
    "1-to-the-alias": "alias@example.com",
    "2-to-the-user": "user@example.com",
    "3-alias-in-capitals": "alias@example.com",
    "4-alias-only-in-the-body": "user@example.com",
    "5-alias-with-an-attachment": "alias@example.com",
    "6-alias-with-crlf": "alias@example.com",
    "7-latin-1-from-a-list": "user@example.com",
}
MAILBOXES = ("INBOX", "Received")


def main() -> int:
    conf = _prepare()
    print(conf.read_text())
    wrong = 0
    for message in sorted((HERE / "messages").glob("*.eml")):
        before = _stored()
        status = _fetch(conf, message)
        new = sorted(set(_stored()) - set(before))
        for path in new:
            print(f"  now in {path.parent.parent.relative_to(OUT)}")
        explained = _explain(conf, message)
        faults = _faults(message, status, new) + ([] if explained else ["dry-run does not agree"])
        wrong += bool(faults)
        print("\n".join(f"  WRONG: {fault}" for fault in faults) or "  as the rules say", end="\n\n")
    print(f"{len(EXPECTED) - wrong} of {len(EXPECTED)} messages lie where the rules say; see {OUT / 'mail'}")
    return 1 if wrong else 0


def _prepare() -> Path:
    """An empty out/, and the configuration with our `deliver`."""
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    conf = OUT / "fdm.conf"
    rules = (HERE / "fdm.conf").read_text()
    # The path goes into a shell command inside double quotes of fdm.conf.
    deliver = shlex.quote(str(HERE / "deliver")).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    conf.write_text(rules.replace("/usr/libexec/dovecot/deliver", deliver))
    conf.chmod(0o600)  # fdm and rulesmith warn of a configuration that others can read
    return conf


def _fetch(conf: Path, message: Path) -> int:
    # Root has to say who delivers (`set default-user`, or -u as here); for anybody else it changes nothing.
    user = pwd.getpwuid(os.geteuid()).pw_name
    command = [str(BIN / "fdm"), "-u", user, "-a", "stdin", "-f", str(conf), "-m", "-v", "fetch"]
    print(f"$ {shlex.join(command)} <{message.relative_to(HERE)}", flush=True)
    with message.open("rb") as stdin:
        status = subprocess.run(command, stdin=stdin, stderr=subprocess.STDOUT, check=False).returncode
    print(f"  exit status {status}")
    return status


def _explain(conf: Path, message: Path) -> bool:
    """Print why it went there, the engine's own account of it; whether a run would have succeeded."""
    command = [str(BIN / "rulesmith"), "dry-run", "-f", str(conf), str(message)]
    print(f"$ {shlex.join(command)}", flush=True)
    return subprocess.run(command, check=False).returncode == 0


def _stored() -> list[Path]:
    return list((OUT / "mail").glob("*/*/new/*"))


def _faults(message: Path, status: int, new: list[Path]) -> list[str]:
    faults = [] if status == 0 else [f"exit status {status}, expected 0"]
    wanted = [f"{EXPECTED[message.stem]}/{mailbox}" for mailbox in MAILBOXES]
    found = [str(path.parent.parent.relative_to(OUT / "mail")) for path in new]
    if found != wanted:
        faults.append(f"it lies in {found}, expected {wanted}")
    sent = message.read_bytes()
    altered = [path for path in new if not _same(sent, path.read_bytes())]
    return faults + [f"{path} differs from the message by more than a Received header" for path in altered]


def _same(sent: bytes, stored: bytes) -> bool:
    """Whether one Received header of three lines is all that was added; it goes before the first one, or on top."""
    lines = stored.splitlines(keepends=True)
    own = [at for at, line in enumerate(lines) if line.startswith(b"Received: by ")]
    return bool(own) and b"".join(lines[: own[0]] + lines[own[0] + 3 :]) == sent


if __name__ == "__main__":
    sys.exit(main())
