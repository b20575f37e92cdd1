"""Rules that can be switched off, to see why they are there: one frozen dataclass of flags, all on by default.

@dataclass(frozen=True, slots=True)
class RaftRules(Rules):
    persist_vote: bool = rule("the vote is on disk before it is given", "off: a crash lets a server vote twice")
"""

from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple, Protocol, Self, runtime_checkable

from engines.errors import UserError


@runtime_checkable
class Switch(Protocol):
    """A command that switches a rule; a run may also start with it, by the setting of that name."""

    @property
    def rule(self) -> str:
        """Its name."""

    @property
    def on(self) -> bool:
        """How it is from now on."""


def rule(help: str, off: str = "") -> Any:
    """A rule that is on by default: what it says when it is on; why it is there, and what comes of it without."""
    return field(default=True, metadata={"help": help, "off": off})


@dataclass(frozen=True, slots=True)
class Rules:
    """The base: flags by name, in the order in which they are listed."""

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of all rules."""
        return tuple(each.name for each in fields(cls))

    @classmethod
    def helps(cls) -> tuple[tuple[str, str], ...]:
        """Names, and what each rule says when it is on."""
        return tuple((each.name, each.metadata["help"]) for each in fields(cls))

    @classmethod
    def texts(cls) -> dict[str, tuple[str, str]]:
        """What each rule says by its name, and what comes of it without."""
        return {each.name: (each.metadata["help"], each.metadata["off"]) for each in fields(cls)}

    def items(self) -> tuple[tuple[str, bool], ...]:
        """Names and states."""
        return tuple((each.name, getattr(self, each.name)) for each in fields(self))

    def switched(self, switch: Switch) -> Self:
        """These rules with one of them on or off."""
        return replace(self, **{switch.rule: switch.on})

    def validate(self, switch: Switch) -> None:
        """UserError if there is no such rule."""
        if switch.rule not in self.names():
            raise UserError(f"no rule {switch.rule!r}: one of {', '.join(self.names())} can be switched")


class RuleSwitched(NamedTuple):
    """The event: a rule is on or off from now on."""

    rule: str
    on: bool


__all__ = ["RuleSwitched", "Rules", "Switch", "rule"]
