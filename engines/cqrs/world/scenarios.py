"""The stories of CQRS, as scripts: commands at their times, and what a lecturer says in between."""

from typing import Final

from engines.cqrs.world.checks import FOLD, OUTBOX, SAID
from engines.cqrs.world.commands import (
    AddNode,
    AddTo,
    Ask,
    Create,
    Decline,
    Deploy,
    Note,
    Poison,
    Rebuild,
    ReplayParked,
    SetOption,
    Swap,
    Widen,
)
from engines.sim.faults import Crash, Cut, Duplicate, Mend, Reorder, Restart, Slow
from engines.sim.pattern import Config, Scenario
from engines.sim.rules import SetRule
from engines.sim.script import at, say
from engines.units import US_PER_MS

VARIANT: Final = "sourced"
SUMMARY: Final = "order_summary"


def _quiet(*more: tuple[str, object]) -> Config:
    """A shop in which only the script asks for anything."""
    return (("writes", 0), ("reads", 0), *more)


OWN_WRITE: Final = Scenario(
    name="own-write",
    title="Create an order, and read it at once",
    summary="CREATE_ORDER is acknowledged, GET_ORDER_SUMMARY knows nothing of it. Then each of the cures.",
    variant=VARIANT,
    config=_quiet(("sagas", False), ("apply_us", 40_000)),
    end_us=6_000 * US_PER_MS,
    script=(
        *say(200, "Two roads. Commands go right along the upper one: command node, event store, bus. Events come back "
                  "left along the lower one: bus, projector, replica. u1 creates an order and, told that it is "
                  "recorded, asks for its summary."),
        *at(300, Create("u1", 2, 15, then_read=True)),
        *say(700, "u1 was told version 1, position 2, asked at once, and got nothing: the projector takes 40 ms an "
                  "event. Nothing is broken: any answer was good enough (freshness: any). The CRUD table beside it "
                  "had the order. First cure: the query carries the position, and waits."),
        *at(800, SetOption("freshness", "read your writes")),
        *at(900, AddTo("u1", 1, 5, then_read=True)),
        *say(1_700, "The same with 'read your writes': the replica held the question until its copy had passed "
                    "position 3, and answered version 2 after 46 ms. The write is seen, and the reader pays for the "
                    "gap with its time."),
        *at(1_800, SetOption("freshness", "version token")),
        *at(1_900, AddTo("u1", 3, 2, then_read=True)),
        *say(2_700, "With a version token the replica does not wait: it says at once that it is behind, and u1 asks "
                    "the next one. Version 3 was there after 51 ms; asking the write model would have been the "
                    "third way."),
        *at(2_800, SetOption("freshness", "read your writes"), SetOption("patience_ms", "30")),
        *at(2_900, AddTo("u1", 1, 9, then_read=True)),
        *say(3_700, "Waiting again, the replica for 30 ms at most, and the row needs longer: u1 was told 'timed out, "
                    "the read model has not passed position 5'. Late and said so. Silently stale would be a lie: "
                    "try b, say_stale off, and a."),
    ),
)  # fmt: skip

CHECKPOINTS: Final = Scenario(
    name="checkpoint-policies",
    title="A projector dies between row and checkpoint",
    summary="The same crash four times: a line is lost, counted twice, repeated without harm, applied once.",
    variant=VARIANT,
    config=_quiet(("sagas", False), ("apply_us", 40_000), ("policy", "checkpoint first")),
    breaks=(FOLD,),
    end_us=7_000 * US_PER_MS,
    script=(
        *at(100, Create("u1", 1, 10)),
        *say(600, "One order, one line, total 10. p1 writes a row and a checkpoint for each event, in two steps. It "
                  "notes the checkpoint first here. u1 adds a line of 20, and p1 will die between the two steps."),
        *at(700, AddTo("u1", 1, 20)),
        *at(754, Crash("p1")),
        *at(934, Restart("p1")),
        *say(1_700, "Lost: the checkpoint says 3, the row still says 10. The bus was told that event 3 is done and "
                    "never sends it again. Positions alone look perfect; a fold of the events, which the check "
                    "makes, does not agree."),
        *at(1_800, SetOption("policy", "effect first"), SetRule("idempotent", False)),
        *at(1_900, AddTo("u1", 1, 30)),
        *at(1_954, Crash("p1")),
        *at(2_134, Restart("p1")),
        *say(2_900, "Row first, checkpoint second, and no memory of revisions: after the crash event 4 came again, and "
                    "its line of 30 counts twice. The row says 70; the events, with the 20 that was lost, say 60."),
        *at(3_000, SetRule("idempotent", True)),
        *at(3_100, AddTo("u1", 1, 40)),
        *at(3_154, Crash("p1")),
        *at(3_334, Restart("p1")),
        *say(4_100, "The same crash with idempotence: the row keeps the newest revision of each stream. Event 5 "
                    "came again and changed nothing: 40 more, once. Total 110. At least once on the wire, once in "
                    "the row."),
        *at(4_200, SetOption("policy", "one transaction")),
        *at(4_300, AddTo("u1", 1, 50)),
        *at(4_354, Crash("p1")),
        *at(4_534, Restart("p1")),
        *say(5_300, "Row and checkpoint in one transaction: event 6 was done once, with nothing to remember. It "
                    "works where both live in one database. The row still carries the old errors, 160 instead of "
                    "150: no policy mends the past."),
        *at(5_400, Rebuild(SUMMARY, "in place")),
        *say(6_400, "A read model can be thrown away. It was folded anew from the 6 events: 5 lines, total 150, as "
                    "the events say. The check stays red: it is a fact about this run."),
    ),
)  # fmt: skip

