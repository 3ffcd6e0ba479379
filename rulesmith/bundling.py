"""Makes the file from which a message's modules are loaded (bundle.py): python -m rulesmith.bundling [--unchecked]

Cold: the door does it when it compiles a configuration and may write where the compiled modules are, as Python itself
keeps those. Where it may not, root does it once with the command above. With `--unchecked` only the package's first
source is looked at when a message comes, which another version replaces: for an image, in which nobody edits.
"""

from __future__ import annotations

import ast
import marshal
import os
import sys
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import CodeType

    from rulesmith.bundle import Packed

PACKAGE = Path(__file__).parent
# What every message loads, each behind those that it needs (tests/test_import_weight.py compares).
MODULES = (
    "rulesmith",
    "rulesmith.importer",
    "rulesmith.environment",
    "rulesmith.effects",
    "rulesmith.limits",
    "rulesmith.log",
    "rulesmith.options",
    "rulesmith.fdm",
    "rulesmith.delivery",
    "rulesmith.program",
    "rulesmith.delivery.program_file",
    "rulesmith.load",
    "rulesmith.delivery.folders",
    "rulesmith.delivery.world",
    "rulesmith.delivery.privileges",
    "rulesmith.delivery.drive",
    "rulesmith.actions",
    "rulesmith.conditions",
    "rulesmith.mail",
    "rulesmith.mail.glob",
    "rulesmith.stretches",
    "rulesmith.evaluate",
    "rulesmith.mail.date",
    "rulesmith.mail.header",
    "rulesmith.mail.message",
    "rulesmith.sources",
    "rulesmith.sources.stdin",
    "rulesmith.wording",
    "rulesmith.mda",
    "rulesmith.conditions.regexp",
    "rulesmith.conditions.all",
    "rulesmith.actions.maildir",
    "rulesmith.delivery.maildir",
)


def path() -> Path:
    """Where the file is for this Python."""
    return PACKAGE / "__pycache__" / f"message.{sys.implementation.cache_tag}.bundle"


def write(checked: bool = True) -> None:
    """Make it, for everybody who may read the sources. Raises OSError."""
    start = _compiled(PACKAGE / "bundle.py")
    octets = marshal.dumps((start, MAGIC_NUMBER, [_packed(name, checked or name == "rulesmith") for name in MODULES]))
    target = path()
    target.parent.mkdir(exist_ok=True)
    temporary = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        with temporary.open("xb") as file:
            file.write(octets)
            file.flush()
            # After a power cut it is there or not: of a torn one marshal would make anything.
            os.fsync(file.fileno())
        temporary.chmod((PACKAGE / "bundle.py").stat().st_mode & 0o666)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _packed(name: str, checked: bool) -> Packed:
    source = PACKAGE.parent.joinpath(*name.split("."))
    source = source / "__init__.py" if source.is_dir() else source.with_suffix(".py")
    # The time before the text: who writes in between makes it out of date.
    status = source.stat()
    seconds = int(status.st_mtime) & 0xFFFFFFFF if checked else None
    octets = status.st_size & 0xFFFFFFFF
    return name, source.relative_to(PACKAGE.parent).as_posix(), seconds, octets, _compiled(source)


def _compiled(source: Path) -> CodeType:
    """The code of a module, without what only those need who read it."""
    tree = _Bare().visit(ast.parse(source.read_bytes()))
    code: CodeType = compile(tree, str(source), "exec", dont_inherit=True)
    return code


class _Bare(ast.NodeTransformer):
    """Takes docstrings, types and the imports for them out of a module: a fifth of what would be loaded."""

    def visit_Module(self, node: ast.Module) -> ast.AST:
        node.body = [each for each in node.body if not _is_for_types(each)]
        return self._block(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.body = [each for each in node.body if not (isinstance(each, ast.AnnAssign) and each.value is None)]
        return self._block(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self._block(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is None:
            return node
        return ast.copy_location(ast.Assign([node.target], node.value), node)

    def _block(self, node: ast.Module | ast.ClassDef | ast.FunctionDef) -> ast.AST:
        if ast.get_docstring(node) is not None:
            del node.body[0]
        if not node.body and not isinstance(node, ast.Module):
            node.body = [ast.copy_location(ast.Pass(), node)]
        return self.generic_visit(node)


def _is_for_types(node: ast.stmt) -> bool:
    """`from __future__ import annotations`, and `if TYPE_CHECKING`, which never is."""
    if isinstance(node, ast.ImportFrom):
        return node.module == "__future__"
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    return isinstance(node, ast.AnnAssign) and node.value is None


if __name__ == "__main__":
    write(checked="--unchecked" not in sys.argv[1:])
