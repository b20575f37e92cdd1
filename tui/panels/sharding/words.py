"""The journal: what happened, and why, one line an event, as a lecturer would say it.

Every kind of event has its sentence: mypy finds a ``match`` that lacks one. Numbers are said in full: not *keys move*
but *331 keys in 5 lanes*.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final, TypeAlias

from engines import units
from engines.sharding.world import events as e
from engines.sharding.world.rules import REDIRECTS_MAX
from engines.sim.events import Event
from engines.sim.rules import RuleSwitched
from tui.canvas import Ink
from tui.kit.kernel_words import KernelWords, is_kernel, tell
from tui.kit.words import names, plural
from tui.panel import Line
from tui.panels.sharding.describe import because, cause, chunk, describe, name
from tui.panels.sharding.queries import CFG, NUMBERED, colour

OWN: Final = "own"
"""Stands for the colour of the node it happened to."""
Told: TypeAlias = tuple[str, Ink]


def narrate(event: Event) -> Line:
    """Who, and what and why."""
    if is_kernel(event):
        return tell(event, WORLD)
    text, ink = _tell(event)
    if ink == OWN:
        ink = colour(event.node) if event.node[:1] == "n" and NUMBERED.fullmatch(event.node) else "client"
    return Line(who(event), text, "you" if who(event) == "you" else ink)


def _tell(event: Event) -> Told:
    what, node = event.what, event.node
    if isinstance(what, e.RequestEvent):
        return of_requests(what, node)
    if isinstance(what, e.UnitEvent):
        return of_units(what, node)
    if isinstance(what, e.PlanEvent):
        return of_plans(what)
    if isinstance(what, e.NodeEvent):
        return of_nodes(what)
    if isinstance(what, e.SettingEvent):
        return of_settings(what)
    return event.kind, "text"


def who(event: Event) -> str:
    """The node or client it happened to."""
    return "you" if isinstance(event.what, e.SettingEvent | e.ChangeOrdered) else event.node or "world"


def _keys(keys: Sequence[str]) -> str:
    """The keys of a request: one, or the first and how many more."""
    return keys[0] if len(keys) < 2 else f"{keys[0]} and {len(keys) - 1} more"


NOUNS: Final = {e.UnitKind.SLOTS: "run", e.UnitKind.CHUNK: "chunk", e.UnitKind.LANE: "lane"}
"""What a plan is cut into."""


# -- redirects -------------------------------------------------------------------------------------------------------

MEANING: Final = {
    e.Said.CROSSSLOT: "one request, one slot", e.Said.TRYAGAIN: "ask again soon",
    e.Said.CLUSTERDOWN: "better no answer than a wrong one", e.Said.NOLEASE: "somebody else may own it by now",
}  # fmt: skip


def of_requests(what: e.RequestEvent, node: str) -> Told:
    """Requests and redirects."""
    match what:
        case e.SentAway():
            return _sent_away(what, node), OWN
        case e.Asked(client=client, key=key, target=target, unit=unit):
            return f"answers {client} ASK {target}: {key} has left already, though {node} still owns {name(unit)}", OWN
        case e.Denied(client=client, key=key, target=target):
            return f"tells {client} there is no {key}: it has left for {target}, and the rule to say so is off", "bad"
        case e.Refused(client=client, keys=keys, why=why, about=about):
            said = e.SAID_BY[why]
            return f"answers {client} {said.value} for {_keys(keys)}: {because(why, about)} ({MEANING[said]})", OWN
        case e.Followed(keys=keys, asked=asked, to=to, said=said, redirects=redirects):
            count = f" ({redirects} in a row)" if redirects > 1 else ""
            if said is e.Said.MOVED:
                return f"asks {to} for {_keys(keys)}: {asked} said MOVED; it remembers that{count}", OWN
            return f"asks {to} for {_keys(keys)}, this once: {asked} said ASK; its map stays as it is{count}", OWN
        case e.OldRedirect(asked=asked, epoch=epoch, known=known):
            older = f"whose map {epoch} is older than what it knows already ({known})"
            return f"is sent on by {asked}, {older}: asks again soon", "stale"
        case e.MapCached(epoch=epoch, before=before, slots=slots):
            learned = f", and drops {plural(slots, 'slot')} it learned by MOVED" if slots else ""
            return f"caches the map of epoch {epoch} instead of {before}{learned}", OWN
        case e.NoAnswer(keys=keys, asked=asked, to=to, tries=tries):
            return f"hears nothing of {asked} for {_keys(keys)}: asks {to}, attempt {tries + 1}", "warn"
        case e.GaveUp():
            return _gave_up(what), "bad"
        case e.TooManyRedirects(keys=keys, redirects=redirects):
            return f"gives up {_keys(keys)}: {redirects} redirects in a row, {REDIRECTS_MAX} are the bound", "bad"
        case e.RequestSent(op=op, keys=keys, to=to, value=value, epoch=epoch):
            asks = f"{op} {_keys(keys)}" + (f"={value}" if op == "put" else "")
            whence = {e.BY_MOVED: "the owner by an earlier MOVED", e.BY_ROUTER: "its router", e.BY_HAND: "as told"}
            return f"{asks}: asks {to}, {whence.get(epoch, f'the owner in a map of epoch {epoch}')}", OWN
        case e.Answered():
            return _answered(what), OWN


def _sent_away(what: e.SentAway, node: str) -> str:
    slot = f"slot {what.slot}, " if what.slot >= 0 else ""
    head = f"answers {what.client} MOVED: {slot}{what.key}"
    match what.why:
        case e.MovedReason.OLD_ASK:
            return f"{head} is {what.owner}'s; the ASK it brings was given under a plan that was called off"
        case e.MovedReason.IMPORTING:
            return f"{head} is still {what.owner}'s; {node} only imports it, and was not asked with ASKING"
        case e.MovedReason.NOT_MINE:
            return f"{head} belongs to {what.owner}, as the map of epoch {what.epoch} says"


def _gave_up(what: e.GaveUp) -> str:
    if what.said is e.Said.TIMEOUT:
        why, end = f"{what.asked} does not answer", "it cannot know whether it happened"
    elif what.because is None:
        why, end = f"{what.asked} has an old map", what.said.value
    else:
        why, end = because(what.because, what.about), what.said.value
    return f"gives up {_keys(what.keys)} after {plural(what.tries, 'attempt')}: {why} ({end})"


def _answered(what: e.Answered) -> str:
    way = [f"{hop.node} {hop.said.value}" for hop in what.hops]
    row = [f"{each} x{count}" if (count := len(list(same))) > 1 else each for each, same in groupby(way)]
    told = " -> ".join(row) if len(way) > 1 else f"by {what.hops[-1].node}" if what.hops else ""
    if what.why is e.Ending.UNKNOWN:
        return f"never learns what came of {_keys(what.keys)}: {told}"
    if what.why is e.Ending.FAIL:
        return f"does not get {_keys(what.keys)}: {told}"
    values = ", ".join(f"{key}={value}" for key, value in what.values[:3])
    got = f"{values} is written" if what.op == "put" else values or f"there is no {_keys(what.keys)}"
    return f"{got}: {told}"


# -- plans -----------------------------------------------------------------------------------------------------------


def of_plans(what: e.PlanEvent) -> Told:
    """Changes of the placement, as a whole."""
    match what:
        case e.ChangeOrdered(cause=of):
            return f"orders: {cause(of)}; cfg plans it, nodes keep answering for what they have", "you"
        case e.ChangeQueued(cause=of, running=running, place=place):
            first = cause(running) if running is not None else "the newest map is on its way"
            return f"{cause(of)} has to wait: {first} first; {place} in the queue", "dim"
        case e.ChangeRefused(cause=of, message=message):
            return f"cannot do it: {cause(of)}: {message}", "warn"
        case e.PlanAnnounced(plan=number, cause=of, units=pieces, unit=unit, epoch=epoch, copies=copies):
            noun = NOUNS[unit]
            count = f" in {plural(pieces, noun)}" if pieces else ""
            keep = "; old copies stay until all has arrived" if copies else ""
            return f"plan {number}: {cause(of)}{count}, map {epoch}; nodes count what to give{keep}", "accent"
        case e.PlanCounted(cause=of, keys=keys, units=pieces):
            where = f" in {plural(pieces, 'unit')}" if keys else ""
            return f"{cause(of)}: {plural(keys, 'key')} change owner{where}, as the nodes counted them", "accent"
        case e.PlanDone(cause=of, keys=keys, took_us=took_us, epoch=epoch):
            done = f"{plural(keys, 'key')} in {units.span(took_us)}"
            return f"done: {cause(of)}; {done}, map {epoch}; MOVED corrects old ones", "good"
        case e.PlanCalledOff(plan=number, cause=of, silent=silent):
            return f"calls plan {number} off ({cause(of)}): {names(silent)} died; the old owners have all", "warn"
        case e.ChunksChanged(cause=of, at=at, chunks=chunks):
            cut = f"cut at {at}, " if at else ""
            return f"{cause(of)}: {cut}{chunks} chunks now; nothing moves", "accent"
        case e.Indivisible():
            return _indivisible(what), "warn"


def _indivisible(what: e.Indivisible) -> str:
    noun = "documents" if what.documents else "keys"
    if what.why is e.StuckReason.TOO_LARGE:
        many = f"{what.keys} {noun}, {what.limit} are the limit"
        return f"{chunk(what.low)} is jumbo: {many}, but it is one key and cannot be split"
    where = f"slot {what.slot}" if what.slot >= 0 else chunk(what.low)
    split = "a split moves it, but does not halve it (g: its cures)"
    return f"cannot cool {where}: {what.ops} requests for one key; {split}"


def of_units(what: e.UnitEvent, node: str) -> Told:
    """What changes hands at once."""
    unit = what.unit
    match what:
        case e.Importing():
            if unit.source == node:
                return f"keeps owning {name(unit)}: only its replicas change", OWN
            return f"IMPORTING {name(unit)} from {unit.source}: takes its keys, serves them to who says ASKING", OWN
        case e.Migrating(keys=keys):
            if unit.target == node:
                return f"sends {plural(keys, 'key')} that it keeps owning to their new replicas", OWN
            to = "" if unit.kind is e.UnitKind.LANE else f" to {unit.target}"
            return f"MIGRATING {name(unit)}{to}: sends {plural(keys, 'key')}, serves what is still here", OWN
        case e.KeysSent(to=receiver, keys=keys, first=first, left=left, pace=pace, kept=kept):
            end = "" if kept else "; deleted here at once, the rule is off"
            many = f"{plural(keys, 'key')} from {first} on" if keys > 1 else first
            rest = f"{left} of {name(unit)} still to go" if left else f"the last of {name(unit)}"
            return f"sends {many} to {receiver}, {rest}, at {pace} a second{end}", OWN
        case e.UnitEmptied(keys=keys):
            if unit.target == node:
                return f"has given {plural(keys, 'key')} to new replicas; it owns them as before", OWN
            given = f"all of {name(unit)} to {unit.target}: {plural(keys, 'key')}"
            return f"has given {given}; waits until cfg assigns it", OWN
        case e.UnitAssigned(keys=keys, epoch=epoch, took_us=took_us):
            gone = f"{unit.target}'s from epoch {epoch} on, no longer {unit.source}'s"
            verb = "are" if unit.last > unit.first else "is"
            return f"{name(unit)} {verb} {gone}: {plural(keys, 'key')} in {units.span(took_us)}", "accent"


# -- nodes and settings ----------------------------------------------------------------------------------------------


def of_nodes(what: e.NodeEvent) -> Told:
    """Who lives, and what nodes do about the others."""
    match what:
        case e.DeclaredDead(dead=dead, silent_us=silent_us, term=term, epoch=epoch, copies=copies, promoted=promoted):
            head = f"declares {dead} dead: no heartbeat for {units.span(silent_us)}"
            if copies:
                rest = f"; {names(promoted)} take over what it owned" if promoted else ""
                return f"{head}; term {term}{rest}", "dead"
            end = "; RF 1: nobody else has its keys" if what.uncovered else ""
            return f"{head}; epoch {epoch}{end}", "dead"
        case e.HeardAgain(back=back, epoch=epoch, keys=keys, stale=stale):
            if stale:
                missed = f"it missed writes, so it copies its {keys} keys anew before it counts"
                return f"hears {back} again: {missed}", "good"
            served = f"its {keys} keys are served again"
            return f"hears {back} again, with the map of epoch {epoch}: {served}", "good"
        case e.MapLearned(epoch=epoch, before=before):
            return f"learns map {epoch} at once; it slept through {epoch - before - 1} of them", OWN
        case e.ReplicaRefused(owner=owner, key=key, term=term, own_term=own_term):
            promoted_since = f"in term {own_term} somebody else was promoted"
            return f"refuses {owner}'s write of {key}: it is of term {term}, and {promoted_since}", "warn"
        case e.WriteWaits(client=client, key=key):
            return f"lets {client}'s write of {key} wait: the key is in the air, and lands soon", OWN


def of_settings(what: e.SettingEvent) -> Told:
    """What a person changed."""
    match what:
        case e.WorkloadSet(pattern=pattern, skew=skew, rate=rate):
            return f"workload {pattern}: {workload(pattern, skew)}; {rate} requests/s of each client", "you"
        case e.Salted(key=key, n=n) if n <= 1:
            return f"{key} is no longer salted: one key, one owner", "you"
        case e.Salted(key=key, n=n):
            return f"salts {key}: {n} copies, {key}#1 to {key}#{n}; a read takes one of them, a write all", "you"
        case RuleSwitched(rule=rule, on=on):
            return f"rule {rule.replace('_', ' ')} {'on again' if on else 'OFF'}, on every node", "warn"
        case e.BandwidthSet(keys_per_s=pace):
            return f"a node sends at most {plural(pace, 'key')} a second to their new owners", "you"
        case e.CoverageSet(on=True, reads=reads):
            end = "; reads go on" if reads else ""
            return f"full coverage on: one slot without a live owner takes the whole cluster down{end}", "you"
        case e.CoverageSet():
            return "full coverage off: where a slot has no live owner only that slot is down", "you"
        case e.BalancerSet(on=on):
            return f"the balancer is {'on' if on else 'off'}", "you"
        case e.HeatSplitSet(on=on):
            return f"splitting for heat is {'on' if on else 'off'}", "you"


def workload(pattern: str, skew: int) -> str:
    """What the clients ask for."""
    return {
        "off": "nobody asks",
        "uniform": "every key is as likely",
        "zipf": f"few keys get most requests, skew {skew / 100:.1f}",
        "monotonic": "new keys that only grow, as timestamps do: one range takes them all",
        "hot": "40 % of all requests are for one key",
    }[pattern]


# -- the world -------------------------------------------------------------------------------------------------------


def words(message: Any) -> str:
    """A message in a few words."""
    return describe(message).text


TIMERS: Final = {
    "beat": "time for a heartbeat to cfg", "move": "time to send the next keys", "tick": "cfg looks at its plan",
    "again": "sends again what replicas did not confirm", "think": "the client thinks of a key",
    "patience": "no answer: the client loses patience", "pause": "the client asks again",
}  # fmt: skip


def _crashes(node: str) -> str:
    kept = "the map and the plan stay on disk" if node == CFG else "its keys and its map stay on disk"
    return f"{kept}, nobody answers for them"


def _restarts(node: str) -> str:
    if node == CFG:
        return "restarts from disk: goes on with the plan it had written down"
    return "restarts from disk with its keys, its map and its orders; a heartbeat tells cfg"


WORLD: Final = KernelWords(
    message=words,
    crashes=_crashes,
    restarts=_restarts,
    timer=lambda name: TIMERS.get(name.rstrip("0123456789 :-"), f"its timer {name} runs out"),
    healed="links, clocks and disks; frozen nodes thaw, dead ones restart",
)
"""What the kernel's events mean to a sharded cluster."""
