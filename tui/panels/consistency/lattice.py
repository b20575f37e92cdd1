"""The lattice of models with the live verdicts, and the matrix of smallest histories."""

from dataclasses import replace
from typing import Final

from engines.consistency import Answer, Verdict
from engines.consistency.smallest import SMALLEST
from engines.consistency.world.snapshot import Snapshot
from tui.canvas import Canvas, Ink, clip
from tui.glyphs import Glyphs
from tui.kit.parts import upright
from tui.kit.words import plural
from tui.panel import Focus, Hit
from tui.panels.consistency.queries import MODELS, SHORT, TITLES, choose, chosen, flipped, model_of, verdicts_of

WIDTH: Final = 26
LOW: Final = 12
"""Rows from which every model has one of its own."""
WORDS: Final = {Answer.OK: ("ok", "good"), Answer.VIOLATION: ("NO", "bad"), Answer.UNKNOWN: ("?", "warn")}
REASONS: Final = {
    "sequential": "reads are local: may lag", "causal": "only causes are ordered", "weak": "a cache may miss a push",
}  # fmt: skip
"""Why a design that has no settings for it does not promise more."""


def word(verdict: Verdict) -> tuple[str, Ink]:
    """``ok``, ``NO`` or ``?``, and its ink."""
    return WORDS[verdict.answer]


def draw(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, x: int) -> list[Hit]:
    """In the columns from ``x`` on; returns the cells, which can be clicked."""
    upright(canvas, x - 2, glyphs)
    verdicts = verdicts_of(snapshot, focus)
    titles, columns, title, width = (TITLES, 1, 19, WIDTH - 2) if canvas.height >= LOW else (SHORT, 2, 5, 9)
    hits = []
    for place, name in enumerate(MODELS):
        at, y = x + place % columns * 12, place // columns
        if name in verdicts:
            _cell(canvas, snapshot, focus, verdicts, name, at, y, titles[name], title)
            hits.append(Hit(at, y, width, 1, choose(replace(focus, why=False), model=name)))
    below = -(-len(MODELS) // columns)
    if canvas.height > below:
        _converged(canvas, snapshot, x, below)
        _promise(canvas, snapshot, verdicts, x, below + 1)
    return hits


def _cell(
    canvas: Canvas, snapshot: Snapshot, focus: Focus, verdicts: dict[str, Verdict], name: str, x: int, y: int,
    title: str, width: int,
) -> None:  # fmt: skip
    model = model_of(snapshot, name)
    said, ink = word(verdicts[name])
    changed = name in flipped(snapshot, focus)
    promised = model is not None and model.promised
    selected = chosen(focus).model == name
    canvas.put(x, y, f"{title:<{width}}", "selected" if selected else "bright" if promised else "dim")
    canvas.put(x + width + 1, y, said, f"{ink}!" if changed else ink)
    if promised and width > 10:
        canvas.put(x + width + 4, y, "*", "dim")


def _converged(canvas: Canvas, snapshot: Snapshot, x: int, y: int) -> None:
    if snapshot.recorded or not snapshot.replicas:
        return
    hints = sum(each.pending for each in snapshot.replicas) if snapshot.variant == "eventual" else 0
    if snapshot.differing:
        canvas.put(x, y, clip(f"replicas differ: {' '.join(snapshot.differing)}", WIDTH - 2), "stale")
    elif hints:
        canvas.put(x, y, clip(f"equal, but {plural(hints, 'hint')} wait{'s' * (hints == 1)}", WIDTH - 2), "stale")
    else:
        canvas.put(x, y, "replicas are equal", "good")


def _promise(canvas: Canvas, snapshot: Snapshot, verdicts: dict[str, Verdict], x: int, y: int) -> None:
    """Why a model can be broken while every check holds: checks are about what the design promises."""
    if snapshot.recorded or y >= canvas.height:
        return
    broken = {name for name, verdict in verdicts.items() if verdict.broken}
    promised = {each.name for each in snapshot.models if each.promised}
    if broken & promised:
        canvas.put(x, y, "promised, yet NO: e why", "bad")
    elif broken:
        canvas.put(x, y, "NO: it was not promised", "dim")
        if y + 1 < canvas.height:
            canvas.put(x, y + 1, reason(snapshot), "dim")


def broken(snapshot: Snapshot, focus: Focus) -> str:
    """The verdicts in few words: ``broken: LIN REG``."""
    found = [SHORT[name] for name, verdict in verdicts_of(snapshot, focus).items() if verdict.broken]
    more = f" and {len(found) - 4} more" if len(found) > 5 else ""
    return f"broken: {' '.join(found[:4] if more else found)}{more}" if found else "no model is broken"


def reason(snapshot: Snapshot) -> str:
    """Why the design does not promise more, in the width of the lattice."""
    off = {name for name, on in snapshot.rules if not on}
    match snapshot.variant:
        case "eventual" if snapshot.r + snapshot.w <= snapshot.n:
            return f"R + W = {snapshot.r + snapshot.w}, not > N = {snapshot.n}"
        case "eventual":
            return "stand-ins may answer" if "strict_quorum" in off else "R+W > N only overlaps"
        case "mongodb" if "majority_write" in off:
            return "w:1 can be rolled back"
        case "mongodb":
            return "old primaries may answer" if snapshot.preset == "primary" else "secondaries may lag"
    return REASONS.get(snapshot.variant, "")


def line(canvas: Canvas, snapshot: Snapshot, focus: Focus, y: int) -> None:
    """All models in one row, for narrow screens."""
    x = 0
    verdicts = verdicts_of(snapshot, focus)
    for name in MODELS:
        if name in verdicts and x + len(SHORT[name]) + 2 < canvas.width:
            said, ink = word(verdicts[name])
            mark = "" if said == "ok" else "!" if said == "NO" else "?"
            x = canvas.put(x, y, f"{SHORT[name]}{mark}", "selected" if chosen(focus).model == name else ink) + 1


# -- the matrix ------------------------------------------------------------------------------------------------------


def pair_at(place: int) -> tuple[str, str]:
    """(satisfied, broken)."""
    return tuple(SMALLEST)[place]


def matrix(canvas: Canvas, focus: Focus, glyphs: Glyphs) -> None:
    """Rows: the model that holds; columns: the one that does not. Below, or beside it, the history itself."""
    one, other = pair_at(chosen(focus).pair)
    lines = SMALLEST[one, other]
    needed = len(MODELS) + 1
    y = 0
    if canvas.height >= needed + len(lines) and canvas.width >= 70:
        canvas.put(0, 0, "holds \\ not", "dim")
        for at, name in enumerate(MODELS):
            canvas.put(12 + at * 5, 0, SHORT[name][:4], "accent" if name == other else "dim")
        for row, name in enumerate(MODELS, 1):
            canvas.put(0, row, SHORT[name], "accent" if name == one else "dim")
            for at, broken in enumerate(MODELS):
                has = (name, broken) in SMALLEST
                here = (name, broken) == (one, other)
                size = sum(text.count("|--") for text in SMALLEST.get((name, broken), ()))
                text = f"{size}" if has else glyphs.thin if name != broken else ""
                canvas.put(12 + at * 5, row, text, "selected" if here else "text" if has else "dim")
        y = needed
    for at, text in enumerate(lines, y):
        canvas.put(0, at, clip(text, canvas.width), "text")
