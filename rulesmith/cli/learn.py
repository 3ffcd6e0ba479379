"""`rulesmith learn`: tell rspamd what a message is."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from rulesmith.cli.password import PASSWORD_FILE, password

LEARNED, NOT_LEARNED, LATER = 0, 1, 75
# Seconds; a large message is taken apart before the answer comes.
PATIENCE = 30.0
# Where it listens in the image.
CONTROLLER = Path("/run/rspamd/controller.sock")


@click.command()
@click.argument("what", metavar="spam|ham|FOLDER")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True), default="-")
@click.option(
    "--mailbox", metavar="USER", help="Teach all messages in this user's FOLDER: spam in Junk or Spam, else ham."
)
@click.option("--as", "kind", type=click.Choice(["spam", "ham"]), help="What FOLDER holds, whatever its name.")
@click.option(
    "--url",
    help="rspamd's controller: http://HOST:PORT or unix:/PATH.",
    default=lambda: f"unix:{CONTROLLER}" if CONTROLLER.exists() else "http://127.0.0.1:11334",
    show_default=f"unix:{CONTROLLER} where there is one, else http://127.0.0.1:11334",
)
@click.option("--user", default="", help="Whose statistics, where each user has some of his own (default: USER).")
@PASSWORD_FILE
def learn(
    what: str, file: Path, mailbox: str | None, kind: str | None, url: str, user: str, password_file: Path | None
) -> None:
    """Teach rspamd that FILE is spam or ham: a message, a maildir with all its messages, or standard input.

    With --mailbox: all messages in a folder of a user of this mail server.

    Exit status: 0 learned, or known already; 1 not learned and never will be; 75 not learned now, try again.
    """
    from rulesmith.cli import learn_folder
    from rulesmith.scan.cold import Rspamd  # httpx, which other commands do without
    from rulesmith.scan.no_verdict import NoVerdict

    # Before root steps down: the file may be its own.
    known = password(password_file)
    if mailbox is not None:
        if file != Path("-"):
            raise click.UsageError("with --mailbox there is a FOLDER and nothing else")
        kind = kind or learn_folder.kind_of(what)
        if kind is None:
            raise click.UsageError(f"{what} may hold either: say --as spam or --as ham")
        learn_folder.become(learn_folder.OWNER)
        file, user = learn_folder.maildir_of(mailbox, what), user or mailbox
    elif what not in ("spam", "ham") or kind:
        raise click.UsageError("say what the message is, spam or ham; or name a folder with --mailbox USER FOLDER")
    else:
        kind = what
    whole = learn_folder.is_maildir(file)
    raw = b"" if whole else _read(file)
    try:
        rspamd = Rspamd(os.fsencode(url), PATIENCE, known)
        if whole:
            status = learn_folder.teach(file, kind, rspamd, user, told)
            click.echo(learn_folder.counts(rspamd))
        else:
            status, text = told(kind, *rspamd.learn(kind, raw, os.fsencode(user)))
            click.echo(text, err=status != LEARNED)
        rspamd.close()
    except NoVerdict as failure:
        click.echo(f"not learned: {failure}", err=True)
        sys.exit(LATER)
    sys.exit(status)


def _read(file: Path) -> bytes:
    """The message. Ends the command where there is none."""
    try:
        raw = sys.stdin.buffer.read() if file == Path("-") else file.read_bytes()
    except OSError as error:
        raise click.UsageError(f"{file}: {error.strerror}") from None
    if not raw:
        # rspamd would answer as if there were something to learn.
        click.echo("empty message", err=True)
        sys.exit(NOT_LEARNED)
    return raw


def told(kind: str, status: int, body: bytes) -> tuple[int, str]:
    """Exit status and sentence for an answer of rspamd's."""
    from rulesmith.scan import reply
    from rulesmith.scan.no_verdict import NoVerdict

    said = reply.complaint(body)
    said = ": " + NoVerdict("error", said[2:]).reason if said else ""
    if status == 200:
        try:
            success = reply.parse(body).get("success")
        except NoVerdict:
            success = None
        if success is True:
            return LEARNED, f"learned as {kind}"
        return LATER, f"not learned: rspamd does not say that it was{said}"
    if status == 208:
        return LEARNED, f"already learned as {kind}"
    if status == 204:
        return NOT_LEARNED, "not learned: the message has too few words to learn from"
    if status == 429 or status >= 500:
        return LATER, f"not learned: rspamd answers {status}{said}"
    return NOT_LEARNED, f"not learned: rspamd answers {status}{said}"
