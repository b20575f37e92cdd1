"""Why: the rule behind an event or a check, why it exists, what would go wrong without it, and where it is written."""

from typing import Final, get_args

from engines.sharding.world import events as e
from engines.sharding.world.checks import COPIES, DEMANDS, EXEMPT, NECESSARY, ONE_OWNER, REDIRECTS, WRITES
from engines.sharding.world.snapshot import Snapshot
from engines.sim import events as k
from engines.sim.events import Event
from engines.sim.pattern import Check
from engines.sim.rules import RuleSwitched
from tui.kit import explain as kit

LESSONS: Final[dict[str, tuple[str, ...]]] = {
    "moved": (
        "Rule: whoever is asked for a key it does not own names the owner. The client remembers that, asks there, and "
        "will ask there from now on.",
        "Why: no client has to know the map in advance, and none has to be told of a change. Wrong maps cost one "
        "round trip and are corrected where they are used.",
        "A target that only imports still answers MOVED to the source: the unit is not its own yet.",
        "Source: Redis Cluster specification, MOVED redirection.",
    ),
    "ask": (
        "Rule: while a unit migrates, its source answers for the keys it still has, and ASK for those that have left. "
        "The client asks the target once, saying ASKING, and changes nothing in its map.",
        "Why not MOVED: half of the unit is still at the source. A client that learned the target would be sent back "
        "for every other key.",
        "Without ASK the source could only say that there is no such key: a lie that a client would believe. Switch "
        "ask redirects off with b to hear it.",
        "Source: Redis Cluster specification, ASK redirection.",
    ),
    "follow": (
        "Rule: MOVED teaches, ASK does not. A client follows both; in slots it learns one slot at a "
        "time and fetches the whole map after every fifth, elsewhere the newer map comes with the MOVED.",
        "Why a bound on redirects: every MOVED names a node that knows of its ownership, so epochs grow along a chain, "
        "and a long chain means that something is wrong.",
        "Source: Redis Cluster specification; redis-py, reinitialize_steps.",
    ),
    "refused": (
        "CROSSSLOT: the keys of one request lie in different slots; a hash tag, {user1000}.cart, puts them in one. "
        "TRYAGAIN: some of them have left and some have not: soon they will be together again.",
        "CLUSTERDOWN: some slot has no live owner, and full coverage is asked for. NOLEASE: the node has not heard the "
        "coordinator lately, so somebody may have been promoted in its place.",
        "Each is better than a wrong answer. The client asks again after a pause.",
        "Source: Redis Cluster specification; cluster.c, getNodeByQuery.",
    ),
    "request": (
        "A client sends a request to the owner in the map it has cached. If the map is old it is told so and sent on.",
        "No answer does not mean not done: a write that is repeated may happen twice. Real clients have the same "
        "problem; a session or a version number cures it.",
    ),
    "plan": (
        "Rule: ownership changes by plan. It is announced, every node counts what it has to give, and then each unit "
        "(a slot, a chunk, or all keys that go from one node to another) changes hands for itself.",
        "How much has to move: a newcomer among n nodes gets its fair part, 1/n of all keys, and all of it is new to "
        "it. A strategy that moves more moves it between nodes that were there before and after, for nothing.",
        "With copies the whole plan is assigned at its end: until then the old owners have everything, and a failure "
        "can call it off.",
        "Source: Karger et al. 1997, monotonicity; the strip compares all strategies on the same keys.",
    ),
    "unit": (
        "Steps: the target is told IMPORTING, then the source MIGRATING; keys travel; when the source is empty the "
        "unit is assigned in a new epoch, which the new owner learns first and all others when it has said so.",
        "Why the target first: otherwise the source could answer ASK and name a node that knows of nothing. Why the "
        "new owner first: so that no MOVED ever names a node that would send the client back.",
        "The source keeps every key until the target has acknowledged it. Switch keep until acked off and lose a "
        "message: acknowledged writes are gone.",
        "Source: Redis Cluster specification, live resharding.",
    ),
    "chunk": (
        "Rule: a range is cut into chunks. One that grows beyond its limit is split at its middle key; the balancer "
        "moves chunks from the fullest node to the emptiest. A node takes part in one migration at a time.",
        "A chunk that holds one key only is jumbo: it cannot be split, however large or hot it gets. Keys that only "
        "grow, such as timestamps, all fall into one chunk, that of the newest.",
        "Source: MongoDB manual, chunks, jumbo chunks, balancer; DynamoDB, split for heat.",
    ),
    "hot": (
        "One key has one owner. Its requests cannot be divided by dividing the key space: not by virtual nodes, and "
        "not by splitting, once it is alone in its unit.",
        "Two cures: copies under other names (salting), where a read takes one and a write writes all; a cache in "
        "front, which may be stale. A bound on the load helps its neighbours: they go elsewhere, and it stays.",
        "Source: Mirrokni, Thorup, Zadimoghaddam 2018 (bounded loads); DynamoDB, designing partition keys.",
    ),
    "dead": (
        "Rule: a node whose heartbeats stay out for 2 s is declared dead. It may be crashed, frozen or cut off: from "
        "outside all three are silence. With copies the next replica takes over, in a new term.",
        "The old owner may be alive: that is why it needs a lease. It stops serving 1.5 s after the last heartbeat "
        "that was answered, so before anybody else begins. Replicas refuse its writes, which are of an old term.",
        "With one copy (RF 1) nobody can take over: its keys have no owner until it is back.",
        "Source: Gray and Cheriton 1989, leases; Redis Cluster specification, failure detection.",
    ),
    "map": (
        "Every change of ownership makes a new epoch of the map. Nodes that slept through some learn the newest at "
        "once; clients learn by being sent on.",
        "Epochs are compared, never times: with two different maps the newer one wins, wherever it is found.",
    ),
    "write": (
        "Rule: a write is acknowledged once every replica that is alive has it; a write of a key that is in the air "
        "waits for it to land.",
        "Why: an acknowledged write has to survive the next failure and the move under way. Redis blocks the whole "
        "source for as long as the key takes; here only writes of that key wait.",
    ),
    "crash": (
        "Keys, maps and orders are on disk; what waited for an answer is lost. A node that comes back has its keys, "
        "and asks for the newest map with its first heartbeat.",
        "With copies somebody else was promoted meanwhile: the node missed writes, and copies everything once more "
        "before it counts as a replica.",
    ),
    "fault": (
        kit.THREE_FAULTS,
        "What differs is afterwards: a frozen or cut node is still there and believes what it believed. Leases and "
        "epochs exist for it.",
    ),
    "network": (
        "The network may lose, delay, repeat and reorder messages. Keys that travel are numbered and acknowledged, so "
        "they are sent again when lost and stored once when doubled.",
        "A link has two directions: a node whose heartbeats arrive but hears no answer loses its lease all the same.",
    ),
    "clock": (
        "A lease is a promise about time, so clocks matter: the node's must not run slower than the coordinator's by "
        "more than the margin, here 0.5 s in 2 s. Watch the check *one owner* with a slow clock and a cut.",
        "Placement needs no clock at all.",
    ),
    "rule": (
        "A rule is switched off on every node at once, to see why it is there: each of them was once left out by "
        "somebody.",
        "The checks in the top line watch all guarantees after every event and name what broke.",
    ),
    "setting": (
        "Numbers of the cluster can be changed while it runs; t lists them. What changes who owns what is planned and "
        "carried out unit by unit like a join.",
    ),
    "workload": (
        "uniform: every key is as likely. zipf: the k-th key gets a part in proportion to k to the power of -skew, as "
        "words in a text do. monotonic: new keys that only grow. hot: 40 % of all requests are for one key.",
        "A strategy spreads keys. Load is keys times how often each is asked for: even keys do not make even load.",
    ),
    "lecture": kit.LECTURE,
}  # fmt: skip
"""Lessons by name."""

