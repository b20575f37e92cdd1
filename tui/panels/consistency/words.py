"""The journal: what happened, and why, one line an event; and messages in words."""

from typing import Any, Final

from engines.consistency.verdict import Why
from engines.consistency.world import events as ev
from engines.consistency.world import messages as m
from engines.rules import RuleSwitched
from engines.sim.events import Event
from engines.units import span
from tui.canvas import Ink
from tui.kit.kernel_words import KernelWords, is_kernel, tell
from tui.kit.words import names, plural
from tui.panel import Line
from tui.panels.consistency.queries import TITLES


def narrate(event: Event) -> Line:
    """Who, and what and why."""
    if is_kernel(event):
        return tell(event, WORLD)
    text, ink = _of_client(event.what)
    return Line(event.node or "world", text, "you" if event.node == "you" else ink)


PREFERENCE: Final = {
    "primary": "to the primary, or are refused",
    "primaryPreferred": "to the primary; without one, to the member the client is at",
    "secondary": "to a secondary, or are refused",
    "secondaryPreferred": "to a secondary; without one, to the primary",
    "nearest": "to the member the client is at",
}
"""Where each of MongoDB's read preferences sends a read."""


def message(each: Any) -> str:
    """A message in a few words."""
    match each:
        case m.Request(_, write, key, value, _):
            return f"request to write {key}={value}" if write else f"request to read {key}"
        case m.Reply(_, ok, _, _):
            return "answer" if ok else "refusal"
        case m.Query(_, key):
            return f"query for {key}"
        case m.Tagged(_, tag, value):
            return f"version {value} (tag {tag[0]})"
        case m.Store(_, key, _, value) | m.Put(_, key, m.Version(_, value), _):
            return f"store {key}={value}"
        case m.Put(_, key, _, _):
            return f"store siblings of {key}"
        case m.Stored() | m.PutAck():
            return "acknowledgement"
        case m.Forward(_, _, write, key, value):
            return f"{key}={value} for a place in the order" if write else f"a read of {key} for a place"
        case m.ReadHere(_, _, key):
            return f"a read of {key}, sent on by its preference"
        case m.Ordered(place, _, _):
            return f"place {place} of the order"
        case m.Missing(place):
            return f"request for everything from place {place}"
        case m.Update(_, vector, key, value, _):
            return f"update {key}={value} {vector}"
        case m.Digest(vector):
            return f"vector {vector}"
        case m.Get(_, key):
            return f"get {key}"
        case m.Got(_, key, _):
            return f"what it holds of {key}"
        case m.HandOff(key, _):
            return f"handover of {key}"
        case m.HandOffAck():
            return "thanks for a hint"
    return _other_message(each)


def _other_message(each: Any) -> str:
    match each:
        case m.Tree():
            return "Merkle tree"
        case m.Leaves(held, _, _):
            return f"leaves that differ: {plural(len(held), 'key')}"
        case m.Push(key, value):
            return f"push {key}={value}"
        case m.Beat(term, _, _, entries, _):
            return f"heartbeat of term {term}{f' with {len(entries)} of its log' if entries else ''}"
        case m.BeatAck(_, ok, place):
            return f"log agrees up to {place}" if ok else "log does not agree"
        case m.Vote(term, _, _):
            return f"request for a vote in term {term}"
        case m.VoteAck(_, granted):
            return "vote" if granted else "refusal to vote"
    return str(each)


# -- clients ---------------------------------------------------------------------------------------------------------


def did(write: bool, key: str, value: int) -> str:
    """``w x=1``, ``r x=1``."""
    return f"{'w' if write else 'r'} {key}={value}"


