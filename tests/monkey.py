"""Random keys, sizes, clicks, pauses and answers, for any session: whatever a person does, nothing may break.

Deterministic: the same seed does the same to the same session. Every picture is checked for what is true of all.
"""

from random import Random
from typing import Any

from engines.errors import UserError
from tui.canvas import Canvas
from tui.dialogs import Dialogue, Form, Pick, Prompt
from tui.panel import Ask, Offer, Param, Wish
from tui.session import Placed, Session

SIZES = ((80, 24), (120, 36), (200, 50), (60, 16), (240, 70), (59, 16), (10, 3), (100, 30), (132, 20))
TEXTS = (
    "",
    "x=1",
    "p1",
    "n1",
    "p1 | p2 p3",
    "12.5",
    "1:00",
    "nonsense | ",
    "0" * 30,
    "del y",
    "[bold]x",
    "é\u4e2d",
    "p2",
)
RARE = frozenset(("r", "R", "home", "s", "ctrl+p"))
"""Keys that begin anew: pressed as often as others they would keep every run short."""
EXTRA = ("Z", "§", "f7", "ctrl+x", "@", "4", "9")


class Monkey:
    """Plays with a session."""

    def __init__(self, session: Session, seed: int) -> None:
        self.session = session
        self.random = Random(seed)
        self.done: list[str] = []
        """What it did, newest last: the story of a failure."""

    def play(self, times: int) -> None:
        """So many deeds, each followed by a picture."""
        for _ in range(times):
            self.once()
            check_picture(self.session)

    def once(self) -> None:
        """One deed."""
        kind = self.random.choices(("key", "tick", "size", "click", "wheel"), (69, 23, 3, 3, 2))[0]
        session = self.session
        match kind:
            case "key":
                key = self.random.choice((*session.scene.keys, *EXTRA))
                if key in RARE and self.random.random() < 0.9:
                    key = "space"
                self._did(f"key {key}")
                self.answer(session.press(key))
            case "tick":
                wall_us = self.random.choice((0, 1_000, 33_333, 100_000, 250_000))
                self._did(f"tick {wall_us}")
                session.tick(wall_us)
            case "size":
                size = self.random.choice(SIZES)
                self._did(f"size {size}")
                session.resize(*size)
            case "wheel":
                x, y, step = *(self.random.randrange(40) for _ in "xy"), self.random.choice((-1, 1))
                self._did(f"wheel {x} {y} {step}")
                session.wheel(x, y, step)
            case "click":
                x, y = self.random.randrange(max(1, session.width)), self.random.randrange(max(1, session.height))
                self._did(f"click {x} {y}")
                self.answer(session.click(x, y))

    def answer(self, wish: Wish) -> None:
        """Answer dialogues until none is left."""
        for _ in range(5):
            if not isinstance(wish, Ask):
                return
            outcome = self.choose(self.session.dialogue(wish.what))
            self._did(f"  {wish.what}: {outcome}")
            wish = self.session.perform(outcome)

    def choose(self, dialogue: Dialogue) -> Any:
        """The outcome of a random answer; None: left without one."""
        if self.random.random() < 0.15:
            return None
        match dialogue:
            case Pick(choices=choices) if choices:
                return self.random.choice(choices).outcome
            case Form(offers=offers) if offers:
                return self.fill(self.random.choice(offers))
            case Prompt(prefill=prefill, submit=submit):
                try:
                    return submit(self.random.choice((*TEXTS, prefill)))
                except UserError:
                    return None
        return None

    def fill(self, offer: Offer) -> Any:
        """An offer with random values for its parameters."""
        try:
            return offer.build({param.name: self.value(param) for param in offer.params})
        except UserError:
            return None

    def value(self, param: Param) -> Any:
        """A value that the widget could give."""
        if param.choices:
            return self.random.choice(param.choices)
        if isinstance(param.value, bool):
            return self.random.random() < 0.5
        if isinstance(param.value, int):
            return self.random.randrange(param.low, param.high + 1, param.step)
        return param.value

    def _did(self, what: str) -> None:
        self.done.append(what)
        del self.done[:-50]


def check_picture(session: Session) -> tuple[Placed, ...]:
    """What is true of every picture; returns it."""
    placed = session.render()
    assert session.render() is placed, "nothing happened, yet the picture is another"
    covered: set[tuple[int, int]] = set()
    overlay = session.layout.overlay
    for name, x, y, canvas in placed:
        assert x >= 0, name
        assert y >= 0, name
        assert x + canvas.width <= session.width, name
        assert y + canvas.height <= session.height, name
        if name == "inspector" and overlay:
            assert placed[-1].name == name
            continue
        cells = {(column, row) for column in (x, x + canvas.width - 1) for row in range(y, y + canvas.height)}
        assert not cells & covered, name
        covered |= {(column, row) for column in range(x, x + canvas.width) for row in range(y, y + canvas.height)}
    assert len(covered) == session.width * session.height, "a hole in the picture"
    return placed


def screen(session: Session) -> str:
    """The whole picture as text."""
    whole = Canvas(session.width, session.height)
    for _, x, y, canvas in session.render():
        whole.blit(canvas, x, y)
    return whole.text()
