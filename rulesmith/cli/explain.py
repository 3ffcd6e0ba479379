"""`rulesmith explain`: the whole story of one message."""

from __future__ import annotations

from typing import Any

import click

from rulesmith.cli.dry_run import dry_run

# Of a dry run, what is for many messages.
_FOR_MANY = ("messages", "imap", "password_file", "newest", "details")


@click.pass_context
def _explain(context: click.Context, /, message: str, **options: Any) -> None:
    context.invoke(dry_run, messages=(message,), imap=None, password_file=None, newest=None, details=True, **options)


explain = click.Command(
    "explain",
    callback=_explain,
    params=[
        click.Argument(["message"], type=click.Path(allow_dash=True)),
        *(each for each in dry_run.params if each.name not in _FOR_MANY),
    ],
    help="""Say what the rules would do with MESSAGE, a file or - for standard input, and why.

    What `dry-run` says of one message: nothing is run and nothing is written unless an option says so. Exit status:
    0 if fdm would exit 0, 1 if not, 2 for a faulty configuration or command line.""",
)
