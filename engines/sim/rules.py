"""Rules of a pattern that can be switched off, to see why they are there.

A pattern lists its rules as one frozen dataclass of flags, all on by default:

    @dataclass(frozen=True, slots=True)
    class RaftRules(Rules):
        persist_vote: bool = rule("the vote is on disk before it is given")

Their settings, their command and the event that tells of it are the same in every pattern, and so they are here.
"""

from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple, Self

from engines.errors import UserError
from engines.sim.pattern import Setting


def rule(help: str) -> Any:
    """A rule that is on by default, and what it says when it is on."""
    return field(default=True, metadata={"help": help})


@dataclass(frozen=True, slots=True)
class Rules:
    """The base: flags by name, in the order in which they are listed."""

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of all rules."""
        return tuple(each.name for each in fields(cls))

    @classmethod
    def settings(cls) -> tuple[Setting, ...]:
        """A setting for every rule, so that a run can begin with it switched off."""
        return tuple(Setting(each.name, True, help=f"rule: {each.metadata['help']}") for each in fields(cls))

    def items(self) -> tuple[tuple[str, bool], ...]:
        """Names and states."""
        return tuple((each.name, getattr(self, each.name)) for each in fields(self))

    def switched(self, command: "SetRule") -> Self:
        """These rules after the command."""
        return replace(self, **{command.rule: command.on})

    def validate(self, command: "SetRule") -> None:
        """UserError if there is no such rule."""
        if command.rule not in self.names():
            raise UserError(f"no rule {command.rule!r}: one of {', '.join(self.names())} can be switched")


@dataclass(frozen=True, slots=True)
class SetRule:
    """Switch a rule off, or on again, everywhere at once."""

    rule: str
    on: bool


class RuleSwitched(NamedTuple):
    """The event: a rule is on or off from now on."""

    rule: str
    on: bool


__all__ = ["RuleSwitched", "Rules", "SetRule", "rule"]
