"""`rulesmith learn`: tell rspamd what a message is."""

from __future__ import annotations

import os
import sys
from typing import BinaryIO

import click

LEARNED, NOT_LEARNED, LATER = 0, 1, 75
# Seconds; a large message is taken apart before the answer comes.
PATIENCE = 30.0


@click.command()
@click.argument("kind", type=click.Choice(["spam", "ham"]))
@click.argument("file", type=click.File("rb"), default="-")
@click.option(
    "--url",
    default="http://127.0.0.1:11334",
    show_default=True,
    help="rspamd's controller: http://HOST:PORT or unix:/PATH.",
)
@click.option("--user", default="", help="Whose statistics, where each user has some of his own.")
def learn(kind: str, file: BinaryIO, url: str, user: str) -> None:
    """Teach rspamd that FILE (or standard input) is spam or ham.

    Exit status: 0 learned, or known already; 1 not learned and never will be; 75 not learned now, try again.
    """
    from rulesmith.scan.cold import Rspamd  # httpx, which other commands do without
    from rulesmith.scan.no_verdict import NoVerdict

    raw = file.read()
    if not raw:
        # rspamd would answer as if there were something to learn.
        click.echo("empty message", err=True)
        sys.exit(NOT_LEARNED)
    try:
        rspamd = Rspamd(os.fsencode(url), PATIENCE)
        answer = rspamd.learn(kind, raw, os.fsencode(user))
        rspamd.close()
    except NoVerdict as failure:
        click.echo(f"not learned: {failure}", err=True)
        sys.exit(LATER)
    status, text = told(kind, *answer)
    click.echo(text, err=status != LEARNED)
    sys.exit(status)


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
