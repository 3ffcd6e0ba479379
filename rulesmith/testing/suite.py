"""A file of tests: where it is found, which configuration it is for, and what is in it."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from glob import escape, glob
from typing import TYPE_CHECKING, Any

from rulesmith.testing import marked
from rulesmith.testing.case import TOP, BadCase, known, read_case, read_commands

if TYPE_CHECKING:
    from rulesmith.explain.assumption import Assumption
    from rulesmith.testing.case import Case

SUFFIX = ".tests.toml"
_TEST = re.compile(r"^[ \t]*\[\[[ \t]*test[ \t]*\]\]", re.MULTILINE)


class BadSuite(Exception):
    """A file of tests cannot be read; the text says where and why."""


@dataclass
class Suite:
    """The tests of a file. `lines` are where they begin; `commands` are assumed for all of them."""

    path: str
    config: str
    cases: list[Case]
    lines: list[int]
    commands: list[Assumption]

    def place(self, number: int) -> str:
        """Where a test begins."""
        return f"{self.path}:{self.lines[number]}" if number < len(self.lines) else self.path


def files_of(config: str) -> list[str]:
    """The files of tests that belong to a configuration: CONFIG.tests.toml, and beside it tests/*.toml and *.eml.

    A message that does not say what should become of it is no test.
    """
    beside = config + SUFFIX
    folder = escape(os.path.join(os.path.dirname(config), "tests"))
    messages = [path for path in glob(os.path.join(folder, f"*{marked.SUFFIX}")) if _is_marked(path)]
    return ([beside] if os.path.exists(beside) else []) + sorted([*glob(os.path.join(folder, "*.toml")), *messages])


def _is_marked(path: str) -> bool:
    with open(path, "rb") as file:
        return marked.is_marked(file.read())


def read_suite(path: str, config: str | None, home: str) -> Suite:
    """The tests of a file, for the configuration given, else for the one it names or lies beside. Raises BadSuite."""
    try:
        with open(path, "rb") as file:
            octets = file.read()
        if path.endswith(marked.SUFFIX):
            return _of_message(path, octets, config, home)
        text = octets.decode("utf-8")
        said = tomllib.loads(text)
    except OSError as error:
        raise BadSuite(f"{path}: {os.strerror(error.errno or 0)}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSuite(f"{path}: {error}") from None
    lines = [text.count("\n", 0, found.start()) + 1 for found in _TEST.finditer(text)]
    tests = said.pop("test", [])
    if not isinstance(tests, list) or not all(isinstance(each, dict) for each in tests):
        raise BadSuite(f"{path}: each test begins with a line [[test]]")
    if len(lines) != len(tests):
        lines = []  # such a line stands in a text, too
    folder = os.path.dirname(path)
    cases: list[Case] = []
    suite = Suite(path, config or _config(path, said, folder), cases, lines, [])
    try:
        known(said, TOP)
        suite.commands = read_commands(said, folder)
    except BadCase as error:
        raise BadSuite(f"{path}: {error}") from None
    for number, test in enumerate(tests):
        try:
            cases.append(read_case(test, {key: said[key] for key in said if key != "config"}, folder, home))
        except BadCase as error:
            name = test.get("name")
            raise BadSuite(f"{suite.place(number)}: {name or f'test {number + 1}'}: {error}") from None
    return suite


def _of_message(path: str, octets: bytes, config: str | None, home: str) -> Suite:
    try:
        case = marked.read_marked(path, octets, home)
    except BadCase as error:
        raise BadSuite(f"{path}: {error}") from None
    return Suite(path, config or _config(path, {}, os.path.dirname(path)), [case], [], [])


def _config(path: str, said: dict[str, Any], folder: str) -> str:
    named = said.get("config")
    if isinstance(named, str):
        return os.path.join(folder, named)
    if path.endswith(SUFFIX):
        return path.removesuffix(SUFFIX)
    return os.path.join(os.path.dirname(folder) if os.path.basename(folder) == "tests" else folder, "fdm.conf")
