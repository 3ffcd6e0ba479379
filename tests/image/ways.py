"""The two ways in which fetchmail hands messages over, and an installation for each."""

from __future__ import annotations

from tests.image.house import ROOT, Container

MDA, LMTP = "mda", "lmtp"
WAYS = (MDA, LMTP)
SCAN = 'set scan "unix:/run/rspamd/normal.sock"\n'
# Who has the line of each mail.
SAYS = {MDA: "fetch", LMTP: "serve"}


def by_mda(way: str) -> bool:
    """For tests in which nothing is handed over by LMTP."""
    return way == MDA


def goes(container: Container, way: str) -> dict[str, str]:
    """The variables for a way. By LMTP it is rulesmith that asks rspamd, in place of `rspamc --mime | fdm`."""
    if way == MDA:
        # Nobody need know that there is another.
        return {}
    (container.config / "etc").mkdir(exist_ok=True)
    own = (ROOT / "image/rulesmith.conf").read_text()
    (container.config / "etc/rulesmith.conf").write_text(own + SCAN)
    return {"RULESMITH_DELIVERY": way}
