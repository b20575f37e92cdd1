"""What there is to see at this moment, in numbers, and what to try: what ``e`` tells at a cue."""

from engines.consistency.world.snapshot import Snapshot
from tui.kit.explain import rules_off
from tui.kit.words import plural
from tui.panel import Focus
from tui.panels.consistency.queries import TITLES, network_of
from tui.panels.consistency.strip import concurrency, measured


def present(snapshot: Snapshot, focus: Focus) -> tuple[str, ...]:
    """The store, the history, what to try. Paragraphs."""
    if snapshot.logged:
        return (f"Now: {concurrency(snapshot)}.", "To try: up and down walk the hosts, left and right their events.")
    return (f"Now: {_store(snapshot)}.", f"Clients: {_history(snapshot)}.", f"To try: {_experiment(snapshot)}.")


def _store(snapshot: Snapshot) -> str:
    held = []
    for each in snapshot.replicas[:5]:
        parts = [f"{key}={value}" for key, value, _ in each.values]
        parts += [plural(each.pending, "hint")] if each.pending and snapshot.variant == "eventual" else []
        held.append(f"{each.machine.id} holds {' '.join(parts) or 'nothing'}")
    said = "; ".join(held)
    if snapshot.variant == "eventual":
        level = f"N={snapshot.n} R={snapshot.r} W={snapshot.w}" if snapshot.preset == "custom" else snapshot.preset
        said += f"; {level}"
    off = ", ".join(rules_off(snapshot.rules))
    return "; ".join(filter(None, (said, network_of(snapshot).apart(), off and f"off: {off}")))


def _history(snapshot: Snapshot) -> str:
    broken = [TITLES[each.name] for each in snapshot.models if each.verdict.broken]
    said = f"{plural(snapshot.operations, 'operation')}, {measured(snapshot)}"
    return f"{said}; broken: {', '.join(broken)}" if broken else f"{said}; no model is broken"


def _experiment(snapshot: Snapshot) -> str:
    failed = next((check.name for check in snapshot.checks if not check.ok), "")
    if failed in TITLES:
        return f"g goes to the broken promise ({failed}) and lights its witness; y on a read moves its return"
    if failed:
        return f"e on the failed check ({failed}) shows what proves it; r plays the story anew"
    if any(each.verdict.broken for each in snapshot.models):
        return "g lights the operations that break a model; select one and press y to move its return until it holds"
    if any(not on for _, on in snapshot.rules):
        return "o reads there, a writes; r plays the story anew, and with the rule on (b) it ends otherwise"
    return "x cuts the selected replica off, a and o write and read there, b switches a rule off"