OF_KIND: Final[dict[type, str]] = {
    **dict.fromkeys(get_args(e.PlanEvent), "plan"), **dict.fromkeys(get_args(e.UnitEvent), "unit"),
    **kit.OF_KERNEL, k.TimersExpired: "clock", k.TimerFired: "setting",
    e.SentAway: "moved", e.Asked: "ask", e.Denied: "ask", e.Followed: "follow", e.TooManyRedirects: "follow",
    e.OldRedirect: "follow", e.Refused: "refused", e.RequestSent: "request", e.Answered: "request",
    e.NoAnswer: "request", e.GaveUp: "request", e.MapCached: "map", e.MapLearned: "map", e.ChunksChanged: "chunk",
    e.Indivisible: "chunk", e.Salted: "hot", e.HeatSplitSet: "hot", e.BalancerSet: "chunk", e.DeclaredDead: "dead",
    e.HeardAgain: "dead", e.ReplicaRefused: "dead", e.WriteWaits: "write", e.WorkloadSet: "workload",
    RuleSwitched: "rule", e.BandwidthSet: "setting", e.CoverageSet: "refused",
}  # fmt: skip
"""Which lesson explains which kind of event."""

IF_BROKEN: Final = {
    ONE_OWNER: "Two nodes that both answer for a key take different writes, and one of them is lost when they meet. "
               "Leases, terms and the order of announcements forbid it. A slow clock keeps a lease too long.",
    WRITES: "A client was told that its write is safe. The source keeps a key until the target has it, and a write "
            "waits for its replicas. With RF 1 a lost disk write is lost.",
    REDIRECTS: "A map that is told to others before its new owner knows makes circles: MOVED there, and MOVED back. "
               "Epochs grow along a chain, so a long one means that somebody slept through many.",
    NECESSARY: "The law of consistent hashing (Karger et al. 1997): a join moves keys to the newcomer only, a leave "
               "only the leaver's. Hash mod n has no such law, and that is the point of all the others.",
    COPIES: "Too few copies, and the next failure loses keys; too many, and some node keeps keys that it no longer "
            "owns and will serve them stale one day.",
}  # fmt: skip


def explain(snapshot: Snapshot, event: Event) -> tuple[str, ...]:
    """The lesson behind it; what happened stands above. Paragraphs."""
    hot = isinstance(event.what, e.Indivisible) and event.what.why is e.StuckReason.TOO_HOT
    return LESSONS["hot" if hot else OF_KIND[type(event.what)]]


def explain_check(snapshot: Snapshot, check: Check) -> tuple[str, ...]:
    """What the check demands; if it failed, who saw what and which rule is missing. Paragraphs."""
    asked = check.name != NECESSARY or snapshot.variant not in EXEMPT
    exempt = "" if asked else f"Not asked of {snapshot.variant}: {EXEMPT[snapshot.variant]}."
    return kit.explain_check(check, DEMANDS, IF_BROKEN, snapshot.rules, exempt=exempt)
