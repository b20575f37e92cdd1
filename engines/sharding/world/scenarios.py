"""The stories of sharding, as scripts: commands at their times, and what a lecturer says in between.

A script names nodes by what they are where it can (``hot``, ``new``): names are resolved when a line is played.
"""

from typing import Final

from engines.sharding.world import commands as c
from engines.sharding.world.checks import COPIES, ONE_OWNER, WRITES
from engines.sim.faults import Clog, Crash, Cut, Isolate, Reconnect, Restart, Unclog
from engines.sim.pattern import Config, Scenario
from engines.sim.rules import SetRule
from engines.sim.script import at, say
from engines.units import US_PER_MS

LANE: Final = "{user1000}."
"""Four keys of one hash tag, all in slot 3443."""


def _small(**settings: object) -> Config:
    """A small world: few keys and few requests, so that single messages can be followed."""
    return tuple({"keys": 600, "clients": 1, "rate": 5, **settings}.items())


MOD_N: Final = Scenario(
    name="mod-n",
    title="Why hash mod n hurts",
    summary="Ten nodes become eleven, and ten of eleven keys change their owner, most of them for nothing.",
    variant="modulo",
    config=_small(nodes=10, keys=4_000, bandwidth=600, rate=3, workload="uniform"),
    end_us=14_000 * US_PER_MS,
    script=(
        *say(1_000, "Ten nodes, owner = hash mod 10. The keys could hardly lie more evenly: cv 0.042, and chance "
                    "alone would leave sqrt(9/4000) = 0.047. That is the strength of it. Next, an eleventh joins."),
        *at(1_010, c.AddNode()),
        *say(1_800, "Owner = hash mod 11 when this is done. A key stays only if both remainders agree, 1 of 11. So "
                    "10 of 11 pack up, here 3,668 of 4,000, and 9 of 11 travel between nodes that were there before "
                    "and stay."),
        *say(7_000, "The newcomer's even share is 1/11 of the keys, 9.1 %. Compare the strategies on these very "
                    "keys: the ring, slots, jump and rendezvous move about that share, and nothing between "
                    "survivors."),
    ),
)  # fmt: skip

VNODES: Final = Scenario(
    name="virtual-nodes",
    title="Virtual nodes: 1, 16, 150, 1000",
    summary="One token for each node is a lottery; the spread shrinks with the square root of their number.",
    variant="ring",
    config=_small(vnodes=1, keys=5_000, bandwidth=2_000, rate=3, workload="uniform"),
    end_us=15_000 * US_PER_MS,
    script=(
        *say(1_000, "Six nodes, one token each: every node owns the arc before its token, and arcs thrown at random "
                    "differ wildly. n4 has 40 % of the keys, n1 0.4 %. The spread (cv) is 0.79 here; over all rings "
                    "sqrt(5/7) = 0.85 is expected."),
        *at(1_010, c.SetVnodes(16)),
        *say(4_500, "16 tokens each: a node owns 16 small arcs instead of a large one, and luck evens out. Expected "
                    "is sqrt(5/97) = 0.23. This ring has 0.36: an unlucky draw, and a cluster has but one."),
        *at(4_510, c.SetVnodes(150)),
        *say(8_000, "150 each: 0.074 expected, 0.080 here, and the busiest node is 14 % over the mean. Fine, not "
                    "even."),
        *at(8_010, c.SetVnodes(1_000)),
        *say(11_500, "1000 each: 0.029 expected, 0.033 with these 5,000 keys. Nearly 7 times the tokens, sqrt(7) = "
                     "2.6 times less spread. The price is in the other curve: with many tokens every pair of nodes "
                     "are neighbours, so with two copies any two failures lose something. Cassandra went from 256 "
                     "back to 16 for that."),
    ),
)  # fmt: skip

