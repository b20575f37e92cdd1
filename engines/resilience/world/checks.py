"""The guarantees of the service world, recounted after every event from facts and from nothing the services counted.

The pipeline says what it did: a call began, passed the breaker, was sent, ended. From these facts the checker keeps
books of its own, in the plainest way it can, and compares. A failed check stays failed.

- open: no call passes a breaker that is open
- probes: a half-open breaker has admitted, less those whose permit came back, at most so many calls as it may
- window: the window of a closed breaker holds exactly the results of the calls it let through since it closed
- retries: every call is tried at most 1 + r times, so L layers make at most (1 + r) ** L of it; a budget is kept
- permits: a permit is held by a call that is under way: bulkheads, half-open breakers, workers
- once: every call ends, and only once
- waste: the work that was done for callers that had given up is the work that was counted as waste
"""

from collections import deque
from typing import Any, Final

from engines.resilience.breaker import Breaker
from engines.resilience.policy import PPM, BreakerOptions, HalfOpenRule, LateRule, ReleaseRule, WindowKind
from engines.resilience.states import ORDERS, Cause, State
from engines.resilience.world.caller import Caller
from engines.resilience.world.edge import Edge
from engines.resilience.world.ledger import RUNNING_MAX, Fact, Ledger
from engines.resilience.world.node import ServiceNode
from engines.resilience.world.recount import Seen, countable, outdated, recount, shape
from engines.resilience.world.topology import CLIENTS
from engines.sim.checks import CheckBook
from engines.sim.host import CRASHED, Host
from engines.units import US_PER_S, stamp

OPEN: Final = "no call passes an open breaker"
PROBES: Final = "probes never exceed their number"
WINDOW: Final = "the window holds what the breaker saw"
RETRIES: Final = "retries are bounded"
PERMITS: Final = "no permit is lost"
ONCE: Final = "every call ends exactly once"
WASTE: Final = "work for nobody is counted as waste"

DEMANDS: Final = {
    OPEN: "an open breaker lets nobody through",
    PROBES: "half-open, at most the permitted probes are let in",
    WINDOW: "a closed breaker's counts equal a recount of the results it was told",
    RETRIES: "attempts <= (1 + r) ^ layers, and retries <= budget",
    PERMITS: "every permit of a bulkhead, a worker or a probe belongs to a call that is under way",
    ONCE: "no call ends twice, none vanishes",
    WASTE: "jobs counted as waste = jobs done after their caller had stopped waiting",
}
SEEN_MAX: Final = 20_000
"""Results kept for the recount of one window; one that holds more is not recounted."""
LOOK_EACH: Final = 50
"""A window of so many results is recounted at every look, one of twice as many at every other one, and so on: a count
that is wrong stays wrong for as long as the window is long."""
ROOTS_MAX: Final = 2 * RUNNING_MAX
"""Calls of clients whose attempts are counted over all layers: all that are under way, and as many that have ended,
since work goes on for those too. What was forgotten is not judged."""
CALL_FACTS: Final = frozenset({"begin", "end", "limits", "deposit", "retried", "budget"})
"""Facts about calls; what is left is about breakers."""
BY_PROBE: Final = (Cause.PROBE_SUCCEEDED, Cause.LATE_SUCCESS)
"""What closes a breaker by one result."""
BUDGET_US: Final = 10 * US_PER_S
"""The time to live of a deposit: the reserve of a budget is for so long."""


