"""Why: the rule behind an event or a check, why it exists, what would go wrong without it, and where it is written."""

from typing import Final

from engines.resilience import Cause
from engines.resilience.world import events as e
from engines.resilience.world.checks import DEMANDS, ONCE, OPEN, PERMITS, PROBES, RETRIES, WASTE, WINDOW
from engines.resilience.world.messages import Outcome
from engines.resilience.world.snapshot import Snapshot
from engines.sim import events as k
from engines.sim.events import Event
from engines.sim.rules import RuleSwitched
from tui.kit import explain as kit
from tui.panels.resilience import queries

LESSONS: Final[dict[str, tuple[str, ...]]] = {
    "trip": (
        "Rule: a closed breaker lets every call through and counts how it ends. When enough calls are in its window "
        "and too large a part of them failed, it opens: from then on it rejects at once, without asking.",
        "Why a part and not a number: 50 failures are nothing at 10,000 calls a second, and everything at 60. Why a "
        "minimum of calls: without one the first failed call is 100 % of all, and trips it.",
        "50 % over 10 s and 30 s open is no standard. Hystrix waits 5 s, resilience4j 60 s over the last 100 calls, "
        "Polly trips at 10 % over 30 s, opossum has the same numbers but > instead of >= and no minimum. p shows each.",
        "Source: Nygard, Release It!, 2nd ed. 2018, circuit breaker; the documentation of the libraries named.",
    ),
    "slow": (
        "Rule: a call that takes longer than the slow threshold counts as slow, even if it succeeds. Too large a part "
        "of slow calls opens the breaker like failures do.",
        "Why: a server that answers late does more harm than one that refuses. Every waiting call holds a worker, and "
        "workers are what runs out first.",
        "Of the presets only resilience4j has it, and by default it means 100 % of calls over 60 s: practically off.",
        "Source: resilience4j, slowCallRateThreshold and slowCallDurationThreshold.",
    ),
    "open": (
        "Rule: an open breaker rejects every call at once. The caller learns in microseconds what would have taken it "
        "a timeout, and the server behind gets time to work off its queue.",
        "It saves the callers' workers and the server's queue. It does not save the request: somebody has to answer "
        "it another way. A breaker without timeouts, bulkheads and fallbacks moves the failure, no more.",
        "Hystrix, resilience4j and Polly become half-open lazily: only when a call comes after the wait is over. "
        "opossum has a timer. Without calls a lazy breaker stays open for ever, which is harmless.",
        "Source: Nygard 2018; the documentation of the libraries named.",
    ),
    "half": (
        "Rule: after the wait the breaker lets a few calls through as probes and rejects the rest. If they succeed it "
        "closes, if they fail it is open for another wait.",
        "Why few: the server has just recovered, or has not. All the traffic at once would knock it down again.",
        "How many: Hystrix, Polly, opossum and the article 1; resilience4j 10, judged as a window of their own. If "
        "their results never come and the longest time half-open is 0, its default, it hangs there for ever.",
        "A probe that is rejected further in, by a full bulkhead, has to give its permit back: else nobody probes any "
        "more. Switch that rule off with b to see it.",
        "Source: resilience4j, permittedNumberOfCallsInHalfOpenState, maxWaitDurationInHalfOpenState.",
    ),
    "close": (
        "Rule: when the probes succeed the breaker closes, and its window begins anew: what failed before the wait "
        "says nothing about the server of now.",
        "Why that is not the end: the calls that were held back come at once. A server that recovered with an empty "
        "queue can be filled again within a second.",
        "Source: Hystrix, markSuccess resets the metrics stream; resilience4j, Polly and opossum likewise.",
    ),
    "late": (
        "A call that began while the breaker was closed can end when it is open or half-open. What does it count for?",
        "In Polly and opossum such a result closes or re-opens a half-open breaker, though it says how the server was "
        "and not how it is. In resilience4j it is counted while open and cannot trip.",
        "Source: Polly, CircuitStateController; opossum, circuit.js; resilience4j, OpenState.onError.",
    ),
    "overtaken": (
        "Hystrix since 1.5.13: every call that ends while the probe is out opens the breaker again and starts the wait "
        "anew, also one that was only turned away. When the probe succeeds a moment later nobody listens.",
        "It is a known fault, and the answer to 'why does my Hystrix never close': under steady calls a probe that "
        "takes longer than the next call is away is always overtaken. Fewer calls, or a quicker service, let it close.",
        "Every other preset turns such a call away and waits for its probe. Here it is one number of the breaker, "
        "rejection reopens, so it can be switched off and compared.",
        "Source: Netflix/Hystrix, issues 1853 and 1861; HystrixCircuitBreaker.markNonSuccess.",
    ),
    "forced": (
        "A person may overrule the machine: forced open rejects everything, disabled lets everything pass and counts "
        "nothing, metrics only lets everything pass and counts. None of them leaves by itself.",
        "Source: resilience4j, CircuitBreaker.transitionToForcedOpenState and its siblings.",
    ),
    "retry": (
        "Rule: a failed attempt is made again after a pause, at most r times. That hides failures that are rare and "
        "independent: of calls that fail 1 in 100 with 3 retries 1 in 100 million fails.",
        "It multiplies failures that are neither. If everything fails every call is made 1 + r times; over L layers "
        "that each retry the last one sees (1+r)^L: 3 retries in 3 layers make 64 attempts of one call.",
        "So retry in one layer only, and within a budget: retries may be 5 or 20 % of the calls, come what may. Then "
        "the amplification is 1.05 or 1.2 instead of 4.",
        "Source: Brooker, Exponential backoff and jitter, 2015; Google SRE book, ch. 22; Envoy and Finagle budgets.",
    ),
    "backoff": (
        "Pauses that grow give a server time. Pauses that are equal for all bring everybody back at once: a herd that "
        "is as large as the outage was long.",
        "Full jitter draws from 0 to min(cap, b 2^a); equal jitter from its upper half; decorrelated jitter from b to "
        "three times the last pause. All spread the herd; full jitter needs the fewest calls.",
        "Source: Brooker, Exponential backoff and jitter, 2015.",
    ),
    "budget": (
        "Rule: a retry needs a token. Every call brings a part of one, 20 % in Finagle and Envoy, and a few come by "
        "the second so that quiet clients may retry too. No token, no retry: the failure goes up at once.",
        "Why: a budget knows what no single call can know, that everybody fails. It caps the amplification near 1 + "
        "budget: what is left has to fit into the capacity. At 90 % load 20 % is too much, as 0.9 x 1.2 = 1.08.",
        "Source: Finagle RetryBudget; Envoy retry_budget (20 %, at least 3 concurrent).",
    ),
    "storm": (
        "A metastable failure: the trigger is gone and the system stays down, because something keeps it there. Here "
        "it is work that nobody waits for any more: every attempt times out in the queue and is made again.",
        "The sum: at 90 % load there is 10 % to spare. With 3 retries failing calls bring four times the load, the "
        "queue grows longer than the timeout, and so every call fails. Less load ends it; more servers may not.",
        "Three cures, each one key: a breaker (G), a retry budget (B), shedding the load that "
        "cannot be served in time (L). Each cuts the loop at another place.",
        "Source: Bronson, Aghayev, Charapko, Zhu, Metastable failures in distributed systems, HotOS 2021.",
    ),
    "timeout": (
        "Rule: who waits longer than the timeout stops waiting. It frees the caller; it does not stop the server, "
        "which works on for nobody unless it is told.",
        "A timeout shorter than the wait in the queue makes every call fail while the server is busy with all of them. "
        "One that is longer than the caller's own is never reached.",
        "Source: Nygard 2018, timeouts; Google SRE book, ch. 22.",
    ),
    "deadline": (
        "Rule: a call carries the moment at which nobody waits for it any more. Who takes it from a queue after that "
        "drops it; who calls on hands down what is left.",
        "Why: work past its deadline is pure waste, and under overload most work is. Dropping it costs nothing and "
        "turns a long queue of the dead into a short one of the living.",
        "Source: gRPC deadlines and their propagation; Google SRE book, ch. 22.",
    ),
    "bulkhead": (
        "Rule: at most so many calls at a time may go to one service, and a few more may wait. The rest are rejected.",
        "Why: a slow service otherwise takes all workers of its callers, one waiting call each, and then also what has "
        "nothing to do with it stands still. Walls between the compartments keep the ship afloat.",
        "A permit that is not given back is lost for ever: the wall closes. The check on permits watches that.",
        "Source: Nygard 2018, bulkheads; Hystrix thread pools and semaphores; resilience4j Bulkhead.",
    ),
    "limiter": (
        "A token bucket: tokens come at a rate and are kept up to a burst; a call takes one. It bounds how many calls "
        "begin a second; a bulkhead bounds how many run at a time.",
        "Source: Turner 1986, token bucket; resilience4j RateLimiter.",
    ),
    "shed": (
        "Rule: a server whose queue is longer than it can work off in time refuses new calls at once.",
        "Why: a refusal costs next to nothing, a call that is served too late costs as much as one served in time. "
        "By refusing 30 % it serves 70 %; by accepting all it serves none.",
        "Source: Google SRE book, ch. 21 and 22; Zhou et al., Overload control for WeChat microservices, 2018.",
    ),
    "queue": (
        "A queue evens out bursts; it cannot even out an overload. If more comes than leaves it grows, and every call "
        "in it waits for all before it: length times service time, divided by workers.",
        "Little's law: calls in the system = arrivals a second times the time each stays. The inspector does the sum.",
        "Source: Little 1961.",
    ),
    "hedge": (
        "Rule: an answer that is late, later than 95 % are, is asked for a second time elsewhere, and the first one "
        "wins. It cuts the slowest calls and costs about 5 % more load.",
        "It is a cure for unlucky calls, not for a busy service: there it is one more way to make more load.",
        "Source: Dean and Barroso, The tail at scale, 2013.",
    ),
    "fallback": (
        "Another answer for a call that failed or was rejected: an old one, a default, an empty list. The page comes, "
        "poorer. A fallback that calls another service needs a breaker of its own.",
        "Source: Hystrix, getFallback; Nygard 2018.",
    ),
    "outlier": (
        "Rule: hosts of one service are watched one by one. One with 5 errors in a row, or far below the mean of the "
        "others, is taken out for 30 s times how often that happened, and its calls go to the others.",
        "What Envoy calls circuit breaking is something else: caps on connections, pending requests, requests at a "
        "time and retries. Its breaker in the sense of this panel is outlier detection.",
        "By default at most 10 % of hosts may be out, which is nobody of 2 to 9 hosts: this scenario allows more. "
        "And if too many are out it panics and uses all, as half a service would be overrun.",
        "Source: Envoy documentation, outlier detection and circuit breaking.",
    ),
    "injected": (
        "A fault put into an edge on purpose: a part of the calls is delayed, a part is answered with an error, each "
        "drawn independently. The service behind does not even notice an abort.",
        "Istio's fault injection is a tool for tests: whether timeouts, retries and breakers do what one hopes.",
        "Source: Istio, VirtualService HTTPFaultInjection.",
    ),
    "call": (
        "A call goes from the client through api to the services that have what it needs, and each asks its database. "
        "On every edge it passes, from the outside in, retry, breaker, limiter, timeout and bulkhead; o changes that.",
        "The order matters: a retry outside the breaker is counted attempt by attempt and stops when it opens; a "
        "retry inside it is one call to the breaker, which learns late.",
        "Source: resilience4j, default order of the aspects.",
    ),
    "order": (
        "Retry(Breaker(Limiter(Timeout(Bulkhead(call))))) is the usual nesting. Outside first: who stands outside sees "
        "everything that those inside do.",
        "Breaker outside retry: three failed attempts are one failed call, so it trips late, and its open state cannot "
        "stop a call that retries already. Timeout outside retry: all attempts share one timeout.",
        "Source: resilience4j, default order of the aspects.",
    ),
    "preset": (
        "The same machine with other numbers and other boundaries: >= or >, lazily or by a timer, 1 probe or 10. All "
        "of them are called circuit breaker, and none of them opens at the same call as another.",
        "A change here begins a new window: old counts mean nothing under new rules.",
        "Source: the documentation and code of Hystrix, resilience4j, Polly v8 and opossum.",
    ),
    "load": (
        "Offered load is what clients ask for; attempts are what the network sees, retries included; goodput is what "
        "is answered in time. A healthy system has all three equal.",
        "At 100 % load a queue has no end: waiting time grows as 1 / (1 - load). That is why 90 % is close.",
    ),
    "crash": (
        "A service that dies takes its queue along; calls to it fail by their timeout, not at once. A restart begins "
        "with an empty queue, and breakers elsewhere know nothing of it until they probe.",
        "Breakers live in the callers: one that crashes comes back closed, with an empty window.",
    ),
    "fault": (
        "Three faults look the same to a caller: a crash loses what was in memory, a freeze loses only time, a cut "
        "loses messages. All three are silence, and a timeout is all there is to tell them by.",
        "What differs is afterwards: a frozen service answers all that waited, for callers that have long gone.",
    ),
    "network": (
        "A lost request and a lost answer look alike: a timeout. After a lost answer the work was done, and the retry "
        "does it again: calls that are retried have to be idempotent.",
        "Messages that come twice do the work twice as well, though nobody retried.",
    ),
    "clock": (
        "Windows, waits and timeouts run on monotonic clocks, and a deadline travels as the time that is left. So a "
        "wall clock that jumps does nothing here; where deadlines are sent as times of day it fails every call.",
    ),
    "rule": (
        "A rule is switched off everywhere at once, to see why it is there. The checks in the top line name what "
        "breaks, and e shows the witness.",
    ),
    "setting": (
        "Settings can be changed while it runs; t lists them and the inspector always shows those in force. A breaker "
        "whose window changes begins with an empty one.",
    ),
    "lecture": kit.LECTURE,
}  # fmt: skip
"""Lessons by name."""

