"""The user's traces in other hands: set against each other, folded, looked at from below, exported."""

from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from engines.errors import UserError
from engines.sim.timeline import Timeline
from engines.tracing.formats import read as read_spans
from engines.tracing.gap import Comparison
from engines.tracing.recorded import VARIANT, source
from engines.tracing.spans import Span, Status
from engines.tracing.split import Failed, Where, Window
from engines.tracing.verdicts import Trouble
from engines.tracing.world.snapshot import Snapshot
from tests.engines.tracing.requests import MS, login
from tests.tui.panels.tracing_runs import LARGE, USUAL, run
from tui.dialogs import Prompt
from tui.glyphs import BRAILLE
from tui.panel import Ask, Focus, Frame, Refuse
from tui.panels.tracing import PANEL, inspector
from tui.panels.tracing.select import analysis_at, choose, listed, read, rows_of, seen, span_of
from tui.registry import PANELS
from tui.session import Session

EVERY_US = 10_000 * MS
KEYS = {key.key: key for key in PANEL.keys}


def traffic() -> list[list[Span]]:
    """Of 200 logins 100 to 139 find a slow database on host h2; of these the last ten fail."""
    found = [login(i) for i in range(100)]
    found += [login(i, db_us=60_000, host="h2") for i in range(100, 140)]
    found[130:] = [[span._replace(status=Status.ERROR) for span in each] for each in found[130:]]
    return found + [login(i) for i in range(140, 200)]


@cache
def standing() -> Snapshot:
    spans = [span for each in traffic() for span in each]
    timeline: Timeline[Any, Snapshot] = Timeline(VARIANT.on(source(spans, "spans.json", "ab" * 32)), 0)
    timeline.advance(1 << 60)
    return timeline.snapshot()


def press(key: str, focus: Focus, snapshot: Snapshot | None = None) -> Any:
    return KEYS[key].act(snapshot or standing(), focus)


def looked(focus: Focus, key: str) -> Focus:
    found = press(key, focus)
    assert isinstance(found, Focus), found
    return found


def drawn(focus: Focus) -> Frame:
    return PANEL.view(standing(), focus, USUAL, BRAILLE)


def at(number: int) -> Focus:
    return choose(Focus(node=f"{number + 1:032x}", chosen=True), order="newest")


# -- what is compared ------------------------------------------------------------------------------------------------


def test_p_goes_from_the_tail_to_the_proposed_window_to_what_fails_and_back() -> None:
    focus, ways = Focus(), []
    for _ in range(4):
        ways.append(read(focus).choice)
        focus = looked(focus, "p")
    proposal = standing().proposal
    assert proposal is not None
    assert ways == [None, proposal.window, Failed(), None]


def test_the_verdict_is_over_the_chosen_traces_and_says_which_they_are() -> None:
    focus = looked(Focus(), "p")
    found = seen(standing(), focus).diagnosis
    assert found is not None
    assert (found.comparison, found.slow, found.fast) == (Comparison.WINDOW, 40, 160)
    text = drawn(focus).picture.text()
    assert "40 GET /login in the window, 160 outside it" in text
    assert "verdict" in text
    assert "p compares" not in text


def test_the_strip_says_which_traces_are_set_against_which() -> None:
    focus = choose(Focus(), choice=Failed())
    assert drawn(focus).strip_title.endswith("; requests that fail against those that go well")
    focus = choose(Focus(), choice=Where("host.name", "h2"))
    assert drawn(focus).strip_title.endswith("; traces with host.name=h2 against the others")


def test_a_span_as_root_is_not_said_to_start_the_trace() -> None:
    def told(focus: Focus) -> str:
        made = analysis_at(standing(), focus)
        return str([tuple(each.facts) for each in inspector.of_span(standing(), focus, made, made.tree.root)])

    assert "it starts the trace: no header" in told(on(plain(0), "web", "GET /login"))
    below = told(looked(on(plain(0), "auth", "GET /token"), "Q"))
    assert "shown as the root" in below
    assert "starts the trace" not in below


def test_without_a_choice_the_proposal_stands_below_the_verdict() -> None:
    assert "a change: 16:40.000 to 23:10.000 differs from the rest   p compares" in drawn(Focus()).picture.text()


def test_l_marks_from_one_trace_to_another_and_takes_the_window_away() -> None:
    begun = looked(at(139), "L")
    assert read(begun).since_us == 139 * EVERY_US
    assert "window 23:10.000 to .." in drawn(begun).strip_title
    marked = looked(replace(begun, node=f"{101:032x}"), "L")
    assert read(marked).choice == Window(100 * EVERY_US, 139 * EVERY_US + 1)
    frame = drawn(marked)
    assert "window 16:40.000 to 23:10.000" in frame.strip_title
    assert Trouble.SLOW in [each.kind for each in seen(standing(), marked).verdicts if each.service == "auth-db"]
    assert read(looked(marked, "L")).choice is None


def test_an_attribute_is_typed() -> None:
    focus = PANEL.client(standing(), Focus(), "host.name=h2")
    assert isinstance(focus, Focus)
    assert read(focus).choice == Where("host.name", "h2")
    found = seen(standing(), focus)
    assert found.diagnosis is not None
    assert (found.verdicts[0].service, found.diagnosis.comparison) == ("auth-db", Comparison.ATTRIBUTE)
    back = PANEL.client(standing(), focus, "")
    assert isinstance(back, Focus)
    assert read(back).choice is None


@pytest.mark.parametrize(
    ("text", "what"),
    [("host.name=h9", "no trace has a span with that"), ("soon", "chooses no traces"), ("9s..2s", "ends before it")],
)
def test_what_chooses_no_traces_is_refused_in_words(text: str, what: str) -> None:
    with pytest.raises(UserError, match=what):
        PANEL.client(standing(), Focus(), text)


