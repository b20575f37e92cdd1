"""Rows of dialogues that every pattern has: faults of machines and links with their parameters, rules, splits."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from engines.sim import faults
from engines.sim.world import ALL
from engines.units import US_PER_MS, US_PER_S
from tui.kit.verbs import DELAYS_US, OFFSET_US, RECORDED, Levels, Message, Pairs
from tui.kit.words import PPM_PER_PERCENT, names
from tui.panel import Focus, Offer, Outcome, Param, Refuse

Values: TypeAlias = Mapping[str, Any]

HEAL: Final = Offer(
    "heal everything", "links, clocks and disks; frozen servers thaw, dead ones restart", lambda v: faults.Heal()
)
NO_FAULTS: Final = Offer("no faults here", RECORDED, lambda v: Refuse(RECORDED))
"""The only row where there is nothing to disturb."""
F = TypeVar("F", bound=Callable[..., tuple[Offer, ...]])
SHARE: Final = Param("share", 30, 0, 100, 10, "%")


def simulated(offers: F) -> F:
    """Rows that need machines: where data is recorded the only row says why there are none."""

    @wraps(offers)
    def rows(snapshot: Any, focus: Focus) -> tuple[Offer, ...]:
        return (NO_FAULTS,) if snapshot.recorded else offers(snapshot, focus)

    return rows  # type: ignore[return-value]


# -- machines --------------------------------------------------------------------------------------------------------


def on_off(on: bool, start: tuple[str, str, Any], stop: tuple[str, str, Any]) -> Offer:
    """One row for two commands that undo each other: title, help and command of either."""
    title, help, command = stop if on else start
    return Offer(title, help, lambda v: command)


def of_machine(
    name: str, status: str, kept: str, restarted: str, frozen: str = "it keeps everything and does nothing"
) -> tuple[Offer, ...]:
    """Crash or restart, freeze or thaw. ``kept``, ``restarted``, ``frozen``: what each means here."""
    return (
        on_off(status == "crashed", (f"crash {name}", kept, faults.Crash(name)),
               (f"restart {name}", restarted, faults.Restart(name))),
        on_off(status == "frozen", (f"freeze {name}", frozen, faults.Freeze(name)),
               (f"thaw {name}", "what waited happens now", faults.Thaw(name))),
    )  # fmt: skip


def of_clock_and_disk(name: str) -> tuple[Offer, ...]:
    """A clock that is wrong, a disk that is slow."""
    return (
        Offer(
            f"clock of {name}", "a jump from true time, and a rate; 0 and 0: right again",
            lambda v: faults.Skew(name, v["jump"] * US_PER_MS, v["drift"] * PPM_PER_PERCENT),
            (Param("jump", OFFSET_US // US_PER_MS, -2_000, 2_000, 50, "ms"), Param("drift", 0, -80, 300, 10, "%")),
        ),
        Offer(
            f"disk of {name}", "a sync takes so long; a crash before it ends loses the write",
            lambda v: faults.SlowDisk(name, v["sync"] * US_PER_MS), (Param("sync", 40, 0, 1_000, 10, "ms"),),
        ),
    )  # fmt: skip


def of_message(message: Message | None, letter: str, what: str) -> tuple[Offer, ...]:
    """What can be done to the selected message, which reads so; nothing is selected: no row."""
    if message is None:
        return ()
    id = message.id
    return (Offer(f"drop the {letter} {message.src}>{message.dst}", what, lambda v: faults.Drop(id)),)


# -- links -----------------------------------------------------------------------------------------------------------


Each: TypeAlias = Callable[[Callable[[str, str, Values], Any]], Callable[[Values], Outcome]]
"""Makes one command a link of what a row was aimed at."""


def of_links(name: str, others: tuple[str, ...], levels: Levels = DELAYS_US) -> tuple[Offer, ...]:
    """Faults of the links of a node: with one other, or with all."""
    peer = Param("peer", "all", choices=("all", *others))
    way = Param("way", "both", choices=("both", f"from {name}", f"to {name}"))

    def each(make: Callable[[str, str, Values], Any]) -> Callable[[Values], Outcome]:
        def build(v: Values) -> Outcome:
            other = ALL if v["peer"] == "all" else v["peer"]
            pairs = {"both": ((name, other), (other, name)), f"from {name}": ((name, other),)}
            return tuple(make(src, dst, v) for src, dst in pairs.get(v["way"], ((other, name),)))

        return build

    return _on_links(f"links of {name}", f"messages of {name}", each, (peer, way), levels[1])


def of_edge(name: str, there: Pairs, levels: Levels) -> tuple[Offer, ...]:
    """Faults of the links beneath an edge of a call graph, of which ``there`` carry the requests."""
    back = tuple((dst, src) for src, dst in there)
    ways = {"both": (*there, *back), "requests": there, "answers": back}
    way = Param("way", "both", choices=tuple(ways))

    def each(make: Callable[[str, str, Values], Any]) -> Callable[[Values], Outcome]:
        return lambda v: tuple(make(src, dst, v) for src, dst in ways[v["way"]])

    return _on_links(name, f"messages of {name}", each, (way,), levels[1])


def _on_links(
    links: str, messages: str, each: Each, aim: tuple[Param, ...], level: tuple[int, int]
) -> tuple[Offer, ...]:
    latency, jitter = (span // US_PER_MS for span in level)

    def ppm(v: Values) -> int:
        return int(v["share"]) * PPM_PER_PERCENT

    return (
        Offer(f"cut {links}", "they drop everything", each(lambda s, d, v: faults.Cut(s, d)), aim),
        Offer(f"mend {links}", "they work again", each(lambda s, d, v: faults.Mend(s, d)), aim),
        Offer(f"loss on {links}", "this share is lost; 0 ends it",
              each(lambda s, d, v: faults.Lose(s, d, ppm(v))), (SHARE, *aim)),
        Offer(f"latency of {links}", "a message takes this, and up to the jitter more",
              each(lambda s, d, v: faults.Slow(s, d, v["latency"] * US_PER_MS, v["jitter"] * US_PER_MS)),
              (Param("latency", latency, 0, 5_000, 15, "ms"), Param("jitter", jitter, 0, 2_000, 10, "ms"), *aim)),
        Offer(f"{messages} twice", "this share arrives twice; 0 ends it",
              each(lambda s, d, v: faults.Duplicate(s, d, ppm(v))), (SHARE, *aim)),
        Offer(f"{messages} out of order", "this share may be overtaken; 0 ends it",
              each(lambda s, d, v: faults.Reorder(s, d, ppm(v))), (SHARE, *aim)),
        Offer(f"clog {links}", "they hold messages back and lose none", each(lambda s, d, v: faults.Clog(s, d)), aim),
        Offer(f"unclog {links}", "what was held comes now", each(lambda s, d, v: faults.Unclog(s, d)), aim),
    )  # fmt: skip


# -- splits ----------------------------------------------------------------------------------------------------------


def split(groups: Iterable[Sequence[str]], help: str, title: str = "") -> Offer:
    """The network parts into these groups."""
    sides = tuple(tuple(sorted(group)) for group in groups if group)
    return Offer(title or " | ".join(names(side) for side in sides), help, lambda v: faults.Partition(sides))


def one_way(name: str, others: tuple[str, ...]) -> tuple[Offer, ...]:
    """Cuts in one direction: what no partition can be."""
    return (
        Offer(f"{name} hears nobody", "all links to it are cut, those from it work",
              lambda v: tuple(faults.Cut(each, name) for each in others)),
        Offer(f"nobody hears {name}", "all links from it are cut, those to it work",
              lambda v: tuple(faults.Cut(name, each) for each in others)),
        one_link(name, others),
    )  # fmt: skip


def one_link(name: str, others: tuple[str, ...]) -> Offer:
    """One link drops everything, in one direction."""
    to = Param("to", others[0], choices=others)
    return Offer(f"one direction from {name}", "one link drops everything", lambda v: faults.Cut(name, v["to"]), (to,))


def connect_all(ids: Iterable[str]) -> Offer:
    """No split any more."""
    everybody = tuple(ids)
    return Offer("connect all again", "no split; other faults stay",
                 lambda v: tuple(faults.Reconnect(each) for each in everybody))  # fmt: skip


def once(offers: Iterable[Offer]) -> tuple[Offer, ...]:
    """Each title once: in a small cluster two ways to split it are one."""
    return tuple({offer.title: offer for offer in offers}.values())


def around(ids: Sequence[str], name: str) -> tuple[str, ...]:
    """All of them in their order, beginning with this one."""
    start = ids.index(name)
    return (*ids[start:], *ids[:start])


# -- rules and numbers -----------------------------------------------------------------------------------------------


def of_rules(
    rules: Iterable[tuple[str, bool]], texts: Mapping[str, tuple[str, str]], command: Callable[[str, bool], Any]
) -> tuple[Offer, ...]:
    """A row for each rule with its state. ``texts``: what a rule demands, and what comes of it without."""

    def row(rule: str, on: bool) -> Offer:
        title, help = texts.get(rule, (rule.replace("_", " "), "off: see what breaks"))
        return Offer(title, help, lambda v: command(rule, not on), on=on)

    return tuple(row(rule, on) for rule, on in rules)


def settings(*offers: Offer) -> tuple[Offer, ...]:
    """Rows that show how things are: enter does nothing until a value is another, and says so."""

    def once_changed(offer: Offer) -> Offer:
        now = {param.name: param.value for param in offer.params}
        said = "it is so already: left and right choose another value"
        return replace(offer, build=lambda v: Refuse(said) if {**now, **v} == now else offer.build(v))

    return tuple(once_changed(offer) if offer.params else offer for offer in offers)


class Choice(NamedTuple):
    """A number or choice of the run that can be changed while it runs."""

    name: str
    title: str
    help: str
    choices: Iterable[Any] = ()
    """Words, or members of an ``Enum`` with words; none: it is a number."""
    low: int = 0
    high: int = 0
    step: int = 1
    unit: str = ""

    def offer(self, now: str, command: Callable[[str, str], Any]) -> Offer:
        """Its row, with the value of now. ``command``: of a name and the new value."""
        words = tuple(str(getattr(each, "value", each)) for each in self.choices)
        value = now if words else int(now)
        param = Param("value", value, self.low, self.high, self.step, self.unit, words)
        return Offer(self.title, self.help, lambda v: command(self.name, str(v["value"])), (param,))


def of_choices(
    options: Iterable[tuple[str, str]], choices: Iterable[Choice], command: Callable[[str, str], Any]
) -> tuple[Offer, ...]:
    """A row for each choice. ``options``: names and values of now."""
    now = dict(options)
    return settings(*(each.offer(now[each.name], command) for each in choices))


SWITCH: Final = ("off", "on")
SCALES: Final = {"%": PPM_PER_PERCENT, "s": US_PER_S, "ms": US_PER_MS}
"""What a step of a number is in the engine's unit, where that is one of time or a share."""