OF_KIND: Final[dict[type, str]] = {
    e.BreakerMoved: "open", e.CallRejected: "open", e.CallTurnedAway: "bulkhead", e.CallRetried: "retry",
    e.RetryDenied: "budget", e.CallFailed: "timeout", e.FallbackServed: "fallback", e.CallHedged: "hedge",
    e.HostEjected: "outlier", e.HostKept: "outlier", e.HostReturned: "outlier", e.RequestRefused: "shed",
    e.WorkWasted: "deadline", e.YouCalled: "call", e.YouAnswered: "call", e.ShopServed: "load", e.LoadSet: "load",
    e.MixSet: "load", e.BurstMade: "queue", e.DelayInjected: "injected", e.AbortInjected: "injected",
    e.ServiceSlowed: "storm", e.HostSickened: "outlier", e.ServiceTuned: "queue", e.PresetChosen: "preset",
    e.BreakerOrdered: "forced", e.OptionSet: "setting", e.BackoffSet: "backoff", e.OrderSet: "order",
    e.CureApplied: "storm", RuleSwitched: "rule",
}  # fmt: skip
"""Which lesson explains which kind of event of the shop."""
OF_WORLD: Final[dict[type, str]] = {
    **kit.OF_KERNEL, k.Partitioned: "network", k.TimersExpired: "clock", k.TimerFired: "setting",
}  # fmt: skip
"""The same for what befalls every world."""

