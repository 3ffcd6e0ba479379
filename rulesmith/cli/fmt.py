"""`rulesmith fmt`: configurations in their canonical layout."""

from __future__ import annotations

import os
import sys

import click

from rulesmith.cli.check_fix import difference
from rulesmith.cli.replace_file import replace_file
from rulesmith.layout.tokens import Unreadable
from rulesmith.layout.verified import verified_layout
from rulesmith.source import Source


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(allow_dash=True))
@click.option("--check", is_flag=True, help="Change nothing; name the files that are not laid out so.")
@click.option("--diff", is_flag=True, help="Change nothing; show what would change.")
def fmt(files: tuple[str, ...], check: bool, diff: bool) -> None:
    """Lay out configuration FILES in one form; comments, strings and their meaning stay as they are.

    With - the text is read from standard input and written to standard output. A file that is included is laid out only
    if it is named. Exit status: 0 if all is well; with --check or --diff 1 if a file would change; 2 for a file that
    cannot be read, or is so faulty that it cannot be laid out.
    """
    changed = faulty = False
    for path in files:
        try:
            old = sys.stdin.buffer.read() if path == "-" else _read(path)
            new = _laid_out(path, old)
            changed = changed or new != old
            if diff and new != old:
                click.echo(difference(path, _text(old), _text(new)).encode("utf-8", "surrogateescape"), nl=False)
            elif check and new != old:
                click.echo(path)
            elif path == "-" and not (check or diff):
                click.echo(new, nl=False)
            elif new != old and not (check or diff):
                replace_file(path, new)
        except OSError as error:
            click.echo(f"{error.filename or path}: {os.strerror(error.errno or 0)}", err=True)
            faulty = True
        except Unreadable as error:
            click.echo(f"{error}; nothing is changed", err=True)
            faulty = True
    sys.exit(2 if faulty else int(changed and (check or diff)))


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")


def _laid_out(path: str, octets: bytes) -> bytes:
    """The new text of a file. Raises Unreadable."""
    return verified_layout(Source(path, _text(octets))).encode("utf-8", "surrogateescape")
