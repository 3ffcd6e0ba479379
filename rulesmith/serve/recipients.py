"""Whose rules a recipient's mail goes through."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from rulesmith.lmtp.address import names

if TYPE_CHECKING:
    from rulesmith.serve.settings import Settings


class Recipient(NamedTuple):
    """`who` is the same for addresses that mean the same: one message for them is one run of the rules.

    `folder` is where the run happens, and `variables` what its environment has besides the server's.
    """

    who: str
    folder: str
    variables: dict[str, str]
    config: str


def look_up(settings: Settings, address: bytes) -> Recipient | None:
    """Whom an address means; None where there is nobody of the name, or not yet."""
    if settings.users is None:
        told = os.fsdecode(address)
        # With one configuration for all nothing else says whom the message is for.
        return Recipient(told, os.getcwd(), {"RECIPIENT": told}, os.path.abspath(settings.config))
    for each in names(address, os.fsencode(settings.delimiter)):
        name = os.fsdecode(each)
        home = os.path.join(settings.users, name)
        config = os.path.join(home, settings.config)
        if os.path.isfile(config):
            return Recipient(name, home, {"HOME": home}, config)
    return None