HOT_KEY: Final = Scenario(
    name="hot-key",
    title="A hot key: what does not help, and what does",
    summary="40 % of all requests are for one key. Tokens do nothing, a bound helps its neighbours, salting cures it.",
    variant="bounded",
    config=_small(workload="hot", clients=3, rate=12, bound=400, vnodes=150, bandwidth=400),
    seed=1,
    end_us=20_000 * US_PER_MS,
    script=(
        *say(3_000, "Keys are spread evenly, requests are not: 4 of 10 ask for one key on average, and it has one "
                    "owner. Try more virtual nodes."),
        *at(3_010, c.SetVnodes(1_000)),
        *say(7_000, "A thousand tokens each, and another node glows, with 2.5 times the mean: tokens divide keys, "
                    "and this is one key. Next, the bound on the load, four times the mean so far, is lowered: nobody "
                    "is given a key that would take it beyond 1.1 times the mean, while others have room."),
        *at(7_010, c.Bound(110)),
        *say(12_000, "The hot key fills its owner alone: n6 has 1 key and 40 % of the requests. Its other keys moved "
                     "on to nodes with room. They are saved; the key itself is still one key on one node, 2.4 times "
                     "the mean. Next, salt it: eight copies under names of their own."),
        *at(12_010, c.Salt("hot", 8)),
        *say(19_000, "Reads pick one of the eight copies, which lie on all six nodes, at most two on each: the peak "
                     "falls from 2.4 to 1.4 times the mean. Writes pay: each must write the key and all copies, and "
                     "the nodes serve 59 requests a second instead of 37. That trade is made in the key, not in the "
                     "cluster."),
    ),
)  # fmt: skip

HEAT_SPLIT: Final = Scenario(
    name="heat-split",
    title="Splitting for heat, and what cannot be split",
    summary="Ranges that get too many requests are split and moved; a single hot key ends up alone, and stays hot.",
    variant="range",
    config=_small(nodes=4, chunks=4, workload="hot", clients=3, rate=10, bandwidth=200, balancer=False),
    end_us=22_000 * US_PER_MS,
    script=(
        *say(4_000, "Range sharding under a hot key. Watch the chunk that glows. Next, the coordinator may split for "
                    "heat, as DynamoDB does: the hottest chunk is cut where its requests halve."),
        *at(4_010, c.SplitForHeat(True)),
        *say(13_000, "Cut by cut the hot key has fewer neighbours: everything around it was split off or moved to "
                     "idle nodes."),
        *say(20_000, "And that is where it ends: one key is the smallest unit. DynamoDB says the same: one item "
                     "cannot exceed one partition. What is left is in the key: salting."),
    ),
)  # fmt: skip

SLOT_MIGRATION: Final = Scenario(
    name="slot-migration",
    title="A slot moves under traffic: MOVED, ASK, TRYAGAIN",
    summary="Redis Cluster, message by message: four keys of one slot travel while a client with an old map asks.",
    variant="slots",
    config=_small(nodes=3, keys=60, clients=0, workload="off", bandwidth=1),
    end_us=12_000 * US_PER_MS,
    script=(
        *at(200, c.Put(LANE + "cart", 1), c.Put(LANE + "followers", 20), c.Put(LANE + "following", 30),
             c.Put(LANE + "posts", 4)),
        *say(1_000, "Four keys with the hash tag {user1000}: slot 3443, all on n1. We move that slot to n3, one key "
                    "a second. First n3 is told IMPORTING, then n1 MIGRATING."),
        *at(1_010, c.MoveSlot(3443, "n3")),
        *at(1_700, c.Get(LANE + "posts")),
        *at(1_750, c.Get(LANE + "posts", "n3")),
        *say(2_050, "n1 still has the key and served it. n3 was asked too, without ASKING: MOVED, back to n1. It "
                    "takes keys in, but the slot is not its own yet."),
        *at(2_800, c.Get(LANE + "cart")),
        *say(3_150, "The cart has gone. n1 answers ASK n3: once, for this request. The client says ASKING, gets its "
                    "answer, and its map is as it was: an ASK teaches nothing."),
        *at(3_200, c.MultiGet((LANE + "cart", LANE + "posts"))),
        *say(3_350, "Two keys in one request, one here and one there: TRYAGAIN. The client waits and asks again."),
        *at(3_400, c.Get(LANE + "followers", "n2"), c.MultiGet((LANE + "cart", "cart:7"))),
        *say(3_800, "A third node knows of no migration: MOVED to n1, until the slot is assigned. And keys of "
                    "different slots in one request are CROSSSLOT, whatever else is going on."),
        *at(4_000, c.Put(LANE + "new", 9)),
        *say(4_400, "A new key of a migrating slot is absent at the source, so: ASK, and it is born on n3. The table "
                    "counts keys by who owns their slot, and that is still n1."),
        *say(7_300, "All keys have arrived, the slot is assigned to n3, and every node was told. Only our client was "
                    "not: it asks n1 once more."),
        *at(7_310, c.Get(LANE + "following")),
        *say(8_000, "MOVED 3443 n3: this one is for good. The client wrote it into its map."),
        *at(8_010, c.Get(LANE + "following")),
        *say(8_600, "Straight to n3. MOVED updates the map, ASK never does: else one early ASK would send everybody "
                    "to a node that has half of a slot."),
    ),
)  # fmt: skip

