"""The `lmtp` action: hand a message to a delivery server (fdm.conf(5), RFC 2033), by TCP or a unix socket."""

from __future__ import annotations

from rulesmith.delivery.connection import connect, dial_unix
from rulesmith.delivery.smtp import addresses, hand_over

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rulesmith.delivery.smtp import Args, User
    from rulesmith.delivery.world import World


def deliver(args: Args, raw: bytes, user: User, world: World) -> dict[bytes, bytes]:
    """Send `raw` as `smtp` does; a host that begins with `/` is the path of a unix socket. Raises Failure."""
    host, port, sender, recipient = args
    envelope = addresses(sender, recipient, user, world)
    local = host.startswith(b"/")
    connection = dial_unix(host, world.settings["timeout"]) if local else connect(host, port, world)
    hand_over(connection, b"LHLO", envelope, raw, world)
    return {}
