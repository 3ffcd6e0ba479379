"""`rulesmith health`: is the container well? Also its HEALTHCHECK."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rulesmith.container.health import Health, Person


@click.command()
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def health(form: str) -> None:
    """Whether all daemons answer and every user's mail is fetched: exit status 0 if so, 1 if not (inside the image)."""
    from rulesmith.container.health import Sources, become_mail, gather, is_image

    sources = Sources()
    if not is_image(sources):
        raise click.ClickException("there is nothing to ask: this is not the container of the image")
    become_mail(sources)
    found = gather(sources, os.environ)
    if form == "json":
        click.echo(json.dumps(found.as_json(), ensure_ascii=False, indent=2))
    else:
        click.echo(table(found, time.time()))
    sys.exit(bool(found.problems))


def table(found: Health, now: float) -> str:
    """For people."""
    from rulesmith.mail.words import printable

    lines = ["healthy" if not found.problems else "unhealthy"]
    lines += [f"  {problem}" for problem in found.problems]
    lines += ["", *_columns([("DAEMON", "STATE"), *((name, why or "answers") for name, why in found.daemons.items())])]
    if found.people:
        lines += ["", *_columns([("USER", "LAST FETCH", "DEFERRED", "LAST ERROR"), *map(_row(now), found.people)])]
    lines += [f"{person.name}: {note}" for person in found.people for note in _notes(person)]
    return "\n".join(map(printable, lines))


def _row(now: float):  # type: ignore[no-untyped-def]
    def row(person: Person) -> tuple[str, ...]:
        fetched = "-"
        if person.last_fetch is not None:
            fetched = _ago(person.last_fetch, now) if person.last_fetch else "never"
            fetched += ", idle" if person.polls and all(poll.idle for poll in person.polls) else ""
        deferred = f"{person.deferred} since {_when(person.deferred_since)}" if person.deferred else "-"
        worst = person.last_error
        error = f"{_ago(worst.error_at, now)}: {worst.error}" if worst else "-"
        return person.name, fetched, deferred, error

    return row


def _notes(person: Person) -> list[str]:
    notes = list(person.notes)
    notes += [
        f"fetchmail refuses message {each['message']} at {each['server']}"
        + (f' (at the line "{each["line"]}")' if each["line"] else "")
        + f"; to fetch it write `bad-header accept` behind `poll {each['server']}` in fetchmailrc"
        for each in person.refused
    ]
    return notes


def _columns(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _ago(moment: float, now: float) -> str:
    from rulesmith.container.health import duration

    return f"{duration(now - moment)} ago"


def _when(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))
