"""The modules that every message needs, from one file.

Read one by one they take as long as a bare Python takes to start: each is looked for, opened and compared with its
source, and what they have in common is made anew for each. `__pycache__/message.TAG.bundle` has them all, in the order
in which they need each other; bundling.py makes it. It is

    marshal: (code of this module, magic number of the Python, [(name, file, seconds, octets, code), …])

`file` is the source as it is called below the folder of packages; its time and size are as in a compiled file
(PEP 552), None where nobody is to look. `bin/fdm` reads the file and calls `unpack`. Where it is missing, damaged, of
another Python or older than one of the sources, the modules are loaded one by one (importer.py).
"""

from __future__ import annotations

import posix
import sys
from _frozen_importlib_external import MAGIC_NUMBER  # importlib.util has it too, and much besides

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

    Packed = tuple[str, str, int | None, int, CodeType]


def unpack(packages: str, magic: bytes, modules: list[Packed]) -> bool:
    """Make modules of what was read, as if imported from the folder `packages`, and put that on the path.

    False, and nothing is done, where what was read is out of date.
    """
    if magic != MAGIC_NUMBER:
        return False
    for _, file, seconds, octets, _ in modules:
        if seconds is not None:
            now = posix.stat(f"{packages}/{file}")
            if (int(now.st_mtime) & 0xFFFFFFFF, now.st_size & 0xFFFFFFFF) != (seconds, octets):
                return False
    try:
        for name, file, _, _, code in modules:
            _make(name, f"{packages}/{file}", code)
    except BaseException:
        for name, *_ in modules:
            sys.modules.pop(name, None)
        raise
    sys.path.append(packages)
    return True


def _make(name: str, source: str, code: CodeType) -> None:
    parent, _, last = name.rpartition(".")
    module = sys.modules[name] = type(sys)(name)
    module.__file__ = source
    module.__package__ = parent
    if source.endswith("/__init__.py"):
        module.__package__ = name
        module.__path__ = [source[: -len("/__init__.py")]]
    exec(code, module.__dict__)  # noqa: S102  # this is what an import is
    if parent:
        setattr(sys.modules[parent], last, module)
