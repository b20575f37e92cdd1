"""What every panel holds to: what it draws, what its keys come to, what it says. The toy is one of them."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.errors import UserError
from engines.sim import faults
from engines.sim.events import QUIET, Event
from engines.sim.pattern import Check
from tests.monkey import Monkey
from tests.tui.subjects import SUBJECTS, Subject
from tests.tui.subjects.subject import Run
from tui.glyphs import ASCII, BRAILLE, GLYPH_SETS, Glyphs
from tui.keys import FREE, VERBS, keymap
from tui.layout import arrange
from tui.panel import Ask, Do, Focus, Frame, Offer, Refuse, Size, Sizes
from tui.registry import PANELS
from tui.theme import known

ARROWS = ("left", "right", "up", "down")
SCREENS = ((60, 16), (80, 24), (120, 36), (200, 50))
WHO_MAX = 12
DEEDS = 200
"""Told by the kit."""
DOTS = {chr(0x2800 + bits) for bits in range(256)}
"""What lines of dots are made of where the terminal has them."""
each_panel = pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
each_moment = pytest.mark.parametrize(
    ("subject", "moment"),
    [pytest.param(subject, name, id=f"{subject.name}-{name}") for subject in SUBJECTS for name in subject.moments],
)
each_world = pytest.mark.parametrize(
    ("subject", "world"),
    [pytest.param(subject, name, id=f"{subject.name}-{name}") for subject in SUBJECTS for name in subject.worlds],
)
each_session = pytest.mark.parametrize(
    ("subject", "session"),
    [pytest.param(subject, name, id=f"{subject.name}-{name}") for subject in SUBJECTS for name in subject.sessions],
)


def test_every_panel_of_the_registry_is_held_to_the_contract() -> None:
    assert {panel.pattern.name for panel in PANELS} == {subject.name for subject in SUBJECTS} - {"toy"}


# -- what is drawn ---------------------------------------------------------------------------------------------------


def draw(subject: Subject, snapshot: Any, focus: Focus, sizes: Sizes, glyphs: Glyphs) -> Frame:
    """The panel's frame of what is selected, which is made to fit first, as a scene does."""
    return subject.panel.view(snapshot, subject.panel.fit(snapshot, focus), sizes, glyphs)


def check_frame(frame: Frame, sizes: Sizes, glyphs: Glyphs) -> None:
    """It fills its canvases, with inks that the themes know and characters that the terminal can show."""
    allowed = set("".join(getattr(glyphs, name) for name in glyphs.__slots__)) | (DOTS if glyphs is BRAILLE else set())
    for canvas, size in zip((frame.picture, frame.strip, frame.inspector), sizes, strict=True):
        assert (canvas.width, canvas.height) == size
        for row in canvas.rows():
            assert sum(len(part) for part, _ in row) == size.width
            assert all(known(ink) for _, ink in row)
        assert not {char for char in canvas.text() if not char.isascii()} - allowed
    titles = (frame.picture_title, frame.picture_note, frame.strip_title, frame.strip_note, frame.inspector_title)
    assert not {char for title in titles for char in title if not char.isascii()} - allowed


@each_moment
def test_canvases_of_every_size_are_filled(subject: Subject, moment: str) -> None:
    snapshot = subject.moment(moment)
    focuses = subject.selections(snapshot)
    turn = 0
    for width in (20, 27, 40, 58, 72, 101, 142, 200):
        for height in (1, 4, 6, 13, 40):
            turn += 1
            sizes = Sizes(*(Size(width, height),) * 3)
            glyphs = GLYPH_SETS[turn % len(GLYPH_SETS)]
            check_frame(draw(subject, snapshot, focuses[turn % len(focuses)], sizes, glyphs), sizes, glyphs)