def test_the_verdict_in_full_has_the_walk_of_the_failures() -> None:
    text = PANEL.view(standing(), choose(Focus(), view="verdict"), LARGE, BRAILLE).picture.text()
    flat = " ".join(text.replace("│", " ").split())
    assert "10 of 200 requests of web GET /login fail" in flat
    assert "100 % of the failures pass auth-db SELECT tokens" in flat


def test_a_choice_is_no_part_of_the_run() -> None:
    before = repr(standing())
    seen(standing(), looked(Focus(), "p"))
    assert repr(standing()) == before


def test_the_simulation_says_why_it_compares_nothing_by_choice() -> None:
    living = run(3_000).snapshot()
    for key in "pL":
        found = press(key, Focus(), living)
        assert isinstance(found, Refuse)
        assert "only traces of a FILE" in found.why


# -- one trace in other ways -----------------------------------------------------------------------------------------


def plain(number: int) -> Focus:
    """A trace with all its spans shown: a call and its answer are two rows."""
    return choose(at(number), plumbing=True)


def on(focus: Focus, service: str, name: str) -> Focus:
    made = analysis_at(standing(), focus)
    index = next(i for i, span in enumerate(made.tree.spans) if (span.service, span.name) == (service, name))
    return choose(focus, span=made.name(index))


def test_z_closes_a_subtree_and_opens_it_again_and_says_how_much_is_hidden() -> None:
    focus = on(plain(0), "auth", "GET /token")
    closed = looked(focus, "Z")
    before, after = (rows_of(standing(), each)[1] for each in (focus, closed))
    assert len(before.items) == 5
    assert [item.hidden for item in after.items] == [0, 0, 2]
    assert rows_of(standing(), looked(closed, "Z"))[1].items == before.items


def test_the_parts_of_the_path_still_add_up_in_a_folded_tree() -> None:
    made, rows = rows_of(standing(), looked(on(plain(0), "auth", "GET /token"), "Z"))
    assert sum(end - start for parts in rows.own.values() for start, end in parts) == made.duration_us


def test_what_has_nothing_below_it_is_not_folded() -> None:
    assert press("Z", on(plain(0), "auth-db", "SELECT tokens")) == Refuse("nothing is below this span")


def test_a_span_as_the_root_has_a_path_of_its_own() -> None:
    focus = looked(on(plain(0), "auth", "GET /token"), "Q")
    made = analysis_at(standing(), focus)
    assert (made.tree.spans[made.tree.root].name, made.tree.real, made.duration_us) == ("GET /token", 3, 6 * MS)
    assert made.path.total_us == made.duration_us
    assert "auth GET /token as root  3 spans of 5" in drawn(focus).picture_title
    deeper = looked(on(focus, "auth", "SELECT"), "Q")
    assert analysis_at(standing(), deeper).tree.real == 2
    back = looked(choose(deeper, span=""), "Q") if span_of(standing(), deeper) == 0 else looked(
        on(deeper, "auth", "SELECT"), "Q"
    )  # fmt: skip
    assert analysis_at(standing(), back).tree.real == 5


def test_another_trace_is_shown_from_its_own_root() -> None:
    focus = looked(on(plain(0), "auth", "GET /token"), "Q")
    other = PANEL.move(standing(), choose(focus, view="list"), "up")
    assert not read(other).root


def test_the_root_itself_is_said_to_be_the_root() -> None:
    found = press("Q", on(plain(0), "web", "GET /login"))
    assert isinstance(found, Refuse)
    assert "the root already" in found.why


def test_a_search_takes_an_attribute_with_its_value_in_the_list_and_in_the_tree() -> None:
    focus = replace(at(100), find="host.name=h2")
    assert {row.trace_id for row in listed(standing(), focus)} == {f"{i + 1:032x}" for i in range(100, 140)}
    made, rows = rows_of(standing(), choose(focus, plumbing=True))
    assert [made.tree.spans[item.row].name for item in rows.items if item.match] == ["GET /token"]


def test_an_attribute_is_a_column_of_the_list() -> None:
    offers = {offer.title: offer for offer in PANEL.tune(standing(), on(at(100), "auth", "GET /token"))}
    assert list(offers) == ["export", "column host.name"]
    shown = offers["column host.name"].build({})
    assert isinstance(shown, Focus)
    text = drawn(shown).picture.text()
    assert "host.name, odd" in text
    assert " h2" in text


def test_one_trace_is_exported_and_reads_back_as_it_was() -> None:
    exported = PANEL.export(standing(), at(3))
    assert exported.name == f"trace-{4:032x}"[:22] + ".json"
    assert list(read_spans(BytesIO(exported.content), "x")) == login(3)
    assert PANEL.tune(standing(), at(3))[0].build({}) == Ask("export")


def test_the_export_is_written_once_and_never_over_another_file(tmp_path: Path) -> None:
    spans = [span for each in traffic() for span in each]
    session = Session(PANELS, "tracing", recorded=VARIANT.on(source(spans, "spans.json", "ab" * 32)))
    dialogue = session.dialogue("export")
    assert isinstance(dialogue, Prompt)
    path = tmp_path / "one.json"
    session.perform(dialogue.submit(str(path)))
    assert len(list(read_spans(BytesIO(path.read_bytes()), "x"))) == 5
    assert session.notice.startswith("written: ")
    assert session.notice.endswith(f"bytes, in {tmp_path}")
    with pytest.raises(UserError, match="is there already"):
        dialogue.submit(str(path))


def test_a_window_without_an_end_goes_to_the_end() -> None:
    focus = PANEL.client(standing(), Focus(), "1000s..")
    assert isinstance(focus, Focus)
    assert drawn(focus).strip_title.endswith("window 16:40.000 to the end")
