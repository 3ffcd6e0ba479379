"""`rulesmith backup` and `rulesmith restore`: the whole mail server, from inside its container."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.container.inventory import Inventory
    from rulesmith.container.restore import Restore

SCAN = Path("/run/s6")
# What writes to the volumes, in the order in which it is stopped. The log's own service goes on.
_FIRST, _LAST = ("keeper", "fetch:", "queue", "learner"), ("dovecot", "rspamd", "redis")
_NOT = ("clerk",)
_SHOWN = 10


@click.command()
@click.argument("target", metavar="DIR", type=click.Path(path_type=Path, resolve_path=True))
def backup(target: Path) -> None:
    """Copy mailboxes, queue, configuration and what the spam filter has learned into DIR, while all of it is in use.

    DIR must not exist, or be empty. Until it is complete it is called DIR.partial.
    """
    from rulesmith.container.backup import Backup
    from rulesmith.container.inventory import Refused, installed

    show = sys.stderr.isatty()

    def tell(files: int) -> None:
        if show and not files % 100:
            click.echo(f"\r{files} files", nl=False, err=True)

    _as_root()
    try:
        made = Backup(target, installed(), tell)
        made.make()
    except Refused as refused:
        raise click.ClickException(str(refused)) from None
    except OSError as error:
        raise click.ClickException(f"no backup was made: {error}") from None
    if show:
        click.echo("\r", nl=False, err=True)
    click.echo(
        f"{target}: {made.mailboxes} mailboxes with {made.messages} messages, {made.waiting} in the queue, "
        f"{len(made.manifest.files)} files, {_size(made.manifest.size)}"
    )
    if not made.of_one_moment:
        click.echo("mail was moved all the time: a message that was moved may be in both of its folders", err=True)


@click.command()
@click.argument("source", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--force", is_flag=True, help="Also where there is something already; it is put aside, not deleted.")
@click.option("--without-config", is_flag=True, help="Leave /config as it is.")
def restore(source: Path, force: bool, without_config: bool) -> None:
    """Bring back what `rulesmith backup` has put into DIR, after comparing every file with its digest.

    In a running container its services are stopped first, and the container ends afterwards, so that it starts anew.
    """
    from rulesmith.container.inventory import Refused, installed
    from rulesmith.container.manifest import Damaged
    from rulesmith.container.restore import Restore

    _as_root()
    inventory = installed()
    if without_config:
        inventory = dataclasses.replace(
            inventory, parts={name: part for name, part in inventory.parts.items() if name != "config"}
        )
    try:
        plan = Restore(source, inventory, lambda _octets: None, lambda line: click.echo(line, err=True))
        with click.progressbar(length=plan.manifest.size, label="compared", file=sys.stderr) as bar:
            plan.tell = bar.update
            plan.verify()
        present = plan.in_the_way()
        if present and not force:
            shown = "".join(f"\n  {path}" for path in present[:_SHOWN])
            more = f"\n  and {len(present) - _SHOWN} more" if len(present) > _SHOWN else ""
            raise click.ClickException(f"there is something already, which --force would put aside:{shown}{more}")
        left = _carry_out(plan, inventory, bool(present))
    except Refused as refused:
        raise click.ClickException(str(refused)) from None
    except (Damaged, OSError) as error:
        raise click.ClickException(f"nothing was restored: {error}") from None
    click.echo(f"restored {source}, made {plan.manifest.made}: {len(plan.manifest.files)} files")
    for path in left:
        click.echo(f"what was there before is in {path}; remove it when it is not needed any more")
    if _serves():
        click.echo("the container ends now; start it again, if nothing else does")
        subprocess.run(["s6-svscanctl", "-t", SCAN], check=True)


def _carry_out(plan: Restore, inventory: Inventory, keep: bool) -> list[Path]:
    """Stop what runs here, restore, and start it again where that fails."""
    from rulesmith.container.inventory import Refused, running

    names = list(_services()) if _serves() else []
    for name in names:
        _call("s6-svc", "-d", SCAN / name)
    try:
        if names:
            _call("s6-svwait", "-D", "-a", "-t", "20000", *(SCAN / name for name in names))
        lock = running(inventory)
        if lock is None:
            raise Refused("nothing was restored: a server runs on these volumes, in another container: stop it first")
        try:
            with click.progressbar(length=plan.manifest.size, label="restored", file=sys.stderr) as bar:
                plan.tell = bar.update
                return plan.run(keep)
        finally:
            os.close(lock)
    except BaseException:
        for name in names:
            _call("s6-svc", "-u", SCAN / name)
        raise


def _services() -> Iterator[str]:
    """All that run here, in the order in which they are stopped."""
    found = sorted(entry.name for entry in SCAN.iterdir() if entry.name[0] != "." and entry.name not in _NOT)
    for begin in _FIRST:
        yield from (name for name in found if name.startswith(begin))
    yield from (name for name in found if not name.startswith((*_FIRST, *_LAST)))
    yield from (name for name in found if name.startswith(_LAST))


def _serves() -> bool:
    """Whether this is the container of a running server, and not one of its own for this command."""
    return Path("/proc/1/comm").read_text().strip() == "s6-svscan"


def _call(*words: str | Path) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{words[0]}: {done.stderr.strip()}")


def _as_root() -> None:
    if os.geteuid() != 0:
        raise click.ClickException("this needs root: it handles the files of several users")


def _size(octets: int) -> str:
    size = float(octets)
    for unit in ("B", "KB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.4g} GB"
