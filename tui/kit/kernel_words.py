"""What happens in every world, told once for all patterns: crashes, cuts, losses, timers, clocks, the lecturer's words.

A pattern tells its own kinds of events and leaves the rest to ``tell``. What differs between patterns is a sentence or
two: what a crash takes along, what a message says. They are a ``KernelWords``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, assert_never, get_args

from engines import units
from engines.rules import RuleSwitched
from engines.sim import events as e
from engines.sim.events import Event, KernelEvent, LossReason
from engines.sim.world import ALL
from engines.units import between, span
from tui.canvas import Ink
from tui.kit.words import names, percent, plural
from tui.panel import Line

KERNEL: Final[tuple[type, ...]] = get_args(KernelEvent)


def _pair(src: str, dst: str) -> str:
    return f"{src}>{dst}"


def _timer(name: str) -> str:
    return f"its timer {name} runs out"


def clock_words(what: e.Skewed, follows: str = "its timeouts move with it") -> str:
    """What became of a clock; ``follows``: what that means here."""
    if not what.offset_us and not what.drift_ppm:
        return "its clock is right again"
    parts = [f"jumps by {span(what.offset_us)}"] if what.offset_us else []
    if what.drift_ppm:
        parts.append(f"runs {abs(what.drift_ppm) // 10_000} % too {'fast' if what.drift_ppm > 0 else 'slow'}")
    return f"its clock {' and '.join(parts)}: {follows}"


@dataclass(frozen=True, slots=True)
class KernelWords:
    """What a pattern says of its own within these sentences."""

    message: Callable[[Any], str]
    """A message in a few words."""
    crashes: Callable[[str], str]
    """What the crash of this node takes along and leaves."""
    restarts: Callable[[str], str]
    """How it comes back: ``restarts from disk, ...``."""
    timer: Callable[[str], str] = _timer
    """What it means that this timer ran out."""
    clock: Callable[[e.Skewed], str] = clock_words
    others: str = "servers"
    """What the other machines are called."""
    healed: str = "links, clocks and disks; frozen servers thaw, dead ones restart"
    name: Callable[[str], str] = str
    """A node's name as it fits before a line."""
    pair: Callable[[str, str], str] = _pair
    """Two nodes' names as they fit before a line."""


def is_kernel(event: Event) -> bool:
    """Whether ``tell`` tells it."""
    return isinstance(event.what, KERNEL)


def tell(event: Event, words: KernelWords) -> Line:
    """Who, what and why."""
    text, ink = _said(event.node, event.what, words)
    return Line(who(event, words), text, "you" if event.node == "you" else ink)


def who(event: Event, words: KernelWords) -> str:
    """The node it happened to; of a message or a link both ends."""
    src = getattr(event.what, "src", "")
    if src:
        return words.pair(_all(src), _all(event.node))
    if event.node:
        return words.name(event.node)
    return "note" if isinstance(event.what, e.Cue) else "world"


def _all(node: str) -> str:
    return "all" if node == ALL else node


def _said(node: str, what: KernelEvent, words: KernelWords) -> tuple[str, Ink]:
    """The sentence, and the ink of the name before it."""
    match what:
        case e.Delivered(message=message):
            return f"{words.message(message)} arrives", "dim"
        case e.Waiting(message=message):
            return f"{words.message(message) if message is not None else 'a timer'} waits: {node} is frozen", "frozen"
        case e.TimerFired(name=name):
            return words.timer(name), "dim"
        case e.Synced():
            return "its writes are on disk: the messages that waited for that leave now", "dim"
        case e.Lost() | e.LostAgain():
            return lost_words(node, what, words.message), "lost"
        case e.Cue(text=text):
            return text, "accent"
        case e.Healed():
            return f"everything is healed: {words.healed}", "good"
        case e.DropMissed():
            return "nothing to drop: the message had arrived already", "dim"
    return _of_machine(node, what, words)


