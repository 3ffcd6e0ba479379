"""fetchmail in the bed: what the provider has, one poll, and what the provider has afterwards."""

from __future__ import annotations

from pathlib import Path

from tests.chain.bed import Bed, Done
from tests.chain.dovecot import PASSWORD, Dovecot
from tests.chain.reader import mailbox

NO_MAIL = 1  # fetchmail(1): "There was no mail awaiting retrieval"
USER = "user@example.com"


def trust(bed: Bed, ca: Path) -> None:
    """Let fetchmail believe the provider's certificate."""
    (bed.folder / "config" / "authority.pem").write_bytes(ca.read_bytes())
    bed.own(bed.folder / "config")


def fill(bed: Bed, provider: Dovecot, messages: list[bytes]) -> None:
    """Put messages where the provider's mail server would have put them."""
    folder = provider.mail / USER / "Maildir" / "new"
    folder.mkdir(parents=True, exist_ok=True)
    for number, message in enumerate(messages):
        (folder / f"{number}.a.provider").write_bytes(message)
    bed.own(provider.mail)


def poll(bed: Bed, provider: Dovecot, keep: str, to: str, more: str = "") -> Done:
    """One run of fetchmail."""
    return bed.run(*command(bed, provider, keep, to, more))


def command(bed: Bed, provider: Dovecot, keep: str, to: str, more: str = "") -> tuple[str, ...]:
    """fetchmail with the seed's fetchmailrc, but for the port, the authority and whom it hands mail to."""
    rc = bed.home / "fetchmailrc"
    rc.write_text(
        f"{more}poll localhost protocol IMAP port {provider.imaps}\n"
        f"      user '{USER}' there with ssl with password '{PASSWORD}' folder 'INBOX' ssl {keep}"
        f" sslcertfile '/config/authority.pem'\n"
        f"      {to}\n"
    )
    rc.chmod(0o600)
    bed.own(bed.home)
    return "sh", "-c", "fetchmail -f ~/fetchmailrc --pidfile ~/fetchmail.pid --nodetach --nosyslog"


def check_left(provider: Dovecot, ca: Path, keep: str, messages: list[bytes]) -> None:
    """What was delivered is marked at the provider, or gone from there."""
    left = mailbox(provider.imaps, ca, USER)
    if keep == "keep":
        assert [text for _, text in left] == messages
        assert all(b"\\Seen" in flags for flags, _ in left)
    else:
        assert left == []
