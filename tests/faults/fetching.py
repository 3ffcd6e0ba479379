"""fetchmail in its four ways: IMAP and POP3, with and without `keep`; and what it will fetch again."""

from __future__ import annotations

import contextlib
import poplib
import ssl
from pathlib import Path

from tests.chain.bed import Bed, Done
from tests.chain.dovecot import PASSWORD, Dovecot
from tests.chain.reader import mailbox

MODES = ("imap keep", "imap no keep", "pop3 keep", "pop3 no keep")
NO_MAIL = 1  # fetchmail(1): "There was no mail awaiting retrieval"
USER = "user@example.com"
DOOR = "/usr/bin/fdm -a stdin -f ~/fdm.conf -m -v fetch"


class Fetching:
    """Polls of a provider's mailbox, each a run of fetchmail of its own."""

    def __init__(self, bed: Bed, provider: Dovecot, authority: Path) -> None:
        self._bed = bed
        self._provider = provider
        self._authority = authority

    def command(self, mode: str, door: str = DOOR, every: int = 0) -> tuple[str, ...]:
        """The command line of one poll, or of one every so many seconds, after its fetchmailrc is written."""
        protocol, keep = mode.split(" ", 1)
        port, uidl = (self._provider.imaps, "") if protocol == "imap" else (self._provider.pop3s, " uidl")
        rc = self._bed.home / "fetchmailrc"
        rc.write_text(
            f"set no bouncemail\n"
            f"poll localhost protocol {protocol.upper()} port {port}{uidl}\n"
            f"      user '{USER}' there with password '{PASSWORD}' ssl {keep} sslcertfile '/config/authority.pem'\n"
            f'      mda "{door}"\n'
        )
        rc.chmod(0o600)
        self._bed.own(self._bed.home)
        words = "exec fetchmail -f ~/fetchmailrc --idfile ~/fetchids --pidfile ~/fetchmail.pid --nodetach --nosyslog"
        words += f" --daemon {every}" if every else ""
        return "sh", "-c", words

    def poll(self, mode: str, door: str = DOOR) -> Done:
        return self._bed.run(*self.command(mode, door))

    def waiting(self, mode: str) -> list[bytes]:
        """The messages that the next poll will fetch."""
        if mode.startswith("pop3"):
            return self._not_listed(mode)
        found = mailbox(self._provider.imaps, self._authority, USER)
        return [text for flags, text in found if b"\\Seen" not in flags and b"\\Deleted" not in flags]

    def _not_listed(self, mode: str) -> list[bytes]:
        seen: set[bytes] = set()
        if mode == "pop3 keep":
            with contextlib.suppress(FileNotFoundError):
                for line in (self._bed.home / "fetchids").read_bytes().splitlines():
                    seen.add(line.split()[-1])
        context = ssl.create_default_context(cafile=str(self._authority))
        client = poplib.POP3_SSL("localhost", self._provider.pop3s, timeout=30, context=context)
        try:
            client.user(USER)
            client.pass_(PASSWORD)
            texts = []
            for line in client.uidl()[1]:
                number, name = line.split()
                if name not in seen:
                    texts.append(b"".join(each + b"\n" for each in client.retr(int(number))[1]))
            return texts
        finally:
            client.quit()
