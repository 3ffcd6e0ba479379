"""The volumes of the old image: what record_old_volumes.py has recorded, laid out as that image had them."""

from __future__ import annotations

import tarfile
from pathlib import Path

from tests.image.house import Container, own

ARCHIVE = Path(__file__).parents[1] / "data" / "old-volumes.tar.gz"
FOLDERS = ("INBOX", "Received", "A.B")
# Numbers of users that mean somebody else here, or nobody.
OWNERS = {"mail": (1000, 1000), "redis": (951, 101), "rspamd": (5000, 953)}


def letter(user: str, folder: str, number: int) -> bytes:
    """The message that was delivered."""
    return f"From: a@example.org\nTo: {user}\nSubject: {folder} {number}\n\nBody {number} of {folder}.\n".encode()


def lay_out(container: Container) -> None:
    """Give an installation those volumes."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(container.folder, filter="data")
    for volume, (uid, gid) in OWNERS.items():
        own(container.folder / volume, uid, gid)
        (container.folder / volume).chmod(0o2750)