def _of_client(what: ev.ConsistencyEvent) -> tuple[str, Ink]:
    match what:
        case ev.Asked(write=write, key=key, value=value, replica=replica):
            whom = replica or "all replicas"
            return (f"asks {whom} to store {key}={value}" if write else f"asks {whom} for {key}"), "client"
        case ev.Answered(write=True, key=key, value=value, took_us=took):
            return f"wrote {key}={value}: acknowledged after {span(took)}", "accent"
        case ev.Answered(key=key, value=value, took_us=took, age_us=age):
            late = f": stale, it was overwritten {span(age)} before the read" if age >= 0 else ""
            return f"read {key}={value} after {span(took)}{late}", "stale" if age >= 0 else "client"
        case ev.GaveUp(write=write, key=key, value=value, why=why, failed=failed):
            return _gave_up(write, key, value, why, failed), "warn"
        case ev.Moved(replica=replica, was=was):
            return f"goes on at {replica}, was at {was}: what it saw there may not be here", "warn"
        case ev.ModelBroken():
            return _model_broken(what), "bad"
        case ev.WorkloadSet(level=level):
            return f"clients work {level} from now on", "you"
        case RuleSwitched(rule=rule, on=on):
            return f"rule {rule.replace('_', ' ')} is {'on' if on else 'off'} from now on", "good" if on else "bad"
        case ev.QuorumSet(n=n, r=r, w=w):
            meet = "quorums meet: R + W > N" if r + w > n else "quorums need not meet: R + W <= N"
            return f"N={n} R={r} W={w} from now on: {meet}", "you"
        case ev.PreferenceSet(name=name):
            return f"read preference {name}: reads go {PREFERENCE[name]}", "you"
        case ev.PresetChosen(name=name, read=read, write=write):
            return f"level {name}: reads {read}, writes {write}; a write still goes to all replicas", "you"
    return _of_replica(what)


def _gave_up(write: bool, key: str, value: int, why: ev.Outcome, failed: bool) -> str:
    what = f"write of {key}={value}" if write else f"read of {key}"
    if failed:
        return f"its {what} was refused: nothing was done"
    reason = {ev.Outcome.NO_ANSWER: "no answer", ev.Outcome.CRASHED: "it crashed", ev.Outcome.REFUSED: "refused"}[why]
    end = ": it may have happened, or may yet" if write else ""
    return f"gives its {what} up, {reason}{end}"


def _model_broken(what: ev.ModelBroken) -> str:
    named = f"{what.client} {did(what.write, what.key, what.value)}"
    return f"not {TITLES[what.model]} any more: {named} ({pattern(what.why)})"


PATTERNS: Final = {
    Why.IMPOSSIBLE_RETURN: "no order explains this return", Why.NO_WRITE_ORDER: "no order of the writes explains it",
    Why.NO_SERIAL_ORDER: "no one order for all", Why.THIN_AIR: "nobody wrote that",
    Why.WRITE_CO_INIT_READ: "WriteCOInitRead", Why.WRITE_CO_READ: "WriteCORead", Why.CYCLIC_CF: "CyclicCF",
    Why.CYCLIC_HB: "CyclicHB", Why.WRITE_HB_INIT_READ: "WriteHBInitRead",
}  # fmt: skip


def pattern(why: Why) -> str:
    """The pattern's name as one says it."""
    return PATTERNS.get(why, why.value)


# -- replicas --------------------------------------------------------------------------------------------------------


