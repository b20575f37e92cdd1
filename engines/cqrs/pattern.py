"""The pattern: its variants, stories, questions, and what of it is modelled."""

from functools import partial
from typing import Final

from engines.cqrs.recorded import VARIANT as RECORDED
from engines.cqrs.world.chaos import CHAOS
from engines.cqrs.world.commands import COMMANDS
from engines.cqrs.world.engine import CqrsEngine
from engines.cqrs.world.options import SETTINGS
from engines.cqrs.world.scenarios import SCENARIOS, VARIANT
from engines.sim.pattern import Pattern, Variant

FIDELITY: Final = (
    ("modelled", "commands validated, decided on an order's events and appended with the revision that was seen; a "
                 "command id that was executed is answered, wherever the repeat arrives"),
    ("modelled", "an outbox in the transaction of the events, a relay that sends until the bus has confirmed, a bus "
                 "that delivers at least once, in any order"),
    ("modelled", "projectors with three checkpoint policies, idempotent by stream and revision, with poison parked "
                 "live and stopping a rebuild; rebuild in place; blue-green with a swap in one step and a way back"),
    ("modelled", "replicas with copies of the read models; queries that ask for any answer, wait for a position, or "
                 "carry one as a token, and answers that say what they are"),
    ("modelled", "a saga whose state is its own log, with three services that do a thing once"),
    ("modelled", "a CRUD table under the same commands and queries, and what each machine works"),
    ("simplified", "a machine does one thing at a time at a fixed price; prices are settings (t), not measurements"),
    ("simplified", "a replica copies changes beside its work: no question waits for a copy in hand"),
    ("simplified", "the projector's rows and checkpoint are one database of its own; a replica's disk is perfect"),
    ("simplified", "machines find each other by one list that all share, and swaps are numbered by one counter"),
    ("simplified", "the store takes no new orders after 2,000 events, as a full disk does"),
    ("left out", "partitioned streams and projections, several bounded contexts, access rights, schema registries"),
)  # fmt: skip

VARIANTS: Final = (
    Variant(
        VARIANT,
        "Two roads",
        "commands become events, events become rows: two models, scaled apart, with a gap between them",
        partial(CqrsEngine, VARIANT),
        COMMANDS,
        SETTINGS,
        3,
        FIDELITY,
        chaos=CHAOS,
    ),
)

PATTERN: Final = Pattern(
    number=6,
    name="cqrs",
    title="CQRS",
    question="How do I scale reads separately?",
    variants=VARIANTS,
    scenarios=SCENARIOS,
    recorded=RECORDED,
    speed=(1, 10),
    notes=(
        "CREATE_ORDER goes to the write model, which decides and emits events; GET_ORDER_SUMMARY is answered from a "
        "row that was made beforehand. No join is made on reading, and no rule is checked.",
        '"Events update the write model" is loose: commands go to the write model, which emits events. With event '
        "sourcing the events are its state, and they build the read models.",
        "CQRS does not need event sourcing, nor two databases: two models in one store are enough. The more they are "
        "apart, the more there is between them. It pays where reads far outnumber writes, need other shapes, or the "
        "sides must scale apart; it does not for simple CRUD, or where each read must be fresh.",
        "Read and write sides scale apart: command nodes, projectors and replicas are added by themselves. The one "
        "thing that does not scale this way is the append to one stream.",
        "The read model is late, not wrong: its lag is two figures, events behind and the age of the oldest. One alone "
        "says little.",
    ),
)

__all__ = ["PATTERN"]