SURNAMES: Final = (
    "Abel", "Bauer", "Chen", "Costa", "Diaz", "Evans", "Fischer", "Garcia", "Gupta", "Haas", "Ivanov", "Jones", "Kim",
    "Lopez", "Martin", "Mori", "Nagy", "Olsen", "Park", "Quinn", "Rossi", "Sanchez", "Sato", "Schmidt", "Silva",
    "Singh", "Smith", "Suzuki", "Tanaka", "Usman", "Vogel", "Wang", "Weber", "Young", "Zhang",
)  # fmt: skip

LETTERS: Final = Scenario(
    name="a-to-m",
    title="A-M here, N-Z there: split, move, merge",
    summary="The textbook's two ranges: names are not spread like letters, so a range is split, moved and merged.",
    variant="range",
    config=_small(
        nodes=2, chunks=0, balancer=False, bandwidth=4, clients=2, rate=8, workload="uniform",
        user_keys=tuple((name, 1) for name in SURNAMES),
    ),
    end_us=17_000 * US_PER_MS,
    script=(
        *say(1_500, "Names from A to M live on n1, from N to Z on n2. A question for all names with K asks one node: "
                    "that is what ranges are for, and what no hash can do."),
        *say(3_000, "But names are no letters: 16 of these 35 come before N, and 14 from S on. A third node will join. "
                    "Nothing moves to it by itself: the balancer is off."),
        *at(3_010, c.AddNode()),
        *say(5_000, "Next, N-Z is split at S. A split moves nothing: it only draws a line in the map, and both "
                    "halves stay on n2."),
        *at(5_010, c.SplitChunk("N", "S")),
        *say(6_500, "The line is drawn. Next the upper half will move, key by key: until all have arrived n2 serves "
                    "those it still has, and sends clients on for the others."),
        *at(6_510, c.MoveChunk("S", "n3")),
        *say(12_000, "Three nodes share the names; of late S was asked for most, though n2 answered a part of that "
                     "before it moved. Range sharding moves what you choose to move, and nothing else. A cut that was "
                     "too many goes the other way: split n1's names at G, then merge again."),
        *at(12_010, c.SplitChunk("", "G")),
        *at(13_500, c.MergeChunks("")),
        *say(15_500, "Neighbours on one node are merged without moving a key. Only the map changed, twice."),
    ),
)  # fmt: skip

