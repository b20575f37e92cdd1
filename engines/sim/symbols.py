"""Symbolic names in commands: ``leader``, ``f2``, ``hot``.

A script says ``Crash("leader")`` before anybody knows who that will be. The name is replaced when the command is
given, so that what is recorded names a server.

    def resolve(self, command):
        return resolve(command, {"leader": self.leader_or_refuse, "f1": "n3"})
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, replace
from functools import lru_cache
from typing import Any, Final

NODE_FIELDS: Final = ("node", "src", "dst", "nodes", "sides")
"""The fields of commands that hold names of nodes."""

Meanings = Mapping[str, str | Callable[[], str]]
"""What a name stands for at this moment; a function is called only if the name is used, and may raise UserError."""


def resolve(command: Any, meanings: Meanings, names: tuple[str, ...] = NODE_FIELDS) -> Any:
    """The command with every symbolic name in these fields replaced; a name that is not symbolic stays."""

    def mean(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(mean, value))
        meaning = meanings.get(value, value) if isinstance(value, str) else value
        return meaning() if callable(meaning) else meaning

    changed = {name: mean(getattr(command, name)) for name in _found(command.__class__, names)}
    return replace(command, **changed) if changed else command


@lru_cache(maxsize=512)
def _found(kind: Hashable, names: tuple[str, ...]) -> tuple[str, ...]:
    """Which of these fields a kind of command has."""
    assert isinstance(kind, type)
    return tuple(each.name for each in fields(kind) if each.name in names)


__all__ = ["NODE_FIELDS", "Meanings", "resolve"]
