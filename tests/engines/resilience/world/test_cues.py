"""What a lecturer says is true on the screen at which it is said: every number and every name of every cue.

A claim is a piece of a cue and what must hold of the snapshot at its moment. A cue may not hold a digit that no claim
covers; what is true of any run (a default of a
library, a sum) is a claim without a condition.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import pytest

from engines.resilience import PRESETS
from engines.resilience.pattern import PATTERN
from engines.resilience.world import commands as c
from engines.resilience.world import events as e
from engines.resilience.world import topology as t
from engines.resilience.world.snapshot import Snapshot
from engines.sim.faults import Narrate
from engines.sim.service import Pauses
from engines.sim.timeline import Timeline
from tests.engines.resilience.world.lab import Run, happened, story

Claim = tuple[str, Callable[[Any], Any]]
"""A piece of the cue, and what must hold of the snapshot: of whatever it has at that moment."""
S = 1_000_000
STORM_S: Final = 0.22 + 0.03 + 2 * 0.025
"""What a call to catalog takes in the storms: its own work, its database's, and the way there and back."""


@cache
def run(name: str, ms: int) -> Run:
    """The story as it stands at this moment."""
    scenario = story(name)
    found: Run = Timeline(PATTERN.variant(scenario.variant), scenario.seed, scenario.config, scenario)
    found.advance(ms * 1_000)
    return found


def seen(name: str, ms: int) -> Snapshot:
    """What there is to see then."""
    found = run(name, ms).snapshot()
    assert isinstance(found, Snapshot)
    return found


def always(_: Any) -> bool:
    """True of any run."""
    return True


def edge(s: Snapshot, id: str = "api>catalog") -> Any:
    """An edge that is there."""
    return s.edge(id)


def breaker(s: Snapshot, id: str = "api>catalog") -> Any:
    """A breaker that is there."""
    return edge(s, id).breaker


def service(s: Snapshot, id: str) -> Any:
    """A service that is there."""
    return s.service(id)


def goodput(s: Snapshot, seconds: float) -> float:
    """Answered a second, of late."""
    rows = [row.goodput for row in s.series if row.at_us > s.now_us - seconds * S]
    return sum(rows) / len(rows)


def since(s: Snapshot, seconds: float, at_s: float, off: float = 0.05) -> bool:
    """Whether that many seconds have passed since then."""
    return abs(s.now_us / S - at_s - seconds) <= off


def refusals(name: str, ms: int) -> int:
    """How many calls catalog refused until then."""
    return sum(each.times for each in happened(run(name, ms), e.RequestRefused))


def pauses(us: int) -> Pauses:
    """The service times of the story of hedging."""
    found = t.service_time(us, "pauses")
    assert isinstance(found, Pauses)
    return found


def ended_by(name: str, ms: int) -> set[str]:
    """How calls have failed, and why requests were refused."""
    found = {each.why.value for each in happened(run(name, ms), e.CallFailed)}
    return found | {each.why.value for each in happened(run(name, ms), e.RequestRefused)}


def idle(s: Snapshot, *names: str) -> bool:
    """Whether these services have nothing to do."""
    return all(service(s, name).busy == service(s, name).queue == 0 for name in names)


def lasted(s: Snapshot, id: str = "api>catalog") -> list[tuple[str, int]]:
    """The states of a breaker, and the seconds each lasted."""
    return [(each.state, round(each.lasted_us / S)) for each in breaker(s, id).history]


def storms(*, room: bool = True) -> tuple[Claim, ...]:
    """The opening of the storms."""
    return (
        ("catalog has 6 threads", lambda s: service(s, "catalog").workers == 6),
        ("needs 0.3 s for a call", lambda s: pytest.approx(0.3) == STORM_S),
        ("it can do 20 a second", lambda s: pytest.approx(20) == 6 / STORM_S),
        ("16 come on average, at random", lambda s: s.load.per_s == 16 and s.load.poisson),
        ("just now fewer", lambda s: sum(row.offered for row in s.series[-3:]) < 3 * 16),
        ("80 % load", lambda s: 16 / 20 == 0.8),
        ("Its callers wait 1 s and try 3 more times", lambda s: (edge(s).timeout_us, edge(s).retry.retries) == (S, 3)),
        ("Every call is answered", lambda s: s.failed == 0 and s.good > 0),
    )


