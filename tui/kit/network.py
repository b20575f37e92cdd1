"""Faults of links, machines and clocks are the same in every pattern: how they are offered, stepped and told."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from engines.sim import faults
from engines.sim.clock import US_PER_MS, format_span
from engines.sim.world import ALL, Event
from tui.canvas import Ink
from tui.kit.words import PPM_PER_PERCENT, ms, names, percent
from tui.panel import Offer, Outcome, Param, Refuse

Say = Callable[[Event], str]

LOSS_PPM: Final = (0, 100_000, 300_000, 600_000, 1_000_000)
Levels = tuple[tuple[int, int], ...]

DELAYS_US: Final = (
    (15 * US_PER_MS, 10 * US_PER_MS),
    (45 * US_PER_MS, 30 * US_PER_MS),
    (150 * US_PER_MS, 100 * US_PER_MS),
)
"""Latency and jitter of a fresh link, three and ten times as much."""
SHARE_PPM: Final = 300_000
OFFSET_US: Final = 200 * US_PER_MS
DRIFT_PPM: Final = 200_000

MARKS: Final[dict[type, tuple[str, Ink]]] = {
    faults.Crash: ("k", "dead"), faults.Restart: ("k", "good"), faults.Drop: ("k", "lost"),
    faults.Freeze: ("z", "frozen"), faults.Thaw: ("z", "good"), faults.Isolate: ("x", "cut"),
    faults.Reconnect: ("x", "good"), faults.Cut: ("x", "cut"), faults.Mend: ("x", "good"),
    faults.Partition: ("X", "cut"), faults.Lose: ("l", "lost"), faults.Slow: ("d", "slow"),
    faults.Duplicate: ("u", "warn"), faults.Reorder: ("u", "warn"), faults.Skew: ("c", "warn"),
    faults.Clog: ("f", "slow"), faults.Unclog: ("f", "good"), faults.SlowDisk: ("f", "slow"),
    faults.Heal: ("h", "good"),
}  # fmt: skip
"""The letters that faults leave on the scrubber."""


# -- the next level of a fault ---------------------------------------------------------------------------------------


def crash(node: Any, flight: Any) -> Outcome:
    """``k``: crash the node or restart it; a selected message is dropped."""
    if flight:
        return faults.Drop(flight.id)
    return faults.Restart(node.id) if node.status == "crashed" else faults.Crash(node.id)


def freeze(node: Any, flight: Any) -> Outcome:
    """``z``: freeze the node or thaw it."""
    if flight:
        return Refuse("a message cannot freeze: k drops it, d delays its link")
    if node.status == "crashed":
        return Refuse(f"{node.id} is crashed: nothing of it runs that could freeze")
    return faults.Thaw(node.id) if node.status == "frozen" else faults.Freeze(node.id)


def cut(node: Any, flight: Any, link: Any) -> Outcome:
    """``x``: cut the node off or connect it again; with a selected message only its link, given as it is now."""
    if flight:
        return (faults.Mend if link and link.cut else faults.Cut)(flight.src, flight.dst)
    return faults.Reconnect(node.id) if node.cut_from else faults.Isolate(node.id)


def next_loss(links: Sequence[Any], pairs: Sequence[tuple[str, str]]) -> Outcome:
    """The next level of loss on these links, of which ``links`` are the changed ones."""
    now = max((link.loss_ppm for link in links), default=0)
    ppm = next((level for level in LOSS_PPM if level > now), 0)
    return tuple(faults.Lose(src, dst, ppm) for src, dst in pairs)


def next_delay(links: Sequence[Any], pairs: Sequence[tuple[str, str]], levels: Levels = DELAYS_US) -> Outcome:
    """The next level of latency."""
    now = max((link.latency_us for link in links), default=levels[0][0])
    latency, jitter = next((level for level in levels if level[0] > now), levels[0])
    return tuple(faults.Slow(src, dst, latency, jitter) for src, dst in pairs)


def next_shuffle(links: Sequence[Any], pairs: Sequence[tuple[str, str]]) -> Outcome:
    """Messages that come twice and out of order, or not."""
    ppm = 0 if any(link.duplicate_ppm or link.reorder_ppm for link in links) else SHARE_PPM
    return tuple(make(src, dst, ppm) for src, dst in pairs for make in (faults.Duplicate, faults.Reorder))


def next_skew(node: str, clock_off_us: int, drift_ppm: int) -> faults.Skew:
    """The next thing that can be wrong with a clock: a jump, fast, slow, nothing."""
    if drift_ppm < 0:
        return faults.Skew(node, 0, 0)
    if drift_ppm > 0:
        return faults.Skew(node, 0, -DRIFT_PPM)
    return faults.Skew(node, 0, DRIFT_PPM) if clock_off_us else faults.Skew(node, OFFSET_US, 0)


# -- all of them, with parameters ------------------------------------------------------------------------------------


def of_machine(name: str, status: str, kept: str, restarted: str) -> tuple[Offer, ...]:
    """Crash or restart, freeze or thaw, clock and disk. ``kept`` and ``restarted``: what either means here."""
    crash = (
        Offer(f"restart {name}", restarted, lambda v: faults.Restart(name))
        if status == "crashed"
        else Offer(f"crash {name}", kept, lambda v: faults.Crash(name))
    )
    freeze = (
        Offer(f"thaw {name}", "what waited happens now", lambda v: faults.Thaw(name))
        if status == "frozen"
        else Offer(f"freeze {name}", "it keeps everything and does nothing", lambda v: faults.Freeze(name))
    )
    return (
        crash,
        freeze,
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


def of_links(name: str, others: tuple[str, ...], levels: Levels = DELAYS_US) -> tuple[Offer, ...]:
    """Faults of the links of a node: with one other, or with all."""
    peer = Param("peer", "all", choices=("all", *others))
    way = Param("way", "both", choices=("both", f"from {name}", f"to {name}"))

    def each(make: Any) -> Any:
        def build(v: Mapping[str, Any]) -> Outcome:
            other = ALL if v["peer"] == "all" else v["peer"]
            pairs = {"both": ((name, other), (other, name)), f"from {name}": ((name, other),)}
            return tuple(make(src, dst, v) for src, dst in pairs.get(v["way"], ((other, name),)))

        return build

    latency, jitter = (span // US_PER_MS for span in levels[1])
    share = Param("share", 30, 0, 100, 10, "%")

    def ppm(v: Mapping[str, Any]) -> int:
        return int(v["share"]) * PPM_PER_PERCENT

    return (
        Offer(f"cut links of {name}", "they drop everything", each(lambda s, d, v: faults.Cut(s, d)), (peer, way)),
        Offer(f"mend links of {name}", "they work again", each(lambda s, d, v: faults.Mend(s, d)), (peer, way)),
        Offer(f"loss on links of {name}", "this share is lost; 0 ends it",
              each(lambda s, d, v: faults.Lose(s, d, ppm(v))), (share, peer, way)),
        Offer(f"latency of links of {name}", "a message takes this, and up to the jitter more",
              each(lambda s, d, v: faults.Slow(s, d, v["latency"] * US_PER_MS, v["jitter"] * US_PER_MS)),
              (Param("latency", latency, 0, 2_000, 15, "ms"), Param("jitter", jitter, 0, 2_000, 10, "ms"), peer, way)),
        Offer(f"messages of {name} twice", "this share arrives twice; 0 ends it",
              each(lambda s, d, v: faults.Duplicate(s, d, ppm(v))), (share, peer, way)),
        Offer(f"messages of {name} out of order", "this share may be overtaken; 0 ends it",
              each(lambda s, d, v: faults.Reorder(s, d, ppm(v))), (share, peer, way)),
        Offer(f"clog links of {name}", "they hold messages back and lose none",
              each(lambda s, d, v: faults.Clog(s, d)), (peer, way)),
        Offer(f"unclog links of {name}", "what was held comes now",
              each(lambda s, d, v: faults.Unclog(s, d)), (peer, way)),
    )  # fmt: skip


HEAL: Final = Offer(
    "heal everything", "links, clocks and disks; frozen servers thaw, dead ones restart", lambda v: faults.Heal()
)


# -- as they are told ------------------------------------------------------------------------------------------------


def fixed(text: str) -> Say:
    """A sentence without numbers."""
    return lambda e: text


def lost(words: Callable[[Any], str]) -> Say:
    """A message that was lost, and why; ``words`` says what a message is."""

    def say(e: Event) -> str:
        reasons = {
            "cut": f"the link {e.peer}>{e.node} is cut",
            "loss": f"the link {e.peer}>{e.node} drops {percent(e.get('loss_ppm', 0))} of its messages",
            "crashed": f"{e.node} is crashed",
            "overflow": f"{e.node} is frozen, and its buffer is full",
            "dropped": "you dropped it",
        }
        rest = "; more of the kind are lost in silence" if e.why in ("cut", "crashed") and e.kind == "lost" else ""
        return f"{words(e.message)} lost: {reasons.get(e.why, e.why)}{rest}"

    return say


def _thaw(e: Event) -> str:
    return f"thaws: {e.get('waited', 0)} messages and timers waited and happen now; it does not know that time passed"


def _partition(e: Event) -> str:
    return "the network splits: " + " | ".join(names(side) for side in e.get("sides", ()))


def _lose(e: Event) -> str:
    ppm = e.get("ppm", 0)
    return f"this link now loses {percent(ppm)} of its messages" if ppm else "this link loses nothing any more"


def _slow(e: Event) -> str:
    latency, jitter = e.get("latency_us", 0), e.get("jitter_us", 0)
    return f"a message now takes {ms(latency)} to {ms(latency + jitter)} on this link"


def _share(what: str) -> Say:
    def say(e: Event) -> str:
        return f"{percent(e.get('ppm', 0))} of the messages on this link now {what}"

    return say


def _skew(e: Event) -> str:
    offset, drift = e.get("offset_us", 0), e.get("drift_ppm", 0)
    if not offset and not drift:
        return "its clock is right again"
    parts = [f"jumps by {format_span(offset)}"] if offset else []
    parts += [f"runs {abs(drift) // 10_000} % too {'fast' if drift > 0 else 'slow'}"] if drift else []
    return f"its clock {' and '.join(parts)}: its timeouts move with it"


def _slow_disk(e: Event) -> str:
    fsync = e.get("fsync_us", 0)
    return (
        f"a disk sync takes {ms(fsync)} now: a crash before it ends loses the write"
        if fsync
        else "its disk is fast again"
    )


def _expire_timers(e: Event) -> str:
    nodes = e.get("nodes", ())
    if not nodes:
        return f"no {e.why} timer was running"
    return f"the {e.why} timer{'s' if len(nodes) > 1 else ''} of {names(nodes)} will run out in {ms(e.get('in_us', 0))}"


TOLD: Final[dict[str, tuple[Say, Ink]]] = {
    "synced": (fixed("its writes are on disk: the messages that waited for that leave now"), "dim"),
    "freeze": (fixed("freezes: it keeps everything and does nothing; messages and timers wait for it"), "frozen"),
    "thaw": (_thaw, "frozen"),
    "isolate": (fixed("is cut off from all other servers, in both directions"), "cut"),
    "reconnect": (fixed("is connected to all other servers again"), "good"),
    "partition": (_partition, "cut"),
    "cut": (fixed("this link drops everything in this direction"), "cut"),
    "mend": (fixed("this link carries messages again"), "good"),
    "lose": (_lose, "lost"),
    "slow": (_slow, "slow"),
    "duplicate": (_share("arrive twice"), "warn"),
    "reorder": (_share("may be overtaken by later ones"), "warn"),
    "clog": (fixed("this link holds its messages back and loses none"), "slow"),
    "unclog": (fixed("this link lets go of what it held back"), "good"),
    "skew": (_skew, "warn"),
    "slow_disk": (_slow_disk, "slow"),
    "drop_missed": (fixed("nothing to drop: the message had arrived already"), "dim"),
    "expire_timers": (_expire_timers, "accent"),
    "heal": (fixed("everything is healed: links, clocks and disks; frozen servers thaw, dead ones restart"), "good"),
    "cue": (lambda e: e.why, "accent"),
}  # fmt: skip
"""Events of the world that mean the same whatever runs in it."""
