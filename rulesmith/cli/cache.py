"""`rulesmith cache`: look into a cache, change it, take over the one that fdm made."""

from __future__ import annotations

import os
import sys

import click

from rulesmith import cache_command
from rulesmith.delivery import keys
from rulesmith.effects import Failure
from rulesmith.log import Log

PATH = click.argument("path", type=click.Path(dir_okay=False))
KEY = click.argument("key")


@click.group()
def cache() -> None:
    """Look into a cache of the rules (`cache "PATH"` in fdm.conf) and change it."""


def _run(*words: str) -> None:
    sys.exit(cache_command.run(list(words), [], Log()))


@cache.command()
@PATH
@KEY
def add(path: str, key: str) -> None:
    """Add KEY to the cache PATH, or make it new again."""
    _run("add", path, key)


@cache.command()
@PATH
@KEY
def remove(path: str, key: str) -> None:
    """Remove KEY from the cache PATH."""
    _run("remove", path, key)


@cache.command("list")
@click.argument("paths", nargs=-1, required=True, type=click.Path(dir_okay=False))
def list_(paths: tuple[str, ...]) -> None:
    """Say how many keys each cache has."""
    sys.exit(max(cache_command.run(["list", path], [], Log()) for path in paths))


@cache.command()
@PATH
def dump(path: str) -> None:
    """Print every key with the Unix time at which it was last added."""
    _run("dump", path)


@cache.command()
@PATH
def clear(path: str) -> None:
    """Remove all keys."""
    _run("clear", path)


@cache.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--to", "path", type=click.Path(dir_okay=False), help="The cache that takes the keys (default: FILE).")
def import_(file: str, path: str | None) -> None:
    """Take over a cache FILE that fdm made (a TDB file), with its times.

    Without --to the cache takes the place of FILE, which is kept as FILE.tdb-old: the configuration need not
    change. Keys that are there already keep the later time.
    """
    try:
        taken, skipped = keys.take_over(os.fsencode(file), os.fsencode(path or file))
    except Failure as failure:
        raise click.ClickException(failure.text) from None
    click.echo(f"{path or file}: {taken} keys taken over" + (f", {skipped} records skipped" if skipped else ""))
