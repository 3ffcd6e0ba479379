"""`rulesmith completion SHELL` prints what a shell needs to complete our commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script for SHELL; for bash: eval "$(rulesmith completion bash)"."""
    found = get_completion_class(shell)
    assert found is not None, shell
    root = context.find_root()
    # Bash's own source() asks bash for its version, which need not be installed where the script is made.
    maker = found(root.command, {}, "rulesmith", "_RULESMITH_COMPLETE")
    click.echo(maker.source_template % maker.source_vars())
