"""Explanations at length: the rule behind an event, and what a promise demands."""

from typing import Any, Final

from engines.consistency.explain import SENSES, sentence, witness_lines
from engines.consistency.world import events as ev
from engines.consistency.world.checks import DEMANDS
from engines.consistency.world.snapshot import Snapshot
from engines.rules import RuleSwitched
from engines.sim.events import Event
from tui.kit import explain as kit
from tui.panels.consistency.queries import full, model_of, whole

_FAULT: Final = (
    "A crash loses what was in memory, a freeze only time, a cut only messages. To the others all three are silence: "
    "that is why a client that hears nothing knows nothing.",
)
LESSONS: Final[dict[str, tuple[str, ...]]] = {
    "operation": (
        "An operation begins when the client asks and ends when it is answered. Somewhere between it took effect. What "
        "no client sees does not count: all verdicts come from these intervals and values alone.",
    ),
    "stale": (
        "A read is stale if its value had been overwritten, by a write that was over before the read began. Nothing "
        "but linearizability and the regular register forbids that.",
        "How often: with R answers, W acknowledgements and nothing propagated, C(N-W,R) of C(N,R) reads miss the "
        "newest write. With R + W > N none.",
    ),
    "unknown": (
        "No answer is not a failure: the write may have happened, may still be on its way, or never happen. Every "
        "judge keeps it open for ever; to drop it would invent reads out of thin air.",
    ),
    "moved": (
        "A session is a client's own thread of operations. Its guarantees (read your writes, monotonic reads and "
        "writes, writes follow reads) come for nothing as long as it stays with one replica. Moving, it must carry "
        "what it has seen: a vector the next replica can wait for (Terry and others, 1994).",
    ),
    "abd": (
        "The register of Attiya, Bar-Noy and Dolev, for several writers: ask a majority which versions there are, then "
        "store at a majority. A read does both rounds too: it stores what it will return, so that every later read "
        "meets it. 4 messages per replica and operation, and no waiting for anybody in particular.",
    ),
    "order": (
        "One sequencer gives every write a place; every replica delivers places in order. All go through the same "
        "states, each in its own time: sequentially consistent, and reads cost nothing. Only real time is lost: a "
        "replica may be behind.",
    ),
    "causal": (
        "Each update carries a vector: what its writer had seen. A replica delivers it when it has seen all that, too: "
        "V[src] = L[src] + 1, and V[j] <= L[j] for the others. So no reply is shown before its question.",
        "Which of two concurrent writes stays is another matter: the larger hybrid time everywhere (causal "
        "convergence), or whatever came last (then replicas may differ for ever).",
    ),
    "lww": (
        "Last writer wins: of two versions the larger timestamp stays, and the other is gone without a word. If clocks "
        "disagree, the last may be the first. Hybrid logical clocks never fall behind what they have heard of.",
    ),
    "repair": (
        "Three ways to become equal again. A hint repairs what a living coordinator saw fail, if the coordinator "
        "lives. Read repair repairs what is read, at the replicas that were asked. Merkle trees find everything: "
        "equal trees cost one comparison, one different leaf of eight costs seven.",
    ),
    "quorum": (
        "R + W > N: every read's replicas and every acknowledged write's share one. That is overlap, not "
        "linearizability: a write in flight is seen by one read and missed by the next.",
        "A sloppy quorum counts stand-ins: W machines have the write, but perhaps none of those that are asked.",
    ),
    "siblings": (
        "Dots name each put: server and number. A put replaces exactly what its client had read, and stays beside "
        "everything else. With one vector per value a put would also cover what the client never saw.",
    ),
    "broken": (
        "The judges read what clients saw, from the beginning. A model is broken for good: no later event can mend a "
        "history. n walks the models; the operations that show it are lit.",
    ),
    "primary": (
        "One primary takes the writes and the others copy its log; a majority elects another when it falls silent. "
        "What only the old primary had is rolled back when it returns. w: majority acknowledges later, and nothing "
        "that it acknowledged is lost. Read preference is routing; read concern decides what a read may return.",
    ),
    "preference": (
        "A read preference says where a read goes: primary, primaryPreferred, secondary, secondaryPreferred, nearest. "
        "It is routing and guarantees nothing; read concern and write concern do (b).",
        "Reading at secondaries spreads the load and shows the past: a client may not see what it has just written. "
        "Inside a causal session MongoDB makes it wait instead.",
    ),
    "clocks": (
        "A host counts its own events, and a message carries the clock of its sender; on receipt the larger of each "
        "entry is kept. One event was before another if no entry of its clock is larger. If neither is, they are "
        "concurrent: nothing of one can have been known to the other.",
        "The log has no time, so the columns count events, in an order that is true to the clocks. Left and right "
        "walk the events of a host; the marks say how the others stand to the selected one.",
    ),
    "converged": (
        "Eventual consistency is a promise about the end: when writes stop and the net is whole, all replicas become "
        "equal. It says nothing about when, and no finite history breaks it.",
    ),
    "crash": _FAULT,
    "fault": _FAULT,
    "network": ("Messages may be late, lost, doubled or out of order. No design here assumes otherwise.",),
    "clock": (
        "Designs that order writes by clocks inherit their errors. Tags of ABD and vectors count events instead, and "
        "do not mind.",
    ),
    "rule": ("A rule shows what it is for when it is off. The dialogue (b) says what each keeps, found by search.",),
    "lecture": ("What the lecturer says at this point of the story.",),
}  # fmt: skip

