"""What a lecturer says is true on the screen at which it is said: every number and every name of every cue.

A claim is a piece of a cue and what must hold of the run at its moment. A cue may not hold a digit that no claim
covers; what is true of any run (a sum, a rule) is a claim without a condition.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import pytest

from engines.sim.faults import Narrate
from engines.sim.timeline import Timeline
from engines.tracing.critical import critical_path
from engines.tracing.pattern import PATTERN
from engines.tracing.tree import build
from engines.tracing.verdicts import DroppedHeader, Trouble
from engines.tracing.world.snapshot import Snapshot, Strayed
from engines.tracing.world.telemetry import COLLECTOR

Claim = tuple[str, Callable[[Snapshot], bool]]
MS: Final = 1_000
S: Final = 1_000_000


@cache
def run(name: str, ms: int) -> Any:
    """The story as it stands at this moment."""
    scenario = PATTERN.scenario(name)
    found: Any = Timeline(PATTERN.variant(scenario.variant), scenario.seed, scenario.config, scenario)
    found.advance(ms * MS)
    return found


def always(s: Snapshot) -> bool:
    """True of any run."""
    return True


def trees(s: Snapshot, operation: str, since_us: int = 0) -> list[Any]:
    """The complete traces of one root operation that began then or later."""
    rows = [r for r in s.traces if r.complete and r.operation == operation and r.start_us >= since_us and not r.missing]
    return [build(s.store.spans(row.trace_id)) for row in rows]


def services(s: Snapshot, operation: str) -> list[int]:
    return [len(tree.services()) for tree in trees(s, operation)]


def exact(s: Snapshot) -> bool:
    made = [build(entry.spans) for entry in s.store.entries]
    return all(critical_path(tree).total_us == tree.duration_us for tree in made)


def median(s: Snapshot, service: str, operation: str = "") -> int:
    """The median duration of the spans of a service that are stored."""
    lasted = sorted(
        span.duration_us
        for entry in s.store.entries
        for span in entry.spans
        if span.service == service and span.name.startswith(operation)
    )
    return lasted[len(lasted) // 2]


def mean(s: Snapshot, operation: str, begin_us: int, end_us: int) -> int:
    """How long the requests of one kind took on average that began in this time."""
    lasted = [
        row.duration_us
        for row in s.traces
        if row.complete and row.operation == operation and begin_us <= row.start_us < end_us
    ]
    return sum(lasted) // len(lasted)


def named(kind: Trouble, service: str) -> Callable[[Snapshot], bool]:
    return lambda s: (s.verdicts[0].kind, s.verdicts[0].service) == (kind, service)


def pool(s: Snapshot, name: str) -> tuple[int, int]:
    """(size now, usual size)."""
    found = s.service(name)
    assert found is not None
    return found.pool_max, found.ailing.pool_usual


def strays(s: Snapshot) -> list[Any]:
    return [row for row in s.traces if isinstance(row.note, Strayed)]


CLAIMS: Final[dict[tuple[str, int], tuple[Claim, ...]]] = {
    ("auth-pool-p99", 1_000): (
        ("crosses five services, six if the cache misses", lambda s: set(services(s, "GET /product")) <= {5, 6}),
        ("They add up exactly", exact),
    ),
    ("auth-pool-p99", 5_010): (
        ("pool of database connections from 20 to 1", lambda s: pool(s, "auth") == (1, 20)),
        ("some 10 requests a second", lambda s: s.rate_per_s == 10),
        ("the median query takes 8 ms", lambda s: 7 * MS < median(s, "auth-db", "SELECT") < 9 * MS),
    ),
    ("auth-pool-p99", 5_510): (
        ("a rush: 110 a second", lambda s: s.rate_per_s == 110),
        ("The median query takes 8 ms", lambda s: 7 * MS < median(s, "auth-db", "SELECT") < 9 * MS),
        ("back 1 ms more: 110 a second is all", lambda s: S // (8 * MS + 2 * 450) in range(110, 114)),
    ),
    ("auth-pool-p99", 8_300): (
        ("slowest 1 percent with the faster half", lambda s: s.diagnosis is not None
         and s.diagnosis.slow * 50 <= s.diagnosis.fast + 100),
        ("The rush is over", lambda s: s.rate_per_s == 10),
        ("all of that extra time was waiting for the pool of auth", lambda s: named(Trouble.POOL, "auth")(s)
         and s.verdicts[0].ppm >= 1_000_000),
        ("behind up to 12 others", lambda s: getattr(s.verdicts[0].evidence, "waiting", 0) == 12),
        ("auth-db itself was as fast as ever", lambda s: 7 * MS < median(s, "auth-db", "SELECT") < 9 * MS),
    ),
    ("dropped-header", 1_000): (
        ("72 services", lambda s: len(s.services) == 72),
        ("more than thirty", lambda s: min(services(run("dropped-header", 3_000).snapshot(), "POST /checkout")) > 30),
    ),
    ("dropped-header", 3_010): (("client in catalog", lambda s: s.injected[-1].service == "catalog"),),
    ("dropped-header", 11_500): (
        ("begin in catalog-cache and in shipping now", lambda s: {row.service for row in strays(s)}
         == {"catalog-cache", "shipping"}),
        ("Those of the cache are a single span", lambda s: {
            row.spans for row in strays(s) if row.service == "catalog-cache"} == {1}),
        ("is how it is found", lambda s: named(Trouble.HEADER, "catalog")(s)
         and isinstance(s.verdicts[0].evidence, DroppedHeader)),
    ),
    ("unused-parent", 1_000): (("parent is not used", always),),
    ("unused-parent", 5_500): (("every service does it like that", named(Trouble.HEADER, "every service")),),
    ("retry-storm", 1_000): (
        ("two layers above the database", lambda s: all(
            {"gateway", "auth", "auth-db"} <= set(tree.services()) for tree in trees(_calm(), "GET /product"))),
        ("one call each", lambda s: all(
            sum(span.service == "auth-db" and span.kind == 2 for span in tree.spans) == 1
            for tree in trees(_calm(), "GET /product"))),
    ),
    ("retry-storm", 3_010): (
        ("fails 40 percent", lambda s: s.injected[-1].command.ppm == 400_000),
        ("tries three times, at once", lambda s: s.retries is not None and tuple(s.retries) == (3, False)),
        ("up to nine queries", lambda s: 3**2 == 9),
    ),
    ("retry-storm", 7_500): (
        ("of all first attempts 0.4 come back", lambda s: s.injected[-1].command.ppm == 400_000),
        ("each with a higher http.request.resend_count", lambda s: max(
            int(span.get("http.request.resend_count", 0)) for entry in s.store.entries for span in entry.spans) == 2),
    ),
    ("retry-storm", 12_500): (
        ("At 10.0 s auth had seen 11 of 22 calls fail", lambda s: [
            (round(event.at_us / 100_000), event.what.moved.bad, event.what.moved.calls)
            for event in run("retry-storm", 12_500).engine.told(1 << 20)
            if event.node == "auth" and type(event.what).__name__ == "BreakerMoved"
        ][:1] == [(100, 11, 22)]),
        ("The retries had hidden the errors", lambda s: not any(
            row.errors for row in run("retry-storm", 8_000).snapshot().series)),
        ("every user gets one, within 4 ms", lambda s: s.series[-1].errors == s.series[-1].requests > 0
         and s.series[-1].p99_us <= 4 * MS),
    ),
    ("fan-out", 1_000): (
        ("then four services at once", lambda s: all(
            sum(tree.spans[kid].kind == 3 for kid in tree.children[tree.root]) == 5 for tree in trees(s, "GET /home"))),
    ),
    ("fan-out", 5_500): (
        ("slow in 1 of 100 calls, the page is slow in 4 of 100", lambda s: round((1 - 0.99**4) * 100) == 4),
        ("With a hundred it would be 63", lambda s: round((1 - 0.99**100) * 100) == 63),
        ("So the p99 of a service", always),
    ),
    ("fan-out", 12_050): (
        ("six times as long", lambda s: s.injected[-1].command.percent == 600),
        ("takes 27 ms more on average", lambda s: abs(_vouchers(s) - 27 * MS) <= 2 * MS),
        ("and the page 18", lambda s: abs(
            mean(s, "GET /home", 7_600 * MS, 12_000 * MS) - mean(s, "GET /home", 0, 7_400 * MS) - 18 * MS) <= 2 * MS),
    ),
    ("async-consumer", 1_000): (("has a link to it", always),),
    ("async-consumer", 9_500): (
        ("some 0.4 s for a message", lambda s: 350 * MS < sorted(
            span.duration_us for entry in s.store.entries for span in entry.spans
            if span.service == "mailer" and span.start_us > 3 * S)[9] < 450 * MS),
        ("thirty times as long", lambda s: s.injected[-1].command.percent == 3_000),
        ("There is no verdict here", lambda s: s.verdicts == ()),
    ),
    ("clock-skew", 1_000): (("NTP keeps machines", always),),
    ("clock-skew", 7_500): (("clock is now 60 ms behind", lambda s: _clock(s, "cart") == -60 * MS),),
    ("clock-skew", 11_500): (("With correction on", lambda s: s.correction),),
    ("head-sampling", 1_000): (
        ("One trace in ten is kept; none so far", lambda s: s.sampling is not None and s.sampling.ppm == 100_000
         and not s.traces),
        ("the sampled flag in traceparent", always),
    ),
    ("head-sampling", 13_500): (
        ("failed 6 percent", lambda s: s.injected[-1].command.ppm == 60_000),
        ("The strip shows the errors", lambda s: sum(each.errors for each in s.series) > 3),
        ("the list of traces shows none", lambda s: not any(row.errors for row in s.traces)),
        ("At one in ten", lambda s: s.sampling is not None and s.sampling.ppm == 100_000),
        ("no diagnosis", lambda s: s.diagnosis is None),
        ("says nothing about p99", always),
    ),
    ("tail-sampling", 1_000): (("quiet for a second", always),),
    ("tail-sampling", 13_500): (
        ("Every failed checkout is in the list", lambda s: sum(row.errors > 0 for row in s.traces)
         == sum(each.errors for each in s.series)),
        ("no p99 to be had", always),
    ),
    ("torn-traces", 1_000): (
        ("Half of the traces are kept", lambda s: s.sampling is not None and s.sampling.ppm == 500_000),
        ("so far all three", lambda s: len(s.traces) == 3 == sum(each.requests for each in s.series)
         and not s.collector.unsampled_traces),
    ),
    ("torn-traces", 5_500): (
        ("The checkouts at the top are from before", lambda s: {
            row.operation == "POST /checkout" and row.complete and not row.missing
            for row in sorted(s.traces, key=lambda row: -row.duration_us)[:2] if row.start_us < 2 * S} == {True}),
        ("is whole in one of 64 cases", lambda s: 2**6 == 64),
        ("a ? marks a span that others name", lambda s: any(row.complete and row.missing for row in s.traces)),
    ),
    ("cache-stampede", 500): (
        ("has 98 of 100 items", lambda s: _hits("catalog-cache") == 980_000),
        ("Three connections are plenty for 2 percent", lambda s: pool(s, "catalog")[0] == 3),
    ),
    ("cache-stampede", 1_900): (("70 requests a second", lambda s: s.rate_per_s == 70),),
    ("cache-stampede", 2_010): (
        ("all 70 a second, on average", lambda s: s.rate_per_s == 70),
        ("need a query of 18 ms", lambda s: 16 * MS < median(
            run("cache-stampede", 4_300).snapshot(), "catalog-db", "SELECT") < 20 * MS),
        ("three connections can do 160 a second", lambda s: 150 < 3 * S // (18 * MS + 2 * 450) < 165),
    ),
    ("cache-stampede", 4_300): (
        ("The slow traces have cache.hit=false", lambda s: s.diagnosis is not None and any(
            (each.key, each.value) == ("cache.hit", "false") and each.slow_ppm > 900_000
            for each in s.diagnosis.differences)),
    ),
}  # fmt: skip


def _calm() -> Snapshot:
    """Before the storm, with traces that are complete."""
    found: Snapshot = run("retry-storm", 2_900).snapshot()
    assert trees(found, "GET /product")
    return found


def _vouchers(s: Snapshot) -> int:
    """How much longer vouchers takes than before."""
    spans = [each for entry in s.store.entries for each in entry.spans if each.service == "vouchers" and each.kind == 2]
    late = [each.duration_us for each in spans if each.start_us >= 7_600 * MS]
    early = [each.duration_us for each in spans if each.start_us < 7_400 * MS]
    return sum(late) // len(late) - sum(early) // len(early)


def _clock(s: Snapshot, name: str) -> int:
    found = s.service(name)
    assert found is not None
    return found.clock_off_us


def _hits(name: str) -> int:
    return int(run("cache-stampede", 500).engine.topology.by_name[name].hit_ppm)


CUES: Final = {
    (story.name, step.at_us // MS): step.command.text
    for story in PATTERN.scenarios
    for step in story.script
    if isinstance(step.command, Narrate)
}


def test_every_cue_has_its_claims_and_no_claim_is_left_over() -> None:
    assert set(CUES) == set(CLAIMS)


@pytest.mark.parametrize("moment", CUES, ids=lambda each: f"{each[0]}-{each[1]}")
def test_what_a_cue_says_is_on_the_screen_at_which_it_is_said(moment: tuple[str, int]) -> None:
    text, left = CUES[moment], CUES[moment]
    snapshot = run(*moment).snapshot()
    for piece, holds in CLAIMS[moment]:
        assert piece in text, f"the cue does not say {piece!r}"
        assert holds(snapshot), f"{piece!r} is not true at {moment}"
        left = left.replace(piece, "")
    digits = re.findall(r"\b\d[\d.,]*(?: \w+)?", left)
    assert digits == [], f"no claim covers {digits}"


@pytest.mark.parametrize("moment", CUES, ids=lambda each: f"{each[0]}-{each[1]}")
def test_the_services_that_a_cue_names_are_there(moment: tuple[str, int]) -> None:
    snapshot = run(*moment).snapshot()
    known = {service.name for service in snapshot.services} | {COLLECTOR}
    for name in re.findall(r"\b[a-z]+-(?:db|cache|queue)\b", CUES[moment]):
        assert name in known
