"""The stories of the resilience panel: breakers, storms, and what contains them.

Times are in milliseconds here. The storms run under random arrivals, as people come: evenly paced they would show cures
to be better than they are. Everywhere else the load is evenly paced, and says so, so that nothing but the fault of the
story can be the cause of what is told. Every number a cue tells is asserted by a test.
"""

from typing import Final

from engines.resilience.world.commands import (
    Abort,
    Burst,
    Cure,
    SetBackoff,
    SetOption,
    SetPreset,
    SickHost,
    SlowService,
)
from engines.sim.faults import Crash, Heal, Restart
from engines.sim.pattern import Config, Scenario
from engines.sim.script import at, say
from engines.units import US_PER_MS, US_PER_S

CATALOG: Final = "api>catalog"
PAYMENT: Final = "api>payment"


_CALM: Final[Config] = (("poisson", False), ("rate", 6), ("retry_at", "nowhere"), ("shape", "uniform"))
"""Six calls a second, evenly paced, nobody retries."""

TRIP: Final = Scenario(
    name="trip-and-recover",
    title="A breaker trips, waits, probes and closes",
    summary="50 % of at least 20 calls in 10 s, 30 s open, one probe: the article's numbers from one end to the other.",
    variant="breaker",
    config=(*_CALM, ("mix", "catalog")),
    end_us=78_000 * US_PER_MS,
    script=(
        *say(4_000, "api calls catalog 6 times a second, and every call works. The breaker between them is closed. "
                    "It looks at the last 10 s in 10 buckets, and judges only if they hold 20 calls."),
        *at(5_000, Abort(CATALOG, 100)),
        *say(7_000, "From 5 s on every call to catalog is answered with 503. The rate rises with every bucket, but "
                    "good calls of the seconds before are still in the window: below 50 % nothing happens."),
        *say(11_000, "Open since t = 9.7 s: 29 of the 58 calls in the window had failed. From now on api answers its "
                     "callers at once and catalog hears nothing. That is the point: whoever is down gets rest, "
                     "whoever calls does not wait. Nothing but time moves an open breaker: 30 s."),
        *say(41_500, "30 s were over, and the next call was let through as a probe: half-open. It met the same 503, "
                     "so the breaker is open again, for another 30 s. One probe decides for everybody."),
        *at(42_000, Heal()),
        *say(44_000, "catalog is well again, since t = 42 s. Nobody here knows: no call is made to find out. A breaker "
                     "pays for its rest with up to 30 s of errors that need not be."),
        *say(73_000, "The second probe succeeded: closed, with an empty window. It was open for 60 s for an outage "
                     "of 37: the price of asking only twice a minute."),
    ),
)  # fmt: skip

STUCK: Final = Scenario(
    name="stuck-half-open",
    title="Half-open for ever",
    summary="resilience4j waits for ten results. Probes that never end, without a timeout, keep it half-open.",
    variant="breaker",
    config=(*_CALM, ("mix", "auth"), ("preset", "resilience4j"), ("timeout_ms", 0)),
    end_us=48_000 * US_PER_MS,
    script=(
        *at(100, SetOption("api>auth", "breaker.size", 20), SetOption("api>auth", "breaker.minimum", 20),
             SetOption("api>auth", "breaker.wait_us", 10 * US_PER_S)),
        *say(4_000, "A breaker as resilience4j has it, with a window of 20 calls instead of 100 and 10 s of waiting "
                    "instead of 60, to save time. Half-open it lets 10 probes in and decides when it has 10 "
                    "results. And mark this: the calls to auth have no timeout."),
        *at(5_000, Abort("api>auth", 100)),
        *say(8_000, "503 from 5 s on: 10 of the last 20 calls failed, and it opened at once. A window by count does "
                    "not care for time."),
        *at(9_000, Heal()),
        *at(17_100, Crash("auth")),
        *say(18_000, "The waiting was over and the probes went out. Some were answered; then auth crashed with the "
                     "others in its hands. Those will never be answered, and nobody has set a limit."),
        *at(19_000, Restart("auth")),
        *say(30_000, "auth has been back for 11 s and would answer every call. It gets none: all 10 probes are "
                     "given away, and the results of the lost ones never come. By default nothing limits the time "
                     "half-open: it lasts until somebody restarts api. Eight threads of api hang with them."),
        *at(31_000, SetOption("api>auth", "breaker.half_open_max_us", 5 * US_PER_S)),
        *say(33_000, "Half-open for at most 5 s, from now on. It had been for 14.3 s, so it opened at that moment, "
                     "and waits 10 s once more; then it gives ten new probes away. The other remedy is a timeout on "
                     "every call: then the lost ones would have failed, and been judged."),
        *say(44_000, "Ten new probes, ten answers in time: closed. Eight threads of api still wait for answers that "
                     "never come, as these calls have no timeout. What can be lost must have a time limit."),
    ),
)  # fmt: skip

