"""Every check has a page of bad and good forms, and says exactly what the page says."""

from __future__ import annotations

import pytest

from rulesmith.lint.fixes import apply_fixes
from rulesmith.lint.table import NAMES
from tests.lint.spec import FOLDER, Block, blocks, checked

BLOCKS = blocks()


@pytest.mark.parametrize("block", BLOCKS, ids=[f"{block.name}:{block.line}" for block in BLOCKS])
def test_a_block_is_reported_where_it_is_marked_and_nowhere_else(block: Block) -> None:
    names = {block.name, *(name for _, name, _ in block.marks())}
    found = checked(block.plain, block.mode, "root" in block.words)
    refused = [each.message for each in found if each.refuses]
    assert not refused, refused
    told = [(each.at.span.line, each.name, each.at.span.text) for each in found if each.name in names]
    wanted = block.marks()
    assert [each[:2] for each in told] == [each[:2] for each in wanted], [each.message for each in found]
    for (_, _, text), (_, _, marked) in zip(told, wanted, strict=True):
        assert marked is None or text == marked


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.fixed is not None], ids=lambda block: block.name)
def test_a_fix_makes_what_the_page_shows_and_is_made_once(block: Block) -> None:
    found = [each for each in checked(block.plain) if each.name == block.name]
    texts, done = apply_fixes(found)
    assert len(done) == len(found)
    (text,) = texts.values()
    head = len(block.plain.splitlines()) - len((block.fixed or "").splitlines())
    assert "".join(text.splitlines(keepends=True)[head:]) == block.fixed
    assert not [each for each in checked(text) if each.name == block.name]


@pytest.mark.parametrize("name", NAMES)
def test_a_check_has_bad_and_good_forms(name: str) -> None:
    assert (FOLDER / f"{name}.md").exists()
    own = [block for block in BLOCKS if block.name == name]
    assert any(block.marks() for block in own)
    assert any(not block.marks() for block in own)
