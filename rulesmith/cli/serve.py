"""`rulesmith serve`: the resident door."""

from __future__ import annotations

import json
import os
import sys

import click

from rulesmith.cli import doveconf
from rulesmith.options import CONFIG_CHECK, FDM_EXIT_STATUS, UsageError, parse


@click.command(context_settings={"ignore_unknown_options": False})
@click.option("--lmtp", "socket", metavar="SOCKET", required=True, type=click.Path(), help="The unix socket to serve.")
@click.option("--users", metavar="DIR", type=click.Path(exists=True, file_okay=False), help="A folder for each user.")
@click.option("--recipients", metavar="DIR", type=click.Path(exists=True, file_okay=False), help="A file for each one.")
@click.option("-f", "--config", metavar="FILE", help="With --users the file's name in each folder; else for everybody.")
@click.option("--delimiter", default="+", show_default=True, help="What begins the detail of an address; empty: none.")
@click.option(
    "--dovecot", metavar="SOCKET", type=click.Path(), help="Dovecot's LMTP socket, for `deliver`, whatever is `set`."
)
@click.option(
    "--folders/--no-folders",
    default=None,
    help="Whether the detail of an address is a folder there (default: what `doveconf` says).",
)
@click.option("--workers", type=click.IntRange(1, 64), default=8, show_default=True, help="Messages at the same time.")
@click.option("--mode", default="600", show_default=True, help="Who may connect: the socket's permissions, octal.")
@click.option("--maximum", type=click.IntRange(0), default=0, help="The largest message in octets (0: any).")
@click.option("--ready", type=click.IntRange(3), metavar="FD", help="Write a newline there when clients may come.")
@click.argument("words", metavar="[-- FDM-OPTION…]", nargs=-1)
def serve(
    socket: str,
    users: str | None,
    recipients: str | None,
    config: str | None,
    delimiter: str,
    dovecot: str | None,
    folders: bool | None,
    workers: int,
    mode: str,
    maximum: int,
    ready: int | None,
    words: tuple[str, ...],
) -> None:
    """Take messages by LMTP, for example from fetchmail, and deliver them as `fetch` does, until SIGTERM.

    A recipient's user is DIR/NAME with a configuration in it; NAME is the address, or what stands before its detail or
    its @. That folder is HOME and the working directory. Without --users all mail goes by one FILE, and RECIPIENT says
    for whom it is. With --recipients a recipient is the name of a file there, which holds the path of such a folder.
    FDM-OPTIONs are those of fdm(1), for each message: -a, -D, -h, -k, -l, -q, -u, -v, --scan; the
    account is `stdin` unless they say otherwise.
    """
    if users is None and recipients is None and config is None:
        raise click.UsageError("whose rules? Name a folder of users with --users, or one configuration with -f")
    if users is not None and recipients is not None:
        raise click.UsageError("--users and --recipients say the same in two ways")
    found = list(words)
    try:
        options = parse([*found, "fetch"])
    except UsageError as error:
        reason = str(error) or f"{' '.join(found)} mean nothing for a server"
        raise click.UsageError(f"fdm's options: {reason}") from None
    if options.command != "fetch" or options.check or options.config or options.fdm_status or options.config_check:
        raise click.UsageError(f"cache, -n, -f, {CONFIG_CHECK} and {FDM_EXIT_STATUS} mean nothing for a server")
    if not options.includes:
        found += ["-a", "stdin"]
    try:
        permissions = int(mode, 8)
    except ValueError:
        raise click.UsageError(f"--mode {mode}: not an octal number") from None
    if dovecot and not _takes_what_deliver_takes():
        dovecot = ""
    settings = {
        "socket": os.path.abspath(socket),
        "users": None if users is None else os.path.abspath(users),
        "recipients": None if recipients is None else os.path.abspath(recipients),
        "config": config or "fdm.conf",
        "delimiter": delimiter,
        "dovecot": dovecot and os.path.abspath(dovecot),
        "folders": bool(dovecot) and (_has_folders() if folders is None else folders),
        "workers": workers,
        "mode": permissions,
        "maximum": maximum,
        "ready": -1 if ready is None else ready,
        "words": found,
    }
    sys.stdout.flush()
    # A process that has loaded nothing of this one; it may run for months.
    os.execv(sys.executable, [sys.executable, "-P", "-m", "rulesmith.serve", json.dumps(settings)])


def _takes_what_deliver_takes() -> bool:
    """Whether Dovecot's settings for its LMTP server are those for `deliver`, as far as can be known."""
    why = ""
    if doveconf.delivers_alike() is False:
        why = "Dovecot's settings for protocol lda and protocol lmtp differ"
    elif doveconf.divides_names():
        why = "Dovecot's recipient_delimiter has a sign that may stand in the name of a user"
    if why:
        click.echo(f"deliver is run as a command: {why}", err=True)
    return not why


def _has_folders() -> bool:
    """Whether Dovecot's LMTP server stores mail for `user+folder` in the folder."""
    if doveconf.has_folders():
        return True
    click.echo("deliver -m is run as a command: doveconf does not say that `user+folder` is a folder", err=True)
    return False
