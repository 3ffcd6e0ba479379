"""The front door: `rulesmith fetch` is the `fdm` door under another name, all else is for people."""

from __future__ import annotations

import sys


def main() -> int:
    """Run `rulesmith`; the exit status."""
    if sys.argv[1:2] == ["fetch"]:
        from rulesmith import fdm  # once per message: no click, no lark

        fdm.end(fdm.main(sys.argv[1:]))
    from rulesmith.cli import rulesmith  # for people: may take its time
    from rulesmith.log import occupy

    occupy((0, 1, 2))
    rulesmith.main(prog_name="rulesmith")
    return 0


if __name__ == "__main__":
    sys.exit(main())
