"""The front door: `rulesmith fetch` is the `fdm` door under another name, all else is for people."""

from __future__ import annotations

import errno
import os
import sys

# An output that takes no more; where nobody reads it any more, click ends us in silence.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def main() -> int:
    """Run `rulesmith`; the exit status."""
    if sys.argv[1:2] == ["fetch"]:
        from rulesmith import fdm  # once per message: no click, no lark

        fdm.end(fdm.main(sys.argv[1:]))
    from rulesmith.cli import rulesmith  # for people: may take its time
    from rulesmith.log import occupy

    occupy((0, 1, 2))
    try:
        rulesmith.main(prog_name="rulesmith")
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        os.write(2, f"rulesmith: {error.filename or 'the output'}: {error.strerror}\n".encode(errors="replace"))
        # Not by way of Python, which would try to write the rest once more.
        os._exit(2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
