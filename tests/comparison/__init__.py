"""The comparison: the same faults for `rspamc --mime | fdm` and for rulesmith, for the table in docs/promise.md.

`python -m tests.comparison`, or `make comparison`. Nothing here is collected by pytest.
"""

from __future__ import annotations

import sys
from pathlib import Path

# What the tests share lies there; pytest adds it by itself.
sys.path.insert(0, str(Path(__file__).parents[1]))
