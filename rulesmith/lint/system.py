"""What the checks of `--online` may ask about this machine; the command line brings the answers."""

from __future__ import annotations

from typing import Protocol


class System(Protocol):
    """A machine to look at. None is for "cannot be told", which is never a fault."""

    def program(self, name: str) -> bool | None:
        """Whether a command of that name or path can be run."""

    def folder(self, path: bytes) -> bool | None:
        """Whether there is such a directory."""

    def writable(self, path: bytes) -> bool | None:
        """Whether the user of this run may make files in a directory."""

    def mail_user(self, name: str) -> bool | None:
        """Whether the mail server knows a user."""

    def mailbox(self, user: str, name: str) -> bool | None:
        """Whether the mail server has a mailbox of that user."""

    def socket(self, path: bytes) -> bool | None:
        """Whether there is such a unix socket."""

    def delivers_alike(self) -> bool | None:
        """Whether Dovecot has the same settings for its LMTP server and for `deliver`."""

    def divides_names(self) -> bool | None:
        """Whether Dovecot's LMTP server may take the end of a user's name for a detail."""

    def has_folders(self) -> bool | None:
        """Whether Dovecot's LMTP server takes the detail of an address for a folder."""