SLOW: Final = Scenario(
    name="slow-calls",
    title="No error at all, and yet it trips",
    summary="Slow calls have a rate of their own: a service that answers everything after a second holds every thread.",
    variant="breaker",
    config=(*_CALM, ("mix", "catalog"), ("preset", "resilience4j-time"), ("timeout_ms", 5_000)),
    end_us=40_000 * US_PER_MS,
    script=(
        *at(100, SetOption(CATALOG, "breaker.slow_us", 500_000), SetOption(CATALOG, "breaker.slow_ppm", 500_000),
             SetOption(CATALOG, "breaker.minimum", 20), SetOption(CATALOG, "breaker.window_us", 10 * US_PER_S),
             SetOption(CATALOG, "breaker.buckets", 10), SetOption(CATALOG, "breaker.wait_us", 10 * US_PER_S)),
        *say(4_000, "A call is slow if it takes more than 500 ms; half of the calls slow trip this breaker like "
                    "half of them failed. resilience4j's default is 60 s and 100 %, which nobody's users wait for."),
        *at(5_000, SlowService("catalog", 3_000)),
        *say(8_000, "catalog takes 30 times as long since t = 5 s: about a second, and it still answers correctly. The "
                    "error rate is 0 %, and will stay so. Look at the threads of api and the latency instead."),
        *say(13_000, "Open, without a single error: too many calls were slow. Those who call get an answer in no "
                     "time now, be it a bad one, and catalog's threads come free."),
        *at(14_000, Heal()),
        *say(30_000, "catalog is fast again since t = 14 s. After 10 s of waiting the probes went out, ten of them, "
                     "and none was slow: closed."),
    ),
)  # fmt: skip

_STORM: Final[Config] = (
    ("backoff_ms", 100), ("client_timeout_ms", 8_000), ("mix", "catalog"), ("preset", "none"), ("queue", 36),
    ("rate", 16), ("retries", 3), ("retry_at", "api"), ("shape", "uniform"),
    ("slow", (("catalog", 220), ("catalog-db", 30))), ("timeout_ms", 1_000), ("workers", 6),
)  # fmt: skip
"""16 calls a second, at random as people come, for a service that can do 20: 80 % load."""
DIP_MS: Final = 4_000
DIP_END_MS: Final = 10_000
CURE_MS: Final = 13_000

_DIP: Final = (
    *say(3_500, "catalog has 6 threads and needs 0.3 s for a call: it can do 20 a second. 16 come on average, at "
                "random, just now fewer: 80 % load. Its callers wait 1 s and try 3 more times. Every call is "
                "answered."),
    *at(DIP_MS, SlowService("catalog", 200)),
    *say(9_500, "For 5 s catalog's own work has taken twice as long: it can do about 12 a second now, and 16 come. "
                "Whoever waits longer than 1 s gives up and comes again, three times: 64 attempts a second on "
                "average, just now twice that, as a full line refuses at once. Every answer comes too late. Goodput: "
                "0."),
    *at(DIP_END_MS, SlowService("catalog", 100)),
)  # fmt: skip

STORM: Final = Scenario(
    name="retry-storm",
    title="The retry storm that does not end",
    summary="80 % load at random, a dip of 6 s, 3 retries, a timeout shorter than the line: goodput stays at zero.",
    variant="breaker",
    config=_STORM,
    end_us=22_000 * US_PER_MS,
    script=(
        *_DIP,
        *say(11_000, "The dip is over: catalog is as fast as ever, and has 20 calls a second to give for 16. Watch."),
        *say(20_000, "Ten seconds after the dip: still nothing. catalog works as hard as it can, for callers who "
                     "have left. The line of 35 takes 1.8 s to serve, the callers wait 1 s, and their retries, 4 "
                     "attempts for every call, keep it full. The trigger is gone, the storm feeds itself: that is "
                     "what metastable means."),
        *say(21_500, "It will not end by itself. Three things end it, each of them one key (press e): a breaker, a "
                     "retry budget, or shedding."),
    ),
)  # fmt: skip

