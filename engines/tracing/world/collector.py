"""The collector: it receives spans, decides at the tail, and holds the store. It knows spans and nothing else.

A trace that got no span for a while is judged: its tree and its critical path are made, and what the diagnosis needs of
it is kept, longer than its spans. A span that comes after that is late: it joins its trace, which is judged anew.
"""

from collections import OrderedDict
from itertools import pairwise
from typing import Any, Final, NamedTuple

from engines.sim.node import Context
from engines.tracing.cohorts import Book
from engines.tracing.critical import critical_path
from engines.tracing.skew import corrected
from engines.tracing.spans import Span
from engines.tracing.store import SpanStore
from engines.tracing.symptoms import Symptoms, symptoms_of
from engines.tracing.tree import Note, Tree, build
from engines.tracing.verdicts import add_callers
from engines.tracing.world.checks import ADDS_UP, EVICTION, KEEPS_ERRORS, WHOLE
from engines.tracing.world.control import Control, Sampling
from engines.tracing.world.events import TraceJudged
from engines.tracing.world.ledger import Ledger
from engines.tracing.world.messages import Export
from engines.tracing.world.rules import QUIET_US

JUDGE: Final = "judge"
SOON_US: Final = 1_000
"""No timer is set for less: a clock that drifts would find that no time has passed."""
DROPPED_MAX: Final = 2_000
SYMPTOMS_MAX: Final = 400
BOOK_MAX: Final = 600


class Judged(NamedTuple):
    """What is known of a trace that is complete."""

    service: str
    operation: str
    start_us: int
    duration_us: int
    services: int
    errors: int
    missing: int
    note: Note | None


class LeakyStore(SpanStore):
    """A store that gives up single spans, the oldest first: what a rule stands against."""

    def _evict_oldest(self) -> str:
        trace_id, spans = next(iter(self._traces.items()))
        if len(spans) == 1:
            return super()._evict_oldest()
        del spans[0]
        self._frozen.pop(trace_id, None)
        self._spans -= 1
        self.evicted_spans += 1
        return trace_id