DIP: Final[tuple[Claim, ...]] = (
    ("For 5 s", lambda s: since(s, 5.5, 4)),
    ("twice as long", lambda s: service(s, "catalog").hosts[0].slow_percent == 200),
    ("about 12 a second now, and 16 come", lambda s: 11 < 6 / (STORM_S + 0.22) < 12.5),
    ("waits longer than 1 s", lambda s: service(s, "catalog").hosts[0].wait_us > S),
    ("three times: 64 attempts a second on average", lambda s: abs(_attempts(6.5, 13) - 4 * 16) <= 4),
    ("just now twice that", lambda s: abs(edge(s).attempts_per_s - 2 * 64) <= 4),
    ("a full line refuses at once", lambda s: "full" in ended_by("storm-budget", 9_500)),
    ("Goodput: 0", lambda s: goodput(s, 2) == 0),
)


def _attempts(begin_s: float, end_s: float) -> float:
    """Attempts a second at catalog between two moments of the storm, before anything cures it."""
    rows = [row.peak for row in seen("storm-budget", 13_000).series if begin_s * S <= row.at_us <= end_s * S]
    return sum(rows) / len(rows)


UNMENDED: Final[Claim] = ("over for 2.5 s, the storm has not", lambda s: since(s, 2.5, 10) and goodput(s, 2) == 0)

