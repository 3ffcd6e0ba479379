"""The spam scan: a message is shown to rspamd before the rules run, and carries its verdict afterwards.

It stands in the place of `rspamc --mime |`: the same fields are added in the same form. What is different, since the
pipe got it wrong: the sender's own X-Spam fields are taken out, rspamd hears where the mail came from, octets stay as
they are, and no answer is never taken for "ham". Nothing here is loaded where no scan is configured.
"""

from __future__ import annotations

import time

from rulesmith.effects import Failure
from rulesmith.mail import header
from rulesmith.scan import client, envelope, fields, hops, policy, reply, request
from rulesmith.scan.no_verdict import NoVerdict
from rulesmith.scan.server import Server

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def scan(
    raw: bytes,
    settings: dict[str, Any],
    account: bytes,
    user: bytes,
    now: int,
    since: Callable[[], int | None],
    warn: Callable[[str], None],
    url: bytes | None = None,
) -> tuple[bytes, dict[str, Any] | None]:
    """The message with rspamd's fields, and the verdict; or marked `X-Spam-Status: unscanned (…)`, and None.

    `settings`: "scan" (an URL, which `url` overrides), "scan-timeout" (s), "scan-failure", "scan-maximum-size"
    (octets or None), "trusted-hops". `user` is whom the message is for. `now` is Unix time; `since`, asked only where
    the message may have to wait, gives that of the first try, or None. `warn` hears why a message goes on without a
    scan.

    The verdict is {"score": float, "required": float, "action": bytes, "symbols": dict of bytes to float}.
    Raises Failure where the message has to wait for a scan.
    """
    if not raw:
        # rspamd takes it for spam, or for ham, depending on its version.
        raise Failure("empty message")
    body_at = header.boundary(raw)
    # What is asked of the header stands at its top; it may have as many octets as the mail.
    head = raw[: min(body_at, envelope.HEAD_OCTETS)]
    patience = policy.Patience(settings["scan-failure"], now, since, head)
    try:
        server = Server(url or settings["scan"])
        found, seconds = _ask(server, raw, head, settings, account, user)
        if found.undecided:
            raise NoVerdict("error", "rspamd says soft reject" + found.excuse)
    except NoVerdict as failure:
        patience.wait_or_go_on(failure)
        warn(f"delivered without a spam scan: {failure}")
        return fields.unscanned(raw, body_at, str(failure)), None
    return fields.judged(raw, body_at, found, seconds), found.verdict()


def _ask(
    server: Server, raw: bytes, head: bytes, settings: dict[str, Any], account: bytes, user: bytes
) -> tuple[reply.Reply, float]:
    """rspamd's answer and the seconds that it took. Raises NoVerdict."""
    largest = settings["scan-maximum-size"]
    if largest is not None and len(raw) > largest:
        raise NoVerdict("oversized", f"{len(raw)} bytes are more than scan-maximum-size")
    hop = hops.hand_off(head, hops.trusted(settings["trusted-hops"], account))
    told = envelope.told(head, user, hop)
    start = time.monotonic()
    question = request.head(server, request.SCAN, told, len(raw))
    status, about, body = client.ask(server, question, raw, settings["scan-timeout"])
    return reply.read(status, about, body), time.monotonic() - start
