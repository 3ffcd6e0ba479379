"""The table of the grammar: Lark's, kept in a file; made anew where the grammar is another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from rulesmith.syntax import table
from rulesmith.syntax.builder import Builder
from rulesmith.syntax.lalr import table_of
from rulesmith.syntax.parser import parse
from rulesmith.syntax.stack import Stack
from rulesmith.syntax.world import MemoryWorld

GRAMMAR = Path(table.FOLDER, "fdm.lark").read_text(encoding="utf-8")
TABLE = Path(table.FOLDER, "fdm.table").read_text(encoding="ascii")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A grammar and its table that may be changed, and nothing loaded yet."""
    (tmp_path / "fdm.lark").write_text(GRAMMAR, encoding="utf-8")
    (tmp_path / "fdm.table").write_text(TABLE, encoding="ascii")
    monkeypatch.setattr(table, "FOLDER", str(tmp_path))
    monkeypatch.setattr(table, "_loaded", [])
    return tmp_path


def test_the_table_of_a_grammar_is_the_same_however_often_it_is_made() -> None:
    assert TABLE.partition("\n")[2] == table_of(GRAMMAR) == table_of(GRAMMAR)


def test_the_table_is_loaded_once() -> None:
    assert table.load_table() is table.load_table()


def test_a_grammar_that_was_edited_needs_no_new_table_to_hold(folder: Path) -> None:
    def findings() -> list[str]:
        table._loaded.clear()
        _, found = parse("conf", "match all action drop keep action drop", MemoryWorld())
        return [each.name for each in found]

    assert findings() == ["syntax-error"]
    grammar = GRAMMAR.replace("item: DROP ", "item: DROP [KEEP ACTION DROP]")
    (folder / "fdm.lark").write_text(grammar, encoding="utf-8")
    assert findings() == []


@pytest.mark.parametrize("damaged", [TABLE[:8000], TABLE[:-20], TABLE.replace("string x*", "string x", 1), "", "x\n"])
def test_a_table_that_is_damaged_is_made_anew(damaged: str, folder: Path) -> None:
    whole = [table._rule(line, Builder())[:4] for line in TABLE.partition("\n")[2].split("\n\n", 1)[0].split("\n")]
    (folder / "fdm.table").write_text(damaged, encoding="ascii")
    assert [rule[:4] for rule in table.load_table().rules] == whole


def test_what_is_accepted_is_what_can_be_taken_and_asking_takes_nothing() -> None:
    stack = Stack()
    assert {"MATCH", "SET", "$END"} <= stack.accepts()
    assert "start" in stack.choices()
    assert "start" not in stack.accepts()
    assert stack.accepts() == stack.accepts()
    assert stack.values == []
    assert stack.is_before("MATCH")
    assert not stack.is_before("$END")