DELIVERY: Final = Scenario(
    name="delivery",
    title="The bus delivers twice, and out of order",
    summary="At least once, in any order: no bus promises more. What a projector makes of it is its own affair.",
    variant=VARIANT,
    config=_quiet(("sagas", False)),
    breaks=(FOLD,),
    end_us=8_000 * US_PER_MS,
    script=(
        *at(100, Slow("bus", "p1", 60_000, 0), Duplicate("bus", "p1", 900_000), Reorder("bus", "p1", 500_000)),
        *at(200, Create("u1", 1, 10)),
        *at(300, AddTo("u1", 2, 20)),
        *at(310, Create("u2", 1, 7)),
        *at(320, AddTo("u2", 1, 8)),
        *at(330, AddTo("u1", 1, 5)),
        *say(1_000, "The bus sends nearly everything twice and half of it late. Seven events, two orders: 55 and "
                    "15, both right. What came early waited for its turn, what came again was known by its stream "
                    "and revision."),
        *at(1_100, SetRule("idempotent", False)),
        *at(1_200, AddTo("u1", 1, 30)),
        *say(2_000, "Idempotence off: event 8, a line of 30, was delivered twice and applied twice. order-101 shows "
                    "115, its events say 85. Exactly-once delivery is not for sale; exactly-once effect is, for the "
                    "price of remembering revisions."),
        *at(2_100, SetRule("idempotent", True), SetRule("in_order", False)),
        *at(2_200, Rebuild(SUMMARY, "in place")),
        *at(2_500, Create("u3", 1, 100)),
        *at(2_600, AddTo("u3", 1, 1)),
        *at(2_640, AddTo("u3", 1, 2)),
        *at(2_680, AddTo("u3", 1, 4)),
        *at(2_720, AddTo("u3", 1, 8)),
        *say(3_600, "The summaries were folded anew, 85 again, idempotence is back; but now nobody waits for what "
                    "is missing. Event 13 overtook event 12 and was applied. 12, a line of 2, came with an older "
                    "revision and counted as a repeat: order-301 shows 113, it is 115."),
        *at(3_700, SetRule("in_order", True)),
        *at(3_800, Rebuild(SUMMARY, "in place")),
        *say(4_600, "In order again, and folded anew: 85, 15 and 115. Order by position is the projector's work, "
                    "not the bus's; with it, duplicates and overtaking cost some time and nothing else."),
    ),
)  # fmt: skip

BUG: Final = Scenario(
    name="bug-and-rebuild",
    title="A bug in a projection, mended twice",
    summary="Totals leave out quantities. The code is mended at once; the rows must be folded anew: in place, beside.",
    variant=VARIANT,
    config=(("writes", 4), ("reads", 12), ("apply_us", 4_000)),
    breaks=(FOLD, SAID),
    end_us=8_600 * US_PER_MS,
    script=(
        *at(10, Deploy(SUMMARY, "buggy")),
        *at(300, Create("u1", 3, 10, then_read=True)),
        *say(3_000, "Somebody shipped summaries that leave out quantities: order-101 is 3 books at 10 and shows a "
                    "total of 10. The write model was never wrong, no event is: 'summaries true' compares every "
                    "answer with what the order was."),
        *at(3_100, Deploy(SUMMARY, "right")),
        *at(3_200, Ask("u1")),
        *say(3_600, "The code is mended and deployed. New orders are right, old rows stay wrong: order-101 still "
                    "shows 10. A mended projection is no mended read model: that is why 'projection = fold' is red "
                    "now, too."),
        *at(3_700, Rebuild(SUMMARY, "in place")),
        *say(3_850, "Rebuild in place: the rows were thrown away, and history is read again from event 1. It stands "
                    "at 69 %. Readers see a hole meanwhile, and are told so: 'rebuilding'. Commands go on as if "
                    "nothing were."),
        *say(5_000, "Done: order-101 shows 30. It took 196 ms for 72 events; at that pace a hundred million take more "
                    "than three days, on which nobody can look up an order."),
        *at(5_100, Note("u1", "leave it at the door")),
        *at(5_200, Rebuild(SUMMARY, "beside", "v2")),
        *say(5_500, "Now blue-green: release 2, which knows notes, is folded beside the one that serves. It is at "
                    "39 %, readers notice nothing. Release 1 skips the note that u1 has just written: it is of a "
                    "type it does not know."),
        *say(7_000, "Release 2 has caught up: behind 0, generation 5 beside generation 4. Only now may readers be "
                    "moved, and all at once."),
        *at(7_100, Swap(SUMMARY)),
        *say(7_600, "Swapped, in one step on each replica: 'one generation' holds. order-103 shows the note that u1 "
                    "wrote. The old generation goes on being fed, for the way back."),
        *at(7_700, Swap(SUMMARY, True)),
        *say(8_200, "And back, in one step as well: a release that disappoints costs a key press, no restore. Try "
                    "b, swap_whole off, and swap customer_history by parts: then readers see rows of both."),
    ),
)  # fmt: skip