class Collector:
    """The node that all exporters send to."""

    def __init__(self, control: Control, ledger: Ledger, max_spans: int) -> None:
        self.control = control
        self.ledger = ledger
        self.store = SpanStore(max_spans)
        self.evict_whole(control.rules.whole_traces)
        self.tail = control.tail()
        self.pending: OrderedDict[str, list[Span]] = OrderedDict()
        """Traces that wait for the decision at the tail."""
        self.quiet: OrderedDict[str, int] = OrderedDict()
        """Traces that are not judged yet, and when their last span came; that order."""
        self.judged: dict[str, Judged] = {}
        self.why: dict[str, Sampling] = {}
        """Why a stored trace was kept."""
        self.arrived: dict[str, int] = {}
        """Spans that were taken for a stored trace."""
        self.dropped: OrderedDict[str, int] = OrderedDict()
        """Traces the tail decided against, and when their last span before that came."""
        self.book = Book(BOOK_MAX)
        """What the diagnosis needs of the newest traces; it outlives their spans."""
        self.symptoms: OrderedDict[str, Symptoms] = OrderedDict()
        """What the newest traces say beyond time."""
        self.callers: dict[str, dict[str, None]] = {}
        """Who was ever seen to call a service, or to send it messages."""
        self.armed = False
        self.received = 0
        self.received_before = 0
        self.late = 0
        self.late_of: dict[str, int] = {}
        """Spans that arrived long after they had ended, by the service that sent them; old ones fade."""
        self.unsampled = 0

    def on_start(self, ctx: Context) -> None:
        """It waits for spans."""

    def on_synced(self, ctx: Context) -> None:
        """The store is in memory."""

    # -- spans arrive --------------------------------------------------------------------------------------------

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """Spans of one service, of one trace or of several."""
        assert type(message) is Export
        now = ctx.now_us
        late: dict[str, None] = {}
        delayed = now - max(span.end_us for span in message.spans) > QUIET_US
        for span in message.spans:
            self.received += 1
            self.ledger.received(span)
            trace_id = span.trace_id
            if trace_id in self.dropped:
                self.too_late(span, now)
            elif trace_id in self.judged:
                self.late += 1
                if delayed:
                    self.late_of[span.service] = self.late_of.get(span.service, 0) + 1
                late[trace_id] = None
                self.arrived[trace_id] += 1
                if self.control.rules.late_joins:
                    self.take(span)
            else:
                self.quiet[trace_id] = now
                self.quiet.move_to_end(trace_id)
                if self.tail is not None and trace_id not in self.why:
                    self.pending.setdefault(trace_id, []).append(span)
                else:
                    self.arrived[trace_id] = self.arrived.get(trace_id, 0) + 1
                    self.take(span)
        if self.tail is not None and not self.control.rules.tail_waits:
            for trace_id in [each for each in self.pending if self.pending[each]]:
                self.decide(ctx, trace_id, now)
        for trace_id in late:
            self.again(trace_id)
        if self.quiet and not self.armed:
            self.armed = True
            ctx.set_timer(JUDGE, QUIET_US)

    def take(self, span: Span) -> None:
        """Into the store, for which the oldest traces may have to go."""
        self.ledger.changed(span.trace_id)
        if span.trace_id not in self.why:
            self.why[span.trace_id] = self.control.sampling()
        refused = self.store.refused_spans
        evicted = self.store.add(span)
        if self.store.refused_spans > refused:
            self.forget(span.trace_id)
        if evicted:
            for trace_id in evicted:
                if trace_id not in self.store:
                    self.forget(trace_id)
            self.ledger.forget(self.store.forgotten())
            self.check_eviction()

    def forget(self, trace_id: str) -> None:
        """A trace is gone from the store."""
        self.ledger.changed(trace_id)
        for each in (self.judged, self.why, self.arrived, self.quiet):
            each.pop(trace_id, None)

    def fade(self) -> None:
        """What was late some time ago counts half."""
        self.late_of = {name: count // 2 for name, count in self.late_of.items() if count > 1}

    def too_late(self, span: Span, now_us: int) -> None:
        """A span of a trace that the tail has decided against. It is too late, unless nobody had waited."""
        if span.is_error and now_us - self.dropped[span.trace_id] < QUIET_US:
            self.ledger.violated(
                KEEPS_ERRORS, f"trace {span.trace_id[:8]} was dropped, and it has an error",
                f"it was decided, and {now_us - self.dropped[span.trace_id]} us after its last span the next came",
                f"{span.label} failed: {span.status_message}",
            )  # fmt: skip

    # -- traces are complete ---------------------------------------------------------------------------------------

    def on_timer(self, ctx: Context, name: str) -> None:
        """Judge what has been quiet long enough."""
        now = ctx.now_us
        self.armed = False
        while self.quiet:
            trace_id, last_us = next(iter(self.quiet.items()))
            if 0 <= now - last_us < QUIET_US:
                self.armed = True
                ctx.set_timer(JUDGE, max(SOON_US, last_us + QUIET_US - now))
                return
            del self.quiet[trace_id]
            if trace_id in self.pending and not self.decide(ctx, trace_id, last_us):
                continue
            self.judge(ctx, trace_id)

    def decide(self, ctx: Context, trace_id: str, last_us: int) -> bool:
        """The decision at the tail, after the last span came at ``last_us``: into the store, or away."""
        assert self.tail is not None
        spans = self.pending.pop(trace_id)
        kept = self.tail.decide(spans, ctx.now_us)
        if kept.kept:
            self.why[trace_id] = self.control.sampling()._replace(policy=kept.policy)
            self.arrived[trace_id] = len(spans)
            for span in spans:
                self.take(span)
            return True
        self.unsampled += 1
        self.quiet.pop(trace_id, None)
        self.dropped[trace_id] = last_us
        if len(self.dropped) > DROPPED_MAX:
            self.ledger.forget((self.dropped.popitem(last=False)[0],))
        return False

    def judge(self, ctx: Context, trace_id: str) -> None:
        """The trace is complete, as far as one can know."""
        spans = self.store.trace(trace_id)
        if spans:
            tree, found = self.look(trace_id, spans)
            ctx.note(TraceJudged(trace_id, found.service, found.operation, found.duration_us, tree.real, found.services,
                                 found.errors, found.missing, found.note))  # fmt: skip

    def again(self, trace_id: str) -> None:
        """A late span has joined a trace."""
        spans = self.store.trace(trace_id)
        if len(spans) != self.arrived.get(trace_id, len(spans)) and self.control.rules.whole_traces:
            self.ledger.violated(
                WHOLE, f"trace {trace_id[:8]} lacks spans that have arrived",
                f"{self.arrived[trace_id]} spans of it have arrived, some of them late",
                f"the store holds {len(spans)} of them, and nothing shows that one is missing",
            )  # fmt: skip
        if spans:
            self.look(trace_id, spans)

    def look(self, trace_id: str, spans: tuple[Span, ...]) -> tuple[Tree, Judged]:
        """Build the tree and the path of a trace, check them, and keep what is worth it."""
        tree = build(spans)
        path = critical_path(tree)
        self.check_path(trace_id, tree, path.total_us, path.segments)
        self.check_missing(trace_id, tree)
        root = tree.spans[tree.root]
        services = len({span.service for span in spans})
        errors = sum(span.is_error for span in spans)
        note = tree.notes[0] if tree.notes else None
        found = Judged(root.service, root.name, tree.start_us[tree.root], path.total_us, services, errors,
                       tree.missing_parents, note)  # fmt: skip
        self.judged[trace_id] = found
        self.ledger.changed(trace_id)
        if self.control.correct:
            straight = build(corrected(spans).spans)
            self.book.add(straight, critical_path(straight))
        else:
            self.book.add(tree, path)
        made = self.symptoms[trace_id] = symptoms_of(tree)
        add_callers(self.callers, made)
        if len(self.symptoms) > SYMPTOMS_MAX:
            self.symptoms.popitem(last=False)
        return tree, found

    def look_again(self) -> None:
        """The way of analysing has changed: all traces that are still here are looked at once more."""
        for trace_id in self.store.trace_ids():
            if trace_id in self.judged:
                self.look(trace_id, self.store.trace(trace_id))

    def evict_whole(self, on: bool) -> None:
        """A rule: whether a full store gives up whole traces, or single spans."""
        store = (SpanStore if on else LeakyStore)(self.store.max_spans)
        store.__setstate__(self.store.__getstate__())
        self.store = store

    # -- checks ----------------------------------------------------------------------------------------------------

    def check_path(self, trace_id: str, tree: Tree, total_us: int, segments: tuple[Any, ...]) -> None:
        """The segments are a partition of the root's interval."""
        begin, end = tree.start_us[tree.root], tree.end_us[tree.root]
        touching = all(a.end_us == b.start_us for a, b in pairwise(segments))
        whole = sum(each.end_us - each.start_us for each in segments)
        if total_us != whole or not touching or (segments and whole != end - begin):
            self.ledger.violated(
                ADDS_UP, f"the path of trace {trace_id[:8]} is {whole} us long, its root {end - begin} us",
                f"the root is {tree.spans[tree.root].label}, from {begin} to {end} us",
                f"{len(segments)} segments" + ("" if touching else ", with gaps or overlaps"),
            )  # fmt: skip

    def check_missing(self, trace_id: str, tree: Tree) -> None:
        """Every span that is named and not there is known to be lost, or still on its way."""
        for index in range(tree.real, len(tree.spans)):
            span_id = tree.spans[index].span_id
            if not self.ledger.accounts_for(span_id, trace_id):
                self.ledger.violated(
                    WHOLE, f"span {span_id} of trace {trace_id[:8]} is missing, and nothing became of it",
                    "a span names it as its parent, and the store does not have it",
                    "no exporter lost it, no link, no crash, and it is not on its way",
                )  # fmt: skip

    def check_eviction(self) -> None:
        """The oldest trace that is left has all the spans that were taken for it."""
        trace_id = next(iter(self.store.trace_ids()), "")
        held, taken = self.store.span_count(trace_id), self.arrived.get(trace_id, 0)
        if trace_id in self.judged and held < taken:
            self.ledger.violated(
                EVICTION, f"trace {trace_id[:8]} is half evicted",
                f"{taken} spans of it had been taken", f"{held} of them are left",
            )  # fmt: skip
