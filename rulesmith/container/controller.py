"""The password of rspamd's web interface. Without one it cannot be reached from outside the container."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rulesmith.container.accounts import Account

PLAIN, ENCRYPTED = "RSPAMD_PASSWORD", "RSPAMD_PASSWORD_ENC"
# What `rspamadm pw` prints.
_HASH = re.compile(r"\$[12]\$[a-z0-9]+\$[a-z0-9]+")


def settle(environment: Mapping[str, str], target: Path, rspamd: Account, say: Callable[[str], None]) -> None:
    """Write the part of rspamd's configuration that opens port 11334, or remove it."""
    password = chosen(environment, say)
    target.unlink(missing_ok=True)
    if password is None:
        return
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
    try:
        os.fchown(handle, 0, rspamd.gid)
        os.write(handle, configuration(password).encode())
    finally:
        os.close(handle)


def chosen(environment: Mapping[str, str], say: Callable[[str], None]) -> str | None:
    """The password or its hash; None where there is none that can be used, and a sentence where one was meant."""
    plain = _given(environment, PLAIN, say)
    if plain:
        if all(sign.isprintable() for sign in plain):
            return plain
        say(f"{PLAIN}: a password of printable signs is needed; the web interface stays closed")
        return None
    encrypted = _given(environment, ENCRYPTED, say)
    if not encrypted:
        return None
    if _HASH.fullmatch(encrypted):
        return encrypted
    say(
        f"{ENCRYPTED} is not what `rspamadm pw` prints ($2$…$…); the web interface stays closed. "
        "In a compose file each $ of it is written $$"
    )
    return None


def configuration(password: str) -> str:
    """Lines for rspamd's controller."""
    quoted = password.replace("\\", "\\\\").replace('"', '\\"')
    return f'bind_socket = "*:11334";\npassword = "{quoted}";\n'


def _given(environment: Mapping[str, str], name: str, say: Callable[[str], None]) -> str | None:
    """The variable, or the first line of the file that the variable NAME_FILE names."""
    value = environment.get(name)
    if value:
        return value
    path = environment.get(name + "_FILE")
    if not path:
        return None
    try:
        return Path(path).read_text("utf-8").split("\n", 1)[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        say(f"{name}_FILE: {path} cannot be read: {why}; the web interface stays closed")
        return None
