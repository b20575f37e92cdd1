"""The stories of tracing, as scripts: commands at their times, and what a lecturer says in between."""

from typing import Final

from engines.sim.faults import Skew
from engines.sim.pattern import Config, Scenario
from engines.sim.rules import SetRule
from engines.sim.script import at, say
from engines.tracing.world import commands as c
from engines.tracing.world.checks import ALL_OR_NONE, ONE_TRACE
from engines.tracing.world.control import HEAD, TAIL
from engines.units import US_PER_MS


def _world(**settings: object) -> Config:
    return tuple(settings.items())


AUTH_POOL: Final = Scenario(
    name="auth-pool-p99",
    title="The API is slow: auth's database pool at p99",
    summary="A pool is cut from 20 connections to 1. In a rush the p99 grows fourfold, and the spans say why.",
    variant=HEAD,
    config=_world(services=12, traffic="product", rate=10),
    end_us=8_500 * US_PER_MS,
    script=(
        *say(1_000, "One request, GET /product, crosses five services, six if the cache misses. Each writes spans of "
                    "one trace: the headers carry the trace id from hop to hop. Open a trace: the bar at the top is "
                    "the whole request, and the lit parts are its critical path. They add up exactly to the whole."),
        *at(5_000, c.ShrinkPool("auth", 1)),
        *say(5_010, "Somebody cut auth's pool of database connections from 20 to 1. At some 10 requests a second "
                    "nobody notices: the median query takes 8 ms, so the one connection is idle most of the time."),
        *at(5_500, c.SetLoad("steady", 110)),
        *say(5_510, "Now a rush: 110 a second. The median query takes 8 ms, the way there and back 1 ms more: "
                    "110 a second is all that one connection can do."),
        *at(6_600, c.SetLoad("steady", 10)),
        *say(8_300, "The rush is over; its traces are here. The tool compares the slowest 1 percent with the faster "
                     "half, and adds up what their critical paths have that the others have not: all of that "
                     "extra time was waiting for the pool of auth, behind up to 12 others. auth-db itself was as fast "
                     "as ever. One trace could not show that: 'at p99' is a statement about many."),
    ),
)  # fmt: skip

DROPPED_HEADER: Final = Scenario(
    name="dropped-header",
    title="One of 72 services drops the header",
    summary="catalog forgets to pass the trace headers on. Traces break in two, and the halves know nothing of "
            "each other.",
    variant=HEAD,
    config=_world(services=72, rate=3),
    end_us=12_000 * US_PER_MS,
    breaks=(ONE_TRACE,),
    script=(
        *say(1_000, "72 services. A checkout touches more than thirty of them, and is one trace. It needs every "
                    "single one of them to extract the header and to inject it again."),
        *at(3_000, c.DropHeader("catalog")),
        *say(3_010, "A new HTTP client in catalog does not know the header. Everything still works; only the traces "
                    "do not. What catalog calls finds no traceparent and starts a trace of its own."),
        *say(11_500, "New traces begin in catalog-cache and in shipping now, where nothing ever began. Those of the "
                     "cache are a single span: so short that a list by latency has them at its end. And in the old "
                     "ones calls of catalog lead nowhere. That "
                     "is how it is found: traces begin in a service that others are known to call, and exactly one "
                     "caller of theirs hears nothing from below."),
    ),
)  # fmt: skip

UNUSED_PARENT: Final = Scenario(
    name="unused-parent",
    title="The parent that was extracted and never used",
    summary="The sketch in many articles: the context is extracted, then a new span is started without it.",
    variant=HEAD,
    config=_world(services=12, rate=3),
    end_us=6_000 * US_PER_MS,
    breaks=(ONE_TRACE,),
    script=(
        *say(1_000, "parent = extract(headers); span = start_span(name). Read it again: parent is not used. The span "
                    "needs it, as in start_span(name, parent)."),
        *at(2_000, SetRule("continue_trace", False)),
        *say(5_500, "Now every service does it like that. The headers travel, every service reads them, and each "
                    "starts a trace of its own: a request is as many traces as it has hops. Look at a hop: it came "
                    "with a traceparent, and led to another trace id."),
    ),
)  # fmt: skip

