"""`rulesmith ping`: is rspamd there?"""

from __future__ import annotations

import os
import sys

import click

# Seconds: the image waits on this at its start.
PATIENCE = 5.0


@click.command()
@click.option(
    "--url", default="http://127.0.0.1:11333", show_default=True, help="rspamd: http://HOST:PORT or unix:/PATH."
)
def ping(url: str) -> None:
    """Ask rspamd whether it is there: exit status 0 if it answers, 75 if not. Says which one answered."""
    from rulesmith.scan.cold import Rspamd  # httpx, which other commands do without
    from rulesmith.scan.no_verdict import NoVerdict

    try:
        rspamd = Rspamd(os.fsencode(url), PATIENCE)
        there = rspamd.ping()
        version = rspamd.version
        rspamd.close()
    except NoVerdict as failure:
        click.echo(str(failure), err=True)
        sys.exit(75)
    if not there:
        click.echo(f"{url} answers, but not as rspamd does", err=True)
        sys.exit(75)
    click.echo(f"pong from rspamd{f' {version}' if version else ''} at {url}")
