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
_SETTING = re.compile(r"^\s*password\s*[=:]", re.MULTILINE)
# What `rspamadm pw` prints.
_HASH = re.compile(r"\$[12]\$[a-z0-9]+\$[a-z0-9]+")


def settle(
    environment: Mapping[str, str], own: Path, target: Path, rspamd: Account, say: Callable[[str], None]
) -> None:
    """Write the part of rspamd's configuration that says where the controller listens, and its password.

    `own` is a configuration of the controller that may have come from /config/etc with a password of its own.
    """
    text = configuration(chosen(environment, say), _has_password(own)).encode()
    target.unlink(missing_ok=True)
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
    try:
        os.fchown(handle, 0 if os.geteuid() == 0 else -1, rspamd.gid)
        os.write(handle, text)
    finally:
        os.close(handle)


def _has_password(own: Path) -> bool:
    return own.is_file() and _SETTING.search(own.read_text("utf-8", "replace")) is not None


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


def configuration(password: str | None, elsewhere: bool = False) -> str:
    """Lines for rspamd's controller; `elsewhere`: another file has a password."""
    outside = password is not None or elsewhere
    lines = [
        'bind_socket = "/run/rspamd/controller.sock mode=0666";',
        f'bind_socket = "{"*" if outside else "127.0.0.1"}:11334";',
    ]
    if password is not None:
        quoted = password.replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'password = "{quoted}";')
    return "\n".join(lines) + "\n"


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