POISON: Final = Scenario(
    name="poison",
    title="A poison event",
    summary="An event a projection cannot write. Live: park it and hold its stream. In a rebuild: stop.",
    variant=VARIANT,
    config=_quiet(("sagas", False)),
    end_us=9_000 * US_PER_MS,
    script=(
        *at(100, Create("u1", 1, 10)),
        *at(200, Create("u2", 1, 20)),
        *say(700, "Two orders. The read models have a column of 20 characters for items, and nobody has told the "
                  "write side."),
        *at(800, Poison("u1")),
        *at(1_000, AddTo("u1", 1, 5)),
        *at(1_100, AddTo("u2", 1, 5)),
        *say(1_800, "u1 bought 'collected letters, 12 vols': event 5 does not fit. It was tried 3 times and parked, "
                    "and event 6 with it, which is sound but of the same order. order-201 goes on: 25. Commands "
                    "never noticed."),
        *at(1_900, SetOption("freshness", "read your writes")),
        *at(2_000, Ask("u1")),
        *say(2_800, "u1 asks and wants its write included. The copy is past position 6 and the row is not: the "
                    "replica knows what is parked, and says 'timed out' after 306 ms rather than show less."),
        *at(2_900, Rebuild(SUMMARY, "beside")),
        *say(3_600, "A rebuild is stricter: beside the live one, generation 4 stopped at event 5. A read model with "
                    "a hole must never take the place of another. It stands at 57 %."),
        *at(3_700, Widen()),
        *at(3_800, ReplayParked(SUMMARY), ReplayParked("customer_history")),
        *say(5_000, "The column was widened, what was parked replayed in its order, and the rebuild went on: "
                    "order-101 shows 3 lines, total 105. Nothing is parked, and no command had to wait for any of "
                    "it."),
    ),
)  # fmt: skip

BURST: Final = Scenario(
    name="write-burst",
    title="A burst of writes, and reads stay fast",
    summary="On one table readers wait behind writers. On two roads they do not; they see older rows instead.",
    variant=VARIANT,
    config=(("writes", 4), ("reads", 40), ("join_us", 10_000)),
    end_us=6_600 * US_PER_MS,
    script=(
        *say(1_500, "43 queries and 3 orders a second. Both models cope: a query takes 7.1 ms on the read side, 17 "
                    "ms on the CRUD table, which joins; the table is busy 49 % of its time. Now 40 orders a second, "
                    "for a while."),
        *at(1_600, SetOption("writes", "40")),
        *say(3_000, "On the table everybody waits in one line: a query takes 61 ms, and the line grows. On the read "
                    "side it takes 7.1 ms: no reader waits for a writer. The price is the gap: customer_history is "
                    "82 events behind, the oldest 354 ms old. Rows are late instead."),
        *at(3_100, AddNode("projectors"), AddNode("projectors")),
        *say(4_600, "Two projectors more (j on their stage): each projection has a machine, built its rows there "
                    "from the events, and took over when it had caught up. 1 event behind, 2.2 ms, under the same "
                    "burst. The table: 360 ms."),
        *at(4_700, SetOption("writes", "4")),
        *say(6_400, "The burst is over, the gap is closed: 0 behind. The table has only now worked its line off: a "
                    "query took 537 ms. Sides that are apart can be scaled apart: command nodes, projectors and "
                    "replicas each have their own j."),
    ),
)  # fmt: skip

