"""The `stdout` action: the message, octet for octet, on standard output."""

from __future__ import annotations

import time

from rulesmith.delivery import folders
from rulesmith.delivery.file import write_within
from rulesmith.effects import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rulesmith.delivery.world import World


def deliver(args: tuple[()], raw: bytes, user: tuple[bytes, int, int, bytes], world: World) -> dict[bytes, bytes]:
    """Write `raw` to descriptor 1, and to the disk where that is a file. Raises Failure."""
    world.trace("writing-stdout")
    try:
        write_within(1, raw, time.monotonic() + world.settings["timeout"])
        folders.sync_file(1)
    except OSError as error:
        raise Failure("fwrite: " + (error.strerror or str(error))) from None
    return {}
