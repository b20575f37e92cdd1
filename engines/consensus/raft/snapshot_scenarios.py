"""The story of snapshots: section 7 of the paper, chapter 5 of the dissertation."""

from typing import Final

from engines.consensus.raft.commands import Propose
from engines.sim.faults import Heal, Isolate
from engines.sim.pattern import Scenario
from engines.sim.script import at, say
from engines.units import US_PER_MS

LAGGARD: Final = Scenario(
    name="snapshot",
    title="A laggard gets a snapshot",
    summary="What a follower missed is gone from every log. It gets what came of it instead, piece by piece.",
    variant="raft",
    config=(("clients", 0), ("compact", 8), ("factor", 1), ("piece", 2), ("tail", 2)),
    end_us=5_000 * US_PER_MS,
    script=(
        *say(900, "Five servers, n3 leads. A log cannot grow for ever: after 8 entries each server writes down what "
                  "came of them, keeps the last 2, drops the others. Next, n5 is cut off, and 14 commands follow."),
        *at(910, Isolate("n5")),
        *(step for number in range(14) for step in at(950 + 110 * number, Propose("add", "xyz"[number % 3], 1))),
        *say(2_800, "The four others have a snapshot up to entry 8, and their logs begin with entry 7. The log of n5 "
                    "ends at 1: entry 2, which it needs next, is in no log any more. Next, n5 comes back."),
        *at(2_810, Heal()),
        *say(2_945, "n5 refused what does not follow its log. n3 would have to send entry 2 and has dropped it, so it "
                    "sends its snapshot: 4 rows, 2 in a message. n5 has 2 of them, and gets no entries meanwhile."),
        *say(3_300, "n5 has x, y and z, and what your client was last told, though it never saw the entries that made "
                    "them. Its log begins with 9, and the rest, up to 15, came as entries. A retry of an old command "
                    "is still known."),
    ),
)  # fmt: skip

SCENARIOS: Final = (LAGGARD,)

__all__ = ["SCENARIOS"]
