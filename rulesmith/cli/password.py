"""The password of rspamd's controller: from a file or the environment, not from a command line, which others see."""

from __future__ import annotations

import os
from pathlib import Path

import click

VARIABLE = "RSPAMD_PASSWORD"
PASSWORD_FILE = click.option(
    "--password-file",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help=f"The controller's password, alone in the first line of FILE (default: {VARIABLE} of the environment).",
)


def password(file: Path | None) -> bytes:
    """What the controller wants to hear, empty for nothing. Raises click.UsageError."""
    if file is None:
        return _sendable(os.environb.get(VARIABLE.encode(), b""), VARIABLE)
    try:
        first = file.read_bytes().partition(b"\n")[0].removesuffix(b"\r")
    except OSError as error:
        raise click.UsageError(f"{file}: {error.strerror}") from None
    if not first:
        raise click.UsageError(f"{file}: the first line holds no password")
    return _sendable(first, str(file))


def _sendable(octets: bytes, source: str) -> bytes:
    """A control character would end the field that carries it."""
    if any(octet < 32 or octet == 127 for octet in octets):
        raise click.UsageError(f"{source}: a password has no control characters")
    return octets