OF_KIND: Final[dict[type, str]] = {
    ev.Asked: "operation", ev.Answered: "operation", ev.GaveUp: "unknown", ev.Moved: "moved", ev.StoredBack: "abd",
    ev.Sequenced: "order", ev.Applied: "operation", ev.Outdated: "lww", ev.HeldBack: "causal", ev.Released: "causal",
    ev.Waits: "moved", ev.Repaired: "repair", ev.HintKept: "repair", ev.HintDone: "repair", ev.TreesCompared: "repair",
    ev.SiblingsSeen: "siblings", ev.Unavailable: "quorum", ev.Overwritten: "lww", ev.Elected: "primary",
    ev.SteppedDown: "primary", ev.RolledBack: "primary", ev.ModelBroken: "broken", ev.Converged: "converged",
    ev.QuorumSet: "quorum", ev.Began: "operation", ev.Happened: "clocks", ev.Ended: "operation",
    ev.VerdictFell: "broken", ev.PresetChosen: "quorum", ev.PreferenceSet: "preference",
    ev.WorkloadSet: "operation", RuleSwitched: "rule",
    **kit.OF_KERNEL,
}  # fmt: skip

IF_BROKEN: Final = {
    "linearizable": "Somebody saw a new value, and somebody later an old one, or a value was never in order with time.",
    "sequential": "Then there is no single story that all clients agree on.",
    "causal": "An answer ignores what comes before it: an effect without its cause.",
    "ccv": "Then replicas, or readers, disagree for ever about who wrote last.",
    "overlap": "Stand-ins, or fewer than R or W replicas, answered: freshness was the price.",
    "no lost write": "The client was told that it is done, and it is gone.",
    "converged": "A repair path is missing: nobody tells the replica that lags.",
    "no thin air": "A value without a writer is a bug of the store.",
}


def explain(snapshot: Snapshot, event: Event) -> tuple[str, ...]:
    """The lesson behind it. Paragraphs."""
    what: Any = event.what
    if isinstance(what, ev.Answered) and what.age_us >= 0:
        return LESSONS["stale"]
    if isinstance(what, ev.ModelBroken | ev.VerdictFell):
        return (*_witness(snapshot, what.model), *LESSONS["broken"])
    return LESSONS[OF_KIND.get(type(what), "network")]


def _witness(snapshot: Snapshot, name: str) -> tuple[str, ...]:
    model = model_of(snapshot, name)
    if model is None or not model.verdict.broken or not whole(snapshot):
        return (f"{name}: {SENSES[name]}.",)
    history = full(snapshot)
    said = sentence(model.verdict, history)
    return (f"{name}: {SENSES[name]}.", f"{said}.", *witness_lines(model.verdict, history))


explain_check: Final = kit.checks(DEMANDS, IF_BROKEN)
"""What the promise demands; if it failed, who saw what and which rule is missing. Paragraphs."""