class Book:
    """What the checker knows of one edge and its breaker."""

    __slots__ = (
        "active",
        "admitted",
        "budget",
        "budget_us",
        "deposits",
        "era",
        "finished",
        "fires",
        "given",
        "looks",
        "open_calls",
        "origin_us",
        "probes",
        "retried",
        "retuned",
        "returned",
        "seen",
        "serial",
        "shape",
        "shares",
        "state",
    )  # fmt: skip

    def __init__(self) -> None:
        self.open_calls: dict[int, list[int]] = {}
        """Calls under way -> [root, attempts, attempts allowed, tries, number of the budget that counts it]"""
        self.budget: tuple[int, int, int] = (-1, 0, 0)
        self.budget_us = 0
        self.serial = 0
        """How many budgets there have been: a call keeps the one under which it began, if that counts calls."""
        self.shares: dict[int, tuple[int, int]] = {}
        """Those of requests under way by number -> (share, minimum)"""
        self.deposits = self.retried = 0
        self.looks = 0
        self.shape: tuple[object, ...] = ()
        self.fresh_breaker(0)

    def fresh_breaker(self, origin_us: int) -> None:
        """Another breaker is in its place."""
        self.state = "closed"
        self.emptied(origin_us)
        self.entered(0)

    def emptied(self, origin_us: int) -> None:
        """The window is empty; its buckets are counted from ``origin_us``."""
        self.seen: deque[Seen] = deque(maxlen=SEEN_MAX)
        self.fires: deque[int] = deque(maxlen=SEEN_MAX)
        self.origin_us = origin_us

    def entered(self, era: int) -> None:
        """Another state."""
        self.era = era
        self.admitted = self.returned = self.finished = self.given = 0
        """``given``: permits that calls of older states gave back here."""
        self.retuned = False
        self.probes = 0
        self.active: dict[int, None] = {}
        """Calls that hold a permit of this era."""


def _timed(options: BreakerOptions) -> bool:
    """Whether its window counts from when it was new."""
    return options.window in (WindowKind.FIRES, WindowKind.TICK)


