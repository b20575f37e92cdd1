"""The options of a run: one frozen dataclass that says name, type, default, bounds and help of each, once.

    @dataclass(frozen=True, slots=True)
    class Options:
        nodes: int = option(5, 3, 9, help="servers")
        workload: str = option("light", choices=("off", "light"), help="how fast clients ask")
        rules: RaftRules = RaftRules()

    SETTINGS = settings_of(Options)
    options = read(Options, config)

A field named ``rules`` stands for the settings of all its rules.
"""

from dataclasses import MISSING, Field, field, fields
from enum import Enum
from typing import Any, TypeVar

from engines.errors import UserError
from engines.rules import Rules
from engines.sim import rules as r
from engines.sim.pattern import Config, Setting

T = TypeVar("T")
RULES = "rules"


def option(default: Any, low: int = 0, high: int = 0, choices: tuple[str, ...] = (), help: str = "") -> Any:
    """A field of an options dataclass, with what is accepted: a range of whole numbers, some words, or any value."""
    return field(default=default, metadata={"low": low, "high": high, "choices": choices, "help": help})


def settings_of(kind: type[Any]) -> tuple[Setting, ...]:
    """The settings of a dataclass of options, in its order."""
    found: list[Setting] = []
    for each in fields(kind):
        if each.name == RULES:
            found += r.settings(type(_rules(each)))
        else:
            data = each.metadata
            found.append(Setting(each.name, each.default, data["low"], data["high"], data["choices"], data["help"]))
    return tuple(found)


def read(kind: type[T], config: Config, defaults: Config = ()) -> T:
    """The options of a run: what the config gives, else what the variant begins with, else the defaults."""
    given = {**dict(defaults), **dict(config)}
    values: dict[str, Any] = {}
    for each in fields(kind):  # type: ignore[arg-type]
        if each.name == RULES:
            rules = _rules(each)
            values[RULES] = type(rules)(**{name: given.pop(name) for name in rules.names() if name in given})
        elif each.name in given:
            values[each.name] = given.pop(each.name)
    assert not given, f"{', '.join(given)}: no option of {kind.__name__}"
    return kind(**values)


def names(kind: type[Enum]) -> tuple[str, ...]:
    """What an option of a kind may be."""
    return tuple(each.value for each in kind)


def parse(settings: tuple[Setting, ...], live: tuple[str, ...], name: str, text: str) -> Any:
    """The value of a setting that can be changed while it runs, one of ``live``. UserError that says what would be
    accepted."""
    if name not in live:
        raise UserError(f"option {name!r}: one of {', '.join(live)} is accepted")
    setting = next(each for each in settings if each.name == name)
    value: Any = text
    if isinstance(setting.default, bool):
        if text not in ("on", "off"):
            raise UserError(f"option {name} {text!r}: on or off is accepted")
        value = text == "on"
    elif isinstance(setting.default, int):
        if not (text.isascii() and text.isdecimal() and len(text) < 10):
            raise UserError(f"option {name} {text!r}: a number from {setting.low} to {setting.high} is accepted")
        value = int(text)
    setting.accept(value, f"option {name}")
    return value


def _rules(each: "Field[Any]") -> Rules:
    """The rules as they are by default."""
    rules = each.default if each.default is not MISSING else None
    assert isinstance(rules, Rules), "the field `rules` needs its rules as a default"
    return rules


__all__ = ["names", "option", "parse", "read", "settings_of"]
