"""What an object holds, as a pickle takes it: the same for plain classes, for slots and for compiled classes."""

from collections.abc import Iterable
from typing import Any


def kept(thing: object, **instead: Any) -> tuple[None, dict[str, Any]]:
    """The state of an object, attribute by attribute, with some of them as given: what ``__getstate__`` may return."""
    kind = type(thing)
    named: Iterable[str] = getattr(kind, "__mypyc_attrs__", getattr(kind, "__slots__", ()))  # mypyc drops the slots
    held = {name: getattr(thing, name) for name in named if name != "__dict__"}
    return None, {**getattr(thing, "__dict__", {}), **held, **instead}


__all__ = ["kept"]