SAGA: Final = Scenario(
    name="saga-compensates",
    title="The bank says no",
    summary="Create, reserve, pay, ship: if payment fails, what was done is undone in reverse. Silence is no failure.",
    variant=VARIANT,
    config=_quiet(("declines", 0)),
    end_us=11_000 * US_PER_MS,
    script=(
        *at(100, Create("u1", 2, 15)),
        *say(700, "CREATE_ORDER began a saga: reserve at stock, pay at the bank, ship. Each step asks a service, "
                  "then records what it said as a command. order-101 is shipped; four commands, five events, and no "
                  "transaction over all of them."),
        *at(800, Decline("bank", 1)),
        *at(900, Create("u2", 1, 90)),
        *say(1_600, "The bank refused order-201. Payment is the pivot, it had not happened, so all before it is "
                    "undone in reverse: stock released, order cancelled. Compensated, not rolled back: the events "
                    "say what happened, both ways."),
        *at(1_700, Cut("bank", "saga")),
        *at(1_800, Create("u3", 1, 40)),
        *say(5_000, "Silence: the bank took the money for order-301, and its answer was lost. Is that a failure? "
                    "Nobody knows, so the saga asks the same question again, under the same id. It has asked twice. "
                    "Compensating now would be the error."),
        *at(5_100, Mend("bank", "saga")),
        *say(8_000, "The third time the answer came through, the same as the first: the bank's inbox knew the "
                    "request and did not charge again. order-301 is shipped. Try b, ask_again off: then silence "
                    "counts as no."),
        *at(8_100, Decline("dispatch", 1)),
        *at(8_200, Create("u1", 1, 8)),
        *say(10_500, "After the pivot there is no way back: dispatch had no room for order-102, so shipping is "
                     "tried again, under a new id, until it works. Completed or compensated, never half."),
    ),
)  # fmt: skip

SMALL: Final = Scenario(
    name="small-crud",
    title="A small shop that did not need it",
    summary="As many writes as reads, and readers who want no gap: the pattern costs more than it gives.",
    variant=VARIANT,
    config=(("writes", 3), ("reads", 3)),
    end_us=5_600 * US_PER_MS,
    script=(
        *say(2_500, "A few orders and 4 queries a second. They are 48 ms of work a second on one table, and 64 ms "
                    "on two roads. The verdict: it does not pay. Two models, a bus, a saga and a gap, for a shop "
                    "that one machine serves at 5 %."),
        *at(2_600, SetOption("reads", "60")),
        *say(5_200, "68 queries a second and as few orders: 452 ms on the table, 178 ms on the roads. Now it pays: "
                    "joins that are made once, on writing, are not made at every reading. ? prints the formula, the "
                    "numbers are this run's."),
    ),
)  # fmt: skip

OUTBOX_OFF: Final = Scenario(
    name="outbox-off",
    title="The event is stored, the message is lost",
    summary="Without an outbox a command node writes to the store, and then to the bus. Between the two it may fail.",
    variant=VARIANT,
    config=_quiet(("sagas", False)),
    breaks=(OUTBOX,),
    end_us=9_000 * US_PER_MS,
    script=(
        *at(100, Create("u1", 2, 15)),
        *say(600, "One order of 30. The event and the message about it were written in one transaction; a relay "
                  "sends messages until the bus confirms. Now the link from the store to the bus fails for a while."),
        *at(700, Cut("store", "bus")),
        *at(800, AddTo("u1", 1, 5)),
        *say(1_400, "u1 added a line. Stored, acknowledged, and the bus does not know: one message waits in the "
                    "outbox, the summary is 1 event behind, for 584 ms. Nothing is lost, it is late."),
        *at(1_500, Mend("store", "bus")),
        *say(2_400, "The link is back, and the relay delivered: total 35. Now the outbox is switched off: the "
                    "command node writes to the store, then tells the bus itself. The links from the command nodes "
                    "fail for 400 ms."),
        *at(2_500, SetRule("outbox", False)),
        *at(2_600, Cut("c1", "bus"), Cut("c2", "bus")),
        *at(2_700, AddTo("u1", 1, 7)),
        *at(3_000, Mend("c1", "bus"), Mend("c2", "bus")),
        *at(3_100, AddTo("u1", 1, 9)),
        *say(4_500, "Event 4 is stored; its message is nowhere: the bus has 4 messages, 1, 2, 3 and 5, and sends 5 "
                    "again and again. Every projection waits for 4: 2 behind, 1.78 s, for ever. Had they not waited, "
                    "they would show a wrong total."),
        *at(4_600, Rebuild(SUMMARY, "in place")),
        *say(6_000, "The store still knows: a rebuild reads history from it and is right, 51. But a saga, a mail, "
                    "another team's system read the bus, not the store. Two writes that must happen together belong "
                    "in one transaction."),
    ),
)  # fmt: skip

SCENARIOS: Final = (OWN_WRITE, CHECKPOINTS, DELIVERY, BUG, POISON, BURST, SAGA, SMALL, OUTBOX_OFF)