MONOTONIC: Final = Scenario(
    name="monotonic",
    title="Keys that only grow, and their one hot chunk",
    summary="Timestamps as shard key: every insert hits the newest chunk, however busily chunks are split and moved.",
    variant="range",
    config=_small(nodes=4, chunks=4, keys=160, workload="monotonic", clients=2, rate=12, bandwidth=100),
    end_us=31_000 * US_PER_MS,
    script=(
        *say(3_000, "Every new key, a t and a number, is greater than all t keys before it: all inserts go to the one "
                    "chunk that has the newest of them (!), and to its node. Three nodes idle."),
        *say(9_000, "The chunk grew too large and was split at its middle; the balancer moves the full halves away. "
                    "But the half with the newest keys is again the only one that is written."),
        *say(17_000, "It never catches up: n4 has 46 % of the keys, 1.9 times the mean, and takes every write. The "
                     "balancer carries after the fact what should have been spread at the door. Next, the "
                     "writes stop."),
        *at(17_010, c.SetWorkload("off")),
        *say(30_000, "Without a write for 13 seconds the data is level: the fullest node has 1.16 times the mean. "
                     "With them it is not. Cure: hash the key, or put something random before the time."),
    ),
)  # fmt: skip

JUMBO: Final = Scenario(
    name="jumbo",
    title="A jumbo chunk",
    summary="A shard key with few values: one value outgrows a chunk, and one value cannot be split.",
    variant="range",
    config=_small(
        nodes=3, chunks=3, workload="off", clients=0, bandwidth=50,
        user_keys=(("country:IN", 260), ("country:CN", 60), *((f"country:{a}{b}", 12) for a in "ABDEFG" for b in "ELT"),
                   *((f"country:{a}{b}", 12) for a in "NPS" for b in "ELT")),
    ),
    end_us=16_000 * US_PER_MS,
    script=(
        *say(1_000, "The shard key is the country. Chunks hold ranges of countries, each at most 151 documents; "
                    "India alone has 260."),
        *say(5_000, "The coordinator wanted to split that chunk and found one value in it: jumbo. A chunk boundary "
                    "can only lie between two values."),
        *at(5_010, c.AddNode()),
        *say(12_000, "A fourth node joined, and the balancer gave it what the fullest node, n2, had beside its jumbo "
                     "chunk, which stays where it is. The spread (cv) even rose, for the mean is of four nodes now, "
                     "and India alone is 1.61 times that. Cure: a shard key with more values, like country and user."),
    ),
)  # fmt: skip

RACK_LOSS: Final = Scenario(
    name="rack-loss",
    title="A rack burns: copies with and without racks in mind",
    summary="Two copies on the next two nodes may stand in one rack. When it dies, some keys are gone with it.",
    variant="ring",
    config=_small(rf=2, racks=3, keys=300, bandwidth=300, rate=4, vnodes=16),
    end_us=27_000 * US_PER_MS,
    script=(
        *say(1_000, "Six nodes in three racks, two copies of every key, on the next two nodes of the ring. n1 and n4 "
                    "share rack r1. Both lose power."),
        *at(1_010, Crash("n1"), Crash("n4")),
        *say(4_500, "Declared dead after two seconds of silence. Most keys have a copy elsewhere, which was "
                    "promoted. Keys whose two copies were n1 and n4 are unavailable: the table still counts "
                    "them for these two, as nobody else has them."),
        *at(4_510, Restart("n1"), Restart("n4")),
        *say(10_500, "They came back from their disks and were brought up to date. Next, the copies are placed with "
                     "racks in mind: walk the ring, take a node only if its rack is new."),
        *at(10_510, c.SetRackAware(True)),
        *say(16_500, "Every key is in two racks now. Next, the same accident."),
        *at(16_510, Crash("n1"), Crash("n4")),
        *say(20_500, "The same two nodes are dead, and every key has a live owner. No more copies than before: they "
                     "only stand apart."),
        *at(20_510, Restart("n1"), Restart("n4")),
        *say(26_000, "A double failure loses what two nodes share. Racks make the likely pairs share nothing."),
    ),
)  # fmt: skip

