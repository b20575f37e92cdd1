"""The verbs: what each letter means for the cursor, or for the selected machine."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from engines.event_sourcing.events import RecordedEvent, category
from engines.event_sourcing.world import commands as c
from engines.event_sourcing.world.snapshot import Snapshot
from engines.sim.rules import SetRule
from tui.kit.selection import after
from tui.kit.verbs import ask, at_nodes, crash, louder, marker, simulated, standard_keys
from tui.panel import Focus, Key, Outcome, Refuse
from tui.panels.events import select as s
from tui.panels.events.select import choose, current, read, step

LEVELS: Final = ((3_000, 4_000), (9_000, 12_000), (90_000, 40_000))
RATES: Final = (0, 6, 30)
NOBODY: Final = "select a machine first: left and right walk along the top row"


aim: Final = at_nodes("hosts", NOBODY)
"""What the standard verbs act on: the selected machine."""


def _crash_or_up(snapshot: Snapshot, focus: Focus) -> Outcome:
    """``k``: with a machine selected it is crashed or restarted; else the cursor goes up, as in every list."""
    if not focus.node:
        return step(snapshot, focus, -1)
    target = aim(snapshot, focus)
    return target if isinstance(target, Refuse) else crash(target)


def _down(snapshot: Snapshot, focus: Focus) -> Outcome:
    return step(snapshot, focus, 1)


def account_of(snapshot: Snapshot, focus: Focus) -> int:
    """The account of the stream under the cursor; the first one if it is none."""
    event = current(snapshot, focus)
    name = event.stream if event is not None else ""
    number = name.removeprefix("account-")
    return int(number) if number.isascii() and number.isdecimal() and number != name else 1


def teller_of(snapshot: Snapshot, focus: Focus) -> str:
    """The selected teller, or the first that is up."""
    up = [each.name for each in snapshot.writers if each.status == "up" and each.name != "desk"]
    return focus.node if focus.node in up else up[0] if up else "t1"


def _act(snapshot: Snapshot, focus: Focus) -> Outcome:
    if not any(each.status == "up" and each.name != "desk" for each in snapshot.writers):
        return Refuse("no teller is up: k restarts the selected one")
    return c.Act(teller_of(snapshot, focus), "deposit", account_of(snapshot, focus), 10)


def _newest(snapshot: Snapshot, focus: Focus) -> Outcome:
    return replace(choose(focus, cursor=0), why=False)


def worth(snapshot: Snapshot, event: RecordedEvent) -> bool:
    """Whether an event is worth a stop: a reaction to another one, of an old version, or parked."""
    if event.command_cause:
        return True
    if event.type == "MoneyDeposited" and event.version < 3 and not snapshot.recorded:
        return True
    return any(place[0] == event.position for each in snapshot.subscribers for place in each.parked)


def _worth(by: int) -> Callable[[Snapshot, Focus], Outcome]:
    def go(snapshot: Snapshot, focus: Focus) -> Outcome:
        events = s.listed(snapshot, focus)
        index = s.index_of(events, read(focus).cursor)
        order = range(index + 1, len(events)) if by > 0 else range(index - 1, -1, -1)
        found = next((place for place in order if worth(snapshot, events[place])), None)
        where = "behind" if by > 0 else "before"
        if found is None:
            return Refuse(f"no event {where} the cursor reacts to another one, is of an old version, or is parked")
        return s.at(focus, events, found)

    return go


def _view(by: int) -> Callable[[Snapshot, Focus], Outcome]:
    def go(snapshot: Snapshot, focus: Focus) -> Outcome:
        return choose(focus, view=after(s.VIEWS[:-1] if snapshot.recorded else s.VIEWS, read(focus).view, by))

    return go


def _scope(snapshot: Snapshot, focus: Focus) -> Outcome:
    """All, then the stream, type, category and story of the event under the cursor, which stays."""
    event = current(snapshot, replace(focus, find=""))
    if event is None:
        return Refuse("there is no event to narrow the list to")
    values = {"all": "", "stream": event.stream, "type": event.type, "category": category(event.stream),
              "story": event.correlation_id}  # fmt: skip
    now = s.SCOPES.index(read(focus).scope)
    scope = next(name for turn in range(1, 6) if (name := s.SCOPES[(now + turn) % 5]) == s.ALL or values[name])
    return choose(focus, scope=scope, value=values[scope])


def _audit(snapshot: Snapshot, focus: Focus) -> Outcome:
    return choose(focus, audit=not read(focus).audit, view="stream")


_STANDARD: Final = standard_keys(
    aim, "machine", levels=LEVELS, level_words="x1, x3, x20", messages=False, guard=simulated,
    ranks={"k": 15, "x": 24, "l": 25, "d": 60, "z": 26, "h": 27},
)  # fmt: skip
_K_HELP: Final = "crash or restart the selected machine; without one, go up"

KEYS: Final = (
    *(replace(key, help=_K_HELP, act=_crash_or_up) if key.key == "k" else key for key in _STANDARD),
    Key("j", "down", "go down in the list", _down, rank=100),
    Key("a", "deposit", "deposit 10 on the account under the cursor", simulated(_act), rank=20),
    Key("A", "ask", "type: deposit 1 50, withdraw 1 80, transfer 1 2 30, race 1 80, at 3.5s", ask("client"), rank=21),
    Key("w", "workload", "commands a second: 0, 6, 30", simulated(louder("rate", RATES, c.SetOption)), rank=28),
    Key("g", "newest", "go to the newest event and follow what comes", _newest, rank=14),
    Key("n", "next", "the next event that reacts to another, is old, or is parked", _worth(1), rank=30),
    Key("N", "previous", "the previous one", _worth(-1), rank=100),
    Key("v", "view", "the next view: the stream, its causes, all balances, the machines", _view(1), rank=11),
    Key("V", "view back", "the previous view", _view(-1), rank=100),
    Key("o", "only", "only this stream, type, category or story, or all again", _scope, rank=12),
    Key("y", "audit", "who, when and because of what, instead of the data", _audit, rank=13),
)  # fmt: skip

mark: Final = marker({
    c.Act: ("a", "you"), c.Race: ("a", "you"), c.SetOption: ("t", "you"), SetRule: ("b", "bad"), c.Kill: ("k", "dead"),
    c.Poison: ("p", "bad"), c.Release: ("R", "good"), c.ReplayParked: ("p", "good"), c.ChangeSchema: ("s", "warn"),
    c.Tamper: ("!", "bad"), c.Verify: ("v", "accent"), c.Compact: ("c", "warn"), c.HoldCommit: ("o", "slow"),
})  # fmt: skip
