"""A second opinion: the presets written down naively, remembering everything and counting anew every time.

No buckets, no totals, no eras: lists of all that happened, read from the start for every judgement. Slow and plain,
so that it can be checked against the fact sheet by eye, and the breaker against it by random logs.
"""

from typing import NamedTuple

from engines.resilience.breaker import BreakerOptions

MS = 1_000
S = 1_000_000


class Move(NamedTuple):
    at_us: int
    src: str
    dst: str


class Seen(NamedTuple):
    at_us: int
    failed: bool
    slow: bool


class Reference:
    """One preset, by its family: article, hystrix, resilience4j, polly, opossum."""

    def __init__(self, family: str, options: BreakerOptions) -> None:
        self.family = family
        self.o = options
        self.state = "closed"
        self.since_us = 0
        self.epoch_us = 0
        """Of Hystrix's timer."""
        self.ticked_us = 0
        self.seen: list[Seen] = []
        """Results that count: since the last close (opossum: ever; resilience4j: since the last half-open too)."""
        self.fires: list[int] = []
        self.given = 0
        self.round = 0
        """How often it was half-open: a probe's result is one that started in this round."""
        self.moves: list[Move] = []

    def move(self, at_us: int, dst: str) -> None:
        self.moves.append(Move(at_us, self.state, dst))
        self.state, self.since_us = dst, at_us
        if dst == "half_open":
            self.given = 0
            self.round += 1
            if self.family == "resilience4j":
                self.seen = []
        if dst == "closed" and self.family != "opossum":
            self.seen = []
            self.epoch_us = self.ticked_us = at_us

    def time(self, now_us: int) -> None:
        """Timers that are due by now."""
        if self.family == "hystrix":
            while self.state == "closed" and self.ticked_us + 500 * MS <= now_us:
                self.ticked_us += 500 * MS
                inside = [s for s in self.seen if self.ticked_us - 10 * S <= s.at_us < self.ticked_us]
                self.judge(self.ticked_us, inside)
        if self.family == "opossum" and self.state == "open" and self.since_us + self.o.wait_us <= now_us:
            self.move(self.since_us + self.o.wait_us, "half_open")

    def start(self, now_us: int) -> int | None:
        """The round of the call, or None if it is rejected."""
        self.time(now_us)
        self.fires.append(now_us)
        if self.state == "open" and self.family != "opossum":
            waited_us = now_us - self.since_us
            strictly = self.family in ("hystrix", "resilience4j")
            if waited_us > self.o.wait_us or (waited_us == self.o.wait_us and not strictly):
                self.move(now_us, "half_open")
        if self.state == "open":
            return None
        if self.state == "half_open":
            if self.given == self.o.probes:
                if self.family == "hystrix":
                    self.move(now_us, "open")
                return None
            self.given += 1
            return self.round
        return -len(self.moves) - 1

    def end(self, began: int, now_us: int, failed: bool, duration_us: int) -> None:
        self.time(now_us)
        slow = self.o.slow_us > 0 and duration_us > self.o.slow_us
        probe = self.state == "half_open" and began == self.round
        if self.family == "article" and self.state != "closed" and not probe:
            return
        self.seen.append(Seen(now_us, failed, slow))
        if self.state == "closed":
            if self.family in ("article", "resilience4j") or (failed and self.family != "hystrix"):
                self.judge(now_us, self.inside(now_us))
        elif self.state == "half_open":
            if self.family == "resilience4j":
                last = self.seen[-self.o.probes :]
                if len(last) >= min(self.o.minimum, self.o.probes):
                    self.move(now_us, "open" if self.over(last, len(last)) else "closed")
            else:
                self.move(now_us, "open" if failed else "closed")
                if self.family == "hystrix" and not failed:
                    self.seen = [Seen(now_us, False, False)]

    def inside(self, now_us: int) -> list[Seen]:
        """The results that the window holds."""
        o = self.o
        if self.family == "resilience4j" and o.window == "count":
            return self.seen[-o.size :]
        if self.family == "polly":
            parts: list[tuple[int, list[Seen]]] = []
            for each in self.seen:
                if not parts or each.at_us - parts[-1][0] >= o.window_us // 10:
                    parts.append((each.at_us, []))
                parts[-1][1].append(each)
            return [each for start_us, part in parts for each in part if now_us - start_us < o.window_us]
        width_us = o.window_us // o.buckets
        return [s for s in self.seen if s.at_us // width_us > now_us // width_us - o.buckets]

    def judge(self, now_us: int, inside: list[Seen]) -> None:
        calls, minimum = len(inside), self.o.minimum
        if self.family == "opossum":
            width_us = self.o.window_us // self.o.buckets
            calls = sum(1 for at_us in self.fires if at_us // width_us > now_us // width_us - self.o.buckets)
        if self.o.window == "count":
            minimum = min(minimum, self.o.size)
        if calls >= minimum and self.over(inside, calls):
            self.move(now_us, "open")

    def over(self, inside: list[Seen], calls: int) -> bool:
        failed, slow = sum(s.failed for s in inside), sum(s.slow for s in inside)
        share = failed * 1_000_000 - self.o.failure_ppm * calls
        too_many = share > 0 if self.family == "opossum" else share >= 0
        return (too_many and failed > 0) or (slow > 0 and slow * 1_000_000 >= self.o.slow_ppm * calls)


def replay(
    family: str, options: BreakerOptions, calls: list[tuple[int, bool, int]]
) -> tuple[list[Move], list[bool], Reference]:
    """All of a log: at equal times results come before starts. Transitions, admissions, the breaker at the end."""
    breaker = Reference(family, options)
    flying: list[tuple[int, int, int]] = []
    admitted = []
    end_us = 0

    def land(until_us: int | None) -> None:
        nonlocal end_us
        while flying and (until_us is None or min(flying)[0] <= until_us):
            first = min(flying)
            flying.remove(first)
            at_us, index, began = first
            end_us = max(end_us, at_us)
            breaker.end(began, at_us, not calls[index][1], calls[index][2])

    for index, (at_us, _, duration_us) in enumerate(calls):
        land(at_us)
        end_us = max(end_us, at_us)
        began = breaker.start(at_us)
        admitted.append(began is not None)
        if began is not None:
            flying.append((at_us + duration_us, index, began))
    land(None)
    breaker.time(end_us)
    return breaker.moves, admitted, breaker
