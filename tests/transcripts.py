"""A story as text: every event that tells of it, a line each, how its checks end, and its digest.

A transcript that differs is a change of behaviour: raise the engine's version, write the files again with
``DP_TUI_WRITE_GOLDEN=1`` and read the difference before committing it.
"""

import os
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

from engines.sim.events import QUIET, Event
from engines.sim.pattern import Pattern, Scenario
from engines.sim.timeline import Timeline
from engines.units import stamp

Words = Callable[[Any], str]


def kind_of(message: Any) -> str:
    """A message by its type alone."""
    return type(message).__name__


def line(event: Event, message: Words, value: Words) -> str:
    """An event that tells a story, as one line of text."""
    what = event.what
    fields = {
        name: each for name, each in zip(what._fields, what, strict=True) if name not in ("src", "message", "why")
    }
    src, why = getattr(what, "src", ""), getattr(what, "why", "")
    words = [stamp(event.at_us), f"#{event.position}", f"{src}>{event.node}" if src else event.node or "-", event.kind]
    if "message" in what._fields and what.message is not None:
        words.append(message(what.message))
    if why:
        words.append(f"({why.value if isinstance(why, Enum) else value(why)})")
    return " ".join([*words, *(f"{name}={value(each)}" for name, each in fields.items())]).rstrip()


def transcript(pattern: Pattern, scenario: Scenario, message: Words = kind_of, value: Words = str) -> str:
    """The told events of a scenario, how its checks end, and its digest."""
    variant = pattern.variant(scenario.variant)
    run: Timeline[Any, Any] = Timeline(variant, scenario.seed, scenario.config, scenario)
    lines: list[str] = []
    while run.step() and run.now_us <= scenario.end_us:
        told = run.engine.told_total - len(lines)
        lines += [line(event, message, value) for event in run.engine.told(told)] if told else []
    run.seek_time(scenario.end_us)
    lines = lines[: run.engine.told_total]
    for check in run.check():
        lines.append(f"{check.name}: {'ok' if check.ok else check.detail}")
        lines += [f"    {witness}" for witness in check.witness]
    lines.append("digest {} of {} events".format(*run.digest()))
    return "\n".join(lines) + "\n"


def golden(folder: Path, scenario: Scenario, text: str) -> str:
    """What the file of a scenario holds; it is written first if that was asked for."""
    path = folder / f"{scenario.name}.txt"
    if os.environ.get("DP_TUI_WRITE_GOLDEN"):
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")
    return path.read_text(encoding="ascii")


def quiet_events_told(pattern: Pattern, scenario: Scenario) -> frozenset[str]:
    """Kinds of routine events among those that are told; none is right."""
    run: Timeline[Any, Any] = Timeline(pattern.variant(scenario.variant), scenario.seed, scenario.config, scenario)
    run.advance(scenario.end_us)
    return frozenset(event.kind for event in run.engine.told(1 << 20) if type(event.what) in QUIET)
