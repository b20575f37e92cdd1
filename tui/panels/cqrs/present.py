"""What there is to see at this moment, in numbers, and what to try: what ``e`` tells at a cue."""

from engines.cqrs.world.snapshot import Snapshot
from engines.units import span
from tui.kit.explain import in_force, unsafe_policy, unwell
from tui.kit.words import plural
from tui.panel import Focus
from tui.panels.cqrs.queries import worst
from tui.panels.cqrs.roads import one_line, state_of, verdict_line


def present(snapshot: Snapshot, focus: Focus) -> tuple[str, ...]:
    """The gap, one order on both models, the verdict, what is wrong, what to try. Paragraphs."""
    gaps = "; ".join(f"{view.name} {view.behind} behind{f', {span(view.age_us)} old' if view.behind else ''}, "
                     f"{state_of(snapshot, view)}" for view in snapshot.projections)  # fmt: skip
    said = [f"Now: {plural(len(snapshot.events), 'event')} stored. The gap, event by event: {gaps}."]
    if not snapshot.recorded:
        verdict = snapshot.costs.verdict
        why = f" ({verdict.why.value})" if verdict.crud_us else ""
        said.append(f"The same question to both models: {one_line(snapshot, focus)[0]}.")
        said.append(f"The verdict of this moment: {verdict_line(snapshot)[0]}{why}.")
    wrong = in_force([*unsafe_policy(snapshot), *unwell(snapshot)[:12]], snapshot.rules)
    return (*said, *((wrong,) if wrong else ()), f"To try: {_experiment(snapshot)}")


def _experiment(snapshot: Snapshot) -> str:
    """One thing worth doing in just this situation."""
    if snapshot.recorded:
        return "y stops at a date, left and right walk through it; v shows which event changed which row."
    failed = next((check.name for check in snapshot.checks if not check.ok), "")
    if failed:
        return f"e on the failed check ({failed}) shows what proves it; r plays the story anew."
    if any(view.parked for view in snapshot.projections):
        return "f has 'widen the column' and replaying what is parked; t, freshness 'read your writes', and a."
    if any(table.role == "next" for view in snapshot.projections for table in view.tables):
        return "B swaps once it has caught up; f has the way back."
    late = worst(snapshot)
    if late is not None and late.behind > 20:
        return "j adds a projector: a projection moves there by being built from the events."
    return "a creates an order and reads it at once; t has the freshness that cures what you see. k on p1 and wait."
