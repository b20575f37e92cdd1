"""Values that do not change once published: they are shared, and memoize what was derived from them."""

from collections.abc import Callable
from typing import Any, TypeVar

from engines.state import kept

T = TypeVar("T")


class Memoized:
    """Immutable but for its caches. Those, named with a ``_``, are no part of its state and survive no pickle."""

    __slots__ = ("_memo",)

    def forget(self) -> None:
        """Empty all caches."""
        self._memo: dict[str, Any] = {}

    def memo(self, name: str, make: Callable[[], T]) -> T:
        """What somebody worked out of it, kept as long as it is."""
        if name not in self._memo:
            self._memo[name] = make()
        found: T = self._memo[name]
        return found

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in kept(self)[1].items() if not name.startswith("_")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        self.forget()
