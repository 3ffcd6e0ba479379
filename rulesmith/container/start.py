"""The container's start, as root and before any service: everything the daemons need is put where they look for it.

Nothing that is wrong with somebody's file ends it: each such thing is a sentence in the log, and the rest starts.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

from rulesmith.container import certificate, config_etc, controller, delivery, dovecot_settings, permissions, volumes
from rulesmith.container.accounts import Account, account
from rulesmith.container.clerk import written
from rulesmith.container.lines import Reading

SERVICES = Path("/usr/lib/rulesmith/s6")
SCAN = Path("/run/s6")
SEED = Path("/usr/lib/rulesmith/rspamd.tar.gz")
CONFIG = Path("/config")
ETC = Path("/etc")
PRISTINE = Path("/usr/lib/rulesmith/etc")
MAIL = Path("/home/vmail")
STATE = MAIL / ".rulesmith"
LOG = Path("/run/log")
# What is wrong with own settings of Dovecot, for health.
DOVECOT = Path("/run/dovecot.json")


def main() -> None:
    """Prepare the container."""
    try:
        delivery.by_lmtp(os.environ)
    except ValueError as error:
        sys.exit(str(error))
    vmail, redis, rspamd, dovecot = (account(name) for name in ("vmail", "redis", "_rspamd", "dovecot"))
    clear(Path("/run"))
    folders(vmail, redis, rspamd, dovecot)
    brought = config_etc.install(CONFIG / "etc", ETC, PRISTINE, say)
    permissions.tighten(CONFIG, say)
    volumes.take_over(MAIL, vmail, say)
    volumes.take_over(Path("/var/lib/redis"), redis, say)
    volumes.take_over(Path("/var/lib/rspamd"), rspamd, say)
    volumes.state(STATE, vmail)
    volumes.seed(SEED, Path("/var/lib/rspamd"), rspamd)
    own = ETC / "rspamd/local.d/worker-controller.inc"
    controller.settle(os.environ, own, Path("/run/rspamd.inc"), rspamd, say)
    certificate.Certificate(CONFIG / "etc/ssl/dovecot", STATE / "tls", ETC / "ssl/dovecot", vmail, say).settle()
    # With the certificate in its place, since Dovecot's own check reads it.
    dovecot_settings.settle(
        brought, ETC / "dovecot", lambda paths: config_etc.put_back(paths, ETC, PRISTINE), say, DOVECOT
    )
    services(SERVICES, SCAN, LOG)


def say(text: str) -> None:
    """One line of the log, in the form that the clerk will give to all others."""
    reading = Reading(private=bool(os.environ.get("RULESMITH_LOG_PRIVATE")))
    for line in reading.lines("start", os.fsencode(text), None, time.time()):
        os.write(1, written(line, os.environ.get("RULESMITH_LOG") == "json"))


def clear(run: Path) -> None:
    """Empty /run of what an earlier life of this container has left, sockets and process numbers; mounts stay."""
    for each in run.iterdir():
        if each.name == "secrets" or each.name.startswith(".") or each.is_mount():
            continue
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each, ignore_errors=True)
        else:
            each.unlink()


def folders(vmail: Account, redis: Account, rspamd: Account, dovecot: Account) -> None:
    """What lies in /run and /tmp, each for whom it is."""
    root = Account(0, 0)
    for path, mode, owner in (
        ("/tmp", 0o1777, root),  # noqa: S108 — this is the folder itself
        ("/run/redis", 0o755, redis),
        ("/run/rspamd", 0o755, rspamd),
        ("/run/dovecot", 0o755, root),
        ("/run/mail", 0o750, Account(0, dovecot.gid)),
        ("/run/fetchmail", 0o755, root),
        ("/run/health", 0o755, vmail),
        ("/run/serve", 0o700, vmail),
        ("/run/recipients", 0o755, root),
        ("/run/log", 0o755, root),
        ("/run/pause", 0o755, root),
    ):
        made = Path(path)
        if not made.is_dir():
            made.mkdir(mode=0o700)
        # Ours while the mode changes: the right to change modes of others' folders is not needed then.
        os.chown(made, 0, 0)
        made.chmod(mode)
        os.chown(made, owner.uid, owner.gid)
    passwd = Path("/run/mail/passwd")
    passwd.touch(0o640)
    os.chown(passwd, 0, dovecot.gid)


def services(tree: Path, scan: Path, log: Path) -> None:
    """The services that s6 starts, and for each the pipe that its lines go through."""
    if os.statvfs(scan.parent).f_flag & os.ST_NOEXEC:
        sys.exit("/run forbids programs, and the services lie there: give it as `/run:exec`, see compose.yaml")
    shutil.copytree(tree, scan, symlinks=True)
    if not (scan / "clerk").exists():
        return
    for service in scan.iterdir():
        if service.name[0] != "." and service.name != "clerk":
            pipe(log / service.name)


def pipe(path: Path) -> None:
    """A pipe for a service's lines: root's and vmail's services write, the clerk (vmail) reads."""
    os.mkfifo(path, 0o600)
    path.chmod(0o666)


if __name__ == "__main__":
    main()