def _of_replica(what: ev.ReplicaEvent | ev.FileEvent) -> tuple[str, Ink]:
    match what:
        case ev.StoredBack(key=key, value=value):
            return f"stores {key}={value} back at a majority before it returns it", "client"
        case ev.Sequenced(place=place, key=key, value=value, client=client):
            return f"gives {client}'s {key}={value} place {place} in the one order", "leader"
        case ev.Applied(key=key, value=value, src=src):
            return f"shows {key}={value}, which came from {src}", "follower"
        case ev.Outdated(key=key, value=value, kept=kept):
            return f"keeps {key}={kept}: {key}={value} arrived with a smaller stamp", "lost"
        case ev.HeldBack(key=key, value=value, src=src, vector=vector, mine=mine):
            return f"holds {key}={value} of {src} back: it depends on {vector}, here is {mine}", "warn"
        case ev.Released(key=key, value=value, src=src):
            return f"delivers {key}={value} of {src}: what it depends on has come", "good"
        case ev.Waits(client=client, seen=seen, mine=mine):
            return f"lets {client} wait: it has seen {seen}, here is {mine}", "warn"
        case ev.Repaired(key=key, value=value, src=src, how=how):
            return f"catches up with {key}={value} from {src}, by {how.value}", "good"
        case ev.HintKept(key=key, owner=owner, counts=counts):
            return f"keeps a hint of {key} for {owner}{': it counts as an acknowledgement' if counts else ''}", "warn"
        case ev.HintDone(key=key, owner=owner):
            return f"hears that {owner} has {key} now, and deletes the hint", "good"
        case ev.TreesCompared(peer=peer, comparisons=comparisons, differing=differing):
            leaves = "leaf differs" if differing == 1 else "leaves differ"
            return f"compares Merkle trees with {peer}: {differing} {leaves}, {comparisons} comparisons", "text"
        case ev.SiblingsSeen(key=key, values=values):
            each = " ".join(map(str, values))
            return f"answers with {len(values)} siblings of {key}: {each}; the history names the last", "warn"
        case ev.Unavailable(key=key, write=write, needs=needs, alive=alive):
            asked = f"a {'write' if write else 'read'} of {key}"
            return f"refuses {asked}: {alive} of the {needs} it needs would answer; nothing is done", "bad"
        case ev.Overwritten(key=key, value=value, by=by):
            return f"{key}={value} is lost: the older {key}={by} has the larger stamp", "bad"
        case ev.Elected(term=term):
            return f"is primary of term {term}: a majority voted for it", "leader"
        case ev.SteppedDown(term=term):
            return f"is primary no more: no majority follows it; the newest term it knows is {term}", "warn"
        case ev.RolledBack(key=key, value=value, entries=entries):
            more = f" and {entries - 1} more" if entries > 1 else ""
            return f"rolls {key}={value}{more} back: the new primary never had it", "bad"
        case ev.Converged(after_us=after):
            return f"all replicas are equal, {span(after)} after the last write and fault", "good"
    return _of_file(what)


def _of_file(what: ev.FileEvent) -> tuple[str, Ink]:
    match what:
        case ev.Began(label=label):
            return f"asks: {label}", "client"
        case ev.Ended(label=label, status=status, age_us=age):
            late = f": stale, it was overwritten {span(age)} before the read" if age >= 0 else ""
            return f"{status.value}: {label}{late}", "stale" if age >= 0 else "text"
        case ev.Happened(text=text, clock=clock, heard=heard):
            heard_of = f", having heard of {names(heard)}" if heard else ""
            return f"{text or 'an event'}  {clock}{heard_of}", "text"
        case ev.VerdictFell(model=model, why=why, label=label):
            return f"{label} shows that the history is not {TITLES.get(model, model)}: {pattern(why)}", "bad"


def _timer(name: str) -> str:
    return {
        "think": "thinks of something to ask", "patience": "loses patience", "again": "asks again",
        "compare": "compares Merkle trees with the next", "handoff": "tries to hand hints over",
        "digest": "tells the others what it has delivered", "resend": "asks the sequencer for what it may lack",
        "beat": "sends heartbeats", "election": "has heard no primary for long", "agenda": "looks after what is late",
    }.get(name, f"its timer {name} runs out")  # fmt: skip


def _crashes(node: str) -> str:
    if node == "you" or node.isupper():
        return "what it had asked may still happen, and nobody is there to hear the answer"
    return "what it stored is on disk; operations in hand and suspicions are gone"


WORLD: Final = KernelWords(
    message=message,
    crashes=_crashes,
    restarts=lambda node: "restarts" if node == "you" or node.isupper() else "restarts from its disk",
    timer=_timer,
    others="replicas",
    healed="links, clocks and disks; frozen machines thaw, dead ones restart",
)