def _of_machine(node: str, what: Any, words: KernelWords) -> tuple[str, Ink]:
    match what:
        case e.Crashed(lost_writes=lost, unsent=unsent):
            extra = f"; {plural(lost, 'unsynced write')} lost" if lost else ""
            extra += f"; {plural(unsent, 'message')} never left" if unsent else ""
            return f"crashes: {words.crashes(node)}{extra}", "dead"
        case e.Restarted():
            return words.restarts(node), "good"
        case e.Frozen():
            return "freezes: it keeps everything and does nothing; messages and timers wait for it", "frozen"
        case e.Thawed(waited=waited):
            what_waited = "one message or timer waited and happens" if waited == 1 else (
                f"{waited} messages and timers waited and happen")  # fmt: skip
            return f"thaws: {what_waited} now; it does not know that time passed", "frozen"
        case e.Skewed():
            return words.clock(what), "warn"
        case e.DiskSlowed(fsync_us=0):
            return "its disk is fast again", "slow"
        case e.DiskSlowed(fsync_us=fsync):
            return f"a disk sync takes {units.span(fsync)} now: a crash before it ends loses the write", "slow"
        case e.TimersExpired(timer=timer, nodes=()):
            return f"no {timer} timer was running", "accent"
        case e.TimersExpired(timer=timer, nodes=nodes, in_us=in_us):
            those = f"timer{'s' if len(nodes) > 1 else ''} of {names(nodes)}"
            return f"the {timer} {those} will run out in {units.span(in_us)}", "accent"
        case e.Isolated():
            return f"is cut off from all other {words.others}, in both directions", "cut"
        case e.Reconnected():
            return f"is connected to all other {words.others} again", "good"
        case e.Partitioned(sides=sides):
            return "the network splits: " + " | ".join(names(side) for side in sides), "cut"
    return _of_link(what)


def _of_link(
    what: e.LinkCut | e.LinkMended | e.LossSet | e.LatencySet | e.DuplicationSet | e.ReorderingSet | e.Clogged
    | e.Unclogged,
) -> tuple[str, Ink]:  # fmt: skip
    match what:
        case e.LinkCut():
            return "this link drops everything in this direction", "cut"
        case e.LinkMended():
            return "this link carries messages again", "good"
        case e.LossSet(ppm=0):
            return "this link loses nothing any more", "lost"
        case e.LossSet(ppm=ppm):
            return f"this link now loses {percent(ppm)} of its messages", "lost"
        case e.LatencySet(latency_us=latency, jitter_us=jitter):
            return f"a message now takes {between(latency, latency + jitter)} on this link", "slow"
        case e.DuplicationSet(ppm=ppm):
            return f"{percent(ppm)} of the messages on this link now arrive twice", "warn"
        case e.ReorderingSet(ppm=ppm):
            return f"{percent(ppm)} of the messages on this link now may be overtaken by later ones", "warn"
        case e.Clogged():
            return "this link holds its messages back and loses none", "slow"
        case e.Unclogged():
            return "this link lets go of what it held back", "good"
        case _:
            assert_never(what)


def rule_words(what: RuleSwitched) -> tuple[str, Ink]:
    """A rule that was switched."""
    name = what.rule.replace("_", " ")
    return (f"the rule '{name}' holds again", "good") if what.on else (f"the rule '{name}' is switched off", "bad")


def choice_words(name: str, value: str) -> tuple[str, Ink]:
    """A number or choice of the run that was changed."""
    return f"{name.replace('_', ' ')} is '{value}' from now on", "accent"


def lost_words(node: str, what: e.Lost | e.LostAgain, message: Callable[[Any], str]) -> str:
    """A message that was lost, and why."""
    reasons = {
        LossReason.CUT: f"the link {what.src}>{node} is cut",
        LossReason.CHANCE: f"the link {what.src}>{node} drops {percent(what.loss_ppm)} of its messages",
        LossReason.CRASHED: f"{node} is crashed",
        LossReason.OVERFLOW: f"{node} is frozen, and its buffer is full",
        LossReason.DROPPED: "you dropped it",
    }
    lasts = isinstance(what, e.Lost) and what.why in (LossReason.CUT, LossReason.CRASHED)
    rest = "; more of the kind are lost in silence" if lasts else ""
    return f"{message(what.message)} lost: {reasons[what.why]}{rest}"