class Number(NamedTuple):
    """A number that can be changed: its row in the dialogue, its name in the engine, which ends with its unit there,
    and its bounds.
    """

    title: str
    help: str
    name: str
    param: Param

    def offer(self, now: int, build: Callable[[Values, int], Outcome], *more: Param) -> Offer:
        """Its row, with the number of now; what is only on or off is said in these words."""
        name, param = self.param.name, self.param
        scale = SCALES[param.unit] if self.name.endswith(("us", "ppm")) else 1
        switch = (param.low, param.high) == (0, 1)
        value = min(param.high, max(param.low, now if now < 0 else now // scale))
        shown = Param(name, SWITCH[value], choices=SWITCH) if switch else replace(param, value=value)

        def given(v: Values) -> Outcome:
            number = SWITCH.index(v[name]) if switch else v[name]
            return build(v, number if number < 0 else number * scale)

        return Offer(self.title, self.help, given, (shown, *more))


def of_numbers(
    table: Iterable[Number], now: Callable[[str], int], command: Callable[[Values, str, int], Outcome], *more: Param
) -> tuple[Offer, ...]:
    """A row for each number of a table. ``now``: what it is, by its name; ``command``: of values, name and number."""

    def offer(row: Number) -> Offer:
        return row.offer(now(row.name), lambda v, number: command(v, row.name, number), *more)

    return tuple(map(offer, table))
