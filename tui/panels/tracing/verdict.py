"""The verdict at the foot of the picture: a sentence with its evidence, what else it could be, whether it is right.

Below a hundred traces there is none, and the reason stands in its place: one trace cannot show what happens at p99.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from engines.tracing.diagnosis import TRACES_MIN, Lack, NoDiagnosis
from engines.tracing.gap import Cause, Comparison
from engines.tracing.verdicts import Verdict
from engines.tracing.world.events import Score
from engines.tracing.world.snapshot import Snapshot
from engines.units import fixed, percent, stamp
from tui.canvas import Canvas, Ink, wrap
from tui.glyphs import Glyphs
from tui.kit.parts import Piece, put_lines
from tui.kit.words import plural
from tui.panels.tracing.words import fault_words
from tui.panels.tracing.world_words import score_words
from tui.userdata import verdict_words

RULE_ROWS: Final = 3
"""Rows from which the verdict has a rule with its title above it."""
SHARE_OF_PICTURE: Final = 3
"""It takes one part in so many of the picture at most."""
ROWS_MAX: Final = 6
ROOMY: Final = 14
"""Rows of a picture from which any view can spare some for the whole sentence."""
SENTENCE_ROWS: Final = 3
"""Rows that a sentence may take even where the view needs the rows."""


def height(snapshot: Snapshot, width: int, rows: int, part: int = SHARE_OF_PICTURE) -> int:
    """The rows it asks for in a picture of so many, at most one ``part`` of them."""
    if rows < 5:
        return 0 if rows < 3 else 1
    told = len(_sentence(snapshot, width))
    least = 2 if part == SHARE_OF_PICTURE else min(told, SENTENCE_ROWS) + 1 if rows >= ROOMY else 1
    allowed = min(ROWS_MAX, max(least, 1, rows // part))
    needed = told + len(_more(snapshot, width))
    return min(allowed, needed + (allowed >= RULE_ROWS))


def draw(canvas: Canvas, snapshot: Snapshot, glyphs: Glyphs) -> None:
    """A rule where there is room, the sentence, then the rest as far as there is room."""
    if canvas.height < 1:
        return
    y = 0
    more = _more(snapshot, canvas.width - 1)
    lines = _sentence(snapshot, canvas.width)
    if canvas.height >= RULE_ROWS or canvas.height > len(lines) + len(more):
        canvas.put(0, 0, glyphs.horizontal * canvas.width, "line")
        canvas.put(1, 0, f" {title(snapshot)} ", "bad" if snapshot.verdicts else "accent")
        cohort = about(snapshot)
        if cohort and len(cohort) + len(title(snapshot)) + 10 <= canvas.width:
            canvas.put_right(canvas.width - 1, 0, f" {cohort} ", "dim")
        y = 1
    room = canvas.height - y
    if len(lines) > room:
        lines = [*lines[: room - 1], [*lines[room - 1][:-1], (lines[room - 1][-1][0].rstrip() + "..", "dim")]]
    put_lines(canvas, 1, y, [*lines, *more][:room], canvas.width)


def title(snapshot: Snapshot) -> str:
    """``verdict``, or that there is none."""
    if snapshot.verdicts or (snapshot.failures and snapshot.failures[0].stands_out):
        return "verdict"
    if snapshot.diagnosis is not None:
        return "the tail"
    return "no verdict" if snapshot.recorded else "no verdict yet"


def about(snapshot: Snapshot) -> str:
    """What was compared."""
    found = snapshot.diagnosis
    if found is None:
        return " ".join(snapshot.root_operation).strip()
    if found.comparison is not Comparison.TAIL:
        which, others = verdict_words.WHEN[found.comparison], verdict_words.THAN[found.comparison]
        return f"{found.slow:,} {found.operation} {which}, {found.fast:,} {others}"
    return f"p99 against p50: {found.slow} slowest of {found.traces:,} stored {found.operation}"


def _sentence(snapshot: Snapshot, width: int) -> list[list[Piece]]:
    """The sentence in lines, its numbers lit."""
    text, ink = sentence(snapshot)
    return [_lit(line, ink) for line in wrap(text, max(1, width - 2))]


def sentence(snapshot: Snapshot) -> tuple[str, Ink]:
    """What the tool says, or why it says nothing."""
    if snapshot.verdicts:
        return verdict_words.sentence(snapshot.verdicts[0]), "text"
    if snapshot.failures and snapshot.failures[0].stands_out:
        return verdict_words.failure_words(snapshot.failures[0]), "text"
    if snapshot.diagnosis is not None:
        return verdict_words.ordinary_words(snapshot.diagnosis), "text"
    return lacks(snapshot), "dim"


def lacks(snapshot: Snapshot) -> str:
    """Why there is no verdict."""
    none = "no trace has arrived yet: spans travel after the fact, and what is not sampled never comes"
    if waiting := snapshot.collector.pending_traces:
        none = f"{plural(waiting, 'trace')} in the collector, which has not decided yet what to keep"
    return verdict_words.lack_words(lacking(snapshot)) or none if snapshot.traces else none


def lacking(snapshot: Snapshot) -> NoDiagnosis | None:
    """Why there is no diagnosis, with the complete traces that are on the screen rather than those of the last tick."""
    lack = snapshot.no_diagnosis
    whole = Counter((row.service, row.operation) for row in snapshot.traces if row.complete)
    if lack is None or snapshot.recorded or not whole:
        return lack
    if lack.why is Lack.FEW:
        now = whole[lack.service, lack.operation]
        return lack._replace(traces=now) if lack.traces < now < TRACES_MIN else lack
    if lack.why is not Lack.NOTHING:
        return lack
    (service, operation), traces = min(whole.items(), key=lambda each: (-each[1], each[0]))
    return NoDiagnosis(Lack.FEW, service, operation, traces)


def _lit(line: str, ink: Ink) -> list[Piece]:
    """Words with digits are facts: they are bright, with the unit after them."""
    pieces: list[Piece] = []
    unit = False
    for word in line.split(" "):
        number = any(char.isdigit() for char in word)
        lit = number or (unit and word.strip(",.;:()") in ("%", "ms", "us", "s"))
        pieces.append((f"{word} ", "bright" if lit and ink == "text" else ink))
        unit = number
    return pieces


def _more(snapshot: Snapshot, width: int) -> list[list[Piece]]:
    """The score, what would help and what else it could be, as far as that fits; and the truth, where it is known."""
    found = snapshot.diagnosis
    pieces: list[Piece] = []
    if snapshot.injected and (snapshot.verdicts or found is not None):
        words = score_words(snapshot.score, snapshot.verdicts, snapshot.injected) or "not scored"
        right = snapshot.score in (Score.RIGHT, Score.MISSES)
        pieces.append((f"{words}   ", "good" if right else "warn"))
    if found is not None and snapshot.verdicts and found.verdict.saved_us > 0:
        pieces += [("without it ", "dim"), (f"{fixed(found.verdict.saved_us)} less   ", "good")]
    others: Sequence[Cause | Verdict] = found.alternatives[:2] if found is not None else snapshot.verdicts[1:3]
    lead = "next: "
    for each in others:
        also: list[Piece] = [(lead, "dim"), (f"{each.service} {each.kind} ", "text")]
        share = percent(each.ppm) if each.ppm else ""
        if sum(len(text) for text, _ in (*pieces, *also)) + len(share) > width:
            break
        pieces += [*also, (share, "dim")]
        lead = "   "
    lines = [pieces] if pieces else []
    if snapshot.proposal is not None:
        window = snapshot.proposal.window
        differ = f"{stamp(window.from_us)} to {stamp(window.to_us)} differs from the rest"
        lines.append([("a change: ", "dim"), (differ, "text"), ("   p compares", "dim")])
    if snapshot.injected:
        fault = snapshot.injected[-1]
        when = stamp(fault.at_us).removesuffix(".000")
        lines.append([(f"injected at {when}: ", "dim"), (fault_words(fault), "text")])
    return lines
