"""Writes tests/data/older-state.tar.gz: what an older image has left in its volume of mail, made by that image.

`IMAGE=… python -m tests.image.record_older_state`, with an image built from an earlier commit. What is in it, as
test_older_state.py expects it: a message in the queue whose first delivery is made, and the journal's record of another
one that fetchmail has not got rid of, made in the same way.
"""

from __future__ import annotations

import tarfile
from pathlib import Path

from tests.image.house import Container, until
from tests.image.older_state import ARCHIVE, JOURNAL, QUEUE, furnish, hand_over


def main() -> None:
    """Record it."""
    container = Container()
    try:
        furnish(container)
        container.create()
        for user in (QUEUE, JOURNAL):
            until(lambda user=user: container.has_user(user), user)  # type: ignore[misc]
        assert hand_over(container, QUEUE).status == 0
        assert hand_over(container, JOURNAL, RULESMITH_CONF="").status == 75
        # As it is when it has lost its power: nothing is tidied up.
        container.kill()
        with tarfile.open(ARCHIVE, "w:gz") as archive:
            for path in sorted(container.mail.iterdir()):
                archive.add(path, Path("mail", path.name), filter=_needed)
    finally:
        container.close()
    print(f"{ARCHIVE}: {ARCHIVE.stat().st_size} bytes")


def _needed(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    # The key of a certificate is nobody else's.
    return None if "/.rulesmith/tls" in member.name else member


if __name__ == "__main__":
    main()