FULL_COVERAGE: Final = Scenario(
    name="full-coverage",
    title="One dead master takes the cluster down",
    summary="Redis Cluster demands an owner for every slot, or nobody is served: CLUSTERDOWN, and two ways out.",
    variant="slots",
    config=_small(nodes=4, clients=3, rate=5, keys=400, workload="uniform"),
    end_us=21_500 * US_PER_MS,
    script=(
        *say(1_000, "Four nodes with a quarter of the slots each, no copies. One of them dies."),
        *at(1_010, Crash("n2")),
        *say(4_500, "Its silence was noticed, and now everybody answers CLUSTERDOWN, also for slots whose owners are "
                    "well: better no answer than half of the data. Two keys of different slots are still CROSSSLOT: "
                    "that is decided before."),
        *at(4_510, c.MultiGet(("cart:1", "user:2")), c.Get("cart:1")),
        *say(6_500, "First way out: reads may pass while the cluster is down (cluster-allow-reads-when-down)."),
        *at(6_510, c.SetFullCoverage(True, reads=True)),
        *say(9_000, "Reads of living slots are served, writes are not. Second way: demand no full coverage."),
        *at(9_010, c.SetFullCoverage(False)),
        *say(14_000, "Only the dead node's slots are missing now. In the last 3 seconds 28 requests were served, and "
                     "10 given up, which had met nothing but silence: three quarters of all requests succeed."),
        *at(14_010, Restart("n2"), c.SetFullCoverage(True)),
        *say(20_000, "It is back with its data from disk, and the cluster is whole."),
    ),
)  # fmt: skip

FAILOVER: Final = Scenario(
    name="failover",
    title="A node dies in the middle of a join",
    summary="Three copies: replicas are promoted, the join is called off and begun anew, and nothing is lost.",
    variant="ring",
    config=_small(rf=3, keys=300, bandwidth=8, rate=6, vnodes=16),
    end_us=24_000 * US_PER_MS,
    script=(
        *say(1_000, "Three copies of every key. A node will join: its share of the keys is copied to it, while the "
                    "old groups go on answering and hear every write."),
        *at(1_010, c.AddNode()),
        *say(2_000, "In the middle of it n3 will die."),
        *at(2_010, Crash("n3")),
        *say(5_200, "n3 was silent for two seconds: the join is called off, n3's keys have new owners from their own "
                    "groups, in a map of a new epoch, and the join has begun anew."),
        *at(12_000, Restart("n3")),
        *say(15_000, "n3 is back with old data. It serves nothing until it has caught up: what it missed is copied "
                     "to it, like to a newcomer."),
        *say(22_000, "All is as it should be, and no acknowledged write was lost on the way: see the checks."),
    ),
)  # fmt: skip

NOT_KEPT: Final = Scenario(
    name="not-kept",
    title="A rule broken: the source deletes as it sends",
    summary="Without keep-until-acked a lost batch is a batch of lost keys. The check says which.",
    variant="ring",
    config=_small(bandwidth=100),
    end_us=8_000 * US_PER_MS,
    breaks=(WRITES, COPIES),
    script=(
        *say(1_000, "A source keeps a key until the target has acknowledged it. We switch that rule off and let a "
                    "node join over a bad network: the link from n1 to it carries nothing."),
        *at(1_010, SetRule("keep_until_acked", False), c.AddNode()),
        *at(1_020, Cut("n1", "new")),
        *say(6_500, "n1 deleted what it sent, nothing arrived, the lane was empty and so it was assigned. The writes "
                    "had been acknowledged long ago. The check names the first of them: press e."),
    ),
)  # fmt: skip

NO_ASK: Final = Scenario(
    name="no-ask",
    title="A rule broken: no such key, says the source",
    summary="A key that has left already is not missing, it is elsewhere. Without ASK a reader cannot know.",
    variant="slots",
    config=_small(nodes=3, keys=60, clients=0, workload="off", bandwidth=1),
    end_us=5_000 * US_PER_MS,
    breaks=(WRITES,),
    script=(
        *at(200, c.Put(LANE + "cart", 1), c.Put(LANE + "posts", 4)),
        *say(1_000, "Slot 3443 moves from n1 to n3. The source should answer ASK for keys that have left. That rule "
                    "is off: it says what it sees."),
        *at(1_010, SetRule("ask_redirects", False), c.MoveSlot(3443, "n3")),
        *at(2_900, c.Get(LANE + "cart")),
        *say(4_000, "The cart was written and acknowledged, it is safe on n3, and the reader was told that there is "
                    "none: a lost write, as far as anybody can see."),
    ),
)  # fmt: skip

