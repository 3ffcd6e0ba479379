"""`rulesmith learn` for a whole folder: each message, a progress bar, what came of it, and what rspamd knows now."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rulesmith.diagnostics.printable import printable
from rulesmith.scan.no_verdict import NoVerdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rulesmith.scan.cold import Rspamd

# Whose mail it is in the image; root has no right to read it there, but may become that user.
OWNER = "vmail"
_SPAM = ("junk", "spam")
_NEITHER = ("trash",)
# So many messages that were not learned are named.
_NAMED = 10
# What became of a message, by rspamd's answer.
_WORDS = {200: "learned as {}", 208: "known as {} already", 204: "with too few words"}
# rspamd's default, messages of each kind.
_LEAST = 200


def kind_of(folder: str) -> str | None:
    """What the messages of a folder are, by its name; None where they may be either."""
    name = folder.casefold().split(".")[0]
    return "spam" if name in _SPAM else None if name in _NEITHER else "ham"


def maildir_of(user: str, folder: str) -> Path:
    """Where Dovecot has the user's folder. Ends the command where there is none."""
    command = ["doveadm", "mailbox", "path", "-u", user, "--", folder]
    try:
        asked = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        raise click.ClickException("doveadm, which knows where the mailboxes are, is not installed here") from None
    path = Path(os.fsdecode(asked.stdout.rstrip(b"\n")))
    if asked.returncode or not asked.stdout:
        why = printable(asked.stderr.decode("utf-8", "replace").strip())
        raise click.ClickException(f"{user}: {why or 'Dovecot does not say where the mailbox is'}")
    if not is_maildir(path):
        raise click.ClickException(f"{user}: {folder}: there is no such folder ({path})")
    return path


def is_maildir(path: Path) -> bool:
    """Whether messages could lie there."""
    return (path / "cur").is_dir()


def become(owner: str) -> None:
    """As root, be the owner of the mail from now on."""
    import pwd

    if os.geteuid() != 0:
        return
    try:
        entry = pwd.getpwnam(owner)
    except KeyError:
        return
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def teach(
    maildir: Path, kind: str, rspamd: Rspamd, user: str, told: Callable[[str, int, bytes], tuple[int, str]]
) -> int:
    """Teach all messages; the exit status: 0 each is learned or too short, 1 some never will be, 75 not all now."""
    paths = messages(maildir)
    outcome: Counter[str] = Counter()
    named: list[str] = []
    stopped = ""
    with click.progressbar(paths, label=f"{len(paths)} messages as {kind}", file=sys.stderr) as bar:
        for path in bar:
            try:
                raw = path.read_bytes()
            except FileNotFoundError:
                # Moved, or marked as read, since the folder was read.
                raw = _again(path)
            if not raw:
                outcome["gone or empty"] += 1
                continue
            try:
                answer = rspamd.learn(kind, raw, os.fsencode(user))
            except NoVerdict as failure:
                stopped = str(failure)
                break
            status, said = told(kind, *answer)
            if status == 75:
                stopped = said
                break
            if answer[0] in _WORDS:
                outcome[_WORDS[answer[0]].format(kind)] += 1
            else:
                outcome["refused"] += 1
                named.append(f"{path}: {said}")
    for line in named[:_NAMED]:
        click.echo(line, err=True)
    click.echo(", ".join(f"{number} {words}" for words, number in outcome.items()) or "no messages")
    if stopped:
        click.echo(f"stopped after {outcome.total()} of {len(paths)} messages: {stopped}", err=True)
        return 75
    return int(bool(named))


def messages(maildir: Path) -> list[Path]:
    """All messages of the folder."""
    found = []
    # In this order nothing is missed that is marked as read in between.
    for part in ("new", "cur"):
        if (maildir / part).is_dir():
            found += sorted(Path(entry.path) for entry in os.scandir(maildir / part) if entry.name[0] != ".")
    return found


def _again(path: Path) -> bytes:
    """A message whose marks have changed has another name."""
    base = path.name.split(":")[0]
    for found in messages(path.parent.parent):
        if found.name.split(":")[0] == base:
            try:
                return found.read_bytes()
            except FileNotFoundError:
                return b""
    return b""


def counts(rspamd: Rspamd) -> str:
    """What rspamd's Bayes classifier has learned and needs: `112/200 spam, 900/200 ham`. Raises NoVerdict."""
    learned = {"spam": 0, "ham": 0}
    for symbol, number in rspamd.learned().items():
        kind = "ham" if "HAM" in symbol.upper() else "spam"
        known = in_redis(symbol, kind)
        learned[kind] += number if known is None else known
    needed = least()
    return ", ".join(f"{number}/{needed} {kind}" for kind, number in learned.items())


def in_redis(symbol: str, kind: str) -> int | None:
    """How many messages of a class redis knows, as rspamd itself counts them only twice a minute; None if unknown."""
    keys = _ask_redis("smembers", f"{symbol}_keys")
    numbers = [each for key in keys for each in _ask_redis("hget", key, f"learns_{kind}") if each.isdigit()]
    return sum(map(int, numbers)) if numbers else None


def _ask_redis(*words: str) -> list[str]:
    try:
        asked = subprocess.run(["redis-cli", "--raw", *words], capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return asked.stdout.split("\n")[:-1] if asked.returncode == 0 else []


def least(command: Sequence[str] = ("rspamadm", "configdump", "-j", "classifier")) -> int:
    """How many messages of each kind the classifier needs before it judges; rspamd's default where it is not said."""
    import json

    try:
        shown = subprocess.run(command, capture_output=True, check=False).stdout
        return int(json.loads(shown)["bayes"]["min_learns"])
    except (OSError, ValueError, KeyError, TypeError):
        return _LEAST
