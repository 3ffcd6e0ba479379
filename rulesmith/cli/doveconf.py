"""What `doveconf` says of the ways to a mailbox: `deliver` (protocol lda) and the LMTP server (protocol lmtp)."""

from __future__ import annotations

import re
import subprocess

_SECTIONS = re.compile(r"^(?:protocol|service|namespace) .*?^\}\n", re.DOTALL | re.MULTILINE)
_SECONDS = 10


def delivers_alike() -> bool | None:
    """Whether Dovecot's settings for its LMTP server are those for `deliver`; None where nobody can say."""
    lda, lmtp = _settings_for("lda"), _settings_for("lmtp")
    return None if lda is None and lmtp is None else lda == lmtp


def has_folders() -> bool | None:
    """Whether Dovecot's LMTP server stores mail for `user+folder` in the folder; None where it does not say."""
    said = _ask("-h", "recipient_delimiter", "lmtp_save_to_detail_mailbox")
    return None if said is None else said.split() == ["+", "yes"]


def divides_names() -> bool | None:
    """Whether Dovecot's LMTP server may take the end of a user's name for a detail, as `deliver` never does; None where
    it does not say. Names with any other sign than these are left to the command (delivery/dovecot.py)."""
    said = _ask("-h", "recipient_delimiter")
    return None if said is None else any(sign.isalnum() or sign in "._-" for sign in said.partition("\n")[0])


def _settings_for(protocol: str) -> list[str] | None:
    """What holds for a protocol, but for its logs. Of some sections Dovecot 2.3 prints different parts for each."""
    said = _ask("-n", "-f", f"protocol={protocol}")
    if said is None:
        return None
    return [line for line in _SECTIONS.sub("", said).splitlines() if "log" not in line.partition("=")[0]]


def _ask(*words: str) -> str | None:
    try:
        done = subprocess.run(["doveconf", *words], capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
