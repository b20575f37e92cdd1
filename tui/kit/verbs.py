"""The standard verbs, k z x X l d u c h, which mean the same in every pattern: what they do to whatever is selected.

A panel says what its selection comes to, a ``Target``: machines, links, or a message in flight. The rest is here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, TypeAlias

from engines.sim import faults
from engines.sim.world import ALL
from engines.units import US_PER_MS
from tui.canvas import Ink
from tui.kit.link_faults import Link
from tui.kit.selection import OnMessage, above, after, message_of
from tui.panel import Ask, Focus, Key, Outcome, Refuse

Act: TypeAlias = Callable[[Any, Focus], Outcome]
Pairs: TypeAlias = tuple[tuple[str, str], ...]
Levels: TypeAlias = tuple[tuple[int, int], ...]

LOSS_PPM: Final = (0, 100_000, 300_000, 600_000, 1_000_000)
DELAYS_US: Final[Levels] = (
    (15 * US_PER_MS, 10 * US_PER_MS),
    (45 * US_PER_MS, 30 * US_PER_MS),
    (150 * US_PER_MS, 100 * US_PER_MS),
)
"""Latency and jitter of a fresh link, three and ten times as much."""
SHARE_PPM: Final = 300_000
OFFSET_US: Final = 200 * US_PER_MS
DRIFT_PPM: Final = 200_000
RECORDED: Final = "recorded data: faults need a simulation"

MARKS: Final[dict[type, tuple[str, Ink]]] = {
    faults.Crash: ("k", "dead"), faults.Restart: ("k", "good"), faults.Drop: ("k", "lost"),
    faults.Freeze: ("z", "frozen"), faults.Thaw: ("z", "good"), faults.Isolate: ("x", "cut"),
    faults.Reconnect: ("x", "good"), faults.Cut: ("x", "cut"), faults.Mend: ("x", "good"),
    faults.Partition: ("X", "cut"), faults.Lose: ("l", "lost"), faults.Slow: ("d", "slow"),
    faults.Duplicate: ("u", "warn"), faults.Reorder: ("u", "warn"), faults.Skew: ("c", "warn"),
    faults.Clog: ("f", "slow"), faults.Unclog: ("f", "good"), faults.SlowDisk: ("f", "slow"),
    faults.ExpireTimers: ("f", "accent"), faults.Heal: ("h", "good"),
}  # fmt: skip
"""The letters that faults leave on the scrubber."""


def marker(own: Mapping[type, tuple[str, Ink]]) -> Callable[[Any], tuple[str, Ink] | None]:
    """The letter a command leaves on the scrubber: that of its verb; none for what a lecturer says."""
    marks = {**MARKS, **own}
    return lambda command: marks.get(type(command))


# -- what is acted on ------------------------------------------------------------------------------------------------


class Message(Protocol):
    """A message in flight."""

    @property
    def id(self) -> int: ...
    @property
    def src(self) -> str: ...
    @property
    def dst(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine, and what was done to it."""

    name: str
    status: str = "up"
    cut: bool = False
    """Whether a link of it is cut."""
    clock_off_us: int = 0
    drift_ppm: int = 0

    @classmethod
    def of(cls, view: Any, name: str = "") -> "Machine":
        """Of what a snapshot tells of a machine; ``name``: where that is not its ``id``."""
        return cls(name or view.id, view.status, bool(view.cut_from), view.clock_off_us, view.drift_ppm)


@dataclass(frozen=True, slots=True)
class Links:
    """Links by the names of their ends, and the worst of what was done to them."""

    pairs: Pairs = ()
    cut: bool = False
    loss_ppm: int = 0
    latency_us: int = 0
    shuffled: bool = False

    @classmethod
    def of(cls, pairs: Pairs, changed: Iterable[Link]) -> "Links":
        """``changed``: those of them that are not as they were laid."""
        found = list(changed)
        return cls(
            pairs,
            any(link.cut for link in found),
            max((link.loss_ppm for link in found), default=0),
            max((link.latency_us for link in found), default=0),
            any(link.duplicate_ppm or link.reorder_ppm for link in found),
        )


