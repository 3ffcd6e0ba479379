#!/usr/bin/env python3
"""Writes docs/reference/{conditions,actions,checks}, the man pages and what the language server says, from one text.

usage: tools/reference.py [--check]      (--check: exit 1 if a file would change)

One text, two forms: the docstring of a condition or action is its page and its section in fdm.conf(5);
docs/reference/{fdm,rulesmith,language}.md are pages and man pages.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "reference"
MAN = ROOT / "man"
sys.path.insert(0, str(ROOT))

from rulesmith import __version__  # noqa: E402  # the checkout's own, before any installed one
from rulesmith.actions import WORDS as ACTIONS  # noqa: E402
from rulesmith.conditions import WORDS as CONDITIONS  # noqa: E402
from rulesmith.lint.table import GROUPS, ONLINE  # noqa: E402
from rulesmith.lint.table import module as module_of  # noqa: E402
from rulesmith.syntax import table  # noqa: E402
from rulesmith.syntax.lalr import table_of  # noqa: E402


def docstring(family: str, module: str) -> str:
    """The manual page of a word: the docstring of its module."""
    text = (ROOT / "rulesmith" / family / f"{module}.py").read_text(encoding="utf-8")
    page = ast.get_docstring(ast.parse(text))
    assert page, module
    return page


def page(word: str, text: str) -> str:
    """A docstring as a Markdown page."""
    return f"# {word}\n\n{text.rstrip()}\n"


def reference() -> dict[Path, str]:
    """Every generated file with its text."""
    files = {}
    sections = []
    for family, words in (("conditions", CONDITIONS), ("actions", ACTIONS)):
        sections.append(f"## {family.capitalize()}\n")
        for word, module in words.items():
            text = docstring(family, module)
            files[PAGES / family / f"{word}.md"] = page(word, text)
            sections.append(f"### {word}\n\n{text}\n")
    files |= checks()
    language = (PAGES / "language.md").read_text(encoding="utf-8")
    settings = (PAGES / "settings.md").read_text(encoding="utf-8").replace("# ", "## ", 1)
    files[MAN / "fdm.conf.5"] = roff("fdm.conf", 5, "\n".join([language, settings, *sections]))
    files[ROOT / "rulesmith" / "lsp" / "reference.json"] = hints(language, settings)
    grammar = (ROOT / "grammar" / "fdm.lark").read_bytes()
    rules = table_of(grammar.decode())
    files[ROOT / "grammar" / "fdm.table"] = table.stamp(grammar, rules.encode()).decode() + rules
    for name in ("fdm", "rulesmith"):
        files[MAN / f"{name}.1"] = roff(name, 1, (PAGES / f"{name}.md").read_text(encoding="utf-8"))
    return files


def checks() -> dict[Path, str]:
    """A page for each check, and one that lists them by group."""
    files = {}
    listed = ["# The checks of `rulesmith check`\n"]
    for group, names in (*GROUPS.items(), ("online", ONLINE)):
        listed.append(f"## {group}\n")
        for name in names:
            text = docstring("lint/rules", name.replace("-", "_"))
            severity = module_of(name).SEVERITY.word
            files[PAGES / "checks" / f"{name}.md"] = page(name, f"*{severity}, {group}*\n\n{text}")
            listed.append(f"- [{name}]({name}.md) ({severity}): {text.partition(chr(10))[0]}")
        listed.append("")
    files[PAGES / "checks" / "index.md"] = "\n".join(listed).rstrip() + "\n"
    return files


def hints(language: str, settings: str) -> str:
    """The lines of the reference's tables by word: what the language server shows of settings, tags and words."""
    tables: dict[str, dict[str, str]] = {"settings": {}, "tags": {}, "words": {}}
    for syntax, default, meaning in rows(settings, "| option |"):
        for option in re.findall(r"`([a-z-]+)", syntax):
            tables["settings"][option] = f"{syntax}: {meaning} (default: {default})"
    for _, names, meaning in rows(language, "| short |"):
        for name in re.findall(r"`([a-z0-9_]+)`", names):
            # `command0` … `command9`: all with the same beginning.
            key = re.sub(r"(?<=mail_)[a-z].*|[09]$", "*", name) if "…" in names else name
            tables["tags"][key] = meaning
    for words, meaning in rows(language, "| word |"):
        tables["words"] |= dict.fromkeys(re.findall(r"`([a-z0-9-]+)`", words), meaning)
    return json.dumps(tables, ensure_ascii=False, indent=1) + "\n"


def rows(text: str, head: str) -> list[list[str]]:
    """The cells of the table that begins with this heading."""
    table = text[text.index(head) :].partition("\n\n")[0].splitlines()[2:]
    return [cells(row) for row in table]


def cells(row: str) -> list[str]:
    """The cells of a row; a bar that belongs to one has a backslash."""
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


def roff(name: str, section: int, text: str) -> str:
    """Markdown (the little of it that these pages use) as a man page."""
    title, _, rest = text.partition("\n")
    summary = title.partition(": ")[2]
    out = [f'.TH "{name.upper()}" {section} "" "rulesmith {__version__}"', ".SH NAME", f"{name} \\- {_inline(summary)}"]
    out.append(".SH DESCRIPTION")
    blocks = re.split(r"\n\s*\n", rest.strip("\n"))
    while blocks:
        block = blocks.pop(0)
        if block.startswith("    "):
            while blocks and blocks[0].startswith("    "):
                block += "\n\n" + blocks.pop(0)
            lines = [line[4:] for line in block.split("\n")]
            out += [".PP", ".RS 4", ".nf", *(_plain(line) for line in lines), ".fi", ".RE"]
        elif block.startswith("#"):
            marks, _, heading = block.partition(" ")
            out.append((".SH " if len(marks) == 2 else ".SS ") + f'"{_plain(heading)}"')
        elif block.startswith("- "):
            for item in re.split(r"\n- ", block[2:]):
                term, colon, meaning = " ".join(item.split()).partition(": ")
                out += [".TP", _inline(term), _inline(meaning)] if colon else [".IP \\(bu 3", _inline(term)]
        elif block.startswith("|"):
            for row in block.split("\n")[2:]:
                *terms, meaning = cells(row)
                out += [".TP", _inline(" ".join(filter(None, terms))), _inline(meaning)]
        else:
            out += [".PP", _inline(" ".join(block.split()))]
    return "\n".join(out) + "\n"


def _plain(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...")
    return "\\&" + text if text[:1] in (".", "'") else text


def _inline(text: str) -> str:
    parts = re.split(r"`([^`]*)`", text)
    done = "".join(f"\\fB{_plain(part)}\\fP" if at % 2 else _plain(part) for at, part in enumerate(parts))
    return done.replace("\\&", "", 1) if done[:3] == "\\fB" else done


def main() -> int:
    """Write what changed and name it; the exit status."""
    stale = []
    for path, text in reference().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(path)
            if "--check" not in sys.argv:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
    for path in stale:
        print(path.relative_to(ROOT))
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
