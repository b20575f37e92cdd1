"""The verbs: what each letter means for the selected machine, its stage, or the selected projection."""

from collections.abc import Callable
from typing import Final

from engines.cqrs.world import commands as c
from engines.cqrs.world.snapshot import ProjectionView, Snapshot
from engines.sim.rules import SetRule
from tui.kit.selection import after
from tui.kit.verbs import ask, at_nodes, louder, marker, simulated, standard_keys
from tui.panel import Focus, Key, Outcome, Refuse
from tui.panels.cqrs.queries import sides, worst
from tui.panels.cqrs.select import choose, follow, order_of, orders, projection_of, read, stage_of, view_of, views

LEVELS: Final = ((2_000, 2_000), (20_000, 10_000), (90_000, 40_000))
WRITES: Final = (0, 2, 10, 40)
READS: Final = (0, 40, 150)
NOBODY: Final = "select a machine first: left and right walk along the roads"
MOST: Final = {"commands": 4, "projectors": 3, "replicas": 8}


aim: Final = at_nodes("hosts", NOBODY)
"""What the standard verbs act on: the selected machine."""


def user_of(snapshot: Snapshot, focus: Focus) -> str:
    """The selected user, or the first that is up; empty: none is."""
    up = [each.name for each in snapshot.users if each.status == "up"]
    return focus.node if focus.node in up else up[0] if up else ""


def _create(snapshot: Snapshot, focus: Focus) -> Outcome:
    user = user_of(snapshot, focus)
    return c.Create(user, 2, 15, then_read=True) if user else Refuse("no user is up: k restarts the selected one")


def stage_for(snapshot: Snapshot, focus: Focus) -> str:
    """The stage that ``j`` and ``J`` act on: the selected machine's; without one, the projectors."""
    name = focus.node
    return stage_of(name) if name else "projectors"


def _scale(more: bool) -> Callable[[Snapshot, Focus], Outcome]:
    def go(snapshot: Snapshot, focus: Focus) -> Outcome:
        stage = stage_for(snapshot, focus)
        if not stage:
            return Refuse("one of a kind: select a command node, a projector or a replica; each stage scales alone")
        there = sum(each.stage == stage for each in snapshot.machines)
        if more and there >= MOST[stage]:
            return Refuse(f"{stage}: {there} machines, that is the most")
        if not more and there <= 1:
            return Refuse(f"{stage}: one machine, and one is needed")
        return c.AddNode(stage) if more else c.RemoveNode(stage)

    return go


def beside(snapshot: Snapshot, focus: Focus) -> Outcome:
    """``B``: begin a generation beside the live one; once it has caught up, swap."""
    view = projection_of(snapshot, focus)
    if view is None or view.status != "up" or view.moving:
        return Refuse("the home of this projection is not up, or it is moving")
    following = next((table for table in view.tables if table.role == "next"), None)
    if following is None:
        return c.Rebuild(view.name, "beside", "v2" if view.name == "order_summary" and not _runs_v2(view) else "right")
    if following.stopped_at:
        return Refuse(f"it stopped at event {following.stopped_at}: widen the column and replay what is parked (f)")
    if following.position < view.position:
        return Refuse(f"not yet: it is at {following.position}, the live one at {view.position}")
    return c.Swap(view.name)


def _runs_v2(view: ProjectionView) -> bool:
    return bool(view.tables) and view.tables[0].release == "v2"


def _view(by: int) -> Callable[[Snapshot, Focus], Outcome]:
    def go(snapshot: Snapshot, focus: Focus) -> Outcome:
        return choose(focus, view=after(views(snapshot), view_of(snapshot, focus), by), at=0)

    return go


def _date(snapshot: Snapshot, focus: Focus) -> Outcome:
    """``y``: stop at a date, the newest event, from where left and right walk; again: back to now."""
    if read(focus).at:
        return choose(focus, at=0)
    if not snapshot.events:
        return Refuse("nothing has happened yet: there is no date to go to")
    view = view_of(snapshot, focus)
    return choose(focus, at=len(snapshot.events), view=view if view in ("rows", "tree") else "rows")


def _worst(snapshot: Snapshot, focus: Focus) -> Outcome:
    found = worst(snapshot)
    if found is None:
        return Refuse("there is no projection")
    return choose(focus, projection="" if found.name == snapshot.projections[0].name else found.name)


def _stale(by: int) -> Callable[[Snapshot, Focus], Outcome]:
    def go(snapshot: Snapshot, focus: Focus) -> Outcome:
        there = orders(snapshot)
        now = order_of(snapshot, focus)
        place = there.index(now) if now in there else 0
        order = there[place + 1 :] if by > 0 else tuple(reversed(there[:place]))
        found = next((each for each in order if sides(snapshot, each).stale), None)
        where = "behind" if by > 0 else "before"
        return Refuse(f"no order {where} this one is stale on the read side") if found is None else choose(
            focus, order=found)  # fmt: skip

    return go


def _order(snapshot: Snapshot, focus: Focus) -> Outcome:
    there = orders(snapshot)
    if not there:
        return Refuse("no order yet: a creates one")
    now = order_of(snapshot, focus)
    place = there.index(now) if now in there else 0
    return follow(snapshot, focus, there[place - 1])


KEYS: Final = (
    *standard_keys(
        aim, "machine", levels=LEVELS, level_words="x1, x10, x45", messages=False, guard=simulated,
        ranks={"k": 15, "x": 24, "l": 25, "d": 60, "z": 26, "h": 27},
    ),
    Key("j", "add", "one machine more in this stage: commands, projectors or replicas", simulated(_scale(True)),
        rank=13),
    Key("J", "remove", "one machine less in this stage", simulated(_scale(False)), rank=30),
    Key("a", "order", "create an order and read it at once", simulated(_create), rank=11),
    Key("A", "ask", "type: create 2 15, add 1 5, note TEXT, summary, history, resend, at 3.5s; a file: summary order-7",
        ask("client"), rank=20),
    Key("w", "writes", "new orders a second: 0, 2, 10, 40", simulated(louder("writes", WRITES, c.SetOption)), rank=21),
    Key("W", "reads", "queries a second: 0, 40, 150", simulated(louder("reads", READS, c.SetOption)), rank=22),
    Key("B", "beside", "build the projection anew beside the live one; caught up: swap", simulated(beside), rank=23),
    Key("v", "view", "the next view: roads, answers beside the truth, rows, causes", _view(1), rank=10),
    Key("V", "view back", "the previous view", _view(-1), rank=100),
    Key("y", "date", "the read models at a date: left and right walk through it; again: now", _date, rank=12),
    Key("g", "worst gap", "go to the projection that is the furthest behind", _worst, rank=28),
    Key("o", "order", "follow the order before this one", _order, rank=29),
    Key("n", "next stale", "the next order that is stale on the read side", _stale(1), rank=31),
    Key("N", "stale back", "the previous order that is stale on the read side", _stale(-1), rank=100),
)  # fmt: skip

mark: Final = marker({
    c.Create: ("a", "you"), c.AddTo: ("a", "you"), c.Note: ("a", "you"), c.Resend: ("a", "warn"), c.Ask: ("?", "you"),
    c.AddNode: ("j", "good"), c.RemoveNode: ("J", "warn"), c.Deploy: ("D", "warn"), c.Rebuild: ("B", "accent"),
    c.Swap: ("B", "good"), c.Poison: ("p", "bad"), c.Widen: ("w", "good"), c.ReplayParked: ("p", "good"),
    c.Decline: ("n", "bad"), c.SetOption: ("t", "you"), SetRule: ("b", "bad"),
})  # fmt: skip