_BEFORE_CURE: Final = "The dip has been over for 2.5 s, the storm has not. "

STORM_BREAKER: Final = Scenario(
    name="storm-breaker",
    title="A breaker ends the storm",
    summary="The same storm; a breaker before catalog opens, the line empties, and the first probe closes it.",
    variant="breaker",
    config=_STORM,
    end_us=48_000 * US_PER_MS,
    script=(
        *_DIP,
        *say(12_500, _BEFORE_CURE + "Now a breaker with the article's numbers is put before catalog."),
        *at(CURE_MS, Cure("catalog", "breaker")),
        *say(17_000, "20 calls failed, and it opened. catalog works off its line, for nobody, and then has nothing "
                     "to do. Users see errors at once instead of errors after seconds: no worse than before."),
        *say(47_000, "30 s later one probe met an empty catalog and was answered: closed, and every call is served "
                     "again. A breaker cures a storm by stopping all of the load for a while; 30 s of it were more "
                     "than enough: the line was empty after 3. At 80 % load there is room enough that it stays so."),
    ),
)  # fmt: skip

STORM_BUDGET: Final = Scenario(
    name="storm-budget",
    title="A retry budget ends the storm",
    summary="The same storm; retries are held to 5 % of the calls. What a budget leaves must fit into the capacity.",
    variant="breaker",
    config=_STORM,
    end_us=28_000 * US_PER_MS,
    script=(
        *_DIP,
        *say(12_500, _BEFORE_CURE + "Now the retries of api, and nobody else retries here, get a budget: 5 % of the "
                     "calls. 16 x 1.05 = 16.8 attempts a second will come to a catalog that can do 20. With 20 %, the "
                     "usual budget, 19.2 would come: that barely fits."),
        *at(CURE_MS, Cure("catalog", "budget")),
        *say(16_000, "In 3 s the line went from 36 to 28: about 3 calls a second. Of 55 failed attempts the budget "
                     "let 2 be made again. Nobody notices yet: above 1 s of waiting every answer is too late, and all "
                     "work is waste, in api and the database too: more jobs are wasted than attempts are made."),
        *say(26_000, "The wait has fallen below the timeout, and every call is answered again; only p99, which looks "
                     "back, still tells of the storm. It took 7 s: a budget leaves the line to be worked off, and "
                     "head room decides how long that takes. It prevents a storm better than it cures one."),
    ),
)  # fmt: skip

STORM_SHEDDING: Final = Scenario(
    name="storm-shedding",
    title="Shedding ends the storm",
    summary="The same storm; catalog refuses whoever has waited longer than 500 ms, and serves the rest in time.",
    variant="breaker",
    config=_STORM,
    end_us=22_000 * US_PER_MS,
    script=(
        *_DIP,
        *say(12_500, _BEFORE_CURE + "Now catalog sheds: whoever has waited longer than 500 ms is refused when its "
                     "turn comes, at once and without work."),
        *at(CURE_MS, Cure("catalog", "shedding")),
        *say(18_000, "That was quick: the old calls in the line were thrown out in no time, and the next ones were "
                     "served while their callers still waited. Work is done only for those who want it: the fastest "
                     "cure of the three, and the only one that is catalog's own."),
    ),
)  # fmt: skip

