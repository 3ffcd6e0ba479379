"""The volume of mail as an older image of ours has left it: what record_older_state.py has recorded."""

from __future__ import annotations

import tarfile
from pathlib import Path

from tests.image.house import Container, Done, own, tool

ARCHIVE = Path(__file__).parents[1] / "data" / "older-state.tar.gz"
PASSWORD = "password"
# Whose message waits in the queue, whose comes again; and who was not there yet, to whom both are copied.
QUEUE, JOURNAL, LATE = "queue@example.com", "journal@example.com", "late@example.com"
RULES = """\
{settings}account "stdin" disabled stdin
action "first" pipe "/usr/libexec/dovecot/deliver -d {user}"
action "second" pipe "/usr/libexec/dovecot/deliver -d late@example.com -m Copies"
match all action {{ "first" "second" }}
"""
SETTINGS = {QUEUE: "", JOURNAL: 'set journal "/home/vmail/.rulesmith/journal"\n'}


def letter(user: str) -> bytes:
    """His message."""
    return f"From: a@example.org\nTo: {user}\nMessage-ID: <1.{user}>\nSubject: for {user}\n\nBody.\n".encode()


def furnish(container: Container) -> None:
    """The two users."""
    for user, settings in SETTINGS.items():
        container.user(user, passwd="{PLAIN}" + PASSWORD, conf=RULES.format(user=user, settings=settings))


def lay_out(container: Container) -> None:
    """Give an installation that volume."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(container.folder, filter="data")
    for record in container.mail.glob(".rulesmith/journal/*"):
        # Such records are forgotten after a month.
        record.touch()
    own(container.mail)


def hand_over(container: Container, user: str, **variables: str) -> Done:
    """As his fetchmail does it."""
    home = f"/run/fetchmail/{user}"
    words = [f"--env={name}={value}" for name, value in {"HOME": home, **variables}.items()]
    script = f"cd '{home}' && exec /usr/bin/fdm -a stdin -f ~/fdm.conf -m -v fetch"
    return tool(
        "exec", "--user=5000:5000", "--interactive", *words, container.name, "sh", "-c", script, stdin=letter(user)
    )
