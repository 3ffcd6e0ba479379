"""`set`: every option with every kind of value."""

from __future__ import annotations

from tests.differential.maker import Maker
from tests.differential.scene import Scene

OPTIONS = (
    "maximum-size",
    "delete-oversized",
    "queue-high",
    "queue-low",
    "parallel-accounts",
    "lock-types",
    "lock-file",
    "lock-wait",
    "lock-timeout",
    "ignore-errors",
    "allow-multiple",
    "default-user",
    "command-user",
    "strip-characters",
    "timeout",
    "proxy",
    "verify-certificates",
    "unmatched-mail",
    "purge-after",
    "no-received",
    "no-create",
    "file-group",
    "file-umask",
    "lookup-order",
)
BARE = (
    "delete-oversized",
    "lock-wait",
    "ignore-errors",
    "allow-multiple",
    "verify-certificates",
    "no-received",
    "no-create",
)
PROXIES = ("http://h", "https://h:80", "socks://u:p@h:1080", "socks5://h")
# No letter or digit that the path of a run may have, since paths are tags' values too.
STRIPS = ("", "'", "\\<>$%^&*|{}[]\"'`;", "ABC", "<>'\"", "M@")


def setting(maker: Maker, scene: Scene, group: tuple[str, int]) -> list[list[str]]:
    """The statements that set one option; `group` is the name and number of a group the user is in."""
    option = maker.one((*OPTIONS, "file-group", "file-umask", "file-group", "unmatched-mail", "purge-after"))
    if option == "no-create" and not maker.chance(70):
        # This one decides much of a run.
        option = "lock-types"
    if option == "no-received":
        # It belongs to the domain and is set there.
        option = "lookup-order"
    maker.note("set " + option)
    if option in BARE:
        return [["set", option]]
    if option == "queue-low":
        maker.note("set queue-high")
        return [
            ["set", "queue-high", maker.spelled_number(maker.number(10, 50))],
            ["set", "queue-low", maker.spelled_number(maker.number(0, 9))],
        ]
    return [["set", *_valued(maker, scene, option, group)]]


def _valued(maker: Maker, scene: Scene, option: str, group: tuple[str, int]) -> list[str]:
    match option:
        case "maximum-size":
            sizes = (1048576, 1073741824, 1024, 600, 100)
            return [option, maker.size(maker.one(sizes if scene.source == "stdin" else sizes[:2]))]
        case "queue-high":
            return [option, maker.spelled_number(maker.number(1, 50))]
        case "parallel-accounts":
            return [option, maker.spelled_number(maker.number(1, 9))]
        case "lock-types":
            word = maker.one(("lock-types", "lock-type"))
            maker.note("word " + word)
            types = maker.one((["flock"], ["fcntl"], ["dotlock"], ["flock", "dotlock"], ["fcntl", "dotlock"], []))
            if not types or maker.chance(30):
                types = ["none", *types]
            for each in types:
                maker.note("lock type " + each)
            return [word, *types]
        case "lock-file":
            return [option, maker.spelled(scene.path(maker, "run.lock") if maker.chance(70) else "")]
        case "lock-timeout" | "timeout":
            # Longer than anything takes here, and shorter than fdm's limit of 24 days.
            return [option, maker.one(("30", "2 minutes", "1 hour", "900 seconds", "3 weeks"))]
        case "default-user" | "command-user":
            scene.default_user |= option == "default-user"
            return [option, maker.spelled(maker.one(("nobody", "root", "daemon")))]
        case "strip-characters":
            return [option, maker.spelled(maker.one(STRIPS))]
        case "proxy":
            return [option, maker.spelled(maker.one(PROXIES))]
        case "unmatched-mail":
            value = maker.one(("keep", "drop"))
            maker.note("unmatched-mail " + value)
            return [option, value]
        case "purge-after":
            value = maker.one(("none", "number"))
            maker.note("purge-after " + value)
            return [option, "none" if value == "none" else maker.spelled_number(maker.number(1, 99))]
        case "file-group" | "file-umask":
            return [option, _of_files(maker, option, group)]
        case _:
            return [option, *["passwd"] * maker.number(1, 2)]


def _of_files(maker: Maker, option: str, group: tuple[str, int]) -> str:
    if option == "file-group":
        value = maker.one(("user", "string", "number"))
        maker.note("file-group " + value)
        return {"user": "user", "string": maker.spelled(group[0]), "number": str(group[1])}[value]
    value = maker.one(("user", "number"))
    maker.note("file-umask " + value)
    return "user" if value == "user" else maker.spelled_number(maker.one((77, 22, 27, 0, 7, 177)))
