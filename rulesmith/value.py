"""Classes that are their fields and nothing else, as dataclasses are.

To load dataclasses and make these classes with them took a fifth of the first message after an edit. The functions of
that module, which mypy would allow, do not know these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, dataclass_transform

if TYPE_CHECKING:
    from typing import Self


@dataclass_transform(frozen_default=True)
class Value:
    """The fields are what a class annotates, in this order, and their defaults what it assigns; none may change.

    Two are equal if they are of one class and equal in all fields but those that `_beside` names.
    """

    _beside = frozenset[str]()

    def __init_subclass__(cls) -> None:
        fields = list(cls.__annotations__)
        parameters = ["self", *(f"{name}=cls.{name}" if name in vars(cls) else name for name in fields)]
        body = [f"self.{name} = {name}" for name in fields] or ["pass"]
        made: dict[str, Any] = {"cls": cls}
        exec(f"def __init__({', '.join(parameters)}): {'; '.join(body)}", made)  # noqa: S102 — as namedtuple does
        cls.__init__ = made["__init__"]  # type: ignore[method-assign]

    def said(self) -> dict[str, Any]:
        """The fields by which it is compared."""
        return {name: value for name, value in vars(self).items() if name not in self._beside}

    def but(self, **changed: Any) -> Self:
        """The same with other values of some fields."""
        return type(self)(**{**vars(self), **changed})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Value) and type(other) is type(self) and other.said() == self.said()

    def __hash__(self) -> int:
        return hash((type(self), *self.said().values()))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({fields})"