@each_moment
def test_every_selection_is_drawn_on_every_screen(subject: Subject, moment: str) -> None:
    snapshot = subject.moment(moment)
    for turn, focus in enumerate(subject.selections(snapshot)):
        for place, screen in enumerate(SCREENS[turn % 2 :: 2]):
            sizes = arrange(*screen, inspector=True, strip_least=subject.panel.strip_least).sizes()
            glyphs = GLYPH_SETS[(turn // 2 + place) % len(GLYPH_SETS)]
            check_frame(draw(subject, snapshot, focus, sizes, glyphs), sizes, glyphs)


@each_panel
def test_tiny_and_hidden_areas_are_no_error(subject: Subject) -> None:
    nothing = Size(0, 0)
    for name in list(subject.moments)[:4]:
        snapshot = subject.moment(name)
        for turn, focus in enumerate(subject.selections(snapshot)):
            for width in range(turn % 3, 36, 5):
                for height in range(5):
                    draw(subject, snapshot, focus, Sizes(*(Size(width, height),) * 3), ASCII)
            area = turn % 3
            sizes = Sizes(*(Size(70, 20) if i == area else nothing for i in range(3)))
            check_frame(draw(subject, snapshot, focus, sizes, ASCII), sizes, ASCII)


@each_moment
def test_the_facts_of_the_top_line_are_plain_and_short(subject: Subject, moment: str) -> None:
    status = subject.panel.status(subject.moment(moment))
    assert status.isascii()
    assert 0 < len(status) <= 80


# -- what keys come to -----------------------------------------------------------------------------------------------


@each_panel
def test_no_key_collides_with_a_global_one(subject: Subject) -> None:
    keys = subject.panel.keys
    assert {key.key for key in keys} <= set(keymap(subject.panel, PANELS))
    assert all(key.key in FREE or key.key in VERBS for key in keys)
    assert all(len(key.label) <= 13 for key in keys), "labels are a word or two"


def offers(subject: Subject, snapshot: Any, focus: Focus) -> Iterator[Offer]:
    """Every row of every form."""
    panel = subject.panel
    for dialogue in (panel.faults, panel.rules, panel.tune, panel.sides):
        yield from dialogue(snapshot, focus)


def outcomes(subject: Subject, snapshot: Any, focus: Focus) -> Iterator[tuple[str, Any, bool]]:
    """What keys and rows come to, with every choice, and at both ends of every number: there the engine may refuse."""
    for key in subject.panel.keys:
        yield key.key, key.act(snapshot, focus), True
    for offer in offers(subject, snapshot, focus):
        values = {param.name: param.value for param in offer.params}
        yield offer.title, offer.build(values), True
        for param in offer.params:
            for choice in param.choices or (param.low, param.high):
                yield offer.title, offer.build({**values, param.name: choice}), bool(param.choices)


def accepted(run: Run, outcome: Any, commands: tuple[type, ...]) -> bool:
    """Whether an outcome is a command, or commands, that the engine takes now, or something of the screen."""
    if isinstance(outcome, Focus | Ask | Do | Refuse):
        return not isinstance(outcome, Refuse) or bool(outcome.why)
    for command in outcome if isinstance(outcome, tuple) else (outcome,):
        assert isinstance(command, commands)
        run.engine.validate(run.engine.resolve(command))
    return bool(outcome) or outcome == ()


@each_world
def test_every_outcome_of_every_key_and_form_is_accepted(subject: Subject, world: str) -> None:
    run = subject.worlds[world]()
    snapshot = run.snapshot()
    tried: dict[Any, tuple[str, bool]] = {}  # whatever is selected, most keys and rows come to the same
    for focus in subject.selections(snapshot):
        for whence, outcome, must in outcomes(subject, snapshot, subject.panel.fit(snapshot, focus)):
            tried[outcome] = whence, must or tried.get(outcome, ("", False))[1]
    for outcome, (whence, must) in tried.items():
        try:
            assert accepted(run, outcome, run.variant.commands), whence
        except UserError as error:
            if must:
                raise AssertionError((whence, outcome)) from error


@each_moment
def test_forms_are_plain_and_their_values_lie_within_their_bounds(subject: Subject, moment: str) -> None:
    snapshot = subject.moment(moment)
    for focus in subject.selections(snapshot)[:8]:
        for offer in offers(subject, snapshot, subject.panel.fit(snapshot, focus)):
            assert offer.title.isascii()
            assert offer.help.isascii()
            for param in offer.params:
                if param.choices:
                    assert param.value in param.choices, (offer.title, param)
                elif isinstance(param.value, int) and not isinstance(param.value, bool):
                    assert param.low <= param.value <= param.high, (offer.title, param)


@each_panel
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_move_and_fit_never_select_what_is_absent(subject: Subject, data: st.DataObject) -> None:
    panel, run, focus = subject.panel, subject.walk(), Focus()
    keys = {key.key: key for key in panel.keys if key.key not in subject.typed}
    for key in data.draw(st.lists(st.sampled_from((*ARROWS, *keys, "wait", "find", "strip")), max_size=40)):
        snapshot = run.snapshot()
        if key == "wait":
            run.advance(run.now_us + subject.wait_us)
        elif key == "find":
            focus = replace(focus, find="" if focus.find else subject.find)
        elif key == "strip":
            focus = replace(focus, area="strip" if focus.area == "picture" else "picture")
        elif key in ARROWS:
            focus = panel.move(snapshot, focus, key)
            assert subject.present(snapshot, panel.fit(snapshot, focus))
        else:
            outcome = keys[key].act(snapshot, focus)
            if isinstance(outcome, Focus):
                focus = outcome
                assert subject.present(snapshot, panel.fit(snapshot, focus))
            elif not isinstance(outcome, Refuse | Ask | Do):
                for command in outcome if isinstance(outcome, tuple) else (outcome,):
                    with suppress(UserError):
                        run.submit(command)
        snapshot = run.snapshot()
        focus = panel.fit(snapshot, focus)
        assert subject.present(snapshot, focus)
        assert panel.fit(snapshot, focus) == focus


@each_panel
def test_every_command_leaves_a_mark_on_the_scrubber_but_the_lecture(subject: Subject) -> None:
    for variant in subject.panel.pattern.variants:
        for kind in variant.commands if variant.name in (subject.panel.variants or (variant.name,)) else ():
            assert is_dataclass(kind)
            command: Any = kind
            mark = subject.panel.mark(command(*(None for _ in fields(command))))
            if kind is faults.Narrate:
                assert mark is None
            elif subject.name != "toy":
                assert mark is not None, kind
                assert known(mark[1])
                assert len(mark[0]) == 1


@each_session
def test_random_hands_break_nothing(subject: Subject, session: str) -> None:
    made = subject.sessions[session]()
    made.resize(80, 24)
    Monkey(made, sum(map(ord, session))).play(DEEDS)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(8))
@each_session
def test_random_hands_break_nothing_for_long(subject: Subject, session: str, seed: int) -> None:
    Monkey(subject.sessions[session](), 100 + seed).play(3_000)


# -- what is said ----------------------------------------------------------------------------------------------------


@each_panel
def test_every_event_is_told_in_ascii_and_nearly_all_in_one_line(subject: Subject) -> None:
    seen: dict[str, str] = {}
    for event in subject.events:
        line = subject.panel.narrate(event)
        assert line.text.isascii(), line.text
        assert line.who.isascii()
        assert 0 < len(line.who) <= WHO_MAX, line.who
        assert "None" not in line.text, line.text
        assert known(line.ink)
        if event.kind not in subject.long:
            assert len(line.text) <= subject.room + subject.over, line.text
        seen[f"{event.kind} {type(getattr(event.what, 'command', None)).__name__}"] = line.text
    assert len(seen) >= (40 if subject.name != "toy" else 5)
    assert sum(len(text) <= subject.room for text in seen.values()) >= len(seen) * 0.8


@each_panel
def test_events_that_share_a_line_are_told_together(subject: Subject) -> None:
    panel = subject.panel
    alike: list[Event] = []
    folded = 0
    for event in (*(each for each in subject.events if type(each.what) not in QUIET), None):
        routine = panel.routine(event) if event is not None else ""
        if alike and routine != panel.routine(alike[0]):
            if len(alike) > 1:
                line = panel.fold(alike)
                folded += 1
                assert line.text.isascii()
                assert "None" not in line.text
                assert 0 < len(line.who) <= WHO_MAX
                assert known(line.ink)
                assert len(line.text) <= subject.room + 60, line.text
            alike = []
        if routine and event is not None:
            alike.append(event)
    assert folded or subject.name == "toy"


@each_panel
def test_every_event_can_be_explained_at_length(subject: Subject) -> None:
    snapshot = subject.moment(next(iter(subject.moments)))
    for event in {event.kind: event for event in subject.events}.values():
        paragraphs = subject.panel.explain(snapshot, event)
        assert paragraphs, event.kind
        assert all(text.isascii() and text for text in paragraphs)


@each_panel
def test_every_check_says_what_it_demands_and_what_broke(subject: Subject) -> None:
    snapshot = subject.broken()
    assert {check.name for check in getattr(snapshot, "checks", ())} <= subject.checks
    for name in sorted(subject.checks):
        holds = " ".join(subject.panel.explain_check(snapshot, Check(name, True, "fine")))
        broken = " ".join(subject.panel.explain_check(snapshot, Check(name, False, "it broke", ("n1 did it",))))
        assert holds.isascii()
        assert "it broke" in broken
        assert "n1 did it" in broken
        if subject.rule:
            assert "It holds" in holds
            assert "FAILED: it broke" in broken
            assert "No rule was off before it broke" in broken
            off = replace(Check(name, False, "it broke"), off=(subject.rule.replace(" ", "_"),))
            missing = " ".join(subject.panel.explain_check(snapshot, off))
            assert f"Switched off before it broke: {subject.rule}" in missing
            dated = subject.panel.explain_check(snapshot, Check(name, False, "it broke", at_us=2_345_000))
            assert "FAILED at t 00:02.345: it broke" in " ".join(dated)


@each_panel
def test_help_is_short_and_plain(subject: Subject) -> None:
    panel = subject.panel
    assert len(panel.help) <= 15
    assert len(panel.help) >= 5 or subject.name == "toy"
    assert all(paragraph.isascii() and 0 < len(paragraph) < 420 for paragraph in panel.help)
    assert panel.client_hint.isascii()


@each_moment
def test_what_there_is_to_see_is_told_in_plain_words_with_something_to_try(subject: Subject, moment: str) -> None:
    snapshot = subject.moment(moment)
    for focus in subject.selections(snapshot)[:4]:
        said = subject.panel.present(snapshot, subject.panel.fit(snapshot, focus))
        assert all(paragraph.isascii() and 0 < len(paragraph) < 600 for paragraph in said)
        if subject.name != "toy":
            assert any(char.isdigit() for paragraph in said for char in paragraph), "with numbers"
            assert said[-1].startswith("To try: "), "and with something to do"