RETRY_STORM: Final = Scenario(
    name="retry-storm",
    title="A retry storm, seen in spans",
    summary="auth-db fails 40 percent of its calls, and every layer tries three times.",
    variant=HEAD,
    config=_world(services=12, traffic="product", rate=8),
    end_us=13_000 * US_PER_MS,
    script=(
        *say(1_000, "gateway calls auth, auth calls auth-db: two layers above the database. Watch the spans of one "
                    "trace: one call each."),
        *at(3_000, c.Amplify("auth-db", 400_000, 3)),
        *say(3_010, "auth-db now fails 40 percent of its calls, and every caller tries three times, at once. Three "
                    "attempts at each of two layers: up to nine queries for one request."),
        *say(7_500, "Go down a trace: the same query under the same parent again and again, each with a higher "
                    "http.request.resend_count (made for HTTP; queries carry it here, too). Retries hide the failure "
                    "from the user, and feed it: of all first attempts 0.4 come back, and of the second again."),
        *at(8_000, c.SetBreakers(True)),
        *say(12_500, "With breakers the storm ends itself. At 10.0 s auth had seen 11 of 22 calls fail and stopped "
                     "calling its database; then the gateway stopped calling auth. Their spans end at once, with "
                     "circuit_open, nothing lies below them. The retries had hidden the errors: now every user gets "
                     "one, within 4 ms, and auth-db can recover. A retry budget keeps the door open."),
    ),
)  # fmt: skip

FAN_OUT: Final = Scenario(
    name="fan-out",
    title="Fan-out: the slowest of n",
    summary="The home page asks four services at the same time. It is as slow as the slowest of them.",
    variant=HEAD,
    config=_world(services=24, traffic="home", rate=11),
    end_us=12_200 * US_PER_MS,
    script=(
        *say(1_000, "GET /home asks auth first, then four services at once: their bars lie side by side. Only one of "
                    "them is on the critical path, the one that ends last. The others could be slower and nobody "
                    "would notice."),
        *say(5_500, "If each of four is slow in 1 of 100 calls, the page is slow in 4 of 100. With a hundred it would "
                    "be 63. So the p99 of a service becomes the median of a page."),
        *at(7_500, c.SlowService("vouchers", 600)),
        *say(12_050, "vouchers takes six times as long on average. It was hardly ever the last of the four; now it "
                     "nearly always is, and lies on the critical path. It takes 27 ms more on average, and the page "
                     "18: what its siblings had taken anyway is not felt."),
    ),
)  # fmt: skip

ASYNC_CONSUMER: Final = Scenario(
    name="async-consumer",
    title="A consumer that does not block",
    summary="The mailer takes thirty times as long. Its traces grow long, and no user waits a microsecond more.",
    variant=HEAD,
    config=_world(services=12, traffic="checkout", rate=4),
    end_us=10_000 * US_PER_MS,
    script=(
        *say(1_000, "POST /checkout ends with a message: orders publishes OrderPlaced, and the mailer consumes it "
                    "later. The span of the consumer hangs under that of the producer and has a link to it."),
        *at(3_000, c.SlowService("mailer", 3_000)),
        *say(9_500, "The mailer now needs some 0.4 s for a message, thirty times as long. Go down to its span: it "
                    "sticks out far beyond the end of the root, and none of it is on the critical path: nobody waits. "
                    "A tool that takes the last span for the end of the request blames the mailer for nothing. There "
                    "is no verdict here, and with a hundred checkouts it would not name the mailer."),
    ),
)  # fmt: skip

CLOCK_SKEW: Final = Scenario(
    name="clock-skew",
    title="A child that starts before its parent",
    summary="The clock of cart is 60 ms behind. Its spans begin before it is called; correction moves them, openly.",
    variant=HEAD,
    config=_world(services=12, rate=5, traffic="cart"),
    end_us=12_000 * US_PER_MS,
    script=(
        *say(1_000, "Spans carry the time of the machine they were made on. NTP keeps machines within a few "
                    "milliseconds of each other, mostly."),
        *at(3_000, Skew("cart", -60_000, 0)),
        *say(7_500, "cart's clock is now 60 ms behind: its spans start before the gateway calls it, and all that lies "
                    "outside of the caller's span is cut off the critical path. What is left of the path is exact, "
                    "and wrong: the time of cart seems to be spent in the gateway, in its call."),
        *at(8_000, c.Correct(True)),
        *say(11_500, "With correction on, the spans of cart are moved to where all calls to it allow them to be. That "
                     "is a guess, so it is off by default, says at the top how far it moved whom, and changes "
                     "nothing of what was recorded."),
    ),
)  # fmt: skip

