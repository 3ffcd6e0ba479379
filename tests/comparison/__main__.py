"""python -m tests.comparison [WORD…]: the table in Markdown; with words, only the faults in whose names one is."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.comparison.table import rows
from tests.parts import Missing


def main() -> int:
    try:
        with tempfile.TemporaryDirectory(prefix="comparison.") as folder:
            for row in rows(Path(folder), sys.argv[1:]):
                print(row, flush=True)
    except Missing as missing:
        print(f"comparison: it cannot run here: {missing}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