@dataclass(frozen=True, slots=True)
class Target:
    """What the verbs act on: machines and their links, an edge's links alone, or a message and its link."""

    machines: tuple[Machine, ...] = ()
    links: Links = Links()
    message: Message | None = None
    no_machine: str = "select a machine first"
    """Why there is none, if there is none."""
    edge: bool = False
    """Whether ``x`` cuts the links, rather than the machine off from all others."""

    @classmethod
    def node(cls, machine: Machine, changed: Sequence[Link], message: Message | None = None) -> "Target":
        """A machine with all its links; or the message that is selected beside it, with its link alone."""
        if message is not None:
            own = [link for link in changed if (link.src, link.dst) == (message.src, message.dst)]
            return cls((machine,), Links.of(((message.src, message.dst),), own), message, edge=True)
        own = [link for link in changed if machine.name in (link.src, link.dst)]
        return cls((machine,), Links.of(((machine.name, ALL), (ALL, machine.name)), own))


Aim: TypeAlias = Callable[[Any, Focus], "Target | Refuse"]
"""What the selection comes to; a refusal: why no verb means anything here."""


def at_nodes(machines: str, nobody: str = "select a machine first") -> Aim:
    """The selected one of a snapshot's ``machines``, or the message that is selected beside it.

    ``nobody``: what is said where none is selected.
    """

    def aim(snapshot: Any, focus: Focus) -> Target | Refuse:
        node = next((each for each in getattr(snapshot, machines) if each.id == focus.node), None)
        if node is None:
            return Refuse(nobody)
        return Target.node(Machine.of(getattr(node, "machine", node)), snapshot.links, message_of(snapshot, focus))

    return aim


# -- the verbs -------------------------------------------------------------------------------------------------------


def crash(target: Target) -> Outcome:
    """``k``: restart what is crashed, else crash the first that is not; a selected message is dropped."""
    if target.message is not None:
        return faults.Drop(target.message.id)
    return _turn(target, "crashed", faults.Restart, faults.Crash)


def freeze(target: Target) -> Outcome:
    """``z``: thaw what is frozen, else freeze the first that is up."""
    if target.message is not None:
        return Refuse("a message cannot freeze: k drops it, d delays its link")
    if target.machines and all(machine.status == "crashed" for machine in target.machines):
        return Refuse(f"{target.machines[0].name} is crashed: nothing of it runs that could freeze")
    return _turn(target, "frozen", faults.Thaw, faults.Freeze)


def _turn(target: Target, status: str, back: type, do: type) -> Outcome:
    there = [machine for machine in target.machines if machine.status == status]
    if len(target.machines) > 1 and there:
        return tuple(back(machine.name) for machine in there)
    if there:
        return back(there[0].name)  # type: ignore[no-any-return]
    rest = [machine for machine in target.machines if machine.status == "up"] or list(target.machines)
    return do(rest[0].name) if rest else Refuse(target.no_machine)


def cut(target: Target) -> Outcome:
    """``x``: cut the machine off or connect it again; of a message or an edge only its links."""
    if target.edge:
        make = faults.Mend if target.links.cut else faults.Cut
        made = tuple(make(src, dst) for src, dst in target.links.pairs)
        return made[0] if target.message is not None else made or Refuse(target.no_machine)
    if not target.machines:
        return Refuse(target.no_machine)
    machine = target.machines[0]
    return faults.Reconnect(machine.name) if machine.cut else faults.Isolate(machine.name)


def loss(target: Target) -> Outcome:
    """``l``: the next level of loss on the links."""
    ppm = next((level for level in LOSS_PPM if level > target.links.loss_ppm), 0)
    return tuple(faults.Lose(src, dst, ppm) for src, dst in target.links.pairs) or Refuse(target.no_machine)


def delay(target: Target, levels: Levels = DELAYS_US) -> Outcome:
    """``d``: the next level of latency."""
    now = target.links.latency_us or levels[0][0]
    latency, jitter = next((level for level in levels if level[0] > now), levels[0])
    return tuple(faults.Slow(src, dst, latency, jitter) for src, dst in target.links.pairs) or Refuse(target.no_machine)


def shuffle(target: Target) -> Outcome:
    """``u``: messages that come twice and out of order, or not."""
    ppm = 0 if target.links.shuffled else SHARE_PPM
    made = tuple(make(src, dst, ppm) for src, dst in target.links.pairs for make in (faults.Duplicate, faults.Reorder))
    return made or Refuse(target.no_machine)


