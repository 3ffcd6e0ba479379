"""The soak: thousands of messages through the real chain while something breaks every few seconds.

`python -m tests.soak --messages 1000 --seed 1`, or `make soak`. pytest collects only the tests of its judge.
"""

from __future__ import annotations

import sys
from pathlib import Path

# What the tests share lies there; pytest adds it by itself.
sys.path.insert(0, str(Path(__file__).parents[1]))
