"""Who may import whom, and who may touch the world (docs/design.md, "Layers")."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "rulesmith"

ANYTHING = None
# Each part of the package, and the parts it may import besides itself.
LAYERS: dict[str, set[str] | None] = {
    "value": set(),
    "source": {"value"},
    "limits": set(),
    "effects": set(),
    "environment": set(),
    "program": set(),
    "diagnostics": {"source", "value"},
    "syntax": {"diagnostics", "source", "limits", "value"},
    "layout": {"syntax", "diagnostics", "source"},
    "mail": {"limits", "effects"},
    "lmtp": {"limits"},
    "template": {"limits", "effects"},
    "regexp": {"limits", "effects", "diagnostics", "source", "value"},
    "stretches": {"program", "mail"},
    "stretching": {"program", "stretches"},
    "conditions": {"effects", "program", "mail", "template", "regexp"},
    "actions": {"effects", "program", "mail", "template", "regexp"},
    "compiler": {
        "syntax",
        "diagnostics",
        "conditions",
        "actions",
        "program",
        "regexp",
        "source",
        "limits",
        "template",
        "mail",
        "value",
    },
    "lint": {
        "mail",
        "compiler",
        "syntax",
        "diagnostics",
        "source",
        "program",
        "regexp",
        "limits",
        "template",
        "effects",
    },
    "evaluate": {"conditions", "actions", "mail", "effects", "program", "template", "limits", "regexp", "stretches"},
    "scan": {"effects", "limits", "mail"},
    "delivery": {"effects", "environment", "program", "limits", "mail", "stretching"},
    "sources": {"delivery", "effects", "environment", "program", "limits", "mail"},
}
# The doors and what they are made of: they tie everything together.
DOORS = {
    "__init__",
    "__main__",
    "afterwards",
    "bundle",
    "bundling",
    "events",
    "fdm",
    "mda",
    "cli",
    "config_check",
    "container",
    "diff",
    "cache_command",
    "explain",
    "fresh",
    "importer",
    "load",
    "log",
    "lsp",
    "options",
    "queue_run",
    "queue_states",
    "records",
    "scanned",
    "serve",
    "summary",
    "testing",
    "unread",
    "wording",
}

# What reaches outside; pure parts may not import these at all.
OUTSIDE = {"asyncio", "fcntl", "http", "httpx", "imaplib", "select", "signal", "smtplib", "socket", "sqlite3", "ssl",
           "subprocess", "tempfile", "aioimaplib", "grp", "pwd", "shutil", "syslog", "glob"}  # fmt: skip
# ... and these they may not call.
FORBIDDEN_CALLS = {
    (module, name)
    for module in ("os", "posix")
    for name in ("open", "read", "write", "fork", "system", "popen", "unlink", "rename", "stat", "listdir", "environ",
                 "getcwd", "getenv", "execv", "mkdir", "link", "pipe", "kill", "setuid")
} | {("time", "time"), ("time", "sleep")}  # fmt: skip
IMPURE = {"delivery", "environment", "sources", *DOORS}
# One module looks at the machine for the compiler: hosts, users, commands in `$( )`, included files; two speak
# with rspamd.
IMPURE_FILES = {"compiler/world.py", "scan/client.py", "scan/cold.py"}
# ... and it asks for people where deliveries do.
BESIDES = {"compiler/world.py": {"delivery"}}

FILES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def _part(name: str) -> str:
    return name.partition("/")[0].removesuffix(".py")


def _imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Absolute module names and lines; what stands under `if TYPE_CHECKING:` is free."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative import"
            assert node.module
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)
        else:
            yield from _imports(node)


def _parse(name: str) -> ast.Module:
    return ast.parse((PACKAGE / name).read_bytes(), filename=name)


@pytest.mark.parametrize("name", FILES)
def test_a_file_imports_only_what_its_layer_may(name: str) -> None:
    part = _part(name)
    if part in DOORS:
        return
    assert part in LAYERS, f"{part} has no place in the table of layers"
    allowed = LAYERS[part]
    for module, line in _imports(_parse(name)):
        words = module.split(".")
        if words[0] == "rulesmith" and len(words) > 1 and words[1] != "__version__" and allowed is not ANYTHING:
            assert words[1] in allowed | BESIDES.get(name, set()) | {part}, f"{name}:{line} imports {module}"


@pytest.mark.parametrize("name", [each for each in FILES if _part(each) not in IMPURE and each not in IMPURE_FILES])
def test_a_pure_file_does_not_touch_the_world(name: str) -> None:
    tree = _parse(name)
    for module, line in _imports(tree):
        assert module.split(".")[0] not in OUTSIDE, f"{name}:{line} imports {module}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            called = (node.value.id, node.attr)
            assert called not in FORBIDDEN_CALLS, f"{name}:{node.lineno}: {called}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "open", f"{name}:{node.lineno}: open"


def test_the_table_names_only_what_exists() -> None:
    assert {*LAYERS, *DOORS} == {_part(name) for name in FILES}
