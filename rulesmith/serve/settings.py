"""How `rulesmith serve` was called."""

from __future__ import annotations

from rulesmith.limits import LMTP_IDLE, LMTP_TRANSACTION


class Settings:
    """`users` is the folder of users, each a folder with a file `config`; or None, and `config` is everybody's file.
    `recipients` is a folder with a file for each recipient instead, None for none (recipients.py).

    `words` are fdm's options for each message. `workers` is how many messages are under way at a time, `maximum` the
    largest in octets, 0 for any. `dovecot` is the socket of Dovecot's LMTP server, empty for none,
    and `folders` says that it takes the detail of an address for a folder; None leaves both to the configurations.
    """

    __slots__ = (
        "config",
        "delimiter",
        "dovecot",
        "folders",
        "idle",
        "maximum",
        "mode",
        "ready",
        "recipients",
        "socket",
        "transaction",
        "users",
        "words",
        "workers",
    )

    def __init__(self) -> None:
        self.socket = ""
        self.mode = 0o600
        self.users: str | None = None
        self.recipients: str | None = None
        self.config = "fdm.conf"
        self.delimiter = "+"
        self.words = ["-a", "stdin"]
        self.workers = 8
        self.maximum = 0
        self.dovecot: str | None = None
        self.folders = False
        self.ready = -1
        self.idle: float = LMTP_IDLE
        self.transaction: float = LMTP_TRANSACTION