class Invariants(CheckBook):
    """The checker of one world. Call ``observe`` after every event."""

    def __init__(self, hosts: dict[str, Host], ledger: Ledger) -> None:
        super().__init__(DEMANDS)
        self.hosts = hosts
        self.ledger = ledger
        self.books: dict[tuple[str, str], Book] = {}
        self.awaited: dict[tuple[str, int], None] = {}
        self.clients: dict[int, None] = {}
        """Calls of clients that are under way."""
        self.wasted = dict.fromkeys(ledger.services, 0)
        self.worked: dict[str, str] = {}
        """Services that did work in this event -> for whom."""
        self.roots: dict[int, dict[str, list[int]]] = {}
        """Calls of clients -> edge -> [attempts, the most attempts allowed to one call]; the newest only."""

    def observe(self, host: Host) -> None:
        """Examine what the last event added."""
        self.position, self.at_us = host.world.position, host.clock.now_us
        facts = self.ledger.facts
        touched: dict[tuple[str, str], None] = {}
        if facts:
            for fact in facts:
                self._take(fact, touched)
            facts.clear()
            self._waste()
        for key in touched:
            edge = self._edge(*key)
            if edge is not None and self.hosts[key[1]].status != CRASHED:
                self._look(key, edge)
        if host.status != CRASHED:
            self._workers(host)

    def _fail(self, name: str, detail: str, *witness: str) -> None:
        at = stamp(self.ledger.clock.now_us)
        self.fail(name, detail, *(f"{at} {each}" for each in witness))

    def _book(self, edge: str, src: str) -> Book:
        book = self.books.get((edge, src))
        if book is None:
            book = self.books[edge, src] = Book()
        return book

    def _edge(self, edge: str, src: str) -> Edge | None:
        node: Any = self.hosts[src].node
        for each in node.by_slot:
            if each.id == edge:
                found: Edge = each
                return found
        return None

    def _options(self, edge: str, src: str) -> BreakerOptions | None:
        found = self._edge(edge, src)
        return found.protection.breaker.options if found is not None and found.protection.breaker is not None else None

    # -- facts -------------------------------------------------------------------------------------------------

    def _take(self, fact: Fact, touched: dict[tuple[str, str], None]) -> None:
        kind = fact[0]
        if kind == "settled":
            self.awaited.pop(fact[1:], None)
        elif kind == "worked":
            self._worked(*fact[1:])
        elif kind == "died":
            self._died(fact[1])
        elif kind == "sent":
            _, edge, src, attempt, call, root, _ = fact
            self.awaited[src, attempt] = None
            self._sent(edge, src, call, root)
        else:
            _, edge, src, *rest = fact
            touched[edge, src] = None
            book = self._book(edge, src)
            if kind in CALL_FACTS:
                self._call_fact(kind, edge, src, book, rest)
            else:
                self._breaker_fact(kind, edge, src, book, rest)

    def _call_fact(self, kind: str, edge: str, src: str, book: Book, rest: list[Any]) -> None:
        calls = book.open_calls
        match kind:
            case "begin":
                call, root, limit = rest
                calls[call] = [root, 0, limit, 1, 0]
                if src == CLIENTS:
                    self.clients[root] = None
                    self.roots[root] = {}
                    if len(self.roots) > ROOTS_MAX:
                        del self.roots[next(iter(self.roots))]
                if root in self.roots:
                    entry = self.roots[root].setdefault(edge, [0, limit])
                    entry[1] = max(entry[1], limit)
            case "end":
                call, why = rest
                book.active.pop(call, None)
                ended = calls.pop(call, None)
                if ended is not None and src == CLIENTS:
                    self.clients.pop(ended[0], None)
                if ended is None:
                    self._fail(ONCE, f"call {call} of {src} over {edge} ended a second time",
                               f"{src} took a late answer ({why}) for the end of call {call}")  # fmt: skip
            case "limits":
                (limit,) = rest
                for found in calls.values():
                    found[2] = max(found[2], limit)
                    if edge in self.roots.get(found[0], ()):
                        entry = self.roots[found[0]][edge]
                        entry[1] = max(entry[1], limit)
            case "budget":
                ratio_ppm, minimum, active, at_us = rest
                book.budget, book.budget_us = (ratio_ppm, minimum, active), at_us
                book.deposits = book.retried = 0
                book.serial += 1
                kept = {found[4] for found in calls.values()}
                book.shares = {number: share for number, share in book.shares.items() if number in kept}
                if active and ratio_ppm >= 0:
                    book.shares[book.serial] = ratio_ppm, minimum
            case "deposit":
                (call,) = rest
                book.deposits += 1
                calls[call][4] = book.serial if book.serial in book.shares else 0
            case "retried":
                (call,) = rest
                calls[call][3] += 1
                self._retried(edge, src, book, calls[call][4])

    def _sent(self, edge: str, src: str, call: int, root: int) -> None:
        found = self._book(edge, src).open_calls.get(call)
        if found is None:
            return
        found[1] += 1
        if found[1] > found[2]:
            self._fail(RETRIES, f"call {call} over {edge} was sent {found[1]} times, {found[2]} are allowed",
                       f"{src} sent attempt {found[1]} of call {call} (client call {root})")  # fmt: skip
        if root not in self.roots or edge not in self.roots[root]:
            return
        counts = self.roots[root]
        counts[edge][0] += 1
        most, layers, at = 1, 0, edge
        while at in counts:
            most *= counts[at][1]
            layers += 1
            up = at.partition(">")[0]
            at = next((other for other in counts if other.endswith(f">{up}")), "")
        if counts[edge][0] > most:
            self._fail(RETRIES, f"client call {root} reached {edge} {counts[edge][0]} times over {layers} layers",
                       f"at most {most} are allowed there, the product of (1 + r) of {layers} layers")  # fmt: skip

    def _retried(self, edge: str, src: str, book: Book, number: int) -> None:
        """A retry was made: does its budget allow so many? ``number``: of the budget under which its call began."""
        if number:
            ratio_ppm, minimum = book.shares[number]
            mine = [found for found in book.open_calls.values() if found[4] == number]
            trying = sum(1 for found in mine if found[3] > 1)
            most = max(minimum, len(mine) * ratio_ppm // PPM)
            if trying > most:
                self._fail(RETRIES, f"{trying} retries are under way over {edge}, the budget allows {most}",
                           f"{src} retries {trying} of {len(mine)} calls under way; {ratio_ppm // 10_000} % of them, "
                           f"or {minimum}, may")  # fmt: skip
            return
        ratio_ppm, minimum, active = book.budget
        if ratio_ppm < 0 or active:
            return
        book.retried += 1
        spans = self.ledger.clock.now_us - book.budget_us + BUDGET_US
        most_ppm = ratio_ppm * book.deposits + minimum * spans
        if book.retried * PPM > most_ppm + ratio_ppm * len(book.open_calls):
            self._fail(RETRIES, f"{book.retried} retries over {edge}, the budget allows {most_ppm // PPM}",
                       f"{src} made {book.deposits} calls since the budget of {ratio_ppm // 10_000} % is in force, "
                       f"and retried {book.retried} times")  # fmt: skip

    def _breaker_fact(self, kind: str, edge: str, src: str, book: Book, rest: list[Any]) -> None:
        options, now = self._options(edge, src), self.ledger.clock.now_us
        if options is None:
            return
        match kind:
            case "breaker":
                book.fresh_breaker(now if _timed(options) else 0)
                book.shape = shape(options)
            case "retuned":
                book.retuned = True
                if book.shape != shape(options):
                    book.shape = shape(options)
                    book.emptied(now if _timed(options) else 0)
            case "moved":
                dst, era, at_us, cause = rest
                book.state = dst
                book.entered(era)
                if dst not in ("open", "half_open") and (cause in ORDERS or options.reset_on_close):
                    newest = [book.seen[-1]] if cause in BY_PROBE and options.probe_counts else []
                    book.emptied(at_us if options.window is WindowKind.TICK else book.origin_us)
                    book.seen.extend(newest)
            case "asked":
                book.fires.append(now)
            case "admitted":
                call, permit = rest
                self._admitted(edge, src, book, call, permit, options)
            case "result":
                call, permit, failed, duration_us = rest
                book.active.pop(call, None)
                book.finished += permit == book.era
                slow = bool(options.slow_us) and duration_us > options.slow_us
                self._result(book, Seen(now, failed, slow), permit, options)
            case "cancelled":
                call, permit = rest
                book.active.pop(call, None)
                late = permit != book.era
                if options.released is ReleaseRule.RETURNED and not (late and options.late is LateRule.IGNORED):
                    book.returned += 1
                    book.given += late and book.state == "half_open"
                if options.released in (ReleaseRule.SUCCESS, ReleaseRule.FAILURE):
                    book.finished += permit == book.era
                    self._result(book, Seen(now, options.released is ReleaseRule.FAILURE, False), permit, options)

    def _admitted(
        self, edge: str, src: str, book: Book, call: int, permit: int, options: BreakerOptions
    ) -> None:  # fmt: skip
        if book.state in ("open", "forced_open"):
            self._fail(OPEN, f"call {call} passed the breaker of {edge}, which is {book.state}",
                       f"{src} sent call {call} over {edge} although the breaker is {book.state}")  # fmt: skip
        if book.state == "half_open":
            book.admitted += 1
            book.probes = max(book.probes, options.probes)
            inside = book.admitted - book.returned
            if inside > book.probes:
                self._fail(PROBES, f"{inside} probes over {edge}, {book.probes} are permitted",
                           f"{src} let call {call} in as probe {inside} of {book.probes}")  # fmt: skip
        if permit == book.era:
            book.active[call] = None

    @staticmethod
    def _result(book: Book, seen: Seen, permit: int, options: BreakerOptions) -> None:
        """What the window is told in each state."""
        late = permit != book.era
        match book.state:
            case "closed" | "metrics_only":
                book.seen.append(seen)
            case "half_open" if options.half_open is not HalfOpenRule.RATE:
                if not late or options.late is LateRule.AS_ANY:
                    book.seen.append(seen)
            case "open" if options.late is LateRule.AS_ANY:
                book.seen.append(seen)

    def _worked(self, service: str, src: str, attempt: int, root: int) -> None:
        if (src, attempt) not in self.awaited or root not in self.clients:
            self.wasted[service] += 1
        self.worked[service] = f"attempt {attempt} of {src}, for client call {root}"

    def _waste(self) -> None:
        """Hold what was counted as waste against the recount, where work was done."""
        for service, newest in self.worked.items():
            counted, mine = self.ledger.services[service].counts["wasted"], self.wasted[service]
            if counted != mine:
                self._fail(WASTE, f"{service} did {mine} jobs for nobody and counted {counted}",
                           f"the newest job of {service}: {newest}")  # fmt: skip
        self.worked.clear()

    def _died(self, host: str) -> None:
        for key in [key for key in self.awaited if key[0] == host]:
            del self.awaited[key]
        if host == CLIENTS:
            self.clients.clear()
        for book in [book for book in self.books if book[1] == host]:
            del self.books[book]

    # -- states ------------------------------------------------------------------------------------------------

    def _look(self, key: tuple[str, str], edge: Edge) -> None:
        """Hold an edge that something happened to against its book."""
        book = self.books.get(key)
        if book is None:
            return
        if len(edge.calls) != len(book.open_calls):
            self._fail(ONCE, f"{len(book.open_calls)} calls of {key[1]} over {edge.id} have not ended, it knows "
                             f"{len(edge.calls)}",
                       f"{key[1]} lost or made calls over {edge.id} without beginning or end")  # fmt: skip
        breaker, bulkhead = edge.protection.breaker, edge.protection.bulkhead
        if bulkhead is not None:
            mine = sum(1 for call in edge.protection.held if call in edge.calls)
            if bulkhead.used != mine:
                self._fail(PERMITS, f"the bulkhead of {edge.id} has given {bulkhead.used} permits, {mine} are in use",
                           f"{key[1]} holds {bulkhead.used} permits for {mine} calls over {edge.id}")  # fmt: skip
        if breaker is not None:
            self._probes(key, book, breaker)
            book.looks += 1
            if book.looks % (1 + len(book.seen) // LOOK_EACH) == 0:
                self._window(key, book, breaker)

    def _probes(self, key: tuple[str, str], book: Book, breaker: Breaker) -> None:
        if breaker.state is not State.HALF_OPEN or book.state != "half_open":
            return
        running, mine = breaker.probes_running, len(book.active)
        whole = breaker.probes_left + running + book.finished
        if running != mine or (not book.retuned and whole != breaker.options.probes + book.given):
            self._fail(PERMITS, f"the breaker of {key[0]} waits for {running} probes, {mine} are under way",
                       f"{key[1]}: {breaker.options.probes} probes are permitted, {breaker.probes_left} are left, "
                       f"{book.finished} have ended")  # fmt: skip

    def _window(self, key: tuple[str, str], book: Book, breaker: Breaker) -> None:
        options = breaker.options
        if breaker.state is not State.CLOSED or book.state != "closed" or not countable(options):
            return
        now = self.ledger.clock.now_us
        if len(book.seen) == SEEN_MAX or len(book.fires) == SEEN_MAX:
            return
        for _ in range(outdated(options, book.seen, now, book.origin_us)):
            book.seen.popleft()
        while book.fires and book.fires[0] < now - options.window_us:
            book.fires.popleft()
        mine = recount(options, book.seen, book.fires, now, book.origin_us)
        its = breaker.window.counts(now)
        if its != mine:
            self._fail(WINDOW, f"the window of {key[0]} has {its.calls} calls and {its.failures} failures, it was told "
                               f"of {mine.calls} and {mine.failures}",
                       f"{key[1]} saw {mine.calls} calls over {key[0]}, {mine.failures} failed, {mine.slow} slow",
                       f"its breaker counts {its.calls}, {its.failures} failed, {its.slow} slow")  # fmt: skip

    def _workers(self, host: Host) -> None:
        node: Caller | Any = host.node
        if isinstance(node, ServiceNode):
            pool = node.pool
            if len(pool.held) + len(pool.line) != len(node.jobs):
                self._fail(PERMITS, f"{host.id} has {len(pool.held)} workers busy and {len(pool.line)} calls in line "
                                    f"for {len(node.jobs)} jobs",
                           f"{host.id}: a worker was not given back, or given twice")  # fmt: skip