DEPOSED: Final = Scenario(
    name="deposed-owner",
    title="A rule broken: an owner without a lease",
    summary="Cut off from the others an owner is deposed and does not know. Without a lease it goes on answering.",
    variant="ring",
    config=_small(rf=2, keys=60, clients=0, workload="off", vnodes=16),
    end_us=10_000 * US_PER_MS,
    breaks=(ONE_OWNER, WRITES),
    script=(
        *at(300, c.Put("k", 1)),
        *say(1_000, "With copies an owner serves only while it has heard the coordinator lately: a lease. Next, that "
                    "rule goes off and the owner of k, n2, is cut off from all nodes. Clients still reach it."),
        *at(1_010, SetRule("lease", False), Isolate("owner:k")),
        *at(4_000, c.Put("k", 2, "owner:k")),
        *say(5_500, "n2 was declared dead; its replica n1 was promoted and took k=2. Next, clients with an old map "
                    "ask for k, one of them n2 itself."),
        *at(5_510, c.Get("k", "n1"), c.Get("k", "n3"), c.Get("k", "n4")),
        *at(5_520, c.Get("k", "n5"), c.Get("k", "n6")),
        *at(7_500, c.Get("k", "n2")),
        *say(8_000, "Of six reads n1 answered five, with k=2. But n2 has not been told, and still "
                    "answers k=1: two owners of one key. With the lease it would have refused: it cannot know."),
        *at(8_010, *(Reconnect(f"n{i}") for i in range(1, 7))),
    ),
)  # fmt: skip

OLD_PERMISSION: Final = Scenario(
    name="old-permission",
    title="A rule broken: an ASK outlives its plan",
    summary="A join is called off and begins anew while an ASK is on its way. Honoured, it hides a key that exists.",
    variant="ring",
    config=_small(rf=2, keys=240, clients=0, workload="off", vnodes=16, bandwidth=200),
    end_us=7_000 * US_PER_MS,
    breaks=(ONE_OWNER, WRITES),
    script=(
        *at(300, c.Put("views", 7)),
        *say(1_000, "Two copies of every key; views=7 is written and lies on n1 and n5. An ASK should be good under "
                    "the plan that gave it only. We switch that rule off, n7 joins, and n3 dies at once."),
        *at(1_010, SetRule("ask_names_plan", False), c.AddNode()),
        *at(1_100, Crash("n3")),
        *say(2_300, "Plan 1: n1 has handed views over to n7 and answers ASK for it. n7 owns nothing yet: cfg still "
                    "waits for the dead n3. We slow the copying down, and hold back what you send to n7."),
        *at(2_310, c.SetBandwidth(1)),
        *at(2_930, Clog("you", "new")),
        *at(2_950, c.Get("views")),
        *say(3_780, "n1 told you ASK n7, and your request is held on its way. Meanwhile plan 1 was called off, n7 "
                    "dropped what it had, and plan 2 began anew: n7 imports again, and views is back at n1. Next, your "
                    "request goes on."),
        *at(3_860, Unclog("you", "new")),
        *say(4_300, "n7 took the old ASK for one of plan 2 and said: no such key. But n1 has it and answers for it: "
                    "two nodes for one key, and a write that was acknowledged cannot be seen. With the rule n7 says "
                    "MOVED, and n1 serves views=7. (In Redis an ASKING names no plan: reshard again only when "
                    "clients are done.)"),
    ),
)  # fmt: skip

SCENARIOS: Final = (
    MOD_N, VNODES, HOT_KEY, HEAT_SPLIT, SLOT_MIGRATION, LETTERS, MONOTONIC, JUMBO, RACK_LOSS, FULL_COVERAGE, FAILOVER,
    NOT_KEPT, NO_ASK, DEPOSED, OLD_PERMISSION,
)  # fmt: skip