OF_OUTCOME: Final = {
    Outcome.LIMITED: "limiter", Outcome.BULKHEAD: "bulkhead", Outcome.CAPPED: "outlier", Outcome.FULL: "queue",
    Outcome.SHED: "shed", Outcome.EXPIRED: "deadline", Outcome.TIMEOUT: "timeout", Outcome.OPEN: "open",
    Outcome.ABORTED: "injected", Outcome.ERROR: "retry", Outcome.DOWNSTREAM: "retry",
}  # fmt: skip
"""A call that ended badly is explained by how it did."""

OF_CAUSE: Final = {
    Cause.FAILURE_RATE: "trip", Cause.SLOW_RATE: "slow", Cause.WAIT_OVER: "half", Cause.PROBE_SUCCEEDED: "close",
    Cause.PROBE_FAILED: "half", Cause.PROBE_ABANDONED: "half", Cause.LATE_SUCCESS: "late", Cause.LATE_FAILURE: "late",
    Cause.CALL_REJECTED: "overtaken", Cause.RATES_BELOW: "close", Cause.HALF_OPEN_EXPIRED: "half",
    Cause.RESET: "forced", Cause.DISABLE: "forced", Cause.METRICS: "forced", Cause.FORCE_OPEN: "forced",
}  # fmt: skip
"""A breaker that moved is explained by what moved it."""