NO_HEAD_ROOM: Final = Scenario(
    name="no-head-room",
    title="At 90 % load nobody need push",
    summary="18 calls a second at random, for a service that can do 20: it collapses by itself. What helps now?",
    variant="breaker",
    seed=20,
    config=tuple({**dict(_STORM), "rate": 18}.items()),
    end_us=68_000 * US_PER_MS,
    script=(
        *say(5_000, "No fault and no dip in this story. catalog can do 20 calls a second and gets 18, at random: 90 % "
                    "load. At random means that a second may bring 25. All is well so far."),
        *say(14_000, "It has collapsed by itself. A few busy seconds made the line longer than the callers' patience "
                     "of 1 s, and their retries did the rest: 4 attempts a call, many for calls of before. Goodput: 0. "
                     "Nothing broke, so nothing can be repaired. Next, a breaker is put before catalog."),
        *at(16_000, Cure("catalog", "breaker")),
        *say(51_000, "It was open for 30 s, catalog's line emptied, the probe closed it, and every call is served. "
                     "But nothing has changed: 18 calls come for 20, as before."),
        *say(57_000, "The next busy seconds came, and it is open again. A breaker empties the line; whether it stays "
                     "empty depends on the head room, and here there is little. Now the breaker goes, and catalog "
                     "sheds whoever waited longer than 500 ms."),
        *at(58_000, SetPreset(CATALOG, "none"), Cure("catalog", "shedding")),
        *say(66_000, "All is well again, and with shedding it stays so: that removes what feeds a storm, the work "
                     "for callers who have left. In other runs of this load, 60 to 240 s after a cure, calls were "
                     "answered: with a breaker 57 %, with a retry budget of 5 % 88 %, with shedding 100 %. (With "
                     "more room, at 80 % load: 93, 99 and 100 %.)"),
    ),
)  # fmt: skip

_CASCADE: Final[Config] = (
    ("api_workers", 8), ("client_timeout_ms", 6_000), ("poisson", False), ("preset", "none"), ("queue", 16),
    ("rate", 8), ("retry_at", "nowhere"), ("shape", "uniform"), ("timeout_ms", 10_000), ("workers", 4),
)  # fmt: skip

CASCADE: Final = Scenario(
    name="cascade",
    title="One slow database stops everything",
    summary="payment-db > payment > api > auth, catalog and cart: threads wait for threads that wait for a database.",
    variant="breaker",
    config=_CASCADE,
    end_us=32_000 * US_PER_MS,
    script=(
        *say(5_000, "8 calls a second, of which 3 in 20 buy something and need payment. api has 8 threads, and "
                    "one is held for the whole of a call. Timeouts between services are 10 s: set once, never "
                    "looked at."),
        *at(6_000, SlowService("payment-db", 20_000)),
        *say(10_000, "payment-db takes 8 s instead of 40 ms. Its callers wait, and so do theirs: payment, thread by "
                     "thread. The third in the chain is api: every purchase takes one of its 8 threads with it."),
        *say(25_000, "All 8 threads of api wait for payment. auth, catalog and cart are idle and well, yet nobody "
                     "can look at a catalog: there is no thread left to ask. One database in four, used by 3 calls "
                     "in 20, has stopped the shop."),
        *say(30_000, "No machine broke: none crashed, none answered with an error of its own. All that failed "
                     "found the line of api full, or waited in vain. Slowness travels up the chain of callers to "
                     "what all calls share. A bulkhead, 2 of the 8 threads for payment at most, would keep the shop "
                     "open."),
    ),
)  # fmt: skip

BULKHEAD: Final = Scenario(
    name="bulkhead",
    title="A bulkhead keeps the water in one room",
    summary="The same slow database; api gives at most 2 of its 8 threads to payment, and the shop stays open.",
    variant="breaker",
    config=_CASCADE,
    end_us=24_000 * US_PER_MS,
    script=(
        *at(1_000, SetOption(PAYMENT, "bulkhead", 2)),
        *say(5_000, "The shop and the load of the cascade, with one number more: at most 2 calls to payment at "
                    "a time."),
        *at(6_000, SlowService("payment-db", 20_000)),
        *say(12_000, "payment-db takes 8 s, as it did there. Two threads of api wait for it; the third purchase is "
                     "refused at once. The other 6 threads serve those who look and fill their carts, as fast as "
                     "ever."),
        *say(22_000, "Purchases fail, and they would have failed anyway. Everything else works. The bulkhead mended "
                     "nothing: it decided what a failure may cost."),
    ),
)  # fmt: skip

