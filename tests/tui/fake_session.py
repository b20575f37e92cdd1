"""A session that is nothing but a record of what it was asked, with one dialogue of each kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engines.errors import UserError
from tui.canvas import Canvas
from tui.dialogs import Choice, Dialogue, Form, Pages, Pick, Prompt
from tui.farewell import Kept
from tui.glyphs import BRAILLE, Glyphs
from tui.painter import Placed as Area
from tui.panel import Ask, Do, Offer, Param, Press, Refuse

ASKS = {
    "s": "scenarios", "f": "faults", "b": "rules", "a": "client", "?": "help", "ctrl+p": "palette", "o": "empty"
}  # fmt: skip


class FakeSession:
    """Two areas that move while it runs, one that stands still, one (`i`) that lies over them."""

    def __init__(self, glyphs: Glyphs = BRAILLE) -> None:
        self.glyphs = glyphs
        self.keys: list[str] = []
        self.performed: list[Any] = []
        self.notices: list[str] = []
        self.clicks: list[tuple[int, int]] = []
        self.sizes: list[tuple[int, int]] = []
        self.dirty = True
        self.running = True
        self.over = False
        self.renders = 0
        self.wall_us = 0
        self.breaks_on = ""

    def press(self, key: str) -> Ask | Do | None:
        self.keys.append(key)
        self.dirty = True
        if key == self.breaks_on:
            raise ZeroDivisionError("a bug")
        if key in ASKS:
            return Ask(ASKS[key])
        if key == "space":
            self.running = not self.running
        if key == "i":
            self.over = not self.over
        return Do.QUIT if key == "q" else Do.SCREENSHOT if key == "P" else None

    def perform(self, outcome: Any) -> Ask | Do | None:
        if outcome == ("impossible",):
            raise UserError("the engine refused: no such node")
        self.performed.append(outcome)
        self.dirty = True
        return outcome if isinstance(outcome, Ask | Do) else None

    def tick(self, wall_us: int) -> None:
        if self.breaks_on == "tick":
            raise ZeroDivisionError("a bug in time")
        if self.running:
            self.wall_us += wall_us
            self.dirty = True

    def resize(self, width: int, height: int) -> None:
        if (width, height) != (self.sizes[-1] if self.sizes else None):
            self.sizes.append((width, height))
            self.dirty = True

    def click(self, x: int, y: int) -> Ask | Do | None:
        self.clicks.append((x, y))
        return None

    def wheel(self, x: int, y: int, step: int) -> None:
        self.clicks.append((x, y))

    def notify(self, text: str) -> None:
        self.notices.append(text)
        self.dirty = True

    def leave(self) -> Kept:
        return Kept("replay it with: dp-tui replay here.json")

    def render(self) -> tuple[Area, ...]:
        self.dirty = False
        self.renders += 1
        width, height = self.sizes[-1]
        if width < 60 or height < 16:
            small = Canvas(width, height)
            small.center(height // 2, "too small", "warn")
            return (Area("message", 0, 0, small),)
        top, picture = Canvas(width, 1), Canvas(width, height - 2)
        top.put(1, 0, f"RUN {self.wall_us}" if self.running else "PAUSED", "good")
        picture.box(0, 0, width, height - 2, "picture", "a note", glyphs=self.glyphs)
        for n, ink in enumerate(("leader!", "candidate!", "follower!", "t3!", "dim", "bright")):
            picture.put(4 + self.wall_us // 100_000 % 10 * n, 2 + n, f" n{n} F t5 ", ink)
        footer = Canvas(width, 1)
        footer.put(1, 0, f"keys {len(self.keys)}", "key")
        areas = [Area("top", 0, 0, top), Area("picture", 0, 1, picture), Area("footer", 0, height - 1, footer)]
        if self.over:
            over = Canvas(20, 6)
            over.box(0, 0, 20, 6, "over", glyphs=self.glyphs)
            areas.append(Area("over", width - 24, 3, over))
        return tuple(areas)

    def dialogue(self, what: str) -> Dialogue:
        return DIALOGUES[what]


def _built(name: str) -> Any:
    def build(values: Mapping[str, Any]) -> Any:
        if values.get("for") == 13:
            raise UserError("for: 13 ms is bad luck")
        return (name, dict(values))

    return build


def _submit(text: str) -> Any:
    if text == "impossible":
        return ("impossible",)
    if "=" not in text:
        raise UserError(f"{text!r} is no request; write it like y=3")
    return ("client", text)


S1: Any = ("s1",)
S2: Any = ("s2",)
S3: Any = ("s3",)
SCENARIOS = Pick(
    "scenarios",
    (
        Choice("first leader", "12 s", "A quiet start: five followers, no leader; the first timeout decides.", S1),
        Choice("split vote", "20 s", "Two candidates ask at once and share the votes; nobody wins the term.", S2),
        Choice("figure 8", "31 s", "Why a leader commits only entries of its own term, as the paper's figure 8 shows: "
               "an entry on a majority can still be overwritten, unless one of the leader's own term lies above it.",
               S3),
        Choice("your file", "", "Load keys.", Refuse("recorded data: faults need a simulation")),
    ),
    hint="a scenario starts a new run; the present one stays in the branch list",
)  # fmt: skip

FAULTS = Form(
    "faults at n3",
    (
        Offer("crash", "It loses what was not on disk and comes back after the time given.", _built("crash"),
              (Param("for", 250, 0, 2000, 50, "ms"),)),
        Offer("delay its links", "Every message from and to it takes longer.", _built("delay"),
              (Param("by", 40, 0, 500, 10, "ms"), Param("jitter", 5, 0, 100, 5, "ms"),
               Param("way", "both", choices=("both", "in", "out")))),
        Offer("heal everything", "No fault is left.", _built("heal")),
        Offer("write", "A typed value.", _built("write"), (Param("text", "y=3"), Param("sure", True))),
        Offer("skew its clock", "Fast or slow against all others.", _built("skew"),
              (Param("by", 0, -500, 500, 50, "ms"),)),
    ),
    hint="it strikes at once",
)  # fmt: skip

RULES = Form(
    "rules that can be broken",
    (
        Offer("check the term", "A vote of an old term counts.", _built("term"), on=True),
        Offer("vote once", "A node votes again after a restart.", _built("once"), on=False),
    ),
)

HELP = Pages(
    "consensus: help",
    (
        "Five nodes agree on one log. The leader, in yellow, takes requests and sends them round; what a majority has "
        "stored is committed and will never be lost.",
        "Messages move as letters: V asks for a vote, A appends, S installs a snapshot. The bar under a node runs down "
        "to its next election.",
    ),
    (
        ("this pattern", (("k", "crash or restart the selected node"), ("x", "cut it off, or reconnect it"),
                          ("l", "loss on its links: 0, 10, 30, 60 percent"))),
        ("the run", (("space", "run or pause; in the past, replay the recorded future"), (".", "one event forward"),
                     ("+ -", "faster, slower"), ("home", "go to the start"))),
        ("looking", (("tab", "the next area"), ("enter", "let this area fill the screen"), ("esc", "back"))),
        ("files and the program", (("S", "save the run"), ("P", "save a picture of the screen"), ("q", "quit"))),
    ),
)  # fmt: skip

PALETTE = Pick(
    "every command",
    (
        *(Choice(f"do the thing number {n}", chr(97 + n), f"thing {n}", Press(chr(97 + n))) for n in range(20)),
        Choice("save the run", "S", "to a file", Ask("client")),
        Choice("crash the node", "k", "", Refuse("nothing is selected")),
    ),
    filterable=True,
)

CLIENT = Prompt("ask as a client", "y=3", "y=3   y+=1   del y", _submit)

DIALOGUES: dict[str, Dialogue] = {
    "scenarios": SCENARIOS, "faults": FAULTS, "rules": RULES, "client": CLIENT, "help": HELP, "palette": PALETTE,
    "empty": Pick("branches", ()),
}  # fmt: skip