OF_CURE: Final = {"breaker": "storm", "budget": "budget", "shedding": "shed", "deadline": "deadline"}

IF_BROKEN: Final = {
    OPEN: "A call that passes an open breaker does what the breaker is there to prevent: it loads a service that "
          "cannot bear it.",
    PROBES: "Half-open admits a few, because the service has just recovered. More than that is a herd.",
    WINDOW: "A breaker that counts other calls than those it let through judges something else. Without successes in "
            "it every rate is 100 %.",
    RETRIES: "(1+r)^L is what retries can cost at worst, and a budget is a promise to cost less.",
    PERMITS: "A permit that nobody gives back is gone: a bulkhead fills up for ever, and a half-open breaker waits for "
             "a probe that will not come.",
    ONCE: "A call that ends twice frees its permit twice and is counted twice; one that vanishes holds it for ever.",
    WASTE: "Who does not count what is done for nobody sees busy workers and believes them useful: that is how a "
           "storm looks healthy.",
}  # fmt: skip


def lesson_of(event: Event) -> str:
    """Which lesson explains an event: by its cause or outcome where they tell more than its kind."""
    match event.what:
        case e.BreakerMoved(moved=moved):
            return OF_CAUSE[moved.cause]
        case e.CallTurnedAway(why=why) | e.RequestRefused(why=why) | e.CallFailed(why=why):
            return OF_OUTCOME.get(why, OF_KIND[type(event.what)])
        case e.CureApplied(cure=cure):
            return OF_CURE[cure]
        case what:
            return OF_KIND.get(type(what)) or OF_WORLD[type(what)]


def explain(snapshot: Snapshot, event: Event) -> tuple[str, ...]:
    """What became of it, and the lesson behind it; what happened stands above. Paragraphs."""
    return (*_now(snapshot, event), *LESSONS[lesson_of(event)])


def _now(snapshot: Snapshot, event: Event) -> tuple[str, ...]:
    """What became of the breaker since: where it is now, and what would move it."""
    told = isinstance(event.what, e.BreakerMoved | e.CallRejected)
    edge = snapshot.edge(event.what.edge) if told else None
    if edge is None or edge.breaker is None:
        return ()
    breaker = edge.breaker
    turned = f"; it has turned {breaker.rejected:,} calls away so far" if breaker.rejected else ""
    return (f"Now it is {queries.standing(snapshot, breaker)}: {breaker.why.closes}{turned}.",)


explain_check: Final = kit.checks(DEMANDS, IF_BROKEN)
"""What the check demands; if it failed, who saw what and which rule is missing. Paragraphs."""