OUTLIER: Final = Scenario(
    name="outlier",
    title="One bad host of five, and who may throw it out",
    summary="Envoy ejects a host after 5 errors in a row, but at most 10 % of the hosts: of five that is nobody.",
    variant="envoy",
    config=(*_CALM, ("budget", 0), ("mix", "payment"), ("payment_hosts", 5)),
    end_us=55_000 * US_PER_MS,
    script=(
        *say(4_000, "payment runs on five hosts that take turns. There is no breaker here, in the sense of a state "
                    "machine: Envoy judges each host by itself. Five errors in a row, and it is ejected for 30 s."),
        *at(5_000, SickHost("payment-3", 100)),
        *say(13_000, "payment-3 answers everything with an error since t = 5 s: one call in five fails. Twice it has "
                     "had five errors in a row, was counted anew, and is still in. At most 10 % of the hosts may be "
                     "ejected, and 10 % of five hosts is half a host: nobody."),
        *at(14_000, SetOption(PAYMENT, "eject_one", 1)),
        *say(22_000, "always_eject_one_host is set, and the next five errors ejected payment-3. The other four "
                     "share its calls: no error any more. A breaker for the whole service would have had to choose: "
                     "all five hosts, or none."),
        *at(30_000, SickHost("payment-3", 0)),
        *say(52_000, "The host was repaired at 30 s, but Envoy looks only every 10 s, and first lets the 30 s pass. "
                     "It is back now. Had it still been sick, it would be out for 60 s next."),
    ),
)  # fmt: skip

_HERD: Final[Config] = (
    ("api_workers", 100), ("backoff_ms", 1_000), ("client_timeout_ms", 40_000), ("mix", "catalog"), ("poisson", False),
    ("preset", "none"), ("queue", 6), ("rate", 0), ("retries", 5), ("retry_at", "api"), ("shape", "fixed"),
    ("timeout_ms", 5_000), ("workers", 2),
)  # fmt: skip

HERD: Final = Scenario(
    name="thundering-herd",
    title="A herd that stays together",
    summary="60 calls at one moment, exponential backoff without jitter: the refused come back as one.",
    variant="breaker",
    config=(*_HERD, ("backoff", "exponential")),
    end_us=36_000 * US_PER_MS,
    script=(
        *say(2_000, "catalog can have 2 calls in work and 6 in line. In a moment 60 people open the shop at once: a "
                    "push message. Whoever is refused waits 1, 2, 4, 8, 10 s: exponential backoff, without jitter."),
        *at(3_000, Burst(60)),
        *say(3_900, "60 calls arrived together, 8 found a place, the other 52 were refused within a few "
                    "milliseconds. All of them wait exactly 1 s now."),
        *say(8_000, "They came back together at 4 s and at 6 s, and again only 8 got in each time. Between the "
                    "waves catalog is idle. Waiting longer does not help those who wait in step."),
        *say(33_000, "Six waves, 8 served in each, and 12 of 60 gave up after six attempts, though catalog was idle "
                     "nearly all of the time. Jitter would have scattered them: waits that are drawn at random."),
    ),
)  # fmt: skip

JITTER: Final = Scenario(
    name="jitter",
    title="The same herd, scattered",
    summary="60 calls at one moment, exponential backoff with full jitter: everybody is served within seconds.",
    variant="breaker",
    config=(*_HERD, ("backoff", "exponential")),
    end_us=20_000 * US_PER_MS,
    script=(
        *at(1_000, SetBackoff(CATALOG, "full-jitter", US_PER_S)),
        *say(2_000, "The same 60 calls and the same waits, but each is drawn between 0 and what it would have been: "
                    "full jitter."),
        *at(3_000, Burst(60)),
        *say(9_000, "The refused came back one by one, and catalog found time for them. The waits are shorter, half "
                    "on average, so there is more load at first; but nobody waits in step, and 106 refusals in all "
                    "were enough. In waves there are 192."),
        *say(17_000, "Everybody was served. Retrying politely is not about waiting long: it is about not waiting in "
                     "step."),
    ),
)  # fmt: skip