CLAIMS: Final[dict[tuple[str, int], tuple[Claim, ...]]] = {
    ("trip-and-recover", 4_000): (
        ("api calls catalog 6 times a second, and every call works", lambda s: s.load.per_s == 6 and s.failed == 0),
        ("is closed", lambda s: breaker(s).state == "closed"),
        ("the last 10 s in 10 buckets", lambda s: (breaker(s).options.window_us, breaker(s).options.buckets) == (
            10 * S, 10)),
        ("if they hold 20 calls", lambda s: breaker(s).minimum == 20),
    ),
    ("trip-and-recover", 7_000): (
        ("From 5 s on every call to catalog is answered with 503", lambda s: (
            edge(s).abort_percent, edge(s).abort_status) == (100, 503)),
        ("below 50 % nothing happens", lambda s: 0 < breaker(s).rate_ppm < breaker(s).options.failure_ppm == 500_000),
    ),
    ("trip-and-recover", 11_000): (
        ("Open since t = 9.7 s", lambda s: breaker(s).state == "open" and round(breaker(s).since_us / S, 1) == 9.7),
        ("29 of the 58 calls", lambda s: (breaker(s).why.last.bad, breaker(s).why.last.calls) == (29, 58)),
        ("api answers its callers at once and catalog hears nothing", lambda s: idle(s, "catalog")),
        ("open breaker: 30 s", lambda s: breaker(s).options.wait_us == 30 * S),
    ),
    ("trip-and-recover", 41_500): (
        ("30 s were over", lambda s: lasted(s)[:2] == [("open", 30), ("half_open", 0)]),
        ("the same 503", lambda s: edge(s).abort_status == 503),
        ("for another 30 s", lambda s: breaker(s).state == "open" and breaker(s).countdown_us > 25 * S),
    ),
    ("trip-and-recover", 44_000): (
        ("catalog is well again, since t = 42 s", lambda s: not edge(s).ailing),
        ("up to 30 s of errors", lambda s: breaker(s).state == "open"),
    ),
    ("trip-and-recover", 73_000): (
        ("closed, with an empty window", lambda s: lasted(s)[-1] == ("closed", -0) or breaker(s).state == "closed"),
        ("open for 60 s for an outage of 37", lambda s: sum(
            span for state, span in lasted(s) if state == "open") == 60 and 42 - 5 == 37),
    ),
    ("stuck-half-open", 4_000): (
        ("a window of 20 calls instead of 100 and 10 s of waiting instead of 60", lambda s: (
            breaker(s, "api>auth").options.size, PRESETS["resilience4j"].options.size,
            breaker(s, "api>auth").options.wait_us, PRESETS["resilience4j"].options.wait_us,
        ) == (20, 100, 10 * S, 60 * S)),
        ("10 probes in and decides when it has 10 results", lambda s: (
            breaker(s, "api>auth").options.probes, breaker(s, "api>auth").options.probes_needed) == (10, 10)),
        ("the calls to auth have no timeout", lambda s: edge(s, "api>auth").timeout_us == 0),
    ),
    ("stuck-half-open", 8_000): (
        ("503 from 5 s on", lambda s: edge(s, "api>auth").abort_status == 503),
        ("10 of the last 20 calls failed", lambda s: (
            breaker(s, "api>auth").why.last.bad, breaker(s, "api>auth").why.last.calls) == (10, 20)),
    ),
    ("stuck-half-open", 18_000): (
        ("auth crashed", lambda s: service(s, "auth").hosts[0].status == "crashed"),
        ("Some were answered", lambda s: 0 < breaker(s, "api>auth").calls < 10),
    ),
    ("stuck-half-open", 30_000): (
        ("auth has been back for 11 s", lambda s: since(s, 11, 19) and service(s, "auth").hosts[0].status == "up"),
        ("all 10 probes are given away", lambda s: breaker(s, "api>auth").why.probes_left == 0),
        ("By default nothing limits", lambda s: PRESETS["resilience4j"].options.half_open_max_us == 0),
        ("restarts api. Eight threads of api", lambda s: service(s, "api").busy == 8),
    ),
    ("stuck-half-open", 33_000): (
        ("for at most 5 s", lambda s: breaker(s, "api>auth").options.half_open_max_us == 5 * S),
        ("for 14.3 s", lambda s: round(breaker(s, "api>auth").why.last.lasted_us / S, 1) == 14.3),
        ("waits 10 s once more", lambda s: breaker(s, "api>auth").state == "open" and breaker(
            s, "api>auth").options.wait_us == 10 * S),
        ("ten new probes", lambda s: breaker(s, "api>auth").options.probes == 10),
    ),
    ("stuck-half-open", 44_000): (
        ("ten answers in time: closed", lambda s: breaker(s, "api>auth").state == "closed" and breaker(
            s, "api>auth").why.last.calls == 10),
        ("Eight threads of api still wait", lambda s: edge(s, "api>auth").running >= 8 and service(s, "api").busy >= 8),
        ("no timeout", lambda s: edge(s, "api>auth").timeout_us == 0),
    ),
    ("slow-calls", 4_000): (
        ("more than 500 ms; half of the calls", lambda s: (
            breaker(s).options.slow_us, breaker(s).options.slow_ppm) == (500_000, 500_000)),
        ("default is 60 s and 100 %", lambda s: (
            PRESETS["resilience4j-time"].options.slow_us, PRESETS["resilience4j-time"].options.slow_ppm) == (
            60 * S, S)),
    ),
    ("slow-calls", 8_000): (
        ("catalog takes 30 times as long since t = 5 s: about a second", lambda s: service(
            s, "catalog").hosts[0].slow_percent == 3_000 and service(s, "catalog").mean_us == 30_000),
        ("The error rate is 0 %", lambda s: edge(s).errors_ppm == breaker(s).rate_ppm == 0),
        ("the threads of api", lambda s: service(s, "api").busy > 3),
    ),
    ("slow-calls", 13_000): (
        ("Open, without a single error", lambda s: breaker(s).state == "open" and breaker(s).rate_ppm == 0),
        ("catalog's threads come free", lambda s: service(s, "catalog").busy == 0),
    ),
    ("slow-calls", 30_000): (
        ("catalog is fast again since t = 14 s", lambda s: not service(s, "catalog").hosts[0].ailing),
        ("After 10 s of waiting the probes went out, ten of them", lambda s: lasted(s)[0] == ("open", 10) and breaker(
            s).options.probes == 10),
        ("none was slow: closed", lambda s: breaker(s).state == "closed"),
    ),
    **{(name, 3_500): storms() for name in ("retry-storm", "storm-breaker", "storm-budget", "storm-shedding")},
    **{(name, 9_500): DIP for name in ("retry-storm", "storm-breaker", "storm-budget", "storm-shedding")},
    ("retry-storm", 11_000): (
        ("catalog is as fast as ever", lambda s: not service(s, "catalog").hosts[0].ailing),
        ("20 calls a second to give for 16", lambda s: s.load.per_s == 16),
    ),
    ("retry-storm", 20_000): (
        ("Ten seconds after the dip: still nothing", lambda s: since(s, 10, 10) and goodput(s, 9) == 0),
        ("catalog works as hard as it can, for callers who have left", lambda s: service(
            s, "catalog").wasted_per_s == service(s, "catalog").done_per_s > 18),
        ("The line of 35 takes 1.8 s", lambda s: service(s, "catalog").queue == 35 and 35 / 20 == 1.75),
        ("the callers wait 1 s", lambda s: edge(s).timeout_us == S),
        ("4 attempts for every call", lambda s: s.amplified_ppm == 4 * S),
    ),
    ("storm-breaker", 12_500): (UNMENDED, ("before catalog", lambda s: breaker(s) is None)),
    ("storm-breaker", 17_000): (
        ("20 calls failed, and it opened", lambda s: (breaker(s).why.last.bad, breaker(s).state) == (20, "open")),
        ("catalog works off its line, for nobody, and then has nothing to do", lambda s: idle(s, "catalog")),
    ),
    ("storm-breaker", 47_000): (
        ("30 s later one probe", lambda s: lasted(s)[0] == ("open", 30) and breaker(s).options.probes == 1),
        ("met an empty catalog", always),
        ("closed, and every call is served again", lambda s: breaker(s).state == "closed" and edge(s).errors_ppm == 0),
        ("30 s of it were more than enough: the line was empty after 3", lambda s: service(
            seen("storm-breaker", 16_600), "catalog").queue == 0),
        ("At 80 % load", always),
    ),
    ("storm-budget", 12_500): (
        UNMENDED,
        ("nobody else retries here", lambda s: [
            each.id for each in s.edges if each.retry is not None and each.retry.retries and each.src != "api"] == []),
        ("5 % of the calls. 16 x 1.05 = 16.8 attempts a second will come to a catalog that can do 20", lambda s: (
            round(16 * 1.05, 1) == 16.8 and edge(seen("storm-budget", 16_000)).retry.budget_ppm == 50_000)),
        ("With 20 %, the usual budget, 19.2 would come: that barely fits", lambda s: round(16 * 1.2, 1) == 19.2 < 20),
    ),
    ("storm-budget", 16_000): (
        ("In 3 s the line went from 36 to 28: about 3 calls a second", lambda s: since(s, 3, 13) and [
            service(seen("storm-budget", ms), "catalog").queue for ms in (13_000, 16_000)] == [36, 28]
            and round((36 - 28) / 3) == round(20 - 16.8) == 3),
        ("Of 55 failed attempts the budget let 2 be made again", lambda s: [
            edge(s).retry.retried - edge(seen("storm-budget", 13_000)).retry.retried, edge(s).retry.denied] == [2, 53]),
        ("more jobs are wasted than attempts are made", lambda s: s.wasted_per_s > max(
            each.attempts_per_s for each in s.edges)),
        ("above 1 s of waiting every answer is too late", lambda s: (
            service(s, "catalog").hosts[0].wait_us > S and goodput(s, 2) == 0)),
    ),
    ("storm-budget", 26_000): (
        ("every call is answered again", lambda s: edge(s).errors_ppm == 0 and goodput(s, 3) > 10),
        ("only p99, which looks back, still tells of the storm", lambda s: edge(s).p99_us > S),
        ("It took 7 s", lambda s: 20 * S <= next(row.at_us for row in s.series if row.at_us > 13 * S and row.goodput)
         <= 21 * S),
    ),
    ("storm-shedding", 12_500): (
        UNMENDED,
        ("catalog sheds: whoever has waited longer than 500 ms", lambda s: service(
            seen("storm-shedding", 18_000), "catalog").shed_us == 500_000),
    ),
    ("storm-shedding", 18_000): (
        ("That was quick", lambda s: goodput(s, 3) > 15),
        ("catalog's own", always),
    ),
    ("no-head-room", 5_000): (
        ("No fault and no dip", lambda s: not any(host.ailing for each in s.services for host in each.hosts)),
        ("catalog can do 20 calls a second and gets 18, at random: 90 % load", lambda s: (
            s.load.per_s == 18 and s.load.poisson and pytest.approx(20) == service(s, "catalog").workers / STORM_S)),
        ("a second may bring 25", lambda s: max(
            one.offered + other.offered for one, other in zip(s.series, s.series[1:], strict=False)) / 2 >= 22),
        ("All is well so far", lambda s: s.failed == 0),
    ),
    ("no-head-room", 14_000): (
        ("It has collapsed by itself", lambda s: goodput(s, 2) == 0),
        ("patience of 1 s", lambda s: edge(s).timeout_us == S),
        ("4 attempts a call", lambda s: s.amplified_ppm // S == edge(s).retry.retries + 1 == 4),
        ("many for calls of before", lambda s: edge(s).attempts_per_s > 4 * edge(s, "clients>api").attempts_per_s),
        ("Goodput: 0", lambda s: goodput(s, 2) == 0),
        ("a breaker is put before catalog", lambda s: edge(s).breaker is None and breaker(
            seen("no-head-room", 16_500)).preset == "article"),
    ),
    ("no-head-room", 51_000): (
        ("It was open for 30 s, catalog's line emptied", lambda s: lasted(s)[0] == ("open", 30)),
        ("the probe closed it, and every call is served", lambda s: breaker(s).state == "closed" and goodput(
            s, 2) > 15),
        ("18 calls come for 20", lambda s: s.load.per_s == 18),
    ),
    ("no-head-room", 57_000): (
        ("it is open again", lambda s: breaker(s).state == "open" and len(breaker(s).history) == 4),
        ("catalog sheds whoever waited longer than 500 ms", lambda s: service(
            seen("no-head-room", 59_000), "catalog").shed_us == 500_000),
    ),
    ("no-head-room", 66_000): (
        ("All is well again", lambda s: goodput(s, 5) > 12 and edge(s).errors_ppm == 0),
        ("60 to 240 s after a cure, calls were answered: with a breaker 57 %, with a retry budget of 5 % 88 %, with "
         "shedding 100 %. (With more room, at 80 % load: 93, 99 and 100 %.)", always),  # in the soak: test_storm.py
    ),
    ("cascade", 5_000): (
        ("8 calls a second, of which 3 in 20 buy something and need payment", lambda s: s.load.per_s == 8 and (
            t.SHOP.count("buy"), len(t.SHOP)) == (3, 20) and "payment" in t.KINDS["buy"]),
        ("api has 8 threads", lambda s: service(s, "api").workers == 8),
        ("Timeouts between services are 10 s", lambda s: edge(s).timeout_us == 10 * S),
    ),
    ("cascade", 10_000): (
        ("payment-db takes 8 s instead of 40 ms", lambda s: service(s, "payment-db").mean_us == 40_000 and service(
            s, "payment-db").hosts[0].slow_percent == 20_000),
        ("payment, thread by thread", lambda s: service(s, "payment").busy > 1),
        ("The third in the chain is api: every purchase takes one of its 8 threads", lambda s: edge(
            s, "api>payment").running <= service(s, "api").busy),
    ),
    ("cascade", 25_000): (
        ("All 8 threads of api wait for payment", lambda s: edge(s, "api>payment").running == service(
            s, "api").busy == 8),
        ("auth, catalog and cart are idle", lambda s: idle(s, "auth", "catalog", "cart")),
        ("look at a catalog", always),
        ("used by 3 calls in 20", always),
    ),
    ("cascade", 30_000): (
        ("No machine broke: none crashed", lambda s: {h.status for each in s.services for h in each.hosts} == {"up"}),
        ("found the line of api full, or waited in vain", lambda s: ended_by("cascade", 30_000) == {"full", "timeout"}),
        ("2 of the 8 threads for payment at most, would keep the shop open", lambda s: (
            edge(seen("bulkhead", 22_000), "api>payment").bulkhead.size == 2 and service(s, "api").workers == 8
            and goodput(seen("bulkhead", 22_000), 5) >= 5)),
    ),
    ("bulkhead", 5_000): (
        ("at most 2 calls to payment at a time", lambda s: edge(s, "api>payment").bulkhead.size == 2),),
    ("bulkhead", 12_000): (
        ("payment-db takes 8 s, as it did there. Two threads of api wait for it", lambda s: edge(
            s, "api>payment").bulkhead.busy == 2 and service(s, "payment-db").hosts[0].slow_percent == 20_000),
        ("The other 6 threads", lambda s: service(s, "api").workers - 2 == 6 > service(s, "api").busy - 2),
    ),
    ("bulkhead", 22_000): (("Everything else works", lambda s: goodput(s, 5) >= 5),),
    ("outlier", 4_000): (
        ("payment runs on five hosts", lambda s: len(service(s, "payment").hosts) == 5),
        ("Five errors in a row, and it is ejected for 30 s", lambda s: (
            dict(edge(s, "api>payment").options)["outlier_errors"], dict(edge(s, "api>payment").options)["eject_us"],
        ) == (5, 30 * S)),
    ),
    ("outlier", 13_000): (
        ("payment-3 answers everything with an error since t = 5 s", lambda s: [
            host.id for host in service(s, "payment").hosts if host.sick_percent == 100] == ["payment-3"]),
        ("one call in five fails", lambda s: edge(s, "api>payment").errors_ppm == 200_000),
        ("Twice it has had five errors in a row, was counted anew, and is still in", lambda s: len(happened(
            run("outlier", 13_000), e.HostKept)) == 2 and edge(s, "api>payment").outliers[2].consecutive < 5),
        ("At most 10 % of the hosts may be ejected, and 10 % of five", lambda s: dict(
            edge(s, "api>payment").options)["eject_percent"] == 10),
    ),
    ("outlier", 22_000): (
        ("ejected payment-3", lambda s: [
            each.host for each in edge(s, "api>payment").outliers if each.ejected] == ["payment-3"]),
        ("no error any more", lambda s: edge(s, "api>payment").errors_ppm == 0),
    ),
    ("outlier", 52_000): (
        ("repaired at 30 s, but Envoy looks only every 10 s, and first lets the 30 s pass", lambda s: [
            each.ejection.at_us for each in happened(run("outlier", 52_000), e.HostReturned)] == [50 * S]),
        ("It is back now", lambda s: not any(each.ejected for each in edge(s, "api>payment").outliers)),
        ("out for 60 s next", always),
    ),
    ("thundering-herd", 2_000): (
        ("catalog can have 2 calls in work and 6 in line", lambda s: (
            service(s, "catalog").workers, service(s, "catalog").queue_max) == (2, 6)),
        ("60 people", lambda s: any(step.command == c.Burst(60) for step in story("thundering-herd").script)),
        ("waits 1, 2, 4, 8, 10 s: exponential backoff", lambda s: (
            edge(s).retry.backoff, edge(s).retry.base_us, edge(s).retry.cap_us, edge(s).retry.retries) == (
            "exponential", S, 10 * S, 5)),
    ),
    ("thundering-herd", 3_900): (
        ("60 calls arrived together, 8 found a place, the other 52", lambda s: s.offered == 60 and edge(
            s).retry.retried == 52),
        ("exactly 1 s now", lambda s: {each.delay_us for each in happened(
            run("thundering-herd", 3_900), e.CallRetried)} == {S}),
        ("All of them wait", lambda s: s.good == 8),
    ),
    ("thundering-herd", 8_000): (
        ("at 4 s and at 6 s", lambda s: [row.at_us // S for row in s.series if row.rejected] == [3, 4, 6]),
        ("only 8 got in each time", lambda s: s.good == 24),
        ("catalog is idle", lambda s: idle(s, "catalog")),
    ),
    ("thundering-herd", 33_000): (
        ("Six waves, 8 served in each, and 12 of 60 gave up after six attempts", lambda s: (s.good, s.failed) == (
            48, 12) and edge(s).retry.retries == 5),
        ("catalog was idle", lambda s: idle(s, "catalog")),
    ),
    ("jitter", 2_000): (
        ("The same 60 calls", lambda s: any(step.command == c.Burst(60) for step in story("jitter").script)),
        ("drawn between 0", lambda s: edge(s).retry.backoff == "full-jitter"),
    ),
    ("jitter", 9_000): (
        ("catalog found time for them", lambda s: s.good > 50),
        ("more load at first", lambda s: max(row.peak for row in s.series) > max(
            row.peak for row in seen("thundering-herd", 8_000).series)),
        ("106 refusals in all", lambda s: refusals("jitter", 17_000) == 106),
        ("In waves there are 192", lambda s: refusals("thundering-herd", 36_000) == 192),
    ),
    ("jitter", 17_000): (("Everybody was served", lambda s: (s.good, s.failed) == (60, 0)),),
    ("hedging", 2_000): (
        ("catalog runs on two hosts", lambda s: len(service(s, "catalog").hosts) == 2),
        ("In 3 of 100 calls it pauses", lambda s: pauses(60_000).pause_ppm == 30_000),
        ("takes 1.3 s instead of 60 ms", lambda s: round(
            (60_000 + pauses(60_000).pause_us) / S, 1) == 1.3),
    ),
    ("hedging", 16_000): (
        ("p50 is 221 ms, p99 is 1.4 s", lambda s: (
            edge(s, "clients>api").p50_us // 1_000, edge(s, "clients>api").p99_us // 100_000) == (221, 14)),
        ("longer than 95 %", lambda s: edge(seen("hedging", 32_000)).hedge_ppm == 950_000),
    ),
    ("hedging", 32_000): (
        ("Users see a p99 of 475 ms", lambda s: edge(s, "clients>api").p99_us // 1_000 == 475),
        ("near the 95th percentile", always),
        ("6 calls of 150 were asked twice: 4 %", lambda s: edge(s).hedges == 6 and 100 * 6 // 150 == 4),
        ("A cap of 10 %", lambda s: dict(edge(s).options)["hedge_cap_ppm"] == 100_000),
    ),
    ("deadline", 4_000): (
        ("api asks auth and then catalog", lambda s: t.KINDS["browse"] == ("auth", "catalog") and s.mix == "browse"),
        ("Clients wait 1 s; between services a timeout is 5 s", lambda s: (
            edge(s, "clients>api").timeout_us, edge(s).timeout_us) == (S, 5 * S)),
    ),
    ("deadline", 15_000): (
        ("auth takes 1.5 s since t = 5 s", lambda s: (
            service(s, "auth").mean_us * service(s, "auth").hosts[0].slow_percent == 100 * 1_500_000)),
        ("auth asks its database, api goes on to catalog, catalog to its own", lambda s: all(
            service(s, name).wasted_per_s for name in ("auth", "auth-db", "api", "catalog", "catalog-db"))),
        ("about 30 a second wasted", lambda s: abs(s.wasted_per_s - 30) <= 1),
    ),
    ("deadline", 29_000): (
        ("After 1 s api stops waiting for auth and asks catalog nothing", lambda s: service(
            s, "catalog").arrived_per_s == 0),
        ("auth is done after 1.5 s", always),
        ("leaves its database alone", lambda s: service(s, "auth-db").arrived_per_s == 0),
        ("18 of 30 wasted jobs a second are not begun", lambda s: s.wasted_per_s == 30 - 18),
    ),
    ("amplification", 4_000): (
        ("The clients retry twice, api retries twice, catalog retries twice", lambda s: [
            edge(s, id).retry.retries for id in ("clients>api", "api>catalog", "catalog>catalog-db")] == [2] * 3),
        ("2 calls a second reach the database as 2", lambda s: (
            s.load.per_s, service(s, "catalog-db").arrived_per_s) == (2, 2)),
    ),
    ("amplification", 13_000): (
        ("with errors since t = 5 s", lambda s: service(s, "catalog-db").hosts[0].sick_percent == 100),
        ("asked 27 times for every call of a client: 3 x 3 x 3", lambda s: s.amplified_ppm == 27 * S),
        ("About 54 attempts a second from a load of 2", lambda s: abs(
            service(s, "catalog-db").arrived_per_s - 54) <= 2),
    ),
    ("amplification", 28_000): (
        ("A budget of 20 % at every layer: at most 1.2 x 1.2 x 1.2 = 1.7 attempts a call", lambda s: (
            s.amplified_ppm <= 1_728_000 and {
                each.retry.budget_ppm for each in s.edges if each.retry is not None} == {200_000})),
    ),
}  # fmt: skip
"""By story and moment."""

CUES: Final = tuple(
    (scenario.name, step.at_us // 1_000, step.command.text)
    for scenario in PATTERN.scenarios
    for step in scenario.script
    if isinstance(step.command, Narrate)
)


@pytest.mark.parametrize(("name", "ms", "text"), CUES, ids=[f"{name}-{ms}" for name, ms, _ in CUES])
def test_a_cue_is_true_at_its_moment(name: str, ms: int, text: str) -> None:
    rest = text
    for words, holds in CLAIMS.get((name, ms), ()):
        assert words in text
        assert holds(seen(name, ms)), words
        rest = rest.replace(words, " ", 1)
    assert not re.search(r"\d", rest.replace("resilience4j", "")), f"a number that no claim covers: {rest}"


def test_every_claim_belongs_to_a_cue() -> None:
    assert set(CLAIMS) <= {(name, ms) for name, ms, _ in CUES}