def skew(target: Target) -> Outcome:
    """``c``: the next thing that can be wrong with a clock: a jump, fast, slow, nothing."""
    if target.message is not None:
        return Refuse("a message has no clock: press down to come back to its node")
    if not target.machines:
        return Refuse(target.no_machine)
    machine = target.machines[0]
    if machine.drift_ppm < 0:
        return faults.Skew(machine.name, 0, 0)
    if machine.drift_ppm > 0:
        return faults.Skew(machine.name, 0, -DRIFT_PPM)
    return faults.Skew(machine.name, 0, DRIFT_PPM) if machine.clock_off_us else faults.Skew(machine.name, OFFSET_US, 0)


def heal(snapshot: Any, focus: Focus) -> Outcome:
    """``h``."""
    return faults.Heal()


# -- as keys ---------------------------------------------------------------------------------------------------------


def verb(aim: Aim, act: Callable[[Target], Outcome]) -> Act:
    """What a key does with what the selection comes to."""

    def key(snapshot: Any, focus: Focus) -> Outcome:
        target = aim(snapshot, focus)
        return target if isinstance(target, Refuse) else act(target)

    return key


RANKS: Final = {"k": 10, "x": 11, "l": 12, "h": 14, "z": 20, "d": 22, "c": 58, "u": 62}
"""The footer shows low ranks first."""


def standard_keys(
    aim: Aim,
    noun: str = "server",
    *,
    levels: Levels = DELAYS_US,
    level_words: str = "x1, x3, x10",
    messages: bool = True,
    ranks: Mapping[str, int] = RANKS,
    guard: Callable[[Act], Act] = lambda act: act,
    instead: Mapping[str, tuple[str, str, Act]] | None = None,
) -> tuple[Key, ...]:
    """k z x l d u c h, as they act on what ``aim`` gives.

    ``noun``: what a machine is called. ``messages``: whether a message in flight can be selected. ``guard`` wraps every
    act, as ``simulated`` does. ``instead``: label, help and act of a verb that means something else here.
    """
    drop = "; on a message: drop it" if messages else ""
    link = "; on a message: {} its link" if messages else ""

    def on(act: Callable[[Target], Outcome]) -> Act:
        return verb(aim, act)

    table: dict[str, tuple[str, str, Act]] = {
        "k": ("crash", f"crash the {noun}, or restart it{drop}", on(crash)),
        "z": ("freeze", f"freeze the {noun} (a long pause), or thaw it", on(freeze)),
        "x": ("isolate", f"cut the {noun} off, or connect it again{link.format('cut')}", on(cut)),
        "l": ("loss", f"loss on its links: 0, 10, 30, 60, 100 %{link.format('on')}", on(loss)),
        "d": ("delay", f"latency of its links: {level_words}{link.format('of')}", on(lambda t: delay(t, levels))),
        "u": ("shuffle", "let 30 % of its messages come twice and out of order, or not", on(shuffle)),
        "c": ("clock", "its clock: right, 200 ms ahead, 20 % fast, 20 % slow", on(skew)),
        "h": ("heal", f"heal everything: links, clocks, frozen and dead {noun}s", heal),
        **(instead or {}),
    }
    return tuple(
        Key(key, label, help, guard(act), rank={**RANKS, **ranks}[key]) for key, (label, help, act) in table.items()
    )


def simulated(act: Act) -> Act:
    """A verb that needs machines: on recorded data it says why it does nothing."""
    return lambda snapshot, focus: Refuse(RECORDED) if snapshot.recorded else act(snapshot, focus)


def louder(name: str, levels: Sequence[int], command: Callable[[str, str], Any]) -> Act:
    """A key that sets a number of the run to its next level, from the highest to the lowest again."""
    return lambda snapshot, focus: command(name, str(above(levels, int(dict(snapshot.options)[name]))))


def next_message(step: int, machines: str) -> Act:
    """The message that arrives after or before the selected one, anywhere in the cluster, and one end of its way.

    ``machines``: what the snapshot calls those that can be selected.
    """

    def act(snapshot: Any, focus: Focus) -> Outcome:
        flights = sorted(snapshot.flights, key=lambda each: (each.arrives_us, each.id))
        if not flights:
            return Refuse("no message is in flight at this moment")
        flight = after(flights, message_of(snapshot, focus), step)
        ids = [machine.id for machine in getattr(snapshot, machines)]
        node = next((end for end in (flight.src, flight.dst) if end in ids), focus.node)
        near = focus.node in (flight.src, flight.dst)
        return replace(focus, node=focus.node if near else node, pick=OnMessage(flight.id), why=False)

    return act


def ask(what: str) -> Act:
    """A key that opens a dialogue."""
    return lambda snapshot, focus: Ask(what)
