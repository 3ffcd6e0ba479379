"""How `rulesmith check` shows what it found, all files together."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from rulesmith import __version__
from rulesmith.diagnostics.as_github import as_github
from rulesmith.diagnostics.as_json import as_json
from rulesmith.diagnostics.as_junit import as_junit
from rulesmith.diagnostics.as_sarif import as_sarif
from rulesmith.diagnostics.model import Severity
from rulesmith.diagnostics.render import render_short, render_text
from rulesmith.lint.pages import page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rulesmith.diagnostics.model import Diagnostic

FORMATS = ("text", "short", "json", "github", "sarif", "junit")
# Notes of one name that are shown with their lines; of the rest only the places are told.
_SHOWN_NOTES = 3
_LINES = 12


def show(files: Mapping[str, list[Diagnostic]], form: str, everything: bool) -> None:
    """Print the findings of the files, by path, in a format."""
    found = [each for path in files for each in files[path]]
    if form == "text":
        for path in files:
            for text in _as_text(files[path], everything):
                click.echo(text)
        click.echo(_summary(found, len(files)), err=True)
    elif form == "sarif":
        pages = {each.name: page(each.name) for each in found}
        known = {name: text for name, text in pages.items() if text is not None}
        click.echo(as_sarif(found, known, __version__))
    elif form == "junit":
        click.echo(as_junit(files))
    else:
        render = {"short": render_short, "json": as_json, "github": as_github}[form]
        for each in found:
            click.echo(render(each))


def _as_text(found: Iterable[Diagnostic], everything: bool) -> Iterator[str]:
    """The findings; where many notes say the same, the first few and then the lines of the others."""
    seen: Counter[str] = Counter()
    lines: dict[str, list[int]] = {}
    for each in found:
        if each.severity == Severity.NOTE and not everything:
            seen[each.name] += 1
            if seen[each.name] > _SHOWN_NOTES:
                lines.setdefault(each.name, []).append(each.at.span.line)
                continue
        yield render_text(each)
    for name, places in lines.items():
        shown = ", ".join(str(line) for line in places[:_LINES]) + (" …" if len(places) > _LINES else "")
        yield f"note[{name}]: {len(places)} more like this, in lines {shown} (--all shows them)"


def _summary(found: list[Diagnostic], files: int) -> str:
    total = Counter(each.severity for each in found)
    counts = [
        f"{total[severity]} {severity.word}{'' if total[severity] == 1 else 's'}"
        for severity in sorted(Severity, reverse=True)
        if total[severity]
    ]
    fixable = sum(each.fix is not None for each in found)
    fixes = f"; --fix puts {fixable} of them right" if fixable else ""
    return f"{', '.join(counts) or 'nothing'} found in {files} file{'' if files == 1 else 's'}{fixes}"
