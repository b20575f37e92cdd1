"""What repeats in the journal, told in one line: losses for one reason, models that fall together, hints."""

from collections.abc import Sequence

from engines.consistency.world import events as ev
from engines.sim.events import Event, Lost
from tui.kit.folding import lost_together, routine_of_loss
from tui.kit.words import names, plural
from tui.panel import Line
from tui.panels.consistency.queries import SHORT
from tui.panels.consistency.words import did, message, narrate


def routine(event: Event) -> str:
    """Events with the same one share a line."""
    match event.what:
        case Lost() as lost:
            return routine_of_loss(lost)
        case ev.ModelBroken(client=client, key=key, value=value):
            return f"broken {event.position} {client} {key} {value}"
        case ev.HintKept():
            return "hint"
        case ev.HintDone():
            return "hint done"
        case ev.Answered(age_us=age) if age < 0:
            return "answered"
        case ev.TreesCompared():
            return "trees"
        case ev.VerdictFell(label=label):
            return f"fell {event.position} {label}"
    return ""


def fold(events: Sequence[Event]) -> Line:
    """One line for all of them, the newest in full where that says it."""
    line = narrate(events[-1])
    match events[-1].what:
        case ev.ModelBroken() as broken:
            models = " ".join(SHORT[each.what.model] for each in events)
            return line._replace(
                text=f"{broken.client} {did(broken.write, broken.key, broken.value)} breaks {models}: e says why"
            )
        case ev.VerdictFell(label=label):
            models = " ".join(SHORT.get(each.what.model, each.what.model) for each in events)
            return line._replace(text=f"{label} shows that {models} do not hold: e says why")
        case Lost():
            return lost_together(events, line, message)
        case ev.Answered():
            said = " ".join(
                f"{each.node}:{did(each.what.write, each.what.key, each.what.value)}" for each in events[-4:]
            )
            return line._replace(who="clients", text=f"{plural(len(events), 'operation')} done, the newest {said}")
        case ev.HintKept() | ev.HintDone() as hint:
            owners, kept = names(dict.fromkeys(each.what.owner for each in events)), isinstance(hint, ev.HintKept)
            what = f"kept for {owners}: they do not answer" if kept else f"handed over to {owners}, and deleted"
            return line._replace(text=f"{plural(len(events), 'hint')} {what}")
    return line._replace(text=f"{line.text} (and {len(events) - 1} more before it)")
