"""The newest files of each user that were in order, kept in the mail's volume: they hold while a newer one does not.

They belong to the user of the mail, who alone may look into that folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.container.accounts import acting_as
from rulesmith.container.services import write_secret

if TYPE_CHECKING:
    from rulesmith.container.places import Places


def save(places: Places, user: str, file: str, content: bytes) -> None:
    """From now on this is the one to go back to."""
    folder = places.last_good(user)
    with acting_as(places.mail):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_secret(folder / file, content, places.mail)


def load(places: Places, user: str, file: str) -> bytes | None:
    """The one to go back to, if there is one."""
    try:
        with acting_as(places.mail):
            return (places.last_good(user) / file).read_bytes()
    except FileNotFoundError:
        return None


def forget(places: Places, user: str, file: str) -> None:
    """The user has taken the file away himself."""
    folder = places.last_good(user)
    with acting_as(places.mail):
        (folder / file).unlink(missing_ok=True)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def users(places: Places) -> list[str]:
    """Of whom something is kept."""
    with acting_as(places.mail):
        folder = places.state / "last-good"
        return sorted(each.name for each in folder.iterdir()) if folder.exists() else []
