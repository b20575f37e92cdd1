"""One breaker at length: the lit machine, why it is where it is, what would move it, its window, its settings."""

from collections.abc import Iterator, Sequence
from typing import Final

from engines import units
from engines.resilience.policy import HalfOpenRule, Waiting, WindowKind, percent
from engines.resilience.window import Bucket
from engines.resilience.world.snapshot import BreakerView, EdgeView, Snapshot
from tui.canvas import Canvas, Ink, clip
from tui.glyphs import Glyphs
from tui.kit.parts import fitting, paragraph, put_lines, wrapped
from tui.kit.words import chip, holding, plural
from tui.panels.resilience import queries
from tui.panels.resilience.machine import BOXED, BOXES, Arrow, Machine
from tui.panels.resilience.machine import draw as draw_machine

PPM: Final = 1_000_000
BUCKETS: Final = 24
"""Bars of a window at most; where it has more of them, neighbours are joined."""
LIVES: Final = 3
"""Rows at most for how long its states lasted."""


# -- the machine ------------------------------------------------------------------------------------------------------


def machine_of(snapshot: Snapshot, breaker: BreakerView) -> Machine:
    """The transitions in the breaker's own numbers, and how near each of them is."""
    state = breaker.state
    options = breaker.options
    limit = f"{options.failure_at.value} {percent(options.failure_ppm)}"
    least, nearest = options.needed, breaker.pressing
    slow = f", or {percent(options.slow_ppm)} slower than {units.exact(options.slow_us)}" if options.slow_us else ""
    trip = Arrow(
        f"{limit} of {least} calls or more failed within {span(breaker)}{slow}", f"{limit} of {least}",
        min(part(nearest.ppm, nearest.threshold_ppm), part(breaker.calls, breaker.minimum)), state == "closed",
    )  # fmt: skip
    since = max(0, snapshot.now_us - breaker.since_us)
    wait = units.exact(options.wait_us)
    by = "the timer of" if options.waiting is Waiting.TIMER else "a call after"
    waiting = Arrow(f"{by} {wait}", wait, part(since, since + max(0, breaker.countdown_us)), state == "open")
    note = "" if state in BOXED else queries.STATES[state].name
    return Machine(state, trip, waiting, *_out_of_half(breaker, limit), note, _under(snapshot, breaker))


def _out_of_half(breaker: BreakerView, limit: str) -> tuple[Arrow, Arrow]:
    """The ways out of half-open: judged by the first result, or by the rate of several."""
    live = breaker.state == "half_open"
    options = breaker.options
    if options.half_open is HalfOpenRule.RATE:
        results = options.probes_needed
        near = part(breaker.calls, results) if live else 0
        below = "<" if limit.startswith(">=") else "<="
        closes = f"{below} {percent(options.failure_ppm)} of {results} probes fail"
        late = f" or {units.exact(options.half_open_max_us)}" if options.half_open_max_us else ""
        return (Arrow(closes, f"{below} {percent(options.failure_ppm)} of {results}", near, live),
                Arrow(f"{limit} of them fail{late}", f"{limit}{late}", near, live))  # fmt: skip
    near = part(options.probes - breaker.why.probes_left, options.probes) if live else 0
    return Arrow("the probe succeeds", "1 succeeds", near, live), Arrow("the probe fails", "1 fails", near, live)


def _under(snapshot: Snapshot, breaker: BreakerView) -> tuple[str, str, str]:
    """A number for each state: the one it is in says how long or how far, the others what they last did."""
    lasted = {each.state: each.lasted_us for each in queries.lives(snapshot, breaker) if each.lasted_us >= 0}
    said = dict.fromkeys(BOXED, "never yet")
    said |= {state: f"last {units.seconds(us)}" for state, us in lasted.items()}
    if breaker.state == "closed":
        said["closed"] = f"for {queries.here(snapshot, breaker)}"
    if breaker.state == "open":
        said["open"] = f"{units.seconds(breaker.countdown_us)} left" if breaker.countdown_us > 0 else "next call"
    if breaker.state == "half_open":
        out = breaker.options.probes - breaker.why.probes_left
        said["half_open"] = f"{out}/{breaker.options.probes} probes"
    return said["closed"], said["open"], said["half_open"]


