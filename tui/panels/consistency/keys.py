"""The verbs: what each letter means for the selected client, replica or operation."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from engines.consistency.world.commands import Perform, SetPreset, SetQuorum, SetWorkload
from engines.consistency.world.options import PREFERENCES, PRESETS, WORKLOADS
from engines.consistency.world.snapshot import WHOLE_MAX, Snapshot
from engines.sim.rules import SetRule
from tui.kit.selection import after
from tui.kit.verbs import Machine, Target, ask, marker, simulated, standard_keys
from tui.panel import Focus, Key, Outcome, Refuse
from tui.panels.consistency.queries import MODELS, choose, chosen, flight_of, model_of, operation, verdicts_of, whole

NO_RUN: Final = "these are the smallest histories, and no machines: v comes back to the run"


def aim(snapshot: Snapshot, focus: Focus) -> Target | Refuse:
    """What the verbs act on: the selected machine, or the selected message."""
    if chosen(focus).pair >= 0:
        return Refuse(NO_RUN)
    view = snapshot.replica(focus.node) or snapshot.client(focus.node)
    if view is None:
        return Refuse("select a client or a replica first")
    target = Target.node(Machine.of(view.machine), snapshot.links, flight_of(snapshot, focus))
    if snapshot.client(focus.node) is not None and target.message is None:
        return replace(target, edge=True)  # a client has no peers to be isolated from: x cuts its links
    return target


def _perform(write: bool) -> Callable[[Snapshot, Focus], Outcome]:
    def act(snapshot: Snapshot, focus: Focus) -> Outcome:
        if chosen(focus).pair >= 0:
            return Refuse(NO_RUN)
        client = snapshot.client(focus.node) or snapshot.client("you")
        assert client is not None
        if client.machine.status != "up":
            return Refuse(f"{client.machine.id} is {client.machine.status}: it asks nothing")
        there = focus.node if snapshot.replica(focus.node) is not None and snapshot.variant != "linearizable" else ""
        return Perform(client.machine.id, write, snapshot.keys[0], there)

    return act


def _workload(snapshot: Snapshot, focus: Focus) -> Outcome:
    return SetWorkload(after(tuple(WORKLOADS), snapshot.workload))


def _preset(snapshot: Snapshot, focus: Focus) -> Outcome:
    names = PRESETS_OF.get(snapshot.variant)
    if names is None:
        return Refuse("Cassandra's levels are of the eventual variant, read preferences of the replica set (m)")
    return SetPreset(after(names, snapshot.preset))


PRESETS_OF: Final = {"eventual": PRESETS, "mongodb": PREFERENCES}


def _model(step: int) -> Callable[[Snapshot, Focus], Outcome]:
    def act(snapshot: Snapshot, focus: Focus) -> Outcome:
        names = [name for name in MODELS if model_of(snapshot, name) is not None]
        if not names:
            return Refuse("no model is judged here")
        now = chosen(focus).model
        if now not in names:
            return choose(replace(focus, why=False), model=names[0 if step > 0 else -1])
        at = names.index(now) + step
        return choose(replace(focus, why=False), model=names[at] if 0 <= at < len(names) else "")

    return act


def _broken(snapshot: Snapshot, focus: Focus) -> Outcome:
    verdicts = verdicts_of(snapshot, focus)
    promised = [each.name for each in snapshot.models if each.promised and verdicts[each.name].broken]
    broken = [name for name in reversed(MODELS) if name in verdicts and verdicts[name].broken]
    if not broken:
        return Refuse("no model is broken: nothing to show")
    return choose(replace(focus, why=False), model=(promised or broken)[0])


def _hold(snapshot: Snapshot, focus: Focus) -> Outcome:
    now = chosen(focus)
    if now.held >= 0:
        return choose(focus, held=-1)
    found = operation(snapshot, focus)
    if found is None:
        return Refuse("select an operation first: left and right on a client")
    if found.end is None:
        return Refuse("it has not returned: there is nothing to move")
    if not whole(snapshot):
        return Refuse(f"what-if judges the whole history anew: up to {WHOLE_MAX:,} operations, so go back in time")
    return choose(focus, held=found.end)


def _matrix(snapshot: Snapshot, focus: Focus) -> Outcome:
    return choose(focus, pair=0 if chosen(focus).pair < 0 else -1)


KEYS: Final = (
    *standard_keys(aim, "machine", guard=simulated),
    Key("a", "write", "the selected client writes; on a replica: you write there", simulated(_perform(True)), rank=13),
    Key("o", "read", "the selected client reads; on a replica: you read there", simulated(_perform(False)), rank=15),
    Key("A", "ask", "type an operation: A w x r1, you r y", simulated(ask("client")), rank=56),
    Key("w", "workload", "how fast clients work: off, light, busy, flood", simulated(_workload), rank=45),
    Key("n", "model", "the next model of the lattice: its witness is lit", _model(1), rank=16),
    Key("N", "before", "the previous one", _model(-1), rank=100),
    Key("g", "broken", "go to a broken model, a promised one first", _broken, rank=17),
    Key("y", "what if", "take hold of the selected return; arrows move it, y lets go", _hold, rank=18),
    Key("v", "matrix", "the next view: the smallest histories that tell two models apart", _matrix, rank=54),
    Key("V", "back", "the previous view: the run", _matrix, rank=100),
    Key("p", "level", "the next preset: Cassandra's consistency levels, MongoDB's read preferences", simulated(_preset),
        rank=46),
)  # fmt: skip

mark: Final = marker({
    Perform: ("a", "you"), SetRule: ("b", "bad"), SetWorkload: ("w", "you"), SetQuorum: ("t", "you"),
    SetPreset: ("p", "you"),
})  # fmt: skip
"""The letter a command leaves on the scrubber."""
