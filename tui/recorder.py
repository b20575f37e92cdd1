"""`dp-tui record`: a run as a film (asciicast version 2) or as one still picture, byte for byte the same for equal
seeds.

No clock is read. Time in a film is what would pass while a person watches: frames of a tenth of a second, each of which
lets the run's speed times as much virtual time pass; a narration that waits is shown for as long as its words take to
read, then the run goes on. Every command that breaks, strains or mends something is a marker, so that a player can jump
from fault to fault. `screenshots/make.py` takes the pictures and films of the README with the same functions.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from engines.errors import UserError
from engines.units import US_PER_MS, US_PER_S, stamp
from tui.ansi import Brush
from tui.asking import command_words
from tui.canvas import Canvas
from tui.painter import Placed
from tui.panel import Ask
from tui.session import Session
from tui.theme import Theme

FRAME_US: Final = 100 * US_PER_MS
READ_US: Final = 1_500 * US_PER_MS
"""How long a narration is shown at least ..."""
CHAR_US: Final = 45 * US_PER_MS
"""... and for each of its characters."""
END_US: Final = 2 * US_PER_S
FILM_MAX_US: Final = 3_600 * US_PER_S
"""Longer films are a mistake in the speed."""
ORDINARY: Final = frozenset({"you", "client", "accent", "text", "dim", "key"})
"""How the scrubber shows what is no fault and mends none: what clients ask for."""
KINDS: Final = {".cast": b'{"version": 2', ".svg": b"<svg ", ".txt": b""}
"""What can be written, and how such a file begins."""


class Pressed(NamedTuple):
    """A key, and the moment of virtual time at which it is pressed; None: at the end."""

    key: str
    at_us: int | None


@dataclass(frozen=True, slots=True)
class Shot:
    """What is to be recorded besides the run: how long, how large, in what look, with which keys."""

    until_us: int
    size: tuple[int, int]
    theme: Theme
    keys: tuple[Pressed, ...] = ()
    title: str = "dp-tui"


def film(session: Session, shot: Shot) -> str:
    """The run as an asciicast: a header, then a line an event."""
    width, height = shot.size
    header = {"version": 2, "width": width, "height": height, "title": shot.title, "env": {"TERM": "xterm-256color"}}
    lines = [json.dumps(header), *(json.dumps(event) for event in _events(session, shot))]
    return "\n".join(lines) + "\n"


def still(session: Session, shot: Shot) -> Canvas:
    """The screen at the end of the shot."""
    session.resize(*shot.size)
    for _ in _played(session, shot):
        pass
    for pressed in shot.keys:
        if pressed.at_us is None:
            press(session, pressed.key)
    return whole(session.render(), shot.size)


def picture(session: Session, shot: Shot) -> str:
    """The same as SVG; keys at its end may open dialogues."""
    from tui.still import snapshot_svg

    session.resize(*shot.size)
    for _ in _played(session, shot):
        pass
    keys = [pressed.key for pressed in shot.keys if pressed.at_us is None]
    for at, key in enumerate(keys):
        if not at or len(key) > 1:  # behind a key that opens a dialogue there may be text for it
            known(session, key)
    return asyncio.run(snapshot_svg(session, shot.size, shot.theme, keys))


def press(session: Session, key: str) -> None:
    """A key whose effect is seen without a dialogue. UserError for others."""
    known(session, key)
    if isinstance(session.press(key), Ask):
        raise UserError(f"--press {key}: it opens a dialogue, which a film or a text cannot show; a picture (.svg) can")


def known(session: Session, key: str) -> None:
    """UserError for what is no key here."""
    keys = session.scene.keys
    if key not in keys:
        accepted = " ".join(name for name in keys if name != "space")
        title = session.scene.panel.pattern.title
        raise UserError(f"--press {key[:20]}: no key of {title}; space and these are accepted: {accepted}")


def whole(areas: Sequence[Placed], size: tuple[int, int]) -> Canvas:
    """One canvas of all areas."""
    canvas = Canvas(*size)
    for area in areas:
        canvas.blit(area.canvas, area.x, area.y)
    return canvas


# -- a film ----------------------------------------------------------------------------------------------------------


def _events(session: Session, shot: Shot) -> Iterator[tuple[float, str, str]]:
    """Output and markers, each with its second."""
    brush = Brush(shot.theme)
    session.resize(*shot.size)
    marked = 0
    yield 0.0, "o", "\x1b[?25l"
    for at_us in _played(session, shot):
        at_s = at_us / US_PER_S
        scene = session.scene
        for entry in scene.branch.log[marked:]:
            mark = scene.panel.mark(entry.command)
            if mark is not None and mark[1] not in ORDINARY:
                yield at_s, "m", f"{stamp(entry.at_us)} {command_words(entry.command)}"
        marked = len(scene.branch.log)
        written = brush.paint(whole(session.render(), shot.size))
        if written:
            yield at_s, "o", written


def _played(session: Session, shot: Shot) -> Iterator[int]:
    """Let the run go on to its end, past every narration; the time of the film at each frame."""
    due = sorted((key for key in shot.keys if key.at_us is not None), key=lambda key: key.at_us or 0)
    at_us = 0
    speed = session.scene.player.speed
    if shot.until_us / speed > FILM_MAX_US:
        raise UserError(f"--until {stamp(shot.until_us)}: at speed {speed} that is a film of more than an hour")
    yield at_us
    while True:
        player = session.scene.player
        now_us = player.timeline.now_us
        while due and due[0].at_us is not None and due[0].at_us <= now_us:
            press(session, due.pop(0).key)
        if now_us >= shot.until_us:
            break
        if not player.playing:
            yield at_us
            cue = session.scene.cue()
            at_us += READ_US + CHAR_US * len(cue.text) if cue is not None else 0
            session.press("space")
        goal_us = min([shot.until_us, *(key.at_us for key in due[:1] if key.at_us is not None)])
        left_us = int((goal_us - now_us) / player.speed) + 1
        step_us = max(1, min(FRAME_US, left_us))
        session.tick(step_us)
        at_us += step_us
        yield at_us
    if session.scene.player.playing:
        session.press("space")
    yield at_us + END_US


# -- files -----------------------------------------------------------------------------------------------------------


def kind(name: str) -> str:
    """What kind of file a name asks for. UserError if it is none."""
    suffix = Path(name).suffix
    if suffix not in KINDS:
        raise UserError(f"{name}: FILE.cast (a film), FILE.svg (a picture) and FILE.txt (its text) are accepted")
    return suffix


def write(name: str, text: str) -> None:
    """Write a film or a picture; over nothing but one of its kind. UserError if that cannot be."""
    path, head = Path(name), KINDS[kind(name)]
    try:
        if path.exists():
            with path.open("rb") as old:
                if not head or old.read(len(head)) != head:
                    raise UserError(f"{name}: exists, and is not to be written over; give another name")
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{name}: cannot be written: {error.strerror or error}") from None
    print(f"{name}: {len(text.encode()):,} bytes", file=sys.stderr)