def part(now: int, most: int) -> int:
    """How much of it there is, in parts per million, at most all."""
    return min(PPM, max(0, now) * PPM // most) if most > 0 else PPM


def span(breaker: BreakerView) -> str:
    """What the window covers."""
    options = breaker.options
    return f"the last {options.size} calls" if options.window is WindowKind.COUNT else units.exact(options.window_us)


# -- drawings ---------------------------------------------------------------------------------------------------------


def draw(canvas: Canvas, snapshot: Snapshot, edge: EdgeView, glyphs: Glyphs) -> int:
    """As much of it as there is room for; the machine first, then why, then the window, then the settings.

    Returns the rows it took.
    """
    breaker = edge.breaker
    if breaker is None:
        return _unprotected(canvas, snapshot, edge)
    machine = machine_of(snapshot, breaker)
    boxes = canvas.width >= BOXES[0] and canvas.height >= BOXES[1] + 8
    room = canvas.height if boxes else min(4, canvas.height)
    y = draw_machine(canvas, 1, 0, canvas.width - 2, room, machine, glyphs)
    if machine.note:
        canvas.center(y - 1 if boxes else 0, f" {machine.note} ", chip(queries.STATES[breaker.state].ink))
    y += boxes
    left = canvas.height - y
    if left <= 4:
        return _short(canvas, breaker, y, glyphs)
    y = _words(canvas, snapshot, breaker, y, min(8, left - 4))
    high = max(1, min(5, canvas.height - y - 4))
    y = draw_window(canvas, 1, y, canvas.width - 2, high, breaker, glyphs)
    y = _history(canvas, snapshot, breaker, y)
    settings = wrapped(settings_line(breaker), canvas.width - 2)[: max(0, canvas.height - y)]
    return put_lines(canvas, 1, y, [[(text, "dim")] for text in settings], canvas.width)


def _words(canvas: Canvas, snapshot: Snapshot, breaker: BreakerView, y: int, rows: int) -> int:
    """Since when, why, and what next."""
    what = "opens" if breaker.state == "closed" else "next"
    told: tuple[tuple[str, str, Ink], ...] = (
        ("for", queries.here(snapshot, breaker), queries.STATES[breaker.state].ink),
        ("why", breaker.why.reason or "it has never moved", "text"),
        (what, breaker.why.condition, "bright"),
    )
    width = canvas.width - 3
    lines = [line for head, text, ink in told for line in paragraph(text, ink, width, (f"{head:6}", "dim"))]
    if len(lines) > rows:
        head, (text, ink) = lines[rows - 1]
        lines[rows - 1] = [head, (f"{text} ...", ink)]
    return put_lines(canvas, 1, y, lines[:rows], canvas.width - 1)


def _short(canvas: Canvas, breaker: BreakerView, y: int, glyphs: Glyphs) -> int:
    """Four rows: the rate, or why it is not closed; what moves it on; the window; the settings."""
    room = canvas.width - 2
    why = breaker.why.last.measured if breaker.why.last else ""
    judged = breaker.state == "closed" or not why
    lit = queries.STATES[breaker.state].ink
    put_lines(canvas, 1, y, (rate_words(breaker, room) if judged else ((why, "text"),), ((next_words(breaker), lit),)),
              room + 1)  # fmt: skip
    if y + 2 < canvas.height:
        draw_window(canvas, 1, y + 2, room, 1, breaker, glyphs)
    canvas.put(1, y + 3, clip(settings_line(breaker, room), room), "dim")
    return canvas.height


def rate_words(breaker: BreakerView, room: int) -> tuple[tuple[str, Ink], ...]:
    """The rate that is nearest to its threshold, the calls against their minimum; how many failed if there is room."""
    nearest = breaker.pressing
    rate = percent(nearest.ppm) if nearest.ppm >= 0 else "-"
    over = nearest.ppm >= nearest.threshold_ppm
    head: tuple[tuple[str, Ink], ...] = (
        (f"{nearest.name} ", "dim"), (rate, "bad" if over else "text"), (f"/{percent(nearest.threshold_ppm)}", "dim"),
        ("  calls ", "dim"), (f"{breaker.calls}", "text" if breaker.calls >= breaker.minimum else "warn"),
        (f"/{breaker.minimum}", "dim"),
    )  # fmt: skip
    long = (*head, (f"  {nearest.calls} {'slow' if nearest.name == 'slow' else 'failed'}", "dim"))
    return long if sum(len(text) for text, _ in long) <= room else head


def next_words(breaker: BreakerView) -> str:
    """What it waits for, in few words."""
    match breaker.state:
        case "closed":
            lacks = breaker.minimum - breaker.calls
            if lacks > 0:
                return f"{lacks} calls short of judging"
            nearest = breaker.pressing
            return f"opens at {percent(nearest.threshold_ppm)}{' slow' if nearest.name == 'slow' else ''}"
        case "open":
            if breaker.countdown_us <= 0:
                return "next call probes"
            return f"{units.seconds(breaker.countdown_us)} to go, then {plural(breaker.options.probes, 'probe')}"
        case "half_open":
            left = breaker.why.probes_left
            return f"{breaker.options.probes - left} of {breaker.options.probes} probes given, {left} left"
    return "stays so until it is reset"


def settings_line(breaker: BreakerView, room: int = 999) -> str:
    """The settings in force in one row: as many as there is room for, none of them cut."""
    options = breaker.options
    window = f"last {options.size}" if options.window is WindowKind.COUNT else units.exact(options.window_us)
    limit = f"{options.failure_at.value}{percent(options.failure_ppm).replace(' ', '')}"
    wait, probes = units.exact(options.wait_us), plural(options.probes, "probe")
    whole = options.window is WindowKind.COUNT and options.needed >= options.size
    judged = f"{limit} of the {window}" if whole else f"{limit} of {options.needed}+ in {window}"
    half = f"half-open {units.exact(options.half_open_max_us)} at most" if options.half_open_max_us else ""
    parts = (f"{breaker.preset}: {judged}", f"open {wait}", probes, *holding(((half, half),)))
    return fitting((*(", ".join(parts[:count]) for count in range(len(parts), 0, -1)), judged), room) or judged


# -- the window -------------------------------------------------------------------------------------------------------


def joined(buckets: Sequence[Bucket], most: int) -> list[Bucket]:
    """The buckets, neighbours joined until there are few enough."""
    per = max(1, -(-len(buckets) // most))
    groups = [buckets[at : at + per] for at in range(0, len(buckets), per)]
    return [
        Bucket(group[0].start_us, sum(b.calls for b in group), sum(b.failures for b in group),
                   sum(b.slow for b in group))
        for group in groups
    ]  # fmt: skip


def draw_window(
    canvas: Canvas, x: int, y: int, width: int, height: int, breaker: BreakerView, glyphs: Glyphs
) -> int:  # fmt: skip
    """Its buckets as bars: failed calls at the bottom, the others on them; with rows to spare the failures as numbers.

    Where slow calls are nearer to opening it, these instead of the failed ones. Returns the row after it.
    """
    slow, label = breaker.pressing.name == "slow", 8
    bars = height - (height >= 3)
    room = width - label - (9 if width >= 50 else 0)
    shown = joined(breaker.buckets, max(1, min(BUCKETS, room // 2)))
    if not any(bucket.calls for bucket in shown):
        said = f"no result within {units.exact(breaker.options.window_us)}" if shown else "no calls yet"
        lines = list(paragraph(said, "dim", width, ("window".ljust(label), "dim")))
        put_lines(canvas, x, y, lines[:height], x + width)
        return y + (min(height, 2) if shown else height)
    if slow:
        shown = [bucket._replace(failures=bucket.slow) for bucket in shown]
    each = max(2, min(5, room // len(shown)))
    most = max(1, *(bucket.calls for bucket in shown))
    canvas.put(x, y + bars - 1, "window", "dim")
    for at, bucket in enumerate(shown):
        left = x + label + at * each
        wrong: Ink = "slow" if slow else "error"
        _bar(canvas, left, y, each - 1, bars, bucket, most, wrong, glyphs)
        if bars == 1 == height and bucket.failures * 2 >= max(1, bucket.calls):
            canvas.put(left, y, ("s" if slow else "x") * (each - 1), wrong)  # no row for the numbers
        if bars < height:
            said, ink = str(bucket.failures), "bad" if bucket.failures else "dim"
            canvas.put_right(left + each - 1, y + bars, said if len(said) < each else "+", ink)
    canvas.put(x, y + bars, ("slow" if slow else "failed") if bars < height else "", "dim")
    taken = x + label + len(shown) * each
    if bars == 1 == height and width < 50:
        canvas.put_right(x + width, y, fitting(_counted(breaker, slow), x + width - taken), "dim")
    if width >= 50:
        said = f"{sum(bucket.failures for bucket in shown)}/{breaker.calls}"
        if breaker.state != "open":
            canvas.put_right(x + width, y + bars - 1, clip(said, 9), "text")
        if bars < height:
            canvas.put_right(x + width, y + bars, clip(span(breaker).removeprefix("the "), 9), "dim")
    return y + height


def _counted(breaker: BreakerView, slow: bool) -> tuple[str, ...]:
    """What the bars of a window in one row come to."""
    bad = sum(bucket.slow if slow else bucket.failures for bucket in breaker.buckets)
    whole = plural(breaker.calls, "call")
    if not bad:
        return (whole,)
    sign, what = ("s", "slow") if slow else ("x", "failed")
    if breaker.state == "open":  # late results are counted, too: another number than that which opened it
        return (f"{sign} {what}",)
    return (f"{whole}, {sign} {what}", f"{bad} {what}: {sign}", f"{sign} {what}", f"{bad}{sign}")


def _bar(
    canvas: Canvas, x: int, y: int, width: int, rows: int, bucket: Bucket, most: int, wrong: Ink, glyphs: Glyphs
) -> None:  # fmt: skip
    """One bucket: in few rows coloured by what prevails in each cell."""
    steps = len(glyphs.levels) - 1
    whole = max(1, round(bucket.calls / most * rows * steps)) if bucket.calls else 0
    failed = max(1, round(bucket.failures / most * rows * steps)) if bucket.failures else 0
    for row in range(rows):
        below = (rows - 1 - row) * steps
        level = min(steps, max(0, whole - below))
        bad = failed - below
        bar_ink: Ink = wrong if bad * 2 >= max(1, level) else "good"
        if level:
            canvas.put(x, y + row, glyphs.levels[level] * width, bar_ink)
        elif row == rows - 1:
            canvas.put(x, y + row, glyphs.thin * width, "line")


# -- what else there is to say ----------------------------------------------------------------------------------------


def _history(canvas: Canvas, snapshot: Snapshot, breaker: BreakerView, y: int) -> int:
    """How long it was in each of its last states, in as many rows as the settings leave."""
    if y >= canvas.height - 1:
        return y
    canvas.put(1, y, "lasted", "dim")
    rows = canvas.height - y - len(wrapped(settings_line(breaker), canvas.width - 2))
    lasted = lasted_words(snapshot, breaker, canvas.width - 10, max(1, min(LIVES, rows)))
    return put_lines(canvas, 9, y, lasted, canvas.width)


def lasted_words(snapshot: Snapshot, breaker: BreakerView, room: int, rows: int) -> list[list[tuple[str, Ink]]]:
    """The newest states with their lengths, as many as fit into the rows, oldest first."""
    spans: list[tuple[str, Ink]] = []
    for each in queries.lives(snapshot, breaker):
        span_us = each.lasted_us if each.lasted_us >= 0 else max(0, snapshot.now_us - each.since_us)
        end = "so far" if each.lasted_us < 0 else "->"
        look = queries.STATES[each.state]
        spans.append((f"{look.letter} {units.seconds(span_us)} {end}", look.ink))
    while len(lines := _flowed(spans, room)) > rows:
        spans = spans[1:]
    return lines


def _flowed(pieces: Sequence[tuple[str, Ink]], room: int) -> list[list[tuple[str, Ink]]]:
    """Pieces in lines of at most so many columns, with blanks between."""
    lines: list[list[tuple[str, Ink]]] = [[]]
    for text, ink in pieces:
        if lines[-1] and sum(len(said) for said, _ in lines[-1]) + 1 + len(text) > room:
            lines.append([])
        lines[-1].append((f" {text}" if lines[-1] else text, ink))
    return lines


def _unprotected(canvas: Canvas, snapshot: Snapshot, edge: EdgeView) -> int:
    """An edge without a breaker: what is there instead, and what calls are up against."""
    lines = _envoy(edge) if edge.caps or edge.outliers else iter([("no breaker: every call is tried", "text")])
    told, width = (*lines, *_exposed(snapshot, edge)), canvas.width
    rows = [[(row, ink)] for text, ink in told for row in wrapped(text, width - 2)]
    return put_lines(canvas, 1, 0, rows[: canvas.height], width)


def _envoy(edge: EdgeView) -> Iterator[tuple[str, Ink]]:
    """Caps, and hosts that are out."""
    yield "Envoy: caps and outliers", "text"
    full = any(cap.used >= cap.limit or cap.overflows for cap in edge.caps)
    over = (f" ({cap.overflows} over)" if cap.overflows else "" for cap in edge.caps)
    caps = [f"{cap.name} {cap.used}/{cap.limit}{more}" for cap, more in zip(edge.caps, over, strict=True)]
    if caps:
        yield ", ".join(caps), "bad" if full else "text"
    for each in edge.outliers:
        state = f"ejected, {each.times} x so far" if each.ejected else f"{each.consecutive} errors in a row"
        yield f"{each.host:<10} {state}", "open" if each.ejected else "text"


def _exposed(snapshot: Snapshot, edge: EdgeView) -> Iterator[tuple[str, Ink]]:
    """Errors, retries, the timeout and the line behind: enough to see a storm coming."""
    if edge.attempts_per_s or edge.calls_per_s:
        errors, ink = queries.errors(snapshot, edge)
        if errors.endswith("%"):
            errors = f"errors {errors}, p99 {units.seconds(edge.slowest_us)}"
        yield f"edge: {errors}", ink
    if edge.retry is not None and edge.retry.retries:
        budget, now = edge.retry.budget_ppm, queries.times(edge.amplified_ppm)
        most = f"{f'{now} of' if now else 'up to'} x{1 + edge.retry.retries}, no budget"
        capped = most if budget < 0 else f"{f'{now}, ' if now else ''}budget {percent(budget)}"
        yield f"attempts {capped}", "warn" if budget < 0 else "text"
    if edge.timeout_us:
        yield f"timeout {units.seconds(edge.timeout_us)}{', the callee is told' if edge.deadline else ''}", "text"
    if edge.bulkhead is not None:
        yield f"bulkhead {edge.bulkhead.busy}/{edge.bulkhead.size}, {edge.bulkhead.refused:,} refused", "text"
    if edge.limiter is not None:
        yield f"limiter {edge.limiter.per_s}/s, {edge.limiter.refused:,} refused", "text"
    if edge.hedge_ppm:
        after = f"after {units.seconds(edge.hedge_after_us)}" if edge.hedge_after_us > 0 else "later"
        yield f"asks a second host {after}", "text"
    service = snapshot.service(edge.dst)
    if service is not None and service.shed_us:
        yield f"{service.id} sheds who waited {units.exact(service.shed_us)}", "good"
    if service is not None and service.queue:
        wait = units.seconds(snapshot.drain_us(service))
        yield f"{service.queue} wait at {service.id}: {wait} of work", "bad"
