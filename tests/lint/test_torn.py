"""Whatever a configuration looks like, the checks say what they can and do not fail."""

from __future__ import annotations

import random

import pytest

from rulesmith import lint
from rulesmith.compiler.compile import compile_text
from rulesmith.compiler.environment import Imagined
from rulesmith.diagnostics.render import render_text
from rulesmith.lint.fixes import apply_fixes
from tests.lint.spec import blocks

TEXTS = [block.plain for block in blocks()]
PIECES = ['"', "\\", "%", "${", "}", "{", "(", "[", "*", "+", "|", "^", "$", "\n", " and ", " or not ", '"%1"', '"%[x"',
          "é", "\udc80", "'", " continue", "match all {\n", '"(a|b*)*c"', "rewrite ''", 'exec "`x`"', "{1000}", "(?=x)",
          "\\1", 'users { "bob" "root" }', "drop", "keep", 'string "%1" to "(x)"', "age > 3"]  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_torn_configurations_are_no_trouble(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(60):
        text = chance.choice(TEXTS)
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(text) + 1)
            if chance.random() < 0.5:
                text = text[:at] + chance.choice(PIECES) + text[at:]
            else:
                text = text[:at] + text[at + chance.randrange(1, 9) :]
        found = lint.findings(compile_text("conf", text, Imagined()))
        assert all(render_text(each) for each in found)
        apply_fixes(found)