HEAD_SAMPLING: Final = Scenario(
    name="head-sampling",
    title="Head sampling misses the error",
    summary="One trace in ten is kept, decided before anything has happened. The failed checkouts are not among them.",
    variant=HEAD,
    config=_world(services=12, traffic="checkout", rate=5, keep_ppm=100_000, attempts=1),
    end_us=14_000 * US_PER_MS,
    script=(
        *say(1_000, "One trace in ten is kept; none so far. The root decides for all: it compares the randomness in "
                    "the trace id with a threshold, and the sampled flag in traceparent carries the answer. Nobody "
                    "else decides, so a trace is kept whole or not at all."),
        *at(2_000, c.Amplify("payment", 60_000, 1)),
        *say(13_500, "payment failed 6 percent of its calls. The strip shows the errors; the list of traces shows "
                     "none. At one in ten, nine of ten failures leave no trace. And no diagnosis: a "
                     "handful of traces says nothing about p99. The story tail-sampling has the same seed and the same "
                     "requests."),
    ),
)  # fmt: skip

TAIL_SAMPLING: Final = Scenario(
    name="tail-sampling",
    title="Tail sampling keeps it",
    summary="The same requests. The collector waits until a trace is complete, then keeps every error.",
    variant=TAIL,
    config=_world(services=12, traffic="checkout", rate=5, keep_ppm=100_000, attempts=1, slow_ms=200),
    end_us=14_000 * US_PER_MS,
    script=(
        *say(1_000, "Everything is recorded and sent. The collector holds each trace back until it has been quiet for "
                    "a second, and only then decides."),
        *at(2_000, c.Amplify("payment", 60_000, 1)),
        *say(13_500, "Every failed checkout is in the list, beside one in ten of the others. The price: all spans "
                     "travel, wait in the memory of a collector, and those of one trace must come to the same one. "
                     "What is kept is no fair sample any more, so there is no p99 to be had from it."),
    ),
)  # fmt: skip

TORN_TRACES: Final = Scenario(
    name="torn-traces",
    title="Every service samples for itself",
    summary="Without the parent's decision each service flips a coin, and no trace is whole.",
    variant=HEAD,
    config=_world(services=12, rate=4, keep_ppm=500_000),
    end_us=6_000 * US_PER_MS,
    breaks=(ALL_OR_NONE,),
    script=(
        *say(1_000, "Half of the traces are kept, drawn at random, and each of them whole: so far all three. The flag "
                    "in the header is all it takes."),
        *at(2_000, SetRule("parent_decides", False)),
        *say(5_500, "Now each service decides for itself, also one in two. (The checkouts at the top are from before.) "
                    "A trace of six services is whole in one of 64 cases. The others have holes: a ? marks a span that "
                    "others name as parent. Who lacks only leaves looks whole."),
    ),
)  # fmt: skip

CACHE_STAMPEDE: Final = Scenario(
    name="cache-stampede",
    title="A cache stampede",
    summary="A cache is flushed at 70 requests a second. What it held back falls on a pool of three connections.",
    variant=HEAD,
    config=_world(services=12, traffic="product", rate=10),
    end_us=4_400 * US_PER_MS,
    script=(
        *say(500, "catalog asks its cache, which has 98 of 100 items, and its database for the rest. Three "
                    "connections are plenty for 2 percent."),
        *at(1_200, c.SetLoad("steady", 70)),
        *say(1_900, "70 requests a second, and still hardly a query: the database is idle."),
        *at(2_000, c.ColdCache("catalog-cache")),
        *say(2_010, "Somebody flushes the cache. At first all 70 a second, on average, need a query of 18 ms; three "
                    "connections can do 160 a second: enough on average, and full at every cluster of arrivals."),
        *say(4_300, "The verdict does not stop at the queries and the wait for the pool of catalog, where the extra "
                    "time goes: it asks why queries are made at all. The slow traces have cache.hit=false, the fast "
                    "ones have not. A larger pool would only move the queue into the database."),
    ),
)  # fmt: skip

SCENARIOS: Final = (
    AUTH_POOL, DROPPED_HEADER, UNUSED_PARENT, RETRY_STORM, FAN_OUT, ASYNC_CONSUMER, CLOCK_SKEW, HEAD_SAMPLING,
    TAIL_SAMPLING, TORN_TRACES, CACHE_STAMPEDE,
)  # fmt: skip
