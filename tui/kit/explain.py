"""Explanations: the lesson behind an event, and what a check demands, in the same paragraphs in every panel."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from engines.sim import events as e
from engines.sim.pattern import Check
from engines.units import when

OF_KERNEL: Final[dict[type, str]] = {
    e.Crashed: "crash", e.Restarted: "crash", e.Synced: "crash", e.DiskSlowed: "crash", e.Frozen: "fault",
    e.Thawed: "fault", e.Waiting: "fault", e.Isolated: "fault", e.Reconnected: "fault", e.Partitioned: "fault",
    e.Healed: "fault", e.LinkCut: "network", e.LinkMended: "network", e.LossSet: "network", e.LatencySet: "network",
    e.DuplicationSet: "network", e.ReorderingSet: "network", e.Clogged: "network", e.Unclogged: "network",
    e.Lost: "network", e.LostAgain: "network", e.Delivered: "network", e.DropMissed: "network", e.Skewed: "clock",
    e.Cue: "lecture",
}  # fmt: skip
"""Which lesson a panel that names them so has for what befalls every world; timers mean something else in each."""
LECTURE: Final = ("A remark of the scenario. It changes nothing in the world.",)
THREE_FAULTS: Final = (
    "Three faults are easily confused. A crash loses what was only in memory; a freeze loses nothing but time; a cut "
    "loses messages. Seen from another machine all three look the same: silence."
)
RULE: Final = ("Rules can be switched off, to see what they are for: the checks tell what breaks without them.",)
CHOICE: Final = ("A choice of this run; t shows all of them with what is accepted.",)
NO_RULE: Final = (
    "No rule was off before it broke: a setting of this run (t), or a fault beyond what is survived, is the cause."
)
HOLDS = "It holds: it was examined after every event of this run."


def rules_off(rules: Iterable[tuple[str, bool]], among: tuple[str, ...] = ()) -> list[str]:
    """The rules that are switched off (of these), as people write them."""
    return [name.replace("_", " ") for name, on in rules if not on and (not among or name in among)]


def cure(rules: Iterable[tuple[str, bool]]) -> str:
    """What to try where a rule is off, to end a sentence with; none is: empty."""
    return "; b switches the missing rule on again" if rules_off(rules) else ""


def in_force(found: Iterable[str], rules: Iterable[tuple[str, bool]]) -> str:
    """What is wrong, and which rules are off, as a paragraph; nothing is: empty."""
    off = rules_off(rules)
    said = [*found, *([f"off: {', '.join(off)}"] if off else [])]
    return f"In force: {'; '.join(said)}." if said else ""


def unwell(snapshot: Any) -> list[str]:
    """Which machines are not up, and which links are cut."""
    found = [f"{host.id} is {host.status}" for host in snapshot.hosts if host.status != "up"]
    return found + [f"the link {link.src}>{link.dst} is cut" for link in snapshot.links if link.cut]


def unsafe_policy(snapshot: Any) -> list[str]:
    """Which of effect and checkpoint is made durable first, where they are not one transaction."""
    policy = str(dict(snapshot.options).get("policy", ""))
    return [f"checkpoint policy: {policy}"] if policy.endswith("first") else []


def checks(demands: Mapping[Any, str], if_broken: Mapping[Any, str]) -> Callable[[Any, Check], tuple[str, ...]]:
    """``explain_check`` of a panel where it depends on nothing but the check and the rules."""
    return lambda snapshot, check: explain_check(check, demands, if_broken, snapshot.rules)


def explain_check(
    check: Check,
    demands: Mapping[str, str],
    if_broken: Mapping[str, str],
    rules: Iterable[tuple[str, bool]],
    *,
    exempt: str = "",
) -> tuple[str, ...]:
    """What the check demands; if it failed, who saw what and which rules had been off by then.

    ``exempt``: why it is not asked of what is shown.
    """
    demand = f"{check.name}: {demands.get(check.name, check.detail)}."
    behind = if_broken.get(check.name, "It is watched after every event.")
    if check.ok:
        told: tuple[str, ...] = (demand, exempt, HOLDS, behind)
    else:
        broken = f"FAILED{when(check.at_us, ' ')}: {check.detail}."
        told = (demand, broken, *check.witness, behind, _cause(check, rules))
    return tuple(text for text in told if text)


def _cause(check: Check, rules: Iterable[tuple[str, bool]]) -> str:
    """Which rules had been off when it broke; without any it lies elsewhere. A FILE has no rules."""
    if check.off:
        return f"Switched off before it broke: {', '.join(name.replace('_', ' ') for name in check.off)}."
    return NO_RULE if tuple(rules) else ""
