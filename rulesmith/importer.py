"""The shortest way from `import rulesmith.x` to its compiled file.

Python's own way asks the file system and itself some twenty questions for each module; for the modules that a message
needs that is as long as everything that is done with it. This one opens the file in `__pycache__`, by the rules of
PEP 552. Where that is missing, older than its source or of another Python, the module is left to Python's way, which
then writes it; where it is damaged, its source is compiled each time.
"""

from __future__ import annotations

import marshal
import posix
import sys
from _frozen_importlib_external import MAGIC_NUMBER  # importlib.util has it too, and much besides

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType

# Four octets that stand for the version of Python, four of flags; time and size of the source, or its hash.
_HEADER = 16
_BY_TIME, _BY_UNCHECKED_HASH = 0, 1


class Importer:
    """A finder and loader for `sys.meta_path`: the modules in a package that is there already."""

    def __init__(self, package: str) -> None:
        # What `importlib.machinery` would have to be imported for.
        self._spec: type[ModuleSpec] = type(sys.__spec__)
        self._prefix = package + "."
        self._suffix = f".{sys.implementation.cache_tag}.pyc"
        self._codes: dict[str, CodeType] = {}
        self.bundled = False

    def find_spec(self, name: str, path: Sequence[str] | None, _: ModuleType | None = None) -> ModuleSpec | None:
        """Where the module of a name is; None for what is better left to Python."""
        if not path or not name.startswith(self._prefix):
            return None
        folder, last = path[0], name.rpartition(".")[2]
        return self._found(name, folder, last, None) or self._found(name, f"{folder}/{last}", "__init__", folder)

    def _found(self, name: str, folder: str, stem: str, parent: str | None) -> ModuleSpec | None:
        source = f"{folder}/{stem}.py"
        cached = f"{folder}/__pycache__/{stem}{self._suffix}"
        octets = _read(cached)
        if octets[:4] != MAGIC_NUMBER or not _is_fresh(octets, source):
            return None
        try:
            self._codes[name] = marshal.loads(memoryview(octets)[_HEADER:])  # noqa: S302  # as Python does
        except (EOFError, ValueError, TypeError):
            # Damaged. Python would end here, but the source is there too.
            with open(source, "rb") as file:
                self._codes[name] = compile(file.read(), source, "exec", dont_inherit=True)
        spec = self._spec(name, self, origin=source, is_package=parent is not None)  # type: ignore[arg-type]  # duck
        spec.has_location = True
        spec.cached = cached
        if spec.submodule_search_locations is not None:
            spec.submodule_search_locations.append(folder)
        return spec

    def create_module(self, _: ModuleSpec) -> ModuleType | None:
        """An ordinary module will do."""
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Run what was found."""
        exec(self._codes.pop(module.__name__), module.__dict__)  # noqa: S102  # this is what an import is


def _read(path: str) -> bytes:
    """The octets of a file, none where it cannot be read."""
    try:
        descriptor = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return posix.read(descriptor, posix.fstat(descriptor).st_size)
    except OSError:
        return b""
    finally:
        posix.close(descriptor)


def _is_fresh(octets: bytes, source: str) -> bool:
    """Whether a compiled file belongs to its source as it is now."""
    flags = int.from_bytes(octets[4:8], "little")
    if flags != _BY_TIME:
        return flags == _BY_UNCHECKED_HASH
    try:
        now = posix.stat(source)
    except OSError:
        return False
    seen = int.from_bytes(octets[8:12], "little"), int.from_bytes(octets[12:_HEADER], "little")
    return seen == (int(now.st_mtime) & 0xFFFFFFFF, now.st_size & 0xFFFFFFFF)


def install(bundled: bool) -> None:
    """Find the modules of this package like that; `bundled` says whether some have come from bundle.py."""
    finder = Importer(__name__.partition(".")[0])
    finder.bundled = bundled
    sys.meta_path.insert(0, finder)


def lacks_bundle() -> bool:
    """Whether the door has started this process, and there was no bundle that it could use."""
    return any(isinstance(finder, Importer) and not finder.bundled for finder in sys.meta_path)
