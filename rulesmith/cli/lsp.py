"""`rulesmith lsp`: the language server for editors."""

from __future__ import annotations

import sys

import click

_MISSING = "`rulesmith lsp` needs the extra `lsp`; type: pip install 'rulesmith-mda[lsp]'"


@click.command()
@click.option("--stdio", is_flag=True, help="Speak on standard input and output, which it does anyway.")
def lsp(stdio: bool) -> None:
    """Serve editors over standard input and output: findings, explanations, completion, fixes, layout.

    No command of a configuration is ever run. Exit status: 0 at the end of the conversation, 2 if the extra `lsp` is
    not installed.
    """
    del stdio  # editors give it to every server
    try:
        from rulesmith.lsp.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        click.echo(_MISSING, err=True)
        sys.exit(2)
    serve()
