"""The environment of this process and the names in it, without `os`: to load that takes longer than the rules do.

Where somebody else has loaded it, `os.environb` counts, because that is the one which people change.
"""

from __future__ import annotations

import posix
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_ENCODING, _ERRORS = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()


def variables() -> Mapping[bytes, bytes]:
    """All of it, as a program that is started gets it."""
    loaded = sys.modules.get("os")
    found: Mapping[bytes, bytes] = posix.environ if loaded is None else loaded.environb
    return found


def variable(name: bytes) -> bytes | None:
    """The value of a variable, None where it is not set."""
    return variables().get(name)


def octets_of(text: str) -> bytes:
    """A name of the system as the system has it (`os.fsencode`)."""
    return text.encode(_ENCODING, _ERRORS)


def text_of(octets: bytes) -> str:
    """A name of the system as text (`os.fsdecode`)."""
    return octets.decode(_ENCODING, _ERRORS)
