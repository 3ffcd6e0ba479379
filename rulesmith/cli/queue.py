"""`rulesmith queue`: look into the queue, try its messages again, take some out."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from rulesmith.cli.settings import default_config, invoker
from rulesmith.delivery import queue as entries
from rulesmith.delivery.folders import sync_folder
from rulesmith.delivery.progress import Unreadable
from rulesmith.load import load_program, site_file
from rulesmith.log import Log
from rulesmith.mail import header
from rulesmith.options import Options
from rulesmith.queue_run import Runner
from rulesmith.queue_states import State, progress_of, states

if TYPE_CHECKING:
    from collections.abc import Callable

    from rulesmith.load import User

IDS = click.argument("ids", metavar="ID…", nargs=-1)


def _folder(_context: click.Context, _parameter: click.Parameter, given: str | None) -> bytes:
    """The queue: as given, else what the site file or the default configuration sets."""
    if given is not None:
        return os.path.abspath(os.fsencode(given))
    me = invoker(False)
    path = default_config(me[3])
    # There need not be one: the site file may set the queue for configurations that lie elsewhere.
    settings = _site(path, me) if not os.path.lexists(path) else load_program(path, Options(), Log(quiet=True), me)[1]
    folder: bytes | None = settings["queue"]
    if folder is None:
        raise click.UsageError("no configuration sets a queue: name its folder with --queue")
    return folder


def _site(path: str, me: User) -> dict[str, Any]:
    """The settings of the site file alone; what is wrong with it is said."""
    from rulesmith.compiler.site import read_site
    from rulesmith.compiler.world import Machine
    from rulesmith.diagnostics.render import render_text

    site = read_site(Machine(path, me, site=site_file()))
    for diagnostic in site.diagnostics:
        if diagnostic.refuses:
            click.echo(render_text(diagnostic), err=True)
    return site.settings


QUEUE = click.option(
    "--queue",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False),
    callback=_folder,
    help="The queue's folder (default: `set queue` of /etc/rulesmith.conf or of the default configuration).",
)


@click.group()
def queue() -> None:
    """Messages that rulesmith has taken over and not yet delivered (`set queue` in fdm.conf)."""


@queue.command()
@QUEUE
@click.option("--once", is_flag=True, help="Try every message one time, then end: 0 nothing is left, 1 something is.")
def run(folder: bytes, once: bool) -> None:
    """Try the messages again, with growing pauses, until SIGTERM."""
    runner = Runner(folder, _say)
    if once:
        sys.exit(bool(runner.once()))
    runner.forever()


@queue.command("list")
@QUEUE
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def list_(folder: bytes, form: str) -> None:
    """All messages, oldest first: since when, how many tries, the next one, what stopped the last."""
    for state in _guarded(lambda: list(states(folder))):
        if form == "json":
            click.echo(json.dumps(_as_json(state), ensure_ascii=False))
        else:
            click.echo(f"{state.name.decode()}  {_when(state.since)}  {_tries(state)}  {_text(state.reason)}".rstrip())


@queue.command()
@QUEUE
@click.option("--raw", is_flag=True, help="The message itself, octet for octet.")
@click.argument("name", metavar="ID")
def show(folder: bytes, name: str, raw: bool) -> None:
    """What is known of a message: how it came, what is done, what stopped it; and its header."""
    entry = _guarded(lambda: entries.look(folder, _id(name)), name)
    octets = entry.raw()
    if raw:
        sys.stdout.buffer.write(octets)
        return
    state = State(entry.name, entry.context.now, progress_of(folder, entry.name))
    context = entry.context
    lines = {
        "id": name,
        "since": _when(state.since),
        "tries": _tries(state),
        "reason": _text(state.reason),
        "done": "\n".join(map(_text, state.done)),
        "left": "\n".join(map(_text, state.left)),
        "called": " ".join(map(_text, (context.program, *context.words))),
        "folder": _text(context.folder),
        "size": f"{len(octets)} bytes",
    }
    for word, value in lines.items():
        for line in value.splitlines():
            click.echo(f"{word + ':':<8}{line}")
    click.echo()
    click.echo(_text(octets[: header.boundary(octets)].rstrip(b"\r\n")))


@queue.command()
@QUEUE
@click.option("--all", "everything", is_flag=True, help="All messages.")
@IDS
def retry(folder: bytes, ids: tuple[str, ...], everything: bool) -> None:
    """Try messages now: 0 when all are delivered, 1 when not."""
    runner = Runner(folder, _say)
    if not everything:
        _need(ids)
    for name in ids:
        _guarded(lambda name=name: entries.look(folder, _id(name)).close(), name)  # type: ignore[misc]
    sys.exit(bool(runner.once(None if everything else [_id(name) for name in ids])))


@queue.command()
@QUEUE
@IDS
def release(folder: bytes, ids: tuple[str, ...]) -> None:
    """Put messages into the problem mailbox now, whole, past the rules: 0 when all are there, 1 when not."""
    _need(ids)
    runner = Runner(folder, _say)
    runner.release = True
    for name in ids:
        _guarded(lambda name=name: entries.look(folder, _id(name)).close(), name)  # type: ignore[misc]
    sys.exit(bool(runner.once([_id(name) for name in ids])))


@queue.command()
@QUEUE
@IDS
def drop(folder: bytes, ids: tuple[str, ...]) -> None:
    """Throw messages away for good."""
    _need(ids)
    for name in ids:
        entry = _guarded(lambda name=name: entries.open_entry(folder, _id(name)), name)  # type: ignore[misc]
        # Should its caller bring it again, who was not told that we have it, that copy is thrown away too.
        _guarded(lambda entry=entry: entry.remove(ours=False), name)  # type: ignore[misc]
        # For good also means: after a power cut.
        _guarded(lambda: sync_folder(folder), name)
        entry.close()
        click.echo(f"{name}: dropped")


def _need(ids: tuple[str, ...]) -> None:
    if not ids:
        raise click.UsageError("name the messages; `rulesmith queue list` shows their IDs")


def _id(name: str) -> bytes:
    if "/" in name or not name[:1].isdigit():
        raise click.UsageError(f"{name} is no ID of the queue; `rulesmith queue list` shows them")
    return os.fsencode(name)


def _guarded(act: Callable[[], Any], name: str = "") -> Any:
    """What `act` gives; what may stand in its way becomes a sentence and exit status 1."""
    try:
        return act()
    except BlockingIOError:
        raise click.ClickException(f"{name}: is being delivered right now") from None
    except FileNotFoundError:
        raise click.ClickException(f"{name}: is not in the queue") from None
    except Unreadable:
        raise click.ClickException(f"{name}: was queued by another version, or is damaged") from None
    except OSError as error:
        raise click.ClickException(f"{name}: {error.strerror}".removeprefix(": ")) from None


def _as_json(state: State) -> dict[str, object]:
    return {
        "id": state.name.decode(),
        "since": state.since,
        "tries": state.tries,
        "next": state.since if state.next is None else state.next,
        "reason": _text(state.reason),
        "done": [_text(each) for each in state.done],
        "left": [_text(each) for each in state.left],
    }


def _tries(state: State) -> str:
    if state.next is None:
        return "not tried yet"
    return f"{state.tries} {'try' if state.tries == 1 else 'tries'}, next by {_when(state.next)}"


def _when(moment: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))


def _text(octets: bytes) -> str:
    """For a terminal: nothing in it moves the cursor."""
    text = octets.decode("utf-8", "backslashreplace")
    return "".join(sign if sign.isprintable() or sign == "\n" else f"\\x{ord(sign):02x}" for sign in text)


def _say(line: str) -> None:
    click.echo(line)