HEDGING: Final = Scenario(
    name="hedging",
    title="Asking twice saves the tail",
    summary="Two hosts that pause now and then: whoever waits longer than 95 % of the calls asks the other one, too.",
    variant="breaker",
    config=(("catalog_hosts", 2), ("mix", "catalog"), ("poisson", False), ("preset", "none"), ("rate", 10),
            ("retry_at", "nowhere"), ("shape", "pauses"), ("slow", (("catalog", 60), ("catalog-db", 5))),
            ("timeout_ms", 4_000)),
    end_us=34_000 * US_PER_MS,
    script=(
        *say(2_000, "catalog runs on two hosts. In 3 of 100 calls it pauses, for the garbage collector or a cold "
                    "cache, and then takes 1.3 s instead of 60 ms. Nothing is wrong with anybody, and still this is "
                    "what the users remember."),
        *say(16_000, "p50 is 221 ms, p99 is 1.4 s. Now api will hedge: a call that takes longer than 95 % of the "
                     "last ones is sent once more, to the other host. Whichever answer comes first counts."),
        *at(17_000, SetOption(CATALOG, "hedge_ppm", 950_000)),
        *say(32_000, "Users see a p99 of 475 ms: to be unlucky twice in a row is rare, and the tail is cut off near "
                     "the 95th percentile. The price is known in advance: 6 calls of 150 were asked twice: 4 %. A cap "
                     "of 10 % holds it there when everything is slow. Only what may happen twice may be hedged: reads, "
                     "not payments."),
    ),
)  # fmt: skip

DEADLINE: Final = Scenario(
    name="deadline",
    title="Work for nobody",
    summary="The client waits 1 s, auth takes 1.5 s: without a deadline all behind it work for a caller long gone.",
    variant="breaker",
    config=(*_CALM, ("client_timeout_ms", 1_000), ("mix", "browse"), ("preset", "none"), ("timeout_ms", 5_000),
            ("workers", 20)),
    end_us=32_000 * US_PER_MS,
    script=(
        *say(4_000, "To browse, api asks auth and then catalog. Clients wait 1 s; between services a timeout is 5 s."),
        *at(5_000, SlowService("auth", 10_000)),
        *say(15_000, "auth takes 1.5 s since t = 5 s. Every client is gone when it answers, and nobody tells: auth "
                     "asks its database, api goes on to catalog, catalog to its own. Five jobs a call, all of them for "
                     "nobody: about 30 a second wasted."),
        *at(16_000, SetOption("*", "deadline", 1)),
        *say(29_000, "Now every request says how much time is left. After 1 s api stops waiting for auth and asks "
                     "catalog nothing; auth is done after 1.5 s, sees that the time is over, and leaves its "
                     "database alone. The clients fare no better, but 18 of 30 wasted jobs a second are not begun."),
    ),
)  # fmt: skip

AMPLIFICATION: Final = Scenario(
    name="amplification",
    title="Three layers, two retries: 27 times the load",
    summary="(1 + r) ^ L: everybody retries twice, and a database that fails sees 27 attempts of one call.",
    variant="breaker",
    config=(("backoff_ms", 20), ("client_timeout_ms", 0), ("mix", "catalog"), ("poisson", False), ("preset", "none"),
            ("rate", 2), ("retries", 2), ("retry_at", "everywhere"), ("shape", "uniform"), ("timeout_ms", 0)),
    end_us=30_000 * US_PER_MS,
    script=(
        *say(4_000, "The clients retry twice, api retries twice, catalog retries twice: each for a good reason, and "
                    "none knows of the others. 2 calls a second reach the database as 2."),
        *at(5_000, SickHost("catalog-db", 100)),
        *say(13_000, "The database answers with errors since t = 5 s, and is asked 27 times for every call of a "
                     "client: 3 x 3 x 3. About 54 attempts a second from a load of 2, and not one of them helps."),
        *at(14_000, SetOption("*", "budget_ppm", 200_000)),
        *say(28_000, "A budget of 20 % at every layer: at most 1.2 x 1.2 x 1.2 = 1.7 attempts a call at the "
                     "database. Or retry at one layer only: which one is disputed, that it be one is not."),
    ),
)  # fmt: skip

SCENARIOS: Final[tuple[Scenario, ...]] = (
    TRIP, STUCK, SLOW, STORM, STORM_BREAKER, STORM_BUDGET, STORM_SHEDDING, NO_HEAD_ROOM, CASCADE, BULKHEAD, OUTLIER,
    HERD, JITTER, HEDGING, DEADLINE, AMPLIFICATION,
)  # fmt: skip
