"""Rules of a living world: their settings, and the command that switches one.

They are the same in every pattern, and so they are here. A pattern lists its rules on the base of engines/rules.py.
"""

from dataclasses import dataclass

from engines.rules import Rules, RuleSwitched, rule
from engines.sim.pattern import Setting


@dataclass(frozen=True, slots=True)
class SetRule:
    """Switch a rule off, or on again, everywhere at once."""

    rule: str
    on: bool


def settings(rules: type[Rules]) -> tuple[Setting, ...]:
    """A setting for every rule, so that a run can begin with it switched off."""
    return tuple(Setting(name, True, help=f"rule: {help}") for name, help in rules.helps())


__all__ = ["RuleSwitched", "Rules", "SetRule", "rule", "settings"]
