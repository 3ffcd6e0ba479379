"""Which verdicts may differ, and which may not."""

from __future__ import annotations

import pytest

from tests.differential.mutation import verdict_differences
from tests.door import Outcome

REFUSED = Outcome(1, b"", b"conf: syntax error at line 9\n")
TAKEN = Outcome(0, b"", b"")


@pytest.mark.parametrize(
    ("configuration", "meant"),
    [
        (b'ifndef ${given}\ndrop include "nosuch"\nendif\naction "a" drop\n', True),
        (b"ifdef $a\nifdef $b\nendif\nnonsense\nendif\n", True),
        (b'ifndef ${given}\nmatch\nendif\ninclude "nosuch"\n', False),
        (b'ifdef $a\nmatch "include" in headers # ifdef\nendif\n', False),
        (b"ifdef $a\nendif\nifdef $b\nendif\n", False),
    ],
)
def test_a_verdict_differs_only_where_we_mean_it(configuration: bytes, meant: bool) -> None:
    assert (not verdict_differences(configuration, REFUSED, TAKEN)) == meant
    assert verdict_differences(configuration, TAKEN, TAKEN) == ""
