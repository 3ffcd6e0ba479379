"""The commands for people, one file each. Nothing here is loaded when a message is delivered."""

from __future__ import annotations

import click

from rulesmith import __version__
from rulesmith.cli.backup import backup, restore
from rulesmith.cli.cache import cache
from rulesmith.cli.check import check
from rulesmith.cli.completion import completion
from rulesmith.cli.diff import diff
from rulesmith.cli.dry_run import dry_run
from rulesmith.cli.explain import explain
from rulesmith.cli.fmt import fmt
from rulesmith.cli.health import health
from rulesmith.cli.learn import learn
from rulesmith.cli.lsp import lsp
from rulesmith.cli.ping import ping
from rulesmith.cli.queue import queue
from rulesmith.cli.serve import serve
from rulesmith.cli.test import test_command
from rulesmith.cli.why_not import why_not_command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="rulesmith")
def rulesmith() -> None:
    """Mail rules in fdm.conf: checked, explained, and carried out without losing a message.

    `rulesmith fetch` takes the options of fdm(1) and delivers; `fdm` is the same program.
    """


@rulesmith.command(add_help_option=False, context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
def fetch() -> None:
    """Deliver the message on standard input (options as fdm(1): -a NAME -f FILE -l -m -v …)."""
    # Only reached as `rulesmith --some-option fetch`; the front door takes the plain form before click is loaded.
    raise click.UsageError("`fetch` must be the first word, its options come after it")


rulesmith.add_command(check)
rulesmith.add_command(fmt)
rulesmith.add_command(lsp)
rulesmith.add_command(dry_run)
rulesmith.add_command(explain)
rulesmith.add_command(diff)
rulesmith.add_command(why_not_command)
rulesmith.add_command(test_command)
rulesmith.add_command(cache)
rulesmith.add_command(learn)
rulesmith.add_command(ping)
rulesmith.add_command(queue)
rulesmith.add_command(serve)
rulesmith.add_command(health)
rulesmith.add_command(backup)
rulesmith.add_command(restore)
rulesmith.add_command(completion)
