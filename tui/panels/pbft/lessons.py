"""Why: the rule behind an event or a check, why it exists, and where it is written.

*Paper* is Castro and Liskov, OSDI 1999.
"""

from typing import Any, Final

from engines.consensus.pbft import checks as c
from engines.consensus.pbft import events as e
from engines.consensus.pbft.acts import OUTCOME
from engines.consensus.pbft.snapshot import Snapshot
from engines.rules import RuleSwitched
from engines.sim.events import Event
from engines.sim.pattern import Check
from tui.kit import explain as kit

QUORUMS: Final = (
    "2f+1 of 3f+1: any two such groups share f+1 replicas, of which at least one is correct. So two certificates for "
    "different things at one place would need a correct replica that said both, and none does."
)

LESSONS: Final[dict[type, tuple[str, ...]]] = {
    e.Relayed: (
        "A backup passes on what it hears from a client and starts its timer: the primary cannot say that it never "
        "heard of the request, and a client cannot be left out for longer than T (paper 4.1, 4.5.2).",
    ),
    e.Proposed: (
        "The primary only gives numbers. It cannot invent a request, since clients sign theirs, and it cannot give one "
        "number to two requests without being found out in the next phase (paper 4.2).",
    ),
    e.Accepted: (
        "A backup accepts a pre-prepare if it is the primary's of this view, its digest is the request's, the number "
        "lies in the window, and it has accepted no other there. Then it tells all: PREPARE (paper 4.2).",
        "Its promise is on its disk before the message leaves. A replica that forgets what it promised is as bad as "
        "one that lies.",
    ),
    e.Equivocated: (
        "Two pre-prepares for one number of one view are a primary's lie. Neither of them can get 2f PREPAREs beside "
        "another that does: " + QUORUMS,
    ),
    e.Contradicted: ("Of each sender the first vote counts. A correct replica votes once for a number of a view.",),
    e.BecamePrepared: (
        "prepared(m, v, n, i): the pre-prepare and 2f matching PREPAREs of different backups. " + QUORUMS,
        "That orders requests within a view. It is not final: whether it survives a view change is the next phase's "
        "business (paper 4.2).",
    ),
    e.Committed: (
        "committed-local: 2f+1 replicas say that they are prepared, so f+1 correct ones hold the certificate. Any "
        "2f+1 VIEW-CHANGEs include one of those, so every later view takes the request over (paper 4.2, 4.4).",
    ),
    e.Executed: (
        "Numbers are executed in order, and a request once: the last reply to each client is part of the state, and a "
        "repetition is answered from it (paper 4.1, 4.2).",
    ),
    e.CheckpointTaken: (
        "Every K requests a replica tells the digest of its state. Once 2f+1 agree that is a proof, and everything "
        "before it can be thrown away (paper 4.3).",
    ),
    e.Stable: (
        "A stable checkpoint is the low water mark h; numbers up to H = h + L may be in progress. The window bounds "
        "memory, and it keeps a bad primary from using up the numbers (paper 4.3).",
    ),
    e.FellBehind: (
        "f+1 replicas claim a state beyond my window: one of them is correct. The log cannot reach that far, so the "
        "state itself is fetched, and believed for its certified digest, not for who sent it (paper 4.3).",
    ),
    e.WrongState: ("The digest was certified by others: a wrong state cannot pass. Another is asked.",),
    e.StateInstalled: (
        "With the values came the last reply to each client: without them a repeated request would run twice.",
    ),
    e.ViewChangeStarted: (
        "A replica that gives up on a view takes part in nothing else but CHECKPOINT, VIEW-CHANGE and NEW-VIEW, and "
        "shows what it holds: its stable checkpoint with proof, and a certificate for each number that prepared here "
        "(paper 4.4).",
        "One complaint moves nobody. f+1 do: one of them is correct. So a single traitor cannot force view changes.",
    ),
    e.ViewChangeSeen: ("2f+1 VIEW-CHANGEs open the next view; f+1 make everybody join (paper 4.4, 4.5.2).",),
    e.NewViewSent: (
        "The new primary shows 2f+1 VIEW-CHANGEs and works out from them what the view begins with: for each number "
        "above the highest checkpoint the certificate of the highest view, or null for a gap (paper 4.4).",
    ),
    e.ViewEntered: (
        "A backup works that out again, from the same VIEW-CHANGEs, and believes nothing else. Numbers taken over run "
        "through the three phases again; what was executed is not executed again (paper 4.4).",
        "The timeout doubles from view to view, so that in the end one lasts long enough (paper 4.5.2).",
    ),
    e.WindowFull: ("Nothing is numbered above H = h + L until a checkpoint becomes stable (paper 4.3).",),
    e.BodyMissing: ("A certificate names requests by their digests. Whoever lacks one asks; the digest proves it.",),
    e.Forgot: (
        "What the paper leaves to the implementer: view, promises, certificates and state must be durable before the "
        "message that relies on them leaves. Traitors and forgetful replicas together may be f.",
    ),
    e.Answered: (
        "f+1 equal replies of different replicas: at least one of them is correct, and a correct replica executed the "
        "request (paper 4.1).",
    ),
    e.Asked: ("A client asks the primary it believes in, and all replicas when there is no answer (paper 4.1).",),
    e.Waits: ("A client has one request outstanding: replicas keep only its newest one and the reply (paper 4.1).",),
    e.Rejected: (
        "Everything is signed and everything is checked: by whom, for which view, inside the window, with which "
        "digest, with which proofs. What fails any of these has no effect (paper 4.2, 4.4).",
    ),
}
DEFAULT: Final = ("Nothing else follows from it.",)

IF_BROKEN: Final = {
    c.AGREEMENT: "Replicas that execute different requests are different services under one name.",
    c.CERTIFICATES: QUORUMS,
    c.SURVIVAL: "A request that a client was told is done would be undone by the next primary.",
    c.CHECKPOINTS: "States that differ after the same requests: execution is not deterministic, or a lie got in.",
    c.ONCE: "A payment would be made twice, or before the one that it depends on.",
    c.WINDOW: "Outside the window there is no proof to fall back on.",
    c.ONE_DIGEST: "A replica that promises one number twice helps two certificates into the world.",
    c.RESULTS: "The client would act on what no correct replica ever did.",
    c.LIVENESS: "Safety alone is easy: do nothing. With at most f at fault and links that work, clients are answered.",
}


def explain(snapshot: Snapshot, event: Event) -> tuple[str, ...]:
    """The lesson behind an event."""
    what: Any = event.what
    if isinstance(what, e.ActSwitched):
        count = f"{what.at_fault} of the {what.f} that are survived" if what.at_fault else "none now"
        return (f"What must come of it with at most f traitors: {OUTCOME[what.act][1]}.", f"Traitors: {count}.")
    if isinstance(what, RuleSwitched):
        return ("On every correct replica at once. The checks say what breaks without it; a traitor may be needed to "
                "show it (b).",)  # fmt: skip
    return LESSONS.get(type(what), DEFAULT)


def explain_check(snapshot: Snapshot, check: Check) -> tuple[str, ...]:
    """What a check demands, and if it failed, the witness."""
    beyond = f"{len(snapshot.traitors)} replicas are at fault and f is {snapshot.f}: nothing is promised any more."
    return (
        *kit.explain_check(check, c.DEMANDS, IF_BROKEN, snapshot.rules),
        *((beyond,) if snapshot.beyond else ()),
    )
