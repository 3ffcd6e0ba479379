"""The server's process: python -P -m rulesmith.serve SETTINGS, as `rulesmith serve` starts it.

Its interpreter has loaded nothing of the command line's, and the workers' nothing of the server's.
"""

from __future__ import annotations

import json
import os
import sys

from rulesmith.log import Log, occupy
from rulesmith.serve import nursery
from rulesmith.serve.settings import Settings


def main() -> int:
    """The exit status."""
    occupy((0, 1, 2))
    settings = Settings()
    for name, value in json.loads(sys.argv[1]).items():
        setattr(settings, name, value)
    ours, _ = nursery.start(settings)
    from rulesmith.serve.listener import Taken, listen, remove  # not before the nursery is on its own
    from rulesmith.serve.server import serve

    try:
        listener = listen(settings.socket, settings.mode)
    except Taken:
        Log().warn(f"{settings.socket}: another server answers there")
        return 1
    except OSError as error:
        Log().warn(f"{settings.socket}: {error.strerror}")
        return 1
    inode = os.stat(settings.socket).st_ino
    try:
        return serve(settings, listener, ours)
    finally:
        remove(settings.socket, inode)


if __name__ == "__main__":
    sys.exit(main())
