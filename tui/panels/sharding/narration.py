"""The journal: what happened, and why, one line an event, as a lecturer would say it.

Every kind of event that the world, the machines and the clients record has its sentence here; a test compares the
table with their sources. Numbers are said in full: not *keys move* but *331 keys in 5 lanes*.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

from engines.sharding.world.rules import REDIRECTS_MAX
from engines.sharding.world.words import describe
from engines.sim.world import Event
from tui.canvas import Ink
from tui.kit.network import TOLD, Say, fixed, lost
from tui.kit.words import ms, names, plural
from tui.panel import Line
from tui.panels.sharding.facts import NUMBERED, colour

OWN: Final = "own"
"""Stands for the colour of the node it happened to."""


def narrate(event: Event) -> Line:
    """Who, and what and why."""
    say, ink = TABLE.get(event.kind, (_unknown, "text"))
    if ink == OWN:
        ink = colour(event.node) if event.node[:1] == "n" and NUMBERED.fullmatch(event.node) else "client"
    return Line(who(event), say(event), "you" if who(event) == "you" else ink)


def who(event: Event) -> str:
    """The node or client it happened to; of a message or link both ends."""
    if event.kind in BY_YOU:
        return "you"
    if event.peer and event.kind not in ("isolate", "reconnect"):
        return f"{_all(event.peer)}>{_all(event.node)}"
    return event.node or ("note" if event.kind == "cue" else "world")


def _all(node: str) -> str:
    return "all" if node == "*" else node


def _unknown(event: Event) -> str:
    return f"{event.kind}: {event.why}" if event.why else event.kind


def words(message: Any) -> str:
    """A message in a few words."""
    try:
        return describe(message)[1]
    except AssertionError:
        return "message"


def _keys(e: Event) -> str:
    """The keys of a request: one, or the first and how many more."""
    keys = e.get("keys", ()) or (e.get("key", "a key"),)
    return keys[0] if len(keys) < 2 else f"{keys[0]} and {len(keys) - 1} more"


def _slot(e: Event) -> str:
    slot = e.get("slot", -1)
    return f"slot {slot}, " if isinstance(slot, int) and slot >= 0 else ""


# -- redirects -------------------------------------------------------------------------------------------------------


def _moved(e: Event) -> str:
    if e.why == "old_ask":
        return (
            f"answers {e.get('client')} MOVED: {_slot(e)}{_keys(e)} is {e.get('owner')}'s; the ASK it brings was given "
            "under a plan that was called off"
        )
    if e.why == "importing":
        return (
            f"answers {e.get('client')} MOVED: {_slot(e)}{_keys(e)} is still {e.get('owner')}'s; "
            f"{e.node} only imports it, and was not asked with ASKING"
        )
    return (
        f"answers {e.get('client')} MOVED: {_slot(e)}{_keys(e)} belongs to {e.get('owner')}, "
        f"as the map of epoch {e.get('epoch')} says"
    )


def _ask_redirect(e: Event) -> str:
    return (
        f"answers {e.get('client')} ASK {e.get('target')}: {e.get('key')} has left already, "
        f"though {e.node} still owns {_unit(e)}"
    )


def _denied(e: Event) -> str:
    return (
        f"tells {e.get('client')} there is no {e.get('key')}: it has left for {e.get('target')}, "
        "and the rule to say so is off"
    )


def _follow(e: Event) -> str:
    count = f" ({e.get('redirects')} in a row)" if e.get("redirects", 1) > 1 else ""
    if e.why == "MOVED":
        return f"asks {e.get('to')} for {_keys(e)}: {e.get('asked')} said MOVED; it remembers that{count}"
    return f"asks {e.get('to')} for {_keys(e)}, this once: {e.get('asked')} said ASK; its map stays as it is{count}"


def _old_redirect(e: Event) -> str:
    return (
        f"is sent on by {e.get('asked')}, whose map {e.get('epoch')} is older than what it knows already "
        f"({e.get('known')}): asks again soon"
    )


def _refused(e: Event) -> str:
    meaning = {
        "CROSSSLOT": "one request, one slot", "TRYAGAIN": "ask again soon",
        "CLUSTERDOWN": "better no answer than a wrong one", "NOLEASE": "somebody else may own it by now",
    }  # fmt: skip
    end = f" ({meaning[e.why]})" if e.why in meaning else ""
    return f"answers {e.get('client')} {e.why} for {_keys(e)}: {e.get('because')}{end}"


def _map_cached(e: Event) -> str:
    slots = e.get("slots", 0)
    learned = f", and drops {plural(slots, 'slot')} it learned by MOVED" if slots else ""
    return f"caches the map of epoch {e.get('epoch')} instead of {e.get('before')}{learned}"


def _no_answer(e: Event) -> str:
    return f"hears nothing of {e.get('asked')} for {_keys(e)}: asks {e.get('to')}, attempt {e.get('tries', 0) + 1}"


def _failed(e: Event) -> str:
    end = "it cannot know whether it happened" if e.why == "timeout" else e.why
    return f"gives up {_keys(e)} after {plural(e.get('tries', 0), 'attempt')}: {e.get('because')} ({end})"


def _too_many(e: Event) -> str:
    return f"gives up {_keys(e)}: {e.get('redirects')} redirects in a row, {REDIRECTS_MAX} are the bound"


def _ask(e: Event) -> str:
    what = f"{e.why} {_keys(e)}" + (f"={e.get('value')}" if e.why == "put" else "")
    return f"{what}: asks {e.get('node')}, the owner in a map of epoch {e.get('epoch')}"


def in_a_row(way: Sequence[str]) -> list[str]:
    """The stations of a way, equal ones that follow each other once: ``n1 TRYAGAIN x8``."""
    return [f"{each} x{count}" if (count := len(list(group))) > 1 else each for each, group in groupby(way)]


def _answered(e: Event) -> str:
    way = e.get("answers", ())
    told = " > ".join(in_a_row(way)) if len(way) > 1 else f"by {e.get('node')}"
    if e.why == "unknown":
        return f"never learns what came of {_keys(e)}: {told}"
    if e.why != "ok":
        return f"does not get {_keys(e)}: {told}"
    values = ", ".join(f"{key}={value}" for key, value in e.get("values", ())[:3])
    what = f"{values} is written" if e.get("op") == "put" else values or f"there is no {_keys(e)}"
    return f"{what}: {told}"


# -- plans -----------------------------------------------------------------------------------------------------------


def _order(e: Event) -> str:
    return f"orders: {e.why}; cfg plans it, nodes keep answering for what they have"


def _unit(e: Event) -> str:
    return _unit_name(e.get("unit", ""))


def _unit_name(unit: str) -> str:
    return f"lane {unit}" if ">" in unit else unit or "it"


def _plan(e: Event) -> str:
    units = e.get("units", 0)
    kind = {"slots": "run", "chunk": "chunk"}.get(e.get("unit", ""), "lane")
    count = f" in {plural(units, kind)}" if units else ""
    copies = "; old copies stay until all has arrived" if e.get("copies") else ""
    return f"plan {e.get('plan')}: {e.why}{count}, map {e.get('epoch')}; nodes count what to give{copies}"


def _counted(e: Event) -> str:
    where = f" in {plural(e.get('units', 0), 'unit')}" if e.get("keys") else ""
    return f"{e.get('cause')}: {plural(e.get('keys', 0), 'key')} change owner{where}, as the nodes counted them"


def _queued(e: Event) -> str:
    return f"{e.get('change')} has to wait: {e.why} first; {e.get('place')} in the queue"


def _change_refused(e: Event) -> str:
    return f"cannot do it: {e.get('change')}: {e.why}"


def _importing(e: Event) -> str:
    if e.get("source") == e.node:
        return f"keeps owning {_unit(e)}: only its replicas change"
    return f"IMPORTING {_unit(e)} from {e.get('source')}: takes its keys, serves them to who says ASKING"


def _migrating(e: Event) -> str:
    keys = plural(e.get("keys", 0), "key")
    if e.get("target") == e.node:
        return f"sends {keys} that it keeps owning to their new replicas"
    to = "" if ">" in e.get("unit", "") else f" to {e.get('target')}"
    return f"MIGRATING {_unit(e)}{to}: sends {keys}, serves what is still here"


def _keys_sent(e: Event) -> str:
    kept = "; deleted here at once, the rule is off" if e.why == "not_kept" else ""
    first = e.get("first", "")
    many = f"{plural(e.get('keys', 0), 'key')} from {first} on" if e.get("keys", 0) > 1 else first
    return f"sends {many} to {e.get('to')}, {e.get('left')} left, at {e.get('pace')} a second{kept}"


def _unit_empty(e: Event) -> str:
    keys = plural(e.get("keys", 0), "key")
    if e.get("target") == e.node:
        return f"has given {keys} to new replicas; it owns them as before"
    return f"has given all of {_unit(e)} to {e.get('target')}: {keys}; waits until cfg assigns it"


def _assigned(e: Event) -> str:
    keys = plural(e.get("keys", 0), "key")
    return (
        f"{_unit(e)} is {e.get('target')}'s from epoch {e.get('epoch')} on, no longer {e.get('source')}'s: "
        f"{keys} in {ms(e.get('took_us', 0))}"
    )


def _plan_done(e: Event) -> str:
    return (
        f"done: {e.why}; {plural(e.get('keys', 0), 'key')} in {ms(e.get('took_us', 0))}, "
        f"map {e.get('epoch')}; MOVED corrects old ones"
    )


def _plan_off(e: Event) -> str:
    return (
        f"calls plan {e.get('plan')} off ({e.get('cause')}): {names(e.get('nodes', ()))} died; the old owners have all"
    )


def _split(e: Event) -> str:
    return f"{e.why}: cut at {e.get('at')}, {e.get('chunks')} chunks now; nothing moves"


def _merge(e: Event) -> str:
    return f"{e.why}: {e.get('chunks')} chunks now; nothing moves"


def _jumbo(e: Event) -> str:
    return (
        f"chunk {e.get('chunk')} is jumbo: {e.get('keys')} {e.get('noun', 'keys')}, {e.get('limit')} are the limit, "
        "but it is one key and cannot be split"
    )


def _heat_stuck(e: Event) -> str:
    what = e.get("chunk", "")
    what = what if what.startswith("slot") else f"chunk {what}"
    return f"cannot cool {what}: {e.get('ops')} requests for one key; a split moves it, but does not halve it (see o)"


# -- who lives -------------------------------------------------------------------------------------------------------


def _dead(e: Event) -> str:
    head = f"declares {e.get('peer')} dead: no heartbeat for {ms(e.get('silent_us', 0))}"
    if e.get("copies"):
        promoted = e.get("promoted", ())
        rest = f"; {names(promoted)} take over what it owned" if promoted else ""
        return f"{head}; term {e.get('term')}{rest}"
    end = "; RF 1: nobody else has its keys" if e.get("uncovered") else ""
    return f"{head}; epoch {e.get('epoch')}{end}"


def _alive(e: Event) -> str:
    head = f"hears {e.get('peer')} again"
    if e.why == "stale":
        return f"{head}: it missed writes, so it copies its {e.get('keys')} keys anew before it counts"
    return f"{head}, with the map of epoch {e.get('epoch')}: its {e.get('keys')} keys are served again"


def _map_learned(e: Event) -> str:
    return f"learns map {e.get('epoch')} at once; it slept through {e.get('epoch', 0) - e.get('before', 0) - 1} of them"


def _replica_refused(e: Event) -> str:
    return (
        f"refuses {e.get('owner')}'s write of {e.get('key')}: it is of term {e.get('term')}, "
        f"and in term {e.get('own_term')} somebody else was promoted"
    )


def _write_waits(e: Event) -> str:
    return f"lets {e.get('client')}'s write of {e.get('key')} wait: the key is in the air, and lands soon"


# -- settings --------------------------------------------------------------------------------------------------------


def _workload(e: Event) -> str:
    meaning = {
        "off": "nobody asks",
        "uniform": "every key is as likely",
        "zipf": f"few keys get most requests, skew {e.get('skew', 0) / 100:.1f}",
        "monotonic": "new keys that only grow, as timestamps do: one range takes them all",
        "hot": "40 % of all requests are for one key",
    }
    return f"workload {e.why}: {meaning.get(e.why, '')}; {e.get('rate')} requests/s of each client"


def _salt(e: Event) -> str:
    if e.get("n", 1) <= 1:
        return f"{e.why} is no longer salted: one key, one owner"
    return (
        f"salts {e.why}: {e.get('n')} copies, {e.why}#1 to {e.why}#{e.get('n')}; a read takes one of them, a write all"
    )


def _rule(e: Event) -> str:
    return f"rule {e.why.replace('_', ' ')} {'on again' if e.get('on') else 'OFF'}, on every node"


def _bandwidth(e: Event) -> str:
    return f"a node sends at most {e.get('keys_per_s')} keys a second to their new owners"


def _full_coverage(e: Event) -> str:
    if e.get("on"):
        reads = "; reads go on" if e.get("reads") else ""
        return f"full coverage on: one slot without a live owner takes the whole cluster down{reads}"
    return "full coverage off: where a slot has no live owner only that slot is down"


def _switch(what: str) -> Say:
    return lambda e: f"{what} {'on' if e.get('on') else 'off'}"


# -- the world -------------------------------------------------------------------------------------------------------


def _deliver(e: Event) -> str:
    return f"{words(e.message)} arrives"


def _wait(e: Event) -> str:
    return f"{words(e.message)} waits: {e.node} is frozen"


def _timer(e: Event) -> str:
    meaning = {
        "beat": "time for a heartbeat to cfg", "move": "time to send the next keys", "tick": "cfg looks at its plan",
        "again": "sends again what replicas did not confirm", "think": "the client thinks of a key",
    }  # fmt: skip
    if e.why.startswith("patience"):
        return "no answer: the client loses patience"
    if e.why.startswith("pause"):
        return "the client asks again"
    return meaning.get(e.why, f"its timer {e.why} runs out")


def _crash(e: Event) -> str:
    unsynced, unsent = e.get("lost_writes", 0), e.get("unsent", 0)
    extra = f"; {plural(unsynced, 'unsynced write')} lost" if unsynced else ""
    extra += f"; {plural(unsent, 'message')} never left" if unsent else ""
    kept = "the map and the plan stay on disk" if e.node == "cfg" else "its keys and its map stay on disk"
    return f"crashes: {kept}, nobody answers for them{extra}"


def _restart(e: Event) -> str:
    if e.node == "cfg":
        return "restarts from disk: goes on with the plan it had written down"
    return "restarts from disk with its keys, its map and its orders; a heartbeat tells cfg"


TABLE: Final[dict[str, tuple[Say, Ink]]] = {
    **TOLD,
    "moved": (_moved, OWN), "ask_redirect": (_ask_redirect, OWN), "denied": (_denied, "bad"), "follow": (_follow, OWN),
    "old_redirect": (_old_redirect, "stale"),
    "refused": (_refused, OWN), "map_cached": (_map_cached, OWN), "no_answer": (_no_answer, "warn"),
    "failed": (_failed, "bad"), "too_many_redirects": (_too_many, "bad"), "ask": (_ask, OWN),
    "answered": (_answered, OWN),
    "order": (_order, "you"), "plan": (_plan, "accent"), "counted": (_counted, "accent"), "queued": (_queued, "dim"),
    "change_refused": (_change_refused, "warn"), "importing": (_importing, OWN), "migrating": (_migrating, OWN),
    "keys_sent": (_keys_sent, OWN), "unit_empty": (_unit_empty, OWN), "assigned": (_assigned, "accent"),
    "plan_done": (_plan_done, "good"), "plan_off": (_plan_off, "warn"), "split": (_split, "accent"),
    "merge": (_merge, "accent"), "jumbo": (_jumbo, "warn"), "heat_stuck": (_heat_stuck, "warn"),
    "dead": (_dead, "dead"), "alive": (_alive, "good"), "map_learned": (_map_learned, OWN),
    "replica_refused": (_replica_refused, "warn"), "write_waits": (_write_waits, OWN),
    "workload": (_workload, "you"), "salt": (_salt, "you"), "rule": (_rule, "warn"), "bandwidth": (_bandwidth, "you"),
    "full_coverage": (_full_coverage, "you"), "balancer": (_switch("the balancer is"), "you"),
    "split_for_heat": (_switch("splitting for heat is"), "you"),
    "deliver": (_deliver, "dim"), "wait": (_wait, "frozen"), "lost": (lost(words), "lost"),
    "lost_again": (lost(words), "lost"), "timer": (_timer, "dim"), "crash": (_crash, "dead"),
    "restart": (_restart, "good"),
    "heal": (fixed("everything is healed: links, clocks and disks; frozen nodes thaw, dead ones restart"), "good"),
}  # fmt: skip
"""Every kind of event: how it is said, and the ink of the name before it."""

BY_YOU: Final = frozenset({
    "order", "workload", "salt", "rule", "bandwidth", "full_coverage", "balancer", "split_for_heat",
})  # fmt: skip
"""What a person asked for; it may be done elsewhere."""
