"""Builds the private view of the file system that the chain runs in, then becomes its agent.

Runs as root of a new mount and process namespace: `inside.py SPEC`, a JSON file (see bed.py). The new root is made of
the old one's folders; /usr and /etc get layers on top, /home, /run, /tmp and /config are our own. Nothing of it can
be seen from outside, and all of it is gone when the last process of the namespace is.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path


def mount(*arguments: object) -> None:
    subprocess.run(["mount", "-n", *map(str, arguments)], check=True)


def bind(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    mount("--rbind", source, target)


def overlay(target: Path, *layers: Path | str) -> None:
    """The first layer wins."""
    target.mkdir(exist_ok=True)
    mount("-t", "overlay", "overlay", "-o", "ro,lowerdir=" + ":".join(map(str, layers)), target)


def empty(target: Path, mode: str = "755", more: str = "") -> None:
    target.mkdir(exist_ok=True)
    mount("-t", "tmpfs", "-o", f"mode={mode}{more}", "tmpfs", target)


def build(spec: dict[str, object]) -> Path:
    bed = Path(str(spec["bed"]))
    root = bed / "root"
    empty(root)
    own = {"usr", "etc", "home", "run", "tmp", "config", "small"}
    for entry in os.scandir("/"):
        if entry.name in own:
            continue
        if entry.is_symlink():
            (root / entry.name).symlink_to(os.readlink(entry.path))
        elif entry.is_dir():
            bind(Path(entry.path), root / entry.name)
    parts = [Path(part) for part in spec["parts"]]  # type: ignore[attr-defined]
    overlay(root / "usr", bed / "usr", *(part / "usr" for part in parts), "/usr")
    overlay(root / "etc", bed / "etc", *(part / "etc" for part in parts if (part / "etc").is_dir()), "/etc")
    empty(root / "tmp", "1777")
    empty(root / "small")
    owner = 0 if spec["users"] else spec["uid"]
    for name, size in spec["small"].items():  # type: ignore[attr-defined]
        empty(root / "small" / name, "700", f",uid={owner},gid={owner},size={size}")
    empty(root / "home")
    for entry in os.scandir("/home"):
        if entry.is_dir(follow_symlinks=False):
            bind(Path(entry.path), root / "home" / entry.name)
    for name, target in (("vmail", "home/vmail"), ("provider", "home/provider"), ("run", "run"), ("config", "config")):
        bind(bed / name, root / target)
    for path in spec["keep"]:  # type: ignore[attr-defined]
        show(Path(path), root, everyone=not spec["users"])
    return root


def show(path: Path, root: Path, everyone: bool) -> None:
    """Make sure that `path` is there under the new root, and can be reached by everyone."""
    seen = root
    for name in path.parts[1:]:
        if everyone and seen != root and not seen.stat().st_mode & stat.S_IXOTH:
            empty(seen)
        seen /= name
        if not seen.exists():
            bind(path, root.joinpath(*path.parts[1:]))
            return


def enter(root: Path) -> None:
    (root / "old").mkdir()
    os.chdir(root)
    subprocess.run(["pivot_root", ".", "old"], check=True)
    os.chdir("/")
    subprocess.run(["umount", "-n", "-l", "/old"], check=True)


def look_after_orphans() -> None:
    """Go on as a child; the first process of the namespace stays behind, buries the dead and ends when we do.

    To those who find its number in a lock file, a dead process that nobody has buried looks alive.
    """
    child = os.fork()
    while child:
        number, status = os.wait()
        if number == child:
            os._exit(os.WEXITSTATUS(status))


def main() -> None:
    spec = json.loads(Path(sys.argv[1]).read_text())
    os.umask(0o022)
    enter(build(spec))
    agent = [sys.executable, "-I", str(Path(__file__).with_name("agent.py"))]
    uid = spec["uid"]
    look_after_orphans()
    if spec["users"]:  # a plain user's namespace knows one user only; it gets another name
        agent = ["unshare", "--user", f"--map-user={uid}", f"--map-group={uid}", "--", *agent]
    else:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    os.umask(0o077)
    os.execvp(agent[0], agent)


if __name__ == "__main__":
    main()
