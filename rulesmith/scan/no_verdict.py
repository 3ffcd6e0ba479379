"""Why there is no verdict about a message."""

from __future__ import annotations

# What `set scan-failure` tells apart: nobody listens; no answer in time; an answer that is none; too big to ask.
CAUSES = ("unreachable", "timeout", "error", "oversized")
_LONGEST = 300


class NoVerdict(Exception):
    """rspamd has not judged the message. `cause` is one of CAUSES; the text is one line, fit for a header field."""

    def __init__(self, cause: str, reason: str) -> None:
        self.cause = cause
        # Reasons quote what a stranger's server said.
        self.reason = "".join(sign if sign.isprintable() and sign.isascii() else "?" for sign in reason[:_LONGEST])
        super().__init__(f"{cause}: {self.reason}")
